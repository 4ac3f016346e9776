// What customers were shown, within 64 bytes a customer: the history behind caps and quiet periods.
// Private to auction/.
#ifndef VENDUE_SHOWN_H
#define VENDUE_SHOWN_H

#include <stdbool.h>

#include "book.h"
#include "slim.h"

#define SHOWN_BYTES 64  // a customer, the index included
#define SHOWN_MOST 252  // entries of one customer, two of them for marks

struct shown_block {
    uint8_t bytes[32];  // shown.c
};
struct shown {
    struct shown_block *blocks;  // numbered from 1
    uint32_t block_count;        // blocks there are
    uint32_t fresh;              // the next that was never used
    uint32_t free, free_count;   // list of those given back; all that are not used
    uint32_t customers, customer_room;
    uint32_t hand;  // the block that is looked at next for what is over
    struct slim index;
};
// Memory for `customers` of SHOWN_BYTES each; 0: none are kept.
void shown_open(struct shown *shown, struct arena *arena, uint32_t customers);
// Days that an entry is kept which a placement with these `cap_days` made; UINT32_MAX for ever.
uint32_t shown_days(uint16_t cap_days);

// Of a placement of a customer (not 0) that caps count: won, delivered, not delivered after all.
// shown_win: false when there is no room.
bool shown_win(struct shown *shown, const struct fact *placement);
void shown_deliver(struct shown *shown, const struct fact *placement, usec at);
void shown_cancel(struct shown *shown, const struct fact *placement);
// The customer's newest complaint or refund. False when there is no room.
bool shown_mark(struct shown *shown, uint64_t customer, enum shown_kind kind, usec at);
// Gives back what is over, in so many blocks; the next call goes on behind them.
void shown_reclaim(struct shown *shown, usec now);

bool shown_next(const struct shown *shown, uint64_t customer, struct book_shown *entry);
bool shown_has_room(const struct shown *shown, uint64_t customer);       // for a whole contact
bool shown_mark_has_room(const struct shown *shown, uint64_t customer);  // for one mark

static inline void
shown_expect(const struct shown *shown, uint64_t customer)
{
    slim_expect(&shown->index, hash_mix(customer));
}

// A customer that is kept, in the order of their blocks: the entries as they are packed. `block` is
// the one to begin with, and then the one behind; 0 when there is none.
#define SHOWN_ROOM 256
unsigned shown_visit(const struct shown *shown, uint32_t *block, uint64_t *out_customer,
                     uint64_t out_entries[SHOWN_ROOM]);

#endif
