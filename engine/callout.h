// What a live bidder is asked, and what of its answer is taken: the params of `bid_request` and its
// result (docs/protocol.md, section 12). Pure.
#ifndef VENDUE_CALLOUT_H
#define VENDUE_CALLOUT_H

#include "catalog.h"
#include "contact.h"
#include "decode.h"
#include "pack.h"
#include "round.h"

// Names that one seat knows a contact and a customer by: keyed, so that two seats cannot tell that
// they were asked about the same one.
struct id callout_auction(const uint8_t secret[16], struct id request_key, uint32_t seat_id);
uint64_t callout_customer(const uint8_t secret[16], uint64_t customer, uint32_t seat_id);
// And the placements it won, which it may report revenue of: the name, and back.
struct id callout_placement(const uint8_t secret[16], struct id placement, uint32_t seat_id);
struct id callout_placement_named(const uint8_t secret[16], struct id name, uint32_t seat_id);
// The id of a live bid, from the seat's own name of the contact: two seats learn nothing from
// theirs. Of one answer each another.
uint64_t callout_bid(const struct id *auction, uint32_t message_id, uint32_t slot_id);

struct callout_question {
    const struct catalog *catalog;
    const uint8_t *secret;  // 16 bytes
    const struct contact *contact;
    const struct decode_wish *wish;
    uint32_t seat;  // index
    const struct round_ask *ask;
    uint32_t tmax_ms;
};
// Writes the params map.
void callout_write(struct pack *pack, const struct callout_question *question);

// What is wrong with one bid of an answer, or with all of it.
#define CALLOUT_WHOLE UINT32_MAX
struct callout_trouble {
    uint32_t bid;  // its number in the answer, from 0; CALLOUT_WHOLE
    enum reason reason;
    char place[WIRE_PLACE];
    char text[WIRE_SENTENCE];  // "": the reason's own sentence
};
struct callout_answer {
    const struct catalog *catalog;
    uint32_t seat;            // index
    uint16_t slots;           // that were asked: bit impid - 1
    const uint32_t *slot_of;  // index of the slot of each impid - 1; UINT32_MAX: it is gone
    struct id auction;        // as asked
    // Out. Bids stand at `bids` and `groups`, which have room for `room`; their ids are not given.
    struct catalog_bid *bids;
    uint8_t *groups;
    uint32_t room, count;
    enum reason reason;  // of the callout: NONE, NO_BID, INVALID_BID, OVER_LIMIT
    struct callout_trouble troubles[BOUND_SEAT_LIVE_BIDS + 1];
    uint32_t trouble_count;
};
// Reads the result of an answer. Each bid is judged by itself: one that cannot be taken says why,
// and the others stay.
void callout_read(struct callout_answer *answer, struct wire_reader result);

#endif
