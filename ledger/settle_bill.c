// Steps 5 and 6 of a close: statements and bills.
//
//  1 Before the statements the models are fitted to the period, in transactions of their own: a fit
//    is in force for what is booked later and changes nothing of this period. True-ups of
//    retroactive tiers are booked in it, with the statements.
//  2 All statements come from one pass over the period's sums.
//  3 One act bills the period: of each partner, in whole cents, what its statement's sections come
//    to that are billed. A total below zero is billed the other way round. The act is made even
//    when there is nothing to bill, so that every close stands in the chain of acts; its number and
//    digest are recorded with the step.
//  4 After the bills, what is left on 1110 is what statements carry.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "fail.h"
#include "fit.h"
#include "life.h"
#include "settle_inside.h"
#include "statement_inside.h"

// --- Step 5 --------------------------------------------------------------------------------------

enum status
settle_before_statements(struct settle *settle)
{
    struct fit_report report;
    usec began = clock_monotonic();
    enum status status = fit_period(settle->db, settle->period, SETTLE_AUTHOR, settle->fenced_at,
                                    &report);
    settle->apart_us += clock_monotonic().us - began.us;
    return settle_db_fault(settle, status, "fitting the models");
}

static enum status
true_up(struct settle *settle)
{
    char fault[LIFE_FAULT] = "";
    enum status status = life_true_up(settle->db, settle->period, settle->fenced_at, fault);
    if (status != STATUS_OK && fault[0] != '\0')
        return settle_fault(settle, status, "truing up: %s", fault);
    return settle_db_fault(settle, status, "truing up");
}

enum status
settle_step_statements(struct settle *settle)
{
    struct statement *statements = NULL;
    size_t count = 0, lines = 0;
    enum status status = true_up(settle);
    if (status != STATUS_OK) return status;
    status = statement_all(settle->db, settle->period, settle->arena, &statements, &count);
    settle_db_fault(settle, status, "computing statements");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct digest digest;
        status = statement_store(settle->db, &statements[i], settle->arena, &digest);
        settle_db_fault(settle, status, "keeping a statement");
        if (status != STATUS_OK) break;
        fprintf(settle->record, "statement %s %s\n", statements[i].code,
                settle_hex(settle->arena, digest.bytes, sizeof digest.bytes));
        for (int k = 0; k < SECTION_COUNT; k++) lines += statements[i].sections[k].count;
    }
    settle_say(settle, "%zu statements, %zu lines; lines add up", count, lines);
    return status;
}

// --- Step 6 --------------------------------------------------------------------------------------

// Sections that are billed, and what they are billed from. The first one's ids are those of before.
static const struct billed {
    const char *section, *domain;
    uint16_t account;
} billed[] = {
    {"charged", "bill", ACCOUNT_UNBILLED},
    {"due", "bill.due", ACCOUNT_GAIN_RECEIVABLE},
    {"clawback", "bill.clawback", ACCOUNT_CLAWBACK},
};
#define BILLED (sizeof billed / sizeof *billed)

static void
bill(struct settle *settle, struct act *act, const struct billed *what, uint32_t seat,
     const char *code, struct currency currency, money total)
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
    bool back = total.micros < 0;
    struct account to = {.code = ACCOUNT_BILLED, .seat = seat},
                   from = {.code = what->account, .seat = seat};
    struct transfer one = {
        .id = hash_id(what->domain, &of, sizeof of),
        .group = hash_id("bill", &of, sizeof of),
        .kind = TRANSFER_BILL,
        .state = TRANSFER_POSTED,
        .debit = back ? from : to,
        .credit = back ? to : from,
        .currency = currency,
        .amount = money_of(back ? -total.micros : total.micros),
        .effective = {settle->period->until.us - 1},
        .seat = seat,
        .rung = -1,
        .won_rung = -1,
        .reason = "",
    };
    if (settle->fenced_at.us < one.effective.us) one.effective = settle->fenced_at;
    memcpy(one.period, settle->period->name, sizeof one.period);
    snprintf(one.reference, sizeof one.reference, "%.8s %.30s", settle->period->name, code);
    act_transfer(act, &one);
}

// (seat, code, section, currency, total)
static enum status
find_bills(struct settle *settle, struct db_rows **out_rows)
{
    static const char sql[] =
        "select t.seat, s.code, t.section, t.currency, t.total_micros from statement_total t"
        " join seat s on s.id = t.seat"
        " where t.period = $1 and t.section in ('charged', 'due', 'clawback')"
        " and t.total_micros <> 0 order by s.code collate \"C\", t.section collate \"C\"";
    const struct db_param params[] = {db_text(settle->period->name)};
    return settle_db_fault(settle, db_query(settle->db, sql, params, 1, out_rows), "listing bills");
}

static enum status
take_bill(struct settle *settle, struct act *act, const struct db_rows *rows, size_t row,
          money *sum)
{
    struct currency currency;
    money total = db_get_money(rows, row, 4);
    CHECK(currency_parse(db_get_text(rows, row, 3), db_get_len(rows, row, 3), &currency) ==
          STATUS_OK);
    for (size_t i = 0; i < BILLED; i++) {
        if (strcmp(billed[i].section, db_get_text(rows, row, 2)) != 0) continue;
        bill(settle, act, &billed[i], (uint32_t)db_get_int(rows, row, 0), db_get_text(rows, row, 1),
             currency, total);
        fprintf(settle->record, "bill%s %s %s %" PRId64 "\n", billed[i].domain + strlen("bill"),
                db_get_text(rows, row, 1), currency.code, total.micros);
    }
    if (money_add(*sum, total, sum) != STATUS_OK)
        return settle_fault(settle, STATUS_OVERFLOW, "the bills leave the range of amounts");
    return STATUS_OK;
}

// Rule 3.
static enum status
post_bills(struct settle *settle, const struct db_rows *rows, money *sum)
{
    struct act *act = NULL;
    enum status status = act_begin(settle->db, "bill", SETTLE_AUTHOR, "", settle->fenced_at, &act);
    if (status != STATUS_OK) return settle_db_fault(settle, status, "billing");
    act_note(act, "period", settle->period->name);
    for (size_t i = 0; i < db_count(rows) && status == STATUS_OK; i++)
        status = take_bill(settle, act, rows, i, sum);
    if (status != STATUS_OK) {
        act_abandon(act);
        return status;
    }
    status = act_end(act);
    if (status == STATUS_CONFLICT)
        return settle_fault(settle, status, "another bill was posted for this period: %s",
                            db_fault(settle->db)->text);
    struct act_head head;
    if (status == STATUS_OK) status = act_head(settle->db, &head);
    if (status == STATUS_OK)
        fprintf(settle->record, "act %" PRIu64 " %s\n", head.number,
                settle_hex(settle->arena, head.digest.bytes, sizeof head.digest.bytes));
    return settle_db_fault(settle, status, "posting bills");
}

// Rule 4.
static enum status
check_residues(struct settle *settle)
{
    static const char sql[] = SETTLE_CLOSING
        "select s.code, t.currency, t.carried_out_micros, coalesce(c.debit - c.credit, 0)::bigint"
        " from statement_total t join seat s on s.id = t.seat"
        " left join closing c on c.currency = t.currency"
        "  and c.account = t.seat::bigint * 100000 + 1110"
        " where t.period = $1 and t.section = 'charged'"
        "  and coalesce(c.debit - c.credit, 0) <> t.carried_out_micros order by s.code collate "
        "\"C\"";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(settle->period->name)};
    enum status status = settle_db_fault(settle, db_query(settle->db, sql, params, 1, &rows),
                                         "checking what is left unbilled");
    if (status == STATUS_OK && db_count(rows) > 0) {
        char expected[MONEY_TEXT], found[MONEY_TEXT];
        money_format(db_get_money(rows, 0, 2), 6, expected);
        money_format(db_get_money(rows, 0, 3), 6, found);
        status = settle_fault(settle, STATUS_CONFLICT,
                              "%s: %s %s should be left unbilled, the account says %s",
                              db_get_text(rows, 0, 0), expected, db_get_text(rows, 0, 1), found);
    }
    db_rows_free(rows);
    return status;
}

enum status
settle_step_bill(struct settle *settle)
{
    struct db_rows *rows = NULL;
    money sum = money_of(0);
    enum status status = find_bills(settle, &rows);
    if (status == STATUS_OK) status = post_bills(settle, rows, &sum);
    if (status == STATUS_OK) status = check_residues(settle);
    if (status == STATUS_OK) {
        char text[MONEY_TEXT];
        struct currency currency = {""};
        size_t partners = 0;
        for (size_t i = 0; i < db_count(rows); i++) {
            partners += i == 0 || db_get_int(rows, i, 0) != db_get_int(rows, i - 1, 0);
            CHECK(currency_parse(db_get_text(rows, i, 3), db_get_len(rows, i, 3), &currency) ==
                  STATUS_OK);
        }
        money_format(sum, period_cent_decimals(currency), text);
        settle_say(settle, "%zu partners billed, %s%s%s in all", partners, text,
                   partners > 0 ? " " : "", currency.code);
    }
    db_rows_free(rows);
    return status;
}
