// Closed periods, checked again: every statement comes out of the ledger as it was kept and, in
// each format, as it was sent; every root is the digest of what it was made of; every bill is what
// its statement says. And what no journal holds: deposits have their transfers, accounts their
// names.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "settle.h"
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

static void
put_hex(FILE *out, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    for (size_t i = 0; i < len; i++) fprintf(out, "%02x", from[i]);
}

static const char *
hex_of(struct arena *arena, const uint8_t *bytes, size_t len)
{
    char text[2 * sizeof(struct digest) + 1] = "";
    for (size_t i = 0; i < len && i < sizeof(struct digest); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return arena_text(arena, text, strlen(text));
}

// The documents as they were sent; the statement as computed again, with its digest and root.
static enum status
check_seat_documents(struct db *db, struct statement *statement, struct arena *arena,
                     char out_detail[SETTLE_DETAIL])
{
    static const char sql[] =
        "select f.format, d.body, r.detail from (values ('txt', 0), ('csv', 1), ('json', 2))"
        "  as f (format, number)"
        " left join statement_document d on d.period = $1 and d.seat = $2 and d.format = f.format"
        " left join period_event r on r.period = $1 and r.step = 7 order by f.number";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat)};
    enum status status = db_query(db, sql, params, 2, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        enum statement_format format = STATEMENT_TEXT;
        CHECK(statement_format_parse(db_get_text(rows, i, 0), &format) == STATUS_OK);
        statement->closed = true;
        statement->root = db_get_text(rows, i, 2);
        if (strcmp(db_get_text(rows, i, 1), statement_print(statement, format, arena)) != 0)
            status = differs(out_detail, "statement %s of %s: the %s sent is not the one closed",
                             statement->code, statement->period.name, db_get_text(rows, i, 0));
    }
    statement->root = "";
    db_rows_free(rows);
    return status;
}

static enum status
check_documents(struct db *db, const struct period *period, const struct db_rows *rows,
                struct arena *arena, char out_detail[SETTLE_DETAIL])
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < db_count(rows) && status == STATUS_OK; i++) {
        struct statement statement;
        status = statement_compute(db, (int32_t)db_get_int(rows, i, 0), period, arena, &statement);
        if (status != STATUS_OK) return status;
        statement.digest = hex_of(arena, db_get_bytes(rows, i, 3), db_get_len(rows, i, 3));
        status = check_seat_documents(db, &statement, arena, out_detail);
    }
    return status;
}

static enum status
check_statements(struct db *db, const struct period *period, const struct db_rows *rows,
                 struct arena *arena, char out_detail[SETTLE_DETAIL])
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < db_count(rows) && status == STATUS_OK; i++) {
        struct statement statement;
        const char *kept = db_get_text(rows, i, 2);
        struct digest digest = hash_sha256(kept, strlen(kept));
        status = statement_compute(db, (int32_t)db_get_int(rows, i, 0), period, arena, &statement);
        if (status != STATUS_OK) return status;
        if (db_get_len(rows, i, 3) != sizeof digest.bytes ||
            memcmp(db_get_bytes(rows, i, 3), digest.bytes, sizeof digest.bytes) != 0)
            return differs(out_detail, "statement %s of %s: its lines do not have its digest",
                           db_get_text(rows, i, 1), period->name);
        if (strcmp(kept, statement_print(&statement, STATEMENT_CSV, arena)) != 0)
            return differs(out_detail, "statement %s of %s: the ledger now gives other lines",
                           db_get_text(rows, i, 1), period->name);
    }
    return status;
}

// Puts the root's text together again from the fence and the statements.
static enum status
check_root(struct db *db, const struct period *period, const struct db_rows *statements,
           char out_detail[SETTLE_DETAIL])
{
    static const char sql[] = "select f.record, r.detail, r.record, f.from_us, f.until_us"
                              " from period_event f join period_event r"
                              " on r.period = f.period and r.step = 7"
                              " where f.period = $1 and f.step = 1";
    char *text = NULL;
    size_t len = 0;
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name)};
    enum status status = db_query(db, sql, params, 1, &rows);
    if (status != STATUS_OK || db_count(rows) != 1) goto done;
    FILE *out = open_memstream(&text, &len);
    CHECK(out != NULL);
    fprintf(out, "vendue period root 1\nperiod %s\n%s", period->name, db_get_text(rows, 0, 0));
    for (size_t i = 0; i < db_count(statements); i++) {
        fprintf(out, "statement %s ", db_get_text(statements, i, 1));
        put_hex(out, db_get_bytes(statements, i, 3), db_get_len(statements, i, 3));
        fputc('\n', out);
    }
    CHECK(fclose(out) == 0);
    struct digest root = hash_sha256(text, len);
    char hex[65];
    for (size_t i = 0; i < sizeof root.bytes; i++) snprintf(hex + 2 * i, 3, "%02x", root.bytes[i]);
    if (strcmp(hex, db_get_text(rows, 0, 1)) != 0 || strcmp(text, db_get_text(rows, 0, 2)) != 0)
        status = differs(out_detail, "period %s: its root is not that of its statements",
                         period->name);
    else if (db_get_int(rows, 0, 3) != period->from.us ||
             db_get_int(rows, 0, 4) != period->until.us)
        status = differs(out_detail, "period %s: its fence does not stand at its end",
                         period->name);
done:
    if (status == STATUS_OK && db_count(rows) != 1)
        status = differs(out_detail, "period %s: its fence or its root is missing", period->name);
    db_rows_free(rows);
    free(text);
    return status;
}

static enum status
check_bills(struct db *db, const struct period *period, char out_detail[SETTLE_DETAIL])
{
    static const char sql[] =
        "select s.code from seat s join ("
        " select seat, total_micros::numeric as micros from statement_total"
        "  where period = $1 and section = 'charged'"
        " union all"
        " select a.seat, -e.micros from entry e"
        "  join account a on a.currency = e.currency and a.account = e.account and a.code = 1120"
        "  where e.period = $1 and e.kind = 'bill') b on b.seat = s.id"
        " group by s.code having sum(b.micros) <> 0 order by s.code";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name)};
    enum status status = db_query(db, sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) > 0)
        status = differs(out_detail, "bill of %s for %s: not what its statement says",
                         db_get_text(rows, 0, 0), period->name);
    db_rows_free(rows);
    return status;
}

static enum status
check_period(struct db *db, const char *name, struct arena *arena, size_t *statements,
             char out_detail[SETTLE_DETAIL])
{
    static const char sql[] =
        "select t.seat, s.code, t.lines, t.digest from statement t join seat s on s.id = t.seat"
        " where t.period = $1 order by s.code collate \"C\"";
    struct period period;
    if (period_parse(name, strlen(name), &period) != STATUS_OK)
        return differs(out_detail, "'%s' is not a period", name);
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(name)};
    enum status status = db_query(db, sql, params, 1, &rows);
    if (status == STATUS_OK) status = check_statements(db, &period, rows, arena, out_detail);
    if (status == STATUS_OK) status = check_root(db, &period, rows, out_detail);
    if (status == STATUS_OK) status = check_documents(db, &period, rows, arena, out_detail);
    if (status == STATUS_OK) status = check_bills(db, &period, out_detail);
    if (status == STATUS_OK) *statements += db_count(rows);
    db_rows_free(rows);
    return status;
}

// Deposits come from no fact: each row has its transfer, and each transfer its row.
static enum status
check_deposits(struct db *db, char out_detail[SETTLE_DETAIL])
{
    static const char sql[] =
        "select coalesce(d.reference, t.reference, ''), coalesce(s.code, '')"
        " from (select * from transfer where kind = 'deposit') t"
        " full join deposit d on d.transfer_id = t.transfer_id"
        " left join seat s on s.id = coalesce(d.seat, t.seat)"
        " where (d.seat, d.reference, d.currency, d.amount_micros, d.period, t.state) is distinct"
        "  from (t.seat, t.reference, t.currency, t.amount_micros, t.period, 'posted')"
        " order by 2, 1";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status == STATUS_OK && db_count(rows) > 0)
        status = differs(out_detail, "deposit %s of %s: its transfer says something else",
                         db_get_text(rows, 0, 0), db_get_text(rows, 0, 1));
    db_rows_free(rows);
    return status;
}

static enum status
check_accounts(struct db *db, char out_detail[SETTLE_DETAIL])
{
    static const char sql[] =
        "select a.account, a.name, a.normal, coalesce(s.code, a.seat::text) from account a"
        " left join seat s on s.id = a.seat order by a.currency, a.account";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct account account = account_of_number(db_get_int(rows, i, 0));
        char name[ACCOUNT_TEXT] = "";
        bool known = account_known(account);
        if (known) account_name(account, db_get_text(rows, i, 3), name);
        const char *normal = known && account_debit_normal(account) ? "debit" : "credit";
        if (!known || strcmp(name, db_get_text(rows, i, 1)) != 0 ||
            strcmp(normal, db_get_text(rows, i, 2)) != 0)
            status = differs(out_detail, "account %" PRId64 ": it is named %s, not %s",
                             db_get_int(rows, i, 0), db_get_text(rows, i, 1), name);
    }
    db_rows_free(rows);
    return status;
}

enum status
settle_verify(struct db *db, char out_detail[SETTLE_DETAIL])
{
    size_t statements = 0;
    struct db_rows *rows = NULL;
    struct arena *arena = arena_open("verify");
    enum status status = db_query(
        db, "select period from period_event where step = 9 order by period", NULL, 0, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        status = check_period(db, db_get_text(rows, i, 0), arena, &statements, out_detail);
    if (status == STATUS_OK) status = check_deposits(db, out_detail);
    if (status == STATUS_OK) status = check_accounts(db, out_detail);
    if (status == STATUS_OK)
        snprintf(out_detail, SETTLE_DETAIL, "%zu statements of %zu closed periods", statements,
                 db_count(rows));
    db_rows_free(rows);
    arena_close(arena);
    return status;
}
