// Events in every state of a placement, who may report them, revenue and refunds, bids: the tables
// of event.c's head comment, case by case.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "random_history.h"

struct stage_set {
    struct history history;
    struct fact placement;
    struct event event;
};

// A market at work until a placement of a seat is held; then one like it, of this kind of price.
static void
set_open_of(struct stage_set *set, enum price_kind kind)
{
    struct random_market options = {.bids = 200, .prices = 20, .version = 3};
    history_open(&set->history, 77, &options, &history_limits);
    while (set->history.placement_count == 0) history_contact(&set->history);
    struct book_placement placement;
    assert_true(book_find_placement(set->history.book, set->history.placements[0], &placement));
    struct fact facts[2] = {{.kind = FACT_CONTACT, .party = 5, .at = set->history.now},
                            *placement.fact};
    facts[0].contact = facts[1].contact = hash_id("contact", &options, sizeof options.version);
    facts[0].contact.bytes[15] = facts[1].contact.bytes[15] = 0;
    facts[0].opened.slots = 1;
    facts[1].placement.kind = (uint8_t)kind;
    history_apply(&set->history, facts, 2);
    set->placement = facts[1];
    set->event = (struct event){
        .placement = fact_placement(&facts[1]),
        .kind = FACT_DELIVERED,
        .role = ROLE_TOUCHPOINT,
        .party = 5,
        .effective = set->history.now,
        .amount = money_of(100),
        .currency = {"EUR"},
        .order = {{1}},
        .key = "key",
    };
}

static void
set_open(struct stage_set *set)
{
    set_open_of(set, PRICE_PLACEMENT);
}

#define REPEAT REASON_COUNT  // in the tables: REASON_NONE, and nothing new

// Applies the fact when there is one.
static enum reason
report(struct stage_set *set, enum fact_kind kind)
{
    struct fact fact;
    bool repeated;
    set->event.kind = kind;
    enum reason reason = event_decide(set->history.catalog, set->history.book, &set->event,
                                      set->history.now, &fact, &repeated);
    if (reason != REASON_NONE) return reason;
    if (repeated) return REPEAT;
    assert_int_equal(fact.kind, kind);
    assert_true(id_same(fact_placement(&fact), set->event.placement));
    assert_int_equal(fact.customer, set->placement.customer);
    assert_int_equal(fact.shard, set->placement.shard);
    assert_int_equal(fact.at.us, set->history.now.us);
    history_apply(&set->history, &fact, 1);
    return REASON_NONE;
}

static void
lead_to(struct stage_set *set, enum placement_state state)
{
    switch (state) {
    case PLACEMENT_HELD: return;
    case PLACEMENT_DELIVERED: assert_int_equal(report(set, FACT_DELIVERED), REASON_NONE); return;
    case PLACEMENT_ACCEPTED:
        assert_int_equal(report(set, FACT_DELIVERED), REASON_NONE);
        assert_int_equal(report(set, FACT_ACCEPTED), REASON_NONE);
        return;
    case PLACEMENT_DECLINED:
        assert_int_equal(report(set, FACT_DELIVERED), REASON_NONE);
        assert_int_equal(report(set, FACT_DECLINED), REASON_NONE);
        return;
    case PLACEMENT_CANCELLED: assert_int_equal(report(set, FACT_CANCELLED), REASON_NONE); return;
    case PLACEMENT_EXPIRED:
        set->history.now = set->placement.placement.expires;
        history_expire(&set->history);
        return;
    case PLACEMENT_LAPSED:
        assert_int_equal(report(set, FACT_DELIVERED), REASON_NONE);
        set->history.now.us += BOUND_RESPONSE_DAYS * USEC_DAY;
        history_expire(&set->history);
        return;
    }
}

// (4) state by kind.
static void
test_states(void **state)
{
    (void)state;
    enum {
        NOW = REASON_NONE,
        LATE = REASON_LATE,
        EARLY = REASON_EARLY,
        ENDED = REASON_ALREADY_ENDED,
        CONFLICT = REASON_CONFLICT
    };
    enum { KINDS = 7, STATES = PLACEMENT_LAPSED + 1 };
    static const enum fact_kind kinds[KINDS] = {FACT_DELIVERED, FACT_CANCELLED, FACT_ACCEPTED,
                                                FACT_DECLINED,  FACT_CONVERTED, FACT_REFUNDED,
                                                FACT_COMPLAINED};
    static const int expected[STATES][KINDS] = {
        [PLACEMENT_HELD] = {NOW, NOW, EARLY, EARLY, EARLY, EARLY, EARLY},
        [PLACEMENT_DELIVERED] = {REPEAT, ENDED, NOW, NOW, NOW, EARLY, NOW},
        [PLACEMENT_ACCEPTED] = {REPEAT, ENDED, REPEAT, CONFLICT, NOW, EARLY, NOW},
        [PLACEMENT_DECLINED] = {REPEAT, ENDED, CONFLICT, REPEAT, ENDED, EARLY, NOW},
        [PLACEMENT_CANCELLED] = {ENDED, REPEAT, ENDED, ENDED, ENDED, EARLY, ENDED},
        [PLACEMENT_EXPIRED] = {LATE, ENDED, ENDED, ENDED, ENDED, EARLY, ENDED},
        [PLACEMENT_LAPSED] = {REPEAT, ENDED, LATE, LATE, NOW, EARLY, NOW},
    };
    for (enum placement_state from = PLACEMENT_HELD; from <= PLACEMENT_LAPSED; from++) {
        for (unsigned i = 0; i < KINDS; i++) {
            struct stage_set set;
            set_open_of(&set, from == PLACEMENT_LAPSED ? PRICE_RESPONSE : PRICE_PLACEMENT);
            lead_to(&set, from);
            struct digest before = book_digest(set.history.book);
            enum reason reason = report(&set, kinds[i]);
            if ((int)reason != expected[from][i])
                fail_msg("state %d, %s: %s", from, fact_kind_name(kinds[i]),
                         reason == REPEAT ? "repeat" : reason_key(reason));
            // What gives no fact changes nothing.
            assert_int_equal(digest_same(before, book_digest(set.history.book)),
                             reason != REASON_NONE);
            history_close(&set.history);
        }
    }
}

static void
test_window(void **state)
{
    (void)state;
    struct stage_set set;
    set_open(&set);
    usec expires = set.placement.placement.expires;
    set.history.now = (usec){expires.us - 1};
    set.event.effective = (usec){set.history.now.us + 301 * USEC_SECOND};
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_OUT_OF_RANGE);  // the future
    set.event.effective = (usec){set.placement.at.us - 301 * USEC_SECOND};
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_EARLY);  // before its win
    set.event.effective = (usec){set.placement.at.us - 299 * USEC_SECOND};
    set.history.now = expires;
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_LATE);  // held, but the window is over
    set.history.now = (usec){expires.us - 1};
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_NONE);
    history_close(&set.history);
}

// The engine's clock was set back by an hour since the win: what is reported now is not early.
static void
test_clock_set_back(void **state)
{
    (void)state;
    struct stage_set set;
    set_open(&set);
    set.history.now.us -= 3600 * USEC_SECOND;
    set.event.effective = (usec){set.history.now.us - 301 * USEC_SECOND};
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_EARLY);
    set.event.effective = (usec){set.history.now.us + 301 * USEC_SECOND};
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_OUT_OF_RANGE);
    set.event.effective = set.history.now;
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_NONE);
    history_close(&set.history);
}

// A price per response: the response comes within a month, or is late, noted as lapsed or not.
static void
test_response_window(void **state)
{
    (void)state;
    struct stage_set set;
    set_open_of(&set, PRICE_RESPONSE);
    lead_to(&set, PLACEMENT_DELIVERED);
    usec end = {set.history.now.us + BOUND_RESPONSE_DAYS * USEC_DAY};
    set.history.now = set.event.effective = end;
    assert_int_equal(report(&set, FACT_ACCEPTED), REASON_LATE);
    set.history.now = set.event.effective = (usec){end.us - 1};
    assert_int_equal(report(&set, FACT_ACCEPTED), REASON_NONE);
    set.history.now = set.event.effective = end;
    assert_int_equal(report(&set, FACT_ACCEPTED), REPEAT);
    history_close(&set.history);
    set_open_of(&set, PRICE_SHARE);  // no price depends on it: never late
    lead_to(&set, PLACEMENT_DELIVERED);
    set.history.now = set.event.effective = (usec){end.us + 300 * USEC_DAY};
    assert_int_equal(report(&set, FACT_ACCEPTED), REASON_NONE);
    history_close(&set.history);
}

static void
test_complaints(void **state)
{
    (void)state;
    struct stage_set set;
    set_open(&set);
    lead_to(&set, PLACEMENT_DELIVERED);
    set.event.role = ROLE_SEAT;
    set.event.party = (uint16_t)set.placement.placement.seat;
    assert_int_equal(report(&set, FACT_COMPLAINED), REASON_WRONG_ROLE);
    set.event.role = ROLE_TOUCHPOINT;
    set.event.party = 5;
    assert_int_equal(report(&set, FACT_COMPLAINED), REASON_NONE);
    assert_int_equal(report(&set, FACT_COMPLAINED), REPEAT);
    history_close(&set.history);
}

// No room to remember it: the reporter is told to come back, and nothing is half noted.
static void
test_complaint_busy(void **state)
{
    (void)state;
    struct stage_set set;
    set_open(&set);
    struct book_limits limits = history_limits;
    limits.customers = 0;
    struct book *book = book_open(&limits);
    struct fact contact = {.kind = FACT_CONTACT, .party = 5, .contact = set.placement.contact};
    struct fact delivered = set.placement, fact;
    contact.opened.slots = 1;
    set.placement.customer = 9;
    set.placement.placement.cap_days = 0;
    memset(delivered.bytes, 0, sizeof delivered.bytes);
    delivered.kind = FACT_DELIVERED;
    struct catalog_position position = {1, 1, 1};
    assert_int_equal(book_apply(book, &contact, position), STATUS_OK);
    assert_int_equal(book_apply(book, &set.placement, position), STATUS_OK);
    assert_int_equal(book_apply(book, &delivered, position), STATUS_OK);
    set.event.kind = FACT_COMPLAINED;
    bool repeated;
    assert_int_equal(
        event_decide(set.history.catalog, book, &set.event, set.history.now, &fact, &repeated),
        REASON_BUSY);
    book_close(book);
    history_close(&set.history);
}

static void
test_parties(void **state)
{
    (void)state;
    struct stage_set set;
    set_open(&set);
    set.event.party = 6;
    assert_int_equal(report(&set, FACT_DELIVERED),
                     REASON_NOT_YOURS);  // another touchpoint's contact
    set.event.role = ROLE_SEAT;
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_NOT_YOURS);  // another seat's placement
    set.event.party = (uint16_t)set.placement.placement.seat;
    assert_int_equal(report(&set, FACT_DELIVERED),
                     REASON_WRONG_ROLE);  // a seat does not report deliveries
    set.event.role = ROLE_OPERATOR;
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_WRONG_ROLE);
    set.event.role = ROLE_TOUCHPOINT;
    set.event.party = 5;
    assert_int_equal(report(&set, FACT_DELIVERED), REASON_NONE);
    set.event.role = ROLE_SEAT;
    set.event.party = (uint16_t)set.placement.placement.seat;
    assert_int_equal(report(&set, FACT_CONVERTED), REASON_NONE);
    set.event.placement.bytes[0] ^= 1;
    assert_int_equal(report(&set, FACT_CONVERTED), REASON_UNKNOWN_PLACEMENT);
    history_close(&set.history);
}

static void
revenue(struct stage_set *set, enum fact_kind kind, uint8_t order, const char *key, int64_t amount,
        enum reason expected)
{
    memset(set->event.key, 0, sizeof set->event.key);
    snprintf(set->event.key, sizeof set->event.key, "%s", key);
    set->event.order = (struct id){{order}};
    set->event.amount = money_of(amount);
    enum reason reason = report(set, kind);
    if (reason != expected)
        fail_msg("%s %u %s %lld: %u", fact_kind_name(kind), order, key, (long long)amount, reason);
}

// (5) conversions and refunds.
static void
test_revenue(void **state)
{
    (void)state;
    struct stage_set set;
    set_open(&set);
    lead_to(&set, PLACEMENT_DELIVERED);
    revenue(&set, FACT_REFUNDED, 1, "r1", 10, REASON_EARLY);
    revenue(&set, FACT_CONVERTED, 1, "o", 0, REASON_OUT_OF_RANGE);
    revenue(&set, FACT_CONVERTED, 1, "o", BOUND_MICROS + 1, REASON_OUT_OF_RANGE);
    revenue(&set, FACT_CONVERTED, 1, "o", 100, REASON_NONE);
    revenue(&set, FACT_CONVERTED, 1, "o", 100, REPEAT);
    revenue(&set, FACT_CONVERTED, 1, "o", 101, REASON_CONFLICT);
    revenue(&set, FACT_CONVERTED, 2, "p", 50, REASON_NONE);
    revenue(&set, FACT_REFUNDED, 1, "r1", 60, REASON_NONE);
    revenue(&set, FACT_REFUNDED, 1, "r1", 60, REPEAT);
    revenue(&set, FACT_REFUNDED, 1, "r1", 59, REASON_CONFLICT);
    revenue(&set, FACT_REFUNDED, 1, "r2", 41, REASON_REFUND_EXCEEDS);
    revenue(&set, FACT_REFUNDED, 1, "r2", 40, REASON_NONE);
    revenue(&set, FACT_REFUNDED, 1, "r3", 1, REASON_REFUND_EXCEEDS);
    revenue(&set, FACT_REFUNDED, 2, "r1", 50, REASON_NONE);  // the same reference of another order
    struct book_placement placement;
    assert_true(book_find_placement(set.history.book, set.event.placement, &placement));
    assert_int_equal(placement.converted.micros, 150);
    assert_int_equal(placement.refunded.micros, 150);
    memcpy(set.event.currency.code, "USD", 4);
    revenue(&set, FACT_CONVERTED, 3, "q", 1, REASON_CURRENCY);
    memcpy(set.event.currency.code, "EUR", 4);
    // The same order on another placement is a conflict.
    set.event.placement = set.history.placements[0];
    assert_true(book_find_placement(set.history.book, set.event.placement, &placement));
    set.placement = *placement.fact;
    lead_to(&set, PLACEMENT_DELIVERED);
    revenue(&set, FACT_CONVERTED, 1, "o", 100, REASON_CONFLICT);
    revenue(&set, FACT_REFUNDED, 2, "r9", 1, REASON_CONFLICT);
    history_close(&set.history);
}

// The same two placements, where the host is the merchant: one order, whoever reports it. It is
// refunded where it was booked; but a seat speaks of its own placements only.
static void
test_orders_of_the_host(void **state)
{
    (void)state;
    struct stage_set set;
    struct fact fact;
    bool repeated;
    set_open(&set);
    struct fact pair[3] = {
        {.kind = FACT_CONTACT, .party = 5, .at = set.history.now}, set.placement, set.placement};
    pair[0].contact = hash_id("contact", "host", 4);
    pair[0].contact.bytes[15] &= 0xf0;
    pair[0].opened.slots = 2;
    for (uint8_t i = 1; i < 3; i++) {
        pair[i].contact = pair[0].contact;
        pair[i].position = i;
        pair[i].placement.of_host = 1;
        pair[i].placement.seat += i - 1u;
    }
    history_apply(&set.history, pair, 3);
    for (unsigned i = 1; i < 3; i++) {
        set.placement = pair[i];
        set.event.placement = fact_placement(&pair[i]);
        lead_to(&set, PLACEMENT_DELIVERED);
    }
    set.event.placement = fact_placement(&pair[1]);
    revenue(&set, FACT_CONVERTED, 1, "o", 100, REASON_NONE);
    set.event.placement = fact_placement(&pair[2]);
    revenue(&set, FACT_CONVERTED, 1, "o", 100, REPEAT);
    revenue(&set, FACT_CONVERTED, 1, "o", 101, REASON_CONFLICT);
    set.event.kind = FACT_REFUNDED;
    set.event.amount = money_of(60);
    memset(set.event.key, 0, sizeof set.event.key);
    memcpy(set.event.key, "r1", 2);
    set.event.role = ROLE_SEAT;
    set.event.party = (uint16_t)pair[2].placement.seat;
    assert_int_equal(event_decide(set.history.catalog, set.history.book, &set.event,
                                  set.history.now, &fact, &repeated),
                     REASON_CONFLICT);
    set.event.role = ROLE_TOUCHPOINT;
    set.event.party = 5;
    assert_int_equal(event_decide(set.history.catalog, set.history.book, &set.event,
                                  set.history.now, &fact, &repeated),
                     REASON_NONE);
    assert_true(id_same(fact_placement(&fact), fact_placement(&pair[1])));
    assert_int_equal(fact.revenue.of_host, 1);
    assert_int_equal(fact.revenue.seat, pair[1].placement.seat);
    history_apply(&set.history, &fact, 1);
    revenue(&set, FACT_REFUNDED, 1, "r1", 60, REPEAT);
    revenue(&set, FACT_REFUNDED, 1, "r2", 41, REASON_REFUND_EXCEEDS);
    history_close(&set.history);
}

// All conversions of a placement together stay within the range of money.
static void
test_revenue_range(void **state)
{
    (void)state;
    struct stage_set set;
    struct fact fact;
    bool repeated;
    set_open(&set);
    struct book_limits limits = history_limits;
    limits.orders = 10000;
    struct book *book = book_open(&limits);
    struct fact contact = {.kind = FACT_CONTACT, .party = 5, .contact = set.placement.contact};
    struct catalog_position position = {1, 1, 1};
    contact.opened.slots = 1;
    assert_int_equal(book_apply(book, &contact, position), STATUS_OK);
    assert_int_equal(book_apply(book, &set.placement, position), STATUS_OK);
    set.event.amount = money_of(BOUND_MICROS);
    enum reason reason = REASON_NONE;
    unsigned count = 0;
    for (; reason == REASON_NONE; count++) {
        set.event.kind = count == 0 ? FACT_DELIVERED : FACT_CONVERTED;
        memcpy(set.event.order.bytes, &count, sizeof count);
        reason = event_decide(set.history.catalog, book, &set.event, set.history.now, &fact,
                              &repeated);
        assert_false(repeated);
        if (reason == REASON_NONE) assert_int_equal(book_apply(book, &fact, position), STATUS_OK);
    }
    assert_int_equal(reason, REASON_OUT_OF_RANGE);
    assert_int_equal(count, 1 + INT64_MAX / BOUND_MICROS + 1);
    book_close(book);
    history_close(&set.history);
}

// A placement with more orders than the book remembers is told to come back.
static void
test_revenue_busy(void **state)
{
    (void)state;
    struct stage_set set;
    set_open(&set);
    lead_to(&set, PLACEMENT_DELIVERED);
    for (uint8_t i = 1; i <= history_limits.orders; i++)
        revenue(&set, FACT_CONVERTED, i, "o", 5, REASON_NONE);
    revenue(&set, FACT_CONVERTED, 200, "o", 5, REASON_BUSY);
    history_close(&set.history);
}

static void
test_expire(void **state)
{
    (void)state;
    struct stage_set set;
    struct fact fact;
    set_open(&set);
    set.history.now = set.placement.placement.expires;
    event_expire(set.history.book, set.event.placement, set.history.now, &fact);
    assert_int_equal(fact.kind, FACT_EXPIRED);
    assert_int_equal(fact.role, ROLE_OPERATOR);
    assert_int_equal(fact.party, 0);
    assert_int_equal(fact.event.price.micros, set.placement.placement.price.micros);
    assert_int_equal(fact.event.effective.us, set.placement.placement.expires.us);
    assert_int_equal(fact.event.seat, set.placement.placement.seat);
    history_close(&set.history);
}

// --- Bids ----------------------------------------------------------------------------------------
static enum reason
put(struct history *history, const struct offer *offer, struct fact *out_fact)
{
    bool repeated;
    enum reason reason = event_offer(history->catalog, history->book, offer, history->now, out_fact,
                                     &repeated);
    if (reason != REASON_NONE) return reason;
    assert_true(out_fact->bid.bid == event_bid_id(offer->seat, offer->key));
    if (repeated) return REPEAT;
    history_apply(history, out_fact, 1);
    return REASON_NONE;
}

static struct offer
an_offer(const struct catalog *catalog)
{
    return (struct offer){
        .seat = (uint16_t)catalog->seats[catalog->messages[0].seat].id,
        .message = 0,
        .slot = UINT32_MAX,
        .price = money_of(123),
        .currency = catalog->currency,
        .key = "mine",
    };
}

static void
test_offers(void **state)
{
    (void)state;
    struct stage_set set;
    struct fact fact;
    set_open(&set);
    struct history *history = &set.history;
    struct offer offer = an_offer(history->catalog), bad;
    bad = offer, bad.seat++;
    assert_int_equal(put(history, &bad, &fact), REASON_NOT_YOURS);
    bad = offer, memcpy(bad.currency.code, "USD", 4);
    assert_int_equal(put(history, &bad, &fact), REASON_CURRENCY);
    bad = offer, bad.price = money_of(0);
    assert_int_equal(put(history, &bad, &fact), REASON_OUT_OF_RANGE);
    bad = offer, bad.price = money_of(BOUND_MICROS + 1);
    assert_int_equal(put(history, &bad, &fact), REASON_OUT_OF_RANGE);
    bad = offer, bad.from.us = 10, bad.until.us = 10;
    assert_int_equal(put(history, &bad, &fact), REASON_OUT_OF_RANGE);
    bad = offer, bad.state = BID_WITHDRAWN;
    assert_int_equal(put(history, &bad, &fact), REASON_UNKNOWN_BID);
    bad = offer, bad.slot = history->catalog->slot_count;
    assert_int_equal(put(history, &bad, &fact), REASON_UNKNOWN_SLOT);
    bad = offer, bad.message = history->catalog->message_count;
    assert_int_equal(put(history, &bad, &fact), REASON_UNKNOWN_MESSAGE);

    assert_int_equal(put(history, &offer, &fact), REASON_NONE);
    assert_int_equal(fact.kind, FACT_BID);
    assert_int_equal(fact.bid.slot, 0);
    assert_int_equal(fact.party, offer.seat);
    assert_int_equal(put(history, &offer, &fact), REPEAT);
    offer.price = money_of(124);
    assert_int_equal(put(history, &offer, &fact), REASON_NONE);
    offer.slot = 1;
    assert_int_equal(put(history, &offer, &fact), REASON_NONE);
    assert_int_equal(fact.bid.slot, history->catalog->slots[1].id);
    offer.state = BID_PAUSED;
    assert_int_equal(put(history, &offer, &fact), REASON_NONE);
    struct offer end = {.seat = offer.seat, .state = BID_WITHDRAWN, .key = "mine"};
    assert_int_equal(put(history, &end, &fact), REASON_NONE);
    assert_int_equal(fact.bid.price.micros, 124);  // the rest as it stood
    assert_int_equal(put(history, &end, &fact), REPEAT);
    offer.state = BID_ACTIVE;
    assert_int_equal(put(history, &offer, &fact), REASON_NONE);  // bids again
    history_close(history);
}

// Kinds of price: what each may cost, and that a share needs a contract.
static void
test_offers_of_kinds(void **state)
{
    (void)state;
    struct stage_set set;
    struct fact fact, found;
    set_open(&set);
    struct history *history = &set.history;
    const struct catalog *catalog = history->catalog;
    struct offer offer = an_offer(catalog), bad = offer;
    uint32_t message = 0;
    while (catalog_contract_at(catalog, catalog->messages[message].seat, history->now) == NULL)
        message++;
    bad.message = offer.message = message;
    offer.seat = (uint16_t)catalog->seats[catalog->messages[message].seat].id;
    bad = offer, bad.kind = PRICE_KIND_COUNT;
    assert_int_equal(put(history, &bad, &fact), REASON_OUT_OF_RANGE);
    bad = offer, bad.kind = PRICE_SHARE, bad.price = money_of(MONEY_PPM + 1);
    assert_int_equal(put(history, &bad, &fact), REASON_OUT_OF_RANGE);
    bad.price = money_of(0);
    assert_int_equal(put(history, &bad, &fact), REASON_OUT_OF_RANGE);
    assert_int_equal(put(history, &offer, &fact), REASON_NONE);
    offer.kind = PRICE_RESPONSE;  // the same amount of another kind is a change
    assert_int_equal(put(history, &offer, &fact), REASON_NONE);
    assert_int_equal(put(history, &offer, &fact), REPEAT);
    offer.kind = PRICE_SHARE;
    offer.price = money_of(MONEY_PPM);
    assert_int_equal(put(history, &offer, &fact), REASON_NONE);
    assert_int_equal(fact.bid.kind, PRICE_SHARE);
    assert_true(book_find_bid(history->book, fact.bid.bid, &found));
    assert_int_equal(found.bid.kind, PRICE_SHARE);
    struct offer end = {.seat = offer.seat, .state = BID_WITHDRAWN, .key = "mine"};
    assert_int_equal(put(history, &end, &fact), REASON_NONE);
    assert_int_equal(fact.bid.kind, PRICE_SHARE);
    // A seat without a contract now, or when the bid begins.
    for (message = 0; message < catalog->message_count; message++)
        if (catalog_contract_at(catalog, catalog->messages[message].seat, history->now) == NULL)
            break;
    assert_true(message < catalog->message_count);
    offer.message = message;
    offer.seat = (uint16_t)catalog->seats[catalog->messages[message].seat].id;
    assert_int_equal(put(history, &offer, &fact), REASON_CONTRACT);
    offer.kind = PRICE_PLACEMENT;
    assert_int_equal(put(history, &offer, &fact), REASON_NONE);
    history_close(history);
}

// A standing bid of the catalog: the same state is a repeat, another changes it.
static void
test_offers_over_catalog(void **state)
{
    (void)state;
    struct stage_set set;
    struct fact fact;
    set_open(&set);
    struct history *history = &set.history;
    const struct catalog_bid *bid = &history->catalog->bids[3];
    struct offer offer = {.seat = (uint16_t)history->catalog->seats[bid->seat].id,
                          .state = bid->state,
                          .kind = bid->kind,
                          .message = bid->message,
                          .slot = bid->slot,
                          .price = bid->price,
                          .currency = history->catalog->currency,
                          .from = bid->from,
                          .until = bid->until};
    memcpy(offer.key, bid->key, sizeof offer.key);
    assert_int_equal(put(history, &offer, &fact), REPEAT);
    assert_false(book_bid_replaced(history->book, 3));
    struct offer end = {.seat = offer.seat, .state = BID_WITHDRAWN};
    memcpy(end.key, bid->key, sizeof end.key);
    assert_int_equal(put(history, &end, &fact), REASON_NONE);
    assert_true(book_bid_replaced(history->book, 3));
    history_close(history);
}

static void
test_offers_busy(void **state)
{
    (void)state;
    struct stage_set set;
    struct fact fact;
    set_open(&set);
    struct offer offer = an_offer(set.history.catalog);
    for (uint32_t i = 0; i < history_limits.overlay; i++) {
        snprintf(offer.key, sizeof offer.key, "bid %u", i);
        assert_int_equal(put(&set.history, &offer, &fact), REASON_NONE);
    }
    offer.price = money_of(77);
    assert_int_equal(put(&set.history, &offer, &fact),
                     REASON_NONE);  // one that is there may change
    snprintf(offer.key, sizeof offer.key, "one more");
    assert_int_equal(put(&set.history, &offer, &fact), REASON_BUSY);
    history_close(&set.history);
}

static void
test_bid_ids(void **state)
{
    (void)state;
    char a[BOUND_KEY] = "a", b[BOUND_KEY] = "b";
    assert_true(event_bid_id(1, a) != event_bid_id(1, b));
    assert_true(event_bid_id(1, a) != event_bid_id(2, a));
    assert_true(event_bid_id(1, a) == event_bid_id(1, a) && event_bid_id(0, b) != 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_response_window),
        cmocka_unit_test(test_complaints),
        cmocka_unit_test(test_complaint_busy),
        cmocka_unit_test(test_revenue_range),
        cmocka_unit_test(test_offers_of_kinds),
        cmocka_unit_test(test_parties),
        cmocka_unit_test(test_revenue),
        cmocka_unit_test(test_revenue_busy),
        cmocka_unit_test(test_expire),
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_offers_over_catalog),
        cmocka_unit_test(test_offers_busy),
        cmocka_unit_test(test_bid_ids),
        cmocka_unit_test(test_orders_of_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
