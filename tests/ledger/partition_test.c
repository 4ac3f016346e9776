// Tests of partition.c: months are made ahead, once; a period's transfers lie in its own table;
// only a closed period without open holds is detached, once; afterwards `transfer` is without it,
// transfer_kept and the views on it are as before, nobody can add to it, and its ids stay taken.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ledger/fold.h"
#include "act.h"
#include "books.h"
#include "database.h"
#include "export.h"
#include "partition.h"
#include "seed.h"
#include "settle.h"
#include "transfer.h"
#include "verify.h"

static char owner[POSTGRES_TEXT], ledger[POSTGRES_TEXT];
static struct db *db, *ledger_db;

static int64_t
ask(const char *sql)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status != STATUS_OK) print_message("%s: %s\n", sql, db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    int64_t value = db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return value;
}

static enum status
book(uint64_t number, const char *period, enum transfer_state state, uint64_t pending)
{
    struct transfer one = {.id = hash_id("t", &number, sizeof number),
                           .kind = TRANSFER_HOLD,
                           .state = (uint8_t)state,
                           .debit = {.code = ACCOUNT_UNBILLED, .seat = 1},
                           .credit = {.code = ACCOUNT_SLOT_EXTERNAL},
                           .currency = {"EUR"},
                           .amount = money_of((int64_t)number),
                           .effective = {1},
                           .posted = {1},
                           .log = 1,
                           .batch = number,
                           .rung = -1,
                           .won_rung = -1};
    if (pending) one.pending = hash_id("t", &pending, sizeof pending);
    snprintf(one.period, sizeof one.period, "%s", period);
    assert_int_equal(db_begin(ledger_db), STATUS_OK);
    enum status status = transfer_load(ledger_db, &one, 1);
    if (status == STATUS_OK) status = db_commit(ledger_db);
    db_rollback(ledger_db);
    return status;
}

static void
closed(const char *period)
{
    char sql[256];
    snprintf(
        sql, sizeof sql,
        "insert into period_event (period, step, name, from_us, until_us, at_us, detail, record)"
        " values ('%s', 9, 'closed', 0, 1, 1, '', '')",
        period);
    assert_int_equal(db_script(db, sql), STATUS_OK);
}

static enum status
detach(const char *name, struct partition_report *report)
{
    struct period period;
    assert_int_equal(period_parse(name, 7, &period), STATUS_OK);
    return partition_detach(db, &period, (usec){5}, report);
}

static void
months_are_made_ahead(void **state)
{
    (void)state;
    static const char count[] = "select count(*) from pg_inherits where inhparent = "
                                "'transfer'::regclass";
    int64_t before = ask(count);
    assert_int_equal(before, 1 + 26);  // the default, the month before, this one and the next 24
    usec at;
    assert_int_equal(clock_parse("2031-12-30", 10, &at), STATUS_OK);
    assert_int_equal(partition_ahead(db, at, 2), STATUS_OK);
    assert_int_equal(partition_ahead(db, at, 3), STATUS_OK);
    assert_int_equal(ask(count), before + 5);
    // What was booked before its month was made stays where it is.
    assert_int_equal(book(1, "2035-01", TRANSFER_POSTED, 0), STATUS_OK);
    assert_int_equal(clock_parse("2035-02-01", 10, &at), STATUS_OK);
    assert_int_equal(partition_ahead(db, at, 1), STATUS_OK);
    assert_int_equal(book(2, "2035-01", TRANSFER_POSTED, 0), STATUS_OK);
    assert_int_equal(ask("select count(*) from transfer_default"), 2);
    assert_int_equal(clock_parse("9999-12-31", 10, &at), STATUS_OK);
    assert_int_equal(partition_ahead(db, at, 3), STATUS_OK);
}

static void
refused_by_name(void **state)
{
    (void)state;
    struct partition_report report;
    assert_int_equal(book(10, "2031-11", TRANSFER_PENDING, 0), STATUS_OK);
    assert_int_equal(book(11, "2031-12", TRANSFER_POSTED, 0), STATUS_OK);
    assert_int_equal(ask("select count(*) from transfer_2031_11"), 1);
    assert_int_equal(detach("2031-11", &report), STATUS_CONFLICT);
    assert_non_null(strstr(report.fault, "2031-11 is not closed"));
    closed("2031-11");
    assert_int_equal(detach("2031-11", &report), STATUS_CONFLICT);
    assert_non_null(strstr(report.fault, "still holds 1 prices"));
    closed("2035-01");
    assert_int_equal(detach("2035-01", &report), STATUS_NOT_FOUND);
    assert_non_null(strstr(report.fault, "no table of its own"));
    closed("2032-01");
    assert_int_equal(detach("2032-01", &report), STATUS_NOT_FOUND);
    assert_non_null(strstr(report.fault, "has no transfers"));
    bool attached = false;
    assert_int_equal(partition_attached(db, "2031-11", &attached), STATUS_OK);
    assert_true(attached);
    // The programs' roles cannot.
    struct period period;
    assert_int_equal(period_parse("2031-11", 7, &period), STATUS_OK);
    assert_int_not_equal(partition_detach(ledger_db, &period, (usec){5}, &report), STATUS_OK);
    assert_int_equal(ask("select count(*) from transfer_detached"), 0);
}

static void
detached_and_still_there(void **state)
{
    (void)state;
    struct partition_report report;
    assert_int_equal(book(12, "2031-12", TRANSFER_VOIDED, 10), STATUS_OK);
    int64_t all = ask("select count(*) from transfer"),
            entries = ask("select sum(micros * (1 + account % 7))::bigint from entry");
    assert_int_equal(detach("2031-11", &report), STATUS_OK);
    assert_string_equal(report.relation, "vendue.transfer_2031_11");
    assert_int_equal(report.transfers, 1);
    assert_false(report.before);
    assert_int_equal(detach("2031-11", &report), STATUS_OK);
    assert_true(report.before);
    assert_int_equal(report.transfers, 1);
    closed("2031-12");
    assert_int_equal(detach("2031-12", &report), STATUS_OK);
    assert_int_equal(ask("select count(*) from transfer"), all - 3);
    assert_int_equal(ask("select count(*) from transfer_kept"), all);
    assert_int_equal(ask("select sum(micros * (1 + account % 7))::bigint from entry"), entries);
    bool attached = true;
    assert_int_equal(partition_attached(db, "2031-11", &attached), STATUS_OK);
    assert_false(attached);
    char text[FOLD_TEXT];
    assert_int_equal(fold_verify(db, text), STATUS_OK);
    assert_string_equal(text, "");
    // Its ids stay taken, and nobody of the programs can add to it.
    assert_int_equal(book(10, "2032-01", TRANSFER_POSTED, 0), STATUS_CONFLICT);
    assert_int_equal(db_run(ledger_db, "select count(*) from transfer_2031_11", NULL, 0, NULL),
                     STATUS_OK);
    assert_int_equal(db_run(ledger_db,
                            "insert into transfer_2031_11 select * from transfer_2031_11", NULL, 0,
                            NULL),
                     STATUS_DENIED);
    // A query of another period does not read it.
    struct db_rows *rows = NULL;
    assert_int_equal(db_query(db, "explain select * from transfer_kept where period = '2032-01'",
                              NULL, 0, &rows),
                     STATUS_OK);
    for (size_t i = 0; i < db_count(rows); i++)
        assert_null(strstr(db_get_text(rows, i, 0), "transfer_2031"));
    db_rows_free(rows);
}

static char *
csv_of(struct db *on, const struct period *period)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    assert_int_equal(export_period(on, period, EXPORT_CSV, out, NULL), STATUS_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

// A month at work, closed, and put aside: what was sent and what an auditor asks is as before.
static void
a_closed_month_put_aside(void **state)
{
    (void)state;
    struct books books;
    struct period october;
    struct settle_report closed_as;
    struct partition_report report;
    struct act_head head;
    char detail[SETTLE_DETAIL], fault[ACT_FAULT], text[FOLD_TEXT];
    assert_int_equal(period_parse("2026-10", 7, &october), STATUS_OK);
    books_open(&books, books_market, "2026-10-05T08:00:00Z");
    books_random(&books, seed_fresh(), 600, 3000000000);
    books_at(&books, "2026-11-20T08:00:00Z");
    books_random(&books, seed_fixed(7), 200, 600000000);
    books_ship(&books);
    const struct settle_options options = {
        .directory = books.directory, .log = 1, .now = books.now, .readers = "sqlite"};
    if (settle_close(books.console_db, &october, &options, &closed_as) != STATUS_OK)
        fail_msg("%s", closed_as.fault);
    char *before = csv_of(books.console_db, &october);
    enum status status = partition_detach(books.db, &october, books.now, &report);
    if (status != STATUS_OK) fail_msg("%s", report.fault);
    assert_true(report.transfers > 50);
    char *after = csv_of(books.console_db, &october);
    assert_string_equal(before, after);
    free(before);
    free(after);
    status = settle_verify(books.console_db, NULL, detail);
    if (status != STATUS_OK) fail_msg("%s", detail);
    status = act_verify(books.console_db, &head, fault);
    if (status != STATUS_OK) fail_msg("%s", fault);
    assert_int_equal(fold_verify(books.console_db, text), STATUS_OK);
    assert_string_equal(text, "");
    assert_string_equal(books_text(&books, "select count(*)::text from unexplained"), "0");
    struct verify_report verified;
    static const enum verify_part parts[] = {VERIFY_FACTS, VERIFY_TRANSFERS, VERIFY_BALANCE,
                                             VERIFY_HOLDS, VERIFY_ACTS};
    assert_int_equal(verify_run(books.console_db, books.directory, 1, &verified), STATUS_OK);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!verified.checks[parts[i]].ok)
            fail_msg("%s: %s; %s", verified.checks[parts[i]].name, verified.checks[parts[i]].detail,
                     verified.differences[0]);
    assert_true(verified.away == 0);
    books_close(&books);
}

static int
open_books(void **state)
{
    (void)state;
    db = database_migrated(owner);
    postgres_as(owner, "vendue_ledger", ledger);
    ledger_db = database_open(ledger);
    return 0;
}

static int
close_books(void **state)
{
    (void)state;
    db_close(ledger_db);
    db_close(db);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_are_made_ahead),
        cmocka_unit_test(refused_by_name),
        cmocka_unit_test(detached_and_still_there),
        cmocka_unit_test(a_closed_month_put_aside),
    };
    return cmocka_run_group_tests(tests, open_books, close_books);
}
