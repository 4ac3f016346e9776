#include "random_live.h"

void
random_live(struct random *random, const struct catalog *catalog, const struct contact *contact,
            struct random_live *out)
{
    const struct catalog_container *container = &catalog->containers[contact->container];
    out->live = (struct round_live){.bids = out->bids, .groups = out->groups};
    uint32_t count = random_below(random, RANDOM_LIVE);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t message = random_below(random, catalog->message_count), at = out->live.count;
        uint32_t seat = catalog->messages[message].seat;
        uint8_t kind = (uint8_t)random_below(random, PRICE_KIND_COUNT);
        if (!catalog->seats[seat].live) continue;
        out->groups[at] = 0;
        if (random_chance(random, 40)) out->groups[at] = (uint8_t)(1 + random_below(random, 2));
        out->bids[out->live.count++] = (struct catalog_bid){
            .id = random_next(random) | 1,
            .seat = seat,
            .message = message,
            .slot = container->slot_first + random_below(random, container->slot_count),
            .kind = kind,
            .price = money_of(kind == PRICE_SHARE
                                  ? 1 + (int64_t)random_below(random, 300000)
                                  : 100000 * (1 + (int64_t)random_below(random, 40))),
            .state = BID_ACTIVE,
        };
    }
}
