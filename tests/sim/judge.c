// One contact judged: every slot against the exhaustive twin, whose bids and purses are the
// simulation's own, and what must hold of a sale whatever the rules.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

static const struct catalog_bid *
bid_by_id(const struct world *world, uint64_t id)
{
    for (uint32_t i = 0; i < world->bid_count; i++) {
        if (world->standing[i].id == id) return &world->standing[i];
    }
    for (uint32_t i = 0; i < world->live.count; i++) {
        if (world->live.bids[i].id == id) return &world->live.bids[i];
    }
    sim_fail("bid %016" PRIx64 " was never made", id);
}

// What must hold of a sale by its own figures.
static void
judge_price(const struct world *world, const struct fact *fact, const struct twin_terms *terms)
{
    const struct catalog_bid *bid = bid_by_id(world, fact->placement.bid);
    enum price_kind kind = (enum price_kind)bid->kind;
    money price = fact->placement.price, floor = fact->placement.floor;
    if (price_score(kind, price, terms->multiplier).micros < floor.micros)
        sim_fail("price %" PRId64 " is worth less than the floor %" PRId64, price.micros,
                 floor.micros);
    if (price.micros > bid->price.micros)
        sim_fail("price %" PRId64 " above the bid %" PRId64, price.micros, bid->price.micros);
    if (fact->placement.setter != 0) {
        const struct catalog_bid *setter = bid_by_id(world, fact->placement.setter);
        if (setter->seat == bid->seat) sim_fail("a seat's own bid set its price");
        if (terms->at != DEAL_SECOND_PRICE) sim_fail("a bid set the price of a deal");
        if (kind == PRICE_PLACEMENT && setter->kind == PRICE_PLACEMENT &&
            setter->price.micros != price.micros)
            sim_fail("the price is not its setter's");
    } else if (terms->at == DEAL_FIRST_PRICE) {
        if (price.micros != bid->price.micros) sim_fail("a first price is not its bid");
    } else if (price.micros != price_reaching(kind, floor, terms->multiplier).micros) {
        sim_fail("nobody set the price, and it is not the floor");
    }
}

static void
judge_sale(const struct world *world, const struct fact *fact, const struct twin_sale *sale)
{
    const struct catalog *catalog = world->history.catalog;
    const struct catalog_bid *bid = bid_by_id(world, fact->placement.bid);
    if (fact->placement.bid_price.micros != bid->price.micros || fact->placement.kind != bid->kind)
        sim_fail("the bid's price is wrong");
    if (fact->placement.seat != catalog->seats[bid->seat].id ||
        fact->placement.message != catalog->messages[bid->message].id)
        sim_fail("seat or message is not the bid's");
    if (sale->winner == NULL) sim_fail("sold, though no bid is eligible");
    if (sale->winner->id != bid->id)
        sim_fail("bid '%.40s' won, '%.40s' should have", bid->key, sale->winner->key);
    judge_price(world, fact, &sale->terms);
    if (sale->price != fact->placement.price.micros ||
        sale->floor != fact->placement.floor.micros || sale->setter != fact->placement.setter)
        sim_fail("price %" PRId64 ", it should be %" PRId64 " (floor %" PRId64 " and %" PRId64 ")",
                 fact->placement.price.micros, sale->price, fact->placement.floor.micros,
                 sale->floor);
    if (sale->terms.floor_rule != fact->placement.floor_rule ||
        sale->terms.floor_id != fact->placement.floor_id ||
        sale->terms.deal != fact->placement.deal)
        sim_fail("another floor rule or deal is said to have counted");
}

static bool
is_live(const struct world *world, const struct catalog_bid *bid)
{
    return bid >= world->live.bids && bid < world->live.bids + world->live.count;
}

// The bid whose reason an empty slot tells: the dearest of those ranked by their price, among
// equals the lower id; without one, the first live one of the others, then the one of lowest id.
static const struct catalog_bid *
main_bid(const struct world *world, uint32_t slot)
{
    const struct catalog_bid *dearest = NULL, *live = NULL, *other = NULL;
    for (uint32_t i = 0; i < world->twin->bid_count; i++) {
        const struct catalog_bid *bid = world->twin->bids[i];
        bool asked = is_live(world, bid);
        if (asked ? bid->slot != slot : !twin_addresses(world->twin, bid, slot)) continue;
        if (catalog_judged_first(world->twin->catalog, bid->message, (enum price_kind)bid->kind)) {
            if (asked && live == NULL) live = bid;
            if (!asked && (other == NULL || bid->id < other->id)) other = bid;
        } else if (dearest == NULL || bid->price.micros > dearest->price.micros ||
                   (bid->price.micros == dearest->price.micros && bid->id < dearest->id)) {
            dearest = bid;
        }
    }
    return dearest != NULL ? dearest : live != NULL ? live : other;
}

static void
judge_unfilled(const struct world *world, const struct fact *fact, uint32_t slot)
{
    const struct catalog_bid *bid = main_bid(world, slot);
    struct twin_terms terms = {0};
    enum reason reason = bid == NULL ? REASON_NO_BIDS : REASON_NO_ELIGIBLE_BID;
    enum reason main_reason = bid == NULL ? REASON_NONE
                                          : twin_judge_terms(world->twin, bid, slot, &terms);
    if (fact->unfilled.reason != reason || fact->unfilled.main_reason != main_reason ||
        fact->unfilled.best.micros != terms.score)
        sim_fail("empty for %s (%s), best %" PRId64 "; it should be %s (%s), %" PRId64,
                 reason_key((enum reason)fact->unfilled.reason),
                 reason_key((enum reason)fact->unfilled.main_reason), fact->unfilled.best.micros,
                 reason_key(reason), reason_key(main_reason), terms.score);
}

static const struct catalog_bid *
why_bid(const struct world *world, uint32_t number)
{
    const struct catalog *catalog = world->history.catalog;
    struct book_bids overlay = book_overlay(world->history.book);
    if (number < catalog->bid_count) return &catalog->bids[number];
    number -= catalog->bid_count;
    return number < overlay.count ? &overlay.bids[number]
                                  : &world->live.bids[number - overlay.count];
}

// Every bid for the slot has its one reason, and it is the twin's.
static void
judge_reasons(struct world *world, unsigned position, uint32_t slot)
{
    const struct twin_sale *sale = world->sale;
    uint32_t judged = 0, wanted = 0;
    if (world->why.count > world->why.room) sim_fail("more judgements than there is room for");
    for (uint32_t i = 0; i < world->why.count; i++) {
        const struct why_bid *why = &world->why.bids[i];
        if (why->position != position) continue;
        const struct catalog_bid *bid = why_bid(world, why->bid);
        struct twin_terms terms;
        enum reason reason = twin_judge_terms(world->twin, bid, slot, &terms);
        if (reason == REASON_NONE && bid->id != sale->winner->id)
            reason = bid->seat == sale->winner->seat ? REASON_OWN_SEAT
                     : terms.priority < sale->terms.priority && terms.score >= sale->terms.score
                         ? REASON_LOST_TO_PRIORITY
                         : REASON_OUTBID;
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

// --- What the placements of one contact ask of each other ----------------------------------------
static void
judge_pair(const struct world *world, const struct catalog_container *container,
           const struct catalog_bid *a, const struct catalog_bid *b)
{
    const struct catalog_message *messages = world->history.catalog->messages;
    if (a->message == b->message) sim_fail("message %s won twice", messages[a->message].code);
    if (container->separate && messages[a->message].category >= 0 &&
        messages[a->message].category == messages[b->message].category)
        sim_fail("%s and %s are of one category", messages[a->message].code,
                 messages[b->message].code);
}

// All wins of a bid's group, when it has one that it shares by its message.
static void
judge_group(const struct world *world, const struct catalog_bid *const wins[], unsigned count,
            const struct catalog_bid *bid)
{
    const struct catalog_message *message = &world->history.catalog->messages[bid->message];
    unsigned won = 0;
    if (message->group == 0 || is_live(world, bid)) return;
    for (unsigned i = 0; i < count; i++)
        won += world->history.catalog->messages[wins[i]->message].group == message->group;
    if (won != message->group_size)
        sim_fail("%u of group of %s won, it has %u", won, message->code, message->group_size);
}

static void
judge_limits(const struct world *world, const struct catalog_container *container,
             const struct fact *facts)
{
    const struct catalog *catalog = world->history.catalog;
    const struct catalog_bid *wins[BOUND_SLOTS];
    unsigned count = 0, paid = 0;
    for (unsigned i = 1; i <= container->slot_count; i++) {
        if (facts[i].kind != FACT_PLACEMENT) continue;
        wins[count++] = bid_by_id(world, facts[i].placement.bid);
        paid += catalog->seats[wins[count - 1]->seat].kind == SEAT_PARTNER;
    }
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < i; j++) judge_pair(world, container, wins[i], wins[j]);
        judge_group(world, wins, count, wins[i]);
    }
    if (container->paid_max > 0 && paid > container->paid_max)
        sim_fail("%u paid placements, the container admits %u", paid, container->paid_max);
}

// Sells all slots until every group that won is whole: then the twin knows which groups are out.
static void
settle_groups(struct world *world, const struct catalog_container *container, unsigned wanted)
{
    struct twin *twin = world->twin;
    do {
        twin->win_count = 0;
        for (unsigned i = 0; i < container->slot_count; i++) {
            if (!(wanted >> i & 1)) continue;
            twin_limits_slot(twin, i);
            twin_sell(twin, container->slot_first + i, twin->id, world->sale);
            if (world->sale->winner != NULL) twin_win(twin, world->sale);
        }
    } while (twin_limits_again(twin));
    twin->win_count = 0;
}

// A placement that was sold together with others: by its own figures.
static void
judge_alone(const struct world *world, const struct fact *fact, uint32_t slot)
{
    struct twin_terms terms;
    const struct catalog_bid *bid = bid_by_id(world, fact->placement.bid);
    enum reason reason = twin_judge_terms(world->twin, bid, slot, &terms);
    if (reason != REASON_NONE)
        sim_fail("bid '%.40s' won, though it is stopped: %s", bid->key, reason_key(reason));
    if (terms.floor != fact->placement.floor.micros) sim_fail("another floor is said to count");
    money price = fact->placement.price;
    if (price_score((enum price_kind)bid->kind, price, terms.multiplier).micros < terms.floor)
        sim_fail("price %" PRId64 " is worth less than the floor", price.micros);
    if (price.micros > bid->price.micros) sim_fail("price %" PRId64 " above the bid", price.micros);
}

// Slots sold together, by brute force where that ends.
static void
judge_together(struct world *world, const struct round_live *live,
               const struct catalog_container *container, unsigned wanted, const struct fact *facts)
{
    struct together_twin *market = world->together;
    memset(market, 0, sizeof *market);
    market->twin = *world->twin;
    market->twin.limits = NULL;  // the mechanism's own
    market->live = live;
    market->container = container;
    market->asked = wanted;
    if (!together_twin_sell(market, WORLD_ASSIGNMENTS)) return;
    world->counts->together++;
    for (unsigned i = 0; i < container->slot_count; i++) {
        const struct fact *fact = &facts[i + 1];
        const struct vcg_sale *sale = &market->sales[i];
        if (!(market->asked >> i & 1)) continue;
        uint64_t winner = fact->kind == FACT_PLACEMENT ? fact->placement.bid : 0;
        if (winner != sale->winner)
            sim_fail("sold together, slot %u went to %016" PRIx64 ", it should be %016" PRIx64,
                     i + 1, winner, sale->winner);
        if (winner != 0 && fact->placement.price.micros != sale->price.micros)
            sim_fail("sold together, slot %u cost %" PRId64 ", it should be %" PRId64, i + 1,
                     fact->placement.price.micros, sale->price.micros);
    }
}

void
world_judge(struct world *world, const struct contact *contact, const struct round_live *live,
            const struct fact *facts, unsigned count, bool why)
{
    const struct catalog *catalog = world->history.catalog;
    const struct catalog_container *container = &catalog->containers[contact->container];
    unsigned outcomes = 1 + container->slot_count;
    if (count < outcomes || facts[0].kind != FACT_CONTACT ||
        count != outcomes + facts[0].opened.records || facts[0].opened.slots != outcomes - 1)
        sim_fail("%u facts for %u slots", count, container->slot_count);
    world_set_twin(world, contact, facts[0].contact);
    if (live == NULL) world->live.count = 0;
    else twin_take_live(world->twin, live);
    world->asks.live = live;
    unsigned all = (1u << container->slot_count) - 1;
    unsigned wanted = contact->slots_wanted == 0 ? all : contact->slots_wanted & all;
    bool together = container->pricing == PRICING_VCG;
    if (!together) settle_groups(world, container, wanted);
    judge_limits(world, container, facts);
    if (together) judge_together(world, live, container, wanted, facts);
    for (unsigned i = 1; i < outcomes; i++) {
        const struct fact *fact = &facts[i];
        uint32_t slot = container->slot_first + i - 1;
        if (fact->position != i || !id_same(fact->contact, facts[0].contact))
            sim_fail("slot %u has the facts of another", i);
        if (!(wanted >> (i - 1) & 1)) {
            if (fact->kind != FACT_UNFILLED || fact->unfilled.reason != REASON_NOT_REQUESTED)
                sim_fail("slot %u was not asked for", i);
            continue;
        }
        if (together) {
            if (fact->kind == FACT_PLACEMENT) judge_alone(world, fact, slot);
            world->counts->placements += fact->kind == FACT_PLACEMENT;
            world->counts->unfilled += fact->kind == FACT_UNFILLED;
            continue;
        }
        twin_limits_slot(world->twin, i - 1);
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
