// Steps 7 and 9 of a close: the root, and the end.
//
// The root is SHA-256 over a text that anyone can put together again from what was kept:
//
//   vendue period root 2
//   period 2026-11
//   previous 2026-10 root <hex> steps <hex>   the closed period before; or "previous none"
//   log 1 epoch 1 batch 57 digest <hex>       a line a log, from the fence; dead ones with an act
//   market 7
//   statements 2
//   act 12 <hex>                              head of the chain of acts, its bills included
//   steps <hex>                               SHA-256 of steps 1 to 6 as they were recorded
//   balances 40 <hex>                         accounts, and SHA-256 of their lines
//   statement <seat> <hex>                    one a statement, by seat's code; SHA-256 of its CSV
//
// each line ended by a newline. The text is the record of step 7, and is published as a file. Of a
// step "number|name|from|until|at|detail", a line end, and its record is digested; of an account
// "currency account debit credit" and a line end. Periods that version 1 closed have the first two
// lines (with 1), the fence's record and the statements.
//
//  1 The balances are kept before they are digested: nothing is booked in the period any more.
//  2 Steps 7 to 9 cannot stand in their own root: they are digested in the next period's, with all
//    steps of this one, and published as a file (settle_publish.c).
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "settle_inside.h"
#include "statement_inside.h"

// --- Text ----------------------------------------------------------------------------------------

enum status
settle_steps_text(struct db *db, const char *period, int upto, struct arena *arena,
                  const char **out_text)
{
    static const char sql[] =
        "select step::text || '|' || name || '|' || from_us::text || '|' || until_us::text || '|'"
        " || at_us::text || '|' || detail || E'\\n' || record"
        " from period_event where period = $1 and step <= $2 order by step";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period), db_int4(upto)};
    enum status status = db_query(db, sql, params, 2, &rows);
    size_t len = 0, used = 0;
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        len += db_get_len(rows, i, 0);
    char *text = arena_take(arena, len + 1, 1);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        memcpy(text + used, db_get_text(rows, i, 0), db_get_len(rows, i, 0));
        used += db_get_len(rows, i, 0);
    }
    *out_text = text;
    db_rows_free(rows);
    return status;
}

static enum status
put_steps(FILE *out, struct db *db, const char *period, int upto, struct arena *arena)
{
    const char *text = "";
    enum status status = settle_steps_text(db, period, upto, arena, &text);
    struct digest digest = hash_sha256(text, strlen(text));
    fprintf(out, "steps %s\n", settle_hex(arena, digest.bytes, sizeof digest.bytes));
    return status;
}

static enum status
put_previous(FILE *out, struct db *db, const char *period, struct arena *arena)
{
    static const char sql[] = "select c.period, r.detail from period_event c join period_event r"
                              " on r.period = c.period and r.step = 7"
                              " where c.step = 9 and c.period < $1 order by c.period desc limit 1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period)};
    enum status status = db_query(db, sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) {
        fputs("previous none\n", out);
    } else if (status == STATUS_OK) {
        fprintf(out, "previous %s root %s ", db_get_text(rows, 0, 0), db_get_text(rows, 0, 1));
        status = put_steps(out, db, db_get_text(rows, 0, 0), SETTLE_STEPS, arena);
    }
    db_rows_free(rows);
    return status;
}

enum status
settle_balances(struct db *db, const char *period, struct arena *arena, struct digest *out_digest,
                size_t *out_count)
{
    static const char sql[] =
        "select coalesce(string_agg(currency || ' ' || account::text || ' ' || debit::text || ' '"
        "  || credit::text || E'\\n', '' order by currency collate \"C\", account), ''), count(*)"
        " from balance where period = $1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period)};
    enum status status = db_query(db, sql, params, 1, &rows);
    if (status == STATUS_OK) {
        const char *text = arena_text(arena, db_get_text(rows, 0, 0), db_get_len(rows, 0, 0));
        *out_digest = hash_sha256(text, db_get_len(rows, 0, 0));
        *out_count = (size_t)db_get_int(rows, 0, 1);
    }
    db_rows_free(rows);
    return status;
}

static enum status
put_statements(FILE *out, struct db *db, const char *period)
{
    static const char sql[] =
        "select coalesce(s.code, t.seat::text), encode(t.digest, 'hex') from statement t"
        " left join seat s on s.id = t.seat where t.period = $1 order by s.code collate \"C\"";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period)};
    enum status status = db_query(db, sql, params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        fprintf(out, "statement %s %s\n", db_get_text(rows, i, 0), db_get_text(rows, i, 1));
    db_rows_free(rows);
    return status;
}

// The last line of the bills' record: "act 12 <hex>\n".
static const char *
act_line(const char *record)
{
    const char *line = strncmp(record, "act ", 4) == 0 ? record : NULL;
    for (const char *at = record; (at = strstr(at, "\nact ")) != NULL; at++) line = at + 1;
    return line != NULL ? line : "act none\n";
}

static enum status
put_second(FILE *out, struct db *db, const struct period *period, const char *fence,
           const char *bills, struct arena *arena)
{
    struct digest digest;
    size_t count = 0;
    fprintf(out, "vendue period root 2\nperiod %s\n", period->name);
    enum status status = put_previous(out, db, period->name, arena);
    fprintf(out, "%s%s", fence, act_line(bills));
    if (status == STATUS_OK) status = put_steps(out, db, period->name, 6, arena);
    if (status == STATUS_OK) status = settle_balances(db, period->name, arena, &digest, &count);
    if (status == STATUS_OK)
        fprintf(out, "balances %zu %s\n", count,
                settle_hex(arena, digest.bytes, sizeof digest.bytes));
    return status == STATUS_OK ? put_statements(out, db, period->name) : status;
}

enum status
settle_root_text(struct db *db, const struct period *period, struct arena *arena,
                 const char **out_text)
{
    static const char sql[] = "select f.record, b.record from period_event f"
                              " join period_event b on b.period = f.period and b.step = 6"
                              " where f.period = $1 and f.step = 1";
    char *text = NULL;
    size_t len = 0;
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name)};
    enum status status = db_query(db, sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) != 1) status = STATUS_NOT_FOUND;
    if (status != STATUS_OK) goto done;
    FILE *out = open_memstream(&text, &len);
    CHECK(out != NULL);
    const char *fence = db_get_text(rows, 0, 0);
    if (strstr(fence, "\nstatements 2\n") != NULL) {
        status = put_second(out, db, period, fence, db_get_text(rows, 0, 1), arena);
    } else {
        fprintf(out, "vendue period root 1\nperiod %s\n%s", period->name, fence);
        status = put_statements(out, db, period->name);
    }
    CHECK(fclose(out) == 0);
    *out_text = arena_text(arena, text, len);
done:
    db_rows_free(rows);
    free(text);
    return status;
}

// --- Step 7 --------------------------------------------------------------------------------------

// Rule 1.
static enum status
keep_balances(struct settle *settle)
{
    static const char sql[] =
        "insert into balance (period, currency, account, debit, credit) " SETTLE_CLOSING
        "select $1, currency, account, debit, credit from closing";
    const struct db_param params[] = {db_text(settle->period->name)};
    return settle_db_fault(settle, db_run(settle->db, sql, params, 1, NULL), "keeping balances");
}

// The ledger read again must give the statements that were kept in step 5.
static enum status
keep_documents(struct settle *settle, const char *root)
{
    static const char sql[] = "select t.seat, encode(t.digest, 'hex') from statement t"
                              " join seat s on s.id = t.seat where t.period = $1"
                              " order by s.code collate \"C\"";
    struct statement *statements = NULL;
    struct db_rows *kept = NULL;
    size_t count = 0;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &kept);
    if (status == STATUS_OK)
        status = statement_all(settle->db, settle->period, settle->arena, &statements, &count);
    settle_db_fault(settle, status, "computing statements");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct statement *one = &statements[i];
        const char *lines = statement_print(one, STATEMENT_CSV, settle->arena);
        struct digest digest = hash_sha256(lines, strlen(lines));
        one->closed = true;
        one->digest = settle_hex(settle->arena, digest.bytes, sizeof digest.bytes);
        one->root = root;
        if (i >= db_count(kept) || one->seat != db_get_int(kept, i, 0) ||
            strcmp(one->digest, db_get_text(kept, i, 1)) != 0) {
            status = settle_fault(settle, STATUS_CONFLICT,
                                  "the statement of %s does not come out of the ledger as it was "
                                  "kept; slotctl verify names the cause",
                                  one->code);
            break;
        }
        status = settle_db_fault(settle, statement_keep(settle->db, one, settle->arena),
                                 "keeping documents");
    }
    if (status == STATUS_OK && db_count(kept) != count)
        status = settle_fault(settle, STATUS_CONFLICT,
                              "%zu statements were kept, the ledger now gives %zu", db_count(kept),
                              count);
    db_rows_free(kept);
    return status;
}

enum status
settle_step_root(struct settle *settle)
{
    const char *text = NULL;
    enum status status = keep_balances(settle);
    if (status != STATUS_OK) return status;
    status = settle_root_text(settle->db, settle->period, settle->arena, &text);
    if (status == STATUS_NOT_FOUND)
        return settle_fault(settle, STATUS_DAMAGED, "the records of steps 1 and 6 are missing");
    if (status != STATUS_OK) return settle_db_fault(settle, status, "reading the steps");
    struct digest root = hash_sha256(text, strlen(text));
    const char *hex = settle_hex(settle->arena, root.bytes, sizeof root.bytes);
    fputs(text, settle->record);
    settle_say(settle, "%s", hex);
    return keep_documents(settle, hex);
}

// --- Step 9 --------------------------------------------------------------------------------------

enum status
settle_step_closed(struct settle *settle)
{
    settle_say(settle, "for good; it is never opened again");
    return STATUS_OK;
}
