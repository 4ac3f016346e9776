// Searches of one slot measured; see core_search.c.
#ifndef VENDUE_CORE_SEARCH_H
#define VENDUE_CORE_SEARCH_H

#include "catalog.h"

struct core_search {
    uint32_t bids;
    struct core_search_time {
        double mean_ns, p99_ns;
    } times[3];      // two best; two best of strangers (fewer than two are eligible); all matches
    double matches;  // a contact
    double scan_ns;  // every bid judged
    uint32_t compared, differences;
    double build_ns, bytes;  // a bid
    double line_ns;          // of bare memory as large as the index, by cache line
    uint32_t lines;          // that two best cannot do without: a block of each row, two columns,
                             // two bids
    uint64_t kept;           // so that no search is optimized away
};
void core_search_measure(const struct catalog *catalog, struct core_search *out);

int64_t core_search_clock(void);  // nanoseconds
int64_t core_search_cpu(void);    // of this thread's processor time
int64_t core_search_clock_cost(void);
int64_t core_search_percentile(int64_t *times, size_t count, unsigned percent);  // sorts them
// Mean of ascending times without the last hundredth, which is the machine's.
double core_search_mean(const int64_t *times, size_t count);

#endif
