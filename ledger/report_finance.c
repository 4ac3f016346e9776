// Reports of finance that are sums of transfers.
//
//  1 A report reads folds, its rows transfers, through the same expressions (report_specs.c) and
//    the same condition on time. So the rows of a key add up to its figure exactly, or folds and
//    transfers differ, which every close and `verify` find.
//  2 Sums, also of totals, are made by the database in numeric, and come here as text: no size of
//    amount overflows, and nothing here adds.
//  3 A total for each currency; amounts of two currencies never meet.
//  4 Of a period counts what belongs to it; of days what took effect on them (UTC).
#include "report_finance.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "period.h"

enum status
report_fault(struct finance *finance, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finance->fault, REPORT_FAULT, format, arguments);
    va_end(arguments);
    return STATUS_INPUT;
}

enum status
report_ask(struct finance *finance, const char *sql, const struct db_param *more, size_t count,
           struct db_rows **out_rows)
{
    struct db_param params[8];
    CHECK(count <= 5);
    params[0] = db_text(finance->question->span.period);
    params[1] = db_int8(finance->from_day);
    params[2] = db_int8(finance->until_day);
    for (size_t i = 0; i < count; i++) params[3 + i] = more[i];
    return db_query(finance->sheet.db, sql, params, 3 + count, out_rows);
}

const char *
report_until_text(struct finance *finance)
{
    const struct report_span *span = &finance->question->span;
    struct period period = {.until = span->until};
    if (span->period[0] && period_parse(span->period, strlen(span->period), &period) != STATUS_OK)
        return "";
    if (!period.until.us) return "to date";
    char last[CLOCK_TEXT];
    clock_format((usec){period.until.us - 1}, last);
    return arena_printf(finance->sheet.arena, "up to %.10s", last);
}

const char *
report_span_text(struct finance *finance)
{
    const struct report_span *span = &finance->question->span;
    struct arena *arena = finance->sheet.arena;
    if (span->period[0]) {
        struct period period;
        char title[PERIOD_TITLE];
        if (period_parse(span->period, strlen(span->period), &period) != STATUS_OK) return "";
        period_title(&period, title);
        return arena_printf(arena, "in %s", title);
    }
    char from[CLOCK_TEXT], until[CLOCK_TEXT];
    clock_format(span->from, from);
    clock_format(span->until, until);
    if (span->from.us && span->until.us)
        return arena_printf(arena, "from %.10s until %.10s", from, until);
    if (span->until.us) return arena_printf(arena, "until %.10s", until);
    if (span->from.us) return arena_printf(arena, "from %.10s on", from);
    return "in the whole ledger";
}

const char *
report_units(struct arena *arena, const char *micros)
{
    if (!micros[0]) return NULL;
    bool negative = micros[0] == '-';
    const char *digits = micros + negative;
    size_t len = strlen(digits);
    int whole = len > 6 ? (int)(len - 6) : 0;
    return arena_printf(arena, "%s%.*s%s.%.*s%s", negative ? "-" : "", whole, digits,
                        whole ? "" : "0", whole ? 0 : (int)(6 - len), "000000", digits + whole);
}

const char *
report_at(struct arena *arena, usec at)
{
    char text[CLOCK_TEXT];
    clock_format(at, text);
    return arena_printf(arena, "%.10s %.8s", text, text + 11);
}

void
report_columns(struct report_column *columns, size_t *count, struct arena *arena, const char *key,
               const char *title, bool machine_only)
{
    if (!machine_only)
        columns[(*count)++] = (struct report_column){key, title, true, false, REPORT_PEOPLE};
    columns[(*count)++] = (struct report_column){arena_printf(arena, "%s_micros", key), title, true,
                                                 true, REPORT_MACHINE};
}

void
report_amount(struct sheet *sheet, const char *micros)
{
    sheet_put(sheet, report_units(sheet->arena, micros));
    sheet_put(sheet, micros);
}

// `text` with the column's name in place of each @.
static const char *
named(struct arena *arena, const char *text, const char *column)
{
    char *out = arena_printf(arena, "%s", "");
    for (const char *at = strchr(text, '@'); at; text = at + 1, at = strchr(text, '@'))
        out = arena_printf(arena, "%s%.*s%s", out, (int)(at - text), text, column);
    return arena_printf(arena, "%s%s", out, text);
}

// --- The question --------------------------------------------------------------------------------

static enum status
read_days(struct finance *finance)
{
    const struct report_span *span = &finance->question->span;
    if (span->from.us % USEC_DAY != 0 || span->until.us % USEC_DAY != 0)
        return report_fault(finance, "reports of finance are of whole days by UTC; write --from "
                                     "2026-11-01 --until 2026-11-08, without a time of day");
    finance->from_day = span->from.us / USEC_DAY;
    finance->until_day = span->until.us ? span->until.us / USEC_DAY : INT32_MAX;
    return STATUS_OK;
}

// What a report is told apart by: fixed, or as asked for.
static enum status
read_dimensions(struct finance *finance, const struct report_spec *spec,
                const struct report_dimension *out[FINANCE_DIMENSIONS], size_t *out_count)
{
    const char *by = finance->question->by;
    *out_count = 0;
    if (spec->dimensions[0]) {
        if (by) return report_fault(finance, "this report has its rows already; leave --by out");
        while (*out_count < FINANCE_DIMENSIONS && spec->dimensions[*out_count]) {
            out[*out_count] = spec->dimensions[*out_count];
            (*out_count)++;
        }
        return STATUS_OK;
    }
    if (!by) by = "rung";
    for (;;) {
        size_t len = strcspn(by, ",");
        if (*out_count == FINANCE_DIMENSIONS)
            return report_fault(finance, "--by takes at most %d dimensions", FINANCE_DIMENSIONS);
        out[*out_count] = report_dimension_of(by, len);
        if (!out[*out_count])
            return report_fault(finance,
                                "revenue is not told apart by '%.*s'; use one or more of %s",
                                (int)len, by, report_dimension_names());
        for (size_t i = 0; i < *out_count; i++)
            if (out[i] == out[*out_count])
                return report_fault(finance, "--by names '%.*s' twice", (int)len, by);
        (*out_count)++;
        if (by[len] == '\0') return STATUS_OK;
        by += len + 1;
    }
}

// Sums of accounts with what came before: of a period it begins with the balances of the last one
// closed before it, so that a long history costs nothing; of days with the sums themselves.
#define CLOSED \
    "(select max(b.period) from balance b where $1 <> '' and b.period < $1 collate \"C\")"
#define CARRIED                                                                             \
    "select s.currency, s.account, s.code, s.kind, s.count, s.micros, " FINANCE_BEFORE      \
    " as before"                                                                            \
    " from report_fold_side s where " FINANCE_UNTIL " and s.period > coalesce(" CLOSED      \
    ", '') collate \"C\""                                                                   \
    " union all select b.currency, b.account, (b.account %% 10000)::integer, 'opening', 0," \
    " b.debit - b.credit, true from balance b where b.period = " CLOSED

const char *
report_source(const struct report_plan *plan, struct arena *arena, bool rows)
{
    const char *view = plan->spec->sides ? (rows ? "report_row_side" : "report_fold_side")
                                         : (rows ? "report_row" : "report_fold");
    const char *joins = "";
    for (size_t i = 0; i < plan->count; i++)
        joins = arena_printf(arena, "%s%s", joins, plan->dimensions[i]->join);
    if (!plan->spec->opening)
        return arena_printf(arena, " from %s s%s where %s and %s", view, joins, plan->spec->filter,
                            plan->spec->to_date ? FINANCE_UNTIL : FINANCE_WITHIN);
    if (rows)
        return arena_printf(arena,
                            " from (select s.*, " FINANCE_BEFORE
                            " as before from %s s where " FINANCE_UNTIL ") s%s where %s",
                            view, joins, plan->spec->filter);
    return arena_printf(arena, " from (" CARRIED ") s%s where %s", joins, plan->spec->filter);
}

// Sums by group, and behind them a total of each currency. Columns: 0 total, 1 currency, then for
// each dimension raw and text, then number of transfers, then measures.
static const char *
sums_sql(const struct report_plan *plan, struct arena *arena)
{
    const struct report_spec *spec = plan->spec;
    const char *raw = "", *text = "", *order = "", *none = "", *each = "", *sums = "", *any = "";
    for (size_t i = 0; i < plan->count; i++) {
        const char *column = arena_printf(arena, "d%zu", i);
        const struct report_dimension *dimension = plan->dimensions[i];
        raw = arena_printf(arena, "%s, (%s)::text as %s", raw, dimension->raw, column);
        text = arena_printf(arena, "%s, r.%s, %s as t%zu, %s as o%zu", text, column,
                            named(arena, dimension->text, column), i,
                            named(arena, dimension->order, column), i);
        order = arena_printf(arena,
                             "%s, y.o%zu collate \"C\", y.t%zu collate \"C\", y.d%zu collate \"C\"",
                             order, i, i, i);
        none = arena_printf(arena,
                            i == 0 && spec->by_first ? "%s, r.d0, min(r.t0), min(r.o0)"
                                                     : "%s, ''::text, ''::text, ''::text",
                            none);
    }
    for (size_t i = 0; i < spec->measure_count; i++) {
        each = arena_printf(arena, "%s, sum(%s) as m%zu", each, spec->measures[i].each, i);
        sums = arena_printf(arena, "%s, sum(m%zu)", sums, i);
        any = arena_printf(arena, "%s%sm%zu <> 0", any, i ? " or " : "", i);
    }
    const char *shown = "", *first = "";
    if (spec->by_first)
        first = arena_printf(arena, ", %s as t0, %s as o0",
                             named(arena, plan->dimensions[0]->text, "d0"),
                             named(arena, plan->dimensions[0]->order, "d0"));
    for (size_t i = 0; i < plan->count; i++)
        shown = arena_printf(arena, "%s, y.d%zu, y.t%zu", shown, i, i);
    for (size_t i = 0; i < spec->measure_count; i++)
        shown = arena_printf(arena, "%s%s y.m%zu::text", shown, i ? "," : ", y.n::text,", i);
    const char *measures = "";
    for (size_t i = 0; i < spec->measure_count; i++)
        measures = arena_printf(arena, "%s, m%zu", measures, i);
    return arena_printf(
        arena,
        "with g as (select s.currency%s, sum(%s) as n%s%s group by 1%s),"
        " r as (select * from g where %s)"
        " select y.total, y.currency%s from (select 0 as total, r.currency%s, r.n%s from r"
        " union all select 1, r.currency%s, sum(r.n)%s from (select r.*%s from r) r"
        " group by r.currency%s) y order by y.total, y.currency collate \"C\"%s",
        raw, spec->opening ? "case when s.before then 0 else s.count end" : "s.count", each,
        report_source(plan, arena, false),
        plan->count == 0   ? ""
        : plan->count == 1 ? ", 2"
        : plan->count == 2 ? ", 2, 3"
                           : ", 2, 3, 4",
        any, shown, text, measures, none, sums, first, spec->by_first ? ", r.d0" : "", order);
}

// --- The report ----------------------------------------------------------------------------------

static size_t
column_of(const struct report_plan *plan, size_t measure)
{
    return 3 + 2 * plan->count + measure;
}

static void
put_sums(struct finance *finance, const struct report_plan *plan, const struct db_rows *rows)
{
    struct sheet *sheet = &finance->sheet;
    const struct report_spec *spec = plan->spec;
    size_t room = 2 + plan->count + 2 * spec->measure_count, count = 0;
    struct report_column *columns = arena_take(sheet->arena, room, sizeof *columns);
    for (size_t i = 0; i < plan->count; i++)
        columns[count++] = (struct report_column){
            plan->dimensions[i]->name, plan->dimensions[i]->title, false, false, REPORT_ALL};
    columns[count++] = (struct report_column){"currency", "", false, false, REPORT_ALL};
    columns[count++] = (struct report_column){"transfers", "transfers", true, true, REPORT_MACHINE};
    for (size_t i = 0; i < spec->measure_count; i++)
        report_columns(columns, &count, sheet->arena, spec->measures[i].key,
                       spec->measures[i].title, false);
    sheet_begin(sheet, columns, count, db_count(rows));
    for (size_t row = 0; row < db_count(rows); row++) {
        bool total = db_get_int(rows, row, 0) == 1;
        sheet->report->total_rows += total;
        for (size_t i = 0; i < plan->count; i++) {
            size_t label = spec->by_first ? 1 : 0;
            if (total && i >= label) sheet_put(sheet, i == label ? "total" : "");
            else sheet_text(sheet, rows, row, 3 + 2 * i);
        }
        sheet_text(sheet, rows, row, 1);
        sheet_text(sheet, rows, row, 2 + 2 * plan->count);
        for (size_t i = 0; i < spec->measure_count; i++) {
            const char *micros = db_get_text(rows, row, column_of(plan, i));
            report_amount(sheet, arena_printf(sheet->arena, "%s", micros));
            bool must = spec->zero && strcmp(spec->zero, spec->measures[i].key) == 0;
            if (total && must && strcmp(micros, "0") != 0) sheet->report->wrong = true;
        }
    }
}

enum status
report_sums(struct finance *finance, const struct report_spec *spec)
{
    struct sheet *sheet = &finance->sheet;
    struct report_plan plan = {.spec = spec};
    struct db_rows *rows = NULL;
    const char *span = spec->to_date ? report_until_text(finance) : report_span_text(finance);
    enum status status = read_dimensions(finance, spec, plan.dimensions, &plan.count);
    if (status == STATUS_OK)
        status = report_ask(finance, sums_sql(&plan, sheet->arena), NULL, 0, &rows);
    if (status != STATUS_OK) goto done;
    if (finance->question->rows) {
        status = report_behind(finance, &plan, rows);
        if (status != STATUS_OK) goto done;
        sheet->report->heading = arena_printf(sheet->arena, "%s %s: what is behind '%s'",
                                              spec->heading, span, finance->question->rows);
    } else {
        put_sums(finance, &plan, rows);
        sheet->report->notes = spec->notes;
        sheet->report->heading = arena_printf(sheet->arena, "%s %s", spec->heading, span);
    }
    sheet->report->empty = arena_printf(sheet->arena, "%s %s.", spec->empty, span);
done:
    db_rows_free(rows);
    return status;
}

// Where all amounts are in one currency the heading says so, and people need no column of it.
static void
name_currency(struct sheet *sheet)
{
    struct report *report = sheet->report;
    const char *only = NULL;
    size_t at = 0;
    while (at < report->column_count && strcmp(report->columns[at].key, "currency") != 0) at++;
    if (at == report->column_count) return;
    for (size_t row = 0; row < report->row_count; row++) {
        const char *code = report->cells[row * report->column_count + at];
        if (!code || !code[0]) continue;
        if (only && strcmp(only, code) != 0) return;
        only = code;
    }
    struct report_column *columns = arena_take(sheet->arena, report->column_count, sizeof *columns);
    memcpy(columns, report->columns, report->column_count * sizeof *columns);
    columns[at].face = REPORT_MACHINE;
    report->columns = columns;
    if (only) report->heading = arena_printf(sheet->arena, "%s, in %s", report->heading, only);
}

// --- All of finance's reports --------------------------------------------------------------------

bool
report_of_finance(enum report_kind kind)
{
    return kind >= REPORT_REVENUE && kind < REPORT_KIND_COUNT;
}

static enum status
refuse_options(struct finance *finance)
{
    const struct report_question *question = finance->question;
    enum report_kind kind = question->kind;
    bool by = kind == REPORT_REVENUE || kind == REPORT_ECONOMICS;
    bool invests = question->current || question->target || question->investment ||
                   question->days || question->currency;
    bool spans = question->span.period[0] || question->span.from.us || question->span.until.us;
    if (question->by && !by)
        return report_fault(finance, "--by is for revenue and economics; %s has rows of its own",
                            report_kind_name(kind));
    if (invests && kind != REPORT_INVESTMENT)
        return report_fault(finance,
                            "--current, --target, --investment, --days and --currency are for "
                            "investment");
    if (kind == REPORT_INVESTMENT && (spans || question->rows))
        return report_fault(finance,
                            "investment compares --current with --target, each a period or "
                            "figures, and takes no other span and no --rows");
    return STATUS_OK;
}

enum status
report_answer(struct db *db, const struct report_question *question, struct arena *arena,
              struct report *out_report, char out_fault[REPORT_FAULT])
{
    CHECK(report_of_finance(question->kind));
    memset(out_report, 0, sizeof *out_report);
    out_fault[0] = '\0';
    struct finance finance = {
        .sheet = {.db = db, .span = &question->span, .arena = arena, .report = out_report},
        .question = question,
        .fault = out_fault};
    enum status status = refuse_options(&finance);
    if (status == STATUS_OK) status = read_days(&finance);
    if (status != STATUS_OK) return status;
    const struct report_spec *spec = report_spec_of(question->kind);
    if (spec) status = report_sums(&finance, spec);
    else if (question->kind == REPORT_AGING) status = report_aging(&finance);
    else if (question->kind == REPORT_UNEXPLAINED) status = report_unexplained(&finance);
    else if (question->kind == REPORT_ECONOMICS) status = report_economics(&finance);
    else status = report_investment(&finance);
    CHECK(status != STATUS_OK || finance.sheet.used == finance.sheet.room);
    if (status == STATUS_OK) name_currency(&finance.sheet);
    if (status == STATUS_INPUT && !out_fault[0]) return STATUS_OVERFLOW;  // a sum left its range
    return status;
}
