// What edge.c (the turn) and method.c (requests and their answers) share.
#ifndef VENDUE_EDGE_INSIDE_H
#define VENDUE_EDGE_INSIDE_H

#include <stdatomic.h>

#include "answer.h"
#include "edge.h"
#include "listener.h"
#include "live.h"
#include "reasons.h"
#include "session.h"
#include "spool.h"

#define EDGE_LISTS 64  // lists of bids made and not yet spoken; one more is answered busy

struct event_base;
struct event;

struct edge_counts {  // read by the loader's thread for the status file
    _Atomic uint64_t catalog_version, contacts, placements, events, bids, refused, late, expired;
    _Atomic uint32_t connections;
};

struct edge {
    const struct settings *settings;
    struct auctioneer *auctioneer;
    struct mailbox *box;
    struct scribe *scribe;
    struct loader *loader;
    struct live *live;
    struct reasons *reasons;
    struct spool *spool;
    const struct catalog *catalog;       // the edition's
    struct edition *edition, *retiring;  // NULL: none
    struct errands *errands;
    uint64_t retiring_mark;
    uint8_t customer_secret[16];
    struct event_base *base;
    struct event *wake, *tick, *terminate, *interrupt;
    struct listener *listener;
    bool stopping;
    usec started;
    struct contact contact;     // scratch of the request being decoded
    struct answer_bids *lists;  // EDGE_LISTS
    uint64_t lists_taken;       // bit i: lists[i] waits for its mail
    struct edge_counts counts;
};

// A request of a session: decided and put in the mailbox, or refused at once.
void method_request(struct edge *edge, const struct session_request *request);
// Answers everything that is durable by now.
void method_speak(struct edge *edge);
// Answers what the loader's thread has read by now.
void method_speak_errands(struct edge *edge);
// Refuses a request; `field` NULL: no place.
void method_refuse(struct edge *edge, struct session_handle session, uint32_t id,
                   enum reason reason, const char *field);
// The request could not be read: the reader's trouble, or a reason of the market's.
void method_refuse_decoded(struct edge *edge, const struct session_request *request,
                           const struct wire_reader *reader, enum reason reason, const char *field);
// Decides a contact and puts its mails. True: `held` went with them, and is released when they are
// spoken.
bool method_decide(struct edge *edge, const struct live_contact *contact, usec now);

// method_live.c: methods about live bids.
void method_subscribe(struct edge *edge, const struct session_request *request);
void method_live_state(struct edge *edge, const struct session_request *request);
void method_reasons(struct edge *edge, const struct session_request *request);

// notice.c: what seats are told without asking. Of a contact and of an event whose facts are
// durable; and what is wrong with an answer (`auction` NULL: of no known question).
void notice_contact(struct edge *edge, const struct mail *mail);
void notice_event(struct edge *edge, const struct fact *fact);
// A delivery of the placement was reported when its window had ended: nothing is due.
void notice_late(struct edge *edge, const struct fact *placement, usec at);
void notice_trouble(struct edge *edge, const struct session_answer *answer,
                    const struct id *auction, const struct callout_trouble *trouble);

#endif
