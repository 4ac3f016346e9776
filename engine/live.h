// Contacts that wait for live bidders. A contact that somebody is to be asked about waits here,
// with what was asked and answered; the loop goes on with others meanwhile. Part of the edge.
#ifndef VENDUE_LIVE_H
#define VENDUE_LIVE_H

#include "bidder.h"
#include "callout.h"
#include "edge.h"

#define LIVE_ASKERS \
    4  // a request and its retries that wait for the same decision; one more is busy

struct live_asker {
    struct session_handle session;
    uint32_t id;  // of its request
};
struct live;  // the pool

// A contact as it comes to be decided, and who waits for the answer.
struct live_contact {
    const struct contact *contact;
    bool test;
    const struct round_live *live;  // NULL: nobody was to be asked
    const struct live_asker *askers;
    uint32_t asker_count;
    uint32_t held;  // number of its place in the pool, kept until live_release; 0 none
};

struct live *live_open(struct edge *edge, const struct settings *settings);
void live_close(struct live *live);

// A new contact, decoded from `params`. LIVE_DECIDE: decide it now; `out_contact` says with what.
// LIVE_WAITS: it will be decided in live_turn. LIVE_REFUSED: the request was answered with a
// refusal.
enum live_verdict { LIVE_DECIDE, LIVE_WAITS, LIVE_REFUSED };
enum live_verdict
live_ask(struct live *live, const struct session_request *request, const struct contact *contact,
         const struct decode_wish *wish, usec now, struct live_contact *out_contact);
void live_answer(struct live *live, const struct session_answer *answer);
void live_ended(struct live *live, struct session_handle session, struct session_peer peer);
// Decides (method_decide) what was answered by all, or whose time is over.
void live_turn(struct live *live);
// A new catalog decides from now on, `old` did until now: what waits is bound to the new one.
void live_catalog(struct live *live, const struct catalog *old);

// What a decided contact's bidders sent, until released: for notices. NULL when nothing was held.
struct live_held {
    const struct catalog_bid *bids;  // of the catalog that decided
    const uint8_t *reasons;          // enum reason of each
    uint32_t count;
};
bool live_held(const struct live *live, uint32_t held, struct live_held *out_held);
void live_release(struct live *live, uint32_t held);

struct bidders *live_bidders(struct live *live);

#endif
