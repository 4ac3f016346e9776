-- The market's rules of selling as objects, and what each node may spend of a budget.
set local search_path = vendue;

alter table market_object drop constraint market_object_kind_check;
alter table market_object add constraint market_object_kind_check
    check (kind in ('market', 'attribute', 'touchpoint', 'seat', 'container', 'slot', 'campaign', 'floor',
                    'message', 'cap', 'deal', 'experiment', 'contract'));

-- A budget is an amount of all time, or a map {total, daily, pacing}; `->` of an amount is null.
create or replace view seat as
select id, code, body ->> 'name' as name, body ->> 'kind' as kind,
       coalesce((body ->> 'paused')::boolean, false) as paused,
       (coalesce(body -> 'budget' ->> 'total', case when jsonb_typeof(body -> 'budget') <> 'object'
        then body ->> 'budget' end)::numeric * 1000000)::bigint as budget_micros, removed,
       ((body -> 'budget' ->> 'daily')::numeric * 1000000)::bigint as daily_micros, coalesce((body ->> 'live')::boolean, false) as live
from object_now where kind = 'seat';

create or replace view message as
select o.id, o.code, o.body ->> 'name' as name, o.body ->> 'seat' as seat, s.id as seat_id,
       o.body ->> 'content' as content, o.body ->> 'format' as format,
       o.body ->> 'category' as category, r.rung,
       (select string_agg(x.value, ',' order by x.ordinality)
        from jsonb_array_elements_text(o.body -> 'objectives') with ordinality as x (value, ordinality))
           as objectives,
       (coalesce(o.body -> 'budget' ->> 'total', case when jsonb_typeof(o.body -> 'budget') <> 'object'
        then o.body ->> 'budget' end)::numeric * 1000000)::bigint as budget_micros, o.removed,
       ((o.body -> 'budget' ->> 'daily')::numeric * 1000000)::bigint as daily_micros, c.id as campaign_id,
       o.body ->> 'group' as "group", coalesce((o.body ->> 'priority')::integer, 0) as priority
from object_now o
left join object_now s on s.kind = 'seat' and s.code = o.body ->> 'seat'
left join object_now c on c.kind = 'campaign' and c.code = o.body ->> 'campaign'
left join (values (0::smallint, 'geographic'), (1, 'demographic'), (2, 'behavioral'),
                  (3, 'personalization'), (4, 'predictive'), (5, 'commercialization'),
                  (6, 'affiliation'), (7, 'syndication')) as r (rung, name)
       on r.name = o.body ->> 'rung'
where o.kind = 'message';

create view campaign as
select o.id, o.code, o.body ->> 'name' as name, o.body ->> 'seat' as seat, s.id as seat_id,
       p.id as parent_id, (coalesce(o.body -> 'budget' ->> 'total', case when jsonb_typeof(o.body -> 'budget') <> 'object'
        then o.body ->> 'budget' end)::numeric * 1000000)::bigint as budget_micros,
       ((o.body -> 'budget' ->> 'daily')::numeric * 1000000)::bigint as daily_micros,
       coalesce((extract(epoch from (o.body ->> 'from')::timestamptz) * 1000000)::bigint, 0) as from_us,
       coalesce((extract(epoch from (o.body ->> 'until')::timestamptz) * 1000000)::bigint, 0) as until_us,
       o.removed
from object_now o
left join object_now s on s.kind = 'seat' and s.code = o.body ->> 'seat'
left join object_now p on p.kind = 'campaign' and p.code = o.body ->> 'parent'
where o.kind = 'campaign';

-- What each node may spend, as its catalogs said: a row when that changed, in force from that catalog on.
-- The amounts granted to the nodes add up to no more than the budget: granted only under the lock below, by
-- ledger/limit.c. `of` 0 a seat, 1 a campaign, 2 a message. `day` 0: of the total, of all time; a day by the
-- host's clock (days since 1970-01-01): of that day's amount; -1: of every day's, of a node that is alone.
create table spend_grant (
    of smallint not null check (of between 0 and 2),
    id integer not null,
    log integer not null,
    day integer not null check (day >= -1),
    catalog bigint not null,
    granted_micros bigint not null check (granted_micros >= 0),
    limit_micros bigint not null check (limit_micros >= 0),  -- what the catalog said: never above the budget
    primary key (of, id, log, day, catalog)
);
create index spend_grant_day on spend_grant (day);

-- One row, for who grants to lock.
create table spend_lock (
    one boolean primary key default true check (one)
);
insert into spend_lock default values;

grant select on campaign, spend_grant to vendue_ledger, vendue_console;
grant insert on spend_grant to vendue_ledger;
-- A catalog that was granted for, and then not written, is granted for again.
grant update (granted_micros, limit_micros) on spend_grant to vendue_ledger;
grant select, update on spend_lock to vendue_ledger;
