// What the two halves of the sale of several slots share: the bids kept (vcg.c), and assignment and
// prices (vcg_close.c). Private to auction/.
#ifndef VENDUE_VCG_PARTS_H
#define VENDUE_VCG_PARTS_H

#include "vcg.h"

#define VCG_SOLD 16  // an amount's unit: 12 slots sold never outweigh one micro
#define VCG_LIST_GROUPED (VCG_LISTS - 1)

_Static_assert(BOUND_SLOTS < VCG_SOLD, "all slots sold are less than one micro");
_Static_assert(BOUND_MICROS < INT64_MAX / VCG_SOLD / 64, "sums of amounts fit");

// Expected value to the host, in micros.
int64_t vcg_score(const struct vcg_bid *bid);
// What excludes other bids of the contact: its category, else its message.
uint64_t vcg_key(const struct vcg *vcg, const struct vcg_bid *bid);

#endif
