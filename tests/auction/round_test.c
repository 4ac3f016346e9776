// A round against its exhaustive twin on random markets with random changes, and the properties
// that must always hold. round_cases_test.c has the single cases.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_history.h"
#include "round_twin.h"

// Returns placements; checks every fact of the contact.
static unsigned
check_against_twin(const struct history *history, const struct contact *contact,
                   const struct fact *facts, unsigned count)
{
    static struct twin twin;
    static struct twin_sale sale;
    twin = (struct twin){history->catalog, history->book, contact, history->now, .win_count = 0};
    twin_take_bids(&twin);
    const struct catalog_container *container = &twin.catalog->containers[contact->container];
    assert_int_equal(count, 1 + container->slot_count);
    assert_int_equal(facts[0].kind, FACT_CONTACT);
    assert_int_equal(facts[0].opened.slots, container->slot_count);
    for (unsigned i = 1; i < count; i++) {
        const struct fact *fact = &facts[i];
        uint32_t slot = container->slot_first + i - 1;
        assert_int_equal(fact->position, i);
        assert_true(id_same(fact->contact, facts[0].contact));
        twin_sell(&twin, slot, fact->contact, &sale);
        if (sale.winner == NULL) {
            assert_int_equal(fact->kind, FACT_UNFILLED);
            assert_true(fact->unfilled.reason == REASON_NO_BIDS ||
                        fact->unfilled.reason == REASON_NO_ELIGIBLE_BID);
            continue;
        }
        assert_int_equal(fact->kind, FACT_PLACEMENT);
        assert_true(fact->placement.bid == sale.winner->id);
        assert_int_equal(fact->placement.price.micros, sale.price);
        assert_int_equal(fact->placement.floor.micros, sale.floor);
        assert_true(fact->placement.setter == sale.setter);
        assert_int_equal(fact->placement.slot, twin.catalog->slots[slot].id);
        assert_true(sale.floor <= sale.price && sale.price <= sale.winner->price.micros);
        twin_win(&twin, &sale);
    }
    return twin.win_count;
}

static void
check_budgets(const struct history *history)
{
    const struct catalog *catalog = history->catalog;
    for (uint32_t i = 0; i < catalog->seat_count; i++) {
        const struct catalog_seat *seat = &catalog->seats[i];
        if (seat->has_budget)
            assert_true(book_seat_spent(history->book, seat->id).micros <= seat->budget.micros);
    }
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        const struct catalog_message *message = &catalog->messages[i];
        if (!message->has_budget) continue;
        assert_true(book_message_spent(history->book, message->id).micros <=
                    message->budget.micros);
    }
}

// Each bid judged once, in order; the winner is NONE; the reasons agree with the sale.
static void
check_why(const struct history *history, const struct why *why)
{
    const struct catalog *catalog = history->catalog;
    struct book_bids overlay = book_overlay(history->book);
    assert_true(why->count <= why->room);
    const struct why_bid *before = NULL;
    unsigned winners = 0;
    for (uint32_t i = 0; i < why->count; i++) {
        const struct why_bid *bid = &why->bids[i];
        const struct catalog_bid *is = bid->bid < catalog->bid_count
                                           ? &catalog->bids[bid->bid]
                                           : &overlay.bids[bid->bid - catalog->bid_count];
        if (before != NULL && before->position != bid->position) before = NULL, winners = 0;
        const struct catalog_bid *last = before == NULL ? NULL
                                         : before->bid < catalog->bid_count
                                             ? &catalog->bids[before->bid]
                                             : &overlay.bids[before->bid - catalog->bid_count];
        if (last != NULL) {
            assert_true(last->price.micros > is->price.micros ||
                        (last->price.micros == is->price.micros && last->id < is->id));
        }
        winners += bid->reason == REASON_NONE;
        assert_true(winners <= 1);
        assert_true((bid->reason == REASON_NOT_ELIGIBLE) == (bid->rule != NULL));
        if (bid->reason == REASON_BELOW_FLOOR)
            assert_int_equal(bid->short_by.micros, bid->floor.micros - is->price.micros);
        before = bid;
    }
}

// One contact: decided, compared, decided again with `why`, applied, asked again.
static unsigned
play_contact(struct history *history, struct why *why)
{
    struct contact contact;
    struct fact facts[BOUND_CONTACT_FACTS], again[BOUND_CONTACT_FACTS];
    unsigned count, count_again;
    bool repeated;
    random_contact(&history->random, history->catalog, &contact);
    enum reason reason = round_decide(history->round, history->catalog, history->book, &contact,
                                      history->now, NULL, facts, &count, &repeated);
    if (reason == REASON_BUSY) return 0;
    assert_int_equal(reason, REASON_NONE);
    assert_false(repeated);
    unsigned wins = check_against_twin(history, &contact, facts, count);
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact,
                                  history->now, why, again, &count_again, &repeated),
                     REASON_NONE);
    assert_int_equal(count_again, count);
    assert_memory_equal(again, facts, count * sizeof *facts);
    check_why(history, why);
    history_apply(history, facts, count);
    usec later = {history->now.us + USEC_SECOND};
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact, later,
                                  NULL, again, &count_again, &repeated),
                     REASON_NONE);
    assert_true(repeated);
    assert_int_equal(count_again, count);
    assert_memory_equal(again, facts, count * sizeof *facts);
    contact.request++;
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact, later,
                                  NULL, again, &count_again, &repeated),
                     REASON_CONFLICT);
    return wins;
}

static void
test_equals_twin(void **state)
{
    (void)state;
    uint64_t seed = random_seed(1122), contacts = 0, wins = 0;
    static struct why_bid bids[20000];
    struct why why = {bids, 0, 20000};
    for (unsigned market = 0; market < 30; market++) {
        struct history history;
        struct random_market options = {.bids = 20 + (market % 10) * 60,
                                        .prices = market % 3 ? 40 : 6,
                                        .budgets = true,
                                        .caps = true,
                                        .version = 1};
        history_open(&history, seed + market, &options, &history_limits);
        for (unsigned step = 0; step < 60; step++) {
            for (unsigned i = random_below(&history.random, 4); i > 0; i--) history_step(&history);
            unsigned before = history.count;
            wins += play_contact(&history, &why);
            contacts += history.count > before;
            check_budgets(&history);
        }
        history_close(&history);
    }
    printf("%llu contacts, %llu placements\n", (unsigned long long)contacts,
           (unsigned long long)wins);
    assert_true(contacts >= 1000 && wins >= 500);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equals_twin)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
