// Random MessagePack for the tests of this folder, written by msgpack-c. VENDUE_SEED replays a run.
#ifndef VENDUE_TEST_RANDOM_MESSAGE_H
#define VENDUE_TEST_RANDOM_MESSAGE_H

#include <msgpack.h>

#include "bounds.h"
#include "hash.h"
#include "seed.h"

static uint64_t random_state;

static inline uint64_t
random_next(void)
{
    random_state += 0x9e3779b97f4a7c15u;
    return hash_mix(random_state);
}

static inline uint32_t
random_below(uint32_t bound)
{
    return (uint32_t)(random_next() % bound);
}

static inline void
random_seed(void)
{
    random_state = seed_fresh();
}

static inline void
put_random(msgpack_packer *to, unsigned depth)
{
    static const char text[70000];
    uint32_t len;
    switch (random_below(depth >= BOUND_MESSAGE_DEPTH ? 7 : 9)) {
    case 0: msgpack_pack_nil(to); break;
    case 1: msgpack_pack_true(to); break;
    case 2: msgpack_pack_int64(to, (int64_t)(random_next() >> random_below(64))); break;
    case 3: msgpack_pack_int64(to, -(int64_t)(random_next() >> (1 + random_below(63)))); break;
    case 4: msgpack_pack_double(to, 0.5); break;
    case 5:
        len = random_below(random_below(50) == 0 ? 300 : 40);
        msgpack_pack_str(to, len);
        msgpack_pack_str_body(to, text, len);
        break;
    case 6:
        len = random_below(random_below(50) == 0 ? 300 : 40);
        msgpack_pack_bin(to, len);
        msgpack_pack_bin_body(to, text, len);
        break;
    case 7:
        len = random_below(depth < 3 ? 20 : 4);
        msgpack_pack_array(to, len);
        for (uint32_t i = 0; i < len; i++) put_random(to, depth + 1);
        break;
    default:
        len = random_below(depth < 3 ? 20 : 4);
        msgpack_pack_map(to, len);
        for (uint32_t i = 0; i < 2 * len; i++) put_random(to, depth + 1);
        break;
    }
}

// A random message: an array of up to four random values.
static inline void
random_message(msgpack_sbuffer *out)
{
    msgpack_packer to;
    msgpack_sbuffer_clear(out);
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    uint32_t count = random_below(5);
    msgpack_pack_array(&to, count);
    for (uint32_t i = 0; i < count; i++) put_random(&to, 2);
}

#endif
