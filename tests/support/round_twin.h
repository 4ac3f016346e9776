// The exhaustive twin of the round: the rules of the auction, bid by bid, without index and without
// early end. What it says is what round_decide must say.
#ifndef VENDUE_TEST_ROUND_TWIN_H
#define VENDUE_TEST_ROUND_TWIN_H

#include "book.h"
#include "catalog.h"
#include "contact.h"
#include "round.h"

#define TWIN_BIDS 4096

// What a contact's placements ask of each other, slots sold one after the other
// (round_twin_limits.c). The caller's; zero but for `live` when a contact begins.
#define TWIN_OPTIONS 64
struct twin_option {
    int64_t key;
    bool paid;
};
struct twin_limits {
    const struct round_live *live;  // NULL none
    uint64_t out[16];               // groups
    unsigned out_count;
    bool all_out;
    // Of the slot whose turn it is (from 0): what can serve the quota there and behind.
    unsigned place, reached, aim;
    bool open;
    struct twin_option options[BOUND_SLOTS][TWIN_OPTIONS];
    unsigned option_count[BOUND_SLOTS];
};

struct twin {
    const struct catalog *catalog;
    const struct book *book;
    const struct contact *contact;
    usec now;
    const struct catalog_bid *bids[TWIN_BIDS];  // all that compete, in any order
    uint32_t bid_count;
    struct {
        uint32_t seat, message;
        int64_t price;  // in its own kind
        int64_t held;   // against budgets
        const struct catalog_bid *bid;
    } wins[BOUND_SLOTS];  // of this contact so far
    unsigned win_count;
    struct id id;                // of the contact: by it ties and learned rates are drawn
    struct twin_limits *limits;  // NULL: not judged
};

// The bids of catalog and book: those of the catalog that were not replaced, and the overlay.
void twin_take_bids(struct twin *twin);
// Live ones beside them.
void twin_take_live(struct twin *twin, const struct round_live *live);

// What a bid competes with.
struct twin_terms {
    int64_t floor, score;  // expected value in micros
    uint8_t at, priority, floor_rule;
    uint32_t floor_id, deal;  // stable ids; 0 none
    uint64_t multiplier;
};
// One slot (index) of the contact.
struct twin_bid {
    const struct catalog_bid *bid;
    int64_t floor;
    struct twin_terms terms;
};
struct twin_sale {
    const struct catalog_bid *winner;  // NULL: stays empty
    struct twin_terms terms;           // the winner's
    int64_t price, floor;
    uint64_t setter;
    struct twin_bid eligible[TWIN_BIDS];
    uint32_t eligible_count;
};
// `contact`: the id of the contact, by which ties are drawn.
void
twin_sell(const struct twin *twin, uint32_t slot, struct id contact, struct twin_sale *out_sale);
// A sale counts for the slots behind it.
void twin_win(struct twin *twin, const struct twin_sale *sale);

// Before a slot (place from 0) is sold.
void twin_limits_slot(struct twin *twin, unsigned place);
enum reason twin_limits_judge(const struct twin *twin, const struct catalog_bid *bid);
// After all slots were sold: true when they are to be sold anew, from the first.
bool twin_limits_again(struct twin *twin);

// The first reason that keeps a bid from the slot, in the order of round.c; REASON_NONE: eligible.
enum reason
twin_judge(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot, int64_t *floor);
// With its terms, which are set whatever the reason.
enum reason twin_judge_terms(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot,
                             struct twin_terms *terms);
// Does a ranks before b? By priority, exact expected value, the draw.
bool twin_ranks_before(const struct twin *twin, const struct twin_bid *a, const struct twin_bid *b);
// What this customer's contacts are trialled with: index of the experiment, UINT32_MAX none.
uint32_t twin_experiment(const struct twin *twin, bool *variant);
// Does the bid address the slot: bids it, or bids any slot, and its message is admitted there?
bool twin_addresses(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot);

#endif
