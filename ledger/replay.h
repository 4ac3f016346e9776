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

// Which log the facts are of, and where the fence stands for those that follow: periods before it
// are closed. Before replay_prepare and the facts.
void replay_fence(struct replay *replay, uint32_t log, usec fenced_until);
// Reads from the database what these facts need and do not bring themselves: placements of events
// and revenues, orders of revenues, touches of customers who converted, orders that a touch of
// before may share in. Inside the transaction that books the facts.
MUST_CHECK enum status
replay_prepare(struct replay *replay, struct db *db, const struct fact *facts, size_t count);
// The turn that the batch took among batches of other logs that speak of the same orders; 0: it
// speaks of none.
uint64_t replay_turn(const struct replay *replay);
// Instead of it, when all facts of the log are replayed from the first one on: reads what finance
// did to placements. Nothing else is read of what was booked, but by replay_landed,
// and what other logs booked of orders of which this one speaks, too.
MUST_CHECK enum status replay_whole(struct replay *replay, struct db *db);
// Which turn the frame had whose facts are replayed next.
void replay_turned(struct replay *replay, uint64_t turn);
// What the database says about the base of the conversion that is replayed next (contract_pool):
// with several logs it cannot be computed from one of them. Taken only if it is not below what this
// log itself brought before.
void replay_landed(struct replay *replay, money base);

// How an order is divided from this fact on.
struct replay_division {
    struct id order;
    const struct contract_part *parts;
    unsigned part_count;
    uint32_t model;  // version of the fit; 0 none
    money pool;      // that is divided
};
// What replay knows beside the posting. Pointers are valid until the next call, those of divisions
// until replay_reset.
struct replay_said {
    const struct posting_win *win;      // of the fact's placement; NULL: none
    const struct posting_order *order;  // of a revenue that was booked; else NULL
    bool touches;                       // that order is divided among touches
    bool based;                         // that order's base counts
    uint64_t market_version;            // that decided a contact, its outcomes and its record
    uint32_t slot;                      // of an outcome or a record; 0 the contact as a whole
    const struct transfer *more;        // beside the posting's: orders divided anew
    size_t more_count;
    const struct replay_division *divisions;
    unsigned division_count;
};
// Posts one fact. STATUS_NOT_FOUND: the catalog that decided was never published here, or its
// market lacks the seat. STATUS_DAMAGED: an outcome or a record without its contact, a price of no
// known kind, or amounts beyond their range. Else db.h's answers.
MUST_CHECK enum status
replay_fact(struct replay *replay, struct db *db, const struct fact *fact,
            struct posting_source source, struct posting *out, struct replay_said *out_said);

#endif
