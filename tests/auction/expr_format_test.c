// Canonical text: one for each meaning, it compiles to the same tree, and it keeps to its room; and
// carets.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

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

static const char *
format(const struct expr *expr)
{
    static char text[64 * 1024];
    struct expr_schema schema = maker_schema(&words);
    size_t len = expr_format(expr, &schema, maker_word_text, text, sizeof text);
    assert_int_equal(len, strlen(text));
    return text;
}

// Columns differ between a text and its canonical form; all else is the same.
static void
assert_same_tree(const struct expr *a, const struct expr *b, const char *text)
{
    bool same = a->node_count == b->node_count;
    for (uint32_t i = 0; same && i < a->node_count; i++) {
        const struct expr_node *x = &a->nodes[i], *y = &b->nodes[i];
        same = x->kind == y->kind && x->negated == y->negated && x->attribute == y->attribute &&
               x->size == y->size && x->count == y->count && x->least == y->least &&
               x->most == y->most;
        bool set = x->kind == EXPR_IN || x->kind == EXPR_ANY || x->kind == EXPR_ALL;
        if (same && set)
            same = memcmp(a->sets + x->set, b->sets + y->set, x->count * sizeof a->sets[0]) == 0;
    }
    if (!same) fail_msg("another tree: %s", text);
}

static void
random_rules_survive_their_text(void **state)
{
    (void)state;
    struct maker maker = {seed_fresh()};
    static char text[64 * 1024], canonical[64 * 1024];
    unsigned survived = 0;
    for (int i = 0; i < 2000; i++) {
        maker_text(&maker, maker_rule(&maker), text, sizeof text);
        if (strlen(text) > BOUND_RULE_BYTES) continue;
        struct expr expr = maker_compile(text, &words, arena);
        snprintf(canonical, sizeof canonical, "%s", format(&expr));
        if (strlen(canonical) > BOUND_RULE_BYTES) continue;
        struct expr again = maker_compile(canonical, &words, arena);
        assert_same_tree(&expr, &again, text);
        assert_string_equal(canonical, format(&again));
        arena_reset(arena);
        survived++;
    }
    assert_true(survived > 1500);
}

// Every level an alternation, and the last one an `is not true`.
static void
the_deepest_tree_survives_its_text(void **state)
{
    (void)state;
    char text[BOUND_RULE_BYTES] = "";
    for (int i = 0; i < BOUND_RULE_DEPTH; i++) strcat(text, "opted or member and (");
    strcat(text, "opted or member and opted is not true");
    for (int i = 0; i < BOUND_RULE_DEPTH; i++) strcat(text, ")");
    struct expr expr = maker_compile(text, &words, arena);
    struct expr again = maker_compile(format(&expr), &words, arena);
    assert_same_tree(&expr, &again, text);
}

static void
canonical_text(void **state)
{
    (void)state;
    // clang-format off
    static const char *const cases[][2] = {
        {"", "true"}, {"  \n ", "true"}, {"TRUE AND Member", "member"}, {"true or member", "true"},
        {"member and false or true and true", "true"}, {"not (member or false)", "not member"},
        {"not (not (member))", "member"},
        {"member = FALSE", "not member"}, {"true <> member", "not member"},
        {"not member is true", "member is not true"},
        {"not member or member is null", "member is not true"},
        {"not (age < 5)", "age >= 5"}, {"not age >= 5", "age <= 4"}, {"5 < age", "age >= 6"},
        {"opted or member is not false or age = 3", "opted or member is not false or age = 3"},
        {"age < 0", "age < 0"}, {"age > 120", "age > 120"}, {"not (age > 120)", "age <= 120"},
        {"age in (7, 7)", "age = 7"}, {"age not in (9, 7)", "age not in (7, 9)"},
        {"not age between 3 and 1", "age not between 3 and 1"},
        {"score < -9223372036854775808", "score < -9223372036854775808"},
        {"not (score < -9223372036854775808)", "score >= -9223372036854775808"},
        {"not (region = 'x')", "region <> 'x'"}, {"region = 'o''x'", "region = 'o''x'"},
        {"region IN ('b', 'a', 'b')", "region in ('b', 'a')"},
        {"not region not in ('b','a')", "region in ('b', 'a')"},
        {"segments @> array['a']", "'a' = any (segments)"},
        {"not 'a' = any (segments)", "'a' <> all (segments)"},
        {"not segments && array['b','a']", "not segments && array['b', 'a']"},
        {"(member and (opted and age is null))", "member and opted and age is null"},
        {"member and (opted or age is null)", "member and (opted or age is null)"},
        {"not (member and (opted or age is null))", "not member or not opted and age is not null"},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        words.count = 0;
        struct expr expr = maker_compile(cases[i][0], &words, arena);
        assert_string_equal(format(&expr), cases[i][1]);
    }
}

static void
format_respects_its_room(void **state)
{
    (void)state;
    struct expr expr = maker_compile("region = 'north' and member", &words, arena);
    struct expr_schema schema = maker_schema(&words);
    char small[8] = "xxxxxxx";
    assert_int_equal(expr_format(&expr, &schema, maker_word_text, small, 7),
                     strlen("region = 'north' and member"));
    assert_string_equal(small, "region");
    assert_int_equal(expr_format(&expr, &schema, maker_word_text, NULL, 0),
                     strlen("region = 'north' and member"));
}

static void
carets(void **state)
{
    (void)state;
    char shown[EXPR_CARET];
    struct expr_error error = {.column = 14, .length = 3};
    expr_caret("member and\n  age = 5", 20, &error, shown, sizeof shown);
    assert_string_equal(shown, "  age = 5\n  ^~~");
    error = (struct expr_error){.column = 12, .length = 2};
    expr_caret("'gr\xc3\xbc\xc3\xbcn' = x y", 15, &error, shown, sizeof shown);
    assert_string_equal(shown, "'gr\xc3\xbc\xc3\xbcn' = x y\n         ^~");
    char text[400];
    memset(text, 'a', sizeof text);
    memcpy(text + 200, "HERE", 4);
    error = (struct expr_error){.column = 201, .length = 4};
    expr_caret(text, sizeof text, &error, shown, sizeof shown);
    const char *caret = strchr(shown, '\n') + 1;
    assert_ptr_equal(strstr(shown, "HERE") - shown + caret, strchr(caret, '^'));
    assert_int_equal(strlen(strchr(caret, '^')), 4);
    assert_true(strlen(shown) < EXPR_CARET / 2);
    assert_int_equal(strncmp(shown, "...", 3), 0);
    char tiny[5];
    expr_caret(text, sizeof text, &error, tiny, sizeof tiny);
    assert_string_equal(tiny, "...a");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(random_rules_survive_their_text),
        TEST(the_deepest_tree_survives_its_text),
        TEST(canonical_text),
        TEST(format_respects_its_room),
        TEST(carets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
