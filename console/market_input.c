// A market file as the verbs read it.
#include "market_input.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "market_db.h"

static void
print_json(const struct market_report *report, const char *path)
{
    for (uint32_t i = 0; i < report->count; i++) {
        const struct market_problem *problem = &report->problems[i];
        json_t *line = json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s}", "file", path, "line",
                                 (int)problem->place.line, "column", (int)problem->place.column,
                                 "level", problem->warning ? "warning" : "error", "object",
                                 problem->object, "what", problem->what, "mend", problem->mend);
        CHECK(line != NULL);
        char *text = json_dumps(line, JSON_COMPACT);
        CHECK(text != NULL);
        fprintf(stderr, "%s\n", text);
        free(text);
        json_decref(line);
    }
}

int
market_input_read(const struct verb_context *context, const char *path, struct arena *arena,
                  struct market **out_market)
{
    const char *text;
    size_t len;
    struct market_report report = {.arena = arena};
    *out_market = NULL;
    enum status status = market_file_text(path, arena, &text, &len);
    if (status == STATUS_FULL) {
        fprintf(stderr, "%s: larger than %u MiB\n", path, MARKET_FILE_BYTES >> 20);
        return EXIT_USAGE;
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    status = market_file_read(text, len, arena, &report, out_market);
    if (context->json) print_json(&report, path);
    else market_file_print(&report, path, stderr);
    if (status == STATUS_OK) return EXIT_DONE;
    fprintf(stderr, "%s: %u error%s; nothing was applied\n", path, report.errors,
            report.errors == 1 ? "" : "s");
    return EXIT_USAGE;
}

bool
market_input_seen(const struct verb_context *context, struct db *db, const char *path,
                  const struct market *market, struct arena *arena)
{
    struct market_report report = {.arena = arena};
    struct market_seen *seen;
    uint32_t count;
    if (market_db_seen(db, arena, &seen, &count) != STATUS_OK) return false;
    market_file_seen(market, seen, count, &report);
    if (context->json) print_json(&report, path);
    else market_file_print(&report, path, stderr);
    return true;
}
