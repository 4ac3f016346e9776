// Contracts, parties and rules of finance as JSON values. What is as usual is left out, in stored
// bodies too, but for the terms that the first version of contracts always wrote: so a contract
// that does not change keeps its body.
#include "form_contract.h"

#include <string.h>

#include "fail.h"
#include "form_set.h"
#include "word.h"

#define DAY_US (86400 * INT64_C(1000000))

// --- Parties and finance -----------------------------------------------------------------------

static void
set_given(json_t *object, const char *key, const char *text)
{
    if (text[0] != '\0') form_set_text(object, key, text);
}

void
form_contract_party(json_t *object, const struct market_party *party)
{
    // A market that was put together by hand may not say who anybody is.
    if (party->legal_name == NULL) return;
    json_t *map = json_object();
    set_given(map, "legal_name", party->legal_name);
    set_given(map, "street", party->street);
    set_given(map, "city", party->city);
    set_given(map, "postal_code", party->postal_code);
    set_given(map, "country", party->country);
    set_given(map, "tax_id", party->tax_id);
    set_given(map, "registration", party->registration);
    set_given(map, "email", party->email);
    set_given(map, "iban", party->iban);
    set_given(map, "bic", party->bic);
    if (json_object_size(map) > 0) form_set(object, "party", map);
    else json_decref(map);
}

static void
set_span(json_t *object, const char *key, int64_t span_us)
{
    if (span_us == 0) form_set_text(object, key, "never");
    else form_set_seconds(object, key, (uint32_t)(span_us / 1000000));
}

void
form_contract_finance(json_t *object, const struct market_finance *finance)
{
    json_t *map = json_object();
    form_contract_party(map, &finance->party);
    if (finance->has_approve_above) form_set_money(map, "approve_above", finance->approve_above);
    if (finance->rate_age_us > 0 && finance->rate_age_us != 7 * DAY_US)
        set_span(map, "rate_age", finance->rate_age_us);
    if (finance->dispute_days > 0 && finance->dispute_days != 30)
        form_set(map, "dispute_days", json_integer(finance->dispute_days));
    if (json_object_size(map) > 0) form_set(object, "finance", map);
    else json_decref(map);
}

// --- Contracts ---------------------------------------------------------------------------------

static void
set_percent_or_none(json_t *object, const char *key, uint32_t ppm)
{
    if (ppm == 0) form_set_text(object, key, "0%");
    else form_set_percent(object, key, ppm);
}

static void
set_rates(json_t *object, const struct market_contract *contract)
{
    bool lone = contract->tier_count == 1 && contract->tiers[0].rate_ppm > 0;
    if (lone) {
        form_set_percent(object, "rate", contract->tiers[0].rate_ppm);
    } else {
        json_t *tiers = json_array();
        for (uint32_t i = 0; i < contract->tier_count; i++) {
            json_t *tier = json_object();
            form_set_money(tier, "from", contract->tiers[i].from);
            set_percent_or_none(tier, "rate", contract->tiers[i].rate_ppm);
            CHECK(json_array_append_new(tiers, tier) == 0);
        }
        form_set(object, "tiers", tiers);
    }
    if (contract->retroactive) form_set(object, "retroactive", json_true());
    if (contract->has_cap) form_set_money(object, "cap", contract->cap);
    if (contract->rounding != ROUNDING_HALF_EVEN)
        form_set_text(object, "rounding", word_rounding(contract->rounding));
}

static json_t *
form_attribution(const struct market_attribution *attribution)
{
    json_t *object = json_object(), *windows = json_object();
    form_set_text(object, "model", word_attribution(attribution->model));
    if (attribution->model == ATTRIBUTION_TIME_DECAY)
        set_span(object, "half_life", attribution->half_life_us);
    if (attribution->model == ATTRIBUTION_POSITION) {
        set_percent_or_none(object, "first", attribution->first_ppm);
        set_percent_or_none(object, "last", attribution->last_ppm);
    }
    set_span(windows, "delivered", attribution->delivered_us);
    set_span(windows, "accepted", attribution->accepted_us);
    for (int i = 0; i < CHANNEL_COUNT; i++)
        if (attribution->channel_us[i] >= 0)
            set_span(windows, word_channel(i), attribution->channel_us[i]);
    form_set(object, "windows", windows);
    return object;
}

static json_t *
form_gain_share(const struct market_contract *contract, enum form_detail detail)
{
    json_t *object = json_object(), *shares = json_array();
    bool touches = false;
    form_set_text(object, "merchant", word_merchant(contract->merchant));
    set_rates(object, contract);
    for (uint32_t i = 0; i < contract->share_count; i++) {
        const struct market_share *share = &contract->shares[i];
        json_t *part = json_object();
        touches = touches || strcmp(share->to, MARKET_TOUCHES) == 0;
        form_set_text(part, "to", share->to);
        if (share->rung >= 0 && detail == FORM_FULL)
            form_set_text(part, "rung", word_rung(share->rung));
        else if (share->rung >= 0) form_set(part, "rung", json_integer(share->rung + 1));
        form_set(part, "weight", json_integer((json_int_t)share->weight));
        CHECK(json_array_append_new(shares, part) == 0);
    }
    form_set(object, "shares", shares);
    if (touches) form_set(object, "attribution", form_attribution(&contract->attribution));
    return object;
}

static void
set_life(json_t *object, const struct market_contract *contract)
{
    if (contract->has_gain_share && contract->validation_days != MARKET_VALIDATION_DAYS)
        form_set(object, "validation", json_sprintf("%ud", contract->validation_days));
    if (contract->clawback != CLAWBACK_NET)
        form_set_text(object, "clawback", word_clawback(contract->clawback));
    if (contract->minimum_payout.micros > 0)
        form_set_money(object, "minimum_payout", contract->minimum_payout);
    if (contract->payout_currency.code[0] != '\0')
        form_set_text(object, "payout_currency", contract->payout_currency.code);
    if (contract->tax_category == 'O' || contract->tax_category == '\0') return;
    json_t *tax = json_object();
    form_set(tax, "category", json_sprintf("%c", contract->tax_category));
    if (contract->tax_ppm > 0) form_set_percent(tax, "rate", contract->tax_ppm);
    form_set(object, "tax", tax);
}

json_t *
form_contract(const struct market_contract *contract, enum form_detail detail)
{
    json_t *object = json_object();
    bool full = detail == FORM_FULL;
    form_set_text(object, "code", contract->code);
    form_set_text(object, "seat", contract->seat);
    form_set_time(object, "from", contract->from, detail);
    form_set_time(object, "until", contract->until, detail);
    if (full || contract->charge != CHARGE_DELIVERY)
        form_set_text(object, "charge", word_charge(contract->charge));
    if (full || contract->billing != BILLING_CREDIT)
        form_set_text(object, "billing", word_billing(contract->billing));
    if (full || contract->transfer_price != TRANSFER_SECOND_PRICE)
        form_set_text(object, "transfer_price", word_transfer_price(contract->transfer_price));
    if (contract->transfer_price == TRANSFER_COST_PLUS)
        set_percent_or_none(object, "cost_plus", contract->cost_plus_ppm);
    if (contract->has_gain_share) form_set(object, "gain_share", form_gain_share(contract, detail));
    set_life(object, contract);
    return object;
}
