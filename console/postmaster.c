// The lock files of a PostgreSQL server: DIR/postmaster.pid in its data directory and
// .s.PGSQL.5432.lock beside its socket. Both bear its pid in the first line.
//
// PostgreSQL refuses to start while a process of its user bears that pid, whatever it is: a server
// killed where nobody reaps (a container whose first program is no init) is a zombie for ever, and
// after a restart of the machine the pid may be that of any program.
//
// 1. A server runs when its process is a program named postgres that works in the data directory.
//    This is asked as the cluster's user, who may look at its own processes everywhere.
// 2. A dead server's pid is replaced, never its lock file removed: the second line of defence, the
//    key of the shared memory in postmaster.pid, stays, and PostgreSQL waits by it for sessions
//    that outlive their server.
#include "postmaster.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

#define PATH_BYTES 800
#define LOCK_BYTES 2048

// The whole lock file as text; its pid, or 0 when there is no such file or pid.
static pid_t
read_lock(const char *lock_file, char out_text[LOCK_BYTES])
{
    out_text[0] = '\0';
    int file = open(lock_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return 0;
    ssize_t len = read(file, out_text, LOCK_BYTES - 1);
    close(file);
    out_text[len > 0 ? len : 0] = '\0';
    long pid = strtol(out_text, NULL, 10);
    return pid > 0 && pid < POSTMASTER_NOBODY ? (pid_t)pid : 0;
}

static bool
is_server(pid_t pid, const char *data)
{
    char path[64], program[PATH_BYTES];
    struct stat works_in, wanted;
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
    if (stat(path, &works_in) != 0 || stat(data, &wanted) != 0) return false;
    if (works_in.st_dev != wanted.st_dev || works_in.st_ino != wanted.st_ino) return false;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t len = readlink(path, program, sizeof program - 1);
    if (len <= 0) return false;
    program[len] = '\0';
    const char *base = strrchr(program, '/');
    return base && strncmp(base + 1, "postgres", 8) == 0;  // "postgres (deleted)" after an upgrade
}

static bool
ended_well(pid_t child)
{
    int ended;
    while (waitpid(child, &ended, 0) < 0) {
        if (errno != EINTR) return false;
    }
    return WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

pid_t
postmaster_find(const char *data, const char *user)
{
    char path[PATH_BYTES], text[LOCK_BYTES];
    snprintf(path, sizeof path, "%s/postmaster.pid", data);
    pid_t pid = read_lock(path, text);
    if (!process_alive(pid)) return 0;
    pid_t child = fork();
    if (child == 0) _exit((!user[0] || process_become(user)) && is_server(pid, data) ? 0 : 1);
    return child > 0 && ended_well(child) ? pid : 0;
}

static bool
strike(const char *lock_file)
{
    char text[LOCK_BYTES], temporary[PATH_BYTES];
    pid_t pid = read_lock(lock_file, text);
    if (pid == 0 || kill(pid, 0) != 0) return true;  // PostgreSQL itself sees that it is dead
    const char *rest = strchr(text, '\n');
    snprintf(temporary, sizeof temporary, "%s.new", lock_file);
    unlink(temporary);
    int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return false;
    bool written = dprintf(file, "%d%s", POSTMASTER_NOBODY, rest ? rest : "\n") > 0;
    return close(file) == 0 && written && rename(temporary, lock_file) == 0;
}

bool
postmaster_forget(const char *lock_file, const char *user)
{
    pid_t child = fork();
    if (child == 0) _exit((!user[0] || process_become(user)) && strike(lock_file) ? 0 : 1);
    return child > 0 && ended_well(child);
}
