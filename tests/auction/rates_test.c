// What is learned: three levels that agree, room that ends, placements of the version before.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../auction/rates.h"
#include "random_market.h"

static struct fact
placed(uint32_t message, enum rung rung, uint8_t cell)
{
    struct fact fact = {.kind = FACT_PLACEMENT};
    fact.placement.message = message;
    fact.placement.rung = (uint8_t)rung;
    fact.placement.cell = cell;
    fact.placement.day = 20000;
    return fact;
}

static void
same(struct learn_counts a, uint64_t delivered, uint64_t responded, uint64_t converted,
     int64_t revenue)
{
    assert_int_equal(a.delivered, delivered);
    assert_int_equal(a.responded, responded);
    assert_int_equal(a.converted, converted);
    assert_int_equal(a.revenue.micros, revenue);
}

static void
test_levels(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct rates rates;
    rates_open(&rates, arena, 2);
    struct fact one = placed(1, RUNG_PREDICTIVE, 7), other = placed(2, RUNG_PREDICTIVE, 7),
                cell = placed(1, RUNG_PREDICTIVE, 95), old = placed(1, RUNG_PREDICTIVE, 0);
    old.placement.day = 0;
    money none = money_of(0);
    for (unsigned i = 0; i < 3; i++) rates_learn(&rates, &one, FACT_DELIVERED, false, none);
    rates_learn(&rates, &one, FACT_ACCEPTED, false, none);
    rates_learn(&rates, &one, FACT_CONVERTED, true, money_of(100));
    rates_learn(&rates, &one, FACT_CONVERTED, false, money_of(20));  // of the same placement
    rates_learn(&rates, &one, FACT_REFUNDED, true, money_of(150));
    rates_learn(&rates, &other, FACT_DELIVERED, false, none);
    rates_learn(&rates, &cell, FACT_DELIVERED, false, none);  // no room for a third pair
    rates_learn(&rates, &old, FACT_DELIVERED, false, none);
    same(rates_of_message(&rates, 1, 7), 3, 1, 1, -30);
    same(rates_of_message(&rates, 2, 7), 1, 0, 0, 0);
    same(rates_of_message(&rates, 1, 95), 0, 0, 0, 0);
    same(rates_of_message(&rates, 1, 0), 0, 0, 0, 0);
    same(rates_of_cell(&rates, RUNG_PREDICTIVE, 7), 4, 1, 1, -30);
    same(rates_of_cell(&rates, RUNG_PREDICTIVE, 95), 1, 0, 0, 0);
    same(rates_of_cell(&rates, RUNG_PREDICTIVE, 0), 0, 0, 0, 0);
    same(rates.rungs[RUNG_PREDICTIVE], 6, 1, 1, -30);
    same(rates.rungs[RUNG_SYNDICATION], 0, 0, 0, 0);
    assert_int_equal(rates.unpaired, 1);
    arena_close(arena);
}

// Sums over messages are the cell's, sums over cells the rung's.
static void
test_sums(void **state)
{
    (void)state;
    struct random random = {random_seed(19)};
    struct arena *arena = arena_open("test");
    struct rates rates;
    rates_open(&rates, arena, 8 * RATES_CELLS);
    static const enum fact_kind kinds[] = {FACT_DELIVERED, FACT_ACCEPTED, FACT_CONVERTED,
                                           FACT_REFUNDED};
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t message = random_below(&random, 8);  // each stays on one rung
        struct fact fact = placed(message, (enum rung)(message / 2),
                                  (uint8_t)random_below(&random, RATES_CELLS));
        rates_learn(&rates, &fact, kinds[random_below(&random, 4)], random_chance(&random, 50),
                    money_of(random_below(&random, 1000)));
    }
    assert_int_equal(rates.unpaired, 0);
    for (unsigned rung = 0; rung < 4; rung++) {
        struct learn_counts cells = {0};
        for (uint32_t cell = 0; cell < RATES_CELLS; cell++) {
            struct learn_counts a = rates_of_message(&rates, 2 * rung, cell),
                                b = rates_of_message(&rates, 2 * rung + 1, cell),
                                both = rates_of_cell(&rates, (enum rung)rung, cell);
            same(both, a.delivered + b.delivered, a.responded + b.responded,
                 a.converted + b.converted, a.revenue.micros + b.revenue.micros);
            cells.delivered += both.delivered;
            cells.responded += both.responded;
            cells.converted += both.converted;
            cells.revenue.micros += both.revenue.micros;
        }
        assert_true(cells.delivered > 500);
        same(rates.rungs[rung], cells.delivered, cells.responded, cells.converted,
             cells.revenue.micros);
    }
    arena_close(arena);
}

static void
test_no_room(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct rates rates;
    rates_open(&rates, arena, 0);
    struct fact one = placed(1, RUNG_GEOGRAPHIC, 7);
    rates_learn(&rates, &one, FACT_DELIVERED, false, money_of(0));
    same(rates_of_message(&rates, 1, 7), 0, 0, 0, 0);
    same(rates_of_cell(&rates, RUNG_GEOGRAPHIC, 7), 1, 0, 0, 0);
    for (unsigned i = 0; i < 9300; i++)  // revenue stays within its range
        rates_learn(&rates, &one, FACT_CONVERTED, true, money_of(BOUND_MICROS));
    assert_true(rates.rungs[0].revenue.micros > INT64_MAX - BOUND_MICROS);
    assert_int_equal(rates.rungs[0].converted, 9300);
    arena_close(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels), cmocka_unit_test(test_sums),
                                       cmocka_unit_test(test_no_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
