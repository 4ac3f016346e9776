// A rule's tree while it is built, in normal form from the start. Private to the rule compiler.
#ifndef VENDUE_EXPR_TREE_H
#define VENDUE_EXPR_TREE_H

#include "expr.h"

// Leaves and constants are at most BOUND_RULE_LEAVES; a closed group has two children or more, so
// there are fewer closed groups than leaves; open groups are two for each level of parentheses and
// one more.
#define EXPR_TREE_NODES (2 * BOUND_RULE_LEAVES + 2 * (BOUND_RULE_DEPTH + 2))
#define EXPR_TREE_SETS (BOUND_RULE_BYTES / 2 + 1)  // a literal and its comma are two bytes at least
#define EXPR_TREE_DEPTH (2 * BOUND_RULE_DEPTH + 4)  // levels of AND and OR, leaves included

struct expr_tree {
    struct expr_node nodes[EXPR_TREE_NODES];
    int64_t sets[EXPR_TREE_SETS];
    uint32_t count, set_count;
    uint32_t leaves;  // leaves and constants ever added
};

// Opens a group; everything added until its close is its content. Returns what close wants.
uint32_t expr_tree_open(struct expr_tree *tree);
// Closes it as EXPR_AND or EXPR_OR: drops what changes nothing, dissolves groups of the same kind,
// and a group of one becomes that one.
void expr_tree_close(struct expr_tree *tree, uint32_t group, enum expr_kind kind);

// Adds one literal to the set of the leaf that follows.
void expr_tree_literal(struct expr_tree *tree, int64_t literal);
// Adds a leaf or a constant in normal form. A set leaf takes the literals from `leaf.set` on.
void expr_tree_leaf(struct expr_tree *tree, struct expr_node leaf, enum attribute_type type);

#endif
