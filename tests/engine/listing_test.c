// The listing of a random catalog's bids says what a look at all of them says.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "../../engine/listing.h"
#include "seed.h"

#define SEATS 7

static uint64_t chance;
static uint64_t
draw(uint64_t below)
{
    chance += 0x9e3779b97f4a7c15u;
    return hash_mix(chance) % below;
}

static void
compare(const struct catalog *catalog, const struct listing *listing, uint32_t seat, uint64_t after)
{
    struct listing_bids found = listing_of(listing, catalog, seat, after);
    uint32_t expected = 0;
    for (uint32_t i = 0; i < catalog->bid_count; i++)
        expected += catalog->bids[i].seat == seat && catalog->bids[i].id > after;
    assert_int_equal(found.count, expected);
    for (uint32_t i = 0; i < found.count; i++) {
        const struct catalog_bid *bid = &catalog->bids[found.bids[i]];
        assert_true(bid->seat == seat && bid->id > after);
        if (i > 0) assert_true(bid->id > catalog->bids[found.bids[i - 1]].id);
    }
}

static void
equals_a_look_at_all(void **state)
{
    (void)state;
    chance = seed_fresh();
    for (unsigned round = 0; round < 60; round++) {
        uint32_t count = round == 0 ? 0 : (uint32_t)draw(300);
        struct catalog_bid *bids = calloc(count + 1, sizeof *bids);
        for (uint32_t i = 0; i < count; i++)
            bids[i] = (struct catalog_bid){.id = draw(40) * 1000 + i + 1,
                                           .seat = (uint32_t)draw(SEATS - 1)};  // one has none
        struct catalog catalog = {.bids = bids, .bid_count = count, .seat_count = SEATS};
        struct listing *listing = listing_open(&catalog);
        for (uint32_t seat = 0; seat <= SEATS; seat++) {
            compare(&catalog, listing, seat == SEATS ? UINT32_MAX : seat, 0);
            for (unsigned i = 0; i < 20; i++) {
                uint64_t after = count == 0 || draw(2) == 0 ? draw(50000) : bids[draw(count)].id;
                compare(&catalog, listing, seat, after);
            }
            compare(&catalog, listing, seat, UINT64_MAX);
        }
        listing_close(listing);
        free(bids);
    }
    listing_close(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_a_look_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
