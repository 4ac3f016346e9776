// An arena is a list of blocks, newest first; taking bumps a pointer in the newest. A request
// larger than a block gets a block of its own. Reset keeps the blocks and hands them out again.
//
// Tables of many megabytes (the book, the index) are read here and there, and with pages of 4 KiB
// nearly every such read misses the processor's page tables as well: blocks of ARENA_HUGE and more
// ask the kernel for huge pages. It may refuse; then they are ordinary memory.
//
// Invariants
//   (1) every piece is aligned to 64 bytes when it is at least 64 bytes long, else to 16
//   (2) every piece is zero when handed out
//   (3) `used` <= `size` in every block
#include "arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fail.h"

#define ARENA_BLOCK ((size_t)256 * 1024)  // one mmap threshold: large enough that blocks are few
#define ARENA_HEAD 64                     // keeps the payload on a cache line
#define ARENA_HUGE_PAGE ((size_t)2 * 1024 * 1024)
#define ARENA_HUGE (4 * ARENA_HUGE_PAGE)  // from here on what a last half page wastes is little

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

// `size` is a multiple of 64.
static struct arena_block *
take_memory(size_t size)
{
    bool huge = size >= ARENA_HUGE;
    if (huge) size = (size + ARENA_HUGE_PAGE - 1) & ~(ARENA_HUGE_PAGE - 1);
    struct arena_block *block = aligned_alloc(huge ? ARENA_HUGE_PAGE : 64, size);
    CHECK(block != NULL);
    if (huge) (void)madvise(block, size, MADV_HUGEPAGE);  // advice: without it it is only slower
    return block;
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
    struct arena_block *block = take_memory(ARENA_HEAD + payload);
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
