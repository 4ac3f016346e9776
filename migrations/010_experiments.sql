-- Experiments with floors that stopped themselves, and what their contacts brought.
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

grant select on experiment_stop, experiment_contact to vendue_ledger, vendue_console;
grant insert on experiment_stop to vendue_ledger;
