// Closing a period: nine steps, each recorded in the database when it is done. A close that was
// interrupted goes on where it stopped; a closed period is never opened again, and closing it again
// changes nothing.
//   1 fence        what is booked from here on falls into later periods
//   2 late rows    what came late from earlier periods, and where later facts go
//   3 open holds   what is won and not yet shown or ended: stays held, is not counted
//   4 trial balance  debits = credits, eliminations = 0, statements = accounts, facts = transfers
//   5 statements   lines of every seat, in whole cents; less than a cent is carried
//   6 bill         1120 Billed / 1110 Unbilled for each partner on credit
//   7 root         one digest over the journal's head and all statements, printed on each
//   8 exports      added up again by hledger, ledger and beancount, where they are installed
//   9 closed
#ifndef VENDUE_SETTLE_H
#define VENDUE_SETTLE_H

#include "db.h"
#include "period.h"

#define SETTLE_STEPS 9

struct settle_step {
    int number;
    const char *name;
    char detail[512];
    bool earlier;  // recorded by an earlier call
};
struct settle_options {
    const char *directory;  // of the market, whose journal must have been booked
    usec now;
    bool early;       // close before the period's end
    int64_t wait_us;  // how long to wait until the journal is booked
    void (*told)(void *context, const struct settle_step *step);  // after each step; may be NULL
    void *context;
};
struct settle_report {
    int done;         // steps
    bool was_closed;  // before this call
    char root[65];
    char fault[1024];  // for people; "" on success
};
// STATUS_OK: closed. STATUS_DENIED: not to be closed now (not over, an earlier period is open);
// nothing was changed. STATUS_AGAIN: the ledger is behind the journal, or a race was lost; call
// again. STATUS_CONFLICT: it does not add up, `fault` names what. Else db.h's answers, or the
// journal's.
MUST_CHECK enum status
settle_close(struct db *db, const struct period *period, const struct settle_options *options,
             struct settle_report *out_report);

// Whether every closed period's statements come out of the ledger as they were sent, and its root
// and bills with them. STATUS_CONFLICT: `out_detail` names the first difference; STATUS_OK: what
// was compared.
#define SETTLE_DETAIL 512
MUST_CHECK enum status settle_verify(struct db *db, char out_detail[SETTLE_DETAIL]);

#endif
