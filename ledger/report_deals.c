// Deals: what was promised a day, and what came of it.
//
//  1 A day is the host's day on which a placement was won, as its fact says: what was won then and
//    is delivered later counts for that day.
//  2 Pending: won, and neither delivered nor ended. Short: promised, and neither delivered nor
//    pending.
#include <stdlib.h>

#include "report_depth.h"

static const struct report_column columns[] = {
    {"day", "day", false, false, REPORT_ALL},
    {"deal", "deal", false, false, REPORT_ALL},
    {"guarantee", "promised", true, true, REPORT_ALL},
    {"won", "won", true, true, REPORT_ALL},
    {"delivered", "delivered", true, true, REPORT_ALL},
    {"pending", "pending", true, true, REPORT_ALL},
    {"short", "short", true, true, REPORT_ALL},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static int64_t
guarantee_of(const struct market *market, int64_t deal)
{
    for (uint32_t i = 0; market && i < market->deal_count; i++) {
        if (market->deals[i].id == deal) return market->deals[i].guarantee;
    }
    return 0;  // it is no longer in the market
}

enum status
report_deals(struct sheet *sheet)
{
    static const char sql[] =
        "select (date '1970-01-01' + x.day)::text, coalesce(n.code, x.deal::text) collate \"C\", "
        "x.deal,"
        " x.won, x.delivered, x.won - x.delivered - x.ended"
        " from (select o.day, o.deal, count(*) as won, count(*) filter (where exists ("
        "   select 1 from event e where e.placement_id = o.placement_id and e.kind = 'delivered'"
        "   and e.state = 'posted')) as delivered, count(*) filter (where exists ("
        "   select 1 from event e where e.placement_id = o.placement_id"
        "   and e.kind in ('cancelled', 'expired') and e.state = 'posted')) as ended"
        "  from outcome o where o.filled and o.deal <> 0 and " SPAN_OF(
            "o") " group by 1, 2) x"
                 " left join object_now n on n.kind = 'deal' and n.id = x.deal"
                 " order by x.day, 2";
    const struct market *market = NULL;
    struct db_rows *rows = NULL;
    enum status status = sheet_market(sheet, &market);
    if (status == STATUS_OK) status = sheet_ask(sheet, sql, &rows);
    if (status != STATUS_OK) goto done;
    size_t count = db_count(rows);
    sheet_begin(sheet, columns, COLUMNS, count);
    for (size_t i = 0; i < count; i++) {
        int64_t promised = guarantee_of(market, db_get_int(rows, i, 2));
        int64_t met = db_get_int(rows, i, 4) + db_get_int(rows, i, 5);
        sheet_text(sheet, rows, i, 0);
        sheet_text(sheet, rows, i, 1);
        sheet_count(sheet, promised);
        for (size_t k = 3; k < 6; k++) sheet_count(sheet, db_get_int(rows, i, k));
        sheet_count(sheet, promised > met ? promised - met : 0);
    }
    sheet->report->heading = "Deals: promised and delivered, by the day on which they were won";
done:
    db_rows_free(rows);
    return status;
}
