// Adjustments: what was posted and is wrong is never changed; its correction is booked beside it,
// in the open period, naming the transfer it corrects, with a reason, its evidence and its author.
// Above a limit (finance.approve_above in the market file) a second person approves it.
#ifndef VENDUE_ADJUST_H
#define VENDUE_ADJUST_H

#include "bounds.h"
#include "db.h"

#define ADJUST_FAULT 400
// Reason codes, ending in NULL.
extern const char *const adjust_reasons[];
// Against what: the transfer's own accounts turned round; or a partner's account against 4090 or
// 5400.
enum adjust_to { ADJUST_MIRROR, ADJUST_CREDIT_NOTE, ADJUST_GOODWILL };
const char *adjust_to_name(enum adjust_to to);  // "mirror" "adjustments" "goodwill"

struct adjust_ask {
    struct id transfer;  // that it adjusts
    money amount;        // of it; micros 0: all of it that is left
    enum adjust_to to;
    usec effective;  // 0: now
    const char *reason, *evidence, *author;
};
struct adjust {
    uint64_t number;
    bool booked;  // else it waits for a second person
    struct currency currency;
    money amount;
    char period[16];  // in which it was booked
};
// Answers as dispute.h's.
MUST_CHECK enum status adjust_propose(struct db *db, const struct adjust_ask *ask, usec now,
                                      struct adjust *out, char fault[ADJUST_FAULT]);
// Approves one that waits, or refuses it. STATUS_DENIED: its author cannot.
MUST_CHECK enum status
adjust_decide(struct db *db, uint64_t number, bool approve, const char *person, usec now,
              struct adjust *out, char fault[ADJUST_FAULT]);

#endif
