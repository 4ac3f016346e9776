// What the parts of a round share: the two ways to sell a contact's slots (one after the other in
// round.c, all together in round_together.c), judging, floors, counts, and the record. Private.
#ifndef VENDUE_ROUND_PARTS_H
#define VENDUE_ROUND_PARTS_H

#include "match.h"
#include "price.h"
#include "round.h"
#include "vcg.h"

struct round_win {
    uint64_t bid;
    uint32_t seat, message;  // indexes
    uint32_t group;          // round_bids_group
    uint8_t position;        // of the slot
    uint8_t kind;            // enum price_kind
    money price;             // clearing price in its own kind
    money held;              // what counts against budgets: the price; 0 of a share
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

// --- The customer's past, read once a contact when a bid asks ------------------------------------
#define ROUND_SHOWN 96  // remembered; what is older is read again from the book
struct round_past {
    bool read, quiet, more, room, room_asked, response_room, response_room_asked;
    uint32_t count;
    struct round_shown {
        uint32_t message;  // index; UINT32_MAX: not of this catalog
        uint8_t channel;
        uint32_t count;
        usec at;
    } shown[ROUND_SHOWN];
    struct book_shown last;  // where the book's iterator stands behind them
};

// --- The record of a slot ------------------------------------------------------------------------
#define ROUND_TALLY 28
#define ROUND_CANDIDATES 14  // slots sold together may need more than BOUND_CANDIDATES
struct round_candidate {
    struct price_bid bid;  // `number`: of the bid
    uint32_t message;      // index
    uint32_t floor_id;
    uint8_t how;  // enum candidate_how
};
struct round_refusal {
    uint64_t bid;
    int64_t met;
    uint16_t seat, clause;
    uint8_t reason, rule_of;
};
struct round_record {
    uint32_t considered, eligible;
    uint8_t candidate_count, refusal_count, reason_count;
    struct round_candidate candidates[ROUND_CANDIDATES];  // in ranking order
    struct round_refusal refusals[BOUND_REFUSALS];        // in the order of the search
    uint8_t reasons[ROUND_TALLY];
    uint32_t counts[ROUND_TALLY];
};

// --- The limits of the contact; see round_limits.c -----------------------------------------------
#define ROUND_RESALES 16  // sales anew for the sake of groups, one group out in each
struct round_option {     // a bid of the quota that could win a slot
    uint64_t key;         // what it would take from others: its category, else its message
    bool paid;
};
struct round_limits {
    unsigned wanted;  // mask of slots
    uint32_t groups_out[ROUND_RESALES];
    uint32_t groups_out_count;
    bool all_groups_out;
    // The quota, at the slot being decided:
    bool quota_open;   // it may stop a bid
    unsigned quota;    // wins that may be reached in all
    unsigned reached;  // so far
    uint8_t option_counts[BOUND_SLOTS];
    struct round_option options[BOUND_SLOTS][2 * BOUND_SLOTS];
};

// --- Slots sold together; see round_together.c ---------------------------------------------------
#define ROUND_PURSES 96
struct round_purse {
    enum budget_of of;
    uint32_t index;
    uint32_t admitted[BOUND_SLOTS];  // messages (indexes)
    uint32_t admitted_count;
    enum reason reason;  // BUDGET or PACING, and of what
    bool daily;
    money left;
};
struct round_together {
    struct vcg vcg;
    struct vcg_sale sales[BOUND_SLOTS];
    bool sold;  // the sales are final, and this container is priced so
    uint32_t purse_count;
    struct round_purse purses[ROUND_PURSES];  // too small for all that would be won from them
    bool budgets_out, caps_out;
    bool limited;  // there are facts of limits, by slot
    struct fact limits[BOUND_SLOTS];
};

struct round {
    struct arena *arena;  // holds this
    struct match match;
    struct price price;
    struct round_together together;
    struct round_limits limits;
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
    // The order of its bids:
    uint32_t next_live, next_overlay;  // not yet given
    uint32_t next_catalog;             // UINT32_MAX: the catalog's are through
    bool catalog_taken;                // next_catalog was given: look for another when asked
    bool ranked;  // the bid given last, and all behind it, rank by their price alone
    const struct catalog_bid
        *found;  // given last by the index: what that proves is not asked again
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
void round_judge_terms(const struct round *round, const struct catalog_bid *bid,
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

// --- round_counts.c ------------------------------------------------------------------------------
void round_counts_contact(struct round *round);
// Quiet periods, caps, and room to count.
enum reason
round_counts_past(struct round *round, uint32_t message, struct round_judgement *judgement);
// Budgets and pacing of seat, campaigns and message.
enum reason round_counts_budgets(struct round *round, const struct catalog_bid *bid,
                                 struct round_judgement *judgement);
// Would `amount` more still be within the budget of this seat, campaign or message (index), with
// the contact's wins counted? Else the reason: BUDGET or PACING.
enum reason round_counts_covers(const struct round *round, enum budget_of of, uint32_t index,
                                money amount, struct round_judgement *judgement);
// What a price of this kind counts against budgets.
money round_counts_held(enum price_kind kind, money price);

// --- round_record.c ------------------------------------------------------------------------------
void round_record_open(struct round *round);
void round_record_refused(struct round *round, const struct catalog_bid *bid,
                          const struct round_judgement *judgement);
void round_record_eligible(struct round *round, const struct catalog_bid *bid,
                           const struct price_bid *entry, const struct round_judgement *judgement);
// No bid that is priced per placement, at priority 0 and `next` or less, would be among the best.
bool round_record_complete(const struct round *round, money next);
// Sees to it that this eligible bid is among the candidates.
void round_record_keep(struct round *round, const struct catalog_bid *bid,
                       const struct price_bid *entry);
// One candidate more, behind the others; `how` is added to what it says of itself.
void round_record_put(struct round *round, const struct catalog_bid *bid,
                      const struct price_bid *entry, unsigned how);
// The facts of all records and callouts; their number. `asked`: mask of slots.
unsigned round_record_write(const struct round *round, unsigned asked, struct fact *out_facts);

// --- round_why.c ---------------------------------------------------------------------------------
void round_why_slot(struct round *round, const struct catalog_bid *winner,
                    const struct round_judgement *winning);

// --- round_limits.c ------------------------------------------------------------------------------
void round_limits_open(struct round *round, unsigned wanted);
// Before each slot that is asked for, in containers whose slots are sold one after the other.
void round_limits_slot(struct round *round);
// What the limits of the container say to a bid, with the wins so far: SEPARATION, PAID_MAX, GROUP,
// QUOTA.
enum reason round_limits_judge(const struct round *round, const struct catalog_bid *bid);
// After all slots: true when they must be sold anew.
bool round_limits_again(struct round *round);
// Of the bid: does it count towards paid_max; does it pursue the quota's objectives; the category
// that excludes others, from 1, 0 none; how many wins make its group whole, 0 without a group.
bool round_limits_is_paid(const struct round *round, const struct catalog_bid *bid);
bool round_limits_is_quota(const struct round *round, const struct catalog_bid *bid);
uint32_t round_limits_category(const struct round *round, const struct catalog_bid *bid);
uint32_t round_limits_group_size(const struct round *round, const struct catalog_bid *bid);

// --- round_together.c ----------------------------------------------------------------------------
// Decides all slots of the container; writes one fact for each.
void round_together_decide(struct round *round, const struct catalog_container *container,
                           unsigned wanted, struct fact *out_facts);
// After the sale: what keeps an eligible bid from this slot; REASON_NONE: won it, or was beaten.
enum reason round_together_reason(const struct round *round, const struct catalog_bid *bid,
                                  struct round_judgement *judgement);
// What the winner of this slot bid over its floor.
money round_together_over(const struct round *round);

// --- round_together_record.c ---------------------------------------------------------------------
// After the sale: the candidates of all slots, and what joins them.
void round_together_record(struct round *round, unsigned wanted);
// round_reprice for slots sold together.
bool round_together_record_reprice(const struct fact *facts, unsigned count, unsigned *out_position,
                                   struct price_sale *out_sale);

#endif
