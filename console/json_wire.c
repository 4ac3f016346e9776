// JSON to MessagePack and back. Maps keep the order in which they were written.
#include "json_wire.h"

#include <stdlib.h>

#include "fail.h"

static bool
write_map(struct pack *pack, const json_t *map, const char **out_key)
{
    const char *key;
    json_t *value;
    pack_map(pack, (uint32_t)json_object_size(map));
    json_object_foreach((json_t *)map, key, value)
    {
        pack_string(pack, key);
        if (json_wire_write(pack, value, out_key)) continue;
        if ((*out_key)[0] == '\0') *out_key = key;
        return false;
    }
    return true;
}

bool
json_wire_write(struct pack *pack, const json_t *value, const char **out_key)
{
    switch (json_typeof(value)) {
    case JSON_NULL: pack_nil(pack); return true;
    case JSON_TRUE: pack_boolean(pack, true); return true;
    case JSON_FALSE: pack_boolean(pack, false); return true;
    case JSON_INTEGER: pack_integer(pack, json_integer_value(value)); return true;
    case JSON_STRING:
        pack_text(pack, json_string_value(value), json_string_length(value));
        return true;
    case JSON_OBJECT: return write_map(pack, value, out_key);
    case JSON_ARRAY:
        pack_array(pack, (uint32_t)json_array_size(value));
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (!json_wire_write(pack, json_array_get(value, i), out_key)) return false;
        }
        return true;
    case JSON_REAL: break;
    }
    *out_key = "";
    return false;
}

static json_t *
read_bytes(struct wire_reader *reader)
{
    const uint8_t *data;
    uint32_t len;
    if (!wire_bytes(reader, &data, &len)) return NULL;
    char *text = malloc((size_t)len + 1);
    CHECK(text);
    for (uint32_t i = 0; i < len; i++)
        text[i] = data[i] < 0x80 && data[i] != 0 ? (char)data[i] : '?';
    json_t *value = json_stringn(text, len);
    free(text);
    return value;
}

static json_t *
read_map(struct wire_reader *reader)
{
    struct wire_map map;
    struct wire_text key;
    if (!wire_map_begin(reader, &map)) return NULL;
    json_t *object = json_object();
    while (wire_map_next(reader, &map, &key)) {
        char name[128];
        json_t *value = key.len < sizeof name ? json_wire_read(reader) : NULL;
        if (!value) continue;  // left out; trouble ends the walk
        snprintf(name, sizeof name, "%.*s", (int)key.len, key.data);
        json_object_set_new(object, name, value);
    }
    if (reader->reason == REASON_NONE) return object;
    json_decref(object);
    return NULL;
}

static json_t *
read_array(struct wire_reader *reader)
{
    struct wire_array array;
    if (!wire_array_begin(reader, &array)) return NULL;
    json_t *list = json_array();
    while (wire_array_next(reader, &array)) {
        json_t *value = json_wire_read(reader);
        if (value) json_array_append_new(list, value);
    }
    if (reader->reason == REASON_NONE) return list;
    json_decref(list);
    return NULL;
}

json_t *
json_wire_read(struct wire_reader *reader)
{
    bool truth;
    int64_t integer;
    struct wire_text text;
    if (reader->reason != REASON_NONE) return NULL;
    switch (wire_peek(reader)) {
    case WIRE_NIL: return wire_skip(reader) ? json_null() : NULL;
    case WIRE_BOOLEAN: return wire_boolean(reader, &truth) ? json_boolean(truth) : NULL;
    case WIRE_INTEGER:
        return wire_integer(reader, INT64_MIN, INT64_MAX, &integer) ? json_integer(integer) : NULL;
    case WIRE_TEXT:
        return wire_text(reader, 0, BOUND_MESSAGE_BYTES, &text) ? json_stringn(text.data, text.len)
                                                                : NULL;
    case WIRE_BYTES: return read_bytes(reader);
    case WIRE_ARRAY: return read_array(reader);
    case WIRE_MAP: return read_map(reader);
    case WIRE_FLOAT: break;
    }
    wire_skip(reader);
    return json_null();
}
