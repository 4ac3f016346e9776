// True-ups of retroactive tiers.
//
//  1 At the close of a period the revenue of each such contract in it, net of the refunds reported
//    by then, is kept in life_rate: it says which tier the period reached, for ever.
//  2 An order's true-up is, leg by leg, its split at the rate that was reached less its split at
//    the rate that facts post (contract_pool, contract_split): a function of its facts and of
//    life_rate. What is booked of it is subtracted by the caller.
//  3 After a full refund both splits are zero, and so is the true-up.
//  4 The rate is that of the contract as it was when the placement was won, by the revenue of all
//    orders under the contract's number.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "life_inside.h"

static bool
same_account(struct account a, struct account b)
{
    return a.code == b.code && a.rung == b.rung && a.seat == b.seat;
}

enum status
life_leg_add(struct life_legs *legs, struct account payer, struct account receiver, int8_t rung,
             money amount)
{
    for (unsigned i = 0; i < legs->count; i++) {
        struct life_leg *leg = &legs->legs[i];
        if (same_account(leg->payer, payer) && same_account(leg->receiver, receiver) &&
            leg->rung == rung)
            return money_add(leg->amount, amount, &leg->amount);
    }
    if (legs->count == LIFE_LEGS) return STATUS_FULL;
    legs->legs[legs->count++] = (struct life_leg){payer, receiver, rung, amount};
    return STATUS_OK;
}

// An order as tiers see it.
struct tiered {
    const struct market_contract *contract;
    uint32_t seat;  // of the placement
    bool partner;   // that seat is one
    int8_t rung;    // of the placement
    money base, remaining, revenue;
    struct contract_part parts[BOUND_PARTS];
    unsigned count;
};
struct life_tiers {
    struct db_rows *orders, *parts;  // by order
};

// Orders whose contract has a rate for the period in which they converted.
static enum status
read_orders(struct db *db, const struct db_param *ids, const struct period *closing,
            struct db_rows **out_rows)
{
    static const char sql[] =
        "select c.order_id, c.contract, o.market_version, c.seat, exists (select 1 from seat s"
        " where s.id = c.seat and s.kind = 'partner'), o.rung, coalesce(c.base_micros, 0),"
        " c.amount_micros, (select coalesce(sum(r.amount_micros), 0)::bigint from revenue r"
        "  where r.order_id = c.order_id and r.kind = 'refunded'"
        "  and r.state in ('posted', 'waiting') and ($2::text is null or r.period <= $2)),"
        " l.revenue_micros"
        " from revenue c join outcome o on o.placement_id = c.placement_id"
        " join life_rate l on l.contract = c.contract and l.period = c.period"
        " and l.currency = c.currency"
        " where c.order_id = any($1) and c.kind = 'converted' and c.state = 'posted'"
        " order by c.order_id";
    const struct db_param params[] = {*ids, db_text(closing ? closing->name : NULL)};
    return db_query(db, sql, params, 2, out_rows);
}

enum status
life_tiers_open(struct db *db, const struct id *orders, size_t count, const struct period *closing,
                struct life_tiers **out_tiers)
{
    // The newest division of each order.
    static const char parts_sql[] =
        "select c.order_id, c.seat, c.kind = 1, c.rung, c.weight from credit c"
        " where c.order_id = any($1) and not exists (select 1 from credit n"
        "  where n.order_id = c.order_id"
        "  and (n.log, n.batch, n.idx) > (c.log, c.batch, c.idx)) order by c.order_id, c.part";
    struct db_rows *rows = NULL;
    *out_tiers = NULL;
    enum status status = db_query(db, "select exists (select 1 from life_rate)", NULL, 0, &rows);
    bool any = status == STATUS_OK && db_get_bool(rows, 0, 0);
    db_rows_free(rows);
    if (!any) return status;
    struct life_tiers *tiers = calloc(1, sizeof *tiers);
    CHECK(tiers);
    const struct db_param ids[] = {db_id_array(orders, count)};
    status = read_orders(db, ids, closing, &tiers->orders);
    if (status == STATUS_OK) status = db_query(db, parts_sql, ids, 1, &tiers->parts);
    if (status == STATUS_OK) *out_tiers = tiers;
    else life_tiers_close(tiers);
    return status;
}

void
life_tiers_close(struct life_tiers *tiers)
{
    if (!tiers) return;
    db_rows_free(tiers->orders);
    db_rows_free(tiers->parts);
    free(tiers);
}

// The first row of an order; rows are by their first column.
static size_t
find_rows(const struct db_rows *rows, struct id order)
{
    size_t low = 0, high = db_count(rows);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct id id = db_get_id(rows, middle, 0);
        if (memcmp(id.bytes, order.bytes, sizeof id.bytes) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

// STATUS_NOT_FOUND: its period has no rate.
static enum status
take_order(const struct life_tiers *tiers, struct db *db, struct life_terms *terms, struct id order,
           struct tiered *out)
{
    const struct db_rows *rows = tiers->orders;
    size_t i = find_rows(rows, order);
    if (i == db_count(rows) || !id_same(db_get_id(rows, i, 0), order)) return STATUS_NOT_FOUND;
    out->seat = (uint32_t)db_get_int(rows, i, 3);
    out->partner = db_get_bool(rows, i, 4);
    out->rung = (int8_t)db_get_int(rows, i, 5);
    out->base = db_get_money(rows, i, 6);
    out->revenue = db_get_money(rows, i, 9);
    enum status status = money_subtract(db_get_money(rows, i, 7), db_get_money(rows, i, 8),
                                        &out->remaining);
    if (status != STATUS_OK) return status;
    if (out->remaining.micros < 0) out->remaining = money_of(0);  // it waited, and was too much
    status = life_terms_of(terms, db, (uint32_t)db_get_int(rows, i, 1),
                           (uint64_t)db_get_int(rows, i, 2), &out->contract);
    return status == STATUS_NOT_FOUND ? STATUS_DAMAGED : status;
}

static void
take_parts(const struct life_tiers *tiers, struct id order, struct tiered *out)
{
    const struct db_rows *rows = tiers->parts;
    out->count = 0;
    for (size_t i = find_rows(rows, order); i < db_count(rows) && out->count < BOUND_PARTS; i++) {
        if (!id_same(db_get_id(rows, i, 0), order)) break;
        out->parts[out->count++] = (struct contract_part){
            .seat = (uint32_t)db_get_int(rows, i, 1),
            .kind = db_get_bool(rows, i, 2) ? SEAT_PARTNER : SEAT_DEPARTMENT,
            .rung = (uint8_t)db_get_int(rows, i, 3),
            .weight = (uint64_t)db_get_int(rows, i, 4),
        };
    }
}

// Adds the split at one rate, as posting books it, times `sign`.
static enum status
add_split(const struct tiered *order, uint32_t reached_ppm, bool minus, struct life_legs *legs)
{
    struct contract_pool pool;
    money amounts[BOUND_PARTS], host = money_of(0);
    bool pays = order->contract->merchant == MERCHANT_PARTNER && order->partner;
    enum status status = contract_pool(order->contract, order->base, order->remaining, reached_ppm,
                                       &pool);
    if (status == STATUS_OK)
        status = contract_split(&pool, order->parts, order->count, amounts, &host);
    for (unsigned i = 0; status == STATUS_OK && i <= order->count; i++) {
        bool outside = i == order->count;  // what is the host's alone
        const struct contract_part *part = outside ? NULL : &order->parts[i];
        int8_t rung = outside ? order->rung : (int8_t)part->rung;
        struct account payer = {.code = ACCOUNT_EXPENSE_GAIN, .rung = (uint8_t)(rung + 1)};
        struct account receiver = {.code = ACCOUNT_GAIN_HOST};
        money amount = outside ? host : amounts[i];
        if (pays) payer = (struct account){.code = ACCOUNT_GAIN_RECEIVABLE, .seat = order->seat};
        if (!outside && part->seat != 0) {
            receiver.seat = part->seat;
            receiver.code = part->kind == SEAT_DEPARTMENT ? ACCOUNT_GAIN_RUNG
                                                          : ACCOUNT_GAIN_ACCRUED;
            if (part->kind == SEAT_DEPARTMENT) receiver.rung = (uint8_t)(rung + 1);
        }
        if (minus) status = money_subtract(money_of(0), amount, &amount);
        if (status == STATUS_OK && amount.micros != 0)
            status = life_leg_add(legs, payer, receiver, rung, amount);
    }
    return status;
}

enum status
life_tier_legs(const struct life_tiers *tiers, struct db *db, struct life_terms *terms,
               struct id order, struct life_legs *out_legs)
{
    struct tiered tiered;
    out_legs->count = 0;
    enum status status = take_order(tiers, db, terms, order, &tiered);
    if (status == STATUS_NOT_FOUND) return STATUS_OK;
    if (status != STATUS_OK || !tiered.contract->retroactive) return status;
    take_parts(tiers, order, &tiered);
    uint32_t reached = contract_reached(tiered.contract, tiered.revenue);
    status = add_split(&tiered, reached, false, out_legs);
    return status == STATUS_OK ? add_split(&tiered, 0, true, out_legs) : status;
}

// --- The close -----------------------------------------------------------------------------------

// Contracts that ever had retroactive tiers, and what their orders of the period brought.
static enum status
keep_rates(struct db *db, struct life_terms *terms, const struct period *period, struct act *act,
           unsigned *out_kept)
{
    static const char sql[] =
        "with orders as (select r.order_id, r.contract, o.market_version from revenue r"
        "  join outcome o on o.placement_id = r.placement_id"
        "  where r.period = $1 and r.kind = 'converted' and r.state = 'posted' and r.contract in"
        "   (select id from market_object where kind = 'contract'"
        "    and body::text like '%retroactive%'))"
        " select r.contract, r.currency, max(c.market_version), greatest(sum(case r.kind"
        "  when 'converted' then r.amount_micros else -r.amount_micros end), 0)::bigint"
        " from orders c join revenue r on r.order_id = c.order_id"
        " where r.period <= $1 and r.state in ('posted', 'waiting')"
        " and not exists (select 1 from life_rate l where l.contract = r.contract"
        "  and l.period = $1 and l.currency = r.currency)"
        " group by r.contract, r.currency order by r.contract, r.currency";
    struct db_rows *rows = NULL;
    const struct db_param of[] = {db_text(period->name)};
    enum status status = db_query(db, sql, of, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        const struct market_contract *contract = NULL;
        uint32_t number = (uint32_t)db_get_int(rows, i, 0);
        money revenue = db_get_money(rows, i, 3);
        struct currency currency = {""};
        memcpy(currency.code, db_get_text(rows, i, 1), 3);
        status = life_terms_of(terms, db, number, (uint64_t)db_get_int(rows, i, 2), &contract);
        if (status != STATUS_OK) break;
        if (!contract->retroactive) continue;
        const struct db_param params[] = {
            db_int4((int32_t)number),
            db_text(period->name),
            db_text(currency.code),
            db_money(revenue),
            db_int4((int32_t)contract_reached(contract, revenue)),
            db_int8((int64_t)act_number(act)),
        };
        status = db_run(db,
                        "insert into life_rate (contract, period, currency, revenue_micros,"
                        " reached_ppm, act) values ($1, $2, $3, $4, $5, $6)",
                        params, 6, NULL);
        act_note(act, "contract", contract->code);
        act_note_money(act, "revenue", revenue, currency);
        ++*out_kept;
    }
    db_rows_free(rows);
    return status;
}

// The next orders of the period whose contract has a rate, after `after`.
static enum status
next_orders(struct db *db, const struct period *period, struct id after, struct life_task *tasks,
            size_t *out_count)
{
    static const char sql[] =
        "select r.order_id from revenue r join life_rate l on l.contract = r.contract"
        " and l.period = r.period and l.currency = r.currency"
        " where r.period = $1 and r.kind = 'converted' and r.state = 'posted' and r.order_id > $2"
        " order by r.order_id limit $3";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name), db_id(after), db_int8(LIFE_TASKS)};
    enum status status = db_query(db, sql, params, 3, &rows);
    *out_count = 0;
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        tasks[(*out_count)++] = (struct life_task){.order = db_get_id(rows, i, 0),
                                                   .effective = {period->until.us - 1}};
    }
    db_rows_free(rows);
    return status;
}

// Locked orders follow their true-ups at the next turn, and so do those with later facts.
static enum status
leave_work(struct db *db, const struct life_task *tasks, size_t count)
{
    struct id ids[LIFE_TASKS];
    for (size_t i = 0; i < count; i++) ids[i] = tasks[i].order;
    const struct db_param params[] = {db_id_array(ids, count), db_time(tasks[0].effective)};
    return db_run(db,
                  "insert into life_todo (order_id, effective_us) select o, $2 from"
                  " unnest($1::uuid[]) o on conflict do nothing",
                  params, 2, NULL);
}

static enum status
book_orders(struct db *db, struct life_terms *terms, const struct period *period, struct act *act)
{
    struct life_task tasks[LIFE_TASKS];
    struct id after = {{0}};
    size_t count = 0;
    enum status status;
    do {
        status = next_orders(db, period, after, tasks, &count);
        if (status == STATUS_OK && count > 0)
            status = life_orders(db, terms, act, tasks, count, period);
        if (status == STATUS_OK && count > 0) status = leave_work(db, tasks, count);
        if (count > 0) after = tasks[count - 1].order;
    } while (status == STATUS_OK && count > 0);
    return status;
}

enum status
life_true_up(struct db *db, const struct period *period, usec at, char out_text[LIFE_FAULT])
{
    struct act *act = NULL;
    unsigned kept = 0;
    size_t booked = 0;
    struct life_terms *terms = life_terms_open();
    enum status status = act_begin(db, "true_up", "close", "", at, &act);
    if (status == STATUS_OK) {
        act_note(act, "period", period->name);
        status = keep_rates(db, terms, period, act, &kept);
    }
    if (status == STATUS_OK) status = book_orders(db, terms, period, act);
    if (status == STATUS_OK) booked = act_transfers(act);
    if (status == STATUS_OK && (booked > 0 || kept > 0)) {
        status = act_end(act);
        act = NULL;
    }
    act_abandon(act);
    life_terms_close(terms);
    if (status == STATUS_OK) {
        snprintf(out_text, LIFE_FAULT, "%u contracts with retroactive tiers, %zu true-ups", kept,
                 booked);
    } else if (status == STATUS_DAMAGED) {
        snprintf(out_text, LIFE_FAULT, "a contract was stored by another version of this program");
    } else {
        snprintf(out_text, LIFE_FAULT, "%s", db_fault(db)->text);
    }
    return status;
}
