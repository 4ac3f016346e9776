// Pacing: the curves by their definition in exact arithmetic, over days of 23, 24 and 25 hours, at
// the ends of all ranges.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "pace.h"
#include "random_market.h"

static int64_t
allowance(enum pacing pacing, int64_t budget, int64_t begins, int64_t ends, int64_t now)
{
    return pace_allowance(pacing, money_of(budget), (usec){begins}, (usec){ends}, (usec){now})
        .micros;
}

static int64_t
at(const char *text)
{
    usec time;
    assert_int_equal(clock_parse(text, strlen(text), &time), STATUS_OK);
    return time.us;
}

// Hour by hour over a day of the host's clock: k hours of n, and a twenty-fourth ahead.
static void
test_days_of_the_clock(void **state)
{
    (void)state;
    static const struct {
        const char *begins, *ends;
        int64_t hours;
    } days[] = {
        {"2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23},  // Berlin, the clock goes forward
        {"2026-06-09T22:00:00Z", "2026-06-10T22:00:00Z", 24},
        {"2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25},  // and back
    };
    const int64_t budget = 10LL * (23 * 24 * 25) * (23 * 24 * 25);  // divides evenly everywhere
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        int64_t begins = at(days[i].begins), ends = at(days[i].ends), n = days[i].hours;
        assert_int_equal(ends - begins, n * 3600 * USEC_SECOND);
        for (int64_t k = 0; k <= n; k++) {
            int64_t now = begins + k * 3600 * USEC_SECOND;
            int64_t even = budget / n * k + budget / 24;
            int64_t front = budget - budget / n / n * (n - k) * (n - k) + budget / 24;
            assert_int_equal(allowance(PACING_EVEN, budget, begins, ends, now),
                             even < budget ? even : budget);
            assert_int_equal(allowance(PACING_FRONT, budget, begins, ends, now),
                             front < budget ? front : budget);
            assert_int_equal(allowance(PACING_ASAP, budget, begins, ends, now), budget);
        }
    }
}

static void
test_ends(void **state)
{
    (void)state;
    for (int pacing = 0; pacing < PACING_COUNT; pacing++) {
        enum pacing is = (enum pacing)pacing;
        assert_int_equal(allowance(is, 1000, 100, 200, 99), 0);
        assert_int_equal(allowance(is, 1000, 100, 200, 200), 1000);
        assert_int_equal(allowance(is, 1000, 100, 200, INT64_MAX), 1000);
        assert_int_equal(allowance(is, 0, 100, 200, 150), 0);
        assert_int_equal(allowance(is, -5, 100, 200, 150), 0);
        assert_int_equal(allowance(is, 1000, 100, 100, 100), 1000);  // no span: all of it
        assert_int_equal(allowance(is, 1000, 200, 100, 250), 1000);
        assert_int_equal(allowance(is, 1000, INT64_MIN, INT64_MAX, INT64_MAX), 1000);
    }
    // The largest of everything, in quarters.
    int64_t most = INT64_MAX, half = INT64_C(1) << 61, span = INT64_C(1) << 62;
    assert_int_equal(allowance(PACING_EVEN, most, 0, span, half), most / 2 + most / 24);
    assert_int_equal(allowance(PACING_FRONT, most, 0, span, half),
                     most - (most / 4 + 1) + most / 24);
    assert_int_equal(allowance(PACING_EVEN, most, INT64_MIN, INT64_MAX, 0),
                     most / 2 + most / 24 + 1);
    assert_int_equal(allowance(PACING_FRONT, 1, 0, 10, 9), 0);  // rounded down
    assert_int_equal(allowance(PACING_FRONT, 1, 0, 10, 10), 1);
}

// Against the definition, where all of it fits 128 bits: the real quotient rounded down.
static void
test_exact(void **state)
{
    (void)state;
    struct random random = {random_seed(9)};
    for (unsigned i = 0; i < 200000; i++) {
        int64_t budget = (int64_t)(random_next(&random) % (BOUND_MICROS + 1));
        int64_t span = 1 + (int64_t)(random_next(&random) % (3 * USEC_DAY));
        if (i % 3 == 0) span = 1 + (int64_t)(random_next(&random) % 50);
        int64_t begins = (int64_t)(random_next(&random) % (uint64_t)RANDOM_NOW);
        int64_t gone = (int64_t)(random_next(&random) % (uint64_t)span), rest = span - gone;
        unsigned __int128 square = (unsigned __int128)span * (unsigned __int128)span;
        unsigned __int128 over = square - (unsigned __int128)rest * (unsigned __int128)rest;
        int64_t ahead = budget / 24;
        int64_t even = (int64_t)((__int128)budget * gone / span) + ahead;
        int64_t front = (int64_t)((unsigned __int128)budget * over / square) + ahead;
        assert_int_equal(allowance(PACING_EVEN, budget, begins, begins + span, begins + gone),
                         even < budget ? even : budget);
        assert_int_equal(allowance(PACING_FRONT, budget, begins, begins + span, begins + gone),
                         front < budget ? front : budget);
    }
}

// Never less later, never more than the budget, whatever the amounts.
static void
test_monotone(void **state)
{
    (void)state;
    struct random random = {random_seed(10)};
    for (unsigned i = 0; i < 2000; i++) {
        int64_t budget = (int64_t)(random_next(&random) >> (1 + random_below(&random, 62)));
        int64_t begins = (int64_t)(random_next(&random) >> 3);
        int64_t span = (int64_t)(random_next(&random) >> (3 + random_below(&random, 60)));
        int64_t ends = begins + span;
        for (int pacing = 0; pacing < PACING_COUNT; pacing++) {
            int64_t last = 0, now = begins;
            for (unsigned step = 0; step < 40; step++) {
                int64_t allowed = allowance((enum pacing)pacing, budget, begins, ends, now);
                assert_true(allowed >= last && allowed <= budget);
                last = allowed;
                now += span < 40 ? 1 : (int64_t)(random_next(&random) % (uint64_t)(span / 20));
            }
            assert_int_equal(allowance((enum pacing)pacing, budget, begins, ends, ends), budget);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_days_of_the_clock),
                                       cmocka_unit_test(test_ends), cmocka_unit_test(test_exact),
                                       cmocka_unit_test(test_monotone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
