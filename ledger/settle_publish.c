// What a close tells the world, as files that the database's owner cannot take back:
//
//   DIR/published/roots/2026-11.root    the text whose SHA-256 is the root (record of step 7)
//   DIR/published/roots/2026-11.steps   the nine steps as they were recorded
//   DIR/published/acts                  "12 <hex>": head of the chain of acts
//
//  1 Files of a period are written once, whole or not at all, and never changed.
//  2 The head of acts only moves on: it is replaced by a later one when the act that it names is
//    still the one it was.
//  3 Whoever publishes looks first whether the database still holds what was published. A period
//    that is not closed any more, other steps, a missing act: nothing is written, and it is said.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act.h"
#include "fail.h"
#include "settle_inside.h"

#define NAME_BYTES (PERIOD_TEXT + 16)

// --- Files ---------------------------------------------------------------------------------------

static enum status
write_whole(int folder, const char *name, const char *text)
{
    char temporary[NAME_BYTES + 8];
    snprintf(temporary, sizeof temporary, ".%s.new", name);
    int descriptor = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (descriptor < 0) return STATUS_IO;
    FILE *out = fdopen(descriptor, "w");
    CHECK(out != NULL);
    bool ok = fputs(text, out) >= 0 && fflush(out) == 0 && fsync(descriptor) == 0;
    ok = fclose(out) == 0 && ok;
    ok = ok && renameat(folder, temporary, folder, name) == 0 && fsync(folder) == 0;
    return ok ? STATUS_OK : STATUS_IO;
}

// The file as text. STATUS_NOT_FOUND: there is none.
static enum status
read_whole(int folder, const char *name, struct arena *arena, const char **out_text)
{
    struct stat info;
    int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    FILE *in = fdopen(descriptor, "r");
    CHECK(in != NULL);
    enum status status = fstat(descriptor, &info) == 0 ? STATUS_OK : STATUS_IO;
    if (status == STATUS_OK) {
        char *text = arena_take(arena, (size_t)info.st_size + 1, 1);
        size_t len = fread(text, 1, (size_t)info.st_size, in);
        if (ferror(in)) status = STATUS_IO;
        text[len] = '\0';
        *out_text = text;
    }
    fclose(in);
    return status;
}

static enum status
open_folders(const char *directory, int *out_published, int *out_roots)
{
    *out_roots = -1;
    char path[1024];
    snprintf(path, sizeof path, "%s/published", directory);
    if (mkdir(path, 0750) != 0 && errno != EEXIST) return STATUS_IO;
    *out_published = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out_published < 0) return STATUS_IO;
    if (mkdirat(*out_published, "roots", 0750) != 0 && errno != EEXIST) return STATUS_IO;
    *out_roots = openat(*out_published, "roots", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *out_roots < 0 ? STATUS_IO : STATUS_OK;
}

static void
close_folders(int published, int roots)
{
    int reason = errno;
    if (published >= 0) close(published);
    if (roots >= 0) close(roots);
    errno = reason;
}

// --- Roots ---------------------------------------------------------------------------------------

static enum status
one_file(int roots, const char *period, const char *suffix, const char *text, bool write,
         struct arena *arena, char out_detail[SETTLE_DETAIL])
{
    char name[NAME_BYTES];
    const char *kept = NULL;
    snprintf(name, sizeof name, "%.*s.%s", PERIOD_TEXT, period, suffix);
    enum status status = read_whole(roots, name, arena, &kept);
    if (status == STATUS_OK && strcmp(kept, text) != 0) {
        snprintf(out_detail, SETTLE_DETAIL,
                 "period %s: what its close recorded is not what published/roots/%s says", period,
                 name);
        return STATUS_CONFLICT;
    }
    if (status != STATUS_NOT_FOUND) return status;
    if (write) return write_whole(roots, name, text);
    snprintf(out_detail, SETTLE_DETAIL,
             "period %s: published/roots/%s is missing; ledgerd writes it when it runs", period,
             name);
    return STATUS_CONFLICT;
}

static enum status
one_period(struct db *db, int roots, const char *period, const char *root, bool write,
           char out_detail[SETTLE_DETAIL])
{
    const char *steps = "";
    struct arena *arena = arena_open("roots");
    enum status status = settle_steps_text(db, period, SETTLE_STEPS, arena, &steps);
    if (status == STATUS_OK)
        status = one_file(roots, period, "root", root, write, arena, out_detail);
    if (status == STATUS_OK)
        status = one_file(roots, period, "steps", steps, write, arena, out_detail);
    arena_close(arena);
    return status;
}

static bool
has_period(const struct db_rows *rows, const char *name, size_t len)
{
    for (size_t i = 0; i < db_count(rows); i++)
        if (db_get_len(rows, i, 0) == len && memcmp(db_get_text(rows, i, 0), name, len) == 0)
            return true;
    return false;
}

// Rule 3: every period that was published is still closed.
static enum status
all_still_closed(int roots, const struct db_rows *rows, char out_detail[SETTLE_DETAIL])
{
    int copy = dup(roots);
    DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (folder == NULL) return STATUS_IO;
    rewinddir(folder);
    enum status status = STATUS_OK;
    struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(folder)) != NULL) {
        size_t len = strcspn(entry->d_name, ".");
        if (len == 0 || strcmp(entry->d_name + len, ".root") != 0) continue;
        if (has_period(rows, entry->d_name, len)) continue;
        snprintf(out_detail, SETTLE_DETAIL,
                 "period %.*s: it was closed and its root is published, but the ledger does not "
                 "say so any more",
                 (int)len, entry->d_name);
        status = STATUS_CONFLICT;
    }
    closedir(folder);
    return status;
}

static enum status
publish_roots(struct db *db, int roots, bool write, char out_detail[SETTLE_DETAIL])
{
    static const char sql[] =
        "select c.period, r.record from period_event c"
        " join period_event r on r.period = c.period and r.step = 7 where c.step = 9"
        " order by c.period";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status == STATUS_OK) status = all_still_closed(roots, rows, out_detail);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        status = one_period(db, roots, db_get_text(rows, i, 0), db_get_text(rows, i, 1), write,
                            out_detail);
    db_rows_free(rows);
    return status;
}

// --- Acts ----------------------------------------------------------------------------------------

// Rule 2. STATUS_CONFLICT: the act that the line names is not there any more, or another one.
static enum status
still_there(struct db *db, const char *line, uint64_t *out_number, char out_detail[SETTLE_DETAIL])
{
    char hex[65] = "";
    struct db_rows *rows = NULL;
    if (sscanf(line, "%" SCNu64 " %64[0-9a-f]", out_number, hex) != 2) {
        snprintf(out_detail, SETTLE_DETAIL, "published/acts does not hold a number and a digest");
        return STATUS_CONFLICT;
    }
    const struct db_param params[] = {db_int8((int64_t)*out_number)};
    enum status status = db_query(db, "select encode(digest, 'hex') from act where number = $1",
                                  params, 1, &rows);
    if (status == STATUS_OK && (db_count(rows) == 0 || strcmp(db_get_text(rows, 0, 0), hex) != 0)) {
        snprintf(out_detail, SETTLE_DETAIL,
                 "act %" PRIu64 ": it is published with its digest, but the ledger %s", *out_number,
                 db_count(rows) == 0 ? "does not have it any more" : "has another one");
        status = STATUS_CONFLICT;
    }
    db_rows_free(rows);
    return status;
}

static enum status
publish_acts(struct db *db, int published, bool write, char out_detail[SETTLE_DETAIL])
{
    const char *line = NULL;
    uint64_t number = 0;
    struct act_head head;
    struct arena *arena = arena_open("acts");
    enum status status = read_whole(published, "acts", arena, &line);
    if (status == STATUS_OK) status = still_there(db, line, &number, out_detail);
    else if (status == STATUS_NOT_FOUND) status = STATUS_OK;
    if (status == STATUS_OK) status = act_head(db, &head);
    if (status == STATUS_OK && write && head.number > number) {
        char text[96];
        snprintf(text, sizeof text, "%" PRIu64 " %s\n", head.number,
                 settle_hex(arena, head.digest.bytes, sizeof head.digest.bytes));
        status = write_whole(published, "acts", text);
    }
    arena_close(arena);
    return status;
}

enum status
settle_published(struct db *db, const char *directory, bool write, char out_detail[SETTLE_DETAIL])
{
    int published = -1, roots = -1;
    out_detail[0] = '\0';
    enum status status = open_folders(directory, &published, &roots);
    if (status == STATUS_OK) status = publish_acts(db, published, write, out_detail);
    if (status == STATUS_OK) status = publish_roots(db, roots, write, out_detail);
    close_folders(published, roots);
    return status;
}

enum status
settle_publish(struct db *db, const char *directory, char out_detail[SETTLE_DETAIL])
{
    return settle_published(db, directory, true, out_detail);
}
