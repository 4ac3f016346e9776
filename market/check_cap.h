// Checks of caps. Private to market/.
#ifndef MARKET_CHECK_CAP_H
#define MARKET_CHECK_CAP_H

#include "check.h"

void check_cap_all(struct checker *checker);

#endif
