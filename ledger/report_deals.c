// Deals: what was promised a day, and what came of it.
//
//  1 A day is the host's day on which a placement was won, as its fact says: what was won then and
//    is delivered later counts for that day.
//  2 A deal with a guarantee has a row for every day on which anything was won while it was in
//    force, also when nothing was won under it.
//  3 Pending: won, and neither delivered nor ended. Short: promised, and neither delivered nor
//    pending.
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

// Deals with a guarantee: ids, and when they are in force.
struct promised {
    int32_t *ids;
    int64_t *from, *until;
    size_t count;
};

static struct promised
collect_promised(const struct market *market, struct arena *arena)
{
    size_t room = (market ? market->deal_count : 0) + 1;
    struct promised out = {arena_take(arena, room, sizeof *out.ids),
                           arena_take(arena, room, sizeof *out.from),
                           arena_take(arena, room, sizeof *out.until), 0};
    for (uint32_t i = 0; market && i < market->deal_count; i++) {
        const struct market_deal *deal = &market->deals[i];
        if (deal->guarantee == 0) continue;
        out.ids[out.count] = (int32_t)deal->id;
        out.from[out.count] = deal->from.us;
        out.until[out.count++] = deal->until.us ? deal->until.us : INT64_MAX;
    }
    return out;
}

static enum status
ask_deals(struct sheet *sheet, const struct market *market, struct db_rows **out_rows)
{
    static const char sql[] =
        "with won as (select o.day, o.deal, count(*) as won, count(*) filter (where exists ("
        "   select 1 from event e where e.placement_id = o.placement_id and e.kind = 'delivered'"
        "   and e.state = 'posted')) as delivered, count(*) filter (where exists ("
        "   select 1 from event e where e.placement_id = o.placement_id"
        "   and e.kind in ('cancelled', 'expired') and e.state = 'posted')) as ended"
        "  from outcome o where o.filled and o.deal <> 0 and ($1 = '' or o.period = $1)"
        "  and o.at_us >= $2 and o.at_us < $3 group by 1, 2),"
        " days as (select distinct o.day, (extract(epoch from"
        "   ((date '1970-01-01' + o.day)::timestamp at time zone $4)) * 1000000)::bigint as begins"
        "  from outcome o where o.filled and o.day > 0 and ($1 = '' or o.period = $1)"
        "  and o.at_us >= $2 and o.at_us < $3)"
        " select (date '1970-01-01' + x.day)::text,"
        " coalesce(n.code, x.deal::text) collate \"C\", x.deal, coalesce(w.won, 0),"
        " coalesce(w.delivered, 0), coalesce(w.won - w.delivered - w.ended, 0)"
        " from (select day, deal from won union select d.day, g.id from days d"
        "  join unnest($5::integer[], $6::bigint[], $7::bigint[]) as g (id, begins, ends)"
        "  on g.begins < d.begins + 86400000000 and g.ends > d.begins) x"
        " left join won w on w.day = x.day and w.deal = x.deal"
        " left join object_now n on n.kind = 'deal' and n.id = x.deal order by x.day, 2";
    struct promised promised = collect_promised(market, sheet->arena);
    usec until = sheet->span->until;
    if (until.us == 0) until = (usec){INT64_MAX};
    const struct db_param params[] = {db_text(sheet->span->period),
                                      db_time(sheet->span->from),
                                      db_time(until),
                                      db_text(market ? market->zone : "UTC"),
                                      db_int4_array(promised.ids, promised.count),
                                      db_int8_array(promised.from, promised.count),
                                      db_int8_array(promised.until, promised.count)};
    return db_query(sheet->db, sql, params, 7, out_rows);
}

enum status
report_deals(struct sheet *sheet)
{
    const struct market *market = NULL;
    struct db_rows *rows = NULL;
    enum status status = sheet_market(sheet, &market);
    if (status == STATUS_OK) status = ask_deals(sheet, market, &rows);
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
