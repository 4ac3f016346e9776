// The whole path over TLS, beside what no market can beat: durable answers of a real auctiond
// against two echoes of the same bytes on the same machine in the same minute.
//
//   echo     raw OpenSSL: as many bytes back as an answer has; nothing is looked at
//   decide   the same server, which also reads, binds, decides, applies and writes each contact,
//            but has no journal: what durability costs is the distance from here
//   market   auctiond: listener, sessions, auctioneer, scribe, journal with fdatasync; 10,000 bids,
//            4 slots
//
// Client: one thread, 32 connections, 1 or 16 requests under way on each, closed loop. Every run
// has a fresh server; the three run in turn, round by round; a ratio is the median of the rounds'
// ratios. Client and server share the processors, so figures are of the machine as a whole;
// processor time per message is the server's alone. What the targets mean and how noisy two shared
// cores are: median and range stand side by side, differences below 15 % mean nothing.
//
//   bench_load [--directory DIR] [--seconds S] [--pairs N] [--depth D] [--json]
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "fail.h"

#define PAIRS_MAX 64u
#define TMPFS 0x01021994

struct load {
    struct load_market market;
    struct load_requests requests;
    uint8_t answer[BOUND_MESSAGE_BYTES];
    size_t answer_len;
    const char *base;
    double seconds;
    unsigned pairs, depth;  // depth 0: 1 and 16
    bool json;
};
struct rounds {
    double per_second[PAIRS_MAX], p50[PAIRS_MAX], p99[PAIRS_MAX], cpu[PAIRS_MAX], client[PAIRS_MAX];
    uint64_t refused;
};

static const char *const names[LOAD_SERVERS] = {"echo", "decide", "market"};

_Noreturn void
load_die(const char *what)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int
ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

// Of a copy: the order of the rounds stays.
static double
quantile(const double *values, unsigned count, unsigned at)
{
    double sorted[PAIRS_MAX];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    return sorted[at];
}

static double
median(const double *values, unsigned count)
{
    return quantile(values, count, count / 2);
}

static struct load_client_options
client_options(const struct load *load)
{
    return (struct load_client_options){
        .warm_seconds = load->seconds / 4,
        .seconds = load->seconds,
        .ca = load_market_file(&load->market, "ca.crt"),
        .certificate = load_market_file(&load->market, "shop.crt"),
        .key = load_market_file(&load->market, "shop.key"),
    };
}

// What the market answers: the length in the middle of 33 answers, for the echo to send.
static void
learn_answer(struct load *load)
{
    static uint8_t answers[33][BOUND_MESSAGE_BYTES];
    double lens[33];
    load_market_start(&load->market);
    struct load_client_options options = client_options(load);
    options.port = load->market.port;
    options.depth = 1;
    for (unsigned i = 0; i < 33; i++) {
        size_t len = load_client_once(&options, &load->requests, answers[i], sizeof answers[i]);
        if (answers[i][7] != 0xc0) {
            fprintf(stderr, "bench_load: the market refuses the contact: %.*s\n", (int)len - 8,
                    answers[i] + 8);
            exit(1);
        }
        lens[i] = (double)len;
    }
    load->answer_len = (size_t)median(lens, 33);
    for (unsigned i = 0; i < 33; i++)
        if ((size_t)lens[i] == load->answer_len) memcpy(load->answer, answers[i], load->answer_len);
    load_market_stop(&load->market);
}

static struct load_run
run_one(struct load *load, enum load_server kind, unsigned depth)
{
    struct load_client_options options = client_options(load);
    options.depth = depth;
    if (kind == LOAD_MARKET) {
        load_market_start(&load->market);
        options.port = load->market.port;
        options.server = load->market.pid;
        struct load_run run = load_client_run(&options, &load->requests);
        load_market_stop(&load->market);
        return run;
    }
    char certificate[600], key[600];
    snprintf(certificate, sizeof certificate, "%s/tls/server.crt", load->market.directory);
    snprintf(key, sizeof key, "%s/tls/server.key", load->market.directory);
    struct load_server_options server = {
        .kind = kind,
        .certificate = certificate,
        .key = key,
        .request_len = load->requests.len,
        .answer = load->answer,
        .answer_len = load->answer_len,
        .market = &load->market,
    };
    options.server = load_server_start(&server, &options.port);
    struct load_run run = load_client_run(&options, &load->requests);
    CHECK(kill(options.server, SIGKILL) == 0);
    CHECK(waitpid(options.server, NULL, 0) == options.server);
    return run;
}

static void
print_ratio(const struct load *load, const struct rounds rounds[LOAD_SERVERS], enum load_server to,
            unsigned depth, double target)
{
    double ratios[PAIRS_MAX];
    for (unsigned i = 0; i < load->pairs; i++)
        ratios[i] = rounds[LOAD_MARKET].per_second[i] / rounds[to].per_second[i];
    double low = quantile(ratios, load->pairs, 0),
           high = quantile(ratios, load->pairs, load->pairs - 1);
    char aim[32] = "";
    if (load->json) {
        if (target > 0) snprintf(aim, sizeof aim, ",\"target\":%.2f", target);
        printf(
            "{\"ratio\":\"market/%s\",\"depth\":%u,\"median\":%.3f,\"low\":%.3f,\"high\":%.3f%s}\n",
            names[to], depth, median(ratios, load->pairs), low, high, aim);
        return;
    }
    if (target > 0) snprintf(aim, sizeof aim, "  target >= %.2f", target);
    printf("  market / %-7s %5.2f [%.2f to %.2f]%s\n", names[to], median(ratios, load->pairs), low,
           high, aim);
}

static void
print_depth(const struct load *load, unsigned depth, const struct rounds rounds[LOAD_SERVERS])
{
    if (!load->json)
        printf("\n%u under way on each of %u connections\n  %-8s %10s %8s %8s   %s\n", depth,
               LOAD_CONNECTIONS, "server", "msgs/s", "p50 us", "p99 us",
               "processor us/msg: server  client");
    for (enum load_server kind = 0; kind < LOAD_SERVERS; kind++) {
        const struct rounds *of = &rounds[kind];
        const char *format =
            load->json ? "{\"server\":\"%s\",\"per_s\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
                         "\"cpu_us\":%.2f,\"client_us\":%.2f,\"depth\":%u,\"refused\":%llu}\n"
                       : "  %-8s %10.0f %8.0f %8.0f %25.2f %7.2f\n";
        printf(format, names[kind], median(of->per_second, load->pairs),
               median(of->p50, load->pairs), median(of->p99, load->pairs),
               median(of->cpu, load->pairs), median(of->client, load->pairs), depth,
               (unsigned long long)of->refused);
        if (!load->json && of->refused > 0)
            printf("  %llu answers of %s were refusals: this is no measurement\n",
                   (unsigned long long)of->refused, names[kind]);
    }
    print_ratio(load, rounds, LOAD_ECHO, depth, depth == 1 ? 0.35 : 0);
    print_ratio(load, rounds, LOAD_DECIDE, depth, depth == 16 ? 0.45 : 0);
    fflush(stdout);
}

static bool
measure(struct load *load, unsigned depth)
{
    static struct rounds rounds[LOAD_SERVERS];
    memset(rounds, 0, sizeof rounds);
    uint64_t refused = 0;
    for (unsigned i = 0; i < load->pairs; i++) {
        for (enum load_server kind = 0; kind < LOAD_SERVERS; kind++) {
            struct load_run run = run_one(load, kind, depth);
            rounds[kind].per_second[i] = run.per_second;
            rounds[kind].p50[i] = run.p50_us;
            rounds[kind].p99[i] = run.p99_us;
            rounds[kind].cpu[i] = run.cpu_us;
            rounds[kind].client[i] = run.client_us;
            rounds[kind].refused += run.refused;
            refused += run.refused;
        }
    }
    print_depth(load, depth, rounds);
    return refused == 0;
}

static void
read_options(int argc, char **argv, struct load *load)
{
    load->base = "/tmp";
    load->seconds = 1.2;
    load->pairs = 5;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--json") == 0) {
            load->json = true;
            continue;
        }
        if (strcmp(argv[i], "--directory") == 0) load->base = value;
        else if (strcmp(argv[i], "--seconds") == 0) load->seconds = atof(value);
        else if (strcmp(argv[i], "--pairs") == 0) load->pairs = (unsigned)atoi(value);
        else if (strcmp(argv[i], "--depth") == 0) load->depth = (unsigned)atoi(value);
        else load->pairs = 0;
        i++;
    }
    if (load->pairs >= 1 && load->pairs <= PAIRS_MAX && load->seconds > 0 &&
        load->depth <= LOAD_DEPTH_MAX && load->base[0] != 0)
        return;
    fprintf(stderr,
            "bench_load [--directory DIR] [--seconds S] [--pairs 1-%u] [--depth 1-%u] [--json]\n",
            PAIRS_MAX, LOAD_DEPTH_MAX);
    exit(2);
}

int
main(int argc, char **argv)
{
    static struct load load;
    signal(SIGPIPE, SIG_IGN);
    read_options(argc, argv, &load);
    load_market_open(&load.market, load.base);
    load_request_fill(&load.requests);
    learn_answer(&load);
    struct statfs disk;
    if (!load.json) {
        printf("contact over TLS 1.3: request %zu bytes, answer %zu bytes, 4 slots, 10,000 bids; "
               "medians of %u\n",
               load.requests.len, load.answer_len, load.pairs);
        if (statfs(load.base, &disk) == 0 && disk.f_type == TMPFS)
            printf("%s is memory, not a disk: syncs cost nothing here; give --directory\n",
                   load.base);
    }
    static const unsigned depths[] = {1, 16};
    bool clean = true;
    if (load.depth > 0) clean = measure(&load, load.depth);
    for (size_t i = 0; load.depth == 0 && i < sizeof depths / sizeof *depths; i++)
        clean = measure(&load, depths[i]) && clean;
    load_market_close(&load.market);
    return clean ? 0 : 1;
}
