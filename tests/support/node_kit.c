#include "node_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "catalog.h"
#include "fail.h"
#include "folder.h"
#include "market_file.h"

static const char *const speakers_default[] = {"shop", "kiosk", "tea", "rival"};

static void
write_file(const struct node_kit *kit, const char *name, const void *data, size_t len, mode_t mode)
{
    char path[256], temporary[256];
    snprintf(path, sizeof path, "%s/%s", kit->directory, name);
    snprintf(temporary, sizeof temporary, "%s/%s.new", kit->directory, name);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    CHECK(file >= 0 && write(file, data, len) == (ssize_t)len);
    close(file);
    CHECK(rename(temporary, path) == 0);
}

// A port nobody listens on now.
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

static void
copy_into(struct node_kit *kit, const char *name, const char *target)
{
    char buffer[8192];
    int file = open(authority_path(kit->authority, name), O_RDONLY | O_CLOEXEC);
    ssize_t len = file < 0 ? -1 : read(file, buffer, sizeof buffer);
    CHECK(len > 0);
    close(file);
    write_file(kit, target, buffer, (size_t)len, 0600);
}

void
node_kit_open(struct node_kit *kit, const char *programs, const char *settings)
{
    static const char *const folders[] = {"journal", "published", "run", "tls"};
    char text[256];
    *kit = (struct node_kit){.directory = "/tmp/vendue-node-XXXXXX",
                             .speakers = speakers_default,
                             .speaker_count = 4};
    CHECK(strlen(programs) < sizeof kit->programs);
    strcpy(kit->programs, programs);
    CHECK(mkdtemp(kit->directory) != NULL);
    for (size_t i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "%s/%s", kit->directory, folders[i]);
        CHECK(mkdir(text, 0700) == 0);
    }
    kit->authority = authority_open();
    authority_issue(kit->authority, "server", AUTHORITY_SERVER);
    copy_into(kit, "ca.crt", "tls/ca.crt");
    copy_into(kit, "server.crt", "tls/server.crt");
    copy_into(kit, "server.key", "tls/server.key");
    write_file(kit, "run/customer.secret", "0123456789abcdef", 16, 0600);
    kit->port = free_port();
    int len = snprintf(text, sizeof text, "listen: {port: %u}\njournal: {segment: 1 MiB}\n%s",
                       kit->port, settings == NULL ? "" : settings);
    write_file(kit, "vendue.yaml", text, (size_t)len, 0600);
    signal(SIGPIPE, SIG_IGN);
}

void
node_kit_close(struct node_kit *kit)
{
    char journal[128];
    if (kit->pid > 0) node_kit_stop(kit, SIGKILL);
    authority_close(kit->authority);
    snprintf(journal, sizeof journal, "%s/journal", kit->directory);
    umount2(journal, MNT_DETACH);  // only where it could not be mounted out of sight
    CHECK(folder_remove(kit->directory) == 0);
}

static struct market_certificate
certificate_of(const struct market *market, const char *name, struct digest fingerprint)
{
    struct market_certificate certificate = {.fingerprint = fingerprint, .role = ROLE_TOUCHPOINT};
    for (uint32_t i = 0; i < market->touchpoint_count; i++)
        if (strcmp(market->touchpoints[i].code, name) == 0)
            certificate.party = market->touchpoints[i].id;
    for (uint32_t i = 0; i < market->seat_count; i++) {
        if (strcmp(market->seats[i].code, name) != 0) continue;
        certificate.role = ROLE_SEAT;
        certificate.party = market->seats[i].id;
    }
    return certificate;
}

void
node_kit_publish(struct node_kit *kit, const char *market_text)
{
    struct arena *arena = arena_open("catalog");
    struct market_report report = {.arena = arena};
    struct market *market;
    if (market_file_read(market_text, strlen(market_text), arena, &report, &market) != STATUS_OK) {
        market_file_print(&report, "market.yaml", stderr);
        CHECK(!"the test's market is wrong");
    }
    market_object_number(market);
    struct market_certificate certificates[NODE_KIT_SPEAKERS];
    CHECK(kit->speaker_count <= NODE_KIT_SPEAKERS);
    for (; kit->issued < kit->speaker_count; kit->issued++)
        kit->fingerprints[kit->issued] = authority_issue(
            kit->authority, kit->speakers[kit->issued], AUTHORITY_CLIENT);
    for (unsigned i = 0; i < kit->speaker_count; i++) {
        const char *name = kit->speakers[i];
        certificates[i] = certificate_of(market, name, kit->fingerprints[i]);
        certificates[i].revoked = strcmp(name, "rival") == 0 && kit->revoke_rival;
    }
    struct catalog_input input = {.market = market,
                                  .certificates = certificates,
                                  .certificate_count = kit->speaker_count,
                                  .version = ++kit->catalog_version};
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    CHECK(catalog_encode(&input, arena, &bytes, &len, &error) == STATUS_OK);
    write_file(kit, "published/catalog", bytes, len, 0600);
    arena_close(arena);
}

static void
pause_briefly(void)
{
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
}

// One number of the status file; -1: the file or the key is not there.
static int64_t
status_number(const struct node_kit *kit, const char *key)
{
    char path[128], text[4096], quoted[64];
    snprintf(path, sizeof path, "%s/run/auctiond.status", kit->directory);
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t len = read(file, text, sizeof text - 1);
    close(file);
    if (len <= 0) return -1;
    text[len] = '\0';
    const char *at = strstr(text, quoted);
    return at == NULL ? -1 : strtoll(at + strlen(quoted), NULL, 10);
}

int64_t
node_kit_await(struct node_kit *kit, const char *key, int64_t least)
{
    for (int i = 0; i < 2000; i++) {
        int64_t value = status_number(kit, key);
        if (value >= least) return value;
        CHECK(kit->pid > 0 && waitpid(kit->pid, NULL, WNOHANG) == 0);
        pause_briefly();
    }
    fprintf(stderr, "%s did not reach %lld\n", key, (long long)least);
    CHECK(!"the node did not get there");
}

// In a mount namespace of its own, as root there, so that it needs no right of its user. In a
// changed root "/" is no mount of its own and stays shared; node_kit_close unmounts then.
static bool
mount_journal(const struct node_kit *kit)
{
    char path[128], options[64];
    if (unshare(CLONE_NEWNS | (getuid() == 0 ? 0 : CLONE_NEWUSER)) != 0) return false;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 && errno != EINVAL) return false;
    snprintf(path, sizeof path, "%s/journal", kit->directory);
    snprintf(options, sizeof options, "size=%uk", kit->journal_kib);
    return mount("journal", path, "tmpfs", 0, options) == 0;
}

bool
node_kit_can_mount(void)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(unshare(CLONE_NEWNS | (getuid() == 0 ? 0 : CLONE_NEWUSER)) == 0 ? 0 : 1);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
node_kit_fill(struct node_kit *kit, bool full)
{
    char path[160];
    static const char zeros[4096];
    // What the node sees as its journal directory lies in its own name space.
    snprintf(path, sizeof path, "/proc/%d/root%s/journal/ballast", (int)kit->pid, kit->directory);
    if (!full) {
        CHECK(unlink(path) == 0);
        return;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(file >= 0);
    while (write(file, zeros, sizeof zeros) == sizeof zeros) continue;
    CHECK(errno == ENOSPC);
    close(file);
}

void
node_kit_start(struct node_kit *kit)
{
    char status[128];
    snprintf(status, sizeof status, "%s/run/auctiond.status", kit->directory);
    unlink(status);  // of one that was killed
    kit->pid = fork();
    CHECK(kit->pid >= 0);
    if (kit->pid == 0) {
        char log[128];
        snprintf(log, sizeof log, "%s/log", kit->directory);
        int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (file < 0 || dup2(file, STDERR_FILENO) < 0) _exit(126);
        prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that fails leaves nothing running
        if (kit->journal_kib > 0 && !mount_journal(kit)) _exit(125);
        char program[256];
        snprintf(program, sizeof program, "%s/auctiond", kit->programs);
        execl(program, "auctiond", kit->directory, (char *)NULL);
        _exit(127);
    }
    node_kit_await(kit, "port", kit->port);
}

int
node_kit_stop(struct node_kit *kit, int signal_number)
{
    int status;
    CHECK(kill(kit->pid, signal_number) == 0);
    CHECK(waitpid(kit->pid, &status, 0) == kit->pid);
    kit->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct client *
node_kit_client(struct node_kit *kit, const char *name)
{
    char certificate[64], key[64];
    snprintf(certificate, sizeof certificate, "%s.crt", name);
    snprintf(key, sizeof key, "%s.key", name);
    struct client_options options = {.host = "127.0.0.1",
                                     .port = kit->port,
                                     .ca = authority_path(kit->authority, "ca.crt"),
                                     .certificate = authority_path(kit->authority, certificate),
                                     .key = authority_path(kit->authority, key),
                                     .timeout_ms = kit->timeout_ms > 0 ? kit->timeout_ms : 10000};
    struct client *client;
    struct client_error error;
    enum status status = client_open(&options, &client, &error);
    if (status != STATUS_OK) fprintf(stderr, "%s: %s\n", name, error.text);
    CHECK(status == STATUS_OK);
    return client;
}

const char *
node_kit_call(struct client *client, struct wire_reader *out_result)
{
    static char reason[BOUND_CODE];
    struct client_answer answer;
    struct client_error error;
    enum status status = client_call(client, &answer, &error);
    if (status == STATUS_OK) {
        *out_result = answer.result;
        return NULL;
    }
    snprintf(reason, sizeof reason, "%s",
             error.reason[0] != '\0' ? error.reason : status_text(status));
    return reason;
}

bool
node_kit_find(struct wire_reader result, const char *path, struct wire_reader *out_at)
{
    while (*path != '\0') {
        size_t len = strcspn(path, ".");
        bool found = false;
        if (wire_peek(&result) == WIRE_MAP) {
            struct wire_map map;
            struct wire_text key;
            wire_map_begin(&result, &map);
            while (!found && wire_map_next(&result, &map, &key))
                found = key.len == len && memcmp(key.data, path, len) == 0;
        } else if (wire_peek(&result) == WIRE_ARRAY) {
            struct wire_array array;
            unsigned long wanted = strtoul(path, NULL, 10);
            wire_array_begin(&result, &array);
            for (unsigned long i = 0; !found && wire_array_next(&result, &array); i++)
                found = i == wanted;
        }
        if (!found) return false;
        path += len + (path[len] == '.');
    }
    *out_at = result;
    return true;
}

int64_t
node_kit_integer(struct wire_reader result, const char *path)
{
    struct wire_reader at;
    int64_t value = INT64_MIN;
    bool boolean;
    if (!node_kit_find(result, path, &at)) return INT64_MIN;
    if (wire_peek(&at) == WIRE_BOOLEAN) return wire_boolean(&at, &boolean) ? boolean : INT64_MIN;
    struct wire_array array;
    if (wire_peek(&at) == WIRE_ARRAY)
        return wire_array_begin(&at, &array) ? array.count : INT64_MIN;
    return wire_integer(&at, INT64_MIN, INT64_MAX, &value) ? value : INT64_MIN;
}

const char *
node_kit_text(struct wire_reader result, const char *path)
{
    static char texts[8][256];
    static unsigned next;
    char *text = texts[next++ % 8];
    struct wire_reader at;
    struct wire_text found;
    if (!node_kit_find(result, path, &at) || !wire_text(&at, 0, 255, &found)) return "";
    memcpy(text, found.data, found.len);
    text[found.len] = '\0';
    return text;
}
