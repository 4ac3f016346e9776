// Contracts: what makes a price due, gain shares, and how their money lives on. What contradicts
// itself within one contract is found here, where each word still has its place; what contradicts
// other objects in check_contract.c.
#include <string.h>

#include "read.h"

#define DAY_US (86400 * INT64_C(1000000))

static struct market_attribution
usual_attribution(struct place place)
{
    struct market_attribution usual = {.place = place,
                                       .model_place = place,
                                       .model = ATTRIBUTION_LAST,
                                       .half_life_us = 7 * DAY_US,
                                       .first_ppm = 400000,
                                       .last_ppm = 400000,
                                       .delivered_us = DAY_US,
                                       .accepted_us = 30 * DAY_US};
    for (int i = 0; i < CHANNEL_COUNT; i++) usual.channel_us[i] = -1;
    return usual;
}

static void
contradiction(struct reader *reader, const struct tree *node, const char *what, const char *mend)
{
    report_error(reader->report, node->key != NULL ? node->key->place : node->place, reader->object,
                 "%s", what)
        ->mend = mend;
}

static bool
is_text(const struct tree *node, const char *text)
{
    return node != NULL && node->kind == TREE_SCALAR && strcmp(node->text, text) == 0;
}

// As field_percent, but nothing is a percentage too.
static uint32_t
percent_or_none(struct reader *reader, const struct tree *node)
{
    return is_text(node, "0%") ? 0 : field_percent(reader, node);
}

// --- Shares ------------------------------------------------------------------------------------

// Parts of the whole: whole numbers of any scale, or percentages. Sums of the latter go to `sum`.
static uint64_t
read_weight(struct reader *reader, const struct tree *node, uint64_t *sum, uint32_t *percents)
{
    bool percent = node != NULL && node->kind == TREE_SCALAR && node->len > 0 &&
                   node->text[node->len - 1] == '%';
    if (!percent) return (uint64_t)field_integer(reader, node, 1, 1000000000, 0);
    uint32_t ppm = field_percent(reader, node);
    *sum += ppm;
    ++*percents;
    return ppm;
}

static void
read_share(struct reader *reader, const struct tree *map, struct market_share *share, uint64_t *sum,
           uint32_t *percents)
{
    static const char *const keys[] = {"to", "rung", "weight", NULL};
    *share = (struct market_share){.place = map->place, .to = "", .rung = -1};
    if (!field_map(reader, map, keys)) return;
    const struct tree *to = field_get(map, "to"), *weight = field_get(map, "weight"),
                      *rung = field_get(map, "rung");
    if (to == NULL)
        report_error(reader->report, map->place, reader->object, "shares: a share without 'to'")
            ->mend = "write host, a seat, or touches";
    if (weight == NULL)
        report_error(reader->report, map->place, reader->object, "shares: a share without 'weight'")
            ->mend = "write its parts of the whole, as 40";
    share->to = field_code(reader, to);
    if (rung != NULL) share->rung = word_rung_one(reader, rung);
    share->weight = read_weight(reader, weight, sum, percents);
    if (rung != NULL && strcmp(share->to, MARKET_TOUCHES) == 0)
        contradiction(reader, rung, "shares: every touch stands on its own rung",
                      "remove `rung` from the share of touches");
}

static void
read_shares(struct reader *reader, const struct tree *node, struct market_contract *contract)
{
    if (node == NULL) return;
    if (node->kind != TREE_LIST) {
        report_error(reader->report, node->place, reader->object, "shares: not a list")->mend =
            "write - {to: host, weight: 40} lines below it";
        return;
    }
    if (node->count > BOUND_SHARES) {
        report_error(reader->report, node->place, reader->object,
                     "shares: %u of them, more than %d", node->count, BOUND_SHARES)
            ->mend = "join some";
        return;
    }
    uint64_t sum = 0;
    uint32_t percents = 0;
    contract->shares = arena_take(reader->arena, node->count + 1, sizeof *contract->shares);
    for (const struct tree *item = node->first; item != NULL; item = item->next)
        read_share(reader, item, &contract->shares[contract->share_count++], &sum, &percents);
    if (percents == 0) return;
    if (percents < contract->share_count)
        contradiction(reader, node, "shares: some weights are percentages and some are not",
                      "write all of them as 40%, or all as 40");
    else if (sum != MONEY_PPM)
        report_error(reader->report, node->key->place, reader->object,
                     "shares: together %llu.%04llu%%, %s the whole",
                     (unsigned long long)(sum / 10000), (unsigned long long)(sum % 10000),
                     sum > MONEY_PPM ? "more than" : "less than")
            ->mend = "percentages add up to 100%; parts of any scale are written without the sign";
}

// --- Rates -------------------------------------------------------------------------------------

static void
read_tier(struct reader *reader, const struct tree *map, const struct market_tier *before,
          struct market_tier *tier)
{
    static const char *const keys[] = {"from", "rate", NULL};
    *tier = (struct market_tier){.place = map->place};
    if (!field_map(reader, map, keys)) return;
    const struct tree *from = field_get(map, "from"), *rate = field_get(map, "rate");
    (void)field_money(reader, from, &tier->from);
    if (rate == NULL)
        report_error(reader->report, map->place, reader->object, "tiers: a tier without 'rate'")
            ->mend = "write {from: 10000, rate: 12%}";
    tier->rate_ppm = percent_or_none(reader, rate);
    if (before == NULL && tier->from.micros != 0)
        contradiction(reader, from, "tiers: the first one does not begin at 0",
                      "begin with {from: 0, rate: ...}; a rate of 0% is one too");
    if (before != NULL && tier->from.micros <= before->from.micros)
        report_error(reader->report, field_place(from, map->place), reader->object,
                     "tiers: it begins no later than the tier in line %u", before->place.line)
            ->mend = "write tiers in increasing order of `from`";
}

static void
read_tiers(struct reader *reader, const struct tree *node, struct market_contract *contract)
{
    if (node->kind != TREE_LIST || node->count == 0) {
        report_error(reader->report, node->place, reader->object, "tiers: not a list")->mend =
            "write - {from: 0, rate: 10%} lines below it";
        return;
    }
    if (node->count > MARKET_TIERS) {
        report_error(reader->report, node->place, reader->object, "tiers: %u of them, more than %d",
                     node->count, MARKET_TIERS)
            ->mend = "join some";
        return;
    }
    for (const struct tree *item = node->first; item != NULL; item = item->next) {
        uint32_t i = contract->tier_count++;
        read_tier(reader, item, i > 0 ? &contract->tiers[i - 1] : NULL, &contract->tiers[i]);
    }
}

static void
read_rates(struct reader *reader, const struct tree *map, struct market_contract *contract)
{
    const struct tree *tiers = field_get(map, "tiers"), *rate = field_get(map, "rate"),
                      *back = field_get(map, "retroactive"), *cap = field_get(map, "cap");
    if (tiers != NULL) {
        read_tiers(reader, tiers, contract);
        if (rate != NULL)
            contradiction(reader, rate, "rate: there are tiers beside it",
                          "write it as the first tier: {from: 0, rate: ...}");
    } else {
        contract->tiers[0].place = field_place(rate, map->place);
        contract->tiers[0].rate_ppm = field_percent(
            reader, field_need(reader, map, "rate", "the pool as a part of the revenue, as 12.5%"));
    }
    if (contract->tier_count == 0) contract->tier_count = 1;
    contract->retroactive = field_flag(reader, back, false);
    contract->has_cap = field_money(reader, cap, &contract->cap);
    contract->rounding = (uint8_t)word_one(reader, field_get(map, "rounding"), word_rounding,
                                           ROUNDING_COUNT, ROUNDING_HALF_EVEN);
    if (contract->retroactive && tiers != NULL && contract->tier_count == 1)
        contradiction(reader, back, "retroactive: there is one tier only",
                      "declare the tiers it may reach, or remove it");
    else if (contract->retroactive && tiers == NULL)
        contradiction(reader, back, "retroactive: there are no tiers",
                      "write `tiers` in place of `rate`, or remove it");
    if (contract->retroactive && contract->has_cap)
        contradiction(reader, cap,
                      "cap: it counts the revenue as it comes, retroactive tiers look back at all "
                      "of it",
                      "choose one; marginal tiers may have a cap");
    if (contract->has_cap && contract->cap.micros == 0)
        contradiction(reader, cap, "cap: of 0 leaves nothing to share",
                      "write the revenue of a period up to which it is shared");
    for (uint32_t i = 1; contract->has_cap && i < contract->tier_count; i++)
        if (contract->tiers[i].from.micros >= contract->cap.micros) {
            report_error(reader->report, contract->tiers[i].place, reader->object,
                         "tiers: one begins at or beyond the cap, where nothing is shared")
                ->mend = "raise the cap, or remove the tier";
            break;
        }
}

// --- Attribution -------------------------------------------------------------------------------

// A window: a time span, or `never`.
static int64_t
read_window(struct reader *reader, const struct tree *node, int64_t usual)
{
    if (node == NULL) return usual;
    if (is_text(node, "never")) return 0;
    return (int64_t)field_seconds(reader, node, 0) * 1000000;
}

static void
read_windows(struct reader *reader, const struct tree *map, struct market_attribution *attribution)
{
    const char *keys[CHANNEL_COUNT + 3] = {"delivered", "accepted"};
    for (int i = 0; i < CHANNEL_COUNT; i++) keys[2 + i] = word_channel(i);
    if (map == NULL || !field_map(reader, map, keys)) return;
    attribution->delivered_us = read_window(reader, field_get(map, "delivered"),
                                            attribution->delivered_us);
    attribution->accepted_us = read_window(reader, field_get(map, "accepted"),
                                           attribution->accepted_us);
    bool any = attribution->delivered_us > 0 || attribution->accepted_us > 0;
    for (int i = 0; i < CHANNEL_COUNT; i++) {
        const struct tree *window = field_get(map, keys[2 + i]);
        attribution->channel_us[i] = read_window(reader, window, -1);
        any = any || attribution->channel_us[i] > 0;
        if (window != NULL && (reader->market->channels & 1u << i) == 0)
            report_error(reader->report, window->key->place, reader->object,
                         "windows: channel '%s' is not in use in this market", keys[2 + i])
                ->mend = "add it to `market: channels`, or remove the window";
    }
    if (!any)
        contradiction(reader, map, "windows: no touch would ever count",
                      "give at least one kind of touch a window");
}

static void
read_attribution(struct reader *reader, const struct tree *map,
                 struct market_attribution *attribution)
{
    static const char *const keys[] = {"model", "half_life", "first", "last", "windows", NULL};
    if (map == NULL) return;
    attribution->place = map->key->place;
    if (!field_map(reader, map, keys)) return;
    const struct tree *model = field_need(
        reader, map, "model",
        "use last, first, linear, time_decay, position, markov, shapley or counterfactual");
    const struct tree *half_life = field_get(map, "half_life"), *first = field_get(map, "first"),
                      *last = field_get(map, "last");
    attribution->model_place = field_place(model, map->place);
    attribution->model = (uint8_t)word_one(reader, model, word_attribution, ATTRIBUTION_COUNT,
                                           ATTRIBUTION_LAST);
    if (half_life != NULL)
        attribution->half_life_us = (int64_t)field_seconds(reader, half_life, 1) * 1000000;
    if (first != NULL) attribution->first_ppm = percent_or_none(reader, first);
    if (last != NULL) attribution->last_ppm = percent_or_none(reader, last);
    if (half_life != NULL && attribution->model != ATTRIBUTION_TIME_DECAY)
        contradiction(reader, half_life, "half_life: only the model time_decay has one",
                      "write `model: time_decay`, or remove it");
    const struct tree *position = first != NULL ? first : last;
    if (position != NULL && attribution->model != ATTRIBUTION_POSITION)
        contradiction(reader, position, "first, last: only the model position has them",
                      "write `model: position`, or remove them");
    if (position != NULL && attribution->first_ppm + attribution->last_ppm > MONEY_PPM)
        contradiction(reader, position, "first and last are more than the whole together",
                      "leave something, or nothing, for the touches between them");
    read_windows(reader, field_get(map, "windows"), attribution);
}

static void
read_gain_share(struct reader *reader, const struct tree *map, struct market_contract *contract)
{
    static const char *const keys[] = {"merchant", "rate",   "tiers",       "retroactive", "cap",
                                       "rounding", "shares", "attribution", NULL};
    if (map == NULL) return;
    contract->has_gain_share = true;
    contract->tier_count = 1;
    if (!field_map(reader, map, keys)) return;
    contract->tier_count = 0;
    contract->merchant = (uint8_t)word_one(reader, field_get(map, "merchant"), word_merchant,
                                           MERCHANT_COUNT, MERCHANT_PARTNER);
    read_rates(reader, map, contract);
    read_shares(
        reader,
        field_need(reader, map, "shares", "who gets which part, as - {to: host, weight: 40}"),
        contract);
    const struct tree *attribution = field_get(map, "attribution");
    bool touches = false;
    for (uint32_t i = 0; i < contract->share_count; i++)
        touches = touches || strcmp(contract->shares[i].to, MARKET_TOUCHES) == 0;
    read_attribution(reader, attribution, &contract->attribution);
    if (touches && attribution == NULL)
        contradiction(reader, field_get(map, "shares"),
                      "shares: touches get a part, but no attribution says how they divide it",
                      "write attribution: {model: last}");
    if (!touches && attribution != NULL)
        contradiction(reader, attribution, "attribution: no share goes to touches",
                      "add {to: touches, weight: ...} to the shares, or remove it");
}

// --- The life of the money -----------------------------------------------------------------------

static void
read_life(struct reader *reader, const struct tree *map, struct market_contract *contract)
{
    const struct tree *validation = field_get(map, "validation"),
                      *payout = field_get(map, "payout_currency");
    uint32_t seconds = is_text(validation, "0d")
                           ? 0
                           : field_seconds(reader, validation, MARKET_VALIDATION_DAYS * 86400);
    contract->validation_days = seconds / 86400;
    if (seconds % 86400 != 0)
        report_error(reader->report, validation->place, reader->object,
                     "validation: '%.80s' is not whole days", validation->text)
            ->mend = "write days or weeks, as 30d; 0d locks at once";
    if (validation != NULL && !contract->has_gain_share)
        contradiction(reader, validation, "validation: without a gain share nothing is validated",
                      "remove it, or declare the `gain_share`");
    contract->clawback = (uint8_t)word_one(reader, field_get(map, "clawback"), word_clawback,
                                           CLAWBACK_COUNT, CLAWBACK_NET);
    (void)field_money(reader, field_get(map, "minimum_payout"), &contract->minimum_payout);
    if (payout == NULL) return;
    bool form = payout->kind == TREE_SCALAR &&
                currency_parse(payout->text, payout->len, &contract->payout_currency) == STATUS_OK;
    if (form && read_currency_known(payout->text)) return;
    contract->payout_currency = (struct currency){{0}};
    report_error(reader->report, payout->place, reader->object,
                 "payout_currency: '%.80s' is not a currency",
                 payout->kind == TREE_SCALAR ? payout->text : "")
        ->mend = "write three capital letters (ISO 4217), as EUR";
}

static void
read_tax(struct reader *reader, const struct tree *map, struct market_contract *contract)
{
    static const char *const keys[] = {"category", "rate", NULL};
    static const char known[] = "SZEKGO";
    if (map == NULL || !field_map(reader, map, keys)) return;
    const struct tree *category = field_need(reader, map, "category",
                                             "use S, Z, E, K, G or O (EN 16931)"),
                      *rate = field_get(map, "rate");
    bool right = category != NULL && category->kind == TREE_SCALAR && category->len == 1 &&
                 strchr(known, category->text[0]) != NULL;
    if (right) contract->tax_category = category->text[0];
    else if (category != NULL)
        report_error(reader->report, category->place, reader->object,
                     "tax: '%.80s' is not a category",
                     category->kind == TREE_SCALAR ? category->text : "")
            ->mend = "use S (standard), Z (zero), E (exempt), K (within the EU), G (export) or O "
                     "(outside the scope)";
    contract->tax_ppm = field_percent(reader, rate);
    if (right && contract->tax_category == 'S' && rate == NULL)
        contradiction(reader, category, "tax: category S has a rate", "write it, as rate: 19%");
    if (right && contract->tax_category != 'S' && rate != NULL)
        contradiction(reader, rate, "tax: only category S has a rate", "remove it, or write S");
}

static void
read_charging(struct reader *reader, const struct tree *map, struct market_contract *contract)
{
    const struct tree *plus = field_get(map, "cost_plus");
    contract->charge = (uint8_t)word_one(reader, field_get(map, "charge"), word_charge,
                                         CHARGE_COUNT, CHARGE_DELIVERY);
    contract->billing = (uint8_t)word_one(reader, field_get(map, "billing"), word_billing,
                                          BILLING_COUNT, BILLING_CREDIT);
    contract->transfer_price = (uint8_t)word_one(reader, field_get(map, "transfer_price"),
                                                 word_transfer_price, TRANSFER_PRICE_COUNT,
                                                 TRANSFER_SECOND_PRICE);
    contract->cost_plus_ppm = percent_or_none(reader, plus);
    bool by_cost = contract->transfer_price == TRANSFER_COST_PLUS;
    if (by_cost && plus == NULL)
        contradiction(reader, field_get(map, "transfer_price"),
                      "transfer_price: how much above the cost?",
                      "write cost_plus: 10%; 0% is the cost itself");
    if (!by_cost && plus != NULL)
        contradiction(reader, plus, "cost_plus: the transfer price is another one",
                      "write `transfer_price: cost_plus`, or remove it");
}

static void
read_contract(struct reader *reader, const struct tree *map, struct market_contract *contract)
{
    static const char *const keys[] = {
        "code",           "seat",           "from",       "until",           "charge",
        "billing",        "cost_plus",      "gain_share", "validation",      "clawback",
        "transfer_price", "minimum_payout", "tax",        "payout_currency", NULL};
    if (!field_map(reader, map, keys)) return;
    contract->seat = field_code(reader, field_need(reader, map, "seat", "whose contract it is"));
    contract->from = field_time(
        reader, field_need(reader, map, "from", "the first day in force, as 2026-01-01"));
    contract->until = field_time(reader, field_get(map, "until"));
    read_charging(reader, map, contract);
    read_gain_share(reader, field_get(map, "gain_share"), contract);
    read_life(reader, map, contract);
    read_tax(reader, field_get(map, "tax"), contract);
    contract->seat_place = field_place(field_get(map, "seat"), contract->place);
    contract->until_place = field_place(field_get(map, "until"), contract->place);
    contract->billing_place = field_place(field_get(map, "billing"), contract->place);
    contract->transfer_price_place = field_place(field_get(map, "transfer_price"), contract->place);
    const struct tree *gain_share = field_get(map, "gain_share");
    contract->gain_share_place = gain_share != NULL ? gain_share->key->place : contract->place;
    const struct tree *payout = field_get(map, "payout_currency");
    if (payout == NULL) payout = field_get(map, "minimum_payout");
    contract->payout_place = field_place(payout, contract->place);
}

void
read_contract_all(struct reader *reader, const struct tree *root)
{
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "contracts", "contract", BOUND_SEATS * 4);
    market->contracts = arena_take(reader->arena, items.count + 1, sizeof *market->contracts);
    market->contract_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_contract *contract = &market->contracts[i];
        reader->object = arena_printf(reader->arena, "contract %s", items.codes[i]);
        *contract = (struct market_contract){.place = items.places[i],
                                             .id = read_id(reader, items.bodies[i]),
                                             .code = items.codes[i],
                                             .seat = "",
                                             .merchant = MERCHANT_PARTNER,
                                             .attribution = usual_attribution(items.places[i]),
                                             .validation_days = MARKET_VALIDATION_DAYS,
                                             .tax_category = 'O'};
        read_contract(reader, items.bodies[i], contract);
    }
}
