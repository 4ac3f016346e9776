// A rule's tree while it is built. The parser pushes NOT down as it goes, so only AND, OR and
// leaves arrive.
//
// Normal form of leaves (fewer shapes for the matcher, and one text for one meaning):
//  1. a boolean is RANGE [1,1] or [0,0], never negated: known and not true is known and false
//  2. a one-sided integer range is never negated: known and not <= 5 is known and >= 6
//  3. a set is ascending without repeats; IN over one integer is a RANGE, ALL over one word is ANY
// Normal form of groups: TRUE leaves an AND and decides an OR, FALSE the other way round (both hold
// with unknown operands too); a group inside a group of its kind dissolves; a group of one is that
// one.
#include "expr_tree.h"

#include <string.h>

#include "fail.h"

uint32_t
expr_tree_open(struct expr_tree *tree)
{
    CHECK(tree->count < EXPR_TREE_NODES);
    tree->nodes[tree->count] = (struct expr_node){0};
    return tree->count++;
}

static struct expr_node
constant(enum expr_kind kind, const struct expr_node *place)
{
    return (struct expr_node){
        .kind = (uint8_t)kind, .size = 1, .column = place->column, .length = place->length};
}

void
expr_tree_close(struct expr_tree *tree, uint32_t group, enum expr_kind kind)
{
    enum expr_kind neutral = kind == EXPR_AND ? EXPR_TRUE : EXPR_FALSE;
    enum expr_kind decisive = kind == EXPR_AND ? EXPR_FALSE : EXPR_TRUE;
    struct expr_node *nodes = tree->nodes;
    CHECK(group + 1 < tree->count);  // a group is never empty when it closes
    struct expr_node first = nodes[group + 1];
    uint32_t to = group + 1, children = 0;
    for (uint32_t from = group + 1; from < tree->count;) {
        struct expr_node child = nodes[from];
        if (child.kind == decisive) {
            nodes[group] = child;
            tree->count = group + 1;
            return;
        }
        uint32_t skip = 0, next = from + child.size;
        if (child.kind == neutral) {
            skip = 1;
        } else if (child.kind == kind) {
            skip = 1;
            children += child.count;
        } else {
            children++;
        }
        memmove(nodes + to, nodes + from + skip, (child.size - skip) * sizeof nodes[0]);
        to += child.size - skip;
        from = next;
    }
    if (children == 0) {
        nodes[group] = constant(neutral, &first);
    } else if (children == 1) {
        memmove(nodes + group, nodes + group + 1, (to - group - 1) * sizeof nodes[0]);
        to--;
    } else {
        nodes[group] = (struct expr_node){
            .kind = (uint8_t)kind, .size = to - group, .count = children};
    }
    tree->count = to;
}

void
expr_tree_literal(struct expr_tree *tree, int64_t literal)
{
    CHECK(tree->set_count < EXPR_TREE_SETS);
    tree->sets[tree->set_count++] = literal;
}

// Sorts the leaf's literals and drops repeats. At most BOUND_SET_ITEMS, hence the plain insertion
// sort.
static void
settle_set(struct expr_tree *tree, struct expr_node *leaf)
{
    int64_t *set = tree->sets + leaf->set;
    uint32_t count = tree->set_count - leaf->set, kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t literal = set[i];
        uint32_t at = kept;
        while (at > 0 && set[at - 1] > literal) at--;
        if (at > 0 && set[at - 1] == literal) continue;
        memmove(set + at + 1, set + at, (kept - at) * sizeof set[0]);
        set[at] = literal;
        kept++;
    }
    leaf->count = kept;
    tree->set_count = leaf->set + kept;
}

static void
settle_range(struct expr_node *leaf, enum attribute_type type)
{
    if (!leaf->negated) return;
    bool below = leaf->least == INT64_MIN, above = leaf->most == INT64_MAX;
    if (type == ATTRIBUTE_BOOLEAN) {
        leaf->least = leaf->most = 1 - leaf->least;
        leaf->negated = 0;
    } else if (below && !above) {
        leaf->least = leaf->most + 1;
        leaf->most = INT64_MAX;
        leaf->negated = 0;
    } else if (above && !below) {
        leaf->most = leaf->least - 1;
        leaf->least = INT64_MIN;
        leaf->negated = 0;
    }
}

void
expr_tree_leaf(struct expr_tree *tree, struct expr_node leaf, enum attribute_type type)
{
    CHECK(tree->count < EXPR_TREE_NODES);
    leaf.size = 1;
    if (leaf.kind == EXPR_IN || leaf.kind == EXPR_ANY || leaf.kind == EXPR_ALL) {
        settle_set(tree, &leaf);
        if (leaf.kind == EXPR_ALL && leaf.count == 1) leaf.kind = EXPR_ANY;
        if (leaf.kind == EXPR_IN && leaf.count == 1 && type == ATTRIBUTE_INTEGER) {
            leaf.kind = EXPR_RANGE;
            leaf.least = leaf.most = tree->sets[leaf.set];
            tree->set_count = leaf.set;
            leaf.set = leaf.count = 0;
        }
    }
    if (leaf.kind == EXPR_RANGE) settle_range(&leaf, type);
    tree->nodes[tree->count++] = leaf;
    tree->leaves++;
}
