// What a placement at a bid's price is worth, for bids whose rank is not their price.
//
// What is learned of a message does not change while a contact is decided, and its draw in slots
// that explore follows from contact and message alone. So each bid's multiplier is worked out once
// a contact and serves all its slots: most bids address them all, and finding what was learned of
// a message costs several trips to memory. What messages of a rung have in common is worked out
// once a contact, too.
//
// Invariants
//   (1) what is known is of this contact: bids stay where they are, and the book as it is, until
//       it is decided
//   (2) a bid that stands here with its `bid` ranks by its worth and at priority 0, in whatever
//       slot: its message has no priority and is named in no deal
#include <string.h>

#include "round_parts.h"

_Static_assert(ROUND_WORTHS == 1 << 11, "a hash of eleven bits");
#define LEARN_DRAW UINT64_C(0x2545f4914f6cdd1d)  // keeps this draw apart from that of ties

void
round_worth_contact(struct round *round)
{
    struct round_worth *worth = &round->worth;
    worth->parents_known = 0;
    if (++worth->contact != 0) return;
    memset(worth->known, 0, sizeof worth->known);  // numbers begin anew
    worth->contact = 1;
}

static const struct learn_parent *
parent_of(struct round *round, enum rung rung)
{
    struct round_worth *worth = &round->worth;
    struct learn_parent *parent = &worth->parents[rung];
    if (worth->parents_known >> rung & 1) return parent;
    struct learn_counts cell = book_learned_in_cell(round->book, rung, round->cell),
                        all = book_learned_on_rung(round->book, rung);
    learn_add(&all, &round->catalog->expected);
    *parent = learn_parent_of(&cell, &all);
    worth->parents_known = (uint16_t)(worth->parents_known | 1u << rung);
    return parent;
}

static uint64_t
multiplier_of(struct round *round, const struct catalog_bid *bid,
              const struct catalog_message *message)
{
    bool explore = round->slot->explore;
    if (bid->kind == PRICE_PLACEMENT) return 0;
    const struct learn_parent *parent = parent_of(round, (enum rung)message->rung);
    struct learn_counts own = book_learned(round->book, message->id, round->cell);
    uint64_t seed = hash_mix(round_seed(round) ^ hash_mix(message->id + LEARN_DRAW));
    return bid->kind == PRICE_SHARE ? learn_revenue_under(&own, parent, explore, seed)
                                    : learn_response_under(&own, parent, explore, seed);
}

static struct round_worth_known *
place_of(struct round *round, const struct catalog_bid *bid)
{
    uint64_t hash = ((uint64_t)(uintptr_t)bid >> 3) * UINT64_C(0x9e3779b97f4a7c15);
    return &round->worth.known[hash >> (64 - 11)];
}

static bool
is_known(const struct round *round, const struct round_worth_known *known,
         const struct catalog_bid *bid)
{
    return known->of == bid && known->contact == round->worth.contact &&
           known->explored == round->slot->explore;
}

// Each step of the way to what was learned leads on from the one before: taken for all bids at
// once, so that they wait for memory together.
void
round_worth_expect(struct round *round, const uint32_t *bids, uint32_t count)
{
    const struct catalog *catalog = round->catalog;
    const struct catalog_bid *asked[ROUND_AHEAD];
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct catalog_bid *bid = &catalog->bids[bids[i]];
        if (is_known(round, place_of(round, bid), bid)) continue;
        __builtin_prefetch(bid);
        __builtin_prefetch(&bid->kind);
        asked[left++] = bid;
    }
    for (uint32_t i = 0; i < left; i++) {
        const struct catalog_message *message = &catalog->messages[asked[i]->message];
        __builtin_prefetch(message);
        __builtin_prefetch(&message->priority);
    }
    for (unsigned step = 0; step < 2; step++)
        for (uint32_t i = 0; i < left; i++)
            book_expect_learned(round->book, catalog->messages[asked[i]->message].id, round->cell,
                                step);
    for (uint32_t i = 0; i < left; i++) (void)round_worth_of(round, asked[i]);
}

const struct round_worth_known *
round_worth_of(struct round *round, const struct catalog_bid *bid)
{
    struct round_worth_known *known = place_of(round, bid);
    if (is_known(round, known, bid)) return known;
    const struct catalog_message *message = &round->catalog->messages[bid->message];
    bool plain = message->priority == 0 && message->deal == UINT32_MAX;
    *known = (struct round_worth_known){
        .of = bid,
        .contact = round->worth.contact,
        .explored = round->slot->explore,
        .bid = {.bid = plain ? bid->id : 0,
                .seat = bid->seat,
                .kind = bid->kind,
                .price = bid->price,
                .multiplier = multiplier_of(round, bid, message)},
    };
    known->score = price_score((enum price_kind)bid->kind, bid->price, known->bid.multiplier);
    return known;
}
