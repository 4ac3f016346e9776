// Tests of credit.c: windows, every model, and thousands of random paths against a model in
// floating point written from the definitions.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "credit.h"
#include "seed.h"

#define DAY USEC_DAY

static struct market_attribution
terms_of(enum attribution model)
{
    struct market_attribution terms = {.model = (uint8_t)model,
                                       .half_life_us = 7 * DAY,
                                       .first_ppm = 400000,
                                       .last_ppm = 400000,
                                       .delivered_us = 10 * DAY,
                                       .accepted_us = 30 * DAY};
    for (unsigned i = 0; i < CHANNEL_COUNT; i++) terms.channel_us[i] = -1;
    return terms;
}

static struct touch
touch(uint8_t number, int64_t delivered_us, uint32_t seat, enum rung rung)
{
    return (struct touch){.placement = {{number}},
                          .delivered = {delivered_us},
                          .seat = seat,
                          .owner = 2,
                          .seat_kind = seat > 5 ? SEAT_PARTNER : SEAT_DEPARTMENT,
                          .rung = (uint8_t)rung,
                          .channel = CHANNEL_BILL};
}

static struct credit
divide(const struct market_attribution *terms, const struct touch *touches, size_t count,
       int64_t at)
{
    struct credit credit;
    credit_divide(terms, touches, count, (usec){at}, 0, NULL, &credit);
    return credit;
}

// Each touch is of a seat of its own, in the order of the seats.
static void
expect(enum attribution model, unsigned count, const int64_t *days, const uint64_t *ppm)
{
    struct market_attribution terms = terms_of(model);
    struct touch touches[8];
    for (unsigned i = 0; i < count; i++) {
        touches[i] = touch((uint8_t)i, (100 - days[i]) * DAY, i + 1, RUNG_PREDICTIVE);
    }
    struct credit credit = divide(&terms, touches, count, 100 * DAY);
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++) {
        if (ppm[i] == 0) continue;
        assert_int_equal(credit.parts[found].seat, i + 1);
        assert_int_equal(credit.parts[found++].weight, ppm[i]);
    }
    assert_int_equal(credit.count, found);
    assert_int_equal(credit.model, 0);
}

static void
models_divide_as_they_say(void **state)
{
    (void)state;
    static const int64_t days[] = {9, 7, 4, 0};
    expect(ATTRIBUTION_LAST, 4, days, (const uint64_t[]){0, 0, 0, 1000000});
    expect(ATTRIBUTION_FIRST, 4, days, (const uint64_t[]){1000000, 0, 0, 0});
    expect(ATTRIBUTION_LINEAR, 3, days, (const uint64_t[]){333334, 333333, 333333});
    expect(ATTRIBUTION_POSITION, 4, days, (const uint64_t[]){400000, 100000, 100000, 400000});
    expect(ATTRIBUTION_POSITION, 2, days, (const uint64_t[]){500000, 500000});
    expect(ATTRIBUTION_POSITION, 1, days, (const uint64_t[]){1000000});
    // 2^-1 of a half-life: two thirds and a third.
    expect(ATTRIBUTION_TIME_DECAY, 2, (const int64_t[]){7, 0}, (const uint64_t[]){333333, 666667});
    // Only the distance between them counts.
    expect(ATTRIBUTION_TIME_DECAY, 2, (const int64_t[]){9, 2}, (const uint64_t[]){333333, 666667});
    // Fitted ones divide linearly until there is a fit.
    expect(ATTRIBUTION_MARKOV, 2, days, (const uint64_t[]){500000, 500000});
}

static void
windows_are_by_event_time(void **state)
{
    (void)state;
    struct market_attribution terms = terms_of(ATTRIBUTION_LINEAR);
    struct touch one = touch(1, 90 * DAY, 1, RUNG_PREDICTIVE);
    assert_true(credit_counts(&terms, &one, (usec){100 * DAY}));       // its end is within
    assert_false(credit_counts(&terms, &one, (usec){100 * DAY + 1}));  // a microsecond later
    assert_true(credit_counts(&terms, &one, (usec){90 * DAY}));        // at the same time
    assert_false(credit_counts(&terms, &one, (usec){90 * DAY - 1}));   // shown afterwards
    one.accepted.us = 95 * DAY;
    assert_true(credit_counts(&terms, &one, (usec){125 * DAY}));
    assert_false(credit_counts(&terms, &one, (usec){125 * DAY + 1}));
    // Accepted after the conversion: only the delivery counts.
    assert_true(credit_counts(&terms, &one, (usec){94 * DAY}));
    terms.delivered_us = 0;
    assert_false(credit_counts(&terms, &one, (usec){94 * DAY}));
    assert_true(credit_counts(&terms, &one, (usec){96 * DAY}));
    // A channel's own window replaces that of deliveries; 0: never.
    terms.channel_us[CHANNEL_BILL] = 1 * DAY;
    assert_true(credit_counts(&terms, &one, (usec){91 * DAY}));
    terms.delivered_us = 10 * DAY;
    terms.channel_us[CHANNEL_BILL] = 0;
    assert_false(credit_counts(&terms, &one, (usec){91 * DAY}));
    // Not delivered, not a touch.
    one.delivered.us = 0;
    assert_false(credit_counts(&terms, &one, (usec){96 * DAY}));
    struct credit credit = divide(&terms, &one, 1, 96 * DAY);
    assert_int_equal(credit.count, 0);
}

static void
a_merchant_s_own_touch_earns_for_the_container(void **state)
{
    (void)state;
    struct market_attribution terms = terms_of(ATTRIBUTION_LINEAR);
    struct touch touches[] = {touch(1, 99 * DAY, 9, RUNG_AFFILIATION),
                              touch(2, 98 * DAY, 7, RUNG_SYNDICATION)};
    struct credit credit;
    credit_divide(&terms, touches, 2, (usec){100 * DAY}, 9, NULL, &credit);
    assert_int_equal(credit.count, 2);
    assert_int_equal(credit.parts[0].seat, 2);
    assert_int_equal(credit.parts[0].kind, SEAT_DEPARTMENT);
    assert_int_equal(credit.parts[0].rung, RUNG_AFFILIATION);
    assert_int_equal(credit.parts[1].seat, 7);
    assert_int_equal(credit.parts[1].kind, SEAT_PARTNER);
}

static void
a_fit_weighs_by_seat_and_rung(void **state)
{
    (void)state;
    struct market_attribution terms = terms_of(ATTRIBUTION_SHAPLEY);
    struct credit_weight weights[] = {
        {1, RUNG_PREDICTIVE, 600000}, {1, RUNG_SYNDICATION, 150000}, {7, RUNG_PREDICTIVE, 250000}};
    struct credit_fit fit = {
        .version = 4, .model = ATTRIBUTION_SHAPLEY, .weights = weights, .count = 3};
    struct touch touches[] = {touch(1, 99 * DAY, 1, RUNG_SYNDICATION),
                              touch(2, 98 * DAY, 7, RUNG_PREDICTIVE),
                              touch(3, 97 * DAY, 8, RUNG_PREDICTIVE)};
    struct credit credit;
    credit_divide(&terms, touches, 3, (usec){100 * DAY}, 0, &fit, &credit);
    assert_int_equal(credit.model, 4);
    assert_int_equal(credit.count, 2);
    assert_int_equal(credit.parts[0].weight, 375000);
    assert_int_equal(credit.parts[1].weight, 625000);
    // None of them known: evenly.
    credit_divide(&terms, touches + 2, 1, (usec){100 * DAY}, 0, &fit, &credit);
    assert_int_equal(credit.count, 1);
    assert_int_equal(credit.parts[0].seat, 8);
    // Of another model it is no fit at all.
    terms.model = ATTRIBUTION_MARKOV;
    credit_divide(&terms, touches, 3, (usec){100 * DAY}, 0, &fit, &credit);
    assert_int_equal(credit.model, 0);
    assert_int_equal(credit.count, 3);
}

static void
bounds_hold(void **state)
{
    (void)state;
    struct market_attribution terms = terms_of(ATTRIBUTION_LINEAR);
    enum { MANY = 3 * BOUND_TOUCHES };
    struct touch *touches = calloc(MANY, sizeof *touches);
    // More touches than are looked back to: the latest count. Given oldest first, then the reverse.
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < MANY; i++) {
            unsigned place = turn ? MANY - 1 - i : i;
            touches[place] = touch((uint8_t)i, 99 * DAY + i, i < MANY - BOUND_TOUCHES ? 1 : 2,
                                   RUNG_PREDICTIVE);
        }
        struct credit credit = divide(&terms, touches, MANY, 100 * DAY);
        assert_int_equal(credit.count, 1);
        assert_int_equal(credit.parts[0].seat, 2);
    }
    // More pairs than an order has: the lightest are left out, and the whole is still the whole.
    for (unsigned i = 0; i < BOUND_TOUCHES; i++) {
        uint32_t seat = 1 + i % 60;
        touches[i] = touch((uint8_t)i, 99 * DAY + i, seat, RUNG_PREDICTIVE);
    }
    struct credit credit = divide(&terms, touches, BOUND_TOUCHES, 100 * DAY);
    uint64_t sum = 0;
    assert_int_equal(credit.count, BOUND_PARTS - BOUND_SHARES);
    for (unsigned i = 0; i < credit.count; i++) sum += credit.parts[i].weight;
    assert_int_equal(sum, MONEY_PPM);
    assert_int_equal(credit.parts[0].seat, 1);
    assert_int_equal(credit.parts[credit.count - 1].seat, BOUND_PARTS - BOUND_SHARES);
    free(touches);
}

// --- Random paths --------------------------------------------------------------------------------

static uint64_t
draw(uint64_t *seed, uint64_t below)
{
    *seed += 0x9e3779b97f4a7c15u;
    return hash_mix(*seed) % below;
}

// The share of each touch, by the definitions.
static void
define(const struct market_attribution *terms, const struct touch *touches, unsigned count, usec at,
       long double shares[])
{
    unsigned counting = 0, first = 0, last = 0;
    long double sum = 0;
    for (unsigned i = 0; i < count; i++) {
        bool counts = credit_counts(terms, &touches[i], at);
        shares[i] = counts ? 1 : 0;
        if (!counts) continue;
        if (counting == 0 || touches[i].delivered.us < touches[first].delivered.us) first = i;
        if (counting == 0 || touches[i].delivered.us > touches[last].delivered.us) last = i;
        counting++;
    }
    for (unsigned i = 0; i < count; i++) {
        if (shares[i] == 0) continue;
        if (terms->model == ATTRIBUTION_FIRST) shares[i] = i == first;
        if (terms->model == ATTRIBUTION_LAST) shares[i] = i == last;
        if (terms->model == ATTRIBUTION_TIME_DECAY) {
            shares[i] = exp2l(-(long double)(at.us - touches[i].delivered.us) /
                              (long double)terms->half_life_us);
        }
        if (terms->model == ATTRIBUTION_POSITION && counting > 2) {
            long double between = (1e6L - terms->first_ppm - terms->last_ppm) / (counting - 2);
            shares[i] = i == first ? terms->first_ppm : i == last ? terms->last_ppm : between;
        }
        sum += shares[i];
    }
    for (unsigned i = 0; i < count && sum > 0; i++) shares[i] /= sum;
}

static void
random_paths_are_divided_by_the_definitions(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    static const enum attribution models[] = {ATTRIBUTION_LAST, ATTRIBUTION_FIRST,
                                              ATTRIBUTION_LINEAR, ATTRIBUTION_TIME_DECAY,
                                              ATTRIBUTION_POSITION};
    for (unsigned turn = 0; turn < 20000; turn++) {
        struct market_attribution terms = terms_of(models[draw(&seed, 5)]);
        struct touch touches[20], shuffled[20];
        long double shares[20];
        unsigned count = (unsigned)draw(&seed, 20);
        usec at = {100 * DAY};
        terms.half_life_us = (int64_t)(1 + draw(&seed, 20 * DAY));
        terms.first_ppm = (uint32_t)draw(&seed, 600000);
        terms.last_ppm = (uint32_t)draw(&seed, 400000);
        terms.delivered_us = (int64_t)draw(&seed, 20) * DAY;
        terms.accepted_us = (int64_t)draw(&seed, 2) * 30 * DAY;
        for (unsigned i = 0; i < count; i++) {
            touches[i] = touch((uint8_t)i, 101 * DAY - (int64_t)draw(&seed, 30 * DAY),
                               1 + (uint32_t)draw(&seed, 5), (enum rung)draw(&seed, RUNG_COUNT));
            if (draw(&seed, 2)) {
                touches[i].accepted.us = touches[i].delivered.us + (int64_t)draw(&seed, 5 * DAY);
            }
        }
        define(&terms, touches, count, at, shares);
        struct credit credit = divide(&terms, touches, count, at.us), again;
        uint64_t sum = 0;
        for (unsigned k = 0; k < credit.count; k++) {
            long double exact = 0;
            for (unsigned i = 0; i < count; i++) {
                bool same = touches[i].seat == credit.parts[k].seat &&
                            touches[i].rung == credit.parts[k].rung;
                if (same) exact += shares[i];
            }
            sum += credit.parts[k].weight;
            assert_true(fabsl((long double)credit.parts[k].weight - exact * 1e6L) < 1.001L);
            if (k == 0) continue;
            const struct contract_part *a = &credit.parts[k - 1], *b = &credit.parts[k];
            assert_true(a->seat < b->seat || (a->seat == b->seat && a->rung < b->rung));
        }
        long double counting = 0;
        for (unsigned i = 0; i < count; i++) counting += shares[i];
        assert_int_equal(sum, counting > 0 ? MONEY_PPM : 0);
        // In whatever order they are given.
        memcpy(shuffled, touches, sizeof touches);
        for (unsigned i = count; i > 1; i--) {
            unsigned other = (unsigned)draw(&seed, i);
            struct touch kept = shuffled[i - 1];
            shuffled[i - 1] = shuffled[other];
            shuffled[other] = kept;
        }
        again = divide(&terms, shuffled, count, at.us);
        assert_int_equal(again.count, credit.count);
        for (unsigned k = 0; k < credit.count; k++) {
            assert_int_equal(again.parts[k].seat, credit.parts[k].seat);
            assert_int_equal(again.parts[k].rung, credit.parts[k].rung);
            assert_int_equal(again.parts[k].weight, credit.parts[k].weight);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_divide_as_they_say),
        cmocka_unit_test(windows_are_by_event_time),
        cmocka_unit_test(a_merchant_s_own_touch_earns_for_the_container),
        cmocka_unit_test(a_fit_weighs_by_seat_and_rung),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(random_paths_are_divided_by_the_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
