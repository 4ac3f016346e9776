// Programs started, watched and stopped.
//
// Pid file: "PID START\n", START being the kernel's start time of the process (field 22 of
// /proc/PID/stat), so that a pid which the system gave to another program later is not taken for
// ours. It is written under a temporary name and renamed.
//
// 1. A child gets standard input from /dev/null, its output in the log, and no other file of ours:
//    what is open (locks, sockets, databases) is closed at exec.
// 2. A failing exec is told through a close-on-exec pipe, so that "started" means that the program
//    runs.
// 3. A zombie is not alive: where nobody reaps, kill(pid, 0) would answer for it for ever.
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 20

void
process_sleep_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&wait, &wait) != 0 && errno == EINTR) continue;
}

// State letter and start time of a process; false when there is none.
static bool
read_stat(pid_t pid, char *out_state, unsigned long long *out_start)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    size_t len = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[len] = '\0';
    char *rest = strrchr(line, ')');  // the name may hold anything; the last bracket ends it
    if (!rest) return false;
    unsigned long long start = 0;
    int field = 2;
    for (char *save = NULL, *word = strtok_r(rest + 1, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        field++;
        if (field == 3) *out_state = word[0];
        if (field == 22) start = strtoull(word, NULL, 10);
    }
    *out_start = start;
    return field >= 22;
}

bool
process_alive(pid_t pid)
{
    char state = 'X';
    unsigned long long start;
    return pid > 0 && read_stat(pid, &state, &start) && state != 'Z' && state != 'X';
}

pid_t
process_find(const char *pid_file)
{
    int pid = 0;
    unsigned long long written = 0, start = 0;
    char state = 'X';
    FILE *file = fopen(pid_file, "re");
    if (!file) return 0;
    int fields = fscanf(file, "%d %llu", &pid, &written);
    fclose(file);
    if (fields != 2 || pid <= 0 || !read_stat(pid, &state, &start)) return 0;
    return start == written && state != 'Z' && state != 'X' ? pid : 0;
}

static bool
write_pid_file(const char *pid_file, pid_t pid)
{
    char temporary[600], state;
    unsigned long long start;
    if (!read_stat(pid, &state, &start)) return false;
    snprintf(temporary, sizeof temporary, "%s.new", pid_file);
    FILE *file = fopen(temporary, "we");
    if (!file) return false;
    fprintf(file, "%d %llu\n", (int)pid, start);
    bool written = fflush(file) == 0 && !ferror(file);
    return fclose(file) == 0 && written && rename(temporary, pid_file) == 0;
}

bool
process_become(const char *user)
{
    struct passwd *entry = getpwnam(user);
    if (!entry) return false;
    if (geteuid() == entry->pw_uid) return true;
    return initgroups(user, entry->pw_gid) == 0 && setgid(entry->pw_gid) == 0 &&
           setuid(entry->pw_uid) == 0;
}

// In the child. Comes back only when the program cannot run; errno says why.
static void
become_program(const struct process_command *command)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    int input = open("/dev/null", O_RDONLY);
    int log = open(command->log ? command->log : "/dev/null", O_WRONLY | O_APPEND | O_CREAT, 0640);
    if (input < 0 || log < 0) return;
    if (dup2(input, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) return;
    if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0) return;
    if (command->user && !process_become(command->user)) return;
    if (chdir("/") != 0) return;
    execv(command->argv[0], command->argv);
}

static enum status
spawn(const struct process_command *command, pid_t *out_pid, struct process_fault *fault)
{
    int told[2], failure = 0;
    if (pipe2(told, O_CLOEXEC) != 0) {
        snprintf(fault->text, sizeof fault->text, "pipe: %m");
        return STATUS_IO;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(told[0]);
        become_program(command);
        failure = errno;
        ssize_t sent = write(told[1], &failure, sizeof failure);
        _exit(sent == (ssize_t)sizeof failure ? 127 : 126);
    }
    if (pid < 0) failure = errno;
    close(told[1]);
    if (pid > 0 && read(told[0], &failure, sizeof failure) != (ssize_t)sizeof failure) failure = 0;
    close(told[0]);
    if (failure == 0) {
        *out_pid = pid;
        return STATUS_OK;
    }
    if (pid > 0) waitpid(pid, NULL, 0);
    snprintf(fault->text, sizeof fault->text, "%s%s%s: %s", command->argv[0],
             command->user ? " as user " : "", command->user ? command->user : "",
             strerror(failure));
    return STATUS_IO;
}

enum status
process_run(const struct process_command *command, int *out_exit, struct process_fault *out_fault)
{
    pid_t pid;
    int ended;
    enum status status = spawn(command, &pid, out_fault);
    if (status != STATUS_OK) return status;
    while (waitpid(pid, &ended, 0) < 0) {
        if (errno != EINTR) {
            snprintf(out_fault->text, sizeof out_fault->text, "waiting for %s: %m",
                     command->argv[0]);
            return STATUS_IO;
        }
    }
    *out_exit = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
    return STATUS_OK;
}

enum status
process_start(const struct process_command *command, pid_t *out_pid,
              struct process_fault *out_fault)
{
    pid_t running = process_find(command->pid_file);
    if (running > 0) {
        *out_pid = running;
        return STATUS_EXISTS;
    }
    enum status status = spawn(command, out_pid, out_fault);
    if (status != STATUS_OK) return status;
    if (write_pid_file(command->pid_file, *out_pid)) return STATUS_OK;
    snprintf(out_fault->text, sizeof out_fault->text, "%s: %s", command->pid_file,
             process_alive(*out_pid) ? strerror(errno) : "the program ended at once");
    kill(*out_pid, SIGKILL);
    waitpid(*out_pid, NULL, 0);
    return STATUS_IO;
}

// True when it is gone within `wait_ms`. A child of ours is reaped on the way.
static bool
gone_within(pid_t pid, unsigned wait_ms)
{
    for (unsigned waited = 0;; waited += POLL_MS) {
        waitpid(pid, NULL, WNOHANG);
        if (!process_alive(pid)) return true;
        if (waited >= wait_ms) return false;
        process_sleep_ms(POLL_MS);
    }
}

enum status
process_stop(const char *pid_file, unsigned wait_ms)
{
    enum status status = STATUS_OK;
    pid_t pid = process_find(pid_file);
    if (pid == 0) {
        unlink(pid_file);
        return STATUS_NOT_FOUND;
    }
    if (kill(pid, SIGTERM) != 0 && errno != ESRCH) return STATUS_IO;
    if (!gone_within(pid, wait_ms)) {
        status = STATUS_AGAIN;
        if (kill(pid, SIGKILL) != 0 && errno != ESRCH) return STATUS_IO;
        if (!gone_within(pid, 5000)) return STATUS_IO;
    }
    unlink(pid_file);
    return status;
}

// In the child: the length of the first prefix of `path` that cannot be passed; 0 none, -1 no such
// user.
static int
blocked_at(const char *user, const char *path)
{
    char prefix[600];
    if (!process_become(user)) return -1;
    size_t len = strlen(path);
    if (len >= sizeof prefix) return -1;
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        if (access(prefix, X_OK) != 0 && errno == EACCES) return (int)i;
    }
    return 0;
}

bool
process_blocked(const char *user, const char *path, char *out_blocked, size_t size)
{
    int told[2], at = -1;
    if (pipe2(told, O_CLOEXEC) != 0) return false;
    pid_t pid = fork();
    if (pid == 0) {
        at = blocked_at(user, path);
        _exit(write(told[1], &at, sizeof at) == (ssize_t)sizeof at ? 0 : 1);
    }
    close(told[1]);
    if (pid < 0 || read(told[0], &at, sizeof at) != (ssize_t)sizeof at) at = -1;
    close(told[0]);
    if (pid > 0) waitpid(pid, NULL, 0);
    if (at == 0) return false;
    snprintf(out_blocked, size, "%.*s", at > 0 ? at : (int)strlen(path), path);
    return true;
}

long
process_log_size(const char *log)
{
    struct stat status;
    return stat(log, &status) == 0 ? (long)status.st_size : 0;
}

void
process_log_tail(const char *log, long from, unsigned lines)
{
    char text[4096];
    long most = sizeof text - 1, size = process_log_size(log);
    FILE *file = fopen(log, "re");
    if (!file) return;
    if (size < from) from = 0;  // moved away meanwhile
    if (fseek(file, size - from > most ? size - most : from, SEEK_SET) != 0) rewind(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    char *first = text + len;
    for (unsigned found = 0; first > text; first--) {
        if (first[-1] == '\n' && first != text + len && ++found == lines) break;
    }
    for (char *save = NULL, *line = strtok_r(first, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        fprintf(stderr, "  %s\n", line);
    }
}
