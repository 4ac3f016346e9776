// Bytes: the order is little-endian whatever the machine, and a reader never leaves its bytes.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../auction/codec.h"

static void
what_is_written_is_read(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct codec_writer out;
    codec_open(&out, arena, 1);
    codec_put(&out, 0x0102, 2);
    codec_put(&out, (uint64_t)INT64_MIN, 8);
    codec_put_text(&out, "text");
    codec_put_bytes(&out, "xyz", 3);
    codec_put(&out, 0xfffffffe, 4);
    static const uint8_t expected[] = {2,   1,   0,   0,   0,   0,   0,   0,   0,   0x80, 4,  0,
                                       't', 'e', 'x', 't', 'x', 'y', 'z', 254, 255, 255,  255};
    assert_int_equal(out.len, sizeof expected);
    assert_memory_equal(out.bytes, expected, sizeof expected);
    struct codec_reader in = {.at = out.bytes, .end = out.bytes + out.len};
    char xyz[3];
    assert_int_equal(codec_get_u16(&in), 0x0102);
    assert_true(codec_get_i64(&in) == INT64_MIN);
    assert_string_equal(codec_get_text(&in, arena, 4), "text");
    codec_get_bytes(&in, xyz, 3);
    assert_memory_equal(xyz, "xyz", 3);
    assert_int_equal(codec_get_u32(&in), 0xfffffffe);
    assert_false(in.damaged);
    assert_ptr_equal(in.at, in.end);
    assert_int_equal(codec_get_u8(&in), 0);
    assert_true(in.damaged);
    arena_close(arena);
}

static void
damage_is_for_good(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    static const struct {
        uint8_t bytes[6];
        size_t len, most;
    } texts[] = {
        {{5, 0, 'a', 'b', 'c', 'd'}, 6, 9},  // longer than what is there
        {{3, 0, 'a', 'b', 'c', 'd'}, 6, 2},  // longer than allowed
        {{3, 0, 'a', 0, 'c', 'd'}, 6, 9},    // a NUL inside
        {{3}, 1, 9},                         // half a length
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct codec_reader in = {.at = texts[i].bytes, .end = texts[i].bytes + texts[i].len};
        assert_string_equal(codec_get_text(&in, arena, texts[i].most), "");
        assert_true(in.damaged);
    }
    uint8_t bytes[3] = {1, 2, 3}, out[4] = {9, 9, 9, 9};
    struct codec_reader in = {.at = bytes, .end = bytes + 3};
    codec_get_bytes(&in, out, 4);
    assert_true(in.damaged && out[0] == 0 && out[3] == 0);
    assert_int_equal(codec_get_u8(&in), 0);
    arena_close(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(damage_is_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
