// Rules: three-valued truth by table and against an independent evaluator, the normal form and its text, every
// kind of error with its place, the bounds, the examples of docs/rules.md, and hostile texts and trees.
// PostgreSQL's own opinion of the same rules: tests/ledger/rules_differential_test.c.
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

static struct arena *arena;
static struct maker_words words;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_open("test");
    words.count = 0;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

static struct expr
compile(const char *text)
{
    struct expr_schema schema = maker_schema(&words);
    struct expr expr;
    struct expr_error error;
    if (expr_compile(text, strlen(text), &schema, arena, &expr, &error) != STATUS_OK)
        fail_msg("%s\n%u: %s", text, error.column, error.text);
    assert_true(expr_sound(&expr, &schema, (uint32_t)words.count));
    return expr;
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

static bool
eligible(const char *rule, const struct values *values)
{
    struct expr expr = compile(rule);
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
    static const struct {
        const char *rule;
        char value;
    } cases[] = {
        {"member", 'u'}, {"not member", 'u'}, {"member = false", 'u'}, {"member <> true", 'u'},
        {"age = 5", 'u'}, {"age <> 5", 'u'}, {"age between 5 and 1", 'u'}, {"age not between 5 and 1", 'u'},
        {"score < -9223372036854775808", 'u'}, {"score >= -9223372036854775808", 'u'},
        {"region in ('a', 'b')", 'u'}, {"region not in ('a', 'b')", 'u'}, {"'a' <> all (segments)", 'u'},
        {"segments && array['a']", 'u'}, {"segments @> array['a', 'b']", 'u'},
        {"member is true", 'f'}, {"member is not true", 't'}, {"member is false", 'f'},
        {"member is not false", 't'}, {"age is null", 't'}, {"segments is not null", 'f'},
        {"not (member is not true)", 'f'}, {"not (not (member is not true))", 't'},
        {"age = 5 and false", 'f'}, {"age = 5 or true", 't'}, {"age = 5 and true", 'u'},
    };
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

// Columns differ between a text and its canonical form; all else is the same.
static void
assert_same_tree(const struct expr *a, const struct expr *b, const char *text)
{
    bool same = a->node_count == b->node_count;
    for (uint32_t i = 0; same && i < a->node_count; i++) {
        const struct expr_node *x = &a->nodes[i], *y = &b->nodes[i];
        same = x->kind == y->kind && x->negated == y->negated && x->attribute == y->attribute && x->size == y->size
            && x->count == y->count && x->least == y->least && x->most == y->most;
        bool set = x->kind == EXPR_IN || x->kind == EXPR_ANY || x->kind == EXPR_ALL;
        if (same && set) same = memcmp(a->sets + x->set, b->sets + y->set, x->count * sizeof a->sets[0]) == 0;
    }
    if (!same) fail_msg("another tree: %s", text);
}

static void
random_rules_mean_what_the_naive_evaluator_says(void **state)
{
    (void)state;
    struct maker maker = {maker_seed()};
    static char text[64 * 1024], negation[65 * 1024], canonical[64 * 1024];
    unsigned counts[3] = {0};
    for (int i = 0; i < 3000; i++) {
        const struct maker_rule *rule = maker_rule(&maker);
        maker_text(&maker, rule, text, sizeof text);
        if (strlen(text) > BOUND_RULE_BYTES - 8) continue;
        snprintf(negation, sizeof negation, "not (%s)", text);
        struct expr expr = compile(text), opposite = compile(negation);
        for (int j = 0; j < 8; j++) {
            struct maker_sample sample;
            struct values values;
            maker_sample(&maker, &sample);
            maker_values(&words, &sample, &values);
            enum maker_truth expected = maker_truth(rule, &sample);
            if (expr_true(&expr, &values, NULL) != (expected == MAKER_TRUE)
                || expr_true(&opposite, &values, NULL) != (expected == MAKER_FALSE))
                fail_msg("expected %d: %s", expected, text);
            counts[expected]++;
        }
        snprintf(canonical, sizeof canonical, "%s", format(&expr));
        if (strlen(canonical) > BOUND_RULE_BYTES) continue;
        struct expr again = compile(canonical);
        assert_same_tree(&expr, &again, text);
        assert_string_equal(canonical, format(&again));
        arena_reset(arena);
    }
    // All three values occurred often: the comparison was one.
    assert_true(counts[MAKER_FALSE] > 2000 && counts[MAKER_UNKNOWN] > 2000 && counts[MAKER_TRUE] > 2000);
}

static void
canonical_text(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "true"}, {"  \n ", "true"}, {"TRUE AND Member", "member"}, {"true or member", "true"},
        {"member and false or true and true", "true"}, {"not (member or false)", "not member"},
        {"not (not (member))", "member"}, {"member = FALSE", "not member"}, {"true <> member", "not member"},
        {"not member is true", "member is not true"}, {"not member or member is null", "member is not true"},
        {"not (age < 5)", "age >= 5"}, {"not age >= 5", "age <= 4"}, {"5 < age", "age >= 6"},
        {"age < 0", "age < 0"}, {"age > 120", "age > 120"}, {"not (age > 120)", "age <= 120"},
        {"age in (7, 7)", "age = 7"}, {"age not in (9, 7)", "age not in (7, 9)"},
        {"not age between 3 and 1", "age not between 3 and 1"},
        {"score < -9223372036854775808", "score < -9223372036854775808"},
        {"not (score < -9223372036854775808)", "score >= -9223372036854775808"},
        {"not (region = 'x')", "region <> 'x'"}, {"region = 'o''x'", "region = 'o''x'"},
        {"region IN ('b', 'a', 'b')", "region in ('b', 'a')"}, {"not region not in ('b','a')", "region in ('b', 'a')"},
        {"segments @> array['a']", "'a' = any (segments)"}, {"not 'a' = any (segments)", "'a' <> all (segments)"},
        {"not segments && array['b','a']", "not segments && array['b', 'a']"},
        {"(member and (opted and age is null))", "member and opted and age is null"},
        {"member and (opted or age is null)", "member and (opted or age is null)"},
        {"not (member and (opted or age is null))", "not member or not opted and age is not null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        words.count = 0;
        struct expr expr = compile(cases[i][0]);
        assert_string_equal(format(&expr), cases[i][1]);
    }
}

static void
format_respects_its_room(void **state)
{
    (void)state;
    struct expr expr = compile("region = 'north' and member");
    struct expr_schema schema = maker_schema(&words);
    char small[8] = "xxxxxxx";
    assert_int_equal(expr_format(&expr, &schema, maker_word_text, small, 7), strlen("region = 'north' and member"));
    assert_string_equal(small, "region");
    assert_int_equal(expr_format(&expr, &schema, maker_word_text, NULL, 0), strlen("region = 'north' and member"));
}

static void
the_first_leaf_that_failed_is_named(void **state)
{
    (void)state;
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
    struct values values = two_booleans('t', 'u');
    values.known |= 1u << MAKER_AGE;
    values.value[MAKER_AGE] = 10;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct expr expr = compile(cases[i].rule);
        const struct expr_node *failed = NULL;
        bool is_true = expr_true(&expr, &values, &failed);
        assert_false(is_true);
        assert_non_null(failed);
        char place[256];
        snprintf(place, sizeof place, "%.*s", failed->length, cases[i].rule + failed->column - 1);
        assert_string_equal(place, cases[i].leaf);
    }
    struct expr expr = compile("member");
    const struct expr_node *failed = expr.nodes;
    assert_true(expr_true(&expr, &values, &failed));
    assert_null(failed);
}

static void
values_beside_complete_the_first(void **state)
{
    (void)state;
    struct values contact = two_booleans('t', 'u'), message = {.known = 1u << MAKER_SEGMENTS | 1u << MAKER_AGE};
    struct expr expr = compile("member and age = 7 and 'a' = any (segments) and opted is null");
    message.value[MAKER_AGE] = 7;
    message.value[MAKER_SEGMENTS] = (int64_t)3 << 32 | 1;
    message.list_items[3] = 0;
    assert_true(expr_true_with(&expr, &contact, &message, NULL));
    assert_false(expr_true_with(&expr, &contact, NULL, NULL));
    message.list_items[3] = 5;
    assert_false(expr_true_with(&expr, &contact, &message, NULL));
}

static void
errors_name_the_place_and_the_mend(void **state)
{
    (void)state;
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
    struct expr_schema schema = maker_schema(&words);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct expr expr;
        struct expr_error error;
        const char *rule = cases[i].rule;
        if (expr_compile(rule, strlen(rule), &schema, arena, &expr, &error) != STATUS_INPUT)
            fail_msg("accepted: %s", rule);
        if (error.column != cases[i].column || error.length != cases[i].length
            || strstr(error.text, cases[i].says) == NULL)
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
    schema.admits = 1u << ATTRIBUTE_OF_CONTACT | 1u << ATTRIBUTE_OF_CUSTOMER | 1u << ATTRIBUTE_OF_MESSAGE;
    struct expr expr;
    struct expr_error error;
    assert_int_equal(expr_compile("member and age = 5", 18, &schema, arena, &expr, &error), STATUS_INPUT);
    assert_int_equal(error.column, 12);
    assert_string_equal(error.text, "'age' describes the slot, of which this rule may not speak; it may speak of: "
                                    "contact, customer, message");
    schema.admits = 0;
    assert_int_equal(expr_compile("member and age = 5", 18, &schema, arena, &expr, &error), STATUS_OK);
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
        for (int i = 0; i < BOUND_RULE_LEAVES + over; i++) strcat(text, i == 0 ? "member" : " or member");
        assert_int_equal(compile_text(text, &error), expected);
        text[0] = '\0';
        for (int i = 0; i < BOUND_RULE_DEPTH + over; i++) strcat(text, i % 2 == 0 ? "member and (" : "opted or (");
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
    // The deepest tree there is: every level an alternation, and the last one an `is not true`.
    text[0] = '\0';
    for (int i = 0; i < BOUND_RULE_DEPTH; i++) strcat(text, "opted or member and (");
    strcat(text, "opted or member and opted is not true");
    for (int i = 0; i < BOUND_RULE_DEPTH; i++) strcat(text, ")");
    struct expr expr = compile(text);
    struct expr again = compile(format(&expr));
    assert_same_tree(&expr, &again, text);
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
    struct maker maker = {maker_seed()};
    static char text[64 * 1024];
    static const char *const pieces[] = {"'", "''", "(", ")", " and ", " not ", "-", "--", "!=", "@>", "[", ",", "array[",
                                         "9223372036854775807", " is ", " null ", "\xff", "\xe2\x82\xac", "any("};
    struct expr_schema schema = maker_schema(&words);
    schema.word = any_word;
    unsigned refused = 0;
    for (int i = 0; i < 4000; i++) {
        maker_text(&maker, maker_rule(&maker), text, sizeof text);
        size_t len = strlen(text);
        for (uint64_t changes = 1 + maker_random(&maker, 3); changes > 0; changes--) {
            const char *piece = pieces[maker_random(&maker, sizeof pieces / sizeof pieces[0])];
            size_t at = maker_random(&maker, len + 1), cut = maker_random(&maker, 4), room = strlen(piece);
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

static void
damaged_trees_are_not_sound(void **state)
{
    (void)state;
    struct maker maker = {maker_seed()};
    struct expr_schema schema = maker_schema(&words);
    struct expr expr = compile("member and (age in (1, 2) or region in ('a', 'b')) and segments @> array['a', 'b']"
                               " and (opted is not true or score between 1 and 9)");
    struct values values = {.known = UINT64_MAX};
    unsigned unsound = 0;
    for (int i = 0; i < 20000; i++) {
        struct expr_node nodes[32];
        int64_t sets[16];
        memcpy(nodes, expr.nodes, expr.node_count * sizeof nodes[0]);
        memcpy(sets, expr.sets, expr.set_count * sizeof sets[0]);
        struct expr changed = {nodes, expr.node_count, sets, expr.set_count};
        struct expr_node *node = &nodes[maker_random(&maker, expr.node_count)];
        uint32_t small = (uint32_t)maker_random(&maker, 12), any = maker_random(&maker, 2) ? small : UINT32_MAX - small;
        switch (maker_random(&maker, 8)) {
        case 0: node->kind = (uint8_t)any; break;
        case 1: node->attribute = (uint8_t)any; break;
        case 2: node->size = any; break;
        case 3: node->set = any; break;
        case 4: node->count = any; break;
        case 5: node->negated = (uint8_t)any; break;
        case 6: sets[maker_random(&maker, expr.set_count)] = (int64_t)any - 6; break;
        default: changed.node_count = any % 32; break;
        }
        if (!expr_sound(&changed, &schema, (uint32_t)words.count)) unsound++;
        else (void)expr_true(&changed, &values, NULL);  // under ASan: what is sound is safe
    }
    assert_true(unsound > 10000);
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

static void
names_that_sql_keeps_are_refused(void **state)
{
    (void)state;
    static const char *const allowed[] = {"age", "_x", "has_app2", "region", "identity", "months"};
    static const char *const refused[] = {"", "2fast", "Age", "has-app", "order", "user", "between", "true", "any",
                                          "gr\xc3\xbcn", "ctid", "a b", "xmltable", "all"};
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

static struct expr_schema
document_schema(void)
{
    static struct market_attribute attributes[RULE_DOCUMENT_ATTRIBUTES];
    struct market market = {.attributes = attributes, .attribute_count = RULE_DOCUMENT_ATTRIBUTES};
    for (int i = 0; i < RULE_DOCUMENT_ATTRIBUTES; i++) {
        const struct rule_document_attribute *from = &rule_document_attributes[i];
        attributes[i] = (struct market_attribute){.code = from->name, .type = from->type, .of = from->of,
                                                  .consent = -1, .least = from->least, .most = from->most};
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(connectives_follow_the_truth_tables_of_sql),
        TEST(predicates_over_unknown_are_unknown),
        TEST(known_values_at_their_edges),
        TEST(random_rules_mean_what_the_naive_evaluator_says),
        TEST(canonical_text),
        TEST(format_respects_its_room),
        TEST(the_first_leaf_that_failed_is_named),
        TEST(values_beside_complete_the_first),
        TEST(errors_name_the_place_and_the_mend),
        TEST(a_rule_speaks_only_of_what_it_may),
        TEST(bounds_hold_at_their_edge),
        TEST(damaged_texts_are_refused_or_mean_something),
        TEST(damaged_trees_are_not_sound),
        TEST(carets),
        TEST(names_that_sql_keeps_are_refused),
        TEST(the_document_tells_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
