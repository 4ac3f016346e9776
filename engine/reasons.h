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
void reasons_apply(struct reasons *reasons, const struct fact *fact);
// The day that `at` lies in: days since 1970-01-01.
uint16_t reasons_day(const struct reasons *reasons, usec at);
// Counts of a seat on a day; 0 for all days but the newest and the one before.
uint32_t
reasons_count(const struct reasons *reasons, uint32_t seat, uint16_t day, enum reason reason);

// What became of place `i` (0 or 1) of a FACT_CANDIDATES, given the slot's outcome (a placement or
// unfilled) and the priority of the candidate that won.
enum reason reasons_of_candidate(const struct fact *outcome, const struct fact *candidates,
                                 unsigned i, uint8_t winner_priority);

#endif
