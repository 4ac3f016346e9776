// The investment case: the worked example, rounding, and what cannot be asked.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "report.h"

#define CURRENT "contacts=200000,cost=12.00,objectives=2.4,revenue=800000"
#define TARGET "contacts=200000,cost=12.50,objectives=6.8,revenue=18400000"

static struct arena *arena;
static char fault[REPORT_FAULT];

static int
set_up(void **state)
{
    (void)state;
    arena = arena_open("test");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

static struct report_question
question_of(const char *current, const char *target, const char *investment)
{
    return (struct report_question){.kind = REPORT_INVESTMENT,
                                    .span = {.period = ""},
                                    .current = current,
                                    .target = target,
                                    .investment = investment};
}

static struct report
ask(const struct report_question *question)
{
    struct report report;
    assert_false(report_needs_ledger(question));
    enum status status = report_answer(NULL, question, arena, &report, fault);
    if (status != STATUS_OK) fail_msg("%s", fault);
    return report;
}

static const char *
figure(const struct report *report, const char *name, const char *column)
{
    size_t at = 0;
    while (at < report->column_count && strcmp(report->columns[at].key, column) != 0) at++;
    assert_true(at < report->column_count);
    for (size_t row = 0; row < report->row_count; row++)
        if (strcmp(report->cells[row * report->column_count], name) == 0)
            return report->cells[row * report->column_count + at];
    fail_msg("no figure %s", name);
    return "";
}

static void
the_worked_example(void **state)
{
    (void)state;
    struct report_question question = question_of(CURRENT, TARGET, "1500000");
    question.currency = "USD";
    struct report report = ask(&question);
    assert_string_equal(figure(&report, "net", "current"), "-1600000.00");
    assert_string_equal(figure(&report, "net", "target"), "15900000.00");
    assert_string_equal(figure(&report, "swing", "change"), "17500000.00");
    assert_string_equal(figure(&report, "return_percent", "change"), "1067");
    assert_string_equal(figure(&report, "payback_days", "change"), "31");
    assert_string_equal(figure(&report, "cost", "current"), "2400000.00");
    assert_string_equal(figure(&report, "cost", "target"), "2500000.00");
    assert_string_equal(figure(&report, "revenue_per_contact", "current"), "4.00");
    assert_string_equal(figure(&report, "revenue_per_contact", "target"), "92.00");
    assert_string_equal(figure(&report, "objectives_per_contact", "change"), "4.4");
    assert_string_equal(figure(&report, "cost_per_contact", "change"), "0.50");
    assert_non_null(strstr(report.heading, "365 days, amounts in USD"));
}

static void
targets_keep_what_they_leave_out(void **state)
{
    (void)state;
    struct report_question question = question_of(
        CURRENT, "cost=12.50,objectives=6.8,revenue=18400000", "1500000.00");
    struct report report = ask(&question);
    assert_string_equal(figure(&report, "contacts", "target"), "200000");
    assert_string_equal(figure(&report, "payback_days", "change"), "31");
    question.days = "30";
    report = ask(&question);
    assert_string_equal(figure(&report, "payback_days", "change"), "3");  // 2.57
}

static void
what_never_pays_back_says_so(void **state)
{
    (void)state;
    struct report_question question = question_of(TARGET, CURRENT, "1500000");
    struct report report = ask(&question);
    assert_string_equal(figure(&report, "swing", "change"), "-17500000.00");
    assert_string_equal(figure(&report, "return_percent", "change"), "-1267");  // 1266.67
    assert_null(figure(&report, "payback_days", "change"));
    assert_non_null(strstr(report.notes, "never paid back"));
    question = question_of(CURRENT, TARGET, "0");
    report = ask(&question);
    assert_null(figure(&report, "return_percent", "change"));
    assert_string_equal(figure(&report, "payback_days", "change"), "0");
}

static void
bad_cases_are_told_the_mend(void **state)
{
    (void)state;
    static const struct {
        const char *current, *target, *investment, *days, *currency, *words;
    } bad[] = {
        {NULL, TARGET, "1", NULL, NULL, "needs --current and --target"},
        {CURRENT, NULL, "1", NULL, NULL, "needs --current and --target"},
        {CURRENT, TARGET, NULL, NULL, NULL, "needs --investment AMOUNT"},
        {CURRENT, TARGET, "-1", NULL, NULL, "no amount from 0"},
        {CURRENT, TARGET, "1,5", NULL, NULL, "no amount from 0"},
        {"contacts=0,cost=1,objectives=1,revenue=1", TARGET, "1", NULL, NULL,
         "whole number above 0"},
        {"contacts=1.5,cost=1,objectives=1,revenue=1", TARGET, "1", NULL, NULL,
         "whole number above 0"},
        {"contacts=1,cost=-1,objectives=1,revenue=1", TARGET, "1", NULL, NULL,
         "cost is not below 0"},
        {"contacts=1,cost=1,objectives=9.1,revenue=1", TARGET, "1", NULL, NULL,
         "objectives are 0 to 9"},
        {"contacts=1,cost=1,objectives=1", TARGET, "1", NULL, NULL, "leaves figures out"},
        {"contacts=1,cost=1,cost=1,objectives=1,revenue=1", TARGET, "1", NULL, NULL, "cost twice"},
        {"contacts=1,price=1", TARGET, "1", NULL, NULL, "no figure 'price'"},
        {"2026-13", TARGET, "1", NULL, NULL, "'2026-13' is no figure"},
        {"contacts=1000000000,cost=1000000000,objectives=1,revenue=1", TARGET, "1", NULL, NULL,
         "more than can be counted"},
        {"contacts=1,cost=1,objectives=1,revenue=99999999999999", TARGET, "1", NULL, NULL,
         "no amount up to"},
        {CURRENT, TARGET, "1", "0", NULL, "no number of days"},
        {CURRENT, TARGET, "1", "ten", NULL, "no number of days"},
        {CURRENT, TARGET, "1", NULL, "euro", "no currency"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct report_question question = question_of(bad[i].current, bad[i].target,
                                                      bad[i].investment);
        struct report report;
        question.days = bad[i].days;
        question.currency = bad[i].currency;
        enum status status = report_answer(NULL, &question, arena, &report, fault);
        assert_int_equal(status, STATUS_INPUT);
        if (!strstr(fault, bad[i].words)) fail_msg("'%s' does not say '%s'", fault, bad[i].words);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example),
        cmocka_unit_test(targets_keep_what_they_leave_out),
        cmocka_unit_test(what_never_pays_back_says_so),
        cmocka_unit_test(bad_cases_are_told_the_mend),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
