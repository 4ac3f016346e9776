// A client of the partner API: one TLS connection, blocking by poll() with a deadline a call.
//
// Requests are written one after another into `out`, answers read into `in`; both keep their
// memory. An answer handed out lies in `in` until the next call, which consumes it (`taken`) first.
//
//   1 Flushing reads whenever the socket is readable: a server whose answers pile up stops
//     reading, and two sides that only write would wait for each other for ever.
//   2 After any status but OK, INPUT (a refused request) and AGAIN with a time-out of 0 the
//     connection is over: every later call answers that status again (`over`).
//   3 The notification `refused` ends the connection, with its reason, once the answers before it
//     are taken.
//   4 What the server asks or tells (`bid_request`, `notice`) is handed to the listener's functions
//     in the order it came, whenever the client reads; a request that nobody listens to is answered
//     with the error unknown_method. What they answer is sent before the client waits again.
#include "client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "buffer.h"
#include "clock.h"
#include "fail.h"
#include "tls.h"

#define TIMEOUT_MS 5000u
#define IN_MOST (16u * 1024 * 1024)  // answers that nobody received yet
#define READ_BYTES (32u * 1024)

struct client {
    struct tls_context *context;
    struct tls *tls;
    int fd;
    uint32_t timeout_ms, id_next, in_flight;
    struct buffer_pool pool;
    struct buffer out;
    uint8_t *in;  // bytes from `in_start` on, `in_len` of them
    size_t in_start, in_len, in_room;
    size_t taken;  // bytes of the answer handed out last
    struct wire_scan scan;
    struct pack request;  // into `scratch`
    bool begun;
    struct client_listener listener;
    struct client_error over;  // status STATUS_OK: the connection lives
    uint8_t scratch[BOUND_MESSAGE_BYTES];
};

static enum status fail(struct client_error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status
fail(struct client_error *error, enum status status, const char *format, ...)
{
    *error = (struct client_error){.status = status};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

static usec
deadline_in(uint32_t ms)
{
    return (usec){clock_monotonic().us + (int64_t)ms * 1000};
}

// STATUS_OK: ready. STATUS_AGAIN: the deadline is past.
static enum status
wait_for(int fd, short events, usec deadline)
{
    for (;;) {
        int64_t left = deadline.us - clock_monotonic().us;
        struct pollfd poller = {.fd = fd, .events = events};
        int ready = poll(&poller, 1, left <= 0 ? 0 : (int)((left + 999) / 1000));
        if (ready > 0) return STATUS_OK;
        if (ready == 0) return STATUS_AGAIN;
        if (errno != EINTR) return STATUS_IO;
    }
}

// --- Opening -------------------------------------------------------------------------------------

static enum status
dial_one(const struct addrinfo *address, usec deadline, int *out_fd)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return STATUS_IO;
    int failed = 0, one = 1;
    socklen_t len = sizeof failed;
    enum status status = STATUS_OK;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        if (errno == EINPROGRESS) {
            status = wait_for(fd, POLLOUT, deadline);
            if (status == STATUS_OK) (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len);
        } else {
            failed = errno;
        }
    }
    if (status == STATUS_OK && failed != 0) status = STATUS_IO;
    if (status != STATUS_OK) {
        close(fd);
        errno = failed != 0 ? failed : ETIMEDOUT;
        return status;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *out_fd = fd;
    return STATUS_OK;
}

static enum status
dial(const struct client_options *options, usec deadline, int *out_fd, struct client_error *error)
{
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)options->port);
    struct addrinfo *addresses = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int rc = getaddrinfo(options->host, service, &hints, &addresses);
    if (rc != 0) return fail(error, STATUS_IO, "%s: %s", options->host, gai_strerror(rc));
    enum status status = STATUS_IO;
    for (const struct addrinfo *a = addresses; a != NULL && status != STATUS_OK; a = a->ai_next) {
        status = dial_one(a, deadline, out_fd);
    }
    int reason = errno;
    freeaddrinfo(addresses);
    if (status != STATUS_OK)
        return fail(error, status, "%s port %s: %s", options->host, service, strerror(reason));
    return STATUS_OK;
}

static enum status
shake_hands(struct client *client, const struct client_options *options, usec deadline,
            struct client_error *error)
{
    enum status status = tls_handshake(client->tls);
    while (status == STATUS_AGAIN) {
        if (wait_for(client->fd, tls_wants_write(client->tls) ? POLLOUT : POLLIN, deadline) !=
            STATUS_OK)
            return fail(error, STATUS_AGAIN, "%s port %u: no TLS handshake within %u ms",
                        options->host, (unsigned)options->port, client->timeout_ms);
        status = tls_handshake(client->tls);
    }
    if (status == STATUS_OK) return STATUS_OK;
    return fail(error, status, "%s port %u: TLS handshake: %s", options->host,
                (unsigned)options->port, tls_trouble(client->tls));
}

enum status
client_open(const struct client_options *options, struct client **out_client,
            struct client_error *out_error)
{
    char text[TLS_TEXT];
    *out_client = NULL;
    struct client *client = calloc(1, sizeof *client);
    CHECK(client != NULL);
    client->fd = -1;
    client->timeout_ms = options->timeout_ms == 0 ? TIMEOUT_MS : options->timeout_ms;
    usec deadline = deadline_in(client->timeout_ms);
    enum status status = tls_context_client(options->ca, options->certificate, options->key,
                                            &client->context, text);
    if (status != STATUS_OK) {
        (void)fail(out_error, status, "%s", text);
        goto refuse;
    }
    status = dial(options, deadline, &client->fd, out_error);
    if (status != STATUS_OK) goto refuse;
    client->tls = tls_open(client->context, client->fd, options->host);
    CHECK(client->tls != NULL);
    status = shake_hands(client, options, deadline, out_error);
    if (status != STATUS_OK) goto refuse;
    *out_client = client;
    return STATUS_OK;
refuse:
    client_close(client);
    return status;
}

void
client_close(struct client *client)
{
    if (client == NULL) return;
    if (client->tls != NULL && client->over.status == STATUS_OK) tls_goodbye(client->tls);
    tls_close(client->tls);
    if (client->fd >= 0) close(client->fd);
    tls_context_close(client->context);
    buffer_clear(&client->pool, &client->out);
    buffer_pool_close(&client->pool);
    free(client->in);
    free(client);
}

// --- Sending -------------------------------------------------------------------------------------

struct pack *
client_request(struct client *client, const char *method, uint32_t fields)
{
    CHECK(!client->begun);
    client->begun = true;
    client->request = (struct pack){.data = client->scratch, .room = sizeof client->scratch};
    pack_array(&client->request, 4);
    pack_integer(&client->request, 0);
    pack_integer(&client->request, client->id_next);
    pack_string(&client->request, method);
    pack_array(&client->request, 1);
    pack_map(&client->request, fields);
    return &client->request;
}

enum status
client_queue(struct client *client, uint32_t *out_id)
{
    CHECK(client->begun);
    client->begun = false;
    if (client->request.full) return STATUS_FULL;
    if (!buffer_append(&client->pool, &client->out, client->request.data, client->request.len))
        return STATUS_FULL;
    *out_id = client->id_next++;
    client->in_flight++;
    return STATUS_OK;
}

// The connection is over, and stays so.
static enum status
end(struct client *client, enum status status, const char *text)
{
    return fail(&client->over, status, "%s", text);
}

static bool
in_reserve(struct client *client, size_t extra)
{
    if (client->in_room - client->in_start - client->in_len >= extra) return true;
    if (client->in_start > 0) memmove(client->in, client->in + client->in_start, client->in_len);
    client->in_start = 0;
    if (client->in_room - client->in_len >= extra) return true;
    size_t room = client->in_room == 0 ? 2 * BOUND_MESSAGE_BYTES : 2 * client->in_room;
    uint8_t *in = room > IN_MOST ? NULL : realloc(client->in, room);
    if (in == NULL) return false;
    client->in = in;
    client->in_room = room;
    return true;
}

// Everything that is there now. STATUS_AGAIN: no more at the moment. Else the connection is over,
// with what came before it in `in`.
static enum status
read_all(struct client *client)
{
    for (;;) {
        size_t count = 0;
        if (!in_reserve(client, READ_BYTES))
            return end(client, STATUS_FULL,
                       "too many answers wait to be received; receive while sending");
        enum status status = tls_read(client->tls, client->in + client->in_start + client->in_len,
                                      READ_BYTES, &count);
        if (status == STATUS_AGAIN) return STATUS_AGAIN;
        if (status == STATUS_CLOSED)
            return end(client, STATUS_CLOSED, "the server closed the connection");
        if (status != STATUS_OK) return end(client, status, tls_trouble(client->tls));
        client->in_len += count;
    }
}

// The answer handed out last is over: its bytes make room.
static void
drop_taken(struct client *client)
{
    client->in_start += client->taken;
    client->in_len -= client->taken;
    client->taken = 0;
    if (client->in_len == 0) client->in_start = 0;
}

static enum status
flush(struct client *client, usec deadline)
{
    while (client->out.len > 0 && client->over.status == STATUS_OK) {
        size_t count = 0;
        enum status status = tls_write(client->tls, client->out.data + client->out.start,
                                       client->out.len, &count);
        if (status == STATUS_OK) {
            buffer_consume(&client->out, count);
            continue;
        }
        if (status != STATUS_AGAIN) {
            // The server may have said why before it closed.
            char why[200];
            snprintf(why, sizeof why, "%s", tls_trouble(client->tls));
            if (read_all(client) == STATUS_AGAIN) (void)end(client, STATUS_CLOSED, why);
            break;
        }
        if (wait_for(client->fd, POLLIN | POLLOUT, deadline) != STATUS_OK)
            return end(client, STATUS_AGAIN, "the server took no bytes in time");
        if (read_all(client) != STATUS_AGAIN) break;
    }
    return client->over.status;
}

static enum status
tell_over(const struct client *client, struct client_error *out_error)
{
    *out_error = client->over;
    return client->over.status;
}

enum status
client_flush(struct client *client, struct client_error *out_error)
{
    CHECK(!client->begun);
    drop_taken(client);
    if (flush(client, deadline_in(client->timeout_ms)) == STATUS_OK) return STATUS_OK;
    return tell_over(client, out_error);
}

// --- Receiving -----------------------------------------------------------------------------------

static void
copy_text(struct wire_text text, char *out, size_t room)
{
    size_t len = text.len < room - 1 ? text.len : room - 1;
    memcpy(out, text.data, len);
    out[len] = '\0';
}

static bool
read_error(struct wire_reader *reader, struct client_error *out_error)
{
    struct wire_map map;
    struct wire_text key, text;
    int64_t code = 0;
    *out_error = (struct client_error){.status = STATUS_INPUT};
    if (!wire_map_begin(reader, &map)) return false;
    while (wire_map_next(reader, &map, &key)) {
        if (wire_same(key, "code")) {
            (void)wire_integer(reader, 0, INT32_MAX, &code);
        } else if (wire_same(key, "reason") && wire_text(reader, 0, BOUND_MESSAGE_BYTES, &text)) {
            copy_text(text, out_error->reason, sizeof out_error->reason);
        } else if (wire_same(key, "field") && wire_text(reader, 0, BOUND_MESSAGE_BYTES, &text)) {
            copy_text(text, out_error->field, sizeof out_error->field);
        } else if (wire_same(key, "text") && wire_text(reader, 0, BOUND_MESSAGE_BYTES, &text)) {
            copy_text(text, out_error->text, sizeof out_error->text);
        }
    }
    out_error->code = (unsigned)code;
    return reader->reason == REASON_NONE;
}

// Method and params of a notification or a request.
static bool
read_method(struct wire_reader *reader, struct wire_array *outer, struct wire_text *out_method)
{
    struct wire_array params;
    return wire_array_next(reader, outer) && wire_text(reader, 1, BOUND_CODE, out_method) &&
           wire_array_next(reader, outer) && wire_array_begin(reader, &params) &&
           wire_array_next(reader, &params);
}

static bool
read_notification(struct client *client, struct wire_reader *reader, struct wire_array *outer)
{
    struct wire_text method;
    if (!read_method(reader, outer, &method)) return false;
    if (!wire_same(method, "refused")) {
        struct wire_reader params = wire_reader(reader->at, (size_t)(reader->end - reader->at));
        if (client->listener.told != NULL)
            client->listener.told(client->listener.context, client, method, params);
        return true;
    }
    if (!read_error(reader, &client->over)) return false;
    client->over.status = STATUS_DENIED;
    return true;
}

static bool
read_request(struct client *client, struct wire_reader *reader, struct wire_array *outer)
{
    struct wire_text method;
    int64_t id;
    if (!wire_array_next(reader, outer) || !wire_integer(reader, 0, UINT32_MAX, &id) ||
        !read_method(reader, outer, &method))
        return false;
    struct wire_reader params = wire_reader(reader->at, (size_t)(reader->end - reader->at));
    if (client->listener.asked != NULL)
        client->listener.asked(client->listener.context, client, (uint32_t)id, method, params);
    else if (client_reply_error(client, (uint32_t)id, REASON_UNKNOWN_METHOD, NULL) != STATUS_OK)
        return false;
    return true;
}

static bool
read_answer(struct client *client, struct wire_reader *reader, struct wire_array *outer,
            struct client_answer *out_answer)
{
    int64_t id;
    *out_answer = (struct client_answer){0};
    if (!wire_array_next(reader, outer) || !wire_integer(reader, 0, UINT32_MAX, &id)) return false;
    if (!wire_array_next(reader, outer) || client->in_flight == 0) return false;
    out_answer->id = (uint32_t)id;
    out_answer->refused = wire_peek(reader) != WIRE_NIL;
    if (out_answer->refused ? !read_error(reader, &out_answer->error) : !wire_skip(reader))
        return false;
    if (!wire_array_next(reader, outer)) return false;
    out_answer->result = wire_reader(reader->at, (size_t)(reader->end - reader->at));
    client->in_flight--;
    return true;
}

// The first answer in `in`; what the server asks or tells before it is handed on. STATUS_OK: an
// answer. STATUS_AGAIN: none is whole. Else the connection is over. `out_handled`: messages of the
// server's own.
static enum status
next_answer(struct client *client, struct client_answer *out_answer, uint32_t *out_handled)
{
    for (;;) {
        size_t len = 0;
        drop_taken(client);
        const uint8_t *message = client->in + client->in_start;
        if (client->in_len == 0) return STATUS_AGAIN;
        if (wire_scan(&client->scan, message, client->in_len, &len) != REASON_NONE) break;
        if (len == 0) return STATUS_AGAIN;
        client->taken = len;
        struct wire_reader reader = wire_reader(message, len);
        struct wire_array outer;
        int64_t type;
        if (!wire_array_begin(&reader, &outer) || !wire_array_next(&reader, &outer)) break;
        if (!wire_integer(&reader, 0, 2, &type)) break;
        if (type == 1) {
            if (outer.count != 4 || !read_answer(client, &reader, &outer, out_answer)) break;
            return STATUS_OK;
        }
        if (outer.count != (type == 0 ? 4 : 3)) break;
        if (type == 0 ? !read_request(client, &reader, &outer)
                      : !read_notification(client, &reader, &outer))
            break;
        if (client->over.status == STATUS_DENIED) return STATUS_DENIED;
        ++*out_handled;
    }
    return end(client, STATUS_DAMAGED, "the server's bytes are not MessagePack-RPC answers");
}

enum status
client_receive(struct client *client, uint32_t timeout_ms, struct client_answer *out_answer,
               struct client_error *out_error)
{
    CHECK(!client->begun);
    usec deadline = deadline_in(timeout_ms);
    usec send = deadline_in(timeout_ms == 0 ? client->timeout_ms : timeout_ms);
    for (;;) {
        // What came before the end of the connection is still handed out.
        (void)flush(client, send);
        uint32_t handled = 0;
        enum status status = next_answer(client, out_answer, &handled);
        if (status == STATUS_OK) return STATUS_OK;
        if (client->over.status != STATUS_OK) return tell_over(client, out_error);
        if (handled > 0) continue;
        size_t before = client->in_len;
        if (read_all(client) != STATUS_AGAIN || client->in_len > before) continue;
        if (timeout_ms == 0) return fail(out_error, STATUS_AGAIN, "no answer yet");
        status = wait_for(client->fd, tls_wants_write(client->tls) ? POLLIN | POLLOUT : POLLIN,
                          deadline);
        if (status == STATUS_OK) continue;
        (void)end(client, STATUS_AGAIN,
                  "no answer in time; the request may have taken effect: ask again with the same "
                  "reference");
        return tell_over(client, out_error);
    }
}

// --- Being asked ---------------------------------------------------------------------------------

void
client_listen(struct client *client, const struct client_listener *listener)
{
    client->listener = *listener;
}

int
client_descriptor(const struct client *client)
{
    return client->fd;
}

struct pack *
client_reply(struct client *client, uint32_t id)
{
    CHECK(!client->begun);
    client->begun = true;
    client->request = (struct pack){.data = client->scratch, .room = sizeof client->scratch};
    pack_array(&client->request, 4);
    pack_integer(&client->request, 1);
    pack_integer(&client->request, id);
    pack_nil(&client->request);
    return &client->request;
}

enum status
client_reply_queue(struct client *client)
{
    CHECK(client->begun);
    client->begun = false;
    if (client->request.full) return STATUS_FULL;
    return buffer_append(&client->pool, &client->out, client->request.data, client->request.len)
               ? STATUS_OK
               : STATUS_FULL;
}

enum status
client_reply_error(struct client *client, uint32_t id, enum reason reason, const char *text)
{
    struct pack *pack = client_reply(client, id);
    pack->len = 0;
    pack_array(pack, 4);
    pack_integer(pack, 1);
    pack_integer(pack, id);
    pack_map(pack, 3);
    pack_pair_integer(pack, "code", reason_number(reason));
    pack_pair_string(pack, "reason", reason_key(reason));
    pack_pair_string(pack, "text", text == NULL ? reason_text(reason) : text);
    pack_nil(pack);
    return client_reply_queue(client);
}

enum status
client_poll(struct client *client, uint32_t timeout_ms, struct client_error *out_error)
{
    CHECK(!client->begun && client->in_flight == 0);
    struct client_answer none;
    usec deadline = deadline_in(timeout_ms), send = deadline_in(client->timeout_ms);
    uint32_t handled = 0;
    for (;;) {
        (void)flush(client, send);
        enum status status = next_answer(client, &none, &handled);
        if (client->out.len > 0 && client->over.status == STATUS_OK) continue;
        if (client->over.status != STATUS_OK && (handled == 0 || status != STATUS_AGAIN))
            return tell_over(client, out_error);
        if (handled > 0) return STATUS_OK;
        size_t before = client->in_len;
        if (read_all(client) != STATUS_AGAIN || client->in_len > before) continue;
        status = wait_for(client->fd, tls_wants_write(client->tls) ? POLLIN | POLLOUT : POLLIN,
                          deadline);
        if (status != STATUS_OK) return fail(out_error, STATUS_AGAIN, "nothing came");
    }
}

enum status
client_call(struct client *client, struct client_answer *out_answer, struct client_error *out_error)
{
    uint32_t id;
    if (client->over.status != STATUS_OK) {
        client->begun = false;
        return tell_over(client, out_error);
    }
    CHECK(client->in_flight == 0);
    if (client_queue(client, &id) != STATUS_OK)
        return fail(out_error, STATUS_FULL, "the request is larger than a message of %d bytes",
                    BOUND_MESSAGE_BYTES);
    enum status status = client_receive(client, client->timeout_ms, out_answer, out_error);
    if (status != STATUS_OK) return status;
    if (out_answer->id != id) {
        (void)end(client, STATUS_DAMAGED, "the server answered what was not asked");
        return tell_over(client, out_error);
    }
    if (!out_answer->refused) return STATUS_OK;
    *out_error = out_answer->error;
    return STATUS_INPUT;
}

uint32_t
client_in_flight(const struct client *client)
{
    return client->in_flight;
}
