// A table from ids to numbers: open addressing with linear probing, never more than half full.
// Nothing is ever taken out singly, so a free entry ends a search.
#include "idmap.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

void
idmap_fini(struct idmap *map)
{
    free(map->entries);
    memset(map, 0, sizeof *map);
}

void
idmap_clear(struct idmap *map)
{
    for (size_t i = 0; i < map->room; i++) map->entries[i].number = IDMAP_NONE;
    map->used = 0;
}

// The entry of an id, or the free one where it belongs. A placement's id differs from its contact's
// in the last bits only, so both halves are mixed.
static size_t
place(const struct idmap *map, struct id id)
{
    uint64_t halves[2];
    memcpy(halves, id.bytes, sizeof halves);
    size_t at = (size_t)hash_mix(halves[0] ^ hash_mix(halves[1])) & (map->room - 1);
    while (map->entries[at].number != IDMAP_NONE && !id_same(map->entries[at].id, id)) {
        at = (at + 1) & (map->room - 1);
    }
    return at;
}

uint32_t
idmap_find(const struct idmap *map, struct id id)
{
    return map->room ? map->entries[place(map, id)].number : IDMAP_NONE;
}

static void
grow(struct idmap *map)
{
    struct idmap old = *map;
    map->room = old.room ? 2 * old.room : 1024;
    map->entries = calloc(map->room, sizeof *map->entries);
    CHECK(map->entries);
    idmap_clear(map);
    for (size_t i = 0; i < old.room; i++) {
        if (old.entries[i].number == IDMAP_NONE) continue;
        map->entries[place(map, old.entries[i].id)] = old.entries[i];
        map->used++;
    }
    free(old.entries);
}

void
idmap_put(struct idmap *map, struct id id, uint32_t number)
{
    CHECK(number != IDMAP_NONE);
    if (2 * (map->used + 1) > map->room) grow(map);
    size_t at = place(map, id);
    if (map->entries[at].number == IDMAP_NONE) map->used++;
    map->entries[at] = (struct idmap_entry){id, number};
}
