// What is said to a peer: answers to its requests, requests of ours, and notifications. Each is
// written into the listener's scratch memory, appended to the session's output whole, and leaves
// with the next flush.
//
//   1 An answer is owed: it is appended whatever waits already, and a peer that lets more than
//     BOUND_OUTPUT_HARD bytes wait is hung up on.
//   2 A request of ours or a notification is not: it is not even begun for a peer that lets more
//     than half of BOUND_OUTPUT_SOFT wait, so that it never keeps answers from being read or sent.
#include "session.h"

#include <string.h>

#include "fail.h"
#include "log.h"
#include "sessions.h"

static struct session *
find(const struct listener *listener, struct session_handle handle)
{
    if (handle.index >= listener->used) return NULL;
    struct session *session = &listener->sessions[handle.index];
    if (session->generation != handle.generation || session->state == SESSION_FREE) return NULL;
    return session;
}

static void
begin(struct listener *listener, struct session_handle handle, enum saying saying)
{
    CHECK(listener->saying == SAY_NOTHING);
    listener->reply = (struct pack){.data = listener->scratch, .room = sizeof listener->scratch};
    listener->reply_session = handle;
    listener->saying = saying;
}

static void
begin_answer(struct listener *listener, struct session_handle handle, uint32_t id)
{
    begin(listener, handle, SAY_ANSWER);
    listener->reply_id = id;
    pack_array(&listener->reply, 4);
    pack_integer(&listener->reply, 1);
    pack_integer(&listener->reply, id);
}

static void
append(struct session *session)
{
    struct listener *listener = session->listener;
    if (session->broken) return;
    if (session->out.len == 0) session->taken = listener->now;
    if (session->out.len + listener->reply.len > BOUND_OUTPUT_HARD ||
        !buffer_append(&listener->pool, &session->out, listener->reply.data, listener->reply.len)) {
        if (session_may_log(listener))
            log_warn("partner.unread", "party=%u bytes=%u", session->peer.party, session->out.len);
        session->broken = true;
    }
    session_queue_flush(session);
}

// --- Answers -------------------------------------------------------------------------------------

static void
finish(struct listener *listener)
{
    CHECK(listener->saying == SAY_ANSWER && !listener->reply.full);
    listener->saying = SAY_NOTHING;
    struct session *session = find(listener, listener->reply_session);
    if (session == NULL) return;
    CHECK(session->in_flight > 0);
    session->in_flight--;
    listener->counts.answers++;
    append(session);
}

struct pack *
session_reply_begin(struct listener *listener, struct session_handle handle, uint32_t id)
{
    if (find(listener, handle) == NULL) return NULL;
    begin_answer(listener, handle, id);
    pack_nil(&listener->reply);
    return &listener->reply;
}

void
session_reply_end(struct listener *listener)
{
    if (!listener->reply.full) {
        finish(listener);
        return;
    }
    listener->saying = SAY_NOTHING;
    session_reply_error(listener, listener->reply_session, listener->reply_id, REASON_TOO_LARGE,
                        "the answer does not fit one message; ask for less", NULL);
}

void
session_reply_error(struct listener *listener, struct session_handle handle, uint32_t id,
                    enum reason reason, const char *text, const char *field)
{
    if (find(listener, handle) == NULL) return;
    begin_answer(listener, handle, id);
    struct pack *pack = &listener->reply;
    bool has_field = field != NULL && field[0] != '\0';
    pack_map(pack, has_field ? 4 : 3);
    pack_pair_integer(pack, "code", reason_number(reason));
    pack_pair_string(pack, "reason", reason_key(reason));
    pack_pair_string(pack, "text", text == NULL ? reason_text(reason) : text);
    if (has_field) pack_pair_string(pack, "field", field);
    pack_nil(pack);
    finish(listener);
}

void
session_reply_trouble(struct listener *listener, struct session_handle handle, uint32_t id,
                      const struct wire_reader *reader)
{
    char place[WIRE_PLACE], sentence[WIRE_SENTENCE];
    wire_place(reader, place);
    wire_sentence(reader, sentence);
    session_reply_error(listener, handle, id, reader->reason, sentence, place);
}

// --- Requests of ours, and notifications ---------------------------------------------------------

static bool
takes_more(const struct session *session)
{
    return session != NULL && session->state == SESSION_OPEN && !session->broken &&
           session->out.len <= BOUND_OUTPUT_SOFT / 2;
}

struct pack *
session_ask_begin(struct listener *listener, struct session_handle handle, uint32_t id,
                  const char *method)
{
    if (!takes_more(find(listener, handle))) return NULL;
    begin(listener, handle, SAY_REQUEST);
    pack_array(&listener->reply, 4);
    pack_integer(&listener->reply, 0);
    pack_integer(&listener->reply, id);
    pack_string(&listener->reply, method);
    pack_array(&listener->reply, 1);
    return &listener->reply;
}

struct pack *
session_notice_begin(struct listener *listener, struct session_handle handle, const char *method)
{
    if (!takes_more(find(listener, handle))) return NULL;
    begin(listener, handle, SAY_NOTICE);
    pack_array(&listener->reply, 3);
    pack_integer(&listener->reply, 2);
    pack_string(&listener->reply, method);
    pack_array(&listener->reply, 1);
    return &listener->reply;
}

bool
session_say_end(struct listener *listener)
{
    enum saying saying = listener->saying;
    CHECK(saying == SAY_REQUEST || saying == SAY_NOTICE);
    listener->saying = SAY_NOTHING;
    if (listener->reply.full) return false;
    struct session *session = find(listener, listener->reply_session);
    CHECK(session != NULL);  // nothing closes between begin and end
    if (saying == SAY_REQUEST) {
        session->asked++;
        listener->counts.asked++;
    } else {
        listener->counts.notices++;
    }
    append(session);
    return true;
}
