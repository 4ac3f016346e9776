// Tests of db.c against a real server: every type there and back, errors by their status,
// transactions, bulk load, a lost connection.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "postgres.h"

static char connection[POSTGRES_TEXT];

static struct db *
open_db(void)
{
    struct db *db = NULL;
    struct db_fault fault;
    assert_int_equal(db_open(connection, "db_test", &db, &fault), STATUS_OK);
    return db;
}

static int
set_up(void **state)
{
    (void)state;
    postgres_database(connection);
    struct db *db = open_db();
    assert_int_equal(db_script(db, "create schema vendue"), STATUS_OK);
    db_close(db);
    return 0;
}

static struct db_rows *
ask(struct db *db, const char *sql, const struct db_param *params, size_t count)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, params, count, &rows);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    return rows;
}

static void
session_is_utc_and_limited(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct db_rows *rows = ask(
        db,
        "select current_setting('TimeZone'), current_setting('search_path'),"
        " current_setting('statement_timeout'), current_setting('lock_timeout'),"
        " current_setting('application_name')",
        NULL, 0);
    assert_string_equal(db_get_text(rows, 0, 0), "UTC");
    assert_string_equal(db_get_text(rows, 0, 1), "vendue");
    assert_string_equal(db_get_text(rows, 0, 2), "1min");
    assert_string_equal(db_get_text(rows, 0, 3), "10s");
    assert_string_equal(db_get_text(rows, 0, 4), "db_test");
    db_rows_free(rows);
    db_close(db);
}

static void
options_of_the_caller_hold_too(void **state)
{
    (void)state;
    char text[POSTGRES_TEXT + 64];
    snprintf(text, sizeof text, "%s options='-c role=pg_monitor -c timezone=Asia/Tokyo'",
             connection);
    struct db *db = NULL;
    assert_int_equal(db_open(text, "db_test", &db, NULL), STATUS_OK);
    struct db_rows *rows = ask(db, "select current_user, current_setting('TimeZone')", NULL, 0);
    assert_string_equal(db_get_text(rows, 0, 0), "pg_monitor");
    assert_string_equal(db_get_text(rows, 0, 1), "UTC");
    db_rows_free(rows);
    db_close(db);
    struct db_fault fault;
    assert_int_equal(db_open("nonsense = = 1", "db_test", &db, &fault), STATUS_CLOSED);
    assert_true(fault.text[0] != 0);
}

static void
scalars_there_and_back(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct id id;
    for (int i = 0; i < 16; i++) id.bytes[i] = (uint8_t)(i * 17);
    static const int64_t integers[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        const struct db_param params[] = {db_int8(integers[i]),
                                          db_int4((int32_t)integers[i]),
                                          db_int4(0),
                                          db_text("it's; drop \"table\" -- \\"),
                                          db_bytes("\0\1\377", 3),
                                          db_id(id),
                                          db_null(),
                                          db_text("")};
        struct db_rows *rows = ask(
            db,
            "select $1, $2, $1 < $3, $4, $5, $6, $7::text, $8, $1::text, $6::text, "
            "($2 % 100)::smallint",
            params, 8);
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)integers[i]);
        assert_int_equal(db_get_int(rows, 0, 0), integers[i]);
        assert_int_equal(db_get_int(rows, 0, 1), (int32_t)integers[i]);
        assert_int_equal(db_get_bool(rows, 0, 2), integers[i] < 0);
        assert_string_equal(db_get_text(rows, 0, 3), "it's; drop \"table\" -- \\");
        assert_int_equal(db_get_len(rows, 0, 4), 3);
        assert_memory_equal(db_get_bytes(rows, 0, 4), "\0\1\377", 3);
        assert_true(id_same(db_get_id(rows, 0, 5), id));
        assert_true(db_is_null(rows, 0, 6));
        assert_string_equal(db_get_text(rows, 0, 6), "");
        assert_false(db_is_null(rows, 0, 7));
        assert_string_equal(db_get_text(rows, 0, 8), text);
        assert_string_equal(db_get_text(rows, 0, 9), "00112233-4455-6677-8899-aabbccddeeff");
        assert_int_equal(db_get_int(rows, 0, 10), (int32_t)integers[i] % 100);
        db_rows_free(rows);
    }
    struct db_rows *rows = ask(db, "select '{\"a\": 1}'::jsonb, '[2]'::json", NULL, 0);
    assert_string_equal(db_get_text(rows, 0, 0), "{\"a\": 1}");
    assert_int_equal(db_get_len(rows, 0, 0), 8);
    assert_string_equal(db_get_text(rows, 0, 1), "[2]");
    db_rows_free(rows);
    db_close(db);
}

static void
arrays_and_unnest(void **state)
{
    (void)state;
    struct db *db = open_db();
    const int32_t fours[] = {1, -2, 3};
    const int64_t eights[] = {INT64_MIN, 0, INT64_MAX};
    const char *texts[] = {"", "b,{}\"", "c"};
    struct id ids[3] = {{{1}}, {{2}}, {{3}}};
    const struct db_param params[] = {db_int4_array(fours, 3), db_int8_array(eights, 3),
                                      db_text_array(texts, 3), db_id_array(ids, 3)};
    struct db_rows *rows = ask(
        db, "select * from unnest($1, $2, $3, $4) as u(a, b, c, d) order by d", params, 4);
    assert_int_equal(db_count(rows), 3);
    assert_int_equal(db_columns(rows), 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(db_get_int(rows, i, 0), fours[i]);
        assert_int_equal(db_get_int(rows, i, 1), eights[i]);
        assert_string_equal(db_get_text(rows, i, 2), texts[i]);
        assert_true(id_same(db_get_id(rows, i, 3), ids[i]));
    }
    db_rows_free(rows);
    const struct db_param none[] = {db_id_array(ids, 0)};
    rows = ask(db, "select count(*) from unnest($1)", none, 1);
    assert_int_equal(db_get_int(rows, 0, 0), 0);
    db_rows_free(rows);
    db_close(db);
}

static void
errors_by_status(void **state)
{
    (void)state;
    struct db *db = open_db();
    assert_int_equal(db_script(db, "create table vendue.one (a int primary key)"), STATUS_OK);
    assert_int_equal(db_script(db, "insert into vendue.one values (1)"), STATUS_OK);
    assert_int_equal(db_run(db, "insert into one values (1)", NULL, 0, NULL), STATUS_CONFLICT);
    assert_string_equal(db_fault(db)->sqlstate, "23505");
    assert_null(strchr(db_fault(db)->text, '\n'));
    assert_int_equal(db_run(db, "select 1/0", NULL, 0, NULL), STATUS_INPUT);
    assert_int_equal(db_run(db, "selekt", NULL, 0, NULL), STATUS_IO);
    assert_int_equal(db_script(db, "set statement_timeout = 50; set lock_timeout = 50"), STATUS_OK);
    assert_int_equal(db_run(db, "select pg_sleep(5)", NULL, 0, NULL), STATUS_AGAIN);
    assert_true(db_alive(db));
    struct db *other = open_db();
    assert_int_equal(db_begin(other), STATUS_OK);
    assert_int_equal(db_run(other, "select 1 from one for update", NULL, 0, NULL), STATUS_OK);
    assert_int_equal(db_run(db, "select 1 from one for update", NULL, 0, NULL), STATUS_AGAIN);
    db_rollback(other);
    db_close(other);
    assert_int_equal(db_script(db, "set role pg_monitor"), STATUS_OK);
    assert_int_equal(db_run(db, "delete from vendue.one", NULL, 0, NULL), STATUS_DENIED);
    db_close(db);
    struct db_fault fault;
    assert_int_equal(db_open("host=/nonexistent dbname=x", "db_test", &db, &fault), STATUS_CLOSED);
    assert_true(fault.text[0] != 0);
}

static void
transactions(void **state)
{
    (void)state;
    struct db *db = open_db();
    uint64_t changed = 0;
    assert_int_equal(db_script(db, "create table vendue.two (a int primary key)"), STATUS_OK);
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(db_run(db, "insert into two values (1), (2)", NULL, 0, &changed), STATUS_OK);
    assert_int_equal(changed, 2);
    db_rollback(db);
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(db_run(db, "insert into two values (3)", NULL, 0, NULL), STATUS_OK);
    assert_int_equal(db_commit(db), STATUS_OK);
    // A transaction that failed inside must not be taken for committed.
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(db_run(db, "insert into two values (4)", NULL, 0, NULL), STATUS_OK);
    assert_int_equal(db_run(db, "insert into two values (3)", NULL, 0, NULL), STATUS_CONFLICT);
    assert_int_equal(db_commit(db), STATUS_IO);
    struct db_rows *rows = ask(db, "select a from two", NULL, 0);
    assert_int_equal(db_count(rows), 1);
    assert_int_equal(db_get_int(rows, 0, 0), 3);
    db_rows_free(rows);
    db_close(db);
}

static void
bulk_load(void **state)
{
    (void)state;
    struct db *db = open_db();
    assert_int_equal(db_script(db,
                               "create table vendue.bulk (a bigint primary key, b int, c smallint,"
                               " d text, e bytea, f uuid, g boolean)"),
                     STATUS_OK);
    enum { ROWS = 20000 };
    struct id id = {{7}};
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(db_copy_begin(db, "bulk (a, b, c, d, e, f, g)"), STATUS_OK);
    for (int i = 0; i < ROWS; i++) {
        db_copy_row(db, 7);
        db_copy_int8(db, (int64_t)i << 32);
        db_copy_int4(db, -i);
        db_copy_int2(db, (int16_t)i);
        db_copy_text(db, "text", (size_t)i % 5);
        db_copy_bytes(db, "\0x", 2);
        db_copy_id(db, id);
        if (i % 2) db_copy_bool(db, true);
        else db_copy_null(db);
    }
    uint64_t loaded = 0;
    assert_int_equal(db_copy_end(db, &loaded), STATUS_OK);
    assert_int_equal(loaded, ROWS);
    assert_int_equal(db_commit(db), STATUS_OK);
    struct db_rows *rows = ask(
        db,
        "select sum(b)::bigint, count(g), count(distinct d), min(length(e)), max(a), "
        "bool_and(f = '07000000-0000-0000-0000-000000000000') from bulk",
        NULL, 0);
    assert_int_equal(db_get_int(rows, 0, 0), -(ROWS - 1) * ROWS / 2);
    assert_int_equal(db_get_int(rows, 0, 1), ROWS / 2);
    assert_int_equal(db_get_int(rows, 0, 2), 5);
    assert_int_equal(db_get_int(rows, 0, 3), 2);
    assert_int_equal(db_get_int(rows, 0, 4), (int64_t)(ROWS - 1) << 32);
    assert_true(db_get_bool(rows, 0, 5));
    db_rows_free(rows);
    // Text that is no text lands as hex; what is well-formed stays.
    static const struct {
        const char *in, *out;
    } texts[] = {{"h\xc3\xa9", "h\xc3\xa9"},
                 {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
                 {"\xff\xfe", "\\xfffe"},
                 {"a\xc3", "\\x61c3"},
                 {"\xc0\x80", "\\xc080"},
                 {"\xed\xa0\x80", "\\xeda080"},
                 {"\xf4\x90\x80\x80", "\\xf4908080"}};
    assert_int_equal(db_script(db, "create table vendue.words (n int, t text)"), STATUS_OK);
    assert_int_equal(db_copy_begin(db, "words (n, t)"), STATUS_OK);
    for (int i = 0; i < 7; i++) {
        db_copy_row(db, 2);
        db_copy_int4(db, i);
        db_copy_text(db, texts[i].in, strlen(texts[i].in));
    }
    assert_int_equal(db_copy_end(db, NULL), STATUS_OK);
    rows = ask(db, "select t from words order by n", NULL, 0);
    for (size_t i = 0; i < 7; i++) assert_string_equal(db_get_text(rows, i, 0), texts[i].out);
    db_rows_free(rows);
    // A refused row is told at the end, and the connection stays usable.
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(db_copy_begin(db, "bulk (a)"), STATUS_OK);
    db_copy_row(db, 1);
    db_copy_int8(db, 0);
    assert_int_equal(db_copy_end(db, NULL), STATUS_CONFLICT);
    db_rollback(db);
    // Given up half-way: nothing stays.
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(db_copy_begin(db, "bulk (a)"), STATUS_OK);
    db_copy_row(db, 1);
    db_copy_int8(db, 1);
    db_rollback(db);
    rows = ask(db, "select count(*) from bulk", NULL, 0);
    assert_int_equal(db_get_int(rows, 0, 0), ROWS);
    db_rows_free(rows);
    db_close(db);
}

static void
lost_connection_is_a_status(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct db *other = open_db();
    struct db_rows *rows = ask(db, "select pg_backend_pid()", NULL, 0);
    const struct db_param params[] = {db_int4((int32_t)db_get_int(rows, 0, 0))};
    db_rows_free(rows);
    assert_int_equal(db_begin(db), STATUS_OK);
    rows = ask(other, "select pg_terminate_backend($1)", params, 1);
    db_rows_free(rows);
    assert_int_equal(db_run(db, "select 1", NULL, 0, NULL), STATUS_CLOSED);
    assert_false(db_alive(db));
    db_rollback(db);
    assert_int_equal(db_run(db, "select 1", NULL, 0, NULL), STATUS_CLOSED);
    db_close(db);
    // A whole server killed and started again.
    postgres_kill();
    assert_int_equal(db_begin(other), STATUS_CLOSED);
    db_close(other);
    assert_int_equal(db_open(connection, "db_test", &other, NULL), STATUS_CLOSED);
    postgres_start();
    other = open_db();
    assert_int_equal(db_run(other, "select 1", NULL, 0, NULL), STATUS_OK);
    db_close(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_is_utc_and_limited),
        cmocka_unit_test(options_of_the_caller_hold_too),
        cmocka_unit_test(scalars_there_and_back),
        cmocka_unit_test(arrays_and_unnest),
        cmocka_unit_test(errors_by_status),
        cmocka_unit_test(transactions),
        cmocka_unit_test(bulk_load),
        cmocka_unit_test(lost_connection_is_a_status),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
