// What the parts of a round share: the two ways to sell a contact's slots (one after the other in
// round.c, all together in round_together.c), judging, floors, counts, and the record. Private.
#ifndef VENDUE_ROUND_PARTS_H
#define VENDUE_ROUND_PARTS_H

#include "match.h"
#include "price.h"
#include "round.h"
#include "round_counts.h"
#include "round_limits.h"
#include "round_record.h"
#include "round_together.h"
#include "round_worth.h"

struct round_win {
    uint64_t bid;
    uint32_t seat, message;  // indexes
    uint32_t group;          // round_bids_group
    uint8_t position;        // of the slot
    uint8_t kind;            // enum price_kind
    money price;             // clearing price in its own kind
    money held;              // what counts against budgets: the price; 0 of a share
};

// What the index gives: some bids ahead, and those judged first kept for the contact's next slots.
#define ROUND_KEPT 4096
struct round_found {
    uint32_t ahead[ROUND_AHEAD];
    uint32_t ahead_count, ahead_at;
    uint32_t kept_slot;  // whose are kept; UINT32_MAX: not all of a slot's are
    uint32_t kept_count, kept_at;
    bool keeping;  // they come from the index now
    uint32_t kept[ROUND_KEPT];
};

// What one bid met.
struct round_judgement {
    enum reason reason;
    // Its terms in the slot (round_judge_terms):
    money floor;  // that counts, as expected value
    uint8_t floor_rule;
    uint32_t floor_id;
    const struct catalog_deal *deal;  // NULL none
    uint8_t at, priority;
    bool explored;        // the multiplier was drawn
    uint64_t multiplier;  // learned; not of prices per placement
    money score;          // expected value, rounded down
    // Of what stopped it:
    uint32_t cap, cap_count;
    enum budget_of budget_of;
    bool budget_daily;
    money budget_left;
    const struct expr *rule;
    const struct expr_node *leaf;
    uint8_t rule_number;  // 0 slot, 1 seat, 2 message
};

struct round {
    struct arena *arena;  // holds this
    struct match match;
    struct price price;
    struct round_together together;
    struct round_limits limits;
    struct round_worth worth;
    // The contact being decided:
    const struct catalog *catalog;
    const struct book *book;
    const struct contact *contact;
    const struct round_live *live;  // NULL: nobody was asked
    struct why *why;
    usec now;
    struct id id;
    const struct catalog_container *container;
    uint16_t rungs_open;
    uint8_t cell;
    struct catalog_day day;
    uint32_t experiment;  // index of the one it takes part in; UINT32_MAX none
    bool variant;
    struct round_past past;
    struct round_win wins[BOUND_SLOTS];
    unsigned win_count;
    // The slot being decided:
    uint32_t slot_index;
    const struct catalog_slot *slot;
    uint8_t floors[BOUND_SLOT_FLOORS];  // rules of the slot that fit the contact
    uint32_t floor_count;
    money least_floor;  // that any bid in no deal could meet
    uint32_t factor_ppm;
    struct round_record *record;  // of this slot
    money beaten_below;           // score of a bid that can change nothing any more
    // The order of its bids:
    uint32_t next_live, next_overlay;  // not yet given
    uint32_t next_catalog;             // UINT32_MAX: the catalog's are through
    bool catalog_taken;                // next_catalog was given: look for another when asked
    struct round_found index;          // what the index gives
    bool ranked;  // the bid given last, and all behind it, rank by their price alone
    const struct catalog_bid *found;  // given last by the index, which has proven much of it
    struct round_record records[BOUND_SLOTS];
};

// --- round.c -------------------------------------------------------------------------------------
// Of all draws in the contact.
uint64_t round_seed(const struct round *round);
// Sets up all that concerns the contact as a whole, but for its id.
void round_begin(struct round *round, const struct catalog *catalog, const struct book *book,
                 const struct contact *contact, usec now);
struct fact round_fact(const struct round *round, enum fact_kind kind, uint8_t position);
struct fact
round_placement_fact(const struct round *round, const struct catalog_bid *bid,
                     const struct round_judgement *winner, const struct price_sale *sale);
struct fact round_unfilled_fact(struct round *round, bool wanted);
// The slot at place i (from 0) of the container is now the one being decided.
void round_enter_slot(struct round *round, uint32_t i);

// --- round_bids.c --------------------------------------------------------------------------------
// All bids of the slot, or (searching) those that the index admits: live ones, then those whose
// rank is not their price, then the others dearest first. NULL at the end. Numbers as in why_bid.
void round_bids_start(struct round *round, bool searching);
const struct catalog_bid *
round_bids_next(struct round *round, bool searching, uint32_t *out_number);
const struct catalog_bid *round_bids_at(const struct round *round, uint32_t number);
bool round_bids_is_live(const struct round *round, const struct catalog_bid *bid);
// Its all-or-nothing group, unlike any other seat's; 0 none.
uint32_t round_bids_group(const struct round *round, const struct catalog_bid *bid);
// The dearest that addresses the slot; NULL none.
const struct catalog_bid *round_bids_dearest(const struct round *round);

// --- round_judge.c -------------------------------------------------------------------------------
void round_judge(struct round *round, const struct catalog_bid *bid,
                 struct round_judgement *out_judgement);
// What concerns the message alone, whatever is bid for it: steps (1) to (6).
enum reason round_judge_message(struct round *round, uint32_t message, struct round_judgement *out);
// Step (9): sets the terms in `judgement`; done by round_judge when the bid got so far.
void round_judge_terms(struct round *round, const struct catalog_bid *bid,
                       struct round_judgement *judgement);
// Could any bid pass the slot's rule?
bool round_judge_slot_is_open(const struct round *round);
// The bid as price.c wants it.
struct price_bid round_judge_entry(const struct catalog_bid *bid, uint32_t number,
                                   const struct round_judgement *judgement);

// --- round_floor.c -------------------------------------------------------------------------------
void round_floor_contact(struct round *round);  // which experiment, and which side of it
void round_floor_slot(struct round *round);     // which rules fit
void round_floor_of(const struct round *round, uint32_t message, struct round_judgement *judgement);

// --- round_why.c ---------------------------------------------------------------------------------
// Of a slot just decided, before its win counts: fills `why` and the reasons of live bids, where
// they are asked for.
void round_why_slot(struct round *round, const struct catalog_bid *winner,
                    const struct round_judgement *winning);

#endif
