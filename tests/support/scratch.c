// The arena of the running test; see scratch.h.
#include "scratch.h"

struct arena *arena;

int
scratch_open(void **state)
{
    (void)state;
    arena = arena_open("test");
    return 0;
}

int
scratch_close(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}
