// What the market learned: responses and revenue of each message in each cell, as the engine
// counts them and with the engine's own arithmetic (learn.h), so that the rates shown are those
// that rank bids.
//
//  1 Counts are by placement: delivered, accepted, converted once or more; revenue is net of
//    refunds. Whole ledger unless a span is asked for.
//  2 Each rate is shrunk to that of the rung in the cell, and that to the rung's, which are sums of
//    the rows here; the rung's begins with what the market expects. What was won before cells were
//    noted (a row without a cell) counts in the rung alone.
#include <inttypes.h>

#include "learn.h"
#include "report_depth.h"

static const struct report_column columns[] = {
    {"message", "message", false, false, REPORT_ALL},
    {"stage", "stage", false, false, REPORT_ALL},
    {"channel", "channel", false, false, REPORT_ALL},
    {"delivered", "shown", true, true, REPORT_ALL},
    {"responded", "accepted", true, true, REPORT_ALL},
    {"converted", "converted", true, true, REPORT_ALL},
    {"revenue", "revenue", true, false, REPORT_PEOPLE},
    {"revenue_micros", "", true, true, REPORT_MACHINE},
    {"response_rate", "rate", true, false, REPORT_PEOPLE},
    {"response_ppm", "", true, true, REPORT_MACHINE},
    {"value", "value", true, false, REPORT_PEOPLE},
    {"value_micros", "", true, true, REPORT_MACHINE},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

struct counted {
    int64_t rung, cell;
    struct learn_counts own;
};

static struct learn
learn_of(const struct counted *all, size_t count, const struct counted *one,
         const struct market *market)
{
    struct learn learn = {0};
    if (one->cell >= 0) learn.own = one->own;
    if (market) {
        learn.rung = (struct learn_counts){market->expect_deliveries, market->expect_responses,
                                           market->expect_conversions, market->expect_revenue};
    }
    for (size_t i = 0; i < count; i++) {
        if (all[i].rung != one->rung) continue;
        learn_add(&learn.rung, &all[i].own);
        if (all[i].cell == one->cell && one->cell >= 0) learn_add(&learn.cell, &all[i].own);
    }
    return learn;
}

static void
put_row(struct sheet *sheet, const struct db_rows *rows, size_t row, const struct counted *one,
        const struct learn *learn)
{
    uint64_t rate = learn_response_rate(learn, false, 0);
    int64_t ppm = (int64_t)((rate * MONEY_PPM + LEARN_ONE / 2) / LEARN_ONE);
    money value = money_of((int64_t)learn_revenue(learn, false, 0));
    bool known = one->cell >= 0 && one->cell < STAGE_COUNT * CHANNEL_COUNT;
    sheet_text(sheet, rows, row, 0);
    sheet_put(sheet, known ? stage_name((enum stage)(one->cell / CHANNEL_COUNT)) : "");
    sheet_put(sheet, known ? channel_name((enum channel)(one->cell % CHANNEL_COUNT)) : "");
    sheet_count(sheet, (int64_t)one->own.delivered);
    sheet_count(sheet, (int64_t)one->own.responded);
    sheet_count(sheet, (int64_t)one->own.converted);
    sheet_unit(sheet, one->own.revenue);
    sheet_micros(sheet, one->own.revenue);
    sheet_put(sheet,
              arena_printf(sheet->arena, "%" PRId64 ".%04" PRId64 " %%", ppm / 10000, ppm % 10000));
    sheet_count(sheet, ppm);
    sheet_unit(sheet, value);
    sheet_micros(sheet, value);
}

enum status
report_rates(struct sheet *sheet)
{
    static const char sql[] =
        "select coalesce(m.code, r.message::text) collate \"C\", r.rung, r.cell,"
        " sum(r.delivered)::bigint, sum(r.responded)::bigint, sum(r.converted)::bigint,"
        " sum(r.micros)::bigint from report_learned r left join message m on m.id = r.message"
        " where " SPAN_OF(
            "r") " group by r.message, m.code, r.rung, r.cell order by 1, r.cell, r.rung";
    const struct market *market = NULL;
    struct db_rows *rows = NULL;
    enum status status = sheet_market(sheet, &market);
    if (status == STATUS_OK) status = sheet_ask(sheet, sql, &rows);
    if (status != STATUS_OK) goto done;
    size_t count = db_count(rows);
    struct counted *all = arena_take(sheet->arena, count + 1, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[i] = (struct counted){.rung = db_get_int(rows, i, 1),
                                  .cell = db_get_int(rows, i, 2),
                                  .own = {.delivered = (uint64_t)db_get_int(rows, i, 3),
                                          .responded = (uint64_t)db_get_int(rows, i, 4),
                                          .converted = (uint64_t)db_get_int(rows, i, 5),
                                          .revenue = db_get_money(rows, i, 6)}};
    }
    sheet_begin(sheet, columns, COLUMNS, count);
    for (size_t i = 0; i < count; i++) {
        struct learn learn = learn_of(all, count, &all[i], market);
        put_row(sheet, rows, i, &all[i], &learn);
    }
    sheet->report->heading = arena_printf(
        sheet->arena, "Learned rates by message and cell: revenue and value in %s",
        sheet->currency.code);
    sheet->report->notes = "Rates are means of what was learned, shrunk to those of the rung in "
                           "the cell. Value: expected net revenue a delivery.";
done:
    db_rows_free(rows);
    return status;
}
