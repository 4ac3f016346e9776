// Tests of record.c: what was told of a contact comes back as it was told, fact by fact, and can be
// priced again.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "fixture.h"
#include "record.h"
#include "round.h"

static struct fixture fixture;
static struct story story;

static int
set_up(void **state)
{
    (void)state;
    fixture_open(&fixture);
    story_open(&story, &fixture, seed_fresh());
    story_tell(&story, 120);
    // One slot sold together with others, and a record's fact that says nothing.
    struct fact facts[64];
    unsigned count = story_contact(&story, facts);
    while (story.contacts % 5 == 0) count = story_contact(&story, facts);
    struct fact limits = facts[0];
    limits.kind = FACT_LIMITS;
    limits.position = 2;
    memset(limits.bytes, 0, sizeof limits.bytes);
    limits.limits.paid_max = 2;
    limits.limits.flags = 1;
    for (unsigned i = 0; i < 14; i++) {
        limits.limits.category[i] = (uint8_t)(i * 3);
        limits.limits.group[i] = (uint8_t)(i & 1);
        limits.limits.group_size[i] = (uint8_t)(i & 2);
        limits.limits.is[i] = (uint8_t)(i & 3);
    }
    facts[count++] = limits;
    limits.kind = FACT_CALLOUTS;
    limits.position = 0;
    memset(limits.bytes, 0, sizeof limits.bytes);
    facts[count++] = limits;
    facts[0].opened.records = (uint8_t)(facts[0].opened.records + 2);
    story_append(&story, facts, count);
    assert_int_equal(journal_sync(story.journal), STATUS_OK);
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

static bool
is_empty(const struct fact *fact)
{
    static const uint8_t zero[sizeof fact->bytes];
    return fact->kind >= FACT_CANDIDATES && memcmp(fact->bytes, zero, sizeof zero) == 0;
}

// The facts told of a contact, in order: its own, its record, then what became of it.
static unsigned
told_of(struct id contact, struct fact *out)
{
    unsigned count = 0;
    for (size_t i = 0; i < story.facts; i++) {
        struct fact fact = story.all[i];
        if (fact.kind == FACT_BID || !id_same(fact.contact, contact) || is_empty(&fact)) continue;
        if ((fact.kind == FACT_CONVERTED || fact.kind == FACT_REFUNDED) &&
            fact.revenue.key[0] == '\xff') {
            return 0;  // a key that is not UTF-8 does not come back
        }
        // Times by the reporter come back as they were booked: not behind the fact.
        bool event = fact.kind >= FACT_DELIVERED && fact.kind < FACT_CANDIDATES;
        if (event) fact.event.effective = (usec){0};
        if (event) fact.customer = 0;  // told as another one by now
        out[count++] = fact;
    }
    return count;
}

static void
comes_back_as_it_was_told(void **state)
{
    (void)state;
    struct db *db = database_open(fixture.console);
    struct arena *arena = arena_open("record");
    unsigned compared = 0, with_events = 0;
    for (size_t i = 0; i < story.facts; i++) {
        struct fact told[128];
        struct record record;
        unsigned position;
        struct price_sale sale;
        if (story.all[i].kind != FACT_CONTACT) continue;
        unsigned count = told_of(story.all[i].contact, told);
        struct id placement = story.all[i].contact;
        placement.bytes[15] |= 2;
        assert_int_equal(record_by_id(db, placement, arena, &record), STATUS_OK);
        assert_true(round_reprice(record.facts, record.decided, &position, &sale));
        if (count == 0) continue;
        assert_int_equal(record.count, count);
        assert_true(record.market_version > 0);
        for (unsigned k = 0; k < count; k++) {
            struct fact *fact = &record.facts[k];
            if (k >= record.decided) {
                fact->event.effective = (usec){0};
                fact->customer = 0;
            }
            assert_memory_equal(fact, &told[k], sizeof *fact);
        }
        compared++;
        with_events += record.count > record.decided;
    }
    assert_true(compared > 50 && with_events > 20);
    arena_close(arena);
    db_close(db);
}

static void
is_found_by_the_touchpoints_own_id(void **state)
{
    (void)state;
    struct db *db = database_open(fixture.console);
    struct arena *arena = arena_open("record");
    struct record record;
    assert_int_equal(record_by_key(db, 1, "contact-7", arena, &record), STATUS_OK);
    assert_string_equal(record.facts[0].opened.key, "contact-7");
    assert_int_equal(record_by_key(db, 0, "contact-7", arena, &record), STATUS_OK);
    assert_int_equal(record_by_key(db, 2, "contact-7", arena, &record), STATUS_NOT_FOUND);
    assert_int_equal(record_by_key(db, 0, "contact-none", arena, &record), STATUS_NOT_FOUND);
    assert_int_equal(record_by_key(db, 0, "' or '1' = '1", arena, &record), STATUS_NOT_FOUND);
    struct id nowhere = {{1, 2, 3}};
    assert_int_equal(record_by_id(db, nowhere, arena, &record), STATUS_NOT_FOUND);
    arena_close(arena);
    db_close(db);
}

// Rows that are no contact's facts are named as such, and never read beyond its places.
static void
damage_is_told(void **state)
{
    (void)state;
    static const char *const damages[][3] = {
        {"contact", "update contact set identity = '?'", "identity"},
        {"outcome", "update outcome set idx = idx + 100000", "place"},
        {"outcome", "update outcome set position = 14", "position"},
        {"tally",
         "update tally set idx = (select c.idx from contact c where c.log = tally.log and "
         "c.batch = tally.batch and c.idx < tally.idx order by c.idx desc limit 1) + 1",
         "kind"},
        {"candidate", "update candidate set place = place + 2", "entry"},
        {"outcome", "update outcome set currency = 'euro'", "currency"},
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct arena *arena = arena_open("record");
        struct record record;
        char sql[128];
        // Without keys, so that any row can be written; made again from the copy.
        snprintf(sql, sizeof sql, "create table kept as select * from %s", damages[i][0]);
        fixture_sql(&fixture, sql);
        snprintf(sql, sizeof sql, "alter table %s drop constraint if exists %s_pkey", damages[i][0],
                 damages[i][0]);
        fixture_sql(&fixture, sql);
        assert_true(fixture_sql(&fixture, damages[i][1]) > 0);
        struct db *db = database_open(fixture.console);
        enum status status = record_by_key(db, 1, "contact-7", arena, &record);
        if (status != STATUS_DAMAGED) print_message("not found: %s\n", damages[i][2]);
        assert_int_equal(status, STATUS_DAMAGED);
        db_close(db);
        snprintf(sql, sizeof sql, "delete from %s", damages[i][0]);
        fixture_sql(&fixture, sql);
        snprintf(sql, sizeof sql, "insert into %s select * from kept", damages[i][0]);
        fixture_sql(&fixture, sql);
        fixture_sql(&fixture, "drop table kept");
        arena_close(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was_told),
        cmocka_unit_test(is_found_by_the_touchpoints_own_id),
        cmocka_unit_test(damage_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
