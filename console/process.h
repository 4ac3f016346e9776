// Programs started, watched and stopped from a market directory.
#ifndef VENDUE_PROCESS_H
#define VENDUE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "terms.h"

struct process_command {
    char *const *argv;     // argv[0] is a path; ends in NULL
    const char *user;      // the system's user to become (root may); NULL: stay
    const char *log;       // file that gets its output, appended; NULL: /dev/null
    const char *pid_file;  // process_start: where pid and start time go
};
struct process_fault {
    char text[512];  // "/opt/auctiond: No such file or directory"
};

// Runs a command to its end; its exit code (128 + signal when killed). STATUS_IO: it could not be
// started.
MUST_CHECK enum status
process_run(const struct process_command *command, int *out_exit, struct process_fault *out_fault);
// Starts a daemon in a session of its own, with no file of ours but the log. STATUS_EXISTS: the pid
// file's program runs. The pid file is replaced at once, so that it never names a half-started
// program.
MUST_CHECK enum status process_start(const struct process_command *command, pid_t *out_pid,
                                     struct process_fault *out_fault);
// The pid of the running program that the pid file names; 0: none runs.
pid_t process_find(const char *pid_file);
// SIGTERM, then after `wait_ms` SIGKILL; waits until it is gone and removes the pid file.
// STATUS_NOT_FOUND: none ran. STATUS_AGAIN: it had to be killed. STATUS_IO: it does not go.
MUST_CHECK enum status process_stop(const char *pid_file, unsigned wait_ms);

// True while a process with this pid lives (a zombie does not).
bool process_alive(pid_t pid);
// In a child: becomes the user with its groups. False when it may not or there is no such user.
bool process_become(const char *user);
// The first directory on the way to `path` that `user` cannot pass, into out_blocked; false: none.
bool process_blocked(const char *user, const char *path, char *out_blocked, size_t size);
void process_sleep_ms(unsigned ms);
// Bytes in a log now; 0 when there is none.
long process_log_size(const char *log);
// Writes the last `lines` lines of what was logged since it had `from` bytes to standard error,
// indented.
void process_log_tail(const char *log, long from, unsigned lines);

#endif
