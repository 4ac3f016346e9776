// Spend by stable id and day: the whole tree, releases on another day, days that come back after a
// clock that jumped, and amounts beyond the range.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../auction/spend.h"

static struct fact
placed(int64_t price, uint16_t day)
{
    struct fact fact = {.kind = FACT_PLACEMENT};
    fact.placement.seat = 3;
    fact.placement.message = 4;
    fact.placement.campaigns[0] = 5;
    fact.placement.campaigns[1] = 6;
    fact.placement.price = money_of(price);
    fact.placement.day = day;
    fact.placement.deal = 9;
    return fact;
}

static int64_t
total(const struct spend *spend, enum budget_of of, uint32_t id)
{
    return spend->lines[of][id].total.micros;
}

static void
check(const struct spend *spend, int64_t all, uint16_t day, int64_t of_day)
{
    static const struct {
        enum budget_of of;
        uint32_t id;
    } lines[] = {{BUDGET_SEAT, 3}, {BUDGET_MESSAGE, 4}, {BUDGET_CAMPAIGN, 5}, {BUDGET_CAMPAIGN, 6}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(total(spend, lines[i].of, lines[i].id), all);
        assert_int_equal(spend_on(spend, lines[i].of, lines[i].id, day).micros, of_day);
    }
}

static void
test_tree(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct spend spend;
    spend_open(&spend, arena);
    struct fact one = placed(10, 100), two = placed(7, 101), old = placed(5, 0);
    spend_hold(&spend, &one);
    spend_hold(&spend, &one);
    check(&spend, 20, 100, 20);
    spend_hold(&spend, &two);
    check(&spend, 27, 101, 7);
    check(&spend, 27, 100, 20);
    check(&spend, 27, 99, 0);
    check(&spend, 27, 0, 0);
    spend_release(&spend, &one);  // on the next day: that day's count stays
    check(&spend, 17, 101, 7);
    check(&spend, 17, 100, 10);
    spend_hold(&spend, &old);  // of the version before: in the totals only
    check(&spend, 22, 0, 0);
    spend_release(&spend, &old);
    struct fact lone = placed(3, 101);
    lone.placement.campaigns[0] = lone.placement.campaigns[1] = 0;
    spend_hold(&spend, &lone);
    assert_int_equal(total(&spend, BUDGET_SEAT, 3), 20);
    assert_int_equal(total(&spend, BUDGET_CAMPAIGN, 5), 17);
    assert_int_equal(total(&spend, BUDGET_CAMPAIGN, 0), 0);
    arena_close(arena);
}

// Three days are known, those started last: a clock set forward and back finds its day again.
static void
test_days_that_jump(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct spend spend;
    spend_open(&spend, arena);
    struct fact today = placed(10, 100), far = placed(1, 900), next = placed(2, 101),
                later = placed(4, 102);
    spend_hold(&spend, &today);
    spend_hold(&spend, &far);
    check(&spend, 11, 100, 10);
    spend_hold(&spend, &today);
    check(&spend, 21, 100, 20);
    spend_hold(&spend, &next);
    check(&spend, 23, 100, 20);
    check(&spend, 23, 900, 1);
    spend_hold(&spend, &later);
    check(&spend, 27, 101, 2);
    check(&spend, 27, 102, 4);
    check(&spend, 27, 100, 0);      // forgotten
    spend_release(&spend, &today);  // and given back all the same
    check(&spend, 17, 102, 4);
    arena_close(arena);
}

static void
test_beyond_the_range(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct spend spend;
    spend_open(&spend, arena);
    struct fact fact = placed(BOUND_MICROS, 100);
    for (unsigned i = 0; i < 9300; i++) spend_hold(&spend, &fact);
    check(&spend, INT64_MAX, 100, INT64_MAX);
    spend_release(&spend, &fact);  // exhausted for good
    check(&spend, INT64_MAX, 100, INT64_MAX);
    arena_close(arena);
}

static void
test_deals(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct spend spend;
    spend_open(&spend, arena);
    struct fact one = placed(10, 100), two = placed(7, 101), none = placed(7, 101);
    none.placement.deal = 0;
    spend_promise(&spend, &one);
    spend_promise(&spend, &one);
    spend_promise(&spend, &two);
    spend_promise(&spend, &none);
    assert_int_equal(spend_deliveries(&spend, 9, 100), 2);
    assert_int_equal(spend_deliveries(&spend, 9, 101), 1);
    spend_break(&spend, &one);
    assert_int_equal(spend_deliveries(&spend, 9, 100), 1);
    assert_int_equal(spend_deliveries(&spend, 9, 101), 1);
    assert_int_equal(spend_deliveries(&spend, 0, 101), 0);
    assert_int_equal(spend_deliveries(&spend, UINT32_MAX, 101), 0);
    arena_close(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree), cmocka_unit_test(test_days_that_jump),
        cmocka_unit_test(test_beyond_the_range), cmocka_unit_test(test_deals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
