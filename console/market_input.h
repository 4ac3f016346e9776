// A market file as the verbs read it: checked, its problems printed.
#ifndef VENDUE_MARKET_INPUT_H
#define VENDUE_MARKET_INPUT_H

#include "market_file.h"
#include "verb.h"

// Reads and checks `path`. Problems go to standard error (as JSON objects, one a line, when
// context->json); warnings too. Returns an exit code; EXIT_DONE: `*out_market` is set.
int market_input_read(const struct verb_context *context, const char *path, struct arena *arena,
                      struct market **out_market);

struct db;
// Warns of floors above every bid ever seen, as above. False: the database refused.
bool market_input_seen(const struct verb_context *context, struct db *db, const char *path,
                       const struct market *market, struct arena *arena);

#endif
