// Partitions of the table of transfers, one a period.
//
// Detaching, in one transaction: the period must be closed, so nothing is booked in it any more;
// the partition's rows are counted; a check that they are of this period is added, so that the
// planner passes the table over when another period is asked for; the partition is detached; the
// roles lose their right to add; what was done is noted; and transfer_kept is made anew over all
// that were detached.
//
//  1 A transfer is in `transfer` or in one detached table, and in transfer_kept in any case.
//  2 Keys of detached transfers stay in transfer_key, folds and balances where they are: nothing is
//    booked twice, and no balance changes.
//  3 Programs have no right to make or detach a partition: the owner does, at init, up and by hand.
#include "partition.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"

#define COLUMNS                                                                                \
    "batch, debit, credit, amount_micros, effective_us, posted_us, log, idx, seat, contract, " \
    "slot, message, objectives, model, leg, rung, late, transfer_id, group_id, placement_id, " \
    "pending_id, origin_id, period, kind, state, currency, reason, reference"
#define TABLE_TEXT 32

static void
table_of(const char *period, char out[TABLE_TEXT])
{
    snprintf(out, TABLE_TEXT, "transfer_%.4s_%.2s", period, period + 5);
}

// --- Ahead -------------------------------------------------------------------------------------

static enum status
make_missing(struct db *db, const char *period)
{
    char table[TABLE_TEXT], sql[256];
    struct db_rows *rows = NULL;
    table_of(period, table);
    const struct db_param params[] = {db_text(table), db_text(period)};
    enum status status = db_query(db,
                                  "select to_regclass('vendue.' || $1) is not null or exists "
                                  "(select 1 from transfer_default where period = $2)",
                                  params, 2, &rows);
    if (status != STATUS_OK) return status;
    bool there = db_get_bool(rows, 0, 0);
    db_rows_free(rows);
    if (there) return STATUS_OK;
    snprintf(sql, sizeof sql,
             "create table vendue.%s partition of vendue.transfer for values in ('%s');"
             "comment on table vendue.%s is 'Transfers of period %s.'",
             table, period, table, period);
    return db_script(db, sql);
}

enum status
partition_ahead(struct db *db, usec now, unsigned months)
{
    struct period period;
    period_of(now, (usec){0}, &period);
    // The month before, too: what happened in it may still be booked.
    if (period.from.us > 0) period_of((usec){period.from.us - 1}, (usec){0}, &period);
    enum status status = STATUS_OK;
    for (unsigned i = 0; status == STATUS_OK && i <= months + 1; i++) {
        status = make_missing(db, period.name);
        if (strcmp(period.name, "9999-12") == 0) break;
        period_next(&period, &period);
    }
    return status;
}

// --- Detaching ---------------------------------------------------------------------------------

enum status
partition_attached(struct db *db, const char *period, bool *out_attached)
{
    const struct db_param params[] = {db_text(period)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db, "select not exists (select 1 from transfer_detached where period = $1)", params, 1,
        &rows);
    if (status == STATUS_OK) *out_attached = db_get_bool(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

static enum status
refuse(struct partition_report *report, enum status status, const char *period, const char *why)
{
    snprintf(report->fault, sizeof report->fault, "%s %s", period, why);
    return status;
}

// Whether the period may be detached; refuses by name.
static enum status
may_detach(struct db *db, const char *period, struct partition_report *report)
{
    const struct db_param params[] = {db_text(period)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select exists (select 1 from period_event where period = $1 and step = 9), "
        "exists (select 1 from transfer_default where period = $1), "
        "(select count(*) from hold where period = $1), "
        "coalesce((select transfers from transfer_detached where period = $1), -1), "
        "coalesce((select relation from transfer_detached where period = $1), ''), "
        "exists (select 1 from transfer where period = $1)",
        params, 1, &rows);
    if (status != STATUS_OK) return status;
    char why[200];
    snprintf(why, sizeof why,
             "still holds %lld prices that were neither charged nor released; detach it when they "
             "ended",
             (long long)db_get_int(rows, 0, 2));
    if (db_get_int(rows, 0, 3) >= 0) {
        report->before = true;
        report->transfers = (uint64_t)db_get_int(rows, 0, 3);
        snprintf(report->relation, sizeof report->relation, "%s", db_get_text(rows, 0, 4));
        status = STATUS_EXISTS;
    } else if (!db_get_bool(rows, 0, 0)) {
        status = refuse(report, STATUS_CONFLICT, period,
                        "is not closed; only a closed period can be detached");
    } else if (db_get_bool(rows, 0, 1)) {
        status = refuse(report, STATUS_NOT_FOUND, period,
                        "has no table of its own: its transfers were booked before one was made, "
                        "and stay where they are");
    } else if (!db_get_bool(rows, 0, 5)) {
        status = refuse(report, STATUS_NOT_FOUND, period, "has no transfers");
    } else if (db_get_int(rows, 0, 2) > 0) {
        status = refuse(report, STATUS_CONFLICT, period, why);
    }
    db_rows_free(rows);
    return status;
}

static enum status
note(struct db *db, const char *period, usec now, struct partition_report *report)
{
    const struct db_param params[] = {db_text(period), db_text(report->relation), db_time(now)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "insert into transfer_detached (period, relation, transfers, micros, at_us) "
        "select $1, $2, count(*), coalesce(sum(amount_micros), 0), $3 from transfer "
        "where period = $1 returning transfers",
        params, 3, &rows);
    if (status == STATUS_OK) report->transfers = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

// transfer_kept over `transfer` and every detached table.
static enum status
make_view(struct db *db)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select 'create or replace view vendue.transfer_kept as select " COLUMNS
        " from vendue.transfer' || coalesce(string_agg(' union all select " COLUMNS
        " from ' || relation, '' order by period), '') from transfer_detached",
        NULL, 0, &rows);
    if (status == STATUS_OK) status = db_script(db, db_get_text(rows, 0, 0));
    db_rows_free(rows);
    return status;
}

static enum status
detach(struct db *db, const char *period, const char *table)
{
    char sql[640];
    snprintf(sql, sizeof sql,
             "alter table vendue.%s add constraint %s_period check (period = '%s');"
             "alter table vendue.transfer detach partition vendue.%s;"
             "revoke all on vendue.%s from vendue_ledger, vendue_console;"
             "grant select on vendue.%s to vendue_ledger, vendue_console;"
             "comment on table vendue.%s is 'Transfers of period %s, detached: read-only.'",
             table, table, period, table, table, table, table, period);
    return db_script(db, sql);
}

enum status
partition_detach(struct db *db, const struct period *period, usec now,
                 struct partition_report *out_report)
{
    char table[TABLE_TEXT];
    memset(out_report, 0, sizeof *out_report);
    table_of(period->name, table);
    enum status status = db_begin(db);
    if (status != STATUS_OK) return status;
    status = db_script(db, "set local statement_timeout = '6h'");  // all its rows are read
    if (status == STATUS_OK) status = may_detach(db, period->name, out_report);
    if (status != STATUS_OK) goto done;
    snprintf(out_report->relation, sizeof out_report->relation, "vendue.%s", table);
    status = note(db, period->name, now, out_report);
    if (status == STATUS_OK) status = detach(db, period->name, table);
    if (status == STATUS_OK) status = make_view(db);
    if (status == STATUS_OK) status = db_commit(db);
done:
    if (status != STATUS_OK && status != STATUS_EXISTS && !out_report->fault[0])
        snprintf(out_report->fault, sizeof out_report->fault, "detaching %s: %.300s", period->name,
                 db_fault(db)->text);
    db_rollback(db);
    return status == STATUS_EXISTS ? STATUS_OK : status;
}
