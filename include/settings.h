// The settings file of a market directory, DIR/vendue.yaml, written by `slotctl init`. Every key is
// optional; an unknown key, a wrong unit or a value out of range is an error with line and column.
//
// A market directory:
//   vendue.yaml          these settings
//   journal/             segments of the journal, lock, durable watermark       (auctiond writes)
//   inputs/ sample/      what contacts brought; the contact sample              (auctiond writes)
//   published/catalog    the catalog                                            (ledgerd writes)
//   published/statements/SEAT/PERIOD.{json,csv,txt}   closed statements         (ledgerd writes)
//   tls/ca.crt ca.key server.crt server.key           own certificate authority
//   tls/seat.CODE.{crt,key} tls/touchpoint.CODE.{crt,key}
//   postgres/            private cluster, if private: data/, its socket in run/ or a short path
//   run/  log/           pids, sockets, customer.secret; logs
#ifndef VENDUE_SETTINGS_H
#define VENDUE_SETTINGS_H

#include <stdint.h>

#include "terms.h"

struct settings {
    char directory[512];     // absolute
    char listen_host[64];    // default 127.0.0.1
    uint16_t listen_port;    // default 7443
    char postgres[512];      // connection string; "" = private cluster in the directory
    uint32_t log, epoch;     // this node's journal: 1, 1
    uint64_t segment_bytes;  // 64 MiB
    struct {                 // what the book holds at most (book.h)
        uint32_t contacts, retries, placements, customers, rates, orders, overlay;
    } book;
    uint32_t connections;     // most at once: 10,000
    uint32_t seat_in_flight;  // most unanswered requests of one connection: 64
    struct {                  // live bidders
        uint32_t tmax_ms;     // a contact waits for them at most: 50
        uint32_t own_ms;      // of that, our own time: 4; bidders have the rest
        uint32_t waiting;     // contacts that wait at once; one more is decided without them: 256
        uint32_t in_flight;   // unanswered requests of a seat; one more is not sent: 64
    } live;
    uint32_t explain_days;  // so long what contacts brought is kept for explaining: 7; 0 not
    char readers[64];       // that add up exports at a close: "hledger, sqlite"; "" the installed
};
struct settings_error {
    char text[512];  // "vendue.yaml:7:9: listen.port: '99999' is not a port from 1 to 65535"
};
// Reads `directory`/vendue.yaml over the defaults. STATUS_NOT_FOUND: no such market directory.
MUST_CHECK enum status settings_read(const char *directory, struct settings *out_settings,
                                     struct settings_error *out_error);

#endif
