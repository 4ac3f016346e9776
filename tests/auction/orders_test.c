// Orders and refunds: found by order and reference, in order of their age, gone with their list.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../auction/orders.h"
#include "random_market.h"

#define ROOM 40u
#define LISTS 6u

struct known {
    struct order order;
    uint32_t list;
};

static void
check(const struct orders *orders, const struct known *known, uint32_t count)
{
    uint32_t item = orders->oldest;
    for (uint32_t i = 0; i < count; i++, item = orders->orders[item].newer) {
        assert_true(item != PROBE_NONE);
        assert_true(id_same(orders->orders[item].order, known[i].order.order));
        assert_true(id_same(orders->orders[item].reference, known[i].order.reference));
        assert_int_equal(orders_find(orders, known[i].order.order, known[i].order.reference), item);
    }
    assert_int_equal(item, PROBE_NONE);
    assert_int_equal(orders->count, count);
}

static void
test_random(void **state)
{
    (void)state;
    struct random random = {random_seed(29)};
    struct arena *arena = arena_open("test");
    struct orders orders;
    struct known known[ROOM];
    uint32_t count = 0, lists[LISTS], next = 0;
    orders_open(&orders, arena, ROOM);
    for (uint32_t i = 0; i < LISTS; i++) lists[i] = PROBE_NONE;
    for (unsigned step = 0; step < 5000; step++) {
        uint32_t list = random_below(&random, LISTS);
        if (count < ROOM && random_chance(&random, 85)) {
            struct known *one = &known[count++];
            char key[BOUND_KEY] = {(char)random_below(&random, 100)};
            next++;
            *one = (struct known){.list = list};
            memcpy(one->order.order.bytes, &next, sizeof next);
            if (next % 2) one->order.reference = orders_reference(key);
            one->order.placement = list;
            (void)orders_add(&orders, &one->order, &lists[list]);
        } else {
            uint32_t kept = 0;
            orders_drop_list(&orders, lists[list]);
            lists[list] = PROBE_NONE;
            for (uint32_t i = 0; i < count; i++)
                if (known[i].list != list) known[kept++] = known[i];
            count = kept;
        }
        check(&orders, known, count);
    }
    struct id none = {{255}};
    assert_int_equal(orders_find(&orders, none, none), PROBE_NONE);
    arena_close(arena);
}

static void
test_references(void **state)
{
    (void)state;
    char a[BOUND_KEY] = "a", b[BOUND_KEY] = "b", empty[BOUND_KEY] = "";
    struct id none = {{0}};
    assert_false(id_same(orders_reference(a), orders_reference(b)));
    assert_true(id_same(orders_reference(a), orders_reference(a)));
    assert_false(id_same(orders_reference(empty), none));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random),
                                       cmocka_unit_test(test_references)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
