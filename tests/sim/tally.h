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

struct tally_placement {
    struct fact fact;
    enum placement_state state;
    int64_t converted, refunded;
    uint32_t next_of_customer;  // + 1; 0 the last
};
struct tally {
    struct tally_placement *placements;
    uint32_t count;
    uint32_t *table;  // placement + 1 by id; 0 free
    int64_t seat_spent[TALLY_SEATS], message_spent[TALLY_MESSAGES];
    uint32_t of_customer[TALLY_CUSTOMERS];  // newest placement + 1
};
void tally_open(struct tally *tally);
void tally_close(struct tally *tally);

// Takes the next fact; ends the simulation when it breaks a limit or does not follow.
void tally_take(struct tally *tally, const struct catalog *catalog, const struct fact *fact);
// Does the book say the same about what this fact touched? Or about everything?
void tally_compare_fact(const struct tally *tally, const struct catalog *catalog,
                        const struct book *book, const struct fact *fact, usec now);
void tally_compare(const struct tally *tally, const struct catalog *catalog,
                   const struct book *book, usec now);

#endif
