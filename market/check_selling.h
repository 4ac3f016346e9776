// Checks of the rules of selling. Private to market/.
#ifndef MARKET_CHECK_SELLING_H
#define MARKET_CHECK_SELLING_H

#include "check.h"

// Campaigns, floors, caps, deals, experiments; limits of containers, groups, the host's zone.
void check_selling_all(struct checker *checker);

#endif
