// Economics against a count by hand over the facts and transfers of random books, through a change
// of
// what contacts cost.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "period.h"
#include "report.h"
#include "seed.h"

static struct books books;
static uint64_t first_catalog;
static char fault[REPORT_FAULT];
// A market in which a bill costs as much, and of calls only what their slots cost is said.
static char text[2][8192];

static void
write_market(char *out, const char *bill, const char *opening)
{
    const char *a = strstr(books_market, "bill, owner: care, slots"),
               *b = strstr(books_market, "opening: {floor: 0.02,");
    snprintf(
        out, 8192, "%.*sbill, owner: care, cost: %s, slots%.*sopening: {cost: %s, floor: 0.02,%s",
        (int)(a - books_market), books_market, bill, (int)(b - a - 24), a + 24, opening, b + 22);
}

static int
set_up(void **state)
{
    (void)state;
    write_market(text[0], "0.40", "0.03");
    write_market(text[1], "0.55", "0.01");
    books_open(&books, text[0], "2026-10-15T09:00:00Z");
    first_catalog = books.catalog;
    books_random(&books, seed_fresh(), 500, 80 * 60 * USEC_SECOND);
    books_apply(&books, text[1]);
    books_random(&books, seed_fresh() + 1, 500, 80 * 60 * USEC_SECOND);
    books_ship(&books);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    books_close(&books);
    return 0;
}

static bool
within(const char *period, usec at)
{
    struct period of;
    period_of(at, (usec){0}, &of);
    return !period[0] || strcmp(of.name, period) == 0;
}

static bool
delivered(const struct fact *placement)
{
    for (uint32_t i = 0; i < books.fact_count; i++) {
        const struct fact *fact = &books.facts[i];
        bool ends = fact->kind == FACT_DELIVERED || fact->kind == FACT_CANCELLED ||
                    fact->kind == FACT_EXPIRED;
        if (ends && id_same(fact_placement(fact), fact_placement(placement)))
            return fact->kind == FACT_DELIVERED;  // the first counts
    }
    return false;
}

struct figures {
    int64_t contacts, objectives, cost, revenue;
};

// `container` NULL: all of them.
static struct figures
count(const char *period, const char *container)
{
    struct figures out = {0, 0, 0, 0};
    for (uint32_t i = 0; i < books.fact_count; i++) {
        const struct fact *fact = &books.facts[i];
        if (fact->kind != FACT_CONTACT || !within(period, fact->at)) continue;
        const char *code = "";
        for (uint32_t k = 0; k < books.market->container_count; k++)
            if (books.market->containers[k].id == fact->opened.container)
                code = books.market->containers[k].code;
        if (container && strcmp(code, container) != 0) continue;
        bool first = fact->opened.catalog == first_catalog, bill = strcmp(code, "bill") == 0;
        out.contacts++;
        out.cost += bill ? (first ? 400000 : 550000) : (first ? 30000 : 10000);
        unsigned mask = fact->opened.achieved & 3;
        for (uint32_t k = i + 1; k <= i + fact->opened.slots; k++)
            if (books.facts[k].kind == FACT_PLACEMENT && delivered(&books.facts[k]))
                mask |= books.facts[k].placement.objectives;
        for (; mask; mask &= mask - 1) out.objectives++;
    }
    char sql[600];
    snprintf(sql, sizeof sql,
             "select coalesce(-sum(e.micros), 0)::bigint::text from entry e join transfer t"
             " on t.transfer_id = e.transfer_id left join slot s on s.id = t.slot"
             " where e.account %% 10000 between 4000 and 5999 and ('%s' = '' or e.period = '%s')"
             " and ('%s' = '' or s.container = '%s')",
             period, period, container ? container : "", container ? container : "");
    out.revenue = strtoll(books_text(&books, sql), NULL, 10);
    return out;
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

static struct report
ask(const char *period, const char *by, const char *rows)
{
    struct report_question question = {
        .kind = REPORT_ECONOMICS, .span = {.period = period}, .by = by, .rows = rows};
    struct report report;
    enum status status = report_answer(books.console_db, &question, books.arena, &report, fault);
    if (status != STATUS_OK) fail_msg("%s %s", fault, db_fault(books.console_db)->text);
    return report;
}

static void
check_row(const struct report *report, size_t row, const struct figures *model)
{
    money each;
    assert_int_equal(number(report, row, "contacts"), model->contacts);
    assert_int_equal(number(report, row, "objectives"), model->objectives);
    assert_int_equal(number(report, row, "cost_micros"), model->cost);
    assert_int_equal(number(report, row, "revenue_micros"), model->revenue);
    assert_int_equal(number(report, row, "net_micros"), model->revenue - model->cost);
    assert_int_equal(money_ratio(money_of(model->cost), 1, (uint64_t)model->contacts, &each),
                     STATUS_OK);
    assert_int_equal(number(report, row, "cost_per_contact_micros"), each.micros);
    assert_int_equal(money_ratio(money_of(model->revenue), 1, (uint64_t)model->contacts, &each),
                     STATUS_OK);
    assert_int_equal(number(report, row, "revenue_per_contact_micros"), each.micros);
}

static void
check_behind(const char *period, const char *by, const char *key, const struct figures *model)
{
    struct report behind = ask(period, by, key);
    struct figures sums = {0, 0, 0, 0};
    for (size_t row = 0; row + behind.total_rows < behind.row_count; row++) {
        sums.contacts += number(&behind, row, "contacts");
        sums.objectives += number(&behind, row, "objectives");
        sums.cost += number(&behind, row, "cost_micros");
        sums.revenue += number(&behind, row, "revenue_micros");
    }
    assert_memory_equal(&sums, model, sizeof sums);
    assert_int_equal(number(&behind, behind.row_count - 1, "revenue_micros"), model->revenue);
}

static void
economics_count_right(void **state)
{
    (void)state;
    static const char *const periods[] = {"", "2026-10", "2026-11"};
    for (int i = 0; i < 3; i++) {
        struct figures all = count(periods[i], NULL), one;
        struct report report = ask(periods[i], NULL, NULL);
        assert_int_equal(report.row_count, 3);
        check_row(&report, 2, &all);
        for (size_t row = 0; row < 2; row++) {
            one = count(periods[i], cell(&report, row, "container"));
            check_row(&report, row, &one);
            check_behind(periods[i], NULL, cell(&report, row, "container"), &one);
        }
        check_behind(periods[i], NULL, "total", &all);
        report = ask(periods[i], "total", NULL);
        assert_int_equal(report.row_count, 1);
        check_row(&report, 0, &all);
        report = ask(periods[i], "cell", NULL);
        assert_int_equal(report.row_count, 3);
        assert_string_equal(cell(&report, 0, "cell"), "use/bill");
        one = count(periods[i], "bill");
        check_row(&report, 0, &one);
        check_behind(periods[i], "cell", "use/bill", &one);
    }
}

static void
investment_reads_periods(void **state)
{
    (void)state;
    struct figures october = count("2026-10", NULL), november = count("2026-11", NULL);
    struct report_question question = {.kind = REPORT_INVESTMENT,
                                       .span = {.period = ""},
                                       .current = "2026-10",
                                       .target = "2026-11",
                                       .investment = "100"};
    struct report report;
    assert_true(report_needs_ledger(&question));
    assert_int_equal(report_answer(books.console_db, &question, books.arena, &report, fault),
                     STATUS_OK);
    for (size_t row = 0; row < report.row_count; row++) {
        money change;
        if (strcmp(cell(&report, row, "figure"), "swing") != 0) continue;
        const char *swing = cell(&report, row, "change");
        assert_int_equal(money_parse(swing, strlen(swing), &change), STATUS_OK);
        assert_int_equal(change.micros,
                         november.revenue - november.cost - october.revenue + october.cost);
    }
    assert_non_null(strstr(report.heading, "over 30 days, amounts in EUR"));
    question.currency = "USD";
    assert_int_equal(report_answer(books.console_db, &question, books.arena, &report, fault),
                     STATUS_INPUT);
    question.current = "2019-01";
    assert_int_equal(report_answer(books.console_db, &question, books.arena, &report, fault),
                     STATUS_INPUT);
    assert_non_null(strstr(fault, "no contacts in 2019-01"));
}

static void
refused(const char *by, const char *rows, enum status wanted, const char *words)
{
    struct report_question question = {
        .kind = REPORT_ECONOMICS, .span = {.period = ""}, .by = by, .rows = rows};
    struct report report;
    assert_int_equal(report_answer(books.console_db, &question, books.arena, &report, fault),
                     wanted);
    if (!strstr(fault, words)) fail_msg("'%s' does not say '%s'", fault, words);
}

static void
bad_questions_are_told_the_mend(void **state)
{
    (void)state;
    refused("rung", NULL, STATUS_INPUT, "use container, cell or total");
    refused(NULL, "phone", STATUS_NOT_FOUND, "its rows are 'bill', 'call', 'total'");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(economics_count_right),
        cmocka_unit_test(investment_reads_periods),
        cmocka_unit_test(bad_questions_are_told_the_mend),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
