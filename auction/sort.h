// Sorting without malloc (the C library's qsort takes memory). Private to auction/.
#ifndef VENDUE_SORT_H
#define VENDUE_SORT_H

#include <stddef.h>

// Sorts `items` ascending by `compare` (< 0, 0, > 0), equal items in their order. `scratch` has the
// same room as `items`.
void sort_stable(void *items, void *scratch, size_t count, size_t size,
                 int (*compare)(const void *a, const void *b));

#endif
