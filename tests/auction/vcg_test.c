// Several slots sold together, under the numbers of vcg.c's head comment: cases by hand, then
// random markets against brute force (every assignment tried, every payment from its definition),
// larger ones against the sums over all sets of slots, and the properties that bidders rely on.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "price.h"
#include "random_market.h"
#include "vcg.h"

#define SEED 4711
#define ROWS 512
#define SOLD ((int64_t)1 << 59)

// A market as a matrix: what each message bids for each slot (-1: nothing), and the floors.
struct market_case {
    uint64_t seed;
    unsigned slots, rows;
    uint32_t seats[ROWS];
    int64_t bids[ROWS][BOUND_SLOTS], floors[ROWS][BOUND_SLOTS];
};

static void
sell(const struct market_case *market, struct vcg_sale sales[BOUND_SLOTS])
{
    static struct vcg vcg;
    vcg_open(&vcg, market->seed, market->slots);
    for (unsigned row = 0; row < market->rows; row++) {
        for (unsigned slot = 0; slot < market->slots; slot++) {
            if (market->bids[row][slot] < 0) continue;
            struct vcg_bid bid = {.bid = row + 1,
                                  .seat = market->seats[row],
                                  .message = row,
                                  .slot = (uint8_t)slot,
                                  .price = money_of(market->bids[row][slot]),
                                  .floor = money_of(market->floors[row][slot])};
            assert_int_equal(vcg_add(&vcg, &bid), bid.price.micros >= bid.floor.micros);
        }
    }
    vcg_close(&vcg, sales);
}

// --- Brute force ---------------------------------------------------------------------------------
struct worth {
    int64_t over, rest;  // welfare; slots sold and draws
};

static bool
exceeds(struct worth a, struct worth b)
{
    return a.over != b.over ? a.over > b.over : a.rest > b.rest;
}

static bool
worth_of(const struct market_case *market, unsigned row, unsigned slot, struct worth *out_worth)
{
    int64_t bid = market->bids[row][slot], floor = market->floors[row][slot];
    if (bid < floor) return false;
    uint64_t draw = hash_mix((market->seed + slot) ^ hash_mix(row + 1)) >> 10;
    *out_worth = (struct worth){bid - floor, SOLD - (int64_t)draw};
    return true;
}

struct trial {
    const struct market_case *market;
    unsigned slots;   // set that may be sold
    int64_t without;  // seat that takes no part; -1 none
    unsigned taken;   // rows
    int chosen[BOUND_SLOTS], best[BOUND_SLOTS];
    struct worth most;
};

static void
try_from(struct trial *trial, unsigned slot, struct worth so_far)
{
    const struct market_case *market = trial->market;
    if (slot == market->slots) {
        if (!exceeds(so_far, trial->most)) return;
        trial->most = so_far;
        memcpy(trial->best, trial->chosen, sizeof trial->best);
        return;
    }
    trial->chosen[slot] = -1;
    try_from(trial, slot + 1, so_far);
    if (!(trial->slots >> slot & 1)) return;
    for (unsigned row = 0; row < market->rows; row++) {
        struct worth worth;
        if (trial->taken >> row & 1 || market->seats[row] == trial->without) continue;
        if (!worth_of(market, row, slot, &worth)) continue;
        trial->taken |= 1u << row;
        trial->chosen[slot] = (int)row;
        try_from(trial, slot + 1,
                 (struct worth){so_far.over + worth.over, so_far.rest + worth.rest});
        trial->taken &= ~(1u << row);
    }
    trial->chosen[slot] = -1;
}

static struct trial
try_all(const struct market_case *market, unsigned slots, int64_t without)
{
    struct trial trial = {.market = market, .slots = slots, .without = without, .most = {-1, 0}};
    try_from(&trial, 0, (struct worth){0, 0});
    return trial;
}

static unsigned
slots_of(const struct market_case *market, const int best[BOUND_SLOTS], uint32_t seat)
{
    unsigned won = 0;
    for (unsigned slot = 0; slot < market->slots; slot++)
        if (best[slot] >= 0 && market->seats[best[slot]] == seat) won |= 1u << slot;
    return won;
}

// What a seat's messages are worth to it where they won, and what it pays.
static int64_t
value_less_payment(const struct market_case *true_values, const struct vcg_sale *sales,
                   uint32_t seat)
{
    int64_t gain = 0;
    for (unsigned slot = 0; slot < true_values->slots; slot++) {
        if (sales[slot].winner == 0 || sales[slot].seat != seat) continue;
        gain += true_values->bids[sales[slot].message][slot] - sales[slot].price.micros;
    }
    return gain;
}

static void
compare(const struct market_case *market, uint64_t number)
{
    struct vcg_sale sales[BOUND_SLOTS];
    sell(market, sales);
    unsigned all = (1u << market->slots) - 1;
    struct trial best = try_all(market, all, -1);
    for (unsigned slot = 0; slot < market->slots; slot++) {
        int row = best.best[slot];
        if (sales[slot].winner != (uint64_t)(row + 1))
            fail_msg("market %llu slot %u: bid %llu, brute force %d", (unsigned long long)number,
                     slot, (unsigned long long)sales[slot].winner, row + 1);
        if (row < 0) continue;
        // (5): the seat's later slots are still its own, this one and the earlier ones given back.
        unsigned won = slots_of(market, best.best, market->seats[row]);
        unsigned later = won & ~((2u << slot) - 1);
        struct trial with = try_all(market, all & ~later, market->seats[row]);
        struct trial before = try_all(market, all & ~later & ~(1u << slot), market->seats[row]);
        int64_t price = market->floors[row][slot] + with.most.over - before.most.over;
        assert_int_equal(sales[slot].price.micros, price);
        assert_in_range(price, market->floors[row][slot], market->bids[row][slot]);
        if (sales[slot].setter == 0) continue;  // (6)
        unsigned setter = (unsigned)sales[slot].setter - 1;
        assert_true(market->seats[setter] != market->seats[row]);
        assert_int_equal(market->bids[setter][slot], price);
        assert_true(price > market->floors[row][slot]);
    }
    // (4): in all, each seat pays what the others lose by it.
    for (uint32_t seat = 0; seat < 6; seat++) {
        unsigned won = slots_of(market, best.best, seat);
        int64_t pays = 0, others = 0;
        for (unsigned slot = 0; slot < market->slots; slot++) {
            if (best.best[slot] < 0) continue;
            struct worth worth;
            assert_true(worth_of(market, (unsigned)best.best[slot], slot, &worth));
            if (won >> slot & 1) pays += sales[slot].price.micros - sales[slot].floor.micros;
            else others += worth.over;
        }
        if (won != 0) assert_int_equal(pays, try_all(market, all, seat).most.over - others);
    }
}

// Few different amounts make many ties.
static void
random_case(struct random *random, unsigned most_slots, unsigned most_rows, uint32_t seats,
            uint32_t amounts, struct market_case *out)
{
    out->seed = random_next(random);
    out->slots = 1 + random_below(random, most_slots);
    out->rows = random_below(random, most_rows + 1);
    bool own_floors = random_chance(random, 30);
    int64_t floors[BOUND_SLOTS];
    for (unsigned slot = 0; slot < out->slots; slot++)
        floors[slot] = random_below(random, amounts / 2 + 1);
    for (unsigned row = 0; row < out->rows; row++) {
        out->seats[row] = random_below(random, seats);
        for (unsigned slot = 0; slot < out->slots; slot++) {
            out->floors[row][slot] = own_floors ? random_below(random, amounts / 2 + 1)
                                                : floors[slot];
            out->bids[row][slot] = random_chance(random, 20)
                                       ? -1
                                       : (int64_t)random_below(random, amounts);
        }
    }
}

static void
test_brute_force(void **state)
{
    (void)state;
    static struct market_case market;
    static const uint32_t amounts[] = {3, 10, 1000000};
    struct random random = {random_seed(SEED)};
    for (uint64_t i = 0; i < 12000; i++) {
        random_case(&random, 4, 6, 1 + random_below(&random, 6), amounts[i % 3], &market);
        compare(&market, i);
    }
    // More messages than are kept of a slot: what is left out must not matter.
    for (uint64_t i = 0; i < 1500; i++) {
        random_case(&random, 2, 16, 1 + random_below(&random, 6), amounts[i % 3], &market);
        compare(&market, 12000 + i);
    }
    for (uint64_t i = 0; i < 60; i++) {
        random_case(&random, 3, 14, 1 + random_below(&random, 4), amounts[i % 3], &market);
        compare(&market, 13500 + i);
    }
}

// --- Up to 12 slots: the best of every set of slots, message by message --------------------------
static int64_t totals[1u << BOUND_SLOTS];

static void
best_of_sets(const struct market_case *market, int64_t without)
{
    memset(totals, 0, sizeof totals);
    for (unsigned row = 0; row < market->rows; row++) {
        if (market->seats[row] == without) continue;
        for (unsigned set = (1u << market->slots) - 1; set > 0; set--) {
            for (unsigned slot = 0; slot < market->slots; slot++) {
                if (!(set >> slot & 1) || market->bids[row][slot] < market->floors[row][slot])
                    continue;
                int64_t with = totals[set & ~(1u << slot)] + market->bids[row][slot] -
                               market->floors[row][slot];
                if (with > totals[set]) totals[set] = with;
            }
        }
    }
}

static void
compare_large(const struct market_case *market)
{
    struct vcg_sale sales[BOUND_SLOTS];
    sell(market, sales);
    int64_t welfare = 0;
    unsigned all = (1u << market->slots) - 1;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        if (sales[slot].winner == 0) continue;
        unsigned row = sales[slot].message;
        welfare += market->bids[row][slot] - market->floors[row][slot];
        for (unsigned other = 0; other < slot; other++)
            if (sales[other].winner != 0) assert_true(sales[other].message != row);
    }
    best_of_sets(market, -1);
    assert_int_equal(welfare, totals[all]);
    for (unsigned slot = 0; slot < market->slots; slot++) {
        if (sales[slot].winner == 0) continue;
        unsigned later = 0;
        for (unsigned other = slot + 1; other < market->slots; other++)
            if (sales[other].winner != 0 && sales[other].seat == sales[slot].seat)
                later |= 1u << other;
        best_of_sets(market, sales[slot].seat);
        assert_int_equal(sales[slot].price.micros - sales[slot].floor.micros,
                         totals[all & ~later] - totals[all & ~later & ~(1u << slot)]);
    }
}

static void
test_full_size(void **state)
{
    (void)state;
    static struct market_case market;
    struct random random = {random_seed(SEED)};
    for (unsigned i = 0; i < 4; i++) {
        static const uint32_t seats[] = {40, 3, 1, 6}, amounts[] = {50, 1000000, 20, 3};
        do random_case(&random, BOUND_SLOTS, 60, seats[i], amounts[i], &market);
        while (market.slots < 10);
        compare_large(&market);
    }
    // 512 messages for 8 slots, the largest amounts.
    do random_case(&random, 8, ROWS, 30, 1000, &market);
    while (market.slots < 8 || market.rows < 400);
    for (unsigned row = 0; row < market.rows; row++)
        for (unsigned slot = 0; slot < market.slots; slot++)
            if (market.bids[row][slot] >= 0)
                market.bids[row][slot] = BOUND_MICROS - market.bids[row][slot];
    compare_large(&market);
}

// --- Properties ----------------------------------------------------------------------------------
static void
test_truth_pays(void **state)
{
    (void)state;
    static struct market_case truth, lie;
    struct random random = {random_seed(SEED)};
    unsigned lies = 0;
    for (unsigned i = 0; i < 20000; i++) {
        random_case(&random, 4, 10, 1 + random_below(&random, 6), i % 2 ? 8 : 1000, &truth);
        if (truth.rows == 0) continue;
        uint32_t seat = truth.seats[random_below(&random, truth.rows)];
        struct vcg_sale honest[BOUND_SLOTS], bent[BOUND_SLOTS];
        sell(&truth, honest);
        for (unsigned turn = 0; turn < 5; turn++) {
            lie = truth;
            for (unsigned row = 0; row < lie.rows; row++)
                for (unsigned slot = 0; slot < lie.slots; slot++)
                    if (lie.seats[row] == seat && lie.bids[row][slot] >= 0 &&
                        random_chance(&random, 60))
                        lie.bids[row][slot] = random_below(&random, i % 2 ? 10 : 1200);
            sell(&lie, bent);
            assert_true(value_less_payment(&truth, bent, seat) <=
                        value_less_payment(&truth, honest, seat));
            lies++;
        }
    }
    assert_true(lies > 50000);
}

// The order in which bids come changes nothing; nor do a seat's own losing bids change what it
// pays.
static void
test_order_and_own_bids(void **state)
{
    (void)state;
    static struct market_case market, shuffled;
    struct random random = {random_seed(SEED)};
    for (unsigned i = 0; i < 3000; i++) {
        random_case(&random, 4, 20, 1 + random_below(&random, 6), 6, &market);
        static struct vcg one, other;
        struct vcg_bid bids[80];
        unsigned count = 0;
        for (unsigned row = 0; row < market.rows; row++)
            for (unsigned slot = 0; slot < market.slots; slot++)
                if (market.bids[row][slot] >= 0)
                    bids[count++] = (struct vcg_bid){.bid = row * 4 + slot + 1,
                                                     .message = row / 2,  // two bids of one message
                                                     .slot = (uint8_t)slot,
                                                     .price = {market.bids[row][slot]},
                                                     .floor = {market.floors[row][slot]}};
        for (unsigned b = 0; b < count; b++) bids[b].seat = bids[b].message % 5;
        struct vcg_sale first[BOUND_SLOTS], second[BOUND_SLOTS];
        memset(first, 0, sizeof first), memset(second, 0, sizeof second);
        vcg_open(&one, market.seed, market.slots);
        for (unsigned b = 0; b < count; b++) (void)vcg_add(&one, &bids[b]);
        vcg_close(&one, first);
        for (unsigned b = count; b > 1; b--) {
            unsigned with = random_below(&random, b);
            struct vcg_bid kept = bids[b - 1];
            bids[b - 1] = bids[with];
            bids[with] = kept;
        }
        vcg_open(&other, market.seed, market.slots);
        for (unsigned b = 0; b < count; b++) (void)vcg_add(&other, &bids[b]);
        vcg_close(&other, second);
        assert_memory_equal(first, second, sizeof first);

        shuffled = market;
        struct vcg_sale before[BOUND_SLOTS], after[BOUND_SLOTS];
        sell(&market, before);
        if (market.rows == 0 || before[0].winner == 0) continue;
        for (unsigned row = 0; row < market.rows; row++) {  // its losing messages withdraw
            bool won = false;
            for (unsigned slot = 0; slot < market.slots; slot++)
                won = won || before[slot].winner == row + 1;
            for (unsigned slot = 0; slot < market.slots && !won; slot++)
                if (market.seats[row] == before[0].seat) shuffled.bids[row][slot] = -1;
        }
        sell(&shuffled, after);
        for (unsigned slot = 0; slot < market.slots; slot++) {
            if (before[slot].seat != before[0].seat || before[slot].winner == 0) continue;
            assert_int_equal(after[slot].winner, before[slot].winner);
            assert_int_equal(after[slot].price.micros, before[slot].price.micros);
        }
    }
}

// With one slot and one floor it is the auction of price.c, tie-break and setter's amount included.
static void
test_one_slot_is_the_second_price(void **state)
{
    (void)state;
    static struct market_case market;
    struct random random = {random_seed(SEED)};
    for (unsigned i = 0; i < 5000; i++) {
        random_case(&random, 1, 12, 1 + random_below(&random, 6), 6, &market);
        struct price_bid bids[12];
        size_t count = 0;
        for (unsigned row = 0; row < market.rows; row++) {
            market.floors[row][0] = market.floors[0][0];
            if (market.bids[row][0] >= 0)
                bids[count++] = (struct price_bid){.bid = row + 1,
                                                   .seat = market.seats[row],
                                                   .price = {market.bids[row][0]},
                                                   .floor = {market.floors[row][0]}};
        }
        struct vcg_sale together[BOUND_SLOTS];
        struct price_sale alone;
        sell(&market, together);
        price_clear(bids, count, market.seed, &alone);
        assert_int_equal(together[0].winner, alone.winner);
        assert_int_equal(together[0].price.micros, alone.price.micros);
        assert_int_equal(together[0].counted, alone.counted);
        assert_int_equal(together[0].setter == 0, alone.setter == 0);
    }
}

// Once settled, cheaper bids change nothing.
static void
test_settled(void **state)
{
    (void)state;
    static struct vcg vcg;
    unsigned stopped = 0;
    for (unsigned i = 0; i < 500; i++) {
        struct vcg_sale whole[BOUND_SLOTS], part[BOUND_SLOTS];
        for (unsigned early = 0; early < 2; early++) {
            struct random bids = {i};
            vcg_open(&vcg, i, 3);
            unsigned given = 0;
            for (unsigned slot = 0; slot < 3; slot++) {
                int64_t price = 400;
                for (uint32_t b = 0; b < 100; b++, price -= random_below(&bids, 4)) {
                    int64_t floor = 20 + random_below(&bids, 30);
                    if (early && vcg_settled(&vcg, slot, money_of(price), money_of(20))) continue;
                    given++;
                    (void)vcg_add(&vcg, &(struct vcg_bid){.bid = 1 + b + 100 * slot,
                                                          .seat = b / 2 % 7,
                                                          .message = b / 2,
                                                          .slot = (uint8_t)slot,
                                                          .price = {price},
                                                          .floor = {floor}});
                }
            }
            stopped += early && given < 300;
            vcg_close(&vcg, early ? part : whole);
        }
        for (unsigned slot = 0; slot < 3; slot++) {
            assert_int_equal(whole[slot].winner, part[slot].winner);
            assert_int_equal(whole[slot].price.micros, part[slot].price.micros);
        }
    }
    assert_int_equal(stopped, 500);
}

// --- Cases by hand -------------------------------------------------------------------------------
struct hand_case {
    const char *rule;
    unsigned slots, rows;
    uint32_t seats[4];
    int64_t bids[4][3], floors[3];
    uint64_t winners[3], setters[3];
    int64_t prices[3];
};
static const struct hand_case cases[] = {
    {"no bids", 2, 0, {0}, {{0}}, {1, 1}, {0}, {0}, {0}},
    {"1 below the floor, at the floor", 2, 1, {1}, {{4, 5}}, {5, 5}, {0, 1}, {0}, {0, 5}},
    {"2 a message takes one slot", 2, 1, {1}, {{9, 8}}, {2, 2}, {1, 0}, {0}, {2, 0}},
    {"2 the host keeps what nobody pays for", 2, 1, {1}, {{9, 8}}, {7, 2}, {0, 1}, {0}, {0, 2}},
    {"3 the largest welfare, not the dearest bid first",
     2,
     2,
     {1, 2},
     {{10, 9}, {8, 1}},
     {0, 0},
     {2, 1},
     {0},
     {1, 0}},
    {"4 one bid more for each slot sets the price",
     2,
     3,
     {1, 2, 3},
     {{10, 0}, {0, 8}, {6, 5}},
     {0, 0},
     {1, 2},
     {3, 3},
     {6, 5}},
    {"5 two messages of one seat against one other",
     2,
     3,
     {1, 1, 2},
     {{10, 6}, {9, 8}, {7, 5}},
     {0, 0},
     {1, 2},
     {3, 0},
     {7, 0}},
    {"5 and with floors",
     2,
     3,
     {1, 1, 2},
     {{10, 6}, {9, 8}, {7, 5}},
     {2, 1},
     {1, 2},
     {3, 0},
     {7, 1}},
    {"6 a sum of differences has no setter",
     3,
     3,
     {1, 2, 3},
     {{30, 15, 6}, {20, 10, 4}, {10, 5, 2}},
     {0, 0, 0},
     {1, 2, 3},
     {0, 0, 0},
     {13, 3, 0}},
};

static void
test_cases(void **state)
{
    (void)state;
    static struct market_case market;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct hand_case *one = &cases[i];
        market.seed = 0;
        market.slots = one->slots;
        market.rows = one->rows;
        for (unsigned row = 0; row < one->rows; row++) {
            market.seats[row] = one->seats[row];
            for (unsigned slot = 0; slot < one->slots; slot++) {
                market.bids[row][slot] = one->bids[row][slot];
                market.floors[row][slot] = one->floors[slot];
            }
        }
        struct vcg_sale sales[BOUND_SLOTS];
        sell(&market, sales);
        for (unsigned slot = 0; slot < one->slots; slot++)
            if (sales[slot].winner != one->winners[slot] ||
                sales[slot].price.micros != one->prices[slot] ||
                sales[slot].setter != one->setters[slot])
                fail_msg("%s: slot %u bid %llu at %lld, set by %llu", one->rule, slot + 1,
                         (unsigned long long)sales[slot].winner,
                         (long long)sales[slot].price.micros,
                         (unsigned long long)sales[slot].setter);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_brute_force),
        cmocka_unit_test(test_full_size),
        cmocka_unit_test(test_truth_pays),
        cmocka_unit_test(test_order_and_own_bids),
        cmocka_unit_test(test_one_slot_is_the_second_price),
        cmocka_unit_test(test_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
