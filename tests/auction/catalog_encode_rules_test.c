// Rules of selling in a catalog: floors in order of precedence against another way to say it,
// deals, campaigns, limits, experiments, the order of bids.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "catalog_sample.h"
#include "fact.h"
#include "random_market.h"
#include "scratch.h"

static struct catalog *
decode(const struct catalog_input *input)
{
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(input, arena, &len);
    struct catalog *catalog;
    assert_int_equal(catalog_decode(bytes, len, &catalog, NULL), STATUS_OK);
    return catalog;
}

static void
what_was_declared_comes_back(void **state)
{
    (void)state;
    struct catalog *catalog = decode(&sample_input);
    assert_true(catalog->disclosure == DISCLOSE_TO_TIE && catalog->sample_ppm == 10000 &&
                catalog->sample_days == 30 && catalog->complaint_quiet_days == 30 &&
                catalog->refund_quiet_days == 14);
    const struct catalog_seat *grill = &catalog->seats[1];
    assert_true(grill->live && grill->shows == UINT64_C(1) << BUILTIN_COUNT);
    assert_true(grill->message_count == 1 && grill->messages[0] == 1);
    assert_true(grill->budget.has_daily && grill->budget.pacing == PACING_EVEN &&
                grill->budget.limit.micros == 5000000000 && grill->budget.limit_day == 0 &&
                catalog_daily_limit(&grill->budget, 7).micros == 7000000);
    const struct catalog_container *bill = &catalog->containers[2];
    assert_true(bill->separate && bill->paid_max == 1 && bill->quota_count == 1 &&
                bill->quota_objectives == 1u << OBJECTIVE_EDUCATE);
    assert_int_equal(catalog->campaign_count, 2);
    assert_int_equal(catalog->campaigns[0].parent, 1);
    assert_int_equal(catalog->campaigns[1].parent, UINT32_MAX);
    assert_true(catalog->campaigns[1].budget.daily.micros == 500 &&
                !catalog->campaigns[1].budget.has_total);
    assert_int_equal(catalog_campaign_by_id(catalog, 11), 1);
    assert_int_equal(catalog_campaign_by_id(catalog, 13), UINT32_MAX);
    assert_int_equal(catalog_deal_by_id(catalog, 51), 0);
    const struct catalog_message *upgrade = &catalog->messages[0],
                                 *of_grill = &catalog->messages[1];
    assert_int_equal(of_grill->campaign, 0);
    assert_int_equal(upgrade->campaign, UINT32_MAX);
    assert_true(of_grill->after_experience && !upgrade->after_experience);
    // One word for the group, but of two seats: two groups.
    assert_true(catalog->group_count == 2 && upgrade->group != of_grill->group &&
                upgrade->group_size == 1);
    assert_int_equal(catalog->slots[1].experiment_count, 1);
    assert_int_equal(catalog->slots[0].experiment_count, 0);
    assert_true(catalog->experiments[0].stopped && catalog->experiments[0].factor_ppm == 1200000);
    assert_true(catalog->shift_count == 3 && catalog->shifts[0].from.us == INT64_MIN &&
                catalog->shifts[1].offset_seconds == 7200);
    const struct catalog_floor *first = &catalog->slots[1].floors[0];
    assert_true(first->number == FACT_FLOOR_ID_RULE && first->id == 32 && first->tier == TIER_GOLD);
    assert_non_null(first->when);
    assert_int_equal(catalog->slots[1].floors[1].number, 1);
    assert_int_equal(catalog->slots[1].floors[9].id, 31);
    catalog_close(catalog);
}

static void
a_deal_holds_for_its_messages_slots_and_time(void **state)
{
    (void)state;
    struct catalog *catalog = decode(&sample_input);
    uint32_t close = 0, footer = 1, insert = 2, grill = 1, upgrade = 0;
    const struct catalog_deal *deal = catalog_deal_of(catalog, footer, grill, (usec){1500});
    assert_non_null(deal);
    assert_true(deal->at == DEAL_FIRST_PRICE && deal->priority == 3 && deal->floor.micros == 25 &&
                deal->guarantee == 10 && deal->id == 51);
    assert_ptr_equal(catalog_deal_of(catalog, close, grill, (usec){1799}), deal);
    assert_null(catalog_deal_of(catalog, footer, grill, (usec){1499}));
    assert_null(catalog_deal_of(catalog, footer, grill, (usec){1800}));
    assert_null(catalog_deal_of(catalog, insert, grill, (usec){1500}));
    assert_null(catalog_deal_of(catalog, footer, upgrade, (usec){1500}));
    assert_true(catalog_judged_first(catalog, grill, PRICE_PLACEMENT));
    assert_false(catalog_judged_first(catalog, upgrade, PRICE_PLACEMENT));
    assert_true(catalog_judged_first(catalog, upgrade, PRICE_SHARE));
    catalog_close(catalog);
    uint32_t slots = sample_deals[0].slot_count;
    sample_deals[0].slot_count = 0;
    catalog = decode(&sample_input);
    sample_deals[0].slot_count = slots;
    assert_non_null(catalog_deal_of(catalog, insert, grill, (usec){1500}));  // in any slot
    catalog_close(catalog);
}

static void
limits_of_this_node(void **state)
{
    (void)state;
    const struct catalog_limit limits[] = {
        {.of = BUDGET_SEAT,
         .id = 1,
         .has_total = true,
         .total = {300},
         .has_daily = true,
         .day = 20000,
         .daily = {40},
         .next_daily = {30}},
        {.of = BUDGET_MESSAGE, .id = 4, .has_total = true, .total = {7}},
        {.of = BUDGET_CAMPAIGN, .id = 11, .has_daily = true, .day = 20000, .daily = {1}},
    };
    struct catalog_input input = sample_input;
    input.limits = limits;
    input.limit_count = 3;
    struct catalog *catalog = decode(&input);
    const struct catalog_budget *grill = &catalog->seats[1].budget;
    assert_true(grill->total.micros == 5000000000 && grill->limit.micros == 300);
    assert_int_equal(catalog_daily_limit(grill, 19999).micros, 0);
    assert_int_equal(catalog_daily_limit(grill, 20000).micros, 40);
    assert_int_equal(catalog_daily_limit(grill, 20001).micros, 30);
    assert_int_equal(catalog_daily_limit(grill, 20002).micros, 0);
    assert_int_equal(catalog->messages[1].budget.limit.micros, 7);
    assert_int_equal(catalog_daily_limit(&catalog->campaigns[1].budget, 20001).micros, 0);
    catalog_close(catalog);
}

// The rule of precedence once more, as a key to sort by: conditions, then which.
static void
precedence_key(const struct market *market, const struct catalog_floor *floor, int key[11])
{
    const struct market_rule_floor *rule = NULL;
    for (uint32_t i = 0; floor->id != 0 && i < market->floor_count; i++)
        if (market->floors[i].id == floor->id) rule = &market->floors[i];
    bool own = floor->id == 0;
    int has[] = {floor->seat != UINT32_MAX,
                 floor->category >= 0,
                 floor->rung >= 0,
                 floor->tier >= 0,
                 floor->when != NULL,
                 own || rule->slot[0] != '\0',
                 !own && rule->container[0] != '\0',
                 !own && rule->channel >= 0,
                 !own && rule->stage >= 0};
    key[0] = 0;
    for (int i = 0; i < 9; i++) key[0] -= has[i];
    for (int i = 0; i < 9; i++) key[1 + i] = -has[i];
    key[10] = own ? floor->number : (int)(BOUND_FLOORS + floor->id);
}

// Random rules over the sample's slots; every slot's list is in order and complete.
static void
floors_stand_in_order_of_precedence(void **state)
{
    (void)state;
    struct random random = {random_seed(7)};
    static const char *const containers[] = {"", "", "bill", "call"},
                             *const slots[] = {"", "", "bill.footer", "call.close"},
                             *const seats[] = {"", "grillco"}, *const categories[] = {"", "garden"},
                             *const whens[] = {"", "age > 3"};
    struct market_rule_floor rules[40];
    struct market market = sample_market;
    market.floors = rules;
    struct catalog_input input = sample_input;
    input.market = &market;
    for (unsigned round = 0; round < 200; round++) {
        market.floor_count = random_below(&random, 40);
        for (uint32_t i = 0; i < market.floor_count; i++)
            rules[i] = (struct market_rule_floor){
                .id = 100 + i,
                .code = "f",
                .container = containers[random_below(&random, 4)],
                .slot = slots[random_below(&random, 4)],
                .channel = (int8_t)(random_chance(&random, 70) ? -1 : CHANNEL_BILL),
                .stage = (int8_t)(random_chance(&random, 70) ? -1 : STAGE_SERVICE),
                .rung = (int8_t)(random_chance(&random, 60) ? -1 : RUNG_SYNDICATION),
                .tier = (int8_t)(random_chance(&random, 60) ? -1 : TIER_GOLD),
                .seat = seats[random_below(&random, 2)],
                .category = categories[random_below(&random, 2)],
                .when = whens[random_below(&random, 2)],
                .price = {i}};
        struct catalog *catalog = decode(&input);
        for (uint32_t s = 0; s < catalog->slot_count; s++) {
            const struct catalog_slot *slot = &catalog->slots[s];
            const struct catalog_container *container = &catalog->containers[slot->container];
            uint32_t expected = s == 1 ? 8 : 0;
            for (uint32_t i = 0; i < market.floor_count; i++)
                expected += (rules[i].container[0] == '\0' ||
                             strcmp(rules[i].container, container->code) == 0) &&
                            (rules[i].slot[0] == '\0' || strcmp(rules[i].slot, slot->tagid) == 0) &&
                            (rules[i].channel < 0 || rules[i].channel == container->channel) &&
                            (rules[i].stage < 0 || rules[i].stage == container->stage);
            assert_int_equal(slot->floor_count, expected);
            for (uint32_t i = 1; i < slot->floor_count; i++) {
                int before[11], now[11], at = 0;
                precedence_key(&market, &slot->floors[i - 1], before);
                precedence_key(&market, &slot->floors[i], now);
                while (at < 11 && before[at] == now[at]) at++;
                assert_true(at < 11 && before[at] < now[at]);
            }
        }
        catalog_close(catalog);
    }
}

static void
random_markets_are_read_whole(void **state)
{
    (void)state;
    struct random random = {random_seed(11)};
    for (unsigned round = 0; round < 60; round++) {
        struct random_market options = {.bids = 200, .prices = 20, .version = 1};
        random_market_everything(&options);
        struct catalog *catalog = random_market(&random, &options);
        uint32_t first = 0;
        for (uint32_t i = 0; i < catalog->bid_count; i++) {
            const struct catalog_bid *bid = &catalog->bids[i];
            bool judged = catalog_judged_first(catalog, bid->message, (enum price_kind)bid->kind);
            first += judged;
            assert_int_equal(judged, i < catalog->judged_first);
            if (i == 0 || i == catalog->judged_first) continue;
            const struct catalog_bid *last = bid - 1;
            assert_true(judged
                            ? last->id < bid->id
                            : last->price.micros > bid->price.micros ||
                                  (last->price.micros == bid->price.micros && last->id < bid->id));
        }
        assert_int_equal(first, catalog->judged_first);
        for (uint32_t i = 0; i < catalog->message_count; i++) {
            const struct catalog_message *message = &catalog->messages[i];
            uint32_t size = 0;
            for (uint32_t j = 0; j < catalog->message_count; j++)
                size += message->group != 0 && catalog->messages[j].group == message->group;
            assert_int_equal(message->group_size, size);
            assert_true(message->campaign == UINT32_MAX ||
                        catalog->campaigns[message->campaign].seat == message->seat);
        }
        catalog_close(catalog);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(what_was_declared_comes_back),  TEST(a_deal_holds_for_its_messages_slots_and_time),
        TEST(limits_of_this_node),           TEST(floors_stand_in_order_of_precedence),
        TEST(random_markets_are_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
