// Contracts and their gain shares.
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
read_share(struct reader *reader, const struct tree *map, struct market_share *share)
{
    static const char *const keys[] = {"to", "rung", "weight", NULL};
    *share = (struct market_share){.place = map->place, .to = "", .rung = -1};
    if (!field_map(reader, map, keys)) return;
    const struct tree *to = field_get(map, "to"), *weight = field_get(map, "weight"),
                      *rung = field_get(map, "rung");
    if (to == NULL)
        report_error(reader->report, map->place, reader->object, "shares: a share without 'to'")
            ->mend = "write host or a seat";
    if (weight == NULL)
        report_error(reader->report, map->place, reader->object, "shares: a share without 'weight'")
            ->mend = "write its parts of the whole, as 40";
    share->to = field_code(reader, to);
    if (rung != NULL) share->rung = word_rung_one(reader, rung);
    share->weight = (uint64_t)field_integer(reader, weight, 1, 1000000000, 0);
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
    contract->shares = arena_take(reader->arena, node->count + 1, sizeof *contract->shares);
    for (const struct tree *item = node->first; item != NULL; item = item->next)
        read_share(reader, item, &contract->shares[contract->share_count++]);
}

static void
read_gain_share(struct reader *reader, const struct tree *map, struct market_contract *contract)
{
    static const char *const keys[] = {"merchant", "rate", "shares", NULL};
    if (map == NULL) return;
    contract->has_gain_share = true;
    if (!field_map(reader, map, keys)) return;
    contract->merchant = (uint8_t)word_one(reader, field_get(map, "merchant"), word_merchant,
                                           MERCHANT_COUNT, MERCHANT_PARTNER);
    contract->tier_count = 1;
    contract->tiers[0].rate_ppm = field_percent(
        reader, field_need(reader, map, "rate", "the pool as a part of the revenue, as 12.5%"));
    read_shares(
        reader,
        field_need(reader, map, "shares", "who gets which part, as - {to: host, weight: 40}"),
        contract);
}

static void
read_contract(struct reader *reader, const struct tree *map, struct market_contract *contract)
{
    static const char *const keys[] = {"code",    "seat",           "from",       "until", "charge",
                                       "billing", "transfer_price", "gain_share", NULL};
    if (!field_map(reader, map, keys)) return;
    contract->seat = field_code(reader, field_need(reader, map, "seat", "whose contract it is"));
    contract->from = field_time(
        reader, field_need(reader, map, "from", "the first day in force, as 2026-01-01"));
    contract->until = field_time(reader, field_get(map, "until"));
    contract->charge = (uint8_t)word_one(reader, field_get(map, "charge"), word_charge,
                                         CHARGE_COUNT, CHARGE_DELIVERY);
    contract->billing = (uint8_t)word_one(reader, field_get(map, "billing"), word_billing,
                                          BILLING_COUNT, BILLING_CREDIT);
    contract->transfer_price = (uint8_t)word_one(reader, field_get(map, "transfer_price"),
                                                 word_transfer_price, TRANSFER_PRICE_COUNT,
                                                 TRANSFER_SECOND_PRICE);
    read_gain_share(reader, field_get(map, "gain_share"), contract);
    contract->seat_place = field_place(field_get(map, "seat"), contract->place);
    contract->until_place = field_place(field_get(map, "until"), contract->place);
    contract->billing_place = field_place(field_get(map, "billing"), contract->place);
    contract->transfer_price_place = field_place(field_get(map, "transfer_price"), contract->place);
    const struct tree *gain_share = field_get(map, "gain_share");
    contract->gain_share_place = gain_share != NULL ? gain_share->key->place : contract->place;
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
                                             .tax_category = 'O'};
        read_contract(reader, items.bodies[i], contract);
    }
}
