// A contact's facts, read back from the tables they landed in: the reverse of land.c.
//
//  1 The contact's row tells where its facts stand in the journal: itself, its outcomes and its
//    record take the places idx to idx + slots + records of one frame. Each row is put in the
//    place of its idx; places of facts that have no row (an empty fact of a record) are closed up.
//  2 Placement ids are the contact's with the position in their last four bits, so one range of
//    the primary key holds its outcomes, and one of event_placement its events.
//  3 Who and when of outcomes and record are the contact's own. Words turn back into numbers; a
//    word that is none, and a row outside its contact's places, are STATUS_DAMAGED.
#include "record.h"

#include <string.h>

#include "land.h"

struct reading {
    struct db *db;
    struct record *out;
    int64_t log, batch, idx;
    struct fact head;  // what all facts of the contact share
    unsigned places;   // of contact, outcomes and record
    bool damaged;
};

static uint8_t
word(struct reading *reading, const struct db_rows *rows, size_t row, size_t column,
     enum status (*parse)(const char *text, size_t len, unsigned *out_value))
{
    unsigned value = 0;
    if (parse(db_get_text(rows, row, column), db_get_len(rows, row, column), &value) != STATUS_OK) {
        reading->damaged = true;
    }
    return (uint8_t)value;
}

#define PARSER(kind)                                                             \
    static enum status parse_##kind(const char *text, size_t len, unsigned *out) \
    {                                                                            \
        enum kind value;                                                         \
        enum status status = kind##_parse(text, len, &value);                    \
        if (status == STATUS_OK) *out = (unsigned)value;                         \
        return status;                                                           \
    }
PARSER(identity)
PARSER(tier)
PARSER(loyalty)
PARSER(condition)
PARSER(role)

static enum status
parse_reason(const char *text, size_t len, unsigned *out)
{
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        const char *key = reason_key((enum reason)i);
        if (strlen(key) != len || memcmp(key, text, len) != 0) continue;
        *out = i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

static enum status
parse_charge(const char *text, size_t len, unsigned *out)
{
    for (unsigned i = 0; i < CHARGE_COUNT; i++) {
        const char *name = market_charge_name((enum charge)i);
        if (strlen(name) != len || memcmp(name, text, len) != 0) continue;
        *out = i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

static enum status
parse_kind(const char *text, size_t len, unsigned *out)
{
    for (unsigned i = 0; i < FACT_KIND_COUNT; i++) {
        const char *name = fact_kind_name((enum fact_kind)i);
        if (strlen(name) != len || memcmp(name, text, len) != 0) continue;
        *out = i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

static void
key_of(const struct db_rows *rows, size_t row, size_t column, char out[BOUND_KEY])
{
    size_t len = db_get_len(rows, row, column);
    memcpy(out, db_get_text(rows, row, column), len < BOUND_KEY ? len : BOUND_KEY);
}

static struct currency
currency_of(struct reading *reading, const struct db_rows *rows, size_t row, size_t column)
{
    struct currency currency = {""};
    if (currency_parse(db_get_text(rows, row, column), db_get_len(rows, row, column), &currency) !=
        STATUS_OK) {
        reading->damaged = true;
    }
    return currency;
}

// The place of a row whose idx stands in `column`; NULL: outside its contact's.
static struct fact *
place(struct reading *reading, const struct db_rows *rows, size_t row, size_t column,
      enum fact_kind kind, unsigned position)
{
    int64_t at = db_get_int(rows, row, column) - reading->idx;
    if (at < 0 || at >= reading->places || position > BOUND_SLOTS) {
        reading->damaged = true;
        return NULL;
    }
    struct fact *fact = &reading->out->facts[at];
    if (fact->kind != FACT_NONE && fact->kind != kind) reading->damaged = true;
    if (fact->kind == FACT_NONE) {
        *fact = reading->head;
        fact->kind = (uint8_t)kind;
        fact->position = (uint8_t)position;
    }
    return fact;
}

// --- The contact and its outcomes ----------------------------------------------------------------

#define CONTACT_COLUMNS                                                                  \
    "select contact_id, log, batch, idx, at_us, began_us, shard, customer, touchpoint, " \
    "container, identity, tier, loyalty, condition, consent, achieved, slots, catalog, " \
    "coalesce(market_version, 0), request, key, experiment, flags, records from contact "

static void
read_contact(struct reading *reading, const struct db_rows *rows, struct arena *arena)
{
    struct fact *head = &reading->head;
    reading->log = db_get_int(rows, 0, 1);
    reading->batch = db_get_int(rows, 0, 2);
    reading->idx = db_get_int(rows, 0, 3);
    head->contact = db_get_id(rows, 0, 0);
    head->role = ROLE_TOUCHPOINT;
    head->at = db_get_time(rows, 0, 4);
    head->shard = (uint16_t)db_get_int(rows, 0, 6);
    head->customer = (uint64_t)db_get_int(rows, 0, 7);
    head->party = (uint16_t)db_get_int(rows, 0, 8);
    reading->places = 1 + (unsigned)db_get_int(rows, 0, 16) + (unsigned)db_get_int(rows, 0, 23);
    reading->out->facts = arena_take(arena, reading->places, sizeof *reading->out->facts);
    memset(reading->out->facts, 0, reading->places * sizeof *reading->out->facts);
    struct fact *fact = place(reading, rows, 0, 3, FACT_CONTACT, 0);
    fact->opened.began = db_get_time(rows, 0, 5);
    fact->opened.container = (uint32_t)db_get_int(rows, 0, 9);
    fact->opened.identity = word(reading, rows, 0, 10, parse_identity);
    fact->opened.tier = word(reading, rows, 0, 11, parse_tier);
    fact->opened.loyalty = word(reading, rows, 0, 12, parse_loyalty);
    fact->opened.condition = word(reading, rows, 0, 13, parse_condition);
    fact->opened.consent = (uint8_t)db_get_int(rows, 0, 14);
    fact->opened.achieved = (uint16_t)db_get_int(rows, 0, 15);
    fact->opened.slots = (uint8_t)db_get_int(rows, 0, 16);
    fact->opened.catalog = (uint64_t)db_get_int(rows, 0, 17);
    reading->out->market_version = (uint64_t)db_get_int(rows, 0, 18);
    fact->opened.request = (uint64_t)db_get_int(rows, 0, 19);
    key_of(rows, 0, 20, fact->opened.key);
    fact->opened.experiment = (uint16_t)db_get_int(rows, 0, 21);
    fact->opened.flags = (uint8_t)db_get_int(rows, 0, 22);
    fact->opened.records = (uint8_t)db_get_int(rows, 0, 23);
}

static void
read_placement(struct reading *reading, const struct db_rows *rows, size_t row, struct fact *fact)
{
    fact->placement.slot = (uint32_t)db_get_int(rows, row, 3);
    fact->placement.currency = currency_of(reading, rows, row, 4);
    fact->placement.floor = db_get_money(rows, row, 5);
    fact->placement.message = (uint32_t)db_get_int(rows, row, 6);
    fact->placement.seat = (uint32_t)db_get_int(rows, row, 7);
    fact->placement.bid = (uint64_t)db_get_int(rows, row, 8);
    fact->placement.price = db_get_money(rows, row, 9);
    fact->placement.bid_price = db_get_money(rows, row, 10);
    fact->placement.setter = (uint64_t)db_get_int(rows, row, 11);
    fact->placement.floor_rule = (uint8_t)db_get_int(rows, row, 12);
    fact->placement.expires = db_get_time(rows, row, 13);
    fact->placement.objectives = (uint16_t)db_get_int(rows, row, 14);
    fact->placement.rung = (uint8_t)db_get_int(rows, row, 15);
    fact->placement.eligible = (uint16_t)db_get_int(rows, row, 16);
    fact->placement.charge = word(reading, rows, row, 17, parse_charge);
    fact->placement.kind = (uint8_t)db_get_int(rows, row, 22);
    fact->placement.deal = (uint16_t)db_get_int(rows, row, 23);
    fact->placement.floor_id = (uint32_t)db_get_int(rows, row, 24);
    fact->placement.campaigns[0] = (uint16_t)db_get_int(rows, row, 25);
    fact->placement.campaigns[1] = (uint16_t)db_get_int(rows, row, 26);
    fact->placement.day = (uint16_t)db_get_int(rows, row, 27);
    fact->placement.cell = (uint8_t)db_get_int(rows, row, 28);
    fact->placement.of_host = (uint8_t)db_get_int(rows, row, 29);
}

static void
read_unfilled(struct reading *reading, const struct db_rows *rows, size_t row, struct fact *fact)
{
    fact->unfilled.slot = (uint32_t)db_get_int(rows, row, 3);
    fact->unfilled.currency = currency_of(reading, rows, row, 4);
    fact->unfilled.floor = db_get_money(rows, row, 5);
    fact->unfilled.reason = word(reading, rows, row, 18, parse_reason);
    if (!db_is_null(rows, row, 19)) {
        fact->unfilled.main_reason = word(reading, rows, row, 19, parse_reason);
    }
    fact->unfilled.considered = (uint32_t)db_get_int(rows, row, 20);
    fact->unfilled.best = db_get_money(rows, row, 21);
}

static enum status
read_outcomes(struct reading *reading)
{
    struct id first = reading->head.contact, last = first;
    last.bytes[15] |= 0x0f;
    const struct db_param params[] = {db_id(first), db_id(last)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        reading->db,
        "select idx, position, filled, slot, currency, floor_micros, message, seat, bid, "
        "price_micros, bid_micros, setter, floor_rule, expires_us, objectives, rung, eligible, "
        "charge, reason, main_reason, considered, best_micros, kind, deal, floor_id, campaign, "
        "campaign_parent, day, cell, of_host from outcome "
        "where placement_id >= $1 and placement_id <= $2",
        params, 2, &rows);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < db_count(rows); i++) {
        bool filled = db_get_bool(rows, i, 2);
        struct fact *fact = place(reading, rows, i, 0, filled ? FACT_PLACEMENT : FACT_UNFILLED,
                                  (unsigned)db_get_int(rows, i, 1));
        if (!fact) continue;
        if (filled) read_placement(reading, rows, i, fact);
        else read_unfilled(reading, rows, i, fact);
    }
    db_rows_free(rows);
    return STATUS_OK;
}

// --- The record ----------------------------------------------------------------------------------

// Rows of one of the record's tables: `columns` of the entries of this contact.
static enum status
read_entries(struct reading *reading, const char *sql, struct db_rows **out_rows)
{
    const struct db_param params[] = {db_int4((int32_t)reading->log), db_int8(reading->batch),
                                      db_int4((int32_t)reading->idx),
                                      db_int4((int32_t)(reading->idx + reading->places - 1))};
    return db_query(reading->db, sql, params, 4, out_rows);
}
#define OF_CONTACT " where log = $1 and batch = $2 and idx > $3 and idx <= $4 order by idx"

// The number of an entry in its fact, from `column`.
static unsigned
entry(struct reading *reading, const struct db_rows *rows, size_t row, size_t column, unsigned most)
{
    int64_t number = db_get_int(rows, row, column);
    if (number >= 0 && number < most) return (unsigned)number;
    reading->damaged = true;
    return 0;
}

static enum status
read_candidates(struct reading *reading)
{
    struct db_rows *rows = NULL;
    enum status status = read_entries(
        reading,
        "select idx, position, place, seat, message, bid, price, multiplier, floor_micros, "
        "floor_id, how, priority from candidate" OF_CONTACT ", place",
        &rows);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct fact *fact = place(reading, rows, i, 0, FACT_CANDIDATES,
                                  (unsigned)db_get_int(rows, i, 1));
        if (!fact) continue;
        unsigned k = entry(reading, rows, i, 2, LAND_CANDIDATES);
        fact->candidates.seat[k] = (uint16_t)db_get_int(rows, i, 3);
        fact->candidates.message[k] = (uint32_t)db_get_int(rows, i, 4);
        fact->candidates.bid[k] = (uint64_t)db_get_int(rows, i, 5);
        fact->candidates.price[k] = db_get_int(rows, i, 6);
        fact->candidates.multiplier[k] = (uint64_t)db_get_int(rows, i, 7);
        fact->candidates.floor[k] = db_get_money(rows, i, 8);
        fact->candidates.floor_id[k] = (uint32_t)db_get_int(rows, i, 9);
        fact->candidates.how[k] = (uint8_t)db_get_int(rows, i, 10);
        fact->candidates.priority[k] = (uint8_t)db_get_int(rows, i, 11);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_tallies(struct reading *reading)
{
    struct db_rows *rows = NULL;
    enum status status = read_entries(
        reading,
        "select idx, position, considered, coalesce(u.reason, 0), coalesce(u.count, 0), "
        "coalesce(u.ordinality - 1, 0) from tally left join lateral "
        "unnest(reasons, counts) with ordinality as u (reason, count, ordinality) "
        "on true" OF_CONTACT,
        &rows);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct fact *fact = place(reading, rows, i, 0, FACT_TALLY,
                                  (unsigned)db_get_int(rows, i, 1));
        if (!fact) continue;
        unsigned k = entry(reading, rows, i, 5, LAND_TALLIES);
        fact->tally.considered = (uint32_t)db_get_int(rows, i, 2);
        fact->tally.reason[k] = (uint8_t)db_get_int(rows, i, 3);
        fact->tally.count[k] = (uint16_t)db_get_int(rows, i, 4);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_refusals(struct reading *reading)
{
    struct db_rows *rows = NULL;
    enum status status = read_entries(
        reading,
        "select idx, position, place, seat, bid, met, clause, reason, rule_of "
        "from refusal" OF_CONTACT ", place",
        &rows);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct fact *fact = place(reading, rows, i, 0, FACT_REFUSALS,
                                  (unsigned)db_get_int(rows, i, 1));
        if (!fact) continue;
        unsigned k = entry(reading, rows, i, 2, LAND_REFUSALS);
        fact->refusals.seat[k] = (uint16_t)db_get_int(rows, i, 3);
        fact->refusals.bid[k] = (uint64_t)db_get_int(rows, i, 4);
        fact->refusals.met[k] = db_is_null(rows, i, 5) ? INT64_MIN : db_get_int(rows, i, 5);
        fact->refusals.clause[k] = (uint16_t)db_get_int(rows, i, 6);
        fact->refusals.reason[k] = (uint8_t)db_get_int(rows, i, 7);
        fact->refusals.rule_of[k] = (uint8_t)db_get_int(rows, i, 8);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_callouts(struct reading *reading)
{
    struct db_rows *rows = NULL;
    enum status status = read_entries(
        reading,
        "select idx, place, seat, answer_ms, reason, bids from callout" OF_CONTACT ", place",
        &rows);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct fact *fact = place(reading, rows, i, 0, FACT_CALLOUTS, 0);
        if (!fact) continue;
        unsigned k = entry(reading, rows, i, 1, LAND_CALLOUTS);
        fact->callouts.seat[k] = (uint16_t)db_get_int(rows, i, 2);
        fact->callouts.answer_ms[k] = db_is_null(rows, i, 3) ? UINT16_MAX
                                                             : (uint16_t)db_get_int(rows, i, 3);
        fact->callouts.reason[k] = (uint8_t)db_get_int(rows, i, 4);
        fact->callouts.bids[k] = (uint8_t)db_get_int(rows, i, 5);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_limits(struct reading *reading)
{
    struct db_rows *rows = NULL;
    enum status status = read_entries(
        reading,
        "select idx, position, paid_max, quota_count, flags, u.ordinality - 1, u.category, "
        "u.of_group, u.size, u.mark from slot_limits cross join lateral "
        "unnest(categories, groups, group_sizes, marks) with ordinality "
        "as u (category, of_group, size, mark, ordinality)" OF_CONTACT,
        &rows);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct fact *fact = place(reading, rows, i, 0, FACT_LIMITS,
                                  (unsigned)db_get_int(rows, i, 1));
        if (!fact) continue;
        unsigned k = entry(reading, rows, i, 5, LAND_LIMITS);
        fact->limits.paid_max = (uint8_t)db_get_int(rows, i, 2);
        fact->limits.quota_count = (uint8_t)db_get_int(rows, i, 3);
        fact->limits.flags = (uint8_t)db_get_int(rows, i, 4);
        fact->limits.category[k] = (uint8_t)db_get_int(rows, i, 6);
        fact->limits.group[k] = (uint8_t)db_get_int(rows, i, 7);
        fact->limits.group_size[k] = (uint8_t)db_get_int(rows, i, 8);
        fact->limits.is[k] = (uint8_t)db_get_int(rows, i, 9);
    }
    db_rows_free(rows);
    return status;
}

// --- What became of it ---------------------------------------------------------------------------

static void
read_event(struct reading *reading, const struct db_rows *rows, size_t row, struct fact *fact)
{
    *fact = reading->head;
    fact->kind = word(reading, rows, row, 0, parse_kind);
    fact->position = (uint8_t)(db_get_id(rows, row, 1).bytes[15] & 0x0f);
    fact->at = db_get_time(rows, row, 2);
    fact->role = word(reading, rows, row, 3, parse_role);
    fact->party = (uint16_t)db_get_int(rows, row, 4);
    if (fact->kind == FACT_CONVERTED || fact->kind == FACT_REFUNDED) {
        fact->revenue.seat = (uint32_t)db_get_int(rows, row, 6);
        fact->revenue.message = (uint32_t)db_get_int(rows, row, 7);
        fact->revenue.currency = currency_of(reading, rows, row, 10);
        fact->revenue.effective = db_get_time(rows, row, 5);
        fact->revenue.amount = db_get_money(rows, row, 8);
        fact->revenue.order = db_get_id(rows, row, 11);
        fact->revenue.of_host = (uint8_t)db_get_int(rows, row, 16);
        fact->revenue.due = (uint8_t)db_get_int(rows, row, 17);
        key_of(rows, row, 9, fact->revenue.key);
        return;
    }
    fact->event.seat = (uint32_t)db_get_int(rows, row, 6);
    fact->event.message = (uint32_t)db_get_int(rows, row, 7);
    fact->event.slot = (uint32_t)db_get_int(rows, row, 12);
    fact->event.effective = db_get_time(rows, row, 5);
    fact->event.price = db_get_money(rows, row, 8);
    key_of(rows, row, 9, fact->event.key);
}

// Behind what round_decide wrote, in the order of the journal.
static enum status
read_events(struct reading *reading, struct arena *arena)
{
    struct id first = reading->head.contact, last = first;
    last.bytes[15] |= 0x0f;
    const struct db_param params[] = {db_id(first), db_id(last)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        reading->db,
        "select kind, placement_id, at_us, role, party, effective_us, seat, message, price_micros, "
        "key, '', '00000000-0000-0000-0000-000000000000'::uuid, slot, log, batch, idx, "
        "0::smallint, 0::smallint "
        "from event "
        "where placement_id >= $1 and placement_id <= $2 "
        "union all select kind, placement_id, at_us, role, party, effective_us, seat, message, "
        "amount_micros, key, currency, order_id, 0, log, batch, idx, of_host, due "
        "from revenue "
        "where placement_id >= $1 and placement_id <= $2 order by 14, 15, 16",
        params, 2, &rows);
    if (status != STATUS_OK) return status;
    struct record *out = reading->out;
    struct fact *facts = arena_take(arena, out->decided + db_count(rows), sizeof *facts);
    memcpy(facts, out->facts, out->decided * sizeof *facts);
    for (size_t i = 0; i < db_count(rows); i++) {
        read_event(reading, rows, i, &facts[out->decided + i]);
    }
    out->facts = facts;
    out->count = out->decided + (unsigned)db_count(rows);
    db_rows_free(rows);
    return STATUS_OK;
}

static enum status
read_all(struct db *db, const struct db_rows *found, struct arena *arena, struct record *out)
{
    struct reading reading = {.db = db, .out = out};
    read_contact(&reading, found, arena);
    enum status status = read_outcomes(&reading);
    if (status == STATUS_OK) status = read_candidates(&reading);
    if (status == STATUS_OK) status = read_tallies(&reading);
    if (status == STATUS_OK) status = read_refusals(&reading);
    if (status == STATUS_OK) status = read_callouts(&reading);
    if (status == STATUS_OK) status = read_limits(&reading);
    if (status != STATUS_OK) return status;
    for (unsigned i = 0; i < reading.places; i++) {
        if (out->facts[i].kind != FACT_NONE) out->facts[out->decided++] = out->facts[i];
    }
    status = read_events(&reading, arena);
    return status == STATUS_OK && reading.damaged ? STATUS_DAMAGED : status;
}

enum status
record_by_id(struct db *db, struct id contact, struct arena *arena, struct record *out_record)
{
    const struct db_param params[] = {db_id(fact_contact_of(contact))};
    struct db_rows *rows = NULL;
    memset(out_record, 0, sizeof *out_record);
    enum status status = db_query(db, CONTACT_COLUMNS "where contact_id = $1", params, 1, &rows);
    if (status != STATUS_OK) return status;
    status = db_count(rows) ? read_all(db, rows, arena, out_record) : STATUS_NOT_FOUND;
    db_rows_free(rows);
    return status;
}

enum status
record_by_key(struct db *db, uint32_t touchpoint, const char *key, struct arena *arena,
              struct record *out_record)
{
    const struct db_param params[] = {db_text(key), db_int4((int32_t)touchpoint)};
    struct db_rows *rows = NULL;
    memset(out_record, 0, sizeof *out_record);
    enum status status = db_query(db,
                                  CONTACT_COLUMNS "where key = $1 and ($2 = 0 or touchpoint = $2) "
                                                  "order by at_us desc, contact_id limit 1",
                                  params, 2, &rows);
    if (status != STATUS_OK) return status;
    status = db_count(rows) ? read_all(db, rows, arena, out_record) : STATUS_NOT_FOUND;
    db_rows_free(rows);
    return status;
}
