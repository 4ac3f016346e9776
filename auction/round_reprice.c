// A record judged: winner and price of every slot worked out again from the facts of one contact
// alone, by price.c.
//
// A slot agrees when
//   (1) its candidates stand in the order of ranking, each at or above its floor, none twice;
//   (2) pricing them gives the outcome's winner, price, floor and setter, and no sale exactly when
//       the slot stayed empty;
//   (3) the outcome repeats of the winner what the record says: seat, message, kind, bid, floor
//       rule.
// A slot that was not asked for has no candidates. A contact without any record was decided before
// there were records: nothing to judge. Slots sold together: round_together_record.c.
#include <string.h>

#include "fail.h"
#include "round_parts.h"

struct slot_record {
    const struct fact *outcome;
    struct price_bid bids[BOUND_CANDIDATES];
    struct {
        uint32_t message, floor_id;
    } more[BOUND_CANDIDATES];
    unsigned count;
};

static bool
take_candidate(struct slot_record *slot, const struct fact *fact, unsigned at, uint64_t seed)
{
    if (slot->count == BOUND_CANDIDATES) return false;
    unsigned how = fact->candidates.how[at], kind = how & CANDIDATE_KIND;
    uint64_t multiplier = fact->candidates.multiplier[at];
    int64_t price = fact->candidates.price[at];
    if (kind >= PRICE_KIND_COUNT || price < 0 || price > BOUND_MICROS ||
        (kind == PRICE_RESPONSE && multiplier > LEARN_ONE) ||
        (kind == PRICE_SHARE && (multiplier > BOUND_MICROS || price > MONEY_PPM)))
        return false;
    struct price_bid bid = {.bid = fact->candidates.bid[at],
                            .seat = fact->candidates.seat[at],
                            .kind = (uint8_t)kind,
                            .at = (uint8_t)(how >> CANDIDATE_AT_SHIFT & 3),
                            .priority = fact->candidates.priority[at],
                            .price = {price},
                            .multiplier = multiplier,
                            .floor = fact->candidates.floor[at]};
    if (bid.at >= DEAL_AT_COUNT || bid.floor.micros < 0 || bid.floor.micros > BOUND_MICROS ||
        price_score((enum price_kind)kind, bid.price, multiplier).micros < bid.floor.micros)
        return false;
    for (unsigned i = 0; i < slot->count; i++)
        if (slot->bids[i].bid == bid.bid) return false;
    if (slot->count > 0 && !price_ranks_before(&slot->bids[slot->count - 1], &bid, seed))
        return false;
    slot->more[slot->count].message = fact->candidates.message[at];
    slot->more[slot->count].floor_id = fact->candidates.floor_id[at];
    slot->bids[slot->count++] = bid;
    return true;
}

static bool
take_candidates(struct slot_record *slot, const struct fact *fact, uint64_t seed)
{
    if (fact->candidates.bid[0] == 0) return false;
    for (unsigned at = 0; at < 2; at++)
        if (fact->candidates.bid[at] != 0 && !take_candidate(slot, fact, at, seed)) return false;
    return true;
}

static bool
agrees(const struct slot_record *slot, const struct price_sale *sale)
{
    const struct fact *outcome = slot->outcome;
    if (outcome->kind == FACT_UNFILLED) return sale->winner == 0;
    if (sale->winner != slot->bids[0].bid) return false;
    return outcome->placement.bid == sale->winner &&
           outcome->placement.price.micros == sale->price.micros &&
           outcome->placement.floor.micros == sale->floor.micros &&
           outcome->placement.setter == sale->setter && outcome->placement.seat == sale->seat &&
           outcome->placement.message == slot->more[0].message &&
           outcome->placement.kind == slot->bids[0].kind &&
           outcome->placement.bid_price.micros == slot->bids[0].price.micros &&
           outcome->placement.floor_id == slot->more[0].floor_id &&
           outcome->placement.eligible >= slot->count;
}

static bool
reprice_slot(const struct fact *facts, unsigned count, unsigned position, uint64_t seed,
             struct price_sale *out_sale)
{
    struct slot_record slot = {.outcome = &facts[position]};
    bool sound = true;
    for (unsigned i = 1 + facts[0].opened.slots; i < count && sound; i++)
        if (facts[i].kind == FACT_CANDIDATES && facts[i].position == position)
            sound = take_candidates(&slot, &facts[i], seed);
    price_clear(slot.bids, slot.count, seed, out_sale);
    return sound && agrees(&slot, out_sale);
}

static bool
has_record(const struct fact *facts, unsigned count)
{
    bool record = facts[0].opened.records > 0;
    for (unsigned i = 1 + facts[0].opened.slots; i < count && !record; i++)
        record = facts[i].kind == FACT_CANDIDATES || facts[i].kind == FACT_TALLY;
    return record;
}

bool
round_reprice(const struct fact *facts, unsigned count, unsigned *out_position,
              struct price_sale *out_sale)
{
    *out_position = 0;
    *out_sale = (struct price_sale){0};
    if (count == 0 || facts[0].kind != FACT_CONTACT || facts[0].opened.slots > BOUND_SLOTS ||
        count < 1u + facts[0].opened.slots)
        return false;
    if (!has_record(facts, count)) return true;
    if (facts[0].opened.flags & CONTACT_TOGETHER)
        return round_together_record_reprice(facts, count, out_position, out_sale);
    uint64_t halves[2];
    memcpy(halves, facts[0].contact.bytes, sizeof halves);
    for (unsigned position = 1; position <= facts[0].opened.slots; position++) {
        *out_position = position;
        const struct fact *outcome = &facts[position];
        if (outcome->position != position ||
            (outcome->kind != FACT_PLACEMENT && outcome->kind != FACT_UNFILLED))
            return false;
        if (!reprice_slot(facts, count, position, halves[0] ^ halves[1], out_sale)) return false;
    }
    *out_position = 0;
    return true;
}
