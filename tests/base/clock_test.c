#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "hash.h"

static void
parses_rfc_3339(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum status status;
        int64_t us;
    } cases[] = {
        {"1970-01-01", STATUS_OK, 0},
        {"1970-01-01T00:00:01Z", STATUS_OK, 1000000},
        {"2026-11-22T15:04:05.123456Z", STATUS_OK, 1795359845123456},
        {"2026-11-22T16:04:05.5+01:00", STATUS_OK, 1795359845500000},
        {"2024-02-29", STATUS_OK, 1709164800000000},
        {"1969-12-31T23:59:59.999999Z", STATUS_OK, -1},
        {"2023-02-29", STATUS_INPUT, 0},
        {"2026-13-01", STATUS_INPUT, 0},
        {"2026-11-22T25:00:00Z", STATUS_INPUT, 0},
        {"2026-11-22T15:04:05", STATUS_INPUT, 0},
        {"2026-11-22T15:04:05Zjunk", STATUS_INPUT, 0},
        {"22.11.2026", STATUS_INPUT, 0},
        {"", STATUS_INPUT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        usec at = {-7};
        enum status status = clock_parse(cases[i].text, strlen(cases[i].text), &at);
        if (status != cases[i].status) fail_msg("'%s': %s", cases[i].text, status_text(status));
        if (status == STATUS_OK && at.us != cases[i].us)
            fail_msg("'%s': %lld", cases[i].text, (long long)at.us);
    }
}

// The C library is the referee of the calendar.
static void
formats_like_the_c_library(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        time_t seconds = (time_t)(hash_mix(i) % 8000000000u) - 2000000000;
        char ours[CLOCK_TEXT], theirs[CLOCK_TEXT];
        struct tm parts;
        gmtime_r(&seconds, &parts);
        strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S.000000Z", &parts);
        clock_format((usec){(int64_t)seconds * USEC_SECOND}, ours);
        assert_string_equal(ours, theirs);
        usec again;
        assert_int_equal(clock_parse(ours, strlen(ours), &again), STATUS_OK);
        assert_int_equal(again.us, (int64_t)seconds * USEC_SECOND);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_rfc_3339),
        cmocka_unit_test(formats_like_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
