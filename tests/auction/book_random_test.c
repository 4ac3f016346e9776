// The book under random facts of every kind, times that jump included, against sums over a plain
// list of them: spend of the whole budget tree by day, deals, what is learned, states, windows; and
// at any prefix the same facts give the same book.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "event.h"
#include "fail.h"
#include "random_market.h"

#define PLACEMENTS 4000
#define FACTS 30000
#define MESSAGES 12u
#define DAYS 3u

static const struct book_limits limits = {.contacts = 50,
                                          .retries = 300,
                                          .placements = PLACEMENTS,
                                          .customers = 60,
                                          .rates = 20,
                                          .orders = 4000,
                                          .overlay = 16};

struct one {
    struct fact fact;
    enum placement_state state;
    bool complained, accepted;
    bool back;     // its price was given back
    int64_t ends;  // of its window, while it is open
    int64_t converted, refunded;
    uint32_t orders;
};
struct world {
    struct random random;
    struct book *book;
    usec now;
    struct one *ones;
    uint32_t count, contacts;
    struct fact *facts;
    uint32_t fact_count;
};

// Waits for a response; for a conversion.
static bool
for_response(const struct one *one)
{
    uint8_t kind = one->fact.placement.kind;
    return kind == PRICE_RESPONSE ||
           (kind == PRICE_PLACEMENT && one->fact.placement.charge == CHARGE_RESPONSE);
}

static bool
for_conversion(const struct one *one)
{
    return one->fact.placement.kind == PRICE_PLACEMENT &&
           one->fact.placement.charge == CHARGE_CONVERSION;
}

static bool
is_open(const struct one *one)
{
    bool shown = one->state == PLACEMENT_DELIVERED || one->state == PLACEMENT_ACCEPTED;
    return one->state == PLACEMENT_HELD ||
           (one->state == PLACEMENT_DELIVERED && for_response(one)) ||
           (shown && for_conversion(one) && one->orders == 0);
}

static bool
is_counted(const struct one *one)
{
    const struct fact *fact = &one->fact;
    bool at_win = fact->placement.charge == CHARGE_WIN;
    if (fact->placement.kind == PRICE_SHARE) return false;
    return (fact->placement.kind == PRICE_PLACEMENT && at_win) || !one->back;
}

static void
note(struct world *world, const struct fact *fact)
{
    struct catalog_position position = {1, 1, world->fact_count + 1};
    CHECK(world->fact_count < FACTS);
    enum status status = book_apply(world->book, fact, position);
    if (status != STATUS_OK)
        fail_msg("%s: %s", fact_kind_name((enum fact_kind)fact->kind), status_text(status));
    world->facts[world->fact_count++] = *fact;
}

// --- Steps ---------------------------------------------------------------------------------------
// A message's seat, campaign, rung follow from its number, as in a market.
static void
fill_placement(struct world *world, struct fact *fact)
{
    struct random *random = &world->random;
    uint32_t message = 1 + random_below(random, MESSAGES);
    fact->kind = FACT_PLACEMENT;
    fact->placement.message = message;
    fact->placement.seat = message / 4;
    fact->placement.campaigns[0] = (uint16_t)(message / 2);
    fact->placement.campaigns[1] = (uint16_t)(message / 2 > 0 ? 100 + message / 4 : 0);
    fact->placement.rung = (uint8_t)(message % RUNG_COUNT);
    fact->placement.cell = (uint8_t)(13 * random_below(random, 4));
    fact->placement.kind = (uint8_t)random_below(random, PRICE_KIND_COUNT);
    fact->placement.price = money_of(1 + random_below(random, 1000000));
    fact->placement.charge = (uint8_t)random_below(random, CHARGE_COUNT);
    fact->placement.deal = (uint16_t)(message % 3);
    fact->placement.day = (uint16_t)(20000 + random_below(random, DAYS));
    fact->placement.cap_days = random_chance(random, 60) ? (uint16_t)(1 + message) : 0;
    fact->placement.expires.us = world->now.us + (1 + random_below(random, 20)) * USEC_DAY;
    fact->placement.bid = 1;
}

static void
contact(struct world *world)
{
    struct random *random = &world->random;
    struct fact opened = {.kind = FACT_CONTACT, .party = 5, .at = world->now};
    uint8_t slots = (uint8_t)(1 + random_below(random, 4));
    uint64_t customer = random_below(random, 30);
    if (!book_has_room(world->book, slots)) return;
    bool caps = book_shown_has_room(world->book, customer);
    opened.contact = hash_id("contact", &world->contacts, sizeof world->contacts);
    opened.contact.bytes[15] &= 0xf0;
    opened.customer = customer;
    opened.opened.slots = slots;
    snprintf(opened.opened.key, sizeof opened.opened.key, "%u", world->contacts++);
    note(world, &opened);
    for (uint8_t i = 1; i <= slots; i++) {
        struct fact fact = {.kind = FACT_UNFILLED, .party = 5, .position = i, .at = world->now};
        fact.contact = opened.contact;
        fact.customer = customer;
        if (world->count < PLACEMENTS && random_chance(random, 80)) fill_placement(world, &fact);
        if (fact.kind == FACT_PLACEMENT && !caps) fact.placement.cap_days = 0;
        note(world, &fact);
        if (fact.kind != FACT_PLACEMENT) continue;
        world->ones[world->count++] = (struct one){
            .fact = fact, .state = PLACEMENT_HELD, .ends = fact.placement.expires.us};
    }
    for (enum fact_kind kind = FACT_CANDIDATES; kind <= FACT_CALLOUTS; kind++) {
        struct fact record = {.kind = (uint8_t)kind, .position = 1, .at = world->now};
        memset(record.bytes, 0xff, sizeof record.bytes);
        record.contact = opened.contact;
        note(world, &record);
    }
}

static struct fact
about(const struct world *world, const struct one *one, enum fact_kind kind)
{
    struct fact fact = {.kind = (uint8_t)kind,
                        .party = one->fact.party,
                        .position = one->fact.position,
                        .at = world->now,
                        .contact = one->fact.contact,
                        .customer = one->fact.customer};
    return fact;
}

static void
revenue(struct world *world, struct one *one)
{
    bool refund = one->converted > one->refunded && random_chance(&world->random, 40);
    struct fact fact = about(world, one, refund ? FACT_REFUNDED : FACT_CONVERTED);
    int64_t amount = refund ? one->converted - one->refunded
                            : 1 + random_below(&world->random, 500000);
    if (refund && one->orders > 1) return;  // one order each is enough
    if (!refund && one->orders > 0 && one->refunded > 0) return;
    fact.revenue.amount = money_of(amount);
    fact.revenue.order = fact_placement(&one->fact);
    fact.revenue.order.bytes[0] = (uint8_t)(refund ? 0 : one->orders++);
    fact.revenue.effective = world->now;
    if (refund && one->orders != 1) return;
    snprintf(fact.revenue.key, sizeof fact.revenue.key, "r%lld", (long long)one->refunded);
    note(world, &fact);
    *(refund ? &one->refunded : &one->converted) += amount;
}

static void
event(struct world *world)
{
    struct random *random = &world->random;
    if (world->count == 0) return;
    uint32_t recent = world->count < 60 ? world->count : 60;
    struct one *one = &world->ones[world->count - 1 - random_below(random, recent)];
    uint32_t choice = random_below(random, 10);
    enum fact_kind kind = FACT_NONE;
    if (one->state == PLACEMENT_HELD) {
        kind = choice < 7 ? FACT_DELIVERED : FACT_CANCELLED;
        one->state = choice < 7 ? PLACEMENT_DELIVERED : PLACEMENT_CANCELLED;
        one->back = choice >= 7;
        one->ends = world->now.us + BOUND_RESPONSE_DAYS * USEC_DAY;
    } else if (one->state == PLACEMENT_DELIVERED && choice < 5) {
        kind = choice < 3 ? FACT_ACCEPTED : FACT_DECLINED;
        one->back = choice >= 3 && is_open(one);
        one->accepted = choice < 3;
        one->state = choice < 3 ? PLACEMENT_ACCEPTED : PLACEMENT_DECLINED;
    } else if (one->state != PLACEMENT_CANCELLED && one->state != PLACEMENT_EXPIRED) {
        if (choice == 9 && !one->complained) {
            kind = FACT_COMPLAINED;
            one->complained = true;
        } else if (one->state != PLACEMENT_DECLINED) {
            revenue(world, one);
        }
    }
    if (kind == FACT_NONE) return;
    struct fact fact = about(world, one, kind);
    fact.event.effective = world->now;
    note(world, &fact);
}

static void
expire(struct world *world)
{
    struct id placement;
    while (book_next_expired(world->book, world->now, &placement)) {
        struct one *one = world->ones;
        while (!id_same(fact_placement(&one->fact), placement)) one++;
        assert_true(is_open(one) && one->ends <= world->now.us);
        struct fact fact;
        event_expire(world->book, placement, world->now, &fact);
        bool held = one->state == PLACEMENT_HELD;
        assert_int_equal(fact.kind, held ? FACT_EXPIRED : FACT_LAPSED);
        assert_int_equal(fact.event.effective.us, one->ends);
        one->state = held ? PLACEMENT_EXPIRED : PLACEMENT_LAPSED;
        one->back = true;
        note(world, &fact);
    }
    for (uint32_t i = 0; i < world->count; i++)
        assert_true(!is_open(&world->ones[i]) || world->ones[i].ends > world->now.us);
}

// --- Judging -------------------------------------------------------------------------------------
static void
check_spend(const struct world *world)
{
    static int64_t all[BUDGET_OF_COUNT][128][1 + DAYS];
    static uint32_t deals[3][DAYS];
    memset(all, 0, sizeof all);
    memset(deals, 0, sizeof deals);
    for (uint32_t i = 0; i < world->count; i++) {
        const struct one *one = &world->ones[i];
        const struct fact *fact = &one->fact;
        unsigned day = fact->placement.day - 20000u;
        if (one->state != PLACEMENT_CANCELLED && one->state != PLACEMENT_EXPIRED)
            deals[fact->placement.deal][day]++;
        if (!is_counted(one)) continue;
        const struct {
            enum budget_of of;
            uint32_t id;
        } lines[] = {{BUDGET_SEAT, fact->placement.seat},
                     {BUDGET_MESSAGE, fact->placement.message},
                     {BUDGET_CAMPAIGN, fact->placement.campaigns[0]},
                     {BUDGET_CAMPAIGN, fact->placement.campaigns[1]}};
        for (unsigned line = 0; line < 4; line++) {
            if (line > 1 && lines[line].id == 0) continue;
            all[lines[line].of][lines[line].id][0] += fact->placement.price.micros;
            all[lines[line].of][lines[line].id][1 + day] += fact->placement.price.micros;
        }
    }
    for (unsigned of = 0; of < BUDGET_OF_COUNT; of++) {
        for (uint32_t id = 0; id < 128; id++) {
            const int64_t *sums = all[of][id];
            assert_int_equal(book_spent(world->book, (enum budget_of)of, id).micros, sums[0]);
            for (unsigned day = 0; day < DAYS; day++)
                assert_int_equal(
                    book_spent_on(world->book, (enum budget_of)of, id, (uint16_t)(20000 + day))
                        .micros,
                    sums[1 + day]);
        }
    }
    for (unsigned deal = 1; deal < 3; deal++)
        for (unsigned day = 0; day < DAYS; day++)
            assert_int_equal(book_deal_deliveries(world->book, deal, (uint16_t)(20000 + day)),
                             deals[deal][day]);
}

static void
check_learned(const struct world *world)
{
    struct learn_counts rungs[RUNG_COUNT] = {{0}}, pairs[MESSAGES + 1][4] = {{{0}}};
    for (uint32_t i = 0; i < world->count; i++) {
        const struct one *one = &world->ones[i];
        bool delivered = one->state != PLACEMENT_HELD && one->state != PLACEMENT_CANCELLED &&
                         one->state != PLACEMENT_EXPIRED;
        struct learn_counts *levels[2] = {
            &rungs[one->fact.placement.rung],
            &pairs[one->fact.placement.message][one->fact.placement.cell / 13]};
        for (unsigned level = 0; level < 2; level++) {
            levels[level]->delivered += delivered;
            levels[level]->responded += one->accepted;
            levels[level]->converted += one->converted > 0;
            levels[level]->revenue.micros += one->converted - one->refunded;
        }
    }
    unsigned known = 0;
    for (unsigned rung = 0; rung < RUNG_COUNT; rung++) {
        struct learn_counts is = book_learned_on_rung(world->book, (enum rung)rung);
        assert_memory_equal(&is, &rungs[rung], sizeof is);
    }
    for (uint32_t message = 1; message <= MESSAGES; message++) {
        for (unsigned cell = 0; cell < 4; cell++) {
            struct learn_counts is = book_learned(world->book, message, (uint8_t)(13 * cell));
            if (is.delivered == 0) continue;  // no room for this pair
            assert_memory_equal(&is, &pairs[message][cell], sizeof is);
            known++;
        }
    }
    assert_int_equal(known, book_counts(world->book).rates);
}

static void
check_states(const struct world *world)
{
    uint64_t open = 0, responses = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        const struct one *one = &world->ones[i];
        struct book_placement found;
        open += is_open(one);
        responses += is_open(one) && (for_response(one) || for_conversion(one));
        assert_true(book_find_placement(world->book, fact_placement(&one->fact), &found));
        assert_int_equal(found.state, one->state);
        assert_int_equal(found.complained, one->complained);
        assert_int_equal(found.converted.micros, one->converted);
        assert_int_equal(found.refunded.micros, one->refunded);
    }
    assert_int_equal(book_counts(world->book).placements_held, open);
    assert_int_equal(book_counts(world->book).placements_responses, responses);
}

static void
check_fold(const struct world *world)
{
    struct book *again = book_open(&limits);
    for (uint32_t i = 0; i < world->fact_count; i++) {
        struct catalog_position position = {1, 1, i + 1};
        assert_int_equal(book_apply(again, &world->facts[i], position), STATUS_OK);
    }
    assert_true(digest_same(book_digest(again), book_digest(world->book)));
    book_close(again);
}

static void
test_random_facts(void **state)
{
    (void)state;
    uint64_t seed = random_seed(61);
    for (unsigned turn = 0; turn < 6; turn++) {
        struct world world = {.random = {seed + turn}, .book = book_open(&limits)};
        world.now.us = RANDOM_NOW;
        world.ones = calloc(PLACEMENTS, sizeof *world.ones);
        world.facts = calloc(FACTS, sizeof *world.facts);
        CHECK(world.ones != NULL && world.facts != NULL);
        for (unsigned step = 0; step < 4000 && world.fact_count < FACTS - 100; step++) {
            world.now.us += random_below(&world.random, 7200) * USEC_SECOND;
            if (random_chance(&world.random, 1))
                world.now.us -= random_below(&world.random, 5) * USEC_DAY;
            expire(&world);
            if (random_chance(&world.random, 30)) contact(&world);
            else event(&world);
            if (step % 500 != 499) continue;
            check_spend(&world);
            check_learned(&world);
            check_states(&world);
            check_fold(&world);
        }
        struct book_counts counts = book_counts(world.book);
        printf("%u facts, %u placements, %llu customers kept, %llu pairs, %llu marks lost\n",
               world.fact_count, world.count, (unsigned long long)counts.customers,
               (unsigned long long)counts.rates, (unsigned long long)counts.marks_lost);
        assert_true(world.count > 500);
        book_close(world.book);
        free(world.ones);
        free(world.facts);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_facts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
