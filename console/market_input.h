// A market file as the verbs read it: checked, its problems printed.
#ifndef VENDUE_MARKET_INPUT_H
#define VENDUE_MARKET_INPUT_H

#include "market_file.h"
#include "verb.h"

// Reads and checks `path`. Problems go to standard error (as JSON objects, one a line, when
// context->json); warnings too. Returns an exit code; EXIT_DONE: `*out_market` is set.
int market_input_read(const struct verb_context *context, const char *path, struct arena *arena,
                      struct market **out_market);

#endif
