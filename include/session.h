// One connection as its user sees it: who speaks, what was asked, how to answer. A session may end
// at any moment; its handle stays harmless: an answer to a session that is gone goes nowhere.
#ifndef VENDUE_SESSION_H
#define VENDUE_SESSION_H

#include "hash.h"
#include "pack.h"
#include "wire.h"

struct listener;

struct session_handle {
    uint32_t index;
    uint32_t generation;  // 0 is nobody's
};
// Whom a certificate speaks for; filled by the listener's `identify`.
struct session_peer {
    enum role role;
    uint32_t party;  // number of touchpoint or seat, as the user of the listener counts them
};
struct session_request {
    struct session_handle session;
    uint32_t id;  // the peer's number of the request; the answer repeats it
    struct session_peer peer;
    struct digest fingerprint;  // of the peer's public key
    struct wire_text method;
    struct wire_reader params;  // stands at the params map
};
// What the peer answered to a request of ours.
struct session_answer {
    struct session_handle session;
    struct session_peer peer;
    uint32_t id;   // as the peer says; whether we asked that, and when, is for the asker to know
    bool refused;  // `value` is its error, else its result
    struct wire_reader value;
};
// Every request is answered exactly once, during the callback or later, in any order, by one of
// these. What they queue leaves with listener_flush.

// Begins an answer; write exactly one value, the result. NULL: the session is gone, do nothing
// more. Only one answer is being written at a time. A result that grows beyond BOUND_MESSAGE_BYTES
// becomes the error too_large.
struct pack *
session_reply_begin(struct listener *listener, struct session_handle session, uint32_t id);
void session_reply_end(struct listener *listener);
// Answers with an error. `text` NULL: the reason's own sentence. `field` NULL: no place.
void session_reply_error(struct listener *listener, struct session_handle session, uint32_t id,
                         enum reason reason, const char *text, const char *field);
// Answers with a reader's trouble: its reason, place and sentence.
void session_reply_trouble(struct listener *listener, struct session_handle session, uint32_t id,
                           const struct wire_reader *reader);

// --- Saying more than answers --------------------------------------------------------------------
// A request of ours, with an id of the caller's choice; its answer comes as listener_events.answer,
// late or never. A notification gets none. Each: write exactly one map into what begin returns,
// then session_say_end. NULL: nothing can be said now: the session is gone or ending, or its peer
// lets too much wait unread. False: it did not fit one message; nothing was said.
struct pack *session_ask_begin(struct listener *listener, struct session_handle session,
                               uint32_t id, const char *method);
struct pack *
session_notice_begin(struct listener *listener, struct session_handle session, const char *method);
bool session_say_end(struct listener *listener);

#endif
