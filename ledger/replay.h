// Facts, in journal order, into postings: what a fact needs from the past is remembered from the
// facts before it, or read from the database. Shared by the shipper (a batch at a time) and by
// verify (all).
#ifndef VENDUE_REPLAY_H
#define VENDUE_REPLAY_H

#include "db.h"
#include "posting.h"

struct replay;

struct replay *replay_open(void);
void replay_close(struct replay *replay);  // NULL is allowed
// Forgets placements and orders, keeps the terms of markets.
void replay_reset(struct replay *replay);
const char *replay_fault(const struct replay *replay);  // of the last failing call

// Reads from the database what these facts need and do not bring themselves: placements of events
// and revenues, orders of revenues. Not called when all facts are replayed from the first one on.
MUST_CHECK enum status
replay_prepare(struct replay *replay, struct db *db, const struct fact *facts, size_t count);

// Posts one fact. `out_win` is what is known of its placement (NULL: none); valid until the next
// call. `out_market` is the market version that decided a contact and its outcomes.
// STATUS_NOT_FOUND: the catalog that decided was never published here, or its market lacks the
// seat. STATUS_DAMAGED: an outcome without its contact, or amounts beyond their range. Else db.h's
// answers.
MUST_CHECK enum status replay_fact(struct replay *replay, struct db *db, const struct fact *fact,
                                   struct posting_source source, struct posting *out,
                                   const struct posting_win **out_win, uint64_t *out_market);

#endif
