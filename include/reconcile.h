// Reconciliation: what a seat was told, row by row, so that it can be joined with the seat's own
// records of its notices; and the join itself, when the seat's file is at hand.
#ifndef VENDUE_RECONCILE_H
#define VENDUE_RECONCILE_H

#include <stdio.h>

#include "arena.h"
#include "db.h"
#include "period.h"

enum reconcile_format { RECONCILE_CSV, RECONCILE_JSON, RECONCILE_FORMAT_COUNT };
#define RECONCILE_SUFFIX "reconcile.csv"  // of the published file

// One row an event of the seat's placements that was booked in the period: win, billing (its price
// became due), commission (a share of an order's revenue, or its change), released (it will not
// become due), converted, refunded, delivered, ended, entry (any other amount on its statement).
// Placements bear the seat's own names of them, which notices
// bear. Streams; memory stays flat. `directory`: of the market, for its customer.secret.
// STATUS_NOT_FOUND: no such seat. STATUS_GAP: the secret is not there. STATUS_IO: `out` or the
// secret. Else db.h's answers.
MUST_CHECK enum status
reconcile_write(struct db *db, const char *directory, const char *seat, const struct period *period,
                enum reconcile_format format, FILE *out);

// Why a row of one side has no equal on the other.
enum reconcile_reason {
    RECONCILE_MISSING_HERE,   // the seat has it, the ledger does not know it
    RECONCILE_MISSING_THERE,  // the ledger has it, the seat does not
    RECONCILE_LATE,           // booked in another period
    RECONCILE_AMOUNT,
    RECONCILE_ROUNDING,  // less than a cent apart, one side being whole cents
    RECONCILE_CURRENCY,
    RECONCILE_DUPLICATE,     // the seat has it twice
    RECONCILE_NOT_BILLABLE,  // it ended without its price being due: expired, cancelled, declined
    RECONCILE_OPEN,          // won, and not yet due
    RECONCILE_NOT_BOOKED,    // reported, and refused: a repeat, more refunded than was converted
    RECONCILE_REASON_COUNT
};
const char *reconcile_reason_name(enum reconcile_reason reason);  // "missing_here"
const char *reconcile_reason_text(enum reconcile_reason reason);  // for people

struct reconcile_difference {
    enum reconcile_reason reason;
    int line;  // of the seat's file; 0 none
    const char *event, *placement, *reference;
    const char *note;  // "expired", "booked in 2026-12", "ours EUR, theirs USD"
    money ours, theirs;
};
struct reconcile_bad {
    int line;
    const char *text;
};
enum reconcile_verdict { RECONCILE_WITHIN, RECONCILE_WARN, RECONCILE_DISPUTE };
struct reconcile_report {
    size_t ours, theirs, matched;  // rows with an amount due: billing, commission
    money our_sum, their_sum;
    struct reconcile_difference *differences;
    size_t difference_count;
    struct {
        size_t count;
        money sum;  // ours less theirs, absolute values added up
    } reasons[RECONCILE_REASON_COUNT];
    struct reconcile_bad *bad;  // rows that cannot be read; the others count
    size_t bad_count;
    uint32_t off_ppm;                // what the differences of amounts come to, of the larger sum
    enum reconcile_verdict verdict;  // warn from 5 %, dispute from 10 % on
};
// Joins the seat's file: CSV with a heading line, or JSON lines, told apart by its first character.
// Fields (docs/statements.md): event, placement, price_micros or amount_micros, cur or currency,
// at_us, reference. STATUS_INPUT: no row can be read at all (`out_report->bad` says why). Else as
// reconcile_write.
MUST_CHECK enum status reconcile_compare(struct db *db, const char *directory, const char *seat,
                                         const struct period *period, FILE *theirs,
                                         struct arena *arena, struct reconcile_report *out_report);

#endif
