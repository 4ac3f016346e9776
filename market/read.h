// The market out of a tree: one function a section. Private to market/.
#ifndef MARKET_READ_H
#define MARKET_READ_H

#include "word.h"

// All sections. Problems go to the reader's report; reading never stops before the end.
void read_market(struct reader *reader, const struct tree *root);

// Attribute values declared for a slot or a message: the map under `values`.
struct market_value *
read_values(struct reader *reader, const struct tree *map, uint32_t *out_count);
// The rule under a key, "" when absent; where its first character stands.
const char *
read_rule(struct reader *reader, const struct tree *map, const char *key, struct place *out_place);
// The budget under `budget`: an amount (of all time), or {total, daily, pacing}.
void read_budget(struct reader *reader, const struct tree *map, struct place fallback,
                 struct market_budget *out_budget);
uint32_t read_id(struct reader *reader, const struct tree *map);

void read_container_all(struct reader *reader, const struct tree *root);
void read_message_all(struct reader *reader, const struct tree *root);
void read_selling_all(struct reader *reader, const struct tree *root);
// Who a party is on documents, under `party`; the host's rules of finance, under `finance`.
struct market_party read_party_none(struct place place);
void read_party(struct reader *reader, const struct tree *map, struct market_party *out_party);
void read_finance_usual(struct market_finance *finance);
void
read_finance(struct reader *reader, const struct tree *map, struct market_finance *out_finance);
bool read_currency_known(const char *code);  // of ISO 4217
void read_contract_all(struct reader *reader, const struct tree *root);

#endif
