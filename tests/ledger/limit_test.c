// Tests of limit.c against a real server: grants of one node and of several, day by day, at random.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "catalog.h"
#include "database.h"
#include "deposit.h"
#include "folder.h"
#include "hash.h"
#include "publish.h"
#include "scratch.h"
#include "seed.h"

#define NODES 3
#define DAY_US USEC_DAY

static char connection[POSTGRES_TEXT];
static char directory[] = "/tmp/vendue_limit_XXXXXX";

static const char market_text[] =
    "market: {code: tiny, currency: EUR, zone: Europe/Berlin}\n"
    "seats:\n"
    "  care: {kind: department}\n"
    "  grill: {kind: partner, budget: {total: 100, daily: 10}}\n"
    "containers:\n"
    "  bill: {stage: use, channel: bill, owner: care, slots: {footer: {}}}\n"
    "campaigns:\n  spring: {seat: grill, budget: 40}\n"
    "messages:\n"
    "  grill.summer: {seat: grill, rung: 6, objectives: cross_sell, campaign: spring}\n";

static int
set_up(void **state)
{
    db_close(database_migrated(connection));
    if (strstr(directory, "XXXXXX") != NULL) assert_non_null(mkdtemp(directory));
    return scratch_open(state);
}

static void
run(struct db *db, const char *sql)
{
    assert_int_equal(db_run(db, sql, NULL, 0, NULL), STATUS_OK);
}

static struct publish *
node(uint32_t log)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%u", directory, log);
    mkdir(path, 0750);
    return publish_open(path, log);
}

static struct catalog *
catalog_of(uint32_t log)
{
    char path[600];
    const char *bytes;
    size_t len;
    struct catalog *catalog;
    snprintf(path, sizeof path, "%s/%u/published/catalog", directory, log);
    assert_int_equal(market_file_text(path, arena, &bytes, &len), STATUS_OK);
    assert_int_equal(catalog_decode((const uint8_t *)bytes, len, &catalog, NULL), STATUS_OK);
    return catalog;
}

// One turn; true when a catalog came of it.
static bool
turn(struct publish *publish, struct db *db, usec now)
{
    struct publish_report report;
    enum status status = publish_turn(publish, db, now, &report);
    if (status != STATUS_OK) print_message("%s\n", report.fault);
    assert_int_equal(status, STATUS_OK);
    return report.published;
}

static const struct catalog_budget *
grill_of(const struct catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->seat_count; i++)
        if (strcmp(catalog->seats[i].code, "grill") == 0) return &catalog->seats[i].budget;
    fail_msg("no seat grill");
    return NULL;
}

// A placement as landed: what limit.c counts.
static void
sell(struct db *db, uint32_t log, uint64_t batch, uint16_t day, int64_t micros)
{
    char id[64];
    snprintf(id, sizeof id, "%08x-0000-0000-0000-%011llx0", log, (unsigned long long)batch);
    struct db_param contact[] = {db_text(id), db_int4((int32_t)log), db_int8((int64_t)batch)};
    assert_int_equal(
        db_run(db,
               "insert into contact (contact_id, log, batch, idx, at_us, began_us, period, shard, "
               "touchpoint, container, identity, tier, loyalty, condition, consent, achieved, "
               "slots, catalog, request, key) values ($1::uuid, $2, $3, 0, 0, 0, '', 0, 1, 1, '', "
               "'', '', '', 0, 0, 1, 1, 0, '')",
               contact, 3, NULL),
        STATUS_OK);
    id[35] = '1';
    struct db_param outcome[] = {db_text(id), db_int4((int32_t)log), db_int8((int64_t)batch),
                                 db_int8(micros), db_int4(day)};
    assert_int_equal(
        db_run(db,
               "insert into outcome (placement_id, contact_id, position, log, batch, idx, at_us, "
               "period, filled, slot, currency, floor_micros, message, seat, price_micros, day, "
               "campaign) select $1::uuid, $1::uuid, 1, $2, $3, 1, 0, '', true, 1, 'EUR', 0, m.id, "
               "m.seat_id, $4, $5, m.campaign_id from message m",
               outcome, 5, NULL),
        STATUS_OK);
}

static void
a_node_that_is_alone_may_spend_everything(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    database_apply(db, market_text, arena);
    struct publish *one = node(1);
    usec now = {1795392000000000};
    assert_true(turn(one, db, now));
    struct catalog *catalog = catalog_of(1);
    const struct catalog_budget *budget = grill_of(catalog);
    assert_int_equal(budget->limit.micros, 100000000);
    assert_true(budget->has_daily && budget->limit_day == 0);
    assert_int_equal(catalog_daily_limit(budget, 1).micros, 10000000);
    assert_int_equal(catalog_daily_limit(budget, 60000).micros, 10000000);
    assert_int_equal(catalog->campaigns[0].budget.limit.micros, 40000000);
    assert_true(catalog->shift_count > 20 && catalog->shifts[0].offset_seconds == 3600);
    catalog_close(catalog);
    now.us += 2 * DAY_US;
    assert_false(turn(one, db, now));  // a day that begins changes nothing
    publish_close(one);
    db_close(db);
}

static void
another_node_gets_its_days_from_the_day_after_tomorrow(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    database_apply(db, market_text, arena);
    usec now = {1795392000000000};
    struct publish *one = node(1);
    assert_true(turn(one, db, now));
    run(db, "insert into watermark (log, epoch, batch, digest, at_us) select 2, 0, 0, digest, 0 "
            "from watermark where log = 1");
    struct publish *two = node(2);
    now.us += 2 * USEC_SECOND;
    assert_true(turn(two, db, now));
    struct catalog *catalog = catalog_of(2);
    const struct catalog_budget *budget = grill_of(catalog);
    uint16_t day = catalog_day_of(catalog, now).day;
    assert_int_equal(budget->limit.micros, 0);  // the first holds it all
    assert_int_equal(budget->limit_day, day);
    assert_int_equal(catalog_daily_limit(budget, day).micros, 0);
    assert_int_equal(catalog_daily_limit(budget, (uint16_t)(day + 1)).micros, 0);
    catalog_close(catalog);

    assert_true(turn(one, db, now));  // hears of the second, and gives up the days behind
    catalog = catalog_of(1);
    budget = grill_of(catalog);
    assert_int_equal(budget->limit_day, day);
    assert_int_equal(catalog_daily_limit(budget, day).micros, 10000000);
    assert_int_equal(catalog_daily_limit(budget, (uint16_t)(day + 1)).micros, 10000000);
    assert_int_equal(catalog_daily_limit(budget, (uint16_t)(day + 2)).micros, 0);
    catalog_close(catalog);

    now.us += 2 * DAY_US;
    assert_true(turn(two, db, now));
    catalog = catalog_of(2);
    budget = grill_of(catalog);
    assert_int_equal(catalog_daily_limit(budget, (uint16_t)(day + 2)).micros, 2500000);
    catalog_close(catalog);
    now.us += 2 * USEC_SECOND;
    assert_false(turn(two, db, now));  // nothing sold: nothing more
    database_apply(db, arena_printf(arena, "%stouchpoints: {crm: Desk}\n", market_text), arena);
    assert_true(turn(two, db, now));
    catalog = catalog_of(2);
    assert_int_equal(catalog_daily_limit(grill_of(catalog), (uint16_t)(day + 2)).micros, 2500000);
    catalog_close(catalog);
    sell(db, 2, 1, (uint16_t)(day + 2), 1500000);
    now.us += 2 * USEC_SECOND;
    assert_true(turn(two, db, now));  // 1.00 is left, less than a part: it grows
    catalog = catalog_of(2);
    int64_t grown = catalog_daily_limit(grill_of(catalog), (uint16_t)(day + 2)).micros;
    assert_true(grown > 2500000 && grown < 10000000);
    catalog_close(catalog);
    publish_close(one);
    publish_close(two);
    db_close(db);
}

// Nodes that sell as much as their newest catalog allows, publish in any order and lose their turns
// now and then; days pass. After every step: grants of all within the budget, and so what is sold.
static void
nodes_at_random_never_get_more_than_there_is(void **state)
{
    (void)state;
    uint64_t random = seed_fixed(20261122);
    struct db *db = database_open(connection);
    database_apply(db, market_text, arena);
    run(db, "insert into watermark (log, epoch, batch, digest, at_us) select n, 0, 0, digest, 0 "
            "from watermark, generate_series(2, 3) n where log = 1");
    struct publish *nodes[NODES];
    int64_t total[NODES] = {0}, today[NODES] = {0}, sold = 0, sold_today = 0, sold_campaign = 0;
    uint64_t batch = 0;
    usec now = {1795392000000000};
    uint16_t day = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i] = node(i + 1);
        assert_true(turn(nodes[i], db, now));
    }
    for (unsigned step = 0; step < 300; step++) {
        random = hash_mix(random + 0x9e3779b97f4a7c15u);
        uint32_t log = 1 + (uint32_t)(random >> 8) % NODES;
        now.us += random % 40 == 0 ? DAY_US / 2 : USEC_SECOND + (int64_t)(random >> 16) % 5000000;
        struct catalog *catalog = catalog_of(log);
        const struct catalog_budget *budget = grill_of(catalog);
        uint16_t at = catalog_day_of(catalog, now).day;
        if (at != day) {
            memset(today, 0, sizeof today);
            sold_today = 0;
            day = at;
        }
        int64_t room = budget->limit.micros - total[log - 1],
                room_today = catalog_daily_limit(budget, day).micros - today[log - 1],
                room_campaign = catalog->campaigns[0].budget.limit.micros - total[log - 1];
        catalog_close(catalog);
        if (room_today < room) room = room_today;
        if (room_campaign < room) room = room_campaign;
        if (room > 0 && random % 3 != 0) {
            int64_t price = 1 + (int64_t)(random >> 20) % room;
            sell(db, log, ++batch, day, price);
            total[log - 1] += price;
            today[log - 1] += price;
            sold += price;
            sold_today += price;
            sold_campaign += price;
        }
        assert_true(sold <= 100000000 && sold_today <= 10000000 && sold_campaign <= 40000000);
        if (random % 5 != 0) (void)turn(nodes[log - 1], db, now);
        scratch_close(NULL);
        scratch_open(NULL);
    }
    print_message("sold %lld of 40000000 by three nodes\n", (long long)sold);
    assert_true(sold > 36000000);  // little is left lying
    for (uint32_t i = 0; i < NODES; i++) publish_close(nodes[i]);
    db_close(db);
}

static void
a_lowered_budget_is_shared_by_what_was_granted(void **state)
{
    (void)state;
    struct db *db = database_open(connection);
    database_apply(db, market_text, arena);
    run(db, "insert into watermark (log, epoch, batch, digest, at_us) select 2, 0, 0, digest, 0 "
            "from watermark where log = 1");
    usec now = {1795392000000000};
    struct publish *one = node(1), *two = node(2);
    assert_true(turn(one, db, now));
    assert_true(turn(two, db, now));
    char lowered[1024];
    snprintf(lowered, sizeof lowered, "%s", market_text);
    memcpy(strstr(lowered, "total: 100"), "total: 040", 10);
    database_apply(db, lowered, arena);
    now.us += USEC_SECOND;
    assert_true(turn(one, db, now));
    assert_true(turn(two, db, now));
    struct catalog *first = catalog_of(1), *second = catalog_of(2);
    int64_t mine = grill_of(first)->limit.micros, other = grill_of(second)->limit.micros;
    assert_true(mine > 0 && other > 0 && mine + other <= 40000000);
    struct catalog_input input;
    usec at;
    assert_int_equal(publish_catalog_input(db, first->version, arena, &input, &at), STATUS_OK);
    bool found = false;
    for (uint32_t i = 0; i < input.limit_count; i++)
        if (input.limits[i].of == BUDGET_SEAT && input.limits[i].has_total) {
            assert_int_equal(input.limits[i].total.micros, mine);
            assert_int_equal(input.limits[i].daily.micros, grill_of(first)->daily_limit.micros);
            found = true;
        }
    assert_true(found && input.shift_count == first->shift_count && at.us == now.us);
    assert_int_equal(publish_catalog_input(db, 999, arena, &input, &at), STATUS_NOT_FOUND);
    catalog_close(first);
    catalog_close(second);
    publish_close(one);
    publish_close(two);
    db_close(db);
}

// A seat that pays in advance spends what it paid in; its declared total, when that is less.
static void
who_pays_in_advance_spends_what_came_in(void **state)
{
    (void)state;
    static const char parts[2][900] = {
        "market: {code: tiny, currency: EUR}\n"
        "seats:\n"
        "  care: {kind: department}\n"
        "  grill: {kind: partner, budget: {total: 100, daily: 10}}\n"
        "  mags: {kind: partner}\n"
        "containers:\n"
        "  bill: {stage: use, channel: bill, owner: care, slots: {footer: {}}}\n"
        "messages:\n  grill.summer: {seat: grill, rung: 6, objectives: cross_sell}\n",
        "contracts:\n"
        "  grill.one: {seat: grill, from: 2025-01-01, until: 2026-12-01, billing: prepaid}\n"
        "  mags.one: {seat: mags, from: 2025-01-01, billing: prepaid}\n",
    };
    static const int64_t grills[] = {0, 0, 70000000, 100000000},
                         mags[] = {0, 5000000, 5000000, 5000000};
    static const char *const payers[] = {"", "mags", "grill", "grill"};
    static const int64_t amounts[] = {0, 5000000, 70000000, 60000000};
    char text[1800];
    struct db *db = database_open(connection);
    struct deposit deposit;
    snprintf(text, sizeof text, "%s%s", parts[0], parts[1]);
    database_apply(db, text, arena);
    struct publish *one = node(1);
    usec now = {1795392000000000};
    for (unsigned i = 0; i < 4; i++) {
        char reference[8];
        snprintf(reference, sizeof reference, "B-%u", i);
        if (i > 0)
            assert_int_equal(
                deposit_book(db, payers[i], money_of(amounts[i]), reference, "ada", now, &deposit),
                STATUS_OK);
        now.us += 2 * USEC_SECOND;
        assert_true(turn(one, db, now));
        struct catalog *catalog = catalog_of(1);
        assert_int_equal(grill_of(catalog)->limit.micros, grills[i]);
        assert_int_equal(grill_of(catalog)->total.micros, 100000000);  // as declared
        const struct catalog_seat *seat = &catalog->seats[0];
        while (strcmp(seat->code, "mags") != 0) seat++;
        assert_true(seat->budget.has_total);
        assert_int_equal(seat->budget.limit.micros, mags[i]);
        catalog_close(catalog);
        now.us += 2 * USEC_SECOND;
        assert_false(turn(one, db, now));
    }
    // Its prepaid contract ends: the declared budget is what binds.
    now = (usec){1796083200000000 + USEC_SECOND};
    assert_true(turn(one, db, now));
    struct catalog *catalog = catalog_of(1);
    assert_int_equal(grill_of(catalog)->limit.micros, 100000000);
    catalog_close(catalog);
    publish_close(one);
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_node_that_is_alone_may_spend_everything),
        TEST(another_node_gets_its_days_from_the_day_after_tomorrow),
        TEST(nodes_at_random_never_get_more_than_there_is),
        TEST(a_lowered_budget_is_shared_by_what_was_granted),
        TEST(who_pays_in_advance_spends_what_came_in),
    };
    return cmocka_run_group_tests(tests, NULL, remove_directory);
}
