// What the two ways to sell a contact's slots share: one after the other (round.c), and all
// together (round_together.c). Private.
#ifndef VENDUE_ROUND_PARTS_H
#define VENDUE_ROUND_PARTS_H

#include "match.h"
#include "price.h"
#include "round.h"
#include "vcg.h"

struct round_win {
    uint32_t seat, message;  // indexes
    money price;
};

// Slots sold together; see round_together.c.
struct round_together {
    struct vcg vcg;
    struct vcg_sale sales[BOUND_SLOTS];
    bool sold;      // the sales are final, and this container is priced so
    bool narrowed;  // some seats have a purse that is too small for all they would win:
    uint64_t narrow_seats[BOUND_SEATS / 64];
    uint64_t admitted_messages[BOUND_MESSAGES / 64];  // of those seats; indexes
    uint32_t considered[BOUND_SLOTS];
};

struct round {
    struct arena *arena;  // holds this
    struct match match;
    struct price price;
    struct round_together together;
    // The contact being decided:
    const struct catalog *catalog;
    const struct book *book;
    const struct contact *contact;
    const struct round_live *live;  // NULL: nobody was asked
    struct why *why;
    usec now;
    struct id id;
    uint16_t rungs_open;
    struct round_win wins[BOUND_SLOTS];
    unsigned win_count;
    // The slot being decided:
    uint32_t slot_index;
    const struct catalog_slot *slot;
    uint32_t next_catalog,
        next_overlay;    // bids not yet given; UINT32_MAX: the catalog's are through
    bool catalog_taken;  // next_catalog was given: look for another when asked
    uint32_t considered;
};

struct round_judgement {
    enum reason reason;
    money floor;
    uint8_t floor_rule;
    const struct expr *rule;
    const struct expr_node *leaf;
    const char *rule_of;
};

// --- round.c -------------------------------------------------------------------------------------
void round_judge(const struct round *round, const struct catalog_bid *bid,
                 struct round_judgement *judgement);
bool round_seat_covers(const struct round *round, uint32_t seat, money price);
void round_start_bids(struct round *round, bool searching);
const struct catalog_bid *round_next_bid(struct round *round, bool searching, uint32_t *out_number);
bool round_slot_is_open(const struct round *round);
money round_least_floor(const struct catalog_slot *slot);
uint64_t round_seed(const struct round *round);
struct fact
round_placement_fact(const struct round *round, const struct catalog_bid *bid,
                     const struct round_judgement *winner, const struct price_sale *sale);
struct fact round_unfilled_fact(const struct round *round, bool wanted);
void round_explain(struct round *round, const struct catalog_bid *winner);

// --- round_together.c ----------------------------------------------------------------------------
// Decides all slots of the container; writes one fact for each.
void round_together_decide(struct round *round, const struct catalog_container *container,
                           unsigned wanted, struct fact *out_facts);
// After the sale: what keeps an eligible bid from this slot; REASON_NONE: won it, or was beaten.
enum reason round_together_reason(const struct round *round, const struct catalog_bid *bid);
// What the winner of this slot bid over its floor.
money round_together_over(const struct round *round);

#endif
