// The limits of a contact whose slots are sold one after the other; see round_limits.c. Private.
#ifndef VENDUE_ROUND_LIMITS_H
#define VENDUE_ROUND_LIMITS_H

#include "round.h"

#define ROUND_RESALES 16  // sales anew for the sake of groups, one group out in each
struct round_option {     // a bid of the quota that could win a slot
    uint64_t key;         // what it would take from others: its category, else its message
    bool paid;
};
struct round_limits {
    unsigned wanted;  // mask of slots
    uint32_t groups_out[ROUND_RESALES];
    uint32_t groups_out_count;
    bool all_groups_out;
    // The quota, at the slot being decided:
    bool quota_open;   // it may stop a bid
    unsigned quota;    // wins that may be reached in all
    unsigned reached;  // so far
    uint8_t option_counts[BOUND_SLOTS];
    struct round_option options[BOUND_SLOTS][2 * BOUND_SLOTS];
};

void round_limits_open(struct round *round, unsigned wanted);
// Before each slot that is asked for, in containers whose slots are sold one after the other.
void round_limits_slot(struct round *round);
// What the limits of the container say to a bid, with the wins so far: SEPARATION, PAID_MAX, GROUP,
// QUOTA.
enum reason round_limits_judge(const struct round *round, const struct catalog_bid *bid);
// After all slots: true when they must be sold anew.
bool round_limits_again(struct round *round);
// Of the bid: does it count towards paid_max; does it pursue the quota's objectives; the category
// that excludes others, from 1, 0 none; how many wins make its group whole, 0 without a group.
bool round_limits_is_paid(const struct round *round, const struct catalog_bid *bid);
bool round_limits_is_quota(const struct round *round, const struct catalog_bid *bid);
uint32_t round_limits_category(const struct round *round, const struct catalog_bid *bid);
uint32_t round_limits_group_size(const struct round *round, const struct catalog_bid *bid);

#endif
