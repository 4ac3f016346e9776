// Caps of a decoded catalog: which of them may stop a message, and what counts towards them.
//
//   1 `caps` of the catalog: those of the market as declared, then one for each message with a cap
//     of its own (its short form), which counts that message alone in the last so many minutes
//   2 a message that only fulfills is what the customer came for: only a cap that names it, or the
//     objective fulfill, stops it or counts it
//   3 a message is remembered for as long as the longest window of the caps that may count it:
//     a day of the clock has up to 25 hours and a week one hour more than seven days
#include "catalog_caps.h"

#include <string.h>

#include "fail.h"

#define DAY_MINUTES 1440u

static bool
only_fulfills(const struct catalog_message *message)
{
    return message->objectives == 1u << OBJECTIVE_FULFILL;
}

static bool
is_named(const struct catalog_cap *cap, uint32_t message)
{
    return (cap->per == CAP_MESSAGE && cap->of == message) ||
           (cap->per == CAP_OBJECTIVE && cap->of == OBJECTIVE_FULFILL);
}

// May this cap, in some contact, stop or count the message? Both are the same question: what a cap
// stops is what it counts.
static bool
concerns(const struct catalog *catalog, const struct catalog_cap *cap, uint32_t index)
{
    const struct catalog_message *message = &catalog->messages[index];
    if (only_fulfills(message) && !is_named(cap, index)) return false;
    switch ((enum cap_per)cap->per) {
    case CAP_MESSAGE: return cap->of == UINT32_MAX || cap->of == index;
    case CAP_SEAT: return cap->of == UINT32_MAX || cap->of == message->seat;
    case CAP_OBJECTIVE: return (message->objectives >> cap->of & 1) != 0;
    case CAP_CATEGORY:
        return message->category >= 0 &&
               (cap->of == UINT32_MAX || cap->of == (uint32_t)message->category);
    case CAP_CHANNEL:
    case CAP_ANY: return true;
    case CAP_PER_COUNT: break;
    }
    return false;
}

bool
catalog_cap_counts(const struct catalog *catalog, uint32_t cap, uint32_t message,
                   enum channel channel, uint32_t shown, enum channel shown_channel)
{
    CHECK(cap < catalog->cap_count && message < catalog->message_count &&
          shown < catalog->message_count);
    const struct catalog_cap *is = &catalog->caps[cap];
    if (!concerns(catalog, is, message) || !concerns(catalog, is, shown)) return false;
    const struct catalog_message *one = &catalog->messages[message],
                                 *other = &catalog->messages[shown];
    switch ((enum cap_per)is->per) {
    case CAP_MESSAGE: return message == shown;
    case CAP_SEAT: return one->seat == other->seat;
    case CAP_CATEGORY: return one->category == other->category;
    case CAP_CHANNEL:
        return channel == shown_channel && (is->of == UINT32_MAX || is->of == (uint32_t)channel);
    case CAP_OBJECTIVE:
    case CAP_ANY: return true;
    case CAP_PER_COUNT: break;
    }
    return false;
}

static uint16_t
days_of(const struct catalog_cap *cap)
{
    switch ((enum cap_window)cap->window) {
    case CAP_MINUTES: return (uint16_t)((cap->minutes + DAY_MINUTES - 1) / DAY_MINUTES);
    case CAP_HOUR: return 1;
    case CAP_DAY: return 2;
    case CAP_WEEK: return 8;
    case CAP_LIFETIME:
    case CAP_WINDOW_COUNT: break;
    }
    return UINT16_MAX;
}

// The message's list, in `list`, which has room for all of the market's caps and one more.
static uint32_t
list_caps(const struct catalog *catalog, uint32_t market_caps, uint32_t index, uint32_t own,
          uint32_t *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < market_caps; i++)
        if (concerns(catalog, &catalog->caps[i], index)) list[count++] = i;
    if (own != UINT32_MAX) list[count++] = own;
    return count;
}

void
catalog_caps_build(struct catalog *catalog, struct catalog_message *messages,
                   const struct catalog_own_cap *own)
{
    uint32_t market_caps = catalog->cap_count, count = market_caps;
    for (uint32_t i = 0; i < catalog->message_count; i++) count += own[i].count > 0;
    struct catalog_cap *caps = arena_take(catalog->arena, (size_t)count + 1, sizeof *caps);
    memcpy(caps, catalog->caps, market_caps * sizeof *caps);
    catalog->caps = caps;
    catalog->cap_count = count;
    struct arena *scratch = arena_open("caps of a message");
    uint32_t *list = arena_take(scratch, (size_t)market_caps + 1, sizeof *list);
    uint32_t next = market_caps;
    const struct catalog_message *last = NULL;
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        struct catalog_message *message = &messages[i];
        bool has_own = own[i].count > 0;
        if (has_own)
            caps[next] = (struct catalog_cap){.per = CAP_MESSAGE,
                                              .window = CAP_MINUTES,
                                              .of = i,
                                              .count = own[i].count,
                                              .minutes = own[i].days * DAY_MINUTES,
                                              .code = message->code};
        message->cap_count = list_caps(catalog, market_caps, i, has_own ? next : UINT32_MAX, list);
        next += has_own;
        size_t size = message->cap_count * sizeof *list;
        // Most messages share their list with the one before.
        bool same = last != NULL && last->cap_count == message->cap_count &&
                    memcmp(last->caps, list, size) == 0;
        uint32_t *kept = same ? NULL : arena_take(catalog->arena, message->cap_count + 1, 4);
        if (!same) memcpy(kept, list, size);
        message->caps = same ? last->caps : kept;
        for (uint32_t j = 0; j < message->cap_count; j++) {
            uint16_t days = days_of(&caps[message->caps[j]]);
            if (days > message->remember_days) message->remember_days = days;
        }
        last = message;
    }
    arena_close(scratch);
}
