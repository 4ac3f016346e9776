// Money: integer micros of one currency, and the one door through which amounts are changed.
// No other file adds, subtracts, multiplies or splits an amount.
#ifndef VENDUE_MONEY_H
#define VENDUE_MONEY_H

#include <stddef.h>
#include <stdint.h>

#include "terms.h"

typedef struct {
    int64_t micros;  // millionths of the currency's unit
} money;

// ISO 4217 letters, zero padded, so that it is compared and stored as it stands: "EUR\0".
struct currency {
    char code[4];
};

#define MONEY_PPM 1000000u  // shares and rates are parts per million

static inline money
money_of(int64_t micros)
{
    return (money){micros};
}

MUST_CHECK enum status money_add(money a, money b, money *out_sum);
MUST_CHECK enum status money_subtract(money a, money b, money *out_difference);

// "12.345678", "-0.5", "7": an optional sign, digits, at most six decimals, nothing else.
// STATUS_INPUT: not of that form, or more than six decimals. STATUS_OVERFLOW: beyond BOUND_MICROS.
MUST_CHECK enum status money_parse(const char *text, size_t len, money *out_amount);

// Writes the shortest exact decimal with at least `decimals_min` (0 to 6) places: "12.50",
// "0.000001". `out` holds MONEY_TEXT bytes and always ends in NUL. Returns the length.
#define MONEY_TEXT 32
size_t money_format(money amount, unsigned decimals_min, char out[MONEY_TEXT]);

// amount x ppm / 1,000,000 with a 128-bit product, rounded half to even. ppm may exceed 1,000,000.
MUST_CHECK enum status money_share(money amount, uint64_t ppm, money *out_share);
// The same of an amount of at least 0, rounded up: floors. STATUS_INPUT: below 0.
MUST_CHECK enum status money_share_up(money amount, uint64_t ppm, money *out_share);

// amount x numerator / denominator with a 128-bit product, rounded half to even: averages, "per
// 1,000". STATUS_INPUT: denominator 0.
MUST_CHECK enum status
money_ratio(money amount, uint64_t numerator, uint64_t denominator, money *out_amount);

// amount x numerator / denominator of an amount of at least 0, cut down to a multiple of `unit`
// micros: exchange, what is paid out. STATUS_INPUT: below 0, denominator 0, or unit below 1.
MUST_CHECK enum status money_ratio_down(money amount, uint64_t numerator, uint64_t denominator,
                                        int64_t unit, money *out_amount);

// Sum of amounts[i] x ppm[i] / 1,000,000, rounded once at the end: a rate by tiers. STATUS_INPUT:
// an amount below 0. `count` <= 65,536.
enum money_rounding { MONEY_HALF_EVEN, MONEY_DOWN, MONEY_UP };
MUST_CHECK enum status money_shares(const money *amounts, const uint32_t *ppm, size_t count,
                                    enum money_rounding rounding, money *out_sum);

// Splits `total` (any sign) in proportion to `weights`, by largest remainder: each part is its
// exact share rounded down, and the units left over go one by one to the largest remainders; ties
// go to the lower index. The parts add up to `total` exactly; |part - exact| < 1 micro (quota
// rule). Negative totals split as their absolute value, negated. Source: Hamilton's method;
// Balinski & Young 1975. STATUS_INPUT: no weights, or all of them zero. `count` <= 65,536.
MUST_CHECK enum status
money_split(money total, const uint64_t *weights, size_t count, money *out_parts);

MUST_CHECK enum status currency_parse(const char *text, size_t len, struct currency *out_currency);
static inline int
currency_same(struct currency a, struct currency b)
{
    return a.code[0] == b.code[0] && a.code[1] == b.code[1] && a.code[2] == b.code[2];
}

#endif
