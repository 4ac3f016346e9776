// What finance should know at a glance, each from a small table or an index, so that asking costs
// nothing while the ledger grows.
#include <stdio.h>
#include <string.h>

#include "proof.h"
#include "settle.h"

// The first period with something booked that is not closed, and whether its close is at work.
static enum status
read_period(struct db *db, struct settle_state *state)
{
    static const char sql[] =
        "select f.period, exists (select 1 from period_event e where e.period = f.period)"
        " from (select distinct period from fold) f where not exists ("
        "  select 1 from period_event e where e.period = f.period and e.step = 9)"
        " order by f.period limit 1";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        snprintf(state->period, sizeof state->period, "%s", db_get_text(rows, 0, 0));
        state->closing = db_get_bool(rows, 0, 1);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_counts(struct db *db, usec now, struct settle_state *state)
{
    static const char sql[] =
        "select (select count(*) from life_due where due_us <= $1),"
        " (select count(*) from dispute_now where state = 'open'),"
        " (select count(*) from dispute_now where state = 'open' and deadline_us <= $1),"
        " (select count(*) from adjustment a where not exists ("
        "   select 1 from adjustment_end e where e.number = a.number)),"
        " coalesce((select max(period) from period_event where step = 9), '')";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_time(now)};
    enum status status = db_query(db, sql, params, 1, &rows);
    if (status == STATUS_OK) {
        state->locks_overdue = (uint64_t)db_get_int(rows, 0, 0);
        state->disputes_open = (uint64_t)db_get_int(rows, 0, 1);
        state->disputes_overdue = (uint64_t)db_get_int(rows, 0, 2);
        state->adjustments_waiting = (uint64_t)db_get_int(rows, 0, 3);
        snprintf(state->closed, sizeof state->closed, "%s", db_get_text(rows, 0, 4));
    }
    db_rows_free(rows);
    return status;
}

enum status
settle_state(struct db *db, usec now, struct settle_state *out_state)
{
    memset(out_state, 0, sizeof *out_state);
    enum status status = read_period(db, out_state);
    if (status == STATUS_OK) status = read_counts(db, now, out_state);
    return status == STATUS_OK ? proof_behind(db, &out_state->unproven) : status;
}
