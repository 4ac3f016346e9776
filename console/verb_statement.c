// slotctl statement: what a seat owes or is owed for a period.
#include <stdio.h>

#include "arena.h"
#include "finance.h"
#include "market_db.h"
#include "statement.h"

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *wanted = context->json ? "json" : "text";
    const struct verb_option options[] = {{"--format", &wanted, NULL}, {0}};
    argc = verb_options(&verb_statement, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 3) return verb_usage(&verb_statement, "needs a seat and a period");
    enum statement_format format = STATEMENT_TEXT;
    if (statement_format_parse(wanted, &format) != STATUS_OK)
        return verb_usage(&verb_statement, "there is no format '%s'; use text, csv or json",
                          wanted);
    struct period period;
    int code = finance_period(&verb_statement, argv[2], &period);
    if (code != EXIT_DONE) return code;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    struct arena *arena = arena_open("statement");
    const char *text = NULL;
    enum status status = statement_get(db, argv[1], &period, format, arena, &text);
    if (status == STATUS_OK) {
        fputs(text, stdout);
    } else if (status == STATUS_NOT_FOUND) {
        fprintf(stderr, "slotctl statement: there is no seat '%s' in this market\n", argv[1]);
        code = EXIT_USAGE;
    } else {
        code = finance_refused(db, status, "reading the statement");
    }
    arena_close(arena);
    db_close(db);
    return code;
}

const struct verb verb_statement = {
    .name = "statement",
    .arguments = "SEAT PERIOD [--format text|csv|json]",
    .summary = "what a seat owes or is owed for a period",
    .help =
        "Prints the statement of a seat for a month: placements and their charges by slot, "
        "message\n"
        "and rung, gain share, refunds, the deposit of a prepaid seat. Lines are in whole cents "
        "and\n"
        "add up to the total; what is less than a cent is carried to the next statement.\n"
        "\n"
        "Of a closed period it is the document that was closed, the same at any time; of an open\n"
        "period it is computed now and says draft. CSV and JSON hold exact micros beside the "
        "cents;\n"
        "the SHA-256 of the CSV is the digest printed on the statement.\n"
        "\n"
        "  slotctl statement grill_house 2026-11\n"
        "  slotctl statement grill_house 2026-11 --format csv | sha256sum\n"
        "\n"
        "Exit codes: 0 printed; 2 no such seat, or the command is wrong; 3 no database.\n",
    .run = run,
};
