// The bare limits, and the journal beside them: how many batches a second become durable.
//
//   bare       pwrite of the same bytes, one after another, into a file that was preallocated and
//              written, then fdatasync: no digest, no watermark, no next segment
//   journal    append and sync. The next segment is prepared while the clock stands, as the bare
//              file was
//   sustained  append, sync and prepare, all on the clock: each byte is then written twice, once as
//              zero
//
// The three write the same number of bytes and run in turn, round by round; a ratio is the median
// of the rounds' ratios to bare. Wall-clock figures of one machine differ by a factor of two from
// minute to minute; the ratio is what to look at. "bare 4 KiB" is the unit in which the latencies
// of the whole path are told.
//
//   bench_limits [--directory DIR] [--seconds S] [--pairs N] [--json]
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "journal.h"

#define FILE_BYTES (64u * 1024u * 1024u)
#define ASIDE_BYTES (8u * 1024u * 1024u)  // the next segment is prepared that often
#define PAIRS_MAX 64u
#define SAMPLES_MAX (1u << 20)

struct limits {
    char directory[512];
    double seconds;
    unsigned pairs;
    bool json;
    struct journal *journal;
    int bare_fd;
    uint64_t bare_offset;
    struct fact facts[BOUND_FRAME_FACTS];
    int64_t *samples;  // nanoseconds of each batch
};
struct run {
    double per_second, p50_us, p99_us;
};

static const uint32_t batches[] = {1, 16, 64, 256, 1024};
#define BATCHES (sizeof batches / sizeof batches[0])

_Noreturn static void
die(const char *what)
{
    fprintf(stderr, "bench_limits: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t
now_ns(void)
{
    struct timespec time;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int
ascending(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static int
ascending_double(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double
median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, ascending_double);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

// --- Probes --------------------------------------------------------------------------------------
static void
bare_open(struct limits *limits)
{
    char path[600];
    snprintf(path, sizeof path, "%s/bare", limits->directory);
    limits->bare_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (limits->bare_fd < 0) die(path);
    static uint8_t zeros[1024 * 1024];
    for (uint64_t offset = 0; offset < FILE_BYTES; offset += sizeof zeros)
        if (pwrite(limits->bare_fd, zeros, sizeof zeros, (off_t)offset) != (ssize_t)sizeof zeros)
            die(path);
    if (fsync(limits->bare_fd) != 0) die(path);
}

static void
bare_batch(struct limits *limits, size_t len)
{
    if (limits->bare_offset + len > FILE_BYTES) limits->bare_offset = 0;
    if (pwrite(limits->bare_fd, limits->facts, len, (off_t)limits->bare_offset) != (ssize_t)len ||
        fdatasync(limits->bare_fd) != 0)
        die("bare");
    limits->bare_offset += len;
}

static void
journal_batch(struct limits *limits, uint32_t count)
{
    struct journal_position position;
    if (journal_append(limits->journal, limits->facts, count, clock_wall(), &position) !=
            STATUS_OK ||
        journal_sync(limits->journal) != STATUS_OK)
        die("journal");
}

// Prepares as far as the journal wants to, and waits for the disk. Returns the time that took.
static int64_t
prepare_aside(struct limits *limits)
{
    int64_t began = now_ns();
    while (journal_prepare(limits->journal) > 0) continue;
    if (syncfs(limits->bare_fd) != 0) die("syncfs");
    return now_ns() - began;
}

enum probe { PROBE_BARE, PROBE_JOURNAL, PROBE_SUSTAINED, PROBE_COUNT };

static struct run
probe(struct limits *limits, enum probe probe, uint32_t count, size_t len)
{
    uint32_t done = 0;
    size_t since = 0;  // bytes since the last preparation aside
    int64_t began = now_ns(), last = began, end = began + (int64_t)(limits->seconds * 1e9);
    while (last < end && done < SAMPLES_MAX) {
        switch (probe) {
        case PROBE_BARE: bare_batch(limits, len); break;
        case PROBE_JOURNAL: journal_batch(limits, count); break;
        case PROBE_SUSTAINED:
            journal_batch(limits, count);
            (void)journal_prepare(limits->journal);
            break;
        case PROBE_COUNT: break;
        }
        int64_t now = now_ns();
        limits->samples[done++] = now - last;
        last = now;
        since += len;
        if (probe != PROBE_JOURNAL || since < ASIDE_BYTES) continue;
        int64_t aside = prepare_aside(limits);
        since = 0;
        began += aside;
        end += aside;
        last += aside;
    }
    qsort(limits->samples, done, sizeof *limits->samples, ascending);
    return (struct run){
        .per_second = done * 1e9 / (double)(last - began),
        .p50_us = (double)limits->samples[done / 2] / 1e3,
        .p99_us = (double)limits->samples[(uint64_t)done * 99 / 100] / 1e3,
    };
}

// --- Tables --------------------------------------------------------------------------------------
struct column {
    double per_second[PAIRS_MAX], p50[PAIRS_MAX], p99[PAIRS_MAX], ratio[PAIRS_MAX];
};

static void
measure(struct limits *limits, uint32_t count, struct column columns[PROBE_COUNT])
{
    size_t len = 128 + (size_t)count * BOUND_FACT_BYTES;
    for (unsigned i = 0; i < limits->pairs; i++) {
        for (enum probe kind = 0; kind < PROBE_COUNT; kind++) {
            (void)prepare_aside(limits);
            struct run run = probe(limits, kind, count, len);
            columns[kind].per_second[i] = run.per_second;
            columns[kind].p50[i] = run.p50_us;
            columns[kind].p99[i] = run.p99_us;
            columns[kind].ratio[i] = run.per_second / columns[PROBE_BARE].per_second[i];
        }
    }
    // Sorted only now: until here one index is one round.
    for (enum probe kind = 0; kind < PROBE_COUNT; kind++) {
        qsort(columns[kind].per_second, limits->pairs, sizeof(double), ascending_double);
        qsort(columns[kind].p50, limits->pairs, sizeof(double), ascending_double);
        qsort(columns[kind].p99, limits->pairs, sizeof(double), ascending_double);
        qsort(columns[kind].ratio, limits->pairs, sizeof(double), ascending_double);
    }
}

static void
print_row(const struct limits *limits, uint32_t count, const struct column columns[PROBE_COUNT])
{
    static const char *const names[PROBE_COUNT] = {"bare", "journal", "sustained"};
    unsigned middle = limits->pairs / 2, last = limits->pairs - 1;
    for (enum probe kind = 0; kind < PROBE_COUNT; kind++) {
        const struct column *column = &columns[kind];
        const char *format = limits->json
                                 ? "{\"probe\":\"%s\",\"facts\":%u,\"bytes\":%u,\"per_s\":%.0f,"
                                   "\"p50_us\":%.0f,\"p99_us\":%.0f,\"ratio\":%.3f,"
                                   "\"ratio_low\":%.3f,\"ratio_high\":%.3f}\n"
                                 : "%-10s %6u %8u %9.0f %8.0f %8.0f   %5.2f [%.2f to %.2f]%s\n";
        printf(format, names[kind], count, 128 + count * BOUND_FACT_BYTES,
               column->per_second[middle], column->p50[middle], column->p99[middle],
               column->ratio[middle], column->ratio[0], column->ratio[last],
               kind == PROBE_JOURNAL ? "  target 0.80" : "");
    }
    fflush(stdout);
}

static void
print_bare_4k(struct limits *limits)
{
    double p50[PAIRS_MAX], p99[PAIRS_MAX], rate[PAIRS_MAX];
    for (unsigned i = 0; i < limits->pairs; i++) {
        struct run run = probe(limits, PROBE_BARE, 0, 4096);
        p50[i] = run.p50_us;
        p99[i] = run.p99_us;
        rate[i] = run.per_second;
    }
    const char *format =
        limits->json
            ? "{\"probe\":\"bare\",\"bytes\":4096,\"per_s\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f}\n"
            : "bare 4 KiB pwrite + fdatasync: %.0f a second, p50 %.0f us, p99 %.0f us\n\n";
    printf(format, median(rate, limits->pairs), median(p50, limits->pairs),
           median(p99, limits->pairs));
}

static void
remove_directory(const char *directory)
{
    DIR *stream = opendir(directory);
    if (stream == NULL) return;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (entry->d_name[0] != '.') (void)unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
    (void)rmdir(directory);
}

static void
options(int argc, char **argv, struct limits *limits)
{
    const char *base = "/tmp";
    limits->seconds = 0.4;
    limits->pairs = 5;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--json") == 0) {
            limits->json = true;
            continue;
        }
        if (value == NULL) goto usage;
        if (strcmp(argv[i], "--directory") == 0) base = value;
        else if (strcmp(argv[i], "--seconds") == 0) limits->seconds = atof(value);
        else if (strcmp(argv[i], "--pairs") == 0) limits->pairs = (unsigned)atoi(value);
        else goto usage;
        i++;
    }
    if (limits->pairs == 0 || limits->pairs > PAIRS_MAX || limits->seconds <= 0) goto usage;
    snprintf(limits->directory, sizeof limits->directory, "%s/vendue-limits-XXXXXX", base);
    if (mkdtemp(limits->directory) == NULL) die(base);
    return;
usage:
    fprintf(stderr, "bench_limits [--directory DIR] [--seconds S] [--pairs 1-%u] [--json]\n",
            PAIRS_MAX);
    exit(2);
}

int
main(int argc, char **argv)
{
    static struct limits limits;
    static struct column columns[PROBE_COUNT];
    options(argc, argv, &limits);
    limits.samples = calloc(SAMPLES_MAX, sizeof *limits.samples);
    CHECK(limits.samples != NULL);
    for (size_t i = 0; i < BOUND_FRAME_FACTS; i++)
        for (size_t b = 0; b < BOUND_FACT_BYTES; b++)
            ((uint8_t *)&limits.facts[i])[b] = (uint8_t)hash_mix(i * BOUND_FACT_BYTES + b);
    bare_open(&limits);
    print_bare_4k(&limits);
    if (!limits.json)
        printf("probe       facts    bytes   a second   p50 us   p99 us   ratio to bare\n");
    for (size_t i = 0; i < BATCHES; i++) {
        char directory[600];
        snprintf(directory, sizeof directory, "%s/journal", limits.directory);
        struct journal_options journal_options = {
            .log = 1, .epoch = 1, .segment_bytes = FILE_BYTES};
        struct journal_fault fault;
        if (journal_open(directory, &journal_options, &limits.journal, &fault) != STATUS_OK) {
            fprintf(stderr, "bench_limits: %s\n", fault.text);
            return 1;
        }
        measure(&limits, batches[i], columns);
        print_row(&limits, batches[i], columns);
        journal_close(limits.journal);
        remove_directory(directory);
    }
    close(limits.bare_fd);
    remove_directory(limits.directory);
    free(limits.samples);
    return 0;
}
