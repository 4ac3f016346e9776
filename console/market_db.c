// Connection strings of a market's roles, and the schema behind them.
//
// Private cluster: "host='SOCKET' dbname=vendue user=vendue_ROLE"; the system's user is admitted by
// pg_ident.conf. An own PostgreSQL: the given string as it stands for the owner, and with
// "role=vendue_ROLE" set at the start of the session for the others, so that the grants of the
// schema hold there too.
#include "market_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "market_file.h"
#include "migrate.h"

#define PATH_BYTES 700
#define STRING_BYTES 1400

static const char *const roles[] = {"owner", "ledger", "console", "reader"};

static enum status __attribute__((format(printf, 3, 4)))
fail(struct market_db_fault *fault, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return status;
}

// A value of a connection string in quotes.
static void
quote(const char *text, char *out, size_t size)
{
    size_t at = 0;
    out[at++] = '\'';
    for (; *text && at + 4 < size; text++) {
        if (*text == '\'' || *text == '\\') out[at++] = '\\';
        out[at++] = *text;
    }
    out[at++] = '\'';
    out[at] = '\0';
}

static void
own_string(const char *given, const char *role, char *out, size_t size)
{
    bool uri = strncmp(given, "postgres://", 11) == 0 || strncmp(given, "postgresql://", 13) == 0;
    if (strcmp(role, "owner") == 0) {
        snprintf(out, size, "%s", given);
    } else if (uri) {
        snprintf(out, size, "%s%coptions=-c%%20role%%3Dvendue_%s", given,
                 strchr(given, '?') ? '&' : '?', role);
    } else {
        snprintf(out, size, "%s options='-c role=vendue_%s'", given, role);
    }
}

static enum status
write_string(const char *directory, const char *role, const char *string,
             struct market_db_fault *fault)
{
    char path[PATH_BYTES], temporary[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/run/postgres.%s", directory, role);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return fail(fault, STATUS_IO, "%s: %m", temporary);
    int written = dprintf(fd, "%s\n", string);
    if (close(fd) != 0 || written < 0 || rename(temporary, path) != 0)
        return fail(fault, STATUS_IO, "%s: %m", path);
    return STATUS_OK;
}

enum status
market_db_write_strings(const struct settings *settings, const char *socket,
                        struct market_db_fault *out_fault)
{
    char string[STRING_BYTES], host[PATH_BYTES];
    if (!socket && strstr(settings->postgres, "options="))
        return fail(out_fault, STATUS_INPUT,
                    "postgres: leave 'options' out of the connection string; the roles of "
                    "the sessions are set with it");
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (socket) {
            quote(socket, host, sizeof host);
            snprintf(string, sizeof string, "host=%s dbname=vendue user=vendue_%s", host, roles[i]);
        } else {
            own_string(settings->postgres, roles[i], string, sizeof string);
        }
        enum status status = write_string(settings->directory, roles[i], string, out_fault);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status
read_string(const char *directory, const char *role, char *out, size_t size,
            struct market_db_fault *fault)
{
    char path[PATH_BYTES], market[PATH_BYTES], word[VERB_WORD];
    snprintf(path, sizeof path, "%s/run/postgres.%s", directory, role);
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT) {
        snprintf(market, sizeof market, "%s/vendue.yaml", directory);
        if (access(market, F_OK) != 0)
            return fail(fault, STATUS_NOT_FOUND,
                        "%s is not a market directory; name one with --dir, or make one: "
                        "slotctl init DIR",
                        directory);
        return fail(fault, STATUS_NOT_FOUND, "%s is missing; slotctl --dir %s up writes it", path,
                    verb_word(directory, word));
    }
    if (!file) return fail(fault, STATUS_DENIED, "%s: %m", path);
    bool read = fgets(out, (int)size, file) != NULL;
    fclose(file);
    if (!read)
        return fail(fault, STATUS_DAMAGED, "%s is empty; slotctl --dir %s up writes it anew", path,
                    verb_word(directory, word));
    out[strcspn(out, "\n")] = '\0';
    return STATUS_OK;
}

enum status
market_db_open_as(const char *directory, const char *role, struct db **out_db,
                  struct market_db_fault *out_fault)
{
    char string[STRING_BYTES], word[VERB_WORD];
    struct db_fault fault = {0};
    enum status status = read_string(directory, role, string, sizeof string, out_fault);
    if (status != STATUS_OK) return status;
    status = db_open(string, "slotctl", out_db, &fault);
    if (status == STATUS_OK) return STATUS_OK;
    return fail(out_fault, status,
                "the market's database does not answer (%s); is the market up? "
                "slotctl --dir %s up",
                fault.text, verb_word(directory, word));
}

struct db *
market_db_open(const struct verb_context *context)
{
    struct db *db = NULL;
    struct market_db_fault fault;
    struct migrate_report report;
    if (market_db_open_as(context->directory, "console", &db, &fault) != STATUS_OK) {
        verb_cannot("%s", fault.text);
    } else if (migrate_fits(db, &report) != STATUS_OK) {
        verb_cannot("%s", report.fault);
        db_close(db);
        db = NULL;
    }
    return db;
}

// A private cluster starts with no database of ours.
static enum status
create_database(const struct settings *settings, struct market_db_fault *fault)
{
    char string[STRING_BYTES];
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    struct db_fault db_says = {0};
    enum status status = read_string(settings->directory, "owner", string, sizeof string, fault);
    if (status != STATUS_OK) return status;
    char *name = strstr(string, " dbname=vendue ");
    if (!name)
        return fail(fault, STATUS_DAMAGED, "run/postgres.owner is not what `slotctl up` writes");
    char first[STRING_BYTES + 8];
    snprintf(first, sizeof first, "%.*s dbname=postgres %s", (int)(name - string), string,
             name + 15);
    status = db_open(first, "slotctl", &db, &db_says);
    if (status != STATUS_OK)
        return fail(fault, status, "the private PostgreSQL does not answer: %s", db_says.text);
    status = db_query(db, "select 1 from pg_database where datname = 'vendue'", NULL, 0, &rows);
    if (status == STATUS_OK && db_count(rows) == 0)
        status = db_script(db, "create database vendue");
    if (status != STATUS_OK) fail(fault, status, "creating the database: %s", db_fault(db)->text);
    db_rows_free(rows);
    db_close(db);
    return status;
}

static enum status
create_roles(struct db *db, bool private_cluster, struct market_db_fault *fault)
{
    // Logins are for the private cluster, where the system vouches for who asks; elsewhere the
    // owner's session turns into the role.
    const char *make = private_cluster ? "login" : "nologin";
    char sql[1024];
    for (size_t i = 1; i < sizeof roles / sizeof *roles; i++) {
        snprintf(sql, sizeof sql,
                 "do $$ begin\n"
                 "  if not exists (select from pg_roles where rolname = 'vendue_%s') then\n"
                 "    create role vendue_%s %s;\n"
                 "  end if;\n"
                 "  if not pg_has_role(current_user, 'vendue_%s', 'member') then\n"
                 "    execute format('grant vendue_%s to %%I', current_user);\n"
                 "  end if;\n"
                 "end $$",
                 roles[i], roles[i], make, roles[i], roles[i]);
        enum status status = db_script(db, sql);
        if (status != STATUS_OK)
            return fail(fault, status,
                        "creating role vendue_%s: %s; the owner needs the attribute CREATEROLE, or "
                        "create it by hand and grant it to the owner",
                        roles[i], db_fault(db)->text);
    }
    return STATUS_OK;
}

enum status
market_db_prepare(const struct settings *settings, struct market_db_fault *out_fault)
{
    struct db *db = NULL;
    struct migrate_report report;
    bool private_cluster = settings->postgres[0] == '\0';
    enum status status = private_cluster ? create_database(settings, out_fault) : STATUS_OK;
    if (status == STATUS_OK)
        status = market_db_open_as(settings->directory, "owner", &db, out_fault);
    if (status != STATUS_OK) return status;
    status = db_script(db, "set client_min_messages = warning");  // "exists, skipping" is no news
    if (status != STATUS_OK) fail(out_fault, status, "%s", db_fault(db)->text);
    if (status == STATUS_OK) status = create_roles(db, private_cluster, out_fault);
    if (status == STATUS_OK) {
        status = migrate_up(db, &report);
        if (status != STATUS_OK) fail(out_fault, status, "%.1100s", report.fault);
    }
    db_close(db);
    return status;
}

enum status
market_db_seen(struct db *db, struct arena *arena, struct market_seen **out_seen,
               uint32_t *out_count)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db,
                                  "select m.code, coalesce(s.tagid, ''), max(b.worth) from ("
                                  "select message, slot, price_micros as worth from bid_change "
                                  "where kind = 0 union all "
                                  "select k.message, k.slot, case k.how & 3 when 0 then k.price "
                                  "else (k.price::numeric * k.multiplier / "
                                  "case k.how & 3 when 1 then 4294967296 else 1000000 end)::bigint "
                                  "end from seat e cross join lateral ("
                                  "select * from candidate where seat = e.id "
                                  "order by at_us desc limit 1000) k"
                                  ") b join message m on m.id = b.message "
                                  "left join slot s on s.id = b.slot group by 1, 2",
                                  NULL, 0, &rows);
    if (status != STATUS_OK) return status;
    *out_count = (uint32_t)db_count(rows);
    *out_seen = arena_take(arena, *out_count + 1u, sizeof **out_seen);
    for (uint32_t i = 0; i < *out_count; i++) {
        const char *message = db_get_text(rows, i, 0), *tagid = db_get_text(rows, i, 1);
        char *copies = arena_take(arena, strlen(message) + strlen(tagid) + 2, 1);
        strcpy(copies, message);
        strcpy(copies + strlen(message) + 1, tagid);
        (*out_seen)[i] = (struct market_seen){copies, copies + strlen(message) + 1,
                                              db_get_money(rows, i, 2)};
    }
    db_rows_free(rows);
    return STATUS_OK;
}
