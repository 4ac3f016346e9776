// Rules: three-valued truth by table and against an independent evaluator, which leaf failed, trees
// from outside, and names. PostgreSQL's own opinion: tests/ledger/rules_differential_test.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "expr.h"
#include "rule_maker.h"
#include "scratch.h"
#include "seed.h"

static struct maker_words words;

static int
set_up(void **state)
{
    words.count = 0;
    return scratch_open(state);
}

static bool
eligible(const char *rule, const struct values *values)
{
    struct expr expr = maker_compile(rule, &words, arena);
    return expr_true(&expr, values, NULL);
}

// The three values of a rule: true; false, when its negation is true; else unknown.
static char
truth(const char *rule, const struct values *values)
{
    char negation[2 * BOUND_RULE_BYTES];
    snprintf(negation, sizeof negation, "not (%s)", rule);
    bool yes = eligible(rule, values), no = eligible(negation, values);
    assert_false(yes && no);
    return yes ? 't' : no ? 'f' : 'u';
}

// member and opted by the letters t, f, u.
static struct values
two_booleans(char member, char opted)
{
    struct values values = {0};
    if (member != 'u') values.known |= 1u << MAKER_MEMBER;
    if (opted != 'u') values.known |= 1u << MAKER_OPTED;
    values.value[MAKER_MEMBER] = member == 't';
    values.value[MAKER_OPTED] = opted == 't';
    return values;
}

static void
connectives_follow_the_truth_tables_of_sql(void **state)
{
    (void)state;
    // clang-format off
    static const struct {
        const char *rule;
        const char *table;  // for member, opted = tt tf tu ft ff fu ut uf uu
    } cases[] = {
        {"member and opted", "tfufffufu"},
        {"member or opted", "ttttfutuu"},
        {"not (member and opted)", "ftutttutu"},
        {"not (member or opted)", "fffftufuu"},
        {"not member or opted", "tfuttttuu"},
        {"member and not opted", "ftuffffuu"},
        {"member is true and opted is not true", "fttffffff"},
        {"member is null or opted is null", "fftfftttt"},
        {"(member or opted is null) and not (member is false)", "tttfffuut"},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int j = 0; j < 9; j++) {
            struct values values = two_booleans("tttfffuuu"[j], "tfutfutfu"[j]);
            char got = truth(cases[i].rule, &values);
            if (got != cases[i].table[j]) fail_msg("%s, case %d: %c", cases[i].rule, j, got);
        }
    }
}

static void
predicates_over_unknown_are_unknown(void **state)
{
    (void)state;
    // clang-format off
    static const struct {
        const char *rule;
        char value;
    } cases[] = {
        {"member", 'u'}, {"not member", 'u'}, {"member = false", 'u'}, {"member <> true", 'u'},
        {"age = 5", 'u'}, {"age <> 5", 'u'}, {"age between 5 and 1", 'u'},
        {"age not between 5 and 1", 'u'},
        {"score < -9223372036854775808", 'u'}, {"score >= -9223372036854775808", 'u'},
        {"region in ('a', 'b')", 'u'}, {"region not in ('a', 'b')", 'u'},
        {"'a' <> all (segments)", 'u'},
        {"segments && array['a']", 'u'}, {"segments @> array['a', 'b']", 'u'},
        {"member is true", 'f'}, {"member is not true", 't'}, {"member is false", 'f'},
        {"member is not false", 't'}, {"age is null", 't'}, {"segments is not null", 'f'},
        {"not (member is not true)", 'f'}, {"not (not (member is not true))", 't'},
        {"age = 5 and false", 'f'}, {"age = 5 or true", 't'}, {"age = 5 and true", 'u'},
    };
    // clang-format on
    struct values nothing = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char got = truth(cases[i].rule, &nothing);
        if (got != cases[i].value) fail_msg("%s: %c", cases[i].rule, got);
    }
}

static void
known_values_at_their_edges(void **state)
{
    (void)state;
    struct values values = {.known = 1u << MAKER_SCORE | 1u << MAKER_SEGMENTS | 1u << MAKER_REGION};
    values.value[MAKER_SCORE] = INT64_MIN;
    values.value[MAKER_REGION] = VALUE_OTHER;
    assert_int_equal(truth("score < -9223372036854775808", &values), 'f');
    assert_int_equal(truth("score <= -9223372036854775808", &values), 't');
    assert_int_equal(truth("score > 9223372036854775807", &values), 'f');
    assert_int_equal(truth("score <= 9223372036854775807", &values), 't');
    assert_int_equal(truth("score between 5 and -5", &values), 'f');
    // The empty list is known and holds nothing; a word that no rule names differs from all.
    assert_int_equal(truth("'a' = any (segments)", &values), 'f');
    assert_int_equal(truth("'a' <> all (segments)", &values), 't');
    assert_int_equal(truth("segments && array['a', 'b']", &values), 'f');
    assert_int_equal(truth("segments @> array['a', 'b']", &values), 'f');
    assert_int_equal(truth("region <> 'a'", &values), 't');
    assert_int_equal(truth("region in ('a', 'b')", &values), 'f');
}

static void
random_rules_mean_what_the_naive_evaluator_says(void **state)
{
    (void)state;
    struct maker maker = {seed_fresh()};
    static char text[64 * 1024], negation[65 * 1024];
    unsigned counts[3] = {0};
    for (int i = 0; i < 3000; i++) {
        const struct maker_rule *rule = maker_rule(&maker);
        maker_text(&maker, rule, text, sizeof text);
        if (strlen(text) > BOUND_RULE_BYTES - 8) continue;
        snprintf(negation, sizeof negation, "not (%s)", text);
        struct expr expr = maker_compile(text, &words, arena),
                    opposite = maker_compile(negation, &words, arena);
        for (int j = 0; j < 8; j++) {
            struct maker_sample sample;
            struct values values;
            maker_sample(&maker, &sample);
            maker_values(&words, &sample, &values);
            enum maker_truth expected = maker_truth(rule, &sample);
            if (expr_true(&expr, &values, NULL) != (expected == MAKER_TRUE) ||
                expr_true(&opposite, &values, NULL) != (expected == MAKER_FALSE))
                fail_msg("expected %d: %s", expected, text);
            counts[expected]++;
        }
        arena_reset(arena);
    }
    // All three values occurred often: the comparison was one.
    assert_true(counts[MAKER_FALSE] > 2000 && counts[MAKER_UNKNOWN] > 2000 &&
                counts[MAKER_TRUE] > 2000);
}

static void
the_first_leaf_that_failed_is_named(void **state)
{
    (void)state;
    // clang-format off
    static const struct {
        const char *rule, *leaf;
    } cases[] = {
        {"member and age >= 18 and region = 'x'", "age >= 18"},
        {"member and (age < 3 or region = 'x')", "age < 3"},
        {"not (member and (opted or age < 3))", "member"},
        {"opted is not true and member is not true", "member is not true"},
        {"member and 'a' = any (segments)", "'a' = any (segments)"},
        {"(region = 'y' or region = 'z') and opted", "region = 'y'"},
    };
    // clang-format on
    struct values values = two_booleans('t', 'u');
    values.known |= 1u << MAKER_AGE;
    values.value[MAKER_AGE] = 10;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct expr expr = maker_compile(cases[i].rule, &words, arena);
        const struct expr_node *failed = NULL;
        bool is_true = expr_true(&expr, &values, &failed);
        assert_false(is_true);
        assert_non_null(failed);
        char place[256];
        snprintf(place, sizeof place, "%.*s", failed->length, cases[i].rule + failed->column - 1);
        assert_string_equal(place, cases[i].leaf);
    }
    struct expr expr = maker_compile("member", &words, arena);
    const struct expr_node *failed = expr.nodes;
    assert_true(expr_true(&expr, &values, &failed));
    assert_null(failed);
}

static void
values_beside_complete_the_first(void **state)
{
    (void)state;
    struct values contact = two_booleans('t', 'u');
    int32_t items[4] = {7, 7, 7, 0};
    int64_t value[3] = {7, 7, 7};
    struct declared message = {1u << MAKER_SEGMENTS | 1u << MAKER_AGE, value, items};
    struct expr expr = maker_compile(
        "member and age = 7 and 'a' = any (segments) and opted is null", &words, arena);
    value[MAKER_AGE < MAKER_SEGMENTS] = (int64_t)3 << 32 | 1;  // by ascending number
    assert_true(expr_true_with(&expr, &contact, &message, NULL));
    assert_false(expr_true_with(&expr, &contact, NULL, NULL));
    items[3] = 5;
    assert_false(expr_true_with(&expr, &contact, &message, NULL));
}

static void
damaged_trees_are_not_sound(void **state)
{
    (void)state;
    struct maker maker = {seed_fresh()};
    struct expr_schema schema = maker_schema(&words);
    struct expr expr = maker_compile(
        "member and (age in (1, 2) or region in ('a', 'b')) and segments @> array['a', 'b']"
        " and (opted is not true or score between 1 and 9)",
        &words, arena);
    struct values values = {.known = UINT64_MAX};
    unsigned unsound = 0;
    for (int i = 0; i < 20000; i++) {
        // Exactly as large as they are, so that a step beyond is seen.
        struct expr_node *nodes = malloc(expr.node_count * sizeof *nodes);
        int64_t *sets = malloc(expr.set_count * sizeof *sets);
        memcpy(nodes, expr.nodes, expr.node_count * sizeof nodes[0]);
        memcpy(sets, expr.sets, expr.set_count * sizeof sets[0]);
        struct expr changed = {nodes, expr.node_count, sets, expr.set_count};
        struct expr_node *node = &nodes[maker_random(&maker, expr.node_count)];
        uint32_t small = (uint32_t)maker_random(&maker, 12),
                 any = maker_random(&maker, 2) ? small : UINT32_MAX - small;
        switch (maker_random(&maker, 8)) {
        case 0: node->kind = (uint8_t)any; break;
        case 1: node->attribute = (uint8_t)any; break;
        case 2: node->size = any; break;
        case 3: node->set = any; break;
        case 4: node->count = any; break;
        case 5: node->negated = (uint8_t)any; break;
        case 6: sets[maker_random(&maker, expr.set_count)] = (int64_t)any - 6; break;
        default: changed.node_count = any % (expr.node_count + 1); break;
        }
        if (!expr_sound(&changed, &schema, (uint32_t)words.count)) unsound++;
        else (void)expr_true(&changed, &values, NULL);  // under ASan: what is sound is safe
        free(nodes);
        free(sets);
    }
    assert_true(unsound > 10000);
}

static void
names_that_sql_keeps_are_refused(void **state)
{
    (void)state;
    static const char *const allowed[] = {"age", "_x", "has_app2", "region", "identity", "months"};
    static const char *const refused[] = {"",     "2fast",   "Age",      "has-app", "order",
                                          "user", "between", "true",     "any",     "gr\xc3\xbcn",
                                          "ctid", "a b",     "xmltable", "all"};
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        assert_true(expr_name_allowed(allowed[i], strlen(allowed[i])));
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_false(expr_name_allowed(refused[i], strlen(refused[i])));
    char longest[BOUND_CODE + 1];
    memset(longest, 'a', sizeof longest);
    assert_true(expr_name_allowed(longest, BOUND_CODE));
    assert_false(expr_name_allowed(longest, BOUND_CODE + 1));
    for (int i = 0; i < BUILTIN_COUNT; i++)
        assert_true(expr_name_allowed(catalog_builtins[i].name, strlen(catalog_builtins[i].name)));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(connectives_follow_the_truth_tables_of_sql),
        TEST(predicates_over_unknown_are_unknown),
        TEST(known_values_at_their_edges),
        TEST(random_rules_mean_what_the_naive_evaluator_says),
        TEST(the_first_leaf_that_failed_is_named),
        TEST(values_beside_complete_the_first),
        TEST(damaged_trees_are_not_sound),
        TEST(names_that_sql_keeps_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
