// Campaigns, floors, caps, deals and experiments as JSON values.
#include "form_selling.h"

#include <string.h>

#include "form_set.h"
#include "word.h"

static void
set_unless_empty(json_t *object, const char *key, const char *text)
{
    if (text[0] != '\0') form_set_text(object, key, text);
}

static void
set_cell(json_t *object, int8_t channel, int8_t stage)
{
    if (channel >= 0) form_set_text(object, "channel", word_channel(channel));
    if (stage >= 0) form_set_text(object, "stage", word_stage(stage));
}

static json_t *
form_campaign(const struct market_campaign *campaign, enum form_detail detail)
{
    json_t *object = form_set_named(campaign->code, campaign->name, detail);
    form_set_text(object, "seat", campaign->seat);
    set_unless_empty(object, "parent", campaign->parent);
    form_set_budget(object, &campaign->budget);
    form_set_time(object, "from", campaign->from, detail);
    form_set_time(object, "until", campaign->until, detail);
    return object;
}

static json_t *
form_rule_floor(const struct market_rule_floor *floor, enum form_detail detail)
{
    json_t *object = json_object();
    form_set_text(object, "code", floor->code);
    set_unless_empty(object, "container", floor->container);
    set_unless_empty(object, "slot", floor->slot);
    set_cell(object, floor->channel, floor->stage);
    if (floor->rung >= 0 && detail == FORM_FULL)
        form_set_text(object, "rung", word_rung(floor->rung));
    else if (floor->rung >= 0) form_set(object, "rung", json_integer(floor->rung + 1));
    if (floor->tier >= 0) form_set_text(object, "tier", word_tier(floor->tier));
    set_unless_empty(object, "seat", floor->seat);
    set_unless_empty(object, "category", floor->category);
    set_unless_empty(object, "when", floor->when);
    form_set_money(object, "price", floor->price);
    return object;
}

static json_t *
form_cap(const struct market_cap *cap)
{
    json_t *object = json_object();
    form_set_text(object, "code", cap->code);
    form_set_text(object, "per", word_cap_per(cap->per));
    set_unless_empty(object, "of", cap->of);
    form_set(object, "max", json_integer(cap->count));
    if (cap->window == CAP_MINUTES) form_set_seconds(object, "in", cap->minutes * 60);
    else form_set_text(object, "in", market_cap_window_name((enum cap_window)cap->window));
    return object;
}

static json_t *
form_deal(const struct market_deal *deal, enum form_detail detail)
{
    json_t *object = json_object();
    form_set_text(object, "code", deal->code);
    form_set_texts(object, "messages", deal->messages, deal->message_count);
    if (deal->slot_count > 0) form_set_texts(object, "slots", deal->slots, deal->slot_count);
    if (detail == FORM_FULL || deal->at != DEAL_SECOND_PRICE)
        form_set_text(object, "at", word_deal_at(deal->at));
    form_set_money(object, "floor", deal->floor);
    if (deal->priority > 0) form_set(object, "priority", json_integer(deal->priority));
    if (deal->guarantee > 0)
        form_set(object, "guarantee", json_sprintf("%u per day", deal->guarantee));
    form_set_time(object, "from", deal->from, detail);
    form_set_time(object, "until", deal->until, detail);
    return object;
}

static void
set_change(json_t *object, uint32_t factor_ppm)
{
    int64_t change = (int64_t)factor_ppm - MONEY_PPM;
    char percent[MONEY_TEXT];
    money_format(money_of((change < 0 ? -change : change) * 100), 0, percent);
    form_set(object, "change", json_sprintf("%c%s%%", change < 0 ? '-' : '+', percent));
}

static json_t *
form_experiment(const struct market_experiment *experiment, enum form_detail detail)
{
    json_t *object = json_object(), *where = json_object();
    form_set_text(object, "code", experiment->code);
    set_unless_empty(where, "container", experiment->container);
    set_unless_empty(where, "slot", experiment->slot);
    set_cell(where, experiment->channel, experiment->stage);
    if (json_object_size(where) > 0) form_set(object, "where", where);
    else json_decref(where);
    form_set_percent(object, "share", experiment->share_ppm);
    set_change(object, experiment->factor_ppm);
    form_set_time(object, "from", experiment->from, detail);
    form_set_time(object, "until", experiment->until, detail);
    if (experiment->stop_contacts == 0) return object;
    json_t *stop = json_object();
    form_set_percent(stop, "loss", experiment->stop_loss_ppm);
    form_set(stop, "after", json_integer(experiment->stop_contacts));
    form_set(object, "stop", stop);
    return object;
}

void
form_selling_before_messages(struct form_adding *list, const struct market *market,
                             enum form_detail detail)
{
    for (uint32_t i = 0; i < market->campaign_count; i++)
        form_add(list, "campaign", market->campaigns[i].id, market->campaigns[i].code,
                 form_campaign(&market->campaigns[i], detail));
    for (uint32_t i = 0; i < market->floor_count; i++)
        form_add(list, "floor", market->floors[i].id, market->floors[i].code,
                 form_rule_floor(&market->floors[i], detail));
}

void
form_selling_behind_messages(struct form_adding *list, const struct market *market,
                             enum form_detail detail)
{
    for (uint32_t i = 0; i < market->cap_count; i++)
        form_add(list, "cap", market->caps[i].id, market->caps[i].code, form_cap(&market->caps[i]));
    for (uint32_t i = 0; i < market->deal_count; i++)
        form_add(list, "deal", market->deals[i].id, market->deals[i].code,
                 form_deal(&market->deals[i], detail));
    for (uint32_t i = 0; i < market->experiment_count; i++)
        form_add(list, "experiment", market->experiments[i].id, market->experiments[i].code,
                 form_experiment(&market->experiments[i], detail));
}
