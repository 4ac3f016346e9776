// The private database server of a market.
//
//  1 The cluster belongs to one user of the system: whoever runs init, or `postgres` when that is
//    root, since PostgreSQL refuses root. Only the cluster's own data and socket belong to it; what
//    steers it (vendue.conf, pg_hba.conf, pg_ident.conf) belongs to whoever ran init and is read by
//    it.
//  2 Nobody connects over the network. On the socket the system says who asks (peer), and
//    pg_ident.conf says which roles that user may be: no passwords exist.
//  3 A socket's path holds 107 bytes. If DIR/postgres/run is too long, the socket is in a fresh
//    directory in /tmp, which goes with `down`; after a crash it is used again.
//  4 After a kill -9 the dead server's memory can be in use for a while (sessions that are just
//    ending): starting is tried again. postmaster.pid is never removed by us; it guards the data.
//    A pid in it that is another program's, or a zombie's, is struck out (postmaster.c).
#include "postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "postmaster.h"
#include "process.h"

#define PATH_BYTES 700
#define TEMPORARY "/tmp/vendue."
#define SOCKET_DIRECTORY_MAX \
    92                  // so that "/.s.PGSQL.5432" and the NUL still fit sun_path's 108 bytes
#define START_TRIES 20  // half a second apart
#define LOG_LINES 6

// Who runs the cluster and with which programs.
struct server {
    const struct settings *settings;
    char user[64];         // "" : we ourselves
    char bin[PATH_BYTES];  // directory of initdb and pg_ctl
    char home[560];        // DIR/postgres
    char data[600];        // DIR/postgres/data
    char log[600];         // DIR/log/postgres.log
    struct postgres_fault *fault;
};

static enum status __attribute__((format(printf, 3, 4)))
fail(struct postgres_fault *fault, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return status;
}

static bool
has_programs(const char *bin)
{
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/pg_ctl", bin);
    if (access(path, X_OK) != 0) return false;
    snprintf(path, sizeof path, "%s/initdb", bin);
    return access(path, X_OK) == 0;
}

// The version that made the cluster ("15"); "" when there is none yet.
static void
read_version(const char *data, char *out, size_t size)
{
    char path[PATH_BYTES + 16];
    out[0] = '\0';
    snprintf(path, sizeof path, "%s/PG_VERSION", data);
    FILE *file = fopen(path, "re");
    if (!file) return;
    if (!fgets(out, (int)size, file)) out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

// Debian keeps PostgreSQL's programs out of PATH, one folder a version; a cluster needs those of
// its own.
static enum status
find_programs(struct server *server)
{
    char version[16] = "";
    read_version(server->data, version, sizeof version);
    if (version[0]) {
        snprintf(server->bin, sizeof server->bin, "/usr/lib/postgresql/%s/bin", version);
        if (has_programs(server->bin)) return STATUS_OK;
    }
    FILE *asked = popen("pg_config --bindir 2>/dev/null", "re");
    if (asked) {
        char *line = fgets(server->bin, sizeof server->bin, asked);
        if (pclose(asked) == 0 && line) {
            server->bin[strcspn(server->bin, "\n")] = '\0';
            if (has_programs(server->bin)) return STATUS_OK;
        }
    }
    for (int number = 40; number >= 13 && !version[0]; number--) {
        snprintf(server->bin, sizeof server->bin, "/usr/lib/postgresql/%d/bin", number);
        if (has_programs(server->bin)) return STATUS_OK;
    }
    return fail(server->fault, STATUS_NOT_FOUND,
                "PostgreSQL%s%s is not installed (initdb and pg_ctl are looked for in "
                "/usr/lib/postgresql and where "
                "pg_config says); apt-get install postgresql",
                version[0] ? " " : "", version);
}

static enum status
server_of(const struct settings *settings, struct server *out, struct postgres_fault *fault)
{
    struct stat status;
    memset(out, 0, sizeof *out);
    out->settings = settings;
    out->fault = fault;
    snprintf(out->home, sizeof out->home, "%s/postgres", settings->directory);
    snprintf(out->data, sizeof out->data, "%s/data", out->home);
    snprintf(out->log, sizeof out->log, "%s/log/postgres.log", settings->directory);
    if (strpbrk(out->data, "\"$`\\\n"))  // pg_ctl puts the path into a shell's double quotes
        return fail(fault, STATUS_INPUT,
                    "%s: PostgreSQL's pg_ctl takes no path with \" $ ` \\ in it; put the market "
                    "elsewhere",
                    settings->directory);
    if (stat(out->data, &status) == 0) {
        struct passwd *owner = getpwuid(status.st_uid);
        if (status.st_uid != geteuid()) {
            const char *name = owner ? owner->pw_name : "another user";
            if (geteuid() != 0)
                return fail(fault, STATUS_DENIED,
                            "this market's PostgreSQL belongs to %s; do this as root or as "
                            "that user",
                            name);
            snprintf(out->user, sizeof out->user, "%s", name);
        }
    } else if (geteuid() == 0) {
        snprintf(out->user, sizeof out->user, "postgres");
        if (!getpwnam(out->user))
            return fail(fault, STATUS_NOT_FOUND,
                        "the system has no user postgres, which runs PostgreSQL for root; "
                        "apt-get install postgresql");
    }
    return find_programs(out);
}

static enum status write_file(const char *path, mode_t mode, struct postgres_fault *fault,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

// Writes a whole file under a temporary name and puts it in place.
static enum status
write_file(const char *path, mode_t mode, struct postgres_fault *fault, const char *format, ...)
{
    char temporary[PATH_BYTES + 32];
    va_list arguments;
    snprintf(temporary, sizeof temporary, "%s.new", path);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 || fchmod(fd, mode) != 0) return fail(fault, STATUS_IO, "%s: %m", temporary);
    va_start(arguments, format);
    int written = vdprintf(fd, format, arguments);
    va_end(arguments);
    if (close(fd) != 0 || written < 0 || rename(temporary, path) != 0)
        return fail(fault, STATUS_IO, "%s: %m", path);
    return STATUS_OK;
}

static enum status
give_directory(struct server *server, const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail(server->fault, STATUS_IO, "%s: %m", path);
    if (!server->user[0]) return STATUS_OK;
    struct passwd *user = getpwnam(server->user);
    if (!user || lchown(path, user->pw_uid, user->pw_gid) != 0)
        return fail(server->fault, STATUS_DENIED, "%s cannot be given to user %s: %m", path,
                    server->user);
    return STATUS_OK;
}

static enum status
check_way(struct server *server)
{
    char blocked[PATH_BYTES];
    if (!server->user[0] || !process_blocked(server->user, server->home, blocked, sizeof blocked))
        return STATUS_OK;
    return fail(
        server->fault, STATUS_DENIED,
        "user %s, which runs PostgreSQL for root, may not pass %s; put the market elsewhere "
        "(/srv/vendue), or: chmod o+x %s",
        server->user, blocked, blocked);
}

// Runs one of PostgreSQL's programs as the cluster's user; its output goes to the log.
static enum status
run_program(struct server *server, char *const *argv, int *out_exit)
{
    struct process_fault process_fault;
    struct process_command command = {
        .argv = argv,
        .user = server->user[0] ? server->user : NULL,
        .log = server->log,
    };
    if (process_run(&command, out_exit, &process_fault) == STATUS_OK) return STATUS_OK;
    return fail(server->fault, STATUS_IO, "%s", process_fault.text);
}

static enum status
initdb(struct server *server)
{
    char program[PATH_BYTES + 16];
    int code = 0;
    snprintf(program, sizeof program, "%s/initdb", server->bin);
    char *argv[] = {
        program, "-D",   server->data,       "-U", "vendue_owner", "-A", "peer", "--locale=C.UTF-8",
        "-E",    "UTF8", "--data-checksums", NULL};
    enum status status = run_program(server, argv, &code);
    if (status == STATUS_OK && code != 0)
        status = fail(server->fault, STATUS_IO, "initdb failed (exit code %d); see %s", code,
                      server->log);
    return status;
}

// The files that steer the cluster; the cluster's own configuration file ends in including ours.
static enum status
write_configuration(struct server *server)
{
    char path[PATH_BYTES + 32];
    struct passwd *self = getpwuid(geteuid());
    const char *name = self ? self->pw_name : "root";
    snprintf(path, sizeof path, "%s/pg_hba.conf", server->home);
    enum status status = write_file(
        path, 0644, server->fault,
        "# Nobody but through the socket, as whom the system says they are (pg_ident.conf).\n"
        "local all all peer map=vendue\n");
    if (status != STATUS_OK) return status;
    snprintf(path, sizeof path, "%s/pg_ident.conf", server->home);
    status = write_file(
        path, 0644, server->fault,
        "# map    user of the system    role: owner changes the schema, ledger books, console "
        "reads and declares,\n# reader reads the schema vendue_open\n"
        "vendue   %-20s  vendue_owner\n"
        "vendue   %-20s  vendue_ledger\n"
        "vendue   %-20s  vendue_console\n"
        "vendue   %-20s  vendue_reader\n"
        "# pg_ctl asks whether the server answers; root may become anybody anyway.\n"
        "vendue   %-20s  vendue_owner\n"
        "vendue   root                  vendue_console\n",
        name, name, name, name, server->user[0] ? server->user : name);
    if (status != STATUS_OK) return status;
    snprintf(path, sizeof path, "%s/postgresql.conf", server->data);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return fail(server->fault, STATUS_IO, "%s: %m", path);
    int written = dprintf(fd, "\n# The market's settings.\ninclude '../vendue.conf'\n");
    if (close(fd) != 0 || written < 0) return fail(server->fault, STATUS_IO, "%s: %m", path);
    return STATUS_OK;
}

enum status
postgres_create(const struct settings *settings, struct postgres_fault *out_fault)
{
    struct server server;
    enum status status = server_of(settings, &server, out_fault);
    if (status != STATUS_OK) return status;
    if (mkdir(server.home, 0755) != 0) return fail(out_fault, STATUS_IO, "%s: %m", server.home);
    status = check_way(&server);
    if (status == STATUS_OK) status = give_directory(&server, server.data);
    if (status == STATUS_OK) status = initdb(&server);
    if (status == STATUS_OK) status = write_configuration(&server);
    return status;
}

// A cluster of before there was a reader is told of it; what else stands in the file stays.
static enum status
admit_reader(struct server *server)
{
    char path[PATH_BYTES + 32], line[512];
    struct passwd *self = getpwuid(geteuid());
    bool known = false;
    snprintf(path, sizeof path, "%s/pg_ident.conf", server->home);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) known = known || strstr(line, "vendue_reader");
    if (file) fclose(file);
    if (known) return STATUS_OK;
    file = fopen(path, "ae");
    if (!file) return fail(server->fault, STATUS_IO, "%s: %m", path);
    int written = fprintf(file, "vendue   %-20s  vendue_reader\n", self ? self->pw_name : "root");
    if (fclose(file) != 0 || written < 0) return fail(server->fault, STATUS_IO, "%s: %m", path);
    return STATUS_OK;
}

// A text within single quotes of a configuration file.
static void
quote(const char *text, char *out, size_t size)
{
    size_t at = 0;
    for (; *text && at + 3 < size; text++) {
        if (*text == '\'') out[at++] = '\'';
        out[at++] = *text;
    }
    out[at] = '\0';
}

// True when the temporary directory of a server that crashed is still there, and its user's own.
static bool
is_left_over(struct server *server, char *socket, size_t size)
{
    struct stat status;
    struct passwd *user = server->user[0] ? getpwnam(server->user) : getpwuid(geteuid());
    return postgres_socket(server->settings, socket, size) &&
           strncmp(socket, TEMPORARY, strlen(TEMPORARY)) == 0 && lstat(socket, &status) == 0 &&
           S_ISDIR(status.st_mode) && (status.st_mode & 077) == 0 && user &&
           status.st_uid == user->pw_uid;
}

// Finds a directory for the socket whose path is short enough, and tells the cluster and everybody
// else.
static enum status
place_socket(struct server *server, char *socket, size_t size)
{
    char path[PATH_BYTES + 32], home[2 * sizeof server->home];
    enum status status = STATUS_OK;
    snprintf(socket, size, "%s/run", server->home);
    if (strlen(socket) <= SOCKET_DIRECTORY_MAX && !strchr(socket, '\'') && !strchr(socket, ',')) {
        status = give_directory(server, socket);
    } else {
        bool again = is_left_over(server, socket, size);
        if (!again) snprintf(socket, size, TEMPORARY "XXXXXX");
        if (!again && !mkdtemp(socket)) return fail(server->fault, STATUS_IO, "%s: %m", socket);
        status = give_directory(server, socket);
    }
    if (status != STATUS_OK) return status;
    snprintf(path, sizeof path, "%s/run/postgres.socket", server->settings->directory);
    status = write_file(path, 0644, server->fault, "%s\n", socket);
    if (status != STATUS_OK) return status;
    snprintf(path, sizeof path, "%s/vendue.conf", server->home);
    quote(server->home, home, sizeof home);
    return write_file(
        path, 0644, server->fault,
        "# Written anew by every `slotctl up`; own settings belong into data/postgresql.conf.\n"
        "listen_addresses = ''\n"
        "unix_socket_directories = '%s'\n"
        "unix_socket_permissions = 0700\n"
        "hba_file = '%s/pg_hba.conf'\n"
        "ident_file = '%s/pg_ident.conf'\n"
        "timezone = 'UTC'\n"
        "log_timezone = 'UTC'\n"
        "max_connections = 40\n",
        socket, home, home);
}

bool
postgres_socket(const struct settings *settings, char *out_socket, size_t size)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/run/postgres.socket", settings->directory);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool read = fgets(out_socket, (int)size, file) != NULL;
    fclose(file);
    if (read) out_socket[strcspn(out_socket, "\n")] = '\0';
    return read && out_socket[0] == '/';
}

// pg_ctl VERB on the cluster; exit code 0 is yes.
static enum status
pg_ctl(struct server *server, char *verb, int *out_exit)
{
    char program[PATH_BYTES + 16];
    snprintf(program, sizeof program, "%s/pg_ctl", server->bin);
    char *start[] = {program, "-D", server->data, "-s", "-w", "-t", "60", "start", NULL};
    char *stop[] = {program, "-D", server->data, "-s",   "-w", "-t",
                    "60",    "-m", "fast",       "stop", NULL};
    return run_program(server, strcmp(verb, "start") == 0 ? start : stop, out_exit);
}

// So that a server killed without a trace of it but its lock files does not keep the next one out.
static enum status
forget_dead_server(struct server *server, const char *socket)
{
    char locks[2][PATH_BYTES + 32];
    snprintf(locks[0], sizeof locks[0], "%s/postmaster.pid", server->data);
    snprintf(locks[1], sizeof locks[1], "%s/.s.PGSQL.5432.lock", socket);
    for (int i = 0; i < 2; i++) {
        if (!postmaster_forget(locks[i], server->user))
            return fail(server->fault, STATUS_IO,
                        "%s names a process that is no PostgreSQL, and cannot be changed; is its "
                        "directory writable?",
                        locks[i]);
    }
    return STATUS_OK;
}

enum status
postgres_start(const struct settings *settings, struct postgres_fault *out_fault)
{
    struct server server;
    char socket[PATH_BYTES], lock[PATH_BYTES + 32];
    int code = 1;
    enum status status = server_of(settings, &server, out_fault);
    if (status == STATUS_OK && postmaster_find(server.data, server.user) > 0) return STATUS_OK;
    if (status == STATUS_OK) status = check_way(&server);
    if (status == STATUS_OK) status = place_socket(&server, socket, sizeof socket);
    if (status == STATUS_OK) status = admit_reader(&server);
    if (status == STATUS_OK) status = forget_dead_server(&server, socket);
    if (status != STATUS_OK) return status;
    snprintf(lock, sizeof lock, "%s/postmaster.pid", server.data);
    for (int tries = 0; tries < START_TRIES; tries++) {
        status = pg_ctl(&server, "start", &code);
        if (status != STATUS_OK || code == 0 || access(lock, F_OK) != 0) break;
        process_sleep_ms(500);  // a dead server's sessions are still there
    }
    if (status != STATUS_OK) return status;
    if (code != 0)
        return fail(out_fault, STATUS_IO, "PostgreSQL does not start; see %s", server.log);
    return STATUS_OK;
}

enum status
postgres_stop(const struct settings *settings, struct postgres_fault *out_fault)
{
    struct server server;
    char socket[PATH_BYTES], path[PATH_BYTES];
    int code = 0;
    enum status status = server_of(settings, &server, out_fault);
    if (status == STATUS_OK && postmaster_find(server.data, server.user) == 0)
        return STATUS_NOT_FOUND;
    if (status == STATUS_OK) status = pg_ctl(&server, "stop", &code);
    if (status != STATUS_OK) return status;
    if (code != 0)
        return fail(out_fault, STATUS_IO, "PostgreSQL does not stop; see %s", server.log);
    if (postgres_socket(settings, socket, sizeof socket) &&
        strncmp(socket, TEMPORARY, strlen(TEMPORARY)) == 0)
        rmdir(socket);
    snprintf(path, sizeof path, "%s/run/postgres.socket", settings->directory);
    unlink(path);
    return STATUS_OK;
}
