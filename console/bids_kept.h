// Standing bids folded from facts: of each bid its newest state.
#ifndef VENDUE_BIDS_KEPT_H
#define VENDUE_BIDS_KEPT_H

#include "arena.h"
#include "fact.h"
#include "market.h"

struct bids_kept {
    struct bids_kept_one *bids;
    size_t count, room;
};
// Takes a FACT_BID; later ones count.
void bids_kept_add(struct bids_kept *kept, const struct fact *fact);
// The newest state of each, by id; in `arena`.
const struct market_bid *
bids_kept_newest(struct bids_kept *kept, struct arena *arena, uint32_t *out_count);
void bids_kept_end(struct bids_kept *kept);

#endif
