// A round case by case: what stops a bid. One small market, one change each, under the numbers of
// round.c's comment. What a bid competes with: round_terms_test.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "round_table.h"

static void
test_plain_sale(void **state)
{
    (void)state;
    struct table table;
    round_table_open(&table);
    struct outcome outcome = round_table_decide(&table);
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
        round_table_open(&table);
        cases[i].spoil(&table);
        struct outcome outcome = round_table_decide(&table);
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
        round_table_open(&table);
        table.seats[PRESS].kind = cases[i].rung <= RUNG_PREDICTIVE ? SEAT_DEPARTMENT : SEAT_PARTNER;
        table.messages[PRESS].rung = cases[i].rung;
        table.contact.identity = cases[i].identity;
        table.contact.consent = cases[i].consent;
        struct outcome outcome = round_table_decide(&table);
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
    round_table_open(&table);
    table.container.slot_count = 2;
    struct outcome outcome = round_table_decide(&table);
    assert_int_equal(outcome.reasons[3 + PRESS], REASON_DUPLICATE);
    assert_int_equal(outcome.facts[2].placement.seat, 2);
    assert_int_equal(outcome.facts[2].placement.price.micros, 1000000);

    round_table_open(&table);  // the same seat with two messages, and money for one
    table.container.slot_count = 2;
    table.messages[1].seat = "press";
    table.bids[1].seat = 3;
    table.seats[PRESS].budget.has_total = true;
    table.seats[PRESS].budget.total = money_of(2999999 + 1);
    outcome = round_table_decide(&table);
    assert_int_equal(outcome.reasons[1], REASON_OWN_SEAT);
    assert_int_equal(outcome.facts[1].placement.price.micros,
                     1000000);                             // set by care, not by its own bid
    assert_int_equal(outcome.facts[2].placement.seat, 3);  // 3.00 - 1.00 spent >= 2.00
    round_table_open(&table);
    table.container.slot_count = 2;
    table.messages[1].seat = "press";
    table.bids[1].seat = 3;
    table.seats[PRESS].budget.has_total = true;
    table.seats[PRESS].budget.total = money_of(3000000);
    table.bids[0].price = money_of(1000001);
    outcome = round_table_decide(&table);
    assert_int_equal(outcome.reasons[3 + 1], REASON_BUDGET);
    assert_int_equal(outcome.facts[2].placement.seat, 1);
}

static void
test_slots_wanted(void **state)
{
    (void)state;
    struct table table;
    round_table_open(&table);
    table.container.slot_count = 2;
    table.contact.slots_wanted = 2;
    struct outcome outcome = round_table_decide(&table);
    assert_int_equal(outcome.facts[1].kind, FACT_UNFILLED);
    assert_int_equal(outcome.facts[1].unfilled.reason, REASON_NOT_REQUESTED);
    assert_int_equal(outcome.facts[2].placement.seat, 3);
}

static void
test_unfilled(void **state)
{
    (void)state;
    struct table table;
    round_table_open(&table);
    table.slots[0].floor = money_of(4000000);
    struct outcome outcome = round_table_decide(&table);
    const struct fact *fact = &outcome.facts[1];
    assert_int_equal(fact->unfilled.reason, REASON_NO_ELIGIBLE_BID);
    assert_int_equal(fact->unfilled.main_reason, REASON_BELOW_FLOOR);
    assert_int_equal(fact->unfilled.best.micros, 3000000);
    assert_int_equal(fact->unfilled.considered, 0);  // all below every floor: not looked at
    assert_int_equal(fact->unfilled.floor.micros, 4000000);

    round_table_open(&table);
    table.container.slot_count = 2;
    for (unsigned i = 0; i < 3; i++) table.bids[i].slot = 12;
    outcome = round_table_decide(&table);
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
