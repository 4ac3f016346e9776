// Runs hledger, ledger, bean-check and SQLite's shell on temporary exports of a period.
//
// Each reads its own format from its own file. The first three must end with status 0; SQLite adds
// up all transfers and says for how many accounts opening balance and transfers do not give the
// closing balance: "0" is all it may say. What a program says otherwise is quoted. A program that
// is not installed is named as such: nothing is taken as checked that was not.
//
//  1 A program that was asked for by name and is not installed is an error, never passed over.
//  2 SQLite keeps its tables in a file of the temporary folder, so memory does not grow with the
//    period; its sums are of 64-bit integers, and it stops when one leaves them.
#include "export_check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "export.h"
#include "fail.h"

extern char **environ;

#define ARGUMENTS 10

static const struct tool {
    const char *name;  // as settings say
    const char *file;  // what it reads, in the temporary folder
    const char *package;
    enum export_format format;
    bool plain;  // reads export_plain's files, all transfers of any period
    const char *argv[ARGUMENTS];
} tools[] = {
    {"hledger",
     "period.journal",
     "hledger",
     EXPORT_HLEDGER,
     false,
     {"hledger", "-f", "period.journal", "check", "-s", "ordereddates"}},
    {"ledger",
     "period.ledger",
     "ledger",
     EXPORT_LEDGER,
     false,
     {"ledger", "-f", "period.ledger", "--strict", "--pedantic", "--no-pager", "bal", "--flat",
      "--empty"}},
    {"beancount",
     "period.beancount",
     "beancount",
     EXPORT_BEANCOUNT,
     false,
     {"bean-check", "--no-cache", "period.beancount"}},
    {"sqlite",
     "period.sql",
     "sqlite3",
     EXPORT_CSV,
     true,
     {"sqlite3", "-batch", "-bail", "-init", "/dev/null", "period.sqlite", ".read period.sql"}},
};
#define TOOLS (sizeof tools / sizeof tools[0])

// --- Files ---------------------------------------------------------------------------------------

#define PATH_TEXT 512

static FILE *
create(const char *folder, const char *name)
{
    char path[PATH_TEXT];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fopen(path, "w");
}

static void
remove_files(const char *folder, const struct tool *tool)
{
    const char *const names[] = {tool->file, "transfers", "accounts", "period.sqlite"};
    char path[PATH_TEXT];
    for (size_t i = 0; i < (tool->plain ? 4u : 1u); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
}

static enum status
close_written(FILE *file, enum status status)
{
    if (file == NULL) return STATUS_IO;
    return fclose(file) != 0 && status == STATUS_OK ? STATUS_IO : status;
}

// Balances that do not come out, currency by currency and account by account.
static const char adds_up[] =
    "PRAGMA journal_mode = off;\n"
    "PRAGMA synchronous = off;\n"
    "CREATE TABLE t (currency TEXT, debit INTEGER, credit INTEGER, micros INTEGER);\n"
    "CREATE TABLE a (currency TEXT, account INTEGER, opening INTEGER, closing INTEGER);\n"
    ".mode list\n"
    ".import transfers t\n"
    ".import accounts a\n"
    "SELECT (SELECT count(*) FROM t) || ' transfers, ' || count(*) || ' balances wrong' FROM (\n"
    "  SELECT currency, account, sum(x) AS x FROM (\n"
    "    SELECT currency, debit AS account, sum(micros) AS x FROM t GROUP BY 1, 2\n"
    "    UNION ALL SELECT currency, credit, -sum(micros) FROM t GROUP BY 1, 2\n"
    "    UNION ALL SELECT currency, account, opening - closing FROM a) GROUP BY 1, 2)\n"
    "  WHERE x <> 0;\n";

static enum status
write_plain(struct db *db, const struct period *period, const char *folder, uint64_t *out_transfers)
{
    FILE *script = create(folder, "period.sql"), *transfers = create(folder, "transfers"),
         *accounts = create(folder, "accounts");
    enum status status = STATUS_IO;
    if (script != NULL && transfers != NULL && accounts != NULL)
        status = export_plain(db, period, transfers, accounts, out_transfers);
    if (status == STATUS_OK && fputs(adds_up, script) == EOF) status = STATUS_IO;
    status = close_written(script, status);
    status = close_written(transfers, status);
    return close_written(accounts, status);
}

static enum status
write_export(struct db *db, const struct period *period, const struct tool *tool, bool large,
             const char *folder, uint64_t *out_transfers)
{
    if (tool->plain) return write_plain(db, period, folder, out_transfers);
    FILE *out = create(folder, tool->file);
    enum status status = STATUS_IO;
    if (out != NULL)
        status = large ? export_days(db, period, tool->format, out, out_transfers)
                       : export_period(db, period, tool->format, out, out_transfers);
    return close_written(out, status);
}

// --- Programs ------------------------------------------------------------------------------------

// The first line that a program said, for the fault.
static void
read_first(int descriptor, char *out, size_t size)
{
    ssize_t len = lseek(descriptor, 0, SEEK_SET) == 0 ? read(descriptor, out, size - 1) : 0;
    out[len > 0 ? (size_t)len : 0] = '\0';
    for (char *at = out; *at != '\0'; at++)
        if (*at == '\n') *at = ' ';
}

// Runs the program in the folder with its output to `said`. STATUS_NOT_FOUND: not installed.
static enum status
run_tool(const struct tool *tool, const char *folder, int said, int *out_code)
{
    char *argv[ARGUMENTS];
    size_t count = 0;
    for (; tool->argv[count] != NULL; count++) {
        argv[count] = strdup(tool->argv[count]);
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
    CHECK(posix_spawn_file_actions_addchdir_np(&actions, folder) == 0);
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

static bool
installed(const struct tool *tool)
{
    const char *path = getenv("PATH");
    char file[PATH_TEXT];
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)(len < 400 ? len : 400), path, tool->argv[0]);
        if (access(file, X_OK) == 0) return true;
        path += len + (path[len] == ':');
    }
    return false;
}

// Whether what the program said and how it ended mean that it agrees.
static bool
agrees(const struct tool *tool, int code, const char *said, uint64_t transfers)
{
    char expected[64];
    if (!tool->plain) return code == 0;
    snprintf(expected, sizeof expected, "off %" PRIu64 " transfers, 0 balances wrong", transfers);
    return code == 0 && strncmp(said, expected, strlen(expected)) == 0;
}

static void
tell(struct export_check *check, const char *name, const char *verdict, int64_t us)
{
    size_t used = strlen(check->text);
    int len = snprintf(check->text + used, sizeof check->text - used, "%s%s %s",
                       used > 0 ? ", " : "", name, verdict);
    if (us >= 0 && len > 0 && used + (size_t)len < sizeof check->text) {
        used += (size_t)len;
        snprintf(check->text + used, sizeof check->text - used, " (%" PRId64 ".%" PRId64 " s)",
                 us / 1000000, us / 100000 % 10);
    }
}

static enum status
check_one(struct db *db, const struct period *period, const struct tool *tool, bool large,
          const char *folder, struct export_check *check)
{
    char quoted[256];
    int code = 0, said = -1;
    uint64_t transfers = 0;
    int64_t begin = clock_monotonic().us;
    enum status status = write_export(db, period, tool, large, folder, &transfers);
    if (status != STATUS_OK) goto done;
    said = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    status = said < 0 ? STATUS_IO : run_tool(tool, folder, said, &code);
    if (status != STATUS_OK) goto done;
    read_first(said, quoted, sizeof quoted);
    if (!agrees(tool, code, quoted, transfers)) {
        snprintf(check->fault, sizeof check->fault, "%s finds the export of %s wrong: %s",
                 tool->name, period->name, quoted);
        status = STATUS_CONFLICT;
        goto done;
    }
    check->agreed++;
    tell(check, tool->name, large && !tool->plain ? "agrees on totals of days" : "agrees",
         clock_monotonic().us - begin);
done:
    if (status == STATUS_IO)
        snprintf(check->fault, sizeof check->fault, "checking with %s in %s: %s", tool->name,
                 folder, strerror(errno));
    if (said >= 0) close(said);
    remove_files(folder, tool);
    return status;
}

// --- Readers -------------------------------------------------------------------------------------

// Whether the list names `name`.
static bool
named(const char *readers, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = readers; (at = strstr(at, name)) != NULL; at += len) {
        bool begins = at == readers || strchr(", ", at[-1]) != NULL;
        if (begins && strchr(", ", at[len]) != NULL) return true;
    }
    return false;
}

bool
export_check_readers(const char *readers)
{
    for (const char *at = readers; *at != '\0';) {
        size_t len = strcspn(at, ", ");
        bool known = len == 0;
        for (size_t i = 0; i < TOOLS; i++)
            known = known || (strlen(tools[i].name) == len && strncmp(at, tools[i].name, len) == 0);
        if (!known) return false;
        at += len + (at[len] != '\0');
    }
    return true;
}

static enum status
check_all(struct db *db, const struct period *period, const char *readers, const char *folder,
          struct export_check *check)
{
    const struct db_param params[] = {db_text(period->name)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select coalesce(sum(count), 0)::bigint from fold where period = $1 and state = 'posted'",
        params, 1, &rows);
    bool large = status == STATUS_OK && db_get_int(rows, 0, 0) > EXPORT_CHECK_LARGE;
    db_rows_free(rows);
    for (size_t i = 0; i < TOOLS && status == STATUS_OK; i++) {
        const struct tool *tool = &tools[i];
        bool asked = readers != NULL && named(readers, tool->name);
        if (readers != NULL && !asked) continue;
        if (installed(tool)) {
            status = check_one(db, period, tool, large, folder, check);
        } else if (asked) {
            snprintf(check->fault, sizeof check->fault,
                     "%s, which the settings name as a reader, is not installed: apt-get install "
                     "%s, or take it off the list",
                     tool->name, tool->package);
            status = STATUS_NOT_FOUND;
        } else {
            tell(check, tool->name, "is not installed", -1);
        }
    }
    return status;
}

enum status
export_check(struct db *db, const struct period *period, const char *readers,
             struct export_check *out_check)
{
    memset(out_check, 0, sizeof *out_check);
    if (readers != NULL && readers[strspn(readers, ", ")] == '\0') readers = NULL;
    if (readers != NULL && !export_check_readers(readers)) {
        snprintf(out_check->fault, sizeof out_check->fault,
                 "'%.100s': readers are hledger, ledger, beancount and sqlite", readers);
        return STATUS_INPUT;
    }
    const char *temporary = getenv("TMPDIR");
    char folder[256];
    snprintf(folder, sizeof folder, "%.200s/vendue-export-XXXXXX",
             temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL) {
        snprintf(out_check->fault, sizeof out_check->fault, "cannot make %s: %s", folder,
                 strerror(errno));
        return STATUS_IO;
    }
    int64_t begin = clock_monotonic().us;
    enum status status = check_all(db, period, readers, folder, out_check);
    out_check->took_us = clock_monotonic().us - begin;
    rmdir(folder);
    return status;
}
