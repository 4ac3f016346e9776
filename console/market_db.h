// The market's database, found from the market directory.
//
// DIR/run/postgres.ROLE (mode 0600, written by init and up) holds one line: the connection string with
// which ROLE reaches the database. Roles: owner (migrations), ledger (ledgerd), console (slotctl).
#ifndef VENDUE_MARKET_DB_H
#define VENDUE_MARKET_DB_H

#include "verb.h"

struct db;

// Opens the database of context->directory as role console. On failure says why and what mends it
// (verb_cannot) and gives NULL; the verb then returns EXIT_CANNOT. Close with db_close.
struct db *market_db_open(const struct verb_context *context);

#endif
