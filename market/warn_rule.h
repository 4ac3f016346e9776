// Rules that say the same of every contact. Private to market/.
#ifndef MARKET_WARN_RULE_H
#define MARKET_WARN_RULE_H

#include "check.h"

void warn_rule_all(struct checker *checker);

#endif
