// The record of a round: what is needed to judge it later without catalog and book.
//
// For every slot that was asked for, behind the outcomes of the contact (fact.h):
//   (1) FACT_CANDIDATES: the eligible bids in the order of ranking, at most eight. All that score
//       more than the last of them are there. The winner is the first; the bid that set the price
//       is always among them: when it ranks lower than the eighth it takes the eighth place.
//   (2) FACT_TALLY: how many bids were judged before the search stopped, and how many of them were
//       stopped by each reason. The others were eligible. Bids that the search passed over
//       (round.c) are not counted: they could not have mattered.
//   (3) FACT_REFUSALS: the first eight that were stopped, in the order of the search: live bids,
//       those whose rank is not their price, then the dearest. `met` and `clause` say
//         not_eligible          the value that the failed leaf met, and its number in the rule;
//                               the value is withheld when unknown, a list, or of a transient
//                               attribute
//         frequency, pressure   the cap's id, and what it had counted
//         budget, pacing        what was left, 1 for a daily amount; rule_of is enum budget_of
//         below_floor, .._deal_floor  the floor, 0
// Slots sold together keep other candidates, and FACT_LIMITS behind them (round_together_record.c).
// Then for the contact FACT_CALLOUTS: the live bidders in the order in which the caller gave them.
#include <string.h>

#include "fail.h"
#include "round_parts.h"

void
round_record_open(struct round *round)
{
    struct round_record *record = round->record;
    record->considered = record->eligible = 0;
    record->candidate_count = record->refusal_count = record->reason_count = 0;
}

static void
count_reason(struct round_record *record, enum reason reason)
{
    unsigned i = 0;
    while (i < record->reason_count && record->reasons[i] != reason) i++;
    if (i == record->reason_count) {
        CHECK(i < ROUND_TALLY);
        record->reasons[record->reason_count++] = (uint8_t)reason;
        record->counts[i] = 0;
    }
    record->counts[i]++;
}

// The value that a leaf met; INT64_MIN when it is not to be told.
static int64_t
value_met(const struct round *round, const struct catalog_bid *bid,
          const struct round_judgement *judgement)
{
    uint32_t attribute = judgement->leaf->attribute;
    const struct catalog_attribute *is = &round->catalog->attributes[attribute];
    const struct values *values = &round->contact->values;
    const struct declared *beside = judgement->rule_number == 0
                                        ? &round->catalog->messages[bid->message].values
                                        : &round->slot->values;
    if (is->privacy == PRIVACY_TRANSIENT || is->is.type == ATTRIBUTE_LIST) return INT64_MIN;
    if (values->known >> attribute & 1) return values->value[attribute];
    return beside->known >> attribute & 1 ? declared_value(beside, attribute) : INT64_MIN;
}

static void
describe(const struct round *round, const struct catalog_bid *bid,
         const struct round_judgement *judgement, struct round_refusal *out)
{
    enum reason reason = judgement->reason;
    *out = (struct round_refusal){.bid = bid->id,
                                  .met = INT64_MIN,
                                  .seat = (uint16_t)round->catalog->seats[bid->seat].id,
                                  .reason = (uint8_t)reason};
    if (reason == REASON_NOT_ELIGIBLE) {
        out->rule_of = judgement->rule_number;
        if (judgement->leaf == NULL) return;
        out->clause = (uint16_t)(judgement->leaf - judgement->rule->nodes);
        if (judgement->leaf->kind >= EXPR_RANGE) out->met = value_met(round, bid, judgement);
    } else if (reason == REASON_FREQUENCY_CAP || reason == REASON_PRESSURE_CAP) {
        out->met = round->catalog->caps[judgement->cap].id;
        out->clause = judgement->cap_count > UINT16_MAX ? UINT16_MAX
                                                        : (uint16_t)judgement->cap_count;
    } else if (reason == REASON_BUDGET || reason == REASON_PACING) {
        out->met = judgement->budget_left.micros;
        out->clause = judgement->budget_daily;
        out->rule_of = (uint8_t)judgement->budget_of;
    } else if (reason == REASON_BELOW_FLOOR || reason == REASON_BELOW_DEAL_FLOOR) {
        out->met = judgement->floor.micros;
    }
}

void
round_record_refused(struct round *round, const struct catalog_bid *bid,
                     const struct round_judgement *judgement)
{
    struct round_record *record = round->record;
    record->considered++;
    count_reason(record, judgement->reason);
    if (record->refusal_count == BOUND_REFUSALS) return;
    describe(round, bid, judgement, &record->refusals[record->refusal_count++]);
}

static struct round_candidate
candidate_of(const struct round *round, const struct catalog_bid *bid,
             const struct price_bid *entry, uint32_t floor_id)
{
    unsigned how = bid->kind | (unsigned)entry->at << CANDIDATE_AT_SHIFT;
    if (round_bids_is_live(round, bid)) how |= CANDIDATE_LIVE;
    if (bid->kind != PRICE_PLACEMENT && round->slot->explore) how |= CANDIDATE_EXPLORED;
    return (struct round_candidate){
        .bid = *entry, .message = bid->message, .floor_id = floor_id, .how = (uint8_t)how};
}

// Most bids come dearest first and rank behind those before them: the answer without a call.
static inline bool
is_dearer(const struct price_bid *a, const struct price_bid *b)
{
    return a->kind == PRICE_PLACEMENT && b->kind == PRICE_PLACEMENT &&
           a->priority == b->priority && a->price.micros > b->price.micros;
}

void
round_record_eligible(struct round *round, const struct catalog_bid *bid,
                      const struct price_bid *entry, const struct round_judgement *judgement)
{
    struct round_record *record = round->record;
    record->considered++;
    record->eligible++;
    unsigned place = record->candidate_count;
    while (place > 0 && !is_dearer(&record->candidates[place - 1].bid, entry) &&
           price_ranks_before(entry, &record->candidates[place - 1].bid, round_seed(round)))
        place--;
    if (place == BOUND_CANDIDATES) return;
    if (record->candidate_count < BOUND_CANDIDATES) record->candidate_count++;
    unsigned behind = record->candidate_count - 1u - place;
    if (behind > 0)
        memmove(&record->candidates[place + 1], &record->candidates[place],
                behind * sizeof *record->candidates);
    record->candidates[place] = candidate_of(round, bid, entry, judgement->floor_id);
}

const struct price_bid *
round_record_last(const struct round *round)
{
    const struct round_record *record = round->record;
    if (record->candidate_count < BOUND_CANDIDATES) return NULL;
    return &record->candidates[BOUND_CANDIDATES - 1].bid;
}

bool
round_record_wants(const struct round *round, const struct price_bid *entry)
{
    const struct price_bid *last = round_record_last(round);
    return last == NULL || price_ranks_before(entry, last, round_seed(round));
}

bool
round_record_complete(const struct round *round, money next)
{
    const struct price_bid *last = round_record_last(round);
    if (last == NULL) return false;
    return last->priority > 0 ||
           price_score((enum price_kind)last->kind, last->price, last->multiplier).micros >=
               next.micros;
}

void
round_record_keep(struct round *round, const struct catalog_bid *bid, const struct price_bid *entry)
{
    struct round_record *record = round->record;
    for (unsigned i = 0; i < record->candidate_count; i++)
        if (record->candidates[i].bid.bid == bid->id) return;
    CHECK(record->candidate_count == BOUND_CANDIDATES);
    struct round_judgement terms = {0};
    round_judge_terms(round, bid, &terms);
    record->candidates[BOUND_CANDIDATES - 1] = candidate_of(round, bid, entry, terms.floor_id);
}

void
round_record_put(struct round *round, const struct catalog_bid *bid, const struct price_bid *entry,
                 unsigned how)
{
    struct round_record *record = round->record;
    CHECK(record->candidate_count < ROUND_CANDIDATES);
    struct round_judgement terms = {0};
    round_judge_terms(round, bid, &terms);
    struct round_candidate *candidate = &record->candidates[record->candidate_count++];
    *candidate = candidate_of(round, bid, entry, terms.floor_id);
    candidate->how = (uint8_t)(candidate->how | how);
}

// --- As facts ------------------------------------------------------------------------------------
// Built where it stays: copying facts would cost more than filling them.
static struct fact *
add(const struct round *round, enum fact_kind kind, uint8_t position, struct fact *out)
{
    memset(out, 0, sizeof *out);
    out->kind = (uint8_t)kind;
    out->role = ROLE_TOUCHPOINT;
    out->shard = round->contact->shard;
    out->party = round->contact->touchpoint;
    out->position = position;
    out->at = round->now;
    out->contact = round->id;
    out->customer = round->contact->customer;
    return out;
}

static unsigned
write_candidates(const struct round *round, const struct round_record *record, uint8_t position,
                 struct fact *out)
{
    unsigned count = 0;
    struct fact *fact = NULL;
    for (unsigned i = 0; i < record->candidate_count; i++) {
        const struct round_candidate *candidate = &record->candidates[i];
        unsigned at = i % 2;
        if (at == 0) fact = add(round, FACT_CANDIDATES, position, &out[count++]);
        fact->candidates.bid[at] = candidate->bid.bid;
        fact->candidates.price[at] = candidate->bid.price.micros;
        fact->candidates.multiplier[at] = candidate->bid.multiplier;
        fact->candidates.floor[at] = candidate->bid.floor;
        fact->candidates.message[at] = round->catalog->messages[candidate->message].id;
        fact->candidates.floor_id[at] = candidate->floor_id;
        fact->candidates.seat[at] = (uint16_t)round->catalog->seats[candidate->bid.seat].id;
        fact->candidates.how[at] = candidate->how;
        fact->candidates.priority[at] = candidate->bid.priority;
    }
    return count;
}

static void
write_tally(const struct round *round, const struct round_record *record, uint8_t position,
            struct fact *out)
{
    struct fact *fact = add(round, FACT_TALLY, position, out);
    fact->tally.considered = record->considered;
    for (unsigned i = 0; i < record->reason_count; i++) {
        fact->tally.reason[i] = record->reasons[i];
        fact->tally.count[i] = record->counts[i] > UINT16_MAX ? UINT16_MAX
                                                              : (uint16_t)record->counts[i];
    }
}

static unsigned
write_refusals(const struct round *round, const struct round_record *record, uint8_t position,
               struct fact *out)
{
    unsigned count = 0;
    struct fact *fact = NULL;
    for (unsigned i = 0; i < record->refusal_count; i++) {
        const struct round_refusal *refusal = &record->refusals[i];
        unsigned at = i % 4;
        if (at == 0) fact = add(round, FACT_REFUSALS, position, &out[count++]);
        fact->refusals.bid[at] = refusal->bid;
        fact->refusals.met[at] = refusal->met;
        fact->refusals.seat[at] = refusal->seat;
        fact->refusals.clause[at] = refusal->clause;
        fact->refusals.reason[at] = refusal->reason;
        fact->refusals.rule_of[at] = refusal->rule_of;
    }
    return count;
}

static unsigned
write_callouts(const struct round *round, struct fact *out)
{
    const struct round_live *live = round->live;
    unsigned count = 0;
    struct fact *fact = NULL;
    for (uint32_t i = 0; live != NULL && i < live->callout_count; i++) {
        unsigned at = i % 11;
        if (at == 0) fact = add(round, FACT_CALLOUTS, 0, &out[count++]);
        fact->callouts.seat[at] = live->callouts[i].seat;
        fact->callouts.answer_ms[at] = live->callouts[i].answer_ms;
        fact->callouts.reason[at] = live->callouts[i].reason;
        fact->callouts.bids[at] = live->callouts[i].bids;
    }
    return count;
}

unsigned
round_record_write(const struct round *round, unsigned asked, struct fact *out_facts)
{
    unsigned count = 0;
    for (unsigned i = 0; i < round->container->slot_count; i++) {
        if (!(asked >> i & 1)) continue;
        const struct round_record *record = &round->records[i];
        uint8_t position = (uint8_t)(i + 1);
        count += write_candidates(round, record, position, out_facts + count);
        if (round->together.sold && round->together.limited)
            out_facts[count++] = round->together.limits[i];
        write_tally(round, record, position, &out_facts[count++]);
        count += write_refusals(round, record, position, out_facts + count);
    }
    return count + write_callouts(round, out_facts + count);
}
