// How the index tells the values of an attribute apart: their codes, which rows codes have, and
// which rows a predicate can be true in.
//
// Words that rules ask for have a code each, and so has every space between two bounds that rules
// name, up to MATCH_CODES of them. A part has fewer rows than there may be codes: words beyond a
// number share rows, and ranges first share cells, of neighbours, then rows (match_row). What rows
// leave open is checked of each column, so that sharing costs time and never an answer.
//
// Invariant: no false negative. A value that makes a leaf true has a code whose row keeps the
// column.
#include <string.h>

#include "fail.h"
#include "match_index.h"
#include "sort.h"

#define MATCH_CELLS 62    // of a range, "unknown" and the first left aside
#define MATCH_TABLE 8192  // values of a range that a table is made for

struct needs {
    uint64_t *words;  // bit by word
    int64_t *bounds;
    uint32_t bound_count, bound_room;
    bool used;
};
struct plan {
    const struct catalog *catalog;
    struct arena *arena, *scratch;
    struct needs needs[BOUND_ATTRIBUTES];
};

// --- What rules ask for --------------------------------------------------------------------------
static void
need_bound(struct needs *needs, int64_t value)
{
    if (value == INT64_MIN) return;  // nothing lies below it
    if (needs->bounds != NULL) {
        CHECK(needs->bound_count < needs->bound_room);
        needs->bounds[needs->bound_count] = value;
    }
    needs->bound_count++;
}

// Called twice: counting bounds, then noting them.
static void
need_leaf(struct plan *plan, const struct expr *rule, const struct expr_node *leaf)
{
    const struct catalog *catalog = plan->catalog;
    struct needs *needs = &plan->needs[leaf->attribute];
    const int64_t *set = rule->sets + leaf->set;
    needs->used = true;
    uint8_t type = catalog->attributes[leaf->attribute].is.type;
    if (type == ATTRIBUTE_TEXT || type == ATTRIBUTE_LIST) {
        if (needs->words == NULL)
            needs->words = arena_take(plan->scratch, catalog->word_count / 64 + 1, 8);
        for (uint32_t i = 0; i < leaf->count; i++) {
            CHECK(set[i] >= 0 && set[i] < catalog->word_count);
            needs->words[set[i] / 64] |= 1ull << set[i] % 64;
        }
    } else if (leaf->kind == EXPR_RANGE) {
        if (leaf->least > INT64_MIN) need_bound(needs, leaf->least);
        if (leaf->most < INT64_MAX) need_bound(needs, leaf->most + 1);
    } else if (leaf->kind == EXPR_IN) {
        for (uint32_t i = 0; i < leaf->count; i++) {
            need_bound(needs, set[i]);
            if (set[i] < INT64_MAX) need_bound(needs, set[i] + 1);
        }
    }
}

static void
need_rule(struct plan *plan, const struct expr *rule)
{
    for (uint32_t i = 0; i < rule->node_count; i++) {
        if (rule->nodes[i].kind >= EXPR_RANGE) need_leaf(plan, rule, &rule->nodes[i]);
    }
}

static void
need_all(struct plan *plan)
{
    const struct catalog *catalog = plan->catalog;
    for (uint32_t i = 0; i < catalog->seat_count; i++) need_rule(plan, &catalog->seats[i].rule);
    for (uint32_t i = 0; i < catalog->message_count; i++)
        need_rule(plan, &catalog->messages[i].rule);
}

// --- Codes ---------------------------------------------------------------------------------------
static void
plan_words(struct plan *plan, struct match_codes *codes, const uint64_t *wanted)
{
    uint32_t least = 0, most = 0, count = 0, word_count = plan->catalog->word_count;
    for (uint32_t word = 0; wanted != NULL && word < word_count; word++) {
        if (!(wanted[word / 64] >> word % 64 & 1)) continue;
        if (count++ == 0) least = word;
        most = word;
    }
    codes->least = least;
    codes->span = count == 0 ? 0 : most - least + 1;
    codes->count = 2 + (count < MATCH_CODES ? count : MATCH_CODES);
    codes->shared = count > MATCH_CODES;
    codes->below = codes->above = 1;
    codes->code_of = arena_take(plan->arena, codes->span + 1, sizeof *codes->code_of);
    uint32_t next = 0;
    for (uint32_t i = 0; i < codes->span; i++) {
        bool asked = wanted[(least + i) / 64] >> (least + i) % 64 & 1;
        codes->code_of[i] = asked ? (uint16_t)(2 + next++ % MATCH_CODES) : 1;
    }
}

static int
compare_bounds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

// Neighbouring codes share a cell, all cells about as many.
static void
plan_cells(struct plan *plan, struct match_codes *codes)
{
    uint32_t kept = codes->bound_count < MATCH_CELLS ? codes->bound_count : MATCH_CELLS;
    codes->cells = kept + 2;
    codes->cell_of = arena_take(plan->arena, codes->count, sizeof *codes->cell_of);
    codes->first_code = arena_take(plan->arena, codes->cells + 1, sizeof *codes->first_code);
    uint32_t cell = 0;
    for (uint32_t code = 1; code < codes->count; code++) {
        // The bound below this code begins a cell when it is among the kept ones.
        bool begins = code == 1 || (cell <= kept &&
                                    (uint64_t)(cell - 1) * codes->bound_count / kept == code - 2);
        if (begins) codes->first_code[++cell] = (uint16_t)code;
        codes->cell_of[code] = (uint8_t)cell;
    }
    CHECK(cell == kept + 1);
    codes->first_code[cell + 1] = (uint16_t)codes->count;
}

static void
plan_ranges(struct plan *plan, struct match_codes *codes, struct needs *needs)
{
    int64_t *bounds = needs->bounds,
            *scratch = arena_take(plan->scratch, needs->bound_count + 1, sizeof *scratch);
    sort_stable(bounds, scratch, needs->bound_count, sizeof *bounds, compare_bounds);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < needs->bound_count; i++) {
        if (distinct == 0 || bounds[i] != bounds[distinct - 1]) bounds[distinct++] = bounds[i];
    }
    uint32_t kept = distinct < MATCH_CODES ? distinct : MATCH_CODES;
    codes->bound_count = kept;
    codes->shared = kept < distinct;
    codes->bounds = arena_take(plan->arena, kept + 1, sizeof *codes->bounds);
    for (uint32_t i = 0; i < kept; i++) codes->bounds[i] = bounds[(uint64_t)i * distinct / kept];
    codes->count = kept + 2;
    codes->below = 1;
    codes->above = (uint16_t)(kept + 1);
    plan_cells(plan, codes);
    if (kept == 0) return;
    uint64_t span = (uint64_t)codes->bounds[kept - 1] - (uint64_t)codes->bounds[0];
    codes->least = codes->bounds[0];
    if (span == 0 || span > MATCH_TABLE) return;
    codes->code_of = arena_take(plan->arena, span, sizeof *codes->code_of);
    uint32_t bound = 0;
    for (uint64_t i = 0; i < span; i++) {
        while (bound < kept && (uint64_t)codes->bounds[bound] - (uint64_t)codes->least <= i)
            bound++;
        codes->code_of[i] = (uint16_t)(1 + bound);
    }
    codes->span = span;
}

static void
plan_attribute(struct match_index *index, struct plan *plan, uint32_t attribute)
{
    struct match_codes *codes = &index->codes[attribute];
    const struct expr_attribute *is = &plan->catalog->attributes[attribute].is;
    if (is->of == ATTRIBUTE_OF_MESSAGE) return;
    codes->of_slot = is->of == ATTRIBUTE_OF_SLOT;
    if (is->type == ATTRIBUTE_LIST) {
        codes->how = MATCH_BY_LIST;
        plan_words(plan, codes, plan->needs[attribute].words);
        if (!codes->of_slot) index->lists[index->list_count++] = (uint8_t)attribute;
        return;
    }
    if (is->type == ATTRIBUTE_TEXT) {
        codes->how = MATCH_BY_WORD;
        plan_words(plan, codes, plan->needs[attribute].words);
    } else {
        codes->how = MATCH_BY_RANGE;
        plan_ranges(plan, codes, &plan->needs[attribute]);
    }
    if (codes->of_slot) {
        index->of_slot[index->of_slot_count++] = (uint8_t)attribute;
    } else {
        index->of_contact[index->of_contact_count++] = (uint8_t)attribute;
    }
}

void
match_codes_plan(struct match_index *index, struct arena *arena, struct arena *scratch)
{
    struct plan *plan = arena_take(scratch, 1, sizeof *plan);
    plan->catalog = index->catalog;
    plan->arena = arena;
    plan->scratch = scratch;
    need_all(plan);
    for (uint32_t a = 0; a < plan->catalog->attribute_count; a++) {
        struct needs *needs = &plan->needs[a];
        needs->bound_room = needs->bound_count;
        needs->bound_count = 0;
        if (needs->used)
            needs->bounds = arena_take(scratch, needs->bound_room + 1, sizeof(int64_t));
    }
    need_all(plan);
    for (uint32_t a = 0; a < plan->catalog->attribute_count; a++) {
        if (plan->needs[a].used) plan_attribute(index, plan, a);
    }
}

// --- Rows ----------------------------------------------------------------------------------------
uint32_t
match_codes_rows(const struct match_part *part, const struct match_codes *codes)
{
    if (codes->how == MATCH_BY_RANGE)
        return ((codes->cells - 1 + (1u << part->shift) - 1) >> part->shift) + 1;
    return codes->count < 2 + part->word_rows ? codes->count : 2 + part->word_rows;
}

// Does a boundary between rows lie exactly below `value`?
static bool
divides(const struct match_part *part, const struct match_codes *codes, uint32_t attribute,
        int64_t value)
{
    if (value == INT64_MIN) return true;
    uint32_t code = match_code(codes, value);
    return code >= 2 && codes->bounds[code - 2] == value &&
           match_row(part, codes, attribute, code - 1) != match_row(part, codes, attribute, code);
}

bool
match_codes_decide(const struct match_index *index, const struct match_part *part,
                   const struct expr_node *leaf, const int64_t *set)
{
    const struct match_codes *codes = &index->codes[leaf->attribute];
    if (part->row_of[leaf->attribute] == MATCH_NONE) return false;
    if (leaf->kind == EXPR_KNOWN) return true;
    if (codes->how == MATCH_BY_WORD) return !codes->shared && codes->count <= 2 + part->word_rows;
    bool exact = true;
    if (leaf->kind == EXPR_RANGE) {
        if (leaf->least > INT64_MIN) exact = divides(part, codes, leaf->attribute, leaf->least);
        if (leaf->most < INT64_MAX)
            exact = exact && divides(part, codes, leaf->attribute, leaf->most + 1);
        return exact;
    }
    for (uint32_t i = 0; i < leaf->count && exact; i++) {  // EXPR_IN
        exact = divides(part, codes, leaf->attribute, set[i]) &&
                (set[i] == INT64_MAX || divides(part, codes, leaf->attribute, set[i] + 1));
    }
    return exact;
}

static void
clear(uint64_t *words, uint32_t row, uint32_t end, uint64_t column)
{
    for (; row < end; row++) words[row] &= ~column;
}

static void
fill_words(const struct match_part *part, const struct match_codes *codes,
           const struct expr_node *leaf, const int64_t *set, uint64_t column, uint64_t *words)
{
    uint32_t attribute = leaf->attribute, first = part->row_of[attribute],
             end = first + match_codes_rows(part, codes);
    if (leaf->kind == EXPR_KNOWN) {
        clear(words, leaf->negated ? first + 1 : first, leaf->negated ? end : first + 1, column);
        return;
    }
    bool alone = !codes->shared && codes->count <= 2 + part->word_rows;
    if (leaf->negated) {
        clear(words, first, first + 1, column);  // unknown
        for (uint32_t i = 0; alone && i < leaf->count; i++)
            words[match_row(part, codes, attribute, match_code(codes, set[i]))] &= ~column;
        return;
    }
    uint64_t kept[4] = {
        0};  // of the words' rows, what is there: another leaf may have cleared some
    CHECK(end - first <= 256);
    for (uint32_t i = 0; i < leaf->count; i++) {
        uint32_t row = match_row(part, codes, attribute, match_code(codes, set[i]));
        if (words[row] & column) kept[(row - first) / 64] |= 1ull << (row - first) % 64;
    }
    clear(words, first, end, column);
    for (uint32_t i = 0; i < end - first; i++) {
        if (kept[i / 64] >> i % 64 & 1) words[first + i] |= column;
    }
}

// May some value from `low` to `high` make the leaf true?
static bool
range_may(const struct expr_node *leaf, const int64_t *set, int64_t low, int64_t high)
{
    if (leaf->kind == EXPR_KNOWN) return !leaf->negated;
    if (leaf->kind == EXPR_RANGE) {
        if (leaf->negated)
            return low < leaf->least || high > leaf->most || leaf->least > leaf->most;
        return leaf->least <= leaf->most && low <= leaf->most && high >= leaf->least;
    }
    bool inside = false;  // EXPR_IN
    for (uint32_t i = 0; i < leaf->count && !inside; i++) inside = set[i] >= low && set[i] <= high;
    return leaf->negated ? !(inside && low == high) : inside;
}

static void
fill_ranges(const struct match_part *part, const struct match_codes *codes,
            const struct expr_node *leaf, const int64_t *set, uint64_t column, uint64_t *words)
{
    uint32_t first = part->row_of[leaf->attribute], rows = match_codes_rows(part, codes);
    if (leaf->kind != EXPR_KNOWN || !leaf->negated) words[first] &= ~column;
    for (uint32_t row = 1; row < rows; row++) {
        uint32_t cell = ((row - 1) << part->shift) + 1, behind = (row << part->shift) + 1;
        if (behind > codes->cells) behind = codes->cells;
        uint32_t code = codes->first_code[cell], last = codes->first_code[behind] - 1u;
        int64_t low = code == 1 ? INT64_MIN : codes->bounds[code - 2];
        int64_t high = last == codes->bound_count + 1 ? INT64_MAX : codes->bounds[last - 1] - 1;
        if (!range_may(leaf, set, low, high)) words[first + row] &= ~column;
    }
}

void
match_codes_fill(const struct match_index *index, const struct match_part *part,
                 const struct expr_node *leaf, const int64_t *set, uint64_t column, uint64_t *words)
{
    const struct match_codes *codes = &index->codes[leaf->attribute];
    if (part->row_of[leaf->attribute] == MATCH_NONE) return;
    if (codes->how == MATCH_BY_WORD) {
        fill_words(part, codes, leaf, set, column, words);
    } else {
        fill_ranges(part, codes, leaf, set, column, words);
    }
}
