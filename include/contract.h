// Contracts as posting needs them: one market version's terms by stable id and by time, and
// gain-share terms turned into parts of a pool. Pure.
#ifndef VENDUE_CONTRACT_H
#define VENDUE_CONTRACT_H

#include "bounds.h"
#include "market.h"

struct contract_terms;

// Indexes `market`, every object of which has its stable id; it must outlive the terms.
struct contract_terms *contract_terms_open(const struct market *market);
void contract_terms_close(struct contract_terms *terms);  // NULL is allowed

// By stable id; NULL when this market has none.
const struct market_seat *contract_seat(const struct contract_terms *terms, uint32_t seat);
const struct market_contract *contract_by_id(const struct contract_terms *terms, uint32_t contract);
// Stable id of the seat that owns the slot's container; 0 when there is no such slot.
uint32_t contract_owner(const struct contract_terms *terms, uint32_t slot);
// The seat's contract in force at a time: from <= at < until; of several the one that began last,
// then the higher id. NULL: none.
const struct market_contract *
contract_in_force(const struct contract_terms *terms, uint32_t seat, usec at);

// Whether conversions are divided among touches; whether a pool depends on the revenue before it in
// its period (marginal tiers, a cap).
bool contract_touches(const struct market_contract *contract);
bool contract_needs_base(const struct market_contract *contract);

struct contract_part {
    uint32_t seat;  // beneficiary's stable id; 0 the host
    uint8_t kind;   // enum seat_kind of it; the host counts as a department
    uint8_t rung;   // enum rung it is booked under
    uint64_t weight;
};
// What showing a message in the slot costs, by the market file; 0 when nothing is said.
money contract_slot_cost(const struct contract_terms *terms, uint32_t slot);

// The parts of a conversion that followed a placement on `rung`: one a (beneficiary, rung) pair, by
// beneficiary, then rung, which settles ties of the split. The part of `touches` is divided by
// `credits` (credit.h: pairs with ppm that add up to 1,000,000), all weights being scaled so that
// nothing is lost; without credits it is left out. A pool of which nobody was named a part is the
// host's when a partner is the merchant, and nobody's (0 parts) when the host itself is.
unsigned contract_parts(const struct contract_terms *terms, const struct market_contract *contract,
                        enum rung rung, const struct contract_part *credits, unsigned credit_count,
                        struct contract_part out_parts[BOUND_PARTS]);

// What an order is worth to those who share in it. The order occupies [base, base + remaining) of
// the contract's revenue in its period, refunds notwithstanding: `base` is what came before it.
struct contract_pool {
    money pool;     // all of it, rounded once as the contract says
    money outside;  // of that, what lies beyond the cap: the host's alone ("outside_terms")
};
// By marginal tiers; of retroactive ones at the first tier's rate, until `reached_ppm` (0: not
// known yet) says which rate the period reached. What a host that is the merchant itself earns
// beyond the cap is no pool at all: it keeps it. No gain share: zero. STATUS_OVERFLOW.
MUST_CHECK enum status
contract_pool(const struct market_contract *contract, money base, money remaining,
              uint32_t reached_ppm, struct contract_pool *out_pool);
// The rate of the tier that `revenue` of a period reached; of a contract with one rate that one.
uint32_t contract_reached(const struct market_contract *contract, money revenue);
// Largest remainder of pool less outside over the parts: out_amounts[i] belongs to parts[i];
// *out_host is what the host earns outside the terms, a leg of its own. Together they are the pool.
// Without parts nobody earns anything: *pool becomes zero.
MUST_CHECK enum status
contract_split(struct contract_pool *pool, const struct contract_part *parts, unsigned count,
               money out_amounts[BOUND_PARTS], money *out_host);

#endif
