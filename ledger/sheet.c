// Cells, columns and questions that all reports share.
#include "sheet.h"

#include <inttypes.h>
#include <string.h>

#include "fail.h"
#include "period.h"
#include "publish.h"

void
sheet_put(struct sheet *sheet, const char *text)
{
    CHECK(sheet->used < sheet->room);
    sheet->report->cells[sheet->used++] = text;
}

void
sheet_count(struct sheet *sheet, int64_t count)
{
    sheet_put(sheet, arena_printf(sheet->arena, "%" PRId64, count));
}

void
sheet_micros(struct sheet *sheet, money amount)
{
    sheet_count(sheet, amount.micros);
}

void
sheet_money(struct sheet *sheet, money amount, unsigned decimals)
{
    char text[MONEY_TEXT];
    size_t len = money_format(amount, decimals, text);
    sheet_put(sheet, arena_text(sheet->arena, text, len));
}

// "12.3 %" of `whole`; empty when there is no whole.
void
sheet_percent(struct sheet *sheet, int64_t part, int64_t whole)
{
    if (whole == 0) {
        sheet_put(sheet, "");
        return;
    }
    __extension__ __int128 tenths = ((__int128)part * 2000 + whole) / ((__int128)whole * 2);
    sheet_put(sheet, arena_printf(sheet->arena, "%" PRId64 ".%d %%", (int64_t)(tenths / 10),
                                  (int)(tenths % 10)));
}

// amount x times / count, exact micros rounded half to even; no count: zero.
money
sheet_per(money amount, uint64_t times, int64_t count)
{
    money out = money_of(0);
    if (count > 0) CHECK(money_ratio(amount, times, (uint64_t)count, &out) == STATUS_OK);
    return out;
}

// The same for people: three decimals.
void
sheet_unit(struct sheet *sheet, money amount)
{
    money thousands, rounded;
    CHECK(money_ratio(amount, 1, 1000, &thousands) == STATUS_OK);
    if (money_ratio(thousands, 1000, 1, &rounded) != STATUS_OK) rounded = amount;
    sheet_money(sheet, rounded, 3);
}

money
sheet_plus(money a, money b)
{
    money sum;
    CHECK(money_add(a, b, &sum) == STATUS_OK);  // sums of sums that the database kept within range
    return sum;
}

void
sheet_begin(struct sheet *sheet, const struct report_column *columns, size_t column_count,
            size_t rows)
{
    struct report *report = sheet->report;
    report->columns = columns;
    report->column_count = column_count;
    report->row_count = rows;
    report->notes = "";
    sheet->room = rows * column_count;
    report->cells = arena_take(sheet->arena, sheet->room + 1, sizeof *report->cells);
}

enum status
sheet_ask(struct sheet *sheet, const char *sql, struct db_rows **out_rows)
{
    int64_t until = sheet->span->until.us == 0 ? INT64_MAX : sheet->span->until.us;
    const struct db_param params[] = {db_text(sheet->span->period), db_int8(sheet->span->from.us),
                                      db_int8(until)};
    return db_query(sheet->db, sql, params, 3, out_rows);
}

// Cents of a column of micros; the last one, beyond the rows, is the total.
enum status
sheet_cents(struct sheet *sheet, const struct db_rows *rows, size_t column, money **out_cents)
{
    size_t count = db_count(rows);
    money *exact = arena_take(sheet->arena, count + 1, sizeof *exact), residue;
    *out_cents = arena_take(sheet->arena, count + 1, sizeof **out_cents);
    for (size_t i = 0; i < count; i++) exact[i] = db_get_money(rows, i, column);
    return period_round(exact, count, period_cent(sheet->currency), *out_cents,
                        &(*out_cents)[count], &residue);
}

int64_t
sheet_sum(const struct db_rows *rows, size_t column)
{
    int64_t sum = 0;
    for (size_t i = 0; i < db_count(rows); i++) {
        money added = sheet_plus(money_of(sum), db_get_money(rows, i, column));
        sum = added.micros;
    }
    return sum;
}

void
sheet_text(struct sheet *sheet, const struct db_rows *rows, size_t row, size_t column)
{
    sheet_put(sheet, arena_text(sheet->arena, db_get_text(rows, row, column),
                                db_get_len(rows, row, column)));
}

enum status
sheet_market(struct sheet *sheet, const struct market **out_market)
{
    enum status status = STATUS_OK;
    if (!sheet->market) {
        status = publish_load_market(sheet->db, 0, sheet->arena, &sheet->market);
    }
    *out_market = sheet->market;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

// A period counts here as its span of days: what happened then, whenever it was booked.
enum status
sheet_ask_days(struct sheet *sheet, const char *sql, struct db_rows **out_rows)
{
    const struct market *market = NULL;
    struct period period = {.until = {INT64_MAX}};
    enum status status = sheet_market(sheet, &market);
    if (status != STATUS_OK) return status;
    const char *name = sheet->span->period;
    if (name[0]) status = period_parse(name, strlen(name), &period);
    if (status != STATUS_OK) return status;
    usec from = sheet->span->from, until = sheet->span->until;
    if (until.us == 0 || until.us > period.until.us) until = period.until;
    if (from.us < period.from.us) from = period.from;
    const struct db_param params[] = {db_text(name), db_time(from), db_time(until),
                                      db_text(market ? market->zone : "UTC")};
    return db_query(sheet->db, sql, params, 4, out_rows);
}
