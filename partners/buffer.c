// Blocks of five sizes, each four times the one before, in one free list a size; a free block's
// first bytes link it. The pool keeps at most KEEP bytes; what comes back beyond that is freed.
//
//   1 start + len <= room; data == NULL exactly when room == 0.
//   2 Bytes move only in buffer_reserve and buffer_trim: pointers into a buffer live until the
//     next of these.
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define KEEP (8u * 1024 * 1024)

struct buffer_block {
    struct buffer_block *next;
};

static uint32_t
size_bytes(unsigned size)
{
    return BUFFER_LEAST << 2 * size;
}

// The smallest size of at least `bytes`; BUFFER_SIZES: none.
static unsigned
size_for(size_t bytes)
{
    unsigned size = 0;
    while (size < BUFFER_SIZES && size_bytes(size) < bytes) size++;
    return size;
}

static uint8_t *
block_take(struct buffer_pool *pool, unsigned size)
{
    struct buffer_block *block = pool->free[size];
    if (block == NULL) return malloc(size_bytes(size));
    pool->free[size] = block->next;
    pool->bytes_free -= size_bytes(size);
    return (uint8_t *)block;
}

static void
block_give(struct buffer_pool *pool, uint8_t *data, unsigned size)
{
    if (data == NULL) return;
    if (pool->bytes_free + size_bytes(size) > KEEP) {
        free(data);
        return;
    }
    struct buffer_block *block = (struct buffer_block *)(void *)data;
    block->next = pool->free[size];
    pool->free[size] = block;
    pool->bytes_free += size_bytes(size);
}

// Moves the bytes to the front of a block of another size.
static bool
change_block(struct buffer_pool *pool, struct buffer *buffer, unsigned size)
{
    uint8_t *data = block_take(pool, size);
    if (data == NULL) return false;
    if (buffer->len > 0) memcpy(data, buffer->data + buffer->start, buffer->len);
    block_give(pool, buffer->data, size_for(buffer->room));
    *buffer = (struct buffer){.data = data, .len = buffer->len, .room = size_bytes(size)};
    return true;
}

bool
buffer_reserve(struct buffer_pool *pool, struct buffer *buffer, size_t extra)
{
    if (buffer->data != NULL && buffer_room(buffer) >= extra) return true;
    if (extra > BUFFER_MOST - buffer->len) return false;
    unsigned size = size_for(buffer->len + extra);
    if (buffer->data == NULL || buffer->room < size_bytes(size))
        return change_block(pool, buffer, size);
    memmove(buffer->data, buffer->data + buffer->start, buffer->len);
    buffer->start = 0;
    return true;
}

bool
buffer_append(struct buffer_pool *pool, struct buffer *buffer, const void *data, size_t len)
{
    if (!buffer_reserve(pool, buffer, len)) return false;
    if (len > 0) memcpy(buffer_end(buffer), data, len);
    buffer->len += (uint32_t)len;
    return true;
}

void
buffer_consume(struct buffer *buffer, size_t count)
{
    CHECK(count <= buffer->len);
    buffer->start += (uint32_t)count;
    buffer->len -= (uint32_t)count;
    if (buffer->len == 0) buffer->start = 0;
}

void
buffer_trim(struct buffer_pool *pool, struct buffer *buffer)
{
    if (buffer->len == 0) {
        buffer_clear(pool, buffer);
        return;
    }
    // Only worth a copy when the block would become much smaller.
    unsigned size = size_for(buffer->len);
    if (size_for(buffer->room) > size) (void)change_block(pool, buffer, size);
}

void
buffer_clear(struct buffer_pool *pool, struct buffer *buffer)
{
    if (buffer->data != NULL) block_give(pool, buffer->data, size_for(buffer->room));
    *buffer = (struct buffer){0};
}

void
buffer_pool_close(struct buffer_pool *pool)
{
    for (unsigned size = 0; size < BUFFER_SIZES; size++) {
        while (pool->free[size] != NULL) {
            struct buffer_block *block = pool->free[size];
            pool->free[size] = block->next;
            free(block);
        }
    }
    pool->bytes_free = 0;
}
