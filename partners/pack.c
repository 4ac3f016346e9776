// MessagePack, written by msgpack-c into bounded memory. The library chooses the shortest form of
// every number and length; this file gives it a place to write (`append`) and the names of everyday
// pairs. Arrays and maps opened before their count is known are of the 16-bit form, asked for by
// the largest count of that form.
#include "pack.h"

#include <msgpack.h>
#include <string.h>

#include "fail.h"

#define COUNT_LATER UINT16_MAX

// The library's way out: appends, or remembers that there was no room.
static int
append(void *data, const char *bytes, size_t len)
{
    struct pack *pack = data;
    if (pack->full || pack->room - pack->len < len) {
        pack->full = true;
        return -1;
    }
    memcpy(pack->data + pack->len, bytes, len);
    pack->len += len;
    return 0;
}

static inline msgpack_packer
packer(struct pack *pack)
{
    return (msgpack_packer){.data = pack, .callback = append};
}

// The library answers what `append` answered, and `append` keeps it in `full`: so its answers are
// not looked at.
void
pack_nil(struct pack *pack)
{
    msgpack_packer to = packer(pack);
    (void)msgpack_pack_nil(&to);
}

void
pack_boolean(struct pack *pack, bool value)
{
    msgpack_packer to = packer(pack);
    (void)(value ? msgpack_pack_true(&to) : msgpack_pack_false(&to));
}

void
pack_integer(struct pack *pack, int64_t value)
{
    msgpack_packer to = packer(pack);
    (void)msgpack_pack_int64(&to, value);
}

void
pack_text(struct pack *pack, const char *text, size_t len)
{
    CHECK(len <= UINT32_MAX);
    msgpack_packer to = packer(pack);
    (void)msgpack_pack_str(&to, len);
    if (len > 0) (void)msgpack_pack_str_body(&to, text, len);
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
    msgpack_packer to = packer(pack);
    (void)msgpack_pack_bin(&to, len);
    if (len > 0) (void)msgpack_pack_bin_body(&to, data, len);
}

void
pack_array(struct pack *pack, uint32_t count)
{
    msgpack_packer to = packer(pack);
    (void)msgpack_pack_array(&to, count);
}

void
pack_map(struct pack *pack, uint32_t count)
{
    msgpack_packer to = packer(pack);
    (void)msgpack_pack_map(&to, count);
}

size_t
pack_open_array(struct pack *pack)
{
    size_t where = pack->len;
    pack_array(pack, COUNT_LATER);
    return where;
}

size_t
pack_open_map(struct pack *pack)
{
    size_t where = pack->len;
    pack_map(pack, COUNT_LATER);
    return where;
}

void
pack_close(struct pack *pack, size_t where, uint32_t count)
{
    if (pack->full) return;
    CHECK(count <= UINT16_MAX && where + 3 <= pack->len);
    CHECK(pack->data[where] == 0xdc || pack->data[where] == 0xde);
    pack->data[where + 1] = (uint8_t)(count >> 8);
    pack->data[where + 2] = (uint8_t)count;
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
