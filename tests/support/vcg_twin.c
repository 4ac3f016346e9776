#include "vcg_twin.h"

#include <string.h>

#include "fail.h"
#include "hash.h"
#include "market.h"
#include "price.h"

#define CLASSES 9

struct worth {
    int64_t over[CLASSES];  // by priority, the highest first
    int64_t sold[CLASSES];
    int64_t draws;
};

int64_t
vcg_twin_score(const struct vcg_bid *bid)
{
    return price_score((enum price_kind)bid->kind, bid->price, bid->multiplier).micros;
}

static bool
exceeds(const struct worth *a, const struct worth *b)
{
    for (unsigned i = 0; i < CLASSES; i++) {
        if (a->over[i] != b->over[i]) return a->over[i] > b->over[i];
        if (a->sold[i] != b->sold[i]) return a->sold[i] > b->sold[i];
    }
    return a->draws < b->draws;
}

static void
add_worth(struct worth *worth, const struct vcg_twin *market, const struct vcg_bid *bid)
{
    unsigned class = CLASSES - 1u - bid->priority;
    worth->over[class] += vcg_twin_score(bid) - bid->floor.micros;
    worth->sold[class]++;
    worth->draws += (int64_t)(hash_mix((market->seed + bid->slot) ^ hash_mix(bid->bid)) >> 10);
}

// --- Brute force ---------------------------------------------------------------------------------
struct trial {
    const struct vcg_twin *market;
    int fixed[BOUND_SLOTS];  // bid that must be there; -1: open
    int64_t without;         // seat whose bids count for nothing; -1 none
    unsigned quota;
    int chosen[BOUND_SLOTS], best[BOUND_SLOTS];
    bool found;
    struct worth most;
    unsigned most_quota;  // over all assignments within the other limits
};

static bool
keeps_limits(const struct trial *trial)
{
    const struct vcg_twin *market = trial->market;
    unsigned paid = 0;
    for (unsigned i = 0; i < market->slots; i++) {
        if (trial->chosen[i] < 0) continue;
        const struct vcg_bid *bid = &market->bids[trial->chosen[i]];
        paid += bid->paid;
        for (unsigned j = 0; j < i; j++) {
            if (trial->chosen[j] < 0) continue;
            const struct vcg_bid *other = &market->bids[trial->chosen[j]];
            if (other->message == bid->message) return false;
            if (market->limits.separate && bid->category != 0 && other->category == bid->category)
                return false;
        }
        if (!market->limits.groups || bid->group == 0 || bid->seat == trial->without) continue;
        unsigned wins = 0;
        for (unsigned j = 0; j < market->slots; j++)
            wins += trial->chosen[j] >= 0 && market->bids[trial->chosen[j]].group == bid->group;
        if (wins != bid->group_size) return false;
    }
    return market->limits.paid_max == 0 || paid <= market->limits.paid_max;
}

static void
judge(struct trial *trial)
{
    const struct vcg_twin *market = trial->market;
    if (!keeps_limits(trial)) return;
    unsigned quota = 0;
    struct worth worth = {{0}, {0}, 0};
    for (unsigned i = 0; i < market->slots; i++) {
        if (trial->chosen[i] < 0) continue;
        const struct vcg_bid *bid = &market->bids[trial->chosen[i]];
        quota += bid->quota;
        if (bid->seat != trial->without) add_worth(&worth, market, bid);
    }
    if (quota > trial->most_quota) trial->most_quota = quota;
    if (quota < trial->quota) return;
    if (trial->found && !exceeds(&worth, &trial->most)) return;
    trial->found = true;
    trial->most = worth;
    memcpy(trial->best, trial->chosen, sizeof trial->best);
}

static void
try_from(struct trial *trial, unsigned slot)
{
    const struct vcg_twin *market = trial->market;
    if (slot == market->slots) {
        judge(trial);
        return;
    }
    trial->chosen[slot] = trial->fixed[slot];
    try_from(trial, slot + 1);
    if (trial->fixed[slot] >= 0) return;
    for (unsigned i = 0; i < market->count; i++) {
        if (market->out[i] || market->bids[i].slot != slot) continue;
        trial->chosen[slot] = (int)i;
        try_from(trial, slot + 1);
    }
    trial->chosen[slot] = -1;
}

static struct trial
try_all(const struct vcg_twin *market, unsigned quota)
{
    struct trial trial = {.market = market, .without = -1, .quota = quota};
    for (unsigned i = 0; i < BOUND_SLOTS; i++) trial.fixed[i] = -1;
    try_from(&trial, 0);
    return trial;
}

static uint64_t
key_of(const struct vcg_twin *market, const struct vcg_bid *bid)
{
    return market->limits.separate && bid->category != 0 ? bid->category + (UINT64_C(1) << 40)
                                                         : bid->message;
}

// Below the floor; or of a group that asks for more than there are slots or different bids of it.
static void
throw_out(struct vcg_twin *market)
{
    static bool whole[VCG_TWIN_BIDS];
    for (unsigned i = 0; i < market->count; i++)
        market->out[i] = vcg_twin_score(&market->bids[i]) < market->bids[i].floor.micros;
    if (!market->limits.groups) return;
    for (unsigned i = 0; i < market->count; i++) {
        const struct vcg_bid *bid = &market->bids[i];
        unsigned different = 0;
        for (unsigned j = 0; j < market->count && bid->group != 0; j++) {
            bool counts = !market->out[j] && market->bids[j].group == bid->group;
            for (unsigned k = 0; k < j && counts; k++)
                counts = market->out[k] || market->bids[k].group != bid->group ||
                         key_of(market, &market->bids[k]) != key_of(market, &market->bids[j]);
            different += counts;
        }
        whole[i] = bid->group == 0 ||
                   (bid->group_size <= market->slots && different >= bid->group_size);
    }
    for (unsigned i = 0; i < market->count; i++) market->out[i] |= !whole[i];
}

// What a seat pays over its floors, slot by slot: (4) and (5).
static void
pay(const struct vcg_twin *market, const struct trial *best, uint32_t seat,
    int64_t pays[BOUND_SLOTS])
{
    struct worth last = {{0}, {0}, 0}, others;
    int64_t gain[BOUND_SLOTS] = {0};
    for (unsigned i = 0; i < market->slots; i++)
        if (best->best[i] >= 0 && market->bids[best->best[i]].seat != seat)
            add_worth(&last, market, &market->bids[best->best[i]]);
    others = last;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        if (best->best[slot] < 0 || market->bids[best->best[slot]].seat != seat) continue;
        struct trial trial = {.market = market, .without = seat, .quota = best->quota};
        for (unsigned i = 0; i < BOUND_SLOTS; i++) trial.fixed[i] = -1;
        for (unsigned i = slot + 1; i < market->slots; i++)
            if (best->best[i] >= 0 && market->bids[best->best[i]].seat == seat)
                trial.fixed[i] = best->best[i];
        try_from(&trial, 0);
        CHECK(trial.found);
        unsigned class = CLASSES - 1u - market->bids[best->best[slot]].priority;
        gain[slot] = trial.most.over[class] - last.over[class];
        last = trial.most;
    }
    for (unsigned class = 0; class < CLASSES; class ++) {
        int64_t left = last.over[class] - others.over[class];
        for (unsigned turn = 0; turn < 2; turn++) {
            for (unsigned slot = 0; slot < market->slots; slot++) {
                if (best->best[slot] < 0) continue;
                const struct vcg_bid *bid = &market->bids[best->best[slot]];
                if (bid->seat != seat || CLASSES - 1u - bid->priority != class) continue;
                if (turn == 0) pays[slot] = 0;
                int64_t part = turn == 0 ? gain[slot] : left;
                int64_t room = vcg_twin_score(bid) - bid->floor.micros - pays[slot];
                if (part > room) part = room;
                if (part > left) part = left;
                if (part < 0) part = 0;
                pays[slot] += part;
                left -= part;
            }
        }
    }
}

static bool
is_small(const struct vcg_twin *market, double most)
{
    double assignments = 1;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        unsigned here = 1;
        for (uint32_t i = 0; i < market->count; i++)
            here += market->bids[i].slot == slot && !market->out[i];
        assignments *= here;
    }
    return assignments <= most;
}

static int64_t
price_of(const struct vcg_bid *winner, int64_t pays)
{
    enum price_kind kind = (enum price_kind)winner->kind;
    if (winner->at == DEAL_FIRST_PRICE) return winner->price.micros;
    if (winner->at == DEAL_FIXED) pays = 0;
    return price_reaching(kind, money_of(winner->floor.micros + pays), winner->multiplier).micros;
}

bool
vcg_twin_sell(struct vcg_twin *market, double most, struct vcg_sale sales[BOUND_SLOTS],
              unsigned *out_quota)
{
    throw_out(market);
    if (!is_small(market, most)) return false;
    struct trial best = try_all(market, 0);
    unsigned quota = market->limits.quota_count;
    if (quota > best.most_quota) quota = best.most_quota;
    if (quota > 0) best = try_all(market, quota);
    *out_quota = quota;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        sales[slot] = (struct vcg_sale){0};
        if (best.best[slot] < 0) continue;
        const struct vcg_bid *winner = &market->bids[best.best[slot]];
        int64_t pays[BOUND_SLOTS] = {0};
        pay(market, &best, winner->seat, pays);
        sales[slot] = (struct vcg_sale){
            .winner = winner->bid,
            .seat = winner->seat,
            .message = winner->message,
            .number = winner->number,
            .price = money_of(price_of(winner, pays[slot])),
            .floor = winner->floor,
            .over = money_of(vcg_twin_score(winner) - winner->floor.micros),
            .priority = winner->priority,
            .paid = winner->paid,
            .quota = winner->quota};
    }
    return true;
}
