// One array of bid indexes, sorted by seat, then id; and where each seat's begin.
#include "listing.h"

#include <stdlib.h>

#include "fail.h"

struct listing {
    uint32_t *bids;
    uint32_t *first;  // of each seat, and one more: the end
};
struct entry {
    uint64_t id;
    uint32_t seat, bid;
};

static int
by_seat_and_id(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->seat != b->seat) return a->seat < b->seat ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

struct listing *
listing_open(const struct catalog *catalog)
{
    struct listing *listing = calloc(1, sizeof *listing);
    uint32_t count = catalog->bid_count;
    struct entry *entries = calloc(count + 1, sizeof *entries);
    CHECK(listing != NULL && entries != NULL);
    listing->bids = calloc(count + 1, sizeof *listing->bids);
    listing->first = calloc(catalog->seat_count + 1, sizeof *listing->first);
    CHECK(listing->bids != NULL && listing->first != NULL);
    for (uint32_t i = 0; i < count; i++)
        entries[i] = (struct entry){catalog->bids[i].id, catalog->bids[i].seat, i};
    qsort(entries, count, sizeof *entries, by_seat_and_id);
    for (uint32_t i = 0; i < count; i++) {
        listing->bids[i] = entries[i].bid;
        listing->first[entries[i].seat + 1]++;
    }
    for (uint32_t i = 0; i < catalog->seat_count; i++) listing->first[i + 1] += listing->first[i];
    free(entries);
    return listing;
}

void
listing_close(struct listing *listing)
{
    if (listing == NULL) return;
    free(listing->bids);
    free(listing->first);
    free(listing);
}

struct listing_bids
listing_of(const struct listing *listing, const struct catalog *catalog, uint32_t seat,
           uint64_t after)
{
    if (seat >= catalog->seat_count) return (struct listing_bids){NULL, 0};
    uint32_t low = listing->first[seat], end = listing->first[seat + 1], high = end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (catalog->bids[listing->bids[middle]].id > after) high = middle;
        else low = middle + 1;
    }
    return (struct listing_bids){listing->bids + low, end - low};
}
