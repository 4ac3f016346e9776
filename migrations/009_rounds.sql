-- The record of each round, as landed from the journal: what was judged, what stopped it, what it would have
-- paid. One row an entry of a fact; key (log, batch, idx, place). A contact's record stands right behind its
-- outcomes in the same frame: idx above contact.idx + contact.slots, contact.records facts of it.
set local search_path = vendue;

create table reason_name (
    reason smallint primary key,  -- as stored in records
    number smallint not null,     -- OpenRTB's loss reason where there is one, ours from 501 up
    key text not null
);
insert into reason_name (reason, number, key) values
    (0, 0, 'none'), (1, 100, 'below_floor'), (2, 102, 'outbid'), (3, 204, 'format'),
    (4, 501, 'not_eligible'), (5, 502, 'consent'), (6, 503, 'frequency_cap'), (7, 505, 'budget'),
    (8, 508, 'duplicate'), (9, 512, 'contract'), (10, 513, 'rung'), (11, 514, 'objective'),
    (12, 515, 'identity'), (13, 516, 'condition'), (14, 517, 'seat_kind'), (15, 518, 'not_valid_now'),
    (16, 519, 'paused'), (17, 520, 'own_seat'), (18, 521, 'withdrawn'), (19, 530, 'no_bids'),
    (20, 531, 'no_eligible_bid'), (21, 532, 'not_requested'), (22, 540, 'malformed'),
    (23, 541, 'missing_field'), (24, 542, 'wrong_type'), (25, 543, 'out_of_range'), (26, 544, 'too_large'),
    (27, 545, 'unknown_method'), (28, 546, 'unknown_container'), (29, 547, 'unknown_slot'),
    (30, 548, 'unknown_seat'), (31, 549, 'unknown_message'), (32, 550, 'unknown_bid'),
    (33, 551, 'unknown_placement'), (34, 552, 'unknown_attribute'), (35, 553, 'not_yours'),
    (36, 554, 'wrong_role'), (37, 555, 'unknown_certificate'), (38, 556, 'revoked'), (39, 557, 'conflict'),
    (40, 558, 'currency'), (41, 559, 'late'), (42, 560, 'early'), (43, 561, 'already_ended'),
    (44, 562, 'refund_exceeds'), (45, 563, 'busy'), (46, 564, 'journal_full'), (47, 565, 'not_found'),
    (48, 566, 'no_market'), (49, 567, 'internal'), (50, 3, 'invalid_bid'), (51, 4, 'invalid_deal'),
    (52, 101, 'below_deal_floor'), (53, 103, 'lost_to_priority'), (54, 205, 'separation'),
    (55, 504, 'pressure_cap'), (56, 506, 'pacing'), (57, 507, 'after_deadline'), (58, 509, 'quota'),
    (59, 510, 'group'), (60, 522, 'paid_max'), (61, 523, 'not_experienced'), (62, 524, 'quiet'),
    (63, 525, 'no_answer'), (64, 526, 'no_bid'), (65, 527, 'over_limit'), (66, 528, 'throttled'),
    (67, 529, 'not_connected'), (68, 568, 'too_old');

-- Eligible bids of a slot in their ranking, the winner first: place in the fact 0 or 1.
create table candidate (
    log integer not null,
    batch bigint not null,
    idx integer not null,
    place smallint not null,
    position smallint not null,
    at_us bigint not null,
    slot integer not null,
    seat integer not null,
    message integer not null,
    bid bigint not null,
    price bigint not null,        -- in its own kind: micros, or millionths of the revenue
    multiplier bigint not null,   -- learned: expected responses (of 2^32) or revenue (micros) a placement
    floor_micros bigint not null, -- expected value that it had to reach
    floor_id integer not null,
    how smallint not null,        -- 3: kind of price; 4 live; 8 explored; 16 its message won elsewhere; 96: at
    priority smallint not null,
    primary key (log, batch, idx, place)
);
create index candidate_seat on candidate (seat, at_us);

-- How many bids of a slot were judged, and how many each reason stopped.
create table tally (
    log integer not null,
    batch bigint not null,
    idx integer not null,
    position smallint not null,
    at_us bigint not null,
    slot integer not null,
    considered bigint not null,
    reasons integer[] not null,
    counts integer[] not null,    -- one a reason
    primary key (log, batch, idx)
);

-- The dearest refused bids of a slot: place in the fact 0 to 3.
create table refusal (
    log integer not null,
    batch bigint not null,
    idx integer not null,
    place smallint not null,
    position smallint not null,
    at_us bigint not null,
    slot integer not null,
    seat integer not null,
    bid bigint not null,
    met bigint,                   -- not_eligible: value that the clause met; null: unknown or hidden
    clause integer not null,      -- not_eligible: node of the rule; caps: count met
    reason smallint not null,
    rule_of smallint not null,    -- 0 slot, 1 seat, 2 message
    primary key (log, batch, idx, place)
);
create index refusal_seat on refusal (seat, at_us);

-- Live bidders of a contact and how they answered: place in the fact 0 to 10.
create table callout (
    log integer not null,
    batch bigint not null,
    idx integer not null,
    place smallint not null,
    at_us bigint not null,
    seat integer not null,
    answer_ms integer,            -- null: never
    reason smallint not null,     -- 0: bids were taken
    bids smallint not null,       -- taken into the auction
    primary key (log, batch, idx, place)
);
create index callout_seat on callout (seat, at_us);

-- What joined the candidates of a slot that was sold together with others, in the candidates' order.
create table slot_limits (
    log integer not null,
    batch bigint not null,
    idx integer not null,
    position smallint not null,
    at_us bigint not null,
    slot integer not null,
    paid_max smallint not null,     -- 0: any number
    quota_count smallint not null,  -- 0: none
    flags smallint not null,        -- 1: the search for the best was cut short
    categories integer[] not null,  -- numbered within the contact, from 1; 0: none
    groups integer[] not null,
    group_sizes integer[] not null,
    marks integer[] not null,       -- 1: of a partner; 2: pursues the quota's objectives
    primary key (log, batch, idx)
);

-- From a record to its contact and back.
create unique index contact_source on contact (log, batch, idx);

-- A contact by its touchpoint's own id.
create index contact_key on contact (key);

-- Why bids did not win, as records tell it. seat 0: all bids that were judged in the slot; else one row a bid that
-- the record keeps. An eligible bid lost because its message won another slot, to a better bid of its own seat, to a
-- higher priority though it was worth more, or to a better bid; where nothing was sold, to what the outcome says.
create view record_reason as
select t.at_us, 0 as seat, t.slot, u.reason::smallint as reason, u.count::bigint as count
from tally t
cross join lateral unnest(t.reasons, t.counts) as u (reason, count)
union all
select k.at_us, k.seat, k.slot,
       (select r.reason from reason_name r
        where r.key = case when k.how & 16 <> 0 then 'duplicate'
                           when not o.filled then coalesce(o.main_reason, o.reason)
                           when k.seat = o.seat then 'own_seat'
                           when k.priority < w.priority and
                                case k.how & 3 when 0 then k.price::numeric
                                               when 1 then k.price::numeric * k.multiplier / 4294967296
                                               else k.price::numeric * k.multiplier / 1000000 end >
                                case w.how & 3 when 0 then w.price::numeric
                                               when 1 then w.price::numeric * w.multiplier / 4294967296
                                               else w.price::numeric * w.multiplier / 1000000 end
                           then 'lost_to_priority'
                           else 'outbid' end), 1
from candidate k
join contact c on c.log = k.log and c.batch = k.batch and c.idx < k.idx and k.idx <= c.idx + c.slots + c.records
join outcome o on o.placement_id = (left(c.contact_id::text, 35) || to_hex(k.position::integer))::uuid
left join candidate w on o.filled and w.log = k.log and w.batch = k.batch and w.idx > c.idx
    and w.idx <= c.idx + c.slots + c.records and w.position = k.position and w.bid = o.bid
where not (o.filled and o.bid = k.bid)
union all
select f.at_us, f.seat, f.slot, f.reason, 1 from refusal f
union all
select a.at_us, a.seat, 0, a.reason, 1 from callout a where a.reason <> 0;

grant select on record_reason, reason_name, candidate, tally, refusal, callout, slot_limits to vendue_ledger,
    vendue_console;
grant insert on candidate, tally, refusal, callout, slot_limits to vendue_ledger;
