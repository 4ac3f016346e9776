// The everyday MessagePack values of answers, written in place: byte for byte what pack.h writes,
// whose library goes through a call and a length for each of the sixty keys of a contact's answer.
// Whatever is not everyday (long texts, negative numbers) is left to pack.h. Private to engine/.
#ifndef VENDUE_PUT_H
#define VENDUE_PUT_H

#include <endian.h>
#include <string.h>

#include "fail.h"
#include "hash.h"
#include "pack.h"

#define PUT_INLINE static inline __attribute__((always_inline))

// Where to write `len` bytes; NULL: there is no room, and the pack knows.
PUT_INLINE uint8_t *
put_room(struct pack *pack, size_t len)
{
    if (pack->full || pack->room - pack->len < len) {
        pack->full = true;
        return NULL;
    }
    uint8_t *at = pack->data + pack->len;
    pack->len += len;
    return at;
}

// A text of at most 31 bytes whose length the compiler knows: keys, words.
PUT_INLINE void
put_word(struct pack *pack, const char *word)
{
    size_t len = __builtin_strlen(word);
    CHECK(len < 32);
    uint8_t *at = put_room(pack, 1 + len);
    if (at == NULL) return;
    at[0] = (uint8_t)(0xa0 | len);
    memcpy(at + 1, word, len);
}

PUT_INLINE void
put_text(struct pack *pack, const char *text, size_t len)
{
    if (len >= 32) {
        pack_text(pack, text, len);
        return;
    }
    uint8_t *at = put_room(pack, 1 + len);
    if (at == NULL) return;
    at[0] = (uint8_t)(0xa0 | len);
    memcpy(at + 1, text, len);
}

PUT_INLINE void
put_integer(struct pack *pack, int64_t value)
{
    if (value < 0) {
        pack_integer(pack, value);
        return;
    }
    unsigned size = value < 0x80          ? 0
                    : value <= UINT8_MAX  ? 1
                    : value <= UINT16_MAX ? 2
                    : value <= UINT32_MAX ? 4
                                          : 8;
    uint8_t *at = put_room(pack, 1 + size);
    if (at == NULL) return;
    static const uint8_t heads[9] = {[1] = 0xcc, [2] = 0xcd, [4] = 0xce, [8] = 0xcf};
    at[0] = size == 0 ? (uint8_t)value : heads[size];
    uint64_t bytes = htobe64((uint64_t)value);
    memcpy(at + 1, (const uint8_t *)&bytes + (sizeof bytes - size), size);
}

PUT_INLINE void
put_boolean(struct pack *pack, bool value)
{
    uint8_t *at = put_room(pack, 1);
    if (at != NULL) *at = value ? 0xc3 : 0xc2;
}

// Maps and arrays of at most 15 members.
PUT_INLINE void
put_map(struct pack *pack, uint32_t count)
{
    CHECK(count < 16);
    uint8_t *at = put_room(pack, 1);
    if (at != NULL) *at = (uint8_t)(0x80 | count);
}

PUT_INLINE void
put_array(struct pack *pack, uint32_t count)
{
    CHECK(count < 16);
    uint8_t *at = put_room(pack, 1);
    if (at != NULL) *at = (uint8_t)(0x90 | count);
}

// Values that are MessagePack already.
PUT_INLINE void
put_bytes(struct pack *pack, const void *bytes, size_t len)
{
    uint8_t *at = put_room(pack, len);
    if (at != NULL) memcpy(at, bytes, len);
}

// 16 and 32 digits.
PUT_INLINE void
put_hex(struct pack *pack, uint64_t value)
{
    uint8_t *at = put_room(pack, 17);
    if (at == NULL) return;
    at[0] = 0xa0 | 16;
    hash_hex(value, (char *)at + 1);
}

PUT_INLINE void
put_id(struct pack *pack, struct id id)
{
    uint8_t *at = put_room(pack, 34);
    if (at == NULL) return;
    uint64_t halves[2];
    memcpy(halves, id.bytes, sizeof halves);
    at[0] = 0xd9;
    at[1] = 32;
    hash_hex(be64toh(halves[0]), (char *)at + 2);
    hash_hex(be64toh(halves[1]), (char *)at + 18);
}

#endif
