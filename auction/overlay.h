// Bids put or changed since the catalog: their whole state by bid id, and, resolved against the
// current catalog, in the order of the auction. Private to auction/.
#ifndef VENDUE_OVERLAY_H
#define VENDUE_OVERLAY_H

#include "arena.h"
#include "catalog.h"
#include "fact.h"
#include "probe.h"
#include "sieve.h"

struct overlay_bid {
    uint64_t id;
    uint32_t seat, message, slot;  // stable ids; slot 0: any
    money price;
    usec from, until;
    struct catalog_position position;
    uint8_t state;
    uint8_t kind;
    bool offered, judged_first;  // resolved: stands in `sorted`; in its first part
    char key[BOUND_KEY];
};
// One that is being brought to its place under a new catalog.
struct overlay_moved {
    money price;
    uint64_t id;
    uint32_t entry, seat, message, slot;  // seat, message, slot: indexes
    bool judged_first;
};
struct overlay {
    struct overlay_bid *bids;
    struct catalog_bid *sorted;      // in the order of catalog->bids; indexes of `catalog`
    uint32_t *entry_at, *place_of;   // by place in `sorted`: its entry; and the reverse
    struct overlay_moved *moved[2];  // scratch of overlay_catalog
    uint32_t *renumbered;            // likewise
    uint32_t capacity, count, sorted_count, judged_first;
    struct probe probe;
    struct sieve sieve;             // a column an entry
    const struct catalog *catalog;  // NULL: none yet
};
void overlay_open(struct overlay *overlay, struct arena *arena, uint32_t capacity);
// The bid's new state. STATUS_OK also when the catalog includes it already; STATUS_FULL.
MUST_CHECK enum status
overlay_put(struct overlay *overlay, const struct fact *fact, struct catalog_position position);
// The entry that was put under {0, 0, serial} stands at `position`; nothing when it was changed
// since.
void overlay_durable(struct overlay *overlay, uint64_t bid, uint64_t serial,
                     struct catalog_position position);
void overlay_catalog(struct overlay *overlay, const struct catalog *catalog);
// Is the bid (index) of the catalog changed?
bool overlay_replaces(const struct overlay *overlay, uint32_t bid);
const struct overlay_bid *overlay_find(const struct overlay *overlay, uint64_t id);

#endif
