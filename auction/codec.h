// Little-endian bytes, written and read piece by piece. Private to auction/ (the catalog's block).
#ifndef VENDUE_CODEC_H
#define VENDUE_CODEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "fail.h"

// Writes into a buffer that grows in its arena.
struct codec_writer {
    struct arena *arena;
    uint8_t *bytes;
    size_t len, room;
};
void codec_open(struct codec_writer *writer, struct arena *arena, size_t room);
void codec_grow(struct codec_writer *writer, size_t more);

static inline void
codec_put(struct codec_writer *writer, uint64_t value, unsigned size)
{
    if (writer->room - writer->len < 8) codec_grow(writer, 8);
    for (unsigned i = 0; i < size; i++) writer->bytes[writer->len++] = (uint8_t)(value >> 8 * i);
}
void codec_put_bytes(struct codec_writer *writer, const void *bytes, size_t len);
void
codec_put_text(struct codec_writer *writer, const char *text);  // 16-bit length, then the bytes

// Reads, and never beyond `end`: what is not there reads as 0 and sets `damaged`, for good.
struct codec_reader {
    const uint8_t *at, *end;
    bool damaged;
};
static inline uint64_t
codec_get(struct codec_reader *reader, unsigned size)
{
    if ((size_t)(reader->end - reader->at) < size) {
        reader->damaged = true;
        reader->at = reader->end;
        return 0;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) value |= (uint64_t)reader->at[i] << 8 * i;
    reader->at += size;
    return value;
}
static inline uint8_t
codec_get_u8(struct codec_reader *reader)
{
    return (uint8_t)codec_get(reader, 1);
}
static inline uint16_t
codec_get_u16(struct codec_reader *reader)
{
    return (uint16_t)codec_get(reader, 2);
}
static inline uint32_t
codec_get_u32(struct codec_reader *reader)
{
    return (uint32_t)codec_get(reader, 4);
}
static inline int64_t
codec_get_i64(struct codec_reader *reader)
{
    return (int64_t)codec_get(reader, 8);
}
void codec_get_bytes(struct codec_reader *reader, void *out, size_t len);
// A text of at most `most` bytes without NUL, copied into the arena; "" when damaged.
const char *codec_get_text(struct codec_reader *reader, struct arena *arena, size_t most);

#endif
