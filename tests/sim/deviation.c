// Truth against a lie. In one slot alone every bid is taken to be what its placement is worth to
// its seat; then one bid says something else, and the slot is sold again on the same book.
//
// The theorem (Vickrey 1961, with a floor for each bidder) has premises, and only where they hold
// is a lie counted: the seat can pay what its truth says (a purse smaller than the value is a
// reason to shade), its eligible bids share one floor and one priority (else withdrawing a dear
// message in favour of one with a lower floor, or of less competition, can pay), no deal sells to
// it at another price than the second, there is no quota and no group, and the slots of a contact
// are sold one by one (so one is asked for).
//
// Checked: a lie never earns the seat more; telling the truth never costs it; when the same bid
// wins either way it pays the same price; and the sale under the lie is the twin's, too.
#include <inttypes.h>
#include <stdlib.h>

#include "learn.h"
#include "world.h"

__extension__ typedef __int128 gain_scaled;

struct outcome {
    uint64_t winner;  // bid; 0 none
    int64_t price;
    uint64_t multiplier;
};

static struct outcome
decide(struct world *world, const struct contact *contact, uint32_t slot)
{
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count, position = world->history.catalog->slots[slot].position;
    bool repeated;
    enum reason reason = round_decide(world->round, world->history.catalog, world->other, contact,
                                      NULL, world->history.now, NULL, facts, &count, &repeated);
    if (reason != REASON_NONE || repeated)
        sim_fail("the other book refused: %s", reason_key(reason));
    const struct fact *fact = &facts[position];
    world->twin->id = fact->contact;
    twin_limits_slot(world->twin, position - 1);
    twin_sell(world->twin, slot, fact->contact, world->sale);
    struct outcome outcome = {0};
    if (fact->kind == FACT_PLACEMENT)
        outcome = (struct outcome){fact->placement.bid, fact->placement.price.micros,
                                   world->sale->terms.multiplier};
    uint64_t winner = world->sale->winner == NULL ? 0 : world->sale->winner->id;
    if (outcome.winner != winner || outcome.price != world->sale->price)
        sim_fail("the other book sells to %016" PRIx64 " at %" PRId64 ", it should be %016" PRIx64
                 " at %" PRId64,
                 outcome.winner, outcome.price, winner, world->sale->price);
    return outcome;
}

// What the outcome is worth to the seat: the value of the bid that won, as it truly is, less the
// price, times how much of it is to be expected. Scaled, so that no kind leaves a remainder.
static gain_scaled
gain(const struct world *world, const struct outcome *outcome, uint32_t seat)
{
    for (uint32_t i = 0; i < world->bid_count; i++) {
        if (world->bids[i].id != outcome->winner) continue;
        if (world->bids[i].seat != seat) return 0;
        gain_scaled own = world->bids[i].price.micros - outcome->price;
        switch ((enum price_kind)world->bids[i].kind) {
        case PRICE_RESPONSE: return own * (gain_scaled)outcome->multiplier * 1000000;
        case PRICE_SHARE: return own * (gain_scaled)outcome->multiplier * (gain_scaled)LEARN_ONE;
        case PRICE_PLACEMENT:
        case PRICE_KIND_COUNT: break;
        }
        return own * (gain_scaled)LEARN_ONE * 1000000;
    }
    return 0;
}

static void
say(struct world *world, uint32_t bid, int64_t price)
{
    const struct market_bid *is = &world->bids[bid];
    struct fact fact = {.kind = FACT_BID, .role = ROLE_SEAT, .at = world->history.now};
    fact.bid.bid = is->id;
    fact.bid.seat = (uint16_t)is->seat;
    fact.bid.state = is->state;
    fact.bid.kind = is->kind;
    fact.bid.message = is->message;
    fact.bid.slot = is->slot;
    fact.bid.currency = world->history.catalog->currency;
    fact.bid.price = money_of(price);
    fact.bid.from = is->from;
    fact.bid.until = is->until;
    memcpy(fact.bid.key, is->key, sizeof fact.bid.key);
    struct catalog_position now = {1, 1, world->history.batch};
    if (book_apply(world->other, &fact, now) != STATUS_OK) sim_fail("a bid could not be changed");
    world->standing[bid].price = money_of(price);
}

static bool
premises_hold(const struct world *world, uint32_t bid, uint32_t slot)
{
    struct twin_terms terms, other;
    const struct catalog_bid *is = &world->standing[bid];
    enum reason reason = twin_judge_terms(world->twin, is, slot, &terms);
    if (reason != REASON_NONE && reason != REASON_BELOW_FLOOR && reason != REASON_BELOW_DEAL_FLOOR)
        return false;
    if (terms.at != DEAL_SECOND_PRICE) return false;
    for (uint32_t i = 0; i < world->bid_count; i++) {
        const struct catalog_bid *own = &world->standing[i];
        if (own->seat != is->seat || (own->slot != UINT32_MAX && own->slot != slot)) continue;
        if (twin_judge_terms(world->twin, own, slot, &other) == REASON_NONE &&
            (other.floor != terms.floor || other.priority != terms.priority ||
             other.at != DEAL_SECOND_PRICE))
            return false;
    }
    return true;
}

// Where lies are worth trying: around the prices of others, around the floor, anywhere.
static int64_t
a_lie(struct world *world, enum price_kind kind, int64_t truth, const struct outcome *honest)
{
    struct random *random = &world->history.random;
    int64_t near = (int64_t)random_below(random, 3) - 1, price = honest->price + near;
    switch (random_below(random, 4)) {
    case 0:
        price = world->standing[random_below(random, world->bid_count)].price.micros + near;
        break;
    case 1: price = 1 + (int64_t)random_below(random, (uint32_t)truth); break;
    case 2: price = truth + (int64_t)random_below(random, (uint32_t)truth); break;
    default: break;
    }
    if (kind == PRICE_SHARE && price > 1000000) price = 1000000;
    return price < 1 ? 1 : price;
}

void
world_deviate(struct world *world, const struct contact *asked)
{
    struct random *random = &world->history.random;
    const struct catalog_container *container =
        &world->history.catalog->containers[asked->container];
    if (container->pricing == PRICING_VCG || container->quota_count > 0 || world->options.groups)
        return;
    uint32_t position = random_below(random, container->slot_count);
    uint32_t slot = container->slot_first + position;
    struct contact contact = *asked;
    contact.slots_wanted = (uint16_t)(1u << position);
    struct id id = {{0}};
    world_set_twin(world, &contact, id);
    world->twin->book = world->other;
    struct outcome honest = decide(world, &contact, slot);
    uint32_t first = random_below(random, world->bid_count), bid = first;
    while (!premises_hold(world, bid, slot)) {
        bid = (bid + 1) % world->bid_count;
        if (bid == first) return;
    }
    int64_t truth = world->bids[bid].price.micros;
    int64_t lie = a_lie(world, (enum price_kind)world->bids[bid].kind, truth, &honest);
    gain_scaled of_truth = gain(world, &honest, world->bids[bid].seat);
    say(world, bid, lie);
    struct outcome other = decide(world, &contact, slot);
    gain_scaled of_lie = gain(world, &other, world->bids[bid].seat);
    say(world, bid, truth);
    if (of_truth < 0) sim_fail("telling the truth cost a seat");
    if (of_lie > of_truth)
        sim_fail("bid '%.40s' of %" PRId64 " earns more by saying %" PRId64, world->bids[bid].key,
                 truth, lie);
    if (other.winner == honest.winner && other.winner == world->bids[bid].id &&
        other.price != honest.price)
        sim_fail("a bid's own price moved what it pays");
    world->counts->deviations++;
}
