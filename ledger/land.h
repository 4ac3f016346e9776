// Facts as rows: the landing tables of migrations 003, 008, 009 and 012, by COPY, inside the
// caller's transaction.
#ifndef VENDUE_LAND_H
#define VENDUE_LAND_H

#include "db.h"
#include "period.h"
#include "posting.h"
#include "replay.h"

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
    uint32_t slot;             // of a record's fact
    // Of a revenue that was booked.
    bool has_order;
    uint64_t customer;  // 0 anonymous
    uint32_t merchant;  // 0 the host
    int64_t base;       // -1: it does not matter
    int64_t model;      // version of the fit, 0 none; -1: not divided among touches
    // How orders are divided from this fact on; lives as long as replay's memory.
    const struct replay_division *divisions;
    unsigned division_count;
};
// All but fact, source and period.
void land_fill(struct land_row *row, const struct posting *posting, const struct replay_said *said);
MUST_CHECK enum status land_rows(struct db *db, const struct land_row *rows, size_t count);

// Entries of a record's fact.
#define LAND_CANDIDATES 2
#define LAND_TALLIES 28
#define LAND_REFUSALS 4
#define LAND_CALLOUTS 11
#define LAND_LIMITS 14
// Rows that a fact lands as: of a record its entries that are not empty, else one.
unsigned land_entries(const struct fact *fact);
// Rows of table credit, beside those of the fact itself.
size_t land_parts(const struct land_row *row);

// The word of a number of the domain. One out of its range came from a damaged or newer engine; it
// lands as "?" rather than ending the shipping.
#define LAND_WORD(value, count, name_of, type) \
    ((unsigned)(value) < (unsigned)(count) ? name_of((type)(value)) : "?")
const char *land_bid_state(unsigned state);

#endif
