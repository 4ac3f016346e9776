// The market's database, found from the market directory.
//
// DIR/run/postgres.ROLE (mode 0600, written by init and up) holds one line: the connection string
// with which ROLE reaches the database. Roles: owner (migrations), ledger (ledgerd), console
// (slotctl), reader (other programs, which read the schema vendue_open alone).
#ifndef VENDUE_MARKET_DB_H
#define VENDUE_MARKET_DB_H

#include "settings.h"
#include "verb.h"

struct arena;
struct db;

struct market_db_fault {
    char text[1200];  // what is wrong and what mends it
};

// Opens the database of context->directory as role console. On failure says why and what mends it
// (verb_cannot) and gives NULL; the verb then returns EXIT_CANNOT. Close with db_close.
struct db *market_db_open(const struct verb_context *context);

// The same as `role`, silently. STATUS_NOT_FOUND: the market was never up. STATUS_CLOSED: no
// answer.
MUST_CHECK enum status market_db_open_as(const char *directory, const char *role,
                                         struct db **out_db, struct market_db_fault *out_fault);

// What was ever bid dearest for each message in each slot (or in any): of standing bids per
// placement all, of live ones and of what prices of another kind were worth the thousand of each
// seat that records kept last.
struct market_seen;
MUST_CHECK enum status market_db_seen(struct db *db, struct arena *arena,
                                      struct market_seen **out_seen, uint32_t *out_count);

// Writes the connection strings of all roles: on the private cluster's `socket` directory, or, when
// that is NULL, from settings->postgres.
MUST_CHECK enum status market_db_write_strings(const struct settings *settings, const char *socket,
                                               struct market_db_fault *out_fault);

// Makes database (if private) and roles where they are missing, and brings the schema up to date.
MUST_CHECK enum status
market_db_prepare(const struct settings *settings, struct market_db_fault *out_fault);

#endif
