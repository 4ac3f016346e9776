// The heap against the least of a plain array, on random puts, moves and drops.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../auction/heap.h"
#include "random_market.h"

#define ITEMS 60u

static void
test_random(void **state)
{
    (void)state;
    struct random random = {random_seed(13)};
    struct arena *arena = arena_open("test");
    struct heap heap;
    bool in[ITEMS] = {false};
    int64_t keys[ITEMS];
    heap_open(&heap, arena, ITEMS);
    for (unsigned step = 0; step < 20000; step++) {
        uint32_t item = random_below(&random, ITEMS), least = HEAP_NONE;
        assert_int_equal(heap_has(&heap, item), in[item]);
        if (in[item] && random_chance(&random, 50)) {
            assert_int_equal(heap_key(&heap, item), keys[item]);
            heap_drop(&heap, item);
            in[item] = false;
        } else {  // few keys, so that many are equal; the ends of the range too
            keys[item] = random_chance(&random, 5) ? INT64_MIN : random_below(&random, 20);
            if (random_chance(&random, 5)) keys[item] = INT64_MAX;
            heap_put(&heap, item, keys[item]);
            in[item] = true;
        }
        uint32_t count = 0;
        for (uint32_t i = 0; i < ITEMS; i++) {
            count += in[i];
            if (in[i] && (least == HEAP_NONE || keys[i] < keys[least])) least = i;
        }
        int64_t key = 0;
        assert_int_equal(heap.count, count);
        assert_int_equal(heap_least(&heap, &key), least);
        if (least != HEAP_NONE) assert_int_equal(key, keys[least]);
    }
    arena_close(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
