// Tests of publish.c against a real server: markets, bids and certificates become catalog files.
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

#include "apply.h"
#include "catalog.h"
#include "database.h"
#include "folder.h"
#include "publish.h"
#include "scratch.h"

static char connection[POSTGRES_TEXT];
static char directory[] = "/tmp/vendue_publish_XXXXXX";

static int
set_up(void **state)
{
    db_close(database_migrated(connection));
    if (strstr(directory, "XXXXXX") != NULL) assert_non_null(mkdtemp(directory));
    return scratch_open(state);
}

static uint64_t
apply(struct db *db, const char *text)
{
    return database_apply(db, text, arena);
}

static void
add_bid(struct db *db, int64_t bid, int64_t batch, const char *state, int64_t price)
{
    struct db_param params[] = {db_int8(bid), db_int8(batch), db_text(state), db_int8(price)};
    assert_int_equal(
        db_run(db,
               "insert into bid_change (log, batch, idx, at_us, bid, seat, message, slot, state, "
               "currency, price_micros, from_us, until_us, key) select 1, $2, 0, 1, $1, m.seat_id, "
               "m.id, 0, "
               "$3, 'EUR', $4, 0, 0, 'k' || $1 from message m where m.code = 'grill.summer'",
               params, 4, NULL),
        STATUS_OK);
}

static struct catalog *
published(void)
{
    char path[600];
    const char *bytes;
    size_t len;
    uint32_t left_out;
    struct catalog *catalog = NULL;
    snprintf(path, sizeof path, "%s/published/catalog", directory);
    assert_int_equal(market_file_text(path, arena, &bytes, &len), STATUS_OK);
    assert_int_equal(catalog_decode((const uint8_t *)bytes, len, &catalog, &left_out), STATUS_OK);
    assert_int_equal(left_out, 0);
    return catalog;
}

static void
turns_publish_what_changed_and_nothing_else(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct publish *publish = publish_open(directory, 1);
    struct publish_report report;
    usec now = {1700000000000000};
    uint64_t live;
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_false(report.published);  // no market yet
    apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE);
    assert_int_equal(apply_published(db, 1, &live), STATUS_NOT_FOUND);
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_true(report.published);
    assert_int_equal(report.version, 1);
    assert_int_equal(apply_published(db, 1, &live), STATUS_OK);
    assert_int_equal(live, 1);
    struct catalog *catalog = published();
    assert_int_equal(catalog->bid_count, 0);
    assert_int_equal(catalog->slots[0].floor.micros, 120000);
    catalog_close(catalog);
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_false(report.published);

    add_bid(db, 7, 1, "active", 500000);
    now.us += USEC_SECOND / 2;
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_false(report.published);  // bids alone wait
    now.us += USEC_SECOND;
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_true(report.published);
    catalog = published();
    assert_int_equal(catalog->bid_count, 1);
    assert_int_equal(catalog->bids[0].price.micros, 500000);
    catalog_close(catalog);

    add_bid(db, 7, 2, "withdrawn", 500000);
    apply(db, TINY_HEAD TINY_BILL("0.14") TINY_MESSAGE);  // a floor does not wait
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_true(report.published);
    assert_int_equal(report.market_version, 2);
    catalog = published();
    assert_int_equal(catalog->version, 3);
    assert_int_equal(catalog->bid_count, 0);
    assert_int_equal(catalog->slots[0].floor.micros, 140000);
    catalog_close(catalog);
    publish_close(publish);

    publish = publish_open(directory, 1);  // a restart: versions go on
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_int_equal(report.version, 4);
    uint64_t market_version;
    assert_int_equal(publish_market_version(db, 2, &market_version), STATUS_OK);
    assert_int_equal(market_version, 1);
    assert_int_equal(publish_market_version(db, 99, &market_version), STATUS_NOT_FOUND);
    publish_close(publish);
    db_close(db);
}

static void
certificates_are_registered_revoked_and_published(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct digest key = hash_sha256("key", 3), other = hash_sha256("other", 5);
    usec now = clock_wall();
    assert_int_equal(apply_certificate(db, other, ROLE_OPERATOR, "", now, ""), STATUS_OK);
    assert_int_equal(apply_certificate(db, key, ROLE_SEAT, "grill", now, ""), STATUS_NOT_FOUND);
    apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE);
    assert_int_equal(apply_certificate(db, key, ROLE_SEAT, "grill", now, ""), STATUS_OK);
    assert_int_equal(apply_certificate(db, key, ROLE_SEAT, "grill", now, ""), STATUS_EXISTS);
    assert_int_equal(apply_certificate(db, key, ROLE_SEAT, "care", now, ""), STATUS_CONFLICT);
    struct publish *publish = publish_open(directory, 1);
    struct publish_report report;
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    struct catalog *catalog = published();
    const struct market_certificate *found = catalog_certificate(catalog, key);
    assert_non_null(found);
    assert_int_equal(found->role, ROLE_SEAT);
    assert_false(found->revoked);
    assert_int_equal(catalog->seats[catalog_seat_by_id(catalog, found->party)].kind, SEAT_PARTNER);
    assert_int_equal(catalog_certificate(catalog, other)->role, ROLE_OPERATOR);
    catalog_close(catalog);
    assert_int_equal(apply_revoke(db, key, now, "lost"), STATUS_OK);
    assert_int_equal(apply_revoke(db, key, now, "lost"), STATUS_OK);
    assert_int_equal(apply_revoke(db, hash_sha256("x", 1), now, ""), STATUS_NOT_FOUND);
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_true(report.published);
    catalog = published();
    assert_true(catalog_certificate(catalog, key)->revoked);
    catalog_close(catalog);
    publish_close(publish);
    db_close(db);
}

static void
kinds_stops_and_the_clock_are_published(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    const char *text = arena_printf(
        arena,
        "market: {code: tiny, currency: EUR, zone: Europe/Berlin}\n%s" TINY_BILL("0.12")
            TINY_MESSAGE
        "experiments: {dearer: {share: 10%%, change: +20%%, stop: {loss: 10%%, after: 100}}}\n",
        strchr(TINY_HEAD, '\n') + 1);
    apply(db, text);
    add_bid(db, 7, 1, "active", 250000);
    assert_int_equal(db_run(db, "update bid_change set kind = 2", NULL, 0, NULL), STATUS_OK);
    struct publish *publish = publish_open(directory, 1);
    struct publish_report report;
    usec now = {1795392000000000};
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    struct catalog *catalog = published();
    assert_true(catalog->judged_first == 1 && catalog->bids[0].kind == PRICE_SHARE);
    assert_int_equal(catalog->slots[0].experiment_count, 1);
    assert_false(catalog->experiments[0].stopped);
    assert_true(catalog->shift_count > 20);
    catalog_close(catalog);
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_false(report.published);
    struct db_param stopped[] = {db_time((usec){now.us + 1})};
    assert_int_equal(
        db_run(db, "insert into experiment_stop values (1, $1, 100, 900, 1, 20, 'too little')",
               stopped, 1, NULL),
        STATUS_OK);
    uint64_t before = report.version;
    now.us += USEC_SECOND;
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_true(report.published);
    catalog = published();
    assert_true(catalog->experiments[0].stopped);
    catalog_close(catalog);
    struct catalog_input input;
    usec at;
    assert_int_equal(publish_catalog_input(db, before, arena, &input, &at), STATUS_OK);
    assert_false(input.market->experiments[0].stopped);  // not yet, then
    assert_int_equal(input.market->experiment_count, 1);
    assert_int_equal(publish_catalog_input(db, report.version, arena, &input, &at), STATUS_OK);
    assert_true(input.market->experiments[0].stopped && at.us == now.us);
    publish_close(publish);
    db_close(db);
}

static void
a_floor_is_published_in_under_a_second_over_ten_thousand_bids(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct publish *publish = publish_open(directory, 1);
    struct publish_report report;
    apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE);
    assert_int_equal(
        db_run(
            db,
            "insert into bid_change (log, batch, idx, at_us, bid, seat, message, slot, state, "
            "currency, price_micros, from_us, until_us, key) select 1, n, 0, 1, n, m.seat_id, "
            "m.id, 0, "
            "'active', 'EUR', 1000 + n, 0, 0, 'k' || n from message m, generate_series(1, 10000) n",
            NULL, 0, NULL),
        STATUS_OK);
    assert_int_equal(publish_turn(publish, db, clock_wall(), &report), STATUS_OK);
    assert_int_equal(report.bids, 10000);
    apply(db, TINY_HEAD TINY_BILL("0.14") TINY_MESSAGE);
    assert_int_equal(publish_turn(publish, db, clock_wall(), &report), STATUS_OK);
    assert_true(report.published);
    print_message("10,000 bids published in %lld ms\n", (long long)(report.took_us / 1000));
    assert_true(report.took_us < USEC_SECOND);
    publish_close(publish);
    db_close(db);
}

// Each node sells the bids that another took.
static void
bids_of_other_nodes_are_published(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    struct publish *publish = publish_open(directory, 1);
    struct publish_report report;
    usec now = {1795392000000000};
    apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE);
    assert_int_equal(db_run(db,
                            "insert into watermark (log, epoch, batch, digest, at_us) "
                            "values (2, 1, 7, decode(repeat('00', 32), 'hex'), 0)",
                            NULL, 0, NULL),
                     STATUS_OK);
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_true(report.published && report.bids == 0);
    add_bid(db, 7, 7, "active", 250000);
    assert_int_equal(db_run(db, "update bid_change set log = 2", NULL, 0, NULL), STATUS_OK);
    now.us += 2 * USEC_SECOND;
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_true(report.published && report.bids == 1);
    now.us += 2 * USEC_SECOND;
    assert_int_equal(publish_turn(publish, db, now, &report), STATUS_OK);
    assert_false(report.published);
    publish_close(publish);
    db_close(db);
}

static void
no_room_for_the_file_is_told_and_tried_again(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    char file[600];
    snprintf(file, sizeof file, "%s/blocked", directory);
    FILE *blocked = fopen(file, "w");  // a file where a market directory should be
    assert_non_null(blocked);
    fclose(blocked);
    apply(db, TINY_HEAD TINY_BILL("0.12") TINY_MESSAGE);
    struct publish *publish = publish_open(file, 1);
    struct publish_report report;
    assert_int_equal(publish_turn(publish, db, clock_wall(), &report), STATUS_IO);
    assert_non_null(strstr(report.fault, "published/catalog"));
    uint64_t live;
    assert_int_equal(apply_published(db, 1, &live), STATUS_NOT_FOUND);
    assert_int_equal(publish_turn(publish, db, clock_wall(), &report), STATUS_IO);  // waits
    assert_false(report.published);
    assert_non_null(strstr(report.fault, "published/catalog"));  // and is still at fault
    publish_close(publish);
    db_close(db);
}

static int
remove_directory(void **state)
{
    (void)state;
    return folder_remove(directory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(turns_publish_what_changed_and_nothing_else, set_up,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(certificates_are_registered_revoked_and_published, set_up,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(kinds_stops_and_the_clock_are_published, set_up,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(
            a_floor_is_published_in_under_a_second_over_ten_thousand_bids, set_up, scratch_close),
        cmocka_unit_test_setup_teardown(bids_of_other_nodes_are_published, set_up, scratch_close),
        cmocka_unit_test_setup_teardown(no_room_for_the_file_is_told_and_tried_again, set_up,
                                        scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, remove_directory);
}
