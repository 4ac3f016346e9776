// The edge's turn:
//   1 sleep until a session, a timer, the scribe or the loader has something (not when answers already wait)
//   2 requests: decoded, decided, their facts put in the mailbox (callbacks of the listener)
//   3 a new catalog takes over between two requests; the old one goes when all it decided is answered
//   4 placements whose delivery window ended
//   5 publish: the scribe sees everything of the turn at once
//   6 speak: answers of what is durable by now
//   7 flush: one write a session
//
// Invariants
//   (1) what changes the book is answered from the mailbox only, so after its facts are durable; a retry too
//   (2) a refusal changes nothing and is answered at once
//   (3) the catalog of a mail outlives the mail
#include "edge.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "decode.h"
#include "fail.h"
#include "listener.h"
#include "log.h"
#include "statements.h"

#define EDGE_TICK_US 20000       // expiries are noticed within it
#define EDGE_EXPIRIES 256        // of one turn, so that a wave of them does not hold up requests
#define EDGE_DRAIN_US 5000000    // a clean stop waits so long for slow readers of answers

struct edge_counts {             // read by the loader's thread for the status file
    _Atomic uint64_t catalog_version, contacts, placements, events, bids, refused, expired;
    _Atomic uint32_t connections;
};

struct edge {
    const struct settings *settings;
    struct auctioneer *auctioneer;
    struct mailbox *box;
    struct scribe *scribe;
    struct loader *loader;
    struct catalog *catalog, *retiring;
    uint64_t retiring_mark;
    uint8_t customer_secret[16];
    struct event_base *base;
    struct event *wake, *tick, *terminate, *interrupt;
    struct listener *listener;
    bool stopping;
    usec started;
    struct contact contact;      // scratch of the request being decoded
    struct edge_counts counts;
};

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

static void
refuse(struct edge *edge, const struct session_request *request, enum reason reason, const char *field)
{
    atomic_fetch_add_explicit(&edge->counts.refused, 1, memory_order_relaxed);
    session_reply_error(edge->listener, request->session, request->id, reason, NULL, field);
}

// The request could not be read: the reader's trouble, or a reason of the market's.
static void
refuse_decoded(struct edge *edge, const struct session_request *request, const struct wire_reader *reader,
               enum reason reason, const char *field)
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
put_mail(struct edge *edge, const struct session_request *request, enum mail_kind kind, unsigned facts, bool repeated)
{
    struct mail *mail = mailbox_put(edge->box, repeated ? 0 : facts);
    mail->session = pack_session(request->session);
    mail->message_id = request->id;
    mail->kind = (uint8_t)kind;
    mail->repeated = repeated;
    mail->catalog = edge->catalog;
    return mail;
}

// --- Methods ---------------------------------------------------------------------------------------

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
    case ROLE_COUNT:
        break;
    }
    return "operator";
}

static void
method_hello(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    struct wire_text client, version;
    if (!decode_hello(&params, &client, &version)) {
        refuse_decoded(edge, request, &params, REASON_NONE, NULL);
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

static void
method_contact(struct edge *edge, const struct session_request *request)
{
    struct decode_by by = decode_by(edge, request);
    struct wire_reader params = request->params;
    enum reason reason;
    bool test = false, repeated = false;
    if (!decode_contact(&by, &params, &edge->contact, &test, &reason)) {
        refuse_decoded(edge, request, &params, reason, reason == REASON_UNKNOWN_SLOT ? "imp" : "container");
        return;
    }
    struct fact *facts = room_for(edge, request);
    if (facts == NULL) return;
    unsigned count = 0;
    reason = auctioneer_contact(edge->auctioneer, &edge->contact, test, by.now, facts, &count, &repeated);
    if (reason != REASON_NONE) {
        refuse(edge, request, reason, reason == REASON_CONFLICT ? "id" : NULL);
        return;
    }
    if (test && !repeated) {  // nothing happened, so nothing has to be durable
        struct pack *pack = session_reply_begin(edge->listener, request->session, request->id);
        if (pack == NULL) return;
        answer_contact(pack, edge->catalog, facts, count, false, true);
        session_reply_end(edge->listener);
        return;
    }
    struct mail *mail = put_mail(edge, request, MAIL_CONTACT, count, repeated);
    mail->request_key = edge->contact.request_key;
    if (repeated) return;
    atomic_fetch_add_explicit(&edge->counts.contacts, 1, memory_order_relaxed);
    for (unsigned i = 1; i < count; i++)
        if (facts[i].kind == FACT_PLACEMENT)
            atomic_fetch_add_explicit(&edge->counts.placements, 1, memory_order_relaxed);
}

static void
method_event(struct edge *edge, const struct session_request *request)
{
    struct decode_by by = decode_by(edge, request);
    struct wire_reader params = request->params;
    struct event event;
    enum reason reason;
    bool repeated = false;
    if (!decode_event(&by, &params, &event, &reason)) {
        refuse_decoded(edge, request, &params, reason, "event");
        return;
    }
    struct fact *fact = room_for(edge, request);
    if (fact == NULL) return;
    reason = auctioneer_event(edge->auctioneer, &event, by.now, fact, &repeated);
    if (reason != REASON_NONE) {
        refuse(edge, request, reason, reason == REASON_CURRENCY ? "cur" : NULL);
        return;
    }
    struct mail *mail = put_mail(edge, request, MAIL_EVENT, 1, repeated);
    mail->placement = event.placement;
    mail->event = (uint8_t)event.kind;
    if (!repeated) atomic_fetch_add_explicit(&edge->counts.events, 1, memory_order_relaxed);
}

static void
offer_bid(struct edge *edge, const struct session_request *request, const struct offer *offer, usec now)
{
    bool repeated = false;
    struct fact *fact = room_for(edge, request);
    if (fact == NULL) return;
    enum reason reason = auctioneer_offer(edge->auctioneer, offer, now, fact, &repeated);
    if (reason != REASON_NONE) {
        const char *field = reason == REASON_NOT_YOURS ? "message" : reason == REASON_CURRENCY ? "cur" : NULL;
        refuse(edge, request, reason, field);
        return;
    }
    struct mail *mail = put_mail(edge, request, MAIL_BID, 1, repeated);
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
    else refuse_decoded(edge, request, &params, reason, reason == REASON_UNKNOWN_SLOT ? "tagid" : "message");
}

static void
method_bid_withdraw(struct edge *edge, const struct session_request *request)
{
    struct decode_by by = decode_by(edge, request);
    struct wire_reader params = request->params;
    struct offer offer;
    if (decode_bid_withdraw(&by, &params, &offer)) offer_bid(edge, request, &offer, by.now);
    else refuse_decoded(edge, request, &params, REASON_NONE, NULL);
}

// Through the mailbox like the rest: the list must not tell of a bid that is not yet durable.
static void
method_bid_list(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    uint64_t after;
    uint32_t limit;
    if (!decode_bid_list(&params, &after, &limit)) {
        refuse_decoded(edge, request, &params, REASON_NONE, NULL);
        return;
    }
    if (mailbox_room(edge->box) == NULL) {
        refuse(edge, request, REASON_BUSY, NULL);
        return;
    }
    struct mail *mail = put_mail(edge, request, MAIL_BID_LIST, 0, true);
    mail->bid = after;
    mail->limit = limit;
    mail->seat = (uint16_t)request->peer.party;
}

static void
method_statement_list(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    if (!decode_nothing(&params)) {
        refuse_decoded(edge, request, &params, REASON_NONE, NULL);
        return;
    }
    struct pack *pack = session_reply_begin(edge->listener, request->session, request->id);
    if (pack == NULL) return;
    statements_list(pack, edge->settings->directory, party_code(edge->catalog, request->peer));
    session_reply_end(edge->listener);
}

static void
method_statement_get(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    struct decode_statement get;
    enum reason reason;
    if (!decode_statement_get(&params, &get, &reason)) {
        refuse_decoded(edge, request, &params, reason, get.format == NULL ? "format" : "period");
        return;
    }
    int file;
    int64_t bytes;
    reason = statements_find(edge->settings->directory, party_code(edge->catalog, request->peer), &get, &file, &bytes);
    if (reason != REASON_NONE) {
        refuse(edge, request, reason, reason == REASON_OUT_OF_RANGE ? "offset" : "period");
        return;
    }
    struct pack *pack = session_reply_begin(edge->listener, request->session, request->id);
    if (pack == NULL) {
        close(file);
        return;
    }
    statements_get(pack, &get, file, bytes);
    session_reply_end(edge->listener);
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
    {"statement.list", ROLES(ROLE_SEAT), method_statement_list},
    {"statement.get", ROLES(ROLE_SEAT), method_statement_get},
    {"hello", ROLES(ROLE_TOUCHPOINT) | ROLES(ROLE_SEAT) | ROLES(ROLE_OPERATOR), method_hello},
};

static void
on_request(void *context, const struct session_request *request)
{
    struct edge *edge = context;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (!wire_same(request->method, methods[i].name)) continue;
        if ((methods[i].roles & ROLES(request->peer.role)) == 0) refuse(edge, request, REASON_WRONG_ROLE, NULL);
        else methods[i].run(edge, request);
        return;
    }
    refuse(edge, request, REASON_UNKNOWN_METHOD, NULL);
}

static enum reason
on_identify(void *context, struct digest fingerprint, struct session_peer *out_peer)
{
    const struct edge *edge = context;
    if (edge->catalog == NULL) return REASON_NO_MARKET;
    const struct market_certificate *found = catalog_certificate(edge->catalog, fingerprint);
    if (found == NULL) return REASON_UNKNOWN_CERTIFICATE;
    if (found->revoked) return REASON_REVOKED;
    *out_peer = (struct session_peer){(enum role)found->role, found->party};
    return REASON_NONE;
}

// --- Answers ---------------------------------------------------------------------------------------

static void
speak_contact(struct edge *edge, struct pack *pack, const struct mail *mail)
{
    if (!mail->repeated) {
        answer_contact(pack, mail->catalog, mail->fact, mail->facts, false, false);
        return;
    }
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count = book_recall(auctioneer_book(edge->auctioneer), mail->request_key, facts);
    CHECK(count > 0);  // found when it was decided; the book forgets on new contacts only, long after
    answer_contact(pack, edge->catalog, facts, count, true, false);
}

static void
speak(struct edge *edge, const struct mail *mail)
{
    if (mail->session == 0) return;
    struct pack *pack = session_reply_begin(edge->listener, unpack_session(mail->session), mail->message_id);
    if (pack == NULL) return;  // the session is gone; a retry will be told
    switch ((enum mail_kind)mail->kind) {
    case MAIL_CONTACT:
        speak_contact(edge, pack, mail);
        break;
    case MAIL_EVENT:
        answer_event(pack, mail->placement, (enum fact_kind)mail->event, mail->repeated);
        break;
    case MAIL_BID:
        answer_bid(pack, mail->catalog, mail->key, mail->bid, mail->state, mail->repeated);
        break;
    case MAIL_BID_LIST:
        answer_bid_list(pack, edge->catalog, auctioneer_book(edge->auctioneer), mail->seat, mail->bid, mail->limit);
        break;
    case MAIL_EXPIRY:
        break;
    }
    session_reply_end(edge->listener);
}

static void
speak_durable(struct edge *edge)
{
    const struct mail *mail;
    while ((mail = mailbox_durable(edge->box)) != NULL) {
        if (mail->kind == MAIL_BID && !mail->repeated) {
            struct catalog_position position = {edge->settings->log, edge->settings->epoch, mail->batch};
            auctioneer_bid_durable(edge->auctioneer, mail->fact, position);
        }
        speak(edge, mail);
        mailbox_consume(edge->box);
    }
}

// --- The turn --------------------------------------------------------------------------------------

static void
change_catalog(struct edge *edge)
{
    if (edge->retiring != NULL) {
        if (!mailbox_passed(edge->box, edge->retiring_mark)) return;
        loader_give_back(edge->loader, edge->retiring);
        edge->retiring = NULL;
    }
    struct catalog *catalog = loader_take(edge->loader);
    if (catalog == NULL) return;
    edge->retiring = edge->catalog;
    edge->retiring_mark = mailbox_mark(edge->box);
    edge->catalog = catalog;
    auctioneer_catalog(edge->auctioneer, catalog);
    listener_recheck(edge->listener);
    atomic_store(&edge->counts.catalog_version, catalog->version);
    log_info("catalog.live", "version=%llu bids=%u", (unsigned long long)catalog->version, catalog->bid_count);
}

static void
expire(struct edge *edge)
{
    usec now = clock_wall();
    for (unsigned i = 0; i < EDGE_EXPIRIES; i++) {
        struct fact *fact = scribe_full(edge->scribe) ? NULL : mailbox_room(edge->box);
        if (fact == NULL || !auctioneer_expire(edge->auctioneer, now, fact)) return;
        struct mail *mail = mailbox_put(edge->box, 1);
        mail->kind = MAIL_EXPIRY;
        mail->catalog = edge->catalog;
        atomic_fetch_add_explicit(&edge->counts.expired, 1, memory_order_relaxed);
    }
}

static void
turn(struct edge *edge)
{
    bool sleeps = mailbox_edge_sleeps(edge->box);
    int rc = event_base_loop(edge->base, sleeps ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);
    CHECK(rc >= 0);
    mailbox_edge_wakes(edge->box);
    change_catalog(edge);
    expire(edge);
    mailbox_publish(edge->box);
    speak_durable(edge);
    listener_flush(edge->listener);
    atomic_store_explicit(&edge->counts.connections, listener_counts(edge->listener).open, memory_order_relaxed);
}

static void
on_wake(evutil_socket_t descriptor, short what, void *context)
{
    (void)what;
    (void)context;
    uint64_t count;
    ssize_t got = read(descriptor, &count, sizeof count);
    CHECK(got == sizeof count || errno == EAGAIN || errno == EINTR);
}

static void
on_tick(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    (void)context;  // the turn itself looks at the clock
}

static void
on_stop(evutil_socket_t signal_number, short what, void *context)
{
    (void)what;
    struct edge *edge = context;
    log_info("stopping", "signal=%d", (int)signal_number);
    edge->stopping = true;
}

void
edge_run(struct edge *edge)
{
    while (!edge->stopping) turn(edge);
    listener_drain(edge->listener);
    usec until = {clock_monotonic().us + EDGE_DRAIN_US};
    while (!(listener_idle(edge->listener) && mailbox_idle(edge->box)) && clock_monotonic().us < until.us) turn(edge);
}

// --- Opening and closing ---------------------------------------------------------------------------

static void
wake_by_loader(void *context)
{
    struct edge *edge = context;
    mailbox_wake_edge(edge->box);
}

static size_t
write_status(void *context, char *out, size_t size)
{
    const struct edge *edge = context;
    const struct edge_counts *counts = &edge->counts;
    int len = snprintf(
        out, size,
        "{\"pid\": %d, \"port\": %u, \"started_us\": %lld, \"catalog_version\": %llu, \"durable_batch\": %llu,\n"
        " \"connections\": %u, \"contacts\": %llu, \"placements\": %llu, \"events\": %llu, \"bids\": %llu,\n"
        " \"expired\": %llu, \"refused\": %llu, \"facts\": %llu, \"syncs\": %llu, \"journal_full\": %s}\n",
        (int)getpid(), listener_port(edge->listener), (long long)edge->started.us,
        (unsigned long long)counts->catalog_version, (unsigned long long)scribe_batch(edge->scribe),
        counts->connections, (unsigned long long)counts->contacts, (unsigned long long)counts->placements,
        (unsigned long long)counts->events, (unsigned long long)counts->bids, (unsigned long long)counts->expired,
        (unsigned long long)counts->refused, (unsigned long long)scribe_facts(edge->scribe),
        (unsigned long long)scribe_syncs(edge->scribe), scribe_full(edge->scribe) ? "true" : "false");
    return (size_t)len;
}

struct loader_calls
edge_loader_calls(struct edge *edge)
{
    return (struct loader_calls){wake_by_loader, write_status, edge};
}

void
edge_set_loader(struct edge *edge, struct loader *loader)
{
    edge->loader = loader;
}

static void
add_events(struct edge *edge)
{
    static const struct timeval tick = {0, EDGE_TICK_US};
    edge->wake = event_new(edge->base, mailbox_edge_descriptor(edge->box), EV_READ | EV_PERSIST, on_wake, edge);
    edge->tick = event_new(edge->base, -1, EV_PERSIST, on_tick, edge);
    edge->terminate = evsignal_new(edge->base, SIGTERM, on_stop, edge);
    edge->interrupt = evsignal_new(edge->base, SIGINT, on_stop, edge);
    CHECK(edge->wake != NULL && edge->tick != NULL && edge->terminate != NULL && edge->interrupt != NULL);
    CHECK(event_add(edge->wake, NULL) == 0 && event_add(edge->tick, &tick) == 0);
    CHECK(event_add(edge->terminate, NULL) == 0 && event_add(edge->interrupt, NULL) == 0);
}

static struct event_base *
open_base(void)
{
    struct event_config *config = event_config_new();
    CHECK(config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    CHECK(base != NULL);
    return base;
}

enum status
edge_open(const struct edge_parts *parts, struct edge **out_edge, char out_error[512])
{
    struct edge *edge = calloc(1, sizeof *edge);
    CHECK(edge != NULL);
    edge->settings = parts->settings;
    edge->auctioneer = parts->auctioneer;
    edge->box = parts->box;
    edge->scribe = parts->scribe;
    edge->catalog = parts->catalog;
    edge->started = clock_wall();
    memcpy(edge->customer_secret, parts->customer_secret, sizeof edge->customer_secret);
    if (edge->catalog != NULL) atomic_store(&edge->counts.catalog_version, edge->catalog->version);
    edge->base = open_base();
    add_events(edge);

    char ca[600], certificate[600], key[600];
    snprintf(ca, sizeof ca, "%s/tls/ca.crt", edge->settings->directory);
    snprintf(certificate, sizeof certificate, "%s/tls/server.crt", edge->settings->directory);
    snprintf(key, sizeof key, "%s/tls/server.key", edge->settings->directory);
    struct listener_paths paths = {ca, certificate, key};
    struct listener_limits limits = listener_limits_default;
    limits.connections = edge->settings->connections;
    limits.in_flight = edge->settings->seat_in_flight;
    struct listener_events events = {edge, on_identify, on_request};
    struct listener_error error = {""};
    enum status status = listener_open(edge->base, edge->settings->listen_host, edge->settings->listen_port, &paths,
                                       &limits, &events, &edge->listener, &error);
    if (status != STATUS_OK) {
        memcpy(out_error, error.text, sizeof error.text);
        edge_close(edge);
        return status;
    }
    *out_edge = edge;
    return STATUS_OK;
}

void
edge_close(struct edge *edge)
{
    if (edge == NULL) return;
    listener_close(edge->listener);
    event_free(edge->wake);
    event_free(edge->tick);
    event_free(edge->terminate);
    event_free(edge->interrupt);
    event_base_free(edge->base);
    catalog_close(edge->retiring);
    catalog_close(edge->catalog);
    free(edge);
}
