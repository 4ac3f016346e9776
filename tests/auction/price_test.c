// The rule of the price, under the numbers of price.c's head comment; then its properties on random
// bids.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "hash.h"
#include "learn.h"
#include "market.h"
#include "price.h"
#include "random_market.h"

#define SEED 4711
#define BID(id, of, most, least)                                       \
    {                                                                  \
        .bid = (id), .seat = (of), .price = {most}, .floor = { least } \
    }  // per placement

struct table_case {
    const char *rule;
    struct price_bid bids[6];
    uint64_t winner, setter;
    int64_t price;
};
// Per response: expected in so many of eight. A share: of so much revenue.
#define PRIOR(id, of, most, least, ahead)                                                 \
    {                                                                                     \
        .bid = (id), .seat = (of), .price = {most}, .floor = {least}, .priority = (ahead) \
    }
#define ANSWER(id, of, most, eighths, least)                                                  \
    {                                                                                         \
        .bid = (id), .seat = (of), .kind = PRICE_RESPONSE, .price = {most}, .floor = {least}, \
        .multiplier = LEARN_ONE / 8 * (eighths)                                               \
    }
#define PART(id, of, most, revenue, least)                                                 \
    {                                                                                      \
        .bid = (id), .seat = (of), .kind = PRICE_SHARE, .price = {most}, .floor = {least}, \
        .multiplier = (revenue)                                                            \
    }
#define DEAL(id, of, most, least, how)                                            \
    {                                                                             \
        .bid = (id), .seat = (of), .price = {most}, .floor = {least}, .at = (how) \
    }
static const struct table_case cases[] = {
    {"no bids: no sale", {{0}}, 0, 0, 0},
    {"2 below its floor takes no part", {BID(1, 1, 99, 100)}, 0, 0, 0},
    {"2 at its floor it does", {BID(1, 1, 100, 100)}, 1, 0, 100},
    {"2 floors are each bid's own",
     {BID(1, 1, 300, 301), BID(2, 2, 200, 50), BID(3, 3, 150, 50)},
     2,
     3,
     150},
    {"4 the higher price", {BID(1, 1, 10, 0), BID(2, 2, 11, 0)}, 2, 1, 10},
    {"7 one bid pays its floor", {BID(1, 1, 10, 4)}, 1, 0, 4},
    {"8 its own lower bid sets nothing", {BID(1, 1, 10, 4), BID(2, 1, 9, 4)}, 1, 0, 4},
    {"8 nor between two others",
     {BID(1, 1, 10, 1), BID(2, 1, 9, 1), BID(3, 2, 5, 1), BID(4, 1, 8, 1)},
     1,
     3,
     5},
    {"8 among equal setters the lower id",
     {BID(1, 1, 10, 1), BID(9, 3, 5, 1), BID(4, 2, 5, 1)},
     1,
     4,
     5},
    {"8 a bid below its own floor sets nothing",
     {BID(1, 1, 10, 1), BID(2, 2, 9, 20), BID(3, 3, 5, 1)},
     1,
     3,
     5},
    {"9 the winner's floor above the setter", {BID(1, 1, 10, 8), BID(2, 2, 7, 1)}, 1, 0, 8},
    {"9 equal: the floor set it", {BID(1, 1, 10, 7), BID(2, 2, 7, 1)}, 1, 0, 7},
    {"9 the setter's floor does not count", {BID(1, 1, 10, 1), BID(2, 2, 7, 6)}, 1, 2, 7},
    {"3 priority before price", {PRIOR(1, 1, 10, 1, 1), BID(2, 2, 90, 0)}, 1, 0, 1},
    {"3 the higher priority", {PRIOR(1, 1, 10, 1, 2), PRIOR(2, 2, 90, 0, 7)}, 2, 0, 0},
    {"8 bids of the same priority set the price",
     {PRIOR(1, 1, 10, 1, 2), PRIOR(2, 2, 6, 0, 2), BID(3, 3, 50, 0)},
     1,
     2,
     6},
    {"8 never those of a lower one",
     {PRIOR(1, 1, 10, 1, 2), PRIOR(2, 1, 8, 1, 2), PRIOR(3, 3, 9, 0, 1)},
     1,
     0,
     1},
    {"4 a response is worth its rate", {ANSWER(1, 1, 80, 1, 0), BID(2, 2, 11, 0)}, 2, 1, 10},
    {"9 in its own kind", {ANSWER(1, 1, 80, 1, 0), BID(2, 2, 9, 0)}, 1, 2, 72},
    {"9 rounded up", {ANSWER(1, 1, 80, 3, 0), BID(2, 2, 20, 0)}, 1, 2, 54},
    {"9 a response pays its floor", {ANSWER(1, 1, 80, 1, 5)}, 1, 0, 40},
    {"2 a response below its floor", {ANSWER(1, 1, 80, 1, 11)}, 0, 0, 0},
    {"4 a share is worth its part", {PART(1, 1, 100000, 90, 0), BID(2, 2, 10, 0)}, 2, 1, 9},
    {"9 a share in millionths", {PART(1, 1, 100000, 90, 0), BID(2, 2, 3, 0)}, 1, 2, 33334},
    {"9 a share against a response",
     {PART(1, 1, 100000, 90, 0), ANSWER(2, 2, 64, 1, 0)},
     1,
     2,
     88889},
    {"9 a share pays its floor", {PART(1, 1, 100000, 90, 1)}, 1, 0, 11112},
    {"4 compared before rounding",  // 1.875 before 1.75, which are both shown as 1
     {ANSWER(1, 1, 15, 1, 0), ANSWER(2, 2, 14, 1, 0)},
     1,
     2,
     14},
    {"4 nothing is expected of it", {ANSWER(1, 1, 100, 0, 0), BID(2, 2, 1, 0)}, 2, 0, 0},
    {"10 first price", {DEAL(1, 1, 10, 2, DEAL_FIRST_PRICE), BID(2, 2, 7, 0)}, 1, 0, 10},
    {"10 fixed price", {DEAL(1, 1, 10, 2, DEAL_FIXED), BID(2, 2, 7, 0)}, 1, 0, 2},
    {"8 a deal's bid sets the price", {DEAL(1, 1, 10, 2, DEAL_FIXED), BID(2, 2, 17, 0)}, 2, 1, 10},
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

// (5) Ties fall by the draw of seed and id: reproducible, and fair over many contacts. (8) A tie
//     between
// seats clears at the tied bid; among bids of one seat it does not.
static void
test_ties(void **state)
{
    (void)state;
    const struct price_bid bids[3] = {BID(11, 1, 7, 0), BID(12, 2, 7, 0), BID(13, 3, 3, 0)};
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
    const struct price_bid own[3] = {BID(11, 1, 7, 0), BID(12, 1, 7, 0), BID(13, 3, 3, 0)};
    struct price_sale sale;
    price_clear(own, 3, SEED, &sale);
    assert_int_equal(sale.price.micros, 3);
}

// One bid of any kind, whose price on its own scale is 1 to `prices`.
static struct price_bid
random_bid(struct random *random, uint64_t id, uint32_t seats, uint32_t prices, bool kinds)
{
    struct price_bid bid = BID(id, random_below(random, seats), 1 + random_below(random, prices),
                               random_below(random, prices / 2 + 1));
    if (!kinds) return bid;
    bid.kind = (uint8_t)random_below(random, PRICE_KIND_COUNT);
    if (bid.kind == PRICE_RESPONSE) bid.multiplier = 1 + random_next(random) % LEARN_ONE;
    if (bid.kind == PRICE_SHARE) bid.multiplier = random_below(random, 2000000);
    if (random_chance(random, 20)) bid.priority = (uint8_t)random_below(random, 3);
    if (random_chance(random, 10)) bid.at = (uint8_t)random_below(random, DEAL_AT_COUNT);
    return bid;
}

static size_t
random_bids(struct random *random, struct price_bid bids[12], uint32_t prices, bool kinds)
{
    size_t count = random_below(random, 13);
    for (size_t i = 0; i < count; i++) bids[i] = random_bid(random, i + 1, 5, prices, kinds);
    return count;
}

__extension__ typedef __int128 wide;

// Expected value in parts of a micro that leave no remainder.
static wide
worth(const struct price_bid *bid, int64_t price)
{
    if (bid->kind == PRICE_RESPONSE) return (wide)price * (int64_t)bid->multiplier * 1000000;
    if (bid->kind == PRICE_SHARE) return (wide)price * (int64_t)bid->multiplier * (1ll << 32);
    return (wide)price * (1ll << 32) * 1000000;
}
#define MICRO ((wide)(1ll << 32) * 1000000)

static bool
ahead(const struct price_bid *a, const struct price_bid *b, uint64_t seed)
{
    wide left = worth(a, a->price.micros), right = worth(b, b->price.micros);
    if (a->priority != b->priority) return a->priority > b->priority;
    if (left != right) return left > right;
    return hash_mix(seed ^ hash_mix(a->bid)) < hash_mix(seed ^ hash_mix(b->bid));
}

// By definition: the least price of the grid with which the winner would still have won.
static int64_t
least_to_win(const struct price_bid *bids, size_t count, const struct price_bid *winner,
             bool against)
{
    for (int64_t price = 0; price <= winner->price.micros; price++) {
        bool wins = worth(winner, price) >= winner->floor.micros * MICRO;
        for (size_t i = 0; i < count && wins && against; i++) {
            const struct price_bid *other = &bids[i];
            if (other->seat != winner->seat && other->priority == winner->priority &&
                worth(other, other->price.micros) >= other->floor.micros * MICRO)
                wins = worth(winner, price) >= worth(other, other->price.micros);
        }
        if (wins) return price;
    }
    fail_msg("a winner that cannot win");
    return 0;
}

// Winner and price of bids of all kinds, priorities and deals against the definition.
static void
test_kinds(void **state)
{
    (void)state;
    struct random random = {random_seed(77)};
    unsigned sales = 0;
    for (unsigned round = 0; round < 20000; round++) {
        struct price_bid bids[12];
        const struct price_bid *winner = NULL;
        size_t count = random_bids(&random, bids, round % 2 ? 6 : 60, true);
        struct price_sale sale;
        price_clear(bids, count, round, &sale);
        for (size_t i = 0; i < count; i++) {
            if (worth(&bids[i], bids[i].price.micros) < bids[i].floor.micros * MICRO) continue;
            if (winner == NULL || ahead(&bids[i], winner, round)) winner = &bids[i];
        }
        assert_true(sale.winner == (winner == NULL ? 0 : winner->bid));
        if (winner == NULL) continue;
        int64_t price = winner->at == DEAL_FIRST_PRICE
                            ? winner->price.micros
                            : least_to_win(bids, count, winner, winner->at != DEAL_FIXED);
        assert_int_equal(sale.price.micros, price);
        assert_true((sale.setter != 0) == (winner->at == DEAL_SECOND_PRICE &&
                                           price > least_to_win(bids, count, winner, false)));
        sales++;
    }
    assert_true(sales > 10000);
}

// The least price that reaches a score does, and one less does not; scores stay in their bounds.
static void
test_reaching(void **state)
{
    (void)state;
    struct random random = {random_seed(8)};
    for (unsigned round = 0; round < 50000; round++) {
        enum price_kind kind = (enum price_kind)random_below(&random, PRICE_KIND_COUNT);
        uint64_t most = kind == PRICE_RESPONSE ? LEARN_ONE : BOUND_MICROS;
        uint64_t multiplier = random_next(&random) % (most + 1) >> random_below(&random, 40);
        int64_t top = kind == PRICE_SHARE ? 1000000 : BOUND_MICROS;
        money score = money_of((int64_t)(random_next(&random) % (BOUND_MICROS + 1)) >>
                               random_below(&random, 50));
        money price = price_reaching(kind, score, multiplier);
        if (price.micros > BOUND_MICROS) {
            assert_true(price_score(kind, money_of(top), multiplier).micros < score.micros);
            continue;
        }
        money reached = price_score(kind, price, multiplier);
        assert_true(price.micros >= 0 && price.micros <= top);
        assert_true(reached.micros >= score.micros && reached.micros <= BOUND_MICROS);
        if (price.micros > 0)
            assert_true(price_score(kind, money_of(price.micros - 1), multiplier).micros <
                        score.micros);
    }
    assert_int_equal(price_score(PRICE_SHARE, money_of(1000000), BOUND_MICROS).micros,
                     BOUND_MICROS);
    assert_int_equal(price_score(PRICE_RESPONSE, money_of(BOUND_MICROS), LEARN_ONE).micros,
                     BOUND_MICROS);
}

static bool
same_sale(const struct price_sale *a, const struct price_sale *b)
{
    return a->winner == b->winner && a->price.micros == b->price.micros && a->setter == b->setter &&
           a->floor.micros == b->floor.micros;
}

static bool
is_ranked(const struct price_bid *bid)
{
    return bid->kind == PRICE_PLACEMENT && bid->priority == 0 && bid->at == DEAL_SECOND_PRICE;
}

static bool
stands_before(const struct price_bid *a, const struct price_bid *b)
{
    return a->price.micros > b->price.micros ||
           (a->price.micros == b->price.micros && a->bid < b->bid);
}

// The order in which bids come does not matter; and dearest first, the search may stop when
// settled.
static void
test_order(void **state)
{
    (void)state;
    struct random random = {random_seed(99)};
    unsigned stopped = 0;
    for (unsigned round = 0; round < 20000; round++) {
        struct price_bid bids[12];
        size_t count = random_bids(&random, bids, round % 2 ? 6 : 1000, round % 4 < 2);
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
        struct price price;
        price_open(&price, round);
        for (size_t i = 0; i < count; i++)  // those whose rank is not their price
            if (!is_ranked(&bids[i])) (void)price_add(&price, &bids[i]);
        struct price_bid ranked[12];
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {  // then the others, dearest first, then lower id
            if (!is_ranked(&bids[i])) continue;
            size_t place = kept++;
            for (; place > 0 && stands_before(&bids[i], &ranked[place - 1]); place--)
                ranked[place] = ranked[place - 1];
            ranked[place] = bids[i];
        }
        for (size_t i = 0; i < kept; i++) {
            if (price_settled(&price, ranked[i].price, ranked[i].bid)) {
                stopped++;
                break;
            }
            (void)price_add(&price, &ranked[i]);
        }
        price_close(&price, &other);
        assert_true(same_sale(&sale, &other));
    }
    assert_true(stopped > 5000);
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
        size_t count = random_bids(&random, bids, 20, round % 2), kept = 0;
        struct price_sale sale, alone;
        price_clear(bids, count, round, &sale);
        if (sale.winner == 0) continue;
        const struct price_bid *winner = &bids[sale.winner - 1];
        enum price_kind kind = (enum price_kind)winner->kind;
        assert_true(sale.price.micros <= winner->price.micros);
        assert_true(price_score(kind, sale.price, winner->multiplier).micros >=
                    winner->floor.micros);
        for (size_t i = 0; i < count; i++) {
            if (bids[i].seat != winner->seat || bids[i].bid == winner->bid) left[kept++] = bids[i];
        }
        price_clear(left, kept, round, &alone);
        assert_true(same_sale(&sale, &alone));
    }
}

// Whatever the others bid, no bid and no pair of bids earns a seat more than bidding its value
// once, in any kind of price.
static void
test_truthful(void **state)
{
    (void)state;
    struct random random = {random_seed(1961)};
    for (unsigned round = 0; round < 6000; round++) {
        struct price_bid bids[14], own = random_bid(&random, 100, 1, 16, round % 3 > 0);
        size_t others = random_bids(&random, bids, 15, round % 3 > 0);
        for (size_t i = 0; i < others; i++) bids[i].seat++;  // seat 0 is the one that tries
        own.at = DEAL_SECOND_PRICE;
        if (own.kind == PRICE_SHARE) own.multiplier = 100000 + random_below(&random, 2000000);
        int64_t value = own.price.micros;
        struct price_sale sale;
        bids[others] = own;
        price_clear(bids, others + 1, round, &sale);
        int64_t honest = sale.winner == 100 ? value - sale.price.micros : 0;
        assert_true(honest >= 0);
        for (int64_t lie = 1; lie <= 17; lie++) {
            for (int64_t second = 0; second <= 17; second += 4) {
                size_t count = others;
                bids[count] = own;
                bids[count++].price = money_of(lie);
                bids[count] = own;
                bids[count].bid = 101;
                bids[count].price = money_of(second);
                if (second > 0) count++;
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
        cmocka_unit_test(test_kinds),    cmocka_unit_test(test_reaching),
        cmocka_unit_test(test_order),    cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_truthful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
