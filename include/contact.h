// A contact as the core sees it: words already turned into numbers of one catalog (attribute.h).
#ifndef VENDUE_CONTACT_H
#define VENDUE_CONTACT_H

#include <stdbool.h>
#include <string.h>

#include "bounds.h"
#include "clock.h"
#include "hash.h"
#include "terms.h"

// One value of an attribute. boolean: 0 or 1; integer: itself; text: number of the word in the
// catalog's word table, or VALUE_OTHER for a word no rule mentions; list: a span of list_items.
#define VALUE_OTHER (-1)

struct values {
    uint64_t known;  // bit a: attribute a has a value; else it is unknown (SQL null)
    int64_t value[BOUND_ATTRIBUTES];       // a list: first item << 32 | count
    int32_t list_items[BOUND_LIST_ITEMS];  // word numbers, ascending within one list, no repeats
    uint32_t list_used;
};

// The values of something that the market declares (a slot, a message), in as little memory as they
// need: there are many, and judging a bid reads them. A list's span is of these list_items.
struct declared {
    uint64_t known;
    const int64_t *value;  // of the known attributes alone, by ascending number
    const int32_t *list_items;
};

// Of an attribute that is known.
static inline int64_t
declared_value(const struct declared *declared, uint32_t attribute)
{
    uint64_t before = (UINT64_C(1) << attribute) - 1;
    return declared->value[__builtin_popcountll(declared->known & before)];
}

struct contact {
    struct id request_key;  // contact_request_key(touchpoint, key): what a retry repeats
    uint64_t request;       // digest of the request's content
    uint64_t customer;      // keyed pseudonym; 0 anonymous
    usec began;
    uint32_t container;   // index in the catalog
    uint16_t touchpoint;  // stable id
    uint16_t shard;
    uint8_t identity, tier, loyalty, condition;
    uint8_t consent;        // mask of purposes agreed to
    uint16_t achieved;      // mask of objectives the touchpoint reports
    bool experienced;       // what the customer came for has happened, says the touchpoint
    uint16_t slots_wanted;  // mask by position - 1; 0: all of the container
    char key[BOUND_KEY];
    struct values values;
};

// 128 bits of a zero-padded key, begun with two numbers that tell its uses apart.
static inline struct id
contact_key_id(uint64_t one, uint64_t other, const char key[BOUND_KEY])
{
    uint64_t words[BOUND_KEY / 8], half[2] = {one, other};
    memcpy(words, key, sizeof words);
    for (unsigned i = 0; i < BOUND_KEY / 8; i++) {
        half[0] = hash_mix(half[0] ^ words[i]) + 0x9e3779b97f4a7c15u;
        half[1] = hash_mix(half[1] + words[i]) ^ half[0];
    }
    struct id id;
    memcpy(id.bytes, half, sizeof id.bytes);
    return id;
}

// The key under which a request is known: touchpoint and the touchpoint's own id of the contact
// (zero padded). Derivable from a FACT_CONTACT (party, opened.key), so that a replay knows it too.
static inline struct id
contact_request_key(uint16_t touchpoint, const char key[BOUND_KEY])
{
    return contact_key_id(hash_mix(touchpoint + 0x9e3779b97f4a7c15u),
                          hash_mix(touchpoint + 0xd1b54a32d192ed03u), key);
}

#endif
