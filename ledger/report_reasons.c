// Why bids did not win, from the records of rounds, by day of the host's clock.
//
//  1 Rows of a slot without a seat count all bids that were judged there, as the tally of each
//    round says; what the search did not look at is not judged.
//  2 Rows of a seat count those bids of it that the record keeps one by one: the eligible ones down
//    to the eighth place, the dearest refused ones, and what became of bid requests (no slot).
//  3 What an eligible bid lost to: view record_reason.
#include "report_depth.h"

static const struct report_column columns[] = {
    {"day", "day", false, false, REPORT_ALL},     {"seat", "seat", false, false, REPORT_ALL},
    {"slot", "slot", false, false, REPORT_ALL},   {"reason", "reason", false, false, REPORT_ALL},
    {"number", "number", true, true, REPORT_ALL}, {"count", "bids", true, true, REPORT_ALL},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

// A column as text that sorts by its bytes: a code, or the number of what is gone, or nothing.
#define CODE(code, id) "coalesce(" code ", nullif(" id ", 0)::text, '') collate \"C\""

enum status
report_reasons(struct sheet *sheet)
{
    static const char sql[] = "select " DAY_OF("r.at_us") ", " CODE("s.code", "r.seat") ", " CODE(
        "l.tagid", "r.slot") ","
                             " n.key, n.number::bigint, sum(r.count)::bigint from record_reason r"
                             " join reason_name n on n.reason = r.reason"
                             " left join seat s on s.id = r.seat left join slot l on l.id = r.slot"
                             " where r.at_us >= $2 and r.at_us < $3"
                             " group by 1, 2, 3, 4, 5 order by 1, 2, 3, 6 desc, 5";
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
