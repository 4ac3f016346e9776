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
#define REPORTS                                                                               \
    "ladder, objectives, matrix, fill, reasons, pacing, experiments, deals, rates, revenue, " \
    "internal, accruals, aging, clawbacks, gain-share, unexplained, trial-balance, "          \
    "economics, investment"

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
print_report(const struct report *report, enum table_format format)
{
    bool empty = report->row_count == report->total_rows;
    if (format != TABLE_AS_TEXT) {
        print_table(report, format);
    } else if (empty && report->empty != NULL && report->empty[0] != '\0') {
        table_wrap(report->empty, 0, stdout);
        putchar('\n');
    } else {
        table_wrap(report->heading, 0, stdout);
        printf("\n\n");
        print_table(report, format);
        if (report->notes[0] != '\0') {
            putchar('\n');
            table_wrap(report->notes, 0, stdout);
            putchar('\n');
        }
    }
    return report->wrong ? EXIT_NO : EXIT_DONE;
}

static int
make_report(struct db *db, const struct report_question *question, enum table_format format)
{
    struct arena *arena = arena_open("report");
    struct report report;
    char fault[REPORT_FAULT] = "";
    enum status status = report_of_finance(question->kind)
                             ? report_answer(db, question, arena, &report, fault)
                             : report_run(db, question->kind, &question->span, arena, &report);
    int code;
    if (status == STATUS_OK) {
        code = print_report(&report, format);
    } else if (fault[0] != '\0') {
        fprintf(stderr, "slotctl report: %s\n", fault);
        code = EXIT_USAGE;
    } else {
        code = finance_refused(db, status, "reporting");
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

static bool
has_finance_option(const struct report_question *question)
{
    return question->by || question->rows || question->current || question->target ||
           question->investment || question->days || question->currency;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *period = NULL, *from = NULL, *until = NULL;
    const char *wanted = context->json ? "json" : "text";
    struct report_question question = {.kind = REPORT_LADDER, .now = clock_wall()};
    const struct verb_option options[] = {{"--period", &period, NULL},
                                          {"--from", &from, NULL},
                                          {"--until", &until, NULL},
                                          {"--format", &wanted, NULL},
                                          {"--by", &question.by, NULL},
                                          {"--rows", &question.rows, NULL},
                                          {"--current", &question.current, NULL},
                                          {"--target", &question.target, NULL},
                                          {"--investment", &question.investment, NULL},
                                          {"--days", &question.days, NULL},
                                          {"--currency", &question.currency, NULL},
                                          {0}};
    argc = verb_options(&verb_report, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_report, "needs one of " REPORTS ", proof");
    bool proof = strcmp(argv[1], "proof") == 0;
    if (!proof && report_kind_parse(argv[1], &question.kind) != STATUS_OK)
        return verb_usage(&verb_report, "there is no report '%s'; use one of " REPORTS ", proof",
                          argv[1]);
    enum table_format format = TABLE_AS_TEXT;
    int code = parse_span(period, from, until, &question.span);
    if (code == EXIT_DONE) code = parse_format(wanted, &format);
    if (code != EXIT_DONE) return code;
    if (proof && (period != NULL || from != NULL || until != NULL || format == TABLE_AS_CSV))
        return verb_usage(&verb_report, "proof is of the whole ledger, as text or JSON");
    if ((proof || !report_of_finance(question.kind)) && has_finance_option(&question))
        return verb_usage(&verb_report, "%s takes --period, --from, --until and --format only",
                          argv[1]);
    if (!proof && !report_needs_ledger(&question)) return make_report(NULL, &question, format);
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    code = proof ? print_proof(db, format == TABLE_AS_JSON) : make_report(db, &question, format);
    db_close(db);
    return code;
}

const struct verb verb_report = {
    .name = "report",
    .arguments = "REPORT [--period P | --from T --until T] [--by DIMENSIONS] [--rows KEY] "
                 "[--format text|csv|json]",
    .summary = "what was earned, by whom and by what; what is due; what contacts achieved",
    .help =
        "  ladder      the eight rungs: placements, delivered, converted, what they earned\n"
        "  objectives  the nine objectives: offered, won, achieved, and how many a contact has\n"
        "  matrix      stage by channel: contacts, fill, value\n"
        "  fill        every slot: filled, why not, floor and average clearing price\n"
        "  reasons     per seat: how many of its bids each reason stopped\n"
        "  pacing      budgets with pace: expected against actual, hour by hour\n"
        "  experiments trials of floors: variant against control, and whether one was stopped\n"
        "  deals       what was sold under each deal, and how far its guarantee is reached\n"
        "  rates       what was learned: responses and revenue by message and cell\n"
        "\n"
        "For finance, to the micro:\n"
        "  revenue       what was earned and spent --by rung (or objective, cell, seat, contract,\n"
        "                slot, message, container, period, day; up to three: --by rung,seat)\n"
        "  internal      transfer prices between departments, and that they eliminate to 0\n"
        "  accruals      what is owed either way and not yet billed, locked or paid\n"
        "  aging         what is open, by how long it has been\n"
        "  clawbacks     what was paid out and refunded afterwards\n"
        "  gain-share    earned, due and paid, by beneficiary and merchant\n"
        "  unexplained   what does not add up, by cause: must be 0\n"
        "  trial-balance every account: opening, debits, credits, closing\n"
        "  economics     contacts, cost, revenue and objectives of each --by container|cell|total\n"
        "  investment    --current against --target, each a period or contacts=N,cost=A,\n"
        "                objectives=D,revenue=A; with --investment AMOUNT [--days N]\n"
        "                [--currency C]\n"
        "\n"
        "  proof       one line for scripts, of the whole ledger: contacts=N placements=N\n"
        "              delivered=N converted=N posted_micros=N unexplained_micros=N\n"
        "\n"
        "  --period P           what belongs to this month (2026-11)\n"
        "  --from T, --until T  what happened from a time (included) until another (excluded);\n"
        "                       of finance whole days by UTC\n"
        "  --rows KEY           of finance: the transfers or contacts behind a row, which add up\n"
        "                       to it. KEY is the row's names with commas between, or total\n"
        "\n"
        "Text shows whole cents that add up, of finance exact amounts; CSV and JSON hold exact\n"
        "micros and no totals.\n"
        "\n"
        "  slotctl report ladder --period 2026-11\n"
        "  slotctl report fill --from 2026-11-01 --until 2026-11-08 --format csv\n"
        "  slotctl report revenue --by rung,seat --period 2026-11\n"
        "  slotctl report revenue --by rung --period 2026-11 --rows predictive\n"
        "\n"
        "Exit codes: 0 printed; 1 something does not add up (proof, unexplained, internal,\n"
        "trial-balance); 2 the command is wrong; 3 no database.\n",
    .run = run,
};
