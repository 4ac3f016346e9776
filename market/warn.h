// What is allowed but probably not meant. Private to market/.
#ifndef MARKET_WARN_H
#define MARKET_WARN_H

#include "check.h"

void warn_all(struct checker *checker);

#endif
