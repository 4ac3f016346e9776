// Whole contacts, changes of bids and of the catalog measured; see core_contact.c.
#ifndef VENDUE_CORE_CONTACT_H
#define VENDUE_CORE_CONTACT_H

#include "catalog.h"

struct core_contact_time {
    double mean_ns, p99_ns;
};
struct core_contact {
    uint32_t bids;
    struct core_contact_time decide, apply;   // of CORE_MARKET_SLOTS slots
    struct core_contact_time changes[3];      // bids inserted, priced anew, deleted
    double change_most_ns;                    // the slowest of all changes
    uint32_t changed;                         // bids that the book then holds beside the catalog
    struct core_contact_time decide_changed;  // the same contacts, with these
    uint32_t compared, differences;           // winners and prices then, beside a scan of all bids
};
void core_contact_measure(const struct catalog *catalog, struct core_contact *out);

// How long the deciding thread stands still for the next catalog, which a loader has made ready;
// the longest of four changes, with some thousand changed bids to be carried over.
void
core_contact_swap(const struct catalog *before, const struct catalog *next, double *out_pause_ns);

#endif
