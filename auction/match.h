// The index: which standing bids of a catalog may speak to a contact in a slot, dearest first.
// Private to auction/. What comes out may still be refused by the round (match.c says what is
// indexed); what the round would accept always comes out.
#ifndef VENDUE_MATCH_H
#define VENDUE_MATCH_H

#include "catalog.h"

// Built by catalog_decode as its last step, in the catalog's arena; every other field of `catalog`
// is set.
struct match_index *match_index_build(const struct catalog *catalog, struct arena *arena);
size_t
match_index_bytes(const struct match_index *index);  // memory of the index, for the benchmark

// The rungs whose data needs an identity and consents (a mask) meet, as a mask.
uint16_t match_rungs_open(unsigned identity, unsigned consent);
// May a seat of this kind bid on this rung?
bool match_seat_kind_admits(unsigned kind, unsigned rung);
// May a distressed customer meet a message that pursues these objectives?
bool match_serves(unsigned objectives);
// Static admission of a message in a slot: seat kind, rung, objective, format. REASON_NONE or the
// first of these that stops it, in that order.
enum reason match_admission(const struct catalog *catalog, const struct catalog_slot *slot,
                            const struct catalog_message *message);

#define MATCH_BLOCK 512  // bids looked at together: eight words, one cache line a row
#define MATCH_WORDS (MATCH_BLOCK / 64)
#define MATCH_ROWS (BOUND_ATTRIBUTES + 4)

struct match_own;  // match_index.h

struct match_list {
    uint32_t base;          // row of the bids that ask nothing of this list
    uint32_t first, count;  // rows of the contact's words, in `list_rows`
};

// One search; lives in the round. `match_contact` once a contact, `match_slot` once a slot, then
// `match_next` until UINT32_MAX.
struct match {
    const struct match_index *index;
    uint32_t contact_rows[MATCH_ROWS];  // of the contact alone, sparsest first
    uint32_t rows[MATCH_ROWS];          // with the slot's: to be ANDed, sparsest first
    uint32_t contact_row_count, row_count;
    struct match_list lists[BOUND_ATTRIBUTES];
    uint32_t list_count, list_row_count;
    uint32_t list_rows[BOUND_LIST_ITEMS];
    bool slot_only;               // no bid for any slot can match: look at `own` only
    bool any_full;                // every column is for any slot: `own` need not be looked at
    const struct match_own *own;  // columns of bids for this very slot, ascending
    uint32_t own_count, own_next;
    uint32_t block;              // next block to load
    uint32_t first;              // column of bits[0]'s lowest bit
    uint32_t word;               // word of `bits` that is being given out
    uint64_t bits[MATCH_WORDS];  // survivors of the loaded block not yet given out
    uint32_t last;               // bid given out last, so that each comes once
};
void
match_contact(struct match *match, const struct catalog *catalog, const struct contact *contact);
void match_slot(struct match *match, uint32_t slot);
// Index of the next bid in catalog->bids (dearest first, then lower id); UINT32_MAX when there is
// none.
uint32_t match_next(struct match *match);
// Does the bid address the slot: bids it, or bids any slot and its message is admitted there?
bool match_addresses(const struct catalog *catalog, const struct catalog_bid *bid, uint32_t slot);
// The dearest bid from index `from` on that addresses the slot and is not withdrawn; UINT32_MAX
// none.
uint32_t match_dearest(const struct catalog *catalog, uint32_t slot, uint32_t from);

#endif
