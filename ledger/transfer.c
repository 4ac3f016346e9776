// Accounts and transfers in the database.
//
//  1 An account's number is computed from code, rung and seat, so no look-up stands between a
//    posting and its row; the account's own row (name, normal side) is added by whoever uses it
//    first.
//  2 Transfers go in by COPY, in the order given, inside the caller's transaction; before them
//    their keys, in the order of ids, so that neighbours of the key's index are met together and
//    two writers of the same ids wait in the same order; after them their sums (fold.h).
//  3 New accounts are inserted in order of their number with ON CONFLICT DO NOTHING, so that two
//    writers never wait for each other in a circle.
//  4 The chart: the table below. A name's <seat> is the seat's code, <rung> the rung's number and
//    name; an exchange has an account in each currency, so its name needs no currency of its own.
#include "transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "fold.h"

enum needs { HOUSE, SEAT, RUNG, RUNG_AND_SEAT };

static const struct chart {
    uint16_t code;
    const char *name;
    bool debit;
    enum needs needs;
    const char *flag;
} chart[] = {
    {ACCOUNT_BANK, "Assets:Bank", true, HOUSE, ""},
    {ACCOUNT_UNBILLED, "Assets:Receivable:Unbilled", true, SEAT, ""},
    {ACCOUNT_BILLED, "Assets:Receivable:Billed", true, SEAT, ""},
    {ACCOUNT_DISPUTED, "Assets:Receivable:Disputed", true, SEAT, ""},
    {ACCOUNT_GAIN_RECEIVABLE, "Assets:Receivable:GainShare", true, SEAT, ""},
    {ACCOUNT_CLAWBACK, "Assets:Clawback", true, SEAT, ""},
    {ACCOUNT_TAX_INPUT, "Assets:Tax:Input", true, HOUSE, ""},
    {ACCOUNT_PREPAID, "Liabilities:Prepaid", false, SEAT, ""},
    {ACCOUNT_GAIN_ACCRUED, "Liabilities:GainShare:Accrued", false, SEAT, ""},
    {ACCOUNT_GAIN_PAYABLE, "Liabilities:GainShare:Payable", false, SEAT, ""},
    {ACCOUNT_GAIN_HELD, "Liabilities:GainShare:Held", false, SEAT, ""},
    {ACCOUNT_IN_TRANSIT, "Liabilities:Payout:InTransit", false, SEAT, ""},
    {ACCOUNT_TAX_OUTPUT, "Liabilities:Tax:Output", false, HOUSE, ""},
    {ACCOUNT_RETAINED, "Equity:Retained", false, HOUSE, ""},
    {ACCOUNT_EXCHANGE, "Equity:FX", false, HOUSE, ""},
    {ACCOUNT_SLOT_EXTERNAL, "Income:Slot:External", false, HOUSE, ""},
    {ACCOUNT_SLOT_ADJUSTMENTS, "Income:Slot:Adjustments", false, HOUSE, ""},
    {ACCOUNT_SLOT_INTERNAL, "Income:Slot:Internal", false, SEAT, "elimination"},
    {ACCOUNT_GAIN_HOST, "Income:GainShare:Host", false, HOUSE, ""},
    {ACCOUNT_GAIN_RUNG, "Income:GainShare:Rung", false, RUNG_AND_SEAT, ""},
    {ACCOUNT_FEES, "Income:Fees", false, HOUSE, ""},
    {ACCOUNT_EXPENSE_GAIN, "Expenses:GainShare:Rung", true, RUNG, ""},
    {ACCOUNT_EXPENSE_INTERNAL, "Expenses:Slot:Internal", true, SEAT, "elimination"},
    {ACCOUNT_BAD_DEBT, "Expenses:BadDebt", true, HOUSE, ""},
    {ACCOUNT_CHARGEBACK_FEE, "Expenses:ChargebackFee", true, HOUSE, ""},
    {ACCOUNT_ROUNDING, "Expenses:Rounding", true, HOUSE, ""},
    {ACCOUNT_GOODWILL, "Expenses:Goodwill", true, HOUSE, ""},
};

static const struct chart *
chart_of(uint16_t code)
{
    for (size_t i = 0; i < sizeof chart / sizeof *chart; i++) {
        if (chart[i].code == code) return &chart[i];
    }
    return NULL;
}

int64_t
account_number(struct account account)
{
    return ((int64_t)account.seat * 10 + account.rung) * 10000 + account.code;
}

struct account
account_of_number(int64_t number)
{
    return (struct account){.code = (uint16_t)(number % 10000),
                            .rung = (uint8_t)(number / 10000 % 10),
                            .seat = (uint32_t)(number / 100000)};
}

bool
account_known(struct account account)
{
    const struct chart *line = chart_of(account.code);
    if (!line || account.rung > RUNG_COUNT) return false;
    bool rung = line->needs == RUNG || line->needs == RUNG_AND_SEAT;
    bool seat = line->needs == SEAT || line->needs == RUNG_AND_SEAT;
    return rung == (account.rung != 0) && seat == (account.seat != 0);
}

void
account_name(struct account account, const char *seat, char out[ACCOUNT_TEXT])
{
    CHECK(account_known(account));
    const struct chart *line = chart_of(account.code);
    size_t used = (size_t)snprintf(out, ACCOUNT_TEXT, "%s", line->name);
    if (account.rung) {
        used += (size_t)snprintf(out + used, ACCOUNT_TEXT - used, ":%u-%s", account.rung,
                                 rung_name((enum rung)(account.rung - 1)));
    }
    if (account.seat && *seat) snprintf(out + used, ACCOUNT_TEXT - used, ":%.*s", BOUND_CODE, seat);
}

bool
account_debit_normal(struct account account)
{
    CHECK(account_known(account));
    return chart_of(account.code)->debit;
}

const char *
transfer_kind_name(enum transfer_kind kind)
{
    static const char *const names[TRANSFER_KIND_COUNT] = {
        "hold", "charge",     "release",    "internal", "share",   "refund", "deposit",
        "bill", "adjustment", "commission", "credit",   "true_up", "lock",   "clawback",
        "net",  "dispute",    "chargeback", "exchange", "payout",  "paid",   "receipt"};
    CHECK(kind < TRANSFER_KIND_COUNT);
    return names[kind];
}

const char *
transfer_state_name(enum transfer_state state)
{
    static const char *const names[TRANSFER_STATE_COUNT] = {"pending", "posted", "voided"};
    CHECK(state < TRANSFER_STATE_COUNT);
    return names[state];
}

// --- Accounts ----------------------------------------------------------------------------------

struct used {
    struct currency currency;
    int64_t number;
};

static int
by_account(const void *left, const void *right)
{
    const struct used *a = left, *b = right;
    int order = memcmp(a->currency.code, b->currency.code, sizeof a->currency.code);
    return order ? order : a->number < b->number ? -1 : a->number > b->number;
}

// The accounts that `transfers` name, sorted, each once.
static size_t
collect(const struct transfer *transfers, size_t count, struct used *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct transfer *one = &transfers[i];
        CHECK(account_known(one->debit) && account_known(one->credit));
        out[2 * i] = (struct used){one->currency, account_number(one->debit)};
        out[2 * i + 1] = (struct used){one->currency, account_number(one->credit)};
    }
    qsort(out, 2 * count, sizeof *out, by_account);
    size_t kept = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        if (!kept || by_account(&out[kept - 1], &out[i]) != 0) out[kept++] = out[i];
    }
    return kept;
}

// The name is the chart's with the seat's code, which the market's view knows; a seat the market
// has never had keeps its number for a name.
static enum status
insert_accounts(struct db *db, const struct used *used, size_t count)
{
    struct columns {
        int64_t *numbers;
        int32_t *codes, *rungs, *seats;
        const char **currencies, **names, **normals, **flags;
        char (*texts)[ACCOUNT_TEXT];
    } c = {calloc(count, sizeof(int64_t)), calloc(count, sizeof(int32_t)),
           calloc(count, sizeof(int32_t)), calloc(count, sizeof(int32_t)),
           calloc(count, sizeof(char *)),  calloc(count, sizeof(char *)),
           calloc(count, sizeof(char *)),  calloc(count, sizeof(char *)),
           calloc(count, ACCOUNT_TEXT)};
    CHECK(c.numbers && c.codes && c.rungs && c.seats && c.currencies && c.names && c.normals &&
          c.flags && c.texts);
    for (size_t i = 0; i < count; i++) {
        struct account account = account_of_number(used[i].number);
        const struct chart *line = chart_of(account.code);
        c.numbers[i] = used[i].number;
        c.codes[i] = account.code;
        c.rungs[i] = account.rung;
        c.seats[i] = (int32_t)account.seat;
        c.currencies[i] = used[i].currency.code;
        account_name(account, "", c.texts[i]);
        c.names[i] = c.texts[i];
        c.normals[i] = line->debit ? "debit" : "credit";
        c.flags[i] = line->flag;
    }
    const struct db_param params[] = {
        db_text_array(c.currencies, count), db_int8_array(c.numbers, count),
        db_int4_array(c.codes, count),      db_int4_array(c.rungs, count),
        db_int4_array(c.seats, count),      db_text_array(c.names, count),
        db_text_array(c.normals, count),    db_text_array(c.flags, count)};
    enum status status = db_run(
        db,
        "insert into account (currency, account, code, rung, seat, name, normal, flag) "
        "select u.currency, u.account, u.code, u.rung::smallint, u.seat, "
        "case when u.seat = 0 then u.name else u.name || ':' || coalesce(s.code, "
        "u.seat::text) end, "
        "u.normal, u.flag "
        "from unnest($1::text[], $2::bigint[], $3::int[], "
        "$4::int[], $5::int[], $6::text[], $7::text[], "
        "$8::text[]) as u(currency, account, code, rung, seat, name, normal, flag) "
        "left join seat s on s.id = u.seat "
        "where not exists (select 1 from account a "
        "where a.currency = u.currency and a.account = u.account) "
        "order by 1, 2 on conflict do nothing",
        params, 8, NULL);
    free(c.numbers);
    free(c.codes);
    free(c.rungs);
    free(c.seats);
    free(c.currencies);
    free(c.names);
    free(c.normals);
    free(c.flags);
    free(c.texts);
    return status;
}

// --- Transfers ---------------------------------------------------------------------------------

static int
is_zero(struct id id)
{
    static const struct id zero;
    return id_same(id, zero);
}

static void
put_id(struct db *db, struct id id)
{
    if (is_zero(id)) db_copy_null(db);
    else db_copy_id(db, id);
}

static void
put_number(struct db *db, uint32_t number)
{
    if (number == 0) db_copy_null(db);
    else db_copy_int4(db, (int32_t)number);
}

static void
put_text(struct db *db, const char *text)
{
    if (!*text) db_copy_null(db);
    else db_copy_text(db, text, strlen(text));
}

static void
put_transfer(struct db *db, const struct transfer *one)
{
    CHECK(one->amount.micros > 0 && one->period[0] && one->kind < TRANSFER_KIND_COUNT);
    db_copy_row(db, 28);
    db_copy_int8(db, (int64_t)one->batch);
    db_copy_int8(db, account_number(one->debit));
    db_copy_int8(db, account_number(one->credit));
    db_copy_int8(db, one->amount.micros);
    db_copy_int8(db, one->effective.us);
    db_copy_int8(db, one->posted.us);
    db_copy_int4(db, (int32_t)one->log);
    db_copy_int4(db, (int32_t)one->index);
    put_number(db, one->seat);
    put_number(db, one->contract);
    put_number(db, one->slot);
    put_number(db, one->message);
    put_number(db, one->objectives);
    put_number(db, one->model);
    db_copy_int2(db, (int16_t)one->leg);
    if (one->rung < 0) db_copy_null(db);
    else db_copy_int2(db, one->rung);
    db_copy_bool(db, one->late);
    db_copy_id(db, one->id);
    db_copy_id(db, one->group);
    put_id(db, one->placement);
    put_id(db, one->pending);
    put_id(db, one->origin);
    put_text(db, one->period);
    put_text(db, transfer_kind_name((enum transfer_kind)one->kind));
    put_text(db, transfer_state_name((enum transfer_state)one->state));
    put_text(db, one->currency.code);
    put_text(db, one->reason ? one->reason : "");
    put_text(db, one->reference);
}

static enum status
load_rows(struct db *db, const struct transfer *transfers, size_t count)
{
    enum status status = db_copy_begin(
        db,
        "transfer (batch, debit, credit, amount_micros, effective_us, posted_us, log, idx, seat, "
        "contract, slot, message, objectives, model, leg, rung, late, transfer_id, group_id, "
        "placement_id, pending_id, origin_id, period, kind, state, currency, reason, reference)");
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < count; i++) put_transfer(db, &transfers[i]);
    return db_copy_end(db, NULL);
}

static int
by_id(const void *left, const void *right)
{
    const struct transfer *const *a = left, *const *b = right;
    return memcmp((*a)->id.bytes, (*b)->id.bytes, sizeof(*a)->id.bytes);
}

static enum status
load_keys(struct db *db, const struct transfer *transfers, size_t count)
{
    const struct transfer **sorted = malloc(count * sizeof *sorted);
    CHECK(sorted);
    for (size_t i = 0; i < count; i++) sorted[i] = &transfers[i];
    qsort(sorted, count, sizeof *sorted, by_id);
    enum status status = db_copy_begin(db, "transfer_key (transfer_id, batch, log, idx)");
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        db_copy_row(db, 4);
        db_copy_id(db, sorted[i]->id);
        db_copy_int8(db, (int64_t)sorted[i]->batch);
        db_copy_int4(db, (int32_t)sorted[i]->log);
        db_copy_int4(db, (int32_t)sorted[i]->index);
    }
    free(sorted);
    return status == STATUS_OK ? db_copy_end(db, NULL) : status;
}

enum status
transfer_load(struct db *db, const struct transfer *transfers, size_t count)
{
    if (count == 0) return STATUS_OK;
    struct used *used = calloc(2 * count, sizeof *used);
    CHECK(used);
    size_t accounts = collect(transfers, count, used);
    enum status status = insert_accounts(db, used, accounts);
    free(used);
    if (status == STATUS_OK) status = load_keys(db, transfers, count);
    if (status == STATUS_OK) status = load_rows(db, transfers, count);
    if (status == STATUS_OK) status = fold_transfers(db, transfers, count);
    return status;
}

static bool
row_is(const struct db_rows *rows, size_t row, const struct transfer *one)
{
    return account_number(one->debit) == db_get_int(rows, row, 1) &&
           account_number(one->credit) == db_get_int(rows, row, 2) &&
           one->amount.micros == db_get_int(rows, row, 3) &&
           strcmp(one->currency.code, db_get_text(rows, row, 4)) == 0 &&
           strcmp(transfer_state_name((enum transfer_state)one->state),
                  db_get_text(rows, row, 5)) == 0 &&
           id_same(one->pending, db_get_id(rows, row, 6));
}

enum status
transfer_post(struct db *db, const struct transfer *transfers, size_t count)
{
    if (count == 0) return STATUS_OK;
    struct id *ids = calloc(count, sizeof *ids);
    CHECK(ids);
    for (size_t i = 0; i < count; i++) ids[i] = transfers[i].id;
    const struct db_param params[] = {db_id_array(ids, count)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select transfer_id, debit, credit, amount_micros, currency, state, "
        "pending_id from transfer_by_id where transfer_id = any($1)",
        params, 1, &rows);
    size_t same = 0;
    for (size_t row = 0; status == STATUS_OK && row < db_count(rows); row++) {
        for (size_t i = 0; i < count; i++) {
            if (id_same(db_get_id(rows, row, 0), ids[i])) same += row_is(rows, row, &transfers[i]);
        }
    }
    if (status == STATUS_OK && db_count(rows) > 0) {
        status = same == count && db_count(rows) == count ? STATUS_EXISTS : STATUS_CONFLICT;
    }
    db_rows_free(rows);
    free(ids);
    return status == STATUS_OK ? transfer_load(db, transfers, count) : status;
}
