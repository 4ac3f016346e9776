// market_db.c: the connection strings of the roles, for a private cluster and for an own
// PostgreSQL.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../console/market_db.h"
#include "folder.h"

static struct settings settings;

static int
set_up(void **state)
{
    (void)state;
    char run[600];
    memset(&settings, 0, sizeof settings);
    strcpy(settings.directory, "/tmp/vendue_market_db_test.XXXXXX");
    if (!mkdtemp(settings.directory)) return -1;
    snprintf(run, sizeof run, "%s/run", settings.directory);
    return mkdir(run, 0755);
}

static int
tear_down(void **state)
{
    (void)state;
    return folder_remove(settings.directory);
}

static void
expect_line(const char *role, const char *expected)
{
    char path[700], line[1400];
    struct stat status;
    snprintf(path, sizeof path, "%s/run/postgres.%s", settings.directory, role);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_string_equal(line, expected);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void
test_private(void **state)
{
    (void)state;
    struct market_db_fault fault;
    assert_int_equal(market_db_write_strings(&settings, "/srv/it's a \\ market", &fault),
                     STATUS_OK);
    expect_line("owner", "host='/srv/it\\'s a \\\\ market' dbname=vendue user=vendue_owner\n");
    expect_line("ledger", "host='/srv/it\\'s a \\\\ market' dbname=vendue user=vendue_ledger\n");
    assert_int_equal(market_db_write_strings(&settings, "/srv/b", &fault), STATUS_OK);
    expect_line("console", "host='/srv/b' dbname=vendue user=vendue_console\n");
}

static void
test_own(void **state)
{
    (void)state;
    struct market_db_fault fault;
    strcpy(settings.postgres, "host=db.example.com user=app");
    assert_int_equal(market_db_write_strings(&settings, NULL, &fault), STATUS_OK);
    expect_line("owner", "host=db.example.com user=app\n");
    expect_line("ledger", "host=db.example.com user=app options='-c role=vendue_ledger'\n");
    strcpy(settings.postgres, "postgresql://app@db.example.com/market");
    assert_int_equal(market_db_write_strings(&settings, NULL, &fault), STATUS_OK);
    expect_line("console",
                "postgresql://app@db.example.com/market?options=-c%20role%3Dvendue_console\n");
    strcpy(settings.postgres, "postgres://app@db.example.com/market?sslmode=require");
    assert_int_equal(market_db_write_strings(&settings, NULL, &fault), STATUS_OK);
    expect_line("ledger", "postgres://app@db.example.com/market?sslmode=require"
                          "&options=-c%20role%3Dvendue_ledger\n");
    strcpy(settings.postgres, "host=db.example.com options='-c a.b=c'");
    assert_int_equal(market_db_write_strings(&settings, NULL, &fault), STATUS_INPUT);
}

static void
test_says_what_mends(void **state)
{
    (void)state;
    struct db *db = NULL;
    struct market_db_fault fault;
    assert_int_equal(market_db_open_as(settings.directory, "console", &db, &fault),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(fault.text, "is not a market directory"));
    assert_int_equal(market_db_write_strings(&settings, "/nowhere", &fault), STATUS_OK);
    assert_int_equal(market_db_open_as(settings.directory, "console", &db, &fault), STATUS_CLOSED);
    assert_non_null(strstr(fault.text, "is the market up?"));
    assert_null(db);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_private), TEST(test_own),
                                       TEST(test_says_what_mends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
