// The rules of selling of a random market: campaigns, caps, floors, experiments, deals, limits of
// containers, groups. Each part is drawn only when the options ask for it.
#ifndef VENDUE_TEST_RANDOM_RULES_H
#define VENDUE_TEST_RANDOM_RULES_H

#include "random_market.h"

// For a market whose seats, containers and messages are declared.
void random_rules_declare(struct random *random, struct market *market,
                          const struct random_market *options);
// What a bid is priced for, and how much.
void random_rules_price(struct random *random, const struct random_market *options,
                        struct market_bid *bid);
// The host's clock: summer time ended three days before RANDOM_NOW.
extern const struct catalog_shift random_rules_shifts[2];

#endif
