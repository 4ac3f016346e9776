// slotctl play: files of bids, contacts and events through the TLS API, and then what happened, read back from
// the ledger: who won what at which price and who set it, which slots stayed empty and why.
#include <inttypes.h>
#include <string.h>

#include "db.h"
#include "journal.h"
#include "lines.h"
#include "market_db.h"
#include "node.h"
#include "play.h"
#include "process.h"
#include "table.h"
#include "verb.h"

#define PATH_BYTES 700
#define BOOKED_MS 20000     // at most waited for the ledger
#define ROWS_DEFAULT 40

struct request {
    const char *files[PLAY_KIND_COUNT];
    const char *rows;
    unsigned rows_max;
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

static const char *
reason_sentence(const char *key)
{
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        if (strcmp(reason_key(reason), key) == 0) return reason_text(reason);
    }
    return key;
}

static void
add_money(struct table *table, int64_t micros, bool exact)
{
    char text[MONEY_TEXT];
    money_format(money_of(micros), 2, text);
    if (exact) {
        table_cellf(table, "%" PRId64, micros);
    } else {
        table_cell(table, text);
    }
}

static enum status
placements_table(struct db *db, const struct id *contacts, size_t count, unsigned rows_max, bool exact,
                 struct table **out_table, size_t *out_count)
{
    static const struct table_column texts[] = {
        {"contact", "contact", TABLE_LEFT, TABLE_TEXT},  {"tagid", "slot", TABLE_LEFT, TABLE_TEXT},
        {"message", "message", TABLE_LEFT, TABLE_TEXT},  {"seat", "seat", TABLE_LEFT, TABLE_TEXT},
        {"rung", "rung", TABLE_RIGHT, TABLE_NUMBER},     {"bid", "bid", TABLE_RIGHT, TABLE_TEXT},
        {"price", "price", TABLE_RIGHT, TABLE_TEXT},     {"setter", "set by", TABLE_LEFT, TABLE_TEXT},
    };
    static const struct table_column numbers[] = {
        {"contact", "", TABLE_LEFT, TABLE_TEXT},         {"tagid", "", TABLE_LEFT, TABLE_TEXT},
        {"message", "", TABLE_LEFT, TABLE_TEXT},         {"seat", "", TABLE_LEFT, TABLE_TEXT},
        {"rung", "", TABLE_RIGHT, TABLE_NUMBER},         {"bid_micros", "", TABLE_RIGHT, TABLE_NUMBER},
        {"price_micros", "", TABLE_RIGHT, TABLE_NUMBER}, {"setter", "", TABLE_LEFT, TABLE_TEXT},
    };
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_id_array(contacts, count)};
    enum status status = db_query(db,
        "select c.key, s.tagid, m.code, w.code, (o.rung + 1)::int, o.bid_micros, o.price_micros, "
        "  coalesce(p.code, case when o.setter is null then 'floor' else 'another bid' end) "
        "from outcome o join contact c using (contact_id) join slot s on s.id = o.slot "
        "join message m on m.id = o.message join seat w on w.id = o.seat "
        "left join standing_bid b on b.id = o.setter left join seat p on p.id = b.seat "
        "where o.filled and o.contact_id = any ($1) order by c.log, c.batch, c.idx, o.position", params, 1, &rows);
    if (status != STATUS_OK) return status;
    *out_count = db_count(rows);
    *out_table = table_open(exact ? numbers : texts, 8);
    for (size_t i = 0; i < db_count(rows) && i < rows_max; i++) {
        for (size_t column = 0; column < 4; column++) table_cell(*out_table, db_get_text(rows, i, column));
        table_cellf(*out_table, "%" PRId64, db_get_int(rows, i, 4));
        add_money(*out_table, db_get_int(rows, i, 5), exact);
        add_money(*out_table, db_get_int(rows, i, 6), exact);
        table_cell(*out_table, db_get_text(rows, i, 7));
    }
    db_rows_free(rows);
    return STATUS_OK;
}

static enum status
unfilled_table(struct db *db, const struct id *contacts, size_t count, struct table **out_table)
{
    static const struct table_column columns[] = {
        {"tagid", "slot", TABLE_LEFT, TABLE_TEXT},     {"count", "times", TABLE_RIGHT, TABLE_NUMBER},
        {"reason", "stayed empty", TABLE_LEFT, TABLE_TEXT}, {"main_reason", "nearest bid", TABLE_LEFT, TABLE_TEXT},
    };
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_id_array(contacts, count)};
    enum status status = db_query(db,
        "select s.tagid, count(*), o.reason, coalesce(nullif(o.main_reason, 'none'), '') "
        "from outcome o join slot s on s.id = o.slot where not o.filled and o.contact_id = any ($1) "
        "group by 1, 3, 4 order by 1, 2 desc, 3, 4", params, 1, &rows);
    if (status != STATUS_OK) return status;
    *out_table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < db_count(rows); i++) {
        const char *nearest = db_get_text(rows, i, 3);
        table_cell(*out_table, db_get_text(rows, i, 0));
        table_cellf(*out_table, "%" PRId64, db_get_int(rows, i, 1));
        table_cell(*out_table, reason_sentence(db_get_text(rows, i, 2)));
        table_cell(*out_table, nearest[0] ? reason_sentence(nearest) : NULL);
    }
    db_rows_free(rows);
    return STATUS_OK;
}

static void
print_counts(const struct play *play, bool as_json)
{
    for (enum play_kind kind = 0; kind < PLAY_KIND_COUNT; kind++) {
        const struct play_counts *counts = play_counts(play, kind);
        if (as_json) {
            printf("%s\"%s\": {\"sent\": %" PRIu64 ", \"taken\": %" PRIu64 ", \"repeated\": %" PRIu64
                   ", \"refused\": %" PRIu64 ", \"skipped\": %" PRIu64 "}", kind == 0 ? "{" : ",\n ", kinds[kind],
                   counts->sent, counts->taken, counts->repeated, counts->refused, counts->skipped);
            continue;
        }
        if (counts->sent + counts->skipped == 0) continue;
        printf("%-9s %" PRIu64 " sent, %" PRIu64 " taken", kinds[kind], counts->sent, counts->taken);
        if (counts->repeated > 0) printf(" (%" PRIu64 " known before)", counts->repeated);
        if (counts->refused > 0) printf(", %" PRIu64 " refused", counts->refused);
        if (counts->skipped > 0) printf(", %" PRIu64 " skipped because the slot stayed empty", counts->skipped);
        putchar('\n');
    }
}

static int
print_outcome(const struct verb_context *context, struct db *db, const struct play *play, unsigned rows_max)
{
    const struct id *contacts;
    struct table *placements = NULL, *unfilled = NULL;
    size_t filled = 0, count = play_contacts(play, &contacts);
    enum table_format format = context->json ? TABLE_AS_JSON : TABLE_AS_TEXT;
    enum status status = placements_table(db, contacts, count, rows_max, context->json, &placements, &filled);
    if (status == STATUS_OK) status = unfilled_table(db, contacts, count, &unfilled);
    if (status != STATUS_OK) {
        table_close(placements);
        return verb_cannot("reading what happened: %s", db_fault(db)->text);
    }
    if (context->json) {
        print_counts(play, true);
        printf(",\n \"placements\": ");
        table_print(placements, format, stdout);
        printf(",\n \"unfilled\": ");
        table_print(unfilled, format, stdout);
        puts("}");
    } else {
        printf("\nPlacements: who won, and whose bid or which floor set the price\n\n");
        table_print(placements, format, stdout);
        if (filled > rows_max) printf("... and %zu more\n", filled - rows_max);
        printf("\nSlots that stayed empty\n\n");
        table_print(unfilled, format, stdout);
    }
    table_close(placements);
    table_close(unfilled);
    return EXIT_DONE;
}

static int
play_file(struct play *play, enum play_kind kind, const char *path)
{
    json_t *lines = NULL;
    struct lines_fault lines_fault;
    struct play_fault fault;
    if (!path) return EXIT_DONE;
    if (lines_read(path, &lines, &lines_fault) != STATUS_OK) {
        fprintf(stderr, "slotctl play: %s\n", lines_fault.text);
        return EXIT_USAGE;
    }
    enum status status = play_lines(play, kind, lines, &fault);
    json_decref(lines);
    if (status == STATUS_OK) return EXIT_DONE;
    verb_cannot("%s", fault.text);
    return status == STATUS_INPUT || status == STATUS_NOT_FOUND ? EXIT_USAGE : EXIT_CANNOT;
}

static int
play_all(const struct verb_context *context, const struct settings *settings, const struct request *request)
{
    const struct id *contacts;
    struct db *db = market_db_open(context);
    if (!db) return EXIT_CANNOT;
    struct play *play = play_open(settings, db);
    int code = EXIT_DONE;
    for (enum play_kind kind = 0; code == EXIT_DONE && kind < PLAY_KIND_COUNT; kind++)
        code = play_file(play, kind, request->files[kind]);
    if (code == EXIT_DONE && !context->json) print_counts(play, false);
    if (code == EXIT_DONE && !wait_booked(settings))
        code = verb_cannot("all was sent and answered, but the ledger has not booked it yet; slotctl status");
    if (code == EXIT_DONE && (context->json || play_contacts(play, &contacts) > 0))
        code = print_outcome(context, db, play, request->rows_max);
    for (enum play_kind kind = 0; code == EXIT_DONE && kind < PLAY_KIND_COUNT; kind++) {
        if (play_counts(play, kind)->refused > 0) code = EXIT_NO;
    }
    play_close(play);
    db_close(db);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct request request = {.rows_max = ROWS_DEFAULT};
    const struct verb_option options[] = {{"--bids", &request.files[PLAY_BIDS], NULL},
                                          {"--contacts", &request.files[PLAY_CONTACTS], NULL},
                                          {"--events", &request.files[PLAY_EVENTS], NULL},
                                          {"--rows", &request.rows, NULL},
                                          {0}};
    struct settings settings;
    int code = EXIT_DONE, used = 0;
    argc = verb_options(&verb_play, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 1) return verb_usage(&verb_play, "'%s': files are named with --bids, --contacts, --events", argv[1]);
    if (!request.files[PLAY_BIDS] && !request.files[PLAY_CONTACTS] && !request.files[PLAY_EVENTS])
        return verb_usage(&verb_play, "nothing to play");
    if (request.rows && (sscanf(request.rows, "%5u%n", &request.rows_max, &used) != 1 || request.rows[used]))
        return verb_usage(&verb_play, "--rows: '%s' is no count", request.rows);
    if (!node_settings(context, &settings, &code)) return code;
    return play_all(context, &settings, &request);
}

const struct verb verb_play = {
    .name = "play",
    .arguments = "[--bids FILE] [--contacts FILE] [--events FILE] [--rows N]",
    .summary = "send files of bids, contacts and events, and tell what happened",
    .help = "Sends JSON lines through the TLS API, each as its own seat or touchpoint (missing certificates are\n"
            "issued), waits until all is booked, and prints who won what at which price and who set it, and which\n"
            "slots stayed empty and why. Playing the same files again changes nothing.\n"
            "\n"
            "  --bids FILE      \"seat\" and the fields of bid.put (docs/protocol.md)\n"
            "  --contacts FILE  \"touchpoint\" and the fields of contact\n"
            "  --events FILE    \"contact\", \"tagid\" and the fields of event; as \"seat\" when it is named\n"
            "  --rows N         at most N placements in the table (40)\n"
            "\n"
            "exit codes: 0 all was taken; 1 some lines were refused (each is named); 2 a file or line cannot be\n"
            "used; 3 the market or the ledger does not answer\n"
            "example: slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl\n",
    .run = run,
};
