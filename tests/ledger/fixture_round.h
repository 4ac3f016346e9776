// Rounds for the stories of fixture.h: random candidates, ranked and priced as the engine does it,
// with the outcome and the record that follow.
#ifndef LEDGER_FIXTURE_ROUND_H
#define LEDGER_FIXTURE_ROUND_H

#include <stdlib.h>
#include <string.h>

#include "fact.h"
#include "learn.h"
#include "market.h"
#include "price.h"

struct round_draw {
    uint64_t state;
    const struct market *market;
    bool kinds;  // prices of all three kinds; else per placement only
};

static inline uint64_t
round_draw(struct round_draw *draw, uint64_t bound)
{
    draw->state += 0x9e3779b97f4a7c15u;
    return hash_mix(draw->state) % bound;
}

struct drawn_bid {
    struct price_bid bid;
    const struct market_message *message;
};
struct drawn_slot {
    struct drawn_bid bids[BOUND_CANDIDATES];
    unsigned count;
    struct price_sale sale;
};

static inline uint32_t
round_seat(const struct market *market, const char *code)
{
    for (uint32_t i = 0; i < market->seat_count; i++) {
        if (strcmp(market->seats[i].code, code) == 0) return market->seats[i].id;
    }
    return 0;
}

static inline uint64_t
round_seed(struct id contact)
{
    uint64_t halves[2];
    memcpy(halves, contact.bytes, sizeof halves);
    return halves[0] ^ halves[1];
}

static inline struct drawn_bid
round_bid(struct round_draw *draw, uint64_t number, money floor)
{
    const struct market *market = draw->market;
    struct drawn_bid out = {.message = &market->messages[round_draw(draw, market->message_count)]};
    uint64_t kind = draw->kinds ? round_draw(draw, 5) : 0;
    out.bid = (struct price_bid){.bid = number,
                                 .seat = round_seat(market, out.message->seat),
                                 .kind = (uint8_t)(kind < PRICE_KIND_COUNT ? kind : 0),
                                 .at = round_draw(draw, 12) ? DEAL_SECOND_PRICE : DEAL_FIRST_PRICE,
                                 .priority = (uint8_t)(round_draw(draw, 10) == 0),
                                 .floor = floor};
    if (out.bid.kind == PRICE_PLACEMENT) {
        out.bid.price = money_of((int64_t)(100000 + round_draw(draw, 1000001)));
    } else if (out.bid.kind == PRICE_RESPONSE) {
        out.bid.price = money_of((int64_t)(1000000 + round_draw(draw, 9000001)));
        out.bid.multiplier = 1 + round_draw(draw, LEARN_ONE);
    } else {
        out.bid.price = money_of((int64_t)(1 + round_draw(draw, 200000)));
        out.bid.multiplier = round_draw(draw, 50000000);
    }
    return out;
}

// Eligible bids of a slot in their ranking, and the sale.
static inline void
round_slot(struct round_draw *draw, struct id contact, uint64_t numbers, money floor,
           struct drawn_slot *out)
{
    unsigned wanted = (unsigned)round_draw(draw, 6);
    struct price_bid bids[BOUND_CANDIDATES];
    uint64_t seed = round_seed(contact);
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < wanted; i++) {
        struct drawn_bid one = round_bid(draw, numbers + i, floor);
        if (price_score((enum price_kind)one.bid.kind, one.bid.price, one.bid.multiplier).micros <
            floor.micros) {
            continue;
        }
        unsigned at = out->count++;
        while (at > 0 && price_ranks_before(&one.bid, &out->bids[at - 1].bid, seed)) {
            out->bids[at] = out->bids[at - 1];
            at--;
        }
        out->bids[at] = one;
    }
    for (unsigned i = 0; i < out->count; i++) bids[i] = out->bids[i].bid;
    price_clear(bids, out->count, seed, &out->sale);
}

// The record of a slot behind `head` (a fact of its contact). Gives the number of facts.
static inline unsigned
round_record(struct round_draw *draw, const struct fact *head, unsigned position,
             const struct drawn_slot *slot, struct fact *out)
{
    unsigned count = 0;
    struct fact fact = *head;
    fact.position = (uint8_t)position;
    memset(fact.bytes, 0, sizeof fact.bytes);
    for (unsigned i = 0; i < slot->count; i++) {
        const struct drawn_bid *one = &slot->bids[i];
        if (i % 2 == 0) out[count++] = fact;
        struct fact *into = &out[count - 1];
        into->kind = FACT_CANDIDATES;
        into->candidates.bid[i % 2] = one->bid.bid;
        into->candidates.price[i % 2] = one->bid.price.micros;
        into->candidates.multiplier[i % 2] = one->bid.multiplier;
        into->candidates.floor[i % 2] = one->bid.floor;
        into->candidates.message[i % 2] = one->message->id;
        into->candidates.seat[i % 2] = (uint16_t)one->bid.seat;
        into->candidates.how[i % 2] = (uint8_t)(one->bid.kind | one->bid.at << CANDIDATE_AT_SHIFT);
        into->candidates.priority[i % 2] = one->bid.priority;
    }
    out[count] = fact;
    out[count].kind = FACT_TALLY;
    out[count].tally.considered = slot->count + 7;
    out[count].tally.reason[0] = REASON_NOT_ELIGIBLE;
    out[count].tally.count[0] = (uint16_t)(1 + round_draw(draw, 5));
    out[count].tally.reason[1] = REASON_PACING;
    out[count++].tally.count[1] = UINT16_MAX;
    if (round_draw(draw, 2)) return count;
    out[count] = fact;
    out[count].kind = FACT_REFUSALS;
    for (unsigned i = 0; i < 1 + round_draw(draw, 4); i++) {
        const struct market_message *message =
            &draw->market->messages[round_draw(draw, draw->market->message_count)];
        out[count].refusals.bid[i] = ~(uint64_t)message->id;
        out[count].refusals.seat[i] = (uint16_t)round_seat(draw->market, message->seat);
        out[count].refusals.reason[i] = i % 2 ? REASON_NOT_ELIGIBLE : REASON_FREQUENCY_CAP;
        out[count].refusals.met[i] = i % 2 ? INT64_MIN : -7;
        out[count].refusals.clause[i] = (uint16_t)(i + 1);
        out[count].refusals.rule_of[i] = (uint8_t)i % 3;
    }
    return count + 1;
}

static inline struct fact
round_callouts(struct round_draw *draw, const struct fact *head)
{
    struct fact fact = *head;
    fact.kind = FACT_CALLOUTS;
    memset(fact.bytes, 0, sizeof fact.bytes);
    for (unsigned i = 0; i < 1 + round_draw(draw, 11); i++) {
        bool answered = round_draw(draw, 2);
        fact.callouts.seat[i] =
            (uint16_t)draw->market->seats[round_draw(draw, draw->market->seat_count)].id;
        fact.callouts.answer_ms[i] = answered ? (uint16_t)round_draw(draw, 50) : UINT16_MAX;
        fact.callouts.reason[i] = answered ? REASON_NONE : REASON_NO_ANSWER;
        fact.callouts.bids[i] = answered;
    }
    return fact;
}

#endif
