// What the verbs of finance share.
#ifndef VENDUE_FINANCE_H
#define VENDUE_FINANCE_H

#include "db.h"
#include "period.h"
#include "verb.h"

// EXIT_DONE, or EXIT_USAGE after saying how a period is written.
int finance_period(const struct verb *verb, const char *text, struct period *out_period);
// Who does it: `by`, when it was given, else the system's user.
const char *finance_author(const char *by);
// A refusal of a deed: prints "slotctl VERB: fault"; EXIT_USAGE when what was asked is wrong,
// EXIT_NO when it may not be done; without a fault as finance_refused.
int finance_fault(const struct verb *verb, struct db *db, enum status status, const char *fault);
// Whether a deed that lost a race is to be tried again: at most five times.
bool finance_again(enum status status, int *turns);
// The number of an act or a dispute. EXIT_DONE, or EXIT_USAGE after saying what is wrong.
int finance_number(const struct verb *verb, const char *text, uint64_t *out_number);
// Says what the database said about `doing`, and what mends it; returns EXIT_CANNOT.
int finance_refused(struct db *db, enum status status, const char *doing);

#endif
