// The judgement of a bid in a slot, told: the first thing that stopped it, or that it won.
#ifndef VENDUE_JUDGED_H
#define VENDUE_JUDGED_H

#include "told.h"

// The bid that was judged: of the catalog, the overlay, or the live ones.
const struct catalog_bid *judged_bid(const struct told *told, uint32_t index);
// The consent that a rung needs; NULL none.
const char *judged_consent(enum rung rung);
// Of `told->why`. Amounts are texts; fields that say nothing are left out.
json_t *judged_json(const struct told *told, const struct why_bid *judged);
// The same in a sentence, from its JSON: "outbid, 0.20 short; needed 0.51".
#define JUDGED_TEXT 1024
const char *judged_sentence(const json_t *judgement, char out[JUDGED_TEXT]);

#endif
