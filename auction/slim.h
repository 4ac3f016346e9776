// A small table from hashes to the numbers of items that their owner keeps: 4 bytes a cell, where
// probe.h takes 8, for pools of millions. Open addressing, linear probing, deletion by shifting
// back. The owner compares keys, and tells an item's hash again when items move. Private to
// auction/.
#ifndef VENDUE_SLIM_H
#define VENDUE_SLIM_H

#include <stdint.h>

#include "arena.h"

#define SLIM_NONE UINT32_MAX
#define SLIM_ITEMS ((1u << 27) - 1)  // items are below it

struct slim {
    uint32_t *cells;  // five bits of the hash << 27 | item + 1; 0 empty
    uint32_t size;
};
// Cells for so many items: a third more than items, 16 bytes for every three.
static inline uint32_t
slim_cells(uint32_t items)
{
    return items + items / 3 + 2;
}
void slim_open(struct slim *slim, struct arena *arena, uint32_t items);
void slim_put(struct slim *slim, uint64_t hash, uint32_t item);
// The item must be there. `hash_of(owner, item)` is the hash an item was put with.
void slim_drop(struct slim *slim, uint64_t hash, uint32_t item,
               uint64_t (*hash_of)(const void *owner, uint32_t item), const void *owner);

static inline uint32_t
slim_home(const struct slim *slim, uint64_t hash)
{
    return (uint32_t)((hash >> 32) * slim->size >> 32);
}
// The cells of this hash will soon be looked at.
static inline void
slim_expect(const struct slim *slim, uint64_t hash)
{
    __builtin_prefetch(&slim->cells[slim_home(slim, hash)], 1);
}

// Candidates for a hash, one after the other; SLIM_NONE ends them:
//   uint32_t at = slim_home(slim, hash);
//   while ((item = slim_next(slim, hash, &at)) != SLIM_NONE) if (keys are the same) ...
static inline uint32_t
slim_next(const struct slim *slim, uint64_t hash, uint32_t *at)
{
    for (;;) {
        uint32_t cell = slim->cells[*at];
        if (cell == 0) return SLIM_NONE;
        *at = *at + 1 == slim->size ? 0 : *at + 1;
        if (cell >> 27 == (hash & 31)) return (cell & SLIM_ITEMS) - 1;
    }
}

#endif
