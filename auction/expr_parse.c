// The parser: recursive descent over the grammar of expr.h, one token ahead, one call level for
// each level of parentheses (at most BOUND_RULE_DEPTH).
//
// NOT is pushed down while parsing: every function gets `negate`, whether an odd number of NOTs
// stands around what it parses. Under negation OR becomes AND and the reverse, a leaf is negated,
// and
//     IS TRUE       known and true             not so:  known and false, or unknown
//     IS NULL       unknown                    not so:  known
// are the two predicates that are never unknown themselves; the first needs an OR of two leaves
// when negated.
#include "expr_parse.h"

#include <string.h>

struct parser {
    struct expr_binding *binding;
    const char *text;
    uint32_t len;
    struct expr_token token;  // the next one, not yet used
    uint32_t last_end;        // where the last used token ended
    struct expr_tree *tree;
    uint32_t depth;
};

static bool parse_or(struct parser *parser, bool negate);

static bool
advance(struct parser *parser)
{
    parser->last_end = parser->token.at + parser->token.len;
    return expr_token_next(parser->text, parser->len, parser->last_end, &parser->token,
                           parser->binding->error);
}

static bool
wrong(struct parser *parser, const char *what)
{
    return expr_token_error(parser->binding->error, parser->token.at, parser->token.len, "%s",
                            what);
}

static bool
expect(struct parser *parser, enum expr_token_kind kind, const char *what)
{
    return parser->token.kind == kind ? advance(parser) : wrong(parser, what);
}

static const struct expr_attribute *
attribute_of(const struct parser *parser, uint32_t attribute)
{
    return &parser->binding->schema->attributes[attribute];
}

static struct expr_node
leaf_of(const struct parser *parser, enum expr_kind kind, uint32_t attribute, bool negated)
{
    return (struct expr_node){.kind = (uint8_t)kind,
                              .negated = negated,
                              .attribute = (uint8_t)attribute,
                              .set = parser->tree->set_count};
}

// Adds a leaf that began at `start` and ended with the last used token.
static bool
emit(struct parser *parser, struct expr_node leaf, uint32_t start)
{
    struct expr_tree *tree = parser->tree;
    uint32_t length = parser->last_end - start;
    if (tree->leaves == BOUND_RULE_LEAVES)
        return expr_token_error(parser->binding->error, start, length,
                                "more than %d conditions in one rule; use in (...) or split it",
                                BOUND_RULE_LEAVES);
    bool has_set = leaf.kind == EXPR_IN || leaf.kind == EXPR_ANY || leaf.kind == EXPR_ALL;
    if (!has_set) leaf.set = 0;
    leaf.column = (uint16_t)(start + 1);
    leaf.length = (uint16_t)length;
    bool constant = leaf.kind == EXPR_TRUE || leaf.kind == EXPR_FALSE;
    expr_tree_leaf(tree, leaf,
                   constant ? ATTRIBUTE_BOOLEAN : attribute_of(parser, leaf.attribute)->type);
    return true;
}

// A literal as it is written, not yet bound to an attribute.
static bool
parse_literal(struct parser *parser, struct expr_literal *out_literal)
{
    struct expr_token token = parser->token;
    bool negative = token.kind == TOKEN_MINUS;
    if (negative) {
        if (!advance(parser)) return false;
        if (parser->token.kind != TOKEN_INTEGER)
            return wrong(parser, "a whole number is expected after the minus");
    }
    *out_literal = (struct expr_literal){.kind = parser->token.kind, .token = token};
    out_literal->token.len = parser->token.at + parser->token.len - token.at;
    switch (parser->token.kind) {
    case TOKEN_INTEGER:
        if (!expr_bind_integer(parser->binding, &parser->token, negative, &out_literal->integer))
            return false;
        return advance(parser);
    case TOKEN_TEXT:
    case TOKEN_TRUE:
    case TOKEN_FALSE: return advance(parser);
    case TOKEN_NULL:
        return wrong(
            parser,
            "nothing is equal to null; write 'attribute is null' or 'attribute is not null'");
    case TOKEN_NAME:
        if (expr_bind_is_attribute(parser->binding, &parser->token))
            return wrong(
                parser,
                "this is an attribute too; a rule compares an attribute with a written value");
        return expr_token_error(parser->binding->error, token.at, token.len,
                                "a value is expected; a text stands in single quotes: '%.*s'",
                                (int)(token.len > 64 ? 64 : token.len), parser->text + token.at);
    case TOKEN_ANY:
    case TOKEN_ALL:
        return wrong(
            parser, "any and all ask a list for a text: 'text' = any (list), 'text' <> all (list)");
    case TOKEN_ARRAY:
        return wrong(
            parser,
            "array[...] goes with lists: list && array['a', 'b'] or list @> array['a', 'b']");
    // clang-format off
    case TOKEN_END: case TOKEN_AND: case TOKEN_OR: case TOKEN_NOT: case TOKEN_IN:
    case TOKEN_BETWEEN: case TOKEN_IS: case TOKEN_EQUAL: case TOKEN_UNEQUAL: case TOKEN_LESS:
    case TOKEN_LESS_EQUAL: case TOKEN_GREATER: case TOKEN_GREATER_EQUAL: case TOKEN_OVERLAPS:
    case TOKEN_CONTAINS: case TOKEN_MINUS: case TOKEN_OPEN: case TOKEN_CLOSE:
    case TOKEN_OPEN_BRACKET: case TOKEN_CLOSE_BRACKET: case TOKEN_COMMA:
        break;
        // clang-format on
    }
    return wrong(
        parser, "a value is expected here: a whole number, a text in single quotes, true or false");
}

// { literal , ... } up to the closing token, as the set of the leaf that is built.
static bool
parse_set(struct parser *parser, uint32_t attribute, enum expr_token_kind close,
          const char *missing)
{
    for (uint32_t count = 1;; count++) {
        struct expr_literal literal;
        int64_t value;
        if (count > BOUND_SET_ITEMS)
            return expr_token_error(parser->binding->error, parser->token.at, parser->token.len,
                                    "more than %d values in one list; split it with or",
                                    BOUND_SET_ITEMS);
        if (!parse_literal(parser, &literal)) return false;
        if (!expr_bind_literal(parser->binding, attribute, &literal, &value)) return false;
        expr_tree_literal(parser->tree, value);
        if (parser->token.kind != TOKEN_COMMA) return expect(parser, close, missing);
        if (!advance(parser)) return false;
    }
}

static bool
is_comparison(enum expr_token_kind kind)
{
    return kind == TOKEN_EQUAL || kind == TOKEN_UNEQUAL || kind == TOKEN_LESS ||
           kind == TOKEN_LESS_EQUAL || kind == TOKEN_GREATER || kind == TOKEN_GREATER_EQUAL;
}

// The range of `integer OP value`; an empty one is the full one negated.
static void
range_of(struct expr_node *leaf, enum expr_token_kind operator, int64_t value)
{
    bool equal = operator== TOKEN_EQUAL || operator== TOKEN_UNEQUAL;
    bool below = operator== TOKEN_LESS || operator== TOKEN_LESS_EQUAL;
    bool strict = operator== TOKEN_LESS || operator== TOKEN_GREATER;
    leaf->kind = EXPR_RANGE;
    if (operator== TOKEN_UNEQUAL) leaf->negated = !leaf->negated;
    leaf->least = equal || !below ? value : INT64_MIN;
    leaf->most = equal || below ? value : INT64_MAX;
    if (!strict) return;
    if (value == (below ? INT64_MIN : INT64_MAX)) {
        leaf->negated = !leaf->negated;
        leaf->least = INT64_MIN;
        leaf->most = INT64_MAX;
    } else if (below) {
        leaf->most = value - 1;
    } else {
        leaf->least = value + 1;
    }
}

// The attribute, the operator as if the attribute stood left, and the literal are read: the leaf.
static bool
compare(struct parser *parser, uint32_t attribute, const struct expr_token *operator,
        const struct expr_literal * literal, bool negate, uint32_t start)
{
    const struct expr_attribute *is = attribute_of(parser, attribute);
    bool equality = operator->kind == TOKEN_EQUAL || operator->kind == TOKEN_UNEQUAL;
    if (is->type == ATTRIBUTE_LIST)
        return expr_token_error(parser->binding->error, operator->at, operator->len,
                                "'%s' is a list; ask 'text' = any (%s), or %s && array['a', 'b']",
                                is->name, is->name, is->name);
    if (!equality && is->type != ATTRIBUTE_INTEGER)
        return expr_token_error(parser->binding->error, operator->at, operator->len,
                                "'%s' is a %s, which has no order; compare it with = or <>",
                                is->name, is->type == ATTRIBUTE_TEXT ? "text" : "boolean");
    int64_t value;
    if (!expr_bind_literal(parser->binding, attribute, literal, &value)) return false;
    struct expr_node leaf = leaf_of(parser, EXPR_IN, attribute, negate);
    if (is->type == ATTRIBUTE_TEXT) {
        expr_tree_literal(parser->tree, value);
        if (operator->kind == TOKEN_UNEQUAL) leaf.negated = !leaf.negated;
    } else {
        range_of(&leaf, operator->kind, value);
    }
    return emit(parser, leaf, start);
}

// text = ANY ( list ) and text <> ALL ( list ); the text and the operator are read.
static bool
parse_any(struct parser *parser, const struct expr_literal *literal,
          const struct expr_token *operator, bool negate, uint32_t start)
{
    bool any = parser->token.kind == TOKEN_ANY;
    if (operator->kind !=(any ? TOKEN_EQUAL : TOKEN_UNEQUAL))
        return expr_token_error(parser->binding->error, operator->at, operator->len,
                                "a list is asked with 'text' = any (list): it holds it; or 'text' "
                                "<> all (list): it does not");
    if (!advance(parser)) return false;
    if (!expect(parser, TOKEN_OPEN, "a ( is expected after any and all")) return false;
    if (parser->token.kind != TOKEN_NAME) return wrong(parser, "a list attribute is expected here");
    uint32_t attribute;
    if (!expr_bind_attribute(parser->binding, &parser->token, &attribute)) return false;
    if (attribute_of(parser, attribute)->type != ATTRIBUTE_LIST)
        return wrong(parser, "this attribute is no list; write attribute = value instead");
    int64_t value;
    if (!expr_bind_literal(parser->binding, attribute, literal, &value)) return false;
    if (!advance(parser)) return false;
    if (!expect(parser, TOKEN_CLOSE, "a ) is expected after the list attribute")) return false;
    struct expr_node leaf = leaf_of(parser, EXPR_ANY, attribute, negate != !any);
    expr_tree_literal(parser->tree, value);
    return emit(parser, leaf, start);
}

static enum expr_token_kind mirrored(enum expr_token_kind operator)
{
    if (operator== TOKEN_LESS) return TOKEN_GREATER;
    if (operator== TOKEN_GREATER) return TOKEN_LESS;
    if (operator== TOKEN_LESS_EQUAL) return TOKEN_GREATER_EQUAL;
    if (operator== TOKEN_GREATER_EQUAL) return TOKEN_LESS_EQUAL;
    return operator;
}

// A predicate that begins with a literal, which is read.
static bool
parse_mirrored(struct parser *parser, const struct expr_literal *literal, bool negate,
               uint32_t start)
{
    struct expr_token operator= parser->token;
    if (!is_comparison(operator.kind))
        return wrong(parser,
                     "a comparison is expected after a value: 18 <= age, 'text' = any (list)");
    if (!advance(parser)) return false;
    if (parser->token.kind == TOKEN_ANY || parser->token.kind == TOKEN_ALL)
        return parse_any(parser, literal, &operator, negate, start);
    if (parser->token.kind != TOKEN_NAME)
        return wrong(parser, "one side of a comparison is an attribute");
    uint32_t attribute;
    if (!expr_bind_attribute(parser->binding, &parser->token, &attribute)) return false;
    if (!advance(parser)) return false;
    operator.kind = mirrored(operator.kind);
    return compare(parser, attribute, &operator, literal, negate, start);
}

// attribute IS [NOT] NULL | TRUE | FALSE; IS is the next token.
static bool
parse_is(struct parser *parser, uint32_t attribute, bool negate, uint32_t start)
{
    if (!advance(parser)) return false;
    if (parser->token.kind == TOKEN_NOT) {
        negate = !negate;
        if (!advance(parser)) return false;
    }
    enum expr_token_kind kind = parser->token.kind;
    if (kind != TOKEN_NULL && kind != TOKEN_TRUE && kind != TOKEN_FALSE)
        return wrong(parser,
                     "null, not null, true, not true, false or not false is expected after is");
    if (kind != TOKEN_NULL && attribute_of(parser, attribute)->type != ATTRIBUTE_BOOLEAN)
        return wrong(parser,
                     "only a boolean attribute is true or false; others are null or not null");
    if (!advance(parser)) return false;
    if (kind == TOKEN_NULL)
        return emit(parser, leaf_of(parser, EXPR_KNOWN, attribute, !negate), start);
    struct expr_node leaf = leaf_of(parser, EXPR_RANGE, attribute, negate);
    leaf.least = leaf.most = kind == TOKEN_TRUE;
    if (!negate) return emit(parser, leaf, start);
    uint32_t group = expr_tree_open(parser->tree);
    if (!emit(parser, leaf, start)) return false;
    if (!emit(parser, leaf_of(parser, EXPR_KNOWN, attribute, true), start)) return false;
    expr_tree_close(parser->tree, group, EXPR_OR);
    return true;
}

// attribute IN ( ... ); IN is the next token.
static bool
parse_in(struct parser *parser, uint32_t attribute, bool negate, uint32_t start)
{
    enum attribute_type type = attribute_of(parser, attribute)->type;
    if (type == ATTRIBUTE_LIST)
        return wrong(parser, "in asks for one value; ask a list with list && array['a', 'b']");
    if (type == ATTRIBUTE_BOOLEAN)
        return wrong(parser,
                     "in asks for texts and integers; ask a boolean with is true, is not true");
    if (!advance(parser)) return false;
    if (!expect(parser, TOKEN_OPEN, "a ( is expected after in")) return false;
    struct expr_node leaf = leaf_of(parser, EXPR_IN, attribute, negate);
    if (!parse_set(parser, attribute, TOKEN_CLOSE,
                   "a , or ) is expected after a value of in (...)"))
        return false;
    return emit(parser, leaf, start);
}

// attribute BETWEEN integer AND integer; BETWEEN is the next token.
static bool
parse_between(struct parser *parser, uint32_t attribute, bool negate, uint32_t start)
{
    if (attribute_of(parser, attribute)->type != ATTRIBUTE_INTEGER)
        return wrong(parser, "between asks for integers alone; use =, in or array");
    if (!advance(parser)) return false;
    struct expr_node leaf = leaf_of(parser, EXPR_RANGE, attribute, negate);
    struct expr_literal least, most;
    if (!parse_literal(parser, &least)) return false;
    if (!expr_bind_literal(parser->binding, attribute, &least, &leaf.least)) return false;
    if (!expect(parser, TOKEN_AND, "and is expected: between 18 and 30")) return false;
    if (!parse_literal(parser, &most)) return false;
    if (!expr_bind_literal(parser->binding, attribute, &most, &leaf.most)) return false;
    return emit(parser, leaf, start);
}

// attribute && ARRAY[...] and attribute @> ARRAY[...]; the operator is the next token.
static bool
parse_array(struct parser *parser, uint32_t attribute, bool negate, uint32_t start)
{
    bool any = parser->token.kind == TOKEN_OVERLAPS;
    if (attribute_of(parser, attribute)->type != ATTRIBUTE_LIST)
        return wrong(parser, "&& and @> ask lists alone; use = or in");
    if (!advance(parser)) return false;
    const char *mend = "array['a', 'b'] with one text or more is expected after && and @>";
    if (!expect(parser, TOKEN_ARRAY, mend) || !expect(parser, TOKEN_OPEN_BRACKET, mend))
        return false;
    if (parser->token.kind == TOKEN_CLOSE_BRACKET) return wrong(parser, mend);
    struct expr_node leaf = leaf_of(parser, any ? EXPR_ANY : EXPR_ALL, attribute, negate);
    if (!parse_set(parser, attribute, TOKEN_CLOSE_BRACKET,
                   "a , or ] is expected after a text of array[...]"))
        return false;
    return emit(parser, leaf, start);
}

// A boolean attribute alone, or an attribute with nothing said about it.
static bool
parse_bare(struct parser *parser, uint32_t attribute, const struct expr_token *name, bool negate)
{
    const struct expr_attribute *is = attribute_of(parser, attribute);
    enum expr_token_kind next = parser->token.kind;
    if (next != TOKEN_END && next != TOKEN_AND && next != TOKEN_OR && next != TOKEN_CLOSE)
        return expr_token_error(
            parser->binding->error, parser->token.at, parser->token.len,
            "a comparison of '%s' is expected here: =, <>, <, >, in, between, is null, &&",
            is->name);
    if (is->type != ATTRIBUTE_BOOLEAN) {
        const char *before = is->type == ATTRIBUTE_LIST ? "'text' = any (" : "";
        const char *after = is->type == ATTRIBUTE_LIST   ? ")"
                            : is->type == ATTRIBUTE_TEXT ? " = 'text'"
                                                         : " >= 18";
        return expr_token_error(
            parser->binding->error, name->at, name->len,
            "'%s' is no boolean and says nothing alone; write for example: %s%s%s", is->name,
            before, is->name, after);
    }
    struct expr_node leaf = leaf_of(parser, EXPR_RANGE, attribute, negate);
    leaf.least = leaf.most = 1;
    return emit(parser, leaf, name->at);
}

// A predicate that begins with an attribute, which is the next token.
static bool
parse_predicate(struct parser *parser, bool negate)
{
    struct expr_token name = parser->token;
    uint32_t attribute;
    if (!advance(parser)) return false;
    if (parser->token.kind == TOKEN_OPEN && !expr_bind_is_attribute(parser->binding, &name))
        return expr_token_error(parser->binding->error, name.at, name.len,
                                "a rule calls no functions");
    if (!expr_bind_attribute(parser->binding, &name, &attribute)) return false;
    if (is_comparison(parser->token.kind)) {
        struct expr_token operator= parser->token;
        struct expr_literal literal;
        if (!advance(parser) || !parse_literal(parser, &literal)) return false;
        return compare(parser, attribute, &operator, & literal, negate, name.at);
    }
    if (parser->token.kind == TOKEN_IS) return parse_is(parser, attribute, negate, name.at);
    if (parser->token.kind == TOKEN_OVERLAPS || parser->token.kind == TOKEN_CONTAINS)
        return parse_array(parser, attribute, negate, name.at);
    if (parser->token.kind == TOKEN_NOT) {
        negate = !negate;
        if (!advance(parser)) return false;
        if (parser->token.kind != TOKEN_IN && parser->token.kind != TOKEN_BETWEEN)
            return wrong(parser, "in or between is expected after not");
    }
    if (parser->token.kind == TOKEN_IN) return parse_in(parser, attribute, negate, name.at);
    if (parser->token.kind == TOKEN_BETWEEN)
        return parse_between(parser, attribute, negate, name.at);
    return parse_bare(parser, attribute, &name, negate);
}

static bool
parse_primary(struct parser *parser, bool negate)
{
    struct expr_token first = parser->token;
    struct expr_literal literal;
    switch (first.kind) {
    case TOKEN_OPEN:
        if (parser->depth == BOUND_RULE_DEPTH)
            return expr_token_error(parser->binding->error, first.at, first.len,
                                    "parentheses are nested deeper than %d; split the rule",
                                    BOUND_RULE_DEPTH);
        parser->depth++;
        if (!advance(parser) || !parse_or(parser, negate)) return false;
        parser->depth--;
        return expect(parser, TOKEN_CLOSE, "a ) is missing here; or join conditions with and, or");
    case TOKEN_NAME: return parse_predicate(parser, negate);
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        if (!parse_literal(parser, &literal)) return false;
        if (is_comparison(parser->token.kind))
            return parse_mirrored(parser, &literal, negate, first.at);
        return emit(parser,
                    leaf_of(parser, (first.kind == TOKEN_TRUE) != negate ? EXPR_TRUE : EXPR_FALSE,
                            0, false),
                    first.at);
    case TOKEN_INTEGER:
    case TOKEN_MINUS:
    case TOKEN_TEXT:
    case TOKEN_NULL:
    case TOKEN_ARRAY:
        if (!parse_literal(parser, &literal)) return false;
        return parse_mirrored(parser, &literal, negate, first.at);
    case TOKEN_END: return wrong(parser, "the rule ends where a condition is expected");
    // clang-format off
    case TOKEN_ANY: case TOKEN_ALL: case TOKEN_AND: case TOKEN_OR: case TOKEN_NOT: case TOKEN_IN:
    case TOKEN_BETWEEN: case TOKEN_IS: case TOKEN_EQUAL: case TOKEN_UNEQUAL: case TOKEN_LESS:
    case TOKEN_LESS_EQUAL: case TOKEN_GREATER: case TOKEN_GREATER_EQUAL: case TOKEN_OVERLAPS:
    case TOKEN_CONTAINS: case TOKEN_CLOSE: case TOKEN_OPEN_BRACKET: case TOKEN_CLOSE_BRACKET:
    case TOKEN_COMMA:
        break;
        // clang-format on
    }
    return wrong(parser,
                 "a condition is expected here; it begins with an attribute, a value, not or (");
}

static bool
parse_not(struct parser *parser, bool negate)
{
    while (parser->token.kind == TOKEN_NOT) {
        negate = !negate;
        if (!advance(parser)) return false;
    }
    return parse_primary(parser, negate);
}

static bool
parse_and(struct parser *parser, bool negate)
{
    uint32_t group = expr_tree_open(parser->tree);
    if (!parse_not(parser, negate)) return false;
    while (parser->token.kind == TOKEN_AND)
        if (!advance(parser) || !parse_not(parser, negate)) return false;
    expr_tree_close(parser->tree, group, negate ? EXPR_OR : EXPR_AND);
    return true;
}

static bool
parse_or(struct parser *parser, bool negate)
{
    uint32_t group = expr_tree_open(parser->tree);
    if (!parse_and(parser, negate)) return false;
    while (parser->token.kind == TOKEN_OR)
        if (!advance(parser) || !parse_and(parser, negate)) return false;
    expr_tree_close(parser->tree, group, negate ? EXPR_AND : EXPR_OR);
    return true;
}

bool
expr_parse_rule(struct expr_binding *binding, uint32_t len, struct expr_tree *tree)
{
    struct parser parser = {.binding = binding, .text = binding->text, .len = len, .tree = tree};
    if (!advance(&parser)) return false;
    if (parser.token.kind == TOKEN_END) {
        expr_tree_leaf(tree, (struct expr_node){.kind = EXPR_TRUE}, ATTRIBUTE_BOOLEAN);
        return true;
    }
    if (!parse_or(&parser, false)) return false;
    if (parser.token.kind == TOKEN_END) return true;
    if (parser.token.kind == TOKEN_CLOSE) return wrong(&parser, "this ) has no ( before it");
    if (is_comparison(parser.token.kind))
        return wrong(&parser, "one condition has one comparison; join two with and");
    return wrong(&parser, "the condition before this is complete; join another with and, or");
}
