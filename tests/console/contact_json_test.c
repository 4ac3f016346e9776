// contact_json.c: requests as JSON, on the catalog of the sample market.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../console/contact_json.h"
#include "attribute.h"
#include "market_file.h"

static struct arena *arena;
static struct catalog *catalog;
static struct contact contact;
static struct contact_json_fault fault;
static const usec now = {1700000000000000};

static int
set_up(void **state)
{
    (void)state;
    const char *text;
    const uint8_t *bytes;
    size_t len;
    struct market *market;
    struct expr_error error;
    arena = arena_open("test");
    struct market_report report = {.arena = arena};
    if (market_file_text(SOURCE_DIR "/sample/market.yaml", arena, &text, &len) != STATUS_OK ||
        market_file_read(text, len, arena, &report, &market) != STATUS_OK)
        return -1;
    market_object_number(market);
    struct catalog_input input = {.market = market, .version = 1};
    if (catalog_encode(&input, arena, &bytes, &len, &error) != STATUS_OK) return -1;
    return catalog_decode(bytes, len, &catalog, NULL) == STATUS_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    catalog_close(catalog);
    arena_close(arena);
    return 0;
}

static bool
read_line(const char *text)
{
    json_t *line = json_loads(text, 0, NULL);
    assert_non_null(line);
    bool done = contact_json_read(catalog, line, now, &contact, &fault);
    json_decref(line);
    return done;
}

static void
refused(const char *text, enum reason reason)
{
    fault.reason = REASON_NONE;
    assert_false(read_line(text));
    if (fault.reason != reason) print_message("%s: %s\n", text, fault.text);
    assert_int_equal(fault.reason, reason);
}

#define HEAD "{\"touchpoint\": \"mailer\", \"id\": \"m-1\", \"container\": \"coffee_mail\""

static int64_t
value_of(const char *name, bool *out_known)
{
    uint32_t attribute = catalog_attribute_by_name(catalog, name, strlen(name));
    assert_true(attribute != UINT32_MAX);
    *out_known = (contact.values.known >> attribute & 1) != 0;
    return contact.values.value[attribute];
}

static void
a_contact_has_all_its_fields(void **state)
{
    (void)state;
    bool known;
    assert_true(read_line(
        HEAD ", \"began_us\": 5, \"achieved\": [\"recognize\"], \"user\": {\"id\": \"c\", "
             "\"identity\": \"repeat\", \"tier\": \"gold\", \"loyalty\": \"switcher\", "
             "\"condition\": \"urgent\", \"consent\": [\"profiling\", \"sharing\"]}, "
             "\"attr\": {\"region\": \"north\", \"tenure_months\": 7, \"taste_score\": 9, "
             "\"owns\": [\"machine\"], \"nobody_declared\": {}}, \"imp\": "
             "[{\"tagid\": \"coffee_mail.greeting\"}, {\"tagid\": \"coffee_mail.club\"}]}"));
    assert_string_equal(catalog->containers[contact.container].code, "coffee_mail");
    assert_int_equal(contact.began.us, 5);
    assert_int_equal(contact.achieved, 1u << OBJECTIVE_RECOGNIZE);
    assert_int_equal(contact.identity, IDENTITY_REPEAT);
    assert_int_equal(contact.tier, TIER_GOLD);
    assert_int_equal(contact.loyalty, LOYALTY_SWITCHER);
    assert_int_equal(contact.condition, CONDITION_URGENT);
    assert_int_equal(contact.consent, 1u << CONSENT_PROFILING | 1u << CONSENT_SHARING);
    assert_int_equal(contact.slots_wanted, 1u << 0 | 1u << 4);
    assert_true(contact.customer != 0);
    assert_int_equal(value_of("tenure_months", &known), 7);
    assert_true(known);
    (void)value_of("taste_score", &known);
    assert_false(known);  // modelling was not agreed to
}

static void
what_is_left_out_has_its_default(void **state)
{
    (void)state;
    assert_true(read_line(HEAD "}"));
    assert_int_equal(contact.began.us, now.us);
    assert_int_equal(contact.identity, IDENTITY_ANONYMOUS);
    assert_int_equal(contact.customer, 0);
    assert_int_equal(contact.slots_wanted, 0);
    assert_int_equal(contact.consent, 0);
}

static void
the_digest_is_of_the_content(void **state)
{
    (void)state;
    assert_true(
        read_line(HEAD ", \"line\": 1, \"note\": \"a\", \"attr\": {\"region\": \"north\"}}"));
    uint64_t first = contact.request;
    assert_true(read_line(
        "{\"line\": 2, \"attr\": {\"region\": \"north\"}, \"container\": \"coffee_mail\", "
        "\"id\": \"m-1\", \"touchpoint\": \"mailer\"}"));
    assert_int_equal(contact.request, first);
    assert_true(read_line(HEAD ", \"attr\": {\"region\": \"south\"}}"));
    assert_int_not_equal(contact.request, first);
}

static void
wrong_contacts_are_refused(void **state)
{
    (void)state;
    refused("{\"id\": \"1\", \"container\": \"parcel\"}", REASON_MISSING_FIELD);
    refused("{\"touchpoint\": \"mailer\", \"container\": \"parcel\"}", REASON_MISSING_FIELD);
    refused("{\"touchpoint\": \"x\", \"id\": \"1\", \"container\": \"parcel\"}",
            REASON_UNKNOWN_CERTIFICATE);
    refused("{\"touchpoint\": \"mailer\", \"id\": \"1\", \"container\": \"x\"}",
            REASON_UNKNOWN_CONTAINER);
    refused("{\"touchpoint\": \"mailer\", \"id\": 1, \"container\": \"parcel\"}",
            REASON_WRONG_TYPE);
    refused("{\"touchpoint\": \"mailer\", \"id\": \"12345678901234567890123456789012345678901\", "
            "\"container\": "
            "\"parcel\"}",
            REASON_OUT_OF_RANGE);
    refused(HEAD ", \"user\": {}}", REASON_MISSING_FIELD);
    refused(HEAD ", \"user\": {\"identity\": \"repeat\"}}", REASON_MISSING_FIELD);
    refused(HEAD ", \"user\": {\"identity\": \"regular\"}}", REASON_OUT_OF_RANGE);
    refused(HEAD ", \"user\": {\"identity\": \"anonymous\", \"consent\": [\"all\"]}}",
            REASON_OUT_OF_RANGE);
    refused(HEAD ", \"began_us\": 1800000000000000}", REASON_OUT_OF_RANGE);
    refused(HEAD ", \"attr\": []}", REASON_WRONG_TYPE);
    refused(HEAD ", \"attr\": {\"region\": 3}}", REASON_WRONG_TYPE);
    refused(HEAD ", \"attr\": {\"waiting_seconds\": 7201}}", REASON_OUT_OF_RANGE);
    refused(HEAD ", \"attr\": {\"owns\": [1]}}", REASON_WRONG_TYPE);
    refused(HEAD ", \"imp\": [{\"tagid\": \"parcel.card\"}]}", REASON_UNKNOWN_SLOT);
    refused(HEAD ", \"imp\": [{}]}", REASON_MISSING_FIELD);
    refused(HEAD ", \"achieved\": \"refer\"}", REASON_WRONG_TYPE);
}

static bool
read_bid(const char *text, struct offer *offer)
{
    json_t *line = json_loads(text, 0, NULL);
    assert_non_null(line);
    bool done = contact_json_read_bid(catalog, line, offer, &fault);
    json_decref(line);
    return done;
}

#define BID                                                                                     \
    "{\"seat\": \"grill_house\", \"id\": \"g\", \"message\": \"grill_house.summer\", \"cur\": " \
    "\"EUR\""

static void
bids_are_read_and_refused(void **state)
{
    (void)state;
    struct offer offer;
    assert_true(read_bid(
        BID ", \"price_micros\": 1500000, \"tagid\": \"monthly_bill.insert\", \"paused\": true}",
        &offer));
    assert_int_equal(offer.price.micros, 1500000);
    assert_int_equal(offer.state, BID_PAUSED);
    assert_string_equal(catalog->slots[offer.slot].tagid, "monthly_bill.insert");
    assert_string_equal(catalog->messages[offer.message].code, "grill_house.summer");
    assert_true(read_bid(BID ", \"price_micros\": 1}", &offer));
    assert_true(offer.slot == UINT32_MAX && offer.state == BID_ACTIVE);
    static const struct {
        const char *rest;
        enum reason reason;
    } wrong[] = {{"}", REASON_MISSING_FIELD},
                 {", \"price_micros\": 0}", REASON_OUT_OF_RANGE},
                 {", \"price_micros\": 1.5}", REASON_WRONG_TYPE},
                 {", \"price_micros\": 1, \"tagid\": \"bill\"}", REASON_UNKNOWN_SLOT}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s%s", BID, wrong[i].rest);
        assert_false(read_bid(text, &offer));
        assert_int_equal(fault.reason, wrong[i].reason);
    }
    assert_false(read_bid("{\"seat\": \"x\", \"id\": \"g\", \"message\": \"m\", \"cur\": \"EUR\", "
                          "\"price_micros\": 1}",
                          &offer));
    assert_int_equal(fault.reason, REASON_UNKNOWN_SEAT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contact_has_all_its_fields),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(the_digest_is_of_the_content),
        cmocka_unit_test(wrong_contacts_are_refused),
        cmocka_unit_test(bids_are_read_and_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
