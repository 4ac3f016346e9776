// Encodes a market, its standing bids and its certificates into the block that catalog_block.h
// describes.
//
// The market was checked before (market/), so that what is refused here is a market that was not:
// an object without a stable id, a reference to nothing, a rule that does not compile. The same
// input gives the same bytes. Orders that the reader relies on are made here:
//  1. floors of a slot by precedence (catalog_encode_rules.c)
//  2. contracts by seat, then from; certificates by fingerprint; bids as catalog.bids says
//  3. words are numbered as they are met, the market's own first
#include "catalog.h"

#include <stdio.h>
#include <string.h>

#include "catalog_block.h"
#include "catalog_encode.h"
#include "fact.h"
#include "sort.h"
#include "words.h"

static bool
check_attributes(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    uint32_t most = BOUND_ATTRIBUTES - BUILTIN_COUNT;
    if (!catalog_encode_check_count(encoder, "attributes", market->attribute_count, most))
        return false;
    struct lookup names;
    lookup_open(&names, encoder->scratch, BOUND_ATTRIBUTES);
    for (uint32_t i = 0; i < BUILTIN_COUNT; i++)
        CHECK(lookup_put_text(&names, catalog_builtins[i].name, strlen(catalog_builtins[i].name),
                              i) == STATUS_OK);
    for (uint32_t i = 0; i < market->attribute_count; i++) {
        const struct market_attribute *attribute = &market->attributes[i];
        const char *code = attribute->code;
        if (!expr_name_allowed(code, strlen(code)))
            return catalog_encode_refuse(
                encoder, "attribute '%.60s': this name cannot stand in a rule", code);
        if (lookup_put_text(&names, code, strlen(code), i) != STATUS_OK)
            return catalog_encode_refuse(encoder, "attribute '%s' is there already", code);
        if (attribute->type >= ATTRIBUTE_TYPE_COUNT || attribute->of >= ATTRIBUTE_OF_COUNT ||
            attribute->privacy >= PRIVACY_COUNT || attribute->consent < -1 ||
            attribute->consent >= CONSENT_COUNT ||
            (attribute->type == ATTRIBUTE_INTEGER && attribute->least > attribute->most))
            return catalog_encode_refuse(encoder, "attribute '%s' is not well declared", code);
        for (uint32_t j = 0; j < attribute->word_count; j++)
            if (!catalog_encode_check_text(encoder, "attribute", code, attribute->words[j]))
                return false;
    }
    return true;
}

static bool
put_market(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    if (market->disclosure >= DISCLOSURE_COUNT || market->sample_ppm > MONEY_PPM ||
        market->complaint_quiet_days > BOUND_QUIET_DAYS ||
        market->refund_quiet_days > BOUND_QUIET_DAYS ||
        market->expect_responses > market->expect_deliveries ||
        market->expect_conversions > market->expect_deliveries ||
        market->expect_revenue.micros < 0 || market->expect_revenue.micros > BOUND_MICROS)
        return catalog_encode_refuse(encoder, "the market is not well declared");
    catalog_encode_begin(encoder, SECTION_MARKET, 1);
    codec_put_text(out, market->code);
    codec_put(out, market->disclosure, 1);
    codec_put(out, market->sample_ppm, 4);
    codec_put(out, market->sample_days, 4);
    codec_put(out, market->complaint_quiet_days, 4);
    codec_put(out, market->refund_quiet_days, 4);
    codec_put(out, market->expect_deliveries, 4);
    codec_put(out, market->expect_responses, 4);
    codec_put(out, market->expect_conversions, 4);
    codec_put(out, (uint64_t)market->expect_revenue.micros, 8);
    return true;
}

static void
put_attributes(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    catalog_encode_begin(encoder, SECTION_ATTRIBUTES, market->attribute_count);
    for (uint32_t i = 0; i < market->attribute_count; i++) {
        const struct expr_attribute *is = &encoder->schema.attributes[BUILTIN_COUNT + i];
        codec_put_text(out, is->name);
        codec_put(out, is->type, 1);
        codec_put(out, is->of, 1);
        codec_put(out, market->attributes[i].privacy, 1);
        codec_put(out, (uint8_t)market->attributes[i].consent, 1);
        codec_put(out, (uint64_t)is->least, 8);
        codec_put(out, (uint64_t)is->most, 8);
    }
}

// The bits of the attributes that a seat may be shown: open ones that arrive with a contact.
static bool
seat_shows(struct encoder *encoder, const struct market_seat *seat, uint64_t *out_shows)
{
    const struct market *market = encoder->input->market;
    *out_shows = 0;
    for (uint32_t i = 0; i < seat->show_count; i++) {
        uint32_t at = 0;
        while (at < market->attribute_count &&
               strcmp(market->attributes[at].code, seat->shows[i]) != 0)
            at++;
        if (at == market->attribute_count || market->attributes[at].privacy != PRIVACY_OPEN ||
            (market->attributes[at].of != ATTRIBUTE_OF_CONTACT &&
             market->attributes[at].of != ATTRIBUTE_OF_CUSTOMER))
            return catalog_encode_refuse(encoder, "seat '%s': it cannot be shown '%.60s'",
                                         seat->code, seat->shows[i]);
        *out_shows |= UINT64_C(1) << (BUILTIN_COUNT + at);
    }
    return true;
}

static bool
put_seats(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    catalog_encode_begin(encoder, SECTION_SEATS, market->seat_count);
    for (uint32_t i = 0; i < market->seat_count; i++) {
        const struct market_seat *seat = &market->seats[i];
        uint64_t shows;
        if (!catalog_encode_check_id(encoder, "seat", seat->code, seat->id, BOUND_SEATS) ||
            !seat_shows(encoder, seat, &shows))
            return false;
        if (seat->kind >= SEAT_KIND_COUNT)
            return catalog_encode_refuse(encoder, "seat '%s' is not well declared", seat->code);
        codec_put(out, seat->id, 4);
        codec_put(out, seat->kind, 1);
        codec_put(out, seat->paused, 1);
        if (!catalog_encode_budget(encoder, &seat->budget, BUDGET_SEAT, seat->id, "seat",
                                   seat->code))
            return false;
        codec_put(out, seat->live, 1);
        codec_put(out, shows, 8);
        codec_put_text(out, seat->code);
        if (!catalog_encode_rule(encoder, seat->rule, CATALOG_SEAT_RULE_ADMITS, "seat", seat->code))
            return false;
    }
    return true;
}

static bool
put_containers(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    catalog_encode_begin(encoder, SECTION_CONTAINERS, market->container_count);
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        uint32_t owner;
        if (!catalog_encode_check_id(encoder, "container", container->code, container->id,
                                     UINT32_MAX) ||
            !catalog_encode_seat_index(encoder, "container", container->code, container->owner,
                                       &owner))
            return false;
        if (container->stage >= STAGE_COUNT || container->channel >= CHANNEL_COUNT ||
            container->slot_count > BOUND_SLOTS || container->pricing >= PRICING_COUNT ||
            container->quota_objectives >= 1u << OBJECTIVE_COUNT ||
            container->quota_count > container->slot_count)
            return catalog_encode_refuse(encoder, "container '%s' is not well declared",
                                         container->code);
        codec_put(out, container->id, 4);
        codec_put(out, owner, 4);
        codec_put(out, container->stage, 1);
        codec_put(out, container->channel, 1);
        codec_put(out, container->slot_count, 1);
        codec_put(out, container->pricing, 1);
        codec_put(out, container->separate, 1);
        codec_put(out, container->paid_max, 4);
        codec_put(out, container->quota_count, 4);
        codec_put(out, container->quota_objectives, 2);
        codec_put_text(out, container->code);
    }
    return true;
}

static bool
put_slot(struct encoder *encoder, const struct market_container *container,
         const struct market_slot *slot)
{
    struct codec_writer *out = &encoder->out;
    const char *tagid = arena_printf(encoder->scratch, "%s.%s", container->code, slot->code);
    if (!catalog_encode_check_id(encoder, "slot", tagid, slot->id, UINT32_MAX) ||
        !catalog_encode_check_money(encoder, "slot", tagid, slot->floor))
        return false;
    if (slot->rungs >= 1u << RUNG_COUNT || slot->objectives >= 1u << OBJECTIVE_COUNT ||
        slot->floor_count > BOUND_FLOORS || slot->format_count > BOUND_SET_ITEMS)
        return catalog_encode_refuse(encoder, "slot '%s' is not well declared", tagid);
    codec_put(out, slot->id, 4);
    codec_put(out, slot->rungs, 2);
    codec_put(out, slot->objectives, 2);
    codec_put(out, slot->delivery_seconds, 4);
    codec_put(out, (uint64_t)slot->floor.micros, 8);
    codec_put(out, slot->format_count, 2);
    codec_put(out, slot->explore, 1);
    codec_put_text(out, tagid);
    if (!catalog_encode_floors(encoder, container, slot, tagid)) return false;
    int32_t formats[BOUND_SET_ITEMS];
    for (uint32_t i = 0; i < slot->format_count; i++) {
        int32_t word = catalog_encode_word(encoder, slot->formats[i]);
        uint32_t at = i;
        for (; at > 0 && formats[at - 1] > word; at--) formats[at] = formats[at - 1];
        if (word < 0 || (at > 0 && formats[at - 1] == word))
            return catalog_encode_refuse(encoder, "slot '%s': a format is empty or named twice",
                                         tagid);
        formats[at] = word;
    }
    for (uint32_t i = 0; i < slot->format_count; i++) codec_put(out, (uint32_t)formats[i], 4);
    catalog_encode_slot_experiments(encoder, container, tagid);
    struct values *values = &encoder->values;
    values->known = 0;
    values->list_used = 0;
    catalog_encode_builtin(encoder, values, BUILTIN_SLOT, tagid);
    if (!catalog_encode_declared(encoder, values, ATTRIBUTE_OF_SLOT, slot->values,
                                 slot->value_count, "slot", tagid))
        return false;
    catalog_encode_values(encoder, values);
    return catalog_encode_rule(encoder, slot->rule, CATALOG_SLOT_RULE_ADMITS, "slot", tagid);
}

static bool
put_slots(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    uint32_t count = 0;  // no overflow: put_containers bounded each container's slots
    for (uint32_t i = 0; i < market->container_count; i++)
        count += market->containers[i].slot_count;
    if (!catalog_encode_check_count(encoder, "slots", count, BOUND_MARKET_SLOTS)) return false;
    catalog_encode_begin(encoder, SECTION_SLOTS, count);
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        for (uint32_t j = 0; j < container->slot_count; j++)
            if (!put_slot(encoder, container, &container->slots[j])) return false;
    }
    return true;
}

// Messages of one seat with one word for their group share a number, from 1.
static uint32_t
group_number(struct encoder *encoder, const struct market_message *message)
{
    if (message->group[0] == '\0') return 0;
    const char *key = arena_printf(encoder->scratch, "%s %s", message->seat, message->group);
    uint32_t next = encoder->groups.count + 1;
    return lookup_put_text(&encoder->groups, key, strlen(key), next) == STATUS_OK
               ? next
               : lookup_text(&encoder->groups, key, strlen(key));
}

static bool
put_message_values(struct encoder *encoder, const struct market_message *message)
{
    struct values *values = &encoder->values;
    values->known = 0;
    values->list_used = 0;
    catalog_encode_builtin(encoder, values, BUILTIN_MESSAGE, message->code);
    catalog_encode_builtin(encoder, values, BUILTIN_SEAT, message->seat);
    catalog_encode_builtin(encoder, values, BUILTIN_CATEGORY, message->category);
    catalog_encode_builtin(encoder, values, BUILTIN_FORMAT, message->format);
    values->known |= UINT64_C(1) << BUILTIN_RUNG;
    values->value[BUILTIN_RUNG] = message->rung + 1;
    if (!catalog_encode_declared(encoder, values, ATTRIBUTE_OF_MESSAGE, message->values,
                                 message->value_count, "message", message->code))
        return false;
    catalog_encode_values(encoder, values);
    return true;
}

static bool
put_message(struct encoder *encoder, const struct market_message *message)
{
    struct codec_writer *out = &encoder->out;
    const struct market *market = encoder->input->market;
    const char *code = message->code;
    uint32_t seat, campaign = UINT32_MAX;
    if (!catalog_encode_check_id(encoder, "message", code, message->id, BOUND_MESSAGES) ||
        !catalog_encode_check_text(encoder, "message", code, message->content) ||
        !catalog_encode_seat_index(encoder, "message", code, message->seat, &seat) ||
        (message->campaign[0] != '\0' &&
         !catalog_encode_index(encoder, &encoder->campaigns, "message", code, "campaign",
                               message->campaign, &campaign)))
        return false;
    if (message->rung >= RUNG_COUNT || message->objectives >= 1u << OBJECTIVE_COUNT ||
        message->cap_count > BOUND_CAP_COUNT || message->cap_days > 365 ||
        (message->cap_count > 0 && message->cap_days == 0) || message->priority > BOUND_PRIORITY ||
        (campaign != UINT32_MAX && strcmp(market->campaigns[campaign].seat, message->seat) != 0))
        return catalog_encode_refuse(encoder, "message '%s' is not well declared", code);
    codec_put(out, message->id, 4);
    codec_put(out, seat, 4);
    codec_put(out, message->rung, 1);
    codec_put(out, message->objectives, 2);
    codec_put(out, (uint32_t)catalog_encode_word(encoder, message->category), 4);
    codec_put(out, (uint32_t)catalog_encode_word(encoder, message->format), 4);
    codec_put(out, (uint64_t)message->from.us, 8);
    codec_put(out, (uint64_t)message->until.us, 8);
    if (!catalog_encode_budget(encoder, &message->budget, BUDGET_MESSAGE, message->id, "message",
                               code))
        return false;
    codec_put(out, message->cap_count, 4);
    codec_put(out, message->cap_days, 4);
    codec_put(out, campaign, 4);
    codec_put(out, group_number(encoder, message), 4);
    codec_put(out, message->priority, 1);
    codec_put(out, message->after_experience, 1);
    codec_put_text(out, code);
    codec_put_text(out, message->content);
    return put_message_values(encoder, message) &&
           catalog_encode_rule(encoder, message->rule, CATALOG_MESSAGE_RULE_ADMITS, "message",
                               code);
}

static bool
put_messages(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    catalog_encode_begin(encoder, SECTION_MESSAGES, market->message_count);
    for (uint32_t i = 0; i < market->message_count; i++)
        if (!put_message(encoder, &market->messages[i])) return false;
    return true;
}

struct contract_key {
    uint32_t seat, index;
    usec from;
};

static int
compare_contracts(const void *a, const void *b)
{
    const struct contract_key *left = a, *right = b;
    if (left->seat != right->seat) return left->seat < right->seat ? -1 : 1;
    return left->from.us < right->from.us ? -1 : left->from.us > right->from.us;
}

static bool
put_contracts(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    uint32_t count = market->contract_count;
    struct contract_key *keys = arena_take(encoder->scratch, 2 * (size_t)count + 1, sizeof *keys);
    catalog_encode_begin(encoder, SECTION_CONTRACTS, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct market_contract *contract = &market->contracts[i];
        keys[i] = (struct contract_key){.index = i, .from = contract->from};
        if (!catalog_encode_check_code(encoder, "contract", contract->code) ||
            !catalog_encode_check_id(encoder, "contract", contract->code, contract->id,
                                     UINT32_MAX) ||
            !catalog_encode_seat_index(encoder, "contract", contract->code, contract->seat,
                                       &keys[i].seat))
            return false;
        if (contract->charge >= CHARGE_COUNT || contract->billing >= BILLING_COUNT ||
            contract->merchant >= MERCHANT_COUNT)
            return catalog_encode_refuse(encoder, "contract '%s' is not well declared",
                                         contract->code);
    }
    sort_stable(keys, keys + count, count, sizeof *keys, compare_contracts);
    for (uint32_t i = 0; i < count; i++) {
        const struct market_contract *contract = &market->contracts[keys[i].index];
        codec_put(out, contract->id, 4);
        codec_put(out, keys[i].seat, 4);
        codec_put(out, (uint64_t)contract->from.us, 8);
        codec_put(out, (uint64_t)contract->until.us, 8);
        codec_put(out, contract->charge, 1);
        codec_put(out, contract->billing, 1);
        codec_put(out, contract->has_gain_share ? contract->merchant : MERCHANT_PARTNER, 1);
    }
    return true;
}

struct bid_key {
    bool priced;  // ranks by its price; the others come first
    int64_t price;
    uint64_t id;
    uint32_t index;
};

static int
compare_bids(const void *a, const void *b)
{
    const struct bid_key *left = a, *right = b;
    if (left->priced != right->priced) return left->priced ? 1 : -1;
    if (left->priced && left->price != right->price) return left->price > right->price ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

// As catalog_judged_first has it; a bid whose message is not known stands anywhere.
static bool
is_priced(const struct encoder *encoder, const struct lookup *messages,
          const struct market_bid *bid)
{
    uint32_t message = lookup_id(messages, bid->message);
    if (bid->kind != PRICE_PLACEMENT || message == LOOKUP_NONE) return message == LOOKUP_NONE;
    return encoder->input->market->messages[message].priority == 0 &&
           encoder->message_deals[message] == LOOKUP_NONE;
}

static bool
check_bid(struct encoder *encoder, const struct market_bid *bid, uint32_t index)
{
    if (bid->id == 0 || bid->price.micros <= 0 || bid->price.micros > BOUND_MICROS ||
        bid->state > BID_WITHDRAWN || bid->kind >= PRICE_KIND_COUNT ||
        (bid->kind == PRICE_SHARE && bid->price.micros > MONEY_PPM) ||
        strnlen(bid->key, BOUND_KEY + 1) > BOUND_KEY)
        return catalog_encode_refuse(encoder, "bid %llu cannot be (its id, price, state or key)",
                                     (unsigned long long)bid->id);
    if (lookup_put_id(&encoder->ids, bid->id, index) == STATUS_OK) return true;
    return catalog_encode_refuse(encoder, "bid %llu is there twice", (unsigned long long)bid->id);
}

static bool
put_bids(struct encoder *encoder)
{
    const struct catalog_input *input = encoder->input;
    struct codec_writer *out = &encoder->out;
    uint32_t count = input->bid_count;
    struct bid_key *keys = arena_take(encoder->scratch, 2 * (size_t)count + 1, sizeof *keys);
    struct lookup messages;
    lookup_open(&messages, encoder->scratch, input->market->message_count);
    for (uint32_t i = 0; i < input->market->message_count; i++)
        CHECK(lookup_put_id(&messages, input->market->messages[i].id, i) == STATUS_OK);
    catalog_encode_begin(encoder, SECTION_BIDS, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct market_bid *bid = &input->bids[i];
        if (!check_bid(encoder, bid, i)) return false;
        keys[i] = (struct bid_key){is_priced(encoder, &messages, bid), bid->price.micros, bid->id,
                                   i};
    }
    sort_stable(keys, keys + count, count, sizeof *keys, compare_bids);
    for (uint32_t i = 0; i < count; i++) {
        const struct market_bid *bid = &input->bids[keys[i].index];
        char key[BOUND_KEY] = {0};
        memcpy(key, bid->key, strlen(bid->key));
        codec_put(out, bid->id, 8);
        codec_put(out, bid->seat, 4);
        codec_put(out, bid->message, 4);
        codec_put(out, bid->slot, 4);
        codec_put(out, (uint64_t)bid->price.micros, 8);
        codec_put(out, (uint64_t)bid->from.us, 8);
        codec_put(out, (uint64_t)bid->until.us, 8);
        codec_put(out, bid->state, 1);
        codec_put_bytes(out, key, sizeof key);
        codec_put(out, bid->kind, 1);
    }
    return true;
}

static int
compare_certificates(const void *a, const void *b)
{
    const struct market_certificate *left = a, *right = b;
    return memcmp(left->fingerprint.bytes, right->fingerprint.bytes,
                  sizeof left->fingerprint.bytes);
}

static bool
put_certificates(struct encoder *encoder)
{
    const struct catalog_input *input = encoder->input;
    struct codec_writer *out = &encoder->out;
    uint32_t count = input->certificate_count;
    struct market_certificate *order = arena_take(encoder->scratch, 2 * (size_t)count + 1,
                                                  sizeof *order);
    if (count > 0) memcpy(order, input->certificates, count * sizeof *order);
    sort_stable(order, order + count, count, sizeof *order, compare_certificates);
    catalog_encode_begin(encoder, SECTION_CERTIFICATES, count);
    for (uint32_t i = 0; i < count; i++) {
        if (order[i].role >= ROLE_COUNT ||
            (i > 0 && digest_same(order[i - 1].fingerprint, order[i].fingerprint)))
            return catalog_encode_refuse(encoder, "a certificate is there twice or of no role");
        codec_put_bytes(out, order[i].fingerprint.bytes, sizeof order[i].fingerprint.bytes);
        codec_put(out, order[i].role, 1);
        codec_put(out, order[i].revoked, 1);
        codec_put(out, order[i].party, 4);
    }
    return true;
}

static bool
put_touchpoints(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    struct codec_writer *out = &encoder->out;
    catalog_encode_begin(encoder, SECTION_TOUCHPOINTS, market->touchpoint_count);
    for (uint32_t i = 0; i < market->touchpoint_count; i++) {
        const struct market_touchpoint *touchpoint = &market->touchpoints[i];
        if (!catalog_encode_check_code(encoder, "touchpoint", touchpoint->code) ||
            !catalog_encode_check_id(encoder, "touchpoint", touchpoint->code, touchpoint->id,
                                     UINT16_MAX + 1) ||
            !catalog_encode_check_text(encoder, "touchpoint", touchpoint->code, touchpoint->name))
            return false;
        codec_put(out, touchpoint->id, 4);
        codec_put_text(out, touchpoint->code);
        codec_put_text(out, touchpoint->name);
    }
    return true;
}

static bool
put_words(struct encoder *encoder)
{
    const struct words *words = encoder->schema.words;
    catalog_encode_begin(encoder, SECTION_WORDS, words->count);
    for (uint32_t i = 0; i < words->count; i++) {
        if (strlen(words->texts[i]) > BOUND_RULE_BYTES)
            return catalog_encode_refuse(encoder, "the word '%.60s...' is longer than %d bytes",
                                         words->texts[i], BOUND_RULE_BYTES);
        codec_put_text(&encoder->out, words->texts[i]);
    }
    return true;
}

static bool
put_all(struct encoder *encoder)
{
    const struct market *market = encoder->input->market;
    if (!catalog_encode_check_count(encoder, "seats", market->seat_count, BOUND_SEATS) ||
        !catalog_encode_check_count(encoder, "containers", market->container_count,
                                    BOUND_CONTAINERS) ||
        !catalog_encode_check_count(encoder, "messages", market->message_count, BOUND_MESSAGES) ||
        !catalog_encode_check_count(encoder, "bids", encoder->input->bid_count, BOUND_BIDS) ||
        !catalog_encode_check_code(encoder, "market", market->code) || !check_attributes(encoder))
        return false;
    catalog_schema(market, encoder->scratch, &encoder->schema);
    if (!catalog_encode_prepare(encoder) || !put_market(encoder)) return false;
    put_attributes(encoder);
    return put_seats(encoder) && put_containers(encoder) && put_slots(encoder) &&
           put_messages(encoder) && put_contracts(encoder) && put_bids(encoder) &&
           put_certificates(encoder) && put_touchpoints(encoder) && put_words(encoder) &&
           catalog_encode_campaigns(encoder) && catalog_encode_caps(encoder) &&
           catalog_encode_experiments(encoder) && catalog_encode_deals(encoder) &&
           catalog_encode_shifts(encoder);
}

// Head and section table before the sections, which begin at CATALOG_BLOCK_HEAD + the table.
static void
put_head(struct encoder *encoder, uint8_t *block, size_t len)
{
    struct codec_writer head = {.bytes = block, .room = len};
    const struct catalog_input *input = encoder->input;
    codec_put_bytes(&head, "VNDC", 4);
    codec_put(&head, CATALOG_BLOCK_VERSION, 4);
    codec_put(&head, len, 8);
    head.len = CATALOG_BLOCK_SEALED;
    codec_put(&head, input->version, 8);
    codec_put(&head, input->position.log, 4);
    codec_put(&head, input->position.epoch, 4);
    codec_put(&head, input->position.batch, 8);
    codec_put_bytes(&head, input->market->currency.code, 4);
    codec_put(&head, SECTION_COUNT, 4);
    uint64_t first = CATALOG_BLOCK_HEAD + SECTION_COUNT * CATALOG_BLOCK_ENTRY, body = len - first;
    for (int i = 0; i < SECTION_COUNT; i++) {
        uint64_t end = i + 1 < SECTION_COUNT ? encoder->offsets[i + 1] : body;
        codec_put(&head, first + encoder->offsets[i], 8);
        codec_put(&head, end - encoder->offsets[i], 8);
        codec_put(&head, encoder->counts[i], 4);
    }
}

enum status
catalog_encode(const struct catalog_input *input, struct arena *arena, const uint8_t **out_bytes,
               size_t *out_len, struct expr_error *out_error)
{
    struct arena *scratch = arena_open("catalog encoding");
    struct encoder *encoder = arena_take(scratch, 1, sizeof *encoder);
    encoder->input = input;
    encoder->scratch = scratch;
    encoder->error = out_error;
    *out_error = (struct expr_error){0};
    codec_open(&encoder->out, scratch, (size_t)input->bid_count * CATALOG_BLOCK_BID + 64 * 1024);
    enum status status = STATUS_INPUT;
    if (!put_all(encoder)) goto done;
    size_t head = CATALOG_BLOCK_HEAD + SECTION_COUNT * CATALOG_BLOCK_ENTRY;
    size_t len = head + encoder->out.len;
    uint8_t *block = arena_take(arena, len, 1);
    memcpy(block + head, encoder->out.bytes, encoder->out.len);
    put_head(encoder, block, len);
    struct digest digest = hash_sha256_pieces(
        (struct hash_piece[]){{block, 16},
                              {block + CATALOG_BLOCK_SEALED, len - CATALOG_BLOCK_SEALED}},
        2);
    memcpy(block + 16, digest.bytes, sizeof digest.bytes);
    *out_bytes = block;
    *out_len = len;
    status = STATUS_OK;
done:
    arena_close(scratch);
    return status;
}
