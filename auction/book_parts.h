// The book's memory, shared by the files of the book. Private to auction/.
#ifndef VENDUE_BOOK_PARTS_H
#define VENDUE_BOOK_PARTS_H

#include <string.h>

#include "book.h"
#include "decided.h"
#include "heap.h"
#include "orders.h"
#include "overlay.h"
#include "probe.h"
#include "rates.h"
#include "recent.h"
#include "shown.h"
#include "spend.h"

struct book_kept {
    struct fact fact;  // kind FACT_NONE: free
    money converted, refunded;
    uint32_t older, newer;  // chain of ended ones; free ones: `newer` is the next free
    uint32_t orders;        // first order, PROBE_NONE none
    uint8_t state;          // enum placement_state
    bool complained;
};

struct book {
    struct arena *arena;
    struct spend spend;
    struct recent recent;
    struct decided decided;
    struct book_kept *placements;
    uint32_t placement_capacity, placement_count, free, oldest, newest;
    uint32_t responses;  // open ones whose price waits for a response or a conversion
    struct probe probe;  // placements by id
    struct heap expiry;  // held placements by the end of their window
    struct shown shown;
    struct rates rates;
    struct orders orders;
    struct overlay overlay;
    uint64_t marks_lost;
};

// Placements of one contact differ in their last four bits only (fact.h) and get cells side by
// side: a contact's decision touches one cache line or two of a table that fits no cache.
static inline uint64_t
book_placement_hash(struct id placement)
{
    uint64_t halves[2];
    struct id contact = fact_contact_of(placement);
    memcpy(halves, contact.bytes, sizeof halves);
    return hash_mix(halves[0] ^ hash_mix(halves[1])) + fact_position_of(placement);
}

static inline uint32_t
book_place_of(const struct book *book, struct id placement)
{
    uint64_t hash = book_placement_hash(placement);
    uint32_t at = probe_start(&book->probe, hash), item;
    while ((item = probe_next(&book->probe, hash, &at)) != PROBE_NONE) {
        if (id_same(fact_placement(&book->placements[item].fact), placement)) break;
    }
    return item;
}

// The placement that is dropped for one more order of `placement`; PROBE_NONE: none may be.
uint32_t book_order_victim(const struct book *book, uint32_t placement);

#endif
