// The host's clock, and what of a catalog depends on the time: limits of a day, deals.
//
// The clock is a list of shifts, ascending: from `from` on it is `offset_seconds` ahead of UTC; the
// first one begins at -infinity. Without shifts the clock is UTC.
//   1 A day begins at the first moment at which the clock reads its midnight or later, and ends
//     where the next begins. So a day whose midnight is jumped over begins at the jump; one whose
//     midnight comes twice begins the first time; days follow each other without a gap, and have
//     23 to 25 hours where the clock changes by one.
//   2 A week begins with its Monday.
//   3 An hour has sixty minutes and begins when the clock reads a full hour: the hour that comes
//     twice is two hours.
#include "catalog.h"

#include "fail.h"

#define HOUR_US (3600 * USEC_SECOND)
#define DAY_MONDAY 4  // 1970-01-05
#define OFFSET_US_MAX (26 * HOUR_US)

// The shift in force; the first also before its own beginning.
static uint32_t
shift_at(const struct catalog *catalog, int64_t us)
{
    uint32_t least = 0, most = catalog->shift_count;
    while (most - least > 1) {
        uint32_t middle = least + (most - least) / 2;
        if (catalog->shifts[middle].from.us <= us) least = middle;
        else most = middle;
    }
    return least;
}

static int64_t
offset_us(const struct catalog *catalog, uint32_t shift)
{
    return shift < catalog->shift_count ? catalog->shifts[shift].offset_seconds * USEC_SECOND : 0;
}

static int64_t
divide_down(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

// The first moment at which the clock reads `local` or later. No offset is beyond OFFSET_US_MAX, so
// no moment earlier than the one searched from can read it.
static int64_t
first_reading(const struct catalog *catalog, int64_t local)
{
    uint32_t shift = shift_at(catalog, local - OFFSET_US_MAX);
    for (; shift + 1 < catalog->shift_count; shift++)
        if (local - offset_us(catalog, shift) < catalog->shifts[shift + 1].from.us) break;
    int64_t moment = local - offset_us(catalog, shift);
    bool jumped = shift > 0 && moment < catalog->shifts[shift].from.us;
    return jumped ? catalog->shifts[shift].from.us : moment;
}

// The day that `at` lies in: the one the clock shows, or the next when that has begun before (the
// clock went back over midnight).
static int64_t
day_at(const struct catalog *catalog, usec at)
{
    int64_t local = at.us + offset_us(catalog, shift_at(catalog, at.us));
    int64_t day = divide_down(local, USEC_DAY);
    while (first_reading(catalog, (day + 1) * USEC_DAY) <= at.us) day++;
    return day;
}

struct catalog_day
catalog_day_of(const struct catalog *catalog, usec at)
{
    int64_t day = day_at(catalog, at);
    int64_t number = day < 0 ? 0 : day < UINT16_MAX ? day : UINT16_MAX;
    return (struct catalog_day){.day = (uint16_t)number,
                                .begins = {first_reading(catalog, day * USEC_DAY)},
                                .ends = {first_reading(catalog, (day + 1) * USEC_DAY)}};
}

usec
catalog_window_began(const struct catalog *catalog, enum cap_window window, usec at)
{
    int64_t day;
    switch (window) {
    case CAP_HOUR: {
        int64_t local = at.us + offset_us(catalog, shift_at(catalog, at.us));
        return (usec){at.us - (local - divide_down(local, HOUR_US) * HOUR_US)};
    }
    case CAP_DAY: return (usec){first_reading(catalog, day_at(catalog, at) * USEC_DAY)};
    case CAP_WEEK:
        day = day_at(catalog, at);
        day -= day - DAY_MONDAY - divide_down(day - DAY_MONDAY, 7) * 7;
        return (usec){first_reading(catalog, day * USEC_DAY)};
    case CAP_LIFETIME: return (usec){INT64_MIN};
    case CAP_MINUTES:
    case CAP_WINDOW_COUNT: break;
    }
    CHECK(!"a window of the calendar");
    return (usec){0};
}

money
catalog_daily_limit(const struct catalog_budget *budget, uint16_t day)
{
    if (budget->limit_day == 0 || day == budget->limit_day) return budget->daily_limit;
    return day == budget->limit_day + 1 ? budget->next_daily_limit : money_of(0);
}

bool
catalog_judged_first(const struct catalog *catalog, uint32_t message, enum price_kind kind)
{
    CHECK(message < catalog->message_count);
    const struct catalog_message *is = &catalog->messages[message];
    return kind != PRICE_PLACEMENT || is->priority > 0 || is->deal != UINT32_MAX;
}

const struct catalog_deal *
catalog_deal_of(const struct catalog *catalog, uint32_t slot, uint32_t message, usec at)
{
    CHECK(message < catalog->message_count && slot < catalog->slot_count);
    if (catalog->messages[message].deal == UINT32_MAX) return NULL;
    const struct catalog_deal *deal = &catalog->deals[catalog->messages[message].deal];
    if (at.us < deal->from.us || (deal->until.us != 0 && at.us >= deal->until.us)) return NULL;
    if (deal->slot_count == 0) return deal;
    uint32_t least = 0, most = deal->slot_count;
    while (least < most) {
        uint32_t middle = least + (most - least) / 2;
        if (deal->slots[middle] == slot) return deal;
        if (deal->slots[middle] < slot) least = middle + 1;
        else most = middle;
    }
    return NULL;
}
