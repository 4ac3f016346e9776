// The bids of a catalog by seat and id: what bid.list reads, so that it need not look at all bids.
// Made on the loader's thread, beside the catalog; immutable.
#ifndef VENDUE_LISTING_H
#define VENDUE_LISTING_H

#include "catalog.h"

struct listing;

struct listing *listing_open(const struct catalog *catalog);
void listing_close(struct listing *listing);  // NULL is allowed
// Indexes in catalog->bids of a seat's (index) bids with ids above `after`, ascending by id.
struct listing_bids {
    const uint32_t *bids;
    uint32_t count;
};
struct listing_bids listing_of(const struct listing *listing, const struct catalog *catalog,
                               uint32_t seat, uint64_t after);

#endif
