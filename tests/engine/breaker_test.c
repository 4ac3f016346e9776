#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../engine/breaker.h"

static void
outcomes(struct breaker *breaker, unsigned count, bool failed)
{
    for (unsigned i = 0; i < count; i++) breaker_outcome(breaker, failed);
}

static void
few_failures_do_not_open_it(void **state)
{
    (void)state;
    struct breaker breaker = {.failed = 0};
    outcomes(&breaker, BREAKER_LEAST - 1, true);
    assert_false(breaker.open);
    breaker = (struct breaker){.failed = 0};
    // Two good ones for each bad one, for ever.
    for (unsigned i = 0; i < 1000; i++) breaker_outcome(&breaker, i % 3 == 0);
    assert_false(breaker.open);
    for (uint64_t serial = 0; serial < 100; serial++) assert_true(breaker_admits(&breaker, serial));
}

static void
half_of_the_latest_open_it(void **state)
{
    (void)state;
    struct breaker breaker = {.failed = 0};
    outcomes(&breaker, BREAKER_LEAST, true);
    assert_true(breaker.open);
    // A long good past counts only as far as the window goes.
    breaker = (struct breaker){.failed = 0};
    outcomes(&breaker, 1000, false);
    outcomes(&breaker, BREAKER_WINDOW / 2 - 1, true);
    assert_false(breaker.open);
    breaker_outcome(&breaker, true);
    assert_true(breaker.open);
}

static void
open_asks_the_same_contacts_for_all(void **state)
{
    (void)state;
    struct breaker one = {.open = true}, other = {.open = true};
    unsigned asked = 0;
    for (uint64_t serial = 1; serial <= 10 * BREAKER_PROBE; serial++) {
        bool admits = breaker_admits(&one, serial);
        assert_int_equal(admits, serial % BREAKER_PROBE == 0);
        // Concerned by every second contact only.
        if (serial % 2 == 0) assert_int_equal(breaker_admits(&other, serial), admits);
        asked += admits;
    }
    assert_int_equal(asked, 10);
    // Never concerned by a contact that probes: after twice as many it is asked all the same.
    struct breaker odd = {.open = true};
    asked = 0;
    for (uint64_t serial = 1; serial <= 20 * BREAKER_PROBE; serial += 2)
        asked += breaker_admits(&odd, serial);
    assert_int_equal(asked, 10 * BREAKER_PROBE / (2 * BREAKER_PROBE + 1));
}

static void
good_probes_in_a_row_close_it(void **state)
{
    (void)state;
    struct breaker breaker = {.open = true};
    outcomes(&breaker, BREAKER_GOOD - 1, false);
    breaker_outcome(&breaker, true);
    outcomes(&breaker, BREAKER_GOOD - 1, false);
    assert_true(breaker.open);
    breaker_outcome(&breaker, false);
    assert_false(breaker.open);
    // With an empty window: one failure does not open it again.
    outcomes(&breaker, BREAKER_LEAST - 1, true);
    assert_false(breaker.open);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_failures_do_not_open_it),
        cmocka_unit_test(half_of_the_latest_open_it),
        cmocka_unit_test(open_asks_the_same_contacts_for_all),
        cmocka_unit_test(good_probes_in_a_row_close_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
