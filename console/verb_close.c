// slotctl close: closes a period for good.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "bounds.h"
#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "settings.h"
#include "settle.h"

#define WAIT_US (30 * USEC_SECOND)  // for ledgerd to book what the journal holds

// Of all steps of this call: what the close itself took, and what proofs and readers took.
struct times {
    json_t *steps;  // NULL: text
    int64_t took_us, apart_us;
};

static void
told(void *context, const struct settle_step *step)
{
    struct times *times = context;
    json_t *steps = times->steps;
    times->took_us += step->took_us - step->apart_us;
    times->apart_us += step->apart_us;
    if (steps == NULL) {
        printf("%d  %-13s  %s%s\n", step->number, step->name, step->detail,
               step->earlier ? "  (done before)" : "");
        fflush(stdout);
        return;
    }
    json_t *object = json_pack("{s:i, s:s, s:s, s:b, s:I, s:I}", "step", step->number, "name",
                               step->name, "detail", step->detail, "done_before", step->earlier,
                               "took_ms", (json_int_t)(step->took_us / 1000), "apart_ms",
                               (json_int_t)(step->apart_us / 1000));
    CHECK(object != NULL && json_array_append_new(steps, object) == 0);
}

static int
answer(enum status status)
{
    switch (status) {
    case STATUS_OK: return EXIT_DONE;
    case STATUS_DENIED:
    case STATUS_CONFLICT:
    case STATUS_NOT_FOUND: return EXIT_NO;
    case STATUS_INPUT:
    case STATUS_OVERFLOW:
    case STATUS_FULL:
    case STATUS_EXISTS:
    case STATUS_AGAIN:
    case STATUS_CLOSED:
    case STATUS_IO:
    case STATUS_DAMAGED:
    case STATUS_GAP:
    case STATUS_FORK:
    case STATUS_VERSION: break;
    }
    return EXIT_CANNOT;
}

static void
print_end(const struct period *period, enum status status, const struct settle_report *report,
          const struct times *times)
{
    char title[PERIOD_TITLE];
    period_title(period, title);
    if (times->steps != NULL) {
        json_t *object = json_pack("{s:s, s:b, s:b, s:s, s:s, s:O}", "period", period->name,
                                   "closed", status == STATUS_OK, "was_closed", report->was_closed,
                                   "root", report->root, "fault", report->fault, "steps",
                                   times->steps);
        CHECK(object != NULL && json_dumpf(object, stdout, JSON_INDENT(2)) == 0);
        putchar('\n');
        json_decref(object);
    } else if (status == STATUS_OK && report->was_closed) {
        printf("%s was closed before.\n", title);
    } else if (status == STATUS_OK) {
        printf("%s is closed. It took %" PRId64 " ms; proofs, fits and readers %" PRId64
               " ms beside that.\n",
               title, times->took_us / 1000, times->apart_us / 1000);
    } else {
        fflush(stdout);
        fprintf(stderr, "slotctl close: %s\n", report->fault);
    }
}

static bool
log_number(const char *text, uint32_t *out_log)
{
    uint64_t number = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 10 || strspn(text, "0123456789") != len) return false;
    for (size_t i = 0; i < len; i++) number = number * 10 + (uint64_t)(text[i] - '0');
    *out_log = (uint32_t)number;
    return number > 0 && number <= INT32_MAX;
}

// EXIT_DONE, or the complaint's code.
static int
take_dead(const char *log, const char *by, const char *reason, struct settle_dead *out)
{
    if (log == NULL && (by != NULL || reason != NULL))
        return verb_usage(&verb_close, "--by and --reason belong to --dead LOG");
    if (log == NULL) return EXIT_DONE;
    if (!log_number(log, &out->log))
        return verb_usage(&verb_close, "--dead: '%s' is not a log's number", log);
    if (by == NULL || reason == NULL || by[0] == '\0' || reason[0] == '\0')
        return verb_usage(&verb_close,
                          "--dead is recorded for ever: say who you are with --by NAME, and why "
                          "with --reason TEXT");
    if (strlen(by) > ACT_PERSON || strlen(reason) > BOUND_TEXT)
        return verb_usage(&verb_close, "--by holds at most %d bytes, --reason %d", ACT_PERSON,
                          BOUND_TEXT);
    out->by = by;
    out->reason = reason;
    return EXIT_DONE;
}

static int
close_period(const struct verb_context *context, const struct period *period,
             struct settle_options *how)
{
    struct settings settings;
    struct settings_error error;
    if (settings_read(context->directory, &settings, &error) != STATUS_OK)
        return verb_cannot("%s", error.text);
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    struct times times = {.steps = context->json ? json_array() : NULL};
    struct settle_report report;
    how->directory = settings.directory;
    how->log = settings.log;
    how->readers = settings.readers;
    how->context = &times;
    enum status status = settle_close(db, period, how, &report);
    print_end(period, status, &report, &times);
    if (times.steps != NULL) json_decref(times.steps);
    db_close(db);
    return answer(status);
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    bool early = false;
    const char *dead = NULL, *by = NULL, *reason = NULL;
    const struct verb_option options[] = {{"--early", NULL, &early},
                                          {"--dead", &dead, NULL},
                                          {"--by", &by, NULL},
                                          {"--reason", &reason, NULL},
                                          {0}};
    argc = verb_options(&verb_close, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_close, "needs one period");
    struct period period;
    struct settle_options how = {
        .now = clock_wall(), .early = early, .wait_us = WAIT_US, .told = told};
    int code = finance_period(&verb_close, argv[1], &period);
    if (code == EXIT_DONE) code = take_dead(dead, by, reason, &how.dead);
    return code == EXIT_DONE ? close_period(context, &period, &how) : code;
}

const struct verb verb_close = {
    .name = "close",
    .arguments = "PERIOD [--early] [--dead LOG --by NAME --reason TEXT]",
    .summary = "close a period: statements, bills, proof",
    .help =
        "Closes a month (2026-11) in nine steps, one line each: fence, late rows, open holds, "
        "trial\n"
        "balance, statements, bill, root, exports (added up again by the programs that "
        "close.readers in\n"
        "vendue.yaml names, else by those of hledger, ledger, beancount and sqlite that are "
        "installed),\n"
        "closed. Each step is kept when it is done: a close that was interrupted goes on where it\n"
        "stopped, and closing a closed period changes nothing.\n"
        "\n"
        "A period is never opened again. Facts that are reported later fall into the next one.\n"
        "\n"
        "  --early      close before the month is over; what happens in the rest of it then falls "
        "into\n"
        "               the next period\n"
        "  --dead LOG   a node's journal that does not report and never will: closes without it. "
        "Who\n"
        "               says so (--by) and why (--reason) is recorded as an act\n"
        "\n"
        "  slotctl close 2026-11\n"
        "  slotctl close 2026-11 --dead 2 --by 'controller' --reason 'disk of node 2 is lost'\n"
        "\n"
        "Exit codes: 0 closed; 1 not to be closed now, or the books do not add up (the message "
        "says\n"
        "which); 2 the command is wrong; 3 no database, or a ledgerd has not booked everything "
        "yet.\n",
    .run = run,
};
