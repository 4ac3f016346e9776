// Closed: every contact asks. At least half of the latest BREAKER_WINDOW outcomes failed, of at
// least BREAKER_LEAST: open. Open: contacts whose serial number is a multiple of BREAKER_PROBE ask,
// the same ones for all seats: so however many bidders hang, only one contact in twenty waits for
// them. A seat that those contacts never concern is asked after 2 * BREAKER_PROBE that passed it
// over. BREAKER_GOOD successes in a row: closed, with an empty window.
#include "breaker.h"

bool
breaker_admits(struct breaker *breaker, uint64_t serial)
{
    if (!breaker->open) return true;
    if (serial % BREAKER_PROBE != 0 && breaker->passed_over < 2 * BREAKER_PROBE) {
        breaker->passed_over++;
        return false;
    }
    breaker->passed_over = 0;
    return true;
}

void
breaker_outcome(struct breaker *breaker, bool failed)
{
    if (breaker->open) {
        breaker->good = failed ? 0 : (uint8_t)(breaker->good + 1);
        if (breaker->good == BREAKER_GOOD) *breaker = (struct breaker){.failed = 0};
        return;
    }
    breaker->failed = breaker->failed << 1 | failed;
    if (breaker->outcomes < BREAKER_WINDOW) breaker->outcomes++;
    unsigned failures = (unsigned)__builtin_popcount(breaker->failed);
    if (breaker->outcomes >= BREAKER_LEAST && 2 * failures >= breaker->outcomes)
        *breaker = (struct breaker){.open = true};
}
