// The referee of the rules is PostgreSQL: random rules and the examples of docs/rules.md are run
// there over random rows, and the engine must answer alike: true, false and unknown, row by row. So
// must the canonical text of each rule. Names that a rule may use are columns without quotes there.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "catalog.h"
#include "expr.h"
#include "postgres.h"
#include "rule_document.h"
#include "rule_maker.h"
#include "seed.h"

#define RULES 500
#define SAMPLES 12
#define TEXT_BYTES (128 * 1024)

static PGconn *connection;
static struct arena *arena;

static int
set_up(void **state)
{
    (void)state;
    char where[POSTGRES_TEXT];
    postgres_database(where);
    connection = PQconnectdb(where);
    arena = arena_open("test");
    if (PQstatus(connection) != CONNECTION_OK) print_error("%s", PQerrorMessage(connection));
    return PQstatus(connection) == CONNECTION_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    PQfinish(connection);
    arena_close(arena);
    return 0;
}

static PGresult *
run(const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s\n%s", sql, PQresultErrorMessage(result));
    return result;
}

static void
insert_sample(int id, const struct maker_sample *sample)
{
    char sql[8192];
    size_t len = (size_t)snprintf(sql, sizeof sql, "insert into sample values (%d", id);
    for (int i = 0; i < MAKER_ATTRIBUTES; i++) {
        const struct maker_value *value = &sample->values[i];
        char *out = sql + len;
        size_t room = sizeof sql - len;
        if (!value->known) {
            len += (size_t)snprintf(out, room, ", null");
        } else if (maker_types[i] == MAKER_BOOLEAN) {
            len += (size_t)snprintf(out, room, ", %s", value->number ? "true" : "false");
        } else if (maker_types[i] == MAKER_INTEGER) {
            len += (size_t)snprintf(out, room, ", '%" PRId64 "'", value->number);
        } else {
            bool list = maker_types[i] == MAKER_LIST;
            len += (size_t)snprintf(out, room, list ? ", array[" : ", ");
            for (unsigned j = 0; j < value->count; j++) {
                char *quoted = PQescapeLiteral(connection, value->items[j],
                                               strlen(value->items[j]));
                len += (size_t)snprintf(sql + len, sizeof sql - len, "%s%s", j > 0 ? ", " : "",
                                        quoted);
                PQfreemem(quoted);
            }
            if (list) len += (size_t)snprintf(sql + len, sizeof sql - len, "]::text[]");
        }
        assert_true(len + 64 < sizeof sql);
    }
    strcat(sql, ")");
    PQclear(run(sql));
}

// PostgreSQL's answers, one letter a row: t, f, or u for null.
static void
ask_postgres(const char *rule, char out[SAMPLES + 1])
{
    static char sql[TEXT_BYTES + 256];
    snprintf(sql, sizeof sql, "select id, (%s) from sample order by id", rule);
    PGresult *result = run(sql);
    assert_int_equal(PQntuples(result), SAMPLES);
    assert_int_equal(PQftype(result, 1), 16);  // boolean
    for (int i = 0; i < SAMPLES; i++)
        out[i] = PQgetisnull(result, i, 1) ? 'u' : PQgetvalue(result, i, 1)[0];
    out[SAMPLES] = '\0';
    PQclear(result);
}

static struct expr
compile(const char *text, const struct expr_schema *schema)
{
    struct expr expr;
    struct expr_error error;
    if (expr_compile(text, strlen(text), schema, arena, &expr, &error) != STATUS_OK)
        fail_msg("%s\n%u: %s", text, error.column, error.text);
    return expr;
}

static void
random_rules_answer_alike(void **state)
{
    (void)state;
    struct maker maker = {seed_fresh()};
    struct maker_words words = {.count = 0};
    struct expr_schema schema = maker_schema(&words);
    static struct maker_sample samples[SAMPLES];
    static char text[TEXT_BYTES], negation[TEXT_BYTES + 16], canonical[TEXT_BYTES];
    char theirs[SAMPLES + 1], again[SAMPLES + 1], ours[SAMPLES + 1] = "";
    unsigned pairs = 0, values[3] = {0};
    PQclear(run("create table sample (id int, member boolean, opted boolean, age bigint, score "
                "bigint, region text,"
                " product text, segments text[], interests text[])"));
    for (int i = 0; i < RULES; i++) {
        if (i % 10 == 0) {
            PQclear(run("truncate sample"));
            for (int j = 0; j < SAMPLES; j++) {
                maker_sample(&maker, &samples[j]);
                insert_sample(j, &samples[j]);
            }
        }
        maker_text(&maker, maker_rule(&maker), text, sizeof text);
        if (strlen(text) > BOUND_RULE_BYTES - 8) continue;
        snprintf(negation, sizeof negation, "not (%s)", text);
        struct expr expr = compile(text, &schema), opposite = compile(negation, &schema);
        for (int j = 0; j < SAMPLES; j++) {
            struct values bound;
            maker_values(&words, &samples[j], &bound);
            bool yes = expr_true(&expr, &bound, NULL), no = expr_true(&opposite, &bound, NULL);
            assert_false(yes && no);
            ours[j] = yes ? 't' : no ? 'f' : 'u';
            values[yes ? 0 : no ? 1 : 2]++;
            pairs++;
        }
        ask_postgres(text, theirs);
        if (strcmp(ours, theirs) != 0) fail_msg("engine %s, PostgreSQL %s: %s", ours, theirs, text);
        size_t len = expr_format(&expr, &schema, maker_word_text, canonical, sizeof canonical);
        assert_true(len < sizeof canonical);
        ask_postgres(canonical, again);
        // The canonical text keeps when a rule is true; where it is not, false may stand for
        // unknown.
        for (int j = 0; j < SAMPLES; j++)
            if ((again[j] == 't') != (theirs[j] == 't'))
                fail_msg("row %d: %s\n%s", j, text, canonical);
        arena_reset(arena);
    }
    printf("compared: %u pairs, %u true, %u false, %u unknown\n", pairs, values[0], values[1],
           values[2]);
    assert_true(pairs >= 4000 && values[0] > 500 && values[1] > 500 && values[2] > 500);
}

static void
try_example(void *context, const char *rule)
{
    static char sql[8192];
    snprintf(sql, sizeof sql, "select count(*) from customer where %s", rule);
    PQclear(run(sql));
    ++*(int *)context;
}

static void
the_document_s_examples_run(void **state)
{
    (void)state;
    static const char *const types[] = {"boolean", "bigint", "text", "text[]"};
    char sql[4096] = "create table customer (";
    for (int i = 0; i < BUILTIN_COUNT; i++) {
        strcat(sql, catalog_builtins[i].name);
        strcat(strcat(strcat(sql, " "), types[catalog_builtins[i].type]), ", ");
    }
    for (int i = 0; i < RULE_DOCUMENT_ATTRIBUTES; i++) {
        strcat(sql, rule_document_attributes[i].name);
        strcat(strcat(strcat(sql, " "), types[rule_document_attributes[i].type]),
               i + 1 < RULE_DOCUMENT_ATTRIBUTES ? ", " : ")");
    }
    PQclear(run(sql));
    int count = 0;
    struct rule_document reader = {try_example, NULL, &count};
    rule_document_read(SOURCE_DIR "/docs/rules.md", &reader);
    assert_true(count > 25);
}

static void
allowed_names_need_no_quotes(void **state)
{
    (void)state;
    PGresult *keywords = run("select word, catcode from pg_get_keywords()");
    int allowed = 0;
    for (int i = 0; i < PQntuples(keywords); i++) {
        const char *word = PQgetvalue(keywords, i, 0);
        bool plain = PQgetvalue(keywords, i, 1)[0] == 'U';
        if (expr_name_allowed(word, strlen(word)) && !plain)
            fail_msg("'%s' is allowed but reserved", word);
        if (!expr_name_allowed(word, strlen(word))) continue;
        char sql[256];
        snprintf(
            sql, sizeof sql,
            "create temp table t (%s boolean); select 1 from t where not %s and %s is not true;"
            " drop table t",
            word, word, word);
        PQclear(run(sql));
        allowed++;
    }
    PQclear(keywords);
    assert_true(allowed > 200);
    static const char *const columns[] = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        assert_false(expr_name_allowed(columns[i], strlen(columns[i])));
}

// Texts that the engine refuses because PostgreSQL would read them otherwise than they look.
static void
refused_by_both(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "score!=-1",     "age = 5and member",   "age < 5 < 6",      "age == 5",
        "member is not", "segments && array[]", "region = 'a' 'b'", "age = 5e"};
    struct maker_words words = {.count = 0};
    struct expr_schema schema = maker_schema(&words);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct expr expr;
        struct expr_error error;
        char sql[256];
        assert_int_equal(expr_compile(rules[i], strlen(rules[i]), &schema, arena, &expr, &error),
                         STATUS_INPUT);
        snprintf(sql, sizeof sql, "select 1 from sample where %s", rules[i]);
        PGresult *result = PQexec(connection, sql);
        if (PQresultStatus(result) != PGRES_FATAL_ERROR)
            fail_msg("PostgreSQL takes it: %s", rules[i]);
        PQclear(result);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rules_answer_alike),
        cmocka_unit_test(the_document_s_examples_run),
        cmocka_unit_test(allowed_names_need_no_quotes),
        cmocka_unit_test(refused_by_both),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
