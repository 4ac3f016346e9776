// The listening socket, and what concerns all sessions: accepting, time, flushing, certificates.
//
//   - A turn accepts at most ACCEPTS connections: a handshake with certificates on both sides
//     costs about 2 ms, and those already here must not wait behind a crowd at the door.
//   - Out of descriptors (EMFILE, ENFILE, ENOBUFS): the listening socket stays readable and would
//     spin the loop, so it rests until the next sweep.
//   - A sweep every SWEEP_MS looks at all sessions' deadlines: no timer a session, and at 10,000
//     sessions still a small part of a millisecond.
//   - Reload: new TLS context, pointer swapped; each connection keeps the one it began with.
#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "fail.h"
#include "log.h"
#include "sessions.h"

#define ACCEPTS 8
#define BACKLOG 512
#define SWEEP_MS 200
#define LOG_LINES 20  // a second, about misbehaving peers

const struct listener_limits listener_limits_default = {
    .connections = 10000,
    .in_flight = 64,
    .handshake_seconds = 5,
    .idle_seconds = 0,
    .stall_seconds = 60,
    .drain_seconds = 5,
};

// --- The socket ----------------------------------------------------------------------------------

static void
rest(struct listener *listener)
{
    if (listener->resting) return;
    listener->resting = true;
    (void)event_del(listener->acceptable);
}

// Answers are joined by us, so the kernel need not wait for more. A peer that vanished without a
// word (power, network) is found out within two minutes: idle connections are kept, dead ones not.
static void
set_up(int peer)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 60}, {IPPROTO_TCP, TCP_KEEPINTVL, 15},
        {IPPROTO_TCP, TCP_KEEPCNT, 4},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        (void)setsockopt(peer, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

static void
on_acceptable(int fd, short what, void *context)
{
    (void)what;
    struct listener *listener = context;
    for (unsigned i = 0; i < ACCEPTS; i++) {
        int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer < 0) {
            // The peer may have gone again; anything else means that the system has no room.
            if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
                return;
            log_warn("partner.accept", "failed=\"%s\"", strerror(errno));
            rest(listener);
            return;
        }
        listener->counts.accepted++;
        set_up(peer);
        if (session_start(listener, peer)) continue;
        listener->counts.refused++;
        close(peer);
    }
}

static void
on_sweep(int fd, short what, void *context)
{
    (void)fd, (void)what;
    struct listener *listener = context;
    usec now = clock_monotonic();
    if (now.us / USEC_SECOND != listener->now.us / USEC_SECOND) listener->log_left = LOG_LINES;
    listener->now = now;
    for (uint32_t i = 0; i < listener->used; i++) session_sweep(&listener->sessions[i]);
    if (listener->resting && !listener->draining) {
        listener->resting = false;
        CHECK(event_add(listener->acceptable, NULL) == 0);
    }
}

static enum status
socket_trouble(struct listener_error *error, const char *host, uint16_t port, const char *what)
{
    snprintf(error->text, sizeof error->text, "%s port %u: %s", host, (unsigned)port, what);
    return STATUS_IO;
}

static enum status
socket_open(struct listener *listener, const char *host, uint16_t port,
            struct listener_error *out_error)
{
    char service[8];
    struct addrinfo *address = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    snprintf(service, sizeof service, "%u", (unsigned)port);
    int rc = getaddrinfo(host, service, &hints, &address);
    if (rc != 0) {
        (void)socket_trouble(out_error, host, port,
                             "not an address; give one such as 127.0.0.1, 0.0.0.0 or ::");
        return STATUS_INPUT;
    }
    enum status status = STATUS_IO;
    int one = 1;
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &len) != 0) {
        // What stands in the way is mostly another program at the same port.
        const char *what = errno == EADDRINUSE ? "in use by another program; stop it, or change "
                                                 "listen.port in vendue.yaml"
                                               : strerror(errno);
        status = socket_trouble(out_error, host, port, what);
        goto done;
    }
    listener->fd = fd;
    listener->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                       : ((struct sockaddr_in *)&bound)->sin_port);
    fd = -1;
    status = STATUS_OK;
done:
    if (fd >= 0) close(fd);
    freeaddrinfo(address);
    return status;
}

// --- The listener --------------------------------------------------------------------------------

enum status
listener_open(struct event_base *base, const char *host, uint16_t port,
              const struct listener_paths *paths, const struct listener_limits *limits,
              const struct listener_events *events, struct listener **out_listener,
              struct listener_error *out_error)
{
    CHECK(limits->connections > 0 && limits->in_flight > 0 && limits->handshake_seconds > 0);
    *out_listener = NULL;
    struct listener *listener = calloc(1, sizeof *listener);
    CHECK(listener != NULL);
    *listener = (struct listener){
        .base = base,
        .limits = *limits,
        .events = *events,
        .free_first = UINT32_MAX,
        .flush_first = UINT32_MAX,
        .log_left = LOG_LINES,
        .now = clock_monotonic(),
        .fd = -1,
    };
    listener->sessions = calloc(limits->connections, sizeof *listener->sessions);
    CHECK(listener->sessions != NULL);
    enum status status = listener_reload(listener, paths, out_error);
    if (status == STATUS_OK) status = socket_open(listener, host, port, out_error);
    if (status != STATUS_OK) {
        listener_close(listener);
        return status;
    }
    struct timeval period = {.tv_usec = SWEEP_MS * 1000};
    listener->acceptable = event_new(base, listener->fd, EV_READ | EV_PERSIST, on_acceptable,
                                     listener);
    listener->sweep = event_new(base, -1, EV_PERSIST, on_sweep, listener);
    CHECK(listener->acceptable != NULL && listener->sweep != NULL);
    CHECK(event_add(listener->acceptable, NULL) == 0 && event_add(listener->sweep, &period) == 0);
    *out_listener = listener;
    return STATUS_OK;
}

void
listener_close(struct listener *listener)
{
    if (listener == NULL) return;
    for (uint32_t i = 0; i < listener->used; i++) session_close(&listener->sessions[i]);
    if (listener->acceptable != NULL) event_free(listener->acceptable);
    if (listener->sweep != NULL) event_free(listener->sweep);
    if (listener->fd >= 0) close(listener->fd);
    tls_context_close(listener->tls);
    buffer_pool_close(&listener->pool);
    free(listener->sessions);
    free(listener);
}

uint16_t
listener_port(const struct listener *listener)
{
    return listener->port;
}

void
listener_flush(struct listener *listener)
{
    // Flushing may close sessions but never queues another one.
    while (listener->flush_first != UINT32_MAX) {
        uint32_t index = listener->flush_first;
        struct session *session = &listener->sessions[index];
        listener->flush_first = session->next;
        session->queued = false;
        if (session->state == SESSION_FREE) {  // closed while it stood here
            session->next = listener->free_first;
            listener->free_first = index;
        } else {
            session_flush(session);
        }
    }
}

void
listener_drain(struct listener *listener)
{
    rest(listener);
    listener->draining = true;
    for (uint32_t i = 0; i < listener->used; i++) {
        struct session *session = &listener->sessions[i];
        if (session->state == SESSION_HANDSHAKE) session_close(session);
        else session_finish(session, REASON_NONE, NULL);
    }
}

bool
listener_idle(const struct listener *listener)
{
    return listener->counts.open == 0;
}

void
listener_recheck(struct listener *listener)
{
    for (uint32_t i = 0; i < listener->used; i++) {
        if (listener->sessions[i].state == SESSION_OPEN) session_identify(&listener->sessions[i]);
    }
}

enum status
listener_reload(struct listener *listener, const struct listener_paths *paths,
                struct listener_error *out_error)
{
    char text[TLS_TEXT];
    struct tls_context *fresh;
    enum status status = tls_context_server(paths->ca, paths->certificate, paths->key, &fresh,
                                            text);
    if (status != STATUS_OK) {
        snprintf(out_error->text, sizeof out_error->text, "%s", text);
        return status;
    }
    tls_context_close(listener->tls);
    listener->tls = fresh;
    return STATUS_OK;
}

struct listener_counts
listener_counts(const struct listener *listener)
{
    return listener->counts;
}
