// Several slots sold together under all limits of a contact, against brute force: every assignment
// tried, limits and worths from their definitions in vcg.c, payments from every assignment again.
// Random markets with categories, groups, a quota, paid bids, priorities, kinds of price and deals;
// few amounts make many ties. Then the search cut short: the limits hold, prices stay within.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "learn.h"
#include "market.h"
#include "price.h"
#include "random_market.h"
#include "vcg.h"

#define SEED 271828
#define BIDS 2048
#define CLASSES 9

struct market_case {
    uint64_t seed;
    unsigned slots, count;
    struct vcg_limits limits;
    struct vcg_bid bids[BIDS];
    bool out[BIDS];  // of a group that cannot be whole, or below its floor
};
struct worth {
    int64_t over[CLASSES];  // by priority, the highest first
    int64_t sold[CLASSES];
    int64_t draws;
};

static int64_t
score_of(const struct vcg_bid *bid)
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
add_worth(struct worth *worth, const struct market_case *market, const struct vcg_bid *bid)
{
    unsigned class = CLASSES - 1u - bid->priority;
    worth->over[class] += score_of(bid) - bid->floor.micros;
    worth->sold[class]++;
    worth->draws += (int64_t)(hash_mix((market->seed + bid->slot) ^ hash_mix(bid->bid)) >> 10);
}

// --- Brute force ---------------------------------------------------------------------------------
struct trial {
    const struct market_case *market;
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
    const struct market_case *market = trial->market;
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
    const struct market_case *market = trial->market;
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
    const struct market_case *market = trial->market;
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
try_all(const struct market_case *market, unsigned quota)
{
    struct trial trial = {.market = market, .without = -1, .quota = quota};
    for (unsigned i = 0; i < BOUND_SLOTS; i++) trial.fixed[i] = -1;
    try_from(&trial, 0);
    return trial;
}

static void
throw_out(struct market_case *market)
{
    for (unsigned i = 0; i < market->count; i++)
        market->out[i] = score_of(&market->bids[i]) < market->bids[i].floor.micros;
    bool whole[BIDS];
    for (unsigned i = 0; i < market->count && market->limits.groups; i++) {
        const struct vcg_bid *bid = &market->bids[i];
        unsigned messages = 0;
        for (unsigned j = 0; j < market->count; j++) {
            bool counts = !market->out[j] && market->bids[j].group == bid->group;
            for (unsigned k = 0; k < j && counts; k++)
                counts = market->out[k] || market->bids[k].group != bid->group ||
                         market->bids[k].message != market->bids[j].message;
            messages += counts;
        }
        whole[i] = bid->group == 0 ||
                   (bid->group_size <= market->slots && messages >= bid->group_size);
    }
    for (unsigned i = 0; i < market->count && market->limits.groups; i++)
        if (!whole[i]) market->out[i] = true;
}

// What a seat pays over its floors, slot by slot: (4) and (5).
static void
pay(const struct market_case *market, const struct trial *best, uint32_t seat,
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
        assert_true(trial.found);
        unsigned class = CLASSES - 1u - market->bids[best->best[slot]].priority;
        gain[slot] = trial.most.over[class] - last.over[class];
        last = trial.most;
    }
    for (unsigned class = 0; class < CLASSES; class++) {
        int64_t left = last.over[class] - others.over[class];
        for (unsigned turn = 0; turn < 2; turn++) {
            for (unsigned slot = 0; slot < market->slots; slot++) {
                if (best->best[slot] < 0) continue;
                const struct vcg_bid *bid = &market->bids[best->best[slot]];
                if (bid->seat != seat || CLASSES - 1u - bid->priority != class) continue;
                if (turn == 0) pays[slot] = 0;
                int64_t part = turn == 0 ? gain[slot] : left;
                int64_t room = score_of(bid) - bid->floor.micros - pays[slot];
                if (part > room) part = room;
                if (part > left) part = left;
                if (part < 0) part = 0;
                pays[slot] += part;
                left -= part;
            }
        }
    }
}

static void
sell(const struct market_case *market, struct vcg *vcg, uint32_t nodes,
     struct vcg_sale sales[BOUND_SLOTS])
{
    vcg_open(vcg, market->seed, market->slots);
    vcg_limit(vcg, &market->limits);
    vcg->nodes_max = nodes;
    for (unsigned i = 0; i < market->count; i++)
        assert_int_equal(vcg_add(vcg, &market->bids[i]),
                         score_of(&market->bids[i]) >= market->bids[i].floor.micros);
    vcg_close(vcg, sales);
}

static void
check_setter(const struct market_case *market, const struct vcg_bid *winner,
             const struct vcg_sale *sale, int64_t target)
{
    if (sale->setter == 0) return;
    const struct vcg_bid *setter = &market->bids[sale->setter - 1];
    assert_int_equal(winner->at, DEAL_SECOND_PRICE);
    assert_true(setter->seat != winner->seat && setter->slot == winner->slot);
    assert_int_equal(score_of(setter), target);
    assert_true(target > winner->floor.micros);
}

static unsigned
compare(struct market_case *market, uint64_t number, unsigned *out_quota)
{
    static struct vcg vcg;
    struct vcg_sale sales[BOUND_SLOTS];
    sell(market, &vcg, UINT32_MAX, sales);
    assert_false(vcg.cut_short);
    throw_out(market);
    struct trial best = try_all(market, 0);
    unsigned quota = market->limits.quota_count;
    if (quota > best.most_quota) quota = best.most_quota;
    if (quota > 0) best = try_all(market, quota);
    *out_quota = quota;
    unsigned wins = 0;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        int row = best.best[slot];
        if (sales[slot].winner != (row < 0 ? 0 : market->bids[row].bid))
            fail_msg("market %llu slot %u: bid %llu, brute force %d", (unsigned long long)number,
                     slot, (unsigned long long)sales[slot].winner, row + 1);
        if (row < 0) continue;
        wins++;
        const struct vcg_bid *winner = &market->bids[row];
        int64_t pays[BOUND_SLOTS] = {0};
        pay(market, &best, winner->seat, pays);
        enum price_kind kind = (enum price_kind)winner->kind;
        int64_t target = winner->floor.micros + pays[slot];
        int64_t price = price_reaching(kind, money_of(target), winner->multiplier).micros;
        if (winner->at == DEAL_FIRST_PRICE) price = winner->price.micros;
        if (winner->at == DEAL_FIXED)
            price = price_reaching(kind, winner->floor, winner->multiplier).micros;
        if (sales[slot].price.micros != price)
            fail_msg("market %llu slot %u: price %lld, brute force %lld",
                     (unsigned long long)number, slot, (long long)sales[slot].price.micros,
                     (long long)price);
        assert_true(price <= winner->price.micros);
        check_setter(market, winner, &sales[slot], target);
    }
    return wins;
}

// --- Random markets ------------------------------------------------------------------------------
struct message {
    uint32_t seat, category, group;
    uint8_t group_size, priority, kind, at;
    bool quota;
    uint64_t multiplier;
};
struct shape {
    unsigned slots, bids, messages, seats;
    uint32_t amounts;
    bool mixed_price, priorities;
};

static void
random_message(struct random *random, const struct shape *shape, struct message *message)
{
    *message = (struct message){.seat = random_below(random, shape->seats),
                                .category = random_below(random, 4),
                                .quota = random_chance(random, 30)};
    if (shape->priorities && random_chance(random, 30))
        message->priority = (uint8_t)random_below(random, CLASSES);
    if (!shape->mixed_price) return;
    message->kind = (uint8_t)random_below(random, PRICE_KIND_COUNT);
    message->at = random_chance(random, 30) ? (uint8_t)random_below(random, DEAL_AT_COUNT) : 0;
    if (message->kind == PRICE_RESPONSE) message->multiplier = random_below(random, 5) << 30;
    if (message->kind == PRICE_SHARE) message->multiplier = random_below(random, 40);
}

static void
random_case(struct random *random, const struct shape *shape, struct market_case *out)
{
    static struct message messages[BIDS];
    out->seed = random_next(random);
    out->slots = shape->slots;
    out->count = shape->bids;
    out->limits = (struct vcg_limits){.paid_max = random_below(random, shape->slots + 1),
                                      .quota_count = random_below(random, shape->slots + 1),
                                      .separate = random_chance(random, 60),
                                      .groups = random_chance(random, 60)};
    for (unsigned i = 0; i < shape->messages; i++) random_message(random, shape, &messages[i]);
    // Groups are of a seat; now and then one asks for more than there is.
    for (unsigned i = 0; i < shape->messages; i++) {
        if (messages[i].group != 0 || !random_chance(random, 25)) continue;
        unsigned size = 0;
        for (unsigned j = i; j < shape->messages && size < 3; j++)
            if (messages[j].seat == messages[i].seat && messages[j].group == 0 && ++size > 0)
                messages[j].group = i + 1;
        size += random_chance(random, 10);
        for (unsigned j = i; j < shape->messages; j++)
            if (messages[j].group == i + 1) messages[j].group_size = (uint8_t)size;
    }
    bool own_floors = random_chance(random, 40);
    for (unsigned i = 0; i < out->count; i++) {
        uint32_t of = random_below(random, shape->messages);
        const struct message *message = &messages[of];
        struct vcg_bid *bid = &out->bids[i];
        *bid = (struct vcg_bid){.bid = i + 1,
                                .seat = message->seat,
                                .message = of,
                                .number = i,
                                .slot = (uint8_t)random_below(random, shape->slots),
                                .category = message->category,
                                .group = message->group_size > 1 ? message->group : 0,
                                .group_size = message->group_size,
                                .priority = message->priority,
                                .kind = message->kind,
                                .at = message->at,
                                .multiplier = message->multiplier,
                                .paid = message->seat % 2 == 0,
                                .quota = message->quota};
        bid->price = money_of(random_below(random, shape->amounts));
        if (bid->kind == PRICE_SHARE) bid->price.micros *= 1000000 / shape->amounts;
        bid->floor = money_of(own_floors ? random_below(random, shape->amounts / 2 + 1)
                                         : bid->slot % (shape->amounts / 2 + 1));
    }
}

static void
test_brute_force(void **state)
{
    (void)state;
    static struct market_case market;
    static const uint32_t amounts[] = {4, 12, 100000};
    struct random random = {random_seed(SEED)};
    unsigned wins = 0, quotas = 0, searched = 0;
    for (uint64_t i = 0; i < 6000; i++) {
        struct shape shape = {.slots = 1 + random_below(&random, 4),
                              .bids = random_below(&random, 13),
                              .messages = 1 + random_below(&random, 9),
                              .seats = 1 + random_below(&random, 5),
                              .amounts = amounts[i % 3],
                              .mixed_price = i % 2,
                              .priorities = i % 5 < 2};
        random_case(&random, &shape, &market);
        unsigned quota;
        wins += compare(&market, i, &quota);
        quotas += quota > 0;
    }
    // More bids of a slot than are kept without limits: what is left out must not matter.
    for (uint64_t i = 0; i < 1200; i++) {
        struct shape shape = {.slots = 2,
                              .bids = 20 + random_below(&random, 60),
                              .messages = 4 + random_below(&random, 30),
                              .seats = 1 + random_below(&random, 5),
                              .amounts = amounts[i % 3],
                              .priorities = i % 5 == 0};
        random_case(&random, &shape, &market);
        unsigned quota;
        wins += compare(&market, 10000 + i, &quota);
        searched += quota > 0;
    }
    printf("%u placements, %u + %u contacts with a quota\n", wins, quotas, searched);
    assert_true(wins > 5000 && quotas > 1000 && searched > 300);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brute_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
