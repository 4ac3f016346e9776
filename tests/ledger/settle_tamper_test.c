// Whoever owns the database may change any row; slotctl verify must name what was changed. Every
// column of every table that money, facts and closes rest on is changed in some row, rows are
// taken out and put in, each by itself, and the proof is run. What is not protected stands in a
// list here, with the reason.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "books.h"
#include "deposit.h"
#include "proof.h"
#include "seed.h"
#include "settle.h"
#include "verify.h"

// Rows of these are never changed by anyone.
static const char *const tables[] = {
    "transfer",       "transfer_key", "fold",      "count_fold",      "act",
    "balance",        "period_event", "statement", "statement_total", "statement_document",
    "statement_file", "deposit",      "account",   "hold_expiry",     "dead_log",
    "frame",          "contact",      "outcome",   "event",           "revenue",
    "credit",         "open_hold",    "watermark",
};

// Columns that say nothing which anything rests on.
static const struct {
    const char *table, *column, *why;
} loose[] = {
    {"fold", "log", "which load it sums; sums are by period"},
    {"fold", "batch", "likewise"},
    {"fold", "upto", "likewise"},
    {"count_fold", "log", "likewise"},
    {"count_fold", "batch", "likewise"},
    {"count_fold", "upto", "likewise"},
    {"watermark", "at_us", "when a frame was booked"},
    {"watermark", "reported_us", "changes every few seconds"},
    {"watermark", "fences", "a lock"},
    {"frame", "turn", "which of two logs spoke first of an order: seen by what was booked of it"},
};

static struct period november;

static bool
is_loose(const char *table, const char *column)
{
    for (size_t i = 0; i < sizeof loose / sizeof *loose; i++)
        if (strcmp(loose[i].table, table) == 0 && strcmp(loose[i].column, column) == 0) return true;
    return false;
}

// --- Books with a bit of everything, November closed ---------------------------------------------

static void
close_november(struct books *books)
{
    struct settle_report report;
    struct settle_options options = {.directory = books->directory,
                                     .dead = {3, "controller", "its disk is lost"}};
    assert_int_equal(clock_parse("2026-12-02T08:00:00Z", 20, &options.now), STATUS_OK);
    enum status status = settle_close(books->console_db, &november, &options, &report);
    if (status != STATUS_OK) fail_msg("%s", report.fault);
}

static void
fill(struct books *books)
{
    struct deposit deposit;
    char detail[SETTLE_DETAIL];
    books_open(books, books_market, "2026-11-03T09:00:00Z");
    assert_int_equal(db_script(books->db, "insert into watermark (log, epoch, batch, digest, at_us)"
                                          " values (3, 1, 3, sha256('lost'), 1);"
                                          "insert into frame (log, batch, epoch, previous, digest,"
                                          " facts, at_us, fenced_until_us, turn) values"
                                          " (3, 3, 1, sha256('x'), sha256('lost'), 1, 1, 0, 0)"),
                     STATUS_OK);
    assert_int_equal(deposit_book(books->console_db, "mags", money_of(50000000), "BANK-1", "J. Doe",
                                  books->now, &deposit),
                     STATUS_OK);
    for (int i = 0; i < 3; i++) {
        books->now.us += USEC_DAY;
        struct id won = books_win(books, "bill.footer", i == 0 ? "magazine" : "barbecue", 152345);
        books_event(books, won, FACT_DELIVERED, books->now);
    }
    books_win(books, "bill.insert", "barbecue", 200000);  // expires at the close
    struct id internal = books_win(books, "call.offer", "plan_plus", 700000);
    books_event(books, internal, FACT_DELIVERED, books->now);
    struct id cover = books_win(books, "call.offer", "protection", 900000);
    books_event(books, cover, FACT_DELIVERED, books->now);
    books_revenue(books, cover, FACT_CONVERTED, 166666683, "order-1", NULL, books->now);
    books_revenue(books, cover, FACT_REFUNDED, 66666683, "order-1", "refund-1", books->now);
    books_at(books, "2026-11-30T10:00:00Z");
    books_win(books, "bill.footer", "barbecue", 90000);  // still open at the close
    books_ship(books);
    close_november(books);
    books_at(books, "2026-12-03T10:00:00Z");
    struct id later = books_win(books, "bill.footer", "barbecue", 80000);
    books_event(books, later, FACT_DELIVERED, books->now);
    books_ship(books);
    assert_int_equal(deposit_book(books->console_db, "mags", money_of(1000000), "BANK-2", "J. Doe",
                                  books->now, &deposit),
                     STATUS_OK);
    struct proof_report proof;  // takes the ended holds out of the list
    assert_int_equal(proof_turn(books->ledger_db, (usec){books->now.us + USEC_DAY}, &proof),
                     STATUS_OK);
    assert_int_equal(settle_publish(books->console_db, books->directory, detail), STATUS_OK);
}

// Whether the proof finds something wrong, and what it says first.
static bool
named(struct books *books, char out_text[1024])
{
    static struct verify_report report;
    char detail[SETTLE_DETAIL];
    enum status status = verify_run(books->console_db, books->directory, 1, &report);
    if (status != STATUS_OK) {
        db_rollback(books->console_db);
        snprintf(out_text, 1024, "%s", report.fault);
        return true;
    }
    if (!report.ok) {
        snprintf(out_text, 1024, "%s", report.differences[0]);
        for (int i = 0; i < VERIFY_PARTS && report.difference_count == 0; i++)
            if (!report.checks[i].ok) snprintf(out_text, 1024, "%s", report.checks[i].detail);
        return true;
    }
    status = settle_verify(books->console_db, books->directory, detail);
    snprintf(out_text, 1024, "%s", detail);
    return status != STATUS_OK;
}

// --- Changing, and changing back -----------------------------------------------------------------

static void
run_sql(struct books *books, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
run_sql(struct books *books, const char *format, ...)
{
    char sql[8000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    if (db_script(books->db, sql) != STATUS_OK) fail_msg("%s: %s", sql, db_fault(books->db)->text);
}

// Makes one change, has it proven, takes it back. False: it went unnoticed.
static bool
noticed(struct books *books, const char *table, const char *sql)
{
    char text[1024] = "";
    if (db_script(books->db, sql) != STATUS_OK) return true;  // the database itself refused it
    bool is = named(books, text);
    if (!is) print_message("unnoticed: %s\n", sql);
    run_sql(books, "delete from %s; insert into %s select * from kept_%s", table, table, table);
    return is;
}

// Of logs the one whose journal is here: others are proven on their own nodes.
#define SOME_ROW                                                                     \
    "with one as (select x.tableoid as t, x.ctid as c from %s x"                     \
    " where coalesce((to_jsonb(x) ->> 'log')::integer, 1) <= 1 or '%s' = 'dead_log'" \
    " order by md5(x.ctid::text || '%llu') limit 1) "

static const char *
changed(const char *column, const char *type, char out[512])
{
    if (strcmp(type, "text") == 0) snprintf(out, 512, "coalesce(%s, '') || 'x'", column);
    else if (strcmp(type, "boolean") == 0) snprintf(out, 512, "not %s", column);
    else if (strcmp(type, "uuid") == 0)
        snprintf(out, 512, "md5(coalesce(%s::text, ''))::uuid", column);
    else if (strcmp(type, "bytea") == 0)
        snprintf(out, 512, "set_byte(%s, 0, get_byte(%s, 0) # 1)", column, column);
    else snprintf(out, 512, "coalesce(%s, 0) + 1", column);
    return out;
}

static unsigned
tamper_with(struct books *books, const char *table, uint64_t seed, bool columns)
{
    char sql[8000], value[512];
    unsigned missed = 0;
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(table)};
    run_sql(books, "create table kept_%s as table %s", table, table);
    assert_int_equal(
        db_query(
            books->db,
            "select c.column_name::text, c.data_type::text, exists ("
            "  select 1 from pg_index i join pg_attribute a on a.attrelid = i.indrelid"
            "  and a.attnum = any(i.indkey) where i.indisprimary and i.indrelid = $1::regclass"
            "  and a.attname = c.column_name), (select count(*) from information_schema.columns x"
            "  where x.table_schema = 'vendue' and x.table_name = c.table_name)"
            " from information_schema.columns c where c.table_schema = 'vendue'"
            " and c.table_name = $1 order by c.ordinal_position",
            params, 1, &rows),
        STATUS_OK);
    snprintf(sql, sizeof sql,
             SOME_ROW "delete from %s x using one where x.tableoid = one.t and x.ctid = one.c",
             table, table, (unsigned long long)seed, table);
    missed += !noticed(books, table, sql);
    // A row put in: another one's copy with another key.
    size_t used = (size_t)snprintf(sql, sizeof sql, SOME_ROW "insert into %s select ", table, table,
                                   (unsigned long long)seed, table);
    bool keyed = false;
    for (size_t i = 0; i < db_count(rows); i++) {
        const char *column = db_get_text(rows, i, 0);
        bool change = db_get_bool(rows, i, 2) && !keyed && strcmp(column, "period") != 0;
        keyed |= change;
        used += (size_t)snprintf(sql + used, sizeof sql - used, "%s%s", i > 0 ? ", " : "",
                                 change ? changed(column, db_get_text(rows, i, 1), value) : column);
    }
    snprintf(sql + used, sizeof sql - used,
             " from %s x, one where x.tableoid = one.t and x.ctid = one.c", table);
    missed += !noticed(books, table, sql);
    for (size_t i = 0; columns && i < db_count(rows); i++) {
        const char *column = db_get_text(rows, i, 0);
        if (is_loose(table, column)) continue;
        snprintf(sql, sizeof sql,
                 SOME_ROW "update %s x set %s = %s from one where x.tableoid = one.t"
                          " and x.ctid = one.c",
                 table, table, (unsigned long long)seed, table, column,
                 changed(column, db_get_text(rows, i, 1), value));
        missed += !noticed(books, table, sql);
    }
    db_rows_free(rows);
    return missed;
}

static void
every_change_is_named(void **state)
{
    (void)state;
    struct books books;
    char text[1024];
    unsigned missed = 0;
    uint64_t seed = seed_fresh();
    fill(&books);
    if (named(&books, text)) fail_msg("before anything was changed: %s", text);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        missed += tamper_with(&books, tables[i], seed, true);
    if (named(&books, text)) fail_msg("after everything was put back: %s", text);
    assert_int_equal(missed, 0);
    books_close(&books);
}

// Changes that somebody would make who knows what he does.
static void
cunning_changes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *table, *damage, *fault;
    } cases[] = {
        {"period_event", "delete from period_event where period = '2026-11' and step = 9",
         "the ledger does not say so any more"},
        {"period_event", "delete from period_event where period = '2026-11'",
         "the ledger does not say so any more"},
        {"period_event", "delete from period_event where step = 7", "2026-11"},
        {"period_event", "update period_event set at_us = at_us + 1 where step = 9",
         "published/roots/2026-11.steps"},
        {"period_event",
         "insert into period_event select '2026-10', step, name, 1790812800000000, "
         "1793491200000000, at_us, detail, record from period_event",
         "2026-10"},
        {"act", "delete from act where number = (select max(number) from act)", "act"},
        {"statement_document",
         "update statement_document set body = replace(body, '0.90', '0.80') where format = 'txt'",
         "statement"},
        {"statement",
         "update statement set lines = replace(lines, '900000', '800000'), digest = "
         "sha256(replace(lines, '900000', '800000')::bytea)",
         "root"},
        {"balance", "update balance set debit = debit + 1, credit = credit + 1", "root"},
        {"transfer", "delete from transfer where kind = 'bill' and amount_micros = 900000",
         "transfer"},
        {"transfer",
         "update transfer set amount_micros = amount_micros + 10000 where kind = 'charge' and "
         "amount_micros = 900000",
         "differs"},
        {"deposit", "update deposit set amount_micros = amount_micros + 1", "deposit"},
        {"account", "update account set name = 'Income:Slot:Else' where code = 4000",
         "account 4000"},
        {"open_hold", "delete from open_hold", "is not listed as open"},
        {"dead_log", "delete from dead_log", "row dead_log"},
        {"hold_expiry", "delete from hold_expiry", "row hold_expiry"},
    };
    struct books books;
    char text[1024];
    fill(&books);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *table = cases[i].table;
        run_sql(&books, "create table kept_%s as table %s", table, table);
        run_sql(&books, "%s", cases[i].damage);
        if (!named(&books, text)) fail_msg("case %zu went unnoticed: %s", i, cases[i].damage);
        if (strstr(text, cases[i].fault) == NULL) fail_msg("case %zu: %s", i, text);
        run_sql(&books, "delete from %s; insert into %s select * from kept_%s; drop table kept_%s",
                table, table, table, table);
    }
    if (named(&books, text)) fail_msg("after everything was put back: %s", text);
    books_close(&books);
}

int
main(void)
{
    if (period_parse("2026-11", 7, &november) != STATUS_OK) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(cunning_changes_are_named),
                                       cmocka_unit_test(every_change_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
