// Texts to pointers: a hash table that grows in an arena. Private to market/.
#ifndef MARKET_INDEX_H
#define MARKET_INDEX_H

#include "arena.h"

struct index;
struct index *index_open(struct arena *arena);
// Remembers `value` (not NULL) for a text that the caller keeps. A text known before keeps its
// first value, which is returned; else NULL.
const void *index_put(struct index *index, const char *text, const void *value);
const void *index_find(const struct index *index, const char *text);  // NULL: unknown

#endif
