// buffer.c against a plain array: random appends, consumption and trimming; and its bound.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../partners/buffer.h"
#include "hash.h"
#include "seed.h"

static void
like_a_queue_of_bytes(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    static uint8_t model[BUFFER_MOST], fresh[200000];
    struct buffer_pool pool = {0};
    struct buffer buffers[3] = {{0}}, *buffer = &buffers[0];
    size_t start = 0, len = 0;
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t random = hash_mix(seed + round);
        size_t count = (random >> 8) % (random % 50 == 0 ? sizeof fresh : 3000);
        if (random % 3 == 0) {
            for (size_t i = 0; i < count; i++) fresh[i] = (uint8_t)(random >> (i % 57));
            bool fits = len + count <= BUFFER_MOST;
            assert_true(buffer_append(&pool, buffer, fresh, count) == fits);
            if (fits) {
                memmove(model, model + start, len);
                memcpy(model + len, fresh, count);
                start = 0, len += count;
            }
        } else if (random % 3 == 1) {
            count = count < len ? count : len;
            buffer_consume(buffer, count);
            start += count, len -= count;
        } else {
            buffer_trim(&pool, buffer);
            assert_true(buffer->room <= 4 * len || buffer->room <= BUFFER_LEAST);
            if (len == 0) assert_null(buffer->data);
            if (len == 0) buffer = &buffers[random / 3 % 3];  // blocks wander between buffers
        }
        assert_int_equal(buffer->len, len);
        if (len > 0) assert_memory_equal(buffer->data + buffer->start, model + start, len);
    }
    for (size_t i = 0; i < 3; i++) buffer_clear(&pool, &buffers[i]);
    assert_true(pool.bytes_free > 0);
    buffer_pool_close(&pool);
    assert_int_equal(pool.bytes_free, 0);
}

static void
warm_traffic_takes_from_the_pool(void **state)
{
    (void)state;
    struct buffer_pool pool = {0};
    struct buffer buffer = {0};
    assert_true(buffer_append(&pool, &buffer, "x", 1));
    const uint8_t *block = buffer.data;
    buffer_clear(&pool, &buffer);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(buffer_append(&pool, &buffer, "y", 1));
        assert_ptr_equal(buffer.data, block);
        assert_int_equal(pool.bytes_free, 0);
        buffer_clear(&pool, &buffer);
    }
    buffer_pool_close(&pool);
}

static void
bounded(void **state)
{
    (void)state;
    struct buffer_pool pool = {0};
    struct buffer buffer = {0};
    assert_true(buffer_reserve(&pool, &buffer, BUFFER_MOST));
    assert_false(buffer_reserve(&pool, &buffer, BUFFER_MOST + 1));
    memset(buffer_end(&buffer), 1, BUFFER_MOST);
    buffer.len = BUFFER_MOST;
    assert_false(buffer_reserve(&pool, &buffer, 1));
    buffer_consume(&buffer, 1);
    assert_true(buffer_reserve(&pool, &buffer, 1));
    assert_int_equal(buffer.start, 0);
    buffer_clear(&pool, &buffer);
    buffer_pool_close(&pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_a_queue_of_bytes),
        cmocka_unit_test(warm_traffic_takes_from_the_pool),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
