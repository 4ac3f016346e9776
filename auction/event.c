// Requests about placements and bids, judged against the book. Pure: what it gives is a fact, or a
// reason.
//
// Events, in the order of checks:
//   (1) the placement is known                                                  unknown_placement
//   (2) a touchpoint speaks of its own contacts, a seat of its own placements   not_yours
//       and only of revenue; nobody else speaks                                 wrong_role
//   (3) not in the future (5 minutes for clocks that differ)                    out_of_range
//       and not before the win (the same 5 minutes; or before now, by a clock
//       that was set back since)                                                early
//   (4) the state of the placement, by kind:
//         state      delivered      cancelled      accepted       declined       complained
//         held       now or LATE    now            EARLY          EARLY          EARLY
//         delivered  repeat         ALREADY_ENDED  now or LATE    now or LATE    now
//         accepted   repeat         ALREADY_ENDED  repeat         CONFLICT       now
//         declined   repeat         ALREADY_ENDED  CONFLICT       repeat         now
//         lapsed     repeat         ALREADY_ENDED  LATE           LATE           now
//         cancelled  ALREADY_ENDED  repeat         ALREADY_ENDED  ALREADY_ENDED  ALREADY_ENDED
//         expired    LATE           ALREADY_ENDED  ALREADY_ENDED  ALREADY_ENDED  ALREADY_ENDED
//       A placement whose price waits for a response or a conversion is delivered until its window
//       for them ends: then it lapses, and a response that comes before that was noted is LATE too.
//       One that waits for its conversion lapses from accepted too. A second complaint is
//       a repeat. A conversion: EARLY while held, now while delivered, accepted or lapsed, else
//       ALREADY_ENDED; after declined a known one is still a repeat. A refund follows its
//       conversion, not the state.
//   (5) a complaint must find room to be remembered (BUSY)
//   (6) revenue: currency; amount 1 micro to BOUND_MICROS; the order or refund known: the same
//       placement (of an order of the host's: any) and amount is a repeat, else CONFLICT; a refund
//       needs its conversion (EARLY), on this placement (CONFLICT; of an order of the host's it is
//       booked where the order was), and stays within it (REFUND_EXCEEDS); all conversions of a
//       placement stay within the range of money (OUT_OF_RANGE); the book must have room (BUSY)
#include "event.h"

#include <string.h>

#include "fail.h"

#define CLOCK_SLACK_US (5 * 60 * USEC_SECOND)

// --- Events --------------------------------------------------------------------------------------
static enum reason
judge_party(const struct event *event, const struct fact *placement)
{
    bool revenue = event->kind == FACT_CONVERTED || event->kind == FACT_REFUNDED;
    switch (event->role) {
    case ROLE_TOUCHPOINT: return event->party == placement->party ? REASON_NONE : REASON_NOT_YOURS;
    case ROLE_SEAT:
        if (event->party != placement->placement.seat) return REASON_NOT_YOURS;
        return revenue ? REASON_NONE : REASON_WRONG_ROLE;
    case ROLE_OPERATOR:
    case ROLE_COUNT: break;
    }
    return REASON_WRONG_ROLE;
}

static enum reason
judge_delivery(const struct event *event, const struct book_placement *placement, usec now,
               bool *out_repeated)
{
    bool delivered = event->kind == FACT_DELIVERED;
    switch (placement->state) {
    case PLACEMENT_HELD:
        return delivered && now.us >= placement->fact->placement.expires.us ? REASON_LATE
                                                                            : REASON_NONE;
    case PLACEMENT_DELIVERED:
    case PLACEMENT_ACCEPTED:
    case PLACEMENT_DECLINED:
    case PLACEMENT_LAPSED:
        *out_repeated = delivered;
        return delivered ? REASON_NONE : REASON_ALREADY_ENDED;
    case PLACEMENT_CANCELLED:
        *out_repeated = !delivered;
        return delivered ? REASON_ALREADY_ENDED : REASON_NONE;
    case PLACEMENT_EXPIRED: break;
    }
    return delivered ? REASON_LATE : REASON_ALREADY_ENDED;
}

static enum reason
judge_response(const struct book *book, const struct event *event,
               const struct book_placement *placement, usec now, bool *out_repeated)
{
    bool accepted = event->kind == FACT_ACCEPTED;
    switch (placement->state) {
    case PLACEMENT_HELD: return REASON_EARLY;
    case PLACEMENT_DELIVERED:
        return now.us >= book_response_ends(book, event->placement).us ? REASON_LATE : REASON_NONE;
    case PLACEMENT_ACCEPTED:
        *out_repeated = accepted;
        return accepted ? REASON_NONE : REASON_CONFLICT;
    case PLACEMENT_DECLINED:
        *out_repeated = !accepted;
        return accepted ? REASON_CONFLICT : REASON_NONE;
    case PLACEMENT_LAPSED: return REASON_LATE;
    case PLACEMENT_CANCELLED:
    case PLACEMENT_EXPIRED: break;
    }
    return REASON_ALREADY_ENDED;
}

static enum reason
judge_complaint(const struct book *book, const struct book_placement *placement, bool *out_repeated)
{
    switch (placement->state) {
    case PLACEMENT_HELD: return REASON_EARLY;
    case PLACEMENT_DELIVERED:
    case PLACEMENT_ACCEPTED:
    case PLACEMENT_DECLINED:
    case PLACEMENT_LAPSED:
        *out_repeated = placement->complained;
        if (placement->complained) return REASON_NONE;
        return book_mark_has_room(book, placement->fact->customer) ? REASON_NONE : REASON_BUSY;
    case PLACEMENT_CANCELLED:
    case PLACEMENT_EXPIRED: break;
    }
    return REASON_ALREADY_ENDED;
}

static enum reason
judge_revenue(const struct catalog *catalog, const struct book *book, const struct event *event,
              const struct book_placement *placement, bool *out_repeated, struct id *out_about)
{
    if (!currency_same(event->currency, catalog->currency)) return REASON_CURRENCY;
    if (event->amount.micros < 1 || event->amount.micros > BOUND_MICROS) return REASON_OUT_OF_RANGE;
    if (placement->state == PLACEMENT_HELD) return REASON_EARLY;
    bool refund = event->kind == FACT_REFUNDED, of_host = placement->fact->placement.of_host;
    struct book_order known, conversion;
    *out_about = event->placement;
    if (book_find_order(book, event->order, refund ? event->key : NULL, &known)) {
        bool same = (of_host || id_same(known.placement, event->placement)) &&
                    known.amount.micros == event->amount.micros;
        *out_repeated = same;
        return same ? REASON_NONE : REASON_CONFLICT;
    }
    if (refund) {
        if (!book_find_order(book, event->order, NULL, &conversion)) return REASON_EARLY;
        // An order of the host's may have been booked where another seat was first to report it; a
        // seat speaks of its own placements only.
        bool elsewhere = !id_same(conversion.placement, event->placement);
        if (elsewhere && (!of_host || event->role == ROLE_SEAT)) return REASON_CONFLICT;
        *out_about = conversion.placement;
        money refunded;
        if (money_add(conversion.refunded, event->amount, &refunded) != STATUS_OK)
            return REASON_REFUND_EXCEEDS;
        if (refunded.micros > conversion.amount.micros) return REASON_REFUND_EXCEEDS;
    } else {
        money converted;
        if (placement->state != PLACEMENT_DELIVERED && placement->state != PLACEMENT_ACCEPTED &&
            placement->state != PLACEMENT_LAPSED)
            return REASON_ALREADY_ENDED;
        if (money_add(placement->converted, event->amount, &converted) != STATUS_OK)
            return REASON_OUT_OF_RANGE;
    }
    return book_order_has_room(book, *out_about) ? REASON_NONE : REASON_BUSY;
}

static struct fact
fact_about(const struct fact *placement, enum fact_kind kind, enum role role, uint16_t party,
           usec now)
{
    return (struct fact){
        .kind = (uint8_t)kind,
        .role = (uint8_t)role,
        .shard = placement->shard,
        .party = party,
        .position = placement->position,
        .at = now,
        .contact = placement->contact,
        .customer = placement->customer,
    };
}

// Whether the price of the placement was waiting for this conversion.
static bool
brings_price(const struct book *book, const struct event *event,
             const struct book_placement *placement)
{
    const struct fact *won = placement->fact;
    bool alive = placement->state == PLACEMENT_DELIVERED || placement->state == PLACEMENT_ACCEPTED;
    return event->kind == FACT_CONVERTED && alive &&
           market_due(won->placement.kind, won->placement.charge) == DUE_CONVERSION &&
           book_response_ends(book, event->placement).us != INT64_MAX;
}

enum reason
event_decide(const struct catalog *catalog, const struct book *book, const struct event *event,
             usec now, struct fact *out_fact, bool *out_repeated)
{
    *out_repeated = false;
    struct book_placement placement;
    if (!book_find_placement(book, event->placement, &placement)) return REASON_UNKNOWN_PLACEMENT;
    enum reason reason = judge_party(event, placement.fact);
    if (reason != REASON_NONE) return reason;
    if (event->effective.us > now.us + CLOCK_SLACK_US) return REASON_OUT_OF_RANGE;
    // A clock that was set back since the win must not make everybody else's early.
    usec won = placement.fact->at.us < now.us ? placement.fact->at : now;
    if (event->effective.us < won.us - CLOCK_SLACK_US) return REASON_EARLY;
    bool revenue = event->kind == FACT_CONVERTED || event->kind == FACT_REFUNDED;
    struct id about = event->placement;
    if (revenue) {
        reason = judge_revenue(catalog, book, event, &placement, out_repeated, &about);
    } else if (event->kind == FACT_DELIVERED || event->kind == FACT_CANCELLED) {
        reason = judge_delivery(event, &placement, now, out_repeated);
    } else if (event->kind == FACT_COMPLAINED) {
        reason = judge_complaint(book, &placement, out_repeated);
    } else {
        CHECK(event->kind == FACT_ACCEPTED || event->kind == FACT_DECLINED);
        reason = judge_response(book, event, &placement, now, out_repeated);
    }
    if (reason != REASON_NONE || *out_repeated) return reason;

    CHECK(book_find_placement(book, about, &placement));
    struct fact fact = fact_about(placement.fact, event->kind, event->role, event->party, now);
    if (revenue) {
        fact.revenue.seat = placement.fact->placement.seat;
        fact.revenue.message = placement.fact->placement.message;
        fact.revenue.currency = event->currency;
        fact.revenue.effective = event->effective;
        fact.revenue.amount = event->amount;
        fact.revenue.order = event->order;
        fact.revenue.of_host = placement.fact->placement.of_host;
        fact.revenue.due = brings_price(book, event, &placement);
        memcpy(fact.revenue.key, event->key, sizeof fact.revenue.key);
    } else {
        fact.event.slot = placement.fact->placement.slot;
        fact.event.message = placement.fact->placement.message;
        fact.event.seat = placement.fact->placement.seat;
        fact.event.effective = event->effective;
        fact.event.catalog = catalog->version;
        fact.event.price = placement.fact->placement.price;
        memcpy(fact.event.key, event->key, sizeof fact.event.key);
    }
    *out_fact = fact;
    return REASON_NONE;
}

void
event_expire(const struct book *book, struct id placement, usec now, struct fact *out_fact)
{
    struct book_placement found;
    CHECK(book_find_placement(book, placement, &found));
    bool held = found.state == PLACEMENT_HELD;
    usec end = held ? found.fact->placement.expires : book_response_ends(book, placement);
    CHECK((held || found.state == PLACEMENT_DELIVERED || found.state == PLACEMENT_ACCEPTED) &&
          end.us <= now.us);
    *out_fact = fact_about(found.fact, held ? FACT_EXPIRED : FACT_LAPSED, ROLE_OPERATOR, 0, now);
    out_fact->event.slot = found.fact->placement.slot;
    out_fact->event.message = found.fact->placement.message;
    out_fact->event.seat = found.fact->placement.seat;
    out_fact->event.effective = end;
    out_fact->event.price = found.fact->placement.price;
}

// --- Bids ----------------------------------------------------------------------------------------
uint64_t
event_bid_id(uint16_t seat, const char key[BOUND_KEY])
{
    uint64_t words[BOUND_KEY / 8], id = hash_mix(seat + 0x9e3779b97f4a7c15u);
    memcpy(words, key, sizeof words);
    for (unsigned i = 0; i < BOUND_KEY / 8; i++) id = hash_mix(id ^ words[i]) + 0x9e3779b97f4a7c15u;
    return id == 0 ? 1 : id;
}

// The bid as it stands now: in the overlay, else in the catalog.
static bool
find_standing(const struct catalog *catalog, const struct book *book, uint64_t id,
              struct fact *out_fact)
{
    if (book_find_bid(book, id, out_fact)) return true;
    uint32_t index = catalog_bid_by_id(catalog, id);
    if (index == UINT32_MAX) return false;
    const struct catalog_bid *bid = &catalog->bids[index];
    *out_fact = (struct fact){.kind = FACT_BID};
    out_fact->bid.bid = id;
    out_fact->bid.seat = (uint16_t)catalog->seats[bid->seat].id;
    out_fact->bid.state = bid->state;
    out_fact->bid.kind = bid->kind;
    out_fact->bid.message = catalog->messages[bid->message].id;
    out_fact->bid.slot = bid->slot == UINT32_MAX ? 0 : catalog->slots[bid->slot].id;
    out_fact->bid.price = bid->price;
    out_fact->bid.from = bid->from;
    out_fact->bid.until = bid->until;
    memcpy(out_fact->bid.key, bid->key, sizeof out_fact->bid.key);
    return true;
}

static bool
same_bid(const struct fact *a, const struct fact *b)
{
    if (a->bid.state == BID_WITHDRAWN && b->bid.state == BID_WITHDRAWN) return true;
    return a->bid.state == b->bid.state && a->bid.kind == b->bid.kind &&
           a->bid.message == b->bid.message && a->bid.slot == b->bid.slot &&
           a->bid.price.micros == b->bid.price.micros && a->bid.from.us == b->bid.from.us &&
           a->bid.until.us == b->bid.until.us;
}

static enum reason
judge_offer(const struct catalog *catalog, const struct offer *offer, usec now)
{
    if (offer->state > BID_PAUSED || offer->kind >= PRICE_KIND_COUNT) return REASON_OUT_OF_RANGE;
    if (offer->message >= catalog->message_count) return REASON_UNKNOWN_MESSAGE;
    if (offer->slot != UINT32_MAX && offer->slot >= catalog->slot_count) return REASON_UNKNOWN_SLOT;
    uint32_t seat = catalog->messages[offer->message].seat;
    if (catalog->seats[seat].id != offer->seat) return REASON_NOT_YOURS;
    if (!currency_same(offer->currency, catalog->currency)) return REASON_CURRENCY;
    int64_t most = offer->kind == PRICE_SHARE ? MONEY_PPM : BOUND_MICROS;
    if (offer->price.micros < 1 || offer->price.micros > most) return REASON_OUT_OF_RANGE;
    if (offer->from.us < 0 || offer->until.us < 0) return REASON_OUT_OF_RANGE;
    if (offer->until.us != 0 && offer->until.us <= offer->from.us) return REASON_OUT_OF_RANGE;
    usec from = offer->from.us > now.us ? offer->from : now;
    if (offer->kind == PRICE_SHARE && catalog_contract_at(catalog, seat, from) == NULL)
        return REASON_CONTRACT;
    return REASON_NONE;
}

enum reason
event_offer(const struct catalog *catalog, const struct book *book, const struct offer *offer,
            usec now, struct fact *out_fact, bool *out_repeated)
{
    *out_repeated = false;
    struct fact standing, fact = {
                              .kind = FACT_BID,
                              .role = ROLE_SEAT,
                              .party = offer->seat,
                              .at = now,
                          };
    fact.bid.bid = event_bid_id(offer->seat, offer->key);
    bool known = find_standing(catalog, book, fact.bid.bid, &standing);
    // Ids are 64 bits of a fixed mix: two references that meet are told apart here, not silently
    // joined.
    if (known &&
        (standing.bid.seat != offer->seat || memcmp(standing.bid.key, offer->key, BOUND_KEY) != 0))
        return REASON_CONFLICT;
    fact.bid.seat = offer->seat;
    memcpy(fact.bid.key, offer->key, sizeof fact.bid.key);
    fact.bid.currency = catalog->currency;
    fact.bid.state = offer->state;
    if (offer->state == BID_WITHDRAWN) {
        if (!known) return REASON_UNKNOWN_BID;
        fact.bid.kind = standing.bid.kind;  // the rest as it stood
        fact.bid.message = standing.bid.message;
        fact.bid.slot = standing.bid.slot;
        fact.bid.price = standing.bid.price;
        fact.bid.from = standing.bid.from;
        fact.bid.until = standing.bid.until;
    } else {
        enum reason reason = judge_offer(catalog, offer, now);
        if (reason != REASON_NONE) return reason;
        fact.bid.kind = offer->kind;
        fact.bid.message = catalog->messages[offer->message].id;
        fact.bid.slot = offer->slot == UINT32_MAX ? 0 : catalog->slots[offer->slot].id;
        fact.bid.price = offer->price;
        fact.bid.from = offer->from;
        fact.bid.until = offer->until;
    }
    if (known && same_bid(&standing, &fact)) {
        *out_repeated = true;
        *out_fact = standing;
        return REASON_NONE;
    }
    struct fact changed;
    if (!book_find_bid(book, fact.bid.bid, &changed) && !book_overlay_has_room(book))
        return REASON_BUSY;
    *out_fact = fact;
    return REASON_NONE;
}
