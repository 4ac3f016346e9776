// A private PostgreSQL for tests. initdb without sync (-N) into mkdtemp(/tmp/vpgXXXXXX); the server
// is our direct child, so that it can be waited for and never outlives us: an exit handler stops
// it, and a pipe held by a small guard process stops it even when the test program is killed.
//
// Authentication is by peer with a map that lets the user running the tests enter as any role of
// ours.
#include "postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"

static struct {
    char directory[32];
    pid_t server, guard;
    pid_t owner;  // the process that made the cluster; forked children must not remove it
    int databases;
    struct passwd user;
    char user_name[64];
    char bin[128];
} cluster;

// --- Running programs --------------------------------------------------------------------------

static void
become_server_user(void)
{
    if (getuid() == 0) {
        CHECK(setgid(cluster.user.pw_gid) == 0 && setuid(cluster.user.pw_uid) == 0);
    }
    CHECK(setenv("LC_ALL", "C.UTF-8", 1) == 0);
    CHECK(chdir("/") == 0);
}

static pid_t
start(char *const argv[], bool as_server, bool own_group)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (own_group) setpgid(0, 0);
        if (as_server) become_server_user();
        char log[64];
        snprintf(log, sizeof log, "%s/log", cluster.directory);
        int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (out >= 0) {
            dup2(out, 1);
            dup2(out, 2);
        }
        execv(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static int
wait_for(pid_t pid)
{
    int state = 0;
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void
program(char out[256], const char *name)
{
    snprintf(out, 256, "%s/%s", cluster.bin, name);
}

// Runs one statement through psql as the owner; the tests' own set-up, not what is tested.
static int
sql(const char *database, const char *text)
{
    char psql[256];
    program(psql, "psql");
    char *argv[] = {psql,
                    "-X",
                    "-q",
                    "-h",
                    cluster.directory,
                    "-U",
                    "vendue_owner",
                    "-d",
                    (char *)database,
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-c",
                    (char *)text,
                    NULL};
    return wait_for(start(argv, false, false));
}

// --- The cluster -------------------------------------------------------------------------------

static void
write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", cluster.directory, name);
    FILE *file = fopen(path, "w");
    CHECK(file);
    CHECK(fputs(text, file) >= 0 && fclose(file) == 0);
    if (getuid() == 0) CHECK(chown(path, cluster.user.pw_uid, cluster.user.pw_gid) == 0);
}

static void
remove_cluster(void)
{
    if (getpid() != cluster.owner) return;
    postgres_stop();
    if (cluster.guard > 0) {
        kill(cluster.guard, SIGKILL);
        wait_for(cluster.guard);
    }
    char *argv[] = {"/bin/rm", "-rf", cluster.directory, NULL};
    wait_for(start(argv, false, false));
}

// Lives as long as the test program; when that is killed, stops the server at once and clears up.
static void
start_guard(void)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    cluster.guard = fork();
    CHECK(cluster.guard >= 0);
    if (cluster.guard) {
        close(ends[0]);  // the write end stays open, unread, until this process ends
        return;
    }
    setpgid(0, 0);
    close(ends[1]);
    char byte;
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
    }
    char path[64], line[32] = "";
    snprintf(path, sizeof path, "%s/data/postmaster.pid", cluster.directory);
    FILE *file = fopen(path, "r");
    pid_t pid = file && fgets(line, sizeof line, file) ? (pid_t)atoi(line) : 0;
    if (pid > 1) kill(pid, SIGQUIT);
    execl("/bin/rm", "rm", "-rf", cluster.directory, (char *)NULL);
    _exit(127);
}

static void
find_programs(void)
{
    FILE *pipe = popen("pg_config --bindir", "r");
    CHECK(pipe && fgets(cluster.bin, sizeof cluster.bin, pipe));
    pclose(pipe);
    cluster.bin[strcspn(cluster.bin, "\n")] = 0;
    struct passwd *user = getuid() == 0 ? getpwnam("postgres") : getpwuid(getuid());
    CHECK(user);
    cluster.user = *user;
    snprintf(cluster.user_name, sizeof cluster.user_name, "%s", user->pw_name);
}

static void
make_cluster(void)
{
    find_programs();
    snprintf(cluster.directory, sizeof cluster.directory, "/tmp/vpgXXXXXX");
    CHECK(mkdtemp(cluster.directory));
    CHECK(chmod(cluster.directory, 0755) == 0);
    if (getuid() == 0) {
        CHECK(chown(cluster.directory, cluster.user.pw_uid, cluster.user.pw_gid) == 0);
    }
    cluster.owner = getpid();
    char initdb[256], data[64];
    program(initdb, "initdb");
    snprintf(data, sizeof data, "%s/data", cluster.directory);
    char *argv[] = {initdb,
                    "-N",
                    "-D",
                    data,
                    "-U",
                    "vendue_owner",
                    "--locale=C.UTF-8",
                    "-E",
                    "UTF8",
                    "--data-checksums",
                    "-A",
                    "peer",
                    NULL};
    CHECK(wait_for(start(argv, true, false)) == 0);
    struct passwd *self = getpwuid(getuid());
    char map[512];
    snprintf(map, sizeof map,
             "tests %1$s vendue_owner\ntests %1$s vendue_ledger\n"
             "tests %1$s vendue_console\ntests %1$s vendue_stranger\ntests %1$s vendue_reader\n",
             self ? self->pw_name : "root");
    write_file("data/pg_ident.conf", map);
    write_file("data/pg_hba.conf", "local all all peer map=tests\n");
    atexit(remove_cluster);
    start_guard();
    postgres_start();
}

void
postgres_start(void)
{
    CHECK(cluster.server == 0);
    char postgres[256], data[64], socket[96];
    program(postgres, "postgres");
    snprintf(data, sizeof data, "%s/data", cluster.directory);
    snprintf(socket, sizeof socket, "unix_socket_directories=%s", cluster.directory);
    char *argv[] = {postgres,
                    "-D",
                    data,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    socket,
                    "-c",
                    "fsync=off",
                    "-c",
                    "shared_buffers=64MB",
                    "-c",
                    "max_connections=40",
                    NULL};
    for (int i = 0; i < 300; i++) {
        // After a kill the old server's processes may hold its memory for a moment: try again.
        if (cluster.server && waitpid(cluster.server, NULL, WNOHANG) != 0) cluster.server = 0;
        if (!cluster.server) cluster.server = start(argv, true, true);
        if (sql("postgres", "select 1") == 0) return;
        usleep(50000);
    }
    CHECK(!"the test cluster did not start; see its log");
}

void
postgres_stop(void)
{
    if (cluster.server > 0) {
        kill(cluster.server, SIGINT);
        wait_for(cluster.server);
        cluster.server = 0;
    }
}

void
postgres_kill(void)
{
    CHECK(cluster.server > 0);
    kill(cluster.server, SIGKILL);
    wait_for(cluster.server);
    cluster.server = 0;
}

void
postgres_database(char out[POSTGRES_TEXT])
{
    if (!cluster.owner) make_cluster();
    char name[32], text[96];
    snprintf(name, sizeof name, "test_%d", ++cluster.databases);
    snprintf(text, sizeof text, "create database %s", name);
    CHECK(sql("postgres", text) == 0);
    snprintf(out, POSTGRES_TEXT, "host=%s dbname=%s user=vendue_owner", cluster.directory, name);
}

void
postgres_as(const char *owner, const char *role, char out[POSTGRES_TEXT])
{
    char text[192];
    snprintf(text, sizeof text,
             "do $$ begin if not exists (select 1 from pg_roles where rolname = '%s') then "
             "create role %s; end if; end $$; ",
             role, role);
    CHECK(sql("postgres", text) == 0);
    snprintf(text, sizeof text, "alter role %s login", role);
    CHECK(sql("postgres", text) == 0);
    const char *user = strstr(owner, " user=");
    CHECK(user);
    snprintf(out, POSTGRES_TEXT, "%.*s user=%s", (int)(user - owner), owner, role);
}
