// Each decoder walks the params map once, in the order sent, and marks the fields it has met; what
// is required is asked for at the end. Unknown fields are skipped by the reader.
//
// The digest of a contact's content, by which a retry is told from a conflict, is the sum of
// digests of its fields as sent, key and value bytes together: so it does not depend on the order
// of fields, and fields that do not change the decision (tmax, unknown ones) do not count.
#include "decode.h"

#include <string.h>

#include "attribute.h"

#define ARRAY_COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t
digest_since(const struct wire_reader *reader, struct wire_text key)
{
    return hash_content(key.data, (size_t)((const char *)reader->at - key.data));
}

static bool
take_key(struct wire_reader *reader, char out_key[BOUND_KEY])
{
    struct wire_text text;
    if (!wire_text(reader, 1, BOUND_KEY, &text)) return false;
    memset(out_key, 0, BOUND_KEY);
    memcpy(out_key, text.data, text.len);
    return true;
}

static bool
take_time(struct wire_reader *reader, usec now, usec *out_at)
{
    return wire_integer(reader, 0, now.us + DECODE_AHEAD_US, &out_at->us);
}

// Outside its range in another way than a number is; `hint` goes on after the field's name.
static bool
out_of_range(struct wire_reader *reader, const char *hint)
{
    wire_trouble(reader, REASON_OUT_OF_RANGE, NULL);
    reader->hint = hint;
    return false;
}

static bool
take_currency(struct wire_reader *reader, struct currency *out_currency)
{
    struct wire_text text;
    if (!wire_text(reader, 3, 3, &text)) return false;
    if (currency_parse(text.data, text.len, out_currency) == STATUS_OK) return true;
    return out_of_range(reader, "is no currency; send its code, such as \"EUR\"");
}

// A word of one of the domain's lists, as its number; on a wrong one what to send is said.
typedef enum status word_parser(const char *text, size_t len, void *out_value, const char **hint);
#define WORD_PARSER(kind, words)                                                                \
    static enum status parse_##kind(const char *text, size_t len, void *out_value,              \
                                    const char **out_hint)                                      \
    {                                                                                           \
        enum kind value;                                                                        \
        enum status status = kind##_parse(text, len, &value);                                   \
        if (status == STATUS_OK) *(uint8_t *)out_value = (uint8_t)value;                        \
        *out_hint = "is none of its words; send one of: " words;                                \
        return status;                                                                          \
    }
WORD_PARSER(identity, "anonymous, first_time, repeat")
WORD_PARSER(tier, "none, silver, gold, platinum, vip")
WORD_PARSER(loyalty, "unknown, prospect, first_time_user, exclusive, switcher")
WORD_PARSER(condition, "calm, urgent, distressed")
WORD_PARSER(consent, "profiling, modelling, third_party, sharing")
WORD_PARSER(objective, "identify, recognize, fulfill, upgrade, cross_sell, expand, educate, "
                       "collect, refer")

static bool
take_word(struct wire_reader *reader, word_parser *parse, uint8_t *out_value)
{
    struct wire_text text;
    const char *hint;
    if (!wire_text(reader, 1, BOUND_CODE, &text)) return false;
    if (parse(text.data, text.len, out_value, &hint) == STATUS_OK) return true;
    return out_of_range(reader, hint);
}

static bool
take_word_set(struct wire_reader *reader, word_parser *parse, uint32_t *out_mask)
{
    struct wire_array array;
    uint32_t mask = 0;
    if (!wire_array_begin(reader, &array)) return false;
    while (wire_array_next(reader, &array)) {
        uint8_t value;
        if (take_word(reader, parse, &value)) mask |= 1u << value;
    }
    *out_mask = mask;
    return reader->reason == REASON_NONE;
}

// --- hello -------------------------------------------------------------------------------------

bool
decode_hello(struct wire_reader *params, struct wire_text *out_client,
             struct wire_text *out_version)
{
    struct wire_map map;
    struct wire_text key;
    *out_client = (struct wire_text){"", 0};
    *out_version = (struct wire_text){"", 0};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) {
        if (wire_same(key, "client")) wire_text(params, 0, BOUND_CODE, out_client);
        else if (wire_same(key, "version")) wire_text(params, 0, BOUND_CODE, out_version);
    }
    return params->reason == REASON_NONE;
}

bool
decode_nothing(struct wire_reader *params)
{
    struct wire_map map;
    struct wire_text key;
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) continue;
    return params->reason == REASON_NONE;
}

// --- contact -----------------------------------------------------------------------------------

// Where the values of `attr` stand, so that they are bound after the built-ins and the consents are
// known, wherever in the request they came.
struct contact_draft {
    struct wire_reader attributes;
    bool has_attributes, has_id, has_container, has_identity, has_user_id, has_user;
    struct wire_text container, user_id;
    struct wire_reader imp;
    bool has_imp;
    uint64_t digest;
    int64_t test;
};

static bool
take_user(struct wire_reader *reader, struct contact *contact, struct contact_draft *draft)
{
    struct wire_map map;
    struct wire_text key;
    draft->has_user = true;
    if (!wire_map_begin(reader, &map)) return false;
    while (wire_map_next(reader, &map, &key)) {
        uint32_t mask;
        if (wire_same(key, "id")) draft->has_user_id = wire_text(reader, 1, 128, &draft->user_id);
        else if (wire_same(key, "identity"))
            draft->has_identity = take_word(reader, parse_identity, &contact->identity);
        else if (wire_same(key, "tier")) take_word(reader, parse_tier, &contact->tier);
        else if (wire_same(key, "loyalty")) take_word(reader, parse_loyalty, &contact->loyalty);
        else if (wire_same(key, "condition"))
            take_word(reader, parse_condition, &contact->condition);
        else if (wire_same(key, "consent")) {
            if (take_word_set(reader, parse_consent, &mask)) contact->consent = (uint8_t)mask;
        } else continue;
        if (reader->reason == REASON_NONE) draft->digest += hash_mix(digest_since(reader, key));
    }
    if (reader->reason != REASON_NONE) return false;
    if (!draft->has_identity) return wire_trouble(reader, REASON_MISSING_FIELD, "identity");
    if (contact->identity != IDENTITY_ANONYMOUS && !draft->has_user_id)
        return wire_trouble(reader, REASON_MISSING_FIELD, "id");
    return true;
}

static bool
take_list_attribute(struct wire_reader *reader, const struct catalog *catalog,
                    struct contact *contact, uint32_t attribute)
{
    struct wire_array array;
    if (!wire_array_begin(reader, &array)) return false;
    enum reason reason = attribute_bind_list_begin(catalog, contact, attribute);
    if (reason != REASON_NONE) return wire_trouble(reader, reason, NULL);
    while (wire_array_next(reader, &array)) {
        struct wire_text text;
        if (!wire_text(reader, 0, BOUND_TEXT, &text)) return false;
        reason = attribute_bind_list_item(catalog, contact, attribute, text.data, text.len);
        if (reason != REASON_NONE) return wire_trouble(reader, reason, NULL);
    }
    if (reader->reason != REASON_NONE) return false;
    reason = attribute_bind_list_end(catalog, contact, attribute);
    return reason == REASON_NONE || wire_trouble(reader, reason, NULL);
}

static bool
take_attribute(struct wire_reader *reader, const struct catalog *catalog, struct contact *contact,
               struct wire_text name)
{
    uint32_t attribute = catalog_attribute_by_name(catalog, name.data, name.len);
    if (attribute == UINT32_MAX || attribute < BUILTIN_COUNT) return wire_skip(reader);
    const struct expr_attribute *is = &catalog->attributes[attribute].is;
    if (is->of != ATTRIBUTE_OF_CONTACT && is->of != ATTRIBUTE_OF_CUSTOMER) return wire_skip(reader);
    enum reason reason = REASON_NONE;
    struct wire_text text;
    int64_t integer;
    bool boolean;
    switch ((enum attribute_type)is->type) {
    case ATTRIBUTE_BOOLEAN:
        if (!wire_boolean(reader, &boolean)) return false;
        reason = attribute_bind_boolean(catalog, contact, attribute, boolean);
        break;
    case ATTRIBUTE_INTEGER:
        if (!wire_integer(reader, is->least, is->most, &integer)) return false;
        reason = attribute_bind_integer(catalog, contact, attribute, integer);
        break;
    case ATTRIBUTE_TEXT:
        if (!wire_text(reader, 0, BOUND_TEXT, &text)) return false;
        reason = attribute_bind_text(catalog, contact, attribute, text.data, text.len);
        break;
    case ATTRIBUTE_LIST:
    case ATTRIBUTE_TYPE_COUNT: return take_list_attribute(reader, catalog, contact, attribute);
    }
    return reason == REASON_NONE || wire_trouble(reader, reason, NULL);
}

// `reader` stands at the attr map.
static bool
take_attributes(struct wire_reader *reader, const struct catalog *catalog, struct contact *contact,
                uint64_t *digest)
{
    struct wire_map map;
    struct wire_text key;
    if (!wire_map_begin(reader, &map)) return false;
    while (wire_map_next(reader, &map, &key))
        if (take_attribute(reader, catalog, contact, key))
            *digest += hash_mix(digest_since(reader, key) + 1);
    return reader->reason == REASON_NONE;
}

static bool
take_wanted_slots(struct wire_reader *reader, const struct catalog *catalog,
                  struct contact *contact)
{
    struct wire_array array;
    if (!wire_array_begin(reader, &array)) return false;
    while (wire_array_next(reader, &array)) {
        struct wire_map map;
        struct wire_text key, tagid = {NULL, 0};
        if (!wire_map_begin(reader, &map)) return false;
        while (wire_map_next(reader, &map, &key))
            if (wire_same(key, "tagid")) wire_text(reader, 1, 2 * BOUND_CODE + 1, &tagid);
        if (reader->reason != REASON_NONE) return false;
        if (tagid.data == NULL) return wire_trouble(reader, REASON_MISSING_FIELD, "tagid");
        uint32_t slot = catalog_slot_by_tagid(catalog, tagid.data, tagid.len);
        if (slot == UINT32_MAX || catalog->slots[slot].container != contact->container)
            return wire_trouble(reader, REASON_UNKNOWN_SLOT, "tagid");
        contact->slots_wanted = (uint16_t)(contact->slots_wanted |
                                           1u << (catalog->slots[slot].position - 1));
    }
    return reader->reason == REASON_NONE;
}

static bool
take_contact_field(struct wire_reader *reader, struct wire_text key, const struct decode_by *by,
                   struct contact *contact, struct contact_draft *draft)
{
    uint32_t mask;
    int64_t tmax;
    if (wire_same(key, "id")) return draft->has_id = take_key(reader, contact->key);
    if (wire_same(key, "container"))
        draft->has_container = wire_text(reader, 1, BOUND_CODE, &draft->container);
    else if (wire_same(key, "began_us")) take_time(reader, by->now, &contact->began);
    else if (wire_same(key, "user")) return take_user(reader, contact, draft);
    else if (wire_same(key, "attr")) {
        draft->attributes = *reader;
        return draft->has_attributes = wire_skip(reader);
    } else if (wire_same(key, "imp")) {
        draft->imp = *reader;
        draft->has_imp = wire_skip(reader);
    } else if (wire_same(key, "achieved")) {
        if (take_word_set(reader, parse_objective, &mask)) contact->achieved = (uint16_t)mask;
    } else if (wire_same(key, "tmax")) return wire_integer(reader, 1, 60000, &tmax);
    else if (wire_same(key, "test")) return wire_integer(reader, 0, 1, &draft->test);
    else return true;
    if (reader->reason != REASON_NONE) return false;
    draft->digest += digest_since(reader, key);
    return true;
}

// A part that was skipped on the first walk is read now; its trouble becomes the request's.
static bool
finish_part(struct wire_reader *params, const struct wire_reader *part, bool done)
{
    if (!done && part->reason != REASON_NONE) *params = *part;
    return done;
}

bool
decode_contact(const struct decode_by *by, struct wire_reader *params, struct contact *out_contact,
               bool *out_test, enum reason *out_reason)
{
    struct contact_draft draft = {.digest = 0};
    struct wire_map map;
    struct wire_text key;
    struct contact *contact = out_contact;
    *out_reason = REASON_NONE;
    // The values are reset by attribute_bind_builtins; clearing all of them twice would cost more
    // than a walk.
    memset(contact, 0, offsetof(struct contact, values));
    contact->touchpoint = by->party;
    contact->began = by->now;
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key))
        if (!take_contact_field(params, key, by, contact, &draft)) break;
    if (params->reason != REASON_NONE) return false;
    if (!draft.has_id) return wire_trouble(params, REASON_MISSING_FIELD, "id");
    if (!draft.has_container) return wire_trouble(params, REASON_MISSING_FIELD, "container");

    contact->container = catalog_container_by_code(by->catalog, draft.container.data,
                                                   draft.container.len);
    if (contact->container == UINT32_MAX) {
        *out_reason = REASON_UNKNOWN_CONTAINER;
        return false;
    }
    if (contact->identity != IDENTITY_ANONYMOUS)
        contact->customer = hash_customer(by->customer_secret, draft.user_id.data,
                                          draft.user_id.len);
    contact->shard = hash_shard(contact->customer);
    contact->request_key = contact_request_key(by->party, contact->key);
    attribute_bind_builtins(by->catalog, contact);
    if (draft.has_attributes &&
        !finish_part(params, &draft.attributes,
                     take_attributes(&draft.attributes, by->catalog, contact, &draft.digest)))
        return false;
    if (draft.has_imp &&
        !finish_part(params, &draft.imp,
                     take_wanted_slots(&draft.imp, by->catalog, contact)))
        return false;
    contact->request = draft.digest;
    *out_test = draft.test == 1;
    return true;
}

// --- event -------------------------------------------------------------------------------------

static const struct {
    const char *word;
    enum fact_kind kind;
} event_words[] = {
    {"delivered", FACT_DELIVERED}, {"accepted", FACT_ACCEPTED},   {"declined", FACT_DECLINED},
    {"cancelled", FACT_CANCELLED}, {"converted", FACT_CONVERTED}, {"refunded", FACT_REFUNDED},
};

static bool
take_event_word(struct wire_reader *reader, enum fact_kind *out_kind)
{
    struct wire_text text;
    if (!wire_text(reader, 1, BOUND_CODE, &text)) return false;
    for (size_t i = 0; i < ARRAY_COUNT(event_words); i++) {
        if (!wire_same(text, event_words[i].word)) continue;
        *out_kind = event_words[i].kind;
        return true;
    }
    return out_of_range(reader, "is none of its words; send one of: delivered, accepted, declined, "
                                "cancelled, converted, refunded");
}

// What belongs to revenue is read only when the event turns out to be one, and else ignored.
enum event_part { PART_ORDER, PART_REFUND, PART_AMOUNT, PART_CURRENCY, PART_COUNT };
static const char *const part_names[PART_COUNT] = {"order", "refund", "amount_micros", "cur"};

struct event_draft {
    bool has_placement, has_id;
    char id[BOUND_KEY], order[BOUND_KEY], refund[BOUND_KEY];
    bool has[PART_COUNT];
    struct wire_reader at[PART_COUNT];
};

static void
take_event_field(struct wire_reader *reader, struct wire_text key, usec now, struct event *event,
                 struct event_draft *draft)
{
    struct wire_text text;
    if (wire_same(key, "placement")) {
        if (!wire_text(reader, 32, 36, &text)) return;
        draft->has_placement = id_parse(text.data, text.len, &event->placement) == STATUS_OK;
        if (!draft->has_placement)
            out_of_range(reader, "is no placement's id; send the 32 digits that the contact's "
                                 "answer gave");
    } else if (wire_same(key, "event")) take_event_word(reader, &event->kind);
    else if (wire_same(key, "at_us")) take_time(reader, now, &event->effective);
    else if (wire_same(key, "id")) draft->has_id = take_key(reader, draft->id);
    else
        for (int part = 0; part < PART_COUNT; part++) {
            if (!wire_same(key, part_names[part])) continue;
            draft->has[part] = true;
            draft->at[part] = *reader;
        }
}

// What an order is known by: the seat whose placement brought it, and the reference. So one order
// reported for two placements of a seat is one order. (An unknown placement is refused later,
// whatever the order.)
static struct id
order_id(const struct book *book, const struct event *event, const char order[BOUND_KEY])
{
    struct book_placement placement;
    uint8_t data[sizeof(uint32_t) + BOUND_KEY] = {0};
    if (book_find_placement(book, event->placement, &placement))
        memcpy(data, &placement.fact->placement.seat, sizeof(uint32_t));
    memcpy(data + sizeof(uint32_t), order, BOUND_KEY);
    return hash_id("order", data, sizeof data);
}

static bool
take_event_part(struct wire_reader *reader, enum event_part part, struct event *event,
                struct event_draft *draft)
{
    switch (part) {
    case PART_ORDER: return take_key(reader, draft->order);
    case PART_REFUND: return take_key(reader, draft->refund);
    case PART_AMOUNT: return wire_integer(reader, 1, BOUND_MICROS, &event->amount.micros);
    case PART_CURRENCY:
    case PART_COUNT: break;
    }
    return take_currency(reader, &event->currency);
}

static bool
finish_revenue(const struct book *book, struct wire_reader *params, struct event *event,
               struct event_draft *draft)
{
    for (int part = 0; part < PART_COUNT; part++) {
        struct wire_reader *at = &draft->at[part];
        if (part == PART_REFUND && event->kind != FACT_REFUNDED) continue;
        if (!draft->has[part]) return wire_trouble(params, REASON_MISSING_FIELD, part_names[part]);
        if (!finish_part(params, at, take_event_part(at, (enum event_part)part, event, draft)))
            return false;
    }
    event->order = order_id(book, event, draft->order);
    memcpy(event->key, event->kind == FACT_REFUNDED ? draft->refund : draft->order, BOUND_KEY);
    return true;
}

bool
decode_event(const struct decode_by *by, struct wire_reader *params, struct event *out_event,
             enum reason *out_reason)
{
    struct event_draft draft = {.has_id = false};
    struct wire_map map;
    struct wire_text key;
    *out_reason = REASON_NONE;
    *out_event = (struct event){
        .kind = FACT_NONE, .role = by->role, .party = by->party, .effective = by->now};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key))
        take_event_field(params, key, by->now, out_event, &draft);
    if (params->reason != REASON_NONE) return false;
    if (!draft.has_placement) return wire_trouble(params, REASON_MISSING_FIELD, "placement");
    if (out_event->kind == FACT_NONE) return wire_trouble(params, REASON_MISSING_FIELD, "event");
    if (out_event->kind == FACT_CONVERTED || out_event->kind == FACT_REFUNDED)
        return finish_revenue(by->book, params, out_event, &draft);
    if (by->role == ROLE_SEAT) {
        *out_reason = REASON_WRONG_ROLE;
        return false;
    }
    memcpy(out_event->key, draft.id, BOUND_KEY);
    return true;
}

// --- bids --------------------------------------------------------------------------------------

struct bid_draft {
    bool has_id, has_message, has_price, has_currency, has_tagid, paused;
    struct wire_text message, tagid;
};

static void
take_bid_field(struct wire_reader *reader, struct wire_text key, struct offer *offer,
               struct bid_draft *draft)
{
    if (wire_same(key, "id")) draft->has_id = take_key(reader, offer->key);
    else if (wire_same(key, "message"))
        draft->has_message = wire_text(reader, 1, BOUND_CODE, &draft->message);
    else if (wire_same(key, "price_micros"))
        draft->has_price = wire_integer(reader, 1, BOUND_MICROS, &offer->price.micros);
    else if (wire_same(key, "cur")) draft->has_currency = take_currency(reader, &offer->currency);
    else if (wire_same(key, "tagid"))
        draft->has_tagid = wire_text(reader, 1, 2 * BOUND_CODE + 1, &draft->tagid);
    else if (wire_same(key, "from_us")) wire_integer(reader, 0, DECODE_INTEGER_MOST, &offer->from.us);
    else if (wire_same(key, "until_us")) wire_integer(reader, 0, DECODE_INTEGER_MOST, &offer->until.us);
    else if (wire_same(key, "paused")) wire_boolean(reader, &draft->paused);
}

bool
decode_bid_put(const struct decode_by *by, struct wire_reader *params, struct offer *out_offer,
               enum reason *out_reason)
{
    struct bid_draft draft = {.paused = false};
    struct wire_map map;
    struct wire_text key;
    *out_reason = REASON_NONE;
    *out_offer = (struct offer){.seat = by->party, .slot = UINT32_MAX};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) take_bid_field(params, key, out_offer, &draft);
    if (params->reason != REASON_NONE) return false;
    if (!draft.has_id) return wire_trouble(params, REASON_MISSING_FIELD, "id");
    if (!draft.has_message) return wire_trouble(params, REASON_MISSING_FIELD, "message");
    if (!draft.has_price) return wire_trouble(params, REASON_MISSING_FIELD, "price_micros");
    if (!draft.has_currency) return wire_trouble(params, REASON_MISSING_FIELD, "cur");
    if (out_offer->until.us != 0 && out_offer->until.us <= out_offer->from.us) {
        wire_trouble(params, REASON_OUT_OF_RANGE, "until_us");
        params->hint = "is not after from_us; send a later time, or leave it out";
        return false;
    }
    out_offer->state = draft.paused ? BID_PAUSED : BID_ACTIVE;
    out_offer->message = catalog_message_by_code(by->catalog, draft.message.data,
                                                 draft.message.len);
    if (out_offer->message == UINT32_MAX) {
        *out_reason = REASON_UNKNOWN_MESSAGE;
        return false;
    }
    if (!draft.has_tagid) return true;
    out_offer->slot = catalog_slot_by_tagid(by->catalog, draft.tagid.data, draft.tagid.len);
    if (out_offer->slot == UINT32_MAX) *out_reason = REASON_UNKNOWN_SLOT;
    return out_offer->slot != UINT32_MAX;
}

bool
decode_bid_withdraw(const struct decode_by *by, struct wire_reader *params, struct offer *out_offer)
{
    struct wire_map map;
    struct wire_text key;
    bool has_id = false;
    *out_offer = (struct offer){
        .seat = by->party, .slot = UINT32_MAX, .message = UINT32_MAX, .state = BID_WITHDRAWN};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key))
        if (wire_same(key, "id")) has_id = take_key(params, out_offer->key);
    if (params->reason != REASON_NONE) return false;
    return has_id || wire_trouble(params, REASON_MISSING_FIELD, "id");
}

static bool
take_bid_id(struct wire_reader *reader, uint64_t *out_id)
{
    struct wire_text text;
    if (!wire_text(reader, 16, 16, &text)) return false;
    uint64_t id = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return out_of_range(reader, "is no bid's id; send `next` of the answer before");
        id = id << 4 | (uint64_t)digit;
    }
    *out_id = id;
    return true;
}

bool
decode_bid_list(struct wire_reader *params, uint64_t *out_after, uint32_t *out_limit)
{
    struct wire_map map;
    struct wire_text key;
    int64_t limit = 100;
    *out_after = 0;
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) {
        if (wire_same(key, "after")) take_bid_id(params, out_after);
        else if (wire_same(key, "limit")) wire_integer(params, 1, DECODE_BIDS_MOST, &limit);
    }
    *out_limit = (uint32_t)limit;
    return params->reason == REASON_NONE;
}

// --- statements --------------------------------------------------------------------------------

// A period's name becomes part of a path: only what a period's name can be is let through.
static bool
is_period(struct wire_text text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        if (!word) return false;
    }
    return true;
}

bool
decode_statement_get(struct wire_reader *params, struct decode_statement *out_get,
                     enum reason *out_reason)
{
    static const struct {
        const char *format, *suffix;
    } formats[] = {{"json", "json"}, {"csv", "csv"}, {"text", "txt"}};
    struct wire_map map;
    struct wire_text key, period = {NULL, 0}, format = {NULL, 0};
    *out_reason = REASON_NONE;
    *out_get = (struct decode_statement){.offset = 0};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) {
        if (wire_same(key, "period")) wire_text(params, 1, DECODE_PERIOD, &period);
        else if (wire_same(key, "format")) wire_text(params, 1, BOUND_CODE, &format);
        else if (wire_same(key, "offset")) wire_integer(params, 0, DECODE_INTEGER_MOST, &out_get->offset);
    }
    if (params->reason != REASON_NONE) return false;
    if (period.data == NULL) return wire_trouble(params, REASON_MISSING_FIELD, "period");
    if (format.data == NULL) return wire_trouble(params, REASON_MISSING_FIELD, "format");
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        if (!wire_same(format, formats[i].format)) continue;
        out_get->format = formats[i].format;
        out_get->suffix = formats[i].suffix;
    }
    if (out_get->format == NULL || !is_period(period)) {
        *out_reason = REASON_NOT_FOUND;
        return false;
    }
    memcpy(out_get->period, period.data, period.len);
    return true;
}
