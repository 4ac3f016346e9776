// Replay's own memory, shared by its files: replay.c takes the facts, replay_share.c posts what is
// shared, replay_load.c reads what a batch needs of the past, replay_fit.c what the house needs.
#ifndef VENDUE_REPLAY_INSIDE_H
#define VENDUE_REPLAY_INSIDE_H

#include "arena.h"
#include "idmap.h"
#include "replay.h"
#include "touch.h"

#define REPLAY_TERMS 16
#define REPLAY_CATALOGS 64  // direct-mapped memory of catalog version -> market version

struct known_terms {
    uint64_t market_version;  // 0: free
    uint64_t used;            // turn of the last use
    struct arena *arena;
    struct contract_terms *terms;
};
// A fit of a data-driven model, in force for facts behind `batch`.
struct known_fit {
    uint64_t batch;
    struct credit_fit fit;  // weights NULL: not read yet
    bool read;
};
struct replay {
    uint32_t log;
    usec fenced_until;
    bool whole;     // all facts are replayed, from the first one on
    bool touching;  // some market version has a contract that divides among touches
    bool asked;     // whether it is so was asked of the database
    struct idmap win_of, order_of, refund_of;
    struct idmap shared_of;  // whole: orders of which other logs booked something, too
    uint64_t turn_booked;    // of the orders of this batch; whole: of the frame that is replayed
    struct posting_win *wins;
    struct posting_order *orders;
    uint64_t *order_batches;  // of their conversions
    size_t win_count, win_room, order_count, order_room, batch_room;
    struct touch_chain wins_of, orders_of;  // by customer; only when touching
    struct arena *pieces;                   // parts of orders, and what is said of them
    struct idmap base_of;                   // by contract and period: revenue so far
    money *bases;
    size_t base_count, base_room;
    money landed_base;  // whole: of the fact that is replayed next, as it was booked
    bool has_landed_base;
    struct idmap expired_of;  // placements whose holds a close expired: index into expired_at
    uint64_t *expired_at;     // the journal's batch by then
    size_t expired_count, expired_room;
    struct known_fit *fits;  // by version
    size_t fit_count, fit_room;
    bool fits_read;
    struct id contact;        // last contact seen
    uint64_t market_version;  // that decided it
    uint32_t slots[16];       // of its outcomes, by position
    uint64_t turn;
    int64_t widest_us;  // widest window of all terms seen
    struct known_terms terms[REPLAY_TERMS];
    uint64_t catalogs[REPLAY_CATALOGS][2];
    struct touch *touches;  // of one conversion
    size_t touch_room;
    struct transfer *more;
    size_t more_count, more_room;
    struct posting scratch;  // of an order that is divided anew
    char fault[512];
};

enum status replay_say(struct replay *replay, enum status status, const char *what, uint64_t number,
                       const char *more);
// Doubles the room of an array when it is full.
void *replay_room(void *items, size_t count, size_t *room, size_t size);
enum status
replay_market(struct replay *replay, struct db *db, uint64_t catalog, uint64_t *out_version);
enum status replay_terms(struct replay *replay, struct db *db, uint64_t version,
                         struct contract_terms **out_terms);
struct posting_win *replay_keep_win(struct replay *replay, const struct posting_win *win);
// Keeps a copy with parts of its own.
struct posting_order *
replay_keep_order(struct replay *replay, const struct posting_order *order, uint64_t batch);
static inline uint64_t *
replay_order_batch(struct replay *replay, const struct posting_order *order)
{
    return &replay->order_batches[order - replay->orders];
}
void replay_keep_parts(struct replay *replay, struct posting_order *order,
                       const struct contract_part *parts, unsigned count);
struct posting_win *replay_find_win(struct replay *replay, struct id placement);
struct posting_order *replay_find_order(struct replay *replay, struct id order);
static inline bool
replay_is_revenue(const struct fact *fact)
{
    return fact->kind == FACT_CONVERTED || fact->kind == FACT_REFUNDED;
}
static inline bool
replay_is_event(const struct fact *fact)
{
    return (fact->kind >= FACT_DELIVERED && fact->kind <= FACT_REFUNDED) ||
           fact->kind == FACT_LAPSED || fact->kind == FACT_COMPLAINED;
}

// --- replay_load.c -------------------------------------------------------------------------------
enum status
replay_load_wins(struct replay *replay, struct db *db, const struct id *ids, size_t count);

// --- replay_order.c ------------------------------------------------------------------------------
// Sorts the ids, locks those orders until the end of the transaction and takes their next turn.
enum status
replay_lock_orders(struct replay *replay, struct db *db, struct id *ids, size_t count);
// All that was booked of these orders, and their parts.
enum status
replay_load_orders(struct replay *replay, struct db *db, const struct id *ids, size_t count);
// Whole: which orders other logs booked something of, too.
enum status replay_load_shared(struct replay *replay, struct db *db);
// Whole: what was booked of such an order before the fact.
enum status replay_share_order(struct replay *replay, struct db *db, struct id order,
                               struct posting_source source);

// --- replay_share.c ------------------------------------------------------------------------------
enum status
replay_revenue(struct replay *replay, struct db *db, const struct fact *fact,
               struct posting_source source, struct posting *out, struct replay_said *out_said);
enum status
replay_event(struct replay *replay, struct db *db, const struct fact *fact,
             struct posting_source source, struct posting *out, struct replay_said *out_said);

// --- replay_fit.c --------------------------------------------------------------------------------
// Revenue of a contract in a period that was booked before this batch; the row that says so is
// locked until the end of the transaction.
enum status replay_load_base(struct replay *replay, struct db *db, uint32_t contract,
                             const char *period, money *out_base);
// Fits of this log, without their weights; and the weights of one.
enum status replay_load_fits(struct replay *replay, struct db *db);
enum status replay_load_weights(struct replay *replay, struct db *db, struct known_fit *fit);

#endif
