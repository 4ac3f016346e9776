// What seats are told without asking: what became of their bids, what is due, and what was wrong
// with an answer (docs/protocol.md, section 13). Notifications, at most once each, to connections
// that subscribed to notices; only of facts that are durable, and only of the seat's own.
//
//   1 What a connection does not take now is dropped and counted; the next notice that it takes
//     says first how many were. Nothing waits for it.
//   2 The price a loser learns is of the market's `disclosure`, and only where a price would have
//     helped: outbid, in a slot sold by itself, by a bid of the same priority.
//   3 A live bid is always told of; of standing bids, those that the record of the round keeps.
#include <string.h>

#include "edge_inside.h"
#include "fail.h"
#include "put.h"

// A connection of the seat that takes a notice now; NULL: none is subscribed, or none takes it.
static struct pack *
begin(struct edge *edge, uint32_t seat)
{
    struct bidder *bidder = &live_bidders(edge->live)->of[seat];
    if (bidder->notice_count == 0) return NULL;
    for (uint32_t i = 0; i < bidder->notice_count; i++) {
        const struct bidder_connection *connection = bidder_told(bidder);
        struct pack *pack = session_notice_begin(edge->listener, connection->session, "notice");
        if (pack == NULL) continue;
        if (bidder->told_dropped < bidder->counts.notices_dropped) {
            pack_map(pack, 2);
            pack_pair_string(pack, "event", "dropped");
            pack_pair_integer(pack, "count",
                              (int64_t)(bidder->counts.notices_dropped - bidder->told_dropped));
            (void)session_say_end(edge->listener);
            bidder->told_dropped = bidder->counts.notices_dropped;
            pack = session_notice_begin(edge->listener, connection->session, "notice");
            if (pack == NULL) continue;
        }
        bidder->counts.notices++;
        return pack;
    }
    bidder->counts.notices_dropped++;
    return NULL;
}

// --- Of a decided contact ------------------------------------------------------------------------

// One bid that a notice is about.
struct bid {
    uint64_t id;
    uint32_t seat, message, slot;  // stable ids
    uint8_t kind;
    const char *key;  // the seat's reference, zero padded; NULL unknown
};

struct round_told {
    struct edge *edge;
    const struct mail *mail;
    struct id request_key;
    const struct fact *outcomes[BOUND_SLOTS + 1];  // by position
    struct {
        uint64_t multiplier;
        uint8_t kind, priority;
        bool known;
    } winners[BOUND_SLOTS + 1];
    struct live_held live;
    bool told[BOUND_LIVE_BIDS];
};

static void
put_bid(struct pack *pack, const struct edge *edge, const struct catalog *catalog,
        struct id request_key, const struct bid *bid, uint32_t *pairs)
{
    uint32_t message = catalog_message_by_id(catalog, bid->message);
    uint32_t slot = catalog_slot_by_id(catalog, bid->slot);
    struct id auction = callout_auction(edge->customer_secret, request_key, bid->seat);
    if (bid->key != NULL && bid->key[0] != '\0') {
        pack_pair_text(pack, "id", bid->key, strnlen(bid->key, BOUND_KEY));
        ++*pairs;
    }
    put_word(pack, "bid");
    put_hex(pack, bid->id);
    put_word(pack, "auction");
    put_id(pack, auction);
    pack_pair_string(pack, "tagid", slot == UINT32_MAX ? "removed" : catalog->slots[slot].tagid);
    pack_pair_string(pack, "message",
                     message == UINT32_MAX ? "removed" : catalog->messages[message].code);
    *pairs += 4;
}

// The live bid of this id, and that it is told of now; NULL: it is a standing one.
static const struct catalog_bid *
live_bid(struct round_told *told, uint64_t bid)
{
    for (uint32_t i = 0; i < told->live.count; i++) {
        if (told->live.bids[i].id != bid) continue;
        told->told[i] = true;
        return &told->live.bids[i];
    }
    return NULL;
}

// What the record does not say of a bid. False: the bid is gone.
static bool
find_bid(struct round_told *told, struct bid *bid, struct fact *scratch)
{
    const struct catalog *catalog = told->mail->catalog;
    const struct catalog_bid *live = live_bid(told, bid->id);
    uint32_t standing = live == NULL ? catalog_bid_by_id(catalog, bid->id) : UINT32_MAX;
    if (standing != UINT32_MAX) live = &catalog->bids[standing];
    if (live != NULL) {
        bid->message = catalog->messages[live->message].id;
        bid->kind = live->kind;
        bid->key = live->key;
        return true;
    }
    if (!book_find_bid(auctioneer_book(told->edge->auctioneer), bid->id, scratch)) return false;
    bid->message = scratch->bid.message;
    bid->kind = scratch->bid.kind;
    bid->key = scratch->bid.key;
    return true;
}

// By the seat's own name of it: the true id would tell two winners of a contact that it was one.
static void
put_placement(struct pack *pack, const struct edge *edge, const struct fact *fact)
{
    put_word(pack, "placement");
    put_id(pack,
           callout_placement(edge->customer_secret, fact_placement(fact), fact->placement.seat));
}

static void
tell_win(struct round_told *told, const struct fact *fact)
{
    const struct catalog *catalog = told->mail->catalog;
    enum price_kind kind = (enum price_kind)fact->placement.kind;
    struct fact scratch;
    struct bid bid = {.id = fact->placement.bid, .seat = fact->placement.seat};
    (void)find_bid(told, &bid, &scratch);
    bid.message = fact->placement.message;
    bid.slot = fact->placement.slot;
    struct pack *pack = begin(told->edge, bid.seat);
    if (pack == NULL) return;
    uint32_t pairs = 3 + ANSWER_PRICE_PAIRS;
    size_t where = pack_open_map(pack);
    pack_pair_string(pack, "event", "win");
    put_bid(pack, told->edge, catalog, told->request_key, &bid, &pairs);
    put_placement(pack, told->edge, fact);
    answer_price(pack, catalog, kind, fact->placement.price);
    pack_pair_integer(pack, "expires_us", fact->placement.expires.us);
    pack_close(pack, where, pairs);
    (void)session_say_end(told->edge->listener);
}

// The price, in the loser's own kind, that its bid is told it lacked; 0: none.
static int64_t
min_to_win(const struct round_told *told, unsigned position, enum price_kind kind,
           uint64_t multiplier, uint8_t priority)
{
    const struct catalog *catalog = told->mail->catalog;
    const struct fact *fact = told->outcomes[position];
    if (fact->kind != FACT_PLACEMENT || !told->winners[position].known ||
        told->winners[position].priority != priority)
        return 0;
    uint32_t slot = catalog_slot_by_id(catalog, fact->placement.slot);
    if (slot == UINT32_MAX ||
        catalog->containers[catalog->slots[slot].container].pricing == PRICING_VCG)
        return 0;
    money price = {0};
    switch ((enum disclosure)catalog->disclosure) {
    case DISCLOSE_NOTHING:
    case DISCLOSURE_COUNT: return 0;
    case DISCLOSE_CLEARING: price = fact->placement.price; break;
    case DISCLOSE_TO_TIE: price = fact->placement.bid_price; break;
    }
    money score = price_score((enum price_kind)told->winners[position].kind, price,
                              told->winners[position].multiplier);
    int64_t most = kind == PRICE_SHARE ? 1000000 : BOUND_MICROS;
    int64_t least = price_reaching(kind, score, multiplier).micros;
    return least <= most ? least : 0;
}

static void
tell_loss(struct round_told *told, const struct bid *bid, enum reason reason, int64_t least)
{
    struct pack *pack = begin(told->edge, bid->seat);
    if (pack == NULL) return;
    uint32_t pairs = 4u + (least > 0);
    size_t where = pack_open_map(pack);
    pack_pair_string(pack, "event", "loss");
    put_bid(pack, told->edge, told->mail->catalog, told->request_key, bid, &pairs);
    pack_pair_integer(pack, "code", reason_number(reason));
    pack_pair_string(pack, "reason", reason_key(reason));
    pack_pair_string(pack, "kind", price_kind_name((enum price_kind)bid->kind));
    if (least > 0)
        pack_pair_integer(pack, bid->kind == PRICE_SHARE ? "min_to_win_ppm" : "min_to_win_micros",
                          least);
    pack_close(pack, where, pairs);
    (void)session_say_end(told->edge->listener);
}

static uint32_t
slot_of(const struct fact *outcome)
{
    return outcome->kind == FACT_PLACEMENT ? outcome->placement.slot : outcome->unfilled.slot;
}

static void
tell_candidates(struct round_told *told, const struct fact *fact)
{
    const struct fact *outcome = told->outcomes[fact->position];
    for (unsigned i = 0; i < 2; i++) {
        struct bid bid = {
            .id = fact->candidates.bid[i],
            .seat = fact->candidates.seat[i],
            .message = fact->candidates.message[i],
            .slot = slot_of(outcome),
        };
        struct fact scratch;
        if (bid.id == 0) continue;
        uint8_t kind = fact->candidates.how[i] & CANDIDATE_KIND;
        if (outcome->kind == FACT_PLACEMENT && bid.id == outcome->placement.bid) {
            told->winners[fact->position].multiplier = fact->candidates.multiplier[i];
            told->winners[fact->position].kind = kind;
            told->winners[fact->position].priority = fact->candidates.priority[i];
            told->winners[fact->position].known = true;
            continue;
        }
        (void)find_bid(told, &bid, &scratch);
        bid.message = fact->candidates.message[i];
        bid.kind = kind;
        struct reasons_outcome of = reasons_outcome_of(outcome);
        of.priority = told->winners[fact->position].priority;
        enum reason reason = reasons_of_candidate(&of, fact, i);
        int64_t least = reason != REASON_OUTBID
                            ? 0
                            : min_to_win(told, fact->position, (enum price_kind)kind,
                                         fact->candidates.multiplier[i],
                                         fact->candidates.priority[i]);
        tell_loss(told, &bid, reason, least);
    }
}

static void
tell_refusals(struct round_told *told, const struct fact *fact)
{
    for (unsigned i = 0; i < 4; i++) {
        struct bid bid = {
            .id = fact->refusals.bid[i],
            .seat = fact->refusals.seat[i],
            .slot = slot_of(told->outcomes[fact->position]),
        };
        struct fact scratch;
        if (bid.id != 0 && find_bid(told, &bid, &scratch))
            tell_loss(told, &bid, (enum reason)fact->refusals.reason[i], 0);
    }
}

// Live bids for which the record had no place.
static void
tell_rest(struct round_told *told)
{
    const struct catalog *catalog = told->mail->catalog;
    for (uint32_t i = 0; i < told->live.count; i++) {
        const struct catalog_bid *live = &told->live.bids[i];
        enum reason reason = (enum reason)told->live.reasons[i];
        if (told->told[i] || reason == REASON_NONE) continue;
        struct bid bid = {live->id,
                          catalog->seats[live->seat].id,
                          catalog->messages[live->message].id,
                          catalog->slots[live->slot].id,
                          live->kind,
                          live->key};
        tell_loss(told, &bid, reason, 0);
    }
}

static void
tell_billing(struct edge *edge, const struct catalog *catalog, const struct fact *fact, usec at)
{
    enum price_kind kind = (enum price_kind)fact->placement.kind;
    uint32_t message = catalog_message_by_id(catalog, fact->placement.message);
    uint32_t slot = catalog_slot_by_id(catalog, fact->placement.slot);
    struct pack *pack = begin(edge, fact->placement.seat);
    if (pack == NULL) return;
    pack_map(pack, 6 + ANSWER_PRICE_PAIRS);
    pack_pair_string(pack, "event", "billing");
    put_placement(pack, edge, fact);
    put_word(pack, "bid");
    put_hex(pack, fact->placement.bid);
    pack_pair_string(pack, "tagid", slot == UINT32_MAX ? "removed" : catalog->slots[slot].tagid);
    pack_pair_string(pack, "message",
                     message == UINT32_MAX ? "removed" : catalog->messages[message].code);
    answer_price(pack, catalog, kind, fact->placement.price);
    pack_pair_integer(pack, "at_us", at.us);
    (void)session_say_end(edge->listener);
}

void
notice_contact(struct edge *edge, const struct mail *mail)
{
    if (live_bidders(edge->live)->with_notices == 0) return;
    const struct fact *opened = mail->fact;
    struct round_told told = {
        .edge = edge,
        .mail = mail,
        .request_key = contact_request_key(opened->party, opened->opened.key),
    };
    (void)live_held(edge->live, mail->held, &told.live);
    for (unsigned i = 1; i < mail->facts; i++) {
        const struct fact *fact = &mail->fact[i];
        if (fact->kind != FACT_PLACEMENT && fact->kind != FACT_UNFILLED) continue;
        told.outcomes[fact->position] = fact;
        if (fact->kind != FACT_PLACEMENT) continue;
        tell_win(&told, fact);
        if (market_due(fact->placement.kind, fact->placement.charge) == DUE_WIN)
            tell_billing(edge, mail->catalog, fact, fact->at);
    }
    for (unsigned i = 1; i < mail->facts; i++) {
        const struct fact *fact = &mail->fact[i];
        if (fact->kind == FACT_CANDIDATES) tell_candidates(&told, fact);
        else if (fact->kind == FACT_REFUSALS) tell_refusals(&told, fact);
    }
    tell_rest(&told);
}

void
notice_event(struct edge *edge, const struct fact *fact)
{
    struct book_placement placement;
    if (live_bidders(edge->live)->with_notices == 0) return;
    if (!book_find_placement(auctioneer_book(edge->auctioneer), fact_placement(fact), &placement))
        return;
    const struct fact *won = placement.fact;
    enum due due = market_due(won->placement.kind, won->placement.charge);
    if (fact->kind == FACT_CONVERTED && fact->revenue.due) {
        tell_billing(edge, edge->catalog, won, fact->revenue.effective);
    } else if ((due == DUE_DELIVERY && fact->kind == FACT_DELIVERED) ||
               (due == DUE_RESPONSE && fact->kind == FACT_ACCEPTED)) {
        tell_billing(edge, edge->catalog, won, fact->event.effective);
    }
}

void
notice_late(struct edge *edge, const struct fact *placement, usec at)
{
    struct pack *pack = begin(edge, placement->placement.seat);
    if (pack == NULL) return;
    pack_map(pack, 3);
    pack_pair_string(pack, "event", "late");
    put_placement(pack, edge, placement);
    pack_pair_integer(pack, "at_us", at.us);
    (void)session_say_end(edge->listener);
}

// --- Of an answer --------------------------------------------------------------------------------

void
notice_trouble(struct edge *edge, const struct session_answer *answer, const struct id *auction,
               const struct callout_trouble *trouble)
{
    struct bidder *bidder = &live_bidders(edge->live)->of[answer->peer.party];
    struct pack *pack = session_notice_begin(edge->listener, answer->session, "notice");
    if (pack == NULL) {
        bidder->counts.notices_dropped++;
        return;
    }
    bool whole = trouble->bid == CALLOUT_WHOLE, place = trouble->place[0] != '\0';
    bidder->counts.notices++;
    pack_map(pack, 5u + !whole + place + (auction != NULL));
    pack_pair_string(pack, "event", "error");
    pack_pair_integer(pack, "answer", answer->id);
    if (auction != NULL) {
        put_word(pack, "auction");
        put_id(pack, *auction);
    }
    if (!whole) pack_pair_integer(pack, "number", trouble->bid);
    pack_pair_integer(pack, "code", reason_number(trouble->reason));
    pack_pair_string(pack, "reason", reason_key(trouble->reason));
    pack_pair_string(pack, "text",
                     trouble->text[0] != '\0' ? trouble->text : reason_text(trouble->reason));
    if (place) pack_pair_string(pack, "field", trouble->place);
    (void)session_say_end(edge->listener);
}
