// Recent contacts: two rings that forget together, over many sizes of contact.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../auction/recent.h"
#include "random_market.h"

#define ROOM 8u
#define CONTACTS 600u

static struct fact
opened(uint32_t number, uint8_t slots)
{
    struct fact fact = {.kind = FACT_CONTACT, .at = {number}};
    fact.contact = hash_id("contact", &number, sizeof number);
    fact.contact.bytes[15] &= 0xf0;
    fact.opened.slots = slots;
    return fact;
}

static struct id
key(uint32_t number)
{
    return hash_id("key", &number, sizeof number);
}

// The newest contacts are there with all their facts, as many as the rings hold; no other is.
static void
test_rings(void **state)
{
    (void)state;
    struct random random = {random_seed(3)};
    struct arena *arena = arena_open("test");
    struct recent recent;
    uint8_t slots[CONTACTS];
    unsigned least = ROOM;
    recent_open(&recent, arena, ROOM);
    for (uint32_t i = 0; i < CONTACTS; i++) {
        bool large = i / 100 % 2;
        slots[i] = (uint8_t)(large ? BOUND_SLOTS : random_below(&random, 4));
        struct fact fact = opened(i, slots[i]), stray = opened(i + 7777, 0);
        recent_add(&recent, &fact, key(i));
        assert_false(recent_awaits(&recent, &stray));
        for (uint8_t slot = 1; slot <= slots[i]; slot++) {
            fact.kind = FACT_UNFILLED;
            fact.position = slot;
            assert_true(recent_awaits(&recent, &fact));
            recent_outcome(&recent, &fact);
        }
        assert_false(recent_awaits(&recent, &fact));  // one too many
        unsigned kept = 0;
        for (uint32_t back = 0; back <= i && back < 2 * ROOM; back++) {
            const struct recent_contact *contact = recent_find(&recent, key(i - back));
            if (contact == NULL) continue;
            assert_int_equal(kept++, back);  // without a gap
            assert_int_equal(contact->count, 1 + slots[i - back]);
            for (unsigned f = 0; f < contact->count; f++) {
                const struct fact *is = recent_fact(&recent, contact, f);
                assert_int_equal(is->at.us, i - back);
                assert_int_equal(is->position, f);
            }
        }
        assert_true(kept >= 1 && kept <= ROOM);
        if (i > ROOM && kept < least) least = kept;
    }
    assert_true(least < ROOM);  // large contacts are kept in smaller number
    arena_close(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
