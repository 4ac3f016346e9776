// How often a customer was promised a message: the counts behind frequency caps. Private to
// auction/.
#ifndef VENDUE_CAPS_H
#define VENDUE_CAPS_H

#include <stdbool.h>

#include "arena.h"
#include "bounds.h"
#include "clock.h"
#include "hash.h"
#include "heap.h"
#include "probe.h"

struct caps_pair {
    uint64_t customer;  // 0: free
    uint32_t message;
    uint32_t minutes[BOUND_CAP_COUNT];  // of the newest placements, ascending
    uint16_t days;                      // the cap's window when it was counted last
    uint8_t count, reserved;
};
_Static_assert(sizeof(struct caps_pair) == 64, "one cache line a pair");

struct caps {
    struct caps_pair *pairs;
    uint32_t *free;
    uint32_t capacity, free_count;
    struct probe probe;
    struct heap ends;  // pairs by the minute their newest placement leaves the window
};
void caps_open(struct caps *caps, struct arena *arena, uint32_t capacity);
// False when there is no room for a new pair.
bool caps_add(struct caps *caps, uint64_t customer, uint32_t message, usec at, uint16_t days);
// Takes back one placement counted at that time, if it is still known.
void caps_remove(struct caps *caps, uint64_t customer, uint32_t message, usec at);
// Placements within `days` before `now`: the sliding window of 1,440 x days minutes that ends with
// now's.
uint32_t
caps_count(const struct caps *caps, uint64_t customer, uint32_t message, uint32_t days, usec now);
bool caps_has(const struct caps *caps, uint64_t customer, uint32_t message);
// Frees pairs whose window is over, at most `most` of them.
void caps_reclaim(struct caps *caps, usec now, uint32_t most);

#endif
