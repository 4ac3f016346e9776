// Time as a value. Wall time is microseconds since 1970-01-01 UTC and is an argument everywhere in
// the core; only engines and tools read a clock.
#ifndef VENDUE_CLOCK_H
#define VENDUE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "terms.h"

typedef struct {
    int64_t us;
} usec;

#define USEC_SECOND 1000000LL
#define USEC_DAY (86400LL * USEC_SECOND)

usec clock_wall(void);       // CLOCK_REALTIME: business time
usec clock_monotonic(void);  // CLOCK_MONOTONIC: deadlines

// RFC 3339 UTC, "2026-11-22T15:04:05.123456Z"; a date alone ("2026-11-22") is its midnight UTC. A
// zone offset is accepted when parsing. `out` holds CLOCK_TEXT bytes.
#define CLOCK_TEXT 32
void clock_format(usec at, char out[CLOCK_TEXT]);
MUST_CHECK enum status clock_parse(const char *text, size_t len, usec *out_at);

#endif
