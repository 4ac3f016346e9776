// The market: 9 attributes of every type, 8 seats of both kinds (one paused, one without a
// contract), 4 containers with 1 to 5 slots, 24 messages on all rungs, random rules, and bids with
// few prices so that ties are common.
#include "random_market.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "event.h"
#include "fail.h"
#include "random_rules.h"
#include "seed.h"

uint64_t
random_seed(uint64_t otherwise)
{
    return seed_fixed(otherwise);
}

uint64_t
random_next(struct random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return hash_mix(random->state);
}

uint32_t
random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)((random_next(random) >> 32) * bound >> 32);
}

bool
random_chance(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

// --- Rules ---------------------------------------------------------------------------------------
struct text {
    char *at;
    size_t left;
};

static void __attribute__((format(printf, 2, 3))) say(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text->at, text->left, format, args);
    va_end(args);
    CHECK(len >= 0 && (size_t)len < text->left);
    text->at += len;
    text->left -= (size_t)len;
}

static void
say_words(struct random *random, struct text *text, const char *prefix, uint32_t values,
          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        say(text, "%s'%s%u'", i ? ", " : "", prefix, random_below(random, values));
}

enum speaks_of { OF_SLOT, OF_MESSAGE };

static void
say_leaf(struct random *random, struct text *text, enum speaks_of also)
{
    uint32_t of = random_below(random, 15);
    const char *negation = random_chance(random, 30) ? "not " : "";
    int age = 18 + (int)random_below(random, 60);
    switch (of) {
    case 0: say(text, "region = 'region%u'", random_below(random, 12)); break;
    case 1:
        say(text, "region %sin (", negation);
        say_words(random, text, "region", 12, 1 + random_below(random, 5));
        say(text, ")");
        break;
    case 2:
        say(text, "age %s %d", (const char *[]){">=", "<", "=", "<>"}[random_below(random, 4)],
            age);
        break;
    case 3:
        say(text, "age %sbetween %d and %d", negation, age, age + (int)random_below(random, 30));
        break;
    case 4: say(text, "score %sin (%d, %d, %d)", negation, age * 7, age * 3, age); break;
    case 5: say(text, "%svip", negation); break;
    case 6:
        say(text, "%s is %snull",
            (const char *[]){"age", "region", "interests", "vip"}[random_below(random, 4)],
            negation);
        break;
    case 7: say(text, "%s'hobby%u' = any (interests)", negation, random_below(random, 20)); break;
    case 8:
    case 9:
        say(text, "%sinterests %s array[", negation, of == 8 ? "&&" : "@>");
        say_words(random, text, "hobby", 20, 1 + random_below(random, of == 8 ? 6 : 2));
        say(text, "]");
        break;
    case 10: say(text, "identity %s 'repeat'", random_chance(random, 50) ? "=" : "<>"); break;
    case 11:
        say(text, "channel = '%s'", channel_name((enum channel)random_below(random, 3)));
        break;
    case 12:
        if (also == OF_SLOT) {
            say(text, "area %s %u",
                random_chance(random, 50) ? ">" : "<=", random_below(random, 4) * 100);
        } else {
            say(text, "rung >= %u", 1 + random_below(random, 4));
        }
        break;
    case 13:
        say(text, "product %sin (", negation);
        say_words(random, text, "product", 600, 1 + random_below(random, 8));
        say(text, ")");
        break;
    default:
        if (also == OF_SLOT) {
            say(text, "'look%u' = any (looks)", random_below(random, 4));
        } else {
            say(text, "theme %sin ('theme0', 'theme%u')", negation, random_below(random, 4));
        }
    }
}

static void
say_rule(struct random *random, struct text *text, enum speaks_of also, unsigned depth)
{
    if (depth == 0 || random_chance(random, 30)) {
        say_leaf(random, text, also);
        return;
    }
    bool all = random_chance(random, 65);
    uint32_t count = 2 + random_below(random, depth > 1 ? 2 : 3);
    say(text, "%s(", random_chance(random, 10) ? "not " : "");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) say(text, all ? " and " : " or ");
        say_rule(random, text, also, depth - 1);
    }
    say(text, ")");
}

static const char *
a_rule(struct random *random, struct arena *arena, enum speaks_of also, uint32_t percent)
{
    if (!random_chance(random, percent)) return random_chance(random, 3) ? "false" : "";
    char rule[BOUND_RULE_BYTES];
    struct text text = {rule, sizeof rule};
    say_rule(random, &text, also, 1 + random_below(random, 3));
    return arena_text(arena, rule, strlen(rule));
}

// --- The market ----------------------------------------------------------------------------------
#define SEATS 8
#define CONTAINERS 4
#define MESSAGES 24  // unless asked for others

static void
declare_attributes(struct market *market)
{
    static const struct {
        const char *code;
        uint8_t type, of;
        int64_t least, most;
    } declared[] = {
        {"region", ATTRIBUTE_TEXT, ATTRIBUTE_OF_CUSTOMER, 0, 0},
        {"age", ATTRIBUTE_INTEGER, ATTRIBUTE_OF_CUSTOMER, 0, 120},
        {"score", ATTRIBUTE_INTEGER, ATTRIBUTE_OF_CONTACT, INT64_MIN, INT64_MAX},
        {"vip", ATTRIBUTE_BOOLEAN, ATTRIBUTE_OF_CUSTOMER, 0, 0},
        {"interests", ATTRIBUTE_LIST, ATTRIBUTE_OF_CUSTOMER, 0, 0},
        {"product", ATTRIBUTE_TEXT, ATTRIBUTE_OF_CONTACT, 0, 0},
        {"area", ATTRIBUTE_INTEGER, ATTRIBUTE_OF_SLOT, 0, 1000},
        {"looks", ATTRIBUTE_LIST, ATTRIBUTE_OF_SLOT, 0, 0},
        {"theme", ATTRIBUTE_TEXT, ATTRIBUTE_OF_MESSAGE, 0, 0},
    };
    market->attribute_count = sizeof declared / sizeof *declared;
    market->attributes = arena_take(market->arena, market->attribute_count,
                                    sizeof *market->attributes);
    for (uint32_t i = 0; i < market->attribute_count; i++) {
        market->attributes[i] = (struct market_attribute){
            .id = i + 1,
            .code = declared[i].code,
            .type = declared[i].type,
            .of = declared[i].of,
            .consent = -1,
            .least = declared[i].type == ATTRIBUTE_INTEGER ? declared[i].least : INT64_MIN,
            .most = declared[i].type == ATTRIBUTE_INTEGER ? declared[i].most : INT64_MAX,
        };
    }
}

static void
declare_seats(struct random *random, struct market *market, const struct random_market *options)
{
    market->seat_count = SEATS;
    market->seats = arena_take(market->arena, SEATS, sizeof *market->seats);
    market->contracts = arena_take(market->arena, SEATS, sizeof *market->contracts);
    for (uint32_t i = 0; i < SEATS; i++) {
        bool budget = options->budgets && random_chance(random, 40);
        uint32_t purse = options->purse == 0 ? 40 : options->purse;
        market->seats[i] = (struct market_seat){
            .id = 10 + i,
            .code = arena_printf(market->arena, "seat%u", i),
            .name = "",
            .kind = i % 2 ? SEAT_PARTNER : SEAT_DEPARTMENT,
            .paused = i == 6,
            .budget = {.has_total = budget,
                       .total = {budget ? (int64_t)random_below(random, purse) * 1000000 : 0}},
            .rule = a_rule(random, market->arena, OF_SLOT, 25),
        };
        if (i == 7) continue;  // no contract
        market->contracts[market->contract_count++] = (struct market_contract){
            .id = 50 + i,
            .code = arena_printf(market->arena, "contract%u", i),
            .seat = market->seats[i].code,
            .charge = i == 5   ? CHARGE_WIN
                      : i == 4 ? CHARGE_CONVERSION
                      : i == 3 ? CHARGE_RESPONSE
                               : CHARGE_DELIVERY,
        };
    }
}

static struct market_value *
a_value(struct market *market, const char *attribute, const char *text)
{
    const char **items = arena_take(market->arena, 1, sizeof *items);
    struct market_value *value = arena_take(market->arena, 1, sizeof *value);
    items[0] = text;
    *value = (struct market_value){.attribute = attribute, .items = items, .count = 1};
    return value;
}

static uint16_t
a_mask(struct random *random, unsigned bits, uint32_t percent)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < bits; i++) {
        if (random_chance(random, percent)) mask |= 1u << i;
    }
    return (uint16_t)(mask == 0 ? 1u << random_below(random, bits) : mask);
}

static void
declare_slot(struct random *random, struct market *market, struct market_slot *slot, uint32_t id)
{
    *slot = (struct market_slot){
        .id = id,
        .code = arena_printf(market->arena, "slot%u", id),
        .name = "",
        .rungs = a_mask(random, RUNG_COUNT, 80),
        .objectives = a_mask(random, OBJECTIVE_COUNT, 60),
        .floor = money_of((int64_t)random_below(random, 4) * 100000),
        .rule = a_rule(random, market->arena, OF_MESSAGE, 20),
        .delivery_seconds = 60 + random_below(random, 600),
    };
    if (random_chance(random, 30)) {
        slot->formats = arena_take(market->arena, 2, sizeof *slot->formats);
        slot->format_count = 1;
        slot->formats[0] = random_chance(random, 50) ? "image" : "text";
    }
    slot->floor_count = random_below(random, 3);
    slot->floors = arena_take(market->arena, 3, sizeof *slot->floors);
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        slot->floors[i] = (struct market_floor){
            .rung = i == 0 ? (int8_t)random_below(random, RUNG_COUNT) : (int8_t)-1,
            .seat = i == 1 ? market->seats[random_below(random, SEATS)].code : "",
            .category = "",
            .price = money_of((int64_t)random_below(random, 12) * 100000),
        };
    }
    if (random_chance(random, 60)) {
        const char *text = arena_printf(market->arena, "%u", random_below(random, 400));
        slot->values = random_chance(random, 50) ? a_value(market, "area", text)
                                                 : a_value(market, "looks", "look1");
        slot->value_count = 1;
    }
}

static void
declare_containers(struct random *random, struct market *market,
                   const struct random_market *options)
{
    struct random lasting = {options->lasting}, *of = options->lasting != 0 ? &lasting : random;
    market->container_count = CONTAINERS;
    market->containers = arena_take(market->arena, CONTAINERS, sizeof *market->containers);
    uint32_t id = 100;
    for (uint32_t i = 0; i < CONTAINERS; i++) {
        uint32_t slots = 1 + random_below(of, 5);
        market->containers[i] = (struct market_container){
            .id = 90 + i,
            .code = arena_printf(market->arena, "container%u", i),
            .name = "",
            .owner = market->seats[0].code,
            .stage = (uint8_t)random_below(random, STAGE_COUNT),
            .channel = (uint8_t)random_below(random, 3),
            .slots = arena_take(market->arena, slots, sizeof(struct market_slot)),
            .slot_count = slots,
        };
        if (options->together > 0 && random_chance(random, options->together))
            market->containers[i].pricing = PRICING_VCG;
        for (uint32_t s = 0; s < slots; s++)
            declare_slot(random, market, &market->containers[i].slots[s], id++);
    }
}

static void
declare_messages(struct random *random, struct market *market, const struct random_market *options)
{
    market->message_count = options->messages == 0 ? MESSAGES : options->messages;
    market->messages = arena_take(market->arena, market->message_count, sizeof *market->messages);
    struct random lasting = {~options->lasting}, *of = options->lasting != 0 ? &lasting : random;
    for (uint32_t i = 0; i < market->message_count; i++) {
        uint32_t seat = random_below(of, SEATS);
        bool budget = options->budgets && random_chance(random, 20),
             cap = options->caps && random_chance(of, 50);
        uint32_t rung = seat % 2 ? RUNG_COMMERCIALIZATION + random_below(random, 3)
                                 : random_below(random, RUNG_COUNT);
        market->messages[i] = (struct market_message){
            .id = 1000 + i,
            .code = arena_printf(market->arena, "message%u", i),
            .name = "",
            .seat = market->seats[seat].code,
            .content = "content",
            .format = random_chance(random, 70) ? "text" : "image",
            .category = random_chance(random, 50) ? "food" : "",
            .rung = (uint8_t)rung,
            .objectives = a_mask(random, OBJECTIVE_COUNT, 35),
            .rule = a_rule(random, market->arena, OF_SLOT, 70),
            .from = {random_chance(random, 10) ? RANDOM_NOW + 1000 : 0},
            .until = {random_chance(random, 10) ? RANDOM_NOW : 0},
            .budget = {.has_total = budget,
                       .total = {budget ? (int64_t)random_below(random, 10) * 1000000 : 0}},
            .campaign = "",
            .group = "",
            .cap_count = cap ? 1 + random_below(of, 3) : 0,
            .cap_days = cap ? 1 + random_below(of, 7) : 0,
        };
        if (random_chance(random, 50)) {
            const char *theme = arena_printf(market->arena, "theme%u", random_below(random, 4));
            market->messages[i].values = a_value(market, "theme", theme);
            market->messages[i].value_count = 1;
        }
    }
}

static struct market_bid *
declare_bids(struct random *random, const struct market *market,
             const struct random_market *options)
{
    struct market_bid *bids = arena_take(market->arena, options->bids + 1, sizeof *bids);
    uint32_t for_slots = options->for_slots == 0 ? 30 : options->for_slots % 101;
    for (uint32_t i = 0; i < options->bids; i++) {
        const struct market_message *message =
            &market->messages[random_below(random, market->message_count)];
        const struct market_container *container =
            &market->containers[random_below(random, CONTAINERS)];
        uint32_t slot = container->slots[random_below(random, container->slot_count)].id;
        bids[i] = (struct market_bid){
            .message = message->id,
            .slot = random_chance(random, for_slots) ? slot : 0,
            .price = money_of(100000 * (1 + (int64_t)random_below(random, options->prices))),
            .from = {random_chance(random, 5) ? RANDOM_NOW + 1 : 0},
            .state = random_chance(random, 5) ? BID_PAUSED : BID_ACTIVE,
        };
        for (uint32_t s = 0; s < SEATS; s++) {
            if (strcmp(market->seats[s].code, message->seat) == 0)
                bids[i].seat = market->seats[s].id;
        }
        random_rules_price(random, options, &bids[i]);
        snprintf(bids[i].key, sizeof bids[i].key, "bid-%u", i);
        bids[i].id = event_bid_id((uint16_t)bids[i].seat, bids[i].key);
    }
    return bids;
}

void
random_market_everything(struct random_market *options)
{
    options->budgets = options->caps = options->daily = true;
    options->kinds = options->explore = options->campaigns = options->market_caps = true;
    options->floors = options->experiments = options->deals = options->groups = true;
    options->priorities = options->limits = options->live = options->experience = true;
    options->zone = true;
    if (options->together == 0) options->together = 30;
}

struct catalog *
random_market(struct random *random, const struct random_market *options)
{
    struct arena *arena = arena_open("random market");
    struct market market = {.arena = arena, .code = "random", .name = "", .currency = {"EUR"}};
    market.channels = (1u << CHANNEL_COUNT) - 1;
    market.stages = (1u << STAGE_COUNT) - 1;
    declare_attributes(&market);
    declare_seats(random, &market, options);
    declare_containers(random, &market, options);
    declare_messages(random, &market, options);
    random_rules_declare(random, &market, options);
    struct catalog_input input = {
        .market = &market,
        .bids = options->given != NULL ? options->given : declare_bids(random, &market, options),
        .bid_count = options->bids,
        .shifts = options->zone ? random_rules_shifts : NULL,
        .shift_count = options->zone ? 2 : 0,
        .version = options->version,
        .position = options->position,
    };
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    enum status status = catalog_encode(&input, arena, &bytes, &len, &error);
    if (status != STATUS_OK) printf("catalog_encode: %s: %s\n", status_text(status), error.text);
    CHECK(status == STATUS_OK);
    struct catalog *catalog;
    uint32_t left_out;
    CHECK(catalog_decode(bytes, len, &catalog, &left_out) == STATUS_OK && left_out == 0);
    arena_close(arena);
    return catalog;
}

// --- Contacts ------------------------------------------------------------------------------------
static void
set_value(const struct catalog *catalog, struct contact *contact, const char *name, int64_t value)
{
    uint32_t attribute = catalog_attribute_by_name(catalog, name, strlen(name));
    CHECK(attribute != UINT32_MAX);
    contact->values.known |= 1ull << attribute;
    contact->values.value[attribute] = value;
}

static int32_t
word_of(const struct catalog *catalog, const char *text)
{
    uint32_t word = catalog_word(catalog, text, strlen(text));
    return word == UINT32_MAX ? VALUE_OTHER : (int32_t)word;
}

static void
set_word(const struct catalog *catalog, struct contact *contact, const char *name, const char *text)
{
    set_value(catalog, contact, name, word_of(catalog, text));
}

static void
set_hobbies(struct random *random, const struct catalog *catalog, struct contact *contact)
{
    int32_t *items = contact->values.list_items;
    uint32_t count = 0;
    for (uint32_t i = 0; i < 20; i++) {
        char hobby[16];
        snprintf(hobby, sizeof hobby, "hobby%u", i);
        int32_t word = word_of(catalog, hobby);
        if (word < 0 || !random_chance(random, 30)) continue;
        uint32_t place = count++;
        for (; place > 0 && items[place - 1] > word; place--) items[place] = items[place - 1];
        items[place] = word;
    }
    contact->values.list_used = count;
    set_value(catalog, contact, "interests", count);
}

// Contacts of other markets are drawn as they ever were.
static bool
has_rules_of_selling(const struct catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->slot_count; i++)
        for (uint32_t j = 0; j < catalog->slots[i].floor_count; j++)
            if (catalog->slots[i].floors[j].id != 0) return true;
    for (uint32_t i = 0; i < catalog->message_count; i++)
        if (catalog->messages[i].after_experience) return true;
    return false;
}

void
random_contact(struct random *random, const struct catalog *catalog, struct contact *out_contact)
{
    struct contact *contact = out_contact;
    memset(contact, 0, sizeof *contact);
    contact->container = random_below(random, catalog->container_count);
    contact->touchpoint = 5;
    contact->identity = (uint8_t)random_below(random, IDENTITY_COUNT);
    contact->customer = contact->identity == IDENTITY_ANONYMOUS ? 0 : 1 + random_below(random, 50);
    contact->shard = hash_shard(contact->customer);
    contact->condition = random_chance(random, 15) ? CONDITION_DISTRESSED : CONDITION_CALM;
    for (unsigned i = 0; i < CONSENT_COUNT; i++) {
        if (random_chance(random, 75)) contact->consent |= (uint8_t)(1u << i);
    }
    contact->began.us = RANDOM_NOW;
    contact->request = random_next(random);
    snprintf(contact->key, sizeof contact->key, "%016llx", (unsigned long long)random_next(random));
    contact->request_key = contact_request_key(contact->touchpoint, contact->key);
    const struct catalog_container *container = &catalog->containers[contact->container];
    char text[16];
    set_word(catalog, contact, "channel", channel_name((enum channel)container->channel));
    set_word(catalog, contact, "identity", identity_name((enum identity)contact->identity));
    snprintf(text, sizeof text, "region%u", random_below(random, 14));
    if (random_chance(random, 85)) set_word(catalog, contact, "region", text);
    if (random_chance(random, 85))
        set_value(catalog, contact, "age", 15 + random_below(random, 70));
    snprintf(text, sizeof text, "product%u", random_below(random, 600));
    if (random_chance(random, 85)) set_word(catalog, contact, "product", text);
    if (random_chance(random, 85)) set_value(catalog, contact, "score", random_below(random, 600));
    if (random_chance(random, 85)) set_value(catalog, contact, "vip", random_below(random, 2));
    if (random_chance(random, 85)) set_hobbies(random, catalog, contact);
    if (has_rules_of_selling(catalog)) {
        contact->tier = (uint8_t)random_below(random, TIER_COUNT);
        if (contact->tier != TIER_NONE)
            set_word(catalog, contact, "tier", tier_name((enum tier)contact->tier));
        contact->experienced = random_chance(random, 50);
    }
}
