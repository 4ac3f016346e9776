// The host's clock out of the system's database of time zones, by its IANA name. For programs of
// one thread: the C library reads a zone from the environment of the process.
#ifndef VENDUE_MARKET_ZONE_H
#define VENDUE_MARKET_ZONE_H

#include "catalog_parts.h"

// True for UTC and for a zone that this machine knows.
bool market_zone_known(const char *zone);
// The offsets of the clock from one year before `now` to ten years after it: what was before has
// the first one's. `out_shifts` has room for BOUND_ZONE_SHIFTS; returns how many there are, at
// least one. A zone that is not known is UTC.
uint32_t market_zone_shifts(const char *zone, usec now, struct catalog_shift *out_shifts);

#endif
