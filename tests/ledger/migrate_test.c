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

#include "../../ledger/fold.h"
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
    static const char *const tables[] = {
        "transfer", "account",     "frame",           "contact",   "outcome",    "event",
        "revenue",  "migration",   "bid_change",      "candidate", "tally",      "refusal",
        "callout",  "slot_limits", "experiment_stop", "rung_name", "reason_name"};
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
        refused(db, "update candidate set price = 1");
        refused(db, "update tally set considered = 1");
        refused(db, "update refusal set reason = 1");
        refused(db, "update callout set bids = 1");
        refused(db, "update slot_limits set flags = 1");
        refused(db, "update experiment_stop set reason = ''");
        refused(db, "insert into reason_name select * from reason_name");
        refused(db, "update frame set digest = ''");
        refused(db, "alter table transfer add x int");
        refused(db, "create table own (x int)");
        refused(db, "delete from watermark");
        if (r == 1) {
            refused(db, "update watermark set batch = 0");
            refused(db, "insert into outcome select * from outcome");
            refused(db, "insert into candidate select * from candidate");
            refused(db, "insert into tally select * from tally");
            refused(db, "insert into refusal select * from refusal");
            refused(db, "insert into callout select * from callout");
            refused(db, "insert into slot_limits select * from slot_limits");
            refused(db, "insert into experiment_stop select * from experiment_stop");
            assert_int_equal(db_run(db, "update watermark set fences = fences + 1", NULL, 0, NULL),
                             STATUS_OK);
        }
        refused(db, "update transfer_key set log = 1");
        refused(db, "delete from transfer_key");
        refused(db, "update fold set micros = 1");
        refused(db, "update count_fold set won = 1");
        refused(db, "insert into transfer_detached values ('2026-01', 'x', 0, 0, 0)");
        assert_int_equal(db_run(db, "delete from fold", NULL, 0, NULL),
                         r == 0 ? STATUS_OK : STATUS_DENIED);
        // A second transfer in one place, a second one with one id, nothing, both sides the same.
        static const char insert[] = "insert into transfer (transfer_id, group_id, leg, kind, "
                                     "state, pending_id, currency, debit,"
                                     " credit, amount_micros, effective_us, posted_us, period, "
                                     "late, log, batch, idx) values ";
        char rows[1024];
        snprintf(rows, sizeof rows,
                 "%s (gen_random_uuid(), gen_random_uuid(), 0, 'charge', 'posted', "
                 "'0000000%d-0000-0000-0000-000000000001', 'EUR', 1, 2, 5, 0, 0, '2026-11', false, "
                 "1, %d, 0)",
                 insert, r, 1 + r);
        assert_int_equal(db_run(db, rows, NULL, 0, NULL), STATUS_OK);
        assert_int_equal(db_run(db, rows, NULL, 0, NULL), STATUS_CONFLICT);
        assert_string_equal(db_fault(db)->sqlstate, "23505");
        snprintf(rows, sizeof rows,
                 "insert into transfer_key (transfer_id, log, batch, idx) values "
                 "('0000000%d-0000-0000-0000-000000000001', 1, 1, 0)",
                 r);
        assert_int_equal(db_run(db, rows, NULL, 0, NULL), STATUS_OK);
        assert_int_equal(db_run(db, rows, NULL, 0, NULL), STATUS_CONFLICT);
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

// Every right that is more than reading, of the roles and of everybody, as the database lists them.
static void
roles_have_these_rights_and_no_more(void **state)
{
    (void)state;
    static const char sql[] =
        "select string_agg(line, E'\\n' order by line) from ("
        " select replace(grantee, 'vendue_', '') || ' ' || lower(privilege_type) || ' ' ||"
        "  string_agg(table_name, ' ' order by table_name) as line"
        " from information_schema.role_table_grants"
        " where grantee in ('vendue_ledger', 'vendue_console', 'vendue_reader', 'PUBLIC')"
        "  and table_schema not in ('pg_catalog', 'information_schema')"
        "  and privilege_type <> 'SELECT' group by grantee, privilege_type"
        " union all"
        " select replace(c.grantee, 'vendue_', '') || ' update of ' ||"
        "  string_agg(c.table_name || '.' || c.column_name,"
        "   ' ' order by c.table_name, c.column_name)"
        " from information_schema.column_privileges c"
        " where c.grantee in ('vendue_ledger', 'vendue_console', 'vendue_reader', 'PUBLIC')"
        "  and c.privilege_type = 'UPDATE' and not exists ("
        "   select 1 from information_schema.role_table_grants t where t.grantee = c.grantee"
        "   and t.table_name = c.table_name and t.privilege_type = 'UPDATE') group by c.grantee"
        " union all"
        " select replace(grantee, 'vendue_', '') || ' reads of vendue ' || count(*)"
        " from information_schema.role_table_grants"
        " where grantee in ('vendue_reader', 'PUBLIC') and table_schema = 'vendue'"
        " group by grantee) x";
    static const char expected[] =
        "console delete life_due life_todo\n"
        "console insert account act adjustment adjustment_end balance bank_entry "
        "certificate certificate_event dead_log deposit dispute dispute_end fold "
        "hold_expiry life_due life_extension life_lock life_payout life_payout_back "
        "life_pool life_position life_rate life_todo market_object market_version "
        "model_fit model_weight open_hold payout payout_event payout_run period_event "
        "proof proof_count proof_sum rate statement statement_document statement_file "
        "statement_total transfer transfer_key\n"
        "console update life_due life_position life_todo\n"
        "console update of act_gate.turns period_gate.fences watermark.fences\n"
        "ledger delete count_fold fold life_due life_todo open_hold\n"
        "ledger insert account act bid_change callout candidate catalog_version "
        "contact count_fold credit event experiment_stop fold frame life_due life_lock "
        "life_pool life_position life_todo model_fit model_weight open_hold order_turn "
        "outcome proof proof_count proof_sum refusal revenue revenue_mark slot_limits "
        "spend_grant tally transfer transfer_key watermark\n"
        "ledger update life_due life_position life_todo spend_lock watermark\n"
        "ledger update of act_gate.turns order_turn.turn period_gate.fences "
        "revenue_mark.marks spend_grant.granted_micros spend_grant.limit_micros";
    char owner[POSTGRES_TEXT];
    struct migrate_report report;
    struct db *db = fresh(owner);
    struct db_rows *rows = NULL;
    assert_int_equal(migrate_up(db, &report), STATUS_OK);
    assert_int_equal(db_query(db, sql, NULL, 0, &rows), STATUS_OK);
    assert_string_equal(db_get_text(rows, 0, 0), expected);
    db_rows_free(rows);
    db_close(db);
}

static const struct migrate_file *
up_to(const char *name, size_t *out_count)
{
    static struct migrate_file files[64];
    size_t count = 0;
    for (; migrate_files[count].name && strcmp(migrate_files[count].name, name) < 0; count++) {
        assert_true(count < 63);
        files[count] = migrate_files[count];
    }
    memset(&files[count], 0, sizeof files[count]);
    *out_count = count;
    return files;
}

// What a released market holds: two seats, a thousand placements and what became of them, with
// deposits and bills, which had no place of their own.
static const char released[] =
    "insert into market_version values (1, 0, 'a', '', '', 3);"
    "insert into market_object (kind, id, version, code, body) values "
    "('seat', 1, 1, 'care', '{\"kind\": \"department\"}'), "
    "('seat', 2, 1, 'grill', '{\"kind\": \"partner\"}'), "
    "('contract', 1, 1, 'g', '{\"seat\": \"grill\", \"billing\": \"prepaid\", \"gain_share\": "
    "{\"merchant\": \"partner\", \"rate\": \"10%\", \"shares\": ["
    "{\"to\": \"care\", \"weight\": 25, \"rung\": \"behavioral\"}, "
    "{\"to\": \"host\", \"weight\": 60}, "
    "{\"to\": \"care\", \"weight\": 15, \"rung\": \"behavioral\"}]}}');"
    "insert into account values ('EUR', 201110, 1110, 0, 2, 'U', 'debit', ''), "
    "('EUR', 4000, 4000, 0, 0, 'I', 'credit', ''), ('EUR', 1000, 1000, 0, 0, 'B', 'debit', ''), "
    "('EUR', 202000, 2000, 0, 2, 'P', 'credit', ''), ('EUR', 201150, 1150, 0, 2, 'G', "
    "'debit', ''), "
    "('EUR', 102100, 2100, 0, 1, 'A', 'credit', '');"
    "insert into outcome (placement_id, contact_id, position, log, batch, idx, at_us, "
    "period, filled, "
    "slot, currency, floor_micros, market_version, message, seat, contract, price_micros, "
    "rung, charge)"
    " select md5('p' || i)::uuid, md5('c' || i)::uuid, 1, 1, i, 1, i, case when i % 3 = 0 then "
    "'2026-10' else '2026-11' end, true, i % 4, 'EUR', 1, 1, i % 5, 1 + i % 2, case when i % 4 = 1 "
    "then 1 end, 10 + i, i % 8, 'delivery' from generate_series(1, 1000) i;"
    "insert into event (log, batch, idx, kind, state, placement_id, contact_id, position, at_us, "
    "effective_us, period, slot, message, seat, price_micros, role, party, key) select 1, i, 2, "
    "case i % 3 when 0 then 'cancelled' else 'delivered' end, case i % 7 when 0 then 'repeat' else "
    "'posted' end, md5('p' || i)::uuid, md5('c' || i)::uuid, 1, i, i, '2026-11', 1, 1, 1, 1, "
    "'x', 1, ''"
    " from generate_series(1, 1000) i;"
    "insert into revenue select 1, i, 3, case when i % 2 = 0 then 'converted' else 'refunded' end, "
    "case when i % 5 = 0 then 'no_share' when i % 11 = 0 then 'orphan' else 'posted' end, "
    "md5('o' || i)::uuid, md5('p' || i)::uuid, md5('c' || i)::uuid, 2, 1, 'EUR', 100 * i, i, "
    "1, i, i, "
    "'2026-11', 'x', 1, '' from generate_series(1, 1000, 3) i;"
    "insert into transfer (transfer_id, group_id, leg, kind, state, pending_id, currency, debit, "
    "credit, amount_micros, effective_us, posted_us, period, late, log, batch, idx, seat, slot, "
    "message, placement_id, rung) select md5('t' || i)::uuid, md5('p' || i)::uuid, i % 2, "
    "(array['hold', 'refund', 'share', 'charge', 'hold', 'refund', 'commission', "
    "'internal'])[1 + i % 8], "
    "case i % 4 when 0 then 'pending' else 'posted' end, null, 'EUR', "
    "case when i % 8 in (1, 5) then 102100 when i % 2 = 0 then 201150 else 201110 end, "
    "case when i % 8 in (1, 5) then 201150 when i % 3 = 0 then 102100 else 4000 end, "
    "i * 7, i * 40000000000, i, case when i % 3 = 0 then '2026-10' else '2026-11' end, i % 9 "
    "= 0, 1, "
    "i, 1, 1 + i % 2, i % 4, i % 5, case when i % 6 > 0 then md5('p' || i)::uuid end, "
    "case when i % 8 > 0 then i % 8 end from generate_series(1, 1000) i;"
    "insert into transfer (transfer_id, group_id, leg, kind, state, currency, debit, credit, "
    "amount_micros, effective_us, posted_us, period, late, log, batch, idx, seat) select "
    "md5('d' || i)::uuid, md5('d' || i)::uuid, 0, case i % 2 when 0 then 'deposit' else "
    "'bill' end, "
    "'posted', 'EUR', 1000, 202000, i, i, i, '2026-10', false, 0, 0, 0, 2 from "
    "generate_series(1, 20) i;"
    "update watermark set batch = 1000";

static char *
digest_of(struct db *db, const char *what)
{
    char sql[256];
    struct db_rows *rows = NULL;
    snprintf(sql, sizeof sql,
             "select coalesce(md5(string_agg(x::text, '|' order by x::text)), ''), "
             "count(*) from (%s) x",
             what);
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    if (db_get_int(rows, 0, 1) == 0) print_message("nothing to compare: %s\n", what);
    assert_true(db_get_int(rows, 0, 1) > 0);
    char *text = strdup(db_get_text(rows, 0, 0));
    db_rows_free(rows);
    return text;
}

// A released market's database becomes one of today: no transfer, no line of a statement and no
// balance is another afterwards, and the sums are those of the rows.
static void
a_released_market_keeps_its_books(void **state)
{
    (void)state;
    static const char *const same[] = {
        "select * from statement_line",
        "select currency, account, period, micros from entry",
        "select * from price_transfer",
        "select * from unexplained",
        "select * from report_rung",
        "select transfer_id, group_id, kind, amount_micros, period, seat, rung from transfer"};
    enum { SAME = sizeof same / sizeof *same };
    char connection[POSTGRES_TEXT], *before[SAME], text[FOLD_TEXT];
    struct migrate_report report;
    struct db *db = fresh(connection);
    size_t count = 0;
    assert_int_equal(migrate_up_from(db, up_to("011", &count), &report), STATUS_OK);
    assert_int_equal(count, 10);
    enum status status = db_script(db, released);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    for (int i = 0; i < SAME; i++) before[i] = digest_of(db, same[i]);
    assert_int_equal(migrate_up_from(db, up_to("012", &count), &report), STATUS_OK);
    for (int i = 0; i < SAME; i++) {
        char *after = digest_of(db, same[i]);
        if (strcmp(before[i], after) != 0) print_message("not the same: %s\n", same[i]);
        assert_string_equal(before[i], after);
        free(after);
        free(before[i]);
    }
    assert_int_equal(fold_verify(db, text), STATUS_OK);
    assert_string_equal(text, "");
    struct db_rows *rows = NULL;
    assert_int_equal(db_query(db,
                              "select (select count(*) from transfer_by_id) = count(*), "
                              "(select count(*) from transfer_default) = 0 from transfer",
                              NULL, 0, &rows),
                     STATUS_OK);
    assert_true(db_get_bool(rows, 0, 0) && db_get_bool(rows, 0, 1));
    db_rows_free(rows);
    status = migrate_up(db, &report);
    if (status != STATUS_OK) print_message("%s\n", report.fault);
    assert_int_equal(status, STATUS_OK);
    db_close(db);
}

// Every row of `sql`'s one column is true, and there are rows.
static void
all_true(struct db *db, const char *sql)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    assert_true(db_count(rows) > 0);
    for (size_t i = 0; i < db_count(rows); i++) assert_true(db_get_bool(rows, i, 0));
    db_rows_free(rows);
}

// Orders of a released market have merchant and parts; what its programs would book is refused, and
// the refusal says why.
static void
orders_of_before_go_on(void **state)
{
    (void)state;
    static const char *const older[] = {
        "insert into transfer (transfer_id, group_id, leg, kind, state, currency, debit, credit, "
        "amount_micros, effective_us, posted_us, period, late, log, batch, idx) values "
        "(gen_random_uuid(), gen_random_uuid(), 0, 'deposit', 'posted', 'EUR', 1000, 202000, 5, 1, "
        "1, '2026-12', false, 0, 0, 0)",
        "insert into period_event values ('2026-10', 1, 'fence', 0, 1, 1, '', 'market 7')",
        "insert into frame (log, batch, epoch, previous, digest, facts, at_us, fenced_until_us) "
        "values (1, 1001, 1, '', '', 1, 1, 0)"};
    char connection[POSTGRES_TEXT];
    struct migrate_report report;
    struct db *db = fresh(connection);
    size_t count = 0;
    assert_int_equal(migrate_up_from(db, up_to("011", &count), &report), STATUS_OK);
    assert_int_equal(db_script(db, released), STATUS_OK);
    assert_int_equal(migrate_fits(db, &report), STATUS_VERSION);
    assert_non_null(strstr(report.fault, "010_experiments.sql"));
    assert_non_null(strstr(report.fault, "slotctl up"));
    assert_int_equal(migrate_up(db, &report), STATUS_OK);
    assert_int_equal(migrate_fits(db, &report), STATUS_OK);
    all_true(db, "select r.merchant is not distinct from case when r.state = 'orphan' then null "
                 "when o.seat = 2 then 2 else 0 end from revenue r join outcome o using "
                 "(placement_id)");
    all_true(db, "select string_agg(concat_ws(' ', p.part, p.kind, p.rung, p.seat, p.weight, "
                 "p.model, p.divided), ', ' order by p.part) = format('0 0 %s 0 60 0 f, 1 0 2 1 40 "
                 "0 f', o.rung) from revenue r join outcome o using (placement_id) "
                 "left join order_part p using (order_id) "
                 "where r.kind = 'converted' and r.state = 'posted' group by r.order_id, o.rung");
    for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
        assert_int_equal(db_run(db, older[i], NULL, 0, NULL), STATUS_CONFLICT);
        assert_non_null(strstr(db_fault(db)->text, "program_is_older_than_the_database"));
    }
    assert_int_equal(db_script(db, "insert into migration values ('999_later.sql', '', 0)"),
                     STATUS_OK);
    assert_int_equal(migrate_fits(db, &report), STATUS_VERSION);
    assert_non_null(strstr(report.fault, "999_later.sql"));
    db_close(db);
}

// The words of the records are those of the programs.
static void
names_are_those_of_the_domain(void **state)
{
    (void)state;
    char owner[POSTGRES_TEXT];
    struct migrate_report report;
    struct db *db = fresh(owner);
    struct db_rows *rows = NULL;
    assert_int_equal(migrate_up(db, &report), STATUS_OK);
    assert_int_equal(
        db_query(db, "select reason, number, key from reason_name order by reason", NULL, 0, &rows),
        STATUS_OK);
    assert_int_equal(db_count(rows), REASON_COUNT);
    for (size_t i = 0; i < REASON_COUNT; i++) {
        assert_int_equal(db_get_int(rows, i, 0), i);
        assert_int_equal(db_get_int(rows, i, 1), reason_number((enum reason)i));
        assert_string_equal(db_get_text(rows, i, 2), reason_key((enum reason)i));
    }
    db_rows_free(rows);
    assert_int_equal(
        db_query(db, "select kind, name from price_kind_name order by kind", NULL, 0, &rows),
        STATUS_OK);
    assert_int_equal(db_count(rows), PRICE_KIND_COUNT);
    for (size_t i = 0; i < PRICE_KIND_COUNT; i++) {
        assert_int_equal(db_get_int(rows, i, 0), i);
        assert_string_equal(db_get_text(rows, i, 1), price_kind_name((enum price_kind)i));
    }
    db_rows_free(rows);
    db_close(db);
}

// A database of the version before, with facts in it: they keep what they say, and the new columns
// say that there was nothing.
static void
facts_of_before_stay(void **state)
{
    (void)state;
    static const char before[] =
        "insert into contact values (gen_random_uuid(), 1, 1, 0, 5, 5, '2026-11', 1, null, 1, 1, "
        "'repeat', 'none', 'unknown', 'calm', 0, 0, 1, 1, 1, 7, 'old');"
        "insert into outcome values (gen_random_uuid(), gen_random_uuid(), 1, 1, 1, 1, 5, "
        "'2026-11', true, 3, 'EUR', 10, 1, 4, 5, null, null, 6, 20, 30, null, 0, 9, 1, 6, 1, "
        "'delivery', null, null, null, null);"
        "insert into bid_change values (1, 2, 0, 5, 6, 5, 4, 0, 'active', 'EUR', 30, 0, 0, 'bid')";
    char owner[POSTGRES_TEXT];
    struct migrate_report report;
    struct migrate_file old[16];
    struct db_rows *rows = NULL;
    struct db *db = fresh(owner);
    size_t count = 0;
    while (strncmp(migrate_files[count].name, "007", 3) < 0) {
        old[count] = migrate_files[count];
        count++;
    }
    old[count] = (struct migrate_file){NULL, NULL, 0};
    assert_int_equal(migrate_up_from(db, old, &report), STATUS_OK);
    assert_int_equal(db_script(db, before), STATUS_OK);
    assert_int_equal(migrate_up(db, &report), STATUS_OK);
    assert_int_equal(
        db_query(db,
                 "select c.experiment, c.flags, c.records, o.kind, o.deal, o.floor_id, o.campaign, "
                 "o.campaign_parent, o.day, o.cell, b.kind, o.price_micros, b.price_micros "
                 "from contact c, outcome o, standing_bid b",
                 NULL, 0, &rows),
        STATUS_OK);
    assert_int_equal(db_count(rows), 1);
    for (size_t i = 0; i < 11; i++) assert_int_equal(db_get_int(rows, 0, i), 0);
    assert_int_equal(db_get_int(rows, 0, 11), 20);
    assert_int_equal(db_get_int(rows, 0, 12), 30);
    db_rows_free(rows);
    db_close(db);
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
        cmocka_unit_test(roles_have_these_rights_and_no_more),
        cmocka_unit_test(a_released_market_keeps_its_books),
        cmocka_unit_test(orders_of_before_go_on),
        cmocka_unit_test(names_are_those_of_the_domain),
        cmocka_unit_test(facts_of_before_stay),
        cmocka_unit_test(the_schema_is_portable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
