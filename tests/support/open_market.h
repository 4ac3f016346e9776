// A market in which nothing stops a bid but floors, budgets, caps and the limits of the contact:
// one container, every message admitted everywhere. For tests in which many bids meet these.
#ifndef VENDUE_TEST_OPEN_MARKET_H
#define VENDUE_TEST_OPEN_MARKET_H

#include "random_market.h"
#include "round.h"

#define OPEN_SEATS 6
#define OPEN_MESSAGES 40

struct open_market {
    unsigned slots, seats, messages;
    uint8_t pricing;  // enum pricing
    bool separate;
    uint32_t paid_max, quota_count;
    int64_t floors[BOUND_SLOTS];  // micros, as all amounts here
    bool partner[OPEN_SEATS];
    // Of the seat, of its campaign, of that one's parent; 0: none.
    int64_t budget[OPEN_SEATS], campaign[OPEN_SEATS], parent[OPEN_SEATS];
    uint32_t category_cap;  // of each category a day; 0: none
    struct open_message {
        uint8_t seat;
        char category, group;  // a letter; 0: none
        bool quota, in_campaign;
        int64_t bids[BOUND_SLOTS];  // for each slot; 0: none
    } message[OPEN_MESSAGES];
};
void open_market_random(struct random *random, struct open_market *out);
// To be closed by catalog_close. A message's id is its number + 1, a bid's 1 + 16 x message + slot.
struct catalog *open_market_catalog(const struct open_market *market);
// A contact of it with all consents; `number` makes it another customer's.
void open_market_contact(uint64_t number, struct contact *out_contact);

#endif
