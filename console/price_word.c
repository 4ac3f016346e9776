// The ending says the kind. Per cent have at most four decimals: a share is counted in millionths.
#include "price_word.h"

#include <string.h>

bool
price_word_parse(const char *text, enum price_kind *out_kind, money *out_price)
{
    static const char response[] = "/response";
    size_t len = strlen(text), ending = sizeof response - 1;
    *out_kind = PRICE_PLACEMENT;
    if (len > 0 && text[len - 1] == '%') {
        *out_kind = PRICE_SHARE;
        len--;
    } else if (len > ending && strcmp(text + len - ending, response) == 0) {
        *out_kind = PRICE_RESPONSE;
        len -= ending;
    }
    if (money_parse(text, len, out_price) != STATUS_OK || out_price->micros <= 0) return false;
    if (*out_kind != PRICE_SHARE) return true;
    if (out_price->micros % 100 != 0) return false;
    out_price->micros /= 100;
    return out_price->micros <= MONEY_PPM;
}
