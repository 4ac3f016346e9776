-- Facts, as landed from the journal: one row each, never changed. Key (log, batch, idx) names the fact in
-- the journal. Times are microseconds since 1970 UTC. Amounts are millionths of the currency's unit.
-- Unsigned 64-bit numbers (bid, setter, request, customer) are kept with their bits in a bigint.
set local search_path = vendue;

-- Words that facts hold as numbers.
create table rung_name (
    rung smallint primary key,   -- as stored: 0 to 7
    number smallint not null,    -- as printed: 1 to 8
    name text not null
);
insert into rung_name (rung, number, name) values
    (0, 1, 'geographic'), (1, 2, 'demographic'), (2, 3, 'behavioral'), (3, 4, 'personalization'),
    (4, 5, 'predictive'), (5, 6, 'commercialization'), (6, 7, 'affiliation'), (7, 8, 'syndication');
create table objective_name (
    objective smallint primary key,  -- 0 to 8
    number smallint not null,        -- 1 to 9
    bit integer not null,            -- in masks
    name text not null
);
insert into objective_name (objective, number, bit, name) values
    (0, 1, 1, 'identify'), (1, 2, 2, 'recognize'), (2, 3, 4, 'fulfill'), (3, 4, 8, 'upgrade'),
    (4, 5, 16, 'cross_sell'), (5, 6, 32, 'expand'), (6, 7, 64, 'educate'), (7, 8, 128, 'collect'),
    (8, 9, 256, 'refer');

-- How far each log has been booked. The one table whose rows change: by compare-and-set, in the same
-- transaction as the rows it vouches for. Whoever fences a period locks these rows first.
create table watermark (
    log integer primary key,
    epoch integer not null,
    batch bigint not null,       -- last frame booked
    digest bytea not null,       -- of that frame
    at_us bigint not null,       -- when it was booked
    fences bigint not null default 0
);

-- The first log is there from the start, so that whoever locks all rows locks one at least.
insert into watermark (log, epoch, batch, digest, at_us) values (1, 0, 0, decode(repeat('00', 32), 'hex'), 0);

-- The frames booked: the journal's chain of digests, again.
create table frame (
    log integer not null,
    batch bigint not null,
    epoch integer not null,
    previous bytea not null,
    digest bytea not null,
    facts integer not null,
    at_us bigint not null,
    fenced_until_us bigint not null,  -- periods before this were fenced when the frame was booked
    primary key (log, batch)
);

create table contact (
    contact_id uuid primary key,
    log integer not null,
    batch bigint not null,
    idx integer not null,
    at_us bigint not null,            -- engine's time of the decision
    began_us bigint not null,         -- touchpoint's time of the contact
    period text not null,
    shard smallint not null,
    customer bigint,                  -- keyed pseudonym; null: anonymous
    touchpoint integer not null,
    container integer not null,
    identity text not null,
    tier text not null,
    loyalty text not null,
    condition text not null,
    consent smallint not null,        -- mask
    achieved integer not null,        -- mask of objectives the touchpoint reports
    slots smallint not null,
    catalog bigint not null,          -- version that decided
    market_version bigint,            -- market that this catalog was made of; null: never published
    request bigint not null,
    key text not null
);

-- One row a slot: filled (a placement) or empty.
create table outcome (
    placement_id uuid primary key,    -- the contact's id with the position in its last four bits
    contact_id uuid not null,
    position smallint not null,
    log integer not null,
    batch bigint not null,
    idx integer not null,
    at_us bigint not null,
    period text not null,
    filled boolean not null,
    slot integer not null,
    currency text not null,
    floor_micros bigint not null,     -- the floor that counted; of an empty slot its own
    market_version bigint,
    -- filled
    message integer,
    seat integer,
    owner integer,                    -- seat that owns the container
    contract integer,                 -- in force at the win; null: none
    bid bigint,
    price_micros bigint,              -- clearing price
    bid_micros bigint,
    setter bigint,                    -- bid that set the price; null: the floor did
    floor_rule smallint,              -- 0 the slot's own floor, n its n-th floor rule
    expires_us bigint,
    objectives integer,               -- mask
    rung smallint,
    eligible integer,
    charge text,                      -- 'delivery' or 'win'
    -- empty
    reason text,
    main_reason text,                 -- what stopped the bid that came nearest
    considered integer,
    best_micros bigint                -- the dearest bid that addressed the slot; null: none
);

-- What became of placements. state: 'posted'; 'repeat' (the placement had ended before: nothing booked);
-- 'orphan' (no such placement: nothing booked, and `slotctl verify` says so).
create table event (
    log integer not null,
    batch bigint not null,
    idx integer not null,
    kind text not null,               -- delivered accepted declined cancelled expired
    state text not null,
    placement_id uuid not null,
    contact_id uuid not null,
    position smallint not null,
    at_us bigint not null,
    effective_us bigint not null,     -- when it happened, by the reporter
    period text not null,
    slot integer not null,
    message integer not null,
    seat integer not null,
    price_micros bigint not null,
    role text not null,
    party integer not null,
    key text not null,
    primary key (log, batch, idx)
);
create index event_placement on event (placement_id);

-- Revenue that followed, and what of it was taken back. state: 'posted'; 'no_share' (the contract shares
-- nothing); 'repeat' (the same order or refund again: nothing booked); 'exceeds' (more refunded than was
-- converted: nothing booked); 'orphan' (no such placement or order: nothing booked).
create table revenue (
    log integer not null,
    batch bigint not null,
    idx integer not null,
    kind text not null,               -- converted refunded
    state text not null,
    order_id uuid not null,
    placement_id uuid not null,
    contact_id uuid not null,
    seat integer not null,
    message integer not null,
    currency text not null,
    amount_micros bigint not null,
    pool_micros bigint not null,      -- gain-share pool of the order after this fact
    contract integer,
    at_us bigint not null,
    effective_us bigint not null,
    period text not null,
    role text not null,
    party integer not null,
    key text not null,                -- order reference; of a refund the refund's own
    primary key (log, batch, idx)
);
create index revenue_order on revenue (order_id);

-- Every change of a standing bid: its whole new state.
create table bid_change (
    log integer not null,
    batch bigint not null,
    idx integer not null,
    at_us bigint not null,
    bid bigint not null,
    seat integer not null,
    message integer not null,
    slot integer not null,            -- 0: any that admits the message
    state text not null,              -- active paused withdrawn
    currency text not null,
    price_micros bigint not null,
    from_us bigint not null,
    until_us bigint not null,         -- 0: open end
    key text not null,
    primary key (log, batch, idx)
);
create index bid_change_bid on bid_change (bid, log desc, batch desc, idx desc);

-- The last word on every bid.
create view standing_bid as
select distinct on (bid)
    bid as id, seat, message, slot, price_micros, currency, from_us, until_us,
    (case state when 'active' then 0 when 'paused' then 1 else 2 end)::smallint as state,
    key, at_us, log, batch, idx
from bid_change
order by bid, log desc, batch desc, idx desc;

grant select on rung_name, objective_name, watermark, frame, contact, outcome, event, revenue, bid_change,
    standing_bid to vendue_ledger, vendue_console;
grant insert on watermark, frame, contact, outcome, event, revenue, bid_change to vendue_ledger;
grant update on watermark to vendue_ledger;
-- Enough to lock the rows while a period is fenced, not to move the mark.
grant update (fences) on watermark to vendue_console;
