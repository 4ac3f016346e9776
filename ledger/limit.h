// What this node may spend of each budget. Private to ledger/.
#ifndef LEDGER_LIMIT_H
#define LEDGER_LIMIT_H

#include "arena.h"
#include "catalog.h"
#include "db.h"

struct limit;
struct limit *limit_open(uint32_t log);  // of this node's journal
void limit_close(struct limit *limit);   // NULL is allowed

// How many nodes there are (logs with a watermark), and whether this one's share should grow since
// the last grant, or a day has begun: then a catalog is due. Cheap; asks what was sold since the
// last call only while there are other nodes.
MUST_CHECK enum status limit_turn(struct limit *limit, struct db *db, usec now, bool *out_due);

// Grants this node its share for the catalog `input->version`, which bears it; committed when it
// returns, so that no catalog says more than was granted. Sets input->limits, which live in
// `arena`. `input` has its market, of `market_version`, bids and shifts. A node that is alone and
// was granted this market's budgets before is asked nothing more: without limits all is its own.
MUST_CHECK enum status
limit_grant(struct limit *limit, struct db *db, usec now, uint64_t market_version,
            struct arena *arena, struct catalog_input *input);

// The limits that the catalog of `input->version` of a log said, again.
MUST_CHECK enum status
limit_read(struct db *db, uint32_t log, usec at, struct arena *arena, struct catalog_input *input);

#endif
