// Objects as JSON values. Amounts, times and spans are texts, written so that the reader gives back
// the same number; keys are those of the market file.
#include "form.h"

#include "form_contract.h"
#include "form_selling.h"
#include "form_set.h"

#include <string.h>

#include "fail.h"
#include "word.h"

#define ALL(count) ((uint16_t)((1u << (count)) - 1))

static void
set_settings(json_t *object, const struct market *market)
{
    if (strcmp(market->zone, "UTC") != 0) form_set_text(object, "zone", market->zone);
    if (market->disclosure != DISCLOSE_CLEARING)
        form_set_text(object, "disclosure", word_disclosure(market->disclosure));
    if (market->sample_ppm > 0) {
        json_t *sample = json_object();
        form_set_percent(sample, "share", market->sample_ppm);
        form_set(sample, "days", json_integer(market->sample_days));
        form_set(object, "sample", sample);
    }
    if (market->expect_deliveries > 0) {
        json_t *expect = json_object();
        form_set(expect, "deliveries", json_integer(market->expect_deliveries));
        form_set(expect, "responses", json_integer(market->expect_responses));
        form_set(expect, "conversions", json_integer(market->expect_conversions));
        form_set_money(expect, "revenue", market->expect_revenue);
        form_set(object, "expect", expect);
    }
    form_contract_finance(object, &market->finance);
    if (market->complaint_quiet_days == 0 && market->refund_quiet_days == 0) return;
    json_t *quiet = json_object();
    if (market->complaint_quiet_days > 0)
        form_set(quiet, "complaint", json_sprintf("%ud", market->complaint_quiet_days));
    if (market->refund_quiet_days > 0)
        form_set(quiet, "refund", json_sprintf("%ud", market->refund_quiet_days));
    form_set(object, "quiet", quiet);
}

static json_t *
form_head(const struct market *market, enum form_detail detail)
{
    json_t *object = form_set_named(market->code, market->name, detail);
    form_set_text(object, "currency", market->currency.code);
    if (detail == FORM_FULL || market->channels != ALL(CHANNEL_COUNT))
        form_set_words(object, "channels", market->channels, word_channel, CHANNEL_COUNT);
    if (detail == FORM_FULL || market->stages != ALL(STAGE_COUNT))
        form_set_words(object, "stages", market->stages, word_stage, STAGE_COUNT);
    set_settings(object, market);
    return object;
}

static json_t *
form_attribute(const struct market_attribute *attribute, enum form_detail detail)
{
    json_t *object = json_object();
    bool full = detail == FORM_FULL;
    form_set_text(object, "code", attribute->code);
    form_set_text(object, "type", word_attribute_type(attribute->type));
    if (full || attribute->of != ATTRIBUTE_OF_CONTACT)
        form_set_text(object, "of", word_attribute_of(attribute->of));
    if (full || attribute->privacy != PRIVACY_HOST)
        form_set_text(object, "privacy", word_privacy(attribute->privacy));
    if (attribute->consent >= 0) form_set_text(object, "consent", word_consent(attribute->consent));
    else if (full) form_set_text(object, "consent", "none");
    if (attribute->least != INT64_MIN || attribute->most != INT64_MAX)
        form_set(object, "range",
                 json_pack("[I,I]", (json_int_t)attribute->least, (json_int_t)attribute->most));
    if (attribute->word_count > 0)
        form_set_texts(object, "words", attribute->words, attribute->word_count);
    return object;
}

static json_t *
form_seat(const struct market_seat *seat, enum form_detail detail)
{
    json_t *object = form_set_named(seat->code, seat->name, detail);
    form_set_text(object, "kind", word_seat_kind(seat->kind));
    form_set_budget(object, &seat->budget);
    form_contract_party(object, &seat->party);
    if (seat->live) form_set(object, "live", json_true());
    if (seat->show_count > 0) form_set_texts(object, "shows", seat->shows, seat->show_count);
    if (detail == FORM_FULL || seat->paused) form_set(object, "paused", json_boolean(seat->paused));
    if (seat->rule[0] != '\0') form_set_text(object, "rule", seat->rule);
    return object;
}

static json_t *
form_floor(const struct market_floor *floor, enum form_detail detail)
{
    json_t *object = json_object();
    if (floor->rung >= 0 && detail == FORM_FULL)
        form_set_text(object, "rung", word_rung(floor->rung));
    else if (floor->rung >= 0) form_set(object, "rung", json_integer(floor->rung + 1));
    if (floor->seat[0] != '\0') form_set_text(object, "seat", floor->seat);
    if (floor->category[0] != '\0') form_set_text(object, "category", floor->category);
    form_set_money(object, "price", floor->price);
    return object;
}

static json_t *
form_slot(const struct market_slot *slot, enum form_detail detail)
{
    json_t *object = form_set_named(slot->code, slot->name, detail);
    bool full = detail == FORM_FULL;
    uint16_t usual = ALL(OBJECTIVE_COUNT) & (uint16_t) ~(1u << OBJECTIVE_FULFILL);
    if (full) form_set_words(object, "rungs", slot->rungs, word_rung, RUNG_COUNT);
    else if (slot->rungs != ALL(RUNG_COUNT)) form_set_rungs(object, "rungs", slot->rungs);
    if (full || slot->objectives != usual)
        form_set_words(object, "objectives", slot->objectives, word_objective, OBJECTIVE_COUNT);
    if (full || slot->format_count > 0)
        form_set_texts(object, "formats", slot->formats, slot->format_count);
    form_set_money(object, "floor", slot->floor);
    if (slot->floor_count > 0) {
        json_t *floors = json_array();
        for (uint32_t i = 0; i < slot->floor_count; i++)
            CHECK(json_array_append_new(floors, form_floor(&slot->floors[i], detail)) == 0);
        form_set(object, "floors", floors);
    }
    if (slot->rule[0] != '\0') form_set_text(object, "rule", slot->rule);
    form_set_seconds(object, "deliver_within", slot->delivery_seconds);
    if (slot->explore) form_set(object, "explore", json_true());
    if (slot->has_cost) form_set_money(object, "cost", slot->cost);
    form_set_values(object, slot->values, slot->value_count);
    return object;
}

static json_t *
form_container(const struct market_container *container, enum form_detail detail)
{
    json_t *object = form_set_named(container->code, container->name, detail);
    form_set_text(object, "stage", word_stage(container->stage));
    form_set_text(object, "channel", word_channel(container->channel));
    form_set_text(object, "owner", container->owner);
    if (container->pricing != PRICING_PER_SLOT)
        form_set_text(object, "pricing", word_pricing(container->pricing));
    if (container->has_cost) form_set_money(object, "cost", container->cost);
    if (container->separate) form_set(object, "separate", json_true());
    if (container->paid_max > 0) form_set(object, "paid_max", json_integer(container->paid_max));
    if (container->quota_count > 0) {
        json_t *quota = json_object();
        form_set(quota, "count", json_integer(container->quota_count));
        form_set_words(quota, "of", container->quota_objectives, word_objective, OBJECTIVE_COUNT);
        form_set(object, "quota", quota);
    }
    if (detail == FORM_FULL) return object;
    json_t *slots = json_object();
    for (uint32_t i = 0; i < container->slot_count; i++) {
        json_t *slot = form_slot(&container->slots[i], detail);
        json_object_del(slot, "code");
        form_set(slots, container->slots[i].code, slot);
    }
    form_set(object, "slots", slots);
    return object;
}

static json_t *
form_message(const struct market_message *message, enum form_detail detail)
{
    json_t *object = form_set_named(message->code, message->name, detail);
    bool full = detail == FORM_FULL;
    form_set_text(object, "seat", message->seat);
    if (full) form_set_text(object, "rung", word_rung(message->rung));
    else form_set(object, "rung", json_integer(message->rung + 1));
    form_set_words(object, "objectives", message->objectives, word_objective, OBJECTIVE_COUNT);
    if (full || strcmp(message->content, message->code) != 0)
        form_set_text(object, "content", message->content);
    if (full || message->format[0] != '\0') form_set_text(object, "format", message->format);
    if (full || message->category[0] != '\0') form_set_text(object, "category", message->category);
    if (message->rule[0] != '\0') form_set_text(object, "rule", message->rule);
    form_set_time(object, "from", message->from, detail);
    form_set_time(object, "until", message->until, detail);
    form_set_budget(object, &message->budget);
    if (message->campaign[0] != '\0') form_set_text(object, "campaign", message->campaign);
    if (message->group[0] != '\0') form_set_text(object, "group", message->group);
    if (message->priority > 0) form_set(object, "priority", json_integer(message->priority));
    if (message->after_experience) form_set(object, "after_experience", json_true());
    if (message->cap_count > 0)
        form_set(object, "cap", json_sprintf("%u in %ud", message->cap_count, message->cap_days));
    form_set_values(object, message->values, message->value_count);
    return object;
}

static void
add_slots(struct form_adding *list, const struct market *market, struct arena *arena)
{
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        for (uint32_t j = 0; j < container->slot_count; j++) {
            const struct market_slot *slot = &container->slots[j];
            json_t *value = form_slot(slot, FORM_FULL);
            form_set_text(value, "container", container->code);
            form_set(value, "position", json_integer((json_int_t)j + 1));
            form_add(list, "slot", slot->id,
                     arena_printf(arena, "%s.%s", container->code, slot->code), value);
        }
    }
}

static size_t
count_objects(const struct market *market)
{
    size_t count = (size_t)1 + market->attribute_count + market->touchpoint_count +
                   market->seat_count + market->container_count + market->message_count +
                   market->contract_count + market->campaign_count + market->floor_count +
                   market->cap_count + market->deal_count + market->experiment_count;
    for (uint32_t i = 0; i < market->container_count; i++)
        count += market->containers[i].slot_count;
    return count;
}

void
form_list(const struct market *market, enum form_detail detail, struct arena *arena,
          struct form **out_forms, uint32_t *out_count)
{
    struct form_adding list = {
        .forms = arena_take(arena, count_objects(market), sizeof *list.forms)};
    form_add(&list, "market", 1, market->code, form_head(market, detail));
    for (uint32_t i = 0; i < market->attribute_count; i++)
        form_add(&list, "attribute", market->attributes[i].id, market->attributes[i].code,
                 form_attribute(&market->attributes[i], detail));
    for (uint32_t i = 0; i < market->touchpoint_count; i++)
        form_add(
            &list, "touchpoint", market->touchpoints[i].id, market->touchpoints[i].code,
            form_set_named(market->touchpoints[i].code, market->touchpoints[i].name, FORM_FULL));
    for (uint32_t i = 0; i < market->seat_count; i++)
        form_add(&list, "seat", market->seats[i].id, market->seats[i].code,
                 form_seat(&market->seats[i], detail));
    for (uint32_t i = 0; i < market->container_count; i++)
        form_add(&list, "container", market->containers[i].id, market->containers[i].code,
                 form_container(&market->containers[i], detail));
    if (detail == FORM_FULL) add_slots(&list, market, arena);
    form_selling_before_messages(&list, market, detail);
    for (uint32_t i = 0; i < market->message_count; i++)
        form_add(&list, "message", market->messages[i].id, market->messages[i].code,
                 form_message(&market->messages[i], detail));
    form_selling_behind_messages(&list, market, detail);
    for (uint32_t i = 0; i < market->contract_count; i++)
        form_add(&list, "contract", market->contracts[i].id, market->contracts[i].code,
                 form_contract(&market->contracts[i], detail));
    *out_forms = list.forms;
    *out_count = list.count;
}

void
form_add(struct form_adding *list, const char *kind, uint32_t id, const char *code, json_t *value)
{
    list->forms[list->count++] = (struct form){
        .kind = kind, .id = id, .code = code, .value = value};
}

void
form_free(struct form *forms, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) json_decref(forms[i].value);
}
