// Step 4 of a close: the trial balance, in one pass over the period's transfers.
//
// The pass adds the rows up by account, kind and state, and compares with their sums (folds). All
// else is then read from the sums, which are small: accounts, control accounts, eliminations.
//
//  1 Rows = sums, by currency, accounts, kind and state.
//  2 By everything else that sums are told apart by they are compared weighed: the proof weighed
//    the rows as it went (proof_sum). slotctl verify compares them one by one.
//  3 What facts count for on statements, counted by the proof from the rows, is what was counted
//    when they were booked.
//  4 Departments' transfer prices cancel out (4100 and 5100), memo accounts too (9000 and 9001).
//  5 What statements' sections of all seats come to is what the control accounts moved by.
//  6 Over all accounts, from the beginning to the end of the period, debits = credits.
#include <inttypes.h>
#include <string.h>

#include "proof_inside.h"
#include "settle_inside.h"

// --- Sums ----------------------------------------------------------------------------------------

// Rule 1.
static const char sums_sql[] =
    "with counted as ("
    " select currency, debit, credit, kind, state, count(*)::numeric as count,"
    "  sum(amount_micros) as micros from transfer where period = $1 group by 1, 2, 3, 4, 5),"
    " folded as ("
    " select currency, debit, credit, kind, state, sum(count) as count, sum(micros) as micros"
    "  from fold where period = $1 group by 1, 2, 3, 4, 5)"
    " select currency, debit, credit, kind, state, coalesce(c.count, 0)::bigint,"
    "  coalesce(c.micros, 0)::bigint, coalesce(f.count, 0)::bigint, coalesce(f.micros, 0)::bigint,"
    "  count(*) over ()"
    " from counted c full join folded f using (currency, debit, credit, kind, state)"
    " where (c.count, c.micros) is distinct from (f.count, f.micros)"
    " order by 1, 2, 3, 4, 5 limit 1";

// Rule 2. Finance's transfers are few; they are weighed here.
static const char weighed_sql[] =
    "select sum(rows), sum(sums) from ("
    " select weighed as rows, 0::numeric as sums from proof_sum where period = $1"
    " union all select sum(amount_micros * " PROOF_WEIGHT(
        "effective_us / 86400000000") "), 0"
                                      "  from transfer where log = 0 and period = $1"
                                      " union all select 0, sum(micros * " PROOF_WEIGHT(
                                          "day") ") from fold where period = $1) w"
                                                 " having sum(rows) <> sum(sums)";

// Rule 3.
static const char counts_sql[] =
    "select coalesce(s.code, b.seat::text), b.section, b.currency, count(*) over () from ("
    " select seat, currency, section, slot, message, rung, won, delivered, ended, converted,"
    "  refunded, revenue from count_fold where period = $1"
    " union all select seat, currency, section, slot, message, rung, -won, -delivered, -ended,"
    "  -converted, -refunded, -revenue from proof_count where period = $1) b"
    " left join seat s on s.id = b.seat"
    " group by coalesce(s.code, b.seat::text), b.section, b.currency, b.slot, b.message, b.rung"
    " having sum(won) <> 0 or sum(delivered) <> 0 or sum(ended) <> 0 or sum(converted) <> 0"
    "  or sum(refunded) <> 0 or sum(revenue) <> 0 order by 1, 2, 3 limit 1";

static void
sums_fault(const struct db_rows *rows, const char *period, char out_fault[SETTLE_DETAIL])
{
    char found[MONEY_TEXT], kept[MONEY_TEXT];
    money_format(db_get_money(rows, 0, 6), 6, found);
    money_format(db_get_money(rows, 0, 8), 6, kept);
    snprintf(out_fault, SETTLE_DETAIL,
             "sums against transfers of %s: %" PRId64 " differ, first %s %s, debit %" PRId64
             " credit %" PRId64 " %s: %" PRId64 " transfers of %s, its sum says %" PRId64
             " of %s; slotctl verify names the row",
             period, db_get_int(rows, 0, 9), db_get_text(rows, 0, 3), db_get_text(rows, 0, 4),
             db_get_int(rows, 0, 1), db_get_int(rows, 0, 2), db_get_text(rows, 0, 0),
             db_get_int(rows, 0, 5), found, db_get_int(rows, 0, 7), kept);
}

// Rule 1. The planner takes sums by account for as many as there could be, and would rather sort a
// large month than keep them in memory; they are few.
static enum status
compare_sums(struct db *db, const struct db_param params[1], struct db_rows **out_rows)
{
    enum status status = db_script(db, "set local enable_sort = off");
    if (status == STATUS_OK) status = db_query(db, sums_sql, params, 1, out_rows);
    return status == STATUS_OK ? db_script(db, "set local enable_sort = on") : status;
}

enum status
settle_sums(struct db *db, const char *period, char out_fault[SETTLE_DETAIL])
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period)};
    enum status status = compare_sums(db, params, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        sums_fault(rows, period, out_fault);
        status = STATUS_CONFLICT;
    }
    db_rows_free(rows);
    if (status != STATUS_OK) return status;
    status = db_query(db, weighed_sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        snprintf(out_fault, SETTLE_DETAIL,
                 "sums against transfers of %s: their seats, contracts, slots, messages, rungs or "
                 "days differ; slotctl verify names the row",
                 period);
        status = STATUS_CONFLICT;
    }
    db_rows_free(rows);
    if (status != STATUS_OK) return status;
    status = db_query(db, counts_sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        snprintf(out_fault, SETTLE_DETAIL,
                 "counts of statement lines of %s: %" PRId64
                 " are not what the facts say, first of %s, %s, %s",
                 period, db_get_int(rows, 0, 3), db_get_text(rows, 0, 0), db_get_text(rows, 0, 1),
                 db_get_text(rows, 0, 2));
        status = STATUS_CONFLICT;
    }
    db_rows_free(rows);
    return status;
}

// --- Accounts ------------------------------------------------------------------------------------

// Rule 5: (name, currency, expected, found) of what is wrong.
static const char controls_sql[] =
    "with control as ("
    " select case s.account % 10000 when 1110 then 'charged' when 2000 then 'prepaid'"
    "   when 5100 then 'bought' when 4100 then 'sold' when 1150 then 'owed'"
    "   else 'earned' end as section, f.currency,"
    "  sum(case when s.account % 10000 in (4100, 2100, 4210) then -s.micros else s.micros end)"
    "   as micros from (select currency, debit, credit, sum(micros) as micros from fold"
    "   where period = $1 and state = 'posted' and kind in ('charge', 'internal', 'share',"
    "    'refund', 'commission', 'credit', 'true_up', 'adjustment') group by 1, 2, 3) f"
    "  cross join lateral (values (f.debit, f.micros), (f.credit, -f.micros)) s (account, micros)"
    " where s.account % 10000 in (1110, 2000, 5100, 4100, 1150, 2100, 4210) group by 1, 2),"
    " stated as (select section, currency, sum(micros) as micros from statement_part"
    "  where period = $1 group by section, currency)"
    " select 'section ' || section, currency, coalesce(c.micros, 0)::bigint,"
    "  coalesce(s.micros, 0)::bigint"
    " from control c full join stated s using (section, currency)"
    " where coalesce(c.micros, 0) <> coalesce(s.micros, 0) order by 1, 2";

static enum status
must_be_empty(struct settle *settle, const char *sql, const char *what)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    if (status != STATUS_OK) {
        status = settle_db_fault(settle, status, "checking the books");
    } else if (db_count(rows) > 0) {
        char expected[MONEY_TEXT], found[MONEY_TEXT];
        money_format(db_get_money(rows, 0, 2), 6, expected);
        money_format(db_get_money(rows, 0, 3), 6, found);
        status = settle_fault(settle, STATUS_CONFLICT,
                              "%s: %zu differ, first %s: expected %s, found %s %s; "
                              "slotctl verify names the cause",
                              what, db_count(rows), db_get_text(rows, 0, 0), expected, found,
                              db_get_text(rows, 0, 1));
    }
    db_rows_free(rows);
    return status;
}

// Rules 4 and 6: (currency, sum of debit balances, debits = credits, eliminations, memo)
static const char closing_sql[] = SETTLE_CLOSING
    "select currency, sum(greatest(debit - credit, 0))::bigint, sum(debit) = sum(credit),"
    " coalesce(sum(debit - credit) filter (where account % 10000 in (4100, 5100)), 0)::bigint,"
    " coalesce(sum(debit - credit) filter (where account % 10000 in (9000, 9001)), 0)::bigint"
    " from closing group by currency order by currency";

static enum status
add_up_one(struct settle *settle, const struct db_rows *rows, size_t row)
{
    char off[MONEY_TEXT];
    const char *currency = db_get_text(rows, row, 0);
    if (!db_get_bool(rows, row, 2))
        return settle_fault(settle, STATUS_CONFLICT, "debits and credits in %s differ", currency);
    for (size_t i = 3; i < 5; i++) {
        if (db_get_int(rows, row, i) == 0) continue;
        money_format(db_get_money(rows, row, i), 6, off);
        return settle_fault(settle, STATUS_CONFLICT,
                            "%s do not cancel out: %s %s is left; slotctl verify names the cause",
                            i == 3 ? "internal placements (4100 + 5100)"
                                   : "memo accounts (9000 + 9001)",
                            off, currency);
    }
    fprintf(settle->record, "balance %s %" PRId64 "\n", currency, db_get_int(rows, row, 1));
    return STATUS_OK;
}

static enum status
add_up(struct settle *settle)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = settle_db_fault(
        settle, db_query(settle->db, closing_sql, params, 1, &rows), "adding up balances");
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        status = add_up_one(settle, rows, i);
    if (status == STATUS_OK) {
        settle_say(settle, "debits = credits = ");
        if (db_count(rows) == 0) settle_say(settle, "0");
        settle_amounts(settle, rows, 1, 6);
        settle_say(settle, "; eliminations 0; unexplained 0.000000");
    }
    db_rows_free(rows);
    return status;
}

enum status
settle_step_balance(struct settle *settle)
{
    char fault[SETTLE_DETAIL];
    enum status status = settle_sums(settle->db, settle->period->name, fault);
    if (status == STATUS_CONFLICT) return settle_fault(settle, status, "%s", fault);
    if (status != STATUS_OK) return settle_db_fault(settle, status, "adding up transfers");
    status = must_be_empty(settle, controls_sql, "statements against accounts");
    return status == STATUS_OK ? add_up(settle) : status;
}
