// One world: a random market with its history, played round by round. A round is a contact that is
// decided and judged, with what happens around it: time, events, expiry, bids that change, new
// catalogs, restarts. Everything in a world follows from its seed.
#ifndef VENDUE_TEST_SIM_WORLD_H
#define VENDUE_TEST_SIM_WORLD_H

#include "random_history.h"
#include "round_twin.h"
#include "sim.h"
#include "tally.h"
#include "together_twin.h"

#define WORLD_ROUNDS 1024
#define WORLD_BIDS 512  // standing and withdrawn, over a world's life
#define WORLD_ASKED 16  // contacts remembered to be asked again
#define WORLD_WHY 16384
#define WORLD_LIVE 64          // live bids of a contact
#define WORLD_ASSIGNMENTS 300  // tried by brute force at most

struct world_asked {
    struct contact contact;
    uint32_t first, count;  // its facts in the history
};
struct world {
    struct history history;
    struct random_market options;
    struct book_limits limits;
    struct tally tally;
    uint64_t market_seed;  // of the market as it is declared now
    uint32_t seen;         // facts of the history that were judged
    // Every bid as its newest fact, or the first catalog, says: in stable ids, and for the catalog
    // of now.
    struct market_bid *bids;
    struct catalog_bid *standing;
    uint32_t bid_count;
    struct market_bid *first_bids;  // of the first catalog
    uint32_t first_count;
    // A second book, to which the same facts go. In it bids are changed to see whether a lie would
    // have paid, and changed back: it ends with every bid in its overlay, yet must sell the same.
    struct book *other;
    struct round *round;  // for decisions on the other book
    struct twin *twin;
    struct twin_limits asks;  // what the placements of a contact ask of each other
    struct twin_sale *sale;
    struct together_twin *together;
    struct why why;
    struct round_live live;  // of the contact being decided
    struct catalog_bid *live_bids;
    uint8_t *live_groups;
    struct world_asked *asked;
    uint32_t asked_count;
    struct sim_counts *counts;
    bool tell;  // print the round
};
void world_open(struct world *world, uint64_t seed, struct sim_counts *counts);
void world_close(struct world *world);
void world_round(struct world *world);

// Judges facts that were added to the history, and gives them to the other book.
void world_take_facts(struct world *world);
// The twin made ready for one contact, by its id; all standing bids compete.
void world_set_twin(struct world *world, const struct contact *contact, struct id id);
// judge.c: one contact's facts against the twin; then each bid's reason, when `why` was filled.
void world_judge(struct world *world, const struct contact *contact, const struct round_live *live,
                 const struct fact *facts, unsigned count, bool why);
// deviation.c: would another price have paid some seat, in one slot of this contact?
void world_deviate(struct world *world, const struct contact *contact);

#endif
