// JSON requests to the core's structs. Fields, defaults and refusals are those of docs/protocol.md,
// sections 5.2 and 5.4; unknown fields are ignored there and here.
#include "contact_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribute.h"
#include "fail.h"

static bool refuse(struct contact_json_fault *fault, enum reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool
refuse(struct contact_json_fault *fault, enum reason reason, const char *format, ...)
{
    va_list arguments;
    fault->reason = reason;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool
take_text(const json_t *object, const char *key, size_t most, bool needed, const char **out_text,
          struct contact_json_fault *fault)
{
    const json_t *value = json_object_get(object, key);
    *out_text = NULL;
    if (value == NULL || json_is_null(value))
        return !needed || refuse(fault, REASON_MISSING_FIELD, "%s is missing", key);
    if (!json_is_string(value)) return refuse(fault, REASON_WRONG_TYPE, "%s must be a text", key);
    size_t len = json_string_length(value);
    if (len == 0 || len > most)
        return refuse(fault, REASON_OUT_OF_RANGE, "%s must have 1 to %zu bytes", key, most);
    *out_text = json_string_value(value);
    return true;
}

static bool
take_key(const json_t *object, const char *field, char out_key[BOUND_KEY],
         struct contact_json_fault *fault)
{
    const char *text;
    if (!take_text(object, field, BOUND_KEY, true, &text, fault)) return false;
    memset(out_key, 0, BOUND_KEY);
    memcpy(out_key, text, strlen(text));
    return true;
}

static bool
take_integer(const json_t *object, const char *key, int64_t least, int64_t most, bool needed,
             int64_t *out_value, struct contact_json_fault *fault)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value))
        return !needed || refuse(fault, REASON_MISSING_FIELD, "%s is missing", key);
    if (!json_is_integer(value))
        return refuse(fault, REASON_WRONG_TYPE, "%s must be a whole number", key);
    if (json_integer_value(value) < least || json_integer_value(value) > most)
        return refuse(fault, REASON_OUT_OF_RANGE, "%s must be %lld to %lld", key, (long long)least,
                      (long long)most);
    *out_value = json_integer_value(value);
    return true;
}

// --- Words ---

typedef const char *word_namer(int value);
static const char *
identity_word(int value)
{
    return identity_name((enum identity)value);
}
static const char *
tier_word(int value)
{
    return tier_name((enum tier)value);
}
static const char *
loyalty_word(int value)
{
    return loyalty_name((enum loyalty)value);
}
static const char *
condition_word(int value)
{
    return condition_name((enum condition)value);
}
static const char *
consent_word(int value)
{
    return consent_name((enum consent)value);
}
static const char *
objective_word(int value)
{
    return objective_name((enum objective)value);
}

static bool
take_word(const json_t *object, const char *key, word_namer *name, int count, bool needed,
          uint8_t *out_value, struct contact_json_fault *fault)
{
    const char *text;
    if (!take_text(object, key, BOUND_CODE, needed, &text, fault)) return false;
    if (text == NULL) return true;
    for (int i = 0; i < count; i++) {
        if (strcmp(text, name(i)) != 0) continue;
        *out_value = (uint8_t)i;
        return true;
    }
    return refuse(fault, REASON_OUT_OF_RANGE, "%s: '%s' is none of its words", key, text);
}

static bool
take_mask(const json_t *object, const char *key, word_namer *name, int count, uint16_t *out_mask,
          struct contact_json_fault *fault)
{
    const json_t *list = json_object_get(object, key), *item;
    size_t i;
    if (list == NULL || json_is_null(list)) return true;
    if (!json_is_array(list))
        return refuse(fault, REASON_WRONG_TYPE, "%s must be an array of words", key);
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        int word = 0;
        const char *text = json_string_value(item);
        while (text != NULL && word < count && strcmp(text, name(word)) != 0) word++;
        if (text == NULL || word == count)
            return refuse(fault, REASON_OUT_OF_RANGE, "%s[%zu] is none of its words", key, i);
        *out_mask = (uint16_t)(*out_mask | 1u << word);
    }
    return true;
}

// --- Contacts ---

static bool
take_user(const json_t *line, struct contact *contact, struct contact_json_fault *fault)
{
    static const uint8_t secret[16];
    const json_t *user = json_object_get(line, "user");
    const char *id;
    uint16_t consent = 0;
    if (user == NULL || json_is_null(user)) return true;
    if (!json_is_object(user)) return refuse(fault, REASON_WRONG_TYPE, "user must be a map");
    if (!take_word(user, "identity", identity_word, IDENTITY_COUNT, true, &contact->identity,
                   fault) ||
        !take_word(user, "tier", tier_word, TIER_COUNT, false, &contact->tier, fault) ||
        !take_word(user, "loyalty", loyalty_word, LOYALTY_COUNT, false, &contact->loyalty, fault) ||
        !take_word(user, "condition", condition_word, CONDITION_COUNT, false, &contact->condition,
                   fault) ||
        !take_mask(user, "consent", consent_word, CONSENT_COUNT, &consent, fault))
        return false;
    contact->consent = (uint8_t)consent;
    if (!take_text(user, "id", 128, contact->identity != IDENTITY_ANONYMOUS, &id, fault))
        return false;
    if (contact->identity != IDENTITY_ANONYMOUS)
        contact->customer = hash_customer(secret, id, strlen(id));
    return true;
}

// Stands for a word that the market did not know: no market has such a word.
static const char other_word[] = "\001";

// `remembered`: values as the spool kept them, where null is a word that the market did not know;
// in a request null is no value.
static bool
bind_list(const struct catalog *catalog, struct contact *contact, uint32_t attribute,
          const char *name, const json_t *list, bool remembered, struct contact_json_fault *fault)
{
    const json_t *item;
    size_t i;
    enum reason reason = attribute_bind_list_begin(catalog, contact, attribute);
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *text = json_string_value(item);
        if (text == NULL && remembered && json_is_null(item)) text = other_word;
        if (text == NULL)
            return refuse(fault, REASON_WRONG_TYPE, "attr.%s[%zu] must be a text", name, i);
        if (reason == REASON_NONE)
            reason = attribute_bind_list_item(catalog, contact, attribute, text, strlen(text));
    }
    if (reason == REASON_NONE) reason = attribute_bind_list_end(catalog, contact, attribute);
    return reason == REASON_NONE || refuse(fault, reason, "attr.%s: too many items", name);
}

static enum reason
bind_text(const struct catalog *catalog, struct contact *contact, uint32_t attribute,
          const json_t *value)
{
    const char *text = json_is_null(value) ? other_word : json_string_value(value);
    if (text == NULL) return REASON_WRONG_TYPE;
    return attribute_bind_text(catalog, contact, attribute, text, strlen(text));
}

static bool
bind_attribute(const struct catalog *catalog, struct contact *contact, const char *name,
               const json_t *value, bool remembered, struct contact_json_fault *fault)
{
    uint32_t attribute = catalog_attribute_by_name(catalog, name, strlen(name));
    if (attribute == UINT32_MAX || attribute < BUILTIN_COUNT) return true;
    if (json_is_null(value) && !remembered) return true;
    const struct expr_attribute *is = &catalog->attributes[attribute].is;
    if (is->of != ATTRIBUTE_OF_CONTACT && is->of != ATTRIBUTE_OF_CUSTOMER) return true;
    enum reason reason = REASON_WRONG_TYPE;
    switch ((enum attribute_type)is->type) {
    case ATTRIBUTE_BOOLEAN:
        if (json_is_boolean(value))
            reason = attribute_bind_boolean(catalog, contact, attribute, json_is_true(value));
        break;
    case ATTRIBUTE_INTEGER:
        if (json_is_integer(value))
            reason = attribute_bind_integer(catalog, contact, attribute, json_integer_value(value));
        break;
    case ATTRIBUTE_TEXT: reason = bind_text(catalog, contact, attribute, value); break;
    case ATTRIBUTE_LIST:
        if (json_is_array(value))
            return bind_list(catalog, contact, attribute, name, value, remembered, fault);
        break;
    case ATTRIBUTE_TYPE_COUNT: break;
    }
    return reason == REASON_NONE || refuse(fault, reason, "attr.%s: %s", name, reason_text(reason));
}

bool
contact_json_attributes(const struct catalog *catalog, const json_t *map, bool remembered,
                        struct contact *contact, struct contact_json_fault *out_fault)
{
    const char *name;
    json_t *value;
    attribute_bind_builtins(catalog, contact);
    if (map == NULL || json_is_null(map)) return true;
    if (!json_is_object(map)) return refuse(out_fault, REASON_WRONG_TYPE, "attr must be a map");
    json_object_foreach((json_t *)(uintptr_t)map, name, value)
    {
        if (!bind_attribute(catalog, contact, name, value, remembered, out_fault)) return false;
    }
    return true;
}

static bool
take_slots(const struct catalog *catalog, const json_t *line, struct contact *contact,
           struct contact_json_fault *fault)
{
    const json_t *list = json_object_get(line, "imp"), *item;
    size_t i;
    if (list == NULL || json_is_null(list)) return true;
    if (!json_is_array(list)) return refuse(fault, REASON_WRONG_TYPE, "imp must be an array");
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *tagid = json_string_value(json_object_get(item, "tagid"));
        if (tagid == NULL) return refuse(fault, REASON_MISSING_FIELD, "imp[%zu].tagid", i);
        uint32_t slot = catalog_slot_by_tagid(catalog, tagid, strlen(tagid));
        if (slot == UINT32_MAX || catalog->slots[slot].container != contact->container)
            return refuse(fault, REASON_UNKNOWN_SLOT, "no slot '%s' in this container", tagid);
        unsigned bit = 1u << (catalog->slots[slot].position - 1);
        contact->slots_wanted = (uint16_t)(contact->slots_wanted | bit);
    }
    return true;
}

static bool
take_flag(const json_t *object, const char *key, bool *out_value, struct contact_json_fault *fault)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value)) return true;
    if (!json_is_boolean(value))
        return refuse(fault, REASON_WRONG_TYPE, "%s must be true or false", key);
    *out_value = json_is_true(value);
    return true;
}

static bool
find_touchpoint(const struct catalog *catalog, const char *code, uint16_t *out_id)
{
    for (uint32_t i = 0; i < catalog->touchpoint_count; i++) {
        if (strcmp(catalog->touchpoints[i].code, code) != 0) continue;
        *out_id = (uint16_t)catalog->touchpoints[i].id;
        return true;
    }
    return false;
}

// A digest of what the request says; where it stands in its file and remarks do not count.
static uint64_t
content_digest(const json_t *line)
{
    uint64_t digest;
    json_t *said = json_copy((json_t *)(uintptr_t)line);
    json_object_del(said, "line");
    json_object_del(said, "note");
    char *text = json_dumps(said, JSON_COMPACT | JSON_SORT_KEYS);
    CHECK(said != NULL && text != NULL);
    struct digest whole = hash_sha256(text, strlen(text));
    memcpy(&digest, whole.bytes, sizeof digest);
    free(text);
    json_decref(said);
    return digest;
}

bool
contact_json_read(const struct catalog *catalog, const json_t *line, usec now,
                  struct contact *out_contact, struct contact_json_fault *out_fault)
{
    const char *touchpoint, *container;
    struct contact *contact = out_contact;
    *contact = (struct contact){.began = now};
    if (!take_text(line, "touchpoint", BOUND_CODE, true, &touchpoint, out_fault) ||
        !take_key(line, "id", contact->key, out_fault) ||
        !take_text(line, "container", BOUND_CODE, true, &container, out_fault) ||
        !take_integer(line, "began_us", 0, now.us + 300 * USEC_SECOND, false, &contact->began.us,
                      out_fault) ||
        !take_mask(line, "achieved", objective_word, OBJECTIVE_COUNT, &contact->achieved,
                   out_fault) ||
        !take_flag(line, "experienced", &contact->experienced, out_fault) ||
        !take_user(line, contact, out_fault))
        return false;
    if (!find_touchpoint(catalog, touchpoint, &contact->touchpoint))
        return refuse(out_fault, REASON_UNKNOWN_CERTIFICATE, "no touchpoint '%s'", touchpoint);
    contact->container = catalog_container_by_code(catalog, container, strlen(container));
    if (contact->container == UINT32_MAX)
        return refuse(out_fault, REASON_UNKNOWN_CONTAINER, "no container '%s'", container);
    contact->shard = hash_shard(contact->customer);
    contact->request_key = contact_request_key(contact->touchpoint, contact->key);
    if (!contact_json_attributes(catalog, json_object_get(line, "attr"), false, contact,
                                 out_fault) ||
        !take_slots(catalog, line, contact, out_fault))
        return false;
    contact->request = content_digest(line);
    return true;
}

// --- Events ---

static bool
take_event_word(const json_t *line, enum fact_kind *out_kind, struct contact_json_fault *fault)
{
    static const enum fact_kind kinds[] = {FACT_DELIVERED, FACT_ACCEPTED,   FACT_DECLINED,
                                           FACT_CANCELLED, FACT_COMPLAINED, FACT_CONVERTED,
                                           FACT_REFUNDED};
    const char *word;
    if (!take_text(line, "event", BOUND_CODE, true, &word, fault)) return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(fact_kind_name(kinds[i]), word) != 0) continue;
        *out_kind = kinds[i];
        return true;
    }
    return refuse(fault, REASON_OUT_OF_RANGE, "event: '%s' is none of its words", word);
}

bool
contact_json_read_event(const struct catalog *catalog, const json_t *line, usec now,
                        const struct fact *placement, struct event *out_event,
                        struct contact_json_fault *out_fault)
{
    struct event *event = out_event;
    *event = (struct event){.placement = fact_placement(placement),
                            .role = ROLE_TOUCHPOINT,
                            .party = placement->party,
                            .effective = now,
                            .currency = catalog->currency};
    if (!take_event_word(line, &event->kind, out_fault)) return false;
    if (event->kind != FACT_CONVERTED && event->kind != FACT_REFUNDED) return true;
    uint8_t data[sizeof(uint32_t) + BOUND_KEY] = {0};
    char order[BOUND_KEY];
    if (!take_key(line, "order", order, out_fault) ||
        !take_integer(line, "amount_micros", 1, BOUND_MICROS, true, &event->amount.micros,
                      out_fault))
        return false;
    memcpy(event->key, order, sizeof event->key);
    if (event->kind == FACT_REFUNDED && !take_key(line, "refund", event->key, out_fault))
        return false;
    memcpy(data, &placement->placement.seat, sizeof(uint32_t));  // as the node names orders
    memcpy(data + sizeof(uint32_t), order, BOUND_KEY);
    event->order = hash_id("order", data, sizeof data);
    return true;
}

// --- Bids ---

static bool
find_seat(const struct catalog *catalog, const char *code, uint16_t *out_id)
{
    for (uint32_t i = 0; i < catalog->seat_count; i++) {
        if (strcmp(catalog->seats[i].code, code) != 0) continue;
        *out_id = (uint16_t)catalog->seats[i].id;
        return true;
    }
    return false;
}

// "kind" and, by it, "price_micros" or "share_ppm".
static bool
take_price(const json_t *line, struct offer *offer, struct contact_json_fault *fault)
{
    const char *kind;
    enum price_kind is = PRICE_PLACEMENT;
    if (!take_text(line, "kind", BOUND_CODE, false, &kind, fault)) return false;
    if (kind != NULL && price_kind_parse(kind, strlen(kind), &is) != STATUS_OK)
        return refuse(fault, REASON_OUT_OF_RANGE, "kind: '%s' is none of its words", kind);
    bool share = is == PRICE_SHARE;
    const char *other = share ? "price_micros" : "share_ppm";
    offer->kind = (uint8_t)is;
    if (json_object_get(line, other) != NULL)
        return refuse(fault, REASON_OUT_OF_RANGE, "%s %s", other,
                      share ? "does not go with kind share" : "goes with kind share only");
    return take_integer(line, share ? "share_ppm" : "price_micros", 1,
                        share ? 1000000 : BOUND_MICROS, true, &offer->price.micros, fault);
}

bool
contact_json_read_bid(const struct catalog *catalog, const json_t *line, struct offer *out_offer,
                      struct contact_json_fault *out_fault)
{
    const char *seat, *message, *currency, *tagid;
    struct offer *offer = out_offer;
    *offer = (struct offer){.slot = UINT32_MAX, .state = BID_ACTIVE};
    if (!take_text(line, "seat", BOUND_CODE, true, &seat, out_fault) ||
        !take_key(line, "id", offer->key, out_fault) ||
        !take_text(line, "message", BOUND_CODE, true, &message, out_fault) ||
        !take_price(line, offer, out_fault) ||
        !take_text(line, "cur", 3, true, &currency, out_fault) ||
        !take_text(line, "tagid", 2 * BOUND_CODE + 1, false, &tagid, out_fault) ||
        !take_integer(line, "from_us", 0, INT64_MAX / 2, false, &offer->from.us, out_fault) ||
        !take_integer(line, "until_us", 0, INT64_MAX / 2, false, &offer->until.us, out_fault))
        return false;
    if (json_is_true(json_object_get(line, "paused"))) offer->state = BID_PAUSED;
    if (!find_seat(catalog, seat, &offer->seat))
        return refuse(out_fault, REASON_UNKNOWN_SEAT, "no seat '%s'", seat);
    offer->message = catalog_message_by_code(catalog, message, strlen(message));
    if (offer->message == UINT32_MAX)
        return refuse(out_fault, REASON_UNKNOWN_MESSAGE, "no message '%s'", message);
    if (currency_parse(currency, strlen(currency), &offer->currency) != STATUS_OK)
        return refuse(out_fault, REASON_OUT_OF_RANGE, "'%s' is no currency", currency);
    if (tagid == NULL) return true;
    offer->slot = catalog_slot_by_tagid(catalog, tagid, strlen(tagid));
    return offer->slot != UINT32_MAX ||
           refuse(out_fault, REASON_UNKNOWN_SLOT, "no slot '%s'", tagid);
}
