// Experiments with floors: what the variant brought beside the control.
//
//  1 Revenue of a contact: prices that became due from it and gain-share pools, refunds taken off
//    (view experiment_contact). Averages are exact micros rounded once.
//  2 The difference is the variant's mean less the control's; its standard error is
//      sqrt(var(variant) / n + var(control) / m), var with n - 1,
//    worked out by PostgreSQL in numeric. Rounded to micros at the very end.
//  3 Decision: stopped, when it stopped itself; too few contacts, while an arm has fewer than 30;
//    variant earns more or less, when the difference is above 1.96 standard errors; else no
//    difference shown yet.
#include "report_depth.h"

static const struct report_column columns[] = {
    {"experiment", "experiment", false, false, REPORT_ALL},
    {"arm", "arm", false, false, REPORT_ALL},
    {"contacts", "contacts", true, true, REPORT_ALL},
    {"offered", "", true, true, REPORT_MACHINE},
    {"filled", "", true, true, REPORT_MACHINE},
    {"fill", "fill", true, false, REPORT_PEOPLE},
    {"revenue", "revenue", true, false, REPORT_PEOPLE},
    {"revenue_micros", "", true, true, REPORT_MACHINE},
    {"per_contact", "a contact", true, false, REPORT_PEOPLE},
    {"per_contact_micros", "", true, true, REPORT_MACHINE},
    {"difference", "difference", true, false, REPORT_PEOPLE},
    {"difference_micros", "", true, true, REPORT_MACHINE},
    {"error", "error", true, false, REPORT_PEOPLE},
    {"error_micros", "", true, true, REPORT_MACHINE},
    {"decision", "decision", false, false, REPORT_ALL},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static const char sql[] =
    "with arm as (select e.experiment, e.variant, count(*)::numeric as n, sum(e.offered) as "
    "offered,"
    "  sum(e.filled) as filled, sum(e.micros) as s, sum(e.micros * e.micros) as q"
    "  from experiment_contact e where " SPAN_OF(
        "e") " group by e.experiment, e.variant),"
             " pair as (select v.experiment, v.n as vn, c.n as cn, v.s / v.n - c.s / c.n as "
             "difference,"
             "  sqrt((v.q - v.s * v.s / v.n) / greatest(v.n - 1, 1) / v.n"
             "   + (c.q - c.s * c.s / c.n) / greatest(c.n - 1, 1) / c.n) as error"
             "  from arm v join arm c on c.experiment = v.experiment and not c.variant where "
             "v.variant)"
             " select coalesce(o.code, a.experiment::text) collate \"C\", case when a.variant "
             "then 'variant' else 'control'"
             "  end, a.n::bigint, a.offered::bigint, a.filled::bigint, a.s::bigint, a.variant and"
             "  p.experiment is not null, coalesce(round(p.difference), 0)::bigint,"
             "  coalesce(round(p.error), 0)::bigint,"
             "  case when not a.variant then '' when t.experiment is not null then 'stopped: it "
             "lost'"
             "   when p.experiment is null or least(p.vn, p.cn) < 30 then 'too few contacts'"
             "   when p.difference * p.difference * 10000 <= p.error * p.error * 38416"
             "    then 'no difference shown'"
             "   when p.difference > 0 then 'variant earns more' else 'variant earns less' end"
             " from arm a left join pair p on p.experiment = a.experiment"
             " left join experiment_stop t on t.experiment = a.experiment"
             " left join object_now o on o.kind = 'experiment' and o.id = a.experiment"
             " order by 1, a.experiment, a.variant";

static void
put_row(struct sheet *sheet, const struct db_rows *rows, size_t row)
{
    money revenue = db_get_money(rows, row, 5);
    money each = sheet_per(revenue, 1, db_get_int(rows, row, 2));
    bool compared = db_get_bool(rows, row, 6);
    sheet_text(sheet, rows, row, 0);
    sheet_text(sheet, rows, row, 1);
    for (size_t k = 2; k < 5; k++) sheet_count(sheet, db_get_int(rows, row, k));
    sheet_percent(sheet, db_get_int(rows, row, 4), db_get_int(rows, row, 3));
    sheet_unit(sheet, revenue);
    sheet_micros(sheet, revenue);
    sheet_money(sheet, each, 6);
    sheet_micros(sheet, each);
    for (size_t k = 7; k < 9; k++) {
        if (compared) sheet_money(sheet, db_get_money(rows, row, k), 6);
        else sheet_put(sheet, NULL);
        if (compared) sheet_micros(sheet, db_get_money(rows, row, k));
        else sheet_put(sheet, NULL);
    }
    sheet_text(sheet, rows, row, 9);
}

enum status
report_experiments(struct sheet *sheet)
{
    struct db_rows *rows = NULL;
    enum status status = sheet_ask(sheet, sql, &rows);
    if (status != STATUS_OK) goto done;
    size_t count = db_count(rows);
    sheet_begin(sheet, columns, COLUMNS, count);
    for (size_t i = 0; i < count; i++) put_row(sheet, rows, i);
    sheet->report->heading = arena_printf(sheet->arena,
                                          "Experiments with floors: what contacts brought, in %s",
                                          sheet->currency.code);
    sheet->report->notes = "Difference: variant less control, a contact. A difference counts as "
                           "shown above 1.96 standard errors.";
done:
    db_rows_free(rows);
    return status;
}
