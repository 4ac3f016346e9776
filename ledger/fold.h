// Folds: sums that are kept so that nobody has to add up rows to know what a period came to.
// Written by whoever loads transfers (fold_transfers) or facts (fold_counts), in the same
// transaction; merged now and then; proven against the rows at every close. Algorithm: fold.c.
#ifndef VENDUE_FOLD_H
#define VENDUE_FOLD_H

#include "db.h"
#include "period.h"
#include "transfer.h"

// The sums of these transfers, all of one log and one load. Called by transfer_load alone.
MUST_CHECK enum status
fold_transfers(struct db *db, const struct transfer *transfers, size_t count);

// What a fact adds to a line of a statement.
struct fold_count {
    char period[PERIOD_TEXT];
    uint32_t seat, slot, message;
    struct currency currency;
    const char *section;  // a word, static
    int8_t rung;
    uint8_t won, delivered, ended, converted, refunded;
    money revenue;  // less than 0: a refund
};
// The sums of these; `batch` to `upto` are the frames of `log` whose facts they are of.
MUST_CHECK enum status fold_counts(struct db *db, const struct fold_count *counts, size_t count,
                                   uint32_t log, uint64_t batch, uint64_t upto);

// Merges the small folds of one period and log into fewer, in a transaction of its own; what they
// add up to does not change. Cheap when there is nothing to do. `out_merged`: something was done,
// and calling again may do more. Any number of programs may do it at the same time.
MUST_CHECK enum status fold_compact(struct db *db, bool *out_merged);

// Compares all folds with the rows that they are sums of: transfers, also detached ones, and
// facts. `out_text` says what differs first, "" when nothing does. The session's
// statements may take long from then on.
#define FOLD_TEXT 400
MUST_CHECK enum status fold_verify(struct db *db, char out_text[FOLD_TEXT]);

#endif
