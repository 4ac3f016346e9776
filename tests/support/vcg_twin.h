// Slots sold together by brute force: every assignment tried, limits, worths and payments from
// their definitions in vcg.c.
#ifndef VENDUE_TEST_VCG_TWIN_H
#define VENDUE_TEST_VCG_TWIN_H

#include "vcg.h"

#define VCG_TWIN_BIDS 4096

struct vcg_twin {
    uint64_t seed;
    unsigned slots;
    struct vcg_limits limits;
    uint32_t count;
    struct vcg_bid bids[VCG_TWIN_BIDS];
    bool out[VCG_TWIN_BIDS];  // below its floor, or of a group that cannot be whole
};
// Winners and prices (`winner`, `seat`, `message`, `number`, `price`, `floor`, `over`, `priority`);
// a setter is not worked out. `out_quota`: how many bids of the quota had to win. False when there
// are more than `most` assignments: too large.
bool vcg_twin_sell(struct vcg_twin *market, double most, struct vcg_sale sales[BOUND_SLOTS],
                   unsigned *out_quota);
int64_t vcg_twin_score(const struct vcg_bid *bid);

#endif
