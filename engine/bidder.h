// The live bidders as the edge knows them: which connections of a seat subscribed, how its answers
// went, and whether it is asked. By stable id of the seat; counts since the node started.
#ifndef VENDUE_BIDDER_H
#define VENDUE_BIDDER_H

#include "breaker.h"
#include "reason.h"
#include "session.h"

#define BIDDER_CONNECTIONS 16  // subscribed connections of a seat; one more is answered busy

struct bidder_counts {
    uint64_t asked;
    // of these, how they were answered: with bids that were taken, without a bid, not in time but
    // late, not at all, in a way that cannot be read or taken, with more bids than are allowed
    uint64_t bids, no_bid, late, missing, malformed, over_limit;
    // contacts that would have asked, and why they did not
    uint64_t throttled, not_connected, too_short;
    uint64_t notices, notices_dropped;
};
struct bidder {
    struct bidder_connection {
        struct session_handle session;
        bool live, notices;
        uint32_t tmax_ms;  // the least it wants to be asked with; 0 any
    } connections[BIDDER_CONNECTIONS];
    uint32_t connection_count, turn, told_turn;
    uint32_t live_count, notice_count;  // connections subscribed to either
    uint32_t in_flight;                 // asked, neither answered nor given up
    uint64_t given_up;                  // not answered in time, nor since
    uint64_t told_dropped;              // of notices_dropped
    struct breaker breaker;
    struct bidder_counts counts;
};
struct bidders {
    struct bidder *of;      // by stable id
    uint32_t subscribed;    // connections subscribed to anything, of all seats
    uint32_t with_notices;  // and to notices
};

void bidder_open(struct bidders *bidders);
void bidder_close(struct bidders *bidders);
// Says what a connection is to be told from now on; neither: nothing any more. REASON_BUSY: too
// many connections of the seat.
enum reason bidder_subscribe(struct bidders *bidders, uint32_t seat,
                             const struct bidder_connection *connection);
// The session is over, whatever it was subscribed to.
void bidder_ended(struct bidders *bidders, uint32_t seat, struct session_handle session);

// The next connection, in turn, that may be asked with `tmax_ms`; NULL: none is subscribed
// (NOT_CONNECTED), or they want more time (REASON_NONE: it wishes not to be asked).
const struct bidder_connection *
bidder_next(struct bidder *bidder, uint32_t tmax_ms, enum reason *out_reason);
// The next connection, in a turn of their own, that subscribed to notices; NULL: none did.
const struct bidder_connection *bidder_told(struct bidder *bidder);
// One request of those in flight ended so: NONE or NO_BID, or a failure. AFTER_DEADLINE and
// NO_ANSWER may follow each other: it was given up, and then it came.
void bidder_answered(struct bidder *bidder, enum reason reason);
// One request of those in flight needs no answer any more, by no fault of the bidder's.
void bidder_released(struct bidder *bidder);
// An answer to a request that had been given up. False: there is none such.
bool bidder_late(struct bidder *bidder);

#endif
