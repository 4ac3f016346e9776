// How often each seat met each reason, by day of the host's clock, today and the day before: folded
// from the records of rounds (FACT_CANDIDATES, FACT_REFUSALS, FACT_CALLOUTS), live and on recovery.
#ifndef VENDUE_REASONS_H
#define VENDUE_REASONS_H

#include "catalog.h"
#include "fact.h"

struct reasons;

struct reasons *reasons_open(void);
void reasons_close(struct reasons *reasons);
// Whose clock says what day it is; NULL: UTC's.
void reasons_catalog(struct reasons *reasons, const struct catalog *catalog);
// Facts come in journal order.
void reasons_apply(struct reasons *reasons, const struct fact *facts, uint32_t count);
// The day that `at` lies in: days since 1970-01-01.
uint16_t reasons_day(const struct reasons *reasons, usec at);
// Counts of a seat on a day; 0 for all days but the newest and the one before.
uint32_t
reasons_count(const struct reasons *reasons, uint32_t seat, uint16_t day, enum reason reason);

// What is kept of a slot's outcome, a placement or unfilled; all zero: none is known.
struct reasons_outcome {
    uint64_t bid;  // that won
    uint32_t seat;
    uint16_t main_reason;  // enum reason, of a slot that stayed empty
    bool won;
    uint8_t priority;  // of the candidate that won; the caller's to set
};
struct reasons_outcome reasons_outcome_of(const struct fact *fact);
// What became of place `i` (0 or 1) of a FACT_CANDIDATES.
enum reason reasons_of_candidate(const struct reasons_outcome *outcome,
                                 const struct fact *candidates, unsigned i);

#endif
