// Requests of ours and notifications: asked and answered, refused, answered too often, not read.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "server.h"

// What a command on the server's thread says to the session of the first kept request.
struct saying {
    uint32_t id;   // of the request; UINT32_MAX: a notification
    size_t bytes;  // of its params, about
    unsigned times;
    unsigned begun, said;
    bool ask_refused;  // once a notification was: could a request not be begun either?
};

static void
say(struct server *server, void *argument)
{
    static const uint8_t zeros[BOUND_MESSAGE_BYTES];
    struct saying *saying = argument;
    for (unsigned i = 0; i < saying->times; i++) {
        struct session_handle session = server->later[0].session;
        struct pack *pack = saying->id == UINT32_MAX
                                ? session_notice_begin(server->listener, session, "notice")
                                : session_ask_begin(server->listener, session, saying->id + i,
                                                    "bid_request");
        if (pack == NULL) {
            saying->ask_refused = session_ask_begin(server->listener, session, 1, "x") == NULL;
            return;
        }
        saying->begun++;
        pack_map(pack, 1);
        pack_string(pack, "padding");
        pack_bytes(pack, zeros, saying->bytes);
        if (session_say_end(server->listener)) saying->said++;
    }
}

struct heard {
    struct client *client;
    unsigned asked, told;
    uint32_t last;
    bool refuses, keeps_silent;
};

static void
on_asked(void *context, struct client *client, uint32_t id, struct wire_text method,
         struct wire_reader params)
{
    struct heard *heard = context;
    assert_true(wire_same(method, "bid_request") && wire_peek(&params) == WIRE_MAP);
    heard->asked++;
    heard->last = id;
    if (heard->keeps_silent) return;
    if (heard->refuses) {
        assert_int_equal(client_reply_error(client, id, REASON_BUSY, NULL), STATUS_OK);
        return;
    }
    pack_integer(client_reply(client, id), 1000 + id);
    assert_int_equal(client_reply_queue(client), STATUS_OK);
}

static void
on_told(void *context, struct client *client, struct wire_text method, struct wire_reader params)
{
    struct heard *heard = context;
    (void)client;
    assert_true(wire_same(method, "notice") && wire_peek(&params) == WIRE_MAP);
    heard->told++;
}

// A client whose session the server knows: one request of it is kept unanswered.
static struct client *
known_client(struct server *server, struct heard *heard)
{
    uint32_t id;
    struct client_error error;
    struct client *client = server_client(server);
    *heard = (struct heard){.client = client};
    client_listen(client, &(struct client_listener){heard, on_asked, on_told});
    (void)client_request(client, "later", 0);
    assert_int_equal(client_queue(client, &id), STATUS_OK);
    assert_int_equal(client_flush(client, &error), STATUS_OK);
    assert_true(server_kept(server, 1));
    return client;
}

static void
count_answered(struct server *server, void *argument)
{
    *(unsigned *)argument = server->answered_count;
}

static bool
server_heard(struct server *server, unsigned count)
{
    for (unsigned i = 0; i < 1000; i++) {
        unsigned answered;
        server_run(server, count_answered, &answered);
        if (answered == count) return true;
        usleep(5000);
    }
    return false;
}

static void
asked_and_answered(void **state)
{
    struct server *server = *state;
    struct heard heard;
    struct client *client = known_client(server, &heard);
    struct client_answer answer;
    struct client_error error;
    struct saying saying = {.id = 40, .times = 3};
    server_run(server, say, &saying);
    assert_int_equal(saying.said, 3);
    saying = (struct saying){.id = UINT32_MAX, .times = 2};
    server_run(server, say, &saying);
    // Its own answer comes in between; what it is asked is handed on while it waits.
    server_run(server, server_answer_later, NULL);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
    assert_int_equal(heard.asked, 3);
    assert_int_equal(heard.told, 2);
    assert_int_equal(client_flush(client, &error), STATUS_OK);
    assert_true(server_heard(server, 3));
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(server->answered[i].id, 40 + i);
        assert_int_equal(server->answered[i].value, 1040 + i);
        assert_false(server->answered[i].refused);
    }
    struct listener_counts counts = server_counts(server);
    assert_int_equal(counts.asked, 3);
    assert_int_equal(counts.answered, 3);
    assert_int_equal(counts.notices, 2);
    client_close(client);
}

static void
refused_or_not_listened_to(void **state)
{
    struct server *server = *state;
    struct heard heard;
    struct client *client = known_client(server, &heard);
    struct client_error error;
    struct client_answer answer;
    struct saying saying = {.id = 7, .times = 1};
    heard.refuses = true;
    server_run(server, say, &saying);
    server_run(server, say, &saying);  // the same id again: the peer may not mind, nor do we
    client_listen(client, &(struct client_listener){.context = NULL});
    saying.id = 8;
    server_run(server, say, &saying);
    server_run(server, server_answer_later, NULL);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
    assert_int_equal(client_flush(client, &error), STATUS_OK);
    assert_true(server_heard(server, 3));
    for (unsigned i = 0; i < 3; i++) assert_true(server->answered[i].refused);
    client_close(client);
}

// More answers than questions end the connection, with the reason said.
static void
answers_to_nothing(void **state)
{
    struct server *server = *state;
    struct heard heard;
    struct client *client = known_client(server, &heard);
    struct client_error error;
    struct client_answer answer;
    struct saying saying = {.id = 3, .times = 1};
    server_run(server, say, &saying);
    server_run(server, server_answer_later, NULL);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
    pack_integer(client_reply(client, 3), 1);
    assert_int_equal(client_reply_queue(client), STATUS_OK);
    enum status status = STATUS_OK;
    while (status == STATUS_OK) status = client_poll(client, 5000, &error);
    assert_int_equal(status, STATUS_DENIED);
    assert_string_equal(error.reason, "malformed");
    client_close(client);
    assert_true(server_comes_to(server, 0));
    assert_int_equal(server->ended, 1);
}

// A peer that does not read is soon told nothing more; its answers still come.
static void
who_does_not_read_is_told_no_more(void **state)
{
    struct server *server = *state;
    struct heard heard;
    struct client *client = known_client(server, &heard);
    struct client_error error;
    struct client_answer answer;
    struct saying saying = {.id = UINT32_MAX, .times = 4000, .bytes = 4000};
    server_run(server, say, &saying);
    assert_true(saying.begun == saying.said && saying.said < 4000);
    assert_true(saying.ask_refused);
    server_run(server, server_answer_later, NULL);
    assert_int_equal(client_receive(client, 5000, &answer, &error), STATUS_OK);
    assert_int_equal(heard.told, saying.said);
    client_close(client);
}

static void
what_does_not_fit_is_not_said(void **state)
{
    struct server *server = *state;
    struct heard heard;
    struct client *client = known_client(server, &heard);
    struct saying saying = {.id = 5, .times = 1, .bytes = BOUND_MESSAGE_BYTES - 20};
    server_run(server, say, &saying);
    assert_int_equal(saying.begun, 1);
    assert_int_equal(saying.said, 0);
    // The session that is gone is told nothing.
    server_run(server, server_answer_later, NULL);
    client_close(client);
    assert_true(server_comes_to(server, 0));
    saying = (struct saying){.id = 5, .times = 1};
    server_run(server, say, &saying);
    assert_int_equal(saying.begun, 0);
    assert_int_equal(server->ended, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asked_and_answered, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(refused_or_not_listened_to, server_set_up,
                                        server_tear_down),
        cmocka_unit_test_setup_teardown(answers_to_nothing, server_set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_read_is_told_no_more, server_set_up,
                                        server_tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_not_said, server_set_up,
                                        server_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
