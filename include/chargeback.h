// Chargebacks: the bank took a partner's payment back. The amount stands on 1130 Disputed until it
// is won (the bank gives it back) or lost (a bad debt). The bank's fee is an expense, and is
// charged to the partner again.
#ifndef VENDUE_CHARGEBACK_H
#define VENDUE_CHARGEBACK_H

#include "bounds.h"
#include "db.h"

#define CHARGEBACK_FAULT 400
struct chargeback_ask {
    const char *seat;
    const char *reference;  // the bank's, of the chargeback; once
    money amount, fee;      // fee 0: none; both in whole cents
    const char *evidence, *author;
};
struct chargeback {
    uint64_t number;
    char seat[BOUND_CODE + 1];
    struct currency currency;
    money amount;
    usec deadline;
};
// Answers as dispute.h's. STATUS_EXISTS: this reference was booked before with these amounts.
MUST_CHECK enum status chargeback_open(struct db *db, const struct chargeback_ask *ask, usec now,
                                       struct chargeback *out, char fault[CHARGEBACK_FAULT]);
MUST_CHECK enum status
chargeback_end(struct db *db, uint64_t number, bool won, const char *author, usec now,
               struct chargeback *out, char fault[CHARGEBACK_FAULT]);

#endif
