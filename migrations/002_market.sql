-- The declared market, as versioned objects that are only ever added. A row of market_object says what an
-- object was from that version on; `body` null says that it was removed. An object keeps its number for
-- ever: one id to a (kind, code), also when it is removed and comes back.
--
-- Two applies at the same time: each inserts version n + 1; the primary key lets one in.
set local search_path = vendue;

create table market_version (
    version bigint primary key check (version > 0),
    at_us bigint not null,
    author text not null,
    note text not null,
    digest bytea not null,            -- of all objects of this version
    objects integer not null
);

create table market_object (
    kind text not null check (kind in ('market', 'attribute', 'touchpoint', 'seat', 'container',
                                       'slot', 'message', 'contract')),
    id integer not null check (id > 0),
    version bigint not null references market_version (version),
    code text not null,               -- of a slot: 'container.slot'
    body jsonb,                       -- what the market file says; null: removed
    primary key (kind, id, version),
    unique (kind, code, version)
);

-- The catalogs ever published: which market and which bids decided. Inserted before the file is renamed
-- into place, so a catalog's version names one market for ever.
create table catalog_version (
    version bigint primary key check (version > 0),
    market_version bigint not null references market_version (version),
    log integer not null,             -- bids up to this batch are in it
    epoch integer not null,
    batch bigint not null,
    bids integer not null,
    at_us bigint not null
);

-- Certificates that may speak, by the SHA-256 of their public key. Revoking is an event, not a change.
create table certificate (
    fingerprint bytea primary key check (length(fingerprint) = 32),
    role text not null check (role in ('touchpoint', 'seat', 'operator')),
    party text not null,              -- code of the touchpoint or seat; '' for an operator
    issued_us bigint not null,
    note text not null default ''
);
create table certificate_event (
    fingerprint bytea not null references certificate (fingerprint),
    event text not null check (event in ('revoked')),
    at_us bigint not null,
    note text not null default '',
    primary key (fingerprint, event)
);

-- Every object once: its newest content, also of removed ones, so that old lines keep their names.
create view object_now as
select o.kind, o.id, o.code, o.body,
       exists (select 1 from market_object r where r.kind = o.kind and r.id = o.id
               and r.version > o.version) as removed
from market_object o
where o.body is not null
  and o.version = (select max(n.version) from market_object n
                   where n.kind = o.kind and n.id = o.id and n.body is not null);

create view market_now as
select (select coalesce(max(version), 0) from market_version) as version,
       code, body ->> 'name' as name, body ->> 'currency' as currency
from object_now where kind = 'market' and not removed;

create view seat as
select id, code, body ->> 'name' as name, body ->> 'kind' as kind,
       coalesce((body ->> 'paused')::boolean, false) as paused,
       ((body ->> 'budget')::numeric * 1000000)::bigint as budget_micros, removed
from object_now where kind = 'seat';

create view touchpoint as
select id, code, body ->> 'name' as name, removed
from object_now where kind = 'touchpoint';

create view container as
select o.id, o.code, o.body ->> 'name' as name, o.body ->> 'stage' as stage,
       o.body ->> 'channel' as channel, o.body ->> 'owner' as owner, s.id as owner_id, o.removed
from object_now o
left join object_now s on s.kind = 'seat' and s.code = o.body ->> 'owner'
where o.kind = 'container';

create view slot as
select o.id, o.code as tagid, o.body ->> 'code' as code, o.body ->> 'name' as name,
       o.body ->> 'container' as container, c.id as container_id,
       (o.body ->> 'position')::integer as position,
       ((o.body ->> 'floor')::numeric * 1000000)::bigint as floor_micros,
       o.body ->> 'deliver_within' as deliver_within,
       (select string_agg(x.value, ',' order by x.ordinality)
        from jsonb_array_elements_text(o.body -> 'objectives') with ordinality as x (value, ordinality))
           as objectives,
       (select string_agg(x.value, ',' order by x.ordinality)
        from jsonb_array_elements_text(o.body -> 'rungs') with ordinality as x (value, ordinality))
           as rungs,
       o.removed
from object_now o
left join object_now c on c.kind = 'container' and c.code = o.body ->> 'container'
where o.kind = 'slot';

create view message as
select o.id, o.code, o.body ->> 'name' as name, o.body ->> 'seat' as seat, s.id as seat_id,
       o.body ->> 'content' as content, o.body ->> 'format' as format,
       o.body ->> 'category' as category, r.rung,
       (select string_agg(x.value, ',' order by x.ordinality)
        from jsonb_array_elements_text(o.body -> 'objectives') with ordinality as x (value, ordinality))
           as objectives,
       ((o.body ->> 'budget')::numeric * 1000000)::bigint as budget_micros, o.removed
from object_now o
left join object_now s on s.kind = 'seat' and s.code = o.body ->> 'seat'
left join (values (0::smallint, 'geographic'), (1, 'demographic'), (2, 'behavioral'),
                  (3, 'personalization'), (4, 'predictive'), (5, 'commercialization'),
                  (6, 'affiliation'), (7, 'syndication')) as r (rung, name)
       on r.name = o.body ->> 'rung'
where o.kind = 'message';

create view contract as
select o.id, o.code, o.body ->> 'seat' as seat, s.id as seat_id,
       coalesce((extract(epoch from (o.body ->> 'from')::timestamptz) * 1000000)::bigint, 0) as from_us,
       coalesce((extract(epoch from (o.body ->> 'until')::timestamptz) * 1000000)::bigint, 0) as until_us,
       o.body ->> 'charge' as charge, o.body ->> 'billing' as billing,
       o.body ->> 'transfer_price' as transfer_price,
       o.body -> 'gain_share' ->> 'merchant' as merchant,
       coalesce((replace(o.body -> 'gain_share' ->> 'rate', '%', '')::numeric * 10000)::integer, 0)
           as rate_ppm,
       o.removed
from object_now o
left join object_now s on s.kind = 'seat' and s.code = o.body ->> 'seat'
where o.kind = 'contract';

create view contract_share as
select o.id as contract_id, x.ordinality::integer as position, x.value ->> 'to' as beneficiary,
       coalesce(s.id, 0) as seat_id, coalesce(r.rung, (-1)::smallint) as rung,
       (x.value ->> 'weight')::bigint as weight
from object_now o
cross join jsonb_array_elements(o.body -> 'gain_share' -> 'shares') with ordinality as x (value, ordinality)
left join object_now s on s.kind = 'seat' and s.code = x.value ->> 'to'
left join (values (0::smallint, 'geographic'), (1, 'demographic'), (2, 'behavioral'),
                  (3, 'personalization'), (4, 'predictive'), (5, 'commercialization'),
                  (6, 'affiliation'), (7, 'syndication')) as r (rung, name)
       on r.name = x.value ->> 'rung'
where o.kind = 'contract' and not o.removed;

create view market_certificate as
select c.fingerprint, c.role, c.party, coalesce(o.id, 0) as party_id, c.issued_us,
       exists (select 1 from certificate_event e where e.fingerprint = c.fingerprint
               and e.event = 'revoked') as revoked
from certificate c
left join object_now o on o.kind = c.role and o.code = c.party;

grant select on market_version, market_object, catalog_version, certificate, certificate_event,
    object_now, market_now, seat, touchpoint, container, slot, message, contract, contract_share,
    market_certificate to vendue_ledger, vendue_console;
grant insert on market_version, market_object, certificate, certificate_event to vendue_console;
grant insert on catalog_version to vendue_ledger;
