// Clocks read, and RFC 3339 text. Dates are proleptic Gregorian; days are counted with the era
// method (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"), so no time zone data is
// consulted.
#include "clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fail.h"

static usec
read_clock(clockid_t which)
{
    struct timespec now;
    CHECK(clock_gettime(which, &now) == 0);
    return (usec){(int64_t)now.tv_sec * USEC_SECOND + now.tv_nsec / 1000};
}

usec
clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

usec
clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t
days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

static void
date_of(int64_t days, int64_t *out_year, unsigned *out_month, unsigned *out_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned month_from_march = (5 * doy + 2) / 153;
    *out_day = doy - (153 * month_from_march + 2) / 5 + 1;
    *out_month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *out_year = (int64_t)yoe + era * 400 + (*out_month <= 2);
}

void
clock_format(usec at, char out[CLOCK_TEXT])
{
    int64_t days = at.us / USEC_DAY, rest = at.us % USEC_DAY;
    if (rest < 0) {
        rest += USEC_DAY;
        days--;
    }
    int64_t year;
    unsigned month, day;
    date_of(days, &year, &month, &day);
    unsigned seconds = (unsigned)(rest / USEC_SECOND);
    // A buffer that holds any value of these types; the text that fits CLOCK_TEXT is what dates
    // give.
    char text[96];
    int len = snprintf(text, sizeof text, "%04lld-%02u-%02uT%02u:%02u:%02u.%06uZ", (long long)year,
                       month, day, seconds / 3600, seconds / 60 % 60, seconds % 60,
                       (unsigned)(rest % USEC_SECOND));
    CHECK(len > 0 && len < CLOCK_TEXT);
    memcpy(out, text, (size_t)len + 1);
}

struct cursor {
    const char *at, *end;
};

static bool
take_digits(struct cursor *in, unsigned count, unsigned *out_value)
{
    if (in->end - in->at < (ptrdiff_t)count) return false;
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++) {
        char c = in->at[i];
        if (c < '0' || c > '9') return false;
        value = value * 10 + (unsigned)(c - '0');
    }
    in->at += count;
    *out_value = value;
    return true;
}

static bool
take(struct cursor *in, char c)
{
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

static unsigned
days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

// Fraction of a second, 1 to 6 digits, in microseconds.
static bool
take_fraction(struct cursor *in, int64_t *out_us)
{
    int64_t us = 0, scale = 100000;
    unsigned digit;
    if (!take_digits(in, 1, &digit)) return false;
    do {
        us += (int64_t)digit * scale;
        scale /= 10;
    } while (scale > 0 && take_digits(in, 1, &digit));
    *out_us = us;
    return true;
}

// "Z" or "+hh:mm" or "-hh:mm": what local time is ahead of UTC.
static bool
take_zone(struct cursor *in, int64_t *out_us)
{
    *out_us = 0;
    if (take(in, 'Z') || take(in, 'z')) return true;
    int64_t sign = take(in, '+') ? 1 : take(in, '-') ? -1 : 0;
    unsigned hours, minutes;
    if (sign == 0 || !take_digits(in, 2, &hours) || !take(in, ':') || !take_digits(in, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59) return false;
    *out_us = sign * ((int64_t)hours * 3600 + minutes * 60) * USEC_SECOND;
    return true;
}

enum status
clock_parse(const char *text, size_t len, usec *out_at)
{
    struct cursor in = {text, text + len};
    unsigned year, month, day;
    if (!take_digits(&in, 4, &year) || !take(&in, '-') || !take_digits(&in, 2, &month) ||
        !take(&in, '-') || !take_digits(&in, 2, &day))
        return STATUS_INPUT;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return STATUS_INPUT;
    int64_t us = days_of(year, month, day) * USEC_DAY;
    if (in.at == in.end) {
        *out_at = (usec){us};
        return STATUS_OK;
    }
    unsigned hour, minute, second;
    int64_t fraction = 0, ahead = 0;
    if (!take(&in, 'T') && !take(&in, 't') && !take(&in, ' ')) return STATUS_INPUT;
    if (!take_digits(&in, 2, &hour) || !take(&in, ':') || !take_digits(&in, 2, &minute) ||
        !take(&in, ':') || !take_digits(&in, 2, &second))
        return STATUS_INPUT;
    if (hour > 23 || minute > 59 || second > 59) return STATUS_INPUT;
    if (take(&in, '.') && !take_fraction(&in, &fraction)) return STATUS_INPUT;
    if (!take_zone(&in, &ahead) || in.at != in.end) return STATUS_INPUT;
    us += ((int64_t)hour * 3600 + minute * 60 + second) * USEC_SECOND + fraction - ahead;
    *out_at = (usec){us};
    return STATUS_OK;
}
