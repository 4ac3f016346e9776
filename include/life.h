// The life of shares: accrued within the validation of their contract, then locked and payable,
// held while they are disputed, paid, taken back. Facts post shares on 2100 Accrued; what becomes
// of them follows as acts (act.h). The state is a function of the facts and of what finance
// decided, in whatever order both came: what each part of an order should stand on is computed
// anew, and the difference to what is booked is booked. Worked examples: docs/life.md.
#ifndef VENDUE_LIFE_H
#define VENDUE_LIFE_H

#include "act.h"
#include "db.h"
#include "period.h"

#define LIFE_FAULT 400
struct life_report {
    bool more;                  // there is more to do at once
    unsigned facts;             // revenues and divisions looked at
    unsigned locked, followed;  // orders
    size_t transfers;
};
// One bounded piece of what is to be done, in transactions of its own: takes note of new revenue,
// locks orders whose validation ended before `now`, lets locked shares follow their refunds and
// divisions. With nothing to do it is one small query. Any number of programs may call it. db.h's
// answers, or STATUS_DAMAGED: a stored contract cannot be read.
MUST_CHECK enum status life_turn(struct db *db, usec now, struct life_report *out_report);

// The true-ups of retroactive tiers, inside the caller's transaction: all orders of the period that
// is closing at the rate that their contract's revenue reached. Books into that period; again, it
// books nothing. Refunds that come afterwards are followed by life_turn. `out_text` says what was
// booked, or on failure what is wrong.
MUST_CHECK enum status
life_true_up(struct db *db, const struct period *period, usec at, char out_text[LIFE_FAULT]);

// Within a payout's act: what was locked for the seat by earlier acts counts as paid from here on.
MUST_CHECK enum status
life_paid_out(struct db *db, const struct act *act, uint32_t seat, struct currency currency);
// Within the act that books a payout back: it does not count as paid any more.
MUST_CHECK enum status life_paid_back(struct db *db, const struct act *act, uint32_t seat,
                                      struct currency currency, uint64_t payout_act);

// --- Orders, for people --------------------------------------------------------------------------
struct life_order {
    struct id order;
    char reference[BOUND_KEY + 1];
    char seat[BOUND_CODE + 1];  // whose placement it followed
    struct currency currency;
    money amount;
    usec due;     // end of its validation
    bool locked;  // it is over
    bool extended;
};
// The order of this reference, or of this id as text; `seat` NULL: of any seat. STATUS_NOT_FOUND;
// STATUS_CONFLICT: several, the seat or the id must tell which. STATUS_DENIED: it shares nothing.
MUST_CHECK enum status
life_find(struct db *db, const char *text, const char *seat, struct life_order *out_order);
// What such an answer means, for people; db.h's answers are left alone.
void life_find_fault(enum status status, const char *text, char fault[LIFE_FAULT]);
// Gives an order `days` more days before its shares lock; once, and while they have not. Reads the
// order again. STATUS_EXISTS: it was extended before; STATUS_DENIED: locked already; STATUS_INPUT:
// days 0 or above LIFE_EXTENSION, no reason or no author.
#define LIFE_EXTENSION 366
MUST_CHECK enum status life_extend(struct db *db, struct life_order *order, uint32_t days,
                                   const char *reason, const char *author, usec now);

// --- The rule, pure ------------------------------------------------------------------------------
// How one part of an order stands: what is booked of it, each as a credit balance but the clawback.
struct life_part {
    money accrued, payable, held, clawback;
    money taken;  // by the house, when a dispute went against the seat
    money paid;   // of `payable`, what was locked before the last payout that stands
};
// OPEN: within validation, or disputed before it ended. LOCKED: payable. HELD: disputed since it
// was locked. TAKEN: a dispute went against the seat.
enum life_stand { LIFE_OPEN, LIFE_LOCKED, LIFE_HELD, LIFE_TAKEN };
struct life_move {
    uint16_t debit, credit;  // enum account_code; ACCOUNT_GAIN_HOST stands for the house
    uint8_t kind;            // enum transfer_kind
    money amount;            // > 0
};
#define LIFE_MOVES 4
// What is to be booked so that the part stands as it should. STATUS_OVERFLOW.
MUST_CHECK enum status life_moves(const struct life_part *part, enum life_stand stand,
                                  struct life_move out_moves[LIFE_MOVES], unsigned *out_count);

#endif
