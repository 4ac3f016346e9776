// A period's exports, added up again by programs that nobody here wrote.
#ifndef VENDUE_EXPORT_CHECK_H
#define VENDUE_EXPORT_CHECK_H

#include "db.h"
#include "period.h"

// Periods with more transfers than this are read by hledger, ledger and beancount as totals of
// days; SQLite reads all transfers of any period.
#define EXPORT_CHECK_LARGE 50000

struct export_check {
    unsigned agreed;  // programs that ran and found everything right
    int64_t took_us;
    // "hledger agrees on totals of days (1.2 s), ledger is not installed, sqlite agrees (0.8 s)"
    char text[400];
    char fault[512];  // what a program complained about, or which one is missing
};
// `readers`: those that must agree, "hledger, ledger, beancount, sqlite" or some of them; NULL or
// "": whichever are installed. STATUS_CONFLICT: a program found the export wrong. STATUS_NOT_FOUND:
// one that was named is not installed. STATUS_INPUT: no such reader. STATUS_IO: no temporary file,
// or a program cannot be run. Else db.h's answers.
MUST_CHECK enum status export_check(struct db *db, const struct period *period, const char *readers,
                                    struct export_check *out_check);
// Whether a list of readers names known ones only.
bool export_check_readers(const char *readers);

#endif
