// What was counted before a bid: the customer's past and budgets; see round_counts.c. Private.
#ifndef VENDUE_ROUND_COUNTS_H
#define VENDUE_ROUND_COUNTS_H

#include "round.h"

struct round_judgement;

// The customer's past, read once a contact when a bid asks.
#define ROUND_SHOWN 96  // remembered; what is older is read again from the book
struct round_past {
    bool read, quiet, more, room, room_asked, response_room, response_room_asked;
    uint32_t count;
    struct round_shown {
        uint32_t message;  // index; UINT32_MAX: not of this catalog
        uint8_t channel;
        uint32_t count;
        usec at;
    } shown[ROUND_SHOWN];
    struct book_shown last;  // where the book's iterator stands behind them
};

void round_counts_contact(struct round *round);
// Quiet periods, caps, and room to count.
enum reason
round_counts_past(struct round *round, uint32_t message, struct round_judgement *judgement);
// Budgets and pacing of seat, campaigns and message.
enum reason round_counts_budgets(struct round *round, const struct catalog_bid *bid,
                                 struct round_judgement *judgement);
// Would `amount` more still be within the budget of this seat, campaign or message (index), with
// the contact's wins counted? Else the reason: BUDGET or PACING.
enum reason round_counts_covers(const struct round *round, enum budget_of of, uint32_t index,
                                money amount, struct round_judgement *judgement);
// What a price of this kind counts against budgets.
money round_counts_held(enum price_kind kind, money price);

#endif
