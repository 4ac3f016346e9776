// The parts of the load generator: one client, three servers to point it at, one market.
#ifndef VENDUE_BENCH_LOAD_H
#define VENDUE_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "catalog.h"

#define LOAD_CONNECTIONS 32
#define LOAD_DEPTH_MAX 64
#define LOAD_POOL 1024        // different requests
#define LOAD_FIRST_ID 65536u  // ids from here on take the same five bytes on the wire

_Noreturn void load_die(const char *what);  // with errno's text
int64_t load_now_ns(void);

// --- load_market.c: a market directory without a database, and an auctiond on it -----------------
struct load_market {
    char directory[512];
    struct authority *authority;
    uint16_t port, touchpoint;
    pid_t pid;             // 0: not running
    const uint8_t *bytes;  // the catalog as published
    size_t len;
    struct arena *arena;
};
void load_market_open(struct load_market *market, const char *base);
void load_market_close(struct load_market *market);
void load_market_start(struct load_market *market);  // on an empty journal
void load_market_stop(struct load_market *market);
// A file of the authority: "ca.crt", "shop.key". Valid until the fourth call after this one.
const char *load_market_file(const struct load_market *market, const char *name);

// --- load_request.c: contacts as a touchpoint sends them ---------------------------------------
struct load_requests {
    uint8_t bytes[LOAD_POOL][512];
    size_t len;                         // all of them have the same
    size_t id_at, key_at, customer_at;  // where id, contact's id and customer's id stand
    uint64_t sent;                      // how many were written: makes every contact a new one
};
void load_request_fill(struct load_requests *requests);
// Writes the next request with this id; returns its length.
size_t load_request_write(struct load_requests *requests, uint32_t id, uint8_t *out);

// --- load_server.c: the two echoes -------------------------------------------------------------
enum load_server { LOAD_ECHO, LOAD_DECIDE, LOAD_MARKET, LOAD_SERVERS };
struct load_server_options {
    enum load_server kind;  // LOAD_ECHO or LOAD_DECIDE
    const char *certificate, *key;
    size_t request_len;     // LOAD_ECHO: what one request is
    const uint8_t *answer;  // LOAD_ECHO: what it is answered; the id is put in
    size_t answer_len;
    const struct load_market *market;  // LOAD_DECIDE
};
// In a child process on a free port of the loopback. The caller ends it.
pid_t load_server_start(const struct load_server_options *options, uint16_t *out_port);

// --- load_client.c -----------------------------------------------------------------------------
struct load_run {
    double per_second, p50_us, p99_us;
    double cpu_us, client_us;  // processor time of server and client, per message
    uint64_t refused;          // answers that were errors
};
struct load_client_options {
    uint16_t port;
    pid_t server;
    unsigned depth;
    double warm_seconds, seconds;
    const char *ca, *certificate, *key;
};
struct load_run
load_client_run(const struct load_client_options *options, struct load_requests *requests);
// One request and its answer; returns the answer's length. For the echo's answer.
size_t load_client_once(const struct load_client_options *options, struct load_requests *requests,
                        uint8_t *out, size_t room);

#endif
