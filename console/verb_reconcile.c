// slotctl reconcile: a seat's own file of notices against what the ledger has of it.
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "reconcile.h"

static const char *const verdicts[] = {"within", "warn", "dispute"};

static const char *
decimal(money amount, char out[MONEY_TEXT])
{
    money_format(amount, 6, out);
    return out;
}

static void
print_text(const struct reconcile_report *report)
{
    char ours[MONEY_TEXT], theirs[MONEY_TEXT], percent[MONEY_TEXT];
    for (size_t i = 0; i < report->bad_count && report->bad[i].text != NULL && i < 1000; i++)
        printf("line %d is not read: %s\n", report->bad[i].line, report->bad[i].text);
    for (size_t i = 0; i < report->difference_count; i++) {
        const struct reconcile_difference *one = &report->differences[i];
        char line[32] = "";
        if (one->line > 0) snprintf(line, sizeof line, "line %d", one->line);
        printf("%-13s %-10s %s %s here %s there %s%s%s%s%s\n", reconcile_reason_name(one->reason),
               one->event, one->placement, one->reference, decimal(one->ours, ours),
               decimal(one->theirs, theirs), one->note[0] != '\0' ? ", " : "", one->note,
               line[0] != '\0' ? ", " : "", line);
    }
    if (report->difference_count > 0) putchar('\n');
    for (int i = 0; i < RECONCILE_REASON_COUNT; i++) {
        if (report->reasons[i].count == 0) continue;
        printf("%-13s %6zu  %16s  %s\n", reconcile_reason_name((enum reconcile_reason)i),
               report->reasons[i].count, decimal(report->reasons[i].sum, ours),
               reconcile_reason_text((enum reconcile_reason)i));
    }
    printf("here %zu prices due, %s; there %zu, %s; %zu rows agree, %zu lines not read\n",
           report->ours, decimal(report->our_sum, ours), report->theirs,
           decimal(report->their_sum, theirs), report->matched, report->bad_count);
    money_format(money_of((int64_t)report->off_ppm * 100), 2, percent);
    printf("reconcile: %s, %s %% apart\n", verdicts[report->verdict], percent);
}

static json_t *
json_differences(const struct reconcile_report *report)
{
    json_t *all = json_array();
    CHECK(all != NULL);
    for (size_t i = 0; i < report->difference_count; i++) {
        const struct reconcile_difference *one = &report->differences[i];
        json_t *object = json_pack(
            "{s:s, s:i, s:s, s:s, s:s, s:s, s:I, s:I}", "reason",
            reconcile_reason_name(one->reason), "line", one->line, "event", one->event, "placement",
            one->placement, "reference", one->reference, "note", one->note, "here_micros",
            (json_int_t)one->ours.micros, "there_micros", (json_int_t)one->theirs.micros);
        CHECK(object != NULL && json_array_append_new(all, object) == 0);
    }
    return all;
}

static void
print_json(const struct reconcile_report *report)
{
    json_t *bad = json_array(), *sums = json_object();
    CHECK(bad != NULL && sums != NULL);
    for (size_t i = 0; i < report->bad_count && i < 1000; i++)
        CHECK(json_array_append_new(bad, json_pack("{s:i, s:s}", "line", report->bad[i].line,
                                                   "text", report->bad[i].text)) == 0);
    for (int i = 0; i < RECONCILE_REASON_COUNT; i++)
        CHECK(json_object_set_new(sums, reconcile_reason_name((enum reconcile_reason)i),
                                  json_pack("{s:I, s:I}", "count",
                                            (json_int_t)report->reasons[i].count, "micros",
                                            (json_int_t)report->reasons[i].sum.micros)) == 0);
    json_t *object = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "verdict",
        verdicts[report->verdict], "off_ppm", (json_int_t)report->off_ppm, "here",
        (json_int_t)report->ours, "here_micros", (json_int_t)report->our_sum.micros, "there",
        (json_int_t)report->theirs, "there_micros", (json_int_t)report->their_sum.micros, "agree",
        (json_int_t)report->matched, "not_read", (json_int_t)report->bad_count, "bad", bad,
        "reasons", sums, "differences", json_differences(report));
    CHECK(object != NULL && json_dumpf(object, stdout, JSON_INDENT(2)) == 0);
    putchar('\n');
    json_decref(object);
}

static int
refused(struct db *db, const struct verb_context *context, enum status status, const char *seat,
        const struct reconcile_report *report)
{
    if (status == STATUS_NOT_FOUND) {
        fprintf(stderr, "slotctl reconcile: there is no seat '%s' in this market\n", seat);
        return EXIT_USAGE;
    }
    if (status == STATUS_GAP)
        return verb_cannot("%s/run/customer.secret is missing: seats' names of placements are made "
                           "with it; restore it from your backup",
                           context->directory);
    if (status == STATUS_INPUT && report->bad_count > 0) {
        fprintf(stderr,
                "slotctl reconcile: no row of the file can be read; line %d: %s\nIt needs a "
                "heading line (event,placement,price_micros,cur,...) or JSON lines\n",
                report->bad[0].line, report->bad[0].text);
        return EXIT_USAGE;
    }
    return finance_refused(db, status, "reconciling");
}

static int
compare(const struct verb_context *context, struct db *db, const char *seat,
        const struct period *period, const char *path)
{
    struct reconcile_report report = {0};
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (in == NULL) {
        fprintf(stderr, "slotctl reconcile: %s: %s\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    struct arena *arena = arena_open("reconcile");
    int code = EXIT_DONE;
    enum status status = reconcile_compare(db, context->directory, seat, period, in, arena,
                                           &report);
    if (status != STATUS_OK) {
        code = refused(db, context, status, seat, &report);
    } else {
        if (context->json) print_json(&report);
        else print_text(&report);
        code = report.verdict == RECONCILE_WITHIN ? EXIT_DONE : EXIT_NO;
    }
    arena_close(arena);
    if (in != stdin) fclose(in);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const struct verb_option options[] = {{0}};
    argc = verb_options(&verb_reconcile, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 3 && argc != 4)
        return verb_usage(&verb_reconcile, "needs a seat and a period, and the seat's file");
    struct period period;
    int code = finance_period(&verb_reconcile, argv[2], &period);
    if (code != EXIT_DONE) return code;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    if (argc == 4) {
        code = compare(context, db, argv[1], &period, argv[3]);
    } else {
        struct reconcile_report none = {0};
        enum status status = reconcile_write(db, context->directory, argv[1], &period,
                                             context->json ? RECONCILE_JSON : RECONCILE_CSV,
                                             stdout);
        if (status != STATUS_OK) code = refused(db, context, status, argv[1], &none);
    }
    db_close(db);
    return code;
}

const struct verb verb_reconcile = {
    .name = "reconcile",
    .arguments = "SEAT PERIOD [FILE]",
    .summary = "a seat's own records against the ledger's",
    .help =
        "Without FILE prints what the ledger has of a seat in a month, one row an event, as CSV "
        "(or\n"
        "JSON lines with --json): wins, prices due, conversions, refunds, under the seat's own "
        "names of\n"
        "its placements, those that notices bear. Closed months lie as PERIOD.reconcile.csv beside "
        "the\n"
        "statements.\n"
        "\n"
        "With FILE (CSV with a heading line, or JSON lines; - for standard input) joins the seat's "
        "own\n"
        "records with it and lists every difference with its likely reason, and what each reason "
        "comes\n"
        "to. Columns: event (billing, win, converted, ...), placement, price_micros or "
        "amount_micros or\n"
        "amount, cur or currency, at_us or at, reference. Lines that cannot be read are named.\n"
        "From 5 % apart on it warns, from 10 % on it calls for a dispute.\n"
        "\n"
        "  slotctl reconcile grill_house 2026-11 > ours.csv\n"
        "  slotctl reconcile grill_house 2026-11 theirs.csv\n"
        "\n"
        "Exit codes: 0 less than 5 % apart; 1 more; 2 no such seat, or the file or command is "
        "wrong;\n"
        "3 no database.\n",
    .run = run,
};
