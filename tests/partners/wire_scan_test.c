// wire_scan against msgpack-c on whole, cut, mutated and random bytes, and its bounds against
// hostile ones.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "random_message.h"
#include "wire.h"

// What one call on all bytes says; a fresh scan.
static enum reason
scan_once(const uint8_t *data, size_t len, size_t *out_len)
{
    struct wire_scan scan = {0};
    return wire_scan(&scan, data, len, out_len);
}

// The same, a byte at a time; also that a scan only goes forward.
static enum reason
scan_slowly(const uint8_t *data, size_t len, size_t *out_len)
{
    struct wire_scan scan = {0};
    for (size_t come = 0; come <= len; come++) {
        uint32_t before = scan.at;
        enum reason reason = wire_scan(&scan, data, come, out_len);
        if (reason != REASON_NONE || *out_len > 0) return reason;
        assert_true(scan.at >= before);
    }
    return REASON_NONE;
}

static void
library_agrees(const uint8_t *data, size_t len)
{
    size_t end = 0;
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)data, len, &end),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(end, len);
    assert_int_equal(unpacked.data.type, MSGPACK_OBJECT_ARRAY);
    msgpack_unpacked_destroy(&unpacked);
}

static void
skip_agrees(const uint8_t *data, size_t len)
{
    struct wire_reader reader = wire_reader(data, len);
    assert_true(wire_skip(&reader));
    assert_ptr_equal(reader.at, data + len);
}

static void
whole_messages_are_found(void **state)
{
    (void)state;
    random_seed();
    msgpack_sbuffer message;
    msgpack_sbuffer_init(&message);
    unsigned accepted = 0;
    for (unsigned round = 0; round < 3000; round++) {
        size_t end, slow_end;
        random_message(&message);
        const uint8_t *data = (const uint8_t *)message.data;
        enum reason reason = scan_once(data, message.size, &end);
        assert_int_equal(reason, scan_slowly(data, message.size, &slow_end));
        if (reason == REASON_TOO_LARGE) continue;  // more than 4,096 values
        assert_int_equal(reason, REASON_NONE);
        assert_int_equal(end, message.size);
        assert_int_equal(slow_end, message.size);
        library_agrees(data, end);
        skip_agrees(data, end);
        accepted++;
        // Cut anywhere, it is not whole.
        size_t cut = random_below((uint32_t)message.size);
        assert_int_equal(scan_once(data, cut, &end), REASON_NONE);
        assert_int_equal(end, 0);
    }
    assert_true(accepted > 2000);
    msgpack_sbuffer_destroy(&message);
}

// Whatever the scan accepts of broken bytes, the library accepts with the same length.
static void
broken_messages_never_fool_the_scan(void **state)
{
    (void)state;
    random_seed();
    msgpack_sbuffer message;
    msgpack_sbuffer_init(&message);
    unsigned accepted = 0, refused = 0;
    for (unsigned round = 0; round < 30000; round++) {
        random_message(&message);
        uint8_t *data = (uint8_t *)message.data;
        for (unsigned i = 0; i <= random_below(4); i++) {
            data[random_below((uint32_t)message.size)] = (uint8_t)random_next();
        }
        size_t end, slow_end;
        enum reason reason = scan_once(data, message.size, &end);
        if (message.size < 300) {
            assert_int_equal(reason, scan_slowly(data, message.size, &slow_end));
            assert_int_equal(end, slow_end);
        }
        if (reason != REASON_NONE) {
            refused++;
        } else if (end > 0) {
            accepted++;
            library_agrees(data, end);
            skip_agrees(data, end);
        }
    }
    print_message("broken: %u accepted, %u refused\n", accepted, refused);
    assert_true(accepted > 1000 && refused > 1000);
    msgpack_sbuffer_destroy(&message);
}

static void
random_bytes_never_fool_the_scan(void **state)
{
    (void)state;
    random_seed();
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t data[64];
        for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)random_next();
        data[0] = (uint8_t)(0x90 | (data[0] & 0x0f));
        size_t end;
        if (scan_once(data, sizeof data, &end) == REASON_NONE && end > 0) library_agrees(data, end);
    }
}

static void
hostile_bytes_are_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[12];
        size_t len;
        enum reason reason;
    } cases[] = {
        {"an array of 2^28", {0xdd, 0x10, 0, 0, 0}, 5, REASON_TOO_LARGE},
        {"an array of 2^32 - 1", {0xdd, 0xff, 0xff, 0xff, 0xff}, 5, REASON_TOO_LARGE},
        {"an array of 4096", {0xdc, 0x10, 0}, 3, REASON_TOO_LARGE},
        {"a map of 2^32 - 1", {0x91, 0xdf, 0xff, 0xff, 0xff, 0xff}, 6, REASON_TOO_LARGE},
        {"a map of 2^31", {0x91, 0xdf, 0x80, 0, 0, 0}, 6, REASON_TOO_LARGE},
        {"a text of 1 GiB", {0x91, 0xdb, 0x40, 0, 0, 0}, 6, REASON_TOO_LARGE},
        {"a text of 4 GiB - 1", {0x91, 0xdb, 0xff, 0xff, 0xff, 0xff}, 6, REASON_TOO_LARGE},
        {"bytes of 64 KiB", {0x91, 0xc6, 0, 1, 0, 0}, 6, REASON_TOO_LARGE},
        {"nine levels",
         {0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91},
         9,
         REASON_TOO_LARGE},
        {"nine levels of maps",
         {0x91, 0x81, 0xc0, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x80},
         10,
         REASON_TOO_LARGE},
        {"0xc1", {0x91, 0xc1}, 2, REASON_MALFORMED},
        {"fixext", {0x91, 0xd4}, 2, REASON_MALFORMED},
        {"a timestamp", {0x91, 0xd6, 0xff}, 3, REASON_MALFORMED},
        {"ext 8", {0x91, 0xc7}, 2, REASON_MALFORMED},
        {"ext 32", {0x91, 0xc9}, 2, REASON_MALFORMED},
        {"no array: GET", {'G', 'E', 'T', ' '}, 4, REASON_MALFORMED},
        {"no array: a map", {0x80}, 1, REASON_MALFORMED},
        {"no array: nil", {0xc0}, 1, REASON_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t end, slow_end;
        if (scan_once(cases[i].bytes, cases[i].len, &end) != cases[i].reason)
            fail_msg("%s", cases[i].what);
        assert_int_equal(scan_slowly(cases[i].bytes, cases[i].len, &slow_end), cases[i].reason);
        assert_int_equal(end, 0);
    }
}

static void
bounds_are_exact(void **state)
{
    (void)state;
    static uint8_t data[BOUND_MESSAGE_BYTES + 64];
    size_t end;
    // 64 KiB in all: array of one text.
    size_t len = BOUND_MESSAGE_BYTES - 6;
    memcpy(data,
           (uint8_t[]){0x91, 0xdb, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                       (uint8_t)len},
           6);
    assert_int_equal(scan_once(data, sizeof data, &end), REASON_NONE);
    assert_int_equal(end, BOUND_MESSAGE_BYTES);
    data[5]++;
    assert_int_equal(scan_once(data, sizeof data, &end), REASON_TOO_LARGE);
    // 4,096 values: the array and 4,095 members.
    memset(data, 0xc0, sizeof data);
    memcpy(data, (uint8_t[]){0xdc, 0x0f, 0xff}, 3);
    assert_int_equal(scan_once(data, sizeof data, &end), REASON_NONE);
    assert_int_equal(end, 3 + 4095);
    // Eight levels, the last empty.
    memcpy(data, (uint8_t[]){0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x90}, 8);
    assert_int_equal(scan_once(data, 8, &end), REASON_NONE);
    assert_int_equal(end, 8);
    // A header that begins in the last byte that may come, and never ends.
    len = BOUND_MESSAGE_BYTES - 7;
    memcpy(data,
           (uint8_t[]){0x92, 0xdb, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                       (uint8_t)len},
           6);
    data[BOUND_MESSAGE_BYTES - 1] = 0xda;
    assert_int_equal(scan_once(data, BOUND_MESSAGE_BYTES, &end), REASON_TOO_LARGE);
    data[BOUND_MESSAGE_BYTES - 1] = 0xc0;
    assert_int_equal(scan_once(data, BOUND_MESSAGE_BYTES, &end), REASON_NONE);
    assert_int_equal(end, BOUND_MESSAGE_BYTES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_messages_are_found),
        cmocka_unit_test(broken_messages_never_fool_the_scan),
        cmocka_unit_test(random_bytes_never_fool_the_scan),
        cmocka_unit_test(hostile_bytes_are_refused_at_once),
        cmocka_unit_test(bounds_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
