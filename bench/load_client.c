// The client: one thread, LOAD_CONNECTIONS connections, each with a fixed number of requests under
// way. A connection refills in one write what it has just received (closed loop). Answers may come
// in any order; each is found with the same scan whoever serves, so that the client costs the same
// against all three servers.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "load.h"
#include "wire.h"

#define IN_ROOM (256u * 1024u)
#define OUT_ROOM (64u * 1024u)
#define LATENCY_US 1000000u  // a histogram of one microsecond a step; the last one takes all above

struct connection {
    int fd;
    SSL *ssl;
    struct wire_scan scan;
    int64_t sent_ns[LOAD_DEPTH_MAX];  // by id
    size_t in_len, out_len, out_done;
    uint8_t in[IN_ROOM], out[OUT_ROOM];
};
struct client {
    const struct load_client_options *options;
    struct load_requests *requests;
    SSL_CTX *context;
    int epoll;
    bool counting;
    uint64_t answers, refused;
    uint32_t *latency;
    struct connection connections[LOAD_CONNECTIONS];
};

int64_t
load_now_ns(void)
{
    struct timespec time;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Processor time of a process so far, all threads, in seconds.
static double
cpu_of(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (len <= 0) load_die(path);
    close(fd);
    text[len] = 0;
    unsigned long user, system;
    const char *after = strrchr(text, ')');  // the name may hold blanks
    CHECK(after != NULL && sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                  &user, &system) == 2);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

// --- Connections -------------------------------------------------------------------------------
static SSL_CTX *
context_open(const struct load_client_options *options)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    CHECK(context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
    CHECK(SSL_CTX_load_verify_file(context, options->ca) == 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    CHECK(SSL_CTX_use_certificate_chain_file(context, options->certificate) == 1);
    CHECK(SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) == 1);
    return context;
}

static void
connect_to(struct client *client, struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(client->options->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    connection->in_len = connection->out_len = connection->out_done = 0;
    connection->scan = (struct wire_scan){0};
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        load_die("connect");
    CHECK(setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    connection->ssl = SSL_new(client->context);
    CHECK(connection->ssl != NULL && SSL_set_fd(connection->ssl, connection->fd) == 1);
    if (SSL_connect(connection->ssl) != 1) {
        ERR_print_errors_fp(stderr);
        load_die("TLS handshake");
    }
    CHECK(fcntl(connection->fd, F_SETFL, O_NONBLOCK) == 0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    CHECK(epoll_ctl(client->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0);
}

static void
send_out(struct client *client, struct connection *connection)
{
    bool waits = false;
    while (connection->out_done < connection->out_len && !waits) {
        ERR_clear_error();
        int n = SSL_write(connection->ssl, connection->out + connection->out_done,
                          (int)(connection->out_len - connection->out_done));
        if (n > 0) connection->out_done += (size_t)n;
        else if (SSL_get_error(connection->ssl, n) == SSL_ERROR_WANT_WRITE) waits = true;
        else load_die("the server hung up");
    }
    if (!waits) connection->out_done = connection->out_len = 0;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = connection};
    if (waits) CHECK(epoll_ctl(client->epoll, EPOLL_CTL_MOD, connection->fd, &event) == 0);
}

static void
ask(struct client *client, struct connection *connection, uint32_t id, int64_t now)
{
    CHECK(OUT_ROOM - connection->out_len >= client->requests->len);
    connection->sent_ns[id - LOAD_FIRST_ID] = now;
    connection->out_len += load_request_write(client->requests, id,
                                              connection->out + connection->out_len);
}

// One answer: [1, id, nil, result], or with an error in the third place.
static uint32_t
take_answer(struct client *client, struct connection *connection, const uint8_t *answer,
            int64_t now)
{
    CHECK(answer[0] == 0x94 && answer[1] == 1 && answer[2] == 0xce);
    uint32_t id = (uint32_t)answer[3] << 24 | (uint32_t)answer[4] << 16 | (uint32_t)answer[5] << 8 |
                  answer[6];
    CHECK(id >= LOAD_FIRST_ID && id - LOAD_FIRST_ID < client->options->depth);
    if (!client->counting) return id;
    client->answers++;
    client->refused += answer[7] != 0xc0;
    int64_t us = (now - connection->sent_ns[id - LOAD_FIRST_ID]) / 1000;
    client->latency[us < LATENCY_US ? us : LATENCY_US - 1]++;
    return id;
}

static void
receive(struct client *client, struct connection *connection)
{
    for (;;) {
        ERR_clear_error();
        int n = SSL_read(connection->ssl, connection->in + connection->in_len,
                         (int)(IN_ROOM - connection->in_len));
        if (n <= 0 && SSL_get_error(connection->ssl, n) == SSL_ERROR_WANT_READ) break;
        if (n <= 0) load_die("the server hung up");
        connection->in_len += (size_t)n;
        CHECK(connection->in_len < IN_ROOM);
    }
    int64_t now = load_now_ns();
    size_t at = 0, len;
    while (at < connection->in_len) {
        CHECK(wire_scan(&connection->scan, connection->in + at, connection->in_len - at, &len) ==
              REASON_NONE);
        if (len == 0) break;
        ask(client, connection, take_answer(client, connection, connection->in + at, now), now);
        at += len;
    }
    memmove(connection->in, connection->in + at, connection->in_len - at);
    connection->in_len -= at;
}

static void
loop_until(struct client *client, int64_t end)
{
    struct epoll_event events[LOAD_CONNECTIONS];
    while (load_now_ns() < end) {
        int n = epoll_wait(client->epoll, events, LOAD_CONNECTIONS, 100);
        CHECK(n >= 0 || errno == EINTR);
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) != 0) {
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
                CHECK(epoll_ctl(client->epoll, EPOLL_CTL_MOD, connection->fd, &event) == 0);
            }
            receive(client, connection);
            send_out(client, connection);
        }
    }
}

// --- Runs --------------------------------------------------------------------------------------
static struct client *
client_begin(const struct load_client_options *options, struct load_requests *requests,
             unsigned connections)
{
    struct client *client = calloc(1, sizeof *client);
    CHECK(client != NULL && options->depth >= 1 && options->depth <= LOAD_DEPTH_MAX);
    client->options = options;
    client->requests = requests;
    client->latency = calloc(LATENCY_US, sizeof *client->latency);
    client->context = context_open(options);
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(client->latency != NULL && client->epoll >= 0);
    for (unsigned i = 0; i < connections; i++) connect_to(client, &client->connections[i]);
    return client;
}

static void
client_end(struct client *client)
{
    for (unsigned i = 0; i < LOAD_CONNECTIONS; i++) {
        if (client->connections[i].ssl == NULL) continue;
        SSL_free(client->connections[i].ssl);
        close(client->connections[i].fd);
    }
    close(client->epoll);
    SSL_CTX_free(client->context);
    free(client->latency);
    free(client);
}

static double
quantile(const struct client *client, double share)
{
    uint64_t wanted = (uint64_t)((double)client->answers * share), passed = 0;
    for (uint32_t us = 0; us < LATENCY_US; us++) {
        passed += client->latency[us];
        if (passed > wanted) return us;
    }
    return LATENCY_US;
}

struct load_run
load_client_run(const struct load_client_options *options, struct load_requests *requests)
{
    struct client *client = client_begin(options, requests, LOAD_CONNECTIONS);
    for (unsigned i = 0; i < LOAD_CONNECTIONS; i++) {
        for (uint32_t id = 0; id < options->depth; id++)
            ask(client, &client->connections[i], LOAD_FIRST_ID + id, load_now_ns());
        send_out(client, &client->connections[i]);
    }
    loop_until(client, load_now_ns() + (int64_t)(options->warm_seconds * 1e9));
    client->counting = true;
    double cpu = cpu_of(options->server), own = cpu_of(getpid());
    int64_t began = load_now_ns();
    loop_until(client, began + (int64_t)(options->seconds * 1e9));
    double seconds = (double)(load_now_ns() - began) / 1e9;
    cpu = cpu_of(options->server) - cpu;
    own = cpu_of(getpid()) - own;
    if (client->answers == 0) load_die("no answers");
    struct load_run run = {
        .per_second = (double)client->answers / seconds,
        .p50_us = quantile(client, 0.50),
        .p99_us = quantile(client, 0.99),
        .cpu_us = cpu * 1e6 / (double)client->answers,
        .client_us = own * 1e6 / (double)client->answers,
        .refused = client->refused,
    };
    client_end(client);
    return run;
}

size_t
load_client_once(const struct load_client_options *options, struct load_requests *requests,
                 uint8_t *out, size_t room)
{
    struct client *client = client_begin(options, requests, 1);
    struct connection *connection = &client->connections[0];
    ask(client, connection, LOAD_FIRST_ID, load_now_ns());
    send_out(client, connection);
    size_t len = 0;
    int64_t end = load_now_ns() + 5000000000LL;
    while (len == 0 && load_now_ns() < end) {
        int n = SSL_read(connection->ssl, connection->in + connection->in_len,
                         (int)(IN_ROOM - connection->in_len));
        if (n > 0) connection->in_len += (size_t)n;
        else if (SSL_get_error(connection->ssl, n) != SSL_ERROR_WANT_READ)
            load_die("the server hung up");
        CHECK(wire_scan(&connection->scan, connection->in, connection->in_len, &len) ==
              REASON_NONE);
    }
    CHECK(len > 0 && len <= room);
    memcpy(out, connection->in, len);
    client_end(client);
    return len;
}
