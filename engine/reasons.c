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
    struct fact outcomes[BOUND_SLOTS + 1];  // of the contact, by position; kind NONE: none
    uint8_t winner_priority[BOUND_SLOTS + 1];
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

static void
count(struct reasons *reasons, usec at, uint32_t seat, uint8_t reason)
{
    struct counts *counts = counts_at(reasons, at);
    if (counts != NULL && seat < BOUND_SEATS && reason < REASON_COUNT) counts->of[seat][reason]++;
}

enum reason
reasons_of_candidate(const struct fact *outcome, const struct fact *candidates, unsigned i,
                     uint8_t winner_priority)
{
    if (outcome->kind == FACT_PLACEMENT) {
        if (candidates->candidates.bid[i] == outcome->placement.bid) return REASON_NONE;
        if ((candidates->candidates.how[i] & CANDIDATE_MESSAGE_WON) != 0) return REASON_DUPLICATE;
        if (candidates->candidates.seat[i] == outcome->placement.seat) return REASON_OWN_SEAT;
        if (candidates->candidates.priority[i] < winner_priority) return REASON_LOST_TO_PRIORITY;
        return REASON_OUTBID;
    }
    enum reason reason = (enum reason)outcome->unfilled.main_reason;
    if (outcome->kind != FACT_UNFILLED || reason == REASON_NONE) return REASON_NO_ELIGIBLE_BID;
    return reason;
}

static void
apply_candidates(struct reasons *reasons, const struct fact *fact)
{
    const struct fact *outcome = &reasons->outcomes[fact->position];
    for (unsigned i = 0; i < 2; i++) {
        if (fact->candidates.bid[i] == 0) continue;
        if (outcome->kind == FACT_PLACEMENT && fact->candidates.bid[i] == outcome->placement.bid)
            reasons->winner_priority[fact->position] = fact->candidates.priority[i];
        enum reason reason = reasons_of_candidate(outcome, fact, i,
                                                  reasons->winner_priority[fact->position]);
        count(reasons, fact->at, fact->candidates.seat[i], (uint8_t)reason);
    }
}

void
reasons_apply(struct reasons *reasons, const struct fact *fact)
{
    if (fact->kind == FACT_CONTACT) {
        memset(reasons->outcomes, 0, sizeof reasons->outcomes);
        memset(reasons->winner_priority, 0, sizeof reasons->winner_priority);
    } else if (fact->position > BOUND_SLOTS) {
        return;
    } else if (fact->kind == FACT_PLACEMENT || fact->kind == FACT_UNFILLED) {
        reasons->outcomes[fact->position] = *fact;
    } else if (fact->kind == FACT_CANDIDATES) {
        apply_candidates(reasons, fact);
    } else if (fact->kind == FACT_REFUSALS) {
        for (unsigned i = 0; i < 4; i++)
            if (fact->refusals.bid[i] != 0)
                count(reasons, fact->at, fact->refusals.seat[i], fact->refusals.reason[i]);
    } else if (fact->kind == FACT_CALLOUTS) {
        for (unsigned i = 0; i < 11; i++)
            if (fact->callouts.seat[i] != 0 && fact->callouts.reason[i] != REASON_NONE)
                count(reasons, fact->at, fact->callouts.seat[i], fact->callouts.reason[i]);
    }
}

uint32_t
reasons_count(const struct reasons *reasons, uint32_t seat, uint16_t day, enum reason reason)
{
    if (seat >= BOUND_SEATS) return 0;
    if (day == reasons->day) return reasons->counts[0]->of[seat][reason];
    return day + 1 == reasons->day ? reasons->counts[1]->of[seat][reason] : 0;
}
