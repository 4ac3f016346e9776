#include "round_table.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

void
round_table_open(struct table *table)
{
    memset(table, 0, sizeof *table);
    table->arena = arena_open("table");
    table->now.us = RANDOM_NOW;
    static const char *const codes[3] = {"care", "grill", "press"};
    for (uint32_t i = 0; i < 3; i++) {
        table->seats[i] = (struct market_seat){.id = i + 1,
                                               .code = codes[i],
                                               .name = "",
                                               .kind = i == 0 ? SEAT_DEPARTMENT : SEAT_PARTNER,
                                               .rule = ""};
        table->contracts[i] = (struct market_contract){
            .id = 40 + i, .code = codes[i], .seat = codes[i]};
        table->messages[i] = (struct market_message){.id = 20 + i,
                                                     .code = codes[i],
                                                     .name = "",
                                                     .seat = codes[i],
                                                     .content = "c",
                                                     .format = "text",
                                                     .category = "",
                                                     .campaign = "",
                                                     .group = "",
                                                     .rung = i == 0 ? RUNG_GEOGRAPHIC
                                                                    : RUNG_COMMERCIALIZATION,
                                                     .objectives = 1u << OBJECTIVE_CROSS_SELL,
                                                     .rule = ""};
        table->bids[i] = (struct market_bid){.id = 70 + i,
                                             .seat = i + 1,
                                             .message = 20 + i,
                                             .price = money_of(1000000 * (i + 1)),
                                             .key = "k"};
    }
    for (uint32_t i = 0; i < 2; i++) {
        table->slots[i] = (struct market_slot){.id = 11 + i,
                                               .code = i ? "footer" : "insert",
                                               .name = "",
                                               .rungs = (1u << RUNG_COUNT) - 1,
                                               .objectives = (1u << OBJECTIVE_COUNT) - 1,
                                               .floor = money_of(500000),
                                               .rule = "",
                                               .delivery_seconds = 60};
    }
    table->container = (struct market_container){.id = 5,
                                                 .code = "bill",
                                                 .name = "",
                                                 .owner = "care",
                                                 .channel = CHANNEL_BILL,
                                                 .slots = table->slots,
                                                 .slot_count = 1};
    static const char *const press = "press", *const insert = "bill.insert";
    for (uint32_t i = 0; i < 2; i++)
        table->campaigns[i] = (struct market_campaign){.id = 30 + i,
                                                       .code = i ? "year" : "autumn",
                                                       .name = "",
                                                       .seat = "press",
                                                       .parent = i ? "" : "year"};
    table->deal = (struct market_deal){.id = 60,
                                       .code = "deal",
                                       .messages = (const char **)(void *)&press,
                                       .slots = (const char **)(void *)&insert,
                                       .message_count = 1,
                                       .slot_count = 1,
                                       .floor = money_of(600000)};
    table->floor = (struct market_rule_floor){.id = 61,
                                              .code = "floor",
                                              .container = "",
                                              .slot = "",
                                              .channel = -1,
                                              .stage = -1,
                                              .rung = -1,
                                              .tier = -1,
                                              .seat = "",
                                              .category = "",
                                              .when = "",
                                              .price = {3000001}};
    for (uint32_t i = 0; i < 2; i++)
        table->experiments[i] = (struct market_experiment){.id = 62 + 10 * i,
                                                           .code = i ? "other" : "trial",
                                                           .container = "",
                                                           .slot = "",
                                                           .channel = -1,
                                                           .stage = -1,
                                                           .share_ppm = 1000000,
                                                           .factor_ppm = 2000001};
    table->cap = (struct market_cap){
        .id = 63, .code = "cap", .per = CAP_ANY, .of = "", .count = 1, .window = CAP_DAY};
    table->market = (struct market){.code = "table",
                                    .name = "",
                                    .currency = {"EUR"},
                                    .containers = &table->container,
                                    .seats = table->seats,
                                    .messages = table->messages,
                                    .contracts = table->contracts,
                                    .zone = "UTC",
                                    .campaigns = table->campaigns,
                                    .deals = &table->deal,
                                    .floors = &table->floor,
                                    .experiments = table->experiments,
                                    .caps = &table->cap,
                                    .campaign_count = 2,
                                    .container_count = 1,
                                    .seat_count = 3,
                                    .message_count = 3,
                                    .contract_count = 3};
    table->contact = (struct contact){.customer = 9,
                                      .touchpoint = 5,
                                      .identity = IDENTITY_REPEAT,
                                      .consent = 1u << CONSENT_PROFILING | 1u << CONSENT_MODELLING |
                                                 1u << CONSENT_THIRD_PARTY,
                                      .key = "bill-1"};
    table->contact.request_key = contact_request_key(5, table->contact.key);
}

struct catalog *
round_table_catalog(struct table *table)
{
    table->market.arena = table->arena;
    struct catalog_input input = {
        .market = &table->market, .bids = table->bids, .bid_count = 3, .version = 7};
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    struct catalog *catalog;
    enum status status = catalog_encode(&input, table->arena, &bytes, &len, &error);
    if (status != STATUS_OK) printf("%s\n", error.text);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(catalog_decode(bytes, len, &catalog, NULL), STATUS_OK);
    return catalog;
}

struct outcome
round_table_play(const struct table *table, const struct catalog *catalog, const struct book *book,
                 const struct round_live *live)
{
    struct outcome outcome;
    memset(&outcome, 0xff, sizeof outcome);
    struct why why = {outcome.bids, 0, 16};
    struct round *round = round_open();
    bool repeated;
    unsigned position;
    struct price_sale sale;
    assert_int_equal(round_decide(round, catalog, book, &table->contact, live, table->now, &why,
                                  outcome.facts, &outcome.count, &repeated),
                     REASON_NONE);
    for (uint32_t i = 0; i < why.count; i++) {
        if (outcome.bids[i].bid >= catalog->bid_count) continue;
        uint64_t id = catalog->bids[outcome.bids[i].bid].id;
        outcome.reasons[(outcome.bids[i].position - 1u) * 3 + (id - 70)] = outcome.bids[i].reason;
        outcome.of[(outcome.bids[i].position - 1u) * 3 + (id - 70)] = outcome.bids[i];
    }
    assert_true(round_reprice(outcome.facts, outcome.count, &position, &sale));
    round_close(round);
    return outcome;
}

struct outcome
round_table_decide(struct table *table)
{
    struct catalog *catalog = round_table_catalog(table);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    struct outcome outcome = round_table_play(table, catalog, book, NULL);
    catalog_close(catalog);
    book_close(book);
    arena_close(table->arena);
    return outcome;
}
