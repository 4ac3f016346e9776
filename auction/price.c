// The price of one slot, from sealed bids of three kinds.
//
// Rule
//   (1) A bid's score is what a placement at its price is worth to the host: per placement the
//       price; per response price x expected responses; a share of the expected revenue. It is
//       shown rounded down to the micro; scores are compared exactly, before rounding.
//   (2) A bid whose score is below its own floor takes no part. Increment: none (0), so a bid at
//       its floor does.
//   (3) The higher priority ranks first, whatever the score.
//   (4) Of equal priority the higher score ranks first.
//   (5) Among equal scores the lower hash_mix(seed ^ hash_mix(bid id)) ranks first. The seed is the
//       contact's id: every contact draws anew, nobody can choose it, and a replay draws the same.
//   (6) Among equal hashes the lower bid id ranks first.
//   (7) The bid that ranks first wins.
//   (8) The setter is the bid of highest score among those of another seat and the winner's
//       priority; among equals the lower bid id. The winner's seat never sets its own price,
//       however many bids it has; bids of a lower priority do not either.
//   (9) The winner pays, in its own kind, the least price whose score reaches both its floor and
//       the setter's score. When the floor alone asks as much, or there is no setter, the floor set
//       the price.
//  (10) A deal may say otherwise: at first price the winner pays its bid; at a fixed price the
//       least price whose score reaches its floor. Nobody set these prices.
// Follows: floor <= price <= winner's bid in its own kind, and under (9) the price does not depend
// on the winner's own bids, so that bidding one's value is a best strategy (Vickrey 1961; with a
// floor per bidder and a fixed weight per bid still so: raising a price raises the score strictly).
//
// A scale of LEARN_ONE x 1,000,000 a micro holds all three scores without a remainder: at most
// 2^102.
//
// State while bids come in: the bid that ranks first by (3)-(6), and by (priority, score, lower id)
// the best bids of the two best seats. One of those two is not the winner's seat, or there is no
// other seat; if it has the winner's priority it is the setter.
#include "price.h"

#include "fail.h"
#include "hash.h"
#include "learn.h"
#include "market.h"

__extension__ typedef unsigned __int128 exact;

// Weight of one unit of the price in the score, so that score = price x weight / SCALE micros.
#define SCALE ((exact)LEARN_ONE * MONEY_PPM)

static inline exact
weight_of(enum price_kind kind, uint64_t multiplier)
{
    switch (kind) {
    case PRICE_RESPONSE: CHECK(multiplier <= LEARN_ONE); return (exact)multiplier * MONEY_PPM;
    case PRICE_SHARE: CHECK(multiplier <= BOUND_MICROS); return (exact)multiplier * LEARN_ONE;
    case PRICE_PLACEMENT:
    case PRICE_KIND_COUNT: break;
    }
    return SCALE;
}

static inline exact
exact_score(enum price_kind kind, money price, uint64_t multiplier)
{
    return price.micros <= 0 ? 0 : (exact)price.micros * weight_of(kind, multiplier);
}

// The least price of the kind that reaches an exact score.
static money
reaching(enum price_kind kind, exact score, uint64_t multiplier)
{
    exact weight = weight_of(kind, multiplier);
    int64_t most = kind == PRICE_SHARE ? MONEY_PPM : BOUND_MICROS;
    if (score == 0) return money_of(0);
    if (weight == 0 || score > (exact)most * weight) return money_of(BOUND_MICROS + 1);
    return money_of((int64_t)((score + weight - 1) / weight));
}

money
price_score(enum price_kind kind, money price, uint64_t multiplier)
{
    if (kind == PRICE_PLACEMENT) return price;
    if (kind == PRICE_RESPONSE && price.micros > 0)  // the same without a wide division
        return money_of((int64_t)((exact)price.micros * multiplier / LEARN_ONE));
    return money_of((int64_t)(exact_score(kind, price, multiplier) / SCALE));
}

money
price_reaching(enum price_kind kind, money score, uint64_t multiplier)
{
    return reaching(kind, score.micros <= 0 ? 0 : (exact)score.micros * SCALE, multiplier);
}

static inline enum price_kind
kind_of(const struct price_bid *bid)
{
    return (enum price_kind)bid->kind;
}

// LEARN_ONE times the score of what is not a share: a narrower scale, for what is compared most.
static inline exact
narrow_score(const struct price_bid *bid)
{
    uint64_t price = bid->price.micros <= 0 ? 0 : (uint64_t)bid->price.micros;
    return (exact)price * (bid->kind == PRICE_RESPONSE ? bid->multiplier : LEARN_ONE);
}

// Negative: a's score is lower.
static inline int
compare_scores(const struct price_bid *a, const struct price_bid *b)
{
    if (a->kind == PRICE_PLACEMENT && b->kind == PRICE_PLACEMENT)
        return (a->price.micros > b->price.micros) - (a->price.micros < b->price.micros);
    if (a->kind != PRICE_SHARE && b->kind != PRICE_SHARE) {
        exact left = narrow_score(a), right = narrow_score(b);
        return (left > right) - (left < right);
    }
    exact left = exact_score(kind_of(a), a->price, a->multiplier),
          right = exact_score(kind_of(b), b->price, b->multiplier);
    return (left > right) - (left < right);
}

void
price_open(struct price *price, uint64_t seed)
{
    *price = (struct price){.seed = seed};
}

bool
price_ranks_before(const struct price_bid *a, const struct price_bid *b, uint64_t seed)
{
    if (b->bid == 0) return true;
    if (a->priority != b->priority) return a->priority > b->priority;  // (3)
    int compared = compare_scores(a, b);
    if (compared != 0) return compared > 0;  // (4)
    uint64_t hash_a = hash_mix(seed ^ hash_mix(a->bid)), hash_b = hash_mix(seed ^ hash_mix(b->bid));
    if (hash_a != hash_b) return hash_a < hash_b;  // (5)
    return a->bid < b->bid;                        // (6)
}

static bool
sets_before(const struct price_bid *a, const struct price_bid *b)
{
    if (b->bid == 0) return true;
    if (a->priority != b->priority) return a->priority > b->priority;
    int compared = compare_scores(a, b);
    if (compared != 0) return compared > 0;
    return a->bid < b->bid;  // (8)
}

// Nothing but a higher priority or score ranks or sets before a bid of lower ones.
static inline bool
is_below(const struct price_bid *a, const struct price_bid *b)
{
    if (b->bid == 0 || a->priority > b->priority) return false;
    return a->priority < b->priority || compare_scores(a, b) < 0;
}

bool
price_matters(const struct price *price, const struct price_bid *bid)
{
    const struct price_bid *others = price->others;
    bool first_seat = others[0].bid != 0 && others[0].seat == bid->seat;
    return price_ranks_before(bid, &price->first, price->seed) ||
           sets_before(bid, &others[first_seat ? 0 : 1]);
}

bool
price_add(struct price *price, const struct price_bid *bid)
{
    CHECK(bid->bid != 0);
    if (price_score(kind_of(bid), bid->price, bid->multiplier).micros < bid->floor.micros)
        return false;  // (2)
    if (price->counted < UINT32_MAX) price->counted++;
    struct price_bid *others = price->others;
    if (is_below(bid, &others[1])) return true;  // most are, and change nothing
    if (price_ranks_before(bid, &price->first, price->seed)) price->first = *bid;
    bool first_seat = others[0].bid != 0 && others[0].seat == bid->seat;
    if (sets_before(bid, &others[0])) {
        if (!first_seat) others[1] = others[0];
        others[0] = *bid;
    } else if (!first_seat && sets_before(bid, &others[1])) {
        others[1] = *bid;
    }
    return true;
}

// The best bid of another seat than the winner's; its `bid` is 0 when there is none.
static const struct price_bid *
best_other(const struct price *price)
{
    return &price->others[price->others[0].seat == price->first.seat ? 1 : 0];
}

bool
price_settled(const struct price *price, money next, uint64_t next_id)
{
    const struct price_bid *first = &price->first;
    if (first->bid == 0) return false;
    if (first->priority > 0) return true;  // none to come outranks it or sets its price
    struct price_bid to_come = {.bid = next_id, .price = next};
    if (compare_scores(first, &to_come) <= 0) return false;
    if (first->at != DEAL_SECOND_PRICE) return true;
    const struct price_bid *setter = best_other(price);
    if (setter->bid == 0) return false;
    int compared = compare_scores(setter, &to_come);
    return compared > 0 || (compared == 0 && setter->bid <= next_id);
}

void
price_close(const struct price *price, struct price_sale *out_sale)
{
    *out_sale = (struct price_sale){.counted = price->counted};
    const struct price_bid *winner = &price->first;
    if (winner->bid == 0) return;
    enum price_kind kind = kind_of(winner);
    out_sale->winner = winner->bid;  // (7)
    out_sale->seat = winner->seat;
    out_sale->floor = winner->floor;
    money least = price_reaching(kind, winner->floor, winner->multiplier);
    out_sale->price = winner->at == DEAL_FIRST_PRICE ? winner->price : least;  // (9), (10)
    const struct price_bid *setter = best_other(price);
    if (winner->at == DEAL_SECOND_PRICE && setter->bid != 0 &&
        setter->priority == winner->priority) {  // (8)
        money to_win = reaching(kind,
                                exact_score(kind_of(setter), setter->price, setter->multiplier),
                                winner->multiplier);
        if (to_win.micros > least.micros) {  // (9)
            out_sale->price = to_win;
            out_sale->setter = setter->bid;
        }
    }
    CHECK(out_sale->price.micros >= least.micros && out_sale->price.micros <= winner->price.micros);
}

void
price_clear(const struct price_bid *bids, size_t count, uint64_t seed, struct price_sale *out_sale)
{
    struct price price;
    price_open(&price, seed);
    for (size_t i = 0; i < count; i++) (void)price_add(&price, &bids[i]);
    price_close(&price, out_sale);
}
