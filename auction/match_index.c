// Building the bid index.
//
// A column is one conjunction of one standing bid (match_rules.c). A row is a set of columns: those
// that may be true of one value (or a bucket of values, match_codes.c) of one attribute, or that
// pass one static test. What may speak to a contact is the AND of one row per attribute; what rows
// leave open - lists, buckets - is a short program of the column (match_check.c).
//
// Bids stand in three parts, each for itself:
//   first     those that are judged first whatever their price (catalog.h)
//   dearest   of the others, MATCH_DEAREST columns: nearly every search ends here, so they are few
//             enough to stay in the processor's cache
//   rest      the others
// A small part is plain: one cluster. In a large one, columns are clustered by what they ask: the
// rarest word of a text or list, or the one slot that they are for, is their anchor. A column whose
// anchor is one of several words (`in`, &&) stands in each of their clusters. A contact looks only
// at the clusters of its own values and at cluster 0, of columns without an anchor: some thousands
// of columns among a million. Words of an anchor need neither row nor check, and ranges of a
// clustered part have coarser rows.
//
// Invariants
//   (1) no false negative: a column whose conjunction is true of a contact stands in every row the
//       contact selects, and in a cluster that it looks at
//   (2) no false positive: column or program checks every leaf that rows and cluster do not decide
//   (3) within a cluster columns ascend by bid; places beyond the last column have no bit in any
//       row of an attribute or a class
#include "match_index.h"

#include <string.h>

#include "fact.h"
#include "fail.h"
#include "match_check.h"
#include "sieve.h"

#define MATCH_DEAREST 4096     // columns of the dearest bids
#define MATCH_PLAIN 8192       // a part of so many columns is plain: clusters would be mere rests
#define MATCH_WORD_ROWS 254    // of one attribute in a plain part
#define MATCH_FEW_ROWS 62      // and in a clustered one
#define MATCH_RANGE_SHIFT 1    // cells of a range that share a row in a clustered part: 2
#define MATCH_COPIES 8         // clusters of one column
#define MATCH_RARE (1u << 14)  // of 1 << 16: an anchor is at least so rare

struct build {
    const struct catalog *catalog;
    struct match_index *index;
    struct arena *arena, *scratch;
    uint64_t *words;             // of the 64 columns being filled, by row
    const uint32_t *class_slot;  // a slot of each class
    uint32_t classes, own_slots;
    // Of the part being built:
    uint32_t *next_word;  // by cluster: columns counted, then the place for the next one
    uint8_t *term_of;     // by place
    uint32_t check_words;
    bool writing;  // columns are placed; else only counted
};

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
}

static void
plan_dearest(struct build *build)
{
    const struct catalog *catalog = build->catalog;
    struct match_index *index = build->index;
    uint32_t *by_class = arena_take(build->scratch, build->classes + 1, sizeof *by_class);
    for (uint32_t class = 0; class < build->classes; class ++) {
        const struct catalog_slot *slot = &catalog->slots[build->class_slot[class]];
        uint32_t bid = catalog->judged_first;
        for (; bid < catalog->bid_count; bid++) {
            const struct catalog_bid *is = &catalog->bids[bid];
            if (is->slot != UINT32_MAX || is->state == BID_WITHDRAWN) continue;
            if (match_admission(catalog, slot, &catalog->messages[is->message]) == REASON_NONE)
                break;
        }
        by_class[class] = bid < catalog->bid_count ? bid : UINT32_MAX;
    }
    index->dearest = arena_take(build->arena, catalog->slot_count + 1, sizeof *index->dearest);
    for (uint32_t slot = 0; slot < catalog->slot_count; slot++)
        index->dearest[slot] = by_class[index->slot_row[slot] - MATCH_ROW_CLASSES];
    uint8_t *own = arena_take(build->scratch, catalog->slot_count + 1, sizeof *own);
    for (uint32_t bid = catalog->bid_count; bid-- > 0;) {
        uint32_t slot = catalog->bids[bid].slot;
        if (slot == UINT32_MAX || catalog->bids[bid].state == BID_WITHDRAWN) continue;
        build->own_slots += !own[slot];
        own[slot] = 1;
        if (bid >= catalog->judged_first && bid < index->dearest[slot]) index->dearest[slot] = bid;
    }
}

static bool
asks_slot(const struct catalog *catalog, const struct expr *rule)
{
    for (uint32_t i = 0; i < rule->node_count; i++) {
        const struct expr_node *node = &rule->nodes[i];
        if (node->kind >= EXPR_RANGE &&
            catalog->attributes[node->attribute].is.of == ATTRIBUTE_OF_SLOT)
            return true;
    }
    return false;
}

// Do all slots of a class find the same among the bids judged first?
static bool
first_by_class(const struct catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->judged_first; i++) {
        const struct catalog_bid *bid = &catalog->bids[i];
        if (bid->slot != UINT32_MAX || asks_slot(catalog, &catalog->seats[bid->seat].rule) ||
            asks_slot(catalog, &catalog->messages[bid->message].rule))
            return false;
    }
    return true;
}

// --- Clusters ------------------------------------------------------------------------------------
struct anchor {
    uint32_t clusters[MATCH_COPIES];  // one or more
    uint32_t count;
    uint32_t leaf;  // that they decide; MATCH_NONE
};

// Of 1 << 16 contacts, about how many meet the leaf; UINT32_MAX: it cannot anchor.
static uint32_t
anchor_weight(const struct build *build, const struct expr_node *leaf)
{
    const struct match_codes *codes = &build->index->codes[leaf->attribute];
    bool list = codes->how == MATCH_BY_LIST;
    if (codes->of_slot || leaf->negated || leaf->count > MATCH_COPIES) return UINT32_MAX;
    if (leaf->kind != EXPR_IN && leaf->kind != EXPR_ANY && leaf->kind != EXPR_ALL)
        return UINT32_MAX;
    if (codes->how != MATCH_BY_WORD && !list) return UINT32_MAX;
    uint32_t words = leaf->kind == EXPR_ALL ? 1 : leaf->count;
    return (uint32_t)((words << (list ? 20 : 16)) / (codes->count - 2));  // a list has some words
}

static void
choose_anchor(const struct build *build, const struct match_part *part,
              const struct catalog_bid *bid, const struct match_leaves *leaves,
              struct anchor *out_anchor)
{
    *out_anchor = (struct anchor){.count = 1, .leaf = MATCH_NONE};
    if (!part->clustered) return;
    uint32_t least = MATCH_RARE;
    if (bid->slot != UINT32_MAX && (1u << 16) / build->own_slots <= least) {
        least = (1u << 16) / build->own_slots;
        out_anchor->clusters[0] = part->cluster_of_slot + bid->slot;
    }
    for (uint32_t i = 0; i < leaves->count; i++) {
        uint32_t weight = anchor_weight(build, leaves->leaf[i]);
        if (weight >= least) continue;
        least = weight;
        out_anchor->leaf = i;
    }
    if (out_anchor->leaf == MATCH_NONE) return;
    const struct expr_node *leaf = leaves->leaf[out_anchor->leaf];
    const int64_t *set = leaves->sets[out_anchor->leaf];
    const struct match_codes *codes = &build->index->codes[leaf->attribute];
    out_anchor->count = 0;
    for (uint32_t i = 0; i < leaf->count && (i == 0 || leaf->kind != EXPR_ALL); i++) {
        uint32_t cluster = part->cluster_of[leaf->attribute] + match_code(codes, set[i]), other = 0;
        while (other < out_anchor->count && out_anchor->clusters[other] != cluster) other++;
        if (other == out_anchor->count) out_anchor->clusters[out_anchor->count++] = cluster;
    }
    bool decided = !codes->shared && (leaf->kind != EXPR_ALL || leaf->count == 1);
    if (!decided) out_anchor->leaf = MATCH_NONE;
}

// Number the clusters that a clustered part may have.
static void
plan_clusters(struct build *build, struct match_part *part)
{
    part->clusters = 1;
    part->cluster_of_slot = MATCH_NONE;
    for (uint32_t a = 0; a < BOUND_ATTRIBUTES; a++) part->cluster_of[a] = MATCH_NONE;
    if (!part->clustered) return;
    part->cluster_of_slot = part->clusters;
    part->clusters += build->catalog->slot_count;
    for (uint32_t a = 0; a < BOUND_ATTRIBUTES; a++) {
        const struct match_codes *codes = &build->index->codes[a];
        if (codes->of_slot || (codes->how != MATCH_BY_WORD && codes->how != MATCH_BY_LIST))
            continue;
        part->cluster_of[a] = part->clusters;
        part->clusters += codes->count;
        part->anchors[part->anchor_count++] = (uint8_t)a;
    }
}

// --- Rows ----------------------------------------------------------------------------------------
static void
plan_rows(struct build *build, struct match_part *part)
{
    part->shift = part->clustered ? MATCH_RANGE_SHIFT : 0;
    part->word_rows = part->clustered ? MATCH_FEW_ROWS : MATCH_WORD_ROWS;
    part->rows = MATCH_ROW_CLASSES + build->classes;
    for (uint32_t a = 0; a < BOUND_ATTRIBUTES; a++) {
        const struct match_codes *codes = &build->index->codes[a];
        bool has = codes->how == MATCH_BY_RANGE || codes->how == MATCH_BY_WORD;
        if (part->clustered && codes->how == MATCH_BY_WORD && codes->count > 2 + part->word_rows)
            has = false;  // few columns ask for it that are not anchored by it
        part->row_of[a] = has ? part->rows : MATCH_NONE;
        if (has) part->rows += match_codes_rows(part, codes);
    }
}

// Attributes whose rows hold the fewest columns come first: they end a block soonest.
static void
order_rows(struct build *build, struct match_part *part)
{
    uint64_t density[BOUND_ATTRIBUTES];
    for (uint32_t a = 0; a < BOUND_ATTRIBUTES; a++) {
        if (part->row_of[a] == MATCH_NONE) continue;
        uint32_t rows = match_codes_rows(part, &build->index->codes[a]);
        uint64_t sum = 0;
        for (uint32_t i = 0; i < rows; i++) sum += part->counts[part->row_of[a] + i];
        density[a] = sum / rows;
        uint32_t place = part->order_count++;
        for (; place > 0 && density[part->order[place - 1]] > density[a]; place--)
            part->order[place] = part->order[place - 1];
        part->order[place] = (uint8_t)a;
    }
}

// --- Columns -------------------------------------------------------------------------------------
// Puts a leaf that rows do not decide into the column; false when it does not fit there. A word is
// a range of one code.
static bool
put_range(const struct match_codes *codes, const struct expr_node *leaf, const int64_t *set,
          struct match_column *column)
{
    unsigned at = column->range[0] == MATCH_OPEN ? 0 : 1;
    if (codes->how != MATCH_BY_WORD && codes->how != MATCH_BY_RANGE) return false;
    if (codes->shared || leaf->negated || column->range[at] != MATCH_OPEN) return false;
    if (leaf->kind != EXPR_RANGE && (leaf->kind != EXPR_IN || leaf->count != 1)) return false;
    int64_t least = leaf->kind == EXPR_RANGE ? leaf->least : set[0];
    int64_t most = leaf->kind == EXPR_RANGE ? leaf->most : set[0];
    uint32_t first = match_code(codes, least), last = match_code(codes, most);
    if (least > most) return false;
    column->range[at] = leaf->attribute;
    column->least[at] = (uint16_t)first;
    column->span[at] = (uint16_t)(last - first);
    return true;
}

static bool
put_list(const struct match_codes *codes, const struct expr_node *leaf, const int64_t *set,
         struct match_column *column)
{
    if (codes->of_slot || codes->shared || codes->count > MATCH_HELD) return false;
    if (leaf->kind != EXPR_ANY && leaf->kind != EXPR_ALL) return false;
    if (leaf->count > MATCH_LIST_WORDS || column->list != MATCH_OPEN) return false;
    column->list = leaf->attribute;
    column->hits = leaf->kind == EXPR_ANY ? 1 : MATCH_LIST_WORDS;
    for (uint32_t i = 0; i < MATCH_LIST_WORDS; i++)
        column->words[i] = (uint16_t)match_code(codes, set[i < leaf->count ? i : 0]);
    column->list_negated = leaf->negated;
    return true;
}

// What a column asks beyond its rows and its cluster: in the column, or in a program.
static void
open_column(struct build *build, struct match_part *part, const struct catalog_bid *bid,
            const struct match_leaves *leaves, uint32_t decided, struct match_column *column)
{
    *column = (struct match_column){
        .bid = (uint32_t)(bid - build->catalog->bids),
        .slot = (uint16_t)(bid->slot == UINT32_MAX ? 0 : bid->slot + 1),
        .range = {MATCH_OPEN, MATCH_OPEN},
        .list = MATCH_OPEN,
        .span = {UINT16_MAX, UINT16_MAX},
    };
    uint32_t first = build->check_words, used = 0;
    uint32_t *words = build->writing ? part->checks + first : NULL;
    if (leaves->partial) used = match_check_rules(words);
    for (uint32_t i = 0; i < leaves->count && !leaves->partial; i++) {
        const struct expr_node *leaf = leaves->leaf[i];
        const struct match_codes *codes = &build->index->codes[leaf->attribute];
        const int64_t *set = leaves->sets[i];
        if (i == decided || match_codes_decide(build->index, part, leaf, set)) continue;
        if (put_range(codes, leaf, set, column) || put_list(codes, leaf, set, column)) continue;
        used += match_check_leaf(words == NULL ? NULL : words + used, leaf, set);
    }
    if (used == 0) return;
    used += match_check_end(words == NULL ? NULL : words + used);
    column->check = first;
    build->check_words += used;
}

// Counts all columns of the part, or places them.
static void
place_columns(struct build *build, struct match_part *part)
{
    const struct catalog *catalog = build->catalog;
    struct match_leaves leaves;
    struct match_column column;
    build->check_words = 1;  // 0: none
    for (uint32_t bid = part->bid_first; bid < part->bid_end; bid++) {
        const struct catalog_bid *is = &catalog->bids[bid];
        uint32_t terms = match_rules_terms(catalog, is);
        for (uint32_t term = 0; term < terms; term++) {
            struct anchor anchor;
            match_rules_leaves(catalog, is, term, &leaves);
            choose_anchor(build, part, is, &leaves, &anchor);
            open_column(build, part, is, &leaves, anchor.leaf, &column);
            for (uint32_t copy = 0; copy < anchor.count; copy++) {
                uint32_t place = build->next_word[anchor.clusters[copy]]++;
                if (!build->writing) continue;
                part->columns[place] = column;
                build->term_of[place] = (uint8_t)(term + 1);
                part->column_count++;
            }
        }
    }
}

static void
plan_columns(struct build *build, struct match_part *part)
{
    build->next_word = arena_take(build->scratch, part->clusters + 1, sizeof *build->next_word);
    build->writing = false;
    place_columns(build, part);
    part->cluster_first = arena_take(build->arena, part->clusters + 1, sizeof *part->cluster_first);
    for (uint32_t cluster = 0; cluster < part->clusters; cluster++) {
        part->cluster_first[cluster] = part->words;
        part->words += (build->next_word[cluster] + 63) / 64;
        build->next_word[cluster] = part->cluster_first[cluster] * 64;
    }
    part->cluster_first[part->clusters] = part->words;
    part->blocks = (part->words + MATCH_WORDS - 1) / MATCH_WORDS;
    // One piece for rows and columns: a large one gets huge pages, and a search reads anywhere.
    size_t bits = (size_t)part->blocks * part->rows * MATCH_WORDS;
    size_t columns = (size_t)part->words * 64 * sizeof *part->columns / sizeof *part->bits;
    part->bits = arena_take(build->arena, (bits + columns) / MATCH_WORDS + 1,
                            MATCH_WORDS * sizeof *part->bits);
    part->columns = (struct match_column *)(void *)(part->bits + bits);
    part->checks = arena_take(build->arena, build->check_words, sizeof *part->checks);
    build->term_of = arena_take(build->scratch, (size_t)part->words * 64 + 1, 1);
    build->writing = true;
    place_columns(build, part);
}

// --- Filling -------------------------------------------------------------------------------------
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
    for (uint32_t class = 0; class < build->classes; class ++) {
        const struct catalog_slot *slot = &catalog->slots[build->class_slot[class]];
        if (match_admission(catalog, slot, message) == REASON_NONE)
            words[MATCH_ROW_CLASSES + class] |= column;
    }
}

// One word of all rows: attribute rows begin full, of the columns that there are, others empty.
static void
fill_word(struct build *build, struct match_part *part, uint32_t word)
{
    const struct catalog *catalog = build->catalog;
    const struct match_column *columns = part->columns + (size_t)word * 64;
    const uint8_t *terms = build->term_of + (size_t)word * 64;
    uint32_t count = 0, first_attribute = MATCH_ROW_CLASSES + build->classes;
    while (count < 64 && terms[count] != 0) count++;
    uint64_t all = count == 64 ? ~0ull : (1ull << count) - 1;
    memset(build->words, 0, first_attribute * sizeof *build->words);
    for (uint32_t row = first_attribute; row < part->rows; row++) build->words[row] = all;
    for (uint32_t i = 0; i < count; i++) {
        const struct catalog_bid *bid = &catalog->bids[columns[i].bid];
        struct match_leaves leaves;
        match_rules_leaves(catalog, bid, terms[i] - 1u, &leaves);
        for (uint32_t leaf = 0; leaf < leaves.count; leaf++)
            match_codes_fill(build->index, part, leaves.leaf[leaf], leaves.sets[leaf], 1ull << i,
                             build->words);
        fill_static(build, bid, 1ull << i);
    }
    uint64_t *to = part->bits + (size_t)(word / MATCH_WORDS) * part->rows * MATCH_WORDS;
    for (uint32_t row = 0; row < part->rows; row++) {
        to[(size_t)row * MATCH_WORDS + word % MATCH_WORDS] = build->words[row];
        part->counts[row] += (uint32_t)__builtin_popcountll(build->words[row]);
    }
}

static void
build_part(struct build *build, struct match_part *part)
{
    plan_clusters(build, part);
    plan_rows(build, part);
    plan_columns(build, part);
    part->counts = arena_take(build->arena, part->rows, sizeof *part->counts);
    build->words = arena_take(build->scratch, part->rows, sizeof *build->words);
    for (uint32_t word = 0; word < part->words; word++) fill_word(build, part, word);
    order_rows(build, part);
}

// Bids from `first` until there are so many columns. Returns the first bid behind.
static uint32_t
bids_of_columns(const struct catalog *catalog, uint32_t first, uint32_t end, uint32_t columns)
{
    uint32_t count = 0;
    for (; first < end && count < columns; first++)
        count += match_rules_terms(catalog, &catalog->bids[first]);
    return first;
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
    index->first_by_class = first_by_class(catalog);
    match_codes_plan(index, arena, build.scratch);
    struct match_part *first = &index->parts[MATCH_PART_FIRST],
                      *dearest = &index->parts[MATCH_PART_DEAREST],
                      *rest = &index->parts[MATCH_PART_REST];
    first->bid_end = dearest->bid_first = catalog->judged_first;
    uint32_t behind = bids_of_columns(catalog, catalog->judged_first, catalog->bid_count,
                                      MATCH_DEAREST);
    dearest->bid_end = rest->bid_first = behind;
    rest->bid_end = catalog->bid_count;
    for (unsigned i = 0; i < MATCH_PARTS; i++) {
        struct match_part *part = &index->parts[i];
        part->clustered = bids_of_columns(catalog, part->bid_first, part->bid_end,
                                          MATCH_PLAIN + 1) < part->bid_end;
        build_part(&build, part);
    }
    index->sieve = sieve_plan(index, arena, build.scratch);
    arena_close(build.scratch);
    index->bytes = arena_bytes(arena) - before;
    return index;
}

size_t
match_index_bytes(const struct match_index *index)
{
    return index->bytes;
}
