// Closed statements, as ledgerd published them:
// DIR/published/statements/SEAT/PERIOD.{json,csv,txt}. The engine reads files only; it never asks
// the database.
#ifndef VENDUE_STATEMENTS_H
#define VENDUE_STATEMENTS_H

#include "decode.h"
#include "pack.h"

#define STATEMENT_PIECE 32768  // bytes of one answer
#define STATEMENT_PERIODS \
    240  // periods listed: twenty years of months, the newest when there are more

// Writes the result of statement.list.
void statements_list(struct pack *pack, const char *market_directory, const char *seat);
// Writes the result of statement.get, or gives the reason why not (then nothing was written):
// REASON_NOT_FOUND; REASON_OUT_OF_RANGE: the offset lies beyond the file.
enum reason statements_find(const char *market_directory, const char *seat,
                            const struct decode_statement *get, int *out_file, int64_t *out_bytes);
void statements_get(struct pack *pack, const struct decode_statement *get, int file, int64_t bytes);

#endif
