// The prices of several slots sold together, from sealed bids.
//
// Rule
//   (1) A bid below its own floor for a slot takes no part in that slot; a bid at its floor does.
//       Of several bids of one message for one slot only the best by (3) takes part.
//   (2) A message takes at most one slot, a slot at most one message. The host bids for every slot
//       too: it values keeping a slot at the floor, and a slot that nobody takes stays with it.
//   (3) The assignment chosen is, among all, the one with
//         a) the largest welfare: the sum of (bid - floor) over the slots sold. Where all floors of
//            a slot are equal this is the largest total value, the host's included;
//         b) then the most slots sold;
//         c) then the least sum of draws. The draw of a bid for slot i (from 0) is the upper 54
//            bits of hash_mix((seed + i) ^ hash_mix(bid id)). The seed is the contact's id: every
//            contact draws anew, nobody can choose it, and a replay draws the same. With one slot
//            and one floor this is the tie-break of price.c.
//       Should even the sums of draws be equal, bids are tried in the order of (bid - floor), draw,
//       bid id; the order in which bids were given never counts.
//   (4) A seat pays what its presence costs the others (Clarke): with every message of the seat
//       taken away, and the slots it won left to the others, how much more welfare would they
//       reach? So its own other messages never set its price, only other seats' bids and floors do.
//   (5) A seat that wins several slots pays for them in declared order: for each slot, what the
//       others would gain by that slot, the seat's earlier slots already given back to them and its
//       later ones not yet. Together this is exactly (4). The price of a slot is its floor for that
//       bid plus this gain.
//       Example: one seat's messages bid 10 and 6, 9 and 8 for two slots; another seat bids 7 and
//       5; no floors. The first seat wins both slots (10 + 8 beats 10 + 5). Given the first slot
//       back, the other seat takes it: 7. Given the second too, it gains nothing more, it has one
//       message: 0. The seat pays 7 and 0; its own second message, at 9, sets nothing.
//   (6) The setter is the bid of another seat whose amount is the price, when giving the slot back
//       does nothing but place that bid there. Where the others would move around several slots the
//       price is a sum of differences, no single bid sets it, and the setter is 0, as it is when
//       the price is the floor.
// Follows: floor <= price <= bid (the gain of a slot falls as others hold more slots, because
// messages take one slot each: Shapley 1962), and no seat can gain by bidding something else than
// its values (Vickrey, Clarke, Groves; floors depend on nothing that is bid).
//
// Only the best bids of each slot matter. Let k be the number of slots. Take any seat away, and any
// slots; there is a best assignment of the rest in which every slot goes to one of its k best
// messages left, or to the host: if a slot went to another, one of its k best is free (the other
// slots hold at most k - 1) and exchanging them loses nothing. So it is enough to keep of each
// slot, whichever seat is away, the k best messages of the others: of each seat at most k (with k
// better ones of its own seat a message is among the k best only if those are away, and then it is
// itself), and of these the best 2k (with 2k better ones, at most k are of the seat that is away).
// A message kept for one slot and not for another loses nothing either, by the same exchange. If
// every seat had one message, the k + 1 best would do.
//
// Algorithm: slots are filled one after the other; each time the best chain of moves is found
// (Bellman-Ford over at most 12 slots): the slot takes a free message, or one held by another slot
// that then fills itself anew, or stays with the host. A best assignment plus its best chain is a
// best assignment of one slot more. The price of (5) is such a chain's gain. Chains never gain by
// going round: that would better the assignment before.
#include "vcg.h"

#include "fail.h"
#include "hash.h"

#define DRAW_BITS 54
#define SOLD ((int64_t)1 << 59)  // outweighs the draws of all slots; 12 of them fit in 63 bits
#define NONE UINT8_MAX

_Static_assert(BOUND_SLOTS < 16, "all slots sold fit");
_Static_assert(BOUND_SLOTS < 1 << (59 - DRAW_BITS), "one slot sold outweighs all draws");

// Who holds which slot, among those handed out so far.
struct holding {
    uint8_t offer[BOUND_SLOTS];  // index in the slot's offers; NONE: the host
    uint8_t slot[VCG_MESSAGES];  // of each message; NONE: it is free
};
struct chain {
    struct vcg_worth gain;
    bool direct;  // one free message takes the slot, nothing else moves
};

static struct vcg_worth
sum(struct vcg_worth a, struct vcg_worth b)
{
    struct vcg_worth all;
    CHECK(money_add(a.over, b.over, &all.over) == STATUS_OK);
    CHECK(!__builtin_add_overflow(a.rest, b.rest, &all.rest));
    return all;
}

static struct vcg_worth
difference(struct vcg_worth a, struct vcg_worth b)
{
    struct vcg_worth left;
    CHECK(money_subtract(a.over, b.over, &left.over) == STATUS_OK);
    CHECK(!__builtin_sub_overflow(a.rest, b.rest, &left.rest));
    return left;
}

static bool
exceeds(struct vcg_worth a, struct vcg_worth b)
{
    if (a.over.micros != b.over.micros) return a.over.micros > b.over.micros;
    return a.rest > b.rest;
}

// --- Bids come in --------------------------------------------------------------------------------
void
vcg_open(struct vcg *vcg, uint64_t seed, unsigned slot_count)
{
    CHECK(slot_count <= BOUND_SLOTS);
    vcg->seed = seed;
    vcg->slot_count = (uint8_t)slot_count;
    for (unsigned slot = 0; slot < slot_count; slot++) vcg->kept[slot] = 0;
    for (unsigned slot = 0; slot < slot_count; slot++) vcg->counted[slot] = 0;
}

static struct vcg_worth
worth_of(const struct vcg *vcg, const struct vcg_bid *bid)
{
    uint64_t draw = hash_mix((vcg->seed + bid->slot) ^ hash_mix(bid->bid)) >> (64 - DRAW_BITS);
    struct vcg_worth worth = {.rest = SOLD - (int64_t)draw};
    CHECK(money_subtract(bid->price, bid->floor, &worth.over) == STATUS_OK);
    return worth;
}

static bool
ranks_before(const struct vcg_offer *a, const struct vcg_offer *b)
{
    if (exceeds(a->worth, b->worth)) return true;
    return !exceeds(b->worth, a->worth) && a->bid.bid < b->bid.bid;
}

// The place that a new offer takes: of its own message's worse bid, of the last of too many of its
// seat, of the last of all, or one more. NONE: it is not among the best.
static unsigned
place_of(const struct vcg *vcg, const struct vcg_offer *offer)
{
    const struct vcg_offer *offers = vcg->offers[offer->bid.slot];
    unsigned kept = vcg->kept[offer->bid.slot], own = 0, place = kept;
    for (unsigned i = 0; i < kept; i++) {
        if (offers[i].bid.seat != offer->bid.seat) continue;
        if (offers[i].bid.message == offer->bid.message)
            return ranks_before(offer, &offers[i]) ? i : NONE;
        if (++own == vcg->slot_count) place = i;
    }
    if (place == kept) {
        if (kept < 2u * vcg->slot_count) return kept;
        place = kept - 1;
    }
    return ranks_before(offer, &offers[place]) ? place : NONE;
}

bool
vcg_add(struct vcg *vcg, const struct vcg_bid *bid)
{
    CHECK(bid->bid != 0 && bid->slot < vcg->slot_count);
    CHECK(bid->floor.micros >= 0 && bid->price.micros <= BOUND_MICROS);
    if (bid->price.micros < bid->floor.micros) return false;  // (1)
    if (vcg->counted[bid->slot] < UINT32_MAX) vcg->counted[bid->slot]++;
    struct vcg_offer offer = {.bid = *bid, .worth = worth_of(vcg, bid)};
    unsigned place = place_of(vcg, &offer);
    if (place == NONE) return true;
    struct vcg_offer *offers = vcg->offers[bid->slot];
    if (place == vcg->kept[bid->slot]) vcg->kept[bid->slot]++;
    for (; place > 0 && ranks_before(&offer, &offers[place - 1]); place--)
        offers[place] = offers[place - 1];
    offers[place] = offer;
    return true;
}

bool
vcg_settled(const struct vcg *vcg, unsigned slot, money price, money least_floor)
{
    CHECK(slot < vcg->slot_count);
    unsigned kept = vcg->kept[slot];
    if (price.micros < least_floor.micros) return true;
    if (kept < 2u * vcg->slot_count) return false;
    money over;
    CHECK(money_subtract(price, least_floor, &over) == STATUS_OK);
    return over.micros < vcg->offers[slot][kept - 1].worth.over.micros;
}

// --- Assignment and prices -----------------------------------------------------------------------
static void
number_messages(struct vcg *vcg)
{
    uint32_t messages[VCG_MESSAGES];
    uint16_t count = 0;
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        for (unsigned i = 0; i < vcg->kept[slot]; i++) {
            struct vcg_offer *offer = &vcg->offers[slot][i];
            offer->row = 0;
            while (offer->row < count && messages[offer->row] != offer->bid.message) offer->row++;
            if (offer->row == count) messages[count++] = offer->bid.message;
        }
    }
}

static void
hold_nothing(struct holding *holding)
{
    for (unsigned slot = 0; slot < BOUND_SLOTS; slot++) holding->offer[slot] = NONE;
    for (unsigned row = 0; row < VCG_MESSAGES; row++) holding->slot[row] = NONE;
}

// Betters what filling `slot` anew is worth by any of its offers; true when one did.
static bool
fill_better(const struct vcg *vcg, const struct holding *holding, unsigned slot,
            const uint32_t *without, struct vcg_worth worth[BOUND_SLOTS], uint8_t by[BOUND_SLOTS])
{
    bool better = false;
    for (uint8_t i = 0; i < vcg->kept[slot]; i++) {
        const struct vcg_offer *offer = &vcg->offers[slot][i];
        if (without != NULL && offer->bid.seat == *without) continue;
        unsigned from = holding->slot[offer->row];
        if (from == slot) continue;
        struct vcg_worth reached = offer->worth;
        if (from != NONE) {
            const struct vcg_offer *left = &vcg->offers[from][holding->offer[from]];
            reached = sum(difference(reached, left->worth), worth[from]);
        }
        if (!exceeds(reached, worth[slot])) continue;
        worth[slot] = reached;
        by[slot] = i;
        better = true;
    }
    return better;
}

// Hands out one slot more, held by nobody yet, by the best chain; no message of the seat `without`
// (NULL: of any seat) is moved.
static struct chain
hand_out(const struct vcg *vcg, struct holding *holding, unsigned slot, const uint32_t *without)
{
    struct vcg_worth worth[BOUND_SLOTS] = {0};  // of filling each slot anew; the host's is 0
    uint8_t by[BOUND_SLOTS];
    for (unsigned i = 0; i < BOUND_SLOTS; i++) by[i] = NONE;
    bool better = true;
    for (unsigned turn = 0; better; turn++) {
        CHECK(turn <= vcg->slot_count);  // a longer chain would go round
        better = false;
        for (unsigned i = 0; i < vcg->slot_count; i++) {
            if (i != slot && holding->offer[i] == NONE) continue;  // no chain leads there
            if (fill_better(vcg, holding, i, without, worth, by)) better = true;
        }
    }
    struct chain chain = {.gain = worth[slot]};
    for (unsigned moves = 0;; moves++) {
        CHECK(moves < vcg->slot_count);
        holding->offer[slot] = by[slot];
        if (by[slot] == NONE) break;
        unsigned row = vcg->offers[slot][by[slot]].row, from = holding->slot[row];
        holding->slot[row] = (uint8_t)slot;
        if (from == NONE) {
            chain.direct = moves == 0;
            break;
        }
        slot = from;
    }
    return chain;
}

// Prices all slots that `seat` won: (4) to (6). `others`: the assignment, of which its part ends.
static void
price_seat(const struct vcg *vcg, struct holding *others, uint32_t seat,
           struct vcg_sale sales[BOUND_SLOTS])
{
    unsigned won = 0;
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        if (sales[slot].winner == 0 || sales[slot].seat != seat) continue;
        won |= 1u << slot;
        others->slot[vcg->offers[slot][others->offer[slot]].row] = NONE;
        others->offer[slot] = NONE;
    }
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        if (!(won >> slot & 1)) continue;
        struct vcg_sale *sale = &sales[slot];
        struct chain chain = hand_out(vcg, others, slot, &seat);
        CHECK(money_add(sale->floor, chain.gain.over, &sale->price) == STATUS_OK);
        if (!chain.direct || sale->price.micros == sale->floor.micros) continue;
        const struct vcg_bid *taker = &vcg->offers[slot][others->offer[slot]].bid;
        if (taker->price.micros == sale->price.micros) sale->setter = taker->bid;
    }
}

void
vcg_close(struct vcg *vcg, struct vcg_sale out_sales[BOUND_SLOTS])
{
    struct holding holding, others;
    number_messages(vcg);
    hold_nothing(&holding);
    for (unsigned slot = 0; slot < vcg->slot_count; slot++)
        (void)hand_out(vcg, &holding, slot, NULL);
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        out_sales[slot] = (struct vcg_sale){.counted = vcg->counted[slot]};
        if (holding.offer[slot] == NONE) continue;
        const struct vcg_bid *winner = &vcg->offers[slot][holding.offer[slot]].bid;
        out_sales[slot].winner = winner->bid;
        out_sales[slot].seat = winner->seat;
        out_sales[slot].message = winner->message;
        out_sales[slot].number = winner->number;
        out_sales[slot].floor = winner->floor;
    }
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        bool priced = out_sales[slot].winner == 0;
        for (unsigned i = 0; i < slot && !priced; i++)
            priced = out_sales[i].winner != 0 && out_sales[i].seat == out_sales[slot].seat;
        if (!priced) {
            others = holding;
            price_seat(vcg, &others, out_sales[slot].seat, out_sales);
        }
        if (out_sales[slot].winner == 0) continue;
        const struct vcg_bid *winner = &vcg->offers[slot][holding.offer[slot]].bid;
        CHECK(out_sales[slot].price.micros >= winner->floor.micros &&
              out_sales[slot].price.micros <= winner->price.micros);
    }
}
