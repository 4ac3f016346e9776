// A period's exports, added up again by the programs they are made for.
#ifndef VENDUE_EXPORT_CHECK_H
#define VENDUE_EXPORT_CHECK_H

#include "db.h"
#include "period.h"

struct export_check {
    unsigned agreed;  // programs that ran and found everything right
    char text[256];   // "hledger agrees, ledger agrees, bean-check is not installed"
    char fault[512];  // what a program complained about
};
// STATUS_CONFLICT: a program found the export wrong. STATUS_IO: no temporary file, or a program
// cannot be run. Else db.h's answers.
MUST_CHECK enum status
export_check(struct db *db, const struct period *period, struct export_check *out_check);

#endif
