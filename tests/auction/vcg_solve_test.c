// Several slots sold together under all limits of a contact, against brute force (vcg_twin.h).
// Random markets with categories, groups, a quota, paid bids, priorities, kinds of price and deals;
// few amounts make many ties. Then the search cut short: the limits hold, prices stay within.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn.h"
#include "market.h"
#include "price.h"
#include "random_market.h"
#include "vcg_twin.h"

#define SEED 271828
static void
sell(const struct vcg_twin *market, struct vcg *vcg, uint32_t steps,
     struct vcg_sale sales[BOUND_SLOTS])
{
    vcg_open(vcg, market->seed, market->slots);
    vcg_limit(vcg, &market->limits);
    vcg->steps_max = steps;
    for (unsigned i = 0; i < market->count; i++)
        assert_int_equal(vcg_add(vcg, &market->bids[i]),
                         vcg_twin_score(&market->bids[i]) >= market->bids[i].floor.micros);
    vcg_close(vcg, sales);
}

static void
check_setter(const struct vcg_twin *market, const struct vcg_sale *sale)
{
    if (sale->setter == 0) return;
    const struct vcg_bid *setter = &market->bids[sale->setter - 1],
                         *winner = &market->bids[sale->winner - 1];
    assert_int_equal(winner->at, DEAL_SECOND_PRICE);
    assert_true(setter->seat != winner->seat && setter->slot == winner->slot);
    int64_t score = vcg_twin_score(setter);
    assert_true(score > winner->floor.micros);
    assert_int_equal(
        sale->price.micros,
        price_reaching((enum price_kind)winner->kind, money_of(score), winner->multiplier).micros);
}

static unsigned
compare(struct vcg_twin *market, uint64_t number, unsigned *out_quota)
{
    static struct vcg vcg;
    struct vcg_sale sales[BOUND_SLOTS], twin[BOUND_SLOTS];
    sell(market, &vcg, UINT32_MAX, sales);
    assert_false(vcg.cut_short);
    assert_true(vcg_twin_sell(market, 1e9, twin, out_quota));
    unsigned wins = 0;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        if (sales[slot].winner != twin[slot].winner ||
            sales[slot].price.micros != twin[slot].price.micros)
            fail_msg("market %llu slot %u: bid %llu at %lld, brute force %llu at %lld",
                     (unsigned long long)number, slot, (unsigned long long)sales[slot].winner,
                     (long long)sales[slot].price.micros, (unsigned long long)twin[slot].winner,
                     (long long)twin[slot].price.micros);
        assert_int_equal(sales[slot].over.micros, twin[slot].over.micros);
        if (sales[slot].winner == 0) continue;
        wins++;
        assert_true(sales[slot].price.micros <= market->bids[sales[slot].winner - 1].price.micros);
        check_setter(market, &sales[slot]);
    }
    return wins;
}

// --- Random markets ------------------------------------------------------------------------------
struct message {
    uint32_t seat, category, group;
    uint8_t group_size, priority, kind, at;
    bool quota;
    uint64_t multiplier;
};
struct shape {
    unsigned slots, bids, messages, seats;
    uint32_t amounts;
    bool mixed_price, priorities;
};

static void
random_message(struct random *random, const struct shape *shape, struct message *message)
{
    *message = (struct message){.seat = random_below(random, shape->seats),
                                .category = random_below(random, 4),
                                .quota = random_chance(random, 30)};
    if (shape->priorities && random_chance(random, 30))
        message->priority = (uint8_t)random_below(random, BOUND_PRIORITY + 2);
    if (!shape->mixed_price) return;
    message->kind = (uint8_t)random_below(random, PRICE_KIND_COUNT);
    message->at = random_chance(random, 30) ? (uint8_t)random_below(random, DEAL_AT_COUNT) : 0;
    if (message->kind == PRICE_RESPONSE) message->multiplier = random_below(random, 5) << 30;
    if (message->kind == PRICE_SHARE) message->multiplier = random_below(random, 40);
}

static void
random_case(struct random *random, const struct shape *shape, struct vcg_twin *out)
{
    static struct message messages[VCG_TWIN_BIDS];
    out->seed = random_next(random);
    out->slots = shape->slots;
    out->count = shape->bids;
    out->limits = (struct vcg_limits){.paid_max = random_below(random, shape->slots + 1),
                                      .quota_count = random_below(random, shape->slots + 1),
                                      .separate = random_chance(random, 60),
                                      .groups = random_chance(random, 60)};
    for (unsigned i = 0; i < shape->messages; i++) random_message(random, shape, &messages[i]);
    // Groups are of a seat; now and then one asks for more than there is.
    for (unsigned i = 0; i < shape->messages; i++) {
        if (messages[i].group != 0 || !random_chance(random, 25)) continue;
        unsigned size = 0;
        for (unsigned j = i; j < shape->messages && size < 3; j++)
            if (messages[j].seat == messages[i].seat && messages[j].group == 0 && ++size > 0)
                messages[j].group = i + 1;
        size += random_chance(random, 10);
        for (unsigned j = i; j < shape->messages; j++)
            if (messages[j].group == i + 1) messages[j].group_size = (uint8_t)size;
    }
    bool own_floors = random_chance(random, 40);
    for (unsigned i = 0; i < out->count; i++) {
        uint32_t of = random_below(random, shape->messages);
        const struct message *message = &messages[of];
        struct vcg_bid *bid = &out->bids[i];
        *bid = (struct vcg_bid){.bid = i + 1,
                                .seat = message->seat,
                                .message = of,
                                .number = i,
                                .slot = (uint8_t)random_below(random, shape->slots),
                                .category = message->category,
                                .group = message->group_size > 1 ? message->group : 0,
                                .group_size = message->group_size,
                                .priority = message->priority,
                                .kind = message->kind,
                                .at = message->at,
                                .multiplier = message->multiplier,
                                .paid = message->seat % 2 == 0,
                                .quota = message->quota};
        bid->price = money_of(random_below(random, shape->amounts));
        if (bid->kind == PRICE_SHARE) bid->price.micros *= 1000000 / shape->amounts;
        bid->floor = money_of(own_floors ? random_below(random, shape->amounts / 2 + 1)
                                         : bid->slot % (shape->amounts / 2 + 1));
    }
}

static void
test_brute_force(void **state)
{
    (void)state;
    static struct vcg_twin market;
    static const uint32_t amounts[] = {4, 12, 100000};
    struct random random = {random_seed(SEED)};
    unsigned wins = 0, quotas = 0, searched = 0;
    for (uint64_t i = 0; i < 6000; i++) {
        struct shape shape = {.slots = 1 + random_below(&random, 4),
                              .bids = random_below(&random, 13),
                              .messages = 1 + random_below(&random, 9),
                              .seats = 1 + random_below(&random, 5),
                              .amounts = amounts[i % 3],
                              .mixed_price = i % 2,
                              .priorities = i % 5 < 2};
        random_case(&random, &shape, &market);
        unsigned quota;
        wins += compare(&market, i, &quota);
        quotas += quota > 0;
    }
    // More bids of a slot than are kept without limits: what is left out must not matter.
    for (uint64_t i = 0; i < 1200; i++) {
        struct shape shape = {.slots = 2,
                              .bids = 20 + random_below(&random, 60),
                              .messages = 4 + random_below(&random, 30),
                              .seats = 1 + random_below(&random, 5),
                              .amounts = amounts[i % 3],
                              .priorities = i % 5 == 0};
        random_case(&random, &shape, &market);
        unsigned quota;
        wins += compare(&market, 10000 + i, &quota);
        searched += quota > 0;
    }
    printf("%u placements, %u + %u contacts with a quota\n", wins, quotas, searched);
    if (getenv("VENDUE_SEED") == NULL) assert_true(wins > 5000 && quotas > 1000 && searched > 300);
}

// --- Cut short -----------------------------------------------------------------------------------
// Larger markets, and few steps for the search: limits hold, prices lie between floor and bid.
static void
check_within(const struct vcg_twin *market, const struct vcg_sale sales[BOUND_SLOTS])
{
    unsigned paid = 0;
    for (unsigned i = 0; i < market->slots; i++) {
        if (sales[i].winner == 0) continue;
        const struct vcg_bid *bid = &market->bids[sales[i].winner - 1];
        unsigned of_group = 0;
        paid += bid->paid;
        assert_true(sales[i].price.micros <= bid->price.micros);
        assert_true(
            price_score((enum price_kind)bid->kind, sales[i].price, bid->multiplier).micros >=
            bid->floor.micros);
        for (unsigned j = 0; j < market->slots; j++) {
            if (sales[j].winner == 0) continue;
            const struct vcg_bid *other = &market->bids[sales[j].winner - 1];
            of_group += other->group == bid->group;
            if (i == j) continue;
            assert_true(other->message != bid->message);
            if (market->limits.separate && bid->category != 0)
                assert_true(other->category != bid->category);
        }
        if (market->limits.groups && bid->group != 0) assert_int_equal(of_group, bid->group_size);
    }
    if (market->limits.paid_max > 0) assert_true(paid <= market->limits.paid_max);
}

static void
test_cut_short(void **state)
{
    (void)state;
    static struct vcg_twin market;
    static struct vcg vcg, again;
    struct random random = {random_seed(SEED)};
    struct vcg_sale sales[BOUND_SLOTS], repeated[BOUND_SLOTS];
    unsigned cut = 0, most[2] = {0};
    for (unsigned i = 0; i < 400; i++) {
        static const uint32_t steps[] = {1, 3, 30, 300, VCG_STEPS};
        struct shape shape = {.slots = 2 + random_below(&random, BOUND_SLOTS - 1),
                              .bids = 100 + random_below(&random, 400),
                              .messages = 10 + random_below(&random, 100),
                              .seats = 2 + random_below(&random, 20),
                              .amounts = i % 2 ? 50 : 1000000,
                              .priorities = i % 4 == 0};
        random_case(&random, &shape, &market);
        memset(sales, 0, sizeof sales), memset(repeated, 0, sizeof repeated);
        sell(&market, &vcg, steps[i % 5], sales);
        check_within(&market, sales);
        sell(&market, &again, steps[i % 5], repeated);
        assert_memory_equal(sales, repeated, sizeof sales);
        cut += vcg.cut_short;
        if (steps[i % 5] != VCG_STEPS) continue;
        unsigned small = shape.slots <= 4;
        if (small) assert_false(vcg.cut_short);
        if (vcg.steps > most[small]) most[small] = vcg.steps;
    }
    printf("%u of 400 cut short; at most %u steps for up to 4 slots, else %u, of %u\n", cut,
           most[1], most[0], VCG_STEPS);
    if (getenv("VENDUE_SEED") == NULL) assert_true(cut > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brute_force),
        cmocka_unit_test(test_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
