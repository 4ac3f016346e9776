// The two echoes: raw OpenSSL, TLS 1.3, one thread, epoll, all that is ready of a connection
// answered in one write. `echo` only counts bytes; `decide` reads each request, binds, decides,
// applies it to the book and writes its answer with the engine's own functions, but makes nothing
// durable.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../engine/answer.h"
#include "../engine/auctioneer.h"
#include "../engine/decode.h"
#include "fail.h"
#include "load.h"

#define IN_ROOM (64u * 1024u)
#define OUT_ROOM (512u * 1024u)

struct peer {
    int fd;
    SSL *ssl;
    bool ready;  // the handshake is over
    struct wire_scan scan;
    size_t in_len, out_len, out_done;
    uint8_t in[IN_ROOM], out[OUT_ROOM];
};
struct server {
    const struct load_server_options *options;
    SSL_CTX *context;
    int epoll, listener;
    struct catalog *catalog;
    struct auctioneer *auctioneer;
    struct contact contact;
};

// --- What is done with the bytes ---------------------------------------------------------------
static void
echo_bytes(struct server *server, struct peer *peer)
{
    const struct load_server_options *options = server->options;
    size_t at = 0;
    for (; peer->in_len - at >= options->request_len; at += options->request_len) {
        if (OUT_ROOM - peer->out_len < options->answer_len) break;
        uint8_t *out = peer->out + peer->out_len;
        memcpy(out, options->answer, options->answer_len);
        memcpy(out + 3, peer->in + at + 3, 4);  // the id
        peer->out_len += options->answer_len;
    }
    memmove(peer->in, peer->in + at, peer->in_len - at);
    peer->in_len -= at;
}

static void
decide(struct server *server, struct peer *peer, const uint8_t *message, size_t len)
{
    struct wire_reader reader = wire_reader(message, len);
    struct wire_array outer, params;
    int64_t type, id;
    struct wire_text method;
    CHECK(wire_array_begin(&reader, &outer) && wire_array_next(&reader, &outer) &&
          wire_integer(&reader, 0, 0, &type) && wire_array_next(&reader, &outer) &&
          wire_integer(&reader, 0, UINT32_MAX, &id) && wire_array_next(&reader, &outer) &&
          wire_text(&reader, 1, BOUND_CODE, &method) && wire_same(method, "contact") &&
          wire_array_next(&reader, &outer) && wire_array_begin(&reader, &params) &&
          wire_array_next(&reader, &params));
    struct decode_by by = {
        .catalog = server->catalog,
        .customer_secret = (const uint8_t *)"0123456789abcdef",
        .party = server->options->market->touchpoint,
        .role = ROLE_TOUCHPOINT,
        .now = clock_wall(),
    };
    bool repeated;
    struct decode_wish wish;
    enum reason reason;
    unsigned count;
    struct fact facts[BOUND_CONTACT_FACTS];
    struct wire_reader fields = wire_reader(reader.at, (size_t)(reader.end - reader.at));
    CHECK(decode_contact(&by, &fields, &server->contact, &wish, &reason));
    reason = auctioneer_contact(server->auctioneer, &server->contact, NULL, wish.test, by.now,
                                facts, &count, &repeated);
    CHECK(reason == REASON_NONE);
    struct pack pack = {.data = peer->out + peer->out_len, .room = OUT_ROOM - peer->out_len};
    pack_array(&pack, 4);
    pack_integer(&pack, 1);
    pack_integer(&pack, id);
    pack_nil(&pack);
    answer_contact(&pack, server->catalog, facts, count, repeated, wish.test);
    CHECK(!pack.full);
    peer->out_len += pack.len;
}

static void
decide_bytes(struct server *server, struct peer *peer)
{
    size_t at = 0, len;
    while (at < peer->in_len && OUT_ROOM - peer->out_len >= BOUND_MESSAGE_BYTES) {
        CHECK(wire_scan(&peer->scan, peer->in + at, peer->in_len - at, &len) == REASON_NONE);
        if (len == 0) break;
        decide(server, peer, peer->in + at, len);
        at += len;
    }
    memmove(peer->in, peer->in + at, peer->in_len - at);
    peer->in_len -= at;
}

// --- Connections -------------------------------------------------------------------------------
static void
drop(struct peer *peer)
{
    SSL_free(peer->ssl);
    close(peer->fd);
    free(peer);
}

// False: the peer is gone.
static bool
read_all(struct server *server, struct peer *peer)
{
    for (;;) {
        ERR_clear_error();
        int n = SSL_read(peer->ssl, peer->in + peer->in_len, (int)(IN_ROOM - peer->in_len));
        if (n <= 0) return SSL_get_error(peer->ssl, n) == SSL_ERROR_WANT_READ;
        peer->in_len += (size_t)n;
        if (server->options->kind == LOAD_ECHO) echo_bytes(server, peer);
        else decide_bytes(server, peer);
        if (peer->in_len == IN_ROOM) return true;
    }
}

static bool
write_all(struct server *server, struct peer *peer)
{
    bool waits = false;
    while (peer->out_done < peer->out_len && !waits) {
        ERR_clear_error();
        int n = SSL_write(peer->ssl, peer->out + peer->out_done,
                          (int)(peer->out_len - peer->out_done));
        if (n > 0) peer->out_done += (size_t)n;
        else if (SSL_get_error(peer->ssl, n) == SSL_ERROR_WANT_WRITE) waits = true;
        else return false;
    }
    if (!waits) peer->out_done = peer->out_len = 0;
    struct epoll_event event = {.events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = peer};
    if (waits) CHECK(epoll_ctl(server->epoll, EPOLL_CTL_MOD, peer->fd, &event) == 0);
    return true;
}

static void
serve(struct server *server, struct peer *peer, uint32_t events)
{
    bool alive = true;
    if (!peer->ready) {
        ERR_clear_error();
        int rc = SSL_accept(peer->ssl);
        peer->ready = rc == 1;
        int error = SSL_get_error(peer->ssl, rc);
        alive = rc == 1 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }
    if (alive && peer->ready) {
        if ((events & EPOLLOUT) != 0) {
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
            CHECK(epoll_ctl(server->epoll, EPOLL_CTL_MOD, peer->fd, &event) == 0);
        }
        alive = read_all(server, peer) && write_all(server, peer);
    }
    if (!alive) drop(peer);
}

static void
take(struct server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    if (fd < 0) return;
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    struct peer *peer = calloc(1, sizeof *peer);
    CHECK(peer != NULL);
    peer->fd = fd;
    peer->ssl = SSL_new(server->context);
    CHECK(peer->ssl != NULL && SSL_set_fd(peer->ssl, fd) == 1);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    CHECK(epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static SSL_CTX *
context_open(const struct load_server_options *options)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    CHECK(context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
    CHECK(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1);
    CHECK(SSL_CTX_set_num_tickets(context, 0) == 1);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    CHECK(SSL_CTX_use_certificate_chain_file(context, options->certificate) == 1);
    CHECK(SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) == 1);
    return context;
}

static void
server_loop(struct server *server)
{
    struct epoll_event events[64];
    for (;;) {
        int n = epoll_wait(server->epoll, events, 64, -1);
        CHECK(n >= 0 || errno == EINTR);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL) take(server);
            else serve(server, events[i].data.ptr, events[i].events);
        }
    }
}

static _Noreturn void
child(const struct load_server_options *options, int listener)
{
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    // Seen by top and profilers.
    CHECK(prctl(PR_SET_NAME, options->kind == LOAD_ECHO ? "load_echo" : "load_decide") == 0);
    struct server server = {.options = options, .listener = listener};
    server.context = context_open(options);
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(server.epoll >= 0 && epoll_ctl(server.epoll, EPOLL_CTL_ADD, listener, &event) == 0);
    if (options->kind == LOAD_DECIDE) {
        const struct load_market *market = options->market;
        CHECK(catalog_decode(market->bytes, market->len, &server.catalog, NULL) == STATUS_OK);
        struct book_limits limits = book_limits_default;
        limits.placements = 2097152;  // as the market is told
        server.auctioneer = auctioneer_open(&limits);
        auctioneer_catalog(server.auctioneer, server.catalog);
    }
    server_loop(&server);
    _exit(0);
}

pid_t
load_server_start(const struct load_server_options *options, uint16_t *out_port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, len) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0 &&
          listen(listener, 128) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) child(options, listener);
    close(listener);
    *out_port = ntohs(address.sin_port);
    return pid;
}
