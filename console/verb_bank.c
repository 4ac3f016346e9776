// slotctl bank: takes what the bank says: statements (camt.053) and payment status (pain.002).
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bank.h"
#include "bank_file.h"
#include "fail.h"
#include "finance.h"
#include "market_db.h"

static void
print_line(const struct bank_line *line)
{
    char amount[MONEY_TEXT], at[CLOCK_TEXT];
    money_format(line->amount, 2, amount);
    clock_format(line->at, at);
    printf("%-13s %.10s %c%s %s  %s  %s\n", bank_outcome_name((enum bank_outcome)line->outcome),
           line->at.us ? at : "          ", line->credit ? '+' : '-', amount, line->currency.code,
           *line->entry ? line->entry : "(no reference)", line->why);
}

static json_t *
text_of(const char *text)
{
    json_t *value = json_string(text);
    return value ? value : json_string("");
}

static void
print_json(const struct bank_report *report)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct bank_line *line = &report->lines[i];
        char at[CLOCK_TEXT];
        clock_format(line->at, at);
        json_t *one = json_pack("{s:s, s:o, s:s, s:I, s:s, s:b, s:o}", "outcome",
                                bank_outcome_name((enum bank_outcome)line->outcome), "entry",
                                text_of(line->entry), "at", line->at.us ? at : "", "amount_micros",
                                (json_int_t)line->amount.micros, "currency", line->currency.code,
                                "credit", line->credit, "why", text_of(line->why));
        CHECK(one != NULL && json_array_append_new(lines, one) == 0);
    }
    json_t *object = json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:o}", "kind", report->kind,
                               "message", text_of(report->message), "act", (json_int_t)report->act,
                               "booked", (json_int_t)report->tally[BANK_BOOKED], "before",
                               (json_int_t)report->tally[BANK_BEFORE], "unmatched",
                               (json_int_t)report->tally[BANK_UNMATCHED], "entries", lines);
    CHECK(object != NULL && json_dumpf(object, stdout, 0) == 0);
    putchar('\n');
    json_decref(object);
}

static int
take(struct db *db, const struct verb_context *context, const char *path, const char *author)
{
    struct bank_report report;
    size_t len = 0;
    char fault[BANK_FAULT], *bytes = bank_file_read(&verb_bank, path, &len);
    if (bytes == NULL) return EXIT_USAGE;
    struct arena *arena = arena_open("a bank's file");
    enum status status = bank_take(db, bytes, len, author, clock_wall(), arena, &report, fault);
    int code = EXIT_DONE;
    if (status == STATUS_OK && context->json) {
        print_json(&report);
    } else if (status == STATUS_OK) {
        for (size_t i = 0; i < report.count; i++) print_line(&report.lines[i]);
        printf("%s %s: %u booked, %u booked before, %u not matched%s\n", report.kind,
               report.message, report.tally[BANK_BOOKED], report.tally[BANK_BEFORE],
               report.tally[BANK_UNMATCHED],
               report.tally[BANK_UNMATCHED] ? "; these are not in the books" : "");
    }
    if (status == STATUS_OK && report.tally[BANK_UNMATCHED] > 0) code = EXIT_NO;
    if (status == STATUS_INPUT) {
        fprintf(stderr, "slotctl bank: %s: %s; nothing is booked\n", path, fault);
        code = EXIT_USAGE;
    } else if (status != STATUS_OK) {
        code = finance_refused(db, status, "booking what the bank says");
    }
    arena_close(arena);
    free(bytes);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *by = NULL;
    const struct verb_option options[] = {{"--by", &by, NULL}, {0}};
    argc = verb_options(&verb_bank, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_bank, "needs a file of the bank");
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    int code = take(db, context, argv[1], finance_author(by));
    db_close(db);
    return code;
}

const struct verb verb_bank = {
    .name = "bank",
    .arguments = "FILE [--by NAME]",
    .summary = "take a bank statement (camt.053) or payment status (pain.002)",
    .help =
        "Books what the bank says. Payments out are matched by their end-to-end id, with the\n"
        "exact amount; receipts by the reference of the bill that they name (as 2026-11 acme). A\n"
        "rejected or returned payment is payable again. What does not match is listed with the\n"
        "reason and not booked; mend it and give the file again: what was booked is known. FILE\n"
        "'-' is standard input.\n"
        "\n"
        "  slotctl bank statement-2026-12-03.xml\n"
        "\n"
        "Exit codes: 0 all is booked; 1 some of it is not; 2 the file cannot be used and nothing\n"
        "was booked; 3 no database.\n",
    .run = run,
};
