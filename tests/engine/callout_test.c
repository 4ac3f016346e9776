// What leaves with a bid request, and what is taken of an answer, whatever its bytes.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../engine/callout.h"
#include "attribute.h"
#include "market_file.h"
#include "seed.h"

static const char market_text[] =
    "market: {code: test, currency: EUR, channels: [web], stages: [shop]}\n"
    "attributes:\n"
    "  region: {type: text, of: customer, privacy: open}\n"
    "  interests: {type: list, of: customer, privacy: open}\n"
    "  size: {type: integer, of: customer, privacy: open, range: [0, 1000000]}\n"
    "  member: {type: boolean, of: customer, privacy: open, consent: profiling}\n"
    "  age: {type: integer, of: customer, privacy: host, range: [0, 120]}\n"
    "  topic: {type: text, privacy: transient}\n"
    "touchpoints:\n"
    "  shop: {}\n"
    "seats:\n"
    "  sales: {kind: department}\n"
    "  tea: {kind: partner, live: true, shows: [region, interests, size, member]}\n"
    "  rival: {kind: partner, live: true}\n"
    "containers:\n"
    "  page:\n"
    "    stage: shop\n"
    "    channel: web\n"
    "    owner: sales\n"
    "    slots:\n"
    "      top: {floor: 0.20, rungs: [6-8], objectives: [cross_sell], deliver_within: 20m}\n"
    "      side: {floor: 0.10, rungs: [6-8], objectives: [educate], deliver_within: 20m}\n"
    "messages:\n"
    "  tea.green: {seat: tea, rung: 6, objectives: cross_sell, format: text, content: \"cms:1\"}\n"
    "  tea.guide: {seat: tea, rung: 6, objectives: educate, format: text, content: \"cms:2\"}\n"
    "  rival.mate: {seat: rival, rung: 6, objectives: cross_sell, format: text, content: "
    "\"cms:3\"}\n";

static struct catalog *catalog;
static uint32_t tea;
static const uint8_t secret[16] = "0123456789abcdef";
static uint8_t bytes[BOUND_MESSAGE_BYTES], written[BOUND_MESSAGE_BYTES];
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
    if (catalog_encode(&input, arena, &block, &len, &error) != STATUS_OK) return 1;
    enum status status = catalog_decode(block, len, &catalog, NULL);
    arena_close(arena);
    if (status == STATUS_OK) {
        uint32_t message = catalog_message_by_code(catalog, "tea.green", 9);
        tea = catalog->messages[message].seat;
    }
    return status != STATUS_OK;
}

static int
close_catalog(void **state)
{
    (void)state;
    catalog_close(catalog);
    return 0;
}

// --- Writing -------------------------------------------------------------------------------------

// Sends a contact with all attributes and these consents through the decoder, then writes what seat
// tea is asked about it; returns the params as text of the keys below attr ("region interests").
static const char *
shown_with(const char *const *consents, uint32_t consent_count, struct wire_reader *out_params)
{
    static struct contact contact;
    static char shown[256];
    struct decode_wish wish;
    enum reason reason;
    pack = (struct pack){.data = bytes, .room = sizeof bytes};
    pack_map(&pack, 4);
    pack_pair_string(&pack, "id", "c-1");
    pack_pair_string(&pack, "container", "page");
    pack_string(&pack, "attr");
    pack_map(&pack, 7);
    pack_pair_string(&pack, "region", "a word that no rule mentions");
    pack_pair_integer(&pack, "age", 44);
    pack_pair_string(&pack, "topic", "secret");
    pack_pair_boolean(&pack, "member", true);
    pack_pair_integer(&pack, "size", 70000);
    pack_pair_string(&pack, "undeclared", "x");
    pack_string(&pack, "interests");
    pack_array(&pack, 2);
    pack_string(&pack, "tea");
    pack_string(&pack, "golf");
    pack_string(&pack, "user");
    pack_map(&pack, 3);
    pack_pair_string(&pack, "id", "customer-1");
    pack_pair_string(&pack, "identity", "repeat");
    pack_string(&pack, "consent");
    pack_array(&pack, consent_count);
    for (uint32_t i = 0; i < consent_count; i++) pack_string(&pack, consents[i]);
    struct wire_reader params = wire_reader(bytes, pack.len);
    struct decode_by by = {.catalog = catalog, .customer_secret = secret, .party = 1};
    assert_true(decode_contact(&by, &params, &contact, &wish, &reason));
    struct round_ask ask = {.slots = 3, .floor = {{200000}, {100000}}};
    struct callout_question question = {.catalog = catalog,
                                        .secret = secret,
                                        .contact = &contact,
                                        .wish = &wish,
                                        .seat = tea,
                                        .ask = &ask,
                                        .tmax_ms = 46};
    struct pack out = {.data = written, .room = sizeof written};
    pack_array(&out, 1);  // a message is an array
    callout_write(&out, &question);
    assert_false(out.full);
    struct wire_scan scan = {.at = 0};
    size_t len;
    assert_int_equal(wire_scan(&scan, written, out.len, &len), REASON_NONE);
    assert_int_equal(len, out.len);  // one whole map, nothing behind it
    *out_params = wire_reader(written + 1, out.len - 1);
    struct wire_reader walk = *out_params;
    struct wire_map map, attributes;
    struct wire_text key;
    shown[0] = '\0';
    assert_true(wire_map_begin(&walk, &map));
    while (wire_map_next(&walk, &map, &key)) {
        if (!wire_same(key, "attr")) continue;
        strcat(shown, "+");
        assert_true(wire_map_begin(&walk, &attributes));
        while (wire_map_next(&walk, &attributes, &key))
            snprintf(shown + strlen(shown), sizeof shown - strlen(shown), " %.*s", (int)key.len,
                     key.data);
    }
    assert_int_equal(walk.reason, REASON_NONE);
    // However little room there is, nothing is written beyond it.
    static uint8_t small_bytes[2048];
    assert_true(out.len < sizeof small_bytes);
    for (size_t room = 0; room < out.len - 1; room++) {
        struct pack small = {.data = small_bytes, .room = room};
        small_bytes[room] = 0xee;
        callout_write(&small, &question);
        assert_true(small.full && small.len <= room && small_bytes[room] == 0xee);
    }
    return shown;
}

static void
only_what_may_leave_leaves(void **state)
{
    (void)state;
    static const char *const all[] = {"third_party", "sharing", "profiling"};
    struct wire_reader params;
    assert_string_equal(shown_with(all, 1, &params), "");
    assert_string_equal(shown_with(all, 2, &params), "+ region size interests");
    assert_string_equal(shown_with(all, 3, &params), "+ region member size interests");
    const char *no_profile[] = {"profiling"};
    assert_string_equal(shown_with(no_profile, 1, &params), "");
}

static void
names_differ_from_seat_to_seat(void **state)
{
    (void)state;
    struct id one = {.bytes = {1}}, other = {.bytes = {2}};
    uint8_t another_secret[16] = "fedcba9876543210";
    assert_true(id_same(callout_auction(secret, one, 3), callout_auction(secret, one, 3)));
    assert_false(id_same(callout_auction(secret, one, 3), callout_auction(secret, one, 4)));
    assert_false(id_same(callout_auction(secret, one, 3), callout_auction(secret, other, 3)));
    assert_false(id_same(callout_auction(secret, one, 3), callout_auction(another_secret, one, 3)));
    struct id mine = callout_auction(secret, one, 3), theirs = callout_auction(secret, one, 4);
    assert_true(callout_bid(&mine, 7, 9) == callout_bid(&mine, 7, 9));
    assert_true(callout_bid(&mine, 7, 9) != callout_bid(&mine, 7, 8));
    assert_true(callout_bid(&mine, 7, 9) != callout_bid(&mine, 8, 9));
    assert_true(callout_bid(&mine, 7, 9) != callout_bid(&theirs, 7, 9));
    struct id name = callout_placement(secret, one, 3);
    assert_false(id_same(name, one) || id_same(name, callout_placement(secret, one, 4)));
    assert_true(id_same(callout_placement_named(secret, name, 3), one));
    assert_false(id_same(callout_placement_named(secret, name, 4), one));
    assert_false(id_same(callout_placement_named(another_secret, name, 3), one));
    assert_true(callout_customer(secret, 5, 3) == callout_customer(secret, 5, 3));
    assert_true(callout_customer(secret, 5, 3) != callout_customer(secret, 5, 4));
    assert_true(callout_customer(secret, 5, 3) != callout_customer(secret, 6, 3));
    assert_true(callout_customer(secret, 5, 3) != callout_customer(another_secret, 5, 3));
}

// --- Reading -------------------------------------------------------------------------------------

static struct catalog_bid taken[BOUND_LIVE_BIDS];
static uint8_t groups[BOUND_LIVE_BIDS];
static const uint32_t slot_of[BOUND_SLOTS] = {0, 1, UINT32_MAX};

static struct callout_answer *
read_answer(size_t len, uint32_t room)
{
    static struct callout_answer answer;
    answer = (struct callout_answer){.catalog = catalog,
                                     .seat = tea,
                                     .slots = 0x7,
                                     .slot_of = slot_of,
                                     .auction = {{0xab}},
                                     .bids = taken,
                                     .groups = groups,
                                     .room = room};
    callout_read(&answer, wire_reader(bytes + 1, len - 1));
    return &answer;
}

static void
put_answer(uint32_t fields)
{
    pack = (struct pack){.data = bytes, .room = sizeof bytes};
    pack_array(&pack, 1);  // a message is an array
    pack_map(&pack, fields);
}

static void
put_bid(const char *imp, const char *message, int64_t price)
{
    pack_map(&pack, 3);
    pack_pair_string(&pack, "impid", imp);
    pack_pair_string(&pack, "message", message);
    pack_pair_integer(&pack, "price_micros", price);
}

static void
answers_without_a_bid(void **state)
{
    (void)state;
    pack = (struct pack){.data = bytes, .room = sizeof bytes};
    pack_array(&pack, 1);
    pack_nil(&pack);
    assert_int_equal(read_answer(pack.len, BOUND_LIVE_BIDS)->reason, REASON_NO_BID);
    put_answer(0);
    assert_int_equal(read_answer(pack.len, BOUND_LIVE_BIDS)->reason, REASON_NO_BID);
    put_answer(1);
    pack_string(&pack, "bids");
    pack_array(&pack, 0);
    assert_int_equal(read_answer(pack.len, BOUND_LIVE_BIDS)->reason, REASON_NO_BID);
    put_answer(1);
    pack_pair_string(&pack, "bids", "some");
    assert_int_equal(read_answer(pack.len, BOUND_LIVE_BIDS)->reason, REASON_INVALID_BID);
    put_answer(1);
    pack_pair_string(&pack, "id", "00000000000000000000000000000001");
    struct callout_answer *answer = read_answer(pack.len, BOUND_LIVE_BIDS);
    assert_int_equal(answer->reason, REASON_INVALID_BID);
    assert_int_equal(answer->troubles[0].bid, CALLOUT_WHOLE);
    assert_string_equal(answer->troubles[0].place, "id");
}

static void
bids_are_judged_one_by_one(void **state)
{
    (void)state;
    put_answer(2);
    pack_pair_string(&pack, "cur", "EUR");
    pack_string(&pack, "bids");
    pack_array(&pack, 5);
    put_bid("1", "tea.green", 300000);
    put_bid("1", "tea.green", 400000);  // the same slot and message
    put_bid("3", "tea.green", 300000);  // was asked, and is gone
    put_bid("2", "rival.mate", 300000);
    put_bid("2", "tea.guide", 100001);
    struct callout_answer *answer = read_answer(pack.len, BOUND_LIVE_BIDS);
    assert_int_equal(answer->reason, REASON_NONE);
    assert_int_equal(answer->count, 2);
    assert_int_equal(taken[0].price.micros, 300000);
    assert_int_equal(taken[1].slot, 1);
    assert_int_equal(answer->trouble_count, 3);
    assert_int_equal(answer->troubles[0].reason, REASON_DUPLICATE);
    assert_int_equal(answer->troubles[1].reason, REASON_UNKNOWN_SLOT);
    assert_int_equal(answer->troubles[2].reason, REASON_NOT_YOURS);
    assert_int_equal(answer->troubles[2].bid, 3);
    assert_string_equal(answer->troubles[0].place, "bids[1]");
    assert_non_null(strstr(answer->troubles[0].text, "came for this slot before"));
    assert_string_equal(answer->troubles[1].place, "bids[2].impid");
    assert_non_null(strstr(answer->troubles[1].text, "no slot that was asked for"));
    assert_string_equal(answer->troubles[2].place, "bids[3].message");
    // No room for more of this contact.
    answer = read_answer(pack.len, 1);
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->reason, REASON_OVER_LIMIT);
    // As a group: none of them.
    put_answer(2);
    pack_pair_integer(&pack, "group", 1);
    pack_string(&pack, "bids");
    pack_array(&pack, 2);
    put_bid("1", "tea.green", 300000);
    put_bid("2", "rival.mate", 300000);
    answer = read_answer(pack.len, BOUND_LIVE_BIDS);
    assert_int_equal(answer->count, 0);
    assert_int_equal(answer->reason, REASON_INVALID_BID);
    assert_int_equal(answer->troubles[1].reason, REASON_GROUP);
}

static uint64_t chance;
static uint64_t
draw(uint64_t below)
{
    chance += 0x9e3779b97f4a7c15u;
    return hash_mix(chance) % below;
}

// Good answers with some bytes changed: whatever the scan lets through is read to its end, and what
// is taken is a bid that may stand.
static void
whatever_the_bytes(void **state)
{
    (void)state;
    static const char *const imps[] = {"1", "2", "3", "4", "12", "0", "-1", "999999999999"};
    static const char *const messages[] = {"tea.green", "tea.guide", "rival.mate", "tea.black", ""};
    chance = seed_fresh();
    unsigned read = 0, took = 0;
    for (unsigned round = 0; round < 60000; round++) {
        uint32_t count = (uint32_t)draw(28);
        put_answer(2);
        pack_pair_integer(&pack, "group", (int64_t)draw(2));
        pack_string(&pack, "bids");
        pack_array(&pack, count);
        for (uint32_t i = 0; i < count; i++)
            put_bid(imps[draw(8)], messages[draw(5)],
                    draw(10) == 0 ? INT64_MAX : (int64_t)draw(1000) - 10);
        for (uint64_t changes = draw(4); changes > 0; changes--)
            bytes[1 + draw(pack.len - 1)] = (uint8_t)draw(256);
        struct wire_scan scan = {.at = 0};
        size_t len;
        if (wire_scan(&scan, bytes, pack.len, &len) != REASON_NONE || len == 0) continue;
        uint32_t room = (uint32_t)draw(26);
        struct callout_answer *answer = read_answer(len, room);
        read++;
        took += answer->count;
        assert_true(answer->count <= room && answer->count <= BOUND_SEAT_LIVE_BIDS);
        assert_true(answer->trouble_count <= BOUND_SEAT_LIVE_BIDS + 1);
        assert_true((answer->reason == REASON_NONE) <= (answer->count > 0));
        for (uint32_t i = 0; i < answer->count; i++) {
            int64_t most = taken[i].kind == PRICE_SHARE ? 1000000 : BOUND_MICROS;
            assert_true(taken[i].slot <= 1 && taken[i].seat == tea);
            assert_int_equal(catalog->messages[taken[i].message].seat, tea);
            assert_true(taken[i].price.micros >= 1 && taken[i].price.micros <= most);
            for (uint32_t j = 0; j < i; j++)
                assert_false(taken[i].slot == taken[j].slot &&
                             taken[i].message == taken[j].message);
        }
    }
    assert_true(read > 10000 && took > 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_may_leave_leaves),
        cmocka_unit_test(names_differ_from_seat_to_seat),
        cmocka_unit_test(answers_without_a_bid),
        cmocka_unit_test(bids_are_judged_one_by_one),
        cmocka_unit_test(whatever_the_bytes),
    };
    return cmocka_run_group_tests(tests, open_catalog, close_catalog);
}
