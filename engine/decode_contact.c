// A contact of the wire becomes a contact of the core: read once, in the order sent, then bound to
// the catalog. `attr` and `imp` are read last, wherever they came, since they need container and
// consent.
//
// The digest of a contact's content, by which a retry is told from a conflict, is the sum of
// digests of its fields as sent, key and value bytes together: so it does not depend on the order
// of fields, and fields that do not change the decision (tmax, unknown ones) do not count.
#include <string.h>

#include "attribute.h"
#include "decode.h"
#include "decode_inside.h"

static uint64_t
digest_since(const struct wire_reader *reader, struct wire_text key)
{
    return hash_content(key.data, (size_t)((const char *)reader->at - key.data));
}

// A word of one of the domain's lists, as its number; on a wrong one what to send is said.
typedef enum status word_parser(const char *text, size_t len, void *out_value, const char **hint);
#define WORD_PARSER(kind, words)                                                   \
    static enum status parse_##kind(const char *text, size_t len, void *out_value, \
                                    const char **out_hint)                         \
    {                                                                              \
        enum kind value;                                                           \
        enum status status = kind##_parse(text, len, &value);                      \
        if (status == STATUS_OK) *(uint8_t *)out_value = (uint8_t)value;           \
        *out_hint = "is none of its words; send one of: " words;                   \
        return status;                                                             \
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
    return decode_out_of_range(reader, hint);
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

// Where the values of `attr` stand, so that they are bound after the built-ins and the consents are
// known, wherever in the request they came.
struct contact_draft {
    struct wire_reader attributes;
    bool has_attributes, has_id, has_container, has_identity, has_user_id, has_user;
    struct wire_text container, user_id;
    struct wire_reader imp;
    bool has_imp;
    uint64_t digest;
    int64_t test, tmax;
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
            if (wire_same(key, "tagid")) wire_text(reader, 1, BOUND_CODE, &tagid);
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
    if (wire_same(key, "id")) return draft->has_id = decode_key(reader, contact->key);
    if (wire_same(key, "container"))
        draft->has_container = wire_text(reader, 1, BOUND_CODE, &draft->container);
    else if (wire_same(key, "began_us")) decode_time(reader, by->now, &contact->began);
    else if (wire_same(key, "user")) return take_user(reader, contact, draft);
    else if (wire_same(key, "attr")) {
        draft->attributes = *reader;
        return draft->has_attributes = wire_skip(reader);
    } else if (wire_same(key, "imp")) {
        draft->imp = *reader;
        draft->has_imp = wire_skip(reader);
    } else if (wire_same(key, "achieved")) {
        if (take_word_set(reader, parse_objective, &mask)) contact->achieved = (uint16_t)mask;
    } else if (wire_same(key, "experienced")) wire_boolean(reader, &contact->experienced);
    else if (wire_same(key, "tmax")) return wire_integer(reader, 1, 60000, &draft->tmax);
    else if (wire_same(key, "test")) return wire_integer(reader, 0, 1, &draft->test);
    else return true;
    if (reader->reason != REASON_NONE) return false;
    draft->digest += digest_since(reader, key);
    return true;
}

bool
decode_contact(const struct decode_by *by, struct wire_reader *params, struct contact *out_contact,
               struct decode_wish *out_wish, enum reason *out_reason)
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
    struct wire_reader attributes = draft.attributes;
    if (draft.has_attributes && !decode_finish_part(params, &draft.attributes,
                                                    take_attributes(&draft.attributes, by->catalog,
                                                                    contact, &draft.digest)))
        return false;
    if (draft.has_imp && !decode_finish_part(params, &draft.imp,
                                             take_wanted_slots(&draft.imp, by->catalog, contact)))
        return false;
    contact->request = draft.digest;
    *out_wish = (struct decode_wish){
        .test = draft.test == 1,
        .tmax_ms = (uint32_t)draft.tmax,
        .has_attributes = draft.has_attributes,
        .attributes = attributes,
    };
    return true;
}
