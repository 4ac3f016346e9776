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
//            are slots, or for more messages than bid, is out. Of bids in groups the 24 best of a
//            slot by (3) take part;
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
//       chains of moves (vcg_solve.c). Else the search for a best assignment may be long: after
//       VCG_NODES steps it ends with the best found. The limits hold, prices lie between floor and
//       bid, the outcome is the same in every replay; but another assignment may have added more.
//
// Only the best bids of each slot matter. Let k be the number of slots. Bids of one type (paid or
// not, where that is limited; of the quota or not, where there is one) count alike for (2 c, e).
// Take any seat away, and any slots; there is a best assignment of the rest in which every slot
// goes to one of the best bids of its type with k different messages, to a bid in a group, or to
// the host: if a slot went to another, one of those messages is free (the other slots hold at most
// k - 1) and exchanging them loses nothing. So it is enough to keep of each slot and type,
// whichever seat is away, the k best messages of the others: of each seat at most k (with k better
// ones of its own seat a message is among the k best only if those are away, and then it is itself),
// and of these the best 2k (with 2k better ones, at most k are of the seat that is away). Under
// separation read category for message: of a category the best bids of two seats are enough (with
// one seat away the other's is better, and free), and the best 3k (with 3k better ones, at least 2k
// are not of the seat that is away, at most two of a category). A message kept for one slot and not
// for another loses nothing either, by the same exchange.
#include "vcg.h"

#include <limits.h>
#include <string.h>

#include "fail.h"
#include "hash.h"
#include "market.h"
#include "price.h"
#include "vcg_solve.h"

#define DRAW_BITS 54
#define SOLD 16  // an amount's unit: 12 slots sold never outweigh one micro
#define LIST_GROUPED (VCG_LISTS - 1)
#define NONE VCG_SOLVE_NONE

_Static_assert(BOUND_SLOTS < SOLD, "all slots sold are less than one micro");
_Static_assert(BOUND_MICROS < INT64_MAX / SOLD / 64, "sums of amounts fit");
_Static_assert(BOUND_PRIORITY + 2 <= VCG_SOLVE_CLASSES, "every priority has a class");

// --- Bids come in --------------------------------------------------------------------------------
void
vcg_open(struct vcg *vcg, uint64_t seed, unsigned slot_count)
{
    CHECK(slot_count <= BOUND_SLOTS);
    vcg->seed = seed;
    vcg->limits = (struct vcg_limits){0};
    vcg->nodes_max = VCG_NODES;
    vcg->nodes = 0;
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

static int64_t
score_of(const struct vcg_bid *bid)
{
    return price_score((enum price_kind)bid->kind, bid->price, bid->multiplier).micros;
}

static bool
ranks_before(const struct vcg_offer *a, const struct vcg_offer *b)
{
    if (a->bid.priority != b->bid.priority) return a->bid.priority > b->bid.priority;
    if (a->amount != b->amount) return a->amount > b->amount;
    if (a->draw != b->draw) return a->draw < b->draw;
    return a->bid.bid < b->bid.bid;
}

// What excludes other bids of the contact: its category, else its message.
static uint64_t
key_of(const struct vcg *vcg, const struct vcg_bid *bid)
{
    if (vcg->limits.separate && bid->category != 0) return UINT64_C(1) << 32 | bid->category;
    return bid->message;
}

static unsigned
list_of(const struct vcg *vcg, const struct vcg_bid *bid)
{
    if (bid->group != 0 && vcg->limits.groups) return LIST_GROUPED;
    return (vcg->limits.paid_max != 0 && bid->paid) +
           2u * (vcg->limits.quota_count != 0 && bid->quota);
}

static unsigned
list_room(const struct vcg *vcg, unsigned list)
{
    if (list == LIST_GROUPED) return VCG_GROUPED;
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
    uint64_t key = list == LIST_GROUPED ? bid->message : key_of(vcg, bid);
    unsigned of_key = 0, of_seat = 0, kept = vcg->kept[slot][list];
    for (unsigned i = 0; i < kept; i++) {
        const struct vcg_bid *other = &offers[i].bid;
        bool same_seat = other->seat == bid->seat;
        if (list == LIST_GROUPED) {
            if (other->message != bid->message || other->group != bid->group) continue;
            if (++of_key < 2) continue;
        } else {
            bool same_key = key_of(vcg, other) == key;
            unsigned of_both = 0;
            for (unsigned j = 0; same_key && j < i; j++)
                of_both += offers[j].bid.seat == other->seat && key_of(vcg, &offers[j].bid) == key;
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
vcg_add(struct vcg *vcg, const struct vcg_bid *bid)
{
    CHECK(bid->bid != 0 && bid->slot < vcg->slot_count);
    CHECK(bid->floor.micros >= 0 && bid->price.micros <= BOUND_MICROS);
    CHECK(bid->priority < VCG_SOLVE_CLASSES);
    int64_t score = score_of(bid);
    if (score < bid->floor.micros) return false;  // (1)
    if (vcg->counted[bid->slot] < UINT32_MAX) vcg->counted[bid->slot]++;
    struct vcg_offer offer = {
        .bid = *bid,
        .amount = (score - bid->floor.micros) * SOLD + 1,
        .draw = (int64_t)(hash_mix((vcg->seed + bid->slot) ^ hash_mix(bid->bid)) >>
                          (64 - DRAW_BITS)),
    };
    if (!vcg->limits.groups || bid->group_size < 2) offer.bid.group = 0;
    unsigned list = list_of(vcg, &offer.bid), at = vcg->kept[bid->slot][list];
    struct vcg_offer *offers = vcg->offers[bid->slot][list];
    if (at == list_room(vcg, list) && !ranks_before(&offer, &offers[at - 1])) return true;
    vcg->kept[bid->slot][list]++;
    for (; at > 0 && ranks_before(&offer, &offers[at - 1]); at--) offers[at] = offers[at - 1];
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
    return last->bid.priority > 0 || over * SOLD + 1 < last->amount;
}

bool
vcg_settled(const struct vcg *vcg, unsigned slot, money price, money least_floor)
{
    CHECK(slot < vcg->slot_count);
    int64_t over = price.micros - least_floor.micros;
    if (over < 0) return true;
    for (unsigned list = 0; list < VCG_LISTS; list++) {
        if (list == LIST_GROUPED && !vcg->limits.groups) continue;
        if (list != LIST_GROUPED && list & 1 && vcg->limits.paid_max == 0) continue;
        if (list != LIST_GROUPED && list & 2 && vcg->limits.quota_count == 0) continue;
        if (!is_closed(vcg, slot, list, over)) return false;
    }
    return true;
}

bool
vcg_wants(const struct vcg *vcg, const struct vcg_bid *bid, money least_floor)
{
    int64_t over = bid->price.micros - least_floor.micros;
    return over >= 0 && !is_closed(vcg, bid->slot, list_of(vcg, bid), over);
}

// --- The market of those kept --------------------------------------------------------------------
#define NUMBERS 8192  // places for the keys of all bids kept; less than half are used
_Static_assert(2 * VCG_SOLVE_KEYS <= NUMBERS, "keys are found quickly");

struct numbering {
    uint64_t keys[NUMBERS];
    uint16_t numbers[NUMBERS];  // from 1; 0 free
    uint16_t count;
};

static uint16_t
number_of(struct numbering *numbering, uint64_t key)
{
    unsigned at = (unsigned)hash_mix(key) % NUMBERS;
    while (numbering->numbers[at] != 0 && numbering->keys[at] != key) at = (at + 1) % NUMBERS;
    if (numbering->numbers[at] == 0) {
        numbering->keys[at] = key;
        numbering->numbers[at] = ++numbering->count;
    }
    return (uint16_t)(numbering->numbers[at] - 1);
}

// A group that can be whole, by the messages kept.
struct groups {
    uint32_t group[VCG_GROUPED * BOUND_SLOTS];
    uint8_t number[VCG_GROUPED * BOUND_SLOTS];  // in the market; 0: cannot be whole
    unsigned count;
};

static unsigned
messages_of(const struct vcg *vcg, uint32_t group)
{
    uint32_t messages[VCG_GROUPED * BOUND_SLOTS];
    unsigned count = 0;
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        for (unsigned i = 0; i < vcg->kept[slot][LIST_GROUPED]; i++) {
            const struct vcg_bid *bid = &vcg->offers[slot][LIST_GROUPED][i].bid;
            unsigned at = 0;
            if (bid->group != group) continue;
            while (at < count && messages[at] != bid->message) at++;
            if (at == count) messages[count++] = bid->message;
        }
    }
    return count;
}

// (2 d)
static uint8_t
group_of(const struct vcg *vcg, struct groups *groups, const struct vcg_bid *bid,
         struct vcg_solve_market *market)
{
    for (unsigned i = 0; i < groups->count; i++)
        if (groups->group[i] == bid->group) return groups->number[i];
    uint8_t number = 0;
    if (bid->group_size <= vcg->slot_count && messages_of(vcg, bid->group) >= bid->group_size) {
        while (market->group_size[++number] != 0) {
        }
        market->group_size[number] = bid->group_size;
    }
    groups->group[groups->count] = bid->group;
    groups->number[groups->count++] = number;
    return number;
}

static void
number_classes(const struct vcg *vcg, struct vcg_solve_market *market,
               uint8_t classes[VCG_SOLVE_CLASSES])
{
    bool there[VCG_SOLVE_CLASSES] = {false};
    for (unsigned slot = 0; slot < vcg->slot_count; slot++)
        for (unsigned list = 0; list < VCG_LISTS; list++)
            for (unsigned i = 0; i < vcg->kept[slot][list]; i++)
                there[vcg->offers[slot][list][i].bid.priority] = true;
    market->classes = 0;
    for (unsigned priority = VCG_SOLVE_CLASSES; priority-- > 0;)
        if (there[priority]) classes[priority] = (uint8_t)market->classes++;
    if (market->classes == 0) market->classes = 1;
}

static const struct vcg_offer *
offer_at(const struct vcg *vcg, const struct vcg_solve_market *market, unsigned slot, unsigned edge)
{
    const struct vcg_solve_edge *is = &market->edges[slot][edge];
    return &vcg->offers[slot][is->list][is->place];
}

// Sorted by insertion into the slot's edges.
static void
insert_edge(const struct vcg *vcg, struct vcg_solve_market *market, unsigned slot,
            const struct vcg_solve_edge *edge)
{
    const struct vcg_offer *offer = &vcg->offers[slot][edge->list][edge->place];
    unsigned at = market->counts[slot]++;
    for (; at > 0 && ranks_before(offer, offer_at(vcg, market, slot, at - 1)); at--)
        market->edges[slot][at] = market->edges[slot][at - 1];
    market->edges[slot][at] = *edge;
}

static void
make_market(const struct vcg *vcg, struct vcg_solve_market *market)
{
    struct numbering numbering;
    struct groups groups = {.count = 0};
    uint8_t classes[VCG_SOLVE_CLASSES];
    memset(numbering.numbers, 0, sizeof numbering.numbers);
    numbering.count = 0;
    market->slots = vcg->slot_count;
    market->paid_max = vcg->limits.paid_max == 0 ? UINT_MAX : vcg->limits.paid_max;
    market->nodes_max = vcg->nodes_max;
    market->separate = vcg->limits.separate;
    market->grouped = false;
    memset(market->group_size, 0, sizeof market->group_size);
    number_classes(vcg, market, classes);
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        market->counts[slot] = 0;
        for (uint8_t list = 0; list < VCG_LISTS; list++) {
            for (uint8_t i = 0; i < vcg->kept[slot][list]; i++) {
                const struct vcg_offer *offer = &vcg->offers[slot][list][i];
                struct vcg_solve_edge edge = {
                    .amount = offer->amount,
                    .draw = offer->draw,
                    .seat = offer->bid.seat,
                    .class = classes[offer->bid.priority],
                    .paid = vcg->limits.paid_max != 0 && offer->bid.paid,
                    .quota = vcg->limits.quota_count != 0 && offer->bid.quota,
                    .list = list,
                    .place = i,
                };
                if (list == LIST_GROUPED) {
                    edge.group = group_of(vcg, &groups, &offer->bid, market);
                    if (edge.group == 0) continue;
                    market->grouped = true;
                }
                edge.key = number_of(&numbering, key_of(vcg, &offer->bid));
                insert_edge(vcg, market, slot, &edge);
            }
        }
    }
    market->keys = numbering.count;
}

// --- Prices --------------------------------------------------------------------------------------
struct overs {
    int64_t micros[VCG_SOLVE_CLASSES];  // of each priority: what bids add together
};

// What the bids of others than the seat add.
static struct overs
overs_of(const struct vcg_solve_market *market, const struct vcg_solve_answer *answer,
         uint32_t seat)
{
    struct overs overs = {{0}};
    for (unsigned slot = 0; slot < market->slots; slot++) {
        if (answer->edge[slot] == NONE) continue;
        const struct vcg_solve_edge *edge = &market->edges[slot][answer->edge[slot]];
        if (edge->seat != seat) overs.micros[edge->class] += edge->amount / SOLD;
    }
    return overs;
}

static int64_t
within(int64_t amount, int64_t most)
{
    return amount < 0 ? 0 : amount > most ? most : amount;
}

// The slots that a seat won, while they are priced.
struct seat_prices {
    unsigned won;
    int64_t own[BOUND_SLOTS], gain[BOUND_SLOTS], pays[BOUND_SLOTS];  // over the floor, in score
    struct overs more;             // (4): what the others would add more without it
    uint64_t direct[BOUND_SLOTS];  // bid that would take the slot while nothing else moves; 0 none
    int64_t taker[BOUND_SLOTS];    // and its score
};

// The bid of others that takes `slot` when nothing else moves from one answer to the next.
static const struct vcg_offer *
sole_move(const struct vcg *vcg, const struct vcg_solve_market *market,
          const struct vcg_solve_answer *before, const struct vcg_solve_answer *after,
          unsigned slot, uint32_t seat)
{
    for (unsigned i = 0; i < market->slots; i++)
        if (i != slot && before->edge[i] != after->edge[i]) return NULL;
    if (after->edge[slot] == NONE || market->edges[slot][after->edge[slot]].seat == seat)
        return NULL;
    return offer_at(vcg, market, slot, after->edge[slot]);
}

static void
mark_needed(struct vcg *vcg, const struct vcg_solve_market *market,
            const struct vcg_solve_answer *answer)
{
    for (unsigned slot = 0; slot < market->slots; slot++) {
        if (answer->edge[slot] == NONE) continue;
        const struct vcg_solve_edge *edge = &market->edges[slot][answer->edge[slot]];
        vcg->offers[slot][edge->list][edge->place].needed = true;
    }
}

// Gives the seat's slots back one after the other: gains of (5), and (4) in the end.
static void
give_back(struct vcg *vcg, const struct vcg_solve_market *market,
          const struct vcg_solve_answer *answer, unsigned quota, uint32_t seat,
          struct seat_prices *prices)
{
    bool limited = vcg->limits.paid_max != 0 || vcg->limits.separate || quota != 0 ||
                   market->grouped;
    struct vcg_solve_answer before = *answer, after;
    struct overs others = overs_of(market, answer, seat), last = others;
    unsigned all = (1u << market->slots) - 1, held = prices->won;
    if (!limited)
        for (unsigned slot = 0; slot < market->slots; slot++)
            if (held >> slot & 1) before.edge[slot] = NONE;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        if (!(held >> slot & 1)) continue;
        held &= ~(1u << slot);
        const struct vcg_solve_edge *own = &market->edges[slot][answer->edge[slot]];
        after = before;
        if (limited) {
            struct vcg_solve_question question = {.open = all & ~held,
                                                  .given = before,
                                                  .without_seat = true,
                                                  .seat = seat,
                                                  .quota = quota};
            vcg_solve_again(market, &question, &after, &vcg->nodes, &vcg->cut_short);
        } else {
            vcg_solve_hand_out(market, &after, all & ~held & ~(1u << slot), slot, seat);
        }
        mark_needed(vcg, market, &after);
        struct overs now = overs_of(market, &after, seat);
        prices->own[slot] = own->amount / SOLD;
        prices->gain[slot] = now.micros[own->class] - last.micros[own->class];
        const struct vcg_offer *taker = sole_move(vcg, market, &before, &after, slot, seat);
        prices->direct[slot] = taker == NULL ? 0 : taker->bid.bid;
        prices->taker[slot] = taker == NULL ? 0 : score_of(&taker->bid);
        last = now;
        before = after;
    }
    for (unsigned class = 0; class < market->classes; class ++)
        prices->more.micros[class] = last.micros[class] - others.micros[class];
}

// (5), by priority: each slot its gain, then what is left of (4).
static void
share_out(const struct vcg_solve_market *market, const struct vcg_solve_answer *answer,
          struct seat_prices *prices)
{
    for (unsigned class = 0; class < market->classes; class ++) {
        int64_t left = prices->more.micros[class] < 0 ? 0 : prices->more.micros[class];
        for (unsigned turn = 0; turn < 2; turn++) {
            for (unsigned slot = 0; slot < market->slots; slot++) {
                if (!(prices->won >> slot & 1)) continue;
                if (market->edges[slot][answer->edge[slot]].class != class) continue;
                if (turn == 0) prices->pays[slot] = 0;
                int64_t room = prices->own[slot] - prices->pays[slot];
                int64_t part = within(turn == 0 ? prices->gain[slot] : left, room);
                part = within(part, left);
                prices->pays[slot] += part;
                left -= part;
            }
        }
    }
}

static void
price_slot(const struct vcg *vcg, const struct vcg_bid *winner, int64_t pays, uint64_t setter,
           int64_t setter_score, struct vcg_sale *sale)
{
    CHECK(vcg->slot_count > winner->slot);
    enum price_kind kind = (enum price_kind)winner->kind;
    money floor_price = price_reaching(kind, winner->floor, winner->multiplier);
    switch ((enum deal_at)winner->at) {
    case DEAL_FIRST_PRICE: sale->price = winner->price; return;  // (7)
    case DEAL_FIXED: sale->price = floor_price; return;
    case DEAL_SECOND_PRICE:
    case DEAL_AT_COUNT: break;
    }
    money target;
    CHECK(money_add(winner->floor, money_of(pays), &target) == STATUS_OK);
    sale->price = price_reaching(kind, target, winner->multiplier);
    CHECK(sale->price.micros >= floor_price.micros && sale->price.micros <= winner->price.micros);
    if (pays > 0 && setter_score == target.micros) sale->setter = setter;  // (6)
}

static void
price_seat(struct vcg *vcg, const struct vcg_solve_market *market,
           const struct vcg_solve_answer *answer, unsigned quota, uint32_t seat,
           struct vcg_sale sales[BOUND_SLOTS])
{
    struct seat_prices prices = {.won = 0};
    for (unsigned slot = 0; slot < vcg->slot_count; slot++)
        if (sales[slot].winner != 0 && sales[slot].seat == seat) prices.won |= 1u << slot;
    give_back(vcg, market, answer, quota, seat, &prices);
    share_out(market, answer, &prices);
    for (unsigned slot = 0; slot < vcg->slot_count; slot++)
        if (prices.won >> slot & 1)
            price_slot(vcg, &offer_at(vcg, market, slot, answer->edge[slot])->bid,
                       prices.pays[slot], prices.direct[slot], prices.taker[slot], &sales[slot]);
}

void
vcg_close(struct vcg *vcg, struct vcg_sale out_sales[BOUND_SLOTS])
{
    struct vcg_solve_market market;
    struct vcg_solve_answer answer;
    make_market(vcg, &market);
    unsigned quota = vcg->limits.quota_count == 0 ? 0 : vcg_solve_quota(&market);
    if (quota > vcg->limits.quota_count) quota = vcg->limits.quota_count;
    while (!vcg_solve_first(&market, quota, &answer, &vcg->nodes, &vcg->cut_short)) quota--;
    mark_needed(vcg, &market, &answer);
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        out_sales[slot] = (struct vcg_sale){.counted = vcg->counted[slot]};
        if (answer.edge[slot] == NONE) continue;
        const struct vcg_bid *winner = &offer_at(vcg, &market, slot, answer.edge[slot])->bid;
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
        if (!priced) price_seat(vcg, &market, &answer, quota, out_sales[slot].seat, out_sales);
    }
}
