// The open schema: documented to the word, readable by its role, and nothing else. And a comment on
// every table and view of the ledger.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "database.h"
#include "seed.h"

#define BEGINS "<!-- Below: what the database says. -->\n"

static struct books books;
static struct db *reader;

static int
set_up(void **state)
{
    (void)state;
    char connection[POSTGRES_TEXT];
    books_open(&books, books_market, "2026-10-15T09:00:00Z");
    books_random(&books, seed_fresh(), 400, 80 * 60 * USEC_SECOND);
    books_ship(&books);
    postgres_as(books.owner, "vendue_reader", connection);
    reader = database_open(connection);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    db_close(reader);
    books_close(&books);
    return 0;
}

static struct db_rows *
ask(struct db *db, const char *sql)
{
    struct db_rows *rows = NULL;
    if (db_query(db, sql, NULL, 0, &rows) != STATUS_OK) fail_msg("%s: %s", sql, db_fault(db)->text);
    return rows;
}

static int64_t
number(struct db *db, const char *sql)
{
    struct db_rows *rows = ask(db, sql);
    int64_t value = db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return value;
}

// --- The document --------------------------------------------------------------------------------

// What the database says of its views, as docs/schema.md has it.
static char *
describe(void)
{
    struct db_rows *rows = ask(
        books.db,
        "select c.relname::text, coalesce(obj_description(c.oid, 'pg_class'), ''), a.attname::text,"
        " format_type(a.atttypid, null), coalesce(col_description(c.oid, a.attnum), '')"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum > 0"
        " where n.nspname = 'vendue_open' order by c.oid, a.attnum");
    char *text = NULL, last[64] = "";
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < db_count(rows); i++) {
        if (strcmp(last, db_get_text(rows, i, 0)) != 0)
            fprintf(out, "\n### %s\n%s\n\n| column | type | |\n|---|---|---|\n",
                    db_get_text(rows, i, 0), db_get_text(rows, i, 1));
        snprintf(last, sizeof last, "%s", db_get_text(rows, i, 0));
        fprintf(out, "| `%s` | %s | %s |\n", db_get_text(rows, i, 2), db_get_text(rows, i, 3),
                db_get_text(rows, i, 4));
    }
    fclose(out);
    db_rows_free(rows);
    return text;
}

static void
the_document_says_what_the_database_says(void **state)
{
    (void)state;
    char *said = describe(), *document = NULL;
    size_t size = 0;
    FILE *file = fopen(SOURCE_DIR "/docs/schema.md", "r");
    assert_non_null(file);
    assert_true(getdelim(&document, &size, '\0', file) > 0);
    fclose(file);
    const char *begins = strstr(document, BEGINS);
    if (!begins || strcmp(begins + strlen(BEGINS), said) != 0) {
        const char *path = BUILD_BIN "/schema.md";
        file = fopen(path, "w");
        assert_non_null(file);
        fputs(said, file);
        fclose(file);
        fail_msg("docs/schema.md does not end in what the database says; that is in %s", path);
    }
    free(said);
    free(document);
}

static void
everything_has_a_comment(void **state)
{
    (void)state;
    struct db_rows *rows = ask(
        books.db,
        "select n.nspname || '.' || c.relname from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname in ('vendue', 'vendue_open') and c.relkind in ('r', 'p', 'v', 'm')"
        " and not c.relispartition and coalesce(obj_description(c.oid, 'pg_class'), '') = ''"
        " union all select n.nspname || '.' || c.relname || '.' || a.attname from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum > 0"
        " where n.nspname = 'vendue_open' and coalesce(col_description(c.oid, a.attnum), '') = ''");
    for (size_t i = 0; i < db_count(rows); i++)
        print_message("no comment on %s\n", db_get_text(rows, i, 0));
    assert_int_equal(db_count(rows), 0);
    db_rows_free(rows);
}

// --- The role ------------------------------------------------------------------------------------

static void
the_reader_reads_every_view(void **state)
{
    (void)state;
    struct db_rows *views = ask(
        books.db, "select viewname::text from pg_views where schemaname = 'vendue_open'");
    assert_true(db_count(views) > 25);
    for (size_t i = 0; i < db_count(views); i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "select count(*) from (select * from vendue_open.%s) v",
                 db_get_text(views, i, 0));
        assert_true(number(reader, sql) >= 0);
    }
    db_rows_free(views);
}

static void
the_reader_can_do_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(
        number(books.db,
               "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
               " where n.nspname = 'vendue' and c.relkind in ('r', 'p', 'v')"
               " and has_any_column_privilege('vendue_reader', c.oid, 'select')"),
        0);
    assert_int_equal(
        number(
            books.db,
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname in ('vendue', 'vendue_open') and c.relkind in ('r', 'p', 'v') and ("
            " has_table_privilege('vendue_reader', c.oid, 'insert, update, delete, truncate, "
            "references,"
            " trigger') or has_any_column_privilege('vendue_reader', c.oid, 'insert, update'))"),
        0);
    assert_int_equal(number(books.db,
                            "select count(*) from pg_namespace"
                            " where has_schema_privilege('vendue_reader', oid, 'create')"),
                     0);
    assert_int_equal(
        number(books.db,
               "select count(*) from pg_auth_members m join pg_roles r on r.oid = m.member"
               " where r.rolname = 'vendue_reader'"),
        0);
    static const char *const tries[] = {
        "select * from vendue.contact",
        "select customer from vendue.revenue",
        "select * from vendue.transfer",
        "insert into vendue_open.rung (rung, name) values (9, 'ninth')",
        "update vendue_open.seat set name = 'x'",
        "delete from vendue_open.transfer",
        "delete from vendue.fold",
        "create table vendue_open.mine (x int)",
        "create table vendue.mine (x int)",
        "create table public.mine (x int)",
        "create schema mine",
        "set role vendue_console",
        "alter role vendue_reader superuser",
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        enum status status = db_script(reader, tries[i]);
        if (status != STATUS_DENIED && status != STATUS_IO)
            fail_msg("the reader may: %s (%d)", tries[i], status);
    }
}

// No view names a customer, by column or by value.
static void
no_pseudonym_is_seen(void **state)
{
    (void)state;
    assert_int_equal(
        number(books.db,
               "select count(*) from information_schema.columns where table_schema ="
               " 'vendue_open' and (column_name like '%customer%' or column_name = 'key')"),
        0);
    // One that cannot be mistaken for another number.
    assert_int_equal(db_script(books.db,
                               "update vendue.contact set customer = 7318246509124653087;"
                               "update vendue.revenue set customer = 7318246509124653087"),
                     STATUS_OK);
    struct db_rows *views = ask(
        books.db, "select viewname::text from pg_views where schemaname = 'vendue_open'");
    for (size_t i = 0; i < db_count(views); i++) {
        char sql[200];
        snprintf(
            sql, sizeof sql,
            "select count(*) from vendue_open.%s v where v::text like '%%7318246509124653087%%'",
            db_get_text(views, i, 0));
        assert_int_equal(number(reader, sql), 0);
    }
    db_rows_free(views);
}

// --- The figures ---------------------------------------------------------------------------------

static void
views_say_what_the_ledger_says(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"select count(*), coalesce(sum(micros), 0)::text from vendue_open.transfer",
         "select count(*), coalesce(sum(amount_micros), 0)::text from transfer"},
        {"select sum(transfers)::bigint, (sum(amount) * 1000000)::bigint::text from "
         "vendue_open.daily",
         "select count(*), sum(amount_micros)::bigint::text from transfer where state = 'posted'"},
        {"select count(*), sum(micros)::text from vendue_open.entry where account_id % 10000 = "
         "1110",
         "select count(*), sum(micros)::text from entry where account % 10000 = 1110"},
        {"select count(*), min(at)::text from vendue_open.contact",
         "select count(*), (timestamptz 'epoch' + min(at_us) * interval '1 microsecond')::text "
         "from contact"},
        {"select count(*), count(distinct slot_id)::text from vendue_open.placement where rung = 6",
         "select count(*), count(distinct slot)::text from outcome where filled and rung = 5"},
        {"select count(*), '' from vendue_open.empty_slot",
         "select count(*), '' from outcome where not filled"},
        {"select count(*), (sum(amount) * 1000000)::bigint::text from vendue_open.revenue where "
         "kind = 'converted'",
         "select count(*), sum(amount_micros)::bigint::text from revenue where kind = 'converted'"},
        {"select count(*), (sum(amount) * 1000000)::bigint::text from vendue_open.hold",
         "select count(*), sum(amount_micros)::bigint::text from hold"},
        {"select count(*), (sum(debit - credit) * 1000000)::bigint::text from "
         "vendue_open.account_day",
         "select count(*), '0' from account_day"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct db_rows *open = ask(reader, same[i][0]), *ledger = ask(books.db, same[i][1]);
        assert_int_equal(db_get_int(open, 0, 0), db_get_int(ledger, 0, 0));
        assert_string_equal(db_get_text(open, 0, 1), db_get_text(ledger, 0, 1));
        db_rows_free(open);
        db_rows_free(ledger);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_says_what_the_database_says),
        cmocka_unit_test(everything_has_a_comment),
        cmocka_unit_test(the_reader_reads_every_view),
        cmocka_unit_test(the_reader_can_do_nothing_else),
        cmocka_unit_test(no_pseudonym_is_seen),
        cmocka_unit_test(views_say_what_the_ledger_says),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
