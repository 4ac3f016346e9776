// A statement as data: computed by statement_compute.c (and, of periods closed by the released
// version, statement_first.c), printed by statement_print.c, statement_pdf.c and invoice.c, opened
// line by line by statement_line.c, closed by settle.c.
#ifndef VENDUE_STATEMENT_INSIDE_H
#define VENDUE_STATEMENT_INSIDE_H

#include <stdbool.h>
#include <stdio.h>

#include "market.h"
#include "statement.h"
#include "transfer.h"

// In the order they are printed. Names are stored. What each counts: view statement_sum (017).
enum section_kind {
    SECTION_CHARGED,      // placements on credit: billed
    SECTION_PREPAID,      // placements paid from the deposit
    SECTION_BOUGHT,       // a department's placements, at transfer price
    SECTION_SOLD,         // a department's slots that others bought
    SECTION_OWED,         // gain-share pools this merchant owes, as they accrue
    SECTION_DUE,          // of those, what became due: billed
    SECTION_CORRECTIONS,  // fees and credits on what was billed
    SECTION_EARNED,       // its parts of such pools, as they accrue
    SECTION_PAYABLE,      // of those, what became payable, less what was clawed back
    SECTION_CLAWBACK,     // paid out, taken back, and to be billed by its contract
    SECTION_COUNT
};
const char *section_name(enum section_kind kind);
MUST_CHECK bool section_parse(const char *name, enum section_kind *out_kind);

struct line {
    int number;                   // within the statement, from 1
    int32_t slot_id, message_id;  // 0 none
    int8_t rung_number;           // enum rung; -1 none
    bool adjusted;                // adjustments by finance, apart from what they adjust
    char tax_category;            // its contract's terms
    uint32_t tax_ppm;
    const char *container, *slot, *message, *rung;  // "" none
    int64_t won, delivered, ended, converted, refunded;
    money revenue;  // converted less refunded
    money amount;   // exact
    money cents;    // rounded, so that lines and what was carried in add up to the total
};
struct section {
    struct line *lines;
    size_t count;
    money sum;         // of the lines, exact
    money carried_in;  // below a cent, from the last close
    money carried_in_cents;
    money total;               // whole cents
    money carried_out;         // below a cent: sum + carried_in = total + carried_out
    const char *carried_from;  // period; "" none
};
struct deposit_account {
    money opening, paid_in, used, closing, held;
};
// One account of the seat through the period, on its normal side: opening + movements = closing.
struct movement {
    enum transfer_kind kind;
    money amount;
};
struct passage {
    enum account_code code;
    struct currency currency;
    money opening, closing;
    struct movement *movements;
    size_t count;
};
// Something finance did about the seat in the period, or left open at its end.
struct remark {
    const char *what;  // "adjustment", "payout", "dispute", "chargeback"
    const char *text;
    usec at;
    struct currency currency;
    money amount;  // positive: in favour of the host
};
struct statement {
    int version;  // 1: of the released version
    int32_t seat;
    const char *code, *name, *kind;
    const char *contracts;  // "grill-2026 (credit, charged on delivery)", one a line
    struct period period;
    struct currency currency;
    bool closed;
    bool has_deposit;
    struct deposit_account deposit;
    struct section sections[SECTION_COUNT];
    struct passage *passages;
    size_t passage_count;
    struct remark *remarks;
    size_t remark_count;
    const struct market_party *party, *host;  // never NULL in version 2
    const char *host_name;
    const struct market *market;  // at the fence; NULL: none was ever applied, or version 1
    usec issued;                  // when it was fenced; of a draft the period's end
    const char *digest, *root;    // hex; "" of a draft
};

// One seat's statement of a period from the ledger. When the period has been fenced, carried
// amounts are those of the close before it, so that it comes out the same at any later time.
MUST_CHECK enum status statement_compute(struct db *db, int32_t seat, const struct period *period,
                                         struct arena *arena, struct statement *out_statement);
// The same by today's computation, whatever fenced the period: lines as they are opened.
MUST_CHECK enum status statement_now(struct db *db, int32_t seat, const struct period *period,
                                     struct arena *arena, struct statement *out_statement);
// Whether money under a contract belongs on this line of a section, by the contract's terms.
bool statement_same_terms(const struct statement *statement, enum section_kind kind,
                          const struct line *line, int64_t contract);
// The statements of all seats that have something to say, by code: a fixed number of passes over
// the period's folds, however many seats there are.
MUST_CHECK enum status
statement_all(struct db *db, const struct period *period, struct arena *arena,
              struct statement **out_statements, size_t *out_count);
// 1 of a period fenced by the released version, else 2.
MUST_CHECK enum status
statement_version(struct db *db, const struct period *period, int *out_version);

// Of version 1 (statement_first.c).
MUST_CHECK enum status statement_first(struct db *db, int32_t seat, const struct period *period,
                                       struct arena *arena, struct statement *out_statement);
MUST_CHECK enum status
statement_first_seats(struct db *db, const struct period *period, struct arena *arena,
                      int32_t **out_seats, size_t *out_count);
// The seat's accounts, and what finance did (statement_passage.c); of `seat`, 0 all. `statements`
// are sorted by seat's number and rounded.
MUST_CHECK enum status
statement_passages(struct db *db, const struct period *period, int32_t seat,
                   struct statement *statements, size_t count, struct arena *arena);
MUST_CHECK enum status
statement_remarks(struct db *db, const struct period *period, int32_t seat,
                  struct statement *statements, size_t count, struct arena *arena);

// Rounds every section to whole cents and numbers the lines.
MUST_CHECK enum status statement_round(struct statement *statement, struct arena *arena);

// What a close keeps (statement_keep.c): the CSV with its digest, and each section's totals.
MUST_CHECK enum status statement_store(struct db *db, const struct statement *statement,
                                       struct arena *arena, struct digest *out_digest);
// All documents of a closed statement, whose digest and root are set.
MUST_CHECK enum status
statement_keep(struct db *db, const struct statement *statement, struct arena *arena);
// Whether a closed statement, computed again with its digest and root, is the one that was stored
// and kept, in every format. STATUS_CONFLICT: `out_fault` names the difference.
#define STATEMENT_FAULT 400
MUST_CHECK enum status statement_check(struct db *db, const struct statement *statement,
                                       struct arena *arena, char out_fault[STATEMENT_FAULT]);

// The document in one format: text, CSV and JSON; statement_document: any, `out_len` bytes.
const char *statement_print(const struct statement *statement, enum statement_format format,
                            struct arena *arena);
const char *statement_document(const struct statement *statement, enum statement_format format,
                               struct arena *arena, size_t *out_len);
// False: this statement has no such document (an invoice without amounts).
bool statement_has(const struct statement *statement, enum statement_format format);

// Its faces, one file each.
void statement_print_text(FILE *out, const struct statement *statement);
void statement_print_csv(FILE *out, const struct statement *statement);
void statement_print_json(FILE *out, const struct statement *statement);
const char *
statement_print_pdf(const struct statement *statement, struct arena *arena, size_t *out_len);
// Whether a PDF was made by the version of the library that this program uses.
bool statement_pdf_same_library(const void *bytes, size_t len);
// A section's table, cell by cell: row 0 headings, then lines, what was carried in, the total.
const char *statement_section_title(enum section_kind kind);
size_t statement_columns(enum section_kind kind);
bool statement_column_left(enum section_kind kind, size_t column);  // text, not a number
void statement_cell(const struct statement *statement, enum section_kind kind, size_t row,
                    size_t column, char out[160]);
// Words they share.
const char *statement_account_title(enum account_code code);
const char *statement_movement_word(enum transfer_kind kind);
bool statement_section_empty(const struct section *section);
// "18,420.50"
#define STATEMENT_CELL 160
const char *statement_grouped(money amount, unsigned decimals, char out[STATEMENT_CELL]);

#endif
