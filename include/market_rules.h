// The declared market's rules of selling: budgets, campaigns, caps, floors, experiments, deals.
// Part of market.h, whose words on texts and places hold here too.
#ifndef VENDUE_MARKET_RULES_H
#define VENDUE_MARKET_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "money.h"
#include "terms.h"

struct place {
    uint32_t line, column;  // from 1; 0 when it did not come from a file
};

// What may be spent, held included. Daily by the host's clock. Both may be missing.
enum pacing { PACING_ASAP, PACING_EVEN, PACING_FRONT, PACING_COUNT };
struct market_budget {
    bool has_total, has_daily;
    money total, daily;
    uint8_t pacing;  // of the daily amount over its day, else of the total from `from` to `until`
    struct place place, pacing_place;
};
// Budgets form a tree: seat, campaign, campaign of that campaign, message. What a message spends
// counts in all of them.
struct market_campaign {
    struct place place;
    uint32_t id;
    const char *code, *name, *seat, *parent;  // parent: a campaign without a parent; "" none
    struct place seat_place, parent_place, until_place;
    usec from, until;  // 0: open; outside it its messages do not take part
    struct market_budget budget;
};
// How often one customer may be addressed, counted by placements delivered or still pending.
enum cap_per {
    CAP_MESSAGE,
    CAP_SEAT,
    CAP_OBJECTIVE,
    CAP_CATEGORY,
    CAP_CHANNEL,
    CAP_ANY,
    CAP_PER_COUNT
};
enum cap_window { CAP_MINUTES, CAP_HOUR, CAP_DAY, CAP_WEEK, CAP_LIFETIME, CAP_WINDOW_COUNT };
struct market_cap {
    struct place place, of_place;
    uint32_t id;
    const char *code;
    uint8_t per;       // enum cap_per; CAP_ANY is the pressure cap
    const char *of;    // which message, seat, objective, category or channel; "": each by itself
    uint32_t count;    // 1 to BOUND_CAP_COUNT
    uint8_t window;    // enum cap_window: the last `minutes`, or the hour, day or week (from
    uint32_t minutes;  // Monday) of the host's clock that now lies in, or ever
};
// A floor rule of the market. Empty conditions match all; the most conditions win (market/).
struct market_rule_floor {
    struct place place;
    uint32_t id;
    const char *code, *container, *slot;  // slot: a tagid
    int8_t channel, stage, rung, tier;    // -1 any
    const char *seat, *category;
    const char *when;  // rule over contact and customer; "" none
    struct place container_place, slot_place, seat_place, when_place;
    money price;
};
// A trial of other floors on a share of contacts, against the rest.
struct market_experiment {
    struct place place;
    uint32_t id;
    const char *code, *container, *slot;  // where; "" everywhere
    struct place where_place, until_place;
    int8_t channel, stage;  // -1 any
    uint32_t share_ppm;     // of contacts that take part as variant
    uint32_t factor_ppm;    // variant floor = floor x factor, rounded up
    usec from, until;
    uint32_t stop_loss_ppm,
        stop_contacts;  // stops itself when it earns so much less, after so many
    bool stopped;       // set by the ledger
};
// Terms agreed with some seats for some slots: their messages there compete under them.
enum deal_at {
    DEAL_SECOND_PRICE,
    DEAL_FIRST_PRICE,
    DEAL_FIXED,
    DEAL_AT_COUNT
};  // OpenRTB at 2 1 3
struct market_deal {
    struct place place;
    uint32_t id;
    const char *code;
    const char **messages, **slots;  // codes; tagids
    uint32_t message_count, slot_count;
    struct place messages_place, slots_place, until_place;
    uint8_t at, priority;
    money floor;  // in place of every other floor
    usec from, until;
    uint32_t guarantee;  // deliveries a day that are promised; 0 none: until they are reached,
                         // its bids rank above all other priorities
};
// What a loser learns of the price.
enum disclosure { DISCLOSE_NOTHING, DISCLOSE_CLEARING, DISCLOSE_TO_TIE, DISCLOSURE_COUNT };

#endif
