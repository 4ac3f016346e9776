// Checks between objects. Private to market/.
#ifndef MARKET_CHECK_H
#define MARKET_CHECK_H

#include "index.h"
#include "report.h"

struct checker {
    struct arena *arena;
    struct market_report *report;
    const struct market *market;
    struct index *seats;       // code -> struct market_seat
    struct index *attributes;  // code -> struct market_attribute
    const char **seat_codes, **attribute_codes;
    const char *object;
};

void check_market(struct arena *arena, struct market_report *report, const struct market *market);

const struct market_seat *check_seat(const struct checker *checker,
                                     const char *code);  // NULL: unknown

#endif
