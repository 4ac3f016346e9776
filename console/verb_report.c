// slotctl report: what marketing and finance ask of the ledger.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "report.h"
#include "table.h"

#define COLUMNS_MAX 24
#define REPORTS "ladder, objectives, matrix, fill, reasons, pacing, experiments, deals, rates"

static bool
shown(const struct report_column *column, enum table_format format)
{
    return column->face == REPORT_ALL ||
           (column->face == REPORT_PEOPLE) == (format == TABLE_AS_TEXT);
}

static void
print_table(const struct report *report, enum table_format format)
{
    struct table_column columns[COLUMNS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < report->column_count; i++) {
        const struct report_column *column = &report->columns[i];
        if (!shown(column, format)) continue;
        CHECK(count < COLUMNS_MAX);
        columns[count++] = (struct table_column){
            .key = column->key,
            .title = column->title,
            .align = column->number ? TABLE_RIGHT : TABLE_LEFT,
            // Rows of totals, which only people see, have empty cells.
            .kind = column->integer && format != TABLE_AS_TEXT ? TABLE_NUMBER : TABLE_TEXT,
        };
    }
    size_t rows = format == TABLE_AS_TEXT ? report->row_count
                                          : report->row_count - report->total_rows;
    struct table *table = table_open(columns, count);
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < report->column_count; i++)
            if (shown(&report->columns[i], format))
                table_cell(table, report->cells[row * report->column_count + i]);
    table_print(table, format, stdout);
    table_close(table);
}

static int
print_report(struct db *db, enum report_kind kind, const struct report_span *span,
             enum table_format format)
{
    struct arena *arena = arena_open("report");
    struct report report;
    enum status status = report_run(db, kind, span, arena, &report);
    int code = EXIT_DONE;
    if (status != STATUS_OK) {
        code = finance_refused(db, status, "reporting");
    } else {
        if (format == TABLE_AS_TEXT) {
            table_wrap(report.heading, 0, stdout);
            printf("\n\n");
        }
        print_table(&report, format);
        if (format == TABLE_AS_TEXT && report.notes[0] != '\0') {
            putchar('\n');
            table_wrap(report.notes, 0, stdout);
            putchar('\n');
        }
    }
    arena_close(arena);
    return code;
}

static int
print_proof(struct db *db, bool json)
{
    struct report_proof proof;
    enum status status = report_proof(db, &proof);
    if (status != STATUS_OK) return finance_refused(db, status, "reporting");
    printf(json ? "{\"contacts\": %" PRId64 ", \"placements\": %" PRId64 ", \"delivered\": %" PRId64
                  ", \"converted\": %" PRId64 ", \"posted_micros\": %" PRId64
                  ", \"unexplained_micros\": %" PRId64 "}\n"
                : "contacts=%" PRId64 " placements=%" PRId64 " delivered=%" PRId64
                  " converted=%" PRId64 " posted_micros=%" PRId64 " unexplained_micros=%" PRId64
                  "\n",
           proof.contacts, proof.placements, proof.delivered, proof.converted, proof.posted.micros,
           proof.unexplained.micros);
    return proof.unexplained.micros == 0 ? EXIT_DONE : EXIT_NO;
}

static int
parse_span(const char *period, const char *from, const char *until, struct report_span *span)
{
    struct period checked;
    *span = (struct report_span){.period = period != NULL ? period : ""};
    if (period != NULL && (from != NULL || until != NULL))
        return verb_usage(&verb_report, "takes --period, or --from and --until, not both");
    if (period != NULL) return finance_period(&verb_report, period, &checked);
    if (from != NULL && clock_parse(from, strlen(from), &span->from) != STATUS_OK)
        return verb_usage(&verb_report,
                          "'%s' is not a time; write 2026-11-22 or 2026-11-22T15:00:00Z", from);
    if (until != NULL && clock_parse(until, strlen(until), &span->until) != STATUS_OK)
        return verb_usage(&verb_report,
                          "'%s' is not a time; write 2026-11-22 or 2026-11-22T15:00:00Z", until);
    if (until != NULL && span->until.us <= span->from.us)
        return verb_usage(&verb_report, "--until must be later than --from");
    return EXIT_DONE;
}

static int
parse_format(const char *text, enum table_format *out_format)
{
    if (table_format_parse(text, out_format)) return EXIT_DONE;
    return verb_usage(&verb_report, "there is no format '%s'; use text, csv or json", text);
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *period = NULL, *from = NULL, *until = NULL;
    const char *wanted = context->json ? "json" : "text";
    const struct verb_option options[] = {{"--period", &period, NULL},
                                          {"--from", &from, NULL},
                                          {"--until", &until, NULL},
                                          {"--format", &wanted, NULL},
                                          {0}};
    argc = verb_options(&verb_report, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_report, "needs one of " REPORTS ", proof");
    enum report_kind kind = REPORT_LADDER;
    bool proof = strcmp(argv[1], "proof") == 0;
    if (!proof && report_kind_parse(argv[1], &kind) != STATUS_OK)
        return verb_usage(&verb_report, "there is no report '%s'; use one of " REPORTS ", proof",
                          argv[1]);
    struct report_span span;
    enum table_format format = TABLE_AS_TEXT;
    int code = parse_span(period, from, until, &span);
    if (code == EXIT_DONE) code = parse_format(wanted, &format);
    if (code != EXIT_DONE) return code;
    if (proof && (period != NULL || from != NULL || until != NULL || format == TABLE_AS_CSV))
        return verb_usage(&verb_report, "proof is of the whole ledger, as text or JSON");
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    code = proof ? print_proof(db, format == TABLE_AS_JSON) : print_report(db, kind, &span, format);
    db_close(db);
    return code;
}

const struct verb verb_report = {
    .name = "report",
    .arguments = "ladder|objectives|matrix|fill|reasons|pacing|experiments|deals|rates|proof "
                 "[--period P | --from T --until T] [--format text|csv|json]",
    .summary = "what each rung earned, what contacts achieved, what stayed empty and why",
    .help =
        "  ladder      the eight rungs: placements, delivered, converted, what they earned\n"
        "  objectives  the nine objectives: offered, won, achieved, and how many a contact "
        "achieves\n"
        "  matrix      stage by channel: contacts, fill, value\n"
        "  fill        every slot: filled, why not, floor and average clearing price\n"
        "  reasons     per seat: how many of its bids each reason stopped\n"
        "  pacing      budgets with pace: expected against actual, hour by hour\n"
        "  experiments trials of floors: variant against control, and whether one was stopped\n"
        "  deals       what was sold under each deal, and how far its guarantee is reached\n"
        "  rates       what was learned: responses and revenue by message and cell\n"
        "  proof       one line for scripts, of the whole ledger: contacts=N placements=N\n"
        "              delivered=N converted=N posted_micros=N unexplained_micros=N\n"
        "\n"
        "  --period P           what belongs to this month (2026-11)\n"
        "  --from T, --until T  what happened from a time (included) until another (excluded)\n"
        "\n"
        "Text shows whole cents that add up; CSV and JSON hold exact micros and no totals.\n"
        "\n"
        "  slotctl report ladder --period 2026-11\n"
        "  slotctl report fill --from 2026-11-01 --until 2026-11-08 --format csv\n"
        "\n"
        "Exit codes: 0 printed; 1 proof found something unexplained; 2 the command is wrong; 3 no\n"
        "database.\n",
    .run = run,
};
