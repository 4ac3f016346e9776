// Bids that are priced by what follows, many in each slot: what the search passes over could not
// have mattered. Compared with the exhaustive twin, over contacts from which a book learns.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "round_table.h"
#include "round_twin.h"
#include "seed.h"

#define MESSAGES 24
#define BIDS 60

struct crowd {
    struct table table;
    struct market_message messages[MESSAGES];
    struct market_bid bids[BIDS];
    uint32_t bid_count;
    struct catalog *catalog;
    struct book *book;
    struct round *round;
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count;
    uint64_t eligible, passed, outside;  // bids; setters below the eighth place
};

// The first messages are all of one seat, so that it often takes all eight places.
static void
open_market(struct crowd *crowd, struct random *random)
{
    struct table *table = &crowd->table;
    round_table_open(table);
    table->container.slot_count = 2;
    table->slots[0].explore = random_chance(random, 20);
    table->slots[1].explore = random_chance(random, 20);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        uint32_t seat = i < MESSAGES / 2 ? 1 : 1 + random_below(random, 2);
        crowd->messages[i] = table->messages[seat];
        crowd->messages[i].id = 100 + i;
        crowd->messages[i].code = arena_printf(table->arena, "message%u", i);
        crowd->messages[i].priority = random_chance(random, 3);
        crowd->messages[i].after_experience = random_chance(random, 10);
    }
    table->market.messages = crowd->messages;
    table->market.message_count = MESSAGES;
    uint32_t named = random_below(random, 3) == 0 ? 10 : 0;  // percent
    crowd->bid_count = BIDS - random_below(random, 40);
    for (uint32_t i = 0; i < crowd->bid_count; i++) {
        uint32_t message = random_below(random, MESSAGES), kind = random_below(random, 10);
        crowd->bids[i] = (struct market_bid){
            .id = 70 + i,
            .seat = crowd->messages[message].seat == table->messages[1].seat ? 2 : 3,
            .message = 100 + message,
            .slot = random_chance(random, named) ? 11 + random_below(random, 2) : 0,
            .kind = kind == 0   ? PRICE_PLACEMENT
                    : kind == 1 ? PRICE_SHARE
                                : PRICE_RESPONSE,
            .price = money_of(100000 * (1 + (int64_t)random_below(random, 60))),
            .state = random_chance(random, 5) ? BID_PAUSED : BID_ACTIVE,
            .key = "k"};
        if (kind == 1) crowd->bids[i].price = money_of(10000 * (1 + random_below(random, 100)));
    }
    struct catalog_input input = {
        .market = &table->market, .bids = crowd->bids, .bid_count = crowd->bid_count, .version = 7};
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    table->market.arena = table->arena;
    assert_int_equal(catalog_encode(&input, table->arena, &bytes, &len, &error), STATUS_OK);
    assert_int_equal(catalog_decode(bytes, len, &crowd->catalog, NULL), STATUS_OK);
    book_catalog(crowd->book, crowd->catalog);
}

static void
apply(struct crowd *crowd, const struct fact *fact)
{
    struct catalog_position position = {1, 1, 1};
    assert_int_equal(book_apply(crowd->book, fact, position), STATUS_OK);
}

// What follows: most are delivered, some of them answered, a few bring revenue.
static void
follow(struct crowd *crowd, struct random *random)
{
    for (unsigned i = 0; i < crowd->count; i++) apply(crowd, &crowd->facts[i]);
    for (unsigned i = 1; i <= 2; i++) {
        struct fact fact = crowd->facts[i];
        if (fact.kind != FACT_PLACEMENT) continue;
        struct fact event = fact;
        memset(event.bytes, 0, sizeof event.bytes);
        event.event.message = fact.placement.message;
        event.event.seat = fact.placement.seat;
        event.kind = FACT_DELIVERED;
        apply(crowd, &event);
        event.kind = random_chance(random, 30) ? FACT_ACCEPTED : FACT_DECLINED;
        apply(crowd, &event);
        if (!random_chance(random, 30)) continue;
        memset(event.bytes, 0, sizeof event.bytes);
        event.kind = FACT_CONVERTED;
        event.revenue.message = fact.placement.message;
        event.revenue.seat = fact.placement.seat;
        event.revenue.currency = fact.placement.currency;
        event.revenue.amount = money_of(1000000 * (1 + (int64_t)random_below(random, 9)));
        event.revenue.order.bytes[0] = 1;
        memcpy(event.revenue.order.bytes + 1, fact.contact.bytes, 14);
        event.revenue.order.bytes[15] = fact.position;
        apply(crowd, &event);
    }
}

static const struct twin *sorting;

static int
by_rank(const void *a, const void *b)
{
    return twin_ranks_before(sorting, a, b) ? -1 : 1;
}

// Ranked alike but for the draw?
static bool
is_tied(const struct twin_bid *a, const struct twin_bid *b)
{
    const struct twin_bid *of[2] = {a, b};
    struct price_bid bids[2];
    for (unsigned i = 0; i < 2; i++)
        bids[i] = (struct price_bid){.bid = 1,
                                     .kind = of[i]->bid->kind,
                                     .priority = of[i]->terms.priority,
                                     .price = of[i]->bid->price,
                                     .multiplier = of[i]->terms.multiplier};
    return !price_ranks_before(&bids[0], &bids[1], 0) && !price_ranks_before(&bids[1], &bids[0], 0);
}

static const struct twin_bid *
eligible_of(const struct twin_sale *sale, uint64_t bid)
{
    uint32_t i = 0;
    while (i < sale->eligible_count && sale->eligible[i].bid->id != bid) i++;
    assert_true(i < sale->eligible_count);
    return &sale->eligible[i];
}

// The candidates of a slot are the eight best, of tied ones perhaps others, but for the setter in
// the last place.
static void
compare_candidates(struct crowd *crowd, const struct twin *twin, struct twin_sale *sale,
                   uint8_t position)
{
    const struct fact *outcome = &crowd->facts[position];
    unsigned place = 0;
    uint32_t kept = sale->eligible_count < BOUND_CANDIDATES ? sale->eligible_count
                                                            : BOUND_CANDIDATES;
    sorting = twin;
    qsort(sale->eligible, sale->eligible_count, sizeof *sale->eligible, by_rank);
    for (unsigned i = 3; i < crowd->count; i++) {
        const struct fact *fact = &crowd->facts[i];
        if (fact->position != position || fact->kind != FACT_CANDIDATES) continue;
        for (unsigned at = 0; at < 2 && fact->candidates.bid[at] != 0; at++, place++) {
            assert_true(place < kept);
            if (is_tied(eligible_of(sale, fact->candidates.bid[at]), &sale->eligible[place]))
                continue;
            assert_int_equal(place, BOUND_CANDIDATES - 1);
            assert_true(fact->candidates.bid[at] == outcome->placement.setter);
            crowd->outside++;
        }
    }
    assert_int_equal(place, kept);
    crowd->eligible += sale->eligible_count;
    crowd->passed += sale->eligible_count - outcome->placement.eligible;
}

static void
compare(struct crowd *crowd)
{
    static struct twin twin;
    static struct twin_sale sale;
    bool repeated;
    struct table *table = &crowd->table;
    assert_int_equal(round_decide(crowd->round, crowd->catalog, crowd->book, &table->contact, NULL,
                                  table->now, NULL, crowd->facts, &crowd->count, &repeated),
                     REASON_NONE);
    twin = (struct twin){.catalog = crowd->catalog,
                         .book = crowd->book,
                         .contact = &table->contact,
                         .now = table->now,
                         .id = crowd->facts[0].contact};
    twin_take_bids(&twin);
    for (uint8_t position = 1; position <= 2; position++) {
        const struct fact *outcome = &crowd->facts[position];
        twin_sell(&twin, position - 1u, twin.id, &sale);
        assert_int_equal(outcome->kind, sale.winner == NULL ? FACT_UNFILLED : FACT_PLACEMENT);
        if (sale.winner == NULL) continue;
        assert_true(outcome->placement.bid == sale.winner->id);
        assert_int_equal(outcome->placement.price.micros, sale.price);
        assert_true(outcome->placement.setter == sale.setter);
        twin_win(&twin, &sale);
        compare_candidates(crowd, &twin, &sale, position);
    }
    unsigned position;
    struct price_sale again;
    assert_true(round_reprice(crowd->facts, crowd->count, &position, &again));
}

// Some bids are put anew or withdrawn, as the book's overlay has them.
static void
change_bid(struct crowd *crowd, struct random *random, uint64_t serial)
{
    const struct market_bid *bid = &crowd->bids[random_below(random, crowd->bid_count)];
    struct fact fact = {.kind = FACT_BID, .role = ROLE_SEAT, .at = crowd->table.now};
    fact.party = (uint16_t)bid->seat;
    fact.bid.bid = random_chance(random, 30) ? 1000 + serial : bid->id;
    fact.bid.seat = fact.party;
    fact.bid.state = random_chance(random, 20) ? BID_WITHDRAWN : BID_ACTIVE;
    fact.bid.kind = PRICE_RESPONSE;
    fact.bid.message = bid->message;
    fact.bid.currency = crowd->catalog->currency;
    fact.bid.price = money_of(100000 * (1 + (int64_t)random_below(random, 60)));
    memcpy(fact.bid.key, "k", 1);
    apply(crowd, &fact);
}

static void
test_crowds(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    struct random random = {seed};
    struct crowd crowd = {.round = round_open()};
    for (unsigned market = 0; market < 60; market++) {
        crowd.book = book_open(&history_limits);
        open_market(&crowd, &random);
        for (unsigned i = 0; i < 30; i++) {
            struct contact *contact = &crowd.table.contact;
            snprintf(contact->key, sizeof contact->key, "bill-%u-%u", market, i);
            contact->request_key = contact_request_key(contact->touchpoint, contact->key);
            compare(&crowd);
            follow(&crowd, &random);
            if (random_chance(&random, 20)) change_bid(&crowd, &random, i);
        }
        catalog_close(crowd.catalog);
        book_close(crowd.book);
        arena_close(crowd.table.arena);
    }
    round_close(crowd.round);
    printf("%" PRIu64 " eligible bids, %" PRIu64 " passed over, %" PRIu64
           " prices set from below the eighth place\n",
           crowd.eligible, crowd.passed, crowd.outside);
    assert_true(crowd.passed > crowd.eligible / 10 && crowd.outside > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_crowds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
