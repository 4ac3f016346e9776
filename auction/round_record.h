// The record of a round as it grows; what is kept of it stands in round_record.c. Private.
#ifndef VENDUE_ROUND_RECORD_H
#define VENDUE_ROUND_RECORD_H

#include "price.h"
#include "round.h"

struct round_judgement;

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

void round_record_open(struct round *round);
void round_record_refused(struct round *round, const struct catalog_bid *bid,
                          const struct round_judgement *judgement);
void round_record_eligible(struct round *round, const struct catalog_bid *bid,
                           const struct price_bid *entry, const struct round_judgement *judgement);
// The last of the best, once there are as many as are kept; else NULL.
const struct price_bid *round_record_last(const struct round *round);
// Would this bid be among the best, if it is eligible?
bool round_record_wants(const struct round *round, const struct price_bid *entry);
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

#endif
