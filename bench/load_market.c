// The market of the load test: one container of four slots, 40 partners with 2,000 messages, 10,000
// standing bids, 20 attributes, a rule on every message. Compiled and published here as ledgerd
// would do it, so that neither database nor shipping takes part.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "authority.h"
#include "fact.h"
#include "fail.h"
#include "load.h"
#include "market_file.h"

#define SEATS 40
#define MESSAGES 2000
#define BIDS 10000
#define SLOTS 4

static void
write_file(const struct load_market *market, const char *name, const void *data, size_t len)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", market->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, len) != (ssize_t)len) load_die(path);
    close(fd);
}

const char *
load_market_file(const struct load_market *market, const char *name)
{
    return authority_path(market->authority, name);
}

static void
copy_file(const struct load_market *market, const char *from, const char *to)
{
    char buffer[8192];
    const char *path = load_market_file(market, from);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, buffer, sizeof buffer);
    if (len <= 0) load_die(path);
    close(fd);
    write_file(market, to, buffer, (size_t)len);
}

// A rule of one to three conditions; about every eighth contact passes it.
static void
write_rule(FILE *out, uint64_t random)
{
    static const char *const words[] = {"region", "household", "industry", "device"};
    unsigned a = random % 16, b = (random >> 4) % 16, c = (random >> 8) % 16;
    fprintf(out, "%s in ('w%02u', 'w%02u', 'w%02u', 'w%02u')", words[(random >> 12) % 4], a, b, c,
            (unsigned)((random >> 16) % 16));
    if ((random >> 20) % 4 != 0)
        fprintf(out, " and tenure_days >= %u", (unsigned)((random >> 24) % 1500));
    if ((random >> 36) % 4 == 0) fprintf(out, " and owns_card is true");
}

static char *
market_text(size_t *out_len)
{
    static const char *const words[] = {"region",   "household", "industry", "device",  "plan",
                                        "language", "season",    "source",   "weather", "mood"};
    static const char *const numbers[] = {"tenure_days", "score",   "visits",
                                          "orders",      "returns", "age"};
    static const char *const booleans[] = {"owns_card", "app_user", "newsletter", "member"};
    char *text = NULL;
    FILE *out = open_memstream(&text, out_len);
    CHECK(out != NULL);
    fprintf(out,
            "market: {code: bench, currency: EUR, channels: [web], stages: [shop]}\nattributes:\n");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        fprintf(out, "  %s: {type: text, privacy: host, words: [w00", words[i]);
        for (unsigned w = 1; w < 16; w++) fprintf(out, ", w%02u", w);
        fprintf(out, "]}\n");
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        fprintf(out, "  %s: {type: integer, privacy: host, range: [0, 65535]}\n", numbers[i]);
    for (size_t i = 0; i < sizeof booleans / sizeof *booleans; i++)
        fprintf(out, "  %s: {type: boolean, privacy: host}\n", booleans[i]);
    fprintf(out, "touchpoints:\n  shop: {}\nseats:\n  host_sales: {kind: department}\n");
    for (unsigned i = 0; i < SEATS; i++) fprintf(out, "  seat_%02u: {kind: partner}\n", i);
    fprintf(out, "containers:\n  page:\n    stage: shop\n    channel: web\n    owner: host_sales\n"
                 "    slots:\n");
    for (unsigned i = 0; i < SLOTS; i++)
        fprintf(out,
                "      s%u: {floor: 0.05, rungs: [6-8], objectives: [cross_sell], deliver_within: "
                "1h}\n",
                i);
    fprintf(out, "messages:\n");
    for (unsigned i = 0; i < MESSAGES; i++) {
        fprintf(
            out,
            "  seat_%02u.m%04u: {seat: seat_%02u, rung: 6, objectives: cross_sell, format: text, "
            "content: \"cms:%u\", rule: \"",
            i % SEATS, i, i % SEATS, 10000 + i);
        write_rule(out, hash_mix(i + 1));
        fprintf(out, "\"}\n");
    }
    fprintf(out, "contracts:\n");
    for (unsigned i = 0; i < SEATS; i++)
        fprintf(out, "  seat_%02u.c: {seat: seat_%02u, from: 2020-01-01}\n", i, i);
    CHECK(fclose(out) == 0);
    return text;
}

// Five bids a message: for each slot one, and one for any of them.
static struct market_bid *
make_bids(const struct market *declared, struct arena *arena)
{
    struct market_bid *bids = arena_take(arena, BIDS, sizeof *bids);
    const struct market_container *page = &declared->containers[0];
    for (uint32_t i = 0; i < BIDS; i++) {
        const struct market_message *message = &declared->messages[i % MESSAGES];
        uint32_t seat = 0;
        for (uint32_t s = 0; s < declared->seat_count; s++)
            if (strcmp(declared->seats[s].code, message->seat) == 0) seat = declared->seats[s].id;
        unsigned slot = i / MESSAGES;
        bids[i] = (struct market_bid){
            .id = hash_mix(i + 1),
            .seat = seat,
            .message = message->id,
            .slot = slot < SLOTS ? page->slots[slot].id : 0,
            .price = {20000 + (int64_t)(hash_mix(i + 77) % 5000000)},
            .state = BID_ACTIVE,
        };
        snprintf(bids[i].key, sizeof bids[i].key, "b-%u", i);
    }
    return bids;
}

static void
publish(struct load_market *market, struct digest shop)
{
    size_t len;
    char *text = market_text(&len);
    struct market_report report = {.arena = market->arena};
    struct market *declared;
    if (market_file_read(text, len, market->arena, &report, &declared) != STATUS_OK) {
        market_file_print(&report, "market.yaml", stderr);
        exit(1);
    }
    free(text);
    market_object_number(declared);
    market->touchpoint = (uint16_t)declared->touchpoints[0].id;
    struct market_certificate certificate = {
        .fingerprint = shop, .role = ROLE_TOUCHPOINT, .party = market->touchpoint};
    struct catalog_input input = {
        .market = declared,
        .bids = make_bids(declared, market->arena),
        .bid_count = BIDS,
        .certificates = &certificate,
        .certificate_count = 1,
        .version = 1,
    };
    struct expr_error error;
    CHECK(catalog_encode(&input, market->arena, &market->bytes, &market->len, &error) == STATUS_OK);
    write_file(market, "published/catalog", market->bytes, market->len);
}

static uint16_t
free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

void
load_market_open(struct load_market *market, const char *base)
{
    static const char *const folders[] = {"journal", "published", "run", "tls"};
    char text[600];
    *market = (struct load_market){.arena = arena_open("market")};
    snprintf(market->directory, sizeof market->directory, "%s/vendue-load-XXXXXX", base);
    if (mkdtemp(market->directory) == NULL) load_die(base);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(text, sizeof text, "%s/%s", market->directory, folders[i]);
        if (mkdir(text, 0700) != 0) load_die(text);
    }
    market->authority = authority_open();
    authority_issue(market->authority, "server", AUTHORITY_SERVER);
    struct digest shop = authority_issue(market->authority, "shop", AUTHORITY_CLIENT);
    copy_file(market, "ca.crt", "tls/ca.crt");
    copy_file(market, "server.crt", "tls/server.crt");
    copy_file(market, "server.key", "tls/server.key");
    write_file(market, "run/customer.secret", "0123456789abcdef", 16);
    market->port = free_port();
    int len = snprintf(text, sizeof text, "listen: {port: %u}\nbook: {placements: 2097152}\n",
                       market->port);
    write_file(market, "vendue.yaml", text, (size_t)len);
    publish(market, shop);
}

static void
remove_tree(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    CHECK(child > 0 && waitpid(child, NULL, 0) == child);
}

void
load_market_close(struct load_market *market)
{
    load_market_stop(market);
    authority_close(market->authority);
    arena_close(market->arena);
    remove_tree(market->directory);
}

static bool
listens(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

void
load_market_start(struct load_market *market)
{
    char journal[600], log[600];
    snprintf(journal, sizeof journal, "%s/journal", market->directory);
    snprintf(log, sizeof log, "%s/log", market->directory);
    remove_tree(journal);
    market->pid = fork();
    CHECK(market->pid >= 0);
    if (market->pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || fd < 0 || dup2(fd, STDERR_FILENO) < 0)
            _exit(126);
        execl(BUILD_BIN "/auctiond", "auctiond", market->directory, (char *)NULL);
        _exit(127);
    }
    for (unsigned i = 0; !listens(market->port); i++) {
        struct timespec pause = {0, 10000000};
        nanosleep(&pause, NULL);
        if (i < 1000 && waitpid(market->pid, NULL, WNOHANG) == 0) continue;
        fprintf(stderr, "bench_load: " BUILD_BIN "/auctiond does not start; see %s\n", log);
        exit(1);
    }
}

void
load_market_stop(struct load_market *market)
{
    if (market->pid == 0) return;
    CHECK(kill(market->pid, SIGKILL) == 0 && waitpid(market->pid, NULL, 0) == market->pid);
    market->pid = 0;
}
