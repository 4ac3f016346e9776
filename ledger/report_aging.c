// What is open, by how long it has been.
//
//  1 What came first is settled first: of an account's balance, the newest increases are what is
//    still open. So an account's buckets add up to its balance, whatever settled it.
//  2 An account that stands the other way round (paid too much, refunded after billing) has no age:
//    its balance is in the column "contrary", below zero.
//  3 Age is counted in whole days (UTC) up to the last day of the span, or today.
//  4 Days are aged from folds; the rows behind a figure are aged one by one, in order of time,
// which
//    gives each day the same open part.
#include <string.h>

#include "period.h"
#include "report_finance.h"

static const struct report_column columns[] = {
    {"side", "side", false, false, REPORT_ALL},
    {"account", "account", false, false, REPORT_ALL},
    {"currency", "", false, false, REPORT_ALL},
    {"days_0_30", "0-30 days", true, false, REPORT_PEOPLE},
    {"days_0_30_micros", "", true, true, REPORT_MACHINE},
    {"days_31_60", "31-60", true, false, REPORT_PEOPLE},
    {"days_31_60_micros", "", true, true, REPORT_MACHINE},
    {"days_61_90", "61-90", true, false, REPORT_PEOPLE},
    {"days_61_90_micros", "", true, true, REPORT_MACHINE},
    {"over_90", "over 90", true, false, REPORT_PEOPLE},
    {"over_90_micros", "", true, true, REPORT_MACHINE},
    {"contrary", "contrary", true, false, REPORT_PEOPLE},
    {"contrary_micros", "", true, true, REPORT_MACHINE},
    {"open", "open", true, false, REPORT_PEOPLE},
    {"open_micros", "", true, true, REPORT_MACHINE},
};
#define COLUMNS (sizeof columns / sizeof columns[0])
#define AMOUNTS 6

static const struct report_column row_columns[] = {
    {"effective", "effective", false, false, REPORT_ALL},
    {"days", "days", true, true, REPORT_ALL},
    {"kind", "kind", false, false, REPORT_ALL},
    {"period", "", false, false, REPORT_MACHINE},
    {"reference", "reference", false, false, REPORT_ALL},
    {"placement", "", false, false, REPORT_MACHINE},
    {"transfer", "", false, false, REPORT_MACHINE},
    {"currency", "", false, false, REPORT_ALL},
    {"amount", "amount", true, false, REPORT_PEOPLE},
    {"amount_micros", "", true, true, REPORT_MACHINE},
    {"open", "open", true, false, REPORT_PEOPLE},
    {"open_micros", "", true, true, REPORT_MACHINE},
};
#define ROW_COLUMNS (sizeof row_columns / sizeof row_columns[0])

// Rows of the accounts that age, in their own direction. $4: the day to which ages are counted.
#define OWN "case when s.code < 2000 then s.micros else -s.micros end"
#define AGED "s.code in (1110, 1120, 1130, 1150, 1160, 2100, 2110, 2120) and " FINANCE_UNTIL
static int64_t
last_day(const struct finance *finance)
{
    const struct report_span *span = &finance->question->span;
    int64_t today = finance->question->now.us / USEC_DAY, last = today;
    struct period period;
    if (span->period[0] && period_parse(span->period, strlen(span->period), &period) == STATUS_OK)
        last = period.until.us / USEC_DAY - 1;
    else if (span->until.us) last = span->until.us / USEC_DAY - 1;
    return last < today ? last : today;
}

static void
put_accounts(struct finance *finance, const struct db_rows *rows)
{
    struct sheet *sheet = &finance->sheet;
    sheet_begin(sheet, columns, COLUMNS, db_count(rows));
    for (size_t row = 0; row < db_count(rows); row++) {
        bool total = db_get_int(rows, row, 0) == 1;
        sheet->report->total_rows += total;
        sheet_text(sheet, rows, row, 2);
        if (total) sheet_put(sheet, "total");
        else sheet_text(sheet, rows, row, 3);
        sheet_text(sheet, rows, row, 1);
        for (size_t i = 0; i < AMOUNTS; i++)
            report_amount(sheet, arena_printf(sheet->arena, "%s", db_get_text(rows, row, 4 + i)));
    }
    sheet->report->notes =
        "What came first is settled first. Contrary: accounts that stand the other "
        "way round.";
}

// Columns: 0 total, 1 currency, 2 side, 3 account, then the buckets, contrary, open.
static enum status
ask_accounts(struct finance *finance, struct db_rows **out_rows)
{
    static const char sql[] =
        "with d as (select s.currency, s.account, s.code, s.day, sum(" OWN ") as own,"
        "  sum(greatest(" OWN ", 0)) as inc from report_fold_side s where " AGED
        "  group by s.currency, s.account, s.code, s.day),"
        " w as (select d.*, sum(d.own) over (partition by d.currency, d.account) as balance,"
        "  sum(d.inc) over (partition by d.currency, d.account order by d.day desc) - d.inc as"
        "  later from d),"
        " o as (select w.*, greatest(0, least(w.inc, w.balance - w.later)) as part,"
        "  $4::bigint - w.day as days from w),"
        " a as (select o.currency, o.account, o.code,"
        "  case when o.code < 2000 then 'owed to us' else 'owed by us' end as side,"
        "  sum(case when o.days <= 30 then o.part else 0 end) as b0,"
        "  sum(case when o.days between 31 and 60 then o.part else 0 end) as b1,"
        "  sum(case when o.days between 61 and 90 then o.part else 0 end) as b2,"
        "  sum(case when o.days > 90 then o.part else 0 end) as b3,"
        "  least(min(o.balance), 0) as b4, min(o.balance) as b5"
        "  from o group by 1, 2, 3, 4 having min(o.balance) <> 0)"
        " select x.total, x.currency, x.side, x.name, x.b0::text, x.b1::text, x.b2::text, "
        "x.b3::text, x.b4::text, x.b5::text from (select 0 as total, a.currency, a.side,"
        "  coalesce((select n.name from account n where n.currency = a.currency"
        "   and n.account = a.account), a.account::text) as name, a.code, a.account,"
        "  a.b0, a.b1, a.b2, a.b3, a.b4, a.b5 from a"
        "  union all select 1, a.currency, a.side, '', 0, 0, sum(a.b0), sum(a.b1), sum(a.b2),"
        "  sum(a.b3), sum(a.b4), sum(a.b5) from a group by a.currency, a.side) x"
        " order by x.total, x.currency collate \"C\", x.side desc, x.code, x.account";
    const struct db_param as_of = db_int8(last_day(finance));
    return report_ask(finance, sql, &as_of, 1, out_rows);
}

// Columns: 0 place (1 a transfer, 2 the others, 3 contrary, 4 total), 1 effective_us, 2 days,
// 3 kind, 4 period, 5 reference, 6 placement, 7 transfer, 8 currency, 9 amount, 10 open, 11 count.
static enum status
ask_rows(struct finance *finance, const char *account, const char *side, struct db_rows **out_rows)
{
    static const char sql[] =
        "with m as (select s.currency, s.account, s.effective_us, s.transfer_id, s.kind, s.period,"
        "   s.reference, s.placement_id, " OWN " as own from account n join report_row_side s"
        "   on s.currency = n.currency and s.account = n.account where ($5 = '' or n.name = $5)"
        "   and ($6 = '' or $6 = case when n.code < 2000 then 'owed to us' else 'owed by us' end)"
        "   and " AGED "),"
        " w as (select m.*, sum(m.own) over (partition by m.currency, m.account) as balance,"
        "   sum(greatest(m.own, 0)) over (partition by m.currency, m.account"
        "    order by m.effective_us desc, m.transfer_id desc) - greatest(m.own, 0) as later"
        "   from m),"
        " o as (select w.*, least(w.own, w.balance - w.later) as part,"
        "   $4::bigint - w.effective_us / 86400000000 as days,"
        "   row_number() over (partition by w.currency order by w.effective_us, w.transfer_id)"
        "    as nth from w where w.own > 0 and w.balance - w.later > 0),"
        " x as (select 1 as place, o.effective_us, o.days, o.kind, o.period, o.reference,"
        "   coalesce(o.placement_id::text, '') as placement, o.transfer_id::text as id, o.currency,"
        "   o.own as amount, o.part as part, 1::numeric as n from o where o.nth <= $7"
        "  union all select 2, 0, 0, '', '', '', '', '', o.currency, sum(o.own), sum(o.part),"
        "   count(*) from o where o.nth > $7 group by o.currency"
        "  union all select 3, 0, 0, '', '', '', '', '', b.currency, sum(b.balance),"
        "   sum(b.balance), count(*) from (select distinct currency, account, balance from w"
        "   where balance < 0) b group by b.currency)"
        " select y.place, y.effective_us, y.days, y.kind, y.period, y.reference, y.placement, y.id,"
        "  y.currency, y.amount::text, y.part::text, y.n::text from (select * from x union all"
        "  select 4, 0, 0, '', '', '', '', '', x.currency, sum(x.amount), sum(x.part), sum(x.n)"
        "  from x group by x.currency) y"
        " order by case when y.place = 4 then 1 else 0 end, y.currency collate \"C\", y.place,"
        "  y.effective_us, y.id collate \"C\"";
    const struct db_param more[] = {db_int8(last_day(finance)), db_text(account), db_text(side),
                                    db_int8(FINANCE_ROWS)};
    return report_ask(finance, sql, more, 4, out_rows);
}

static void
put_rows(struct finance *finance, const struct db_rows *rows)
{
    struct sheet *sheet = &finance->sheet;
    sheet_begin(sheet, row_columns, ROW_COLUMNS, db_count(rows));
    for (size_t row = 0; row < db_count(rows); row++) {
        int64_t place = db_get_int(rows, row, 0);
        const char *word = place == 2   ? arena_printf(sheet->arena, "%s further",
                                                       db_get_text(rows, row, 11))
                           : place == 3 ? "contrary"
                                        : "total";
        sheet->report->total_rows += place == 4;
        sheet_put(sheet, place == 1 ? report_at(sheet->arena, db_get_time(rows, row, 1)) : NULL);
        if (place == 1) sheet_count(sheet, db_get_int(rows, row, 2));
        else sheet_put(sheet, NULL);
        if (place == 1) sheet_text(sheet, rows, row, 3);
        else sheet_put(sheet, word);
        for (size_t i = 4; i < 8; i++) sheet_text(sheet, rows, row, i);
        sheet_text(sheet, rows, row, 8);
        for (size_t i = 9; i < 11; i++)
            report_amount(sheet, arena_printf(sheet->arena, "%s", db_get_text(rows, row, i)));
    }
}

// The account and the side that a key names; "" any.
static enum status
find_key(struct finance *finance, const struct db_rows *rows, const char **out_account,
         const char **out_side)
{
    struct arena *arena = finance->sheet.arena;
    const char *key = finance->question->rows, *known = "";
    *out_account = *out_side = "";
    if (strcmp(key, "total") == 0 && db_count(rows) > 0) return STATUS_OK;
    for (size_t row = 0; row < db_count(rows); row++) {
        bool total = db_get_int(rows, row, 0) == 1;
        const char *side = arena_printf(arena, "%s", db_get_text(rows, row, 2));
        const char *name = arena_printf(arena, "%s", db_get_text(rows, row, 3));
        if (total ? strcmp(key, side) == 0
                  : strcmp(key, name) == 0 ||
                        strcmp(key, arena_printf(arena, "%s,%s", side, name)) == 0) {
            *out_account = name;
            *out_side = side;
            return STATUS_OK;
        }
        if (!total && strlen(known) < 250)
            known = arena_printf(arena, "%s%s%s", known, known[0] ? ", " : "", name);
    }
    if (known[0])
        report_fault(finance,
                     "nothing is open under '%s'; there is %s, 'owed to us', 'owed by us', "
                     "'total'",
                     key, known);
    else
        report_fault(finance, "there is nothing to open: nothing is owed %s",
                     report_span_text(finance));
    return STATUS_NOT_FOUND;
}

enum status
report_aging(struct finance *finance)
{
    struct sheet *sheet = &finance->sheet;
    struct db_rows *rows = NULL, *behind = NULL;
    const char *account, *side;
    enum status status = ask_accounts(finance, &rows);
    if (status != STATUS_OK) goto done;
    char as_of[CLOCK_TEXT];
    clock_format((usec){last_day(finance) * USEC_DAY}, as_of);
    if (finance->question->rows) {
        status = find_key(finance, rows, &account, &side);
        if (status == STATUS_OK) status = ask_rows(finance, account, side, &behind);
        if (status != STATUS_OK) goto done;
        put_rows(finance, behind);
        sheet->report->heading = arena_printf(sheet->arena, "Open on %.10s: what is behind '%s'",
                                              as_of, finance->question->rows);
    } else {
        put_accounts(finance, rows);
        sheet->report->heading = arena_printf(sheet->arena, "Open on %.10s, by age", as_of);
    }
    sheet->report->empty = arena_printf(sheet->arena, "Nothing is open on %.10s.", as_of);
done:
    db_rows_free(rows);
    db_rows_free(behind);
    return status;
}
