// PostgreSQL behind a thin, safe wrapper; db.c alone includes libpq. One connection, one thread.
// Parameters travel in binary form, never pasted into SQL text; so do results. The session has UTC,
// the search_path `vendue`, and limits on statements and locks. Times are kept as bigint,
// microseconds since 1970. A lost connection is a status, not the end of the process.
#ifndef VENDUE_DB_H
#define VENDUE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "hash.h"
#include "money.h"
#include "terms.h"

struct db;

// What the last failing call said, for people and for decisions.
struct db_fault {
    char sqlstate[6];  // "" when there is none (no connection, client side)
    char text[1024];   // one line
};

// Answers of all calls below:
//   STATUS_CLOSED    no connection, or it was lost (SQLSTATE 08xxx, 57P0x): open again
//   STATUS_AGAIN     the transaction lost a race or a time limit: run it again
//                    (40001, 40P01, 55P03, 57014, 53300)
//   STATUS_CONFLICT  a constraint refused it (23xxx)
//   STATUS_DENIED    no permission (42501, 28xxx)
//   STATUS_FULL      no room on the server (53100, 53200)
//   STATUS_INPUT     a value cannot be used (22xxx)
//   STATUS_IO        anything else the server said

// `program` names the session in pg_stat_activity. Waits at most 5 seconds. out_fault may be NULL.
MUST_CHECK enum status db_open(const char *connection, const char *program, struct db **out_db,
                               struct db_fault *out_fault);
void db_close(struct db *db);  // NULL is allowed
bool db_alive(const struct db *db);
const struct db_fault *db_fault(const struct db *db);  // of the last failing call

// --- Parameters: $1, $2, ... ---------------------------------------------------------------------
enum db_type {
    DB_NULL,
    DB_INT4,
    DB_INT8,
    DB_TEXT,
    DB_BYTES,
    DB_ID,
    DB_INT4_ARRAY,
    DB_INT8_ARRAY,
    DB_TEXT_ARRAY,
    DB_ID_ARRAY  // no nulls inside
};
struct db_param {
    enum db_type type;
    int64_t integer;
    struct id id;
    const void *data;  // not owned
    size_t count;      // bytes, or items of an array
};
static inline struct db_param
db_null(void)
{
    return (struct db_param){.type = DB_NULL};
}
static inline struct db_param
db_int4(int32_t value)
{
    return (struct db_param){.type = DB_INT4, .integer = value};
}
static inline struct db_param
db_int8(int64_t value)
{
    return (struct db_param){.type = DB_INT8, .integer = value};
}
static inline struct db_param
db_money(money value)
{
    return db_int8(value.micros);
}
static inline struct db_param
db_time(usec value)
{
    return db_int8(value.us);
}
static inline struct db_param
db_id(struct id value)
{
    return (struct db_param){.type = DB_ID, .id = value};
}
struct db_param db_text(const char *text);  // NULL: SQL null
struct db_param db_text_len(const char *text, size_t len);
struct db_param db_bytes(const void *data, size_t len);
struct db_param db_int4_array(const int32_t *items, size_t count);
struct db_param db_int8_array(const int64_t *items, size_t count);
struct db_param db_text_array(const char *const *items, size_t count);
struct db_param db_id_array(const struct id *items, size_t count);

// --- Statements ----------------------------------------------------------------------------------
struct db_rows;
// One statement. `out_rows` may be NULL when the answer's rows do not matter.
MUST_CHECK enum status db_query(struct db *db, const char *sql, const struct db_param *params,
                                size_t count, struct db_rows **out_rows);
// The same without rows; gives the number of rows changed (out_changed may be NULL).
MUST_CHECK enum status db_run(struct db *db, const char *sql, const struct db_param *params,
                              size_t count, uint64_t *out_changed);
// Several statements in one text, without parameters (migrations, set-up).
MUST_CHECK enum status db_script(struct db *db, const char *sql);

MUST_CHECK enum status db_begin(struct db *db);
// STATUS_CLOSED: the answer was lost; whether it took place must be read from the database.
MUST_CHECK enum status db_commit(struct db *db);
void db_rollback(struct db *db);  // no transaction or no connection: does nothing

// --- Rows: a getter of another type than the column's is a bug (CHECK) ---------------------------
size_t db_count(const struct db_rows *rows);
size_t db_columns(const struct db_rows *rows);
bool db_is_null(const struct db_rows *rows, size_t row, size_t column);
bool db_get_bool(const struct db_rows *rows, size_t row, size_t column);
// smallint, integer, bigint; null: 0
int64_t db_get_int(const struct db_rows *rows, size_t row, size_t column);
// text, varchar, name, json, jsonb; null: ""; lives as long as the rows
const char *db_get_text(const struct db_rows *rows, size_t row, size_t column);
size_t db_get_len(const struct db_rows *rows, size_t row, size_t column);  // of a text or bytea
const void *db_get_bytes(const struct db_rows *rows, size_t row, size_t column);
struct id db_get_id(const struct db_rows *rows, size_t row, size_t column);  // uuid; null: zero
static inline usec
db_get_time(const struct db_rows *rows, size_t row, size_t column)
{
    return (usec){db_get_int(rows, row, column)};
}
static inline money
db_get_money(const struct db_rows *rows, size_t row, size_t column)
{
    return money_of(db_get_int(rows, row, column));
}
void db_rows_free(struct db_rows *rows);  // NULL is allowed

// --- Bulk load: COPY in binary form, inside a transaction ----------------------------------------
// Number and types of a row's values must be the table's: a difference is refused by the server.
// `table_and_columns`: "event (log, batch)".
MUST_CHECK enum status db_copy_begin(struct db *db, const char *table_and_columns);
void db_copy_row(struct db *db, unsigned columns);
void db_copy_null(struct db *db);
void db_copy_bool(struct db *db, bool value);
void db_copy_int2(struct db *db, int16_t value);
void db_copy_int4(struct db *db, int32_t value);
void db_copy_int8(struct db *db, int64_t value);
void db_copy_numeric(struct db *db, int64_t value);  // a whole number into a numeric column
void db_copy_int4_array(struct db *db, const int32_t *items, size_t count);
void db_copy_text(struct db *db, const char *text, size_t len);
void db_copy_bytes(struct db *db, const void *data, size_t len);
void db_copy_id(struct db *db, struct id id);
// Ends the load; errors of any row since db_copy_begin come out here.
MUST_CHECK enum status db_copy_end(struct db *db, uint64_t *out_rows);

#endif
