// Credit: which touches count, and how much of a conversion each earns.
//
//  1 Touches are put in the order of their delivery, ties by placement; so the order in which they
//    were given changes nothing.
//  2 Each model gives every touch a whole number as its weight. Linear: 1. First, last: 1 and else
//    0. Position, of n > 2 touches: the first n - 2 times its part, the last likewise, each between
//    the part that is left. Time decay: 2^-(a / h) in fixed point with 40 binary digits, where a is
//    the age beyond that of the youngest touch (a common factor changes no share) and h the
//    half-life; whole half-lives are shifted, the rest is a product of the powers 2^-(1/2),
//    2^-(1/4), ... of a table, one for each binary digit of the fraction, of which 32 count.
//    A fit: its weight of the touch's seat and rung; when all of them are 0 each touch weighs 1.
//  3 Weights are added up by (beneficiary, rung). Of too many pairs the heaviest stay, ties to the
//    lower seat, then rung. What stays is split into 1,000,000 by largest remainder.
#include "credit.h"

#include <string.h>

#include "fail.h"

#define PAIRS_MAX (BOUND_PARTS - BOUND_SHARES)
#define DECAY_DIGITS 40

_Static_assert(BOUND_TOUCHES <= 1 << 16, "weights of all touches add up within 64 bits");

// 2^-(2^-k) for k = 1 to 32, with 63 binary digits.
static const uint64_t roots[32] = {
    // clang-format off
    0x5a827999fcef3242u, 0x6ba27e656b4eb57au, 0x75606373ee921c97u, 0x7a92be8a92436616u,
    0x7d41d96db915019du, 0x7e9f06067a4360bau, 0x7f4f08ae3dc7c426u, 0x7fa765aca88f6453u,
    0x7fd3ab290e46d769u, 0x7fe9d3a8e07bf086u, 0x7ff4e9597bed93abu, 0x7ffa748dff8dc61fu,
    0x7ffd3a3f50020332u, 0x7ffe9d1dbc0a75aau, 0x7fff4e8e6306ed59u, 0x7fffa74712c3cdfdu,
    0x7fffd3a381b1fa29u, 0x7fffe9d1beed018au, 0x7ffff4e8defb81d7u, 0x7ffffa746f5f012fu,
    0x7ffffd3a37a7d0a8u, 0x7ffffe9d1bd1fc58u, 0x7fffff4e8de8832du, 0x7fffffa746f422d7u,
    0x7fffffd3a37a09bbu, 0x7fffffe9d1bd02f2u, 0x7ffffff4e8de80feu, 0x7ffffffa746f4060u,
    0x7ffffffd3a37a028u, 0x7ffffffe9d1bd012u, 0x7fffffff4e8de809u, 0x7fffffffa746f404u,
    // clang-format on
};

bool
credit_counts(const struct market_attribution *terms, const struct touch *touch, usec at)
{
    CHECK(touch->channel < CHANNEL_COUNT);
    int64_t delivered = terms->channel_us[touch->channel] >= 0 ? terms->channel_us[touch->channel]
                                                               : terms->delivered_us;
    if (touch->delivered.us == 0 || touch->delivered.us > at.us) return false;
    if (delivered > 0 && at.us - touch->delivered.us <= delivered) return true;
    return terms->accepted_us > 0 && touch->accepted.us != 0 && touch->accepted.us <= at.us &&
           at.us - touch->accepted.us <= terms->accepted_us;
}

// --- Which touches -----------------------------------------------------------------------------

static bool
is_before(const struct touch *a, const struct touch *b)
{
    if (a->delivered.us != b->delivered.us) return a->delivered.us < b->delivered.us;
    return memcmp(a->placement.bytes, b->placement.bytes, sizeof a->placement.bytes) < 0;
}

// Takes those that count into `path`, in their order; of too many the earliest make room.
static unsigned
walk(const struct market_attribution *terms, const struct touch *touches, size_t count, usec at,
     const struct touch *path[BOUND_TOUCHES])
{
    unsigned used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct touch *one = &touches[i];
        if (!credit_counts(terms, one, at)) continue;
        unsigned place = used;
        while (place > 0 && is_before(one, path[place - 1])) place--;
        if (used < BOUND_TOUCHES) {
            memmove(&path[place + 1], &path[place], (used - place) * sizeof *path);
            path[place] = one;
            used++;
        } else if (place > 0) {
            memmove(&path[0], &path[1], (place - 1) * sizeof *path);
            path[place - 1] = one;
        }
    }
    return used;
}

// --- Weights -----------------------------------------------------------------------------------

// 2^-(age / half_life).
static uint64_t
decay(int64_t age, int64_t half_life)
{
    uint64_t halves = (uint64_t)(age / half_life), left = (uint64_t)(age % half_life);
    if (halves > DECAY_DIGITS) return 0;
    uint32_t fraction = (uint32_t)(((unsigned __int128)left << 32) / (uint64_t)half_life);
    uint64_t power = (uint64_t)1 << 63;
    for (unsigned i = 0; i < 32; i++) {
        if (!(fraction >> (31 - i) & 1)) continue;
        power = (uint64_t)((unsigned __int128)power * roots[i] >> 63);
    }
    return power >> (63 - DECAY_DIGITS) >> halves;
}

static uint64_t
position(const struct market_attribution *terms, unsigned place, unsigned count)
{
    if (count < 3) return 1;
    uint64_t parts = (uint64_t)terms->first_ppm + terms->last_ppm;
    if (place == 0) return (uint64_t)terms->first_ppm * (count - 2);
    if (place == count - 1) return (uint64_t)terms->last_ppm * (count - 2);
    return parts < MONEY_PPM ? MONEY_PPM - parts : 0;
}

static uint64_t
fitted(const struct credit_fit *fit, const struct touch *touch)
{
    size_t from = 0, until = fit->count;
    while (from < until) {
        size_t middle = from + (until - from) / 2;
        const struct credit_weight *one = &fit->weights[middle];
        if (one->seat == touch->seat && one->rung == touch->rung) return one->ppm;
        bool behind = one->seat != touch->seat ? one->seat < touch->seat : one->rung < touch->rung;
        if (behind) from = middle + 1;
        else until = middle;
    }
    return 0;
}

static uint64_t
weight_of(const struct market_attribution *terms, const struct touch *const *path, unsigned place,
          unsigned count, const struct credit_fit *fit)
{
    switch ((enum attribution)terms->model) {
    case ATTRIBUTION_LAST: return place == count - 1;
    case ATTRIBUTION_FIRST: return place == 0;
    case ATTRIBUTION_TIME_DECAY:
        return decay(path[count - 1]->delivered.us - path[place]->delivered.us,
                     terms->half_life_us);
    case ATTRIBUTION_POSITION: return position(terms, place, count);
    case ATTRIBUTION_MARKOV:
    case ATTRIBUTION_SHAPLEY:
    case ATTRIBUTION_COUNTERFACTUAL: return fit ? fitted(fit, path[place]) : 1;
    case ATTRIBUTION_LINEAR:
    case ATTRIBUTION_COUNT: break;
    }
    return 1;
}

static void
weigh(const struct market_attribution *terms, const struct touch *const *path, unsigned count,
      const struct credit_fit *fit, uint64_t weights[BOUND_TOUCHES])
{
    uint64_t any = 0;
    for (unsigned i = 0; i < count; i++) {
        weights[i] = weight_of(terms, path, i, count, fit);
        any |= weights[i];
    }
    for (unsigned i = 0; any == 0 && i < count; i++) weights[i] = 1;
}

// --- Pairs -------------------------------------------------------------------------------------

static int
by_pair(const struct contract_part *a, const struct contract_part *b)
{
    if (a->seat != b->seat) return a->seat < b->seat ? -1 : 1;
    return (a->rung > b->rung) - (a->rung < b->rung);
}

// The beneficiary of a touch. Containers are owned by departments.
static struct contract_part
part_of(const struct touch *touch, uint32_t merchant, uint64_t weight)
{
    bool own = merchant != 0 && touch->seat == merchant;
    return (struct contract_part){.seat = own ? touch->owner : touch->seat,
                                  .kind = own ? (uint8_t)SEAT_DEPARTMENT : touch->seat_kind,
                                  .rung = touch->rung,
                                  .weight = weight};
}

static unsigned
add_pair(struct contract_part *pairs, unsigned count, struct contract_part pair)
{
    unsigned at = 0;
    while (at < count && by_pair(&pairs[at], &pair) < 0) at++;
    if (at < count && by_pair(&pairs[at], &pair) == 0) {
        pairs[at].weight += pair.weight;
        return count;
    }
    memmove(&pairs[at + 1], &pairs[at], (count - at) * sizeof *pairs);
    pairs[at] = pair;
    return count + 1;
}

// Leaves out the lightest pair; of equal ones the last.
static unsigned
drop_lightest(struct contract_part *pairs, unsigned count)
{
    unsigned lightest = 0;
    for (unsigned i = 1; i < count; i++) {
        if (pairs[i].weight <= pairs[lightest].weight) lightest = i;
    }
    memmove(&pairs[lightest], &pairs[lightest + 1], (count - 1 - lightest) * sizeof *pairs);
    return count - 1;
}

void
credit_divide(const struct market_attribution *terms, const struct touch *touches, size_t count,
              usec at, uint32_t merchant, const struct credit_fit *fit, struct credit *out_credit)
{
    const struct touch *path[BOUND_TOUCHES];
    uint64_t weights[BOUND_TOUCHES];
    struct contract_part pairs[BOUND_TOUCHES];
    money parts[PAIRS_MAX];
    bool is_fitted = terms->model >= ATTRIBUTION_MARKOV && fit && fit->model == terms->model;
    unsigned used = walk(terms, touches, count, at, path), pair_count = 0;
    out_credit->count = 0;
    out_credit->model = is_fitted ? fit->version : 0;
    if (used == 0) return;
    weigh(terms, path, used, is_fitted ? fit : NULL, weights);
    for (unsigned i = 0; i < used; i++) {
        if (weights[i] == 0) continue;
        pair_count = add_pair(pairs, pair_count, part_of(path[i], merchant, weights[i]));
    }
    while (pair_count > PAIRS_MAX) pair_count = drop_lightest(pairs, pair_count);
    for (unsigned i = 0; i < pair_count; i++) weights[i] = pairs[i].weight;
    CHECK(money_split(money_of(MONEY_PPM), weights, pair_count, parts) == STATUS_OK);
    for (unsigned i = 0; i < pair_count; i++) {
        if (parts[i].micros == 0) continue;  // less than a millionth
        out_credit->parts[out_credit->count] = pairs[i];
        out_credit->parts[out_credit->count++].weight = (uint64_t)parts[i].micros;
    }
}
