// Runs hledger, ledger and bean-check, those that are installed, on temporary exports of a period.
//
// Each reads its own format from its own file and must end with status 0; what it says otherwise is
// quoted. A program that is not installed is named as such: nothing is taken as checked that was
// not.
#include "export_check.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "export.h"
#include "fail.h"

extern char **environ;

#define FILE_ARGUMENT "FILE"  // stands for the export's path

static const struct tool {
    enum export_format format;
    const char *suffix;
    const char *argv[10];
} tools[] = {
    {EXPORT_HLEDGER, ".journal", {"hledger", "-f", FILE_ARGUMENT, "check", "-s", "ordereddates"}},
    {EXPORT_LEDGER,
     ".ledger",
     {"ledger", "-f", FILE_ARGUMENT, "--strict", "--pedantic", "--no-pager", "bal", "--flat",
      "--empty"}},
    {EXPORT_BEANCOUNT, ".beancount", {"bean-check", "--no-cache", FILE_ARGUMENT}},
};
#define TOOLS (sizeof tools / sizeof tools[0])

static enum status
write_export(struct db *db, const struct period *period, const struct tool *tool, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) return STATUS_IO;
    enum status status = export_period(db, period, tool->format, out, NULL);
    if (fclose(out) != 0 && status == STATUS_OK) status = STATUS_IO;
    return status;
}

// The first line that a program said, for the fault.
static void
read_first(int descriptor, char *out, size_t size)
{
    ssize_t len = lseek(descriptor, 0, SEEK_SET) == 0 ? read(descriptor, out, size - 1) : 0;
    out[len > 0 ? (size_t)len : 0] = '\0';
    for (char *at = out; *at != '\0'; at++)
        if (*at == '\n') *at = ' ';
}

// Starts the program with its output to `said`. STATUS_NOT_FOUND: not installed.
static enum status
run_tool(const struct tool *tool, const char *path, int said, int *out_code)
{
    char *argv[10];
    size_t count = 0;
    for (; tool->argv[count] != NULL; count++) {
        const char *word = tool->argv[count];
        argv[count] = strdup(strcmp(word, FILE_ARGUMENT) == 0 ? path : word);
        CHECK(argv[count] != NULL);
    }
    argv[count] = NULL;
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int code = 0;
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, said, STDOUT_FILENO) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, said, STDERR_FILENO) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0);
    errno = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
    enum status status = errno == 0 ? STATUS_OK : errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < count; i++) free(argv[i]);
    if (status != STATUS_OK) return status;
    while (waitpid(child, &code, 0) < 0)
        if (errno != EINTR) return STATUS_IO;
    *out_code = WIFEXITED(code) ? WEXITSTATUS(code) : 128;
    return STATUS_OK;
}

static enum status
check_one(struct db *db, const struct period *period, const struct tool *tool, const char *folder,
          struct export_check *check)
{
    char path[512], quoted[256];
    int code = 0, said = -1;
    snprintf(path, sizeof path, "%s/period%s", folder, tool->suffix);
    enum status status = write_export(db, period, tool, path);
    if (status != STATUS_OK) goto done;
    said = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    status = said < 0 ? STATUS_IO : run_tool(tool, path, said, &code);
    const char *verdict = status == STATUS_NOT_FOUND ? "is not installed" : "agrees";
    if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
    } else if (status == STATUS_OK && code != 0) {
        read_first(said, quoted, sizeof quoted);
        snprintf(check->fault, sizeof check->fault, "%s finds the export of %s wrong: %s",
                 tool->argv[0], period->name, quoted);
        status = STATUS_CONFLICT;
    } else if (status == STATUS_OK) {
        check->agreed++;
    }
    size_t used = strlen(check->text);
    snprintf(check->text + used, sizeof check->text - used, "%s%s %s", used > 0 ? ", " : "",
             tool->argv[0], verdict);
done:
    if (status == STATUS_IO)
        snprintf(check->fault, sizeof check->fault, "checking with %s in %s: %s", tool->argv[0],
                 folder, strerror(errno));
    if (said >= 0) close(said);
    unlink(path);
    return status;
}

enum status
export_check(struct db *db, const struct period *period, struct export_check *out_check)
{
    memset(out_check, 0, sizeof *out_check);
    const char *temporary = getenv("TMPDIR");
    char folder[256];
    snprintf(folder, sizeof folder, "%.200s/vendue-export-XXXXXX",
             temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL) {
        snprintf(out_check->fault, sizeof out_check->fault, "cannot make %s: %s", folder,
                 strerror(errno));
        return STATUS_IO;
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < TOOLS && status == STATUS_OK; i++)
        status = check_one(db, period, &tools[i], folder, out_check);
    rmdir(folder);
    return status;
}
