// Closed periods, checked again. Nothing here is believed because it stands in the database: what
// can be computed from something else is, and what was published as a file is compared with it.
//
//  1 A period's steps are 1 to 9, in order, with its own ends; only the newest fence may be
//    unfinished.
//  2 Statements come out of the ledger as they were kept and, in each format, as they were sent;
//    the root is the digest of what it was made of, and of the root before it.
//  3 Bills are what statements say, balances what the transfers come to.
//  4 What no journal holds is held by acts: deposits, expired holds, logs declared dead each have
//    their act, and acts theirs. (The chain of acts itself is verified by verify_run.)
//  5 What is read in place of rows is what the rows say: sums and counts (folds); proofs follow
//    each other without a gap; every hold that has no end stands in open_hold.
//  6 What follows from other tables says so: evidence.c.
//  7 Every root, all steps and the head of acts are those that were published.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "evidence.h"
#include "fail.h"
#include "fold.h"
#include "settle_inside.h"
#include "statement_inside.h"
#include "transfer.h"

static enum status differs(char out_detail[SETTLE_DETAIL], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum status
differs(char out_detail[SETTLE_DETAIL], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out_detail, SETTLE_DETAIL, format, arguments);
    va_end(arguments);
    return STATUS_CONFLICT;
}

// A query whose first row, if there is one, fills the places of `format` with its first columns.
static enum status
must_be_empty(struct db *db, const char *sql, const char *period, const char *what,
              char out_detail[SETTLE_DETAIL])
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period)};
    enum status status = db_query(db, sql, params, period != NULL ? 1 : 0, &rows);
    if (status == STATUS_OK && db_count(rows) > 0)
        status = differs(out_detail, "%s %s", db_get_text(rows, 0, 0), what);
    db_rows_free(rows);
    return status;
}

// --- Steps ---------------------------------------------------------------------------------------

// Rule 1.
static enum status
check_steps(struct db *db, char out_detail[SETTLE_DETAIL])
{
    static const char sql[] =
        "select period, string_agg(step::text, '' order by step), min(from_us), max(from_us),"
        "  min(until_us), max(until_us),"
        "  bool_and(at_us > before), period = (select max(period) from period_event) from ("
        "  select *, coalesce(lag(at_us) over (partition by period order by step), -1) as before"
        "  from period_event) e group by period order by period";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        const char *name = db_get_text(rows, i, 0), *steps = db_get_text(rows, i, 1);
        size_t count = strlen(steps);
        struct period period;
        if (period_parse(name, strlen(name), &period) != STATUS_OK) {
            status = differs(out_detail, "'%s' is not a period", name);
        } else if (count > SETTLE_STEPS || strncmp(steps, "123456789", count) != 0 ||
                   (count < SETTLE_STEPS && !db_get_bool(rows, i, 7))) {
            status = differs(out_detail, "period %s: steps of its close are missing: it has %s",
                             name, steps);
        } else if (db_get_int(rows, i, 2) != period.from.us ||
                   db_get_int(rows, i, 3) != period.from.us ||
                   db_get_int(rows, i, 4) != period.until.us ||
                   db_get_int(rows, i, 5) != period.until.us) {
            status = differs(out_detail, "period %s: its fence does not stand at its end", name);
        } else if (!db_get_bool(rows, i, 6)) {
            status = differs(out_detail, "period %s: its steps are not in order of time", name);
        }
    }
    db_rows_free(rows);
    return status;
}

// --- One period ----------------------------------------------------------------------------------

// Rule 2, the root.
static enum status
check_root(struct db *db, const struct period *period, struct arena *arena, const char **out_root,
           char out_detail[SETTLE_DETAIL])
{
    static const char sql[] = "select detail, record from period_event"
                              " where period = $1 and step = 7";
    const char *text = NULL;
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name)};
    enum status status = settle_root_text(db, period, arena, &text);
    if (status == STATUS_OK) status = db_query(db, sql, params, 1, &rows);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && db_count(rows) != 1)) {
        status = differs(out_detail, "period %s: its fence or its root is missing", period->name);
    } else if (status == STATUS_OK) {
        struct digest root = hash_sha256(text, strlen(text));
        *out_root = settle_hex(arena, root.bytes, sizeof root.bytes);
        if (strcmp(*out_root, db_get_text(rows, 0, 0)) != 0 ||
            strcmp(text, db_get_text(rows, 0, 1)) != 0)
            status = differs(
                out_detail, "period %s: its root is not that of its steps, balances and statements",
                period->name);
    }
    db_rows_free(rows);
    return status;
}

// Every statement that was kept is one that the ledger gives, by code.
static enum status
check_seats(struct db *db, const struct period *period, const struct statement *statements,
            size_t count, char out_detail[SETTLE_DETAIL])
{
    static const char sql[] = "select coalesce(s.code, t.seat::text) from statement t"
                              " left join seat s on s.id = t.seat where t.period = $1"
                              " order by s.code collate \"C\"";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name)};
    enum status status = db_query(db, sql, params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        if (i >= db_count(rows) || strcmp(statements[i].code, db_get_text(rows, i, 0)) != 0)
            status = differs(out_detail, "statement %s of %s: it is missing", statements[i].code,
                             period->name);
    if (status == STATUS_OK && db_count(rows) > count)
        status = differs(out_detail, "statement %s of %s: the ledger gives it none",
                         db_get_text(rows, count, 0), period->name);
    db_rows_free(rows);
    return status;
}

static enum status
check_statements(struct db *db, const struct period *period, struct arena *arena, const char *root,
                 size_t *out_count, char out_detail[SETTLE_DETAIL])
{
    struct statement *statements = NULL;
    size_t count = 0;
    enum status status = statement_all(db, period, arena, &statements, &count);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct statement *one = &statements[i];
        char fault[STATEMENT_FAULT] = "";
        const char *lines = statement_print(one, STATEMENT_CSV, arena);
        struct digest digest = hash_sha256(lines, strlen(lines));
        one->closed = true;
        one->digest = settle_hex(arena, digest.bytes, sizeof digest.bytes);
        one->root = root;
        status = statement_check(db, one, arena, fault);
        if (status == STATUS_CONFLICT)
            status = differs(out_detail, "statement %s of %s: %s", one->code, period->name, fault);
    }
    if (status == STATUS_OK) status = check_seats(db, period, statements, count, out_detail);
    *out_count += count;
    return status;
}

// Rule 3.
static enum status
check_bills(struct db *db, const struct period *period, char out_detail[SETTLE_DETAIL])
{
    static const char bills[] =
        "select 'bill of ' || coalesce(s.code, b.seat::text) || ' for ' || $1 || ':' from ("
        " select seat, section, total_micros::numeric as micros from statement_total"
        "  where period = $1 and section in ('charged', 'due', 'clawback')"
        " union all"
        " select (f.debit / 100000)::integer, case f.credit % 10000 when 1110 then 'charged'"
        "   when 1150 then 'due' else 'clawback' end, -f.micros from fold f"
        "  where f.period = $1 and f.kind = 'bill' and f.debit % 10000 = 1120"
        " union all"
        " select (f.credit / 100000)::integer, case f.debit % 10000 when 1110 then 'charged'"
        "   when 1150 then 'due' else 'clawback' end, f.micros from fold f"
        "  where f.period = $1 and f.kind = 'bill' and f.debit % 10000 <> 1120) b"
        " left join seat s on s.id = b.seat group by s.code, b.seat, b.section"
        " having sum(b.micros) <> 0 order by 1 limit 1";
    static const char balances[] = SETTLE_CLOSING
        "select 'balance of ' || coalesce(k.account, c.account)::text || ' ' ||"
        "  coalesce(k.currency, c.currency) || ' at the end of ' || $1 || ':' from closing c"
        " full join (select * from balance where period = $1) k"
        "  on k.currency = c.currency and k.account = c.account"
        " where (k.debit, k.credit) is distinct from (c.debit, c.credit)"
        "  and exists (select 1 from balance b where b.period = $1) order by 1 limit 1";
    enum status status = must_be_empty(db, bills, period->name, "not what its statement says",
                                       out_detail);
    return status == STATUS_OK ? must_be_empty(db, balances, period->name,
                                               "not what its transfers come to", out_detail)
                               : status;
}

static enum status
check_period(struct db *db, const char *name, size_t *statements, char out_detail[SETTLE_DETAIL])
{
    struct period period;
    const char *root = "";
    if (period_parse(name, strlen(name), &period) != STATUS_OK)
        return differs(out_detail, "'%s' is not a period", name);
    struct arena *arena = arena_open("verify");
    enum status status = check_root(db, &period, arena, &root, out_detail);
    if (status == STATUS_OK)
        status = check_statements(db, &period, arena, root, statements, out_detail);
    if (status == STATUS_OK) status = check_bills(db, &period, out_detail);
    arena_close(arena);
    return status;
}

// --- What acts hold ------------------------------------------------------------------------------

// Rule 4. Deposits come from no fact: each row has its transfer, and each transfer its row.
static const char deposits_sql[] =
    "select 'deposit ' || coalesce(d.reference, t.reference, '') || ' of ' ||"
    "  coalesce(s.code, '') || ':'"
    " from (select * from transfer_kept where kind = 'deposit' and log = 0) t"
    " full join deposit d on d.transfer_id = t.transfer_id"
    " left join seat s on s.id = coalesce(d.seat, t.seat)"
    " where (d.seat, d.reference, d.currency, d.amount_micros, d.period, d.at_us, t.state)"
    "  is distinct from (t.seat, t.reference, t.currency, t.amount_micros, t.period,"
    "   t.effective_us, 'posted')"
    " order by 1 limit 1";

static const char expiries_sql[] =
    "select 'expired hold of placement ' || coalesce(h.placement_id, t.placement_id)::text || ':'"
    " from hold_expiry h full join ("
    "  select t.placement_id, t.batch, o.log, a.body from act a"
    "  join transfer_kept t on t.log = 0 and t.batch = a.number and t.kind = 'release'"
    "  left join outcome o on o.placement_id = t.placement_id where a.kind = 'expire') t"
    "  on t.placement_id = h.placement_id"
    " where (h.act, h.log) is distinct from (t.batch, t.log) or strpos(t.body,"
    "  E'\\nlog ' || h.log::text || ' batch ' || h.batch::text || E'\\n') = 0"
    " order by 1 limit 1";

static const char dead_sql[] =
    "select 'log ' || coalesce(d.log::text, '?') || ', declared dead in act '"
    "  || coalesce(d.act, a.number)::text || ':'"
    " from dead_log d full join (select * from act where kind = 'dead') a on a.number = d.act"
    " where a.body is null or d.log is null or d.at_us <> a.at_us"
    "  or strpos(a.body, 'log ' || d.log::text || E'\\nbatch ' || d.batch::text || E'\\n') <> 1"
    " order by 1 limit 1";

// --- What stands for rows ------------------------------------------------------------------------

// Rule 5.
static const char proofs_sql[] =
    "select 'proof of log ' || log::text || ' behind batch ' || from_batch::text || ':' from ("
    "  select *, coalesce(lag(upto) over (partition by log order by from_batch), 0) as ended"
    "  from proof) p where from_batch <> ended order by 1 limit 1";

// Holds whose frames are proven and that nothing ends, beside those listed. The terminal's id is
// the SHA-256 of "terminal", a zero byte, and the hold's.
static const char holds_sql[] =
    "select 'hold of placement ' || coalesce(t.placement_id, h.placement_id)::text || ':' from ("
    "  select t.* from transfer_kept t where t.state = 'pending' and t.batch <= coalesce("
    "    (select max(p.upto) from proof p where p.log = t.log), 0)"
    "   and not exists (select 1 from transfer_kept e where e.pending_id = t.transfer_id)) t"
    " full join (select h.* from open_hold h"
    "   where not exists (select 1 from transfer_key k where k.transfer_id = h.terminal_id)) h"
    "  on h.placement_id = t.placement_id"
    " where (h.transfer_id, h.micros, h.currency, h.period, h.log, h.batch) is distinct from"
    "   (t.transfer_id, t.amount_micros, t.currency, t.period, t.log, t.batch)"
    "  or uuid_send(h.terminal_id) <> substr(sha256('\\x7465726d696e616c00'::bytea"
    "   || uuid_send(h.transfer_id)), 1, 16) order by 1 limit 1";

// A log's watermark is its last frame, and nothing is booked of a log that has none.
static const char logs_sql[] =
    "select 'log ' || log::text || ':' from ("
    " select w.log from watermark w left join frame f on f.log = w.log and f.batch = w.batch"
    "  where w.batch > 0 and (w.digest, w.epoch) is distinct from (f.digest, f.epoch)"
    " union all select x.log from (select log from frame union select log from event"
    "   union select log from revenue union select log from contact union select log from outcome"
    "   union select log from dead_log) x"
    "  where not exists (select 1 from watermark w where w.log = x.log)) l order by 1 limit 1";

static enum status
check_kept(struct db *db, char out_detail[SETTLE_DETAIL])
{
    static const struct {
        const char *sql, *what;
    } checks[] = {
        {deposits_sql, "its transfer says something else"},
        {expiries_sql, "its act says something else"},
        {dead_sql, "its act says something else"},
        {proofs_sql, "it does not follow the one before"},
        {holds_sql, "it is not listed as open as it should be"},
        {logs_sql, "its watermark is not its last frame, or it has none"},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && status == STATUS_OK; i++)
        status = must_be_empty(db, checks[i].sql, NULL, checks[i].what, out_detail);
    return status;
}

static enum status
check_accounts(struct db *db, char out_detail[SETTLE_DETAIL])
{
    static const char sql[] =
        "select a.account, a.name, a.normal, coalesce(s.code, a.seat::text), u.account is null"
        " from account a left join seat s on s.id = a.seat left join ("
        "  select currency, debit as account from fold union select currency, credit from fold) u"
        "  on u.currency = a.currency and u.account = a.account"
        " order by a.currency, a.account";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct account account = account_of_number(db_get_int(rows, i, 0));
        char name[ACCOUNT_TEXT] = "";
        bool known = account_known(account);
        if (known) account_name(account, db_get_text(rows, i, 3), name);
        if (db_get_bool(rows, i, 4)) {
            status = differs(out_detail, "account %" PRId64 ": nothing is booked on it",
                             db_get_int(rows, i, 0));
            break;
        }
        const char *normal = known && account_debit_normal(account) ? "debit" : "credit";
        if (!known || strcmp(name, db_get_text(rows, i, 1)) != 0 ||
            strcmp(normal, db_get_text(rows, i, 2)) != 0)
            status = differs(out_detail, "account %" PRId64 ": it is named %s, not %s",
                             db_get_int(rows, i, 0), db_get_text(rows, i, 1), name);
    }
    db_rows_free(rows);
    return status;
}

static enum status
check_folds(struct db *db, char out_detail[SETTLE_DETAIL])
{
    char text[FOLD_TEXT] = "";
    enum status status = fold_verify(db, text);
    if (status != STATUS_OK && text[0] == '\0') return status;
    return text[0] != '\0' ? differs(out_detail, "%s", text) : STATUS_OK;
}

// --- All of it -----------------------------------------------------------------------------------

enum status
settle_verify(struct db *db, const char *directory, char out_detail[SETTLE_DETAIL])
{
    size_t statements = 0;
    struct db_rows *rows = NULL;
    enum status status = directory != NULL ? settle_published(db, directory, false, out_detail)
                                           : STATUS_OK;
    if (status == STATUS_OK) status = check_steps(db, out_detail);
    if (status == STATUS_OK) status = check_folds(db, out_detail);
    if (status == STATUS_OK)
        status = db_query(db, "select period from period_event where step = 9 order by period",
                          NULL, 0, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        status = check_period(db, db_get_text(rows, i, 0), &statements, out_detail);
    if (status == STATUS_OK) status = check_kept(db, out_detail);
    if (status == STATUS_OK) status = check_accounts(db, out_detail);
    if (status == STATUS_OK) status = evidence_verify(db, out_detail);
    if (status == STATUS_OK)
        snprintf(out_detail, SETTLE_DETAIL, "%zu statements of %zu closed periods%s", statements,
                 db_count(rows), directory != NULL ? ", as published" : "");
    db_rows_free(rows);
    return status;
}
