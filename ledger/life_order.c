// What an order stands on, read from its transfers, and the moves to where it should stand.
//
//  1 All transfers of an order have its id for their group. What is booked of each of its parts,
//    one a (beneficiary, rung) pair, is the sum of them by account; nothing else is remembered, so
//    nothing can disagree with the books.
//  2 `paid` is what stood on 2110 by acts before the last payout of the beneficiary that stands.
//  3 Moves are computed by life_moves, booked with ids made of order, act and index.
//  4 When the order is locked, what its pool came to on 1150 is due of the merchant; changes of it
//    are rows of life_pool, in the period of the act's transfers.
//  5 Everything is read after the act has its turn, so two programs never book the same move.
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "life_inside.h"

#define PARTS (2 * BOUND_PARTS)  // of an order, those of earlier divisions too

struct part {
    uint32_t seat;
    int8_t rung;
    enum life_stand stand;
    struct life_part booked;
};
struct order {
    const struct life_task *task;
    struct transfer like;  // dimensions of its shares
    bool known;            // it has transfers
    uint64_t locked_by;    // act; 0: not locked
    uint32_t merchant;     // who owes the pool on 1150; 0 the host
    money pool, counted;   // on 1150, and of that what is due already
    struct part parts[PARTS];
    unsigned count;
    struct life_legs true_ups;
};
struct owed {  // what changed of an order's pool
    const struct order *order;
    struct period period;
    money change;
};
struct orders {
    struct db *db;
    struct life_terms *terms;
    struct act *act;
    const struct period *closing;
    struct order *items;  // by id
    struct id *ids;
    size_t count;
    struct db_rows *rows, *paid;
    struct life_tiers *tiers;  // NULL: no true-ups
    struct owed *owed;
    size_t owed_count;
};

// --- Reading -------------------------------------------------------------------------------------

static int
by_id(const void *left, const void *right)
{
    const struct order *a = left, *b = right;
    return memcmp(a->task->order.bytes, b->task->order.bytes, sizeof a->task->order.bytes);
}

static struct order *
find(struct orders *orders, struct id id)
{
    struct life_task task = {.order = id};
    struct order key = {.task = &task};
    return bsearch(&key, orders->items, orders->count, sizeof key, by_id);
}

static enum status
find_part(struct order *order, uint32_t seat, int8_t rung, struct part **out_part)
{
    for (unsigned i = 0; i < order->count; i++) {
        *out_part = &order->parts[i];
        if (order->parts[i].seat == seat && order->parts[i].rung == rung) return STATUS_OK;
    }
    if (order->count == PARTS) return STATUS_FULL;
    *out_part = &order->parts[order->count++];
    **out_part = (struct part){.seat = seat, .rung = rung};
    return STATUS_OK;
}

enum column {
    GROUP,
    DEBIT,
    CREDIT,
    AMOUNT,
    KIND,
    LOG,
    BATCH,
    RUNG,
    CONTRACT,
    SLOT,
    MESSAGE,
    PLACEMENT,
    OBJECTIVES,
    CURRENCY,
    REFERENCE,
    MODEL,
    WON_RUNG
};

static enum status
read_rows(struct orders *orders)
{
    static const char sql[] =
        "select t.group_id, t.debit, t.credit, t.amount_micros, t.kind, t.log, t.batch,"
        " coalesce(t.rung, (-1)::smallint), coalesce(t.contract, 0), coalesce(t.slot, 0),"
        " coalesce(t.message, 0), t.placement_id, coalesce(t.objectives, 0), t.currency,"
        " coalesce(t.reference, ''), coalesce(t.model, 0), coalesce(o.rung, (-1)::smallint)"
        " from transfer_kept t left join outcome o on o.placement_id = t.placement_id"
        " where t.group_id = any($1) and t.state = 'posted'"
        " and t.kind not in ('hold', 'charge', 'release', 'internal', 'commission')"
        " order by t.group_id, t.kind <> 'share', t.log, t.batch, t.idx, t.leg";
    static const char paid_sql[] = "select seat, currency, act from life_paid where seat = any($1)";
    const struct db_param params[] = {db_id_array(orders->ids, orders->count)};
    enum status status = db_query(orders->db, sql, params, 1, &orders->rows);
    if (status != STATUS_OK) return status;
    size_t rows = db_count(orders->rows), count = 0;
    int32_t *seats = calloc(2 * rows + 1, sizeof *seats);
    CHECK(seats);
    for (size_t i = 0; i < rows; i++) {
        for (int side = DEBIT; side <= CREDIT; side++) {
            int32_t seat =
                (int32_t)account_of_number(db_get_int(orders->rows, i, (size_t)side)).seat;
            if (seat != 0 && (count == 0 || seats[count - 1] != seat)) seats[count++] = seat;
        }
    }
    const struct db_param of[] = {db_int4_array(seats, count)};
    status = db_query(orders->db, paid_sql, of, 1, &orders->paid);
    free(seats);
    return status;
}

// The last payout of a seat that stands; 0 none. Rule 2.
static uint64_t
paid_by(const struct orders *orders, uint32_t seat, struct currency currency)
{
    for (size_t i = 0; i < db_count(orders->paid); i++) {
        if (db_get_int(orders->paid, i, 0) == (int64_t)seat &&
            strcmp(db_get_text(orders->paid, i, 1), currency.code) == 0)
            return (uint64_t)db_get_int(orders->paid, i, 2);
    }
    return 0;
}

static void
learn_like(struct order *order, const struct db_rows *rows, size_t i)
{
    order->known = true;
    order->like = (struct transfer){
        .group = order->task->order,
        .state = TRANSFER_POSTED,
        .effective = order->task->effective,
        .contract = (uint32_t)db_get_int(rows, i, CONTRACT),
        .slot = (uint32_t)db_get_int(rows, i, SLOT),
        .message = (uint32_t)db_get_int(rows, i, MESSAGE),
        .placement = db_get_id(rows, i, PLACEMENT),
        .objectives = (uint16_t)db_get_int(rows, i, OBJECTIVES),
        .model = (uint32_t)db_get_int(rows, i, MODEL),
        .won_rung = (int8_t)db_get_int(rows, i, WON_RUNG),
        .rung = -1,
        .reason = "",
    };
    size_t len = db_get_len(rows, i, REFERENCE);
    if (len > BOUND_KEY) len = BOUND_KEY;
    memcpy(order->like.reference, db_get_text(rows, i, REFERENCE), len);
    memcpy(order->like.currency.code, db_get_text(rows, i, CURRENCY), 3);
}

// One side of a transfer on a part's account: `credit`, what it adds to the credit balance.
static enum status
learn_side(struct orders *orders, struct order *order, size_t i, struct account account,
           struct account other, money credit)
{
    const struct db_rows *rows = orders->rows;
    struct part *part = NULL;
    money *place = NULL;
    enum status status = find_part(order, account.seat, (int8_t)db_get_int(rows, i, RUNG), &part);
    if (status != STATUS_OK) return status;
    struct life_part *booked = &part->booked;
    if (account.code == ACCOUNT_GAIN_ACCRUED) place = &booked->accrued;
    else if (account.code == ACCOUNT_GAIN_PAYABLE) place = &booked->payable;
    else if (account.code == ACCOUNT_GAIN_HELD) place = &booked->held;
    if (place) status = money_add(*place, credit, place);
    else status = money_subtract(booked->clawback, credit, &booked->clawback);
    bool dispute = strcmp(db_get_text(rows, i, KIND), transfer_kind_name(TRANSFER_DISPUTE)) == 0;
    if (status == STATUS_OK && dispute &&
        (other.code == ACCOUNT_GAIN_HOST || other.code == ACCOUNT_EXPENSE_GAIN))
        status = money_subtract(booked->taken, credit, &booked->taken);
    uint64_t payout = paid_by(orders, account.seat, order->like.currency);
    if (status == STATUS_OK && account.code == ACCOUNT_GAIN_PAYABLE &&
        db_get_int(rows, i, LOG) == 0 && (uint64_t)db_get_int(rows, i, BATCH) < payout)
        status = money_add(booked->paid, credit, &booked->paid);
    return status;
}

static bool
of_part(struct account account)
{
    return account.code == ACCOUNT_GAIN_ACCRUED || account.code == ACCOUNT_GAIN_PAYABLE ||
           account.code == ACCOUNT_GAIN_HELD || account.code == ACCOUNT_CLAWBACK;
}

static enum status
learn_row(struct orders *orders, struct order *order, size_t i)
{
    const struct db_rows *rows = orders->rows;
    struct account debit = account_of_number(db_get_int(rows, i, DEBIT));
    struct account credit = account_of_number(db_get_int(rows, i, CREDIT));
    money amount = db_get_money(rows, i, AMOUNT), less;
    if (!order->known) learn_like(order, rows, i);
    enum status status = money_subtract(money_of(0), amount, &less);
    if (status == STATUS_OK && of_part(debit))
        status = learn_side(orders, order, i, debit, credit, less);
    if (status == STATUS_OK && of_part(credit))
        status = learn_side(orders, order, i, credit, debit, amount);
    if (debit.code == ACCOUNT_GAIN_RECEIVABLE || credit.code == ACCOUNT_GAIN_RECEIVABLE) {
        bool more = debit.code == ACCOUNT_GAIN_RECEIVABLE;
        order->merchant = more ? debit.seat : credit.seat;
        if (status == STATUS_OK)
            status = money_add(order->pool, more ? amount : less, &order->pool);
    }
    if (status == STATUS_OK &&
        strcmp(db_get_text(rows, i, KIND), transfer_kind_name(TRANSFER_TRUE_UP)) == 0) {
        bool forth = debit.code == ACCOUNT_GAIN_RECEIVABLE || debit.code == ACCOUNT_EXPENSE_GAIN;
        status = life_leg_add(&order->true_ups, forth ? debit : credit, forth ? credit : debit,
                              (int8_t)db_get_int(rows, i, RUNG), forth ? amount : less);
    }
    return status;
}

// Which orders are locked, what is due of them already, and what is disputed.
static enum status
read_states(struct orders *orders)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_id_array(orders->ids, orders->count)};
    enum status status = db_query(orders->db,
                                  "select order_id, act from life_lock where order_id = any($1)",
                                  params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        find(orders, db_get_id(rows, i, 0))->locked_by = (uint64_t)db_get_int(rows, i, 1);
    db_rows_free(rows);
    rows = NULL;
    if (status == STATUS_OK)
        status = db_query(orders->db,
                          "select order_id, sum(micros)::bigint from life_pool"
                          " where order_id = any($1) group by order_id",
                          params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        find(orders, db_get_id(rows, i, 0))->counted = db_get_money(rows, i, 1);
    db_rows_free(rows);
    return status;
}

// The newest dispute of each beneficiary of an order counts.
static enum status
read_disputes(struct orders *orders)
{
    static const char sql[] =
        "select order_id, seat, number, state from dispute_now"
        " where order_id = any($1) and kind = 'share' order by order_id, seat, number";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_id_array(orders->ids, orders->count)};
    enum status status = db_query(orders->db, sql, params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct order *order = find(orders, db_get_id(rows, i, 0));
        const char *state = db_get_text(rows, i, 3);
        uint64_t number = (uint64_t)db_get_int(rows, i, 2);
        enum life_stand stand = LIFE_LOCKED;
        if (strcmp(state, "accepted") == 0) stand = LIFE_TAKEN;
        else if (strcmp(state, "open") == 0)
            stand = order->locked_by && order->locked_by < number ? LIFE_HELD : LIFE_OPEN;
        for (unsigned k = 0; k < order->count; k++) {
            if (order->parts[k].seat == (uint32_t)db_get_int(rows, i, 1))
                order->parts[k].stand = stand;
        }
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_orders(struct orders *orders)
{
    enum status status = read_rows(orders);
    for (size_t i = 0; status == STATUS_OK && i < db_count(orders->rows); i++)
        status = learn_row(orders, find(orders, db_get_id(orders->rows, i, GROUP)), i);
    for (size_t i = 0; i < orders->count; i++) {
        for (unsigned k = 0; k < orders->items[i].count; k++)
            orders->items[i].parts[k].stand = LIFE_LOCKED;
    }
    if (status == STATUS_OK) status = read_states(orders);
    if (status == STATUS_OK) status = read_disputes(orders);
    if (status != STATUS_OK) return status;
    return life_tiers_open(orders->db, orders->ids, orders->count, orders->closing, &orders->tiers);
}

// --- Booking -------------------------------------------------------------------------------------

static void
book(const struct orders *orders, const struct order *order, struct transfer *one)
{
    struct {
        struct id order;
        uint64_t act, index;
    } of = {order->task->order, act_number(orders->act), act_transfers(orders->act)};
    one->id = hash_id("life", &of, sizeof of);
    if (orders->closing) {
        memcpy(one->period, orders->closing->name, sizeof one->period);
        one->effective = (usec){orders->closing->until.us - 1};
    }
    act_transfer(orders->act, one);
}

// What of the true-up is missing, and what it changes of parts and pool.
static enum status
true_up(struct orders *orders, struct order *order)
{
    struct life_legs legs;
    enum status status = life_tier_legs(orders->tiers, orders->db, orders->terms,
                                        order->task->order, &legs);
    for (unsigned i = 0; status == STATUS_OK && i < order->true_ups.count; i++) {
        const struct life_leg *was = &order->true_ups.legs[i];
        money less;
        status = money_subtract(money_of(0), was->amount, &less);
        if (status == STATUS_OK)
            status = life_leg_add(&legs, was->payer, was->receiver, was->rung, less);
    }
    for (unsigned i = 0; status == STATUS_OK && i < legs.count; i++) {
        const struct life_leg *leg = &legs.legs[i];
        struct part *part = NULL;
        if (leg->amount.micros == 0) continue;
        struct transfer one = order->like;
        one.kind = TRANSFER_TRUE_UP;
        one.seat = leg->receiver.seat;
        one.rung = leg->rung;
        one.debit = leg->amount.micros > 0 ? leg->payer : leg->receiver;
        one.credit = leg->amount.micros > 0 ? leg->receiver : leg->payer;
        one.amount = leg->amount;
        if (leg->amount.micros < 0) status = money_subtract(money_of(0), leg->amount, &one.amount);
        if (status == STATUS_OK) book(orders, order, &one);
        if (status == STATUS_OK && leg->payer.code == ACCOUNT_GAIN_RECEIVABLE)
            status = money_add(order->pool, leg->amount, &order->pool);
        if (status != STATUS_OK || leg->receiver.code != ACCOUNT_GAIN_ACCRUED) continue;
        status = find_part(order, leg->receiver.seat, leg->rung, &part);
        if (status == STATUS_OK)
            status = money_add(part->booked.accrued, leg->amount, &part->booked.accrued);
    }
    return status;
}

// Where a part's money goes that a dispute took: to the host that the merchant pays, or back to the
// expense of a host that pays itself.
static struct account
account_of(const struct order *order, const struct part *part, uint16_t code)
{
    if (code != ACCOUNT_GAIN_HOST) return (struct account){.code = code, .seat = part->seat};
    if (order->merchant) return (struct account){.code = ACCOUNT_GAIN_HOST};
    return (struct account){.code = ACCOUNT_EXPENSE_GAIN, .rung = (uint8_t)(part->rung + 1)};
}

static enum status
move_part(struct orders *orders, const struct order *order, const struct part *part)
{
    struct life_move moves[LIFE_MOVES];
    unsigned count = 0;
    enum status status = life_moves(&part->booked, part->stand, moves, &count);
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        struct transfer one = order->like;
        one.kind = moves[i].kind;
        one.seat = part->seat;
        one.rung = part->rung;
        one.debit = account_of(order, part, moves[i].debit);
        one.credit = account_of(order, part, moves[i].credit);
        one.amount = moves[i].amount;
        book(orders, order, &one);
    }
    return status;
}

// Rule 4: what changed of the order's pool, kept until the whole act's go in together.
static enum status
count_pool(struct orders *orders, const struct order *order)
{
    struct owed owed = {.order = order};
    enum status status = money_subtract(order->pool, order->counted, &owed.change);
    if (status != STATUS_OK || owed.change.micros == 0) return status;
    period_of(order->task->effective, act_fenced_until(orders->act), &owed.period);
    orders->owed[orders->owed_count++] = owed;
    return STATUS_OK;
}

static enum status
insert_pools(const struct orders *orders)
{
    if (orders->owed_count == 0) return STATUS_OK;
    enum status status = db_copy_begin(
        orders->db, "life_pool (order_id, act, period, seat, currency, contract, slot, message,"
                    " rung, micros)");
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < orders->owed_count; i++) {
        const struct owed *owed = &orders->owed[i];
        const struct transfer *like = &owed->order->like;
        db_copy_row(orders->db, 10);
        db_copy_id(orders->db, owed->order->task->order);
        db_copy_int8(orders->db, (int64_t)act_number(orders->act));
        db_copy_text(orders->db, owed->period.name, strlen(owed->period.name));
        db_copy_int4(orders->db, (int32_t)owed->order->merchant);
        db_copy_text(orders->db, like->currency.code, strlen(like->currency.code));
        db_copy_int4(orders->db, (int32_t)like->contract);
        db_copy_int4(orders->db, (int32_t)like->slot);
        db_copy_int4(orders->db, (int32_t)like->message);
        db_copy_int2(orders->db, like->won_rung);
        db_copy_int8(orders->db, owed->change.micros);
    }
    return db_copy_end(orders->db, NULL);
}

static enum status
settle_order(struct orders *orders, struct order *order)
{
    enum status status = STATUS_OK;
    if (!order->known) return status;
    if (orders->tiers) status = true_up(orders, order);
    if (orders->closing || (!order->task->lock && !order->locked_by)) return status;
    for (unsigned i = 0; status == STATUS_OK && i < order->count; i++)
        status = move_part(orders, order, &order->parts[i]);
    return status == STATUS_OK && order->merchant ? count_pool(orders, order) : status;
}

enum status
life_orders(struct db *db, struct life_terms *terms, struct act *act, const struct life_task *tasks,
            size_t count, const struct period *closing)
{
    struct orders orders = {
        .db = db, .terms = terms, .act = act, .closing = closing, .count = count};
    orders.items = calloc(count + 1, sizeof *orders.items);
    orders.ids = calloc(count + 1, sizeof *orders.ids);
    orders.owed = calloc(count + 1, sizeof *orders.owed);
    CHECK(orders.items && orders.ids && orders.owed);
    for (size_t i = 0; i < count; i++) {
        orders.items[i].task = &tasks[i];
        orders.ids[i] = tasks[i].order;
    }
    qsort(orders.items, count, sizeof *orders.items, by_id);
    enum status status = read_orders(&orders);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = settle_order(&orders, &orders.items[i]);
    if (status == STATUS_OK) status = insert_pools(&orders);
    db_rows_free(orders.rows);
    db_rows_free(orders.paid);
    life_tiers_close(orders.tiers);
    free(orders.items);
    free(orders.ids);
    free(orders.owed);
    return status;
}
