// The record of one round, judged by itself: for verify.
#ifndef VENDUE_VERIFY_ROUND_H
#define VENDUE_VERIFY_ROUND_H

#include <stdbool.h>

#include "fact.h"

#define VERIFY_ROUND_TEXT 300
// `facts` begin with a FACT_CONTACT; `count` of them are left in its frame. False: its outcomes and
// record are not what its contact announces, or winner or price of a slot do not follow from the
// record; `out_text` says which. `out_repriced`: it had a record, so that it could be worked out.
bool verify_round(const struct fact *facts, unsigned count, bool *out_repriced,
                  char out_text[VERIFY_ROUND_TEXT]);

#endif
