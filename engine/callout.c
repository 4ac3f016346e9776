// Writing: only what the catalog knows under a name leaves, and of the customer only what all of
// these allow: the attribute is open, its own consent was given, `sharing` was given, and the
// seat's `shows` names it. Declared attributes are copied as the touchpoint sent them, byte for
// byte: they were checked when they were bound, and a word that no rule mentions has no number to
// be told from.
//
// Reading: the answer's map is walked once; each bid is walked by a reader of its own, so that one
// bid's trouble is not the next one's.
//   1 more than BOUND_SEAT_LIVE_BIDS bids: those behind are not looked at; OVER_LIMIT
//   2 a bid that cannot be read, of a slot that was not asked, of a message that is unknown or
//     another seat's, in another currency, or of a slot and message that came before, is left out
//   3 `group` 1: a bid left out takes the others with it, as not all of them can win
// The answer's reason is OVER_LIMIT when there were too many bids, whether or not some were taken;
// else NONE when a bid was taken, NO_BID when none was sent, INVALID_BID when none could be taken.
#include "callout.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "decode_inside.h"
#include "put.h"

struct id
callout_auction(const uint8_t secret[16], struct id request_key, uint32_t seat_id)
{
    struct {
        char half;
        uint8_t key[16], seat[4];
    } named = {.half = 'a'};
    struct id id;
    memcpy(named.key, request_key.bytes, sizeof named.key);
    memcpy(named.seat, &seat_id, sizeof named.seat);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t half = hash_customer(secret, (const char *)&named, sizeof named);
        memcpy(id.bytes + 8 * i, &half, sizeof half);
        named.half = 'b';
    }
    return id;
}

uint64_t
callout_customer(const uint8_t secret[16], uint64_t customer, uint32_t seat_id)
{
    struct {
        char what[4];
        uint32_t seat;
        uint64_t customer;
    } named = {"user", seat_id, customer};
    return hash_customer(secret, (const char *)&named, sizeof named);
}

struct id
callout_placement(const uint8_t secret[16], struct id placement, uint32_t seat_id)
{
    uint8_t key[16];
    hash_placement_key(secret, seat_id, key);
    return hash_rename(key, placement);
}

struct id
callout_placement_named(const uint8_t secret[16], struct id name, uint32_t seat_id)
{
    uint8_t key[16];
    hash_placement_key(secret, seat_id, key);
    return hash_rename_back(key, name);
}

uint64_t
callout_bid(const struct id *auction, uint32_t message_id, uint32_t slot_id)
{
    uint64_t name, about = (uint64_t)message_id << 32 | slot_id;
    memcpy(&name, auction->bytes, sizeof name);
    return hash_mix(name ^ hash_mix(about + 0x9e3779b97f4a7c15u));
}

// --- Writing -------------------------------------------------------------------------------------

static void
write_imps(struct pack *pack, const struct callout_question *question)
{
    const struct catalog *catalog = question->catalog;
    const struct catalog_container *container = &catalog->containers[question->contact->container];
    const struct round_ask *ask = question->ask;
    put_array(pack, (uint32_t)__builtin_popcount(ask->slots));
    for (unsigned left = ask->slots; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        char id[4] = {(char)('0' + (i + 1) / 10), (char)('0' + (i + 1) % 10)};
        const char *short_id = id[0] == '0' ? id + 1 : id;
        const char *tagid = catalog->slots[container->slot_first + i].tagid;
        put_map(pack, 4);
        put_word(pack, "id");
        put_text(pack, short_id, strlen(short_id));
        put_word(pack, "tagid");
        put_text(pack, tagid, strlen(tagid));
        put_word(pack, "bidfloor_micros");
        put_integer(pack, ask->floor[i].micros);
        put_word(pack, "bidfloorcur");
        put_text(pack, catalog->currency.code, 3);
    }
}

// Text that a built-in attribute has in this contact; NULL: it has none, or is not a text of it.
static const char *
builtin_text(const struct callout_question *question, enum builtin builtin)
{
    const struct contact *contact = question->contact;
    const struct catalog_container *container = &question->catalog->containers[contact->container];
    switch (builtin) {
    case BUILTIN_CHANNEL: return channel_name((enum channel)container->channel);
    case BUILTIN_STAGE: return stage_name((enum stage)container->stage);
    case BUILTIN_CONTAINER: return container->code;
    case BUILTIN_IDENTITY: return identity_name((enum identity)contact->identity);
    case BUILTIN_TIER: return tier_name((enum tier)contact->tier);
    case BUILTIN_LOYALTY: return loyalty_name((enum loyalty)contact->loyalty);
    case BUILTIN_CONDITION: return condition_name((enum condition)contact->condition);
    case BUILTIN_CONSENT_PROFILING:
    case BUILTIN_CONSENT_MODELLING:
    case BUILTIN_CONSENT_THIRD_PARTY:
    case BUILTIN_CONSENT_SHARING:
    case BUILTIN_SLOT:
    case BUILTIN_MESSAGE:
    case BUILTIN_SEAT:
    case BUILTIN_CATEGORY:
    case BUILTIN_FORMAT:
    case BUILTIN_RUNG:
    case BUILTIN_COUNT: break;
    }
    return NULL;
}

static bool
may_show(const struct callout_question *question, uint32_t attribute)
{
    const struct catalog *catalog = question->catalog;
    return (catalog->seats[question->seat].shows >> attribute & 1) != 0 &&
           catalog->attributes[attribute].privacy == PRIVACY_OPEN &&
           (question->contact->values.known >> attribute & 1) != 0;
}

// Attributes that are known and may be shown; without consent to sharing none is.
static uint32_t
write_attributes(struct pack *pack, const struct callout_question *question)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < BUILTIN_COUNT; i++) {
        const char *text = may_show(question, i) ? builtin_text(question, (enum builtin)i) : NULL;
        if (text == NULL) continue;
        pack_pair_string(pack, question->catalog->attributes[i].is.name, text);
        count++;
    }
    struct wire_reader reader = question->wish->attributes;
    struct wire_map map;
    struct wire_text key;
    if (!question->wish->has_attributes || !wire_map_begin(&reader, &map)) return count;
    while (wire_map_next(&reader, &map, &key)) {
        uint32_t attribute = catalog_attribute_by_name(question->catalog, key.data, key.len);
        if (attribute == UINT32_MAX || attribute < BUILTIN_COUNT || !may_show(question, attribute))
            continue;
        const uint8_t *value = reader.at;
        if (!wire_skip(&reader)) break;
        pack_text(pack, key.data, key.len);
        put_bytes(pack, value, (size_t)(reader.at - value));
        count++;
    }
    return count;
}

void
callout_write(struct pack *pack, const struct callout_question *question)
{
    const struct catalog *catalog = question->catalog;
    const struct contact *contact = question->contact;
    const struct catalog_seat *seat = &catalog->seats[question->seat];
    bool shares = (contact->consent >> CONSENT_SHARING & 1) != 0;
    bool named = shares && contact->customer != 0;
    put_map(pack, 7u + shares + named);
    put_word(pack, "id");
    put_id(pack, callout_auction(question->secret, contact->request_key, seat->id));
    put_word(pack, "imp");
    write_imps(pack, question);
    put_word(pack, "tmax");
    put_integer(pack, question->tmax_ms);
    put_word(pack, "at");
    put_integer(pack, catalog->containers[contact->container].pricing == PRICING_VCG ? 501 : 2);
    put_word(pack, "cur");
    put_array(pack, 1);
    put_text(pack, catalog->currency.code, 3);
    put_word(pack, "test");
    put_integer(pack, question->wish->test);
    put_word(pack, "wseat");
    put_array(pack, 1);
    put_text(pack, seat->code, strlen(seat->code));
    if (named) {
        put_word(pack, "user");
        put_map(pack, 1);
        put_word(pack, "id");
        put_hex(pack, callout_customer(question->secret, contact->customer, seat->id));
    }
    if (!shares) return;
    put_word(pack, "attr");
    size_t where = pack_open_map(pack);
    pack_close(pack, where, write_attributes(pack, question));
}

// --- Reading -------------------------------------------------------------------------------------

static struct callout_trouble *
trouble(struct callout_answer *answer, uint32_t bid, enum reason reason, const char *place)
{
    if (reason == REASON_OVER_LIMIT) answer->reason = REASON_OVER_LIMIT;
    if (answer->reason == REASON_NO_BID) answer->reason = REASON_INVALID_BID;
    if (answer->trouble_count == BOUND_SEAT_LIVE_BIDS + 1) return NULL;
    struct callout_trouble *added = &answer->troubles[answer->trouble_count++];
    added->bid = bid;
    added->reason = reason;
    added->text[0] = '\0';
    strcpy(added->place, place);
    return added;
}

static void
trouble_of(struct callout_answer *answer, uint32_t bid, const struct wire_reader *reader)
{
    struct callout_trouble *added = trouble(answer, bid, reader->reason, "");
    if (added == NULL) return;
    wire_place(reader, added->place);
    wire_sentence(reader, added->text);
}

struct bid_draft {
    struct wire_text id, imp, message, currency;
    bool has_currency;
    struct decode_price price;
    char key[BOUND_KEY];
};

static bool
read_bid(struct wire_reader *reader, struct bid_draft *draft)
{
    struct wire_map map;
    struct wire_text key;
    if (!wire_map_begin(reader, &map)) return false;
    while (wire_map_next(reader, &map, &key)) {
        if (wire_same(key, "id")) decode_key(reader, draft->key);
        else if (wire_same(key, "impid")) wire_text(reader, 1, BOUND_KEY, &draft->imp);
        else if (wire_same(key, "message")) wire_text(reader, 1, BOUND_CODE, &draft->message);
        else if (wire_same(key, "cur"))
            draft->has_currency = wire_text(reader, 0, BOUND_KEY, &draft->currency);
        else (void)decode_price_field(reader, key, &draft->price);
    }
    if (reader->reason != REASON_NONE) return false;
    if (draft->imp.data == NULL) return wire_trouble(reader, REASON_MISSING_FIELD, "impid");
    if (draft->message.data == NULL) return wire_trouble(reader, REASON_MISSING_FIELD, "message");
    return true;
}

// Index of a slot that was asked; UINT32_MAX: it was not.
static uint32_t
slot_of(const struct callout_answer *answer, struct wire_text imp)
{
    unsigned position = 0;
    if (imp.len == 0 || imp.len > 2 || imp.data[0] == '0') return UINT32_MAX;
    for (uint32_t i = 0; i < imp.len; i++) {
        if (imp.data[i] < '0' || imp.data[i] > '9') return UINT32_MAX;
        position = 10 * position + (unsigned)(imp.data[i] - '0');
    }
    if (position == 0 || position > BOUND_SLOTS) return UINT32_MAX;
    return (answer->slots >> (position - 1) & 1) != 0 ? answer->slot_of[position - 1] : UINT32_MAX;
}

// What the market says of a bid that could be read.
static enum reason
judge_bid(const struct callout_answer *answer, const struct bid_draft *draft,
          struct catalog_bid *out_bid, const char **out_field)
{
    const struct catalog *catalog = answer->catalog;
    *out_field = "impid";
    out_bid->slot = slot_of(answer, draft->imp);
    if (out_bid->slot == UINT32_MAX) return REASON_UNKNOWN_SLOT;
    *out_field = "message";
    out_bid->message = catalog_message_by_code(catalog, draft->message.data, draft->message.len);
    if (out_bid->message == UINT32_MAX) return REASON_UNKNOWN_MESSAGE;
    if (catalog->messages[out_bid->message].seat != answer->seat) return REASON_NOT_YOURS;
    *out_field = "cur";
    if (draft->has_currency &&
        (draft->currency.len != 3 || memcmp(draft->currency.data, catalog->currency.code, 3) != 0))
        return REASON_CURRENCY;
    *out_field = "";
    for (uint32_t i = 0; i < answer->count; i++)
        if (answer->bids[i].slot == out_bid->slot && answer->bids[i].message == out_bid->message)
            return REASON_DUPLICATE;
    return answer->count == answer->room ? REASON_OVER_LIMIT : REASON_NONE;
}

static void
refuse_bid(struct callout_answer *answer, uint32_t number, enum reason reason, const char *field)
{
    struct callout_trouble *added = trouble(answer, number, reason, "");
    if (added == NULL) return;
    snprintf(added->place, sizeof added->place, "bids[%u]%s%s", number, *field == '\0' ? "" : ".",
             field);
    if (reason == REASON_UNKNOWN_SLOT)
        strcpy(added->text, "no slot that was asked for has this impid");
    if (reason == REASON_DUPLICATE)
        strcpy(added->text, "this message came for this slot before, in the same answer");
}

static void
take_bid(struct callout_answer *answer, struct wire_reader reader, uint32_t number,
         const struct wire_text *currency)
{
    struct bid_draft draft = {.imp = {NULL, 0}};
    struct catalog_bid bid = {.seat = answer->seat, .state = BID_ACTIVE};
    if (currency != NULL) {
        draft.currency = *currency;
        draft.has_currency = true;
    }
    if (!read_bid(&reader, &draft) ||
        !decode_price_finish(&reader, &draft.price, &bid.kind, &bid.price)) {
        trouble_of(answer, number, &reader);
        return;
    }
    const char *field;
    enum reason reason = judge_bid(answer, &draft, &bid, &field);
    if (reason != REASON_NONE) {
        refuse_bid(answer, number, reason, field);
        return;
    }
    memcpy(bid.key, draft.key, sizeof bid.key);
    answer->groups[answer->count] = 0;
    answer->bids[answer->count++] = bid;
}

struct answer_draft {
    struct wire_reader bids;
    bool has_bids, has_currency;
    struct wire_text currency;
    int64_t group;
};

static bool
read_answer(struct callout_answer *answer, struct wire_reader *reader, struct answer_draft *draft)
{
    struct wire_map map;
    struct wire_text key, text;
    struct id id;
    if (wire_peek(reader) == WIRE_NIL && reader->reason == REASON_NONE) return true;
    if (!wire_map_begin(reader, &map)) return false;
    while (wire_map_next(reader, &map, &key)) {
        if (wire_same(key, "id")) {
            if (!wire_text(reader, 32, 36, &text)) break;
            if (id_parse(text.data, text.len, &id) != STATUS_OK || !id_same(id, answer->auction))
                return decode_out_of_range(reader, "is not the id of the bid_request");
        } else if (wire_same(key, "bids")) {
            draft->bids = *reader;
            draft->has_bids = wire_skip(reader);
        } else if (wire_same(key, "cur")) {
            draft->has_currency = wire_text(reader, 0, BOUND_KEY, &draft->currency);
        } else if (wire_same(key, "group")) {
            wire_integer(reader, 0, 1, &draft->group);
        }
    }
    return reader->reason == REASON_NONE;
}

static void
take_bids(struct callout_answer *answer, struct answer_draft *draft)
{
    struct wire_reader *reader = &draft->bids;
    struct wire_array array;
    uint32_t number = 0;
    if (!wire_array_begin(reader, &array)) {
        trouble_of(answer, CALLOUT_WHOLE, reader);
        return;
    }
    while (wire_array_next(reader, &array)) {
        if (number == BOUND_SEAT_LIVE_BIDS) {
            (void)trouble(answer, number, REASON_OVER_LIMIT, "bids");
            break;
        }
        take_bid(answer, *reader, number++, draft->has_currency ? &draft->currency : NULL);
        if (!wire_skip(reader)) break;
    }
    if (draft->group == 0) return;
    if (answer->trouble_count > 0 && answer->count > 0) {
        answer->count = 0;
        (void)trouble(answer, CALLOUT_WHOLE, REASON_GROUP, "group");
    }
    for (uint32_t i = 0; i < answer->count; i++) answer->groups[i] = 1;
}

void
callout_read(struct callout_answer *answer, struct wire_reader result)
{
    struct answer_draft draft = {.group = 0};
    answer->count = answer->trouble_count = 0;
    answer->reason = REASON_NO_BID;
    if (!read_answer(answer, &result, &draft)) {
        trouble_of(answer, CALLOUT_WHOLE, &result);
        return;
    }
    if (draft.has_bids) take_bids(answer, &draft);
    if (answer->count > 0 && answer->reason != REASON_OVER_LIMIT) answer->reason = REASON_NONE;
}
