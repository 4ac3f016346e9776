// Slots sold together; see round_together.c, and round_together_record.c for their record. Private.
#ifndef VENDUE_ROUND_TOGETHER_H
#define VENDUE_ROUND_TOGETHER_H

#include "round.h"
#include "vcg.h"

struct round_judgement;

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

// Decides all slots of the container; writes one fact for each.
void round_together_decide(struct round *round, const struct catalog_container *container,
                           unsigned wanted, struct fact *out_facts);
// After the sale: what keeps an eligible bid from this slot; REASON_NONE: won it, or was beaten.
enum reason round_together_reason(const struct round *round, const struct catalog_bid *bid,
                                  struct round_judgement *judgement);
// What the winner of this slot bid over its floor.
money round_together_over(const struct round *round);

// After the sale: the candidates of all slots, and what joins them.
void round_together_record(struct round *round, unsigned wanted);
// round_reprice for slots sold together.
bool round_together_record_reprice(const struct fact *facts, unsigned count, unsigned *out_position,
                                   struct price_sale *out_sale);

#endif
