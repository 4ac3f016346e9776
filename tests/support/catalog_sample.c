// The market of the catalog tests.
#include "catalog_sample.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fact.h"

static const char *place_words[] = {"north", "south"};
const char *sample_footer_formats[] = {"text", "banner"};
const char *sample_limits_items[] = {"-7"};
const char *sample_place_items[] = {"north"};
static const char *const themes_items[] = {"garden", "fire", "garden"};
static const char *const yes_items[] = {"true"};

struct market_attribute sample_attributes[] = {
    {.code = "region",
     .type = ATTRIBUTE_TEXT,
     .of = ATTRIBUTE_OF_CUSTOMER,
     .privacy = PRIVACY_OPEN,
     .consent = -1},
    {.code = "age",
     .type = ATTRIBUTE_INTEGER,
     .of = ATTRIBUTE_OF_CUSTOMER,
     .consent = CONSENT_PROFILING,
     .least = 0,
     .most = 120},
    {.code = "products",
     .type = ATTRIBUTE_LIST,
     .of = ATTRIBUTE_OF_CUSTOMER,
     .consent = CONSENT_MODELLING},
    {.code = "place",
     .type = ATTRIBUTE_TEXT,
     .of = ATTRIBUTE_OF_SLOT,
     .consent = -1,
     .words = place_words,
     .word_count = 2},
    {.code = "height",
     .type = ATTRIBUTE_INTEGER,
     .of = ATTRIBUTE_OF_SLOT,
     .consent = -1,
     .least = -9,
     .most = 9},
    {.code = "themes", .type = ATTRIBUTE_LIST, .of = ATTRIBUTE_OF_MESSAGE, .consent = -1},
    {.code = "loud", .type = ATTRIBUTE_BOOLEAN, .of = ATTRIBUTE_OF_MESSAGE, .consent = -1},
};
static const char *shows_items[] = {"region"};
struct market_seat sample_seats[] = {
    {.id = 3, .code = "marketing", .name = "Marketing", .kind = SEAT_DEPARTMENT, .rule = ""},
    {.id = 1,
     .code = "grillco",
     .name = "Grill",
     .kind = SEAT_PARTNER,
     .budget = {.has_total = true,
                .total = {5000000000},
                .has_daily = true,
                .daily = {7000000},
                .pacing = PACING_EVEN},
     .live = true,
     .shows = shows_items,
     .show_count = 1,
     .rule = "consent_third_party and place = 'north'"},
};
struct market_floor sample_floors[] = {
    {.rung = -1, .seat = "", .category = "", .price = {1}},
    {.rung = RUNG_SYNDICATION, .seat = "", .category = "", .price = {2}},
    {.rung = -1, .seat = "", .category = "garden", .price = {3}},
    {.rung = -1, .seat = "grillco", .category = "", .price = {4}},
    {.rung = RUNG_SYNDICATION, .seat = "", .category = "garden", .price = {5}},
    {.rung = RUNG_AFFILIATION, .seat = "", .category = "", .price = {6}},
    {.rung = RUNG_SYNDICATION, .seat = "grillco", .category = "garden", .price = {7}},
    {.rung = RUNG_SYNDICATION, .seat = "grillco", .category = "", .price = {8}},
};
struct market_value sample_slot_values[] = {
    {.attribute = "height", .items = sample_limits_items, .count = 1},
    {.attribute = "place", .items = sample_place_items, .count = 1}};
struct market_slot sample_bill_slots[] = {
    {.id = 11,
     .code = "footer",
     .name = "",
     .rungs = 0xff,
     .objectives = 0x1ff,
     .formats = sample_footer_formats,
     .format_count = 2,
     .floor = {10000},
     .floors = sample_floors,
     .floor_count = 8,
     .delivery_seconds = 86400,
     .rule = "condition <> 'distressed' and (loud is not true or age >= 18)",
     .values = sample_slot_values,
     .value_count = 2},
    {.id = 12, .code = "insert", .name = "", .rungs = 1, .objectives = 4, .floor = {0}, .rule = ""},
};
struct market_slot sample_call_slots[] = {{.id = 5,
                                           .code = "close",
                                           .name = "",
                                           .rungs = 0x80,
                                           .objectives = 2,
                                           .rule = "'garden' <> all (themes)"}};
struct market_container sample_containers[] = {
    {.id = 2,
     .code = "call",
     .name = "",
     .owner = "marketing",
     .stage = STAGE_SERVICE,
     .channel = CHANNEL_CALL,
     .slots = sample_call_slots,
     .slot_count = 1},
    {.id = 9,
     .code = "empty",
     .name = "",
     .owner = "marketing",
     .stage = STAGE_NEED,
     .channel = CHANNEL_WEB},
    {.id = 1,
     .code = "bill",
     .name = "",
     .owner = "marketing",
     .pricing = PRICING_VCG,
     .separate = true,
     .paid_max = 1,
     .quota_count = 1,
     .quota_objectives = 1u << OBJECTIVE_EDUCATE,
     .stage = STAGE_USE,
     .channel = CHANNEL_BILL,
     .slots = sample_bill_slots,
     .slot_count = 2},
};
struct market_value sample_message_values[] = {
    {.attribute = "themes", .items = themes_items, .count = 3},
    {.attribute = "loud", .items = yes_items, .count = 1}};
struct market_message sample_messages[] = {
    {.id = 7,
     .code = "upgrade",
     .name = "",
     .seat = "marketing",
     .content = "cms:1",
     .format = "",
     .category = "",
     .campaign = "",
     .group = "pair",
     .rung = RUNG_PERSONALIZATION,
     .objectives = 8,
     .rule = "region in ('north', 'west') and 'loans' = any (products)"},
    {.id = 4,
     .code = "grill",
     .name = "",
     .seat = "grillco",
     .content = "cms:2",
     .format = "banner",
     .category = "garden",
     .rung = RUNG_SYNDICATION,
     .objectives = 16,
     .from = {1000},
     .until = {2000},
     .budget = {.has_total = true, .total = {77}},
     .campaign = "spring_web",
     .group = "pair",
     .after_experience = true,
     .cap_count = 3,
     .cap_days = 30,
     .rule = "age between 18 and 65",
     .values = sample_message_values,
     .value_count = 2},
};
struct market_contract sample_contracts[] = {
    {.id = 8,
     .code = "grill-27",
     .seat = "grillco",
     .from = {5000},
     .until = {0},
     .charge = CHARGE_WIN},
    {.id = 6, .code = "inner", .seat = "marketing", .from = {0}, .until = {0}},
    {.id = 9,
     .code = "grill-26",
     .seat = "grillco",
     .from = {1000},
     .until = {4000},
     .billing = BILLING_PREPAID},
};
struct market_campaign sample_campaigns[] = {
    {.id = 12, .code = "spring_web", .name = "", .seat = "grillco", .parent = "spring"},
    {.id = 11,
     .code = "spring",
     .name = "",
     .seat = "grillco",
     .parent = "",
     .from = {1000},
     .until = {9000},
     .budget = {.has_daily = true, .daily = {500}, .pacing = PACING_FRONT}},
};
struct market_cap sample_caps[] = {
    {.id = 21, .code = "pressure", .per = CAP_ANY, .of = "", .count = 6, .window = CAP_WEEK},
    {.id = 22, .code = "each", .per = CAP_OBJECTIVE, .of = "", .count = 2, .window = CAP_DAY},
    {.id = 23,
     .code = "garden",
     .per = CAP_CATEGORY,
     .of = "garden",
     .count = 1,
     .window = CAP_MINUTES,
     .minutes = 90},
};
struct market_rule_floor sample_rule_floors[] = {
    {.id = 31,
     .code = "of_stage",
     .container = "",
     .slot = "",
     .channel = -1,
     .stage = STAGE_USE,
     .rung = -1,
     .tier = -1,
     .seat = "",
     .category = "",
     .when = "",
     .price = {50}},
    {.id = 32,
     .code = "of_grill",
     .container = "bill",
     .slot = "",
     .channel = -1,
     .stage = -1,
     .rung = -1,
     .tier = TIER_GOLD,
     .seat = "grillco",
     .category = "garden",
     .when = "age >= 18",
     .price = {100}},
};
struct market_experiment sample_experiments[] = {
    {.id = 41,
     .code = "dearer",
     .container = "bill",
     .slot = "",
     .channel = -1,
     .stage = -1,
     .share_ppm = 100000,
     .factor_ppm = 1200000,
     .stopped = true},
};
static const char *deal_messages[] = {"grill"}, *deal_slots[] = {"bill.footer", "call.close"};
struct market_deal sample_deals[] = {
    {.id = 51,
     .code = "grill_deal",
     .messages = deal_messages,
     .slots = deal_slots,
     .message_count = 1,
     .slot_count = 2,
     .at = DEAL_FIRST_PRICE,
     .priority = 3,
     .floor = {25},
     .from = {1500},
     .until = {1800},
     .guarantee = 10},
};
static const struct catalog_shift shifts[] = {
    {{0}, 3600}, {{1774746000000000}, 7200}, {{1792890000000000}, 3600}};
struct market_touchpoint sample_touchpoints[] = {{.id = 1, .code = "crm", .name = "CRM screen"}};
struct market_bid sample_bids[] = {
    {.id = 30, .seat = 1, .message = 4, .slot = 0, .price = {100}, .key = "a"},
    {.id = 10,
     .seat = 3,
     .message = 7,
     .slot = 11,
     .price = {300},
     .state = BID_PAUSED,
     .from = {5},
     .until = {6}},
    {.id = 20,
     .seat = 3,
     .message = 7,
     .slot = 5,
     .price = {100},
     .key = "0123456789012345678901234567890123456789"},
    {.id = 40, .seat = 3, .message = 999, .slot = 5, .price = {200}},  // of no message
    {.id = 50, .seat = 3, .message = 7, .slot = 999, .price = {200}},  // of no slot
    {.id = 60, .seat = 3, .message = 4, .slot = 0, .price = {200}},    // another seat's message
};
struct market_certificate sample_certificates[] = {
    {.fingerprint = {{9}}, .role = ROLE_SEAT, .party = 1},
    {.fingerprint = {{1}}, .role = ROLE_OPERATOR},
    {.fingerprint = {{4}}, .role = ROLE_TOUCHPOINT, .revoked = true, .party = 1}};

struct market sample_market = {.code = "sample",
                               .name = "Sample",
                               .currency = {"EUR"},
                               .attributes = sample_attributes,
                               .attribute_count = 7,
                               .touchpoints = sample_touchpoints,
                               .touchpoint_count = 1,
                               .containers = sample_containers,
                               .container_count = 3,
                               .seats = sample_seats,
                               .seat_count = 2,
                               .messages = sample_messages,
                               .message_count = 2,
                               .contracts = sample_contracts,
                               .contract_count = 3,
                               .zone = "Europe/Berlin",
                               .disclosure = DISCLOSE_TO_TIE,
                               .sample_ppm = 10000,
                               .sample_days = 30,
                               .complaint_quiet_days = 30,
                               .refund_quiet_days = 14,
                               .campaigns = sample_campaigns,
                               .campaign_count = 2,
                               .caps = sample_caps,
                               .cap_count = 3,
                               .floors = sample_rule_floors,
                               .floor_count = 2,
                               .experiments = sample_experiments,
                               .experiment_count = 1,
                               .deals = sample_deals,
                               .deal_count = 1};
const struct catalog_input sample_input = {.market = &sample_market,
                                           .bids = sample_bids,
                                           .bid_count = 6,
                                           .certificates = sample_certificates,
                                           .certificate_count = 3,
                                           .shifts = shifts,
                                           .shift_count = 3,
                                           .version = 42,
                                           .position = {1, 2, 3}};

const uint8_t *
catalog_sample_encode(const struct catalog_input *input, struct arena *arena, size_t *out_len)
{
    const uint8_t *bytes;
    struct expr_error error;
    if (catalog_encode(input, arena, &bytes, out_len, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    return bytes;
}
