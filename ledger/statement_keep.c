// What a close keeps of a statement, and whether it is still what the ledger says.
//
//  1 The CSV and its SHA-256 are kept first (step 5 of the close); the period's root is made of
//    these digests. Totals of sections are kept for the next close, and for the bill.
//  2 When the root is known, every document is kept (step 7): text in statement_document, others
//    with their own SHA-256 in statement_file.
//  3 Checking prints the statement again and compares bytes. A PDF is made by a library, whose next
//    version may write other bytes for the same page: then it must still have the digest it was
//    kept with, and the text of its statement is compared all the same.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "statement_inside.h"

static enum status differs(char out_fault[STATEMENT_FAULT], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum status
differs(char out_fault[STATEMENT_FAULT], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out_fault, STATEMENT_FAULT, format, arguments);
    va_end(arguments);
    return STATUS_CONFLICT;
}

static enum status
store_totals(struct db *db, const struct statement *statement)
{
    static const char sql[] =
        "insert into statement_total (period, seat, section, currency, sum_micros,"
        " carried_in_micros, total_micros, carried_out_micros)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)";
    enum status status = STATUS_OK;
    for (int i = 0; i < SECTION_COUNT && status == STATUS_OK; i++) {
        const struct section *section = &statement->sections[i];
        if (statement_section_empty(section)) continue;
        const struct db_param params[] = {
            db_text(statement->period.name),
            db_int4(statement->seat),
            db_text(section_name((enum section_kind)i)),
            db_text(statement->currency.code),
            db_money(section->sum),
            db_money(section->carried_in),
            db_money(section->total),
            db_money(section->carried_out),
        };
        status = db_run(db, sql, params, 8, NULL);
    }
    return status;
}

enum status
statement_store(struct db *db, const struct statement *statement, struct arena *arena,
                struct digest *out_digest)
{
    const char *lines = statement_print(statement, STATEMENT_CSV, arena);
    *out_digest = hash_sha256(lines, strlen(lines));
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat),
                                      db_text(lines),
                                      db_bytes(out_digest->bytes, sizeof out_digest->bytes)};
    enum status status = db_run(
        db, "insert into statement (period, seat, lines, digest) values ($1, $2, $3, $4)", params,
        4, NULL);
    return status == STATUS_OK ? store_totals(db, statement) : status;
}

static enum status
keep_text(struct db *db, const struct statement *statement, enum statement_format format,
          struct arena *arena)
{
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat),
                                      db_text(statement_format_suffix(format)),
                                      db_text(statement_print(statement, format, arena))};
    return db_run(db,
                  "insert into statement_document (period, seat, format, body)"
                  " values ($1, $2, $3, $4)",
                  params, 4, NULL);
}

static enum status
keep_file(struct db *db, const struct statement *statement, enum statement_format format,
          struct arena *arena)
{
    size_t len = 0;
    const char *bytes = statement_document(statement, format, arena, &len);
    struct digest digest = hash_sha256(bytes, len);
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat),
                                      db_text(statement_format_suffix(format)),
                                      db_bytes(bytes, len),
                                      db_bytes(digest.bytes, sizeof digest.bytes)};
    return db_run(db,
                  "insert into statement_file (period, seat, format, body, digest)"
                  " values ($1, $2, $3, $4, $5)",
                  params, 5, NULL);
}

enum status
statement_keep(struct db *db, const struct statement *statement, struct arena *arena)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < STATEMENT_FORMAT_COUNT && status == STATUS_OK; i++) {
        enum statement_format format = (enum statement_format)i;
        if (!statement_has(statement, format)) continue;
        status = format <= STATEMENT_JSON ? keep_text(db, statement, format, arena)
                                          : keep_file(db, statement, format, arena);
    }
    return status;
}

// --- Checking ------------------------------------------------------------------------------------

static enum status
check_lines(struct db *db, const struct statement *statement, struct arena *arena,
            char out_fault[STATEMENT_FAULT])
{
    static const char sql[] = "select lines, digest from statement where period = $1 and seat = $2";
    const char *lines = statement_print(statement, STATEMENT_CSV, arena);
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat)};
    enum status status = db_query(db, sql, params, 2, &rows);
    if (status != STATUS_OK) return status;
    if (db_count(rows) != 1) {
        status = differs(out_fault, "statement %s of %s: it is not there", statement->code,
                         statement->period.name);
    } else {
        const char *kept = db_get_text(rows, 0, 0);
        struct digest digest = hash_sha256(kept, strlen(kept));
        if (db_get_len(rows, 0, 1) != sizeof digest.bytes ||
            memcmp(db_get_bytes(rows, 0, 1), digest.bytes, sizeof digest.bytes) != 0)
            status = differs(out_fault, "statement %s of %s: its lines do not have its digest",
                             statement->code, statement->period.name);
        else if (strcmp(kept, lines) != 0)
            status = differs(out_fault, "statement %s of %s: the ledger now gives other lines",
                             statement->code, statement->period.name);
    }
    db_rows_free(rows);
    return status;
}

static bool
same_totals(const struct statement *statement, const struct db_rows *rows)
{
    size_t row = 0;
    for (int i = 0; i < SECTION_COUNT; i++) {
        const struct section *section = &statement->sections[i];
        if (statement_section_empty(section)) continue;
        size_t at = 0;
        while (at < db_count(rows) &&
               strcmp(db_get_text(rows, at, 0), section_name((enum section_kind)i)) != 0)
            at++;
        if (at == db_count(rows) ||
            strcmp(db_get_text(rows, at, 1), statement->currency.code) != 0 ||
            db_get_int(rows, at, 2) != section->sum.micros ||
            db_get_int(rows, at, 3) != section->carried_in.micros ||
            db_get_int(rows, at, 4) != section->total.micros ||
            db_get_int(rows, at, 5) != section->carried_out.micros)
            return false;
        row++;
    }
    return row == db_count(rows);
}

static enum status
check_totals(struct db *db, const struct statement *statement, char out_fault[STATEMENT_FAULT])
{
    static const char sql[] =
        "select section, currency, sum_micros, carried_in_micros, total_micros, carried_out_micros"
        " from statement_total where period = $1 and seat = $2";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat)};
    enum status status = db_query(db, sql, params, 2, &rows);
    if (status == STATUS_OK && !same_totals(statement, rows))
        status = differs(out_fault, "statement %s of %s: its totals are not those of its lines",
                         statement->code, statement->period.name);
    db_rows_free(rows);
    return status;
}

// Totals and documents without a statement: of this seat in any period, or of a seat that has none.
static enum status
check_strays(struct db *db, const struct statement *statement, char out_fault[STATEMENT_FAULT])
{
    static const char sql[] =
        "select x.what, x.period, x.seat from ("
        " select 'total' as what, period, seat from statement_total"
        " union all select 'document', period, seat from statement_document"
        " union all select 'file', period, seat from statement_file) x"
        " where (x.seat = $1 or not exists (select 1 from statement s where s.seat = x.seat))"
        " and not exists (select 1 from statement s where s.seat = x.seat and s.period = x.period)"
        " limit 1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4(statement->seat)};
    enum status status = db_query(db, sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) > 0)
        status = differs(out_fault, "a %s of %s of seat %lld belongs to no statement",
                         db_get_text(rows, 0, 0), db_get_text(rows, 0, 1),
                         (long long)db_get_int(rows, 0, 2));
    db_rows_free(rows);
    return status;
}

// Rule 3.
static bool
same_document(const struct statement *statement, enum statement_format format,
              const struct db_rows *rows, size_t row, struct arena *arena)
{
    size_t len = 0, kept_len = db_get_len(rows, row, 1);
    const void *kept = db_get_bytes(rows, row, 1);
    const char *now = statement_document(statement, format, arena, &len);
    bool same = kept_len == len && memcmp(kept, now, len) == 0;
    if (format <= STATEMENT_JSON) return same;
    struct digest digest = hash_sha256(kept, kept_len);
    if (db_get_len(rows, row, 2) != sizeof digest.bytes ||
        memcmp(db_get_bytes(rows, row, 2), digest.bytes, sizeof digest.bytes) != 0)
        return false;
    return same || (format == STATEMENT_PDF && !statement_pdf_same_library(kept, kept_len));
}

static enum status
check_documents(struct db *db, const struct statement *statement, struct arena *arena,
                char out_fault[STATEMENT_FAULT])
{
    static const char sql[] =
        "select format, convert_to(body, 'UTF8'), null::bytea from statement_document"
        " where period = $1 and seat = $2"
        " union all select format, body, digest from statement_file"
        " where period = $1 and seat = $2";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat)};
    enum status status = db_query(db, sql, params, 2, &rows);
    size_t known = 0;
    for (int i = 0; i < STATEMENT_FORMAT_COUNT && status == STATUS_OK; i++) {
        enum statement_format format = (enum statement_format)i;
        size_t row = 0;
        while (row < db_count(rows) &&
               strcmp(db_get_text(rows, row, 0), statement_format_suffix(format)) != 0)
            row++;
        bool kept = row < db_count(rows), has = statement_has(statement, format);
        known += kept;
        if (kept == has && (!has || same_document(statement, format, rows, row, arena))) continue;
        status = differs(out_fault, "statement %s of %s: the %s sent is not the one closed",
                         statement->code, statement->period.name, statement_format_suffix(format));
    }
    if (status == STATUS_OK && known != db_count(rows))
        status = differs(out_fault, "statement %s of %s: a document was put in", statement->code,
                         statement->period.name);
    db_rows_free(rows);
    return status;
}

enum status
statement_check(struct db *db, const struct statement *statement, struct arena *arena,
                char out_fault[STATEMENT_FAULT])
{
    enum status status = check_lines(db, statement, arena, out_fault);
    if (status == STATUS_OK) status = check_totals(db, statement, out_fault);
    if (status == STATUS_OK) status = check_strays(db, statement, out_fault);
    return status == STATUS_OK ? check_documents(db, statement, arena, out_fault) : status;
}
