// Two rings that run together: contacts, and their facts. Both forget the oldest first.
//
// Invariants
//   (1) facts of one contact follow each other in the fact ring, in the order they were decided
//   (2) fact_first is the first fact of the oldest contact kept; ends never pass starts by more
//       than room
//   (3) a key in the probe leads to the newest contact of that key
#include "recent.h"

#include <string.h>

#include "fail.h"

#define FACTS_A_CONTACT 6  // on average; contacts with more slots are kept in smaller number

void
recent_open(struct recent *recent, struct arena *arena, uint32_t contacts)
{
    *recent = (struct recent){.contact_room = contacts};
    recent->fact_room = contacts * FACTS_A_CONTACT + BOUND_OUTCOME_FACTS;
    recent->contacts = arena_take(arena, contacts, sizeof *recent->contacts);
    recent->facts = arena_take(arena, recent->fact_room, sizeof *recent->facts);
    probe_open(&recent->probe, arena, contacts);
}

static uint64_t
hash_of(struct id key)
{
    uint64_t half;
    memcpy(&half, key.bytes, sizeof half);
    return hash_mix(half);
}

static void
forget_oldest(struct recent *recent)
{
    uint32_t item = (uint32_t)(recent->contact_first++ % recent->contact_room);
    struct recent_contact *contact = &recent->contacts[item];
    if (contact->listed) probe_drop(&recent->probe, hash_of(contact->key), item);
    recent->fact_first = contact->first + contact->expected;
}

static uint32_t
find(const struct recent *recent, struct id key)
{
    uint64_t hash = hash_of(key);
    uint32_t at = probe_start(&recent->probe, hash), item;
    while ((item = probe_next(&recent->probe, hash, &at)) != PROBE_NONE) {
        if (id_same(recent->contacts[item].key, key)) break;
    }
    return item;
}

void
recent_add(struct recent *recent, const struct fact *opened, struct id key)
{
    uint8_t expected = (uint8_t)(1 + opened->opened.slots);
    while (recent->contact_end - recent->contact_first >= recent->contact_room ||
           recent->fact_end + expected - recent->fact_first > recent->fact_room)
        forget_oldest(recent);
    uint32_t item = find(recent, key);
    if (item != PROBE_NONE) {  // decided anew after it had been forgotten by a smaller book
        recent->contacts[item].listed = false;
        probe_drop(&recent->probe, hash_of(key), item);
    }
    item = (uint32_t)(recent->contact_end++ % recent->contact_room);
    recent->contacts[item] = (struct recent_contact){key, recent->fact_end, expected, 1, true};
    recent->facts[recent->fact_end % recent->fact_room] = *opened;
    recent->fact_end += expected;
    probe_put(&recent->probe, hash_of(key), item);
    probe_expect(&recent->probe,
                 hash_of(recent->contacts[recent->contact_first % recent->contact_room].key));
}

bool
recent_awaits(const struct recent *recent, const struct fact *fact)
{
    if (recent->contact_end == recent->contact_first) return false;
    const struct recent_contact *contact =
        &recent->contacts[(recent->contact_end - 1) % recent->contact_room];
    return contact->count < contact->expected &&
           id_same(recent_fact(recent, contact, 0)->contact, fact->contact);
}

void
recent_outcome(struct recent *recent, const struct fact *fact)
{
    struct recent_contact *contact =
        &recent->contacts[(recent->contact_end - 1) % recent->contact_room];
    CHECK(contact->count < contact->expected);
    recent->facts[(contact->first + contact->count++) % recent->fact_room] = *fact;
}

const struct recent_contact *
recent_find(const struct recent *recent, struct id key)
{
    uint32_t item = find(recent, key);
    return item == PROBE_NONE ? NULL : &recent->contacts[item];
}

const struct fact *
recent_fact(const struct recent *recent, const struct recent_contact *contact, unsigned i)
{
    CHECK(i < contact->expected);
    return &recent->facts[(contact->first + i) % recent->fact_room];
}
