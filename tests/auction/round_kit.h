// A record of a round, changed so that pricing it again must notice.
#ifndef VENDUE_TEST_ROUND_KIT_H
#define VENDUE_TEST_ROUND_KIT_H

#include "fact.h"
#include "random_market.h"

// Changes one thing of one slot's record; false when there was nothing to change.
bool round_kit_change(struct random *random, struct fact *facts, unsigned count);

#endif
