// A contact whose slots are sold together (`pricing: vcg`): bids are found and judged slot by slot
// as in round.c, then all sales are made at once by vcg.c.
//
//   (1) Each slot's bids come dearest first and are judged by steps (1) to (7) of round.c, as if
//       nothing of this contact were won yet. The search of a slot stops when no cheaper bid can
//       matter in any assignment (vcg_settled).
//   (2) A message wins one slot at most; the assignment and the prices are vcg.c's.
//   (3) Purse: a seat whose payments together exceed its budget is narrowed, and the sale is made
//       anew: of the messages that it had won the dearest bids are admitted, one after the other
//       (of equal ones the earlier slot's) as long as the budget covers these bids together; its
//       other messages stop for want of budget. A narrowed seat that still exceeds is narrowed
//       further. A single payment always fits, since each bid was within the budget; so this ends,
//       and nothing is ever overspent. Budgets of messages need no such care.
//   (4) An eligible bid that won nothing: its seat was narrowed (budget), its message won another
//       slot (duplicate), else it was beaten; what it is short by is how much less it bid over its
//       floor than the winner over its own.
#include <string.h>

#include "fail.h"
#include "round_parts.h"

static bool
is_narrowed(const struct round_together *together, const struct catalog_bid *bid)
{
    return together->narrowed && together->narrow_seats[bid->seat / 64] >> (bid->seat % 64) & 1 &&
           !(together->admitted_messages[bid->message / 64] >> (bid->message % 64) & 1);
}

static void
collect(struct round *round)
{
    struct round_together *together = &round->together;
    uint8_t slot = (uint8_t)(round->slot->position - 1);
    const struct catalog_bid *bid;
    uint32_t number;
    round_record_open(round);
    if (!round_judge_slot_is_open(round)) return;
    round_bids_start(round, true);
    while ((bid = round_bids_next(round, true, &number)) != NULL) {
        if (round->ranked && vcg_settled(&together->vcg, slot, bid->price, round->least_floor))
            return;
        struct round_judgement judgement;
        round_judge(round, bid, &judgement);
        if (judgement.reason == REASON_NONE && is_narrowed(together, bid))
            judgement.reason = REASON_BUDGET;
        if (judgement.reason != REASON_NONE) {
            round_record_refused(round, bid, &judgement);
            continue;
        }
        struct price_bid candidate = round_judge_entry(bid, number, &judgement);
        round_record_eligible(round, bid, &candidate, &judgement);
        struct vcg_bid entry = {.bid = bid->id,
                                .seat = bid->seat,
                                .message = bid->message,
                                .slot = slot,
                                .number = number,
                                .price = bid->price,
                                .floor = judgement.floor};
        CHECK(vcg_add(&together->vcg, &entry));
    }
}

static const struct catalog_bid *
winner_of(const struct round *round, const struct vcg_sale *sale)
{
    if (sale->winner == 0) return NULL;
    const struct catalog_bid *bid = round_bids_at(round, sale->number);
    CHECK(bid->id == sale->winner);
    return bid;
}

static bool
covers(const struct round *round, uint32_t seat, money amount)
{
    struct round_judgement judgement;
    return round_counts_covers(round, BUDGET_SEAT, seat, amount, &judgement) == REASON_NONE;
}

// (3) for the seat of the sale `first`, its first one: true when it was narrowed.
static bool
narrow_seat(struct round *round, unsigned slots, unsigned first)
{
    struct round_together *together = &round->together;
    const struct vcg_sale *sales = together->sales;
    uint32_t seat = sales[first].seat;
    money pays = money_of(0), admitted = money_of(0);
    unsigned won = 0;
    for (unsigned i = first; i < slots; i++) {
        if (sales[i].winner == 0 || sales[i].seat != seat) continue;
        won |= 1u << i;
        CHECK(money_add(pays, sales[i].price, &pays) == STATUS_OK);
    }
    if (covers(round, seat, pays)) return false;
    if (!together->narrowed) memset(together->narrow_seats, 0, sizeof together->narrow_seats);
    together->narrowed = true;
    together->narrow_seats[seat / 64] |= (uint64_t)1 << (seat % 64);
    for (uint32_t i = 0; i < round->catalog->message_count; i++)
        if (round->catalog->messages[i].seat == seat)
            together->admitted_messages[i / 64] &= ~((uint64_t)1 << (i % 64));
    while (won != 0) {
        unsigned dearest = BOUND_SLOTS;
        for (unsigned i = 0; i < slots; i++) {
            if (!(won >> i & 1)) continue;
            if (dearest == BOUND_SLOTS || winner_of(round, &sales[i])->price.micros >
                                              winner_of(round, &sales[dearest])->price.micros)
                dearest = i;
        }
        won &= ~(1u << dearest);
        money with;
        CHECK(money_add(admitted, winner_of(round, &sales[dearest])->price, &with) == STATUS_OK);
        if (!covers(round, seat, with)) continue;
        admitted = with;
        uint32_t message = sales[dearest].message;
        together->admitted_messages[message / 64] |= (uint64_t)1 << (message % 64);
    }
    return true;
}

static bool
narrow(struct round *round, unsigned slots)
{
    bool narrowed = false;
    uint64_t seen = 0;  // slots whose seat was looked at
    for (unsigned i = 0; i < slots; i++) {
        const struct vcg_sale *sale = &round->together.sales[i];
        if (sale->winner == 0 || seen >> i & 1) continue;
        for (unsigned j = i; j < slots; j++)
            if (round->together.sales[j].seat == sale->seat) seen |= (uint64_t)1 << j;
        if (narrow_seat(round, slots, i)) narrowed = true;
    }
    return narrowed;
}

enum reason
round_together_reason(const struct round *round, const struct catalog_bid *bid)
{
    const struct round_together *together = &round->together;
    if (is_narrowed(together, bid)) return REASON_BUDGET;
    for (unsigned i = 0; i < together->vcg.slot_count; i++)
        if (i != round->slot->position - 1u && together->sales[i].winner != 0 &&
            together->sales[i].message == bid->message)
            return REASON_DUPLICATE;
    return REASON_NONE;
}

money
round_together_over(const struct round *round)
{
    const struct vcg_sale *sale = &round->together.sales[round->slot->position - 1];
    money over;
    CHECK(money_subtract(winner_of(round, sale)->price, sale->floor, &over) == STATUS_OK);
    return over;
}

static struct fact
fact_of_slot(struct round *round)
{
    const struct vcg_sale *sale = &round->together.sales[round->slot->position - 1];
    const struct catalog_bid *winner = winner_of(round, sale);
    struct round_judgement judgement;
    if (winner != NULL) round_judge(round, winner, &judgement);
    if (round->why != NULL) round_why_slot(round, winner, &judgement);
    if (winner == NULL) return round_unfilled_fact(round, true);
    CHECK(judgement.reason == REASON_NONE && judgement.floor.micros == sale->floor.micros);
    struct price_sale alone = {.winner = sale->winner,
                               .seat = sale->seat,
                               .price = sale->price,
                               .floor = sale->floor,
                               .setter = sale->setter,
                               .counted = sale->counted};
    return round_placement_fact(round, winner, &judgement, &alone);
}

void
round_together_decide(struct round *round, const struct catalog_container *container,
                      unsigned wanted, struct fact *out_facts)
{
    struct round_together *together = &round->together;
    together->narrowed = false;
    do {
        vcg_open(&together->vcg, round_seed(round), container->slot_count);
        for (uint32_t i = 0; i < container->slot_count; i++) {
            if (!(wanted >> i & 1)) continue;
            round_enter_slot(round, i);
            collect(round);
        }
        vcg_close(&together->vcg, together->sales);
    } while (narrow(round, container->slot_count));
    together->sold = true;
    for (uint32_t i = 0; i < container->slot_count; i++) {
        round_enter_slot(round, i);
        out_facts[i] = wanted >> i & 1 ? fact_of_slot(round) : round_unfilled_fact(round, false);
    }
}
