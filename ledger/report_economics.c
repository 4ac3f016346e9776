// Economics of the platform: what contacts cost, earned and achieved.
//
//  1 A contact costs what its container's `cost` was in the market that decided it; where none is
//    declared, what its slots' costs add up to; else nothing, and a note says so.
//  2 Revenue is the net of report revenue, by the container of the slot it came from; so it adds up
//    to that of the ledger, and the transfers behind it are those.
//  3 Objectives achieved are those of report objectives: delivered placements' objectives, and what
//    the touchpoint reports.
//  4 Counts and sums are exact; what is per contact is rounded half to even.
#include <inttypes.h>
#include <string.h>

#include "report_finance.h"

static const struct report_column columns[] = {
    {"name", "", false, false, REPORT_ALL},
    {"currency", "", false, false, REPORT_ALL},
    {"contacts", "contacts", true, true, REPORT_ALL},
    {"cost_per_contact", "cost each", true, false, REPORT_PEOPLE},
    {"cost_per_contact_micros", "", true, true, REPORT_MACHINE},
    {"revenue_per_contact", "revenue each", true, false, REPORT_PEOPLE},
    {"revenue_per_contact_micros", "", true, true, REPORT_MACHINE},
    {"objectives", "", true, true, REPORT_MACHINE},
    {"objectives_per_contact", "objectives", true, false, REPORT_ALL},
    {"cost", "cost", true, false, REPORT_PEOPLE},
    {"cost_micros", "", true, true, REPORT_MACHINE},
    {"revenue", "revenue", true, false, REPORT_PEOPLE},
    {"revenue_micros", "", true, true, REPORT_MACHINE},
    {"net", "net", true, false, REPORT_PEOPLE},
    {"net_micros", "", true, true, REPORT_MACHINE},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

// Contacts: k; what one cost in each container and market: p.
#define COSTS                                                                                    \
    "k as (select c.contact_id, c.container, c.market_version, c.began_us, c.at_us, c.period "   \
    "from contact c"                                                                             \
    "  where ($1 = '' or c.period = $1) and c.at_us / 86400000000 >= $2 and c.at_us / "          \
    "86400000000 < $3),"                                                                         \
    " v as (select distinct container, market_version from k),"                                  \
    " p as (select v.container, v.market_version, coalesce("                                     \
    "  (select (m.body ->> 'cost')::numeric from market_object m where m.kind = 'container' and" \
    "   m.id = v.container and m.version <= v.market_version and m.body is not null"             \
    "   order by m.version desc limit 1),"                                                       \
    "  (select sum((s.body ->> 'cost')::numeric) from market_object s where s.kind = 'slot' "    \
    "and s.body"                                                                                 \
    "   is not null and s.version = (select max(n.version) from market_object n where n.kind = " \
    "'slot' and"                                                                                 \
    "   n.id = s.id and n.version <= v.market_version) and s.body ->> 'container' = (select "    \
    "m.code from"                                                                                \
    "   market_object m where m.kind = 'container' and m.id = v.container order by m.version "   \
    "desc limit 1))"                                                                             \
    "  ) * 1000000 as cost from v)"
#define NET                                                         \
    "case when s.cc between 4000 and 5999 then s.micros else 0 end" \
    " - case when s.dc between 4000 and 5999 then s.micros else 0 end"
#define EARNING "(s.cc between 4000 and 5999 or s.dc between 4000 and 5999)"
// Bits of a mask of nine.
#define BITS                                                                                     \
    "((a.achieved & 1) + (a.achieved >> 1 & 1) + (a.achieved >> 2 & 1) + (a.achieved >> 3 & 1)"  \
    " + (a.achieved >> 4 & 1) + (a.achieved >> 5 & 1) + (a.achieved >> 6 & 1) + (a.achieved >> " \
    "7 & 1)"                                                                                     \
    " + (a.achieved >> 8 & 1))"

// Contacts count in the market's currency; revenue in its own. Columns: 0 container, 1 cell,
// 2 currency, 3 contacts, 4 objectives, 5 cost, 6 revenue, 7 contacts without a declared cost, 8
// id.
static enum status
ask_containers(struct finance *finance, struct db_rows **out_rows)
{
    static const char sql[] =
        "with " COSTS
        ", home as (select coalesce((select currency from market_now), '') as currency),"
        " x as (select k.container, h.currency, 1::bigint as contacts, 0::bigint as objectives,"
        "   coalesce(p.cost, 0) as cost, 0::numeric as net, case when p.cost is null then 1 else "
        "0 end as free from k cross join home h left join p on p.container = k.container"
        "   and p.market_version is not distinct from k.market_version"
        "  union all select a.container, h.currency, 0, " BITS ", 0, 0, 0 from report_contact a"
        "   cross join home h where ($1 = '' or a.period = $1) and a.at_us / 86400000000 >= $2"
        "   and a.at_us / 86400000000 < $3"
        "  union all select coalesce(t.container_id, 0), s.currency, 0, 0, 0, s.net, 0 from ("
        "   select s.slot, s.currency, sum(" NET ") as net from report_fold s where " FINANCE_WITHIN
        "   and " EARNING " group by 1, 2) s left join slot t on t.id = s.slot)"
        " select coalesce(c.code, 'none'), coalesce(c.stage || '/' || c.channel, 'none'), "
        "x.currency, sum(x.contacts)::bigint, sum(x.objectives)::bigint, sum(x.cost)::bigint, "
        "sum(x.net)::bigint, sum(x.free)::bigint, x.container::bigint from x left join container c"
        " on c.id = x.container group by x.container, c.code, c.stage, c.channel, x.currency"
        " having sum(x.contacts) <> 0 or sum(x.net) <> 0"
        " order by x.currency collate \"C\", c.code is null, c.code collate \"C\"";
    return report_ask(finance, sql, NULL, 0, out_rows);
}

struct figures {
    const char *name, *currency;
    int64_t contacts, objectives, free;
    money cost, revenue;
};

static void
add(struct figures *into, const struct figures *more)
{
    into->contacts += more->contacts;
    into->objectives += more->objectives;
    into->free += more->free;
    into->cost = sheet_plus(into->cost, more->cost);
    into->revenue = sheet_plus(into->revenue, more->revenue);
}

static void
put_amount(struct sheet *sheet, money amount)
{
    report_amount(sheet, arena_printf(sheet->arena, "%" PRId64, amount.micros));
}

static void
put_figures(struct sheet *sheet, const struct figures *figures)
{
    money net;
    sheet_put(sheet, figures->name);
    sheet_put(sheet, figures->currency);
    sheet_count(sheet, figures->contacts);
    put_amount(sheet, sheet_per(figures->cost, 1, figures->contacts));
    put_amount(sheet, sheet_per(figures->revenue, 1, figures->contacts));
    sheet_count(sheet, figures->objectives);
    money each = sheet_per(money_of(figures->objectives), 100, figures->contacts);
    sheet_put(sheet, arena_printf(sheet->arena, "%" PRId64 ".%02" PRId64, each.micros / 100,
                                  each.micros % 100));
    put_amount(sheet, figures->cost);
    put_amount(sheet, figures->revenue);
    if (money_subtract(figures->revenue, figures->cost, &net) != STATUS_OK) net = money_of(0);
    put_amount(sheet, net);
}

enum by { BY_CONTAINER, BY_CELL, BY_TOTAL };

static enum status
read_by(struct finance *finance, enum by *out_by)
{
    static const char *const names[] = {"container", "cell", "total"};
    const char *by = finance->question->by ? finance->question->by : "container";
    for (int i = 0; i < 3; i++) {
        if (strcmp(by, names[i]) != 0) continue;
        *out_by = (enum by)i;
        return STATUS_OK;
    }
    return report_fault(finance,
                        "economics are not told apart by '%s'; use container, cell or total", by);
}

// The rows as asked for: all of one name and currency together, in the order in which they come;
// behind them a total of each currency. `out_count` of them, of which `out_totals` are totals.
static struct figures *
gather(struct finance *finance, enum by by, const struct db_rows *rows, size_t *out_count,
       size_t *out_totals)
{
    struct arena *arena = finance->sheet.arena;
    struct figures *all = arena_take(arena, 2 * db_count(rows) + 1, sizeof *all);
    *out_count = *out_totals = 0;
    for (int totals = by == BY_TOTAL; totals < 2; totals++) {
        size_t begin = *out_count;
        for (size_t row = 0; row < db_count(rows); row++) {
            struct figures one = {
                .name = totals ? "total"
                               : arena_printf(arena, "%s", db_get_text(rows, row, by == BY_CELL)),
                .currency = arena_printf(arena, "%s", db_get_text(rows, row, 2)),
                .contacts = db_get_int(rows, row, 3),
                .objectives = db_get_int(rows, row, 4),
                .cost = db_get_money(rows, row, 5),
                .revenue = db_get_money(rows, row, 6),
                .free = db_get_int(rows, row, 7)};
            size_t at = begin;
            while (at < *out_count && (strcmp(all[at].name, one.name) != 0 ||
                                       strcmp(all[at].currency, one.currency) != 0))
                at++;
            if (at == *out_count) all[(*out_count)++] = one;
            else add(&all[at], &one);
        }
        if (totals) *out_totals = *out_count - begin;
    }
    return all;
}

static enum status
put_economics(struct finance *finance, enum by by, const struct db_rows *rows)
{
    struct sheet *sheet = &finance->sheet;
    struct report_column *shown = arena_take(sheet->arena, COLUMNS, sizeof *shown);
    size_t count, totals;
    int64_t free = 0;
    const struct figures *all = gather(finance, by, rows, &count, &totals);
    memcpy(shown, columns, sizeof columns);
    shown[0].key = shown[0].title = by == BY_CELL ? "cell" : "container";
    sheet_begin(sheet, shown, COLUMNS, count);
    for (size_t i = 0; i < count; i++) put_figures(sheet, &all[i]);
    for (size_t row = 0; row < db_count(rows); row++) free += db_get_int(rows, row, 7);
    // When the total is what was asked for it is no mere sum of rows: machines get it.
    sheet->report->total_rows = by == BY_TOTAL ? 0 : totals;
    sheet->report->notes = free == 0
                               ? "Revenue is the net of report revenue. Objectives: achieved per "
                                 "contact, of nine."
                               : arena_printf(sheet->arena,
                                              "Revenue is the net of report revenue. Objectives: "
                                              "achieved per contact, of nine. Of %" PRId64
                                              " contacts no cost is declared (`cost` of their "
                                              "container in the market file); they count as free.",
                                              free);
    sheet->report->heading = arena_printf(sheet->arena, "Economics %s", report_span_text(finance));
    return STATUS_OK;
}

// --- Contacts and transfers behind a figure ------------------------------------------------------

static const struct report_column row_columns[] = {
    {"at", "at", false, false, REPORT_ALL},
    {"what", "what", false, false, REPORT_ALL},
    {"id", "id", false, false, REPORT_ALL},
    {"currency", "", false, false, REPORT_ALL},
    {"contacts", "contacts", true, true, REPORT_ALL},
    {"objectives", "objectives", true, true, REPORT_ALL},
    {"cost", "cost", true, false, REPORT_PEOPLE},
    {"cost_micros", "", true, true, REPORT_MACHINE},
    {"revenue", "revenue", true, false, REPORT_PEOPLE},
    {"revenue_micros", "", true, true, REPORT_MACHINE},
};
#define ROW_COLUMNS (sizeof row_columns / sizeof row_columns[0])

static enum status
ask_rows(struct finance *finance, const int32_t *containers, size_t count,
         struct db_rows **out_rows)
{
    static const char sql[] =
        "with " COSTS ", a as (select a.contact_id, " BITS " as objectives from report_contact a"
        "  where ($1 = '' or a.period = $1) and a.at_us / 86400000000 >= $2"
        "   and a.at_us / 86400000000 < $3 and a.container = any($4)),"
        " x as (select 0 as what, k.at_us, k.contact_id::text as id, coalesce((select currency from"
        "   market_now), '') as currency, 1::numeric as contacts, coalesce(a.objectives, "
        "0)::numeric as objectives, coalesce(p.cost, 0) as cost, 0::numeric as net from k"
        "   left join p on p.container = k.container"
        "    and p.market_version is not distinct from k.market_version"
        "   left join a on a.contact_id = k.contact_id where k.container = any($4)"
        "  union all select 1, s.effective_us, s.transfer_id::text, s.currency, 0, 0, 0, " NET
        "   from report_row s left join slot t on t.id = s.slot where " FINANCE_WITHIN
        " and " EARNING "   and coalesce(t.container_id, 0) = any($4)),"
        " n as (select x.*, row_number() over (order by x.what, x.at_us, x.id) as nth from x),"
        " y as (select 0 as place, n.what, n.at_us, n.id, n.currency, n.contacts, n.objectives, "
        "n.cost, n.net, 1::numeric as n from n where n.nth <= $5"
        "  union all select 1, 2, 0, '', n.currency, sum(n.contacts), sum(n.objectives), "
        "sum(n.cost), sum(n.net), count(*) from n where n.nth > $5 group by n.currency"
        "  union all select 2, 3, 0, '', n.currency, sum(n.contacts), sum(n.objectives), "
        "sum(n.cost), sum(n.net), count(*) from n group by n.currency)"
        " select y.place, y.what, y.at_us, y.id, y.currency, y.contacts::text, y.objectives::text,"
        "  y.cost::bigint::text, y.net::text, y.n::text from y"
        " order by y.place, y.what, y.at_us, y.id collate \"C\", y.currency collate \"C\"";
    const struct db_param more[] = {db_int4_array(containers, count), db_int8(FINANCE_ROWS)};
    return report_ask(finance, sql, more, 2, out_rows);
}

static enum status
put_behind(struct finance *finance, enum by by, const struct db_rows *found)
{
    struct sheet *sheet = &finance->sheet;
    const char *key = finance->question->rows, *known = "";
    int32_t *containers = arena_take(sheet->arena, db_count(found) + 1, sizeof *containers);
    struct db_rows *rows = NULL;
    size_t count = 0;
    for (size_t row = 0; row < db_count(found); row++) {
        const char *name = arena_printf(sheet->arena, "%s", db_get_text(found, row, by == BY_CELL));
        if (strcmp(key, "total") == 0 || (by != BY_TOTAL && strcmp(key, name) == 0))
            containers[count++] = (int32_t)db_get_int(found, row, 8);
        else if (strlen(known) < 250) known = arena_printf(sheet->arena, "%s'%s', ", known, name);
    }
    if (count == 0) {
        if (by == BY_TOTAL) known = "";
        report_fault(finance,
                     db_count(found) ? "the report has no row '%s'; its rows are %s'total'"
                                     : "there is nothing behind '%s'%s: no contacts and no "
                                       "revenue",
                     key, db_count(found) ? known : "");
        return STATUS_NOT_FOUND;
    }
    enum status status = ask_rows(finance, containers, count, &rows);
    if (status != STATUS_OK) goto done;
    sheet_begin(sheet, row_columns, ROW_COLUMNS, db_count(rows));
    for (size_t row = 0; row < db_count(rows); row++) {
        static const char *const words[] = {"contact", "transfer", "further", "total"};
        int64_t what = db_get_int(rows, row, 1);
        sheet_put(sheet, what < 2 ? report_at(sheet->arena, db_get_time(rows, row, 2)) : NULL);
        sheet_put(sheet, what == 2
                             ? arena_printf(sheet->arena, "%s further", db_get_text(rows, row, 9))
                             : words[what]);
        if (what < 2) sheet_text(sheet, rows, row, 3);
        else sheet_put(sheet, NULL);
        for (size_t i = 4; i < 7; i++) sheet_text(sheet, rows, row, i);
        for (size_t i = 7; i < 9; i++)
            report_amount(sheet, arena_printf(sheet->arena, "%s", db_get_text(rows, row, i)));
        sheet->report->total_rows += what == 3;
    }
    sheet->report->heading = arena_printf(sheet->arena, "Economics %s: what is behind '%s'",
                                          report_span_text(finance), key);
done:
    db_rows_free(rows);
    return status;
}

enum status
report_economics(struct finance *finance)
{
    struct db_rows *rows = NULL;
    enum by by = BY_TOTAL;
    enum status status = read_by(finance, &by);
    if (status == STATUS_OK) status = ask_containers(finance, &rows);
    if (status == STATUS_OK)
        status = finance->question->rows ? put_behind(finance, by, rows)
                                         : put_economics(finance, by, rows);
    finance->sheet.report->empty = arena_printf(
        finance->sheet.arena, "No contacts and no revenue %s.", report_span_text(finance));
    db_rows_free(rows);
    return status;
}

enum status
report_state(struct finance *finance, struct report_state *out_state)
{
    struct db_rows *rows = NULL;
    enum status status = ask_containers(finance, &rows);
    if (status == STATUS_OK) {
        size_t count, totals;
        const struct figures *all = gather(finance, BY_TOTAL, rows, &count, &totals);
        *out_state = (struct report_state){.currency = count ? all[0].currency : ""};
        if (count > 1)
            status = report_fault(finance,
                                  "the ledger has amounts in %s and %s; give the figures, "
                                  "as contacts=N,cost=A,objectives=D,revenue=A",
                                  all[0].currency, all[1].currency);
        if (count == 1) {
            out_state->contacts = all[0].contacts;
            out_state->cost = all[0].cost;
            out_state->revenue = all[0].revenue;
            out_state->objectives = sheet_per(money_of(all[0].objectives), MONEY_PPM,
                                              all[0].contacts);
        }
    }
    db_rows_free(rows);
    return status;
}
