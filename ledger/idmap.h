// A table from 128-bit ids to numbers, growing as needed. Ids are digests, so their bytes are the
// hash.
#ifndef VENDUE_IDMAP_H
#define VENDUE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#include "hash.h"

#define IDMAP_NONE UINT32_MAX

struct idmap_entry {
    struct id id;
    uint32_t number;  // IDMAP_NONE: free
};
struct idmap {
    struct idmap_entry *entries;
    size_t room, used;  // room: 0 or a power of two, at least twice `used`
};
void idmap_fini(struct idmap *map);
void idmap_clear(struct idmap *map);  // keeps its memory
uint32_t idmap_find(const struct idmap *map, struct id id);
// Puts or replaces.
void idmap_put(struct idmap *map, struct id id, uint32_t number);

#endif
