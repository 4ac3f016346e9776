// A client of the partner API (docs/protocol.md): one connection, blocking with time-outs, one
// request at a time or many under way, or a live bidder that is asked. Used by slotctl, the
// sample's player and the load generator.
//
//     struct client *client;
//     struct client_error error;
//     struct client_answer answer;
//     if (client_open(&options, &client, &error) != STATUS_OK) puts(error.text);
//     struct pack *params = client_request(client, "bid.withdraw", 1);
//     pack_pair_string(params, "id", "grill-1");
//     if (client_call(client, &answer, &error) != STATUS_OK) puts(error.text);
//
// One thread at a time may use a client. SIGPIPE must be ignored by the process.
#ifndef VENDUE_CLIENT_H
#define VENDUE_CLIENT_H

#include "pack.h"
#include "wire.h"

struct client;

struct client_options {
    const char *host;  // name or address; the server's certificate must bear it
    uint16_t port;
    const char *ca, *certificate, *key;  // PEM files
    uint32_t timeout_ms;                 // of opening and of each call; 0: 5,000
};
struct client_error {
    enum status status;
    unsigned code;            // of the server's refusal (docs/protocol.md); 0: the trouble is ours
    char reason[BOUND_CODE];  // its key: "conflict"; "" when the trouble is ours
    char field[WIRE_PLACE];   // its place; "" none
    char text[1024];          // a sentence
};
struct client_answer {
    uint32_t id;   // of the request
    bool refused;  // `error` says why; there is no result
    struct client_error error;
    struct wire_reader result;  // points into the client; valid until the next call on it
};

// Connects and shakes hands. That the server admits the certificate shows with the first answer.
// STATUS_INPUT: a file cannot be used. STATUS_CLOSED, STATUS_IO: nobody there. STATUS_AGAIN:
// time-out. STATUS_DENIED: one side does not trust the other.
MUST_CHECK enum status client_open(const struct client_options *options, struct client **out_client,
                                   struct client_error *out_error);
void client_close(struct client *client);  // NULL is allowed

// Begins a request; write exactly `fields` pairs into what it returns. One request at a time is
// begun.
struct pack *client_request(struct client *client, const char *method, uint32_t fields);

// Sends the request that was begun and waits for its answer; nothing else may be under way.
// STATUS_OK: `out_answer->result`. STATUS_INPUT, with code and reason: the server refused the
// request, and the connection goes on. Any other status: the connection is over (STATUS_AGAIN:
// time-out; STATUS_CLOSED; STATUS_DENIED: the server refused the certificate or the connection,
// then mostly with code and reason; STATUS_FULL: larger than a message may be; the connection goes
// on).
MUST_CHECK enum status client_call(struct client *client, struct client_answer *out_answer,
                                   struct client_error *out_error);

// Many under way: queue requests, receive answers in whatever order they come.
// client_queue finishes the request that was begun and answers its id; nothing is sent yet.
// STATUS_FULL: the request is larger than a message may be, or 1 MiB is queued (flush first); it is
// dropped.
MUST_CHECK enum status client_queue(struct client *client, uint32_t *out_id);
// Sends what is queued; reads meanwhile, so that both sides never wait for each other.
MUST_CHECK enum status client_flush(struct client *client, struct client_error *out_error);
// The next answer, flushing first. `timeout_ms` 0: STATUS_AGAIN at once when none is there; an
// answer that is a refusal is STATUS_OK with `refused`.
MUST_CHECK enum status
client_receive(struct client *client, uint32_t timeout_ms, struct client_answer *out_answer,
               struct client_error *out_error);
uint32_t client_in_flight(const struct client *client);

// --- Being asked, and being told -----------------------------------------------------------------
// A connection that subscribed is asked (`bid_request`) and told (`notice`) by the server, whenever
// the client reads: in client_call, client_receive and client_poll. What is given to these
// functions lives until they return; of the client they may only call client_reply and its kind.
// NULL: requests are answered unknown_method, notices are passed over.
struct client_listener {
    void *context;
    void (*asked)(void *context, struct client *client, uint32_t id, struct wire_text method,
                  struct wire_reader params);
    void (*told)(void *context, struct client *client, struct wire_text method,
                 struct wire_reader params);
};
void client_listen(struct client *client, const struct client_listener *listener);
// Begins the answer to a request of the server, at once or later; write exactly one value, then
// queue it: it leaves with the next read or flush. STATUS_FULL as with client_queue.
struct pack *client_reply(struct client *client, uint32_t id);
MUST_CHECK enum status client_reply_queue(struct client *client);
// Answers with an error instead. `text` NULL: the reason's own sentence.
MUST_CHECK enum status
client_reply_error(struct client *client, uint32_t id, enum reason reason, const char *text);
// Waits until the server asked or told something that was handed on; sends what is queued. Nothing
// of ours may be under way. STATUS_AGAIN: nothing came in time, and the connection goes on.
MUST_CHECK enum status
client_poll(struct client *client, uint32_t timeout_ms, struct client_error *out_error);
int client_descriptor(const struct client *client);  // to wait on many at once

#endif
