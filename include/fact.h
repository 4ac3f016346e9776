// A fact: one thing that happened, as a fixed-size record without pointers. Facts are what the core
// emits, the journal keeps, the ledger books and the book folds. Little-endian, 128 bytes, no
// padding that is not named; a fact's bytes never change once written. New kinds are appended.
//
// A contact's id has its last four bits zero; the placement in slot number `position` (1 to
// BOUND_SLOTS, in declared order) bears the same id with `position` in those four bits. So one id
// serves both.
#ifndef VENDUE_FACT_H
#define VENDUE_FACT_H

#include "bounds.h"
#include "clock.h"
#include "hash.h"
#include "money.h"
#include "terms.h"

enum fact_kind {
    FACT_NONE,
    FACT_CONTACT,    // a contact came in and was decided; its outcomes follow in the same frame
    FACT_PLACEMENT,  // a message won a slot; its clearing price is held
    FACT_UNFILLED,   // a slot stayed empty
    FACT_DELIVERED,  // the message was shown: the price becomes due
    FACT_ACCEPTED,   // the customer said yes
    FACT_DECLINED,   // the customer said no (the placement stays due)
    FACT_CANCELLED,  // the touchpoint will not show it: the hold is released
    FACT_EXPIRED,    // not delivered within its window: the hold is released
    FACT_CONVERTED,  // brought revenue
    FACT_REFUNDED,   // revenue was taken back
    FACT_BID,        // a standing bid was put, changed, paused or withdrawn: its whole new state
    FACT_KIND_COUNT
};
const char *fact_kind_name(enum fact_kind kind);  // "placement"

enum bid_state { BID_ACTIVE, BID_PAUSED, BID_WITHDRAWN };

struct fact {
    uint8_t kind;       // enum fact_kind
    uint8_t role;       // enum role: who caused it; ROLE_OPERATOR for the engine itself
    uint16_t shard;     // virtual shard of the customer
    uint16_t party;     // stable id of the touchpoint or seat that caused it; 0 the engine itself
    uint8_t position;   // slot number in the contact, from 1; 0: the contact as a whole
    uint8_t reserved;   // 0
    usec at;            // engine's wall time of the decision
    struct id contact;  // last four bits zero; all zero for FACT_BID
    uint64_t customer;  // keyed pseudonym; 0 anonymous
    union {
        struct {
            uint64_t catalog;    // version that decided
            uint64_t request;    // digest of the request, so that a retry is told from a conflict
            usec began;          // touchpoint's time of the contact
            uint32_t container;  // stable id
            uint8_t identity, tier, loyalty, condition;
            uint8_t consent;    // mask
            uint8_t slots;      // outcomes that follow
            uint16_t achieved;  // mask of objectives the touchpoint itself reports
            uint32_t reserved2;
            char key[BOUND_KEY];  // the touchpoint's id of the contact, zero padded
        } opened;                 // FACT_CONTACT
        struct {
            uint32_t slot, message, seat;  // stable ids
            struct currency currency;
            uint64_t bid;
            money price;  // clearing price, held
            money bid_price;
            money floor;          // the floor that counted
            uint64_t setter;      // bid that set the price; 0: the floor did, or no single bid's
            usec expires;         // end of the delivery window
            uint16_t objectives;  // mask
            uint8_t rung;
            uint8_t floor_rule;  // 0 the slot's own floor, n its n-th floor rule
            uint16_t eligible;   // bids counted before the search stopped: at least; saturates
            uint16_t cap_days;   // days it counts against a frequency cap; 0: the message has none
            uint8_t charge;      // enum charge of the contract (market.h): delivery or win
            uint8_t reserved2[15];
        } placement;
        struct {
            uint32_t slot;
            struct currency currency;
            uint16_t reason;       // enum reason: why the slot stayed empty
            uint16_t main_reason;  // enum reason: what stopped the dearest bid; NONE: no bid
            uint32_t considered;   // bids judged; those below every floor are not
            money floor;           // the slot's own floor
            money best;            // the dearest bid that addressed the slot; 0 none
            uint8_t reserved2[56];
        } unfilled;
        struct {
            uint32_t slot, message, seat;
            uint32_t reserved2;
            usec effective;  // when it happened, by the reporter
            uint64_t catalog;
            money price;          // of the placement
            char key[BOUND_KEY];  // the reporter's id of the event; may be empty
        } event;                  // DELIVERED ACCEPTED DECLINED CANCELLED EXPIRED
        struct {
            uint32_t seat, message;
            struct currency currency;
            uint32_t reserved2;
            usec effective;
            money amount;         // > 0: revenue, or the part of it that was taken back
            struct id order;      // of the merchant's order: hash of seat and order reference
            char key[BOUND_KEY];  // order reference; for a refund the refund's own reference
        } revenue;                // CONVERTED REFUNDED
        struct {
            uint64_t bid;
            uint16_t seat;
            uint8_t state;  // enum bid_state
            uint8_t reserved2;
            uint32_t message, slot;  // slot 0: any that admits the message
            struct currency currency;
            money price;
            usec from, until;     // until 0: open end
            char key[BOUND_KEY];  // the seat's own reference of the bid
        } bid;                    // FACT_BID
        uint8_t bytes[88];
    };
};
_Static_assert(sizeof(struct fact) == BOUND_FACT_BYTES, "a fact is 128 bytes");

static inline struct id
fact_placement(const struct fact *fact)
{
    struct id id = fact->contact;
    id.bytes[15] = (uint8_t)(id.bytes[15] | fact->position);
    return id;
}
static inline struct id
fact_contact_of(struct id placement)
{
    placement.bytes[15] &= 0xf0;
    return placement;
}
static inline unsigned
fact_position_of(struct id placement)
{
    return placement.bytes[15] & 0x0f;
}

#endif
