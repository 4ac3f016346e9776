// Random rules of selling; see random_rules.h.
#include "random_rules.h"

#include <string.h>

const struct catalog_shift random_rules_shifts[2] = {{{INT64_MIN}, 7200},
                                                     {{RANDOM_NOW - 3 * USEC_DAY}, 3600}};

static money
tenths(struct random *random, uint32_t below)
{
    return money_of((int64_t)random_below(random, below) * 100000);
}

static const char *
a_seat(struct random *random, const struct market *market)
{
    return market->seats[random_below(random, market->seat_count)].code;
}

static const char *
a_tagid(struct random *random, const struct market *market)
{
    const struct market_container *container =
        &market->containers[random_below(random, market->container_count)];
    return arena_printf(market->arena, "%s.%s", container->code,
                        container->slots[random_below(random, container->slot_count)].code);
}

static void
daily(struct random *random, struct market_budget *budget, uint32_t purse)
{
    if (!random_chance(random, 40)) return;
    budget->has_daily = true;
    budget->daily = money_of((int64_t)random_below(random, purse) * 500000);
    budget->pacing = (uint8_t)random_below(random, PACING_COUNT);
}

static void
declare_campaigns(struct random *random, struct market *market, const struct random_market *options)
{
    uint32_t count = 10, purse = options->purse == 0 ? 40 : options->purse;
    struct random lasting = {options->lasting + 1}, *of = options->lasting != 0 ? &lasting : random;
    market->campaigns = arena_take(market->arena, count, sizeof *market->campaigns);
    market->campaign_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct market_campaign *parent = i > 2 && random_chance(of, 50)
                                                   ? &market->campaigns[random_below(of, 3)]
                                                   : NULL;
        struct market_campaign *campaign = &market->campaigns[i];
        *campaign = (struct market_campaign){
            .id = 20 + i,
            .code = arena_printf(market->arena, "campaign%u", i),
            .name = "",
            .seat = parent != NULL ? parent->seat
                                   : market->seats[random_below(of, market->seat_count)].code,
            .parent = parent != NULL ? parent->code : "",
        };
        if (random_chance(random, 10)) campaign->until.us = RANDOM_NOW;
        if (random_chance(random, 10)) campaign->from.us = RANDOM_NOW - 10 * USEC_DAY;
        if (!options->budgets) continue;
        campaign->budget.has_total = random_chance(random, 50);
        if (campaign->budget.has_total)
            campaign->budget.total = money_of((int64_t)random_below(random, purse) * 1000000);
        if (options->daily) daily(random, &campaign->budget, purse);
    }
    for (uint32_t i = 0; i < market->message_count; i++) {
        struct market_message *message = &market->messages[i];
        const struct market_campaign *campaign = &market->campaigns[random_below(of, count)];
        if (strcmp(campaign->seat, message->seat) == 0) message->campaign = campaign->code;
    }
}

static const char *
counted_of(struct random *random, const struct market *market, enum cap_per per)
{
    switch (per) {
    case CAP_MESSAGE: return market->messages[random_below(random, market->message_count)].code;
    case CAP_SEAT: return a_seat(random, market);
    case CAP_OBJECTIVE:
        return objective_name((enum objective)random_below(random, OBJECTIVE_COUNT));
    case CAP_CATEGORY: return "food";
    case CAP_CHANNEL: return channel_name((enum channel)random_below(random, 3));
    case CAP_ANY:
    case CAP_PER_COUNT: break;
    }
    return "";
}

static void
declare_caps(struct random *random, struct market *market, const struct random_market *options)
{
    struct random lasting = {options->lasting + 2}, *of = options->lasting != 0 ? &lasting : random;
    uint32_t count = 2 + random_below(of, 6);
    market->caps = arena_take(market->arena, count, sizeof *market->caps);
    market->cap_count = count;
    for (uint32_t i = 0; i < count; i++) {
        enum cap_per per = (enum cap_per)random_below(of, CAP_PER_COUNT);
        enum cap_window window = (enum cap_window)random_below(of, CAP_WINDOW_COUNT);
        bool named = per != CAP_ANY && random_chance(of, 50);
        market->caps[i] = (struct market_cap){
            .id = 200 + i,
            .code = arena_printf(market->arena, "cap%u", i),
            .per = (uint8_t)per,
            .of = named ? counted_of(of, market, per) : "",
            .count = 1 + random_below(of, BOUND_CAP_COUNT),
            .window = (uint8_t)window,
            .minutes = window == CAP_MINUTES ? 1 + random_below(of, 20000) : 0,
        };
    }
    market->complaint_quiet_days = random_below(of, 3) * 7;
    market->refund_quiet_days = random_below(of, 3) * 3;
}

static const char *
a_when(struct random *random, struct arena *arena)
{
    switch (random_below(random, 4)) {
    case 0: return arena_printf(arena, "age >= %u", 18 + random_below(random, 60));
    case 1: return arena_printf(arena, "region = 'region%u' or vip", random_below(random, 12));
    case 2: return "identity = 'repeat' and interests is not null";
    default: return arena_printf(arena, "not score < %u", random_below(random, 400));
    }
}

static void
declare_floors(struct random *random, struct market *market)
{
    uint32_t count = 4 + random_below(random, 16);
    market->floors = arena_take(market->arena, count, sizeof *market->floors);
    market->floor_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct market_rule_floor *floor = &market->floors[i];
        *floor = (struct market_rule_floor){
            .id = 300 + i,
            .code = arena_printf(market->arena, "floor%u", i),
            .container = "",
            .slot = "",
            .channel = -1,
            .stage = -1,
            .rung = -1,
            .tier = -1,
            .seat = "",
            .category = "",
            .when = "",
            .price = tenths(random, 15),
        };
        uint32_t other = random_below(random, market->container_count);
        if (random_chance(random, 25)) floor->container = market->containers[other].code;
        else if (random_chance(random, 25)) floor->slot = a_tagid(random, market);
        if (random_chance(random, 20)) floor->channel = (int8_t)random_below(random, 3);
        if (random_chance(random, 20)) floor->stage = (int8_t)market->containers[other].stage;
        if (random_chance(random, 30)) floor->rung = (int8_t)random_below(random, RUNG_COUNT);
        if (random_chance(random, 20)) floor->tier = (int8_t)random_below(random, TIER_COUNT);
        if (random_chance(random, 30)) floor->seat = a_seat(random, market);
        if (random_chance(random, 20)) floor->category = "food";
        if (random_chance(random, 30)) floor->when = a_when(random, market->arena);
    }
}

static void
declare_experiments(struct random *random, struct market *market)
{
    market->experiment_count = 3;
    market->experiments = arena_take(market->arena, 3, sizeof *market->experiments);
    for (uint32_t i = 0; i < 3; i++)
        market->experiments[i] = (struct market_experiment){
            .id = 400 + i,
            .code = arena_printf(market->arena, "experiment%u", i),
            .container = market->containers[i % market->container_count].code,
            .slot = "",
            .channel = -1,
            .stage = -1,
            .share_ppm = 1 + random_below(random, MONEY_PPM),
            .factor_ppm = 500000 + random_below(random, 1000000),
            .until = {random_chance(random, 20) ? RANDOM_NOW : 0},
            .stop_loss_ppm = 100000,
            .stop_contacts = 1000,
            .stopped = random_chance(random, 20),
        };
}

static void
declare_deals(struct random *random, struct market *market)
{
    uint32_t count = 1 + random_below(random, 4), used = 0;
    market->deals = arena_take(market->arena, count, sizeof *market->deals);
    market->deal_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct market_deal *deal = &market->deals[i];
        *deal = (struct market_deal){
            .id = 500 + i,
            .code = arena_printf(market->arena, "deal%u", i),
            .messages = arena_take(market->arena, 8, sizeof(char *)),
            .slots = arena_take(market->arena, 4, sizeof(char *)),
            .at = (uint8_t)random_below(random, DEAL_AT_COUNT),
            .priority = (uint8_t)(random_chance(random, 40) ? random_below(random, 4) : 0),
            .floor = tenths(random, 12),
            .from = {random_chance(random, 10) ? RANDOM_NOW + 1000 : 0},
            .until = {random_chance(random, 10) ? RANDOM_NOW : 0},
            .guarantee = random_chance(random, 40) ? random_below(random, 6) : 0,
        };
        // Messages of one market stand in one deal at most: each takes some of those left.
        for (uint32_t left = 1 + random_below(random, 4); left > 0; left--) {
            if (used >= market->message_count) break;
            deal->messages[deal->message_count++] = market->messages[used].code;
            used += 1 + random_below(random, 3);
        }
        uint32_t slots = random_chance(random, 40) ? 0 : 1 + random_below(random, 3);
        for (uint32_t j = 0; j < slots; j++) {
            const char *tagid = a_tagid(random, market);
            bool again = false;
            for (uint32_t k = 0; k < deal->slot_count; k++)
                again = again || strcmp(deal->slots[k], tagid) == 0;
            if (!again) deal->slots[deal->slot_count++] = tagid;
        }
    }
}

static void
declare_limits(struct random *random, struct market *market)
{
    for (uint32_t i = 0; i < market->container_count; i++) {
        struct market_container *container = &market->containers[i];
        container->separate = random_chance(random, 40);
        container->paid_max = random_chance(random, 40) ? 1 + random_below(random, 2) : 0;
        if (!random_chance(random, 50)) continue;
        container->quota_count = 1 + random_below(random, container->slot_count);
        while (container->quota_objectives == 0)
            for (unsigned j = 0; j < OBJECTIVE_COUNT; j++)
                if (random_chance(random, 20)) container->quota_objectives |= (uint16_t)(1u << j);
    }
}

// A word for the group; of each seat its own group.
static void
declare_groups(struct random *random, struct market *market)
{
    for (uint32_t i = 0; i < market->message_count; i++)
        if (random_chance(random, 25))
            market->messages[i].group = random_chance(random, 50) ? "one" : "two";
}

static void
declare_live(struct random *random, struct market *market)
{
    for (uint32_t i = 0; i < market->seat_count; i++) {
        struct market_seat *seat = &market->seats[i];
        seat->live = random_chance(random, 50);
        if (!seat->live || !random_chance(random, 60)) continue;
        seat->shows = arena_take(market->arena, 2, sizeof *seat->shows);
        seat->shows[seat->show_count++] = "region";
        if (random_chance(random, 50)) seat->shows[seat->show_count++] = "product";
    }
}

static void
declare_daily(struct random *random, struct market *market, const struct random_market *options)
{
    uint32_t purse = options->purse == 0 ? 40 : options->purse;
    for (uint32_t i = 0; i < market->seat_count; i++)
        daily(random, &market->seats[i].budget, purse);
    for (uint32_t i = 0; i < market->message_count; i++)
        daily(random, &market->messages[i].budget, purse / 2 + 1);
}

void
random_rules_declare(struct random *random, struct market *market,
                     const struct random_market *options)
{
    market->disclosure = DISCLOSE_CLEARING;
    struct random apart = *random;  // so that other parts are drawn as without it
    if (options->kinds && random_chance(&apart, 50)) {
        market->expect_deliveries = 1000;
        market->expect_responses = random_below(&apart, 200);
        market->expect_conversions = random_below(&apart, 50);
        market->expect_revenue = money_of(1000000 * (int64_t)random_below(&apart, 3000));
    }
    if (options->daily && options->budgets) declare_daily(random, market, options);
    if (options->campaigns) declare_campaigns(random, market, options);
    if (options->market_caps) declare_caps(random, market, options);
    if (options->floors) declare_floors(random, market);
    if (options->experiments) declare_experiments(random, market);
    if (options->deals) declare_deals(random, market);
    if (options->limits) declare_limits(random, market);
    if (options->groups) declare_groups(random, market);
    if (options->live) declare_live(random, market);
    for (uint32_t i = 0; i < market->message_count; i++) {
        struct market_message *message = &market->messages[i];
        if (options->priorities && random_chance(random, 25))
            message->priority = (uint8_t)(1 + random_below(random, 3));
        if (options->experience) message->after_experience = random_chance(random, 20);
    }
    for (uint32_t i = 0; options->explore && i < market->container_count; i++)
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++)
            market->containers[i].slots[j].explore = random_chance(random, 40);
}

void
random_rules_price(struct random *random, const struct random_market *options,
                   struct market_bid *bid)
{
    if (!options->kinds) return;
    uint32_t sort = random_below(random, 100);
    if (sort < 25) {
        bid->kind = PRICE_RESPONSE;
        bid->price = money_of(bid->price.micros * (1 + (int64_t)random_below(random, 8)));
    } else if (sort < 45) {
        bid->kind = PRICE_SHARE;
        bid->price = money_of(10000 * (1 + (int64_t)random_below(random, options->prices % 100)));
    }
}
