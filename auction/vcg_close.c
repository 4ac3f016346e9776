// Several slots sold together: from the bids kept to assignment and prices, rules (2) to (9) of
// vcg.c.
#include <limits.h>
#include <string.h>

#include "fail.h"
#include "hash.h"
#include "market.h"
#include "price.h"
#include "vcg_parts.h"
#include "vcg_solve.h"

#define NONE VCG_SOLVE_NONE

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

// How many bids of the group could win together at most: by different messages, or categories.
static unsigned
different_of(const struct vcg *vcg, uint32_t group)
{
    uint64_t keys[VCG_GROUPED * BOUND_SLOTS];
    unsigned count = 0;
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        for (unsigned i = 0; i < vcg->kept[slot][VCG_LIST_GROUPED]; i++) {
            const struct vcg_bid *bid = &vcg->offers[slot][VCG_LIST_GROUPED][i].bid;
            unsigned at = 0;
            if (bid->group != group) continue;
            while (at < count && keys[at] != vcg_key(vcg, bid)) at++;
            if (at == count) keys[count++] = vcg_key(vcg, bid);
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
    if (bid->group_size <= vcg->slot_count && different_of(vcg, bid->group) >= bid->group_size) {
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
    for (; at > 0 && vcg_ranks_before(offer, offer_at(vcg, market, slot, at - 1)); at--)
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
                if (list == VCG_LIST_GROUPED) {
                    edge.group = group_of(vcg, &groups, &offer->bid, market);
                    if (edge.group == 0) continue;
                    market->grouped = true;
                }
                edge.key = number_of(&numbering, vcg_key(vcg, &offer->bid));
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
        if (edge->seat != seat) overs.micros[edge->class] += edge->amount / VCG_SOLD;
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

// What others than the seat hold; NONE: nothing.
static unsigned
of_others(const struct vcg_solve_market *market, const struct vcg_solve_answer *answer,
          unsigned slot, uint32_t seat)
{
    unsigned edge = answer->edge[slot];
    return edge == NONE || market->edges[slot][edge].seat == seat ? NONE : edge;
}

// The bid of others that takes `slot` when none of theirs moves else from one answer to the next.
static const struct vcg_offer *
sole_move(const struct vcg *vcg, const struct vcg_solve_market *market,
          const struct vcg_solve_answer *before, const struct vcg_solve_answer *after,
          unsigned slot, uint32_t seat)
{
    for (unsigned i = 0; i < market->slots; i++)
        if (i != slot && of_others(market, before, i, seat) != of_others(market, after, i, seat))
            return NULL;
    unsigned edge = of_others(market, after, slot, seat);
    return edge == NONE ? NULL : offer_at(vcg, market, slot, edge);
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
            vcg_solve_again(market, &question, &after, &vcg->steps, &vcg->cut_short);
        } else {
            vcg_solve_hand_out(market, &after, all & ~held & ~(1u << slot), slot, seat);
        }
        mark_needed(vcg, market, &after);
        struct overs now = overs_of(market, &after, seat);
        prices->own[slot] = own->amount / VCG_SOLD;
        prices->gain[slot] = now.micros[own->class] - last.micros[own->class];
        const struct vcg_offer *taker = sole_move(vcg, market, &before, &after, slot, seat);
        prices->direct[slot] = taker == NULL ? 0 : taker->bid.bid;
        prices->taker[slot] = taker == NULL ? 0 : vcg_score(&taker->bid);
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
    market.steps_max = vcg->steps_max / 4;  // up to two searches; the other half is for prices
    while (!vcg_solve_first(&market, quota, &answer, &vcg->steps, &vcg->cut_short))
        quota = vcg->cut_short ? 0 : quota - 1;
    mark_needed(vcg, &market, &answer);
    unsigned wins = 0;
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        out_sales[slot] = (struct vcg_sale){.counted = vcg->counted[slot]};
        if (answer.edge[slot] == NONE) continue;
        wins++;
        const struct vcg_bid *winner = &offer_at(vcg, &market, slot, answer.edge[slot])->bid;
        out_sales[slot].winner = winner->bid;
        out_sales[slot].seat = winner->seat;
        out_sales[slot].message = winner->message;
        out_sales[slot].number = winner->number;
        out_sales[slot].floor = winner->floor;
        out_sales[slot].over = money_of(vcg_score(winner) - winner->floor.micros);
        out_sales[slot].priority = winner->priority;
        out_sales[slot].paid = winner->paid;
        out_sales[slot].quota = winner->quota;
    }
    if (wins > 0) market.steps_max = vcg->steps_max / (2 * wins);
    for (unsigned slot = 0; slot < vcg->slot_count; slot++) {
        bool priced = out_sales[slot].winner == 0;
        for (unsigned i = 0; i < slot && !priced; i++)
            priced = out_sales[i].winner != 0 && out_sales[i].seat == out_sales[slot].seat;
        if (!priced) price_seat(vcg, &market, &answer, quota, out_sales[slot].seat, out_sales);
    }
}
