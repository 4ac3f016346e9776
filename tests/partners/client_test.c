// The client library against a real listener, and against servers that no listener of ours would
// be.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../partners/sessions.h"
#include "server.h"

static struct client_answer answer;
static struct client_error error;

static void
calls_and_refusals(void **state)
{
    struct client *client = server_client(*state);
    int64_t number;
    for (unsigned i = 1; i <= 12; i++) {
        pack_pair_integer(client_request(client, "count", 1), "n", i);
        enum status status = client_call(client, &answer, &error);
        if (i <= 10) {
            assert_int_equal(status, STATUS_OK);
            assert_true(wire_integer(&answer.result, 0, 100, &number));
            assert_int_equal(number, i);
        } else {
            assert_int_equal(status, STATUS_INPUT);
            assert_int_equal(error.code, 543);
            assert_string_equal(error.reason, "out_of_range");
            assert_string_equal(error.field, "n");
            assert_non_null(strstr(error.text, "send 1 to 10"));
        }
    }
    (void)client_request(client, "sing", 0);
    assert_int_equal(client_call(client, &answer, &error), STATUS_INPUT);
    assert_string_equal(error.reason, "unknown_method");
    client_close(client);
}

static void
many_under_way(void **state)
{
    struct client *client = server_client(*state);
    enum { WINDOW = 50, ALL = 5000 };
    uint32_t queued = 0, received = 0, id;
    static bool seen[ALL];
    memset(seen, 0, sizeof seen);
    while (received < ALL) {
        while (queued < ALL && client_in_flight(client) < WINDOW) {
            char text[16];
            snprintf(text, sizeof text, "%u", queued);
            pack_pair_string(client_request(client, "echo", 1), "text", text);
            assert_int_equal(client_queue(client, &id), STATUS_OK);
            assert_int_equal(id, queued++);
        }
        assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
        char expected[16];
        struct wire_text text;
        snprintf(expected, sizeof expected, "%u", answer.id);
        assert_false(answer.refused);
        assert_true(wire_text(&answer.result, 1, 15, &text) && wire_same(text, expected));
        assert_true(answer.id < ALL && !seen[answer.id]);
        seen[answer.id] = true;
        received++;
    }
    assert_int_equal(client_in_flight(client), 0);
    client_close(client);
}

static void
small_buffers(struct server *server, void *argument)
{
    (void)argument;
    int bytes = 128 * 1024;  // inherited by the connections that come
    CHECK(setsockopt(server->listener->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
    CHECK(setsockopt(server->listener->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
}

// Both sides full: the client reads while it sends, so neither waits for the other for ever.
static void
much_both_ways(void **state)
{
    server_run(*state, small_buffers, NULL);
    struct client *client = server_client(*state);
    static char text[30000];
    uint32_t id;
    memset(text, 'x', sizeof text - 1);
    enum { ROUNDS = 15, EACH = 30 };  // 13 MB each way, more than the sockets hold
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < EACH; i++) {
            pack_pair_string(client_request(client, "echo", 1), "text", text);
            assert_int_equal(client_queue(client, &id), STATUS_OK);
        }
        assert_int_equal(client_flush(client, &error), STATUS_OK);
    }
    for (unsigned i = 0; i < ROUNDS * EACH; i++) {
        struct wire_text echoed;
        assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
        assert_false(answer.refused);
        assert_true(wire_text(&answer.result, sizeof text - 1, sizeof text - 1, &echoed));
    }
    client_close(client);
}

static void
time_runs_out(void **state)
{
    struct server *server = *state;
    struct client *client = server_client(server);
    uint32_t id;
    (void)client_request(client, "later", 0);
    assert_int_equal(client_queue(client, &id), STATUS_OK);
    // A question without waiting leaves the connection as it is.
    assert_int_equal(client_receive(client, 0, &answer, &error), STATUS_AGAIN);
    assert_true(server_kept(server, 1));
    server_run(server, server_answer_later, NULL);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
    assert_int_equal(answer.id, id);
    (void)client_request(client, "later", 0);
    assert_int_equal(client_queue(client, &id), STATUS_OK);
    assert_int_equal(client_receive(client, 100, &answer, &error), STATUS_AGAIN);
    // After a time-out it is over: what was asked for is unknown.
    (void)client_request(client, "echo", 0);
    assert_int_equal(client_call(client, &answer, &error), STATUS_AGAIN);
    assert_non_null(strstr(error.text, "same reference"));
    client_close(client);
}

static void
requests_too_large(void **state)
{
    struct client *client = server_client(*state);
    static char text[BOUND_MESSAGE_BYTES + 1];
    uint32_t id;
    memset(text, 'x', sizeof text - 1);
    pack_pair_string(client_request(client, "echo", 1), "text", text);
    assert_int_equal(client_call(client, &answer, &error), STATUS_FULL);
    // The queue is bounded too.
    text[60000] = '\0';
    unsigned queued = 0;
    for (;; queued++) {
        pack_pair_string(client_request(client, "echo", 1), "text", text);
        if (client_queue(client, &id) != STATUS_OK) break;
        assert_true(queued < 20);
    }
    assert_int_equal(queued, 17);
    for (unsigned i = 0; i < queued; i++)
        assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
    (void)client_request(client, "echo", 0);
    assert_int_equal(client_call(client, &answer, &error), STATUS_OK);
    client_close(client);
}

static void
nobody_there(void **state)
{
    struct server *server = *state;
    struct client *client;
    struct client_options options = {
        .host = "127.0.0.1",
        .port = 1,
        .ca = authority_path(server->authority, "ca.crt"),
        .certificate = authority_path(server->authority, "shop.crt"),
        .key = authority_path(server->authority, "shop.key"),
    };
    assert_int_equal(client_open(&options, &client, &error), STATUS_IO);
    assert_string_equal(error.text, "127.0.0.1 port 1: Connection refused");
    assert_null(client);
    options.key = "/nonexistent/shop.key";
    assert_int_equal(client_open(&options, &client, &error), STATUS_INPUT);
    assert_non_null(strstr(error.text, "/nonexistent/shop.key"));
    // Somebody who listens and says nothing.
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    options.key = authority_path(server->authority, "shop.key");
    options.port = ntohs(address.sin_port);
    options.timeout_ms = 100;
    assert_int_equal(client_open(&options, &client, &error), STATUS_AGAIN);
    close(fd);
}

// A server of the right certificate that says what it should not: `context` is what it writes.
struct liar {
    struct authority *authority;
    int fd;
    const char *bytes;
    size_t len;
};

static void *
lie(void *context)
{
    struct liar *liar = context;
    struct tls_context *tls_context;
    char text[TLS_TEXT], data[1000];
    size_t count;
    int fd = accept(liar->fd, NULL, NULL);
    CHECK(fd >= 0);
    CHECK(tls_context_server(authority_path(liar->authority, "ca.crt"),
                             authority_path(liar->authority, "server.crt"),
                             authority_path(liar->authority, "server.key"), &tls_context,
                             text) == STATUS_OK);
    struct tls *tls = tls_open(tls_context, fd, NULL);
    CHECK(tls_handshake(tls) == STATUS_OK);
    CHECK(tls_read(tls, data, sizeof data, &count) == STATUS_OK);
    if (liar->len > 0) CHECK(tls_write(tls, liar->bytes, liar->len, &count) == STATUS_OK);
    tls_goodbye(tls);
    tls_close(tls);
    tls_context_close(tls_context);
    close(fd);
    hash_thread_end();
    return NULL;
}

static void
servers_that_lie(void **state)
{
    struct server *server = *state;
    static const struct {
        const char *bytes;
        size_t len;
        enum status status;
    } cases[] = {
        {"\x94\x01\x00\xc0\xc3", 5, STATUS_OK},
        {"\x94\x01\x07\xc0\xc3", 5, STATUS_DAMAGED},  // what was not asked
        {"\x94\x01\x00\x05\xc3", 5, STATUS_DAMAGED},  // an error that is no map
        {"\x93\x01\x00\xc0", 4, STATUS_DAMAGED},
        {"\x94\x00\x00\xa1x\x90", 6, STATUS_DAMAGED},  // a request
        {"\xdd\xff\xff\xff\xff", 5, STATUS_DAMAGED},
        {"hello", 5, STATUS_DAMAGED},
        {"\x94\x01\x00\xc0", 4, STATUS_CLOSED},  // cut
        {"", 0, STATUS_CLOSED},
        {"\x93\x02\xa4tide\x91\x80\x94\x01\x00\xc0\xc3", 14,
         STATUS_OK},  // a notification of a later version
        {"\x93\x02\xa7refused\x91\x81\xa6reason\xa4"
         "busy",
         24, STATUS_DENIED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct liar liar = {server->authority, socket(AF_INET, SOCK_STREAM, 0), cases[i].bytes,
                            cases[i].len};
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof address;
        assert_int_equal(bind(liar.fd, (struct sockaddr *)&address, len), 0);
        assert_int_equal(listen(liar.fd, 1), 0);
        assert_int_equal(getsockname(liar.fd, (struct sockaddr *)&address, &len), 0);
        struct server other = {.authority = server->authority, .port = ntohs(address.sin_port)};
        // The paths are made before the thread makes its own.
        char ca[300], certificate[300], key[300];
        snprintf(ca, sizeof ca, "%s", authority_path(other.authority, "ca.crt"));
        snprintf(certificate, sizeof certificate, "%s",
                 authority_path(other.authority, "shop.crt"));
        snprintf(key, sizeof key, "%s", authority_path(other.authority, "shop.key"));
        struct client_options options = {"localhost", other.port, ca, certificate, key, 0};
        options.host = "127.0.0.1";
        pthread_t thread;
        struct client *client;
        assert_int_equal(pthread_create(&thread, NULL, lie, &liar), 0);
        assert_int_equal(client_open(&options, &client, &error), STATUS_OK);
        (void)client_request(client, "hello", 0);
        enum status status = client_call(client, &answer, &error);
        if (status != cases[i].status)
            fail_msg("case %zu: %s: %s", i, status_text(status), error.text);
        client_close(client);
        assert_int_equal(pthread_join(thread, NULL), 0);
        close(liar.fd);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_and_refusals, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(many_under_way, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(much_both_ways, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(time_runs_out, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(requests_too_large, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(nobody_there, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(servers_that_lie, server_set_up, server_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
