// Contracts as posting needs them: one market version's terms by stable id and by time, and
// gain-share terms turned into parts of a pool. Pure.
#ifndef VENDUE_CONTRACT_H
#define VENDUE_CONTRACT_H

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

struct contract_part {
    uint32_t seat;  // beneficiary's stable id; 0 the host
    uint8_t kind;   // enum seat_kind of it; the host counts as a department
    uint8_t rung;   // enum rung it is booked under
    uint64_t weight;
};
// The parts of a conversion that followed a placement on `rung`: one a (beneficiary, rung) pair, by
// beneficiary, then rung, which settles ties of the split. A pool of which nobody was named a part
// is the host's when a partner is the merchant, and nobody's (0 parts) when the host itself is.
unsigned contract_parts(const struct contract_terms *terms, const struct market_contract *contract,
                        enum rung rung, struct contract_part out_parts[BOUND_SHARES]);

// Pool of a conversion of `amount` (rate x amount, rounded once, half to even) and its split by
// largest remainder: out_amounts[i] belongs to parts[i]; they add up to *out_pool. STATUS_OVERFLOW.
MUST_CHECK enum status contract_split(const struct market_contract *contract, money amount,
                                      const struct contract_part *parts, unsigned count,
                                      money *out_pool, money out_amounts[BOUND_SHARES]);

#endif
