// An arena for each test of a file: scratch_open and scratch_close are its set-up and tear-down.
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

#include "arena.h"

extern struct arena *arena;

int scratch_open(void **state);
int scratch_close(void **state);

#endif
