// A round case by case: one small market, one change each, under the numbers of round.c's comment.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "random_history.h"

// Seats: 1 department "care", 2 partner "grill", 3 partner "press". Slot 11 "bill.insert".
struct table {
    struct arena *arena;
    struct market market;
    struct market_slot slots[2];
    struct market_container container;
    struct market_seat seats[3];
    struct market_message messages[3];
    struct market_contract contracts[3];
    struct market_bid bids[3];
    struct market_campaign campaigns[2];  // of press: "autumn" within "year"
    struct market_deal deal;              // of press in bill.insert; only when counted
    struct market_rule_floor floor;       // likewise
    struct market_experiment experiments[2];
    struct market_cap cap;
    struct contact contact;
    usec now;
};

static void
table_open(struct table *table)
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

struct outcome {
    enum reason reasons[6];  // by bid: 0 care, 1 grill, 2 press; then for the second slot
    struct fact facts[BOUND_CONTACT_FACTS];
    struct why_bid bids[16];
    struct why_bid of[6];  // as `reasons`
    unsigned count;
};

static struct catalog *
table_catalog(struct table *table)
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

// Decides the table's contact; whatever is decided can be priced again from its record.
static struct outcome
decide(const struct table *table, const struct catalog *catalog, const struct book *book,
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

static struct outcome
table_decide(struct table *table)
{
    struct catalog *catalog = table_catalog(table);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    struct outcome outcome = decide(table, catalog, book, NULL);
    catalog_close(catalog);
    book_close(book);
    arena_close(table->arena);
    return outcome;
}

#define PRESS 2

static void
test_plain_sale(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    struct outcome outcome = table_decide(&table);
    const struct fact *placement = &outcome.facts[1];
    assert_int_equal(outcome.count, 2 + outcome.facts[0].opened.records);
    assert_int_equal(placement->kind, FACT_PLACEMENT);
    assert_int_equal(placement->placement.seat, 3);
    assert_int_equal(placement->placement.price.micros, 2000000);
    assert_int_equal(placement->placement.setter, 71);
    assert_int_equal(placement->placement.bid_price.micros, 3000000);
    assert_int_equal(placement->placement.eligible, 3);
    assert_int_equal(placement->placement.expires.us, RANDOM_NOW + 60 * USEC_SECOND);
    assert_int_equal(placement->customer, 9);
    assert_int_equal(placement->party, 5);
    assert_int_equal(outcome.facts[0].opened.catalog, 7);
    assert_int_equal(outcome.facts[0].contact.bytes[15] & 0x0f, 0);
    assert_int_equal(outcome.reasons[0], REASON_OUTBID);
    assert_int_equal(outcome.reasons[1], REASON_OUTBID);
    assert_int_equal(outcome.reasons[PRESS], REASON_NONE);
    assert_int_equal(outcome.bids[1].short_by.micros, 1000000);
}

// Each case spoils the dearest bid (press) in one way: its reason, and that grill then pays care's
// bid.
struct spoil {
    const char *name;
    enum reason reason;
    void (*spoil)(struct table *table);
};

static void
spoil_paused(struct table *t)
{
    t->bids[PRESS].state = BID_PAUSED;
}
static void
spoil_seat_paused(struct table *t)
{
    t->seats[PRESS].paused = true;
}
static void
spoil_withdrawn(struct table *t)
{
    t->bids[PRESS].state = BID_WITHDRAWN;
}
static void
spoil_from(struct table *t)
{
    t->bids[PRESS].from.us = RANDOM_NOW + 1;
}
static void
spoil_until(struct table *t)
{
    t->bids[PRESS].until.us = RANDOM_NOW;
}
static void
spoil_message_from(struct table *t)
{
    t->messages[PRESS].from.us = RANDOM_NOW + 1;
}
static void
spoil_message_until(struct table *t)
{
    t->messages[PRESS].until.us = RANDOM_NOW;
}
static void
spoil_contract(struct table *t)
{
    t->contracts[PRESS].until.us = RANDOM_NOW;
}
static void
spoil_kind(struct table *t)
{
    t->messages[PRESS].rung = RUNG_PREDICTIVE;
}
static void
spoil_rung(struct table *t)
{
    t->messages[PRESS].rung = RUNG_SYNDICATION;
    t->slots[0].rungs = (1u << RUNG_SYNDICATION) - 1;
}
static void
spoil_objective(struct table *t)
{
    t->messages[PRESS].objectives = 1u << OBJECTIVE_REFER;
    t->slots[0].objectives = 1u << OBJECTIVE_CROSS_SELL;
}
static void
spoil_format(struct table *t)
{
    static const char *text = "text";
    t->messages[PRESS].format = "image";
    t->slots[0].formats = &text;
    t->slots[0].format_count = 1;
}
static void
spoil_condition(struct table *t)
{
    t->contact.condition = CONDITION_DISTRESSED;
    t->messages[0].objectives |= 1u << OBJECTIVE_EDUCATE;
    t->messages[1].objectives |= 1u << OBJECTIVE_FULFILL;
}
static void
spoil_slot_rule(struct table *t)
{
    t->slots[0].rule = "message <> 'press'";
}
static void
spoil_seat_rule(struct table *t)
{
    t->seats[PRESS].rule = "identity = 'anonymous'";
}
static void
spoil_message_rule(struct table *t)
{
    t->messages[PRESS].rule = "slot = 'bill.footer'";
}
static void
spoil_budget(struct table *t)
{
    t->seats[PRESS].budget.has_total = true;
    t->seats[PRESS].budget.total = money_of(2999999);
}
static void
spoil_message_budget(struct table *t)
{
    t->messages[PRESS].budget.has_total = true;
    t->messages[PRESS].budget.total = money_of(2999999);
}
static void
spoil_campaign_from(struct table *t)
{
    t->messages[PRESS].campaign = "autumn";
    t->campaigns[0].from.us = RANDOM_NOW + 1;
}
static void
spoil_parent_until(struct table *t)
{
    t->messages[PRESS].campaign = "autumn";
    t->campaigns[1].until.us = RANDOM_NOW;
}
static void
spoil_experience(struct table *t)
{
    t->messages[PRESS].after_experience = true;
}
static void
spoil_campaign_budget(struct table *t)
{
    t->messages[PRESS].campaign = "autumn";
    t->campaigns[0].budget.has_total = true;
    t->campaigns[0].budget.total = money_of(2999999);
}
static void
spoil_parent_budget(struct table *t)
{
    t->messages[PRESS].campaign = "autumn";
    t->campaigns[1].budget.has_total = true;
    t->campaigns[1].budget.total = money_of(2999999);
}
static void
spoil_daily_budget(struct table *t)
{
    t->seats[PRESS].budget.has_daily = true;
    t->seats[PRESS].budget.daily = money_of(2999999);
}
static void
spoil_daily_pace(struct table *t)
{
    t->seats[PRESS].budget.has_daily = true;
    t->seats[PRESS].budget.daily = money_of(3000000);
    t->seats[PRESS].budget.pacing = PACING_EVEN;
}
static void
spoil_total_pace(struct table *t)
{
    t->messages[PRESS].from.us = RANDOM_NOW - USEC_DAY;
    t->messages[PRESS].until.us = RANDOM_NOW + USEC_DAY;
    t->messages[PRESS].budget.has_total = true;
    t->messages[PRESS].budget.total = money_of(5000000);
    t->messages[PRESS].budget.pacing = PACING_EVEN;
}
static void
spoil_deal_floor(struct table *t)
{
    t->market.deal_count = 1;
    t->deal.floor = money_of(3000001);
}
static void
spoil_market_floor(struct table *t)
{
    t->market.floor_count = 1;
    t->floor.seat = "press";
    t->floor.channel = CHANNEL_BILL;
    t->floor.when = "identity is null";
}
static void
spoil_floor(struct table *t)
{
    static struct market_floor floor = {
        .rung = -1, .seat = "press", .category = "", .price = {3000001}};
    t->slots[0].floors = &floor;
    t->slots[0].floor_count = 1;
}

static void
test_each_reason(void **state)
{
    (void)state;
    static const struct spoil cases[] = {
        {"1 withdrawn", REASON_WITHDRAWN, spoil_withdrawn},
        {"1 paused", REASON_PAUSED, spoil_paused},
        {"1 seat paused", REASON_PAUSED, spoil_seat_paused},
        {"1 bid not yet", REASON_NOT_VALID_NOW, spoil_from},
        {"1 bid no more", REASON_NOT_VALID_NOW, spoil_until},
        {"1 message not yet", REASON_NOT_VALID_NOW, spoil_message_from},
        {"1 message no more", REASON_NOT_VALID_NOW, spoil_message_until},
        {"1 contract", REASON_CONTRACT, spoil_contract},
        {"1 campaign not yet", REASON_NOT_VALID_NOW, spoil_campaign_from},
        {"1 parent campaign no more", REASON_NOT_VALID_NOW, spoil_parent_until},
        {"2 seat kind", REASON_SEAT_KIND, spoil_kind},
        {"2 rung", REASON_RUNG, spoil_rung},
        {"2 objective", REASON_OBJECTIVE, spoil_objective},
        {"2 format", REASON_FORMAT, spoil_format},
        {"3 condition", REASON_CONDITION, spoil_condition},
        {"3 experience", REASON_NOT_EXPERIENCED, spoil_experience},
        {"5 slot rule", REASON_NOT_ELIGIBLE, spoil_slot_rule},
        {"5 seat rule", REASON_NOT_ELIGIBLE, spoil_seat_rule},
        {"5 message rule", REASON_NOT_ELIGIBLE, spoil_message_rule},
        {"8 budget of seat", REASON_BUDGET, spoil_budget},
        {"8 budget of message", REASON_BUDGET, spoil_message_budget},
        {"8 budget of campaign", REASON_BUDGET, spoil_campaign_budget},
        {"8 budget of its parent", REASON_BUDGET, spoil_parent_budget},
        {"8 budget of the day", REASON_BUDGET, spoil_daily_budget},
        {"8 pace of the day", REASON_PACING, spoil_daily_pace},
        {"8 pace of the total", REASON_PACING, spoil_total_pace},
        {"9 floor", REASON_BELOW_FLOOR, spoil_floor},
        {"9 floor of the market", REASON_BELOW_FLOOR, spoil_market_floor},
        {"9 floor of the deal", REASON_BELOW_DEAL_FLOOR, spoil_deal_floor},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table table;
        table_open(&table);
        cases[i].spoil(&table);
        struct outcome outcome = table_decide(&table);
        if (outcome.reasons[PRESS] != cases[i].reason)
            fail_msg("%s: %s", cases[i].name, reason_key(outcome.reasons[PRESS]));
        assert_int_equal(outcome.facts[1].kind, FACT_PLACEMENT);
        assert_int_equal(outcome.facts[1].placement.seat, 2);
        assert_int_equal(outcome.facts[1].placement.price.micros, 1000000);
    }
}

// (4) The ladder: what each rung needs of identity and consent, and in which words it is refused.
static void
test_data_needs(void **state)
{
    (void)state;
    enum {
        P = 1u << CONSENT_PROFILING,
        M = 1u << CONSENT_MODELLING,
        T = 1u << CONSENT_THIRD_PARTY
    };
    static const struct {
        uint8_t rung, identity, consent;
        enum reason reason;
    } cases[] = {
        {RUNG_GEOGRAPHIC, IDENTITY_ANONYMOUS, 0, REASON_NONE},
        {RUNG_DEMOGRAPHIC, IDENTITY_REPEAT, M | T, REASON_CONSENT},
        {RUNG_DEMOGRAPHIC, IDENTITY_ANONYMOUS, P, REASON_NONE},
        {RUNG_BEHAVIORAL, IDENTITY_ANONYMOUS, P, REASON_IDENTITY},
        {RUNG_BEHAVIORAL, IDENTITY_ANONYMOUS, 0, REASON_CONSENT},
        {RUNG_BEHAVIORAL, IDENTITY_FIRST_TIME, P, REASON_NONE},
        {RUNG_PERSONALIZATION, IDENTITY_FIRST_TIME, P, REASON_IDENTITY},
        {RUNG_PERSONALIZATION, IDENTITY_REPEAT, P, REASON_NONE},
        {RUNG_PREDICTIVE, IDENTITY_REPEAT, P, REASON_CONSENT},
        {RUNG_PREDICTIVE, IDENTITY_FIRST_TIME, M, REASON_IDENTITY},
        {RUNG_PREDICTIVE, IDENTITY_REPEAT, M, REASON_NONE},
        {RUNG_COMMERCIALIZATION, IDENTITY_REPEAT, P | M, REASON_CONSENT},
        {RUNG_AFFILIATION, IDENTITY_ANONYMOUS, T, REASON_NONE},
        {RUNG_SYNDICATION, IDENTITY_ANONYMOUS, P, REASON_CONSENT},
        {RUNG_SYNDICATION, IDENTITY_ANONYMOUS, T, REASON_NONE},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table table;
        table_open(&table);
        table.seats[PRESS].kind = cases[i].rung <= RUNG_PREDICTIVE ? SEAT_DEPARTMENT : SEAT_PARTNER;
        table.messages[PRESS].rung = cases[i].rung;
        table.contact.identity = cases[i].identity;
        table.contact.consent = cases[i].consent;
        struct outcome outcome = table_decide(&table);
        if (outcome.reasons[PRESS] != cases[i].reason)
            fail_msg("case %u: %s", i, reason_key(outcome.reasons[PRESS]));
        if (cases[i].reason == REASON_NONE) assert_int_equal(outcome.facts[1].placement.seat, 3);
    }
}

// (6) One message once in a contact; a win is spent at once for the slots behind it.
static void
test_two_slots(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.container.slot_count = 2;
    struct outcome outcome = table_decide(&table);
    assert_int_equal(outcome.reasons[3 + PRESS], REASON_DUPLICATE);
    assert_int_equal(outcome.facts[2].placement.seat, 2);
    assert_int_equal(outcome.facts[2].placement.price.micros, 1000000);

    table_open(&table);  // the same seat with two messages, and money for one
    table.container.slot_count = 2;
    table.messages[1].seat = "press";
    table.bids[1].seat = 3;
    table.seats[PRESS].budget.has_total = true;
    table.seats[PRESS].budget.total = money_of(2999999 + 1);
    outcome = table_decide(&table);
    assert_int_equal(outcome.reasons[1], REASON_OWN_SEAT);
    assert_int_equal(outcome.facts[1].placement.price.micros,
                     1000000);                             // set by care, not by its own bid
    assert_int_equal(outcome.facts[2].placement.seat, 3);  // 3.00 - 1.00 spent >= 2.00
    table_open(&table);
    table.container.slot_count = 2;
    table.messages[1].seat = "press";
    table.bids[1].seat = 3;
    table.seats[PRESS].budget.has_total = true;
    table.seats[PRESS].budget.total = money_of(3000000);
    table.bids[0].price = money_of(1000001);
    outcome = table_decide(&table);
    assert_int_equal(outcome.reasons[3 + 1], REASON_BUDGET);
    assert_int_equal(outcome.facts[2].placement.seat, 1);
}

static void
test_slots_wanted(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.container.slot_count = 2;
    table.contact.slots_wanted = 2;
    struct outcome outcome = table_decide(&table);
    assert_int_equal(outcome.facts[1].kind, FACT_UNFILLED);
    assert_int_equal(outcome.facts[1].unfilled.reason, REASON_NOT_REQUESTED);
    assert_int_equal(outcome.facts[2].placement.seat, 3);
}

static void
test_unfilled(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.slots[0].floor = money_of(4000000);
    struct outcome outcome = table_decide(&table);
    const struct fact *fact = &outcome.facts[1];
    assert_int_equal(fact->unfilled.reason, REASON_NO_ELIGIBLE_BID);
    assert_int_equal(fact->unfilled.main_reason, REASON_BELOW_FLOOR);
    assert_int_equal(fact->unfilled.best.micros, 3000000);
    assert_int_equal(fact->unfilled.considered, 0);  // all below every floor: not looked at
    assert_int_equal(fact->unfilled.floor.micros, 4000000);

    table_open(&table);
    table.container.slot_count = 2;
    for (unsigned i = 0; i < 3; i++) table.bids[i].slot = 12;
    outcome = table_decide(&table);
    assert_int_equal(outcome.facts[1].unfilled.reason, REASON_NO_BIDS);
    assert_int_equal(outcome.facts[1].unfilled.main_reason, REASON_NONE);
    assert_int_equal(outcome.facts[2].kind, FACT_PLACEMENT);
}

// (9) Priorities: the higher ranks first whatever the price; only its own sort sets its price.
static void
test_priority(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.messages[0].priority = 1;
    struct outcome outcome = table_decide(&table);
    assert_int_equal(outcome.facts[1].placement.seat, 1);
    assert_int_equal(outcome.facts[1].placement.price.micros, 500000);
    assert_true(outcome.facts[1].placement.setter == 0);
    assert_int_equal(outcome.reasons[PRESS], REASON_LOST_TO_PRIORITY);
    assert_int_equal(outcome.reasons[1], REASON_LOST_TO_PRIORITY);
    assert_int_equal(outcome.of[0].priority, 1);
    table_open(&table);
    table.messages[0].priority = table.messages[1].priority = 1;
    outcome = table_decide(&table);
    assert_int_equal(outcome.facts[1].placement.seat, 2);
    assert_int_equal(outcome.facts[1].placement.price.micros, 1000000);
    assert_int_equal(outcome.reasons[0], REASON_OUTBID);
}

// (9) A deal: its floor in place of all others, its way to pay, its priority, its guarantee.
static void
test_deal(void **state)
{
    (void)state;
    static const struct {
        uint8_t at;
        int64_t price;
        uint64_t setter;
    } cases[] = {
        {DEAL_SECOND_PRICE, 2000000, 71}, {DEAL_FIRST_PRICE, 3000000, 0}, {DEAL_FIXED, 600000, 0}};
    for (unsigned i = 0; i < 3; i++) {
        struct table table;
        table_open(&table);
        table.market.deal_count = 1;
        table.deal.at = cases[i].at;
        struct outcome outcome = table_decide(&table);
        assert_int_equal(outcome.facts[1].placement.seat, 3);
        assert_int_equal(outcome.facts[1].placement.deal, 60);
        assert_int_equal(outcome.facts[1].placement.price.micros, cases[i].price);
        assert_int_equal(outcome.facts[1].placement.floor.micros, 600000);
        assert_true(outcome.facts[1].placement.setter == cases[i].setter);
    }
    struct table table;
    table_open(&table);  // the guarantee is not reached: before all priorities
    table.market.deal_count = 1;
    table.deal.guarantee = 1;
    table.messages[0].priority = BOUND_PRIORITY;
    table.bids[PRESS].price = money_of(600000);
    struct catalog *catalog = table_catalog(&table);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    struct outcome outcome = decide(&table, catalog, book, NULL);
    assert_int_equal(outcome.facts[1].placement.seat, 3);
    assert_int_equal(outcome.facts[1].placement.price.micros, 600000);
    for (unsigned i = 0; i < outcome.count; i++)
        assert_int_equal(book_apply(book, &outcome.facts[i], (struct catalog_position){1, 1, 1}),
                         STATUS_OK);
    snprintf(table.contact.key, sizeof table.contact.key, "bill-2");
    table.contact.request_key = contact_request_key(5, table.contact.key);
    outcome = decide(&table, catalog, book, NULL);  // now it is
    assert_int_equal(outcome.facts[1].placement.seat, 1);
    assert_int_equal(outcome.reasons[PRESS], REASON_OUTBID);
    book_close(book);
    catalog_close(catalog);
    arena_close(table.arena);
}

// (9) Prices per response and shares rank by what is expected of them, and pay in their own kind.
static void
test_kinds(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.bids[PRESS].kind = PRICE_RESPONSE;  // half of them respond, as far as is known
    table.bids[PRESS].price = money_of(6000000);
    struct outcome outcome = table_decide(&table);
    assert_int_equal(outcome.facts[1].placement.seat, 3);
    assert_int_equal(outcome.facts[1].placement.kind, PRICE_RESPONSE);
    assert_int_equal(outcome.facts[1].placement.bid_price.micros, 6000000);
    assert_true(outcome.of[PRESS].multiplier == UINT64_C(1) << 31);
    assert_int_equal(outcome.of[PRESS].score.micros, 3000000);
    assert_int_equal(outcome.facts[1].placement.price.micros, 4000000);
    table_open(&table);
    table.bids[PRESS].kind = PRICE_SHARE;  // nothing is known to follow
    table.bids[PRESS].price = money_of(500000);
    outcome = table_decide(&table);
    assert_int_equal(outcome.facts[1].placement.seat, 2);
    assert_int_equal(outcome.reasons[PRESS], REASON_BELOW_FLOOR);
    assert_int_equal(outcome.of[PRESS].short_by.micros, 500000);
}

// (9) A trial on all contacts: every floor of the slot is multiplied and rounded up.
static void
test_experiment(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.market.experiment_count = 1;
    struct outcome outcome = table_decide(&table);
    assert_int_equal(outcome.facts[0].opened.experiment, 62);
    assert_int_equal(outcome.facts[0].opened.flags, CONTACT_VARIANT);
    assert_int_equal(outcome.reasons[0], REASON_BELOW_FLOOR);  // 1.00 < 1.0000005, rounded up
    assert_int_equal(outcome.of[0].short_by.micros, 1);
    table_open(&table);
    table.market.experiment_count = 1;
    table.experiments[0].share_ppm = 1;  // not this customer
    outcome = table_decide(&table);
    assert_int_equal(outcome.facts[0].opened.experiment, 62);
    assert_int_equal(outcome.facts[0].opened.flags, 0);
    assert_int_equal(outcome.reasons[0], REASON_OUTBID);
    table_open(&table);
    table.market.experiment_count = 1;
    table.experiments[0].until.us = RANDOM_NOW;
    outcome = table_decide(&table);
    assert_int_equal(outcome.facts[0].opened.experiment, 0);
    table_open(&table);  // of two the first counts, and changes its own slot only
    table.market.experiment_count = table.container.slot_count = 2;
    table.experiments[0].slot = "bill.insert";
    table.experiments[1].slot = "bill.footer";
    outcome = table_decide(&table);
    assert_int_equal(outcome.facts[0].opened.experiment, 62);
    assert_int_equal(outcome.of[0].floor.micros, 1000001);
    assert_int_equal(outcome.of[3].floor.micros, 500000);
}

// (7) One message of any kind a day; after a complaint a quiet time for all that does not serve.
static void
test_pressure(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.market.cap_count = 1;
    table.market.complaint_quiet_days = 2;
    table.messages[0].objectives = 1u << OBJECTIVE_EDUCATE;
    struct catalog *catalog = table_catalog(&table);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    struct outcome outcome = decide(&table, catalog, book, NULL);
    assert_int_equal(outcome.facts[1].placement.seat, 3);
    for (unsigned i = 0; i < outcome.count; i++)
        assert_int_equal(book_apply(book, &outcome.facts[i], (struct catalog_position){1, 1, 1}),
                         STATUS_OK);
    struct fact placement = outcome.facts[1];
    snprintf(table.contact.key, sizeof table.contact.key, "bill-2");
    table.contact.request_key = contact_request_key(5, table.contact.key);
    outcome = decide(&table, catalog, book, NULL);
    for (unsigned i = 0; i < 3; i++) assert_int_equal(outcome.reasons[i], REASON_PRESSURE_CAP);
    assert_int_equal(outcome.of[PRESS].cap_count, 1);
    assert_int_equal(outcome.facts[1].unfilled.main_reason, REASON_PRESSURE_CAP);
    struct fact events[2] = {placement, placement};
    for (unsigned i = 0; i < 2; i++) {
        memset(events[i].bytes, 0, sizeof events[i].bytes);
        events[i].kind = i == 0 ? FACT_DELIVERED : FACT_COMPLAINED;
        events[i].event.slot = placement.placement.slot;
        events[i].event.message = placement.placement.message;
        events[i].event.seat = placement.placement.seat;
        events[i].event.effective = table.now;
        events[i].event.price = placement.placement.price;
        assert_int_equal(book_apply(book, &events[i], (struct catalog_position){1, 1, 2 + i}),
                         STATUS_OK);
    }
    table.now.us += USEC_DAY;
    outcome = decide(&table, catalog, book, NULL);
    assert_int_equal(outcome.reasons[0], REASON_NONE);  // it educates
    assert_int_equal(outcome.reasons[1], REASON_QUIET);
    assert_int_equal(outcome.reasons[PRESS], REASON_QUIET);
    table.now.us += USEC_DAY;
    outcome = decide(&table, catalog, book, NULL);
    assert_int_equal(outcome.reasons[PRESS], REASON_NONE);
    book_close(book);
    catalog_close(catalog);
    arena_close(table.arena);
}

// Live bids are ranked with the others, under the same rule.
static void
test_live(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    struct catalog *catalog = table_catalog(&table);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    uint32_t grill = catalog_message_by_code(catalog, "grill", 5);
    struct catalog_bid bids[2] = {{.id = 900,
                                   .seat = catalog->messages[grill].seat,
                                   .message = grill,
                                   .slot = 0,
                                   .price = {2500000}},
                                  {.id = 901,
                                   .seat = catalog->messages[grill].seat,
                                   .message = grill,
                                   .slot = 0,
                                   .price = {400000}}};
    struct round_callout callout = {.seat = 2, .answer_ms = 31, .reason = REASON_NONE, .bids = 2};
    struct round_live live = {.bids = bids, .count = 2, .callouts = &callout, .callout_count = 1};
    struct outcome outcome = decide(&table, catalog, book, &live);
    assert_int_equal(outcome.facts[1].placement.seat, 3);
    assert_int_equal(outcome.facts[1].placement.price.micros, 2500000);
    assert_true(outcome.facts[1].placement.setter == 900);
    assert_int_equal(outcome.bids[0].bid, catalog->bid_count);  // live ones are judged first
    assert_int_equal(outcome.bids[0].reason, REASON_OUTBID);
    assert_int_equal(outcome.bids[1].reason, REASON_BELOW_FLOOR);
    const struct fact *last = &outcome.facts[outcome.count - 1];
    assert_int_equal(last->kind, FACT_CALLOUTS);
    assert_int_equal(last->callouts.seat[0], 2);
    assert_int_equal(last->callouts.answer_ms[0], 31);
    bids[0].price = money_of(3500000);
    outcome = decide(&table, catalog, book, &live);
    assert_true(outcome.facts[1].placement.bid == 900);
    assert_int_equal(outcome.facts[1].placement.price.micros, 3000000);
    assert_int_equal(outcome.reasons[1], REASON_OWN_SEAT);
    book_close(book);
    catalog_close(catalog);
    arena_close(table.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_sale),   cmocka_unit_test(test_each_reason),
        cmocka_unit_test(test_data_needs),   cmocka_unit_test(test_two_slots),
        cmocka_unit_test(test_slots_wanted), cmocka_unit_test(test_unfilled),
        cmocka_unit_test(test_priority),     cmocka_unit_test(test_deal),
        cmocka_unit_test(test_kinds),        cmocka_unit_test(test_experiment),
        cmocka_unit_test(test_pressure),     cmocka_unit_test(test_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
