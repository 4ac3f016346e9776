// Tests of the host's clock out of the system's database of time zones: the days and windows of a
// catalog that was made with it, over both changes of a year.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catalog.h"
#include "market_zone.h"

#define HOUR_US (3600 * USEC_SECOND)

static struct catalog_shift shifts[BOUND_ZONE_SHIFTS];

static usec
at(const char *text)
{
    usec moment;
    assert_int_equal(clock_parse(text, strlen(text), &moment), STATUS_OK);
    return moment;
}

// A catalog of which only the clock is there.
static struct catalog
clock_of(const char *zone, const char *now)
{
    return (struct catalog){.shifts = shifts,
                            .shift_count = market_zone_shifts(zone, at(now), shifts)};
}

static void
assert_day(const struct catalog *catalog, const char *moment, const char *begins, const char *ends)
{
    struct catalog_day day = catalog_day_of(catalog, at(moment));
    assert_int_equal(day.begins.us, at(begins).us);
    assert_int_equal(day.ends.us, at(ends).us);
}

static void
days_of_berlin_have_23_to_25_hours(void **state)
{
    (void)state;
    struct catalog berlin = clock_of("Europe/Berlin", "2026-11-22T12:00:00Z");
    assert_true(berlin.shift_count >= 22 && berlin.shift_count <= 26);
    assert_true(shifts[0].from.us == INT64_MIN);
    assert_day(&berlin, "2026-11-22T12:00:00Z", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z");
    // 28 March 2027: 02:00 becomes 03:00. 31 October 2027: 03:00 becomes 02:00.
    assert_day(&berlin, "2027-03-28T00:30:00Z", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z");
    assert_day(&berlin, "2027-03-28T21:59:59Z", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z");
    assert_day(&berlin, "2027-03-28T22:00:00Z", "2027-03-28T22:00:00Z", "2027-03-29T22:00:00Z");
    assert_day(&berlin, "2027-10-31T00:30:00Z", "2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z");
    assert_day(&berlin, "2027-10-31T22:30:00Z", "2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z");
    struct catalog_day day = catalog_day_of(&berlin, at("2027-10-31T22:30:00Z"));
    assert_int_equal(day.ends.us - day.begins.us, 25 * HOUR_US);
    assert_int_equal(day.day, at("2027-10-31T00:00:00Z").us / USEC_DAY);
    assert_int_equal(catalog_day_of(&berlin, at("2027-10-31T23:00:00Z")).day, day.day + 1);
}

static void
weeks_begin_with_monday_over_both_changes(void **state)
{
    (void)state;
    struct catalog berlin = clock_of("Europe/Berlin", "2026-11-22T12:00:00Z");
    static const struct {
        const char *moment, *began;
    } weeks[] = {
        {"2027-03-28T12:00:00Z", "2027-03-21T23:00:00Z"},  // Sunday of the change
        {"2027-03-28T21:59:59Z", "2027-03-21T23:00:00Z"},
        {"2027-03-28T22:00:00Z", "2027-03-28T22:00:00Z"},  // Monday
        {"2027-10-31T22:59:59Z", "2027-10-24T22:00:00Z"},
        {"2027-10-31T23:00:00Z", "2027-10-31T23:00:00Z"},
        {"2026-11-22T12:00:00Z", "2026-11-15T23:00:00Z"},
    };
    for (size_t i = 0; i < sizeof weeks / sizeof *weeks; i++)
        assert_int_equal(catalog_window_began(&berlin, CAP_WEEK, at(weeks[i].moment)).us,
                         at(weeks[i].began).us);
}

static void
hours_are_sixty_minutes_also_the_one_that_comes_twice(void **state)
{
    (void)state;
    struct catalog berlin = clock_of("Europe/Berlin", "2026-11-22T12:00:00Z");
    static const struct {
        const char *moment, *began;
    } hours[] = {
        {"2027-10-31T00:30:00Z", "2027-10-31T00:00:00Z"},  // 02:30, the first time
        {"2027-10-31T01:30:00Z", "2027-10-31T01:00:00Z"},  // 02:30, the second time
        {"2027-03-28T01:10:00Z", "2027-03-28T01:00:00Z"},  // 03:10
    };
    for (size_t i = 0; i < sizeof hours / sizeof *hours; i++)
        assert_int_equal(catalog_window_began(&berlin, CAP_HOUR, at(hours[i].moment)).us,
                         at(hours[i].began).us);
    assert_int_equal(catalog_window_began(&berlin, CAP_DAY, at("2027-03-28T12:00:00Z")).us,
                     at("2027-03-27T23:00:00Z").us);
    assert_int_equal(catalog_window_began(&berlin, CAP_LIFETIME, at("2027-03-28T12:00:00Z")).us,
                     INT64_MIN);
    struct catalog india = clock_of("Asia/Kolkata", "2026-11-22T12:00:00Z");
    assert_int_equal(india.shift_count, 1);
    assert_int_equal(catalog_window_began(&india, CAP_HOUR, at("2026-11-22T12:00:00Z")).us,
                     at("2026-11-22T11:30:00Z").us);
}

// Against the C library, hour by hour over two years, in zones that change at odd hours and by odd
// amounts: the date that the clock shows, unless it went back over midnight.
static void
days_are_those_of_the_c_library(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Berlin",       "America/New_York", "Africa/Cairo",
                                        "Australia/Lord_Howe", "Pacific/Chatham",  "UTC",
                                        "America/Havana",      "Asia/Beirut"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        struct catalog catalog = clock_of(zones[i], "2026-11-22T12:00:00Z");
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        usec now = at("2026-01-01T00:00:00Z"), end = at("2028-01-01T00:00:00Z"), last_end = {0};
        for (; now.us < end.us; now.us += HOUR_US / 2) {
            struct catalog_day day = catalog_day_of(&catalog, now);
            time_t seconds = now.us / USEC_SECOND;
            struct tm local;
            localtime_r(&seconds, &local);
            struct tm date = {
                .tm_year = local.tm_year, .tm_mon = local.tm_mon, .tm_mday = local.tm_mday};
            int64_t shown = timegm(&date) / 86400;
            assert_true(day.begins.us <= now.us && now.us < day.ends.us);
            int64_t length = day.ends.us - day.begins.us;
            assert_true(length >= 23 * HOUR_US && length <= 25 * HOUR_US);
            assert_true(last_end.us == 0 || day.begins.us == last_end.us ||
                        day.ends.us == last_end.us);
            last_end = day.ends;
            if (day.day != shown) fail_msg("%s %lld", zones[i], (long long)now.us);
        }
        unsetenv("TZ");
        tzset();
    }
}

static void
a_clock_that_goes_back_over_midnight_has_one_day(void **state)
{
    (void)state;
    usec midnight = at("2026-06-01T00:00:00Z");
    const struct catalog_shift over[] = {{{INT64_MIN}, 0},
                                         {{midnight.us + 60 * USEC_SECOND}, -3600},
                                         {{midnight.us + USEC_DAY * 30}, 0}};
    struct catalog catalog = {.shifts = over, .shift_count = 3};
    // At 00:01 the clock goes back to 23:01 of the day before: that is the new day already.
    uint16_t day = catalog_day_of(&catalog, midnight).day;
    for (int64_t minute = 0; minute < 24 * 60; minute++) {
        struct catalog_day now = catalog_day_of(&catalog,
                                                (usec){midnight.us + minute * 60 * USEC_SECOND});
        assert_int_equal(now.day, day);
        assert_int_equal(now.begins.us, midnight.us);
        assert_int_equal(now.ends.us, midnight.us + 25 * HOUR_US);
    }
    assert_int_equal(catalog_day_of(&catalog, (usec){midnight.us - 1}).day, day - 1);
    struct catalog utc = {.shift_count = 0};
    assert_int_equal(catalog_day_of(&utc, (usec){-5}).day, 0);
    assert_int_equal(catalog_day_of(&utc, (usec){80000 * USEC_DAY}).day, UINT16_MAX);
}

static void
zones_are_names_of_the_database_only(void **state)
{
    (void)state;
    assert_true(market_zone_known("UTC") && market_zone_known("Europe/Berlin") &&
                market_zone_known("Etc/UTC"));
    static const char *const no[] = {"",
                                     "Europe",
                                     "Europe/Berlni",
                                     "zone.tab",
                                     "../x",
                                     "/etc/localtime",
                                     "Europe//Berlin",
                                     "Europe/",
                                     "Europe/Berlin ",
                                     "./Europe/Berlin"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(market_zone_known(no[i]));
    assert_int_equal(market_zone_shifts("Europe/Berlni", at("2026-11-22T12:00:00Z"), shifts), 1);
    assert_int_equal(shifts[0].offset_seconds, 0);
    assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
    (void)market_zone_shifts("Europe/Berlin", at("2026-11-22T12:00:00Z"), shifts);
    assert_string_equal(getenv("TZ"), "America/New_York");
    unsetenv("TZ");
    tzset();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_of_berlin_have_23_to_25_hours),
        cmocka_unit_test(weeks_begin_with_monday_over_both_changes),
        cmocka_unit_test(hours_are_sixty_minutes_also_the_one_that_comes_twice),
        cmocka_unit_test(days_are_those_of_the_c_library),
        cmocka_unit_test(a_clock_that_goes_back_over_midnight_has_one_day),
        cmocka_unit_test(zones_are_names_of_the_database_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
