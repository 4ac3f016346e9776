-- Who shares in an order: its customer, its merchant, and how it is divided among those who earn from it.
set local search_path = vendue;

-- Touches of a customer are found by its contacts.
create index contact_customer on contact (customer) where customer is not null;

-- Of revenue that was booked (state 'posted', 'no_share'). `state` may also be 'waiting': a refund that was reported
-- before its conversion, and is booked with that one; and of events 'late': the hold was expired by a close.
alter table revenue
    add column customer bigint,       -- keyed pseudonym; null: anonymous
    add column merchant integer,      -- seat that made the sale; 0: the host
    add column base_micros bigint,    -- revenue of the contract in the period before it; null: it does not matter
    add column model integer,         -- divided among touches, by this fit; 0: by none; null: not among touches
    add column of_host smallint not null default 0,  -- 1: the order is the host's, whichever seat reports it
    add column due smallint not null default 0;  -- 1: the first conversion of a placement, whose price it makes due
alter table outcome
    add column of_host smallint not null default 0;  -- 1: the host is the merchant, by the contract at the win
create index revenue_divided on revenue (customer, effective_us) where model is not null;
create index revenue_base on revenue (contract, period, base_micros) where base_micros is not null;

-- Locked by whoever adds revenue to a contract whose rate depends on what came before: several logs add to it.
create table revenue_mark (
    contract integer not null,
    period text not null,
    marks bigint not null default 0,
    primary key (contract, period)
);
comment on table revenue_mark is
    'A contract and period whose revenue decides rates or a cap; its row is locked while revenue is added.';

-- The parts that an order is divided into, from the fact (log, batch, idx) on: one row a (beneficiary, rung) pair. An
-- order is divided at its conversion, and anew when a touch becomes known that shares in it; the newest division counts.
-- What a part comes to is the pool split by `weight`, largest remainders first, ties by `part`.
create table credit (
    order_id uuid not null,
    log integer not null,
    batch bigint not null,
    idx integer not null,
    part smallint not null,
    kind smallint not null,           -- 0 department or the host, 1 partner
    rung smallint not null,           -- 0 to 7
    seat integer not null,            -- beneficiary; 0: the host
    weight bigint not null,           -- unsigned, with its bits
    model integer not null,           -- version of the fit that divided it; 0: none
    pool_micros bigint not null,      -- of the order, as of then
    primary key (order_id, log, batch, idx, part)
);
comment on table credit is
    'One part of an order, as divided from a fact on: who earns it, under which rung, with which weight.';
create index credit_source on credit (log, batch, idx);

-- The newest division of each order. divided: it is not the one that its conversion made.
create view order_part as
select c.order_id, c.part, c.kind, c.rung, c.seat, c.weight, c.model, c.log, c.batch, c.idx, not exists (
           select 1 from revenue r where r.order_id = c.order_id and r.kind = 'converted'
               and (r.log, r.batch, r.idx) = (c.log, c.batch, c.idx)) as divided
from credit c
where (c.log, c.batch, c.idx) = (
    select n.log, n.batch, n.idx from credit n where n.order_id = c.order_id
    order by n.log desc, n.batch desc, n.idx desc limit 1);
comment on view order_part is 'One part of an order, by its newest division.';

-- Every fact that said what an order's pool is: revenue that was booked, and touches that divided it anew. (A pool of
-- which touches alone have parts is none until the first one is known.)
create view order_pool as
select order_id, currency, at_us, log, batch, idx, pool_micros
from revenue where state = 'posted'
union all
select c.order_id, r.currency, e.at_us, c.log, c.batch, c.idx, c.pool_micros
from credit c
join event e on e.log = c.log and e.batch = c.batch and e.idx = c.idx
join revenue r on r.order_id = c.order_id and r.kind = 'converted' and r.state = 'posted'
where c.part = 0;
comment on view order_pool is 'The pool of an order from one fact on.';

-- Orders of before: whose they are, by the contract as it was when they were won.
update revenue r
set customer = x.customer,
    merchant = case when coalesce(x.terms ->> 'merchant', 'partner') = 'partner' and x.terms is not null
                    and x.kind = 'partner' then x.seat else 0 end
from (
    select v.log, v.batch, v.idx, o.seat, (select c.customer from contact c where c.contact_id = v.contact_id) as customer,
           (select m.body -> 'gain_share' from market_object m
            where m.kind = 'contract' and m.id = v.contract and m.version <= o.market_version
            order by m.version desc limit 1) as terms,
           (select m.body ->> 'kind' from market_object m
            where m.kind = 'seat' and m.id = o.seat and m.version <= o.market_version
            order by m.version desc limit 1) as kind
    from revenue v join outcome o on o.placement_id = v.placement_id
    where v.state in ('posted', 'no_share')) x
where r.log = x.log and r.batch = x.batch and r.idx = x.idx;

-- Transfers that were booked before name no other that they correct: up to which frame of each log.
create table credit_before (
    log integer primary key,
    batch bigint not null
);
insert into credit_before (log, batch) select log, batch from watermark where batch > 0;
comment on table credit_before is
    'A log and its last frame that was booked before transfers named the one that they correct.';

-- Orders of before have the parts that their contract named when they were won.
insert into credit (order_id, log, batch, idx, part, kind, rung, seat, weight, model, pool_micros)
select p.order_id, p.log, p.batch, p.idx, row_number() over (partition by p.order_id order by p.seat, p.rung) - 1,
       p.kind, p.rung, p.seat, p.weight, 0, p.pool_micros
from (
    select r.order_id, r.log, r.batch, r.idx, r.pool_micros, coalesce(b.id, 0) as seat,
           case when b.body ->> 'kind' = 'partner' then 1 else 0 end as kind, coalesce(n.rung, o.rung) as rung,
           sum((h.share ->> 'weight')::bigint)::bigint as weight
    from revenue r
    join outcome o on o.placement_id = r.placement_id
    join lateral (
        select m.body from market_object m
        where m.kind = 'contract' and m.id = r.contract and m.version <= o.market_version
        order by m.version desc limit 1) c on true
    cross join lateral jsonb_array_elements(c.body -> 'gain_share' -> 'shares') h (share)
    left join lateral (
        select m.id, m.body from market_object m
        where m.kind = 'seat' and m.code = h.share ->> 'to' and m.version <= o.market_version
        order by m.version desc limit 1) b on true
    left join rung_name n on n.name = h.share ->> 'rung'
    where r.kind = 'converted' and r.state = 'posted' and (h.share ->> 'weight')::bigint > 0
    group by 1, 2, 3, 4, 5, 6, 7, 8) p;

grant select on credit, order_part, order_pool, credit_before, revenue_mark to vendue_ledger, vendue_console;
grant insert on credit, revenue_mark to vendue_ledger;
grant update (marks) on revenue_mark to vendue_ledger;
