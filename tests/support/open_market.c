#include "open_market.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"

static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static const char *
letter(char one)
{
    return one == 0 ? "" : letters[one - 'a'];
}

void
open_market_random(struct random *random, struct open_market *out)
{
    *out = (struct open_market){.slots = 2 + random_below(random, 4),
                                .seats = 1 + random_below(random, OPEN_SEATS),
                                .messages = 1 + random_below(random, OPEN_MESSAGES)};
    out->separate = random_chance(random, 40);
    out->paid_max = random_chance(random, 40) ? 1 + random_below(random, out->slots) : 0;
    out->quota_count = random_chance(random, 50) ? 1 + random_below(random, out->slots) : 0;
    out->category_cap = random_chance(random, 30) ? 1 + random_below(random, 2) : 0;
    int64_t most = random_chance(random, 50) ? 8 : 200;
    bool groups = random_chance(random, 40), budgets = random_chance(random, 50);
    for (unsigned i = 0; i < out->slots; i++) out->floors[i] = random_below(random, 3);
    for (unsigned i = 0; i < out->seats; i++) {
        out->partner[i] = random_chance(random, 50);
        if (budgets && random_chance(random, 60))
            out->budget[i] = 1 + (int64_t)random_below(random, (uint32_t)most * 3);
        if (budgets && random_chance(random, 40))
            out->campaign[i] = 1 + (int64_t)random_below(random, (uint32_t)most * 2);
        if (budgets && random_chance(random, 40))
            out->parent[i] = 1 + (int64_t)random_below(random, (uint32_t)most * 2);
    }
    for (unsigned i = 0; i < out->messages; i++) {
        struct open_message *message = &out->message[i];
        message->seat = (uint8_t)random_below(random, out->seats);
        if (random_chance(random, 60)) message->category = (char)('a' + random_below(random, 4));
        if (groups && random_chance(random, 30))
            message->group = (char)('a' + random_below(random, 3));
        message->quota = random_chance(random, 20);
        message->in_campaign = random_chance(random, 50);
        for (unsigned slot = 0; slot < out->slots; slot++)
            if (random_chance(random, 70))
                message->bids[slot] = 1 + (int64_t)random_below(random, (uint32_t)most);
    }
}

static void
declare_seats(const struct open_market *open, struct market *market)
{
    market->seats = arena_take(market->arena, open->seats, sizeof *market->seats);
    market->contracts = arena_take(market->arena, open->seats, sizeof *market->contracts);
    market->campaigns = arena_take(market->arena, 2 * open->seats, sizeof *market->campaigns);
    market->seat_count = market->contract_count = open->seats;
    market->campaign_count = 2 * open->seats;
    for (uint32_t i = 0; i < open->seats; i++) {
        const char *code = arena_printf(market->arena, "seat%u", i);
        market->seats[i] = (struct market_seat){
            .id = 1 + i,
            .code = code,
            .name = "",
            .rule = "",
            .kind = open->partner[i] ? SEAT_PARTNER : SEAT_DEPARTMENT,
            .live = open->partner[i],
            .budget = {.has_total = open->budget[i] > 0, .total = {open->budget[i]}}};
        market->contracts[i] = (struct market_contract){.id = 1 + i, .code = code, .seat = code};
        const char *year = arena_printf(market->arena, "year%u", i);
        market->campaigns[i] = (struct market_campaign){
            .id = 1 + i,
            .code = arena_printf(market->arena, "campaign%u", i),
            .name = "",
            .seat = code,
            .parent = year,
            .budget = {.has_total = open->campaign[i] > 0, .total = {open->campaign[i]}}};
        market->campaigns[open->seats + i] = (struct market_campaign){
            .id = 1 + OPEN_SEATS + i,
            .code = year,
            .name = "",
            .seat = code,
            .parent = "",
            .budget = {.has_total = open->parent[i] > 0, .total = {open->parent[i]}}};
    }
}

static void
declare_container(const struct open_market *open, struct market *market)
{
    struct market_slot *slots = arena_take(market->arena, open->slots, sizeof *slots);
    market->containers = arena_take(market->arena, 1, sizeof *market->containers);
    market->container_count = 1;
    for (uint32_t i = 0; i < open->slots; i++)
        slots[i] = (struct market_slot){.id = 1 + i,
                                        .code = arena_printf(market->arena, "slot%u", i),
                                        .name = "",
                                        .rule = "",
                                        .rungs = (1u << RUNG_COUNT) - 1,
                                        .objectives = (1u << OBJECTIVE_COUNT) - 1,
                                        .floor = {open->floors[i]},
                                        .delivery_seconds = 60};
    *market->containers = (struct market_container){
        .id = 1,
        .code = "bill",
        .name = "",
        .owner = "seat0",
        .channel = CHANNEL_BILL,
        .pricing = open->pricing,
        .separate = open->separate,
        .paid_max = open->paid_max,
        .quota_count = open->quota_count,
        .quota_objectives = open->quota_count > 0 ? 1u << OBJECTIVE_EDUCATE : 0,
        .slots = slots,
        .slot_count = open->slots};
}

static struct market_bid *
declare_messages(const struct open_market *open, struct market *market, uint32_t *out_bids)
{
    struct market_bid *bids = arena_take(market->arena, open->messages * open->slots + 1,
                                         sizeof *bids);
    market->messages = arena_take(market->arena, open->messages, sizeof *market->messages);
    market->message_count = open->messages;
    *out_bids = 0;
    for (uint32_t i = 0; i < open->messages; i++) {
        const struct open_message *message = &open->message[i];
        market->messages[i] = (struct market_message){
            .id = 1 + i,
            .code = arena_printf(market->arena, "message%u", i),
            .name = "",
            .seat = market->seats[message->seat].code,
            .content = "content",
            .format = "text",
            .category = letter(message->category),
            .group = letter(message->group),
            .campaign = message->in_campaign ? market->campaigns[message->seat].code : "",
            .rule = "",
            .rung = open->partner[message->seat] ? RUNG_COMMERCIALIZATION : RUNG_GEOGRAPHIC,
            .objectives = message->quota ? 1u << OBJECTIVE_EDUCATE : 1u << OBJECTIVE_EXPAND};
        for (uint32_t slot = 0; slot < open->slots; slot++) {
            if (message->bids[slot] == 0) continue;
            struct market_bid *bid = &bids[(*out_bids)++];
            *bid = (struct market_bid){.id = 1 + 16 * i + slot,
                                       .seat = 1u + message->seat,
                                       .message = 1 + i,
                                       .slot = 1 + slot,
                                       .price = {message->bids[slot]}};
            snprintf(bid->key, sizeof bid->key, "bid-%u-%u", i, slot);
        }
    }
    return bids;
}

struct catalog *
open_market_catalog(const struct open_market *open)
{
    struct arena *arena = arena_open("open market");
    struct market market = {
        .arena = arena, .code = "open", .name = "", .currency = {"EUR"}, .zone = "UTC"};
    struct market_cap cap = {.id = 1,
                             .code = "cap",
                             .per = CAP_CATEGORY,
                             .of = "",
                             .count = open->category_cap,
                             .window = CAP_DAY};
    market.channels = (1u << CHANNEL_COUNT) - 1;
    market.stages = (1u << STAGE_COUNT) - 1;
    market.caps = &cap;
    market.cap_count = open->category_cap > 0;
    declare_seats(open, &market);
    declare_container(open, &market);
    uint32_t bid_count;
    struct market_bid *bids = declare_messages(open, &market, &bid_count);
    struct catalog_input input = {
        .market = &market, .bids = bids, .bid_count = bid_count, .version = 1};
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    struct catalog *catalog;
    uint32_t left_out;
    enum status status = catalog_encode(&input, arena, &bytes, &len, &error);
    if (status != STATUS_OK) printf("catalog_encode: %s: %s\n", status_text(status), error.text);
    CHECK(status == STATUS_OK);
    CHECK(catalog_decode(bytes, len, &catalog, &left_out) == STATUS_OK && left_out == 0);
    arena_close(arena);
    return catalog;
}

void
open_market_contact(uint64_t number, struct contact *out_contact)
{
    *out_contact = (struct contact){.customer = number,
                                    .touchpoint = 5,
                                    .identity = IDENTITY_REPEAT,
                                    .consent = (1u << CONSENT_COUNT) - 1,
                                    .request = number};
    snprintf(out_contact->key, sizeof out_contact->key, "contact-%llu", (unsigned long long)number);
    out_contact->request_key = contact_request_key(5, out_contact->key);
}
