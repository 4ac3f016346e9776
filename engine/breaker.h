// Whether a live bidder is asked: a breaker that opens when its answers fail, and closes when its
// probes succeed. Pure.
#ifndef VENDUE_BREAKER_H
#define VENDUE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_WINDOW 32  // latest outcomes that count
#define BREAKER_LEAST 8    // so many at least before it may open
#define BREAKER_GOOD 4     // probes in a row that close it
#define BREAKER_PROBE 20   // one contact in so many is a probe: 5 %

struct breaker {
    uint32_t failed;   // of the window: bit 0 is the latest outcome
    uint8_t outcomes;  // in the window
    uint8_t good;      // open: successes in a row
    bool open;
    uint32_t passed_over;  // open: contacts since it was last asked
};

// Contact number `serial` of the node could ask it: does it? Counts those passed over.
bool breaker_admits(struct breaker *breaker, uint64_t serial);
// What became of one request.
void breaker_outcome(struct breaker *breaker, bool failed);

#endif
