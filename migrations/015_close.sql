-- Closing in full: balances of closed periods, holds that a close ended, logs declared dead, and what is proven as it
-- is booked, so that a close has only the rest to prove.
set local search_path = vendue;

-- --- What a close leaves ---------------------------------------------------------------------------

-- Totals of every account from the beginning to the end of a closed period: its closing balance is debit less credit.
-- With them a period can be opened without the transfers of the periods before it.
create table balance (
    period text not null,
    currency text not null,
    account bigint not null,
    debit numeric not null check (debit >= 0),
    credit numeric not null check (credit >= 0),
    primary key (period, currency, account)
);
comment on table balance is 'An account''s total debits and credits up to the end of a closed period.';

-- Holds that a close ended because their window was over. What is reported about such a placement in a frame of
-- `log` behind `batch` came late and books nothing.
create table hold_expiry (
    placement_id uuid primary key,
    log integer not null,
    batch bigint not null,
    act bigint not null
);
comment on table hold_expiry is 'A hold that a close ended, and the journal position behind which a delivery is late.';

-- Logs that do not report and were declared dead: up to which frame they had been booked then. One that is booked
-- or reports again is alive again.
create table dead_log (
    log integer not null,
    batch bigint not null,
    at_us bigint not null,
    act bigint not null,
    primary key (log, batch, at_us)
);
comment on table dead_log is 'A journal that an operator declared dead so that periods could be closed without it.';

-- When the log's ledgerd last said that everything durable in it is booked.
alter table watermark add column reported_us bigint not null default 0;

-- --- What is proven as it is booked ----------------------------------------------------------------

-- Frames whose facts and transfers were compared: every amount that a fact makes due is posted, and no other.
-- The next proof of a log begins where the last one ended.
create table proof (
    log integer not null,
    from_batch bigint not null,       -- exclusive
    upto bigint not null,             -- inclusive
    placements bigint not null,       -- with something due
    orders bigint not null,
    at_us bigint not null,
    primary key (log, from_batch),
    check (upto > from_batch)
);
comment on table proof is 'A stretch of a journal whose transfers were proven to be what its facts say.';

-- What the facts of such a stretch count for on statements, counted from the rows: compared with count_fold when
-- the period is closed.
create table proof_count (
    log integer not null,
    from_batch bigint not null,
    period text not null,
    seat integer not null,
    currency text not null,
    section text not null,
    slot integer not null,
    message integer not null,
    rung smallint not null,
    won bigint not null,
    delivered bigint not null,
    ended bigint not null,
    converted bigint not null,
    refunded bigint not null,
    revenue numeric not null
);
create index proof_count_period on proof_count (period);
comment on table proof_count is 'What the facts of a proven stretch count for on a line of a statement.';

-- What the transfers of such a stretch come to in a period, each weighed by a number that everything it is told apart
-- by goes into (but the rung of the placement behind it): the sums (folds) of a period, weighed alike, must come to the
-- same. A weight is below 4093, so that an amount times its weight stays within 64 bits.
create table proof_sum (
    log integer not null,
    from_batch bigint not null,
    period text not null,
    transfers bigint not null,
    weighed numeric not null
);
create index proof_sum_period on proof_sum (period);
comment on table proof_sum is 'What the transfers of a proven stretch come to in a period, weighed.';

-- Holds of proven frames that had not ended when they were proven. A cache: rows of ended holds are taken out.
create table open_hold (
    placement_id uuid primary key,
    transfer_id uuid not null,
    terminal_id uuid not null,        -- of the transfer that ends it
    period text not null,
    currency text not null,
    micros bigint not null,
    log integer not null,
    batch bigint not null
);
comment on table open_hold is 'A hold that had no end yet when its frame was proven.';

create index outcome_source on outcome (log, batch);

-- --- What is due, fact by fact ---------------------------------------------------------------------

-- What showing a message in a slot costs, by version of the market that said so: the slot's own cost, else its even
-- part of its container's, rounded half to even.
create view slot_cost as
select v.slot, v.version,
       coalesce((v.body ->> 'cost')::numeric * 1000000,
                div(v.whole, v.slots) + case when 2 * mod(v.whole, v.slots) > v.slots
                                               or 2 * mod(v.whole, v.slots) = v.slots
                                                  and mod(div(v.whole, v.slots), 2) = 1
                                             then 1 else 0 end, 0) as cost_micros
from (
    select s.id as slot, e.version, s.body,
           (b.body ->> 'cost')::numeric * 1000000 as whole,
           (select count(*) from (
               select distinct on (m.id) m.body from market_object m
               where m.kind = 'slot' and split_part(m.code, '.', 1) = split_part(s.code, '.', 1)
                 and m.version <= e.version
               order by m.id, m.version desc) n where n.body is not null)::numeric as slots
    from market_version e
    join lateral (
        select distinct on (m.id) m.id, m.code, m.body from market_object m
        where m.kind = 'slot' and m.version <= e.version order by m.id, m.version desc) s on s.body is not null
    left join lateral (
        select m.body from market_object m
        where m.kind = 'container' and m.code = split_part(s.code, '.', 1) and m.version <= e.version
        order by m.version desc limit 1) b on true) v;
comment on view slot_cost is 'What a message in a slot costs, as a version of the market says.';

-- What the facts alone say is due, by the contract as it was at the win: a price per placement at the win, the
-- delivery, the acceptance or the first conversion, as the contract says; a price per response when the customer
-- accepted; a share of each order's revenue as it stands (rounded half to even), piece by piece as the order changes.
-- (log, batch, idx): the fact that made it due.
create or replace view charge_due as
select x.period, x.placement_id, x.seat, x.currency,
       case when s.kind <> 'partner' and coalesce(x.owner, 0) in (0, x.seat) then 0
            when s.kind <> 'partner' and c.body ->> 'transfer_price' = 'zero' then 0
            when s.kind <> 'partner' and c.body ->> 'transfer_price' = 'floor' and x.kind = 0 then x.floor_micros
            when s.kind <> 'partner' and c.body ->> 'transfer_price' = 'cost_plus' and x.kind = 0 then (
                select (div(p.product, 1000000)
                        + case when mod(p.product, 1000000) > 500000
                                 or mod(p.product, 1000000) = 500000 and mod(div(p.product, 1000000), 2) = 1
                               then 1 else 0 end)::bigint
                from (
                    select k.cost_micros * (1000000 + rtrim(c.body ->> 'cost_plus', '%')::numeric * 10000) as product
                    from slot_cost k where k.slot = x.slot and k.version = x.market_version) p)
            else x.micros end as micros,
       x.log, x.batch, x.idx
from (
    select o.period, o.placement_id, o.seat, o.currency, o.owner, o.kind, o.floor_micros, o.contract, o.slot,
           o.market_version, o.price_micros as micros, o.log, o.batch, o.idx
    from outcome o where o.filled and o.kind = 0 and o.charge = 'win'
    union all
    select e.period, o.placement_id, o.seat, o.currency, o.owner, o.kind, o.floor_micros, o.contract, o.slot,
           o.market_version, o.price_micros, e.log, e.batch, e.idx
    from event e join outcome o on o.placement_id = e.placement_id
    where o.filled and e.state = 'posted'
      and (o.kind = 0 and o.charge = 'delivery' and e.kind = 'delivered'
           or (o.kind = 1 or o.kind = 0 and o.charge = 'response') and e.kind = 'accepted')
    union all
    select r.period, o.placement_id, o.seat, o.currency, o.owner, o.kind, o.floor_micros, o.contract, o.slot,
           o.market_version, o.price_micros, r.log, r.batch, r.idx
    from revenue r join outcome o on o.placement_id = r.placement_id
    where o.filled and o.kind = 0 and o.charge = 'conversion'
      and r.kind = 'converted' and r.state in ('posted', 'no_share')
      and not exists (
        select 1 from revenue v
        where v.placement_id = r.placement_id and v.kind = 'converted' and v.state in ('posted', 'no_share')
          and (v.log, v.batch, v.idx) < (r.log, r.batch, r.idx))
      and not exists (
        select 1 from event e
        where e.placement_id = r.placement_id and e.state = 'posted' and e.kind in ('cancelled', 'expired', 'lapsed')
          and (e.log, e.batch, e.idx) < (r.log, r.batch, r.idx))
      and not exists (
        select 1 from hold_expiry h where h.placement_id = r.placement_id and (h.log <> r.log or h.batch < r.batch))
    union all
    select r.period, o.placement_id, o.seat, r.currency, o.owner, o.kind, o.floor_micros, o.contract, o.slot,
           o.market_version, (d.after_micros - d.before_micros)::bigint, r.log, r.batch, r.idx
    from revenue r join outcome o on o.placement_id = r.placement_id
    cross join lateral (
        select sum(case when l.side = 1 then l.due else 0 end) as after_micros,
               sum(case when l.side = 0 then l.due else 0 end) as before_micros
        from (
            select b.side,
                   div(b.left_over * o.price_micros, 1000000)
                   + case when mod(b.left_over * o.price_micros, 1000000) > 500000
                            or mod(b.left_over * o.price_micros, 1000000) = 500000
                               and mod(div(b.left_over * o.price_micros, 1000000), 2) = 1
                          then 1 else 0 end as due
            from (
                select i.side, case when sum(a.converted) > 0
                                    then greatest(sum(a.converted) - sum(a.refunded), 0) else 0 end as left_over
                from (values (0), (1)) i (side)
                cross join lateral (
                    select case when v.kind = 'converted' then v.amount_micros else 0 end::numeric as converted,
                           case when v.kind = 'refunded' then v.amount_micros else 0 end::numeric as refunded
                    from revenue v
                    where v.order_id = r.order_id and v.placement_id = r.placement_id
                      and v.state in ('posted', 'no_share', 'waiting')
                      and ((v.log, v.batch, v.idx) < (r.log, r.batch, r.idx)
                           or i.side = 1 and (v.log, v.batch, v.idx) = (r.log, r.batch, r.idx))) a
                group by i.side) b) l) d
    where o.filled and o.kind = 2 and r.state in ('posted', 'no_share', 'waiting')) x
join lateral (
    select m.body ->> 'kind' as kind from market_object m
    where m.kind = 'seat' and m.id = x.seat and m.version <= x.market_version and m.body is not null
    order by m.version desc limit 1) s on true
left join lateral (
    select m.body from market_object m
    where m.kind = 'contract' and m.id = x.contract and m.version <= x.market_version
    order by m.version desc limit 1) c on true;

-- The same beside the pools of orders (what a fact changed of the order's pool), and what is booked: both by the fact
-- they belong to, so that any stretch of a journal can be compared by itself.
create view due_part as
select 'placement' as what, d.placement_id as id, d.currency, d.micros::numeric as micros, d.log, d.batch
from charge_due d
union all
select 'order', r.order_id, r.currency, r.pool_micros::numeric - coalesce(p.pool_micros, 0), r.log, r.batch
from order_pool r
left join lateral (
    select v.pool_micros from order_pool v
    where v.order_id = r.order_id
      and (v.at_us, v.log, v.batch, v.idx) < (r.at_us, r.log, r.batch, r.idx)
    order by v.at_us desc, v.log desc, v.batch desc, v.idx desc limit 1) p on true;

create view booked_part as
select 'placement' as what, t.placement_id as id, t.currency,
       (case when t.kind = 'commission' and t.debit % 10000 not in (1110, 2000, 5100) then -t.amount_micros
             else t.amount_micros end)::numeric as micros, t.log, t.batch
from transfer_kept t where t.state = 'posted' and t.kind in ('charge', 'internal', 'commission')
union all
select 'order', t.group_id, t.currency,
       (case when t.debit % 10000 in (1150, 5000) then t.amount_micros else 0 end
        - case when t.credit % 10000 in (1150, 5000) then t.amount_micros else 0 end)::numeric, t.log, t.batch
from transfer_kept t where t.state = 'posted' and t.kind in ('share', 'refund', 'credit');

create or replace view unexplained as
select what, id, currency, sum(due)::bigint as due_micros, sum(posted)::bigint as posted_micros
from (
    select what, id, currency, micros as due, 0::numeric as posted from due_part
    union all
    select what, id, currency, 0::numeric, micros from booked_part) b
group by what, id, currency
having sum(due) <> sum(posted);

comment on view due_part is 'What a fact makes due of a placement''s price or changes of an order''s pool.';
comment on view booked_part is 'A posted transfer that a fact caused, as it counts against due_part.';

grant select on balance, hold_expiry, dead_log, proof, proof_count, proof_sum, open_hold, due_part, booked_part, slot_cost
    to vendue_ledger, vendue_console;
grant insert on balance, hold_expiry, dead_log to vendue_console;
grant insert on proof, proof_count, proof_sum, open_hold to vendue_ledger, vendue_console;
grant delete on open_hold to vendue_ledger;
