// The steps of a close. settle.c runs them; settle_check.c and settle_bill.c hold them.
#ifndef VENDUE_SETTLE_INSIDE_H
#define VENDUE_SETTLE_INSIDE_H

#include <stdio.h>

#include "arena.h"
#include "settle.h"

struct settle {
    struct db *db;
    const struct period *period;
    const struct settle_options *options;
    struct settle_report *report;
    struct arena *arena;
    usec fenced_at;    // time of step 1
    char detail[512];  // of the step that runs
    FILE *record;
};

// Each runs inside the transaction that records it, but step 8, which writes nothing.
enum status settle_step_fence(struct settle *settle);
enum status settle_step_late(struct settle *settle);
enum status settle_step_holds(struct settle *settle);
enum status settle_step_balance(struct settle *settle);
enum status settle_step_statements(struct settle *settle);
enum status settle_step_bill(struct settle *settle);
enum status settle_step_root(struct settle *settle);
enum status settle_step_exports(struct settle *settle);
enum status settle_step_closed(struct settle *settle);

// Writes the fault and hands the status on.
enum status settle_fault(struct settle *settle, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum status settle_db_fault(struct settle *settle, enum status status, const char *doing);

#endif
