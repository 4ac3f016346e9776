// Closing periods over prices of all three kinds: statements, bills, exports and proofs add up on
// random stories, also when what was charged in one period is refunded in the next.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "settle.h"

static void
close_month(struct fixture *fixture, const char *name, const char *at)
{
    struct db *db = database_open(fixture->console);
    struct period period;
    struct settle_report report;
    struct settle_options options = {.directory = fixture->directory};
    char detail[SETTLE_DETAIL];
    assert_int_equal(period_parse(name, strlen(name), &period), STATUS_OK);
    assert_int_equal(clock_parse(at, strlen(at), &options.now), STATUS_OK);
    enum status status = settle_close(db, &period, &options, &report);
    if (status != STATUS_OK) print_message("%s\n", report.fault);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(report.done, SETTLE_STEPS);
    status = settle_verify(db, fixture->directory, detail);
    if (status != STATUS_OK) print_message("%s\n", detail);
    assert_int_equal(status, STATUS_OK);
    db_close(db);
}

// Refunds all that is left of every order.
static void
refund_everything(struct story *story)
{
    for (size_t i = 0; i < story->count; i++) {
        struct told *told = &story->told[i];
        while (told->converted.micros > told->refunded.micros) {
            struct fact fact = story_revenue(story, told, FACT_REFUNDED);
            story_append(story, &fact, 1);
        }
    }
    assert_int_equal(journal_sync(story->journal), STATUS_OK);
}

// Placements that ended and cost nothing: not shown, or not answered as they were priced.
static int64_t
ended_in(const struct story *story)
{
    int64_t ended = 0;
    for (size_t i = 0; i < story->facts; i++) {
        const struct fact *won = &story->all[i];
        bool ends = false;
        if (won->kind != FACT_PLACEMENT) continue;
        for (size_t j = i + 1; j < story->facts; j++) {
            const struct fact *fact = &story->all[j];
            if (fact->position != won->position || !id_same(fact->contact, won->contact)) continue;
            ends |= fact->kind == FACT_CANCELLED || fact->kind == FACT_EXPIRED ||
                    fact->kind == FACT_LAPSED ||
                    (fact->kind == FACT_DECLINED && won->placement.kind == PRICE_RESPONSE);
        }
        ended += ends;
    }
    return ended;
}

// `sure`: the seed's story is known to hold every kind of end.
static void
close_a_story(uint64_t seed, bool sure)
{
    struct fixture fixture;
    struct story story;
    fixture_open(&fixture);
    story_open(&story, &fixture, seed);
    for (int day = 0; day < 8; day++) {
        story_tell(&story, 40);
        story.now.us += 18 * 3600 * USEC_SECOND;
    }
    fixture_ship_all(&fixture);
    fixture_prove(&story);
    if (sure) {
        static const char commissions[] = "select count(*) from transfer "
                                          "where kind = 'commission' and debit % 10000 = 1110";
        static const char lapses[] = "select count(*) from transfer "
                                     "where kind = 'release' and reason = 'lapsed'";
        assert_true(fixture_ask(&fixture, commissions) > 0);
        assert_true(fixture_ask(&fixture, lapses) > 0);
    }
    assert_int_equal(fixture_ask(&fixture, "select sum(ended)::bigint from statement_line "
                                           "where section in ('charged', 'prepaid', 'bought')"),
                     ended_in(&story));
    close_month(&fixture, "2026-10", "2026-11-01T06:00:00Z");
    // November: what is left is refunded, and nothing but prices per placement and per response
    // stands any more.
    story.now.us += 3 * USEC_DAY;
    story_tell(&story, 40);
    refund_everything(&story);
    fixture_ship_all(&fixture);
    fixture_prove(&story);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from (select group_id, account, "
                                           "currency from entry where kind in ('commission', "
                                           "'share', 'refund') group by 1, 2, 3 "
                                           "having sum(micros) <> 0) x"),
                     0);
    close_month(&fixture, "2026-11", "2026-12-01T06:00:00Z");
    fixture_prove(&story);
    story_close(&story);
    fixture_close(&fixture);
}

static void
periods_close_over_all_kinds_of_price(void **state)
{
    (void)state;
    close_a_story(4, true);
}

static void
and_over_any_story(void **state)
{
    (void)state;
    close_a_story(seed_fresh(), false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(periods_close_over_all_kinds_of_price),
                                       cmocka_unit_test(and_over_any_story)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
