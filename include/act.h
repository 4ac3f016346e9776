// Acts: what finance does, as opposed to what contacts do. An act is one numbered deed with its
// author and what it said, and the transfers it made; acts form a chain of digests, as the frames
// of a journal do, so that nobody changes, adds or removes one unnoticed. All transfers that no
// fact caused (log 0) belong to an act: batch is the act's number, index counts within it.
//
//   digest = SHA-256("vendue act 1\n" number "\n" kind "\n" at_us "\n" author "\n" approver "\n"
//   body
//                    transfer lines, previous digest as hex "\n")
// The body is lines "key value\n" in the order they were noted; values have no line ends. Behind
// them stands a line "row TABLE column|column|...\n" for every row that the act wrote into another
// table (act_rows.c), so rates, payouts, disputes, locks cannot be changed unnoticed either. A
// transfer line holds every stored column in a fixed order (act.c, rule 4), '|' between, so that
// each can be recomputed from the database (act_verify).
#ifndef VENDUE_ACT_H
#define VENDUE_ACT_H

#include "db.h"
#include "period.h"
#include "transfer.h"

#define ACT_PERSON 64  // bytes of an author's or approver's name

struct act;

// Begins an act inside the caller's transaction: waits for its turn among acts (a row lock), so
// that numbers have no gaps, and reads the fence. `kind` is a static word: "deposit", "bill",
// "lock", "true_up", "follow", "payout", "bank", "dispute", "chargeback", "adjustment", "rate",
// "expire", "fit", ... `author`: who did it; programs by their name ("ledgerd", "close").
// `approver`: "" none. STATUS_INPUT: no author, or a name longer than ACT_PERSON or with control
// characters in it.
MUST_CHECK enum status act_begin(struct db *db, const char *kind, const char *author,
                                 const char *approver, usec now, struct act **out_act);
uint64_t act_number(const struct act *act);
usec act_at(const struct act *act);  // `now` of act_begin
usec act_fenced_until(const struct act *act);
// Takes a line into the body. Line ends in `value` become spaces.
void act_note(struct act *act, const char *key, const char *value);
void act_note_money(struct act *act, const char *key, money amount, struct currency currency);
// Takes a transfer: fills log, batch, index, posted, and, unless `period` is set, period and late
// by `effective` and the fence. The caller fills the rest; amount > 0. Line ends in the reference
// become spaces.
void act_transfer(struct act *act, const struct transfer *transfer);
size_t act_transfers(const struct act *act);  // so far
// Books all of it and frees the act; the caller commits. Rows that name the act in other tables are
// written before this. STATUS_CONFLICT: one of the ids is booked
// already. On any other answer than STATUS_OK the caller rolls back.
MUST_CHECK enum status act_end(struct act *act);
void act_abandon(struct act *act);  // frees it, books nothing; NULL is allowed

// Head of the chain: number 0 and a zero digest before the first act.
struct act_head {
    uint64_t number;
    struct digest digest;
};
MUST_CHECK enum status act_head(struct db *db, struct act_head *out_head);
// Computes the chain again from the rows, and compares rows of other tables with what acts say.
// STATUS_CONFLICT: `out_fault` names the act, and the transfer or row, that is not what it was.
// Transfers of log 0 without an act (batch 0) are from before there were acts.
#define ACT_FAULT 400
MUST_CHECK enum status act_verify(struct db *db, struct act_head *out_head,
                                  char out_fault[ACT_FAULT]);

#endif
