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
struct market_seat sample_seats[] = {
    {.id = 3, .code = "marketing", .name = "Marketing", .kind = SEAT_DEPARTMENT, .rule = ""},
    {.id = 1,
     .code = "grillco",
     .name = "Grill",
     .kind = SEAT_PARTNER,
     .budget = {.has_total = true, .total = {5000000000}},
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
     .group = "",
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
     .campaign = "",
     .group = "",
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
                               .contract_count = 3};
const struct catalog_input sample_input = {.market = &sample_market,
                                           .bids = sample_bids,
                                           .bid_count = 6,
                                           .certificates = sample_certificates,
                                           .certificate_count = 3,
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
