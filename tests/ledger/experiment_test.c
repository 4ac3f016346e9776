// Tests of experiment.c: an experiment whose variant earns too little stops itself, once, for ever,
// and the next catalog says so; one that may not stop, is too young, or does not lose, goes on.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ledger/experiment.h"
#include "catalog.h"
#include "fixture.h"

#define TRIALS                                                         \
    FIXTURE_MARKET("10%", "floor")                                     \
    "experiments:\n"                                                   \
    "  high: {where: {slot: bill.header}, share: 50%, change: +20%, "  \
    "stop: {loss: 10%, after: 40}}\n"                                  \
    "  other: {where: {slot: bill.footer}, share: 50%, change: +10%, " \
    "stop: {loss: 1%, after: 40}}\n"                                   \
    "  patient: {where: {slot: bill.insert}, share: 50%, change: +10%}\n"

static struct fixture fixture;
static struct story story;

static int
set_up(void **state)
{
    (void)state;
    fixture_open(&fixture);
    fixture_market(&fixture, TRIALS);
    story_open(&story, &fixture, 11);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    story_close(&story);
    fixture_close(&fixture);
    return 0;
}

static void
tell(uint16_t experiment, bool variant, unsigned contacts, int64_t each)
{
    story_trial(&story, experiment, variant, contacts, each);
    fixture_ship_all(&fixture);
}

static struct experiment_report
look(void)
{
    struct experiment_watch *watch = experiment_open();
    struct experiment_report report, again;
    struct db *db = database_open(fixture.ledger);
    assert_int_equal(experiment_turn(watch, db, clock_wall(), &report), STATUS_OK);
    // It rests then: another turn does not even ask.
    assert_int_equal(experiment_turn(watch, NULL, clock_wall(), &again), STATUS_OK);
    assert_int_equal(again.stopped, 0);
    db_close(db);
    experiment_close(watch);
    return report;
}

// Whether the published catalog says that the experiment is stopped.
static bool
stopped_in_catalog(uint32_t id)
{
    char path[128];
    bool stopped = false, found = false;
    struct publish_report published;
    struct db *db = database_open(fixture.ledger);
    struct arena *arena = arena_open("catalog");
    struct catalog *catalog = NULL;
    assert_int_equal(publish_turn(fixture.publish, db, clock_wall(), &published), STATUS_OK);
    db_close(db);
    snprintf(path, sizeof path, "%s/published/catalog", fixture.directory);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *bytes = arena_take(arena, 1024 * 1024, 1);
    size_t len = fread(bytes, 1, 1024 * 1024, file);
    fclose(file);
    uint32_t left_out;
    assert_int_equal(catalog_decode(bytes, len, &catalog, &left_out), STATUS_OK);
    for (uint32_t i = 0; i < catalog->experiment_count; i++) {
        if (catalog->experiments[i].id != id) continue;
        stopped = catalog->experiments[i].stopped;
        found = true;
    }
    assert_true(found);
    catalog_close(catalog);
    arena_close(arena);
    return stopped;
}

static uint16_t
id_of(const char *code)
{
    for (uint32_t i = 0; i < fixture.market->experiment_count; i++) {
        if (strcmp(fixture.market->experiments[i].code, code) == 0) {
            return (uint16_t)fixture.market->experiments[i].id;
        }
    }
    fail_msg("no experiment %s", code);
    return 0;
}

static void
stops_when_it_loses(void **state)
{
    (void)state;
    uint16_t high = id_of("high"), other = id_of("other"), patient = id_of("patient");
    tell(high, false, 60, 1000000);
    tell(high, true, 39, 0);  // one contact too few
    tell(other, false, 40, 1000000);
    tell(other, true, 40, 990000);  // loses 1 %, not more
    tell(patient, false, 100, 1000000);
    tell(patient, true, 100, 0);  // may not stop itself
    assert_int_equal(look().stopped, 0);
    assert_false(stopped_in_catalog(high));
    tell(high, true, 1, 0);
    struct experiment_report report = look();
    assert_int_equal(report.stopped, 1);
    assert_string_equal(report.text,
                        "high: the variant brought 0.000000 a contact in 40 contacts, the control "
                        "1.000000 in 60; it may lose 10.0000 %");
    assert_int_equal(fixture_ask(&fixture, "select count(*) from experiment_stop"), 1);
    assert_int_equal(fixture_ask(&fixture, "select control_micros from experiment_stop"), 60000000);
    assert_int_equal(fixture_ask(&fixture, "select variant_contacts from experiment_stop"), 40);
    assert_true(stopped_in_catalog(high));
    assert_false(stopped_in_catalog(other));
    assert_false(stopped_in_catalog(patient));
    // It does not start again, whatever comes later.
    tell(high, true, 100, 2000000);
    assert_int_equal(look().stopped, 0);
    assert_true(stopped_in_catalog(high));
    // The next one: a micro below its limit over all contacts.
    tell(other, true, 1, 989999);
    report = look();
    assert_int_equal(report.stopped, 1);
    assert_true(stopped_in_catalog(other));
    fixture_prove(&story);
}

static void
a_database_that_is_away_is_told(void **state)
{
    (void)state;
    struct experiment_watch *watch = experiment_open();
    struct experiment_report report;
    struct db *db = database_open(fixture.ledger);
    assert_int_equal(db_run(db, "select pg_terminate_backend(pg_backend_pid())", NULL, 0, NULL),
                     STATUS_CLOSED);
    assert_int_equal(experiment_turn(watch, db, clock_wall(), &report), STATUS_CLOSED);
    assert_int_equal(report.stopped, 0);
    db_close(db);
    experiment_close(watch);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_when_it_loses),
        cmocka_unit_test(a_database_that_is_away_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
