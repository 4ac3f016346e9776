// The merge sort: ascending, stable, every count around the powers of two.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../auction/sort.h"
#include "rule_maker.h"
#include "seed.h"

struct item {
    uint32_t key, place;
};

static int
compare(const void *a, const void *b)
{
    const struct item *left = a, *right = b;
    return left->key < right->key ? -1 : left->key > right->key;
}

static void
ascending_and_stable(void **state)
{
    (void)state;
    struct maker maker = {seed_fresh()};
    struct item items[300], scratch[300];
    for (uint32_t count = 0; count < 300; count++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            items[i] = (struct item){(uint32_t)maker_random(&maker, 40), i};
            sum += items[i].key * 1000 + i;
        }
        sort_stable(items, scratch, count, sizeof items[0], compare);
        for (uint32_t i = 0; i < count; i++) {
            sum -= items[i].key * 1000 + items[i].place;
            if (i == 0) continue;
            assert_true(items[i - 1].key <= items[i].key);
            if (items[i - 1].key == items[i].key) assert_true(items[i - 1].place < items[i].place);
        }
        assert_int_equal(sum, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ascending_and_stable)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
