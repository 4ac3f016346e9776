// Steps of a close that write: statements, bills, root.
//
// The root is SHA-256 over a text that anyone can put together again from what was sent:
//
//   vendue period root 1
//   period 2026-11
//   log 1 epoch 1 batch 57 digest <hex>   one line a log, from the fence
//   statement <seat> <hex>                one line a statement, by seat's code; SHA-256 of its CSV
//
// each line ended by a newline. The text is the record of step 7.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "settle_inside.h"
#include "statement_inside.h"
#include "transfer.h"

static const char *
hex(struct arena *arena, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    char *text = arena_take(arena, len + 1, 2);
    for (size_t i = 0; i < len; i++) snprintf(text + 2 * i, 3, "%02x", from[i]);
    return text;
}

// --- Step 5 --------------------------------------------------------------------------------------

static enum status
insert_totals(struct settle *settle, const struct statement *statement)
{
    static const char sql[] =
        "insert into statement_total (period, seat, section, currency, sum_micros,"
        " carried_in_micros, total_micros, carried_out_micros)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)";
    enum status status = STATUS_OK;
    for (int i = 0; i < SECTION_COUNT && status == STATUS_OK; i++) {
        const struct section *section = &statement->sections[i];
        if (section->count == 0 && section->carried_in.micros == 0) continue;
        const struct db_param params[] = {
            db_text(statement->period.name),
            db_int4(statement->seat),
            db_text(section_name((enum section_kind)i)),
            db_text(statement->currency.code),
            db_money(section->sum),
            db_money(section->carried_in),
            db_money(section->total),
            db_money(section->carried_out),
        };
        status = db_run(settle->db, sql, params, 8, NULL);
    }
    return settle_db_fault(settle, status, "keeping a statement's totals");
}

static enum status
insert_statement(struct settle *settle, const struct statement *statement)
{
    const char *lines = statement_print(statement, STATEMENT_CSV, settle->arena);
    struct digest digest = hash_sha256(lines, strlen(lines));
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat),
                                      db_text(lines), db_bytes(digest.bytes, sizeof digest.bytes)};
    enum status status = db_run(
        settle->db, "insert into statement (period, seat, lines, digest) values ($1, $2, $3, $4)",
        params, 4, NULL);
    status = settle_db_fault(settle, status, "keeping a statement");
    if (status == STATUS_OK) status = insert_totals(settle, statement);
    fprintf(settle->record, "statement %s %s\n", statement->code,
            hex(settle->arena, digest.bytes, sizeof digest.bytes));
    return status;
}

enum status
settle_step_statements(struct settle *settle)
{
    int32_t *seats = NULL;
    size_t count = 0, lines = 0;
    enum status status = statement_seats(settle->db, settle->period, settle->arena, &seats, &count);
    settle_db_fault(settle, status, "listing seats");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct statement statement;
        status = statement_compute(settle->db, seats[i], settle->period, settle->arena, &statement);
        settle_db_fault(settle, status, "computing a statement");
        if (status == STATUS_OK) status = insert_statement(settle, &statement);
        for (int k = 0; k < SECTION_COUNT && status == STATUS_OK; k++)
            lines += statement.sections[k].count;
    }
    snprintf(settle->detail, sizeof settle->detail, "%zu statements, %zu lines; lines add up",
             count, lines);
    return status;
}

// --- Step 6 --------------------------------------------------------------------------------------

// A bill moves whole cents; a negative total moves them back.
static enum status
post_bill(struct settle *settle, uint32_t number, uint32_t seat, struct currency currency,
          money total)
{
    struct {
        char period[PERIOD_TEXT];
        uint32_t seat;
        struct currency currency;
    } of;
    memset(&of, 0, sizeof of);
    memcpy(of.period, settle->period->name, sizeof of.period);
    of.seat = seat;
    of.currency = currency;
    struct transfer bill = {
        .id = hash_id("bill", &of, sizeof of),
        .kind = TRANSFER_BILL,
        .state = TRANSFER_POSTED,
        .debit = {.code = ACCOUNT_BILLED, .seat = seat},
        .credit = {.code = ACCOUNT_UNBILLED, .seat = seat},
        .currency = currency,
        .amount = total,
        .effective = {settle->period->until.us - 1},
        .posted = settle->fenced_at,
        .index = number,
        .seat = seat,
        .rung = -1,
        .reason = "",
    };
    if (settle->fenced_at.us < bill.effective.us) bill.effective = settle->fenced_at;
    bill.group = bill.id;
    snprintf(bill.period, sizeof bill.period, "%s", settle->period->name);
    if (total.micros < 0) {
        struct account debit = bill.debit;
        bill.debit = bill.credit;
        bill.credit = debit;
        if (money_subtract(money_of(0), total, &bill.amount) != STATUS_OK)
            return settle_fault(settle, STATUS_OVERFLOW, "a bill leaves the range of amounts");
    }
    enum status status = transfer_post(settle->db, &bill, 1);
    if (status == STATUS_EXISTS) return STATUS_OK;
    if (status == STATUS_CONFLICT)
        return settle_fault(settle, status, "another bill was posted for this seat and period");
    return settle_db_fault(settle, status, "posting a bill");
}

// After the bills, what is left unbilled of all fenced periods must be what statements carry.
static enum status
check_residues(struct settle *settle)
{
    static const char sql[] =
        "select s.code, t.currency, t.carried_out_micros, coalesce(sum(e.micros), 0)::bigint"
        " from statement_total t join seat s on s.id = t.seat"
        " left join account a on a.currency = t.currency and a.code = 1110 and a.seat = t.seat"
        " left join entry e on e.currency = a.currency and e.account = a.account and e.period <= $1"
        " where t.period = $1 and t.section = 'charged'"
        " group by s.code, t.currency, t.carried_out_micros"
        " having coalesce(sum(e.micros), 0) <> t.carried_out_micros order by s.code collate \"C\"";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        char expected[MONEY_TEXT], found[MONEY_TEXT];
        money_format(db_get_money(rows, 0, 2), 6, expected);
        money_format(db_get_money(rows, 0, 3), 6, found);
        status = settle_fault(settle, STATUS_CONFLICT,
                              "%s: %s %s should be left unbilled, the account says %s",
                              db_get_text(rows, 0, 0), expected, db_get_text(rows, 0, 1), found);
    } else {
        settle_db_fault(settle, status, "checking what is left unbilled");
    }
    db_rows_free(rows);
    return status;
}

enum status
settle_step_bill(struct settle *settle)
{
    static const char sql[] =
        "select t.seat, s.code, t.currency, t.total_micros from statement_total t"
        " join seat s on s.id = t.seat where t.period = $1 and t.section = 'charged'"
        " and t.total_micros <> 0 order by s.code collate \"C\"";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    settle_db_fault(settle, status, "listing bills");
    money sum = money_of(0);
    struct currency currency = {""};
    size_t count = status == STATUS_OK ? db_count(rows) : 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        money total = db_get_money(rows, i, 3);
        CHECK(currency_parse(db_get_text(rows, i, 2), db_get_len(rows, i, 2), &currency) ==
              STATUS_OK);
        status = post_bill(settle, (uint32_t)i, (uint32_t)db_get_int(rows, i, 0), currency, total);
        fprintf(settle->record, "bill %s %s %" PRId64 "\n", db_get_text(rows, i, 1), currency.code,
                total.micros);
        if (status == STATUS_OK && money_add(sum, total, &sum) != STATUS_OK)
            status = settle_fault(settle, STATUS_OVERFLOW, "the bills leave the range of amounts");
    }
    db_rows_free(rows);
    if (status == STATUS_OK) status = check_residues(settle);
    char text[MONEY_TEXT];
    money_format(sum, period_cent_decimals(currency), text);
    snprintf(settle->detail, sizeof settle->detail, "%zu partners billed, %s%s%s in all", count,
             text, count > 0 ? " " : "", currency.code);
    return status;
}

// --- Step 7 --------------------------------------------------------------------------------------

// The text whose digest is the root: what the fence recorded, and every statement's digest.
static enum status
root_text(struct settle *settle, char **out_text, size_t *out_len)
{
    static const char sql[] =
        "select e.record from period_event e where e.period = $1 and e.step in (1, 5)"
        " order by e.step";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) != 2) {
        status = settle_fault(settle, STATUS_DAMAGED, "the records of steps 1 and 5 are missing");
    } else if (status == STATUS_OK) {
        FILE *out = open_memstream(out_text, out_len);
        CHECK(out != NULL);
        fprintf(out, "vendue period root 1\nperiod %s\n", settle->period->name);
        for (size_t i = 0; i < db_count(rows); i++) fputs(db_get_text(rows, i, 0), out);
        CHECK(fclose(out) == 0);
    }
    db_rows_free(rows);
    if (status == STATUS_DAMAGED) return status;
    return settle_db_fault(settle, status, "reading the fence");
}

static enum status
insert_documents(struct settle *settle, const struct statement *statement)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < STATEMENT_FORMAT_COUNT && status == STATUS_OK; i++) {
        enum statement_format format = (enum statement_format)i;
        const struct db_param params[] = {
            db_text(statement->period.name), db_int4(statement->seat),
            db_text(statement_format_suffix(format)),
            db_text(statement_print(statement, format, settle->arena))};
        status = db_run(settle->db,
                        "insert into statement_document (period, seat, format, body)"
                        " values ($1, $2, $3, $4)",
                        params, 4, NULL);
    }
    return settle_db_fault(settle, status, "keeping a document");
}

// The ledger read again must give the statement that was kept in step 5.
static enum status
write_documents(struct settle *settle, int32_t seat, struct digest kept, const char *root)
{
    struct statement statement;
    enum status status = statement_compute(settle->db, seat, settle->period, settle->arena,
                                           &statement);
    if (status != STATUS_OK) return settle_db_fault(settle, status, "computing a statement");
    const char *lines = statement_print(&statement, STATEMENT_CSV, settle->arena);
    if (!digest_same(hash_sha256(lines, strlen(lines)), kept))
        return settle_fault(settle, STATUS_CONFLICT,
                            "the statement of %s does not come out of the ledger as it was kept",
                            statement.code);
    statement.closed = true;
    statement.digest = hex(settle->arena, kept.bytes, sizeof kept.bytes);
    statement.root = root;
    return insert_documents(settle, &statement);
}

enum status
settle_step_root(struct settle *settle)
{
    char *text = NULL;
    size_t len = 0;
    struct db_rows *rows = NULL;
    enum status status = root_text(settle, &text, &len);
    if (status != STATUS_OK) goto done;
    struct digest root = hash_sha256(text, len);
    const char *root_hex = hex(settle->arena, root.bytes, sizeof root.bytes);
    fputs(text, settle->record);
    snprintf(settle->detail, sizeof settle->detail, "%s", root_hex);
    const struct db_param params[] = {db_text(settle->period->name)};
    status = db_query(settle->db,
                      "select seat, digest from statement where period = $1 order by seat", params,
                      1, &rows);
    settle_db_fault(settle, status, "reading statements");
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct digest kept;
        CHECK(db_get_len(rows, i, 1) == sizeof kept.bytes);
        memcpy(kept.bytes, db_get_bytes(rows, i, 1), sizeof kept.bytes);
        status = write_documents(settle, (int32_t)db_get_int(rows, i, 0), kept, root_hex);
    }
done:
    db_rows_free(rows);
    free(text);
    return status;
}
