#include "random_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

const struct book_limits history_limits = {.contacts = 64,
                                           .retries = 200,
                                           .placements = 256,
                                           .customers = 128,
                                           .rates = 40,
                                           .orders = 32,
                                           .overlay = 24};

void
history_open(struct history *history, uint64_t seed, const struct random_market *options,
             const struct book_limits *limits)
{
    memset(history, 0, sizeof *history);
    history->random.state = seed;
    history->catalog = random_market(&history->random, options);
    history->book = book_open(limits);
    history->round = round_open();
    history->now.us = RANDOM_NOW;
    history->batch = 1;
    history->facts = calloc(HISTORY_FACTS, sizeof *history->facts);
    history->positions = calloc(HISTORY_FACTS, sizeof *history->positions);
    CHECK(history->facts != NULL && history->positions != NULL);
    book_catalog(history->book, history->catalog);
}

void
history_close(struct history *history)
{
    catalog_close(history->catalog);
    book_close(history->book);
    round_close(history->round);
    free(history->facts);
    free(history->positions);
}

void
history_apply(struct history *history, const struct fact *facts, unsigned count)
{
    struct catalog_position position = {1, 1, history->batch++};
    for (unsigned i = 0; i < count; i++) {
        CHECK(history->count < HISTORY_FACTS);
        enum status status = book_apply(history->book, &facts[i], position);
        if (status != STATUS_OK)
            printf("%s: %s\n", fact_kind_name((enum fact_kind)facts[i].kind), status_text(status));
        CHECK(status == STATUS_OK);
        history->facts[history->count] = facts[i];
        history->positions[history->count++] = position;
        if (facts[i].kind != FACT_PLACEMENT) continue;
        uint32_t place = history->placement_count < 4096 ? history->placement_count++
                                                         : random_below(&history->random, 4096);
        history->placements[place] = fact_placement(&facts[i]);
        history->wins++;
    }
}

void
history_contact(struct history *history)
{
    struct contact contact;
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count;
    bool repeated;
    random_contact(&history->random, history->catalog, &contact);
    enum reason reason = round_decide(history->round, history->catalog, history->book, &contact,
                                      NULL, history->now, NULL, facts, &count, &repeated);
    if (reason != REASON_NONE) {
        CHECK(reason == REASON_BUSY);
        history->refused++;
        return;
    }
    CHECK(!repeated);
    history_apply(history, facts, count);
}

void
history_event(struct history *history)
{
    if (history->placement_count == 0) return;
    struct random *random = &history->random;
    static const enum fact_kind kinds[] = {FACT_DELIVERED, FACT_DELIVERED, FACT_DELIVERED,
                                           FACT_ACCEPTED,  FACT_DECLINED,  FACT_CANCELLED,
                                           FACT_CONVERTED, FACT_REFUNDED,  FACT_COMPLAINED};
    uint32_t recent = history->placement_count < 40 ? history->placement_count : 40;
    struct event event = {
        .placement =
            history->placements[history->placement_count - 1 - random_below(random, recent)],
        .kind = kinds[random_below(random, 9)],
        .role = ROLE_TOUCHPOINT,
        .party = 5,
        .effective = history->now,
        .amount = money_of(1000000 * (1 + (int64_t)random_below(random, 5))),
        .currency = history->catalog->currency,
    };
    snprintf(event.key, sizeof event.key, "%u", random_below(random, 5));
    event.order = event.placement;
    event.order.bytes[0] = (uint8_t)random_below(random, 3);
    struct fact fact;
    bool repeated;
    enum reason reason = event_decide(history->catalog, history->book, &event, history->now, &fact,
                                      &repeated);
    if (reason != REASON_NONE || repeated) {
        history->repeats += repeated;
        return;
    }
    history_apply(history, &fact, 1);
    CHECK(event_decide(history->catalog, history->book, &event, history->now, &fact, &repeated) ==
          REASON_NONE);
    CHECK(repeated);
}

void
history_offer(struct history *history)
{
    struct random *random = &history->random;
    const struct catalog *catalog = history->catalog;
    uint32_t message = random_below(random, catalog->message_count);
    struct offer offer = {
        .seat = (uint16_t)catalog->seats[catalog->messages[message].seat].id,
        .state = (uint8_t)random_below(random, 8),
        .message = message,
        .slot = random_chance(random, 30) ? random_below(random, catalog->slot_count) : UINT32_MAX,
        .price = money_of(100000 * (1 + (int64_t)random_below(random, 40))),
        .currency = catalog->currency,
    };
    if (offer.state > BID_WITHDRAWN) offer.state = BID_ACTIVE;
    if (catalog->bid_count > 0 && random_chance(random, 60)) {  // a standing bid of some seat
        const struct catalog_bid *bid = &catalog->bids[random_below(random, catalog->bid_count)];
        offer.seat = (uint16_t)catalog->seats[bid->seat].id;
        offer.message = bid->message;
        memcpy(offer.key, bid->key, sizeof offer.key);
    } else {
        snprintf(offer.key, sizeof offer.key, "new-%u", random_below(random, 30));
    }
    struct fact fact;
    bool repeated;
    if (event_offer(catalog, history->book, &offer, history->now, &fact, &repeated) !=
            REASON_NONE ||
        repeated)
        return;
    history_apply(history, &fact, 1);
}

void
history_expire(struct history *history)
{
    struct id placement;
    while (book_next_expired(history->book, history->now, &placement)) {
        struct fact fact;
        event_expire(history->book, placement, history->now, &fact);
        history_apply(history, &fact, 1);
    }
}

void
history_step(struct history *history)
{
    uint32_t choice = random_below(&history->random, 100);
    history->now.us += random_below(&history->random, 20) * USEC_SECOND;
    if (random_chance(&history->random, 1))
        history->now.us += random_below(&history->random, 3) * USEC_DAY;
    history_expire(history);
    if (choice < 45) {
        history_contact(history);
    } else if (choice < 90) {
        history_event(history);
    } else {
        history_offer(history);
    }
}
