// A table from hashes to the numbers of items that their owner keeps: open addressing, linear
// probing, at most half full, deletion by shifting back. Fixed size; the owner compares keys.
// Private to auction/.
#ifndef VENDUE_PROBE_H
#define VENDUE_PROBE_H

#include <stdint.h>

#include "arena.h"

#define PROBE_NONE UINT32_MAX

struct probe {
    uint64_t *cells;  // hash's low half << 32 | item + 1; 0 empty
    uint32_t mask;
};
void probe_open(struct probe *probe, struct arena *arena, uint32_t capacity);
void probe_put(struct probe *probe, uint64_t hash, uint32_t item);
void probe_drop(struct probe *probe, uint64_t hash, uint32_t item);  // must be there
void probe_clear(struct probe *probe);

// The cells of this hash will soon be looked at.
static inline void
probe_expect(const struct probe *probe, uint64_t hash)
{
    const uint64_t *cell = &probe->cells[(uint32_t)hash & probe->mask];
    __builtin_prefetch(cell, 1);
    __builtin_prefetch(cell + 8, 1);
}

// Candidates for a hash, one after the other; PROBE_NONE ends them:
//   uint32_t at = probe_start(probe, hash);
//   while ((item = probe_next(probe, hash, &at)) != PROBE_NONE) if (keys are the same) ...
static inline uint32_t
probe_start(const struct probe *probe, uint64_t hash)
{
    return (uint32_t)hash & probe->mask;
}
static inline uint32_t
probe_next(const struct probe *probe, uint64_t hash, uint32_t *at)
{
    for (;;) {
        uint64_t cell = probe->cells[*at];
        if (cell == 0) return PROBE_NONE;
        *at = (*at + 1) & probe->mask;
        if ((uint32_t)(cell >> 32) == (uint32_t)hash) return (uint32_t)cell - 1;
    }
}

#endif
