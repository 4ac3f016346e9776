// A binary heap over (key, item), with each item's place beside it.
//
// Invariants
//   (1) no entry comes before its parent in the order of (key, item), so the order of leaving does
//       not depend on the order of coming
//   (2) where[entries[i].item] == i + 1, and 0 for items not in the heap
#include "heap.h"

#include "fail.h"

void
heap_open(struct heap *heap, struct arena *arena, uint32_t capacity)
{
    heap->entries = arena_take(arena, capacity, sizeof *heap->entries);
    heap->where = arena_take(arena, capacity, sizeof *heap->where);
    heap->count = 0;
}

static bool
before(struct heap_entry a, struct heap_entry b)
{
    return a.key != b.key ? a.key < b.key : a.item < b.item;
}

static void
set(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    heap->entries[at] = entry;
    heap->where[entry.item] = at + 1;
}

// Puts `entry` where it belongs, starting from the free place `at`.
static void
settle(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    while (at > 0 && before(entry, heap->entries[(at - 1) / 2])) {
        set(heap, at, heap->entries[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap->count) break;
        if (child + 1 < heap->count && before(heap->entries[child + 1], heap->entries[child]))
            child++;
        if (!before(heap->entries[child], entry)) break;
        set(heap, at, heap->entries[child]);
        at = child;
    }
    set(heap, at, entry);
}

void
heap_put(struct heap *heap, uint32_t item, int64_t key)
{
    uint32_t at = heap->where[item] == 0 ? heap->count++ : heap->where[item] - 1;
    settle(heap, at, (struct heap_entry){key, item});
}

void
heap_drop(struct heap *heap, uint32_t item)
{
    CHECK(heap->where[item] != 0);
    uint32_t at = heap->where[item] - 1;
    heap->where[item] = 0;
    struct heap_entry last = heap->entries[--heap->count];
    if (at < heap->count) settle(heap, at, last);
}

uint32_t
heap_least(const struct heap *heap, int64_t *out_key)
{
    if (heap->count == 0) return HEAP_NONE;
    *out_key = heap->entries[0].key;
    return heap->entries[0].item;
}
