// Open addressing with linear probing; at most half full; doubled when it would be more. Old tables
// stay in the arena until it ends, together never more than the last one.
#include "index.h"

#include <stdint.h>
#include <string.h>

#include "hash.h"

struct entry {
    uint64_t hash;
    const char *text;
    const void *value;
};
struct index {
    struct arena *arena;
    struct entry *entries;
    uint32_t size, count;  // size: a power of two
};

static uint64_t
hash_text(const char *text)
{
    uint64_t hash = 0x9e3779b97f4a7c15u;
    for (; *text != '\0'; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash_mix(hash);
}

struct index *
index_open(struct arena *arena)
{
    struct index *index = arena_take(arena, 1, sizeof *index);
    index->arena = arena;
    index->size = 8;
    index->entries = arena_take(arena, index->size, sizeof *index->entries);
    return index;
}

static struct entry *
entry_of(const struct index *index, uint64_t hash, const char *text)
{
    uint32_t at = (uint32_t)hash & (index->size - 1);
    while (index->entries[at].text != NULL &&
           (index->entries[at].hash != hash || strcmp(index->entries[at].text, text) != 0))
        at = (at + 1) & (index->size - 1);
    return &index->entries[at];
}

static void
grow(struct index *index)
{
    struct index larger = *index;
    larger.size *= 2;
    larger.entries = arena_take(index->arena, larger.size, sizeof *larger.entries);
    for (uint32_t i = 0; i < index->size; i++)
        if (index->entries[i].text != NULL)
            *entry_of(&larger, index->entries[i].hash, index->entries[i].text) = index->entries[i];
    *index = larger;
}

const void *
index_put(struct index *index, const char *text, const void *value)
{
    uint64_t hash = hash_text(text);
    struct entry *entry = entry_of(index, hash, text);
    if (entry->text != NULL) return entry->value;
    *entry = (struct entry){hash, text, value};
    if (++index->count * 2 > index->size) grow(index);
    return NULL;
}

const void *
index_find(const struct index *index, const char *text)
{
    return entry_of(index, hash_text(text), text)->value;
}
