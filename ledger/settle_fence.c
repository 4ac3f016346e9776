// Step 1 of a close: the fence, and what must have been booked before it.
//
//  1 The fence locks the watermark of every log, so that the next frame of any log is booked behind
//    it. What a watermark says then is what the period was closed with, and is recorded.
//  2 Of the journal beside us we look ourselves whether everything durable is booked. Of every
//    other log its own ledgerd says so (settle_reports); it must have said it at the end of the
//    period or later, or, of a close before that, after the close began.
//  3 A log that does not report stops the close, unless an operator declares it dead: an act, which
//    says who, why, and up to which frame it had been booked. What its journal holds beyond is not
//    in the books; should it be found, it is booked late. A log that is booked or reports again is
//    alive again.
//  4 Before the fence shares whose validation is over are locked: this falls into the period.
//  5 A first log of which nothing was ever booked is no log: it is only the row that is always
//    there.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "act.h"
#include "fail.h"
#include "journal.h"
#include "life.h"
#include "settle_inside.h"

#define ALIVE_US (60 * USEC_SECOND)  // who reported within it is not dead

static uint32_t
own_log(const struct settle *settle)
{
    return settle->options->log != 0 ? settle->options->log : 1;
}

// --- Reports -------------------------------------------------------------------------------------

enum status
settle_reports(struct db *db, uint32_t log, uint64_t booked, usec now)
{
    const struct db_param params[] = {db_int4((int32_t)log), db_int8((int64_t)booked),
                                      db_time(now)};
    return db_run(db, "update watermark set reported_us = $3 where log = $1 and batch = $2", params,
                  3, NULL);
}

// --- Dead ones -----------------------------------------------------------------------------------

// (batch, digest as hex, reported_us, declared already) of the log, locked.
static enum status
lock_dead(struct settle *settle, struct db_rows **out_rows)
{
    static const char sql[] =
        "select w.batch, encode(w.digest, 'hex'), w.reported_us, exists ("
        "  select 1 from dead_log d where d.log = w.log and d.batch = w.batch"
        "  and d.at_us > w.reported_us) from watermark w where w.log = $1 for update";
    const struct db_param params[] = {db_int4((int32_t)settle->options->dead.log)};
    return settle_db_fault(settle, db_query(settle->db, sql, params, 1, out_rows),
                           "looking for the log");
}

static enum status
may_be_dead(struct settle *settle, const struct db_rows *rows)
{
    uint32_t log = settle->options->dead.log;
    if (db_count(rows) == 0)
        return settle_fault(settle, STATUS_DENIED,
                            "there is no log %u; those that are booked here stand in the table "
                            "watermark",
                            log);
    if (log == own_log(settle))
        return settle_fault(settle, STATUS_DENIED,
                            "log %u is the journal of this market directory and is not dead; see "
                            "slotctl status",
                            log);
    int64_t ago = settle->options->now.us - db_get_int(rows, 0, 2);
    if (ago < ALIVE_US)
        return settle_fault(settle, STATUS_DENIED,
                            "log %u reported %" PRId64 " seconds ago, so it is not dead; close "
                            "without --dead",
                            log, (int64_t)(ago > 0 ? ago / USEC_SECOND : 0));
    return STATUS_OK;
}

static enum status
record_dead(struct settle *settle, const struct db_rows *rows)
{
    static const char sql[] = "insert into dead_log (log, batch, at_us, act) values ($1, $2, $3, "
                              "$4)";
    const struct settle_dead *dead = &settle->options->dead;
    struct act *act = NULL;
    char text[24];
    enum status status = act_begin(settle->db, "dead", dead->by, "", settle->options->now, &act);
    if (status != STATUS_OK) return settle_db_fault(settle, status, "declaring the log dead");
    const struct db_param params[] = {db_int4((int32_t)dead->log), db_int8(db_get_int(rows, 0, 0)),
                                      db_time(settle->options->now),
                                      db_int8((int64_t)act_number(act))};
    snprintf(text, sizeof text, "%u", dead->log);
    act_note(act, "log", text);
    snprintf(text, sizeof text, "%" PRId64, db_get_int(rows, 0, 0));
    act_note(act, "batch", text);
    act_note(act, "digest", db_get_text(rows, 0, 1));
    act_note(act, "period", settle->period->name);
    act_note(act, "reason", dead->reason);
    status = db_run(settle->db, sql, params, 4, NULL);
    if (status == STATUS_OK) status = act_end(act);
    else act_abandon(act);
    return settle_db_fault(settle, status, "declaring the log dead");
}

static enum status
declare_dead(struct settle *settle)
{
    struct db_rows *rows = NULL;
    enum status status = settle_db_fault(settle, db_begin(settle->db), "beginning");
    if (status == STATUS_OK) status = lock_dead(settle, &rows);
    if (status == STATUS_OK && (db_count(rows) == 0 || !db_get_bool(rows, 0, 3))) {
        status = may_be_dead(settle, rows);
        if (status == STATUS_OK) status = record_dead(settle, rows);
    }
    db_rows_free(rows);
    if (status == STATUS_OK) status = settle_db_fault(settle, db_commit(settle->db), "committing");
    if (status != STATUS_OK) db_rollback(settle->db);
    return status;
}

enum status
settle_before_fence(struct settle *settle)
{
    struct life_report life = {.more = true};
    enum status status = settle->options->dead.log != 0 ? declare_dead(settle) : STATUS_OK;
    while (status == STATUS_OK && life.more)
        status = settle_db_fault(settle, life_turn(settle->db, settle->options->now, &life),
                                 "locking shares whose validation is over");
    return status;
}

// --- The fence -----------------------------------------------------------------------------------

// Rule 1.
static enum status
lock_watermarks(struct settle *settle, struct db_rows **out_rows)
{
    static const char sql[] =
        "select w.log, w.epoch, w.batch, encode(w.digest, 'hex'), w.reported_us, coalesce(("
        "  select max(d.act) from dead_log d where d.log = w.log and d.batch = w.batch"
        "  and d.at_us > w.reported_us), 0)::bigint from watermark w order by w.log";
    enum status status = db_run(
        settle->db, "update period_gate set fences = fences + 1 where gate = 1", NULL, 0, NULL);
    if (status == STATUS_OK)
        status = db_run(settle->db, "update watermark set fences = fences + 1", NULL, 0, NULL);
    if (status == STATUS_OK) status = db_query(settle->db, sql, NULL, 0, out_rows);
    return settle_db_fault(settle, status, "fencing");
}

// Names and terms on statements are those of the market at the fence.
static enum status
record_market(struct settle *settle)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(settle->db, "select version from market_now", NULL, 0, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        fprintf(settle->record, "market %" PRId64 "\n", db_get_int(rows, i, 0));
    db_rows_free(rows);
    return settle_db_fault(settle, status, "reading the market's version");
}

// Rule 2, of another log.
static enum status
has_reported(struct settle *settle, uint32_t log, uint64_t batch, usec reported)
{
    const struct settle_options *options = settle->options;
    usec cut = options->now.us < settle->period->until.us ? options->now : settle->period->until;
    if (reported.us >= cut.us) return STATUS_OK;
    char when[CLOCK_TEXT] = "never";
    if (reported.us > 0) clock_format(reported, when);
    return settle_fault(settle, STATUS_AGAIN,
                        "log %u has not reported since the period's end (last: %s; booked up to "
                        "batch %" PRIu64
                        "): start its ledgerd (slotctl up on its node), then close again; if that "
                        "node is lost for good: slotctl close %s --dead %u --by NAME --reason TEXT",
                        log, when, batch, settle->period->name, log);
}

static enum status
take_log(struct settle *settle, const struct db_rows *rows, size_t row, uint64_t durable)
{
    uint32_t log = (uint32_t)db_get_int(rows, row, 0);
    uint64_t batch = (uint64_t)db_get_int(rows, row, 2);
    int64_t dead = db_get_int(rows, row, 5);
    if (log == own_log(settle)) {
        if (batch < durable)
            return settle_fault(settle, STATUS_AGAIN,
                                "the ledger has booked batch %" PRIu64 " of %" PRIu64
                                "; is ledgerd running? slotctl status tells; then close again",
                                batch, durable);
        dead = 0;
    } else if (log == 1 && batch == 0 && db_get_int(rows, row, 4) == 0) {
        return STATUS_OK;  // rule 5
    } else if (dead == 0) {
        enum status status = has_reported(settle, log, batch, db_get_time(rows, row, 4));
        if (status != STATUS_OK) return status;
    }
    fprintf(settle->record, "log %u epoch %" PRId64 " batch %" PRIu64 " digest %s", log,
            db_get_int(rows, row, 1), batch, db_get_text(rows, row, 3));
    if (dead != 0) fprintf(settle->record, " dead %" PRId64, dead);
    fputc('\n', settle->record);
    if (settle->detail[0] != '\0') settle_say(settle, ", ");
    if (log == own_log(settle) && db_count(rows) == 1)
        settle_say(settle, "journal booked up to batch %" PRIu64, batch);
    else
        settle_say(settle, "log %u %s up to batch %" PRIu64, log,
                   dead != 0 ? "declared dead, booked" : "booked", batch);
    return STATUS_OK;
}

enum status
settle_step_fence(struct settle *settle)
{
    char path[1024];
    uint64_t durable = 0;
    snprintf(path, sizeof path, "%s/journal", settle->options->directory);
    enum status status = journal_durable(path, &durable);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return settle_fault(settle, status, "the journal in %s cannot be read (%s): %s", path,
                            status_text(status), strerror(errno));
    struct db_rows *rows = NULL;
    status = lock_watermarks(settle, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        status = take_log(settle, rows, i, durable);
    db_rows_free(rows);
    if (status == STATUS_OK) status = record_market(settle);
    if (status != STATUS_OK) return status;
    fputs("statements 2\n", settle->record);  // how they are computed and printed
    settle_say(settle, "; what comes now falls into the next period");
    return STATUS_OK;
}
