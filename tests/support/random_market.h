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
    // Further parts of a market, each drawn only when it is asked for.
    bool kinds;        // bids per response and for a share of the revenue
    bool explore;      // slots where learned rates may be drawn
    bool daily;        // daily amounts and pacing, beside `budgets`
    bool campaigns;    // seats with campaigns, some with a parent, some over; with `budgets` purses
    bool market_caps;  // caps of the market of every sort, and quiet periods
    bool floors;       // floor rules of the market: by cell, rung, seat, category, tier and `when`
    bool experiments;  // trials of floors, one of them stopped
    bool deals;        // at second, first and fixed price, with priorities and guarantees
    bool groups;       // messages of a seat that win together or not at all
    bool priorities;   // messages with a priority
    bool limits;       // containers with separation, paid_max and quota
    bool live;         // partners that may be asked, with a whitelist
    bool experience;   // messages that wait for the experience
    bool zone;         // a host's clock that changed three days before RANDOM_NOW
    uint8_t for_slots;  // percent of bids for one slot only; 0: 30, 101: none
    // Not 0: markets of the same number agree in what an apply may not change or the book builds
    // on: the number of slots, whose a message is, and the caps.
    uint64_t lasting;
    const struct market_bid *given;  // not NULL: these `bids`, instead of random ones
    uint64_t version;
    struct catalog_position position;
};
#define RANDOM_NOW 1795368245000000LL  // the time around which markets are valid

// Everything in it depends on `random` alone. Close with catalog_close.
// All of the parts above at once, as most differential tests want them.
void random_market_everything(struct random_market *options);
struct catalog *random_market(struct random *random, const struct random_market *options);
void
random_contact(struct random *random, const struct catalog *catalog, struct contact *out_contact);

#endif
