// Touches of customers.
//
//  1 A chain is a table from keys to the newest number, and for each number the one before it under
//    the same key. Numbers are indices of arrays that only grow, so nothing is ever taken out
//    singly.
//  2 The pseudonym of a customer is padded into an id of its own kind: ids of placements are
//    digests, whose second half is not all zero.
#include "touch.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

void
touch_chain_fini(struct touch_chain *chain)
{
    idmap_fini(&chain->head);
    free(chain->previous);
    memset(chain, 0, sizeof *chain);
}

void
touch_chain_clear(struct touch_chain *chain)
{
    idmap_clear(&chain->head);
}

void
touch_chain_put(struct touch_chain *chain, struct id key, uint32_t number)
{
    if (number >= chain->room) {
        chain->room = number < 512 ? 1024 : 2 * (size_t)number;
        chain->previous = realloc(chain->previous, chain->room * sizeof *chain->previous);
        CHECK(chain->previous);
    }
    chain->previous[number] = idmap_find(&chain->head, key);
    idmap_put(&chain->head, key, number);
}

uint32_t
touch_chain_first(const struct touch_chain *chain, struct id key)
{
    return idmap_find(&chain->head, key);
}

struct id
touch_key(uint64_t customer, struct id placement)
{
    struct id key = {{0}};
    if (customer == 0) return placement;
    memcpy(key.bytes, &customer, sizeof customer);
    return key;
}

bool
touch_of(const struct posting_win *win, struct touch *out_touch)
{
    *out_touch = (struct touch){.placement = win->placement,
                                .delivered = win->delivered_at,
                                .accepted = win->accepted_at,
                                .seat = win->seat,
                                .owner = win->owner,
                                .seat_kind = win->seat_kind,
                                .rung = win->rung,
                                .channel = win->channel};
    return win->delivered_at.us != 0;
}

size_t
touch_gather(const struct touch_chain *chain, const struct posting_win *wins, struct id key,
             const struct market_attribution *terms, usec at, struct touch **touches, size_t *room)
{
    size_t count = 0;
    for (uint32_t number = touch_chain_first(chain, key); number != IDMAP_NONE;
         number = touch_chain_next(chain, number)) {
        struct touch touch;
        if (!touch_of(&wins[number], &touch) || !credit_counts(terms, &touch, at)) continue;
        if (count == *room) {
            *room = *room ? 2 * *room : 64;
            *touches = realloc(*touches, *room * sizeof **touches);
            CHECK(*touches);
        }
        (*touches)[count++] = touch;
    }
    return count;
}

int64_t
touch_widest(const struct market_attribution *terms)
{
    int64_t widest = terms->delivered_us > terms->accepted_us ? terms->delivered_us
                                                              : terms->accepted_us;
    for (unsigned i = 0; i < CHANNEL_COUNT; i++) {
        if (terms->channel_us[i] > widest) widest = terms->channel_us[i];
    }
    return widest;
}
