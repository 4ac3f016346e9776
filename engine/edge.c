// The edge's turn:
//   1 sleep until a session, a timer, the scribe or the loader has something (not when answers
//     already wait)
//   2 requests: decoded, decided, their facts put in the mailbox (callbacks of the listener); those
//     for which live bidders are asked wait, and are decided when these have answered or their time
//     is over
//   3 a new catalog takes over between two requests; the old one goes when all it decided is
//     answered
//   4 placements whose delivery window ended
//   5 publish: the scribe sees everything of the turn at once
//   6 speak: answers of what is durable by now
//   7 flush: one write a session
//
// Invariant: the catalog of a mail outlives the mail.
#include "edge.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge_inside.h"
#include "fail.h"
#include "log.h"

#define EDGE_TICK_US 20000     // expiries are noticed within it
#define EDGE_EXPIRIES 256      // of one turn, so that a wave of them does not hold up requests
#define EDGE_DRAIN_US 5000000  // a clean stop waits so long for slow readers of answers

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

static void
on_request(void *context, const struct session_request *request)
{
    method_request(context, request);
}

static void
on_answer(void *context, const struct session_answer *answer)
{
    struct edge *edge = context;
    live_answer(edge->live, answer);
}

static void
on_ended(void *context, struct session_handle session, struct session_peer peer)
{
    struct edge *edge = context;
    live_ended(edge->live, session, peer);
}

// --- The turn ----------------------------------------------------------------------------------

static void
change_catalog(struct edge *edge)
{
    if (edge->retiring != NULL) {
        if (!mailbox_passed(edge->box, edge->retiring_mark)) return;
        loader_give_back(edge->loader, edge->retiring);
        edge->retiring = NULL;
    }
    struct edition *edition = loader_take(edge->loader);
    if (edition == NULL) return;
    const struct catalog *catalog = edition->catalog, *old = edge->catalog;
    edge->retiring = edge->edition;
    edge->retiring_mark = mailbox_mark(edge->box);
    edge->edition = edition;
    edge->catalog = catalog;
    auctioneer_catalog(edge->auctioneer, catalog);
    reasons_catalog(edge->reasons, catalog);
    if (edge->spool != NULL) spool_catalog(edge->spool, catalog);
    live_catalog(edge->live, old);
    listener_recheck(edge->listener);
    atomic_store(&edge->counts.catalog_version, catalog->version);
    log_info("catalog.live", "version=%llu bids=%u", (unsigned long long)catalog->version,
             catalog->bid_count);
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
    live_turn(edge->live);
    change_catalog(edge);
    expire(edge);
    mailbox_publish(edge->box);
    method_speak(edge);
    method_speak_errands(edge);
    listener_flush(edge->listener);
    atomic_store_explicit(&edge->counts.connections, listener_counts(edge->listener).open,
                          memory_order_relaxed);
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
    while (!(listener_idle(edge->listener) && mailbox_idle(edge->box)) &&
           clock_monotonic().us < until.us)
        turn(edge);
}

// --- Opening and closing -----------------------------------------------------------------------

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
    struct spool_counts spool = {0};
    if (edge->spool != NULL) spool = spool_counts(edge->spool);
    int len = snprintf(
        out, size,
        "{\"pid\": %d, \"port\": %u, \"started_us\": %lld, \"catalog_version\": "
        "%llu, \"durable_batch\": %llu,\n"
        " \"connections\": %u, \"contacts\": %llu, \"placements\": %llu, "
        "\"events\": %llu, \"bids\": %llu,\n"
        " \"expired\": %llu, \"refused\": %llu, \"late\": %llu, \"facts\": %llu, \"syncs\": %llu, "
        "\"journal_full\": %s,\n"
        " \"inputs_kept\": %llu, \"sampled\": %llu, \"inputs_dropped\": %llu}\n",
        (int)getpid(), listener_port(edge->listener), (long long)edge->started.us,
        (unsigned long long)counts->catalog_version, (unsigned long long)scribe_batch(edge->scribe),
        counts->connections, (unsigned long long)counts->contacts,
        (unsigned long long)counts->placements, (unsigned long long)counts->events,
        (unsigned long long)counts->bids, (unsigned long long)counts->expired,
        (unsigned long long)counts->refused, (unsigned long long)counts->late,
        (unsigned long long)scribe_facts(edge->scribe),
        (unsigned long long)scribe_syncs(edge->scribe),
        scribe_full(edge->scribe) ? "true" : "false", (unsigned long long)spool.kept,
        (unsigned long long)spool.sampled, (unsigned long long)spool.dropped);
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
    edge->wake = event_new(edge->base, mailbox_edge_descriptor(edge->box), EV_READ | EV_PERSIST,
                           on_wake, edge);
    edge->tick = event_new(edge->base, -1, EV_PERSIST, on_tick, edge);
    edge->terminate = evsignal_new(edge->base, SIGTERM, on_stop, edge);
    edge->interrupt = evsignal_new(edge->base, SIGINT, on_stop, edge);
    CHECK(edge->wake != NULL && edge->tick != NULL && edge->terminate != NULL &&
          edge->interrupt != NULL);
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
    edge->reasons = parts->reasons;
    edge->spool = parts->spool;
    edge->errands = parts->errands;
    edge->edition = parts->edition;
    edge->catalog = edge->edition == NULL ? NULL : edge->edition->catalog;
    if (edge->spool != NULL && edge->catalog != NULL) spool_catalog(edge->spool, edge->catalog);
    edge->started = clock_wall();
    memcpy(edge->customer_secret, parts->customer_secret, sizeof edge->customer_secret);
    if (edge->catalog != NULL) atomic_store(&edge->counts.catalog_version, edge->catalog->version);
    edge->lists = calloc(EDGE_LISTS, sizeof *edge->lists);
    CHECK(edge->lists != NULL);
    edge->base = open_base();
    add_events(edge);
    edge->live = live_open(edge, edge->settings);

    char ca[600], certificate[600], key[600];
    snprintf(ca, sizeof ca, "%s/tls/ca.crt", edge->settings->directory);
    snprintf(certificate, sizeof certificate, "%s/tls/server.crt", edge->settings->directory);
    snprintf(key, sizeof key, "%s/tls/server.key", edge->settings->directory);
    struct listener_paths paths = {ca, certificate, key};
    struct listener_limits limits = listener_limits_default;
    limits.connections = edge->settings->connections;
    limits.in_flight = edge->settings->seat_in_flight;
    struct listener_events events = {
        .context = edge,
        .identify = on_identify,
        .request = on_request,
        .answer = on_answer,
        .ended = on_ended,
    };
    struct listener_error error = {""};
    enum status status = listener_open(edge->base, edge->settings->listen_host,
                                       edge->settings->listen_port, &paths, &limits, &events,
                                       &edge->listener, &error);
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
    live_close(edge->live);
    event_free(edge->wake);
    event_free(edge->tick);
    event_free(edge->terminate);
    event_free(edge->interrupt);
    event_base_free(edge->base);
    loader_close_edition(edge->retiring);
    loader_close_edition(edge->edition);
    free(edge->lists);
    free(edge);
}
