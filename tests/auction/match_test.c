// The index against its exhaustive twin: every bid that addresses the slot, passes the static tests
// and has a true seat rule and message rule comes out, dearest first and once; nothing comes out
// that the slot does not take. Random markets, contacts and slots.
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
    uint64_t searches, given, eligible, empty;
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
            bool out = given == bid;
            if (eligible(catalog, &catalog->bids[bid], slot, contact)) {
                assert_true(out);
                tally->eligible++;
            }
            if (!out) continue;
            const struct catalog_bid *is = &catalog->bids[bid];
            assert_int_equal(
                match_admission(catalog, &catalog->slots[slot], &catalog->messages[is->message]),
                REASON_NONE);
            assert_true(is->slot == UINT32_MAX || is->slot == slot);
            uint32_t next = match_next(match);
            assert_true(next > given);  // dearest first, once; UINT32_MAX ends
            given = next;
            count++;
        }
        assert_int_equal(given, UINT32_MAX);
        assert_int_equal(match_next(match), UINT32_MAX);
        tally->searches++;
        tally->given += count;
        tally->empty += count == 0;
    }
}

static void
compare_contacts(struct random *random, const struct random_market *options, unsigned contacts,
                 struct tally *tally)
{
    struct match match;
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
    printf("%llu searches, %llu bids given, %llu of them eligible, %llu searches without any\n",
           (unsigned long long)tally.searches, (unsigned long long)tally.given,
           (unsigned long long)tally.eligible, (unsigned long long)tally.empty);
    assert_true(tally.searches >= 1000 && tally.eligible > 10000 && tally.empty > 0);
    // The index is worth its name: most of what it gives is eligible.
    assert_true(tally.eligible * 10 >= tally.given * 6);
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
    assert_true(tally.eligible > 10000);
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
    assert_true(tally.eligible > 10000);
}

static void
test_dearest(void **state)
{
    (void)state;
    struct random random = {random_seed(7)};
    for (unsigned round = 0; round < 20; round++) {
        struct random_market options = {
            .bids = random_below(&random, 60), .prices = 5, .version = 1};
        struct catalog *catalog = random_market(&random, &options);
        for (uint32_t slot = 0; slot < catalog->slot_count; slot++) {
            uint32_t from = 0;
            for (uint32_t bid = 0; bid < catalog->bid_count; bid++) {
                if (catalog->bids[bid].state == BID_WITHDRAWN ||
                    !match_addresses(catalog, &catalog->bids[bid], slot))
                    continue;
                assert_int_equal(match_dearest(catalog, slot, from), bid);
                from = bid + 1;
            }
            assert_int_equal(match_dearest(catalog, slot, from), UINT32_MAX);
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
        cmocka_unit_test(test_for_slots),   cmocka_unit_test(test_dearest),
        cmocka_unit_test(test_rungs_open),  cmocka_unit_test(test_seat_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
