// json_wire.c: what JSON says arrives as MessagePack, and comes back the same.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../console/json_wire.h"

static json_t *
parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

// Through MessagePack and back gives the same text, keys in the same order.
static void
expect_same(const char *text)
{
    uint8_t bytes[4096];
    const char *key = NULL;
    struct pack pack = {.data = bytes, .room = sizeof bytes};
    json_t *value = parse(text);
    assert_true(json_wire_write(&pack, value, &key));
    assert_false(pack.full);
    struct wire_reader reader = wire_reader(bytes, pack.len);
    json_t *back = json_wire_read(&reader);
    assert_non_null(back);
    char *said = json_dumps(back, JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(said, text);
    free(said);
    json_decref(back);
    json_decref(value);
}

static void
test_round_trip(void **state)
{
    (void)state;
    expect_same("null");
    expect_same("true");
    expect_same("-9223372036854775808");
    expect_same("9223372036854775807");
    expect_same("\"caf\xc3\xa9\"");
    expect_same(
        "{\"z\":1,\"a\":[true,false,[],{}],\"user\":{\"id\":\"k\",\"consent\":[\"sharing\"]}}");
}

// The bytes are those of the format's own definition, not only ours read back.
static void
test_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x81, 0xa1, 'a', 0x93, 0x01, 0xc3, 0xff};
    uint8_t bytes[64];
    const char *key = NULL;
    struct pack pack = {.data = bytes, .room = sizeof bytes};
    json_t *value = parse("{\"a\": [1, true, -1]}");
    assert_true(json_wire_write(&pack, value, &key));
    assert_int_equal(pack.len, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
    json_decref(value);
}

static void
test_fractions_are_named(void **state)
{
    (void)state;
    uint8_t bytes[64];
    const char *key = NULL;
    struct pack pack = {.data = bytes, .room = sizeof bytes};
    json_t *value = parse("{\"attr\": {\"age\": 1.5}}");
    assert_false(json_wire_write(&pack, value, &key));
    assert_string_equal(key, "age");
    json_decref(value);
}

// Bytes become printable text; a float that a newer server might send becomes null.
static void
test_foreign_kinds(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x82, 0xa1, 'd',  0xc4, 0x03, 'o',  0x00, 0xff,
                                    0xa1, 'f',  0xca, 0x3f, 0x80, 0x00, 0x00};
    struct wire_reader reader = wire_reader(bytes, sizeof bytes);
    json_t *back = json_wire_read(&reader);
    assert_non_null(back);
    assert_string_equal(json_string_value(json_object_get(back, "d")), "o??");
    assert_true(json_is_null(json_object_get(back, "f")));
    json_decref(back);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_fractions_are_named),
        cmocka_unit_test(test_foreign_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
