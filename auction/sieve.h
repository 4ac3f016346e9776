// Changed bids (overlay.h) beneath a coarse sieve: which of them certainly stand no chance with a
// contact in a slot. Private to auction/.
//
// What is left out could not be eligible: a static test or a rule stops it, or it is for another
// slot, or it is not active. What is not left out is to be judged like any other bid.
#ifndef VENDUE_SIEVE_H
#define VENDUE_SIEVE_H

#include "arena.h"
#include "book.h"
#include "match.h"

#define SIEVE_WORDS 8                  // of a message's mask
#define SIEVE_ROWS (SIEVE_WORDS * 64)  // of messages; behind them those of slots
#define SIEVE_SLOTS 64                 // rows that all slots share
#define SIEVE_NONE UINT32_MAX

// Of a catalog, made with its index: by message, the rows that stop it.
struct sieve_plan;
const struct sieve_plan *
sieve_plan(const struct match_index *index, struct arena *arena, struct arena *scratch);

// This message's mask will soon be read.
void sieve_expect(const struct sieve_plan *plan, uint32_t message);

// Of an overlay: a column an entry. A set bit of a row stops the entry when the row is selected.
struct sieve {
    uint64_t *rows;            // [SIEVE_ROWS + SIEVE_SLOTS][stride]
    uint64_t *active;          // bit by entry: it stands in the order, and is active
    uint32_t *message, *slot;  // by entry: what its column says; SIEVE_NONE: nothing
    uint32_t stride, room;     // entries that have columns
    uint32_t row_count;  // of the plan by which the columns were written
};
void sieve_open(struct sieve *sieve, struct arena *arena, uint32_t capacity);
// Writes an entry's column: of this message (SIEVE_NONE: it stands nowhere) and slot (UINT32_MAX
// any), as indexes.
void sieve_set(struct sieve *sieve, const struct sieve_plan *plan, uint32_t entry, uint32_t message,
               uint32_t slot, bool active);
// Under a new catalog: notes what sieve_set would write, for all entries; then writes all columns.
void sieve_note(struct sieve *sieve, uint32_t entry, uint32_t message, uint32_t slot, bool active);
void sieve_write(struct sieve *sieve, const struct sieve_plan *plan, uint32_t count);

// A search of one slot: once, behind match_slot.
void sieve_slot(struct match *match, const struct book *book);
// The first place in book_overlay, from `place` on, of a bid that is not left out; the number of
// bids there when there is none.
uint32_t sieve_next(const struct match *match, const struct book *book, uint32_t place);

#endif
