// Two days of counts, the newest day met and the one before: when a later day begins, they move on.
// A fact of an older day changes nothing.
//
// A contact's facts come one after the other, its outcomes before their record: the outcomes are
// kept until the next contact, for what the record says depends on who won the slot.
#include "reasons.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

struct counts {
    uint32_t of[BOUND_SEATS][REASON_COUNT];
};
struct reasons {
    const struct catalog *catalog;
    struct catalog_day today;  // of the fact before: facts of one day come in a row
    uint16_t day;              // of counts[0]; counts[1] is the day before
    struct counts *counts[2];
    struct reasons_outcome outcomes[BOUND_SLOTS + 1];  // of the contact, by position
    unsigned known;                                    // outcomes[1] to this one may be set
};

struct reasons *
reasons_open(void)
{
    struct reasons *reasons = calloc(1, sizeof *reasons);
    CHECK(reasons != NULL);
    for (unsigned i = 0; i < 2; i++) {
        reasons->counts[i] = calloc(1, sizeof *reasons->counts[i]);
        CHECK(reasons->counts[i] != NULL);
    }
    return reasons;
}

void
reasons_close(struct reasons *reasons)
{
    if (reasons == NULL) return;
    free(reasons->counts[0]);
    free(reasons->counts[1]);
    free(reasons);
}

void
reasons_catalog(struct reasons *reasons, const struct catalog *catalog)
{
    reasons->catalog = catalog;
    reasons->today = (struct catalog_day){.day = 0};
}

uint16_t
reasons_day(const struct reasons *reasons, usec at)
{
    if (reasons->catalog == NULL) return (uint16_t)(at.us / USEC_DAY);
    return catalog_day_of(reasons->catalog, at).day;
}

// The counts a fact of this time belongs to; NULL: of a day that is over.
static struct counts *
counts_at(struct reasons *reasons, usec at)
{
    if (at.us < reasons->today.begins.us || at.us >= reasons->today.ends.us) {
        if (reasons->catalog != NULL) {
            reasons->today = catalog_day_of(reasons->catalog, at);
        } else {
            int64_t day = at.us / USEC_DAY;
            reasons->today = (struct catalog_day){
                (uint16_t)day, {day * USEC_DAY}, {(day + 1) * USEC_DAY}};
        }
    }
    uint16_t day = reasons->today.day;
    if (day > reasons->day) {
        struct counts *before = reasons->counts[1];
        if (day == reasons->day + 1) {
            reasons->counts[1] = reasons->counts[0];
            reasons->counts[0] = before;
        } else {
            memset(before, 0, sizeof *before);
        }
        memset(reasons->counts[0], 0, sizeof *reasons->counts[0]);
        reasons->day = day;
    }
    if (day == reasons->day) return reasons->counts[0];
    return day + 1 == reasons->day ? reasons->counts[1] : NULL;
}

static inline void
count(struct counts *counts, uint32_t seat, uint8_t reason)
{
    if (seat < BOUND_SEATS && reason < REASON_COUNT) counts->of[seat][reason]++;
}

struct reasons_outcome
reasons_outcome_of(const struct fact *fact)
{
    bool won = fact->kind == FACT_PLACEMENT;
    return (struct reasons_outcome){
        .bid = won ? fact->placement.bid : 0,
        .seat = won ? fact->placement.seat : 0,
        .main_reason = won ? REASON_NONE : fact->unfilled.main_reason,
        .won = won,
    };
}

enum reason
reasons_of_candidate(const struct reasons_outcome *outcome, const struct fact *candidates,
                     unsigned i)
{
    if (outcome->won) {
        if (candidates->candidates.bid[i] == outcome->bid) return REASON_NONE;
        if ((candidates->candidates.how[i] & CANDIDATE_MESSAGE_WON) != 0) return REASON_DUPLICATE;
        if (candidates->candidates.seat[i] == outcome->seat) return REASON_OWN_SEAT;
        if (candidates->candidates.priority[i] < outcome->priority) return REASON_LOST_TO_PRIORITY;
        return REASON_OUTBID;
    }
    return outcome->main_reason == REASON_NONE ? REASON_NO_ELIGIBLE_BID
                                               : (enum reason)outcome->main_reason;
}

static void
apply_outcome(struct reasons *reasons, const struct fact *fact)
{
    reasons->outcomes[fact->position] = reasons_outcome_of(fact);
    if (fact->position > reasons->known) reasons->known = fact->position;
}

static void
apply_candidates(struct reasons *reasons, const struct fact *fact)
{
    struct counts *counts = counts_at(reasons, fact->at);
    struct reasons_outcome *outcome = &reasons->outcomes[fact->position];
    for (unsigned i = 0; i < 2 && counts != NULL; i++) {
        if (fact->candidates.bid[i] == 0) continue;
        if (outcome->won && fact->candidates.bid[i] == outcome->bid)
            outcome->priority = fact->candidates.priority[i];
        enum reason reason = reasons_of_candidate(outcome, fact, i);
        count(counts, fact->candidates.seat[i], (uint8_t)reason);
    }
}

static void
apply_refusals(struct reasons *reasons, const struct fact *fact)
{
    struct counts *counts = counts_at(reasons, fact->at);
    for (unsigned i = 0; i < 4 && counts != NULL; i++)
        if (fact->refusals.bid[i] != 0)
            count(counts, fact->refusals.seat[i], fact->refusals.reason[i]);
}

static void
apply_callouts(struct reasons *reasons, const struct fact *fact)
{
    struct counts *counts = counts_at(reasons, fact->at);
    for (unsigned i = 0; i < 11 && counts != NULL; i++)
        if (fact->callouts.seat[i] != 0 && fact->callouts.reason[i] != REASON_NONE)
            count(counts, fact->callouts.seat[i], fact->callouts.reason[i]);
}

void
reasons_apply(struct reasons *reasons, const struct fact *facts, uint32_t count)
{
    for (const struct fact *fact = facts; fact < facts + count; fact++) {
        if (fact->kind == FACT_CONTACT) {
            memset(reasons->outcomes, 0, (reasons->known + 1) * sizeof *reasons->outcomes);
            reasons->known = 0;
        } else if (fact->position > BOUND_SLOTS) {
            continue;
        } else if (fact->kind == FACT_PLACEMENT || fact->kind == FACT_UNFILLED) {
            apply_outcome(reasons, fact);
        } else if (fact->kind == FACT_CANDIDATES) {
            apply_candidates(reasons, fact);
        } else if (fact->kind == FACT_REFUSALS) {
            apply_refusals(reasons, fact);
        } else if (fact->kind == FACT_CALLOUTS) {
            apply_callouts(reasons, fact);
        }
    }
}

uint32_t
reasons_count(const struct reasons *reasons, uint32_t seat, uint16_t day, enum reason reason)
{
    if (seat >= BOUND_SEATS) return 0;
    if (day == reasons->day) return reasons->counts[0]->of[seat][reason];
    return day + 1 == reasons->day ? reasons->counts[1]->of[seat][reason] : 0;
}
