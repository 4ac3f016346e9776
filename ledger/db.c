// PostgreSQL behind a thin, safe wrapper. The only file that includes libpq.
//
// 1 Every statement goes through PQexecParams in the extended protocol: parameters and results in
//   binary form, parameter types named, so nothing is quoted, escaped or guessed.
// 2 A failing call leaves its one-line message and SQLSTATE in the connection; callers decide by
//   status.
// 3 The session's settings (UTC, search_path, limits) travel in the connection string's
//   `options`, so that they hold from the first statement on. No statement is compiled: views over
//   many partitions took a hundred times longer to compile than to run.
// 4 COPY collects rows in one buffer and hands it on when it is full; an error on the way is
//   remembered and told by db_copy_end, so that callers check once. Text that is not UTF-8 goes
//   in as "\\x" and its bytes in hex: foreign keys come from outside, and one bad byte must not
//   stop a whole batch.
#include "db.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "param.h"

#define COPY_BYTES (64 * 1024)

struct db {
    PGconn *connection;
    struct db_fault fault;
    bool in_transaction;
    bool copying;
    enum status copy_status;
    size_t copy_used;
    uint8_t copy[COPY_BYTES];
};
struct db_rows {
    PGresult *result;
};

static void
keep_fault(struct db_fault *fault, const char *sqlstate, const char *message)
{
    snprintf(fault->sqlstate, sizeof fault->sqlstate, "%s", sqlstate ? sqlstate : "");
    size_t used = 0;
    for (const char *at = message ? message : ""; *at && used + 1 < sizeof fault->text; at++) {
        fault->text[used++] = *at == '\n' || *at == '\r' || *at == '\t' ? ' ' : *at;
    }
    while (used && fault->text[used - 1] == ' ') {
        used--;
    }
    fault->text[used] = 0;
}

static enum status
status_of(const char *sqlstate, bool connected)
{
    if (!connected || !strncmp(sqlstate, "08", 2) || !strncmp(sqlstate, "57P0", 4)) {
        return STATUS_CLOSED;
    }
    static const char *const again[] = {"40001", "40P01", "55P03", "57014", "53300"};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        if (!strcmp(sqlstate, again[i])) {
            return STATUS_AGAIN;
        }
    }
    if (!strncmp(sqlstate, "23", 2)) {
        return STATUS_CONFLICT;
    }
    if (!strcmp(sqlstate, "42501") || !strncmp(sqlstate, "28", 2)) {
        return STATUS_DENIED;
    }
    if (!strcmp(sqlstate, "53100") || !strcmp(sqlstate, "53200")) {
        return STATUS_FULL;
    }
    return !strncmp(sqlstate, "22", 2) ? STATUS_INPUT : STATUS_IO;
}

// Keeps what went wrong with `result` (NULL: the connection itself) and says its status.
static enum status
failed(struct db *db, const PGresult *result)
{
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result ? PQresultErrorMessage(result) : PQerrorMessage(db->connection);
    if (!message || !*message) {
        message = PQerrorMessage(db->connection);
    }
    keep_fault(&db->fault, sqlstate, message);
    bool connected = PQstatus(db->connection) == CONNECTION_OK;
    return status_of(db->fault.sqlstate, connected);
}

// Our session settings behind the caller's own `options`, so that both hold. NULL: not a connection
// string, which PQconnectdbParams then says in its own words.
static char *
merge_options(const char *connection)
{
    static const char ours[] =
        "-c timezone=UTC -c search_path=vendue -c statement_timeout=60000"
        " -c lock_timeout=10000 -c idle_in_transaction_session_timeout=120000"
        " -c client_min_messages=warning -c jit=off";
    PQconninfoOption *parsed = PQconninfoParse(connection, NULL);
    if (!parsed) return NULL;
    const char *theirs = "";
    for (const PQconninfoOption *one = parsed; one->keyword; one++) {
        if (strcmp(one->keyword, "options") == 0 && one->val) theirs = one->val;
    }
    size_t room = strlen(theirs) + sizeof ours + 1;
    char *merged = malloc(room);
    CHECK(merged);
    snprintf(merged, room, "%s %s", theirs, ours);
    PQconninfoFree(parsed);
    return merged;
}

enum status
db_open(const char *connection, const char *program, struct db **out_db, struct db_fault *out_fault)
{
    // A keyword that comes later wins: our defaults, then the caller's string, then what must hold.
    char *options = merge_options(connection);
    const char *const keys[] = {"connect_timeout", "keepalives_idle",  "tcp_user_timeout", "dbname",
                                "options",         "application_name", "client_encoding",  NULL};
    const char *const values[] = {"5", "10", "15000", connection, options, program, "UTF8", NULL};
    struct db *db = calloc(1, sizeof *db);
    CHECK(db);
    db->connection = PQconnectdbParams(keys, values, 1);
    free(options);
    CHECK(db->connection);
    if (PQstatus(db->connection) != CONNECTION_OK) {
        keep_fault(&db->fault, "", PQerrorMessage(db->connection));
        if (out_fault) *out_fault = db->fault;
        db_close(db);
        return STATUS_CLOSED;
    }
    *out_db = db;
    return STATUS_OK;
}

void
db_close(struct db *db)
{
    if (db) {
        PQfinish(db->connection);
        free(db);
    }
}

bool
db_alive(const struct db *db)
{
    return PQstatus(db->connection) == CONNECTION_OK;
}

const struct db_fault *
db_fault(const struct db *db)
{
    return &db->fault;
}

// --- Statements --------------------------------------------------------------------------------

static enum status
execute(struct db *db, const char *sql, const struct db_param *params, size_t count,
        PGresult **out_result)
{
    CHECK(!db->copying);
    struct param_encoded encoded;
    param_encode(&encoded, params, count);
    PGresult *result = PQexecParams(db->connection, sql, (int)count, encoded.types, encoded.values,
                                    encoded.lengths, encoded.formats, 1);
    param_free(&encoded, count);
    ExecStatusType state = PQresultStatus(result);
    if (state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK) {
        *out_result = result;
        return STATUS_OK;
    }
    enum status status = failed(db, result);
    PQclear(result);
    return status;
}

enum status
db_query(struct db *db, const char *sql, const struct db_param *params, size_t count,
         struct db_rows **out_rows)
{
    PGresult *result = NULL;
    enum status status = execute(db, sql, params, count, &result);
    if (status != STATUS_OK || !out_rows) {
        PQclear(result);
        return status;
    }
    struct db_rows *rows = malloc(sizeof *rows);
    CHECK(rows);
    rows->result = result;
    *out_rows = rows;
    return STATUS_OK;
}

enum status
db_run(struct db *db, const char *sql, const struct db_param *params, size_t count,
       uint64_t *out_changed)
{
    PGresult *result = NULL;
    enum status status = execute(db, sql, params, count, &result);
    if (status == STATUS_OK && out_changed) {
        *out_changed = strtoull(PQcmdTuples(result), NULL, 10);
    }
    PQclear(result);
    return status;
}

enum status
db_script(struct db *db, const char *sql)
{
    CHECK(!db->copying);
    PGresult *result = PQexec(db->connection, sql);
    ExecStatusType state = PQresultStatus(result);
    enum status status = STATUS_OK;
    if (state != PGRES_COMMAND_OK && state != PGRES_TUPLES_OK && state != PGRES_EMPTY_QUERY) {
        status = failed(db, result);
    }
    PQclear(result);
    return status;
}

enum status
db_begin(struct db *db)
{
    CHECK(!db->in_transaction);
    enum status status = db_script(db, "begin");
    db->in_transaction = status == STATUS_OK;
    return status;
}

enum status
db_commit(struct db *db)
{
    CHECK(db->in_transaction);
    db->in_transaction = false;
    PGresult *result = PQexec(db->connection, "commit");
    enum status status = STATUS_OK;
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        status = failed(db, result);
    } else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        // A transaction that had failed before answers COMMIT with ROLLBACK and no error.
        keep_fault(&db->fault, "25P02", "the transaction had failed and was rolled back");
        status = STATUS_IO;
    }
    PQclear(result);
    return status;
}

void
db_rollback(struct db *db)
{
    if (db->copying) {
        db->copying = false;
        PQputCopyEnd(db->connection, "given up");
        for (PGresult *result; (result = PQgetResult(db->connection));) {
            PQclear(result);
        }
    }
    if (db->in_transaction) {
        db->in_transaction = false;
        PQclear(PQexec(db->connection, "rollback"));
    }
}

// --- Rows --------------------------------------------------------------------------------------

size_t
db_count(const struct db_rows *rows)
{
    return (size_t)PQntuples(rows->result);
}

size_t
db_columns(const struct db_rows *rows)
{
    return (size_t)PQnfields(rows->result);
}

bool
db_is_null(const struct db_rows *rows, size_t row, size_t column)
{
    CHECK(row < db_count(rows) && column < db_columns(rows));
    return PQgetisnull(rows->result, (int)row, (int)column);
}

// The bytes of a value, NULL when it is null.
static const char *
value_of(const struct db_rows *rows, size_t row, size_t column, size_t *out_len)
{
    if (db_is_null(rows, row, column)) {
        *out_len = 0;
        return NULL;
    }
    *out_len = (size_t)PQgetlength(rows->result, (int)row, (int)column);
    return PQgetvalue(rows->result, (int)row, (int)column);
}

static Oid
type_of(const struct db_rows *rows, size_t column)
{
    return PQftype(rows->result, (int)column);
}

bool
db_get_bool(const struct db_rows *rows, size_t row, size_t column)
{
    size_t len;
    const char *value = value_of(rows, row, column, &len);
    CHECK(type_of(rows, column) == OID_BOOL);
    return value && value[0];
}

int64_t
db_get_int(const struct db_rows *rows, size_t row, size_t column)
{
    size_t len;
    const char *value = value_of(rows, row, column, &len);
    Oid type = type_of(rows, column);
    CHECK(type == OID_INT2 || type == OID_INT4 || type == OID_INT8);
    if (!value) {
        return 0;
    }
    uint64_t bits = param_get(value, (unsigned)len);
    return len == 2 ? (int16_t)bits : len == 4 ? (int32_t)bits : (int64_t)bits;
}

// jsonb's binary form begins with a version byte; the text follows.
static size_t
text_offset(const struct db_rows *rows, size_t column)
{
    Oid type = type_of(rows, column);
    CHECK(type == OID_TEXT || type == OID_VARCHAR || type == OID_BPCHAR || type == OID_NAME ||
          type == OID_JSON || type == OID_JSONB || type == OID_UNKNOWN || type == OID_BYTEA);
    return type == OID_JSONB ? 1 : 0;
}

const char *
db_get_text(const struct db_rows *rows, size_t row, size_t column)
{
    size_t len;
    const char *value = value_of(rows, row, column, &len);
    size_t offset = text_offset(rows, column);
    return value ? value + offset : "";
}

size_t
db_get_len(const struct db_rows *rows, size_t row, size_t column)
{
    size_t len;
    const char *value = value_of(rows, row, column, &len);
    return value ? len - text_offset(rows, column) : 0;
}

const void *
db_get_bytes(const struct db_rows *rows, size_t row, size_t column)
{
    size_t len;
    const char *value = value_of(rows, row, column, &len);
    CHECK(type_of(rows, column) == OID_BYTEA);
    return value ? value : "";
}

struct id
db_get_id(const struct db_rows *rows, size_t row, size_t column)
{
    size_t len;
    const char *value = value_of(rows, row, column, &len);
    CHECK(type_of(rows, column) == OID_UUID);
    struct id id = {{0}};
    if (value) {
        memcpy(id.bytes, value, sizeof id.bytes);
    }
    return id;
}

void
db_rows_free(struct db_rows *rows)
{
    if (rows) {
        PQclear(rows->result);
        free(rows);
    }
}

// --- Bulk load ---------------------------------------------------------------------------------

static void
copy_flush(struct db *db)
{
    if (db->copy_status == STATUS_OK && db->copy_used &&
        PQputCopyData(db->connection, (const char *)db->copy, (int)db->copy_used) != 1) {
        db->copy_status = failed(db, NULL);
    }
    db->copy_used = 0;
}

static void
copy_put(struct db *db, const void *data, size_t len)
{
    CHECK(db->copying);
    while (len) {
        if (db->copy_used == COPY_BYTES) {
            copy_flush(db);
        }
        size_t part = len < COPY_BYTES - db->copy_used ? len : COPY_BYTES - db->copy_used;
        memcpy(db->copy + db->copy_used, data, part);
        db->copy_used += part;
        data = (const uint8_t *)data + part;
        len -= part;
    }
}

static void
copy_integer(struct db *db, uint64_t value, unsigned bytes)
{
    uint8_t out[12];
    param_put(param_put(out, bytes, 4), value, bytes);
    copy_put(db, out, 4 + bytes);
}

enum status
db_copy_begin(struct db *db, const char *table_and_columns)
{
    CHECK(!db->copying);
    char sql[1024];
    int len = snprintf(sql, sizeof sql, "copy %s from stdin (format binary)", table_and_columns);
    CHECK(len > 0 && (size_t)len < sizeof sql);
    PGresult *result = PQexec(db->connection, sql);
    if (PQresultStatus(result) != PGRES_COPY_IN) {
        enum status status = failed(db, result);
        PQclear(result);
        return status;
    }
    PQclear(result);
    db->copying = true;
    db->copy_status = STATUS_OK;
    db->copy_used = 0;
    static const char header[19] =
        "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";  // signature, flags, no extension
    copy_put(db, header, sizeof header);
    return STATUS_OK;
}

void
db_copy_row(struct db *db, unsigned columns)
{
    uint8_t out[2];
    param_put(out, columns, 2);
    copy_put(db, out, 2);
}

void
db_copy_null(struct db *db)
{
    copy_put(db, "\377\377\377\377", 4);
}

void
db_copy_bool(struct db *db, bool value)
{
    copy_integer(db, value, 1);
}

void
db_copy_int2(struct db *db, int16_t value)
{
    copy_integer(db, (uint64_t)value, 2);
}

void
db_copy_int4(struct db *db, int32_t value)
{
    copy_integer(db, (uint64_t)value, 4);
}

void
db_copy_int8(struct db *db, int64_t value)
{
    copy_integer(db, (uint64_t)value, 8);
}

// Digits of 10,000 each, the highest first and none of them zero at either end.
void
db_copy_numeric(struct db *db, int64_t value)
{
    uint16_t digits[5];
    unsigned count = 0, low = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (; rest; rest /= 10000) digits[count++] = (uint16_t)(rest % 10000);
    while (low < count && digits[low] == 0) low++;
    uint8_t out[4 + 8 + sizeof digits], *at = param_put(out, 8 + 2 * (count - low), 4);
    at = param_put(at, count - low, 2);
    at = param_put(at, count ? count - 1 : 0, 2);   // weight of the first digit
    at = param_put(at, value < 0 ? 0x4000 : 0, 2);  // sign
    at = param_put(at, 0, 2);                       // no decimals
    for (unsigned i = count; i > low; i--) at = param_put(at, digits[i - 1], 2);
    copy_put(db, out, (size_t)(at - out));
}

void
db_copy_int4_array(struct db *db, const int32_t *items, size_t count)
{
    uint8_t out[24], *at = param_put(out, (count ? 20 : 12) + 8 * count, 4);
    at = param_put(at, count ? 1 : 0, 4);  // dimensions
    at = param_put(at, 0, 4);              // no nulls
    at = param_put(at, OID_INT4, 4);
    if (count) at = param_put(param_put(at, count, 4), 1, 4);
    copy_put(db, out, (size_t)(at - out));
    for (size_t i = 0; i < count; i++) copy_integer(db, (uint64_t)items[i], 4);
}

void
db_copy_text(struct db *db, const char *text, size_t len)
{
    if (param_is_utf8(text, len)) {
        db_copy_bytes(db, text, len);
        return;
    }
    uint8_t out[4];
    param_put(out, 2 + 2 * len, 4);
    copy_put(db, out, 4);
    copy_put(db, "\\x", 2);
    for (size_t i = 0; i < len; i++) {
        char hex[3];
        snprintf(hex, sizeof hex, "%02x", (uint8_t)text[i]);
        copy_put(db, hex, 2);
    }
}

void
db_copy_bytes(struct db *db, const void *data, size_t len)
{
    CHECK(len < INT32_MAX);
    uint8_t out[4];
    param_put(out, len, 4);
    copy_put(db, out, 4);
    copy_put(db, data, len);
}

void
db_copy_id(struct db *db, struct id id)
{
    db_copy_bytes(db, id.bytes, sizeof id.bytes);
}

enum status
db_copy_end(struct db *db, uint64_t *out_rows)
{
    copy_put(db, "\377\377", 2);
    copy_flush(db);
    db->copying = false;
    enum status status = db->copy_status;
    if (PQputCopyEnd(db->connection, status == STATUS_OK ? NULL : "given up") != 1 &&
        status == STATUS_OK) {
        status = failed(db, NULL);
    }
    for (PGresult *result; (result = PQgetResult(db->connection));) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && status == STATUS_OK) {
            status = failed(db, result);
        } else if (out_rows && status == STATUS_OK) {
            *out_rows = strtoull(PQcmdTuples(result), NULL, 10);
        }
        PQclear(result);
    }
    return status;
}
