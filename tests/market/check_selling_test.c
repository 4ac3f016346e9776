// Tests of the rules of selling in a market file: what is written comes back, and every mistake and
// contradiction is told at its place.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "declared.h"
#include "scratch.h"

// Lines 1 to 9; messages follow, then what a test adds.
#define HEAD                                                                               \
    "market: {code: m, currency: EUR}\n"                                                   \
    "attributes: {region: {type: text, privacy: open}, age: {type: integer, range: [0, "   \
    "120]}, place: {type: text, of: slot}}\n"                                              \
    "touchpoints: {crm: Desk}\n"                                                           \
    "seats: {care: {kind: department}, grill: {kind: partner, budget: 100}}\n"             \
    "contracts: {c: {seat: care, from: 2026-01-01}, g: {seat: grill, from: 2026-01-01}}\n" \
    "containers:\n"                                                                        \
    "  bill: {stage: use, channel: bill, owner: care, slots: {a: {}, b: {}}}\n"            \
    "  mail: {stage: use, channel: email, owner: care, slots: {a: {}}}\n"                  \
    "messages:\n"                                                                          \
    "  g.one: {seat: grill, rung: 6, objectives: cross_sell, category: food}\n"            \
    "  g.two: {seat: grill, rung: 6, objectives: refer}\n"                                 \
    "  c.one: {seat: care, rung: 1, objectives: educate}\n"

static struct market_report report;

static struct market *
read_text(const char *text)
{
    struct market *market = NULL;
    report = (struct market_report){.arena = arena};
    enum status status = market_file_read(text, strlen(text), arena, &report, &market);
    assert_true((status == STATUS_OK) == (market != NULL));
    return market;
}

static void
expect(const char *added, bool warning, uint32_t line, uint32_t column, const char *says)
{
    const char *text = arena_printf(arena, HEAD "%s", added);
    struct market *market = read_text(text);
    const struct market_problem *problem = &report.problems[0];
    bool good = (market != NULL) == warning && report.count == 1 && problem->warning == warning &&
                problem->place.line == line && problem->place.column == column &&
                strstr(problem->what, says) != NULL;
    if (!good) {
        print_message("expected %u:%u %s in:\n%s\n", line, column, says, text);
        market_file_print(&report, "got", stdout);
    }
    assert_true(good);
}
#define ERROR(added, line, column, says) expect(added, false, line, column, says)
#define WARNING(added, line, column, says) expect(added, true, line, column, says)

static const char full[] =
    "market:\n"
    "  code: full\n"
    "  currency: EUR\n"
    "  zone: Europe/Berlin\n"
    "  disclosure: to_tie\n"
    "  sample: {share: 2.5%, days: 30}\n"
    "  expect: {deliveries: 1000, responses: 20, conversions: 5, revenue: 250}\n"
    "  quiet: {complaint: 30d, refund: 2w}\n"
    "attributes:\n"
    "  region: {type: text, of: customer, privacy: open, words: [north, south]}\n"
    "seats:\n"
    "  care: {kind: department}\n"
    "  grill:\n"
    "    kind: partner\n"
    "    budget: {total: 1000, daily: 50, pacing: even}\n"
    "    live: true\n"
    "    shows: [region]\n"
    "containers:\n"
    "  bill:\n"
    "    stage: use\n"
    "    channel: bill\n"
    "    owner: care\n"
    "    separate: true\n"
    "    paid_max: 2\n"
    "    quota: {count: 1, of: [educate, collect]}\n"
    "    slots:\n"
    "      top: {explore: true}\n"
    "      middle: {}\n"
    "      end: {}\n"
    "campaigns:\n"
    "  grill.year: {seat: grill, budget: 800}\n"
    "  grill.spring:\n"
    "    seat: grill\n"
    "    parent: grill.year\n"
    "    budget: {total: 300, pacing: front}\n"
    "    from: 2026-03-01\n"
    "    until: 2026-06-01\n"
    "floors:\n"
    "  gold: {tier: gold, when: region = 'north', price: 0.40}\n"
    "  top.dear: {slot: bill.top, rung: 6, price: 0.30}\n"
    "messages:\n"
    "  g.one:\n"
    "    seat: grill\n"
    "    rung: 6\n"
    "    objectives: cross_sell\n"
    "    campaign: grill.spring\n"
    "    group: pair\n"
    "    priority: 3\n"
    "    after_experience: true\n"
    "  g.two: {seat: grill, rung: 6, objectives: cross_sell, group: pair, cap: 2 in 30d}\n"
    "caps:\n"
    "  pressure: {per: any, max: 6, in: week}\n"
    "  food: {per: category, of: food, max: 1, in: 90m}\n"
    "  each: {per: message, max: 2, in: 7d}\n"
    "  ever: {per: objective, of: refer, max: 3, in: lifetime}\n"
    "deals:\n"
    "  grill.deal:\n"
    "    messages: [g.one]\n"
    "    slots: [bill.top, bill.end]\n"
    "    at: first\n"
    "    floor: 0.25\n"
    "    priority: 2\n"
    "    guarantee: 100 per day\n"
    "    from: 2026-01-01\n"
    "    until: 2027-01-01\n"
    "experiments:\n"
    "  dearer:\n"
    "    where: {container: bill}\n"
    "    share: 10%\n"
    "    change: +12.5%\n"
    "    from: 2026-04-01\n"
    "    until: 2026-05-01\n"
    "    stop: {loss: 10%, after: 1000}\n";

static void
values_are_read_exactly(void **state)
{
    (void)state;
    struct market *market = declared_market(full, arena);
    assert_string_equal(market->zone, "Europe/Berlin");
    assert_true(market->disclosure == DISCLOSE_TO_TIE && market->sample_ppm == 25000 &&
                market->sample_days == 30);
    assert_true(market->expect_deliveries == 1000 && market->expect_responses == 20 &&
                market->expect_conversions == 5 && market->expect_revenue.micros == 250000000);
    assert_true(market->complaint_quiet_days == 30 && market->refund_quiet_days == 14);
    const struct market_seat *grill = &market->seats[1];
    assert_true(grill->budget.has_total && grill->budget.has_daily &&
                grill->budget.total.micros == 1000000000 &&
                grill->budget.daily.micros == 50000000 && grill->budget.pacing == PACING_EVEN);
    assert_true(grill->live && grill->show_count == 1);
    assert_string_equal(grill->shows[0], "region");
    const struct market_container *bill = &market->containers[0];
    assert_true(bill->separate && bill->paid_max == 2 && bill->quota_count == 1);
    assert_int_equal(bill->quota_objectives, 1u << OBJECTIVE_EDUCATE | 1u << OBJECTIVE_COLLECT);
    assert_true(bill->slots[0].explore && !bill->slots[1].explore);
    const struct market_campaign *spring = &market->campaigns[1];
    assert_string_equal(spring->parent, "grill.year");
    assert_true(spring->budget.pacing == PACING_FRONT && !spring->budget.has_daily &&
                spring->until.us - spring->from.us == 92 * USEC_DAY);
    assert_true(market->floors[0].tier == TIER_GOLD && market->floors[0].rung == -1 &&
                market->floors[1].rung == RUNG_COMMERCIALIZATION);
    assert_string_equal(market->floors[0].when, "region = 'north'");
    assert_string_equal(market->floors[1].slot, "bill.top");
    assert_true(market->messages[0].priority == 3 && market->messages[0].after_experience);
    assert_string_equal(market->messages[0].campaign, "grill.spring");
    const struct market_cap *caps = market->caps;
    assert_true(caps[0].per == CAP_ANY && caps[0].window == CAP_WEEK && caps[0].count == 6);
    assert_true(caps[1].per == CAP_CATEGORY && caps[1].window == CAP_MINUTES &&
                caps[1].minutes == 90);
    assert_true(caps[2].minutes == 7 * 1440 && caps[3].window == CAP_LIFETIME);
    const struct market_deal *deal = &market->deals[0];
    assert_true(deal->at == DEAL_FIRST_PRICE && deal->priority == 2 && deal->guarantee == 100 &&
                deal->floor.micros == 250000 && deal->slot_count == 2);
    const struct market_experiment *trial = &market->experiments[0];
    assert_true(trial->share_ppm == 100000 && trial->factor_ppm == 1125000 &&
                trial->stop_loss_ppm == 100000 && trial->stop_contacts == 1000);
    assert_string_equal(trial->container, "bill");
}

static void
assert_same(const struct market *one, const struct market *other)
{
    struct market_change *changes;
    uint32_t count;
    market_diff(one, other, arena, &changes, &count);
    for (uint32_t i = 0; i < count; i++)
        print_message("%c %s: %s\n", changes[i].sign, changes[i].object, changes[i].text);
    assert_int_equal(count, 0);
}

static void
both_ways_out_and_back(void **state)
{
    (void)state;
    struct market *market = declared_market(full, arena), *loaded;
    size_t len;
    const char *text = market_file_write(market, arena, &len);
    assert_same(market, declared_market_bytes(text, len, arena));
    struct market_object *objects;
    uint32_t count;
    struct market_report loading = {.arena = arena};
    market_object_number(market);
    market_object_list(market, arena, &objects, &count);
    assert_int_equal(market_object_load(objects, count, arena, &loading, &loaded), STATUS_OK);
    assert_same(market, loaded);
    assert_int_equal(loaded->campaigns[1].id, 2);
    assert_int_equal(loaded->caps[3].id, 4);
    assert_int_equal(loaded->deals[0].id, 1);
}

static void
changes_are_told_and_some_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
        bool refused;
    } cases[] = {
        {"max: 6", "max: 5", "max 6 -> 5", false},
        {"guarantee: 100", "guarantee: 200", "guarantee 100 per day -> 200 per day", false},
        {"daily: 50", "daily: 40", "daily: 50.00", false},
        {"change: +12.5%", "change: -12.5%", "declare a new one", true},
        {"until: 2026-05-01", "until: 2026-05-02", "until ", false},
    };
    struct market *before = declared_market(full, arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(full, cases[i].from);
        assert_non_null(at);
        const char *text = arena_printf(arena, "%.*s%s%s", (int)(at - full), full, cases[i].to,
                                        at + strlen(cases[i].from));
        struct market_change *changes;
        uint32_t count;
        market_diff(before, declared_market(text, arena), arena, &changes, &count);
        assert_int_equal(count, 1);
        assert_non_null(strstr(changes[0].text, cases[i].says));
        assert_int_equal(changes[0].refused, cases[i].refused);
    }
}

static void
single_mistakes_stand_at_their_key(void **state)
{
    (void)state;
    ERROR("caps: {a: {per: any, max: 13, in: week}}\n", 13, 27, "'13' is not in range");
    ERROR("caps: {a: {per: any, max: 1, in: year}}\n", 13, 34, "'year' is not a time span");
    ERROR("caps: {a: {per: any, max: 1, in: 90s}}\n", 13, 34, "'90s' is no span");
    ERROR("caps: {a: {per: any, max: 1, in: 60w}}\n", 13, 34, "'60w' is no span");
    ERROR("caps: {a: {per: all, max: 1, in: day}}\n", 13, 17, "'all' is not one of its words");
    ERROR("caps: {a: {max: 1, in: day}}\n", 13, 8, "'per' is missing");
    ERROR("deals: {a: {messages: [g.one], floor: 1, guarantee: some}}\n", 13, 53,
          "'some' is no number of deliveries a day");
    ERROR("deals: {a: {messages: [g.one], floor: 1, priority: 8}}\n", 13, 52,
          "'8' is not in range");
    ERROR("deals: {a: {messages: [g.one]}}\n", 13, 9, "'floor' is missing");
    ERROR("deals: {a: {messages: [], floor: 1}}\n", 13, 23, "a deal about nothing");
    ERROR("experiments: {a: {share: 10%, change: 20%, until: 2027-01-01}}\n", 13, 39,
          "'20%' is no change");
    ERROR("experiments: {a: {share: 10%, change: -100%, until: 2027-01-01}}\n", 13, 39,
          "the floors would be 0");
    ERROR("experiments: {a: {share: 10%, change: +901%, until: 2027-01-01}}\n", 13, 39,
          "'+901%' is no change");
    ERROR("experiments: {a: {share: 0%, change: +1%, until: 2027-01-01}}\n", 13, 26,
          "'0%' is not a percentage");
    ERROR("floors: {a: {rung: 6}}\n", 13, 10, "'price' is missing");
    ERROR("floors: {a: {price: 1}}\n", 13, 10, "a floor without a condition");
    ERROR("floors: {a: {when: place = 'x', price: 1}}\n", 13, 20, "'place' describes");
    ERROR("campaigns: {a: {seat: grill, budget: {pacing: even}}}\n", 13, 38, "without an amount");
    ERROR("campaigns: {a: {seat: grill, budget: {total: 1, pacing: even}}}\n", 13, 57,
          "even over no span of time");
    ERROR("campaigns: {a: {seat: grill, from: 2026-02-01, until: 2026-01-01}}\n", 13, 55,
          "'until' is not after 'from'");
}

static void
names_must_name_something(void **state)
{
    (void)state;
    ERROR("campaigns: {a: {seat: gril}}\n", 13, 23, "no seat 'gril'");
    ERROR("campaigns: {a: {seat: grill, parent: b}}\n", 13, 38, "no campaign 'b'");
    ERROR("floors: {a: {container: bil, price: 1}}\n", 13, 25, "no container 'bil'");
    ERROR("floors: {a: {slot: bill.c, price: 1}}\n", 13, 20, "no slot 'bill.c'");
    ERROR("floors: {a: {seat: gril, price: 1}}\n", 13, 20, "no seat 'gril'");
    ERROR("caps: {a: {per: message, of: g.tow, max: 1, in: day}}\n", 13, 30, "no message 'g.tow'");
    assert_string_equal(report.problems[0].mend, "did you mean 'g.two'?");
    ERROR("caps: {a: {per: seat, of: gril, max: 1, in: day}}\n", 13, 27, "no seat 'gril'");
    ERROR("caps: {a: {per: objective, of: sell, max: 1, in: day}}\n", 13, 32, "no objective");
    ERROR("caps: {a: {per: channel, of: mail, max: 1, in: day}}\n", 13, 30, "no channel");
    ERROR("caps: {a: {per: any, of: x, max: 1, in: day}}\n", 13, 26, "counts everything");
    WARNING("caps: {a: {per: category, of: fod, max: 1, in: day}}\n", 13, 31, "no message is of");
    ERROR("deals: {a: {messages: [g.on], floor: 1}}\n", 13, 23, "no message 'g.on'");
    ERROR("deals: {a: {messages: [g.one], slots: [bil.a], floor: 1}}\n", 13, 39, "no slot 'bil.a'");
    ERROR("experiments: {a: {where: {slot: bill.z}, share: 1%, change: +1%, until: 2027-01-01}}\n",
          13, 26, "no slot 'bill.z'");
    ERROR("  g.three: {seat: grill, rung: 6, objectives: refer, campaign: x}\n", 13, 64,
          "no campaign 'x'");
    ERROR("  g.three: {seat: grill, rung: 6, objectives: refer, campaign: x}\n"
          "campaigns: {x: {seat: care}}\n",
          13, 64, "'x' is of seat 'care'");
}

static void
campaigns_are_a_tree_of_two(void **state)
{
    (void)state;
    const char *text = HEAD "campaigns:\n  a: {seat: grill, parent: b}\n"
                            "  b: {seat: grill, parent: a}\n  c: {seat: grill, parent: c}\n";
    assert_null(read_text(text));
    assert_int_equal(report.errors, 3);
    assert_string_equal(report.problems[0].what, "parent: a circle: a names b names a");
    assert_string_equal(report.problems[1].what, "parent: a circle: b names a names b");
    assert_string_equal(report.problems[2].what, "parent: a circle: c names c");
    ERROR("campaigns:\n  a: {seat: grill}\n  b: {seat: grill, parent: a}\n"
          "  c: {seat: grill, parent: b}\n",
          16, 28, "'b' has a parent itself, 'a'");
    ERROR("campaigns:\n  a: {seat: care}\n  b: {seat: grill, parent: a}\n", 15, 28,
          "'a' is a campaign of seat 'care'");
    ERROR("campaigns:\n  a: {seat: grill, budget: 101}\n", 14, 28, "whole budget of its seat");
    ERROR("campaigns:\n  a: {seat: grill, budget: 10}\n"
          "  b: {seat: grill, parent: a, budget: 11}\n",
          15, 39, "whole budget of its campaign 'a'");
    WARNING("campaigns:\n  a: {seat: grill, budget: {total: 10, daily: 11}}\n", 14, 28,
            "a day's amount above the total");
}

static void
caps_that_contradict(void **state)
{
    (void)state;
    ERROR("caps:\n  a: {per: any, max: 2, in: day}\n  b: {per: any, max: 3, in: day}\n", 15, 3,
          "contradicts cap 'a' in line 14: 3 here and 2 there");
    ERROR("caps:\n  a: {per: any, max: 2, in: 7d}\n  b: {per: any, max: 2, in: 168h}\n", 15, 3,
          "says what cap 'a' in line 14 says");
    WARNING("caps:\n  a: {per: any, max: 3, in: day}\n  b: {per: any, max: 2, in: week}\n", 14, 3,
            "is never reached: cap 'b' in line 15 stops at 2 already");
    WARNING("caps:\n  a: {per: seat, of: grill, max: 3, in: day}\n"
            "  b: {per: seat, max: 3, in: day}\n",
            14, 3, "is never reached: cap 'b'");
    assert_non_null(read_text(HEAD "caps:\n  a: {per: any, max: 3, in: 7d}\n"
                                   "  b: {per: any, max: 2, in: day}\n"));
    assert_int_equal(report.count, 0);
    assert_non_null(read_text(HEAD "caps:\n  a: {per: any, max: 3, in: 1d}\n"
                                   "  b: {per: any, max: 2, in: day}\n"));
    assert_int_equal(report.count, 0);  // neither lies within the other
}

static void
floors_and_experiments_that_collide(void **state)
{
    (void)state;
    ERROR("floors:\n  a: {rung: 6, price: 1}\n  b: {rung: 6, price: 2}\n", 15, 3,
          "the same conditions as floor 'a' in line 14");
    ERROR("floors: {a: {seat: care, rung: 6, price: 1}}\n", 13, 10, "can never stand on rung 6");
    ERROR("floors: {a: {seat: grill, price: 101}}\n", 13, 10, "above the whole budget");
    WARNING("floors: {a: {container: bill, channel: email, price: 1}}\n", 13, 10,
            "no slot meets its conditions");
#define TRIAL(where, span) "{where: {" where "}, share: 1%, change: +1%, " span "}\n"
    ERROR("experiments:\n  a: " TRIAL("container: bill", "until: 2027-01-01") "  b: " TRIAL(
              "stage: use", "until: 2027-01-01"),
          15, 14, "at the same time as experiment 'a' (line 14) on slot bill.a");
    assert_non_null(read_text(
        HEAD "experiments:\n  a: " TRIAL("container: bill", "until: 2027-01-01") "  b: " TRIAL(
            "channel: email", "until: 2027-01-01") "  c: " TRIAL("container: bill",
                                                                 "from: 2027-01-01, until: "
                                                                 "2028-01-01")));
    assert_int_equal(report.count, 0);
    WARNING("experiments: {a: {share: 1%, change: +1%}}\n", 13, 15, "neither `until` nor `stop`");
    ERROR("experiments: {a: {where: {container: bill, channel: email}, share: 1%, change: +1%, "
          "until: 2027-01-01}}\n",
          13, 26, "no slot is there");
    ERROR("deals:\n  a: {messages: [g.one], floor: 1}\n  b: {messages: [g.one], floor: 1}\n", 15,
          17, "'g.one' stands in deal 'a' already (line 14)");
}

static void
containers_groups_and_seats(void **state)
{
    (void)state;
#define ON(container, rest)                                                                  \
    "market: {code: m, currency: EUR}\ntouchpoints: {crm: Desk}\n"                           \
    "attributes: {region: {type: text}, place: {type: text, of: slot}}"                      \
    "\nseats: {care: {kind: department" rest "}}\n"                                          \
    "contracts: {c: {seat: care, from: 2026-01-01}}\n"                                       \
    "containers:\n  bill: {stage: use, channel: bill, owner: care, slots: {a: {objectives: " \
    "educate}, b: {objectives: refer}}" container "}\n"                                      \
    "messages:\n  a: {seat: care, rung: 1, objectives: educate}\n"                           \
    "  b: {seat: care, rung: 1, objectives: refer}\n"
    static const struct {
        const char *text, *says;
        bool warning;
    } cases[] = {
        {ON(", quota: {count: 3, of: refer}", ""), "quota: 3 placements of 2 slots", false},
        {ON(", quota: {count: 2, of: refer}", ""), "only 1 of its slots admit", false},
        {ON(", quota: {count: 1}", ""), "'of' is missing", false},
        {ON(", paid_max: 2", ""), "paid_max: as many as there are slots", true},
        {ON("", ", live: true, shows: [region]"), "attribute 'region' is host, not open", false},
        {ON("", ", live: true, shows: [place]"), "'place' describes a slot", false},
        {ON("", ", live: true, shows: [regoin]"), "no attribute 'regoin'", false},
        {ON("", ", budget: {daily: 5, pacing: slow}"), "'slow' is not one of its words", false},
        {ON("", ", budget: {total: 5, pacing: even}"), "even over no span", false},
        {ON("", "") "  c: {seat: care, rung: 1, objectives: refer, group: g}\n",
         "no other message of its seat is in group 'g'", true},
        {ON("", "") "  c: {seat: care, rung: 1, objectives: refer, group: g}\n"
                    "  d: {seat: care, rung: 1, objectives: refer, group: g}\n"
                    "  e: {seat: care, rung: 1, objectives: refer, group: g}\n",
         "group 'g' has 3 messages, and no container more than 2 slots", true},
        {ON("", "") "  c: {seat: care, rung: 1, objectives: refer, priority: 8}\n",
         "'8' is not in range", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct market *market = read_text(cases[i].text);
        bool good = (market != NULL) == cases[i].warning && report.count == 1 &&
                    strstr(report.problems[0].what, cases[i].says) != NULL;
        if (!good) {
            print_message("expected %s\n%s", cases[i].says, cases[i].text);
            market_file_print(&report, "got", stdout);
        }
        assert_true(good);
    }
    static const char *const zones[] = {"Europe/Berlni", "../../etc/passwd", "/etc/passwd",
                                        "Europe"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        assert_null(read_text(
            arena_printf(arena, "market: {code: m, currency: EUR, zone: \"%s\"}\n", zones[i])));
        assert_true(report.errors == 1 && report.problems[0].place.column == 40);
        assert_non_null(strstr(report.problems[0].what, "no time zone"));
    }
}

static void
rules_that_never_or_always_match(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *says;
    } cases[] = {
        {"false", "can never be true"},
        {"age > 30 and age < 20", "can never be true"},
        {"age between 10 and 20 and age <> 15", NULL},
        {"age in (10, 20) and age > 20", "can never be true"},
        {"age > 119 and age <> 120", "can never be true"},
        {"tier = 'gold' and tier = 'silver'", "can never be true"},
        {"tier = 'gold' and tier <> 'silver'", NULL},
        {"tier in ('gold', 'vip') and tier not in ('gold', 'vip')", "can never be true"},
        {"consent_profiling and not consent_profiling", "can never be true"},
        {"age is null and age > 3", "can never be true"},
        {"region = 'x' and (age > 30 and age < 20 or false)", "can never be true"},
        {"region = 'x' or age > 30 and age < 20", NULL},
        {"true", "is true of every contact"},
        {"age is null or age is not null", "is true of every contact"},
        {"age > 3 or age <= 3", NULL},  // unknown ages are not
        {"age >= 0", "'age >= 0' is true of every value that age may have"},
        {"region = 'x' and age <= 120", "'age <= 120' is true of every value"},
        {"age <= 119", NULL},
        {"channel = 'sms'", "is true in no slot of this market"},
        {"slot = 'bill.nope'", "is true in no slot of this market"},
        {"container = 'bill' and channel = 'email'", "is true in no slot of this market"},
        {"region = 'x' and (channel = 'sms' or age < 20 and stage is null)",
         "is true in no slot of this market"},
        {"region = 'x' or channel = 'sms'", NULL},
        {"container = 'bill' and channel = 'bill'", NULL},
        {"channel not in ('bill', 'sms')", NULL},
        {"channel = 'bill' or channel <> 'bill'", "is true of every contact"},
        {"region = 'x' or channel is not null", "is true of every contact"},
        {"channel in ('bill', 'email')", NULL},  // of every one today: a new channel is another
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = arena_printf(
            arena, HEAD "  g.three: {seat: grill, rung: 6, objectives: refer, rule: \"%s\"}\n",
            cases[i].rule);
        struct market *market = read_text(text);
        bool good = market != NULL && report.count == (cases[i].says != NULL) &&
                    (cases[i].says == NULL ||
                     (report.problems[0].warning && report.problems[0].place.column == 61 &&
                      strstr(report.problems[0].what, cases[i].says) != NULL));
        if (!good) {
            print_message("%s: expected %s\n", cases[i].rule,
                          cases[i].says != NULL ? cases[i].says : "nothing");
            market_file_print(&report, "got", stdout);
        }
        assert_true(good);
    }
}

static void
floors_above_every_bid_seen(void **state)
{
    (void)state;
    static const char text[] = HEAD "floors:\n  a: {seat: grill, price: 0.50}\n"
                                    "  b: {category: food, container: bill, price: 0.36}\n"
                                    "  c: {slot: mail.a, price: 0.36}\n";
    static const struct market_seen seen[] = {{"g.one", "bill.a", {350000}},
                                              {"g.two", "", {400000}},
                                              {"c.one", "", {200000}},
                                              {"gone", "", {9000000}}};
    struct market *market = read_text(text);
    assert_non_null(market);
    market_file_seen(market, seen, 4, &report);
    assert_int_equal(report.warnings, 2);
    assert_string_equal(report.problems[0].object, "floor a");
    assert_string_equal(report.problems[0].what,
                        "floor 0.50 is above every bid ever seen here; the highest was 0.40");
    assert_string_equal(report.problems[1].object, "floor b");
    assert_non_null(strstr(report.problems[1].what, "the highest was 0.35"));
    market = read_text(text);
    market_file_seen(market, NULL, 0, &report);  // a market that has seen none yet
    assert_int_equal(report.warnings, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(values_are_read_exactly),
        TEST(both_ways_out_and_back),
        TEST(changes_are_told_and_some_refused),
        TEST(single_mistakes_stand_at_their_key),
        TEST(names_must_name_something),
        TEST(campaigns_are_a_tree_of_two),
        TEST(caps_that_contradict),
        TEST(floors_and_experiments_that_collide),
        TEST(containers_groups_and_seats),
        TEST(rules_that_never_or_always_match),
        TEST(floors_above_every_bid_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
