// Reports over the ledger: the ladder, the nine objectives, the CxC matrix, the fill of slots, why
// bids lost, pacing, experiments, deals, learned rates; and the proof line. Rows of text, ready to
// be laid out; amounts are exact or, where they are for people, whole cents that add up to the
// total shown.
#ifndef VENDUE_REPORT_H
#define VENDUE_REPORT_H

#include "arena.h"
#include "db.h"

enum report_kind {
    REPORT_LADDER,
    REPORT_OBJECTIVES,
    REPORT_MATRIX,
    REPORT_FILL,
    REPORT_REASONS,      // why bids did not win, by seat and slot
    REPORT_PACING,       // what budgets should have spent, and what they had, hour by hour
    REPORT_EXPERIMENTS,  // floors tried against floors as they are
    REPORT_DEALS,        // what was promised a day, and what came of it
    REPORT_RATES,        // responses and revenue as they were learned
    REPORT_KIND_COUNT
};
const char *report_kind_name(enum report_kind kind);  // "ladder"
MUST_CHECK enum status report_kind_parse(const char *text, enum report_kind *out_kind);

struct report_span {
    const char *period;  // "" any; else the facts and transfers of this period
    usec from, until;    // from <= time < until; until 0: open end
};
enum report_face { REPORT_ALL, REPORT_PEOPLE, REPORT_MACHINE };  // who reads a column
struct report_column {
    const char *key, *title;
    bool number;   // right-aligned for people
    bool integer;  // a bare number for machines
    enum report_face face;
};
struct report {
    const struct report_column *columns;
    size_t column_count, row_count;
    const char **cells;  // row by row; NULL: there is no value
    size_t total_rows;  // of these rows, how many at the end are totals, which machines do not want
    const char *heading;  // for people
    const char *notes;    // for people, below the table; "" none
};
// Everything lives in `arena`. Else db.h's answers; STATUS_OVERFLOW: amounts leave their range.
MUST_CHECK enum status
report_run(struct db *db, enum report_kind kind, const struct report_span *span,
           struct arena *arena, struct report *out_report);

// Read back from the ledger: contacts, placements, deliveries, conversions, what all transfers that
// facts caused come to, and the sum of what `unexplained` names (0 when the books are right).
struct report_proof {
    int64_t contacts, placements, delivered, converted;
    money posted, unexplained;
};
MUST_CHECK enum status report_proof(struct db *db, struct report_proof *out_proof);

#endif
