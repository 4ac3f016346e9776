// What bids are worth that are not priced per placement, known once a contact; see round_worth.c.
// Private.
#ifndef VENDUE_ROUND_WORTH_H
#define VENDUE_ROUND_WORTH_H

#include "learn.h"
#include "price.h"
#include "round.h"

#define ROUND_AHEAD 32  // bids whose worth is called near together
#define ROUND_WORTHS 2048
struct round_worth_known {
    const struct catalog_bid *of;
    uint32_t contact;  // the one it is known for: its number in this round's life
    bool explored;
    struct price_bid bid;  // as it ranks, but for its number and floor; `bid` 0: a priority or a
                           // deal has a say in its rank
    money score;           // rounded down
};
struct round_worth {
    uint32_t contact;
    uint16_t parents_known;  // mask of rungs
    struct learn_parent parents[RUNG_COUNT];
    struct round_worth_known known[ROUND_WORTHS];  // by a hash of the bid; a later one displaces
};

void round_worth_contact(struct round *round);
// These bids of the catalog (indexes; at most ROUND_AHEAD) will be asked for.
void round_worth_expect(struct round *round, const uint32_t *bids, uint32_t count);
// What the bid is worth in the slot being decided. Stays until the next is asked for.
const struct round_worth_known *round_worth_of(struct round *round, const struct catalog_bid *bid);

#endif
