// The investment case: a current state of the platform against a target, and what it takes to get
// from one to the other.
//
//  1 A state is contacts, cost of one, objectives achieved per contact, and revenue of all; given
// by
//    figures, or taken from a period of the ledger (report economics).
//  2 net = revenue - contacts x cost; swing = the target's net - the current one's;
//    return = (swing - investment) / investment, in whole percent;
//    payback = days x investment / swing, in whole days: the day by which the swing, earned evenly,
//    has brought the investment back. Both rounded half to even; all else exact.
//  3 Days are those that the states span: of periods their own, of figures 365, or as given.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "period.h"
#include "report_finance.h"

#define FIGURES "contacts=N,cost=A,objectives=D,revenue=A"
#define DAYS_MAX 36600

static const struct report_column columns[] = {
    {"figure", "", false, false, REPORT_MACHINE},    {"title", "", false, false, REPORT_PEOPLE},
    {"current", "current", true, false, REPORT_ALL}, {"target", "target", true, false, REPORT_ALL},
    {"change", "change", true, false, REPORT_ALL},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

bool
report_needs_ledger(const struct report_question *question)
{
    if (question->kind != REPORT_INVESTMENT) return true;
    const char *states[] = {question->current, question->target};
    struct period period;
    for (int i = 0; i < 2; i++)
        if (states[i] && period_parse(states[i], strlen(states[i]), &period) == STATUS_OK)
            return true;
    return false;
}

// --- States as figures ---------------------------------------------------------------------------

struct given {
    bool contacts, cost, objectives, revenue;
    money each;
};

static enum status
read_figure(struct finance *finance, const char *option, const char *text, size_t len,
            struct report_state *state, struct given *given)
{
    const char *equals = memchr(text, '=', len);
    if (!equals)
        return report_fault(finance,
                            "--%s: '%.*s' is no figure; write a period as 2026-11, or " FIGURES,
                            option, (int)len, text);
    size_t name = (size_t)(equals - text);
    const char *value = equals + 1;
    size_t rest = len - name - 1;
    money amount;
    bool *seen, right;
    if (money_parse(value, rest, &amount) != STATUS_OK)
        return report_fault(finance,
                            "--%s: '%.*s' is no amount up to 1,000,000,000; write it as 12.50",
                            option, (int)rest, value);
    if (name == 8 && memcmp(text, "contacts", 8) == 0) {
        seen = &given->contacts;
        right = amount.micros > 0 && amount.micros % MONEY_PPM == 0;
        state->contacts = amount.micros / MONEY_PPM;
    } else if (name == 4 && memcmp(text, "cost", 4) == 0) {
        seen = &given->cost;
        right = amount.micros >= 0;
        given->each = amount;
    } else if (name == 10 && memcmp(text, "objectives", 10) == 0) {
        seen = &given->objectives;
        right = amount.micros >= 0 && amount.micros <= 9 * (int64_t)MONEY_PPM;
        state->objectives = amount;
    } else if (name == 7 && memcmp(text, "revenue", 7) == 0) {
        seen = &given->revenue;
        right = true;
        state->revenue = amount;
    } else {
        return report_fault(finance, "--%s: there is no figure '%.*s'; use " FIGURES, option,
                            (int)name, text);
    }
    if (*seen) return report_fault(finance, "--%s names %.*s twice", option, (int)name, text);
    if (!right)
        return report_fault(finance,
                            "--%s: %.*s cannot be %.*s; contacts are a whole number above 0, "
                            "cost is not below 0, objectives are 0 to 9",
                            option, (int)name, text, (int)rest, value);
    *seen = true;
    return STATUS_OK;
}

static enum status
read_figures(struct finance *finance, const char *option, const char *text,
             const struct report_state *before, struct report_state *out_state)
{
    struct given given = {false, false, false, false, money_of(0)};
    // As many contacts as before, unless the target says otherwise.
    *out_state = (struct report_state){.contacts = before ? before->contacts : 0, .currency = ""};
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        enum status status = read_figure(finance, option, at, len, out_state, &given);
        if (status != STATUS_OK) return status;
        at += len;
        if (*at == '\0') break;
    }
    if (!given.cost || !given.objectives || !given.revenue || out_state->contacts == 0)
        return report_fault(finance, "--%s leaves figures out; write all of " FIGURES, option);
    if (money_ratio(given.each, (uint64_t)out_state->contacts, 1, &out_state->cost) != STATUS_OK)
        return report_fault(finance,
                            "--%s: %" PRId64 " contacts at that cost are more than can be counted",
                            option, out_state->contacts);
    return STATUS_OK;
}

static enum status
read_state(struct finance *finance, const char *option, const char *text,
           const struct report_state *before, struct report_state *out_state)
{
    struct period period;
    if (!text)
        return report_fault(
            finance, "investment needs --current and --target, each a period (2026-11) or " FIGURES
                     ", and --investment AMOUNT");
    if (period_parse(text, strlen(text), &period) != STATUS_OK)
        return read_figures(finance, option, text, before, out_state);
    struct report_question question = {.kind = REPORT_ECONOMICS, .span = {.period = period.name}};
    struct finance asked = *finance;
    asked.question = &question;
    asked.from_day = 0;
    asked.until_day = INT32_MAX;
    enum status status = report_state(&asked, out_state);
    if (status == STATUS_OK && out_state->contacts == 0)
        return report_fault(finance, "--%s: there were no contacts in %s", option, period.name);
    out_state->days = (period.until.us - period.from.us) / USEC_DAY;
    return status;
}

// --- The case ------------------------------------------------------------------------------------

struct investment_case {
    struct report_state current, target;
    money investment, net[2], swing;
    int64_t days;
    const char *currency;
};

static enum status
read_amount(struct finance *finance, money *out_amount)
{
    const char *text = finance->question->investment;
    if (!text) return report_fault(finance, "investment needs --investment AMOUNT, as 1500000.00");
    if (money_parse(text, strlen(text), out_amount) != STATUS_OK || out_amount->micros < 0)
        return report_fault(finance,
                            "--investment: '%s' is no amount from 0 to 1,000,000,000; write it as "
                            "1500000.00",
                            text);
    return STATUS_OK;
}

static enum status
read_span(struct finance *finance, struct investment_case *worked)
{
    const char *text = finance->question->days;
    worked->days = worked->target.days    ? worked->target.days
                   : worked->current.days ? worked->current.days
                                          : 365;
    if (!text) return STATUS_OK;
    char *end;
    worked->days = strtol(text, &end, 10);
    if (*text < '1' || *text > '9' || *end || worked->days > DAYS_MAX)
        return report_fault(finance, "--days: '%s' is no number of days from 1 to %d", text,
                            DAYS_MAX);
    return STATUS_OK;
}

static enum status
read_currency(struct finance *finance, struct investment_case *worked)
{
    const char *given = finance->question->currency;
    const char *current = worked->current.currency, *target = worked->target.currency;
    struct currency checked;
    if (given && currency_parse(given, strlen(given), &checked) != STATUS_OK)
        return report_fault(finance, "--currency: '%s' is no currency; write it as EUR", given);
    worked->currency = given ? given : current[0] ? current : target;
    if ((current[0] && strcmp(current, worked->currency) != 0) ||
        (target[0] && strcmp(target, worked->currency) != 0))
        return report_fault(finance, "the ledger's amounts are in %s, not in %s",
                            current[0] ? current : target, worked->currency);
    return STATUS_OK;
}

static enum status
work_out(struct finance *finance, struct investment_case *worked)
{
    if (money_subtract(worked->current.revenue, worked->current.cost, &worked->net[0]) ==
            STATUS_OK &&
        money_subtract(worked->target.revenue, worked->target.cost, &worked->net[1]) == STATUS_OK &&
        money_subtract(worked->net[1], worked->net[0], &worked->swing) == STATUS_OK)
        return STATUS_OK;
    return report_fault(finance, "these amounts are more than can be counted");
}

static void
put_plain(struct sheet *sheet, money amount, unsigned decimals)
{
    char text[MONEY_TEXT];
    size_t len = money_format(amount, decimals, text);
    sheet_put(sheet, arena_text(sheet->arena, text, len));
}

static void
put_line(struct sheet *sheet, const char *figure, const char *title, money current, money target,
         unsigned decimals)
{
    money change;
    sheet_put(sheet, figure);
    sheet_put(sheet, title);
    put_plain(sheet, current, decimals);
    put_plain(sheet, target, decimals);
    if (money_subtract(target, current, &change) == STATUS_OK) put_plain(sheet, change, decimals);
    else sheet_put(sheet, NULL);
}

// A figure of the case as a whole; NULL: there is none.
static void
put_result(struct sheet *sheet, const char *figure, const char *title, const char *value)
{
    sheet_put(sheet, figure);
    sheet_put(sheet, title);
    sheet_put(sheet, NULL);
    sheet_put(sheet, NULL);
    sheet_put(sheet, value);
}

static void
put_results(struct sheet *sheet, const struct investment_case *worked)
{
    char text[MONEY_TEXT];
    money gain, percent, days;
    bool pays = worked->swing.micros > 0, invests = worked->investment.micros > 0;
    money_format(worked->swing, 2, text);
    put_result(sheet, "swing", "swing", arena_printf(sheet->arena, "%s", text));
    money_format(worked->investment, 2, text);
    put_result(sheet, "investment", "investment", arena_printf(sheet->arena, "%s", text));
    bool known = invests && money_subtract(worked->swing, worked->investment, &gain) == STATUS_OK &&
                 money_ratio(gain, 100, (uint64_t)worked->investment.micros, &percent) == STATUS_OK;
    put_result(sheet, "return_percent", "return on investment, percent",
               known ? arena_printf(sheet->arena, "%" PRId64, percent.micros) : NULL);
    known = pays && money_ratio(worked->investment, (uint64_t)worked->days,
                                (uint64_t)worked->swing.micros, &days) == STATUS_OK;
    put_result(sheet, "payback_days", "payback, days",
               known ? arena_printf(sheet->arena, "%" PRId64, days.micros) : NULL);
}

static void
put_case(struct sheet *sheet, const struct investment_case *worked)
{
    const struct report_state *now = &worked->current, *then = &worked->target;
    struct report *report = sheet->report;
    sheet_begin(sheet, columns, COLUMNS, 11);
    sheet_put(sheet, "contacts");
    sheet_put(sheet, "contacts");
    sheet_count(sheet, now->contacts);
    sheet_count(sheet, then->contacts);
    sheet_count(sheet, then->contacts - now->contacts);
    put_line(sheet, "cost_per_contact", "cost per contact", sheet_per(now->cost, 1, now->contacts),
             sheet_per(then->cost, 1, then->contacts), 2);
    put_line(sheet, "objectives_per_contact", "objectives achieved per contact", now->objectives,
             then->objectives, 1);
    put_line(sheet, "revenue_per_contact", "revenue per contact",
             sheet_per(now->revenue, 1, now->contacts), sheet_per(then->revenue, 1, then->contacts),
             2);
    put_line(sheet, "cost", "cost", now->cost, then->cost, 2);
    put_line(sheet, "revenue", "revenue", now->revenue, then->revenue, 2);
    put_line(sheet, "net", "net", worked->net[0], worked->net[1], 2);
    put_results(sheet, worked);
    report->heading = arena_printf(sheet->arena, "The investment case over %" PRId64 " days%s%s",
                                   worked->days, worked->currency[0] ? ", amounts in " : "",
                                   worked->currency);
    report->notes =
        worked->swing.micros > 0
            ? "Swing: the target's net less the current one. Return: what is left of the swing "
              "after the investment, to the investment."
            : "The target earns no more than the current state: the investment is never paid "
              "back.";
}

enum status
report_investment(struct finance *finance)
{
    struct investment_case worked = {.days = 0};
    const struct report_question *question = finance->question;
    enum status status = read_state(finance, "current", question->current, NULL, &worked.current);
    if (status == STATUS_OK)
        status = read_state(finance, "target", question->target, &worked.current, &worked.target);
    if (status == STATUS_OK) status = read_amount(finance, &worked.investment);
    if (status == STATUS_OK) status = read_span(finance, &worked);
    if (status == STATUS_OK) status = read_currency(finance, &worked);
    if (status == STATUS_OK) status = work_out(finance, &worked);
    if (status != STATUS_OK) return status;
    put_case(&finance->sheet, &worked);
    finance->sheet.report->empty = "";
    return STATUS_OK;
}
