// Statements: what one seat owes or is owed for one period, line by line. Of a closed period they
// are stored documents that never change; of an open one they are computed now, and say "draft".
#ifndef VENDUE_STATEMENT_H
#define VENDUE_STATEMENT_H

#include <stdbool.h>
#include <stdio.h>

#include "arena.h"
#include "db.h"
#include "period.h"

// The first three are text. INVOICE: UBL 2.1, what a partner owes. SELFBILL: UBL 2.1, what the host
// owes a beneficiary, invoiced in its name.
enum statement_format {
    STATEMENT_TEXT,
    STATEMENT_CSV,
    STATEMENT_JSON,
    STATEMENT_PDF,
    STATEMENT_INVOICE,
    STATEMENT_SELFBILL,
    STATEMENT_FORMAT_COUNT
};
const char *statement_format_name(enum statement_format format);    // "text"
const char *statement_format_suffix(enum statement_format format);  // "txt"
MUST_CHECK enum status statement_format_parse(const char *text, enum statement_format *out_format);

// The document in any format, owned by `arena`; NULL: this statement has none in this format (no
// invoice without an amount; periods closed by an earlier version have the first three only).
// STATUS_NOT_FOUND: no such seat.
MUST_CHECK enum status statement_read(struct db *db, const char *seat, const struct period *period,
                                      enum statement_format format, struct arena *arena,
                                      const char **out_bytes, size_t *out_len);
// The same for the formats that are text.
MUST_CHECK enum status
statement_get(struct db *db, const char *seat, const struct period *period,
              enum statement_format format, struct arena *arena, const char **out_text);

// Prints what stands behind one line, by its number; or behind all lines of a slot, of a message,
// or both (line 0; NULL any): every placement under the seat's own name of it, with its contact's
// time, its price and what set it, the facts and the transfers, which add up to the lines to the
// micro. Of placements of other seats, in which it has a part, only the transfers. Text, or JSON
// lines. STATUS_NOT_FOUND: no such seat. STATUS_INPUT: no such line; *out_lines says how many there
// are. STATUS_GAP: `directory` has no customer.secret. STATUS_CONFLICT: the transfers do not add up
// to the line: `slotctl verify` names the cause.
struct statement_which {
    int line;
    const char *slot, *message;  // "bill.footer", "grill.barbecue"
    bool json;
};
MUST_CHECK enum status
statement_line_open(struct db *db, const char *directory, const char *seat,
                    const struct period *period, const struct statement_which *which, FILE *out,
                    int *out_lines);

// Writes the documents of closed periods as files, DIR/published/statements/SEAT/PERIOD.SUFFIX:
// each only once, whole or not at all; and beside them the seat's reconciliation file
// (reconcile.h), one seat a call, which can be long. Called in every turn of ledgerd; when nothing
// was closed since, it is one small query. A period that is completely published is marked by an
// empty file DIR/published/statements/.PERIOD; without the mark missing files are written again.
// STATUS_IO: a file cannot be written (errno). Else db.h's answers.
MUST_CHECK enum status statement_publish(struct db *db, const char *directory);

#endif
