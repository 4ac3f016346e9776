// The prices of several slots sold together, from sealed bids.
//
// Rule
//   (1) A bid's score is its expected value to the host (price_score, in micros). A bid whose score
//       is below its own floor for a slot takes no part in that slot; a bid at its floor does. What
//       it adds is its score less its floor. Of several bids of one message for one slot only the
//       best by (3) takes part.
//   (2) A slot takes one bid at most, or stays with the host, who values keeping it at the floor.
//       Limits of the contact:
//         a) a message takes at most one slot;
//         b) separation: so does a category, where bids of a category exclude each other;
//         c) at most paid_max of the slots go to paid bids;
//         d) groups: of a group all bids win, or none. A group that asks for more wins than there
//            are slots, or than different messages (categories) of it bid, is out. Of bids in
//            groups the 24 best of a slot by (3) take part;
//         e) quota: at least quota_count slots go to bids of the quota, or as many of them as the
//            other limits let be filled so at all: what cannot be met empties no slot.
//   (3) The assignment chosen is, among all within the limits, the one with
//         a) for the highest priority the largest sum of what its bids add; then the most slots
//            sold to it; then the same for each lower priority in turn. With one priority and equal
//            floors in a slot this is the largest total value, the host's included;
//         b) then the least sum of draws. The draw of a bid for slot i (from 0) is the upper 54
//            bits of hash_mix((seed + i) ^ hash_mix(bid id)). The seed is the contact's id: every
//            contact draws anew, nobody can choose it, and a replay draws the same. With one slot
//            and one floor this is the tie-break of price.c.
//       Should even the sums of draws be equal, bids are tried in the order of priority, what they
//       add, draw, bid id; the order in which bids were given never counts.
//   (4) A seat pays what its presence costs the others (Clarke): with every bid of the seat counted
//       as adding nothing, how much more would the bids of others add, under the same limits? So
//       its own other bids never set its price, only other seats' bids and floors do. A bid that
//       counts for nothing may as well be away, but for the quota: where the quota cannot do
//       without the seat, the others could not have all slots without it either. (Groups are not
//       asked of bids that count for nothing.) Cost is counted within a priority: what a bid costs
//       lower priorities is not paid, higher ones it costs nothing.
//   (5) A seat that wins several slots pays for them in declared order: for each slot, what the
//       others would gain by that slot, the seat's earlier slots given back too and its later ones
//       not yet; but no slot more than the bid there, nor more than is left of (4). What is left of
//       (4) then goes to the slots in declared order, up to the bids. Without limits nothing is
//       ever cut or left. The price of a slot is the least price of the winner's kind whose score
//       reaches its floor and this gain together.
//       Example: one seat's messages bid 10 and 6, 9 and 8 for two slots; another seat bids 7 and
//       5; no floors. The first seat wins both slots (10 + 8 beats 10 + 5). Given the first slot
//       back, the other seat takes it: 7. Given the second too, it gains nothing more, it has one
//       message: 0. The seat pays 7 and 0; its own second message, at 9, sets nothing.
//   (6) The setter is the bid of another seat whose score is what the winner pays, when giving the
//       slot back does nothing but place that bid there. Where the others would move around several
//       slots the price is a sum of differences, no single bid sets it, and the setter is 0, as it
//       is when the price is the floor.
//   (7) A deal may say otherwise what its bids pay: at first price the bid; at a fixed price the
//       least price whose score reaches the floor. Such bids are ranked as all others, and what
//       others pay is found as if they paid by (4).
//   (8) Follows: floor <= price <= bid, in the winner's kind. Without groups and quota, no seat can
//       gain by bidding something else than its values (Vickrey, Clarke, Groves; floors depend on
//       nothing that is bid). With a quota a seat can gain by leaving slots out that its messages
//       of the quota could take.
//   (9) Without quota, groups, and categories with paid and unpaid bids, all this is found by
//       chains of moves (vcg_solve.c). Else the searches for the best may be long: after VCG_STEPS
//       steps, half of them for the assignment and the rest shared by the payments, each ends with
//       the best found. The limits hold (but the quota, perhaps), prices lie between floor and bid,
//       the outcome is the same in every replay; but another assignment may have added more. Four
//       slots with all limits have not been seen to come near it.
//
// Only the best bids of each slot matter. Let k be the number of slots. Bids of one type (paid or
// not, where that is limited; of the quota or not, where there is one) count alike for (2 c, e).
// Take any seat away, and any slots; there is a best assignment of the rest in which every slot
// goes to one of the best bids of its type with k different messages, to a bid in a group, or to
// the host: if a slot went to another, one of those messages is free (the other slots hold at most
// k - 1) and exchanging them loses nothing. So it is enough to keep of each slot and type,
// whichever seat is away, the k best messages of the others: of each seat at most k (with k better
// ones of its own seat a message is among the k best only if those are away, and then so is it),
// and of these the best 2k (with 2k better ones, at most k are of the seat that is away). Under
// separation read category for message: of a category the best bids of two seats are enough (with
// one seat away the other's is better, and free), and the best 3k (with 3k better ones, at least 2k
// are not of the seat that is away, at most two of a category). A message kept for one slot and not
// for another loses nothing either, by the same exchange.
#include "vcg.h"

#include <string.h>

#include "fail.h"
#include "hash.h"
#include "price.h"
#include "vcg_parts.h"
#include "vcg_solve.h"

#define DRAW_BITS 54

_Static_assert(BOUND_PRIORITY + 2 <= VCG_SOLVE_CLASSES, "every priority has a class");

// --- Bids come in --------------------------------------------------------------------------------
void
vcg_open(struct vcg *vcg, uint64_t seed, unsigned slot_count)
{
    CHECK(slot_count <= BOUND_SLOTS);
    vcg->seed = seed;
    vcg->limits = (struct vcg_limits){0};
    vcg->steps_max = VCG_STEPS;
    vcg->steps = 0;
    vcg->cut_short = false;
    vcg->slot_count = (uint8_t)slot_count;
    memset(vcg->kept, 0, sizeof vcg->kept);
    memset(vcg->counted, 0, sizeof vcg->counted);
}

void
vcg_limit(struct vcg *vcg, const struct vcg_limits *limits)
{
    vcg->limits = *limits;
}

int64_t
vcg_score(const struct vcg_bid *bid)
{
    return price_score((enum price_kind)bid->kind, bid->price, bid->multiplier).micros;
}

bool
vcg_ranks_before(const struct vcg_offer *a, const struct vcg_offer *b)
{
    if (a->bid.priority != b->bid.priority) return a->bid.priority > b->bid.priority;
    if (a->amount != b->amount) return a->amount > b->amount;
    if (a->draw != b->draw) return a->draw < b->draw;
    return a->bid.bid < b->bid.bid;
}

uint64_t
vcg_key(const struct vcg *vcg, const struct vcg_bid *bid)
{
    if (vcg->limits.separate && bid->category != 0) return UINT64_C(1) << 32 | bid->category;
    return bid->message;
}

static unsigned
list_of(const struct vcg *vcg, const struct vcg_bid *bid)
{
    if (bid->group != 0 && vcg->limits.groups) return VCG_LIST_GROUPED;
    return (vcg->limits.paid_max != 0 && bid->paid) +
           2u * (vcg->limits.quota_count != 0 && bid->quota);
}

static unsigned
list_room(const struct vcg *vcg, unsigned list)
{
    if (list == VCG_LIST_GROUPED) return VCG_GROUPED;
    return (vcg->limits.separate ? 3u : 2u) * vcg->slot_count;
}

static void
remove_at(struct vcg *vcg, unsigned slot, unsigned list, unsigned at)
{
    struct vcg_offer *offers = vcg->offers[slot][list];
    unsigned kept = --vcg->kept[slot][list];
    memmove(&offers[at], &offers[at + 1], (kept - at) * sizeof *offers);
}

// Takes out what the offer at `at` has made superfluous, itself perhaps. In groups: a worse bid of
// the same message and group. Else: a worse bid of the same message or, under separation, category
// and seat; the worst of three of a category; the worst of too many of the seat. Then the last of
// too many.
static void
thin_out(struct vcg *vcg, unsigned slot, unsigned list, unsigned at)
{
    const struct vcg_offer *offers = vcg->offers[slot][list];
    const struct vcg_bid *bid = &offers[at].bid;
    uint64_t key = list == VCG_LIST_GROUPED ? bid->message : vcg_key(vcg, bid);
    unsigned of_key = 0, of_seat = 0, kept = vcg->kept[slot][list];
    for (unsigned i = 0; i < kept; i++) {
        const struct vcg_bid *other = &offers[i].bid;
        bool same_seat = other->seat == bid->seat;
        if (list == VCG_LIST_GROUPED) {
            if (other->message != bid->message || other->group != bid->group) continue;
            if (++of_key < 2) continue;
        } else {
            bool same_key = vcg_key(vcg, other) == key;
            unsigned of_both = 0;
            for (unsigned j = 0; same_key && j < i; j++)
                of_both += offers[j].bid.seat == other->seat && vcg_key(vcg, &offers[j].bid) == key;
            of_key += same_key;
            of_seat += same_seat;
            if (of_both == 0 && !(same_key && of_key > 2) &&
                !(same_seat && of_seat > vcg->slot_count))
                continue;
        }
        remove_at(vcg, slot, list, i);
        return;
    }
    if (kept > list_room(vcg, list)) vcg->kept[slot][list]--;
}

bool
vcg_offer_of(const struct vcg *vcg, const struct vcg_bid *bid, struct vcg_offer *out_offer)
{
    CHECK(bid->bid != 0 && bid->slot < vcg->slot_count);
    CHECK(bid->floor.micros >= 0 && bid->price.micros <= BOUND_MICROS);
    CHECK(bid->priority < VCG_SOLVE_CLASSES);
    int64_t over = vcg_score(bid) - bid->floor.micros;
    if (over < 0) return false;  // (1)
    uint64_t draw = hash_mix((vcg->seed + bid->slot) ^ hash_mix(bid->bid)) >> (64 - DRAW_BITS);
    *out_offer = (struct vcg_offer){
        .bid = *bid, .amount = over * VCG_SOLD + 1, .draw = (int64_t)draw};
    if (!vcg->limits.groups || bid->group_size < 2) out_offer->bid.group = 0;
    return true;
}

bool
vcg_add(struct vcg *vcg, const struct vcg_bid *bid)
{
    struct vcg_offer offer;
    if (!vcg_offer_of(vcg, bid, &offer)) return false;
    if (vcg->counted[bid->slot] < UINT32_MAX) vcg->counted[bid->slot]++;
    unsigned list = list_of(vcg, &offer.bid), at = vcg->kept[bid->slot][list];
    struct vcg_offer *offers = vcg->offers[bid->slot][list];
    if (at == list_room(vcg, list) && !vcg_ranks_before(&offer, &offers[at - 1])) return true;
    vcg->kept[bid->slot][list]++;
    for (; at > 0 && vcg_ranks_before(&offer, &offers[at - 1]); at--) offers[at] = offers[at - 1];
    offers[at] = offer;
    thin_out(vcg, bid->slot, list, at);
    return true;
}

// Is the list full of bids that exceed any with so much over its floor?
static bool
is_closed(const struct vcg *vcg, unsigned slot, unsigned list, int64_t over)
{
    unsigned kept = vcg->kept[slot][list];
    if (kept < list_room(vcg, list)) return false;
    const struct vcg_offer *last = &vcg->offers[slot][list][kept - 1];
    return last->bid.priority > 0 || over * VCG_SOLD + 1 < last->amount;
}

bool
vcg_settled(const struct vcg *vcg, unsigned slot, money price, money least_floor)
{
    CHECK(slot < vcg->slot_count);
    int64_t over = price.micros - least_floor.micros;
    if (over < 0) return true;
    for (unsigned list = 0; list < VCG_LISTS; list++) {
        if (list == VCG_LIST_GROUPED && !vcg->limits.groups) continue;
        if (list != VCG_LIST_GROUPED && list & 1 && vcg->limits.paid_max == 0) continue;
        if (list != VCG_LIST_GROUPED && list & 2 && vcg->limits.quota_count == 0) continue;
        if (!is_closed(vcg, slot, list, over)) return false;
    }
    return true;
}

bool
vcg_wants_any(const struct vcg *vcg, unsigned slot, bool paid, money price, money least_floor)
{
    int64_t over = price.micros - least_floor.micros;
    if (over < 0) return false;
    unsigned of = vcg->limits.paid_max != 0 && paid;
    if (!is_closed(vcg, slot, of, over)) return true;
    if (vcg->limits.quota_count != 0 && !is_closed(vcg, slot, of + 2, over)) return true;
    return vcg->limits.groups && !is_closed(vcg, slot, VCG_LIST_GROUPED, over);
}

bool
vcg_wants(const struct vcg *vcg, const struct vcg_bid *bid, money least_floor)
{
    int64_t over = bid->price.micros - least_floor.micros;
    return over >= 0 && !is_closed(vcg, bid->slot, list_of(vcg, bid), over);
}
