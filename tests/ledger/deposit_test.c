// Deposits: once by reference, never behind a fence, only for partners.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "books.h"
#include "deposit.h"

static struct books books;

static int
set_up(void **state)
{
    (void)state;
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    books_close(&books);
    return 0;
}

static enum status
pay(const char *seat, int64_t micros, const char *reference, struct deposit *out)
{
    return deposit_book(books.console_db, seat, money_of(micros), reference, "ada", books.now, out);
}

static void
books_once_by_reference(void **state)
{
    (void)state;
    struct deposit deposit;
    assert_int_equal(pay("mags", 50000000, "BANK-1", &deposit), STATUS_OK);
    assert_int_equal(deposit.balance.micros, 50000000);
    assert_string_equal(deposit.period, "2026-11");
    assert_int_equal(pay("mags", 50000000, "BANK-1", &deposit), STATUS_EXISTS);
    assert_int_equal(deposit.balance.micros, 50000000);
    assert_int_equal(pay("mags", 50000001, "BANK-1", &deposit), STATUS_CONFLICT);
    assert_int_equal(deposit.amount.micros, 50000000);  // what was booked
    assert_int_equal(pay("mags", 1, "BANK-2", &deposit), STATUS_OK);
    assert_int_equal(pay("grill", 7000000, "BANK-1", &deposit),
                     STATUS_OK);  // another seat's reference
    assert_int_equal(deposit.balance.micros, 7000000);

    struct id won = books_win(&books, "bill.footer", "magazine", 100001);
    books_win(&books, "bill.footer", "magazine", 300000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_ship(&books);
    assert_int_equal(pay("mags", 1, "BANK-2", &deposit), STATUS_EXISTS);
    assert_int_equal(deposit.balance.micros, 50000001 - 100001);
    assert_int_equal(deposit.held.micros, 300000);
    assert_string_equal(
        books_text(&books, "select sum(micros)::text from entry where account = 1000"), "57000001");
    // Each is an act of its own, with who booked it.
    struct act_head head;
    char fault[ACT_FAULT];
    assert_int_equal(act_verify(books.db, &head, fault), STATUS_OK);
    assert_int_equal(head.number, 3);
    assert_string_equal(books_text(&books, "select string_agg(kind || ' ' || author || ' ' || body,"
                                           " '' order by number) from act"),
                        "deposit ada seat mags\namount 50.00 EUR\nreference BANK-1\n"
                        "deposit ada seat mags\namount 0.000001 EUR\nreference BANK-2\n"
                        "deposit ada seat grill\namount 7.00 EUR\nreference BANK-1\n");
}

static void
refuses_what_is_no_deposit(void **state)
{
    (void)state;
    struct deposit deposit;
    char reference[BOUND_KEY + 2];
    memset(reference, 'x', sizeof reference);
    reference[BOUND_KEY + 1] = '\0';
    assert_int_equal(pay("mags", 1, reference, &deposit), STATUS_INPUT);
    reference[BOUND_KEY] = '\0';
    assert_int_equal(pay("mags", 1, reference, &deposit), STATUS_OK);
    assert_int_equal(pay("mags", 1, "", &deposit), STATUS_INPUT);
    assert_int_equal(pay("mags", 0, "a", &deposit), STATUS_INPUT);
    assert_int_equal(pay("mags", -5, "a", &deposit), STATUS_INPUT);
    assert_int_equal(pay("mags", BOUND_MICROS + 1, "a", &deposit), STATUS_INPUT);
    assert_int_equal(pay("nobody", 1, "a", &deposit), STATUS_NOT_FOUND);
    assert_int_equal(pay("care", 1, "a", &deposit), STATUS_DENIED);
    assert_int_equal(pay("mags'; drop table deposit; --", 1, "a", &deposit), STATUS_NOT_FOUND);
}

static void
many_at_once_are_one(void **state)
{
    (void)state;
    pid_t children[4];
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] > 0) continue;
        struct db *db = NULL;
        struct deposit deposit;
        enum status status = db_open(books.console, "deposit", &db, NULL);
        for (int k = 0; k < 10 && (status == STATUS_OK || status == STATUS_EXISTS); k++) {
            char reference[16];
            snprintf(reference, sizeof reference, "shared-%d", k);
            status = deposit_book(db, "cover", money_of(1000), reference, "ada", books.now,
                                  &deposit);
        }
        _exit(status == STATUS_OK || status == STATUS_EXISTS ? 0 : 1);
    }
    for (int i = 0; i < 4; i++) {
        int code = 0;
        assert_int_equal(waitpid(children[i], &code, 0), children[i]);
        assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
    }
    struct deposit deposit;
    assert_int_equal(pay("cover", 1000, "shared-0", &deposit), STATUS_EXISTS);
    assert_int_equal(deposit.balance.micros, 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(books_once_by_reference),
        cmocka_unit_test(refuses_what_is_no_deposit),
        cmocka_unit_test(many_at_once_are_one),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
