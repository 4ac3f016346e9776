// Live bidders at a real auctiond over real TLS: what they are asked, what of their answers counts,
// and what they are told. Outcomes and reasons only, no times: the node waits long where a test
// needs a bidder that hangs, and not at all where everybody answered.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node_kit.h"

static const char market_format[] =
    "market: {code: test, currency: EUR, channels: [web], stages: [shop], disclosure: %s}\n"
    "attributes:\n"
    "  region: {type: text, of: customer, privacy: open}\n"
    "  age: {type: integer, of: customer, privacy: host, range: [0, 120]}\n"
    "  mood: {type: text, of: customer, privacy: open, consent: profiling}\n"
    "touchpoints:\n"
    "  shop: {}\n"
    "  kiosk: {}\n"
    "seats:\n"
    "  host_sales: {kind: department}\n"
    "  tea: {kind: partner, live: true, shows: [region, mood]}\n"
    "  rival: {kind: partner, live: true}\n"
    "  quiet: {kind: partner}\n"
    "containers:\n"
    "  page:\n"
    "    stage: shop\n"
    "    channel: web\n"
    "    owner: host_sales\n"
    "    slots:\n"
    "      top: {floor: 0.20, rungs: [6-8], objectives: [cross_sell], deliver_within: 20m}\n"
    "      side: {floor: 0.10, rungs: [6-8], objectives: [educate], deliver_within: 20m}\n"
    "messages:\n"
    "  tea.green: {seat: tea, rung: 6, objectives: cross_sell, format: text, content: \"cms:1\"}\n"
    "  tea.guide: {seat: tea, rung: 6, objectives: educate, format: text, content: \"cms:2\"}\n"
    "  rival.mate: {seat: rival, rung: 6, objectives: cross_sell, format: text, content: "
    "\"cms:3\"}\n"
    "  quiet.milk: {seat: quiet, rung: 6, objectives: cross_sell, format: text, content: "
    "\"cms:4\"}\n"
    "contracts:\n"
    "  tea.1: {seat: tea, from: 2020-01-01}\n"
    "  rival.1: {seat: rival, from: 2020-01-01}\n"
    "  quiet.1: {seat: quiet, from: 2020-01-01}\n";

static const char *const speakers[] = {"shop", "kiosk", "tea", "rival", "quiet"};
static struct node_kit kit;

static void
publish(const char *disclosure)
{
    char text[4096];
    snprintf(text, sizeof text, market_format, disclosure);
    node_kit_publish(&kit, text);
}

// --- A bidder ------------------------------------------------------------------------------------

struct offer {
    const char *imp, *message, *kind, *currency;
    int64_t price;
    bool as_float, as_text;  // a price that is no integer
};
enum manner { MANNER_BIDS, MANNER_NOTHING, MANNER_ERROR, MANNER_GARBAGE, MANNER_HANGS };

// Plays by a script and writes down what it was asked and told.
struct bidder {
    struct client *client;
    enum manner manner;
    struct offer offers[30];
    unsigned offer_count;
    bool group;
    unsigned asked, told;
    uint32_t last_id;       // of the request it was asked last
    char request[4][8192];  // the last requests' params, and their length
    size_t request_len[4];
    char notice[40][1024];
    size_t notice_len[40];
};

static struct wire_reader
last_request(const struct bidder *bidder)
{
    unsigned i = (bidder->asked - 1) % 4;
    return wire_reader((const uint8_t *)bidder->request[i], bidder->request_len[i]);
}

static struct wire_reader
notice(const struct bidder *bidder, unsigned i)
{
    assert_true(i < bidder->told);
    return wire_reader((const uint8_t *)bidder->notice[i], bidder->notice_len[i]);
}

static void
put_offer(struct pack *pack, const struct offer *offer)
{
    bool share = offer->kind != NULL && strcmp(offer->kind, "share") == 0;
    const char *price = share ? "share_ppm" : "price_micros";
    pack_map(pack, 3u + (offer->kind != NULL) + (offer->currency != NULL));
    pack_pair_string(pack, "impid", offer->imp);
    pack_pair_string(pack, "message", offer->message);
    if (offer->kind != NULL) pack_pair_string(pack, "kind", offer->kind);
    if (offer->currency != NULL) pack_pair_string(pack, "cur", offer->currency);
    pack_string(pack, price);
    static const uint8_t nan[9] = {0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0};
    if (offer->as_float) {
        assert_true(pack->room - pack->len >= sizeof nan);
        memcpy(pack->data + pack->len, nan, sizeof nan);
        pack->len += sizeof nan;
    } else if (offer->as_text) {
        pack_string(pack, "much");
    } else {
        pack_integer(pack, offer->price);
    }
}

static void
answer(struct bidder *bidder, uint32_t id, struct wire_reader request)
{
    struct pack *pack;
    switch (bidder->manner) {
    case MANNER_HANGS: return;
    case MANNER_ERROR:
        assert_int_equal(client_reply_error(bidder->client, id, REASON_INTERNAL, "out of order"),
                         STATUS_OK);
        return;
    case MANNER_GARBAGE:
        pack = client_reply(bidder->client, id);
        pack_string(pack, "a lot");
        break;
    case MANNER_NOTHING:
        pack = client_reply(bidder->client, id);
        pack_nil(pack);
        break;
    case MANNER_BIDS:
        pack = client_reply(bidder->client, id);
        pack_map(pack, 3);
        pack_pair_string(pack, "id", node_kit_text(request, "id"));
        pack_pair_integer(pack, "group", bidder->group);
        pack_string(pack, "bids");
        pack_array(pack, bidder->offer_count);
        for (unsigned i = 0; i < bidder->offer_count; i++) put_offer(pack, &bidder->offers[i]);
        break;
    }
    assert_int_equal(client_reply_queue(bidder->client), STATUS_OK);
}

static void
on_asked(void *context, struct client *client, uint32_t id, struct wire_text method,
         struct wire_reader params)
{
    struct bidder *bidder = context;
    size_t len = (size_t)(params.end - params.at);
    (void)client;
    assert_true(wire_same(method, "bid_request") && len <= sizeof bidder->request[0]);
    memcpy(bidder->request[bidder->asked % 4], params.at, len);
    bidder->request_len[bidder->asked % 4] = len;
    bidder->last_id = id;
    bidder->asked++;
    answer(bidder, id, params);
}

static void
on_told(void *context, struct client *client, struct wire_text method, struct wire_reader params)
{
    struct bidder *bidder = context;
    size_t len = (size_t)(params.end - params.at);
    (void)client;
    assert_true(wire_same(method, "notice") && bidder->told < 40 &&
                len <= sizeof bidder->notice[0]);
    memcpy(bidder->notice[bidder->told], params.at, len);
    bidder->notice_len[bidder->told++] = len;
}

static void
subscribe(struct bidder *bidder, const char *seat, bool live)
{
    struct wire_reader result;
    *bidder = (struct bidder){.client = node_kit_client(&kit, seat)};
    client_listen(bidder->client, &(struct client_listener){bidder, on_asked, on_told});
    struct pack *pack = client_request(bidder->client, "subscribe", 2);
    pack_pair_boolean(pack, "live", live);
    pack_pair_boolean(pack, "notices", true);
    assert_null(node_kit_call(bidder->client, &result));
    assert_int_equal(node_kit_integer(result, "live"), live);
    assert_string_equal(node_kit_text(result, "state.breaker"), "closed");
}

// Until it was asked or told so often in all.
static void
serve(struct bidder *bidder, unsigned asked, unsigned told)
{
    struct client_error error;
    while (bidder->asked < asked || bidder->told < told) {
        enum status status = client_poll(bidder->client, 10000, &error);
        if (status != STATUS_OK)
            fail_msg("asked %u of %u, told %u of %u: %s", bidder->asked, asked, bidder->told, told,
                     error.text);
    }
    assert_int_equal(bidder->asked, asked);
    assert_int_equal(bidder->told, told);
}

static int64_t
state_of(struct bidder *bidder, const char *what)
{
    struct wire_reader result;
    client_request(bidder->client, "live.state", 0);
    assert_null(node_kit_call(bidder->client, &result));
    if (strcmp(what, "breaker") == 0) return strcmp(node_kit_text(result, what), "open") == 0;
    return node_kit_integer(result, what);
}

// --- A touchpoint --------------------------------------------------------------------------------

// Sends without waiting for the answer.
static uint32_t
send_contact(struct client *client, const char *id, bool sharing, bool test)
{
    struct client_error error;
    uint32_t number;
    struct pack *pack = client_request(client, "contact", 5);
    pack_pair_string(pack, "id", id);
    pack_pair_string(pack, "container", "page");
    pack_pair_integer(pack, "test", test);
    pack_string(pack, "user");
    pack_map(pack, 3);
    pack_pair_string(pack, "id", "customer-1");
    pack_pair_string(pack, "identity", "repeat");
    pack_string(pack, "consent");
    pack_array(pack, sharing ? 2 : 1);
    pack_string(pack, "third_party");
    if (sharing) pack_string(pack, "sharing");
    pack_string(pack, "attr");
    pack_map(pack, 3);
    pack_pair_string(pack, "region", "north");
    pack_pair_integer(pack, "age", 44);
    pack_pair_string(pack, "mood", "fine");
    assert_int_equal(client_queue(client, &number), STATUS_OK);
    assert_int_equal(client_flush(client, &error), STATUS_OK);
    return number;
}

static struct wire_reader
receive(struct client *client)
{
    struct client_answer answered;
    struct client_error error;
    enum status status = client_receive(client, 10000, &answered, &error);
    if (status != STATUS_OK) fail_msg("%s", error.text);
    if (answered.refused) fail_msg("%s", answered.error.text);
    return answered.result;
}

static void
bids(struct bidder *bidder, const char *imp, const char *message, int64_t price)
{
    bidder->manner = MANNER_BIDS;
    bidder->offers[0] = (struct offer){.imp = imp, .message = message, .price = price};
    bidder->offer_count = 1;
}

// --- Tests ---------------------------------------------------------------------------------------

static void
asked_in_their_own_words(void **state)
{
    (void)state;
    struct bidder tea, rival;
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    subscribe(&rival, "rival", true);
    tea.manner = rival.manner = MANNER_NOTHING;
    send_contact(shop, "asked-1", true, false);
    serve(&tea, 1, 0);
    serve(&rival, 1, 0);
    struct wire_reader asked = last_request(&tea);
    assert_int_equal(node_kit_integer(asked, "imp"), 2);
    assert_string_equal(node_kit_text(asked, "imp.0.id"), "1");
    assert_string_equal(node_kit_text(asked, "imp.0.tagid"), "page.top");
    assert_int_equal(node_kit_integer(asked, "imp.0.bidfloor_micros"), 200000);
    assert_string_equal(node_kit_text(asked, "imp.0.bidfloorcur"), "EUR");
    assert_string_equal(node_kit_text(asked, "imp.1.tagid"), "page.side");
    assert_int_equal(node_kit_integer(asked, "tmax"), 4000 - 4);
    assert_int_equal(node_kit_integer(asked, "at"), 2);
    assert_string_equal(node_kit_text(asked, "cur.0"), "EUR");
    assert_string_equal(node_kit_text(asked, "wseat.0"), "tea");
    assert_int_equal(node_kit_integer(asked, "test"), 0);
    // Open, consented and on the seat's list: region alone. Host attributes and those whose consent
    // is absent never leave.
    assert_int_equal(node_kit_integer(asked, "attr"), INT64_MIN);
    assert_string_equal(node_kit_text(asked, "attr.region"), "north");
    assert_string_equal(node_kit_text(asked, "attr.mood"), "");
    assert_string_equal(node_kit_text(asked, "attr.age"), "");
    char id[64], user[64];
    snprintf(id, sizeof id, "%s", node_kit_text(asked, "id"));
    snprintf(user, sizeof user, "%s", node_kit_text(asked, "user.id"));
    assert_int_equal(strlen(id), 32);
    assert_int_equal(strlen(user), 16);
    // The rival knows the same contact and customer by other names, and is shown nothing.
    asked = last_request(&rival);
    assert_int_equal(node_kit_integer(asked, "imp"), 1);  // its message teaches nothing
    assert_string_not_equal(node_kit_text(asked, "id"), id);
    assert_string_not_equal(node_kit_text(asked, "user.id"), user);
    assert_string_equal(node_kit_text(asked, "attr.region"), "");
    struct wire_reader result = receive(shop);
    assert_int_equal(node_kit_integer(result, "placements"), 0);
    // The same customer again: the same name. Without consent to sharing: no name, no attributes.
    send_contact(shop, "asked-2", true, false);
    serve(&tea, 2, 0);
    serve(&rival, 2, 0);
    assert_string_equal(node_kit_text(last_request(&tea), "user.id"), user);
    assert_string_not_equal(node_kit_text(last_request(&tea), "id"), id);
    (void)receive(shop);
    send_contact(shop, "asked-3", false, false);
    serve(&tea, 3, 0);
    serve(&rival, 3, 0);
    struct wire_reader at;
    assert_false(node_kit_find(last_request(&tea), "user", &at));
    assert_false(node_kit_find(last_request(&tea), "attr", &at));
    (void)receive(shop);
    client_close(tea.client);
    client_close(rival.client);
    client_close(shop);
}

static void
one_auction_for_standing_and_live_bids(void **state)
{
    (void)state;
    struct bidder tea, rival;
    struct wire_reader result;
    struct client *shop = node_kit_client(&kit, "shop"), *quiet = node_kit_client(&kit, "quiet");
    struct pack *pack = client_request(quiet, "bid.put", 4);
    pack_pair_string(pack, "id", "m-1");
    pack_pair_string(pack, "message", "quiet.milk");
    pack_pair_integer(pack, "price_micros", 500000);
    pack_pair_string(pack, "cur", "EUR");
    assert_null(node_kit_call(quiet, &result));
    subscribe(&tea, "tea", true);
    subscribe(&rival, "rival", true);
    bids(&tea, "1", "tea.green", 900000);
    bids(&rival, "1", "rival.mate", 700000);
    send_contact(shop, "one-1", true, false);
    serve(&tea, 1, 0);
    serve(&rival, 1, 0);
    result = receive(shop);
    assert_int_equal(node_kit_integer(result, "placements"), 1);
    assert_string_equal(node_kit_text(result, "placements.0.message"), "tea.green");
    assert_string_equal(node_kit_text(result, "placements.0.kind"), "placement");
    assert_int_equal(node_kit_integer(result, "placements.0.price_micros"), 700000);
    char placement[64], bid[64];
    snprintf(placement, sizeof placement, "%s", node_kit_text(result, "placements.0.placement"));
    snprintf(bid, sizeof bid, "%s", node_kit_text(result, "placements.0.bid"));
    // Each is told its own side.
    serve(&tea, 1, 1);
    assert_string_equal(node_kit_text(notice(&tea, 0), "event"), "win");
    char named[64];  // by the seat's own name of it
    snprintf(named, sizeof named, "%s", node_kit_text(notice(&tea, 0), "placement"));
    assert_int_equal(strlen(named), 32);
    assert_string_not_equal(named, placement);
    assert_string_equal(node_kit_text(notice(&tea, 0), "bid"), bid);
    assert_string_equal(node_kit_text(notice(&tea, 0), "tagid"), "page.top");
    assert_int_equal(node_kit_integer(notice(&tea, 0), "price_micros"), 700000);
    assert_string_equal(node_kit_text(notice(&tea, 0), "auction"),
                        node_kit_text(last_request(&tea), "id"));
    serve(&rival, 1, 1);
    assert_string_equal(node_kit_text(notice(&rival, 0), "event"), "loss");
    assert_string_equal(node_kit_text(notice(&rival, 0), "reason"), "outbid");
    assert_int_equal(node_kit_integer(notice(&rival, 0), "code"), 102);
    assert_int_equal(node_kit_integer(notice(&rival, 0), "min_to_win_micros"), 700000);
    assert_string_equal(node_kit_text(notice(&rival, 0), "placement"), "");
    // A retry is told the same, nobody is asked again or told again; delivery is what is billed.
    send_contact(shop, "one-1", true, false);
    result = receive(shop);
    assert_int_equal(node_kit_integer(result, "repeated"), 1);
    assert_string_equal(node_kit_text(result, "placements.0.placement"), placement);
    pack = client_request(shop, "event", 2);
    pack_pair_string(pack, "placement", placement);
    pack_pair_string(pack, "event", "delivered");
    assert_null(node_kit_call(shop, &result));
    serve(&tea, 1, 2);
    assert_string_equal(node_kit_text(notice(&tea, 1), "event"), "billing");
    assert_string_equal(node_kit_text(notice(&tea, 1), "placement"), named);
    assert_int_equal(node_kit_integer(notice(&tea, 1), "price_micros"), 700000);
    // A test sells nothing, and nobody is told anything.
    send_contact(shop, "one-2", true, true);
    serve(&tea, 2, 2);
    serve(&rival, 2, 1);
    assert_int_equal(node_kit_integer(last_request(&tea), "test"), 1);
    result = receive(shop);
    assert_int_equal(node_kit_integer(result, "test"), 1);
    assert_int_equal(node_kit_integer(result, "placements"), 1);
    // The standing bid wins against live ones in the same way.
    pack = client_request(quiet, "bid.put", 4);
    pack_pair_string(pack, "id", "m-1");
    pack_pair_string(pack, "message", "quiet.milk");
    pack_pair_integer(pack, "price_micros", 2000000);
    pack_pair_string(pack, "cur", "EUR");
    assert_null(node_kit_call(quiet, &result));
    send_contact(shop, "one-3", true, false);
    serve(&tea, 3, 2);
    serve(&rival, 3, 1);
    result = receive(shop);
    assert_string_equal(node_kit_text(result, "placements.0.message"), "quiet.milk");
    assert_int_equal(node_kit_integer(result, "placements.0.price_micros"), 900000);
    serve(&tea, 3, 3);
    assert_int_equal(node_kit_integer(notice(&tea, 2), "min_to_win_micros"), 900000);
    pack = client_request(quiet, "bid.withdraw", 1);
    pack_pair_string(pack, "id", "m-1");
    assert_null(node_kit_call(quiet, &result));
    client_close(tea.client);
    client_close(rival.client);
    client_close(quiet);
    client_close(shop);
}

static void
send_event(struct client *client, const char *placement, const char *event)
{
    struct wire_reader result;
    struct pack *pack = client_request(client, "event", 2);
    pack_pair_string(pack, "placement", placement);
    pack_pair_string(pack, "event", event);
    assert_null(node_kit_call(client, &result));
}

// Paid when the customer says yes, and told so then.
static void
a_price_per_response(void **state)
{
    (void)state;
    struct bidder tea, rival;
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    subscribe(&rival, "rival", true);
    bids(&tea, "1", "tea.green", 900000);
    bids(&rival, "1", "rival.mate", 90000000);
    rival.offers[0].kind = "response";
    send_contact(shop, "response-1", true, false);
    serve(&tea, 1, 0);
    serve(&rival, 1, 0);
    struct wire_reader result = receive(shop);
    assert_string_equal(node_kit_text(result, "placements.0.message"), "rival.mate");
    assert_string_equal(node_kit_text(result, "placements.0.kind"), "response");
    int64_t price = node_kit_integer(result, "placements.0.price_micros");
    assert_in_range(price, 900000, 90000000);
    char placement[64];
    snprintf(placement, sizeof placement, "%s", node_kit_text(result, "placements.0.placement"));
    serve(&rival, 1, 1);
    assert_string_equal(node_kit_text(notice(&rival, 0), "kind"), "response");
    // The loser learns what it lacked in its own kind: a price of its own would have done.
    serve(&tea, 1, 1);
    assert_true(node_kit_integer(notice(&tea, 0), "min_to_win_micros") >= 900000);
    send_event(shop, placement, "delivered");
    send_event(shop, placement, "accepted");
    serve(&rival, 1, 2);
    assert_string_equal(node_kit_text(notice(&rival, 1), "event"), "billing");
    assert_string_equal(node_kit_text(notice(&rival, 1), "placement"),
                        node_kit_text(notice(&rival, 0), "placement"));
    assert_int_equal(node_kit_integer(notice(&rival, 1), "price_micros"), price);
    client_close(tea.client);
    client_close(rival.client);
    client_close(shop);
}

static void
report_order(struct client *client, const char *placement, const char *event, const char *order)
{
    struct wire_reader result;
    struct pack *pack = client_request(client, "event", 5);
    pack_pair_string(pack, "placement", placement);
    pack_pair_string(pack, "event", event);
    pack_pair_string(pack, "order", order);
    pack_pair_integer(pack, "amount_micros", 5000000);
    pack_pair_string(pack, "cur", "EUR");
    assert_null(node_kit_call(client, &result));
}

// A contract that charges at the conversion: told when the first order comes, and only then. A slot
// with a second's window: what is shown later is refused, counted, and told to its seat.
static void
due_at_the_conversion_and_shown_late(void **state)
{
    (void)state;
    static const char contract[] = "  tea.1: {seat: tea, from: 2020-01-01}\n",
                      window[] = "side: {floor: 0.10, rungs: [6-8], objectives: [educate], "
                                 "deliver_within: 20m}";
    char text[4096], placement[64], side[64];
    struct bidder tea;
    struct wire_reader result;
    snprintf(text, sizeof text, market_format, "clearing");
    char *at = strstr(text, contract), *slot = strstr(text, window);
    assert_true(at != NULL && slot != NULL);
    memcpy(slot + sizeof window - 1 - 4, "1s} ", 4);
    snprintf(at, sizeof text - (size_t)(at - text),
             "  tea.1: {seat: tea, from: 2020-01-01, charge: conversion}\n"
             "  rival.1: {seat: rival, from: 2020-01-01}\n");
    node_kit_publish(&kit, text);
    node_kit_await(&kit, "catalog_version", (int64_t)kit.catalog_version);
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    bids(&tea, "1", "tea.green", 900000);
    tea.offers[1] = (struct offer){.imp = "2", .message = "tea.guide", .price = 800000};
    tea.offer_count = 2;
    send_contact(shop, "conversion-1", true, false);
    serve(&tea, 1, 0);
    result = receive(shop);
    snprintf(placement, sizeof placement, "%s", node_kit_text(result, "placements.0.placement"));
    snprintf(side, sizeof side, "%s", node_kit_text(result, "placements.1.placement"));
    serve(&tea, 1, 2);
    send_event(shop, placement, "delivered");
    send_event(shop, placement, "accepted");
    report_order(shop, placement, "converted", "A");
    report_order(shop, placement, "converted", "B");
    serve(&tea, 1, 3);
    assert_string_equal(node_kit_text(notice(&tea, 2), "event"), "billing");
    assert_int_equal(node_kit_integer(notice(&tea, 2), "price_micros"), 200000);
    int64_t late = node_kit_await(&kit, "late", 0);
    node_kit_await(&kit, "expired", 1);
    struct pack *pack = client_request(shop, "event", 2);
    pack_pair_string(pack, "placement", side);
    pack_pair_string(pack, "event", "delivered");
    assert_string_equal(node_kit_call(shop, &result), "late");
    serve(&tea, 1, 4);
    assert_string_equal(node_kit_text(notice(&tea, 3), "event"), "late");
    assert_string_equal(node_kit_text(notice(&tea, 3), "placement"),
                        node_kit_text(notice(&tea, 1), "placement"));
    node_kit_await(&kit, "late", late + 1);
    client_close(tea.client);
    client_close(shop);
    publish("clearing");
    node_kit_await(&kit, "catalog_version", (int64_t)kit.catalog_version);
}

// Each bad bid is refused by name, and the good one in the same answer wins.
static void
bad_bids_do_not_spoil_good_ones(void **state)
{
    (void)state;
    static const struct {
        struct offer offer;
        const char *reason, *field;
    } cases[] = {
        {{.imp = "1", .message = "tea.green", .as_float = true}, "wrong_type", "price_micros"},
        {{.imp = "1", .message = "tea.green", .as_text = true}, "wrong_type", "price_micros"},
        {{.imp = "1", .message = "tea.green", .price = -5}, "out_of_range", "price_micros"},
        {{.imp = "1", .message = "tea.green", .price = 0}, "out_of_range", "price_micros"},
        {{.imp = "1", .message = "tea.green", .price = INT64_MAX}, "out_of_range", "price_micros"},
        {{.imp = "1", .message = "tea.green", .price = 5, .currency = "USD"}, "currency", "cur"},
        {{.imp = "3", .message = "tea.green", .price = 5}, "unknown_slot", "impid"},
        {{.imp = "01", .message = "tea.green", .price = 5}, "unknown_slot", "impid"},
        {{.imp = "1", .message = "tea.black", .price = 5}, "unknown_message", "message"},
        {{.imp = "1", .message = "rival.mate", .price = 5}, "not_yours", "message"},
        {{.imp = "1", .message = "tea.green", .price = 5, .kind = "thousand"},
         "out_of_range",
         "kind"},
        {{.imp = "1", .message = "tea.green", .price = 2000000, .kind = "share"},
         "out_of_range",
         "share_ppm"},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct bidder tea;
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    tea.manner = MANNER_BIDS;
    for (unsigned i = 0; i < CASES; i++) tea.offers[i] = cases[i].offer;
    tea.offers[CASES] = (struct offer){.imp = "1", .message = "tea.green", .price = 600000};
    tea.offers[CASES + 1] = (struct offer){.imp = "1", .message = "tea.green", .price = 800000};
    tea.offer_count = CASES + 2;
    send_contact(shop, "bad-1", true, false);
    serve(&tea, 1, 0);
    struct wire_reader result = receive(shop);
    assert_int_equal(node_kit_integer(result, "placements"), 1);
    assert_string_equal(node_kit_text(result, "placements.0.message"), "tea.green");
    assert_int_equal(node_kit_integer(result, "placements.0.price_micros"), 200000);
    serve(&tea, 1, CASES + 2);
    for (unsigned i = 0; i < CASES; i++) {
        char field[64];
        struct wire_reader told = notice(&tea, i);
        assert_string_equal(node_kit_text(told, "event"), "error");
        assert_int_equal(node_kit_integer(told, "number"), i);
        assert_int_equal(node_kit_integer(told, "answer"), tea.last_id);
        if (strcmp(node_kit_text(told, "reason"), cases[i].reason) != 0)
            fail_msg("%u: %s: %s", i, node_kit_text(told, "reason"), node_kit_text(told, "text"));
        snprintf(field, sizeof field, "%s", node_kit_text(told, "field"));
        assert_true(strstr(field, cases[i].field) != NULL);
    }
    assert_string_equal(node_kit_text(notice(&tea, CASES), "reason"), "duplicate");
    assert_string_equal(node_kit_text(notice(&tea, CASES + 1), "event"), "win");
    // More bids than an answer may hold: those behind are refused, and it is said so.
    for (unsigned i = 0; i < 26; i++)
        tea.offers[i] = (struct offer){.imp = "9", .message = "tea.green", .price = 5};
    tea.offers[0] = (struct offer){.imp = "1", .message = "tea.green", .price = 600000};
    tea.offer_count = 26;
    unsigned told = tea.told;
    send_contact(shop, "bad-2", true, false);
    serve(&tea, 2, told);
    assert_int_equal(node_kit_integer(receive(shop), "placements"), 1);
    serve(&tea, 2, told + 23 + 1 + 1);
    assert_string_equal(node_kit_text(notice(&tea, told + 23), "reason"), "over_limit");
    assert_int_equal(state_of(&tea, "over_limit"), 1);
    client_close(tea.client);
    client_close(shop);
}

static void
silence_and_nonsense_have_names(void **state)
{
    (void)state;
    struct bidder tea, rival;
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    subscribe(&rival, "rival", true);
    int64_t malformed = state_of(&rival, "malformed"), missing = state_of(&rival, "missing"),
            late = state_of(&rival, "late"), no_bid = state_of(&rival, "answered_no_bid");
    bids(&tea, "1", "tea.green", 900000);
    rival.manner = MANNER_GARBAGE;
    send_contact(shop, "mad-1", true, false);
    serve(&tea, 1, 0);
    serve(&rival, 1, 0);
    assert_string_equal(node_kit_text(receive(shop), "placements.0.message"), "tea.green");
    serve(&rival, 1, 1);
    assert_string_equal(node_kit_text(notice(&rival, 0), "reason"), "wrong_type");
    assert_int_equal(state_of(&rival, "malformed"), malformed + 1);
    rival.manner = MANNER_ERROR;
    send_contact(shop, "mad-2", true, false);
    serve(&tea, 2, 1);
    serve(&rival, 2, 1);
    (void)receive(shop);
    assert_int_equal(state_of(&rival, "malformed"), malformed + 2);
    rival.manner = MANNER_NOTHING;
    send_contact(shop, "mad-3", true, false);
    serve(&tea, 3, 2);
    serve(&rival, 3, 1);
    (void)receive(shop);
    assert_int_equal(state_of(&rival, "answered_no_bid"), no_bid + 1);
    // Hangs: the contact is decided without it; what it says afterwards is late.
    rival.manner = MANNER_HANGS;
    send_contact(shop, "mad-4", true, false);
    serve(&tea, 4, 3);
    serve(&rival, 4, 1);
    assert_string_equal(node_kit_text(receive(shop), "placements.0.message"), "tea.green");
    assert_int_equal(state_of(&rival, "missing"), missing + 1);
    bids(&rival, "1", "rival.mate", 5000000);
    answer(&rival, rival.last_id, last_request(&rival));
    serve(&rival, 4, 2);
    assert_string_equal(node_kit_text(notice(&rival, 1), "reason"), "after_deadline");
    assert_int_equal(state_of(&rival, "missing"), missing);
    assert_int_equal(state_of(&rival, "late"), late + 1);
    // Goes while it is asked: nobody waits for it any longer.
    rival.manner = MANNER_HANGS;
    send_contact(shop, "mad-5", true, false);
    serve(&tea, 5, 4);
    serve(&rival, 5, 2);
    client_close(rival.client);
    assert_string_equal(node_kit_text(receive(shop), "placements.0.message"), "tea.green");
    // An answer to nothing ends the connection.
    struct client_error error;
    serve(&tea, 5, 5);
    answer(&tea, 77, last_request(&tea));
    assert_int_equal(client_poll(tea.client, 10000, &error), STATUS_DENIED);
    assert_string_equal(error.reason, "malformed");
    client_close(tea.client);
    client_close(shop);
}

// What one bidder was asked another cannot answer, however well it guesses.
static void
from_the_wrong_seat(void **state)
{
    (void)state;
    struct bidder tea, rival;
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    subscribe(&rival, "rival", true);
    tea.manner = rival.manner = MANNER_HANGS;
    send_contact(shop, "wrong-1", true, false);
    serve(&tea, 1, 0);
    serve(&rival, 1, 0);
    bids(&rival, "1", "tea.green", 900000);
    answer(&rival, tea.last_id, last_request(&tea));
    serve(&rival, 1, 1);
    assert_string_equal(node_kit_text(notice(&rival, 0), "reason"), "invalid_bid");
    assert_string_equal(node_kit_text(notice(&rival, 0), "auction"), "");
    bids(&tea, "1", "tea.green", 700000);
    answer(&tea, tea.last_id, last_request(&tea));
    serve(&tea, 1, 1);  // decided once the rival's time is over: its own question stays open
    struct wire_reader result = receive(shop);
    assert_string_equal(node_kit_text(result, "placements.0.message"), "tea.green");
    assert_int_equal(node_kit_integer(result, "placements.0.price_micros"), 200000);
    client_close(tea.client);
    client_close(rival.client);
    client_close(shop);
}

static void
retries_join_those_who_wait(void **state)
{
    (void)state;
    struct bidder tea;
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    tea.manner = MANNER_HANGS;
    uint32_t first = send_contact(shop, "join-1", true, false);
    uint32_t again = send_contact(shop, "join-1", true, false);
    uint32_t other = send_contact(shop, "join-1", false, false);
    serve(&tea, 1, 0);
    struct client_answer answered;
    struct client_error error;
    assert_int_equal(client_receive(shop, 10000, &answered, &error), STATUS_OK);
    assert_int_equal(answered.id, other);
    assert_true(answered.refused);
    assert_string_equal(answered.error.reason, "conflict");
    bids(&tea, "1", "tea.green", 900000);
    answer(&tea, tea.last_id, last_request(&tea));
    serve(&tea, 1, 1);
    char placement[64];
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(client_receive(shop, 10000, &answered, &error), STATUS_OK);
        assert_int_equal(answered.id, i == 0 ? first : again);
        assert_int_equal(node_kit_integer(answered.result, "repeated"), i);
        if (i == 0)
            snprintf(placement, sizeof placement, "%s",
                     node_kit_text(answered.result, "placements.0.placement"));
        else
            assert_string_equal(node_kit_text(answered.result, "placements.0.placement"),
                                placement);
    }
    client_close(tea.client);
    client_close(shop);
}

static void
a_catalog_that_comes_meanwhile(void **state)
{
    (void)state;
    struct bidder tea, rival;
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    subscribe(&rival, "rival", true);
    tea.manner = MANNER_HANGS;
    bids(&rival, "1", "rival.mate", 700000);
    send_contact(shop, "new-1", true, false);
    serve(&rival, 1, 0);
    serve(&tea, 1, 0);
    // The rival's answer is with the node once it answers what came behind it.
    assert_true(state_of(&rival, "answered_bids") > 0);
    publish("to_tie");
    node_kit_await(&kit, "catalog_version", (int64_t)kit.catalog_version);
    bids(&tea, "1", "tea.green", 900000);
    answer(&tea, tea.last_id, last_request(&tea));
    serve(&tea, 1, 1);
    struct wire_reader result = receive(shop);
    assert_int_equal(node_kit_integer(result, "catalog"), (int64_t)kit.catalog_version);
    assert_string_equal(node_kit_text(result, "placements.0.message"), "tea.green");
    assert_int_equal(node_kit_integer(result, "placements.0.price_micros"), 700000);
    serve(&rival, 1, 1);
    assert_int_equal(node_kit_integer(notice(&rival, 0), "min_to_win_micros"), 900000);
    // What a loser learns is the new one's as well, to_tie: the winner's bid. Then nothing.
    publish("nothing");
    node_kit_await(&kit, "catalog_version", (int64_t)kit.catalog_version);
    send_contact(shop, "new-2", true, false);
    serve(&tea, 2, 1);
    serve(&rival, 2, 1);
    (void)receive(shop);
    serve(&rival, 2, 2);
    assert_string_equal(node_kit_text(notice(&rival, 1), "reason"), "outbid");
    assert_int_equal(node_kit_integer(notice(&rival, 1), "min_to_win_micros"), INT64_MIN);
    client_close(tea.client);
    client_close(rival.client);
    client_close(shop);
}

static void
groups_stand_and_fall_together(void **state)
{
    (void)state;
    struct bidder tea;
    struct client *shop = node_kit_client(&kit, "shop");
    subscribe(&tea, "tea", true);
    bids(&tea, "1", "tea.green", 900000);
    tea.offers[1] = (struct offer){.imp = "2", .message = "tea.guide", .price = 900000};
    tea.offer_count = 2;
    tea.group = true;
    send_contact(shop, "group-1", true, false);
    serve(&tea, 1, 0);
    assert_int_equal(node_kit_integer(receive(shop), "placements"), 2);
    serve(&tea, 1, 2);
    // One of them below its floor: neither wins.
    tea.offers[1].price = 50000;
    send_contact(shop, "group-2", true, false);
    serve(&tea, 2, 2);
    assert_int_equal(node_kit_integer(receive(shop), "placements"), 0);
    // One of them cannot be taken: the other is not either.
    tea.offers[1].price = -1;
    unsigned told = tea.told;
    send_contact(shop, "group-3", true, false);
    struct client_error error;
    while (tea.asked < 3) assert_int_equal(client_poll(tea.client, 10000, &error), STATUS_OK);
    assert_int_equal(node_kit_integer(receive(shop), "placements"), 0);
    while (strcmp(node_kit_text(notice(&tea, tea.told - 1), "reason"), "group") != 0 ||
           strcmp(node_kit_text(notice(&tea, tea.told - 1), "event"), "error") != 0)
        assert_int_equal(client_poll(tea.client, 10000, &error), STATUS_OK);
    assert_true(tea.told > told);
    client_close(tea.client);
    client_close(shop);
}

static void
who_may_subscribe(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client *quiet = node_kit_client(&kit, "quiet"), *shop = node_kit_client(&kit, "shop");
    struct pack *pack = client_request(quiet, "subscribe", 1);
    pack_pair_boolean(pack, "live", true);
    assert_string_equal(node_kit_call(quiet, &result), "wrong_role");
    pack = client_request(shop, "subscribe", 1);
    pack_pair_boolean(pack, "live", true);
    assert_string_equal(node_kit_call(shop, &result), "wrong_role");
    pack = client_request(quiet, "subscribe", 1);
    pack_pair_boolean(pack, "notices", true);
    assert_null(node_kit_call(quiet, &result));
    client_close(quiet);
    client_close(shop);
}

static int64_t
reasons_of(struct client *client, const char *reason)
{
    struct wire_reader result;
    client_request(client, "reasons", 0);
    assert_null(node_kit_call(client, &result));
    int64_t count = node_kit_integer(result, "days.0.counts");
    for (int64_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "days.0.counts.%d.reason", (int)i);
        if (strcmp(node_kit_text(result, path), reason) != 0) continue;
        snprintf(path, sizeof path, "days.0.counts.%d.count", (int)i);
        return node_kit_integer(result, path);
    }
    return 0;
}

static void
counts_by_reason_survive_a_restart(void **state)
{
    (void)state;
    struct client *rival = node_kit_client(&kit, "rival"), *tea = node_kit_client(&kit, "tea");
    int64_t outbid = reasons_of(rival, "outbid"), won = reasons_of(tea, "won"),
            silent = reasons_of(rival, "no_answer"), invalid = reasons_of(rival, "invalid_bid");
    assert_true(outbid >= 3 && won >= 5 && silent >= 2 && invalid >= 2);
    client_close(rival);
    client_close(tea);
    assert_int_equal(node_kit_stop(&kit, SIGTERM), 0);
    node_kit_start(&kit);
    rival = node_kit_client(&kit, "rival");
    tea = node_kit_client(&kit, "tea");
    assert_int_equal(reasons_of(rival, "outbid"), outbid);
    assert_int_equal(reasons_of(tea, "won"), won);
    assert_int_equal(reasons_of(rival, "no_answer"), silent);
    assert_int_equal(reasons_of(rival, "invalid_bid"), invalid);
    client_close(rival);
    client_close(tea);
}

// One who hangs all the time is soon asked by few contacts only, and asked again once it is well.
static void
the_breaker_opens_and_closes(void **state)
{
    (void)state;
    struct bidder tea;
    struct client *shop = node_kit_client(&kit, "shop");
    struct client_error error;
    char id[40];
    subscribe(&tea, "tea", true);
    tea.manner = MANNER_ERROR;
    for (unsigned i = 0; i < 200; i++) {
        snprintf(id, sizeof id, "break-%u", i);
        send_contact(shop, id, true, false);
        while (client_poll(tea.client, 20, &error) == STATUS_OK) continue;
        (void)receive(shop);
        if (state_of(&tea, "breaker") == 1) break;
    }
    assert_int_equal(state_of(&tea, "breaker"), 1);
    unsigned asked = tea.asked;
    int64_t throttled = state_of(&tea, "throttled");
    for (unsigned i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "passed-%u", i);
        send_contact(shop, id, true, false);
        while (client_poll(tea.client, 20, &error) == STATUS_OK) continue;
        (void)receive(shop);
    }
    assert_int_equal(tea.asked, asked + 1);
    assert_int_equal(state_of(&tea, "throttled"), throttled + 19);
    tea.manner = MANNER_NOTHING;
    for (unsigned i = 0; i < 80 && state_of(&tea, "breaker") == 1; i++) {
        snprintf(id, sizeof id, "well-%u", i);
        send_contact(shop, id, true, false);
        while (client_poll(tea.client, 20, &error) == STATUS_OK) continue;
        (void)receive(shop);
    }
    assert_int_equal(state_of(&tea, "breaker"), 0);
    client_close(tea.client);
    client_close(shop);
}

static int
open_node(void **state)
{
    (void)state;
    node_kit_open(&kit, BUILD_BIN, "live: {tmax: 4000}\n");
    kit.speakers = speakers;
    kit.speaker_count = sizeof speakers / sizeof *speakers;
    publish("clearing");
    node_kit_start(&kit);
    return 0;
}

static int
close_node(void **state)
{
    (void)state;
    node_kit_close(&kit);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_in_their_own_words),
        cmocka_unit_test(one_auction_for_standing_and_live_bids),
        cmocka_unit_test(a_price_per_response),
        cmocka_unit_test(due_at_the_conversion_and_shown_late),
        cmocka_unit_test(bad_bids_do_not_spoil_good_ones),
        cmocka_unit_test(silence_and_nonsense_have_names),
        cmocka_unit_test(from_the_wrong_seat),
        cmocka_unit_test(retries_join_those_who_wait),
        cmocka_unit_test(a_catalog_that_comes_meanwhile),
        cmocka_unit_test(groups_stand_and_fall_together),
        cmocka_unit_test(who_may_subscribe),
        cmocka_unit_test(counts_by_reason_survive_a_restart),
        cmocka_unit_test(the_breaker_opens_and_closes),
    };
    return cmocka_run_group_tests(tests, open_node, close_node);
}
