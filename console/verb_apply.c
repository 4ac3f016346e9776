// slotctl apply, diff, export-market: the declared market between its file and the database.
//
// apply: reads and checks the file, shows the difference to the newest version, writes it in one
// transaction, then waits until a catalog that holds it is live: ledgerd publishes it
// (catalog_version), auctiond says which catalog it sells from (DIR/run/auctiond.status). Waiting
// only reports; what was applied stays applied.
#include <inttypes.h>
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "fail.h"
#include "market_db.h"
#include "market_input.h"
#include "node.h"
#include "publish.h"

#define WAIT_US (10 * USEC_SECOND)
#define POLL_US 5000

static int
cannot_database(const struct db *db, enum status status)
{
    if (status == STATUS_DAMAGED)
        return verb_cannot("the stored market was written by another version of this program");
    return verb_cannot("the database refused: %s", db_fault(db)->text);
}

// --- The difference, for people and for programs ------------------------------------------------

static void
print_changes_text(const struct apply_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct market_change *change = &plan->changes[i];
        printf("%c %s: %s%s\n", change->sign, change->object, change->text,
               change->refused ? " (refused)" : "");
    }
}

static json_t *
changes_json(const struct apply_plan *plan)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct market_change *change = &plan->changes[i];
        char sign[2] = {change->sign, '\0'};
        json_t *item = json_pack("{s:s, s:s, s:s, s:b}", "sign", sign, "object", change->object,
                                 "text", change->text, "refused", change->refused);
        CHECK(item != NULL && json_array_append_new(list, item) == 0);
    }
    return list;
}

static void
print_json(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    CHECK(text != NULL);
    printf("%s\n", text);
    free(text);
    json_decref(object);
}

static int
refuse_plan(const char *path)
{
    fprintf(stderr, "%s: changes marked (refused) must not be made; nothing was applied\n", path);
    return EXIT_USAGE;
}

// --- diff ---------------------------------------------------------------------------------------

static int
run_diff(const struct verb_context *context, int argc, char **argv)
{
    const struct verb_option none[] = {{0}};
    argc = verb_options(&verb_diff, none, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_diff, "needs one market file");
    struct arena *arena = arena_open("diff");
    struct db *db = NULL;
    struct market *market;
    struct apply_plan plan;
    int code = market_input_read(context, argv[1], arena, &market);
    if (code != EXIT_DONE) goto done;
    code = EXIT_CANNOT;
    db = market_db_open(context);
    if (db == NULL) goto done;
    enum status status = STATUS_CLOSED;
    if (market_input_seen(context, db, argv[1], market, arena))
        status = apply_plan(db, market, arena, &plan);
    if (status != STATUS_OK) {
        code = cannot_database(db, status);
        goto done;
    }
    if (context->json)
        print_json(json_pack("{s:I, s:o}", "version", (json_int_t)plan.base, "changes",
                             changes_json(&plan)));
    else if (plan.count == 0) printf("no difference to version %" PRIu64 "\n", plan.base);
    else print_changes_text(&plan);
    code = plan.refused > 0 ? EXIT_USAGE : plan.count > 0 ? EXIT_NO : EXIT_DONE;
done:
    db_close(db);
    arena_close(arena);
    return code;
}

const struct verb verb_diff = {
    .name = "diff",
    .arguments = "FILE",
    .summary = "what applying a market file would change",
    .help =
        "Checks the market file and shows how it differs from the market that is applied:\n"
        "\n"
        "  $ slotctl diff market.yaml\n"
        "  ~ slot bill.footer: floor 0.12 -> 0.14\n"
        "  + message grill_house.autumn: new\n"
        "\n"
        "Exit codes: 0 no difference; 1 differences; 2 errors in the file, or a difference that\n"
        "must not be applied; 3 no database.\n",
    .run = run_diff,
};

// --- export-market ------------------------------------------------------------------------------

static int
run_export(const struct verb_context *context, int argc, char **argv)
{
    char *end = NULL;
    const struct verb_option none[] = {{0}};
    argc = verb_options(&verb_export_market, none, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 2) return verb_usage(&verb_export_market, "takes at most one version");
    unsigned long long version = argc == 2 ? strtoull(argv[1], &end, 10) : 0;
    if (argc == 2 && (argv[1][0] < '0' || argv[1][0] > '9' || *end != '\0' || version == 0 ||
                      version > INT64_MAX))
        return verb_usage(&verb_export_market, "'%s' is not a version; use 1 or more", argv[1]);
    struct arena *arena = arena_open("export");
    struct market *market;
    int code = EXIT_CANNOT;
    struct db *db = market_db_open(context);
    if (db == NULL) goto done;
    enum status status = publish_load_market(db, version, arena, &market);
    if (status == STATUS_NOT_FOUND) {
        fprintf(stderr, version == 0 ? "no market was applied yet; use slotctl apply FILE\n"
                                     : "there is no such version\n");
        code = EXIT_NO;
    } else if (status != STATUS_OK) {
        code = cannot_database(db, status);
    } else {
        size_t len;
        const char *text = market_file_write(market, arena, &len);
        if (context->json) {
            print_json(json_pack("{s:s, s:s%}", "market", market->code, "file", text, len));
            code = EXIT_DONE;
            goto done;
        }
        code = fwrite(text, 1, len, stdout) == len ? EXIT_DONE : verb_cannot("cannot write");
    }
done:
    db_close(db);
    arena_close(arena);
    return code;
}

const struct verb verb_export_market = {
    .name = "export-market",
    .arguments = "[VERSION]",
    .summary = "the applied market as a market file",
    .help = "Prints the applied market (or an earlier version of it) as a market file. Reading it "
            "back\n"
            "gives the same market: `slotctl diff` finds nothing. Comments are not kept. With "
            "--json\n"
            "the file is one text in {\"market\": CODE, \"file\": TEXT}.\n"
            "\n"
            "  $ slotctl export-market > market.yaml\n"
            "\n"
            "Exit codes: 0 printed; 1 no such version, or none applied yet; 3 no database.\n",
    .run = run_export,
};

// --- apply --------------------------------------------------------------------------------------

enum liveness { LIVE, NOT_YET, NOBODY_SELLS };

static enum liveness
look(const struct settings *settings, struct db *db, uint64_t version)
{
    uint64_t catalog;
    json_t *selling = node_status(settings, NODE_AUCTIOND);
    if (selling == NULL) return NOBODY_SELLS;
    json_int_t live = json_integer_value(json_object_get(selling, "catalog_version"));
    json_decref(selling);
    enum status status = apply_published(db, version, &catalog);
    return status == STATUS_OK && live > 0 && (uint64_t)live >= catalog ? LIVE : NOT_YET;
}

// Waits until the version sells; says so. Elapsed milliseconds in `*out_ms`.
static enum liveness
await(const struct verb_context *context, struct db *db, uint64_t version, int64_t *out_ms)
{
    struct settings settings;
    struct settings_error error;
    usec began = clock_monotonic(), now = began;
    enum liveness seen = NOBODY_SELLS;
    if (settings_read(context->directory, &settings, &error) != STATUS_OK) return NOBODY_SELLS;
    for (; now.us - began.us < WAIT_US; now = clock_monotonic()) {
        seen = look(&settings, db, version);
        if (seen != NOT_YET) break;
        usleep(POLL_US);
    }
    *out_ms = (clock_monotonic().us - began.us) / 1000;
    return seen;
}

static const char *
author(void)
{
    const struct passwd *user = getpwuid(getuid());
    return user != NULL ? user->pw_name : "unknown";
}

struct applied {
    uint64_t version;
    bool changed;
    enum liveness live;
    int64_t ms;
};

static void
print_applied(const struct verb_context *context, const struct apply_plan *plan,
              const struct applied *applied, bool dry_run)
{
    static const char *const words[] = {
        [LIVE] = "live", [NOT_YET] = "not_yet", [NOBODY_SELLS] = "not_running"};
    if (context->json) {
        print_json(json_pack("{s:I, s:b, s:b, s:s, s:I, s:o}", "version",
                             (json_int_t)applied->version, "applied", applied->changed, "dry_run",
                             dry_run, "state", dry_run ? "not_applied" : words[applied->live],
                             "live_after_ms", (json_int_t)applied->ms, "changes",
                             changes_json(plan)));
        return;
    }
    print_changes_text(plan);
    if (dry_run)
        printf("%u change%s; nothing was applied\n", plan->count, plan->count == 1 ? "" : "s");
    else if (!applied->changed) printf("no difference to version %" PRIu64 "\n", applied->version);
    else if (applied->live == LIVE)
        printf("version %" PRIu64 " is live after %" PRId64 " ms\n", applied->version, applied->ms);
    else if (applied->live == NOT_YET)
        printf("version %" PRIu64 " is applied, and not live yet; see slotctl status\n",
               applied->version);
    else
        printf("version %" PRIu64 " is applied; it sells once the market is up (slotctl up)\n",
               applied->version);
}

static int
apply_market(const struct verb_context *context, const char *path, const char *note, bool dry_run,
             struct arena *arena)
{
    struct market *market;
    struct apply_plan plan;
    struct applied applied = {0};
    int code = market_input_read(context, path, arena, &market);
    if (code != EXIT_DONE) return code;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    enum status status = STATUS_CLOSED;
    if (market_input_seen(context, db, path, market, arena))
        status = apply_plan(db, market, arena, &plan);
    if (status == STATUS_OK && plan.refused > 0) {
        print_changes_text(&plan);
        code = refuse_plan(path);
        goto done;
    }
    applied.version = plan.base;
    if (status == STATUS_OK && !dry_run)
        status = apply_run(db, market, &plan, author(), note, clock_wall(), &applied.version);
    if (status == STATUS_CONFLICT) {
        fprintf(stderr,
                "somebody else applied a market meanwhile; look at the difference again "
                "(slotctl diff %s)\n",
                path);
        code = EXIT_NO;
        goto done;
    }
    if (status != STATUS_OK) {
        code = cannot_database(db, status);
        goto done;
    }
    applied.changed = applied.version != plan.base;
    if (applied.changed) applied.live = await(context, db, applied.version, &applied.ms);
    print_applied(context, &plan, &applied, dry_run);
    code = applied.changed && applied.live == NOT_YET ? EXIT_NO : EXIT_DONE;
done:
    db_close(db);
    return code;
}

static int
run_apply(const struct verb_context *context, int argc, char **argv)
{
    const char *note = "";
    bool dry_run = false;
    const struct verb_option options[] = {
        {.name = "--note", .value = &note}, {.name = "--dry-run", .flag = &dry_run}, {0}};
    argc = verb_options(&verb_apply, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_apply, "needs one market file");
    if (strlen(note) > BOUND_TEXT)
        return verb_usage(&verb_apply, "the note is longer than %d bytes", BOUND_TEXT);
    struct arena *arena = arena_open("apply");
    int code = apply_market(context, argv[1], note, dry_run, arena);
    arena_close(arena);
    return code;
}

const struct verb verb_apply = {
    .name = "apply",
    .arguments = "FILE [--dry-run] [--note TEXT]",
    .summary = "check a market file and make it live",
    .help =
        "Checks the whole market file (every error with its line and column, all at once), shows\n"
        "what changes, applies it in one transaction, and says when it is live. With an error\n"
        "nothing is applied.\n"
        "\n"
        "  --dry-run    checks and shows only\n"
        "  --note TEXT  kept with the version, for those who ask later why\n"
        "\n"
        "  $ slotctl apply market.yaml --note 'footer a little dearer'\n"
        "  ~ slot bill.footer: floor 0.12 -> 0.14\n"
        "  version 8 is live after 63 ms\n"
        "\n"
        "Exit codes: 0 applied (or no difference); 1 applied but not live within 10 seconds, or\n"
        "another apply came first; 2 errors in the file; 3 no database.\n",
    .run = run_apply,
};
