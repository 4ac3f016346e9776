// Reports of finance against loops over the same transfers: random ones, of every kind, on every
// account, booked through the ledger's one door.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "hash.h"
#include "period.h"
#include "report.h"
#include "seed.h"
#include "transfer.h"

#define TRANSFERS 1500

static struct books books;
static struct transfer *all;
static uint64_t seed;
static char fault[REPORT_FAULT];

static uint64_t
draw(uint64_t bound)
{
    seed += 0x9e3779b97f4a7c15u;
    return hash_mix(seed) % bound;
}

static uint32_t
seat_id(const char *code)
{
    for (uint32_t i = 0; i < books.market->seat_count; i++)
        if (strcmp(books.market->seats[i].code, code) == 0) return books.market->seats[i].id;
    fail_msg("no seat %s", code);
    return 0;
}

static struct account
draw_account(void)
{
    static const struct {
        uint16_t code;
        const char *seats[3];
        bool rung;
    } kinds[] = {
        {1000, {""}, false},
        {1110, {"grill", "cover", "beans"}, false},
        {1120, {"grill", "cover", "beans"}, false},
        {1130, {"grill", "cover", "beans"}, false},
        {1150, {"cover", "beans", "grill"}, false},
        {1160, {"beans", "mags", "cover"}, false},
        {2000, {"mags", "mags", "mags"}, false},
        {2100, {"beans", "mags", "cover"}, false},
        {2110, {"beans", "mags", "cover"}, false},
        {2120, {"beans", "mags", "cover"}, false},
        {2190, {"beans", "mags", "cover"}, false},
        {4000, {""}, false},
        {4090, {""}, false},
        {4100, {"care", "sales", "care"}, false},
        {4200, {""}, false},
        {4210, {"care", "sales", "care"}, true},
        {4300, {""}, false},
        {5000, {""}, true},
        {5100, {"care", "sales", "sales"}, false},
        {5200, {""}, false},
    };
    size_t at = draw(sizeof kinds / sizeof kinds[0]);
    const char *seat = kinds[at].seats[0][0] ? kinds[at].seats[draw(3)] : "";
    return (struct account){.code = kinds[at].code,
                            .seat = seat[0] ? seat_id(seat) : 0,
                            .rung = kinds[at].rung ? (uint8_t)(1 + draw(8)) : 0};
}

static void
draw_transfer(struct transfer *transfer, uint64_t number)
{
    const struct market_container *container = &books.market->containers[draw(2)];
    static const char *const months[] = {"2026-09", "2026-10", "2026-11"};
    size_t month = draw(3);
    struct period period;
    assert_int_equal(period_parse(months[month], 7, &period), STATUS_OK);
    memset(transfer, 0, sizeof *transfer);
    transfer->id = hash_id("test transfer", &number, sizeof number);
    transfer->group = transfer->id;
    transfer->kind = (uint8_t)draw(TRANSFER_KIND_COUNT);
    transfer->state = (uint8_t)(draw(5) ? TRANSFER_POSTED : TRANSFER_PENDING);
    do {
        transfer->debit = draw_account();
        transfer->credit = draw_account();
    } while (account_number(transfer->debit) == account_number(transfer->credit));
    assert_int_equal(currency_parse(draw(6) ? "EUR" : "USD", 3, &transfer->currency), STATUS_OK);
    transfer->amount = money_of((int64_t)(1 + draw(5000000)));
    // Now and then what happened earlier and came late.
    transfer->late = draw(8) == 0;
    transfer->effective.us = period.from.us + (int64_t)draw(30) * USEC_DAY +
                             (int64_t)draw(86400) * USEC_SECOND -
                             (transfer->late ? 20 * USEC_DAY : 0);
    transfer->posted = period.from;
    snprintf(transfer->period, sizeof transfer->period, "%s", months[month]);
    transfer->log = number < 2 * TRANSFERS / 3 ? 1 : 0;  // one a load
    transfer->batch = 100 + number;
    transfer->index = (uint32_t)draw(100);
    if (draw(6)) transfer->seat = books.market->seats[draw(books.market->seat_count)].id;
    if (draw(6))
        transfer->contract = books.market->contracts[draw(books.market->contract_count)].id;
    if (draw(6)) transfer->slot = container->slots[draw(container->slot_count)].id;
    if (draw(6)) transfer->message = books.market->messages[draw(books.market->message_count)].id;
    transfer->objectives = (uint16_t)(draw(3) ? 1u << draw(9) : draw(512));
    transfer->rung = (int8_t)((int)draw(9) - 1);
    transfer->won_rung = transfer->rung;
    transfer->reason = "";
    snprintf(transfer->reference, sizeof transfer->reference, "ref-%d", (int)draw(50));
}

static int
set_up(void **state)
{
    (void)state;
    seed = seed_fresh();
    books_open(&books, books_market, "2026-11-20T09:00:00Z");
    all = calloc(TRANSFERS, sizeof *all);
    for (uint64_t i = 0; i < TRANSFERS; i++) draw_transfer(&all[i], i);
    // Three loads: folds of several rows come together.
    for (size_t at = 0; at < TRANSFERS; at += TRANSFERS / 3) {
        assert_int_equal(db_begin(books.ledger_db), STATUS_OK);
        enum status status = transfer_load(books.ledger_db, all + at, TRANSFERS / 3);
        if (status != STATUS_OK) fail_msg("%s", db_fault(books.ledger_db)->text);
        assert_int_equal(db_commit(books.ledger_db), STATUS_OK);
    }
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    free(all);
    books_close(&books);
    return 0;
}

// --- The model -----------------------------------------------------------------------------------

static const struct market_slot *
slot_of(uint32_t id, const struct market_container **out_container)
{
    for (uint32_t i = 0; i < books.market->container_count; i++)
        for (uint32_t k = 0; k < books.market->containers[i].slot_count; k++)
            if (books.market->containers[i].slots[k].id == id) {
                *out_container = &books.market->containers[i];
                return &books.market->containers[i].slots[k];
            }
    return NULL;
}

static const char *
seat_code(uint32_t id, const char *none)
{
    for (uint32_t i = 0; i < books.market->seat_count; i++)
        if (books.market->seats[i].id == id) return books.market->seats[i].code;
    return none;
}

// What a transfer is called under a dimension, as the report prints it.
static void
name_of(const char *dimension, const struct transfer *transfer, char out[200])
{
    const struct market_container *container = NULL;
    const struct market_slot *slot = slot_of(transfer->slot, &container);
    snprintf(out, 200, "none");
    if (strcmp(dimension, "rung") == 0 && transfer->rung >= 0) {
        snprintf(out, 200, "%s", rung_name((enum rung)transfer->rung));
    } else if (strcmp(dimension, "objective") == 0 && transfer->objectives) {
        out[0] = '\0';
        for (int i = 0; i < OBJECTIVE_COUNT; i++) {
            if (!(transfer->objectives >> i & 1)) continue;
            if (out[0]) strcat(out, "+");
            strcat(out, objective_name((enum objective)i));
        }
    } else if (strcmp(dimension, "cell") == 0 && slot) {
        snprintf(out, 200, "%s/%s", stage_name(container->stage), channel_name(container->channel));
    } else if (strcmp(dimension, "container") == 0 && slot) {
        snprintf(out, 200, "%s", container->code);
    } else if (strcmp(dimension, "slot") == 0 && slot) {
        snprintf(out, 200, "%s.%s", container->code, slot->code);
    } else if (strcmp(dimension, "seat") == 0) {
        snprintf(out, 200, "%s", seat_code(transfer->seat, "none"));
    } else if (strcmp(dimension, "period") == 0) {
        snprintf(out, 200, "%s", transfer->period);
    } else if (strcmp(dimension, "day") == 0) {
        char at[CLOCK_TEXT];
        clock_format(transfer->effective, at);
        snprintf(out, 200, "%.10s", at);
    } else if (strcmp(dimension, "contract") == 0) {
        for (uint32_t i = 0; i < books.market->contract_count; i++)
            if (books.market->contracts[i].id == transfer->contract)
                snprintf(out, 200, "%s", books.market->contracts[i].code);
    } else if (strcmp(dimension, "message") == 0) {
        for (uint32_t i = 0; i < books.market->message_count; i++)
            if (books.market->messages[i].id == transfer->message)
                snprintf(out, 200, "%s", books.market->messages[i].code);
    }
}

static bool
within(const struct report_span *span, const struct transfer *transfer)
{
    if (transfer->state != TRANSFER_POSTED) return false;
    if (span->period[0]) return strcmp(span->period, transfer->period) == 0;
    return transfer->effective.us >= span->from.us &&
           (!span->until.us || transfer->effective.us < span->until.us);
}

static bool
before(const struct report_span *span, const struct transfer *transfer)
{
    if (transfer->state != TRANSFER_POSTED) return false;
    if (span->period[0]) return strcmp(transfer->period, span->period) < 0;
    return transfer->effective.us < span->from.us;
}

// Credits less debits of accounts from one code to another.
static int64_t
credited(const struct transfer *transfer, unsigned from, unsigned until)
{
    int64_t sum = 0;
    if (transfer->credit.code >= from && transfer->credit.code <= until)
        sum += transfer->amount.micros;
    if (transfer->debit.code >= from && transfer->debit.code <= until)
        sum -= transfer->amount.micros;
    return sum;
}

// --- Asking --------------------------------------------------------------------------------------

static struct report
ask(const struct report_question *question)
{
    struct report report;
    enum status status = report_answer(books.console_db, question, books.arena, &report, fault);
    if (status != STATUS_OK)
        fail_msg("%s: %s %s", report_kind_name(question->kind), fault,
                 db_fault(books.console_db)->text);
    return report;
}

static const char *
cell(const struct report *report, size_t row, const char *key)
{
    for (size_t i = 0; i < report->column_count; i++)
        if (strcmp(report->columns[i].key, key) == 0)
            return report->cells[row * report->column_count + i];
    fail_msg("no column %s", key);
    return "";
}

static int64_t
number(const struct report *report, size_t row, const char *key)
{
    return strtoll(cell(report, row, key), NULL, 10);
}

// The report's row whose cells of `keys` are these and whose currency it is; -1: none.
static int
find(const struct report *report, const char *const *keys, const char (*names)[200], size_t count,
     const char *currency)
{
    for (size_t row = 0; row + report->total_rows < report->row_count; row++) {
        bool same = strcmp(cell(report, row, "currency"), currency) == 0;
        for (size_t i = 0; i < count; i++)
            same = same && strcmp(cell(report, row, keys[i]), names[i]) == 0;
        if (same) return (int)row;
    }
    return -1;
}

// The rows behind one row add up to it, column by column.
static void
check_behind(struct report_question question, const struct report *report, size_t row,
             const char *key, const char *const *measures, size_t count)
{
    question.rows = key;
    struct report behind = ask(&question);
    const char *currency = cell(report, row, "currency");
    for (size_t i = 0; i < count; i++) {
        int64_t sum = 0, total = INT64_MIN;
        for (size_t r = 0; r < behind.row_count; r++) {
            if (strcmp(cell(&behind, r, "currency"), currency) != 0) continue;
            if (r + behind.total_rows < behind.row_count) sum += number(&behind, r, measures[i]);
            else total = number(&behind, r, measures[i]);
        }
        if (sum != number(report, row, measures[i]) || total != sum)
            fail_msg("behind '%s', %s: %lld, total %lld, not %s", key, measures[i], (long long)sum,
                     (long long)total, cell(report, row, measures[i]));
    }
}

// --- Revenue -------------------------------------------------------------------------------------

static const char *const revenue_keys[] = {"external_micros",   "internal_micros",
                                           "gain_share_micros", "fees_micros",
                                           "expense_micros",    "net_micros"};

static void
revenue_of(const struct transfer *transfer, int64_t out[6])
{
    out[0] = credited(transfer, 4000, 4090);
    out[1] = credited(transfer, 4100, 4100);
    out[2] = credited(transfer, 4200, 4210);
    out[3] = credited(transfer, 4300, 4300);
    out[4] = -credited(transfer, 5000, 5999);
    out[5] = out[0] + out[1] + out[2] + out[3] - out[4];
}

static void
check_revenue(const char *by, const char *const *dimensions, size_t count,
              const struct report_span *span)
{
    struct report_question question = {.kind = REPORT_REVENUE, .span = *span, .by = by};
    struct report report = ask(&question);
    char names[3][200], other[200];
    for (size_t row = 0; row < report.row_count; row++) {
        bool total = row + report.total_rows >= report.row_count;
        int64_t sums[6] = {0}, each[6];
        for (size_t i = 0; i < TRANSFERS; i++) {
            bool same = within(span, &all[i]) &&
                        strcmp(all[i].currency.code, cell(&report, row, "currency")) == 0;
            for (size_t k = 0; k < count && !total && same; k++) {
                name_of(dimensions[k], &all[i], other);
                same = strcmp(other, cell(&report, row, dimensions[k])) == 0;
            }
            if (!same) continue;
            revenue_of(&all[i], each);
            for (size_t k = 0; k < 6; k++) sums[k] += each[k];
        }
        for (size_t k = 0; k < 6; k++)
            if (number(&report, row, revenue_keys[k]) != sums[k])
                fail_msg("%s row %zu %s", by, row, revenue_keys[k]);
    }
    // Nothing is missing.
    for (size_t i = 0; i < TRANSFERS; i++) {
        int64_t each[6];
        revenue_of(&all[i], each);
        if (!within(span, &all[i]) || each[5] == 0) continue;
        for (size_t k = 0; k < count; k++) name_of(dimensions[k], &all[i], names[k]);
        int row = find(&report, dimensions, (const char(*)[200])names, count, all[i].currency.code);
        if (row >= 0) continue;
        // Unless it cancels out with others.
        int64_t sum = 0;
        for (size_t j = 0; j < TRANSFERS; j++) {
            bool same = within(span, &all[j]) && currency_same(all[j].currency, all[i].currency);
            for (size_t k = 0; k < count && same; k++) {
                name_of(dimensions[k], &all[j], other);
                same = strcmp(other, names[k]) == 0;
            }
            revenue_of(&all[j], each);
            if (same) sum += llabs(each[0]) + llabs(each[1]) + llabs(each[2]) + llabs(each[4]);
        }
        assert_int_equal(sum, 0);
    }
    size_t row = draw(report.row_count - report.total_rows);
    char key[640] = "";
    for (size_t k = 0; k < count; k++) {
        if (k) strcat(key, ",");
        strcat(key, cell(&report, row, dimensions[k]));
    }
    check_behind(question, &report, row, key, revenue_keys, 6);
    check_behind(question, &report, report.row_count - 1, "total", revenue_keys, 6);
}

static void
spans(struct report_span out[4])
{
    memset(out, 0, 4 * sizeof *out);
    out[0].period = out[2].period = out[3].period = "";
    out[1].period = "2026-10";
    assert_int_equal(clock_parse("2026-10-05", 10, &out[2].from), STATUS_OK);
    assert_int_equal(clock_parse("2026-11-09", 10, &out[2].until), STATUS_OK);
    assert_int_equal(clock_parse("2026-10-20", 10, &out[3].from), STATUS_OK);
}

static void
revenue_is_the_same_by_whatever(void **state)
{
    (void)state;
    static const char *const names[] = {"rung", "objective", "cell",      "seat",   "contract",
                                        "slot", "message",   "container", "period", "day"};
    struct report_span span[4];
    spans(span);
    for (size_t i = 0; i < 10; i++) check_revenue(names[i], &names[i], 1, &span[i % 4]);
    for (int i = 0; i < 6; i++) {
        size_t first = draw(10), second = (first + 1 + draw(4)) % 10,
               third = (second + 1 + draw(4)) % 10;
        const char *dimensions[] = {names[first], names[second], names[third]};
        char by[100];
        size_t count = third == first ? 2 : 3;
        snprintf(by, sizeof by, "%s,%s%s%s", names[first], names[second], count > 2 ? "," : "",
                 count > 2 ? names[third] : "");
        check_revenue(by, dimensions, count, &span[draw(4)]);
    }
}

// --- Accounts ------------------------------------------------------------------------------------

static void
account_text(const struct transfer *transfer, bool debit, char out[200])
{
    struct account account = debit ? transfer->debit : transfer->credit;
    char name[ACCOUNT_TEXT];
    account_name(account, account.seat ? seat_code(account.seat, "") : "", name);
    snprintf(out, 200, "%s", name);
}

static const char *const trial_keys[] = {"opening_micros", "debit_micros", "credit_micros",
                                         "closing_micros"};

static void
trial_balance_is_every_entry(void **state)
{
    (void)state;
    struct report_span span[4];
    spans(span);
    for (int s = 0; s < 4; s++) {
        struct report_question question = {.kind = REPORT_TRIAL_BALANCE, .span = span[s]};
        struct report report = ask(&question);
        assert_false(report.wrong);
        assert_int_equal(report.total_rows, 2);
        for (size_t row = 0; row < report.row_count; row++) {
            bool total = row + 2 >= report.row_count;
            int64_t sums[4] = {0};
            for (size_t i = 0; i < 2 * TRANSFERS; i++) {
                const struct transfer *transfer = &all[i / 2];
                char name[200];
                account_text(transfer, i % 2 == 0, name);
                if (strcmp(transfer->currency.code, cell(&report, row, "currency")) != 0) continue;
                if (!total && strcmp(name, cell(&report, row, "account")) != 0) continue;
                int64_t micros = i % 2 ? -transfer->amount.micros : transfer->amount.micros;
                if (before(&span[s], transfer)) sums[0] += micros;
                if (within(&span[s], transfer)) sums[micros > 0 ? 1 : 2] += llabs(micros);
            }
            sums[3] = sums[0] + sums[1] - sums[2];
            for (int k = 0; k < 4; k++)
                assert_int_equal(number(&report, row, trial_keys[k]), sums[k]);
        }
        size_t row = draw(report.row_count - 2);
        check_behind(question, &report, row, cell(&report, row, "account"), trial_keys, 4);
    }
}

// The opening of a period comes from the balances of the one closed before it: the sums of the
// closed one need not be there.
static void
a_closed_period_opens_the_next(void **state)
{
    (void)state;
    struct report_question question = {.kind = REPORT_TRIAL_BALANCE, .span = {.period = "2026-11"}};
    struct report report = ask(&question), again;
    assert_int_equal(db_begin(books.db), STATUS_OK);
    assert_int_equal(
        db_script(books.db,
                  "insert into vendue.balance (period, currency, account, debit, credit)"
                  " select '2026-10', currency, account, sum(greatest(micros, 0)), "
                  "sum(greatest(-micros, 0))"
                  " from vendue.entry where period <= '2026-10' group by currency, account;"
                  "delete from vendue.fold where period <= '2026-10'"),
        STATUS_OK);
    enum status status = report_answer(books.db, &question, books.arena, &again, fault);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(again.row_count, report.row_count);
    for (size_t i = 0; i < report.row_count * report.column_count; i++)
        assert_string_equal(again.cells[i], report.cells[i]);
    question.rows = cell(&report, 0, "account");
    struct report behind = ask(&question);
    status = report_answer(books.db, &question, books.arena, &again, fault);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(again.row_count, behind.row_count);
    size_t last = behind.row_count - 1;
    assert_string_equal(cell(&again, last, "closing_micros"),
                        cell(&behind, last, "closing_micros"));
    db_rollback(books.db);
}

// One side of a transfer, debits positive.
struct side {
    const struct transfer *transfer;
    struct account account, other;
    int64_t micros;
};
static struct side
side_of(size_t i)
{
    const struct transfer *transfer = &all[i / 2];
    return i % 2 ? (struct side){transfer, transfer->credit, transfer->debit,
                                 -transfer->amount.micros}
                 : (struct side){transfer, transfer->debit, transfer->credit,
                                 transfer->amount.micros};
}

static bool
kind_in(const struct transfer *transfer, const char *kinds)
{
    char word[40];
    snprintf(word, sizeof word, " %s ", transfer_kind_name((enum transfer_kind)transfer->kind));
    return strstr(kinds, word) != NULL;
}

// Rows by account, of reports that follow balances; `own`: liabilities count up.
static void
check_accounts(enum report_kind kind, const char *codes, bool own, const char *const *keys,
               size_t count, const char *first_kinds, const char *second_kinds)
{
    struct report_span span[4];
    spans(span);
    for (int s = 0; s < 4; s++) {
        struct report_question question = {.kind = kind, .span = span[s]};
        struct report report = ask(&question);
        assert_true(report.row_count > report.total_rows);
        for (size_t row = 0; row + report.total_rows < report.row_count; row++) {
            int64_t sums[5] = {0};
            for (size_t i = 0; i < 2 * TRANSFERS; i++) {
                struct side side = side_of(i);
                char name[200], code[8];
                snprintf(code, sizeof code, "%u", side.account.code);
                account_text(side.transfer, i % 2 == 0, name);
                if (!strstr(codes, code) || strcmp(name, cell(&report, row, "account")) != 0 ||
                    strcmp(side.transfer->currency.code, cell(&report, row, "currency")) != 0)
                    continue;
                int64_t micros = own && side.account.code >= 2000 ? -side.micros : side.micros;
                if (before(&span[s], side.transfer)) sums[0] += micros;
                if (!within(&span[s], side.transfer)) continue;
                if (kind_in(side.transfer, first_kinds)) sums[1] += micros;
                else if (kind_in(side.transfer, second_kinds)) sums[2] += micros;
                else sums[3] += micros;
            }
            sums[4] = sums[0] + sums[1] + sums[2] + sums[3];
            for (size_t k = 0; k < count; k++)
                assert_int_equal(number(&report, row, keys[k]), sums[k]);
        }
        size_t row = draw(report.row_count - report.total_rows);
        char key[300];
        snprintf(key, sizeof key, "%s%s%s", own ? cell(&report, row, "side") : "", own ? "," : "",
                 cell(&report, row, "account"));
        check_behind(question, &report, row, key, keys, count);
    }
}

static void
accruals_and_clawbacks_roll_forward(void **state)
{
    (void)state;
    static const char *const accruals[] = {"opening_micros", "accrued_micros", "refunded_micros",
                                           "moved_micros", "closing_micros"};
    static const char *const clawbacks[] = {"opening_micros", "clawed_back_micros", "netted_micros",
                                            "other_micros", "closing_micros"};
    check_accounts(REPORT_ACCRUALS, "1110 1150 2100 2110 2120", true, accruals, 5,
                   " charge internal commission share credit true_up ", " refund ");
    check_accounts(REPORT_CLAWBACKS, "1160", false, clawbacks, 5, " clawback refund ", " net ");
    // A side's total opens too.
    struct report_question question = {.kind = REPORT_ACCRUALS, .span = {.period = "2026-10"}};
    struct report report = ask(&question);
    assert_int_equal(report.total_rows, 4);
    size_t row = report.row_count - 4;
    char key[100];
    snprintf(key, sizeof key, "%s,total", cell(&report, row, "side"));
    check_behind(question, &report, row, key, accruals, 5);
}

static void
internal_prices_pair_up(void **state)
{
    (void)state;
    static const char *const keys[] = {"paid_micros", "earned_micros", "remains_micros"};
    struct report_question question = {.kind = REPORT_INTERNAL, .span = {.period = "2026-10"}};
    struct report report = ask(&question);
    int64_t sums[2][3] = {{0}};
    for (size_t i = 0; i < TRANSFERS; i++) {
        const struct transfer *t = &all[i];
        bool slots = t->debit.code == 4100 || t->debit.code == 5100 || t->credit.code == 4100 ||
                     t->credit.code == 5100;
        bool shares = (t->debit.code == 5000 && t->credit.code == 4210) ||
                      (t->debit.code == 4210 && t->credit.code == 5000);
        if (!within(&question.span, t) || (!slots && !shares)) continue;
        int64_t paid = -credited(t, 5000, 5000) - credited(t, 5100, 5100);
        int64_t earned = credited(t, 4100, 4100) + credited(t, 4210, 4210);
        int usd = strcmp(t->currency.code, "USD") == 0;
        sums[usd][0] += paid;
        sums[usd][1] += earned;
        sums[usd][2] += paid - earned;
    }
    for (size_t c = 0; c < 2; c++)
        for (int k = 0; k < 3; k++)
            assert_int_equal(number(&report, report.row_count - 2 + c, keys[k]), sums[c][k]);
    assert_true(report.wrong);  // these random ones do not eliminate
    char key[200];
    snprintf(key, sizeof key, "%s,%s,%s", cell(&report, 0, "what"), cell(&report, 0, "buyer"),
             cell(&report, 0, "owner"));
    check_behind(question, &report, 0, key, keys, 3);
}

static void
gain_share_is_due_as_the_accounts_say(void **state)
{
    (void)state;
    static const char *const keys[] = {"earned_micros", "accrued_micros",  "payable_micros",
                                       "held_micros",   "clawback_micros", "in_transit_micros",
                                       "paid_micros",   "due_micros"};
    struct report_question question = {.kind = REPORT_GAIN_SHARE, .span = {.period = "2026-10"}};
    struct report report = ask(&question);
    for (size_t row = 0; row + report.total_rows < report.row_count; row++) {
        int64_t sums[8] = {0};
        for (size_t i = 0; i < 2 * TRANSFERS; i++) {
            struct side side = side_of(i);
            uint16_t code = side.account.code, other = side.other.code;
            const struct transfer *t = side.transfer;
            bool counts = code == 2100 || code == 2110 || code == 2120 || code == 2190 ||
                          code == 1160 || code == 4200 || code == 4210;
            if (t->state != TRANSFER_POSTED || strcmp(t->period, "2026-10") > 0 || !counts)
                continue;
            const char *merchant = "none";
            if (other == 1150) merchant = seat_code(side.other.seat, "?");
            else if (other == 5000) merchant = "host";
            else if (!kind_in(t, " payout paid net exchange receipt bill "))
                for (uint32_t k = 0; k < books.market->contract_count; k++) {
                    const struct market_contract *contract = &books.market->contracts[k];
                    if (contract->id != t->contract) continue;
                    bool partner = contract->has_gain_share &&
                                   contract->merchant == MERCHANT_PARTNER;
                    merchant = partner ? contract->seat : "host";
                }
            if (strcmp(seat_code(side.account.seat, "host"), cell(&report, row, "beneficiary")) !=
                    0 ||
                strcmp(merchant, cell(&report, row, "merchant")) != 0 ||
                strcmp(t->currency.code, cell(&report, row, "currency")) != 0)
                continue;
            int64_t owed = -side.micros;
            if (kind_in(t, " share refund credit true_up clawback ") &&
                (other == 1150 || other == 5000))
                sums[0] += owed;
            sums[1] += code == 2100 ? owed : 0;
            sums[2] += code == 2110 ? owed : 0;
            sums[3] += code == 2120 ? owed : 0;
            sums[4] += code == 1160 ? owed : 0;
            sums[5] += code == 2190 ? owed : 0;
            sums[6] += code == 2190 && other == 1000 ? side.micros : 0;
            sums[7] += code < 4000 ? owed : 0;
        }
        for (int k = 0; k < 8; k++) assert_int_equal(number(&report, row, keys[k]), sums[k]);
    }
    char key[200];
    size_t row = draw(report.row_count - report.total_rows);
    snprintf(key, sizeof key, "%s,%s", cell(&report, row, "beneficiary"),
             cell(&report, row, "merchant"));
    check_behind(question, &report, row, key, keys, 8);
    check_behind(question, &report, report.row_count - 1, "total", keys, 8);
}

// --- Aging ---------------------------------------------------------------------------------------

static int
by_time(const void *a, const void *b)
{
    const struct side *x = a, *y = b;
    if (x->transfer->effective.us != y->transfer->effective.us)
        return x->transfer->effective.us < y->transfer->effective.us ? -1 : 1;
    return memcmp(&x->transfer->id, &y->transfer->id, sizeof(struct id));
}

// What was settled eats the oldest; what is left lies in buckets.
static void
aged_model(const char *account, const char *currency, const struct report_span *span,
           int64_t last_day, int64_t out[6])
{
    static struct side items[2 * TRANSFERS];
    size_t count = 0;
    int64_t settled = 0;
    memset(out, 0, 6 * sizeof *out);
    for (size_t i = 0; i < 2 * TRANSFERS; i++) {
        struct side side = side_of(i);
        char name[200];
        account_text(side.transfer, i % 2 == 0, name);
        bool counts = before(span, side.transfer) || within(span, side.transfer);
        if (!counts || strcmp(name, account) != 0 ||
            strcmp(side.transfer->currency.code, currency) != 0)
            continue;
        if (side.account.code >= 2000) side.micros = -side.micros;
        out[5] += side.micros;
        if (side.micros > 0) items[count++] = side;
        else settled -= side.micros;
    }
    qsort(items, count, sizeof *items, by_time);
    for (size_t i = 0; i < count; i++) {
        int64_t eaten = settled < items[i].micros ? settled : items[i].micros;
        int64_t days = last_day - items[i].transfer->effective.us / USEC_DAY;
        settled -= eaten;
        out[days <= 30 ? 0 : days <= 60 ? 1 : days <= 90 ? 2 : 3] += items[i].micros - eaten;
    }
    out[4] = -settled;
}

static void
what_is_open_is_aged(void **state)
{
    (void)state;
    static const char *const keys[] = {"days_0_30_micros", "days_31_60_micros", "days_61_90_micros",
                                       "over_90_micros",   "contrary_micros",   "open_micros"};
    struct report_span span[4];
    spans(span);
    for (int s = 0; s < 4; s++) {
        struct report_question question = {.kind = REPORT_AGING, .span = span[s], .now = books.now};
        int64_t last = s == 1 ? 20757 : s == 2 ? 20765 : books.now.us / USEC_DAY;
        struct report report = ask(&question);
        assert_true(report.row_count > report.total_rows);
        for (size_t row = 0; row + report.total_rows < report.row_count; row++) {
            int64_t model[6];
            aged_model(cell(&report, row, "account"), cell(&report, row, "currency"), &span[s],
                       last, model);
            for (int k = 0; k < 6; k++) assert_int_equal(number(&report, row, keys[k]), model[k]);
        }
        size_t row = draw(report.row_count - report.total_rows);
        const char *open[] = {"open_micros"};
        check_behind(question, &report, row, cell(&report, row, "account"), open, 1);
        row = report.row_count - 1;
        check_behind(question, &report, row, cell(&report, row, "side"), open, 1);
    }
}

// --- Unexplained ---------------------------------------------------------------------------------

static void
what_does_not_add_up_is_told_by_cause(void **state)
{
    (void)state;
    struct report_question question = {.kind = REPORT_UNEXPLAINED, .span = {.period = ""}};
    struct report report = ask(&question);
    int64_t sum = 0, sums = -1, internal = 0;
    for (size_t row = 0; row + 1 < report.row_count; row++) {
        const char *cause = cell(&report, row, "cause");
        sum += number(&report, row, "unexplained_micros");
        if (strcmp(cause, "sums differ from transfers") == 0) sums = number(&report, row, "items");
        if (strcmp(cause, "internal prices do not eliminate") == 0) internal++;
    }
    assert_int_equal(sums, 0);
    assert_true(internal > 0 && report.wrong);
    assert_int_equal(sum, number(&report, report.row_count - 1, "unexplained_micros"));
    // A sum that is one micro off is found, and named.
    assert_int_equal(db_begin(books.db), STATUS_OK);
    assert_int_equal(db_script(books.db, "update vendue.fold set micros = micros + 1 where ctid ="
                                         " (select min(ctid) from vendue.fold)"),
                     STATUS_OK);
    enum status status = report_answer(books.db, &question, books.arena, &report, fault);
    assert_int_equal(status, STATUS_OK);
    for (size_t row = 0; row + 1 < report.row_count; row++) {
        if (strcmp(cell(&report, row, "cause"), "sums differ from transfers") != 0) continue;
        assert_int_equal(number(&report, row, "items"), 1);
        assert_int_equal(number(&report, row, "unexplained_micros"), 1);
    }
    question.rows = "sums differ from transfers";
    status = report_answer(books.db, &question, books.arena, &report, fault);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(report.row_count, 2);
    assert_int_equal(number(&report, 0, "unexplained_micros"), 1);
    db_rollback(books.db);
}

// --- What cannot be asked ------------------------------------------------------------------------

static void
refuse(struct report_question question, enum status wanted, const char *words)
{
    struct report report;
    enum status status = report_answer(books.console_db, &question, books.arena, &report, fault);
    assert_int_equal(status, wanted);
    if (!strstr(fault, words)) fail_msg("'%s' does not say '%s'", fault, words);
}

static void
bad_questions_are_told_the_mend(void **state)
{
    (void)state;
    struct report_span none = {.period = ""}, odd = {.period = "", .from = {USEC_DAY + 5}};
    refuse((struct report_question){.kind = REPORT_REVENUE, .span = none, .by = "rank"},
           STATUS_INPUT, "use one or more of rung, objective");
    refuse((struct report_question){.kind = REPORT_REVENUE, .span = none, .by = "rung,"},
           STATUS_INPUT, "''");
    refuse((struct report_question){.kind = REPORT_REVENUE, .span = none, .by = "rung,rung"},
           STATUS_INPUT, "twice");
    refuse(
        (struct report_question){.kind = REPORT_REVENUE, .span = none, .by = "rung,seat,slot,day"},
        STATUS_INPUT, "at most 3");
    refuse((struct report_question){.kind = REPORT_AGING, .span = none, .by = "rung"}, STATUS_INPUT,
           "--by is for");
    refuse((struct report_question){.kind = REPORT_REVENUE, .span = odd}, STATUS_INPUT,
           "whole days");
    refuse((struct report_question){.kind = REPORT_REVENUE, .span = none, .rows = "summit"},
           STATUS_NOT_FOUND, "its rows are '");
    refuse(
        (struct report_question){.kind = REPORT_AGING, .span = none, .now = books.now, .rows = "x"},
        STATUS_NOT_FOUND, "nothing is open under 'x'");
    refuse((struct report_question){.kind = REPORT_UNEXPLAINED, .span = none, .rows = "fate"},
           STATUS_NOT_FOUND, "no cause 'fate'");
    refuse((struct report_question){.kind = REPORT_UNEXPLAINED, .span = {.period = "2026-10"}},
           STATUS_INPUT, "whole ledger");
    refuse((struct report_question){.kind = REPORT_REVENUE, .span = none, .days = "3"},
           STATUS_INPUT, "are for investment");
    refuse((struct report_question){.kind = REPORT_REVENUE,
                                    .span = {.period = "2020-01"},
                                    .rows = "x"},
           STATUS_NOT_FOUND, "no rows in January 2020");
}

static void
nothing_is_said_in_words(void **state)
{
    (void)state;
    static const enum report_kind kinds[] = {
        REPORT_REVENUE,   REPORT_INTERNAL,   REPORT_ACCRUALS,      REPORT_AGING,
        REPORT_CLAWBACKS, REPORT_GAIN_SHARE, REPORT_TRIAL_BALANCE, REPORT_ECONOMICS};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct report_question question = {
            .kind = kinds[i], .span = {.period = "2020-01"}, .now = books.now};
        struct report report = ask(&question);
        assert_int_equal(report.row_count, 0);
        assert_true(strlen(report.empty) > 10);
    }
}

// Comes last: it adds many transfers.
static void
of_very_many_rows_the_rest_is_one(void **state)
{
    (void)state;
    enum { MANY = 10050 };
    struct transfer *many = calloc(MANY, sizeof *many);
    struct period july;
    int64_t sum = 0;
    assert_int_equal(period_parse("2026-07", 7, &july), STATUS_OK);
    for (uint64_t i = 0; i < MANY; i++) {
        draw_transfer(&many[i], TRANSFERS + i);
        many[i].state = TRANSFER_POSTED;
        many[i].log = 2;
        many[i].debit = (struct account){.code = ACCOUNT_UNBILLED, .seat = seat_id("grill")};
        many[i].credit = (struct account){.code = ACCOUNT_SLOT_EXTERNAL};
        many[i].rung = 2;
        assert_int_equal(currency_parse("EUR", 3, &many[i].currency), STATUS_OK);
        many[i].effective.us = july.from.us + (int64_t)draw(31) * USEC_DAY;
        snprintf(many[i].period, sizeof many[i].period, "2026-07");
        sum += many[i].amount.micros;
    }
    assert_int_equal(db_begin(books.ledger_db), STATUS_OK);
    assert_int_equal(transfer_load(books.ledger_db, many, MANY), STATUS_OK);
    assert_int_equal(db_commit(books.ledger_db), STATUS_OK);
    free(many);
    static const struct {
        enum report_kind kind;
        const char *rows, *figure;
    } asked[] = {{REPORT_REVENUE, "behavioral", "net_micros"},
                 {REPORT_AGING, "Assets:Receivable:Unbilled:grill", "open_micros"},
                 {REPORT_ECONOMICS, "total", "revenue_micros"}};
    for (size_t i = 0; i < 3; i++) {
        struct report_question question = {.kind = asked[i].kind,
                                           .span = {.period = "2026-07"},
                                           .rows = asked[i].rows,
                                           .now = books.now};
        struct report behind = ask(&question);
        int64_t shown = 0;
        for (size_t row = 0; row + 1 < behind.row_count; row++)
            shown += number(&behind, row, asked[i].figure);
        assert_int_equal(behind.row_count, 10002);
        assert_int_equal(shown, sum);
        assert_int_equal(number(&behind, behind.row_count - 1, asked[i].figure), sum);
        bool told = false;
        for (size_t k = 0; k < behind.column_count && !told; k++) {
            const char *text = behind.cells[(behind.row_count - 2) * behind.column_count + k];
            told = text && strcmp(text, "50 further") == 0;
        }
        assert_true(told);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(revenue_is_the_same_by_whatever),
        cmocka_unit_test(trial_balance_is_every_entry),
        cmocka_unit_test(a_closed_period_opens_the_next),
        cmocka_unit_test(accruals_and_clawbacks_roll_forward),
        cmocka_unit_test(internal_prices_pair_up),
        cmocka_unit_test(gain_share_is_due_as_the_accounts_say),
        cmocka_unit_test(what_is_open_is_aged),
        cmocka_unit_test(what_does_not_add_up_is_told_by_cause),
        cmocka_unit_test(bad_questions_are_told_the_mend),
        cmocka_unit_test(nothing_is_said_in_words),
        cmocka_unit_test(of_very_many_rows_the_rest_is_one),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
