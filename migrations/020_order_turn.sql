-- One order may be reported in several journals: those that book it take turns, and each frame knows its turn.
set local search_path = vendue;

-- Locked by whoever books something about the order; the turn of the last frame that did.
create table order_turn (
    order_id uuid primary key,
    turn bigint not null default 0
);
comment on table order_turn is
    'An order that facts were booked about, and the turn of the newest frame that booked one; locked while booking.';

-- Of two frames of different logs that speak of one order, the one with the lower turn was booked first. Frames booked
-- in one transaction have one turn, higher than any before it of the orders they speak of; 0: they speak of none.
alter table frame add column turn bigint not null default 0;

-- Revenue that decides rates is added by one log at a time.
insert into revenue_mark (contract, period) values (0, '');
comment on table revenue_mark is
    'One row, locked while revenue is added to contracts whose rate depends on what came before.';

grant select on order_turn to vendue_ledger, vendue_console;
grant insert on order_turn to vendue_ledger;
grant update (turn) on order_turn to vendue_ledger;

-- Every fact that said what an order's pool is, with the turn of its frame.
create or replace view order_pool as
select r.order_id, r.currency, r.at_us, r.log, r.batch, r.idx, r.pool_micros, f.turn
from revenue r
join frame f on f.log = r.log and f.batch = r.batch
where r.state = 'posted'
union all
select c.order_id, r.currency, e.at_us, c.log, c.batch, c.idx, c.pool_micros, f.turn
from credit c
join frame f on f.log = c.log and f.batch = c.batch
join event e on e.log = c.log and e.batch = c.batch and e.idx = c.idx
join revenue r on r.order_id = c.order_id and r.kind = 'converted' and r.state = 'posted'
where c.part = 0;

-- What one of them changed: in the order in which they were booked.
create or replace view due_part as
select 'placement' as what, d.placement_id as id, d.currency, d.micros::numeric as micros, d.log, d.batch
from charge_due d
union all
select 'order', r.order_id, r.currency, r.pool_micros::numeric - coalesce(p.pool_micros, 0), r.log, r.batch
from order_pool r
left join lateral (
    select v.pool_micros from order_pool v
    where v.order_id = r.order_id
      and (v.turn, v.at_us, v.log, v.batch, v.idx) < (r.turn, r.at_us, r.log, r.batch, r.idx)
    order by v.turn desc, v.at_us desc, v.log desc, v.batch desc, v.idx desc limit 1) p on true;
