// Exchange rates: dated, rational, with their source; and exchange by them. A rate is never
// changed: a newer one follows it. What is exchanged passes through 3900 of both currencies, as two
// transfers of one group; it is rounded in favour of 3900, and the spread is a transfer of its own.
#ifndef VENDUE_RATE_H
#define VENDUE_RATE_H

#include "act.h"
#include "db.h"

#define RATE_SOURCE 64
#define RATE_TEXT 48
#define RATE_FAULT 400

struct rate {
    struct currency from, to;
    uint64_t num, den;    // one unit of `from` is num / den units of `to`; both at most RATE_MOST
    uint32_t spread_ppm;  // kept by the host of what is exchanged
    usec at;              // from then on
    char source[RATE_SOURCE + 1];
    bool inverse;  // found as the rate of the other way
};
#define RATE_MOST 1000000000000ULL

// "1.0875", "87/80": above 0. STATUS_INPUT: not of that form; STATUS_OVERFLOW: beyond RATE_MOST.
MUST_CHECK enum status
rate_parse(const char *text, size_t len, uint64_t *out_num, uint64_t *out_den);
// "1.0875" where the decimal is exact, else "87/80".
void rate_format(const struct rate *rate, char out[RATE_TEXT]);

// Takes a rate down, as an act of its own. STATUS_EXISTS: the same was there; STATUS_CONFLICT:
// another one of this pair and time was, which stays. STATUS_INPUT: a currency with itself or none
// of ISO 4217, no source, a time in the future, spread of a whole or more. Else db.h's answers.
MUST_CHECK enum status
rate_set(struct db *db, const struct rate *rate, const char *author, usec now);
// The newest rate of the pair not after `at`, in either direction. STATUS_NOT_FOUND: there is none;
// STATUS_DENIED: it is older than `age_us`. `out_fault` then says so, and what mends it.
MUST_CHECK enum status rate_find(struct db *db, struct currency from, struct currency to, usec at,
                                 int64_t age_us, struct rate *out_rate, char out_fault[RATE_FAULT]);

struct rate_exchange {
    money spread;  // in `from`, of the amount: rounded up to micros
    money given;   // in `from`: the rest
    money taken;   // in `to`: whole units of `unit` micros, cut down
};
// STATUS_OVERFLOW; STATUS_INPUT: amount not above 0.
MUST_CHECK enum status
rate_exchange(const struct rate *rate, money amount, int64_t unit, struct rate_exchange *out);
// The transfers of an exchange, into an act: spread from `account` to 4300, what is given from
// `account` to 3900, and in the other currency what is taken from 3900 to `account`; with `back`
// all of them the other way, as corrections of those. `like` says group, effective, seat, contract
// and reference; ids are derived from its group. What comes to nothing is left out.
void rate_transfers(struct act *act, const struct rate *rate, const struct rate_exchange *exchange,
                    struct account account, const struct transfer *like, bool back);

#endif
