// The price of one slot, from sealed bids.
//
// Rule
//   (1) A bid below its own floor takes no part. Increment: none (0), so a bid at its floor does.
//   (2) The higher price ranks first.
//   (3) Among equal prices the lower hash_mix(seed ^ hash_mix(bid id)) ranks first. The seed is the
//       contact's id: every contact draws anew, nobody can choose it, and a replay draws the same.
//   (4) Among equal hashes the lower bid id ranks first.
//   (5) The bid that ranks first wins.
//   (6) The setter is the dearest bid of another seat than the winner's; among equals the lower bid
//       id. The winner's seat never sets its own price, however many bids it has.
//   (7) The winner pays the larger of its own floor and the setter's price. Equal, or no setter:
//       the floor set the price.
// Follows: floor <= price <= winner's bid, and the price does not depend on the winner's own bids,
// so that bidding one's value is a best strategy (Vickrey 1961; with a floor per bidder still so).
//
// State while bids come in: the bid that ranks first by (2)-(4), and the best bids by (price, lower
// id) of the two best seats. One of those two is not the winner's seat, or there is no other seat.
#include "price.h"

#include "fail.h"
#include "hash.h"

void
price_open(struct price *price, uint64_t seed)
{
    *price = (struct price){.seed = seed};
}

static bool
ranks_before(const struct price_bid *a, const struct price_bid *b, uint64_t seed)
{
    if (b->bid == 0) return true;
    if (a->price.micros != b->price.micros) return a->price.micros > b->price.micros;  // (2)
    uint64_t hash_a = hash_mix(seed ^ hash_mix(a->bid)), hash_b = hash_mix(seed ^ hash_mix(b->bid));
    if (hash_a != hash_b) return hash_a < hash_b;  // (3)
    return a->bid < b->bid;                        // (4)
}

static bool
sets_before(const struct price_bid *a, const struct price_bid *b)
{
    if (b->bid == 0) return true;
    if (a->price.micros != b->price.micros) return a->price.micros > b->price.micros;
    return a->bid < b->bid;  // (6)
}

bool
price_add(struct price *price, const struct price_bid *bid)
{
    CHECK(bid->bid != 0);
    if (bid->price.micros < bid->floor.micros) return false;  // (1)
    if (price->counted < UINT32_MAX) price->counted++;
    if (ranks_before(bid, &price->first, price->seed)) price->first = *bid;
    struct price_bid *others = price->others;
    bool first_seat = others[0].bid != 0 && others[0].seat == bid->seat;
    if (sets_before(bid, &others[0])) {
        if (!first_seat) others[1] = others[0];
        others[0] = *bid;
    } else if (!first_seat && sets_before(bid, &others[1])) {
        others[1] = *bid;
    }
    return true;
}

bool
price_settled(const struct price *price, money next)
{
    return price->others[1].bid != 0 && next.micros < price->first.price.micros;
}

void
price_close(const struct price *price, struct price_sale *out_sale)
{
    *out_sale = (struct price_sale){.counted = price->counted};
    const struct price_bid *winner = &price->first;
    if (winner->bid == 0) return;
    out_sale->winner = winner->bid;  // (5)
    out_sale->seat = winner->seat;
    out_sale->floor = winner->floor;
    out_sale->price = winner->floor;
    const struct price_bid *setter =
        &price->others[price->others[0].seat == winner->seat ? 1 : 0];      // (6)
    if (setter->bid != 0 && setter->price.micros > winner->floor.micros) {  // (7)
        out_sale->price = setter->price;
        out_sale->setter = setter->bid;
    }
    CHECK(out_sale->price.micros >= winner->floor.micros &&
          out_sale->price.micros <= winner->price.micros);
}

void
price_clear(const struct price_bid *bids, size_t count, uint64_t seed, struct price_sale *out_sale)
{
    struct price price;
    price_open(&price, seed);
    for (size_t i = 0; i < count; i++) (void)price_add(&price, &bids[i]);
    price_close(&price, out_sale);
}
