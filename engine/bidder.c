// A table of all seats, untouched memory where nobody subscribed. Connections of a seat stand
// without gaps; the next in turn is asked. Notices have a turn of their own: with one notice a
// request, a common one would ask the same half of the connections for ever.
//
// Invariants
//   (1) every request counted in `asked` ends exactly once in bidder_answered, and leaves
//       `in_flight` there; one given up (NO_ANSWER) may end a second time in bidder_late
//   (2) `subscribed` is the sum of connection_count, `with_notices` that of notice_count
#include "bidder.h"

#include <stdlib.h>

#include "fail.h"

void
bidder_open(struct bidders *bidders)
{
    *bidders = (struct bidders){.of = calloc(BOUND_SEATS, sizeof *bidders->of)};
    CHECK(bidders->of != NULL);
}

void
bidder_close(struct bidders *bidders)
{
    free(bidders->of);
}

static bool
same_session(struct session_handle a, struct session_handle b)
{
    return a.index == b.index && a.generation == b.generation;
}

static void
count_connection(struct bidders *bidders, struct bidder *bidder,
                 const struct bidder_connection *connection, bool comes)
{
    uint32_t one = comes ? 1 : UINT32_MAX;  // wraps: minus one
    bidder->live_count += connection->live ? one : 0;
    bidder->notice_count += connection->notices ? one : 0;
    bidders->with_notices += connection->notices ? one : 0;
    bidders->subscribed += one;
    bidder->connection_count += one;
}

void
bidder_ended(struct bidders *bidders, uint32_t seat, struct session_handle session)
{
    CHECK(seat < BOUND_SEATS);
    struct bidder *bidder = &bidders->of[seat];
    for (uint32_t i = 0; i < bidder->connection_count; i++) {
        if (!same_session(bidder->connections[i].session, session)) continue;
        struct bidder_connection gone = bidder->connections[i];
        bidder->connections[i] = bidder->connections[bidder->connection_count - 1];
        count_connection(bidders, bidder, &gone, false);
        return;
    }
}

enum reason
bidder_subscribe(struct bidders *bidders, uint32_t seat, const struct bidder_connection *connection)
{
    bidder_ended(bidders, seat, connection->session);
    if (!connection->live && !connection->notices) return REASON_NONE;
    struct bidder *bidder = &bidders->of[seat];
    if (bidder->connection_count == BIDDER_CONNECTIONS) return REASON_BUSY;
    bidder->connections[bidder->connection_count] = *connection;
    count_connection(bidders, bidder, connection, true);
    return REASON_NONE;
}

const struct bidder_connection *
bidder_next(struct bidder *bidder, uint32_t tmax_ms, enum reason *out_reason)
{
    *out_reason = bidder->live_count == 0 ? REASON_NOT_CONNECTED : REASON_NONE;
    for (uint32_t i = 0; i < bidder->connection_count; i++) {
        const struct bidder_connection *connection =
            &bidder->connections[bidder->turn++ % bidder->connection_count];
        if (connection->live && connection->tmax_ms <= tmax_ms) return connection;
    }
    return NULL;
}

const struct bidder_connection *
bidder_told(struct bidder *bidder)
{
    for (uint32_t i = 0; i < bidder->connection_count; i++) {
        const struct bidder_connection *connection =
            &bidder->connections[bidder->told_turn++ % bidder->connection_count];
        if (connection->notices) return connection;
    }
    return NULL;
}

void
bidder_answered(struct bidder *bidder, enum reason reason)
{
    CHECK(bidder->in_flight > 0);
    bidder->in_flight--;
    bool failed = true;
    if (reason == REASON_NONE) {
        bidder->counts.bids++;
        failed = false;
    } else if (reason == REASON_NO_BID) {
        bidder->counts.no_bid++;
        failed = false;
    } else if (reason == REASON_NO_ANSWER) {
        bidder->counts.missing++;
        bidder->given_up++;
    } else if (reason == REASON_AFTER_DEADLINE) {
        bidder->counts.late++;
    } else if (reason == REASON_OVER_LIMIT) {
        bidder->counts.over_limit++;  // too much, but in time: costs nobody anything
        failed = false;
    } else {
        bidder->counts.malformed++;
    }
    breaker_outcome(&bidder->breaker, failed);
}

void
bidder_released(struct bidder *bidder)
{
    CHECK(bidder->in_flight > 0);
    bidder->in_flight--;
    bidder->counts.missing++;
    bidder->given_up++;
}

bool
bidder_late(struct bidder *bidder)
{
    if (bidder->given_up == 0) return false;
    bidder->given_up--;
    bidder->counts.missing--;
    bidder->counts.late++;
    return true;
}
