// The exhaustive twin of slots that are sold together: every bid of the contact judged by the twin
// of the round, all of them sold at once, budgets and caps narrowed as round_together.c says.
#ifndef VENDUE_TEST_TOGETHER_TWIN_H
#define VENDUE_TEST_TOGETHER_TWIN_H

#include "round_twin.h"
#include "vcg_twin.h"

#define TOGETHER_TWIN_PURSES 64

struct together_twin {
    struct twin twin;               // its bids taken, live ones too, and its id set
    const struct round_live *live;  // NULL: none
    const struct catalog_container *container;
    unsigned asked;  // mask of slots
    // What together_twin_sell says:
    struct vcg_sale sales[BOUND_SLOTS];  // `number`: index in twin.bids
    unsigned purses_narrowed, promises;
    // Its own:
    struct together_twin_purse {
        enum budget_of of;
        uint32_t index, admitted[BOUND_SLOTS], admitted_count;
    } purses[TOGETHER_TWIN_PURSES];
    unsigned purse_count;
    struct vcg vcg;
    struct vcg_twin force;
};
// Sells all slots asked for. By brute force (vcg_twin.h; then no setter is known), false when there
// are more than `most` assignments; or, `most` being 0, by vcg.c itself.
bool together_twin_sell(struct together_twin *market, double most);
// After the sale: what the twin says to a bid, but for the sale itself.
enum reason together_twin_judge(struct together_twin *market, const struct catalog_bid *bid,
                                uint32_t slot, struct twin_terms *terms);
const struct catalog_bid *together_twin_winner(const struct together_twin *market, unsigned slot);
// 0 when it stands alone.
uint32_t together_twin_group(const struct together_twin *market, const struct catalog_bid *bid,
                             uint8_t *out_size);
bool together_twin_is_live(const struct together_twin *market, const struct catalog_bid *bid);
bool together_twin_is_paid(const struct together_twin *market, const struct catalog_bid *bid);
bool together_twin_is_quota(const struct together_twin *market, const struct catalog_bid *bid);

#endif
