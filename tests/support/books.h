// Books filled the real way, for tests of finance: facts go into a real journal, the real shipper
// books them in a real PostgreSQL. A test says what happened; it never writes a transfer itself.
#ifndef VENDUE_TEST_BOOKS_H
#define VENDUE_TEST_BOOKS_H

#include "../../ledger/ship.h"
#include "db.h"
#include "journal.h"
#include "market.h"
#include "postgres.h"

#define BOOKS_PLACEMENTS 8192
#define BOOKS_FACTS 65536

struct books {
    char directory[64];  // a market directory with a journal
    char owner[POSTGRES_TEXT], ledger[POSTGRES_TEXT], console[POSTGRES_TEXT];
    struct db *db;                      // as owner
    struct db *ledger_db, *console_db;  // as the two roles
    struct arena *arena;
    struct market *market;
    struct journal *journal;
    struct ship *ship;
    usec now;  // time of the next fact; the test moves it
    uint64_t contacts;
    uint64_t customer;        // of the next contact: 42 unless the test says another; 0 anonymous
    uint64_t catalog;         // that decides now
    struct fact *placements;  // all that were won
    uint32_t count;
    struct fact *facts;  // all facts, as they went into the journal
    uint32_t fact_count;
};
struct books_outcome {
    const char *slot;      // "bill.footer"
    const char *message;   // NULL: stays empty
    int64_t price;         // micros
    enum reason reason;    // of an empty slot
    bool open_market_set;  // a bid set the price, not the floor
};

// A migrated database with `market_yaml` applied, an empty journal, the clock at `at` (RFC 3339).
void books_open(struct books *books, const char *market_yaml, const char *at);
void books_close(struct books *books);
// The market from now on; contacts before it were decided by the one before.
void books_apply(struct books *books, const char *market_yaml);
void books_at(struct books *books, const char *at);

// One contact of the first outcome's container with these outcomes. `out_placements` (one an
// outcome, zero where the slot stayed empty) may be NULL.
void books_contact(struct books *books, const struct books_outcome *outcomes, unsigned count,
                   uint16_t achieved, struct id *out_placements);
struct id books_win(struct books *books, const char *slot, const char *message, int64_t price);
void books_event(struct books *books, struct id placement, enum fact_kind kind, usec effective);
// A conversion or a refund; `key` is the order's reference, `refund` of a refund its own.
void books_revenue(struct books *books, struct id placement, enum fact_kind kind, int64_t amount,
                   const char *key, const char *refund, usec effective);
// `steps` steps of a market at work: contacts with one to four slots, some empty; deliveries, ends,
// repeats of both, conversions, refunds; time goes on by up to `pace` microseconds a step. Only
// books_market.
void books_random(struct books *books, uint64_t seed, int steps, int64_t pace);
// Makes everything durable and books it.
void books_ship(struct books *books);

// One value: select ... as text.
const char *books_text(struct books *books, const char *sql);

// The market that most tests of finance use; docs/finance.md shows its figures.
extern const char books_market[];

#endif
