// What became of a placement, and what a seat bids: requests judged against the book, giving one
// fact. Pure, like round.h. A repeated request gives REASON_NONE and `out_repeated` = true, and no
// new fact.
#ifndef VENDUE_EVENT_H
#define VENDUE_EVENT_H

#include "book.h"
#include "catalog.h"
#include "fact.h"

struct event {
    struct id placement;
    enum fact_kind kind;  // DELIVERED ACCEPTED DECLINED CANCELLED COMPLAINED CONVERTED REFUNDED
    enum role role;       // touchpoint: of contacts it hosted; seat: CONVERTED REFUNDED, its own
    uint16_t party;       // stable id of touchpoint or seat
    usec effective;       // when it happened; not after `now` + 5 minutes
    money amount;         // CONVERTED REFUNDED: > 0
    struct currency currency;
    struct id order;      // CONVERTED REFUNDED
    char key[BOUND_KEY];  // CONVERTED: order reference; REFUNDED: refund reference; else optional
};
// Rules: delivered only while held and in the window (else LATE, ALREADY_ENDED); accepted,
// declined, converted only after delivery (EARLY); a second delivered is a repeat; accepted after
// declined (or the reverse) is CONFLICT; refunds of an order never exceed its conversion
// (REFUND_EXCEEDS) and need one (EARLY); the same order or refund reference again with the same
// amount is a repeat, else CONFLICT. A complaint (touchpoint) needs a placement that was delivered;
// a second one is a repeat. A response to a placement that lapsed is LATE. BUSY: no room to
// remember the order or the complaint.
enum reason
event_decide(const struct catalog *catalog, const struct book *book, const struct event *event,
             usec now, struct fact *out_fact, bool *out_repeated);

// The expiry (held) or lapse (delivered, its price waiting) of a placement whose window ended:
// the fact, by the engine itself.
void event_expire(const struct book *book, struct id placement, usec now, struct fact *out_fact);

struct offer {
    uint16_t seat;     // stable id of the seat that speaks
    uint8_t state;     // enum bid_state; WITHDRAWN needs only the key
    uint32_t message;  // index in the catalog
    uint32_t slot;     // index; UINT32_MAX any
    uint8_t kind;      // enum price_kind
    money price;       // 1 micro to BOUND_MICROS; a share: 1 to 1,000,000 millionths
    struct currency currency;
    usec from, until;     // until 0: open
    char key[BOUND_KEY];  // the seat's reference: one bid each
};
// REASON_NOT_YOURS: a message of another seat. REASON_CURRENCY. REASON_OUT_OF_RANGE.
// REASON_CONTRACT: a share of revenue needs a contract in force, now or when the bid begins.
// REASON_UNKNOWN_BID: withdraw of none. REASON_BUSY: overlay full until the next catalog. The fact
// carries the bid's id (event_bid_id). The bid competes from the next contact on. When repeated,
// `out_fact->bid` is the bid as it stands. REASON_CONFLICT: another reference has that id already
// (they meet once in 2^64).
enum reason
event_offer(const struct catalog *catalog, const struct book *book, const struct offer *offer,
            usec now, struct fact *out_fact, bool *out_repeated);

// A bid's id: 64 bits derived from seat and the seat's reference; never 0.
uint64_t event_bid_id(uint16_t seat, const char key[BOUND_KEY]);

#endif
