// The listener over real TLS: who is let in, how many, for how long; and changes while it runs.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

#include "server.h"

static struct client_answer answer;
static struct client_error error;

static enum status
ask(struct client *client, const char *text)
{
    pack_pair_string(client_request(client, "echo", 1), "text", text);
    return client_call(client, &answer, &error);
}

static void
known_certificates_are_admitted(void **state)
{
    struct client *client = server_client(*state);
    struct wire_text text;
    assert_int_equal(ask(client, "hello"), STATUS_OK);
    assert_true(wire_text(&answer.result, 0, 100, &text) && wire_same(text, "hello"));
    client_close(client);
    struct listener_counts counts = server_counts(*state);
    assert_int_equal(counts.admitted, 1);
    assert_int_equal(counts.requests, 1);
    assert_int_equal(counts.answers, 1);
}

// A certificate of ours that speaks for nobody, and a revoked one, learn why.
static void
unknown_and_revoked_are_told(void **state)
{
    struct server *server = *state;
    struct client *client;
    authority_issue(server->authority, "nobody", AUTHORITY_CLIENT);
    assert_int_equal(server_dial(server, "nobody", &client, &error), STATUS_OK);
    assert_int_equal(ask(client, "x"), STATUS_DENIED);
    assert_string_equal(error.reason, "unknown_certificate");
    assert_int_equal(error.code, 555);
    // It stays so, without another round trip.
    assert_int_equal(ask(client, "x"), STATUS_DENIED);
    client_close(client);
    assert_int_equal(server_dial(server, "revoked", &client, &error), STATUS_OK);
    assert_int_equal(ask(client, "x"), STATUS_DENIED);
    assert_string_equal(error.reason, "revoked");
    client_close(client);
    assert_int_equal(server_counts(server).requests, 0);
    assert_int_equal(server_counts(server).admitted, 0);
    assert_true(server_comes_to(server, 0));
}

// A client certificate of another authority: TLS itself refuses it. So does the client a server's.
static void
foreign_authorities_are_refused(void **state)
{
    struct server *server = *state;
    struct authority *foreign = authority_open();
    authority_issue(foreign, "shop", AUTHORITY_CLIENT);
    struct client *client = NULL;
    struct client_options options = {
        .host = "127.0.0.1",
        .port = server->port,
        .ca = authority_path(server->authority, "ca.crt"),
        .certificate = authority_path(foreign, "shop.crt"),
        .key = authority_path(foreign, "shop.key"),
    };
    // The handshake of TLS 1.3 ends before the server has looked.
    if (client_open(&options, &client, &error) == STATUS_OK)
        assert_int_equal(ask(client, "x"), STATUS_DENIED);
    assert_string_not_equal(error.text, "");
    client_close(client);
    options.ca = authority_path(foreign, "ca.crt");
    options.certificate = authority_path(server->authority, "shop.crt");
    options.key = authority_path(server->authority, "shop.key");
    assert_int_equal(client_open(&options, &client, &error), STATUS_DENIED);
    assert_null(client);
    assert_non_null(strstr(error.text, "certificate"));
    authority_close(foreign);
    // A server's certificate is no client's.
    assert_int_equal(server_dial(server, "shop", &client, &error), STATUS_OK);
    client_close(client);
    if (server_dial(server, "server", &client, &error) == STATUS_OK)
        assert_int_equal(ask(client, "x"), STATUS_DENIED);
    client_close(client);
    assert_true(server_comes_to(server, 0));
    assert_int_equal(server_counts(server).requests, 0);
}

// No TLS at all, and TLS that never comes: gone when the deadline is.
static void
no_handshake(void **state)
{
    (void)state;
    struct listener_limits limits = listener_limits_default;
    limits.handshake_seconds = 1;
    struct server *server = server_open(&limits);
    int plain = raw_connect(server), silent = raw_connect(server);
    assert_int_equal(write(plain, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_true(server_comes_to(server, 1));
    struct client *client = server_client(server);  // both cost nobody anything
    assert_int_equal(ask(client, "x"), STATUS_OK);
    client_close(client);
    assert_true(server_comes_to(server, 0));
    close(plain);
    close(silent);
    server_close(server);
}

static void
idle_connections_end(void **state)
{
    (void)state;
    struct listener_limits limits = listener_limits_default;
    limits.idle_seconds = 1;
    struct server *server = server_open(&limits);
    struct client *client = server_client(server);
    assert_int_equal(ask(client, "x"), STATUS_OK);
    uint32_t id;
    (void)client_request(client, "later", 0);
    assert_int_equal(client_queue(client, &id), STATUS_OK);
    assert_int_equal(client_flush(client, &error), STATUS_OK);
    usleep(1500 * 1000);
    assert_int_equal(server_counts(server).open, 1);  // something is under way
    server_run(server, server_answer_later, NULL);
    assert_int_equal(client_receive(client, 1000, &answer, &error), STATUS_OK);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_CLOSED);
    client_close(client);
    assert_true(server_comes_to(server, 0));
    server_close(server);
}

// Asks for 60,000 bytes and reads nothing. False: the server no longer reads us.
static bool
ask_for_much(struct server *server, struct raw *raw)
{
    uint8_t bytes[64];
    struct pack pack = {.data = bytes, .room = sizeof bytes};
    uint64_t before = server_counts(server).requests;
    pack_array(&pack, 4), pack_integer(&pack, 0), pack_integer(&pack, 9);
    pack_string(&pack, "large"), pack_array(&pack, 1), pack_map(&pack, 1);
    pack_pair_integer(&pack, "bytes", 60000);
    assert_true(raw_send(raw, pack.data, pack.len));
    for (unsigned i = 0; i < 40; i++) {
        if (server_counts(server).requests > before) return true;
        usleep(5000);
    }
    return false;
}

// A peer that takes no answer is let go after the time allowed, however busily it sends.
static void
who_only_talks_ends(void **state)
{
    (void)state;
    struct listener_limits limits = listener_limits_default;
    limits.stall_seconds = 1;
    struct server *server = server_open(&limits);
    struct raw first = raw_open(server, "shop");
    unsigned asked = 0;
    while (ask_for_much(server, &first)) asked++;
    raw_close(&first);
    assert_true(asked > 4 && server_comes_to(server, 0));
    // One answer fewer than what stops the reading: answers wait, and its bytes are still read.
    struct raw raw = raw_open(server, "shop");
    for (unsigned i = 1; i < asked; i++) assert_true(ask_for_much(server, &raw));
    static const uint8_t text[] = {0xda, 0xff, 0x00};  // a text that goes on and on
    static const uint8_t begin[] = {0x94, 0x00, 0x01};
    assert_true(raw_send(&raw, begin, sizeof begin) && raw_send(&raw, text, sizeof text));
    bool open = true;
    for (unsigned i = 0; i < 40 && open; i++) {
        (void)raw_send(&raw, (const uint8_t *)"x", 1);
        usleep(100000);
        open = server_counts(server).open > 0;
    }
    assert_false(open);
    raw_close(&raw);
    server_close(server);
}

static void
no_more_than_so_many(void **state)
{
    (void)state;
    struct listener_limits limits = listener_limits_default;
    limits.connections = 3;
    struct server *server = server_open(&limits);
    struct client *clients[3], *extra;
    for (unsigned i = 0; i < 3; i++) {
        clients[i] = server_client(server);
        assert_int_equal(ask(clients[i], "x"), STATUS_OK);
    }
    assert_int_not_equal(server_dial(server, "shop", &extra, &error), STATUS_OK);
    client_close(clients[1]);
    assert_true(server_comes_to(server, 2));
    extra = server_client(server);
    assert_int_equal(ask(extra, "x"), STATUS_OK);
    client_close(extra);
    client_close(clients[0]);
    client_close(clients[2]);
    server_close(server);
}

// Out of descriptors: those inside go on, and when there is room again the next are let in.
static void
no_descriptors_left(void **state)
{
    struct server *server = *state;
    struct client *inside = server_client(server);
    assert_int_equal(ask(inside, "x"), STATUS_OK);
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int waiting = raw_connect(server);
    assert_true(server_comes_to(server, 2));
    int next = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), last = dup(next);
    tight = before;
    tight.rlim_cur = (rlim_t)last + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(next, (struct sockaddr *)&address, sizeof address), 0);
    clock_t worked = clock();
    usleep(500 * 1000);
    worked = clock() - worked;
    // It rests instead of asking again and again.
    assert_true(worked < CLOCKS_PER_SEC / 20);
    assert_int_equal(ask(inside, "still"), STATUS_OK);
    assert_int_equal(server_counts(server).open, 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(server_comes_to(server, 3));
    close(next), close(last), close(waiting);
    client_close(inside);
}

static void
many_connections(void **state)
{
    struct server *server = *state;
    enum { MANY = 100 };
    static struct client *clients[MANY];
    for (unsigned i = 0; i < MANY; i++) clients[i] = server_client(server);
    for (unsigned round = 0; round < 3; round++) {
        uint32_t id;
        for (unsigned i = 0; i < MANY; i++) {
            pack_pair_string(client_request(clients[i], "echo", 1), "text", "crowd");
            assert_int_equal(client_queue(clients[i], &id), STATUS_OK);
            assert_int_equal(client_flush(clients[i], &error), STATUS_OK);
        }
        for (unsigned i = 0; i < MANY; i++)
            assert_int_equal(client_receive(clients[i], 5000, &answer, &error), STATUS_OK);
    }
    assert_int_equal(server_counts(server).open, MANY);
    for (unsigned i = 0; i < MANY; i++) client_close(clients[i]);
    assert_true(server_comes_to(server, 0));
    assert_int_equal(server_counts(server).answers, 3 * MANY);
}

static void
revoke_shop(struct server *server, void *argument)
{
    (void)argument;
    server->shop_revoked = true;
    listener_recheck(server->listener);
}

// Revoked while connected: what is under way is answered, then the reason, then the end.
static void
revoked_while_connected(void **state)
{
    struct server *server = *state;
    struct client *client = server_client(server);
    uint32_t id;
    assert_int_equal(ask(client, "x"), STATUS_OK);
    (void)client_request(client, "later", 0);
    assert_int_equal(client_queue(client, &id), STATUS_OK);
    assert_int_equal(client_flush(client, &error), STATUS_OK);
    assert_true(server_kept(server, 1));
    server_run(server, revoke_shop, NULL);
    server_run(server, server_answer_later, NULL);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
    assert_int_equal(answer.id, id);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_DENIED);
    assert_string_equal(error.reason, "revoked");
    client_close(client);
    assert_true(server_comes_to(server, 0));
}

static void
recheck(struct server *server, void *argument)
{
    (void)argument;
    listener_recheck(server->listener);
}

static void
a_recheck_disturbs_nobody(void **state)
{
    struct client *client = server_client(*state);
    assert_int_equal(ask(client, "x"), STATUS_OK);
    server_run(*state, recheck, NULL);
    assert_int_equal(ask(client, "x"), STATUS_OK);
    client_close(client);
}

static void
reload(struct server *server, void *argument)
{
    struct listener_paths paths = server_paths(server);
    struct listener_error why;
    *(enum status *)argument = listener_reload(server->listener, &paths, &why);
    if (*(enum status *)argument != STATUS_OK) assert_non_null(strstr(why.text, "server."));
}

// New certificate: new connections see it, old ones go on. A broken file changes nothing.
static void
certificates_change(void **state)
{
    struct server *server = *state;
    enum status status;
    struct client *old = server_client(server);
    authority_issue(server->authority, "server", AUTHORITY_SERVER);
    server_run(server, reload, &status);
    assert_int_equal(status, STATUS_OK);
    struct client *fresh = server_client(server);
    assert_int_equal(ask(old, "x"), STATUS_OK);
    assert_int_equal(ask(fresh, "x"), STATUS_OK);
    client_close(fresh);
    // The key of another certificate.
    authority_issue(server->authority, "other", AUTHORITY_SERVER);
    assert_int_equal(rename(authority_path(server->authority, "other.key"),
                            authority_path(server->authority, "server.key")),
                     0);
    server_run(server, reload, &status);
    assert_int_equal(status, STATUS_INPUT);
    fresh = server_client(server);
    assert_int_equal(ask(fresh, "x"), STATUS_OK);
    client_close(fresh);
    client_close(old);
}

static void
drain(struct server *server, void *argument)
{
    (void)argument;
    listener_drain(server->listener);
}

static void
is_idle(struct server *server, void *argument)
{
    *(bool *)argument = listener_idle(server->listener);
}

// A clean stop: what is under way is answered, nobody new is let in, and then all is quiet.
static void
draining(void **state)
{
    struct server *server = *state;
    struct client *client = server_client(server), *late;
    uint32_t id;
    bool idle;
    (void)client_request(client, "later", 0);
    assert_int_equal(client_queue(client, &id), STATUS_OK);
    assert_int_equal(client_flush(client, &error), STATUS_OK);
    assert_true(server_kept(server, 1));
    server_run(server, drain, NULL);
    server_run(server, is_idle, &idle);
    assert_false(idle);
    struct client_options options = {
        .host = "127.0.0.1",
        .port = server->port,
        .timeout_ms = 300,
        .ca = authority_path(server->authority, "ca.crt"),
        .certificate = authority_path(server->authority, "shop.crt"),
        .key = authority_path(server->authority, "shop.key"),
    };
    assert_int_equal(client_open(&options, &late, &error), STATUS_AGAIN);
    server_run(server, server_answer_later, NULL);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_CLOSED);
    client_close(client);
    assert_true(server_comes_to(server, 0));
    server_run(server, is_idle, &idle);
    assert_true(idle);
}

static void
addresses_that_cannot_be(void **state)
{
    struct server *server = *state;
    struct listener *listener;
    struct listener_error why;
    struct listener_paths paths = server_paths(server);
    struct listener_events events = {
        .context = server, .identify = server_identify, .request = server_request};
    struct event_base *base = event_base_new();
    assert_int_equal(listener_open(base, "nowhere.invalid", 0, &paths, &listener_limits_default,
                                   &events, &listener, &why),
                     STATUS_INPUT);
    assert_non_null(strstr(why.text, "nowhere.invalid"));
    assert_int_equal(listener_open(base, "127.0.0.1", server->port, &paths,
                                   &listener_limits_default, &events, &listener, &why),
                     STATUS_IO);
    assert_non_null(strstr(why.text, "in use"));
    paths.key = "/nonexistent/server.key";
    assert_int_equal(listener_open(base, "127.0.0.1", 0, &paths, &listener_limits_default, &events,
                                   &listener, &why),
                     STATUS_INPUT);
    assert_non_null(strstr(why.text, "/nonexistent/server.key"));
    assert_null(listener);
    event_base_free(base);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_certificates_are_admitted, server_set_up,
                                        server_tear_down),
        cmocka_unit_test_setup_teardown(unknown_and_revoked_are_told, server_set_up,
                                        server_tear_down),
        cmocka_unit_test_setup_teardown(foreign_authorities_are_refused, server_set_up,
                                        server_tear_down),
        cmocka_unit_test(no_handshake),
        cmocka_unit_test(idle_connections_end),
        cmocka_unit_test(who_only_talks_ends),
        cmocka_unit_test(no_more_than_so_many),
        cmocka_unit_test_setup_teardown(no_descriptors_left, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(many_connections, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(revoked_while_connected, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(a_recheck_disturbs_nobody, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(certificates_change, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(draining, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(addresses_that_cannot_be, server_set_up, server_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
