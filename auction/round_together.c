// A contact whose slots are sold together (`pricing: vcg`): bids are found and judged slot by slot
// as in round.c, then all sales are made at once by vcg.c.
//
//   (1) Each slot's bids come in the order of round_bids.c and are judged by steps (1) to (9) of
//       round.c, as if nothing of this contact were won yet. The search of a slot stops when no bid
//       to come can matter in any assignment (vcg_settled); one that cannot is not judged
//       (vcg_wants).
//   (2) Assignment and prices are vcg.c's, the limits of the contact in them: one message once,
//       categories kept apart, paid placements, quota, groups. A deal's first or fixed price is
//       paid by its own bid only.
//   (3) Budgets: each bid fits those of its seat, campaigns and message, but several wins may
//       exceed one together. A seat or campaign whose budget or pace does not cover what would be
//       held for all wins that draw on it is narrowed, and the sale is made anew: of these wins'
//       bids the highest held amounts are admitted, one after the other (of equal ones the earlier
//       slot's), as long as these amounts, not the prices, are covered together; all other messages
//       that draw on it stop, by BUDGET or PACING. What is narrowed and still exceeds is narrowed
//       further. A single price is always covered, and a budget that exceeds again admits less than
//       before: so this ends. Nothing is ever overspent.
//   (4) Caps: each bid is within its customer's caps, but several wins may exceed one together.
//       Then of the wins those are promised, one after the other (those promised before, then the
//       highest priority, the most over its floor, the earlier slot), that the caps admit with
//       those promised before them, and the sale is made anew: caps count the promised messages as
//       shown, whatever they win, and do not stop them again. Each time one more is promised.
//   (5) Should ROUND_PURSES budgets be narrowed, or more messages be promised than a contact has
//       slots, then all bids that meet any limited budget, or any cap, stop as BUSY, and the sale
//       is made for the last time.
//   (6) An eligible bid that won nothing was stopped by the first of these: (3); its message won
//       another slot (DUPLICATE); its category did (SEPARATION); its group did not win (GROUP); it
//       is paid, partners won as many slots as they may, and this slot went to no paid bid
//       (PAID_MAX); the slot went to a bid of the quota that adds less (QUOTA); the search for the
//       best was cut short and left the slot empty (BUSY). Else it was beaten: what it is short by
//       is how much less it bid over its floor than the winner over its own; 0 when it bid more,
//       but the winner's group more together.
#include <string.h>

#include "fail.h"
#include "round_parts.h"

// --- Budgets -------------------------------------------------------------------------------------
// The purses that a message draws on besides its own; their number.
static unsigned
purses_of(const struct round *round, uint32_t message, enum budget_of of[3], uint32_t index[3])
{
    const struct catalog *catalog = round->catalog;
    unsigned count = 0;
    of[count] = BUDGET_SEAT;
    index[count++] = catalog->messages[message].seat;
    for (uint32_t i = catalog->messages[message].campaign; i != UINT32_MAX && count < 3;
         i = catalog->campaigns[i].parent) {
        of[count] = BUDGET_CAMPAIGN;
        index[count++] = i;
    }
    return count;
}

static bool
draws_on(const struct round *round, uint32_t message, enum budget_of of, uint32_t index)
{
    enum budget_of kinds[3];
    uint32_t indexes[3];
    unsigned count = purses_of(round, message, kinds, indexes);
    for (unsigned i = 0; i < count; i++)
        if (kinds[i] == of && indexes[i] == index) return true;
    return false;
}

static bool
is_admitted(const struct round_purse *purse, uint32_t message)
{
    for (uint32_t i = 0; i < purse->admitted_count; i++)
        if (purse->admitted[i] == message) return true;
    return false;
}

static const struct catalog_budget *
budget_of(const struct round *round, enum budget_of of, uint32_t index)
{
    return of == BUDGET_SEAT ? &round->catalog->seats[index].budget
                             : &round->catalog->campaigns[index].budget;
}

static bool
meets_budget(const struct round *round, uint32_t message)
{
    enum budget_of of[3];
    uint32_t index[3];
    unsigned count = purses_of(round, message, of, index);
    for (unsigned i = 0; i < count; i++) {
        const struct catalog_budget *budget = budget_of(round, of[i], index[i]);
        if (budget->has_total || budget->has_daily) return true;
    }
    return false;
}

// (3), (5): what has been narrowed since says to a bid that nothing else stops.
static enum reason
narrowed_reason(const struct round *round, const struct catalog_bid *bid,
                struct round_judgement *judgement)
{
    const struct round_together *together = &round->together;
    if (bid->kind != PRICE_SHARE) {
        if (together->budgets_out && meets_budget(round, bid->message)) return REASON_BUSY;
        for (uint32_t i = 0; i < together->purse_count; i++) {
            const struct round_purse *purse = &together->purses[i];
            if (!draws_on(round, bid->message, purse->of, purse->index) ||
                is_admitted(purse, bid->message))
                continue;
            judgement->budget_of = purse->of;
            judgement->budget_daily = purse->daily;
            judgement->budget_left = purse->left;
            return purse->reason;
        }
    }
    if (!together->caps_out || round->contact->customer == 0) return REASON_NONE;
    return round->catalog->messages[bid->message].cap_count > 0 ? REASON_BUSY : REASON_NONE;
}

// --- Finding the bids ----------------------------------------------------------------------------
static struct vcg_bid
entry_of(const struct round *round, const struct catalog_bid *bid, uint32_t number)
{
    uint32_t size = round_limits_group_size(round, bid);
    return (struct vcg_bid){.bid = bid->id,
                            .seat = bid->seat,
                            .message = bid->message,
                            .slot = (uint8_t)(round->slot->position - 1),
                            .number = number,
                            .price = bid->price,
                            .kind = bid->kind,
                            .category = round_limits_category(round, bid),
                            .group = size > 1 ? round_bids_group(round, bid) : 0,
                            .group_size = size > UINT8_MAX ? UINT8_MAX : (uint8_t)size,
                            .paid = round_limits_is_paid(round, bid),
                            .quota = round_limits_is_quota(round, bid)};
}

static void
collect(struct round *round)
{
    struct vcg *vcg = &round->together.vcg;
    uint8_t slot = (uint8_t)(round->slot->position - 1);
    const struct catalog_bid *bid;
    uint32_t number;
    round_record_open(round);
    if (!round_judge_slot_is_open(round)) return;
    round_bids_start(round, true);
    while ((bid = round_bids_next(round, true, &number)) != NULL) {
        if (round->ranked) {
            if (vcg_settled(vcg, slot, bid->price, round->least_floor)) return;
            // Asked first: it needs nothing of the message.
            bool paid = round_limits_is_paid(round, bid);
            if (!vcg_wants_any(vcg, slot, paid, bid->price, round->least_floor)) continue;
        }
        struct vcg_bid entry = entry_of(round, bid, number);
        if (round->ranked && !vcg_wants(vcg, &entry, round->least_floor)) continue;
        struct round_judgement judgement;
        round_judge(round, bid, &judgement);
        if (judgement.reason == REASON_NONE)
            judgement.reason = narrowed_reason(round, bid, &judgement);
        if (judgement.reason != REASON_NONE) {
            round_record_refused(round, bid, &judgement);
            continue;
        }
        struct price_bid terms = round_judge_entry(bid, number, &judgement);
        round_record_eligible(round, bid, &terms, &judgement);
        entry.at = terms.at;
        entry.priority = terms.priority;
        entry.multiplier = terms.multiplier;
        entry.floor = terms.floor;
        CHECK(vcg_add(vcg, &entry));
    }
}

// Does any message or live bid stand in a group?
static bool
has_groups(const struct round *round)
{
    if (round->catalog->group_count > 0) return true;
    for (uint32_t i = 0; round->live != NULL && i < round->live->count; i++)
        if (round_bids_group(round, &round->live->bids[i]) != 0) return true;
    return false;
}

static void
open_sale(struct round *round, unsigned wanted)
{
    const struct catalog_container *container = round->container;
    struct vcg_limits limits = {.paid_max = container->paid_max,
                                .quota_count = container->quota_count,
                                .separate = container->separate,
                                .groups = has_groups(round)};
    if (limits.paid_max >= (unsigned)__builtin_popcount(wanted)) limits.paid_max = 0;
    vcg_open(&round->together.vcg, round_seed(round), container->slot_count);
    vcg_limit(&round->together.vcg, &limits);
}

// --- Narrowing -----------------------------------------------------------------------------------
static const struct catalog_bid *
winner_of(const struct round *round, unsigned slot)
{
    const struct vcg_sale *sale = &round->together.sales[slot];
    if (sale->winner == 0) return NULL;
    const struct catalog_bid *bid = round_bids_at(round, sale->number);
    CHECK(bid->id == sale->winner);
    return bid;
}

static money
held_bid(const struct round *round, unsigned slot)
{
    const struct catalog_bid *bid = winner_of(round, slot);
    return round_counts_held((enum price_kind)bid->kind, bid->price);
}

static struct round_purse *
purse_at(struct round_together *together, enum budget_of of, uint32_t index)
{
    for (uint32_t i = 0; i < together->purse_count; i++)
        if (together->purses[i].of == of && together->purses[i].index == index)
            return &together->purses[i];
    if (together->purse_count == ROUND_PURSES) return NULL;
    together->purses[together->purse_count] = (struct round_purse){.of = of, .index = index};
    return &together->purses[together->purse_count++];
}

// (3) for one purse: true when it does not cover the prices of all wins that draw on it.
static bool
narrow_purse(struct round *round, enum budget_of of, uint32_t index)
{
    struct round_together *together = &round->together;
    struct round_judgement met;
    money pays = money_of(0), admitted = money_of(0);
    unsigned won = 0;
    for (unsigned i = 0; i < round->container->slot_count; i++) {
        const struct catalog_bid *bid = winner_of(round, i);
        if (bid == NULL || !draws_on(round, bid->message, of, index)) continue;
        won |= 1u << i;
        money held = round_counts_held((enum price_kind)bid->kind, together->sales[i].price);
        CHECK(money_add(pays, held, &pays) == STATUS_OK);
    }
    if (pays.micros == 0) return false;
    enum reason reason = round_counts_covers(round, of, index, pays, &met);
    if (reason == REASON_NONE) return false;
    struct round_purse *purse = purse_at(together, of, index);
    if (purse == NULL) {
        together->budgets_out = true;  // (5)
        return true;
    }
    purse->reason = reason;
    purse->daily = met.budget_daily;
    purse->left = met.budget_left;
    purse->admitted_count = 0;
    while (won != 0) {
        unsigned dearest = (unsigned)__builtin_ctz(won);
        for (unsigned i = dearest + 1; i < round->container->slot_count; i++)
            if (won >> i & 1 && held_bid(round, i).micros > held_bid(round, dearest).micros)
                dearest = i;
        won &= ~(1u << dearest);
        money with;
        CHECK(money_add(admitted, held_bid(round, dearest), &with) == STATUS_OK);
        if (round_counts_covers(round, of, index, with, &met) != REASON_NONE) continue;
        admitted = with;
        CHECK(purse->admitted_count < BOUND_SLOTS);
        purse->admitted[purse->admitted_count++] = together->sales[dearest].message;
    }
    return true;
}

static bool
narrow_budgets(struct round *round)
{
    bool narrowed = false;
    for (unsigned slot = 0; slot < round->container->slot_count; slot++) {
        const struct catalog_bid *bid = winner_of(round, slot);
        if (bid == NULL) continue;
        enum budget_of of[3];
        uint32_t index[3];
        unsigned count = purses_of(round, bid->message, of, index);
        for (unsigned i = 0; i < count; i++) {
            bool seen = false;
            for (unsigned before = 0; before < slot && !seen; before++) {
                const struct catalog_bid *other = winner_of(round, before);
                seen = other != NULL && draws_on(round, other->message, of[i], index[i]);
            }
            if (!seen && narrow_purse(round, of[i], index[i])) narrowed = true;
        }
    }
    return narrowed;
}

static bool
is_promised(const struct round *round, uint32_t message)
{
    for (unsigned i = 0; i < round->win_count; i++)
        if (round->wins[i].message == message) return true;
    return false;
}

// The next win to be promised (4), of the slots in `left`.
static unsigned
first_to_promise(const struct round *round, unsigned left)
{
    const struct vcg_sale *sales = round->together.sales;
    unsigned first = (unsigned)__builtin_ctz(left);
    for (unsigned i = first + 1; i < round->container->slot_count; i++) {
        if (!(left >> i & 1)) continue;
        if (sales[i].priority != sales[first].priority) {
            if (sales[i].priority > sales[first].priority) first = i;
        } else if (sales[i].over.micros > sales[first].over.micros) {
            first = i;
        }
    }
    return first;
}

static bool
narrow_caps(struct round *round)
{
    struct round_together *together = &round->together;
    unsigned left = 0, before = round->win_count;
    struct round_judgement met;
    bool narrowed = false;
    if (round->contact->customer == 0) return false;
    for (unsigned i = 0; i < round->container->slot_count; i++) {
        const struct catalog_bid *bid = winner_of(round, i);
        if (bid == NULL || round->catalog->messages[bid->message].cap_count == 0) continue;
        if (!is_promised(round, bid->message)) left |= 1u << i;
    }
    while (left != 0) {
        unsigned slot = first_to_promise(round, left);
        const struct catalog_bid *bid = winner_of(round, slot);
        left &= ~(1u << slot);
        if (round->win_count == BOUND_SLOTS) {
            together->caps_out = narrowed = true;  // (5)
        } else if (round_counts_past(round, bid->message, &met) != REASON_NONE) {
            narrowed = true;
        } else {
            round->wins[round->win_count++] = (struct round_win){
                .bid = bid->id, .seat = bid->seat, .message = bid->message, .kind = bid->kind};
        }
    }
    if (!narrowed) round->win_count = before;
    return narrowed;
}

// --- After the sale ------------------------------------------------------------------------------
static bool
is_paid_up(const struct round *round, const struct vcg_sale *here)
{
    const struct round_together *together = &round->together;
    unsigned paid = 0;
    if (together->vcg.limits.paid_max == 0 || here->paid) return false;
    for (unsigned i = 0; i < round->container->slot_count; i++)
        paid += together->sales[i].winner != 0 && together->sales[i].paid;
    return paid >= together->vcg.limits.paid_max;
}

enum reason
round_together_reason(const struct round *round, const struct catalog_bid *bid,
                      struct round_judgement *judgement)
{
    const struct round_together *together = &round->together;
    const struct vcg_sale *here = &together->sales[round->slot->position - 1];
    enum reason reason = narrowed_reason(round, bid, judgement);
    if (reason != REASON_NONE || here->winner == bid->id) return reason;
    uint32_t category = round_limits_category(round, bid), group = round_bids_group(round, bid);
    bool same_message = false, same_category = false, group_won = false;
    for (unsigned i = 0; i < round->container->slot_count; i++) {
        const struct catalog_bid *other = winner_of(round, i);
        if (other == NULL) continue;
        if (round_bids_group(round, other) == group) group_won = true;
        if (&together->sales[i] == here) continue;
        if (other->message == bid->message) same_message = true;
        if (category != 0 && round_limits_category(round, other) == category) same_category = true;
    }
    if (same_message) return REASON_DUPLICATE;
    if (same_category) return REASON_SEPARATION;
    if (group != 0 && round_limits_group_size(round, bid) > 1 && !group_won) return REASON_GROUP;
    if (round_limits_is_paid(round, bid) && is_paid_up(round, here)) return REASON_PAID_MAX;
    if (here->winner == 0) return REASON_BUSY;
    money over;
    CHECK(money_subtract(judgement->score, judgement->floor, &over) == STATUS_OK);
    bool adds_more = judgement->priority != here->priority ? judgement->priority > here->priority
                                                           : over.micros > here->over.micros;
    if (adds_more && together->vcg.limits.quota_count > 0 && here->quota &&
        !round_limits_is_quota(round, bid))
        return REASON_QUOTA;
    return REASON_NONE;
}

money
round_together_over(const struct round *round)
{
    return round->together.sales[round->slot->position - 1].over;
}

static struct fact
fact_of_slot(struct round *round)
{
    const struct vcg_sale *sale = &round->together.sales[round->slot->position - 1];
    const struct catalog_bid *winner = winner_of(round, round->slot->position - 1u);
    struct round_judgement judgement;
    if (winner != NULL) round_judge(round, winner, &judgement);
    round_why_slot(round, winner, &judgement);
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
    together->purse_count = 0;
    together->budgets_out = together->caps_out = false;
    bool again = true;
    while (again) {
        open_sale(round, wanted);
        for (uint32_t i = 0; i < container->slot_count; i++) {
            if (!(wanted >> i & 1)) continue;
            round_enter_slot(round, i);
            collect(round);
        }
        vcg_close(&together->vcg, together->sales);
        again = narrow_budgets(round);
        if (!again) again = narrow_caps(round);
    }
    together->sold = true;
    round_together_record(round, wanted);
    for (uint32_t i = 0; i < container->slot_count; i++) {
        round_enter_slot(round, i);
        out_facts[i] = wanted >> i & 1 ? fact_of_slot(round) : round_unfilled_fact(round, false);
    }
}
