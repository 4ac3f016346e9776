// Tests of contracts, parties and rules of finance in a market file: what is written comes back,
// what was written before keeps its stored form, and every contradiction is told at its place with
// its mend.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "market_file.h"
#include "scratch.h"

// Lines 1 to 4.
#define HEAD                                                                                    \
    "market: {code: m, currency: EUR, channels: [bill, call]}\n"                                \
    "touchpoints: {crm: Desk}\n"                                                                \
    "seats: {care: {kind: department}, grill: {kind: partner}, vine: {kind: partner}}\n"        \
    "containers: {bill: {stage: use, channel: bill, owner: care, cost: 0.6, slots: {a: {cost: " \
    "0.25}, b: {}}}}\n"
#define WITH_GAIN(terms) \
    HEAD "contracts:\n  g:\n    seat: grill\n    from: 2026-01-01\n    gain_share:\n" terms

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

static struct market *
read_good(const char *text)
{
    struct market *market = read_text(text);
    if (market == NULL) market_file_print(&report, "test", stdout);
    assert_non_null(market);
    return market;
}

static const struct mistake {
    const char *text;
    uint32_t line, column;
    const char *what, *mend;
} mistakes[] = {
    // Tiers and caps.
    {WITH_GAIN("      tiers: [{from: 5, rate: 5%}]\n      shares: [{to: host, weight: 1}]\n"), 10,
     16, "does not begin at 0", "begin with {from: 0"},
    {WITH_GAIN("      tiers:\n        - {from: 0, rate: 5%}\n        - {from: 9, rate: 6%}\n"
               "        - {from: 9, rate: 7%}\n      shares: [{to: host, weight: 1}]\n"),
     13, 18, "no later than the tier in line 12", "increasing order"},
    {WITH_GAIN("      tiers: [{from: 0, rate: 5%}]\n      rate: 5%\n"
               "      shares: [{to: host, weight: 1}]\n"),
     11, 7, "there are tiers beside it", "as the first tier"},
    {WITH_GAIN("      tiers: [{from: 0}]\n      shares: [{to: host, weight: 1}]\n"), 10, 15,
     "a tier without 'rate'", "rate: 12%"},
    {WITH_GAIN("      rate: 5%\n      retroactive: true\n      shares: [{to: host, weight: 1}]\n"),
     11, 7, "there are no tiers", "write `tiers`"},
    {WITH_GAIN("      tiers: [{from: 0, rate: 5%}, {from: 9, rate: 6%}]\n      retroactive: true\n"
               "      cap: 100\n      shares: [{to: host, weight: 1}]\n"),
     12, 7, "retroactive tiers look back", "choose one"},
    {WITH_GAIN("      tiers: [{from: 0, rate: 5%}, {from: 100, rate: 6%}]\n      cap: 100\n"
               "      shares: [{to: host, weight: 1}]\n"),
     10, 36, "at or beyond the cap", "raise the cap"},
    {WITH_GAIN("      rate: 5%\n      cap: 0\n      shares: [{to: host, weight: 1}]\n"), 11, 7,
     "leaves nothing to share", "up to which"},
    {WITH_GAIN("      rate: 101%\n      shares: [{to: host, weight: 1}]\n"), 10, 13,
     "is not a percentage", "up to 100%"},
    // Shares.
    {WITH_GAIN(
         "      rate: 5%\n      shares: [{to: host, weight: 60%}, {to: care, weight: 50%}]\n"),
     11, 7, "together 110.0000%, more than the whole", "add up to 100%"},
    {WITH_GAIN(
         "      rate: 5%\n      shares: [{to: host, weight: 60%}, {to: care, weight: 30%}]\n"),
     11, 7, "together 90.0000%, less than the whole", "add up to 100%"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: host, weight: 60%}, {to: care, weight: 40}]\n"),
     11, 7, "some are not", "write all of them"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: hots, weight: 1}]\n"), 11, 16, "no seat 'hots'",
     "did you mean 'host'?"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: toches, weight: 1}]\n"), 11, 16,
     "no seat 'toches'", "did you mean 'touches'?"},
    // Touches.
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"), 11, 7,
     "no attribution says how", "attribution: {model: last}"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: host, weight: 1}]\n"
               "      attribution: {model: last}\n"),
     12, 7, "no share goes to touches", "to: touches"},
    {WITH_GAIN(
         "      rate: 5%\n      shares: [{to: touches, weight: 1}, {to: touches, weight: 2}]\n"
         "      attribution: {model: last}\n"),
     11, 42, "'touches' on the same rung stands already", "add the two weights"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, rung: 4, weight: 1}]\n"
               "      attribution: {model: last}\n"),
     11, 30, "every touch stands on its own rung", "remove `rung`"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"
               "      attribution: {model: lst}\n"),
     12, 28, "'lst' is not one of its words", "did you mean 'last'?"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"
               "      attribution: {model: last, half_life: 3d}\n"),
     12, 34, "only the model time_decay", "time_decay"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"
               "      attribution: {model: linear, last: 10%}\n"),
     12, 36, "only the model position", "position"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"
               "      attribution: {model: position, first: 60%, last: 50%}\n"),
     12, 38, "more than the whole together", "between them"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"
               "      attribution: {model: last, windows: {delivered: never, accepted: never}}\n"),
     12, 34, "no touch would ever count", "a window"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"
               "      attribution: {model: last, windows: {email: 3d}}\n"),
     12, 44, "channel 'email' is not in use", "market: channels"},
    {WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"
               "      attribution: {model: last, windows: {cal: 3d}}\n"),
     12, 44, "unknown key 'cal'", "did you mean 'call'?"},
    {HEAD "contracts: {g: {seat: grill, from: 2026-01-01}}\nmessages: {}\nseats2: {}\n", 7, 1,
     "unknown key 'seats2'", "did you mean 'seats'?"},
    // Prices.
    {HEAD "contracts: {g: {seat: care, from: 2026-01-01, transfer_price: cost_plus}}\n", 5, 47,
     "how much above the cost?", "cost_plus: 10%"},
    {HEAD "contracts: {g: {seat: care, from: 2026-01-01, cost_plus: 10%}}\n", 5, 47,
     "the transfer price is another one", "transfer_price: cost_plus"},
    {"market: {code: m, currency: EUR}\ntouchpoints: {crm: Desk}\n"
     "seats: {care: {kind: department}}\n"
     "contracts: {g: {seat: care, from: 2026-01-01, transfer_price: cost_plus, cost_plus: 10%}}\n",
     4, 63, "no slot says what it costs", "write `cost: 0.05`"},
    {HEAD "contracts: {g: {seat: grill, from: 2026-01-01, charge: respons}}\n", 5, 56,
     "'respons' is not one of its words", "did you mean 'response'?"},
    {HEAD "contracts:\n  g: {seat: grill, from: 2026-01-01, until: 2026-07-01}\n"
          "  h: {seat: grill, from: 2026-06-30, charge: conversion}\n",
     7, 3, "overlaps contract 'g' (line 6)", "end one before"},
    // The life of the money.
    {HEAD "contracts: {g: {seat: grill, from: 2026-01-01, validation: 30d}}\n", 5, 48,
     "nothing is validated", "gain_share"},
    {HEAD "contracts: {g: {seat: care, from: 2026-01-01, minimum_payout: 5}}\n", 5, 63,
     "a department is paid nothing out", "remove"},
    {HEAD "contracts: {g: {seat: grill, from: 2026-01-01, payout_currency: EUX}}\n", 5, 65,
     "'EUX' is not a currency", "ISO 4217"},
    {HEAD "contracts: {g: {seat: grill, from: 2026-01-01, tax: {category: S}}}\n", 5, 54,
     "category S has a rate", "rate: 19%"},
    {HEAD "contracts: {g: {seat: grill, from: 2026-01-01, tax: {category: Z, rate: 7%}}}\n", 5, 67,
     "only category S has a rate", "remove it"},
    {HEAD "contracts: {g: {seat: grill, from: 2026-01-01, tax: {category: X}}}\n", 5, 64,
     "'X' is not a category", "use S"},
    // Parties.
    {"market: {code: m, currency: EUR, finance: {party: {legal_name: M, country: Germany}}}\n", 1,
     76, "is not a country", "ISO 3166"},
    {"market: {code: m, currency: EUR, finance: {party: {legal_name: M, iban: "
     "DE89370400440532013001}}}\n",
     1, 73, "is not an account number", "check digits"},
    {"market: {code: m, currency: EUR, finance: {party: {legal_name: M, iban: "
     "DE89370400440532013000, bic: COBADE}}}\n",
     1, 102, "is not a bank's code", "8 or 11"},
    {"market: {code: m, currency: EUR, finance: {party: {legal_name: M, bic: COBADEFFXXX}}}\n", 1,
     72, "is not enough to be paid by", "iban"},
    {"market: {code: m, currency: EUR, finance: {party: {legal_name: M, email: nobody}}}\n", 1, 74,
     "is not an address", "example.com"},
    {"market: {code: m, currency: EUR, finance: {party: {city: Bonn}}}\n", 1, 44,
     "'legal_name' is missing", "register"},
    {"market: {code: m, currency: EUX}\n", 1, 29, "'EUX' is not a currency", "ISO 4217"},
    {"market: {code: m, currency: EUR, finance: {dispute_days: 0}}\n", 1, 58, "is not in range",
     "use 1 to 366"},
    {"market: {code: m, currency: EUR}\nseats: {touches: {kind: partner}}\n", 2, 9,
     "what a customer was shown", "another code"},
};

static void
every_contradiction_stands_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const struct mistake *mistake = &mistakes[i];
        struct market *market = read_text(mistake->text);
        const struct market_problem *problem = &report.problems[0];
        bool good = market == NULL && report.errors == 1 && problem->place.line == mistake->line &&
                    problem->place.column == mistake->column &&
                    strstr(problem->what, mistake->what) != NULL &&
                    strstr(problem->mend, mistake->mend) != NULL;
        if (!good) {
            print_message("expected %u:%u %s; %s in:\n%s\n", mistake->line, mistake->column,
                          mistake->what, mistake->mend, mistake->text);
            market_file_print(&report, "got", stdout);
        }
        assert_true(good);
    }
}

// All terms at once.
static const char everything[] =
    "market:\n"
    "  code: m\n"
    "  currency: EUR\n"
    "  finance:\n"
    "    party: {legal_name: Host GmbH, street: Weg 1, city: Bonn, postal_code: 53111, "
    "country: DE, tax_id: DE123456789, registration: HRB 1, email: a@b.example, "
    "iban: DE89 3704 0044 0532 0130 00, bic: COBADEFFXXX}\n"
    "    approve_above: 0\n"
    "    rate_age: 36h\n"
    "    dispute_days: 45\n"
    "touchpoints: {crm: Desk}\n"
    "seats:\n"
    "  care: {kind: department}\n"
    "  grill: {kind: partner, party: {legal_name: Grill Ltd., country: GB}}\n"
    "containers:\n"
    "  bill:\n"
    "    stage: use\n"
    "    channel: bill\n"
    "    owner: care\n"
    "    cost: 0.6\n"
    "    slots: {a: {cost: 0.25}, b: {}}\n"
    "contracts:\n"
    "  care.one: {seat: care, from: 2026-01-01, transfer_price: cost_plus, cost_plus: 0%, charge: "
    "response}\n"
    "  grill.one:\n"
    "    seat: grill\n"
    "    from: 2026-01-01\n"
    "    charge: conversion\n"
    "    validation: 4w\n"
    "    clawback: bill\n"
    "    minimum_payout: 25.5\n"
    "    payout_currency: USD\n"
    "    tax: {category: S, rate: 19%}\n"
    "    gain_share:\n"
    "      tiers: [{from: 0, rate: 0%}, {from: 1000, rate: 10%}, {from: 5000.5, rate: 12.5%}]\n"
    "      cap: 10000\n"
    "      rounding: down\n"
    "      shares: [{to: host, weight: 40%}, {to: touches, weight: 60%}]\n"
    "      attribution:\n"
    "        model: position\n"
    "        first: 30%\n"
    "        last: 0%\n"
    "        windows: {delivered: never, accepted: 14d, call: 90d, web: 36h}\n";

static void
is_everything(const struct market *market)
{
    const struct market_finance *finance = &market->finance;
    assert_string_equal(finance->party.legal_name, "Host GmbH");
    assert_string_equal(finance->party.iban, "DE89370400440532013000");
    assert_string_equal(finance->party.postal_code, "53111");
    assert_true(finance->has_approve_above && finance->approve_above.micros == 0);
    assert_int_equal(finance->rate_age_us, 36 * INT64_C(3600000000));
    assert_int_equal(finance->dispute_days, 45);
    assert_string_equal(market->seats[0].party.legal_name, "");
    assert_string_equal(market->seats[1].party.country, "GB");
    assert_true(market->containers[0].has_cost && market->containers[0].slots[0].has_cost);
    assert_int_equal(market->containers[0].slots[0].cost.micros, 250000);
    assert_false(market->containers[0].slots[1].has_cost);
    const struct market_contract *care = &market->contracts[0], *grill = &market->contracts[1];
    assert_int_equal(care->transfer_price, TRANSFER_COST_PLUS);
    assert_int_equal(care->cost_plus_ppm, 0);
    assert_int_equal(care->charge, CHARGE_RESPONSE);
    assert_int_equal(care->tax_category, 'O');
    assert_int_equal(grill->charge, CHARGE_CONVERSION);
    assert_int_equal(grill->validation_days, 28);
    assert_int_equal(grill->clawback, CLAWBACK_BILL);
    assert_int_equal(grill->minimum_payout.micros, 25500000);
    assert_string_equal(grill->payout_currency.code, "USD");
    assert_int_equal(grill->tax_category, 'S');
    assert_int_equal(grill->tax_ppm, 190000);
    assert_int_equal(grill->tier_count, 3);
    assert_int_equal(grill->tiers[0].rate_ppm, 0);
    assert_int_equal(grill->tiers[2].from.micros, 5000500000);
    assert_int_equal(grill->tiers[2].rate_ppm, 125000);
    assert_true(!grill->retroactive && grill->has_cap && grill->cap.micros == 10000000000);
    assert_int_equal(grill->rounding, ROUNDING_DOWN);
    assert_int_equal(grill->shares[0].weight, 400000);
    assert_string_equal(grill->shares[1].to, "touches");
    const struct market_attribution *attribution = &grill->attribution;
    assert_int_equal(attribution->model, ATTRIBUTION_POSITION);
    assert_int_equal(attribution->first_ppm, 300000);
    assert_int_equal(attribution->last_ppm, 0);
    assert_int_equal(attribution->delivered_us, 0);
    assert_int_equal(attribution->accepted_us, 14 * INT64_C(86400000000));
    assert_int_equal(attribution->channel_us[CHANNEL_CALL], 90 * INT64_C(86400000000));
    assert_int_equal(attribution->channel_us[CHANNEL_WEB], 36 * INT64_C(3600000000));
    assert_int_equal(attribution->channel_us[CHANNEL_BILL], -1);
}

// As written, written back, and through the bodies that the database keeps.
static void
everything_comes_back(void **state)
{
    (void)state;
    struct market *market = read_good(everything), *again;
    is_everything(market);
    size_t len;
    const char *text = market_file_write(market, arena, &len);
    again = read_good(text);
    is_everything(again);
    market_object_number(market);
    struct market_object *objects;
    struct market_change *changes;
    uint32_t count;
    market_object_list(market, arena, &objects, &count);
    report = (struct market_report){.arena = arena};
    assert_int_equal(market_object_load(objects, count, arena, &report, &again), STATUS_OK);
    is_everything(again);
    market_diff(market, again, arena, &changes, &count);
    assert_int_equal(count, 0);
}

// What is not said.
static void
usual_terms(void **state)
{
    (void)state;
    struct market *market = read_good(
        WITH_GAIN("      rate: 5%\n      shares: [{to: touches, weight: 1}]\n"
                  "      attribution: {model: time_decay}\n"));
    const struct market_contract *contract = &market->contracts[0];
    const struct market_attribution *attribution = &contract->attribution;
    assert_int_equal(attribution->half_life_us, 7 * INT64_C(86400000000));
    assert_int_equal(attribution->first_ppm, 400000);
    assert_int_equal(attribution->delivered_us, INT64_C(86400000000));
    assert_int_equal(attribution->accepted_us, 30 * INT64_C(86400000000));
    for (int i = 0; i < CHANNEL_COUNT; i++) assert_int_equal(attribution->channel_us[i], -1);
    assert_int_equal(contract->rounding, ROUNDING_HALF_EVEN);
    assert_int_equal(contract->validation_days, 30);
    assert_int_equal(contract->clawback, CLAWBACK_NET);
    assert_int_equal(contract->payout_currency.code[0], 0);
    assert_int_equal(contract->tax_category, 'O');
    const struct market_finance *finance = &market->finance;
    assert_true(!finance->has_approve_above && finance->approve_above.micros == 100000000);
    assert_int_equal(finance->rate_age_us, 7 * INT64_C(86400000000));
    assert_int_equal(finance->dispute_days, 30);
    assert_string_equal(finance->party.legal_name, "");
}

// A contract without new terms is stored as it ever was, byte for byte: an apply of the same file
// changes nothing.
static void
stored_forms_stay(void **state)
{
    (void)state;
    struct market *market = read_good(
        WITH_GAIN("      rate: 5%\n      shares: [{to: host, weight: 3}, {to: vine, rung: 7, "
                  "weight: 1}]\n"));
    struct market_object *objects;
    uint32_t count;
    market_object_number(market);
    market_object_list(market, arena, &objects, &count);
    assert_string_equal(
        objects[count - 1].body,
        "{\"billing\":\"credit\",\"charge\":\"delivery\",\"code\":\"g\",\"from\":"
        "\"2026-01-01T00:00:00.000000Z\",\"gain_share\":{\"merchant\":\"partner\",\"rate\":"
        "\"5%\",\"shares\":[{\"to\":\"host\",\"weight\":3},{\"rung\":\"affiliation\","
        "\"to\":\"vine\",\"weight\":1}]},\"seat\":\"grill\",\"transfer_price\":"
        "\"second_price\"}");
    assert_string_equal(objects[2].body, "{\"code\":\"care\",\"kind\":\"department\",\"name\":"
                                         "\"care\",\"paused\":false}");
}

static void
changes_are_told(void **state)
{
    (void)state;
    struct market *before = read_good(
        WITH_GAIN("      rate: 5%\n      shares: [{to: host, weight: 1}]\n"));
    struct market *after = read_good(
        WITH_GAIN("      tiers: [{from: 0, rate: 5%}, {from: 10, rate: 6%}]\n      shares: [{to: "
                  "host, weight: 1}]\n    validation: 0d\n"));
    struct market_change *changes;
    uint32_t count;
    market_diff(before, after, arena, &changes, &count);
    assert_int_equal(count, 2);
    assert_string_equal(changes[0].object, "contract g");
    assert_string_equal(
        changes[0].text,
        "gain_share {merchant: partner, rate: 5%, shares: [{to: host, weight: 1}]} "
        "-> {merchant: partner, tiers: [{from: 0.00, rate: 5%}, {from: 10.00, rate: 6%}], "
        "shares: [{to: host, weight: 1}]}");
    assert_string_equal(changes[1].text, "validation none -> 0d");
    assert_false(changes[0].refused || changes[1].refused);
}

static void
warnings(void **state)
{
    (void)state;
    assert_non_null(read_text(
        "market: {code: m, currency: EUR}\ntouchpoints: {crm: Desk}\n"
        "seats: {care: {kind: department}}\n"
        "containers:\n"
        "  bill: {stage: use, channel: bill, owner: care, slots: {a: {cost: 1}, b: {}}}\n"
        "contracts: {c: {seat: care, from: 2026-01-01, transfer_price: cost_plus, cost_plus: 5%}}\n"
        "messages:\n  c.one: {seat: care, rung: 1, objectives: refer}\n"));
    assert_int_equal(report.warnings, 1);
    assert_non_null(strstr(report.problems[0].what, "slot bill.b says no cost"));
    assert_non_null(
        read_text("market: {code: m, currency: EUR}\ntouchpoints: {crm: Desk}\n"
                  "seats: {vine: {kind: partner}}\n"
                  "contracts: {c: {seat: vine, from: 2026-01-01, payout_currency: USD}}\n"));
    assert_int_equal(report.warnings, 1);
    assert_non_null(strstr(report.problems[0].what, "has no account to be paid on"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_contradiction_stands_at_its_place),
        TEST(everything_comes_back),
        TEST(usual_terms),
        TEST(stored_forms_stay),
        TEST(changes_are_told),
        TEST(warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
