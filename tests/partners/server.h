// A listener on a thread of its own for the tests of this folder, with certificates made for the
// test, a few methods to ask, and raw TLS for what no well-behaved client sends. Calls that touch
// the listener run on its thread.
#ifndef VENDUE_TEST_SERVER_H
#define VENDUE_TEST_SERVER_H

#include <event2/event.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../partners/tls.h"
#include "authority.h"
#include "client.h"
#include "fail.h"
#include "listener.h"

struct server {
    struct authority *authority;
    struct event_base *base;
    struct event *told;
    struct listener *listener;
    struct listener_limits limits;
    pthread_t thread;
    int tell[2], done[2];  // pipes: commands to the thread, and that they were done
    void (*command)(struct server *server, void *argument);
    void *argument;
    bool stopping;
    uint16_t port;
    struct digest shop, revoked;  // certificates that identify() knows
    bool shop_revoked;
    struct later {  // requests of method "later", unanswered
        struct session_handle session;
        uint32_t id;
    } later[4096];
    unsigned later_count;
    struct answered {  // answers to requests of ours
        uint32_t id;
        bool refused;
        int64_t value;  // an integer, or -1
    } answered[64];
    unsigned answered_count, ended;
};

static inline enum reason
server_identify(void *context, struct digest fingerprint, struct session_peer *out_peer)
{
    struct server *server = context;
    if (digest_same(fingerprint, server->revoked)) return REASON_REVOKED;
    if (!digest_same(fingerprint, server->shop)) return REASON_UNKNOWN_CERTIFICATE;
    if (server->shop_revoked) return REASON_REVOKED;
    *out_peer = (struct session_peer){ROLE_TOUCHPOINT, 7};
    return REASON_NONE;
}

// echo {text} -> text; count {n: 1..10} -> n; large {bytes} -> that many bytes; later {} ->
// answered by command
static inline void
server_request(void *context, const struct session_request *request)
{
    struct server *server = context;
    struct wire_reader reader = request->params;
    struct wire_map map;
    struct wire_text key, text = {"", 0};
    int64_t number = 0;
    CHECK(request->peer.role == ROLE_TOUCHPOINT && request->peer.party == 7);
    if (wire_map_begin(&reader, &map)) {
        while (wire_map_next(&reader, &map, &key)) {
            if (wire_same(key, "text")) (void)wire_text(&reader, 0, BOUND_MESSAGE_BYTES, &text);
            if (wire_same(key, "n")) (void)wire_integer(&reader, 1, 10, &number);
            if (wire_same(key, "bytes"))
                (void)wire_integer(&reader, 0, BOUND_MESSAGE_BYTES, &number);
        }
    }
    if (reader.reason != REASON_NONE) {
        session_reply_trouble(server->listener, request->session, request->id, &reader);
    } else if (wire_same(request->method, "later")) {
        CHECK(server->later_count < sizeof server->later / sizeof *server->later);
        server->later[server->later_count++] = (struct later){request->session, request->id};
    } else if (wire_same(request->method, "echo") || wire_same(request->method, "count") ||
               wire_same(request->method, "large")) {
        static const uint8_t zeros[BOUND_MESSAGE_BYTES];
        struct pack *pack = session_reply_begin(server->listener, request->session, request->id);
        if (wire_same(request->method, "echo")) pack_text(pack, text.data, text.len);
        else if (wire_same(request->method, "count")) pack_integer(pack, number);
        else pack_bytes(pack, zeros, (size_t)number);
        session_reply_end(server->listener);
    } else {
        session_reply_error(server->listener, request->session, request->id, REASON_UNKNOWN_METHOD,
                            NULL, NULL);
    }
}

static inline void
server_answer(void *context, const struct session_answer *answer)
{
    struct server *server = context;
    struct wire_reader value = answer->value;
    struct answered answered = {answer->id, answer->refused, -1};
    CHECK(answer->peer.party == 7);
    if (wire_peek(&value) == WIRE_INTEGER)
        (void)wire_integer(&value, 0, INT32_MAX, &answered.value);
    server->answered[server->answered_count++ % 64] = answered;
}

static inline void
server_ended(void *context, struct session_handle session, struct session_peer peer)
{
    struct server *server = context;
    (void)session;
    server->ended += peer.party == 7;
}

static inline void
server_told(int fd, short what, void *context)
{
    (void)what;
    struct server *server = context;
    char byte;
    CHECK(read(fd, &byte, 1) == 1);
    server->command(server, server->argument);
    // What the command answered leaves before the test goes on.
    if (server->listener != NULL) listener_flush(server->listener);
    CHECK(write(server->done[1], &byte, 1) == 1);
}

static inline void *
server_loop(void *context)
{
    struct server *server = context;
    while (!server->stopping) {
        CHECK(event_base_loop(server->base, EVLOOP_ONCE) >= 0);
        if (server->listener != NULL) listener_flush(server->listener);
    }
    hash_thread_end();
    return NULL;
}

// Runs `command` on the server's thread and waits for its end.
static inline void
server_run(struct server *server, void (*command)(struct server *server, void *argument),
           void *argument)
{
    char byte = 0;
    server->command = command;
    server->argument = argument;
    CHECK(write(server->tell[1], &byte, 1) == 1);
    CHECK(read(server->done[0], &byte, 1) == 1);
}

static inline struct listener_paths
server_paths(struct server *server)
{
    return (struct listener_paths){authority_path(server->authority, "ca.crt"),
                                   authority_path(server->authority, "server.crt"),
                                   authority_path(server->authority, "server.key")};
}

static inline struct server *
server_open(const struct listener_limits *limits)
{
    signal(SIGPIPE, SIG_IGN);
    struct server *server = calloc(1, sizeof *server);
    CHECK(server != NULL && pipe(server->tell) == 0 && pipe(server->done) == 0);
    server->authority = authority_open();
    authority_issue(server->authority, "server", AUTHORITY_SERVER);
    server->shop = authority_issue(server->authority, "shop", AUTHORITY_CLIENT);
    server->revoked = authority_issue(server->authority, "revoked", AUTHORITY_CLIENT);
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    server->base = event_base_new_with_config(config);
    event_config_free(config);
    server->limits = limits != NULL ? *limits : listener_limits_default;
    struct listener_paths paths = server_paths(server);
    struct listener_events events = {
        .context = server,
        .identify = server_identify,
        .request = server_request,
        .answer = server_answer,
        .ended = server_ended,
    };
    struct listener_error error;
    if (listener_open(server->base, "127.0.0.1", 0, &paths, &server->limits, &events,
                      &server->listener, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    server->port = listener_port(server->listener);
    server->told = event_new(server->base, server->tell[0], EV_READ | EV_PERSIST, server_told,
                             server);
    CHECK(event_add(server->told, NULL) == 0);
    CHECK(pthread_create(&server->thread, NULL, server_loop, server) == 0);
    return server;
}

static inline void
server_stop(struct server *server, void *argument)
{
    (void)argument;
    listener_close(server->listener);
    server->listener = NULL;
    server->stopping = true;
}

static inline void
server_close(struct server *server)
{
    server_run(server, server_stop, NULL);
    CHECK(pthread_join(server->thread, NULL) == 0);
    event_free(server->told);
    event_base_free(server->base);
    for (unsigned i = 0; i < 2; i++) close(server->tell[i]), close(server->done[i]);
    authority_close(server->authority);
    free(server);
}

static inline void
server_read_counts(struct server *server, void *argument)
{
    *(struct listener_counts *)argument = listener_counts(server->listener);
}

static inline struct listener_counts
server_counts(struct server *server)
{
    struct listener_counts counts;
    server_run(server, server_read_counts, &counts);
    return counts;
}

// Waits until so many sessions are open, at most five seconds.
static inline bool
server_comes_to(struct server *server, uint32_t open)
{
    for (unsigned i = 0; i < 1000; i++) {
        if (server_counts(server).open == open) return true;
        usleep(5000);
    }
    return false;
}

// Answers all that method "later" kept, with the number of each.
static inline void
server_answer_later(struct server *server, void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < server->later_count; i++) {
        struct later *later = &server->later[i];
        struct pack *pack = session_reply_begin(server->listener, later->session, later->id);
        if (pack == NULL) continue;
        pack_integer(pack, i);
        session_reply_end(server->listener);
    }
    server->later_count = 0;
}

static inline void
server_count_later(struct server *server, void *argument)
{
    *(unsigned *)argument = server->later_count;
}

// Waits until so many requests of "later" have come.
static inline bool
server_kept(struct server *server, unsigned count)
{
    for (unsigned i = 0; i < 1000; i++) {
        unsigned kept;
        server_run(server, server_count_later, &kept);
        if (kept == count) return true;
        usleep(5000);
    }
    return false;
}

// What a test is given, and what becomes of it.
static inline int
server_set_up(void **state)
{
    *state = server_open(NULL);
    return 0;
}

static inline int
server_tear_down(void **state)
{
    server_close(*state);
    return 0;
}

// --- A proper client -----------------------------------------------------------------------------

static inline enum status
server_dial(struct server *server, const char *name, struct client **out_client,
            struct client_error *out_error)
{
    char certificate[64], key[64];
    snprintf(certificate, sizeof certificate, "%s.crt", name);
    snprintf(key, sizeof key, "%s.key", name);
    struct client_options options = {
        .host = "127.0.0.1",
        .port = server->port,
        .ca = authority_path(server->authority, "ca.crt"),
        .certificate = authority_path(server->authority, certificate),
        .key = authority_path(server->authority, key),
    };
    return client_open(&options, out_client, out_error);
}

// The same where nothing else may happen: a refusal fails the test.
static inline struct client *
server_client(struct server *server)
{
    struct client *client;
    struct client_error error;
    if (server_dial(server, "shop", &client, &error) != STATUS_OK) fail_msg("%s", error.text);
    return client;
}

// --- Raw TLS -------------------------------------------------------------------------------------

struct raw {
    struct tls_context *context;
    struct tls *tls;
    int fd;
};

static inline int
raw_connect(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    struct timeval patience = {.tv_sec = 10};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0);
    return fd;
}

static inline struct raw
raw_open(struct server *server, const char *name)
{
    struct raw raw = {.fd = raw_connect(server)};
    char certificate[64], key[64], text[TLS_TEXT];
    snprintf(certificate, sizeof certificate, "%s.crt", name);
    snprintf(key, sizeof key, "%s.key", name);
    CHECK(tls_context_client(authority_path(server->authority, "ca.crt"),
                             authority_path(server->authority, certificate),
                             authority_path(server->authority, key), &raw.context,
                             text) == STATUS_OK);
    raw.tls = tls_open(raw.context, raw.fd, "127.0.0.1");
    CHECK(raw.tls != NULL && tls_handshake(raw.tls) == STATUS_OK);
    return raw;
}

static inline void
raw_close(struct raw *raw)
{
    tls_close(raw->tls);
    tls_context_close(raw->context);
    close(raw->fd);
}

static inline bool
raw_send(struct raw *raw, const void *data, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        size_t count;
        if (tls_write(raw->tls, (const uint8_t *)data + sent, len - sent, &count) != STATUS_OK)
            return false;
        sent += count;
    }
    return true;
}

// Reads until `least` bytes have come or the connection ends; STATUS_OK or how it ended.
static inline enum status
raw_receive(struct raw *raw, void *data, size_t room, size_t least, size_t *out_len)
{
    *out_len = 0;
    while (*out_len < least) {
        size_t count;
        enum status status = tls_read(raw->tls, (uint8_t *)data + *out_len, room - *out_len,
                                      &count);
        if (status != STATUS_OK) return status;
        *out_len += count;
    }
    return STATUS_OK;
}

// A request of one field as bytes; answers its length.
static inline size_t
raw_request(uint8_t *out, size_t room, uint32_t id, const char *method, const char *key,
            const char *text)
{
    struct pack pack = {.data = out, .room = room};
    pack_array(&pack, 4);
    pack_integer(&pack, 0);
    pack_integer(&pack, id);
    pack_string(&pack, method);
    pack_array(&pack, 1);
    pack_map(&pack, 1);
    pack_pair_string(&pack, key, text);
    CHECK(!pack.full);
    return pack.len;
}

#endif
