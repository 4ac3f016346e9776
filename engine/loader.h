// The loader: a thread that watches the published catalog, decodes a new one beside the running
// market, and hands it over whole. Also writes the status file and runs errands, so that the edge
// never touches a disk.
#ifndef VENDUE_LOADER_H
#define VENDUE_LOADER_H

#include <stddef.h>

#include "catalog.h"
#include "errand.h"
#include "listing.h"

struct loader;

// A catalog, with what is made of it beside.
struct edition {
    struct catalog *catalog;
    struct listing *listing;
};
struct edition *loader_edition(struct catalog *catalog);  // takes it over
void loader_close_edition(struct edition *edition);       // NULL is allowed

// `wake` is called, from the loader's thread, when a catalog is ready or errands are done; `status`
// writes the text of the status file (JSON) and returns its length.
struct loader_calls {
    void (*wake)(void *context);
    size_t (*status)(void *context, char *out, size_t size);
    void *context;
};
// `live`: version that decides already; only later ones are handed over.
struct loader *loader_open(const char *market_directory, uint64_t live, struct errands *errands,
                           const struct loader_calls *calls);
void loader_close(struct loader *loader);

// The newest edition not yet taken; NULL none. The taker owns it until it gives it back.
struct edition *loader_take(struct loader *loader);
// An edition no longer used by anybody: closed on the loader's thread, as that may take a while.
void loader_give_back(struct loader *loader, struct edition *edition);

#endif
