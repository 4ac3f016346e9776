// The transfers behind a figure of a report of finance.
//
//  1 They are read through the same expressions and the same condition on time as the figure, so
// they
//    add up to it (report_finance.c, 1).
//  2 A key is a row's names with commas between, as printed; "total" is all rows. It is looked up
//    among the report's own rows, so what can be asked for is exactly what is shown.
//  3 What was carried over from before the span is one row, "opening". Of more than FINANCE_ROWS
//    transfers the first are printed one by one, the others as one row.
#include <string.h>

#include "report_finance.h"
#include "transfer.h"

static const char *
key_of(const struct report_plan *plan, const struct db_rows *rows, size_t row, struct arena *arena)
{
    const char *key = "";
    bool total = db_get_int(rows, row, 0) == 1;
    for (size_t i = 0; i < (total ? 1 : plan->count); i++)
        key = arena_printf(arena, "%s%s%s", key, i ? "," : "", db_get_text(rows, row, 3 + 2 * i));
    return total ? arena_printf(arena, "%s,total", key) : key;
}

static enum status
no_such_row(struct finance *finance, const struct report_plan *plan, const struct db_rows *rows)
{
    struct arena *arena = finance->sheet.arena;
    const char *known = "";
    size_t row = 0, named_rows = 0;
    for (; row < db_count(rows) && db_get_int(rows, row, 0) == 0 && strlen(known) < 250; row++) {
        const char *key = key_of(plan, rows, row, arena);
        known = arena_printf(arena, "%s%s'%s'", known, named_rows++ ? ", " : "", key);
    }
    bool more = row < db_count(rows) && db_get_int(rows, row, 0) == 0;
    if (!named_rows)
        report_fault(finance, "there is nothing to open: the report has no rows %s",
                     report_span_text(finance));
    else
        report_fault(finance, "the report has no row '%s'; its rows are %s%s, and 'total' is all",
                     finance->question->rows, known, more ? ", ..." : "");
    return STATUS_NOT_FOUND;
}

// A condition on the groups that the key names; texts of them go as $4, $5 and $6.
static enum status
find_rows(struct finance *finance, const struct report_plan *plan, const struct db_rows *rows,
          const char **out_condition, struct db_param out_params[FINANCE_DIMENSIONS])
{
    struct arena *arena = finance->sheet.arena;
    *out_condition = "";
    for (size_t i = 0; i < FINANCE_DIMENSIONS; i++) out_params[i] = db_text("");
    if (strcmp(finance->question->rows, "total") == 0)
        return db_count(rows) ? STATUS_OK : no_such_row(finance, plan, rows);
    for (size_t row = 0; row < db_count(rows); row++) {
        bool total = db_get_int(rows, row, 0) == 1;
        if (total && !plan->spec->by_first) break;
        if (strcmp(key_of(plan, rows, row, arena), finance->question->rows) != 0) continue;
        for (size_t i = 0; i < (total ? 1 : plan->count); i++) {
            const char *raw = db_get_text(rows, row, 2 + 2 * i);
            *out_condition = arena_printf(arena, "%s and (%s)::text = $%zu", *out_condition,
                                          plan->dimensions[i]->raw, 4 + i);
            out_params[i] = db_text(arena_printf(arena, "%s", raw));
        }
        return STATUS_OK;
    }
    return no_such_row(finance, plan, rows);
}

// Columns: 0 place (0 opening, 1 a transfer, 2 the others, 3 total), 1 currency, 2 number of
// transfers, 3 period, 4 effective_us, 5 kind, 6 debit, 7 credit, 8 reference, 9 placement,
// 10 transfer, 11 log, 12 batch, 13 idx, 14 and 15 numbers of both accounts, then measures.
#define NO_TRANSFER                                                                        \
    "''::text, 0::bigint, ''::text, ''::text, ''::text, ''::text, ''::text, ''::text, 0, " \
    "0::bigint, 0, 0::bigint, 0::bigint"
static const char *
rows_sql(const struct report_plan *plan, struct arena *arena, const char *condition)
{
    const struct report_spec *spec = plan->spec;
    const char *each = "", *sum = "", *plain = "", *text = "";
    for (size_t i = 0; i < spec->measure_count; i++) {
        each = arena_printf(arena, "%s, (%s)::numeric as m%zu", each, spec->measures[i].each, i);
        sum = arena_printf(arena, "%s, sum(t.m%zu)", sum, i);
        plain = arena_printf(arena, "%s, t.m%zu", plain, i);
        text = arena_printf(arena, "%s, y.m%zu::text", text, i);
    }
    const char *opening =
        spec->opening
            ? arena_printf(arena,
                           " union all select 0, t.currency, sum(t.count), " NO_TRANSFER
                           "%s from (select"
                           " s.currency, s.count%s%s%s and s.before) t group by t.currency",
                           sum, each, report_source(plan, arena, false), condition)
            : "";
    return arena_printf(
        arena,
        "with t as (select s.*%s, row_number() over (partition by s.currency order by "
        "s.effective_us, s.transfer_id) as nth%s%s%s), x as ("
        " select 1 as place, t.currency, t.count::numeric as n, t.period, t.effective_us, t.kind,"
        " coalesce((select a.name from account a where a.currency = t.currency and"
        " a.account = t.debit), t.debit::text) as debit,"
        " coalesce((select a.name from account a where a.currency = t.currency and"
        " a.account = t.credit), t.credit::text) as credit,"
        " t.reference, coalesce(t.placement_id::text, '') as placement, t.transfer_id::text as id,"
        " t.log, t.batch, t.idx, t.debit as debit_id, t.credit as credit_id%s from t"
        " where t.nth <= %d"
        " union all select 2, t.currency, sum(t.count), " NO_TRANSFER "%s from t where t.nth > %d"
        " group by t.currency%s)"
        " select y.place, y.currency, y.n::text, y.period, y.effective_us,"
        " y.kind, y.debit, y.credit, y.reference, y.placement, y.id, y.log, y.batch, y.idx,"
        " y.debit_id, y.credit_id%s"
        " from (select * from x union all"
        " select 3, t.currency, sum(t.n), " NO_TRANSFER "%s from x t group by t.currency) y"
        " order by case when y.place = 3 then 1 else 0 end, y.currency collate \"C\", y.place,"
        " y.effective_us, y.id collate \"C\", y.m%zu",
        each, report_source(plan, arena, true), spec->opening ? " and not s.before" : "", condition,
        plain, FINANCE_ROWS, sum, FINANCE_ROWS, opening, text, sum, spec->measure_count - 1);
}

static const char *
row_words(struct finance *finance, const struct db_rows *rows, size_t row)
{
    struct arena *arena = finance->sheet.arena;
    switch (db_get_int(rows, row, 0)) {
    case 0: return "opening";
    case 2: return arena_printf(arena, "%s further", db_get_text(rows, row, 2));
    case 3: return "total";
    default: return arena_printf(arena, "%s", db_get_text(rows, row, 5));
    }
}

// People see all of a few figures, and of many the last, which is what the others come to.
static bool
for_people(const struct report_spec *spec, size_t measure)
{
    return spec->measure_count <= 3 || measure + 1 == spec->measure_count;
}

// An account for people who read many: "5100 sales", "4210/5 sales".
static const char *
short_account(struct arena *arena, const struct db_rows *rows, size_t row, size_t column)
{
    struct account account = account_of_number(db_get_int(rows, row, column + 8));
    const char *name = db_get_text(rows, row, column), *seat = strrchr(name, ':');
    const char *rung = account.rung ? arena_printf(arena, "/%u", account.rung) : "";
    return arena_printf(arena, "%u%s%s%s", account.code, rung, account.seat ? " " : "",
                        account.seat && seat ? seat + 1 : "");
}

static void
put_rows(struct finance *finance, const struct report_plan *plan, const struct db_rows *rows)
{
    static const struct report_column fixed[] = {
        {"effective", "", false, false, REPORT_MACHINE},
        {"effective_short", "effective", false, false, REPORT_PEOPLE},
        {"kind", "kind", false, false, REPORT_ALL},
        {"debit_short", "debit", false, false, REPORT_PEOPLE},
        {"credit_short", "credit", false, false, REPORT_PEOPLE},
        {"period", "", false, false, REPORT_MACHINE},
        {"debit", "", false, false, REPORT_MACHINE},
        {"credit", "", false, false, REPORT_MACHINE},
        {"reference", "reference", false, false, REPORT_ALL},
        {"placement", "", false, false, REPORT_MACHINE},
        {"transfer", "", false, false, REPORT_MACHINE},
        {"log", "", true, true, REPORT_MACHINE},
        {"batch", "", true, true, REPORT_MACHINE},
        {"idx", "", true, true, REPORT_MACHINE},
        {"currency", "", false, false, REPORT_ALL},
    };
    struct sheet *sheet = &finance->sheet;
    const struct report_spec *spec = plan->spec;
    size_t count = sizeof fixed / sizeof fixed[0];
    struct report_column *columns = arena_take(sheet->arena, count + 2 * spec->measure_count,
                                               sizeof *columns);
    memcpy(columns, fixed, sizeof fixed);
    for (size_t i = 0; i < spec->measure_count; i++)
        report_columns(columns, &count, sheet->arena, spec->measures[i].key,
                       spec->measures[i].title, !for_people(spec, i));
    sheet_begin(sheet, columns, count, db_count(rows));
    for (size_t row = 0; row < db_count(rows); row++) {
        int64_t place = db_get_int(rows, row, 0);
        char at[CLOCK_TEXT] = "";
        if (place == 1) clock_format(db_get_time(rows, row, 4), at);
        sheet->report->total_rows += place == 3;
        sheet_put(sheet, place == 1 ? arena_text(sheet->arena, at, strlen(at)) : NULL);
        sheet_put(sheet, place == 1 ? report_at(sheet->arena, db_get_time(rows, row, 4)) : NULL);
        sheet_put(sheet, row_words(finance, rows, row));
        sheet_put(sheet, place == 1 ? short_account(sheet->arena, rows, row, 6) : NULL);
        sheet_put(sheet, place == 1 ? short_account(sheet->arena, rows, row, 7) : NULL);
        for (size_t i = 3; i < 11; i++) {
            if (i == 4 || i == 5) continue;
            if (place == 1 && db_get_len(rows, row, i) > 0) sheet_text(sheet, rows, row, i);
            else sheet_put(sheet, NULL);
        }
        for (size_t i = 11; i < 14; i++) {
            if (place == 1) sheet_count(sheet, db_get_int(rows, row, i));
            else sheet_put(sheet, NULL);
        }
        sheet_text(sheet, rows, row, 1);
        for (size_t i = 0; i < spec->measure_count; i++) {
            const char *micros = arena_printf(sheet->arena, "%s", db_get_text(rows, row, 16 + i));
            if (for_people(spec, i)) sheet_put(sheet, report_units(sheet->arena, micros));
            sheet_put(sheet, micros);
        }
    }
}

enum status
report_behind(struct finance *finance, const struct report_plan *plan, const struct db_rows *found)
{
    struct sheet *sheet = &finance->sheet;
    struct db_rows *rows = NULL;
    struct db_param params[FINANCE_DIMENSIONS];
    const char *condition;
    enum status status = find_rows(finance, plan, found, &condition, params);
    if (status == STATUS_OK)
        status = report_ask(finance, rows_sql(plan, sheet->arena, condition), params, plan->count,
                            &rows);
    if (status == STATUS_OK) {
        put_rows(finance, plan, rows);
        sheet->report->notes = "Each row opens further: slotctl explain of its placement, or the "
                               "act whose number is its batch when its log is 0.";
    }
    db_rows_free(rows);
    return status;
}
