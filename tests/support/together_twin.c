#include "together_twin.h"

#include <string.h>

#include "fail.h"
#include "pace.h"

static unsigned
purses_of(const struct catalog *catalog, uint32_t message, struct together_twin_purse out[3])
{
    unsigned count = 1;
    out[0] = (struct together_twin_purse){.of = BUDGET_SEAT,
                                          .index = catalog->messages[message].seat};
    uint32_t campaign = catalog->messages[message].campaign;
    if (campaign == UINT32_MAX) return count;
    out[count++] = (struct together_twin_purse){.of = BUDGET_CAMPAIGN, .index = campaign};
    campaign = catalog->campaigns[campaign].parent;
    if (campaign != UINT32_MAX)
        out[count++] = (struct together_twin_purse){.of = BUDGET_CAMPAIGN, .index = campaign};
    return count;
}

static bool
draws_on(const struct catalog *catalog, uint32_t message, const struct together_twin_purse *purse)
{
    struct together_twin_purse all[3];
    unsigned count = purses_of(catalog, message, all);
    for (unsigned i = 0; i < count; i++)
        if (all[i].of == purse->of && all[i].index == purse->index) return true;
    return false;
}

static bool
is_narrowed(const struct together_twin *market, const struct catalog_bid *bid)
{
    for (unsigned i = 0; i < market->purse_count && bid->kind != PRICE_SHARE; i++) {
        const struct together_twin_purse *purse = &market->purses[i];
        bool admitted = false;
        for (unsigned j = 0; j < purse->admitted_count; j++)
            admitted |= purse->admitted[j] == bid->message;
        if (!admitted && draws_on(market->twin.catalog, bid->message, purse)) return true;
    }
    return false;
}

// As if the wins so far were those promised: nothing of what they cost, and never the bid's own.
enum reason
together_twin_judge(struct together_twin *market, const struct catalog_bid *bid, uint32_t slot,
                    struct twin_terms *terms)
{
    struct twin *twin = &market->twin;
    unsigned promised = twin->win_count;
    for (unsigned i = 0; i < promised; i++)
        if (twin->wins[i].message == bid->message) twin->win_count = 0;
    enum reason reason = twin_judge_terms(twin, bid, slot, terms);
    twin->win_count = promised;
    return reason == REASON_NONE && is_narrowed(market, bid) ? REASON_BUDGET : reason;
}

bool
together_twin_is_live(const struct together_twin *market, const struct catalog_bid *bid)
{
    const struct round_live *live = market->live;
    return live != NULL && live->count > 0 && bid >= live->bids && bid < live->bids + live->count;
}

uint32_t
together_twin_group(const struct together_twin *market, const struct catalog_bid *bid,
                    uint8_t *out_size)
{
    const struct catalog *catalog = market->twin.catalog;
    unsigned size = 0;
    if (!together_twin_is_live(market, bid)) {
        uint32_t group = catalog->messages[bid->message].group;
        for (uint32_t i = 0; group != 0 && i < catalog->message_count; i++)
            size += catalog->messages[i].group == group;
        *out_size = (uint8_t)size;
        return size > 1 ? group : 0;
    }
    uint8_t group = market->live->groups == NULL ? 0
                                                 : market->live->groups[bid - market->live->bids];
    for (uint32_t i = 0; group != 0 && i < market->live->count; i++)
        size += market->live->bids[i].seat == bid->seat && market->live->groups[i] == group;
    *out_size = (uint8_t)size;
    return size > 1 ? 1000000 + bid->seat * 256 + group : 0;
}

bool
together_twin_is_paid(const struct together_twin *market, const struct catalog_bid *bid)
{
    return market->twin.catalog->seats[bid->seat].kind == SEAT_PARTNER;
}

bool
together_twin_is_quota(const struct together_twin *market, const struct catalog_bid *bid)
{
    return market->twin.catalog->messages[bid->message].objectives &
           market->container->quota_objectives;
}

static void
offer(struct together_twin *market, uint32_t number, unsigned slot)
{
    const struct catalog_bid *bid = market->twin.bids[number];
    uint32_t index = market->container->slot_first + slot;
    struct twin_terms terms;
    if (bid->slot != UINT32_MAX && bid->slot != index) return;
    if (together_twin_judge(market, bid, index, &terms) != REASON_NONE) return;
    uint8_t size;
    uint32_t group = together_twin_group(market, bid, &size);
    int32_t category = market->twin.catalog->messages[bid->message].category;
    struct vcg_bid entry = {.bid = bid->id,
                            .seat = bid->seat,
                            .message = bid->message,
                            .slot = (uint8_t)slot,
                            .number = number,
                            .price = bid->price,
                            .floor = money_of(terms.floor),
                            .kind = bid->kind,
                            .at = terms.at,
                            .priority = terms.priority,
                            .multiplier = terms.multiplier,
                            .category = (uint32_t)(category + 1),
                            .group = group,
                            .group_size = size,
                            .paid = together_twin_is_paid(market, bid),
                            .quota = together_twin_is_quota(market, bid)};
    CHECK(market->force.count < VCG_TWIN_BIDS);
    market->force.bids[market->force.count++] = entry;
}

static bool
sell(struct together_twin *market, double most)
{
    struct vcg_twin *force = &market->force;
    uint64_t halves[2];
    memcpy(halves, market->twin.id.bytes, sizeof halves);
    force->seed = halves[0] ^ halves[1];
    force->slots = market->container->slot_count;
    force->limits = (struct vcg_limits){.paid_max = market->container->paid_max,
                                        .quota_count = market->container->quota_count,
                                        .separate = market->container->separate,
                                        .groups = true};
    force->count = 0;
    for (unsigned slot = 0; slot < market->container->slot_count; slot++)
        if (market->asked >> slot & 1)
            for (uint32_t i = 0; i < market->twin.bid_count; i++) offer(market, i, slot);
    unsigned quota;
    if (most > 0) return vcg_twin_sell(force, most, market->sales, &quota);
    vcg_open(&market->vcg, force->seed, force->slots);
    vcg_limit(&market->vcg, &force->limits);
    for (uint32_t i = 0; i < force->count; i++) CHECK(vcg_add(&market->vcg, &force->bids[i]));
    vcg_close(&market->vcg, market->sales);
    return true;
}

const struct catalog_bid *
together_twin_winner(const struct together_twin *market, unsigned slot)
{
    const struct vcg_sale *sale = &market->sales[slot];
    return sale->winner == 0 ? NULL : market->twin.bids[sale->number];
}

// Does the purse cover so much more: its total, its day, its pace?
static bool
covers(const struct together_twin *market, const struct together_twin_purse *purse, int64_t amount)
{
    const struct twin *twin = &market->twin;
    const struct catalog *catalog = twin->catalog;
    const struct catalog_seat *seat = &catalog->seats[purse->index];
    const struct catalog_campaign *campaign = &catalog->campaigns[purse->index];
    bool of_seat = purse->of == BUDGET_SEAT;
    const struct catalog_budget *budget = of_seat ? &seat->budget : &campaign->budget;
    uint32_t id = of_seat ? seat->id : campaign->id;
    struct catalog_day day = catalog_day_of(catalog, twin->now);
    int64_t total = budget->total.micros, daily = budget->daily.micros;
    if (total > budget->limit.micros) total = budget->limit.micros;
    if (daily > catalog_daily_limit(budget, day.day).micros)
        daily = catalog_daily_limit(budget, day.day).micros;
    int64_t after = book_spent(twin->book, purse->of, id).micros + amount;
    int64_t after_today = book_spent_on(twin->book, purse->of, id, day.day).micros + amount;
    if ((budget->has_total && after > total) || (budget->has_daily && after_today > daily))
        return false;
    enum pacing pacing = (enum pacing)budget->pacing;
    if (pacing == PACING_ASAP) return true;
    if (budget->has_daily)
        return after_today <=
               pace_allowance(pacing, money_of(daily), day.begins, day.ends, twin->now).micros;
    if (of_seat || !budget->has_total || campaign->from.us == 0 || campaign->until.us == 0)
        return true;
    return after <=
           pace_allowance(pacing, money_of(total), campaign->from, campaign->until, twin->now)
               .micros;
}

static int64_t
held(const struct catalog_bid *bid, int64_t price)
{
    return bid->kind == PRICE_SHARE ? 0 : price;
}

static bool
narrow_purse(struct together_twin *market, const struct together_twin_purse *of)
{
    int64_t pays = 0, admitted = 0;
    bool open[BOUND_SLOTS] = {false};
    for (unsigned i = 0; i < market->container->slot_count; i++) {
        const struct catalog_bid *bid = together_twin_winner(market, i);
        open[i] = bid != NULL && draws_on(market->twin.catalog, bid->message, of);
        if (open[i]) pays += held(bid, market->sales[i].price.micros);
    }
    if (pays == 0 || covers(market, of, pays)) return false;
    unsigned at = 0;
    while (at < market->purse_count &&
           (market->purses[at].of != of->of || market->purses[at].index != of->index))
        at++;
    CHECK(at < TOGETHER_TWIN_PURSES);
    if (at == market->purse_count) market->purse_count++;
    struct together_twin_purse *purse = &market->purses[at];
    *purse = *of;
    for (;;) {
        int dearest = -1;
        for (unsigned i = 0; i < market->container->slot_count; i++) {
            if (!open[i]) continue;
            const struct catalog_bid *bid = together_twin_winner(market, i);
            if (dearest < 0 ||
                held(bid, bid->price.micros) >
                    held(together_twin_winner(market, (unsigned)dearest),
                         together_twin_winner(market, (unsigned)dearest)->price.micros))
                dearest = (int)i;
        }
        if (dearest < 0) return true;
        open[dearest] = false;
        const struct catalog_bid *bid = together_twin_winner(market, (unsigned)dearest);
        int64_t amount = held(bid, bid->price.micros);
        if (!covers(market, of, admitted + amount)) continue;
        admitted += amount;
        purse->admitted[purse->admitted_count++] = bid->message;
    }
}

static bool
narrow_budgets(struct together_twin *market)
{
    const struct catalog *catalog = market->twin.catalog;
    bool narrowed = false;
    for (unsigned of = 0; of < BUDGET_MESSAGE; of++) {
        uint32_t count = of == BUDGET_SEAT ? catalog->seat_count : catalog->campaign_count;
        for (uint32_t i = 0; i < count; i++)
            if (narrow_purse(market,
                             &(struct together_twin_purse){.of = (enum budget_of)of, .index = i}))
                narrowed = true, market->purses_narrowed++;
    }
    return narrowed;
}

static bool
past_allows(struct together_twin *market, unsigned slot)
{
    // Everything else allowed it already, and the wins promised so far cost nothing.
    struct twin_terms terms;
    const struct catalog_bid *bid = together_twin_winner(market, slot);
    return twin_judge_terms(&market->twin, bid, market->container->slot_first + slot, &terms) ==
           REASON_NONE;
}

static bool
narrow_caps(struct together_twin *market)
{
    struct twin *twin = &market->twin;
    unsigned before = twin->win_count;
    bool open[BOUND_SLOTS] = {false}, narrowed = false;
    if (twin->contact->customer == 0) return false;
    for (unsigned i = 0; i < market->container->slot_count; i++) {
        const struct catalog_bid *bid = together_twin_winner(market, i);
        open[i] = bid != NULL && twin->catalog->messages[bid->message].cap_count > 0;
        for (unsigned j = 0; open[i] && j < before; j++)
            if (twin->wins[j].message == bid->message) open[i] = false;
    }
    for (;;) {
        int first = -1;
        for (unsigned i = 0; i < market->container->slot_count; i++) {
            const struct vcg_sale *sale = &market->sales[i];
            if (!open[i]) continue;
            if (first < 0 || sale->priority > market->sales[first].priority ||
                (sale->priority == market->sales[first].priority &&
                 sale->over.micros > market->sales[first].over.micros))
                first = (int)i;
        }
        if (first < 0) break;
        open[first] = false;
        if (!past_allows(market, (unsigned)first)) {
            narrowed = true;
            continue;
        }
        const struct catalog_bid *bid = together_twin_winner(market, (unsigned)first);
        CHECK(twin->win_count < BOUND_SLOTS);
        twin->wins[twin->win_count].seat = bid->seat;
        twin->wins[twin->win_count].message = bid->message;
        twin->wins[twin->win_count].price = twin->wins[twin->win_count].held = 0;
        twin->win_count++;
    }
    if (!narrowed) twin->win_count = before;
    market->promises += narrowed;
    return narrowed;
}

bool
together_twin_sell(struct together_twin *market, double most)
{
    market->purse_count = market->twin.win_count = 0;
    for (unsigned turn = 0;; turn++) {
        CHECK(turn < 60);
        if (!sell(market, most)) return false;
        if (!narrow_budgets(market) && !narrow_caps(market)) return true;
    }
}
