// The record of one round, judged by itself.
//
//  1 Behind a contact stand as many outcomes as it has slots, by position, and as many facts of its
//    record as it announces; no fact of the record stands behind them.
//  2 All of them bear what the contact bears: id, times, customer, shard, who caused it.
//  3 Reasons are of the list; a slot's record names a slot of the contact.
//  4 Winner and price of every slot follow from the record (round_reprice).
//  A contact without a record, as written before there were any, passes when (1) and (2) hold.
#include "verify_round.h"

#include <inttypes.h>
#include <stdio.h>

#include "round.h"

static bool
is_record(const struct fact *fact)
{
    return fact->kind >= FACT_CANDIDATES && fact->kind <= FACT_LIMITS;
}

static bool
bears_the_same(const struct fact *contact, const struct fact *fact)
{
    return id_same(contact->contact, fact->contact) && contact->at.us == fact->at.us &&
           contact->customer == fact->customer && contact->shard == fact->shard &&
           contact->party == fact->party && contact->role == fact->role;
}

static bool
reasons_are_known(const struct fact *fact)
{
    if (fact->kind == FACT_TALLY) {
        for (unsigned i = 0; i < sizeof fact->tally.reason; i++) {
            if (fact->tally.reason[i] >= REASON_COUNT) return false;
        }
    } else if (fact->kind == FACT_REFUSALS) {
        for (unsigned i = 0; i < sizeof fact->refusals.reason; i++) {
            if (fact->refusals.reason[i] >= REASON_COUNT) return false;
            if (fact->refusals.bid[i] && fact->refusals.reason[i] == REASON_NONE) return false;
        }
    } else if (fact->kind == FACT_CALLOUTS) {
        for (unsigned i = 0; i < sizeof fact->callouts.reason; i++) {
            if (fact->callouts.reason[i] >= REASON_COUNT) return false;
        }
    }
    return true;
}

// (1) to (3); NULL: they hold. `out_count`: facts of the round.
static const char *
form_fault(const struct fact *facts, unsigned count, unsigned *out_count)
{
    unsigned slots = facts[0].opened.slots, records = facts[0].opened.records;
    *out_count = 1 + slots + records;
    if (slots > BOUND_SLOTS || *out_count > count) return "facts of it are missing in its frame";
    for (unsigned i = 1; i <= slots; i++) {
        if (facts[i].kind != FACT_PLACEMENT && facts[i].kind != FACT_UNFILLED) {
            return "an outcome is missing";
        }
        if (facts[i].position != i) return "its outcomes are not in the order of its slots";
        if (!bears_the_same(&facts[0], &facts[i])) return "an outcome is not of this contact";
    }
    for (unsigned i = 1 + slots; i < *out_count; i++) {
        bool whole = facts[i].kind == FACT_CALLOUTS;
        if (!is_record(&facts[i])) return "facts of its record are missing";
        if (!bears_the_same(&facts[0], &facts[i])) return "its record is not of this contact";
        if (whole ? facts[i].position != 0 : facts[i].position == 0 || facts[i].position > slots) {
            return "its record names a slot that it does not have";
        }
        if (!reasons_are_known(&facts[i])) return "its record names a reason that is none";
    }
    if (*out_count < count && is_record(&facts[*out_count])) {
        return "its record has more facts than it announces";
    }
    return NULL;
}

bool
verify_round(const struct fact *facts, unsigned count, bool *out_repriced,
             char out_text[VERIFY_ROUND_TEXT])
{
    char contact[ID_TEXT];
    unsigned used = 0, position = 0;
    struct price_sale sale;
    out_text[0] = 0;
    *out_repriced = false;
    id_format(facts[0].contact, contact);
    const char *fault = form_fault(facts, count, &used);
    if (fault) {
        snprintf(out_text, VERIFY_ROUND_TEXT, "contact %s: %s", contact, fault);
        return false;
    }
    *out_repriced = facts[0].opened.records > 0;
    if (round_reprice(facts, used, &position, &sale)) return true;
    if (position == 0 || position > facts[0].opened.slots) {
        snprintf(out_text, VERIFY_ROUND_TEXT, "contact %s: its record cannot be priced", contact);
        return false;
    }
    const struct fact *outcome = &facts[position];
    bool filled = outcome->kind == FACT_PLACEMENT;
    snprintf(out_text, VERIFY_ROUND_TEXT,
             "contact %s slot %u: its record gives bid %016" PRIx64 " at %" PRId64
             ", the outcome is bid %016" PRIx64 " at %" PRId64,
             contact, position, sale.winner, sale.price.micros, filled ? outcome->placement.bid : 0,
             filled ? outcome->placement.price.micros : (int64_t)0);
    return false;
}
