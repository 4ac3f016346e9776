// The simulation of whole markets: what its parts share.
#ifndef VENDUE_TEST_SIM_H
#define VENDUE_TEST_SIM_H

#include <stdint.h>

// Prints the verdict with the seed and the round that is being played, and ends the program.
_Noreturn void __attribute__((format(printf, 1, 2))) sim_fail(const char *format, ...);

struct sim_counts {
    uint64_t rounds, placements, unfilled, events, restarts, deviations;
    uint64_t asked, live;  // bidders asked, and their bids
    uint64_t together;     // contacts sold together, equal to brute force
    uint64_t refused, offers, catalogs, repeats, reasons;  // told, not part of the verdict
};

#endif
