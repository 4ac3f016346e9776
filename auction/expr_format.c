// A compiled rule as canonical SQL text, and the two lines that show an error in a text.
//
// Format: lower case; one blank around operators; AND and OR in one line, parentheses only around
// an OR inside an AND. A leaf is written as shortly as its meaning allows:
//     RANGE       a | not a | n = 5 | n <> 5 | n <= 5 | n >= 5 | [not] between 1 and 5
//     IN          t = 'x' | t <> 'x' | t in ('x', 'y') | t not in ('x', 'y')
//     ANY, ALL    'x' = any (l) | 'x' <> all (l) | [not] l && array['x'] | [not] l @> array['x']
//     KNOWN       a is not null | a is null
//     in an OR    a is not true | a is not false: two leaves, known and otherwise, or unknown
// An integer bound never leaves the attribute's declared range (`n < 18` instead of `n <= 17`), so
// that the text compiles again, to the same tree.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "expr.h"

struct writer {
    const struct expr *expr;
    const struct expr_schema *schema;
    const char *(*word_text)(void *words, int32_t word);
    char *out;
    size_t size, len;  // len: needed, may pass size
};

static void
put_bytes(struct writer *writer, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++, writer->len++)
        if (writer->len + 1 < writer->size) writer->out[writer->len] = bytes[i];
}

static void __attribute__((format(printf, 2, 3)))
put(struct writer *writer, const char *format, ...)
{
    char text[3 * BOUND_CODE + 64];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len > 0) put_bytes(writer, text, strnlen(text, (size_t)len));
}

static void
put_word(struct writer *writer, int64_t word)
{
    put_bytes(writer, "'", 1);
    for (const char *c = writer->word_text(writer->schema->words, (int32_t)word); *c != '\0'; c++)
        put_bytes(writer, *c == '\'' ? "''" : c, *c == '\'' ? 2 : 1);
    put_bytes(writer, "'", 1);
}

static void
put_set(struct writer *writer, const struct expr_node *leaf, bool integers)
{
    for (uint32_t i = 0; i < leaf->count; i++) {
        int64_t item = writer->expr->sets[leaf->set + i];
        if (i > 0) put(writer, ", ");
        if (integers) put(writer, "%" PRId64, item);
        else put_word(writer, item);
    }
}

static void
put_range(struct writer *writer, const struct expr_node *leaf, const struct expr_attribute *is)
{
    const char *name = is->name;
    bool below = leaf->least == INT64_MIN, above = leaf->most == INT64_MAX;
    if (is->type == ATTRIBUTE_BOOLEAN) {
        put(writer, leaf->least == 1 ? "%s" : "not %s", name);
    } else if (below && above) {
        // The full range: known; negated: known and false. Its literal is the bound that is
        // declared.
        const char *sign = is->least == INT64_MIN ? (leaf->negated ? "<" : ">=")
                                                  : (leaf->negated ? ">" : "<=");
        put(writer, "%s %s %" PRId64, name, sign, is->least == INT64_MIN ? INT64_MIN : INT64_MAX);
    } else if (leaf->least == leaf->most) {
        put(writer, "%s %s %" PRId64, name, leaf->negated ? "<>" : "=", leaf->least);
    } else if (below && leaf->most < is->least) {
        put(writer, "%s < %" PRId64, name, leaf->most + 1);
    } else if (below) {
        put(writer, "%s <= %" PRId64, name, leaf->most);
    } else if (above && leaf->least > is->most) {
        put(writer, "%s > %" PRId64, name, leaf->least - 1);
    } else if (above) {
        put(writer, "%s >= %" PRId64, name, leaf->least);
    } else {
        put(writer, "%s %sbetween %" PRId64 " and %" PRId64, name, leaf->negated ? "not " : "",
            leaf->least, leaf->most);
    }
}

static void
put_leaf(struct writer *writer, const struct expr_node *leaf)
{
    if (leaf->kind == EXPR_TRUE || leaf->kind == EXPR_FALSE) {
        put(writer, leaf->kind == EXPR_TRUE ? "true" : "false");
        return;
    }
    const struct expr_attribute *is = &writer->schema->attributes[leaf->attribute];
    if (leaf->kind == EXPR_KNOWN) {
        put(writer, leaf->negated ? "%s is null" : "%s is not null", is->name);
    } else if (leaf->kind == EXPR_RANGE) {
        put_range(writer, leaf, is);
    } else if (leaf->kind == EXPR_IN && leaf->count == 1) {
        put(writer, leaf->negated ? "%s <> " : "%s = ", is->name);
        put_set(writer, leaf, is->type == ATTRIBUTE_INTEGER);
    } else if (leaf->kind == EXPR_IN) {
        put(writer, leaf->negated ? "%s not in (" : "%s in (", is->name);
        put_set(writer, leaf, is->type == ATTRIBUTE_INTEGER);
        put(writer, ")");
    } else if (leaf->count == 1) {
        put_set(writer, leaf, false);
        put(writer, leaf->negated ? " <> all (%s)" : " = any (%s)", is->name);
    } else {
        put(writer, leaf->negated ? "not %s %s array[" : "%s %s array[", is->name,
            leaf->kind == EXPR_ANY ? "&&" : "@>");
        put_set(writer, leaf, false);
        put(writer, "]");
    }
}

// Are this child of an OR and the next one what `a is not true` or `a is not false` compiles to?
static bool
is_not_constant(const struct expr_schema *schema, const struct expr_node *otherwise)
{
    const struct expr_node *unknown = otherwise + 1;
    return otherwise->kind == EXPR_RANGE && unknown->kind == EXPR_KNOWN && unknown->negated &&
           otherwise->attribute == unknown->attribute &&
           schema->attributes[otherwise->attribute].type == ATTRIBUTE_BOOLEAN;
}

static void
put_node(struct writer *writer, const struct expr_node *node, bool inside_and)
{
    if (node->kind != EXPR_AND && node->kind != EXPR_OR) {
        put_leaf(writer, node);
        return;
    }
    bool all = node->kind == EXPR_AND;
    bool parentheses = inside_and &&
                       !(node->size == 3 && is_not_constant(writer->schema, node + 1));
    if (parentheses) put(writer, "(");
    const struct expr_node *child = node + 1;
    for (uint32_t i = 0; i < node->count; i++, child += child->size) {
        if (i > 0) put(writer, all ? " and " : " or ");
        if (!all && i + 1 < node->count && is_not_constant(writer->schema, child)) {
            put(writer, "%s is not %s", writer->schema->attributes[child->attribute].name,
                child->least == 0 ? "true" : "false");
            child++;
            i++;
        } else {
            put_node(writer, child, all);
        }
    }
    if (parentheses) put(writer, ")");
}

size_t
expr_format(const struct expr *expr, const struct expr_schema *schema,
            const char *(*word_text)(void *words, int32_t word), char *out, size_t size)
{
    struct writer writer = {expr, schema, word_text, out, size, 0};
    put_node(&writer, expr->nodes, false);
    if (size > 0) out[writer.len < size ? writer.len : size - 1] = '\0';
    return writer.len;
}

#define CARET_COLUMNS 100  // of the text shown
#define CARET_BEFORE 60    // at most this much of it before the place

static bool
continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;  // inside a UTF-8 character
}

void
expr_caret(const char *text, size_t len, const struct expr_error *error, char *out, size_t size)
{
    if (size == 0) return;
    size_t place = error->column == 0 ? 0 : error->column - 1;
    if (place > len) place = len;
    size_t begin = place, end = place;
    while (begin > 0 && text[begin - 1] != '\n') begin--;
    while (end < len && text[end] != '\n' && text[end] != '\r') end++;
    bool cut_before = place - begin > CARET_BEFORE;
    if (cut_before)
        for (begin = place - CARET_BEFORE; begin < place && continues(text[begin]);) begin++;
    bool cut_after = end - begin > CARET_COLUMNS;
    if (cut_after)
        for (end = begin + CARET_COLUMNS; end > place && continues(text[end]);) end--;
    struct writer writer = {NULL, NULL, NULL, out, size, 0};
    if (cut_before) put(&writer, "...");
    for (size_t i = begin; i < end; i++) {
        bool shown = (unsigned char)text[i] >= 0x20 && text[i] != 0x7f;
        put_bytes(&writer, shown ? text + i : " ", 1);
    }
    if (cut_after) put(&writer, "...");
    put(&writer, "\n");
    if (cut_before) put(&writer, "   ");
    for (size_t i = begin; i < place; i++)
        if (!continues(text[i])) put(&writer, " ");
    size_t marked = place + (error->length == 0 ? 1 : error->length);
    put(&writer, "^");
    for (size_t i = place + 1; i < marked && i < end; i++)
        if (!continues(text[i])) put(&writer, "~");
    out[writer.len < size ? writer.len : size - 1] = '\0';
}
