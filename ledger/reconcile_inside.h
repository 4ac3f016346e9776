// Rows of a reconciliation, ours and theirs.
#ifndef VENDUE_RECONCILE_INSIDE_H
#define VENDUE_RECONCILE_INSIDE_H

#include <stdbool.h>

#include "bounds.h"
#include "hash.h"
#include "reconcile.h"

enum reconcile_event {
    RECONCILE_WIN,
    RECONCILE_BILLING,
    RECONCILE_COMMISSION,
    RECONCILE_RELEASED,
    RECONCILE_CONVERTED,
    RECONCILE_REFUNDED,
    RECONCILE_DELIVERED,  // from here on: told for the statement's counts and amounts, not joined
    RECONCILE_ENDED,
    RECONCILE_ENTRY,
    RECONCILE_EVENT_COUNT
};
const char *reconcile_event_name(enum reconcile_event event);
MUST_CHECK bool reconcile_event_parse(const char *name, enum reconcile_event *out_event);

struct reconcile_row {
    enum reconcile_event event;
    struct id placement;  // the seat's own name of it
    bool named;           // of ours: it comes from a placement of the seat
    usec at;              // 0 unknown
    money amount;
    bool has_amount;
    struct currency currency;
    const char *reference;  // of the order or refund; "" none
    const char *state;      // of ours: posted, expired, repeat...
    const char *period;     // of ours: that it was booked in
    int line;               // of theirs
    const char *slot, *message, *kind, *rung;
    bool late;
    money pool;
    bool matched, taken;
};

// What a seat is known by. STATUS_GAP: the market's customer.secret is not there.
struct reconcile_seat {
    int32_t id;
    uint8_t key[16];  // of its names of placements
};
MUST_CHECK enum status reconcile_seat(struct db *db, const char *directory, const char *code,
                                      struct reconcile_seat *out_seat);
// Hands every row of ours in order to `take`, which answers STATUS_OK to go on. Texts of a row live
// until `take` returns.
MUST_CHECK enum status
reconcile_ours(struct db *db, const struct reconcile_seat *seat, const struct period *period,
               enum status (*take)(void *context, const struct reconcile_row *row), void *context);
// Reads the seat's file; rows that cannot be read go to the report.
MUST_CHECK enum status
reconcile_theirs(FILE *in, struct arena *arena, struct reconcile_row **out_rows, size_t *out_count,
                 struct reconcile_report *report);
void reconcile_id_text(struct id id, char out[33]);

#endif
