// Rows as lines. Every column of a landed fact and of a transfer stands in its line, in the table's
// order, with '|' between and nothing for null, so that a change of any of them is seen. Both sides
// are below each other: the SQL that reads a row back, and the C that says what must be there.
//
//  1 Text from outside may hold '|' itself: lines stay comparable, since both sides write the same
//    text.
//  2 Text that is not UTF-8 was landed in hex (db.c), and is written so here, too.
#include "verify_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "param.h"

const char verify_line_facts[] =
    "select batch, idx, line, base from (select batch, idx, concat_ws('|', 'contact', "
    "replace(coalesce(contact_id::text, ''), '-', ''), at_us, began_us, period, shard, "
    "coalesce(customer::text, ''), touchpoint, container, identity, tier, loyalty, condition, "
    "consent, achieved, slots, catalog, coalesce(market_version::text, ''), request, key, "
    "experiment, flags, records) as line, null::bigint as base from contact where log = $1 "
    "union all select batch, idx, concat_ws('|', case when filled then 'placement' else "
    "'unfilled' end, replace(coalesce(placement_id::text, ''), '-', ''), "
    "replace(coalesce(contact_id::text, ''), '-', ''), position, at_us, period, slot, "
    "currency, floor_micros, coalesce(market_version::text, ''), coalesce(message::text, ''), "
    "coalesce(seat::text, ''), coalesce(owner::text, ''), coalesce(contract::text, ''), "
    "coalesce(bid::text, ''), coalesce(price_micros::text, ''), coalesce(bid_micros::text, "
    "''), coalesce(setter::text, ''), coalesce(floor_rule::text, ''), "
    "coalesce(expires_us::text, ''), coalesce(objectives::text, ''), coalesce(rung::text, "
    "''), coalesce(eligible::text, ''), coalesce(charge::text, ''), coalesce(reason::text, "
    "''), coalesce(main_reason::text, ''), coalesce(considered::text, ''), "
    "coalesce(best_micros::text, ''), kind, deal, floor_id, campaign, campaign_parent, day, cell, "
    "of_host), null "
    "from outcome where log = $1 "
    "union all select batch, idx, concat_ws('|', kind, state, "
    "replace(coalesce(placement_id::text, ''), '-', ''), replace(coalesce(contact_id::text, "
    "''), '-', ''), position, at_us, effective_us, period, slot, message, seat, price_micros, "
    "role, party, key), null from event where log = $1 "
    "union all select batch, idx, concat_ws('|', kind, state, "
    "replace(coalesce(order_id::text, ''), '-', ''), replace(coalesce(placement_id::text, "
    "''), '-', ''), replace(coalesce(contact_id::text, ''), '-', ''), seat, message, "
    "currency, amount_micros, pool_micros, coalesce(contract::text, ''), at_us, effective_us, "
    "period, role, party, key, coalesce(customer::text, ''), coalesce(merchant::text, ''), "
    "coalesce(base_micros::text, ''), coalesce(model::text, ''), of_host, due), base_micros "
    "from revenue where log = $1 "
    "union all select batch, idx, concat_ws('|', 'bid', at_us, bid, seat, message, slot, "
    "state, currency, price_micros, from_us, until_us, key, kind), null "
    "from bid_change where log = $1 "
    "union all select batch, idx, 'candidates|' || string_agg(concat_ws('|', place, position, "
    "at_us, slot, seat, message, bid, price, multiplier, floor_micros, floor_id, how, priority), "
    "'|' order by place), null from candidate where log = $1 group by batch, idx "
    "union all select batch, idx, concat_ws('|', 'tally', position, at_us, slot, considered, "
    "array_to_string(reasons, ','), array_to_string(counts, ',')), null from tally where log = $1 "
    "union all select batch, idx, 'refusals|' || string_agg(concat_ws('|', place, position, at_us, "
    "slot, seat, bid, coalesce(met::text, ''), clause, reason, rule_of), '|' order by place), null "
    "from refusal where log = $1 group by batch, idx "
    "union all select batch, idx, 'callouts|' || string_agg(concat_ws('|', place, at_us, seat, "
    "coalesce(answer_ms::text, ''), reason, bids), '|' order by place), null "
    "from callout where log = $1 group by batch, idx "
    "union all select batch, idx, concat_ws('|', 'limits', position, at_us, slot, paid_max, "
    "quota_count, flags, array_to_string(categories, ','), array_to_string(groups, ','), "
    "array_to_string(group_sizes, ','), array_to_string(marks, ',')), null "
    "from slot_limits where log = $1) "
    "as landed order by batch, idx";

const char verify_line_transfers[] =
    "select batch, idx, leg, concat_ws('|', replace(coalesce(transfer_id::text, ''), '-', "
    "''), replace(coalesce(group_id::text, ''), '-', ''), kind, state, "
    "replace(coalesce(pending_id::text, ''), '-', ''), currency, debit, credit, "
    "amount_micros, effective_us, posted_us, period, late::int, coalesce(seat::text, ''), "
    "coalesce(contract::text, ''), coalesce(slot::text, ''), coalesce(message::text, ''), "
    "replace(coalesce(placement_id::text, ''), '-', ''), coalesce(objectives::text, ''), "
    "coalesce(rung::text, ''), coalesce(reason::text, ''), coalesce(reference::text, ''), "
    "replace(coalesce(origin_id::text, ''), '-', ''), coalesce(model::text, '')), "
    "amount_micros from transfer_kept where log = $1 order by batch, idx, leg";

const char verify_line_credits[] =
    "select batch, idx, string_agg(concat_ws('|', replace(order_id::text, '-', ''), part, kind, "
    "rung, seat, weight, model, pool_micros), '|' order by order_id, part) "
    "from credit where log = $1 group by batch, idx order by batch, idx";

// --- The same in C -----------------------------------------------------------------------------

struct line {
    char *out;
    size_t used;
};

static void
put(struct line *line, const char *text, size_t len)
{
    CHECK(line->used + len + 2 < VERIFY_LINE);
    if (line->used) line->out[line->used++] = '|';
    memcpy(line->out + line->used, text, len);
    line->used += len;
    line->out[line->used] = 0;
}

static void
put_word(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void
put_number(struct line *line, int64_t number)
{
    char text[24];
    put(line, text, (size_t)snprintf(text, sizeof text, "%" PRId64, number));
}

static void
put_number_or_none(struct line *line, uint64_t number)
{
    if (number == 0) put(line, "", 0);
    else put_number(line, (int64_t)number);
}

static void
put_id(struct line *line, struct id id)
{
    char text[ID_TEXT];
    id_format(id, text);
    put_word(line, text);
}

static void
put_id_or_none(struct line *line, struct id id)
{
    static const struct id none;
    if (id_same(id, none)) put(line, "", 0);
    else put_id(line, id);
}

static void
put_key(struct line *line, const char *key, size_t room)
{
    char hex[2 * BOUND_KEY + 3] = "\\x";
    size_t len = strnlen(key, room);
    CHECK(len <= BOUND_KEY);
    if (param_is_utf8(key, len)) {
        put(line, key, len);
        return;
    }
    for (size_t i = 0; i < len; i++) snprintf(hex + 2 + 2 * i, 3, "%02x", (uint8_t)key[i]);
    put_word(line, hex);
}

static void
line_contact(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_word(line, "contact");
    put_id(line, fact->contact);
    put_number(line, fact->at.us);
    put_number(line, fact->opened.began.us);
    put_word(line, row->period);
    put_number(line, fact->shard);
    put_number_or_none(line, fact->customer);
    put_number(line, fact->party);
    put_number(line, fact->opened.container);
    put_word(line, LAND_WORD(fact->opened.identity, IDENTITY_COUNT, identity_name, enum identity));
    put_word(line, LAND_WORD(fact->opened.tier, TIER_COUNT, tier_name, enum tier));
    put_word(line, LAND_WORD(fact->opened.loyalty, LOYALTY_COUNT, loyalty_name, enum loyalty));
    put_word(line,
             LAND_WORD(fact->opened.condition, CONDITION_COUNT, condition_name, enum condition));
    put_number(line, fact->opened.consent);
    put_number(line, fact->opened.achieved);
    put_number(line, fact->opened.slots);
    put_number(line, (int64_t)fact->opened.catalog);
    put_number_or_none(line, row->market_version);
    put_number(line, (int64_t)fact->opened.request);
    put_key(line, fact->opened.key, BOUND_KEY);
    put_number(line, fact->opened.experiment);
    put_number(line, fact->opened.flags);
    put_number(line, fact->opened.records);
}

static void
line_outcome_head(struct line *line, const struct land_row *row, uint32_t slot,
                  struct currency currency, money floor)
{
    const struct fact *fact = row->fact;
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    put_id(line, fact_placement(fact));
    put_id(line, fact->contact);
    put_number(line, fact->position);
    put_number(line, fact->at.us);
    put_word(line, row->period);
    put_number(line, slot);
    put_word(line, currency.code);
    put_number(line, floor.micros);
    put_number_or_none(line, row->market_version);
}

static void
line_placement(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    line_outcome_head(line, row, fact->placement.slot, fact->placement.currency,
                      fact->placement.floor);
    put_number(line, fact->placement.message);
    put_number(line, fact->placement.seat);
    put_number_or_none(line, row->owner);
    put_number_or_none(line, row->contract);
    put_number(line, (int64_t)fact->placement.bid);
    put_number(line, fact->placement.price.micros);
    put_number(line, fact->placement.bid_price.micros);
    put_number_or_none(line, fact->placement.setter);
    put_number(line, fact->placement.floor_rule);
    put_number(line, fact->placement.expires.us);
    put_number(line, fact->placement.objectives);
    put_number(line, fact->placement.rung);
    put_number(line, fact->placement.eligible);
    put_word(line,
             LAND_WORD(fact->placement.charge, CHARGE_COUNT, market_charge_name, enum charge));
    for (unsigned i = 0; i < 4; i++) put(line, "", 0);
    put_number(line, fact->placement.kind);
    put_number(line, fact->placement.deal);
    put_number(line, fact->placement.floor_id);
    put_number(line, fact->placement.campaigns[0]);
    put_number(line, fact->placement.campaigns[1]);
    put_number(line, fact->placement.day);
    put_number(line, fact->placement.cell);
    put_number(line, fact->placement.of_host);
}

static void
line_unfilled(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    line_outcome_head(line, row, fact->unfilled.slot, fact->unfilled.currency,
                      fact->unfilled.floor);
    for (unsigned i = 0; i < 14; i++) put(line, "", 0);
    put_word(line, LAND_WORD(fact->unfilled.reason, REASON_COUNT, reason_key, enum reason));
    put_word(line,
             fact->unfilled.main_reason == REASON_NONE
                 ? ""
                 : LAND_WORD(fact->unfilled.main_reason, REASON_COUNT, reason_key, enum reason));
    put_number(line, fact->unfilled.considered);
    put_number_or_none(line, (uint64_t)fact->unfilled.best.micros);
    for (unsigned i = 0; i < 8; i++) put_number(line, 0);
}

static void
line_event(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    put_word(line, posting_state_name(row->state));
    put_id(line, fact_placement(fact));
    put_id(line, fact->contact);
    put_number(line, fact->position);
    put_number(line, fact->at.us);
    put_number(line, row->effective.us);
    put_word(line, row->period);
    put_number(line, fact->event.slot);
    put_number(line, fact->event.message);
    put_number(line, fact->event.seat);
    put_number(line, fact->event.price.micros);
    put_word(line, LAND_WORD(fact->role, ROLE_COUNT, role_name, enum role));
    put_number(line, fact->party);
    put_key(line, fact->event.key, BOUND_KEY);
}

static void
line_revenue(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    put_word(line, posting_state_name(row->state));
    put_id(line, fact->revenue.order);
    put_id(line, fact_placement(fact));
    put_id(line, fact->contact);
    put_number(line, fact->revenue.seat);
    put_number(line, fact->revenue.message);
    put_word(line, fact->revenue.currency.code);
    put_number(line, fact->revenue.amount.micros);
    put_number(line, row->pool.micros);
    put_number_or_none(line, row->contract);
    put_number(line, fact->at.us);
    put_number(line, row->effective.us);
    put_word(line, row->period);
    put_word(line, LAND_WORD(fact->role, ROLE_COUNT, role_name, enum role));
    put_number(line, fact->party);
    put_key(line, fact->revenue.key, BOUND_KEY);
    put_number_or_none(line, row->customer);
    if (row->has_order) put_number(line, row->merchant);
    else put(line, "", 0);
    if (row->base < 0) put(line, "", 0);
    else put_number(line, row->base);
    if (row->model < 0) put(line, "", 0);
    else put_number(line, row->model);
    put_number(line, fact->revenue.of_host);
    put_number(line, fact->revenue.due);
}

static void
line_bid(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    put_number(line, fact->at.us);
    put_number(line, (int64_t)fact->bid.bid);
    put_number(line, fact->bid.seat);
    put_number(line, fact->bid.message);
    put_number(line, fact->bid.slot);
    put_word(line, land_bid_state(fact->bid.state));
    put_word(line, fact->bid.currency.code);
    put_number(line, fact->bid.price.micros);
    put_number(line, fact->bid.from.us);
    put_number(line, fact->bid.until.us);
    put_key(line, fact->bid.key, BOUND_KEY);
    put_number(line, fact->bid.kind);
}

// --- Records: all entries of a fact in one line --------------------------------------------------

static void
line_candidates(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    for (unsigned i = 0; i < LAND_CANDIDATES; i++) {
        if (fact->candidates.bid[i] == 0) continue;
        put_number(line, i);
        put_number(line, fact->position);
        put_number(line, fact->at.us);
        put_number(line, row->slot);
        put_number(line, fact->candidates.seat[i]);
        put_number(line, (int32_t)fact->candidates.message[i]);
        put_number(line, (int64_t)fact->candidates.bid[i]);
        put_number(line, fact->candidates.price[i]);
        put_number(line, (int64_t)fact->candidates.multiplier[i]);
        put_number(line, fact->candidates.floor[i].micros);
        put_number(line, (int32_t)fact->candidates.floor_id[i]);
        put_number(line, fact->candidates.how[i]);
        put_number(line, fact->candidates.priority[i]);
    }
}

static void
put_list(struct line *line, const int64_t *items, unsigned count)
{
    char text[LAND_TALLIES * 8];
    int used = 0;
    text[0] = 0;
    for (unsigned i = 0; i < count; i++) {
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%" PRId64, i ? "," : "",
                         items[i]);
        CHECK((size_t)used < sizeof text);
    }
    put(line, text, (size_t)used);
}

static void
line_tally(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    int64_t reasons[LAND_TALLIES], counts[LAND_TALLIES];
    unsigned count = 0;
    for (unsigned i = 0; i < LAND_TALLIES; i++) {
        if (fact->tally.reason[i] == 0) continue;
        reasons[count] = fact->tally.reason[i];
        counts[count++] = fact->tally.count[i];
    }
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    put_number(line, fact->position);
    put_number(line, fact->at.us);
    put_number(line, row->slot);
    put_number(line, fact->tally.considered);
    put_list(line, reasons, count);
    put_list(line, counts, count);
}

static void
line_refusals(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    for (unsigned i = 0; i < LAND_REFUSALS; i++) {
        if (fact->refusals.bid[i] == 0) continue;
        put_number(line, i);
        put_number(line, fact->position);
        put_number(line, fact->at.us);
        put_number(line, row->slot);
        put_number(line, fact->refusals.seat[i]);
        put_number(line, (int64_t)fact->refusals.bid[i]);
        if (fact->refusals.met[i] == INT64_MIN) put(line, "", 0);
        else put_number(line, fact->refusals.met[i]);
        put_number(line, fact->refusals.clause[i]);
        put_number(line, fact->refusals.reason[i]);
        put_number(line, fact->refusals.rule_of[i]);
    }
}

static void
line_callouts(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    for (unsigned i = 0; i < LAND_CALLOUTS; i++) {
        if (fact->callouts.seat[i] == 0) continue;
        put_number(line, i);
        put_number(line, fact->at.us);
        put_number(line, fact->callouts.seat[i]);
        if (fact->callouts.answer_ms[i] == UINT16_MAX) put(line, "", 0);
        else put_number(line, fact->callouts.answer_ms[i]);
        put_number(line, fact->callouts.reason[i]);
        put_number(line, fact->callouts.bids[i]);
    }
}

static void
put_bytes(struct line *line, const uint8_t bytes[LAND_LIMITS])
{
    int64_t items[LAND_LIMITS];
    for (unsigned i = 0; i < LAND_LIMITS; i++) items[i] = bytes[i];
    put_list(line, items, LAND_LIMITS);
}

static void
line_limits(struct line *line, const struct land_row *row)
{
    const struct fact *fact = row->fact;
    put_word(line, fact_kind_name((enum fact_kind)fact->kind));
    put_number(line, fact->position);
    put_number(line, fact->at.us);
    put_number(line, row->slot);
    put_number(line, fact->limits.paid_max);
    put_number(line, fact->limits.quota_count);
    put_number(line, fact->limits.flags);
    put_bytes(line, fact->limits.category);
    put_bytes(line, fact->limits.group);
    put_bytes(line, fact->limits.group_size);
    put_bytes(line, fact->limits.is);
}

void
verify_line_fact(const struct land_row *row, char out[VERIFY_LINE])
{
    struct line line = {out, 0};
    out[0] = 0;
    switch ((enum fact_kind)row->fact->kind) {
    case FACT_CONTACT: line_contact(&line, row); break;
    case FACT_PLACEMENT: line_placement(&line, row); break;
    case FACT_UNFILLED: line_unfilled(&line, row); break;
    case FACT_DELIVERED:
    case FACT_ACCEPTED:
    case FACT_DECLINED:
    case FACT_CANCELLED:
    case FACT_EXPIRED:
    case FACT_LAPSED:
    case FACT_COMPLAINED: line_event(&line, row); break;
    case FACT_CONVERTED:
    case FACT_REFUNDED: line_revenue(&line, row); break;
    case FACT_BID: line_bid(&line, row); break;
    case FACT_CANDIDATES: line_candidates(&line, row); break;
    case FACT_TALLY: line_tally(&line, row); break;
    case FACT_REFUSALS: line_refusals(&line, row); break;
    case FACT_CALLOUTS: line_callouts(&line, row); break;
    case FACT_LIMITS: line_limits(&line, row); break;
    case FACT_NONE:
    case FACT_KIND_COUNT: CHECK(!"replay has refused unknown kinds");
    }
}

void
verify_line_transfer(const struct transfer *transfer, char out[VERIFY_LINE])
{
    struct line line = {out, 0};
    put_id(&line, transfer->id);
    put_id(&line, transfer->group);
    put_word(&line, transfer_kind_name((enum transfer_kind)transfer->kind));
    put_word(&line, transfer_state_name((enum transfer_state)transfer->state));
    put_id_or_none(&line, transfer->pending);
    put_word(&line, transfer->currency.code);
    put_number(&line, account_number(transfer->debit));
    put_number(&line, account_number(transfer->credit));
    put_number(&line, transfer->amount.micros);
    put_number(&line, transfer->effective.us);
    put_number(&line, transfer->posted.us);
    put_word(&line, transfer->period);
    put_number(&line, transfer->late);
    put_number_or_none(&line, transfer->seat);
    put_number_or_none(&line, transfer->contract);
    put_number_or_none(&line, transfer->slot);
    put_number_or_none(&line, transfer->message);
    put_id_or_none(&line, transfer->placement);
    put_number_or_none(&line, transfer->objectives);
    if (transfer->rung < 0) put(&line, "", 0);
    else put_number(&line, transfer->rung);
    put_word(&line, transfer->reason ? transfer->reason : "");
    put_key(&line, transfer->reference, sizeof transfer->reference - 1);
    put_id_or_none(&line, transfer->origin);
    put_number_or_none(&line, transfer->model);
}

static int
by_order(const void *left, const void *right)
{
    const struct replay_division *a = left, *b = right;
    return memcmp(a->order.bytes, b->order.bytes, sizeof a->order.bytes);
}

// A fact may divide many orders: as long as it takes.
char *
verify_line_credit(const struct land_row *row)
{
    size_t count = row->division_count, room = 1 + land_parts(row) * 180;
    char *out = malloc(room), *at = out;
    struct replay_division *sorted = malloc((count + 1) * sizeof *sorted);
    CHECK(out && sorted);
    memcpy(sorted, row->divisions, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_order);
    *at = 0;
    for (size_t i = 0; i < count; i++) {
        char id[ID_TEXT];
        id_format(sorted[i].order, id);
        for (unsigned k = 0; k < sorted[i].part_count; k++) {
            const struct contract_part *part = &sorted[i].parts[k];
            at += snprintf(at, room - (size_t)(at - out),
                           "%s%s|%u|%u|%u|%u|%" PRId64 "|%u|%" PRId64, at == out ? "" : "|", id, k,
                           part->kind, part->rung, part->seat, (int64_t)part->weight,
                           sorted[i].model, sorted[i].pool.micros);
        }
    }
    free(sorted);
    return out;
}
