// The best assignment of slots to bids under the limits of a contact; how it is found stands in
// vcg_solve.c. Private to auction/.
#ifndef VENDUE_VCG_SOLVE_H
#define VENDUE_VCG_SOLVE_H

#include "vcg.h"

#define VCG_SOLVE_CLASSES 9       // different priorities
#define VCG_SOLVE_NONE UINT8_MAX  // no edge: the slot stays with the host
#define VCG_SOLVE_KEYS (VCG_KEPT * BOUND_SLOTS)
#define VCG_SOLVE_GROUPS (VCG_GROUPED * BOUND_SLOTS / 2 + 1)  // of two bids or more; 0 is none

// Compared part by part, the first difference decides: a part of the search's own, the amounts by
// priority, the highest first, then less the draws.
struct vcg_solve_worth {
    int64_t part[VCG_SOLVE_CLASSES + 2];
};
// A bid that may take a slot.
struct vcg_solve_edge {
    int64_t amount, draw;
    uint32_t seat;
    uint16_t key;  // of bids with the same key one wins at most
    uint8_t class, paid, quota;
    uint8_t group;        // 0 none
    uint8_t list, place;  // in struct vcg
};
struct vcg_solve_market {
    unsigned slots, classes, keys;
    unsigned paid_max;  // UINT_MAX: any number
    unsigned quota_count;
    uint32_t steps_max;  // of one search
    bool separate, grouped;
    uint8_t group_size[VCG_SOLVE_GROUPS];
    uint8_t counts[BOUND_SLOTS];
    struct vcg_solve_edge edges[BOUND_SLOTS][VCG_KEPT];  // of a slot, the greatest worth first
};
// Who takes which slot: index in the slot's edges.
struct vcg_solve_answer {
    uint8_t edge[BOUND_SLOTS];
};
struct vcg_solve_question {
    unsigned open;                  // slots to assign; the others stay as in `given`
    struct vcg_solve_answer given;  // an assignment of all slots, within the limits
    bool without_seat;              // `seat` counts for nothing: it is away, but its bids of the
    uint32_t seat;                  // quota may still serve it, worth nothing; groups are not asked
                                    // of them
    unsigned quota;                 // so many bids of the quota must win; `given` has them
};

// The most bids of the quota that can win together.
unsigned vcg_solve_quota(const struct vcg_solve_market *market);
// False when no assignment with the quota was found (only with groups, or cut short); then `out` is
// not set. `steps` grows by the steps taken; `cut_short` is set when the best may not be it.
bool vcg_solve_first(const struct vcg_solve_market *market, unsigned quota,
                     struct vcg_solve_answer *out, uint32_t *steps, bool *cut_short);
void
vcg_solve_again(const struct vcg_solve_market *market, const struct vcg_solve_question *question,
                struct vcg_solve_answer *out, uint32_t *steps, bool *cut_short);

// Where nothing but keys limits: hands one slot more out of those handed so far, as if all had been
// handed out without the seat, which holds none of them.
void vcg_solve_hand_out(const struct vcg_solve_market *market, struct vcg_solve_answer *answer,
                        unsigned handed, unsigned slot, uint32_t seat);

#endif
