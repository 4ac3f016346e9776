// A report in the making: its cells row by row, and the questions it asks the ledger. Shared by
// report.c and the files of the single reports.
#ifndef VENDUE_SHEET_H
#define VENDUE_SHEET_H

#include "market.h"
#include "report.h"

struct sheet {
    struct db *db;
    const struct report_span *span;
    struct arena *arena;
    struct report *report;
    struct market *market;  // newest; NULL: not read, or none was applied yet
    size_t used, room;
    struct currency currency;
    unsigned decimals;  // of a cent
    int64_t contacts;
};

// Columns and number of rows; then every cell is put, row by row.
void sheet_begin(struct sheet *sheet, const struct report_column *columns, size_t column_count,
                 size_t rows);
void sheet_put(struct sheet *sheet, const char *text);  // NULL: none; lives as long as the arena
void sheet_text(struct sheet *sheet, const struct db_rows *rows, size_t row, size_t column);
void sheet_count(struct sheet *sheet, int64_t count);
void sheet_micros(struct sheet *sheet, money amount);
void sheet_money(struct sheet *sheet, money amount, unsigned decimals);
void sheet_unit(struct sheet *sheet, money amount);  // for people: three decimals
// "12.3 %" of `whole`; empty when there is no whole.
void sheet_percent(struct sheet *sheet, int64_t part, int64_t whole);

// amount x times / count, exact micros rounded half to even; no count: zero.
money sheet_per(money amount, uint64_t times, int64_t count);
money sheet_plus(money a, money b);
int64_t sheet_sum(const struct db_rows *rows, size_t column);
// Cents of a column of micros; the last one, beyond the rows, is the total.
MUST_CHECK enum status
sheet_cents(struct sheet *sheet, const struct db_rows *rows, size_t column, money **out_cents);

// $1 period or '', $2 from, $3 until: the condition all views take.
#define SPAN_OF(view) \
    "($1 = '' or " view ".period = $1) and " view ".at_us >= $2 and " view ".at_us < $3"
MUST_CHECK enum status sheet_ask(struct sheet *sheet, const char *sql, struct db_rows **out_rows);
// For tables without a period: $2 and $3 are the span, within the period if one was asked for; $4
// the host's time zone.
#define DAY_OF(column) "(to_timestamp((" column ") / 1000000) at time zone $4)::date::text"
MUST_CHECK enum status
sheet_ask_days(struct sheet *sheet, const char *sql, struct db_rows **out_rows);
// The newest market; NULL: none was applied yet.
MUST_CHECK enum status sheet_market(struct sheet *sheet, const struct market **out_market);

#endif
