// How much of a budget may be spent by now. Pure integers.
#ifndef VENDUE_PACE_H
#define VENDUE_PACE_H

#include "clock.h"
#include "market.h"

// The part of `budget` that pacing allows to have been spent at `now`, of a span that begins and
// ends as given: as fast as possible all of it; even in proportion to the time gone, with a
// twenty-fourth of the budget ahead so that the first hour can sell; front-loaded 1 - (1 - x)^2
// of it, likewise
// ahead. Never more than the budget; before `begins` 0, after `ends` all. Rounded down.
money pace_allowance(enum pacing pacing, money budget, usec begins, usec ends, usec now);

#endif
