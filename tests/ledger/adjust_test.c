// Adjustments: booked beside what they correct, with a second person above the limit, never of more
// than there is, never of what is held.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "adjust.h"
#include "books.h"
#include "life.h"

static struct books books;
static char fault[ADJUST_FAULT];

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

// The id of the only transfer that a condition names.
static struct id
transfer(const char *where)
{
    char sql[300];
    struct id id;
    snprintf(sql, sizeof sql, "select transfer_id::text from transfer where %s", where);
    const char *text = books_text(&books, sql);
    assert_int_equal(id_parse(text, strlen(text), &id), STATUS_OK);
    return id;
}

static enum status
propose(struct id id, int64_t micros, enum adjust_to to, struct adjust *out)
{
    const struct adjust_ask ask = {.transfer = id,
                                   .amount = money_of(micros),
                                   .to = to,
                                   .reason = "wrong_price",
                                   .evidence = "ticket-3",
                                   .author = "ada"};
    enum status status = adjust_propose(books.console_db, &ask, books.now, out, fault);
    if (status == STATUS_IO) print_message("%s\n", db_fault(books.console_db)->text);
    return status;
}

static void
of_a_charge(void **state)
{
    (void)state;
    struct adjust adjust;
    struct id won = books_win(&books, "bill.footer", "barbecue", 900000);
    books_ship(&books);
    struct id held = transfer("kind = 'hold' and amount_micros = 900000");
    assert_int_equal(propose(held, 0, ADJUST_MIRROR, &adjust), STATUS_DENIED);
    assert_non_null(strstr(fault, "is cancelled"));
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_ship(&books);
    struct id charge = transfer("kind = 'charge' and amount_micros = 900000");
    assert_int_equal(propose(charge, 200000, ADJUST_MIRROR, &adjust), STATUS_OK);
    assert_true(adjust.booked);
    assert_string_equal(adjust.period, "2026-11");
    assert_int_equal(balance("Assets:Receivable:Unbilled:grill"), 700000);
    assert_int_equal(balance("Income:Slot:External"), -700000);
    assert_int_equal(propose(charge, 300000, ADJUST_CREDIT_NOTE, &adjust), STATUS_OK);
    assert_int_equal(propose(charge, 100000, ADJUST_GOODWILL, &adjust), STATUS_OK);
    assert_int_equal(balance("Assets:Receivable:Unbilled:grill"), 300000);
    assert_int_equal(balance("Income:Slot:Adjustments"), 300000);
    assert_int_equal(balance("Expenses:Goodwill"), 100000);
    assert_int_equal(propose(charge, 300001, ADJUST_MIRROR, &adjust), STATUS_DENIED);
    assert_string_equal(fault, "0.300001 EUR is more than what is left of this transfer: 0.30 EUR");
    assert_int_equal(propose(charge, 0, ADJUST_MIRROR, &adjust), STATUS_OK);  // the rest
    assert_int_equal(balance("Assets:Receivable:Unbilled:grill"), 0);
    assert_int_equal(propose(charge, 0, ADJUST_MIRROR, &adjust), STATUS_EXISTS);
    assert_string_equal(books_text(&books, "select count(*)::text from transfer t join transfer o"
                                           " on o.transfer_id = t.origin_id where t.kind ="
                                           " 'adjustment' and o.kind = 'charge'"),
                        "4");
    // An adjustment is not adjusted, nor is anything else of finance.
    struct id own = transfer("kind = 'adjustment' and amount_micros = 200000");
    assert_int_equal(propose(own, 0, ADJUST_MIRROR, &adjust), STATUS_DENIED);
    assert_int_equal(propose((struct id){{1, 2}}, 0, ADJUST_MIRROR, &adjust), STATUS_NOT_FOUND);
}

static void
with_a_second_person(void **state)
{
    (void)state;
    struct adjust adjust;
    struct id won = books_win(&books, "bill.footer", "barbecue", 150000000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_ship(&books);
    struct id charge = transfer("kind = 'charge' and amount_micros = 150000000");
    assert_int_equal(propose(charge, 100000000, ADJUST_MIRROR, &adjust), STATUS_OK);
    assert_true(adjust.booked);  // at the limit of 100
    assert_int_equal(propose(charge, 0, ADJUST_MIRROR, &adjust), STATUS_OK);
    assert_true(adjust.booked);
    won = books_win(&books, "bill.footer", "barbecue", 160000000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_ship(&books);
    charge = transfer("kind = 'charge' and amount_micros = 160000000");
    assert_int_equal(propose(charge, 100000001, ADJUST_MIRROR, &adjust), STATUS_OK);
    assert_false(adjust.booked);
    uint64_t number = adjust.number;
    assert_int_equal(balance("Assets:Receivable:Unbilled:grill"), 160000000);
    // What waits counts.
    assert_int_equal(propose(charge, 60000000, ADJUST_MIRROR, &adjust), STATUS_DENIED);
    assert_int_equal(
        adjust_decide(books.console_db, number, true, "ada", books.now, &adjust, fault),
        STATUS_DENIED);
    assert_non_null(strstr(fault, "another person"));
    assert_int_equal(
        adjust_decide(books.console_db, number, true, "ben", books.now, &adjust, fault), STATUS_OK);
    assert_true(adjust.booked);
    assert_int_equal(balance("Assets:Receivable:Unbilled:grill"), 59999999);
    assert_int_equal(
        adjust_decide(books.console_db, number, true, "cyd", books.now, &adjust, fault),
        STATUS_EXISTS);
    assert_string_equal(books_text(&books, "select author || ' ' || approver from act where kind ="
                                           " 'adjustment' order by number desc limit 1"),
                        "ben ben");
    // Refused: nothing is booked, and it counts no more.
    won = books_win(&books, "bill.footer", "barbecue", 170000000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_ship(&books);
    charge = transfer("kind = 'charge' and amount_micros = 170000000");
    assert_int_equal(propose(charge, 0, ADJUST_MIRROR, &adjust), STATUS_OK);
    assert_int_equal(
        adjust_decide(books.console_db, adjust.number, false, "ada", books.now, &adjust, fault),
        STATUS_OK);
    assert_false(adjust.booked);
    assert_int_equal(propose(charge, 90000000, ADJUST_MIRROR, &adjust), STATUS_OK);
    assert_true(adjust.booked);
    assert_int_equal(adjust_decide(books.console_db, 9999, true, "ben", books.now, &adjust, fault),
                     STATUS_NOT_FOUND);
}

static void
of_a_share(void **state)
{
    (void)state;
    struct adjust adjust;
    struct life_report report = {.more = true};
    struct id won = books_win(&books, "bill.footer", "protection", 100000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_revenue(&books, won, FACT_CONVERTED, 100000000, "P-1", NULL, books.now);
    books_ship(&books);
    while (report.more || report.facts || report.locked)
        assert_int_equal(life_turn(books.ledger_db, books.now, &report), STATUS_OK);
    assert_int_equal(balance("Liabilities:GainShare:Payable:beans"), -900000);
    struct id share = transfer("kind = 'share' and credit % 10000 = 2100");
    assert_int_equal(propose(share, 0, ADJUST_GOODWILL, &adjust), STATUS_DENIED);
    assert_int_equal(propose(share, 400000, ADJUST_MIRROR, &adjust), STATUS_OK);
    assert_int_equal(life_turn(books.ledger_db, books.now, &report), STATUS_OK);
    assert_int_equal(balance("Liabilities:GainShare:Accrued:beans"), 0);
    assert_int_equal(balance("Liabilities:GainShare:Payable:beans"), -500000);
    assert_int_equal(balance("Assets:Receivable:GainShare:cover"), 5600000);
    assert_string_equal(books_text(&books, "select sum(micros)::text from gain_due"), "5600000");
}

static void
in_the_open_period(void **state)
{
    (void)state;
    struct adjust adjust;
    struct id charge = transfer("kind = 'charge' and amount_micros = 170000000");
    struct adjust_ask ask = {.transfer = charge,
                             .amount = money_of(10000),
                             .reason = "goodwill",
                             .evidence = "ticket-4",
                             .author = "ada",
                             .effective = books.now};
    assert_int_equal(db_script(books.db, "insert into period_event values ('2026-11', 1, 'fence',"
                                         " 0, 1796083200000000, 0, '', 'statements 2')"),
                     STATUS_OK);
    assert_int_equal(adjust_propose(books.console_db, &ask, books.now, &adjust, fault), STATUS_OK);
    assert_string_equal(adjust.period, "2026-12");
    assert_string_equal(books_text(&books, "select period || late from transfer where kind ="
                                           " 'adjustment' and amount_micros = 10000"),
                        "2026-12true");
    ask.effective.us += USEC_DAY;
    assert_int_equal(adjust_propose(books.console_db, &ask, books.now, &adjust, fault),
                     STATUS_INPUT);
    ask.reason = "mood";
    assert_int_equal(adjust_propose(books.console_db, &ask, books.now, &adjust, fault),
                     STATUS_INPUT);
    struct act_head head;
    assert_int_equal(act_verify(books.console_db, &head, fault), STATUS_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_charge),
        cmocka_unit_test(with_a_second_person),
        cmocka_unit_test(of_a_share),
        cmocka_unit_test(in_the_open_period),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
