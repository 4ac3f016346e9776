// What acts wrote beside their transfers: rates, payouts, disputes, locks and so on. Each of these
// rows stands, with every column, as a line of its act's body, so it is under the act's digest:
//
//     row rate CHF|EUR|1790812800000000|10671|10000|0|ECB|12
//
//  1 A row names its act; it is written before its act ends, and never changed.
//  2 A line is made by the database alone, both when it is said and when it is verified: the same
//    expression over the same columns, in the table's order. Line ends in what people wrote become
//    spaces; long bodies stand as their SHA-256.
//  3 Verifying compares both ways: a row without its line was put in or changed, a line without
//    its row was taken out or changed.
//  4 A new table of this kind gets its place here; the test of evidence goes over all tables.
#include "act_rows.h"

#include <inttypes.h>

#include "fail.h"

#define LINE(table, columns) \
    "translate('row " table " ' || concat_ws('|', " columns "), E'\\n\\r', '  ')"
#define ROWS(table, columns) " select act, " LINE(table, columns) " as line from " table

// Weights of a fit belong to the act of the fit; without a fit, to none.
static const char rows_sql[] = "("
    // clang-format off
    ROWS("rate", "from_currency, to_currency, at_us, num, den, spread_ppm, source, act")
    " union all"
    ROWS("payout_run", "period, act, at_us, payouts,"
                       " encode(sha256(convert_to(body, 'UTF8')), 'hex'), encode(digest, 'hex')")
    " union all"
    ROWS("payout", "payout_id, period, seat, currency, amount_micros, from_currency, spent_micros,"
                   " spread_micros, end_to_end, name, iban, rate, act")
    " union all"
    ROWS("payout_event", "payout_id, state, act, at_us, detail")
    " union all"
    ROWS("bank_entry", "entry_id, what, seat, currency, amount_micros,"
                       " coalesce(payout_id::text, ''), reference, entry, at_us, act")
    " union all select number,"
    LINE("dispute", "number, kind, seat, currency, coalesce(order_id::text, ''), reference, reason,"
                    " evidence, amount_micros, opened_us, deadline_us")
    " from dispute union all"
    ROWS("dispute_end", "number, outcome, at_us, act")
    " union all select number,"
    LINE("adjustment", "number, adjusts, amount_micros, to_account, effective_us, reason, evidence,"
                       " author")
    " from adjustment union all"
    ROWS("adjustment_end", "number, outcome, act")
    " union all"
    ROWS("life_lock", "order_id, act, due_us")
    " union all"
    ROWS("life_extension", "order_id, due_us, act")
    " union all"
    ROWS("life_pool", "order_id, act, period, seat, currency, contract, slot, message, rung,"
                      " micros")
    " union all"
    ROWS("life_rate", "contract, period, currency, revenue_micros, reached_ppm, act")
    " union all"
    ROWS("life_payout", "seat, currency, act")
    " union all"
    ROWS("life_payout_back", "seat, currency, payout_act, act")
    " union all"
    ROWS("hold_expiry", "placement_id, log, batch, act")
    " union all"
    ROWS("dead_log", "log, batch, at_us, act")
    " union all"
    ROWS("model_fit", "version, log, model, period, batch, seen, at_us, act, paths, nulls")
    " union all select f.act, "
    LINE("model_weight", "w.version, w.seat, w.rung, w.ppm")
    // clang-format on
    " from model_weight w left join (select distinct version, act from model_fit) f"
    " on f.version = w.version)";

enum status
act_rows_say(struct db *db, uint64_t number, FILE *body)
{
    char sql[6000];
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int8((int64_t)number)};
    int len = snprintf(sql, sizeof sql,
                       "select line from %s r where act = $1 order by line collate \"C\"",
                       rows_sql);
    CHECK(len > 0 && (size_t)len < sizeof sql);
    enum status status = db_query(db, sql, params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        fprintf(body, "%s\n", db_get_text(rows, i, 0));
    db_rows_free(rows);
    return status;
}

enum status
act_rows_verify(struct db *db, char out_fault[ACT_FAULT])
{
    char sql[6000];
    struct db_rows *rows = NULL;
    int len = snprintf(
        sql, sizeof sql,
        "select coalesce(s.number, h.act, 0), coalesce(s.line, h.line), h.line is null from ("
        " select a.number, l.line from act a"
        "  cross join lateral unnest(string_to_array(a.body, E'\\n')) as l (line)"
        "  where l.line like 'row %%') s"
        " full join %s h on h.act = s.number and h.line = s.line"
        " where s.line is null or h.line is null order by 1, 3 desc, 2 limit 1",
        rows_sql);
    CHECK(len > 0 && (size_t)len < sizeof sql);
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        snprintf(out_fault, ACT_FAULT,
                 db_get_bool(rows, 0, 2)
                     ? "act %" PRId64 " wrote '%.280s'; the ledger does not hold it so"
                     : "act %" PRId64 " did not write '%.280s', which the ledger holds",
                 db_get_int(rows, 0, 0), db_get_text(rows, 0, 1));
        status = STATUS_CONFLICT;
    }
    db_rows_free(rows);
    return status;
}
