// The shipper: reads the journal and books it in PostgreSQL, exactly once. Algorithm: ship.c.
#ifndef VENDUE_SHIP_H
#define VENDUE_SHIP_H

#include "db.h"
#include "journal.h"

struct ship;

enum ship_answer {
    SHIP_BOOKED,  // one transaction's worth; call again at once
    SHIP_IDLE,    // nothing new in the journal
    SHIP_RETRY,   // the database is away or refused for now: nothing was lost; call again later
    SHIP_STOP,  // journal and ledger do not fit each other: a person must look; nothing was booked
};
struct ship_report {
    struct journal_position position;  // booked up to and including
    bool known;                        // position was read from the database
    uint64_t facts, transfers;         // booked by this process
    uint64_t orphans;                  // facts that named nothing known, by this process
    char fault[1600];                  // of RETRY and STOP
};

// `directory` is the market directory; its journal/ need not exist yet.
struct ship *ship_open(const char *directory, uint32_t log);
void ship_close(struct ship *ship);  // NULL is allowed

// One turn on an open connection. After RETRY with a lost connection, pass a new one.
enum ship_answer ship_turn(struct ship *ship, struct db *db);
const struct ship_report *ship_report(const struct ship *ship);

#endif
