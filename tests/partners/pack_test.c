// pack.c: the bytes of every form, read back by the library itself, and memory that is too small.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <msgpack.h>
#include <string.h>

#include "pack.h"

static uint8_t room[200000];

static struct pack
begin(void)
{
    return (struct pack){.data = room, .room = sizeof room};
}

static void
expect(const struct pack *pack, const char *bytes, size_t len)
{
    assert_false(pack->full);
    assert_int_equal(pack->len, len);
    assert_memory_equal(pack->data, bytes, len);
}
#define EXPECT(pack, bytes) expect(&(pack), bytes, sizeof bytes - 1)

static void
shortest_forms(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *bytes;
        size_t len;
    } cases[] = {
        {0, "\x00", 1},
        {127, "\x7f", 1},
        {128, "\xcc\x80", 2},
        {255, "\xcc\xff", 2},
        {256, "\xcd\x01\x00", 3},
        {65536, "\xce\x00\x01\x00\x00", 5},
        {4294967296, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9},
        {INT64_MAX, "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
        {-1, "\xff", 1},
        {-32, "\xe0", 1},
        {-33, "\xd0\xdf", 2},
        {-129, "\xd1\xff\x7f", 3},
        {-32769, "\xd2\xff\xff\x7f\xff", 5},
        {INT64_MIN, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pack pack = begin();
        pack_integer(&pack, cases[i].value);
        expect(&pack, cases[i].bytes, cases[i].len);
    }
    struct pack pack = begin();
    pack_nil(&pack), pack_boolean(&pack, true), pack_boolean(&pack, false);
    EXPECT(pack, "\xc0\xc3\xc2");
    pack = begin();
    pack_string(&pack, "hello"), pack_text(&pack, "", 0), pack_bytes(&pack, "\x01", 1),
        pack_bytes(&pack, NULL, 0);
    EXPECT(pack, "\xa5hello\xa0\xc4\x01\x01\xc4\x00");
    pack = begin();
    pack_array(&pack, 15), pack_array(&pack, 16), pack_array(&pack, 65536);
    EXPECT(pack, "\x9f\xdc\x00\x10\xdd\x00\x01\x00\x00");
    pack = begin();
    pack_map(&pack, 15), pack_map(&pack, 16), pack_map(&pack, 65536);
    EXPECT(pack, "\x8f\xde\x00\x10\xdf\x00\x01\x00\x00");
    pack = begin();
    pack_pair_nil(&pack, "n"), pack_pair_boolean(&pack, "b", true),
        pack_pair_integer(&pack, "i", 5);
    pack_pair_string(&pack, "s", "x"), pack_pair_text(&pack, "t", "yz", 1);
    EXPECT(pack, "\xa1n\xc0\xa1"
                 "b\xc3\xa1i\x05\xa1s\xa1x\xa1t\xa1y");
}

static void
counts_filled_in_later(void **state)
{
    (void)state;
    struct pack pack = begin();
    size_t outer = pack_open_map(&pack);
    pack_string(&pack, "list");
    size_t inner = pack_open_array(&pack);
    for (int i = 0; i < 300; i++) pack_integer(&pack, i);
    pack_close(&pack, inner, 300);
    pack_close(&pack, outer, 1);
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t end = 0;
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)pack.data, pack.len, &end),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(end, pack.len);
    assert_int_equal(unpacked.data.type, MSGPACK_OBJECT_MAP);
    assert_int_equal(unpacked.data.via.map.size, 1);
    assert_int_equal(unpacked.data.via.map.ptr[0].val.via.array.size, 300);
    assert_int_equal(unpacked.data.via.map.ptr[0].val.via.array.ptr[299].via.u64, 299);
    msgpack_unpacked_destroy(&unpacked);
}

static void
write_much(struct pack *pack)
{
    static const char text[70000];
    size_t map = pack_open_map(pack);
    pack_pair_text(pack, "text", text, sizeof text);
    pack_pair_integer(pack, "integer", 1000000);
    pack_string(pack, "bytes");
    pack_bytes(pack, text, 300);
    size_t array = pack_open_array(pack);
    pack_close(pack, array, 0);
    pack_close(pack, map, 4);
}

// Whatever the room: never a byte beyond it, and `full` says that something is missing.
static void
too_little_room(void **state)
{
    (void)state;
    struct pack whole = begin();
    write_much(&whole);
    assert_false(whole.full);
    for (size_t size = 0; size <= whole.len;
         size = size < 40 || size > whole.len - 40 ? size + 1 : size + 97) {
        memset(room, 0xee, sizeof room);
        struct pack pack = {.data = room, .room = size};
        write_much(&pack);
        assert_true(pack.full == (size < whole.len));
        assert_true(pack.len <= size);
        assert_int_equal(room[size], 0xee);
    }
}

// What would fit after something that did not is not written either: a gap would look like an
// answer.
static void
nothing_after_a_gap(void **state)
{
    (void)state;
    struct pack pack = {.data = room, .room = 3};
    pack_nil(&pack);
    pack_string(&pack, "abc");  // its length byte fits, its text does not
    size_t len = pack.len;
    pack_nil(&pack);
    assert_true(pack.full);
    assert_int_equal(pack.len, len);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shortest_forms),
        cmocka_unit_test(counts_filled_in_later),
        cmocka_unit_test(too_little_room),
        cmocka_unit_test(nothing_after_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
