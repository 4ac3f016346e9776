// Disputes of statements and shares: where the money stands at every step, how it ends, what is
// refused and in which words.
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
#include "dispute.h"
#include "life.h"

static struct books books;
static char fault[DISPUTE_FAULT];

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

static void
turn(void)
{
    struct life_report report = {.more = true};
    books_ship(&books);
    while (report.more || report.facts || report.locked || report.followed)
        assert_int_equal(life_turn(books.ledger_db, books.now, &report), STATUS_OK);
}

// A bill of 8.00 for October, as a close books it.
static void
bill(void)
{
    struct act *act = NULL;
    struct transfer one = {.id = {{9}},
                           .group = {{9}},
                           .kind = TRANSFER_BILL,
                           .state = TRANSFER_POSTED,
                           .debit = {.code = ACCOUNT_BILLED, .seat = 3},
                           .credit = {.code = ACCOUNT_UNBILLED, .seat = 3},
                           .currency = {"EUR"},
                           .amount = money_of(8000000),
                           .effective = books.now,
                           .period = "2026-10",
                           .seat = 3,
                           .rung = -1,
                           .won_rung = -1};
    assert_int_equal(db_begin(books.console_db), STATUS_OK);
    assert_int_equal(act_begin(books.console_db, "bill", "close", "", books.now, &act), STATUS_OK);
    act_transfer(act, &one);
    assert_int_equal(act_end(act), STATUS_OK);
    assert_int_equal(db_commit(books.console_db), STATUS_OK);
    assert_int_equal(db_script(books.db, "insert into period_event values ('2026-10', 9, 'closed',"
                                         " 0, 1793491200000000, 0, '', '')"),
                     STATUS_OK);
}

static enum status
contest(const char *seat, const char *period, int64_t micros, const char *reason,
        struct dispute *out)
{
    const struct dispute_ask ask = {.seat = seat,
                                    .reference = period,
                                    .amount = money_of(micros),
                                    .reason = reason,
                                    .evidence = "ticket-1",
                                    .author = "ada"};
    return dispute_statement(books.console_db, &ask, books.now, out, fault);
}

static enum status
contest_share(const char *seat, const char *order, struct dispute *out)
{
    const struct dispute_ask ask = {.seat = seat,
                                    .reference = order,
                                    .reason = "self_referral",
                                    .evidence = "ticket-2",
                                    .author = "ada"};
    return dispute_share(books.console_db, &ask, books.now, out, fault);
}

static enum status
decide(uint64_t number, bool accepted, struct dispute *out)
{
    return dispute_decide(books.console_db, number, accepted, "as the logs say", "ben", books.now,
                          out, fault);
}

static void
of_a_statement(void **state)
{
    (void)state;
    struct dispute dispute;
    bill();
    assert_int_equal(contest("grill", "2026-10", 3000000, "not_rendered", &dispute), STATUS_OK);
    uint64_t number = dispute.number;
    assert_int_equal(dispute.deadline.us, books.now.us + 30 * USEC_DAY);
    assert_int_equal(balance("Assets:Receivable:Billed:grill"), 5000000);
    assert_int_equal(balance("Assets:Receivable:Disputed:grill"), 3000000);
    assert_int_equal(contest("grill", "2026-10", 1000000, "invalid", &dispute), STATUS_EXISTS);
    assert_non_null(strstr(fault, "disputed already"));
    assert_int_equal(decide(number, false, &dispute), STATUS_OK);
    assert_int_equal(balance("Assets:Receivable:Billed:grill"), 8000000);
    assert_int_equal(balance("Assets:Receivable:Disputed:grill"), 0);
    assert_int_equal(decide(number, true, &dispute), STATUS_EXISTS);
    assert_non_null(strstr(fault, "was rejected before"));
    // Again, and credited: only what is left can be disputed after it.
    assert_int_equal(contest("grill", "2026-10", 6000000, "over_delivered", &dispute), STATUS_OK);
    assert_int_equal(decide(dispute.number, true, &dispute), STATUS_OK);
    assert_int_equal(dispute.amount.micros, 6000000);
    assert_int_equal(balance("Income:Slot:Adjustments"), 6000000);
    assert_int_equal(balance("Assets:Receivable:Disputed:grill"), 0);
    assert_int_equal(contest("grill", "2026-10", 2010000, "invalid", &dispute), STATUS_DENIED);
    assert_string_equal(fault, "2.01 EUR is more than the statement of 2026-10 billed grill and did"
                               " not credit: 2.00 EUR");
}

static void
of_a_share(void **state)
{
    (void)state;
    struct dispute dispute;
    struct id won = books_win(&books, "bill.footer", "protection", 100000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books.now.us += USEC_SECOND;
    books_revenue(&books, won, FACT_CONVERTED, 100000000, "P-1", NULL, books.now);
    turn();  // no validation: locked at once; 6 %, beans 15 % of it
    assert_int_equal(balance("Liabilities:GainShare:Payable:beans"), -900000);
    assert_int_equal(contest_share("beans", "P-1", &dispute), STATUS_OK);
    assert_int_equal(balance("Liabilities:GainShare:Payable:beans"), 0);
    assert_int_equal(balance("Liabilities:GainShare:Held:beans"), -900000);
    uint64_t number = dispute.number;
    assert_int_equal(contest_share("beans", "P-1", &dispute), STATUS_EXISTS);
    // A refund meanwhile is followed where the share stands.
    books.now.us += USEC_SECOND;
    books_revenue(&books, won, FACT_REFUNDED, 50000000, "P-1", "P-1-R", books.now);
    turn();
    assert_int_equal(balance("Liabilities:GainShare:Held:beans"), -450000);
    assert_int_equal(balance("Liabilities:GainShare:Accrued:beans"), 0);
    assert_int_equal(decide(number, false, &dispute), STATUS_OK);
    assert_int_equal(balance("Liabilities:GainShare:Payable:beans"), -450000);
    // Contested again and taken: the merchant owes its pool as before, the house keeps the part.
    int64_t host = balance("Income:GainShare:Host");
    assert_int_equal(contest_share("beans", "P-1", &dispute), STATUS_OK);
    assert_int_equal(decide(dispute.number, true, &dispute), STATUS_OK);
    assert_int_equal(balance("Liabilities:GainShare:Held:beans"), 0);
    assert_int_equal(balance("Liabilities:GainShare:Payable:beans"), 0);
    assert_int_equal(balance("Income:GainShare:Host"), host - 450000);
    assert_int_equal(contest_share("beans", "P-1", &dispute), STATUS_EXISTS);
    // Refunded in full: every account of the order is at zero.
    books.now.us += USEC_SECOND;
    books_revenue(&books, won, FACT_REFUNDED, 50000000, "P-1", "P-1-S", books.now);
    turn();
    assert_string_equal(books_text(&books,
                                   "select count(*)::text from (select account from entry where"
                                   " group_id = (select order_id from revenue where key = 'P-1')"
                                   " group by account having sum(micros) <> 0) x"),
                        "0");
}

// Of a host that is the merchant, the expense falls away with the share.
static void
of_a_share_the_house_pays(void **state)
{
    (void)state;
    struct dispute dispute;
    struct id won = books_win(&books, "bill.insert", "beans_offer", 100000);
    books.now.us += USEC_SECOND;
    books_revenue(&books, won, FACT_CONVERTED, 100000000, "Q-1", NULL, books.now);
    turn();
    assert_int_equal(balance("Liabilities:GainShare:Payable:beans"), -5600000);
    assert_int_equal(balance("Expenses:GainShare:Rung:7-affiliation"), 5600000);
    assert_int_equal(contest_share("beans", "Q-1", &dispute), STATUS_OK);
    assert_int_equal(decide(dispute.number, true, &dispute), STATUS_OK);
    assert_int_equal(balance("Expenses:GainShare:Rung:7-affiliation"), 0);
    books.now.us += USEC_SECOND;
    books_revenue(&books, won, FACT_REFUNDED, 100000000, "Q-1", "Q-1-R", books.now);
    turn();
    assert_int_equal(balance("Liabilities:GainShare:Payable:beans"), 0);
    assert_int_equal(balance("Liabilities:GainShare:Accrued:beans"), 0);
    assert_int_equal(balance("Expenses:GainShare:Rung:7-affiliation"), 0);
}

static void
refuses_in_words(void **state)
{
    (void)state;
    struct dispute dispute;
    char *before = strdup(books_text(&books, "select count(*)::text from act"));
    assert_int_equal(contest("nobody", "2026-10", 10000, "invalid", &dispute), STATUS_NOT_FOUND);
    assert_non_null(strstr(fault, "no seat 'nobody'"));
    assert_int_equal(contest("care", "2026-10", 10000, "invalid", &dispute), STATUS_DENIED);
    assert_int_equal(contest("grill", "2026-11", 10000, "invalid", &dispute), STATUS_DENIED);
    assert_non_null(strstr(fault, "2026-11 is not closed"));
    assert_int_equal(contest("grill", "2026-10", 10001, "invalid", &dispute), STATUS_INPUT);
    assert_int_equal(contest("grill", "2026-10", 0, "invalid", &dispute), STATUS_INPUT);
    assert_int_equal(contest("grill", "2026-10", 10000, "because", &dispute), STATUS_INPUT);
    assert_non_null(strstr(fault, "lost_in_mediation, over_delivered"));
    assert_int_equal(contest("grill", "2026-10", 10000, NULL, &dispute), STATUS_INPUT);
    assert_int_equal(contest_share("beans", "no such", &dispute), STATUS_NOT_FOUND);
    assert_int_equal(contest_share("grill", "P-1", &dispute), STATUS_DENIED);
    assert_int_equal(contest_share("sales", "P-1", &dispute), STATUS_DENIED);
    assert_int_equal(decide(9999, true, &dispute), STATUS_NOT_FOUND);
    assert_int_equal(
        dispute_decide(books.console_db, 1, true, "", "ben", books.now, &dispute, fault),
        STATUS_INPUT);
    assert_int_equal(
        dispute_decide(books.console_db, 1, true, "why", "b\nn", books.now, &dispute, fault),
        STATUS_INPUT);
    assert_string_equal(books_text(&books, "select count(*)::text from act"), before);
    free(before);
    struct act_head head;
    assert_int_equal(act_verify(books.console_db, &head, fault), STATUS_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_statement),
        cmocka_unit_test(of_a_share),
        cmocka_unit_test(of_a_share_the_house_pays),
        cmocka_unit_test(refuses_in_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
