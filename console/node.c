// auctiond and ledgerd from the outside.
//
// They stand beside slotctl's own program (/proc/self/exe), take the market directory as their only
// argument, log to DIR/log/NAME.log, and rename DIR/run/NAME.status into place with at least
// {"pid": N} once they work. A status that bears another pid is left over from an earlier run and
// does not count. DIR/run/NAME.process is ours: pid and start time of what slotctl started. A
// program that somebody else started (an init system) is found by its status; it is left alone.
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PATH_BYTES 700
#define READY_MS 60000  // a long journal is read first
#define STOP_MS 20000
#define POLL_MS 20

const char *
node_name(enum node_program program)
{
    switch (program) {
    case NODE_LEDGERD: return "ledgerd";
    case NODE_AUCTIOND: return "auctiond";
    case NODE_PROGRAM_COUNT: break;
    }
    return "?";
}

void
node_log(const struct settings *settings, enum node_program program, char *out, size_t size)
{
    snprintf(out, size, "%s/log/%s.log", settings->directory, node_name(program));
}

static void
run_path(const struct settings *settings, enum node_program program, const char *what,
         char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/run/%s.%s", settings->directory, node_name(program), what);
}

// True when the process runs a program of this name.
static bool
runs_program(pid_t pid, const char *name)
{
    char link[64], target[PATH_BYTES];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t len = readlink(link, target, sizeof target - 1);
    if (len <= 0) return false;
    target[len] = '\0';
    const char *base = strrchr(target, '/');
    return base && strncmp(base + 1, name, strlen(name)) == 0;
}

// What the program last wrote about itself, running or not.
static json_t *
last_words(const struct settings *settings, enum node_program program, pid_t *out_pid)
{
    char path[PATH_BYTES];
    run_path(settings, program, "status", path);
    json_t *status = json_load_file(path, 0, NULL);
    *out_pid = (pid_t)json_integer_value(json_object_get(status, "pid"));
    return status;
}

pid_t
node_find(const struct settings *settings, enum node_program program)
{
    char path[PATH_BYTES];
    pid_t said;
    run_path(settings, program, "process", path);
    pid_t pid = process_find(path);
    if (pid > 0) return pid;
    json_decref(last_words(settings, program, &said));
    return process_alive(said) && runs_program(said, node_name(program)) ? said : 0;
}

json_t *
node_status(const struct settings *settings, enum node_program program)
{
    pid_t said, pid = node_find(settings, program);
    json_t *status = last_words(settings, program, &said);
    if (pid > 0 && said == pid) return status;
    json_decref(status);
    return NULL;
}

// The program's path: in the same folder as this one.
static bool
beside(const char *name, char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - 1);
    if (len <= 0) return false;
    out[len] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash || (size_t)(slash - out) + strlen(name) + 2 > size) return false;
    strcpy(slash + 1, name);
    return true;
}

static enum status
wait_ready(const struct settings *settings, enum node_program program, struct process_fault *fault)
{
    char log[PATH_BYTES];
    node_log(settings, program, log, sizeof log);
    for (unsigned waited = 0; waited < READY_MS; waited += POLL_MS) {
        json_t *status = node_status(settings, program);
        if (status) {
            json_decref(status);
            return STATUS_OK;
        }
        if (node_find(settings, program) == 0) {
            snprintf(fault->text, sizeof fault->text, "%s ended at once; see %.400s",
                     node_name(program), log);
            return STATUS_IO;
        }
        process_sleep_ms(POLL_MS);
    }
    snprintf(fault->text, sizeof fault->text, "%s is not ready after %d seconds; see %.400s",
             node_name(program), READY_MS / 1000, log);
    return STATUS_AGAIN;
}

enum status
node_start(const struct settings *settings, enum node_program program,
           struct process_fault *out_fault)
{
    char path[PATH_BYTES], log[PATH_BYTES], pid_file[PATH_BYTES],
        directory[sizeof settings->directory];
    pid_t pid;
    if (node_find(settings, program) > 0) return STATUS_EXISTS;
    if (!beside(node_name(program), path, sizeof path)) {
        snprintf(out_fault->text, sizeof out_fault->text, "/proc/self/exe: %m");
        return STATUS_IO;
    }
    node_log(settings, program, log, sizeof log);
    run_path(settings, program, "process", pid_file);
    memcpy(directory, settings->directory, sizeof directory);
    char *argv[] = {path, directory, NULL};
    struct process_command command = {.argv = argv, .log = log, .pid_file = pid_file};
    enum status status = process_start(&command, &pid, out_fault);
    return status == STATUS_OK ? wait_ready(settings, program, out_fault) : status;
}

enum status
node_stop(const struct settings *settings, enum node_program program)
{
    char path[PATH_BYTES];
    run_path(settings, program, "process", path);
    enum status status = process_stop(path, STOP_MS);
    if (status == STATUS_NOT_FOUND && node_find(settings, program) > 0) return STATUS_DENIED;
    run_path(settings, program, "status", path);
    if (status != STATUS_IO) unlink(path);
    return status;
}

bool
node_settings(const struct verb_context *context, struct settings *out_settings, int *out_code)
{
    struct settings_error error;
    char path[PATH_BYTES];
    enum status status = settings_read(context->directory, out_settings, &error);
    if (status == STATUS_OK) return true;
    snprintf(path, sizeof path, "%.500s/vendue.yaml", context->directory);
    if (status == STATUS_NOT_FOUND && access(path, R_OK) != 0 && errno == EACCES) {
        *out_code = verb_cannot("%s: %m; ask as the user who made the market, or as root", path);
    } else if (status == STATUS_NOT_FOUND) {
        *out_code = verb_cannot(
            "%s is not a market directory; name one with --dir, or make one: slotctl init DIR",
            context->directory);
    } else {
        verb_cannot("%s", error.text);
        *out_code = status == STATUS_INPUT ? EXIT_USAGE : EXIT_CANNOT;
    }
    return false;
}

bool
node_lock(const struct settings *settings, int *out_lock)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/run/slotctl.lock", settings->directory);
    *out_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*out_lock < 0) {
        verb_cannot("%s: %m", path);
        return false;
    }
    if (flock(*out_lock, LOCK_EX | LOCK_NB) == 0) return true;
    verb_cannot("another slotctl is starting or stopping this market; try again when it is done");
    close(*out_lock);
    return false;
}

void
node_unlock(int lock)
{
    close(lock);
}
