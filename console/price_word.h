// A price as people write it: "1.20" a placement, "2.00/response", "12.5%" of the revenue.
#ifndef VENDUE_PRICE_WORD_H
#define VENDUE_PRICE_WORD_H

#include <stdbool.h>

#include "money.h"

// A share comes out in millionths of the revenue. False: not of that form, not above 0, or a share
// of more than the whole.
bool price_word_parse(const char *text, enum price_kind *out_kind, money *out_price);
#define PRICE_WORD_HINT "write 1.20, 2.00/response, or 12.5% of the revenue"

#endif
