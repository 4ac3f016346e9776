// The edge: introduces the wire to the auction. Owns the event loop, the sessions, and, as the
// roles sit on threads today, runs the auctioneer within its own turn; speaks only of what the
// scribe has made durable.
#ifndef VENDUE_EDGE_H
#define VENDUE_EDGE_H

#include "auctioneer.h"
#include "loader.h"
#include "mailbox.h"
#include "reasons.h"
#include "scribe.h"
#include "settings.h"
#include "spool.h"

struct edge;

struct edge_parts {
    const struct settings *settings;
    struct auctioneer *auctioneer;
    struct mailbox *box;
    struct scribe *scribe;
    struct reasons *reasons;
    struct spool *spool;  // NULL: nothing is kept
    struct errands *errands;
    struct edition *edition;  // the first one, taken over; NULL: none yet
    uint8_t customer_secret[16];
};
// STATUS_INPUT, STATUS_IO: `out_error` (512 bytes) says what of certificates or address cannot be
// used.
MUST_CHECK enum status
edge_open(const struct edge_parts *parts, struct edge **out_edge, char out_error[512]);
void edge_close(struct edge *edge);

// Turns until SIGTERM or SIGINT, then drains: no new requests, every answer under way is spoken.
void edge_run(struct edge *edge);

// What the loader calls, from its own thread.
struct loader_calls edge_loader_calls(struct edge *edge);
void edge_set_loader(struct edge *edge, struct loader *loader);

#endif
