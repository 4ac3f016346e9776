// The seed of a random test: printed, so that a failed run can be replayed with VENDUE_SEED.
#ifndef SUPPORT_SEED_H
#define SUPPORT_SEED_H

#include <stdint.h>

// VENDUE_SEED, else the clock: another run, other values.
uint64_t seed_fresh(void);
// VENDUE_SEED, else `otherwise`: the same values in every run.
uint64_t seed_fixed(uint64_t otherwise);

#endif
