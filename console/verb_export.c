// slotctl export: a period's transfers for other accounting programs.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "finance.h"
#include "market_db.h"

static enum status
write_export(struct db *db, const struct period *period, enum export_format format, bool days,
             FILE *out, uint64_t *out_transfers)
{
    return days ? export_days(db, period, format, out, out_transfers)
                : export_period(db, period, format, out, out_transfers);
}

// Into a new file beside the old one, which it then replaces: a reader never sees half an export.
static int
export_to_file(struct db *db, const struct period *period, enum export_format format, bool days,
               const char *path, uint64_t *out_transfers)
{
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return verb_cannot("%s: the name is too long", path);
    FILE *out = fopen(temporary, "w");
    if (out == NULL) return verb_cannot("cannot write %s: %s", temporary, strerror(errno));
    enum status status = write_export(db, period, format, days, out, out_transfers);
    bool written = fflush(out) == 0 && fsync(fileno(out)) == 0;
    written = fclose(out) == 0 && written;
    if (status == STATUS_OK && written && rename(temporary, path) == 0) return EXIT_DONE;
    int code = status == STATUS_OK || status == STATUS_IO
                   ? verb_cannot("cannot write %s: %s", path, strerror(errno))
                   : finance_refused(db, status, "exporting");
    unlink(temporary);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *wanted = NULL, *path = NULL;
    bool days = false;
    const struct verb_option options[] = {
        {"--format", &wanted, NULL}, {"--output", &path, NULL}, {"--days", NULL, &days}, {0}};
    argc = verb_options(&verb_export, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_export, "needs one period");
    enum export_format format = EXPORT_HLEDGER;
    if (wanted == NULL)
        return verb_usage(&verb_export, "needs --format hledger, ledger, beancount or csv");
    if (export_format_parse(wanted, &format) != STATUS_OK)
        return verb_usage(&verb_export,
                          "there is no format '%s'; use hledger, ledger, beancount or csv", wanted);
    if (context->json && path == NULL)
        return verb_usage(&verb_export, "--json tells what was written and needs --output FILE");
    struct period period;
    int code = finance_period(&verb_export, argv[1], &period);
    if (code != EXIT_DONE) return code;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    uint64_t transfers = 0;
    int reason = 0;
    if (path != NULL) {
        code = export_to_file(db, &period, format, days, path, &transfers);
    } else {
        enum status status = write_export(db, &period, format, days, stdout, &transfers);
        reason = errno;
        // Whoever read has seen enough: slotctl export ... | head
        if (status == STATUS_IO && reason == EPIPE) code = EXIT_CANNOT;
        else if (status == STATUS_IO)
            code = verb_cannot("cannot write the export: %s", strerror(reason));
        else if (status != STATUS_OK) code = finance_refused(db, status, "exporting");
    }
    if (code == EXIT_DONE && context->json)
        printf("{\"period\": \"%s\", \"format\": \"%s\", \"transfers\": %" PRIu64 "}\n",
               period.name, export_format_name(format), transfers);
    db_close(db);
    errno = reason;  // of what main() finds unwritten
    return code;
}

const struct verb verb_export = {
    .name = "export",
    .arguments = "PERIOD --format hledger|ledger|beancount|csv [--days] [--output FILE]",
    .summary = "a period's transfers for other programs",
    .help =
        "Prints every posted transfer of a month with six decimals, after the balances of earlier\n"
        "months and before an assertion of every balance at its end, so that a program nobody "
        "here\n"
        "wrote can add everything up again. Holds are no money yet and are not in it. CSV holds "
        "the\n"
        "transfers alone, with integer micros and all dimensions.\n"
        "--days: one transaction for all transfers of a day from one account to another, for\n"
        "months that are too large for these programs.\n"
        "\n"
        "  slotctl export 2026-11 --format hledger --output nov.journal\n"
        "  hledger -f nov.journal check -s ordereddates\n"
        "  slotctl export 2026-11 --format ledger --output nov.ledger\n"
        "  ledger -f nov.ledger --strict --pedantic bal\n"
        "  slotctl export 2026-11 --format beancount --output nov.beancount\n"
        "  bean-check nov.beancount\n"
        "\n"
        "Exit codes: 0 exported; 2 the command is wrong; 3 no database, or the file cannot be "
        "written.\n",
    .run = run,
};
