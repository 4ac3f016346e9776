// Tests of ship.c on a real journal and a real server: exactly once, whatever dies when.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../../ledger/fold.h"
#include "fixture.h"

// Folds and counts are what the rows add up to, by every column, before and after they are merged;
// statement lines are the same before and after.
static void
sums_are_those_of_the_rows(struct fixture *fixture)
{
    static const char lines[] =
        "select ('x' || left(md5(string_agg(l::text, '|' order by l::text)), "
        "15))::bit(60)::bigint from statement_line l";
    char text[FOLD_TEXT];
    bool merged = true;
    int64_t before = fixture_ask(fixture, lines);
    struct db *db = database_open(fixture->owner);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fold_verify(db, text), STATUS_OK);
        assert_string_equal(text, "");
        while (merged) assert_int_equal(fold_compact(db, &merged), STATUS_OK);
    }
    db_close(db);
    assert_true(fixture_ask(fixture, lines) == before);
}

static void
books_what_the_journal_says(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    struct ship *ship = ship_open(fixture.directory, 1);
    assert_int_equal(fixture_ship(&fixture, ship), SHIP_IDLE);  // no journal yet
    story_open(&story, &fixture, seed_fresh());
    assert_int_equal(fixture_ship(&fixture, ship), SHIP_IDLE);  // an empty one
    story_tell(&story, 300);
    assert_int_equal(fixture_ship(&fixture, ship), SHIP_IDLE);
    fixture_prove(&story);
    assert_int_equal(ship_report(ship)->facts, story.facts);
    // Other terms from here on; what was won before is converted and refunded by the old ones.
    fixture_market(&fixture, FIXTURE_MARKET("7.5%", "second_price"));
    assert_int_equal(fixture.catalog, 2);
    story_tell(&story, 300);
    assert_int_equal(fixture_ship(&fixture, ship), SHIP_IDLE);
    fixture_prove(&story);
    static const char *const kinds[] = {"hold", "charge", "release", "internal", "share", "refund"};
    for (int i = 0; i < 6; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "select count(*) from transfer where kind = '%s'", kinds[i]);
        assert_true(fixture_ask(&fixture, sql) > 0);
    }
    assert_true(fixture_ask(&fixture, "select count(distinct market_version) from outcome") == 2);
    // An order refunded to the last micro leaves nothing on any account.
    assert_true(fixture_ask(&fixture,
                            "select count(*) from (select order_id from revenue group by 1 "
                            "having sum(case kind when 'converted' then amount_micros else "
                            "-amount_micros end) = 0) o") > 0);
    assert_int_equal(
        fixture_ask(
            &fixture,
            "select count(*) from (select r.order_id, e.account from (select order_id from "
            "revenue group by 1 having sum(case kind when 'converted' then amount_micros else "
            "-amount_micros end) = 0) r join entry e on e.group_id = r.order_id "
            "group by 1, 2 having sum(e.micros) <> 0) x"),
        0);
    // Shipping again from nothing finds nothing to do.
    fixture_ship_all(&fixture);
    fixture_prove(&story);
    assert_int_equal(
        fixture_ask(&fixture, "select count(*) from account where name like '%:grill'"), 2);
    assert_true(fixture_ask(&fixture, "select count(*) from standing_bid") <= 40);
    assert_int_equal(
        fixture_ask(&fixture,
                    "select count(*) from standing_bid s where exists (select 1 from "
                    "bid_change c where c.bid = s.id and (c.batch, c.idx) > (s.batch, s.idx))"),
        0);
    ship_close(ship);
    sums_are_those_of_the_rows(&fixture);
    story_close(&story);
    fixture_close(&fixture);
}

static void
late_facts_go_behind_the_fence(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    story_open(&story, &fixture, seed_fresh());
    story_tell(&story, 100);
    fixture_ship_all(&fixture);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from transfer where late"), 0);
    assert_int_equal(
        fixture_ask(&fixture, "select count(*) from transfer where period <> '2026-10'"), 0);
    fixture_sql(&fixture,
                "insert into period_event values ('2026-10', 1, 'fence', 1790812800000000, "
                "1793491200000000, 0, '', 'statements 2')");
    story_tell(&story, 100);
    fixture_ship_all(&fixture);
    assert_true(fixture_ask(&fixture, "select count(*) from transfer where late and "
                                      "period = '2026-11'") > 0);
    assert_int_equal(fixture_ask(&fixture,
                                 "select count(*) from transfer where late and "
                                 "(period <> '2026-11' or effective_us >= 1793491200000000)"),
                     0);
    fixture_prove(&story);
    sums_are_those_of_the_rows(&fixture);
    story_close(&story);
    fixture_close(&fixture);
}

// A child that ships for ever, until it is killed.
static pid_t
start_shipper(struct fixture *fixture)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct ship *ship = ship_open(fixture->directory, 1);
    struct db *db = NULL;
    for (;;) {
        if (!db && db_open(fixture->ledger, "shipper", &db, NULL) != STATUS_OK) db = NULL;
        if (db && ship_turn(ship, db) == SHIP_STOP) _exit(9);
        if (db && !db_alive(db)) {
            db_close(db);
            db = NULL;
        }
        usleep(500);
    }
}

static void
killed_at_any_moment(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    story_open(&story, &fixture, seed_fresh());
    int64_t moved = 0, last = 0;
    int round = 0;
    // On a busy machine the shipper may need longer lives to get anywhere.
    for (; round < 40 || (moved == 0 && round < 120); round++) {
        int ended = 0;
        if (round < 40) story_tell(&story, 40);
        pid_t pid = start_shipper(&fixture);
        usleep((useconds_t)(story_draw(&story, 90000) * (round < 40 ? 1 : (uint64_t)round - 30)));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &ended, 0), pid);
        assert_true(WIFSIGNALED(ended));
        int64_t batch = fixture_ask(&fixture, "select batch from watermark where log = 1");
        assert_true(batch >= last);
        moved += batch > last;
        last = batch;
    }
    print_message("kill -9: %d times, %lld of them behind a commit\n", round, (long long)moved);
    assert_true(moved > 0);
    fixture_ship_all(&fixture);
    fixture_prove(&story);
    sums_are_those_of_the_rows(&fixture);
    story_close(&story);
    fixture_close(&fixture);
}

static void
the_server_dies_and_comes_back(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    story_open(&story, &fixture, seed_fresh());
    story_tell(&story, 100);
    pid_t pid = start_shipper(&fixture);
    for (int round = 0; round < 3; round++) {
        usleep((useconds_t)story_draw(&story, 40000));
        postgres_kill();
        story_tell(&story, 50);
        postgres_start();
    }
    int64_t wanted = (int64_t)journal_end(story.journal).batch;
    for (int i = 0; i < 200; i++) {
        if (fixture_ask(&fixture, "select batch from watermark where log = 1") == wanted) break;
        usleep(50000);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    fixture_prove(&story);
    sums_are_those_of_the_rows(&fixture);
    story_close(&story);
    fixture_close(&fixture);
}

static void
two_shippers_book_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    story_open(&story, &fixture, seed_fresh());
    pid_t first = start_shipper(&fixture), second = start_shipper(&fixture);
    for (int round = 0; round < 20; round++) {
        story_tell(&story, 20);
        usleep(5000);
    }
    usleep(100000);
    int ended[2];
    assert_int_equal(kill(first, SIGKILL), 0);
    assert_int_equal(kill(second, SIGKILL), 0);
    assert_int_equal(waitpid(first, &ended[0], 0), first);
    assert_int_equal(waitpid(second, &ended[1], 0), second);
    assert_true(WIFSIGNALED(ended[0]) && WIFSIGNALED(ended[1]));  // neither gave up
    fixture_ship_all(&fixture);
    fixture_prove(&story);
    sums_are_those_of_the_rows(&fixture);
    story_close(&story);
    fixture_close(&fixture);
}

static void
stops_when_journal_and_ledger_do_not_fit(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    char command[256];
    fixture_open(&fixture);
    story_open(&story, &fixture, 1);
    story_tell(&story, 50);
    fixture_ship_all(&fixture);
    int64_t transfers = fixture_ask(&fixture, "select count(*) from transfer");
    story_close(&story);
    // Another journal in its place: the same numbers, other digests.
    snprintf(command, sizeof command, "rm -rf %s/journal/*", fixture.directory);
    assert_int_equal(system(command), 0);
    story_open(&story, &fixture, 2);
    story_tell(&story, 60);
    struct ship *ship = ship_open(fixture.directory, 1);
    assert_int_equal(fixture_ship(&fixture, ship), SHIP_STOP);
    assert_true(ship_report(ship)->fault[0] != 0);
    ship_close(ship);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from transfer"), transfers);
    sums_are_those_of_the_rows(&fixture);
    story_close(&story);
    fixture_close(&fixture);
}

// Facts that cannot be booked: a record without its contact, a price of no kind, a share of more
// than everything. Shipping stops, says so, and keeps what it has.
static void
stops_at_what_cannot_be_booked(void **state)
{
    (void)state;
    static const char *const said[] = {"without its contact", "of no kind that is known",
                                       "of no kind that is known", "of no kind that is known"};
    for (unsigned i = 0; i < 4; i++) {
        struct fixture fixture;
        struct story story;
        struct fact facts[64];
        unsigned count;
        fixture_open(&fixture);
        story_open(&story, &fixture, 1);
        do count = story_contact(&story, facts);
        while (facts[1].kind != FACT_PLACEMENT || story.contacts % 5 == 0);
        if (i == 0) facts[count - 1].contact.bytes[5] ^= 1;
        if (i == 1) facts[1].placement.kind = PRICE_KIND_COUNT;
        if (i >= 2) facts[1].placement.kind = PRICE_SHARE;
        if (i >= 2) facts[1].placement.price = money_of(i == 2 ? -1 : 1000001);
        story_append(&story, facts, count);
        assert_int_equal(journal_sync(story.journal), STATUS_OK);
        struct ship *ship = ship_open(fixture.directory, 1);
        assert_int_equal(fixture_ship(&fixture, ship), SHIP_STOP);
        assert_non_null(strstr(ship_report(ship)->fault, said[i]));
        ship_close(ship);
        assert_int_equal(fixture_ask(&fixture, "select count(*) from contact"), 0);
        assert_int_equal(fixture_ask(&fixture, "select count(*) from candidate"), 0);
        story_close(&story);
        fixture_close(&fixture);
    }
}

static void
stops_at_a_catalog_it_never_published(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    story_open(&story, &fixture, 1);
    fixture.catalog = 99;
    story_tell(&story, 50);
    struct ship *ship = ship_open(fixture.directory, 1);
    assert_int_equal(fixture_ship(&fixture, ship), SHIP_STOP);
    assert_non_null(strstr(ship_report(ship)->fault, "never published catalog 99"));
    ship_close(ship);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from contact"), 0);
    sums_are_those_of_the_rows(&fixture);
    story_close(&story);
    fixture_close(&fixture);
}

static void
orphans_and_repeats_book_nothing_and_are_told(void **state)
{
    (void)state;
    struct fixture fixture;
    struct story story;
    struct verify_report report;
    fixture_open(&fixture);
    story_open(&story, &fixture, 3);
    struct fact facts[64];
    story.placements_only = true;
    unsigned count = story_contact(&story, facts);
    while (story.count == 0) count = story_contact(&story, facts);
    story.rounds = facts[0].opened.records > 0;
    story_append(&story, facts, count);
    struct told *told = &story.told[0];
    struct id contact = told->placement.contact;
    struct fact delivered = story_fact(&story, FACT_DELIVERED, contact, told->placement.position);
    struct fact converted = story_revenue(&story, told, FACT_CONVERTED);
    story_append(&story, (struct fact[]){delivered, delivered, converted}, 3);
    story_append(&story, &converted, 1);
    assert_int_equal(journal_sync(story.journal), STATUS_OK);
    fixture_ship_all(&fixture);
    int64_t transfers = fixture_ask(&fixture, "select count(*) from transfer");
    // In later batches, so that what was booked is read back from the database.
    struct fact expired = story_fact(&story, FACT_EXPIRED, contact, told->placement.position);
    story_append(&story, (struct fact[]){expired, converted}, 2);
    assert_int_equal(journal_sync(story.journal), STATUS_OK);
    fixture_ship_all(&fixture);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from transfer"), transfers);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from event where state = 'repeat'"), 2);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from revenue where state = 'repeat'"),
                     2);
    fixture_prove(&story);
    struct id nowhere = {{1, 2, 3}};
    struct fact orphan = story_fact(&story, FACT_DELIVERED, nowhere, 1);
    story_append(&story, &orphan, 1);
    assert_int_equal(journal_sync(story.journal), STATUS_OK);
    fixture_ship_all(&fixture);
    assert_int_equal(fixture_verify(&fixture, &report), STATUS_OK);
    assert_false(report.ok);
    assert_false(report.checks[VERIFY_ORPHANS].ok);
    assert_true(report.checks[VERIFY_FACTS].ok);
    assert_int_equal(report.unexplained_micros, 0);
    sums_are_those_of_the_rows(&fixture);
    story_close(&story);
    fixture_close(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(books_what_the_journal_says),
        cmocka_unit_test(late_facts_go_behind_the_fence),
        cmocka_unit_test(killed_at_any_moment),
        cmocka_unit_test(the_server_dies_and_comes_back),
        cmocka_unit_test(two_shippers_book_once),
        cmocka_unit_test(stops_when_journal_and_ledger_do_not_fit),
        cmocka_unit_test(stops_at_what_cannot_be_booked),
        cmocka_unit_test(stops_at_a_catalog_it_never_published),
        cmocka_unit_test(orphans_and_repeats_book_nothing_and_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
