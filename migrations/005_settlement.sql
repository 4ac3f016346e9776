-- Settlement: how periods are closed, what the statements said, what was paid in. Rows are only added.
set local search_path = vendue;

-- The nine steps of a close, each recorded once when it is done; a period with step 9 is closed for ever.
-- Step 1 is the fence: whoever books a fact afterwards finds its period ended at until_us.
create table period_event (
    period text not null,
    step smallint not null check (step between 1 and 9),
    name text not null,
    from_us bigint not null,
    until_us bigint not null,         -- exclusive
    at_us bigint not null,
    detail text not null,             -- for people
    record text not null,             -- for programs: what the step found, line by line
    primary key (period, step)
);

-- Two rows for ever, to be locked. 1: by whoever fences, and shared by whoever posts without a journal
-- (deposits), so that nothing slips into a period behind its fence; the fence also locks every row of
-- watermark. 2: by each step of a close, so that closes take turns.
create table period_gate (
    gate smallint primary key check (gate in (1, 2)),
    fences bigint not null
);
insert into period_gate (gate, fences) values (1, 0), (2, 0);

-- A seat's statement of a closed period: its lines as CSV, whose SHA-256 goes into the period's root.
create table statement (
    period text not null,
    seat integer not null,
    lines text not null,
    digest bytea not null,
    primary key (period, seat)
);
-- What each section of it came to. Amounts below a cent are carried from close to close.
create table statement_total (
    period text not null,
    seat integer not null,
    section text not null,
    currency text not null,
    sum_micros bigint not null,          -- of the lines
    carried_in_micros bigint not null,
    total_micros bigint not null,        -- whole cents
    carried_out_micros bigint not null,
    primary key (period, seat, section),
    check (sum_micros + carried_in_micros = total_micros + carried_out_micros)
);
-- The statement as it is read, in each format.
create table statement_document (
    period text not null,
    seat integer not null,
    format text not null check (format in ('txt', 'csv', 'json')),
    body text not null,
    primary key (period, seat, format)
);

create table deposit (
    seat integer not null,
    reference text not null,
    currency text not null,
    amount_micros bigint not null check (amount_micros > 0),
    transfer_id uuid not null,
    period text not null,
    at_us bigint not null,
    primary key (seat, reference)
);

-- A placement's place on its seat's statement: which section, by the contract as it was when it was won.
create view statement_placement as
select o.placement_id, o.period, o.seat, o.currency, o.slot, o.message, o.rung,
       case when s.kind = 'department' then 'bought'
            when c.body ->> 'billing' = 'prepaid' then 'prepaid' else 'charged' end as section,
       case when s.kind = 'partner' then coalesce(c.body -> 'gain_share' ->> 'merchant', 'partner')
            else 'host' end as merchant
from outcome o
join lateral (
    select m.body ->> 'kind' as kind from market_object m
    where m.kind = 'seat' and m.id = o.seat and m.version <= o.market_version and m.body is not null
    order by m.version desc limit 1) s on true
left join lateral (
    select m.body from market_object m
    where m.kind = 'contract' and m.id = o.contract and m.version <= o.market_version
    order by m.version desc limit 1) c on true
where o.filled;

-- What statements are made of: every posted transfer and every fact that counts, each on one line of one
-- section of one seat. Sections: 'charged' (on credit), 'prepaid' (from the deposit), 'bought' (a
-- department, at transfer price), 'sold' (a department's slots), 'owed' (gain-share pools of a merchant),
-- 'earned' (shares of such pools). rung -1, slot 0, message 0: none. A seat never sees another's message.
create view statement_part as
select t.period, a.seat, t.currency,
       case a.code when 1110 then 'charged' when 2000 then 'prepaid' when 5100 then 'bought'
                   when 4100 then 'sold' when 1150 then 'owed' else 'earned' end as section,
       coalesce(t.slot, 0) as slot,
       case when t.seat = a.seat then coalesce(t.message, 0) else 0 end as message,
       coalesce(case a.code when 1150 then o.rung else t.rung end, (-1)::smallint) as rung,
       0 as won, 0 as delivered, 0 as ended, 0 as converted,
       case when a.code in (2100, 4210) and t.kind = 'refund' then 1 else 0 end as refunded,
       0::bigint as revenue_micros,
       case when a.code in (4100, 2100, 4210) then -t.amount_micros else t.amount_micros end as micros
from transfer t
join account a on a.currency = t.currency and a.account = t.debit
left join outcome o on o.placement_id = t.placement_id
where t.state = 'posted' and t.kind not in ('bill', 'deposit')
  and a.seat <> 0 and a.code in (1110, 2000, 5100, 4100, 1150, 2100, 4210)
union all
select t.period, a.seat, t.currency,
       case a.code when 1110 then 'charged' when 2000 then 'prepaid' when 5100 then 'bought'
                   when 4100 then 'sold' when 1150 then 'owed' else 'earned' end,
       coalesce(t.slot, 0),
       case when t.seat = a.seat then coalesce(t.message, 0) else 0 end,
       coalesce(case a.code when 1150 then o.rung else t.rung end, (-1)::smallint),
       0, case when a.code = 4100 then 1 else 0 end, 0,
       case when a.code in (2100, 4210) and t.kind = 'share' then 1 else 0 end,
       case when a.code in (2100, 4210) and t.kind = 'refund' then 1 else 0 end,
       0,
       case when a.code in (4100, 2100, 4210) then t.amount_micros else -t.amount_micros end
from transfer t
join account a on a.currency = t.currency and a.account = t.credit
left join outcome o on o.placement_id = t.placement_id
where t.state = 'posted' and t.kind not in ('bill', 'deposit')
  and a.seat <> 0 and a.code in (1110, 2000, 5100, 4100, 1150, 2100, 4210)
union all
select p.period, p.seat, p.currency, p.section, p.slot, p.message, p.rung, 1, 0, 0, 0, 0, 0, 0
from statement_placement p
union all
select e.period, p.seat, p.currency, p.section, p.slot, p.message, p.rung,
       0, case when e.kind = 'delivered' then 1 else 0 end,
       case when e.kind in ('cancelled', 'expired') then 1 else 0 end, 0, 0, 0, 0
from event e
join statement_placement p on p.placement_id = e.placement_id
where e.state = 'posted' and e.kind in ('delivered', 'cancelled', 'expired')
union all
select r.period, p.seat, p.currency, x.section, p.slot, p.message, p.rung, 0, 0, 0,
       case when r.kind = 'converted' then 1 else 0 end,
       case when r.kind = 'refunded' then 1 else 0 end,
       case when r.kind = 'refunded' then -r.amount_micros else r.amount_micros end, 0
from revenue r
join statement_placement p on p.placement_id = r.placement_id
cross join lateral (
    select p.section union all select 'owed' where p.merchant = 'partner' and r.state = 'posted') x
where r.state in ('posted', 'no_share');

create view statement_line as
select period, seat, currency, section, slot, message, rung,
       sum(won)::bigint as won, sum(delivered)::bigint as delivered, sum(ended)::bigint as ended,
       sum(converted)::bigint as converted, sum(refunded)::bigint as refunded,
       sum(revenue_micros)::bigint as revenue_micros, sum(micros)::bigint as micros
from statement_part
group by period, seat, currency, section, slot, message, rung;

-- What the facts alone say is due, by the contract as it was at the win: to be compared with what is posted.
create view charge_due as
select x.period, o.placement_id, o.seat, o.currency,
       case when s.kind = 'partner' then o.price_micros
            when coalesce(o.owner, 0) in (0, o.seat) then 0
            when c.body ->> 'transfer_price' = 'zero' then 0
            when c.body ->> 'transfer_price' = 'floor' then o.floor_micros
            else o.price_micros end as micros
from outcome o
join lateral (
    select m.body ->> 'kind' as kind from market_object m
    where m.kind = 'seat' and m.id = o.seat and m.version <= o.market_version and m.body is not null
    order by m.version desc limit 1) s on true
join lateral (
    select o.period where o.charge = 'win'
    union all
    select e.period from event e
    where e.placement_id = o.placement_id and e.kind = 'delivered' and e.state = 'posted'
      and o.charge <> 'win') x on true
left join lateral (
    select m.body from market_object m
    where m.kind = 'contract' and m.id = o.contract and m.version <= o.market_version
    order by m.version desc limit 1) c on true
where o.filled;

-- Every placement and every order whose posted amount is not what its facts say. Must be empty.
create view unexplained as
select 'placement' as what, placement_id as id, currency, sum(due)::bigint as due_micros,
       sum(posted)::bigint as posted_micros
from (
    select placement_id, currency, micros::numeric as due, 0::numeric as posted from charge_due
    union all
    select placement_id, currency, 0, amount_micros::numeric from transfer
    where state = 'posted' and kind in ('charge', 'internal')) c
group by placement_id, currency
having sum(due) <> sum(posted)
union all
select 'order', order_id, currency, sum(due)::bigint, sum(posted)::bigint
from (
    select * from (
        select distinct on (order_id) order_id, currency, pool_micros::numeric as due, 0::numeric as posted
        from revenue where state = 'posted'
        order by order_id, log desc, batch desc, idx desc) last
    union all
    select e.group_id, e.currency, 0, e.micros from entry e
    join account a on a.currency = e.currency and a.account = e.account
    where e.kind in ('share', 'refund') and a.code in (1150, 5000)) p
group by order_id, currency
having sum(due) <> sum(posted);

grant select on period_event, period_gate, statement, statement_total, statement_document, deposit,
    statement_placement, statement_part, statement_line, charge_due, unexplained to vendue_ledger, vendue_console;
grant insert on period_event, statement, statement_total, statement_document, deposit to vendue_console;
grant update (fences) on period_gate to vendue_console;
