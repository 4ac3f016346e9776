// A period is a span of time that finance closes as one. Today every period is a calendar month in
// UTC, "2026-11"; what is stored is its name and both its ends, so other spans need no other shape.
//
// A fact or a transfer belongs to exactly one period, decided once, when it is shipped or posted:
// the month of its time, or, when that month has been fenced for closing, the first month after the
// fence.
#ifndef VENDUE_PERIOD_H
#define VENDUE_PERIOD_H

#include "clock.h"
#include "money.h"
#include "terms.h"

#define PERIOD_TEXT 16

struct period {
    char name[PERIOD_TEXT];  // "2026-11"
    usec from, until;        // inclusive, exclusive
};

// "2026-11", years 1970 to 9999. STATUS_INPUT: anything else.
MUST_CHECK enum status period_parse(const char *text, size_t len, struct period *out_period);
// The period of something that happened at `at`, when everything before `fenced_until` is closed or
// being closed (0: nothing is). `at` is not before 1970.
void period_of(usec at, usec fenced_until, struct period *out_period);
void period_next(const struct period *period, struct period *out_next);
// "November 2026". `out` holds PERIOD_TITLE bytes.
#define PERIOD_TITLE 32
void period_title(const struct period *period, char out[PERIOD_TITLE]);

// The smallest amount a currency is billed in, in micros: 10,000 (a cent) for most, 1,000,000 for
// JPY, 1,000 for KWD (ISO 4217's minor units), and how many decimals that is.
int64_t period_cent(struct currency currency);
unsigned period_cent_decimals(struct currency currency);

// Rounds the lines of one sum to whole cents so that they add up: the total is the exact sum cut to
// cents towards zero; every line is its exact amount rounded down, and the cents left over go one
// by one to the largest remainders, ties to the lower index. So lines add up to the total, no line
// is off by a cent or more, and what was cut off (`out_residue`, less than a cent, the sum's sign)
// is carried to the next period. Amounts out are micros and multiples of `cent`. STATUS_OVERFLOW:
// the sum leaves its range.
MUST_CHECK enum status period_round(const money *lines, size_t count, int64_t cent,
                                    money *out_lines, money *out_total, money *out_residue);

#endif
