// The proof as it goes.
//
// A stretch is the frames of one log from the last one proven (exclusive) to some later one that is
// booked. What its facts make due (view due_part) is compared with what its transfers come to (view
// booked_part), placement by placement and order by order. Both views say for each amount which
// fact it belongs to, so stretches can be compared one after the other, and together they say what
// the view `unexplained` says of everything.
//
//  1 Stretches of a log follow each other without gap or overlap: the key of `proof` is (log,
//    from_batch), and from_batch is where the last one ended.
//  2 A stretch with a difference is not recorded; it is proven again next time, and nothing behind
//    it is proven before.
//  3 The work of a turn is bounded: a stretch has at most STRETCH_FACTS facts, or one frame.
//  4 With a stretch come, counted from its rows, what its facts count for on statements
//    (proof_count), what its transfers come to (proof_sum), and its holds that have no end yet
//    (open_hold), which is what a close needs of them.
//  5 An ended hold is known by the key of its terminal, which is derived from its own. Rows of
//    ended holds are taken out of open_hold, but not while a period is being closed: the close
//    lists those that were open at its fence, whatever has ended them since.
//  6 Two that prove at the same time meet at the key of rule 1; the second finds it done.
//  7 A stretch is a small part of large tables whose statistics are of before it was booked, so
//    rows that belong together are looked up by their keys, whatever the planner believes.
#include "proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "proof_inside.h"

#define STRETCH_FACTS 32768
#define STRETCH_AGE (60 * USEC_SECOND)  // an older frame is proven although few have come

struct stretch {
    int32_t log;
    int64_t from, upto;
    bool whole;  // more could follow, or it is old: worth a transaction
};

// --- Which one -----------------------------------------------------------------------------------

// The log that is farthest behind.
static enum status
find_log(struct db *db, struct stretch *out)
{
    static const char sql[] =
        "select w.log, coalesce(p.upto, 0)::bigint from watermark w"
        " left join (select log, max(upto) as upto from proof group by log) p on p.log = w.log"
        " where w.batch > coalesce(p.upto, 0) and exists (select 1 from frame f"
        "  where f.log = w.log and f.batch > coalesce(p.upto, 0))"
        " order by w.batch - coalesce(p.upto, 0) desc, w.log"
        " limit 1";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        out->log = (int32_t)db_get_int(rows, 0, 0);
        out->from = db_get_int(rows, 0, 1);
    }
    db_rows_free(rows);
    return status;
}

// Rule 3. STATUS_NOT_FOUND: nothing to prove.
static enum status
find_stretch(struct db *db, usec now, struct stretch *out)
{
    static const char sql[] =
        "with next as (select batch, facts, at_us from frame where log = $1 and batch > $2"
        "  order by batch limit 1025),"
        " run as (select batch, at_us, sum(facts) over (order by batch) as sum from next)"
        " select coalesce(max(batch) filter (where sum <= $3 or batch = $2 + 1), 0)::bigint,"
        "  count(*) filter (where sum > $3), coalesce(min(at_us), 0)::bigint, count(*) from run";
    struct db_rows *rows = NULL;
    enum status status = find_log(db, out);
    if (status != STATUS_OK) return status;
    const struct db_param params[] = {db_int4(out->log), db_int8(out->from),
                                      db_int8(STRETCH_FACTS)};
    status = db_query(db, sql, params, 3, &rows);
    if (status == STATUS_OK) {
        out->upto = db_get_int(rows, 0, 0);
        out->whole = db_get_int(rows, 0, 1) > 0 || db_get_int(rows, 0, 3) > 1024 ||
                     db_get_int(rows, 0, 2) < now.us - STRETCH_AGE;
        if (out->upto <= out->from) status = STATUS_NOT_FOUND;
    }
    db_rows_free(rows);
    return status;
}

// --- What is due and what is booked --------------------------------------------------------------

#define STRETCH "log = $1 and batch > $2 and batch <= $3"

static enum status
compare(struct db *db, const struct stretch *stretch, struct proof_report *report)
{
    static const char sql[] =
        "select what, coalesce(id::text, 'none'), currency, sum(due)::bigint, sum(posted)::bigint,"
        "  count(*) over () from ("
        " select what, id, currency, micros as due, 0::numeric as posted from due_part"
        "  where " STRETCH " union all"
        " select what, id, currency, 0::numeric, micros from booked_part where " STRETCH ") b"
        " group by what, id, currency having sum(due) <> sum(posted) order by what desc, id limit "
        "1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4(stretch->log), db_int8(stretch->from),
                                      db_int8(stretch->upto)};
    enum status status = db_query(db, sql, params, 3, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        char expected[MONEY_TEXT], found[MONEY_TEXT];
        money_format(db_get_money(rows, 0, 3), 6, expected);
        money_format(db_get_money(rows, 0, 4), 6, found);
        snprintf(report->fault, sizeof report->fault,
                 "facts against transfers: %" PRId64
                 " differ, first %s %s: expected %s, posted %s %s; "
                 "slotctl verify names the cause",
                 db_get_int(rows, 0, 5), db_get_text(rows, 0, 0), db_get_text(rows, 0, 1), expected,
                 found, db_get_text(rows, 0, 2));
        status = STATUS_CONFLICT;
    }
    db_rows_free(rows);
    return status;
}

// Rule 1. STATUS_EXISTS: another one was faster.
static enum status
record(struct db *db, const struct stretch *stretch, usec now, struct proof_report *report)
{
    static const char sql[] =
        "insert into proof (log, from_batch, upto, placements, orders, at_us)"
        " select $1, $2, $3, count(distinct id) filter (where what = 'placement'),"
        "  count(distinct id) filter (where what = 'order'), $4 from booked_part where " STRETCH
        " on conflict (log, from_batch) do nothing returning placements, orders";
    static const char counts[] =
        "insert into proof_count (log, from_batch, period, seat, currency, section, slot, message,"
        "  rung, won, delivered, ended, converted, refunded, revenue)"
        " select $1, $2, period, seat, currency, section, slot, message, rung, sum(won),"
        "  sum(delivered), sum(ended), sum(converted), sum(refunded), sum(revenue_micros)"
        " from count_part where " STRETCH
        " group by period, seat, currency, section, slot, message, rung";
    static const char sums[] =
        "insert into proof_sum (log, from_batch, period, transfers, weighed)"
        " select $1, $2, period, count(*), sum(amount_micros * " PROOF_WEIGHT(
            "effective_us / 86400000000") ")"
                                          " from transfer where " STRETCH " group by period";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4(stretch->log), db_int8(stretch->from),
                                      db_int8(stretch->upto), db_time(now)};
    enum status status = db_query(db, sql, params, 4, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_EXISTS;
    if (status == STATUS_OK) {
        report->placements += (uint64_t)db_get_int(rows, 0, 0);
        report->orders += (uint64_t)db_get_int(rows, 0, 1);
        status = db_run(db, counts, params, 3, NULL);
        if (status == STATUS_OK) status = db_run(db, sums, params, 3, NULL);
    }
    db_rows_free(rows);
    return status;
}

// --- Open holds ----------------------------------------------------------------------------------

static bool
holds_id(const struct db_rows *rows, struct id id)
{
    size_t low = 0, high = db_count(rows);  // sorted
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct id is = db_get_id(rows, middle, 0);
        int order = memcmp(is.bytes, id.bytes, sizeof id.bytes);
        if (order == 0) return true;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return false;
}

static enum status
insert_holds(struct db *db, const struct db_rows *holds, const struct id *terminals,
             const struct db_rows *ended)
{
    enum status status = db_copy_begin(
        db, "open_hold (placement_id, transfer_id, terminal_id, period, currency, micros, log,"
            " batch)");
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < db_count(holds); i++) {
        if (holds_id(ended, terminals[i])) continue;
        db_copy_row(db, 8);
        db_copy_id(db, db_get_id(holds, i, 1));
        db_copy_id(db, db_get_id(holds, i, 0));
        db_copy_id(db, terminals[i]);
        db_copy_text(db, db_get_text(holds, i, 2), db_get_len(holds, i, 2));
        db_copy_text(db, db_get_text(holds, i, 3), db_get_len(holds, i, 3));
        db_copy_int8(db, db_get_int(holds, i, 4));
        db_copy_int4(db, (int32_t)db_get_int(holds, i, 5));
        db_copy_int8(db, db_get_int(holds, i, 6));
    }
    return db_copy_end(db, NULL);
}

// Of these terminals those that count: behind a fence whose close is at work, none.
static const char ended_sql[] =
    "select k.transfer_id from transfer_key k"
    " left join transfer t on t.log = k.log and t.batch = k.batch and t.idx = k.idx"
    "  and t.transfer_id = k.transfer_id and t.period > (select coalesce(max(f.period), '~')"
    "   from period_event f"
    "   where f.step = 1 and not exists ("
    "    select 1 from period_event e where e.period = f.period and e.step = 9))"
    " where k.transfer_id = any($1) and t.transfer_id is null order by k.transfer_id";

// Rules 4 and 5.
static enum status
keep_holds(struct db *db, const struct stretch *stretch)
{
    static const char sql[] =
        "select transfer_id, placement_id, period, currency, amount_micros, log, batch"
        " from transfer where " STRETCH " and state = 'pending' and placement_id is not null";
    struct db_rows *holds = NULL, *ended = NULL;
    const struct db_param params[] = {db_int4(stretch->log), db_int8(stretch->from),
                                      db_int8(stretch->upto)};
    enum status status = db_query(db, sql, params, 3, &holds);
    size_t count = status == STATUS_OK ? db_count(holds) : 0;
    struct id *terminals = calloc(count + 1, sizeof *terminals);
    CHECK(terminals != NULL);
    for (size_t i = 0; i < count; i++) {
        struct id hold = db_get_id(holds, i, 0);
        terminals[i] = hash_id("terminal", hold.bytes, sizeof hold.bytes);
    }
    const struct db_param wanted[] = {db_id_array(terminals, count)};
    if (count > 0) status = db_query(db, ended_sql, wanted, 1, &ended);
    if (status == STATUS_OK && count > 0) status = insert_holds(db, holds, terminals, ended);
    free(terminals);
    db_rows_free(holds);
    db_rows_free(ended);
    return status;
}

// Rule 7.
static const char lookups[] =
    "set local random_page_cost = 1.1; set local max_parallel_workers_per_gather = 0;"
    " set local enable_hashjoin = off; set local enable_mergejoin = off;"
    " set local enable_seqscan = off; set local work_mem = '32MB'";

// Those that the stretch ended, and of the list some more, from anywhere in it: those that an act
// ended or that ended during a close.
static enum status
forget_ended_holds(struct db *db, const struct stretch *stretch)
{
    static const char sql[] =
        "with seen as (select placement_id from transfer where " STRETCH
        "   and pending_id is not null"
        "  union (select placement_id from open_hold where placement_id >= $4"
        "   order by placement_id limit 1000)"
        "  union (select placement_id from open_hold where placement_id < $4"
        "   order by placement_id limit 1000))"
        " delete from open_hold h using seen s where h.placement_id = s.placement_id"
        " and exists (select 1 from transfer_key k where k.transfer_id = h.terminal_id)"
        " and not exists (select 1 from period_event f where f.step = 1 and not exists ("
        "  select 1 from period_event e where e.period = f.period and e.step = 9))";
    const struct db_param params[] = {
        db_int4(stretch->log), db_int8(stretch->from), db_int8(stretch->upto),
        db_id(hash_id("forget", &stretch->upto, sizeof stretch->upto))};
    enum status status = db_begin(db);
    if (status == STATUS_OK) status = db_script(db, lookups);
    if (status == STATUS_OK) status = db_run(db, sql, params, 4, NULL);
    if (status == STATUS_OK) status = db_commit(db);
    if (status != STATUS_OK) db_rollback(db);
    return status == STATUS_DENIED ? STATUS_OK : status;  // only ledgerd's role tidies up
}

// --- A turn --------------------------------------------------------------------------------------

static enum status
prove(struct db *db, const struct stretch *stretch, usec now, struct proof_report *report)
{
    enum status status = db_begin(db);
    if (status == STATUS_OK) status = db_script(db, lookups);
    if (status == STATUS_OK) status = record(db, stretch, now, report);
    if (status == STATUS_OK) status = compare(db, stretch, report);
    if (status == STATUS_OK) status = keep_holds(db, stretch);
    if (status == STATUS_OK) status = db_commit(db);
    if (status != STATUS_OK) db_rollback(db);
    return status == STATUS_EXISTS ? STATUS_OK : status;
}

enum status
proof_turn(struct db *db, usec now, struct proof_report *out_report)
{
    struct stretch stretch = {0};
    memset(out_report, 0, sizeof *out_report);
    enum status status = find_stretch(db, now, &stretch);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && !stretch.whole)) return STATUS_OK;
    if (status == STATUS_OK) status = prove(db, &stretch, now, out_report);
    if (status == STATUS_OK) status = forget_ended_holds(db, &stretch);
    out_report->more = status == STATUS_OK;
    return status;
}

enum status
proof_rest(struct db *db, usec now, struct proof_report *out_report)
{
    struct stretch stretch = {0};
    memset(out_report, 0, sizeof *out_report);
    enum status status = find_stretch(db, now, &stretch);
    for (unsigned lost = 0; status == STATUS_OK;) {
        status = prove(db, &stretch, now, out_report);
        if (status == STATUS_AGAIN && ++lost < 10) status = STATUS_OK;
        if (status == STATUS_OK) status = find_stretch(db, now, &stretch);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status
proof_behind(struct db *db, uint64_t *out_frames)
{
    static const char sql[] =
        "select coalesce(sum(w.batch - coalesce(p.upto, 0)), 0)::bigint from watermark w"
        " left join (select log, max(upto) as upto from proof group by log) p on p.log = w.log";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    *out_frames = status == STATUS_OK ? (uint64_t)db_get_int(rows, 0, 0) : 0;
    db_rows_free(rows);
    return status;
}
