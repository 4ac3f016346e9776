// The reader of wire.c: values, places and sentences. The scan is tested in wire_scan_test.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "pack.h"
#include "random_message.h"
#include "wire.h"

static void
integers_of_every_width(void **state)
{
    (void)state;
    msgpack_sbuffer bytes;
    msgpack_packer to;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&to, &bytes, msgpack_sbuffer_write);
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int near = -2; near <= 2; near++) {
            int64_t value = (int64_t)(((uint64_t)1 << shift) + (uint64_t)near), read;
            for (int sign = 0; sign < 2; sign++) {
                value = (int64_t)(0 - (uint64_t)value);
                msgpack_sbuffer_clear(&bytes);
                msgpack_pack_int64(&to, value);
                struct wire_reader reader = wire_reader((const uint8_t *)bytes.data, bytes.size);
                assert_true(wire_integer(&reader, INT64_MIN, INT64_MAX, &read));
                assert_true(read == value);
                // Not in the shortest form.
                msgpack_sbuffer_clear(&bytes);
                msgpack_pack_fix_int64(&to, value);
                reader = wire_reader((const uint8_t *)bytes.data, bytes.size);
                assert_true(wire_integer(&reader, INT64_MIN, INT64_MAX, &read));
                assert_true(read == value);
            }
        }
    }
    msgpack_sbuffer_clear(&bytes);
    msgpack_pack_uint64(&to, (uint64_t)INT64_MAX + 1);
    int64_t read = 7;
    struct wire_reader reader = wire_reader((const uint8_t *)bytes.data, bytes.size);
    assert_false(wire_integer(&reader, INT64_MIN, INT64_MAX, &read));
    assert_int_equal(reader.reason, REASON_OUT_OF_RANGE);
    assert_int_equal(read, 7);
    msgpack_sbuffer_destroy(&bytes);
}

static bool
text_is_accepted(const uint8_t *data, size_t len)
{
    uint8_t bytes[64] = {(uint8_t)(0xa0 | len)};
    struct wire_text text;
    memcpy(bytes + 1, data, len);
    struct wire_reader reader = wire_reader(bytes, 1 + len);
    return wire_text(&reader, 0, 31, &text);
}

static size_t
utf8_encode(uint32_t point, uint8_t out[4])
{
    if (point < 0x80) return out[0] = (uint8_t)point, 1;
    if (point < 0x800)
        return out[0] = (uint8_t)(0xc0 | point >> 6), out[1] = (uint8_t)(0x80 | (point & 63)), 2;
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12), out[1] = (uint8_t)(0x80 | (point >> 6 & 63));
        return out[2] = (uint8_t)(0x80 | (point & 63)), 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18), out[1] = (uint8_t)(0x80 | (point >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 63)), out[3] = (uint8_t)(0x80 | (point & 63));
    return 4;
}

static void
texts_are_utf8(void **state)
{
    (void)state;
    uint8_t bytes[16];
    // Every character is accepted, NUL and the surrogates are not.
    for (uint32_t point = 0; point < 0x110000; point++) {
        bool expected = point != 0 && (point < 0xd800 || point > 0xdfff);
        assert_true(text_is_accepted(bytes, utf8_encode(point, bytes)) == expected);
    }
    assert_false(text_is_accepted(bytes, utf8_encode(0x110000, bytes)));
    // Of all sequences of two and three bytes that begin a longer character, exactly those are
    // accepted.
    unsigned two = 0, three = 0;
    for (uint32_t all = 0x800000; all <= 0xffffff; all++) {
        bytes[0] = (uint8_t)(all >> 16), bytes[1] = (uint8_t)(all >> 8), bytes[2] = (uint8_t)all;
        if ((all & 0xff) == 0 && text_is_accepted(bytes, 2)) two++;
        if (bytes[0] >= 0xe0 && text_is_accepted(bytes, 3)) three++;
    }
    assert_int_equal(two, 0x800 - 0x80);
    assert_int_equal(three, 0x10000 - 0x800 - 0x800);
    // Long forms; at every place of a text of every length a wrong byte, and a character of two.
    assert_false(text_is_accepted((const uint8_t *)"\xf0\x8f\xbf\xbf", 4));
    assert_false(text_is_accepted((const uint8_t *)"\xf5\x80\x80\x80", 4));
    for (size_t len = 1; len <= 20; len++) {
        for (size_t at = 0; at < len; at++) {
            uint8_t text[20];
            memset(text, 'a', sizeof text);
            assert_true(text_is_accepted(text, len));
            text[at] = 0xff;
            assert_false(text_is_accepted(text, len));
            text[at] = 0;
            assert_false(text_is_accepted(text, len));
            text[at] = 0xc3;
            if (at + 1 < len) text[at + 1] = 0xa9;
            assert_true(text_is_accepted(text, len) == (at + 1 < len));
        }
    }
}

// A message under construction, and a reader on it.
static uint8_t message[BOUND_MESSAGE_BYTES];

static struct pack
begin(void)
{
    return (struct pack){.data = message, .room = sizeof message};
}

static struct wire_reader
reader_on(const struct pack *pack)
{
    assert_false(pack->full);
    return wire_reader(pack->data, pack->len);
}

static void
assert_trouble(const struct wire_reader *reader, enum reason reason, const char *place,
               const char *sentence)
{
    char text[WIRE_SENTENCE];
    assert_int_equal(reader->reason, reason);
    wire_place(reader, text);
    assert_string_equal(text, place);
    wire_sentence(reader, text);
    assert_string_equal(text, sentence);
}

static void
a_map_is_walked(void **state)
{
    (void)state;
    struct pack pack = begin();
    pack_map(&pack, 5);
    pack_pair_string(&pack, "id", "c-1");
    pack_string(&pack, "unknown");  // skipped, whatever it holds
    pack_map(&pack, 1);
    pack_string(&pack, "deep");
    pack_array(&pack, 2);
    pack_integer(&pack, 1);
    pack_nil(&pack);
    pack_pair_nil(&pack, "tmax");  // nil is absent
    pack_string(&pack, "consent");
    pack_array(&pack, 2);
    pack_string(&pack, "profiling");
    pack_string(&pack, "sharing");
    pack_pair_boolean(&pack, "paused", true);
    struct wire_reader reader = reader_on(&pack);
    struct wire_map map;
    struct wire_text key, id = {0}, item;
    unsigned keys = 0, items = 0;
    bool paused = false;
    assert_true(wire_map_begin(&reader, &map));
    while (wire_map_next(&reader, &map, &key)) {
        keys++;
        if (wire_same(key, "id")) assert_true(wire_text(&reader, 1, BOUND_KEY, &id));
        if (wire_same(key, "paused")) assert_true(wire_boolean(&reader, &paused));
        assert_false(wire_same(key, "tmax"));
        if (wire_same(key, "consent")) {
            struct wire_array array;
            assert_true(wire_array_begin(&reader, &array));
            while (wire_array_next(&reader, &array)) {
                if (items++ == 1)
                    assert_true(wire_text(&reader, 1, 20, &item));  // the first is skipped
            }
        }
    }
    assert_int_equal(reader.reason, REASON_NONE);
    assert_int_equal(reader.depth, 0);
    assert_ptr_equal(reader.at, reader.end);
    assert_int_equal(keys, 4);
    assert_int_equal(items, 2);
    assert_true(paused && wire_same(id, "c-1") && wire_same(item, "sharing"));
}

// Reads {"user": {"consent": [text...], "age": integer}} as an edge would; trouble stays in the
// reader.
static void
read_user(struct wire_reader *reader)
{
    struct wire_map outer, user;
    struct wire_array array;
    struct wire_text key, inner, text;
    int64_t age;
    bool has_age = false;
    if (!wire_map_begin(reader, &outer)) return;
    while (wire_map_next(reader, &outer, &key)) {
        if (!wire_same(key, "user")) continue;
        if (!wire_map_begin(reader, &user)) return;
        while (wire_map_next(reader, &user, &inner)) {
            if (wire_same(inner, "age")) has_age = wire_integer(reader, 1, 120, &age);
            if (wire_same(inner, "consent") && wire_array_begin(reader, &array)) {
                while (wire_array_next(reader, &array)) (void)wire_text(reader, 1, 12, &text);
            }
        }
        if (!has_age) (void)wire_trouble(reader, REASON_MISSING_FIELD, "age");
    }
}

static void
trouble_names_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum reason reason;
        const char *place, *sentence;
    } cases[] = {
        {"number in consent", REASON_WRONG_TYPE, "user.consent[1]",
         "user.consent[1] is an integer; send a text"},
        {"long word", REASON_TOO_LARGE, "user.consent[1]",
         "user.consent[1] has 13 bytes; send at most 12"},
        {"empty word", REASON_OUT_OF_RANGE, "user.consent[1]",
         "user.consent[1]: 0 bytes is out of range; send 1 to 12"},
        {"age 0", REASON_OUT_OF_RANGE, "user.age", "user.age: 0 is out of range; send 1 to 120"},
        {"age as text", REASON_WRONG_TYPE, "user.age", "user.age is a text; send an integer"},
        {"no age", REASON_MISSING_FIELD, "user.age", "user.age is missing; send it"},
        {"age twice", REASON_MALFORMED, "user.age",
         "user.age comes twice in its map; send it once"},
        {"number as key", REASON_WRONG_TYPE, "user[1]",
         "user[1] is an integer; send a text as the key"},
        {"bad text", REASON_WRONG_TYPE, "user.consent[1]",
         "user.consent[1] is bytes; send a text in UTF-8 without the NUL character"},
        {"good", REASON_NONE, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *what = cases[i].what;
        struct pack pack = begin();
        pack_map(&pack, 1);
        pack_string(&pack, "user");
        size_t user = pack_open_map(&pack);
        uint32_t fields = 1;
        pack_string(&pack, "consent");
        pack_array(&pack, 2);
        pack_string(&pack, "sharing");
        if (strcmp(what, "number in consent") == 0) pack_integer(&pack, 5);
        else if (strcmp(what, "long word") == 0) pack_string(&pack, "0123456789abc");
        else if (strcmp(what, "empty word") == 0) pack_string(&pack, "");
        else if (strcmp(what, "bad text") == 0) pack_string(&pack, "\xff");
        else pack_string(&pack, "profiling");
        if (strcmp(what, "number as key") == 0) {
            pack_integer(&pack, 1), pack_integer(&pack, 1), fields++;
        } else if (strcmp(what, "age as text") == 0) {
            pack_pair_string(&pack, "age", "44"), fields++;
        } else if (strcmp(what, "no age") != 0) {
            pack_pair_integer(&pack, "age", strcmp(what, "age 0") == 0 ? 0 : 44), fields++;
        }
        if (strcmp(what, "age twice") == 0) pack_pair_integer(&pack, "age", 44), fields++;
        pack_close(&pack, user, fields);
        struct wire_reader reader = reader_on(&pack);
        read_user(&reader);
        if (cases[i].reason == REASON_NONE) assert_int_equal(reader.reason, REASON_NONE);
        else assert_trouble(&reader, cases[i].reason, cases[i].place, cases[i].sentence);
    }
}

static void
trouble_of_the_caller(void **state)
{
    (void)state;
    struct pack pack = begin();
    pack_map(&pack, 1);
    pack_pair_string(&pack, "container", "nowhere");
    struct wire_reader reader = reader_on(&pack);
    struct wire_map map;
    struct wire_text key, text;
    assert_true(wire_map_begin(&reader, &map));
    assert_true(wire_map_next(&reader, &map, &key));
    assert_true(wire_text(&reader, 1, 48, &text));
    assert_false(wire_trouble(&reader, REASON_UNKNOWN_CONTAINER, NULL));
    assert_trouble(&reader, REASON_UNKNOWN_CONTAINER, "container",
                   "container: The market has no such container.");
    reader.hint = "is no container of this market";
    assert_trouble(&reader, REASON_UNKNOWN_CONTAINER, "container",
                   "container is no container of this market");
    // The first trouble stays, and nothing more is read.
    assert_false(wire_trouble(&reader, REASON_CURRENCY, "cur"));
    assert_false(wire_map_next(&reader, &map, &key));
    assert_int_equal(reader.reason, REASON_UNKNOWN_CONTAINER);
}

static void
hostile_keys_stay_out_of_sentences(void **state)
{
    (void)state;
    struct pack pack = begin();
    char key_text[200];
    memset(key_text, 'k', sizeof key_text);
    memcpy(key_text, "a\x1b[31m\xff\n", 8);
    pack_map(&pack, 1);
    pack_text(&pack, key_text, sizeof key_text);
    pack_integer(&pack, 5);
    struct wire_reader reader = reader_on(&pack);
    struct wire_map map;
    struct wire_text key, text;
    char place[WIRE_PLACE];
    assert_true(wire_map_begin(&reader, &map));
    assert_true(wire_map_next(&reader, &map, &key));
    assert_false(wire_text(&reader, 1, 5, &text));
    wire_place(&reader, place);
    assert_int_equal(strlen(place), BOUND_CODE);
    assert_memory_equal(place, "a?[31m??k", 9);
}

// Many keys: every repeat is found, no pair of different keys is taken for one.
static void
repeated_keys_are_found(void **state)
{
    (void)state;
    random_seed();
    for (unsigned round = 0; round < 300; round++) {
        uint32_t count = 2 + random_below(BOUND_MESSAGE_FIELDS - 1);
        uint32_t twin = random_below(2) == 0 ? UINT32_MAX : 1 + random_below(count - 1),
                 of = twin == UINT32_MAX ? 0 : random_below(twin);
        struct pack pack = begin();
        pack_map(&pack, count);
        for (uint32_t i = 0; i < count; i++) {
            char name[16];
            snprintf(name, sizeof name, "k%u", i == twin ? of : i);
            pack_pair_integer(&pack, name, i);
        }
        struct wire_reader reader = reader_on(&pack);
        struct wire_map map;
        struct wire_text key;
        uint32_t seen = 0;
        assert_true(wire_map_begin(&reader, &map));
        while (wire_map_next(&reader, &map, &key)) seen++;
        assert_int_equal(reader.reason, twin == UINT32_MAX ? REASON_NONE : REASON_MALFORMED);
        assert_int_equal(seen, twin == UINT32_MAX ? count : twin);
    }
    struct pack pack = begin();
    pack_map(&pack, BOUND_MESSAGE_FIELDS + 1);
    for (uint32_t i = 0; i <= BOUND_MESSAGE_FIELDS; i++) pack_integer(&pack, 0), pack_nil(&pack);
    struct wire_reader reader = reader_on(&pack);
    struct wire_map map;
    assert_false(wire_map_begin(&reader, &map));
    assert_trouble(&reader, REASON_TOO_LARGE, "", "params has 129 fields; send at most 128");
}

// A reader driven by random calls over broken bytes never leaves them (the sanitizer watches).
static void
readers_stay_inside(void **state)
{
    (void)state;
    random_seed();
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    for (unsigned round = 0; round < 20000; round++) {
        random_message(&bytes);
        size_t len = random_below((uint32_t)bytes.size + 1);
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, bytes.data, len);
        if (len > 0) exact[random_below((uint32_t)len)] = (uint8_t)random_next();
        struct wire_reader reader = wire_reader(exact, len);
        struct wire_array array;
        struct wire_map map;
        struct wire_text text;
        char sentence[WIRE_SENTENCE];
        if (wire_array_begin(&reader, &array)) {
            while (wire_array_next(&reader, &array)) {
                if (wire_peek(&reader) != WIRE_MAP || !wire_map_begin(&reader, &map)) continue;
                while (wire_map_next(&reader, &map, &text))
                    (void)wire_text(&reader, 0, 1000, &text);
            }
        }
        wire_sentence(&reader, sentence);
        assert_true(reader.at <= reader.end);
        free(exact);
    }
    msgpack_sbuffer_destroy(&bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_every_width),
        cmocka_unit_test(texts_are_utf8),
        cmocka_unit_test(a_map_is_walked),
        cmocka_unit_test(trouble_names_the_place),
        cmocka_unit_test(trouble_of_the_caller),
        cmocka_unit_test(hostile_keys_stay_out_of_sentences),
        cmocka_unit_test(repeated_keys_are_found),
        cmocka_unit_test(readers_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
