// Touches of customers: which placements, and which orders, belong to one.
#ifndef VENDUE_TOUCH_H
#define VENDUE_TOUCH_H

#include "idmap.h"
#include "posting.h"

// Numbers chained by a key: those of one key are found newest first.
struct touch_chain {
    struct idmap head;
    uint32_t *previous;  // by number
    size_t room;
};
void touch_chain_fini(struct touch_chain *chain);
void touch_chain_clear(struct touch_chain *chain);  // keeps its memory
// `number` was not put before.
void touch_chain_put(struct touch_chain *chain, struct id key, uint32_t number);
uint32_t touch_chain_first(const struct touch_chain *chain, struct id key);  // IDMAP_NONE: none
static inline uint32_t
touch_chain_next(const struct touch_chain *chain, uint32_t number)
{
    return chain->previous[number];
}

// What a customer's placements and orders are chained by: the customer; of an anonymous contact
// each placement stands for itself.
struct id touch_key(uint64_t customer, struct id placement);
// The placement as a touch; one that was not delivered is none (false).
bool touch_of(const struct posting_win *win, struct touch *out_touch);
// The touches under `key` that count for a conversion at `at`, in memory that grows.
size_t
touch_gather(const struct touch_chain *chain, const struct posting_win *wins, struct id key,
             const struct market_attribution *terms, usec at, struct touch **touches, size_t *room);
// The widest of the windows.
int64_t touch_widest(const struct market_attribution *terms);

#endif
