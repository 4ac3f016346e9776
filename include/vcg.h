// The prices of several slots of one contact that are sold together: unit-demand assignment with
// externality payments, floors inside the mechanism. The numbered rule, and why the few bids kept
// are enough, stand in vcg.c. Pure; the round (containers with `pricing: vcg`) and the pocket
// calculator (`slotctl clear --vcg`, seed 0) use the same code.
#ifndef VENDUE_VCG_H
#define VENDUE_VCG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "money.h"

#define VCG_KEPT (2 * BOUND_SLOTS)             // bids kept of one slot
#define VCG_MESSAGES (VCG_KEPT * BOUND_SLOTS)  // different messages among all kept

struct vcg_bid {
    uint64_t bid;            // its id; not 0. It may stand for several slots, once each
    uint32_t seat, message;  // a message is of one seat
    uint8_t slot;            // from 0, in declared order
    uint32_t number;         // the caller's own; comes back with the sale
    money price;             // the most it pays for this slot
    money floor;             // the floor that counts for it there
};
struct vcg_sale {
    uint64_t winner;  // bid; 0: the slot stays with the host
    uint32_t seat, message, number;
    money price;       // what it pays
    money floor;       // the winner's floor
    uint64_t setter;   // bid whose amount is the price; 0: the floor is, or no single bid's amount
    uint32_t counted;  // bids of this slot at or above their floor
};

// What a bid adds if it takes its slot: money over its floor, then (for ties) the rest.
struct vcg_worth {
    money over;
    int64_t rest;
};
struct vcg_offer {
    struct vcg_bid bid;
    struct vcg_worth worth;
    uint16_t row;  // number of its message among those kept
};
// Scratch memory of one contact, some 25 KiB; bids may be given in any order, the sales do not
// depend on it.
struct vcg {
    uint64_t seed;
    uint8_t slot_count;
    uint8_t kept[BOUND_SLOTS];
    uint32_t counted[BOUND_SLOTS];
    struct vcg_offer offers[BOUND_SLOTS][VCG_KEPT];  // of each slot, the best first
};
void vcg_open(struct vcg *vcg, uint64_t seed, unsigned slot_count);
// False when the bid is below its floor: it takes no part in this slot.
bool vcg_add(struct vcg *vcg, const struct vcg_bid *bid);
// True when no bid of `price` or less can change any sale through this slot, whose floors are all
// at least `least_floor`.
bool vcg_settled(const struct vcg *vcg, unsigned slot, money price, money least_floor);
// One sale for each slot.
void vcg_close(struct vcg *vcg, struct vcg_sale out_sales[BOUND_SLOTS]);

#endif
