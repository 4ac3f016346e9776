// Periods by name and by time, and the cents of a statement's lines. Pure.
//
//  1 A name is exactly "YYYY-MM"; its period is that month in UTC.
//  2 Every time from 1970 to the end of 9999 lies in exactly one period; period_of of a time below
//    the fence gives the period that starts at the fence or contains it, never one below.
//  3 Rounded lines add up to the rounded total; total + residue is the exact sum; no line is off by
//    a cent.
#include "period.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define LAST_INSTANT 253402300799999999LL  // 9999-12-31T23:59:59.999999Z

static const char *const month_names[12] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December",
};

static usec
first_of(unsigned year, unsigned month)
{
    char text[CLOCK_TEXT];
    int len = snprintf(text, sizeof text, "%04u-%02u-01", year, month);
    usec at;
    CHECK(clock_parse(text, (size_t)len, &at) == STATUS_OK);
    return at;
}

static void
fill(unsigned year, unsigned month, struct period *out)
{
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%04u-%02u", year % 10000, month % 100);
    out->from = first_of(year, month);
    if (year == 9999 && month == 12) out->until = (usec){LAST_INSTANT + 1};
    else out->until = month == 12 ? first_of(year + 1, 1) : first_of(year, month + 1);
}

enum status
period_parse(const char *text, size_t len, struct period *out_period)
{
    if (len != 7 || text[4] != '-') return STATUS_INPUT;
    unsigned number[2] = {0, 0};
    for (size_t i = 0; i < len; i++) {
        if (i == 4) continue;
        if (text[i] < '0' || text[i] > '9') return STATUS_INPUT;
        number[i > 4] = number[i > 4] * 10 + (unsigned)(text[i] - '0');
    }
    if (number[0] < 1970 || number[1] < 1 || number[1] > 12) return STATUS_INPUT;
    fill(number[0], number[1], out_period);
    return STATUS_OK;
}

void
period_of(usec at, usec fenced_until, struct period *out_period)
{
    usec when = at.us >= fenced_until.us ? at : fenced_until;
    CHECK(when.us >= 0 && when.us <= LAST_INSTANT);
    char text[CLOCK_TEXT];
    clock_format(when, text);
    CHECK(period_parse(text, 7, out_period) == STATUS_OK);
}

void
period_next(const struct period *period, struct period *out_next)
{
    period_of(period->until, (usec){0}, out_next);
}

void
period_title(const struct period *period, char out[PERIOD_TITLE])
{
    int month = (period->name[5] - '0') * 10 + period->name[6] - '0';
    CHECK(month >= 1 && month <= 12);
    snprintf(out, PERIOD_TITLE, "%s %.4s", month_names[month - 1], period->name);
}

unsigned
period_cent_decimals(struct currency currency)
{
    // ISO 4217, list one: currencies whose minor unit is not a hundredth.
    static const char none[][4] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                   "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
    static const char three[][4] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (memcmp(none[i], currency.code, 3) == 0) return 0;
    for (size_t i = 0; i < sizeof three / sizeof three[0]; i++)
        if (memcmp(three[i], currency.code, 3) == 0) return 3;
    return 2;
}

int64_t
period_cent(struct currency currency)
{
    static const int64_t cents[4] = {1000000, 100000, 10000, 1000};
    return cents[period_cent_decimals(currency)];
}

struct rest {
    int64_t above;  // what rounding down took from the line, 0 to cent - 1
    size_t index;
};

// Largest remainder first; ties to the lower index.
static int
by_rest(const void *left, const void *right)
{
    const struct rest *a = left, *b = right;
    if (a->above != b->above) return a->above < b->above ? 1 : -1;
    return a->index < b->index ? -1 : a->index > b->index;
}

enum status
period_round(const money *lines, size_t count, int64_t cent, money *out_lines, money *out_total,
             money *out_residue)
{
    enum status status = STATUS_OK;
    CHECK(cent > 0);
    struct rest *rests = calloc(count + 1, sizeof *rests);
    CHECK(rests != NULL);
    money sum = money_of(0), floors = money_of(0), left;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        int64_t above = lines[i].micros % cent;
        if (above < 0) above += cent;
        rests[i] = (struct rest){above, i};
        status = money_add(sum, lines[i], &sum);
        if (status == STATUS_OK) status = money_subtract(lines[i], money_of(above), &out_lines[i]);
        if (status == STATUS_OK) status = money_add(floors, out_lines[i], &floors);
    }
    if (status != STATUS_OK) goto done;
    *out_residue = money_of(sum.micros % cent);  // towards zero: the sum's sign
    status = money_subtract(sum, *out_residue, out_total);
    if (status == STATUS_OK) status = money_subtract(*out_total, floors, &left);
    if (status != STATUS_OK) goto done;
    // The remainders add up to less than count cents, so there are at most `count` cents to give.
    size_t give = (size_t)(left.micros / cent);
    CHECK(left.micros >= 0 && left.micros % cent == 0 && give <= count);
    qsort(rests, count, sizeof *rests, by_rest);
    for (size_t i = 0; i < give && status == STATUS_OK; i++)
        status = money_add(out_lines[rests[i].index], money_of(cent), &out_lines[rests[i].index]);
done:
    free(rests);
    return status;
}
