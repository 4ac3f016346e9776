// Draws of Beta against its exact moments and distribution, within four standard errors over many
// draws of a fixed seed; posterior means against their formula; bounds at the ends of all ranges.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "bounds.h"
#include "hash.h"
#include "learn.h"
#include "seed.h"

#define DRAWS 100000
#define UNIT 65536.0

static double
draw(double alpha, double beta, uint64_t number)
{
    static uint64_t seed;
    if (seed == 0) seed = seed_fixed(20261122);
    uint64_t found = learn_beta((uint64_t)(alpha * UNIT), (uint64_t)(beta * UNIT), seed + number);
    assert_true(found <= LEARN_ONE);
    return (double)found / (double)LEARN_ONE;
}

static void
assert_within(double seen, double exact, double error, const char *what, double alpha, double beta)
{
    double errors = (seen - exact) / error;
    if (fabs(errors) > 4)
        fail_msg("%s of Beta(%g, %g): %.9g, exact %.9g, %.1f standard errors", what, alpha, beta,
                 seen, exact, errors);
}

// Raw moments: E x^k = product of (a + i) / (a + b + i).
static void
test_moments(void **state)
{
    (void)state;
    static const double shapes[][2] = {{1, 1},         {1, 2},
                                       {2, 1},         {10, 10},
                                       {1.5, 0.75},    {0.5, 0.5},
                                       {0.25, 3},      {3, 0.25},
                                       {1.125, 18.5},  {20, 1000000},
                                       {900000, 1000}, {0.0625, 0.03125},
                                       {2000, 3000},   {500000000, 250000000},
                                       {0.125, 100},   {1e12, 2e12}};
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        double a = shapes[i][0], b = shapes[i][1], sum = 0, squares = 0, moment[5] = {1};
        for (unsigned k = 0; k < 4; k++) moment[k + 1] = moment[k] * (a + k) / (a + b + k);
        for (uint64_t n = 0; n < DRAWS; n++) {
            double x = draw(a, b, n);
            sum += x;
            squares += x * x;
        }
        // Shapes above 2^30 are scaled down; their spread is that of the scaled shapes.
        double scale = 1;
        while ((a > b ? a : b) * scale >= 1 << 30) scale /= 2;
        double spread = a * b / ((a + b) * (a + b) * ((a + b) * scale + 1));
        double error = sqrt(spread / DRAWS) + 1e-9;
        assert_within(sum / DRAWS, moment[1], error, "mean", a, b);
        if (scale < 1) continue;
        error = sqrt((moment[4] - moment[2] * moment[2]) / DRAWS) + 1e-9;
        assert_within(squares / DRAWS, moment[2], error, "second moment", a, b);
    }
}

// P(x <= at) for shapes where it has a closed form; NAN else.
static double
distribution(double a, double b, double at)
{
    if (b == 1) return pow(at, a);
    if (a == 1) return 1 - pow(1 - at, b);
    if (a == 0.5 && b == 0.5) return 2 / acos(-1) * asin(sqrt(at));
    if (a != floor(a) || b != floor(b)) return NAN;
    double n = a + b - 1, sum = 0;  // at least a of n uniforms lie below `at`
    for (double k = a; k <= n; k++) {
        sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(at) +
                   (n - k) * log1p(-at));
    }
    return sum;
}

static void
test_distribution(void **state)
{
    (void)state;
    static const double shapes[][2] = {
        {1, 1}, {5, 1},   {1, 7},  {0.5, 0.5}, {0.03125, 1}, {1, 0.25}, {0.5, 1},
        {2, 3}, {10, 10}, {40, 5}, {3, 200},   {150, 150},   {1, 5000}, {0.0009765625, 1}};
    static const double points[] = {0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99};
    enum { POINTS = sizeof points / sizeof *points };
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        double a = shapes[i][0], b = shapes[i][1];
        unsigned below[POINTS] = {0};
        for (uint64_t n = 0; n < DRAWS; n++) {
            double x = draw(a, b, n + 7 * DRAWS);
            for (unsigned p = 0; p < POINTS; p++) below[p] += x <= points[p];
        }
        for (unsigned p = 0; p < POINTS; p++) {
            double exact = distribution(a, b, points[p]);
            assert_true(exact >= 0);  // not NAN
            double error = sqrt(exact * (1 - exact) / DRAWS) + 1e-6;
            assert_within(below[p] / (double)DRAWS, exact, error, "distribution", a, b);
        }
    }
}

// Numbers, not likeness: every machine draws these.
static void
test_same_everywhere(void **state)
{
    (void)state;
    static const struct {
        uint64_t alpha, beta, seed, drawn;
    } known[] = {
        {65536, 65536, 0, 3216951722},     {65536, 65536, 1, 1410855305},
        {655360, 1310720, 42, 1067434778}, {1, 65536, 3, 0},
        {6553, 13107, 99, 3968720808},     {UINT64_C(1) << 50, UINT64_C(1) << 49, 5, 2863405861},
    };
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        uint64_t drawn = learn_beta(known[i].alpha, known[i].beta, known[i].seed);
        assert_int_equal(drawn, learn_beta(known[i].alpha, known[i].beta, known[i].seed));
        assert_int_equal(drawn, known[i].drawn);
    }
}

// All ends of the ranges: answers stay in theirs, and lean the right way.
static void
test_extremes(void **state)
{
    (void)state;
    static const uint64_t shapes[] = {1, 2, 65535, 65536, 65537, UINT64_C(1) << 46, UINT64_MAX};
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    for (unsigned a = 0; a < SHAPES; a++) {
        for (unsigned b = 0; b < SHAPES; b++) {
            for (uint64_t seed = 0; seed < 2000; seed++) {
                uint64_t drawn = learn_beta(shapes[a], shapes[b], seed);
                assert_true(drawn <= LEARN_ONE);
                if (a <= 1 && b >= 5) assert_true(drawn < LEARN_ONE / 1000);
                if (b <= 1 && a >= 5) assert_true(drawn > LEARN_ONE - LEARN_ONE / 1000);
            }
        }
    }
    static const uint64_t counts[] = {0, 1, 1000, UINT64_C(1) << 45, UINT64_MAX};
    static const int64_t revenues[] = {INT64_MIN, -1, 0, 5, BOUND_MICROS, INT64_MAX};
    for (unsigned i = 0; i < 5 * 5 * 5 * 6; i++) {
        struct learn_counts some = {counts[i % 5], counts[i / 5 % 5], counts[i / 25 % 5],
                                    money_of(revenues[i / 125])};
        struct learn levels[] = {{some, some, some}, {{0}, some, some}, {some, {0}, {0}}};
        for (unsigned level = 0; level < 6; level++) {
            const struct learn *learn = &levels[level / 2];
            uint64_t rate = learn_response_rate(learn, level % 2, i);
            assert_true(rate >= 1 && rate <= LEARN_ONE);
            assert_true(learn_revenue(learn, level % 2, i) <= BOUND_MICROS);
            if (some.revenue.micros <= 0) assert_int_equal(learn_revenue(learn, level % 2, i), 0);
        }
    }
}

static double
pooled(double successes, double deliveries, double parent)
{
    return (successes + LEARN_STRENGTH * parent) / (deliveries + LEARN_STRENGTH);
}

static void
test_means(void **state)
{
    (void)state;
    const struct learn nothing = {0};
    assert_int_equal(learn_response_rate(&nothing, false, 0), LEARN_ONE / 2);
    assert_int_equal(learn_revenue(&nothing, false, 0), 0);
    uint64_t random = seed_fixed(7);
    for (unsigned i = 0; i < 2000; i++) {
        struct learn_counts counts[3];
        for (unsigned level = 0; level < 3; level++) {
            random = hash_mix(random + 0x9e3779b97f4a7c15u);
            uint64_t delivered = random >> (24 + random % 40);
            counts[level] = (struct learn_counts){delivered, random % 1009 * delivered / 1009,
                                                  random % 499 * delivered / 499,
                                                  money_of((int64_t)(random >> 20))};
        }
        struct learn learn = {counts[0], counts[1], counts[2]};
        double rate = (double)(counts[2].responded + 1) / (double)(counts[2].delivered + 2);
        double sold = (double)(counts[2].converted + 1) / (double)(counts[2].delivered + 2);
        double value = counts[2].converted == 0
                           ? 0
                           : (double)counts[2].revenue.micros / (double)counts[2].converted;
        for (unsigned level = 2; level-- > 0;) {
            const struct learn_counts *is = &counts[level];
            rate = pooled((double)is->responded, (double)is->delivered, rate);
            sold = pooled((double)is->converted, (double)is->delivered, sold);
            value = pooled((double)is->revenue.micros, (double)is->converted, value);
        }
        double found = (double)learn_response_rate(&learn, false, i) / (double)LEARN_ONE;
        assert_true(fabs(found - rate) < 1e-8);
        double revenue = sold * value > (double)BOUND_MICROS ? (double)BOUND_MICROS : sold * value;
        assert_true(fabs((double)learn_revenue(&learn, false, i) - revenue) <=
                    2 + 1e-8 * revenue + 1e-8 * value);
    }
}

// One more response raises the mean, whichever level it is known at; one more delivery without it
// lowers it.
static void
test_monotone(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 3; level++) {
        uint64_t before = 0;
        for (uint64_t responded = 0; responded <= 100; responded++) {
            struct learn learn = {
                .own = {10, 3, 1, {500}}, .cell = {50, 9, 2, {900}}, .rung = {100, 20, 3, {1500}}};
            struct learn_counts *counts = level == 0   ? &learn.own
                                          : level == 1 ? &learn.cell
                                                       : &learn.rung;
            *counts = (struct learn_counts){100, responded, responded, {700}};
            uint64_t rate = learn_response_rate(&learn, false, 0);
            assert_true(rate > before);
            before = rate;
            counts->delivered = 101;
            assert_true(learn_response_rate(&learn, false, 0) < rate);
        }
    }
}

// Draws are of the posterior whose mean is told; revenue draws its rate likewise, from other bits.
static void
test_exploring(void **state)
{
    (void)state;
    const struct learn learn = {.own = {40, 6, 3, {30000000}},
                                .cell = {400, 30, 12, {150000000}},
                                .rung = {9000, 500, 300, {2400000000}}};
    double mean = (double)learn_response_rate(&learn, false, 0), sum = 0, squares = 0, both = 0;
    double revenue = (double)learn_revenue(&learn, false, 0), earned = 0, earned_squares = 0;
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        double x = (double)learn_response_rate(&learn, true, seed);
        double y = (double)learn_revenue(&learn, true, seed);
        sum += x;
        squares += x * x;
        earned += y;
        earned_squares += y * y;
        both += x * y;
    }
    sum /= DRAWS, squares /= DRAWS, earned /= DRAWS, earned_squares /= DRAWS, both /= DRAWS;
    double spread = sqrt(squares - sum * sum),
           earned_spread = sqrt(earned_squares - earned * earned);
    assert_true(fabs(sum - mean) < 4 * spread / sqrt(DRAWS));
    assert_true(fabs(earned - revenue) < 4 * earned_spread / sqrt(DRAWS) + 1);
    assert_true(fabs((both - sum * earned) / (spread * earned_spread)) < 4 / sqrt(DRAWS));
    double share = mean / (double)LEARN_ONE;
    double exact = (double)LEARN_ONE * sqrt(share * (1 - share) / 61);  // 40 + 20 + 1
    assert_true(fabs(spread / exact - 1) < 0.02);
}

// What a market expects weighs like deliveries of the rung.
static void
test_expectation(void **state)
{
    (void)state;
    struct learn none = {0}, expects = {0};
    struct learn_counts expected = {
        .delivered = 1000, .responded = 50, .converted = 10, .revenue = money_of(1500000000)};
    learn_add(&expects.rung, &expected);
    assert_int_equal(learn_response_rate(&none, false, 1), LEARN_ONE / 2);
    assert_int_equal(learn_response_rate(&expects, false, 1), LEARN_ONE * 51 / 1002);
    assert_in_range(learn_revenue(&expects, false, 1), 1640000, 1650000);  // 11 / 1002 x 150
    struct learn_counts most = {.delivered = UINT64_MAX, .revenue = money_of(INT64_MAX)};
    learn_add(&expects.rung, &most);
    assert_true(expects.rung.delivered == UINT64_MAX && expects.rung.revenue.micros == INT64_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),         cmocka_unit_test(test_distribution),
        cmocka_unit_test(test_same_everywhere), cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_means),           cmocka_unit_test(test_monotone),
        cmocka_unit_test(test_expectation),     cmocka_unit_test(test_exploring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
