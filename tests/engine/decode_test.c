#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../engine/decode.h"
#include "market_file.h"
#include "pack.h"

// A market of one container with two slots; a declared integer, a text, a boolean, a list, and an
// attribute that needs consent.
static const char market_text[] =
    "market: {code: test, name: Test, currency: EUR, channels: [web], stages: [shop]}\n"
    "attributes:\n"
    "  - {code: age, type: integer, of: customer, privacy: host, range: [0, 120]}\n"
    "  - {code: region, type: text, of: customer, privacy: open}\n"
    "  - {code: subscriber, type: boolean, of: customer, privacy: host}\n"
    "  - {code: interests, type: list, of: customer, privacy: open}\n"
    "  - {code: score, type: integer, of: customer, privacy: host, consent: modelling, range: [0, "
    "100]}\n"
    "touchpoints:\n"
    "  - {code: shop, name: Shop}\n"
    "seats:\n"
    "  - {code: sales, name: Sales, kind: department}\n"
    "containers:\n"
    "  - code: page\n"
    "    name: Page\n"
    "    stage: shop\n"
    "    channel: web\n"
    "    owner: sales\n"
    "    slots:\n"
    "      - {code: top, name: Top, floor: 0.10, rungs: [1-5], objectives: [cross_sell], formats: "
    "[text],\n"
    "         deliver_within: 20m, rule: \"region = 'north' or age > 30 or 'tea' = any(interests) "
    "or score > 1\"}\n"
    "      - {code: side, name: Side, floor: 0.10, rungs: [1-5], objectives: [cross_sell], "
    "formats: [text],\n"
    "         deliver_within: 20m, rule: subscriber}\n"
    "messages:\n"
    "  - {code: tea, name: Tea, seat: sales, content: cms-1, format: text, category: food, rung: "
    "1,\n"
    "     objectives: [cross_sell]}\n"
    "contracts:\n"
    "  - {code: sales-1, seat: sales, from: 2020-01-01, transfer_price: second_price}\n";

static struct catalog *catalog;
static const uint8_t secret[16] = "0123456789abcdef";
static uint8_t bytes[BOUND_MESSAGE_BYTES];
static struct pack pack;

static int
open_catalog(void **state)
{
    (void)state;
    struct arena *arena = arena_open("catalog");
    struct market_report report = {.arena = arena};
    struct market *market;
    if (market_file_read(market_text, sizeof market_text - 1, arena, &report, &market) !=
        STATUS_OK) {
        market_file_print(&report, "market.yaml", stderr);
        return 1;
    }
    market_object_number(market);
    struct catalog_input input = {.market = market, .version = 7};
    const uint8_t *block;
    size_t len;
    struct expr_error error;
    if (catalog_encode(&input, arena, &block, &len, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    enum status status = catalog_decode(block, len, &catalog, NULL);
    arena_close(arena);
    return status != STATUS_OK;
}

static int
close_catalog(void **state)
{
    (void)state;
    catalog_close(catalog);
    return 0;
}

static struct pack *
begin(uint32_t fields)
{
    pack = (struct pack){.data = bytes, .room = sizeof bytes};
    pack_array(&pack, 1);  // a message is an array; params is one of one map
    pack_map(&pack, fields);
    return &pack;
}

static const struct decode_by *
by_touchpoint(void)
{
    static struct decode_by by;
    by = (struct decode_by){.catalog = catalog,
                            .customer_secret = secret,
                            .party = 1,
                            .role = ROLE_TOUCHPOINT,
                            .now = {1000 * USEC_SECOND}};
    return &by;
}

// The scan that every message passes before it is read.
static struct wire_reader
reader(void)
{
    assert_false(pack.full);
    struct wire_scan scan = {0};
    size_t len = 0;
    assert_int_equal(wire_scan(&scan, pack.data, pack.len, &len), REASON_NONE);
    assert_int_equal(len, pack.len);
    // The reader that a session hands over stands at the map, with no path before it.
    return wire_reader(pack.data + 1, pack.len - 1);
}

static void
put_user(const char *id, const char *identity, bool consent)
{
    pack_string(&pack, "user");
    pack_map(&pack, 3);
    pack_pair_string(&pack, "id", id);
    pack_pair_string(&pack, "identity", identity);
    pack_string(&pack, "consent");
    pack_array(&pack, consent ? 2 : 1);
    pack_string(&pack, "profiling");
    if (consent) pack_string(&pack, "modelling");
}

static struct contact contact;

static bool
read_contact(bool *out_test, enum reason *out_reason, char out_place[WIRE_PLACE])
{
    struct wire_reader params = reader();
    struct decode_wish wish = {.test = false};
    bool read = decode_contact(by_touchpoint(), &params, &contact, &wish, out_reason);
    *out_test = wish.test;
    wire_place(&params, out_place);
    if (!read && *out_reason == REASON_NONE) *out_reason = params.reason;
    return read;
}

static void
put_attributes(int64_t age, const char *region)
{
    pack_string(&pack, "attr");
    pack_map(&pack, 6);
    pack_pair_integer(&pack, "age", age);
    pack_pair_string(&pack, "region", region);
    pack_pair_boolean(&pack, "subscriber", true);
    pack_string(&pack, "interests");
    pack_array(&pack, 2);
    pack_string(&pack, "golf");
    pack_string(&pack, "tea");
    pack_pair_integer(&pack, "score", 50);
    pack_pair_integer(&pack, "unheard_of", 1);
}

static void
a_whole_contact_is_read(void **state)
{
    (void)state;
    bool test;
    enum reason reason;
    char place[WIRE_PLACE];
    begin(8);
    put_attributes(44, "north");  // before the user, whose consent it needs
    pack_pair_string(&pack, "id", "c-1");
    put_user("u-1", "repeat", true);
    pack_pair_string(&pack, "container", "page");
    pack_pair_integer(&pack, "began_us", 999 * USEC_SECOND);
    pack_string(&pack, "imp");
    pack_array(&pack, 1);
    pack_map(&pack, 1);
    pack_pair_string(&pack, "tagid", "page.side");
    pack_string(&pack, "achieved");
    pack_array(&pack, 1);
    pack_string(&pack, "recognize");
    pack_pair_integer(&pack, "test", 1);
    if (!read_contact(&test, &reason, place)) fail_msg("%s at %s", reason_key(reason), place);
    assert_true(test);
    assert_string_equal(contact.key, "c-1");
    assert_int_equal(contact.identity, IDENTITY_REPEAT);
    assert_int_equal(contact.consent, 1u << CONSENT_PROFILING | 1u << CONSENT_MODELLING);
    assert_int_equal(contact.began.us, 999 * USEC_SECOND);
    assert_int_equal(contact.slots_wanted, 2);
    assert_int_equal(contact.achieved, 1u << OBJECTIVE_RECOGNIZE);
    assert_true(contact.customer == hash_customer(secret, "u-1", 3));
    assert_int_equal(contact.shard, hash_shard(contact.customer));
    uint32_t age = catalog_attribute_by_name(catalog, "age", 3);
    uint32_t score = catalog_attribute_by_name(catalog, "score", 5);
    assert_int_equal(contact.values.value[age], 44);
    assert_true((contact.values.known >> score & 1) == 1);
    assert_int_equal(contact.values.value[score], 50);
}

// What makes a retry the same: content, not the order of fields or what does not change the
// decision.
static void
the_digest_is_of_content_not_of_order(void **state)
{
    (void)state;
    bool test;
    enum reason reason;
    char place[WIRE_PLACE];
    uint64_t digests[4];
    for (int variant = 0; variant < 4; variant++) {
        begin(variant == 1 ? 5 : 4);
        if (variant == 1) {
            pack_pair_integer(&pack, "tmax", 120);
            pack_pair_string(&pack, "container", "page");
        }
        pack_pair_string(&pack, "id", "c-1");
        put_user("u-1", "repeat", true);
        put_attributes(variant == 2 ? 45 : 44, variant == 3 ? "south" : "north");
        if (variant != 1) pack_pair_string(&pack, "container", "page");
        if (!read_contact(&test, &reason, place)) fail_msg("%s at %s", reason_key(reason), place);
        digests[variant] = contact.request;
    }
    assert_true(digests[0] == digests[1]);
    assert_true(digests[0] != digests[2]);
    assert_true(digests[0] != digests[3]);
}

static void
without_consent_an_attribute_stays_unknown(void **state)
{
    (void)state;
    bool test;
    enum reason reason;
    char place[WIRE_PLACE];
    begin(4);
    put_attributes(44, "north");
    pack_pair_string(&pack, "id", "c-1");
    put_user("u-1", "repeat", false);
    pack_pair_string(&pack, "container", "page");
    if (!read_contact(&test, &reason, place)) fail_msg("%s at %s", reason_key(reason), place);
    uint32_t score = catalog_attribute_by_name(catalog, "score", 5);
    assert_true((contact.values.known >> score & 1) == 0);
}

struct refusal {
    const char *what;
    enum reason reason;
    const char *place;
};

// One wrong thing at a time; every refusal names it.
static void
put_wrong_contact(int wrong)
{
    begin(4);
    if (wrong != 0) pack_pair_string(&pack, "id", wrong == 1 ? "" : "c-1");
    else pack_pair_integer(&pack, "id", 5);
    if (wrong == 2) pack_pair_boolean(&pack, "unheard_of", true);
    else pack_pair_string(&pack, "container", wrong == 3 ? "poster" : "page");
    if (wrong == 4) pack_pair_string(&pack, "user", "u-1");
    else if (wrong == 5) put_user("u-1", "regular", true);
    else if (wrong == 6) {
        pack_string(&pack, "user");
        pack_map(&pack, 1);
        pack_pair_string(&pack, "identity", "repeat");
    } else put_user("u-1", "repeat", true);
    if (wrong == 7) pack_pair_integer(&pack, "began_us", 5000 * USEC_SECOND);
    else if (wrong == 8) put_attributes(121, "north");
    else if (wrong == 9) {
        pack_string(&pack, "attr");
        pack_map(&pack, 1);
        pack_pair_string(&pack, "age", "old");
    } else if (wrong == 10) {
        pack_string(&pack, "imp");
        pack_array(&pack, 1);
        pack_map(&pack, 1);
        pack_pair_string(&pack, "tagid", "page.bottom");
    } else if (wrong == 11) {
        pack_string(&pack, "imp");
        pack_array(&pack, 1);
        pack_map(&pack, 0);
    } else if (wrong == 12) pack_pair_integer(&pack, "test", 2);
    else pack_pair_string(&pack, "harmless", "field");
}

static void
a_wrong_contact_is_refused_by_name(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"an id that is a number", REASON_WRONG_TYPE, "id"},
        {"an empty id", REASON_TOO_LARGE, "id"},
        {"no container", REASON_MISSING_FIELD, "container"},
        {"an unknown container", REASON_UNKNOWN_CONTAINER, NULL},
        {"a user that is a text", REASON_WRONG_TYPE, "user"},
        {"an unknown identity", REASON_OUT_OF_RANGE, "user.identity"},
        {"a repeat customer without id", REASON_MISSING_FIELD, "user.id"},
        {"a contact of the future", REASON_OUT_OF_RANGE, "began_us"},
        {"an age beyond its range", REASON_OUT_OF_RANGE, "attr.age"},
        {"an age that is a text", REASON_WRONG_TYPE, "attr.age"},
        {"an unknown slot", REASON_UNKNOWN_SLOT, NULL},
        {"an imp without tagid", REASON_MISSING_FIELD, "imp[0].tagid"},
        {"a test that is 2", REASON_OUT_OF_RANGE, "test"},
        {"nothing wrong but an unknown field", REASON_NONE, NULL},
    };
    for (int i = 0; i < (int)(sizeof refusals / sizeof *refusals); i++) {
        bool test;
        enum reason reason;
        char place[WIRE_PLACE];
        put_wrong_contact(i);
        bool read = read_contact(&test, &reason, place);
        const struct refusal *expected = &refusals[i];
        if (read != (expected->reason == REASON_NONE))
            fail_msg("%s: %s", expected->what, reason_key(reason));
        if (read) continue;
        bool short_text = i == 1 &&
                          reason == REASON_OUT_OF_RANGE;  // too short is a matter of range
        if (reason != expected->reason && !short_text)
            fail_msg("%s: %s at %s", expected->what, reason_key(reason), place);
        if (expected->place != NULL && strcmp(place, expected->place) != 0)
            fail_msg("%s: %s at '%s'", expected->what, reason_key(reason), place);
    }
}

static void
bids_are_read_and_refused_by_name(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"a good bid", REASON_NONE, NULL},
        {"a price of nothing", REASON_OUT_OF_RANGE, "price_micros"},
        {"a price beyond the limit", REASON_OUT_OF_RANGE, "price_micros"},
        {"no currency", REASON_MISSING_FIELD, "cur"},
        {"a currency in small letters", REASON_OUT_OF_RANGE, "cur"},
        {"an unknown message", REASON_UNKNOWN_MESSAGE, NULL},
        {"an unknown slot", REASON_UNKNOWN_SLOT, NULL},
        {"an end before its begin", REASON_OUT_OF_RANGE, "until_us"},
        {"a reference of 41 bytes", REASON_TOO_LARGE, "id"},
    };
    for (int i = 0; i < (int)(sizeof refusals / sizeof *refusals); i++) {
        begin(7);
        pack_pair_string(&pack, "id",
                         i == 8 ? "12345678901234567890123456789012345678901" : "bid-1");
        pack_pair_string(&pack, "message", i == 5 ? "coffee" : "tea");
        pack_pair_integer(&pack, "price_micros", i == 1 ? 0 : i == 2 ? BOUND_MICROS + 1 : 150000);
        pack_pair_string(&pack, i == 3 ? "currency" : "cur", i == 4 ? "eur" : "EUR");
        pack_pair_string(&pack, "tagid", i == 6 ? "page.bottom" : "page.top");
        pack_pair_integer(&pack, "from_us", 2000);
        pack_pair_integer(&pack, "until_us", i == 7 ? 2000 : 3000);
        struct wire_reader params = reader();
        struct offer offer;
        enum reason reason;
        bool read = decode_bid_put(by_touchpoint(), &params, &offer, &reason);
        if (!read && reason == REASON_NONE) reason = params.reason;
        char place[WIRE_PLACE];
        wire_place(&params, place);
        if (reason != refusals[i].reason)
            fail_msg("%s: %s at %s", refusals[i].what, reason_key(reason), place);
        if (refusals[i].place != NULL) assert_string_equal(place, refusals[i].place);
        if (!read) continue;
        assert_int_equal(offer.price.micros, 150000);
        assert_string_equal(catalog->messages[offer.message].code, "tea");
        assert_string_equal(catalog->slots[offer.slot].tagid, "page.top");
        assert_int_equal(offer.until.us, 3000);
        assert_int_equal(offer.state, BID_ACTIVE);
    }
}

// Kind and price belong together, in whatever order they come.
static void
prices_of_three_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *kind;       // NULL: not sent
        int64_t micros, share;  // 0: not sent
        enum reason reason;
        const char *place;
    } cases[] = {
        {NULL, 5, 0, REASON_NONE, NULL},
        {"placement", 5, 0, REASON_NONE, NULL},
        {"response", 5, 0, REASON_NONE, NULL},
        {"share", 0, 25000, REASON_NONE, NULL},
        {"share", 0, 1000000, REASON_NONE, NULL},
        {"share", 0, 1000001, REASON_OUT_OF_RANGE, "share_ppm"},
        {"share", 0, -1, REASON_OUT_OF_RANGE, "share_ppm"},
        {"share", 0, 0, REASON_MISSING_FIELD, "share_ppm"},
        {"share", 5, 0, REASON_OUT_OF_RANGE, "price_micros"},
        {"share", 5, 25000, REASON_OUT_OF_RANGE, "price_micros"},
        {"response", 5, 25000, REASON_OUT_OF_RANGE, "share_ppm"},
        {NULL, 0, 25000, REASON_OUT_OF_RANGE, "share_ppm"},
        {"response", 0, 0, REASON_MISSING_FIELD, "price_micros"},
        {"thousand", 5, 0, REASON_OUT_OF_RANGE, "kind"},
    };
    for (unsigned i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        unsigned c = i / 2, kind_last = i % 2;
        begin(3u + (cases[c].kind != NULL) + (cases[c].micros != 0) + (cases[c].share != 0));
        pack_pair_string(&pack, "id", "bid-1");
        pack_pair_string(&pack, "message", "tea");
        pack_pair_string(&pack, "cur", "EUR");
        if (cases[c].kind != NULL && !kind_last) pack_pair_string(&pack, "kind", cases[c].kind);
        if (cases[c].micros != 0) pack_pair_integer(&pack, "price_micros", cases[c].micros);
        if (cases[c].share != 0) pack_pair_integer(&pack, "share_ppm", cases[c].share);
        if (cases[c].kind != NULL && kind_last) pack_pair_string(&pack, "kind", cases[c].kind);
        struct wire_reader params = reader();
        struct offer offer;
        enum reason reason;
        char place[WIRE_PLACE];
        bool read = decode_bid_put(by_touchpoint(), &params, &offer, &reason);
        if (!read && reason == REASON_NONE) reason = params.reason;
        wire_place(&params, place);
        if (reason != cases[c].reason) fail_msg("%u: %s at %s", i, reason_key(reason), place);
        if (!read) {
            assert_string_equal(place, cases[c].place);
            continue;
        }
        assert_string_equal(price_kind_name((enum price_kind)offer.kind),
                            cases[c].kind == NULL ? "placement" : cases[c].kind);
        assert_int_equal(offer.price.micros,
                         cases[c].share != 0 ? cases[c].share : cases[c].micros);
    }
}

// Begins an event of a placement that this book does not know.
static void
begin_event(uint32_t more, const char *event)
{
    begin(2 + more);
    pack_pair_string(&pack, "placement", "0123456789abcdef0123456789abcdef");
    pack_pair_string(&pack, "event", event);
}

static void
expect_event(bool expected, enum reason reason, const char *sentence)
{
    struct book_limits limits = {.contacts = 16,
                                 .placements = 64,
                                 .customers = 64,
                                 .rates = 64,
                                 .orders = 16,
                                 .overlay = 16};
    struct decode_by by = *by_touchpoint();
    struct book *book = book_open(&limits);
    by.book = book;
    struct wire_reader params = reader();
    struct event event;
    enum reason other;
    char said[WIRE_SENTENCE] = "";
    struct id named;
    bool read = decode_event(&by, &params, &event, &named, &other);
    if (!read) wire_sentence(&params, said);
    book_close(book);
    assert_int_equal(params.reason, reason);
    assert_string_equal(said, sentence);
    assert_int_equal(read, expected);
}

// What belongs to revenue is looked at in revenue only; what is wrong is named with what to send.
static void
an_event_reads_what_it_needs(void **state)
{
    (void)state;
    begin_event(4, "delivered");
    pack_pair_string(&pack, "order", "");
    pack_pair_string(&pack, "amount_micros", "none");
    pack_pair_integer(&pack, "cur", 5);
    pack_pair_boolean(&pack, "refund", true);
    expect_event(true, REASON_NONE, "");
    begin_event(3, "converted");
    pack_pair_string(&pack, "order", "o-1");
    pack_pair_string(&pack, "amount_micros", "none");
    pack_pair_string(&pack, "cur", "EUR");
    expect_event(false, REASON_WRONG_TYPE, "amount_micros is a text; send an integer");
    begin_event(3, "converted");
    pack_pair_string(&pack, "order", "o-1");
    pack_pair_integer(&pack, "amount_micros", BOUND_MICROS + 1);
    pack_pair_string(&pack, "cur", "EUR");
    expect_event(false, REASON_OUT_OF_RANGE,
                 "amount_micros: 1000000000000001 is out of range; send 1 to 1000000000000000");
    begin_event(3, "refunded");
    pack_pair_string(&pack, "order", "o-1");
    pack_pair_integer(&pack, "amount_micros", 5);
    pack_pair_string(&pack, "cur", "EUR");
    expect_event(false, REASON_MISSING_FIELD, "refund is missing; send it");
    begin_event(3, "converted");
    pack_pair_string(&pack, "order", "o-1");
    pack_pair_integer(&pack, "amount_micros", 5);
    pack_pair_string(&pack, "cur", "eur");
    expect_event(false, REASON_OUT_OF_RANGE, "cur is no currency; send its code, such as \"EUR\"");
    begin_event(0, "forgotten");
    expect_event(false, REASON_OUT_OF_RANGE,
                 "event is none of its words; send one of: delivered, accepted, declined, "
                 "cancelled, complained, converted, refunded");
}

// The words that a refusal names are those that the domain knows, in its order.
static void
a_refused_word_names_those_that_are(void **state)
{
    (void)state;
    char expected[WIRE_SENTENCE], said[WIRE_SENTENCE];
    int len = snprintf(expected, sizeof expected,
                       "achieved[0] is none of its words; send one of: ");
    for (int i = 0; i < OBJECTIVE_COUNT; i++)
        len += snprintf(expected + len, sizeof expected - (size_t)len, "%s%s", i == 0 ? "" : ", ",
                        objective_name((enum objective)i));
    begin(3);
    pack_pair_string(&pack, "id", "c-1");
    pack_pair_string(&pack, "container", "page");
    pack_string(&pack, "achieved");
    pack_array(&pack, 1);
    pack_string(&pack, "win");
    struct wire_reader params = reader();
    struct decode_wish wish;
    enum reason reason;
    assert_false(decode_contact(by_touchpoint(), &params, &contact, &wish, &reason));
    wire_sentence(&params, said);
    assert_string_equal(said, expected);
    begin(1);
    pack_pair_string(&pack, "after", "ff");
    uint64_t after;
    uint32_t limit;
    params = reader();
    assert_false(decode_bid_list(&params, &after, &limit));
    wire_sentence(&params, said);
    assert_string_equal(said, "after: 2 bytes is out of range; send 16");
}

// A period's name becomes part of a path.
static void
a_period_is_never_a_path(void **state)
{
    (void)state;
    static const char *const periods[] = {"../../tls/ca", "2026-11/..", "a.b", "2026-11"};
    for (size_t i = 0; i < 4; i++) {
        begin(2);
        pack_pair_string(&pack, "period", periods[i]);
        pack_pair_string(&pack, "format", "text");
        struct wire_reader params = reader();
        struct decode_statement get;
        enum reason reason;
        bool read = decode_statement_get(&params, &get, &reason);
        assert_int_equal(read, i == 3);
        if (!read) assert_int_equal(reason, REASON_NOT_FOUND);
    }
}

// A format is a word, never a part of a path.
static void
a_format_is_one_of_few(void **state)
{
    (void)state;
    static const struct {
        const char *format, *suffix;
    } formats[] = {{"pdf", "pdf"},
                   {"invoice", "invoice.xml"},
                   {"selfbill", "selfbill.xml"},
                   {"reconcile", "reconcile.csv"},
                   {"invoice.xml", NULL},
                   {"../json", NULL},
                   {"new", NULL}};
    for (size_t i = 0; i < 7; i++) {
        begin(2);
        pack_pair_string(&pack, "period", "2026-11");
        pack_pair_string(&pack, "format", formats[i].format);
        struct wire_reader params = reader();
        struct decode_statement get;
        enum reason reason;
        assert_int_equal(decode_statement_get(&params, &get, &reason), formats[i].suffix != NULL);
        if (formats[i].suffix != NULL) assert_string_equal(get.suffix, formats[i].suffix);
        else assert_int_equal(reason, REASON_NOT_FOUND);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_contact_is_read),
        cmocka_unit_test(the_digest_is_of_content_not_of_order),
        cmocka_unit_test(without_consent_an_attribute_stays_unknown),
        cmocka_unit_test(a_wrong_contact_is_refused_by_name),
        cmocka_unit_test(bids_are_read_and_refused_by_name),
        cmocka_unit_test(prices_of_three_kinds),
        cmocka_unit_test(an_event_reads_what_it_needs),
        cmocka_unit_test(a_refused_word_names_those_that_are),
        cmocka_unit_test(a_period_is_never_a_path),
        cmocka_unit_test(a_format_is_one_of_few),
    };
    return cmocka_run_group_tests(tests, open_catalog, close_catalog);
}
