// Which line of which statement a fact counts on, and how.
//
//  1 A placement, its delivery or end, and the revenue that followed it count on one line: the
//    seat's, in the section that the contract at the win says, of its slot, message and rung.
//  2 Only what was booked counts, or would have been had the contract shared anything, or was kept
//    to be booked with its conversion; repeats, orphans and refusals do not.
//  3 Revenue of which a partner owes a pool counts on the line of what it owes, too.
#include "fold_fact.h"

#include <string.h>

#include "fail.h"

static const char *
section_of(const struct posting_win *win)
{
    if (win->seat_kind != SEAT_PARTNER) return "bought";
    return win->billing == BILLING_PREPAID ? "prepaid" : "charged";
}

static void
line_of(const struct posting_win *win, const char period[PERIOD_TEXT], struct fold_count *out)
{
    *out = (struct fold_count){.seat = win->seat,
                               .slot = win->slot,
                               .message = win->message,
                               .currency = win->currency,
                               .section = section_of(win),
                               .rung = (int8_t)win->rung};
    memcpy(out->period, period, PERIOD_TEXT);
}

static bool
ends_unpaid(const struct posting_win *win, uint8_t kind)
{
    return kind == FACT_CANCELLED || kind == FACT_EXPIRED || kind == FACT_LAPSED ||
           (kind == FACT_DECLINED &&
            (posting_due_at_response(win) || posting_due_at_conversion(win)));
}

static unsigned
count_revenue(const struct fact *fact, const struct posting *posting,
              const struct replay_said *said, struct fold_count out[FOLD_FACT_COUNTS])
{
    if (posting->state != POSTING_POSTED && posting->state != POSTING_NO_SHARE &&
        posting->state != POSTING_WAITING)
        return 0;
    bool refund = fact->kind == FACT_REFUNDED;
    out[0].converted = !refund;
    out[0].refunded = refund;
    out[0].revenue = fact->revenue.amount;
    if (refund)
        CHECK(money_subtract(money_of(0), fact->revenue.amount, &out[0].revenue) == STATUS_OK);
    if (posting->state != POSTING_POSTED || !said->order || said->order->merchant == 0) return 1;
    out[1] = out[0];
    out[1].section = "owed";
    out[1].seat = said->order->merchant;
    return 2;
}

unsigned
fold_fact(const struct fact *fact, const struct posting *posting, const struct replay_said *said,
          const char period[PERIOD_TEXT], struct fold_count out[FOLD_FACT_COUNTS])
{
    const struct posting_win *win = said->win;
    if (!win) return 0;
    line_of(win, period, &out[0]);
    if (fact->kind == FACT_CONVERTED || fact->kind == FACT_REFUNDED)
        return count_revenue(fact, posting, said, out);
    if (posting->state != POSTING_POSTED) return 0;
    if (fact->kind == FACT_PLACEMENT) out[0].won = 1;
    else if (fact->kind == FACT_DELIVERED) out[0].delivered = 1;
    else if (ends_unpaid(win, fact->kind)) out[0].ended = 1;
    else return 0;
    return 1;
}
