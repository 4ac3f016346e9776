// Statements read: formats, the version of a period, documents of closed periods from where the
// close stored them, drafts computed now; and published as files.
//
//  1 A statement's computation is that of the version that fenced its period; of an open period,
//    that of today. A fence of today records "statements 2"; one without it is of the released
//    version.
//  2 A closed statement is read from where the close stored it; it is computed again only to be
//    checked.
//  3 Published files are written once, whole or not at all.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "reconcile.h"
#include "statement_inside.h"

#define FOLDER "published/statements"
#define PATH_BYTES 1024
#define SUFFIX_BYTES 24

static const char *const section_names[SECTION_COUNT] = {
    "charged", "prepaid",     "bought", "sold",    "owed",
    "due",     "corrections", "earned", "payable", "clawback",
};
static const struct {
    const char *name, *suffix;
} formats[STATEMENT_FORMAT_COUNT] = {
    {"text", "txt"},
    {"csv", "csv"},
    {"json", "json"},
    {"pdf", "pdf"},
    {"invoice", "invoice.xml"},
    {"selfbill", "selfbill.xml"},
};

const char *
section_name(enum section_kind kind)
{
    CHECK(kind < SECTION_COUNT);
    return section_names[kind];
}

bool
section_parse(const char *name, enum section_kind *out_kind)
{
    for (int i = 0; i < SECTION_COUNT; i++) {
        if (strcmp(section_names[i], name) != 0) continue;
        *out_kind = (enum section_kind)i;
        return true;
    }
    return false;
}

const char *
statement_format_name(enum statement_format format)
{
    CHECK(format < STATEMENT_FORMAT_COUNT);
    return formats[format].name;
}

const char *
statement_format_suffix(enum statement_format format)
{
    CHECK(format < STATEMENT_FORMAT_COUNT);
    return formats[format].suffix;
}

enum status
statement_format_parse(const char *text, enum statement_format *out_format)
{
    for (int i = 0; i < STATEMENT_FORMAT_COUNT; i++) {
        if (strcmp(text, formats[i].name) != 0 && strcmp(text, formats[i].suffix) != 0) continue;
        *out_format = (enum statement_format)i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

// --- What versions share -------------------------------------------------------------------------

enum status
statement_version(struct db *db, const struct period *period, int *out_version)
{
    static const char sql[] =
        "select coalesce(substring(record from 'statements ([0-9]+)')::integer, 1)"
        " from period_event where period = $1 and step = 1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name)};
    enum status status = db_query(db, sql, params, 1, &rows);
    *out_version = 2;
    if (status == STATUS_OK && db_count(rows) > 0) *out_version = (int)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

// What was carried in is one of the summands, so that it too is printed in cents.
static enum status
round_section(struct section *section, int64_t cent, struct arena *arena)
{
    size_t count = section->count + 1;
    money *exact = arena_take(arena, count, sizeof *exact),
          *cents = arena_take(arena, count, sizeof *cents);
    for (size_t i = 0; i < section->count; i++) exact[i] = section->lines[i].amount;
    exact[section->count] = section->carried_in;
    enum status status = period_round(exact, count, cent, cents, &section->total,
                                      &section->carried_out);
    for (size_t i = 0; i < section->count; i++) section->lines[i].cents = cents[i];
    section->carried_in_cents = cents[section->count];
    return status;
}

enum status
statement_round(struct statement *statement, struct arena *arena)
{
    int64_t cent = period_cent(statement->currency);
    enum status status = STATUS_OK;
    int number = 0;
    for (int i = 0; i < SECTION_COUNT && status == STATUS_OK; i++) {
        struct section *section = &statement->sections[i];
        for (size_t k = 0; k < section->count; k++) section->lines[k].number = ++number;
        status = round_section(section, cent, arena);
    }
    return status;
}

// --- Reading -------------------------------------------------------------------------------------

static const char *
keep(struct arena *arena, const struct db_rows *rows, size_t row, size_t column)
{
    return arena_text(arena, db_get_text(rows, row, column), db_get_len(rows, row, column));
}

struct stored {
    int32_t seat;
    const char *root;   // NULL: the period is not closed
    bool stated;        // the seat has a statement of it
    const char *bytes;  // NULL: none in this format
    size_t len;
};

// Whether the period is closed, its root, and the stored document if the seat has one.
static enum status
read_stored(struct db *db, const char *seat, const struct period *period,
            enum statement_format format, struct arena *arena, struct stored *out)
{
    static const char sql[] =
        "select s.id, root.detail, t.seat, coalesce(convert_to(d.body, 'UTF8'), f.body) from seat s"
        " left join period_event done on done.period = $2 and done.step = 9"
        " left join period_event root on root.period = done.period and root.step = 7"
        " left join statement t on t.period = done.period and t.seat = s.id"
        " left join statement_document d on d.period = done.period and d.seat = s.id"
        "  and d.format = $3"
        " left join statement_file f on f.period = done.period and f.seat = s.id and f.format = $3"
        " where s.code = $1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(seat), db_text(period->name),
                                      db_text(statement_format_suffix(format))};
    enum status status = db_query(db, sql, params, 3, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        *out = (struct stored){.seat = (int32_t)db_get_int(rows, 0, 0),
                               .stated = !db_is_null(rows, 0, 2)};
        if (!db_is_null(rows, 0, 1)) out->root = keep(arena, rows, 0, 1);
        if (!db_is_null(rows, 0, 3)) {
            out->len = db_get_len(rows, 0, 3);
            out->bytes = arena_text(arena, db_get_bytes(rows, 0, 3), out->len);
        }
    }
    db_rows_free(rows);
    return status;
}

enum status
statement_read(struct db *db, const char *seat, const struct period *period,
               enum statement_format format, struct arena *arena, const char **out_bytes,
               size_t *out_len)
{
    struct statement statement;
    struct stored stored;
    *out_bytes = NULL;
    *out_len = 0;
    enum status status = read_stored(db, seat, period, format, arena, &stored);
    if (status != STATUS_OK) return status;
    *out_bytes = stored.bytes;
    *out_len = stored.len;
    if (stored.bytes != NULL || (stored.root != NULL && stored.stated)) return STATUS_OK;
    status = statement_compute(db, stored.seat, period, arena, &statement);
    if (status != STATUS_OK) return status;
    if (stored.root != NULL) {  // closed, and the seat had nothing to state
        statement.closed = true;
        statement.root = stored.root;
    }
    if (statement_has(&statement, format))
        *out_bytes = statement_document(&statement, format, arena, out_len);
    return STATUS_OK;
}

enum status
statement_get(struct db *db, const char *seat, const struct period *period,
              enum statement_format format, struct arena *arena, const char **out_text)
{
    size_t len = 0;
    CHECK(format <= STATEMENT_JSON);
    return statement_read(db, seat, period, format, arena, out_text, &len);
}

// --- Publishing ----------------------------------------------------------------------------------

static enum status
write_whole(int descriptor, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(descriptor, text, len);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return STATUS_IO;
        text += wrote;
        len -= (size_t)wrote;
    }
    return fsync(descriptor) == 0 ? STATUS_OK : STATUS_IO;
}

static enum status
sync_folder(int folder)
{
    return fsync(folder) == 0 ? STATUS_OK : STATUS_IO;
}

// A file of `folder` that is there whole or not at all, and never changed.
static enum status
write_once(int folder, const char *name, const void *text, size_t len)
{
    char temporary[PATH_BYTES];
    if (faccessat(folder, name, F_OK, 0) == 0) return STATUS_OK;
    snprintf(temporary, sizeof temporary, ".%s.new", name);
    int descriptor = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (descriptor < 0) return STATUS_IO;
    enum status status = write_whole(descriptor, text, len);
    if (close(descriptor) != 0) status = STATUS_IO;
    if (status == STATUS_OK && renameat(folder, temporary, folder, name) != 0) status = STATUS_IO;
    if (status == STATUS_OK) status = sync_folder(folder);
    return status;
}

// Opens `name` below `parent`, making it if need be.
static enum status
open_folder(int parent, const char *name, int *out_folder)
{
    if (mkdirat(parent, name, 0750) != 0 && errno != EEXIST) return STATUS_IO;
    *out_folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *out_folder < 0 ? STATUS_IO : STATUS_OK;
}

static enum status
publish_document(int folder, const char *seat, const char *period, const char *suffix,
                 const void *body, size_t len)
{
    int own = -1;
    char name[PERIOD_TEXT + SUFFIX_BYTES];
    CHECK(seat[0] != '\0' && seat[0] != '.' && strchr(seat, '/') == NULL);  // codes are plain words
    enum status status = open_folder(folder, seat, &own);
    if (status != STATUS_OK) return status;
    snprintf(name, sizeof name, "%.15s.%.20s", period, suffix);
    status = write_once(own, name, body, len);
    int reason = errno;
    close(own);
    if (status == STATUS_OK) status = sync_folder(folder);
    else errno = reason;
    return status;
}

// A seat's reconciliation file, streamed; *out_wrote says that it was not there yet.
static enum status
publish_reconciliation(struct db *db, const char *directory, int folder, const char *seat,
                       const struct period *period, bool *out_wrote)
{
    char name[PERIOD_TEXT + SUFFIX_BYTES], temporary[PERIOD_TEXT + SUFFIX_BYTES + 8];
    int own = -1, descriptor = -1;
    snprintf(name, sizeof name, "%s." RECONCILE_SUFFIX, period->name);
    snprintf(temporary, sizeof temporary, ".%s.new", name);
    *out_wrote = false;
    enum status status = open_folder(folder, seat, &own);
    if (status != STATUS_OK || faccessat(own, name, F_OK, 0) == 0) goto done;
    status = STATUS_IO;
    descriptor = openat(own, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (out == NULL) goto done;
    status = reconcile_write(db, directory, seat, period, RECONCILE_CSV, out);
    if (status == STATUS_OK && (fflush(out) != 0 || fsync(descriptor) != 0)) status = STATUS_IO;
    if (fclose(out) != 0 && status == STATUS_OK) status = STATUS_IO;
    descriptor = -1;
    if (status == STATUS_OK && renameat(own, temporary, own, name) != 0) status = STATUS_IO;
    if (status == STATUS_OK) status = sync_folder(own);
    *out_wrote = status == STATUS_OK;
done:;
    int reason = errno;
    if (descriptor >= 0) close(descriptor);
    if (own >= 0) close(own);
    errno = reason;
    return status;
}

static enum status
publish_documents(struct db *db, int folder, const char *period)
{
    static const char sql[] =
        "select s.code, d.format, convert_to(d.body, 'UTF8') from statement_document d"
        " join seat s on s.id = d.seat where d.period = $1"
        " union all select s.code, f.format, f.body from statement_file f"
        " join seat s on s.id = f.seat where f.period = $1 order by 1, 2";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period)};
    enum status status = db_query(db, sql, params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        status = publish_document(folder, db_get_text(rows, i, 0), period, db_get_text(rows, i, 1),
                                  db_get_bytes(rows, i, 2), db_get_len(rows, i, 2));
    db_rows_free(rows);
    return status;
}

// Reconciliation files are long: after a second of them the turn ends, and the next one goes on.
// The mark comes in the call that finds everything there. Without the secret of the pseudonyms
// there are no reconciliation files.
static enum status
publish_period(struct db *db, const char *directory, int folder, const struct period *period,
               const char *mark)
{
    struct db_rows *rows = NULL;
    bool wrote = false, late = false;
    usec until = {clock_monotonic().us + USEC_SECOND};
    const struct db_param params[] = {db_text(period->name)};
    enum status status = publish_documents(db, folder, period->name);
    if (status == STATUS_OK)
        status = db_query(db,
                          "select s.code from statement t join seat s on s.id = t.seat"
                          " where t.period = $1 order by s.code",
                          params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && !late && i < db_count(rows); i++) {
        status = publish_reconciliation(db, directory, folder, db_get_text(rows, i, 0), period,
                                        &wrote);
        if (status == STATUS_GAP) status = STATUS_OK;
        late = wrote && i + 1 < db_count(rows) && clock_monotonic().us > until.us;
    }
    db_rows_free(rows);
    if (status == STATUS_OK && !late) status = write_once(folder, mark, "", 0);
    return status;
}

enum status
statement_publish(struct db *db, const char *directory)
{
    struct db_rows *rows = NULL;
    int folder = -1;
    enum status status = db_query(
        db, "select period from period_event where step = 9 order by period", NULL, 0, &rows);
    if (status != STATUS_OK || db_count(rows) == 0) goto done;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/published", directory);
    status = mkdir(path, 0750) == 0 || errno == EEXIST ? STATUS_OK : STATUS_IO;
    snprintf(path, sizeof path, "%s/%s", directory, FOLDER);
    if (status == STATUS_OK) status = open_folder(AT_FDCWD, path, &folder);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        char mark[PERIOD_TEXT + 1];
        snprintf(mark, sizeof mark, ".%.15s", db_get_text(rows, i, 0));
        if (faccessat(folder, mark, F_OK, 0) == 0) continue;
        struct period period;
        if (period_parse(db_get_text(rows, i, 0), db_get_len(rows, i, 0), &period) != STATUS_OK)
            continue;  // named by `verify`
        status = publish_period(db, directory, folder, &period, mark);
    }
done:
    if (folder >= 0) {
        int reason = errno;
        close(folder);
        errno = reason;
    }
    db_rows_free(rows);
    return status;
}
