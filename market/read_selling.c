// The rules of selling: campaigns, floors, caps, deals, experiments.
#include <stdlib.h>
#include <string.h>

#include "catalog_parts.h"
#include "read.h"

// --- Values that only these sections have --------------------------------------------------------

// A tagid or code of something else: looked up when all is read.
static const char *
reference(struct reader *reader, const struct tree *map, const char *key, struct place *out_place,
          struct place fallback)
{
    const struct tree *node = field_get(map, key);
    *out_place = field_place(node, fallback);
    return field_text(reader, node, BOUND_CODE, "");
}

static int8_t
one_of(struct reader *reader, const struct tree *map, const char *key, const char *(*name)(int),
       int count)
{
    return (int8_t)word_one(reader, field_get(map, key), name, count, -1);
}

static void
read_span(struct reader *reader, const struct tree *map, usec *out_from, usec *out_until,
          struct place *out_until_place, struct place fallback)
{
    const struct tree *until = field_get(map, "until");
    *out_from = field_time(reader, field_get(map, "from"));
    *out_until = field_time(reader, until);
    *out_until_place = field_place(until, fallback);
}

// --- Campaigns -----------------------------------------------------------------------------------

static void
read_campaign(struct reader *reader, const struct tree *map, struct market_campaign *campaign)
{
    static const char *const keys[] = {"code",   "name", "seat",  "parent",
                                       "budget", "from", "until", NULL};
    if (!field_map(reader, map, keys)) return;
    campaign->name = field_text(reader, field_get(map, "name"), BOUND_TEXT, campaign->code);
    const struct tree *seat = field_need(reader, map, "seat", "whose campaign it is");
    campaign->seat = field_code(reader, seat);
    campaign->seat_place = field_place(seat, campaign->place);
    campaign->parent = reference(reader, map, "parent", &campaign->parent_place, campaign->place);
    read_span(reader, map, &campaign->from, &campaign->until, &campaign->until_place,
              campaign->place);
    read_budget(reader, map, campaign->place, &campaign->budget);
}

static void
read_campaigns(struct reader *reader, const struct tree *root)
{
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "campaigns", "campaign",
                                           BOUND_CAMPAIGNS - 1);
    market->campaigns = arena_take(reader->arena, items.count + 1, sizeof *market->campaigns);
    market->campaign_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_campaign *campaign = &market->campaigns[i];
        reader->object = arena_printf(reader->arena, "campaign %s", items.codes[i]);
        *campaign = (struct market_campaign){.place = items.places[i],
                                             .id = read_id(reader, items.bodies[i]),
                                             .code = items.codes[i],
                                             .name = items.codes[i],
                                             .seat = "",
                                             .parent = ""};
        read_campaign(reader, items.bodies[i], campaign);
    }
}

// --- Floors --------------------------------------------------------------------------------------

static void
read_floor(struct reader *reader, const struct tree *map, struct market_rule_floor *floor)
{
    static const char *const keys[] = {"code", "container", "slot",     "channel", "stage", "rung",
                                       "tier", "seat",      "category", "when",    "price", NULL};
    if (!field_map(reader, map, keys)) return;
    floor->container = reference(reader, map, "container", &floor->container_place, floor->place);
    floor->slot = reference(reader, map, "slot", &floor->slot_place, floor->place);
    floor->channel = one_of(reader, map, "channel", word_channel, CHANNEL_COUNT);
    floor->stage = one_of(reader, map, "stage", word_stage, STAGE_COUNT);
    floor->tier = one_of(reader, map, "tier", word_tier, TIER_COUNT);
    const struct tree *rung = field_get(map, "rung");
    if (rung != NULL) floor->rung = word_rung_one(reader, rung);
    floor->seat = reference(reader, map, "seat", &floor->seat_place, floor->place);
    floor->category = field_text(reader, field_get(map, "category"), BOUND_CODE, "");
    floor->when = read_rule(reader, map, "when", &floor->when_place);
    (void)field_money(reader, field_need(reader, map, "price", "what it costs at least, as 0.250"),
                      &floor->price);
}

static void
read_floors(struct reader *reader, const struct tree *root)
{
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "floors", "floor", BOUND_MARKET_FLOORS);
    market->floors = arena_take(reader->arena, items.count + 1, sizeof *market->floors);
    market->floor_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_rule_floor *floor = &market->floors[i];
        reader->object = arena_printf(reader->arena, "floor %s", items.codes[i]);
        *floor = (struct market_rule_floor){.place = items.places[i],
                                            .id = read_id(reader, items.bodies[i]),
                                            .code = items.codes[i],
                                            .container = "",
                                            .slot = "",
                                            .seat = "",
                                            .category = "",
                                            .when = "",
                                            .channel = -1,
                                            .stage = -1,
                                            .rung = -1,
                                            .tier = -1};
        read_floor(reader, items.bodies[i], floor);
    }
}

// --- Caps ----------------------------------------------------------------------------------------

// A word of the calendar, or a span: the last so many minutes.
static void
read_window(struct reader *reader, const struct tree *node, struct market_cap *cap)
{
    if (node == NULL) return;
    for (int i = CAP_HOUR; node->kind == TREE_SCALAR && i < CAP_WINDOW_COUNT; i++)
        if (strcmp(node->text, market_cap_window_name((enum cap_window)i)) == 0) {
            cap->window = (uint8_t)i;
            return;
        }
    uint32_t before = reader->report->errors;
    uint32_t seconds = field_seconds(reader, node, 60);
    if (reader->report->errors > before) {
        reader->report->problems[reader->report->count - 1].mend =
            "write hour, day, week, lifetime, or a span as 90m or 7d";
        return;
    }
    cap->window = CAP_MINUTES;
    cap->minutes = seconds / 60;
    if (seconds % 60 == 0 && cap->minutes <= CATALOG_CAP_MINUTES_MAX) return;
    cap->minutes = 60;
    report_error(reader->report, node->place, reader->object,
                 "in: '%.80s' is no span that a cap can have", node->text)
        ->mend = "write whole minutes, up to 365d; for longer write lifetime";
}

static void
read_cap(struct reader *reader, const struct tree *map, struct market_cap *cap)
{
    static const char *const keys[] = {"code", "per", "of", "max", "in", NULL};
    if (!field_map(reader, map, keys)) return;
    const struct tree *per = field_need(
        reader, map, "per", "what is counted: message, seat, objective, category, channel or any");
    cap->per = (uint8_t)word_one(reader, per, word_cap_per, CAP_PER_COUNT, CAP_MESSAGE);
    cap->of = reference(reader, map, "of", &cap->of_place, cap->place);
    cap->count = (uint32_t)field_integer(
        reader, field_need(reader, map, "max", "how often at most, 1 to 12"), 1, BOUND_CAP_COUNT,
        1);
    read_window(reader,
                field_need(reader, map, "in", "hour, day, week, lifetime, or a span as 90m or 7d"),
                cap);
}

static void
read_caps(struct reader *reader, const struct tree *root)
{
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "caps", "cap", BOUND_CAPS);
    market->caps = arena_take(reader->arena, items.count + 1, sizeof *market->caps);
    market->cap_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_cap *cap = &market->caps[i];
        reader->object = arena_printf(reader->arena, "cap %s", items.codes[i]);
        *cap = (struct market_cap){.place = items.places[i],
                                   .id = read_id(reader, items.bodies[i]),
                                   .code = items.codes[i],
                                   .of = "",
                                   .of_place = items.places[i],
                                   .count = 1,
                                   .window = CAP_LIFETIME};
        read_cap(reader, items.bodies[i], cap);
    }
}

// --- Deals ---------------------------------------------------------------------------------------

// `100 per day`, or 100.
static uint32_t
read_guarantee(struct reader *reader, const struct tree *node)
{
    static const char per_day[] = " per day";
    if (node == NULL) return 0;
    size_t tail = sizeof per_day - 1;
    int64_t count;
    if (node->kind == TREE_SCALAR) {
        size_t len = node->len;
        if (len > tail && strcmp(node->text + len - tail, per_day) == 0) len -= tail;
        if (field_number(node->text, len, &count) && count > 0 && count <= 1000000000)
            return (uint32_t)count;
    }
    report_error(reader->report, node->place, reader->object,
                 "guarantee: '%.80s' is no number of deliveries a day",
                 node->kind == TREE_SCALAR ? node->text : "")
        ->mend = "write 100 per day";
    return 0;
}

static void
read_deal(struct reader *reader, const struct tree *map, struct market_deal *deal)
{
    static const char *const keys[] = {"code",     "messages",  "slots", "at",    "floor",
                                       "priority", "guarantee", "from",  "until", NULL};
    if (!field_map(reader, map, keys)) return;
    const struct tree *messages = field_need(reader, map, "messages",
                                             "which messages it is for, as [one, two]");
    const struct tree *slots = field_get(map, "slots");
    deal->messages = word_texts(reader, messages, BOUND_CODE, &deal->message_count);
    deal->slots = word_texts(reader, slots, BOUND_CODE, &deal->slot_count);
    deal->messages_place = field_place(messages, deal->place);
    deal->slots_place = field_place(slots, deal->place);
    deal->at = (uint8_t)word_one(reader, field_get(map, "at"), word_deal_at, DEAL_AT_COUNT,
                                 DEAL_SECOND_PRICE);
    deal->priority = (uint8_t)field_integer(reader, field_get(map, "priority"), 0, BOUND_PRIORITY,
                                            0);
    (void)field_money(
        reader,
        field_need(reader, map, "floor", "the least it costs, in place of every other floor"),
        &deal->floor);
    deal->guarantee = read_guarantee(reader, field_get(map, "guarantee"));
    read_span(reader, map, &deal->from, &deal->until, &deal->until_place, deal->place);
    if (messages != NULL && deal->message_count == 0 && messages->kind == TREE_LIST &&
        messages->count == 0)
        report_error(reader->report, messages->place, reader->object,
                     "messages: a deal about nothing")
            ->mend = "name at least one message";
}

static void
read_deals(struct reader *reader, const struct tree *root)
{
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "deals", "deal", BOUND_DEALS);
    market->deals = arena_take(reader->arena, items.count + 1, sizeof *market->deals);
    market->deal_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_deal *deal = &market->deals[i];
        reader->object = arena_printf(reader->arena, "deal %s", items.codes[i]);
        *deal = (struct market_deal){.place = items.places[i],
                                     .id = read_id(reader, items.bodies[i]),
                                     .code = items.codes[i]};
        read_deal(reader, items.bodies[i], deal);
    }
}

// --- Experiments ---------------------------------------------------------------------------------

// `+20%`, `-10%`: the factor of the floor, in parts per million.
static uint32_t
read_change(struct reader *reader, const struct tree *node)
{
    if (node == NULL) return MONEY_PPM;
    money number;
    if (node->kind == TREE_SCALAR && node->len >= 3 && strchr("+-", node->text[0]) != NULL &&
        node->text[node->len - 1] == '%' &&
        money_parse(node->text + 1, node->len - 2, &number) == STATUS_OK && number.micros > 0 &&
        number.micros % 100 == 0) {
        int64_t ppm = number.micros / 100 * (node->text[0] == '-' ? -1 : 1);
        if (ppm > -(int64_t)MONEY_PPM && ppm <= (int64_t)CATALOG_FACTOR_PPM_MAX - MONEY_PPM)
            return (uint32_t)((int64_t)MONEY_PPM + ppm);
        if (ppm == -(int64_t)MONEY_PPM) {
            report_error(reader->report, node->place, reader->object,
                         "change: with -100%% the floors would be 0")
                ->mend = "write a smaller change, as -10%; a trial of no floor at all is none";
            return MONEY_PPM;
        }
    }
    report_error(reader->report, node->place, reader->object, "change: '%.80s' is no change",
                 node->kind == TREE_SCALAR ? node->text : "")
        ->mend = "write +20% or -10%: above -100%, up to +900%, at most four decimals";
    return MONEY_PPM;
}

static void
read_where(struct reader *reader, const struct tree *node, struct market_experiment *experiment)
{
    static const char *const keys[] = {"container", "slot", "channel", "stage", NULL};
    struct place place;
    if (node == NULL || !field_map(reader, node, keys)) return;
    experiment->container = reference(reader, node, "container", &place, node->place);
    experiment->slot = reference(reader, node, "slot", &place, node->place);
    experiment->channel = one_of(reader, node, "channel", word_channel, CHANNEL_COUNT);
    experiment->stage = one_of(reader, node, "stage", word_stage, STAGE_COUNT);
}

static void
read_stop(struct reader *reader, const struct tree *node, struct market_experiment *experiment)
{
    static const char *const keys[] = {"loss", "after", NULL};
    if (node == NULL || !field_map(reader, node, keys)) return;
    experiment->stop_loss_ppm = field_percent(
        reader, field_need(reader, node, "loss", "how much less it may earn, as 10%"));
    experiment->stop_contacts = (uint32_t)field_integer(
        reader, field_need(reader, node, "after", "contacts of the trial before it is judged"), 1,
        1000000000, 1);
}

static void
read_experiment(struct reader *reader, const struct tree *map, struct market_experiment *experiment)
{
    static const char *const keys[] = {"code", "where", "share", "change",
                                       "from", "until", "stop",  NULL};
    if (!field_map(reader, map, keys)) return;
    const struct tree *where = field_get(map, "where");
    experiment->where_place = field_place(where, experiment->place);
    read_where(reader, where, experiment);
    experiment->share_ppm = field_percent(
        reader, field_need(reader, map, "share", "the part of contacts that try it, as 10%"));
    experiment->factor_ppm = read_change(
        reader, field_need(reader, map, "change", "of the floors, as +20% or -10%"));
    read_stop(reader, field_get(map, "stop"), experiment);
    read_span(reader, map, &experiment->from, &experiment->until, &experiment->until_place,
              experiment->place);
}

static void
read_experiments(struct reader *reader, const struct tree *root)
{
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "experiments", "experiment",
                                           BOUND_EXPERIMENTS);
    market->experiments = arena_take(reader->arena, items.count + 1, sizeof *market->experiments);
    market->experiment_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_experiment *experiment = &market->experiments[i];
        reader->object = arena_printf(reader->arena, "experiment %s", items.codes[i]);
        *experiment = (struct market_experiment){.place = items.places[i],
                                                 .id = read_id(reader, items.bodies[i]),
                                                 .code = items.codes[i],
                                                 .container = "",
                                                 .slot = "",
                                                 .channel = -1,
                                                 .stage = -1,
                                                 .factor_ppm = MONEY_PPM};
        read_experiment(reader, items.bodies[i], experiment);
    }
}

void
read_selling_all(struct reader *reader, const struct tree *root)
{
    reader->object = "";
    read_campaigns(reader, root);
    reader->object = "";
    read_floors(reader, root);
    reader->object = "";
    read_caps(reader, root);
    reader->object = "";
    read_deals(reader, root);
    reader->object = "";
    read_experiments(reader, root);
}
