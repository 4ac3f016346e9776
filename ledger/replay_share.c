// Revenue, and the touches that share in it: what posting needs of a customer's past is gathered
// here (replay.c says by which rules).
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "period.h"
#include "posting_inside.h"
#include "replay_inside.h"

// Orders that one late touch divides anew: times the transfers of one posting this is below the
// greatest leg that a transfer can have.
#define REPLAY_ORDERS 200

static uint32_t
merchant_of(const struct posting_win *win, const struct market_contract *contract)
{
    bool partner = contract->merchant == MERCHANT_PARTNER && win->seat_kind == SEAT_PARTNER;
    return partner ? win->seat : 0;
}

// The fact's placement; a close may have expired its hold before this fact.
static struct posting_win *
find_placement(struct replay *replay, const struct fact *fact, struct posting_source source)
{
    struct posting_win *win = replay_find_win(replay, fact_placement(fact));
    if (win && win->foreign) return NULL;  // its contact is decided, and reported, in another log
    uint32_t expired = idmap_find(&replay->expired_of, fact_placement(fact));
    if (win && expired != IDMAP_NONE && replay->expired_at[expired] < source.batch) {
        win->ended = win->released = win->expired = true;
    }
    return win;
}

// --- Fits --------------------------------------------------------------------------------------

// The fit that divides a conversion booked by a fact of `batch`; NULL: none is in force, or the
// model needs none.
static enum status
fit_in_force(struct replay *replay, struct db *db, uint8_t model, uint64_t batch,
             const struct credit_fit **out_fit)
{
    *out_fit = NULL;
    if (model < ATTRIBUTION_MARKOV) return STATUS_OK;
    enum status status = replay->fits_read ? STATUS_OK : replay_load_fits(replay, db);
    for (size_t i = replay->fit_count; status == STATUS_OK && i-- > 0;) {
        struct known_fit *one = &replay->fits[i];
        if (one->fit.model != model || one->batch >= batch) continue;
        *out_fit = &one->fit;
        return one->read ? STATUS_OK : replay_load_weights(replay, db, one);
    }
    return status;
}

// --- Tiers and caps ----------------------------------------------------------------------------

// Revenue of the contract in the period before this fact.
static enum status
base_before(struct replay *replay, struct db *db, uint32_t contract, const struct period *period,
            money **out_base)
{
    struct id key = {{0}};
    memcpy(key.bytes, &contract, sizeof contract);
    memcpy(key.bytes + sizeof contract, period->name,
           strnlen(period->name, sizeof key.bytes - sizeof contract));
    uint32_t at = idmap_find(&replay->base_of, key);
    if (at == IDMAP_NONE) {
        money base = money_of(0);
        enum status status = replay->whole
                                 ? STATUS_OK
                                 : replay_load_base(replay, db, contract, period->name, &base);
        if (status != STATUS_OK) return status;
        at = (uint32_t)replay->base_count;
        replay->bases = replay_room(replay->bases, replay->base_count, &replay->base_room,
                                    sizeof *replay->bases);
        replay->bases[replay->base_count++] = base;
        idmap_put(&replay->base_of, key, at);
    }
    *out_base = &replay->bases[at];
    if (replay->has_landed_base && replay->landed_base.micros > replay->bases[at].micros) {
        replay->bases[at] = replay->landed_base;
    }
    return STATUS_OK;
}

// --- Revenue -----------------------------------------------------------------------------------

static void
say_division(struct replay *replay, const struct posting_order *order, money pool,
             struct replay_said *out_said)
{
    struct replay_division *one = arena_take(replay->pieces, 1, sizeof *one);
    *one = (struct replay_division){order->order, order->parts, order->part_count, order->model,
                                    pool};
    out_said->divisions = one;
    out_said->division_count = 1;
}

// Divides the conversion among the touches that are known by now.
static enum status
credit_conversion(struct replay *replay, struct db *db, const struct posting_win *win,
                  const struct market_contract *contract, usec at, uint64_t batch,
                  struct credit *out_credit)
{
    const struct credit_fit *fit;
    const struct market_attribution *terms = &contract->attribution;
    enum status status = fit_in_force(replay, db, terms->model, batch, &fit);
    if (status != STATUS_OK) return status;
    size_t count = touch_gather(&replay->wins_of, replay->wins,
                                touch_key(win->customer, win->placement), terms, at,
                                &replay->touches, &replay->touch_room);
    credit_divide(terms, replay->touches, count, at, merchant_of(win, contract), fit, out_credit);
    return STATUS_OK;
}

// Takes over what posting made of the order. A conversion that refunds were waiting for takes the
// place of what waited.
static void
keep_revenue(struct replay *replay, const struct fact *fact, struct posting_order *known,
             const struct posting_order *fresh, const struct posting *out, uint64_t batch,
             struct replay_said *out_said)
{
    bool booked = out->state == POSTING_POSTED || out->state == POSTING_NO_SHARE;
    bool refund = fact->kind == FACT_REFUNDED;
    if (!booked && out->state != POSTING_WAITING) return;
    if (refund) idmap_put(&replay->refund_of, posting_refund_id(fact), 0);
    if (!known || !refund) known = replay_keep_order(replay, fresh, batch);
    else known->refunded = fresh->refunded;
    if (!booked) return;
    out_said->order = known;
    if (!refund && known->part_count) say_division(replay, known, out->pool, out_said);
}

// What a conversion needs beside its placement.
struct conversion {
    const struct market_contract *contract;  // NULL: none
    struct period period;
    struct credit credit;
    bool touches, based;
    money none, *base;
};

static enum status
ready_conversion(struct replay *replay, struct db *db, const struct posting_win *win,
                 const struct fact *fact, uint64_t batch, struct conversion *out)
{
    usec at = posting_clamp(fact->revenue.effective, win->at, fact->at);
    enum status status = STATUS_OK;
    period_of(at, replay->fenced_until, &out->period);
    out->touches = out->contract && contract_touches(out->contract);
    out->based = out->contract && contract_needs_base(out->contract);
    if (out->touches) {
        status = credit_conversion(replay, db, win, out->contract, at, batch, &out->credit);
    }
    if (status == STATUS_OK && out->based) {
        status = base_before(replay, db, win->contract, &out->period, &out->base);
    }
    return status;
}

enum status
replay_revenue(struct replay *replay, struct db *db, const struct fact *fact,
               struct posting_source source, struct posting *out, struct replay_said *out_said)
{
    struct contract_terms *terms = NULL;
    struct posting_order fresh = {.amount = money_of(0)};
    struct conversion conversion = {.contract = NULL};
    struct posting_win *win = find_placement(replay, fact, source);
    enum status status = replay_share_order(replay, db, fact->revenue.order, source);
    if (status != STATUS_OK) return status;
    struct posting_order *order = replay_find_order(replay, fact->revenue.order);
    bool converted = order && order->amount.micros > 0;
    bool refund = fact->kind == FACT_REFUNDED, converts = win && !refund && !converted;
    conversion.base = &conversion.none;
    out_said->win = win;
    // An order of the host's is one order, whichever of its placements a refund names.
    if (win && refund && converted && fact->revenue.of_host) {
        win = replay_find_win(replay, order->placement);
    }
    if (win) status = replay_terms(replay, db, win->market_version, &terms);
    if (status == STATUS_OK && win && win->contract) {
        conversion.contract = contract_by_id(terms, win->contract);
    }
    if (status == STATUS_OK && converts) {
        status = ready_conversion(replay, db, win, fact, source.batch, &conversion);
    }
    replay->has_landed_base = false;
    if (status != STATUS_OK) return status;
    bool repeated = refund && idmap_find(&replay->refund_of, posting_refund_id(fact)) != IDMAP_NONE;
    status = posting_revenue(terms, win, order, repeated,
                             conversion.touches ? &conversion.credit : NULL, *conversion.base, fact,
                             source, out, &fresh);
    bool booked = out->state == POSTING_POSTED || out->state == POSTING_NO_SHARE;
    if (status == STATUS_OK && booked && converts) {
        memcpy(fresh.period, conversion.period.name, sizeof fresh.period);
        if (conversion.based) {
            status = money_add(*conversion.base, fact->revenue.amount, conversion.base);
        }
    }
    if (status != STATUS_OK) {
        return replay_say(replay, STATUS_DAMAGED, "an amount of revenue leaves its range:",
                          (uint64_t)fact->revenue.amount.micros, "");
    }
    keep_revenue(replay, fact, order, &fresh, out, source.batch, out_said);
    out_said->touches = booked && conversion.touches;
    out_said->based = booked && conversion.based;
    return STATUS_OK;
}

// --- Touches that become known -----------------------------------------------------------------

static int
by_conversion(const void *left, const void *right)
{
    const struct posting_order *const *a = left, *const *b = right;
    if ((*a)->at.us != (*b)->at.us) return (*a)->at.us < (*b)->at.us ? -1 : 1;
    return memcmp((*a)->order.bytes, (*b)->order.bytes, sizeof(*a)->order.bytes);
}

static void
take_more(struct replay *replay, const struct posting *posted, unsigned first_leg)
{
    for (unsigned i = 0; i < posted->count; i++) {
        replay->more = replay_room(replay->more, replay->more_count, &replay->more_room,
                                   sizeof *replay->more);
        struct transfer *one = &replay->more[replay->more_count];
        *one = posted->transfers[i];
        one->leg = (uint16_t)(first_leg + replay->more_count++);
    }
}

static bool
same_parts(const struct posting_order *order, const struct contract_part *parts, unsigned count)
{
    bool same = order->part_count == count;
    for (unsigned i = 0; same && i < count; i++) {
        const struct contract_part *a = &order->parts[i], *b = &parts[i];
        same = a->seat == b->seat && a->rung == b->rung && a->weight == b->weight;
    }
    return same;
}

// The pool of what remains of an order; of one that nobody has a part of it is none.
static enum status
pool_of(const struct market_contract *contract, const struct posting_order *order, money *out_pool)
{
    struct contract_pool pool;
    money remaining;
    enum status status = money_subtract(order->amount, order->refunded, &remaining);
    if (status == STATUS_OK) status = contract_pool(contract, order->base, remaining, 0, &pool);
    *out_pool = status == STATUS_OK && order->part_count ? pool.pool : money_of(0);
    return status;
}

// Divides one order anew, by the fit that divided its conversion; `out_changed`: something changed.
static enum status
divide_anew(struct replay *replay, struct db *db, struct posting_order *order,
            const struct fact *fact, struct posting_source source, unsigned first_leg,
            bool *out_changed, money *out_pool)
{
    struct contract_terms *terms = NULL;
    struct contract_part parts[BOUND_PARTS];
    struct posting *posted = &replay->scratch;
    struct credit credit;
    const struct credit_fit *fit = NULL;
    const struct posting_win *win = replay_find_win(replay, order->placement);
    CHECK(win);  // an order is kept with its placement
    enum status status = replay_terms(replay, db, win->market_version, &terms);
    if (status != STATUS_OK) return status;
    const struct market_contract *contract = contract_by_id(terms, order->contract);
    const struct market_attribution *attribution = &contract->attribution;
    status = fit_in_force(replay, db, attribution->model, *replay_order_batch(replay, order), &fit);
    if (status != STATUS_OK) return status;
    size_t count = touch_gather(&replay->wins_of, replay->wins,
                                touch_key(win->customer, win->placement), attribution, order->at,
                                &replay->touches, &replay->touch_room);
    credit_divide(attribution, replay->touches, count, order->at, merchant_of(win, contract), fit,
                  &credit);
    struct posting_order changed = *order;
    changed.parts = parts;
    if (order->part_count) memcpy(parts, order->parts, order->part_count * sizeof *parts);
    posted->count = 0;
    posted->effective = order->at;
    status = posting_credit(terms, win, &changed, &credit, fact, source, posted);
    if (status == STATUS_OK) status = pool_of(contract, &changed, out_pool);
    if (status != STATUS_OK) {
        return replay_say(replay, STATUS_DAMAGED,
                          "an order's parts leave their range:", (uint64_t)order->amount.micros,
                          "");
    }
    *out_changed = !same_parts(order, posted->parts, posted->part_count);
    if (!*out_changed) return STATUS_OK;
    take_more(replay, posted, first_leg);
    replay_keep_parts(replay, &changed, posted->parts, posted->part_count);
    *order = changed;
    return STATUS_OK;
}

// What other logs booked of the customer's orders. Those that are kept may move in memory.
static enum status
share_orders(struct replay *replay, struct db *db, const struct posting_win *win,
             struct posting_source source)
{
    enum status status = STATUS_OK;
    for (uint32_t at =
             touch_chain_first(&replay->orders_of, touch_key(win->customer, win->placement));
         status == STATUS_OK && at != IDMAP_NONE; at = touch_chain_next(&replay->orders_of, at)) {
        status = replay_share_order(replay, db, replay->orders[at].order, source);
    }
    return status;
}

// Orders of the customer in which the touch counts, in the order of their conversions.
static enum status
orders_with(struct replay *replay, struct db *db, const struct posting_win *win,
            struct posting_order **out_orders, unsigned *out_count)
{
    struct touch touch;
    struct id key = touch_key(win->customer, win->placement);
    size_t count = 0, room = 0;
    struct posting_order **found = NULL;
    enum status status = STATUS_OK;
    *out_count = 0;
    if (!touch_of(win, &touch)) return STATUS_OK;
    for (uint32_t at = touch_chain_first(&replay->orders_of, key);
         status == STATUS_OK && at != IDMAP_NONE; at = touch_chain_next(&replay->orders_of, at)) {
        struct posting_order *order = &replay->orders[at];
        struct contract_terms *terms = NULL;
        const struct posting_win *sold = replay_find_win(replay, order->placement);
        if (order->amount.micros == 0 || order->contract == 0 || !sold) continue;
        status = replay_terms(replay, db, sold->market_version, &terms);
        if (status != STATUS_OK) break;
        const struct market_contract *contract = contract_by_id(terms, order->contract);
        if (!contract || !contract_touches(contract) ||
            !credit_counts(&contract->attribution, &touch, order->at)) {
            continue;
        }
        found = replay_room(found, count, &room, sizeof *found);
        found[count++] = order;
    }
    if (count) qsort(found, count, sizeof *found, by_conversion);
    size_t first = count > REPLAY_ORDERS ? count - REPLAY_ORDERS : 0;
    for (; status == STATUS_OK && first < count; first++) out_orders[(*out_count)++] = found[first];
    free(found);
    return status;
}

static enum status
touch_known(struct replay *replay, struct db *db, const struct posting_win *win,
            const struct fact *fact, struct posting_source source, const struct posting *out,
            struct replay_said *out_said)
{
    struct posting_order *orders[REPLAY_ORDERS];
    unsigned count = 0, first_leg = out->count ? out->transfers[out->count - 1].leg + 1u : 0;
    enum status status = share_orders(replay, db, win, source);
    if (status == STATUS_OK) status = orders_with(replay, db, win, orders, &count);
    if (status != STATUS_OK || count == 0) return status;
    struct replay_division *divisions = arena_take(replay->pieces, count, sizeof *divisions);
    out_said->divisions = divisions;
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        bool changed = false;
        money pool = money_of(0);
        status = divide_anew(replay, db, orders[i], fact, source, first_leg, &changed, &pool);
        if (status != STATUS_OK || !changed) continue;
        divisions[out_said->division_count++] = (struct replay_division){
            orders[i]->order, orders[i]->parts, orders[i]->part_count, orders[i]->model, pool};
    }
    out_said->more = replay->more;
    out_said->more_count = replay->more_count;
    return status;
}

enum status
replay_event(struct replay *replay, struct db *db, const struct fact *fact,
             struct posting_source source, struct posting *out, struct replay_said *out_said)
{
    bool touch = fact->kind == FACT_DELIVERED || fact->kind == FACT_ACCEPTED;
    struct posting_win *win = find_placement(replay, fact, source);
    out_said->win = win;
    posting_event(win, fact, source, out);
    if (!touch || !replay->touching || out->state != POSTING_POSTED) return STATUS_OK;
    return touch_known(replay, db, win, fact, source, out, out_said);
}
