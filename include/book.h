// The book: everything that changes while the market sells - spend, caps, placements on their way,
// bids changed since the catalog. It is a fold of facts: book_apply is the only writer, live and on
// recovery, so that replaying a journal gives the same book. All memory is taken at book_open;
// nothing allocates later.
#ifndef VENDUE_BOOK_H
#define VENDUE_BOOK_H

#include "catalog.h"
#include "fact.h"
#include "learn.h"

struct book;

struct book_limits {
    uint32_t contacts;    // recent ones kept, so that a retry gets its answer again
    uint32_t retries;     // requests known longer than that, by their keys alone; 0 none
    uint32_t placements;  // those still held are never dropped, ended ones oldest first
    uint32_t customers;   // with what they were shown, at 64 bytes each; 0 none
    uint32_t rates;       // (message, cell) pairs whose responses are counted; 0 none
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
// contract charges at the win), kept when due. A price per response is due when the customer
// accepts and given back when declined, cancelled, expired or lapsed, whatever the contract says; a
// share is never counted. Survives catalogs. Of a day: what was won on that day of the host's clock
// and not given back; of the last three days that sold anything (0 for others). A total beyond the
// range of money stays at its end.
money book_spent(const struct book *book, enum budget_of of, uint32_t id);
money book_spent_on(const struct book *book, enum budget_of of, uint32_t id, uint16_t day);
// Deliveries of messages sold under a deal on a day (its guarantee): those won on it, pending ones
// included.
uint32_t book_deal_deliveries(const struct book *book, uint32_t deal_id, uint16_t day);

// What a customer was shown, newest first: placements that were delivered, by the time of delivery,
// and pending ones, by the time of the win; and complaints and refunds. Of messages that no cap
// counted when they were won nothing is kept; of others for as long as the longest cap asked, and
// perhaps a while longer. Of complaints and refunds the newest of each is kept, for a year.
// Customer 0 has none. Iterate from {0} until false.
enum shown_kind { SHOWN_MESSAGE, SHOWN_COMPLAINT, SHOWN_REFUND };
struct book_shown {
    enum shown_kind kind;
    uint32_t message;  // stable id, as of now; what else is asked follows from the catalog
    uint8_t channel;   // of its cell; CHANNEL_COUNT: unknown (won before cells were noted)
    usec at;           // to the minute
    uint32_t count;    // 1
    uint64_t next;     // the iterator's own
};
bool book_next_shown(const struct book *book, uint64_t customer, struct book_shown *shown);

// What was learned of a message in a cell (stage * CHANNEL_COUNT + channel), of all messages of a
// rung in a cell, and of a rung. Folded from FACT_DELIVERED, ACCEPTED, CONVERTED, REFUNDED. A pair
// for which there was no room counts in its parents only.
struct learn_counts book_learned(const struct book *book, uint32_t message_id, uint8_t cell);
// What was learned of many messages will soon be asked for: their tables are called near, for all
// of them by step 0, then for all by step 1. Changes nothing.
void book_expect_learned(const struct book *book, uint32_t message_id, uint8_t cell, unsigned step);
struct learn_counts book_learned_in_cell(const struct book *book, enum rung rung, uint8_t cell);
struct learn_counts book_learned_on_rung(const struct book *book, enum rung rung);

// Room for one more contact of `slots` slots without STATUS_FULL.
bool book_has_room(const struct book *book, unsigned slots);
// Room for `slots` placements whose price waits for a response or a conversion. They may wait a
// month for it, and at most half of all placements do, so that the others can go on.
bool book_response_has_room(const struct book *book, unsigned slots);
// Room to remember what this customer is shown, in a contact with any number of slots.
bool book_shown_has_room(const struct book *book, uint64_t customer);
// Room to remember a complaint of this customer.
bool book_mark_has_room(const struct book *book, uint64_t customer);
// Room to remember one more conversion or refund of this placement.
bool book_order_has_room(const struct book *book, struct id placement);

struct book_contact {
    struct id contact;
    uint64_t request;
};
// The contact a request key already stands for; false when unknown.
bool
book_find_contact(const struct book *book, struct id request_key, struct book_contact *out_contact);
// True when the request was decided, though its answer may be known no more: it must not be decided
// again.
bool book_was_decided(const struct book *book, struct id request_key);
// The facts of that contact again, as first decided (opened, then one a slot; without its record).
// Returns their number.
unsigned book_recall(const struct book *book, struct id request_key,
                     struct fact out_facts[BOUND_CONTACT_FACTS]);

enum placement_state {
    PLACEMENT_HELD,
    PLACEMENT_DELIVERED,
    PLACEMENT_ACCEPTED,
    PLACEMENT_DECLINED,
    PLACEMENT_CANCELLED,
    PLACEMENT_EXPIRED,
    PLACEMENT_LAPSED  // its price waited for a response or a conversion, and none came
};
struct book_placement {
    const struct fact *fact;  // FACT_PLACEMENT as decided
    enum placement_state state;
    money converted, refunded;  // totals
    bool complained;
};
bool book_find_placement(const struct book *book, struct id placement,
                         struct book_placement *out_placement);

// When a response to this delivered placement comes too late; far away when its price does not
// depend on it.
usec book_response_ends(const struct book *book, struct id placement);

// A conversion (reference NULL) or a refund (its own reference) that was applied; false when
// unknown.
struct book_order {
    struct id placement;
    money amount;
    money refunded;  // of a conversion: taken back so far
};
bool book_find_order(const struct book *book, struct id order, const char *reference,
                     struct book_order *out_order);

// The next placement whose delivery window, or response window once delivered, ended before `now`;
// false when none.
bool book_next_expired(const struct book *book, usec now, struct id *out_placement);

// Bids put or changed since the catalog (their whole state, paused and withdrawn ones too), in the
// order of the catalog's own: those whose rank is not their price first, by id, then the others,
// dearest first, then lower id. Those that the catalog cannot place (its message is gone) are kept
// but not shown.
struct book_bids {
    const struct catalog_bid *bids;  // indexes are of the current catalog
    uint32_t count;
    uint32_t judged_first;  // bids of the first sort
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
// requests, placements with state and totals, what customers were shown, what was learned, orders,
// and the overlay under the current catalog.
struct digest book_digest(const struct book *book);

struct book_counts {
    uint64_t contacts, retries, placements_kept, overlay;
    uint64_t placements_held;       // awaiting delivery, or a response that has a price
    uint64_t placements_responses;  // of these, waiting for a response or a conversion to come
    uint64_t customers;             // whose history is kept
    uint64_t shown_bytes;           // memory for histories
    uint64_t rates;                 // (message, cell) pairs
    uint64_t rates_unpaired;        // facts that counted in a pair's parents only, for want of room
    uint64_t marks_lost;            // refunds that were not noted for quiet periods, likewise
};
struct book_counts book_counts(const struct book *book);

#endif
