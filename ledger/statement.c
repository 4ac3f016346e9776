// Statements computed from the ledger, kept as documents, published as files.
//
//  1 A statement's lines are the rows of the view statement_line (migration 005): every posted
//    transfer and every fact of the period on exactly one line of one section of one seat, in a
//    fixed order.
//  2 Each section is rounded to cents together with what the last close carried over for it
//    (period_round), so the printed lines add up to the printed total and nothing below a cent is
//    ever lost.
//  3 "The last close" is the one fenced last before this period's own fence. So a closed statement
//    computed again gives the same bytes, whatever was closed since.
//    Likewise the market is the one at the fence, whose version the fence recorded.
//  4 A closed statement is read from where the close stored it; it is computed again only to be
//    checked.
#include "statement_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "transfer.h"

#define FOLDER "published/statements"
#define PATH_BYTES 1024

static const char *const section_names[SECTION_COUNT] = {
    "charged", "prepaid", "bought", "sold", "owed", "earned",
};
static const char *const format_names[STATEMENT_FORMAT_COUNT] = {"text", "csv", "json"};
static const char *const format_suffixes[STATEMENT_FORMAT_COUNT] = {"txt", "csv", "json"};

const char *
section_name(enum section_kind kind)
{
    CHECK(kind < SECTION_COUNT);
    return section_names[kind];
}

const char *
statement_format_name(enum statement_format format)
{
    CHECK(format < STATEMENT_FORMAT_COUNT);
    return format_names[format];
}

const char *
statement_format_suffix(enum statement_format format)
{
    CHECK(format < STATEMENT_FORMAT_COUNT);
    return format_suffixes[format];
}

enum status
statement_format_parse(const char *text, enum statement_format *out_format)
{
    for (int i = 0; i < STATEMENT_FORMAT_COUNT; i++) {
        if (strcmp(text, format_names[i]) != 0 && strcmp(text, format_suffixes[i]) != 0) continue;
        *out_format = (enum statement_format)i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

// --- Computing -----------------------------------------------------------------------------------

static struct section *
section_of(struct statement *statement, const char *name)
{
    for (int i = 0; i < SECTION_COUNT; i++)
        if (strcmp(section_names[i], name) == 0) return &statement->sections[i];
    CHECK(false);  // the view and section_names hold the same words
}

static const char *
keep(struct arena *arena, const struct db_rows *rows, size_t row, size_t column)
{
    return arena_text(arena, db_get_text(rows, row, column), db_get_len(rows, row, column));
}

// The contracts are those in force in the period and those by which its placements were won, each
// with the terms it had then: an edited or removed contract stays behind what it decided. Names and
// terms of a fenced period are those of the market at its fence (rule 3).
static enum status
read_seat(struct db *db, struct arena *arena, struct statement *statement)
{
    static const char sql[] =
        "with fence as (select coalesce(("
        "  select substring(record from 'market ([0-9]+)')::bigint from period_event"
        "  where period = $4 and step = 1), 9223372036854775807) as version)"
        " select s.code, coalesce(b.body ->> 'name', s.name, ''), s.kind, m.currency,"
        "  coalesce(c.text, '')"
        " from seat s cross join market_now m cross join fence f"
        " left join lateral (select o.body from market_object o where o.kind = 'seat'"
        "  and o.id = s.id and o.version <= f.version and o.body is not null"
        "  order by o.version desc limit 1) b on true"
        " cross join lateral ("
        "  select string_agg(distinct x.code || ' ('"
        "    || coalesce(case when s.kind = 'partner' then x.body ->> 'billing' end || ', ', '')"
        "    || 'charged on ' || coalesce(x.body ->> 'charge', 'delivery')"
        "    || coalesce(', ' || (x.body -> 'gain_share' ->> 'rate') || ' of revenue', '') || ')',"
        "    e'\\n') as text"
        "  from (select n.code, n.body from (select distinct on (o.id) o.code, o.body"
        "     from market_object o where o.kind = 'contract' and o.version <= f.version"
        "     order by o.id, o.version desc) n where n.body ->> 'seat' = s.code"
        "     and coalesce(extract(epoch from (n.body ->> 'from')::timestamptz), 0) * 1000000 < $3"
        "     and coalesce(extract(epoch from (n.body ->> 'until')::timestamptz) * 1000000 > $2,"
        "      true)"
        "    union all select b.code, b.body from ("
        "     select o.contract, o.market_version from outcome o"
        "     where o.period = $4 and o.seat = s.id and o.contract is not null"
        "     union select o.contract, o.market_version from transfer t"
        "     join outcome o on o.placement_id = t.placement_id"
        "     where t.period = $4 and t.seat = s.id and o.contract is not null) u"
        "    cross join lateral (select m.code, m.body from market_object m"
        "     where m.kind = 'contract' and m.id = u.contract and m.version <= u.market_version"
        "      and m.body is not null order by m.version desc limit 1) b) x) c"
        " where s.id = $1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4(statement->seat), db_int8(statement->period.from.us),
                                      db_int8(statement->period.until.us),
                                      db_text(statement->period.name)};
    enum status status = db_query(db, sql, params, 4, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        statement->code = keep(arena, rows, 0, 0);
        statement->name = keep(arena, rows, 0, 1);
        statement->kind = keep(arena, rows, 0, 2);
        status = currency_parse(db_get_text(rows, 0, 3), db_get_len(rows, 0, 3),
                                &statement->currency);
        statement->contracts = keep(arena, rows, 0, 4);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_lines(struct db *db, struct arena *arena, struct statement *statement)
{
    static const char sql[] =
        "select l.section, coalesce(s.container, ''), coalesce(s.code, ''), coalesce(m.code, ''),"
        "  coalesce(r.name, ''), l.won, l.delivered, l.ended, l.converted, l.refunded,"
        "  l.revenue_micros, l.micros"
        " from statement_line l left join slot s on s.id = l.slot"
        "  left join message m on m.id = l.message"
        "  left join rung_name r on r.rung = l.rung"
        " where l.period = $1 and l.seat = $2 and l.currency = $3"
        " order by l.section collate \"C\", s.tagid collate \"C\", m.code collate \"C\","
        "  l.rung, l.slot, l.message";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat),
                                      db_text(statement->currency.code)};
    enum status status = db_query(db, sql, params, 3, &rows);
    size_t count = status == STATUS_OK ? db_count(rows) : 0;
    struct line *lines = arena_take(arena, count + 1, sizeof *lines);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct section *section = section_of(statement, db_get_text(rows, i, 0));
        if (section->count == 0) section->lines = &lines[i];
        section->count++;
        lines[i] = (struct line){
            .container = keep(arena, rows, i, 1),
            .slot = keep(arena, rows, i, 2),
            .message = keep(arena, rows, i, 3),
            .rung = keep(arena, rows, i, 4),
            .won = db_get_int(rows, i, 5),
            .delivered = db_get_int(rows, i, 6),
            .ended = db_get_int(rows, i, 7),
            .converted = db_get_int(rows, i, 8),
            .refunded = db_get_int(rows, i, 9),
            .revenue = db_get_money(rows, i, 10),
            .amount = db_get_money(rows, i, 11),
        };
        status = money_add(section->sum, lines[i].amount, &section->sum);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_carried(struct db *db, struct arena *arena, struct statement *statement)
{
    static const char sql[] =
        "select distinct on (t.section) t.section, t.carried_out_micros, t.period"
        " from statement_total t join period_event e on e.period = t.period and e.step = 1"
        " where t.seat = $1 and t.currency = $2 and t.period <> $3 and e.at_us < coalesce("
        "  (select f.at_us from period_event f where f.period = $3 and f.step = 1),"
        "  9223372036854775807)"
        " order by t.section, e.at_us desc, t.period desc";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4(statement->seat), db_text(statement->currency.code),
                                      db_text(statement->period.name)};
    enum status status = db_query(db, sql, params, 3, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct section *section = section_of(statement, db_get_text(rows, i, 0));
        section->carried_in = db_get_money(rows, i, 1);
        section->carried_from = keep(arena, rows, i, 2);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_deposit(struct db *db, struct statement *statement)
{
    static const char sql[] =
        "select coalesce(-sum(micros) filter (where period < $3), 0)::bigint,"
        "  coalesce(-sum(micros) filter (where period = $3 and kind = 'deposit'), 0)::bigint,"
        "  coalesce(sum(micros) filter (where period = $3 and kind <> 'deposit'), 0)::bigint,"
        "  coalesce(-sum(micros), 0)::bigint, count(*)"
        " from entry where currency = $1 and account = $2 and period <= $3";
    struct account account = {.code = ACCOUNT_PREPAID, .seat = (uint32_t)statement->seat};
    const struct db_param params[] = {db_text(statement->currency.code),
                                      db_int8(account_number(account)),
                                      db_text(statement->period.name)};
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, params, 3, &rows);
    if (status == STATUS_OK) {
        statement->has_deposit = db_get_int(rows, 0, 4) > 0;
        statement->deposit.opening = db_get_money(rows, 0, 0);
        statement->deposit.paid_in = db_get_money(rows, 0, 1);
        statement->deposit.used = db_get_money(rows, 0, 2);
        statement->deposit.closing = db_get_money(rows, 0, 3);
    }
    db_rows_free(rows);
    return status;
}

// Rule 2. What was carried in is one of the summands, so that it too is printed in cents.
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
statement_compute(struct db *db, int32_t seat, const struct period *period, struct arena *arena,
                  struct statement *out_statement)
{
    memset(out_statement, 0, sizeof *out_statement);
    out_statement->seat = seat;
    out_statement->period = *period;
    out_statement->digest = out_statement->root = "";
    for (int i = 0; i < SECTION_COUNT; i++) out_statement->sections[i].carried_from = "";
    enum status status = read_seat(db, arena, out_statement);
    if (status == STATUS_OK) status = read_lines(db, arena, out_statement);
    if (status == STATUS_OK) status = read_carried(db, arena, out_statement);
    if (status == STATUS_OK) status = read_deposit(db, out_statement);
    int64_t cent = status == STATUS_OK ? period_cent(out_statement->currency) : 0;
    for (int i = 0; i < SECTION_COUNT && status == STATUS_OK; i++)
        status = round_section(&out_statement->sections[i], cent, arena);
    return status;
}

enum status
statement_seats(struct db *db, const struct period *period, struct arena *arena,
                int32_t **out_seats, size_t *out_count)
{
    static const char sql[] =
        "with carried as ("
        " select distinct on (t.seat, t.section) t.seat, t.carried_out_micros as micros"
        " from statement_total t join period_event e on e.period = t.period and e.step = 1"
        " where t.period <> $1 and e.at_us < coalesce((select f.at_us from period_event f"
        "  where f.period = $1 and f.step = 1), 9223372036854775807)"
        " order by t.seat, t.section, e.at_us desc, t.period desc)"
        " select s.id from seat s where s.id in ("
        "  select p.seat from statement_part p where p.period = $1"
        "  union select d.seat from deposit d where d.period = $1"
        "  union select c.seat from carried c where c.micros <> 0)"
        " order by s.code collate \"C\"";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name)};
    enum status status = db_query(db, sql, params, 1, &rows);
    *out_count = status == STATUS_OK ? db_count(rows) : 0;
    *out_seats = arena_take(arena, *out_count + 1, sizeof **out_seats);
    for (size_t i = 0; i < *out_count; i++) (*out_seats)[i] = (int32_t)db_get_int(rows, i, 0);
    db_rows_free(rows);
    return status;
}

// --- Reading -------------------------------------------------------------------------------------

// Whether the period is closed, its root, and the stored document if the seat has one.
static enum status
read_stored(struct db *db, const char *seat, const struct period *period,
            enum statement_format format, struct arena *arena, int32_t *out_seat,
            const char **out_root, const char **out_text)
{
    static const char sql[] =
        "select s.id, root.detail, d.body from seat s"
        " left join period_event done on done.period = $2 and done.step = 9"
        " left join period_event root on root.period = done.period and root.step = 7"
        " left join statement_document d on d.period = done.period and d.seat = s.id"
        "  and d.format = $3"
        " where s.code = $1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(seat), db_text(period->name),
                                      db_text(statement_format_suffix(format))};
    enum status status = db_query(db, sql, params, 3, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        *out_seat = (int32_t)db_get_int(rows, 0, 0);
        *out_root = db_is_null(rows, 0, 1) ? NULL : keep(arena, rows, 0, 1);
        *out_text = db_is_null(rows, 0, 2) ? NULL : keep(arena, rows, 0, 2);
    }
    db_rows_free(rows);
    return status;
}

enum status
statement_get(struct db *db, const char *seat, const struct period *period,
              enum statement_format format, struct arena *arena, const char **out_text)
{
    struct statement statement;
    int32_t number = 0;
    const char *root = NULL;
    *out_text = NULL;
    enum status status = read_stored(db, seat, period, format, arena, &number, &root, out_text);
    if (status != STATUS_OK || *out_text != NULL) return status;
    status = statement_compute(db, number, period, arena, &statement);
    if (status != STATUS_OK) return status;
    if (root != NULL) {  // closed, and the seat had nothing to state
        statement.closed = true;
        statement.root = root;
    }
    *out_text = statement_print(&statement, format, arena);
    return STATUS_OK;
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
write_once(int folder, const char *name, const char *text, size_t len)
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
                 const char *body, size_t len)
{
    int own = -1;
    char name[PERIOD_TEXT + 8];
    CHECK(seat[0] != '\0' && seat[0] != '.' && strchr(seat, '/') == NULL);  // codes are plain words
    enum status status = open_folder(folder, seat, &own);
    if (status != STATUS_OK) return status;
    snprintf(name, sizeof name, "%.15s.%.4s", period, suffix);
    status = write_once(own, name, body, len);
    int reason = errno;
    close(own);
    if (status == STATUS_OK) status = sync_folder(folder);
    else errno = reason;
    return status;
}

static enum status
publish_period(struct db *db, int folder, const char *period, const char *mark)
{
    static const char sql[] =
        "select s.code, d.format, d.body from statement_document d join seat s on s.id = d.seat"
        " where d.period = $1 order by s.code, d.format";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period)};
    enum status status = db_query(db, sql, params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        status = publish_document(folder, db_get_text(rows, i, 0), period, db_get_text(rows, i, 1),
                                  db_get_text(rows, i, 2), db_get_len(rows, i, 2));
    db_rows_free(rows);
    if (status == STATUS_OK) status = write_once(folder, mark, "", 0);
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
        status = publish_period(db, folder, db_get_text(rows, i, 0), mark);
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
