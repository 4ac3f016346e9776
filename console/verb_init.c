// slotctl init: makes a market directory (settings.h says what is in it).
//
// Never overwrites: the directory is new or empty. What was begun is removed again when a step
// fails, so that a second attempt starts clean; vendue.yaml comes last, and only with it the
// directory is a market.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority.h"
#include "market_db.h"
#include "node.h"
#include "postgres.h"
#include "verb.h"

#define PATH_BYTES 700
// Free ports are picked below the range that the system gives to outgoing connections.
#define PORT_FIRST 20000
#define PORT_COUNT 12000

struct request {
    const char *host, *port, *name, *postgres;
};

static bool
port_is_free(const char *host, uint16_t port)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0) return false;
    int on = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_free = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                   bind(fd, found->ai_addr, found->ai_addrlen) == 0;
    if (fd >= 0) close(fd);
    freeaddrinfo(found);
    return is_free;
}

// "0" picks a free port at random, so that two markets made at the same time do not meet.
static bool
choose_port(const struct request *request, struct settings *settings)
{
    char *end;
    unsigned long port = strtoul(request->port, &end, 10);
    if (request->port[0] < '0' || request->port[0] > '9' || *end || port > 65535) return false;
    settings->listen_port = (uint16_t)port;
    for (int tries = 0; port == 0 && tries < 100; tries++) {
        uint32_t random;
        if (getrandom(&random, sizeof random, 0) != sizeof random) return false;
        uint16_t candidate = (uint16_t)(PORT_FIRST + random % PORT_COUNT);
        if (!port_is_free(settings->listen_host, candidate)) continue;
        settings->listen_port = candidate;
        return true;
    }
    return port != 0;
}

static bool
is_address(const char *host)
{
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool
is_empty(const char *path)
{
    DIR *directory = opendir(path);
    unsigned entries = 0;
    if (!directory) return false;
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) entries++;
    }
    closedir(directory);
    return entries == 0;
}

static int
claim_directory(const char *path, struct settings *settings, bool *out_made)
{
    char market[PATH_BYTES], real[PATH_MAX];
    snprintf(market, sizeof market, "%s/vendue.yaml", path);
    if (access(market, F_OK) == 0) {
        fprintf(stderr, "slotctl init: %s is a market already; nothing was changed\n", path);
        return EXIT_USAGE;
    }
    *out_made = mkdir(path, 0755) == 0;
    if (!*out_made && errno != EEXIST) return verb_cannot("%s: %m", path);
    if (!*out_made && !is_empty(path)) {
        fprintf(stderr, "slotctl init: %s is not empty; nothing was changed\n", path);
        return EXIT_USAGE;
    }
    if (!realpath(path, real)) return verb_cannot("%s: %m", path);
    if (strlen(real) >= sizeof settings->directory)
        return verb_cannot("%s: the path is too long", real);
    strcpy(settings->directory, real);
    return EXIT_DONE;
}

static bool
make_folders(const struct settings *settings)
{
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {{"journal", 0700}, {"published", 0755}, {"published/statements", 0755},
                   {"tls", 0700},     {"run", 0755},       {"log", 0755}};
    char path[PATH_BYTES];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", settings->directory, folders[i].name);
        if (mkdir(path, folders[i].mode) == 0) continue;
        verb_cannot("%s: %m", path);
        return false;
    }
    return true;
}

// The key of the pseudonyms: whoever has it can tell whose contact a fact is.
static bool
make_secret(const struct settings *settings)
{
    unsigned char secret[16];
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/run/customer.secret", settings->directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool made = fd >= 0 && getrandom(secret, sizeof secret, 0) == (ssize_t)sizeof secret &&
                write(fd, secret, sizeof secret) == (ssize_t)sizeof secret && fsync(fd) == 0;
    if (!made) verb_cannot("%s: %m", path);
    if (fd >= 0) close(fd);
    return made;
}

static bool
make_certificates(const struct settings *settings, const char *name)
{
    char tls[PATH_BYTES];
    struct authority_fault fault;
    usec now = clock_wall();
    snprintf(tls, sizeof tls, "%s/tls", settings->directory);
    if (authority_create(tls, now, &fault) == STATUS_OK &&
        authority_issue_server(tls, settings->listen_host, name, now, &fault) == STATUS_OK)
        return true;
    verb_cannot("%s", fault.text);
    return false;
}

static bool
make_database(const struct settings *settings)
{
    char socket[256], log[PATH_BYTES];
    struct postgres_fault fault = {0};
    struct postgres_fault stopping;
    struct market_db_fault db_fault = {0};
    bool private_cluster = settings->postgres[0] == '\0', made = false;
    if (private_cluster) {
        if (postgres_create(settings, &fault) != STATUS_OK ||
            postgres_start(settings, &fault) != STATUS_OK) {
            verb_cannot("%s", fault.text);
            snprintf(log, sizeof log, "%s/log/postgres.log", settings->directory);
            process_log_tail(log, 0, 6);
            return false;
        }
        made = postgres_socket(settings, socket, sizeof socket);
    }
    made = made || !private_cluster;
    made = made &&
           market_db_write_strings(settings, private_cluster ? socket : NULL, &db_fault) ==
               STATUS_OK &&
           market_db_prepare(settings, &db_fault) == STATUS_OK;
    if (!made) verb_cannot("%s", db_fault.text);
    if (private_cluster && postgres_stop(settings, &stopping) != STATUS_OK) {
        verb_cannot("%s", stopping.text);
        made = false;
    }
    return made;
}

// A YAML text in single quotes.
static void
write_quoted(const char *text, FILE *file)
{
    fputc('\'', file);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', file);
        fputc(*text, file);
    }
    fputc('\'', file);
}

static bool
write_settings(const struct settings *settings)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/vendue.yaml", settings->directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  0600);  // the connection string may hold a password
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        verb_cannot("%s: %m", path);
        return false;
    }
    fputs("# Settings of this market; docs/operations.md names them all. Read when a program "
          "starts.\nlisten:\n  host: ",
          file);
    write_quoted(settings->listen_host, file);
    fprintf(file, "\n  port: %u\n", settings->listen_port);
    fputs("# A libpq connection string; empty: the private PostgreSQL in postgres/.\npostgres: ",
          file);
    write_quoted(settings->postgres, file);
    fputc('\n', file);
    bool written = fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (fclose(file) != 0 || !written) {
        verb_cannot("%s: %m", path);
        unlink(path);
        return false;
    }
    return true;
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    if (where->level > 0) remove(path);
    return 0;
}

static int
make_market(const char *path, const char *name, struct settings *settings)
{
    bool made_directory = false;
    int code = claim_directory(path, settings, &made_directory);
    if (code != EXIT_DONE) return code;
    if (make_folders(settings) && make_secret(settings) && make_certificates(settings, name) &&
        make_database(settings) && write_settings(settings))
        return EXIT_DONE;
    nftw(settings->directory, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    if (made_directory) rmdir(settings->directory);
    fprintf(stderr, "  what was begun was removed again; nothing was changed\n");
    return EXIT_CANNOT;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct request request = {.host = "127.0.0.1", .port = "7443", .name = "", .postgres = ""};
    const struct verb_option options[] = {{"--host", &request.host, NULL},
                                          {"--port", &request.port, NULL},
                                          {"--name", &request.name, NULL},
                                          {"--postgres", &request.postgres, NULL},
                                          {0}};
    struct settings settings = {0};
    argc = verb_options(&verb_init, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 2 || (argc < 2 && strcmp(context->directory, ".") == 0))
        return verb_usage(&verb_init, "which directory?");
    const char *path = argc == 2 ? argv[1] : context->directory;
    if (!is_address(request.host) || strlen(request.host) >= sizeof settings.listen_host)
        return verb_usage(&verb_init,
                          "--host: '%s' is no address such as 127.0.0.1, 0.0.0.0 or ::; a host's "
                          "name goes into --name",
                          request.host);
    if (request.name[0] && !authority_is_name(request.name))
        return verb_usage(&verb_init, "--name: '%s' is no host name or address", request.name);
    if (strlen(request.postgres) >= sizeof settings.postgres)
        return verb_usage(&verb_init, "--postgres: at most %zu bytes",
                          sizeof settings.postgres - 1);
    strcpy(settings.listen_host, request.host);
    strcpy(settings.postgres, request.postgres);
    if (!choose_port(&request, &settings))
        return verb_usage(&verb_init,
                          "--port: '%s' is no port from 1 to 65535, or 0 for a free one",
                          request.port);
    umask(022);  // others pass the market's directory; what is secret says so itself
    int code = make_market(path, request.name, &settings);
    if (code != EXIT_DONE) return code;
    if (context->json) {
        json_t *answer = json_pack("{s:s, s:s, s:i}", "directory", settings.directory, "host",
                                   settings.listen_host, "port", (int)settings.listen_port);
        json_dumpf(answer, stdout, 0);
        putchar('\n');
        json_decref(answer);
    } else {
        char word[VERB_WORD];
        printf("%s is a market; it will listen on %s port %u\nnext: slotctl --dir %s up\n",
               settings.directory, settings.listen_host, settings.listen_port,
               verb_word(path, word));
    }
    return EXIT_DONE;
}

const struct verb verb_init = {
    .name = "init",
    .arguments = "DIR [--host ADDRESS] [--name NAME] [--port PORT] [--postgres CONNINFO]",
    .summary = "make a market directory",
    .help =
        "Makes DIR (new or empty) a market: settings, a private PostgreSQL, an own certificate "
        "authority.\n"
        "Nothing is ever overwritten, nothing outside DIR is changed.\n"
        "\n"
        "  --host ADDRESS        where auctiond listens (127.0.0.1); 0.0.0.0 or :: on all "
        "interfaces\n"
        "  --name NAME           the host name or address that touchpoints and seats dial, for "
        "auctiond's\n"
        "                        certificate; ADDRESS and localhost are in it anyway\n"
        "  --port PORT           its port (7443); 0 picks a free one and writes it down\n"
        "  --postgres CONNINFO   use this database instead of a private PostgreSQL; its user owns "
        "the schema\n"
        "\n"
        "As root the private PostgreSQL belongs to the system's user postgres, who must be able to "
        "pass all\n"
        "directories above DIR.\n"
        "\n"
        "exit codes: 0 made; 2 DIR is a market already or not empty; 3 the surroundings refuse\n"
        "example: slotctl init /srv/vendue --host 0.0.0.0 --name market.example.com\n",
    .run = run,
};
