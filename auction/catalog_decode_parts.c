// The decoder's parts. Each reads one thing and leaves either something usable or `damaged`: a
// caller may go on after damage, since every value that comes out is in range then too.
#include "catalog_block.h"
#include "catalog_decode.h"

#include <string.h>

uint32_t
catalog_decode_index(struct decoder *decoder, uint32_t count, bool none)
{
    uint32_t index = codec_get_u32(&decoder->in);
    catalog_decode_need(decoder, index < count || (none && index == UINT32_MAX));
    return index;
}

int32_t
catalog_decode_word(struct decoder *decoder, bool none)
{
    return (int32_t)catalog_decode_index(decoder, decoder->catalog->word_count, none);
}

money
catalog_decode_money(struct decoder *decoder)
{
    money amount = money_of(codec_get_i64(&decoder->in));
    catalog_decode_need(decoder, amount.micros >= 0 && amount.micros <= BOUND_MICROS);
    return amount;
}

uint8_t
catalog_decode_enum(struct decoder *decoder, unsigned count)
{
    uint8_t value = codec_get_u8(&decoder->in);
    catalog_decode_need(decoder, value < count);
    return value;
}

bool
catalog_decode_bool(struct decoder *decoder)
{
    return catalog_decode_enum(decoder, 2) != 0;
}

const char *
catalog_decode_text(struct decoder *decoder, size_t most)
{
    return codec_get_text(&decoder->in, decoder->arena, most);
}

const char *
catalog_decode_code(struct decoder *decoder, size_t most)
{
    const char *code = catalog_decode_text(decoder, most);
    catalog_decode_need(decoder, code[0] != '\0');
    return code;
}

void
catalog_decode_rule(struct decoder *decoder, uint8_t admits, struct expr *out_expr)
{
    struct codec_reader *in = &decoder->in;
    uint32_t node_count = codec_get_u16(in), set_count = codec_get_u16(in);
    size_t left = (size_t)(in->end - in->at);
    *out_expr = (struct expr){0};
    if (in->damaged || node_count == 0 ||
        node_count * (size_t)CATALOG_BLOCK_NODE + set_count * (size_t)8 > left) {
        in->damaged = true;
        return;
    }
    struct expr_node *nodes = arena_take(decoder->arena, node_count, sizeof *nodes);
    int64_t *sets = set_count == 0 ? NULL : arena_take(decoder->arena, set_count, sizeof *sets);
    for (uint32_t i = 0; i < node_count; i++) {
        struct expr_node *node = &nodes[i];
        node->kind = codec_get_u8(in);
        node->negated = codec_get_u8(in);
        node->attribute = codec_get_u8(in);
        node->size = codec_get_u16(in);
        node->set = codec_get_u16(in);
        node->count = codec_get_u16(in);
        node->least = codec_get_i64(in);
        node->most = codec_get_i64(in);
        node->column = codec_get_u16(in);
        node->length = codec_get_u16(in);
    }
    for (uint32_t i = 0; i < set_count; i++) sets[i] = codec_get_i64(in);
    *out_expr = (struct expr){nodes, node_count, sets, set_count};
    decoder->schema.admits = admits;
    catalog_decode_need(decoder,
                        expr_sound(out_expr, &decoder->schema, decoder->catalog->word_count));
}

// The words of one list, ascending, at the end of `list_items`.
static int64_t
decode_list(struct decoder *decoder, struct values *values)
{
    uint32_t first = values->list_used, count = codec_get_u16(&decoder->in);
    if (count > BOUND_LIST_ITEMS - first) {
        decoder->in.damaged = true;
        return (int64_t)first << 32;
    }
    for (uint32_t i = 0; i < count; i++) {
        int32_t word = catalog_decode_word(decoder, false);
        catalog_decode_need(decoder, i == 0 || values->list_items[first + i - 1] < word);
        values->list_items[first + i] = word;
    }
    values->list_used = first + count;
    return (int64_t)first << 32 | count;
}

static void
decode_values(struct decoder *decoder, enum attribute_of of, struct values *out_values)
{
    struct codec_reader *in = &decoder->in;
    uint32_t count = codec_get_u8(in), least = 0;
    for (uint32_t i = 0; i < count && !in->damaged; i++) {
        uint32_t attribute = codec_get_u8(in);
        if (attribute < least || attribute >= decoder->schema.count) {
            in->damaged = true;
            return;
        }
        least = attribute + 1;
        const struct expr_attribute *is = &decoder->schema.attributes[attribute];
        catalog_decode_need(decoder, is->of == of);
        int64_t value;
        if (is->type == ATTRIBUTE_TEXT) {
            value = catalog_decode_word(decoder, false);
        } else if (is->type == ATTRIBUTE_LIST) {
            value = decode_list(decoder, out_values);
        } else {
            value = codec_get_i64(in);
            bool boolean = is->type == ATTRIBUTE_BOOLEAN;
            catalog_decode_need(decoder, value >= (boolean ? 0 : is->least) &&
                                             value <= (boolean ? 1 : is->most));
        }
        out_values->known |= UINT64_C(1) << attribute;
        out_values->value[attribute] = value;
    }
}

void
catalog_decode_values(struct decoder *decoder, enum attribute_of of, struct declared *out_declared)
{
    struct values values;
    values.known = values.list_used = 0;
    decode_values(decoder, of, &values);
    uint32_t count = (uint32_t)__builtin_popcountll(values.known), next = 0;
    int64_t *value = arena_take(decoder->arena, count + 1, sizeof *value);
    int32_t *items = arena_take(decoder->arena, values.list_used + 1, sizeof *items);
    for (uint32_t attribute = 0; attribute < BOUND_ATTRIBUTES; attribute++)
        if ((values.known >> attribute & 1) != 0) value[next++] = values.value[attribute];
    memcpy(items, values.list_items, values.list_used * sizeof *items);
    *out_declared = (struct declared){values.known, value, items};
}
