// Experiments with floors stop themselves: when the variant earns too much less than the control.
#ifndef VENDUE_EXPERIMENT_H
#define VENDUE_EXPERIMENT_H

#include "db.h"

struct experiment_watch;

struct experiment_watch *experiment_open(void);
void experiment_close(struct experiment_watch *watch);  // NULL is allowed

#define EXPERIMENT_TEXT 400
struct experiment_report {
    unsigned stopped;            // in this turn
    char text[EXPERIMENT_TEXT];  // the last one of them: its code and why
};
// Every few seconds looks at the experiments of the newest market that run and may stop, and
// stops those that lose. `now` is wall time. STATUS_DAMAGED: the market was written by another
// version of this program. Else db.h's answers.
MUST_CHECK enum status experiment_turn(struct experiment_watch *watch, struct db *db, usec now,
                                       struct experiment_report *out_report);

#endif
