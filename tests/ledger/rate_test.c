// Exchange rates: their form, which one counts, and exchange that never costs the house a micro.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "database.h"
#include "rate.h"
#include "seed.h"

static void
reads_and_writes_fractions(void **state)
{
    (void)state;
    static const struct {
        const char *text, *back;
        uint64_t num, den;
    } cases[] = {
        {"1.0875", "1.0875", 87, 80},         {"87/80", "1.0875", 87, 80}, {"1", "1", 1, 1},
        {"161.50", "161.5", 323, 2},          {"1/3", "1/3", 1, 3},        {".5", "0.5", 1, 2},
        {"0.000001", "0.000001", 1, 1000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rate rate = {.source = "x"};
        char text[RATE_TEXT];
        assert_int_equal(rate_parse(cases[i].text, strlen(cases[i].text), &rate.num, &rate.den),
                         STATUS_OK);
        assert_int_equal(rate.num, cases[i].num);
        assert_int_equal(rate.den, cases[i].den);
        rate_format(&rate, text);
        assert_string_equal(text, cases[i].back);
    }
    static const char *const bad[] = {"",   "0",  "-1",    "1.2.3", "a",   "1/0", "0/1",
                                      "1/", "/2", "1.5/2", "1e3",   "nan", " 1",  "1 "};
    uint64_t num, den;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(rate_parse(bad[i], strlen(bad[i]), &num, &den), STATUS_INPUT);
    assert_int_equal(rate_parse("99999999999999999999", 20, &num, &den), STATUS_OVERFLOW);
}

static void
never_rounds_against_the_house(void **state)
{
    (void)state;
    uint64_t first = seed_fresh(), seed = first;
    for (int turn = 0; turn < 100000; turn++) {
        struct rate rate = {.num = 1 + hash_mix(++seed) % 1000000,
                            .den = 1 + hash_mix(++seed) % 1000000,
                            .spread_ppm = (uint32_t)(hash_mix(++seed) % 30000)};
        struct rate_exchange exchange;
        static const int64_t units[] = {1, 1000, 10000, 1000000};
        int64_t unit = units[hash_mix(++seed) % 4];
        money amount = money_of(1 + (int64_t)(hash_mix(++seed) % (uint64_t)1000000000000));
        enum status status = rate_exchange(&rate, amount, unit, &exchange);
        if (status == STATUS_OVERFLOW) continue;
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(exchange.spread.micros + exchange.given.micros, amount.micros);
        assert_int_equal(exchange.taken.micros % unit, 0);
        __extension__ typedef __int128 wide;
        wide worth = (wide)exchange.given.micros * (wide)rate.num;
        wide taken = (wide)exchange.taken.micros * (wide)rate.den;
        wide more = ((wide)exchange.taken.micros + unit) * (wide)rate.den;
        if (!(taken <= worth && worth < more))
            fail_msg("VENDUE_SEED=%llu", (unsigned long long)first);
        // The spread is the least that is no less than its part.
        wide part = (wide)amount.micros * rate.spread_ppm, spread = (wide)exchange.spread.micros;
        assert_true(spread * 1000000 >= part && (spread - 1) * 1000000 < part);
    }
    struct rate rate = {.num = RATE_MOST, .den = 1};
    struct rate_exchange exchange;
    assert_int_equal(rate_exchange(&rate, money_of(BOUND_MICROS), 1, &exchange), STATUS_OVERFLOW);
    assert_int_equal(rate_exchange(&rate, money_of(0), 1, &exchange), STATUS_INPUT);
}

static usec
at(const char *text)
{
    usec out;
    assert_int_equal(clock_parse(text, strlen(text), &out), STATUS_OK);
    return out;
}

static enum status
set(struct db *db, const char *from, const char *to, const char *text, const char *when,
    const char *source)
{
    struct rate rate = {.at = at(when)};
    assert_int_equal(currency_parse(from, 3, &rate.from), STATUS_OK);
    assert_int_equal(currency_parse(to, 3, &rate.to), STATUS_OK);
    assert_int_equal(rate_parse(text, strlen(text), &rate.num, &rate.den), STATUS_OK);
    snprintf(rate.source, sizeof rate.source, "%s", source);
    return rate_set(db, &rate, "ada", at("2026-11-22T12:00:00Z"));
}

static void
the_newest_rate_counts_in_both_directions(void **state)
{
    (void)state;
    char connection[POSTGRES_TEXT], fault[RATE_FAULT], text[RATE_TEXT], act[ACT_FAULT];
    struct db *db = database_migrated(connection);
    struct currency eur = {"EUR"}, usd = {"USD"}, chf = {"CHF"};
    struct rate rate;
    usec now = at("2026-11-22T12:00:00Z");
    assert_int_equal(set(db, "EUR", "USD", "1.10", "2026-11-20", "ECB"), STATUS_OK);
    assert_int_equal(set(db, "EUR", "USD", "1.10", "2026-11-20", "ECB"), STATUS_EXISTS);
    assert_int_equal(set(db, "EUR", "USD", "1.11", "2026-11-20", "ECB"), STATUS_CONFLICT);
    assert_int_equal(set(db, "EUR", "USD", "1.10", "2026-11-20", "desk"), STATUS_CONFLICT);
    assert_int_equal(set(db, "USD", "EUR", "0.8", "2026-11-21", "desk"), STATUS_OK);
    assert_int_equal(set(db, "EUR", "EUR", "1", "2026-11-21", "desk"), STATUS_INPUT);
    assert_int_equal(set(db, "EUR", "USD", "1", "2026-11-23", "desk"), STATUS_INPUT);
    assert_int_equal(set(db, "EUR", "USD", "1", "2026-11-21", ""), STATUS_INPUT);
    assert_int_equal(set(db, "EUR", "EUX", "1", "2026-11-21", "desk"), STATUS_INPUT);
    assert_int_equal(rate_find(db, eur, usd, now, 7 * USEC_DAY, &rate, fault), STATUS_OK);
    assert_true(rate.inverse);
    rate_format(&rate, text);
    assert_string_equal(text, "1.25");
    assert_int_equal(
        rate_find(db, eur, usd, at("2026-11-20T18:00:00Z"), 7 * USEC_DAY, &rate, fault), STATUS_OK);
    rate_format(&rate, text);
    assert_string_equal(text, "1.1");
    assert_int_equal(rate_find(db, usd, chf, now, 7 * USEC_DAY, &rate, fault), STATUS_NOT_FOUND);
    assert_non_null(strstr(fault, "slotctl rate USD CHF"));
    assert_int_equal(rate_find(db, eur, usd, now, USEC_DAY, &rate, fault), STATUS_DENIED);
    assert_non_null(strstr(fault, "2026-11-21"));
    assert_int_equal(rate_find(db, eur, usd, at("2026-11-19"), USEC_DAY, &rate, fault),
                     STATUS_NOT_FOUND);
    // Each is an act; none of those that were refused is.
    struct act_head head;
    assert_int_equal(act_verify(db, &head, act), STATUS_OK);
    assert_int_equal(head.number, 2);
    db_close(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_fractions),
        cmocka_unit_test(never_rounds_against_the_house),
        cmocka_unit_test(the_newest_rate_counts_in_both_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
