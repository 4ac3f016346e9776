#include "round_kit.h"

// Puts the second and third candidate in each other's place: the price stays, the order does not.
static bool
swap_candidates(struct fact *first, struct fact *second)
{
    if (second == NULL || second->candidates.bid[0] == 0) return false;
#define SWAP(field)                                                                \
    do {                                                                           \
        __typeof__(first->candidates.field[1]) other = first->candidates.field[1]; \
        first->candidates.field[1] = second->candidates.field[0];                  \
        second->candidates.field[0] = other;                                       \
    } while (0)
    SWAP(bid);
    SWAP(price);
    SWAP(multiplier);
    SWAP(floor);
    SWAP(message);
    SWAP(floor_id);
    SWAP(seat);
    SWAP(how);
    SWAP(priority);
#undef SWAP
    return true;
}

bool
round_kit_change(struct random *random, struct fact *facts, unsigned count)
{
    unsigned position = 1 + random_below(random, facts[0].opened.slots);
    struct fact *outcome = &facts[position], *candidates = NULL, *more = NULL;
    for (unsigned i = 1 + facts[0].opened.slots; i < count; i++) {
        if (facts[i].kind != FACT_CANDIDATES || facts[i].position != position) continue;
        if (candidates == NULL) candidates = &facts[i];
        else if (more == NULL) more = &facts[i];
    }
    if (outcome->kind != FACT_PLACEMENT || candidates == NULL) return false;
    switch (random_below(random, 15)) {
    case 0: outcome->placement.price.micros++; break;
    case 1: outcome->placement.price.micros--; break;
    case 2: outcome->placement.floor.micros++; break;
    case 3: outcome->placement.setter ^= 1; break;
    case 4: outcome->placement.bid ^= 2; break;
    case 5: outcome->placement.bid_price.micros--; break;
    case 6: outcome->placement.seat++; break;
    case 7: outcome->placement.message++; break;
    case 8: candidates->candidates.price[0]++; break;
    case 9: candidates->candidates.floor[0].micros--; break;
    case 10: candidates->candidates.bid[0] ^= 4; break;
    case 11: candidates->kind = FACT_TALLY; break;
    case 12: return swap_candidates(candidates, more);
    case 13: candidates->candidates.price[0] = -1; break;
    default: candidates->candidates.floor_id[0]++; break;
    }
    return true;
}
