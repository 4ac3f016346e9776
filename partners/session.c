// One connection of a partner.
//
//         accept          verified, identified         unreadable, refused, revoked, drained,
//                                                      peer's close_notify
//   FREE --------> HANDSHAKE ------------------> OPEN -----------------------------> ENDING
//    ^               |  session_handshake          |  session_finish                   |
//    |               |                             |                all answered, sent |
//    | session_close | refused                     | broken, stalled                   v
//    +---------------+-----------------------------+-------------------------------- LINGER
//                                                        peer closed, or the deadline came
//
//   1 HANDSHAKE: no byte of the peer is looked at. OPEN: `peer` is whom `identify` named, and is
//     asked for again by listener_recheck.
//   2 A request is counted in `in_flight` from its dispatch to its answer; an answer to an older
//     generation of the place in the table is dropped, so a late answer is harmless. A request of
//     ours is counted in `asked` likewise, and who answers more than was asked is MALFORMED.
//   3 Answers are appended to `out` and leave in session_flush only, once a turn: one record for
//     many.
//   4 No session is closed within a callback of the user: trouble sets `broken`, and the flush
//     closes.
//   5 While `out` holds more than BOUND_OUTPUT_SOFT bytes nothing is read or dispatched (`held`).
//   6 ENDING: nothing is read; when nothing is in flight the refusal, if any, is appended; when
//     all has left, close_notify is sent. LINGER reads and forgets what the peer still sends:
//     closing a socket with unread bytes would reset the connection and could destroy our last
//     message on its way.
//   7 Read-ahead means that bytes may wait in OpenSSL where the socket does not announce them:
//     whoever stops reading early makes the event active again.
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "fail.h"
#include "log.h"
#include "sessions.h"

#define RECORD_BYTES 16384  // the most TLS puts under one seal
#define LINGER_SECONDS 2

static uint32_t
session_index(const struct session *session)
{
    return (uint32_t)(session - session->listener->sessions);
}

static usec
after_seconds(usec now, uint32_t seconds)
{
    return (usec){now.us + (int64_t)seconds * USEC_SECOND};
}

bool
session_may_log(struct listener *listener)
{
    if (listener->log_left == 0) return false;
    listener->log_left--;
    return true;
}

void
session_queue_flush(struct session *session)
{
    if (session->queued) return;
    session->queued = true;
    session->next = session->listener->flush_first;
    session->listener->flush_first = session_index(session);
}

static void
break_off(struct session *session)
{
    session->broken = true;
    session_queue_flush(session);
}

// Who is no longer OPEN answers nothing any more.
static void
tell_ended(struct session *session)
{
    const struct listener_events *events = &session->listener->events;
    struct session_handle handle = {session_index(session), session->generation};
    if (events->ended != NULL) events->ended(events->context, handle, session->peer);
}

// --- Reading -------------------------------------------------------------------------------------

static void
hold(struct session *session)
{
    session->held = true;
    (void)event_del(&session->readable);
}

static void
release(struct session *session)
{
    session->held = false;
    CHECK(event_add(&session->readable, NULL) == 0);
    event_active(&session->readable, EV_READ, 0);
}

void
session_finish(struct session *session, enum reason reason, const char *text)
{
    if (session->state != SESSION_OPEN) return;
    struct listener *listener = session->listener;
    tell_ended(session);
    session->state = SESSION_ENDING;
    session->refusal = reason;
    session->refusal_text = text;
    session->deadline = after_seconds(clock_monotonic(), listener->limits.drain_seconds);
    hold(session);
    buffer_clear(&listener->pool, &session->in);
    if (reason != REASON_NONE) {
        listener->counts.refused++;
        char key[2 * sizeof session->fingerprint.bytes + 1];
        for (size_t i = 0; i < sizeof session->fingerprint.bytes; i++)
            snprintf(key + 2 * i, 3, "%02x", session->fingerprint.bytes[i]);
        if (session_may_log(listener))
            log_warn("partner.refused", "reason=%s fingerprint=%s", reason_key(reason), key);
    }
    session_queue_flush(session);
}

// The request's head, behind its type: STATUS_INPUT: it cannot be answered. STATUS_DENIED: it was
// answered with an error.
static enum status
request_head(struct session *session, struct wire_reader *reader, struct wire_array *outer,
             struct session_request *out_request)
{
    struct wire_array params;
    int64_t id;
    if (!wire_array_next(reader, outer) || !wire_integer(reader, 0, UINT32_MAX, &id))
        return STATUS_INPUT;
    out_request->id = (uint32_t)id;
    struct listener *listener = session->listener;
    struct session_handle handle = out_request->session;
    if (!wire_array_next(reader, outer) ||
        !wire_text(reader, 1, BOUND_CODE, &out_request->method)) {
        session_reply_error(listener, handle, out_request->id, REASON_MALFORMED,
                            "the third element of a request is the method's name, a text", NULL);
        return STATUS_DENIED;
    }
    if (!wire_array_next(reader, outer) || !wire_array_begin(reader, &params) ||
        params.count != 1 || !wire_array_next(reader, &params) || wire_peek(reader) != WIRE_MAP) {
        session_reply_error(
            listener, handle, out_request->id, REASON_MALFORMED,
            "the fourth element of a request is an array that holds one map: [{...}]", NULL);
        return STATUS_DENIED;
    }
    out_request->params = wire_reader(reader->at, (size_t)(reader->end - reader->at));
    return STATUS_OK;
}

static void
malformed(struct session *session)
{
    session->listener->counts.malformed++;
    session_finish(session, REASON_MALFORMED,
                   "a message is a request [0, id, method, [params]] with an id from 0 to "
                   "4294967295, or the answer to a request of ours");
}

static void
dispatch_request(struct session *session, struct wire_reader *reader, struct wire_array *outer)
{
    struct listener *listener = session->listener;
    struct session_request request = {
        .session = {session_index(session), session->generation},
        .peer = session->peer,
        .fingerprint = session->fingerprint,
    };
    listener->counts.requests++;
    session->in_flight++;
    enum status status = request_head(session, reader, outer, &request);
    if (status == STATUS_INPUT) {
        session->in_flight--;
        malformed(session);
    } else if (status == STATUS_DENIED) {
        listener->counts.malformed++;
    } else if (session->in_flight > listener->limits.in_flight) {
        listener->counts.busy++;
        session_reply_error(
            listener, request.session, request.id, REASON_BUSY,
            "too many requests of this connection are unanswered; read answers, then send it again",
            NULL);
    } else {
        listener->events.request(listener->events.context, &request);
    }
}

// Never more answers than questions; which of them it answers is for the asker to know.
static void
dispatch_answer(struct session *session, struct wire_reader *reader, struct wire_array *outer)
{
    struct listener *listener = session->listener;
    struct session_answer answer = {
        .session = {session_index(session), session->generation},
        .peer = session->peer,
    };
    int64_t id;
    if (session->asked == 0 || !wire_array_next(reader, outer) ||
        !wire_integer(reader, 0, UINT32_MAX, &id) || !wire_array_next(reader, outer)) {
        malformed(session);
        return;
    }
    session->asked--;
    listener->counts.answered++;
    answer.id = (uint32_t)id;
    answer.refused = wire_peek(reader) != WIRE_NIL;
    if (!answer.refused && (!wire_skip(reader) || !wire_array_next(reader, outer))) {
        malformed(session);
        return;
    }
    answer.value = wire_reader(reader->at, (size_t)(reader->end - reader->at));
    listener->events.answer(listener->events.context, &answer);
}

static void
dispatch(struct session *session, const uint8_t *message, size_t len)
{
    struct wire_reader reader = wire_reader(message, len);
    struct wire_array outer;
    int64_t type;
    if (!wire_array_begin(&reader, &outer) || outer.count != 4 ||
        !wire_array_next(&reader, &outer) || !wire_integer(&reader, 0, 1, &type)) {
        session->listener->counts.requests++;
        malformed(session);
    } else if (type == 0) {
        dispatch_request(session, &reader, &outer);
    } else {
        dispatch_answer(session, &reader, &outer);
    }
}

// Every whole message in `in`, while the session may speak.
static void
dispatch_all(struct session *session)
{
    while (session->state == SESSION_OPEN && !session->broken && session->in.len > 0) {
        if (session->out.len > BOUND_OUTPUT_SOFT) {
            hold(session);
            return;
        }
        size_t len;
        const uint8_t *message = session->in.data + session->in.start;
        enum reason reason = wire_scan(&session->scan, message, session->in.len, &len);
        if (reason != REASON_NONE) {
            session->listener->counts.malformed++;
            session_finish(session, reason,
                           reason == REASON_TOO_LARGE
                               ? "a message is at most 65536 bytes, 4096 values and 8 levels; send "
                                 "less at a time"
                               : "the bytes are not a MessagePack-RPC request (extension types, "
                                 "dates among them, are "
                                 "not used here)");
            return;
        }
        if (len == 0) return;
        dispatch(session, message, len);
        if (session->state == SESSION_OPEN) buffer_consume(&session->in, len);
    }
}

// Reads what is there, at most one block a turn, so that one peer cannot keep the loop from the
// others.
static void
session_read(struct session *session)
{
    struct buffer_pool *pool = &session->listener->pool;
    struct buffer *in = &session->in;
    if (!buffer_reserve(pool, in, BOUND_MESSAGE_BYTES - in->len)) {
        break_off(session);
        return;
    }
    enum status status = STATUS_OK;
    while (status == STATUS_OK && buffer_room(in) > 0) {
        size_t count = 0;
        status = tls_read(session->tls, buffer_end(in), buffer_room(in), &count);
        if (status != STATUS_OK) break;
        in->len += (uint32_t)count;
        // Nothing waits inside: what comes next the socket announces, so it need not be asked in
        // vain.
        if (!tls_pending(session->tls)) status = STATUS_AGAIN;
    }
    session->progress = session->listener->now;
    bool wants_write = status == STATUS_AGAIN && tls_wants_write(session->tls);
    dispatch_all(session);
    if (session->state == SESSION_OPEN) buffer_trim(pool, in);
    if (wants_write) CHECK(event_add(&session->writable, NULL) == 0);
    if (status == STATUS_CLOSED && !session->held) {
        session_finish(session, REASON_NONE, NULL);
    } else if (status == STATUS_IO || status == STATUS_DENIED) {
        break_off(session);
    } else if (status == STATUS_OK && session->state == SESSION_OPEN && !session->held) {
        event_active(&session->readable, EV_READ, 0);  // invariant 7
    }
}

void
session_identify(struct session *session)
{
    struct listener *listener = session->listener;
    struct session_peer peer = {0};
    enum reason reason = listener->events.identify(listener->events.context, session->fingerprint,
                                                   &peer);
    if (reason != REASON_NONE) {
        session_finish(session, reason, NULL);
        return;
    }
    // Speaks for another from now on: what it asked to be told as the one before is over.
    if (peer.role != session->peer.role || peer.party != session->peer.party) tell_ended(session);
    session->peer = peer;
}

static void
session_handshake(struct session *session)
{
    struct listener *listener = session->listener;
    enum status status = tls_handshake(session->tls);
    if (status == STATUS_AGAIN) {
        if (tls_wants_write(session->tls)) CHECK(event_add(&session->writable, NULL) == 0);
        return;
    }
    if (status == STATUS_OK && !tls_fingerprint(session->tls, &session->fingerprint))
        status = STATUS_DENIED;
    if (status != STATUS_OK) {
        listener->counts.refused++;
        if (session_may_log(listener))
            log_warn("partner.handshake", "failed=\"%s\"", tls_trouble(session->tls));
        session_close(session);
        return;
    }
    session->state = SESSION_OPEN;
    listener->counts.handshaking--;
    session_identify(session);
    if (session->state != SESSION_OPEN) return;
    listener->counts.admitted++;
    session_read(session);
}

// LINGER: forget what comes until the peer closes.
static void
session_linger(struct session *session)
{
    for (unsigned i = 0; i < 4; i++) {
        ssize_t count = read(session->fd, session->listener->scratch,
                             sizeof session->listener->scratch);
        if (count > 0) continue;
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) session_close(session);
        return;
    }
}

static void
on_readable(int fd, short what, void *context)
{
    (void)fd, (void)what;
    struct session *session = context;
    switch (session->state) {
    case SESSION_HANDSHAKE: session_handshake(session); break;
    case SESSION_OPEN:
        if (!session->held && !session->broken) {
            // What a hold left behind comes first: its bytes are older.
            dispatch_all(session);
            if (session->state == SESSION_OPEN && !session->held && !session->broken)
                session_read(session);
        }
        break;
    case SESSION_LINGER: session_linger(session); break;
    case SESSION_ENDING:
    case SESSION_FREE: break;
    }
}

static void
on_writable(int fd, short what, void *context)
{
    (void)fd, (void)what;
    struct session *session = context;
    session->waits_to_write = false;
    if (session->state == SESSION_HANDSHAKE) {
        session_handshake(session);
        return;
    }
    session_queue_flush(session);
    if (session->state == SESSION_OPEN && !session->held)
        event_active(&session->readable, EV_READ, 0);
}

// --- Beginning and end ---------------------------------------------------------------------------

bool
session_start(struct listener *listener, int fd)
{
    uint32_t index = listener->free_first;
    if (index == UINT32_MAX && listener->used == listener->limits.connections) return false;
    struct tls *tls = tls_open(listener->tls, fd, NULL);
    if (tls == NULL) return false;
    if (index != UINT32_MAX) listener->free_first = listener->sessions[index].next;
    else index = listener->used++;
    struct session *session = &listener->sessions[index];
    uint32_t generation = session->generation + 1;
    usec now = clock_monotonic();
    *session = (struct session){
        .listener = listener,
        .tls = tls,
        .fd = fd,
        .state = SESSION_HANDSHAKE,
        .generation = generation == 0 ? 1 : generation,
        .deadline = after_seconds(now, listener->limits.handshake_seconds),
        .progress = now,
    };
    CHECK(event_assign(&session->readable, listener->base, fd, EV_READ | EV_PERSIST, on_readable,
                       session) == 0);
    CHECK(event_assign(&session->writable, listener->base, fd, EV_WRITE, on_writable, session) ==
          0);
    CHECK(event_add(&session->readable, NULL) == 0);
    listener->counts.open++;
    listener->counts.handshaking++;
    return true;
}

void
session_close(struct session *session)
{
    struct listener *listener = session->listener;
    if (session->state == SESSION_FREE) return;
    if (session->state == SESSION_HANDSHAKE) listener->counts.handshaking--;
    if (session->state == SESSION_OPEN) tell_ended(session);
    listener->counts.open--;
    listener->counts.lost_answers += session->in_flight;
    (void)event_del(&session->readable);
    (void)event_del(&session->writable);
    tls_close(session->tls);
    close(session->fd);
    buffer_clear(&listener->pool, &session->in);
    buffer_clear(&listener->pool, &session->out);
    session->tls = NULL;
    session->fd = -1;
    session->state = SESSION_FREE;
    session->generation++;
    session->in_flight = 0;
    session->asked = 0;
    // Still in the list of those to flush: the flush gives it to the free list.
    if (session->queued) return;
    session->next = listener->free_first;
    listener->free_first = session_index(session);
}

static void
say_refused(struct session *session)
{
    struct listener *listener = session->listener;
    struct pack pack = {.data = listener->scratch, .room = sizeof listener->scratch};
    const char *text = session->refusal_text;
    pack_array(&pack, 3);
    pack_integer(&pack, 2);
    pack_string(&pack, "refused");
    pack_array(&pack, 1);
    pack_map(&pack, 3);
    pack_pair_integer(&pack, "code", reason_number(session->refusal));
    pack_pair_string(&pack, "reason", reason_key(session->refusal));
    pack_pair_string(&pack, "text", text == NULL ? reason_text(session->refusal) : text);
    session->refusal = REASON_NONE;
    if (!buffer_append(&listener->pool, &session->out, pack.data, pack.len)) session->broken = true;
}

// All that is ready, in as few records as can be. False: the socket takes no more, or the session
// broke.
static bool
send_all(struct session *session)
{
    struct buffer *out = &session->out;
    while (out->len > 0) {
        size_t count, len = out->len < RECORD_BYTES ? out->len : RECORD_BYTES;
        enum status status = tls_write(session->tls, out->data + out->start, len, &count);
        if (status == STATUS_AGAIN) {
            // What the write waits for may be either; reading goes on anyway.
            session->waits_to_write = true;
            CHECK(event_add(&session->writable, NULL) == 0);
            return false;
        }
        if (status != STATUS_OK) {
            session->broken = true;
            return false;
        }
        session->progress = session->taken = session->listener->now;
        buffer_consume(out, count);
    }
    buffer_trim(&session->listener->pool, out);
    return true;
}

void
session_flush(struct session *session)
{
    if (session->state == SESSION_FREE) return;
    if (!session->broken && !session->waits_to_write) (void)send_all(session);
    if (session->state == SESSION_ENDING && !session->broken && session->in_flight == 0 &&
        session->out.len == 0) {
        if (session->refusal != REASON_NONE) {
            say_refused(session);
            if (!session->broken) (void)send_all(session);
        }
        if (!session->broken && session->out.len == 0) {
            tls_goodbye(session->tls);
            (void)shutdown(session->fd, SHUT_WR);
            session->state = SESSION_LINGER;
            session->deadline = after_seconds(clock_monotonic(), LINGER_SECONDS);
            release(session);
        }
    }
    if (session->broken) {
        session_close(session);
    } else if (session->state == SESSION_OPEN && session->held &&
               session->out.len <= BOUND_OUTPUT_SOFT / 2) {
        release(session);
    }
}

void
session_sweep(struct session *session)
{
    const struct listener_limits *limits = &session->listener->limits;
    int64_t now = session->listener->now.us;
    int64_t quiet = now - session->progress.us, untaken = now - session->taken.us;
    switch (session->state) {
    case SESSION_FREE: break;
    case SESSION_HANDSHAKE:
    case SESSION_ENDING:
    case SESSION_LINGER:
        if (now > session->deadline.us) session_close(session);
        break;
    case SESSION_OPEN:
        if (session->out.len > 0 && untaken > (int64_t)limits->stall_seconds * USEC_SECOND) {
            session_close(session);
        } else if (limits->idle_seconds > 0 && session->in_flight == 0 && session->out.len == 0 &&
                   quiet > (int64_t)limits->idle_seconds * USEC_SECOND) {
            session_finish(session, REASON_NONE, NULL);
        }
        break;
    }
}
