// Building the bid index.
//
// A column is one conjunction of one standing bid: the AND of its seat's and its message's rule.
// Rules with OR become several columns, as long as a bid needs no more than MATCH_TERMS; a part
// beyond that is left out of the index (the round judges it anyway). Columns stand in the order of
// catalog->bids, dearest first. Bids that can never win under this catalog have no column: not
// active, seat paused, kind of seat and rung at odds, a rule that is FALSE.
//
// A row is a set of columns: those that may be true of one value (or of a bucket of values) of one
// attribute, or that pass one static test. A column that asks nothing of an attribute stands in all
// of its rows. What may speak to a contact is then the AND of one row per attribute.
//
// Lists are different: a contact has several words. A column that asks for words of a list stands
// not in the list's base row but in the rows of these words, and the contact's set is base OR its
// words. Of several such demands on one list the first is indexed, of "all of" its first word;
// negated demands are not.
//
// Invariants
//   (1) no false negative: a column whose conjunction is true of a contact stands in every row the
//       contact selects
//   (2) no bit beyond the last column
// Buckets: an attribute gets at most MATCH_WORD_ROWS words (fewer in a very large market,
// MATCH_BYTES) and MATCH_BOUNDS bounds; beyond that words share rows and bounds are thinned out
// evenly, which adds candidates and loses none.
#include "match_index.h"

#include <string.h>

#include "fact.h"
#include "fail.h"
#include "sort.h"

#define MATCH_TERMS 8
#define MATCH_BOUNDS 62
#define MATCH_WORD_ROWS 254
#define MATCH_LEAVES (2 * BOUND_RULE_LEAVES)
#define MATCH_BYTES ((uint64_t)512 << 20)  // of rows, if all attributes had their most words
#define PASS_WORDS ((MATCH_WORD_ROWS + 2 + 63) / 64)

struct build {
    const struct catalog *catalog;
    struct match_index *index;
    struct arena *arena, *scratch;
    uint64_t *words;             // of the 64 columns being filled, by row
    const uint32_t *class_slot;  // a slot of each class
    uint32_t *own_next;          // by slot: place in index->own for its next word
    uint32_t classes, word_rows;
};
struct leaves {
    const struct expr_node *leaf[MATCH_LEAVES];
    const int64_t *sets[MATCH_LEAVES];
    uint32_t count;
};

// --- Rules as conjunctions -----------------------------------------------------------------------
// Conjunctions of a subtree; MATCH_TERMS + 1: too many. Of an AND, children that would make it too
// many are left out: the walk below decides the same way.
static uint32_t
terms_of(const struct expr_node *node)
{
    if (node->kind == EXPR_FALSE) return 0;
    if (node->kind != EXPR_AND && node->kind != EXPR_OR) return 1;
    uint32_t terms = node->kind == EXPR_AND ? 1 : 0;
    const struct expr_node *child = node + 1;
    for (uint32_t i = 0; i < node->count; i++, child += child->size) {
        uint32_t more = terms_of(child);
        if (node->kind == EXPR_AND) {
            if (terms * more <= MATCH_TERMS) terms *= more;
        } else {
            terms += more;
            if (terms > MATCH_TERMS) return MATCH_TERMS + 1;
        }
    }
    return terms;
}

// The leaves of conjunction number `term`.
static void
walk(const struct expr *rule, const struct expr_node *node, uint32_t term, struct leaves *leaves)
{
    if (node->kind == EXPR_TRUE || node->kind == EXPR_FALSE) return;
    if (node->kind != EXPR_AND && node->kind != EXPR_OR) {
        CHECK(leaves->count < MATCH_LEAVES);
        leaves->leaf[leaves->count] = node;
        leaves->sets[leaves->count++] = rule->sets + node->set;
        return;
    }
    uint32_t terms = 1;
    const struct expr_node *child = node + 1;
    for (uint32_t i = 0; i < node->count; i++, child += child->size) {
        uint32_t more = terms_of(child);
        if (node->kind == EXPR_AND) {
            if (terms * more > MATCH_TERMS) continue;
            terms *= more;
            walk(rule, child, term % more, leaves);
            term /= more;
        } else if (term < more) {
            walk(rule, child, term, leaves);
            return;
        } else {
            term -= more;
        }
    }
}

struct terms {
    const struct expr *seat, *message;  // NULL: not indexed
    uint32_t of_seat, of_message;
};

static struct terms
terms_of_bid(const struct catalog *catalog, const struct catalog_bid *bid)
{
    struct terms terms = {&catalog->seats[bid->seat].rule, &catalog->messages[bid->message].rule, 0,
                          0};
    terms.of_seat = terms_of(terms.seat->nodes);
    terms.of_message = terms_of(terms.message->nodes);
    if (terms.of_message > MATCH_TERMS) terms.message = NULL, terms.of_message = 1;
    if (terms.of_seat * terms.of_message > MATCH_TERMS) terms.seat = NULL, terms.of_seat = 1;
    return terms;
}

static uint32_t
columns_of(const struct catalog *catalog, const struct catalog_bid *bid)
{
    const struct catalog_message *message = &catalog->messages[bid->message];
    const struct catalog_seat *seat = &catalog->seats[bid->seat];
    if (bid->state != BID_ACTIVE || seat->paused ||
        !match_seat_kind_admits(seat->kind, message->rung))
        return 0;
    struct terms terms = terms_of_bid(catalog, bid);
    return terms.of_seat * terms.of_message;
}

// --- Attributes: which values need rows ----------------------------------------------------------
struct needs {
    uint64_t *words;  // bit by word
    int64_t *bounds;
    uint32_t bound_count, bound_room;
    bool used;
};

static void
need_bound(struct needs *needs, int64_t value)
{
    if (needs->bounds != NULL) {
        CHECK(needs->bound_count < needs->bound_room);
        needs->bounds[needs->bound_count] = value;
    }
    needs->bound_count++;
}

// Called twice: counting bounds, then noting them.
static void
need_leaf(struct build *build, const struct expr *rule, const struct expr_node *leaf,
          struct needs *needs)
{
    const struct catalog *catalog = build->catalog;
    const int64_t *set = rule->sets + leaf->set;
    needs->used = true;
    uint8_t type = catalog->attributes[leaf->attribute].is.type;
    if (type == ATTRIBUTE_TEXT || type == ATTRIBUTE_LIST) {
        if (needs->words == NULL)
            needs->words = arena_take(build->scratch, catalog->word_count / 64 + 1, 8);
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
need_rule(struct build *build, const struct expr *rule, struct needs *needs)
{
    for (uint32_t i = 0; i < rule->node_count; i++) {
        const struct expr_node *node = &rule->nodes[i];
        if (node->kind >= EXPR_RANGE) need_leaf(build, rule, node, &needs[node->attribute]);
    }
}

static void
need_all(struct build *build, struct needs *needs)
{
    const struct catalog *catalog = build->catalog;
    for (uint32_t i = 0; i < catalog->seat_count; i++)
        need_rule(build, &catalog->seats[i].rule, needs);
    for (uint32_t i = 0; i < catalog->message_count; i++)
        need_rule(build, &catalog->messages[i].rule, needs);
}

static void
plan_words(struct build *build, struct match_cells *cells, const uint64_t *wanted, uint32_t first)
{
    int32_t least = INT32_MAX, most = -1;
    uint32_t count = 0, word_count = build->catalog->word_count;
    for (uint32_t word = 0; wanted != NULL && word < word_count; word++) {
        if (!(wanted[word / 64] >> word % 64 & 1)) continue;
        if (count++ == 0) least = (int32_t)word;
        most = (int32_t)word;
    }
    cells->least = count == 0 ? 0 : least;
    cells->span = count == 0 ? 0 : (uint32_t)(most - least + 1);
    cells->count = first + (count < build->word_rows ? count : build->word_rows);
    cells->cell_of = arena_take(build->arena, cells->span + 1, sizeof *cells->cell_of);
    cells->words_in = arena_take(build->arena, cells->count, sizeof *cells->words_in);
    uint32_t next = 0;
    for (uint32_t i = 0; i < cells->span; i++) {
        uint32_t word = (uint32_t)cells->least + i;
        if (!(wanted[word / 64] >> word % 64 & 1)) continue;
        uint32_t cell = first + next++ % build->word_rows;
        cells->cell_of[i] = (uint16_t)cell;
        if (cells->words_in[cell] < UINT16_MAX) cells->words_in[cell]++;
    }
}

static int
compare_bounds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void
plan_ranges(struct build *build, struct match_cells *cells, struct needs *needs)
{
    int64_t *bounds = needs->bounds,
            *scratch = arena_take(build->scratch, needs->bound_count + 1, sizeof *scratch);
    sort_stable(bounds, scratch, needs->bound_count, sizeof *bounds, compare_bounds);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < needs->bound_count; i++) {
        if (distinct == 0 || bounds[i] != bounds[distinct - 1]) bounds[distinct++] = bounds[i];
    }
    cells->bound_count = distinct < MATCH_BOUNDS ? distinct : MATCH_BOUNDS;
    cells->bounds = arena_take(build->arena, cells->bound_count + 1, sizeof *cells->bounds);
    for (uint32_t i = 0; i < cells->bound_count; i++) {
        cells->bounds[i] = bounds[(uint64_t)i * distinct / cells->bound_count];
    }
    cells->count = cells->bound_count + 2;
}

static void
plan_attributes(struct build *build)
{
    struct match_index *index = build->index;
    struct needs *needs = arena_take(build->scratch, BOUND_ATTRIBUTES, sizeof *needs);
    need_all(build, needs);
    for (uint32_t a = 0; a < build->catalog->attribute_count; a++) {
        needs[a].bound_room = needs[a].bound_count;
        needs[a].bound_count = 0;
        if (needs[a].used)
            needs[a].bounds = arena_take(build->scratch, needs[a].bound_room + 1, sizeof(int64_t));
    }
    need_all(build, needs);
    for (uint32_t a = 0; a < build->catalog->attribute_count; a++) {
        if (!needs[a].used) continue;
        struct match_cells *cells = &index->cells[a];
        const struct expr_attribute *is = &build->catalog->attributes[a].is;
        cells->row = index->rows;
        if (is->type == ATTRIBUTE_TEXT) {
            cells->how = MATCH_BY_WORD;
            plan_words(build, cells, needs[a].words, 2);
        } else if (is->type == ATTRIBUTE_LIST) {
            cells->how = MATCH_BY_LIST;
            plan_words(build, cells, needs[a].words, 1);
        } else {
            cells->how = MATCH_BY_RANGE;
            plan_ranges(build, cells, &needs[a]);
        }
        index->rows += cells->count;
        if (is->of == ATTRIBUTE_OF_SLOT) {
            index->of_slot[index->of_slot_count++] = (uint8_t)a;
        } else if (is->of != ATTRIBUTE_OF_MESSAGE) {
            index->of_contact[index->of_contact_count++] = (uint8_t)a;
        }
    }
}

// --- Slots ---------------------------------------------------------------------------------------
static bool
same_class(const struct catalog_slot *a, const struct catalog_slot *b)
{
    return a->rungs == b->rungs && a->objectives == b->objectives &&
           a->format_count == b->format_count &&
           (a->format_count == 0 ||
            memcmp(a->formats, b->formats, a->format_count * sizeof *a->formats) == 0);
}

// Slots that admit the same messages share a row.
static void
plan_classes(struct build *build)
{
    const struct catalog *catalog = build->catalog;
    struct match_index *index = build->index;
    uint32_t *class_slot = arena_take(build->scratch, catalog->slot_count + 1, sizeof *class_slot);
    index->slot_row = arena_take(build->arena, catalog->slot_count + 1, sizeof *index->slot_row);
    for (uint32_t slot = 0; slot < catalog->slot_count; slot++) {
        uint32_t class = 0;
        while (class < build->classes &&
               !same_class(&catalog->slots[slot], &catalog->slots[class_slot[class]]))
            class ++;
        if (class == build->classes) class_slot[build->classes++] = slot;
        index->slot_row[slot] = MATCH_ROW_CLASSES + class;
    }
    build->class_slot = class_slot;
    index->rows = MATCH_ROW_CLASSES + build->classes;
}

static void
plan_dearest(struct build *build)
{
    const struct catalog *catalog = build->catalog;
    struct match_index *index = build->index;
    uint32_t *by_class = arena_take(build->scratch, build->classes + 1, sizeof *by_class);
    for (uint32_t class = 0; class < build->classes; class ++) {
        const struct catalog_slot *slot = &catalog->slots[build->class_slot[class]];
        uint32_t bid = 0;
        for (; bid < catalog->bid_count; bid++) {
            const struct catalog_bid *is = &catalog->bids[bid];
            if (is->slot != UINT32_MAX || is->state == BID_WITHDRAWN) continue;
            if (match_admission(catalog, slot, &catalog->messages[is->message]) == REASON_NONE)
                break;
        }
        by_class[class] = bid < catalog->bid_count ? bid : UINT32_MAX;
    }
    index->dearest = arena_take(build->arena, catalog->slot_count + 1, sizeof *index->dearest);
    for (uint32_t slot = 0; slot < catalog->slot_count; slot++) {
        index->dearest[slot] = by_class[index->slot_row[slot] - MATCH_ROW_CLASSES];
    }
    for (uint32_t bid = catalog->bid_count; bid-- > 0;) {
        uint32_t slot = catalog->bids[bid].slot;
        if (slot == UINT32_MAX || catalog->bids[bid].state == BID_WITHDRAWN) continue;
        if (bid < index->dearest[slot]) index->dearest[slot] = bid;
    }
}

// --- Filling -------------------------------------------------------------------------------------
static void
pass_words(const struct match_cells *cells, const struct expr_node *leaf, const int64_t *set,
           uint64_t pass[PASS_WORDS])
{
    bool null = leaf->kind == EXPR_KNOWN && leaf->negated;
    for (uint32_t i = 0; i < cells->count; i++) {
        bool known = i > 0;
        bool may = leaf->kind == EXPR_KNOWN ? known != null : known && leaf->negated;
        if (may) pass[i / 64] |= 1ull << i % 64;
    }
    for (uint32_t i = 0; leaf->kind == EXPR_IN && i < leaf->count; i++) {
        uint32_t cell = cells->cell_of[set[i] - cells->least];
        if (!leaf->negated) {
            pass[cell / 64] |= 1ull << cell % 64;
        } else if (cells->words_in[cell] == 1) {
            pass[cell / 64] &= ~(1ull << cell % 64);
        }
    }
}

// May some value from `low` to `high` make the leaf true?
static bool
range_may(const struct expr_node *leaf, const int64_t *set, int64_t low, int64_t high)
{
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
pass_ranges(const struct match_cells *cells, const struct expr_node *leaf, const int64_t *set,
            uint64_t pass[PASS_WORDS])
{
    if (leaf->kind == EXPR_KNOWN && leaf->negated) {
        pass[0] = 1;
        return;
    }
    for (uint32_t i = 0; i <= cells->bound_count; i++) {
        int64_t low = i == 0 ? INT64_MIN : cells->bounds[i - 1];
        int64_t high = i == cells->bound_count ? INT64_MAX : cells->bounds[i] - 1;
        if (leaf->kind == EXPR_KNOWN || range_may(leaf, set, low, high))
            pass[(i + 1) / 64] |= 1ull << (i + 1) % 64;
    }
}

static void
fill_list(struct build *build, const struct match_cells *cells, const struct expr_node *leaf,
          const int64_t *set, uint64_t column)
{
    uint64_t *words = build->words + cells->row;
    if (leaf->kind == EXPR_KNOWN || leaf->negated || leaf->count == 0) return;
    if ((words[0] & column) == 0) return;  // another demand on this list is indexed
    words[0] &= ~column;
    uint32_t count = leaf->kind == EXPR_ALL ? 1 : leaf->count;
    for (uint32_t i = 0; i < count; i++) words[cells->cell_of[set[i] - cells->least]] |= column;
}

static void
fill_leaf(struct build *build, const struct expr_node *leaf, const int64_t *set, uint64_t column)
{
    const struct match_cells *cells = &build->index->cells[leaf->attribute];
    if (cells->how == MATCH_BY_LIST) {
        fill_list(build, cells, leaf, set, column);
        return;
    }
    uint64_t pass[PASS_WORDS] = {0};
    if (cells->how == MATCH_BY_WORD) {
        pass_words(cells, leaf, set, pass);
    } else {
        pass_ranges(cells, leaf, set, pass);
    }
    uint64_t *words = build->words + cells->row;
    for (uint32_t i = 0; i < cells->count; i++) words[i] &= ~column | -(pass[i / 64] >> i % 64 & 1);
}

static void
fill_static(struct build *build, const struct catalog_bid *bid, uint64_t column)
{
    const struct catalog *catalog = build->catalog;
    const struct catalog_message *message = &catalog->messages[bid->message];
    uint64_t *words = build->words;
    for (unsigned gate = 0; gate < MATCH_GATES; gate++) {
        if (match_rungs_open(gate / 8, gate % 8) & 1u << message->rung) words[gate] |= column;
    }
    if (match_serves(message->objectives)) words[MATCH_ROW_SERVED] |= column;
    if (bid->slot == UINT32_MAX) words[MATCH_ROW_ANY] |= column;
    for (uint32_t class = 0; class < build->classes; class ++) {
        const struct catalog_slot *slot = &catalog->slots[build->class_slot[class]];
        if (match_admission(catalog, slot, message) == REASON_NONE)
            words[MATCH_ROW_CLASSES + class] |= column;
    }
}

// Scratch words before a group of 64 columns: attribute rows full (of the columns there are),
// others empty.
static void
start_group(struct build *build, uint32_t first)
{
    const struct match_index *index = build->index;
    uint32_t left = index->columns - first;
    uint64_t all = left >= 64 ? ~0ull : (1ull << left) - 1;
    memset(build->words, 0, (MATCH_ROW_CLASSES + build->classes) * sizeof *build->words);
    for (uint32_t a = 0; a < BOUND_ATTRIBUTES; a++) {
        const struct match_cells *cells = &index->cells[a];
        for (uint32_t i = 0; i < cells->count; i++) {
            build->words[cells->row + i] = cells->how == MATCH_BY_LIST && i > 0 ? 0 : all;
        }
    }
}

static void
end_group(struct build *build, uint32_t first)
{
    struct match_index *index = build->index;
    uint32_t word = first / 64;
    uint64_t *to = index->bits +
                   (size_t)(word / MATCH_CHUNK_WORDS) * index->rows * MATCH_CHUNK_WORDS;
    for (uint32_t row = 0; row < index->rows; row++) {
        to[(size_t)row * MATCH_CHUNK_WORDS + word % MATCH_CHUNK_WORDS] = build->words[row];
        index->counts[row] += (uint32_t)__builtin_popcountll(build->words[row]);
    }
}

static void
fill_own(struct build *build, uint32_t slot, uint32_t column)
{
    struct match_own *own = build->index->own;
    uint32_t *next = &build->own_next[slot];
    if (*next == build->index->own_first[slot] || own[*next - 1].word != column / 64)
        own[(*next)++].word = column / 64;
    own[*next - 1].columns |= 1ull << column % 64;
}

static void
fill(struct build *build)
{
    const struct catalog *catalog = build->catalog;
    struct match_index *index = build->index;
    uint32_t column = 0;
    for (uint32_t i = 0; i < catalog->bid_count; i++) {
        const struct catalog_bid *bid = &catalog->bids[i];
        uint32_t count = columns_of(catalog, bid);
        if (count == 0) continue;
        struct terms terms = terms_of_bid(catalog, bid);
        for (uint32_t term = 0; term < count; term++, column++) {
            if (column % 64 == 0) start_group(build, column);
            uint64_t bit = 1ull << column % 64;
            struct leaves leaves = {.count = 0};
            if (terms.seat != NULL)
                walk(terms.seat, terms.seat->nodes, term % terms.of_seat, &leaves);
            if (terms.message != NULL)
                walk(terms.message, terms.message->nodes, term / terms.of_seat, &leaves);
            for (uint32_t leaf = 0; leaf < leaves.count; leaf++) {
                fill_leaf(build, leaves.leaf[leaf], leaves.sets[leaf], bit);
            }
            fill_static(build, bid, bit);
            index->bid_of[column] = i;
            if (bid->slot != UINT32_MAX) fill_own(build, bid->slot, column);
            if (column % 64 == 63) end_group(build, column - 63);
        }
    }
    CHECK(column == index->columns);
    if (column % 64 != 0) end_group(build, column - column % 64);
}

// Counts columns, and by slot the words that its own columns stand in.
static void
plan_columns(struct build *build)
{
    const struct catalog *catalog = build->catalog;
    struct match_index *index = build->index;
    uint32_t slots = catalog->slot_count;
    index->own_first = arena_take(build->arena, slots + 1, sizeof *index->own_first);
    build->own_next = arena_take(build->scratch, slots + 1, sizeof *build->own_next);
    uint32_t *behind = build->own_next;  // first word not yet counted for the slot
    for (uint32_t i = 0; i < catalog->bid_count; i++) {
        uint32_t slot = catalog->bids[i].slot, count = columns_of(catalog, &catalog->bids[i]);
        uint32_t first = index->columns;
        index->columns += count;
        if (slot == UINT32_MAX || count == 0) continue;
        uint32_t from = first / 64, to = (first + count - 1) / 64;
        if (from < behind[slot]) from = behind[slot];
        index->own_first[slot + 1] += to + 1 - from;
        behind[slot] = to + 1;
    }
    for (uint32_t slot = 0; slot < slots; slot++)
        index->own_first[slot + 1] += index->own_first[slot];
    memcpy(build->own_next, index->own_first, (slots + 1) * sizeof *build->own_next);
    index->own = arena_take(build->arena, index->own_first[slots] + 1u, sizeof *index->own);
    uint64_t fit = MATCH_BYTES / (index->columns / 8 + 1) / BOUND_ATTRIBUTES;
    build->word_rows = fit > MATCH_WORD_ROWS ? MATCH_WORD_ROWS : fit < 16 ? 16 : (uint32_t)fit;
    index->blocks = (index->columns + MATCH_BLOCK - 1) / MATCH_BLOCK;
    index->chunks = (index->blocks + MATCH_CHUNK_BLOCKS - 1) / MATCH_CHUNK_BLOCKS;
    index->bid_of = arena_take(build->arena, index->columns + 1u, sizeof *index->bid_of);
}

struct match_index *
match_index_build(const struct catalog *catalog, struct arena *arena)
{
    size_t before = arena_bytes(arena);
    struct match_index *index = arena_take(arena, 1, sizeof *index);
    struct build build = {.catalog = catalog, .index = index, .arena = arena};
    build.scratch = arena_open("match index build");
    index->catalog = catalog;
    plan_classes(&build);
    plan_dearest(&build);
    plan_columns(&build);
    plan_attributes(&build);
    index->counts = arena_take(arena, index->rows, sizeof *index->counts);
    index->bits = arena_take(arena, (size_t)index->chunks * index->rows + 1,
                             MATCH_CHUNK_WORDS * sizeof *index->bits);
    build.words = arena_take(build.scratch, index->rows, sizeof *build.words);
    fill(&build);
    arena_close(build.scratch);
    index->bytes = arena_bytes(arena) - before;
    return index;
}

size_t
match_index_bytes(const struct match_index *index)
{
    return index->bytes;
}
