// Tests of apply.c against a real server: a market becomes versions, versions become markets again.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "database.h"
#include "publish.h"
#include "scratch.h"

static char connection[POSTGRES_TEXT];

static int
set_up(void **state)
{
    db_close(database_migrated(connection));
    return scratch_open(state);
}

static uint64_t
apply(struct db *db, const char *text)
{
    return database_apply(db, text, arena);
}

static void
a_market_is_kept_in_versions_with_stable_ids(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct market *market;
    assert_int_equal(publish_load_market(db, 0, arena, &market), STATUS_NOT_FOUND);
    assert_int_equal(apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE), 1);
    assert_int_equal(apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE), 1);  // nothing changed
    assert_int_equal(apply(db, TINY_HEAD TINY_BILL("0.14") TINY_MESSAGE), 2);
    assert_int_equal(apply(db, TINY_HEAD TINY_BILL("0.14")), 3);
    assert_int_equal(
        apply(db, TINY_HEAD TINY_BILL(
                      "0.14") "messages:\n"
                              "  a.first: {seat: grill, rung: 6, objectives: refer}\n"
                              "  grill.summer: {seat: grill, rung: 6, objectives: refer}\n"),
        4);
    assert_int_equal(publish_load_market(db, 1, arena, &market), STATUS_OK);
    assert_int_equal(market->containers[0].slots[0].floor.micros, 120000);
    assert_int_equal(market->message_count, 1);
    uint32_t summer = market->messages[0].id;
    assert_int_equal(publish_load_market(db, 3, arena, &market), STATUS_OK);
    assert_int_equal(market->message_count, 0);
    assert_int_equal(market->containers[0].slots[0].floor.micros, 140000);
    assert_int_equal(publish_load_market(db, 0, arena, &market), STATUS_OK);
    assert_int_equal(market->message_count, 2);
    assert_string_equal(market->messages[0].code, "grill.summer");  // by id
    assert_int_equal(market->messages[0].id, summer);
    assert_int_equal(market->messages[1].id, summer + 1);
    assert_int_equal(publish_load_market(db, 9, arena, &market), STATUS_NOT_FOUND);
    db_close(db);
}

static void
ids_follow_the_declared_order(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct market *market;
    apply(db, "market: {code: tiny, currency: EUR}\nseats: {z: {kind: partner}, a: {kind: "
              "partner}, m: {kind: "
              "partner}}\n");
    assert_int_equal(publish_load_market(db, 0, arena, &market), STATUS_OK);
    assert_string_equal(market->seats[0].code, "z");
    assert_string_equal(market->seats[1].code, "a");
    assert_int_equal(market->seats[2].id, 3);
    db_close(db);
}

static void
one_of_two_applies_wins_and_the_other_is_told(void **state)
{
    (void)state;
    struct db *first = database_open(connection), *second = database_open(connection);
    struct apply_plan one, two;
    uint64_t version;
    struct market *a = declared_market(TINY_HEAD TINY_BILL("0.10"), arena),
                  *b = declared_market(TINY_HEAD TINY_BILL("0.20"), arena);
    assert_int_equal(apply_plan(first, a, arena, &one), STATUS_OK);
    assert_int_equal(apply_plan(second, b, arena, &two), STATUS_OK);
    assert_int_equal(apply_run(first, a, &one, "one", "", clock_wall(), &version), STATUS_OK);
    assert_int_equal(version, 1);
    assert_int_equal(apply_run(second, b, &two, "two", "", clock_wall(), &version),
                     STATUS_CONFLICT);
    assert_int_equal(apply_plan(second, b, arena, &two), STATUS_OK);
    assert_int_equal(two.count, 1);
    assert_string_equal(two.changes[0].object, "slot bill.footer");
    assert_string_equal(two.changes[0].text, "floor 0.10 -> 0.20");
    assert_int_equal(apply_run(second, b, &two, "two", "", clock_wall(), &version), STATUS_OK);
    assert_int_equal(version, 2);
    db_close(first);
    db_close(second);
}

static void
what_must_not_change_is_refused(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct apply_plan plan;
    uint64_t version;
    apply(db, "market: {code: tiny, currency: EUR}\nseats: {care: {kind: department}}\n");
    struct market *market = declared_market(
        "market: {code: other, currency: USD}\nseats: {care: {kind: partner}}\n", arena);
    assert_int_equal(apply_plan(db, market, arena, &plan), STATUS_OK);
    assert_int_equal(plan.refused, 3);
    assert_int_equal(apply_run(db, market, &plan, "x", "", clock_wall(), &version), STATUS_INPUT);
    db_close(db);
}

static void
stored_objects_refuse_update_and_delete(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE);
    db_close(db);
    char as_console[POSTGRES_TEXT];
    postgres_as(connection, "vendue_console", as_console);
    assert_int_equal(db_open(as_console, "apply_test", &db, NULL), STATUS_OK);
    assert_int_equal(db_run(db, "update market_object set code = 'x'", NULL, 0, NULL),
                     STATUS_DENIED);
    assert_int_equal(db_run(db, "delete from market_version", NULL, 0, NULL), STATUS_DENIED);
    assert_int_equal(apply(db, TINY_HEAD TINY_BILL("0.15") TINY_MESSAGE),
                     2);  // but a version may be added
    db_close(db);
}

static void
views_name_objects_also_when_they_are_removed(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct db_rows *rows;
    apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE);
    apply(db, TINY_HEAD TINY_BILL("0.14"));
    assert_int_equal(db_query(db, "select rung::integer, removed, seat, objectives from message",
                              NULL, 0, &rows),
                     STATUS_OK);
    assert_int_equal(db_count(rows), 1);
    assert_int_equal(db_get_int(rows, 0, 0), RUNG_COMMERCIALIZATION);
    assert_true(db_get_bool(rows, 0, 1));
    assert_string_equal(db_get_text(rows, 0, 2), "grill");
    assert_string_equal(db_get_text(rows, 0, 3), "cross_sell");
    db_rows_free(rows);
    assert_int_equal(db_query(db,
                              "select tagid, container, position, floor_micros, removed from slot",
                              NULL, 0, &rows),
                     STATUS_OK);
    assert_string_equal(db_get_text(rows, 0, 0), "bill.footer");
    assert_int_equal(db_get_int(rows, 0, 3), 140000);
    assert_false(db_get_bool(rows, 0, 4));
    db_rows_free(rows);
    assert_int_equal(
        db_query(db, "select seat_id, from_us, rate_ppm, merchant from contract order by id", NULL,
                 0, &rows),
        STATUS_OK);
    assert_int_equal(db_get_int(rows, 1, 1), 1767225600000000);
    assert_int_equal(db_get_int(rows, 1, 2), 0);
    db_rows_free(rows);
    assert_int_equal(db_query(db, "select version, code, currency from market_now", NULL, 0, &rows),
                     STATUS_OK);
    assert_int_equal(db_get_int(rows, 0, 0), 2);
    db_rows_free(rows);
    db_close(db);
}

static void
gain_shares_stand_in_their_view(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct db_rows *rows;
    apply(db, "market: {code: tiny, currency: EUR}\n"
              "seats: {care: {kind: department}, grill: {kind: partner}}\n"
              "contracts: {g: {seat: grill, from: 2026-01-01, gain_share: {rate: 12.5%, shares: "
              "[{to: host, weight: 3}, {to: care, rung: 5, weight: 1}]}}}\n");
    assert_int_equal(
        db_query(db,
                 "select beneficiary, seat_id, rung::integer, weight, (select rate_ppm from "
                 "contract) from contract_share order by position",
                 NULL, 0, &rows),
        STATUS_OK);
    assert_int_equal(db_count(rows), 2);
    assert_string_equal(db_get_text(rows, 0, 0), "host");
    assert_int_equal(db_get_int(rows, 0, 1), 0);
    assert_int_equal(db_get_int(rows, 0, 2), -1);
    assert_int_equal(db_get_int(rows, 1, 2), RUNG_PREDICTIVE);
    assert_int_equal(db_get_int(rows, 1, 3), 1);
    assert_int_equal(db_get_int(rows, 1, 4), 125000);
    db_rows_free(rows);
    db_close(db);
}

// Two of three bids of a message stand: taking it away says so.
static void
a_removed_message_names_its_bids(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct apply_plan plan;
    assert_int_equal(apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE), 1);
    assert_int_equal(
        db_script(db,
                  "insert into bid_change select 1, n, 0, 0, n % 3, 2, m.id, 0,"
                  "  case when n = 2 then 'withdrawn' else 'active' end, 'EUR', 500000, 0, 0, 'k'"
                  " from generate_series(0, 3) n, message m"),
        STATUS_OK);
    const struct market *bare = declared_market(TINY_HEAD TINY_BILL("0.12"), arena);
    assert_int_equal(apply_plan(db, bare, arena, &plan), STATUS_OK);
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.changes[0].object, "message grill.summer");
    assert_string_equal(plan.changes[0].text, "removed; 2 standing bids pause with it");
    db_close(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_market_is_kept_in_versions_with_stable_ids, set_up,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(ids_follow_the_declared_order, set_up, scratch_close),
        cmocka_unit_test_setup_teardown(one_of_two_applies_wins_and_the_other_is_told, set_up,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(what_must_not_change_is_refused, set_up, scratch_close),
        cmocka_unit_test_setup_teardown(stored_objects_refuse_update_and_delete, set_up,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(views_name_objects_also_when_they_are_removed, set_up,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(a_removed_message_names_its_bids, set_up, scratch_close),
        cmocka_unit_test_setup_teardown(gain_shares_stand_in_their_view, set_up, scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
