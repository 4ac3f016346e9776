// Closed statements, as ledgerd published them:
// DIR/published/statements/SEAT/PERIOD.{json,csv,txt,pdf,invoice.xml,...}. The engine reads files
// only; it never asks the database.
#ifndef VENDUE_STATEMENTS_H
#define VENDUE_STATEMENTS_H

#include "decode.h"
#include "pack.h"

#define STATEMENT_PIECE 32768  // bytes of one answer
#define STATEMENT_PERIODS \
    240  // periods listed: twenty years of months, the newest when there are more

// Writes the result of statement.list.
void statements_list(struct pack *pack, const char *market_directory, const char *seat);
// Reads one piece of a statement. REASON_NOT_FOUND; REASON_OUT_OF_RANGE: the offset lies beyond the
// file; REASON_INTERNAL: it cannot be read (logged).
struct statement_piece {
    int64_t bytes;  // of the whole file
    size_t len;
    char data[STATEMENT_PIECE];
};
enum reason statements_read(const char *market_directory, const char *seat,
                            const struct decode_statement *get, struct statement_piece *out_piece);
// Writes the result of statement.get.
void statements_get(struct pack *pack, const struct decode_statement *get,
                    const struct statement_piece *piece);

#endif
