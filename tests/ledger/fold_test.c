// Tests of fold.c: whatever transfers and counts are loaded, in whatever pieces, and however often
// they are merged in between, the folds are their sums by every column, as plain SQL adds up the
// rows; a changed one is named. Random; VENDUE_SEED replays a run.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ledger/fold.h"
#include "bounds.h"
#include "database.h"
#include "fail.h"
#include "seed.h"

static uint64_t seed;
static struct db *db, *ledger_db;

static uint64_t
draw(uint64_t below)
{
    return hash_mix(seed += 0x9e3779b97f4a7c15u) % below;
}

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

static void
good(struct db *on, enum status status)
{
    if (status != STATUS_OK) print_message("%s\n", db_fault(on)->text);
    assert_int_equal(status, STATUS_OK);
}

static int
open_books(void **state)
{
    (void)state;
    char connection[POSTGRES_TEXT], ledger[POSTGRES_TEXT];
    seed = seed_fresh();
    db = database_migrated(connection);
    postgres_as(connection, "vendue_ledger", ledger);
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

static struct transfer
random_transfer(uint64_t number, uint64_t batch)
{
    static const enum transfer_kind kinds[] = {TRANSFER_CHARGE, TRANSFER_REFUND, TRANSFER_LOCK};
    struct transfer one = {.id = hash_id("t", &number, sizeof number),
                           .group = hash_id("g", &number, sizeof number),
                           .leg = (uint16_t)draw(3),
                           .kind = (uint8_t)kinds[draw(3)],
                           .state = TRANSFER_POSTED,
                           .late = draw(2),
                           .debit = {.code = ACCOUNT_UNBILLED, .seat = (uint32_t)(1 + draw(2))},
                           .credit = {.code = ACCOUNT_SLOT_EXTERNAL},
                           .amount = money_of(1 + (int64_t)draw(draw(2) ? 10 : BOUND_MICROS)),
                           .effective = {(int64_t)draw(60) * USEC_DAY + (int64_t)draw(2)},
                           .posted = {99},
                           .log = 1,
                           .batch = batch,
                           .index = (uint32_t)number,
                           .seat = (uint32_t)draw(2),
                           .contract = (uint32_t)draw(2),
                           .slot = (uint32_t)draw(2),
                           .message = (uint32_t)draw(2),
                           .objectives = (uint16_t)draw(2),
                           .rung = (int8_t)((int)draw(3) - 1),
                           .won_rung = -1};
    memcpy(one.currency.code, draw(2) ? "EUR" : "JPY", 4);
    strcpy(one.period, draw(2) ? "1970-01" : "1970-02");
    if (draw(4) == 0) {
        one.state = TRANSFER_VOIDED;
        one.pending = one.group;
    }
    return one;
}

static void
folds_are_the_sums_of_transfers(void **state)
{
    (void)state;
    static struct transfer transfers[600];
    uint64_t number = 0;
    for (uint64_t batch = 1; batch <= 60; batch++) {
        size_t count = draw(40) == 0 ? 600 : draw(8);
        for (size_t i = 0; i < count; i++) transfers[i] = random_transfer(number++, batch);
        good(ledger_db, db_begin(ledger_db));
        good(ledger_db, transfer_load(ledger_db, transfers, count));
        good(ledger_db, db_commit(ledger_db));
        bool merged = false;
        if (draw(5) == 0) good(ledger_db, fold_compact(ledger_db, &merged));
    }
    char text[FOLD_TEXT];
    good(db, fold_verify(db, text));
    assert_string_equal(text, "");
    assert_int_equal(ask("select sum(count)::bigint from fold"), number);
    assert_int_equal(ask("select count(*) from transfer_key"), number);
    assert_int_equal(
        ask("select (sum(debit_micros) - sum(credit_micros))::bigint from account_day"), 0);
}

static void
merging_leaves_few_loads_and_the_same_sums(void **state)
{
    (void)state;
    static const char loads[] = "select count(*) from (select distinct period, log, batch from fold"
                                " union all select period, log, batch from count_fold group by 1, "
                                "2, 3) x";
    int64_t before = ask(loads), sum = ask("select sum(count)::bigint from fold");
    bool merged = true;
    for (int turns = 0; merged && turns < 20; turns++)
        good(ledger_db, fold_compact(ledger_db, &merged));
    assert_false(merged);
    assert_true(ask(loads) <= before &&
                ask(loads) <= 2 * 4 * 7);  // of each period, levels of at most 7
    assert_int_equal(ask("select sum(count)::bigint from fold"), sum);
    char text[FOLD_TEXT];
    good(db, fold_verify(db, text));
    assert_string_equal(text, "");
}

// A few amounts so large that their sum leaves int64: rows of one key are several then.
static void
sums_beyond_int64(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct transfer *transfers = calloc(COUNT, sizeof *transfers);
    CHECK(transfers);
    for (uint64_t i = 0; i < COUNT; i++) {
        transfers[i] = random_transfer(1000000 + i, 1000);
        transfers[i].period[6] = '3';
        transfers[i].amount = money_of(BOUND_MICROS);
        transfers[i].slot = transfers[i].message = transfers[i].seat = transfers[i].contract = 7;
        transfers[i].debit.seat = 7;
        transfers[i].effective = (usec){0};
    }
    good(ledger_db, db_begin(ledger_db));
    good(ledger_db, transfer_load(ledger_db, transfers, COUNT));
    good(ledger_db, db_commit(ledger_db));
    free(transfers);
    assert_int_equal(ask("select count(*) from (select sum(micros) from fold where period = "
                         "'1970-03' having sum(micros) = 20000 * 1000000000000000::numeric) x"),
                     1);
    char text[FOLD_TEXT];
    good(db, fold_verify(db, text));
    assert_string_equal(text, "");
}

static void
a_changed_fold_is_named(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "update fold set micros = micros + 1 where ctid = (select min(ctid) from fold)",
        "update fold set slot = 9 where ctid = (select min(ctid) from fold)",
        "delete from fold where ctid = (select min(ctid) from fold)",
        "insert into fold select * from fold where ctid = (select min(ctid) from fold)",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char text[FOLD_TEXT];
        good(db, db_begin(db));
        good(db, db_run(db, changes[i], NULL, 0, NULL));
        good(db, fold_verify(db, text));
        assert_non_null(strstr(text, "folds of 1970-0"));
        db_rollback(db);
    }
}

// Counts against a model: arrays by the three things that are drawn.
static void
counts_are_the_sums_of_facts(void **state)
{
    (void)state;
    int64_t revenue[2][3][2] = {{{0}}}, won[2][3][2] = {{{0}}};
    static const char *const sections[2] = {"charged", "owed"};
    for (uint64_t batch = 1; batch <= 40; batch++) {
        struct fold_count counts[30];
        size_t count = draw(30);
        for (size_t i = 0; i < count; i++) {
            uint64_t section = draw(2), seat = draw(3), period = draw(2);
            int64_t amount = (int64_t)draw(1000000) - 500000;
            counts[i] = (struct fold_count){.seat = (uint32_t)seat,
                                            .slot = (uint32_t)draw(2),
                                            .currency = {"EUR"},
                                            .section = sections[section],
                                            .rung = -1,
                                            .won = 1,
                                            .revenue = money_of(amount)};
            snprintf(counts[i].period, sizeof counts[i].period, "1980-0%u", 1 + (unsigned)period);
            revenue[section][seat][period] += amount;
            won[section][seat][period]++;
        }
        good(ledger_db, db_begin(ledger_db));
        good(ledger_db, fold_counts(ledger_db, counts, count, 2, batch, batch));
        good(ledger_db, db_commit(ledger_db));
        bool merged = false;
        if (draw(3) == 0) good(ledger_db, fold_compact(ledger_db, &merged));
    }
    for (unsigned i = 0; i < 12; i++) {
        unsigned section = i % 2, seat = i / 2 % 3, period = i / 6;
        char sql[256];
        static const char *const what[] = {"won", "revenue"};
        const int64_t expected[] = {won[section][seat][period], revenue[section][seat][period]};
        for (int k = 0; k < 2; k++) {
            snprintf(sql, sizeof sql,
                     "select coalesce(sum(%s), 0)::bigint from count_fold where section = '%s' and "
                     "seat = %u and period = '1980-0%u'",
                     what[k], sections[section], seat, 1 + period);
            assert_int_equal(ask(sql), expected[k]);
        }
    }
}

// Two programs merge at the same time: nothing is lost or doubled.
static void
merging_twice_at_once(void **state)
{
    (void)state;
    struct transfer one[8];
    for (uint64_t batch = 2000; batch < 2040; batch++) {
        for (uint64_t i = 0; i < 8; i++) {
            one[i] = random_transfer(5000000 + batch * 8 + i, batch);
            one[i].period[6] = '4';
        }
        good(ledger_db, db_begin(ledger_db));
        good(ledger_db, transfer_load(ledger_db, one, 8));
        good(ledger_db, db_commit(ledger_db));
    }
    // The first merge is not committed when the second begins: it waits, and finds nothing left.
    bool first = false, second = false;
    good(ledger_db, db_begin(ledger_db));
    good(ledger_db, fold_compact(ledger_db, &first));
    assert_true(first);
    good(db, db_script(db, "set lock_timeout = '100ms'"));
    assert_int_equal(fold_compact(db, &second), STATUS_AGAIN);
    good(ledger_db, db_commit(ledger_db));
    good(db, db_script(db, "set lock_timeout = '5s'"));
    good(db, fold_compact(db, &second));
    char text[FOLD_TEXT];
    good(db,
         db_run(db, "delete from count_fold", NULL, 0, NULL));  // of no facts, by the test above
    good(db, fold_verify(db, text));
    assert_string_equal(text, "");
    assert_int_equal(ask("select sum(count)::bigint from fold where period = '1970-04'"), 320);
}

static void
numbers_as_the_server_reads_them(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0,         1,         -1,        9999,
                                      10000,     10001,     -10000,    100000000,
                                      123456789, INT64_MAX, INT64_MIN, 90000000000};
    good(db, db_begin(db));
    good(db, db_script(db, "create temporary table n (i bigint, n numeric) on commit drop"));
    good(db, db_copy_begin(db, "n (i, n)"));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        db_copy_row(db, 2);
        db_copy_int8(db, numbers[i]);
        db_copy_numeric(db, numbers[i]);
    }
    good(db, db_copy_end(db, NULL));
    assert_int_equal(ask("select count(*) from n where i = n and n::text = i::text"),
                     sizeof numbers / sizeof *numbers);
    db_rollback(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_are_the_sums_of_transfers),
        cmocka_unit_test(merging_leaves_few_loads_and_the_same_sums),
        cmocka_unit_test(sums_beyond_int64),
        cmocka_unit_test(a_changed_fold_is_named),
        cmocka_unit_test(counts_are_the_sums_of_facts),
        cmocka_unit_test(merging_twice_at_once),
        cmocka_unit_test(numbers_as_the_server_reads_them),
    };
    return cmocka_run_group_tests(tests, open_books, close_books);
}
