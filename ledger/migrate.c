// The schema's history: numbered files, each applied once and never changed afterwards.
//
//  1 Table vendue.migration holds one row a file: name, SHA-256 of its text, time. It is made
//    here, before the first file.
//  2 Before anything is changed, every recorded file is compared with the embedded list: a file
//    recorded but unknown means the database is newer than this binary; a recorded digest that
//    differs means the file was edited after the fact. Both refuse by name.
//  3 A file is applied in one transaction together with its row, so a crash leaves it applied or
//    not.
//  4 Files are applied in order, and only after the newest recorded one: a file that sorts before
//    it and is missing was added too late, and refuses by name as well.
//  5 Two programs at once: the row's primary key lets one win; the other's transaction is rolled
//    back and reported as STATUS_CONFLICT by the database; running again finds everything in
//    place.
//  6 Programs that find another schema than theirs (migrate_fits) do nothing. Those that came
//    before this rule are kept out by constraints (021).
//  7 Behind the last file the partitions of the months to come are made (partition.h), so that
//    programs need no right to make tables.
#include "migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fail.h"
#include "hash.h"
#include "partition.h"

static enum status
told(struct db *db, enum status status, const char *what, struct migrate_report *out)
{
    snprintf(out->fault, sizeof out->fault, "%s: %s", what, db_fault(db)->text);
    return status;
}

static const struct migrate_file *
find(const struct migrate_file *files, const char *name)
{
    for (; files->name; files++) {
        if (strcmp(files->name, name) == 0) return files;
    }
    return NULL;
}

// Whether the table of migrations is there at all.
static enum status
table_exists(struct db *db, bool *out_exists, struct migrate_report *out)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db, "select to_regclass('vendue.migration') is not null", NULL, 0,
                                  &rows);
    if (status != STATUS_OK) return told(db, status, "reading the schema's version", out);
    *out_exists = db_get_bool(rows, 0, 0);
    db_rows_free(rows);
    return STATUS_OK;
}

static enum status
check_row(const struct migrate_file *files, const struct db_rows *rows, size_t row,
          struct migrate_report *out)
{
    const char *name = db_get_text(rows, row, 0);
    const struct migrate_file *file = find(files, name);
    if (!file) {
        snprintf(
            out->fault, sizeof out->fault,
            "the database holds migration %s, which this program does not know: the database is "
            "newer; use the program it was made with, or a later one",
            name);
        return STATUS_VERSION;
    }
    struct digest digest = hash_sha256(file->text, file->len);
    if (db_get_len(rows, row, 1) != sizeof digest.bytes ||
        memcmp(db_get_bytes(rows, row, 1), digest.bytes, sizeof digest.bytes) != 0) {
        snprintf(out->fault, sizeof out->fault,
                 "migration %s was changed after it had been applied; restore its text and put the "
                 "change into a new file",
                 name);
        return STATUS_CONFLICT;
    }
    return STATUS_OK;
}

// Compares what is recorded with `files` and counts; the rows come in order of name.
static enum status
check(struct db *db, const struct migrate_file *files, struct migrate_report *out)
{
    bool exists = false;
    struct db_rows *rows = NULL;
    enum status status = table_exists(db, &exists, out);
    if (status == STATUS_OK && exists) {
        status = db_query(db, "select name, digest from vendue.migration order by name", NULL, 0,
                          &rows);
        if (status != STATUS_OK) told(db, status, "reading the schema's version", out);
    }
    for (size_t i = 0; status == STATUS_OK && rows && i < db_count(rows); i++) {
        status = check_row(files, rows, i, out);
        snprintf(out->newest, sizeof out->newest, "%s", db_get_text(rows, i, 0));
    }
    if (status == STATUS_OK) {
        out->present = rows ? (unsigned)db_count(rows) : 0;
        if (out->present && strcmp(files[out->present - 1].name, out->newest) != 0) {
            snprintf(
                out->fault, sizeof out->fault,
                "a migration before %s is missing in the database: it was added too late; give "
                "it a later number",
                out->newest);
            status = STATUS_CONFLICT;
        }
    }
    db_rows_free(rows);
    return status;
}

static enum status
apply(struct db *db, const struct migrate_file *file, struct migrate_report *out)
{
    char *text = malloc(file->len + 1);
    CHECK(text);
    memcpy(text, file->text, file->len);
    text[file->len] = 0;
    struct digest digest = hash_sha256(file->text, file->len);
    const struct db_param row[] = {db_text(file->name), db_bytes(digest.bytes, sizeof digest.bytes),
                                   db_time(clock_wall())};
    enum status status = db_begin(db);
    // Moving a large table takes its time.
    if (status == STATUS_OK) status = db_script(db, "set local statement_timeout = '24h'");
    if (status == STATUS_OK) status = db_script(db, text);
    if (status == STATUS_OK) {
        status = db_run(db,
                        "insert into vendue.migration (name, digest, at_us) values ($1, $2, $3)",
                        row, 3, NULL);
    }
    if (status == STATUS_OK) status = db_commit(db);
    if (status != STATUS_OK) {
        char what[192];
        bool waited = strcmp(db_fault(db)->sqlstate, "55P03") == 0;
        snprintf(what, sizeof what, "migration %.90s%s", file->name,
                 waited ? ": another one is at work, or was killed and is being undone; try again"
                        : "");
        told(db, status, what, out);
        db_rollback(db);
    }
    free(text);
    return status;
}

enum status
migrate_fits(struct db *db, struct migrate_report *out_report)
{
    memset(out_report, 0, sizeof *out_report);
    enum status status = check(db, migrate_files, out_report);
    if (status != STATUS_OK || !migrate_files[out_report->present].name) return status;
    snprintf(out_report->fault, sizeof out_report->fault,
             "the database is that of an earlier version (up to %s); slotctl up brings it up to "
             "this program's",
             out_report->present ? out_report->newest : "none");
    return STATUS_VERSION;
}

enum status
migrate_up_from(struct db *db, const struct migrate_file *files, struct migrate_report *out_report)
{
    memset(out_report, 0, sizeof *out_report);
    enum status status = check(db, files, out_report);
    if (status != STATUS_OK) return status;
    status = db_script(db, "create schema if not exists vendue;"
                           "create table if not exists vendue.migration ("
                           " name text primary key, digest bytea not null, at_us bigint not null)");
    if (status != STATUS_OK) return told(db, status, "making the schema", out_report);
    while (status == STATUS_OK && files[out_report->present].name) {
        const struct migrate_file *file = &files[out_report->present];
        status = apply(db, file, out_report);
        if (status == STATUS_OK) {
            out_report->present++;
            out_report->applied++;
            snprintf(out_report->newest, sizeof out_report->newest, "%s", file->name);
        }
    }
    return status;
}

enum status
migrate_up(struct db *db, struct migrate_report *out_report)
{
    enum status status = migrate_up_from(db, migrate_files, out_report);
    if (status != STATUS_OK) return status;
    status = partition_ahead(db, clock_wall(), PARTITION_MONTHS);
    return status == STATUS_OK ? status : told(db, status, "making partitions", out_report);
}
