// What a fact counts for on the lines of statements. The same in SQL, from the landed rows: view
// count_part (migration 011).
#ifndef VENDUE_FOLD_FACT_H
#define VENDUE_FOLD_FACT_H

#include "fold.h"
#include "replay.h"

// A revenue counts on its seat's line and on the line of whoever owes the pool.
#define FOLD_FACT_COUNTS 2
// `period`: that the fact was booked in. Returns how many of `out` were filled.
unsigned
fold_fact(const struct fact *fact, const struct posting *posting, const struct replay_said *said,
          const char period[PERIOD_TEXT], struct fold_count out[FOLD_FACT_COUNTS]);

#endif
