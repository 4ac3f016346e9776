// The exhaustive twin of the round: the rules of the auction, bid by bid, without index and without
// early end. What it says is what round_decide must say.
#ifndef VENDUE_TEST_ROUND_TWIN_H
#define VENDUE_TEST_ROUND_TWIN_H

#include "book.h"
#include "catalog.h"
#include "contact.h"

#define TWIN_BIDS 4096

struct twin {
    const struct catalog *catalog;
    const struct book *book;
    const struct contact *contact;
    usec now;
    const struct catalog_bid *bids[TWIN_BIDS];  // all that compete, in any order
    uint32_t bid_count;
    struct {
        uint32_t seat, message;
        int64_t price;
    } wins[BOUND_SLOTS];  // of this contact so far
    unsigned win_count;
};

// The bids of catalog and book: those of the catalog that were not replaced, and the overlay.
void twin_take_bids(struct twin *twin);

// One slot (index) of the contact.
struct twin_bid {
    const struct catalog_bid *bid;
    int64_t floor;
};
struct twin_sale {
    const struct catalog_bid *winner;  // NULL: stays empty
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

// The first reason that keeps a bid from the slot, in the order of round.c; REASON_NONE: eligible.
enum reason
twin_judge(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot, int64_t *floor);
// Does the bid address the slot: bids it, or bids any slot, and its message is admitted there?
bool twin_addresses(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot);

#endif
