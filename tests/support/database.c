// Databases with the schema, and markets applied to them; see database.h.
#include "database.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "apply.h"
#include "migrate.h"

struct db *
database_open(const char *connection)
{
    struct db *db = NULL;
    struct db_fault fault;
    if (db_open(connection, "test", &db, &fault) != STATUS_OK) fail_msg("%s", fault.text);
    return db;
}

struct db *
database_migrated(char out_connection[POSTGRES_TEXT])
{
    struct migrate_report report;
    postgres_database(out_connection);
    struct db *db = database_open(out_connection);
    if (migrate_up(db, &report) != STATUS_OK) fail_msg("%s", report.fault);
    return db;
}

uint64_t
database_apply(struct db *db, const char *text, struct arena *arena)
{
    struct apply_plan plan;
    struct market *market = declared_market(text, arena);
    uint64_t version = 0;
    assert_int_equal(apply_plan(db, market, arena, &plan), STATUS_OK);
    enum status status = apply_run(db, market, &plan, "tester", "a note", clock_wall(), &version);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    return version;
}
