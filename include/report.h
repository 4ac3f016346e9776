// Reports over the ledger: for marketing the ladder, the nine objectives, the CxC matrix, the fill
// of slots, why bids lost, pacing, experiments, deals, learned rates; for finance what was earned
// and what is due, each figure of which opens to the transfers behind it; and the proof line. Rows
// of text, ready to be laid out. Amounts are exact; where those of marketing are for people they
// are whole cents that add up to the total shown.
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
    // Of finance: docs/reports.md says what each counts.
    REPORT_REVENUE,        // what was earned and what it cost, by up to three dimensions
    REPORT_INTERNAL,       // transfer prices between departments, and their elimination
    REPORT_ACCRUALS,       // what is accrued and not yet billed, locked or paid
    REPORT_AGING,          // what is open, by how long it has been
    REPORT_CLAWBACKS,      // what was paid out and came back
    REPORT_GAIN_SHARE,     // paid and due by beneficiary and merchant
    REPORT_UNEXPLAINED,    // what does not add up, by cause: must be 0
    REPORT_TRIAL_BALANCE,  // every account: opening, debits, credits, closing
    REPORT_ECONOMICS,      // contacts, what they cost, earned and achieved
    REPORT_INVESTMENT,     // a current state against a target
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
    const char *empty;    // for people, in place of a table without rows; "" the table all the same
    bool wrong;           // it should have said 0 and does not (unexplained, elimination)
};
// Everything lives in `arena`. Else db.h's answers; STATUS_OVERFLOW: amounts leave their range.
MUST_CHECK enum status
report_run(struct db *db, enum report_kind kind, const struct report_span *span,
           struct arena *arena, struct report *out_report);

// A report of finance, and what it takes beside the span. NULL: not given.
struct report_question {
    enum report_kind kind;
    struct report_span span;
    const char *by;    // revenue: "rung,seat"; economics: "container", "cell", "total"
    const char *rows;  // key of a row as the report prints it, or "total": the transfers behind it
    // Investment: states are periods, or "contacts=N,cost=A,objectives=D,revenue=A".
    const char *current, *target, *investment, *days, *currency;
    usec now;  // aging without a span is as of this time
};
// Whether the kind is one of finance's; only such are asked so.
bool report_of_finance(enum report_kind kind);
// Whether the question needs a database: an investment whose states are all given needs none, and
// `db` may be NULL then.
bool report_needs_ledger(const struct report_question *question);
// STATUS_INPUT: the question cannot be answered, and `out_fault` says what to write instead.
// STATUS_NOT_FOUND: no row has that key, `out_fault` says which there are. Else db.h's answers.
#define REPORT_FAULT 512
MUST_CHECK enum status
report_answer(struct db *db, const struct report_question *question, struct arena *arena,
              struct report *out_report, char out_fault[REPORT_FAULT]);

// Read back from the ledger: contacts, placements, deliveries, conversions, what all transfers that
// facts caused come to, and the sum of what `unexplained` names (0 when the books are right).
struct report_proof {
    int64_t contacts, placements, delivered, converted;
    money posted, unexplained;
};
MUST_CHECK enum status report_proof(struct db *db, struct report_proof *out_proof);

#endif
