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
//    2100.
//  5 R5, a refund: the split of what remains less the split of what was before, part by part; a
//    smaller part is booked back (accounts exchanged), a larger one as in R3. So the sum over all
//    transfers of an order is always the split of what remains, and zero when nothing remains.
//  6 R11, a price per response: held at the win like R1, but due only when the customer accepts;
//    released when cancelled, expired, declined or lapsed. R12, a price that is a share of the
//    revenue: nothing is held; of every order its share of the remaining amount stands on the
//    accounts of R1 or R2, rounded once, half to even: a conversion books it, a refund what
//    changes. When a contract charges at the win it means prices per placement.
//  7 Zero amounts make no transfer.
//  8 Conversion and refunds of one order share its id as their group, with the commission of R12
//    as their last leg; hold and terminal the placement's.
#include "posting.h"

#include <string.h>

#include "fail.h"

const char *
posting_state_name(enum posting_state state)
{
    static const char *const names[POSTING_STATE_COUNT] = {"posted", "no_share", "repeat",
                                                           "exceeds", "orphan"};
    CHECK(state < POSTING_STATE_COUNT);
    return names[state];
}

enum status
posting_win(const struct contract_terms *terms, const struct fact *fact,
            struct posting_win *out_win)
{
    CHECK(fact->kind == FACT_PLACEMENT);
    const struct market_seat *seat = contract_seat(terms, fact->placement.seat);
    if (!seat) return STATUS_NOT_FOUND;
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
        .seat_kind = seat->kind,
        .billing = contract ? contract->billing : BILLING_CREDIT,
        .transfer_price = contract ? contract->transfer_price : TRANSFER_SECOND_PRICE,
    };
    return STATUS_OK;
}

// Starts a transfer with all that it shares with its placement and its fact.
static struct transfer *
begin(struct posting *out, const struct posting_win *win, const struct fact *fact,
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
        .reason = "",
    };
    return one;
}

// Takes the transfer in if there is something to book.
static void
finish(struct posting *out, const struct transfer *one)
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

static void
external_sides(const struct posting_win *win, struct transfer *one)
{
    one->debit = (struct account){.code = win->billing == BILLING_PREPAID ? ACCOUNT_PREPAID
                                                                          : ACCOUNT_UNBILLED,
                                  .seat = win->seat};
    one->credit = (struct account){.code = ACCOUNT_SLOT_EXTERNAL};
    one->amount = win->price;
}

// The floor is an expected value: as a transfer price it stands for prices per placement only.
static void
internal_sides(const struct posting_win *win, struct transfer *one)
{
    bool at_floor = win->transfer_price == TRANSFER_FLOOR && win->kind == PRICE_PLACEMENT;
    one->debit = (struct account){.code = ACCOUNT_EXPENSE_INTERNAL, .seat = win->seat};
    one->credit = (struct account){.code = ACCOUNT_SLOT_INTERNAL, .seat = win->owner};
    one->amount = win->transfer_price == TRANSFER_ZERO ? money_of(0)
                  : at_floor                           ? win->floor
                                                       : win->price;
    // A department that wins in its own container pays nobody; the placement's row is the memo.
    if (win->owner == win->seat || win->owner == 0) one->amount = money_of(0);
}

static void
start(struct posting *out, usec effective)
{
    memset(out, 0, sizeof *out);
    out->effective = effective;
}

void
posting_placement(const struct posting_win *win, const struct fact *fact,
                  struct posting_source source, struct posting *out)
{
    start(out, fact->at);
    out->contract = win->contract;
    if (win->kind == PRICE_SHARE) return;
    bool at_win = win->charge == CHARGE_WIN && win->kind == PRICE_PLACEMENT;
    if (win->seat_kind == SEAT_PARTNER) {
        struct transfer *one = begin(out, win, fact, source,
                                     at_win ? TRANSFER_CHARGE : TRANSFER_HOLD);
        external_sides(win, one);
        one->id = win_id(win);
        one->state = at_win ? TRANSFER_POSTED : TRANSFER_PENDING;
        finish(out, one);
    } else if (at_win) {
        struct transfer *one = begin(out, win, fact, source, TRANSFER_INTERNAL);
        internal_sides(win, one);
        one->id = win_id(win);
        finish(out, one);
    }
}

static usec
clamp(usec effective, usec earliest, usec latest)
{
    if (effective.us <= 0 || effective.us > latest.us) effective = latest;
    return effective.us < earliest.us ? earliest : effective;
}

// What an event does to a placement that stands open.
enum effect { EFFECT_NONE, EFFECT_CHARGE, EFFECT_RELEASE };

static enum effect
effect_of(enum price_kind price, enum fact_kind kind)
{
    if (kind == FACT_CANCELLED || kind == FACT_EXPIRED) return EFFECT_RELEASE;
    if (price == PRICE_PLACEMENT && kind == FACT_DELIVERED) return EFFECT_CHARGE;
    if (price != PRICE_RESPONSE) return EFFECT_NONE;
    if (kind == FACT_ACCEPTED) return EFFECT_CHARGE;
    return kind == FACT_DECLINED || kind == FACT_LAPSED ? EFFECT_RELEASE : EFFECT_NONE;
}

// The end of a placement: its price becomes due, or its hold is given back.
static void
end_placement(const struct posting_win *win, const struct fact *fact, struct posting_source source,
              bool charged, struct posting *out)
{
    if (win->kind == PRICE_SHARE) return;
    if (win->kind == PRICE_PLACEMENT && win->charge == CHARGE_WIN) return;
    if (win->seat_kind == SEAT_PARTNER) {
        struct transfer *one = begin(out, win, fact, source,
                                     charged ? TRANSFER_CHARGE : TRANSFER_RELEASE);
        external_sides(win, one);
        one->id = terminal_id(win);
        one->pending = win_id(win);
        if (!charged) {
            one->state = TRANSFER_VOIDED;
            one->reason = fact_kind_name((enum fact_kind)fact->kind);
        }
        finish(out, one);
    } else if (charged) {
        struct transfer *one = begin(out, win, fact, source, TRANSFER_INTERNAL);
        internal_sides(win, one);
        one->id = terminal_id(win);
        finish(out, one);
    }
}

void
posting_event(struct posting_win *win, const struct fact *fact, struct posting_source source,
              struct posting *out)
{
    start(out, clamp(fact->event.effective, win ? win->at : fact->at, fact->at));
    if (!win) {
        out->state = POSTING_ORPHAN;
        return;
    }
    out->contract = win->contract;
    enum fact_kind kind = (enum fact_kind)fact->kind;
    enum effect effect = effect_of((enum price_kind)win->kind, kind);
    bool again = kind == FACT_DELIVERED && win->delivered;
    if (again || (win->ended && (effect != EFFECT_NONE || kind == FACT_DELIVERED))) {
        out->state = POSTING_REPEAT;
        return;
    }
    if (kind == FACT_DELIVERED) win->delivered = true;
    if (effect == EFFECT_NONE) return;
    win->ended = true;
    end_placement(win, fact, source, effect == EFFECT_CHARGE, out);
}

// --- Gain share --------------------------------------------------------------------------------

static struct id
part_id(const char *domain, const struct fact *fact, bool with_key, unsigned leg)
{
    uint8_t bytes[sizeof fact->revenue.order + sizeof fact->revenue.key + 1];
    size_t len = sizeof fact->revenue.order;
    memcpy(bytes, fact->revenue.order.bytes, len);
    if (with_key) {
        memcpy(bytes + len, fact->revenue.key, sizeof fact->revenue.key);
        len += sizeof fact->revenue.key;
    }
    bytes[len++] = (uint8_t)leg;
    return hash_id(domain, bytes, len);
}

struct id
posting_refund_id(const struct fact *fact)
{
    return part_id("refund", fact, true, UINT8_MAX);
}

static void
share_sides(const struct posting_win *win, const struct market_contract *contract,
            const struct contract_part *part, struct transfer *one)
{
    uint8_t rung = (uint8_t)(part->rung + 1);
    // A department cannot owe the house a pool: then the house itself is the merchant.
    bool partner_pays = contract->merchant == MERCHANT_PARTNER && win->seat_kind == SEAT_PARTNER;
    one->debit = partner_pays ? (struct account){.code = ACCOUNT_GAIN_RECEIVABLE, .seat = win->seat}
                              : (struct account){.code = ACCOUNT_EXPENSE_GAIN, .rung = rung};
    if (part->seat == 0) {
        one->credit = (struct account){.code = ACCOUNT_GAIN_HOST};
    } else if (part->kind == SEAT_DEPARTMENT) {
        one->credit = (struct account){.code = ACCOUNT_GAIN_RUNG, .rung = rung, .seat = part->seat};
    } else {
        one->credit = (struct account){.code = ACCOUNT_GAIN_ACCRUED, .seat = part->seat};
    }
    one->rung = (int8_t)part->rung;
}

// Books part by part what changes when the order's remaining amount goes from `before` to `after`.
static enum status
book_parts(const struct contract_terms *terms, const struct posting_win *win,
           const struct fact *fact, struct posting_source source, money before, money after,
           struct posting *out)
{
    const struct market_contract *contract = win->contract ? contract_by_id(terms, win->contract)
                                                           : NULL;
    if (!contract || !contract->has_gain_share) {
        out->state = POSTING_NO_SHARE;
        return STATUS_OK;
    }
    struct contract_part parts[BOUND_SHARES];
    unsigned count = contract_parts(terms, contract, (enum rung)win->rung, parts);
    money was[BOUND_SHARES] = {{0}}, is[BOUND_SHARES] = {{0}}, pool;
    enum status status = contract_split(contract, before, parts, count, &pool, was);
    if (status == STATUS_OK) status = contract_split(contract, after, parts, count, &out->pool, is);
    bool refund = fact->kind == FACT_REFUNDED;
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        struct transfer *one = begin(out, win, fact, source,
                                     refund ? TRANSFER_REFUND : TRANSFER_SHARE);
        share_sides(win, contract, &parts[i], one);
        one->id = part_id(refund ? "refund" : "share", fact, refund, i);
        one->group = fact->revenue.order;
        one->leg = (uint8_t)i;
        one->currency = fact->revenue.currency;
        memcpy(one->reference, fact->revenue.key, sizeof fact->revenue.key);
        status = money_subtract(is[i], was[i], &one->amount);
        if (one->amount.micros < 0) {
            struct account debit = one->debit;
            one->debit = one->credit;
            one->credit = debit;
            status = money_subtract(was[i], is[i], &one->amount);
        }
        finish(out, one);
    }
    return status;
}

// The share of an order's revenue that the placement costs, when the remaining amount goes from
// `before` to `after`.
static enum status
book_commission(const struct posting_win *win, const struct fact *fact,
                struct posting_source source, money before, money after, struct posting *out)
{
    if (win->kind != PRICE_SHARE) return STATUS_OK;
    bool refund = fact->kind == FACT_REFUNDED;
    money was, is, amount;
    enum status status = money_share(before, (uint64_t)win->price.micros, &was);
    if (status == STATUS_OK) status = money_share(after, (uint64_t)win->price.micros, &is);
    if (status == STATUS_OK) status = money_subtract(is, was, &amount);
    if (status != STATUS_OK) return status;
    struct transfer *one = begin(out, win, fact, source, TRANSFER_COMMISSION);
    if (win->seat_kind == SEAT_PARTNER) external_sides(win, one);
    else internal_sides(win, one);
    // A department at no transfer price, or in its own container, pays nothing of it.
    if (one->amount.micros == 0) return STATUS_OK;
    if (amount.micros < 0) {
        struct account debit = one->debit;
        one->debit = one->credit;
        one->credit = debit;
        status = money_subtract(was, is, &amount);
    }
    one->amount = amount;
    one->id = part_id("commission", fact, refund, 0);
    one->group = fact->revenue.order;
    one->leg = BOUND_SHARES;
    one->currency = fact->revenue.currency;
    memcpy(one->reference, fact->revenue.key, sizeof fact->revenue.key);
    finish(out, one);
    return status;
}

enum status
posting_revenue(const struct contract_terms *terms, const struct posting_win *win,
                struct posting_order *order, bool repeated, const struct fact *fact,
                struct posting_source source, struct posting *out, struct posting_order *out_order)
{
    CHECK(fact->kind == FACT_CONVERTED || fact->kind == FACT_REFUNDED);
    start(out, clamp(fact->revenue.effective, win ? win->at : fact->at, fact->at));
    bool refund = fact->kind == FACT_REFUNDED;
    money amount = fact->revenue.amount, before = money_of(0), after = amount,
          refunded = money_of(0);
    if (!win || (refund && (!order || !id_same(order->placement, win->placement)))) {
        out->state = POSTING_ORPHAN;
        return STATUS_OK;
    }
    out->contract = win->contract;
    if (refund ? repeated : order != NULL) {
        out->state = POSTING_REPEAT;
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    if (refund) {
        status = money_subtract(order->amount, order->refunded, &before);
        if (status == STATUS_OK) status = money_subtract(before, amount, &after);
        if (status == STATUS_OK) status = money_add(order->refunded, amount, &refunded);
        if (status != STATUS_OK) return status;
        if (after.micros < 0 || !currency_same(order->currency, fact->revenue.currency)) {
            out->state = POSTING_EXCEEDS;
            return STATUS_OK;
        }
    }
    status = book_parts(terms, win, fact, source, before, after, out);
    if (status == STATUS_OK) status = book_commission(win, fact, source, before, after, out);
    if (status != STATUS_OK) return status;
    if (refund) {
        order->refunded = refunded;
    } else {
        *out_order = (struct posting_order){
            .placement = win->placement, .currency = fact->revenue.currency, .amount = amount};
    }
    return STATUS_OK;
}
