// The one door for amounts: checked addition, exact text, one rounding rule (half to even), one
// split rule (largest remainder). Products are 128 bits wide.
#include "money.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "fail.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

enum status
money_add(money a, money b, money *out_sum)
{
    return __builtin_add_overflow(a.micros, b.micros, &out_sum->micros) ? STATUS_OVERFLOW
                                                                        : STATUS_OK;
}

enum status
money_subtract(money a, money b, money *out_difference)
{
    return __builtin_sub_overflow(a.micros, b.micros, &out_difference->micros) ? STATUS_OVERFLOW
                                                                               : STATUS_OK;
}

// Digits into *value, which stays <= BOUND_MICROS; counts them in *digits.
static enum status
take_digits(const char **at, const char *end, unsigned most, int64_t *value, unsigned *digits)
{
    *digits = 0;
    while (*at < end && **at >= '0' && **at <= '9') {
        if (++*digits > most) return STATUS_INPUT;
        if (__builtin_mul_overflow(*value, (int64_t)10, value) ||
            __builtin_add_overflow(*value, (int64_t)(**at - '0'), value) || *value > BOUND_MICROS)
            return STATUS_OVERFLOW;
        (*at)++;
    }
    return STATUS_OK;
}

enum status
money_parse(const char *text, size_t len, money *out_amount)
{
    const char *at = text, *end = text + len;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    int64_t value = 0;
    unsigned whole, decimals = 0;
    enum status status = take_digits(&at, end, 64, &value, &whole);
    if (status != STATUS_OK) return status;
    if (whole == 0) return STATUS_INPUT;
    if (at < end && *at == '.') {
        at++;
        status = take_digits(&at, end, 6, &value, &decimals);
        if (status != STATUS_OK) return status;
        if (decimals == 0) return STATUS_INPUT;
    }
    if (at != end) return STATUS_INPUT;
    for (unsigned i = decimals; i < 6; i++)
        if (__builtin_mul_overflow(value, (int64_t)10, &value)) return STATUS_OVERFLOW;
    if (value > BOUND_MICROS) return STATUS_OVERFLOW;
    out_amount->micros = negative ? -value : value;
    return STATUS_OK;
}

size_t
money_format(money amount, unsigned decimals_min, char out[MONEY_TEXT])
{
    CHECK(decimals_min <= 6);
    uint64_t size = amount.micros < 0 ? 0 - (uint64_t)amount.micros : (uint64_t)amount.micros;
    uint64_t fraction = size % 1000000;
    unsigned decimals = 6;
    while (decimals > decimals_min && fraction % 10 == 0) {
        fraction /= 10;
        decimals--;
    }
    const char *sign = amount.micros < 0 ? "-" : "";
    int len = decimals == 0
                  ? snprintf(out, MONEY_TEXT, "%s%llu", sign, (unsigned long long)(size / 1000000))
                  : snprintf(out, MONEY_TEXT, "%s%llu.%0*llu", sign,
                             (unsigned long long)(size / 1000000), (int)decimals,
                             (unsigned long long)fraction);
    CHECK(len > 0 && len < MONEY_TEXT);
    return (size_t)len;
}

enum status
money_ratio(money amount, uint64_t numerator, uint64_t denominator, money *out_amount)
{
    if (denominator == 0) return STATUS_INPUT;
    bool negative = amount.micros < 0;
    uwide size = negative ? (uwide)0 - (uwide)(wide)amount.micros : (uwide)amount.micros;
    uwide product = size * numerator;  // below 2^63 x 2^64
    uwide whole = product / denominator, rest = product % denominator, other = denominator - rest;
    if (rest > other || (rest == other && (whole & 1) != 0)) whole++;
    if (whole > INT64_MAX) return STATUS_OVERFLOW;
    out_amount->micros = negative ? -(int64_t)whole : (int64_t)whole;
    return STATUS_OK;
}

enum status
money_ratio_down(money amount, uint64_t numerator, uint64_t denominator, int64_t unit,
                 money *out_amount)
{
    if (amount.micros < 0 || denominator == 0 || unit < 1) return STATUS_INPUT;
    uwide whole = (uwide)amount.micros * numerator / denominator;  // below 2^63 x 2^64
    whole -= whole % (uint64_t)unit;
    if (whole > INT64_MAX) return STATUS_OVERFLOW;
    out_amount->micros = (int64_t)whole;
    return STATUS_OK;
}

enum status
money_share(money amount, uint64_t ppm, money *out_share)
{
    if (ppm > UINT64_MAX / 2) return STATUS_OVERFLOW;
    return money_ratio(amount, ppm, MONEY_PPM, out_share);
}

enum status
money_share_up(money amount, uint64_t ppm, money *out_share)
{
    if (amount.micros < 0) return STATUS_INPUT;
    uwide product = (uwide)amount.micros * ppm;  // below 2^63 x 2^64
    uwide whole = product / MONEY_PPM + (product % MONEY_PPM != 0);
    if (whole > INT64_MAX) return STATUS_OVERFLOW;
    out_share->micros = (int64_t)whole;
    return STATUS_OK;
}

enum status
money_shares(const money *amounts, const uint32_t *ppm, size_t count, enum money_rounding rounding,
             money *out_sum)
{
    uwide sum = 0;
    CHECK(count <= 65536);  // 2^16 products below 2^63 x 2^32 stay within 128 bits
    for (size_t i = 0; i < count; i++) {
        if (amounts[i].micros < 0) return STATUS_INPUT;
        sum += (uwide)amounts[i].micros * ppm[i];
    }
    uwide whole = sum / MONEY_PPM, rest = sum % MONEY_PPM;
    switch (rounding) {
    case MONEY_HALF_EVEN:
        whole += 2 * rest > MONEY_PPM || (2 * rest == MONEY_PPM && (whole & 1) != 0);
        break;
    case MONEY_DOWN: break;
    case MONEY_UP: whole += rest != 0; break;
    }
    if (whole > INT64_MAX) return STATUS_OVERFLOW;
    out_sum->micros = (int64_t)whole;
    return STATUS_OK;
}

struct remainder {
    uint64_t rest;
    size_t index;
};

// Largest remainder first; ties to the lower index.
static int
by_remainder(const void *left, const void *right)
{
    const struct remainder *a = left, *b = right;
    if (a->rest != b->rest) return a->rest < b->rest ? 1 : -1;
    return a->index < b->index ? -1 : a->index > b->index;
}

enum status
money_split(money total, const uint64_t *weights, size_t count, money *out_parts)
{
    uint64_t weight_sum = 0;
    CHECK(count <= 65536);
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(weight_sum, weights[i], &weight_sum)) return STATUS_OVERFLOW;
    if (weight_sum == 0) return STATUS_INPUT;
    if (total.micros == INT64_MIN) return STATUS_OVERFLOW;  // its absolute value is no int64
    bool negative = total.micros < 0;
    uint64_t size = negative ? 0 - (uint64_t)total.micros : (uint64_t)total.micros;

    struct remainder few[BOUND_PARTS];
    struct remainder *rests = count <= BOUND_PARTS ? few : malloc(count * sizeof *rests);
    CHECK(rests != NULL);
    uint64_t left = size;
    for (size_t i = 0; i < count; i++) {
        uwide product = (uwide)size * weights[i];
        uint64_t part = (uint64_t)(product / weight_sum);  // <= size, as a weight is <= their sum
        rests[i] = (struct remainder){(uint64_t)(product % weight_sum), i};
        out_parts[i].micros = (int64_t)part;
        left -= part;
    }
    CHECK(left < count);
    if (left > 0) qsort(rests, count, sizeof *rests, by_remainder);
    for (size_t i = 0; i < left; i++) out_parts[rests[i].index].micros++;
    if (negative)
        for (size_t i = 0; i < count; i++) out_parts[i].micros = -out_parts[i].micros;
    if (rests != few) free(rests);
    return STATUS_OK;
}

enum status
currency_parse(const char *text, size_t len, struct currency *out_currency)
{
    if (len != 3) return STATUS_INPUT;
    for (size_t i = 0; i < 3; i++)
        if (text[i] < 'A' || text[i] > 'Z') return STATUS_INPUT;
    memset(out_currency, 0, sizeof *out_currency);
    memcpy(out_currency->code, text, 3);
    return STATUS_OK;
}
