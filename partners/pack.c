// MessagePack, written: the counterpart of wire.c, byte for byte what the library of the tests writes.
//   integers   the shortest of fixint, uint 8-64 (from 0 up), negative fixint, int 8-64 (below 0)
//   text       fixstr, str 8, 16, 32;  bytes: bin 8, 16, 32
//   array, map fix, 16, 32; those opened before their count is known are always of 16 bits
#include "pack.h"

#include <string.h>

#include "fail.h"

// Room for `size` more bytes, or NULL.
static inline uint8_t *
take(struct pack *pack, size_t size)
{
    if (pack->full || pack->room - pack->len < size) {
        pack->full = true;
        return NULL;
    }
    uint8_t *at = pack->data + pack->len;
    pack->len += size;
    return at;
}

static void
put_big_endian(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

// A leading byte and a number of `bytes` bytes.
static void
put_number(struct pack *pack, uint8_t lead, uint64_t value, unsigned bytes)
{
    uint8_t *at = take(pack, 1u + bytes);
    if (at == NULL) return;
    *at = lead;
    put_big_endian(at + 1, value, bytes);
}

void
pack_nil(struct pack *pack)
{
    put_number(pack, 0xc0, 0, 0);
}

void
pack_boolean(struct pack *pack, bool value)
{
    put_number(pack, value ? 0xc3 : 0xc2, 0, 0);
}

void
pack_integer(struct pack *pack, int64_t value)
{
    uint64_t raw = (uint64_t)value;
    if (value >= -32 && value <= 127)
        put_number(pack, (uint8_t)value, 0, 0);
    else if (value >= 0 && value <= UINT8_MAX)
        put_number(pack, 0xcc, raw, 1);
    else if (value >= 0 && value <= UINT16_MAX)
        put_number(pack, 0xcd, raw, 2);
    else if (value >= 0 && value <= UINT32_MAX)
        put_number(pack, 0xce, raw, 4);
    else if (value >= 0)
        put_number(pack, 0xcf, raw, 8);
    else if (value >= INT8_MIN)
        put_number(pack, 0xd0, raw, 1);
    else if (value >= INT16_MIN)
        put_number(pack, 0xd1, raw, 2);
    else if (value >= INT32_MIN)
        put_number(pack, 0xd2, raw, 4);
    else
        put_number(pack, 0xd3, raw, 8);
}

static void
put_payload(struct pack *pack, const void *data, size_t len)
{
    uint8_t *at = take(pack, len);
    if (at != NULL && len > 0) memcpy(at, data, len);
}

void
pack_text(struct pack *pack, const char *text, size_t len)
{
    CHECK(len <= UINT32_MAX);
    if (len < 32)
        put_number(pack, (uint8_t)(0xa0 | len), 0, 0);
    else if (len <= UINT8_MAX)
        put_number(pack, 0xd9, len, 1);
    else if (len <= UINT16_MAX)
        put_number(pack, 0xda, len, 2);
    else
        put_number(pack, 0xdb, len, 4);
    put_payload(pack, text, len);
}

void
pack_string(struct pack *pack, const char *text)
{
    pack_text(pack, text, strlen(text));
}

void
pack_bytes(struct pack *pack, const void *data, size_t len)
{
    CHECK(len <= UINT32_MAX);
    if (len <= UINT8_MAX)
        put_number(pack, 0xc4, len, 1);
    else if (len <= UINT16_MAX)
        put_number(pack, 0xc5, len, 2);
    else
        put_number(pack, 0xc6, len, 4);
    put_payload(pack, data, len);
}

void
pack_array(struct pack *pack, uint32_t count)
{
    if (count < 16)
        put_number(pack, (uint8_t)(0x90 | count), 0, 0);
    else if (count <= UINT16_MAX)
        put_number(pack, 0xdc, count, 2);
    else
        put_number(pack, 0xdd, count, 4);
}

void
pack_map(struct pack *pack, uint32_t count)
{
    if (count < 16)
        put_number(pack, (uint8_t)(0x80 | count), 0, 0);
    else if (count <= UINT16_MAX)
        put_number(pack, 0xde, count, 2);
    else
        put_number(pack, 0xdf, count, 4);
}

size_t
pack_open_array(struct pack *pack)
{
    size_t where = pack->len;
    put_number(pack, 0xdc, 0, 2);
    return where;
}

size_t
pack_open_map(struct pack *pack)
{
    size_t where = pack->len;
    put_number(pack, 0xde, 0, 2);
    return where;
}

void
pack_close(struct pack *pack, size_t where, uint32_t count)
{
    if (pack->full) return;
    CHECK(count <= UINT16_MAX && where + 3 <= pack->len);
    CHECK(pack->data[where] == 0xdc || pack->data[where] == 0xde);
    put_big_endian(pack->data + where + 1, count, 2);
}

void
pack_pair_nil(struct pack *pack, const char *key)
{
    pack_string(pack, key);
    pack_nil(pack);
}

void
pack_pair_boolean(struct pack *pack, const char *key, bool value)
{
    pack_string(pack, key);
    pack_boolean(pack, value);
}

void
pack_pair_integer(struct pack *pack, const char *key, int64_t value)
{
    pack_string(pack, key);
    pack_integer(pack, value);
}

void
pack_pair_string(struct pack *pack, const char *key, const char *value)
{
    pack_string(pack, key);
    pack_string(pack, value);
}

void
pack_pair_text(struct pack *pack, const char *key, const char *text, size_t len)
{
    pack_string(pack, key);
    pack_text(pack, text, len);
}
