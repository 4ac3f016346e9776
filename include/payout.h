// Payouts: what became payable to beneficiaries by the end of a closed period, told to the bank as
// one ISO 20022 file (pain.001.001.09). One run a period; again, it gives the same bytes.
//
// Of a beneficiary's payable account (2110), as it stood when the period closed and less what left
// it since: clawbacks (1160) are taken off first, unless its contract has them billed; the rest is
// paid in whole cents from the minimum of the contract on, exchanged when the contract asks for
// another currency. What is not paid stays payable.
#ifndef VENDUE_PAYOUT_H
#define VENDUE_PAYOUT_H

#include "arena.h"
#include "db.h"
#include "period.h"
#include "rate.h"

#define PAYOUT_FAULT 800
#define PAYOUT_ID 27  // an id in base32, and NUL

enum payout_why {
    PAYOUT_PAID,
    PAYOUT_BELOW_CENT,  // less than a cent is payable, or nothing
    PAYOUT_MINIMUM,     // less than the contract's minimum
    PAYOUT_NO_ACCOUNT,  // the seat's party names no account (iban)
    PAYOUT_WHY_COUNT
};
const char *payout_why_text(enum payout_why why);  // for people

struct payout {
    struct id id;
    uint32_t seat, contract;
    const char *code, *name, *iban, *bic;
    struct currency from, to;
    money payable;  // in `from`, before anything
    money netted;   // clawbacks taken off
    money owing;    // clawbacks left
    money spent;    // in whole cents of `from`, spread included
    money carried;  // what stays payable
    money amount;   // paid, in `to`
    bool exchanged;
    struct rate rate;
    struct rate_exchange exchange;
    uint8_t why;  // enum payout_why
    char end_to_end[PAYOUT_ID];
};
struct payout_run {
    char period[PERIOD_TEXT];
    uint64_t act;  // 0: not run
    usec at;
    struct payout *payouts;  // by code; of a run that was made before only those that were paid
    size_t count, paid;
    const char *body;  // the file; "" when nothing is paid
    size_t body_len;
};
// What a run would do now. STATUS_DENIED: it may not be run (not closed, no rate, no account of the
// host); STATUS_CONFLICT: the books contradict what was told to the bank. Both with `out_fault`.
// STATUS_EXISTS: it was run; then out_run is that run.
MUST_CHECK enum status
payout_preview(struct db *db, const struct period *period, usec now, struct arena *arena,
               struct payout_run *out_run, char out_fault[PAYOUT_FAULT]);
// Runs it: one act. STATUS_EXISTS: it was run before, out_run->body is the same file, after it was
// compared with the books (else STATUS_CONFLICT). STATUS_NOT_FOUND: nothing is to be paid or taken
// off, and nothing was written. Else as payout_preview.
MUST_CHECK enum status
payout_make(struct db *db, const struct period *period, const char *author, usec now,
            struct arena *arena, struct payout_run *out_run, char out_fault[PAYOUT_FAULT]);
// Compares a payment file with the books: every payment with what was told to the bank, amounts,
// accounts, sums and counts. STATUS_INPUT: it is no such file; STATUS_CONFLICT: `out_fault` says
// what differs first.
MUST_CHECK enum status payout_check(struct db *db, const char *bytes, size_t len,
                                    uint32_t *out_payments, char out_fault[PAYOUT_FAULT]);

// 26 letters and digits (RFC 4648 base32), and back.
void payout_id_format(struct id id, char out[PAYOUT_ID]);
MUST_CHECK enum status payout_id_parse(const char *text, size_t len, struct id *out_id);
// Whether an IBAN has the form and the check digits of one; blanks are not allowed.
bool payout_iban_valid(const char *iban);

#endif
