// Words to numbers: a contact's attributes bound to one catalog.
//
// A value's state while it is bound: unknown (bit clear) until its bind succeeds. A list is
// gathered at the end of `list_items`; from begin to end its value holds first << 32 | count so
// far, or one of two marks: LIST_REFUSED once an item did not fit, LIST_WITHHELD when its consent
// is absent. Items of a list that is bound again stay where they are, unused; BOUND_LIST_ITEMS
// counts them too. A refused list leaves none.
#include "attribute.h"

#include <string.h>

#include "catalog_lookup.h"
#include "fail.h"

#define LIST_REFUSED (-1)
#define LIST_WITHHELD (-2)

static void
set_value(struct values *values, uint32_t attribute, int64_t value)
{
    values->value[attribute] = value;
    values->known |= UINT64_C(1) << attribute;
}

// What the touchpoint does not know (`none`, `unknown`) is unknown to a rule as well.
void
attribute_bind_builtins(const struct catalog *catalog, struct contact *contact)
{
    const struct catalog_lookup *lookup = catalog->lookup;
    struct values *values = &contact->values;
    CHECK(contact->container < catalog->container_count && contact->identity < IDENTITY_COUNT &&
          contact->tier < TIER_COUNT && contact->loyalty < LOYALTY_COUNT &&
          contact->condition < CONDITION_COUNT);
    const struct catalog_container *container = &catalog->containers[contact->container];
    values->known = 0;
    values->list_used = 0;
    set_value(values, BUILTIN_CHANNEL, lookup->channel_words[container->channel]);
    set_value(values, BUILTIN_STAGE, lookup->stage_words[container->stage]);
    set_value(values, BUILTIN_CONTAINER, lookup->container_words[contact->container]);
    set_value(values, BUILTIN_IDENTITY, lookup->identity_words[contact->identity]);
    if (contact->tier != TIER_NONE)
        set_value(values, BUILTIN_TIER, lookup->tier_words[contact->tier]);
    if (contact->loyalty != LOYALTY_UNKNOWN)
        set_value(values, BUILTIN_LOYALTY, lookup->loyalty_words[contact->loyalty]);
    set_value(values, BUILTIN_CONDITION, lookup->condition_words[contact->condition]);
    for (unsigned i = 0; i < CONSENT_COUNT; i++)
        if ((contact->consent >> i & 1) != 0) set_value(values, BUILTIN_CONSENT_PROFILING + i, 1);
}
_Static_assert(BUILTIN_CONSENT_SHARING - BUILTIN_CONSENT_PROFILING ==
                   CONSENT_SHARING - CONSENT_PROFILING,
               "consents have the same order as their attributes");

static enum reason
check(const struct catalog *catalog, struct contact *contact, uint32_t attribute,
      enum attribute_type type)
{
    if (attribute < BUILTIN_COUNT || attribute >= catalog->attribute_count)
        return REASON_UNKNOWN_ATTRIBUTE;
    const struct expr_attribute *is = &catalog->attributes[attribute].is;
    if (is->of != ATTRIBUTE_OF_CONTACT && is->of != ATTRIBUTE_OF_CUSTOMER)
        return REASON_UNKNOWN_ATTRIBUTE;
    contact->values.known &= ~(UINT64_C(1) << attribute);
    return is->type == type ? REASON_NONE : REASON_WRONG_TYPE;
}

static bool
withheld(const struct catalog *catalog, const struct contact *contact, uint32_t attribute)
{
    int8_t consent = catalog->attributes[attribute].consent;
    return consent >= 0 && (contact->consent >> consent & 1) == 0;
}

static int32_t
word_of(const struct catalog *catalog, const char *text, size_t len)
{
    uint32_t word = catalog_word(catalog, text, len);
    return word == UINT32_MAX ? VALUE_OTHER : (int32_t)word;
}

enum reason
attribute_bind_boolean(const struct catalog *catalog, struct contact *contact, uint32_t attribute,
                       bool value)
{
    enum reason reason = check(catalog, contact, attribute, ATTRIBUTE_BOOLEAN);
    if (reason != REASON_NONE || withheld(catalog, contact, attribute)) return reason;
    set_value(&contact->values, attribute, value);
    return REASON_NONE;
}

enum reason
attribute_bind_integer(const struct catalog *catalog, struct contact *contact, uint32_t attribute,
                       int64_t value)
{
    enum reason reason = check(catalog, contact, attribute, ATTRIBUTE_INTEGER);
    if (reason != REASON_NONE) return reason;
    const struct expr_attribute *is = &catalog->attributes[attribute].is;
    if (value < is->least || value > is->most) return REASON_OUT_OF_RANGE;
    if (!withheld(catalog, contact, attribute)) set_value(&contact->values, attribute, value);
    return REASON_NONE;
}

enum reason
attribute_bind_text(const struct catalog *catalog, struct contact *contact, uint32_t attribute,
                    const char *text, size_t len)
{
    enum reason reason = check(catalog, contact, attribute, ATTRIBUTE_TEXT);
    if (reason != REASON_NONE || withheld(catalog, contact, attribute)) return reason;
    set_value(&contact->values, attribute, word_of(catalog, text, len));
    return REASON_NONE;
}

enum reason
attribute_bind_list_begin(const struct catalog *catalog, struct contact *contact,
                          uint32_t attribute)
{
    enum reason reason = check(catalog, contact, attribute, ATTRIBUTE_LIST);
    if (reason != REASON_NONE) return reason;
    struct values *values = &contact->values;
    values->value[attribute] = withheld(catalog, contact, attribute)
                                   ? LIST_WITHHELD
                                   : (int64_t)values->list_used << 32;
    return REASON_NONE;
}

enum reason
attribute_bind_list_item(const struct catalog *catalog, struct contact *contact, uint32_t attribute,
                         const char *text, size_t len)
{
    enum reason reason = check(catalog, contact, attribute, ATTRIBUTE_LIST);
    if (reason != REASON_NONE) return reason;
    struct values *values = &contact->values;
    int64_t *value = &values->value[attribute];
    if (*value == LIST_WITHHELD) return REASON_NONE;
    if (*value == LIST_REFUSED) return REASON_TOO_LARGE;
    CHECK((uint32_t)(*value >> 32) + (uint32_t)*value ==
          values->list_used);  // no other list in between
    if (values->list_used == BOUND_LIST_ITEMS) {
        values->list_used = (uint32_t)(*value >> 32);
        *value = LIST_REFUSED;
        return REASON_TOO_LARGE;
    }
    values->list_items[values->list_used++] = word_of(catalog, text, len);
    (*value)++;
    return REASON_NONE;
}

enum reason
attribute_bind_list_end(const struct catalog *catalog, struct contact *contact, uint32_t attribute)
{
    enum reason reason = check(catalog, contact, attribute, ATTRIBUTE_LIST);
    if (reason != REASON_NONE) return reason;
    struct values *values = &contact->values;
    int64_t value = values->value[attribute];
    if (value == LIST_WITHHELD) return REASON_NONE;
    if (value == LIST_REFUSED) return REASON_TOO_LARGE;
    uint32_t first = (uint32_t)(value >> 32), count = (uint32_t)value, kept = 0;
    int32_t *items = values->list_items + first;
    // Insertion: at most BOUND_LIST_ITEMS, and touchpoints send a handful.
    for (uint32_t i = 0; i < count; i++) {
        int32_t item = items[i];
        uint32_t at = kept;
        while (at > 0 && items[at - 1] > item) at--;
        if (at > 0 && items[at - 1] == item) continue;
        memmove(items + at + 1, items + at, (kept - at) * sizeof items[0]);
        items[at] = item;
        kept++;
    }
    values->list_used = first + kept;
    set_value(values, attribute, (int64_t)first << 32 | kept);
    return REASON_NONE;
}
