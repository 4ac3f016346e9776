// Tests of verify.c: a clean ledger proves clean; whatever one row is changed, taken away or put in
// by someone who may do anything, it is found, named, and its amount counted.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"
#include "partition.h"

static struct fixture fixture;
static struct story story;

static int
set_up(void **state)
{
    (void)state;
    fixture_open(&fixture);
    story_open(&story, &fixture, seed_fresh());
    story_tell(&story, 400);
    fixture_ship_all(&fixture);
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
a_clean_ledger_is_clean(void **state)
{
    (void)state;
    struct verify_report report;
    fixture_prove(&story);
    assert_int_equal(fixture_verify(&fixture, &report), STATUS_OK);
    assert_int_equal(report.transfers, fixture_ask(&fixture, "select count(*) from transfer"));
    assert_true(report.transfers > 100);
    for (unsigned i = 0; i < VERIFY_PARTS; i++) {
        assert_true(report.checks[i].ok);
        assert_true(report.checks[i].name && report.checks[i].detail[0]);
    }
    // Finance's rows of before acts are explained by their kind; one of any other kind is not.
    fixture_sql(&fixture,
                "alter table transfer drop constraint program_is_older_than_the_database");
    fixture_sql(&fixture,
                "insert into transfer (transfer_id, group_id, leg, kind, state, currency, debit, "
                "credit, amount_micros, effective_us, posted_us, period, late, log, batch, idx) "
                "select gen_random_uuid(), gen_random_uuid(), 0, 'bill', 'posted', currency, "
                "debit, credit, 5, 0, 0, period, false, 0, 0, 0 "
                "from transfer where state = 'posted' limit 1");
    assert_int_equal(fixture_verify(&fixture, &report), STATUS_OK);
    assert_false(report.ok);  // a transfer without a key
    assert_non_null(strstr(report.differences[0], "has not its own key"));
    fixture_sql(&fixture, "insert into transfer_key (transfer_id, log, batch, idx) "
                          "select transfer_id, log, batch, idx from transfer where log = 0");
    fixture_prove(&story);
    fixture_sql(&fixture, "update transfer set kind = 'gift' where log = 0");
    assert_int_equal(fixture_verify(&fixture, &report), STATUS_OK);
    assert_false(report.ok);
    assert_int_equal(report.unexplained_micros, 5);
    fixture_sql(&fixture, "delete from transfer where log = 0");
    fixture_sql(&fixture, "delete from transfer_key where log = 0");
    fixture_prove(&story);
}

#define A_CHARGE \
    "(select transfer_id from transfer where kind = 'charge' order by transfer_id limit 1)"
#define A_SHARE \
    "(select transfer_id from transfer where kind = 'share' order by transfer_id limit 1)"

static const struct tamper {
    const char *table;        // restored afterwards from a copy
    const char *sql;          // what is done to it
    enum verify_part part;    // which check must fail
    const char *unexplained;  // query on the copy (named kept) for the sum; NULL: 0
} tampers[] = {
    {"transfer",
     "update transfer set amount_micros = amount_micros + 1 where transfer_id = " A_CHARGE,
     VERIFY_TRANSFERS, "select 1::bigint"},
    {"transfer",
     "update transfer set amount_micros = amount_micros + 7 where transfer_id = " A_SHARE,
     VERIFY_TRANSFERS, "select 7::bigint"},
    {"transfer", "update transfer set debit = credit, credit = debit where transfer_id = " A_SHARE,
     VERIFY_TRANSFERS,
     "select 2 * amount_micros from kept where kind = 'share' order by transfer_id limit 1"},
    {"transfer", "delete from transfer where transfer_id = " A_CHARGE, VERIFY_TRANSFERS,
     "select amount_micros from kept where kind = 'charge' order by transfer_id limit 1"},
    {"transfer", "delete from transfer", VERIFY_TRANSFERS,
     "select sum(amount_micros)::bigint from kept"},
    {"transfer",
     "insert into transfer (transfer_id, group_id, leg, kind, state, currency, debit, credit, "
     "amount_micros, effective_us, posted_us, period, late, log, batch, idx) "
     "select gen_random_uuid(), group_id, 9, kind, 'posted', currency, "
     "debit, credit, 1234, effective_us, posted_us, period, late, log, batch, idx from transfer "
     "where transfer_id = " A_SHARE,
     VERIFY_TRANSFERS, "select 1234::bigint"},
    {"transfer", "update transfer set period = '2026-12' where transfer_id = " A_CHARGE,
     VERIFY_TRANSFERS, NULL},
    {"transfer", "update transfer set seat = seat + 1 where transfer_id = " A_SHARE,
     VERIFY_TRANSFERS, NULL},
    {"transfer", "update transfer set reference = 'x' where transfer_id = " A_SHARE,
     VERIFY_TRANSFERS, NULL},
    {"transfer", "update transfer set origin_id = null where origin_id is not null",
     VERIFY_TRANSFERS, NULL},
    {"transfer", "update transfer set model = 3 where kind = 'share'", VERIFY_TRANSFERS, NULL},
    {"transfer_key",
     "update transfer_key set idx = idx + 1 where transfer_id = (select transfer_id from "
     "transfer_key limit 1)",
     VERIFY_TRANSFERS, NULL},
    {"transfer_key", "delete from transfer_key where transfer_id = " A_CHARGE, VERIFY_TRANSFERS,
     NULL},
    {"transfer_key",
     "insert into transfer_key (transfer_id, log, batch, idx) values (gen_random_uuid(), 1, 1, 1)",
     VERIFY_TRANSFERS, NULL},
    {"credit", "update credit set weight = weight + 1 where part = 0", VERIFY_FACTS, NULL},
    {"credit", "update credit set seat = seat + 1 where part = 1", VERIFY_FACTS, NULL},
    {"credit", "update credit set model = 1", VERIFY_FACTS, NULL},
    {"credit", "update credit set pool_micros = 0", VERIFY_FACTS, NULL},
    {"credit",
     "delete from credit where (log, batch, idx) = (select log, batch, idx from credit limit 1)",
     VERIFY_FACTS, NULL},
    {"credit",
     "insert into credit select order_id, log, batch, idx + 1000, part, kind, rung, seat, weight, "
     "model, pool_micros from credit limit 1",
     VERIFY_FACTS, NULL},
    {"revenue", "update revenue set customer = customer + 1 where customer is not null",
     VERIFY_FACTS, NULL},
    {"revenue", "update revenue set merchant = 0 where merchant <> 0", VERIFY_FACTS, NULL},
    {"revenue", "update revenue set model = 0 where kind = 'converted'", VERIFY_FACTS, NULL},
    {"revenue", "update revenue set base_micros = 1 where kind = 'converted'", VERIFY_FACTS, NULL},
    {"revenue", "update revenue set of_host = 1 - of_host", VERIFY_FACTS, NULL},
    {"transfer",
     "update transfer set pending_id = gen_random_uuid() where transfer_id = (select transfer_id "
     "from "
     "transfer where pending_id is not null limit 1)",
     VERIFY_HOLDS, "-"},
    {"account", "delete from account where code = 4000", VERIFY_BALANCE, NULL},
    {"outcome",
     "update outcome set price_micros = price_micros + 1 where placement_id = (select "
     "placement_id from outcome where filled limit 1)",
     VERIFY_FACTS, NULL},
    {"outcome",
     "update outcome set reason = 'outbid' where placement_id = (select placement_id from "
     "outcome where not filled limit 1)",
     VERIFY_FACTS, NULL},
    {"contact", "delete from contact where contact_id = (select contact_id from contact limit 1)",
     VERIFY_FACTS, NULL},
    {"contact",
     "update contact set achieved = achieved + 8 where contact_id = (select contact_id from "
     "contact limit 1)",
     VERIFY_FACTS, NULL},
    {"event",
     "insert into event select log, batch, idx + 1000, kind, state, placement_id, contact_id, "
     "position, at_us, effective_us, period, slot, message, seat, price_micros, role, party, key "
     "from "
     "event limit 1",
     VERIFY_FACTS, NULL},
    {"revenue",
     "update revenue set pool_micros = pool_micros + 1 where order_id = (select order_id from "
     "revenue limit 1)",
     VERIFY_FACTS, NULL},
    {"bid_change", "update bid_change set price_micros = price_micros + 1 where idx = 0",
     VERIFY_FACTS, NULL},
    {"outcome", "update outcome set kind = 1 - kind where kind < 2", VERIFY_FACTS, NULL},
    {"outcome", "update outcome set day = day + 1", VERIFY_FACTS, NULL},
    {"outcome", "update outcome set campaign = 9 where campaign = 1", VERIFY_FACTS, NULL},
    {"contact", "update contact set experiment = 7 where experiment = 1", VERIFY_FACTS, NULL},
    {"contact", "update contact set flags = 2 - flags where flags in (0, 2)", VERIFY_FACTS, NULL},
    {"contact", "update contact set records = 0 where records = 7", VERIFY_FACTS, NULL},
    {"candidate", "delete from candidate where place = 1", VERIFY_FACTS, NULL},
    {"candidate", "update candidate set price = price + 1 where place = 0", VERIFY_FACTS, NULL},
    {"candidate", "update candidate set multiplier = 0 where multiplier <> 0", VERIFY_FACTS, NULL},
    {"candidate", "update candidate set floor_micros = floor_micros - 1", VERIFY_FACTS, NULL},
    {"candidate", "update candidate set floor_id = 3", VERIFY_FACTS, NULL},
    {"candidate", "update candidate set seat = seat + 1", VERIFY_FACTS, NULL},
    {"candidate", "update candidate set bid = bid + 1", VERIFY_FACTS, NULL},
    {"candidate", "update candidate set how = how + 32", VERIFY_FACTS, NULL},
    {"candidate", "update candidate set priority = 1 - priority", VERIFY_FACTS, NULL},
    {"tally", "update tally set considered = considered + 1", VERIFY_FACTS, NULL},
    {"tally", "update tally set counts = array[counts[1] + 1, counts[2]]", VERIFY_FACTS, NULL},
    {"tally", "delete from tally where position = 2", VERIFY_FACTS, NULL},
    {"refusal", "update refusal set met = 0 where met is null", VERIFY_FACTS, NULL},
    {"refusal", "update refusal set reason = 2", VERIFY_FACTS, NULL},
    {"refusal", "update refusal set clause = clause + 1", VERIFY_FACTS, NULL},
    {"callout", "update callout set answer_ms = 1 where answer_ms is null", VERIFY_FACTS, NULL},
    {"callout",
     "insert into callout select log, batch, idx, 15, at_us, seat, answer_ms, reason, bids from "
     "callout limit 1",
     VERIFY_FACTS, NULL},
    {"frame", "update frame set digest = previous where batch = 7", VERIFY_CHAIN, NULL},
    {"frame", "delete from frame where batch = 9", VERIFY_CHAIN, NULL},
    {"frame", "update frame set epoch = 2 where batch = 5", VERIFY_CHAIN, NULL},
    {"frame", "update frame set at_us = at_us + 1 where batch = 5", VERIFY_CHAIN, NULL},
    {"frame", "update frame set facts = facts + 1 where batch = 5", VERIFY_CHAIN, NULL},
    {"watermark", "update watermark set digest = decode(repeat('01', 32), 'hex')", VERIFY_CHAIN,
     NULL},
};

static void
every_change_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tampers / sizeof *tampers; i++) {
        const struct tamper *one = &tampers[i];
        struct verify_report report;
        char sql[256];
        snprintf(sql, sizeof sql, "create table kept as select * from %s", one->table);
        fixture_sql(&fixture, sql);
        assert_true(fixture_sql(&fixture, one->sql) > 0);
        assert_int_equal(fixture_verify(&fixture, &report), STATUS_OK);
        if (report.ok || report.checks[one->part].ok) print_message("not found: %s\n", one->sql);
        assert_false(report.ok);
        assert_false(report.checks[one->part].ok);
        assert_true(report.difference_count > 0 || one->part == VERIFY_BALANCE);
        if (!one->unexplained) assert_int_equal(report.unexplained_micros, 0);
        else if (one->unexplained[0] != '-')
            assert_int_equal(report.unexplained_micros, fixture_ask(&fixture, one->unexplained));
        snprintf(sql, sizeof sql, "delete from %s", one->table);
        fixture_sql(&fixture, sql);
        snprintf(sql, sizeof sql, "insert into %s select * from kept", one->table);
        fixture_sql(&fixture, sql);
        fixture_sql(&fixture, "drop table kept");
    }
    fixture_prove(&story);
}

// One flipped bit in the journal's files: never "ok".
static void
a_damaged_journal_is_found(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/journal/00000001.segment", fixture.directory);
    for (int i = 0; i < 30; i++) {
        struct verify_report report;
        FILE *file = fopen(path, "r+");
        assert_non_null(file);
        long offset = (long)story_draw(&story, 60000);
        assert_int_equal(fseek(file, offset, SEEK_SET), 0);
        int byte = fgetc(file);
        int changed = byte ^ (1 << story_draw(&story, 8));
        assert_int_equal(fseek(file, offset, SEEK_SET), 0);
        fputc(changed, file);
        fclose(file);
        enum status status = fixture_verify(&fixture, &report);
        if (status == STATUS_OK && report.ok) print_message("offset %ld\n", offset);
        assert_true(status != STATUS_OK || !report.ok);
        file = fopen(path, "r+");
        assert_int_equal(fseek(file, offset, SEEK_SET), 0);
        fputc(byte, file);
        fclose(file);
    }
    fixture_prove(&story);
    // Cut short: the ledger knows more than the journal.
    struct verify_report report;
    fixture_sql(&fixture, "update watermark set batch = batch + 5");
    assert_int_equal(fixture_verify(&fixture, &report), STATUS_GAP);
    assert_true(report.fault[0] != 0);
    assert_false(report.ok);
    fixture_sql(&fixture, "update watermark set batch = batch - 5");
    fixture_prove(&story);
}

static void
facts_not_yet_booked_do_not_matter(void **state)
{
    (void)state;
    struct verify_report report;
    uint64_t frames = journal_end(story.journal).batch;
    story_tell(&story, 20);
    assert_int_equal(fixture_verify(&fixture, &report), STATUS_OK);
    assert_true(report.ok);
    assert_int_equal(report.frames, frames);
    fixture_ship_all(&fixture);
    fixture_prove(&story);
}

// An engine that writes a record which its own outcome does not follow from: booked as it stands,
// and found.
static void
a_wrong_record_is_found(void **state)
{
    (void)state;
    struct fixture other;
    struct story wrong;
    struct verify_report report;
    struct fact facts[64];
    fixture_open(&other);
    story_open(&wrong, &other, 5);
    unsigned rounds = 0, count;
    do {
        count = story_contact(&wrong, facts);
        if (wrong.contacts % 5 == 0) continue;
        rounds++;
        if (facts[1].kind == FACT_PLACEMENT) facts[1].placement.price.micros++;
        story_append(&wrong, facts, count);
    } while (facts[1].kind != FACT_PLACEMENT);
    assert_int_equal(journal_sync(wrong.journal), STATUS_OK);
    fixture_ship_all(&other);
    assert_int_equal(fixture_verify(&other, &report), STATUS_OK);
    assert_false(report.ok);
    assert_false(report.checks[VERIFY_ROUNDS].ok);
    assert_true(report.checks[VERIFY_FACTS].ok && report.checks[VERIFY_TRANSFERS].ok);
    assert_int_equal(report.rounds, rounds);
    assert_non_null(strstr(report.differences[0], "slot 1: its record gives bid"));
    story_close(&wrong);
    fixture_close(&other);
}

// A detached period is compared as long as its table is there; taken away, it is said to be away.
static void
detached_periods_are_compared_or_away(void **state)
{
    (void)state;
    struct fixture other;
    struct story old;
    struct verify_report report;
    fixture_open(&other);
    story_open(&old, &other, 11);
    struct db *db = database_open(other.owner);
    assert_int_equal(partition_ahead(db, old.now, 2), STATUS_OK);
    db_close(db);
    story_tell(&old, 100);
    fixture_ship_all(&other);
    int64_t all = fixture_ask(&other, "select count(*) from transfer");
    fixture_prove(&old);
    fixture_sql(&other, "alter table transfer detach partition transfer_2026_10");
    fixture_sql(&other, "insert into transfer_detached select '2026-10', "
                        "'vendue.transfer_2026_10', count(*), sum(amount_micros), 0 "
                        "from transfer_2026_10");
    fixture_sql(&other, "create or replace view transfer_kept as select * from transfer "
                        "union all select * from transfer_2026_10");
    fixture_prove(&old);
    fixture_sql(&other, "update transfer_2026_10 set amount_micros = amount_micros + 1 "
                        "where transfer_id = (select min(transfer_id::text)::uuid "
                        "from transfer_2026_10 where state = 'posted')");
    assert_int_equal(fixture_verify(&other, &report), STATUS_OK);
    assert_false(report.ok);
    assert_int_equal(report.unexplained_micros, 1);
    fixture_sql(&other, "create or replace view transfer_kept as select * from transfer");
    fixture_sql(&other, "drop table transfer_2026_10");
    assert_int_equal(fixture_verify(&other, &report), STATUS_OK);
    if (!report.ok) fixture_print(&report);
    assert_true(report.ok);
    assert_int_equal(report.away, all);
    assert_non_null(strstr(report.checks[VERIFY_TRANSFERS].detail, "taken away"));
    // A key less than transfers that are away: one was taken out before.
    fixture_sql(&other, "delete from transfer_key where transfer_id = "
                        "(select transfer_id from transfer_key limit 1)");
    assert_int_equal(fixture_verify(&other, &report), STATUS_OK);
    assert_false(report.ok);
    story_close(&old);
    fixture_close(&other);
}

static void
an_empty_ledger_is_clean(void **state)
{
    (void)state;
    struct fixture empty;
    struct verify_report report;
    fixture_open(&empty);
    assert_int_equal(fixture_verify(&empty, &report), STATUS_OK);
    assert_true(report.ok);
    assert_int_equal(report.transfers, 0);
    fixture_close(&empty);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_ledger_is_clean),
        cmocka_unit_test(every_change_is_found),
        cmocka_unit_test(a_damaged_journal_is_found),
        cmocka_unit_test(facts_not_yet_booked_do_not_matter),
        cmocka_unit_test(a_wrong_record_is_found),
        cmocka_unit_test(detached_periods_are_compared_or_away),
        cmocka_unit_test(an_empty_ledger_is_clean),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
