// Rules and declared values. Private to market/.
#ifndef MARKET_CHECK_RULE_H
#define MARKET_CHECK_RULE_H

#include "check.h"

void check_rule_all(struct checker *checker);  // attributes, every rule, every declared value

#endif
