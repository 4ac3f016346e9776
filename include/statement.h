// Statements: what one seat owes or is owed for one period, line by line. Of a closed period they
// are stored documents that never change; of an open one they are computed now, and say "draft".
#ifndef VENDUE_STATEMENT_H
#define VENDUE_STATEMENT_H

#include "arena.h"
#include "db.h"
#include "period.h"

enum statement_format { STATEMENT_TEXT, STATEMENT_CSV, STATEMENT_JSON, STATEMENT_FORMAT_COUNT };
const char *statement_format_name(enum statement_format format);    // "text"
const char *statement_format_suffix(enum statement_format format);  // "txt"
MUST_CHECK enum status statement_format_parse(const char *text, enum statement_format *out_format);

// The document, owned by `arena`. STATUS_NOT_FOUND: no such seat.
MUST_CHECK enum status
statement_get(struct db *db, const char *seat, const struct period *period,
              enum statement_format format, struct arena *arena, const char **out_text);

// Writes the documents of closed periods as files,
// DIR/published/statements/SEAT/PERIOD.{txt,csv,json}: each only once, whole or not at all. Called
// in every turn of ledgerd; when nothing was closed since, it is one small query. A period that is
// completely published is marked by an empty file DIR/published/statements/.PERIOD; without the
// mark missing files are written again. STATUS_IO: a file cannot be written (errno). Else db.h's
// answers.
MUST_CHECK enum status statement_publish(struct db *db, const char *directory);

#endif
