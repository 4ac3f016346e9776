// The prices of several slots of one contact that are sold together: unit-demand assignment with
// externality payments, floors and the contact's limits inside the mechanism. The numbered rule,
// and why the few bids kept are enough, stand in vcg.c. Pure; the round (containers with
// `pricing: vcg`) and the pocket calculator (`slotctl clear --vcg`, seed 0) use the same code.
#ifndef VENDUE_VCG_H
#define VENDUE_VCG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "money.h"

#define VCG_LISTS 5     // of a slot: by paid or not, of the quota or not; and the bids in groups
#define VCG_GROUPED 24  // bids in groups that are kept of one slot
#define VCG_LIST (3 * BOUND_SLOTS)             // bids kept of one list
#define VCG_KEPT (4 * VCG_LIST + VCG_GROUPED)  // bids kept of one slot
#define VCG_STEPS 8000                         // of all searches of a contact; vcg.c (9)

struct vcg_bid {
    uint64_t bid;                // its id; not 0. It may stand for several slots, once each
    uint32_t seat, message;      // a message is of one seat
    uint8_t slot;                // from 0, in declared order
    uint32_t number;             // the caller's own; comes back with the sale
    money price;                 // the most it pays for this slot, in its own kind
    money floor;                 // the least expected value that counts for it there
    uint8_t kind, at, priority;  // as in price.h; all 0: micros a placement, second price
    uint64_t multiplier;         // as in price.h
    uint32_t category;           // bids of one category exclude each other; 0 none
    uint32_t group;              // all of a group win in a contact, or none; 0 none
    uint8_t group_size;          // wins that make it whole
    bool paid, quota;            // counts towards paid_max; pursues the quota's objectives
};
struct vcg_limits {
    uint32_t paid_max;      // so many slots at most go to `paid` bids; 0: any number
    uint32_t quota_count;   // so many at least to bids of the `quota`, if that can be
    bool separate, groups;  // whether bids with a category, in a group may come
};
struct vcg_sale {
    uint64_t winner;  // bid; 0: the slot stays with the host
    uint32_t seat, message, number;
    money price;       // what it pays, in its own kind
    money floor;       // the winner's floor
    uint64_t setter;   // bid whose amount is the price; 0: the floor is, or no single bid's amount
    uint32_t counted;  // bids of this slot at or above their floor
    money over;        // the winner's expected value over its floor
    uint8_t priority;  // the winner's
    bool paid, quota;
};

struct vcg_offer {
    struct vcg_bid bid;
    int64_t
        amount;  // expected value over the floor x 16, + 1: so the number of slots sold is in it
    int64_t draw;
    bool needed;  // after vcg_close: an assignment that counted holds it
};
// Scratch memory of one contact; bids may be given in any order, the sales do not depend on it.
struct vcg {
    uint64_t seed;
    struct vcg_limits limits;
    uint32_t steps_max;  // VCG_STEPS; a test or a judge of records may change it after vcg_open
    uint32_t steps;      // after vcg_close: steps of all its searches
    bool cut_short;      // after vcg_close: a search met steps_max
    uint8_t slot_count;
    uint8_t kept[BOUND_SLOTS][VCG_LISTS];
    uint32_t counted[BOUND_SLOTS];
    struct vcg_offer offers[BOUND_SLOTS][VCG_LISTS][VCG_LIST + 1];  // of each list, the best first
};
// What the bid offers; false when it is below its floor.
bool vcg_offer_of(const struct vcg *vcg, const struct vcg_bid *bid, struct vcg_offer *out_offer);
// The order in which a slot prefers bids: priority, what they add, the draw, the lower id.
bool vcg_ranks_before(const struct vcg_offer *a, const struct vcg_offer *b);
void vcg_open(struct vcg *vcg, uint64_t seed, unsigned slot_count);
// Before the first bid; without it there are no limits but one message once.
void vcg_limit(struct vcg *vcg, const struct vcg_limits *limits);
// False when the bid is below its floor: it takes no part in this slot.
bool vcg_add(struct vcg *vcg, const struct vcg_bid *bid);
// True when no bid per placement, of priority 0 and no deal, of `price` or less can change any sale
// through this slot, whose floors are all at least `least_floor`.
bool vcg_settled(const struct vcg *vcg, unsigned slot, money price, money least_floor);
// False when no such bid can that is paid, or is not.
bool vcg_wants_any(const struct vcg *vcg, unsigned slot, bool paid, money price, money least_floor);
// False when such a bid cannot: only its seat, message, price and what limits ask are looked at.
bool vcg_wants(const struct vcg *vcg, const struct vcg_bid *bid, money least_floor);
// One sale for each slot.
void vcg_close(struct vcg *vcg, struct vcg_sale out_sales[BOUND_SLOTS]);

#endif
