// What seats that pay in advance may spend: what they paid in. Private to ledger/.
#ifndef LEDGER_PREPAID_H
#define LEDGER_PREPAID_H

#include "arena.h"
#include "db.h"
#include "market.h"

struct prepaid;
struct prepaid *prepaid_open(void);
void prepaid_close(struct prepaid *prepaid);  // NULL is allowed

// Takes note of the market's seats with a prepaid contract, at `now`.
MUST_CHECK enum status
prepaid_learn(struct prepaid *prepaid, struct db *db, const struct market *market, usec now);
bool prepaid_any(const struct prepaid *prepaid);  // of those learned
// The budget of a seat, bounded by what it paid in: `budget` itself, or a copy in `arena`.
const struct market_budget *prepaid_bound(const struct prepaid *prepaid, uint32_t seat,
                                          const struct market_budget *budget, struct arena *arena);
// Whether something was paid in, or else changed, since it was learned. Cheap.
MUST_CHECK enum status
prepaid_turn(struct prepaid *prepaid, struct db *db, usec now, bool *out_changed);

#endif
