// Look-up tables: open addressing with linear probing over 16-byte slots, at most half full, sizes
// powers of two. A text's slot keeps 32 bits of its hash, so that a probe seldom touches the text
// itself. Nothing is ever removed: tables live and end with their catalog.
#include "lookup.h"

#include <string.h>

#include "fail.h"
#include "hash.h"

void
lookup_open(struct lookup *lookup, struct arena *arena, uint32_t count)
{
    uint32_t room = 16;
    while (room / 2 < count) {
        CHECK(room < UINT32_C(1) << 31);
        room *= 2;
    }
    *lookup = (struct lookup){.arena = arena, .mask = room - 1};
    lookup->slots = arena_take(arena, room, sizeof lookup->slots[0]);
}

// Fewer than eight bytes as one number, by loads that overlap.
static inline uint64_t
short_word(const char *text, size_t len)
{
    if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, text, sizeof low);
        memcpy(&high, text + len - 4, sizeof high);
        return low | (uint64_t)high << 32;
    }
    if (len == 0) return 0;
    return (uint64_t)(uint8_t)text[0] | (uint64_t)(uint8_t)text[len / 2] << 8 |
           (uint64_t)(uint8_t)text[len - 1] << 16;
}

static uint32_t
hash_text(const char *text, size_t len)
{
    uint64_t hash = len * 0x9e3779b97f4a7c15u, word;
    if (len < 8) return (uint32_t)(hash_mix(hash ^ short_word(text, len)) >> 32);
    const char *last = text + len - 8;
    for (; text < last; text += 8) {
        memcpy(&word, text, 8);
        hash = hash_mix(hash ^ word);
    }
    memcpy(&word, last, 8);  // overlaps the one before
    return (uint32_t)(hash_mix(hash ^ word) >> 32);
}

static struct lookup_slot *
find_text(const struct lookup *lookup, const char *text, size_t len, uint32_t hash)
{
    for (uint32_t at = hash & lookup->mask;; at = (at + 1) & lookup->mask) {
        struct lookup_slot *slot = &lookup->slots[at];
        if (slot->index == 0) return slot;
        if (slot->hash == hash && strnlen(slot->text, len + 1) == len &&
            memcmp(slot->text, text, len) == 0)
            return slot;
    }
}

static struct lookup_slot *
find_id(const struct lookup *lookup, uint64_t id, uint32_t hash)
{
    for (uint32_t at = hash & lookup->mask;; at = (at + 1) & lookup->mask) {
        struct lookup_slot *slot = &lookup->slots[at];
        if (slot->index == 0 || slot->id == id) return slot;
    }
}

static void
grow(struct lookup *lookup)
{
    struct lookup_slot *old = lookup->slots;
    uint32_t room = lookup->mask + 1, count = lookup->count;
    lookup_open(lookup, lookup->arena, room);
    lookup->count = count;
    for (uint32_t i = 0; i < room; i++) {
        if (old[i].index == 0) continue;
        uint32_t at = old[i].hash & lookup->mask;
        while (lookup->slots[at].index != 0) at = (at + 1) & lookup->mask;
        lookup->slots[at] = old[i];
    }
}

enum status
lookup_put_text(struct lookup *lookup, const char *text, size_t len, uint32_t index)
{
    CHECK(index < UINT32_MAX);
    uint32_t hash = hash_text(text, len);
    struct lookup_slot *slot = find_text(lookup, text, len, hash);
    if (slot->index != 0) return STATUS_EXISTS;
    *slot = (struct lookup_slot){.text = text, .hash = hash, .index = index + 1};
    if (++lookup->count > lookup->mask / 2) grow(lookup);
    return STATUS_OK;
}

enum status
lookup_put_id(struct lookup *lookup, uint64_t id, uint32_t index)
{
    CHECK(index < UINT32_MAX);
    uint32_t hash = (uint32_t)hash_mix(id);
    struct lookup_slot *slot = find_id(lookup, id, hash);
    if (slot->index != 0) return STATUS_EXISTS;
    *slot = (struct lookup_slot){.id = id, .hash = hash, .index = index + 1};
    if (++lookup->count > lookup->mask / 2) grow(lookup);
    return STATUS_OK;
}

uint32_t
lookup_text(const struct lookup *lookup, const char *text, size_t len)
{
    return find_text(lookup, text, len, hash_text(text, len))->index - 1;
}

uint32_t
lookup_id(const struct lookup *lookup, uint64_t id)
{
    return find_id(lookup, id, (uint32_t)hash_mix(id))->index - 1;
}
