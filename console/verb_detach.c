// slotctl detach: an old period's transfers into a table of their own, read-only.
#include <inttypes.h>
#include <stdio.h>

#include "finance.h"
#include "market_db.h"
#include "partition.h"

static int
detach(struct db *db, const struct period *period, bool json)
{
    struct partition_report report;
    enum status status = STATUS_AGAIN;  // whoever reads or books just then: once more
    for (int lost = 0; status == STATUS_AGAIN && lost < 5; lost++)
        status = partition_detach(db, period, clock_wall(), &report);
    if (status == STATUS_CONFLICT || status == STATUS_NOT_FOUND) {
        fprintf(stderr, "slotctl detach: %s\n", report.fault);
        return EXIT_NO;
    }
    if (status != STATUS_OK) return finance_refused(db, status, "detaching");
    if (json) {
        printf("{\"period\": \"%s\", \"relation\": \"%s\", \"transfers\": %" PRIu64
               ", \"detached_before\": %s}\n",
               period->name, report.relation, report.transfers, report.before ? "true" : "false");
        return EXIT_DONE;
    }
    printf("%s: %" PRIu64 " transfers %s in %s, read-only.\n", period->name, report.transfers,
           report.before ? "lay already" : "lie now", report.relation);
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const struct verb_option options[] = {{0}};
    struct market_db_fault fault;
    struct period period;
    struct db *db = NULL;
    argc = verb_options(&verb_detach, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_detach, "needs one period");
    int code = finance_period(&verb_detach, argv[1], &period);
    if (code != EXIT_DONE) return code;
    if (market_db_open_as(context->directory, "owner", &db, &fault) != STATUS_OK)
        return verb_cannot("%s", fault.text);
    code = detach(db, &period, context->json);
    db_close(db);
    return code;
}

const struct verb verb_detach = {
    .name = "detach",
    .arguments = "PERIOD",
    .summary = "put an old period's transfers aside, read-only",
    .help =
        "Takes the transfers of a closed period out of the ledger's working table into a table\n"
        "of their own (vendue.transfer_YYYY_MM), to which nobody but the database's owner can\n"
        "write. Nothing is lost: statements, balances, exports, verify and late refunds go on as\n"
        "before, through the view transfer_kept; what asks for other periods does not read it any\n"
        "more, and the table may be moved to slower disks (alter table ... set tablespace). A\n"
        "period in which prices are still held is refused. Again, it changes nothing. It cannot\n"
        "be undone.\n"
        "\n"
        "  slotctl detach 2024-01\n"
        "\n"
        "Exit codes: 0 detached, now or before; 1 it may not be detached, or has no transfers;\n"
        "2 the command is wrong; 3 no database.\n",
    .run = run,
};
