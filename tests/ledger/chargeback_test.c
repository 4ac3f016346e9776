// Chargebacks: where the money stands, won and lost; once by reference; no more than was paid in.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "books.h"
#include "chargeback.h"
#include "deposit.h"

static struct books books;
static char fault[CHARGEBACK_FAULT];

static int
set_up(void **state)
{
    struct deposit deposit;
    (void)state;
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    return deposit_book(books.console_db, "mags", money_of(200000000), "BANK-1", "ada", books.now,
                        &deposit) == STATUS_OK
               ? 0
               : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    books_close(&books);
    return 0;
}

static int64_t
balance(const char *name)
{
    char sql[300];
    snprintf(sql, sizeof sql,
             "select coalesce(sum(e.micros), 0)::text from entry e join account a using (currency,"
             " account) where a.name = '%s'",
             name);
    return strtoll(books_text(&books, sql), NULL, 10);
}

static enum status
take_back(const char *seat, int64_t amount, int64_t fee, const char *reference,
          struct chargeback *out)
{
    const struct chargeback_ask ask = {.seat = seat,
                                       .reference = reference,
                                       .amount = money_of(amount),
                                       .fee = money_of(fee),
                                       .evidence = "letter",
                                       .author = "ada"};
    return chargeback_open(books.console_db, &ask, books.now, out, fault);
}

static void
won_and_lost(void **state)
{
    (void)state;
    struct chargeback one, again;
    assert_int_equal(take_back("mags", 120000000, 15000000, "CB-1", &one), STATUS_OK);
    assert_int_equal(balance("Assets:Bank"), 65000000);
    assert_int_equal(balance("Assets:Receivable:Disputed:mags"), 120000000);
    assert_int_equal(balance("Expenses:ChargebackFee"), 15000000);
    assert_int_equal(balance("Assets:Receivable:Billed:mags"), 15000000);
    assert_int_equal(balance("Income:Fees"), -15000000);
    assert_int_equal(take_back("mags", 120000000, 15000000, "CB-1", &again), STATUS_EXISTS);
    assert_int_equal(again.number, one.number);
    assert_int_equal(take_back("mags", 110000000, 0, "CB-1", &again), STATUS_DENIED);
    assert_non_null(strstr(fault, "was booked with 120.00 EUR"));
    assert_int_equal(take_back("mags", 90000000, 0, "CB-2", &again), STATUS_DENIED);
    assert_non_null(strstr(fault, "mags has paid in 80.00 EUR"));
    assert_int_equal(
        chargeback_end(books.console_db, one.number, true, "ben", books.now, &again, fault),
        STATUS_OK);
    assert_int_equal(balance("Assets:Bank"), 185000000);
    assert_int_equal(balance("Assets:Receivable:Disputed:mags"), 0);
    assert_int_equal(
        chargeback_end(books.console_db, one.number, false, "ben", books.now, &again, fault),
        STATUS_EXISTS);
    assert_int_equal(take_back("mags", 200000000, 0, "CB-3", &one), STATUS_OK);
    assert_int_equal(
        chargeback_end(books.console_db, one.number, false, "ben", books.now, &again, fault),
        STATUS_OK);
    assert_string_equal(again.seat, "mags");
    assert_int_equal(balance("Assets:Receivable:Disputed:mags"), 0);
    assert_int_equal(balance("Expenses:BadDebt"), 200000000);
    struct act_head head;
    assert_int_equal(act_verify(books.console_db, &head, fault), STATUS_OK);
}

static void
refuses_in_words(void **state)
{
    (void)state;
    struct chargeback one;
    assert_int_equal(take_back("nobody", 10000, 0, "X", &one), STATUS_NOT_FOUND);
    assert_int_equal(take_back("care", 10000, 0, "X", &one), STATUS_DENIED);
    assert_int_equal(take_back("mags", 10001, 0, "X", &one), STATUS_INPUT);
    assert_int_equal(take_back("mags", -10000, 0, "X", &one), STATUS_INPUT);
    assert_int_equal(take_back("mags", 10000, -10000, "X", &one), STATUS_INPUT);
    assert_int_equal(take_back("mags", 10000, 0, "", &one), STATUS_INPUT);
    assert_int_equal(take_back("grill", 10000, 0, "X", &one), STATUS_DENIED);  // never paid
    assert_int_equal(chargeback_end(books.console_db, 424242, true, "ben", books.now, &one, fault),
                     STATUS_NOT_FOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(won_and_lost),
        cmocka_unit_test(refuses_in_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
