// The limits of a contact whose slots are sold one after the other: each rule of round_limits.c by
// hand, under its number, then open markets at random (every bid meets nothing but limits, budgets,
// caps and floors) against the twin. Markets with every other rule: round_test.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "open_market.h"
#include "random_history.h"
#include "round_twin.h"

#define SEED 1618

struct played {
    struct catalog *catalog;
    struct book *book;
    struct round *round;
    struct contact contact;
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count;
    struct why_bid bids[OPEN_MESSAGES * BOUND_SLOTS];
    struct why why;
};

static void
play(struct played *played, const struct open_market *market, uint64_t number,
     const struct round_live *live)
{
    struct fact again[BOUND_CONTACT_FACTS];
    struct price_sale sale;
    unsigned count, position;
    bool repeated;
    played->catalog = open_market_catalog(market);
    played->book = book_open(&history_limits);
    played->round = round_open();
    played->why = (struct why){played->bids, 0, OPEN_MESSAGES * BOUND_SLOTS};
    book_catalog(played->book, played->catalog);
    open_market_contact(number, &played->contact);
    assert_int_equal(round_decide(played->round, played->catalog, played->book, &played->contact,
                                  live, (usec){RANDOM_NOW}, &played->why, played->facts,
                                  &played->count, &repeated),
                     REASON_NONE);
    assert_int_equal(round_decide(played->round, played->catalog, played->book, &played->contact,
                                  live, (usec){RANDOM_NOW}, NULL, again, &count, &repeated),
                     REASON_NONE);
    assert_int_equal(count, played->count);
    assert_memory_equal(again, played->facts, count * sizeof *again);
    assert_true(round_reprice(played->facts, played->count, &position, &sale));
}

static void
end(struct played *played)
{
    round_close(played->round);
    book_close(played->book);
    catalog_close(played->catalog);
}

// --- By hand -------------------------------------------------------------------------------------
// Messages a, b, c ... of seats 0, 1, 2 ... unless it says otherwise; seats 3 to 5 are partners.
struct hand_case {
    const char *rule;
    struct open_market market;
    char winners[4];  // "ab-": message of each slot
    struct {
        unsigned message, slot;
        enum reason reason;
    } told[3];  // REASON_NONE ends
};
static const struct hand_case cases[] = {
    {"1 a category wins once",
     {.slots = 2,
      .messages = 3,
      .separate = true,
      .message = {{.seat = 0, .category = 'a', .bids = {9, 9}},
                  {.seat = 1, .category = 'a', .bids = {8, 8}},
                  {.seat = 2, .bids = {1, 1}}}},
     "ac",
     {{1, 1, REASON_SEPARATION}, {0, 1, REASON_DUPLICATE}}},
    {"1 not kept apart, it wins twice",
     {.slots = 2,
      .messages = 2,
      .message = {{.seat = 0, .category = 'a', .bids = {9, 9}},
                  {.seat = 1, .category = 'a', .bids = {8, 8}}}},
     "ab",
     {{0}}},
    {"2 partners win so many",
     {.slots = 3,
      .messages = 4,
      .paid_max = 2,
      .message = {{.seat = 3, .bids = {9, 9, 9}},
                  {.seat = 4, .bids = {8, 8, 8}},
                  {.seat = 5, .bids = {7, 7, 7}},
                  {.seat = 0, .bids = {1, 1, 1}}}},
     "abd",
     {{2, 2, REASON_PAID_MAX}}},
    {"3 a group wins whole",
     {.slots = 2,
      .messages = 3,
      .message = {{.seat = 0, .group = 'a', .bids = {9, 0}},
                  {.seat = 0, .group = 'a', .bids = {0, 8}},
                  {.seat = 1, .bids = {7, 7}}}},
     "ab",
     {{0}}},
    {"3 or not at all: all slots are sold anew",
     {.slots = 2,
      .messages = 4,
      .message = {{.seat = 0, .group = 'a', .bids = {9, 0}},
                  {.seat = 0, .group = 'a', .bids = {0, 5}},
                  {.seat = 1, .bids = {0, 6}},
                  {.seat = 2, .bids = {3, 0}}}},
     "dc",
     {{0, 0, REASON_GROUP}, {1, 1, REASON_GROUP}}},
    {"3 of more messages than slots it never wins",
     {.slots = 1,
      .messages = 3,
      .message = {{.seat = 0, .group = 'a', .bids = {9}},
                  {.seat = 0, .group = 'a', .bids = {8}},
                  {.seat = 1, .bids = {1}}}},
     "c",
     {{0, 0, REASON_GROUP}}},
    {"3 another seat's group of the same name is another",
     {.slots = 2,
      .messages = 3,
      .message = {{.seat = 0, .group = 'a', .bids = {9, 9}},
                  {.seat = 0, .group = 'a', .bids = {5, 8}},
                  {.seat = 1, .group = 'a', .bids = {7, 7}}}},
     "ab",
     {{0}}},
    {"4 the last slot is kept",
     {.slots = 2,
      .messages = 3,
      .quota_count = 1,
      .message = {{.seat = 0, .bids = {9, 9}},
                  {.seat = 1, .bids = {8, 8}},
                  {.seat = 2, .quota = true, .bids = {1, 1}}}},
     "ac",
     {{1, 1, REASON_QUOTA}}},
    {"4 as many as are needed",
     {.slots = 3,
      .messages = 4,
      .quota_count = 2,
      .message = {{.seat = 0, .bids = {9, 9, 9}},
                  {.seat = 1, .bids = {8, 8, 8}},
                  {.seat = 2, .quota = true, .bids = {1, 1, 1}},
                  {.seat = 2, .quota = true, .bids = {2, 2, 2}}}},
     "adc",
     {{1, 1, REASON_QUOTA}, {1, 2, REASON_QUOTA}}},
    {"4 d what cannot be met stops nobody",
     {.slots = 2,
      .messages = 2,
      .quota_count = 1,
      .message = {{.seat = 0, .bids = {9, 9}}, {.seat = 1, .bids = {8, 8}}}},
     "ab",
     {{0}}},
    {"4 d as much of it as can be met",
     {.slots = 3,
      .messages = 4,
      .quota_count = 2,
      .message = {{.seat = 0, .bids = {9, 9, 9}},
                  {.seat = 1, .bids = {8, 8, 8}},
                  {.seat = 1, .bids = {7, 7, 7}},
                  {.seat = 2, .quota = true, .bids = {1, 1, 1}}}},
     "abd",
     {{2, 2, REASON_QUOTA}}},
    {"4 the slot that only can is kept, though it is the first",
     {.slots = 2,
      .messages = 2,
      .quota_count = 1,
      .message = {{.seat = 0, .bids = {9, 9}}, {.seat = 1, .quota = true, .bids = {1, 0}}}},
     "ba",
     {{0, 0, REASON_QUOTA}}},
    {"4 e a slot is left empty when that saves the quota",
     {.slots = 2,
      .messages = 2,
      .separate = true,
      .quota_count = 1,
      .message = {{.seat = 0, .category = 'a', .bids = {9, 9}},
                  {.seat = 1, .category = 'a', .quota = true, .bids = {0, 1}}}},
     "-b",
     {{0, 0, REASON_QUOTA}, {0, 1, REASON_QUOTA}}},
    {"4 e the last paid placement is kept for it",
     {.slots = 2,
      .messages = 3,
      .paid_max = 1,
      .quota_count = 1,
      .message = {{.seat = 3, .bids = {9, 9}},
                  {.seat = 4, .quota = true, .bids = {0, 5}},
                  {.seat = 0, .bids = {1, 1}}}},
     "cb",
     {{0, 0, REASON_QUOTA}, {0, 1, REASON_QUOTA}}},
    {"4 e below its floor a bid serves no quota",
     {.slots = 2,
      .messages = 3,
      .quota_count = 1,
      .floors = {2, 2},
      .message = {{.seat = 0, .bids = {9, 9}},
                  {.seat = 1, .bids = {8, 8}},
                  {.seat = 2, .quota = true, .bids = {1, 1}}}},
     "ab",
     {{2, 1, REASON_BELOW_FLOOR}}},
};

static void
check_case(const struct hand_case *one, uint8_t pricing)
{
    static struct played played;
    struct open_market market = one->market;
    market.seats = OPEN_SEATS;
    market.pricing = pricing;
    for (unsigned i = 3; i < OPEN_SEATS; i++) market.partner[i] = true;
    play(&played, &market, 1, NULL);
    for (unsigned slot = 0; slot < market.slots; slot++) {
        const struct fact *fact = &played.facts[1 + slot];
        char winner = '-';
        if (fact->kind == FACT_PLACEMENT) winner = (char)('a' + fact->placement.message - 1);
        if (winner != one->winners[slot])
            fail_msg("%s: slot %u goes to %c", one->rule, slot + 1, winner);
    }
    for (unsigned i = 0; i < 3 && one->told[i].reason != REASON_NONE; i++) {
        uint64_t id = 1 + 16 * one->told[i].message + one->told[i].slot;
        for (uint32_t b = 0; b < played.why.count; b++)
            if (played.catalog->bids[played.bids[b].bid].id == id &&
                played.bids[b].reason != one->told[i].reason)
                fail_msg("%s: %c in slot %u is told %s", one->rule,
                         'a' + (char)one->told[i].message, one->told[i].slot + 1,
                         reason_key(played.bids[b].reason));
    }
    end(&played);
}

static void
test_cases(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i], PRICING_PER_SLOT);
}

// Live bids of one group in their bidder's answer, instead of their messages' group.
static void
test_live_groups(void **state)
{
    (void)state;
    static struct played played;
    for (unsigned whole = 0; whole < 2; whole++) {
        struct open_market market = {.slots = 2,
                                     .seats = 2,
                                     .messages = 3,
                                     .partner = {false, true},
                                     .message = {{.seat = 0, .bids = {5, 5}},
                                                 {.seat = 1, .group = 'a', .bids = {0, 0}},
                                                 {.seat = 1, .group = 'a', .bids = {0, 0}}}};
        struct catalog_bid bids[2];
        uint8_t groups[2] = {7, 7};
        for (unsigned i = 0; i < 2; i++)
            bids[i] = (struct catalog_bid){.id = 900 + i,
                                           .seat = 1,
                                           .message = 1 + i,
                                           .slot = i,
                                           .price = {i == 0 || whole ? 9 : 4}};
        struct round_live live = {.bids = bids, .groups = groups, .count = 2};
        play(&played, &market, 1, &live);
        assert_int_equal(played.facts[1].kind, FACT_PLACEMENT);
        assert_int_equal(played.facts[1].placement.seat, whole ? 2 : 1);
        assert_int_equal(played.facts[2].kind, whole ? FACT_PLACEMENT : FACT_UNFILLED);
        end(&played);
    }
}

// One group more than are put out one by one: then all are out, and the sale ends.
static void
test_many_groups(void **state)
{
    (void)state;
    static struct played played;
    struct open_market market = {.slots = 2, .seats = OPEN_SEATS, .messages = 1 + 2 * 17};
    market.message[0] = (struct open_message){.seat = 5, .bids = {1, 1}};
    for (unsigned i = 0; i < 17; i++)
        for (unsigned half = 0; half < 2; half++)
            market.message[1 + 2 * i + half] = (struct open_message){
                .seat = (uint8_t)(i / 4),
                .group = (char)('a' + i % 4),
                .bids = {(int64_t)(100 - i), half ? 0 : (int64_t)(100 - i)}};
    // Of each group one message is too cheap for the second slot.
    for (unsigned i = 0; i < 17; i++) market.message[1 + 2 * i].bids[1] = 0;
    play(&played, &market, 1, NULL);
    assert_int_equal(played.facts[1].kind, FACT_PLACEMENT);
    assert_int_equal(played.facts[1].placement.message, 1);
    assert_int_equal(played.facts[1].placement.price.micros, 0);
    end(&played);
}

// --- At random -----------------------------------------------------------------------------------
struct counts {
    uint64_t contacts, wins, reasons[REASON_COUNT], quotas, whole;
};

static void
check_slot(const struct played *played, struct twin *twin, unsigned place,
           const struct twin_sale *sale, struct counts *counts)
{
    const struct fact *fact = &played->facts[1 + place];
    assert_int_equal(fact->kind == FACT_PLACEMENT, sale->winner != NULL);
    if (sale->winner != NULL) {
        assert_true(fact->placement.bid == sale->winner->id);
        assert_int_equal(fact->placement.price.micros, sale->price);
        assert_true(fact->placement.setter == sale->setter);
        counts->wins++;
        counts->whole += played->catalog->messages[sale->winner->message].group != 0;
    }
    for (uint32_t i = 0; i < played->why.count; i++) {
        const struct why_bid *why = &played->bids[i];
        if (why->position != place + 1) continue;
        int64_t floor;
        enum reason reason = twin_judge(twin, &played->catalog->bids[why->bid], place, &floor);
        counts->reasons[why->reason]++;
        if (reason != REASON_NONE) assert_int_equal(why->reason, reason);
        else
            assert_true(why->reason == REASON_NONE || why->reason == REASON_OUTBID ||
                        why->reason == REASON_OWN_SEAT);
    }
}

static void
check_against_twin(const struct played *played, struct counts *counts)
{
    static struct twin twin;
    static struct twin_limits limits;
    static struct twin_sale sale;
    memset(&limits, 0, sizeof limits);
    unsigned slots = played->facts[0].opened.slots;
    twin.catalog = played->catalog;
    twin.book = played->book;
    twin.contact = &played->contact;
    twin.now = (usec){RANDOM_NOW};
    twin.id = played->facts[0].contact;
    twin.limits = &limits;
    twin_take_bids(&twin);
    do {
        twin.win_count = 0;
        for (unsigned place = 0; place < slots; place++) {
            twin_limits_slot(&twin, place);
            twin_sell(&twin, place, twin.id, &sale);
            if (sale.winner != NULL) twin_win(&twin, &sale);
        }
    } while (twin_limits_again(&twin));
    twin.win_count = 0;
    unsigned quota = 0;
    for (unsigned place = 0; place < slots; place++) {
        twin_limits_slot(&twin, place);
        twin_sell(&twin, place, twin.id, &sale);
        check_slot(played, &twin, place, &sale, counts);
        if (sale.winner == NULL) continue;
        quota += (played->catalog->messages[sale.winner->message].objectives &
                  played->catalog->containers[0].quota_objectives) != 0;
        twin_win(&twin, &sale);
    }
    counts->contacts++;
    counts->quotas += played->catalog->containers[0].quota_count > 0 &&
                      quota >= played->catalog->containers[0].quota_count;
}

static void
test_equals_twin(void **state)
{
    (void)state;
    static struct played played;
    struct counts counts = {0};
    struct random random = {random_seed(SEED)};
    for (unsigned number = 0; number < 1500; number++) {
        struct open_market market;
        open_market_random(&random, &market);
        play(&played, &market, number, NULL);
        check_against_twin(&played, &counts);
        end(&played);
    }
    printf("%llu contacts, %llu placements, %llu of them of groups, %llu quotas reached\n",
           (unsigned long long)counts.contacts, (unsigned long long)counts.wins,
           (unsigned long long)counts.whole, (unsigned long long)counts.quotas);
    if (getenv("VENDUE_SEED") != NULL) return;  // what follows is known of the fixed seed only
    assert_true(counts.whole > 50 && counts.quotas > 100);
    static const enum reason seen[] = {REASON_SEPARATION, REASON_PAID_MAX, REASON_GROUP,
                                       REASON_QUOTA,      REASON_BUDGET,   REASON_FREQUENCY_CAP};
    for (unsigned i = 0; i < sizeof seen / sizeof *seen; i++)
        assert_true(counts.reasons[seen[i]] > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_live_groups),
        cmocka_unit_test(test_many_groups),
        cmocka_unit_test(test_equals_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
