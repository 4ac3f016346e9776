// The compiler of rules: every kind of error with its place, the bounds, damaged texts, and the
// examples of docs/rules.md.
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
#include "rule_document.h"
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

static void
errors_name_the_place_and_the_mend(void **state)
{
    (void)state;
    // clang-format off
    static const struct {
        const char *rule;
        uint32_t column, length;
        const char *says;
    } cases[] = {
        {"regoin = 'x'", 1, 6, "did you mean 'region'?"},
        {"member and zzzzzzzz", 12, 8, "no attribute 'zzzzzzzz'; declare it"},
        {"age = 'x'", 7, 3, "'age' is an integer"},
        {"region = 5", 10, 1, "'region' is a text"},
        {"member = 1", 10, 1, "'member' is a boolean"},
        {"5 = any (segments)", 1, 1, "'segments' is a list"},
        {"age < 121", 7, 3, "121 is outside the declared range of 'age' (0 to 120)"},
        {"age in (1, -1)", 12, 2, "-1 is outside"},
        {"score = 9223372036854775808", 9, 19, "64 bits"},
        {"score = -9223372036854775809", 10, 19, "64 bits"},
        {"region < 'x'", 8, 1, "has no order"},
        {"'x' >= region", 5, 2, "has no order"},
        {"member > true", 8, 1, "has no order"},
        {"segments = 'x'", 10, 1, "is a list; ask 'text' = any (segments)"},
        {"region = 'x", 10, 2, "close it with '"},
        {"region = product", 10, 7, "an attribute too"},
        {"region = north", 10, 5, "single quotes: 'north'"},
        {"region = \"north\"", 10, 1, "straight single quotes"},
        {"region = \xe2\x80\x98north\xe2\x80\x99", 10, 3, "straight single quotes"},
        {"region = 'a\xff'", 12, 1, "UTF-8"},
        {"region = 'a\x01'", 12, 1, "control character"},
        {"region \xc0\x80", 8, 1, "UTF-8"},
        {"age", 1, 3, "age >= 18"},
        {"region and member", 1, 6, "region = 'text'"},
        {"segments", 1, 8, "'text' = any (segments)"},
        {"region is true", 11, 4, "only a boolean"},
        {"member is unknown", 11, 7, "expected after is"},
        {"member in (true)", 8, 2, "in asks for texts and integers"},
        {"segments in ('x')", 10, 2, "list && array"},
        {"region between 'a' and 'b'", 8, 7, "integers alone"},
        {"age between 1 or 2", 15, 2, "and is expected"},
        {"region && array['x']", 8, 2, "lists alone"},
        {"segments && array[]", 19, 1, "one text or more"},
        {"segments && ('x')", 13, 1, "array['a', 'b']"},
        {"region not like 'x'", 12, 4, "in or between"},
        {"region like 'x'", 8, 4, "a comparison of 'region'"},
        {"age = null", 7, 4, "is null"},
        {"null = age", 1, 4, "is null"},
        {"'x' = all (segments)", 5, 1, "<> all (list)"},
        {"'x' = any (region)", 12, 6, "no list"},
        {"region = any (segments)", 10, 3, "'text' = any (list)"},
        {"member and", 11, 1, "the rule ends"},
        {"member member", 8, 6, "a comparison of 'member'"},
        {"age = 5 member", 9, 6, "join another"},
        {"age < 5 < 6", 9, 1, "one comparison"},
        {"1 < 2", 5, 1, "one side of a comparison is an attribute"},
        {"(member", 8, 1, "a ) is missing"},
        {"member)", 7, 1, "no ( before it"},
        {"age = 1.5", 7, 3, "no whole number"},
        {"age = 5e1", 7, 3, "no whole number"},
        {"age = 0x10", 7, 4, "no whole number"},
        {"age = - x", 9, 1, "after the minus"},
        {"score!=-1", 6, 3, "put a space before the minus"},
        {"age = 5 -- old", 9, 2, "comments"},
        {"age /* x */ = 5", 5, 2, "comments"},
        {"age == 5", 5, 2, "no operator"},
        {"age + 1 = 5", 5, 1, "no operator"},
        {"contact.region = 'x'", 8, 1, "without a prefix"},
        {"member; drop", 7, 1, "without ';'"},
        {"lower(region) = 'x'", 1, 5, "calls no functions"},
        {"member and ,", 12, 1, "a condition is expected here"},
    };
    // clang-format on
    struct expr_schema schema = maker_schema(&words);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct expr expr;
        struct expr_error error;
        const char *rule = cases[i].rule;
        if (expr_compile(rule, strlen(rule), &schema, arena, &expr, &error) != STATUS_INPUT)
            fail_msg("accepted: %s", rule);
        if (error.column != cases[i].column || error.length != cases[i].length ||
            strstr(error.text, cases[i].says) == NULL)
            fail_msg("%s\n%u+%u: %s", rule, error.column, error.length, error.text);
    }
}

static void
a_rule_speaks_only_of_what_it_may(void **state)
{
    (void)state;
    struct expr_schema schema = maker_schema(&words);
    struct expr_attribute attributes[MAKER_ATTRIBUTES];
    memcpy(attributes, schema.attributes, sizeof attributes);
    attributes[MAKER_AGE].of = ATTRIBUTE_OF_SLOT;
    schema.attributes = attributes;
    schema.admits = 1u << ATTRIBUTE_OF_CONTACT | 1u << ATTRIBUTE_OF_CUSTOMER |
                    1u << ATTRIBUTE_OF_MESSAGE;
    struct expr expr;
    struct expr_error error;
    assert_int_equal(expr_compile("member and age = 5", 18, &schema, arena, &expr, &error),
                     STATUS_INPUT);
    assert_int_equal(error.column, 12);
    assert_string_equal(
        error.text, "'age' describes the slot, of which this rule may not speak; it may speak of: "
                    "contact, customer, message");
    schema.admits = 0;
    assert_int_equal(expr_compile("member and age = 5", 18, &schema, arena, &expr, &error),
                     STATUS_OK);
    assert_true(expr_sound(&expr, &schema, 0));
    schema.admits = 1u << ATTRIBUTE_OF_CUSTOMER;
    assert_false(expr_sound(&expr, &schema, 0));
}

static enum status
compile_text(const char *text, struct expr_error *out_error)
{
    struct expr_schema schema = maker_schema(&words);
    struct expr expr;
    return expr_compile(text, strlen(text), &schema, arena, &expr, out_error);
}

static void
bounds_hold_at_their_edge(void **state)
{
    (void)state;
    static char text[16 * BOUND_RULE_BYTES];
    struct expr_error error;
    for (int over = 0; over < 2; over++) {
        enum status expected = over ? STATUS_INPUT : STATUS_OK;
        text[0] = '\0';
        for (int i = 0; i < BOUND_RULE_LEAVES + over; i++)
            strcat(text, i == 0 ? "member" : " or member");
        assert_int_equal(compile_text(text, &error), expected);
        text[0] = '\0';
        for (int i = 0; i < BOUND_RULE_DEPTH + over; i++)
            strcat(text, i % 2 == 0 ? "member and (" : "opted or (");
        strcat(text, "opted");
        for (int i = 0; i < BOUND_RULE_DEPTH + over; i++) strcat(text, ")");
        assert_int_equal(compile_text(text, &error), expected);
        strcpy(text, "age in (1");
        for (int i = 1; i < BOUND_SET_ITEMS + over; i++) strcat(text, ",1");
        strcat(text, ")");
        assert_int_equal(compile_text(text, &error), expected);
        memset(text, ' ', BOUND_RULE_BYTES + (size_t)over);
        memcpy(text, "member", 6);
        text[BOUND_RULE_BYTES + over] = '\0';
        assert_int_equal(compile_text(text, &error), expected);
    }
}

static int32_t
any_word(void *context, const char *text, size_t len)
{
    (void)context;
    (void)text;
    return (int32_t)(len % 7);
}

static void
damaged_texts_are_refused_or_mean_something(void **state)
{
    (void)state;
    struct maker maker = {seed_fresh()};
    static char text[64 * 1024];
    static const char *const pieces[] = {"'",      "''",
                                         "(",      ")",
                                         " and ",  " not ",
                                         "-",      "--",
                                         "!=",     "@>",
                                         "[",      ",",
                                         "array[", "9223372036854775807",
                                         " is ",   " null ",
                                         "\xff",   "\xe2\x82\xac",
                                         "any("};
    struct expr_schema schema = maker_schema(&words);
    schema.word = any_word;
    unsigned refused = 0;
    for (int i = 0; i < 4000; i++) {
        maker_text(&maker, maker_rule(&maker), text, sizeof text);
        size_t len = strlen(text);
        for (uint64_t changes = 1 + maker_random(&maker, 3); changes > 0; changes--) {
            const char *piece = pieces[maker_random(&maker, sizeof pieces / sizeof pieces[0])];
            size_t at = maker_random(&maker, len + 1), cut = maker_random(&maker, 4),
                   room = strlen(piece);
            if (cut > len - at) cut = len - at;
            memmove(text + at + room, text + at + cut, len - at - cut);
            memcpy(text + at, piece, room);
            len += room - cut;
        }
        // An exact copy, so that a read past its end is seen.
        char *exact = malloc(len);
        memcpy(exact, text, len);
        struct expr expr;
        struct expr_error error;
        if (expr_compile(exact, len, &schema, arena, &expr, &error) == STATUS_OK) {
            assert_true(expr_sound(&expr, &schema, 7));
        } else {
            char shown[EXPR_CARET];
            assert_true(error.column >= 1 && error.column <= len + 1 && error.text[0] != '\0');
            expr_caret(exact, len, &error, shown, sizeof shown);
            assert_non_null(strchr(shown, '^'));
            refused++;
        }
        free(exact);
        arena_reset(arena);
    }
    assert_true(refused > 1000 && refused < 4000);
}

static struct expr_schema
document_schema(void)
{
    static struct market_attribute attributes[RULE_DOCUMENT_ATTRIBUTES];
    struct market market = {.attributes = attributes, .attribute_count = RULE_DOCUMENT_ATTRIBUTES};
    for (int i = 0; i < RULE_DOCUMENT_ATTRIBUTES; i++) {
        const struct rule_document_attribute *from = &rule_document_attributes[i];
        attributes[i] = (struct market_attribute){.code = from->name,
                                                  .type = from->type,
                                                  .of = from->of,
                                                  .consent = -1,
                                                  .least = from->least,
                                                  .most = from->most};
    }
    struct expr_schema schema;
    catalog_schema(&market, arena, &schema);
    schema.admits = CATALOG_SEAT_RULE_ADMITS;
    return schema;
}

static void
check_example(void *context, const char *text)
{
    struct expr_schema schema = document_schema();
    struct expr expr;
    struct expr_error error;
    if (expr_compile(text, strlen(text), &schema, arena, &expr, &error) != STATUS_OK)
        fail_msg("%s\n%u: %s", text, error.column, error.text);
    ++*(int *)context;
}

static void
check_refused_example(void *context, const char *text, const char *block)
{
    struct expr_schema schema = document_schema();
    struct expr expr;
    struct expr_error error;
    char shown[EXPR_CARET], expected[EXPR_CARET + sizeof error.text + 2];
    assert_int_equal(expr_compile(text, strlen(text), &schema, arena, &expr, &error), STATUS_INPUT);
    expr_caret(text, strlen(text), &error, shown, sizeof shown);
    snprintf(expected, sizeof expected, "%s\n%s\n", shown, error.text);
    assert_string_equal(block, expected);
    ++*(int *)context;
}

static void
the_document_tells_the_truth(void **state)
{
    (void)state;
    int count = 0;
    struct rule_document reader = {check_example, NULL, &count};
    rule_document_read(SOURCE_DIR "/docs/rules.md", &reader);
    assert_true(count > 25);
    count = 0;
    reader = (struct rule_document){NULL, check_refused_example, &count};
    rule_document_read(SOURCE_DIR "/docs/rules.md", &reader);
    assert_true(count > 6);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(errors_name_the_place_and_the_mend), TEST(a_rule_speaks_only_of_what_it_may),
        TEST(bounds_hold_at_their_edge),          TEST(damaged_texts_are_refused_or_mean_something),
        TEST(the_document_tells_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
