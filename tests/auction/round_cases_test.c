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
    table->market = (struct market){.code = "table",
                                    .name = "",
                                    .currency = {"EUR"},
                                    .containers = &table->container,
                                    .seats = table->seats,
                                    .messages = table->messages,
                                    .contracts = table->contracts,
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
    unsigned count;
};

static struct outcome
table_decide(struct table *table, struct book *book)
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
    struct book *own = book == NULL ? book_open(&history_limits) : NULL;
    if (own != NULL) book = own;
    book_catalog(book, catalog);
    struct outcome outcome;
    memset(&outcome, 0xff, sizeof outcome);
    struct why why = {outcome.bids, 0, 16};
    struct round *round = round_open();
    bool repeated;
    assert_int_equal(round_decide(round, catalog, book, &table->contact, NULL, table->now, &why,
                                  outcome.facts, &outcome.count, &repeated),
                     REASON_NONE);
    for (uint32_t i = 0; i < why.count; i++) {
        uint64_t id = catalog->bids[outcome.bids[i].bid].id;
        outcome.reasons[(outcome.bids[i].position - 1u) * 3 + (id - 70)] = outcome.bids[i].reason;
    }
    round_close(round);
    catalog_close(catalog);
    book_close(own);
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
    struct outcome outcome = table_decide(&table, NULL);
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
        {"2 seat kind", REASON_SEAT_KIND, spoil_kind},
        {"2 rung", REASON_RUNG, spoil_rung},
        {"2 objective", REASON_OBJECTIVE, spoil_objective},
        {"2 format", REASON_FORMAT, spoil_format},
        {"3 condition", REASON_CONDITION, spoil_condition},
        {"5 slot rule", REASON_NOT_ELIGIBLE, spoil_slot_rule},
        {"5 seat rule", REASON_NOT_ELIGIBLE, spoil_seat_rule},
        {"5 message rule", REASON_NOT_ELIGIBLE, spoil_message_rule},
        {"6 budget of seat", REASON_BUDGET, spoil_budget},
        {"6 budget of message", REASON_BUDGET, spoil_message_budget},
        {"7 floor", REASON_BELOW_FLOOR, spoil_floor},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table table;
        table_open(&table);
        cases[i].spoil(&table);
        struct outcome outcome = table_decide(&table, NULL);
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
        struct outcome outcome = table_decide(&table, NULL);
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
    struct outcome outcome = table_decide(&table, NULL);
    assert_int_equal(outcome.reasons[3 + PRESS], REASON_DUPLICATE);
    assert_int_equal(outcome.facts[2].placement.seat, 2);
    assert_int_equal(outcome.facts[2].placement.price.micros, 1000000);

    table_open(&table);  // the same seat with two messages, and money for one
    table.container.slot_count = 2;
    table.messages[1].seat = "press";
    table.bids[1].seat = 3;
    table.seats[PRESS].budget.has_total = true;
    table.seats[PRESS].budget.total = money_of(2999999 + 1);
    outcome = table_decide(&table, NULL);
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
    outcome = table_decide(&table, NULL);
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
    struct outcome outcome = table_decide(&table, NULL);
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
    struct outcome outcome = table_decide(&table, NULL);
    const struct fact *fact = &outcome.facts[1];
    assert_int_equal(fact->unfilled.reason, REASON_NO_ELIGIBLE_BID);
    assert_int_equal(fact->unfilled.main_reason, REASON_BELOW_FLOOR);
    assert_int_equal(fact->unfilled.best.micros, 3000000);
    assert_int_equal(fact->unfilled.considered, 0);  // all below every floor: not looked at
    assert_int_equal(fact->unfilled.floor.micros, 4000000);

    table_open(&table);
    table.container.slot_count = 2;
    for (unsigned i = 0; i < 3; i++) table.bids[i].slot = 12;
    outcome = table_decide(&table, NULL);
    assert_int_equal(outcome.facts[1].unfilled.reason, REASON_NO_BIDS);
    assert_int_equal(outcome.facts[1].unfilled.main_reason, REASON_NONE);
    assert_int_equal(outcome.facts[2].kind, FACT_PLACEMENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_sale),   cmocka_unit_test(test_each_reason),
        cmocka_unit_test(test_data_needs),   cmocka_unit_test(test_two_slots),
        cmocka_unit_test(test_slots_wanted), cmocka_unit_test(test_unfilled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
