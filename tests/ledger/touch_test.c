// Tests of touch.c: chains of a customer, and the touches among them that count.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "../../ledger/touch.h"
#include "seed.h"

static void
chains_hold_what_was_put_newest_first(void **state)
{
    (void)state;
    enum { CUSTOMERS = 50, NUMBERS = 20000 };
    static uint32_t put[CUSTOMERS][NUMBERS];
    static unsigned counts[CUSTOMERS];
    struct touch_chain chain = {.room = 0};
    const struct id none = {{0}};
    uint64_t seed = seed_fresh();
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < CUSTOMERS; i++) counts[i] = 0;
        for (uint32_t number = 0; number < NUMBERS; number++) {
            seed += 0x9e3779b97f4a7c15u;
            unsigned customer = (unsigned)(hash_mix(seed) % CUSTOMERS);
            touch_chain_put(&chain, touch_key(customer + 1, none), number);
            put[customer][counts[customer]++] = number;
        }
        for (unsigned i = 0; i < CUSTOMERS; i++) {
            uint32_t at = touch_chain_first(&chain, touch_key(i + 1, none));
            for (unsigned k = counts[i]; k > 0; k--, at = touch_chain_next(&chain, at)) {
                assert_int_equal(at, put[i][k - 1]);
            }
            assert_int_equal(at, IDMAP_NONE);
        }
        assert_int_equal(touch_chain_first(&chain, touch_key(CUSTOMERS + 1, none)), IDMAP_NONE);
        touch_chain_clear(&chain);
        assert_int_equal(touch_chain_first(&chain, touch_key(1, none)), IDMAP_NONE);
    }
    touch_chain_fini(&chain);
}

static void
an_anonymous_placement_stands_for_itself(void **state)
{
    (void)state;
    struct id a = {{1}}, b = {{2}};
    assert_true(id_same(touch_key(0, a), a));
    assert_false(id_same(touch_key(0, a), touch_key(0, b)));
    assert_true(id_same(touch_key(7, a), touch_key(7, b)));
    assert_false(id_same(touch_key(7, a), touch_key(8, a)));
}

static void
touches_that_count_are_gathered(void **state)
{
    (void)state;
    struct market_attribution terms = {.delivered_us = USEC_DAY, .accepted_us = 5 * USEC_DAY};
    for (unsigned i = 0; i < CHANNEL_COUNT; i++) terms.channel_us[i] = -1;
    terms.channel_us[CHANNEL_CALL] = 9 * USEC_DAY;
    assert_int_equal(touch_widest(&terms), 9 * USEC_DAY);
    enum { COUNT = 300 };
    static struct posting_win wins[COUNT];
    struct touch_chain chain = {.room = 0};
    struct touch *touches = NULL;
    size_t room = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        wins[i] = (struct posting_win){.placement = {{(uint8_t)i, (uint8_t)(i >> 8)}},
                                       .customer = 1 + i % 2,
                                       .seat = i,
                                       .channel = CHANNEL_BILL};
        // Every third was never shown; every fifth too long ago.
        if (i % 3) wins[i].delivered_at.us = (i % 5 ? 100 : 98) * USEC_DAY;
        touch_chain_put(&chain, touch_key(wins[i].customer, wins[i].placement), i);
    }
    size_t found = touch_gather(&chain, wins, touch_key(1, wins[0].placement), &terms,
                                (usec){100 * USEC_DAY}, &touches, &room);
    unsigned expected = 0;
    for (unsigned i = 0; i < COUNT; i++) expected += i % 2 == 0 && i % 3 && i % 5;
    assert_int_equal(found, expected);
    for (size_t i = 0; i < found; i++) {
        assert_true(touches[i].seat % 2 == 0 && touches[i].seat % 3 && touches[i].seat % 5);
    }
    free(touches);
    touch_chain_fini(&chain);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_hold_what_was_put_newest_first),
        cmocka_unit_test(an_anonymous_placement_stands_for_itself),
        cmocka_unit_test(touches_that_count_are_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
