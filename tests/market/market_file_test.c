// Tests of the market file's reader: every mistake at its place, every value exact, hostile bytes
// harmless.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "market_file.h"
#include "scratch.h"
#include "seed.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct market_report report;

static struct market *
read_text(const char *text)
{
    struct market *market = NULL;
    report = (struct market_report){.arena = arena};
    enum status status = market_file_read(text, strlen(text), arena, &report, &market);
    assert_true((status == STATUS_OK) == (market != NULL));
    assert_true((status == STATUS_OK) == (report.errors == 0));
    return market;
}

static struct market *
read_good(const char *text)
{
    struct market *market = read_text(text);
    if (market == NULL) market_file_print(&report, "test", stdout);
    assert_non_null(market);
    return market;
}

// Exactly one error, there, saying that.
static void
expect_error(const char *text, uint32_t line, uint32_t column, const char *says)
{
    assert_null(read_text(text));
    bool good = report.errors == 1 && report.problems[0].place.line == line &&
                report.problems[0].place.column == column &&
                strstr(report.problems[0].what, says) != NULL;
    if (!good) {
        print_message("expected %u:%u %s in:\n%s\n", line, column, says, text);
        market_file_print(&report, "got", stdout);
    }
    assert_true(good);
}

static const char *
file_text(const char *path, size_t *out_len)
{
    const char *text;
    assert_int_equal(market_file_text(path, arena, &text, out_len), STATUS_OK);
    return text;
}

static void
forty_mistakes_are_forty_errors(void **state)
{
    (void)state;
    static const struct {
        uint32_t line, column;
        const char *object, *what, *mend;
    } expected[] = {
        {3, 9, "market", "'Sample Market' is not a code", "lower-case"},
        {5, 13, "market", "'euro' is not a currency", "EUR"},
        {6, 20, "market", "'mail' is not one of its words", "did you mean 'email'?"},
        {8, 3, "market", "unknown key 'colour'", "known here: code, name"},
        {10, 15, "attribute age", "'number' is not one of its words", "use boolean, integer"},
        {11, 24, "attribute region", "unknown key 'wrods'", "did you mean 'words'?"},
        {12, 3, "attribute channel", "every market has this attribute already", "another name"},
        {13, 47, "attribute score", "the first number is above the second", "the least first"},
        {14, 42, "attribute flag", "only a text or a list has them", "remove them"},
        {15, 3, "attribute order", "rules cannot use this name", "no word of SQL"},
        {17, 41, "seat marketing", "'1.2345678' is not an amount", "at most six decimals"},
        {18, 37, "seat sales", "'-5' is not an amount of zero or more", "minus sign"},
        {19, 19, "seat billing", "'departement' is not one of its words",
         "did you mean 'department'?"},
        {20, 46, "seat grill", "'perhaps' is not yes or no", "true or false"},
        {21, 3, "", "'grill' stands here a second time; the first is in line 20", "keep one"},
        {22, 3, "seat host", "'host' is the company itself", "another code"},
        {28, 12, "container support", "seat 'grill' is a partner", "a department"},
        {30, 29, "slot support.opening", "fulfill stands beside others", "a second slot"},
        {32, 17, "slot support.offer", "'1-9' is out of range", "1 to 8"},
        {33, 21, "slot support.offer", "'cross_sel'", "did you mean 'cross_sell'?"},
        {34, 25, "slot support.offer", "'20' is not a time span", "20m"},
        {35, 36, "slot support.offer", "no attribute 'agee'", ""},
        {38, 13, "slot support.offer", "the same rung, seat and category as the floor in line 37",
         "keep one"},
        {39, 13, "slot support.offer", "no seat 'gril'", "did you mean 'grill'?"},
        {40, 7, "container support", "'Footer' is not a code", "lower-case"},
        {41, 3, "container bill", "'stage' is missing", "service"},
        {44, 12, "container bill", "no slots", "1 to 12"},
        {46, 37, "message grill.summer", "rung 3 (behavioral) is not for a partner", "6 to 8"},
        {47, 35, "message grill.link", "without a gain share of seat 'grill'", "`gain_share`"},
        {49, 11, "message market.one", "no seat 'markting'", "did you mean 'marketing'?"},
        {52, 10, "message market.one", "'20 in 30d' is not a cap", "2 in 30d"},
        {54, 55, "message market.two", "'sell' is not one of its words", "use identify"},
        {54, 75, "message market.two", "between", ""},
        {56, 53, "contract one", "a department pays by transfer price", "remove `billing`"},
        {57, 3, "contract two", "overlaps contract 'one' (line 56)", "end one"},
        {58, 30, "contract three", "'2026-02-30' is not a date or time", "2026-11-30"},
        {62, 5, "contract four", "the merchant is a partner, but seat 'sales' is a department",
         "`merchant: host`"},
        {64, 13, "contract four", "'0.125' is not a percentage", "12.5%"},
        {66, 11, "contract four", "no seat 'hosts'", "did you mean 'host'?"},
        {66, 31, "contract four", "'0' is not in range", "1 to 1000000000"},
    };
    size_t len;
    const char *text = file_text(SOURCE_DIR "/tests/market/forty_mistakes.yaml", &len);
    assert_int_equal(COUNT(expected), 40);
    assert_null(read_text(text));
    for (size_t i = 0; i < COUNT(expected) && i < report.count; i++) {
        const struct market_problem *problem = &report.problems[i];
        bool good = problem->place.line == expected[i].line &&
                    problem->place.column == expected[i].column &&
                    strcmp(problem->object, expected[i].object) == 0 &&
                    strstr(problem->what, expected[i].what) != NULL &&
                    strstr(problem->mend, expected[i].mend) != NULL && !problem->warning;
        if (!good)
            print_message("%u:%u %s: expected %s; got %u:%u %s: %s; %s\n", expected[i].line,
                          expected[i].column, expected[i].object, expected[i].what,
                          problem->place.line, problem->place.column, problem->object,
                          problem->what, problem->mend);
        assert_true(good);
    }
    assert_int_equal(report.count, 40);
    assert_int_equal(report.errors, 40);
}

static void
the_sample_market_is_without_blemish(void **state)
{
    (void)state;
    size_t len;
    read_good(file_text(SOURCE_DIR "/sample/market.yaml", &len));
    market_file_print(&report, "sample/market.yaml", stdout);
    assert_int_equal(report.count, 0);
}

// Every fenced YAML in the document is a market of its own.
static void
the_documents_examples_are_markets(void **state)
{
    (void)state;
    size_t len;
    unsigned examples = 0;
    const char *at = file_text(SOURCE_DIR "/docs/market-file.md", &len);
    while ((at = strstr(at, "```yaml\n")) != NULL) {
        at += strlen("```yaml\n");
        const char *end = strstr(at, "\n```");
        assert_non_null(end);
        read_good(arena_text(arena, at, (size_t)(end - at) + 1));
        at = end + 4;
        examples++;
    }
    assert_int_equal(examples, 9);
}

#define HEAD                                                                             \
    "market: {code: m, currency: EUR}\nseats: {care: {kind: department}, grill: {kind: " \
    "partner}}\n"

static void
values_are_read_exactly(void **state)
{
    (void)state;
    struct market *market = read_good(
        "market: {code: m, currency: JPY, channels: [call, bill], stages: all}\n"
        "attributes:\n"
        "  owns: {type: list, of: message}\n"
        "  size: {type: integer, of: slot, range: [-5, 9]}\n"
        "seats:\n"
        "  care: {kind: department, budget: \"0.000001\", paused: yes}\n"
        "  grill: {kind: partner, budget: 1000000000}\n"
        "containers:\n"
        "  bill:\n"
        "    stage: use\n"
        "    channel: bill\n"
        "    owner: care\n"
        "    floor: 0.5\n"
        "    deliver_within: 2h\n"
        "    slots:\n"
        "      a: {rungs: [2-4, syndication], objectives: [refer, identify], deliver_within: 4w}\n"
        "      b: {floor: 0.1, values: {size: -5}, floors: [{rung: 6, seat: grill, price: "
        "7.123456}]}\n"
        "      c:\n"
        "messages:\n"
        "  grill.one:\n"
        "    seat: grill\n"
        "    rung: affiliation\n"
        "    objectives: all\n"
        "    cap: {count: 12, days: 365}\n"
        "    from: 2026-11-01\n"
        "    until: 2026-11-01T12:00:00.5Z\n"
        "    values: {owns: [x, y]}\n"
        "contracts:\n"
        "  - code: grill.one\n"
        "    seat: grill\n"
        "    from: 2026-01-01\n"
        "    charge: win\n"
        "    billing: prepaid\n"
        "    gain_share: {rate: 0.0125%, shares: [{to: host, weight: 3}, {to: care, rung: 5, "
        "weight: 1}]}\n");
    const struct market_container *bill = &market->containers[0];
    assert_string_equal(market->currency.code, "JPY");
    assert_int_equal(market->channels, 1u << CHANNEL_CALL | 1u << CHANNEL_BILL);
    assert_int_equal(market->stages, (1u << STAGE_COUNT) - 1);
    assert_int_equal(market->seats[0].budget.total.micros, 1);
    assert_true(market->seats[0].paused);
    assert_int_equal(market->seats[1].budget.total.micros, 1000000000000000);
    assert_int_equal(bill->slots[0].rungs, 0x8e);
    assert_int_equal(bill->slots[0].objectives, 1u << OBJECTIVE_REFER | 1u << OBJECTIVE_IDENTIFY);
    assert_int_equal(bill->slots[0].floor.micros, 500000);
    assert_int_equal(bill->slots[0].delivery_seconds, 4 * 604800);
    assert_int_equal(bill->slots[1].floor.micros, 100000);
    assert_int_equal(bill->slots[1].delivery_seconds, 7200);
    assert_int_equal(bill->slots[1].floors[0].price.micros, 7123456);
    assert_int_equal(bill->slots[1].floors[0].rung, RUNG_COMMERCIALIZATION);
    assert_string_equal(bill->slots[1].values[0].items[0], "-5");
    assert_int_equal(bill->slots[2].rungs, 0xff);
    assert_int_equal(bill->slots[2].objectives, 0x1ff & ~(1u << OBJECTIVE_FULFILL));
    const struct market_message *message = &market->messages[0];
    assert_int_equal(message->rung, RUNG_AFFILIATION);
    assert_int_equal(message->objectives, 0x1ff);
    assert_int_equal(message->cap_count, 12);
    assert_int_equal(message->until.us - message->from.us, 43200500000);
    assert_string_equal(message->content, "grill.one");
    assert_int_equal(message->values[0].count, 2);
    const struct market_contract *contract = &market->contracts[0];
    assert_int_equal(contract->tiers[0].rate_ppm, 125);
    assert_int_equal(contract->charge, CHARGE_WIN);
    assert_int_equal(contract->billing, BILLING_PREPAID);
    assert_int_equal(contract->merchant, MERCHANT_PARTNER);
    assert_int_equal(contract->shares[0].rung, -1);
    assert_int_equal(contract->shares[1].rung, RUNG_PREDICTIVE);
    assert_int_equal(contract->shares[1].weight, 1);
}

static void
what_is_not_yaml_or_not_ours_is_told(void **state)
{
    (void)state;
    expect_error("", 1, 1, "the file is empty");
    expect_error("# nothing\n", 1, 1, "the file is empty");
    expect_error("just words\n", 1, 1, "a map of `key: value` lines");
    expect_error("market: {code: m\n", 2, 1, "not YAML");
    expect_error("market:\n\tcode: m\n", 2, 1, "a tab indents this line");
    expect_error("market: &a {code: m, currency: EUR}\n", 1, 9, "anchors");
    expect_error("market: !x {code: m}\n", 1, 9, "anchors");
    expect_error(HEAD "---\nmarket: x\n", 3, 1, "a second document");
    expect_error("market: {? [a] : b}\n", 1, 12, "a key must be a word");
    expect_error("a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", 1, 19, "nested too deeply");
    expect_error("market: {code: \"m\\0\", currency: EUR}\n", 1, 16, "NUL");
    expect_error("market: {code: m, currency: EUR, name: \xff\xfe}\n", 1, 1, "not YAML");
    static const char *const controls[] = {"\\x01", "\\r", "\\x7f",  "\\x80",
                                           "\\N",   "\\L", "\\uFEFF"};
    for (size_t i = 0; i < COUNT(controls); i++)
        expect_error(
            arena_printf(arena, "market: {code: m, currency: EUR, name: \"a%sb\"}\n", controls[i]),
            1, 40, "a control character");
    expect_error("seats: {}\n", 1, 1, "'market' is missing");
    expect_error(HEAD "seet: {}\n", 3, 1, "unknown key 'seet'");
}

static void
single_mistakes_stand_at_their_key(void **state)
{
    (void)state;
    expect_error(HEAD "messages:\n  one: {seat: care, rung: 9, objectives: refer}\n", 4, 27,
                 "out of range");
    expect_error(HEAD "messages:\n  one: {seat: care, rung: [1, 2], objectives: refer}\n", 4, 27,
                 "more than one rung");
    expect_error(HEAD "messages:\n  one: {seat: care, rung: 1, objectives: []}\n", 4, 42,
                 "an empty list");
    expect_error(HEAD "messages:\n  one: {seat: care, rung: 1, objectives: refer, from: "
                      "2026-02-01, until: 2026-01-01}\n",
                 4, 74, "'until' is not after 'from'");
    expect_error(HEAD "messages:\n  one: {seat: care, rung: 1, objectives: refer, budget: 1e3}\n",
                 4, 57, "'1e3' is not an amount");
    expect_error(HEAD
                 "messages:\n  one: {seat: care, rung: 1, objectives: refer, budget: 1000000001}\n",
                 4, 57, "an amount that fits");
    expect_error(HEAD
                 "messages:\n  one: {seat: care, rung: 1, objectives: refer, content: {a: b}}\n",
                 4, 58, "a map stands here");
    expect_error(HEAD "messages: [{seat: care}]\n", 3, 12, "a message without 'code'");
    expect_error(HEAD "contracts: [{code: a, seat: care, from: 2026-01-01}, {code: a, seat: grill, "
                      "from: 2026-01-01}]\n",
                 3, 61, "a second contract 'a'");
    expect_error(HEAD "contracts:\n  a: {seat: grill, from: 2026-01-01, transfer_price: zero}\n", 4,
                 54, "a partner pays");
    expect_error(
        HEAD
        "contracts:\n  a:\n    seat: grill\n    from: 2026-01-01\n    gain_share:\n      rate: 5%\n"
        "      shares:\n        - {to: grill, weight: 1}\n",
        10, 11, "'grill' is the merchant and would pay itself");
    expect_error(HEAD "contracts:\n  a:\n    seat: grill\n    from: 2026-01-01\n    gain_share:\n  "
                      "    merchant: host\n"
                      "      rate: 5%\n      shares: [{to: host, weight: 1}]\n",
                 10, 16, "the host is the merchant");
    expect_error(
        HEAD
        "contracts:\n  a:\n    seat: grill\n    from: 2026-01-01\n    gain_share:\n      rate: 5%\n"
        "      shares: [{to: host, weight: 1}, {to: host, weight: 2}]\n",
        9, 39, "stands already in line 9");
}

static void
what_only_just_fits_is_taken(void **state)
{
    (void)state;
    read_good(HEAD "contracts:\n  b: {seat: grill, from: 2026-07-01}\n"
                   "  a: {seat: grill, from: 2026-01-01, until: 2026-07-01}\n");
    struct market *market = read_good(HEAD "contracts: {a: {seat: grill, from: 2026-01-01, "
                                           "gain_share: {rate: 100%, shares: [{to: host, weight: "
                                           "1000000000}]}}}\n");
    assert_int_equal(market->contracts[0].tiers[0].rate_ppm, 1000000);
    expect_error(
        HEAD "contracts: {a: {seat: grill, from: 2026-01-01, gain_share: {rate: 0.00005%, shares: "
             "[{to: host, weight: 1}]}}}\n",
        3, 67, "'0.00005%' is not a percentage");
    expect_error(
        HEAD "contracts: {a: {seat: grill, from: 2026-01-01, gain_share: {rate: 100.0001%, shares: "
             "[{to: host, weight: 1}]}}}\n",
        3, 67, "is not a percentage");
    expect_error(HEAD "contracts:\n  b: {seat: grill, from: 2026-06-30}\n"
                      "  a: {seat: grill, from: 2026-01-01, until: 2026-07-01}\n",
                 5, 3, "overlaps contract 'b' (line 4)");
}

#define BILL(slot)                                                                                 \
    HEAD "containers:\n  bill:\n    stage: use\n    channel: bill\n    owner: care\n    slots:\n " \
         "     a:\n" slot
static void
floors_must_be_able_to_count(void **state)
{
    (void)state;
    expect_error(BILL("        rungs: [1-5]\n        floors: [{rung: 6, price: 1}]\n"), 11, 18,
                 "rung 6, which this slot does not admit");
    expect_error(BILL("        rungs: [1-5]\n        floors: [{seat: grill, price: 1}]\n"), 11, 18,
                 "can use none of this slot's rungs");
    expect_error(BILL("        floors: [{seat: care, rung: 6, price: 1}]\n"), 10, 18,
                 "department 'care' can never stand on rung 6");
    expect_error(BILL("        floors: [{price: 1}]\n"), 10, 18, "without rung, seat or category");
    expect_error(BILL("        floors: [{rung: 6}]\n"), 10, 18, "without 'price'");
    expect_error("market: {code: m, currency: EUR}\nseats: {care: {kind: department}, grill: "
                 "{kind: partner, "
                 "budget: 2}}\ncontainers: {bill: {stage: use, channel: bill, owner: care, slots: "
                 "{a: {floors: "
                 "[{seat: grill, price: 2.000001}]}}}}\n",
                 3, 82, "above the whole budget");
}

static void
rules_are_shown_where_they_are_wrong(void **state)
{
    (void)state;
    expect_error(BILL("        rule: tier = 'gold' andd true\n"), 10, 29, "");
    assert_non_null(strstr(report.problems[0].show, "^"));
    expect_error(BILL("        rule: \"chanel = 'bill'\"\n"), 10, 16, "chanel");
    expect_error(BILL("        rule: |\n          channel = 'bill'\n          and (stage = 'use'\n"
                      "               or colour = 'red')\n"),
                 13, 19, "colour");
    expect_error(BILL("        rule: >-\n          channel = 'bill'\n          and colour = 'red'\n"
                      "        floor: 1\n"),
                 12, 15, "colour");
    read_good(BILL("        rule: >\n          channel = 'bill'\n            and stage = 'use'\n"));
    expect_error(BILL("        rule: slot = 'bill.a'\n"), 10, 15,
                 "");  // a slot's rule knows its slot
    expect_error(HEAD "seats2: 1\n", 3, 1, "unknown key");
    expect_error(
        "market: {code: m, currency: EUR}\nseats: {care: {kind: department, rule: rung = 1}}\n", 2,
        40, "");
}

static void
values_must_fit_their_attribute(void **state)
{
    (void)state;
#define WITH(attribute, value)                                      \
    "attributes: {a: {" attribute "}}\n" HEAD                       \
    "containers:\n  bill:\n    stage: use\n    channel: bill\n    " \
    "owner: care\n    slots: {a: {values: {" value "}}}\n"
    read_good(WITH("type: boolean, of: slot", "a: true"));
    read_good(WITH("type: list, of: slot, words: [x, y]", "a: [y, x]"));
    expect_error(WITH("type: boolean, of: slot", "a: maybe"), 9, 29, "'maybe' does not fit a");
    expect_error(WITH("type: integer, of: slot, range: [1, 3]", "a: 4"), 9, 29,
                 "'4' does not fit a");
    expect_error(WITH("type: integer, of: slot", "a: 9999999999999999999"), 9, 29, "does not fit");
    expect_error(WITH("type: text, of: slot, words: [red, blue]", "a: blu"), 9, 29,
                 "'blu' does not fit a");
    expect_error(WITH("type: text, of: slot", "a: [x, y]"), 9, 29, "does not fit");
    expect_error(WITH("type: text, of: message", "a: x"), 9, 29, "describes a message, not a slot");
    expect_error(WITH("type: text, of: slot", "b: x"), 9, 29, "no attribute 'b'");
    expect_error(WITH("type: text, of: slot, consent: profiling", "a: x"), 1, 14,
                 "says nothing about a person");
}

static void
too_many_are_refused(void **state)
{
    (void)state;
    char *text = arena_take(arena, 1 << 20, 1), *end = text;
    end += sprintf(
        end, HEAD
        "containers:\n  bill:\n    stage: use\n    channel: bill\n    owner: care\n    slots:\n");
    for (int i = 0; i < BOUND_SLOTS + 1; i++) end += sprintf(end, "      s%d: {}\n", i);
    expect_error(text, 9, 7, "13 in 'slots', more than 12");
    end = text + sprintf(text, "market: {code: m, currency: EUR}\nattributes:\n");
    for (int i = 0; i < 48; i++) end += sprintf(end, "  a%d: {type: boolean}\n", i);
    expect_error(text, 3, 3, "48 attributes, more than 47");
    end = text + sprintf(text, "market: {code: m, currency: EUR}\nseats:\n");
    for (int i = 0; i < BOUND_SEATS; i++) end += sprintf(end, "  s%d: {kind: partner}\n", i);
    expect_error(text, 3, 3, "4096 in 'seats', more than 4095");
    end = text +
          sprintf(text, HEAD "messages:\n  one: {seat: care, rung: 1, objectives: refer, name: ");
    memset(end, 'x', BOUND_TEXT + 1);
    strcpy(end + BOUND_TEXT + 1, "}\n");
    expect_error(text, 4, 55, "1025 bytes, more than 1024");
}

static void
warnings_do_not_stop(void **state)
{
    (void)state;
    read_good(BILL("        formats: [text]\n        rungs: [6]\n") "messages:\n  grill.a: {seat: "
                                                                    "grill, rung: 6, objectives: "
                                                                    "refer, format: image}\n");
    assert_int_equal(report.errors, 0);
    assert_int_equal(report.warnings,
                     5);  // no touchpoints, two seats without contract, message, slot
    assert_non_null(
        strstr(report.problems[4].what, "no slot admits this message: none takes its format"));
    assert_non_null(strstr(report.problems[3].what, "no message of this market fits it"));
}

// Bytes changed at random never do worse than an error.
static void
damaged_files_are_survived(void **state)
{
    (void)state;
    size_t len;
    uint64_t seed = seed_fixed(20261122);
    const char *text = file_text(SOURCE_DIR "/sample/market.yaml", &len);
    unsigned refused = 0;
    for (unsigned round = 0; round < 150; round++) {
        struct arena *own = arena_open("round");
        char *copy = arena_text(own, text, len);
        unsigned changes = 1 + round % 8;
        for (unsigned i = 0; i < changes; i++) {
            uint64_t r = hash_mix(seed + round * 64 + i);
            static const char bytes[] = "{}[]:,-'\"|>&*!%#@`\n\t \0\x80\xff"
                                        "09az";
            copy[r % len] = bytes[(r >> 40) % (sizeof bytes - 1)];
        }
        struct market_report found = {.arena = own};
        struct market *market;
        enum status status = market_file_read(copy, len, own, &found, &market);
        assert_true(status == STATUS_OK || (status == STATUS_INPUT && found.errors > 0));
        refused += status != STATUS_OK;
        arena_close(own);
    }
    assert_true(refused > 30);
}

static void
files_that_cannot_be_read_are_told(void **state)
{
    (void)state;
    const char *text;
    size_t len;
    assert_int_equal(market_file_text("/nowhere/market.yaml", arena, &text, &len), STATUS_IO);
    assert_int_equal(market_file_text(SOURCE_DIR, arena, &text, &len), STATUS_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forty_mistakes_are_forty_errors, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(the_sample_market_is_without_blemish, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(the_documents_examples_are_markets, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(values_are_read_exactly, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(what_is_not_yaml_or_not_ours_is_told, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(single_mistakes_stand_at_their_key, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(what_only_just_fits_is_taken, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(floors_must_be_able_to_count, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(rules_are_shown_where_they_are_wrong, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(values_must_fit_their_attribute, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(too_many_are_refused, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(warnings_do_not_stop, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(damaged_files_are_survived, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_read_are_told, scratch_open,
                                        scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
