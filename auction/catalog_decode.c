// Decodes the block that catalog_block.h describes into a catalog that is safe to use, whoever
// wrote it.
//
// Checked in this order, so that nothing is believed before it is looked at:
//  1. the head: magic, length, version, then the digest over all of it
//  2. the section table: sections follow the head one after the other and fill the block exactly
//  3. each count against the bytes of its section, before memory is taken for it
//  4. each record: enums, masks, amounts, indexes, words, orders, and the shape of each rule's tree
//  5. codes, ids and words are unique (catalog_lookup.c)
// The digest alone would tell a torn or rotten file; 2 to 5 are for a block that was made to
// mislead.
#include "catalog.h"

#include <string.h>

#include "catalog_block.h"
#include "catalog_decode.h"
#include "catalog_lookup.h"
#include "fact.h"
#include "match.h"

struct section {
    const uint8_t *bytes;
    size_t len;
    uint32_t count;
};

// The least bytes of one record of each section.
static const uint8_t least_bytes[SECTION_COUNT] = {
    [SECTION_MARKET] = 2,        [SECTION_ATTRIBUTES] = 22,
    [SECTION_SEATS] = 17,        [SECTION_CONTAINERS] = 13,
    [SECTION_SLOTS] = 26,        [SECTION_MESSAGES] = 59,
    [SECTION_CONTRACTS] = 26,    [SECTION_BIDS] = CATALOG_BLOCK_BID_2,
    [SECTION_CERTIFICATES] = 38, [SECTION_TOUCHPOINTS] = 8,
    [SECTION_WORDS] = 2,         [SECTION_CAMPAIGNS] = 30,
    [SECTION_CAPS] = 20,         [SECTION_EXPERIMENTS] = 29,
    [SECTION_DEALS] = 44,        [SECTION_SHIFTS] = 12,
};

static unsigned
section_count(uint32_t version)
{
    return version < 3 ? SECTION_COUNT_2 : SECTION_COUNT;
}

static enum status
check_head(const uint8_t *bytes, size_t len, uint32_t *out_version)
{
    struct codec_reader head = {.at = bytes, .end = bytes + len};
    if (len < CATALOG_BLOCK_HEAD || memcmp(bytes, "VNDC", 4) != 0) return STATUS_DAMAGED;
    (void)codec_get_u32(&head);
    uint32_t version = codec_get_u32(&head);
    if (codec_get(&head, 8) != len) return STATUS_DAMAGED;
    struct digest stored;
    codec_get_bytes(&head, stored.bytes, sizeof stored.bytes);
    struct digest digest = hash_sha256_pieces(
        (struct hash_piece[]){{bytes, 16},
                              {bytes + CATALOG_BLOCK_SEALED, len - CATALOG_BLOCK_SEALED}},
        2);
    if (!digest_same(stored, digest)) return STATUS_DAMAGED;
    if (version < 1 || version > CATALOG_BLOCK_VERSION) return STATUS_VERSION;
    *out_version = version;
    size_t least = CATALOG_BLOCK_HEAD + section_count(version) * CATALOG_BLOCK_ENTRY;
    return len < least ? STATUS_DAMAGED : STATUS_OK;
}

static bool
read_table(const uint8_t *bytes, size_t len, unsigned count_of_sections, struct catalog *catalog,
           struct section sections[SECTION_COUNT])
{
    struct codec_reader head = {.at = bytes + CATALOG_BLOCK_SEALED, .end = bytes + len};
    catalog->version = codec_get(&head, 8);
    catalog->position.log = codec_get_u32(&head);
    catalog->position.epoch = codec_get_u32(&head);
    catalog->position.batch = codec_get(&head, 8);
    codec_get_bytes(&head, catalog->currency.code, sizeof catalog->currency.code);
    if (codec_get_u32(&head) != count_of_sections || catalog->currency.code[3] != '\0')
        return false;
    uint64_t expected = CATALOG_BLOCK_HEAD + count_of_sections * CATALOG_BLOCK_ENTRY;
    for (unsigned i = 0; i < count_of_sections; i++) {
        uint64_t offset = codec_get(&head, 8), size = codec_get(&head, 8);
        uint32_t count = codec_get_u32(&head);
        if (offset != expected || size > len - offset || (uint64_t)count * least_bytes[i] > size)
            return false;
        sections[i] = (struct section){bytes + offset, (size_t)size, count};
        expected = offset + size;
    }
    return expected == len && sections[SECTION_MARKET].count == 1 &&
           sections[SECTION_ATTRIBUTES].count <= BOUND_ATTRIBUTES - BUILTIN_COUNT &&
           sections[SECTION_SEATS].count <= BOUND_SEATS &&
           sections[SECTION_CONTAINERS].count <= BOUND_CONTAINERS &&
           sections[SECTION_SLOTS].count <= BOUND_MARKET_SLOTS &&
           sections[SECTION_MESSAGES].count <= BOUND_MESSAGES &&
           sections[SECTION_BIDS].count <= BOUND_BIDS;
}

static void
decode_words(struct decoder *decoder, uint32_t count)
{
    const char **words = arena_take(decoder->arena, (size_t)count + 1, sizeof *words);
    catalog_decode_need(decoder, count <= INT32_MAX);
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++)
        words[i] = catalog_decode_text(decoder, BOUND_RULE_BYTES);
    decoder->catalog->words = words;
    decoder->catalog->word_count = count;
}

static void
decode_market(struct decoder *decoder, uint32_t count)
{
    struct catalog *catalog = decoder->catalog;
    (void)count;  // one, as the table's check made sure
    catalog->market = catalog_decode_code(decoder, BOUND_CODE);
    catalog->disclosure = DISCLOSE_CLEARING;
    if (decoder->version < 3) return;
    catalog->disclosure = catalog_decode_enum(decoder, DISCLOSURE_COUNT);
    catalog->sample_ppm = codec_get_u32(&decoder->in);
    catalog->sample_days = codec_get_u32(&decoder->in);
    catalog->complaint_quiet_days = codec_get_u32(&decoder->in);
    catalog->refund_quiet_days = codec_get_u32(&decoder->in);
    struct learn_counts *expected = &catalog->expected;
    expected->delivered = codec_get_u32(&decoder->in);
    expected->responded = codec_get_u32(&decoder->in);
    expected->converted = codec_get_u32(&decoder->in);
    expected->revenue = catalog_decode_money(decoder);
    catalog_decode_need(decoder, expected->responded <= expected->delivered &&
                                     expected->converted <= expected->delivered);
    catalog_decode_need(decoder, catalog->sample_ppm <= MONEY_PPM &&
                                     catalog->complaint_quiet_days <= BOUND_QUIET_DAYS &&
                                     catalog->refund_quiet_days <= BOUND_QUIET_DAYS);
}

static void
decode_attributes(struct decoder *decoder, uint32_t count)
{
    struct catalog *catalog = decoder->catalog;
    uint32_t total = BUILTIN_COUNT + count;
    struct catalog_attribute *attributes = arena_take(decoder->arena, total, sizeof *attributes);
    struct expr_attribute *schema = arena_take(decoder->arena, total, sizeof *schema);
    for (uint32_t i = 0; i < BUILTIN_COUNT; i++) {
        schema[i] = catalog_builtins[i];
        attributes[i] = (struct catalog_attribute){
            .is = schema[i], .privacy = PRIVACY_HOST, .consent = -1};
    }
    for (uint32_t i = BUILTIN_COUNT; i < total && !decoder->in.damaged; i++) {
        const char *name = catalog_decode_code(decoder, BOUND_CODE);
        catalog_decode_need(decoder, expr_name_allowed(name, strlen(name)));
        memcpy(schema[i].name, name, strlen(name));
        schema[i].type = catalog_decode_enum(decoder, ATTRIBUTE_TYPE_COUNT);
        schema[i].of = catalog_decode_enum(decoder, ATTRIBUTE_OF_COUNT);
        attributes[i].privacy = catalog_decode_enum(decoder, PRIVACY_COUNT);
        attributes[i].consent = (int8_t)codec_get_u8(&decoder->in);
        catalog_decode_need(decoder,
                            attributes[i].consent >= -1 && attributes[i].consent < CONSENT_COUNT);
        schema[i].least = codec_get_i64(&decoder->in);
        schema[i].most = codec_get_i64(&decoder->in);
        catalog_decode_need(decoder, schema[i].least <= schema[i].most);
        attributes[i].is = schema[i];
    }
    catalog->attributes = attributes;
    catalog->attribute_count = total;
    decoder->schema = (struct expr_schema){.attributes = schema, .count = total};
}

static void
decode_seats(struct decoder *decoder, uint32_t count)
{
    struct catalog_seat *seats = arena_take(decoder->arena, (size_t)count + 1, sizeof *seats);
    uint64_t showable = 0;
    for (uint32_t i = 0; i < decoder->catalog->attribute_count; i++) {
        const struct catalog_attribute *attribute = &decoder->catalog->attributes[i];
        bool arrives = attribute->is.of == ATTRIBUTE_OF_CONTACT ||
                       attribute->is.of == ATTRIBUTE_OF_CUSTOMER;
        if (arrives && attribute->privacy == PRIVACY_OPEN) showable |= UINT64_C(1) << i;
    }
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++) {
        struct catalog_seat *seat = &seats[i];
        seat->id = codec_get_u32(&decoder->in);
        catalog_decode_need(decoder, seat->id > 0 && seat->id < BOUND_SEATS);
        seat->kind = catalog_decode_enum(decoder, SEAT_KIND_COUNT);
        seat->paused = catalog_decode_bool(decoder);
        catalog_decode_budget(decoder, &seat->budget);
        if (decoder->version >= 3) {
            seat->live = catalog_decode_bool(decoder);
            seat->shows = codec_get(&decoder->in, 8);
            catalog_decode_need(decoder, (seat->shows & ~showable) == 0);
        }
        seat->code = catalog_decode_code(decoder, BOUND_CODE);
        catalog_decode_rule(decoder, CATALOG_SEAT_RULE_ADMITS, &seat->rule);
    }
    decoder->catalog->seats = decoder->seats = seats;
    decoder->catalog->seat_count = count;
}

static void
decode_containers(struct decoder *decoder, uint32_t count)
{
    struct catalog_container *containers = arena_take(decoder->arena, (size_t)count + 1,
                                                      sizeof *containers);
    uint32_t slots = 0;
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++) {
        struct catalog_container *container = &containers[i];
        container->id = codec_get_u32(&decoder->in);
        catalog_decode_need(decoder, container->id > 0);
        container->owner = catalog_decode_index(decoder, decoder->catalog->seat_count, false);
        container->stage = catalog_decode_enum(decoder, STAGE_COUNT);
        container->channel = catalog_decode_enum(decoder, CHANNEL_COUNT);
        container->slot_first = slots;
        container->slot_count = catalog_decode_enum(decoder, BOUND_SLOTS + 1);
        if (decoder->version >= 2) container->pricing = catalog_decode_enum(decoder, PRICING_COUNT);
        if (decoder->version >= 3) {
            container->separate = catalog_decode_bool(decoder);
            container->paid_max = codec_get_u32(&decoder->in);
            container->quota_count = codec_get_u32(&decoder->in);
            container->quota_objectives = codec_get_u16(&decoder->in);
            catalog_decode_need(decoder, container->quota_count <= container->slot_count &&
                                             container->quota_objectives < 1u << OBJECTIVE_COUNT);
        }
        container->code = catalog_decode_code(decoder, BOUND_CODE);
        slots += container->slot_count;
    }
    decoder->catalog->containers = containers;
    decoder->catalog->container_count = count;
}

static void
decode_formats(struct decoder *decoder, struct catalog_slot *slot, uint32_t count)
{
    int32_t *formats = arena_take(decoder->arena, (size_t)count + 1, sizeof *formats);
    for (uint32_t i = 0; i < count; i++) {
        formats[i] = catalog_decode_word(decoder, false);
        catalog_decode_need(decoder, i == 0 || formats[i - 1] < formats[i]);
    }
    slot->formats = formats;
    slot->format_count = count;
}

static void
decode_slot(struct decoder *decoder, struct catalog_slot *slot)
{
    slot->id = codec_get_u32(&decoder->in);
    slot->rungs = codec_get_u16(&decoder->in);
    slot->objectives = codec_get_u16(&decoder->in);
    slot->delivery_seconds = codec_get_u32(&decoder->in);
    slot->floor = catalog_decode_money(decoder);
    uint32_t floors = decoder->version < 3 ? codec_get_u8(&decoder->in) : 0;
    uint32_t formats = codec_get_u16(&decoder->in);
    if (decoder->version >= 3) slot->explore = catalog_decode_bool(decoder);
    catalog_decode_need(decoder, slot->id > 0 && slot->rungs < 1u << RUNG_COUNT &&
                                     slot->objectives < 1u << OBJECTIVE_COUNT &&
                                     floors <= BOUND_FLOORS && formats <= BOUND_SET_ITEMS);
    slot->tagid = catalog_decode_code(decoder, BOUND_CODE);
    if (decoder->in.damaged) return;
    catalog_decode_floors(decoder, slot, floors);
    decode_formats(decoder, slot, formats);
    catalog_decode_slot_experiments(decoder, slot);
    catalog_decode_values(decoder, ATTRIBUTE_OF_SLOT, &slot->values);
    catalog_decode_rule(decoder, CATALOG_SLOT_RULE_ADMITS, &slot->rule);
}

static void
decode_slots(struct decoder *decoder, uint32_t count)
{
    const struct catalog *catalog = decoder->catalog;
    struct catalog_slot *slots = arena_take(decoder->arena, (size_t)count + 1, sizeof *slots);
    uint32_t container = 0, position = 0;
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++, position++) {
        while (container < catalog->container_count &&
               position == catalog->containers[container].slot_count) {
            container++;
            position = 0;
        }
        catalog_decode_need(decoder, container < catalog->container_count);
        slots[i].container = container;
        slots[i].position = (uint8_t)(position + 1);
        decode_slot(decoder, &slots[i]);
    }
    uint32_t promised = 0;
    for (uint32_t i = 0; i < catalog->container_count; i++)
        promised += catalog->containers[i].slot_count;
    catalog_decode_need(decoder, promised == count);
    decoder->catalog->slots = slots;
    decoder->catalog->slot_count = count;
}

// The campaign of a message is its seat's.
static void
decode_campaign_of(struct decoder *decoder, struct catalog_message *message)
{
    const struct catalog *catalog = decoder->catalog;
    struct codec_reader *in = &decoder->in;
    message->campaign = message->deal = UINT32_MAX;
    if (decoder->version < 3) return;
    message->campaign = catalog_decode_index(decoder, catalog->campaign_count, true);
    message->group = codec_get_u32(in);
    message->priority = catalog_decode_enum(decoder, BOUND_PRIORITY + 1);
    message->after_experience = catalog_decode_bool(decoder);
    if (message->campaign < catalog->campaign_count)
        catalog_decode_need(decoder, catalog->campaigns[message->campaign].seat == message->seat);
}

static void
decode_message(struct decoder *decoder, struct catalog_message *message,
               struct catalog_own_cap *out_own)
{
    struct codec_reader *in = &decoder->in;
    const char *const *words = decoder->catalog->words;
    message->id = codec_get_u32(in);
    message->seat = catalog_decode_index(decoder, decoder->catalog->seat_count, false);
    message->rung = catalog_decode_enum(decoder, RUNG_COUNT);
    message->objectives = codec_get_u16(in);
    message->category = catalog_decode_word(decoder, true);
    message->format = catalog_decode_word(decoder, true);
    message->from.us = codec_get_i64(in);
    message->until.us = codec_get_i64(in);
    catalog_decode_budget(decoder, &message->budget);
    uint32_t cap_count = codec_get_u32(in), cap_days = codec_get_u32(in);
    catalog_decode_need(decoder, message->id > 0 && message->id < BOUND_MESSAGES &&
                                     message->objectives < 1u << OBJECTIVE_COUNT &&
                                     cap_count <= BOUND_CAP_COUNT && cap_days <= UINT16_MAX &&
                                     (cap_count == 0 || cap_days > 0));
    *out_own = (struct catalog_own_cap){(uint8_t)cap_count, (uint16_t)cap_days};
    decode_campaign_of(decoder, message);
    message->code = catalog_decode_code(decoder, BOUND_CODE);
    message->content = catalog_decode_text(decoder, BOUND_TEXT);
    if (in->damaged) return;
    message->category_text = message->category < 0 ? "" : words[message->category];
    message->format_text = message->format < 0 ? "" : words[message->format];
    catalog_decode_values(decoder, ATTRIBUTE_OF_MESSAGE, &message->values);
    catalog_decode_rule(decoder, CATALOG_MESSAGE_RULE_ADMITS, &message->rule);
}

static void
list_messages_of_seats(struct decoder *decoder, const struct catalog_message *messages,
                       uint32_t count)
{
    const struct catalog *catalog = decoder->catalog;
    uint32_t *list = arena_take(decoder->arena, (size_t)count + 1, sizeof *list);
    for (uint32_t i = 0; i < count; i++) decoder->seats[messages[i].seat].message_count++;
    for (uint32_t i = 0; i < catalog->seat_count; i++) {
        decoder->seats[i].messages = list;
        list += decoder->seats[i].message_count;
        decoder->seats[i].message_count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct catalog_seat *seat = &decoder->seats[messages[i].seat];
        ((uint32_t *)(uintptr_t)seat->messages)[seat->message_count++] = i;
    }
}

static void
decode_messages(struct decoder *decoder, uint32_t count)
{
    struct catalog_message *messages = arena_take(decoder->arena, (size_t)count + 1,
                                                  sizeof *messages);
    decoder->own_caps = arena_take(decoder->scratch, (size_t)count + 1, sizeof *decoder->own_caps);
    decoder->messages = messages;
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++)
        decode_message(decoder, &messages[i], &decoder->own_caps[i]);
    if (!decoder->in.damaged) list_messages_of_seats(decoder, messages, count);
    decoder->catalog->messages = messages;
    decoder->catalog->message_count = count;
}

static void
decode_contracts(struct decoder *decoder, uint32_t count)
{
    struct catalog_contract *contracts = arena_take(decoder->arena, (size_t)count + 1,
                                                    sizeof *contracts);
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++) {
        struct catalog_contract *contract = &contracts[i], *last = i == 0 ? NULL : contract - 1;
        contract->id = codec_get_u32(&decoder->in);
        contract->seat = catalog_decode_index(decoder, decoder->catalog->seat_count, false);
        contract->from.us = codec_get_i64(&decoder->in);
        contract->until.us = codec_get_i64(&decoder->in);
        contract->charge = catalog_decode_enum(decoder, CHARGE_COUNT);
        contract->billing = catalog_decode_enum(decoder, BILLING_COUNT);
        contract->merchant = decoder->version >= 4 ? catalog_decode_enum(decoder, MERCHANT_COUNT)
                                                   : MERCHANT_PARTNER;
        catalog_decode_need(
            decoder, contract->id > 0 &&
                         (last == NULL || last->seat < contract->seat ||
                          (last->seat == contract->seat && last->from.us <= contract->from.us)));
    }
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++)
        decoder->catalog->contracts_wait |= market_waits(
            market_due(PRICE_PLACEMENT, contracts[i].charge));
    decoder->catalog->contracts = contracts;
    decoder->catalog->contract_count = count;
}

// Ids of one kind to indexes, while the bids are read.
static void
index_ids(struct decoder *decoder, struct lookup *seats, struct lookup *messages,
          struct lookup *slots, struct arena *scratch)
{
    const struct catalog *catalog = decoder->catalog;
    lookup_open(seats, scratch, catalog->seat_count);
    lookup_open(messages, scratch, catalog->message_count);
    lookup_open(slots, scratch, catalog->slot_count);
    for (uint32_t i = 0; i < catalog->seat_count; i++)
        catalog_decode_need(decoder, lookup_put_id(seats, catalog->seats[i].id, i) == STATUS_OK);
    for (uint32_t i = 0; i < catalog->message_count; i++)
        catalog_decode_need(decoder,
                            lookup_put_id(messages, catalog->messages[i].id, i) == STATUS_OK);
    for (uint32_t i = 0; i < catalog->slot_count; i++)
        catalog_decode_need(decoder, lookup_put_id(slots, catalog->slots[i].id, i) == STATUS_OK);
}

// In the order that catalog.bids has?
static bool
follows(const struct catalog *catalog, const struct catalog_bid *last,
        const struct catalog_bid *bid)
{
    bool first = catalog_judged_first(catalog, last->message, (enum price_kind)last->kind);
    bool second = catalog_judged_first(catalog, bid->message, (enum price_kind)bid->kind);
    if (first != second) return first;
    if (!first && last->price.micros != bid->price.micros)
        return last->price.micros > bid->price.micros;
    return last->id < bid->id;
}

static void
decode_bids(struct decoder *decoder, uint32_t count)
{
    struct catalog *catalog = decoder->catalog;
    struct catalog_bid *bids = arena_take(decoder->arena, (size_t)count + 1, sizeof *bids);
    struct lookup seats, messages, slots;
    index_ids(decoder, &seats, &messages, &slots, decoder->scratch);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++) {
        struct catalog_bid bid = {.id = codec_get(&decoder->in, 8)};
        bid.seat = lookup_id(&seats, codec_get_u32(&decoder->in));
        bid.message = lookup_id(&messages, codec_get_u32(&decoder->in));
        uint32_t slot = codec_get_u32(&decoder->in);
        bid.slot = slot == 0 ? UINT32_MAX : lookup_id(&slots, slot);
        bid.price = catalog_decode_money(decoder);
        bid.from.us = codec_get_i64(&decoder->in);
        bid.until.us = codec_get_i64(&decoder->in);
        bid.state = catalog_decode_enum(decoder, BID_WITHDRAWN + 1);
        codec_get_bytes(&decoder->in, bid.key, sizeof bid.key);
        if (decoder->version >= 3) bid.kind = catalog_decode_enum(decoder, PRICE_KIND_COUNT);
        catalog_decode_need(decoder,
                            bid.id > 0 && bid.price.micros > 0 &&
                                (bid.kind != PRICE_SHARE || bid.price.micros <= MONEY_PPM));
        bool known = bid.message != LOOKUP_NONE && bid.seat != LOOKUP_NONE &&
                     bid.seat == catalog->messages[bid.message].seat &&
                     (slot == 0 || bid.slot != LOOKUP_NONE);
        if (!known || decoder->in.damaged) continue;
        catalog_decode_need(decoder, kept == 0 || follows(catalog, &bids[kept - 1], &bid));
        catalog->judged_first += catalog_judged_first(catalog, bid.message,
                                                      (enum price_kind)bid.kind);
        bids[kept++] = bid;
    }
    catalog->bids = bids;
    catalog->bid_count = kept;
}

static void
decode_certificates(struct decoder *decoder, uint32_t count)
{
    struct market_certificate *certificates = arena_take(decoder->arena, (size_t)count + 1,
                                                         sizeof *certificates);
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++) {
        struct market_certificate *certificate = &certificates[i];
        codec_get_bytes(&decoder->in, certificate->fingerprint.bytes,
                        sizeof certificate->fingerprint.bytes);
        certificate->role = catalog_decode_enum(decoder, ROLE_COUNT);
        certificate->revoked = catalog_decode_bool(decoder);
        certificate->party = codec_get_u32(&decoder->in);
        catalog_decode_need(decoder, i == 0 || memcmp(certificates[i - 1].fingerprint.bytes,
                                                      certificate->fingerprint.bytes,
                                                      sizeof certificate->fingerprint.bytes) < 0);
    }
    decoder->catalog->certificates = certificates;
    decoder->catalog->certificate_count = count;
}

static void
decode_touchpoints(struct decoder *decoder, uint32_t count)
{
    struct market_touchpoint *touchpoints = arena_take(decoder->arena, (size_t)count + 1,
                                                       sizeof *touchpoints);
    for (uint32_t i = 0; i < count && !decoder->in.damaged; i++) {
        touchpoints[i].id = codec_get_u32(&decoder->in);
        catalog_decode_need(decoder, touchpoints[i].id > 0 && touchpoints[i].id <= UINT16_MAX);
        touchpoints[i].code = catalog_decode_code(decoder, BOUND_CODE);
        touchpoints[i].name = catalog_decode_text(decoder, BOUND_TEXT);
    }
    decoder->catalog->touchpoints = touchpoints;
    decoder->catalog->touchpoint_count = count;
}

static bool
decode_sections(struct decoder *decoder, const struct section sections[SECTION_COUNT])
{
    // Words and attributes first: all others refer to them.
    static const struct {
        enum catalog_section section;
        void (*decode)(struct decoder *decoder, uint32_t count);
    } steps[] = {
        {SECTION_WORDS, decode_words},
        {SECTION_MARKET, decode_market},
        {SECTION_ATTRIBUTES, decode_attributes},
        {SECTION_SEATS, decode_seats},
        {SECTION_CONTAINERS, decode_containers},
        {SECTION_EXPERIMENTS, catalog_decode_experiments},
        {SECTION_SLOTS, decode_slots},
        {SECTION_CAMPAIGNS, catalog_decode_campaigns},
        {SECTION_MESSAGES, decode_messages},
        {SECTION_CAPS, catalog_decode_caps},
        {SECTION_DEALS, catalog_decode_deals},
        {SECTION_SHIFTS, catalog_decode_shifts},
        {SECTION_CONTRACTS, decode_contracts},
        {SECTION_BIDS, decode_bids},
        {SECTION_CERTIFICATES, decode_certificates},
        {SECTION_TOUCHPOINTS, decode_touchpoints},
    };
    _Static_assert(sizeof steps / sizeof steps[0] == SECTION_COUNT, "every section is read");
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        const struct section *section = &sections[steps[i].section];
        decoder->in = (struct codec_reader){.at = section->bytes,
                                            .end = section->bytes + section->len};
        steps[i].decode(decoder, section->count);
        if (decoder->in.damaged || decoder->in.at != decoder->in.end) return false;
    }
    if (!catalog_decode_groups(decoder)) return false;
    catalog_caps_build(decoder->catalog, decoder->messages, decoder->own_caps);
    return catalog_lookup_build(decoder->catalog);
}

enum status
catalog_decode(const uint8_t *bytes, size_t len, struct catalog **out_catalog,
               uint32_t *out_bids_left_out)
{
    uint32_t version;
    enum status status = check_head(bytes, len, &version);
    if (status != STATUS_OK) return status;
    struct arena *arena = arena_open("catalog"), *scratch = arena_open("catalog decoding");
    struct catalog *catalog = arena_take(arena, 1, sizeof *catalog);
    catalog->arena = arena;
    struct section sections[SECTION_COUNT] = {{0}};
    struct decoder decoder = {
        .catalog = catalog, .arena = arena, .scratch = scratch, .version = version};
    bool sound = read_table(bytes, len, section_count(version), catalog, sections) &&
                 decode_sections(&decoder, sections);
    arena_close(scratch);
    if (!sound) {
        arena_close(arena);
        return STATUS_DAMAGED;
    }
    catalog->index = match_index_build(catalog, arena);
    if (out_bids_left_out != NULL)
        *out_bids_left_out = sections[SECTION_BIDS].count - catalog->bid_count;
    *out_catalog = catalog;
    return STATUS_OK;
}
