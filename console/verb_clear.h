// What the two pocket calculators of `slotctl clear` share: one slot, and several sold together.
#ifndef VENDUE_VERB_CLEAR_H
#define VENDUE_VERB_CLEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "money.h"

// An amount of at least 0; `decimals` grows to the most that any was written with. False after a
// message that begins with `place` ("" or "A:1,x, slot 2: ").
bool verb_clear_amount(const char *place, const char *text, size_t len, unsigned *decimals,
                       money *out_amount);
void verb_clear_json_text(const char *text, size_t len);

// slotctl clear --vcg: `bids` are its plain arguments. Returns an exit code.
int verb_clear_vcg(const char *floors, char **bids, size_t count, bool json);

#endif
