// The market as it is declared: what marketers and finance write in the market file, as plain data
// with the place of each declaration. Three faces of one model: read from YAML (market/), kept as
// objects in PostgreSQL (ledger/publish), compiled into a catalog (auction/catalog). Texts are
// NUL-terminated and owned by the market's arena; an absent text is "" (never NULL).
#ifndef VENDUE_MARKET_H
#define VENDUE_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "clock.h"
#include "expr.h"
#include "market_contract.h"
#include "market_rules.h"
#include "money.h"
#include "terms.h"

struct market_attribute {
    struct place place;
    uint32_t id;  // stable id given by the ledger; 0 not yet given (all objects alike)
    const char *code;
    uint8_t type, of, privacy;  // enum attribute_type, attribute_of, privacy
    int8_t consent;             // enum consent without which its value counts as unknown; -1 none
    int64_t least, most;        // integers
    const char **words;         // text and list: the values it may take; none: any
    uint32_t word_count;
};
// A declared value of a slot or message attribute.
struct market_value {
    struct place place;
    const char *attribute;
    const char *const *items;  // as written; a scalar has one
    uint32_t count;
};
struct market_touchpoint {
    struct place place;
    uint32_t id;
    const char *code, *name;
};
struct market_floor {    // of one slot; empty conditions match all; the most conditions win,
    struct place place;  // then seat before category before rung
    int8_t rung;         // enum rung; -1 any
    const char *seat, *category;
    money price;
};
struct market_slot {
    struct place place;
    uint32_t id;
    const char *code;  // within its container; its tagid is "container.slot"
    const char *name;
    uint16_t rungs, objectives;  // masks admitted
    struct place objectives_place;
    const char **formats;
    uint32_t format_count;
    money floor;
    struct market_floor *floors;
    uint32_t floor_count;
    const char *rule;  // over contact, customer and message attributes
    struct place rule_place;
    uint32_t delivery_seconds;  // delivery window
    bool explore;               // learned rates may be drawn here, so that they go on learning
    bool has_cost;              // else its part of the container's: cost / slots, half to even
    money cost;                 // what showing one message here costs
    struct market_value *values;
    uint32_t value_count;
};
// How the slots of one contact are sold: each by itself, in declared order, or together (vcg.h).
enum pricing { PRICING_PER_SLOT, PRICING_VCG, PRICING_COUNT };
struct market_container {
    struct place place;
    uint32_t id;
    const char *code, *name, *owner;  // owner: a department's seat
    struct place owner_place, stage_place, channel_place;
    uint8_t stage, channel, pricing;
    bool separate;         // no two messages of one category in a contact
    uint32_t paid_max;     // placements of partners in a contact at most; 0: any number
    uint32_t quota_count;  // so many placements at least pursue one of quota_objectives; 0 none
    uint16_t quota_objectives;
    struct place quota_place;
    bool has_cost;
    money cost;                 // what one contact costs the host
    struct market_slot *slots;  // in declared order
    uint32_t slot_count;
};
struct market_seat {
    struct place place;
    uint32_t id;
    const char *code, *name;
    uint8_t kind;  // enum seat_kind
    bool paused;
    struct market_budget budget;
    bool live;           // may be asked for bids during a contact
    const char **shows;  // attributes that its bid requests may carry: its whitelist
    uint32_t show_count;
    struct place live_place;
    const char *rule;  // over contact, customer and slot attributes
    struct place rule_place;
    struct market_party party;
};
struct market_message {
    struct place place;
    uint32_t id;
    const char *code, *name, *seat, *content, *format, *category;
    struct place seat_place, rung_place, until_place, budget_place;
    uint8_t rung;
    uint16_t objectives;
    const char *rule;  // over contact, customer and slot attributes
    struct place rule_place;
    usec from, until;  // 0: open
    struct market_budget budget;
    const char *campaign;  // "" none
    const char *group;     // of its seat: all of a group win in a contact, or none; "" none
    struct place campaign_place;
    uint8_t priority;       // 0 to BOUND_PRIORITY; the higher ranks first whatever the price
    bool after_experience;  // asks about an experience: waits until the touchpoint reports it
    uint32_t cap_count, cap_days;  // short form of a cap per message; 0 none
    struct market_value *values;
    uint32_t value_count;
};

struct market {
    struct arena *arena;
    const char *code, *name;
    struct currency currency;
    uint16_t channels, stages;  // masks in use
    const char *zone;           // IANA name of the host's time zone; "UTC"
    struct place zone_place;
    uint8_t disclosure;                // enum disclosure
    uint32_t sample_ppm, sample_days;  // contact sample: share kept, and for how long
    // What is known of placements before the market has learned of any; all 0: nothing.
    uint32_t expect_deliveries, expect_responses, expect_conversions;
    money expect_revenue;
    uint32_t complaint_quiet_days, refund_quiet_days;  // nothing but fulfill and educate; 0 none
    struct market_finance finance;
    struct market_attribute *attributes;
    struct market_touchpoint *touchpoints;
    struct market_container *containers;
    struct market_seat *seats;
    struct market_message *messages;
    struct market_contract *contracts;
    struct market_campaign *campaigns;
    struct market_cap *caps;
    struct market_rule_floor *floors;
    struct market_experiment *experiments;
    struct market_deal *deals;
    uint32_t attribute_count, touchpoint_count, container_count, seat_count, message_count,
        contract_count, campaign_count, cap_count, floor_count, experiment_count, deal_count;
};

// A standing bid as it is kept: what FACT_BID last said.
struct market_bid {
    uint64_t id;
    uint32_t seat, message, slot;  // stable ids; slot 0: any
    money price;                   // micros; or millionths of the revenue
    usec from, until;
    uint8_t state;  // enum bid_state
    uint8_t kind;   // enum price_kind
    char key[BOUND_KEY + 1];
};
// A certificate that may speak, by the SHA-256 of its public key (SubjectPublicKeyInfo).
struct market_certificate {
    struct digest fingerprint;
    uint8_t role;  // enum role
    bool revoked;
    uint32_t party;  // stable id of touchpoint or seat
};

bool market_currency_known(const char *code);  // of ISO 4217, in use

// Words of the market file for the numbers above (market/market.c).
const char *market_pricing_name(enum pricing value);
const char *market_pacing_name(enum pacing value);
const char *market_cap_per_name(enum cap_per value);
const char *market_cap_window_name(enum cap_window value);
const char *market_deal_at_name(enum deal_at value);
const char *market_disclosure_name(enum disclosure value);
const char *market_charge_name(enum charge value);
const char *market_billing_name(enum billing value);
const char *market_transfer_price_name(enum transfer_price value);
const char *market_merchant_name(enum merchant value);
const char *market_rounding_name(enum rounding value);
const char *market_clawback_name(enum clawback value);
const char *market_attribution_name(enum attribution value);
const char *market_attribute_type_name(enum attribute_type value);
const char *market_attribute_of_name(enum attribute_of value);

#endif
