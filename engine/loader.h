// The loader: a thread that watches the published catalog, decodes a new one beside the running
// market, and hands it over whole. Also writes the status file, so that the edge never touches a
// disk.
#ifndef VENDUE_LOADER_H
#define VENDUE_LOADER_H

#include <stddef.h>

#include "catalog.h"

struct loader;

// `wake` is called, from the loader's thread, when a catalog is ready; `status` writes the text of
// the status file (JSON) and returns its length.
struct loader_calls {
    void (*wake)(void *context);
    size_t (*status)(void *context, char *out, size_t size);
    void *context;
};
// `live`: version that decides already; only later ones are handed over.
struct loader *
loader_open(const char *market_directory, uint64_t live, const struct loader_calls *calls);
void loader_close(struct loader *loader);

// The newest catalog not yet taken; NULL none. The taker owns it until it gives it back.
struct catalog *loader_take(struct loader *loader);
// A catalog no longer used by anybody: closed on the loader's thread, as that may take a while.
void loader_give_back(struct loader *loader, struct catalog *catalog);

#endif
