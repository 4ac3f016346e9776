// One hundred live bidders of which thirty never answer: every contact is decided among the others,
// each silence has its name, and soon nobody waits for it. Outcomes and reasons only; how long it
// takes is bench/live.c's to say.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../engine/breaker.h"
#include "node_kit.h"

#define BIDDERS 100
#define HANGING 30
#define TOGETHER BREAKER_LEAST  // contacts that wait at once: so many failures open a breaker
#define AFTERWARDS 5

static struct node_kit kit;
static char names[BIDDERS + 1][8];
static const char *speakers[BIDDERS + 1];
static struct bidder {
    struct client *client;
    unsigned number, asked;
} bidders[BIDDERS + 1];

static void
publish(void)
{
    size_t room = 64 * 1024, len = 0;
    char *text = malloc(room);
    assert_non_null(text);
#define ADD(...) len += (size_t)snprintf(text + len, room - len, __VA_ARGS__)
    ADD("market: {code: test, currency: EUR, channels: [web], stages: [shop]}\n"
        "touchpoints:\n  shop: {}\n"
        "seats:\n  sales: {kind: department}\n");
    for (unsigned i = 1; i <= BIDDERS; i++) ADD("  %s: {kind: partner, live: true}\n", names[i]);
    ADD("containers:\n  page:\n    stage: shop\n    channel: web\n    owner: sales\n    slots:\n"
        "      top: {floor: 0.10, rungs: [6-8], objectives: [cross_sell], deliver_within: 20m}\n"
        "messages:\n");
    for (unsigned i = 1; i <= BIDDERS; i++)
        ADD("  %s.m: {seat: %s, rung: 8, objectives: cross_sell, format: text, content: c}\n",
            names[i], names[i]);
    ADD("contracts:\n");
    for (unsigned i = 1; i <= BIDDERS; i++)
        ADD("  %s.1: {seat: %s, from: 2020-01-01}\n", names[i], names[i]);
#undef ADD
    assert_true(len < room);
    node_kit_publish(&kit, text);
    free(text);
}

// Bidders above HANGING bid their number in cents.
static void
on_asked(void *context, struct client *client, uint32_t id, struct wire_text method,
         struct wire_reader params)
{
    struct bidder *bidder = context;
    char message[16];
    (void)method;
    (void)params;
    bidder->asked++;
    if (bidder->number <= HANGING) return;
    snprintf(message, sizeof message, "%s.m", names[bidder->number]);
    struct pack *pack = client_reply(client, id);
    pack_map(pack, 1);
    pack_string(pack, "bids");
    pack_array(pack, 1);
    pack_map(pack, 3);
    pack_pair_string(pack, "impid", "1");
    pack_pair_string(pack, "message", message);
    pack_pair_integer(pack, "price_micros", bidder->number * 10000);
    assert_int_equal(client_reply_queue(client), STATUS_OK);
}

static void
send_contact(struct client *shop, unsigned number)
{
    char id[16];
    uint32_t request;
    struct client_error error;
    snprintf(id, sizeof id, "c-%u", number);
    struct pack *pack = client_request(shop, "contact", 3);
    pack_pair_string(pack, "id", id);
    pack_pair_string(pack, "container", "page");
    pack_string(pack, "user");
    pack_map(pack, 2);
    pack_pair_string(pack, "identity", "anonymous");
    pack_string(pack, "consent");
    pack_array(pack, 1);
    pack_string(pack, "third_party");
    assert_int_equal(client_queue(shop, &request), STATUS_OK);
    assert_int_equal(client_flush(shop, &error), STATUS_OK);
}

// Until each of these bidders was asked so often in all.
static void
serve(unsigned first, unsigned asked)
{
    struct client_error error;
    for (unsigned i = first; i <= BIDDERS; i++)
        while (bidders[i].asked < asked)
            assert_int_equal(client_poll(bidders[i].client, 20000, &error), STATUS_OK);
}

static void
receive_award(struct client *shop)
{
    struct client_answer answer;
    struct client_error error;
    assert_int_equal(client_receive(shop, 20000, &answer, &error), STATUS_OK);
    assert_false(answer.refused);
    assert_string_equal(node_kit_text(answer.result, "placements.0.seat"), names[BIDDERS]);
    assert_int_equal(node_kit_integer(answer.result, "placements.0.price_micros"),
                     (BIDDERS - 1) * 10000);
}

static int64_t
count_of(struct client *client, const char *reason)
{
    struct wire_reader result;
    char path[64];
    (void)client_request(client, "reasons", 0);
    assert_null(node_kit_call(client, &result));
    for (int i = 0; i < node_kit_integer(result, "days.0.counts"); i++) {
        snprintf(path, sizeof path, "days.0.counts.%d.reason", i);
        if (strcmp(node_kit_text(result, path), reason) != 0) continue;
        snprintf(path, sizeof path, "days.0.counts.%d.count", i);
        return node_kit_integer(result, path);
    }
    return 0;
}

static void
thirty_of_a_hundred_hang(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client *shop = node_kit_client(&kit, "shop");
    for (unsigned i = 1; i <= BIDDERS; i++) {
        bidders[i] = (struct bidder){node_kit_client(&kit, names[i]), i, 0};
        client_listen(bidders[i].client,
                      &(struct client_listener){.context = &bidders[i], .asked = on_asked});
        struct pack *pack = client_request(bidders[i].client, "subscribe", 1);
        pack_pair_boolean(pack, "live", true);
        assert_null(node_kit_call(bidders[i].client, &result));
    }
    for (unsigned i = 0; i < TOGETHER; i++) send_contact(shop, i);
    serve(1, TOGETHER);
    for (unsigned i = 0; i < TOGETHER; i++) receive_award(shop);
    // The breakers of the thirty are open: nobody waits for them.
    for (unsigned i = 0; i < AFTERWARDS; i++) {
        send_contact(shop, TOGETHER + i);
        serve(HANGING + 1, TOGETHER + i + 1);
        receive_award(shop);
    }
    for (unsigned i = 1; i <= BIDDERS; i++) {
        bool hangs = i <= HANGING;
        struct client *client = bidders[i].client;
        (void)client_request(client, "live.state", 0);
        assert_null(node_kit_call(client, &result));
        assert_string_equal(node_kit_text(result, "breaker"), hangs ? "open" : "closed");
        assert_int_equal(node_kit_integer(result, "missing"), hangs ? TOGETHER : 0);
        assert_int_equal(node_kit_integer(result, "throttled"), hangs ? AFTERWARDS : 0);
        assert_int_equal(node_kit_integer(result, "answered_bids"),
                         hangs ? 0 : TOGETHER + AFTERWARDS);
        assert_int_equal(bidders[i].asked, hangs ? TOGETHER : TOGETHER + AFTERWARDS);
        assert_int_equal(count_of(client, "no_answer"), hangs ? TOGETHER : 0);
        assert_int_equal(count_of(client, "throttled"), hangs ? AFTERWARDS : 0);
        client_close(client);
    }
    client_close(shop);
}

// One place to wait and two contacts: the second is decided at once, without asking.
static void
a_full_pool_asks_nobody(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client_answer answer;
    struct client_error error;
    struct client *shop = node_kit_client(&kit, "shop");
    struct bidder *silent = &bidders[1];
    *silent = (struct bidder){node_kit_client(&kit, names[1]), 1, 0};
    client_listen(silent->client, &(struct client_listener){.context = silent, .asked = on_asked});
    struct pack *pack = client_request(silent->client, "subscribe", 1);
    pack_pair_boolean(pack, "live", true);
    assert_null(node_kit_call(silent->client, &result));
    send_contact(shop, 0);
    while (silent->asked == 0)
        assert_int_equal(client_poll(silent->client, 20000, &error), STATUS_OK);
    send_contact(shop, 1);
    assert_int_equal(client_receive(shop, 20000, &answer, &error), STATUS_OK);
    assert_string_equal(node_kit_text(answer.result, "id"), "c-1");
    assert_int_equal(node_kit_integer(answer.result, "placements"), 0);
    (void)client_request(silent->client, "live.state", 0);
    assert_null(node_kit_call(silent->client, &result));
    assert_int_equal(node_kit_integer(result, "throttled"), 1);
    assert_int_equal(node_kit_integer(result, "in_flight"), 1);
    assert_int_equal(client_receive(shop, 20000, &answer, &error), STATUS_OK);
    assert_string_equal(node_kit_text(answer.result, "id"), "c-0");
    assert_int_equal(silent->asked, 1);
    client_close(silent->client);
    client_close(shop);
}

static int
open_with(const char *settings)
{
    snprintf(names[0], sizeof names[0], "shop");
    for (unsigned i = 0; i <= BIDDERS; i++) {
        if (i > 0) snprintf(names[i], sizeof names[i], "b%03u", i);
        speakers[i] = names[i];
    }
    node_kit_open(&kit, BUILD_BIN, settings);
    kit.speakers = speakers;
    kit.speaker_count = BIDDERS + 1;
    kit.timeout_ms = 20000;
    publish();
    node_kit_start(&kit);
    return 0;
}

static int
open_node(void **state)
{
    (void)state;
    return open_with("live: {tmax: 5000}\n");
}

static int
open_small_node(void **state)
{
    (void)state;
    return open_with("live: {tmax: 3000, waiting: 1}\n");
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
        cmocka_unit_test_setup_teardown(thirty_of_a_hundred_hang, open_node, close_node),
        cmocka_unit_test_setup_teardown(a_full_pool_asks_nobody, open_small_node, close_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
