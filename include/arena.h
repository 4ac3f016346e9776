// Memory by lifetime: everything taken from an arena ends with it. Four lifetimes exist (process,
// catalog, session, round) and an arena's name says which. Running out is a bug or a bound: it
// aborts with the place, so callers never check.
#ifndef VENDUE_ARENA_H
#define VENDUE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_open(const char *name);
void arena_close(struct arena *arena);  // NULL is allowed
void arena_reset(struct arena *arena);  // keeps its memory, ends everything taken from it

// Zeroed, aligned to 64 bytes when size >= 64, else to 16. `count * size` is checked.
void *arena_take(struct arena *arena, size_t count, size_t size);
char *arena_text(struct arena *arena, const char *text, size_t len);  // copy, NUL added
char *
arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t arena_bytes(const struct arena *arena);  // memory held

#endif
