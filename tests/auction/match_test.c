// The index against its exhaustive twin: the bids that address the slot, pass the static tests and
// have a true seat rule and message rule come out, in the catalog's order and once, and no others.
// Random markets, contacts and slots, small ones and such that every part of the index is in use.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "../../auction/match.h"
#include "fact.h"
#include "random_market.h"

struct tally {
    uint64_t searches, given, first, empty;
};

// May win by all that the index promises to know; written without it.
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
compare(const struct catalog *catalog, const struct contact *contact, struct match *match,
        struct tally *tally)
{
    match_contact(match, catalog, contact);
    for (uint32_t slot = 0; slot < catalog->slot_count; slot++) {
        match_slot(match, slot);
        uint32_t given = match_next(match), count = 0;
        for (uint32_t bid = 0; bid < catalog->bid_count; bid++) {
            bool is = eligible(catalog, &catalog->bids[bid], slot, contact);
            if (is != (given == bid)) {
                fail_msg("bid %u of %u in slot %u: %s, but next is %u", bid, catalog->bid_count,
                         slot, is ? "eligible" : "not eligible", given);
            }
            if (!is) continue;
            uint32_t next = match_next(match);
            assert_true(next > given);  // ascending, once; UINT32_MAX ends
            given = next;
            count++;
        }
        assert_int_equal(given, UINT32_MAX);
        assert_int_equal(match_next(match), UINT32_MAX);
        tally->searches++;
        tally->given += count;
        tally->first += catalog->judged_first;
        tally->empty += count == 0;
    }
}

static void
compare_contacts(struct random *random, const struct random_market *options, unsigned contacts,
                 struct tally *tally)
{
    static struct match match;
    struct catalog *catalog = random_market(random, options);
    for (unsigned c = 0; c < contacts; c++) {
        struct contact contact;
        random_contact(random, catalog, &contact);
        compare(catalog, &contact, &match, tally);
    }
    catalog_close(catalog);
}

static void
test_equals_twin(void **state)
{
    (void)state;
    struct random random = {random_seed(20261122)};
    struct tally tally = {0};
    static const uint32_t sizes[] = {0, 1, 40, 63, 64, 65, 511, 513, 700, 1500, 5000};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned round = 0; round < 4; round++) {
            struct random_market options = {
                .bids = sizes[i], .prices = 1 + random_below(&random, 60), .version = 1};
            compare_contacts(&random, &options, 30, &tally);
        }
    }
    printf("%llu searches, %llu bids given, %llu searches without any\n",
           (unsigned long long)tally.searches, (unsigned long long)tally.given,
           (unsigned long long)tally.empty);
    assert_true(tally.searches >= 1000 && tally.given > 10000 && tally.empty > 0);
}

// More words and bounds than rows: words share a row, bounds are thinned, and nothing gets lost.
static void
test_shared_rows(void **state)
{
    (void)state;
    struct random random = {random_seed(254)};
    struct tally tally = {0};
    for (unsigned round = 0; round < 4; round++) {
        struct random_market options = {.bids = 1500, .messages = 700, .prices = 50, .version = 1};
        compare_contacts(&random, &options, 100, &tally);
    }
    assert_true(tally.given > 10000);
}

// All bids for one slot only, and none: the two ends of how slots are restricted.
static void
test_for_slots(void **state)
{
    (void)state;
    struct random random = {random_seed(12)};
    struct tally tally = {0};
    for (unsigned round = 0; round < 8; round++) {
        struct random_market options = {.bids = round < 6 ? 2000 : 7, .prices = 50, .version = 1};
        options.for_slots = round % 2 ? 100 : 101;
        compare_contacts(&random, &options, 40, &tally);
    }
    assert_true(tally.given > 10000);
}

// So many bids that those beyond the dearest stand in clusters, with few and with many words; and
// with so many that are judged first that these do too.
static void
test_clusters(void **state)
{
    (void)state;
    struct random random = {random_seed(4096)};
    struct tally tally = {0};
    for (unsigned round = 0; round < 8; round++) {
        struct random_market options = {.bids = 22000 + random_below(&random, 4000),
                                        .messages = round % 4 == 0 ? 0 : 200u << round,
                                        .prices = 1000,
                                        .version = 1,
                                        .for_slots = round == 5   ? 100
                                                     : round == 6 ? 101
                                                                  : 0};
        if (round % 2) random_market_everything(&options);
        if (round == 2) options.bids = 60000;  // several windows
        compare_contacts(&random, &options, round == 2 ? 2 : 4, &tally);
    }
    printf("%llu searches, %llu bids given, %llu bids judged first\n",
           (unsigned long long)tally.searches, (unsigned long long)tally.given,
           (unsigned long long)tally.first);
    assert_true(tally.given > 10000 && tally.first > 10000);
}

// Every sort of bid at once, ended searches and searches of another slot begun in between.
static void
test_early_ends(void **state)
{
    (void)state;
    struct random random = {random_seed(99)};
    struct random_market options = {.bids = 22000, .messages = 3000, .prices = 100, .version = 1};
    random_market_everything(&options);
    struct catalog *catalog = random_market(&random, &options);
    static struct match whole, match;
    for (unsigned c = 0; c < 40; c++) {
        struct contact contact;
        random_contact(&random, catalog, &contact);
        match_contact(&match, catalog, &contact);
        for (unsigned turn = 0; turn < 10; turn++) {
            uint32_t slot = random_below(&random, catalog->slot_count);
            uint32_t most = random_below(&random, 1u << random_below(&random, 12));
            match_contact(&whole, catalog, &contact);
            match_slot(&whole, slot);
            match_slot(&match, slot);
            for (uint32_t i = 0; i <= most; i++) {
                uint32_t bid = match_next(&match);
                assert_int_equal(bid, match_next(&whole));
                if (bid == UINT32_MAX) break;
            }
        }
    }
    catalog_close(catalog);
}

static void
test_dearest(void **state)
{
    (void)state;
    struct random random = {random_seed(7)};
    for (unsigned round = 0; round < 20; round++) {
        struct random_market options = {
            .bids = random_below(&random, 60), .prices = 5, .version = 1};
        if (round % 2) random_market_everything(&options);
        struct catalog *catalog = random_market(&random, &options);
        for (uint32_t slot = 0; slot < catalog->slot_count; slot++) {
            for (uint32_t from = 0; from <= catalog->bid_count; from++) {
                uint32_t bid = from;
                while (bid < catalog->bid_count &&
                       (catalog->bids[bid].state == BID_WITHDRAWN ||
                        !match_addresses(catalog, &catalog->bids[bid], slot)))
                    bid++;
                if (bid == catalog->bid_count) bid = UINT32_MAX;
                assert_int_equal(match_dearest(catalog, slot, from), bid);
            }
        }
        catalog_close(catalog);
    }
}

// The ladder's needs, rung by rung.
static void
test_rungs_open(void **state)
{
    (void)state;
    unsigned profiling = 1u << CONSENT_PROFILING, modelling = 1u << CONSENT_MODELLING,
             third = 1u << CONSENT_THIRD_PARTY;
    assert_int_equal(match_rungs_open(IDENTITY_ANONYMOUS, 0), 0x01);
    assert_int_equal(match_rungs_open(IDENTITY_ANONYMOUS, profiling), 0x03);
    assert_int_equal(match_rungs_open(IDENTITY_FIRST_TIME, profiling), 0x07);
    assert_int_equal(match_rungs_open(IDENTITY_REPEAT, profiling), 0x0f);
    assert_int_equal(match_rungs_open(IDENTITY_REPEAT, modelling), 0x11);
    assert_int_equal(match_rungs_open(IDENTITY_FIRST_TIME, modelling), 0x01);
    assert_int_equal(match_rungs_open(IDENTITY_ANONYMOUS, third), 0xe1);
    assert_int_equal(match_rungs_open(IDENTITY_REPEAT, 1u << CONSENT_SHARING), 0x01);
    assert_int_equal(match_rungs_open(IDENTITY_REPEAT, profiling | modelling | third), 0xff);
}

static void
test_seat_kinds(void **state)
{
    (void)state;
    for (unsigned rung = 0; rung < RUNG_COUNT; rung++) {
        assert_int_equal(match_seat_kind_admits(SEAT_DEPARTMENT, rung), rung <= 4 || rung == 7);
        assert_int_equal(match_seat_kind_admits(SEAT_PARTNER, rung), rung >= 5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_twin), cmocka_unit_test(test_shared_rows),
        cmocka_unit_test(test_for_slots),   cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_early_ends),  cmocka_unit_test(test_dearest),
        cmocka_unit_test(test_rungs_open),  cmocka_unit_test(test_seat_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
