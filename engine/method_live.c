// Methods of live bidders: subscribe, live.state, reasons (docs/protocol.md, sections 5.9 to 5.11).
#include <string.h>

#include "edge_inside.h"
#include "fail.h"

static uint32_t
pack_count(struct pack *pack, const char *key, uint64_t value)
{
    pack_pair_integer(pack, key, (int64_t)value);
    return 1;
}

// The seat's own state, as a map.
static void
put_state(struct pack *pack, const struct edge *edge, const struct bidder *bidder, uint32_t seat)
{
    const struct bidder_counts *counts = &bidder->counts;
    const struct breaker *breaker = &bidder->breaker;
    uint32_t index = catalog_seat_by_id(edge->catalog, seat), pairs = 4;
    size_t where = pack_open_map(pack);
    pack_pair_boolean(pack, "admitted",
                      index != UINT32_MAX && edge->catalog->seats[index].live &&
                          !edge->catalog->seats[index].paused);
    pack_pair_string(pack, "breaker", breaker->open ? "open" : "closed");
    pack_pair_integer(pack, "probes_good", breaker->good);
    pack_pair_integer(pack, "connections", bidder->live_count);
    pairs += pack_count(pack, "in_flight", bidder->in_flight);
    pairs += pack_count(pack, "asked", counts->asked);
    pairs += pack_count(pack, "answered_bids", counts->bids);
    pairs += pack_count(pack, "answered_no_bid", counts->no_bid);
    pairs += pack_count(pack, "late", counts->late);
    pairs += pack_count(pack, "missing", counts->missing);
    pairs += pack_count(pack, "malformed", counts->malformed);
    pairs += pack_count(pack, "over_limit", counts->over_limit);
    pairs += pack_count(pack, "throttled", counts->throttled);
    pairs += pack_count(pack, "not_connected", counts->not_connected);
    pairs += pack_count(pack, "too_short", counts->too_short);
    pairs += pack_count(pack, "notices", counts->notices);
    pairs += pack_count(pack, "notices_dropped", counts->notices_dropped);
    pack_close(pack, where, pairs);
}

static bool
decode_subscribe(struct wire_reader *params, struct bidder_connection *out_connection)
{
    struct wire_map map;
    struct wire_text key;
    int64_t tmax = 0;
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) {
        if (wire_same(key, "live")) wire_boolean(params, &out_connection->live);
        else if (wire_same(key, "notices")) wire_boolean(params, &out_connection->notices);
        else if (wire_same(key, "tmax_ms")) wire_integer(params, 0, 60000, &tmax);
    }
    out_connection->tmax_ms = (uint32_t)tmax;
    return params->reason == REASON_NONE;
}

void
method_subscribe(struct edge *edge, const struct session_request *request)
{
    struct bidders *bidders = live_bidders(edge->live);
    struct wire_reader params = request->params;
    struct bidder_connection connection = {.session = request->session};
    uint32_t seat = catalog_seat_by_id(edge->catalog, request->peer.party);
    if (!decode_subscribe(&params, &connection)) {
        method_refuse_decoded(edge, request, &params, REASON_NONE, NULL);
        return;
    }
    if (seat == UINT32_MAX) {
        method_refuse(edge, request->session, request->id, REASON_UNKNOWN_SEAT, NULL);
        return;
    }
    if (connection.live && !edge->catalog->seats[seat].live) {
        session_reply_error(edge->listener, request->session, request->id, REASON_WRONG_ROLE,
                            "the market does not ask this seat for live bids; the host declares "
                            "it with live: true",
                            "live");
        return;
    }
    enum reason reason = bidder_subscribe(bidders, request->peer.party, &connection);
    if (reason != REASON_NONE) {
        method_refuse(edge, request->session, request->id, reason, NULL);
        return;
    }
    struct pack *pack = session_reply_begin(edge->listener, request->session, request->id);
    if (pack == NULL) return;
    pack_map(pack, 4);
    pack_pair_boolean(pack, "live", connection.live);
    pack_pair_boolean(pack, "notices", connection.notices);
    pack_pair_integer(pack, "tmax",
                      edge->settings->live.tmax_ms > 2 * edge->settings->live.own_ms
                          ? edge->settings->live.tmax_ms - edge->settings->live.own_ms
                          : edge->settings->live.tmax_ms / 2);
    pack_string(pack, "state");
    put_state(pack, edge, &bidders->of[request->peer.party], request->peer.party);
    session_reply_end(edge->listener);
}

void
method_live_state(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    if (!decode_nothing(&params)) {
        method_refuse_decoded(edge, request, &params, REASON_NONE, NULL);
        return;
    }
    if (request->peer.party >= BOUND_SEATS) {
        method_refuse(edge, request->session, request->id, REASON_UNKNOWN_SEAT, NULL);
        return;
    }
    struct pack *pack = session_reply_begin(edge->listener, request->session, request->id);
    if (pack == NULL) return;
    put_state(pack, edge, &live_bidders(edge->live)->of[request->peer.party], request->peer.party);
    session_reply_end(edge->listener);
}

static void
put_day(struct pack *pack, const struct edge *edge, uint32_t seat, uint16_t day)
{
    char text[CLOCK_TEXT];
    uint32_t count = 0;
    clock_format((usec){day * USEC_DAY}, text);
    pack_map(pack, 2);
    pack_pair_text(pack, "day", text, strlen("2026-11-22"));
    pack_string(pack, "counts");
    size_t where = pack_open_array(pack);
    for (int i = 0; i < REASON_COUNT; i++) {
        uint32_t times = reasons_count(edge->reasons, seat, day, (enum reason)i);
        if (times == 0) continue;
        pack_map(pack, 3);
        pack_pair_integer(pack, "code", reason_number((enum reason)i));
        pack_pair_string(pack, "reason", i == REASON_NONE ? "won" : reason_key((enum reason)i));
        pack_pair_integer(pack, "count", times);
        count++;
    }
    pack_close(pack, where, count);
}

void
method_reasons(struct edge *edge, const struct session_request *request)
{
    struct wire_reader params = request->params;
    if (!decode_nothing(&params)) {
        method_refuse_decoded(edge, request, &params, REASON_NONE, NULL);
        return;
    }
    uint16_t today = reasons_day(edge->reasons, clock_wall());
    struct pack *pack = session_reply_begin(edge->listener, request->session, request->id);
    if (pack == NULL) return;
    pack_map(pack, 1);
    pack_string(pack, "days");
    pack_array(pack, 2);
    put_day(pack, edge, request->peer.party, today);
    put_day(pack, edge, request->peer.party, (uint16_t)(today - 1));
    session_reply_end(edge->listener);
}
