// Facts as rows: the landing tables of migrations/003_facts.sql, by COPY, inside the caller's
// transaction.
#ifndef VENDUE_LAND_H
#define VENDUE_LAND_H

#include "db.h"
#include "period.h"
#include "posting.h"

// A fact and what posting made of it.
struct land_row {
    const struct fact *fact;
    struct posting_source source;
    enum posting_state state;
    usec effective;
    char period[PERIOD_TEXT];
    money pool;
    uint32_t contract, owner;  // 0 none
    uint64_t market_version;   // 0 none
};
MUST_CHECK enum status land_rows(struct db *db, const struct land_row *rows, size_t count);

// The word of a number of the domain. One out of its range came from a damaged or newer engine; it
// lands as "?" rather than ending the shipping.
#define LAND_WORD(value, count, name_of, type) \
    ((unsigned)(value) < (unsigned)(count) ? name_of((type)(value)) : "?")
const char *land_bid_state(unsigned state);

#endif
