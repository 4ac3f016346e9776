// slotctl verify: the proof that journal, ledger and statements say the same.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "settings.h"
#include "settle.h"
#include "verify.h"

struct proof {
    struct verify_report report;
    bool statements_ok;
    char statements[SETTLE_DETAIL];
};

static void
print_text(const struct proof *proof)
{
    const struct verify_report *report = &proof->report;
    bool ok = report->ok && proof->statements_ok;
    for (int i = 0; i < VERIFY_PARTS; i++)
        printf("%-10s  %-6s  %s\n", report->checks[i].name, report->checks[i].ok ? "ok" : "FAILED",
               report->checks[i].detail);
    printf("%-10s  %-6s  %s\n", "statements", proof->statements_ok ? "ok" : "FAILED",
           proof->statements);
    unsigned told = report->difference_count < VERIFY_DIFFERENCES ? report->difference_count
                                                                  : VERIFY_DIFFERENCES;
    for (unsigned i = 0; i < told; i++) printf("  %s\n", report->differences[i]);
    if (report->difference_count > told) printf("  and %u more\n", report->difference_count - told);
    printf("verify: %s transfers=%" PRIu64 " unexplained_micros=%" PRId64 "\n",
           ok ? "ok" : "failed", report->transfers, report->unexplained_micros);
}

static void
put(json_t *checks, const char *name, bool ok, const char *detail)
{
    json_t *check = json_pack("{s:s, s:b, s:s}", "check", name, "ok", ok, "detail", detail);
    CHECK(check != NULL && json_array_append_new(checks, check) == 0);
}

static void
print_json(const struct proof *proof)
{
    const struct verify_report *report = &proof->report;
    json_t *checks = json_array(), *differences = json_array();
    for (int i = 0; i < VERIFY_PARTS; i++)
        put(checks, report->checks[i].name, report->checks[i].ok, report->checks[i].detail);
    put(checks, "statements", proof->statements_ok, proof->statements);
    for (unsigned i = 0; i < report->difference_count && i < VERIFY_DIFFERENCES; i++)
        CHECK(json_array_append_new(differences, json_string(report->differences[i])) == 0);
    json_t *object = json_pack(
        "{s:b, s:I, s:I, s:I, s:I, s:o, s:o}", "ok", report->ok && proof->statements_ok, "frames",
        (json_int_t)report->frames, "facts", (json_int_t)report->facts, "transfers",
        (json_int_t)report->transfers, "unexplained_micros", (json_int_t)report->unexplained_micros,
        "checks", checks, "differences", differences);
    CHECK(object != NULL && json_dumpf(object, stdout, JSON_INDENT(2)) == 0);
    putchar('\n');
    json_decref(object);
}

static int
prove(struct db *db, const char *directory, struct proof *proof)
{
    struct settings settings;
    struct settings_error error;
    if (settings_read(directory, &settings, &error) != STATUS_OK)
        return verb_cannot("%s", error.text);
    enum status status = verify_run(db, settings.directory, settings.log, &proof->report);
    if (status != STATUS_OK)
        return verb_cannot("verifying: %s", proof->report.fault[0] != '\0' ? proof->report.fault
                                                                           : status_text(status));
    status = settle_verify(db, settings.directory, proof->statements);
    if (status != STATUS_OK && status != STATUS_CONFLICT)
        return finance_refused(db, status, "verifying statements");
    proof->statements_ok = status == STATUS_OK;
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    static struct proof proof;  // 8 KiB of differences
    const struct verb_option none[] = {{0}};
    argc = verb_options(&verb_verify, none, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 1) return verb_usage(&verb_verify, "takes no arguments");
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    int code = prove(db, context->directory, &proof);
    db_close(db);
    if (code != EXIT_DONE) return code;
    if (context->json) print_json(&proof);
    else print_text(&proof);
    return proof.report.ok && proof.statements_ok ? EXIT_DONE : EXIT_NO;
}

const struct verb verb_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "prove that journal, ledger and statements agree",
    .help = "Computes the ledger again from the journal's files and compares it row by row, adds "
            "up all\n"
            "accounts, follows every hold to its end, and computes every closed statement again. "
            "Prints\n"
            "one line a check, then what differs, and last\n"
            "\n"
            "  verify: ok transfers=1204 unexplained_micros=0\n"
            "\n"
            "or verify: failed ... . Selling and booking go on meanwhile.\n"
            "\n"
            "Exit codes: 0 everything agrees; 1 something differs; 2 the command is wrong; 3 no "
            "database,\n"
            "or the journal cannot be read.\n",
    .run = run,
};
