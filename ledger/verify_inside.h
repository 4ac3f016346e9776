// The proof's own state, shared by its files: verify.c walks the journal beside the rows,
// verify_check.c asks the database alone.
#ifndef VENDUE_VERIFY_INSIDE_H
#define VENDUE_VERIFY_INSIDE_H

#include "journal.h"
#include "replay.h"
#include "verify.h"

// Rows of a query, a part at a time.
struct verify_stream {
    const char *name;
    struct db_rows *rows;
    size_t row;
    bool ended;
};
// A period whose transfers were taken away: they cannot be compared.
struct verify_gone {
    char period[PERIOD_TEXT];
};
struct verify {
    struct db *db;
    uint32_t log;
    struct verify_report *out;
    struct journal_reader *reader;
    struct replay *replay;
    struct verify_stream frames, facts, transfers, credits;
    struct journal_position watermark;
    usec fenced_until;
    uint64_t before;  // frames up to this one were booked before transfers named their origins
    struct verify_gone *gone;
    size_t gone_count;
    struct transfer *expected;  // of one fact
    size_t expected_room;
    uint64_t chain_faults, fact_faults, round_faults, transfer_faults, orphans, compared, away;
    __int128 unexplained;
};

void
verify_tell(struct verify *verify, const char *format, ...) __attribute__((format(printf, 2, 3)));
void verify_conclude(struct verify *verify, enum verify_part part, const char *name, bool ok,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));
MUST_CHECK enum status
verify_database_said(struct verify *verify, enum status status, const char *what);
void verify_unexplained(struct verify *verify, int64_t micros);

// --- verify_check.c ------------------------------------------------------------------------------
// Which frames were booked by an older version.
MUST_CHECK enum status verify_read_before(struct verify *verify);
// Periods whose transfers are not in this database any more.
MUST_CHECK enum status verify_read_gone(struct verify *verify);
// Revenue of contracts follows on without gaps; counts as a fault of facts.
MUST_CHECK enum status verify_bases(struct verify *verify);
// Every transfer has its key, and every key its transfer; counts as a fault of transfers.
MUST_CHECK enum status verify_keys(struct verify *verify);
MUST_CHECK enum status verify_balance(struct verify *verify);
MUST_CHECK enum status verify_holds(struct verify *verify);
MUST_CHECK enum status verify_acts(struct verify *verify);

#endif
