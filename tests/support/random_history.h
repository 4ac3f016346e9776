// A market at work, at random: contacts decided, events reported, bids changed, time passing, new
// catalogs now and then. Every fact is applied to a book and noted with its position, so that a
// test can fold the same facts again.
#ifndef VENDUE_TEST_RANDOM_HISTORY_H
#define VENDUE_TEST_RANDOM_HISTORY_H

#include "book.h"
#include "event.h"
#include "random_market.h"
#include "round.h"

#define HISTORY_FACTS 65536

struct history {
    struct random random;
    struct catalog *catalog;
    struct book *book;
    struct round *round;
    usec now;
    uint64_t batch;  // position of the next facts: log 1
    struct fact *facts;
    struct catalog_position *positions;
    uint32_t count;
    struct id placements[4096];  // some placements that were won
    uint32_t placement_count;
    uint64_t repeats, wins, refused;
};

extern const struct book_limits history_limits;  // small, so that things are dropped

void history_open(struct history *history, uint64_t seed, const struct random_market *options,
                  const struct book_limits *limits);
void history_close(struct history *history);
// Notes and applies; aborts when the book refuses.
void history_apply(struct history *history, const struct fact *facts, unsigned count);
void history_contact(struct history *history);
void history_event(struct history *history);
void history_offer(struct history *history);
void history_expire(struct history *history);
void history_step(struct history *history);  // one of these, at random; time goes on

#endif
