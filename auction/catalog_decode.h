// The decoder's parts. Private to catalog_decode.c and catalog_decode_parts.c.
#ifndef VENDUE_CATALOG_DECODE_H
#define VENDUE_CATALOG_DECODE_H

#include "catalog.h"
#include "catalog_caps.h"
#include "codec.h"

struct decoder {
    struct codec_reader in;  // of the section that is read; its `damaged` is the one verdict
    struct catalog *catalog;
    struct arena *arena;               // the catalog's
    struct arena *scratch;             // ends with the decoding
    struct expr_schema schema;         // of all attributes
    uint32_t version;                  // of the block's format
    struct catalog_seat *seats;        // the catalog's, while they are made
    struct catalog_message *messages;  // the catalog's, while they are made
    struct catalog_own_cap *own_caps;  // by message
};

// Damaged unless it holds.
static inline void
catalog_decode_need(struct decoder *decoder, bool holds)
{
    if (!holds) decoder->in.damaged = true;
}
// An index below `count`, or UINT32_MAX where `none` allows it.
uint32_t catalog_decode_index(struct decoder *decoder, uint32_t count, bool none);
// A word's number; -1 where `none` allows it.
int32_t catalog_decode_word(struct decoder *decoder, bool none);
money catalog_decode_money(struct decoder *decoder);
bool catalog_decode_bool(struct decoder *decoder);
// An enum's value below `count`.
uint8_t catalog_decode_enum(struct decoder *decoder, unsigned count);
const char *catalog_decode_text(struct decoder *decoder, size_t most);
const char *catalog_decode_code(struct decoder *decoder, size_t most);  // not empty

void catalog_decode_rule(struct decoder *decoder, uint8_t admits, struct expr *out_expr);
// Values of attributes of a slot or a message.
void
catalog_decode_values(struct decoder *decoder, enum attribute_of of, struct declared *out_declared);

// --- Rules of selling (catalog_decode_rules.c) ---------------------------------------------------
void catalog_decode_budget(struct decoder *decoder, struct catalog_budget *out_budget);
// The floors of a slot; `count`: of a block that says it before.
void catalog_decode_floors(struct decoder *decoder, struct catalog_slot *slot, uint32_t count);
void catalog_decode_slot_experiments(struct decoder *decoder, struct catalog_slot *slot);
// Sections. Experiments before slots, campaigns before messages, caps and deals behind them.
void catalog_decode_experiments(struct decoder *decoder, uint32_t count);
void catalog_decode_campaigns(struct decoder *decoder, uint32_t count);
void catalog_decode_caps(struct decoder *decoder, uint32_t count);
void catalog_decode_deals(struct decoder *decoder, uint32_t count);
void catalog_decode_shifts(struct decoder *decoder, uint32_t count);
// Groups and their sizes. False when messages of two seats share one, or its number is too high.
MUST_CHECK bool catalog_decode_groups(struct decoder *decoder);

#endif
