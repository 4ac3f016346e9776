// Eligibility rules: compiling, truth, and the check of a tree that was read from bytes.
//
// A rule passes four files: expr_token.c cuts the text as PostgreSQL would, expr_parse.c knows the
// grammar, expr_bind.c turns names and literals into numbers, expr_tree.c keeps the normal form
// (expr.h). The result is two arrays, nodes in preorder and the literals of their sets, copied into
// the caller's arena.
//
// Truth is two-valued (expr.h says why that is right): a leaf over an unknown attribute is false,
// but for EXPR_KNOWN negated. Invariants, checked by expr_sound on a tree from outside:
//  1. node.size spans exactly the node and its children; the root spans all nodes
//  2. AND and OR have two children or more, none of the same kind; constants stand at the root only
//  3. a leaf's attribute exists, is admitted, and has a type that its kind can ask
//  4. sets lie inside `sets`, hold 1 to BOUND_SET_ITEMS entries, ascend without repeats, and name
//     known words
//  5. nesting is at most EXPR_TREE_DEPTH, so that recursion is bounded
#include "expr.h"

#include <string.h>

#include "expr_parse.h"

enum status
expr_compile(const char *text, size_t len, const struct expr_schema *schema, struct arena *arena,
             struct expr *out_expr, struct expr_error *out_error)
{
    *out_error = (struct expr_error){0};
    if (len > BOUND_RULE_BYTES) {
        (void)expr_token_error(out_error, BOUND_RULE_BYTES, 1,
                               "the rule is longer than %d bytes; split it", BOUND_RULE_BYTES);
        return STATUS_INPUT;
    }
    struct expr_tree tree;
    tree.count = tree.set_count = tree.leaves = 0;
    struct expr_binding binding;
    binding.text = text;
    binding.schema = schema;
    binding.error = out_error;
    if (!expr_parse_rule(&binding, (uint32_t)len, &tree)) return STATUS_INPUT;
    struct expr_node *nodes = arena_take(arena, tree.count, sizeof *nodes);
    memcpy(nodes, tree.nodes, tree.count * sizeof *nodes);
    int64_t *sets = NULL;
    if (tree.set_count > 0) {
        sets = arena_take(arena, tree.set_count, sizeof *sets);
        memcpy(sets, tree.sets, tree.set_count * sizeof *sets);
    }
    *out_expr = (struct expr){nodes, tree.count, sets, tree.set_count};
    return STATUS_OK;
}

static bool
set_holds(const int64_t *set, uint32_t count, int64_t value)
{
    while (count > 0) {
        uint32_t half = count / 2;
        if (set[half] == value) return true;
        if (set[half] < value) {
            set += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return false;
}

// How many words of the set the list holds; both ascend without repeats.
static uint32_t
shared_words(const int64_t *set, uint32_t set_count, const int32_t *items, uint32_t item_count)
{
    uint32_t shared = 0;
    for (uint32_t i = 0, j = 0; i < set_count && j < item_count;) {
        if (set[i] < items[j]) {
            i++;
        } else if (set[i] > items[j]) {
            j++;
        } else {
            shared++;
            i++;
            j++;
        }
    }
    return shared;
}

static bool
leaf_true(const struct expr *expr, const struct expr_node *leaf, const struct values *values,
          const struct declared *beside)
{
    uint64_t bit = UINT64_C(1) << leaf->attribute;
    const int32_t *list_items = values->list_items;
    int64_t value = 0;
    bool known = (values->known & bit) != 0;
    if (known) {
        value = values->value[leaf->attribute];
    } else if (beside != NULL && (beside->known & bit) != 0) {
        known = true;
        value = declared_value(beside, leaf->attribute);
        list_items = beside->list_items;
    }
    if (leaf->kind == EXPR_KNOWN) return known != (leaf->negated != 0);
    if (!known) return false;
    bool holds;
    if (leaf->kind == EXPR_RANGE) {
        holds = leaf->least <= value && value <= leaf->most;
    } else if (leaf->kind == EXPR_IN) {
        holds = set_holds(expr->sets + leaf->set, leaf->count, value);
    } else {
        const int32_t *items = list_items + (uint32_t)(value >> 32);
        uint32_t shared = shared_words(expr->sets + leaf->set, leaf->count, items, (uint32_t)value);
        holds = leaf->kind == EXPR_ANY ? shared > 0 : shared == leaf->count;
    }
    return holds != (leaf->negated != 0);
}

static bool
node_true(const struct expr *expr, const struct expr_node *node, const struct values *values,
          const struct declared *beside, const struct expr_node **out_failed)
{
    bool truth;
    if (node->kind == EXPR_AND || node->kind == EXPR_OR) {
        bool all = node->kind == EXPR_AND;
        const struct expr_node *child = node + 1;
        for (uint32_t i = 0; i < node->count; i++, child += child->size) {
            const struct expr_node *failed = NULL;
            truth = node_true(expr, child, values, beside, &failed);
            if (!truth && *out_failed == NULL) *out_failed = failed;
            if (truth != all) return truth;
        }
        return all;
    }
    if (node->kind == EXPR_TRUE || node->kind == EXPR_FALSE) {
        truth = node->kind == EXPR_TRUE;
    } else {
        truth = leaf_true(expr, node, values, beside);
    }
    if (!truth) *out_failed = node;
    return truth;
}

bool
expr_true_with(const struct expr *expr, const struct values *values, const struct declared *beside,
               const struct expr_node **out_failed)
{
    const struct expr_node *failed = NULL;
    bool truth = node_true(expr, expr->nodes, values, beside, &failed);
    if (out_failed != NULL) *out_failed = truth ? NULL : failed;
    return truth;
}

bool
expr_true(const struct expr *expr, const struct values *values, const struct expr_node **out_failed)
{
    return expr_true_with(expr, values, NULL, out_failed);
}

static bool
set_sound(const struct expr *expr, const struct expr_node *leaf, bool words, uint32_t word_count)
{
    if (leaf->count == 0 || leaf->count > BOUND_SET_ITEMS) return false;
    if (leaf->set > expr->set_count || leaf->count > expr->set_count - leaf->set) return false;
    const int64_t *set = expr->sets + leaf->set;
    for (uint32_t i = 0; i < leaf->count; i++) {
        if (i > 0 && set[i - 1] >= set[i]) return false;
        if (words && (set[i] < 0 || set[i] >= word_count)) return false;
    }
    return true;
}

static bool
leaf_sound(const struct expr *expr, const struct expr_node *leaf, const struct expr_schema *schema,
           uint32_t word_count)
{
    if (leaf->size != 1 || leaf->negated > 1 || leaf->attribute >= schema->count) return false;
    const struct expr_attribute *is = &schema->attributes[leaf->attribute];
    if (schema->admits != 0 && (schema->admits >> is->of & 1) == 0) return false;
    if (leaf->kind == EXPR_KNOWN) return true;
    if (leaf->kind == EXPR_RANGE) {
        if (is->type == ATTRIBUTE_INTEGER) return true;
        return is->type == ATTRIBUTE_BOOLEAN && leaf->negated == 0 && leaf->least == leaf->most &&
               (leaf->least == 0 || leaf->least == 1);
    }
    if (leaf->kind == EXPR_IN)
        return (is->type == ATTRIBUTE_TEXT || is->type == ATTRIBUTE_INTEGER) &&
               set_sound(expr, leaf, is->type == ATTRIBUTE_TEXT, word_count);
    return is->type == ATTRIBUTE_LIST && set_sound(expr, leaf, true, word_count);
}

static bool
node_sound(const struct expr *expr, uint32_t at, uint32_t end, unsigned depth,
           const struct expr_schema *schema, uint32_t word_count)
{
    const struct expr_node *node = &expr->nodes[at];
    if (depth > EXPR_TREE_DEPTH || node->kind > EXPR_KNOWN || node->size == 0 ||
        node->size > end - at)
        return false;
    if (node->kind == EXPR_TRUE || node->kind == EXPR_FALSE) return depth == 0 && node->size == 1;
    if (node->kind != EXPR_AND && node->kind != EXPR_OR)
        return leaf_sound(expr, node, schema, word_count);
    uint32_t child = at + 1, children = 0;
    for (; child < at + node->size; children++) {
        if (expr->nodes[child].kind == node->kind) return false;
        if (!node_sound(expr, child, at + node->size, depth + 1, schema, word_count)) return false;
        child += expr->nodes[child].size;
    }
    return children >= 2 && children == node->count;
}

bool
expr_sound(const struct expr *expr, const struct expr_schema *schema, uint32_t word_count)
{
    return expr->node_count > 0 && expr->node_count <= EXPR_TREE_NODES &&
           expr->set_count <= EXPR_TREE_SETS && expr->nodes[0].size == expr->node_count &&
           node_sound(expr, 0, expr->node_count, 0, schema, word_count);
}

bool
expr_name_allowed(const char *name, size_t len)
{
    if (len == 0 || len > BOUND_CODE || (name[0] >= '0' && name[0] <= '9')) return false;
    for (size_t i = 0; i < len; i++) {
        bool fits = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
                    name[i] == '_';
        if (!fits) return false;
    }
    return !expr_token_reserved(name, len);
}
