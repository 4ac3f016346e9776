// The probe against a plain list, on random puts and drops with hashes that meet.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../auction/probe.h"
#include "random_market.h"

#define ITEMS 200u

static bool
finds(const struct probe *probe, uint64_t hash, uint32_t item)
{
    uint32_t at = probe_start(probe, hash), found;
    while ((found = probe_next(probe, hash, &at)) != PROBE_NONE)
        if (found == item) return true;
    return false;
}

static void
test_random(void **state)
{
    (void)state;
    struct random random = {random_seed(7)};
    for (unsigned turn = 0; turn < 10; turn++) {
        struct arena *arena = arena_open("test");
        struct probe probe;
        uint64_t hashes[ITEMS];
        bool in[ITEMS] = {false};
        probe_open(&probe, arena, ITEMS);
        for (uint32_t i = 0; i < ITEMS; i++)  // few homes: long runs, over the table's end too
            hashes[i] = turn % 2 ? random_next(&random) : UINT64_MAX - random_below(&random, 3);
        for (unsigned step = 0; step < 4000; step++) {
            uint32_t item = random_below(&random, ITEMS);
            assert_int_equal(finds(&probe, hashes[item], item), in[item]);
            if (in[item]) probe_drop(&probe, hashes[item], item);
            else probe_put(&probe, hashes[item], item);
            in[item] = !in[item];
        }
        for (uint32_t i = 0; i < ITEMS; i++) assert_int_equal(finds(&probe, hashes[i], i), in[i]);
        probe_clear(&probe);
        for (uint32_t i = 0; i < ITEMS; i++) assert_false(finds(&probe, hashes[i], i));
        arena_close(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
