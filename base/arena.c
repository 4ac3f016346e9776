// An arena is a list of blocks, newest first; taking bumps a pointer in the newest. A request
// larger than a block gets a block of its own. Reset keeps the blocks and hands them out again.
//
// Invariants
//   (1) every piece is aligned to 64 bytes when it is at least 64 bytes long, else to 16
//   (2) every piece is zero when handed out
//   (3) `used` <= `size` in every block
#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define ARENA_BLOCK ((size_t)256 * 1024)  // one mmap threshold: large enough that blocks are few
#define ARENA_HEAD 64                     // keeps the payload on a cache line

struct arena_block {
    struct arena_block *next;
    size_t size, used;  // of the payload
};
_Static_assert(sizeof(struct arena_block) <= ARENA_HEAD, "the head fits before the payload");

struct arena {
    const char *name;
    struct arena_block *blocks;  // being used, newest first
    struct arena_block *spare;   // kept by reset
    size_t bytes;
};

struct arena *
arena_open(const char *name)
{
    struct arena *arena = calloc(1, sizeof *arena);
    CHECK(arena != NULL);
    arena->name = name;
    return arena;
}

static void
free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void
arena_close(struct arena *arena)
{
    if (arena == NULL) return;
    free_blocks(arena->blocks);
    free_blocks(arena->spare);
    free(arena);
}

void
arena_reset(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        block->next = arena->spare;
        arena->spare = block;
    }
}

static struct arena_block *
block_for(struct arena *arena, size_t size)
{
    for (struct arena_block **at = &arena->spare; *at != NULL; at = &(*at)->next) {
        if ((*at)->size < size) continue;
        struct arena_block *block = *at;
        *at = block->next;
        block->used = 0;
        return block;
    }
    size_t payload = size > ARENA_BLOCK ? (size + 63) & ~(size_t)63 : ARENA_BLOCK;
    struct arena_block *block = aligned_alloc(64, ARENA_HEAD + payload);
    CHECK(block != NULL);
    block->size = payload;
    block->used = 0;
    arena->bytes += ARENA_HEAD + payload;
    return block;
}

void *
arena_take(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    CHECK(!__builtin_mul_overflow(count, size, &bytes) && bytes < SIZE_MAX / 2);
    size_t align = bytes >= 64 ? 64 : 16;
    struct arena_block *block = arena->blocks;
    size_t start = block == NULL ? 0 : (block->used + align - 1) & ~(align - 1);
    if (block == NULL || start > block->size || block->size - start < bytes) {
        block = block_for(arena, bytes);
        block->next = arena->blocks;
        arena->blocks = block;
        start = 0;
    }
    block->used = start + bytes;
    unsigned char *piece = (unsigned char *)block + ARENA_HEAD + start;
    memset(piece, 0, bytes);
    return piece;
}

char *
arena_text(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_take(arena, len + 1, 1);
    if (len > 0) memcpy(copy, text, len);
    return copy;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    char *text = arena_take(arena, (size_t)len + 1, 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

size_t
arena_bytes(const struct arena *arena)
{
    return arena->bytes;
}
