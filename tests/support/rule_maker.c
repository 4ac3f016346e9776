// Random rules. The tree is made first; text and meaning are two readings of it.
#include "rule_maker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "hash.h"

const char *const maker_names[MAKER_ATTRIBUTES] = {"member", "opted",   "age",      "score",
                                                   "region", "product", "segments", "interests"};
const enum maker_type maker_types[MAKER_ATTRIBUTES] = {MAKER_BOOLEAN, MAKER_BOOLEAN, MAKER_INTEGER,
                                                       MAKER_INTEGER, MAKER_TEXT,    MAKER_TEXT,
                                                       MAKER_LIST,    MAKER_LIST};

static const char *const vocabulary[] = {"north", "south",       "east", "o'hare", "back\\slash",
                                         "--no",  "gr\xc3\xbcn", "a  b", "",       "North",
                                         "null",  "%_",          "''",   "/* x */"};
#define WORDS (sizeof vocabulary / sizeof vocabulary[0])
static const int64_t scores[] = {INT64_MIN, INT64_MIN + 1, -7,       -1, 0, 1, 5,
                                 40,        INT64_MAX - 1, INT64_MAX};
#define SCORES (sizeof scores / sizeof scores[0])

enum kind {
    AND,
    OR,
    NOT,
    CONSTANT,
    BARE,
    IS_NULL,
    IS_CONSTANT,
    COMPARE,
    BETWEEN,
    IN,
    HOLDS,
    OVERLAPS,
    CONTAINS
};
enum comparison { EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

struct maker_rule {
    enum kind kind;
    int attribute;
    bool flag;  // CONSTANT, IS_CONSTANT: which; BARE: -; IN, BETWEEN, IS_*: not; HOLDS: <> all
    bool which;
    enum comparison comparison;
    int64_t numbers[MAKER_ITEMS];
    const char *texts[MAKER_ITEMS];
    unsigned count;
    struct maker_rule *children[4];
};
static struct maker_rule pool[512];
static unsigned used;

uint64_t
maker_random(struct maker *maker, uint64_t below)
{
    maker->state += 0x9e3779b97f4a7c15u;
    return hash_mix(maker->state) % below;
}

static bool
one_in(struct maker *maker, uint64_t n)
{
    return maker_random(maker, n) == 0;
}

static int64_t
number_for(struct maker *maker, int attribute)
{
    if (attribute == MAKER_AGE) return (int64_t)maker_random(maker, 8) * MAKER_AGE_MOST / 7;
    return scores[maker_random(maker, SCORES)];
}

void
maker_sample(struct maker *maker, struct maker_sample *out_sample)
{
    memset(out_sample, 0, sizeof *out_sample);
    for (int i = 0; i < MAKER_ATTRIBUTES; i++) {
        struct maker_value *value = &out_sample->values[i];
        value->known = !one_in(maker, 4);
        if (maker_types[i] == MAKER_BOOLEAN) value->number = one_in(maker, 2);
        if (maker_types[i] == MAKER_INTEGER) value->number = number_for(maker, i);
        value->count = maker_types[i] == MAKER_TEXT
                           ? 1
                           : (unsigned)maker_random(maker, MAKER_ITEMS + 1);
        for (unsigned j = 0; j < value->count; j++)
            value->items[j] = one_in(maker, 5) ? "elsewhere"
                                               : vocabulary[maker_random(maker, WORDS)];
    }
}

static struct maker_rule *
take(void)
{
    CHECK(used < sizeof pool / sizeof pool[0]);
    memset(&pool[used], 0, sizeof pool[used]);
    return &pool[used++];
}

static int
pick(struct maker *maker, enum maker_type type)
{
    for (;;) {
        int attribute = (int)maker_random(maker, MAKER_ATTRIBUTES);
        if (maker_types[attribute] == type) return attribute;
    }
}

static struct maker_rule *
make_predicate(struct maker *maker)
{
    struct maker_rule *rule = take();
    rule->kind = (enum kind)(CONSTANT + (int)maker_random(maker, CONTAINS - CONSTANT + 1));
    rule->flag = one_in(maker, 2);
    rule->which = one_in(maker, 2);
    if (rule->kind == CONSTANT && !one_in(maker, 3)) rule->kind = COMPARE;
    rule->attribute = (int)maker_random(maker, MAKER_ATTRIBUTES);
    if (rule->kind == BARE || rule->kind == IS_CONSTANT)
        rule->attribute = pick(maker, MAKER_BOOLEAN);
    if (rule->kind == BETWEEN) rule->attribute = pick(maker, MAKER_INTEGER);
    if (rule->kind >= HOLDS) rule->attribute = pick(maker, MAKER_LIST);
    if (rule->kind == COMPARE && maker_types[rule->attribute] == MAKER_LIST)
        rule->attribute = MAKER_AGE;
    if (rule->kind == IN)
        rule->attribute = pick(maker, one_in(maker, 2) ? MAKER_TEXT : MAKER_INTEGER);
    enum maker_type type = maker_types[rule->attribute];
    rule->comparison = (enum comparison)maker_random(maker, type == MAKER_INTEGER ? 6 : 2);
    rule->count = rule->kind == BETWEEN ? 2 : 1;
    if (rule->kind == IN || rule->kind == OVERLAPS || rule->kind == CONTAINS)
        rule->count = 1 + (unsigned)maker_random(maker, 4);
    for (unsigned i = 0; i < rule->count; i++) {
        rule->numbers[i] = type == MAKER_BOOLEAN ? (int64_t)one_in(maker, 2)
                                                 : number_for(maker, rule->attribute);
        rule->texts[i] = vocabulary[maker_random(maker, WORDS)];
    }
    return rule;
}

static struct maker_rule *
make(struct maker *maker, unsigned depth)
{
    if (depth == 0 || one_in(maker, 4)) return make_predicate(maker);
    struct maker_rule *rule = take();
    rule->kind = (enum kind)maker_random(maker, 3);
    rule->count = rule->kind == NOT ? 1 : 2 + (unsigned)maker_random(maker, 3);
    for (unsigned i = 0; i < rule->count; i++) rule->children[i] = make(maker, depth - 1);
    return rule;
}

const struct maker_rule *
maker_rule(struct maker *maker)
{
    used = 0;
    return make(maker, (unsigned)maker_random(maker, 4));
}

// --- Text --------------------------------------------------------------------------------------

struct text {
    struct maker *maker;
    char *out;
    unsigned len, size;
};

static void
put_char(struct text *text, char c)
{
    CHECK(text->len + 1 < text->size);
    text->out[text->len++] = c;
    text->out[text->len] = '\0';
}

static void
put_raw(struct text *text, const char *bytes)
{
    for (; *bytes != '\0'; bytes++) put_char(text, *bytes);
}

static void
put_blank(struct text *text, bool needed)
{
    static const char *const blanks[] = {" ", "  ", "\n", "\t", " \r\n ", "\f"};
    if (needed || one_in(text->maker, 2))
        put_raw(text, one_in(text->maker, 4) ? blanks[maker_random(text->maker, 6)] : " ");
}

// Keywords and names, in any case, always with a blank around them.
static void
put_name(struct text *text, const char *name)
{
    uint64_t style = maker_random(text->maker, 6);
    put_blank(text, true);
    for (; *name != '\0'; name++) {
        bool upper = style == 0 || (style == 1 && one_in(text->maker, 2));
        put_char(text, upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name);
    }
    put_blank(text, true);
}

static void
put_literal(struct text *text, const struct maker_rule *rule, unsigned i)
{
    char number[32];
    switch (maker_types[rule->attribute]) {
    case MAKER_BOOLEAN: put_name(text, rule->numbers[i] ? "true" : "false"); return;
    case MAKER_INTEGER:
        snprintf(number, sizeof number, "%" PRId64, rule->numbers[i]);
        put_raw(text, number);
        return;
    case MAKER_TEXT:
    case MAKER_LIST:
        put_char(text, '\'');
        for (const char *c = rule->texts[i]; *c != '\0'; c++) {
            if (*c == '\'') put_char(text, '\'');
            put_char(text, *c);
        }
        put_char(text, '\'');
        return;
    }
}

static void
put_list(struct text *text, const struct maker_rule *rule, char open, char close)
{
    put_char(text, open);
    for (unsigned i = 0; i < rule->count; i++) {
        if (i > 0) put_char(text, ',');
        put_blank(text, false);
        put_literal(text, rule, i);
        put_blank(text, false);
    }
    put_char(text, close);
}

static void
put_comparison(struct text *text, const struct maker_rule *rule)
{
    static const char *const signs[] = {"=", "<>", "<", "<=", ">", ">="};
    static const enum comparison mirrored[] = {EQUAL,         UNEQUAL, GREATER,
                                               GREATER_EQUAL, LESS,    LESS_EQUAL};
    bool literal_first = rule->which;
    const char *sign = signs[literal_first ? mirrored[rule->comparison] : rule->comparison];
    bool other = rule->comparison == UNEQUAL && one_in(text->maker, 2);
    if (literal_first) put_literal(text, rule, 0);
    else put_name(text, maker_names[rule->attribute]);
    put_blank(text, false);
    put_raw(text, other ? "!=" : sign);
    put_blank(text, other);  // PostgreSQL reads !=- as one operator
    if (literal_first) put_name(text, maker_names[rule->attribute]);
    else put_literal(text, rule, 0);
}

static void
put_predicate(struct text *text, const struct maker_rule *rule)
{
    const char *name = maker_names[rule->attribute];
    if (rule->kind == CONSTANT) {
        put_name(text, rule->flag ? "true" : "false");
    } else if (rule->kind == COMPARE) {
        put_comparison(text, rule);
    } else if (rule->kind == HOLDS) {
        put_literal(text, rule, 0);
        put_raw(text, rule->flag ? (rule->which ? "<>" : " != ") : "=");
        put_name(text, rule->flag ? "all" : "any");
        put_char(text, '(');
        put_name(text, name);
        put_char(text, ')');
    } else {
        put_name(text, name);
        if (rule->kind == IS_NULL || rule->kind == IS_CONSTANT) put_name(text, "is");
        if (rule->flag && rule->kind != BARE && rule->kind != OVERLAPS && rule->kind != CONTAINS)
            put_name(text, "not");
        if (rule->kind == IS_NULL) put_name(text, "null");
        if (rule->kind == IS_CONSTANT) put_name(text, rule->which ? "true" : "false");
        if (rule->kind == IN) {
            put_name(text, "in");
            put_list(text, rule, '(', ')');
        }
        if (rule->kind == BETWEEN) {
            put_name(text, "between");
            put_literal(text, rule, 0);
            put_name(text, "and");
            put_literal(text, rule, 1);
        }
        if (rule->kind == OVERLAPS || rule->kind == CONTAINS) {
            put_raw(text, rule->kind == OVERLAPS ? "&&" : "@>");
            put_name(text, "array");
            put_list(text, rule, '[', ']');
        }
    }
}

static void
put_rule(struct text *text, const struct maker_rule *rule, enum kind around)
{
    bool group = rule->kind == AND || rule->kind == OR;
    bool parentheses = (group && around == NOT) || (rule->kind == OR && around == AND) ||
                       one_in(text->maker, 5);
    if (parentheses) put_char(text, '(');
    if (group) {
        for (unsigned i = 0; i < rule->count; i++) {
            if (i > 0) put_name(text, rule->kind == AND ? "and" : "or");
            put_rule(text, rule->children[i], rule->kind);
        }
    } else if (rule->kind == NOT) {
        put_name(text, "not");
        put_rule(text, rule->children[0], NOT);
    } else {
        put_predicate(text, rule);
    }
    if (parentheses) put_char(text, ')');
    put_blank(text, false);
}

void
maker_text(struct maker *maker, const struct maker_rule *rule, char *out, unsigned size)
{
    struct text text = {maker, out, 0, size};
    put_rule(&text, rule, OR);
}

// --- Meaning -----------------------------------------------------------------------------------

static enum maker_truth
truth_of(bool truth)
{
    return truth ? MAKER_TRUE : MAKER_FALSE;
}

static enum maker_truth
opposite(enum maker_truth truth)
{
    return (enum maker_truth)(MAKER_TRUE - truth);
}

static bool
has(const struct maker_value *value, const char *word)
{
    for (unsigned i = 0; i < value->count; i++)
        if (strcmp(value->items[i], word) == 0) return true;
    return false;
}

static bool
compare(const struct maker_rule *rule, const struct maker_value *value)
{
    bool equal = maker_types[rule->attribute] == MAKER_TEXT
                     ? strcmp(value->items[0], rule->texts[0]) == 0
                     : value->number == rule->numbers[0];
    switch (rule->comparison) {
    case EQUAL: return equal;
    case UNEQUAL: return !equal;
    case LESS: return value->number < rule->numbers[0];
    case LESS_EQUAL: return value->number <= rule->numbers[0];
    case GREATER: return value->number > rule->numbers[0];
    case GREATER_EQUAL: return value->number >= rule->numbers[0];
    }
    return false;
}

static bool
in_list(const struct maker_rule *rule, const struct maker_value *value)
{
    for (unsigned i = 0; i < rule->count; i++) {
        if (maker_types[rule->attribute] == MAKER_INTEGER && value->number == rule->numbers[i])
            return true;
        if (maker_types[rule->attribute] == MAKER_TEXT &&
            strcmp(value->items[0], rule->texts[i]) == 0)
            return true;
    }
    return false;
}

static unsigned
held(const struct maker_rule *rule, const struct maker_value *value)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rule->count; i++) count += has(value, rule->texts[i]);
    return count;
}

static enum maker_truth
predicate_truth(const struct maker_rule *rule, const struct maker_value *value)
{
    if (rule->kind == CONSTANT) return truth_of(rule->flag);
    if (rule->kind == IS_NULL) return truth_of(value->known == rule->flag);
    if (rule->kind == IS_CONSTANT)
        return truth_of((value->known && (value->number == 1) == rule->which) != rule->flag);
    if (!value->known) return MAKER_UNKNOWN;
    if (rule->kind == BARE) return truth_of(value->number == 1);
    if (rule->kind == COMPARE) return truth_of(compare(rule, value));
    if (rule->kind == HOLDS) return truth_of(has(value, rule->texts[0]) != rule->flag);
    if (rule->kind == OVERLAPS) return truth_of(held(rule, value) > 0);
    if (rule->kind == CONTAINS) return truth_of(held(rule, value) == rule->count);
    if (rule->kind == IN) return truth_of(in_list(rule, value) != rule->flag);
    CHECK(rule->kind == BETWEEN);
    return truth_of((rule->numbers[0] <= value->number && value->number <= rule->numbers[1]) !=
                    rule->flag);
}

enum maker_truth
maker_truth(const struct maker_rule *rule, const struct maker_sample *sample)
{
    if (rule->kind == NOT) return opposite(maker_truth(rule->children[0], sample));
    if (rule->kind != AND && rule->kind != OR)
        return predicate_truth(rule, &sample->values[rule->attribute]);
    enum maker_truth truth = rule->kind == AND ? MAKER_TRUE : MAKER_FALSE;
    for (unsigned i = 0; i < rule->count; i++) {
        enum maker_truth child = maker_truth(rule->children[i], sample);
        if (rule->kind == AND ? child < truth : child > truth) truth = child;
    }
    return truth;
}

// --- The engine's view -------------------------------------------------------------------------

static int32_t
find_word(const struct maker_words *words, const char *text, size_t len)
{
    for (int32_t i = 0; i < words->count; i++)
        if (strlen(words->texts[i]) == len && memcmp(words->texts[i], text, len) == 0) return i;
    return VALUE_OTHER;
}

static int32_t
number_word(void *context, const char *text, size_t len)
{
    struct maker_words *known = context;
    int32_t number = find_word(known, text, len);
    if (number >= 0) return number;
    CHECK(known->count < MAKER_WORDS && len < sizeof known->texts[0]);
    memcpy(known->texts[known->count], text, len);
    known->texts[known->count][len] = '\0';
    return known->count++;
}

const char *
maker_word_text(void *context, int32_t word)
{
    struct maker_words *known = context;
    CHECK(word >= 0 && word < known->count);
    return known->texts[word];
}

struct expr_schema
maker_schema(struct maker_words *known)
{
    static struct expr_attribute attributes[MAKER_ATTRIBUTES];
    for (int i = 0; i < MAKER_ATTRIBUTES; i++) {
        snprintf(attributes[i].name, sizeof attributes[i].name, "%s", maker_names[i]);
        attributes[i].type = (uint8_t)maker_types[i];
        attributes[i].of = ATTRIBUTE_OF_CUSTOMER;
        attributes[i].least = i == MAKER_AGE ? 0 : INT64_MIN;
        attributes[i].most = i == MAKER_AGE ? MAKER_AGE_MOST : INT64_MAX;
    }
    return (struct expr_schema){
        .attributes = attributes, .count = MAKER_ATTRIBUTES, .word = number_word, .words = known};
}

void
maker_values(const struct maker_words *known, const struct maker_sample *sample,
             struct values *out_values)
{
    *out_values = (struct values){0};
    for (int i = 0; i < MAKER_ATTRIBUTES; i++) {
        const struct maker_value *value = &sample->values[i];
        if (!value->known) continue;
        out_values->known |= UINT64_C(1) << i;
        out_values->value[i] = value->number;
        if (maker_types[i] == MAKER_TEXT)
            out_values->value[i] = find_word(known, value->items[0], strlen(value->items[0]));
        if (maker_types[i] != MAKER_LIST) continue;
        uint32_t first = out_values->list_used;
        int32_t *list = out_values->list_items + first;
        for (int32_t word = VALUE_OTHER; word < known->count; word++)
            for (unsigned j = 0; j < value->count; j++) {
                if (find_word(known, value->items[j], strlen(value->items[j])) != word) continue;
                list[out_values->list_used++ - first] = word;
                break;
            }
        out_values->value[i] = (int64_t)first << 32 | (out_values->list_used - first);
    }
}

struct expr
maker_compile(const char *text, struct maker_words *words, struct arena *arena)
{
    struct expr_schema schema = maker_schema(words);
    struct expr expr;
    struct expr_error error;
    if (expr_compile(text, strlen(text), &schema, arena, &expr, &error) != STATUS_OK)
        fail_msg("%s\n%u: %s", text, error.column, error.text);
    assert_true(expr_sound(&expr, &schema, (uint32_t)words->count));
    return expr;
}
