// The record of slots that were sold together, and its judgement.
//
// For every slot that was asked for:
//   (1) FACT_CANDIDATES: the winner first; then, in the order in which the slot prefers them
//       (vcg_ranks_before), every bid that the assignment or any payment rests on, and of the
//       others the best until there are eight. So the same assignment and payments follow from the
//       candidates alone: the best of all is the best of some that hold it. How says of a loser
//       whether its message won another slot.
//   (2) FACT_LIMITS, when the contact has limits or a candidate stands in a group: the contact's
//       paid_max and quota; of each candidate its category and group, numbered from 1 in the order
//       in which the record meets them (0 none), the wins that make its group whole, whether it is
//       paid, and whether it is of the quota; and whether the search for the best was cut short.
//
// The record agrees when
//   (3) every candidate is at or above its floor, none stands twice in a slot, they stand in the
//       order of (1), and those of a group agree on its size;
//   (4) vcg.c, given the candidates and the limits, comes to the outcomes: winner, seat, message,
//       price, floor, setter. When the search was cut short: when the outcomes respect the limits
//       but for the quota, and every price lies between floor and bid.
//   (5) The outcome repeats of the winner what the record says: kind, bid, floor rule.
#include <limits.h>
#include <string.h>

#include "fail.h"
#include "learn.h"
#include "round_parts.h"

#define SEARCHED 1  // limits.flags: cut short
#define IS_PAID 1   // limits.is
#define IS_QUOTA 2

// --- Writing -------------------------------------------------------------------------------------
struct numbers {
    uint32_t of[ROUND_CANDIDATES * BOUND_SLOTS];
    uint8_t count;
};

static uint8_t
number_of(struct numbers *numbers, uint32_t of)
{
    if (of == 0) return 0;
    uint8_t i = 0;
    while (i < numbers->count && numbers->of[i] != of) i++;
    if (i == numbers->count) numbers->of[numbers->count++] = of;
    return (uint8_t)(i + 1);
}

// The offers of a slot in their order: five sorted lists taken together. NULL at the end.
static const struct vcg_offer *
next_offer(const struct vcg *vcg, unsigned slot, uint8_t at[VCG_LISTS])
{
    unsigned best = VCG_LISTS;
    for (unsigned list = 0; list < VCG_LISTS; list++) {
        if (at[list] == vcg->kept[slot][list]) continue;
        if (best == VCG_LISTS || vcg_ranks_before(&vcg->offers[slot][list][at[list]],
                                                  &vcg->offers[slot][best][at[best]]))
            best = list;
    }
    return best == VCG_LISTS ? NULL : &vcg->offers[slot][best][at[best]++];
}

// (1): the winner, and what is needed, and others up to eight.
static unsigned
choose(const struct vcg *vcg, unsigned slot, uint64_t winner,
       const struct vcg_offer *chosen[ROUND_CANDIDATES])
{
    uint8_t at[VCG_LISTS] = {0};
    const struct vcg_offer *offer;
    unsigned needed = 0, others = 0, count = 0;
    while ((offer = next_offer(vcg, slot, at)) != NULL) needed += offer->needed;
    CHECK(needed <= ROUND_CANDIDATES);
    unsigned room = needed < BOUND_CANDIDATES ? BOUND_CANDIDATES - needed : 0;
    if (winner != 0) count = 1;
    memset(at, 0, sizeof at);
    while ((offer = next_offer(vcg, slot, at)) != NULL) {
        if (winner != 0 && offer->bid.bid == winner) {
            chosen[0] = offer;
            continue;
        }
        if (!offer->needed && others++ >= room) continue;
        chosen[count++] = offer;
    }
    return count;
}

static unsigned
how_of(const struct round *round, const struct vcg_offer *offer)
{
    for (unsigned i = 0; i < round->container->slot_count; i++)
        if (i != offer->bid.slot && round->together.sales[i].winner != 0 &&
            round->together.sales[i].message == offer->bid.message)
            return CANDIDATE_MESSAGE_WON;
    return 0;
}

static void
record_slot(struct round *round, struct numbers *categories, struct numbers *groups)
{
    struct round_together *together = &round->together;
    const struct vcg_limits *limits = &together->vcg.limits;
    unsigned slot = round->slot->position - 1u;
    const struct vcg_offer *chosen[ROUND_CANDIDATES];
    unsigned count = choose(&together->vcg, slot, together->sales[slot].winner, chosen);
    struct fact fact = round_fact(round, FACT_LIMITS, round->slot->position);
    fact.limits.paid_max = (uint8_t)limits->paid_max;  // below the number of slots
    fact.limits.quota_count = (uint8_t)(limits->quota_count > UINT8_MAX ? UINT8_MAX
                                                                        : limits->quota_count);
    if (together->vcg.cut_short) fact.limits.flags = SEARCHED;
    round->record->candidate_count = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct vcg_bid *bid = &chosen[i]->bid;
        struct price_bid entry = {.bid = bid->bid,
                                  .seat = bid->seat,
                                  .number = bid->number,
                                  .kind = bid->kind,
                                  .at = bid->at,
                                  .priority = bid->priority,
                                  .price = bid->price,
                                  .multiplier = bid->multiplier,
                                  .floor = bid->floor};
        round_record_put(round, round_bids_at(round, bid->number), &entry,
                         how_of(round, chosen[i]));
        fact.limits.category[i] = number_of(categories, bid->category);
        fact.limits.group[i] = number_of(groups, bid->group);
        fact.limits.group_size[i] = bid->group == 0 ? 0 : bid->group_size;
        fact.limits.is[i] = (uint8_t)((bid->paid ? IS_PAID : 0) | (bid->quota ? IS_QUOTA : 0));
        if (bid->group != 0) together->limited = true;
    }
    together->limits[slot] = fact;
}

void
round_together_record(struct round *round, unsigned wanted)
{
    struct round_together *together = &round->together;
    const struct vcg_limits *limits = &together->vcg.limits;
    struct numbers categories = {.count = 0}, groups = {.count = 0};
    together->limited = limits->separate || limits->paid_max != 0 || limits->quota_count != 0;
    for (uint32_t i = 0; i < round->container->slot_count; i++) {
        if (!(wanted >> i & 1)) continue;
        round_enter_slot(round, i);
        record_slot(round, &categories, &groups);
    }
}

// --- Judging -------------------------------------------------------------------------------------
struct slot_record {
    const struct fact *outcome, *limits;
    struct vcg_bid bids[ROUND_CANDIDATES];
    uint32_t floor_ids[ROUND_CANDIDATES];
    unsigned count;
};

static bool
is_sound(const struct vcg_bid *bid)
{
    return bid->bid != 0 && bid->kind < PRICE_KIND_COUNT && bid->at < DEAL_AT_COUNT &&
           bid->priority <= BOUND_PRIORITY + 1 && bid->price.micros >= 0 &&
           bid->price.micros <= (bid->kind == PRICE_SHARE ? MONEY_PPM : BOUND_MICROS) &&
           bid->floor.micros >= 0 && bid->floor.micros <= BOUND_MICROS &&
           !(bid->kind == PRICE_RESPONSE && bid->multiplier > LEARN_ONE) &&
           !(bid->kind == PRICE_SHARE && bid->multiplier > BOUND_MICROS);
}

static bool
take_candidate(struct slot_record *slot, const struct fact *fact, unsigned at)
{
    if (slot->count == ROUND_CANDIDATES) return false;
    unsigned how = fact->candidates.how[at];
    struct vcg_bid bid = {.bid = fact->candidates.bid[at],
                          .seat = fact->candidates.seat[at],
                          .message = fact->candidates.message[at],
                          .slot = (uint8_t)(fact->position - 1),
                          .number = slot->count,
                          .price = money_of(fact->candidates.price[at]),
                          .floor = fact->candidates.floor[at],
                          .kind = how & CANDIDATE_KIND,
                          .at = how >> CANDIDATE_AT_SHIFT & 3,
                          .priority = fact->candidates.priority[at],
                          .multiplier = fact->candidates.multiplier[at]};
    for (unsigned i = 0; i < slot->count; i++)
        if (slot->bids[i].bid == bid.bid) return false;
    slot->floor_ids[slot->count] = fact->candidates.floor_id[at];
    slot->bids[slot->count++] = bid;
    return is_sound(&bid);
}

static bool
take_slot(struct slot_record *slot, const struct fact *facts, unsigned count, unsigned position,
          struct vcg_limits *limits, uint8_t group_sizes[UINT8_MAX + 1])
{
    *slot = (struct slot_record){.outcome = &facts[position]};
    for (unsigned i = 1 + facts[0].opened.slots; i < count; i++) {
        const struct fact *fact = &facts[i];
        if (fact->position != position) continue;
        if (fact->kind == FACT_LIMITS) slot->limits = fact;
        if (fact->kind != FACT_CANDIDATES) continue;
        for (unsigned at = 0; at < 2; at++)
            if ((at == 0 || fact->candidates.bid[at] != 0) && !take_candidate(slot, fact, at))
                return false;
    }
    if (slot->limits == NULL) return true;
    limits->paid_max = slot->limits->limits.paid_max;
    limits->quota_count = slot->limits->limits.quota_count;
    for (unsigned i = 0; i < slot->count; i++) {
        struct vcg_bid *bid = &slot->bids[i];
        bid->category = slot->limits->limits.category[i];
        bid->group = slot->limits->limits.group[i];
        bid->group_size = slot->limits->limits.group_size[i];
        bid->paid = slot->limits->limits.is[i] & IS_PAID;
        bid->quota = slot->limits->limits.is[i] & IS_QUOTA;
        if (bid->category != 0) limits->separate = true;
        if (bid->group == 0) continue;
        limits->groups = true;
        if (group_sizes[bid->group] == 0) group_sizes[bid->group] = bid->group_size;
        if (group_sizes[bid->group] != bid->group_size) return false;
    }
    return true;
}

// (3): behind the winner the candidates stand in order.
static bool
in_order(const struct vcg *vcg, const struct slot_record *slot)
{
    struct vcg_offer last, offer;
    for (unsigned i = slot->outcome->kind == FACT_PLACEMENT; i < slot->count; i++) {
        if (!vcg_offer_of(vcg, &slot->bids[i], &offer)) return false;
        if (i > (slot->outcome->kind == FACT_PLACEMENT) && !vcg_ranks_before(&last, &offer))
            return false;
        last = offer;
    }
    return true;
}

// (4), (5)
static bool
agrees(const struct slot_record *slot, const struct vcg_sale *sale, bool cut_short)
{
    const struct fact *outcome = slot->outcome;
    if (outcome->kind == FACT_UNFILLED) return sale->winner == 0 || cut_short;
    if (slot->count == 0) return false;
    const struct vcg_bid *winner = &slot->bids[0];
    int64_t price = outcome->placement.price.micros;
    bool priced = cut_short ? price <= winner->price.micros &&
                                  price_score((enum price_kind)winner->kind,
                                              outcome->placement.price, winner->multiplier)
                                          .micros >= winner->floor.micros
                            : sale->winner == winner->bid && price == sale->price.micros &&
                                  outcome->placement.setter == sale->setter;
    return priced && outcome->placement.bid == winner->bid &&
           outcome->placement.seat == winner->seat &&
           outcome->placement.message == winner->message &&
           outcome->placement.kind == winner->kind &&
           outcome->placement.bid_price.micros == winner->price.micros &&
           outcome->placement.floor.micros == winner->floor.micros &&
           outcome->placement.floor_id == slot->floor_ids[0] &&
           outcome->placement.eligible >= slot->count;
}

// (4), where the search was cut short: once each, categories apart, so many paid, groups whole.
static bool
keeps_limits(const struct slot_record *slots, unsigned count, const struct vcg_limits *limits)
{
    unsigned paid = 0;
    for (unsigned i = 0; i < count; i++) {
        if (slots[i].outcome->kind != FACT_PLACEMENT) continue;
        const struct vcg_bid *bid = &slots[i].bids[0];
        unsigned of_group = 0;
        paid += bid->paid;
        for (unsigned j = 0; j < count; j++) {
            if (slots[j].outcome->kind != FACT_PLACEMENT) continue;
            const struct vcg_bid *other = &slots[j].bids[0];
            of_group += other->group == bid->group;
            if (i == j) continue;
            if (other->message == bid->message) return false;
            if (bid->category != 0 && other->category == bid->category) return false;
        }
        if (bid->group != 0 && of_group != bid->group_size) return false;
    }
    return limits->paid_max == 0 || paid <= limits->paid_max;
}

bool
round_together_record_reprice(const struct fact *facts, unsigned count, unsigned *out_position,
                              struct price_sale *out_sale)
{
    struct slot_record slots[BOUND_SLOTS];
    struct vcg_sale sales[BOUND_SLOTS];
    struct vcg_limits limits = {0};
    struct vcg vcg;
    unsigned slot_count = facts[0].opened.slots;
    bool cut_short = false;
    uint8_t group_sizes[UINT8_MAX + 1] = {0};
    uint64_t halves[2];
    memcpy(halves, facts[0].contact.bytes, sizeof halves);
    for (unsigned i = 0; i < slot_count; i++) {
        *out_position = i + 1;
        if (facts[i + 1].position != i + 1 ||
            (facts[i + 1].kind != FACT_PLACEMENT && facts[i + 1].kind != FACT_UNFILLED) ||
            !take_slot(&slots[i], facts, count, i + 1, &limits, group_sizes))
            return false;
        if (slots[i].limits != NULL && slots[i].limits->limits.flags & SEARCHED) cut_short = true;
    }
    vcg_open(&vcg, halves[0] ^ halves[1], slot_count);
    vcg_limit(&vcg, &limits);
    if (!cut_short) vcg.steps_max = 100 * VCG_STEPS;  // there is time
    for (unsigned i = 0; i < slot_count; i++) {
        *out_position = i + 1;
        if (!in_order(&vcg, &slots[i])) return false;
        for (unsigned j = 0; j < slots[i].count; j++)
            if (!vcg_add(&vcg, &slots[i].bids[j])) return false;
    }
    vcg_close(&vcg, sales);
    for (unsigned i = 0; i < slot_count; i++) {
        *out_position = i + 1;
        *out_sale = (struct price_sale){.winner = sales[i].winner,
                                        .seat = sales[i].seat,
                                        .price = sales[i].price,
                                        .floor = sales[i].floor,
                                        .setter = sales[i].setter,
                                        .counted = sales[i].counted};
        if (!agrees(&slots[i], &sales[i], cut_short)) return false;
    }
    if (cut_short && !keeps_limits(slots, slot_count, &limits)) return false;
    *out_position = 0;
    return true;
}
