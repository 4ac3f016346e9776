// Bytes of a connection on their way in or out, in blocks of few sizes that a pool keeps for the
// next user: traffic allocates nothing once it is warm, and an idle connection holds nothing.
#ifndef VENDUE_BUFFER_H
#define VENDUE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUFFER_SIZES 5  // 4 KiB, 16, 64, 256, 1024
#define BUFFER_LEAST 4096u
#define BUFFER_MOST (BUFFER_LEAST << 2 * (BUFFER_SIZES - 1))

struct buffer_pool {
    struct buffer_block *free[BUFFER_SIZES];
    size_t bytes_free;  // in those lists
};
struct buffer {                 // zero is an empty one
    uint8_t *data;              // NULL, or a block
    uint32_t start, len, room;  // `len` bytes begin at data + start
};

// Room for `extra` more bytes behind the last. False: beyond BUFFER_MOST, or no memory; nothing
// changed.
bool buffer_reserve(struct buffer_pool *pool, struct buffer *buffer, size_t extra);
static inline uint8_t *
buffer_end(const struct buffer *buffer)
{
    return buffer->data + buffer->start + buffer->len;
}
static inline size_t
buffer_room(const struct buffer *buffer)  // behind the last byte
{
    return buffer->room - buffer->start - buffer->len;
}
bool buffer_append(struct buffer_pool *pool, struct buffer *buffer, const void *data, size_t len);
void buffer_consume(struct buffer *buffer, size_t count);
// Gives back what is not needed: the block of an empty buffer; a large block that holds little.
void buffer_trim(struct buffer_pool *pool, struct buffer *buffer);
void buffer_clear(struct buffer_pool *pool, struct buffer *buffer);
void buffer_pool_close(struct buffer_pool *pool);

#endif
