// The table of 4-byte cells against a plain list, on random puts and drops with hashes that meet.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../auction/slim.h"
#include "random_market.h"

#define ITEMS 300

static uint64_t hashes[ITEMS];

static uint64_t
hash_of(const void *owner, uint32_t item)
{
    return ((const uint64_t *)owner)[item];
}

static bool
finds(const struct slim *slim, uint32_t item)
{
    uint32_t at = slim_home(slim, hashes[item]), found;
    while ((found = slim_next(slim, hashes[item], &at)) != SLIM_NONE)
        if (found == item) return true;
    return false;
}

static void
test_random(void **state)
{
    (void)state;
    struct random random = {random_seed(5)};
    for (unsigned market = 0; market < 20; market++) {
        struct arena *arena = arena_open("test");
        struct slim slim;
        bool in[ITEMS] = {false};
        uint32_t items = market % 2 ? ITEMS : 7;
        slim_open(&slim, arena, items);
        for (uint32_t i = 0; i < items; i++)  // few homes: long runs, over the table's end too
            hashes[i] = market % 3 ? random_next(&random) : UINT64_MAX - random_below(&random, 3);
        for (unsigned step = 0; step < 4000; step++) {
            uint32_t item = random_below(&random, items);
            assert_int_equal(finds(&slim, item), in[item]);
            if (in[item]) slim_drop(&slim, hashes[item], item, hash_of, hashes);
            else slim_put(&slim, hashes[item], item);
            in[item] = !in[item];
        }
        for (uint32_t i = 0; i < items; i++) assert_int_equal(finds(&slim, i), in[i]);
        arena_close(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
