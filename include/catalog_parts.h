// The parts of a catalog (catalog.h). Indexes point into the catalog's arrays; ids are the stable
// ids that facts and the ledger use.
#ifndef VENDUE_CATALOG_PARTS_H
#define VENDUE_CATALOG_PARTS_H

#include "expr.h"
#include "market.h"

struct catalog_attribute {
    struct expr_attribute is;
    uint8_t privacy;
    int8_t consent;  // enum consent needed for its value to count; -1 none
};
// A floor rule that may count in a slot, of the market or of the slot itself. Those of a slot stand
// in order of precedence: the first that fits counts. What is the same for all bids of a contact
// (tier, when) is judged once a slot; channel, stage, container and slot are settled in the list.
struct catalog_floor {
    int8_t rung;     // -1 any
    int8_t tier;     // -1 any
    uint8_t number;  // n-th rule of the slot itself; FACT_FLOOR_ID_RULE: the market's rule `id`
    uint32_t id;
    uint32_t seat;            // index; UINT32_MAX any
    int32_t category;         // word; -1 any
    const struct expr *when;  // over contact and customer; NULL none
    money price;
};
#define CATALOG_FACTOR_PPM_MAX 10000000       // ten times the floor
#define CATALOG_CAP_MINUTES_MAX (365 * 1440)  // beyond it: for a lifetime
#define CATALOG_OFFSET_SECONDS_MAX (26 * 3600)
struct catalog_experiment {
    uint32_t id;
    uint32_t share_ppm, factor_ppm;
    usec from, until;
    bool stopped;
};
// Terms of a deal. Which slots and messages it joins: catalog_deal_of.
struct catalog_deal {
    uint32_t id;
    const char *code;
    uint8_t at, priority;
    money floor;
    usec from, until;
    uint32_t guarantee;
    const uint32_t *slots, *messages;  // indexes, ascending
    uint32_t slot_count, message_count;
};
// Whose budget.
enum budget_of { BUDGET_SEAT, BUDGET_CAMPAIGN, BUDGET_MESSAGE, BUDGET_OF_COUNT };
// A budget with what of it this node may spend: `limit`, cumulative over all time, only grows. A
// single node may spend all of it; nodes beside others get a part of each day's amount for the day
// that is named and the one after, and nothing for days of which the ledger has not heard yet:
// catalog_daily_limit.
struct catalog_budget {
    bool has_total, has_daily;
    uint8_t pacing;
    money total, daily;
    money limit;         // of the total, of this node
    uint16_t limit_day;  // 0: daily_limit is of every day
    money daily_limit, next_daily_limit;
};
struct catalog_campaign {
    uint32_t id, seat;  // seat: index
    uint32_t parent;    // index of a campaign; UINT32_MAX none
    usec from, until;
    struct catalog_budget budget;
    const char *code;
};
struct catalog_cap {
    uint32_t id;  // of the market's cap; 0: the short form in a message
    uint8_t per, window;
    uint32_t of;  // index of the message or seat, objective, word of the category, channel;
                  // UINT32_MAX: each by itself
    uint32_t count, minutes;
    const char *code;
};
// From `from` on the host's clock is `offset_seconds` ahead of UTC.
struct catalog_shift {
    usec from;
    int32_t offset_seconds;
};
struct catalog_slot {
    uint32_t id, container;  // stable id; index of its container
    uint8_t position;        // from 1
    uint16_t rungs, objectives;
    uint32_t delivery_seconds;
    money floor;
    const struct catalog_floor *floors;  // in order of precedence: the first that fits counts
    uint32_t floor_count;
    const int32_t *formats;  // words, ascending; none: any
    uint32_t format_count;
    bool explore;
    const uint32_t *experiments;  // indexes of those that may change its floors
    uint32_t experiment_count;
    struct expr rule;
    struct declared values;  // built-in and declared slot attributes
    const char *tagid;       // "container.slot"
};
struct catalog_container {
    uint32_t id, owner;  // owner: index of a seat
    uint8_t stage, channel, pricing;
    bool separate;
    uint32_t paid_max, quota_count;
    uint16_t quota_objectives;
    uint32_t slot_first, slot_count;  // in `slots`
    const char *code;
};
struct catalog_seat {
    uint32_t id;
    uint8_t kind;
    bool paused, live;
    uint64_t shows;            // attributes (bits) that its bid requests may carry: open ones only
    const uint32_t *messages;  // indexes of its messages, ascending
    uint32_t message_count;
    struct catalog_budget budget;
    struct expr rule;
    const char *code;
};
struct catalog_message {
    uint32_t id, seat;  // stable id; index
    uint8_t rung;
    uint16_t objectives;
    int32_t category, format;  // words
    usec from, until;
    struct catalog_budget budget;
    uint32_t campaign;    // index; UINT32_MAX none
    uint32_t group;       // number from 1, within all messages; 0 none
    uint32_t group_size;  // messages of this group; 0 none
    uint32_t deal;        // index of the deal it is named in; UINT32_MAX none
    uint8_t priority;
    bool after_experience;
    uint16_t remember_days;  // the longest window of all caps that may count it; 0: none does;
                             // UINT16_MAX: a lifetime cap does
    const uint32_t *caps;    // indexes in `caps` of those that may stop it, as declared
    uint32_t cap_count;
    struct expr rule;
    struct declared values;  // built-in and declared message attributes
    const char *code, *content, *category_text, *format_text;
};
struct catalog_contract {
    uint32_t id, seat;  // stable id; index of a seat
    usec from, until;
    uint8_t charge, billing;
    uint8_t merchant;  // enum merchant; of one without a gain share the partner
};
struct catalog_bid {
    uint64_t id;
    uint32_t seat, message;  // indexes
    uint32_t slot;           // index; UINT32_MAX any
    money price;             // in its own kind
    usec from, until;
    uint8_t state, kind;  // enum bid_state, price_kind
    char key[BOUND_KEY];
};

#endif
