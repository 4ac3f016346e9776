// What listener.c and session.c share: the listener, and the table of its sessions.
#ifndef VENDUE_SESSIONS_H
#define VENDUE_SESSIONS_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "buffer.h"
#include "clock.h"
#include "listener.h"
#include "tls.h"

enum session_state {  // session.c draws how they follow each other
    SESSION_FREE,
    SESSION_HANDSHAKE,
    SESSION_OPEN,
    SESSION_ENDING,
    SESSION_LINGER
};

// What is being written for a peer.
enum saying { SAY_NOTHING, SAY_ANSWER, SAY_REQUEST, SAY_NOTICE };

struct session {
    struct listener *listener;
    struct tls *tls;
    struct event readable, writable;
    struct buffer in, out;
    struct wire_scan scan;  // of the message at the beginning of `in`
    struct digest fingerprint;
    struct session_peer peer;
    usec deadline;             // HANDSHAKE, ENDING, LINGER: when it is over
    usec progress;             // when bytes last moved, as the sweep counts time
    usec taken;                // when the peer last took of `out`, or `out` began to wait
    const char *refusal_text;  // ENDING: the last message's sentence; NULL: the reason's own
    enum reason refusal;       // ENDING: the last message; REASON_NONE: none is sent
    enum session_state state;
    int fd;
    uint32_t generation, in_flight;
    uint64_t asked;       // requests of ours that it has not answered
    uint32_t next;        // in the free list or the list of those to flush
    bool queued;          // stands in the list of those to flush
    bool held;            // not read: too much output waits, or it ends
    bool broken;          // nothing can be sent any more; ends at the next flush
    bool waits_to_write;  // the socket takes no more now
};

struct listener {
    struct event_base *base;
    struct event *acceptable, *sweep;
    struct tls_context *tls;
    struct listener_limits limits;
    struct listener_events events;
    struct session *sessions;  // `limits.connections` of them
    uint32_t used;             // sessions that were ever taken: the rest is untouched memory
    uint32_t free_first, flush_first;  // UINT32_MAX: none
    struct buffer_pool pool;
    struct pack reply;  // what is being written, for whom
    struct session_handle reply_session;
    uint32_t reply_id;
    enum saying saying;
    bool resting;  // no accepting until the next sweep
    bool draining;
    int fd;
    uint16_t port;
    uint32_t log_left;  // lines this second's misbehaviour may still write
    usec now;           // of the last sweep
    struct listener_counts counts;
    uint8_t scratch[BOUND_MESSAGE_BYTES];
};

// A new session on an accepted socket, which becomes its own. False: no room.
bool session_start(struct listener *listener, int fd);
void session_flush(struct session *session);
// Time passes: deadlines, idleness, stalls.
void session_sweep(struct session *session);
// No more requests; ends with `reason` as its last message (REASON_NONE: without) once all is
// answered.
void session_finish(struct session *session, enum reason reason, const char *text);
void session_identify(struct session *session);
void session_close(struct session *session);
// Stands in the list of those that listener_flush sends for.
void session_queue_flush(struct session *session);
// Hostile peers must not fill the log: false once this second's lines are used up.
bool session_may_log(struct listener *listener);

#endif
