// tls.c: files that cannot be used, versions, certificates on both sides, and that nothing is
// resumed.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../partners/tls.h"
#include "authority.h"

static struct authority *authority;
static struct digest shop;

static int
setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    authority = authority_open();
    authority_issue(authority, "server", AUTHORITY_SERVER);
    shop = authority_issue(authority, "shop", AUTHORITY_CLIENT);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    authority_close(authority);
    return 0;
}

static void
write_file(const char *name, const char *text)
{
    FILE *file = fopen(authority_path(authority, name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
expect_refused(const char *ca, const char *certificate, const char *key, const char *named)
{
    char text[TLS_TEXT];
    struct tls_context *context;
    assert_int_equal(tls_context_server(authority_path(authority, ca),
                                        authority_path(authority, certificate),
                                        authority_path(authority, key), &context, text),
                     STATUS_INPUT);
    assert_null(context);
    if (strstr(text, named) == NULL) fail_msg("\"%s\" does not name %s", text, named);
}

static void
files_that_cannot_be_used(void **state)
{
    (void)state;
    write_file("empty.pem", "");
    write_file("text.pem", "not a certificate\n");
    write_file("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                             "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjK\n"
                             "-----END ENCRYPTED PRIVATE KEY-----\n");
    expect_refused("none.crt", "server.crt", "server.key", "none.crt");
    expect_refused("empty.pem", "server.crt", "server.key", "empty.pem");
    expect_refused("ca.crt", "none.crt", "server.key",
                   "none.crt: no certificate in PEM form: No such file");
    expect_refused("ca.crt", "text.pem", "server.key", "text.pem");
    expect_refused("ca.crt", "server.crt", "none.key", "none.key");
    expect_refused("ca.crt", "server.crt", "locked.key", "locked.key");
    expect_refused("ca.crt", "server.crt", "shop.key", "shop.key");
}

struct pair {
    struct tls_context *server_context, *client_context;
    struct tls *server, *client;
    int fds[2];
};

static void
pair_open(struct pair *pair, const char *certificate, const char *key, const char *host)
{
    char text[TLS_TEXT];
    assert_int_equal(tls_context_server(authority_path(authority, "ca.crt"),
                                        authority_path(authority, "server.crt"),
                                        authority_path(authority, "server.key"),
                                        &pair->server_context, text),
                     STATUS_OK);
    assert_int_equal(tls_context_client(authority_path(authority, "ca.crt"),
                                        authority_path(authority, certificate),
                                        authority_path(authority, key), &pair->client_context,
                                        text),
                     STATUS_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fds), 0);
    pair->server = tls_open(pair->server_context, pair->fds[0], NULL);
    pair->client = tls_open(pair->client_context, pair->fds[1], host);
    assert_non_null(pair->server);
    assert_non_null(pair->client);
}

static void
pair_close(struct pair *pair)
{
    tls_close(pair->server), tls_close(pair->client);
    tls_context_close(pair->server_context), tls_context_close(pair->client_context);
    close(pair->fds[0]), close(pair->fds[1]);
}

// Turn by turn; what each side ends with.
static void
shake_hands(struct pair *pair, enum status *out_server, enum status *out_client)
{
    *out_server = *out_client = STATUS_AGAIN;
    for (unsigned turn = 0; turn < 10; turn++) {
        if (*out_client == STATUS_AGAIN) *out_client = tls_handshake(pair->client);
        if (*out_server == STATUS_AGAIN) *out_server = tls_handshake(pair->server);
    }
}

static void
both_sides_are_known(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost", "::1"};
    for (size_t i = 0; i < 3; i++) {
        struct pair pair;
        enum status server, client;
        struct digest fingerprint;
        char data[20];
        size_t count;
        pair_open(&pair, "shop.crt", "shop.key", hosts[i]);
        shake_hands(&pair, &server, &client);
        assert_int_equal(server, STATUS_OK);
        assert_int_equal(client, STATUS_OK);
        assert_true(tls_fingerprint(pair.server, &fingerprint));
        assert_true(digest_same(fingerprint, shop));
        assert_int_equal(tls_read(pair.server, data, sizeof data, &count), STATUS_AGAIN);
        assert_false(tls_wants_write(pair.server));
        assert_int_equal(tls_write(pair.client, "hello", 5, &count), STATUS_OK);
        assert_int_equal(tls_read(pair.server, data, 2, &count), STATUS_OK);
        assert_int_equal(count, 2);
        assert_true(tls_pending(pair.server));
        assert_int_equal(tls_read(pair.server, data, sizeof data, &count), STATUS_OK);
        assert_int_equal(count, 3);
        assert_false(tls_pending(pair.server));
        // Either side may end; the other can still speak.
        tls_goodbye(pair.client);
        assert_int_equal(tls_read(pair.server, data, sizeof data, &count), STATUS_CLOSED);
        assert_int_equal(tls_write(pair.server, "bye", 3, &count), STATUS_OK);
        assert_int_equal(tls_read(pair.client, data, sizeof data, &count), STATUS_OK);
        pair_close(&pair);
    }
}

static void
a_broken_connection_is_not_an_end(void **state)
{
    (void)state;
    struct pair pair;
    enum status server, client;
    char data[20];
    size_t count;
    pair_open(&pair, "shop.crt", "shop.key", "localhost");
    shake_hands(&pair, &server, &client);
    shutdown(pair.fds[1], SHUT_WR);
    assert_int_equal(tls_read(pair.server, data, sizeof data, &count), STATUS_IO);
    assert_non_null(strstr(tls_trouble(pair.server), "broke off"));
    tls_goodbye(pair.server);  // does nothing, harmlessly
    pair_close(&pair);
}

static void
the_wrong_host(void **state)
{
    (void)state;
    static const char *const hosts[] = {"10.0.0.1", "example.com"};
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        enum status server, client;
        pair_open(&pair, "shop.crt", "shop.key", hosts[i]);
        shake_hands(&pair, &server, &client);
        assert_int_equal(client, STATUS_DENIED);
        assert_non_null(strstr(tls_trouble(pair.client), "mismatch"));
        assert_int_equal(server, STATUS_DENIED);
        pair_close(&pair);
    }
}

// A server's certificate cannot speak as a client, a client's not as a server.
static void
certificates_have_one_use(void **state)
{
    (void)state;
    struct pair pair;
    enum status server, client;
    pair_open(&pair, "server.crt", "server.key", "localhost");
    shake_hands(&pair, &server, &client);
    assert_int_equal(server, STATUS_DENIED);
    assert_non_null(strstr(tls_trouble(pair.server), "purpose"));
    pair_close(&pair);
}

// What a plain OpenSSL client offers, against our server; answers the protocol's version or 0.
static int
offer(int version_most, bool with_certificate, enum status *out_server, bool *out_ticket)
{
    struct pair pair;
    pair_open(&pair, "shop.crt", "shop.key", "localhost");
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, version_most);
    if (with_certificate) {
        assert_int_equal(
            SSL_CTX_use_certificate_chain_file(context, authority_path(authority, "shop.crt")), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(context, authority_path(authority, "shop.key"),
                                                     SSL_FILETYPE_PEM),
                         1);
    }
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, pair.fds[1]);
    SSL_set_connect_state(ssl);
    *out_server = STATUS_AGAIN;
    int done = 0;
    for (unsigned turn = 0; turn < 10; turn++) {
        if (done != 1) done = SSL_do_handshake(ssl);
        if (*out_server == STATUS_AGAIN) *out_server = tls_handshake(pair.server);
    }
    char byte;
    if (done == 1) (void)SSL_read(ssl, &byte, 1);  // tickets would come here
    SSL_SESSION *session = SSL_get1_session(ssl);
    *out_ticket = session != NULL && SSL_SESSION_has_ticket(session) == 1;
    SSL_SESSION_free(session);
    int version = done == 1 ? SSL_version(ssl) : 0;
    SSL_free(ssl);
    SSL_CTX_free(context);
    pair_close(&pair);
    return version;
}

static void
only_tls_1_3_with_a_certificate_and_no_tickets(void **state)
{
    (void)state;
    enum status server;
    bool ticket;
    assert_int_equal(offer(TLS1_3_VERSION, true, &server, &ticket), TLS1_3_VERSION);
    assert_int_equal(server, STATUS_OK);
    assert_false(ticket);
    assert_int_equal(offer(TLS1_2_VERSION, true, &server, &ticket), 0);
    assert_int_equal(server, STATUS_DENIED);
    (void)offer(TLS1_3_VERSION, false, &server, &ticket);
    assert_int_equal(server, STATUS_DENIED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_cannot_be_used),
        cmocka_unit_test(both_sides_are_known),
        cmocka_unit_test(a_broken_connection_is_not_an_end),
        cmocka_unit_test(the_wrong_host),
        cmocka_unit_test(certificates_have_one_use),
        cmocka_unit_test(only_tls_1_3_with_a_certificate_and_no_tickets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
