// A whole node for a test: market directory, certificates, a real auctiond, clients over real TLS.
// No database: the catalog is compiled from YAML here, as ledgerd would publish it.
#ifndef VENDUE_TEST_NODE_KIT_H
#define VENDUE_TEST_NODE_KIT_H

#include <sys/types.h>

#include "authority.h"
#include "client.h"

#define NODE_KIT_SPEAKERS 160

struct node_kit {
    // Who speaks, by code of touchpoint or seat: set before node_kit_publish; NULL: shop, kiosk,
    // tea, rival.
    const char *const *speakers;
    unsigned speaker_count;
    struct digest fingerprints[NODE_KIT_SPEAKERS];
    unsigned issued;
    char directory[64], programs[200];
    struct authority *authority;
    uint16_t port;
    pid_t pid;
    uint64_t catalog_version;
    bool revoke_rival;     // in catalogs published from now on
    unsigned journal_kib;  // > 0: the journal lies on a file system of its own, of this size
    uint32_t timeout_ms;   // of clients; 0: 10,000
};

// `programs`: the folder of auctiond. `settings`: more of vendue.yaml; NULL none.
void node_kit_open(struct node_kit *kit, const char *programs, const char *settings);
void node_kit_close(struct node_kit *kit);
// Publishes a market file's text as the next catalog, with the certificates of those who speak.
void node_kit_publish(struct node_kit *kit, const char *market_text);
// Starts auctiond and waits until it listens; stop sends the signal and waits. Returns its exit
// status or, when a signal ended it, 128 + the signal.
void node_kit_start(struct node_kit *kit);
int node_kit_stop(struct node_kit *kit, int signal_number);
// May this user mount a file system for the journal (journal_kib)?
bool node_kit_can_mount(void);
// Fills the journal's own file system to the last block, or makes room again.
void node_kit_fill(struct node_kit *kit, bool full);
// A number of the status file; waits until it is at least `least` (10 s, then the test fails).
int64_t node_kit_await(struct node_kit *kit, const char *key, int64_t least);
struct client *node_kit_client(struct node_kit *kit, const char *name);

// Calls the request that was begun. Returns the reason's key of a refusal, or NULL and the result.
const char *node_kit_call(struct client *client, struct wire_reader *out_result);
// Finds a field of a result (a copy of the reader stands at it): "placements.0.price_micros".
bool node_kit_find(struct wire_reader result, const char *path, struct wire_reader *out_at);
int64_t node_kit_integer(struct wire_reader result, const char *path);
const char *
node_kit_text(struct wire_reader result, const char *path);  // valid until the eighth call after

#endif
