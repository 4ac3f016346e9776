// What was spent of budgets, and delivered under deals, in all and by day. Private to auction/.
#ifndef VENDUE_SPEND_H
#define VENDUE_SPEND_H

#include "arena.h"
#include "book.h"

#define SPEND_DAYS 3

// The days that a line counts apart: those started last.
struct spend_days {
    uint16_t day[SPEND_DAYS];  // days since 1970-01-01; 0 none
    uint16_t next;             // place of the day that makes room
};
struct spend_line {
    money total;
    money of_day[SPEND_DAYS];
    struct spend_days days;
};
struct spend_deal {
    uint32_t deliveries[SPEND_DAYS];
    struct spend_days days;
};
struct spend {
    struct spend_line *lines[BUDGET_OF_COUNT];  // by stable id
    struct spend_deal *deals;                   // by stable id
};
void spend_open(struct spend *spend, struct arena *arena);
uint32_t spend_bound(enum budget_of of);  // ids are below it
// A placement's price is held, of everybody whom it concerns; and given back.
void spend_hold(struct spend *spend, const struct fact *placement);
void spend_release(struct spend *spend, const struct fact *placement);
// A placement under a deal was won; and will not be delivered after all.
void spend_promise(struct spend *spend, const struct fact *placement);
void spend_break(struct spend *spend, const struct fact *placement);
money spend_on(const struct spend *spend, enum budget_of of, uint32_t id, uint16_t day);
uint32_t spend_deliveries(const struct spend *spend, uint32_t deal, uint16_t day);
// Whether anything was counted in it, ever.
bool spend_line_used(const struct spend_line *line);

#endif
