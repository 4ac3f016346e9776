// What the bank says: statements of booked entries (camt.053) and status of payments (pain.002),
// matched to the books. Payments out are known by their end-to-end id, receipts by the reference of
// the bill that they name ("2026-11 acme"). What does not match is listed with the reason and not
// booked; the rest of the file goes on. The same file again books nothing.
#ifndef VENDUE_BANK_H
#define VENDUE_BANK_H

#include "arena.h"
#include "db.h"

#define BANK_FAULT 400
#define BANK_WHY 240

enum bank_outcome {
    BANK_BOOKED,
    BANK_BEFORE,     // this entry was booked already
    BANK_NOTHING,    // says nothing to book: an entry not yet booked, a payment accepted
    BANK_UNMATCHED,  // listed, and not booked: `why`
    BANK_OUTCOME_COUNT
};
const char *bank_outcome_name(enum bank_outcome outcome);  // "booked"

struct bank_line {
    const char *entry;  // the bank's reference, or the end-to-end id
    usec at;            // 0: none said
    money amount;
    struct currency currency;  // "" none said
    bool credit;               // to our account
    uint8_t outcome;           // enum bank_outcome
    char why[BANK_WHY];        // what was booked, or why not
};
struct bank_report {
    char kind[16];     // "camt.053", "pain.002"
    char message[40];  // the bank's id of it
    struct bank_line *lines;
    size_t count;
    unsigned tally[BANK_OUTCOME_COUNT];
    uint64_t act;  // 0: nothing was booked
};
// Takes a file: one act. STATUS_INPUT: it is no such file, or does not add up: nothing was booked,
// and `out_fault` says why. Lines live in the arena.
MUST_CHECK enum status
bank_take(struct db *db, const char *bytes, size_t len, const char *author, usec now,
          struct arena *arena, struct bank_report *out_report, char out_fault[BANK_FAULT]);

#endif
