#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../../engine/put.h"

// What put.h writes in place is what pack.h writes, byte for byte, and what does not fit is refused
// alike: each value is written by both into every room from 0 bytes to one more than it needs.
#define ROOM 1100

union value {
    int64_t integer;
    uint64_t bits;
    const char *text;
    struct id id;
};

static void
by_pack_integer(struct pack *pack, union value value)
{
    pack_integer(pack, value.integer);
}

static void
by_put_integer(struct pack *pack, union value value)
{
    put_integer(pack, value.integer);
}

static void
by_pack_text(struct pack *pack, union value value)
{
    pack_string(pack, value.text);
}

static void
by_put_text(struct pack *pack, union value value)
{
    put_text(pack, value.text, strlen(value.text));
}

static void
by_put_word(struct pack *pack, union value value)
{
    put_word(pack, value.text);
}

static void
by_pack_hex(struct pack *pack, union value value)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, value.bits);
    pack_string(pack, text);
}

static void
by_put_hex(struct pack *pack, union value value)
{
    put_hex(pack, value.bits);
}

static void
by_pack_id(struct pack *pack, union value value)
{
    char text[33];
    for (unsigned i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned)value.id.bytes[i]);
    pack_string(pack, text);
}

static void
by_put_id(struct pack *pack, union value value)
{
    put_id(pack, value.id);
}

static void
by_pack_small(struct pack *pack, union value value)
{
    pack_map(pack, (uint32_t)value.bits);
    pack_array(pack, (uint32_t)value.bits);
    pack_boolean(pack, value.bits & 1);
}

static void
by_put_small(struct pack *pack, union value value)
{
    put_map(pack, (uint32_t)value.bits);
    put_array(pack, (uint32_t)value.bits);
    put_boolean(pack, value.bits & 1);
}

typedef void writer(struct pack *pack, union value value);

static void
compare(writer *expected, writer *given, union value value)
{
    static uint8_t expected_bytes[ROOM], given_bytes[ROOM];
    struct pack whole = {.data = expected_bytes, .room = ROOM};
    expected(&whole, value);
    assert_false(whole.full);
    for (size_t room = 0; room <= whole.len + 1; room++) {
        struct pack pack = {.data = given_bytes, .room = room};
        memset(given_bytes, 0xee, sizeof given_bytes);
        given(&pack, value);
        assert_int_equal(pack.full, room < whole.len);
        assert_memory_equal(given_bytes, expected_bytes, pack.len);
        assert_int_equal(given_bytes[room], 0xee);  // nothing beyond the room
        if (room < whole.len) {
            size_t len = pack.len;
            put_boolean(&pack, true);
            assert_int_equal(pack.len, len);  // full stays full
        } else {
            assert_int_equal(pack.len, whole.len);
        }
    }
}

static void
integers_take_their_shortest_form(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 63; bit++) {
        for (int64_t beside = -2; beside <= 2; beside++) {
            int64_t value = (INT64_C(1) << bit) + beside;
            compare(by_pack_integer, by_put_integer, (union value){.integer = value});
            compare(by_pack_integer, by_put_integer, (union value){.integer = -value});
        }
    }
    compare(by_pack_integer, by_put_integer, (union value){.integer = INT64_MAX});
    compare(by_pack_integer, by_put_integer, (union value){.integer = INT64_MIN});
}

static void
texts_of_any_length(void **state)
{
    (void)state;
    static char text[1024];
    for (size_t len = 0; len <= 300; len++) {
        text[len] = '\0';
        compare(by_pack_text, by_put_text, (union value){.text = text});
        if (len < 32) compare(by_pack_text, by_put_word, (union value){.text = text});
        text[len] = (char)('a' + len % 26);
    }
}

static void
ids_maps_and_the_rest(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t bits = hash_mix(i);
        struct id id;
        memcpy(id.bytes, &bits, sizeof bits);
        bits = hash_mix(bits);
        memcpy(id.bytes + 8, &bits, sizeof bits);
        compare(by_pack_id, by_put_id, (union value){.id = id});
        compare(by_pack_hex, by_put_hex, (union value){.bits = bits});
    }
    for (uint64_t count = 0; count < 16; count++)
        compare(by_pack_small, by_put_small, (union value){.bits = count});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_their_shortest_form),
        cmocka_unit_test(texts_of_any_length),
        cmocka_unit_test(ids_maps_and_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
