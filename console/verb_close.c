// slotctl close: closes a period for good.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "settle.h"

#define WAIT_US (30 * USEC_SECOND)  // for ledgerd to book what the journal holds

static void
told(void *context, const struct settle_step *step)
{
    json_t *steps = context;
    if (steps == NULL) {
        printf("%d  %-13s  %s%s\n", step->number, step->name, step->detail,
               step->earlier ? "  (done before)" : "");
        fflush(stdout);
        return;
    }
    json_t *object = json_pack("{s:i, s:s, s:s, s:b}", "step", step->number, "name", step->name,
                               "detail", step->detail, "done_before", step->earlier);
    CHECK(object != NULL && json_array_append_new(steps, object) == 0);
}

static int
answer(enum status status)
{
    switch (status) {
    case STATUS_OK: return EXIT_DONE;
    case STATUS_DENIED:
    case STATUS_CONFLICT: return EXIT_NO;
    case STATUS_INPUT:
    case STATUS_OVERFLOW:
    case STATUS_FULL:
    case STATUS_NOT_FOUND:
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
          json_t *steps)
{
    char title[PERIOD_TITLE];
    period_title(period, title);
    if (steps != NULL) {
        json_t *object = json_pack("{s:s, s:b, s:b, s:s, s:s, s:O}", "period", period->name,
                                   "closed", status == STATUS_OK, "was_closed", report->was_closed,
                                   "root", report->root, "fault", report->fault, "steps", steps);
        CHECK(object != NULL && json_dumpf(object, stdout, JSON_INDENT(2)) == 0);
        putchar('\n');
        json_decref(object);
    } else if (status == STATUS_OK) {
        printf("%s %s.\n", title, report->was_closed ? "was closed before" : "is closed");
    } else {
        fflush(stdout);
        fprintf(stderr, "slotctl close: %s\n", report->fault);
    }
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    bool early = false;
    const struct verb_option options[] = {{"--early", NULL, &early}, {0}};
    argc = verb_options(&verb_close, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_close, "needs one period");
    struct period period;
    int code = finance_period(&verb_close, argv[1], &period);
    if (code != EXIT_DONE) return code;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    json_t *steps = context->json ? json_array() : NULL;
    struct settle_report report;
    struct settle_options how = {
        .directory = context->directory,
        .now = clock_wall(),
        .early = early,
        .wait_us = WAIT_US,
        .told = told,
        .context = steps,
    };
    enum status status = settle_close(db, &period, &how, &report);
    print_end(&period, status, &report, steps);
    if (steps != NULL) json_decref(steps);
    db_close(db);
    return answer(status);
}

const struct verb verb_close = {
    .name = "close",
    .arguments = "PERIOD [--early]",
    .summary = "close a period: statements, bills, proof",
    .help =
        "Closes a month (2026-11) in nine steps, one line each: fence, late rows, open holds, "
        "trial\n"
        "balance, statements, bill, root, exports (added up again by hledger, ledger and "
        "beancount\n"
        "where they are installed), closed. Each step is kept when it is done: a close that was\n"
        "interrupted goes on where it stopped, and closing a closed period changes nothing.\n"
        "\n"
        "A period is never opened again. Facts that are reported later fall into the next one.\n"
        "\n"
        "  --early   close before the month is over; what happens in the rest of it then falls "
        "into\n"
        "            the next period\n"
        "\n"
        "  slotctl close 2026-11\n"
        "\n"
        "Exit codes: 0 closed; 1 not to be closed now, or the books do not add up (the message "
        "says\n"
        "which); 2 the command is wrong; 3 no database, or ledgerd has not booked everything "
        "yet.\n",
    .run = run,
};
