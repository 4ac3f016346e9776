// Closing a period: nine steps, each recorded in the database when it is done. A close that was
// interrupted goes on where it stopped; a closed period is never opened again, and closing it again
// changes nothing.
//   1 fence        every log has reported; what is booked from here on falls into later periods
//   2 late rows    what came late from earlier periods, and where later facts go
//   3 open holds   those whose window is over expire; the rest stays held, is not counted
//   4 trial balance  debits = credits, eliminations = 0, sums = rows, facts = transfers
//   5 statements   fits and true-ups; lines of every seat, in whole cents; less is carried
//   6 bill         1120 Billed against 1110, 1150 and 1160, in whole cents
//   7 root         one digest over journals, acts, balances, statements and the root before
//   8 exports      added up again by the programs that the settings name
//   9 closed       balances are kept
#ifndef VENDUE_SETTLE_H
#define VENDUE_SETTLE_H

#include "db.h"
#include "period.h"

#define SETTLE_STEPS 9

struct settle_step {
    int number;
    const char *name;
    char detail[512];
    bool earlier;               // recorded by an earlier call
    int64_t took_us, apart_us;  // of this call; apart: proofs, other programs
};
// Declares a log dead that does not report and will not: recorded as an act, with what was said.
struct settle_dead {
    uint32_t log;
    const char *by, *reason;
};
struct settle_options {
    const char *directory;  // of the market, whose journal must have been booked
    uint32_t log;           // of that journal; 0: 1
    usec now;
    bool early;               // close before the period's end
    int64_t wait_us;          // how long to wait until the journals are booked
    const char *readers;      // export_check.h; NULL: those that are installed
    struct settle_dead dead;  // log 0: none
    void (*told)(void *context, const struct settle_step *step);  // after each step; may be NULL
    void *context;
};
struct settle_report {
    int done;         // steps
    bool was_closed;  // before this call
    char root[65];
    char fault[1024];  // for people; "" on success
};
// STATUS_OK: closed. STATUS_DENIED: not to be closed now (not over, an earlier period is open, a
// log is not to be declared dead); nothing was changed. STATUS_AGAIN: a log has not reported, or
// a race was lost; call again. STATUS_CONFLICT: it does not add up, `fault` names what.
// STATUS_NOT_FOUND: a reader that the settings name is not installed. Else db.h's answers, or the
// journal's.
MUST_CHECK enum status
settle_close(struct db *db, const struct period *period, const struct settle_options *options,
             struct settle_report *out_report);

// Says in the database that everything durable in the log is booked, so that other nodes' closes
// need not wait. Called by ledgerd in idle turns.
MUST_CHECK enum status settle_reports(struct db *db, uint32_t log, uint64_t booked, usec now);

// Writes what nobody can take back: the root of every closed period as DIR/published/roots/PERIOD
// (a text whose SHA-256 is the root), once; and the head of the chain of acts, DIR/published/acts.
// STATUS_CONFLICT: the database holds less than was published, or something else; `out_detail` says
// what. STATUS_IO: a file cannot be written (errno). Else db.h's answers.
#define SETTLE_DETAIL 512
MUST_CHECK enum status
settle_publish(struct db *db, const char *directory, char out_detail[SETTLE_DETAIL]);

// Whether closed periods are what they were: every statement comes out of the ledger as it was
// sent, every root is the digest of what it was made of and of the root before it, bills, balances
// and deposits are right, caches are the sums of their rows, and all that was published is still
// there. STATUS_CONFLICT: `out_detail` names the first difference; STATUS_OK: what was compared.
// `directory` may be NULL: published files are not looked at.
MUST_CHECK enum status
settle_verify(struct db *db, const char *directory, char out_detail[SETTLE_DETAIL]);

// How finance stands, for people.
struct settle_state {
    char period[PERIOD_TEXT];  // the first that is not closed and has something; "" none
    bool closing;              // it is fenced
    char closed[PERIOD_TEXT];  // the last one closed; "" none
    uint64_t unproven;         // frames that are booked and not yet proven
    uint64_t locks_overdue;    // orders whose validation is over and whose shares are not locked
    uint64_t disputes_open, disputes_overdue;
    uint64_t adjustments_waiting;  // for a second person
};
MUST_CHECK enum status settle_state(struct db *db, usec now, struct settle_state *out_state);

#endif
