// The decoder's part for rules of selling: budgets, campaigns, floors, caps, experiments, deals and
// the host's clock. As in the other parts, what comes out is in range even when it was damaged.
#include "catalog_decode.h"

#include <string.h>

#include "fact.h"

void
catalog_decode_budget(struct decoder *decoder, struct catalog_budget *out_budget)
{
    struct catalog_budget *budget = out_budget;
    budget->has_total = catalog_decode_bool(decoder);
    budget->total = budget->limit = catalog_decode_money(decoder);
    if (decoder->version < 3) return;
    budget->has_daily = catalog_decode_bool(decoder);
    budget->pacing = catalog_decode_enum(decoder, PACING_COUNT);
    budget->daily = catalog_decode_money(decoder);
    budget->limit = catalog_decode_money(decoder);
    budget->limit_day = codec_get_u16(&decoder->in);
    budget->daily_limit = catalog_decode_money(decoder);
    budget->next_daily_limit = catalog_decode_money(decoder);
}

// A rule that a floor has, or none.
static const struct expr *
decode_when(struct decoder *decoder)
{
    if (decoder->version < 3 || !catalog_decode_bool(decoder) || decoder->in.damaged) return NULL;
    struct expr *when = arena_take(decoder->arena, 1, sizeof *when);
    catalog_decode_rule(decoder, CATALOG_FLOOR_RULE_ADMITS, when);
    return when;
}

void
catalog_decode_floors(struct decoder *decoder, struct catalog_slot *slot, uint32_t count)
{
    struct codec_reader *in = &decoder->in;
    if (decoder->version >= 3) count = codec_get_u8(in);
    catalog_decode_need(decoder, count <= BOUND_SLOT_FLOORS);
    struct catalog_floor *floors = arena_take(decoder->arena, (size_t)count + 1, sizeof *floors);
    uint32_t own = 0;
    for (uint32_t i = 0; i < count && !in->damaged; i++) {
        struct catalog_floor *floor = &floors[i];
        floor->rung = (int8_t)codec_get_u8(in);
        catalog_decode_need(decoder, floor->rung >= -1 && floor->rung < RUNG_COUNT);
        floor->seat = catalog_decode_index(decoder, decoder->catalog->seat_count, true);
        floor->category = catalog_decode_word(decoder, true);
        floor->price = catalog_decode_money(decoder);
        floor->tier = decoder->version < 3 ? -1 : (int8_t)codec_get_u8(in);
        floor->number = decoder->version < 3 ? (uint8_t)(i + 1) : codec_get_u8(in);
        floor->id = decoder->version < 3 ? 0 : codec_get_u32(in);
        floor->when = decode_when(decoder);
        bool of_market = floor->number == FACT_FLOOR_ID_RULE;
        own += !of_market;
        catalog_decode_need(decoder, floor->tier >= -1 && floor->tier < TIER_COUNT &&
                                         of_market == (floor->id > 0) && floor->number > 0 &&
                                         (of_market || floor->number <= BOUND_FLOORS));
    }
    catalog_decode_need(decoder, own <= BOUND_FLOORS);
    slot->floors = floors;
    slot->floor_count = in->damaged ? 0 : count;
}

void
catalog_decode_slot_experiments(struct decoder *decoder, struct catalog_slot *slot)
{
    if (decoder->version < 3) return;
    uint32_t count = codec_get_u8(&decoder->in), total = decoder->catalog->experiment_count;
    catalog_decode_need(decoder, count <= total);
    if (decoder->in.damaged) return;
    uint32_t *experiments = arena_take(decoder->arena, (size_t)count + 1, sizeof *experiments);
    for (uint32_t i = 0; i < count; i++) {
        experiments[i] = catalog_decode_enum(decoder, total);
        catalog_decode_need(decoder, i == 0 || experiments[i - 1] < experiments[i]);
    }
    slot->experiments = experiments;
    slot->experiment_count = count;
}

void
catalog_decode_experiments(struct decoder *decoder, uint32_t count)
{
    struct codec_reader *in = &decoder->in;
    struct catalog_experiment *experiments = arena_take(decoder->arena, (size_t)count + 1,
                                                        sizeof *experiments);
    catalog_decode_need(decoder, count <= BOUND_EXPERIMENTS);
    for (uint32_t i = 0; i < count && !in->damaged; i++) {
        struct catalog_experiment *experiment = &experiments[i];
        experiment->id = codec_get_u32(in);
        experiment->share_ppm = codec_get_u32(in);
        experiment->factor_ppm = codec_get_u32(in);
        experiment->from.us = codec_get_i64(in);
        experiment->until.us = codec_get_i64(in);
        experiment->stopped = catalog_decode_bool(decoder);
        catalog_decode_need(decoder, experiment->id > 0 && experiment->id < UINT16_MAX &&
                                         experiment->share_ppm > 0 &&
                                         experiment->share_ppm <= MONEY_PPM &&
                                         experiment->factor_ppm > 0 &&
                                         experiment->factor_ppm <= CATALOG_FACTOR_PPM_MAX);
    }
    decoder->catalog->experiments = experiments;
    decoder->catalog->experiment_count = count;
}

void
catalog_decode_campaigns(struct decoder *decoder, uint32_t count)
{
    struct codec_reader *in = &decoder->in;
    struct catalog_campaign *campaigns = arena_take(decoder->arena, (size_t)count + 1,
                                                    sizeof *campaigns);
    catalog_decode_need(decoder, count < BOUND_CAMPAIGNS);
    for (uint32_t i = 0; i < count && !in->damaged; i++) {
        struct catalog_campaign *campaign = &campaigns[i];
        campaign->id = codec_get_u32(in);
        campaign->seat = catalog_decode_index(decoder, decoder->catalog->seat_count, false);
        campaign->parent = catalog_decode_index(decoder, count, true);
        campaign->from.us = codec_get_i64(in);
        campaign->until.us = codec_get_i64(in);
        catalog_decode_budget(decoder, &campaign->budget);
        campaign->code = catalog_decode_code(decoder, BOUND_CODE);
        catalog_decode_need(decoder, campaign->id > 0 && campaign->id < BOUND_CAMPAIGNS);
    }
    for (uint32_t i = 0; i < count && !in->damaged; i++)
        catalog_decode_need(decoder,
                            campaigns[i].parent == UINT32_MAX ||
                                (campaigns[campaigns[i].parent].parent == UINT32_MAX &&
                                 campaigns[campaigns[i].parent].seat == campaigns[i].seat));
    decoder->catalog->campaigns = campaigns;
    decoder->catalog->campaign_count = count;
}

// What `of` may be; UINT32_MAX is any, but for objectives, which are written one by one.
static bool
cap_of_is_sound(const struct catalog *catalog, const struct catalog_cap *cap)
{
    bool any = cap->of == UINT32_MAX;
    switch ((enum cap_per)cap->per) {
    case CAP_MESSAGE: return any || cap->of < catalog->message_count;
    case CAP_SEAT: return any || cap->of < catalog->seat_count;
    case CAP_OBJECTIVE: return cap->of < OBJECTIVE_COUNT;
    case CAP_CATEGORY: return any || cap->of < catalog->word_count;
    case CAP_CHANNEL: return any || cap->of < CHANNEL_COUNT;
    case CAP_ANY: return any;
    case CAP_PER_COUNT: break;
    }
    return false;
}

void
catalog_decode_caps(struct decoder *decoder, uint32_t count)
{
    struct codec_reader *in = &decoder->in;
    struct catalog_cap *caps = arena_take(decoder->arena, (size_t)count + 1, sizeof *caps);
    catalog_decode_need(decoder, count <= BOUND_CAPS * OBJECTIVE_COUNT);
    for (uint32_t i = 0; i < count && !in->damaged; i++) {
        struct catalog_cap *cap = &caps[i];
        cap->id = codec_get_u32(in);
        cap->per = catalog_decode_enum(decoder, CAP_PER_COUNT);
        cap->window = catalog_decode_enum(decoder, CAP_WINDOW_COUNT);
        cap->of = codec_get_u32(in);
        cap->count = codec_get_u32(in);
        cap->minutes = codec_get_u32(in);
        cap->code = catalog_decode_code(decoder, BOUND_CODE);
        catalog_decode_need(decoder, cap->id > 0 && cap_of_is_sound(decoder->catalog, cap) &&
                                         cap->count > 0 && cap->count <= BOUND_CAP_COUNT &&
                                         (cap->window == CAP_MINUTES) == (cap->minutes > 0) &&
                                         cap->minutes <= CATALOG_CAP_MINUTES_MAX);
    }
    decoder->catalog->caps = caps;
    decoder->catalog->cap_count = in->damaged ? 0 : count;
}

// Indexes below `limit`, ascending, each once.
static const uint32_t *
decode_indexes(struct decoder *decoder, uint32_t count, uint32_t limit)
{
    uint32_t *indexes = arena_take(decoder->arena, (size_t)count + 1, sizeof *indexes);
    for (uint32_t i = 0; i < count; i++) {
        indexes[i] = catalog_decode_index(decoder, limit, false);
        catalog_decode_need(decoder, i == 0 || indexes[i - 1] < indexes[i]);
    }
    return indexes;
}

void
catalog_decode_deals(struct decoder *decoder, uint32_t count)
{
    struct codec_reader *in = &decoder->in;
    struct catalog *catalog = decoder->catalog;
    struct catalog_deal *deals = arena_take(decoder->arena, (size_t)count + 1, sizeof *deals);
    catalog_decode_need(decoder, count <= BOUND_DEALS);
    for (uint32_t i = 0; i < count && !in->damaged; i++) {
        struct catalog_deal *deal = &deals[i];
        deal->id = codec_get_u32(in);
        deal->at = catalog_decode_enum(decoder, DEAL_AT_COUNT);
        deal->priority = catalog_decode_enum(decoder, BOUND_PRIORITY + 1);
        deal->floor = catalog_decode_money(decoder);
        deal->from.us = codec_get_i64(in);
        deal->until.us = codec_get_i64(in);
        deal->guarantee = codec_get_u32(in);
        deal->slot_count = codec_get_u32(in);
        deal->message_count = codec_get_u32(in);
        deal->code = catalog_decode_code(decoder, BOUND_CODE);
        catalog_decode_need(decoder, deal->id > 0 && deal->id < UINT16_MAX &&
                                         deal->slot_count <= catalog->slot_count &&
                                         deal->message_count <= catalog->message_count);
        if (in->damaged) break;
        deal->slots = decode_indexes(decoder, deal->slot_count, catalog->slot_count);
        deal->messages = decode_indexes(decoder, deal->message_count, catalog->message_count);
        for (uint32_t j = 0; j < deal->message_count && !in->damaged; j++) {
            struct catalog_message *message = &decoder->messages[deal->messages[j]];
            catalog_decode_need(decoder, message->deal == UINT32_MAX);
            message->deal = i;
        }
    }
    catalog->deals = deals;
    catalog->deal_count = count;
}

void
catalog_decode_shifts(struct decoder *decoder, uint32_t count)
{
    struct codec_reader *in = &decoder->in;
    struct catalog_shift *shifts = arena_take(decoder->arena, (size_t)count + 1, sizeof *shifts);
    catalog_decode_need(decoder, count <= BOUND_ZONE_SHIFTS);
    shifts[0] = (struct catalog_shift){.from = {INT64_MIN}};  // UTC, when there are none
    for (uint32_t i = 0; i < count && !in->damaged; i++) {
        shifts[i].from.us = codec_get_i64(in);
        shifts[i].offset_seconds = (int32_t)codec_get_u32(in);
        catalog_decode_need(decoder, (i == 0 ? shifts[i].from.us == INT64_MIN
                                             : shifts[i - 1].from.us < shifts[i].from.us) &&
                                         shifts[i].offset_seconds >= -CATALOG_OFFSET_SECONDS_MAX &&
                                         shifts[i].offset_seconds <= CATALOG_OFFSET_SECONDS_MAX);
    }
    decoder->catalog->shifts = shifts;
    decoder->catalog->shift_count = count == 0 ? 1 : count;
}

bool
catalog_decode_groups(struct decoder *decoder)
{
    struct catalog *catalog = decoder->catalog;
    uint32_t *seats = arena_take(decoder->scratch, 2 * (size_t)catalog->message_count + 2,
                                 sizeof *seats);
    uint32_t *sizes = seats + catalog->message_count + 1;
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        const struct catalog_message *message = &catalog->messages[i];
        if (message->group == 0) continue;
        if (message->group > catalog->message_count) return false;
        uint32_t *seat = &seats[message->group - 1];
        if (*seat != 0 && *seat != message->seat + 1) return false;
        *seat = message->seat + 1;
        catalog->group_count += sizes[message->group - 1]++ == 0;
    }
    for (uint32_t i = 0; i < catalog->message_count; i++)
        if (catalog->messages[i].group != 0)
            decoder->messages[i].group_size = sizes[catalog->messages[i].group - 1];
    return true;
}
