// Objects as JSON values. Amounts, times and spans are texts, written so that the reader gives back
// the same number; keys are those of the market file.
#include "form.h"

#include <string.h>

#include "fail.h"
#include "word.h"

#define ALL(count) ((uint16_t)((1u << (count)) - 1))

static void
set(json_t *object, const char *key, json_t *value)
{
    CHECK(value != NULL && json_object_set_new(object, key, value) == 0);
}

static void
set_text(json_t *object, const char *key, const char *text)
{
    set(object, key, json_string(text));
}

static void
set_money(json_t *object, const char *key, money amount)
{
    char text[MONEY_TEXT];
    money_format(amount, 2, text);
    set_text(object, key, text);
}

static void
set_time(json_t *object, const char *key, usec at, enum form_detail detail)
{
    char text[CLOCK_TEXT];
    if (at.us == 0) return;
    clock_format(at, text);
    if (detail == FORM_BRIEF && at.us % USEC_DAY == 0) text[strlen("2026-01-01")] = '\0';
    set_text(object, key, text);
}

static void
set_seconds(json_t *object, const char *key, uint32_t seconds)
{
    static const struct {
        uint32_t seconds;
        char unit;
    } units[] = {{604800, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds % units[i].seconds != 0) continue;
        set(object, key, json_sprintf("%u%c", seconds / units[i].seconds, units[i].unit));
        return;
    }
}

static void
set_words(json_t *object, const char *key, uint16_t mask, const char *(*name)(int), int count)
{
    json_t *words = json_array();
    for (int i = 0; i < count; i++)
        if ((mask & 1u << i) != 0) CHECK(json_array_append_new(words, json_string(name(i))) == 0);
    set(object, key, words);
}

// Rungs for people: [1-5, 8].
static void
set_rungs(json_t *object, const char *key, uint16_t mask)
{
    json_t *ranges = json_array();
    for (int i = 0; i < RUNG_COUNT; i++) {
        int last = i;
        if ((mask & 1u << i) == 0) continue;
        while (last + 1 < RUNG_COUNT && (mask & 1u << (last + 1)) != 0) last++;
        json_t *range = last == i ? json_integer(i + 1) : json_sprintf("%d-%d", i + 1, last + 1);
        CHECK(json_array_append_new(ranges, range) == 0);
        i = last;
    }
    set(object, key, ranges);
}

static void
set_texts(json_t *object, const char *key, const char *const *texts, uint32_t count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        CHECK(json_array_append_new(list, json_string(texts[i])) == 0);
    set(object, key, list);
}

static void
set_values(json_t *object, const struct market_value *values, uint32_t count)
{
    if (count == 0) return;
    json_t *map = json_object();
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].count == 1) set_text(map, values[i].attribute, values[i].items[0]);
        else set_texts(map, values[i].attribute, values[i].items, values[i].count);
    }
    set(object, "values", map);
}

// A named object: code, and its name unless it is the code again.
static json_t *
named(const char *code, const char *name, enum form_detail detail)
{
    json_t *object = json_object();
    set_text(object, "code", code);
    if (detail == FORM_FULL || strcmp(code, name) != 0) set_text(object, "name", name);
    return object;
}

static json_t *
form_head(const struct market *market, enum form_detail detail)
{
    json_t *object = named(market->code, market->name, detail);
    set_text(object, "currency", market->currency.code);
    if (detail == FORM_FULL || market->channels != ALL(CHANNEL_COUNT))
        set_words(object, "channels", market->channels, word_channel, CHANNEL_COUNT);
    if (detail == FORM_FULL || market->stages != ALL(STAGE_COUNT))
        set_words(object, "stages", market->stages, word_stage, STAGE_COUNT);
    return object;
}

static json_t *
form_attribute(const struct market_attribute *attribute, enum form_detail detail)
{
    json_t *object = json_object();
    bool full = detail == FORM_FULL;
    set_text(object, "code", attribute->code);
    set_text(object, "type", word_attribute_type(attribute->type));
    if (full || attribute->of != ATTRIBUTE_OF_CONTACT)
        set_text(object, "of", word_attribute_of(attribute->of));
    if (full || attribute->privacy != PRIVACY_HOST)
        set_text(object, "privacy", word_privacy(attribute->privacy));
    if (attribute->consent >= 0) set_text(object, "consent", word_consent(attribute->consent));
    else if (full) set_text(object, "consent", "none");
    if (attribute->least != INT64_MIN || attribute->most != INT64_MAX)
        set(object, "range",
            json_pack("[I,I]", (json_int_t)attribute->least, (json_int_t)attribute->most));
    if (attribute->word_count > 0)
        set_texts(object, "words", attribute->words, attribute->word_count);
    return object;
}

static json_t *
form_seat(const struct market_seat *seat, enum form_detail detail)
{
    json_t *object = named(seat->code, seat->name, detail);
    set_text(object, "kind", word_seat_kind(seat->kind));
    if (seat->budget.has_total) set_money(object, "budget", seat->budget.total);
    if (detail == FORM_FULL || seat->paused) set(object, "paused", json_boolean(seat->paused));
    if (seat->rule[0] != '\0') set_text(object, "rule", seat->rule);
    return object;
}

static json_t *
form_floor(const struct market_floor *floor, enum form_detail detail)
{
    json_t *object = json_object();
    if (floor->rung >= 0 && detail == FORM_FULL) set_text(object, "rung", word_rung(floor->rung));
    else if (floor->rung >= 0) set(object, "rung", json_integer(floor->rung + 1));
    if (floor->seat[0] != '\0') set_text(object, "seat", floor->seat);
    if (floor->category[0] != '\0') set_text(object, "category", floor->category);
    set_money(object, "price", floor->price);
    return object;
}

static json_t *
form_slot(const struct market_slot *slot, enum form_detail detail)
{
    json_t *object = named(slot->code, slot->name, detail);
    bool full = detail == FORM_FULL;
    uint16_t usual = ALL(OBJECTIVE_COUNT) & (uint16_t) ~(1u << OBJECTIVE_FULFILL);
    if (full) set_words(object, "rungs", slot->rungs, word_rung, RUNG_COUNT);
    else if (slot->rungs != ALL(RUNG_COUNT)) set_rungs(object, "rungs", slot->rungs);
    if (full || slot->objectives != usual)
        set_words(object, "objectives", slot->objectives, word_objective, OBJECTIVE_COUNT);
    if (full || slot->format_count > 0)
        set_texts(object, "formats", slot->formats, slot->format_count);
    set_money(object, "floor", slot->floor);
    if (slot->floor_count > 0) {
        json_t *floors = json_array();
        for (uint32_t i = 0; i < slot->floor_count; i++)
            CHECK(json_array_append_new(floors, form_floor(&slot->floors[i], detail)) == 0);
        set(object, "floors", floors);
    }
    if (slot->rule[0] != '\0') set_text(object, "rule", slot->rule);
    set_seconds(object, "deliver_within", slot->delivery_seconds);
    set_values(object, slot->values, slot->value_count);
    return object;
}

static json_t *
form_container(const struct market_container *container, enum form_detail detail)
{
    json_t *object = named(container->code, container->name, detail);
    set_text(object, "stage", word_stage(container->stage));
    set_text(object, "channel", word_channel(container->channel));
    set_text(object, "owner", container->owner);
    if (container->pricing != PRICING_PER_SLOT)
        set_text(object, "pricing", word_pricing(container->pricing));
    if (detail == FORM_FULL) return object;
    json_t *slots = json_object();
    for (uint32_t i = 0; i < container->slot_count; i++) {
        json_t *slot = form_slot(&container->slots[i], detail);
        json_object_del(slot, "code");
        set(slots, container->slots[i].code, slot);
    }
    set(object, "slots", slots);
    return object;
}

static json_t *
form_message(const struct market_message *message, enum form_detail detail)
{
    json_t *object = named(message->code, message->name, detail);
    bool full = detail == FORM_FULL;
    set_text(object, "seat", message->seat);
    if (full) set_text(object, "rung", word_rung(message->rung));
    else set(object, "rung", json_integer(message->rung + 1));
    set_words(object, "objectives", message->objectives, word_objective, OBJECTIVE_COUNT);
    if (full || strcmp(message->content, message->code) != 0)
        set_text(object, "content", message->content);
    if (full || message->format[0] != '\0') set_text(object, "format", message->format);
    if (full || message->category[0] != '\0') set_text(object, "category", message->category);
    if (message->rule[0] != '\0') set_text(object, "rule", message->rule);
    set_time(object, "from", message->from, detail);
    set_time(object, "until", message->until, detail);
    if (message->budget.has_total) set_money(object, "budget", message->budget.total);
    if (message->cap_count > 0)
        set(object, "cap", json_sprintf("%u in %ud", message->cap_count, message->cap_days));
    set_values(object, message->values, message->value_count);
    return object;
}

static json_t *
form_gain_share(const struct market_contract *contract, enum form_detail detail)
{
    json_t *object = json_object(), *shares = json_array();
    char rate[MONEY_TEXT];
    set_text(object, "merchant", word_merchant(contract->merchant));
    money_format(money_of((int64_t)contract->rate_ppm * 100), 0, rate);
    set(object, "rate", json_sprintf("%s%%", rate));
    for (uint32_t i = 0; i < contract->share_count; i++) {
        const struct market_share *share = &contract->shares[i];
        json_t *part = json_object();
        set_text(part, "to", share->to);
        if (share->rung >= 0 && detail == FORM_FULL) set_text(part, "rung", word_rung(share->rung));
        else if (share->rung >= 0) set(part, "rung", json_integer(share->rung + 1));
        set(part, "weight", json_integer((json_int_t)share->weight));
        CHECK(json_array_append_new(shares, part) == 0);
    }
    set(object, "shares", shares);
    return object;
}

static json_t *
form_contract(const struct market_contract *contract, enum form_detail detail)
{
    json_t *object = json_object();
    bool full = detail == FORM_FULL;
    set_text(object, "code", contract->code);
    set_text(object, "seat", contract->seat);
    set_time(object, "from", contract->from, detail);
    set_time(object, "until", contract->until, detail);
    if (full || contract->charge != CHARGE_DELIVERY)
        set_text(object, "charge", word_charge(contract->charge));
    if (full || contract->billing != BILLING_CREDIT)
        set_text(object, "billing", word_billing(contract->billing));
    if (full || contract->transfer_price != TRANSFER_SECOND_PRICE)
        set_text(object, "transfer_price", word_transfer_price(contract->transfer_price));
    if (contract->has_gain_share) set(object, "gain_share", form_gain_share(contract, detail));
    return object;
}

struct forms {
    struct form *forms;
    uint32_t count;
};

static void
add(struct forms *list, const char *kind, uint32_t id, const char *code, json_t *value)
{
    list->forms[list->count++] = (struct form){
        .kind = kind, .id = id, .code = code, .value = value};
}

static void
add_slots(struct forms *list, const struct market *market, struct arena *arena)
{
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        for (uint32_t j = 0; j < container->slot_count; j++) {
            const struct market_slot *slot = &container->slots[j];
            json_t *value = form_slot(slot, FORM_FULL);
            set_text(value, "container", container->code);
            set(value, "position", json_integer((json_int_t)j + 1));
            add(list, "slot", slot->id, arena_printf(arena, "%s.%s", container->code, slot->code),
                value);
        }
    }
}

void
form_list(const struct market *market, enum form_detail detail, struct arena *arena,
          struct form **out_forms, uint32_t *out_count)
{
    size_t most = 1 + market->attribute_count + market->touchpoint_count + market->seat_count +
                  market->container_count + market->message_count + market->contract_count;
    for (uint32_t i = 0; i < market->container_count; i++) most += market->containers[i].slot_count;
    struct forms list = {.forms = arena_take(arena, most, sizeof *list.forms)};
    add(&list, "market", 1, market->code, form_head(market, detail));
    for (uint32_t i = 0; i < market->attribute_count; i++)
        add(&list, "attribute", market->attributes[i].id, market->attributes[i].code,
            form_attribute(&market->attributes[i], detail));
    for (uint32_t i = 0; i < market->touchpoint_count; i++)
        add(&list, "touchpoint", market->touchpoints[i].id, market->touchpoints[i].code,
            named(market->touchpoints[i].code, market->touchpoints[i].name, FORM_FULL));
    for (uint32_t i = 0; i < market->seat_count; i++)
        add(&list, "seat", market->seats[i].id, market->seats[i].code,
            form_seat(&market->seats[i], detail));
    for (uint32_t i = 0; i < market->container_count; i++)
        add(&list, "container", market->containers[i].id, market->containers[i].code,
            form_container(&market->containers[i], detail));
    if (detail == FORM_FULL) add_slots(&list, market, arena);
    for (uint32_t i = 0; i < market->message_count; i++)
        add(&list, "message", market->messages[i].id, market->messages[i].code,
            form_message(&market->messages[i], detail));
    for (uint32_t i = 0; i < market->contract_count; i++)
        add(&list, "contract", market->contracts[i].id, market->contracts[i].code,
            form_contract(&market->contracts[i], detail));
    *out_forms = list.forms;
    *out_count = list.count;
}

void
form_free(struct form *forms, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) json_decref(forms[i].value);
}
