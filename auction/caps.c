// Pairs of (customer, message) with the minutes of their newest placements. BOUND_CAP_COUNT minutes
// are enough, because no cap counts further.
//
// Invariants
//   (1) a pair in use has customer != 0 and 1 to BOUND_CAP_COUNT minutes, ascending
//   (2) a pair is in the probe and in the heap exactly when it is in use
//   (3) a pair whose window is not over is never given up for another: a full pool refuses
#include "caps.h"

#include <string.h>

#define MINUTES_A_DAY 1440

static uint32_t
minute_of(usec at)
{
    return at.us <= 0 ? 0 : (uint32_t)(at.us / (60 * USEC_SECOND));
}

static uint64_t
hash_of(uint64_t customer, uint32_t message)
{
    return hash_mix(customer ^ hash_mix(message + 1ull));
}

void
caps_open(struct caps *caps, struct arena *arena, uint32_t capacity)
{
    caps->pairs = arena_take(arena, capacity, sizeof *caps->pairs);
    caps->free = arena_take(arena, capacity, sizeof *caps->free);
    caps->capacity = caps->free_count = capacity;
    for (uint32_t i = 0; i < capacity; i++) caps->free[i] = capacity - 1 - i;
    probe_open(&caps->probe, arena, capacity);
    heap_open(&caps->ends, arena, capacity);
}

static uint32_t
find(const struct caps *caps, uint64_t customer, uint32_t message)
{
    uint64_t hash = hash_of(customer, message);
    uint32_t at = probe_start(&caps->probe, hash), item;
    while ((item = probe_next(&caps->probe, hash, &at)) != PROBE_NONE) {
        if (caps->pairs[item].customer == customer && caps->pairs[item].message == message) break;
    }
    return item;
}

static void
give_back(struct caps *caps, uint32_t item)
{
    struct caps_pair *pair = &caps->pairs[item];
    probe_drop(&caps->probe, hash_of(pair->customer, pair->message), item);
    heap_drop(&caps->ends, item);
    memset(pair, 0, sizeof *pair);
    caps->free[caps->free_count++] = item;
}

static void
set_end(struct caps *caps, uint32_t item)
{
    const struct caps_pair *pair = &caps->pairs[item];
    heap_put(&caps->ends, item,
             (int64_t)pair->minutes[pair->count - 1] + (int64_t)pair->days * MINUTES_A_DAY);
}

bool
caps_add(struct caps *caps, uint64_t customer, uint32_t message, usec at, uint16_t days)
{
    uint32_t item = find(caps, customer, message);
    if (item == PROBE_NONE) {
        if (caps->free_count == 0) return false;
        item = caps->free[--caps->free_count];
        caps->pairs[item] = (struct caps_pair){.customer = customer, .message = message};
        probe_put(&caps->probe, hash_of(customer, message), item);
    }
    struct caps_pair *pair = &caps->pairs[item];
    if (pair->count == BOUND_CAP_COUNT) {
        memmove(pair->minutes, pair->minutes + 1, (BOUND_CAP_COUNT - 1) * sizeof *pair->minutes);
        pair->count--;
    }
    uint32_t minute = minute_of(at);
    unsigned place = pair->count++;
    for (; place > 0 && pair->minutes[place - 1] > minute; place--)
        pair->minutes[place] = pair->minutes[place - 1];
    pair->minutes[place] = minute;
    pair->days = days;
    set_end(caps, item);
    return true;
}

void
caps_remove(struct caps *caps, uint64_t customer, uint32_t message, usec at)
{
    uint32_t item = find(caps, customer, message);
    if (item == PROBE_NONE) return;
    struct caps_pair *pair = &caps->pairs[item];
    uint32_t minute = minute_of(at);
    unsigned place = 0;
    while (place < pair->count && pair->minutes[place] != minute) place++;
    if (place == pair->count) return;
    pair->count--;
    memmove(pair->minutes + place, pair->minutes + place + 1,
            (pair->count - place) * sizeof *pair->minutes);
    pair->minutes[pair->count] = 0;
    if (pair->count == 0) {
        give_back(caps, item);
    } else {
        set_end(caps, item);
    }
}

uint32_t
caps_count(const struct caps *caps, uint64_t customer, uint32_t message, uint32_t days, usec now)
{
    uint32_t item = find(caps, customer, message);
    if (item == PROBE_NONE) return 0;
    const struct caps_pair *pair = &caps->pairs[item];
    int64_t after = (int64_t)minute_of(now) - (int64_t)days * MINUTES_A_DAY;
    uint32_t count = 0;
    for (unsigned i = 0; i < pair->count; i++) count += pair->minutes[i] > after;
    return count;
}

bool
caps_has(const struct caps *caps, uint64_t customer, uint32_t message)
{
    return find(caps, customer, message) != PROBE_NONE;
}

void
caps_reclaim(struct caps *caps, usec now, uint32_t most)
{
    int64_t end;
    for (; most > 0; most--) {
        uint32_t item = heap_least(&caps->ends, &end);
        if (item == HEAP_NONE || end > (int64_t)minute_of(now)) return;
        give_back(caps, item);
    }
}
