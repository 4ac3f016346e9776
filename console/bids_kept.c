// Facts are gathered with their order, sorted by bid and order, and the last of each bid is kept.
#include "bids_kept.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

struct bids_kept_one {
    struct market_bid bid;
    size_t order;
};

void
bids_kept_add(struct bids_kept *kept, const struct fact *fact)
{
    if (kept->count == kept->room) {
        kept->room = kept->room == 0 ? 1024 : 2 * kept->room;
        kept->bids = reallocarray(kept->bids, kept->room, sizeof *kept->bids);
        CHECK(kept->bids != NULL);
    }
    struct bids_kept_one *one = &kept->bids[kept->count];
    *one = (struct bids_kept_one){.order = kept->count,
                                  .bid = {.id = fact->bid.bid,
                                          .seat = fact->bid.seat,
                                          .message = fact->bid.message,
                                          .slot = fact->bid.slot,
                                          .price = fact->bid.price,
                                          .from = fact->bid.from,
                                          .until = fact->bid.until,
                                          .state = fact->bid.state,
                                          .kind = fact->bid.kind}};
    memcpy(one->bid.key, fact->bid.key, BOUND_KEY);
    kept->count++;
}

static int
by_id_and_order(const void *a, const void *b)
{
    const struct bids_kept_one *x = a, *y = b;
    if (x->bid.id != y->bid.id) return x->bid.id < y->bid.id ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

const struct market_bid *
bids_kept_newest(struct bids_kept *kept, struct arena *arena, uint32_t *out_count)
{
    struct market_bid *newest = arena_take(arena, kept->count + 1, sizeof *newest);
    uint32_t count = 0;
    if (kept->count > 0) qsort(kept->bids, kept->count, sizeof *kept->bids, by_id_and_order);
    for (size_t i = 0; i < kept->count; i++)
        if (i + 1 == kept->count || kept->bids[i + 1].bid.id != kept->bids[i].bid.id)
            newest[count++] = kept->bids[i].bid;
    *out_count = count;
    return newest;
}

void
bids_kept_end(struct bids_kept *kept)
{
    free(kept->bids);
    *kept = (struct bids_kept){0};
}
