// Look-up tables of the core: from a text or a 64-bit id to an index. Private to auction/.
#ifndef VENDUE_LOOKUP_H
#define VENDUE_LOOKUP_H

#include "arena.h"
#include "hash.h"
#include "terms.h"

#define LOOKUP_NONE UINT32_MAX

struct lookup_slot {
    union {
        const char *text;  // not copied: must live as long as the table
        uint64_t id;
    };
    uint32_t hash;
    uint32_t index;  // + 1; 0: free
};
struct lookup {
    struct arena *arena;
    struct lookup_slot *slots;
    uint32_t mask, count;
};

// An empty table with room for `count` entries; it grows by itself beyond that.
void lookup_open(struct lookup *lookup, struct arena *arena, uint32_t count);
// STATUS_EXISTS: the key is there, and stays as it was. A table holds texts or ids, never both.
MUST_CHECK enum status
lookup_put_text(struct lookup *lookup, const char *text, size_t len, uint32_t index);
MUST_CHECK enum status lookup_put_id(struct lookup *lookup, uint64_t id, uint32_t index);
// LOOKUP_NONE when it is not there. `text` need not end in NUL.
uint32_t lookup_text(const struct lookup *lookup, const char *text, size_t len);
uint32_t lookup_id(const struct lookup *lookup, uint64_t id);
// This id will soon be looked up.
static inline void
lookup_expect_id(const struct lookup *lookup, uint64_t id)
{
    __builtin_prefetch(&lookup->slots[(uint32_t)hash_mix(id) & lookup->mask]);
}

#endif
