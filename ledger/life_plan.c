// The rule of what a part of an order stands on. Pure.
//
// The worth of a part is what all its accounts come to together:
//   worth = accrued + payable + held - clawback + taken
// Facts change it through `accrued`; moves between the accounts do not change it. What was paid
// stays on `payable` (a payout takes it from the account, not from the part). So:
//
//            accrued        payable            held             clawback          taken
//   OPEN     worth - paid*  paid               0                paid - worth*     0
//   LOCKED   0              max(paid, worth)   0                paid - worth*     0
//   HELD     0              paid               worth - paid*    paid - worth*     0
//   TAKEN    0              paid               0                paid              worth
// (*: at least 0.)
//
//  1 Every line adds up to the worth, so moves balance.
//  2 The outcome depends on worth, paid and stand alone, not on the way there.
//  3 Worth 0 and nothing paid: every account is 0.
#include "fail.h"
#include "life.h"
#include "transfer.h"

enum { ACCRUED, PAYABLE, HELD, CLAWBACK, TAKEN, PLACES };

static const uint16_t codes[PLACES] = {ACCOUNT_GAIN_ACCRUED, ACCOUNT_GAIN_PAYABLE,
                                       ACCOUNT_GAIN_HELD, ACCOUNT_CLAWBACK, ACCOUNT_GAIN_HOST};

static money
above_zero(money amount)
{
    return amount.micros > 0 ? amount : money_of(0);
}

// Credit balances by the table above.
static enum status
wanted(const struct life_part *part, enum life_stand stand, money worth, money out[PLACES])
{
    money left, back;
    enum status status = money_subtract(worth, part->paid, &left);
    if (status == STATUS_OK) status = money_subtract(part->paid, worth, &back);
    if (status != STATUS_OK) return status;
    left = above_zero(left);
    back = above_zero(back);
    for (unsigned i = 0; i < PLACES; i++) out[i] = money_of(0);
    out[PAYABLE] = part->paid;
    out[CLAWBACK] = back;
    switch (stand) {
    case LIFE_OPEN: out[ACCRUED] = left; break;
    case LIFE_LOCKED: out[PAYABLE] = left.micros > 0 ? worth : part->paid; break;
    case LIFE_HELD: out[HELD] = left; break;
    case LIFE_TAKEN:
        out[TAKEN] = worth;
        out[CLAWBACK] = part->paid;
        break;
    }
    return money_subtract(money_of(0), out[CLAWBACK], &out[CLAWBACK]);  // as a credit balance
}

static uint8_t
kind_of(unsigned from, unsigned to)
{
    if (from == TAKEN || to == TAKEN || from == HELD || to == HELD) return TRANSFER_DISPUTE;
    return from == CLAWBACK || to == CLAWBACK ? TRANSFER_CLAWBACK : TRANSFER_LOCK;
}

// Pairs what is to be debited with what is to be credited.
static enum status
pair(money changes[PLACES], struct life_move out[LIFE_MOVES], unsigned *out_count)
{
    enum status status = STATUS_OK;
    *out_count = 0;
    for (unsigned from = 0; from < PLACES; from++) {
        for (unsigned to = 0; to < PLACES && changes[from].micros < 0; to++) {
            if (changes[to].micros <= 0) continue;
            money need, amount = changes[to];
            status = money_subtract(money_of(0), changes[from], &need);
            if (status != STATUS_OK) return status;
            if (need.micros < amount.micros) amount = need;
            CHECK(*out_count < LIFE_MOVES);
            out[(*out_count)++] = (struct life_move){codes[from], codes[to], kind_of(from, to),
                                                     amount};
            status = money_add(changes[from], amount, &changes[from]);
            if (status == STATUS_OK) status = money_subtract(changes[to], amount, &changes[to]);
            if (status != STATUS_OK) return status;
        }
    }
    return status;
}

enum status
life_moves(const struct life_part *part, enum life_stand stand,
           struct life_move out_moves[LIFE_MOVES], unsigned *out_count)
{
    money is[PLACES] = {part->accrued, part->payable, part->held, money_of(0), part->taken};
    money worth = money_of(0), want[PLACES], changes[PLACES];
    enum status status = money_subtract(money_of(0), part->clawback, &is[CLAWBACK]);
    for (unsigned i = 0; i < PLACES && status == STATUS_OK; i++)
        status = money_add(worth, is[i], &worth);
    if (status == STATUS_OK) status = wanted(part, stand, worth, want);
    for (unsigned i = 0; i < PLACES && status == STATUS_OK; i++)
        status = money_subtract(want[i], is[i], &changes[i]);
    return status == STATUS_OK ? pair(changes, out_moves, out_count) : status;
}
