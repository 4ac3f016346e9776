// Tests of the program ledgerd: starts without a database, catches up, says how it stands, ends
// when told, one to a directory, exit code 1 when journal and ledger do not fit.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "catalog.h"
#include "fixture.h"

static pid_t
start(const struct fixture *fixture)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid) return pid;
    char log[96];
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a failing test leaves nothing behind
    snprintf(log, sizeof log, "%s/ledgerd.log", fixture->directory);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(out, 2);
    execl(BUILD_BIN "/ledgerd", "ledgerd", fixture->directory, (char *)NULL);
    _exit(127);
}

static int
wait_end(pid_t pid)
{
    int ended = 0;
    for (int i = 0; i < 200; i++) {
        pid_t got = waitpid(pid, &ended, WNOHANG);
        if (got == pid) return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
        usleep(50000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &ended, 0);
    return -2;
}

// A value of the status file; NULL when there is none. The caller's to give back.
static json_t *
status_of(const struct fixture *fixture)
{
    char path[96];
    snprintf(path, sizeof path, "%s/run/ledgerd.status", fixture->directory);
    return json_load_file(path, 0, NULL);
}

static bool
status_is(const struct fixture *fixture, const char *key, const char *text, int64_t number)
{
    json_t *status = status_of(fixture);
    const json_t *value = json_object_get(status, key);
    bool is = text ? value && strcmp(json_string_value(value), text) == 0
                   : value && json_integer_value(value) == number;
    json_decref(status);
    return is;
}

static void
await(const struct fixture *fixture, const char *key, const char *text, int64_t number)
{
    for (int i = 0; i < 200; i++) {
        if (status_is(fixture, key, text, number)) return;
        usleep(50000);
    }
    fail_msg("ledgerd.status never said %s", key);
}

static void
write_text(const struct fixture *fixture, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void
starts_without_a_database_and_catches_up(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    story_open(&story, &fixture, 5);
    story_tell(&story, 100);
    write_text(&fixture, "vendue.yaml", "");
    pid_t pid = start(&fixture);
    await(&fixture, "pid", NULL, pid);
    await(&fixture, "database", "down", 0);
    write_text(&fixture, "run/postgres.ledger", fixture.ledger);
    await(&fixture, "shipped_batch", NULL, (int64_t)journal_end(story.journal).batch);
    assert_true(status_is(&fixture, "database", "up", 0));
    assert_true(status_is(&fixture, "lag_batches", NULL, 0));
    assert_true(status_is(&fixture, "error", "", 0));
    // The bids of the story make one more catalog.
    await(&fixture, "catalog_version", NULL, (int64_t)fixture.catalog + 1);
    fixture_prove(&story);
    // The server goes; facts gather; it comes back.
    postgres_stop();
    await(&fixture, "database", "down", 0);
    story_tell(&story, 50);
    postgres_start();
    await(&fixture, "shipped_batch", NULL, (int64_t)journal_end(story.journal).batch);
    fixture_prove(&story);
    // A second one is refused; told to end it ends, and takes its status with it.
    assert_int_equal(wait_end(start(&fixture)), 3);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(wait_end(pid), 0);
    assert_null(status_of(&fixture));
    story_close(&story);
    fixture_close(&fixture);
}

static bool
is_stopped_in_catalog(const struct fixture *fixture)
{
    char path[128];
    static uint8_t bytes[1024 * 1024];
    struct catalog *catalog = NULL;
    uint32_t left_out;
    snprintf(path, sizeof path, "%s/published/catalog", fixture->directory);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(catalog_decode(bytes, len, &catalog, &left_out), STATUS_OK);
    bool stopped = catalog->experiments[0].stopped;
    catalog_close(catalog);
    return stopped;
}

// An experiment that loses: ledgerd stops it, and publishes a catalog that says so.
static void
stops_an_experiment_that_loses(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    fixture_market(
        &fixture,
        FIXTURE_MARKET(
            "10%", "floor") "experiments:\n"
                            "  high: {share: 50%, change: +20%, stop: {loss: 10%, after: 5}}\n");
    story_open(&story, &fixture, 5);
    story_trial(&story, 1, false, 6, 100000);
    story_trial(&story, 1, true, 6, 80000);
    write_text(&fixture, "vendue.yaml", "");
    write_text(&fixture, "run/postgres.ledger", fixture.ledger);
    pid_t pid = start(&fixture);
    // It looks before it publishes: the first catalog says so already.
    await(&fixture, "catalog_version", NULL, (int64_t)fixture.catalog + 1);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from experiment_stop where "
                                           "experiment = 1 and variant_micros = 480000"),
                     1);
    assert_true(is_stopped_in_catalog(&fixture));
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(wait_end(pid), 0);
    story_close(&story);
    fixture_close(&fixture);
}

static void
ends_when_the_journal_does_not_fit(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    char command[128];
    fixture_open(&fixture);
    story_open(&story, &fixture, 5);
    story_tell(&story, 20);
    fixture_ship_all(&fixture);
    story_close(&story);
    snprintf(command, sizeof command, "rm -rf %s/journal/*", fixture.directory);
    assert_int_equal(system(command), 0);
    story_open(&story, &fixture, 6);
    story_tell(&story, 30);
    write_text(&fixture, "vendue.yaml", "");
    write_text(&fixture, "run/postgres.ledger", fixture.ledger);
    assert_int_equal(wait_end(start(&fixture)), 1);
    json_t *status = status_of(&fixture);
    assert_true(json_is_true(json_object_get(status, "stopped")));
    assert_non_null(strstr(json_string_value(json_object_get(status, "error")), "fork"));
    json_decref(status);
    story_close(&story);
    fixture_close(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_without_a_database_and_catches_up),
        cmocka_unit_test(stops_an_experiment_that_loses),
        cmocka_unit_test(ends_when_the_journal_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
