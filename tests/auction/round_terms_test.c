// What a bid competes with, case by case: priority, deal, kind of price, trial of floors, the
// customer's past, live bids. The numbers are those of round.c's comment.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "round_table.h"

// (9) Priorities: the higher ranks first whatever the price; only its own sort sets its price.
static void
test_priority(void **state)
{
    (void)state;
    struct table table;
    round_table_open(&table);
    table.messages[0].priority = 1;
    struct outcome outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[1].placement.seat, 1);
    assert_int_equal(outcome.facts[1].placement.price.micros, 500000);
    assert_true(outcome.facts[1].placement.setter == 0);
    assert_int_equal(outcome.reasons[PRESS], REASON_LOST_TO_PRIORITY);
    assert_int_equal(outcome.reasons[1], REASON_LOST_TO_PRIORITY);
    assert_int_equal(outcome.of[0].priority, 1);
    round_table_open(&table);
    table.messages[0].priority = table.messages[1].priority = 1;
    outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[1].placement.seat, 2);
    assert_int_equal(outcome.facts[1].placement.price.micros, 1000000);
    assert_int_equal(outcome.reasons[0], REASON_OUTBID);
}

// (9) A deal: its floor in place of all others, its way to pay, its priority, its guarantee.
static void
test_deal(void **state)
{
    (void)state;
    static const struct {
        uint8_t at;
        int64_t price;
        uint64_t setter;
    } cases[] = {
        {DEAL_SECOND_PRICE, 2000000, 71}, {DEAL_FIRST_PRICE, 3000000, 0}, {DEAL_FIXED, 600000, 0}};
    for (unsigned i = 0; i < 3; i++) {
        struct table table;
        round_table_open(&table);
        table.market.deal_count = 1;
        table.deal.at = cases[i].at;
        struct outcome outcome = round_table_decide(&table);
        assert_int_equal(outcome.facts[1].placement.seat, 3);
        assert_int_equal(outcome.facts[1].placement.deal, 60);
        assert_int_equal(outcome.facts[1].placement.price.micros, cases[i].price);
        assert_int_equal(outcome.facts[1].placement.floor.micros, 600000);
        assert_true(outcome.facts[1].placement.setter == cases[i].setter);
    }
    struct table table;
    round_table_open(&table);  // the guarantee is not reached: before all priorities
    table.market.deal_count = 1;
    table.deal.guarantee = 1;
    table.messages[0].priority = BOUND_PRIORITY;
    table.bids[PRESS].price = money_of(600000);
    struct catalog *catalog = round_table_catalog(&table);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    struct outcome outcome = round_table_play(&table, catalog, book, NULL);
    assert_int_equal(outcome.facts[1].placement.seat, 3);
    assert_int_equal(outcome.facts[1].placement.price.micros, 600000);
    for (unsigned i = 0; i < outcome.count; i++)
        assert_int_equal(book_apply(book, &outcome.facts[i], (struct catalog_position){1, 1, 1}),
                         STATUS_OK);
    snprintf(table.contact.key, sizeof table.contact.key, "bill-2");
    table.contact.request_key = contact_request_key(5, table.contact.key);
    outcome = round_table_play(&table, catalog, book, NULL);  // now it is
    assert_int_equal(outcome.facts[1].placement.seat, 1);
    assert_int_equal(outcome.reasons[PRESS], REASON_OUTBID);
    book_close(book);
    catalog_close(catalog);
    arena_close(table.arena);
}

// (9) Prices per response and shares rank by what is expected of them, and pay in their own kind.
static void
test_kinds(void **state)
{
    (void)state;
    struct table table;
    round_table_open(&table);
    table.bids[PRESS].kind = PRICE_RESPONSE;  // half of them respond, as far as is known
    table.bids[PRESS].price = money_of(6000000);
    struct outcome outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[1].placement.seat, 3);
    assert_int_equal(outcome.facts[1].placement.kind, PRICE_RESPONSE);
    assert_int_equal(outcome.facts[1].placement.bid_price.micros, 6000000);
    assert_true(outcome.of[PRESS].multiplier == UINT64_C(1) << 31);
    assert_int_equal(outcome.of[PRESS].score.micros, 3000000);
    assert_int_equal(outcome.facts[1].placement.price.micros, 4000000);
    round_table_open(&table);
    table.bids[PRESS].kind = PRICE_SHARE;  // nothing is known to follow
    table.bids[PRESS].price = money_of(500000);
    outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[1].placement.seat, 2);
    assert_int_equal(outcome.reasons[PRESS], REASON_BELOW_FLOOR);
    assert_int_equal(outcome.of[PRESS].short_by.micros, 500000);
}

// (9) A trial on all contacts: every floor of the slot is multiplied and rounded up.
static void
test_experiment(void **state)
{
    (void)state;
    struct table table;
    round_table_open(&table);
    table.market.experiment_count = 1;
    struct outcome outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[0].opened.experiment, 62);
    assert_int_equal(outcome.facts[0].opened.flags, CONTACT_VARIANT);
    assert_int_equal(outcome.reasons[0], REASON_BELOW_FLOOR);  // 1.00 < 1.0000005, rounded up
    assert_int_equal(outcome.of[0].short_by.micros, 1);
    round_table_open(&table);
    table.market.experiment_count = 1;
    table.experiments[0].share_ppm = 1;  // not this customer
    outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[0].opened.experiment, 62);
    assert_int_equal(outcome.facts[0].opened.flags, 0);
    assert_int_equal(outcome.reasons[0], REASON_OUTBID);
    round_table_open(&table);
    table.market.experiment_count = 1;
    table.experiments[0].until.us = RANDOM_NOW;
    outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[0].opened.experiment, 0);
    round_table_open(&table);  // of two the first counts, and changes its own slot only
    table.market.experiment_count = table.container.slot_count = 2;
    table.experiments[0].slot = "bill.insert";
    table.experiments[1].slot = "bill.footer";
    outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[0].opened.experiment, 62);
    assert_int_equal(outcome.of[0].floor.micros, 1000001);
    assert_int_equal(outcome.of[3].floor.micros, 500000);
}

// (7) One message of any kind a day; after a complaint a quiet time for all that does not serve.
static void
test_pressure(void **state)
{
    (void)state;
    struct table table;
    round_table_open(&table);
    table.market.cap_count = 1;
    table.market.complaint_quiet_days = 2;
    table.messages[0].objectives = 1u << OBJECTIVE_EDUCATE;
    struct catalog *catalog = round_table_catalog(&table);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    struct outcome outcome = round_table_play(&table, catalog, book, NULL);
    assert_int_equal(outcome.facts[1].placement.seat, 3);
    for (unsigned i = 0; i < outcome.count; i++)
        assert_int_equal(book_apply(book, &outcome.facts[i], (struct catalog_position){1, 1, 1}),
                         STATUS_OK);
    struct fact placement = outcome.facts[1];
    snprintf(table.contact.key, sizeof table.contact.key, "bill-2");
    table.contact.request_key = contact_request_key(5, table.contact.key);
    outcome = round_table_play(&table, catalog, book, NULL);
    for (unsigned i = 0; i < 3; i++) assert_int_equal(outcome.reasons[i], REASON_PRESSURE_CAP);
    assert_int_equal(outcome.of[PRESS].cap_count, 1);
    assert_int_equal(outcome.facts[1].unfilled.main_reason, REASON_PRESSURE_CAP);
    table.market.message_count =
        2;  // the message leaves the market: it was an address all the same
    struct catalog *later = round_table_catalog(&table);
    book_catalog(book, later);
    outcome = round_table_play(&table, later, book, NULL);
    for (unsigned i = 0; i < 2; i++) assert_int_equal(outcome.reasons[i], REASON_PRESSURE_CAP);
    book_catalog(book, catalog);
    catalog_close(later);
    struct fact events[2] = {placement, placement};
    for (unsigned i = 0; i < 2; i++) {
        memset(events[i].bytes, 0, sizeof events[i].bytes);
        events[i].kind = i == 0 ? FACT_DELIVERED : FACT_COMPLAINED;
        events[i].event.slot = placement.placement.slot;
        events[i].event.message = placement.placement.message;
        events[i].event.seat = placement.placement.seat;
        events[i].event.effective = table.now;
        events[i].event.price = placement.placement.price;
        assert_int_equal(book_apply(book, &events[i], (struct catalog_position){1, 1, 2 + i}),
                         STATUS_OK);
    }
    table.now.us += USEC_DAY;
    outcome = round_table_play(&table, catalog, book, NULL);
    assert_int_equal(outcome.reasons[0], REASON_NONE);  // it educates
    assert_int_equal(outcome.reasons[1], REASON_QUIET);
    assert_int_equal(outcome.reasons[PRESS], REASON_QUIET);
    table.now.us += USEC_DAY;
    outcome = round_table_play(&table, catalog, book, NULL);
    assert_int_equal(outcome.reasons[PRESS], REASON_NONE);
    book_close(book);
    catalog_close(catalog);
    arena_close(table.arena);
}

// Live bids are ranked with the others, under the same rule.
static void
test_live(void **state)
{
    (void)state;
    struct table table;
    round_table_open(&table);
    struct catalog *catalog = round_table_catalog(&table);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    uint32_t grill = catalog_message_by_code(catalog, "grill", 5);
    struct catalog_bid bids[2] = {{.id = 900,
                                   .seat = catalog->messages[grill].seat,
                                   .message = grill,
                                   .slot = 0,
                                   .price = {2500000}},
                                  {.id = 901,
                                   .seat = catalog->messages[grill].seat,
                                   .message = grill,
                                   .slot = 0,
                                   .price = {400000}}};
    struct round_callout callout = {.seat = 2, .answer_ms = 31, .reason = REASON_NONE, .bids = 2};
    struct round_live live = {.bids = bids, .count = 2, .callouts = &callout, .callout_count = 1};
    struct outcome outcome = round_table_play(&table, catalog, book, &live);
    assert_int_equal(outcome.facts[1].placement.seat, 3);
    assert_int_equal(outcome.facts[1].placement.price.micros, 2500000);
    assert_true(outcome.facts[1].placement.setter == 900);
    assert_int_equal(outcome.bids[0].bid, catalog->bid_count);  // live ones are judged first
    assert_int_equal(outcome.bids[0].reason, REASON_OUTBID);
    assert_int_equal(outcome.bids[1].reason, REASON_BELOW_FLOOR);
    const struct fact *last = &outcome.facts[outcome.count - 1];
    assert_int_equal(last->kind, FACT_CALLOUTS);
    assert_int_equal(last->callouts.seat[0], 2);
    assert_int_equal(last->callouts.answer_ms[0], 31);
    bids[0].price = money_of(3500000);
    outcome = round_table_play(&table, catalog, book, &live);
    assert_true(outcome.facts[1].placement.bid == 900);
    assert_int_equal(outcome.facts[1].placement.price.micros, 3000000);
    assert_int_equal(outcome.reasons[1], REASON_OWN_SEAT);
    book_close(book);
    catalog_close(catalog);
    arena_close(table.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priority), cmocka_unit_test(test_deal),
        cmocka_unit_test(test_kinds),    cmocka_unit_test(test_experiment),
        cmocka_unit_test(test_pressure), cmocka_unit_test(test_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
