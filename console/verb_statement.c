// slotctl statement: what a seat owes or is owed for a period, and what stands behind a line of it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "finance.h"
#include "market_db.h"
#include "statement.h"

static int
no_seat(const char *seat)
{
    fprintf(stderr, "slotctl statement: there is no seat '%s' in this market\n", seat);
    return EXIT_USAGE;
}

static int
print_document(struct db *db, const char *seat, const struct period *period,
               enum statement_format format)
{
    struct arena *arena = arena_open("statement");
    const char *bytes = NULL;
    size_t len = 0;
    int code = EXIT_DONE;
    enum status status = statement_read(db, seat, period, format, arena, &bytes, &len);
    if (status == STATUS_NOT_FOUND) {
        code = no_seat(seat);
    } else if (status != STATUS_OK) {
        code = finance_refused(db, status, "reading the statement");
    } else if (bytes == NULL) {
        fprintf(stderr,
                "slotctl statement: %s has no %s for %s: nothing is to be invoiced, or the market "
                "file names no country\nfor both parties (finance: party, seats: %s: party), or "
                "they cannot be on one invoice; see docs/statements.md\n",
                seat, statement_format_name(format), period->name, seat);
        code = EXIT_NO;
    } else if (format == STATEMENT_PDF && isatty(STDOUT_FILENO)) {
        fprintf(stderr, "slotctl statement: a PDF is not for the terminal; write > %s.pdf\n",
                period->name);
        code = EXIT_USAGE;
    } else {
        fwrite(bytes, 1, len, stdout);
    }
    arena_close(arena);
    return code;
}

static int
print_lines(const struct verb_context *context, struct db *db, const char *seat,
            const struct period *period, const struct statement_which *which)
{
    int lines = 0;
    enum status status = statement_line_open(db, context->directory, seat, period, which, stdout,
                                             &lines);
    fflush(stdout);
    if (status == STATUS_OK) return EXIT_DONE;
    if (status == STATUS_NOT_FOUND) return no_seat(seat);
    if (status == STATUS_GAP)
        return verb_cannot("%s/run/customer.secret is missing: seats' names of placements are made "
                           "with it; restore it from your backup",
                           context->directory);
    if (status == STATUS_CONFLICT) {
        fprintf(stderr, "slotctl statement: the transfers do not add up to the line; "
                        "slotctl verify names the cause\n");
        return EXIT_NO;
    }
    if (status != STATUS_INPUT) return finance_refused(db, status, "opening the line");
    if (which->line != 0)
        fprintf(stderr, "slotctl statement: there is no line %d; %s has %d lines in %s\n",
                which->line, seat, lines, period->name);
    else
        fprintf(stderr, "slotctl statement: no line of %s in %s is of that slot and message\n",
                seat, period->name);
    return EXIT_USAGE;
}

// A line's number; 0 when it is none.
static int
line_number(const char *text)
{
    char *end = NULL;
    long number = strtol(text, &end, 10);
    return *text >= '1' && *text <= '9' && *end == '\0' && number <= 1000000 ? (int)number : 0;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *wanted = context->json ? "json" : "text", *line = NULL;
    struct statement_which which = {.json = context->json};
    const struct verb_option options[] = {{"--format", &wanted, NULL},
                                          {"--line", &line, NULL},
                                          {"--slot", &which.slot, NULL},
                                          {"--message", &which.message, NULL},
                                          {0}};
    argc = verb_options(&verb_statement, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 3) return verb_usage(&verb_statement, "needs a seat and a period");
    enum statement_format format = STATEMENT_TEXT;
    if (statement_format_parse(wanted, &format) != STATUS_OK)
        return verb_usage(&verb_statement,
                          "there is no format '%s'; use text, csv, json, pdf, invoice or selfbill",
                          wanted);
    if (line != NULL && (which.line = line_number(line)) == 0)
        return verb_usage(&verb_statement, "'%s' is not the number of a line", line);
    struct period period;
    int code = finance_period(&verb_statement, argv[2], &period);
    if (code != EXIT_DONE) return code;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    if (line != NULL || which.slot != NULL || which.message != NULL)
        code = print_lines(context, db, argv[1], &period, &which);
    else code = print_document(db, argv[1], &period, format);
    db_close(db);
    return code;
}

const struct verb verb_statement = {
    .name = "statement",
    .arguments = "SEAT PERIOD [--format F] [--line N | --slot S | --message M]",
    .summary = "what a seat owes or is owed for a period",
    .help =
        "Prints the statement of a seat for a month: placements and their charges by slot, "
        "message\n"
        "and rung, gain share as it accrues, becomes due or payable, corrections, the seat's "
        "accounts\n"
        "from opening to closing. Lines are in whole cents and add up to the total; what is less "
        "than a\n"
        "cent is carried to the next statement.\n"
        "\n"
        "Of a closed period it is the document that was closed, the same at any time; of an open\n"
        "period it is computed now and says draft. CSV and JSON hold exact micros beside the "
        "cents;\n"
        "the SHA-256 of the CSV is the digest printed on the statement.\n"
        "\n"
        "  --format   text, csv, json, pdf, invoice (UBL 2.1, what a partner owes), selfbill (UBL "
        "2.1,\n"
        "             what a beneficiary is owed)\n"
        "  --line     what stands behind a line: placements under the seat's own names, facts, "
        "transfers\n"
        "  --slot --message   the same for all lines of a slot (bill.footer), of a message, or "
        "both\n"
        "\n"
        "  slotctl statement grill_house 2026-11\n"
        "  slotctl statement grill_house 2026-11 --format csv | sha256sum\n"
        "  slotctl statement grill_house 2026-11 --format pdf > grill.pdf\n"
        "  slotctl statement grill_house 2026-11 --line 2\n"
        "\n"
        "Exit codes: 0 printed; 1 there is no such document, or a line does not add up; 2 no such "
        "seat or\n"
        "line, or the command is wrong; 3 no database.\n",
    .run = run,
};
