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

// What replay knows beside the posting.
struct replay_said {
    const struct posting_win
        *win;                 // of the fact's placement; NULL: none. Valid until the next call
    uint64_t market_version;  // that decided a contact, its outcomes and its record
    uint32_t slot;            // of an outcome or a record; 0 the contact as a whole
};
// Posts one fact. STATUS_NOT_FOUND: the catalog that decided was never published here, or its
// market lacks the seat. STATUS_DAMAGED: an outcome or a record without its contact, a price of no
// known kind, or amounts beyond their range. Else db.h's answers.
MUST_CHECK enum status
replay_fact(struct replay *replay, struct db *db, const struct fact *fact,
            struct posting_source source, struct posting *out, struct replay_said *out_said);

#endif
