// The encoder's part for rules of selling: budgets, campaigns, floors, caps, experiments, deals.
//
// Floors of a slot, in order of precedence. A rule's conditions are its container, slot, channel,
// stage, rung, seat, category, tier and `when`; one that a slot declares itself has its slot as a
// condition.
//  1. more conditions before fewer
//  2. then the one that has, in this order, a seat, a category, a rung, a tier, a `when`, a slot, a
//     container, a channel, a stage
//  3. then a slot's own before the market's, and as declared
// What is settled by the slot (container, slot, channel, stage) decides whether a rule stands in
// its list, and is not written.
//
// A cap for each objective by itself is written as a cap for each objective, fulfill left out.
#include <stdio.h>
#include <string.h>

#include "catalog_encode.h"
#include "fact.h"

static uint64_t
limit_key(enum budget_of of, uint32_t id)
{
    return (uint64_t)of << 32 | id;
}

static bool
put_code(struct encoder *encoder, struct lookup *codes, const char *kind, const char *code,
         uint32_t index)
{
    if (!catalog_encode_check_code(encoder, kind, code)) return false;
    if (lookup_put_text(codes, code, strlen(code), index) == STATUS_OK) return true;
    return catalog_encode_refuse(encoder, "%s '%s' is there already", kind, code);
}

static bool
prepare_codes(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct arena *scratch = encoder->scratch;
    lookup_open(&encoder->seats, scratch, market->seat_count);
    lookup_open(&encoder->containers, scratch, market->container_count);
    lookup_open(&encoder->slots, scratch, market->container_count);
    lookup_open(&encoder->messages, scratch, market->message_count);
    lookup_open(&encoder->campaigns, scratch, market->campaign_count);
    uint32_t slot = 0;
    for (uint32_t i = 0; i < market->seat_count; i++)
        if (!put_code(encoder, &encoder->seats, "seat", market->seats[i].code, i)) return false;
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        if (!put_code(encoder, &encoder->containers, "container", container->code, i)) return false;
        for (uint32_t j = 0; j < container->slot_count; j++) {
            const char *code = container->slots[j].code;
            if (!catalog_encode_check_code(encoder, "slot", code) ||
                !put_code(encoder, &encoder->slots, "slot",
                          arena_printf(scratch, "%s.%s", container->code, code), slot++))
                return false;
        }
    }
    for (uint32_t i = 0; i < market->message_count; i++)
        if (!put_code(encoder, &encoder->messages, "message", market->messages[i].code, i))
            return false;
    for (uint32_t i = 0; i < market->campaign_count; i++)
        if (!put_code(encoder, &encoder->campaigns, "campaign", market->campaigns[i].code, i))
            return false;
    return true;
}

static bool
prepare_deals(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    uint32_t *deals = arena_take(encoder->scratch, market->message_count + 1, sizeof *deals);
    memset(deals, 0xff, (market->message_count + 1) * sizeof *deals);
    for (uint32_t i = 0; i < market->deal_count; i++) {
        const struct market_deal *deal = &market->deals[i];
        for (uint32_t j = 0; j < deal->message_count; j++) {
            uint32_t message;
            if (!catalog_encode_index(encoder, &encoder->messages, "deal", deal->code, "message",
                                      deal->messages[j], &message))
                return false;
            if (deals[message] != LOOKUP_NONE)
                return catalog_encode_refuse(encoder,
                                             "deal '%s': message '%s' is in a deal already",
                                             deal->code, deal->messages[j]);
            deals[message] = i;
        }
    }
    encoder->message_deals = deals;
    return true;
}

bool
catalog_encode_prepare(struct encoder *encoder)
{
    const struct catalog_input *input = encoder->input;
    const struct market *market = input->market;
    struct arena *scratch = encoder->scratch;
    if (!catalog_encode_check_count(encoder, "campaigns", market->campaign_count,
                                    BOUND_CAMPAIGNS - 1) ||
        !catalog_encode_check_count(encoder, "caps", market->cap_count, BOUND_CAPS) ||
        !catalog_encode_check_count(encoder, "floors", market->floor_count, BOUND_MARKET_FLOORS) ||
        !catalog_encode_check_count(encoder, "deals", market->deal_count, BOUND_DEALS) ||
        !catalog_encode_check_count(encoder, "experiments", market->experiment_count,
                                    BOUND_EXPERIMENTS) ||
        !prepare_codes(encoder) || !prepare_deals(encoder))
        return false;
    lookup_open(&encoder->groups, scratch, 0);
    lookup_open(&encoder->limits, scratch, input->limit_count);
    for (uint32_t i = 0; i < input->limit_count; i++) {
        const struct catalog_limit *limit = &input->limits[i];
        if (limit->of >= BUDGET_OF_COUNT ||
            lookup_put_id(&encoder->limits, limit_key((enum budget_of)limit->of, limit->id), i) !=
                STATUS_OK)
            return catalog_encode_refuse(encoder, "a limit of budget %u is there twice", limit->id);
    }
    struct expr *rules = arena_take(scratch, market->floor_count + 1, sizeof *rules);
    for (uint32_t i = 0; i < market->floor_count; i++)
        if (!catalog_encode_compile(encoder, market->floors[i].when, CATALOG_FLOOR_RULE_ADMITS,
                                    "floor", market->floors[i].code, &rules[i]))
            return false;
    encoder->floor_rules = rules;
    return true;
}

bool
catalog_encode_budget(struct encoder *encoder, const struct market_budget *budget,
                      enum budget_of of, uint32_t id, const char *kind, const char *code)
{
    struct codec_writer *out = &encoder->out;
    uint32_t at = lookup_id(&encoder->limits, limit_key(of, id));
    struct catalog_limit limit = {.total = budget->total, .daily = budget->daily};
    bool has_total = budget->has_total;
    money total = budget->total;
    if (at != LOOKUP_NONE) {
        const struct catalog_limit *given = &encoder->input->limits[at];
        if (given->has_total) limit.total = given->total;
        if (given->has_total && !has_total) total = given->total;  // of who pays in advance
        has_total = has_total || given->has_total;
        if (given->has_daily) limit.day = given->day;
        if (given->has_daily) limit.daily = given->daily;
        if (given->has_daily) limit.next_daily = given->next_daily;
    }
    if (!catalog_encode_check_money(encoder, kind, code, budget->total) ||
        !catalog_encode_check_money(encoder, kind, code, budget->daily) ||
        !catalog_encode_check_money(encoder, kind, code, limit.total) ||
        !catalog_encode_check_money(encoder, kind, code, limit.daily) ||
        !catalog_encode_check_money(encoder, kind, code, limit.next_daily))
        return false;
    if (budget->pacing >= PACING_COUNT)
        return catalog_encode_refuse(encoder, "%s '%s' is not well declared", kind, code);
    codec_put(out, has_total, 1);
    codec_put(out, (uint64_t)total.micros, 8);
    codec_put(out, budget->has_daily, 1);
    codec_put(out, budget->pacing, 1);
    codec_put(out, (uint64_t)budget->daily.micros, 8);
    codec_put(out, (uint64_t)limit.total.micros, 8);
    codec_put(out, limit.day, 2);
    codec_put(out, (uint64_t)limit.daily.micros, 8);
    codec_put(out, (uint64_t)limit.next_daily.micros, 8);
    return true;
}

// --- Floors --------------------------------------------------------------------------------------

// A floor rule of a slot's list, whoever declared it.
struct floor_rule {
    unsigned rank;  // the larger first
    uint8_t number;
    uint32_t id;
    int8_t rung, tier;
    const char *seat, *category;
    const struct expr *when;  // NULL none
    money price;
};

static unsigned
rank_of(const struct floor_rule *rule, bool slot, bool container, bool channel, bool stage)
{
    bool has[] = {stage,
                  channel,
                  container,
                  slot,
                  rule->when != NULL,
                  rule->tier >= 0,
                  rule->rung >= 0,
                  rule->category[0] != '\0',
                  rule->seat[0] != '\0'};
    unsigned count = 0, which = 0;
    for (unsigned i = 0; i < sizeof has / sizeof *has; i++) {
        count += has[i];
        which |= (unsigned)has[i] << i;
    }
    return count << 16 | which;
}

static bool
applies(const struct market_rule_floor *floor, const struct market_container *container,
        const char *tagid)
{
    return (floor->container[0] == '\0' || strcmp(floor->container, container->code) == 0) &&
           (floor->slot[0] == '\0' || strcmp(floor->slot, tagid) == 0) &&
           (floor->channel < 0 || floor->channel == container->channel) &&
           (floor->stage < 0 || floor->stage == container->stage);
}

// Behind those of its rank: as they come.
static void
insert_rule(struct floor_rule *rules, uint32_t count, struct floor_rule rule)
{
    uint32_t at = count;
    for (; at > 0 && rules[at - 1].rank < rule.rank; at--) rules[at] = rules[at - 1];
    rules[at] = rule;
}

static bool
put_rule(struct encoder *encoder, const char *tagid, const struct floor_rule *rule)
{
    struct codec_writer *out = &encoder->out;
    uint32_t seat = UINT32_MAX;
    if (rule->seat[0] != '\0' &&
        !catalog_encode_seat_index(encoder, "slot", tagid, rule->seat, &seat))
        return false;
    if (!catalog_encode_check_money(encoder, "slot", tagid, rule->price)) return false;
    if (rule->rung < -1 || rule->rung >= RUNG_COUNT || rule->tier < -1 || rule->tier >= TIER_COUNT)
        return catalog_encode_refuse(encoder, "slot '%s': a floor's rung or tier is unknown",
                                     tagid);
    codec_put(out, (uint8_t)rule->rung, 1);
    codec_put(out, seat, 4);
    codec_put(out, (uint32_t)catalog_encode_word(encoder, rule->category), 4);
    codec_put(out, (uint64_t)rule->price.micros, 8);
    codec_put(out, (uint8_t)rule->tier, 1);
    codec_put(out, rule->number, 1);
    codec_put(out, rule->id, 4);
    codec_put(out, rule->when != NULL, 1);
    if (rule->when != NULL) catalog_encode_expr(encoder, rule->when);
    return true;
}

bool
catalog_encode_floors(struct encoder *encoder, const struct market_container *container,
                      const struct market_slot *slot, const char *tagid)
{
    const struct market *market = encoder->input->market;
    struct floor_rule rules[BOUND_SLOT_FLOORS];
    uint32_t count = 0;
    for (; count < slot->floor_count; count++) {
        const struct market_floor *floor = &slot->floors[count];
        struct floor_rule rule = {.rung = floor->rung,
                                  .tier = -1,
                                  .seat = floor->seat,
                                  .category = floor->category,
                                  .price = floor->price};
        rule.rank = rank_of(&rule, true, false, false, false);
        insert_rule(rules, count, rule);
    }
    for (uint32_t i = 0; i < count; i++) rules[i].number = (uint8_t)(i + 1);
    for (uint32_t i = 0; i < market->floor_count; i++) {
        const struct market_rule_floor *floor = &market->floors[i];
        if (!applies(floor, container, tagid)) continue;
        if (count == BOUND_SLOT_FLOORS)
            return catalog_encode_refuse(encoder, "slot '%s': more than %d floors may count in it",
                                         tagid, BOUND_SLOT_FLOORS);
        struct floor_rule rule = {.number = FACT_FLOOR_ID_RULE,
                                  .id = floor->id,
                                  .rung = floor->rung,
                                  .tier = floor->tier,
                                  .seat = floor->seat,
                                  .category = floor->category,
                                  .price = floor->price};
        if (floor->when[0] != '\0') rule.when = &encoder->floor_rules[i];
        rule.rank = rank_of(&rule, floor->slot[0] != '\0', floor->container[0] != '\0',
                            floor->channel >= 0, floor->stage >= 0);
        insert_rule(rules, count++, rule);
    }
    codec_put(&encoder->out, count, 1);
    for (uint32_t i = 0; i < count; i++)
        if (!put_rule(encoder, tagid, &rules[i])) return false;
    return true;
}

// --- Experiments ---------------------------------------------------------------------------------

void
catalog_encode_slot_experiments(struct encoder *encoder, const struct market_container *container,
                                const char *tagid)
{
    const struct market *market = encoder->input->market;
    uint8_t which[BOUND_EXPERIMENTS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < market->experiment_count; i++) {
        const struct market_experiment *experiment = &market->experiments[i];
        bool here = (experiment->container[0] == '\0' ||
                     strcmp(experiment->container, container->code) == 0) &&
                    (experiment->slot[0] == '\0' || strcmp(experiment->slot, tagid) == 0) &&
                    (experiment->channel < 0 || experiment->channel == container->channel) &&
                    (experiment->stage < 0 || experiment->stage == container->stage);
        if (here) which[count++] = (uint8_t)i;
    }
    codec_put(&encoder->out, count, 1);
    for (uint32_t i = 0; i < count; i++) codec_put(&encoder->out, which[i], 1);
}

bool
catalog_encode_experiments(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    catalog_encode_begin(encoder, SECTION_EXPERIMENTS, market->experiment_count);
    for (uint32_t i = 0; i < market->experiment_count; i++) {
        const struct market_experiment *experiment = &market->experiments[i];
        if (!catalog_encode_check_id(encoder, "experiment", experiment->code, experiment->id,
                                     UINT16_MAX))
            return false;
        if (experiment->share_ppm == 0 || experiment->share_ppm > MONEY_PPM ||
            experiment->factor_ppm == 0 || experiment->factor_ppm > CATALOG_FACTOR_PPM_MAX)
            return catalog_encode_refuse(encoder, "experiment '%s' is not well declared",
                                         experiment->code);
        codec_put(out, experiment->id, 4);
        codec_put(out, experiment->share_ppm, 4);
        codec_put(out, experiment->factor_ppm, 4);
        codec_put(out, (uint64_t)experiment->from.us, 8);
        codec_put(out, (uint64_t)experiment->until.us, 8);
        codec_put(out, experiment->stopped, 1);
    }
    return true;
}

// --- Campaigns -----------------------------------------------------------------------------------

bool
catalog_encode_campaigns(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    catalog_encode_begin(encoder, SECTION_CAMPAIGNS, market->campaign_count);
    for (uint32_t i = 0; i < market->campaign_count; i++) {
        const struct market_campaign *campaign = &market->campaigns[i];
        const char *code = campaign->code;
        uint32_t seat, parent = UINT32_MAX;
        if (!catalog_encode_check_id(encoder, "campaign", code, campaign->id, BOUND_CAMPAIGNS) ||
            !catalog_encode_seat_index(encoder, "campaign", code, campaign->seat, &seat) ||
            (campaign->parent[0] != '\0' &&
             !catalog_encode_index(encoder, &encoder->campaigns, "campaign", code, "campaign",
                                   campaign->parent, &parent)))
            return false;
        if (parent != UINT32_MAX && (market->campaigns[parent].parent[0] != '\0' ||
                                     strcmp(market->campaigns[parent].seat, campaign->seat) != 0))
            return catalog_encode_refuse(encoder, "campaign '%s': its parent cannot be one", code);
        codec_put(out, campaign->id, 4);
        codec_put(out, seat, 4);
        codec_put(out, parent, 4);
        codec_put(out, (uint64_t)campaign->from.us, 8);
        codec_put(out, (uint64_t)campaign->until.us, 8);
        if (!catalog_encode_budget(encoder, &campaign->budget, BUDGET_CAMPAIGN, campaign->id,
                                   "campaign", code))
            return false;
        codec_put_text(out, code);
    }
    return true;
}

// --- Caps ----------------------------------------------------------------------------------------

static bool
cap_of(struct encoder *encoder, const struct market_cap *cap, uint32_t *out_of)
{
    size_t len = strlen(cap->of);
    enum objective objective;
    enum channel channel;
    *out_of = UINT32_MAX;
    if (len == 0) return true;
    switch ((enum cap_per)cap->per) {
    case CAP_MESSAGE:
        return catalog_encode_index(encoder, &encoder->messages, "cap", cap->code, "message",
                                    cap->of, out_of);
    case CAP_SEAT: return catalog_encode_seat_index(encoder, "cap", cap->code, cap->of, out_of);
    case CAP_OBJECTIVE:
        if (objective_parse(cap->of, len, &objective) != STATUS_OK) break;
        *out_of = objective;
        return true;
    case CAP_CATEGORY: *out_of = (uint32_t)catalog_encode_word(encoder, cap->of); return true;
    case CAP_CHANNEL:
        if (channel_parse(cap->of, len, &channel) != STATUS_OK) break;
        *out_of = channel;
        return true;
    case CAP_ANY:
    case CAP_PER_COUNT: break;
    }
    return catalog_encode_refuse(encoder, "cap '%s': '%.60s' is nothing it can count", cap->code,
                                 cap->of);
}

static void
put_cap(struct encoder *encoder, const struct market_cap *cap, uint32_t of)
{
    struct codec_writer *out = &encoder->out;
    codec_put(out, cap->id, 4);
    codec_put(out, cap->per, 1);
    codec_put(out, cap->window, 1);
    codec_put(out, of, 4);
    codec_put(out, cap->count, 4);
    codec_put(out, cap->minutes, 4);
    codec_put_text(out, cap->code);
    encoder->counts[SECTION_CAPS]++;
}

bool
catalog_encode_caps(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    catalog_encode_begin(encoder, SECTION_CAPS, 0);
    for (uint32_t i = 0; i < market->cap_count; i++) {
        const struct market_cap *cap = &market->caps[i];
        uint32_t of;
        if (!catalog_encode_check_code(encoder, "cap", cap->code) ||
            !catalog_encode_check_id(encoder, "cap", cap->code, cap->id, UINT32_MAX) ||
            !cap_of(encoder, cap, &of))
            return false;
        if (cap->per >= CAP_PER_COUNT || cap->window >= CAP_WINDOW_COUNT || cap->count == 0 ||
            cap->count > BOUND_CAP_COUNT || (cap->window == CAP_MINUTES) != (cap->minutes > 0) ||
            cap->minutes > CATALOG_CAP_MINUTES_MAX)
            return catalog_encode_refuse(encoder, "cap '%s' is not well declared", cap->code);
        if (cap->per != CAP_OBJECTIVE || of != UINT32_MAX) {
            put_cap(encoder, cap, of);
            continue;
        }
        for (uint32_t objective = 0; objective < OBJECTIVE_COUNT; objective++)
            if (objective != OBJECTIVE_FULFILL) put_cap(encoder, cap, objective);
    }
    return true;
}

// --- Deals and shifts ----------------------------------------------------------------------------

// Indexes of names, ascending, each once.
static bool
put_indexes(struct encoder *encoder, const struct market_deal *deal, const struct lookup *of,
            const char *kind, const char **names, uint32_t count)
{
    uint32_t *indexes = arena_take(encoder->scratch, count + 1, sizeof *indexes);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index, at = i;
        if (!catalog_encode_index(encoder, of, "deal", deal->code, kind, names[i], &index))
            return false;
        for (; at > 0 && indexes[at - 1] > index; at--) indexes[at] = indexes[at - 1];
        if (at > 0 && indexes[at - 1] == index)
            return catalog_encode_refuse(encoder, "deal '%s': %s '%.60s' stands in it twice",
                                         deal->code, kind, names[i]);
        indexes[at] = index;
    }
    for (uint32_t i = 0; i < count; i++) codec_put(&encoder->out, indexes[i], 4);
    return true;
}

bool
catalog_encode_deals(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    catalog_encode_begin(encoder, SECTION_DEALS, market->deal_count);
    for (uint32_t i = 0; i < market->deal_count; i++) {
        const struct market_deal *deal = &market->deals[i];
        if (!catalog_encode_check_code(encoder, "deal", deal->code) ||
            !catalog_encode_check_id(encoder, "deal", deal->code, deal->id, UINT16_MAX) ||
            !catalog_encode_check_money(encoder, "deal", deal->code, deal->floor))
            return false;
        if (deal->at >= DEAL_AT_COUNT || deal->priority > BOUND_PRIORITY)
            return catalog_encode_refuse(encoder, "deal '%s' is not well declared", deal->code);
        codec_put(out, deal->id, 4);
        codec_put(out, deal->at, 1);
        codec_put(out, deal->priority, 1);
        codec_put(out, (uint64_t)deal->floor.micros, 8);
        codec_put(out, (uint64_t)deal->from.us, 8);
        codec_put(out, (uint64_t)deal->until.us, 8);
        codec_put(out, deal->guarantee, 4);
        codec_put(out, deal->slot_count, 4);
        codec_put(out, deal->message_count, 4);
        codec_put_text(out, deal->code);
        if (!put_indexes(encoder, deal, &encoder->slots, "slot", deal->slots, deal->slot_count) ||
            !put_indexes(encoder, deal, &encoder->messages, "message", deal->messages,
                         deal->message_count))
            return false;
    }
    return true;
}

bool
catalog_encode_shifts(struct encoder *encoder)
{
    const struct catalog_input *input = encoder->input;
    if (!catalog_encode_check_count(encoder, "changes of the host's clock", input->shift_count,
                                    BOUND_ZONE_SHIFTS))
        return false;
    catalog_encode_begin(encoder, SECTION_SHIFTS, input->shift_count);
    for (uint32_t i = 0; i < input->shift_count; i++) {
        const struct catalog_shift *shift = &input->shifts[i];
        int64_t from = i == 0 ? INT64_MIN : shift->from.us;
        if (shift->offset_seconds < -CATALOG_OFFSET_SECONDS_MAX ||
            shift->offset_seconds > CATALOG_OFFSET_SECONDS_MAX ||
            (i > 1 && input->shifts[i - 1].from.us >= from))
            return catalog_encode_refuse(encoder, "change %u of the host's clock cannot be", i + 1);
        codec_put(&encoder->out, (uint64_t)from, 8);
        codec_put(&encoder->out, (uint32_t)shift->offset_seconds, 4);
    }
    return true;
}
