// Rules as conjunctions, for the bid index. Private to auction/.
#ifndef VENDUE_MATCH_RULES_H
#define VENDUE_MATCH_RULES_H

#include "catalog.h"

#define MATCH_LEAVES (2 * BOUND_RULE_LEAVES)

// One conjunction: what must all be true.
struct match_leaves {
    const struct expr_node *leaf[MATCH_LEAVES];
    const int64_t *sets[MATCH_LEAVES];  // of that leaf
    uint32_t count;
    bool partial;  // a part of the rules is left out: they must be judged as a whole
};

// Conjunctions of seat's and message's rule of a bid; 0: it can never win under this catalog.
uint32_t match_rules_terms(const struct catalog *catalog, const struct catalog_bid *bid);
// The leaves of one of them.
void match_rules_leaves(const struct catalog *catalog, const struct catalog_bid *bid, uint32_t term,
                        struct match_leaves *out_leaves);

#endif
