// Periods by name and by time; statement lines in whole cents.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "period.h"
#include "seed.h"

static uint64_t seed;

static uint64_t
draw(uint64_t *state)
{
    return hash_mix(*state += 0x9e3779b97f4a7c15u);
}

static usec
at(const char *text)
{
    usec when;
    assert_int_equal(clock_parse(text, strlen(text), &when), STATUS_OK);
    return when;
}

static void
test_names(void **state)
{
    (void)state;
    struct period period;
    assert_int_equal(period_parse("2026-11", 7, &period), STATUS_OK);
    assert_string_equal(period.name, "2026-11");
    assert_int_equal(period.from.us, at("2026-11-01").us);
    assert_int_equal(period.until.us, at("2026-12-01").us);
    char title[PERIOD_TITLE];
    period_title(&period, title);
    assert_string_equal(title, "November 2026");
    assert_int_equal(period_parse("2028-02", 7, &period), STATUS_OK);
    assert_int_equal(period.until.us - period.from.us, 29 * USEC_DAY);
    assert_int_equal(period_parse("9999-12", 7, &period), STATUS_OK);
    assert_int_equal(period.until.us - period.from.us, 31 * USEC_DAY);
    static const char *const bad[] = {"",        "2026",    "2026-1",  "2026-13",
                                      "2026-00", "1969-12", "2026/11", "2026-11-22",
                                      " 2026-1", "202a-11", "2026-1b", "+026-11"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(period_parse(bad[i], strlen(bad[i]), &period), STATUS_INPUT);
}

static void
test_of_time(void **state)
{
    (void)state;
    static const struct {
        const char *when, *fence, *expected;
    } cases[] = {
        {"2026-11-22T10:00:00Z", "1970-01-01", "2026-11"},
        {"2026-11-30T23:59:59.999999Z", "1970-01-01", "2026-11"},
        {"2026-12-01T00:00:00Z", "1970-01-01", "2026-12"},
        {"2026-11-22T10:00:00Z", "2026-12-01", "2026-12"},  // closed early: goes to the next
        {"2026-08-03T10:00:00Z", "2026-12-01", "2026-12"},  // long late: the same
        {"2027-01-03T10:00:00Z", "2026-12-01", "2027-01"},
        {"2024-02-29T12:00:00Z", "1970-01-01", "2024-02"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct period period, next;
        period_of(at(cases[i].when), at(cases[i].fence), &period);
        assert_string_equal(period.name, cases[i].expected);
        period_next(&period, &next);
        assert_int_equal(next.from.us, period.until.us);
    }
}

// What the rounding promises, for any lines whatever.
static void
check_round(const money *lines, size_t count, int64_t cent)
{
    money out[64], total, residue;
    assert_int_equal(period_round(lines, count, cent, out, &total, &residue), STATUS_OK);
    int64_t sum = 0, printed = 0;
    for (size_t i = 0; i < count; i++) {
        sum += lines[i].micros;
        printed += out[i].micros;
        assert_int_equal(out[i].micros % cent, 0);
        int64_t off = out[i].micros - lines[i].micros;
        assert_true(off > -cent && off < cent);
    }
    assert_int_equal(printed, total.micros);
    assert_int_equal(total.micros + residue.micros, sum);
    assert_int_equal(total.micros, sum / cent * cent);
}

static void
test_round_examples(void **state)
{
    (void)state;
    // Three equal thirds of a cent and a bit: the total has one cent, the first line gets it.
    money lines[3] = {{3400}, {3400}, {3400}}, out[3], total, residue;
    assert_int_equal(period_round(lines, 3, 10000, out, &total, &residue), STATUS_OK);
    assert_int_equal(total.micros, 10000);
    assert_int_equal(residue.micros, 200);
    assert_int_equal(out[0].micros, 10000);
    assert_int_equal(out[1].micros, 0);
    assert_int_equal(out[2].micros, 0);
    // A credit: cut towards zero, the residue has the sum's sign.
    money credit[2] = {{-15000}, {-12}};
    assert_int_equal(period_round(credit, 2, 10000, out, &total, &residue), STATUS_OK);
    assert_int_equal(total.micros, -10000);
    assert_int_equal(residue.micros, -5012);
    // Nothing is nothing.
    assert_int_equal(period_round(NULL, 0, 10000, NULL, &total, &residue), STATUS_OK);
    assert_int_equal(total.micros, 0);
    money huge[2] = {{INT64_MAX}, {INT64_MAX}};
    assert_int_equal(period_round(huge, 2, 10000, out, &total, &residue), STATUS_OVERFLOW);
    money least[1] = {{INT64_MIN}};
    assert_int_equal(period_round(least, 1, 10000, out, &total, &residue), STATUS_OVERFLOW);
}

static void
test_round_random(void **state)
{
    (void)state;
    static const int64_t cents[3] = {1000, 10000, 1000000};
    uint64_t random = seed;
    for (int run = 0; run < 20000; run++) {
        money lines[64];
        size_t count = draw(&random) % 65;
        int64_t range = (int64_t[]){3, 20000, 1000000007, 900000000000}[draw(&random) % 4];
        bool negative = draw(&random) % 3 == 0;
        for (size_t i = 0; i < count; i++) {
            lines[i].micros = (int64_t)(draw(&random) % (uint64_t)range);
            if (negative && draw(&random) % 2 == 0) lines[i].micros = -lines[i].micros;
        }
        check_round(lines, count, cents[draw(&random) % 3]);
    }
}

static void
test_cents_of_currencies(void **state)
{
    (void)state;
    assert_int_equal(period_cent((struct currency){"EUR"}), 10000);
    assert_int_equal(period_cent((struct currency){"JPY"}), 1000000);
    assert_int_equal(period_cent((struct currency){"KWD"}), 1000);
    assert_int_equal(period_cent_decimals((struct currency){"JPY"}), 0);
    assert_int_equal(period_cent_decimals((struct currency){"KWD"}), 3);
}

int
main(void)
{
    seed = seed_fresh();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_of_time),
        cmocka_unit_test(test_round_examples),
        cmocka_unit_test(test_round_random),
        cmocka_unit_test(test_cents_of_currencies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
