// Facts into transfers.
//
//  1 Ids are derived from what is booked: win = H(placement), terminal = H(win), part = H(order,
//    leg), refund part = H(order, refund, leg). The terminal's id is the same for charge and
//    release, so a second terminal of one hold cannot exist, whatever the code does.
//  2 R1, a partner wins: hold Dr 1110 Unbilled (credit) or 2000 Prepaid / Cr 4000. Delivered:
//    charge, the same accounts. Cancelled or expired: release. A contract that charges at the
//    win: one charge at once, and nothing at delivery; what is not shown then is finance's to
//    adjust.
//  3 R2, a department wins: nothing is held; at delivery (or at the win, if the contract says so)
//    Dr 5100 buyer / Cr 4100 owner, at the contract's transfer price. Buyer and owner the same:
//    no transfer.
//  4 R3, a conversion: the pool's parts, one transfer each. A partner is the merchant: Dr 1150 of
//    it; the host is: Dr 5000 of the part's rung. Credit: host 4200, department 4210, partner
//    2100. What lies beyond the contract's cap is the host's: a leg of its own, "outside_terms".
//  5 R5, a refund: the split of what remains less the split of what was before, part by part; a
//    smaller part is booked back (accounts exchanged), a larger one as in R3. So the sum over all
//    transfers of an order is always the split of what remains, and zero when nothing remains. A
//    refund before its conversion waits; the conversion books its own parts, then the refund's.
//    Each leg names the transfer of the conversion that it corrects as its origin, unless the
//    order was divided anew, when parts of before and after are not the same ones.
//  6 R11, a price due at a response (by its kind, or because the contract charges there) or at the
//    first conversion: held at the win like R1, released when cancelled, expired, declined or
//    lapsed. R12, a price that is a share of the revenue: nothing is held; of every order its share
//    of the remaining amount stands on the accounts of R1 or R2, rounded once, half to even: a
//    conversion books it, a refund what changes. Where a contract charges counts for prices per
//    placement only.
//  7 R14, an order divided anew: the split of what remains by the new parts less the one by the
//    old, pair by pair, booked like a refund. So the end does not depend on when a touch was
//    reported.
//  8 Zero amounts make no transfer.
//  9 Conversion and refunds of one order share its id as their group; hold and terminal the
//    placement's. Legs: the parts, but BOUND_SHARES is the commission's (parts from there on stand
//    one further), then what is outside the terms, and the price; of a refund that waited the same
//    from 128 on. Of orders divided anew: counted on behind what the event itself booked.
#include "posting_inside.h"

#include <string.h>

#include "fail.h"

const char *
posting_state_name(enum posting_state state)
{
    static const char *const names[POSTING_STATE_COUNT] = {
        "posted", "no_share", "repeat", "exceeds", "orphan", "waiting", "late"};
    CHECK(state < POSTING_STATE_COUNT);
    return names[state];
}

enum status
posting_terms(const struct contract_terms *terms, struct posting_win *win)
{
    const struct market_seat *seat = contract_seat(terms, win->seat);
    if (!seat) return STATUS_NOT_FOUND;
    const struct market_contract *contract = win->contract ? contract_by_id(terms, win->contract)
                                                           : NULL;
    win->seat_kind = seat->kind;
    win->billing = contract ? contract->billing : BILLING_CREDIT;
    win->transfer_price = contract ? contract->transfer_price : TRANSFER_SECOND_PRICE;
    win->cost_plus = money_of(0);
    if (win->transfer_price != TRANSFER_COST_PLUS) return STATUS_OK;
    uint64_t ppm = (uint64_t)MONEY_PPM + contract->cost_plus_ppm;
    enum status status = money_share(contract_slot_cost(terms, win->slot), ppm, &win->cost_plus);
    CHECK(status == STATUS_OK);  // BOUND_MICROS x 2^32 / 10^6 is within range
    return STATUS_OK;
}

enum status
posting_win(const struct contract_terms *terms, const struct fact *fact,
            struct posting_win *out_win)
{
    CHECK(fact->kind == FACT_PLACEMENT);
    const struct market_contract *contract = contract_in_force(terms, fact->placement.seat,
                                                               fact->at);
    *out_win = (struct posting_win){
        .placement = fact_placement(fact),
        .at = fact->at,
        .price = fact->placement.price,
        .floor = fact->placement.floor,
        .currency = fact->placement.currency,
        .slot = fact->placement.slot,
        .message = fact->placement.message,
        .seat = fact->placement.seat,
        .owner = contract_owner(terms, fact->placement.slot),
        .contract = contract ? contract->id : 0,
        .objectives = fact->placement.objectives,
        .rung = fact->placement.rung,
        .charge = fact->placement.charge,
        .kind = fact->placement.kind,
        .channel = fact->placement.cell % CHANNEL_COUNT,
        .customer = fact->customer,
    };
    return posting_terms(terms, out_win);
}

enum due
posting_due(const struct posting_win *win)
{
    return market_due(win->kind, win->charge);
}

bool
posting_due_at_response(const struct posting_win *win)
{
    return posting_due(win) == DUE_RESPONSE;
}

bool
posting_due_at_conversion(const struct posting_win *win)
{
    return posting_due(win) == DUE_CONVERSION;
}

// Starts a transfer with all that it shares with its placement and its fact.
struct transfer *
posting_begin(struct posting *out, const struct posting_win *win, const struct fact *fact,
              struct posting_source source, enum transfer_kind kind)
{
    CHECK(out->count < POSTING_TRANSFERS);
    struct transfer *one = &out->transfers[out->count];
    *one = (struct transfer){
        .group = win->placement,
        .kind = (uint8_t)kind,
        .state = TRANSFER_POSTED,
        .currency = win->currency,
        .effective = out->effective,
        .posted = fact->at,
        .log = source.log,
        .batch = source.batch,
        .index = source.index,
        .seat = win->seat,
        .contract = win->contract,
        .slot = win->slot,
        .message = win->message,
        .placement = win->placement,
        .objectives = win->objectives,
        .rung = (int8_t)win->rung,
        .won_rung = (int8_t)win->rung,
        .reason = "",
    };
    return one;
}

// Takes the transfer in if there is something to book.
void
posting_finish(struct posting *out, const struct transfer *one)
{
    if (one->amount.micros > 0) out->count++;
}

static struct id
win_id(const struct posting_win *win)
{
    return hash_id("win", win->placement.bytes, sizeof win->placement.bytes);
}

static struct id
terminal_id(const struct posting_win *win)
{
    struct id hold = win_id(win);
    return hash_id("terminal", hold.bytes, sizeof hold.bytes);
}

void
posting_external(const struct posting_win *win, struct transfer *one)
{
    one->debit = (struct account){.code = win->billing == BILLING_PREPAID ? ACCOUNT_PREPAID
                                                                          : ACCOUNT_UNBILLED,
                                  .seat = win->seat};
    one->credit = (struct account){.code = ACCOUNT_SLOT_EXTERNAL};
    one->amount = win->price;
}

// The floor is an expected value, and a cost is one of showing the message: as transfer prices they
// stand for prices per placement only.
void
posting_internal(const struct posting_win *win, struct transfer *one)
{
    one->debit = (struct account){.code = ACCOUNT_EXPENSE_INTERNAL, .seat = win->seat};
    one->credit = (struct account){.code = ACCOUNT_SLOT_INTERNAL, .seat = win->owner};
    one->amount = win->price;
    if (win->transfer_price == TRANSFER_ZERO) one->amount = money_of(0);
    if (win->kind == PRICE_PLACEMENT) {
        if (win->transfer_price == TRANSFER_FLOOR) one->amount = win->floor;
        if (win->transfer_price == TRANSFER_COST_PLUS) one->amount = win->cost_plus;
    }
    // A department that wins in its own container pays nobody; the placement's row is the memo.
    if (win->owner == win->seat || win->owner == 0) one->amount = money_of(0);
}

// The arrays are left as they are: clearing them would cost more than posting does.
void
posting_start(struct posting *out, usec effective)
{
    out->state = POSTING_POSTED;
    out->effective = effective;
    out->pool = money_of(0);
    out->contract = out->merchant = 0;
    out->count = out->part_count = 0;
}

void
posting_placement(const struct posting_win *win, const struct fact *fact,
                  struct posting_source source, struct posting *out)
{
    posting_start(out, fact->at);
    out->contract = win->contract;
    enum due due = posting_due(win);
    if (due == DUE_REVENUE) return;
    bool at_win = due == DUE_WIN;
    if (win->seat_kind == SEAT_PARTNER) {
        struct transfer *one = posting_begin(out, win, fact, source,
                                             at_win ? TRANSFER_CHARGE : TRANSFER_HOLD);
        posting_external(win, one);
        one->id = win_id(win);
        one->state = at_win ? TRANSFER_POSTED : TRANSFER_PENDING;
        posting_finish(out, one);
    } else if (at_win) {
        struct transfer *one = posting_begin(out, win, fact, source, TRANSFER_INTERNAL);
        posting_internal(win, one);
        one->id = win_id(win);
        posting_finish(out, one);
    }
}

usec
posting_clamp(usec effective, usec earliest, usec latest)
{
    if (effective.us <= 0 || effective.us > latest.us) effective = latest;
    return effective.us < earliest.us ? earliest : effective;
}

// What an event does to a placement that stands open.
enum effect { EFFECT_NONE, EFFECT_CHARGE, EFFECT_RELEASE };

static enum effect
effect_of(enum due due, enum fact_kind kind)
{
    if (kind == FACT_CANCELLED || kind == FACT_EXPIRED) return EFFECT_RELEASE;
    if (kind == FACT_DELIVERED && (due == DUE_WIN || due == DUE_DELIVERY)) return EFFECT_CHARGE;
    if (kind == FACT_ACCEPTED && due == DUE_RESPONSE) return EFFECT_CHARGE;
    return market_waits(due) && (kind == FACT_DECLINED || kind == FACT_LAPSED) ? EFFECT_RELEASE
                                                                               : EFFECT_NONE;
}

// The end of a placement: its price becomes due, or its hold is given back.
void
posting_end(const struct posting_win *win, const struct fact *fact, struct posting_source source,
            bool charged, struct posting *out)
{
    enum due due = posting_due(win);
    if (due == DUE_REVENUE || due == DUE_WIN) return;
    if (win->seat_kind == SEAT_PARTNER) {
        struct transfer *one = posting_begin(out, win, fact, source,
                                             charged ? TRANSFER_CHARGE : TRANSFER_RELEASE);
        posting_external(win, one);
        one->id = terminal_id(win);
        one->pending = win_id(win);
        if (!charged) {
            one->state = TRANSFER_VOIDED;
            one->reason = fact_kind_name((enum fact_kind)fact->kind);
        }
        posting_finish(out, one);
    } else if (charged) {
        struct transfer *one = posting_begin(out, win, fact, source, TRANSFER_INTERNAL);
        posting_internal(win, one);
        one->id = terminal_id(win);
        posting_finish(out, one);
    }
}

void
posting_event(struct posting_win *win, const struct fact *fact, struct posting_source source,
              struct posting *out)
{
    posting_start(out, posting_clamp(fact->event.effective, win ? win->at : fact->at, fact->at));
    if (!win) {
        out->state = POSTING_ORPHAN;
        return;
    }
    out->contract = win->contract;
    enum fact_kind kind = (enum fact_kind)fact->kind;
    enum effect effect = effect_of(posting_due(win), kind);
    bool shown = kind == FACT_DELIVERED, accepted = kind == FACT_ACCEPTED;
    if (win->expired && (shown || accepted)) {
        out->state = POSTING_LATE;
        return;
    }
    bool again = (shown && win->delivered) || (accepted && win->accepted_at.us != 0);
    bool behind = win->ended && (effect != EFFECT_NONE || (shown && win->released));
    if (again || behind) {
        out->state = POSTING_REPEAT;
        return;
    }
    if (shown) {
        win->delivered = true;
        win->delivered_at = out->effective;
    }
    if (accepted) win->accepted_at = out->effective;
    if (effect == EFFECT_NONE) return;
    win->ended = true;
    win->released = effect == EFFECT_RELEASE;
    posting_end(win, fact, source, effect == EFFECT_CHARGE, out);
}
