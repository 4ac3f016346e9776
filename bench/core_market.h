// The workload of the core benchmark; see core_market.c.
#ifndef VENDUE_CORE_MARKET_H
#define VENDUE_CORE_MARKET_H

#include "catalog.h"
#include "contact.h"

#define CORE_MARKET_SLOTS 4                // of the second container; the first has one
#define CORE_MARKET_MESSAGES (250 * 1000)  // most of one market; beyond it they have several bids

// The market with so many bids as a published catalog, in `arena`.
void core_market_encode(uint32_t bid_count, uint64_t version, struct arena *arena,
                        const uint8_t **out_bytes, size_t *out_len);

// A contact. `nobody`: words that no rule asks for, so that hardly any rule is true. `hidden`:
// percent of the attributes that are unknown, beside those that mostly are.
void core_market_contact(uint64_t *state, const struct catalog *catalog, bool nobody,
                         uint32_t hidden, struct contact *contact);

#endif
