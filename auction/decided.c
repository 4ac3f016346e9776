// A ring of 64 bits a request, and an index over it: 13 1/3 bytes a request. A key that is there
// already keeps its place. Two requests meet once in 2^64 pairs; the later is then refused, nothing
// is sold twice.
//
// Invariants
//   (1) the ring's keys are all different, and each is in the index under its place
//   (2) at most `room` of them: the oldest are forgotten
#include "decided.h"

#include <string.h>

void
decided_open(struct decided *decided, struct arena *arena, uint32_t room)
{
    *decided = (struct decided){.room = room};
    decided->keys = arena_take(arena, room + 1u, sizeof *decided->keys);
    slim_open(&decided->index, arena, room);
}

static uint64_t
key_of(struct id request_key)
{
    uint64_t halves[2];
    memcpy(halves, request_key.bytes, sizeof halves);
    return hash_mix(halves[0] ^ hash_mix(halves[1]));
}

static uint64_t
hash_of(const void *owner, uint32_t item)
{
    return ((const struct decided *)owner)->keys[item];
}

static bool
has(const struct decided *decided, uint64_t key)
{
    uint32_t at = slim_home(&decided->index, key), item;
    while ((item = slim_next(&decided->index, key, &at)) != SLIM_NONE) {
        if (decided->keys[item] == key) return true;
    }
    return false;
}

void
decided_add(struct decided *decided, struct id request_key)
{
    uint64_t key = key_of(request_key);
    if (decided->room == 0 || has(decided, key)) return;
    uint32_t place = (uint32_t)(decided->end++ % decided->room);
    if (decided->end > decided->room)
        slim_drop(&decided->index, decided->keys[place], place, hash_of, decided);
    decided->keys[place] = key;
    slim_put(&decided->index, key, place);
    slim_expect(&decided->index, decided->keys[decided->end % decided->room]);  // leaves next
}

bool
decided_has(const struct decided *decided, struct id request_key)
{
    return has(decided, key_of(request_key));
}

void
decided_expect(const struct decided *decided, struct id request_key)
{
    slim_expect(&decided->index, key_of(request_key));
}
