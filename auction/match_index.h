// The shape of the bid index; built by match_index.c, read by match.c. Private to auction/.
#ifndef VENDUE_MATCH_INDEX_H
#define VENDUE_MATCH_INDEX_H

#include "match.h"

#define MATCH_CHUNK_BLOCKS 8
#define MATCH_CHUNK_WORDS \
    (MATCH_CHUNK_BLOCKS * MATCH_WORDS)  // of one row: 512 bytes, 4,096 columns

// Rows that every index has; then one per class of slots, then those of the attributes.
#define MATCH_GATES (IDENTITY_COUNT * 8)  // rungs open, by identity and the first three consents
enum {
    MATCH_ROW_SERVED = MATCH_GATES,  // messages that a distressed customer may meet
    MATCH_ROW_ANY,                   // bids for any slot
    MATCH_ROW_CLASSES
};

// How one attribute's values lead to rows.
enum match_how { MATCH_UNUSED, MATCH_BY_WORD, MATCH_BY_RANGE, MATCH_BY_LIST };
struct match_cells {
    uint8_t how;          // enum match_how
    uint32_t row, count;  // first row and number of rows
    // By word: row + 0 unknown, + 1 a word no rule asks for, + 2... words. By list: row + 0 bids
    // that ask nothing of the list, + 1... words. `cell_of[word - least]` is the offset; 0: not
    // asked for.
    int32_t least;
    uint32_t span;
    uint16_t *cell_of;
    uint16_t *words_in;  // by offset: words that share the row
    // By range: row + 0 unknown, row + 1 + i: values below bounds[i] and not below bounds[i - 1].
    int64_t *bounds;
    uint32_t bound_count;
};

// Of one slot's own bids: the columns of one word of a row, as that word's bits.
struct match_own {
    uint64_t columns;
    uint32_t word;  // from the first word of all columns
    uint32_t reserved;
};

struct match_index {
    const struct catalog *catalog;
    uint32_t columns, blocks, chunks, rows;
    uint64_t *bits;         // [chunk][row][MATCH_CHUNK_WORDS]
    uint32_t *counts;       // bits set, by row
    uint32_t *bid_of;       // by column; ascending, a bid's columns follow each other
    uint32_t *slot_row;     // class row of a slot
    uint32_t *dearest;      // first bid that addresses a slot, UINT32_MAX none
    uint32_t *own_first;    // by slot, and one more: where its words start in `own`
    struct match_own *own;  // columns of bids for one slot only, ascending within a slot
    struct match_cells cells[BOUND_ATTRIBUTES];
    uint8_t of_contact[BOUND_ATTRIBUTES], of_slot[BOUND_ATTRIBUTES];  // attributes in use
    uint32_t of_contact_count, of_slot_count;
    size_t bytes;
};

#endif
