// Sessions over real TLS on loopback: answers, errors that go on, bytes that do not, slow, late,
// greedy and vanishing peers.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "server.h"

// Reads one message of the server's; fails the test when the connection ends before.
struct inbox {
    uint8_t data[4 * 1024 * 1024];
    size_t len, taken;
};
static struct inbox inbox;

static bool
next_message(struct raw *raw, struct wire_reader *out_reader)
{
    for (;;) {
        struct wire_scan scan = {0};
        size_t len = 0, more;
        if (inbox.len > inbox.taken) {
            assert_int_equal(
                wire_scan(&scan, inbox.data + inbox.taken, inbox.len - inbox.taken, &len),
                REASON_NONE);
        }
        if (len > 0) {
            *out_reader = wire_reader(inbox.data + inbox.taken, len);
            inbox.taken += len;
            return true;
        }
        if (raw_receive(raw, inbox.data + inbox.len, sizeof inbox.data - inbox.len, 1, &more) !=
            STATUS_OK)
            return false;
        inbox.len += more;
    }
}

static void
new_inbox(void)
{
    inbox.len = inbox.taken = 0;
}

// What an answer or a notification says: its id (-1 a notification) and the reason's key (""
// success).
struct said {
    int64_t id;
    char reason[BOUND_CODE], field[WIRE_PLACE], text[512];
    struct wire_reader result;
};

static void
read_text(struct wire_reader *reader, char *out, size_t room)
{
    struct wire_text text;
    assert_true(wire_text(reader, 0, (uint32_t)room - 1, &text));
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
}

static void
read_reason(struct wire_reader *reader, struct said *said)
{
    struct wire_map map;
    struct wire_text key;
    int64_t code;
    assert_true(wire_map_begin(reader, &map));
    while (wire_map_next(reader, &map, &key)) {
        if (wire_same(key, "reason")) read_text(reader, said->reason, sizeof said->reason);
        if (wire_same(key, "field")) read_text(reader, said->field, sizeof said->field);
        if (wire_same(key, "text")) read_text(reader, said->text, sizeof said->text);
        if (wire_same(key, "code")) assert_true(wire_integer(reader, 100, 999, &code));
    }
    assert_int_equal(reader->reason, REASON_NONE);
}

static bool
next_said(struct raw *raw, struct said *said)
{
    struct wire_reader reader;
    struct wire_array array, params;
    int64_t type;
    *said = (struct said){.id = -1};
    if (!next_message(raw, &reader)) return false;
    assert_true(wire_array_begin(&reader, &array) && wire_array_next(&reader, &array));
    assert_true(wire_integer(&reader, 1, 2, &type) && wire_array_next(&reader, &array));
    if (type == 2) {
        char method[BOUND_CODE];
        read_text(&reader, method, sizeof method);
        assert_string_equal(method, "refused");
        assert_true(wire_array_next(&reader, &array) && wire_array_begin(&reader, &params));
        assert_true(wire_array_next(&reader, &params));
        read_reason(&reader, said);
        return true;
    }
    assert_int_equal(array.count, 4);
    assert_true(wire_integer(&reader, 0, UINT32_MAX, &said->id) &&
                wire_array_next(&reader, &array));
    if (wire_peek(&reader) != WIRE_NIL) read_reason(&reader, said);
    assert_true(wire_array_next(&reader, &array));
    said->result = reader;
    return true;
}

static void
expect_text(struct raw *raw, int64_t id, const char *expected)
{
    struct said said;
    struct wire_text text;
    assert_true(next_said(raw, &said));
    assert_int_equal(said.id, id);
    assert_string_equal(said.reason, "");
    assert_true(wire_text(&said.result, 0, BOUND_MESSAGE_BYTES, &text));
    assert_true(wire_same(text, expected));
}

static void
expect_error(struct raw *raw, int64_t id, const char *reason, const char *field)
{
    struct said said;
    assert_true(next_said(raw, &said));
    assert_int_equal(said.id, id);
    assert_string_equal(said.reason, reason);
    assert_string_equal(said.field, field);
}

// After `refused` the server says no more and closes in good order.
static void
expect_end(struct raw *raw)
{
    uint8_t byte;
    size_t len;
    assert_int_equal(inbox.len, inbox.taken);
    assert_int_equal(raw_receive(raw, &byte, 1, 1, &len), STATUS_CLOSED);
}

static int
set_up(void **state)
{
    new_inbox();
    return server_set_up(state);
}

static void
many_requests_in_one_write(void **state)
{
    struct raw raw = raw_open(*state, "shop");
    uint8_t bytes[8192];
    size_t len = 0;
    for (uint32_t id = 0; id < 100; id++)
        len += raw_request(bytes + len, sizeof bytes - len, id, "echo", "text", "hi");
    assert_true(raw_send(&raw, bytes, len));
    for (uint32_t id = 0; id < 100; id++) expect_text(&raw, id, "hi");
    raw_close(&raw);
}

struct parcel {
    struct raw *raw;
    const uint8_t *data;
    size_t len;
};

// On the server's own thread, so that nothing is read before all of it is there.
static void
send_parcel(struct server *server, void *argument)
{
    (void)server;
    struct parcel *parcel = argument;
    assert_true(raw_send(parcel->raw, parcel->data, parcel->len));
}

// More than one turn reads, all there at once: the rest waits inside OpenSSL, where the socket does
// not announce it, and is answered all the same.
static void
more_than_one_turn_reads(void **state)
{
    struct raw raw = raw_open(*state, "shop");
    static uint8_t bytes[2 * BOUND_MESSAGE_BYTES];
    for (uint32_t extra = 1; extra <= 8; extra++) {
        size_t len = 0;
        uint32_t count = 0;
        new_inbox();
        while (len < BOUND_MESSAGE_BYTES + 30 * extra)
            len += raw_request(bytes + len, sizeof bytes - len, count++, "echo", "text",
                               "0123456789");
        struct parcel parcel = {&raw, bytes, len};
        server_run(*state, send_parcel, &parcel);
        for (uint32_t id = 0; id < count; id++) expect_text(&raw, id, "0123456789");
    }
    raw_close(&raw);
}

// One byte a TLS record: the message is the same, and an unfinished one never counts.
static void
byte_by_byte(void **state)
{
    struct server *server = *state;
    struct raw raw = raw_open(server, "shop");
    uint8_t bytes[128];
    for (uint32_t id = 0; id < 3; id++) {
        size_t len = raw_request(bytes, sizeof bytes, id, "echo", "text", "slow but whole");
        for (size_t i = 0; i < len; i++) {
            assert_true(raw_send(&raw, bytes + i, 1));
            if (i + 1 < len && i % 16 == 0) assert_int_equal(server_counts(server).requests, id);
        }
        expect_text(&raw, id, "slow but whole");
    }
    raw_close(&raw);
}

// A request cut off at every place by the end of the connection: nothing happens, and nobody else
// notices.
static void
cut_anywhere(void **state)
{
    struct server *server = *state;
    uint8_t bytes[64];
    size_t len = raw_request(bytes, sizeof bytes, 1, "echo", "text", "x");
    for (size_t cut = 0; cut < len; cut++) {
        struct raw raw = raw_open(server, "shop");
        assert_true(raw_send(&raw, bytes, cut == 0 ? 1 : cut));
        if (cut % 2 == 0) tls_goodbye(raw.tls);
        raw_close(&raw);
    }
    assert_true(server_comes_to(server, 0));
    assert_int_equal(server_counts(server).requests, 0);
    struct raw raw = raw_open(server, "shop");
    assert_true(raw_send(&raw, bytes, len));
    expect_text(&raw, 1, "x");
    raw_close(&raw);
}

#define BYTES(text) text, sizeof text - 1

static void
errors_that_go_on(void **state)
{
    struct raw raw = raw_open(*state, "shop");
    static const struct {
        const char *bytes;
        size_t len;
        const char *reason, *field;
    } cases[] = {
        {BYTES("\x94\x00\x01\xa4sing\x91\x80"), "unknown_method", ""},
        {BYTES("\x94\x00\x01\x07\x91\x80"), "malformed", ""},
        {BYTES("\x94\x00\x01\xa0\x91\x80"), "malformed", ""},
        {BYTES("\x94\x00\x01\xa4"
               "echo\x90"),
         "malformed", ""},
        {BYTES("\x94\x00\x01\xa4"
               "echo\x92\x80\x80"),
         "malformed", ""},
        {BYTES("\x94\x00\x01\xa4"
               "echo\x80"),
         "malformed", ""},
        {BYTES("\x94\x00\x01\xa4"
               "echo\xc0"),
         "malformed", ""},
        {BYTES("\x94\x00\x01\xa4"
               "echo\x91\x90"),
         "malformed", ""},
        {BYTES("\x94\x00\x01\xa4"
               "echo\x91\x81\xa4text\x05"),
         "wrong_type", "text"},
        {BYTES("\x94\x00\x01\xa4"
               "echo\x91\x81\xa4text\xa1\xff"),
         "wrong_type", "text"},
        {BYTES("\x94\x00\x01\xa5"
               "count\x91\x81\xa1n\x0b"),
         "out_of_range", "n"},
        {BYTES("\x94\x00\x01\xa5"
               "count\x91\x82\xa1n\x01\xa1n\x02"),
         "malformed", "n"},
        {BYTES("\x94\x00\x01\xa5"
               "count\x91\x81\x01\x02"),
         "wrong_type", "[0]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[64];
        assert_true(raw_send(&raw, cases[i].bytes, cases[i].len));
        expect_error(&raw, 1, cases[i].reason, cases[i].field);
        size_t len = raw_request(bytes, sizeof bytes, 2, "echo", "text", "still here");
        assert_true(raw_send(&raw, bytes, len));
        expect_text(&raw, 2, "still here");
    }
    // Unknown fields, even deep ones, and nil for a field are harmless.
    static const uint8_t extra[] =
        "\x94\x00\x03\xa4"
        "echo\x91\x83\xa3new\x92\x81\xc0\xc3\xcb\x3f\xe0\0\0\0\0\0\0\xa4text\xa2ok\xa1n\xc0";
    assert_true(raw_send(&raw, extra, sizeof extra - 1));
    expect_text(&raw, 3, "ok");
    raw_close(&raw);
}

// Each ends only its own connection, after what was asked before it was answered, with a reason.
static void
bytes_that_end_the_connection(void **state)
{
    struct server *server = *state;
    static const struct {
        uint8_t bytes[16];
        size_t len;
        const char *reason;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", 16, "malformed"},
        {"\xc1", 1, "malformed"},
        {"\x94\x00\x01\xa1x\x91\x81\xa1t\xd6\xff", 11, "malformed"},
        {"\xdd\xff\xff\xff\xff", 5, "too_large"},
        {"\xdd\x10\x00\x00\x00", 5, "too_large"},
        {"\x94\x00\x01\xdb\x40\x00\x00\x00", 8, "too_large"},
        {"\x91\x91\x91\x91\x91\x91\x91\x91\x91", 9, "too_large"},
        {"\x90", 1, "malformed"},
        {"\x93\x02\xa5hello\x90", 9, "malformed"},  // a notification
        {"\x94\x01\x01\xc0\xc0", 5, "malformed"},   // an answer
        {"\x94\x00\xff\xa1x\x90", 6, "malformed"},  // id -1
        {"\x94\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa1x\x90", 14, "malformed"},  // id 2^32
        {"\x94\x00\xa1"
         "1\xa1x\x90",
         7, "malformed"},  // id as text
    };
    struct raw bystander = raw_open(server, "shop");
    uint8_t hello[64];
    size_t hello_len = raw_request(hello, sizeof hello, 1, "echo", "text", "before");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct raw raw = raw_open(server, "shop");
        uint8_t bytes[256];
        new_inbox();
        memcpy(bytes, hello, hello_len);
        memcpy(bytes + hello_len, cases[i].bytes, cases[i].len);
        // Bytes after the hostile ones must not reset the connection before its last message is
        // read.
        memset(bytes + hello_len + cases[i].len, 'x', 64);
        assert_true(raw_send(&raw, bytes, hello_len + cases[i].len + 64));
        expect_text(&raw, 1, "before");
        expect_error(&raw, -1, cases[i].reason, "");
        expect_end(&raw);
        raw_close(&raw);
    }
    new_inbox();
    assert_true(raw_send(&bystander, hello, hello_len));
    expect_text(&bystander, 1, "before");
    raw_close(&bystander);
    assert_true(server_comes_to(server, 0));
}

// What is under way when hostile bytes come is still answered, and the refusal comes last.
static void
under_way_before_the_refusal(void **state)
{
    struct server *server = *state;
    struct raw raw = raw_open(server, "shop");
    uint8_t bytes[256];
    size_t len = raw_request(bytes, sizeof bytes, 5, "later", "text", "");
    len += raw_request(bytes + len, sizeof bytes - len, 6, "later", "text", "");
    bytes[len++] = 0xc1;
    assert_true(raw_send(&raw, bytes, len));
    assert_true(server_kept(server, 2));
    server_run(server, server_answer_later, NULL);
    struct said said;
    assert_true(next_said(&raw, &said));
    assert_int_equal(said.id, 5);
    assert_true(next_said(&raw, &said));
    assert_int_equal(said.id, 6);
    expect_error(&raw, -1, "malformed", "");
    expect_end(&raw);
    raw_close(&raw);
}

static void
largest_message(void **state)
{
    struct raw raw = raw_open(*state, "shop");
    static uint8_t bytes[BOUND_MESSAGE_BYTES + 1];
    static char text[BOUND_MESSAGE_BYTES];
    memset(text, 'a', sizeof text);
    size_t overhead = 16;  // of this request around its text
    text[BOUND_MESSAGE_BYTES - overhead] = '\0';
    size_t len = raw_request(bytes, sizeof bytes, 1, "count", "t", text);
    assert_int_equal(len, BOUND_MESSAGE_BYTES);
    assert_true(raw_send(&raw, bytes, len));
    struct said said;
    assert_true(next_said(&raw, &said));
    assert_string_equal(said.reason, "");
    text[BOUND_MESSAGE_BYTES - overhead] = 'a';
    text[BOUND_MESSAGE_BYTES - overhead + 1] = '\0';
    len = raw_request(bytes, sizeof bytes, 1, "count", "t", text);
    assert_int_equal(len, BOUND_MESSAGE_BYTES + 1);
    assert_true(raw_send(&raw, bytes, len));
    expect_error(&raw, -1, "too_large", "");
    expect_end(&raw);
    raw_close(&raw);
}

static void
an_answer_too_large_is_an_error(void **state)
{
    struct raw raw = raw_open(*state, "shop");
    uint8_t bytes[64];
    struct pack pack = {.data = bytes, .room = sizeof bytes};
    pack_array(&pack, 4), pack_integer(&pack, 0), pack_integer(&pack, 9),
        pack_string(&pack, "large");
    pack_array(&pack, 1), pack_map(&pack, 1),
        pack_pair_integer(&pack, "bytes", BOUND_MESSAGE_BYTES - 2);
    assert_true(raw_send(&raw, pack.data, pack.len));
    expect_error(&raw, 9, "too_large", "");
    size_t len = raw_request(bytes, sizeof bytes, 10, "echo", "text", "on");
    assert_true(raw_send(&raw, bytes, len));
    expect_text(&raw, 10, "on");
    raw_close(&raw);
}

static void
more_than_may_be_under_way(void **state)
{
    struct server *server = *state;
    struct raw raw = raw_open(server, "shop");
    static uint8_t bytes[16384];
    uint32_t most = server->limits.in_flight;
    size_t len = 0;
    for (uint32_t id = 0; id < most + 3; id++)
        len += raw_request(bytes + len, sizeof bytes - len, id, "later", "text", "");
    assert_true(raw_send(&raw, bytes, len));
    for (uint32_t id = most; id < most + 3; id++) expect_error(&raw, id, "busy", "");
    assert_true(server_kept(server, most));
    server_run(server, server_answer_later, NULL);
    struct said said;
    for (uint32_t id = 0; id < most; id++) {
        assert_true(next_said(&raw, &said));
        assert_int_equal(said.id, id);
        assert_string_equal(said.reason, "");
    }
    // And then there is room again.
    len = raw_request(bytes, sizeof bytes, 1, "echo", "text", "again");
    assert_true(raw_send(&raw, bytes, len));
    expect_text(&raw, 1, "again");
    assert_int_equal(server_counts(server).busy, 3);
    raw_close(&raw);
}

// close_notify while requests are under way: they are answered, and then the server closes too.
static void
half_closed_is_still_answered(void **state)
{
    struct server *server = *state;
    struct raw raw = raw_open(server, "shop");
    uint8_t bytes[128];
    size_t len = raw_request(bytes, sizeof bytes, 1, "echo", "text", "now");
    len += raw_request(bytes + len, sizeof bytes - len, 2, "later", "text", "");
    assert_true(raw_send(&raw, bytes, len));
    tls_goodbye(raw.tls);
    expect_text(&raw, 1, "now");
    assert_true(server_kept(server, 1));
    assert_int_equal(server_counts(server).open, 1);
    server_run(server, server_answer_later, NULL);
    struct said said;
    assert_true(next_said(&raw, &said));
    assert_int_equal(said.id, 2);
    expect_end(&raw);
    raw_close(&raw);
    assert_true(server_comes_to(server, 0));
}

// The session is gone, and its place in the table taken by another, when the answer comes.
static void
late_answers_to_the_gone(void **state)
{
    struct server *server = *state;
    uint8_t bytes[128];
    for (unsigned round = 0; round < 4; round++) {
        struct raw raw = raw_open(server, "shop");
        size_t len = raw_request(bytes, sizeof bytes, 77, "later", "text", "");
        assert_true(raw_send(&raw, bytes, len));
        assert_true(server_kept(server, round + 1));
        raw_close(&raw);
        assert_true(server_comes_to(server, 0));
    }
    struct raw raw = raw_open(server, "shop");
    size_t len = raw_request(bytes, sizeof bytes, 1, "echo", "text", "mine");
    assert_true(raw_send(&raw, bytes, len));
    expect_text(&raw, 1, "mine");
    server_run(server, server_answer_later, NULL);
    assert_int_equal(server_counts(server).lost_answers, 4);
    // Nothing of it reached the newcomer.
    assert_true(raw_send(&raw, bytes, len));
    expect_text(&raw, 1, "mine");
    raw_close(&raw);
}

// A peer that asks and does not read: it is no longer read; others go on; when it reads, it gets
// all.
static void
answers_nobody_takes(void **state)
{
    struct server *server = *state;
    struct raw raw = raw_open(server, "shop");
    uint8_t bytes[64];
    struct pack pack = {.data = bytes, .room = sizeof bytes};
    pack_array(&pack, 4), pack_integer(&pack, 0), pack_integer(&pack, 9),
        pack_string(&pack, "large");
    pack_array(&pack, 1), pack_map(&pack, 1), pack_pair_integer(&pack, "bytes", 60000);
    enum { ASKED = 400 };  // 24 MB of answers, more than the sockets hold
    for (unsigned i = 0; i < ASKED; i++) assert_true(raw_send(&raw, pack.data, pack.len));
    struct raw other = raw_open(server, "shop");
    size_t len = raw_request(bytes, sizeof bytes, 1, "echo", "text", "not held up");
    assert_true(raw_send(&other, bytes, len));
    expect_text(&other, 1, "not held up");
    assert_true(server_counts(server).requests < ASKED);
    raw_close(&other);
    new_inbox();
    struct said said;
    for (unsigned i = 0; i < ASKED; i++) {
        if (inbox.taken > sizeof inbox.data / 2) {
            memmove(inbox.data, inbox.data + inbox.taken, inbox.len - inbox.taken);
            inbox.len -= inbox.taken, inbox.taken = 0;
        }
        assert_true(next_said(&raw, &said));
        assert_int_equal(said.id, 9);
        assert_string_equal(said.reason, "");
    }
    raw_close(&raw);
}

// Each kept request answered with 60 KB.
static void
answer_largely(struct server *server, void *argument)
{
    (void)argument;
    static const uint8_t zeros[60000];
    for (unsigned i = 0; i < server->later_count; i++) {
        struct pack *pack = session_reply_begin(server->listener, server->later[i].session,
                                                server->later[i].id);
        if (pack == NULL) continue;
        pack_bytes(pack, zeros, sizeof zeros);
        session_reply_end(server->listener);
    }
    server->later_count = 0;
}

// Answers that were under way may exceed the hard limit: then the session ends rather than grow.
static void
beyond_the_hard_limit(void **state)
{
    struct server *server = *state;
    struct raw raw = raw_open(server, "shop");
    uint8_t bytes[8192];
    size_t len = 0;
    for (uint32_t id = 0; id < 60; id++)
        len += raw_request(bytes + len, sizeof bytes - len, id, "later", "text", "");
    assert_true(raw_send(&raw, bytes, len));
    assert_true(server_kept(server, 60));
    assert_int_equal(server_counts(server).open, 1);
    server_run(server, answer_largely, NULL);
    assert_int_equal(server_counts(server).open, 0);
    raw_close(&raw);
}

int
main(void)
{
    cmocka_set_test_filter(getenv("FILTER"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_requests_in_one_write, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(more_than_one_turn_reads, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(byte_by_byte, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(cut_anywhere, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(errors_that_go_on, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_end_the_connection, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(under_way_before_the_refusal, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(largest_message, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(an_answer_too_large_is_an_error, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(more_than_may_be_under_way, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(half_closed_is_still_answered, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(late_answers_to_the_gone, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(answers_nobody_takes, set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(beyond_the_hard_limit, set_up, server_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
