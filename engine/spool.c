// What contacts brought, on its way to files that are no part of the truth.
//
// The edge encodes a contact into a ring of bytes; a thread of the spool's own turns records into
// lines. Nothing is synced. Two kinds of files:
//
//   DIR/inputs/2026-11-22          one line a contact, in the order decided:
//     {"contact":"<id>","at_us":N,"attr":{"region":"north","age":41,"tags":["a",null]},
//      "live":[...]}
//   DIR/sample/2026-11-22T15       the contact sample of that hour (UTC), in an order of its own:
//     {"hour":"2026-11-22T15:00:00Z","container":"bill","identity":"repeat","tier":"gold",
//      "loyalty":"unknown","condition":"calm","consent":["profiling"],"attr":{...}}
//
// `attr` holds declared attributes whose value was known, by name; null stands for a word that no
// rule and no declaration mentions. `live` holds the contact's live bids in the order in which the
// round got them, with stable ids; it is left out when there were none.
//
// Invariants
//   1 Transient attributes, customer keys and the touchpoint's id of a contact are never written;
//     an attribute whose consent is absent is unknown here as everywhere.
//   2 The edge never waits: a record that finds no room is dropped and counted.
//   3 A file is removed once its day is `explain.days` (inputs) or the market's sample days
//     (sample) before today.
//   4 Which contacts are sampled follows from a keyed hash of their id; the key is drawn at the
//     start and known to this process alone. A sampled line bears no id, its time is the hour, and
//     lines of an hour leave a pool in random order: so a line leads back to no contact but by its
//     values.
//
// The ring: bytes from `tail` to `head`, both only growing; a record is its length (four bytes) and
// its bytes. One producer, one consumer. The consumer looks every SPOOL_PAUSE_NS; the ring holds
// what comes in meanwhile.
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "log.h"
#include "spool_line.h"

#define SPOOL_RING (4u << 20)  // bytes; a power of two
#define SPOOL_RECORD (60u * 1024)
#define SPOOL_PAUSE_NS 50000000L
#define SPOOL_POOL 1024                      // sampled lines of an hour that wait to be shuffled
#define SPOOL_REMOVE_US (600 * USEC_SECOND)  // between two looks for old files
#define SPOOL_PATH 600
#define SPOOL_BUFFER (64u * 1024)  // written at once

struct spool_file {
    FILE *file;
    char name[32];  // "2026-11-22" or "2026-11-22T15"; "" none
    int64_t day;    // that the name says, of `inputs`: most records need no look at the name
};

struct spool {
    char directory[512];
    uint32_t explain_days;
    pthread_t thread;
    _Atomic uint64_t head, tail, kept, sampled, dropped;
    _Atomic uint32_t sample_ppm, sample_days;
    atomic_bool market, stop;  // market: a catalog said how much is sampled
    uint8_t *ring;
    uint8_t *out;  // the edge's: the record being encoded
    size_t out_len;
    bool out_full;
    // The thread's.
    uint8_t *in;
    uint8_t key[16];
    uint64_t random;
    struct spool_file inputs, sample;
    struct spool_line line;
    char *pool[SPOOL_POOL];
    unsigned pool_count;
    usec removed_at;
    bool complained;
};

// --- The edge: encoding --------------------------------------------------------------------------

// Once for every attribute of every contact: inline, so that sizes known here are moves.
static inline void
put(struct spool *spool, const void *bytes, size_t len)
{
    if (SPOOL_RECORD - spool->out_len < len) {
        spool->out_full = true;  // what follows may still fit: the record is dropped as a whole
        return;
    }
    memcpy(spool->out + spool->out_len, bytes, len);
    spool->out_len += len;
}

static void
put_word(struct spool *spool, const struct catalog *catalog, int64_t word)
{
    const char *text = word == VALUE_OTHER ? NULL : catalog->words[word];
    uint16_t len = text == NULL ? SPOOL_OTHER : (uint16_t)strnlen(text, SPOOL_OTHER - 1);
    put(spool, &len, sizeof len);
    if (text != NULL) put(spool, text, len);
}

static void
put_attribute(struct spool *spool, const struct catalog *catalog, const struct values *values,
              uint32_t attribute)
{
    const struct expr_attribute *is = &catalog->attributes[attribute].is;
    int64_t value = values->value[attribute];
    uint8_t head[2] = {is->type, (uint8_t)strlen(is->name)};
    put(spool, head, sizeof head);
    put(spool, is->name, head[1]);
    switch ((enum attribute_type)is->type) {
    case ATTRIBUTE_BOOLEAN:
    case ATTRIBUTE_INTEGER: put(spool, &value, sizeof value); break;
    case ATTRIBUTE_TEXT: put_word(spool, catalog, value); break;
    case ATTRIBUTE_LIST: {
        uint32_t first = (uint32_t)(value >> 32);
        uint16_t count = (uint16_t)value;
        put(spool, &count, sizeof count);
        for (uint32_t i = 0; i < count; i++)
            put_word(spool, catalog, values->list_items[first + i]);
        break;
    }
    case ATTRIBUTE_TYPE_COUNT: break;
    }
}

static void
put_live(struct spool *spool, const struct catalog *catalog, const struct round_live *live)
{
    for (uint32_t i = 0; live != NULL && i < live->count; i++) {
        const struct catalog_bid *bid = &live->bids[i];
        struct spool_bid said;
        memset(&said, 0, sizeof said);
        said.bid = bid->id;
        said.price = bid->price.micros;
        said.seat = catalog->seats[bid->seat].id;
        said.message = catalog->messages[bid->message].id;
        said.slot = bid->slot == UINT32_MAX ? 0 : catalog->slots[bid->slot].id;
        said.kind = bid->kind;
        said.group = live->groups == NULL ? 0 : live->groups[i];
        put(spool, &said, sizeof said);
    }
}

static void
ring_write(struct spool *spool, uint64_t at, const void *bytes, size_t len)
{
    size_t from = at & (SPOOL_RING - 1), first = SPOOL_RING - from < len ? SPOOL_RING - from : len;
    memcpy(spool->ring + from, bytes, first);
    memcpy(spool->ring, (const uint8_t *)bytes + first, len - first);
}

static void
hand_over(struct spool *spool)
{
    uint32_t len = (uint32_t)spool->out_len;
    uint64_t head = atomic_load_explicit(&spool->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&spool->tail, memory_order_acquire);
    if (spool->out_full || SPOOL_RING - (head - tail) < len + sizeof len) {
        atomic_fetch_add_explicit(&spool->dropped, 1, memory_order_relaxed);
        return;
    }
    ring_write(spool, head, &len, sizeof len);
    ring_write(spool, head + sizeof len, spool->out, len);
    atomic_store_explicit(&spool->head, head + sizeof len + len, memory_order_release);
}

void
spool_catalog(struct spool *spool, const struct catalog *catalog)
{
    atomic_store(&spool->sample_ppm, catalog->sample_ppm);
    atomic_store(&spool->sample_days, catalog->sample_days);
    atomic_store(&spool->market, true);
}

void
spool_contact(struct spool *spool, const struct catalog *catalog, const struct contact *contact,
              struct id id, usec at, const struct round_live *live)
{
    bool sampling = atomic_load_explicit(&spool->sample_ppm, memory_order_relaxed) > 0 &&
                    atomic_load_explicit(&spool->sample_days, memory_order_relaxed) > 0;
    if (spool->explain_days == 0 && !sampling) return;
    uint64_t keep = contact->values.known & ~((UINT64_C(1) << BUILTIN_COUNT) - 1);
    for (uint64_t left = keep; left != 0; left &= left - 1) {
        unsigned attribute = (unsigned)__builtin_ctzll(left);
        if (catalog->attributes[attribute].privacy == PRIVACY_TRANSIENT)
            keep &= ~(UINT64_C(1) << attribute);
    }
    const char *code = catalog->containers[contact->container].code;
    struct spool_record head;
    memset(&head, 0, sizeof head);
    head.id = id;
    head.at_us = at.us;
    head.identity = contact->identity;
    head.tier = contact->tier;
    head.loyalty = contact->loyalty;
    head.condition = contact->condition;
    head.consent = contact->consent;
    head.container_len = (uint8_t)strlen(code);
    head.attributes = (uint16_t)__builtin_popcountll(keep);
    head.live = (uint16_t)(live == NULL ? 0 : live->count);
    spool->out_len = 0;
    spool->out_full = false;
    put(spool, &head, sizeof head);
    put(spool, code, head.container_len);
    for (uint64_t left = keep; left != 0; left &= left - 1)
        put_attribute(spool, catalog, &contact->values, (uint32_t)__builtin_ctzll(left));
    put_live(spool, catalog, live);
    hand_over(spool);
}

struct spool_counts
spool_counts(const struct spool *spool)
{
    return (struct spool_counts){
        .kept = atomic_load_explicit(&spool->kept, memory_order_relaxed),
        .sampled = atomic_load_explicit(&spool->sampled, memory_order_relaxed),
        .dropped = atomic_load_explicit(&spool->dropped, memory_order_relaxed)};
}

// --- The thread: files ---------------------------------------------------------------------------

static void
complain(struct spool *spool, const char *path)
{
    if (!spool->complained)
        log_error("spool.refused",
                  "path=%s error=\"%s\" action=\"contacts are sold on, without being kept for "
                  "explaining\"",
                  path, strerror(errno));
    spool->complained = true;
}

static void
close_file(struct spool_file *file)
{
    if (file->file != NULL) fclose(file->file);  // not the truth: a failing write was told already
    file->file = NULL;
    file->name[0] = '\0';
}

// The file of that name, opened at its end; a line that a crash cut is ended first.
static bool
open_file(struct spool *spool, struct spool_file *file, const char *folder, const char *name)
{
    char path[SPOOL_PATH];
    if (file->file != NULL && strcmp(file->name, name) == 0) return true;
    close_file(file);
    snprintf(path, sizeof path, "%s/%s", spool->directory, folder);
    if (mkdir(path, 0750) != 0 && errno != EEXIST) {
        complain(spool, path);
        return false;
    }
    snprintf(path, sizeof path, "%s/%s/%s", spool->directory, folder, name);
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 || (file->file = fdopen(fd, "a")) == NULL) {
        complain(spool, path);
        if (fd >= 0) close(fd);
        return false;
    }
    (void)setvbuf(file->file, NULL, _IOFBF, SPOOL_BUFFER);  // its own size does as well
    snprintf(file->name, sizeof file->name, "%s", name);
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n') fputc('\n', file->file);
    return true;
}

static bool
write_line(struct spool *spool, struct spool_file *file, const char *line, size_t len)
{
    if (fwrite_unlocked(line, 1, len, file->file) == len && fputc_unlocked('\n', file->file) != EOF)
        return true;
    complain(spool, file->name);
    close_file(file);
    return false;
}

static void
flush_file(struct spool *spool, struct spool_file *file)
{
    if (file->file == NULL) return;
    if (fflush(file->file) == 0) {
        spool->complained = false;
        return;
    }
    complain(spool, file->name);
    close_file(file);
}

// "2026-11-22", or with the hour "2026-11-22T15".
static void
name_of(int64_t at_us, bool hour, char out_name[32])
{
    char text[CLOCK_TEXT];
    clock_format((usec){at_us}, text);
    snprintf(out_name, 32, "%.*s", hour ? 13 : 10, text);
}

// Files whose day is `days` or more before today; `days` 0: all.
static void
remove_old(const struct spool *spool, const char *folder, uint32_t days, usec now)
{
    char path[SPOOL_PATH], oldest[32];
    snprintf(path, sizeof path, "%s/%s", spool->directory, folder);
    DIR *files = opendir(path);
    if (files == NULL) return;
    name_of(now.us - ((int64_t)days - 1) * USEC_DAY, false, oldest);
    for (const struct dirent *entry; (entry = readdir(files)) != NULL;) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, oldest, 10) >= 0) continue;
        if (unlinkat(dirfd(files), entry->d_name, 0) != 0)
            log_error("spool.remove", "folder=%s file=%s error=\"%s\"", folder, entry->d_name,
                      strerror(errno));
    }
    closedir(files);
}

// --- The thread: the sample's pool ---------------------------------------------------------------

static uint64_t
draw(struct spool *spool)
{
    spool->random += 0x9e3779b97f4a7c15u;
    return hash_mix(spool->random);
}

static void
release_one(struct spool *spool)
{
    unsigned which = (unsigned)(draw(spool) % spool->pool_count);
    char *line = spool->pool[which];
    spool->pool[which] = spool->pool[--spool->pool_count];
    if (spool->sample.file != NULL && write_line(spool, &spool->sample, line, strlen(line)))
        atomic_fetch_add_explicit(&spool->sampled, 1, memory_order_relaxed);
    free(line);
}

static void
release_all(struct spool *spool)
{
    while (spool->pool_count > 0) release_one(spool);
    close_file(&spool->sample);
}

static bool
is_sampled(const struct spool *spool, struct id id)
{
    uint32_t ppm = atomic_load_explicit(&spool->sample_ppm, memory_order_relaxed);
    if (ppm == 0 || atomic_load_explicit(&spool->sample_days, memory_order_relaxed) == 0)
        return false;
    uint64_t drawn = hash_customer(spool->key, (const char *)id.bytes, sizeof id.bytes);
    return drawn % 1000000 < ppm;
}

static void
sample(struct spool *spool, const struct spool_record *head)
{
    char name[32];
    name_of(head->at_us, true, name);
    if (strcmp(spool->sample.name, name) != 0) release_all(spool);
    if (!open_file(spool, &spool->sample, "sample", name)) return;
    spool_line_sample(&spool->line, spool->in, name);
    if (spool->pool_count == SPOOL_POOL) release_one(spool);
    char *line = strdup(spool->line.text);
    CHECK(line != NULL);
    spool->pool[spool->pool_count++] = line;
}

// --- The thread: its turn ------------------------------------------------------------------------

static void
take_record(struct spool *spool)
{
    struct spool_record head;
    char name[32];
    memcpy(&head, spool->in, sizeof head);
    if (is_sampled(spool, head.id)) sample(spool, &head);
    if (spool->explain_days == 0) return;
    bool open = spool->inputs.file != NULL && spool->inputs.day == head.at_us / USEC_DAY;
    if (!open) {
        name_of(head.at_us, false, name);
        open = open_file(spool, &spool->inputs, "inputs", name);
        spool->inputs.day = head.at_us / USEC_DAY;
    }
    spool_line_inputs(&spool->line, spool->in);
    bool written = open && write_line(spool, &spool->inputs, spool->line.text, spool->line.len);
    atomic_fetch_add_explicit(written ? &spool->kept : &spool->dropped, 1, memory_order_relaxed);
}

static void
ring_read(const struct spool *spool, uint64_t at, void *out, size_t len)
{
    size_t from = at & (SPOOL_RING - 1), first = SPOOL_RING - from < len ? SPOOL_RING - from : len;
    memcpy(out, spool->ring + from, first);
    memcpy((uint8_t *)out + first, spool->ring, len - first);
}

static void
drain(struct spool *spool)
{
    uint64_t head = atomic_load_explicit(&spool->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&spool->tail, memory_order_relaxed);
    while (tail < head) {
        uint32_t len;
        ring_read(spool, tail, &len, sizeof len);
        ring_read(spool, tail + sizeof len, spool->in, len);
        tail += sizeof len + len;
        atomic_store_explicit(&spool->tail, tail, memory_order_release);
        take_record(spool);
    }
    flush_file(spool, &spool->inputs);
    flush_file(spool, &spool->sample);
}

static void
age(struct spool *spool)
{
    char hour[32];
    usec now = clock_wall();
    name_of(now.us, true, hour);
    if (spool->sample.name[0] != '\0' && strcmp(spool->sample.name, hour) < 0) release_all(spool);
    int64_t gone = now.us - spool->removed_at.us;
    if (gone >= 0 && gone < SPOOL_REMOVE_US) return;
    spool->removed_at = now;
    remove_old(spool, "inputs", spool->explain_days, now);
    if (atomic_load(&spool->market)) remove_old(spool, "sample", spool->sample_days, now);
}

static void *
spool_loop(void *argument)
{
    struct spool *spool = argument;
    bool last = false, market = false;
    while (!last) {
        last = atomic_load(&spool->stop);
        if (!market && atomic_load(&spool->market)) {
            market = true;
            spool->removed_at = (usec){0};  // how long the sample is kept is known only now
        }
        drain(spool);
        age(spool);
        if (last) break;
        struct timespec pause = {0, SPOOL_PAUSE_NS};
        nanosleep(&pause, NULL);
    }
    release_all(spool);
    close_file(&spool->inputs);
    hash_thread_end();
    return NULL;
}

struct spool *
spool_open(const char *directory, uint32_t explain_days)
{
    struct spool *spool = calloc(1, sizeof *spool);
    CHECK(spool != NULL && strlen(directory) < sizeof spool->directory);
    strcpy(spool->directory, directory);
    spool->explain_days = explain_days;
    spool->ring = malloc(SPOOL_RING);
    spool->out = malloc(SPOOL_RECORD);
    spool->in = malloc(SPOOL_RECORD);
    spool_line_open(&spool->line);
    CHECK(spool->ring != NULL && spool->out != NULL && spool->in != NULL);
    CHECK(getrandom(spool->key, sizeof spool->key, 0) == sizeof spool->key);
    CHECK(getrandom(&spool->random, sizeof spool->random, 0) == sizeof spool->random);
    CHECK(pthread_create(&spool->thread, NULL, spool_loop, spool) == 0);
    return spool;
}

void
spool_close(struct spool *spool)
{
    if (spool == NULL) return;
    atomic_store(&spool->stop, true);
    CHECK(pthread_join(spool->thread, NULL) == 0);
    free(spool->ring);
    free(spool->out);
    free(spool->in);
    spool_line_close(&spool->line);
    free(spool);
}
