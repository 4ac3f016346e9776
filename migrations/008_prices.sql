-- Prices of three kinds, and what a placement was sold under. kind: 0 per placement, 1 per response (both in
-- micros), 2 share of the revenue that follows (in millionths of it). Facts written before have kind 0.
set local search_path = vendue;

create table price_kind_name (
    kind smallint primary key,
    name text not null
);
insert into price_kind_name (kind, name) values (0, 'placement'), (1, 'response'), (2, 'share');

alter table bid_change add column kind smallint not null default 0;

create or replace view standing_bid as
select distinct on (bid)
    bid as id, seat, message, slot, price_micros, currency, from_us, until_us,
    (case state when 'active' then 0 when 'paused' then 1 else 2 end)::smallint as state,
    key, at_us, log, batch, idx, kind
from bid_change
order by bid, log desc, batch desc, idx desc;

alter table contact
    add column experiment integer not null default 0,  -- floor experiment it takes part in; 0: none
    add column flags smallint not null default 0,      -- 1: what the customer came for has happened; 2: variant
    add column records smallint not null default 0;    -- facts of its record, behind its outcomes

alter table outcome
    add column kind smallint not null default 0,       -- of price, bid and its setter's
    add column deal integer not null default 0,        -- 0: none
    add column floor_id integer not null default 0,    -- the market's floor rule that counted; 0: none
    add column campaign integer not null default 0,    -- of the message; 0: none
    add column campaign_parent integer not null default 0,
    add column day integer not null default 0,         -- of the win: days since 1970-01-01 by the host's clock
    add column cell smallint not null default 0;       -- stage * 12 + channel

grant select on price_kind_name to vendue_ledger, vendue_console;

-- --- What is due, now by kind of price -----------------------------------------------------------

-- What the facts alone say is due, by the contract as it was at the win: a price per placement at the delivery
-- or the win, a price per response when the customer accepted, a share of each order's revenue as it stands
-- (rounded half to even), booked piece by piece as the order changes.
create or replace view charge_due as
select x.period, o.placement_id, o.seat, x.currency,
       case when s.kind <> 'partner' and coalesce(o.owner, 0) in (0, o.seat) then 0
            when s.kind <> 'partner' and c.body ->> 'transfer_price' = 'zero' then 0
            when s.kind <> 'partner' and c.body ->> 'transfer_price' = 'floor' and o.kind = 0 then o.floor_micros
            else x.micros end as micros
from outcome o
join lateral (
    select m.body ->> 'kind' as kind from market_object m
    where m.kind = 'seat' and m.id = o.seat and m.version <= o.market_version and m.body is not null
    order by m.version desc limit 1) s on true
join lateral (
    select o.period, o.currency, o.price_micros as micros where o.kind = 0 and o.charge = 'win'
    union all
    select e.period, o.currency, o.price_micros from event e
    where e.placement_id = o.placement_id and e.state = 'posted'
      and (o.kind = 0 and o.charge <> 'win' and e.kind = 'delivered' or o.kind = 1 and e.kind = 'accepted')
    union all
    select r.period, r.currency, (r.due - lag(r.due, 1, 0::bigint) over (
        partition by r.order_id order by r.log, r.batch, r.idx))::bigint
    from (
        select l.period, l.currency, l.order_id, l.log, l.batch, l.idx,
               (div(l.left_over * o.price_micros, 1000000)
                + case when mod(l.left_over * o.price_micros, 1000000) > 500000
                         or mod(l.left_over * o.price_micros, 1000000) = 500000
                            and mod(div(l.left_over * o.price_micros, 1000000), 2) = 1
                       then 1 else 0 end)::bigint as due
        from (
            select v.*, sum(case when v.kind = 'converted' then v.amount_micros else -v.amount_micros end)
                       over (partition by v.order_id order by v.log, v.batch, v.idx) as left_over
            from revenue v
            where v.placement_id = o.placement_id and v.state in ('posted', 'no_share')) l) r
    where o.kind = 2) x on true
left join lateral (
    select m.body from market_object m
    where m.kind = 'contract' and m.id = o.contract and m.version <= o.market_version
    order by m.version desc limit 1) c on true
where o.filled;
create index revenue_placement on revenue (placement_id);

-- What transfers of prices come to: a commission that shrinks after a refund is booked back.
create view price_transfer as
select placement_id, period, effective_us, slot, currency, rung,
       case when kind = 'commission' and debit % 10000 not in (1110, 2000, 5100) then -amount_micros
            else amount_micros end as micros
from transfer
where state = 'posted' and kind in ('charge', 'internal', 'commission');

create or replace view unexplained as
select 'placement' as what, placement_id as id, currency, sum(due)::bigint as due_micros,
       sum(posted)::bigint as posted_micros
from (
    select placement_id, currency, micros::numeric as due, 0::numeric as posted from charge_due
    union all
    select placement_id, currency, 0, micros::numeric from price_transfer) c
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

-- As in 005; a commission is no delivery of its own, and a price per response ends without money when the customer
-- declines or does not answer in time.
create or replace view statement_part as
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
       0, case when a.code = 4100 and t.kind <> 'commission' then 1 else 0 end, 0,
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
       case when e.kind = 'delivered' then 0 else 1 end, 0, 0, 0, 0
from event e
join outcome o on o.placement_id = e.placement_id
join statement_placement p on p.placement_id = e.placement_id
where e.state = 'posted' and (e.kind in ('delivered', 'cancelled', 'expired', 'lapsed')
                              or (e.kind = 'declined' and o.kind = 1))
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

create or replace view report_rung as
select period, at_us, slot, currency, rung, 1 as placements, 0 as delivered, 0 as converted,
       0::bigint as income_micros, 0::bigint as gain_micros
from outcome where filled
union all
select e.period, e.effective_us, e.slot, o.currency, o.rung, 0, 1, 0, 0, 0
from event e join outcome o on o.placement_id = e.placement_id
where e.kind = 'delivered' and e.state = 'posted'
union all
select r.period, r.effective_us, o.slot, r.currency, o.rung, 0, 0, 1, 0, 0
from revenue r join outcome o on o.placement_id = r.placement_id
where r.kind = 'converted' and r.state in ('posted', 'no_share')
union all
select period, effective_us, slot, currency, rung, 0, 0, 0, micros, 0
from price_transfer
union all
select period, effective_us, slot, currency, rung, 0, 0, 0, 0,
       case when debit % 10000 in (1150, 5000) then amount_micros else -amount_micros end
from transfer
where state = 'posted' and kind in ('share', 'refund');

-- Prices of other kinds are no amounts: null here, so that prices can be added up.
create or replace view report_slot as
select o.period, o.at_us, o.slot, o.currency, o.filled,
       case when o.kind = 0 then o.price_micros end as price_micros, o.floor_micros,
       case when o.filled then null else coalesce(o.main_reason, o.reason) end as reason
from outcome o
where o.reason is distinct from 'not_requested';

grant select on price_transfer to vendue_ledger, vendue_console;
