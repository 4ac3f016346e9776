// The way from PostgreSQL to the node: market, standing bids and certificates as one catalog file,
// DIR/published/catalog. Algorithm: ledger/publish.c.
#ifndef VENDUE_PUBLISH_H
#define VENDUE_PUBLISH_H

#include "arena.h"
#include "catalog.h"
#include "db.h"
#include "market.h"

// The market as of a version, every object with its stable id; 0: the newest. Selects only; works
// inside and outside a transaction. STATUS_NOT_FOUND: no such version, or none yet. STATUS_DAMAGED:
// a stored object is not what this version of the program writes. Else db.h's answers.
MUST_CHECK enum status publish_load_market(struct db *db, uint64_t market_version,
                                           struct arena *arena, struct market **out_market);

// The market version that a published catalog was made of. STATUS_NOT_FOUND: never published.
MUST_CHECK enum status
publish_market_version(struct db *db, uint64_t catalog_version, uint64_t *out_market_version);

// What a published catalog was made of, but its bids and certificates: the market with the
// experiments that had stopped, limits, the host's clock, version and position; `out_at` is when it
// was made: bids that had ended by then were left out. All of it lives in `arena`.
// STATUS_NOT_FOUND: never published. Else as publish_load_market.
MUST_CHECK enum status
publish_catalog_input(struct db *db, uint64_t catalog_version, struct arena *arena,
                      struct catalog_input *out_input, usec *out_at);

struct publish;
struct publish_report {
    bool published;
    uint64_t version, market_version;  // of the newest catalog this process published; 0 none yet
    uint32_t bids;
    int64_t took_us;
    char fault[512];  // what went wrong, for the log; "" on success
};
// `directory` is the market directory; `log` this node's journal.
struct publish *publish_open(const char *directory, uint32_t log);
void publish_close(struct publish *publish);  // NULL is allowed

// One turn of ledgerd: asks what changed (one cheap query) and, if something did, writes the next
// catalog. A market or a certificate that changed is published at once; bids alone at most once a
// second, since the node knows them already. STATUS_OK also when nothing changed or no market was
// applied yet. Else db.h's answers or STATUS_IO, with `fault`; call again next turn: it tries again
// after a second, and answers the same until then.
MUST_CHECK enum status
publish_turn(struct publish *publish, struct db *db, usec now, struct publish_report *out_report);

#endif
