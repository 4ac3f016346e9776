// Bottom-up merge sort: runs of 1, 2, 4 ... items are merged from one array into the other and
// back.
#include "sort.h"

#include <stdbool.h>
#include <string.h>

// Merges the runs [first, middle) and [middle, end) of `from` into the same places of `to`.
static void
merge(const char *from, char *to, size_t first, size_t middle, size_t end, size_t size,
      int (*compare)(const void *a, const void *b))
{
    size_t left = first, right = middle;
    for (size_t at = first; at < end; at++) {
        bool take_left = right == end ||
                         (left < middle && compare(from + left * size, from + right * size) <= 0);
        memcpy(to + at * size, from + (take_left ? left++ : right++) * size, size);
    }
}

void
sort_stable(void *items, void *scratch, size_t count, size_t size,
            int (*compare)(const void *a, const void *b))
{
    char *from = items, *to = scratch;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t first = 0; first < count; first += 2 * run) {
            size_t middle = first + run < count ? first + run : count;
            size_t end = first + 2 * run < count ? first + 2 * run : count;
            merge(from, to, first, middle, end, size, compare);
        }
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != items) memcpy(items, from, count * size);
}
