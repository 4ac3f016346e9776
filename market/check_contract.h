// Checks of contracts. Private to market/.
#ifndef MARKET_CHECK_CONTRACT_H
#define MARKET_CHECK_CONTRACT_H

#include "check.h"

void check_contract_all(struct checker *checker);
void check_contract_warn(struct checker *checker);  // what is allowed but probably not meant

#endif
