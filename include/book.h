// The book: everything that changes while the market sells - spend, caps, placements on their way,
// bids changed since the catalog. It is a fold of facts: book_apply is the only writer, live and on
// recovery, so that replaying a journal gives the same book. All memory is taken at book_open;
// nothing allocates later.
#ifndef VENDUE_BOOK_H
#define VENDUE_BOOK_H

#include "catalog.h"
#include "fact.h"

struct book;

struct book_limits {
    uint32_t contacts;    // recent ones kept, so that a retry gets its answer again
    uint32_t placements;  // those still held are never dropped, ended ones oldest first
    uint32_t caps;        // (customer, message) pairs counted at once
    uint32_t orders;      // conversions and refunds remembered, to tell a repeat from a new one
    uint32_t overlay;     // bids put or changed since the catalog
};
extern const struct book_limits book_limits_default;

struct book *book_open(const struct book_limits *limits);
void book_close(struct book *book);

// Applies one fact. Facts come in journal order, a contact's own facts one after the other;
// `position` is where the fact stands. A fact about a placement that the book has dropped changes
// nothing. STATUS_FULL: a pool is full (the deciders ask first, so live facts never meet it; a
// replay into a smaller book may). STATUS_INPUT: an id beyond its bound, or an outcome without its
// contact. STATUS_EXISTS: that placement is there. STATUS_CONFLICT: the fact does not follow from
// the placement's state. STATUS_OVERFLOW. On any of these the book is unchanged.
MUST_CHECK enum status
book_apply(struct book *book, const struct fact *fact, struct catalog_position position);

// Facts of this new contact will be applied soon: what they touch is called near. Changes nothing.
void book_expect(const struct book *book, struct id contact);

// A bid's fact that was applied live, before its position was known, under {0, 0, serial}, is
// durable at `position`. Nothing when the bid was changed again since: then the later fact counts.
void book_bid_durable(struct book *book, uint64_t bid, uint64_t serial,
                      struct catalog_position position);

// A new catalog: bid changes it includes (position) leave the overlay. Before a replay give the
// latest catalog first: bid facts that it includes are then passed over.
void book_catalog(struct book *book, const struct catalog *catalog);

// --- Reading -------------------------------------------------------------------------------------
// Held and due, by stable id: counted at the win, given back when cancelled or expired (unless the
// contract charges at the win), kept when delivered. Survives catalogs.
money book_seat_spent(const struct book *book, uint32_t seat_id);
money book_message_spent(const struct book *book, uint32_t message_id);
// Deliveries (and pending placements) of a capped message to a customer within `days` before `now`:
// the sliding window of 1,440 x days minutes that ends with the minute of `now`. At most
// BOUND_CAP_COUNT. Placements of customer 0 and of messages without a cap are not counted.
uint32_t book_cap_count(const struct book *book, uint64_t customer, uint32_t message_id,
                        uint32_t days, usec now);
// Room for one more contact of `slots` slots without STATUS_FULL.
bool book_has_room(const struct book *book, unsigned slots);
// Room to count a capped message for this customer, in a contact with any number of slots.
bool book_cap_has_room(const struct book *book, uint64_t customer, uint32_t message_id);
// Room to remember one more conversion or refund of this placement.
bool book_order_has_room(const struct book *book, struct id placement);

struct book_contact {
    struct id contact;
    uint64_t request;
};
// The contact a request key already stands for; false when unknown.
bool
book_find_contact(const struct book *book, struct id request_key, struct book_contact *out_contact);
// The facts of that contact again, as first decided (opened, then one a slot). Returns their
// number.
unsigned book_recall(const struct book *book, struct id request_key,
                     struct fact out_facts[BOUND_CONTACT_FACTS]);

enum placement_state {
    PLACEMENT_HELD,
    PLACEMENT_DELIVERED,
    PLACEMENT_ACCEPTED,
    PLACEMENT_DECLINED,
    PLACEMENT_CANCELLED,
    PLACEMENT_EXPIRED
};
struct book_placement {
    const struct fact *fact;  // FACT_PLACEMENT as decided
    enum placement_state state;
    money converted, refunded;  // totals
};
bool book_find_placement(const struct book *book, struct id placement,
                         struct book_placement *out_placement);

// A conversion (reference NULL) or a refund (its own reference) that was applied; false when
// unknown.
struct book_order {
    struct id placement;
    money amount;
    money refunded;  // of a conversion: taken back so far
};
bool book_find_order(const struct book *book, struct id order, const char *reference,
                     struct book_order *out_order);

// The next placement whose delivery window ended before `now`; false when none.
bool book_next_expired(const struct book *book, usec now, struct id *out_placement);

// Bids put or changed since the catalog (their whole state, paused and withdrawn ones too), dearest
// first, then lower id; those that the catalog cannot place (its message is gone) are kept but not
// shown.
struct book_bids {
    const struct catalog_bid *bids;  // indexes are of the current catalog
    uint32_t count;
};
struct book_bids book_overlay(const struct book *book);
// True when the catalog's bid (index) is replaced by the overlay (changed, paused or withdrawn).
bool book_bid_replaced(const struct book *book, uint32_t bid);
bool book_overlay_has_room(const struct book *book);
// The state of one changed bid in stable ids, as its newest fact said it (kind FACT_BID; only `bid`
// is set); false when it was not changed since the catalog.
bool book_find_bid(const struct book *book, uint64_t bid, struct fact *out_fact);

// A digest over the whole state, for tests: fold(facts) == book. It covers what is kept and the
// order in which it will be dropped, not the layout of tables: spend, contacts and their facts,
// placements with state and totals, caps, orders, and the overlay under the current catalog.
struct digest book_digest(const struct book *book);

struct book_counts {
    uint64_t contacts, placements_held, placements_kept, caps, overlay;
};
struct book_counts book_counts(const struct book *book);

#endif
