// Open addressing with linear probing in 4-byte cells. A cell is empty (0) or holds five bits of
// the hash beside the item's number + 1; an item's home is the high half of its hash, scaled to the
// table, so that a table has exactly the size its owner pays for.
//
// Invariants
//   (1) at least a quarter of the cells are empty, so that every search ends soon
//   (2) no cell between an item's home and its place is empty: dropping shifts later items back
#include "slim.h"

#include "fail.h"

void
slim_open(struct slim *slim, struct arena *arena, uint32_t items)
{
    CHECK(items < SLIM_ITEMS);
    slim->size = slim_cells(items);
    slim->cells = arena_take(arena, slim->size, sizeof *slim->cells);
}

static uint32_t
after(const struct slim *slim, uint32_t at)
{
    return at + 1 == slim->size ? 0 : at + 1;
}

void
slim_put(struct slim *slim, uint64_t hash, uint32_t item)
{
    CHECK(item < SLIM_ITEMS);
    uint32_t at = slim_home(slim, hash);
    while (slim->cells[at] != 0) at = after(slim, at);
    slim->cells[at] = (uint32_t)(hash & 31) << 27 | (item + 1);
}

// Steps from a home to a place.
static uint32_t
distance(const struct slim *slim, uint32_t home, uint32_t place)
{
    return place >= home ? place - home : place + slim->size - home;
}

void
slim_drop(struct slim *slim, uint64_t hash, uint32_t item,
          uint64_t (*hash_of)(const void *owner, uint32_t item), const void *owner)
{
    uint32_t hole = slim_home(slim, hash), cell = (uint32_t)(hash & 31) << 27 | (item + 1);
    while (slim->cells[hole] != cell) {
        CHECK(slim->cells[hole] != 0);
        hole = after(slim, hole);
    }
    for (uint32_t at = after(slim, hole); slim->cells[at] != 0; at = after(slim, at)) {
        uint32_t home = slim_home(slim, hash_of(owner, (slim->cells[at] & SLIM_ITEMS) - 1));
        // An item may move into the hole unless its home lies behind the hole.
        if (distance(slim, home, at) >= distance(slim, hole, at)) {
            slim->cells[hole] = slim->cells[at];
            hole = at;
        }
    }
    slim->cells[hole] = 0;
}
