// What contacts brought, kept beside the journal for some days: for explaining them (`slotctl
// explain`), and the contact sample of the domain. Written by a thread of its own; what does not
// find room is dropped and counted, so that selling never waits. Files and format: engine/spool.c.
#ifndef VENDUE_SPOOL_H
#define VENDUE_SPOOL_H

#include "catalog.h"
#include "contact.h"
#include "round.h"

struct spool;

// `directory` is the market directory; `explain_days` 0: inputs are not kept, and old ones removed.
struct spool *spool_open(const char *directory, uint32_t explain_days);
// Writes what waits, then ends the thread. NULL is allowed.
void spool_close(struct spool *spool);

// The catalog that decides from now on: it says how much is sampled and for how long. It is not
// kept.
void spool_catalog(struct spool *spool, const struct catalog *catalog);
// A contact that was decided: no test, no repeat. `id` and `at` as in its FACT_CONTACT; `live` as
// given to round_decide, or NULL. Copies what it keeps; never waits.
void
spool_contact(struct spool *spool, const struct catalog *catalog, const struct contact *contact,
              struct id id, usec at, const struct round_live *live);

struct spool_counts {
    uint64_t kept, sampled, dropped;
};
struct spool_counts spool_counts(const struct spool *spool);

#endif
