// Reports of finance in the making: what each is made of (report_specs.c), and how a question about
// it is put to the database (report_finance.c). The other files answer what is not a sum of
// transfers.
#ifndef VENDUE_REPORT_FINANCE_H
#define VENDUE_REPORT_FINANCE_H

#include "sheet.h"

// What transfers are told apart by. `raw`, of the row `s`, is what is grouped by; `text` and
// `order`, of the group `r`, whose column stands for @, are what is printed and sorted by.
struct report_dimension {
    const char *name, *title;
    const char *raw;
    const char *join;  // what `raw` needs beside `s`; "" nothing
    const char *text, *order;
};
// What is added up: `each`, of the row `s`.
struct report_measure {
    const char *key, *title, *each;
};
#define FINANCE_DIMENSIONS 3
#define FINANCE_MEASURES 8
struct report_spec {
    bool sides;    // rows are the two sides of transfers: s.account, s.other, s.micros signed
    bool opening;  // earlier rows count too, as s.before
    bool to_date;  // earlier rows count like the span's own
    bool by_first;  // totals by the first dimension, not of all
    const char *filter;
    const struct report_dimension *dimensions[FINANCE_DIMENSIONS];  // NULL: asked for by `by`
    const struct report_measure *measures;                          // the last one is the figure
    size_t measure_count;
    const char *heading, *notes, *empty;
    const char *zero;  // measure that must be 0 in every total; NULL none
};
// NULL: no report that adds up transfers.
const struct report_spec *report_spec_of(enum report_kind kind);
// By name, within those that revenue may be asked by; NULL: there is none.
const struct report_dimension *report_dimension_of(const char *name, size_t len);
const char *report_dimension_names(void);  // "rung, objective, ..."

struct finance {
    struct sheet sheet;
    const struct report_question *question;
    char *fault;  // of REPORT_FAULT bytes
    int64_t from_day, until_day;
};
// Says what is wrong with the question; STATUS_INPUT.
enum status __attribute__((format(printf, 2, 3)))
report_fault(struct finance *finance, const char *format, ...);
// $1 period, $2 first day, $3 day behind the last; then `more`.
MUST_CHECK enum status report_ask(struct finance *finance, const char *sql,
                                   const struct db_param *more, size_t count,
                                   struct db_rows **out_rows);
// "in November 2026", "from 2026-11-01 until 2026-11-08", "in the whole ledger".
const char *report_span_text(struct finance *finance);
const char *report_until_text(struct finance *finance);  // "up to 2026-11-30", "to date"
// Micros as the database wrote them, for people: six decimals, of any size.
const char *report_units(struct arena *arena, const char *micros);
const char *report_at(struct arena *arena, usec at);  // "2026-11-22 15:00:00", for people
// A column of amounts stands twice: for people, and exact for machines.
void report_columns(struct report_column *columns, size_t *count, struct arena *arena,
                     const char *key, const char *title, bool machine_only);
void report_amount(struct sheet *sheet, const char *micros);

// The span, where rows are `s`: within it; before it.
#define FINANCE_WITHIN "(($1 = '' or s.period = $1) and s.day >= $2 and s.day < $3)"
#define FINANCE_BEFORE \
    "(($1 <> '' and s.period < $1 collate \"C\") or ($1 = '' and s.day < $2))"
#define FINANCE_UNTIL "(($1 = '' or s.period <= $1 collate \"C\") and s.day < $3)"
// How many rows behind a figure are printed one by one; the others are one row.
#define FINANCE_ROWS 10000

// A question in the making: the report and what its rows are told apart by.
struct report_plan {
    const struct report_spec *spec;
    const struct report_dimension *dimensions[FINANCE_DIMENSIONS];
    size_t count;
};
// " from ... where ...": rows `s` that count, of sums or one by one.
const char *report_source(const struct report_plan *plan, struct arena *arena, bool rows);
// Rows of a report: 0 total (1) or not, 1 currency, then of each dimension raw and text, then
// number of transfers, then measures. What is behind the one that the question's key names.
MUST_CHECK enum status report_behind(struct finance *finance, const struct report_plan *plan,
                                      const struct db_rows *found);
MUST_CHECK enum status report_sums(struct finance *finance, const struct report_spec *spec);
MUST_CHECK enum status report_aging(struct finance *finance);
MUST_CHECK enum status report_unexplained(struct finance *finance);
MUST_CHECK enum status report_economics(struct finance *finance);
MUST_CHECK enum status report_investment(struct finance *finance);

// A state of the platform: what all contacts of a span cost, earned and achieved.
struct report_state {
    int64_t contacts;
    money cost, revenue;  // of all of them
    money objectives;     // achieved per contact
    int64_t days;
    const char *currency;
};
MUST_CHECK enum status report_state(struct finance *finance, struct report_state *out_state);

#endif
