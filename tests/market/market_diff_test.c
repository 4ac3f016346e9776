// Tests of the difference between two markets, in words.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "declared.h"
#include "scratch.h"

// All changes as lines.
static const char *
difference(const char *before, const char *after)
{
    struct market_change *changes;
    uint32_t count;
    market_diff(before != NULL ? declared_market(before, arena) : NULL,
                declared_market(after, arena), arena, &changes, &count);
    const char *text = "";
    for (uint32_t i = 0; i < count; i++)
        text = arena_printf(arena, "%s%c %s: %s%s\n", text, changes[i].sign, changes[i].object,
                            changes[i].text, changes[i].refused ? " REFUSED" : "");
    return text;
}

#define HEAD                                                                             \
    "market: {code: m, currency: EUR}\nseats: {care: {kind: department}, grill: {kind: " \
    "partner}}\n"
#define BILL(slots) \
    "containers: {bill: {stage: use, channel: bill, owner: care, slots: {" slots "}}}\n"

static void
equal_markets_do_not_differ(void **state)
{
    (void)state;
    assert_string_equal(difference(HEAD, HEAD), "");
    // Written otherwise, meant alike.
    assert_string_equal(
        difference(HEAD BILL("a: {floor: 0.10, rungs: [1-3], deliver_within: 120m}"),
                   HEAD BILL("a: {rungs: [3, geographic, 2], floor: \"0.1\", deliver_within: 2h}")),
        "");
}

#define PRICED(pricing)                                                                 \
    "containers: {bill: {stage: use, channel: bill, owner: care, " pricing "slots: {a: {}, " \
    "b: {}}}}\n"

static void
the_pricing_of_a_container_counts(void **state)
{
    (void)state;
    assert_string_equal(difference(HEAD PRICED(""), HEAD PRICED("pricing: per_slot, ")), "");
    assert_string_equal(difference(HEAD PRICED("pricing: vcg, "), HEAD PRICED("pricing: vcg, ")),
                        "");
    assert_string_equal(difference(HEAD PRICED(""), HEAD PRICED("pricing: vcg, ")),
                        "~ container bill: pricing none -> vcg\n");
    assert_string_equal(difference(HEAD PRICED("pricing: vcg, "), HEAD PRICED("")),
                        "~ container bill: pricing vcg -> none\n");
}

static void
changes_are_told_in_words(void **state)
{
    (void)state;
    assert_string_equal(difference(HEAD BILL("footer: {floor: 0.120}"),
                                   HEAD BILL("footer: {floor: 0.14, rule: tier = 'gold'}")),
                        "~ slot bill.footer: floor 0.12 -> 0.14\n"
                        "~ slot bill.footer: rule none -> tier = 'gold'\n");
    assert_string_equal(
        difference(
            HEAD BILL("a: {}, b: {}"),
            HEAD BILL("b: {}") "messages: {grill.x: {seat: grill, rung: 6, objectives: refer}}\n"),
        "~ slot bill.b: position 2 -> 1\n+ message grill.x: new\n- slot bill.a: removed\n");
    assert_string_equal(difference(HEAD BILL("a: {floors: [{rung: 6, price: 1}]}"),
                                   HEAD BILL("a: {floors: [{rung: 6, price: 2}]}")),
                        "~ slot bill.a: floors [{rung: commercialization, price: 1.00}] -> [{rung: "
                        "commercialization, price: 2.00}]\n");
    assert_string_equal(
        difference(HEAD, "market: {code: m, currency: EUR, name: Mine}\nseats: {care: {kind: "
                         "department, paused: yes}, grill: {kind: partner, budget: 5}}\n"),
        "~ market: name m -> Mine\n~ seat care: paused no -> yes\n~ seat grill: "
        "budget none -> 5.00\n");
    assert_string_equal(difference(HEAD BILL("a: {rule: tier = 'gold'}"), HEAD BILL("a: {}")),
                        "~ slot bill.a: rule tier = 'gold' -> none\n");
}

static void
everything_is_new_in_a_first_market(void **state)
{
    (void)state;
    assert_string_equal(difference(NULL, HEAD),
                        "+ market: new\n+ seat care: new\n+ seat grill: new\n");
}

static void
identities_are_kept(void **state)
{
    (void)state;
    assert_non_null(strstr(
        difference(HEAD, "market: {code: n, currency: USD}\nseats: {care: {kind: department}, "
                         "grill: {kind: department}}\n"),
        "~ seat grill: kind partner -> department; a seat stays what it is"));
    const char *text = difference(
        HEAD "messages: {one: {seat: grill, rung: 8, objectives: refer}}\n",
        HEAD "messages: {one: {seat: care, rung: 8, objectives: refer}}\n");
    assert_non_null(strstr(text, "seat grill -> care; a message stays with its seat"));
    assert_non_null(strstr(text, "REFUSED"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_markets_do_not_differ, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(the_pricing_of_a_container_counts, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(changes_are_told_in_words, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(everything_is_new_in_a_first_market, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(identities_are_kept, scratch_open, scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
