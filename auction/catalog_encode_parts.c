// The encoder's parts that the sections share: checks, rules and attribute values.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "catalog_encode.h"
#include "words.h"

bool
catalog_encode_refuse(struct encoder *encoder, const char *format, ...)
{
    *encoder->error = (struct expr_error){0};
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(encoder->error->text, sizeof encoder->error->text, format, arguments);
    va_end(arguments);
    CHECK(written >= 0);
    return false;
}

bool
catalog_encode_check_code(struct encoder *encoder, const char *kind, const char *code)
{
    size_t len = strlen(code);
    if (len > 0 && len <= BOUND_CODE) return true;
    return catalog_encode_refuse(encoder, "%s '%.60s': a code has 1 to %d bytes", kind, code,
                                 BOUND_CODE);
}

bool
catalog_encode_check_text(struct encoder *encoder, const char *kind, const char *code,
                          const char *text)
{
    if (strlen(text) <= BOUND_TEXT) return true;
    return catalog_encode_refuse(encoder, "%s '%s': a text is longer than %d bytes", kind, code,
                                 BOUND_TEXT);
}

bool
catalog_encode_check_id(struct encoder *encoder, const char *kind, const char *code, uint32_t id,
                        uint32_t end)
{
    if (id == 0 || id >= end)
        return catalog_encode_refuse(encoder, "%s '%s': its id is %u, not 1 to %u", kind, code, id,
                                     end - 1);
    if (lookup_put_id(&encoder->ids, id, id) != STATUS_OK)
        return catalog_encode_refuse(encoder, "%s '%s': its id %u is another one's", kind, code,
                                     id);
    return true;
}

bool
catalog_encode_check_money(struct encoder *encoder, const char *kind, const char *code,
                           money amount)
{
    if (amount.micros >= 0 && amount.micros <= BOUND_MICROS) return true;
    return catalog_encode_refuse(encoder, "%s '%s': an amount is below 0 or too large", kind, code);
}

bool
catalog_encode_check_count(struct encoder *encoder, const char *kinds, uint32_t count,
                           uint32_t most)
{
    if (count <= most) return true;
    return catalog_encode_refuse(encoder, "%u %s; the most is %u", count, kinds, most);
}

bool
catalog_encode_index(struct encoder *encoder, const struct lookup *of, const char *kind,
                     const char *code, const char *other_kind, const char *other,
                     uint32_t *out_index)
{
    *out_index = lookup_text(of, other, strlen(other));
    if (*out_index != LOOKUP_NONE) return true;
    return catalog_encode_refuse(encoder, "%s '%s': there is no %s '%.60s'", kind, code, other_kind,
                                 other);
}

bool
catalog_encode_seat_index(struct encoder *encoder, const char *kind, const char *code,
                          const char *seat, uint32_t *out_index)
{
    return catalog_encode_index(encoder, &encoder->seats, kind, code, "seat", seat, out_index);
}

void
catalog_encode_begin(struct encoder *encoder, enum catalog_section section, uint64_t count)
{
    encoder->offsets[section] = encoder->out.len;
    encoder->counts[section] = count;
    lookup_open(&encoder->ids, encoder->scratch, (uint32_t)count);
}

int32_t
catalog_encode_word(struct encoder *encoder, const char *text)
{
    return text[0] == '\0' ? -1 : words_number(encoder->schema.words, text, strlen(text));
}

void
catalog_encode_expr(struct encoder *encoder, const struct expr *expr)
{
    struct codec_writer *out = &encoder->out;
    codec_put(out, expr->node_count, 2);
    codec_put(out, expr->set_count, 2);
    for (uint32_t i = 0; i < expr->node_count; i++) {
        const struct expr_node *node = &expr->nodes[i];
        codec_put(out, node->kind, 1);
        codec_put(out, node->negated, 1);
        codec_put(out, node->attribute, 1);
        codec_put(out, node->size, 2);
        codec_put(out, node->set, 2);
        codec_put(out, node->count, 2);
        codec_put(out, (uint64_t)node->least, 8);
        codec_put(out, (uint64_t)node->most, 8);
        codec_put(out, node->column, 2);
        codec_put(out, node->length, 2);
    }
    for (uint32_t i = 0; i < expr->set_count; i++) codec_put(out, (uint64_t)expr->sets[i], 8);
}

bool
catalog_encode_compile(struct encoder *encoder, const char *rule, uint8_t admits, const char *kind,
                       const char *code, struct expr *out_expr)
{
    struct expr_error error;
    encoder->schema.admits = admits;
    if (expr_compile(rule, strlen(rule), &encoder->schema, encoder->scratch, out_expr, &error) ==
        STATUS_OK)
        return true;
    (void)catalog_encode_refuse(encoder, "rule of %s '%s': %s", kind, code, error.text);
    encoder->error->column = error.column;
    encoder->error->length = error.length;
    return false;
}

bool
catalog_encode_rule(struct encoder *encoder, const char *rule, uint8_t admits, const char *kind,
                    const char *code)
{
    struct expr expr;
    if (!catalog_encode_compile(encoder, rule, admits, kind, code, &expr)) return false;
    catalog_encode_expr(encoder, &expr);
    return true;
}

static void
set_value(struct values *values, uint32_t attribute, int64_t value)
{
    values->known |= UINT64_C(1) << attribute;
    values->value[attribute] = value;
}

void
catalog_encode_builtin(struct encoder *encoder, struct values *values, enum builtin attribute,
                       const char *text)
{
    if (text[0] != '\0') set_value(values, attribute, catalog_encode_word(encoder, text));
}

static bool
parse_integer(const char *text, int64_t *out_value)
{
    bool negative = text[0] == '-';
    const char *digit = text + negative;
    int64_t value = 0;
    if (*digit == '\0') return false;
    for (; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_sub_overflow(value, negative ? *digit - '0' : '0' - *digit, &value))
            return false;
    }
    *out_value = value;
    return true;
}

// The words of a list, ascending without repeats, at the end of `values->list_items`.
static bool
set_list(struct encoder *encoder, struct values *values, uint32_t attribute,
         const struct market_value *declared)
{
    uint32_t first = values->list_used;
    int32_t *items = values->list_items + first;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < declared->count; i++) {
        int32_t word = words_number(encoder->schema.words, declared->items[i],
                                    strlen(declared->items[i]));
        uint32_t at = kept;
        while (at > 0 && items[at - 1] > word) at--;
        if (at > 0 && items[at - 1] == word) continue;
        if (first + kept == BOUND_LIST_ITEMS) return false;
        memmove(items + at + 1, items + at, (kept - at) * sizeof items[0]);
        items[at] = word;
        kept++;
    }
    values->list_used = first + kept;
    set_value(values, attribute, (int64_t)first << 32 | kept);
    return true;
}

// One declared value, whose attribute is found and of the right kind.
static bool
bind_value(struct encoder *encoder, struct values *values, uint32_t attribute,
           const struct market_value *declared)
{
    const struct expr_attribute *is = &encoder->schema.attributes[attribute];
    for (uint32_t i = 0; i < declared->count; i++)
        if (strlen(declared->items[i]) > BOUND_TEXT) return false;
    if (is->type == ATTRIBUTE_LIST) return set_list(encoder, values, attribute, declared);
    if (declared->count != 1) return false;
    const char *text = declared->items[0];
    if (is->type == ATTRIBUTE_BOOLEAN) {
        bool truth = strcmp(text, "true") == 0;
        if (!truth && strcmp(text, "false") != 0) return false;
        set_value(values, attribute, truth);
    } else if (is->type == ATTRIBUTE_INTEGER) {
        int64_t value;
        if (!parse_integer(text, &value) || value < is->least || value > is->most) return false;
        set_value(values, attribute, value);
    } else {
        set_value(values, attribute, words_number(encoder->schema.words, text, strlen(text)));
    }
    return true;
}

bool
catalog_encode_declared(struct encoder *encoder, struct values *values, enum attribute_of of,
                        const struct market_value *declared, uint32_t count, const char *kind,
                        const char *code)
{
    const struct expr_schema *schema = &encoder->schema;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t attribute = BUILTIN_COUNT;
        const char *name = declared[i].attribute;
        while (attribute < schema->count && strcmp(schema->attributes[attribute].name, name) != 0)
            attribute++;
        if (attribute == schema->count || schema->attributes[attribute].of != of)
            return catalog_encode_refuse(encoder, "%s '%s': '%s' is no attribute declared of a %s",
                                         kind, code, name, kind);
        if ((values->known >> attribute & 1) != 0)
            return catalog_encode_refuse(encoder, "%s '%s': attribute '%s' has two values", kind,
                                         code, name);
        if (!bind_value(encoder, values, attribute, &declared[i]))
            return catalog_encode_refuse(
                encoder, "%s '%s': the value of attribute '%s' does not fit its type or range",
                kind, code, name);
    }
    return true;
}

void
catalog_encode_values(struct encoder *encoder, const struct values *values)
{
    struct codec_writer *out = &encoder->out;
    codec_put(out, (uint64_t)__builtin_popcountll(values->known), 1);
    for (uint32_t attribute = 0; attribute < encoder->schema.count; attribute++) {
        if ((values->known >> attribute & 1) == 0) continue;
        uint8_t type = encoder->schema.attributes[attribute].type;
        int64_t value = values->value[attribute];
        codec_put(out, attribute, 1);
        if (type == ATTRIBUTE_TEXT) {
            codec_put(out, (uint64_t)value, 4);
        } else if (type == ATTRIBUTE_LIST) {
            uint32_t first = (uint32_t)(value >> 32), count = (uint32_t)value;
            codec_put(out, count, 2);
            for (uint32_t i = 0; i < count; i++)
                codec_put(out, (uint64_t)values->list_items[first + i], 4);
        } else {
            codec_put(out, (uint64_t)value, 8);
        }
    }
}
