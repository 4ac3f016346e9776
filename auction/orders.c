// A pool of orders and refunds: found by (order, reference), listed by placement, linked by age.
//
// Invariants
//   (1) an order in use is in the probe, in its placement's list and in the chain of ages exactly
//       once
//   (2) it ends with its placement, never before: whoever forgets an order has forgotten the
//       placement, so that a late repeat meets "unknown placement" and is not counted twice
#include "orders.h"

#include <string.h>

#include "contact.h"
#include "fail.h"

void
orders_open(struct orders *orders, struct arena *arena, uint32_t capacity)
{
    *orders = (struct orders){.capacity = capacity, .oldest = PROBE_NONE, .newest = PROBE_NONE};
    orders->orders = arena_take(arena, capacity, sizeof *orders->orders);
    for (uint32_t i = 0; i < capacity; i++)
        orders->orders[i].next = i + 1 < capacity ? i + 1 : PROBE_NONE;
    probe_open(&orders->probe, arena, capacity);
}

static uint64_t
hash_of(struct id order, struct id reference)
{
    uint64_t a, b;
    memcpy(&a, order.bytes, sizeof a);
    memcpy(&b, reference.bytes, sizeof b);
    return hash_mix(a ^ hash_mix(b));
}

uint32_t
orders_find(const struct orders *orders, struct id order, struct id reference)
{
    uint64_t hash = hash_of(order, reference);
    uint32_t at = probe_start(&orders->probe, hash), item;
    while ((item = probe_next(&orders->probe, hash, &at)) != PROBE_NONE) {
        if (id_same(orders->orders[item].order, order) &&
            id_same(orders->orders[item].reference, reference))
            break;
    }
    return item;
}

uint32_t
orders_add(struct orders *orders, const struct order *order, uint32_t *list)
{
    uint32_t item = orders->free;
    CHECK(orders->count < orders->capacity && item != PROBE_NONE);
    orders->free = orders->orders[item].next;
    orders->count++;
    orders->orders[item] = *order;
    orders->orders[item].next = *list;
    *list = item;
    orders->orders[item].older = orders->newest;
    orders->orders[item].newer = PROBE_NONE;
    if (orders->newest != PROBE_NONE) orders->orders[orders->newest].newer = item;
    orders->newest = item;
    if (orders->oldest == PROBE_NONE) orders->oldest = item;
    probe_put(&orders->probe, hash_of(order->order, order->reference), item);
    return item;
}

void
orders_drop_list(struct orders *orders, uint32_t list)
{
    while (list != PROBE_NONE) {
        struct order *order = &orders->orders[list];
        uint32_t next = order->next;
        probe_drop(&orders->probe, hash_of(order->order, order->reference), list);
        *(order->older == PROBE_NONE ? &orders->oldest
                                     : &orders->orders[order->older].newer) = order->newer;
        *(order->newer == PROBE_NONE ? &orders->newest
                                     : &orders->orders[order->newer].older) = order->older;
        *order = (struct order){.next = orders->free};
        orders->free = list;
        orders->count--;
        list = next;
    }
}

struct id
orders_reference(const char key[BOUND_KEY])
{
    struct id id = contact_key_id(0x9e3779b97f4a7c15u, 0xd1b54a32d192ed03u, key);
    id.bytes[15] |= 1;  // never all zero
    return id;
}
