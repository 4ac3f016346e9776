// Tests of orders that several journals speak of: whoever books first has the conversion, refunds
// follow it wherever they are reported, and every log is proved by itself.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "../../ledger/fold.h"
#include "fixture.h"

#define ORDERS 12
#define PLACED_MAX 2000

// The host is the merchant of all: an order is the host's, whichever seat reports it.
static const char market_text[] =
    "market: {code: tiny, currency: EUR}\n"
    "touchpoints: {crm: Desk}\n"
    "seats:\n"
    "  billing: {kind: department}\n"
    "  grill: {kind: partner}\n"
    "  agency: {kind: partner}\n"
    "contracts:\n"
    "  billing.one: {seat: billing, from: 2025-01-01}\n"
    "  grill.one:\n"
    "    seat: grill\n"
    "    from: 2025-01-01\n"
    "    gain_share:\n"
    "      merchant: host\n"
    "      rate: 10%\n"
    "      shares: [{to: agency, weight: 40}, {to: touches, weight: 60}]\n"
    "      attribution: {model: linear, windows: {delivered: 3d}}\n"
    "  agency.one:\n"
    "    seat: agency\n"
    "    from: 2025-01-01\n"
    "    gain_share:\n"
    "      merchant: host\n"
    "      tiers: [{from: 0, rate: 3%}, {from: 500, rate: 5%}]\n"
    "      shares: [{to: agency, weight: 1}]\n"
    "containers:\n"
    "  bill:\n"
    "    stage: use\n"
    "    channel: bill\n"
    "    owner: billing\n"
    "    slots: {header: {floor: 0.10}}\n"
    "messages:\n"
    "  grill.summer: {seat: grill, rung: 7, objectives: cross_sell}\n"
    "  agency.refer: {seat: agency, rung: 7, objectives: refer}\n";

struct node {
    char directory[80];
    uint32_t log;
    struct journal *journal;
    struct fact placed[PLACED_MAX];
    unsigned placed_count;
};
static struct fixture fixture;
static struct node nodes[2];
static uint64_t dice, serial;
static usec now;

static uint64_t
draw(uint64_t bound)
{
    dice += 0x9e3779b97f4a7c15u;
    return hash_mix(dice) % bound;
}

static void
open_nodes(uint64_t seed)
{
    dice = seed;
    memset(nodes, 0, sizeof nodes);
    fixture_open(&fixture);
    fixture_market(&fixture, market_text);
    assert_int_equal(clock_parse("2026-10-20", 10, &now), STATUS_OK);
    for (uint32_t i = 0; i < 2; i++) {
        const struct journal_options options = {
            .log = i + 1, .epoch = 1, .segment_bytes = 1024 * 1024};
        struct journal_fault fault = {""};
        char path[96];
        nodes[i].log = i + 1;
        snprintf(nodes[i].directory, sizeof nodes[i].directory, "%s/node%u", fixture.directory, i);
        assert_int_equal(mkdir(nodes[i].directory, 0755), 0);
        snprintf(path, sizeof path, "%s/journal", nodes[i].directory);
        assert_int_equal(mkdir(path, 0755), 0);
        assert_int_equal(journal_open(path, &options, &nodes[i].journal, &fault), STATUS_OK);
    }
}

static void
close_nodes(void)
{
    for (unsigned i = 0; i < 2; i++) journal_close(nodes[i].journal);
    fixture_close(&fixture);
}

static void
append(struct node *node, const struct fact *facts, uint32_t count)
{
    struct journal_position position;
    assert_int_equal(journal_append(node->journal, facts, count, now, &position), STATUS_OK);
}

static void
win(struct node *node)
{
    const struct market_message *message = &fixture.market->messages[draw(2)];
    struct fact facts[2] = {{.kind = FACT_CONTACT, .role = ROLE_TOUCHPOINT, .party = 1, .at = now}};
    serial++;
    facts[0].contact = hash_id("shared contact", &serial, sizeof serial);
    facts[0].contact.bytes[15] &= 0xf0;
    facts[0].customer = 0x9000000000000001u + draw(4);
    facts[0].opened.catalog = fixture.catalog;
    facts[0].opened.container = fixture.market->containers[0].id;
    facts[0].opened.slots = 1;
    snprintf(facts[0].opened.key, BOUND_KEY, "c-%llu", (unsigned long long)serial);
    facts[1] = facts[0];
    memset(&facts[1].bytes, 0, sizeof facts[1].bytes);
    facts[1].kind = FACT_PLACEMENT;
    facts[1].position = 1;
    facts[1].placement.slot = fixture.market->containers[0].slots[0].id;
    facts[1].placement.message = message->id;
    facts[1].placement.seat = round_seat(fixture.market, message->seat);
    facts[1].placement.currency = fixture.market->currency;
    facts[1].placement.price = money_of(250000);
    facts[1].placement.rung = message->rung;
    facts[1].placement.cell = (uint8_t)(STAGE_USE * CHANNEL_COUNT + CHANNEL_BILL);
    append(node, facts, 2);
    node->placed[node->placed_count++] = facts[1];
}

// Something that becomes of a placement: orders are drawn from a few, common to both nodes.
static void
happen(struct node *node)
{
    static const enum fact_kind kinds[] = {FACT_DELIVERED, FACT_CONVERTED, FACT_REFUNDED};
    const struct fact *placed = &node->placed[draw(node->placed_count)];
    struct fact fact = *placed;
    uint64_t order = draw(ORDERS);
    memset(&fact.bytes, 0, sizeof fact.bytes);
    fact.at = now;
    fact.kind = (uint8_t)kinds[draw(3)];
    if (fact.kind == FACT_DELIVERED) {
        fact.event.slot = placed->placement.slot;
        fact.event.message = placed->placement.message;
        fact.event.seat = placed->placement.seat;
        fact.event.effective = placed->at;
    } else {
        fact.revenue.seat = placed->placement.seat;
        fact.revenue.message = placed->placement.message;
        fact.revenue.currency = fixture.market->currency;
        fact.revenue.of_host = 1;
        fact.revenue.order = hash_id("shared order", &order, sizeof order);
        fact.revenue.amount = money_of(1 + (int64_t)draw(200000000));
        if (fact.kind == FACT_REFUNDED) {  // the same one now and then from both
            fact.revenue.amount = money_of(1 + (int64_t)draw(30000000));
            snprintf(fact.revenue.key, BOUND_KEY, "r-%u", (unsigned)draw(40));
        }
    }
    append(node, &fact, 1);
}

static void
tell(unsigned facts)
{
    for (unsigned i = 0; i < facts; i++) {
        struct node *node = &nodes[draw(2)];
        now.us += (int64_t)draw(100) * 60 * USEC_SECOND;
        if (draw(3) == 0 || node->placed_count == 0) win(node);
        else happen(node);
    }
    for (unsigned i = 0; i < 2; i++) assert_int_equal(journal_sync(nodes[i].journal), STATUS_OK);
}

static void
ship(unsigned which)
{
    struct ship *shipper = ship_open(nodes[which].directory, nodes[which].log);
    assert_int_equal(fixture_ship(&fixture, shipper), SHIP_IDLE);
    ship_close(shipper);
}

static void
prove(void)
{
    struct db *db = database_open(fixture.console);
    char text[FOLD_TEXT];
    for (unsigned i = 0; i < 2; i++) {
        struct verify_report report;
        assert_int_equal(verify_run(db, nodes[i].directory, nodes[i].log, &report), STATUS_OK);
        if (!report.ok) fixture_print(&report);
        assert_true(report.ok);
    }
    assert_int_equal(fold_verify(db, text), STATUS_OK);
    assert_string_equal(text, "");
    db_close(db);
    assert_int_equal(fixture_ask(&fixture, "select count(*) from unexplained"), 0);
    // One conversion an order, one booking a refund, never more given back than was sold.
    assert_int_equal(fixture_ask(&fixture,
                                 "select count(*) from (select order_id from revenue where kind = "
                                 "'converted' and state in ('posted', 'no_share') group by 1 "
                                 "having count(*) > 1) x"),
                     0);
    assert_int_equal(
        fixture_ask(&fixture, "select count(*) from (select order_id, key from revenue where kind "
                              "= 'refunded' and state in ('posted', 'waiting') group by 1, 2 "
                              "having count(*) > 1) x"),
        0);
    assert_int_equal(
        fixture_ask(&fixture,
                    "select count(*) from (select order_id from revenue where state = 'posted' "
                    "group by 1 having sum(case kind when 'converted' then amount_micros else "
                    "-amount_micros end) < 0) x"),
        0);
}

static void
two_nodes_report_one_order(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    int64_t foreign = 0;
    for (unsigned turn = 0; turn < 3; turn++) {
        open_nodes(seed + turn);
        for (unsigned piece = 0; piece < 12; piece++) {
            tell(1 + (unsigned)draw(25));
            ship((unsigned)draw(2));
        }
        ship(0);
        ship(1);
        prove();
        foreign += fixture_ask(&fixture,
                               "select count(*) from revenue r join revenue c on c.order_id = "
                               "r.order_id and c.kind = 'converted' and c.state = 'posted' and "
                               "c.log <> r.log where r.state in ('posted', 'repeat')");
        close_nodes();
    }
    assert_true(foreign > 10);
}

// Both at once, in processes of their own, killed now and then.
static void
ship_at_once(const char *isolation)
{
    const char *asked = getenv("VENDUE_SHIPPERS");
    unsigned pieces = asked ? (unsigned)atoi(asked) : 12;
    char sql[128];
    open_nodes(seed_fresh());
    snprintf(sql, sizeof sql, "alter role vendue_ledger set default_transaction_isolation = '%s'",
             isolation);
    fixture_sql(&fixture, sql);
    for (unsigned piece = 0; piece < pieces && nodes[0].placed_count < PLACED_MAX - 100; piece++) {
        pid_t children[2];
        bool kills = draw(2);
        tell(60);
        for (unsigned i = 0; i < 2; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] > 0) continue;
            struct ship *shipper = ship_open(nodes[i].directory, nodes[i].log);
            enum ship_answer answer = SHIP_RETRY;
            for (unsigned k = 0; k < 20 && answer == SHIP_RETRY; k++) {
                answer = fixture_ship(&fixture, shipper);
            }
            _exit(answer == SHIP_IDLE ? 0 : 1);
        }
        if (kills) {
            usleep((useconds_t)draw(60000));
            kill(children[0], SIGKILL);
            kill(children[1], SIGKILL);
        }
        for (unsigned i = 0; i < 2; i++) {
            int said = 0;
            assert_int_equal(waitpid(children[i], &said, 0), children[i]);
            if (!kills) assert_int_equal(said, 0);
        }
    }
    ship(0);
    ship(1);
    prove();
    close_nodes();
}

static void
two_shippers_at_once(void **state)
{
    (void)state;
    ship_at_once("read committed");
}

// Whoever loses a race starts its transaction anew.
static void
two_shippers_serialized(void **state)
{
    (void)state;
    ship_at_once("serializable");
    // The next database has the same roles.
    char owner[POSTGRES_TEXT];
    struct db *db = database_migrated(owner);
    assert_int_equal(db_run(db, "alter role vendue_ledger reset default_transaction_isolation",
                            NULL, 0, NULL),
                     STATUS_OK);
    db_close(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_report_one_order),
        cmocka_unit_test(two_shippers_at_once),
        cmocka_unit_test(two_shippers_serialized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
