// What followed from deliveries, counted by message and cell, by rung and cell, and by rung: what
// learn.h reckons with. Private to auction/.
#ifndef VENDUE_RATES_H
#define VENDUE_RATES_H

#include "arena.h"
#include "fact.h"
#include "learn.h"
#include "probe.h"

#define RATES_CELLS (STAGE_COUNT * CHANNEL_COUNT)

struct rate {
    uint32_t message, cell;
    struct learn_counts counts;
};
struct rates {
    struct rate *pairs;
    uint32_t capacity, count;
    uint64_t unpaired;           // facts that found no room for their pair
    struct probe probe;          // pairs by message and cell
    struct learn_counts *cells;  // rung * RATES_CELLS + cell
    struct learn_counts rungs[RUNG_COUNT];
};
void rates_open(struct rates *rates, struct arena *arena, uint32_t capacity);

// One more fact about a placement: delivered, accepted, converted (`amount`), refunded (likewise).
// `first`: of a conversion, the first of its placement.
void rates_learn(struct rates *rates, const struct fact *placement, enum fact_kind kind, bool first,
                 money amount);
// This pair will soon be asked for: calls near its place in the table (step 0), then, by what
// stands there, its counts (step 1). Changes nothing.
void rates_expect(const struct rates *rates, uint32_t message, uint32_t cell, unsigned step);
struct learn_counts rates_of_message(const struct rates *rates, uint32_t message, uint32_t cell);
struct learn_counts rates_of_cell(const struct rates *rates, enum rung rung, uint32_t cell);

#endif
