// Words of the domain and sets of them, out of tree nodes. Private to market/.
#ifndef MARKET_WORD_H
#define MARKET_WORD_H

#include "field.h"

// One word out of `words` (`count` of them); `fallback` when absent or wrong.
int word_one(struct reader *reader, const struct tree *node, const char *(*name)(int), int count,
             int fallback);
// A set of words as a mask: one word, a list of words, `all`. With `numbers`, 1 to count and ranges
// ("1-5") too.
uint16_t word_mask(struct reader *reader, const struct tree *node, const char *(*name)(int),
                   int count, bool numbers, uint16_t fallback);
// One rung: 1 to 8 or its name; -1 after a problem was reported.
int8_t word_rung_one(struct reader *reader, const struct tree *node);
// A list of texts, or one text alone.
const char **
word_texts(struct reader *reader, const struct tree *node, size_t most, uint32_t *out_count);

// The domain's words, by number, in one shape.
const char *word_channel(int value);
const char *word_stage(int value);
const char *word_pricing(int value);
const char *word_objective(int value);
const char *word_rung(int value);
const char *word_consent(int value);
const char *word_privacy(int value);
const char *word_seat_kind(int value);
const char *word_charge(int value);
const char *word_billing(int value);
const char *word_transfer_price(int value);
const char *word_merchant(int value);
const char *word_rounding(int value);
const char *word_clawback(int value);
const char *word_attribution(int value);
const char *word_attribute_type(int value);
const char *word_attribute_of(int value);
const char *word_tier(int value);
const char *word_pacing(int value);
const char *word_cap_per(int value);
const char *word_deal_at(int value);
const char *word_disclosure(int value);

#endif
