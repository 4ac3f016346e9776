// Items by deadline, the earliest first: a binary heap in which an item can be moved and dropped.
// Private to auction/.
#ifndef VENDUE_HEAP_H
#define VENDUE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

#define HEAP_NONE UINT32_MAX

struct heap_entry {
    int64_t key;
    uint32_t item;
};
struct heap {
    struct heap_entry *entries;
    uint32_t *where;  // by item: its entry + 1; 0 not in the heap
    uint32_t count;
};
void
heap_open(struct heap *heap, struct arena *arena, uint32_t capacity);  // items 0 to capacity - 1
void
heap_put(struct heap *heap, uint32_t item, int64_t key);  // adds it, or moves it to another key
void heap_drop(struct heap *heap, uint32_t item);         // must be there
// The item with the least key and, among equals, the least number; HEAP_NONE when empty.
uint32_t heap_least(const struct heap *heap, int64_t *out_key);

static inline bool
heap_has(const struct heap *heap, uint32_t item)
{
    return heap->where[item] != 0;
}
// Of an item that is there.
static inline int64_t
heap_key(const struct heap *heap, uint32_t item)
{
    return heap->entries[heap->where[item] - 1].key;
}

#endif
