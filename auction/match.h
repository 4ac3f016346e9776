// The index: which standing bids of a catalog may speak to a contact in a slot, in the catalog's
// order. Private to auction/.
//
// What comes out passes all static tests (match_admission, condition, the rung's data) and its
// seat's and its message's rule are TRUE; slot rules, validity, floors, budgets and caps are the
// round's to judge. Whatever passes comes out.
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

#define MATCH_BLOCK 512  // columns looked at together: eight words, one cache line a row
#define MATCH_WORDS (MATCH_BLOCK / 64)
#define MATCH_ROWS (BOUND_ATTRIBUTES + 4)
#define MATCH_STREAMS (2 + BOUND_ATTRIBUTES + BOUND_LIST_ITEMS)
#define MATCH_OPEN BOUND_ATTRIBUTES  // instead of an attribute: what is true of every contact
#define MATCH_HELD 1024              // codes of a list that are noted
#define MATCH_WINDOW 16384           // bids whose order is found together
#define MATCH_SIEVED 65536           // changed bids that are sifted; of more all are judged

// Bids judged first, the dearest of the others, the rest.
enum { MATCH_PART_FIRST, MATCH_PART_DEAREST, MATCH_PART_REST, MATCH_PARTS };

// Columns of one cluster, being looked at ascending.
struct match_stream {
    uint32_t word, end;          // words of the cluster not yet loaded
    uint32_t at, loaded;         // words of `bits` not yet given out
    uint32_t first;              // word of bits[0]
    uint64_t bits[MATCH_WORDS];  // survivors of the loaded block not yet given out
};

struct match_noted {
    uint16_t attribute, code;
};

// One search; lives in the round, zeroed before its first use. `match_contact` once a contact,
// `match_slot` once a slot, then `match_next` until UINT32_MAX. The contact stays where it is
// meanwhile.
struct match {
    const struct match_index *index;
    const struct contact *contact;
    uint32_t slot;
    uint16_t codes[BOUND_ATTRIBUTES + 1];  // of the contact's values, and the slot's
    // 1: the contact's list holds the word of this code; code 0: the list is known.
    uint8_t holds[BOUND_ATTRIBUTES + 1][MATCH_HELD];
    struct match_noted noted[BOUND_LIST_ITEMS];  // what is set there, but for codes 0
    uint32_t noted_count;
    // The part being searched:
    uint32_t next_part;
    const struct match_part *part;
    uint32_t rows[MATCH_ROWS];  // to be ANDed, the sparsest before
    uint32_t row_count;
    struct match_stream streams[MATCH_STREAMS];
    uint32_t stream_count;
    uint32_t last;  // bid given out last by a plain part, so that each comes once
    // Of a clustered part: bids that passed, of those from window_first on, and the word from which
    // on they are not yet given out.
    uint32_t window_first, window_at;
    uint64_t window[MATCH_WINDOW / 64];
    // Changed bids (sieve.h): those that the contact leaves, by entry; then the slot, by place.
    bool sieves, sieved_contact;
    uint32_t sieved_words;
    uint64_t sieved[MATCH_SIEVED / 64], places[MATCH_SIEVED / 64];
};
void
match_contact(struct match *match, const struct catalog *catalog, const struct contact *contact);
void match_slot(struct match *match, uint32_t slot);
// Are both slots given the same of the bids judged first?
bool match_first_same(const struct match *match, uint32_t slot, uint32_t other);
// After match_slot: these are known and need not be given.
void match_pass_first(struct match *match);
// Index of the next bid in catalog->bids, ascending; UINT32_MAX when there is none.
uint32_t match_next(struct match *match);
// Does the bid address the slot: bids it, or bids any slot and its message is admitted there?
bool match_addresses(const struct catalog *catalog, const struct catalog_bid *bid, uint32_t slot);
// The first bid from index `from` on that addresses the slot and is not withdrawn; UINT32_MAX none.
// Quick when asked from the first bid that is ranked by its price (catalog->judged_first).
uint32_t match_dearest(const struct catalog *catalog, uint32_t slot, uint32_t from);

#endif
