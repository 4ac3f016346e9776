// What a column asks beyond its rows: a short program of leaves. Private to auction/.
#ifndef VENDUE_MATCH_CHECK_H
#define VENDUE_MATCH_CHECK_H

#include "match_rules.h"

struct match;

// Appends the leaf to the program that ends at `words` (NULL: only counts). Returns its length in
// words. The first leaf of a program says how many it has: match_check_start.
uint32_t match_check_leaf(uint32_t *words, const struct expr_node *leaf, const int64_t *set);
// A program that judges the two rules as a whole, of so many words.
uint32_t match_check_rules(uint32_t *words);
// Ends a program. Returns its length in words.
uint32_t match_check_end(uint32_t *words);

// Are all leaves of the program true for the contact and slot of this search?
bool match_check_true(const struct match *match, const uint32_t *words, uint32_t bid);

// Notes the words of a contact's lists, so that columns find them fast.
void match_check_lists(struct match *match);

#endif
