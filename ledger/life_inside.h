// Parts of life.c and its neighbours; see life.h.
#ifndef VENDUE_LIFE_INSIDE_H
#define VENDUE_LIFE_INSIDE_H

#include "arena.h"
#include "contract.h"
#include "life.h"

// --- life_terms.c: contracts as they were at a market version
// --------------------------------------
struct life_terms;
struct life_terms *life_terms_open(void);
void life_terms_close(struct life_terms *terms);  // NULL is allowed
// Reads it once. STATUS_NOT_FOUND: that version has no such contract. STATUS_DAMAGED: its stored
// body cannot be read. The contract lives as long as the terms.
MUST_CHECK enum status
life_terms_of(struct life_terms *terms, struct db *db, uint32_t contract, uint64_t market_version,
              const struct market_contract **out_contract);

// --- life_order.c: what an order stands on, and the moves
// ------------------------------------------ What is to be done with an order.
struct life_task {
    struct id order;
    usec effective;  // of the moves
    bool lock;       // its validation is over
};
#define LIFE_TASKS 500
// Lets these orders, each named once, stand as they should: moves into `act`, changes of what is
// due of their pools into the database.
// `closing` not NULL: true-ups alone, booked into that period, by the revenue reported until its
// end.
MUST_CHECK enum status
life_orders(struct db *db, struct life_terms *terms, struct act *act, const struct life_task *tasks,
            size_t count, const struct period *closing);

// --- life_tier.c: true-ups
// ------------------------------------------------------------------------- What a transfer of an
// order was booked between.
struct life_leg {
    struct account payer, receiver;
    int8_t rung;
    money amount;  // from payer to receiver; negative: back
};
#define LIFE_LEGS (2 * BOUND_PARTS + 4)
struct life_legs {
    struct life_leg legs[LIFE_LEGS];
    unsigned count;
};
// Adds to the leg of the same payer, receiver and rung. STATUS_FULL: too many of them.
MUST_CHECK enum status life_leg_add(struct life_legs *legs, struct account payer,
                                    struct account receiver, int8_t rung, money amount);
// What tiers need to know of these orders; NULL when no contract's revenue reached a tier that
// counts for its whole period. `closing` not NULL: by what was reported until its end.
struct life_tiers;
MUST_CHECK enum status life_tiers_open(struct db *db, const struct id *orders, size_t count,
                                       const struct period *closing, struct life_tiers **out_tiers);
void life_tiers_close(struct life_tiers *tiers);  // NULL is allowed
// What the order's true-up should be: 0 legs when its contract has none for its period.
MUST_CHECK enum status life_tier_legs(const struct life_tiers *tiers, struct db *db,
                                      struct life_terms *terms, struct id order,
                                      struct life_legs *out_legs);

#endif
