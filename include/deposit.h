// A prepaid seat's money: paid in, used by its placements, read back.
#ifndef VENDUE_DEPOSIT_H
#define VENDUE_DEPOSIT_H

#include "bounds.h"
#include "db.h"
#include "period.h"

struct deposit {
    char seat[BOUND_CODE + 1];
    char reference[BOUND_KEY + 1];
    struct currency currency;
    money amount;
    char period[PERIOD_TEXT];  // in which it was booked
    money balance;             // of the seat's prepaid account, after it
    money held;                // of that, for placements won and not yet shown or ended
};
// Books Dr 1000 Bank / Cr 2000 Prepaid once for each (seat, reference), in the market's currency,
// as an act of `author`.
// STATUS_EXISTS: the same deposit was booked before; `out_deposit` is it. STATUS_CONFLICT: the
// reference names a deposit of another amount. STATUS_NOT_FOUND: no such seat. STATUS_DENIED: not a
// partner. STATUS_INPUT: amount not positive, reference empty or longer than BOUND_KEY, or no
// author. Else db.h's answers.
MUST_CHECK enum status
deposit_book(struct db *db, const char *seat, money amount, const char *reference,
             const char *author, usec now, struct deposit *out_deposit);

#endif
