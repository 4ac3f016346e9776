// slotctl status: which programs of the market run, what they sell from, and how far booking is
// behind.
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "journal.h"
#include "market_db.h"
#include "node.h"
#include "postgres.h"
#include "settle.h"
#include "verb.h"

#define PATH_BYTES 700

struct picture {
    bool database;                  // answers
    pid_t pid[NODE_PROGRAM_COUNT];  // 0: down
    bool has_catalog;
    uint64_t catalog_version;  // that auctiond sells from
    bool has_durable, has_shipped;
    uint64_t durable, shipped;  // newest batch in the journal, newest batch in the ledger
    bool journal_full;
    char ails[512], since[CLOCK_TEXT];  // what ledgerd fails at, "" nothing, and since when
    bool has_finance;
    struct settle_state finance;
};

static bool
number_of(const json_t *status, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(status, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static void
look(const struct settings *settings, struct picture *out)
{
    char journal[PATH_BYTES];
    struct db *db = NULL;
    struct market_db_fault fault;
    memset(out, 0, sizeof *out);
    out->database = market_db_open_as(settings->directory, "console", &db, &fault) == STATUS_OK;
    // A database that no market was applied to yet has no tables of finance.
    out->has_finance = out->database && settle_state(db, clock_wall(), &out->finance) == STATUS_OK;
    db_close(db);
    for (enum node_program program = 0; program < NODE_PROGRAM_COUNT; program++)
        out->pid[program] = node_find(settings, program);
    json_t *ledgerd = node_status(settings, NODE_LEDGERD),
           *auctiond = node_status(settings, NODE_AUCTIOND);
    out->has_catalog = number_of(auctiond, "catalog_version", &out->catalog_version);
    out->has_shipped = number_of(ledgerd, "shipped_batch", &out->shipped);
    out->journal_full = json_is_true(json_object_get(auctiond, "journal_full"));
    const char *ails = json_string_value(json_object_get(ledgerd, "error"));
    uint64_t since = 0;
    snprintf(out->ails, sizeof out->ails, "%s", ails != NULL ? ails : "");
    (void)number_of(ledgerd, "error_since_us", &since);
    clock_format((usec){(int64_t)since}, out->since);
    snprintf(journal, sizeof journal, "%s/journal", settings->directory);
    out->has_durable = journal_durable(journal, &out->durable) == STATUS_OK;
    json_decref(ledgerd);
    json_decref(auctiond);
}

static uint64_t
lag(const struct picture *picture)
{
    return picture->durable > picture->shipped ? picture->durable - picture->shipped : 0;
}

static const char *
sentence(const struct picture *picture)
{
    bool selling = picture->pid[NODE_AUCTIOND] != 0,
         booking = picture->pid[NODE_LEDGERD] != 0 && picture->database;
    if (selling && picture->journal_full)
        return "nothing is sold: the journal has no room; make room on its disk";
    if (selling && booking)
        return picture->catalog_version > 0 ? "the market is open"
                                            : "the market is up; no market "
                                              "file was applied yet: slotctl apply FILE";
    if (selling && !picture->database) return "selling goes on; booking waits for the database";
    if (selling) return "selling goes on; booking waits for ledgerd: slotctl up";
    if (booking) return "nothing is sold: auctiond is down: slotctl up";
    return "the market is down: slotctl up";
}

static void
print_program(const char *name, pid_t pid)
{
    if (pid != 0) {
        printf("%-11s up, pid %d\n", name, (int)pid);
    } else {
        printf("%-11s down\n", name);
    }
}

static void
print_finance(const struct settle_state *finance)
{
    if (finance->period[0] != '\0')
        printf("period      %s is %s", finance->period, finance->closing ? "being closed" : "open");
    else printf("period      nothing is booked that is not closed");
    if (finance->closed[0] != '\0') printf("; closed up to %s", finance->closed);
    printf("\n");
    if (finance->unproven > 0)
        printf("proof       %" PRIu64 " frames wait to be proven\n", finance->unproven);
    if (finance->locks_overdue > 0)
        printf("shares      %" PRIu64 " orders are due to be locked\n", finance->locks_overdue);
    if (finance->disputes_open > 0)
        printf("disputes    %" PRIu64 " open, %" PRIu64 " of them past their deadline\n",
               finance->disputes_open, finance->disputes_overdue);
    if (finance->adjustments_waiting > 0)
        printf("adjustments %" PRIu64 " wait for a second person\n", finance->adjustments_waiting);
}

static void
print_text(const struct settings *settings, const struct picture *picture)
{
    printf("market      %s, %s port %u\n", settings->directory, settings->listen_host,
           settings->listen_port);
    print_program("auctiond", picture->pid[NODE_AUCTIOND]);
    print_program("ledgerd", picture->pid[NODE_LEDGERD]);
    printf("%-11s %s%s\n", "postgresql", picture->database ? "up" : "down",
           settings->postgres[0] ? " (own)" : "");
    if (picture->has_catalog && picture->catalog_version > 0)
        printf("catalog     version %" PRIu64 " is live\n", picture->catalog_version);
    else printf("catalog     none is live\n");
    if (picture->has_durable)
        printf("journal     batch %" PRIu64 " is durable\n", picture->durable);
    if (picture->has_durable && picture->has_shipped)
        printf("ledger      batch %" PRIu64 " is booked, %" PRIu64 " behind\n", picture->shipped,
               lag(picture));
    if (picture->has_finance) print_finance(&picture->finance);
    if (picture->pid[NODE_LEDGERD] != 0 && picture->ails[0] != '\0')
        printf("trouble     ledgerd fails since %s: %s\n", picture->since, picture->ails);
    printf("%s\n", sentence(picture));
}

static json_t *
count_or_null(bool has, uint64_t count)
{
    return has ? json_integer((json_int_t)count) : json_null();
}

static json_t *
finance_json(const struct picture *picture)
{
    const struct settle_state *finance = &picture->finance;
    if (!picture->has_finance) return json_null();
    return json_pack("{s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:I}", "period", finance->period,
                     "closing", (int)finance->closing, "closed", finance->closed, "unproven",
                     (json_int_t)finance->unproven, "locks_overdue",
                     (json_int_t)finance->locks_overdue, "disputes_open",
                     (json_int_t)finance->disputes_open, "disputes_overdue",
                     (json_int_t)finance->disputes_overdue, "adjustments_waiting",
                     (json_int_t)finance->adjustments_waiting);
}

static void
print_json(const struct settings *settings, const struct picture *picture)
{
    json_t *answer = json_pack(
        "{s:s, s:s, s:i, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:b, s:o, s:s, s:s}", "directory",
        settings->directory, "host", settings->listen_host, "port", (int)settings->listen_port,
        "auctiond", picture->pid[NODE_AUCTIOND] != 0, "ledgerd", picture->pid[NODE_LEDGERD] != 0,
        "postgresql", (int)picture->database, "catalog_version",
        count_or_null(picture->has_catalog, picture->catalog_version), "durable_batch",
        count_or_null(picture->has_durable, picture->durable), "shipped_batch",
        count_or_null(picture->has_shipped, picture->shipped), "lag",
        count_or_null(picture->has_durable && picture->has_shipped, lag(picture)), "journal_full",
        (int)picture->journal_full, "finance", finance_json(picture), "trouble", picture->ails,
        "summary", sentence(picture));
    json_dumpf(answer, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(answer);
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct settings settings;
    struct picture picture;
    int code = EXIT_DONE;
    argc = verb_options(&verb_status, &(struct verb_option){0}, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 1)
        return verb_usage(&verb_status, "takes no arguments; the market is named with --dir");
    if (!node_settings(context, &settings, &code)) return code;
    look(&settings, &picture);
    if (context->json) {
        print_json(&settings, &picture);
    } else {
        print_text(&settings, &picture);
    }
    bool all = picture.database && picture.pid[NODE_AUCTIOND] != 0 &&
               picture.pid[NODE_LEDGERD] != 0;
    return all ? EXIT_DONE : EXIT_NO;
}

const struct verb verb_status = {
    .name = "status",
    .arguments = "",
    .summary = "which programs run, what they sell from, how far booking is behind",
    .help =
        "Says of each program whether it runs, which catalog is live, and how far the ledger is "
        "behind the\n"
        "journal, in batches; for finance: the open period, what is not proven yet, overdue locks "
        "and\n"
        "disputes. While the database is down, selling goes on and booking waits. What\n"
        "ledgerd fails at, and a journal without room, are told.\n"
        "\n"
        "exit codes: 0 all programs run; 1 one of them does not; 2 the settings file is wrong\n",
    .run = run,
};
