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
    struct index *campaigns;   // code -> struct market_campaign
    struct index *messages;    // code -> struct market_message
    const char **seat_codes, **attribute_codes, **campaign_codes, **message_codes,
        **container_codes;
    const char **tagids;  // of all slots, by container and position
    uint32_t slot_count;
    const char *object;
};

void check_market(struct arena *arena, struct market_report *report, const struct market *market);

// A reference to a seat; unknown is reported. "" (reported when it was read) and unknown: NULL.
const struct market_seat *
check_seat_named(struct checker *checker, struct place place, const char *role, const char *code);
// The same, where the first `others` of "host" and "touches" may stand too; these are the caller's
// to tell.
const struct market_seat *check_need_seat(struct checker *checker, struct place place,
                                          const char *role, const char *code, unsigned others);
uint32_t check_rungs_of(const struct market_seat *seat);  // mask of rungs it may use
const struct market_seat *check_seat(const struct checker *checker,
                                     const char *code);  // NULL: unknown

#endif
