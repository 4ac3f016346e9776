// The host's clock, read out of the C library zone by zone.
//
// A zone is a file of the database below /usr/share/zoneinfo (TZDIR names another place), known by
// its magic. The C library knows its offsets once TZ names it; TZ is put back afterwards. Changes
// are found by asking every six hours and halving the span in which the offset changed: no zone
// changes twice within six hours.
#include "market_zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

#define STEP_SECONDS (6 * 3600)
#define YEAR_SECONDS (366LL * 86400)

static bool
is_utc(const char *zone)
{
    return strcmp(zone, "UTC") == 0 || strcmp(zone, "Etc/UTC") == 0;
}

// Letters, digits, `_ + -` and single slashes between them: no way out of the folder.
static bool
is_name(const char *zone)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t len = strlen(zone);
    return len > 0 && len <= BOUND_CODE && zone[strspn(zone, allowed)] == '\0' && zone[0] != '/' &&
           zone[len - 1] != '/' && strstr(zone, "//") == NULL;
}

bool
market_zone_known(const char *zone)
{
    if (is_utc(zone)) return true;
    if (!is_name(zone)) return false;
    const char *folder = getenv("TZDIR");
    char path[512], magic[4];
    int len = snprintf(path, sizeof path, "%s/%s",
                       folder != NULL && folder[0] != '\0' ? folder : "/usr/share/zoneinfo", zone);
    if (len < 0 || (size_t)len >= sizeof path) return false;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    bool known = read(file, magic, sizeof magic) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
    close(file);
    return known;
}

// Offset of the zone that TZ names.
static int32_t
offset_at(int64_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm local;
    CHECK(localtime_r(&at, &local) != NULL);
    return (int32_t)local.tm_gmtoff;
}

// The first second of ]from, until] with the offset that holds at `until`.
static int64_t
change_between(int64_t from, int64_t until)
{
    int32_t after = offset_at(until);
    while (until - from > 1) {
        int64_t middle = from + (until - from) / 2;
        if (offset_at(middle) == after) until = middle;
        else from = middle;
    }
    return until;
}

static uint32_t
find_shifts(int64_t now, struct catalog_shift *out_shifts)
{
    int64_t at = now - YEAR_SECONDS, end = now + 10 * YEAR_SECONDS;
    uint32_t count = 1;
    int32_t offset = offset_at(at);
    out_shifts[0] = (struct catalog_shift){.from = {INT64_MIN}, .offset_seconds = offset};
    for (; at < end && count < BOUND_ZONE_SHIFTS; at += STEP_SECONDS) {
        if (offset_at(at + STEP_SECONDS) == offset) continue;
        offset = offset_at(at + STEP_SECONDS);
        out_shifts[count++] = (struct catalog_shift){
            .from = {change_between(at, at + STEP_SECONDS) * USEC_SECOND},
            .offset_seconds = offset};
    }
    return count;
}

uint32_t
market_zone_shifts(const char *zone, usec now, struct catalog_shift *out_shifts)
{
    out_shifts[0] = (struct catalog_shift){.from = {INT64_MIN}};
    if (is_utc(zone) || !market_zone_known(zone)) return 1;
    const char *before = getenv("TZ");
    char *kept = before != NULL ? strdup(before) : NULL, name[BOUND_CODE + 2];
    CHECK(before == NULL || kept != NULL);
    snprintf(name, sizeof name, ":%s", zone);
    CHECK(setenv("TZ", name, 1) == 0);
    tzset();
    uint32_t count = find_shifts(now.us / USEC_SECOND, out_shifts);
    CHECK(kept != NULL ? setenv("TZ", kept, 1) == 0 : unsetenv("TZ") == 0);
    tzset();
    free(kept);
    return count;
}
