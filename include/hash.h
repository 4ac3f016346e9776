// Digests and derived ids. The algorithms are OpenSSL's (hash.c alone calls them).
#ifndef VENDUE_HASH_H
#define VENDUE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "terms.h"

struct digest {
    uint8_t bytes[32];  // SHA-256
};

// A 128-bit id derived from what it names; as text 32 lower-case hex digits, in PostgreSQL a uuid.
struct id {
    uint8_t bytes[16];
};

struct digest hash_sha256(const void *data, size_t len);
// SHA-256 over several pieces, in order.
struct hash_piece {
    const void *data;
    size_t len;
};
struct digest hash_sha256_pieces(const struct hash_piece *pieces, size_t count);

// First 16 bytes of SHA-256 over the domain (a word that keeps kinds of ids apart) and the data.
struct id hash_id(const char *domain, const void *data, size_t len);

// A 64-bit digest of content, to tell a retry from a conflict (XXH3; fast, not for secrets).
uint64_t hash_content(const void *data, size_t len);
// Frees what this thread's digests hold; call before a thread ends.
void hash_thread_end(void);

// A keyed pseudonym (SipHash-2-4) of a customer key; never 0, which means "anonymous".
uint64_t hash_customer(const uint8_t secret[16], const char *key, size_t len);
// An id under another name, and back: AES-128 of its 16 bytes. Without the key nobody can tell that
// two names are of the same id.
struct id hash_rename(const uint8_t key[16], struct id id);
struct id hash_rename_back(const uint8_t key[16], struct id name);
// The key under which a seat (its stable id) knows placements: hash_rename(key, placement) is its
// own name of one, in notices and in reconciliation files.
void hash_placement_key(const uint8_t secret[16], uint32_t seat, uint8_t out_key[16]);
// Virtual shard of a pseudonym: 0 to BOUND_SHARDS - 1.
uint16_t hash_shard(uint64_t customer);

// A fixed, unkeyed 64-bit mix for tables and tie-breaks (splitmix64's finalizer). Not for secrets.
static inline uint64_t
hash_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// 16 hexadecimal digits, without a NUL: eight at a time, each digit in a byte of its own.
static inline void
hash_hex(uint64_t value, char out[16])
{
    for (unsigned half = 0; half < 2; half++) {
        uint64_t digits = __builtin_bswap32((uint32_t)(value >> (half == 0 ? 32 : 0)));
        digits = (digits | digits << 16) & 0x0000ffff0000ffffu;
        digits = (digits | digits << 8) & 0x00ff00ff00ff00ffu;
        digits = (digits >> 4 | digits << 8) & 0x0f0f0f0f0f0f0f0fu;
        uint64_t letters = (digits + 0x0606060606060606u) >> 4 & 0x0101010101010101u;
        digits += 0x3030303030303030u + letters * ('a' - '9' - 1);
        __builtin_memcpy(out + 8 * half, &digits, sizeof digits);
    }
}

#define ID_TEXT 33
void id_format(struct id id, char out[ID_TEXT]);
MUST_CHECK enum status
id_parse(const char *text, size_t len, struct id *out_id);  // hex, dashes allowed
static inline int
id_same(struct id a, struct id b)
{
    return __builtin_memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}
static inline int
digest_same(struct digest a, struct digest b)
{
    return __builtin_memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

#endif
