// One contact, from request to facts: sealed second price per slot in declared order.
// Pure: reads catalog and book, writes facts; the caller applies them to the book and makes them
// durable.
//
// Steps for each slot wanted (docs/protocol.md names the reasons):
//   1 bids that address the slot (match.h: index, dearest first, with the overlay's bids merged in)
//   2 admission: state and validity, contract, seat kind for the rung, rung, objective (a slot that
//     admits only fulfill takes only messages that fulfill), format, condition, consent, identity,
//     rules
//   3 one message once in a contact; frequency cap; budget of seat and message >= the bid
//   4 floor: the bid is at or above the floor that counts for it (slot, rung, seat, category)
//   5 price: price.h ranks, breaks ties, and the winner pays the larger of its floor and the best
//     eligible bid of another seat
#ifndef VENDUE_ROUND_H
#define VENDUE_ROUND_H

#include "book.h"
#include "catalog.h"
#include "contact.h"
#include "fact.h"

struct round;  // scratch memory of one round; reused

struct round *round_open(void);
void round_close(struct round *round);

// Judgement of every bid, for dry-run and explain; NULL in live rounds, where the search stops
// early.
struct why_bid {
    uint32_t bid;             // index in catalog->bids; overlay bids follow: bid_count + i
    uint8_t position;         // slot
    enum reason reason;       // REASON_NONE: won
    money floor;              // the floor that counted
    const struct expr *rule;  // REASON_NOT_ELIGIBLE: whose rule, and its first leaf that failed
    const struct expr_node *leaf;
    const char *rule_of;  // "slot", "seat", "message"
    money short_by;       // REASON_OUTBID: to the winner's bid; REASON_BELOW_FLOOR: to the floor
};
struct why {
    struct why_bid *bids;
    uint32_t count, room;  // what does not fit is counted but not written
};

// Decides. Writes the opened fact and one for each slot of the container by position (placement, or
// unfilled; slots not wanted are unfilled as not requested) into `out_facts`, and their number.
// The facts are the same with and without `why`.
// A request already decided gives its first facts again and `out_repeated` = true: they
// must not be applied again. REASON_CONFLICT: same key, other content. REASON_BUSY: no room in the
// book. REASON_UNKNOWN_SLOT: slots_wanted names none of the container's.
enum reason
round_decide(struct round *round, const struct catalog *catalog, const struct book *book,
             const struct contact *contact, usec now, struct why *why,
             struct fact out_facts[BOUND_CONTACT_FACTS], unsigned *out_count, bool *out_repeated);

#endif
