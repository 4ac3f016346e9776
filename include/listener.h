// The partner API's listening socket and its sessions, on one event loop. Nothing here is shared
// between threads: the caller's loop calls back, and the caller calls from that same thread only.
#ifndef VENDUE_LISTENER_H
#define VENDUE_LISTENER_H

#include "session.h"

struct event_base;
struct listener;

struct listener_paths {
    const char *ca, *certificate, *key;  // PEM files
};
struct listener_limits {
    uint32_t connections;        // at once; one more is closed after accept
    uint32_t in_flight;          // unanswered requests of one connection; one more is answered busy
    uint32_t handshake_seconds;  // from accept to a verified peer
    uint32_t idle_seconds;       // without a byte and without a request under way; 0 for ever
    uint32_t stall_seconds;      // with answers that the peer does not take
    uint32_t drain_seconds;      // for the last answers of a session that is ending
};
extern const struct listener_limits listener_limits_default;

struct listener_events {
    void *context;
    // REASON_NONE and `out_peer`, or why this certificate may not speak (UNKNOWN_CERTIFICATE,
    // REVOKED).
    enum reason (*identify)(void *context, struct digest fingerprint,
                            struct session_peer *out_peer);
    // A request; what it points to lives until the callback returns. Answer it once (session.h).
    void (*request)(void *context, const struct session_request *request);
    // An answer to a request of ours; NULL when the user never asks.
    void (*answer)(void *context, const struct session_answer *answer);
    // A session that was admitted answers no more; what was asked of it will not be answered.
    // Called from within the loop or listener_recheck, listener_drain, listener_close. May be NULL.
    void (*ended)(void *context, struct session_handle session, struct session_peer peer);
};
struct listener_error {
    char text[512];  // "tls/server.key: ...": what is wrong and where
};
struct listener_counts {
    uint64_t accepted, admitted, refused, requests, busy, answers, lost_answers, malformed;
    uint64_t asked, answered, notices;  // requests of ours, their answers; notifications
    uint32_t open, handshaking;
};

// Opens the socket on `base` (created with EVENT_BASE_FLAG_NOLOCK; owned by the caller, closed
// after the listener). `port` 0: any free one. STATUS_INPUT: certificate, key or address cannot be
// used. STATUS_IO: the system refuses the socket. SIGPIPE must be ignored by the process.
MUST_CHECK enum status
listener_open(struct event_base *base, const char *host, uint16_t port,
              const struct listener_paths *paths, const struct listener_limits *limits,
              const struct listener_events *events, struct listener **out_listener,
              struct listener_error *out_error);
void listener_close(struct listener *listener);  // ends all sessions at once; NULL is allowed
uint16_t listener_port(const struct listener *listener);

// Sends what was answered. The loop calls it once a turn, after all callbacks and all answers of
// the turn.
void listener_flush(struct listener *listener);
// No new connections, no new requests; answers under way still leave. True once no session is open.
void listener_drain(struct listener *listener);
bool listener_idle(const struct listener *listener);
// Asks `identify` again for every session and ends those it refuses now: call it after every change
// of certificates.
void listener_recheck(struct listener *listener);
// Reads the PEM files again; connections from now on use them. On an error the old ones stay.
MUST_CHECK enum status
listener_reload(struct listener *listener, const struct listener_paths *paths,
                struct listener_error *out_error);
struct listener_counts listener_counts(const struct listener *listener);

#endif
