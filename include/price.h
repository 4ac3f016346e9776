// The price of one slot: ranking, tie-break and second price. The numbered rule stands in price.c.
// Pure; the round and the pocket calculator (`slotctl clear`, seed 0, bids numbered from 1 in the
// order given) use the same code.
#ifndef VENDUE_PRICE_H
#define VENDUE_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "money.h"

struct price_bid {
    uint64_t bid;  // its id; not 0
    uint32_t seat;
    uint32_t number;      // the caller's own
    uint8_t kind;         // enum price_kind
    uint8_t at;           // enum deal_at (market.h): how it pays when it wins
    uint8_t priority;     // the higher ranks first, whatever the score
    money price;          // the most it pays, in its own kind: micros, or millionths of revenue
    uint64_t multiplier;  // expected responses (fraction of LEARN_ONE) or revenue (micros) a
                          // placement; not used by prices per placement
    money floor;          // the least expected value that counts for it
};
struct price_sale {
    uint64_t winner;  // bid; 0: no sale
    uint32_t seat;
    money price;       // clearing price, in the winner's kind
    money floor;       // the winner's floor
    uint64_t setter;   // bid that set the price; 0: the floor did, or its own price
    uint32_t counted;  // bids at or above their floor
};

// Expected value to the host of a placement at this price: price; price x rate; revenue x share.
// Rounded down; at most BOUND_MICROS. Bids are ranked by it before it is rounded.
money price_score(enum price_kind kind, money price, uint64_t multiplier);
// The least price of this kind whose score reaches `score`; BOUND_MICROS + 1 when none does (a
// share is at most the whole).
money price_reaching(enum price_kind kind, money score, uint64_t multiplier);

// Bids may be given one by one, in any order; the sale does not depend on it.
struct price {
    uint64_t seed;
    uint32_t counted;
    struct price_bid first;      // ranks first
    struct price_bid others[2];  // best of the two best seats: priority, score, lower id
};
void price_open(struct price *price, uint64_t seed);
// False when the bid is below its floor: it takes no part.
bool price_add(struct price *price, const struct price_bid *bid);
// False when the bid, of whatever floor, could not change the sale but by being counted.
bool price_matters(const struct price *price, const struct price_bid *bid);
// True when the sale cannot change any more, if all bids still to come are priced per placement, at
// priority 0, in no deal, and below `next` or equal to it with an id of at least `next_id`.
bool price_settled(const struct price *price, money next, uint64_t next_id);
// The order of ranking: the higher priority, the higher score, the draw by `seed`, the lower id.
bool price_ranks_before(const struct price_bid *a, const struct price_bid *b, uint64_t seed);
void price_close(const struct price *price, struct price_sale *out_sale);

// All at once.
void
price_clear(const struct price_bid *bids, size_t count, uint64_t seed, struct price_sale *out_sale);

#endif
