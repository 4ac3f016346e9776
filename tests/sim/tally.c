#include "tally.h"

#include <stdlib.h>

#include "fail.h"
#include "sim.h"

void
tally_open(struct tally *tally)
{
    *tally = (struct tally){0};
    tally->placements = calloc(TALLY_PLACEMENTS / 2, sizeof *tally->placements);
    tally->table = calloc(TALLY_PLACEMENTS, sizeof *tally->table);
    tally->learned = calloc((size_t)TALLY_MESSAGES * TALLY_CELLS, sizeof *tally->learned);
    CHECK(tally->placements != NULL && tally->table != NULL && tally->learned != NULL);
}

void
tally_close(struct tally *tally)
{
    free(tally->placements);
    free(tally->table);
    free(tally->learned);
}

// --- Placements ----------------------------------------------------------------------------------
static uint32_t
place_of(const struct tally *tally, struct id placement)
{
    uint64_t half;
    memcpy(&half, placement.bytes + 8, sizeof half);
    uint32_t at = (uint32_t)hash_mix(half) % TALLY_PLACEMENTS;
    for (; tally->table[at] != 0; at = (at + 1) % TALLY_PLACEMENTS) {
        const struct fact *fact = &tally->placements[tally->table[at] - 1].fact;
        if (id_same(fact_placement(fact), placement)) break;
    }
    return at;
}

static struct tally_placement *
find(const struct tally *tally, struct id placement)
{
    uint32_t found = tally->table[place_of(tally, placement)];
    return found == 0 ? NULL : &tally->placements[found - 1];
}

static int64_t
minute_of(usec at)
{
    return at.us / (60 * USEC_SECOND) - (at.us % (60 * USEC_SECOND) < 0);
}

// --- Budgets -------------------------------------------------------------------------------------
// What a win takes from budgets; a share takes nothing.
static int64_t
taken(const struct fact *fact)
{
    return fact->placement.kind == PRICE_SHARE ? 0 : fact->placement.price.micros;
}

static void
spend(struct tally_spend *spend, uint16_t day, int64_t micros)
{
    spend->total += micros;
    if (day > spend->newest) {
        spend->newest = day;
        spend->of_newest = 0;
    }
    if (day == spend->newest) spend->of_newest += micros;
}

// All budgets of the tree that a placement takes from; the count of them.
static unsigned
purses(struct tally *tally, const struct fact *fact, struct tally_spend *out_purses[4])
{
    unsigned count = 0;
    out_purses[count++] = &tally->seats[fact->placement.seat];
    out_purses[count++] = &tally->messages[fact->placement.message];
    for (unsigned i = 0; i < 2; i++) {
        if (fact->placement.campaigns[i] == 0) continue;
        CHECK(fact->placement.campaigns[i] < TALLY_CAMPAIGNS);
        out_purses[count++] = &tally->campaigns[fact->placement.campaigns[i]];
    }
    return count;
}

static void
within(const char *what, const char *code, const struct catalog_budget *budget,
       const struct tally_spend *spend, uint16_t day)
{
    if (budget->has_total && spend->total > budget->limit.micros)
        sim_fail("%s %s spent %lld of %lld micros", what, code, (long long)spend->total,
                 (long long)budget->limit.micros);
    int64_t of_day = spend->newest == day ? spend->of_newest : 0;
    if (budget->has_daily && of_day > catalog_daily_limit(budget, day).micros)
        sim_fail("%s %s spent %lld of the day's %lld micros", what, code, (long long)of_day,
                 (long long)catalog_daily_limit(budget, day).micros);
}

static void
judge_budgets(const struct tally *tally, const struct catalog *catalog, const struct fact *fact)
{
    if (taken(fact) == 0) return;  // it takes nothing, whatever is left
    const struct catalog_message *message =
        &catalog->messages[catalog_message_by_id(catalog, fact->placement.message)];
    const struct catalog_seat *seat = &catalog->seats[message->seat];
    uint16_t day = catalog_day_of(catalog, fact->at).day;
    if (fact->placement.day != day) sim_fail("won on day %u, not %u", day, fact->placement.day);
    within("seat", seat->code, &seat->budget, &tally->seats[seat->id], day);
    within("message", message->code, &message->budget, &tally->messages[message->id], day);
    unsigned up = 0;
    for (uint32_t at = message->campaign; at != UINT32_MAX; at = catalog->campaigns[at].parent) {
        const struct catalog_campaign *campaign = &catalog->campaigns[at];
        if (up >= 2 || fact->placement.campaigns[up++] != campaign->id)
            sim_fail("the placement does not name campaign %s", campaign->code);
        within("campaign", campaign->code, &campaign->budget, &tally->campaigns[campaign->id], day);
    }
}

// --- Caps ----------------------------------------------------------------------------------------
static bool
counts_for_caps(const struct tally_placement *is)
{
    return is->fact.placement.cap_days != 0 && is->state != PLACEMENT_CANCELLED &&
           is->state != PLACEMENT_EXPIRED;
}

// And for as long as the caps of its day asked.
static bool
is_remembered(const struct tally_placement *is, usec now)
{
    uint16_t days = is->fact.placement.cap_days;
    return counts_for_caps(is) &&
           (days == UINT16_MAX || minute_of(is->shown) > minute_of(now) - (int64_t)days * 24 * 60);
}

// The first minute that a cap looks back on.
static int64_t
looks_back_to(const struct catalog *catalog, const struct catalog_cap *cap, usec now)
{
    if (cap->window == CAP_LIFETIME) return INT64_MIN;
    if (cap->window == CAP_MINUTES) return minute_of(now) - cap->minutes + 1;
    return minute_of(catalog_window_began(catalog, (enum cap_window)cap->window, now));
}

// After a win no cap that may stop its message has counted more than it admits. Placements that
// were won before a cap asked for them are not counted by it.
static void
judge_caps(const struct tally *tally, const struct catalog *catalog, const struct fact *fact)
{
    uint32_t index = catalog_message_by_id(catalog, fact->placement.message);
    const struct catalog_message *message = &catalog->messages[index];
    if (fact->customer == 0) return;
    enum channel channel = (enum channel)(fact->placement.cell % CHANNEL_COUNT);
    for (uint32_t i = 0; i < message->cap_count; i++) {
        const struct catalog_cap *cap = &catalog->caps[message->caps[i]];
        int64_t from = looks_back_to(catalog, cap, fact->at);
        uint32_t count = 0;
        for (uint32_t at = tally->of_customer[fact->customer]; at != 0;
             at = tally->placements[at - 1].next_of_customer) {
            const struct tally_placement *is = &tally->placements[at - 1];
            uint32_t shown = catalog_message_by_id(catalog, is->fact.placement.message);
            if (!is_remembered(is, fact->at) || shown == UINT32_MAX || minute_of(is->shown) < from)
                continue;
            count += catalog_cap_counts(catalog, message->caps[i], index, channel, shown,
                                        (enum channel)(is->fact.placement.cell % CHANNEL_COUNT));
        }
        if (count > cap->count)
            sim_fail("message %s: cap '%s' has counted %u, it admits %u", message->code, cap->code,
                     count, cap->count);
    }
}

// --- Placements and events -----------------------------------------------------------------------
static void
take_placement(struct tally *tally, const struct catalog *catalog, const struct fact *fact)
{
    uint32_t seat = fact->placement.seat, message = fact->placement.message;
    CHECK(tally->count < TALLY_PLACEMENTS / 2 && fact->customer < TALLY_CUSTOMERS);
    CHECK(seat < TALLY_SEATS && message < TALLY_MESSAGES);
    uint32_t place = place_of(tally, fact_placement(fact));
    if (tally->table[place] != 0) sim_fail("a placement was won twice");
    struct tally_placement *is = &tally->placements[tally->count++];
    tally->table[place] = tally->count;
    *is = (struct tally_placement){.fact = *fact, .state = PLACEMENT_HELD, .shown = fact->at};
    if (fact->customer != 0) {
        is->next_of_customer = tally->of_customer[fact->customer];
        tally->of_customer[fact->customer] = tally->count;
    }
    struct tally_spend *from[4];
    unsigned count = purses(tally, fact, from);
    for (unsigned i = 0; i < count; i++) spend(from[i], fact->placement.day, taken(fact));
    judge_budgets(tally, catalog, fact);
    judge_caps(tally, catalog, fact);
}

static void
take_back(struct tally *tally, struct tally_placement *is)
{
    if (market_due(is->fact.placement.kind, is->fact.placement.charge) == DUE_WIN) return;
    struct tally_spend *from[4];
    unsigned count = purses(tally, &is->fact, from);
    for (unsigned i = 0; i < count; i++) {
        uint16_t day = is->fact.placement.day;
        from[i]->total -= taken(&is->fact);
        if (day == from[i]->newest) from[i]->of_newest -= taken(&is->fact);
    }
}

static void
learn(struct tally *tally, const struct tally_placement *is, struct tally_learned add)
{
    const struct fact *fact = &is->fact;
    struct tally_learned *of[3] = {
        &tally->learned[fact->placement.message * TALLY_CELLS + fact->placement.cell],
        &tally->by_cell[fact->placement.rung][fact->placement.cell],
        &tally->by_rung[fact->placement.rung]};
    for (unsigned i = 0; i < 3; i++) {
        of[i]->delivered += add.delivered;
        of[i]->responded += add.responded;
        of[i]->converted += add.converted;
        of[i]->revenue += add.revenue;
    }
}

static void
take_end(struct tally *tally, struct tally_placement *is, const struct fact *fact)
{
    bool over = fact->at.us >= is->fact.placement.expires.us;
    if (is->state != PLACEMENT_HELD) sim_fail("a placement ended twice");
    if (fact->kind == FACT_DELIVERED && over) sim_fail("delivered after its window");
    if (fact->kind == FACT_EXPIRED && !over) sim_fail("expired within its window");
    is->state = fact->kind == FACT_DELIVERED   ? PLACEMENT_DELIVERED
                : fact->kind == FACT_CANCELLED ? PLACEMENT_CANCELLED
                                               : PLACEMENT_EXPIRED;
    if (is->state != PLACEMENT_DELIVERED) {
        take_back(tally, is);
        return;
    }
    is->shown = fact->at;
    learn(tally, is, (struct tally_learned){.delivered = 1});
}

// Shown, and its price not due yet.
static bool
is_waiting(const struct tally_placement *is)
{
    switch (market_due(is->fact.placement.kind, is->fact.placement.charge)) {
    case DUE_RESPONSE: return is->state == PLACEMENT_DELIVERED;
    case DUE_CONVERSION:
        return (is->state == PLACEMENT_DELIVERED || is->state == PLACEMENT_ACCEPTED) &&
               is->converted == 0;
    case DUE_WIN:
    case DUE_DELIVERY:
    case DUE_REVENUE: break;
    }
    return false;
}

static void
take_response(struct tally *tally, struct tally_placement *is, enum fact_kind kind)
{
    bool waiting = is_waiting(is);
    if (is->state != PLACEMENT_DELIVERED &&
        !(kind == FACT_LAPSED && is->state == PLACEMENT_ACCEPTED))
        sim_fail("a response to what was not shown");
    if (kind == FACT_LAPSED && !waiting) sim_fail("a placement lapsed whose price did not wait");
    is->state = kind == FACT_ACCEPTED   ? PLACEMENT_ACCEPTED
                : kind == FACT_DECLINED ? PLACEMENT_DECLINED
                                        : PLACEMENT_LAPSED;
    if (kind == FACT_ACCEPTED) learn(tally, is, (struct tally_learned){.responded = 1});
    else if (waiting) take_back(tally, is);
}

static void
take_revenue(struct tally *tally, struct tally_placement *is, const struct fact *fact)
{
    int64_t amount = fact->revenue.amount.micros;
    if (is->state == PLACEMENT_HELD || is->state == PLACEMENT_CANCELLED ||
        is->state == PLACEMENT_EXPIRED)
        sim_fail("revenue from what was not shown");
    if (fact->kind == FACT_CONVERTED) {
        bool first = is->converted == 0;
        is->converted += amount;
        learn(tally, is, (struct tally_learned){.converted = first, .revenue = amount});
        return;
    }
    is->refunded += amount;
    if (is->refunded > is->converted) sim_fail("more refunded than converted");
    learn(tally, is, (struct tally_learned){.revenue = -amount});
}

void
tally_take(struct tally *tally, const struct catalog *catalog, const struct fact *fact)
{
    enum fact_kind kind = (enum fact_kind)fact->kind;
    if (kind == FACT_PLACEMENT) take_placement(tally, catalog, fact);
    if (!tally_is_event(kind)) return;
    struct tally_placement *is = find(tally, fact_placement(fact));
    if (is == NULL) sim_fail("an event about a placement that nobody won");
    if (kind == FACT_ACCEPTED || kind == FACT_DECLINED || kind == FACT_LAPSED)
        take_response(tally, is, kind);
    else if (kind == FACT_CONVERTED || kind == FACT_REFUNDED) take_revenue(tally, is, fact);
    else if (kind == FACT_COMPLAINED) {
        if (is->complained) sim_fail("one complaint was taken twice");
        is->complained = true;
    } else take_end(tally, is, fact);
}

// --- Against the book ----------------------------------------------------------------------------
static void
compare_one_spend(const struct book *book, enum budget_of of, uint32_t id,
                  const struct tally_spend *spend)
{
    static const char *const names[] = {"seat", "campaign", "message"};
    int64_t total = book_spent(book, of, id).micros;
    int64_t of_day = book_spent_on(book, of, id, spend->newest).micros;
    if (total != spend->total)
        sim_fail("the book has %lld micros spent by %s %u, facts say %lld", (long long)total,
                 names[of], id, (long long)spend->total);
    if (of_day != spend->of_newest)
        sim_fail("the book has %lld micros of day %u spent by %s %u, facts say %lld",
                 (long long)of_day, spend->newest, names[of], id, (long long)spend->of_newest);
}

static void
compare_spent(const struct tally *tally, const struct book *book, const struct fact *fact)
{
    compare_one_spend(book, BUDGET_SEAT, fact->placement.seat, &tally->seats[fact->placement.seat]);
    compare_one_spend(book, BUDGET_MESSAGE, fact->placement.message,
                      &tally->messages[fact->placement.message]);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t campaign = fact->placement.campaigns[i];
        if (campaign != 0)
            compare_one_spend(book, BUDGET_CAMPAIGN, campaign, &tally->campaigns[campaign]);
    }
}

static void
compare_one_learned(struct learn_counts book, const struct tally_learned *facts, const char *of)
{
    if (book.delivered != facts->delivered || book.responded != facts->responded ||
        book.converted != facts->converted || book.revenue.micros != facts->revenue)
        sim_fail("of a %s the book has learned %llu, %llu, %llu, %lld, the facts say %llu, %llu, "
                 "%llu, %lld",
                 of, (unsigned long long)book.delivered, (unsigned long long)book.responded,
                 (unsigned long long)book.converted, (long long)book.revenue.micros,
                 (unsigned long long)facts->delivered, (unsigned long long)facts->responded,
                 (unsigned long long)facts->converted, (long long)facts->revenue);
}

static void
compare_learned(const struct tally *tally, const struct book *book, const struct fact *fact)
{
    uint8_t cell = fact->placement.cell;
    enum rung rung = (enum rung)fact->placement.rung;
    compare_one_learned(book_learned(book, fact->placement.message, cell),
                        &tally->learned[fact->placement.message * TALLY_CELLS + cell], "message");
    compare_one_learned(book_learned_in_cell(book, rung, cell), &tally->by_cell[rung][cell],
                        "cell");
    compare_one_learned(book_learned_on_rung(book, rung), &tally->by_rung[rung], "rung");
}

// Of one message in one channel no cap counts further than this many.
static bool
has_many_newer(const struct tally *tally, uint32_t first, uint32_t of)
{
    const struct fact *old = &tally->placements[of].fact;
    uint32_t newer = 0;
    for (uint32_t at = first; at != 0; at = tally->placements[at - 1].next_of_customer) {
        const struct tally_placement *is = &tally->placements[at - 1];
        newer += at - 1 != of && counts_for_caps(is) &&
                 is->fact.placement.message == old->placement.message &&
                 is->fact.placement.cell % CHANNEL_COUNT == old->placement.cell % CHANNEL_COUNT &&
                 is->shown.us >= tally->placements[of].shown.us;
    }
    return newer >= BOUND_CAP_COUNT;
}

// What the book tells of a customer's history happened, and once.
static uint32_t
compare_told(const struct tally *tally, const struct book *book, uint64_t customer)
{
    uint32_t told = 0, there = 0;
    struct book_shown shown = {0};
    while (book_next_shown(book, customer, &shown))
        if (shown.kind == SHOWN_MESSAGE) told += shown.count;
    for (uint32_t at = tally->of_customer[customer]; at != 0;
         at = tally->placements[at - 1].next_of_customer)
        there += counts_for_caps(&tally->placements[at - 1]);
    if (told > there)
        sim_fail("the book remembers %u placements of customer %llu, there were %u", told,
                 (unsigned long long)customer, there);
    return told;
}

// And what a cap may look back on is told. What is older may be forgotten at any time.
static void
compare_shown(const struct tally *tally, const struct book *book, uint64_t customer, usec now)
{
    uint32_t wanted = 0, told = compare_told(tally, book, customer);
    uint32_t first = tally->of_customer[customer];
    for (uint32_t at = first; at != 0; at = tally->placements[at - 1].next_of_customer) {
        const struct tally_placement *is = &tally->placements[at - 1];
        wanted += is_remembered(is, now) && !has_many_newer(tally, first, at - 1);
    }
    if (told < wanted)
        sim_fail("the book remembers %u placements of customer %llu, caps ask for %u", told,
                 (unsigned long long)customer, wanted);
}

bool
tally_is_event(enum fact_kind kind)
{
    return (kind >= FACT_DELIVERED && kind <= FACT_REFUNDED) || kind == FACT_LAPSED ||
           kind == FACT_COMPLAINED;
}

void
tally_compare_fact(const struct tally *tally, const struct book *book, const struct fact *fact)
{
    enum fact_kind kind = (enum fact_kind)fact->kind;
    if (kind != FACT_PLACEMENT && !tally_is_event(kind)) return;
    const struct tally_placement *is = find(tally, fact_placement(fact));
    struct book_placement kept;
    if (book_find_placement(book, fact_placement(fact), &kept)) {
        if (kept.state != is->state || kept.converted.micros != is->converted ||
            kept.refunded.micros != is->refunded)
            sim_fail("the book has another state or revenue of a placement than the facts");
        compare_learned(tally, book, &is->fact);
    }
    compare_spent(tally, book, &is->fact);
    if (fact->customer != 0) (void)compare_told(tally, book, fact->customer);
}

void
tally_compare(const struct tally *tally, const struct book *book, usec now)
{
    for (uint32_t i = 0; i < TALLY_SEATS; i++)
        compare_one_spend(book, BUDGET_SEAT, i, &tally->seats[i]);
    for (uint32_t i = 1; i < TALLY_CAMPAIGNS; i++)
        compare_one_spend(book, BUDGET_CAMPAIGN, i, &tally->campaigns[i]);
    for (uint32_t i = 0; i < TALLY_MESSAGES; i++)
        compare_one_spend(book, BUDGET_MESSAGE, i, &tally->messages[i]);
    for (uint64_t customer = 1; customer < TALLY_CUSTOMERS; customer++)
        compare_shown(tally, book, customer, now);
    uint64_t held = 0;
    for (uint32_t i = 0; i < tally->count; i++) {
        const struct tally_placement *is = &tally->placements[i];
        held += is->state == PLACEMENT_HELD || is_waiting(is);
    }
    if (held != book_counts(book).placements_held)
        sim_fail("the book holds %llu placements, facts %llu",
                 (unsigned long long)book_counts(book).placements_held, (unsigned long long)held);
}
