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
    money price;  // the most it pays
    money floor;  // the floor that counts for it
};
struct price_sale {
    uint64_t winner;  // bid; 0: no sale
    uint32_t seat;
    money price;       // clearing price
    money floor;       // the winner's floor
    uint64_t setter;   // bid that set the price; 0: the floor did
    uint32_t counted;  // bids at or above their floor
};

// Bids may be given one by one, in any order; the sale does not depend on it.
struct price {
    uint64_t seed;
    uint32_t counted;
    struct price_bid first;      // ranks first
    struct price_bid others[2];  // the best bids of the two best seats: price, then lower id
};
void price_open(struct price *price, uint64_t seed);
// False when the bid is below its floor: it takes no part.
bool price_add(struct price *price, const struct price_bid *bid);
// True when no bid dearer than or equal to `next` is still to come and cheaper ones cannot change
// the sale.
bool price_settled(const struct price *price, money next);
void price_close(const struct price *price, struct price_sale *out_sale);

// All at once.
void
price_clear(const struct price_bid *bids, size_t count, uint64_t seed, struct price_sale *out_sale);

#endif
