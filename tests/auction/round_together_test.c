// Contacts whose slots are sold together against an exhaustive twin: every bid judged, the best
// assignment of every set of slots built message by message, every payment from its definition, and
// purses narrowed as round_together.c says. Random markets with random changes.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "random_history.h"
#include "round_twin.h"
#include "seed.h"

#define SEED 3141
#define MESSAGES 64
#define SETS (1u << 5)

struct worth {
    int64_t over, rest;
};
struct best_bid {
    const struct catalog_bid *bid;  // NULL: none
    int64_t floor;
    struct worth worth;
};
struct sale {
    struct best_bid won;
    int64_t price;
};
struct together {
    struct twin twin;
    uint32_t slot_first;
    unsigned slots;
    uint64_t seed;
    struct best_bid offers[MESSAGES][BOUND_SLOTS];  // the best of each message for each slot
    bool narrowed[BOUND_SEATS], admitted[MESSAGES];
    struct worth best[SETS];
    uint8_t choice[MESSAGES][SETS];  // slot + 1
    struct sale sales[BOUND_SLOTS];
};
struct counts {
    uint64_t contacts, wins, several, narrowed, unsold, duplicates;
};

static bool
exceeds(struct worth a, struct worth b)
{
    return a.over != b.over ? a.over > b.over : a.rest > b.rest;
}

static void
collect(struct together *market)
{
    memset(market->offers, 0, sizeof market->offers);
    for (unsigned slot = 0; slot < market->slots; slot++) {
        for (uint32_t i = 0; i < market->twin.bid_count; i++) {
            const struct catalog_bid *bid = market->twin.bids[i];
            uint32_t index = market->slot_first + slot;
            int64_t floor;
            if (bid->slot != UINT32_MAX && bid->slot != index) continue;
            if (twin_judge(&market->twin, bid, index, &floor) != REASON_NONE) continue;
            if (market->narrowed[bid->seat] && !market->admitted[bid->message]) continue;
            uint64_t draw = hash_mix((market->seed + slot) ^ hash_mix(bid->id)) >> 10;
            struct worth worth = {bid->price.micros - floor, ((int64_t)1 << 59) - (int64_t)draw};
            struct best_bid *offer = &market->offers[bid->message][slot];
            if (offer->bid == NULL || exceeds(worth, offer->worth))
                *offer = (struct best_bid){bid, floor, worth};
        }
    }
}

// The best of every set of slots, without one seat (-1: with all).
static void
best_of_sets(struct together *market, int64_t without)
{
    memset(market->best, 0, sizeof market->best);
    memset(market->choice, 0, sizeof market->choice);
    for (uint32_t message = 0; message < market->twin.catalog->message_count; message++) {
        if (market->twin.catalog->messages[message].seat == without) continue;
        for (unsigned set = (1u << market->slots) - 1; set > 0; set--) {
            for (unsigned slot = 0; slot < market->slots; slot++) {
                const struct best_bid *offer = &market->offers[message][slot];
                if (!(set >> slot & 1) || offer->bid == NULL) continue;
                struct worth with = market->best[set & ~(1u << slot)];
                with.over += offer->worth.over;
                with.rest += offer->worth.rest;
                if (!exceeds(with, market->best[set])) continue;
                market->best[set] = with;
                market->choice[message][set] = (uint8_t)(slot + 1);
            }
        }
    }
}

static void
sell(struct together *market)
{
    unsigned all = (1u << market->slots) - 1, set = all;
    collect(market);
    best_of_sets(market, -1);
    memset(market->sales, 0, sizeof market->sales);
    for (uint32_t message = market->twin.catalog->message_count; message-- > 0;) {
        unsigned slot = market->choice[message][set];
        if (slot == 0) continue;
        market->sales[slot - 1].won = market->offers[message][slot - 1];
        set &= ~(1u << (slot - 1));
    }
    for (unsigned slot = 0; slot < market->slots; slot++) {
        struct sale *sale = &market->sales[slot];
        if (sale->won.bid == NULL) continue;
        unsigned later = 0;
        for (unsigned i = slot + 1; i < market->slots; i++)
            if (market->sales[i].won.bid != NULL &&
                market->sales[i].won.bid->seat == sale->won.bid->seat)
                later |= 1u << i;
        best_of_sets(market, sale->won.bid->seat);
        sale->price = sale->won.floor + market->best[all & ~later].over -
                      market->best[all & ~later & ~(1u << slot)].over;
    }
}

static int64_t
purse(const struct together *market, uint32_t index)
{
    const struct catalog_seat *seat = &market->twin.catalog->seats[index];
    if (!seat->has_budget) return INT64_MAX;
    return seat->budget.micros - book_seat_spent(market->twin.book, seat->id).micros;
}

// True when a seat would have overspent and was narrowed.
static bool
narrow(struct together *market)
{
    bool narrowed = false;
    for (uint32_t seat = 0; seat < market->twin.catalog->seat_count; seat++) {
        int64_t pays = 0, left = purse(market, seat);
        bool open[BOUND_SLOTS];
        for (unsigned i = 0; i < market->slots; i++) {
            const struct sale *sale = &market->sales[i];
            open[i] = sale->won.bid != NULL && sale->won.bid->seat == seat;
            if (open[i]) pays += sale->price;
        }
        if (pays <= left) continue;
        narrowed = market->narrowed[seat] = true;
        for (uint32_t i = 0; i < market->twin.catalog->message_count; i++)
            if (market->twin.catalog->messages[i].seat == seat) market->admitted[i] = false;
        for (;;) {
            int dearest = -1;
            for (unsigned i = 0; i < market->slots; i++)
                if (open[i] && (dearest < 0 || market->sales[i].won.bid->price.micros >
                                                   market->sales[dearest].won.bid->price.micros))
                    dearest = (int)i;
            if (dearest < 0) break;
            open[dearest] = false;
            const struct catalog_bid *bid = market->sales[dearest].won.bid;
            if (bid->price.micros > left) continue;
            left -= bid->price.micros;
            market->admitted[bid->message] = true;
        }
    }
    return narrowed;
}

static void
check_placement(const struct together *market, const struct fact *fact, const struct sale *sale)
{
    assert_int_equal(fact->kind, FACT_PLACEMENT);
    assert_true(fact->placement.bid == sale->won.bid->id);
    assert_int_equal(fact->placement.price.micros, sale->price);
    assert_int_equal(fact->placement.floor.micros, sale->won.floor);
    assert_in_range(sale->price, sale->won.floor, sale->won.bid->price.micros);
    if (fact->placement.setter == 0) return;
    const struct catalog_bid *setter = NULL;
    for (uint32_t i = 0; i < market->twin.bid_count; i++)
        if (market->twin.bids[i]->id == fact->placement.setter) setter = market->twin.bids[i];
    assert_non_null(setter);
    assert_true(setter->seat != sale->won.bid->seat && sale->price > sale->won.floor);
    assert_int_equal(setter->price.micros, sale->price);
}

static void
check_against_twin(const struct history *history, const struct contact *contact,
                   const struct fact *facts, struct counts *counts)
{
    static struct together market;
    const struct catalog *catalog = history->catalog;
    const struct catalog_container *container = &catalog->containers[contact->container];
    assert_true(catalog->message_count <= MESSAGES && container->slot_count <= 5);
    memset(&market, 0, sizeof market);
    market.twin = (struct twin){catalog, history->book, contact, history->now, .win_count = 0};
    twin_take_bids(&market.twin);
    market.slot_first = container->slot_first;
    market.slots = container->slot_count;
    uint64_t halves[2];
    memcpy(halves, facts[0].contact.bytes, sizeof halves);
    market.seed = halves[0] ^ halves[1];
    sell(&market);
    for (unsigned turn = 0; narrow(&market); turn++) {
        counts->narrowed++;
        sell(&market);
        assert_true(turn < 20);
    }
    unsigned wins = 0;
    for (unsigned i = 0; i < market.slots; i++) {
        const struct fact *fact = &facts[1 + i];
        assert_int_equal(fact->position, i + 1);
        if (market.sales[i].won.bid != NULL) {
            check_placement(&market, fact, &market.sales[i]);
            wins++;
            continue;
        }
        assert_int_equal(fact->kind, FACT_UNFILLED);
        assert_true(fact->unfilled.reason == REASON_NO_BIDS ||
                    fact->unfilled.reason == REASON_NO_ELIGIBLE_BID);
        counts->unsold++;
        counts->duplicates += fact->unfilled.main_reason == REASON_DUPLICATE;
    }
    counts->contacts++;
    counts->wins += wins;
    counts->several += wins > 1;
}

// One winner in each slot sold; a duplicate's message won another slot; who was beaten is short of
// at least nothing.
static void
check_why(const struct history *history, const struct fact *facts, const struct why *why)
{
    const struct catalog *catalog = history->catalog;
    struct book_bids overlay = book_overlay(history->book);
    unsigned winners[BOUND_SLOTS + 1] = {0};
    assert_true(why->count <= why->room);
    for (uint32_t i = 0; i < why->count; i++) {
        const struct why_bid *bid = &why->bids[i];
        const struct catalog_bid *is = bid->bid < catalog->bid_count
                                           ? &catalog->bids[bid->bid]
                                           : &overlay.bids[bid->bid - catalog->bid_count];
        const struct fact *fact = &facts[bid->position];
        bool sold = fact->kind == FACT_PLACEMENT;
        if (bid->reason == REASON_NONE) {
            assert_true(sold && fact->placement.bid == is->id);
            winners[bid->position]++;
        } else if (bid->reason == REASON_DUPLICATE) {
            uint32_t message = catalog->messages[is->message].id;
            bool elsewhere = false;
            for (unsigned slot = 1; slot <= facts[0].opened.slots; slot++)
                if (slot != bid->position && facts[slot].kind == FACT_PLACEMENT)
                    elsewhere |= facts[slot].placement.message == message;
            assert_true(elsewhere);
        } else if (bid->reason == REASON_OUTBID || bid->reason == REASON_OWN_SEAT) {
            assert_true(sold && bid->short_by.micros >= 0);
            assert_true((bid->reason == REASON_OWN_SEAT) ==
                        (fact->placement.seat == catalog->seats[is->seat].id));
        }
    }
    for (unsigned slot = 1; slot <= facts[0].opened.slots; slot++)
        assert_int_equal(winners[slot], facts[slot].kind == FACT_PLACEMENT);
}

static void
check_budgets(const struct history *history)
{
    for (uint32_t i = 0; i < history->catalog->seat_count; i++) {
        const struct catalog_seat *seat = &history->catalog->seats[i];
        if (seat->has_budget)
            assert_true(book_seat_spent(history->book, seat->id).micros <= seat->budget.micros);
    }
}

static void
play_contact(struct history *history, struct why *why, struct counts *counts)
{
    struct contact contact;
    struct fact facts[BOUND_CONTACT_FACTS], again[BOUND_CONTACT_FACTS];
    unsigned count, count_again;
    bool repeated;
    random_contact(&history->random, history->catalog, &contact);
    enum reason reason = round_decide(history->round, history->catalog, history->book, &contact,
                                      history->now, NULL, facts, &count, &repeated);
    if (reason == REASON_BUSY) return;
    assert_int_equal(reason, REASON_NONE);
    assert_int_equal(count, 1u + facts[0].opened.slots);
    check_against_twin(history, &contact, facts, counts);
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact,
                                  history->now, why, again, &count_again, &repeated),
                     REASON_NONE);
    assert_int_equal(count_again, count);
    assert_memory_equal(again, facts, count * sizeof *facts);
    check_why(history, facts, why);
    history_apply(history, facts, count);
}

static void
test_equals_twin(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED);
    struct counts counts = {0};
    static struct why_bid bids[20000];
    struct why why = {bids, 0, 20000};
    for (unsigned market = 0; market < 240; market++) {
        struct history history;
        struct random_market options = {.bids = 20 + (market % 10) * 60,
                                        .prices = market % 3 ? 40 : 6,
                                        .budgets = true,
                                        .caps = market % 2 == 0,
                                        .purse = market % 2 ? 8 : 20,
                                        .together = 100,
                                        .version = 1};
        history_open(&history, seed + market, &options, &history_limits);
        for (unsigned step = 0; step < 12; step++) {
            for (unsigned i = random_below(&history.random, 4); i > 0; i--) history_step(&history);
            play_contact(&history, &why, &counts);
            check_budgets(&history);
        }
        history_close(&history);
    }
    printf("%llu contacts, %llu placements, %llu contacts with several, %llu purses narrowed, "
           "%llu slots unsold, %llu of them for want of another message\n",
           (unsigned long long)counts.contacts, (unsigned long long)counts.wins,
           (unsigned long long)counts.several, (unsigned long long)counts.narrowed,
           (unsigned long long)counts.unsold, (unsigned long long)counts.duplicates);
    assert_true(counts.contacts >= 1000 && counts.wins >= 500 && counts.several >= 200);
    assert_true(counts.narrowed > 0 && counts.duplicates > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equals_twin)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
