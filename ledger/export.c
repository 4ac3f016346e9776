// A period's posted transfers as a journal for other programs.
//
// All is read in one transaction of one snapshot: accounts with their balance before and after the
// period, then the transfers through a cursor, so that memory does not grow with the period.
//
//  1 Every amount is printed with six decimals and six are declared: a checker that rounds is no
//    checker. (hledger and ledger take the precision of a commodity from its declaration, beancount
//    its tolerance from the digits it sees; both tolerances are therefore set to nothing.)
//  2 A transfer's date is its effective day, held inside the period: what came late is dated on the
//    first day and bears its true time in the CSV. Transactions are in order of date, then of
//    posting.
//  3 A transaction is one transfer, so it balances by itself; its id is its code (hledger, ledger)
//    or its link (beancount, where it also keeps equal transfers from being taken for duplicates).
//  4 The first transaction carries the balances of all earlier periods, the last ones assert the
//    balances after it as the database adds them up: a lost, doubled or changed transfer cannot
//    pass.
//  5 Holds are no money yet: pending and voided rows are not exported.
//  6 Balances before the period come from the sums that are kept, those after it are these and the
//    period's own rows, added up.
//  7 Totals of a day are of its transfers from one account to another, as one transaction whose id
//    is the digest of day, currency and accounts.
#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "fail.h"

#define NAME_BYTES 512  // of an account, also when every byte of its code must be escaped
// A large period takes its time.
#define SNAPSHOT                                                  \
    "set transaction isolation level repeatable read, read only;" \
    "set local statement_timeout = '6h'"
#define FETCH "fetch 2000 from export_transfer"

struct account {
    char currency[4];
    int64_t account;
    char name[NAME_BYTES];  // as the format wants it
    money before, after;
};
struct export
{
    struct db *db;
    FILE *out;
    const struct period *period;
    enum export_format format;
    bool days;                 // totals of days, not transfers
    struct account *accounts;  // by currency and number
    size_t count;
    char last_day[CLOCK_TEXT];
    uint64_t transfers;
    int reason;  // errno of the first write that failed; the database's calls overwrite errno
};

static bool
written(struct export *export)
{
    if (export->reason == 0 && (fflush(export->out) != 0 || ferror(export->out)))
        export->reason = errno != 0 ? errno : EIO;
    return export->reason == 0;
}

static const char *const format_names[EXPORT_FORMAT_COUNT] = {"hledger", "ledger", "beancount",
                                                              "csv"};

const char *
export_format_name(enum export_format format)
{
    CHECK(format < EXPORT_FORMAT_COUNT);
    return format_names[format];
}

enum status
export_format_parse(const char *text, enum export_format *out_format)
{
    for (int i = 0; i < EXPORT_FORMAT_COUNT; i++) {
        if (strcmp(text, format_names[i]) != 0) continue;
        *out_format = (enum export_format)i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

// A code's byte inside an account's part, as at most three of beancount's. Codes are lower-case
// letters, digits, '-' and '_', never '_' first, so capitals are free to stand for '_': "_h"
// becomes "H", "_z" "Zz", '_' before anything but a letter "Z-", and any other byte Z with its two
// hex digits. The first letter of a part is a capital in any case.
static size_t
beancount_byte(const unsigned char *at, bool first, char out[4], size_t *taken)
{
    bool lower = *at >= 'a' && *at <= 'z';
    *taken = 1;
    if (lower || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '-' ||
        *at == ':')
        return (size_t)snprintf(out, 4, "%c", first && lower ? *at - 'a' + 'A' : *at);
    if (*at != '_') return (size_t)snprintf(out, 4, "Z%02x", *at);
    if (at[1] < 'a' || at[1] > 'z') return (size_t)snprintf(out, 4, "Z-");
    *taken = 2;
    return (size_t)snprintf(out, 4, at[1] == 'z' ? "Zz" : "%c", at[1] - 'a' + 'A');
}

bool
export_beancount_name(const char *name, char *out, size_t size)
{
    size_t used = 0, taken = 1;
    bool first = true;
    if (strncmp(name, "Memo:", 5) == 0) {  // beancount knows five roots
        if (size < 8) return false;
        memcpy(out, "Equity:", 7);
        used = 7;
    }
    for (const unsigned char *at = (const unsigned char *)name; *at != '\0'; at += taken) {
        char bytes[4];
        size_t len = beancount_byte(at, first, bytes, &taken);
        if (used + len >= size) return false;
        memcpy(out + used, bytes, len);
        used += len;
        first = *at == ':';
    }
    out[used] = '\0';
    return used < size;
}

static void
day_of(usec at, char out[CLOCK_TEXT])
{
    clock_format(at, out);
    out[10] = '\0';
}

static const char *
six(money amount, char out[MONEY_TEXT])
{
    money_format(amount, 6, out);
    return out;
}

// --- Accounts ------------------------------------------------------------------------------------

static enum status
take_account(struct export *export, const struct db_rows *rows, size_t row, struct account *account)
{
    snprintf(account->currency, sizeof account->currency, "%s", db_get_text(rows, row, 0));
    account->account = db_get_int(rows, row, 1);
    const char *name = db_get_text(rows, row, 2);
    account->before = db_get_money(rows, row, 3);
    account->after = db_get_money(rows, row, 4);
    if (export->format == EXPORT_BEANCOUNT)
        return export_beancount_name(name, account->name, sizeof account->name) ? STATUS_OK
                                                                                : STATUS_OVERFLOW;
    if (strlen(name) >= sizeof account->name) return STATUS_OVERFLOW;
    memcpy(account->name, name, strlen(name) + 1);
    return STATUS_OK;
}

// Every account that any period up to this one posted to.
static enum status
read_accounts(struct export *export)
{
    static const char sql[] =
        "with past as (select currency, account, sum(debit_micros - credit_micros) as amount"
        "  from account_day where period < $1 group by 1, 2),"
        " pair as materialized (select currency, debit, credit, sum(amount_micros) as amount"
        "  from transfer_kept where period = $1 and state = 'posted' group by 1, 2, 3),"
        " own as (select currency, account, sum(amount) as amount from ("
        "  select currency, debit as account, amount from pair"
        "  union all select currency, credit, -amount from pair) l group by 1, 2)"
        " select a.currency, a.account, a.name, coalesce(p.amount, 0)::bigint,"
        "  (coalesce(p.amount, 0) + coalesce(o.amount, 0))::bigint"
        " from account a left join past p on p.currency = a.currency and p.account = a.account"
        "  left join own o on o.currency = a.currency and o.account = a.account"
        " where p.account is not null or o.account is not null order by a.currency, a.account";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(export->period->name)};
    enum status status = db_query(export->db, sql, params, 1, &rows);
    if (status != STATUS_OK) goto done;
    export->count = db_count(rows);
    export->accounts = calloc(export->count + 1, sizeof *export->accounts);
    CHECK(export->accounts != NULL);
    for (size_t i = 0; i < export->count && status == STATUS_OK; i++)
        status = take_account(export, rows, i, &export->accounts[i]);
done:
    db_rows_free(rows);
    return status;
}

static int
by_number(const void *left, const void *right)
{
    const struct account *a = left, *b = right;
    int order = strcmp(a->currency, b->currency);
    if (order != 0) return order;
    return a->account < b->account ? -1 : a->account > b->account;
}

static const char *
name_of(const struct export *export, const char *currency, int64_t number)
{
    struct account key = {.account = number};
    snprintf(key.currency, sizeof key.currency, "%s", currency);
    const struct account *found = bsearch(&key, export->accounts, export->count, sizeof key,
                                          by_number);
    // Without its account a transfer is still exported, so that every checker refuses it loudly.
    return found != NULL ? found->name : "Unknown:Account";
}

// --- Heads: what the format must know before the first transaction -------------------------------

// One line a currency or account, each once: accounts are sorted by currency, then number.
static void
each_currency(const struct export *export, const char *format)
{
    const char *last = "";
    for (size_t i = 0; i < export->count; i++) {
        const char *currency = export->accounts[i].currency;
        if (strcmp(currency, last) != 0) fprintf(export->out, format, currency);
        last = currency;
    }
}

static bool
named_before(const struct export *export, size_t index)
{
    // The same account in another currency: only currencies before its own can hold it.
    for (size_t i = 0; i < index; i++) {
        const struct account *other = &export->accounts[i];
        if (strcmp(other->currency, export->accounts[index].currency) == 0) return false;
        if (other->account == export->accounts[index].account) return true;
    }
    return false;
}

static void
head_text(const struct export *export)
{
    fprintf(export->out, "; Vendue: posted transfers of period %s\n", export->period->name);
    if (export->format == EXPORT_HLEDGER) {
        each_currency(export, "commodity 1000.000000 %s\n");
    } else {
        each_currency(export, "commodity %1$s\n    format 1000.000000 %1$s\n");
    }
    for (size_t i = 0; i < export->count; i++)
        if (!named_before(export, i))
            fprintf(export->out, "account %s\n", export->accounts[i].name);
    fputc('\n', export->out);
}

static void
head_beancount(const struct export *export)
{
    char from[CLOCK_TEXT];
    day_of(export->period->from, from);
    fprintf(export->out,
            "; Vendue: posted transfers of period %s\n"
            "option \"inferred_tolerance_default\" \"*:0\"\n"
            "option \"inferred_tolerance_multiplier\" \"0\"\n"
            "plugin \"beancount.plugins.noduplicates\"\n",
            export->period->name);
    each_currency(export, "option \"operating_currency\" \"%s\"\n");
    for (size_t i = 0; i < export->count; i++)
        if (!named_before(export, i))
            fprintf(export->out, "%s open %s\n", from, export->accounts[i].name);
    fputc('\n', export->out);
}

static void
head_csv(const struct export *export)
{
    fputs("transfer,group,leg,date,kind,debit,credit,amount_micros,currency,amount,placement,"
          "seat,slot,message,rung,effective,posted,late,origin\n",
          export->out);
}

// --- Transactions --------------------------------------------------------------------------------

static void
print_posting(const struct export *export, const char *name, money amount, const char *currency)
{
    char text[MONEY_TEXT];
    fprintf(export->out, "    %s   %s %s\n", name, six(amount, text), currency);
}

static void
print_opening(const struct export *export)
{
    char day[CLOCK_TEXT];
    bool any = false;
    day_of(export->period->from, day);
    for (size_t i = 0; i < export->count; i++) {
        const struct account *account = &export->accounts[i];
        if (account->before.micros == 0) continue;
        if (!any)
            fprintf(export->out,
                    export->format == EXPORT_BEANCOUNT ? "%s * \"opening balances\"\n"
                                                       : "%s * opening balances\n",
                    day);
        any = true;
        print_posting(export, account->name, account->before, account->currency);
    }
    if (any) fputc('\n', export->out);
}

static void
print_closing(const struct export *export)
{
    char day[CLOCK_TEXT], text[MONEY_TEXT];
    bool beancount = export->format == EXPORT_BEANCOUNT;
    // beancount asserts before the day's transactions, so it asserts on the day after the period.
    day_of(beancount ? export->period->until : (usec){export->period->until.us - 1}, day);
    if (!beancount && export->count > 0) fprintf(export->out, "%s * closing balances\n", day);
    for (size_t i = 0; i < export->count; i++) {
        const struct account *account = &export->accounts[i];
        if (beancount) {
            fprintf(export->out, "%s balance %s   %s ~ 0.000000 %s\n", day, account->name,
                    six(account->after, text), account->currency);
        } else {
            fprintf(export->out, "    %s   0.000000 %s = %s %s\n", account->name, account->currency,
                    six(account->after, text), account->currency);
        }
    }
}

// Columns of the cursor.
enum {
    COL_ID,
    COL_GROUP,
    COL_LEG,
    COL_KIND,
    COL_CURRENCY,
    COL_DEBIT,
    COL_CREDIT,
    COL_AMOUNT,
    COL_DAY,
    COL_PLACEMENT,
    COL_SEAT,
    COL_SLOT,
    COL_MESSAGE,
    COL_RUNG,
    COL_EFFECTIVE,
    COL_POSTED,
    COL_LATE,
    COL_ORIGIN
};

static void
print_csv(const struct export *export, const struct db_rows *rows, size_t row, const char *id,
          const char *day)
{
    char group[ID_TEXT], placement[ID_TEXT] = "", origin[ID_TEXT] = "", amount[MONEY_TEXT];
    char effective[CLOCK_TEXT], posted[CLOCK_TEXT];
    const char *currency = db_get_text(rows, row, COL_CURRENCY);
    id_format(db_get_id(rows, row, COL_GROUP), group);
    if (!db_is_null(rows, row, COL_PLACEMENT))
        id_format(db_get_id(rows, row, COL_PLACEMENT), placement);
    if (!db_is_null(rows, row, COL_ORIGIN)) id_format(db_get_id(rows, row, COL_ORIGIN), origin);
    clock_format((usec){db_get_int(rows, row, COL_EFFECTIVE)}, effective);
    clock_format((usec){db_get_int(rows, row, COL_POSTED)}, posted);
    fprintf(export->out,
            "%s,%s,%" PRId64 ",%s,%s,%s,%s,%" PRId64 ",%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n", id,
            group, db_get_int(rows, row, COL_LEG), day, db_get_text(rows, row, COL_KIND),
            name_of(export, currency, db_get_int(rows, row, COL_DEBIT)),
            name_of(export, currency, db_get_int(rows, row, COL_CREDIT)),
            db_get_int(rows, row, COL_AMOUNT), currency,
            six(db_get_money(rows, row, COL_AMOUNT), amount), placement,
            db_get_text(rows, row, COL_SEAT), db_get_text(rows, row, COL_SLOT),
            db_get_text(rows, row, COL_MESSAGE), db_get_text(rows, row, COL_RUNG), effective,
            posted, db_get_bool(rows, row, COL_LATE) ? "late" : "", origin);
}

static void
print_transfer(struct export *export, const struct db_rows *rows, size_t row)
{
    char id[ID_TEXT], day[CLOCK_TEXT];
    id_format(db_get_id(rows, row, COL_ID), id);
    day_of((usec){db_get_int(rows, row, COL_DAY)}, day);
    CHECK(strcmp(export->last_day, day) <= 0);
    memcpy(export->last_day, day, sizeof day);
    export->transfers++;
    if (export->format == EXPORT_CSV) {
        print_csv(export, rows, row, id, day);
        return;
    }
    const char *currency = db_get_text(rows, row, COL_CURRENCY);
    const char *slot = db_get_text(rows, row, COL_SLOT),
               *message = db_get_text(rows, row, COL_MESSAGE);
    char what[3 * BOUND_CODE + 64];
    snprintf(what, sizeof what, "%s%s%s%s%s", db_get_text(rows, row, COL_KIND),
             slot[0] != '\0' ? " " : "", slot, message[0] != '\0' ? " " : "", message);
    if (export->format == EXPORT_BEANCOUNT)
        fprintf(export->out, "%s * \"%s\" ^%s\n", day, what, id);
    else fprintf(export->out, "%s * (%s) %s\n", day, id, what);
    print_posting(export, name_of(export, currency, db_get_int(rows, row, COL_DEBIT)),
                  db_get_money(rows, row, COL_AMOUNT), currency);
    money minus;
    CHECK(money_subtract(money_of(0), db_get_money(rows, row, COL_AMOUNT), &minus) == STATUS_OK);
    print_posting(export, name_of(export, currency, db_get_int(rows, row, COL_CREDIT)), minus,
                  currency);
    fputc('\n', export->out);
}

static enum status
print_transfers(struct export *export)
{
    static const char transfers[] =
        "declare export_transfer no scroll cursor for"
        " select t.transfer_id, t.group_id, t.leg, t.kind, t.currency, t.debit, t.credit,"
        "  t.amount_micros,"
        "  least(greatest(t.effective_us, $2), $3) as day, t.placement_id, coalesce(s.code, ''),"
        "  coalesce(l.tagid, ''), coalesce(m.code, ''), coalesce(r.name, ''),"
        "  t.effective_us, t.posted_us, t.late, t.origin_id"
        " from transfer_kept t left join seat s on s.id = t.seat left join slot l on l.id = t.slot"
        "  left join message m on m.id = t.message left join rung_name r on r.rung = t.rung"
        " where t.period = $1 and t.state = 'posted'"
        " order by day, t.log, t.batch, t.idx, t.group_id, t.leg, t.transfer_id";
    static const char days[] =
        "declare export_transfer no scroll cursor for"
        " select md5(concat_ws(' ', d.day, d.currency, d.debit, d.credit))::uuid, null::uuid,"
        "  0::smallint, 'day', d.currency, d.debit, d.credit, d.amount::bigint,"
        "  d.day * 86400000000, null::uuid, '', '', '', '', 0::bigint, 0::bigint, false, null::uuid"
        " from (select least(greatest(effective_us, $2), $3) / 86400000000 as day, currency, debit,"
        "  credit, sum(amount_micros) as amount from transfer_kept"
        "  where period = $1 and state = 'posted' group by 1, 2, 3, 4) d"
        " order by d.day, d.currency, d.debit, d.credit";
    const struct db_param params[] = {db_text(export->period->name),
                                      db_int8(export->period->from.us),
                                      db_int8(export->period->until.us - 1)};
    enum status status = db_run(export->db, export->days ? days : transfers, params, 3, NULL);
    size_t fetched = 1;
    while (status == STATUS_OK && fetched > 0) {
        struct db_rows *rows = NULL;
        status = db_query(export->db, FETCH, NULL, 0, &rows);
        fetched = status == STATUS_OK ? db_count(rows) : 0;
        for (size_t i = 0; i < fetched; i++) print_transfer(export, rows, i);
        if (status == STATUS_OK && !written(export)) status = STATUS_IO;
        db_rows_free(rows);
    }
    return status;
}

static void
print_head(const struct export *export)
{
    switch (export->format) {
    case EXPORT_HLEDGER:
    case EXPORT_LEDGER: head_text(export); break;
    case EXPORT_BEANCOUNT: head_beancount(export); break;
    case EXPORT_CSV: head_csv(export); return;
    case EXPORT_FORMAT_COUNT: CHECK(false);
    }
    print_opening(export);
}

static enum status
export_all(struct export *export, uint64_t *out_transfers)
{
    struct db *db = export->db;
    enum status status = db_begin(db);
    if (status != STATUS_OK) return status;
    status = db_script(db, SNAPSHOT);
    if (status == STATUS_OK) status = read_accounts(export);
    if (status != STATUS_OK) goto done;
    print_head(export);
    status = print_transfers(export);
    if (status != STATUS_OK) goto done;
    if (export->format != EXPORT_CSV) print_closing(export);
    if (!written(export)) status = STATUS_IO;
    if (out_transfers != NULL) *out_transfers = export->transfers;
done:
    db_rollback(db);  // nothing was written
    free(export->accounts);
    if (export->reason != 0) errno = export->reason;
    return status;
}

enum status
export_period(struct db *db, const struct period *period, enum export_format format, FILE *out,
              uint64_t *out_transfers)
{
    struct export export = {.db = db, .out = out, .period = period, .format = format};
    return export_all(&export, out_transfers);
}

enum status
export_days(struct db *db, const struct period *period, enum export_format format, FILE *out,
            uint64_t *out_totals)
{
    struct export export = {.db = db, .out = out, .period = period, .format = format, .days = true};
    return export_all(&export, out_totals);
}

// --- Plain ---------------------------------------------------------------------------------------

static void
plain_accounts(struct export *export)
{
    for (size_t i = 0; i < export->count; i++) {
        const struct account *account = &export->accounts[i];
        fprintf(export->out, "%s|%" PRId64 "|%" PRId64 "|%" PRId64 "\n", account->currency,
                account->account, account->before.micros, account->after.micros);
    }
}

static enum status
plain_transfers(struct export *export)
{
    const struct db_param params[] = {db_text(export->period->name)};
    enum status status = db_run(export->db,
                                "declare export_transfer no scroll cursor for select currency, "
                                "debit, credit, amount_micros from transfer_kept "
                                "where period = $1 and state = 'posted'",
                                params, 1, NULL);
    size_t fetched = 1;
    while (status == STATUS_OK && fetched > 0) {
        struct db_rows *rows = NULL;
        status = db_query(export->db, FETCH, NULL, 0, &rows);
        fetched = status == STATUS_OK ? db_count(rows) : 0;
        for (size_t i = 0; i < fetched; i++)
            fprintf(export->out, "%s|%" PRId64 "|%" PRId64 "|%" PRId64 "\n",
                    db_get_text(rows, i, 0), db_get_int(rows, i, 1), db_get_int(rows, i, 2),
                    db_get_int(rows, i, 3));
        export->transfers += fetched;
        if (status == STATUS_OK && !written(export)) status = STATUS_IO;
        db_rows_free(rows);
    }
    return status;
}

enum status
export_plain(struct db *db, const struct period *period, FILE *transfers, FILE *accounts,
             uint64_t *out_transfers)
{
    struct export export = {.db = db, .out = accounts, .period = period, .format = EXPORT_CSV};
    enum status status = db_begin(db);
    if (status != STATUS_OK) return status;
    status = db_script(db, SNAPSHOT);
    if (status == STATUS_OK) status = read_accounts(&export);
    if (status != STATUS_OK) goto done;
    plain_accounts(&export);
    if (!written(&export)) status = STATUS_IO;
    export.out = transfers;
    if (status == STATUS_OK) status = plain_transfers(&export);
    *out_transfers = export.transfers;
done:
    db_rollback(db);
    free(export.accounts);
    if (export.reason != 0) errno = export.reason;
    return status;
}
