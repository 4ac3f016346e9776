// The rule of the price, under the numbers of price.c's head comment; then its properties on random
// bids.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "hash.h"
#include "price.h"
#include "random_market.h"

#define SEED 4711

struct table_case {
    const char *rule;
    struct price_bid bids[6];
    uint64_t winner, setter;
    int64_t price;
};
// {bid id, seat, price, floor}
static const struct table_case cases[] = {
    {"no bids: no sale", {{0}}, 0, 0, 0},
    {"1 below its floor takes no part", {{1, 1, {99}, {100}}}, 0, 0, 0},
    {"1 at its floor it does", {{1, 1, {100}, {100}}}, 1, 0, 100},
    {"1 floors are each bid's own",
     {{1, 1, {300}, {301}}, {2, 2, {200}, {50}}, {3, 3, {150}, {50}}},
     2,
     3,
     150},
    {"2 the higher price", {{1, 1, {10}, {0}}, {2, 2, {11}, {0}}}, 2, 1, 10},
    {"5 one bid pays its floor", {{1, 1, {10}, {4}}}, 1, 0, 4},
    {"6 its own lower bid sets nothing", {{1, 1, {10}, {4}}, {2, 1, {9}, {4}}}, 1, 0, 4},
    {"6 nor between two others",
     {{1, 1, {10}, {1}}, {2, 1, {9}, {1}}, {3, 2, {5}, {1}}, {4, 1, {8}, {1}}},
     1,
     3,
     5},
    {"6 among equal setters the lower id",
     {{1, 1, {10}, {1}}, {9, 3, {5}, {1}}, {4, 2, {5}, {1}}},
     1,
     4,
     5},
    {"6 a bid below its own floor sets nothing",
     {{1, 1, {10}, {1}}, {2, 2, {9}, {20}}, {3, 3, {5}, {1}}},
     1,
     3,
     5},
    {"7 the winner's floor above the setter", {{1, 1, {10}, {8}}, {2, 2, {7}, {1}}}, 1, 0, 8},
    {"7 equal: the floor set it", {{1, 1, {10}, {7}}, {2, 2, {7}, {1}}}, 1, 0, 7},
    {"7 the setter's floor does not count", {{1, 1, {10}, {1}}, {2, 2, {7}, {6}}}, 1, 2, 7},
};

static size_t
count_of(const struct price_bid *bids, size_t most)
{
    size_t count = 0;
    while (count < most && bids[count].bid != 0) count++;
    return count;
}

static void
test_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct price_sale sale;
        price_clear(cases[i].bids, count_of(cases[i].bids, 6), SEED, &sale);
        if (sale.winner != cases[i].winner || sale.setter != cases[i].setter ||
            sale.price.micros != cases[i].price)
            fail_msg("%s: bid %llu at %lld, set by %llu", cases[i].rule,
                     (unsigned long long)sale.winner, (long long)sale.price.micros,
                     (unsigned long long)sale.setter);
    }
}

// (3) Ties fall by the draw of seed and id: reproducible, and fair over many contacts. (6) A tie
//     between
// seats clears at the tied bid; among bids of one seat it does not.
static void
test_ties(void **state)
{
    (void)state;
    const struct price_bid bids[3] = {{11, 1, {7}, {0}}, {12, 2, {7}, {0}}, {13, 3, {3}, {0}}};
    unsigned first = 0;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        struct price_sale sale;
        price_clear(bids, 3, hash_mix(seed), &sale);
        assert_true(sale.winner == 11 || sale.winner == 12);
        assert_int_equal(sale.price.micros, 7);
        assert_int_equal(sale.setter, sale.winner == 11 ? 12 : 11);
        bool drawn = hash_mix(hash_mix(seed) ^ hash_mix(11)) <
                     hash_mix(hash_mix(seed) ^ hash_mix(12));
        assert_int_equal(sale.winner, drawn ? 11 : 12);
        first += sale.winner == 11;
    }
    assert_in_range(first, 1850, 2150);
    const struct price_bid own[3] = {{11, 1, {7}, {0}}, {12, 1, {7}, {0}}, {13, 3, {3}, {0}}};
    struct price_sale sale;
    price_clear(own, 3, SEED, &sale);
    assert_int_equal(sale.price.micros, 3);
}

static size_t
random_bids(struct random *random, struct price_bid bids[12], uint32_t prices)
{
    size_t count = random_below(random, 13);
    for (size_t i = 0; i < count; i++) {
        bids[i] = (struct price_bid){
            .bid = i + 1,
            .seat = random_below(random, 5),
            .price = money_of(1 + random_below(random, prices)),
            .floor = money_of(random_below(random, prices / 2 + 1)),
        };
    }
    return count;
}

static bool
same_sale(const struct price_sale *a, const struct price_sale *b)
{
    return a->winner == b->winner && a->price.micros == b->price.micros && a->setter == b->setter &&
           a->floor.micros == b->floor.micros;
}

// The order in which bids come does not matter; and dearest first, the search may stop when
// settled.
static void
test_order(void **state)
{
    (void)state;
    struct random random = {random_seed(99)};
    for (unsigned round = 0; round < 20000; round++) {
        struct price_bid bids[12];
        size_t count = random_bids(&random, bids, round % 2 ? 6 : 1000);
        struct price_sale sale, other;
        price_clear(bids, count, round, &sale);
        for (size_t i = count; i > 1; i--) {  // shuffled
            size_t with = random_below(&random, (uint32_t)i);
            struct price_bid swap = bids[i - 1];
            bids[i - 1] = bids[with];
            bids[with] = swap;
        }
        price_clear(bids, count, round, &other);
        assert_true(same_sale(&sale, &other) && sale.counted == other.counted);
        for (size_t i = 1; i < count; i++) {  // dearest first, then lower id
            for (size_t j = i; j > 0; j--) {
                bool before = bids[j].price.micros > bids[j - 1].price.micros ||
                              (bids[j].price.micros == bids[j - 1].price.micros &&
                               bids[j].bid < bids[j - 1].bid);
                if (!before) break;
                struct price_bid swap = bids[j];
                bids[j] = bids[j - 1];
                bids[j - 1] = swap;
            }
        }
        struct price price;
        price_open(&price, round);
        for (size_t i = 0; i < count && !price_settled(&price, bids[i].price); i++)
            (void)price_add(&price, &bids[i]);
        price_close(&price, &other);
        assert_true(same_sale(&sale, &other));
    }
}

// floor <= price <= bid; own bids never matter: without the winner's other bids the sale is the
// same.
static void
test_bounds(void **state)
{
    (void)state;
    struct random random = {random_seed(5)};
    for (unsigned round = 0; round < 20000; round++) {
        struct price_bid bids[12], left[12];
        size_t count = random_bids(&random, bids, 20), kept = 0;
        struct price_sale sale, alone;
        price_clear(bids, count, round, &sale);
        if (sale.winner == 0) continue;
        const struct price_bid *winner = &bids[sale.winner - 1];
        assert_true(winner->floor.micros <= sale.price.micros &&
                    sale.price.micros <= winner->price.micros);
        for (size_t i = 0; i < count; i++) {
            if (bids[i].seat != winner->seat || bids[i].bid == winner->bid) left[kept++] = bids[i];
        }
        price_clear(left, kept, round, &alone);
        assert_true(same_sale(&sale, &alone));
    }
}

// Whatever the others bid, no bid and no pair of bids earns a seat more than bidding its value
// once.
static void
test_truthful(void **state)
{
    (void)state;
    struct random random = {random_seed(1961)};
    for (unsigned round = 0; round < 4000; round++) {
        struct price_bid bids[14];
        size_t others = random_bids(&random, bids, 15);
        for (size_t i = 0; i < others; i++) bids[i].seat++;  // seat 0 is the one that tries
        int64_t value = 1 + random_below(&random, 16), floor = random_below(&random, 10);
        struct price_sale sale;
        bids[others] = (struct price_bid){100, 0, {value}, {floor}};
        price_clear(bids, others + 1, round, &sale);
        int64_t honest = sale.winner == 100 ? value - sale.price.micros : 0;
        assert_true(honest >= 0);
        for (int64_t lie = 1; lie <= 17; lie++) {
            for (int64_t second = 0; second <= 17; second += 4) {
                size_t count = others;
                bids[count++] = (struct price_bid){100, 0, {lie}, {floor}};
                if (second > 0) bids[count++] = (struct price_bid){101, 0, {second}, {floor}};
                price_clear(bids, count, round, &sale);
                int64_t gain = sale.winner >= 100 ? value - sale.price.micros : 0;
                assert_true(gain <= honest);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule),     cmocka_unit_test(test_ties),
        cmocka_unit_test(test_order),    cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_truthful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
