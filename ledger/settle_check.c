// Steps of a close that look: fence, late rows, open holds, trial balance, exports.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "export_check.h"
#include "fail.h"
#include "journal.h"
#include "settle_inside.h"

// Appends rows of (currency, micros) as text: "12.50 EUR, 3 JPY".
static void
amounts(struct settle *settle, const struct db_rows *rows, size_t column, unsigned decimals)
{
    size_t used = strlen(settle->detail);
    for (size_t i = 0; i < db_count(rows); i++) {
        char text[MONEY_TEXT];
        money_format(db_get_money(rows, i, column), decimals, text);
        int len = snprintf(settle->detail + used, sizeof settle->detail - used, "%s%s %s",
                           i == 0 ? "" : ", ", text, db_get_text(rows, i, 0));
        if (len < 0 || (size_t)len >= sizeof settle->detail - used) return;
        used += (size_t)len;
    }
}

static void
say(struct settle *settle, const char *text)
{
    size_t used = strlen(settle->detail);
    snprintf(settle->detail + used, sizeof settle->detail - used, "%s", text);
}

// --- Step 1 --------------------------------------------------------------------------------------

// Locks every log's watermark, so that the next frame of any log is booked behind the fence.
static enum status
lock_watermarks(struct settle *settle, struct db_rows **out_rows)
{
    enum status status = db_run(
        settle->db, "update period_gate set fences = fences + 1 where gate = 1", NULL, 0, NULL);
    if (status == STATUS_OK)
        status = db_run(settle->db, "update watermark set fences = fences + 1", NULL, 0, NULL);
    if (status == STATUS_OK)
        status = db_query(settle->db,
                          "select log, epoch, batch, digest from watermark order by log", NULL, 0,
                          out_rows);
    return settle_db_fault(settle, status, "fencing");
}

static void
print_hex(FILE *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) fprintf(out, "%02x", bytes[i]);
}

// Names and terms on statements are those of the market at the fence.
static enum status
record_market(struct settle *settle)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(settle->db, "select version from market_now", NULL, 0, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        fprintf(settle->record, "market %" PRId64 "\n", db_get_int(rows, i, 0));
    db_rows_free(rows);
    return settle_db_fault(settle, status, "reading the market's version");
}

enum status
settle_step_fence(struct settle *settle)
{
    char path[1024];
    uint64_t durable = 0, booked = 0;
    snprintf(path, sizeof path, "%s/journal", settle->options->directory);
    enum status status = journal_durable(path, &durable);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return settle_fault(settle, status, "the journal in %s cannot be read (%s): %s", path,
                            status_text(status), strerror(errno));
    struct db_rows *rows = NULL;
    status = lock_watermarks(settle, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        uint64_t batch = (uint64_t)db_get_int(rows, i, 2);
        if (batch > booked) booked = batch;
        fprintf(settle->record, "log %" PRId64 " epoch %" PRId64 " batch %" PRIu64 " digest ",
                db_get_int(rows, i, 0), db_get_int(rows, i, 1), batch);
        print_hex(settle->record, db_get_bytes(rows, i, 3), db_get_len(rows, i, 3));
        fputc('\n', settle->record);
    }
    db_rows_free(rows);
    if (status == STATUS_OK) status = record_market(settle);
    if (status != STATUS_OK) return status;
    if (booked < durable)
        return settle_fault(settle, STATUS_AGAIN,
                            "the ledger has booked batch %" PRIu64 " of %" PRIu64
                            "; is ledgerd running? slotctl status tells; then close again",
                            booked, durable);
    snprintf(settle->detail, sizeof settle->detail,
             "journal booked up to batch %" PRIu64 "; what comes now falls into the next period",
             booked);
    return STATUS_OK;
}

// --- Steps 2 and 3 -------------------------------------------------------------------------------

enum status
settle_step_late(struct settle *settle)
{
    static const char sql[] =
        "select currency, sum(amount_micros)::bigint, count(*) from transfer"
        " where period = $1 and late and state = 'posted' group by currency order by currency";
    struct db_rows *rows = NULL;
    struct period next;
    char title[PERIOD_TITLE], text[128];
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, 1, &rows);
    if (status == STATUS_OK) {
        int64_t count = 0;
        for (size_t i = 0; i < db_count(rows); i++) {
            count += db_get_int(rows, i, 2);
            fprintf(settle->record, "late %s %" PRId64 " %" PRId64 "\n", db_get_text(rows, i, 0),
                    db_get_int(rows, i, 2), db_get_int(rows, i, 1));
        }
        snprintf(text, sizeof text, "%" PRId64 " transfers of earlier periods are in it", count);
        say(settle, count > 0 ? text : "none of earlier periods");
        if (count > 0) say(settle, ": ");
        if (count > 0) amounts(settle, rows, 1, 2);
        period_next(settle->period, &next);
        period_title(&next, title);
        snprintf(text, sizeof text, "; later facts go to %s", title);
        say(settle, text);
    }
    db_rows_free(rows);
    return settle_db_fault(settle, status, "listing late rows");
}

// A hold is open when no terminal of this or an earlier period ends it, whatever came later. Its
// window is that of its delivery; a delivered one that is priced per response waits on.
enum status
settle_step_holds(struct settle *settle)
{
    static const char sql[] =
        "select p.currency, sum(p.amount_micros)::bigint, count(*),"
        "  count(*) filter (where o.expires_us <= $2 and not (o.kind = 1 and exists ("
        "   select 1 from event e where e.placement_id = o.placement_id"
        "   and e.kind = 'delivered' and e.state = 'posted')))"
        " from transfer p left join outcome o on o.placement_id = p.placement_id"
        " where p.state = 'pending' and p.period <= $1 and not exists ("
        "  select 1 from transfer t where t.pending_id = p.transfer_id and t.period <= $1)"
        " group by p.currency order by p.currency";
    struct db_rows *rows = NULL;
    char text[128];
    const struct db_param params[] = {db_text(settle->period->name), db_time(settle->fenced_at)};
    enum status status = db_query(settle->db, sql, params, 2, &rows);
    if (status == STATUS_OK) {
        int64_t count = 0, over = 0;
        for (size_t i = 0; i < db_count(rows); i++) {
            count += db_get_int(rows, i, 2);
            over += db_get_int(rows, i, 3);
            fprintf(settle->record, "open %s %" PRId64 " %" PRId64 "\n", db_get_text(rows, i, 0),
                    db_get_int(rows, i, 2), db_get_int(rows, i, 1));
        }
        snprintf(text, sizeof text, "%" PRId64 " open, not counted: ", count);
        say(settle, count > 0 ? text : "none");
        if (count > 0) amounts(settle, rows, 1, 2);
        snprintf(text, sizeof text, "; the window of %" PRId64 " of them is over", over);
        if (over > 0) say(settle, text);
    }
    db_rows_free(rows);
    return settle_db_fault(settle, status, "listing open holds");
}

// --- Step 4 --------------------------------------------------------------------------------------

// A query whose rows are what is wrong: (name, currency, expected, found). The first one is named.
static enum status
must_be_empty(struct settle *settle, const char *sql, bool by_period, const char *what)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = db_query(settle->db, sql, params, by_period ? 1 : 0, &rows);
    if (status != STATUS_OK) {
        status = settle_db_fault(settle, status, "checking the books");
    } else if (db_count(rows) > 0) {
        char expected[MONEY_TEXT], found[MONEY_TEXT];
        money_format(db_get_money(rows, 0, 2), 6, expected);
        money_format(db_get_money(rows, 0, 3), 6, found);
        status = settle_fault(settle, STATUS_CONFLICT,
                              "%s: %zu differ, first %s: expected %s, posted %s %s; "
                              "slotctl verify names the cause",
                              what, db_count(rows), db_get_text(rows, 0, 0), expected, found,
                              db_get_text(rows, 0, 1));
    }
    db_rows_free(rows);
    return status;
}

static enum status
check_books(struct settle *settle)
{
    static const char eliminations[] =
        "select '4100 + 5100', e.currency, 0::bigint, sum(e.micros)::bigint from entry e"
        " join account a on a.currency = e.currency and a.account = e.account"
        " where e.period <= $1 and a.code in (4100, 5100)"
        " group by e.currency having sum(e.micros) <> 0";
    // A control account is what the statements' sections of all seats come to.
    static const char controls[] =
        "with control as ("
        " select a.code, e.currency, sum(e.micros) as micros from entry e"
        " join account a on a.currency = e.currency and a.account = e.account"
        " where e.period = $1 and e.kind not in ('bill', 'deposit')"
        "  and a.code in (1110, 2000, 5100, 4100, 1150, 2100, 4210) group by a.code, e.currency),"
        " control_section as ("
        " select case code when 1110 then 'charged' when 2000 then 'prepaid'"
        "  when 5100 then 'bought' when 4100 then 'sold' when 1150 then 'owed'"
        "  else 'earned' end as section, currency,"
        "  sum(case when code in (4100, 2100, 4210) then -micros else micros end) as micros"
        " from control group by 1, 2),"
        " stated as (select section, currency, sum(micros) as micros from statement_line"
        "  where period = $1 group by section, currency)"
        " select section, currency, coalesce(c.micros, 0)::bigint, coalesce(s.micros, 0)::bigint"
        " from control_section c full join stated s using (section, currency)"
        " where coalesce(c.micros, 0) <> coalesce(s.micros, 0) order by section, currency";
    static const char facts[] =
        "select what || ' ' || id::text, currency, due_micros, posted_micros from unexplained"
        " order by what, id";
    enum status status = must_be_empty(settle, eliminations, true, "internal placements");
    if (status == STATUS_OK)
        status = must_be_empty(settle, controls, true, "statements against accounts");
    if (status == STATUS_OK)
        status = must_be_empty(settle, facts, false, "facts against transfers");
    return status;
}

enum status
settle_step_balance(struct settle *settle)
{
    static const char sql[] =
        "select currency, sum(micros) filter (where micros > 0)::bigint,"
        "  -sum(micros) filter (where micros < 0)::bigint from ("
        "  select currency, account, sum(micros) as micros from entry where period <= $1"
        "  group by currency, account) balance group by currency order by currency";
    enum status status = check_books(settle);
    if (status != STATUS_OK) return status;
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    status = db_query(settle->db, sql, params, 1, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        if (db_get_int(rows, i, 1) != db_get_int(rows, i, 2)) {
            db_rows_free(rows);
            return settle_fault(settle, STATUS_CONFLICT, "debits and credits differ");
        }
        fprintf(settle->record, "balance %s %" PRId64 "\n", db_get_text(rows, i, 0),
                db_get_int(rows, i, 1));
    }
    if (status == STATUS_OK) {
        say(settle, "debits = credits = ");
        if (db_count(rows) > 0) amounts(settle, rows, 1, 6);
        else say(settle, "0");
        say(settle, "; eliminations 0; unexplained 0.000000");
    }
    db_rows_free(rows);
    return settle_db_fault(settle, status, "adding up balances");
}

// --- Steps 8 and 9 -------------------------------------------------------------------------------

enum status
settle_step_exports(struct settle *settle)
{
    struct export_check check;
    enum status status = export_check(settle->db, settle->period, &check);
    if (status == STATUS_CONFLICT || status == STATUS_IO)
        return settle_fault(settle, status, "%s", check.fault);
    if (status != STATUS_OK) return settle_db_fault(settle, status, "exporting");
    snprintf(settle->detail, sizeof settle->detail, "%s", check.text);
    return STATUS_OK;
}

enum status
settle_step_closed(struct settle *settle)
{
    say(settle, "for good; it is never opened again");
    return STATUS_OK;
}
