// The accounts of a world kept a second time, from nothing but the facts and by definition: what
// every budget has spent, what every cap has counted, what became of every placement. Whoever takes
// part in a world is known by small ids (random_market.h).
#ifndef VENDUE_TEST_SIM_TALLY_H
#define VENDUE_TEST_SIM_TALLY_H

#include "book.h"
#include "catalog.h"

#define TALLY_PLACEMENTS 32768  // a power of two, twice what a world wins
#define TALLY_SEATS 64
#define TALLY_MESSAGES 2048
#define TALLY_CUSTOMERS 64
#define TALLY_CAMPAIGNS 64
#define TALLY_CELLS (STAGE_COUNT * CHANNEL_COUNT)

struct tally_placement {
    struct fact fact;
    enum placement_state state;
    int64_t converted, refunded;
    usec shown;                 // when it counts from for caps: its win, then its delivery
    uint32_t next_of_customer;  // + 1; 0 the last
    bool complained;
};
// One budget's spend: in all, and day by day.
struct tally_spend {
    int64_t total;
    uint16_t newest;
    int64_t of_newest;
};
struct tally_learned {
    uint64_t delivered, responded, converted;
    int64_t revenue;
};
struct tally {
    struct tally_placement *placements;
    uint32_t count;
    uint32_t *table;  // placement + 1 by id; 0 free
    struct tally_spend seats[TALLY_SEATS], messages[TALLY_MESSAGES], campaigns[TALLY_CAMPAIGNS];
    struct tally_learned *learned;  // [message][cell]
    struct tally_learned by_cell[RUNG_COUNT][TALLY_CELLS], by_rung[RUNG_COUNT];
    uint32_t of_customer[TALLY_CUSTOMERS];  // newest placement + 1
};
void tally_open(struct tally *tally);
void tally_close(struct tally *tally);

// Takes the next fact; ends the simulation when it breaks a limit or does not follow.
void tally_take(struct tally *tally, const struct catalog *catalog, const struct fact *fact);
// Does the book say the same about what this fact touched? Or about everything?
void
tally_compare_fact(const struct tally *tally, const struct book *book, const struct fact *fact);
void tally_compare(const struct tally *tally, const struct book *book, usec now);
bool tally_is_event(enum fact_kind kind);

#endif
