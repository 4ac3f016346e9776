// Open addressing with linear probing. A cell is empty (0) or holds the low half of the hash beside
// the item's number + 1; an item's home is that half AND mask.
//
// Invariants
//   (1) at least half of the cells are empty, so that every search ends
//   (2) no cell between an item's home and its place is empty: dropping shifts later items back
#include "probe.h"

#include <string.h>

#include "fail.h"

void
probe_open(struct probe *probe, struct arena *arena, uint32_t capacity)
{
    CHECK(capacity > 0 && capacity <= 1u << 30);
    uint32_t size = 8;
    while (size < 2 * (uint64_t)capacity) size *= 2;
    probe->cells = arena_take(arena, size, sizeof *probe->cells);
    probe->mask = size - 1;
}

void
probe_put(struct probe *probe, uint64_t hash, uint32_t item)
{
    uint32_t at = (uint32_t)hash & probe->mask;
    while (probe->cells[at] != 0) at = (at + 1) & probe->mask;
    probe->cells[at] = hash << 32 | (item + 1u);
}

void
probe_drop(struct probe *probe, uint64_t hash, uint32_t item)
{
    uint32_t hole = (uint32_t)hash & probe->mask;
    while (probe->cells[hole] != (hash << 32 | (item + 1u))) {
        CHECK(probe->cells[hole] != 0);
        hole = (hole + 1) & probe->mask;
    }
    for (uint32_t at = (hole + 1) & probe->mask; probe->cells[at] != 0;
         at = (at + 1) & probe->mask) {
        uint32_t home = (uint32_t)(probe->cells[at] >> 32) & probe->mask;
        // An item may move into the hole unless its home lies behind the hole.
        if (((at - home) & probe->mask) >= ((at - hole) & probe->mask)) {
            probe->cells[hole] = probe->cells[at];
            hole = at;
        }
    }
    probe->cells[hole] = 0;
}

void
probe_clear(struct probe *probe)
{
    memset(probe->cells, 0, ((size_t)probe->mask + 1) * sizeof *probe->cells);
}
