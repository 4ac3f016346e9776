// The workload of the core benchmark: a market of many standing bids, and contacts for it.
//
// 20 attributes - 7 texts (of 5 to 200 words, the low ones more frequent), 4 booleans, 6 integers
// (2 of them unknown in 15 % of contacts), 3 lists - and rules of 2 to 6 predicates, nearly all
// ANDs, some with OR and NOT; rules of up to 4 predicates start with region or product. Prices are
// nearly all distinct. A rule has one message, and a message one bid; beyond the most messages that
// a market may have, several.
#include "core_market.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define SEATS 200
#define FLOOR_MICROS 10000
#define PRICE_MICROS 50000000u

static uint64_t
draw(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return hash_mix(*state);
}

static uint32_t
below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((draw(state) >> 32) * bound >> 32);
}

// Low numbers more often.
static uint32_t
skewed(uint64_t *state, uint32_t bound)
{
    uint32_t a = below(state, bound), b = below(state, bound);
    return below(state, 2) == 0 ? below(state, bound) : a < b ? a : b;
}

// --- The market ----------------------------------------------------------------------------------
struct kind {
    const char *name;
    uint8_t type;
    uint32_t values, unknown_percent;
};
static const struct kind kinds[20] = {
    {"region", ATTRIBUTE_TEXT, 200, 0},     {"product", ATTRIBUTE_TEXT, 40, 0},
    {"line", ATTRIBUTE_TEXT, 12, 0},        {"phase", ATTRIBUTE_TEXT, 8, 0},
    {"level", ATTRIBUTE_TEXT, 5, 0},        {"language", ATTRIBUTE_TEXT, 6, 0},
    {"device", ATTRIBUTE_TEXT, 5, 0},       {"owner", ATTRIBUTE_BOOLEAN, 2, 0},
    {"app", ATTRIBUTE_BOOLEAN, 2, 0},       {"weekend", ATTRIBUTE_BOOLEAN, 2, 0},
    {"member", ATTRIBUTE_BOOLEAN, 2, 0},    {"age", ATTRIBUTE_INTEGER, 100, 15},
    {"worth", ATTRIBUTE_INTEGER, 1000, 0},  {"tenure", ATTRIBUTE_INTEGER, 120, 0},
    {"recency", ATTRIBUTE_INTEGER, 365, 0}, {"hour", ATTRIBUTE_INTEGER, 24, 0},
    {"risk", ATTRIBUTE_INTEGER, 1000, 15},  {"segments", ATTRIBUTE_LIST, 1000, 0},
    {"interests", ATTRIBUTE_LIST, 100, 0},  {"owned", ATTRIBUTE_LIST, 60, 0},
};

struct rule {
    char text[1024];
    size_t len;
};

static void __attribute__((format(printf, 2, 3))) say(struct rule *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(rule->text + rule->len, sizeof rule->text - rule->len, format, args);
    va_end(args);
    CHECK(len >= 0 && rule->len + (size_t)len < sizeof rule->text);
    rule->len += (size_t)len;
}

static void
say_words(uint64_t *state, struct rule *rule, const struct kind *kind, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        say(rule, "%s'%s%" PRIu32 "'", i ? ", " : "", kind->name, skewed(state, kind->values));
}

static void
say_predicate(uint64_t *state, struct rule *rule, const struct kind *kind)
{
    uint32_t choice = below(state, 10), value = below(state, kind->values);
    if (kind->values >= 40 && kind->type == ATTRIBUTE_TEXT && choice < 8)
        choice = 0;  // one region, one product
    if (kind->type == ATTRIBUTE_BOOLEAN) {
        say(rule, "%s%s", choice < 5 ? "" : "not ", kind->name);
    } else if (kind->type == ATTRIBUTE_INTEGER) {
        uint32_t span = kind->values / 4;
        if (choice < 2) say(rule, "%s >= %" PRIu32, kind->name, value);
        else if (choice < 4) say(rule, "%s <= %" PRIu32, kind->name, kind->values - value);
        else say(rule, "%s between %" PRIu32 " and %" PRIu32, kind->name, value, value + span);
    } else if (kind->type == ATTRIBUTE_TEXT) {
        if (choice < 4)
            say(rule, "%s = '%s%" PRIu32 "'", kind->name, kind->name, skewed(state, kind->values));
        else if (choice < 5)
            say(rule, "%s <> '%s%" PRIu32 "'", kind->name, kind->name, skewed(state, kind->values));
        else {
            say(rule, "%s%s in (", kind->name, choice < 6 ? " not" : "");
            say_words(state, rule, kind, 2 + below(state, 2));
            say(rule, ")");
        }
    } else {
        say(rule, "%s%s %s array[", choice < 2 ? "not " : "", kind->name, choice < 9 ? "&&" : "@>");
        say_words(state, rule, kind, choice < 9 ? 1 + below(state, 4) : 1);
        say(rule, "]");
    }
}

static const char *
a_rule(uint64_t *state, struct arena *arena)
{
    struct rule rule = {.len = 0};
    uint32_t count = 2 + below(state, 5), shape = below(state, 100), used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = i == 0 && (count <= 4 || below(state, 2) == 0) ? below(state, 2)
                                                                       : below(state, 20);
        while (used >> kind & 1) kind = below(state, 20);
        used |= 1u << kind;
        bool last = i + 1 == count, or_pair = shape < 4 && i + 2 == count,
             both = shape >= 4 && shape < 8;
        if (i > 0)
            say(&rule, shape < 4 && last && count > 2  ? " or "
                       : shape >= 98 && i == count / 2 ? " or "
                                                       : " and ");
        if (or_pair && count > 2) say(&rule, "(");
        if (both && last && i > 0) say(&rule, "not (%s = '%s0' and ", kinds[1].name, kinds[1].name);
        say_predicate(state, &rule, &kinds[kind]);
        if ((both && last && i > 0) || (shape < 4 && last && count > 2)) say(&rule, ")");
    }
    return arena_text(arena, rule.text, rule.len);
}

static void
declare_parties(struct market *market)
{
    market->attribute_count = 20;
    market->attributes = arena_take(market->arena, 20, sizeof *market->attributes);
    for (uint32_t i = 0; i < 20; i++) {
        market->attributes[i] = (struct market_attribute){.id = i + 1,
                                                          .code = kinds[i].name,
                                                          .type = kinds[i].type,
                                                          .of = ATTRIBUTE_OF_CUSTOMER,
                                                          .consent = -1,
                                                          .least = INT64_MIN,
                                                          .most = INT64_MAX};
    }
    market->seat_count = market->contract_count = SEATS;
    market->seats = arena_take(market->arena, SEATS, sizeof *market->seats);
    market->contracts = arena_take(market->arena, SEATS, sizeof *market->contracts);
    for (uint32_t i = 0; i < SEATS; i++) {
        const char *code = arena_printf(market->arena, "seat%" PRIu32, i);
        market->seats[i] = (struct market_seat){
            .id = i + 1,
            .code = code,
            .name = "",
            .kind = SEAT_PARTNER,
            .rule = "",
            .budget = {.has_total = true, .total = money_of(BOUND_MICROS)}};
        market->contracts[i] = (struct market_contract){.id = i + 1, .code = code, .seat = code};
    }
    market->container_count = 2;  // one slot; and CORE_MARKET_SLOTS slots
    market->containers = arena_take(market->arena, 2, sizeof *market->containers);
    for (uint32_t i = 0; i < 2; i++) {
        struct market_container *container = &market->containers[i];
        uint32_t count = i == 0 ? 1 : CORE_MARKET_SLOTS;
        *container = (struct market_container){
            .id = i + 1,
            .code = arena_printf(market->arena, "container%" PRIu32, i),
            .name = "",
            .owner = "seat0",
            .slots = arena_take(market->arena, count, sizeof(struct market_slot)),
            .slot_count = count};
        for (uint32_t slot = 0; slot < count; slot++) {
            container->slots[slot] = (struct market_slot){
                .id = 10 * (i + 1) + slot,
                .code = arena_printf(market->arena, "slot%" PRIu32, slot),
                .name = "",
                .rungs = (1u << RUNG_COUNT) - 1,
                .objectives = (1u << OBJECTIVE_COUNT) - 1,
                .floor = money_of(FLOOR_MICROS),
                .rule = "",
                .delivery_seconds = 3600};
        }
    }
}

void
core_market_encode(uint32_t bid_count, uint64_t version, struct arena *arena,
                   const uint8_t **out_bytes, size_t *out_len)
{
    uint64_t state = 20261122;
    struct market market = {.arena = arena, .code = "bench", .name = "", .currency = {"EUR"}};
    declare_parties(&market);
    uint32_t messages = bid_count < CORE_MARKET_MESSAGES ? bid_count : CORE_MARKET_MESSAGES;
    market.message_count = messages;
    market.messages = arena_take(arena, messages, sizeof *market.messages);
    struct market_bid *bids = arena_take(arena, bid_count, sizeof *bids);
    uint32_t *seat_of = arena_take(arena, messages, sizeof *seat_of);
    for (uint32_t i = 0; i < messages; i++) {
        seat_of[i] = below(&state, SEATS);
        market.messages[i] = (struct market_message){
            .id = i + 1,
            .code = arena_printf(arena, "message%" PRIu32, i),
            .name = "",
            .seat = market.seats[seat_of[i]].code,
            .content = "c",
            .format = "text",
            .category = "",
            .campaign = "",
            .group = "",
            .rung = RUNG_COMMERCIALIZATION,
            .objectives = 1u << OBJECTIVE_CROSS_SELL,
            .rule = a_rule(&state, arena)};
    }
    for (uint32_t i = 0; i < bid_count; i++) {
        bids[i] = (struct market_bid){
            .id = i + 1,
            .seat = seat_of[i % messages] + 1,
            .message = i % messages + 1,
            .price = money_of(FLOOR_MICROS + 1 + below(&state, PRICE_MICROS)),
            .key = "k"};
    }
    struct catalog_input input = {
        .market = &market, .bids = bids, .bid_count = bid_count, .version = version};
    struct expr_error error;
    if (catalog_encode(&input, arena, out_bytes, out_len, &error) != STATUS_OK) {
        fprintf(stderr, "bench_core: %s\n", error.text);
        exit(1);
    }
}

// --- Contacts ------------------------------------------------------------------------------------
static void
set_list(uint64_t *state, const struct catalog *catalog, struct contact *contact,
         const struct kind *kind, uint32_t attribute)
{
    uint32_t draws = kind->values == 1000 ? 8 + below(state, 25) : 1 + below(state, 6);
    uint32_t first = contact->values.list_used, count = 0;
    int32_t *items = contact->values.list_items + first;
    for (uint32_t i = 0; i < draws; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s%" PRIu32, kind->name, skewed(state, kind->values));
        uint32_t word = catalog_word(catalog, text, strlen(text)), place = 0;
        if (word == UINT32_MAX) continue;
        while (place < count && items[place] < (int32_t)word) place++;
        if (place < count && items[place] == (int32_t)word) continue;
        memmove(items + place + 1, items + place, (count - place) * sizeof *items);
        items[place] = (int32_t)word;
        count++;
    }
    contact->values.list_used = first + count;
    contact->values.value[attribute] = (int64_t)first << 32 | count;
}

void
core_market_contact(uint64_t *state, const struct catalog *catalog, bool nobody, uint32_t hidden,
                    struct contact *contact)
{
    memset(contact, 0, sizeof *contact);
    contact->customer = 1 + draw(state) / 2;
    contact->identity = IDENTITY_REPEAT;
    contact->consent = (1u << CONSENT_COUNT) - 1;
    contact->touchpoint = 1;
    snprintf(contact->key, sizeof contact->key, "%016" PRIx64, draw(state));
    contact->request_key = contact_request_key(1, contact->key);
    for (uint32_t i = 0; i < 20; i++) {
        const struct kind *kind = &kinds[i];
        uint32_t attribute = catalog_attribute_by_name(catalog, kind->name, strlen(kind->name));
        CHECK(attribute != UINT32_MAX);
        if (below(state, 100) < kind->unknown_percent) continue;
        if (hidden > 0 && below(state, 100) < hidden) continue;
        contact->values.known |= 1ull << attribute;
        if (kind->type == ATTRIBUTE_LIST) {
            set_list(state, catalog, contact, kind, attribute);
        } else if (kind->type == ATTRIBUTE_TEXT) {
            char text[32];
            snprintf(text, sizeof text, "%s%" PRIu32, kind->name, skewed(state, kind->values));
            uint32_t word = nobody ? UINT32_MAX : catalog_word(catalog, text, strlen(text));
            contact->values.value[attribute] = word == UINT32_MAX ? VALUE_OTHER : (int64_t)word;
        } else {
            contact->values.value[attribute] = below(state, kind->values);
        }
    }
}
