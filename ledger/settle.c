// The close of a period: a list of steps, each done and recorded in one transaction.
//
//  1 A step's row in period_event and what the step wrote are committed together, so a crash leaves
//    a step done or not begun, and the next call goes on with the first one that has no row.
//  2 Two closes at once take turns: each step locks one row first, and then looks whether the other
//    one has done it; if so, it takes over what was recorded.
//  3 A step that finds the books wrong records nothing, and says which rows; it runs again next
//    time.
//  4 Steps depend on the fence and on rows of this period and earlier ones alone, which nothing can
//    change any more; the same call later finds the same. What a step does before its transaction
//    (proofs, fits, locks, other programs) is done in transactions of its own, and does nothing the
//    second time.
//  5 What each step found for programs (`record`) is part of the close: the journal's head at the
//    fence, the amounts billed, the text whose SHA-256 is the root.
#include "settle.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fail.h"
#include "settle_inside.h"

static const struct step {
    const char *name;
    enum status (*before)(struct settle *settle);  // NULL: nothing
    enum status (*run)(struct settle *settle);     // NULL: nothing
} steps[SETTLE_STEPS] = {
    {"fence", settle_before_fence, settle_step_fence},
    {"late rows", NULL, settle_step_late},
    {"open holds", settle_before_holds, settle_step_holds},
    {"trial balance", NULL, settle_step_balance},
    {"statements", settle_before_statements, settle_step_statements},
    {"bill", NULL, settle_step_bill},
    {"root", NULL, settle_step_root},
    {"exports", settle_before_exports, NULL},
    {"closed", NULL, settle_step_closed},
};

enum status
settle_fault(struct settle *settle, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(settle->report->fault, sizeof settle->report->fault, format, arguments);
    va_end(arguments);
    return status;
}

enum status
settle_db_fault(struct settle *settle, enum status status, const char *doing)
{
    if (status == STATUS_OK) return status;
    return settle_fault(settle, status, "%s: %s", doing, db_fault(settle->db)->text);
}

void
settle_say(struct settle *settle, const char *format, ...)
{
    size_t used = strlen(settle->detail);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(settle->detail + used, sizeof settle->detail - used, format, arguments);
    va_end(arguments);
}

void
settle_amounts(struct settle *settle, const struct db_rows *rows, size_t column, unsigned decimals)
{
    for (size_t i = 0; i < db_count(rows); i++) {
        char text[MONEY_TEXT];
        money_format(db_get_money(rows, i, column), decimals, text);
        settle_say(settle, "%s%s %s", i == 0 ? "" : ", ", text, db_get_text(rows, i, 0));
    }
}

const char *
settle_hex(struct arena *arena, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    char *text = arena_take(arena, 2 * len + 1, 1);
    for (size_t i = 0; i < len; i++) snprintf(text + 2 * i, 3, "%02x", from[i]);
    return text;
}

static void
tell(struct settle *settle, int number, const char *detail, bool earlier, usec began)
{
    struct settle_step step = {.number = number,
                               .name = steps[number - 1].name,
                               .earlier = earlier,
                               .took_us = earlier ? 0 : clock_monotonic().us - began.us,
                               .apart_us = earlier ? 0 : settle->apart_us};
    snprintf(step.detail, sizeof step.detail, "%s", detail);
    settle->report->done = number;
    if (number == 7) snprintf(settle->report->root, sizeof settle->report->root, "%s", detail);
    if (settle->options->told != NULL) settle->options->told(settle->options->context, &step);
}

// Takes over what is recorded after step `done`.
static enum status
take_recorded(struct settle *settle)
{
    static const char sql[] = "select step, detail, at_us from period_event"
                              " where period = $1 and step > $2 order by step";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name), db_int4(settle->report->done)};
    enum status status = db_query(settle->db, sql, params, 2, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        int number = (int)db_get_int(rows, i, 0);
        if (number != settle->report->done + 1) {
            db_rows_free(rows);
            return settle_fault(settle, STATUS_DAMAGED, "step %d of %s is not recorded, step %d is",
                                settle->report->done + 1, settle->period->name, number);
        }
        if (number == 1) settle->fenced_at = (usec){db_get_int(rows, i, 2)};
        tell(settle, number, db_get_text(rows, i, 1), true, (usec){0});
    }
    db_rows_free(rows);
    return settle_db_fault(settle, status, "reading the steps done");
}

// Waits for its turn among closes. STATUS_EXISTS: another one did this step meanwhile.
static enum status
take_turn(struct settle *settle, int number)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name), db_int4(number)};
    enum status status = db_run(
        settle->db, "select gate from period_gate where gate = 2 for update", NULL, 0, NULL);
    if (status == STATUS_OK)
        status = db_query(settle->db, "select 1 from period_event where period = $1 and step = $2",
                          params, 2, &rows);
    bool recorded = status == STATUS_OK && db_count(rows) > 0;
    db_rows_free(rows);
    return recorded ? STATUS_EXISTS : settle_db_fault(settle, status, "waiting for another close");
}

static enum status
record_step(struct settle *settle, int number, const char *record)
{
    static const char sql[] =
        "insert into period_event (period, step, name, from_us, until_us, at_us, detail, record)"
        " select $1, $2, $3, $4, $5, greatest($6::bigint, coalesce(max(at_us) + 1, 0)), $7, $8"
        " from period_event";
    const struct db_param params[] = {
        db_text(settle->period->name),     db_int4(number),
        db_text(steps[number - 1].name),   db_int8(settle->period->from.us),
        db_int8(settle->period->until.us), db_time(settle->options->now),
        db_text(settle->detail),           db_text(record),
    };
    return settle_db_fault(settle, db_run(settle->db, sql, params, 8, NULL), "recording the step");
}

// Periods are closed in order, since each root names the one before: an earlier one that is booked
// in or begun comes first, and behind a later one an empty month stays empty.
static enum status
comes_next(struct settle *settle)
{
    static const char sql[] =
        "select coalesce(min(p.period) filter (where p.period < $1 and not exists ("
        "  select 1 from period_event e where e.period = p.period and e.step = 9)), ''),"
        " coalesce(max(p.period) filter (where p.period > $1 and p.begun), '')"
        " from (select distinct period, false as begun from fold"
        "  union all select period, true from period_event where step = 1) p";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    if (status == STATUS_OK && db_get_len(rows, 0, 0) > 0)
        status = settle_fault(settle, STATUS_DENIED,
                              "%s is still open and comes first: slotctl close %s",
                              db_get_text(rows, 0, 0), db_get_text(rows, 0, 0));
    else if (status == STATUS_OK && db_get_len(rows, 0, 1) > 0)
        status = settle_fault(settle, STATUS_DENIED,
                              "%s has been closed or fenced already, and nothing is booked in %s;"
                              " a month that was passed over stays empty",
                              db_get_text(rows, 0, 1), settle->period->name);
    else status = settle_db_fault(settle, status, "looking for other periods");
    db_rows_free(rows);
    return status;
}

// What forbids to begin: the period has not begun or not ended, or it is not the next one.
static enum status
may_begin(struct settle *settle)
{
    const struct period *period = settle->period;
    char title[PERIOD_TITLE];
    period_title(period, title);
    if (settle->options->now.us < period->from.us)
        return settle_fault(settle, STATUS_DENIED, "%s has not begun; nothing to close", title);
    if (settle->options->now.us < period->until.us && !settle->options->early) {
        char until[CLOCK_TEXT];
        clock_format(period->until, until);
        until[10] = '\0';
        return settle_fault(
            settle, STATUS_DENIED,
            "%s is not over until %s 00:00 UTC; wait, or close it now with --early: facts of"
            " the rest of it then go to the next period",
            title, until);
    }
    return comes_next(settle);
}

// One attempt at one step. STATUS_EXISTS: another close was faster.
static enum status
attempt(struct settle *settle, int number)
{
    const struct step *step = &steps[number - 1];
    char *record = NULL;
    size_t len = 0;
    settle->detail[0] = '\0';
    settle->apart_us = 0;
    settle->record = open_memstream(&record, &len);
    CHECK(settle->record != NULL);
    enum status status = step->before != NULL ? step->before(settle) : STATUS_OK;
    if (status == STATUS_OK) status = settle_db_fault(settle, db_begin(settle->db), "beginning");
    if (status == STATUS_OK) status = take_turn(settle, number);
    if (status == STATUS_OK && number == 1) status = comes_next(settle);  // in turn, so for good
    if (status == STATUS_OK && step->run != NULL) status = step->run(settle);
    CHECK(fclose(settle->record) == 0);
    if (status == STATUS_OK) status = record_step(settle, number, record);
    if (status == STATUS_OK) status = settle_db_fault(settle, db_commit(settle->db), "committing");
    if (status != STATUS_OK) db_rollback(settle->db);
    free(record);
    return status;
}

static void
nap(int64_t us)
{
    struct timespec wait = {.tv_nsec = us * 1000};
    nanosleep(&wait, NULL);
}

// The fence's time as it was recorded, which may be later than `now` when the clock went back.
static enum status
read_fence_time(struct settle *settle)
{
    static const char sql[] = "select at_us from period_event where period = $1 and step = 1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    if (status == STATUS_OK) settle->fenced_at = (usec){db_get_int(rows, 0, 0)};
    db_rows_free(rows);
    return settle_db_fault(settle, status, "reading the fence");
}

static enum status
run_step(struct settle *settle, int number)
{
    usec began = clock_monotonic(), until = {began.us + settle->options->wait_us};
    enum status status = attempt(settle, number);
    // A lost race is run again in any case; what must be waited for, as long as was asked.
    for (int lost = 0; status == STATUS_AGAIN && (clock_monotonic().us < until.us || lost < 5);
         lost++) {
        if (number == 1 && clock_monotonic().us >= until.us) break;
        nap(100000);
        status = attempt(settle, number);
    }
    if (status == STATUS_EXISTS) {
        status = take_recorded(settle);
        if (status == STATUS_OK && settle->report->done < number)
            status = settle_fault(settle, STATUS_AGAIN, "another close is at work; close again");
        return status;
    }
    if (status != STATUS_OK) return status;
    settle->report->fault[0] = '\0';
    tell(settle, number, settle->detail, false, began);
    return number == 1 ? read_fence_time(settle) : STATUS_OK;
}

// Whether the database still holds what was published; afterwards, publishes. What cannot be
// written here ledgerd writes.
static enum status
publish(struct settle *settle)
{
    char detail[SETTLE_DETAIL];
    enum status status = settle_publish(settle->db, settle->options->directory, detail);
    if (status == STATUS_CONFLICT && detail[0] != '\0')
        return settle_fault(settle, status, "%s; slotctl verify tells more", detail);
    if (status == STATUS_IO && db_fault(settle->db)->text[0] == '\0') return STATUS_OK;
    return settle_db_fault(settle, status, "publishing");
}

enum status
settle_close(struct db *db, const struct period *period, const struct settle_options *options,
             struct settle_report *out_report)
{
    memset(out_report, 0, sizeof *out_report);
    struct settle settle = {.db = db, .period = period, .options = options, .report = out_report};
    settle.arena = arena_open("close");
    // A month may be large; this session works on nothing else. The planner takes sums by account
    // for as many rows as there could be, too many to be worth several processes; they are few.
    enum status status = db_script(db, "set statement_timeout = '6h'; set work_mem = '64MB';"
                                       " set parallel_tuple_cost = 0");
    settle_db_fault(&settle, status, "beginning");
    if (status == STATUS_OK) status = publish(&settle);
    if (status == STATUS_OK) status = take_recorded(&settle);
    out_report->was_closed = out_report->done == SETTLE_STEPS;
    if (status == STATUS_OK && out_report->done == 0) status = may_begin(&settle);
    while (status == STATUS_OK && out_report->done < SETTLE_STEPS) {
        arena_reset(settle.arena);
        status = run_step(&settle, out_report->done + 1);
    }
    if (status == STATUS_OK && !out_report->was_closed) status = publish(&settle);
    arena_close(settle.arena);
    return status;
}
