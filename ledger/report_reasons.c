// Why bids did not win, from the records of rounds, by day of the host's clock.
//
//  1 Rows of a slot without a seat count all bids that were judged there, as the tally of each
//    round says; what the search did not look at is not judged.
//  2 Rows of a seat count those bids of it that the record keeps one by one: the eligible ones down
//    to the eighth place, the dearest refused ones, and what became of bid requests (no slot).
//  3 An eligible bid lost because its message won another slot (duplicate), to a better bid of its
//    own seat (own_seat), to a higher priority though it was worth more (lost_to_priority), or to
//    a better bid (outbid); where nothing was sold, to what the outcome says.
#include <inttypes.h>
#include <stdlib.h>

#include "report_depth.h"

static const struct report_column columns[] = {
    {"day", "day", false, false, REPORT_ALL},     {"seat", "seat", false, false, REPORT_ALL},
    {"slot", "slot", false, false, REPORT_ALL},   {"reason", "reason", false, false, REPORT_ALL},
    {"number", "number", true, true, REPORT_ALL}, {"count", "bids", true, true, REPORT_ALL},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

#define OF_CONTACT(row)                                                                \
    "c.log = " row ".log and c.batch = " row ".batch and c.idx < " row ".idx and " row \
    ".idx <= c.idx + c.slots + c.records"
#define SCORE_OF(row)                                                                      \
    "case " row ".how & 3 when 0 then " row ".price::numeric when 1 then " row             \
    ".price::numeric * " row ".multiplier / 4294967296 else " row ".price::numeric * " row \
    ".multiplier / 1000000 end"
#define WITHIN(row) row ".at_us >= $2 and " row ".at_us < $3"

static const char sql[] =
    "select x.day, coalesce(s.code, case when x.seat = 0 then '' else x.seat::text end) collate \"C\" as seat,"
    " coalesce(l.tagid, case when x.slot = 0 then '' else x.slot::text end) collate \"C\" as slot, n.key,"
    " n.number::bigint, sum(x.count)::bigint from ("
    // the tally: all bids
    " select " DAY_OF(
        "t.at_us") " as day, 0 as seat, t.slot, u.reason, u.count::bigint as count"
                   "  from tally t cross join lateral unnest(t.reasons, t.counts) as u (reason, count)"
                   "  where " WITHIN("t")
    // eligible bids that lost
    " union all select " DAY_OF(
        "k.at_us") ", k.seat, k.slot,"
                   "  (select r.reason from reason_name r where r.key = case when k.how & 16 <> 0 then 'duplicate'"
                   "   when not o.filled then coalesce(o.main_reason, o.reason)"
                   "   when k.seat = o.seat then 'own_seat'"
                   "   when k.priority < w.priority and " SCORE_OF("k") " > " SCORE_OF(
                       "w") "   then 'lost_to_priority' else 'outbid' end), 1"
                            "  from candidate k join contact c on " OF_CONTACT(
                                "k") "  join outcome o on o.placement_id ="
                                     "   (left(c.contact_id::text, 35) || to_hex(k.position::integer))::uuid"
                                     "  left join candidate w on o.filled and w.log = k.log and w.batch = k.batch"
                                     "   and w.idx > c.idx and w.idx <= c.idx + c.slots + c.records"
                                     "   and w.position = k.position and w.bid = o.bid"
                                     "  where not (o.filled and o.bid = k.bid) and " WITHIN("k")
    // refused bids
    " union all select " DAY_OF("f.at_us") ", f.seat, f.slot, f.reason, 1 from refusal f"
                                           "  where " WITHIN("f")
    // bid requests
    " union all select " DAY_OF(
        "a.at_us") ", a.seat, 0, a.reason, 1 from callout a"
                   "  where a.reason <> 0 and " WITHIN(
                       "a") " ) x join reason_name n on n.reason = x.reason left join seat s on s.id = x.seat"
                            " left join slot l on l.id = x.slot"
                            " group by 1, 2, 3, 4, 5"
                            " order by 1, 2, 3, 6 desc, 5";

enum status
report_reasons(struct sheet *sheet)
{
    struct db_rows *rows = NULL;
    enum status status = sheet_ask_days(sheet, sql, &rows);
    if (status != STATUS_OK) goto done;
    size_t count = db_count(rows);
    sheet_begin(sheet, columns, COLUMNS, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < 4; k++) sheet_text(sheet, rows, i, k);
        sheet_count(sheet, db_get_int(rows, i, 4));
        sheet_count(sheet, db_get_int(rows, i, 5));
    }
    sheet->report->heading = "Why bids did not win, by day of the host's clock";
    sheet->report->notes = "Without a seat: all bids judged in the slot. Of a seat: its bids that "
                           "the records keep, the dearest of each round.";
done:
    db_rows_free(rows);
    return status;
}
