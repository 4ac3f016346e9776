// Pacing as a share of the span that is gone. With r of the span s still to come, the allowance is
//
//   even    budget x (s - r) / s + budget / 24
//   front   budget x (1 - (r / s)^2) + budget / 24
//
// each at most the budget. Spans are what they are: a day of the host's clock has 23, 24 or 25
// hours, and the budget is spread over those.
//
// Invariants
//   (1) never above the budget, never below zero, and never less later than before
//   (2) exact: the quotient is that of the real numbers, rounded down, for any amounts and spans;
//       the square is divided in two steps, each with its remainder, within 128 bits
#include "pace.h"

#include "fail.h"

#define AHEAD 24  // a part of the budget that may be spent before its time

// floor(budget x (1 - (rest / span)^2)). budget and span below 2^63, rest <= span.
static uint64_t
front_loaded(uint64_t budget, uint64_t span, uint64_t rest)
{
    unsigned __int128 once = (unsigned __int128)budget * rest;
    unsigned __int128 twice = once / span * rest;  // (once / span) <= budget: below 2^126
    uint64_t kept_back = (uint64_t)(twice / span);
    // What both divisions left over, in parts of span^2: below 2 x span^2, so it may carry one.
    unsigned __int128 square = (unsigned __int128)span * span;
    unsigned __int128 left = twice % span * span + once % span * rest;
    kept_back += left >= square;
    left -= left >= square ? square : 0;
    return budget - kept_back - (left > 0);  // what is kept back is rounded up
}

money
pace_allowance(enum pacing pacing, money budget, usec begins, usec ends, usec now)
{
    CHECK(pacing < PACING_COUNT);
    if (now.us < begins.us || budget.micros <= 0) return money_of(0);
    if (pacing == PACING_ASAP || now.us >= ends.us) return budget;
    uint64_t whole = (uint64_t)budget.micros;
    uint64_t span = (uint64_t)ends.us - (uint64_t)begins.us;
    uint64_t gone = (uint64_t)now.us - (uint64_t)begins.us;
    if (span > INT64_MAX) {  // a span that begins or ends before all time: half its precision
        span /= 2;
        gone /= 2;
    }
    uint64_t allowed = pacing == PACING_EVEN ? (uint64_t)((unsigned __int128)whole * gone / span)
                                             : front_loaded(whole, span, span - gone);
    uint64_t ahead = whole / AHEAD;
    return money_of((int64_t)(allowed >= whole - ahead ? whole : allowed + ahead));
}
