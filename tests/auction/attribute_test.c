// Binding a contact to a catalog: types, ranges, consent, words nobody named, and lists.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "attribute.h"

static struct market_attribute attributes[] = {
    {.code = "region", .type = ATTRIBUTE_TEXT, .of = ATTRIBUTE_OF_CUSTOMER, .consent = -1},
    {.code = "age",
     .type = ATTRIBUTE_INTEGER,
     .of = ATTRIBUTE_OF_CUSTOMER,
     .consent = CONSENT_PROFILING,
     .least = 0,
     .most = 120},
    {.code = "products", .type = ATTRIBUTE_LIST, .of = ATTRIBUTE_OF_CONTACT, .consent = -1},
    {.code = "interests",
     .type = ATTRIBUTE_LIST,
     .of = ATTRIBUTE_OF_CUSTOMER,
     .consent = CONSENT_MODELLING},
    {.code = "urgent_call", .type = ATTRIBUTE_BOOLEAN, .of = ATTRIBUTE_OF_CONTACT, .consent = -1},
    {.code = "place", .type = ATTRIBUTE_TEXT, .of = ATTRIBUTE_OF_SLOT, .consent = -1},
    {.code = "loud", .type = ATTRIBUTE_BOOLEAN, .of = ATTRIBUTE_OF_MESSAGE, .consent = -1},
};
enum { REGION = BUILTIN_COUNT, AGE, PRODUCTS, INTERESTS, URGENT, PLACE, LOUD };
static struct market_seat seats[] = {{.id = 1,
                                      .code = "shop",
                                      .name = "",
                                      .kind = SEAT_DEPARTMENT,
                                      .rule = "region in ('north', 'south') or products && "
                                              "array['loans', 'cards', 'grill'] or age > 3"}};
static struct market_slot slots[] = {
    {.id = 1, .code = "top", .name = "", .rungs = 1, .objectives = 1, .rule = ""}};
static struct market_container containers[] = {{.id = 1,
                                                .code = "web-home",
                                                .name = "",
                                                .owner = "shop",
                                                .stage = STAGE_SHOP,
                                                .channel = CHANNEL_WEB},
                                               {.id = 2,
                                                .code = "bill",
                                                .name = "",
                                                .owner = "shop",
                                                .stage = STAGE_USE,
                                                .channel = CHANNEL_BILL,
                                                .slots = slots,
                                                .slot_count = 1}};
static struct market market = {.code = "m",
                               .name = "",
                               .currency = {"EUR"},
                               .attributes = attributes,
                               .attribute_count = 7,
                               .seats = seats,
                               .seat_count = 1,
                               .containers = containers,
                               .container_count = 2};

static struct catalog *catalog;
static struct contact contact;

static int
set_up(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct catalog_input input = {.market = &market};
    struct expr_error error;
    const uint8_t *bytes;
    size_t len;
    enum status status = catalog_encode(&input, arena, &bytes, &len, &error);
    if (status == STATUS_OK) status = catalog_decode(bytes, len, &catalog, NULL);
    arena_close(arena);
    return status == STATUS_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    catalog_close(catalog);
    return 0;
}

static void
begin(uint8_t consent)
{
    memset(&contact, 0xee, sizeof contact);  // what lay there before must not matter
    contact.container = 1;
    contact.identity = IDENTITY_REPEAT;
    contact.tier = TIER_GOLD;
    contact.loyalty = LOYALTY_SWITCHER;
    contact.condition = CONDITION_URGENT;
    contact.consent = consent;
    attribute_bind_builtins(catalog, &contact);
}

static bool
known(uint32_t attribute)
{
    return (contact.values.known >> attribute & 1) != 0;
}

static void
assert_word(uint32_t attribute, const char *text)
{
    assert_true(known(attribute));
    assert_int_equal(contact.values.value[attribute], catalog_word(catalog, text, strlen(text)));
}

static enum reason
bind_list(uint32_t attribute, const char *const *items, unsigned count)
{
    enum reason reason = attribute_bind_list_begin(catalog, &contact, attribute);
    for (unsigned i = 0; i < count && reason == REASON_NONE; i++)
        reason = attribute_bind_list_item(catalog, &contact, attribute, items[i], strlen(items[i]));
    enum reason end = attribute_bind_list_end(catalog, &contact, attribute);
    return reason == REASON_NONE ? end : reason;
}

static void
built_in_attributes_come_from_the_contact(void **state)
{
    (void)state;
    begin(1u << CONSENT_MODELLING | 1u << CONSENT_SHARING);
    assert_word(BUILTIN_CHANNEL, "bill");
    assert_word(BUILTIN_STAGE, "use");
    assert_word(BUILTIN_CONTAINER, "bill");
    assert_word(BUILTIN_IDENTITY, "repeat");
    assert_word(BUILTIN_TIER, "gold");
    assert_word(BUILTIN_LOYALTY, "switcher");
    assert_word(BUILTIN_CONDITION, "urgent");
    assert_true(known(BUILTIN_CONSENT_MODELLING) && known(BUILTIN_CONSENT_SHARING));
    assert_int_equal(contact.values.value[BUILTIN_CONSENT_SHARING], 1);
    assert_false(known(BUILTIN_CONSENT_PROFILING) || known(BUILTIN_CONSENT_THIRD_PARTY));
    assert_int_equal(contact.values.known >> BUILTIN_SLOT, 0);
    contact.container = 0;
    contact.tier = TIER_NONE;
    contact.loyalty = LOYALTY_UNKNOWN;
    contact.consent = 0;
    attribute_bind_builtins(catalog, &contact);
    assert_word(BUILTIN_CONTAINER, "web-home");
    assert_word(BUILTIN_CHANNEL, "web");
    assert_false(known(BUILTIN_TIER) || known(BUILTIN_LOYALTY) || known(BUILTIN_CONSENT_SHARING));
}

static void
values_of_each_type(void **state)
{
    (void)state;
    begin(0x0f);
    assert_int_equal(attribute_bind_text(catalog, &contact, REGION, "northern", 5), REASON_NONE);
    assert_word(REGION, "north");
    assert_int_equal(attribute_bind_text(catalog, &contact, REGION, "atlantis", 8), REASON_NONE);
    assert_int_equal(contact.values.value[REGION], VALUE_OTHER);
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, 120), REASON_NONE);
    assert_int_equal(contact.values.value[AGE], 120);
    assert_int_equal(attribute_bind_boolean(catalog, &contact, URGENT, false), REASON_NONE);
    assert_true(known(URGENT) && contact.values.value[URGENT] == 0);
}

static void
what_does_not_fit_stays_unknown(void **state)
{
    (void)state;
    begin(0x0f);
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, 7), REASON_NONE);
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, 121), REASON_OUT_OF_RANGE);
    assert_false(known(AGE));
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, -1), REASON_OUT_OF_RANGE);
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, 7), REASON_NONE);
    assert_int_equal(attribute_bind_text(catalog, &contact, AGE, "7", 1), REASON_WRONG_TYPE);
    assert_false(known(AGE));
    assert_int_equal(attribute_bind_boolean(catalog, &contact, REGION, true), REASON_WRONG_TYPE);
    assert_int_equal(attribute_bind_list_begin(catalog, &contact, REGION), REASON_WRONG_TYPE);
    assert_int_equal(attribute_bind_integer(catalog, &contact, PRODUCTS, 1), REASON_WRONG_TYPE);
}

// Built-in attributes come from the contact's own fields: nobody gives consent by naming an
// attribute.
static void
attributes_that_a_contact_may_not_name(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(attribute_bind_boolean(catalog, &contact, BUILTIN_CONSENT_THIRD_PARTY, true),
                     REASON_UNKNOWN_ATTRIBUTE);
    assert_false(known(BUILTIN_CONSENT_THIRD_PARTY));
    assert_int_equal(attribute_bind_text(catalog, &contact, BUILTIN_CHANNEL, "web", 3),
                     REASON_UNKNOWN_ATTRIBUTE);
    assert_word(BUILTIN_CHANNEL, "bill");
    assert_int_equal(attribute_bind_text(catalog, &contact, PLACE, "x", 1),
                     REASON_UNKNOWN_ATTRIBUTE);
    assert_int_equal(attribute_bind_boolean(catalog, &contact, LOUD, true),
                     REASON_UNKNOWN_ATTRIBUTE);
    assert_int_equal(attribute_bind_integer(catalog, &contact, LOUD + 1, 1),
                     REASON_UNKNOWN_ATTRIBUTE);
    assert_int_equal(attribute_bind_list_begin(catalog, &contact, UINT32_MAX),
                     REASON_UNKNOWN_ATTRIBUTE);
}

static void
without_its_consent_a_value_stays_unknown(void **state)
{
    (void)state;
    static const char *const items[] = {"fire"};
    begin(1u << CONSENT_MODELLING);
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, 30), REASON_NONE);
    assert_false(known(AGE));
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, 300), REASON_OUT_OF_RANGE);
    assert_int_equal(bind_list(INTERESTS, items, 1), REASON_NONE);
    assert_true(known(INTERESTS));
    begin(1u << CONSENT_PROFILING);
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, 30), REASON_NONE);
    assert_true(known(AGE));
    assert_int_equal(bind_list(INTERESTS, items, 1), REASON_NONE);
    assert_false(known(INTERESTS));
    assert_int_equal(contact.values.list_used, 0);
}

static void
lists_are_sorted_without_repeats(void **state)
{
    (void)state;
    static const char *const items[] = {"grill", "cards", "nobody says this",
                                        "loans", "cards", "nor this"};
    begin(0x0f);
    assert_int_equal(bind_list(PRODUCTS, items, 6), REASON_NONE);
    int64_t value = contact.values.value[PRODUCTS];
    assert_int_equal((uint32_t)value, 4);  // three words and the unheard-of ones, which are one
    assert_int_equal(value >> 32, 0);
    assert_int_equal(contact.values.list_items[0], VALUE_OTHER);
    for (int i = 1; i < 4; i++)
        assert_true(contact.values.list_items[i - 1] < contact.values.list_items[i]);
    assert_int_equal(contact.values.list_used, 4);
    assert_int_equal(bind_list(INTERESTS, items, 2), REASON_NONE);
    assert_int_equal(contact.values.value[INTERESTS], (int64_t)4 << 32 | 2);
    assert_int_equal(bind_list(PRODUCTS, items, 0), REASON_NONE);  // the empty list is known
    assert_true(known(PRODUCTS));
    assert_int_equal((uint32_t)contact.values.value[PRODUCTS], 0);
}

static void
too_many_items_are_refused(void **state)
{
    (void)state;
    begin(0x0f);
    assert_int_equal(attribute_bind_list_begin(catalog, &contact, PRODUCTS), REASON_NONE);
    for (int i = 0; i < BOUND_LIST_ITEMS; i++)
        assert_int_equal(attribute_bind_list_item(catalog, &contact, PRODUCTS, "loans", 5),
                         REASON_NONE);
    assert_int_equal(attribute_bind_list_item(catalog, &contact, PRODUCTS, "loans", 5),
                     REASON_TOO_LARGE);
    assert_int_equal(attribute_bind_list_item(catalog, &contact, PRODUCTS, "loans", 5),
                     REASON_TOO_LARGE);
    assert_int_equal(attribute_bind_list_end(catalog, &contact, PRODUCTS), REASON_TOO_LARGE);
    assert_false(known(PRODUCTS));
    assert_int_equal(contact.values.list_used, 0);
    // All of them fit when they are the last ones.
    begin(0x0f);
    assert_int_equal(attribute_bind_list_begin(catalog, &contact, PRODUCTS), REASON_NONE);
    for (int i = 0; i < BOUND_LIST_ITEMS; i++)
        assert_int_equal(
            attribute_bind_list_item(catalog, &contact, PRODUCTS, i % 2 ? "loans" : "cards", 5),
            REASON_NONE);
    assert_int_equal(attribute_bind_list_end(catalog, &contact, PRODUCTS), REASON_NONE);
    assert_int_equal((uint32_t)contact.values.value[PRODUCTS], 2);
    assert_int_equal(contact.values.list_used, 2);
}

static void
a_bound_contact_answers_a_rule(void **state)
{
    (void)state;
    static const char *const items[] = {"elsewhere", "grill"};
    const struct expr *rule = &catalog->seats[0].rule;
    begin(0);
    assert_false(expr_true(rule, &contact.values, NULL));
    assert_int_equal(bind_list(PRODUCTS, items, 1), REASON_NONE);
    assert_false(expr_true(rule, &contact.values, NULL));
    assert_int_equal(bind_list(PRODUCTS, items, 2), REASON_NONE);
    assert_true(expr_true(rule, &contact.values, NULL));
    begin(0);
    assert_int_equal(attribute_bind_text(catalog, &contact, REGION, "south", 5), REASON_NONE);
    assert_true(expr_true(rule, &contact.values, NULL));
    begin(0);
    assert_int_equal(attribute_bind_integer(catalog, &contact, AGE, 30), REASON_NONE);
    assert_false(expr_true(rule, &contact.values, NULL));  // no consent to profiling
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_attributes_come_from_the_contact),
        cmocka_unit_test(values_of_each_type),
        cmocka_unit_test(what_does_not_fit_stays_unknown),
        cmocka_unit_test(attributes_that_a_contact_may_not_name),
        cmocka_unit_test(without_its_consent_a_value_stays_unknown),
        cmocka_unit_test(lists_are_sorted_without_repeats),
        cmocka_unit_test(too_many_items_are_refused),
        cmocka_unit_test(a_bound_contact_answers_a_rule),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
