// The shape of the bid index; built by match_index.c, read by match.c. Private to auction/.
#ifndef VENDUE_MATCH_INDEX_H
#define VENDUE_MATCH_INDEX_H

#include "match.h"

// Rows that every part has; then one per class of slots, then those of the attributes.
#define MATCH_GATES (IDENTITY_COUNT * 8)  // rungs open, by identity and the first three consents
enum {
    MATCH_ROW_SERVED = MATCH_GATES,  // messages that a distressed customer may meet
    MATCH_ROW_CLASSES
};
#define MATCH_NONE UINT32_MAX

// How values of one attribute are told apart: value -> code. Code 0 is "unknown".
// By word and by list: code 1 a word that no rule asks for, 2... words (beyond MATCH_CODES of them
// words share codes). By range: code 1 + i holds values below bounds[i] and not below
// bounds[i - 1].
enum match_how { MATCH_UNUSED, MATCH_BY_WORD, MATCH_BY_RANGE, MATCH_BY_LIST };
#define MATCH_CODES 60000
struct match_codes {
    uint8_t how;            // enum match_how
    bool of_slot;           // its value is the slot's
    bool shared;            // more words, or bounds, than codes
    uint32_t count;         // of codes
    uint16_t below, above;  // codes of values outside the table
    int64_t least;          // `code_of[value - least]`, for `span` values
    uint64_t span;          // 0: no table (a range too wide): search `bounds`
    uint16_t *code_of;
    // By range: codes in cells of neighbours, because there are fewer rows than codes.
    int64_t *bounds;
    uint32_t bound_count, cells;
    uint8_t *cell_of;      // by code; code 0 is cell 0
    uint16_t *first_code;  // by cell, and one more
};

// A column: one conjunction of one bid; and what its rows leave open of it, in half a cache line:
// two ranges and a list, and a program for what does not fit here.
#define MATCH_RANGES 2
#define MATCH_LIST_WORDS 4
struct match_column {
    uint32_t bid;                 // index
    uint32_t check;               // its program, in the part's `checks`; 0 none
    uint16_t slot;                // index + 1 of the one slot it is for; 0 any
    uint8_t range[MATCH_RANGES];  // attribute whose code is `least` or up to `span` above it;
                                  // MATCH_OPEN none
    uint16_t least[MATCH_RANGES], span[MATCH_RANGES];
    uint16_t words[MATCH_LIST_WORDS];  // codes; fewer are repeated
    uint8_t list;                      // attribute that holds `hits` of them; MATCH_OPEN none
    uint8_t hits;
    uint8_t list_negated;
    uint8_t reserved;
};
_Static_assert(sizeof(struct match_column) == 32, "two share a cache line");

// Bids of a span of the catalog's order. Its columns stand in clusters, each of whole words and
// ascending by bid: cluster 0 holds those that every contact must look at, the others those that
// only one word of an attribute, or one slot, can make true.
struct match_part {
    uint32_t bid_first, bid_end;
    uint32_t column_count, words, blocks, rows, clusters;
    uint64_t *bits;                         // [block][row][MATCH_WORDS]
    uint32_t *counts;                       // bits set, by row
    struct match_column *columns;           // [words * 64]
    uint32_t *checks;                       // match_check.h
    uint32_t *cluster_first;                // by cluster, and one more: its first word
    uint32_t cluster_of[BOUND_ATTRIBUTES];  // + code; MATCH_NONE: the attribute has no clusters
    uint32_t cluster_of_slot;               // + slot; MATCH_NONE
    uint8_t anchors[BOUND_ATTRIBUTES];      // attributes that have clusters
    uint32_t anchor_count;
    uint32_t row_of[BOUND_ATTRIBUTES];  // of code 0; MATCH_NONE: the attribute has no rows here
    uint8_t order[BOUND_ATTRIBUTES];    // attributes with rows, sparsest first
    uint32_t order_count;
    uint32_t word_rows;  // most rows of words of one attribute; beyond it words share rows
    uint8_t shift;       // 2^shift cells of a range share a row
    bool clustered;
};

struct match_index {
    const struct catalog *catalog;
    struct match_part parts[MATCH_PARTS];
    uint32_t *slot_row;   // class row of a slot
    bool first_by_class;  // bids judged first: none names a slot, no rule asks for a slot's values
    uint32_t *dearest;  // first bid that addresses a slot, of those ranked by price; or UINT32_MAX
    struct match_codes codes[BOUND_ATTRIBUTES];
    uint8_t of_contact[BOUND_ATTRIBUTES], of_slot[BOUND_ATTRIBUTES];  // in use, by word or range
    uint8_t lists[BOUND_ATTRIBUTES];                                  // of contact, in use
    uint32_t of_contact_count, of_slot_count, list_count;
    const struct sieve_plan *sieve;  // of bids that change later (sieve.h)
    size_t bytes;
};

static inline uint32_t
match_code(const struct match_codes *codes, int64_t value)
{
    uint64_t offset = (uint64_t)value - (uint64_t)codes->least;
    if (offset < codes->span) return codes->code_of[offset];
    if (codes->span > 0 || codes->how != MATCH_BY_RANGE)
        return value < codes->least ? codes->below : codes->above;
    uint32_t low = 0, high = codes->bound_count;  // the first bound above the value
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (value < codes->bounds[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return 1 + low;
}

// Row of a code of an attribute that has rows in this part.
static inline uint32_t
match_row(const struct match_part *part, const struct match_codes *codes, uint32_t attribute,
          uint32_t code)
{
    uint32_t row = part->row_of[attribute];
    if (codes->how == MATCH_BY_RANGE)
        return row + ((codes->cell_of[code] + (1u << part->shift) - 1) >> part->shift);
    return row + (code < 2 + part->word_rows ? code : 2 + (code - 2) % part->word_rows);
}

// --- match_codes.c -------------------------------------------------------------------------------
// Codes of all attributes that rules ask for, in `index`.
void match_codes_plan(struct match_index *index, struct arena *arena, struct arena *scratch);
// Rows that an attribute has in a part.
uint32_t match_codes_rows(const struct match_part *part, const struct match_codes *codes);
// Do the part's rows alone decide the leaf?
bool match_codes_decide(const struct match_index *index, const struct match_part *part,
                        const struct expr_node *leaf, const int64_t *set);
// Clears `column` (a mask) in the words of all rows of the leaf's attribute that cannot make it
// true; `words` by row. Nothing when the attribute has no rows.
void match_codes_fill(const struct match_index *index, const struct match_part *part,
                      const struct expr_node *leaf, const int64_t *set, uint64_t column,
                      uint64_t *words);

#endif
