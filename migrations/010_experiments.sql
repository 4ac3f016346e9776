-- Experiments with floors that stopped themselves, and what their contacts brought; what is learned of messages.
set local search_path = vendue;

-- An experiment whose variant earned too little is stopped by ledgerd, for ever; catalogs published from then on
-- say so. Read by whoever publishes.
create table experiment_stop (
    experiment integer primary key,      -- stable id
    stopped_us bigint not null,
    variant_contacts bigint not null,
    control_contacts bigint not null,
    variant_micros bigint not null,      -- revenue of all its contacts
    control_micros bigint not null,
    reason text not null                 -- for people
);

create index contact_experiment on contact (experiment, at_us) where experiment <> 0;

-- Each contact that took part once, with the slots it offered and filled and what became due from it: prices of
-- its placements, and gain-share pools of the orders that followed.
create view experiment_contact as
select c.experiment, (c.flags & 2) <> 0 as variant, c.contact_id, c.period, c.at_us,
       o.offered, o.filled, o.micros
from contact c
cross join lateral (
    select count(*) as offered, count(*) filter (where x.filled) as filled,
           coalesce(sum(x.due + x.pool), 0) as micros
    from (
        select p.filled,
               coalesce((select sum(d.micros) from charge_due d where d.placement_id = p.placement_id), 0) as due,
               coalesce((
                   select sum(l.pool_micros) from (
                       select distinct on (r.order_id) r.pool_micros from revenue r
                       where r.placement_id = p.placement_id and r.state = 'posted'
                       order by r.order_id, r.log desc, r.batch desc, r.idx desc) l), 0) as pool
        from outcome p
        where p.placement_id > c.contact_id
          and p.placement_id <= (left(c.contact_id::text, 35) || 'f')::uuid
          and p.reason is distinct from 'not_requested') x) o
where c.experiment <> 0;

-- What is learned of each message in each cell: deliveries, responses, first conversions of a placement, revenue
-- net of refunds. One row a fact. Cell -1: won by the version before, which did not note it; as in the engine, it
-- counts in its rung alone.
create view report_learned as
select e.period, e.at_us, o.message, o.rung, case when o.day = 0 then -1 else o.cell end as cell,
       case when e.kind = 'delivered' then 1 else 0 end as delivered,
       case when e.kind = 'accepted' then 1 else 0 end as responded, 0 as converted, 0::bigint as micros
from event e join outcome o on o.placement_id = e.placement_id
where e.kind in ('delivered', 'accepted') and e.state = 'posted'
union all
select r.period, r.at_us, o.message, o.rung, case when o.day = 0 then -1 else o.cell end, 0, 0,
       case when r.kind = 'converted' and not exists (
           select 1 from revenue f
           where f.placement_id = r.placement_id and f.kind = 'converted' and f.state in ('posted', 'no_share')
             and (f.log, f.batch, f.idx) < (r.log, r.batch, r.idx)) then 1 else 0 end,
       case when r.kind = 'converted' then r.amount_micros else -r.amount_micros end
from revenue r join outcome o on o.placement_id = r.placement_id
where r.state in ('posted', 'no_share');

grant select on experiment_stop, experiment_contact, report_learned to vendue_ledger, vendue_console;
grant insert on experiment_stop to vendue_ledger;
