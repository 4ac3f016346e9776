// Conversions and refunds that are remembered, so that a repeat is told from a new one and refunds
// never exceed their conversion. Private to auction/.
#ifndef VENDUE_ORDERS_H
#define VENDUE_ORDERS_H

#include <stdbool.h>

#include "arena.h"
#include "bounds.h"
#include "hash.h"
#include "money.h"
#include "probe.h"

struct order {
    struct id order;      // hash of seat and order reference
    struct id reference;  // all zero for a conversion; of a refund, derived from its own reference
    money amount;
    money refunded;         // of a conversion: by its refunds so far
    uint32_t placement;     // the book's number of the placement
    uint32_t next;          // of the same placement; free ones: of the free list
    uint32_t older, newer;  // by age
};
struct orders {
    struct order *orders;
    uint32_t capacity, count, free, oldest, newest;
    struct probe probe;
};
void orders_open(struct orders *orders, struct arena *arena, uint32_t capacity);
uint32_t
orders_find(const struct orders *orders, struct id order, struct id reference);  // PROBE_NONE
// There must be room. `*list` is the first order of its placement.
uint32_t orders_add(struct orders *orders, const struct order *order, uint32_t *list);
void orders_drop_list(struct orders *orders, uint32_t list);
// The id of a refund's own reference.
struct id orders_reference(const char key[BOUND_KEY]);

#endif
