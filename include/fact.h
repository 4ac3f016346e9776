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
#include "fact_kind.h"
#include "hash.h"
#include "money.h"
#include "terms.h"

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
            uint8_t consent;      // mask
            uint8_t slots;        // outcomes that follow
            uint16_t achieved;    // mask of objectives the touchpoint itself reports
            uint16_t experiment;  // stable id of the floor experiment it takes part in; 0 none
            uint8_t flags;        // enum contact_flag
            uint8_t records;      // facts of its record, behind the outcomes
            char key[BOUND_KEY];  // the touchpoint's id of the contact, zero padded
        } opened;                 // FACT_CONTACT
        struct {
            uint32_t slot, message, seat;  // stable ids
            struct currency currency;
            uint64_t bid;
            money price;          // clearing price in its own kind (enum price_kind): micros a
            money bid_price;      // placement or response, held; or millionths of the revenue
            money floor;          // the floor that counted
            uint64_t setter;      // bid that set the price; 0: the floor did, or no single bid's
            usec expires;         // end of the delivery window
            uint16_t objectives;  // mask
            uint8_t rung;
            uint8_t floor_rule;  // 0 the slot's own floor, n its n-th floor rule, 255 `floor_id`
            uint16_t eligible;   // bids counted before the search stopped: at least; saturates
            uint16_t cap_days;   // days it is remembered for caps; 0: none asks; UINT16_MAX always
            uint8_t charge;      // enum charge of the contract (market_contract.h)
            uint8_t kind;        // enum price_kind
            uint16_t deal;       // stable id of the deal it was sold under; 0 none
            uint32_t floor_id;   // stable id of the market's floor rule that counted; 0 none
            uint16_t campaigns[2];  // of the message, and that one's parent; 0 none
            uint16_t day;           // of the win: days since 1970-01-01 by the host's clock
            uint8_t cell;           // stage * CHANNEL_COUNT + channel
            uint8_t of_host;        // 1: the host is the merchant, its orders are the host's own
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
        } event;                  // DELIVERED ACCEPTED DECLINED CANCELLED EXPIRED LAPSED COMPLAINED
        struct {
            uint32_t seat, message;
            struct currency currency;
            uint8_t of_host;  // 1: an order of the host, whichever seat reports it
            uint8_t due;      // 1: the first conversion, with which the price becomes due
            uint16_t reserved2;
            usec effective;
            money amount;         // > 0: revenue, or the part of it that was taken back
            struct id order;      // of the merchant's order: hash of the merchant (seat, or the
                                  // host) and the order reference
            char key[BOUND_KEY];  // order reference; for a refund the refund's own reference
        } revenue;                // CONVERTED REFUNDED
        struct {
            uint64_t bid;
            uint16_t seat;
            uint8_t state;           // enum bid_state
            uint8_t kind;            // enum price_kind
            uint32_t message, slot;  // slot 0: any that admits the message
            struct currency currency;
            money price;
            usec from, until;     // until 0: open end
            char key[BOUND_KEY];  // the seat's own reference of the bid
        } bid;                    // FACT_BID
        struct {
            uint64_t bid[2];         // 0: none in this place
            int64_t price[2];        // in its own kind
            uint64_t multiplier[2];  // learned: score = price_score(kind, price, multiplier)
            money floor[2];          // that counted, as expected value
            uint32_t message[2];
            uint32_t floor_id[2];  // as in a placement
            uint16_t seat[2];
            uint8_t how[2];       // enum candidate_how, with the kind in the lowest two bits
            uint8_t priority[2];  // the higher ranks first whatever the score
        } candidates;             // FACT_CANDIDATES
        struct {
            uint32_t considered;  // bids judged before the search stopped
            uint8_t reason[28];   // enum reason; 0 behind the last
            uint16_t count[28];   // saturates
        } tally;                  // FACT_TALLY
        struct {
            uint64_t bid[4];  // 0: none in this place
            int64_t met[4];   // not_eligible: value the clause met; caps: the cap's id; budget,
                              // pacing: what was left; floors: the floor; else, or when unknown or
                              // hidden: INT64_MIN
            uint16_t seat[4];
            uint16_t clause[4];  // not_eligible: number of the node in its rule; caps: count met;
                                 // budget, pacing: 1 of a day
            uint8_t reason[4];
            uint8_t rule_of[4];  // 0 slot, 1 seat, 2 message; budget, pacing: enum budget_of
        } refusals;              // FACT_REFUSALS
        struct {
            uint16_t seat[11];       // 0: none in this place
            uint16_t answer_ms[11];  // until it answered; UINT16_MAX never
            uint8_t reason[11];      // NONE: bids were taken; NO_BID, NO_ANSWER, INVALID_BID ...
            uint8_t bids[11];        // taken into the auction
            uint8_t reserved2[22];
        } callouts;  // FACT_CALLOUTS
        struct {
            uint8_t paid_max, quota_count;  // of the contact; 0: any number, none
            uint8_t flags;                  // 1: the search for the best was cut short
            uint8_t reserved2;
            uint8_t category[14];  // of the candidates in their order: numbered within the contact,
                                   // from 1; 0 none
            uint8_t group[14];     // likewise
            uint8_t group_size[14];
            uint8_t is[14];  // 1: of a partner (paid); 2: pursues the quota's objectives
            uint8_t reserved3[28];
        } limits;  // FACT_LIMITS
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
