// slotctl play: files of bids, contacts and events through the TLS API, and then what happened,
// read back from the ledger: who won what at which price and who set it, which slots stayed empty
// and why.
#include <inttypes.h>

#include "db.h"
#include "journal.h"
#include "lines.h"
#include "market_db.h"
#include "node.h"
#include "play.h"
#include "play_tell.h"
#include "process.h"
#include "verb.h"

#define PATH_BYTES 700
#define BOOKED_MS 20000  // at most waited for the ledger

struct request {
    const char *files[PLAY_KIND_COUNT];
    bool all, quiet;
};

static const char *const kinds[] = {"bids", "contacts", "events"};

// Waits until the ledger holds what the journal holds now.
static bool
wait_booked(const struct settings *settings)
{
    char journal[PATH_BYTES];
    uint64_t durable = 0, shipped = 0;
    snprintf(journal, sizeof journal, "%s/journal", settings->directory);
    if (journal_durable(journal, &durable) != STATUS_OK) return false;
    for (unsigned waited = 0; waited < BOOKED_MS; waited += 20) {
        json_t *status = node_status(settings, NODE_LEDGERD);
        shipped = (uint64_t)json_integer_value(json_object_get(status, "shipped_batch"));
        json_decref(status);
        if (shipped >= durable) return true;
        process_sleep_ms(20);
    }
    return false;
}

static void
print_counts(const struct play *play, bool as_json)
{
    for (enum play_kind kind = 0; kind < PLAY_KIND_COUNT; kind++) {
        const struct play_counts *counts = play_counts(play, kind);
        if (as_json) {
            printf("%s\"%s\": {\"sent\": %" PRIu64 ", \"taken\": %" PRIu64
                   ", \"repeated\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"skipped\": %" PRIu64
                   "}",
                   kind == 0 ? "{" : ",\n ", kinds[kind], counts->sent, counts->taken,
                   counts->repeated, counts->refused, counts->skipped);
            continue;
        }
        if (counts->sent + counts->skipped == 0) continue;
        printf("%-9s %" PRIu64 " sent, %" PRIu64 " taken", kinds[kind], counts->sent,
               counts->taken);
        if (counts->repeated > 0) printf(" (%" PRIu64 " known before)", counts->repeated);
        if (counts->refused > 0) printf(", %" PRIu64 " refused", counts->refused);
        if (counts->skipped > 0)
            printf(", %" PRIu64 " skipped: %s", counts->skipped,
                   play_counts(play, PLAY_CONTACTS)->sent > 0
                       ? "the slot stayed empty, or another seat won it"
                       : "their contacts are not among those played; name them with --contacts");
        putchar('\n');
    }
}

static int
print_outcome(const struct verb_context *context, struct db *db, const struct play *play,
              const struct request *request, const json_t *notes)
{
    struct play_tell tell = {.notes = notes, .all = request->all};
    tell.count = play_contacts(play, &tell.contacts);
    enum status status = STATUS_OK;
    if (context->json) {
        print_counts(play, true);
        printf(",\n ");
        status = play_tell_json(db, &tell, stdout);
        puts("}");
    } else if (tell.count > 0 && !request->quiet) {
        status = play_tell_text(db, &tell, stdout);
    }
    return status == STATUS_OK ? EXIT_DONE
                               : verb_cannot("reading what happened: %s", db_fault(db)->text);
}

// What the file says about its contacts, for people.
static void
take_notes(json_t *notes, const json_t *lines)
{
    size_t index;
    json_t *line;
    json_array_foreach(lines, index, line)
    {
        const char *id = json_string_value(json_object_get(line, "id"));
        json_t *note = json_object_get(line, "note");
        if (id && note) json_object_set(notes, id, note);
    }
}

static int
play_file(struct play *play, enum play_kind kind, const char *path, json_t *notes)
{
    json_t *lines = NULL;
    struct lines_fault lines_fault;
    struct play_fault fault;
    if (!path) return EXIT_DONE;
    if (lines_read(path, &lines, &lines_fault) != STATUS_OK) {
        fprintf(stderr, "slotctl play: %s\n", lines_fault.text);
        return EXIT_USAGE;
    }
    if (kind == PLAY_CONTACTS) take_notes(notes, lines);
    enum status status = play_lines(play, kind, lines, &fault);
    json_decref(lines);
    if (status == STATUS_OK) return EXIT_DONE;
    verb_cannot("%s", fault.text);
    return status == STATUS_INPUT || status == STATUS_NOT_FOUND ? EXIT_USAGE : EXIT_CANNOT;
}

static int
play_all(const struct verb_context *context, const struct settings *settings,
         const struct request *request)
{
    struct db *db = market_db_open(context);
    if (!db) return EXIT_CANNOT;
    struct play *play = play_open(settings, db);
    json_t *notes = json_object();
    int code = EXIT_DONE;
    for (enum play_kind kind = 0; code == EXIT_DONE && kind < PLAY_KIND_COUNT; kind++)
        code = play_file(play, kind, request->files[kind], notes);
    if (code == EXIT_DONE && !context->json) print_counts(play, false);
    if (code == EXIT_DONE && !wait_booked(settings))
        code = verb_cannot(
            "all was sent and answered, but the ledger has not booked it yet; slotctl status");
    if (code == EXIT_DONE) code = print_outcome(context, db, play, request, notes);
    for (enum play_kind kind = 0; code == EXIT_DONE && kind < PLAY_KIND_COUNT; kind++) {
        if (play_counts(play, kind)->refused > 0) code = EXIT_NO;
    }
    json_decref(notes);
    play_close(play);
    db_close(db);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct request request = {0};
    const struct verb_option options[] = {{"--bids", &request.files[PLAY_BIDS], NULL},
                                          {"--contacts", &request.files[PLAY_CONTACTS], NULL},
                                          {"--events", &request.files[PLAY_EVENTS], NULL},
                                          {"--all", NULL, &request.all},
                                          {"--quiet", NULL, &request.quiet},
                                          {0}};
    struct settings settings;
    int code = EXIT_DONE;
    argc = verb_options(&verb_play, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 1)
        return verb_usage(&verb_play, "'%s': files are named with --bids, --contacts, --events",
                          argv[1]);
    if (!request.files[PLAY_BIDS] && !request.files[PLAY_CONTACTS] && !request.files[PLAY_EVENTS])
        return verb_usage(&verb_play, "nothing to play");
    if (!node_settings(context, &settings, &code)) return code;
    return play_all(context, &settings, &request);
}

const struct verb verb_play = {
    .name = "play",
    .arguments = "[--bids FILE] [--contacts FILE] [--events FILE] [--all|--quiet]",
    .summary = "send files of bids, contacts and events, and tell what happened",
    .help = "Sends JSON lines through the TLS API, each as its own seat or touchpoint (missing "
            "certificates are\n"
            "issued), waits until all is booked, and prints who won what at which price and who "
            "set it, and which\n"
            "slots stayed empty and why. Playing the same files again changes nothing.\n"
            "\n"
            "  --bids FILE      \"seat\" and the fields of bid.put (docs/protocol.md)\n"
            "  --contacts FILE  \"touchpoint\" and the fields of contact\n"
            "  --events FILE    \"contact\", \"tagid\" and the fields of event; as \"seat\" when "
            "it is named\n"
            "  --all            every contact slot by slot, not only the first of each container\n"
            "  --quiet          only how many lines were sent, taken and refused\n"
            "\n"
            "exit codes: 0 all was taken; 1 some lines were refused (each is named); 2 a file or "
            "line cannot be\n"
            "used; 3 the market or the ledger does not answer\n"
            "example: slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl\n",
    .run = run,
};
