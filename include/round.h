// One contact, from request to facts. docs/auction.md states every rule in its order; round.c
// numbers the same steps.
// Pure: reads catalog and book, writes facts; the caller applies them to the book and makes them
// durable.
#ifndef VENDUE_ROUND_H
#define VENDUE_ROUND_H

#include "book.h"
#include "catalog.h"
#include "contact.h"
#include "fact.h"
#include "price.h"

struct round;  // scratch memory of one round; reused

// --- Live bids -----------------------------------------------------------------------------------
// What one live bidder may be asked about a contact: slots where at least one message of the seat
// could still compete (contract, validity, rung, consent, condition, kind; its own rule), and their
// floors for it. `slots` 0: it is not asked, because of `reason`.
struct round_ask {
    uint16_t slots;  // mask by position - 1
    enum reason reason;
    money floor[BOUND_SLOTS];  // the least that any of its messages must reach
};
void round_ask(struct round *round, const struct catalog *catalog, const struct book *book,
               const struct contact *contact, uint32_t seat, usec now, struct round_ask *out_ask);

// The answers of a contact's live bidders, gathered by the caller. `bids` have ids of their own
// (not 0, none of the book's), slot named, a message of the bidding seat, `from` and `until` open.
struct round_live {
    const struct catalog_bid *bids;  // in any order; at most BOUND_LIVE_BIDS
    const uint8_t *groups;           // of each bid: 0, or its seat's all-or-nothing group, from 1
    uint32_t count;
    struct round_callout {
        uint16_t seat;  // stable id
        uint16_t answer_ms;
        uint8_t reason, bids;
    } * callouts;  // for the record
    uint32_t callout_count;
    uint8_t *reasons;  // out, of each of `bids`: enum reason, NONE: won; NULL: not asked for
};

struct round *round_open(void);
void round_close(struct round *round);

// Judgement of every bid, for dry-run and explain; NULL in live rounds, where the search stops
// early.
struct why_bid {
    uint32_t bid;      // index in catalog->bids; overlay bids follow: bid_count + i; then live ones
    uint8_t position;  // slot
    enum reason reason;  // REASON_NONE: won
    money floor;         // the floor that counted
    uint8_t floor_rule;  // as in a placement's fact
    uint32_t floor_id;
    uint8_t kind, priority;    // enum price_kind
    uint64_t multiplier;       // learned; score = price_score(kind, price, multiplier)
    money score;               // expected value to the host
    uint32_t cap;              // FREQUENCY_CAP, PRESSURE_CAP: index in catalog->caps
    uint32_t cap_count;        // and what it had counted
    enum budget_of budget_of;  // BUDGET, PACING: whose
    bool budget_daily;
    money budget_left;        // and what was left of it, or of its allowance
    const struct expr *rule;  // REASON_NOT_ELIGIBLE: whose rule, and its first leaf that failed
    const struct expr_node *leaf;
    const char *rule_of;  // "slot", "seat", "message"
    money short_by;       // REASON_OUTBID: to the winner's bid; REASON_BELOW_FLOOR: to the floor
};
struct why {
    struct why_bid *bids;
    uint32_t count, room;  // what does not fit is counted but not written
};

// Decides. Writes the opened fact, one for each slot of the container by position (placement, or
// unfilled; slots not wanted are unfilled as not requested) and the record (fact.h) into
// `out_facts`, and their number. `live` NULL: nobody was asked.
// The facts are the same with and without `why`.
// A request already decided gives its first facts again and `out_repeated` = true: they
// must not be applied again. REASON_CONFLICT: same key, other content. REASON_BUSY: no room in the
// book. REASON_UNKNOWN_SLOT: slots_wanted names none of the container's.
enum reason
round_decide(struct round *round, const struct catalog *catalog, const struct book *book,
             const struct contact *contact, const struct round_live *live, usec now,
             struct why *why, struct fact out_facts[BOUND_CONTACT_FACTS], unsigned *out_count,
             bool *out_repeated);

// Judges a record: from FACT_CONTACT, outcomes and record of one contact, as round_decide wrote
// them, works out winner and price of every slot again, by the rules of ranking and pricing alone
// (no catalog, no book). True: all agree to the micro. Else `out_position` is the first slot that
// does not, and `out_sale` what the record says it should have been.
bool round_reprice(const struct fact *facts, unsigned count, unsigned *out_position,
                   struct price_sale *out_sale);

#endif
