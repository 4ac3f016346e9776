// Turns of the life of shares.
//
//  1 A turn begins with one query on marks and work lists; when they ask for nothing, it ends.
//  2 Facts behind the watermark are looked at once, stretch by stretch (life_position): a
//    conversion is put on the list of what locks when its validation ends, counted from its own
//    time; a refund or a new division of an order that is locked, or that may have a true-up, puts
//    the order on the list of what is to follow. The mark moves in the same transaction.
//  3 Orders that are due, at most LIFE_TASKS, are locked by one act; orders that are to follow are
//    followed by another one (life_order.c). They leave their list in the same transaction.
//  4 Every transaction takes its turn among acts before it reads, so turns of several programs do
//    not meet, and a crash leaves a piece done or not begun.
//  5 Effective is the end of the validation for a lock, the fact's own time for what follows it;
//    the act finds the period that is open.
#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "life_inside.h"

#define PASS_FACTS 2048  // more than a frame holds
#define AUTHOR "ledgerd"

struct turn {
    struct db *db;
    usec now;
    struct life_terms *terms;
    struct life_report *report;
};

// --- Facts ---------------------------------------------------------------------------------------

struct stretch {
    uint32_t log;
    int64_t from, upto;  // batches after `from`, to `upto`
    bool more;
};

// The next stretch of some log; false: every log was looked at.
static enum status
find_stretch(struct turn *turn, struct stretch *out, bool *out_found)
{
    static const char sql[] =
        "select w.log, coalesce(p.batch, 0), w.batch, (select r.batch from revenue r"
        "  where r.log = w.log and r.batch > coalesce(p.batch, 0) and r.batch <= w.batch"
        "  order by r.batch offset $1 limit 1)"
        " from watermark w left join life_position p on p.log = w.log"
        " where w.batch > coalesce(p.batch, 0) order by w.log limit 1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int8(PASS_FACTS)};
    enum status status = db_query(turn->db, sql, params, 1, &rows);
    *out_found = status == STATUS_OK && db_count(rows) > 0;
    if (*out_found) {
        out->more = !db_is_null(rows, 0, 3);
        out->log = (uint32_t)db_get_int(rows, 0, 0);
        out->from = db_get_int(rows, 0, 1);
        out->upto = out->more ? db_get_int(rows, 0, 3) - 1 : db_get_int(rows, 0, 2);
    }
    db_rows_free(rows);
    return status;
}

// When the validation of a conversion ends.
static enum status
due_of(struct turn *turn, const struct db_rows *rows, size_t i, int64_t *out_due)
{
    const struct market_contract *contract = NULL;
    *out_due = db_get_int(rows, i, 1);
    if (db_is_null(rows, i, 2) || db_is_null(rows, i, 3)) return STATUS_OK;
    enum status status = life_terms_of(turn->terms, turn->db, (uint32_t)db_get_int(rows, i, 2),
                                       (uint64_t)db_get_int(rows, i, 3), &contract);
    if (status == STATUS_OK) *out_due += (int64_t)contract->validation_days * USEC_DAY;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status
take_conversions(struct turn *turn, const struct db_param params[3])
{
    static const char sql[] =
        "select r.order_id, r.effective_us, r.contract, o.market_version from revenue r"
        " left join outcome o on o.placement_id = r.placement_id"
        " where r.log = $1 and r.batch > $2 and r.batch <= $3 and r.kind = 'converted'"
        " and r.state = 'posted'";
    struct db_rows *rows = NULL;
    enum status status = db_query(turn->db, sql, params, 3, &rows);
    size_t count = status == STATUS_OK ? db_count(rows) : 0;
    struct id *ids = calloc(count + 1, sizeof *ids);
    int64_t *dues = calloc(count + 1, sizeof *dues);
    CHECK(ids && dues);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        ids[i] = db_get_id(rows, i, 0);
        status = due_of(turn, rows, i, &dues[i]);
    }
    const struct db_param due[] = {db_id_array(ids, count), db_int8_array(dues, count)};
    if (status == STATUS_OK && count > 0)
        status = db_run(turn->db,
                        "insert into life_due (order_id, due_us) select d.order_id, d.due_us"
                        " from unnest($1::uuid[], $2::bigint[]) as d(order_id, due_us)"
                        " where not exists (select 1 from life_lock l"
                        "  where l.order_id = d.order_id) on conflict do nothing",
                        due, 2, NULL);
    turn->report->facts += (unsigned)count;
    db_rows_free(rows);
    free(ids);
    free(dues);
    return status;
}

// Refunds, and divisions that are not those of the conversion itself.
static enum status
take_changes(struct turn *turn, const struct db_param params[3])
{
    static const char sql[] =
        "insert into life_todo (order_id, effective_us)"
        " select c.order_id, max(c.effective_us) from ("
        "  select r.order_id, r.effective_us, r.contract from revenue r"
        "  where r.log = $1 and r.batch > $2 and r.batch <= $3 and r.kind = 'refunded'"
        "  and r.state = 'posted'"
        "  union all"
        "  select k.order_id, e.effective_us, r.contract from credit k"
        "  join event e on e.log = k.log and e.batch = k.batch and e.idx = k.idx"
        "  join revenue r on r.order_id = k.order_id and r.kind = 'converted'"
        "   and r.state = 'posted'"
        "  where k.log = $1 and k.batch > $2 and k.batch <= $3 and k.part = 0) c"
        " where exists (select 1 from life_lock l where l.order_id = c.order_id)"
        " or exists (select 1 from life_rate t where t.contract = c.contract)"
        " group by c.order_id"
        " on conflict (order_id) do update"
        "  set effective_us = greatest(life_todo.effective_us, excluded.effective_us)";
    uint64_t changed = 0;
    enum status status = db_run(turn->db, sql, params, 3, &changed);
    turn->report->facts += (unsigned)changed;
    return status;
}

static enum status
pass(struct turn *turn)
{
    struct act *act = NULL;
    struct stretch stretch;
    bool found = false;
    enum status status = db_begin(turn->db);
    if (status == STATUS_OK) status = act_begin(turn->db, "life", AUTHOR, "", turn->now, &act);
    act_abandon(act);  // it was for its turn
    if (status == STATUS_OK) status = find_stretch(turn, &stretch, &found);
    if (status == STATUS_OK && found) {
        const struct db_param params[] = {db_int4((int32_t)stretch.log), db_int8(stretch.from),
                                          db_int8(stretch.upto)};
        status = take_conversions(turn, params);
        if (status == STATUS_OK) status = take_changes(turn, params);
        const struct db_param mark[] = {params[0], params[2]};
        if (status == STATUS_OK)
            status = db_run(turn->db,
                            "insert into life_position (log, batch) values ($1, $2)"
                            " on conflict (log) do update set batch = excluded.batch",
                            mark, 2, NULL);
        turn->report->more |= stretch.more;
    }
    if (status == STATUS_OK) status = db_commit(turn->db);
    if (status != STATUS_OK) db_rollback(turn->db);
    return status;
}

// --- Orders --------------------------------------------------------------------------------------

static enum status
read_tasks(struct turn *turn, bool lock, struct life_task *tasks, size_t *out_count)
{
    static const char due_sql[] = "select order_id, due_us from life_due where due_us <= $1"
                                  " order by due_us, order_id limit $2";
    static const char todo_sql[] =
        "select order_id, effective_us from life_todo where $1::bigint is not null"
        " order by order_id limit $2";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_time(turn->now), db_int8(LIFE_TASKS)};
    enum status status = db_query(turn->db, lock ? due_sql : todo_sql, params, 2, &rows);
    *out_count = status == STATUS_OK ? db_count(rows) : 0;
    for (size_t i = 0; i < *out_count; i++) {
        tasks[i] = (struct life_task){
            .order = db_get_id(rows, i, 0), .effective = db_get_time(rows, i, 1), .lock = lock};
    }
    db_rows_free(rows);
    return status;
}

// They leave their list; what is locked is locked for ever.
static enum status
leave_list(struct turn *turn, bool lock, const struct act *act, const struct life_task *tasks,
           size_t count)
{
    struct id ids[LIFE_TASKS];
    for (size_t i = 0; i < count; i++) ids[i] = tasks[i].order;
    const struct db_param params[] = {db_id_array(ids, count), db_int8((int64_t)act_number(act))};
    if (!lock)
        return db_run(turn->db, "delete from life_todo where order_id = any($1)", params, 1, NULL);
    return db_run(turn->db,
                  "with done as (delete from life_due where order_id = any($1)"
                  "  returning order_id, due_us)"
                  " insert into life_lock (order_id, act, due_us)"
                  " select order_id, $2::bigint, due_us from done",
                  params, 2, NULL);
}

static enum status
do_tasks(struct turn *turn, bool lock)
{
    struct life_task tasks[LIFE_TASKS];
    struct act *act = NULL;
    size_t count = 0, transfers = 0;
    enum status status = db_begin(turn->db);
    if (status == STATUS_OK)
        status = act_begin(turn->db, lock ? "lock" : "follow", AUTHOR, "", turn->now, &act);
    if (status == STATUS_OK) status = read_tasks(turn, lock, tasks, &count);
    if (status == STATUS_OK && count > 0) {
        char text[32];
        snprintf(text, sizeof text, "%zu", count);
        act_note(act, "orders", text);
        status = life_orders(turn->db, turn->terms, act, tasks, count, NULL);
        if (status == STATUS_OK) status = leave_list(turn, lock, act, tasks, count);
        if (status == STATUS_OK) {
            transfers = act_transfers(act);
            status = act_end(act);
            act = NULL;
        }
    }
    act_abandon(act);
    if (status == STATUS_OK) status = db_commit(turn->db);
    if (status != STATUS_OK) {
        db_rollback(turn->db);
        return status;
    }
    if (lock) turn->report->locked += (unsigned)count;
    else turn->report->followed += (unsigned)count;
    turn->report->transfers += transfers;
    turn->report->more |= count == LIFE_TASKS;
    return STATUS_OK;
}

// Rule 1.
static enum status
look(struct turn *turn, bool *out_facts, bool *out_due, bool *out_todo)
{
    static const char sql[] =
        "select exists (select 1 from watermark w left join life_position p on p.log = w.log"
        "  where w.batch > coalesce(p.batch, 0)),"
        " exists (select 1 from life_due where due_us <= $1),"
        " exists (select 1 from life_todo)";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_time(turn->now)};
    enum status status = db_query(turn->db, sql, params, 1, &rows);
    if (status == STATUS_OK) {
        *out_facts = db_get_bool(rows, 0, 0);
        *out_due = db_get_bool(rows, 0, 1);
        *out_todo = db_get_bool(rows, 0, 2);
    }
    db_rows_free(rows);
    return status;
}

enum status
life_turn(struct db *db, usec now, struct life_report *out_report)
{
    memset(out_report, 0, sizeof *out_report);
    struct turn turn = {.db = db, .now = now, .report = out_report};
    bool facts = false, due = false, todo = false;
    enum status status = look(&turn, &facts, &due, &todo);
    if (status != STATUS_OK || (!facts && !due && !todo)) return status;
    turn.terms = life_terms_open();
    if (facts) status = pass(&turn);
    if (status == STATUS_OK && facts) status = look(&turn, &facts, &due, &todo);
    if (status == STATUS_OK && due) status = do_tasks(&turn, true);
    if (status == STATUS_OK && todo) status = do_tasks(&turn, false);
    life_terms_close(turn.terms);
    return status;
}

// --- Payouts -------------------------------------------------------------------------------------

enum status
life_paid_out(struct db *db, const struct act *act, uint32_t seat, struct currency currency)
{
    const struct db_param params[] = {db_int4((int32_t)seat), db_text(currency.code),
                                      db_int8((int64_t)act_number(act))};
    return db_run(db, "insert into life_payout (seat, currency, act) values ($1, $2, $3)", params,
                  3, NULL);
}

// Parts of which something was taken back after they had been paid stand otherwise now: their
// orders are those that clawbacks were booked on.
enum status
life_paid_back(struct db *db, const struct act *act, uint32_t seat, struct currency currency,
               uint64_t payout_act)
{
    static const char todo[] =
        "insert into life_todo (order_id, effective_us)"
        " select distinct t.group_id, $4::bigint from transfer_kept t"
        " where t.kind in ('clawback', 'dispute') and t.state = 'posted' and t.currency = $2"
        " and t.log = 0 and t.batch > $3 and (t.debit = $1 or t.credit = $1)"
        " and exists (select 1 from life_lock l where l.order_id = t.group_id)"
        " on conflict do nothing";
    struct account clawback = {.code = ACCOUNT_CLAWBACK, .seat = seat};
    const struct db_param params[] = {db_int4((int32_t)seat), db_text(currency.code),
                                      db_int8((int64_t)payout_act),
                                      db_int8((int64_t)act_number(act))};
    enum status status = db_run(db,
                                "insert into life_payout_back (seat, currency, payout_act, act)"
                                " values ($1, $2, $3, $4)",
                                params, 4, NULL);
    const struct db_param of[] = {db_int8(account_number(clawback)), params[1], params[2],
                                  db_time(act_at(act))};
    return status == STATUS_OK ? db_run(db, todo, of, 4, NULL) : status;
}

// --- Orders, for people --------------------------------------------------------------------------

static enum status
read_order(struct db *db, const struct db_rows *rows, size_t i, struct life_order *out)
{
    memset(out, 0, sizeof *out);
    out->order = db_get_id(rows, i, 0);
    snprintf(out->reference, sizeof out->reference, "%s", db_get_text(rows, i, 1));
    snprintf(out->seat, sizeof out->seat, "%s", db_get_text(rows, i, 2));
    memcpy(out->currency.code, db_get_text(rows, i, 3), 3);
    out->amount = db_get_money(rows, i, 4);
    static const char sql[] =
        "select coalesce(d.due_us, l.due_us), l.act is not null,"
        " exists (select 1 from life_extension x where x.order_id = $1)"
        " from (select $1::uuid as order_id) o left join life_due d on d.order_id = o.order_id"
        " left join life_lock l on l.order_id = o.order_id";
    struct db_rows *state = NULL;
    const struct db_param params[] = {db_id(out->order)};
    enum status status = db_query(db, sql, params, 1, &state);
    if (status == STATUS_OK && db_is_null(state, 0, 0)) status = STATUS_AGAIN;
    if (status == STATUS_OK) {
        out->due = db_get_time(state, 0, 0);
        out->locked = db_get_bool(state, 0, 1);
        out->extended = db_get_bool(state, 0, 2);
    }
    db_rows_free(state);
    return status;
}

enum status
life_find(struct db *db, const char *text, const char *seat, struct life_order *out_order)
{
    static const char sql[] =
        "select r.order_id, r.key, coalesce(s.code, r.seat::text), r.currency, r.amount_micros,"
        " r.state from revenue r left join seat s on s.id = r.seat"
        " where r.kind = 'converted' and r.state in ('posted', 'no_share')"
        " and (r.key = $1 or r.order_id = $2) and ($3::text is null or s.code = $3) limit 2";
    struct db_rows *rows = NULL;
    struct id id;
    bool is_id = id_parse(text, strlen(text), &id) == STATUS_OK;
    const struct db_param params[] = {db_text(text), is_id ? db_id(id) : db_null(), db_text(seat)};
    enum status status = db_query(db, sql, params, 3, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK && db_count(rows) > 1) status = STATUS_CONFLICT;
    if (status == STATUS_OK && strcmp(db_get_text(rows, 0, 5), "no_share") == 0)
        status = STATUS_DENIED;
    if (status == STATUS_OK) status = read_order(db, rows, 0, out_order);
    db_rows_free(rows);
    return status;
}

void
life_find_fault(enum status status, const char *text, char fault[LIFE_FAULT])
{
    if (status == STATUS_NOT_FOUND) snprintf(fault, LIFE_FAULT, "there is no order '%.60s'", text);
    else if (status == STATUS_CONFLICT)
        snprintf(fault, LIFE_FAULT,
                 "several orders are called '%.60s'; name the order by its id (slotctl lock list)",
                 text);
    else if (status == STATUS_DENIED)
        snprintf(fault, LIFE_FAULT, "nothing of order '%.60s' is shared with anyone", text);
    else if (status == STATUS_AGAIN)
        snprintf(fault, LIFE_FAULT, "order '%.60s' was booked this moment; try again", text);
}

static enum status
extend(struct db *db, struct life_order *order, uint32_t days, const char *reason,
       const char *author, usec now)
{
    struct act *act = NULL;
    char text[ID_TEXT];
    enum status status = act_begin(db, "extend", author, "", now, &act);
    if (status != STATUS_OK) return status;
    struct db_rows *rows = NULL;
    const struct db_param of[] = {db_id(order->order)};
    status = db_query(db,
                      "select d.due_us, exists (select 1 from life_extension x"
                      " where x.order_id = d.order_id) from life_due d where d.order_id = $1",
                      of, 1, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_DENIED;
    if (status == STATUS_OK && db_get_bool(rows, 0, 1)) status = STATUS_EXISTS;
    if (status == STATUS_OK) order->due.us = db_get_int(rows, 0, 0) + (int64_t)days * USEC_DAY;
    db_rows_free(rows);
    const struct db_param params[] = {of[0], db_time(order->due),
                                      db_int8((int64_t)act_number(act))};
    if (status == STATUS_OK)
        status = db_run(db,
                        "insert into life_extension (order_id, due_us, act)"
                        " values ($1, $2, $3)",
                        params, 3, NULL);
    if (status == STATUS_OK)
        status = db_run(db, "update life_due set due_us = $2 where order_id = $1", params, 2, NULL);
    if (status == STATUS_OK) {
        char until[CLOCK_TEXT];
        clock_format(order->due, until);
        id_format(order->order, text);
        act_note(act, "order", text);
        act_note(act, "until", until);
        act_note(act, "reason", reason);
        status = act_end(act);
        act = NULL;
    }
    act_abandon(act);
    return status;
}

enum status
life_extend(struct db *db, struct life_order *order, uint32_t days, const char *reason,
            const char *author, usec now)
{
    if (days == 0 || days > LIFE_EXTENSION || !*reason || strlen(reason) > BOUND_TEXT)
        return STATUS_INPUT;
    enum status status = db_begin(db);
    if (status == STATUS_OK) status = extend(db, order, days, reason, author, now);
    if (status == STATUS_OK) status = db_commit(db);
    if (status != STATUS_OK) db_rollback(db);
    order->extended = status == STATUS_OK || status == STATUS_EXISTS;
    return status;
}
