// Encodes a market, its standing bids and its certificates into the block that catalog_block.h
// describes.
//
// The market was checked before (market/), so that what is refused here is a market that was not:
// an object without a stable id, a reference to nothing, a rule that does not compile. The same
// input gives the same bytes. Orders that the reader relies on are made here:
//  1. floors of a slot by precedence: most conditions first; then those that name a seat, then a
//     category, then a rung; then as declared
//  2. contracts by seat, then from; bids by price descending, then id; certificates by fingerprint
//  3. words are numbered as they are met, the market's own first
#include "catalog.h"

#include <stdio.h>
#include <string.h>

#include "catalog_block.h"
#include "catalog_encode.h"
#include "fact.h"
#include "sort.h"
#include "words.h"

struct encoding {
    struct encoder encoder;
    const struct catalog_input *input;
    struct lookup seats;   // code -> index
    struct lookup ids;     // stable ids of one kind
    struct values values;  // of the slot or message that is written
    uint64_t offsets[SECTION_COUNT];
    uint64_t counts[SECTION_COUNT];
};

static bool
check_code(struct encoding *encoding, const char *kind, const char *code)
{
    size_t len = strlen(code);
    if (len > 0 && len <= BOUND_CODE) return true;
    return catalog_encode_refuse(&encoding->encoder, "%s '%.60s': a code has 1 to %d bytes", kind,
                                 code, BOUND_CODE);
}

static bool
check_text(struct encoding *encoding, const char *kind, const char *code, const char *text)
{
    if (strlen(text) <= BOUND_TEXT) return true;
    return catalog_encode_refuse(&encoding->encoder, "%s '%s': a text is longer than %d bytes",
                                 kind, code, BOUND_TEXT);
}

// Stable ids are 1 to `end` - 1 and unique within their kind.
static bool
check_id(struct encoding *encoding, const char *kind, const char *code, uint32_t id, uint32_t end)
{
    if (id == 0 || id >= end)
        return catalog_encode_refuse(&encoding->encoder, "%s '%s': its id is %u, not 1 to %u", kind,
                                     code, id, end - 1);
    if (lookup_put_id(&encoding->ids, id, id) != STATUS_OK)
        return catalog_encode_refuse(&encoding->encoder, "%s '%s': its id %u is another one's",
                                     kind, code, id);
    return true;
}

static bool
check_money(struct encoding *encoding, const char *kind, const char *code, money amount)
{
    if (amount.micros >= 0 && amount.micros <= BOUND_MICROS) return true;
    return catalog_encode_refuse(&encoding->encoder, "%s '%s': an amount is below 0 or too large",
                                 kind, code);
}

static bool
check_count(struct encoding *encoding, const char *kinds, uint32_t count, uint32_t most)
{
    if (count <= most) return true;
    return catalog_encode_refuse(&encoding->encoder, "%u %s; the most is %u", count, kinds, most);
}

static bool
seat_index(struct encoding *encoding, const char *kind, const char *code, const char *seat,
           uint32_t *out_index)
{
    *out_index = lookup_text(&encoding->seats, seat, strlen(seat));
    if (*out_index != LOOKUP_NONE) return true;
    return catalog_encode_refuse(&encoding->encoder, "%s '%s': there is no seat '%.60s'", kind,
                                 code, seat);
}

static void
begin(struct encoding *encoding, enum catalog_section section, uint64_t count)
{
    encoding->offsets[section] = encoding->encoder.out.len;
    encoding->counts[section] = count;
    lookup_open(&encoding->ids, encoding->encoder.scratch, (uint32_t)count);
}

static bool
check_attributes(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    uint32_t most = BOUND_ATTRIBUTES - BUILTIN_COUNT;
    if (!check_count(encoding, "attributes", market->attribute_count, most)) return false;
    struct lookup names;
    lookup_open(&names, encoding->encoder.scratch, BOUND_ATTRIBUTES);
    for (uint32_t i = 0; i < BUILTIN_COUNT; i++)
        CHECK(lookup_put_text(&names, catalog_builtins[i].name, strlen(catalog_builtins[i].name),
                              i) == STATUS_OK);
    for (uint32_t i = 0; i < market->attribute_count; i++) {
        const struct market_attribute *attribute = &market->attributes[i];
        const char *code = attribute->code;
        if (!expr_name_allowed(code, strlen(code)))
            return catalog_encode_refuse(
                &encoding->encoder, "attribute '%.60s': this name cannot stand in a rule", code);
        if (lookup_put_text(&names, code, strlen(code), i) != STATUS_OK)
            return catalog_encode_refuse(&encoding->encoder, "attribute '%s' is there already",
                                         code);
        if (attribute->type >= ATTRIBUTE_TYPE_COUNT || attribute->of >= ATTRIBUTE_OF_COUNT ||
            attribute->privacy >= PRIVACY_COUNT || attribute->consent < -1 ||
            attribute->consent >= CONSENT_COUNT ||
            (attribute->type == ATTRIBUTE_INTEGER && attribute->least > attribute->most))
            return catalog_encode_refuse(&encoding->encoder, "attribute '%s' is not well declared",
                                         code);
        for (uint32_t j = 0; j < attribute->word_count; j++)
            if (!check_text(encoding, "attribute", code, attribute->words[j])) return false;
    }
    return true;
}

static void
put_attributes(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    struct codec_writer *out = &encoding->encoder.out;
    begin(encoding, SECTION_ATTRIBUTES, market->attribute_count);
    for (uint32_t i = 0; i < market->attribute_count; i++) {
        const struct expr_attribute *is = &encoding->encoder.schema.attributes[BUILTIN_COUNT + i];
        codec_put_text(out, is->name);
        codec_put(out, is->type, 1);
        codec_put(out, is->of, 1);
        codec_put(out, market->attributes[i].privacy, 1);
        codec_put(out, (uint8_t)market->attributes[i].consent, 1);
        codec_put(out, (uint64_t)is->least, 8);
        codec_put(out, (uint64_t)is->most, 8);
    }
}

static bool
put_seats(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    struct codec_writer *out = &encoding->encoder.out;
    begin(encoding, SECTION_SEATS, market->seat_count);
    lookup_open(&encoding->seats, encoding->encoder.scratch, market->seat_count);
    for (uint32_t i = 0; i < market->seat_count; i++) {
        const struct market_seat *seat = &market->seats[i];
        if (!check_code(encoding, "seat", seat->code) ||
            !check_id(encoding, "seat", seat->code, seat->id, BOUND_SEATS) ||
            !check_money(encoding, "seat", seat->code, seat->budget.total))
            return false;
        if (seat->kind >= SEAT_KIND_COUNT)
            return catalog_encode_refuse(&encoding->encoder, "seat '%s' is not well declared",
                                         seat->code);
        if (lookup_put_text(&encoding->seats, seat->code, strlen(seat->code), i) != STATUS_OK)
            return catalog_encode_refuse(&encoding->encoder, "seat '%s' is there already",
                                         seat->code);
        codec_put(out, seat->id, 4);
        codec_put(out, seat->kind, 1);
        codec_put(out, seat->paused, 1);
        codec_put(out, seat->budget.has_total, 1);
        codec_put(out, (uint64_t)seat->budget.total.micros, 8);
        codec_put_text(out, seat->code);
        if (!catalog_encode_rule(&encoding->encoder, seat->rule, CATALOG_SEAT_RULE_ADMITS, "seat",
                                 seat->code))
            return false;
    }
    return true;
}

static bool
put_containers(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    struct codec_writer *out = &encoding->encoder.out;
    begin(encoding, SECTION_CONTAINERS, market->container_count);
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        uint32_t owner;
        if (!check_code(encoding, "container", container->code) ||
            !check_id(encoding, "container", container->code, container->id, UINT32_MAX) ||
            !seat_index(encoding, "container", container->code, container->owner, &owner))
            return false;
        if (container->stage >= STAGE_COUNT || container->channel >= CHANNEL_COUNT ||
            container->slot_count > BOUND_SLOTS || container->pricing >= PRICING_COUNT)
            return catalog_encode_refuse(&encoding->encoder, "container '%s' is not well declared",
                                         container->code);
        codec_put(out, container->id, 4);
        codec_put(out, owner, 4);
        codec_put(out, container->stage, 1);
        codec_put(out, container->channel, 1);
        codec_put(out, container->slot_count, 1);
        codec_put(out, container->pricing, 1);
        codec_put_text(out, container->code);
    }
    return true;
}

// Precedence of a floor, the larger first: number of conditions, then which ones.
static unsigned
floor_rank(const struct market_floor *floor)
{
    unsigned seat = floor->seat[0] != '\0', category = floor->category[0] != '\0',
             rung = floor->rung >= 0;
    return (seat + category + rung) << 3 | seat << 2 | category << 1 | rung;
}

static bool
put_floors(struct encoding *encoding, const struct market_slot *slot, const char *tagid)
{
    struct codec_writer *out = &encoding->encoder.out;
    const struct market_floor *order[BOUND_FLOORS];
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        uint32_t at = i;
        for (; at > 0 && floor_rank(order[at - 1]) < floor_rank(&slot->floors[i]); at--)
            order[at] = order[at - 1];
        order[at] = &slot->floors[i];
    }
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        const struct market_floor *floor = order[i];
        uint32_t seat = UINT32_MAX;
        if (floor->seat[0] != '\0' && !seat_index(encoding, "slot", tagid, floor->seat, &seat))
            return false;
        if (!check_money(encoding, "slot", tagid, floor->price)) return false;
        if (floor->rung < -1 || floor->rung >= RUNG_COUNT)
            return catalog_encode_refuse(&encoding->encoder, "slot '%s': a floor's rung is unknown",
                                         tagid);
        codec_put(out, (uint8_t)floor->rung, 1);
        codec_put(out, seat, 4);
        codec_put(out, (uint32_t)catalog_encode_word(&encoding->encoder, floor->category), 4);
        codec_put(out, (uint64_t)floor->price.micros, 8);
    }
    return true;
}

static bool
put_slot(struct encoding *encoding, const struct market_container *container,
         const struct market_slot *slot)
{
    struct encoder *encoder = &encoding->encoder;
    struct codec_writer *out = &encoder->out;
    if (!check_code(encoding, "slot", slot->code)) return false;
    const char *tagid = arena_printf(encoder->scratch, "%s.%s", container->code, slot->code);
    if (!check_id(encoding, "slot", tagid, slot->id, UINT32_MAX) ||
        !check_money(encoding, "slot", tagid, slot->floor))
        return false;
    if (slot->rungs >= 1u << RUNG_COUNT || slot->objectives >= 1u << OBJECTIVE_COUNT ||
        slot->floor_count > BOUND_FLOORS || slot->format_count > BOUND_SET_ITEMS)
        return catalog_encode_refuse(encoder, "slot '%s' is not well declared", tagid);
    codec_put(out, slot->id, 4);
    codec_put(out, slot->rungs, 2);
    codec_put(out, slot->objectives, 2);
    codec_put(out, slot->delivery_seconds, 4);
    codec_put(out, (uint64_t)slot->floor.micros, 8);
    codec_put(out, slot->floor_count, 1);
    codec_put(out, slot->format_count, 2);
    codec_put_text(out, tagid);
    if (!put_floors(encoding, slot, tagid)) return false;
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
    struct values *values = &encoding->values;
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
put_slots(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    uint32_t count = 0;  // no overflow: put_containers bounded each container's slots
    for (uint32_t i = 0; i < market->container_count; i++)
        count += market->containers[i].slot_count;
    if (!check_count(encoding, "slots", count, BOUND_MARKET_SLOTS)) return false;
    begin(encoding, SECTION_SLOTS, count);
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        for (uint32_t j = 0; j < container->slot_count; j++)
            if (!put_slot(encoding, container, &container->slots[j])) return false;
    }
    return true;
}

static bool
put_message(struct encoding *encoding, const struct market_message *message)
{
    struct encoder *encoder = &encoding->encoder;
    struct codec_writer *out = &encoder->out;
    const char *code = message->code;
    uint32_t seat;
    if (!check_code(encoding, "message", code) ||
        !check_id(encoding, "message", code, message->id, BOUND_MESSAGES) ||
        !check_money(encoding, "message", code, message->budget.total) ||
        !check_text(encoding, "message", code, message->content) ||
        !seat_index(encoding, "message", code, message->seat, &seat))
        return false;
    if (message->rung >= RUNG_COUNT || message->objectives >= 1u << OBJECTIVE_COUNT ||
        message->cap_count > BOUND_CAP_COUNT || (message->cap_count > 0 && message->cap_days == 0))
        return catalog_encode_refuse(encoder, "message '%s' is not well declared", code);
    codec_put(out, message->id, 4);
    codec_put(out, seat, 4);
    codec_put(out, message->rung, 1);
    codec_put(out, message->objectives, 2);
    codec_put(out, (uint32_t)catalog_encode_word(encoder, message->category), 4);
    codec_put(out, (uint32_t)catalog_encode_word(encoder, message->format), 4);
    codec_put(out, (uint64_t)message->from.us, 8);
    codec_put(out, (uint64_t)message->until.us, 8);
    codec_put(out, message->budget.has_total, 1);
    codec_put(out, (uint64_t)message->budget.total.micros, 8);
    codec_put(out, message->cap_count, 4);
    codec_put(out, message->cap_days, 4);
    codec_put_text(out, code);
    codec_put_text(out, message->content);
    struct values *values = &encoding->values;
    values->known = 0;
    values->list_used = 0;
    catalog_encode_builtin(encoder, values, BUILTIN_MESSAGE, code);
    catalog_encode_builtin(encoder, values, BUILTIN_SEAT, message->seat);
    catalog_encode_builtin(encoder, values, BUILTIN_CATEGORY, message->category);
    catalog_encode_builtin(encoder, values, BUILTIN_FORMAT, message->format);
    values->known |= UINT64_C(1) << BUILTIN_RUNG;
    values->value[BUILTIN_RUNG] = message->rung + 1;
    if (!catalog_encode_declared(encoder, values, ATTRIBUTE_OF_MESSAGE, message->values,
                                 message->value_count, "message", code))
        return false;
    catalog_encode_values(encoder, values);
    return catalog_encode_rule(encoder, message->rule, CATALOG_MESSAGE_RULE_ADMITS, "message",
                               code);
}

static bool
put_messages(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    begin(encoding, SECTION_MESSAGES, market->message_count);
    for (uint32_t i = 0; i < market->message_count; i++)
        if (!put_message(encoding, &market->messages[i])) return false;
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
put_contracts(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    struct codec_writer *out = &encoding->encoder.out;
    uint32_t count = market->contract_count;
    struct contract_key *keys = arena_take(encoding->encoder.scratch, 2 * (size_t)count + 1,
                                           sizeof *keys);
    begin(encoding, SECTION_CONTRACTS, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct market_contract *contract = &market->contracts[i];
        keys[i] = (struct contract_key){.index = i, .from = contract->from};
        if (!check_code(encoding, "contract", contract->code) ||
            !check_id(encoding, "contract", contract->code, contract->id, UINT32_MAX) ||
            !seat_index(encoding, "contract", contract->code, contract->seat, &keys[i].seat))
            return false;
        if (contract->charge >= CHARGE_COUNT || contract->billing >= BILLING_COUNT)
            return catalog_encode_refuse(&encoding->encoder, "contract '%s' is not well declared",
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
    }
    return true;
}

struct bid_key {
    int64_t price;
    uint64_t id;
    uint32_t index;
};

static int
compare_bids(const void *a, const void *b)
{
    const struct bid_key *left = a, *right = b;
    if (left->price != right->price) return left->price > right->price ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

static bool
put_bids(struct encoding *encoding)
{
    const struct catalog_input *input = encoding->input;
    struct codec_writer *out = &encoding->encoder.out;
    uint32_t count = input->bid_count;
    struct bid_key *keys = arena_take(encoding->encoder.scratch, 2 * (size_t)count + 1,
                                      sizeof *keys);
    begin(encoding, SECTION_BIDS, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct market_bid *bid = &input->bids[i];
        keys[i] = (struct bid_key){bid->price.micros, bid->id, i};
        if (bid->id == 0 || bid->price.micros <= 0 || bid->price.micros > BOUND_MICROS ||
            bid->state > BID_WITHDRAWN || strnlen(bid->key, BOUND_KEY + 1) > BOUND_KEY)
            return catalog_encode_refuse(&encoding->encoder,
                                         "bid %llu cannot be (its id, price, state or key)",
                                         (unsigned long long)bid->id);
        if (lookup_put_id(&encoding->ids, bid->id, i) != STATUS_OK)
            return catalog_encode_refuse(&encoding->encoder, "bid %llu is there twice",
                                         (unsigned long long)bid->id);
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
put_certificates(struct encoding *encoding)
{
    const struct catalog_input *input = encoding->input;
    struct codec_writer *out = &encoding->encoder.out;
    uint32_t count = input->certificate_count;
    struct market_certificate *order = arena_take(encoding->encoder.scratch, 2 * (size_t)count + 1,
                                                  sizeof *order);
    if (count > 0) memcpy(order, input->certificates, count * sizeof *order);
    sort_stable(order, order + count, count, sizeof *order, compare_certificates);
    begin(encoding, SECTION_CERTIFICATES, count);
    for (uint32_t i = 0; i < count; i++) {
        if (order[i].role >= ROLE_COUNT ||
            (i > 0 && digest_same(order[i - 1].fingerprint, order[i].fingerprint)))
            return catalog_encode_refuse(&encoding->encoder,
                                         "a certificate is there twice or of no role");
        codec_put_bytes(out, order[i].fingerprint.bytes, sizeof order[i].fingerprint.bytes);
        codec_put(out, order[i].role, 1);
        codec_put(out, order[i].revoked, 1);
        codec_put(out, order[i].party, 4);
    }
    return true;
}

static bool
put_touchpoints(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    struct codec_writer *out = &encoding->encoder.out;
    begin(encoding, SECTION_TOUCHPOINTS, market->touchpoint_count);
    for (uint32_t i = 0; i < market->touchpoint_count; i++) {
        const struct market_touchpoint *touchpoint = &market->touchpoints[i];
        if (!check_code(encoding, "touchpoint", touchpoint->code) ||
            !check_id(encoding, "touchpoint", touchpoint->code, touchpoint->id, UINT16_MAX + 1) ||
            !check_text(encoding, "touchpoint", touchpoint->code, touchpoint->name))
            return false;
        codec_put(out, touchpoint->id, 4);
        codec_put_text(out, touchpoint->code);
        codec_put_text(out, touchpoint->name);
    }
    return true;
}

static bool
put_words(struct encoding *encoding)
{
    const struct words *words = encoding->encoder.schema.words;
    begin(encoding, SECTION_WORDS, words->count);
    for (uint32_t i = 0; i < words->count; i++) {
        if (strlen(words->texts[i]) > BOUND_RULE_BYTES)
            return catalog_encode_refuse(&encoding->encoder,
                                         "the word '%.60s...' is longer than %d bytes",
                                         words->texts[i], BOUND_RULE_BYTES);
        codec_put_text(&encoding->encoder.out, words->texts[i]);
    }
    return true;
}

static bool
put_all(struct encoding *encoding)
{
    const struct market *market = encoding->input->market;
    if (!check_count(encoding, "seats", market->seat_count, BOUND_SEATS) ||
        !check_count(encoding, "containers", market->container_count, BOUND_CONTAINERS) ||
        !check_count(encoding, "messages", market->message_count, BOUND_MESSAGES) ||
        !check_count(encoding, "bids", encoding->input->bid_count, BOUND_BIDS) ||
        !check_code(encoding, "market", market->code) || !check_attributes(encoding))
        return false;
    catalog_schema(market, encoding->encoder.scratch, &encoding->encoder.schema);
    begin(encoding, SECTION_MARKET, 1);
    codec_put_text(&encoding->encoder.out, market->code);
    put_attributes(encoding);
    return put_seats(encoding) && put_containers(encoding) && put_slots(encoding) &&
           put_messages(encoding) && put_contracts(encoding) && put_bids(encoding) &&
           put_certificates(encoding) && put_touchpoints(encoding) && put_words(encoding);
}

// Head and section table before the sections, which begin at CATALOG_BLOCK_HEAD + the table.
static void
put_head(struct encoding *encoding, uint8_t *block, size_t len)
{
    struct codec_writer head = {.bytes = block, .room = len};
    const struct catalog_input *input = encoding->input;
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
        uint64_t end = i + 1 < SECTION_COUNT ? encoding->offsets[i + 1] : body;
        codec_put(&head, first + encoding->offsets[i], 8);
        codec_put(&head, end - encoding->offsets[i], 8);
        codec_put(&head, encoding->counts[i], 4);
    }
}

enum status
catalog_encode(const struct catalog_input *input, struct arena *arena, const uint8_t **out_bytes,
               size_t *out_len, struct expr_error *out_error)
{
    struct arena *scratch = arena_open("catalog encoding");
    struct encoding *encoding = arena_take(scratch, 1, sizeof *encoding);
    encoding->encoder = (struct encoder){
        .market = input->market, .scratch = scratch, .error = out_error};
    encoding->input = input;
    *out_error = (struct expr_error){0};
    codec_open(&encoding->encoder.out, scratch,
               (size_t)input->bid_count * CATALOG_BLOCK_BID + 64 * 1024);
    enum status status = STATUS_INPUT;
    if (!put_all(encoding)) goto done;
    size_t head = CATALOG_BLOCK_HEAD + SECTION_COUNT * CATALOG_BLOCK_ENTRY;
    size_t len = head + encoding->encoder.out.len;
    uint8_t *block = arena_take(arena, len, 1);
    memcpy(block + head, encoding->encoder.out.bytes, encoding->encoder.out.len);
    put_head(encoding, block, len);
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
