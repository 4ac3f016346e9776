// One small market and one contact, for cases of a round that differ in one thing each.
#ifndef VENDUE_TEST_ROUND_TABLE_H
#define VENDUE_TEST_ROUND_TABLE_H

#include "random_history.h"

#define PRESS 2

// Seats: 1 department "care", 2 partner "grill", 3 partner "press". Slot 11 "bill.insert".
struct table {
    struct arena *arena;
    struct market market;
    struct market_slot slots[2];
    struct market_container container;
    struct market_seat seats[3];
    struct market_message messages[3];
    struct market_contract contracts[3];
    struct market_bid bids[3];
    struct market_campaign campaigns[2];  // of press: "autumn" within "year"
    struct market_deal deal;              // of press in bill.insert; only when counted
    struct market_rule_floor floor;       // likewise
    struct market_experiment experiments[2];
    struct market_cap cap;
    struct contact contact;
    usec now;
};

void round_table_open(struct table *table);

struct outcome {
    enum reason reasons[6];  // by bid: 0 care, 1 grill, 2 press; then for the second slot
    struct fact facts[BOUND_CONTACT_FACTS];
    struct why_bid bids[16];
    struct why_bid of[6];  // as `reasons`
    unsigned count;
};

struct catalog *round_table_catalog(struct table *table);
// Decides the table's contact; whatever is decided can be priced again from its record.
struct outcome round_table_play(const struct table *table, const struct catalog *catalog,
                                const struct book *book, const struct round_live *live);
// With a new book, and all of it closed.
struct outcome round_table_decide(struct table *table);

#endif
