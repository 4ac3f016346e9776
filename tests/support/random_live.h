// Live bids of a contact at random, some of them in all-or-nothing groups.
#ifndef VENDUE_TEST_RANDOM_LIVE_H
#define VENDUE_TEST_RANDOM_LIVE_H

#include "random_market.h"
#include "round.h"

#define RANDOM_LIVE 24

struct random_live {
    struct catalog_bid bids[RANDOM_LIVE];
    uint8_t groups[RANDOM_LIVE];
    struct round_live live;  // of these
};
void random_live(struct random *random, const struct catalog *catalog,
                 const struct contact *contact, struct random_live *out);

#endif
