// What customers were shown, against a plain list of it: nothing is missing that a cap may count,
// nothing is there that was not shown; and what it takes in memory.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../auction/shown.h"
#include "fail.h"
#include "random_market.h"

#define MINUTE (60 * USEC_SECOND)

static struct fact
placed(uint64_t customer, uint32_t message, unsigned channel, uint16_t cap_days, int64_t at)
{
    struct fact fact = {.kind = FACT_PLACEMENT, .customer = customer, .at = {at}};
    fact.placement.message = message;
    fact.placement.cell = (uint8_t)(STAGE_USE * CHANNEL_COUNT + channel);
    fact.placement.cap_days = cap_days;
    fact.placement.day = 20000;
    return fact;
}

struct pool {
    struct arena *arena;
    struct shown shown;
};

static void
pool_open(struct pool *pool, uint32_t customers)
{
    pool->arena = arena_open("test");
    shown_open(&pool->shown, pool->arena, customers);
}

static unsigned
length(const struct shown *shown, uint64_t customer)
{
    struct book_shown entry = {0};
    unsigned count = 0;
    while (shown_next(shown, customer, &entry)) count++;
    assert_false(shown_next(shown, customer, &entry));  // the end stays the end
    return count;
}

// --- Cases ---------------------------------------------------------------------------------------
static void
test_story(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, 100);
    struct shown *shown = &pool.shown;
    int64_t now = RANDOM_NOW / MINUTE * MINUTE;
    struct fact first = placed(7, BOUND_MESSAGES - 1, CHANNEL_PARTNER, 7, now);
    struct fact second = placed(7, 1, CHANNEL_CALL, 7, now + 5 * MINUTE);
    assert_int_equal(length(shown, 7), 0);
    assert_true(shown_win(shown, &first));
    assert_true(shown_win(shown, &second));
    struct book_shown entry = {0};
    assert_true(shown_next(shown, 7, &entry));  // newest first
    assert_int_equal(entry.kind, SHOWN_MESSAGE);
    assert_int_equal(entry.message, 1);
    assert_int_equal(entry.channel, CHANNEL_CALL);
    assert_int_equal(entry.at.us, now + 5 * MINUTE);
    assert_int_equal(entry.count, 1);
    assert_true(shown_next(shown, 7, &entry));
    assert_int_equal(entry.message, BOUND_MESSAGES - 1);
    assert_int_equal(entry.channel, CHANNEL_PARTNER);
    assert_int_equal(entry.at.us, now);
    assert_false(shown_next(shown, 7, &entry));
    shown_deliver(shown, &first, (usec){now + 3 * USEC_DAY + 59});  // counts from its delivery on
    entry = (struct book_shown){0};
    assert_true(shown_next(shown, 7, &entry));
    assert_int_equal(entry.message, BOUND_MESSAGES - 1);
    assert_int_equal(entry.at.us, now + 3 * USEC_DAY);
    shown_cancel(shown, &second);
    shown_cancel(shown, &second);  // a second time changes nothing
    shown_cancel(shown, &first);   // nor does one of a delivered one
    assert_int_equal(length(shown, 7), 1);
    assert_true(shown_mark(shown, 7, SHOWN_COMPLAINT, (usec){now}));
    assert_true(shown_mark(shown, 7, SHOWN_COMPLAINT, (usec){now - MINUTE}));  // an older one
    assert_true(shown_mark(shown, 7, SHOWN_REFUND, (usec){now + MINUTE}));
    assert_true(shown_mark(shown, 7, SHOWN_REFUND, (usec){now + 2 * MINUTE}));  // a newer one
    entry = (struct book_shown){0};
    assert_true(shown_next(shown, 7, &entry) && entry.kind == SHOWN_MESSAGE);
    assert_true(shown_next(shown, 7, &entry) && entry.kind == SHOWN_REFUND);
    assert_int_equal(entry.at.us, now + 2 * MINUTE);
    assert_true(shown_next(shown, 7, &entry) && entry.kind == SHOWN_COMPLAINT);
    assert_int_equal(entry.at.us, now);
    assert_false(shown_next(shown, 7, &entry));
    assert_int_equal(shown->customers, 1);
    shown_reclaim(shown, (usec){now + 3 * USEC_DAY + 8 * USEC_DAY - MINUTE});
    assert_int_equal(length(shown, 7), 3);
    shown_reclaim(shown, (usec){now + 3 * USEC_DAY + 8 * USEC_DAY});  // 7 days asked: 8 are kept
    assert_int_equal(length(shown, 7), 2);
    shown_reclaim(shown, (usec){now + 400 * USEC_DAY});
    assert_int_equal(length(shown, 7), 0);
    assert_int_equal(shown->customers, 0);
    assert_int_equal(shown->free_count, shown->block_count);
    arena_close(pool.arena);
}

// How long is kept, at least as long as was asked; for ever; and pending ones until they end.
static void
test_spans(void **state)
{
    (void)state;
    static const uint16_t days[] = {1, 2, 7, 31, 92, 365, 366, 367, 1829, 1830, UINT16_MAX};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        struct pool pool;
        pool_open(&pool, 10);
        int64_t now = RANDOM_NOW / MINUTE * MINUTE, asked = days[i] * USEC_DAY;
        struct fact fact = placed(1, 2, 3, days[i], now), pending = placed(2, 2, 3, days[i], now);
        assert_true(shown_win(&pool.shown, &fact) && shown_win(&pool.shown, &pending));
        shown_deliver(&pool.shown, &fact, (usec){now});
        shown_reclaim(&pool.shown, (usec){now + asked});
        assert_int_equal(length(&pool.shown, 1), 1);
        uint32_t kept = shown_days(days[i]);
        assert_true(kept > days[i]);
        if (kept == UINT32_MAX) {
            shown_reclaim(&pool.shown, (usec){now + 36500 * USEC_DAY});
            assert_int_equal(length(&pool.shown, 1), 1);
        } else {
            shown_reclaim(&pool.shown, (usec){now + kept * USEC_DAY - MINUTE});
            assert_int_equal(length(&pool.shown, 1), 1);
            shown_reclaim(&pool.shown, (usec){now + kept * USEC_DAY});
            assert_int_equal(length(&pool.shown, 1), 0);
        }
        assert_int_equal(length(&pool.shown, 2), 1);
        arena_close(pool.arena);
    }
}

// Many of one message: only as many as a cap can count are kept; of many messages all are, until
// one more contact of this customer might not fit.
static void
test_one_customer(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, 200);
    int64_t now = RANDOM_NOW;
    for (unsigned i = 0; i < 1000; i++) {
        struct fact fact = placed(1, 5, 3, UINT16_MAX, now + i * MINUTE);
        assert_true(shown_has_room(&pool.shown, 1) && shown_win(&pool.shown, &fact));
        shown_deliver(&pool.shown, &fact, fact.at);
    }
    assert_int_equal(length(&pool.shown, 1), BOUND_CAP_COUNT);
    struct book_shown entry = {0};
    for (unsigned i = 0; i < BOUND_CAP_COUNT; i++) {
        assert_true(shown_next(&pool.shown, 1, &entry));
        assert_int_equal(entry.at.us / MINUTE, (now + (999 - i) * MINUTE) / MINUTE);
    }
    unsigned messages = 0;
    while (shown_has_room(&pool.shown, 2)) {
        struct fact fact = placed(2, 1 + messages++, 3, UINT16_MAX, now);
        assert_true(shown_win(&pool.shown, &fact));
        if (messages % 2) shown_deliver(&pool.shown, &fact, fact.at);
    }
    assert_int_equal(messages, SHOWN_MOST - 2 - BOUND_SLOTS + 1);
    for (unsigned i = 0; i < BOUND_SLOTS - 1; i++) {
        struct fact fact = placed(2, 1000 + i, 3, UINT16_MAX, now);
        assert_true(shown_win(&pool.shown, &fact));
    }
    assert_true(shown_mark(&pool.shown, 2, SHOWN_COMPLAINT, (usec){now}));
    assert_true(shown_mark(&pool.shown, 2, SHOWN_REFUND, (usec){now}));
    assert_int_equal(length(&pool.shown, 2), SHOWN_MOST);
    assert_true(shown_has_room(&pool.shown, 3));  // others are not concerned
    arena_close(pool.arena);
}

// One that is kept for ever is not pushed out by many that are kept for two days: they go first.
static void
test_spans_side_by_side(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, 10);
    int64_t now = RANDOM_NOW;
    struct fact lasting = placed(1, 5, 3, UINT16_MAX, now);
    assert_true(shown_win(&pool.shown, &lasting));
    shown_deliver(&pool.shown, &lasting, lasting.at);
    for (unsigned i = 1; i <= 30; i++) {
        struct fact fact = placed(1, 5, 3, 1, now + i * MINUTE);
        assert_true(shown_win(&pool.shown, &fact));
        shown_deliver(&pool.shown, &fact, fact.at);
    }
    assert_int_equal(length(&pool.shown, 1), BOUND_CAP_COUNT + 1);
    shown_reclaim(&pool.shown, (usec){now + 3 * USEC_DAY});
    assert_int_equal(length(&pool.shown, 1), 1);
    arena_close(pool.arena);
}

// A full pool: sales stop first, marks go on, and time makes room again.
static void
test_full(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, 64);
    int64_t now = RANDOM_NOW;
    uint64_t customer = 1;
    for (; shown_has_room(&pool.shown, customer); customer++) {
        for (unsigned i = 0; i < 5; i++) {
            struct fact fact = placed(customer, 1 + i, 3, 1, now);
            assert_true(shown_win(&pool.shown, &fact));
            shown_deliver(&pool.shown, &fact, fact.at);
        }
    }
    assert_true(customer > 50 && customer < 64);
    assert_true(shown_mark_has_room(&pool.shown, customer));
    assert_true(shown_mark(&pool.shown, customer, SHOWN_REFUND, (usec){now}));
    while (shown_mark_has_room(&pool.shown, ++customer))
        assert_true(shown_mark(&pool.shown, customer, SHOWN_REFUND, (usec){now}));
    assert_false(shown_mark(&pool.shown, customer, SHOWN_REFUND, (usec){now}));
    struct fact fact = placed(customer, 1, 3, 1, now);
    assert_false(shown_win(&pool.shown, &fact));
    assert_int_equal(length(&pool.shown, customer), 0);
    unsigned turns = 0;
    for (; !shown_has_room(&pool.shown, customer); turns++)
        shown_reclaim(&pool.shown, (usec){now + 2 * USEC_DAY});
    assert_true(turns <= 5);  // 12 blocks a turn when it is full
    assert_true(shown_win(&pool.shown, &fact));
    arena_close(pool.arena);
}

// --- Against a plain list ------------------------------------------------------------------------
#define MODEL 6000

struct promise {
    struct fact fact;
    enum { PENDING, SHOWN, GONE } is;
    int64_t minute;
};
struct model {
    struct promise *promises;
    unsigned count;
    int64_t latest;  // the newest time that anything was judged at
};

// How often a cap on these (0, CHANNEL_COUNT: any) would count since the minute, at most as many as
// a cap can.
static unsigned
model_count(const struct model *model, uint64_t customer, uint32_t message, unsigned channel,
            int64_t after)
{
    unsigned count = 0;
    for (unsigned i = 0; i < model->count; i++) {
        const struct promise *promise = &model->promises[i];
        if (promise->is == GONE || promise->fact.customer != customer) continue;
        if (message != 0 && promise->fact.placement.message != message) continue;
        if (channel != CHANNEL_COUNT && promise->fact.placement.cell % CHANNEL_COUNT != channel)
            continue;
        count += promise->minute > after;
    }
    return count < BOUND_CAP_COUNT ? count : BOUND_CAP_COUNT;
}

static unsigned
shown_count(const struct shown *shown, uint64_t customer, uint32_t message, unsigned channel,
            int64_t after)
{
    struct book_shown entry = {0};
    unsigned count = 0;
    int64_t before = INT64_MAX;
    while (shown_next(shown, customer, &entry)) {
        assert_true(entry.at.us <= before);
        before = entry.at.us;
        if (entry.kind != SHOWN_MESSAGE) continue;
        if (message != 0 && entry.message != message) continue;
        if (channel != CHANNEL_COUNT && entry.channel != channel) continue;
        count += entry.at.us / MINUTE > after;
    }
    return count < BOUND_CAP_COUNT ? count : BOUND_CAP_COUNT;
}

static void
compare(const struct model *model, const struct shown *shown, struct random *random)
{
    uint64_t customer = 1 + random_below(random, 12);
    uint32_t message = random_below(random, 5);
    unsigned channel = random_below(random, 2) ? CHANNEL_COUNT : random_below(random, 3);
    // Caps of up to 7 days, asked for by every placement; pending ones whatever their age.
    int64_t after = model->latest / MINUTE - random_below(random, 7 * 1440);
    assert_int_equal(model_count(model, customer, message, channel, after),
                     shown_count(shown, customer, message, channel, after));
}

static void
test_against_a_list(void **state)
{
    (void)state;
    struct random random = {random_seed(41)};
    struct model model = {.promises = calloc(MODEL, sizeof *model.promises)};
    assert_non_null(model.promises);
    struct pool pool;
    pool_open(&pool, 40);
    int64_t now = RANDOM_NOW;
    model.latest = now;
    while (model.count < MODEL) {
        now += random_below(&random, 300) * MINUTE / 10;
        if (random_chance(&random, 2)) now -= random_below(&random, 600) * MINUTE;  // set back
        if (now > model.latest) model.latest = now;
        struct promise *old =
            model.count == 0
                ? NULL
                : &model.promises[model.count - 1 -
                                  random_below(&random, model.count < 40 ? model.count : 40)];
        uint32_t what = random_below(&random, 10);
        if (what < 5 || old == NULL) {
            struct fact fact = placed(1 + random_below(&random, 12), 1 + random_below(&random, 4),
                                      random_below(&random, 3), 7, now);
            if (!shown_has_room(&pool.shown, fact.customer)) continue;
            assert_true(shown_win(&pool.shown, &fact));
            model.promises[model.count++] = (struct promise){fact, PENDING, now / MINUTE};
        } else if (what < 9 && old->is == PENDING) {
            bool delivered = random_chance(&random, 70);
            if (delivered) shown_deliver(&pool.shown, &old->fact, (usec){now});
            else shown_cancel(&pool.shown, &old->fact);
            old->is = delivered ? SHOWN : GONE;
            old->minute = now / MINUTE;
        } else {
            shown_reclaim(&pool.shown, (usec){now});
        }
        compare(&model, &pool.shown, &random);
    }
    for (unsigned i = 0; i < model.count; i++)
        if (model.promises[i].is == PENDING) shown_cancel(&pool.shown, &model.promises[i].fact);
    for (unsigned i = 0; i < 100; i++)
        shown_reclaim(&pool.shown, (usec){model.latest + 9 * USEC_DAY});
    assert_int_equal(pool.shown.customers, 0);  // all room came back
    assert_int_equal(pool.shown.free_count, pool.shown.block_count);
    arena_close(pool.arena);
    free(model.promises);
}

// --- Memory --------------------------------------------------------------------------------------
// Customers with 4 remembered placements on average, 0 to 20 (each of 20 with a chance of a fifth):
// all of it fits in SHOWN_BYTES a customer, the index included. VENDUE_CUSTOMERS sets their number.
static void
test_memory(void **state)
{
    (void)state;
    const char *given = getenv("VENDUE_CUSTOMERS");
    uint32_t customers = given == NULL ? 100000 : (uint32_t)strtoul(given, NULL, 10);
    struct random random = {random_seed(11)};
    struct pool pool;
    pool_open(&pool, customers);
    uint64_t entries = 0;
    usec start = clock_monotonic();
    for (uint64_t customer = 1; customer <= customers; customer++) {
        unsigned count = 0;
        for (unsigned i = 0; i < 20; i++) count += random_chance(&random, 20);
        for (unsigned i = 0; i < (count == 0 ? 1 : count); i++, entries++) {
            struct fact fact = placed(customer, 1 + random_below(&random, 5000),
                                      random_below(&random, CHANNEL_COUNT), 30,
                                      RANDOM_NOW - (int64_t)i * USEC_DAY);
            CHECK(shown_win(&pool.shown, &fact));
            shown_deliver(&pool.shown, &fact, fact.at);
        }
    }
    int64_t took = clock_monotonic().us - start.us;
    const struct shown *shown = &pool.shown;
    uint64_t bytes = (uint64_t)shown->block_count * 32 + 4ull * shown->index.size;
    uint64_t used = (uint64_t)(shown->block_count - shown->free_count) * 32 +
                    4ull * shown->index.size;
    printf("%u customers, %llu placements: %llu bytes in all (%.1f a customer), %llu of them used "
           "(%.1f); %.0f ns a placement won and delivered\n",
           customers, (unsigned long long)entries, (unsigned long long)bytes,
           (double)bytes / customers, (unsigned long long)used, (double)used / customers,
           1e3 * (double)took / (double)entries);
    assert_int_equal(shown->customers, customers);
    assert_true(bytes <= (uint64_t)SHOWN_BYTES * customers);
    for (uint64_t customer = 1; customer <= customers; customer += 997)
        assert_true(length(shown, customer) >= 1);
    arena_close(pool.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story),        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_one_customer), cmocka_unit_test(test_spans_side_by_side),
        cmocka_unit_test(test_full),         cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
