// Facts as rows. One COPY a table, in journal order; a table without rows in this batch is not
// touched. Absent values (no customer, no setter, no best bid) are SQL nulls, so that reports need
// no magic numbers. A fact of a record is a row for each of its entries, a tally one row; entries
// that are empty have none.
#include "land.h"

#include <string.h>

#include "fail.h"

void
land_fill(struct land_row *row, const struct posting *posting, const struct replay_said *said)
{
    row->state = posting->state;
    row->effective = posting->effective;
    row->pool = posting->pool;
    row->contract = posting->contract;
    row->owner = said->win ? said->win->owner : 0;
    row->market_version = said->market_version;
    row->slot = said->slot;
    row->has_order = said->order != NULL;
    row->customer = said->order ? said->order->customer : 0;
    row->merchant = said->order ? said->order->merchant : 0;
    row->base = said->based ? said->order->base.micros : -1;
    row->model = said->touches ? (int64_t)said->order->model : -1;
    row->divisions = said->divisions;
    row->division_count = said->division_count;
}

size_t
land_parts(const struct land_row *row)
{
    size_t count = 0;
    for (unsigned i = 0; i < row->division_count; i++) count += row->divisions[i].part_count;
    return count;
}

static void
put_text(struct db *db, const char *text)
{
    db_copy_text(db, text, strlen(text));
}

static void
put_key(struct db *db, const char key[BOUND_KEY])
{
    db_copy_text(db, key, strnlen(key, BOUND_KEY));
}

static void
put_int8_or_null(struct db *db, uint64_t value)
{
    if (value == 0) db_copy_null(db);
    else db_copy_int8(db, (int64_t)value);
}

static void
put_int4_or_null(struct db *db, uint32_t value)
{
    if (value == 0) db_copy_null(db);
    else db_copy_int4(db, (int32_t)value);
}

static void
put_source(struct db *db, const struct land_row *row)
{
    db_copy_int4(db, (int32_t)row->source.log);
    db_copy_int8(db, (int64_t)row->source.batch);
    db_copy_int4(db, (int32_t)row->source.index);
}

static void
put_contact(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    db_copy_row(db, 25);
    db_copy_id(db, fact->contact);
    put_source(db, row);
    db_copy_int8(db, fact->at.us);
    db_copy_int8(db, fact->opened.began.us);
    put_text(db, row->period);
    db_copy_int2(db, (int16_t)fact->shard);
    put_int8_or_null(db, fact->customer);
    db_copy_int4(db, fact->party);
    db_copy_int4(db, (int32_t)fact->opened.container);
    put_text(db, LAND_WORD(fact->opened.identity, IDENTITY_COUNT, identity_name, enum identity));
    put_text(db, LAND_WORD(fact->opened.tier, TIER_COUNT, tier_name, enum tier));
    put_text(db, LAND_WORD(fact->opened.loyalty, LOYALTY_COUNT, loyalty_name, enum loyalty));
    put_text(db,
             LAND_WORD(fact->opened.condition, CONDITION_COUNT, condition_name, enum condition));
    db_copy_int2(db, fact->opened.consent);
    db_copy_int4(db, fact->opened.achieved);
    db_copy_int2(db, fact->opened.slots);
    db_copy_int8(db, (int64_t)fact->opened.catalog);
    put_int8_or_null(db, row->market_version);
    db_copy_int8(db, (int64_t)fact->opened.request);
    put_key(db, fact->opened.key);
    db_copy_int4(db, fact->opened.experiment);
    db_copy_int2(db, fact->opened.flags);
    db_copy_int2(db, fact->opened.records);
}

static void
put_outcome_head(struct db *db, const struct land_row *row, uint32_t slot, struct currency currency,
                 money floor)
{
    const struct fact *fact = row->fact;
    db_copy_row(db, 39);
    db_copy_id(db, fact_placement(fact));
    db_copy_id(db, fact->contact);
    db_copy_int2(db, fact->position);
    put_source(db, row);
    db_copy_int8(db, fact->at.us);
    put_text(db, row->period);
    db_copy_bool(db, fact->kind == FACT_PLACEMENT);
    db_copy_int4(db, (int32_t)slot);
    put_text(db, currency.code);
    db_copy_int8(db, floor.micros);
    put_int8_or_null(db, row->market_version);
}

static void
put_placement(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_outcome_head(db, row, fact->placement.slot, fact->placement.currency,
                     fact->placement.floor);
    db_copy_int4(db, (int32_t)fact->placement.message);
    db_copy_int4(db, (int32_t)fact->placement.seat);
    put_int4_or_null(db, row->owner);
    put_int4_or_null(db, row->contract);
    db_copy_int8(db, (int64_t)fact->placement.bid);
    db_copy_int8(db, fact->placement.price.micros);
    db_copy_int8(db, fact->placement.bid_price.micros);
    put_int8_or_null(db, fact->placement.setter);
    db_copy_int2(db, fact->placement.floor_rule);
    db_copy_int8(db, fact->placement.expires.us);
    db_copy_int4(db, fact->placement.objectives);
    db_copy_int2(db, fact->placement.rung);
    db_copy_int4(db, fact->placement.eligible);
    put_text(db, LAND_WORD(fact->placement.charge, CHARGE_COUNT, market_charge_name, enum charge));
    for (unsigned i = 0; i < 4; i++) db_copy_null(db);
    db_copy_int2(db, fact->placement.kind);
    db_copy_int4(db, fact->placement.deal);
    db_copy_int4(db, (int32_t)fact->placement.floor_id);
    db_copy_int4(db, fact->placement.campaigns[0]);
    db_copy_int4(db, fact->placement.campaigns[1]);
    db_copy_int4(db, fact->placement.day);
    db_copy_int2(db, fact->placement.cell);
    db_copy_int2(db, fact->placement.of_host);
}

static void
put_unfilled(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_outcome_head(db, row, fact->unfilled.slot, fact->unfilled.currency, fact->unfilled.floor);
    for (unsigned i = 0; i < 14; i++) db_copy_null(db);
    put_text(db, LAND_WORD(fact->unfilled.reason, REASON_COUNT, reason_key, enum reason));
    if (fact->unfilled.main_reason == REASON_NONE) db_copy_null(db);
    else put_text(db, LAND_WORD(fact->unfilled.main_reason, REASON_COUNT, reason_key, enum reason));
    db_copy_int4(db, (int32_t)fact->unfilled.considered);
    put_int8_or_null(db, (uint64_t)fact->unfilled.best.micros);
    db_copy_int2(db, 0);
    for (unsigned i = 0; i < 5; i++) db_copy_int4(db, 0);
    for (unsigned i = 0; i < 2; i++) db_copy_int2(db, 0);
}

static void
put_outcome(struct db *db, const struct land_row *row)
{
    if (row->fact->kind == FACT_PLACEMENT) put_placement(db, row);
    else put_unfilled(db, row);
}

static void
put_event(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    db_copy_row(db, 18);
    put_source(db, row);
    put_text(db, fact_kind_name((enum fact_kind)fact->kind));
    put_text(db, posting_state_name(row->state));
    db_copy_id(db, fact_placement(fact));
    db_copy_id(db, fact->contact);
    db_copy_int2(db, fact->position);
    db_copy_int8(db, fact->at.us);
    db_copy_int8(db, row->effective.us);
    put_text(db, row->period);
    db_copy_int4(db, (int32_t)fact->event.slot);
    db_copy_int4(db, (int32_t)fact->event.message);
    db_copy_int4(db, (int32_t)fact->event.seat);
    db_copy_int8(db, fact->event.price.micros);
    put_text(db, LAND_WORD(fact->role, ROLE_COUNT, role_name, enum role));
    db_copy_int4(db, fact->party);
    put_key(db, fact->event.key);
}

static void
put_revenue(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    db_copy_row(db, 26);
    put_source(db, row);
    put_text(db, fact_kind_name((enum fact_kind)fact->kind));
    put_text(db, posting_state_name(row->state));
    db_copy_id(db, fact->revenue.order);
    db_copy_id(db, fact_placement(fact));
    db_copy_id(db, fact->contact);
    db_copy_int4(db, (int32_t)fact->revenue.seat);
    db_copy_int4(db, (int32_t)fact->revenue.message);
    put_text(db, fact->revenue.currency.code);
    db_copy_int8(db, fact->revenue.amount.micros);
    db_copy_int8(db, row->pool.micros);
    put_int4_or_null(db, row->contract);
    db_copy_int8(db, fact->at.us);
    db_copy_int8(db, row->effective.us);
    put_text(db, row->period);
    put_text(db, LAND_WORD(fact->role, ROLE_COUNT, role_name, enum role));
    db_copy_int4(db, fact->party);
    put_key(db, fact->revenue.key);
    put_int8_or_null(db, row->customer);
    if (row->has_order) db_copy_int4(db, (int32_t)row->merchant);
    else db_copy_null(db);
    if (row->base < 0) db_copy_null(db);
    else db_copy_int8(db, row->base);
    if (row->model < 0) db_copy_null(db);
    else db_copy_int4(db, (int32_t)row->model);
    db_copy_int2(db, fact->revenue.of_host);
    db_copy_int2(db, fact->revenue.due);
}

const char *
land_bid_state(unsigned state)
{
    static const char *const names[] = {"active", "paused", "withdrawn"};
    return state < sizeof names / sizeof *names ? names[state] : "?";
}

static void
put_bid(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    db_copy_row(db, 15);
    put_source(db, row);
    db_copy_int8(db, fact->at.us);
    db_copy_int8(db, (int64_t)fact->bid.bid);
    db_copy_int4(db, fact->bid.seat);
    db_copy_int4(db, (int32_t)fact->bid.message);
    db_copy_int4(db, (int32_t)fact->bid.slot);
    put_text(db, land_bid_state(fact->bid.state));
    put_text(db, fact->bid.currency.code);
    db_copy_int8(db, fact->bid.price.micros);
    db_copy_int8(db, fact->bid.from.us);
    db_copy_int8(db, fact->bid.until.us);
    put_key(db, fact->bid.key);
    db_copy_int2(db, fact->bid.kind);
}

// --- Records: one row an entry -------------------------------------------------------------------

static void
put_place(struct db *db, const struct land_row *row, unsigned columns, unsigned place)
{
    db_copy_row(db, columns);
    put_source(db, row);
    db_copy_int2(db, (int16_t)place);
}

static void
put_round(struct db *db, const struct land_row *row)
{
    db_copy_int2(db, row->fact->position);
    db_copy_int8(db, row->fact->at.us);
    db_copy_int4(db, (int32_t)row->slot);
}

static void
put_candidates(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    for (unsigned i = 0; i < LAND_CANDIDATES; i++) {
        if (fact->candidates.bid[i] == 0) continue;
        put_place(db, row, 16, i);
        put_round(db, row);
        db_copy_int4(db, fact->candidates.seat[i]);
        db_copy_int4(db, (int32_t)fact->candidates.message[i]);
        db_copy_int8(db, (int64_t)fact->candidates.bid[i]);
        db_copy_int8(db, fact->candidates.price[i]);
        db_copy_int8(db, (int64_t)fact->candidates.multiplier[i]);
        db_copy_int8(db, fact->candidates.floor[i].micros);
        db_copy_int4(db, (int32_t)fact->candidates.floor_id[i]);
        db_copy_int2(db, fact->candidates.how[i]);
        db_copy_int2(db, fact->candidates.priority[i]);
    }
}

static void
put_tally(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    int32_t reasons[LAND_TALLIES], counts[LAND_TALLIES];
    size_t count = 0;
    for (unsigned i = 0; i < LAND_TALLIES; i++) {
        if (fact->tally.reason[i] == 0) continue;
        reasons[count] = fact->tally.reason[i];
        counts[count++] = fact->tally.count[i];
    }
    db_copy_row(db, 9);
    put_source(db, row);
    put_round(db, row);
    db_copy_int8(db, fact->tally.considered);
    db_copy_int4_array(db, reasons, count);
    db_copy_int4_array(db, counts, count);
}

static void
put_refusals(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    for (unsigned i = 0; i < LAND_REFUSALS; i++) {
        if (fact->refusals.bid[i] == 0) continue;
        put_place(db, row, 13, i);
        put_round(db, row);
        db_copy_int4(db, fact->refusals.seat[i]);
        db_copy_int8(db, (int64_t)fact->refusals.bid[i]);
        if (fact->refusals.met[i] == INT64_MIN) db_copy_null(db);
        else db_copy_int8(db, fact->refusals.met[i]);
        db_copy_int4(db, fact->refusals.clause[i]);
        db_copy_int2(db, fact->refusals.reason[i]);
        db_copy_int2(db, fact->refusals.rule_of[i]);
    }
}

static void
put_callouts(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    for (unsigned i = 0; i < LAND_CALLOUTS; i++) {
        if (fact->callouts.seat[i] == 0) continue;
        put_place(db, row, 9, i);
        db_copy_int8(db, fact->at.us);
        db_copy_int4(db, fact->callouts.seat[i]);
        if (fact->callouts.answer_ms[i] == UINT16_MAX) db_copy_null(db);
        else db_copy_int4(db, fact->callouts.answer_ms[i]);
        db_copy_int2(db, fact->callouts.reason[i]);
        db_copy_int2(db, fact->callouts.bids[i]);
    }
}

static void
put_bytes(struct db *db, const uint8_t bytes[LAND_LIMITS])
{
    int32_t items[LAND_LIMITS];
    for (unsigned i = 0; i < LAND_LIMITS; i++) items[i] = bytes[i];
    db_copy_int4_array(db, items, LAND_LIMITS);
}

static void
put_limits(struct db *db, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    db_copy_row(db, 13);
    put_source(db, row);
    put_round(db, row);
    db_copy_int2(db, fact->limits.paid_max);
    db_copy_int2(db, fact->limits.quota_count);
    db_copy_int2(db, fact->limits.flags);
    put_bytes(db, fact->limits.category);
    put_bytes(db, fact->limits.group);
    put_bytes(db, fact->limits.group_size);
    put_bytes(db, fact->limits.is);
}

unsigned
land_entries(const struct fact *fact)
{
    unsigned count = 0;
    switch ((enum fact_kind)fact->kind) {
    case FACT_CANDIDATES:
        for (unsigned i = 0; i < LAND_CANDIDATES; i++) count += fact->candidates.bid[i] != 0;
        return count;
    case FACT_REFUSALS:
        for (unsigned i = 0; i < LAND_REFUSALS; i++) count += fact->refusals.bid[i] != 0;
        return count;
    case FACT_CALLOUTS:
        for (unsigned i = 0; i < LAND_CALLOUTS; i++) count += fact->callouts.seat[i] != 0;
        return count;
    case FACT_NONE:
    case FACT_CONTACT:
    case FACT_PLACEMENT:
    case FACT_UNFILLED:
    case FACT_DELIVERED:
    case FACT_ACCEPTED:
    case FACT_DECLINED:
    case FACT_CANCELLED:
    case FACT_EXPIRED:
    case FACT_CONVERTED:
    case FACT_REFUNDED:
    case FACT_BID:
    case FACT_LAPSED:
    case FACT_COMPLAINED:
    case FACT_TALLY:
    case FACT_LIMITS:
    case FACT_KIND_COUNT: break;
    }
    return 1;
}

enum table {
    TABLE_NONE,
    TABLE_CONTACT,
    TABLE_OUTCOME,
    TABLE_EVENT,
    TABLE_REVENUE,
    TABLE_BID,
    TABLE_CANDIDATE,
    TABLE_TALLY,
    TABLE_REFUSAL,
    TABLE_CALLOUT,
    TABLE_LIMITS,
    TABLES
};

static enum table
table_of(enum fact_kind kind)
{
    switch (kind) {
    case FACT_CONTACT: return TABLE_CONTACT;
    case FACT_PLACEMENT:
    case FACT_UNFILLED: return TABLE_OUTCOME;
    case FACT_DELIVERED:
    case FACT_ACCEPTED:
    case FACT_DECLINED:
    case FACT_CANCELLED:
    case FACT_EXPIRED:
    case FACT_LAPSED:
    case FACT_COMPLAINED: return TABLE_EVENT;
    case FACT_CONVERTED:
    case FACT_REFUNDED: return TABLE_REVENUE;
    case FACT_BID: return TABLE_BID;
    case FACT_CANDIDATES: return TABLE_CANDIDATE;
    case FACT_TALLY: return TABLE_TALLY;
    case FACT_REFUSALS: return TABLE_REFUSAL;
    case FACT_CALLOUTS: return TABLE_CALLOUT;
    case FACT_LIMITS: return TABLE_LIMITS;
    case FACT_NONE:
    case FACT_KIND_COUNT: break;
    }
    return TABLE_NONE;
}

static const struct landing {
    const char *columns;
    void (*put)(struct db *db, const struct land_row *row);
} landings[TABLES] = {
    [TABLE_CONTACT] =
        {"contact (contact_id, log, batch, idx, at_us, began_us, period, shard, customer, "
         "touchpoint, container, identity, tier, loyalty, condition, consent, achieved, "
         "slots, catalog, market_version, request, key, experiment, flags, records)",
         put_contact},
    [TABLE_OUTCOME] =
        {"outcome (placement_id, contact_id, position, log, batch, idx, at_us, period, "
         "filled, slot, currency, floor_micros, market_version, message, seat, owner, "
         "contract, bid, price_micros, bid_micros, setter, floor_rule, expires_us, "
         "objectives, rung, eligible, charge, reason, main_reason, considered, "
         "best_micros, kind, deal, floor_id, campaign, campaign_parent, day, cell, of_host)",
         put_outcome},
    [TABLE_EVENT] =
        {"event (log, batch, idx, kind, state, placement_id, contact_id, position, at_us, "
         "effective_us, period, slot, message, seat, price_micros, role, party, key)",
         put_event},
    [TABLE_REVENUE] =
        {"revenue (log, batch, idx, kind, state, order_id, placement_id, contact_id, seat, "
         "message, currency, amount_micros, pool_micros, contract, at_us, effective_us, "
         "period, role, party, key, customer, merchant, base_micros, model, "
         "of_host, due)",
         put_revenue},
    [TABLE_BID] = {"bid_change (log, batch, idx, at_us, bid, seat, message, slot, state, currency, "
                   "price_micros, from_us, until_us, key, kind)",
                   put_bid},
    [TABLE_CANDIDATE] =
        {"candidate (log, batch, idx, place, position, at_us, slot, seat, message, bid, price, "
         "multiplier, floor_micros, floor_id, how, priority)",
         put_candidates},
    [TABLE_TALLY] = {"tally (log, batch, idx, position, at_us, slot, considered, reasons, counts)",
                     put_tally},
    [TABLE_REFUSAL] = {"refusal (log, batch, idx, place, position, at_us, slot, seat, bid, met, "
                       "clause, reason, rule_of)",
                       put_refusals},
    [TABLE_CALLOUT] = {"callout (log, batch, idx, place, at_us, seat, answer_ms, reason, bids)",
                       put_callouts},
    [TABLE_LIMITS] = {"slot_limits (log, batch, idx, position, at_us, slot, paid_max, quota_count, "
                      "flags, categories, groups, group_sizes, marks)",
                      put_limits},
};

static void
put_division(struct db *db, const struct land_row *row, const struct replay_division *division)
{
    for (unsigned i = 0; i < division->part_count; i++) {
        const struct contract_part *part = &division->parts[i];
        db_copy_row(db, 11);
        db_copy_id(db, division->order);
        put_source(db, row);
        db_copy_int2(db, (int16_t)i);
        db_copy_int2(db, part->kind);
        db_copy_int2(db, part->rung);
        db_copy_int4(db, (int32_t)part->seat);
        db_copy_int8(db, (int64_t)part->weight);
        db_copy_int4(db, (int32_t)division->model);
        db_copy_int8(db, division->pool.micros);
    }
}

// How orders are divided.
static enum status
land_credit(struct db *db, const struct land_row *rows, size_t count)
{
    size_t parts = 0;
    for (size_t i = 0; i < count; i++) parts += land_parts(&rows[i]);
    if (parts == 0) return STATUS_OK;
    enum status status = db_copy_begin(
        db, "credit (order_id, log, batch, idx, part, kind, rung, seat, weight, model, "
            "pool_micros)");
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < rows[i].division_count; k++) {
            put_division(db, &rows[i], &rows[i].divisions[k]);
        }
    }
    return db_copy_end(db, NULL);
}

enum status
land_rows(struct db *db, const struct land_row *rows, size_t count)
{
    size_t used[TABLES] = {0}, lines[TABLES] = {0};
    for (size_t i = 0; i < count; i++) {
        enum table table = table_of((enum fact_kind)rows[i].fact->kind);
        used[table]++;
        lines[table] += land_entries(rows[i].fact);
    }
    CHECK(used[TABLE_NONE] == 0);  // replay has refused unknown kinds
    for (unsigned table = TABLE_CONTACT; table < TABLES; table++) {
        if (used[table] == 0) continue;
        enum status status = db_copy_begin(db, landings[table].columns);
        if (status != STATUS_OK) return status;
        for (size_t i = 0; i < count; i++) {
            if (table_of((enum fact_kind)rows[i].fact->kind) == table) {
                landings[table].put(db, &rows[i]);
            }
        }
        uint64_t landed = 0;
        status = db_copy_end(db, &landed);
        if (status != STATUS_OK) return status;
        CHECK(landed == lines[table]);
    }
    return land_credit(db, rows, count);
}
