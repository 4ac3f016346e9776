// Random markets, contacts and numbers for tests, from a seed. A market is declared, encoded and
// decoded by the catalog's own code; nothing is put into a catalog by hand.
#ifndef VENDUE_TEST_RANDOM_MARKET_H
#define VENDUE_TEST_RANDOM_MARKET_H

#include "catalog.h"
#include "contact.h"

struct random {
    uint64_t state;
};
// The seed of this test run: VENDUE_SEED, else `otherwise`. Prints it.
uint64_t random_seed(uint64_t otherwise);
uint64_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t bound);  // 0 to bound - 1
bool random_chance(struct random *random, uint32_t percent);

struct random_market {
    uint32_t bids;
    uint32_t messages;   // 0: 24; many make more words and bounds than the index has rows for
    uint32_t prices;     // distinct prices, in steps of 0.10 from 0.10: few make ties
    bool budgets, caps;  // some seats and messages have them
    uint32_t purse;      // budgets of seats are below so many units; 0: 40
    uint8_t together;    // percent of containers whose slots are sold together
    uint8_t for_slots;   // percent of bids for one slot only; 0: 30, 101: none
    // Not 0: markets of the same number agree in what an apply may not change or the book builds
    // on: the number of slots, whose a message is, and the caps.
    uint64_t lasting;
    const struct market_bid *given;  // not NULL: these `bids`, instead of random ones
    uint64_t version;
    struct catalog_position position;
};
#define RANDOM_NOW 1795368245000000LL  // the time around which markets are valid

// Everything in it depends on `random` alone. Close with catalog_close.
struct catalog *random_market(struct random *random, const struct random_market *options);
void
random_contact(struct random *random, const struct catalog *catalog, struct contact *out_contact);

#endif
