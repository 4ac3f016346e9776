// How the index tells the values of an attribute apart: which get cells, cells rows, and which rows
// a predicate can be true in.
//
// Words that rules ask for have a cell each, up to MATCH_WORD_CELLS; integers fall between the
// bounds that rules name, thinned out evenly to MATCH_BOUNDS. A part gives each cell a row, or lets
// cells share rows (match_row): what rows leave open is checked by the column's program, so that
// sharing costs time and never an answer.
//
// Invariant: no false negative. A value that makes a leaf true lies in a cell whose row keeps the
// column.
#include <string.h>

#include "fail.h"
#include "match_index.h"
#include "sort.h"

#define MATCH_BOUNDS 62
#define MATCH_WORD_CELLS 60000
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

// --- Cells ---------------------------------------------------------------------------------------
static void
plan_words(struct plan *plan, struct match_cells *cells, const uint64_t *wanted)
{
    uint32_t least = 0, most = 0, count = 0, word_count = plan->catalog->word_count;
    for (uint32_t word = 0; wanted != NULL && word < word_count; word++) {
        if (!(wanted[word / 64] >> word % 64 & 1)) continue;
        if (count++ == 0) least = word;
        most = word;
    }
    cells->least = least;
    cells->span = count == 0 ? 0 : most - least + 1;
    cells->count = 2 + (count < MATCH_WORD_CELLS ? count : MATCH_WORD_CELLS);
    cells->shared = count > MATCH_WORD_CELLS;
    cells->below = cells->above = 1;
    cells->cell_of = arena_take(plan->arena, cells->span + 1, sizeof *cells->cell_of);
    uint32_t next = 0;
    for (uint32_t i = 0; i < cells->span; i++) {
        bool asked = wanted[(least + i) / 64] >> (least + i) % 64 & 1;
        cells->cell_of[i] = asked ? (uint16_t)(2 + next++ % MATCH_WORD_CELLS) : 1;
    }
}

static int
compare_bounds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void
plan_ranges(struct plan *plan, struct match_cells *cells, struct needs *needs)
{
    int64_t *bounds = needs->bounds,
            *scratch = arena_take(plan->scratch, needs->bound_count + 1, sizeof *scratch);
    sort_stable(bounds, scratch, needs->bound_count, sizeof *bounds, compare_bounds);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < needs->bound_count; i++) {
        if (distinct == 0 || bounds[i] != bounds[distinct - 1]) bounds[distinct++] = bounds[i];
    }
    uint32_t kept = distinct < MATCH_BOUNDS ? distinct : MATCH_BOUNDS;
    cells->bound_count = kept;
    cells->thinned = kept < distinct;
    cells->bounds = arena_take(plan->arena, kept + 1, sizeof *cells->bounds);
    for (uint32_t i = 0; i < kept; i++) cells->bounds[i] = bounds[(uint64_t)i * distinct / kept];
    cells->count = kept + 2;
    cells->below = 1;
    cells->above = (uint16_t)(kept + 1);
    if (kept == 0) return;
    uint64_t span = (uint64_t)cells->bounds[kept - 1] - (uint64_t)cells->bounds[0];
    cells->least = cells->bounds[0];
    if (span == 0 || span > MATCH_TABLE) return;
    cells->cell_of = arena_take(plan->arena, span, sizeof *cells->cell_of);
    uint32_t bound = 0;
    for (uint64_t i = 0; i < span; i++) {
        while (bound < kept && (uint64_t)cells->bounds[bound] - (uint64_t)cells->least <= i)
            bound++;
        cells->cell_of[i] = (uint16_t)(1 + bound);
    }
    cells->span = span;
}

static void
plan_attribute(struct match_index *index, struct plan *plan, uint32_t attribute)
{
    struct match_cells *cells = &index->cells[attribute];
    const struct expr_attribute *is = &plan->catalog->attributes[attribute].is;
    if (is->of == ATTRIBUTE_OF_MESSAGE) return;
    cells->of_slot = is->of == ATTRIBUTE_OF_SLOT;
    if (is->type == ATTRIBUTE_LIST) {
        cells->how = MATCH_BY_LIST;
        plan_words(plan, cells, plan->needs[attribute].words);
        if (!cells->of_slot) index->lists[index->list_count++] = (uint8_t)attribute;
        return;
    }
    if (is->type == ATTRIBUTE_TEXT) {
        cells->how = MATCH_BY_WORD;
        plan_words(plan, cells, plan->needs[attribute].words);
    } else {
        cells->how = MATCH_BY_RANGE;
        plan_ranges(plan, cells, &plan->needs[attribute]);
    }
    if (cells->of_slot) {
        index->of_slot[index->of_slot_count++] = (uint8_t)attribute;
    } else {
        index->of_contact[index->of_contact_count++] = (uint8_t)attribute;
    }
}

void
match_cells_plan(struct match_index *index, struct arena *arena, struct arena *scratch)
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
match_cells_rows(const struct match_part *part, const struct match_cells *cells)
{
    if (cells->how == MATCH_BY_RANGE)
        return ((cells->count - 1 + (1u << part->shift) - 1) >> part->shift) + 1;
    return cells->count < 2 + part->word_rows ? cells->count : 2 + part->word_rows;
}

// Does a boundary between rows lie exactly below `value`?
static bool
divides(const struct match_part *part, const struct match_cells *cells, int64_t value)
{
    if (value == INT64_MIN || (!cells->thinned && part->shift == 0)) return true;
    for (uint32_t i = 0; i < cells->bound_count; i++) {
        if (cells->bounds[i] == value) return (i + 1) % (1u << part->shift) == 0;
    }
    return false;
}

bool
match_cells_decide(const struct match_index *index, const struct match_part *part,
                   const struct expr_node *leaf, const int64_t *set)
{
    const struct match_cells *cells = &index->cells[leaf->attribute];
    if (part->row_of[leaf->attribute] == MATCH_NONE) return false;
    if (leaf->kind == EXPR_KNOWN) return true;
    if (cells->how == MATCH_BY_WORD) return !cells->shared && cells->count <= 2 + part->word_rows;
    bool exact = true;
    if (leaf->kind == EXPR_RANGE) {
        if (leaf->least > INT64_MIN) exact = divides(part, cells, leaf->least);
        if (leaf->most < INT64_MAX) exact = exact && divides(part, cells, leaf->most + 1);
        return exact;
    }
    for (uint32_t i = 0; i < leaf->count && exact; i++) {  // EXPR_IN
        exact = divides(part, cells, set[i]) &&
                (set[i] == INT64_MAX || divides(part, cells, set[i] + 1));
    }
    return exact;
}

static void
clear(uint64_t *words, uint32_t row, uint32_t end, uint64_t column)
{
    for (; row < end; row++) words[row] &= ~column;
}

static void
fill_words(const struct match_part *part, const struct match_cells *cells,
           const struct expr_node *leaf, const int64_t *set, uint64_t column, uint64_t *words)
{
    uint32_t attribute = leaf->attribute, first = part->row_of[attribute],
             end = first + match_cells_rows(part, cells);
    if (leaf->kind == EXPR_KNOWN) {
        clear(words, leaf->negated ? first + 1 : first, leaf->negated ? end : first + 1, column);
        return;
    }
    bool alone = !cells->shared && cells->count <= 2 + part->word_rows;
    if (leaf->negated) {
        clear(words, first, first + 1, column);  // unknown
        for (uint32_t i = 0; alone && i < leaf->count; i++)
            words[match_row(part, cells, attribute, match_cell(cells, set[i]))] &= ~column;
        return;
    }
    uint64_t kept[4] = {
        0};  // of the words' rows, what is there: another leaf may have cleared some
    CHECK(end - first <= 256);
    for (uint32_t i = 0; i < leaf->count; i++) {
        uint32_t row = match_row(part, cells, attribute, match_cell(cells, set[i]));
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
fill_ranges(const struct match_part *part, const struct match_cells *cells,
            const struct expr_node *leaf, const int64_t *set, uint64_t column, uint64_t *words)
{
    uint32_t first = part->row_of[leaf->attribute], rows = match_cells_rows(part, cells);
    if (leaf->kind != EXPR_KNOWN || !leaf->negated) words[first] &= ~column;
    for (uint32_t row = 1; row < rows; row++) {
        uint32_t cell = ((row - 1) << part->shift) + 1, last = row << part->shift;
        if (last > cells->bound_count + 1) last = cells->bound_count + 1;
        int64_t low = cell == 1 ? INT64_MIN : cells->bounds[cell - 2];
        int64_t high = last == cells->bound_count + 1 ? INT64_MAX : cells->bounds[last - 1] - 1;
        if (!range_may(leaf, set, low, high)) words[first + row] &= ~column;
    }
}

void
match_cells_fill(const struct match_index *index, const struct match_part *part,
                 const struct expr_node *leaf, const int64_t *set, uint64_t column, uint64_t *words)
{
    const struct match_cells *cells = &index->cells[leaf->attribute];
    if (part->row_of[leaf->attribute] == MATCH_NONE) return;
    if (cells->how == MATCH_BY_WORD) {
        fill_words(part, cells, leaf, set, column, words);
    } else {
        fill_ranges(part, cells, leaf, set, column, words);
    }
}
