// The sections market, attributes, touchpoints and seats; what several sections share.
#include "read.h"

#include <string.h>

#include "fail.h"

#define ALL(count) ((uint16_t)((1u << (count)) - 1))

uint32_t
read_id(struct reader *reader, const struct tree *map)
{
    if (!reader->stored || map->kind != TREE_MAP) return 0;
    return (uint32_t)field_integer(reader, field_get(map, "id"), 1, UINT32_MAX, 0);
}

const char *
read_rule(struct reader *reader, const struct tree *map, const char *key, struct place *out_place)
{
    const struct tree *node = field_get(map, key);
    if (node != NULL) *out_place = node->content;
    const char *text = field_text(reader, node, BOUND_RULE_BYTES, "");
    // Line breaks mean nothing in a rule; kept, they let an error stand at its line and column.
    if (node != NULL && node->lines != NULL && text == node->text) text = node->lines;
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) len--;
    return arena_text(reader->arena, text, len);
}

void
read_budget(struct reader *reader, const struct tree *map, struct place fallback,
            struct market_budget *out_budget)
{
    static const char *const keys[] = {"total", "daily", "pacing", NULL};
    const struct tree *node = field_get(map, "budget");
    *out_budget = (struct market_budget){.place = field_place(node, fallback)};
    out_budget->pacing_place = out_budget->place;
    if (node == NULL) return;
    if (node->kind != TREE_MAP) {
        out_budget->has_total = field_money(reader, node, &out_budget->total);
        return;
    }
    if (!field_map(reader, node, keys)) return;
    const struct tree *pacing = field_get(node, "pacing");
    out_budget->has_total = field_money(reader, field_get(node, "total"), &out_budget->total);
    out_budget->has_daily = field_money(reader, field_get(node, "daily"), &out_budget->daily);
    out_budget->pacing = (uint8_t)word_one(reader, pacing, word_pacing, PACING_COUNT, PACING_ASAP);
    out_budget->pacing_place = field_place(pacing, out_budget->place);
    if (field_get(node, "total") == NULL && field_get(node, "daily") == NULL)
        report_error(reader->report, node->place, reader->object, "budget: without an amount")
            ->mend = "write {total: 1000, daily: 50, pacing: even}";
}

struct market_value *
read_values(struct reader *reader, const struct tree *map, uint32_t *out_count)
{
    *out_count = 0;
    const struct tree *node = field_get(map, "values");
    if (node == NULL) return NULL;
    if (node->kind != TREE_MAP) {
        report_error(reader->report, node->place, reader->object, "values: not a map")->mend =
            "write `attribute: value` lines below it";
        return NULL;
    }
    struct market_value *values = arena_take(reader->arena, node->count + 1, sizeof *values);
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        struct market_value *value = &values[*out_count];
        value->place = child->place;
        value->attribute = child->key->text;
        const char **items = word_texts(reader, child, BOUND_TEXT, &value->count);
        value->items = items;
        if (items != NULL) (*out_count)++;
    }
    return values;
}

// Whole days, as 30d.
static uint32_t
read_days(struct reader *reader, const struct tree *map, const char *key)
{
    const struct tree *node = map != NULL ? field_get(map, key) : NULL;
    uint32_t seconds = field_seconds(reader, node, 0);
    if (seconds / 86400 > BOUND_QUIET_DAYS) {
        report_error(reader->report, node->place, reader->object,
                     "%s: more than %d days, which is how long they are remembered", key,
                     BOUND_QUIET_DAYS)
            ->mend = "write at most 366d";
        return 0;
    }
    if (seconds % 86400 == 0) return seconds / 86400;
    report_error(reader->report, node->place, reader->object, "%s: '%.80s' is not whole days", key,
                 node->text)
        ->mend = "write days or weeks, as 30d";
    return 0;
}

// What placements brought before the market learned of any.
static void
read_expectation(struct reader *reader, const struct tree *map)
{
    static const char *const keys[] = {"deliveries", "responses", "conversions", "revenue", NULL};
    struct market *market = reader->market;
    if (map == NULL || !field_map(reader, map, keys)) return;
    int64_t deliveries = field_integer(
        reader, field_need(reader, map, "deliveries", "placements that were shown, as 1000"), 1,
        1000000000, 1);
    market->expect_deliveries = (uint32_t)deliveries;
    market->expect_responses = (uint32_t)field_integer(reader, field_get(map, "responses"), 0,
                                                       deliveries, 0);
    market->expect_conversions = (uint32_t)field_integer(reader, field_get(map, "conversions"), 0,
                                                         deliveries, 0);
    (void)field_money(reader, field_get(map, "revenue"), &market->expect_revenue);
}

// What the market settles for all of its contacts.
static void
read_settings(struct reader *reader, const struct tree *map)
{
    static const char *const sample_keys[] = {"share", "days", NULL}, *const quiet_keys[] = {
                                                                          "complaint", "refund",
                                                                          NULL};
    struct market *market = reader->market;
    const struct tree *zone = field_get(map, "zone"), *sample = field_get(map, "sample"),
                      *quiet = field_get(map, "quiet");
    market->zone = field_text(reader, zone, BOUND_CODE, "UTC");
    market->zone_place = field_place(zone, map->place);
    market->disclosure = (uint8_t)word_one(reader, field_get(map, "disclosure"), word_disclosure,
                                           DISCLOSURE_COUNT, DISCLOSE_CLEARING);
    if (sample != NULL && field_map(reader, sample, sample_keys)) {
        market->sample_ppm = field_percent(
            reader, field_need(reader, sample, "share", "the part of contacts kept, as 1%"));
        market->sample_days = (uint32_t)field_integer(
            reader, field_need(reader, sample, "days", "for how long, as 30"), 1, 3650, 0);
    }
    read_expectation(reader, field_get(map, "expect"));
    if (quiet != NULL && field_map(reader, quiet, quiet_keys)) {
        market->complaint_quiet_days = read_days(reader, quiet, "complaint");
        market->refund_quiet_days = read_days(reader, quiet, "refund");
    }
}

static void
read_head(struct reader *reader, const struct tree *root)
{
    static const char *const keys[] = {"code",   "name",   "currency",   "channels",
                                       "stages", "zone",   "disclosure", "sample",
                                       "quiet",  "expect", "finance",    NULL};
    struct market *market = reader->market;
    const struct tree *map = field_need(
        reader, root, "market", "begin with `market: {code: ..., name: ..., currency: EUR}`");
    market->code = market->name = "";
    market->zone = "UTC";
    read_finance_usual(&market->finance);
    market->disclosure = DISCLOSE_CLEARING;
    market->channels = ALL(CHANNEL_COUNT);
    market->stages = ALL(STAGE_COUNT);
    reader->object = "market";
    if (map == NULL || !field_map(reader, map, keys)) return;
    market->code = field_code(reader,
                              field_need(reader, map, "code", "give the market a short code"));
    market->name = field_text(reader, field_get(map, "name"), BOUND_TEXT, market->code);
    const struct tree *currency = field_need(reader, map, "currency",
                                             "write an ISO 4217 code, as EUR");
    if (currency != NULL &&
        (currency->kind != TREE_SCALAR ||
         currency_parse(currency->text, currency->len, &market->currency) != STATUS_OK ||
         (!reader->stored && !read_currency_known(currency->text))))
        report_error(reader->report, currency->place, reader->object,
                     "currency: '%.80s' is not a currency",
                     currency->kind == TREE_SCALAR ? currency->text : "")
            ->mend = "write three capital letters (ISO 4217), as EUR";
    market->channels = word_mask(reader, field_get(map, "channels"), word_channel, CHANNEL_COUNT,
                                 false, market->channels);
    market->stages = word_mask(reader, field_get(map, "stages"), word_stage, STAGE_COUNT, false,
                               market->stages);
    read_settings(reader, map);
    read_finance(reader, field_get(map, "finance"), &market->finance);
}

static void
read_range(struct reader *reader, const struct tree *node, struct market_attribute *attribute)
{
    attribute->least = INT64_MIN;
    attribute->most = INT64_MAX;
    if (node == NULL) return;
    if (node->kind != TREE_LIST || node->count != 2) {
        report_error(reader->report, node->place, reader->object, "range: not a pair")->mend =
            "write [least, most], as [0, 100]";
        return;
    }
    attribute->least = field_integer(reader, node->first, INT64_MIN, INT64_MAX, INT64_MIN);
    attribute->most = field_integer(reader, node->first->next, INT64_MIN, INT64_MAX, INT64_MAX);
    if (attribute->least > attribute->most)
        report_error(reader->report, node->place, reader->object,
                     "range: the first number is above the second")
            ->mend = "write the least first";
}

static void
read_attributes(struct reader *reader, const struct tree *root)
{
    static const char *const keys[] = {"code",    "type",  "of",    "privacy",
                                       "consent", "range", "words", NULL};
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "attributes", "attribute",
                                           BOUND_ATTRIBUTES);
    market->attributes = arena_take(reader->arena, items.count + 1, sizeof *market->attributes);
    market->attribute_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_attribute *attribute = &market->attributes[i];
        const struct tree *map = items.bodies[i];
        reader->object = arena_printf(reader->arena, "attribute %s", items.codes[i]);
        *attribute = (struct market_attribute){.place = items.places[i],
                                               .id = read_id(reader, map),
                                               .code = items.codes[i],
                                               .privacy = PRIVACY_HOST,
                                               .consent = -1,
                                               .least = INT64_MIN,
                                               .most = INT64_MAX};
        if (!field_map(reader, map, keys)) continue;
        const struct tree *type = field_need(reader, map, "type",
                                             "use boolean, integer, text or list");
        attribute->type = (uint8_t)word_one(reader, type, word_attribute_type, ATTRIBUTE_TYPE_COUNT,
                                            ATTRIBUTE_TEXT);
        attribute->of = (uint8_t)word_one(reader, field_get(map, "of"), word_attribute_of,
                                          ATTRIBUTE_OF_COUNT, ATTRIBUTE_OF_CONTACT);
        attribute->privacy = (uint8_t)word_one(reader, field_get(map, "privacy"), word_privacy,
                                               PRIVACY_COUNT, PRIVACY_HOST);
        const struct tree *consent = field_get(map, "consent");
        if (consent != NULL && (consent->kind != TREE_SCALAR || strcmp(consent->text, "none") != 0))
            attribute->consent = (int8_t)word_one(reader, consent, word_consent, CONSENT_COUNT, -1);
        read_range(reader, field_get(map, "range"), attribute);
        attribute->words = word_texts(reader, field_get(map, "words"), BOUND_TEXT,
                                      &attribute->word_count);
        const struct tree *range = field_get(map, "range"), *words = field_get(map, "words");
        if (range != NULL && type != NULL && attribute->type != ATTRIBUTE_INTEGER)
            report_error(reader->report, range->place, reader->object,
                         "range: only an integer has one")
                ->mend = "remove it, or make the attribute an integer";
        if (words != NULL && type != NULL && attribute->type != ATTRIBUTE_TEXT &&
            attribute->type != ATTRIBUTE_LIST)
            report_error(reader->report, words->place, reader->object,
                         "words: only a text or a list has them")
                ->mend = "remove them, or make the attribute a text";
    }
}

static void
read_touchpoints(struct reader *reader, const struct tree *root)
{
    static const char *const keys[] = {"code", "name", NULL};
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "touchpoints", "touchpoint", UINT16_MAX);
    market->touchpoints = arena_take(reader->arena, items.count + 1, sizeof *market->touchpoints);
    market->touchpoint_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_touchpoint *touchpoint = &market->touchpoints[i];
        const struct tree *body = items.bodies[i];
        reader->object = arena_printf(reader->arena, "touchpoint %s", items.codes[i]);
        *touchpoint = (struct market_touchpoint){.place = items.places[i],
                                                 .id = read_id(reader, body),
                                                 .code = items.codes[i],
                                                 .name = items.codes[i]};
        if (body->kind == TREE_SCALAR) {  // short form: its name
            if (body->len > 0)
                touchpoint->name = field_text(reader, body, BOUND_TEXT, touchpoint->name);
        } else if (field_map(reader, body, keys)) {
            touchpoint->name = field_text(reader, field_get(body, "name"), BOUND_TEXT,
                                          touchpoint->name);
        }
    }
}

static void
read_seats(struct reader *reader, const struct tree *root)
{
    static const char *const keys[] = {"code",   "name", "kind",  "budget", "rule",
                                       "paused", "live", "shows", "party",  NULL};
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "seats", "seat", BOUND_SEATS - 1);
    market->seats = arena_take(reader->arena, items.count + 1, sizeof *market->seats);
    market->seat_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_seat *seat = &market->seats[i];
        const struct tree *map = items.bodies[i];
        reader->object = arena_printf(reader->arena, "seat %s", items.codes[i]);
        *seat = (struct market_seat){.place = items.places[i],
                                     .id = read_id(reader, map),
                                     .code = items.codes[i],
                                     .name = items.codes[i],
                                     .kind = SEAT_KIND_COUNT,
                                     .rule = "",
                                     .party = read_party_none(items.places[i])};
        if (!field_map(reader, map, keys)) continue;
        seat->name = field_text(reader, field_get(map, "name"), BOUND_TEXT, seat->name);
        const struct tree *kind = field_need(reader, map, "kind", "use department or partner");
        seat->kind = (uint8_t)word_one(reader, kind, word_seat_kind, SEAT_KIND_COUNT,
                                       SEAT_KIND_COUNT);
        read_budget(reader, map, seat->place, &seat->budget);
        read_party(reader, field_get(map, "party"), &seat->party);
        const struct tree *live = field_get(map, "live"), *shows = field_get(map, "shows");
        seat->live = field_flag(reader, live, false);
        seat->shows = word_texts(reader, shows, BOUND_CODE, &seat->show_count);
        seat->live_place = field_place(shows, field_place(live, seat->place));
        seat->paused = field_flag(reader, field_get(map, "paused"), false);
        seat->rule = read_rule(reader, map, "rule", &seat->rule_place);
    }
}

void
read_market(struct reader *reader, const struct tree *root)
{
    static const char *const keys[] = {
        "market",   "attributes", "touchpoints", "seats",       "containers", "campaigns", "floors",
        "messages", "caps",       "deals",       "experiments", "contracts",  NULL};
    static const char *const stored_keys[] = {
        "market",   "attributes", "touchpoints", "seats",       "containers", "campaigns", "floors",
        "messages", "caps",       "deals",       "experiments", "contracts",  "slots",     NULL};
    reader->object = "";
    if (!field_map(reader, root, reader->stored ? stored_keys : keys)) return;
    read_head(reader, root);
    reader->object = "";
    read_attributes(reader, root);
    reader->object = "";
    read_touchpoints(reader, root);
    reader->object = "";
    read_seats(reader, root);
    reader->object = "";
    read_container_all(reader, root);
    reader->object = "";
    read_message_all(reader, root);
    read_selling_all(reader, root);
    reader->object = "";
    read_contract_all(reader, root);
    reader->object = "";
}
