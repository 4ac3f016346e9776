// The methods of docs/protocol.md, section 5: each request is decoded, judged for its role,
// decided, and its mail put; each durable mail becomes its answer. One table names them all.
//
// Invariants
//   (1) what changes the book is answered from the mailbox only, so after its facts are durable;
//       a retry too
//   (2) a refusal changes nothing and is answered at once
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "decode.h"
#include "edge_inside.h"
#include "fail.h"
#include "put.h"

static uint64_t
pack_session(struct session_handle session)
{
    return (uint64_t)session.generation << 32 | session.index;
}

static struct session_handle
unpack_session(uint64_t packed)
{
    return (struct session_handle){(uint32_t)packed, (uint32_t)(packed >> 32)};
}

void
method_refuse(struct edge *edge, struct session_handle session, uint32_t id, enum reason reason,
              const char *field)
{
    atomic_fetch_add_explicit(&edge->counts.refused, 1, memory_order_relaxed);
    session_reply_error(edge->listener, session, id, reason, NULL, field);
}

static void
refuse(struct edge *edge, const struct session_request *request, enum reason reason,
       const char *field)
{
    method_refuse(edge, request->session, request->id, reason, field);
}

void
method_refuse_decoded(struct edge *edge, const struct session_request *request,
                      const struct wire_reader *reader, enum reason reason, const char *field)
{
    if (reason != REASON_NONE) {
        refuse(edge, request, reason, field);
        return;
    }
    atomic_fetch_add_explicit(&edge->counts.refused, 1, memory_order_relaxed);
    session_reply_trouble(edge->listener, request->session, request->id, reader);
}

static struct decode_by
decode_by(const struct edge *edge, const struct session_request *request)
{
    return (struct decode_by){
        .catalog = edge->catalog,
        .book = auctioneer_book(edge->auctioneer),
        .customer_secret = edge->customer_secret,
        .party = (uint16_t)request->peer.party,
        .role = request->peer.role,
        .now = clock_wall(),
    };
}

// Room to make a decision durable; NULL: the request was refused.
static struct fact *
room_for(struct edge *edge, const struct session_request *request)
{
    if (scribe_full(edge->scribe)) {
        refuse(edge, request, REASON_JOURNAL_FULL, NULL);
        return NULL;
    }
    struct fact *facts = mailbox_room(edge->box);
    if (facts == NULL) refuse(edge, request, REASON_BUSY, NULL);
    return facts;
}

static struct mail *
put_mail(struct edge *edge, const struct live_asker *asker, enum mail_kind kind, unsigned facts,
         bool repeated)
{
    struct mail *mail = mailbox_put(edge->box, repeated ? 0 : facts);
    mail->session = pack_session(asker->session);
    mail->message_id = asker->id;
    mail->kind = (uint8_t)kind;
    mail->repeated = repeated;
    mail->catalog = edge->catalog;
    return mail;
}

// --- Methods -----------------------------------------------------------------------------------

static const char *
party_code(const struct catalog *catalog, struct session_peer peer)
{
    switch (peer.role) {
    case ROLE_SEAT: {
        uint32_t seat = catalog_seat_by_id(catalog, peer.party);
        return seat == UINT32_MAX ? "removed" : catalog->seats[seat].code;
    }
    case ROLE_TOUCHPOINT:
        for (uint32_t i = 0; i < catalog->touchpoint_count; i++)
            if (catalog->touchpoints[i].id == peer.party) return catalog->touchpoints[i].code;
        return "removed";
    case ROLE_OPERATOR:
    case ROLE_COUNT: break;
    }
    return "operator";
}

static void
method_hello(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    struct wire_text client, version;
    if (!decode_hello(&params, &client, &version)) {
        method_refuse_decoded(edge, request, &params, REASON_NONE, NULL);
        return;
    }
    struct pack *pack = session_reply_begin(edge->listener, request->session, request->id);
    if (pack == NULL) return;
    pack_map(pack, 9);
    pack_pair_string(pack, "server", "vendue " VENDUE_VERSION);
    pack_pair_integer(pack, "protocol", 1);
    pack_pair_string(pack, "role", role_name(request->peer.role));
    pack_pair_string(pack, "party", party_code(edge->catalog, request->peer));
    pack_pair_string(pack, "market", edge->catalog->market);
    pack_pair_integer(pack, "catalog", (int64_t)edge->catalog->version);
    pack_pair_text(pack, "cur", edge->catalog->currency.code, 3);
    pack_pair_integer(pack, "now_us", clock_wall().us);
    pack_string(pack, "limits");
    pack_map(pack, 4);
    pack_pair_integer(pack, "message_bytes", BOUND_MESSAGE_BYTES);
    pack_pair_integer(pack, "message_items", BOUND_MESSAGE_ITEMS);
    pack_pair_integer(pack, "in_flight", edge->settings->seat_in_flight);
    pack_pair_integer(pack, "idle_seconds", 0);
    session_reply_end(edge->listener);
}

// The answer of a test: nothing happened, so nothing has to be durable.
static void
answer_test(struct edge *edge, const struct live_asker *asker, const struct fact *facts,
            unsigned count)
{
    struct pack *pack = session_reply_begin(edge->listener, asker->session, asker->id);
    if (pack == NULL) return;
    answer_contact(pack, edge->catalog, facts, count, false, true);
    session_reply_end(edge->listener);
}

static void
count_contact(struct edge *edge, const struct live_contact *contact, const struct fact *facts,
              unsigned count)
{
    uint64_t placements = 0;
    for (unsigned i = 1; i < count && i <= facts[0].opened.slots; i++)
        placements += facts[i].kind == FACT_PLACEMENT;
    atomic_fetch_add_explicit(&edge->counts.contacts, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&edge->counts.placements, placements, memory_order_relaxed);
    if (edge->spool != NULL)
        spool_contact(edge->spool, edge->catalog, contact->contact, facts[0].contact, facts[0].at,
                      contact->live);
}

bool
method_decide(struct edge *edge, const struct live_contact *contact, usec now)
{
    bool repeated = false;
    unsigned count = 0;
    struct fact *facts = scribe_full(edge->scribe) ? NULL : mailbox_room(edge->box);
    enum reason reason = scribe_full(edge->scribe) ? REASON_JOURNAL_FULL
                         : facts == NULL           ? REASON_BUSY
                                                   : REASON_NONE;
    if (reason == REASON_NONE)
        reason = auctioneer_contact(edge->auctioneer, contact->contact, contact->live,
                                    contact->test, now, facts, &count, &repeated);
    bool held = false;
    for (uint32_t i = 0; i < contact->asker_count; i++) {
        const struct live_asker *asker = &contact->askers[i];
        // Askers behind the first have mails of their own, as retries.
        bool again = repeated || i > 0;
        if (reason == REASON_NONE && i > 0 && mailbox_room(edge->box) == NULL) reason = REASON_BUSY;
        if (reason != REASON_NONE) {
            method_refuse(edge, asker->session, asker->id, reason,
                          reason == REASON_CONFLICT ? "id" : NULL);
            continue;
        }
        if (contact->test && !repeated) {
            answer_test(edge, asker, facts, count);
            continue;
        }
        struct mail *mail = put_mail(edge, asker, MAIL_CONTACT, count, again);
        mail->request_key = contact->contact->request_key;
        if (again) continue;
        mail->held = contact->held;
        held = contact->held != 0;
        count_contact(edge, contact, facts, count);
    }
    return held;
}

static void
method_contact(struct edge *edge, const struct session_request *request)
{
    struct decode_by by = decode_by(edge, request);
    struct wire_reader params = request->params;
    enum reason reason;
    struct decode_wish wish;
    if (!decode_contact(&by, &params, &edge->contact, &wish, &reason)) {
        method_refuse_decoded(edge, request, &params, reason, "container");
        return;
    }
    struct live_contact contact;
    if (live_ask(edge->live, request, &edge->contact, &wish, by.now, &contact) != LIVE_DECIDE)
        return;
    struct live_asker asker = {request->session, request->id};
    contact.askers = &asker;
    contact.asker_count = 1;
    (void)method_decide(edge, &contact, by.now);
}

// What an event that was judged and refused stumbled over.
static const char *
event_field(enum reason reason, const struct event *event)
{
    bool revenue = event->kind == FACT_CONVERTED || event->kind == FACT_REFUNDED;
    if (reason == REASON_UNKNOWN_PLACEMENT || reason == REASON_NOT_YOURS) return "placement";
    if (reason == REASON_OUT_OF_RANGE) return "at_us";
    if (reason == REASON_CURRENCY) return "cur";
    if (reason == REASON_REFUND_EXCEEDS) return "amount_micros";
    if (reason == REASON_CONFLICT && revenue) return "order";
    return reason == REASON_BUSY ? NULL : "event";
}

// Shown, says the touchpoint, but after the window: it is not due, and its seat may know.
static void
count_late(struct edge *edge, const struct event *event)
{
    struct book_placement placement;
    atomic_fetch_add_explicit(&edge->counts.late, 1, memory_order_relaxed);
    if (live_bidders(edge->live)->with_notices == 0) return;
    if (book_find_placement(auctioneer_book(edge->auctioneer), event->placement, &placement))
        notice_late(edge, placement.fact, event->effective);
}

static void
method_event(struct edge *edge, const struct session_request *request)
{
    struct decode_by by = decode_by(edge, request);
    struct wire_reader params = request->params;
    struct event event;
    struct id named;
    enum reason reason;
    bool repeated = false;
    if (!decode_event(&by, &params, &event, &named, &reason)) {
        method_refuse_decoded(edge, request, &params, reason, "event");
        return;
    }
    struct fact *fact = room_for(edge, request);
    if (fact == NULL) return;
    reason = auctioneer_event(edge->auctioneer, &event, by.now, fact, &repeated);
    if (reason != REASON_NONE) {
        if (reason == REASON_LATE && event.kind == FACT_DELIVERED) count_late(edge, &event);
        refuse(edge, request, reason, event_field(reason, &event));
        return;
    }
    struct mail *mail = put_mail(edge, &(struct live_asker){request->session, request->id},
                                 MAIL_EVENT, 1, repeated);
    mail->placement = named;
    mail->event = (uint8_t)event.kind;
    if (!repeated) atomic_fetch_add_explicit(&edge->counts.events, 1, memory_order_relaxed);
}

static void
offer_bid(struct edge *edge, const struct session_request *request, const struct offer *offer,
          usec now)
{
    bool repeated = false;
    struct fact *fact = room_for(edge, request);
    if (fact == NULL) return;
    enum reason reason = auctioneer_offer(edge->auctioneer, offer, now, fact, &repeated);
    if (reason != REASON_NONE) {
        const char *field = reason == REASON_NOT_YOURS  ? "message"
                            : reason == REASON_CURRENCY ? "cur"
                                                        : NULL;
        refuse(edge, request, reason, field);
        return;
    }
    struct mail *mail = put_mail(edge, &(struct live_asker){request->session, request->id},
                                 MAIL_BID, 1, repeated);
    mail->bid = event_bid_id(offer->seat, offer->key);
    mail->state = offer->state;
    memcpy(mail->key, offer->key, sizeof mail->key);
    if (!repeated) atomic_fetch_add_explicit(&edge->counts.bids, 1, memory_order_relaxed);
}

static void
method_bid_put(struct edge *edge, const struct session_request *request)
{
    struct decode_by by = decode_by(edge, request);
    struct wire_reader params = request->params;
    struct offer offer;
    enum reason reason;
    if (decode_bid_put(&by, &params, &offer, &reason)) offer_bid(edge, request, &offer, by.now);
    else
        method_refuse_decoded(edge, request, &params, reason,
                              reason == REASON_UNKNOWN_SLOT ? "tagid" : "message");
}

static void
method_bid_withdraw(struct edge *edge, const struct session_request *request)
{
    struct decode_by by = decode_by(edge, request);
    struct wire_reader params = request->params;
    struct offer offer;
    if (decode_bid_withdraw(&by, &params, &offer)) offer_bid(edge, request, &offer, by.now);
    else method_refuse_decoded(edge, request, &params, REASON_NONE, NULL);
}

// Through the mailbox like the rest: the list must not tell of a bid that is not yet durable. What
// it tells is taken down now: it must not tell of a bid put after it was asked for either.
static void
method_bid_list(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    uint64_t after;
    uint32_t limit;
    if (!decode_bid_list(&params, &after, &limit)) {
        method_refuse_decoded(edge, request, &params, REASON_NONE, NULL);
        return;
    }
    if (edge->lists_taken == UINT64_MAX || mailbox_room(edge->box) == NULL) {
        refuse(edge, request, REASON_BUSY, NULL);
        return;
    }
    struct mail *mail = put_mail(edge, &(struct live_asker){request->session, request->id},
                                 MAIL_BID_LIST, 0, true);
    mail->list = (uint32_t)__builtin_ctzll(~edge->lists_taken);
    edge->lists_taken |= UINT64_C(1) << mail->list;
    answer_find_bids(edge->catalog, edge->edition->listing, auctioneer_book(edge->auctioneer),
                     (uint16_t)request->peer.party, after, limit, &edge->lists[mail->list]);
}

// Statements lie in files: the loader's thread reads them.
static struct errand *
begin_errand(struct edge *edge, const struct session_request *request)
{
    struct errand *errand = errand_begin(edge->errands);
    if (errand == NULL) {
        refuse(edge, request, REASON_BUSY, NULL);
        return NULL;
    }
    errand->session = request->session;
    errand->id = request->id;
    snprintf(errand->seat, sizeof errand->seat, "%s", party_code(edge->catalog, request->peer));
    return errand;
}

static void
method_statement_list(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    if (!decode_nothing(&params)) {
        method_refuse_decoded(edge, request, &params, REASON_NONE, NULL);
        return;
    }
    struct errand *errand = begin_errand(edge, request);
    if (errand == NULL) return;
    errand->list = true;
    errand_send(edge->errands, errand);
}

static void
method_statement_get(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    struct decode_statement get;
    enum reason reason;
    if (!decode_statement_get(&params, &get, &reason)) {
        method_refuse_decoded(edge, request, &params, reason,
                              get.format == NULL ? "format" : "period");
        return;
    }
    struct errand *errand = begin_errand(edge, request);
    if (errand == NULL) return;
    errand->list = false;
    errand->get = get;
    errand_send(edge->errands, errand);
}

void
method_speak_errands(struct edge *edge)
{
    struct errand *errand;
    while ((errand = errand_done(edge->errands)) != NULL) {
        if (errand->reason != REASON_NONE) {
            method_refuse(edge, errand->session, errand->id, errand->reason, errand->field);
        } else {
            struct pack *pack = session_reply_begin(edge->listener, errand->session, errand->id);
            if (pack != NULL) {
                put_bytes(pack, errand->result, errand->len);
                session_reply_end(edge->listener);
            }
        }
        errand_end(edge->errands, errand);
    }
}

#define ROLES(role) (1u << (role))

static const struct method {
    const char *name;
    uint32_t roles;
    void (*run)(struct edge *edge, const struct session_request *request);
} methods[] = {
    {"contact", ROLES(ROLE_TOUCHPOINT), method_contact},
    {"event", ROLES(ROLE_TOUCHPOINT) | ROLES(ROLE_SEAT), method_event},
    {"bid.put", ROLES(ROLE_SEAT), method_bid_put},
    {"bid.list", ROLES(ROLE_SEAT), method_bid_list},
    {"bid.withdraw", ROLES(ROLE_SEAT), method_bid_withdraw},
    {"subscribe", ROLES(ROLE_SEAT), method_subscribe},
    {"live.state", ROLES(ROLE_SEAT), method_live_state},
    {"reasons", ROLES(ROLE_SEAT), method_reasons},
    {"statement.list", ROLES(ROLE_SEAT), method_statement_list},
    {"statement.get", ROLES(ROLE_SEAT), method_statement_get},
    {"hello", ROLES(ROLE_TOUCHPOINT) | ROLES(ROLE_SEAT) | ROLES(ROLE_OPERATOR), method_hello},
};

void
method_request(struct edge *edge, const struct session_request *request)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (!wire_same(request->method, methods[i].name)) continue;
        if ((methods[i].roles & ROLES(request->peer.role)) == 0)
            refuse(edge, request, REASON_WRONG_ROLE, NULL);
        else methods[i].run(edge, request);
        return;
    }
    refuse(edge, request, REASON_UNKNOWN_METHOD, NULL);
}

// --- Answers -----------------------------------------------------------------------------------

static void
speak_contact(struct edge *edge, struct pack *pack, const struct mail *mail)
{
    if (!mail->repeated) {
        answer_contact(pack, mail->catalog, mail->fact, mail->facts, false, false);
        return;
    }
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count = book_recall(auctioneer_book(edge->auctioneer), mail->request_key, facts);
    CHECK(count >
          0);  // found when it was decided; the book forgets on new contacts only, long after
    answer_contact(pack, edge->catalog, facts, count, true, false);
}

static void
speak(struct edge *edge, const struct mail *mail)
{
    if (mail->session == 0) return;
    struct pack *pack = session_reply_begin(edge->listener, unpack_session(mail->session),
                                            mail->message_id);
    if (pack == NULL) return;  // the session is gone; a retry will be told
    switch ((enum mail_kind)mail->kind) {
    case MAIL_CONTACT: speak_contact(edge, pack, mail); break;
    case MAIL_EVENT:
        answer_event(pack, mail->placement, (enum fact_kind)mail->event, mail->repeated);
        break;
    case MAIL_BID:
        answer_bid(pack, mail->catalog, mail->key, mail->bid, mail->state, mail->repeated);
        break;
    case MAIL_BID_LIST: answer_bid_list(pack, mail->catalog, &edge->lists[mail->list]); break;
    case MAIL_EXPIRY: break;
    }
    session_reply_end(edge->listener);
}

// What else follows from facts that are durable.
static void
follow(struct edge *edge, const struct mail *mail)
{
    if (mail->kind == MAIL_CONTACT) {
        reasons_apply(edge->reasons, mail->fact, mail->facts);
        notice_contact(edge, mail);
        live_release(edge->live, mail->held);
    } else if (mail->kind == MAIL_EVENT) {
        notice_event(edge, mail->fact);
    }
}

void
method_speak(struct edge *edge)
{
    const struct mail *mail;
    while ((mail = mailbox_durable(edge->box)) != NULL) {
        if (mail->kind == MAIL_BID && !mail->repeated) {
            struct catalog_position position = {edge->settings->log, edge->settings->epoch,
                                                mail->batch};
            auctioneer_bid_durable(edge->auctioneer, mail->fact, position);
        }
        speak(edge, mail);
        if (mail->facts > 0) follow(edge, mail);
        if (mail->kind == MAIL_BID_LIST) edge->lists_taken &= ~(UINT64_C(1) << mail->list);
        mailbox_consume(edge->box);
    }
}
