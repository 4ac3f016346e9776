// Parameters of a statement in PostgreSQL's binary form.
//
// 1 Integers are big-endian; a uuid is its 16 bytes; text and bytea are their bytes.
// 2 An array is: dimensions (0 or 1), has-null flag, element type, then size, lower bound 1, and
//   length and bytes of each item. An empty array has no dimension.
#include "param.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

struct db_param
db_text(const char *text)
{
    return text ? db_text_len(text, strlen(text)) : db_null();
}

struct db_param
db_text_len(const char *text, size_t len)
{
    return (struct db_param){.type = DB_TEXT, .data = text, .count = len};
}

struct db_param
db_bytes(const void *data, size_t len)
{
    return (struct db_param){.type = DB_BYTES, .data = data, .count = len};
}

struct db_param
db_int4_array(const int32_t *items, size_t count)
{
    return (struct db_param){.type = DB_INT4_ARRAY, .data = items, .count = count};
}

struct db_param
db_int8_array(const int64_t *items, size_t count)
{
    return (struct db_param){.type = DB_INT8_ARRAY, .data = items, .count = count};
}

struct db_param
db_text_array(const char *const *items, size_t count)
{
    return (struct db_param){.type = DB_TEXT_ARRAY, .data = items, .count = count};
}

struct db_param
db_id_array(const struct id *items, size_t count)
{
    return (struct db_param){.type = DB_ID_ARRAY, .data = items, .count = count};
}

static uint32_t
param_oid(enum db_type type)
{
    switch (type) {
    case DB_NULL: return 0;
    case DB_INT4: return OID_INT4;
    case DB_INT8: return OID_INT8;
    case DB_TEXT: return OID_TEXT;
    case DB_BYTES: return OID_BYTEA;
    case DB_ID: return OID_UUID;
    case DB_INT4_ARRAY: return OID_INT4_ARRAY;
    case DB_INT8_ARRAY: return OID_INT8_ARRAY;
    case DB_TEXT_ARRAY: return OID_TEXT_ARRAY;
    case DB_ID_ARRAY: return OID_UUID_ARRAY;
    }
    CHECK(!"type of a parameter");
    return 0;
}

// One item of an array: writes length and bytes when `out` is given; gives the bytes it takes.
static size_t
array_item(const struct db_param *param, size_t index, uint8_t *out)
{
    size_t len = 0;
    const char *text = NULL;
    if (param->type == DB_TEXT_ARRAY) {
        text = ((const char *const *)param->data)[index];
        len = strlen(text);
    } else {
        len = param->type == DB_INT4_ARRAY ? 4 : param->type == DB_INT8_ARRAY ? 8 : 16;
    }
    if (!out) {
        return 4 + len;
    }
    out = param_put(out, len, 4);
    if (text) {
        memcpy(out, text, len);
    } else if (param->type == DB_INT4_ARRAY) {
        param_put(out, (uint32_t)((const int32_t *)param->data)[index], 4);
    } else if (param->type == DB_INT8_ARRAY) {
        param_put(out, (uint64_t)((const int64_t *)param->data)[index], 8);
    } else {
        memcpy(out, ((const struct id *)param->data)[index].bytes, 16);
    }
    return 4 + len;
}

static uint8_t *
array_encode(const struct db_param *param, int *out_len)
{
    static const enum oid item_oid[] = {[DB_INT4_ARRAY] = OID_INT4,
                                        [DB_INT8_ARRAY] = OID_INT8,
                                        [DB_TEXT_ARRAY] = OID_TEXT,
                                        [DB_ID_ARRAY] = OID_UUID};
    size_t len = 20;
    for (size_t i = 0; i < param->count; i++) {
        len += array_item(param, i, NULL);
    }
    CHECK(len < INT32_MAX);
    uint8_t *bytes = malloc(len);
    CHECK(bytes);
    uint8_t *at = param_put(bytes, param->count ? 1 : 0, 4);
    at = param_put(at, 0, 4);
    at = param_put(at, item_oid[param->type], 4);
    *out_len = 12;
    if (param->count) {
        at = param_put(at, param->count, 4);
        at = param_put(at, 1, 4);
        for (size_t i = 0; i < param->count; i++) {
            at += array_item(param, i, at);
        }
        *out_len = (int)len;
    }
    return bytes;
}

static void
encode_one(struct param_encoded *out, size_t index, const struct db_param *param)
{
    uint8_t *scalar = out->scalars[index];
    out->types[index] = param_oid(param->type);
    out->formats[index] = 1;
    out->values[index] = (const char *)scalar;
    switch (param->type) {
    case DB_NULL: out->values[index] = NULL; break;
    case DB_INT4:
        param_put(scalar, (uint64_t)param->integer, 4);
        out->lengths[index] = 4;
        break;
    case DB_INT8:
        param_put(scalar, (uint64_t)param->integer, 8);
        out->lengths[index] = 8;
        break;
    case DB_ID:
        memcpy(scalar, param->id.bytes, 16);
        out->lengths[index] = 16;
        break;
    case DB_TEXT:
    case DB_BYTES:
        CHECK(param->count < INT32_MAX);
        out->values[index] = param->count ? param->data : "";
        out->lengths[index] = (int)param->count;
        break;
    case DB_INT4_ARRAY:
    case DB_INT8_ARRAY:
    case DB_TEXT_ARRAY:
    case DB_ID_ARRAY:
        out->arrays[index] = array_encode(param, &out->lengths[index]);
        out->values[index] = (const char *)out->arrays[index];
        break;
    }
}

void
param_encode(struct param_encoded *out, const struct db_param *params, size_t count)
{
    CHECK(count <= PARAM_MAX);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++) encode_one(out, i, &params[i]);
}

void
param_free(struct param_encoded *encoded, size_t count)
{
    for (size_t i = 0; i < count; i++) free(encoded->arrays[i]);
}

// Bytes that follow a first byte, and the range of the second one that excludes overlong forms,
// surrogates and numbers beyond U+10FFFF.
static unsigned
following(uint8_t first, uint8_t *out_low, uint8_t *out_high)
{
    *out_low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *out_high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first >= 0xc2 && first <= 0xdf) return 1;
    if (first >= 0xe0 && first <= 0xef) return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : 0;
}

bool
param_is_utf8(const char *text, size_t len)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + len;
    while (at < end) {
        uint8_t low, high, first = *at++;
        if (first == 0) return false;
        if (first < 0x80) continue;
        unsigned more = following(first, &low, &high);
        if (more == 0 || (size_t)(end - at) < more) return false;
        for (; more; more--, at++, low = 0x80, high = 0xbf) {
            if (*at < low || *at > high) return false;
        }
    }
    return true;
}
