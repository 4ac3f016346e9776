// Totals by stable id, and of the three days that were started last: the newest counts for daily
// budgets, the others are there for a clock that was set forward by mistake and back again, so that
// the day it comes back to is still known.
//
// Invariants
//   (1) a total is the sum of the prices held and not given back; a day's amount the same of what
//       was won on that day, for as long as the day is counted
//   (2) what is given back is taken from the day of its win, never from another
//   (3) a total that leaves the range of money stays at the end of it for good: a budget of it is
//       exhausted, not open
#include "spend.h"

#include "fail.h"

void
spend_open(struct spend *spend, struct arena *arena)
{
    for (unsigned of = 0; of < BUDGET_OF_COUNT; of++)
        spend->lines[of] = arena_take(arena, spend_bound((enum budget_of)of),
                                      sizeof *spend->lines[of]);
    spend->deals = arena_take(arena, UINT16_MAX + 1, sizeof *spend->deals);
}

uint32_t
spend_bound(enum budget_of of)
{
    static const uint32_t bounds[BUDGET_OF_COUNT] = {
        [BUDGET_SEAT] = BOUND_SEATS,
        [BUDGET_CAMPAIGN] = BOUND_CAMPAIGNS,
        [BUDGET_MESSAGE] = BOUND_MESSAGES,
    };
    CHECK(of < BUDGET_OF_COUNT);
    return bounds[of];
}

// --- Days ----------------------------------------------------------------------------------------
// SPEND_DAYS when it is not counted.
static unsigned
find_day(const struct spend_days *days, uint16_t day)
{
    unsigned place = 0;
    while (place < SPEND_DAYS && (days->day[place] != day || day == 0)) place++;
    return place;
}

// Takes the place of the day that was started first.
static unsigned
start_day(struct spend_days *days, uint16_t day)
{
    unsigned place = days->next;
    days->day[place] = day;
    days->next = (uint16_t)((place + 1) % SPEND_DAYS);
    return place;
}

// --- Money ---------------------------------------------------------------------------------------
static money
more(money amount, money by)
{
    money sum;
    return money_add(amount, by, &sum) == STATUS_OK ? sum : money_of(INT64_MAX);
}

// Not below zero: a day that was forgotten and started anew knows less than is given back.
static money
less(money amount, money by)
{
    money difference;
    if (amount.micros == INT64_MAX) return amount;
    if (amount.micros < by.micros) return money_of(0);
    CHECK(money_subtract(amount, by, &difference) == STATUS_OK);
    return difference;
}

static void
hold(struct spend_line *line, money price, uint16_t day)
{
    line->total = more(line->total, price);
    if (day == 0) return;  // of the version before: unknown
    unsigned place = find_day(&line->days, day);
    if (place == SPEND_DAYS) {
        place = start_day(&line->days, day);
        line->of_day[place] = money_of(0);
    }
    line->of_day[place] = more(line->of_day[place], price);
}

static void
release(struct spend_line *line, money price, uint16_t day)
{
    line->total = less(line->total, price);
    unsigned place = find_day(&line->days, day);
    if (place < SPEND_DAYS) line->of_day[place] = less(line->of_day[place], price);
}

static void
each_line(struct spend *spend, const struct fact *placement,
          void (*change)(struct spend_line *line, money price, uint16_t day))
{
    money price = placement->placement.price;
    uint16_t day = placement->placement.day;
    change(&spend->lines[BUDGET_SEAT][placement->placement.seat], price, day);
    change(&spend->lines[BUDGET_MESSAGE][placement->placement.message], price, day);
    for (unsigned i = 0; i < 2; i++) {
        uint16_t campaign = placement->placement.campaigns[i];
        if (campaign != 0) change(&spend->lines[BUDGET_CAMPAIGN][campaign], price, day);
    }
}

void
spend_hold(struct spend *spend, const struct fact *placement)
{
    each_line(spend, placement, hold);
}

void
spend_release(struct spend *spend, const struct fact *placement)
{
    each_line(spend, placement, release);
}

money
spend_on(const struct spend *spend, enum budget_of of, uint32_t id, uint16_t day)
{
    const struct spend_line *line = &spend->lines[of][id];
    unsigned place = find_day(&line->days, day);
    return place < SPEND_DAYS ? line->of_day[place] : money_of(0);
}

bool
spend_line_used(const struct spend_line *line)
{
    return line->total.micros != 0 || line->days.day[0] != 0;
}

// --- Deals ---------------------------------------------------------------------------------------
void
spend_promise(struct spend *spend, const struct fact *placement)
{
    if (placement->placement.deal == 0 || placement->placement.day == 0) return;
    struct spend_deal *deal = &spend->deals[placement->placement.deal];
    unsigned place = find_day(&deal->days, placement->placement.day);
    if (place == SPEND_DAYS) {
        place = start_day(&deal->days, placement->placement.day);
        deal->deliveries[place] = 0;
    }
    if (deal->deliveries[place] < UINT32_MAX) deal->deliveries[place]++;
}

void
spend_break(struct spend *spend, const struct fact *placement)
{
    if (placement->placement.deal == 0) return;
    struct spend_deal *deal = &spend->deals[placement->placement.deal];
    unsigned place = find_day(&deal->days, placement->placement.day);
    if (place < SPEND_DAYS && deal->deliveries[place] > 0) deal->deliveries[place]--;
}

uint32_t
spend_deliveries(const struct spend *spend, uint32_t deal, uint16_t day)
{
    if (deal > UINT16_MAX) return 0;
    unsigned place = find_day(&spend->deals[deal].days, day);
    return place < SPEND_DAYS ? spend->deals[deal].deliveries[place] : 0;
}
