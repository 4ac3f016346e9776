// Conversions, refunds and orders divided anew into transfers: rules 4 to 9 of posting.c.
#include "posting_inside.h"

#include <string.h>

#include "fail.h"

#define LEG_COMMISSION BOUND_SHARES
#define LEG_OUTSIDE (BOUND_PARTS + 1)
#define LEG_PRICE (BOUND_PARTS + 2)
#define LEG_WAITED 128  // of a refund that waited: added to each
_Static_assert(LEG_PRICE < LEG_WAITED, "legs are different");
_Static_assert(POSTING_TRANSFERS >= 2 * (BOUND_PARTS + 2) + 1,
               "room for every leg of a conversion");

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

// A department cannot owe the house a pool: then the house itself is the merchant.
static bool
partner_pays(const struct market_contract *contract, const struct posting_win *win)
{
    return contract->merchant == MERCHANT_PARTNER && win->seat_kind == SEAT_PARTNER;
}

static void
share_sides(const struct posting_win *win, const struct market_contract *contract,
            const struct contract_part *part, struct transfer *one)
{
    uint8_t rung = (uint8_t)(part->rung + 1);
    one->debit = partner_pays(contract, win)
                     ? (struct account){.code = ACCOUNT_GAIN_RECEIVABLE, .seat = win->seat}
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

// Gives the transfer the size of what changes, and exchanges its accounts when it is taken back.
static enum status
set_change(struct transfer *one, money was, money is)
{
    enum status status = money_subtract(is, was, &one->amount);
    if (status != STATUS_OK || one->amount.micros >= 0) return status;
    struct account debit = one->debit;
    one->debit = one->credit;
    one->credit = debit;
    return money_subtract(was, is, &one->amount);
}

// One change of an order's remaining amount, as it is booked.
struct step {
    const struct contract_terms *terms;
    const struct posting_win *win;
    const struct fact *fact;
    struct posting_source source;
    const struct market_contract *contract;  // NULL: it shares nothing
    const struct posting_order *order;       // as it stands after the conversion: amount, base
    money before, after;
    enum transfer_kind kind;  // of the parts: share or refund
    bool waited;              // a refund that is booked by its conversion
};

// What of an order is divided, and what of it each part gets.
struct division {
    struct contract_pool pool;
    money parts[BOUND_PARTS];
    money host;
};

static enum status
divide(const struct step *step, const struct posting *out, money remaining, struct division *is)
{
    memset(is->parts, 0, sizeof is->parts);
    enum status status = contract_pool(step->contract, step->order->base, remaining, 0, &is->pool);
    if (status != STATUS_OK) return status;
    return contract_split(&is->pool, out->parts, out->part_count, is->parts, &is->host);
}

static struct transfer *
begin_step(const struct step *step, struct posting *out, enum transfer_kind kind, unsigned leg)
{
    struct transfer *one = posting_begin(out, step->win, step->fact, step->source, kind);
    one->group = step->fact->revenue.order;
    one->leg = (uint16_t)(step->waited ? LEG_WAITED + leg : leg);
    one->currency = step->fact->revenue.currency;
    one->model = step->order->model;
    memcpy(one->reference, step->fact->revenue.key, sizeof step->fact->revenue.key);
    return one;
}

// The id of a leg, and of the conversion's own leg that it corrects, if that one was booked.
static void
identify(const struct step *step, const char *domain, unsigned number, money first,
         struct transfer *one)
{
    bool refund = step->kind == TRANSFER_REFUND, share = strcmp(domain, "share") == 0;
    if (!refund) one->id = part_id(domain, step->fact, false, number);
    else if (step->waited)
        one->id = part_id(share ? "waited" : "waited commission", step->fact, false, number);
    else one->id = part_id(share ? "refund" : domain, step->fact, true, number);
    if (refund && first.micros > 0) one->origin = part_id(domain, step->fact, false, number);
}

// Books part by part what changes when the order's remaining amount goes from `before` to `after`.
static enum status
book_parts(const struct step *step, struct posting *out)
{
    struct division was, is, first = {0};
    if (!step->contract) {
        out->state = POSTING_NO_SHARE;
        return STATUS_OK;
    }
    enum status status = divide(step, out, step->before, &was);
    if (status == STATUS_OK) status = divide(step, out, step->after, &is);
    if (status == STATUS_OK && !step->order->divided) {
        status = divide(step, out, step->order->amount, &first);
    }
    if (status != STATUS_OK) return status;
    out->pool = is.pool.pool;
    for (unsigned i = 0; status == STATUS_OK && i < out->part_count; i++) {
        unsigned leg = i < LEG_COMMISSION ? i : i + 1;
        struct transfer *one = begin_step(step, out, step->kind, leg);
        share_sides(step->win, step->contract, &out->parts[i], one);
        identify(step, "share", i, first.parts[i], one);
        status = set_change(one, was.parts[i], is.parts[i]);
        posting_finish(out, one);
    }
    if (status != STATUS_OK || is.host.micros == was.host.micros) return status;
    struct transfer *one = begin_step(step, out, step->kind, LEG_OUTSIDE);
    const struct contract_part host = {.kind = SEAT_DEPARTMENT, .rung = step->win->rung};
    share_sides(step->win, step->contract, &host, one);
    identify(step, "share", LEG_OUTSIDE, first.host, one);
    one->reason = "outside_terms";
    status = set_change(one, was.host, is.host);
    posting_finish(out, one);
    return status;
}

// The share of an order's revenue that the placement costs, when the remaining amount goes from
// `before` to `after`.
static enum status
book_commission(const struct step *step, struct posting *out)
{
    const struct posting_win *win = step->win;
    if (posting_due(win) != DUE_REVENUE) return STATUS_OK;
    uint64_t ppm = (uint64_t)win->price.micros;
    money was, is, first;
    enum status status = money_share(step->before, ppm, &was);
    if (status == STATUS_OK) status = money_share(step->after, ppm, &is);
    if (status == STATUS_OK) status = money_share(step->order->amount, ppm, &first);
    if (status != STATUS_OK) return status;
    struct transfer *one = begin_step(step, out, TRANSFER_COMMISSION, LEG_COMMISSION);
    one->model = 0;
    if (win->seat_kind == SEAT_PARTNER) posting_external(win, one);
    else posting_internal(win, one);
    // A department at no transfer price, or in its own container, pays nothing of it.
    if (one->amount.micros == 0) return STATUS_OK;
    identify(step, "commission", 0, first, one);
    status = set_change(one, was, is);
    posting_finish(out, one);
    return status;
}

static enum status
book_step(const struct step *step, struct posting *out)
{
    enum status status = book_parts(step, out);
    return status == STATUS_OK ? book_commission(step, out) : status;
}

// The contract, if it shares revenue.
static const struct market_contract *
sharing(const struct contract_terms *terms, const struct posting_win *win)
{
    const struct market_contract *contract = win->contract ? contract_by_id(terms, win->contract)
                                                           : NULL;
    return contract && contract->has_gain_share ? contract : NULL;
}

money
posting_waited(money waiting, money amount)
{
    return waiting.micros <= amount.micros ? waiting : money_of(0);
}

static enum status
convert(struct step *step, struct posting_win *win, const struct posting_order *order,
        const struct credit *credit, money base, struct posting *out,
        struct posting_order *out_order)
{
    const struct fact *fact = step->fact;
    if (step->contract) {
        out->part_count = contract_parts(step->terms, step->contract, (enum rung)win->rung,
                                         credit ? credit->parts : NULL, credit ? credit->count : 0,
                                         out->parts);
    }
    *out_order = (struct posting_order){
        .order = fact->revenue.order,
        .placement = win->placement,
        .currency = fact->revenue.currency,
        .amount = fact->revenue.amount,
        .base = base,
        .at = out->effective,
        .customer = win->customer,
        .contract = win->contract,
        .merchant = out->merchant,
        .model = credit ? credit->model : 0,
        .parts = out->parts,
        .part_count = out->part_count,
    };
    step->order = out_order;
    step->after = fact->revenue.amount;
    step->kind = TRANSFER_SHARE;
    enum status status = book_step(step, out);
    if (order && currency_same(order->currency, out_order->currency)) {
        out_order->refunded = posting_waited(order->refunded, out_order->amount);
    }
    if (status == STATUS_OK && out_order->refunded.micros > 0) {
        step->before = step->after;
        status = money_subtract(step->before, out_order->refunded, &step->after);
        step->kind = TRANSFER_REFUND;
        step->waited = true;
        if (status == STATUS_OK) status = book_step(step, out);
    }
    if (status != STATUS_OK || !posting_due_at_conversion(win) || win->ended) return status;
    win->ended = true;
    unsigned before = out->count;
    posting_end(win, fact, step->source, true, out);
    if (out->count > before) out->transfers[before].leg = LEG_PRICE;
    return STATUS_OK;
}

static enum status
refund(struct step *step, const struct posting_win *win, struct posting_order *order,
       struct posting *out, struct posting_order *out_order)
{
    const struct fact *fact = step->fact;
    money refunded;
    enum status status = money_subtract(order->amount, order->refunded, &step->before);
    if (status == STATUS_OK) {
        status = money_subtract(step->before, fact->revenue.amount, &step->after);
    }
    if (status == STATUS_OK) status = money_add(order->refunded, fact->revenue.amount, &refunded);
    if (status != STATUS_OK) return status;
    if (step->after.micros < 0 || !currency_same(order->currency, fact->revenue.currency)) {
        out->state = POSTING_EXCEEDS;
        return STATUS_OK;
    }
    out->part_count = order->part_count;
    if (order->part_count > 0) {
        CHECK(order->part_count <= BOUND_PARTS);
        memmove(out->parts, order->parts, order->part_count * sizeof *out->parts);
    } else if (step->contract) {
        out->part_count = contract_parts(step->terms, step->contract, (enum rung)win->rung, NULL, 0,
                                         out->parts);
    }
    step->order = order;
    step->kind = TRANSFER_REFUND;
    status = book_step(step, out);
    if (status != STATUS_OK) return status;
    order->refunded = refunded;
    *out_order = *order;
    out_order->parts = out->parts;
    out_order->part_count = out->part_count;
    return STATUS_OK;
}

// A refund of an order that nobody reported yet.
static enum status
await_conversion(const struct posting_win *win, const struct posting_order *order,
                 const struct fact *fact, struct posting *out, struct posting_order *out_order)
{
    money sum = fact->revenue.amount;
    if (order && !currency_same(order->currency, fact->revenue.currency)) {
        out->state = POSTING_EXCEEDS;
        return STATUS_OK;
    }
    enum status status = order ? money_add(sum, order->refunded, &sum) : STATUS_OK;
    if (status != STATUS_OK) return status;
    out->state = POSTING_WAITING;
    *out_order = (struct posting_order){.order = fact->revenue.order,
                                        .placement = win->placement,
                                        .currency = fact->revenue.currency,
                                        .refunded = sum,
                                        .customer = win->customer,
                                        .contract = win->contract};
    return STATUS_OK;
}

enum status
posting_revenue(const struct contract_terms *terms, struct posting_win *win,
                struct posting_order *order, bool repeated, const struct credit *credit, money base,
                const struct fact *fact, struct posting_source source, struct posting *out,
                struct posting_order *out_order)
{
    bool refunds = fact->kind == FACT_REFUNDED;
    CHECK(refunds || fact->kind == FACT_CONVERTED);
    posting_start(out, posting_clamp(fact->revenue.effective, win ? win->at : fact->at, fact->at));
    bool converted = order && order->amount.micros > 0;
    if (!win || (refunds && converted && !id_same(order->placement, win->placement))) {
        out->state = POSTING_ORPHAN;
        return STATUS_OK;
    }
    out->contract = win->contract;
    if (refunds ? repeated : converted) {
        out->state = POSTING_REPEAT;
        return STATUS_OK;
    }
    if (refunds && !converted) return await_conversion(win, order, fact, out, out_order);
    struct step step = {.terms = terms,
                        .win = win,
                        .fact = fact,
                        .source = source,
                        .contract = sharing(terms, win)};
    if (step.contract && partner_pays(step.contract, win)) out->merchant = win->seat;
    return refunds ? refund(&step, win, order, out, out_order)
                   : convert(&step, win, order, credit, base, out, out_order);
}

// --- Divided anew ------------------------------------------------------------------------------

static struct id
credit_id(struct id order, struct posting_source source, unsigned leg)
{
    uint8_t bytes[sizeof order + 17];
    memcpy(bytes, order.bytes, sizeof order);
    uint64_t words[2] = {source.batch, (uint64_t)source.log << 32 | source.index};
    memcpy(bytes + sizeof order, words, sizeof words);
    bytes[sizeof bytes - 1] = (uint8_t)leg;
    return hash_id("credit", bytes, sizeof bytes);
}

static int
by_pair(const struct contract_part *a, const struct contract_part *b)
{
    if (a->seat != b->seat) return a->seat < b->seat ? -1 : 1;
    return (a->rung > b->rung) - (a->rung < b->rung);
}

// One pair of the old parts, the new ones, or both, with what it has and what it gets.
struct change {
    const struct contract_part *part;
    money was, is, first;  // first: what the conversion booked for it
    unsigned old;          // its number among the old parts
};

static unsigned
pair_changes(const struct posting_order *order, const struct division *was,
             const struct division *first, const struct contract_part *parts, unsigned count,
             const struct division *is, struct change changes[2 * BOUND_PARTS])
{
    unsigned found = 0, i = 0, k = 0;
    while (i < order->part_count || k < count) {
        int which = i == order->part_count ? 1
                    : k == count           ? -1
                                           : by_pair(&order->parts[i], &parts[k]);
        struct change change = {0};
        if (which <= 0) {
            change = (struct change){
                .part = &order->parts[i], .was = was->parts[i], .first = first->parts[i], .old = i};
            i++;
        }
        if (which >= 0) {
            change.part = &parts[k];
            change.is = is->parts[k++];
        }
        if (change.was.micros != change.is.micros) changes[found++] = change;
    }
    return found;
}

static bool
same_parts(const struct posting_order *order, const struct contract_part *parts, unsigned count)
{
    bool same = order->part_count == count;
    for (unsigned i = 0; same && i < count; i++) {
        same = by_pair(&order->parts[i], &parts[i]) == 0 &&
               order->parts[i].weight == parts[i].weight;
    }
    return same;
}

static enum status
split_by(const struct market_contract *contract, const struct posting_order *order, money remaining,
         const struct contract_part *parts, unsigned count, struct division *out_division)
{
    *out_division = (struct division){0};
    enum status status = contract_pool(contract, order->base, remaining, 0, &out_division->pool);
    if (status != STATUS_OK) return status;
    return contract_split(&out_division->pool, parts, count, out_division->parts,
                          &out_division->host);
}

enum status
posting_credit(const struct contract_terms *terms, const struct posting_win *win,
               struct posting_order *order, const struct credit *credit, const struct fact *fact,
               struct posting_source source, struct posting *out)
{
    const struct market_contract *contract = sharing(terms, win);
    struct contract_part parts[BOUND_PARTS];
    struct change changes[2 * BOUND_PARTS];
    struct division was, is, first = {0};
    money remaining;
    out->part_count = order->part_count;
    CHECK(order->part_count <= BOUND_PARTS);
    if (order->part_count) {
        memmove(out->parts, order->parts, order->part_count * sizeof *out->parts);
    }
    if (!contract || order->amount.micros == 0) return STATUS_OK;
    unsigned count = contract_parts(terms, contract, (enum rung)win->rung, credit->parts,
                                    credit->count, parts);
    if (same_parts(order, parts, count)) return STATUS_OK;
    enum status status = money_subtract(order->amount, order->refunded, &remaining);
    if (status == STATUS_OK) {
        status = split_by(contract, order, remaining, order->parts, order->part_count, &was);
    }
    if (status == STATUS_OK) status = split_by(contract, order, remaining, parts, count, &is);
    if (status == STATUS_OK && !order->divided) {
        status = split_by(contract, order, order->amount, order->parts, order->part_count, &first);
    }
    if (status != STATUS_OK) return status;
    unsigned found = pair_changes(order, &was, &first, parts, count, &is, changes);
    if (out->count + found > POSTING_TRANSFERS) return STATUS_FULL;
    struct fact origin = {.kind = FACT_CONVERTED, .revenue.order = order->order};
    for (unsigned i = 0; status == STATUS_OK && i < found; i++) {
        struct transfer *one = posting_begin(out, win, fact, source, TRANSFER_CREDIT);
        share_sides(win, contract, changes[i].part, one);
        one->leg = (uint16_t)(out->count + 1);
        one->id = credit_id(order->order, source, one->leg);
        if (changes[i].first.micros > 0) {
            one->origin = part_id("share", &origin, false, changes[i].old);
        }
        one->group = order->order;
        one->currency = order->currency;
        one->effective = order->at;
        one->model = credit->model;
        status = set_change(one, changes[i].was, changes[i].is);
        posting_finish(out, one);
    }
    if (status != STATUS_OK) return status;
    order->model = credit->model;
    order->divided = true;
    out->part_count = count;
    memmove(out->parts, parts, count * sizeof *parts);
    memmove(order->parts, parts, count * sizeof *parts);
    order->part_count = count;
    return STATUS_OK;
}
