// What verify asks of tables that follow from others without standing in a journal or an act.
//
//  1 Every fence that a frame was booked behind, and every period of which a close left rows or
//    acts, has its step 1: the last close cannot be taken out together with what it published.
//  2 Proven stretches (proof) reach no farther than their log, and what was kept with them
//    (proof_count, proof_sum) is what their rows come to. Nothing here rests on a proof: facts and
//    transfers are all computed again, so a proof that was made up hides nothing.
//  3 Of every conversion that was looked at, the order waits for its lock until the end of its
//    validation, or is locked. What is locked stands where it should (life_unexplained), but for
//    orders that are still to be followed.
//  4 A detached period is a closed one, and its table holds what it held when it was detached.
//    Every table of transfers that is not attached is a detached one.
//  5 Tables of names say what the program says.
#include "evidence.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "life_inside.h"
#include "proof_inside.h"
#include "reason.h"
#include "terms.h"

#define PAGE "5000"

static enum status
differs(char out_fault[EVIDENCE_TEXT], const char *row, const char *what)
{
    snprintf(out_fault, EVIDENCE_TEXT, "%.200s %.180s", row, what);
    return STATUS_CONFLICT;
}

// --- Rules 1 to 4, as questions ------------------------------------------------------------------

static const char fences_sql[] =
    "select 'frame ' || f.log::text || '.' || f.batch::text || ':' from ("
    "  select log, fenced_until_us, min(batch) as batch from frame where fenced_until_us <> 0"
    "  group by log, fenced_until_us) f"
    " where not exists (select 1 from period_event e"
    "  where e.step = 1 and e.until_us = f.fenced_until_us) order by 1 limit 1";

static const char closes_sql[] =
    "select x.what || ' of ' || x.period || ':' from ("
    "  select 'balance' as what, period from balance group by period"
    "  union all select 'statement', period from statement group by period"
    "  union all select 'total of a statement', period from statement_total group by period"
    "  union all select 'document', period from statement_document group by period"
    "  union all select 'document', period from statement_file group by period"
    "  union all select 'act ' || number::text, substring(body from 'period ([0-9-]+)')"
    "   from act where author = 'close' and body like '%period %') x"
    " where not exists (select 1 from period_event e where e.step = 1 and e.period = x.period)"
    " order by 1 limit 1";

static const char reach_sql[] =
    "select 'proof of log ' || p.log::text || ' up to batch ' || p.upto::text || ':' from proof p"
    " left join watermark w on w.log = p.log where p.upto > coalesce(w.batch, 0)"
    " order by 1 limit 1";

// The proven part of each log.
#define PROVEN "(select log, max(upto) as upto from proof group by log)"
#define KEY "log, period, seat, currency, section, slot, message, rung"
static const char counts_sql[] =
    "select 'count of a proof of log ' || log::text || ', ' || section || ' of seat ' ||"
    "  seat::text || ' in ' || period || ':' from ("
    "  select " KEY ", won, delivered, ended, converted, refunded, revenue from proof_count"
    "  union all select c.log, c.period, c.seat, c.currency, c.section, c.slot, c.message,"
    "   c.rung, -c.won, -c.delivered, -c.ended, -c.converted, -c.refunded, -c.revenue_micros"
    "  from count_part c join " PROVEN " p on p.log = c.log and c.batch <= p.upto) x"
    " group by " KEY
    " having sum(won) <> 0 or sum(delivered) <> 0 or sum(ended) <> 0 or sum(converted) <> 0"
    "  or sum(refunded) <> 0 or sum(revenue) <> 0 order by 1 limit 1";

static const char strays_sql[] =
    "select 'part of a proof of log ' || c.log::text || ' behind batch ' ||"
    "  c.from_batch::text || ':' from ("
    "  select distinct log, from_batch from proof_count"
    "  union select distinct log, from_batch from proof_sum) c"
    " where not exists (select 1 from proof p where p.log = c.log"
    "  and p.from_batch = c.from_batch) order by 1 limit 1";

static const char counted_sql[] =
    "select 'proof of log ' || log::text || ' behind batch ' || from_batch::text || ':'"
    " from proof where placements < 0 or orders < 0 order by 1 limit 1";

static const char positions_sql[] =
    "select 'life_position of log ' || p.log::text || ':' from life_position p"
    " left join watermark w on w.log = p.log where p.batch > coalesce(w.batch, -1)"
    " order by 1 limit 1";

#define LOOKED_AT(row) \
    "exists (select 1 from life_position p where p.log = " row ".log and p.batch >= " row ".batch)"
static const char waiting_sql[] =
    "select 'order ' || coalesce(r.key, d.order_id::text) || ':' from ("
    "  select r.* from revenue r where r.kind = 'converted' and r.state = 'posted'"
    "  and " LOOKED_AT(
        "r") ") r"
             " full join (select order_id from life_due union all select order_id from life_lock) d"
             "  on d.order_id = r.order_id where r.order_id is null or d.order_id is null"
             " order by 1 limit 1";

static const char todo_sql[] =
    "select 'order ' || d.order_id::text || ':' from life_todo d"
    " where not exists (select 1 from revenue r where r.order_id = d.order_id"
    "  and r.kind = 'converted' and r.state = 'posted') order by 1 limit 1";

static const char locked_sql[] =
    "select 'order ' || x.order_id::text || ', ' || x.what || ' ' || x.currency || ':'"
    " from life_unexplained x"
    " where not exists (select 1 from life_todo d where d.order_id = x.order_id)"
    "  and not exists (select 1 from revenue r where r.order_id = x.order_id"
    "   and not " LOOKED_AT(
        "r") ")"
             "  and not exists (select 1 from credit c where c.order_id = x.order_id"
             "   and not " LOOKED_AT("c") ")"
                                          " order by 1 limit 1";

static const char detached_sql[] =
    "select 'transfer_detached of ' || d.period || ':' from transfer_detached d"
    " left join (select period, count(*) as transfers, sum(amount_micros) as micros"
    "  from transfer_kept where period in (select period from transfer_detached)"
    "  group by period) t on t.period = d.period"
    " where not exists (select 1 from period_event e where e.period = d.period and e.step = 9)"
    "  or to_regclass(d.relation) is not null"
    "   and (d.transfers, d.micros) is distinct from"
    "    (coalesce(t.transfers, 0), coalesce(t.micros, 0)) order by 1 limit 1";

static const char apart_sql[] =
    "select 'table ' || c.relname || ':' from pg_class c"
    " join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'vendue'"
    " where c.relkind = 'r' and not c.relispartition and c.relname like 'transfer\\_20%'"
    "  and not exists (select 1 from transfer_detached d"
    "   where to_regclass(d.relation) = c.oid) order by 1 limit 1";

static enum status
ask_all(struct db *db, char out_fault[EVIDENCE_TEXT])
{
    static const struct {
        const char *sql, *what;
    } checks[] = {
        {fences_sql, "it was booked behind a fence that is not recorded"},
        {closes_sql, "its close is not recorded"},
        {reach_sql, "its log is not booked that far"},
        {strays_sql, "there is no such proof"},
        {counted_sql, "it proves less than nothing"},
        {counts_sql, "not what its facts say"},
        {positions_sql, "its log is not booked that far"},
        {waiting_sql, "it neither waits for its lock nor is locked, or it is not there"},
        {todo_sql, "it is to be followed, but it is not there"},
        {locked_sql, "what is locked does not stand where it should"},
        {detached_sql, "not what was detached"},
        {apart_sql, "it was taken out of the transfers"},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && status == STATUS_OK; i++) {
        struct db_rows *rows = NULL;
        status = db_query(db, checks[i].sql, NULL, 0, &rows);
        if (status == STATUS_OK && db_count(rows) > 0)
            status = differs(out_fault, db_get_text(rows, 0, 0), checks[i].what);
        db_rows_free(rows);
    }
    return status;
}

// Rule 2: sums of transfers, each weighed.
static enum status
check_sums(struct db *db, char out_fault[EVIDENCE_TEXT])
{
    static const char sql[] =
        "select 'sum of a proof of log ' || log::text || ' in ' || period || ':' from ("
        "  select log, period, transfers, weighed from proof_sum union all"
        "  select t.log, t.period, -count(*), -sum(t.weighed) from ("
        "   select log, batch, period, amount_micros * " PROOF_WEIGHT(
            "effective_us / 86400000000") " as weighed from transfer_kept where log > 0) t"
                                          "  join " PROVEN
                                          " p on p.log = t.log and t.batch <= p.upto"
                                          "  group by t.log, t.period) x"
                                          " where not exists (select 1 from transfer_detached d"
                                          "  where d.period = x.period"
                                          "  and to_regclass(d.relation) is null)"
                                          " group by log, period having sum(transfers) <> 0"
                                          "  or sum(weighed) <> 0 order by 1 limit 1";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status == STATUS_OK && db_count(rows) > 0)
        status = differs(out_fault, db_get_text(rows, 0, 0), "not what its transfers come to");
    db_rows_free(rows);
    return status;
}

// --- Rule 3: when orders lock --------------------------------------------------------------------

static enum status
check_due(struct db *db, struct life_terms *terms, const struct db_rows *rows, size_t i,
          char out_fault[EVIDENCE_TEXT])
{
    const struct market_contract *contract = NULL;
    int64_t due = db_get_int(rows, i, 2);
    enum status status = STATUS_OK;
    if (!db_is_null(rows, i, 5)) {
        due = db_get_int(rows, i, 5);  // it was extended
    } else if (!db_is_null(rows, i, 3) && !db_is_null(rows, i, 4)) {
        status = life_terms_of(terms, db, (uint32_t)db_get_int(rows, i, 3),
                               (uint64_t)db_get_int(rows, i, 4), &contract);
        if (status == STATUS_OK) due += (int64_t)contract->validation_days * USEC_DAY;
        if (status == STATUS_NOT_FOUND) status = STATUS_OK;
    }
    if (status != STATUS_OK || due == db_get_int(rows, i, 1)) return status;
    char name[80];
    snprintf(name, sizeof name, "order %.40s:", db_get_text(rows, i, 0));
    return differs(out_fault, name, "its validation does not end when it waits to be locked");
}

static enum status
check_dues(struct db *db, char out_fault[EVIDENCE_TEXT])
{
    static const char sql[] =
        "select d.order_id::text, d.due_us, r.effective_us, r.contract, o.market_version, x.due_us"
        " from (select order_id, due_us from life_due where order_id > $1::uuid"
        "  order by order_id limit " PAGE ") d"
        " join revenue r on r.order_id = d.order_id and r.kind = 'converted'"
        "  and r.state = 'posted'"
        " left join outcome o on o.placement_id = r.placement_id"
        " left join life_extension x on x.order_id = d.order_id order by d.order_id";
    char last[ID_TEXT + 8] = "00000000-0000-0000-0000-000000000000";
    struct life_terms *terms = life_terms_open();
    enum status status = STATUS_OK;
    for (size_t count = 1; status == STATUS_OK && count > 0;) {
        struct db_rows *rows = NULL;
        const struct db_param params[] = {db_text(last)};
        status = db_query(db, sql, params, 1, &rows);
        count = status == STATUS_OK ? db_count(rows) : 0;
        for (size_t i = 0; status == STATUS_OK && i < count; i++)
            status = check_due(db, terms, rows, i, out_fault);
        if (count > 0) snprintf(last, sizeof last, "%s", db_get_text(rows, count - 1, 0));
        db_rows_free(rows);
    }
    life_terms_close(terms);
    return status;
}

// --- Rule 5 --------------------------------------------------------------------------------------

static const char *
name_of(int table, unsigned i, char out[96])
{
    switch (table) {
    case 0: snprintf(out, 96, "%u|%u|%s", i, i + 1, rung_name((enum rung)i)); break;
    case 1:
        snprintf(out, 96, "%u|%u|%u|%s", i, i + 1, 1u << i, objective_name((enum objective)i));
        break;
    case 2: snprintf(out, 96, "%u|%s", i, price_kind_name((enum price_kind)i)); break;
    default:
        snprintf(out, 96, "%u|%u|%s", i, reason_number((enum reason)i), reason_key((enum reason)i));
    }
    return out;
}

static enum status
check_names(struct db *db, char out_fault[EVIDENCE_TEXT])
{
    static const struct {
        const char *name, *sql;
        unsigned count;
    } tables[] = {
        {"rung_name", "select concat_ws('|', rung, number, name) from rung_name order by rung",
         RUNG_COUNT},
        {"objective_name",
         "select concat_ws('|', objective, number, bit, name) from objective_name"
         " order by objective",
         OBJECTIVE_COUNT},
        {"price_kind_name", "select concat_ws('|', kind, name) from price_kind_name order by kind",
         PRICE_KIND_COUNT},
        {"reason_name",
         "select concat_ws('|', reason, number, key) from reason_name order by "
         "reason",
         REASON_COUNT},
    };
    enum status status = STATUS_OK;
    for (int table = 0; table < 4 && status == STATUS_OK; table++) {
        struct db_rows *rows = NULL;
        status = db_query(db, tables[table].sql, NULL, 0, &rows);
        size_t count = status == STATUS_OK ? db_count(rows) : 0, same = 0;
        char name[96];
        while (same < count && same < tables[table].count &&
               strcmp(db_get_text(rows, same, 0), name_of(table, (unsigned)same, name)) == 0)
            same++;
        if (status == STATUS_OK && (same < count || same < tables[table].count)) {
            char row[160];
            snprintf(row, sizeof row, "table %s, row %zu:", tables[table].name, same + 1);
            status = differs(out_fault, row, "it is not what the program says");
        }
        db_rows_free(rows);
    }
    return status;
}

enum status
evidence_verify(struct db *db, char out_fault[EVIDENCE_TEXT])
{
    enum status status = ask_all(db, out_fault);
    if (status == STATUS_OK) status = check_sums(db, out_fault);
    if (status == STATUS_OK) status = check_dues(db, out_fault);
    if (status == STATUS_OK) status = check_names(db, out_fault);
    return status;
}
