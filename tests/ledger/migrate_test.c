// Tests of migrate.c: once each, in order, with checksums; refusals by name; a failing file leaves
// nothing. And of what the migrations give the roles: add and read, never change or delete.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate.h"
#include "postgres.h"

static struct db *
fresh(char connection[POSTGRES_TEXT])
{
    struct db *db = NULL;
    postgres_database(connection);
    assert_int_equal(db_open(connection, "migrate_test", &db, NULL), STATUS_OK);
    return db;
}

#define FILE_OF(name, text)         \
    {                               \
        name, text, sizeof text - 1 \
    }
static const struct migrate_file two[] = {
    FILE_OF("001_a.sql", "create table vendue.a (x int)"),
    FILE_OF("002_b.sql", "create table vendue.b (x int); insert into vendue.b values (1);"),
    {NULL, NULL, 0}};

static void
applies_once_in_order(void **state)
{
    (void)state;
    char connection[POSTGRES_TEXT];
    struct migrate_report report;
    struct db *db = fresh(connection);
    const struct migrate_file one[] = {two[0], {NULL, NULL, 0}};
    assert_int_equal(migrate_up_from(db, one, &report), STATUS_OK);
    assert_int_equal(report.applied, 1);
    assert_int_equal(migrate_up_from(db, two, &report), STATUS_OK);
    assert_int_equal(report.applied, 1);
    assert_int_equal(report.present, 2);
    assert_string_equal(report.newest, "002_b.sql");
    assert_int_equal(migrate_up_from(db, two, &report), STATUS_OK);
    assert_int_equal(report.applied, 0);
    assert_int_equal(report.present, 2);
    db_close(db);
}

static void
refuses_what_does_not_fit(void **state)
{
    (void)state;
    char connection[POSTGRES_TEXT];
    struct migrate_report report;
    struct db *db = fresh(connection);
    assert_int_equal(migrate_up_from(db, two, &report), STATUS_OK);
    const struct migrate_file edited[] = {
        two[0], FILE_OF("002_b.sql", "create table vendue.b (x bigint)"), {NULL, NULL, 0}};
    assert_int_equal(migrate_up_from(db, edited, &report), STATUS_CONFLICT);
    assert_non_null(strstr(report.fault, "002_b.sql was changed"));
    const struct migrate_file older[] = {two[0], {NULL, NULL, 0}};
    assert_int_equal(migrate_up_from(db, older, &report), STATUS_VERSION);
    assert_non_null(strstr(report.fault, "002_b.sql"));
    const struct migrate_file late[] = {
        two[0], FILE_OF("001_z.sql", "select 1"), two[1], {NULL, NULL, 0}};
    assert_int_equal(migrate_up_from(db, late, &report), STATUS_CONFLICT);
    assert_non_null(strstr(report.fault, "too late"));
    assert_int_equal(report.applied, 0);
    db_close(db);
}

static void
a_failing_file_leaves_nothing(void **state)
{
    (void)state;
    char connection[POSTGRES_TEXT];
    struct migrate_report report;
    struct db *db = fresh(connection);
    const struct migrate_file bad[] = {
        two[0],
        FILE_OF("002_bad.sql", "create table vendue.c (x int); selekt 1;"),
        {NULL, NULL, 0}};
    assert_int_equal(migrate_up_from(db, bad, &report), STATUS_IO);
    assert_non_null(strstr(report.fault, "002_bad.sql"));
    assert_int_equal(report.present, 1);
    struct db_rows *rows = NULL;
    assert_int_equal(db_query(db, "select to_regclass('vendue.c') is null", NULL, 0, &rows),
                     STATUS_OK);
    assert_true(db_get_bool(rows, 0, 0));
    db_rows_free(rows);
    assert_int_equal(migrate_up_from(db, two, &report), STATUS_OK);
    db_close(db);
}

static void
the_embedded_schema(void **state)
{
    (void)state;
    char connection[POSTGRES_TEXT], stranger[POSTGRES_TEXT];
    struct migrate_report report;
    struct db *db = fresh(connection);
    enum status status = migrate_up(db, &report);
    if (status != STATUS_OK) print_message("%s\n", report.fault);
    assert_int_equal(status, STATUS_OK);
    assert_true(report.applied >= 4);
    assert_int_equal(migrate_up(db, &report), STATUS_OK);
    assert_int_equal(report.applied, 0);
    db_close(db);
    // The embedded texts are the files.
    for (const struct migrate_file *file = migrate_files; file->name; file++) {
        char path[512], *text = calloc(1, file->len + 2);
        snprintf(path, sizeof path, "%s/migrations/%s", SOURCE_DIR, file->name);
        FILE *source = fopen(path, "r");
        assert_non_null(source);
        assert_int_equal(fread(text, 1, file->len + 1, source), file->len);
        assert_memory_equal(text, file->text, file->len);
        fclose(source);
        free(text);
    }
    postgres_as(connection, "vendue_stranger", stranger);
    assert_int_equal(db_open(stranger, "migrate_test", &db, NULL), STATUS_OK);
    assert_int_equal(db_run(db, "select 1 from vendue.transfer", NULL, 0, NULL), STATUS_DENIED);
    db_close(db);
}

static void
refused(struct db *db, const char *sql)
{
    enum status status = db_run(db, sql, NULL, 0, NULL);
    if (status != STATUS_DENIED) print_message("not refused: %s\n", sql);
    assert_int_equal(status, STATUS_DENIED);
}

static void
roles_add_and_never_change(void **state)
{
    (void)state;
    char owner[POSTGRES_TEXT], connection[POSTGRES_TEXT];
    struct migrate_report report;
    struct db *db = fresh(owner);
    assert_int_equal(migrate_up(db, &report), STATUS_OK);
    db_close(db);
    static const char *const roles[] = {"vendue_ledger", "vendue_console"};
    static const char *const tables[] = {"transfer", "account", "frame",      "contact",  "outcome",
                                         "event",    "revenue", "bid_change", "migration"};
    for (int r = 0; r < 2; r++) {
        char sql[256];
        postgres_as(owner, roles[r], connection);
        assert_int_equal(db_open(connection, "migrate_test", &db, NULL), STATUS_OK);
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
            snprintf(sql, sizeof sql, "select 1 from %s", tables[i]);
            assert_int_equal(db_run(db, sql, NULL, 0, NULL), STATUS_OK);
            snprintf(sql, sizeof sql, "delete from %s", tables[i]);
            refused(db, sql);
            snprintf(sql, sizeof sql, "truncate %s", tables[i]);
            refused(db, sql);
        }
        refused(db, "update transfer set amount_micros = 1");
        refused(db, "update account set name = 'x'");
        refused(db, "update outcome set price_micros = 1");
        refused(db, "update frame set digest = ''");
        refused(db, "alter table transfer add x int");
        refused(db, "create table own (x int)");
        refused(db, "delete from watermark");
        if (r == 1) {
            refused(db, "update watermark set batch = 0");
            refused(db, "insert into outcome select * from outcome");
            assert_int_equal(db_run(db, "update watermark set fences = fences + 1", NULL, 0, NULL),
                             STATUS_OK);
        }
        // A second terminal of one hold, a hold of itself, nothing, both sides the same.
        static const char insert[] = "insert into transfer (transfer_id, group_id, leg, kind, "
                                     "state, pending_id, currency, debit,"
                                     " credit, amount_micros, effective_us, posted_us, period, "
                                     "late, log, batch, idx) values ";
        char rows[1024];
        snprintf(rows, sizeof rows,
                 "%s (gen_random_uuid(), gen_random_uuid(), 0, 'charge', 'posted', "
                 "'0000000%d-0000-0000-0000-000000000001', 'EUR', 1, 2, 5, 0, 0, '2026-11', false, "
                 "1, 1, 0)",
                 insert, r);
        assert_int_equal(db_run(db, rows, NULL, 0, NULL), STATUS_OK);
        assert_int_equal(db_run(db, rows, NULL, 0, NULL), STATUS_CONFLICT);
        assert_string_equal(db_fault(db)->sqlstate, "23505");
        static const char *const bad[] = {"(gen_random_uuid(), gen_random_uuid(), 0, 'x', "
                                          "'posted', null, 'EUR', 1, 2, 0, 0, 0, 'p', "
                                          "false, 1, 1, 0)",
                                          "(gen_random_uuid(), gen_random_uuid(), 0, 'x', "
                                          "'posted', null, 'EUR', 1, 2, -1, 0, 0, 'p', "
                                          "false, 1, 1, 0)",
                                          "(gen_random_uuid(), gen_random_uuid(), 0, 'x', "
                                          "'posted', null, 'EUR', 2, 2, 1, 0, 0, 'p', "
                                          "false, 1, 1, 0)",
                                          "(gen_random_uuid(), gen_random_uuid(), 0, 'x', 'maybe', "
                                          "null, 'EUR', 1, 2, 1, 0, 0, 'p', "
                                          "false, 1, 1, 0)",
                                          "(gen_random_uuid(), gen_random_uuid(), 0, 'x', "
                                          "'voided', null, 'EUR', 1, 2, 1, 0, 0, 'p', "
                                          "false, 1, 1, 0)"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            snprintf(rows, sizeof rows, "%s %s", insert, bad[i]);
            assert_int_equal(db_run(db, rows, NULL, 0, NULL), STATUS_CONFLICT);
            assert_string_equal(db_fault(db)->sqlstate, "23514");
        }
        db_close(db);
    }
}

// What distributed engines that speak PostgreSQL's SQL do not take (docs/ledger.md).
static void
the_schema_is_portable(void **state)
{
    (void)state;
    static const char *const banned[] = {"create trigger", "advisory",      "listen ",
                                         "notify ",        "lock table",    "nextval",
                                         "serial",         "exclude using", "deferrable",
                                         "inherits",       "create rule",   "create extension"};
    for (const struct migrate_file *file = migrate_files; file->name; file++) {
        char *text = calloc(1, file->len + 1);
        for (size_t i = 0; i < file->len; i++) {
            char c = file->text[i];
            text[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
        for (size_t i = 0; i < sizeof banned / sizeof *banned; i++) {
            if (strstr(text, banned[i])) fail_msg("%s says '%s'", file->name, banned[i]);
        }
        free(text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applies_once_in_order),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(a_failing_file_leaves_nothing),
        cmocka_unit_test(the_embedded_schema),
        cmocka_unit_test(roles_add_and_never_change),
        cmocka_unit_test(the_schema_is_portable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
