// What does not add up, by cause. Every cause is listed with what was found, so that a reader sees
// what was looked at; all must be 0.
//
//  1 Placements and orders: what their facts alone say is due, against what is posted (view
//    unexplained); told apart by whether all of it is missing, all of it is too much, or some.
//  2 Sums: what folds say against the transfers they sum up, by period, accounts, kind and state.
//  3 Elimination: transfer prices paid (5100) against earned (4100).
#include <string.h>

#include "report_finance.h"

static const struct report_column columns[] = {
    {"cause", "cause", false, false, REPORT_ALL},
    {"currency", "", false, false, REPORT_ALL},
    {"items", "items", true, true, REPORT_ALL},
    {"unexplained", "unexplained", true, false, REPORT_PEOPLE},
    {"unexplained_micros", "", true, true, REPORT_MACHINE},
};
#define COLUMNS (sizeof columns / sizeof columns[0])
static const struct report_column row_columns[] = {
    {"cause", "cause", false, false, REPORT_ALL},
    {"what", "what", false, false, REPORT_ALL},
    {"currency", "", false, false, REPORT_ALL},
    {"due", "due", true, false, REPORT_PEOPLE},
    {"due_micros", "", true, true, REPORT_MACHINE},
    {"posted", "posted", true, false, REPORT_PEOPLE},
    {"posted_micros", "", true, true, REPORT_MACHINE},
    {"unexplained", "unexplained", true, false, REPORT_PEOPLE},
    {"unexplained_micros", "", true, true, REPORT_MACHINE},
};
#define ROW_COLUMNS (sizeof row_columns / sizeof row_columns[0])

static const char *const causes[] = {
    "placement not posted",           "placement posted without its facts",
    "placement posted otherwise",     "order not posted",
    "order posted without its facts", "order posted otherwise",
    "sums differ from transfers",     "internal prices do not eliminate"};
#define CAUSES (sizeof causes / sizeof causes[0])

#define PAID                                             \
    "sum(case when s.dc = 5100 then s.micros else 0 end" \
    " - case when s.cc = 5100 then s.micros else 0 end)"
#define EARNED                                           \
    "sum(case when s.cc = 4100 then s.micros else 0 end" \
    " - case when s.dc = 4100 then s.micros else 0 end)"
// Columns: cause, what, currency, due, posted.
#define FOUND                                                                               \
    "with f as (select u.what || case when u.posted_micros = 0 then ' not posted'"          \
    "  when u.due_micros = 0 then ' posted without its facts'"                              \
    "  else ' posted otherwise' end as cause,"                                              \
    "  u.what || ' ' || u.id::text as what, u.currency, u.due_micros::numeric as due,"      \
    "  u.posted_micros::numeric as posted from unexplained u"                               \
    " union all select 'sums differ from transfers', x.period || ' ' || x.kind || ' '"      \
    "  || x.state || ' ' || x.debit::text || ' to ' || x.credit::text, x.currency,"         \
    "  sum(x.rows), sum(x.sums) from ("                                                     \
    "  select period, kind, state, debit, credit, currency, micros as sums,"                \
    "   0::numeric as rows from fold"                                                       \
    "   where period not in (select d.period from transfer_detached d)"                     \
    "  union all select period, kind, state, debit, credit, currency, 0, amount_micros"     \
    "   from transfer) x group by x.period, x.kind, x.state, x.debit, x.credit, x.currency" \
    "  having sum(x.rows) <> sum(x.sums)"                                                   \
    " union all select 'internal prices do not eliminate', s.period, s.currency, " PAID     \
    ", " EARNED " from report_fold s where s.dc in (4100, 5100) or s.cc in (4100, 5100)"    \
    "  group by s.period, s.currency having " PAID " <> " EARNED ")"

static enum status
ask_causes(struct finance *finance, struct db_rows **out_rows)
{
    static const char sql[] = FOUND
        " select x.total, x.cause, x.currency, x.n::text, x.off::text from ("
        " select 0 as total, c.place, c.cause, coalesce(f.currency, '') as currency,"
        "  count(f.cause) as n, coalesce(sum(abs(f.due - f.posted)), 0) as off"
        "  from unnest($1::text[]) with ordinality as c (cause, place)"
        "  left join f on f.cause = c.cause group by c.place, c.cause, coalesce(f.currency, '')"
        " union all select 1, 0, '', '', count(*), coalesce(sum(abs(f.due - f.posted)), 0) from "
        "f) x order by x.total, x.place, x.currency collate \"C\"";
    const struct db_param param = db_text_array(causes, CAUSES);
    return db_query(finance->sheet.db, sql, &param, 1, out_rows);
}

static enum status
put_behind(struct finance *finance)
{
    static const char sql[] = FOUND
        ", g as (select f.*, row_number() over (order by f.cause, f.what, f.currency) as nth from f"
        "  where $1 = 'total' or f.cause = $1), x as ("
        " select 0 as place, g.cause, g.what, g.currency, g.due, g.posted, abs(g.due - g.posted) "
        "as off from g where g.nth <= $2"
        " union all select 1, '', count(*)::text || ' further', '', sum(g.due), sum(g.posted),"
        "  sum(abs(g.due - g.posted)) from g where g.nth > $2 having count(*) > 0)"
        " select y.place, y.cause, y.what, y.currency, y.due::text, y.posted::text, y.off::text "
        "from ( select * from x union all select 2, 'total', '', '', sum(x.due), sum(x.posted), "
        "sum(x.off) from x having count(*) > 0) y order by y.place, y.cause collate \"C\", y.what"
        " collate \"C\"";
    const struct db_param params[] = {db_text(finance->question->rows), db_int8(FINANCE_ROWS)};
    struct sheet *sheet = &finance->sheet;
    struct db_rows *rows = NULL;
    enum status status = db_query(sheet->db, sql, params, 2, &rows);
    if (status != STATUS_OK) goto done;
    sheet_begin(sheet, row_columns, ROW_COLUMNS, db_count(rows));
    for (size_t row = 0; row < db_count(rows); row++) {
        sheet->report->total_rows += db_get_int(rows, row, 0) == 2;
        for (size_t i = 1; i < 4; i++) sheet_text(sheet, rows, row, i);
        for (size_t i = 4; i < 7; i++)
            report_amount(sheet, arena_printf(sheet->arena, "%s", db_get_text(rows, row, i)));
        sheet->report->wrong = true;
    }
    sheet->report->heading = arena_printf(sheet->arena, "Unexplained: what is behind '%s'",
                                          finance->question->rows);
    sheet->report->empty = "Nothing: all of it adds up.";
done:
    db_rows_free(rows);
    return status;
}

enum status
report_unexplained(struct finance *finance)
{
    const struct report_question *question = finance->question;
    struct sheet *sheet = &finance->sheet;
    struct db_rows *rows = NULL;
    if (question->span.period[0] || question->span.from.us || question->span.until.us)
        return report_fault(finance,
                            "unexplained is of the whole ledger; leave --period, --from and "
                            "--until out");
    if (question->rows) {
        bool known = strcmp(question->rows, "total") == 0;
        for (size_t i = 0; i < CAUSES; i++) known = known || strcmp(causes[i], question->rows) == 0;
        if (known) return put_behind(finance);
        report_fault(finance, "there is no cause '%s'; the report lists them, and 'total' is all",
                     question->rows);
        return STATUS_NOT_FOUND;
    }
    enum status status = ask_causes(finance, &rows);
    if (status != STATUS_OK) goto done;
    sheet_begin(sheet, columns, COLUMNS, db_count(rows));
    for (size_t row = 0; row < db_count(rows); row++) {
        bool total = db_get_int(rows, row, 0) == 1;
        const char *items = arena_printf(sheet->arena, "%s", db_get_text(rows, row, 3));
        sheet->report->total_rows += total;
        if (total) sheet_put(sheet, "total");
        else sheet_text(sheet, rows, row, 1);
        sheet_text(sheet, rows, row, 2);
        sheet_put(sheet, items);
        report_amount(sheet, arena_printf(sheet->arena, "%s", db_get_text(rows, row, 4)));
        if (total) sheet->report->wrong = strcmp(items, "0") != 0;
    }
    sheet->report->heading = "Unexplained, by cause: must be 0";
    sheet->report->empty = "";
done:
    db_rows_free(rows);
    return status;
}
