// Looks at DIR/published/catalog every 20 ms: a new inode, size or time means a new file, as
// publishing renames a whole file into place. A file that cannot be used is reported once and the
// running catalog stays.
//
// In between it runs errands: what seats ask for that lies in files.
//
// Two single places pass editions: `ready` (loader to edge) and `retired` (edge to loader). A
// catalog that was ready but never taken, because a newer one came, is closed here.
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "hash.h"
#include "log.h"

#define LOADER_PAUSE_MS 20       // well under the second in which a change must be live
#define LOADER_STATUS_US 100000  // status file: ten times a second at most
#define LOADER_STATUS_BYTES 4096

struct loader {
    char catalog_path[600], status_path[600], status_temporary[600];
    struct loader_calls calls;
    struct stat seen;
    uint64_t version;
    pthread_t thread;
    atomic_bool stopped;
    _Atomic(struct edition *) ready, retired;
    struct errands *errands;
};

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static struct catalog *
decode(struct loader *loader, int file, const struct stat *found)
{
    if (found->st_size == 0) return NULL;
    size_t len = (size_t)found->st_size;
    void *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) {
        log_error("catalog.refused", "error=\"%s\"", strerror(errno));
        return NULL;
    }
    usec start = clock_monotonic();
    struct catalog *catalog = NULL;
    uint32_t left_out = 0;
    enum status status = catalog_decode(bytes, len, &catalog, &left_out);
    munmap(bytes, len);
    if (status != STATUS_OK) {
        log_error("catalog.refused", "path=%s error=\"%s\"", loader->catalog_path,
                  status_text(status));
        return NULL;
    }
    if (catalog->version == loader->version) {  // the one that was read at the start
        catalog_close(catalog);
        return NULL;
    }
    if (catalog->version < loader->version) {
        log_error("catalog.refused", "version=%llu live=%llu error=\"the version does not grow\"",
                  (unsigned long long)catalog->version, (unsigned long long)loader->version);
        catalog_close(catalog);
        return NULL;
    }
    log_info("catalog.loaded", "version=%llu bids=%u left_out=%u ms=%lld",
             (unsigned long long)catalog->version, catalog->bid_count, left_out,
             (long long)((clock_monotonic().us - start.us) / 1000));
    return catalog;
}

static void
look(struct loader *loader)
{
    int file = open(loader->catalog_path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;  // nothing published yet
    struct stat found;
    if (fstat(file, &found) == 0 && !same_file(&found, &loader->seen)) {
        loader->seen = found;
        struct catalog *catalog = decode(loader, file, &found);
        if (catalog != NULL) {
            loader->version = catalog->version;
            loader_close_edition(atomic_exchange(&loader->ready, loader_edition(catalog)));
            loader->calls.wake(loader->calls.context);
        }
    }
    close(file);
}

// Readers see the old text or the new one, never a part: written beside, then renamed.
static void
write_status(struct loader *loader, char last[LOADER_STATUS_BYTES])
{
    char text[LOADER_STATUS_BYTES];
    size_t len = loader->calls.status(loader->calls.context, text, sizeof text);
    CHECK(len < sizeof text);
    if (strcmp(text, last) == 0) return;
    int file = open(loader->status_temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool written = file >= 0 && write(file, text, len) == (ssize_t)len;
    if (file >= 0) close(file);
    if (written && rename(loader->status_temporary, loader->status_path) == 0) {
        memcpy(last, text, len + 1);
        return;
    }
    if (last[0] != '!')
        log_warn("status.unwritten", "path=%s error=\"%s\"", loader->status_path, strerror(errno));
    memcpy(last, "!", 2);
}

static void *
loader_loop(void *argument)
{
    struct loader *loader = argument;
    char last[LOADER_STATUS_BYTES] = "";
    usec status_due = {0};
    while (!atomic_load(&loader->stopped)) {
        look(loader);
        loader_close_edition(atomic_exchange(&loader->retired, NULL));
        if (errand_run(loader->errands)) loader->calls.wake(loader->calls.context);
        usec now = clock_monotonic();
        if (now.us >= status_due.us) {
            write_status(loader, last);
            status_due.us = now.us + LOADER_STATUS_US;
        }
        errand_wait(loader->errands, LOADER_PAUSE_MS);
    }
    hash_thread_end();
    return NULL;
}

struct edition *
loader_edition(struct catalog *catalog)
{
    struct edition *edition = calloc(1, sizeof *edition);
    CHECK(edition != NULL);
    *edition = (struct edition){catalog, listing_open(catalog)};
    return edition;
}

void
loader_close_edition(struct edition *edition)
{
    if (edition == NULL) return;
    listing_close(edition->listing);
    catalog_close(edition->catalog);
    free(edition);
}

struct loader *
loader_open(const char *market_directory, uint64_t live, struct errands *errands,
            const struct loader_calls *calls)
{
    struct loader *loader = calloc(1, sizeof *loader);
    CHECK(loader != NULL);
    loader->version = live;
    loader->errands = errands;
    loader->calls = *calls;
    int a = snprintf(loader->catalog_path, sizeof loader->catalog_path, "%s/published/catalog",
                     market_directory);
    int b = snprintf(loader->status_path, sizeof loader->status_path, "%s/run/auctiond.status",
                     market_directory);
    int c = snprintf(loader->status_temporary, sizeof loader->status_temporary,
                     "%s/run/auctiond.status.new", market_directory);
    CHECK(a > 0 && b > 0 && c > 0 && (size_t)c < sizeof loader->status_temporary);
    CHECK(pthread_create(&loader->thread, NULL, loader_loop, loader) == 0);
    return loader;
}

void
loader_close(struct loader *loader)
{
    if (loader == NULL) return;
    atomic_store(&loader->stopped, true);
    CHECK(pthread_join(loader->thread, NULL) == 0);
    loader_close_edition(atomic_load(&loader->ready));
    loader_close_edition(atomic_load(&loader->retired));
    unlink(loader->status_path);  // a stopped engine has no status
    free(loader);
}

struct edition *
loader_take(struct loader *loader)
{
    if (atomic_load_explicit(&loader->ready, memory_order_relaxed) == NULL) return NULL;
    return atomic_exchange(&loader->ready, NULL);
}

void
loader_give_back(struct loader *loader, struct edition *edition)
{
    struct edition *none = NULL;
    while (!atomic_compare_exchange_weak(&loader->retired, &none, edition)) {
        // The place is taken: the loader is still decoding. Catalogs change a few times a second at
        // most, so closing the older one here is rare and right.
        struct edition *older = atomic_exchange(&loader->retired, NULL);
        loader_close_edition(older);
        none = NULL;
    }
}
