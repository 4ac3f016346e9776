// Orders as the database holds them. What is booked of an order may come from several journals:
// seats report one order of the host's at different nodes, and a refund need not be reported where
// its conversion was.
//
//  1 A batch locks the rows in order_turn of all orders that it speaks of, in the order of their
//    ids, and takes a turn above all of theirs. So of two frames of different logs that speak of
//    one order the one with the lower turn was booked first, and the later one knew what it booked.
//  2 Verify proves one log. What other logs booked of an order is taken from its rows, which the
//    proof of that log proves: of frames with a lower turn, as the shipper knew them. What its
//    own log booked is taken from its rows, too, which stand before this fact and are compared
//    already. Since turns only rise, proofs of all logs rest on each other without a circle.
//  3 An order is divided among touches of the log that booked its conversion, and divided anew by
//    touches of that log alone.
//  4 Orders from before parts were kept have none here; posting takes those that their contract
//    names.
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "replay_inside.h"

static enum status
said(struct replay *replay, struct db *db, enum status status, const char *what, uint64_t number)
{
    return replay_say(replay, status, what, number, db_fault(db)->text);
}

// --- Turns ---------------------------------------------------------------------------------------

static int
by_id(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct id));
}

enum status
replay_lock_orders(struct replay *replay, struct db *db, struct id *ids, size_t count)
{
    struct db_rows *rows = NULL;
    qsort(ids, count, sizeof *ids, by_id);
    const struct db_param orders[] = {db_id_array(ids, count)};
    enum status status = db_run(db,
                                "insert into order_turn (order_id) select unnest($1::uuid[]) "
                                "on conflict do nothing",
                                orders, 1, NULL);
    if (status == STATUS_OK) {
        status = db_query(db,
                          "select (max(turn) + 1)::bigint from (select turn from order_turn "
                          "where order_id = any($1) order by order_id for update) as locked",
                          orders, 1, &rows);
    }
    if (status != STATUS_OK) return said(replay, db, status, "locking orders:", count);
    replay->turn_booked = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    const struct db_param turned[] = {db_id_array(ids, count),
                                      db_int8((int64_t)replay->turn_booked)};
    status = db_run(db, "update order_turn set turn = $2 where order_id = any($1)", turned, 2,
                    NULL);
    return status == STATUS_OK ? STATUS_OK : said(replay, db, status, "taking turns:", count);
}

// --- Orders --------------------------------------------------------------------------------------

// Columns of orders_sql.
enum {
    ORDER_ID,
    ORDER_KIND,
    ORDER_STATE,
    ORDER_PLACEMENT,
    ORDER_CURRENCY,
    ORDER_AMOUNT,
    ORDER_KEY,
    ORDER_AT,
    ORDER_PERIOD,
    ORDER_CUSTOMER,
    ORDER_CONTRACT,
    ORDER_MERCHANT,
    ORDER_BASE,
    ORDER_MODEL,
    ORDER_BATCH,
    ORDER_LOG
};
// The conversion first, then its refunds.
#define ORDER_COLUMNS                                                        \
    "select r.order_id, r.kind, r.state, r.placement_id, r.currency, "       \
    "r.amount_micros, r.key, r.effective_us, r.period, "                     \
    "(select c.customer from contact c where c.contact_id = r.contact_id), " \
    "r.contract, r.merchant, r.base_micros, r.model, r.batch, r.log "        \
    "from revenue r where r.state in ('posted', 'no_share', 'waiting') "
#define ORDER_ORDER " order by r.order_id, r.kind, r.log, r.batch, r.idx"
// What was booked before the fact $2.$3.$4, whose frame has the turn $5.
#define BOOKED_BEFORE(row)                                                                      \
    "(" row ".log = $2 and (" row ".batch, " row ".idx) < ($3, $4) or " row                     \
    ".log <> $2 and exists (select 1 from frame f where f.log = " row ".log and f.batch = " row \
    ".batch and f.turn < $5))"

static enum status
read_order(struct replay *replay, const struct db_rows *rows, size_t row,
           struct posting_order *out_order)
{
    size_t len = db_get_len(rows, row, ORDER_PERIOD);
    *out_order = (struct posting_order){
        .order = db_get_id(rows, row, ORDER_ID),
        .placement = db_get_id(rows, row, ORDER_PLACEMENT),
        .at = db_get_time(rows, row, ORDER_AT),
        .customer = (uint64_t)db_get_int(rows, row, ORDER_CUSTOMER),
        .contract = (uint32_t)db_get_int(rows, row, ORDER_CONTRACT),
        .merchant = (uint32_t)db_get_int(rows, row, ORDER_MERCHANT),
        .base = db_get_money(rows, row, ORDER_BASE),
        .model = (uint32_t)db_get_int(rows, row, ORDER_MODEL),
    };
    if (currency_parse(db_get_text(rows, row, ORDER_CURRENCY),
                       db_get_len(rows, row, ORDER_CURRENCY), &out_order->currency) != STATUS_OK ||
        len >= sizeof out_order->period) {
        return replay_say(replay, STATUS_DAMAGED, "revenue: an order of frame",
                          (uint64_t)db_get_int(rows, row, ORDER_BATCH),
                          "has no currency or period");
    }
    memcpy(out_order->period, db_get_text(rows, row, ORDER_PERIOD), len);
    return STATUS_OK;
}

static bool
is_word(const struct db_rows *rows, size_t row, size_t column, const char *word)
{
    return strcmp(db_get_text(rows, row, column), word) == 0;
}

// One order, whose rows begin at *row; leaves *row behind the last.
static enum status
sum_order(struct replay *replay, const struct db_rows *rows, size_t *row,
          struct posting_order *out_order)
{
    size_t first = *row;
    money waiting = money_of(0), booked = money_of(0);
    enum status status = read_order(replay, rows, first, out_order);
    if (status != STATUS_OK) return status;
    bool converted = is_word(rows, first, ORDER_KIND, fact_kind_name(FACT_CONVERTED));
    if (converted) out_order->amount = db_get_money(rows, (*row)++, ORDER_AMOUNT);
    for (; *row < db_count(rows) && id_same(db_get_id(rows, *row, ORDER_ID), out_order->order);
         ++*row) {
        struct fact fact = {.kind = FACT_REFUNDED};
        size_t len = db_get_len(rows, *row, ORDER_KEY);
        bool waits = is_word(rows, *row, ORDER_STATE, posting_state_name(POSTING_WAITING));
        money *sum = waits ? &waiting : &booked;
        fact.revenue.order = out_order->order;
        memcpy(fact.revenue.key, db_get_text(rows, *row, ORDER_KEY),
               len < BOUND_KEY ? len : BOUND_KEY);
        idmap_put(&replay->refund_of, posting_refund_id(&fact), 0);
        // What waited in another currency than the conversion's does not count.
        if (waits && converted && !is_word(rows, *row, ORDER_CURRENCY, out_order->currency.code)) {
            continue;
        }
        if (is_word(rows, *row, ORDER_KIND, fact_kind_name(FACT_CONVERTED)) ||
            money_add(*sum, db_get_money(rows, *row, ORDER_AMOUNT), sum) != STATUS_OK) {
            return replay_say(replay, STATUS_DAMAGED, "revenue: an order of frame",
                              (uint64_t)db_get_int(rows, first, ORDER_BATCH),
                              "is there twice, or its refunds leave their range");
        }
    }
    if (converted) waiting = posting_waited(waiting, out_order->amount);
    if (money_add(waiting, booked, &out_order->refunded) != STATUS_OK) {
        out_order->refunded = out_order->amount;
    }
    out_order->foreign = converted && db_get_int(rows, first, ORDER_LOG) != (int64_t)replay->log;
    return STATUS_OK;
}

// Parts of orders, ordered by order, then part.
static void
take_parts(struct replay *replay, const struct db_rows *rows)
{
    for (size_t i = 0; i < db_count(rows);) {
        struct contract_part parts[BOUND_PARTS];
        unsigned count = 0;
        struct id id = db_get_id(rows, i, 0);
        uint32_t model = (uint32_t)db_get_int(rows, i, 5);
        bool divided = db_get_bool(rows, i, 6);
        for (; i < db_count(rows) && id_same(db_get_id(rows, i, 0), id); i++) {
            if (count == BOUND_PARTS) continue;
            parts[count++] = (struct contract_part){
                .seat = (uint32_t)db_get_int(rows, i, 1),
                .kind = (uint8_t)db_get_int(rows, i, 2),
                .rung = (uint8_t)db_get_int(rows, i, 3),
                .weight = (uint64_t)db_get_int(rows, i, 4),
            };
        }
        struct posting_order *order = replay_find_order(replay, id);
        if (!order) continue;
        replay_keep_parts(replay, order, parts, count);
        order->model = model;
        order->divided = divided;
    }
}

enum status
replay_load_orders(struct replay *replay, struct db *db, const struct id *ids, size_t count)
{
    const struct db_param params[] = {db_id_array(ids, count)};
    struct db_rows *rows = NULL;
    enum status status = db_query(db, ORDER_COLUMNS "and r.order_id = any($1)" ORDER_ORDER, params,
                                  1, &rows);
    if (status != STATUS_OK) return said(replay, db, status, "reading orders:", count);
    bool any = db_count(rows) > 0;
    for (size_t row = 0; status == STATUS_OK && row < db_count(rows);) {
        struct posting_order order;
        uint64_t batch = (uint64_t)db_get_int(rows, row, ORDER_BATCH);
        status = sum_order(replay, rows, &row, &order);
        if (status == STATUS_OK) replay_keep_order(replay, &order, batch);
    }
    db_rows_free(rows);
    if (status != STATUS_OK || !any) return status;
    // The parts of an order are those of its newest division.
    status = db_query(db,
                      "select order_id, seat, kind, rung, weight, model, divided from order_part "
                      "where order_id = any($1) order by order_id, part",
                      params, 1, &rows);
    if (status != STATUS_OK) return said(replay, db, status, "reading parts of orders:", count);
    take_parts(replay, rows);
    db_rows_free(rows);
    return STATUS_OK;
}

// --- Orders of several logs ----------------------------------------------------------------------

enum status
replay_load_shared(struct replay *replay, struct db *db)
{
    const struct db_param params[] = {db_int4((int32_t)replay->log)};
    struct db_rows *rows = NULL;
    enum status status = db_query(db,
                                  "select distinct r.order_id from revenue r "
                                  "join revenue o on o.order_id = r.order_id and o.log <> r.log "
                                  "and o.state in ('posted', 'no_share', 'waiting') "
                                  "where r.log = $1",
                                  params, 1, &rows);
    if (status != STATUS_OK) {
        return said(replay, db, status, "reading orders of several logs, of log", replay->log);
    }
    for (size_t i = 0; i < db_count(rows); i++) {
        idmap_put(&replay->shared_of, db_get_id(rows, i, 0), 0);
    }
    db_rows_free(rows);
    return STATUS_OK;
}

static enum status
keep_foreign(struct replay *replay, struct db *db, const struct posting_order *order,
             uint64_t batch, const struct db_param params[5])
{
    struct db_rows *rows = NULL;
    enum status status = STATUS_OK;
    replay_keep_order(replay, order, batch);
    if (!replay_find_win(replay, order->placement)) {
        status = replay_load_wins(replay, db, &order->placement, 1);
    }
    if (status != STATUS_OK) return status;
    status = db_query(
        db,
        "select c.order_id, c.seat, c.kind, c.rung, c.weight, c.model, "
        "not exists (select 1 from revenue r where r.order_id = c.order_id and "
        "r.kind = 'converted' and (r.log, r.batch, r.idx) = (c.log, c.batch, c.idx)) "
        "from credit c where c.order_id = $1 and (c.log, c.batch, c.idx) = ("
        "select n.log, n.batch, n.idx from credit n where n.order_id = $1 "
        "and " BOOKED_BEFORE("n") " order by n.log desc, n.batch desc, n.idx desc limit 1) "
                                  "order by c.part",
        params, 5, &rows);
    if (status != STATUS_OK) return said(replay, db, status, "reading parts of an order", batch);
    take_parts(replay, rows);
    db_rows_free(rows);
    return STATUS_OK;
}

enum status
replay_share_order(struct replay *replay, struct db *db, struct id order,
                   struct posting_source source)
{
    const struct db_param params[5] = {
        db_id(order), db_int4((int32_t)replay->log), db_int8((int64_t)source.batch),
        db_int4((int32_t)source.index), db_int8((int64_t)replay->turn_booked)};
    struct posting_order booked, *known = replay_find_order(replay, order);
    struct db_rows *rows = NULL;
    size_t row = 0;
    if (!replay->whole || idmap_find(&replay->shared_of, order) == IDMAP_NONE) return STATUS_OK;
    enum status status = db_query(
        db, ORDER_COLUMNS "and r.order_id = $1 and " BOOKED_BEFORE("r") ORDER_ORDER, params, 5,
        &rows);
    if (status != STATUS_OK) return said(replay, db, status, "reading an order", source.batch);
    if (db_count(rows) == 0) goto done;
    uint64_t batch = (uint64_t)db_get_int(rows, 0, ORDER_BATCH);
    status = sum_order(replay, rows, &row, &booked);
    if (status != STATUS_OK) goto done;
    // Its own conversion was posted again from the journal: what others add are refunds.
    if (known && !booked.foreign) known->refunded = booked.refunded;
    else if (booked.foreign) status = keep_foreign(replay, db, &booked, batch, params);
    else if (booked.amount.micros == 0) replay_keep_order(replay, &booked, batch);
done:
    db_rows_free(rows);
    return status;
}
