// Shared by posting.c (placements and events) and posting_revenue.c. Private to ledger/.
#ifndef VENDUE_POSTING_INSIDE_H
#define VENDUE_POSTING_INSIDE_H

#include "posting.h"

enum due posting_due(const struct posting_win *win);

void posting_start(struct posting *out, usec effective);
// A reporter's time, not before `earliest` nor after `latest`; none given: the latest.
usec posting_clamp(usec effective, usec earliest, usec latest);
// Starts a transfer with all that it shares with its placement and its fact; takes it in if there
// is something to book.
struct transfer *
posting_begin(struct posting *out, const struct posting_win *win, const struct fact *fact,
              struct posting_source source, enum transfer_kind kind);
void posting_finish(struct posting *out, const struct transfer *one);
// The accounts and the amount of a price: of a partner; of a department.
void posting_external(const struct posting_win *win, struct transfer *one);
void posting_internal(const struct posting_win *win, struct transfer *one);
// The end of a placement: its price becomes due, or its hold is given back.
void posting_end(const struct posting_win *win, const struct fact *fact,
                 struct posting_source source, bool charged, struct posting *out);

#endif
