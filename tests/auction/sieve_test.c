// The sieve over changed bids against what is true of each: none that could be eligible is left
// out, most others are, and what is left comes in the order of the overlay. Bids are put, changed,
// paused and moved to other slots and messages at random, and catalogs of other rules take over.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../auction/match.h"
#include "../../auction/sieve.h"
#include "fact.h"
#include "random_market.h"

#define IDS 700u  // more than a block of columns

struct tally {
    uint64_t bids, stopped, left_out, eligible;
};

// Could win by all that does not change with time; written without the sieve.
static bool
eligible(const struct catalog *catalog, const struct catalog_bid *bid, uint32_t slot_index,
         const struct contact *contact)
{
    const struct catalog_slot *slot = &catalog->slots[slot_index];
    const struct catalog_message *message = &catalog->messages[bid->message];
    const struct catalog_seat *seat = &catalog->seats[bid->seat];
    if (bid->state != BID_ACTIVE || seat->paused) return false;
    if (bid->slot != UINT32_MAX && bid->slot != slot_index) return false;
    if (match_admission(catalog, slot, message) != REASON_NONE) return false;
    if ((match_rungs_open(contact->identity, contact->consent) & 1u << message->rung) == 0)
        return false;
    if (contact->condition == CONDITION_DISTRESSED && !match_serves(message->objectives))
        return false;
    return expr_true_with(&seat->rule, &contact->values, &slot->values, NULL) &&
           expr_true_with(&message->rule, &contact->values, &slot->values, NULL);
}

static void
put(struct random *random, struct book *book, const struct catalog *catalog, uint64_t batch)
{
    const struct catalog_message *message =
        &catalog->messages[random_below(random, catalog->message_count)];
    struct fact fact = {.kind = FACT_BID, .role = ROLE_SEAT};
    fact.bid.bid = 1 + random_below(random, IDS);
    fact.bid.seat = (uint16_t)catalog->seats[message->seat].id;
    fact.bid.message = random_chance(random, 3) ? 99999 : message->id;
    fact.bid.state = random_chance(random, 10)   ? BID_WITHDRAWN
                     : random_chance(random, 10) ? BID_PAUSED
                                                 : BID_ACTIVE;
    if (random_chance(random, 40))
        fact.bid.slot = catalog->slots[random_below(random, catalog->slot_count)].id;
    fact.bid.kind = (uint8_t)(random_chance(random, 70) ? 0
                                                        : random_below(random, PRICE_KIND_COUNT));
    fact.bid.price = money_of(1 + random_below(random, 50));
    struct catalog_position position = {1, 1, batch};
    assert_int_equal(book_apply(book, &fact, position), STATUS_OK);
}

static void
compare(struct random *random, const struct catalog *catalog, const struct book *book,
        struct match *match, struct tally *tally)
{
    struct contact contact;
    struct book_bids bids = book_overlay(book);
    random_contact(random, catalog, &contact);
    match_contact(match, catalog, &contact);
    for (uint32_t slot = 0; slot < catalog->slot_count; slot++) {
        match_slot(match, slot);
        sieve_slot(match, book);
        uint32_t given = sieve_next(match, book, 0);
        for (uint32_t place = 0; place < bids.count; place++) {
            bool is = eligible(catalog, &bids.bids[place], slot, &contact), left = given == place;
            if (is && !left) fail_msg("bid %u of %u left out of slot %u", place, bids.count, slot);
            tally->bids++;
            tally->eligible += is;
            tally->stopped += !is;
            tally->left_out += !left;
            if (!left) continue;
            uint32_t next = sieve_next(match, book, place + 1);
            assert_true(next > place && next <= bids.count);
            given = next;
        }
        assert_int_equal(given, bids.count);
    }
}

static void
test_against_rules(void **state)
{
    (void)state;
    static struct match match;
    struct random random = {random_seed(20261123)};
    struct tally tally = {0};
    struct book_limits limits = book_limits_default;
    limits.overlay = IDS;
    for (unsigned market = 0; market < 6; market++) {
        struct random_market options = {
            .bids = 200, .messages = market % 2 ? 300 : 0, .prices = 20, .version = 1};
        random_market_everything(&options);
        options.lasting = market + 1;
        struct catalog *catalog = random_market(&random, &options);
        struct book *book = book_open(&limits);
        book_catalog(book, catalog);
        for (uint64_t step = 1; step <= 1500; step++) {
            put(&random, book, catalog, step);
            if (step % 30 == 0) compare(&random, catalog, book, &match, &tally);
            if (step % 250 != 0) continue;
            struct catalog *old = catalog;
            options.version++;
            options.position = (struct catalog_position){1, 1, step - random_below(&random, 300)};
            if (step < 300) options.position.batch = 0;
            catalog = random_market(&random, &options);
            book_catalog(book, catalog);
            catalog_close(old);
            compare(&random, catalog, book, &match, &tally);
        }
        book_close(book);
        catalog_close(catalog);
    }
    printf("%llu bids looked at, %llu eligible, %llu of %llu others left out\n",
           (unsigned long long)tally.bids, (unsigned long long)tally.eligible,
           (unsigned long long)tally.left_out, (unsigned long long)tally.stopped);
    assert_true(tally.eligible > 10000 && tally.left_out > tally.stopped * 3 / 4);
}

// Catalogs with many rows and with few take turns, and take over what changed: nothing that one
// wrote is left for the next but one.
static void
test_plans_take_turns(void **state)
{
    (void)state;
    static struct match match;
    struct random random = {random_seed(20261124)};
    struct tally tally = {0};
    struct book_limits limits = book_limits_default;
    limits.overlay = IDS;
    struct book *book = book_open(&limits);
    struct catalog *catalog = NULL;
    uint64_t batch = 0;
    for (unsigned turn = 0; turn < 60; turn++) {
        struct random_market options = {.bids = 20,
                                        .messages = turn % 3 == 1 ? 2 : 300,
                                        .prices = 20,
                                        .version = 1 + turn,
                                        .position = {1, 1, batch}};
        random_market_everything(&options);
        struct catalog *old = catalog;
        catalog = random_market(&random, &options);
        book_catalog(book, catalog);
        catalog_close(old);
        // Few under the small one: the next writes fewer columns than it found.
        for (unsigned i = turn % 3 == 1 ? 2 : 160; i > 0; i--) put(&random, book, catalog, ++batch);
        for (unsigned i = 0; i < 4; i++) compare(&random, catalog, book, &match, &tally);
    }
    assert_true(tally.eligible > 1000);
    book_close(book);
    catalog_close(catalog);
}

// A book without a catalog, or under another than the search's: nothing is left out.
static void
test_other_catalog(void **state)
{
    (void)state;
    static struct match match;
    struct random random = {random_seed(5)};
    struct random_market options = {.bids = 20, .prices = 20, .version = 1};
    struct catalog *catalog = random_market(&random, &options),
                   *other = random_market(&random, &options);
    struct book *book = book_open(&book_limits_default);
    struct contact contact;
    random_contact(&random, other, &contact);
    match_contact(&match, other, &contact);
    match_slot(&match, 0);
    sieve_slot(&match, book);
    assert_int_equal(sieve_next(&match, book, 0), 0);
    book_catalog(book, catalog);
    for (uint64_t step = 1; step < 50; step++) put(&random, book, catalog, step);
    sieve_slot(&match, book);
    uint32_t count = book_overlay(book).count;
    for (uint32_t place = 0; place <= count; place++)
        assert_int_equal(sieve_next(&match, book, place), place);
    book_close(book);
    catalog_close(other);
    catalog_close(catalog);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_rules),
                                       cmocka_unit_test(test_plans_take_turns),
                                       cmocka_unit_test(test_other_catalog)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
