// What a placement is worth to the host when it is priced by what follows from it: response rates
// and values, learned from delivered facts, with honest uncertainty. Integers only, so that every
// machine draws the same; pure.
//
// Response rate: Beta-Bernoulli. The prior of a message in a cell is its parent's mean, weighing as
// much as LEARN_STRENGTH deliveries; the parent is all messages of the rung in that cell, whose
// prior is the rung's mean likewise, whose prior is Beta(1, 1). Conversions a delivery are learned
// in the same way. Value: net revenue a conversion, a mean shrunk to the parents' by the same
// strength.
// Source: Thompson 1933; Gelman et al., Bayesian Data Analysis, chapter 5 (partial pooling).
#ifndef VENDUE_LEARN_H
#define VENDUE_LEARN_H

#include <stdbool.h>

#include "money.h"

struct learn_counts {
    uint64_t delivered, responded, converted;
    money revenue;  // net of refunds; may be negative
};
#define LEARN_STRENGTH 20
#define LEARN_ONE (UINT64_C(1) << 32)  // rates are fractions of it

// A level of the pool, most special first: message in cell, rung in cell, rung.
struct learn {
    struct learn_counts own, cell, rung;
};
// Counts of both; what leaves its range stays at its end.
void learn_add(struct learn_counts *counts, const struct learn_counts *more);
// Expected responses a delivery: the posterior's mean, or with `explore` one draw of the posterior
// that follows from `seed` alone. 1 to LEARN_ONE.
uint64_t learn_response_rate(const struct learn *learn, bool explore, uint64_t seed);
// Expected net revenue a delivery, in micros: conversion rate (mean or draw) times mean value. 0 to
// BOUND_MICROS.
uint64_t learn_revenue(const struct learn *learn, bool explore, uint64_t seed);

// The same in two steps, for many messages of one rung and cell: what their own counts are shrunk
// to, then each.
struct learn_parent {
    uint64_t response_rate, conversion_rate;
    money value;  // of a conversion
};
struct learn_parent
learn_parent_of(const struct learn_counts *cell, const struct learn_counts *rung);
uint64_t learn_response_under(const struct learn_counts *own, const struct learn_parent *parent,
                              bool explore, uint64_t seed);
uint64_t learn_revenue_under(const struct learn_counts *own, const struct learn_parent *parent,
                             bool explore, uint64_t seed);

// One draw of Beta(alpha, beta), as a fraction of LEARN_ONE; alpha and beta in 1/65,536, at least 1
// of these units. Follows from the seed alone.
uint64_t learn_beta(uint64_t alpha, uint64_t beta, uint64_t seed);

#endif
