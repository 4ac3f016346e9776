// Contracts, parties and rules of finance as JSON values (form.c). Private to market/.
#ifndef MARKET_FORM_CONTRACT_H
#define MARKET_FORM_CONTRACT_H

#include "form.h"

json_t *form_contract(const struct market_contract *contract, enum form_detail detail);
// Sets `party` and `finance`, when there is something in them.
void form_contract_party(json_t *object, const struct market_party *party);
void form_contract_finance(json_t *object, const struct market_finance *finance);

#endif
