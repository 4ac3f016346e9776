// What the proof asks of the database alone.
//
//  1 Transfers are read where they are: in `transfer` and in the tables of detached periods
//    (transfer_kept). Those of periods whose table was taken away are not compared, and said to be
//    away; their keys, and the sums of their period, remain.
//  2 Transfers without a fact (log 0) belong to acts, whose chain is computed again (act.h). Those
//    from before there were acts (batch 0) are explained by their kind.
//  3 Within a contract and period the orders that count for rates and caps stand one behind the
//    other, from 0 on, without gap or overlap. Each log's own stand in the order of its journal
//    (replay), so with one log nothing else is possible than what was booked.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "fail.h"
#include "verify_inside.h"

// One row of integers.
static enum status
ask(struct verify *verify, const char *sql, int64_t *out, size_t columns)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(verify->db, sql, NULL, 0, &rows);
    if (status != STATUS_OK) return verify_database_said(verify, status, "asking the ledger");
    for (size_t i = 0; i < columns; i++) out[i] = db_get_int(rows, 0, i);
    db_rows_free(rows);
    return STATUS_OK;
}

enum status
verify_read_before(struct verify *verify)
{
    const struct db_param params[] = {db_int4((int32_t)verify->log)};
    struct db_rows *rows = NULL;
    enum status status = db_query(verify->db, "select batch from credit_before where log = $1",
                                  params, 1, &rows);
    if (status != STATUS_OK) return verify_database_said(verify, status, "asking for old frames");
    if (db_count(rows)) verify->before = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return STATUS_OK;
}

enum status
verify_read_gone(struct verify *verify)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(verify->db,
                                  "select period from transfer_detached "
                                  "where to_regclass(relation) is null order by period",
                                  NULL, 0, &rows);
    if (status != STATUS_OK) return verify_database_said(verify, status, "asking for periods");
    verify->gone = calloc(db_count(rows) + 1, sizeof *verify->gone);
    CHECK(verify->gone);
    for (size_t i = 0; i < db_count(rows); i++) {
        size_t len = db_get_len(rows, i, 0);
        if (len >= PERIOD_TEXT) continue;
        memcpy(verify->gone[verify->gone_count++].period, db_get_text(rows, i, 0), len);
    }
    db_rows_free(rows);
    return STATUS_OK;
}

// Tells each row of a query: the first column is the whole text.
static enum status
tell_rows(struct verify *verify, const char *sql, uint64_t *faults)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(verify->db, sql, NULL, 0, &rows);
    if (status != STATUS_OK) return verify_database_said(verify, status, "asking the ledger");
    for (size_t i = 0; i < db_count(rows); i++) {
        ++*faults;
        verify_tell(verify, "%.380s", db_get_text(rows, i, 0));
    }
    db_rows_free(rows);
    return STATUS_OK;
}

enum status
verify_bases(struct verify *verify)
{
    return tell_rows(verify,
                     "select concat('fact ', log, '.', batch, '.', idx, ': revenue of contract ', "
                     "contract, ' in ', period, ' begins at ', base_micros, ', not at ', before) "
                     "from (select log, batch, idx, contract, period, base_micros, "
                     "coalesce(lag(base_micros + amount_micros) over (partition by contract, "
                     "period order by base_micros), 0) as before "
                     "from revenue where base_micros is not null and kind = 'converted') r "
                     "where base_micros <> before limit 100",
                     &verify->fact_faults);
}

enum status
verify_keys(struct verify *verify)
{
    enum status status = tell_rows(
        verify,
        "select concat('transfer ', t.log, '.', t.batch, '.', t.idx, '.', t.leg, ' has not its "
        "own key: ', t.transfer_id) from transfer_kept t left join transfer_key k "
        "on k.transfer_id = t.transfer_id and k.log = t.log and k.batch = t.batch "
        "and k.idx = t.idx where k.transfer_id is null limit 100",
        &verify->transfer_faults);
    if (status != STATUS_OK) return status;
    // Of periods that are away only their number is known.
    int64_t found[3] = {0};
    status = ask(verify,
                 "select (select count(*) from transfer_key), "
                 "(select count(*) from transfer_kept), "
                 "(select coalesce(sum(transfers), 0)::bigint from transfer_detached "
                 "where to_regclass(relation) is null)",
                 found, 3);
    if (status == STATUS_OK && found[0] != found[1] + found[2]) {
        verify->transfer_faults++;
        verify_tell(verify,
                    "%" PRId64 " keys of transfers, but %" PRId64 " transfers and %" PRId64
                    " in periods that are away",
                    found[0], found[1], found[2]);
    }
    return status;
}

enum status
verify_balance(struct verify *verify)
{
    int64_t found[6] = {0};
    enum status status = ask(
        verify,
        "select count(*), "
        "(select count(*) from (select currency from entry "
        "group by currency having sum(micros) <> 0) as c), "
        "(select count(*) from (select e.currency from entry e "
        "where e.account % 10000 in (4100, 5100) "
        "group by e.currency having sum(e.micros) <> 0) as i), "
        "(select count(*) from (select currency, debit as account from transfer_kept "
        "union select currency, credit from transfer_kept) t where not exists "
        "(select 1 from account a where a.currency = t.currency and a.account = t.account)), "
        "count(*) filter (where not explained), "
        "least(coalesce(sum(amount_micros) filter (where not explained), 0), "
        "9000000000000000000)::bigint "
        "from (select t.amount_micros, case when t.log = 0 "
        "then t.batch > 0 or t.kind in ('deposit', 'bill', 'adjustment') "
        "else coalesce(w.batch >= t.batch, false) end as explained "
        "from transfer_kept t left join watermark w on w.log = t.log) as t",
        found, 6);
    if (status != STATUS_OK) return status;
    verify->out->transfers = (uint64_t)found[0];
    verify_unexplained(verify, found[5]);
    bool ok = !found[1] && !found[2] && !found[3] && !found[4];
    verify_conclude(verify, VERIFY_BALANCE, "balance", ok,
                    "currencies out of balance %" PRId64 ", transfer prices not cancelling %" PRId64
                    ", accounts not known %" PRId64 ", transfers of no log %" PRId64,
                    found[1], found[2], found[3], found[4]);
    return STATUS_OK;
}

enum status
verify_holds(struct verify *verify)
{
    int64_t found[3] = {0};
    enum status status = ask(
        verify,
        "select (select count(*) from transfer_kept where state = 'pending'), "
        "(select count(*) from hold), "
        "(select count(*) from transfer_kept t left join transfer_kept p "
        "on p.transfer_id = t.pending_id "
        "where t.pending_id is not null and (p.transfer_id is null or p.state <> 'pending' or "
        "t.amount_micros > p.amount_micros or t.debit <> p.debit or t.credit <> p.credit or "
        "t.currency <> p.currency) and not (p.transfer_id is null and exists "
        "(select 1 from transfer_detached where to_regclass(relation) is null)))",
        found, 3);
    if (status != STATUS_OK) return status;
    verify_conclude(verify, VERIFY_HOLDS, "holds", found[2] == 0,
                    "%" PRId64 " holds, %" PRId64 " still open, %" PRId64 " wrongly ended",
                    found[0], found[1], found[2]);
    return STATUS_OK;
}

enum status
verify_acts(struct verify *verify)
{
    struct act_head head;
    char text[ACT_FAULT] = "";
    enum status status = act_verify(verify->db, &head, text);
    if (status != STATUS_OK && status != STATUS_CONFLICT) {
        return verify_database_said(verify, status, "computing the acts of finance again");
    }
    if (status == STATUS_CONFLICT) verify_tell(verify, "%.380s", text);
    verify_conclude(verify, VERIFY_ACTS, "acts", status == STATUS_OK,
                    "%" PRIu64 " acts of finance%s", head.number,
                    status == STATUS_OK ? "" : ", their chain is broken");
    return STATUS_OK;
}
