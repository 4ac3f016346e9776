#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "hash.h"
#include "money.h"
#include "seed.h"

static void
parses_exactly_and_refuses_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum status status;
        int64_t micros;
    } cases[] = {
        {"0", STATUS_OK, 0},
        {"1.15", STATUS_OK, 1150000},  // the classic that a double gets wrong
        {"0.29", STATUS_OK, 290000},
        {"-0.5", STATUS_OK, -500000},
        {"+7", STATUS_OK, 7000000},
        {"12.345678", STATUS_OK, 12345678},
        {"1000000000", STATUS_OK, BOUND_MICROS},
        {"-1000000000", STATUS_OK, -BOUND_MICROS},
        {"1000000000.000001", STATUS_OVERFLOW, 0},
        {"99999999999999999999", STATUS_OVERFLOW, 0},
        {"12.3456789", STATUS_INPUT, 0},
        {"", STATUS_INPUT, 0},
        {"-", STATUS_INPUT, 0},
        {".5", STATUS_INPUT, 0},
        {"5.", STATUS_INPUT, 0},
        {"1e3", STATUS_INPUT, 0},
        {"1,5", STATUS_INPUT, 0},
        {" 1", STATUS_INPUT, 0},
        {"0x10", STATUS_INPUT, 0},
        {"nan", STATUS_INPUT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        money amount = {77};
        enum status status = money_parse(cases[i].text, strlen(cases[i].text), &amount);
        if (status != cases[i].status) fail_msg("'%s': %s", cases[i].text, status_text(status));
        if (status == STATUS_OK && amount.micros != cases[i].micros)
            fail_msg("'%s'", cases[i].text);
    }
}

static void
formats_the_shortest_exact_text(void **state)
{
    (void)state;
    static const struct {
        int64_t micros;
        unsigned decimals;
        const char *text;
    } cases[] = {
        {12500000, 2, "12.50"},   {1, 0, "0.000001"},
        {-500000, 2, "-0.50"},    {7000000, 0, "7"},
        {1234567, 2, "1.234567"}, {INT64_MIN, 0, "-9223372036854.775808"},
        {0, 6, "0.000000"},       {INT64_MAX, 0, "9223372036854.775807"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[MONEY_TEXT];
        assert_int_equal(money_format(money_of(cases[i].micros), cases[i].decimals, text),
                         strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

static void
adds_within_the_range_only(void **state)
{
    (void)state;
    money sum;
    assert_int_equal(money_add(money_of(INT64_MAX), money_of(1), &sum), STATUS_OVERFLOW);
    assert_int_equal(money_subtract(money_of(INT64_MIN), money_of(1), &sum), STATUS_OVERFLOW);
    assert_int_equal(money_add(money_of(2), money_of(-5), &sum), STATUS_OK);
    assert_int_equal(sum.micros, -3);
}

static void
rounds_shares_half_to_even(void **state)
{
    (void)state;
    static const struct {
        int64_t amount;
        uint64_t ppm;
        int64_t share;
    } cases[] = {
        {1, 500000, 0},
        {3, 500000, 2},
        {5, 500000, 2},
        {-1, 500000, 0},
        {-3, 500000, -2},
        {7, 500001, 4},
        {10, 125000, 1},
        {100000010, 100000, 10000001},
        {INT64_MAX, 1000000, INT64_MAX},
        {-INT64_MAX, 1000000, -INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        money share;
        assert_int_equal(money_share(money_of(cases[i].amount), cases[i].ppm, &share), STATUS_OK);
        assert_int_equal(share.micros, cases[i].share);
    }
    money share;
    assert_int_equal(money_share(money_of(INT64_MAX), 2000000, &share), STATUS_OVERFLOW);
}

static void
splits_as_the_gain_share_example(void **state)
{
    (void)state;
    uint64_t weights[] = {400000, 250000, 150000, 120000, 80000};
    int64_t expected[] = {4000001, 2500000, 1500000, 1200000, 800000};
    money parts[5];
    assert_int_equal(money_split(money_of(10000001), weights, 5, parts), STATUS_OK);
    for (size_t i = 0; i < 5; i++) assert_int_equal(parts[i].micros, expected[i]);
    uint64_t none[] = {0, 0};
    assert_int_equal(money_split(money_of(10), none, 2, parts), STATUS_INPUT);
    assert_int_equal(money_split(money_of(10), none, 0, parts), STATUS_INPUT);
    uint64_t huge[] = {UINT64_MAX, 1};
    assert_int_equal(money_split(money_of(10), huge, 2, parts), STATUS_OVERFLOW);
}

static void
ratios_round_half_to_even_too(void **state)
{
    (void)state;
    static const struct {
        int64_t amount;
        uint64_t numerator, denominator;
        int64_t expected;
    } cases[] = {
        {10, 1, 4, 2},  // 2.5
        {14, 1, 4, 4},  // 3.5
        {-10, 1, 4, -2},
        {10, 1, 3, 3},
        {20, 1, 3, 7},
        {7, 0, 5, 0},
        {1, UINT64_MAX, UINT64_MAX, 1},
        {INT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MAX},
        {-INT64_MAX, 1000, 1000, -INT64_MAX},
    };
    money out;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            money_ratio(money_of(cases[i].amount), cases[i].numerator, cases[i].denominator, &out),
            STATUS_OK);
        assert_int_equal(out.micros, cases[i].expected);
    }
    assert_int_equal(money_ratio(money_of(1), 1, 0, &out), STATUS_INPUT);
    assert_int_equal(money_ratio(money_of(INT64_MAX), 2, 1, &out), STATUS_OVERFLOW);
}

static uint64_t random_state;

static uint64_t
next_random(void)
{
    return hash_mix(random_state++);
}

// Any total, any weights: the parts add up, each is within one micro of its exact share, and no
// weight, no part.
static void
splits_add_up_for_any_total(void **state)
{
    (void)state;
    random_state = seed_fixed(20260101);
    for (int round = 0; round < 20000; round++) {
        uint64_t weights[40];
        money parts[40];
        size_t count = 1 + next_random() % 40;
        uint64_t sum = 0;
        for (size_t i = 0; i < count; i++) {
            weights[i] = next_random() % 3 == 0 ? 0 : next_random() >> (32 + next_random() % 30);
            sum += weights[i];
        }
        if (sum == 0) continue;
        int64_t total = (int64_t)next_random() >> (next_random() % 62);
        if (total == INT64_MIN) continue;
        assert_int_equal(money_split(money_of(total), weights, count, parts), STATUS_OK);
        __extension__ typedef __int128 wide;
        wide whole = 0;
        for (size_t i = 0; i < count; i++) {
            whole += parts[i].micros;
            wide distance = (wide)parts[i].micros * (wide)sum - (wide)total * (wide)weights[i];
            if (distance < 0) distance = -distance;
            assert_true(distance < (wide)sum);
            if (weights[i] == 0) assert_int_equal(parts[i].micros, 0);
        }
        assert_true(whole == total);
    }
}

static void
shares_round_up_when_asked(void **state)
{
    (void)state;
    static const struct {
        int64_t amount;
        uint64_t ppm;
        int64_t share;
    } cases[] = {
        {0, 1100000, 0},           {1, 1, 1},
        {10, 1000000, 10},         {10, 1000001, 11},
        {100000, 1100000, 110000}, {100001, 1100000, 110002},
        {1000000, 900000, 900000},
    };
    money share;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(money_share_up(money_of(cases[i].amount), cases[i].ppm, &share),
                         STATUS_OK);
        assert_int_equal(share.micros, cases[i].share);
    }
    assert_int_equal(money_share_up(money_of(-1), 1000000, &share), STATUS_INPUT);
    assert_int_equal(money_share_up(money_of(INT64_MAX), 1000001, &share), STATUS_OVERFLOW);
}

// The pieces of a sum are rounded once, together.
static void
sums_of_shares_are_rounded_once(void **state)
{
    (void)state;
    static const struct {
        int64_t amounts[3];
        uint32_t ppm[3];
        int64_t half_even, down, up;
    } cases[] = {
        {{0, 0, 0}, {1, 1, 1}, 0, 0, 0},
        {{5, 0, 0}, {100000, 0, 0}, 0, 0, 1},
        {{5, 10, 0}, {100000, 100000, 0}, 2, 1, 2},
        {{5, 20, 0}, {100000, 100000, 0}, 2, 2, 3},
        {{1, 1, 1}, {333333, 333333, 333333}, 1, 0, 1},
        {{1, 1, 1}, {333333, 333333, 333334}, 1, 1, 1},
        {{INT64_MAX, 0, 0}, {1000000, 0, 0}, INT64_MAX, INT64_MAX, INT64_MAX},
    };
    money sum;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        money amounts[3];
        for (unsigned k = 0; k < 3; k++) amounts[k] = money_of(cases[i].amounts[k]);
        const int64_t expected[] = {cases[i].half_even, cases[i].down, cases[i].up};
        for (int rounding = MONEY_HALF_EVEN; rounding <= MONEY_UP; rounding++) {
            assert_int_equal(
                money_shares(amounts, cases[i].ppm, 3, (enum money_rounding)rounding, &sum),
                STATUS_OK);
            assert_int_equal(sum.micros, expected[rounding]);
        }
    }
    const money large[2] = {money_of(INT64_MAX), money_of(1)}, below = money_of(-1);
    const uint32_t whole[2] = {1000000, 1000000};
    assert_int_equal(money_shares(large, whole, 2, MONEY_DOWN, &sum), STATUS_OVERFLOW);
    assert_int_equal(money_shares(&below, whole, 1, MONEY_DOWN, &sum), STATUS_INPUT);
    assert_int_equal(money_shares(NULL, NULL, 0, MONEY_UP, &sum), STATUS_OK);
    assert_int_equal(sum.micros, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_exactly_and_refuses_the_rest),
        cmocka_unit_test(formats_the_shortest_exact_text),
        cmocka_unit_test(adds_within_the_range_only),
        cmocka_unit_test(rounds_shares_half_to_even),
        cmocka_unit_test(shares_round_up_when_asked),
        cmocka_unit_test(sums_of_shares_are_rounded_once),
        cmocka_unit_test(ratios_round_half_to_even_too),
        cmocka_unit_test(splits_as_the_gain_share_example),
        cmocka_unit_test(splits_add_up_for_any_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
