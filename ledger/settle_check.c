// Steps 2, 3 and 8 of a close: late rows, open holds, exports.
//
// Holds. Those without an end are known from the proof (open_hold), which is made complete before
// the step; a hold of this period or an earlier one lies in a frame before the fence.
//
//  1 A hold was open at the fence when no terminal of this or an earlier period ends it, whatever
//    came later: those are listed, and stay held.
//  2 A hold whose window was over at the fence, and which nothing has ended yet, expires: acts of
//    at most ACT_HOLDS releases, booked in the period that is closed. The window is that of its
//    delivery, or, when it was delivered and waits for what its price is due by, the time within
//    which that must come.
//  3 All watermarks are locked meanwhile; with each hold stands its log's, so that replaying the
//    journal finds what came behind it late.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "act.h"
#include "export_check.h"
#include "fail.h"
#include "proof.h"
#include "settle_inside.h"

#define ACT_HOLDS 5000

// --- Step 2 --------------------------------------------------------------------------------------

enum status
settle_step_late(struct settle *settle)
{
    static const char sql[] =
        "select currency, sum(micros)::bigint, sum(count)::bigint from fold"
        " where period = $1 and late and state = 'posted' group by currency order by currency";
    struct db_rows *rows = NULL;
    struct period next;
    char title[PERIOD_TITLE];
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    if (status == STATUS_OK) {
        int64_t count = 0;
        for (size_t i = 0; i < db_count(rows); i++) {
            count += db_get_int(rows, i, 2);
            fprintf(settle->record, "late %s %" PRId64 " %" PRId64 "\n", db_get_text(rows, i, 0),
                    db_get_int(rows, i, 2), db_get_int(rows, i, 1));
        }
        if (count > 0)
            settle_say(settle, "%" PRId64 " transfers of earlier periods are in it: ", count);
        else settle_say(settle, "none of earlier periods");
        settle_amounts(settle, rows, 1, 2);
        period_next(settle->period, &next);
        period_title(&next, title);
        settle_say(settle, "; later facts go to %s", title);
    }
    db_rows_free(rows);
    return settle_db_fault(settle, status, "listing late rows");
}

// --- Step 3 --------------------------------------------------------------------------------------

enum status
settle_before_holds(struct settle *settle)
{
    struct proof_report report;
    usec began = clock_monotonic();
    enum status status = proof_rest(settle->db, settle->options->now, &report);
    settle->apart_us += clock_monotonic().us - began.us;
    if (status == STATUS_CONFLICT && report.fault[0] != '\0')
        return settle_fault(settle, status, "%s", report.fault);
    return settle_db_fault(settle, status, "proving what is booked");
}

// Rule 2, the holds of one act. Columns of the hold, then its log's watermark and its window's end.
static enum status
find_over(struct settle *settle, struct db_rows **out_rows)
{
    static const char sql[] =
        "select t.transfer_id, h.terminal_id, t.placement_id, t.group_id, t.currency, t.debit,"
        "  t.credit, t.amount_micros, coalesce(t.seat, 0), coalesce(t.contract, 0),"
        "  coalesce(t.slot, 0), coalesce(t.message, 0), coalesce(t.objectives, 0),"
        "  coalesce(t.rung, (-1)::smallint), coalesce(o.rung, (-1)::smallint), h.log, w.batch,"
        "  coalesce(d.at_us + $3, o.expires_us), d.at_us is not null"
        " from open_hold h join outcome o on o.placement_id = h.placement_id"
        " join watermark w on w.log = h.log"
        " join transfer_by_id t on t.transfer_id = h.transfer_id"
        " left join lateral (select min(e.at_us) as at_us from event e"
        "   where e.placement_id = h.placement_id and e.kind = 'delivered'"
        "   and e.state = 'posted' having count(*) > 0) d on true"
        " where h.period <= $1 and o.expires_us > 0 and coalesce(d.at_us + $3, o.expires_us) <= $2"
        "  and not exists (select 1 from transfer_key k where k.transfer_id = h.terminal_id)"
        " order by h.log, h.batch, h.placement_id limit $4";
    const struct db_param params[] = {db_text(settle->period->name), db_time(settle->fenced_at),
                                      db_int8(BOUND_RESPONSE_DAYS * USEC_DAY), db_int8(ACT_HOLDS)};
    return db_query(settle->db, sql, params, 4, out_rows);
}

static void
release(struct settle *settle, struct act *act, const struct db_rows *rows, size_t row)
{
    const struct period *period = settle->period;
    struct transfer one = {
        .id = db_get_id(rows, row, 1),
        .pending = db_get_id(rows, row, 0),
        .placement = db_get_id(rows, row, 2),
        .group = db_get_id(rows, row, 3),
        .kind = TRANSFER_RELEASE,
        .state = TRANSFER_VOIDED,
        .debit = account_of_number(db_get_int(rows, row, 5)),
        .credit = account_of_number(db_get_int(rows, row, 6)),
        .amount = db_get_money(rows, row, 7),
        .seat = (uint32_t)db_get_int(rows, row, 8),
        .contract = (uint32_t)db_get_int(rows, row, 9),
        .slot = (uint32_t)db_get_int(rows, row, 10),
        .message = (uint32_t)db_get_int(rows, row, 11),
        .objectives = (uint16_t)db_get_int(rows, row, 12),
        .rung = (int8_t)db_get_int(rows, row, 13),
        .won_rung = (int8_t)db_get_int(rows, row, 14),
        .effective = db_get_time(rows, row, 17),
        .reason = db_get_bool(rows, row, 18) ? "lapsed" : "expired",
    };
    CHECK(currency_parse(db_get_text(rows, row, 4), db_get_len(rows, row, 4), &one.currency) ==
          STATUS_OK);
    if (one.effective.us >= period->until.us) one.effective.us = period->until.us - 1;
    one.late = one.effective.us < period->from.us;
    memcpy(one.period, period->name, sizeof one.period);
    act_transfer(act, &one);
}

static enum status
keep_expiries(struct settle *settle, const struct db_rows *rows, uint64_t act)
{
    static const char sql[] =
        "insert into hold_expiry (placement_id, log, batch, act)"
        " select p.id, w.log, w.batch, $3 from unnest($1::uuid[], $2::integer[]) p (id, log)"
        " join watermark w on w.log = p.log";
    size_t count = db_count(rows);
    struct id *placements = arena_take(settle->arena, count, sizeof *placements);
    int32_t *logs = arena_take(settle->arena, count, sizeof *logs);
    for (size_t i = 0; i < count; i++) {
        placements[i] = db_get_id(rows, i, 2);
        logs[i] = (int32_t)db_get_int(rows, i, 15);
    }
    const struct db_param params[] = {db_id_array(placements, count), db_int4_array(logs, count),
                                      db_int8((int64_t)act)};
    return db_run(settle->db, sql, params, 3, NULL);
}

// Up to where every log was booked: what comes behind it is late.
static void
note_marks(struct act *act, const struct db_rows *marks)
{
    for (size_t i = 0; i < db_count(marks); i++) {
        char text[64];
        snprintf(text, sizeof text, "%" PRId64 " batch %" PRId64, db_get_int(marks, i, 0),
                 db_get_int(marks, i, 1));
        act_note(act, "log", text);
    }
}

// Expires what is over, act by act; `out_count` holds of all currencies.
static enum status
expire(struct settle *settle, size_t *out_count)
{
    struct db_rows *marks = NULL;
    enum status status = db_query(
        settle->db, "select log, batch from watermark order by log for update", NULL, 0, &marks);
    for (bool more = true; status == STATUS_OK && more;) {
        struct db_rows *rows = NULL;
        struct act *act = NULL;
        status = find_over(settle, &rows);
        more = status == STATUS_OK && db_count(rows) > 0;
        if (more)
            status = act_begin(settle->db, "expire", SETTLE_AUTHOR, "", settle->fenced_at, &act);
        if (more && status == STATUS_OK) {
            uint64_t number = act_number(act);
            act_note(act, "period", settle->period->name);
            note_marks(act, marks);
            for (size_t i = 0; i < db_count(rows); i++) release(settle, act, rows, i);
            *out_count += db_count(rows);
            status = keep_expiries(settle, rows, number);
            if (status == STATUS_OK) status = act_end(act);
            else act_abandon(act);
        }
        more = more && db_count(rows) == ACT_HOLDS;
        db_rows_free(rows);
    }
    db_rows_free(marks);
    return settle_db_fault(settle, status, "ending holds whose window is over");
}

// Rule 1.
static enum status
list_open(struct settle *settle)
{
    static const char sql[] =
        "select h.currency, sum(h.micros)::bigint, count(*) from open_hold h"
        " where h.period <= $1 and (not exists ("
        "   select 1 from transfer_key k where k.transfer_id = h.terminal_id)"
        "  or exists (select 1 from transfer t where t.pending_id = h.transfer_id"
        "   and t.period > $1))"
        " group by h.currency order by h.currency";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    if (status == STATUS_OK) {
        int64_t count = 0;
        for (size_t i = 0; i < db_count(rows); i++) {
            count += db_get_int(rows, i, 2);
            fprintf(settle->record, "open %s %" PRId64 " %" PRId64 "\n", db_get_text(rows, i, 0),
                    db_get_int(rows, i, 2), db_get_int(rows, i, 1));
        }
        if (count > 0) settle_say(settle, "%" PRId64 " open, not counted: ", count);
        else settle_say(settle, "none open");
        settle_amounts(settle, rows, 1, 2);
    }
    db_rows_free(rows);
    return settle_db_fault(settle, status, "listing open holds");
}

enum status
settle_step_holds(struct settle *settle)
{
    size_t expired = 0;
    enum status status = expire(settle, &expired);
    if (status == STATUS_OK) status = list_open(settle);
    if (expired > 0) {
        fprintf(settle->record, "expired %zu\n", expired);
        settle_say(settle, "; %zu expired, their window was over", expired);
    }
    return status;
}

// --- Step 8 --------------------------------------------------------------------------------------

enum status
settle_before_exports(struct settle *settle)
{
    struct export_check check;
    usec began = clock_monotonic();
    enum status status = export_check(settle->db, settle->period, settle->options->readers, &check);
    settle->apart_us += clock_monotonic().us - began.us;
    if (status == STATUS_CONFLICT || status == STATUS_IO || status == STATUS_NOT_FOUND)
        return settle_fault(settle, status, "%s", check.fault);
    if (status != STATUS_OK) return settle_db_fault(settle, status, "exporting");
    snprintf(settle->detail, sizeof settle->detail, "%s", check.text);
    return STATUS_OK;
}
