// A statement as data: computed by statement.c, printed by statement_print.c, closed by settle.c.
#ifndef VENDUE_STATEMENT_INSIDE_H
#define VENDUE_STATEMENT_INSIDE_H

#include <stdbool.h>

#include "statement.h"

// In the order they are printed. Names are stored.
enum section_kind {
    SECTION_CHARGED,  // placements on credit: billed
    SECTION_PREPAID,  // placements paid from the deposit
    SECTION_BOUGHT,   // a department's placements, at transfer price
    SECTION_SOLD,     // a department's slots that others bought
    SECTION_OWED,     // gain-share pools this merchant owes
    SECTION_EARNED,   // its parts of such pools
    SECTION_COUNT
};
const char *section_name(enum section_kind kind);

struct line {
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
struct statement {
    int32_t seat;
    const char *code, *name, *kind;
    const char *contracts;  // "grill-2026 (credit, charged on delivery)", one a line
    struct period period;
    struct currency currency;
    bool closed;
    bool has_deposit;
    struct deposit_account deposit;
    struct section sections[SECTION_COUNT];
    const char *digest, *root;  // hex; "" of a draft
};

// One seat's statement of a period from the ledger, or of all seats that have one. When the period
// has been fenced, carried amounts are those of the close before it, so that it comes out the same
// at any later time.
MUST_CHECK enum status statement_compute(struct db *db, int32_t seat, const struct period *period,
                                         struct arena *arena, struct statement *out_statement);
// Seats with something to say on a statement of this period, by code.
MUST_CHECK enum status statement_seats(struct db *db, const struct period *period,
                                       struct arena *arena, int32_t **out_seats, size_t *out_count);

const char *statement_print(const struct statement *statement, enum statement_format format,
                            struct arena *arena);

#endif
