// One contact judged: every slot against the exhaustive twin, whose bids and purses are the
// simulation's own, and what must hold of a sale whatever the rules.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

static const struct market_bid *
bid_by_id(const struct world *world, uint64_t id)
{
    for (uint32_t i = 0; i < world->bid_count; i++) {
        if (world->bids[i].id == id) return &world->bids[i];
    }
    sim_fail("bid %016" PRIx64 " was never made", id);
}

static void
judge_sale(const struct world *world, const struct fact *fact, const struct twin_sale *sale)
{
    const struct market_bid *bid = bid_by_id(world, fact->placement.bid);
    int64_t price = fact->placement.price.micros, floor = fact->placement.floor.micros;
    if (price < floor) sim_fail("price %" PRId64 " below the floor %" PRId64, price, floor);
    if (price > bid->price.micros)
        sim_fail("price %" PRId64 " above the bid %" PRId64, price, bid->price.micros);
    if (fact->placement.bid_price.micros != bid->price.micros) sim_fail("the bid's price is wrong");
    if (fact->placement.seat != bid->seat || fact->placement.message != bid->message)
        sim_fail("seat or message is not the bid's");
    if (fact->placement.setter != 0) {
        const struct market_bid *setter = bid_by_id(world, fact->placement.setter);
        if (setter->seat == bid->seat) sim_fail("a seat's own bid set its price");
        if (setter->price.micros != price) sim_fail("the price is not its setter's");
    } else if (price != floor) {
        sim_fail("nobody set the price, and it is not the floor");
    }
    if (sale->winner == NULL) sim_fail("sold, though no bid is eligible");
    if (sale->winner->id != bid->id)
        sim_fail("bid '%.40s' won, '%.40s' should have", bid->key, sale->winner->key);
    if (sale->price != price || sale->floor != floor || sale->setter != fact->placement.setter)
        sim_fail("price %" PRId64 ", it should be %" PRId64 " (floor %" PRId64 " and %" PRId64 ")",
                 price, sale->price, floor, sale->floor);
}

// The dearest bid that addresses the slot, among equals the lower id, says why it stayed empty.
static void
judge_unfilled(const struct world *world, const struct fact *fact, uint32_t slot)
{
    const struct catalog_bid *dearest = NULL;
    for (uint32_t i = 0; i < world->twin->bid_count; i++) {
        const struct catalog_bid *bid = world->twin->bids[i];
        if (dearest != NULL &&
            (bid->price.micros < dearest->price.micros ||
             (bid->price.micros == dearest->price.micros && bid->id > dearest->id)))
            continue;
        if (twin_addresses(world->twin, bid, slot)) dearest = bid;
    }
    int64_t floor;
    enum reason reason = dearest == NULL ? REASON_NO_BIDS : REASON_NO_ELIGIBLE_BID;
    enum reason main_reason = dearest == NULL ? REASON_NONE
                                              : twin_judge(world->twin, dearest, slot, &floor);
    int64_t best = dearest == NULL ? 0 : dearest->price.micros;
    if (fact->unfilled.reason != reason || fact->unfilled.main_reason != main_reason ||
        fact->unfilled.best.micros != best)
        sim_fail("empty for %s (%s), it should be %s (%s)",
                 reason_key((enum reason)fact->unfilled.reason),
                 reason_key((enum reason)fact->unfilled.main_reason), reason_key(reason),
                 reason_key(main_reason));
}

// Every bid for the slot has its one reason, and it is the twin's.
static void
judge_reasons(struct world *world, unsigned position, uint32_t slot)
{
    const struct catalog *catalog = world->history.catalog;
    struct book_bids overlay = book_overlay(world->history.book);
    const struct twin_sale *sale = world->sale;
    uint32_t judged = 0, wanted = 0;
    if (world->why.count > world->why.room) sim_fail("more judgements than there is room for");
    for (uint32_t i = 0; i < world->why.count; i++) {
        const struct why_bid *why = &world->why.bids[i];
        if (why->position != position) continue;
        const struct catalog_bid *bid = why->bid < catalog->bid_count
                                            ? &catalog->bids[why->bid]
                                            : &overlay.bids[why->bid - catalog->bid_count];
        int64_t floor;
        enum reason reason = twin_judge(world->twin, bid, slot, &floor);
        if (reason == REASON_NONE && bid->id != sale->winner->id)
            reason = bid->seat == sale->winner->seat ? REASON_OWN_SEAT : REASON_OUTBID;
        if (reason != why->reason)
            sim_fail("bid '%.40s' was told %s, it should be %s", bid->key, reason_key(why->reason),
                     reason_key(reason));
        judged += reason != REASON_WITHDRAWN;
    }
    for (uint32_t i = 0; i < world->twin->bid_count; i++) {
        const struct catalog_bid *bid = world->twin->bids[i];
        wanted += bid->slot == UINT32_MAX || bid->slot == slot;
    }
    if (judged != wanted) sim_fail("%u bids were told why, there are %u", judged, wanted);
    world->counts->reasons += judged;
}

static void
tell(const struct world *world, const struct fact *fact)
{
    if (fact->kind == FACT_PLACEMENT)
        printf("  slot %u: bid '%.40s' at %" PRId64 ", floor %" PRId64 ", %u eligible\n",
               fact->position, bid_by_id(world, fact->placement.bid)->key,
               fact->placement.price.micros, fact->placement.floor.micros,
               world->sale->eligible_count);
    else
        printf("  slot %u: empty, %s (%s), %u eligible\n", fact->position,
               reason_key((enum reason)fact->unfilled.reason),
               reason_key((enum reason)fact->unfilled.main_reason), world->sale->eligible_count);
}

void
world_judge(struct world *world, const struct contact *contact, const struct fact *facts,
            unsigned count, bool why)
{
    const struct catalog *catalog = world->history.catalog;
    const struct catalog_container *container = &catalog->containers[contact->container];
    if (count != 1 + container->slot_count || facts[0].kind != FACT_CONTACT)
        sim_fail("%u facts for %u slots", count, container->slot_count);
    world_set_twin(world, contact);
    for (unsigned i = 1; i < count; i++) {
        const struct fact *fact = &facts[i];
        uint32_t slot = container->slot_first + i - 1;
        if (fact->position != i || !id_same(fact->contact, facts[0].contact))
            sim_fail("slot %u has the facts of another", i);
        if (contact->slots_wanted != 0 && !(contact->slots_wanted >> (i - 1) & 1)) {
            if (fact->kind != FACT_UNFILLED || fact->unfilled.reason != REASON_NOT_REQUESTED)
                sim_fail("slot %u was not asked for", i);
            continue;
        }
        twin_sell(world->twin, slot, fact->contact, world->sale);
        if (world->tell) tell(world, fact);
        if (why) judge_reasons(world, i, slot);
        if (fact->kind == FACT_PLACEMENT) {
            judge_sale(world, fact, world->sale);
            twin_win(world->twin, world->sale);
            world->counts->placements++;
        } else {
            if (fact->kind != FACT_UNFILLED) sim_fail("slot %u was neither sold nor left", i);
            if (world->sale->winner != NULL)
                sim_fail("slot %u stayed empty, bid '%.40s' should have won", i,
                         world->sale->winner->key);
            judge_unfilled(world, fact, slot);
            world->counts->unfilled++;
        }
    }
}
