// The look-ups of a decoded catalog. Private to auction/.
#ifndef VENDUE_CATALOG_LOOKUP_H
#define VENDUE_CATALOG_LOOKUP_H

#include "catalog.h"
#include "lookup.h"

struct catalog_lookup {
    struct lookup words, attributes, containers, slots, messages, seats;  // by text
    struct lookup slot_ids, message_ids, seat_ids, bid_ids, campaign_ids, deal_ids;
    const uint32_t
        *contract_first;  // by seat, and one more: its contracts are [first, first of the next)
    // Words of the built-in attributes of a contact; VALUE_OTHER where there is none.
    const int32_t *container_words;
    int32_t channel_words[CHANNEL_COUNT], stage_words[STAGE_COUNT], identity_words[IDENTITY_COUNT],
        tier_words[TIER_COUNT], loyalty_words[LOYALTY_COUNT], condition_words[CONDITION_COUNT];
    struct expr_schema schema;  // of all attributes; `admits` 0, no words to give
};

// Builds all tables of a catalog whose arrays are complete. False: two objects share a code or an
// id, or two words are the same.
MUST_CHECK bool catalog_lookup_build(struct catalog *catalog);

#endif
