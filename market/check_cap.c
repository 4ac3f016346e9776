// Caps: what they count is there; no two of the same contradict or repeat each other. A cap that
// another makes unreachable is a warning: what counts for it counts for the other too, which stops
// at no more, in a window that holds its own.
#include "check_cap.h"

#include <string.h>

#define ERROR(place, ...) report_error(checker->report, place, checker->object, __VA_ARGS__)
#define WARN(place, ...) report_warning(checker->report, place, checker->object, __VA_ARGS__)

static void
check_cap_of(struct checker *checker, const struct market_cap *cap)
{
    size_t len = strlen(cap->of);
    enum objective objective;
    enum channel channel;
    if (len == 0) return;
    switch ((enum cap_per)cap->per) {
    case CAP_MESSAGE:
        if (index_find(checker->messages, cap->of) == NULL)
            ERROR(cap->of_place, "of: no message '%s'", cap->of)->mend = report_mean(
                checker->report, cap->of, checker->message_codes, checker->market->message_count,
                "declare it under `messages`");
        return;
    case CAP_SEAT: (void)check_seat_named(checker, cap->of_place, "of", cap->of); return;
    case CAP_OBJECTIVE:
        if (objective_parse(cap->of, len, &objective) != STATUS_OK)
            ERROR(cap->of_place, "of: '%s' is no objective", cap->of)->mend =
                "use identify, recognize, fulfill, upgrade, cross_sell, expand, educate, collect "
                "or refer";
        return;
    case CAP_CATEGORY:
        for (uint32_t i = 0; i < checker->market->message_count; i++)
            if (strcmp(checker->market->messages[i].category, cap->of) == 0) return;
        WARN(cap->of_place, "of: no message is of category '%s'", cap->of)->mend =
            "it can never count";
        return;
    case CAP_CHANNEL:
        if (channel_parse(cap->of, len, &channel) != STATUS_OK)
            ERROR(cap->of_place, "of: '%s' is no channel", cap->of)->mend =
                "use call, web, app, store, email, chat, sms, bill, parcel, kiosk, social or "
                "partner";
        return;
    case CAP_ANY:
        ERROR(cap->of_place, "of: a cap per any counts everything")->mend = "remove `of`";
        return;
    case CAP_PER_COUNT: return;
    }
}

static bool
same_window(const struct market_cap *a, const struct market_cap *b)
{
    return a->window == b->window && a->minutes == b->minutes;
}

// Does everything in the one's window lie in the other's, too?
static bool
window_within(const struct market_cap *shorter, const struct market_cap *longer)
{
    static const uint32_t most_minutes[CAP_WINDOW_COUNT] = {
        [CAP_HOUR] = 60, [CAP_DAY] = 25 * 60, [CAP_WEEK] = 7 * 1440 + 60};
    if (longer->window == CAP_LIFETIME) return true;
    if (shorter->window == CAP_LIFETIME) return false;
    if (longer->window == CAP_MINUTES)
        return longer->minutes >=
               (shorter->window == CAP_MINUTES ? shorter->minutes : most_minutes[shorter->window]);
    return shorter->window != CAP_MINUTES && shorter->window <= longer->window;
}

static void
check_one(struct checker *checker, uint32_t index)
{
    const struct market_cap *caps = checker->market->caps, *cap = &caps[index];
    check_cap_of(checker, cap);
    for (uint32_t i = 0; i < index; i++) {
        const struct market_cap *other = &caps[i];
        if (other->per != cap->per || strcmp(other->of, cap->of) != 0) continue;
        if (!same_window(cap, other)) continue;
        if (cap->count == other->count)
            ERROR(cap->place, "says what cap '%s' in line %u says", other->code, other->place.line)
                ->mend = "keep one of them";
        else
            ERROR(cap->place,
                  "contradicts cap '%s' in line %u: %u here and %u there in the same window",
                  other->code, other->place.line, cap->count, other->count)
                ->mend = "keep the one that is meant";
        return;
    }
    for (uint32_t i = 0; i < checker->market->cap_count; i++) {
        const struct market_cap *other = &caps[i];
        bool covers = other->per == cap->per &&
                      (other->of[0] == '\0' || strcmp(other->of, cap->of) == 0);
        bool same = same_window(cap, other) && strcmp(other->of, cap->of) == 0;
        if (i == index || same || !covers || other->count > cap->count) continue;
        if (!window_within(cap, other)) continue;
        WARN(cap->place, "is never reached: cap '%s' in line %u stops at %u already", other->code,
             other->place.line, other->count)
            ->mend = "remove it, or let it count less";
        return;
    }
}

void
check_cap_all(struct checker *checker)
{
    for (uint32_t i = 0; i < checker->market->cap_count; i++) {
        checker->object = arena_printf(checker->arena, "cap %s", checker->market->caps[i].code);
        check_one(checker, i);
    }
}
