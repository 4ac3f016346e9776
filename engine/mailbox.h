// What passes between edge, auctioneer and scribe: one ring of mails and one ring of facts, with
// cursors. Single producer and single consumer each; format and invariants in mailbox.c.
#ifndef VENDUE_MAILBOX_H
#define VENDUE_MAILBOX_H

#include <stdbool.h>

#include "catalog.h"
#include "fact.h"

enum mail_kind { MAIL_CONTACT, MAIL_EVENT, MAIL_BID, MAIL_BID_LIST, MAIL_EXPIRY };

// One request that was decided and waits until its facts are durable.
struct mail {
    uint64_t session;     // session handle; 0: nobody waits for an answer
    uint32_t message_id;  // of the request
    uint8_t kind;         // enum mail_kind
    bool repeated;        // a retry: no facts of its own, but it answers only after the first's
    uint16_t facts;       // facts of this mail, contiguous from `fact`
    const struct fact *fact;
    uint64_t fact_end;              // cursor of the fact ring behind them
    struct id request_key;          // MAIL_CONTACT
    struct id placement;            // MAIL_EVENT
    uint64_t bid;                   // MAIL_BID: its id
    uint32_t list;                  // MAIL_BID_LIST: which of the edge's lists
    uint32_t held;                  // MAIL_CONTACT: place of its live bids (live.h); 0 none
    uint8_t event;                  // MAIL_EVENT: enum fact_kind
    uint8_t state;                  // MAIL_BID: enum bid_state
    char key[BOUND_KEY];            // MAIL_BID: the seat's reference
    const struct catalog *catalog;  // that decided
    uint64_t batch;                 // the scribe's: frame that holds the facts
};

struct mailbox;

// `mails` and `facts` are powers of two; facts >= 2 * BOUND_FRAME_FACTS.
struct mailbox *mailbox_open(uint32_t mails, uint32_t facts);
void mailbox_close(struct mailbox *box);

// --- Edge and auctioneer -------------------------------------------------------------------------

// Room for one mail with up to BOUND_CONTACT_FACTS facts; NULL: full. Write the facts there, then
// put.
struct fact *mailbox_room(struct mailbox *box);
// The next mail, with `facts` facts already written at the room given; fill the rest in before
// publishing.
struct mail *mailbox_put(struct mailbox *box, unsigned facts);
// Shows everything put so far to the scribe; wakes it when it sleeps.
void mailbox_publish(struct mailbox *box);
// The oldest mail that is durable and not yet consumed; NULL none. It stays valid until consumed.
const struct mail *mailbox_durable(struct mailbox *box);
void mailbox_consume(struct mailbox *box);
bool mailbox_idle(const struct mailbox *box);  // nothing waits
// A mark behind everything put so far; passed once all of that is consumed.
uint64_t mailbox_mark(const struct mailbox *box);
bool mailbox_passed(const struct mailbox *box, uint64_t mark);
// Says that the edge is about to sleep until its descriptor wakes it; false: do not, there is work.
bool mailbox_edge_sleeps(struct mailbox *box);
void mailbox_edge_wakes(struct mailbox *box);
int mailbox_edge_descriptor(const struct mailbox *box);  // readable when woken
void mailbox_wake_edge(struct mailbox *box);             // from any thread

// --- Scribe --------------------------------------------------------------------------------------

// Mails published and not yet durable, oldest first: waits until there is one (or mailbox_stop).
// Gives a run whose facts are contiguous and at most BOUND_FRAME_FACTS; 0 mails: stopped and
// drained.
// `skip` mails of the same batch of syncs were taken before.
struct mail_run {
    uint64_t first;  // cursor of its first mail
    uint32_t mails;
    const struct fact *facts;
    uint32_t fact_count;  // may be 0: only retries
};
struct mail_run mailbox_take(struct mailbox *box, bool wait);
void mailbox_stamp(struct mailbox *box, const struct mail_run *run, uint64_t batch);
// Everything taken so far is durable; wakes the edge when it sleeps.
void mailbox_settle(struct mailbox *box);
void mailbox_stop(struct mailbox *box);
bool mailbox_stopped(const struct mailbox *box);

#endif
