// What the files of the bank share: a message of the bank as plain entries.
#ifndef VENDUE_BANK_INSIDE_H
#define VENDUE_BANK_INSIDE_H

#include "bank.h"
#include "hash.h"

enum bank_says {
    BANK_SAYS_ENTRY,     // camt.053: a booked entry, or one of those it is made of
    BANK_SAYS_PENDING,   // camt.053: not booked yet
    BANK_SAYS_ODD,       // camt.053: cannot be used; `text` says why
    BANK_SAYS_REJECTED,  // pain.002
    BANK_SAYS_OTHER      // pain.002: any other status, in `text`
};
struct bank_entry {
    uint8_t says;
    struct id id;            // derived from what the bank said: the same entry has the same
    const char *reference;   // the bank's own
    const char *end_to_end;  // "" none
    const char *message;     // pain.002: all payments of this message, when `end_to_end` is ""
    const char *text;        // remittance, or reason
    usec at;
    money amount;
    struct currency currency;
    bool credit, reversal;
};
struct bank_message {
    char kind[16], message[40], iban[40];
    struct bank_entry *entries;
    size_t count, room;
};
// STATUS_INPUT: `out_fault` says what is wrong with the file.
MUST_CHECK enum status bank_read(const char *bytes, size_t len, struct arena *arena,
                                 struct bank_message *out_message, char out_fault[BANK_FAULT]);

#endif
