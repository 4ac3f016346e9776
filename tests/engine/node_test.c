// A real auctiond over real TLS: what touchpoints and seats are promised, also over kill -9.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node_kit.h"

// Two seats bid for one slot of a page; a second slot is of one second only; the floor is %s.
static const char market_format[] =
    "market: {code: test, currency: EUR, channels: [web], stages: [shop]}\n"
    "attributes:\n"
    "  age: {type: integer, of: customer, privacy: host, range: [0, 120]}\n"
    "touchpoints:\n"
    "  shop: {}\n"
    "  kiosk: {}\n"
    "seats:\n"
    "  host_sales: {kind: department}\n"
    "  tea: {kind: partner, budget: 10}\n"
    "  rival: {kind: partner}\n"
    "containers:\n"
    "  page:\n"
    "    stage: shop\n"
    "    channel: web\n"
    "    owner: host_sales\n"
    "    slots:\n"
    "      top: {floor: %s, rungs: [6-8], objectives: [cross_sell], deliver_within: 20m}\n"
    "      flash: {floor: 0.10, rungs: [6-8], objectives: [educate], deliver_within: 1s}\n"
    "messages:\n"
    "  tea.green: {seat: tea, rung: 6, objectives: cross_sell, format: text, content: \"cms:1\"}\n"
    "  tea.guide: {seat: tea, rung: 6, objectives: educate, format: text, content: \"cms:2\"}\n"
    "  rival.mate: {seat: rival, rung: 6, objectives: cross_sell, format: text, content: "
    "\"cms:3\", rule: age >= 18}\n"
    "contracts:\n"
    "  tea.1: {seat: tea, from: 2020-01-01}\n"
    "  rival.1: {seat: rival, from: 2020-01-01}\n";

static struct node_kit kit;

static void
publish(const char *floor)
{
    char text[4096];
    snprintf(text, sizeof text, market_format, floor);
    node_kit_publish(&kit, text);
}

static const char *
put_bid(struct client *client, const char *id, const char *message, int64_t price,
        struct wire_reader *out_result)
{
    struct pack *pack = client_request(client, "bid.put", 4);
    pack_pair_string(pack, "id", id);
    pack_pair_string(pack, "message", message);
    pack_pair_integer(pack, "price_micros", price);
    pack_pair_string(pack, "cur", "EUR");
    return node_kit_call(client, out_result);
}

static const char *
send_contact(struct client *client, const char *id, int64_t age, struct wire_reader *out_result)
{
    struct pack *pack = client_request(client, "contact", 4);
    pack_pair_string(pack, "id", id);
    pack_pair_string(pack, "container", "page");
    pack_string(pack, "user");
    pack_map(pack, 3);
    pack_pair_string(pack, "id", "customer-1");
    pack_pair_string(pack, "identity", "repeat");
    pack_string(pack, "consent");
    pack_array(pack, 1);
    pack_string(pack, "third_party");
    pack_string(pack, "attr");
    pack_map(pack, 1);
    pack_pair_integer(pack, "age", age);
    return node_kit_call(client, out_result);
}

static const char *
send_event(struct client *client, const char *placement, const char *event, int64_t amount)
{
    struct wire_reader result;
    bool revenue = amount > 0;
    struct pack *pack = client_request(client, "event", revenue ? 5 : 2);
    pack_pair_string(pack, "placement", placement);
    pack_pair_string(pack, "event", event);
    if (revenue) {
        pack_pair_string(pack, "order", "order-1");
        pack_pair_integer(pack, "amount_micros", amount);
        pack_pair_string(pack, "cur", "EUR");
    }
    const char *reason = node_kit_call(client, &result);
    if (reason != NULL) return reason;
    return node_kit_integer(result, "repeated") == 1 ? "repeated" : "taken";
}

static void
a_second_price_is_announced_once_and_survives_kill_9(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client *shop = node_kit_client(&kit, "shop"), *tea = node_kit_client(&kit, "tea"),
                  *rival = node_kit_client(&kit, "rival");
    assert_null(put_bid(tea, "b-1", "tea.green", 900000, &result));
    assert_string_equal(node_kit_text(result, "state"), "active");
    assert_null(put_bid(tea, "b-2", "tea.guide", 300000, &result));
    assert_null(put_bid(rival, "b-1", "rival.mate", 700000, &result));
    assert_null(send_contact(shop, "c-1", 40, &result));
    assert_int_equal(node_kit_integer(result, "repeated"), 0);
    assert_string_equal(node_kit_text(result, "placements.0.tagid"), "page.top");
    assert_string_equal(node_kit_text(result, "placements.0.crid"), "cms:1");
    assert_int_equal(node_kit_integer(result, "placements.0.price_micros"),
                     700000);  // the rival's bid
    assert_int_equal(node_kit_integer(result, "placements.1.price_micros"), 100000);  // the floor
    char placement[64];
    snprintf(placement, sizeof placement, "%s", node_kit_text(result, "placements.0.placement"));
    assert_int_equal(strlen(placement), 32);
    client_close(shop);
    client_close(tea);
    client_close(rival);

    assert_int_equal(node_kit_stop(&kit, SIGKILL), 128 + SIGKILL);
    node_kit_start(&kit);
    shop = node_kit_client(&kit, "shop");
    assert_null(send_contact(shop, "c-1", 40, &result));  // the answer got lost, say
    assert_int_equal(node_kit_integer(result, "repeated"), 1);
    assert_string_equal(node_kit_text(result, "placements.0.placement"), placement);
    assert_int_equal(node_kit_integer(result, "placements.0.price_micros"), 700000);
    assert_string_equal(send_contact(shop, "c-1", 41, &result), "conflict");
    assert_string_equal(send_event(shop, placement, "converted", 5000000), "early");
    assert_string_equal(send_event(shop, placement, "delivered", 0), "taken");
    assert_string_equal(send_event(shop, placement, "delivered", 0), "repeated");
    client_close(shop);

    assert_int_equal(node_kit_stop(&kit, SIGTERM), 0);
    node_kit_start(&kit);
    shop = node_kit_client(&kit, "shop");
    assert_string_equal(send_event(shop, placement, "delivered", 0), "repeated");
    assert_string_equal(send_event(shop, placement, "accepted", 0), "taken");
    assert_string_equal(send_event(shop, placement, "declined", 0), "conflict");
    assert_string_equal(send_event(shop, placement, "converted", 5000000), "taken");
    assert_string_equal(send_event(shop, placement, "converted", 5000000), "repeated");
    assert_string_equal(send_event(shop, placement, "converted", 5000001), "conflict");
    client_close(shop);
}

static void
nobody_touches_what_is_anothers(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client *shop = node_kit_client(&kit, "shop"), *kiosk = node_kit_client(&kit, "kiosk"),
                  *tea = node_kit_client(&kit, "tea"), *rival = node_kit_client(&kit, "rival");
    assert_null(send_contact(shop, "c-2", 40, &result));
    char placement[64];
    snprintf(placement, sizeof placement, "%s", node_kit_text(result, "placements.0.placement"));
    assert_string_equal(send_event(kiosk, placement, "delivered", 0), "not_yours");
    assert_string_equal(send_event(tea, placement, "delivered", 0), "wrong_role");
    assert_string_equal(send_event(shop, placement, "delivered", 0), "taken");
    assert_string_equal(send_event(rival, placement, "converted", 1000000), "not_yours");
    assert_string_equal(send_event(shop, "00000000000000000000000000000001", "delivered", 0),
                        "unknown_placement");
    assert_string_equal(put_bid(rival, "b-9", "tea.green", 800000, &result), "not_yours");
    assert_string_equal(put_bid(rival, "b-9", "tea.black", 800000, &result), "unknown_message");
    assert_string_equal(put_bid(shop, "b-9", "tea.green", 800000, &result), "wrong_role");
    assert_string_equal(send_contact(tea, "c-3", 40, &result), "wrong_role");
    // The same id of another touchpoint is another contact.
    assert_null(send_contact(kiosk, "c-2", 40, &result));
    assert_int_equal(node_kit_integer(result, "repeated"), 0);
    client_request(rival, "bid.list", 0);
    assert_null(node_kit_call(rival, &result));
    assert_int_equal(node_kit_integer(result, "bids"), 1);
    assert_string_equal(node_kit_text(result, "bids.0.message"), "rival.mate");
    client_request(rival, "auction.close", 0);
    assert_string_equal(node_kit_call(rival, &result), "unknown_method");
    client_close(shop);
    client_close(kiosk);
    client_close(tea);
    client_close(rival);
}

static void
a_window_that_ended_is_late(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client *shop = node_kit_client(&kit, "shop");
    assert_null(send_contact(shop, "c-4", 40, &result));
    char flash[64];
    snprintf(flash, sizeof flash, "%s", node_kit_text(result, "placements.1.placement"));
    assert_string_equal(node_kit_text(result, "placements.1.tagid"), "page.flash");
    node_kit_await(&kit, "expired", 1);
    struct timespec pause = {1, 300000000};
    nanosleep(&pause, NULL);
    assert_string_equal(send_event(shop, flash, "delivered", 0), "late");
    assert_string_equal(send_event(shop, flash, "cancelled", 0), "already_ended");
    client_close(shop);
}

static void
a_test_contact_leaves_no_trace(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client *shop = node_kit_client(&kit, "shop");
    for (int i = 0; i < 2; i++) {
        struct pack *pack = client_request(shop, "contact", 4);
        pack_pair_string(pack, "id", "c-5");
        pack_pair_string(pack, "container", "page");
        pack_string(pack, "user");
        pack_map(pack, 1);
        pack_pair_string(pack, "identity", "anonymous");
        pack_pair_integer(pack, "test", 1);
        assert_null(node_kit_call(shop, &result));
        assert_int_equal(node_kit_integer(result, "test"), 1);
        assert_int_equal(node_kit_integer(result, "repeated"), 0);
        // Without consent a partner's message is not shown, and the answer says why.
        assert_int_equal(node_kit_integer(result, "placements"), 0);
        assert_string_equal(node_kit_text(result, "unfilled.0.reason"), "no_eligible_bid");
    }
    client_close(shop);
}

static void
a_new_floor_and_a_revocation_take_effect_while_selling(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client *shop = node_kit_client(&kit, "shop"), *rival = node_kit_client(&kit, "rival");
    client_request(rival, "hello", 0);
    assert_null(node_kit_call(rival, &result));
    assert_string_equal(node_kit_text(result, "party"), "rival");
    kit.revoke_rival = true;
    publish("0.85");
    node_kit_await(&kit, "catalog_version", (int64_t)kit.catalog_version);
    assert_null(send_contact(shop, "c-6", 40, &result));
    assert_int_equal(node_kit_integer(result, "catalog"), (int64_t)kit.catalog_version);
    assert_int_equal(node_kit_integer(result, "placements.0.price_micros"), 850000);
    client_request(rival, "hello", 0);
    assert_string_equal(node_kit_call(rival, &result), "revoked");
    client_close(rival);
    client_close(shop);
}

static void
a_withdrawn_bid_no_longer_competes(void **state)
{
    (void)state;
    struct wire_reader result;
    struct client *shop = node_kit_client(&kit, "shop"), *tea = node_kit_client(&kit, "tea");
    struct pack *pack = client_request(tea, "bid.withdraw", 1);
    pack_pair_string(pack, "id", "b-1");
    assert_null(node_kit_call(tea, &result));
    assert_string_equal(node_kit_text(result, "state"), "withdrawn");
    pack = client_request(tea, "bid.withdraw", 1);
    pack_pair_string(pack, "id", "b-77");
    assert_string_equal(node_kit_call(tea, &result), "unknown_bid");
    assert_null(send_contact(shop, "c-7", 40, &result));
    assert_string_equal(node_kit_text(result, "unfilled.0.reason"), "no_eligible_bid");
    client_request(tea, "bid.list", 0);
    assert_null(node_kit_call(tea, &result));
    assert_int_equal(node_kit_integer(result, "bids"), 1);
    client_close(shop);
    client_close(tea);
}

static void
a_seat_reads_its_own_closed_statements(void **state)
{
    (void)state;
    char path[256];
    static const char *const folders[] = {"published/statements", "published/statements/tea",
                                          "published/statements/rival"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", kit.directory, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (int month = 10; month <= 11; month++) {
        snprintf(path, sizeof path, "%s/published/statements/tea/2026-%d.json", kit.directory,
                 month);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        for (int i = 0; i < 5000; i++) fprintf(file, "line %6d\n", i);
        fclose(file);
    }
    struct wire_reader result;
    struct client *tea = node_kit_client(&kit, "tea");
    client_request(tea, "statement.list", 0);
    assert_null(node_kit_call(tea, &result));
    assert_int_equal(node_kit_integer(result, "statements"), 2);
    assert_string_equal(node_kit_text(result, "statements.0.period"), "2026-10");
    assert_int_equal(node_kit_integer(result, "statements.0.files.0.bytes"), 60000);
    int64_t offset = 0, total = 0;
    for (int pieces = 0; offset >= 0 && pieces < 10; pieces++) {
        struct pack *pack = client_request(tea, "statement.get", 3);
        pack_pair_string(pack, "period", "2026-11");
        pack_pair_string(pack, "format", "json");
        pack_pair_integer(pack, "offset", offset);
        assert_null(node_kit_call(tea, &result));
        struct wire_reader at;
        const uint8_t *data;
        uint32_t len;
        assert_true(node_kit_find(result, "data", &at) && wire_bytes(&at, &data, &len));
        total += len;
        int64_t next = node_kit_integer(result, "next");
        offset = next == INT64_MIN ? -1 : next;
    }
    assert_int_equal(total, 60000);
    struct pack *pack = client_request(tea, "statement.get", 2);
    pack_pair_string(pack, "period", "2026-12");
    pack_pair_string(pack, "format", "json");
    assert_string_equal(node_kit_call(tea, &result), "not_found");
    client_close(tea);
}

// A journal without room sells nothing, says so by name, loses nothing, and sells again when there
// is room.
static void
a_journal_without_room_refuses_by_name(void **state)
{
    (void)state;
    struct node_kit full;
    struct wire_reader result;
    char text[4096], id[32];
    if (!node_kit_can_mount()) {
        print_message("this user may not mount a file system, not even in a name space\n");
        skip();
    }
    node_kit_open(&full, BUILD_BIN, NULL);
    full.journal_kib = 4096;
    full.timeout_ms = 1000;
    snprintf(text, sizeof text, market_format, "0.10");
    node_kit_publish(&full, text);
    node_kit_start(&full);
    struct client *shop = node_kit_client(&full, "shop");
    assert_null(send_contact(shop, "before", 40, &result));
    node_kit_fill(&full, true);
    const char *reason = NULL;
    int sent = 0;
    while (reason == NULL && sent < 20000) {
        snprintf(id, sizeof id, "c-%d", sent++);
        reason = send_contact(shop, id, 40, &result);
    }
    // The contact that met the end of room is decided and waits unanswered; from then on a refusal.
    assert_non_null(reason);
    assert_string_not_equal(reason, "journal_full");
    node_kit_await(&full, "port", 1);
    client_close(shop);
    shop = node_kit_client(&full, "shop");
    assert_string_equal(send_contact(shop, "while", 40, &result), "journal_full");
    node_kit_fill(&full, false);
    for (int i = 0; i < 50 && (reason = send_contact(shop, id, 40, &result)) != NULL; i++) {
        assert_string_equal(reason, "journal_full");
        struct timespec pause = {0, 100000000};
        nanosleep(&pause, NULL);
    }
    assert_null(reason);
    assert_int_equal(node_kit_integer(result, "repeated"), 1);  // it was decided once, then
    assert_null(send_contact(shop, "after", 40, &result));
    assert_null(send_contact(shop, "before", 40, &result));
    assert_int_equal(node_kit_integer(result, "repeated"), 1);
    client_close(shop);
    assert_int_equal(node_kit_stop(&full, SIGTERM), 0);
    node_kit_close(&full);
}

static int
open_node(void **state)
{
    (void)state;
    node_kit_open(&kit, BUILD_BIN, NULL);
    publish("0.10");
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
        cmocka_unit_test(a_second_price_is_announced_once_and_survives_kill_9),
        cmocka_unit_test(nobody_touches_what_is_anothers),
        cmocka_unit_test(a_window_that_ended_is_late),
        cmocka_unit_test(a_test_contact_leaves_no_trace),
        cmocka_unit_test(a_new_floor_and_a_revocation_take_effect_while_selling),
        cmocka_unit_test(a_withdrawn_bid_no_longer_competes),
        cmocka_unit_test(a_seat_reads_its_own_closed_statements),
        cmocka_unit_test(a_journal_without_room_refuses_by_name),
    };
    return cmocka_run_group_tests(tests, open_node, close_node);
}
