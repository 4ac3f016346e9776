// Disputes. A partner contests what a closed statement billed it: 1120 -> 1130 until it is decided;
// accepted, a credit note (4090), else back to 1120. Or the house contests a beneficiary's share of
// an order: 2110 -> 2120 (or, within validation, it does not lock) until it is decided; accepted,
// the share goes to the house, else it is payable again. Each has a reason that partners know, a
// reference to its evidence, and a deadline; each ends once.
#ifndef VENDUE_DISPUTE_H
#define VENDUE_DISPUTE_H

#include "bounds.h"
#include "db.h"

#define DISPUTE_FAULT 400
// Reason codes, each list ending in NULL.
extern const char *const dispute_share_reasons[];      // of declined conversions
extern const char *const dispute_statement_reasons[];  // of placements that are not to be billed

struct dispute_ask {
    const char *seat;       // the partner; of a share the beneficiary
    const char *reference;  // the period of the statement; of a share the order's reference or id
    money amount;           // of a statement: what is contested; whole cents
    const char *reason, *evidence, *author;
};
struct dispute {
    uint64_t number;
    struct currency currency;
    money amount;  // moved by this call
    usec deadline;
};
// All answer STATUS_OK, or with a fault for people, nothing being changed: STATUS_INPUT what was
// asked is not complete or not possible; STATUS_NOT_FOUND no such seat, statement, order or
// dispute; STATUS_DENIED it may not be disputed; STATUS_EXISTS it is disputed already, or was
// decided. Else db.h's answers.
MUST_CHECK enum status dispute_statement(struct db *db, const struct dispute_ask *ask, usec now,
                                         struct dispute *out, char fault[DISPUTE_FAULT]);
MUST_CHECK enum status dispute_share(struct db *db, const struct dispute_ask *ask, usec now,
                                     struct dispute *out, char fault[DISPUTE_FAULT]);
// Decides it: `accepted`, or rejected.
MUST_CHECK enum status
dispute_decide(struct db *db, uint64_t number, bool accepted, const char *why, const char *author,
               usec now, struct dispute *out, char fault[DISPUTE_FAULT]);

#endif
