// What edge.c (the turn) and method.c (requests and their answers) share.
#ifndef VENDUE_EDGE_INSIDE_H
#define VENDUE_EDGE_INSIDE_H

#include <stdatomic.h>

#include "answer.h"
#include "edge.h"
#include "listener.h"
#include "session.h"

#define EDGE_LISTS 64  // lists of bids made and not yet spoken; one more is answered busy

struct event_base;
struct event;

struct edge_counts {  // read by the loader's thread for the status file
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
    struct contact contact;  // scratch of the request being decoded
    struct answer_bids *lists;  // EDGE_LISTS
    uint64_t lists_taken;       // bit i: lists[i] waits for its mail
    struct edge_counts counts;
};

// A request of a session: decided and put in the mailbox, or refused at once.
void method_request(struct edge *edge, const struct session_request *request);
// Answers everything that is durable by now.
void method_speak(struct edge *edge);

#endif
