// slotctl explain: why a past contact was decided as it was, slot by slot and bid by bid.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contact_find.h"
#include "explanation.h"
#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "node.h"

// References of the bids that the record names, for those that the catalog does not hold.
static enum status
load_names(struct db *db, const struct past *past, json_t *names)
{
    enum { MOST = BOUND_CONTACT_FACTS * 4 };
    static int64_t ids[MOST];
    struct db_rows *rows = NULL;
    size_t count = 0;
    for (unsigned i = 1; i < past->told.count; i++) {
        const struct fact *fact = &past->told.facts[i];
        if (fact->kind == FACT_PLACEMENT) {
            ids[count++] = (int64_t)fact->placement.bid;
            ids[count++] = (int64_t)fact->placement.setter;
        }
        for (unsigned j = 0; fact->kind == FACT_CANDIDATES && j < 2; j++)
            ids[count++] = (int64_t)fact->candidates.bid[j];
        for (unsigned j = 0; fact->kind == FACT_REFUSALS && j < 4; j++)
            ids[count++] = (int64_t)fact->refusals.bid[j];
    }
    const struct db_param params[] = {db_int8_array(ids, count)};
    enum status status = db_query(
        db, "select distinct bid, key from bid_change where bid = any ($1)", params, 1, &rows);
    if (status != STATUS_OK) return status;
    for (size_t row = 0; row < db_count(rows); row++) {
        char hex[17] = "";
        hash_hex((uint64_t)db_get_int(rows, row, 0), hex);
        CHECK(json_object_set_new(names, hex, json_string(db_get_text(rows, row, 1))) == 0);
    }
    db_rows_free(rows);
    return STATUS_OK;
}

// SLOT: its tagid, its code within the container, or its number.
static bool
find_position(const struct past *past, const char *name, unsigned *out_position)
{
    for (unsigned i = 1; i < past->told.count; i++) {
        const struct fact *fact = &past->told.facts[i];
        if (fact->kind != FACT_PLACEMENT && fact->kind != FACT_UNFILLED) continue;
        const char *tagid = told_tagid(
            &past->told, fact->kind == FACT_PLACEMENT ? fact->placement.slot : fact->unfilled.slot);
        const char *code = strchr(tagid, '.');
        char number[8];
        snprintf(number, sizeof number, "%u", (unsigned)fact->position);
        if (strcmp(name, tagid) != 0 && strcmp(name, number) != 0 &&
            (code == NULL || strcmp(name, code + 1) != 0))
            continue;
        *out_position = fact->position;
        return true;
    }
    return false;
}

// BID: its id, the seat's reference, or SEAT/REFERENCE.
static int
find_bid(struct db *db, const char *name, uint64_t *out_bid)
{
    struct db_rows *rows = NULL;
    const char *slash = strchr(name, '/');
    const char *key = slash == NULL ? name : slash + 1;
    bool hex = strlen(name) == 16 && strspn(name, "0123456789abcdef") == 16;
    if (hex) {
        *out_bid = strtoull(name, NULL, 16);
        return EXIT_DONE;
    }
    const struct db_param params[] = {
        db_text(key), slash == NULL ? db_null() : db_text_len(name, (size_t)(slash - name))};
    enum status status = db_query(db,
                                  "select distinct b.bid, s.code from bid_change b "
                                  "join seat s on s.id = b.seat where b.key = $1 "
                                  "and s.code = coalesce($2::text, s.code) order by s.code",
                                  params, 2, &rows);
    if (status != STATUS_OK) return finance_refused(db, status, "looking up the bid");
    size_t found = db_count(rows);
    int code = EXIT_DONE;
    if (found == 1) {
        *out_bid = (uint64_t)db_get_int(rows, 0, 0);
    } else if (found == 0) {
        code = verb_usage(&verb_explain, "no bid '%s' has been booked", name);
    } else {
        code = verb_usage(&verb_explain,
                          "'%s' is a reference of several seats; say which, as %s/%s", name,
                          db_get_text(rows, 0, 1), key);
    }
    db_rows_free(rows);
    return code;
}

// Is the bid among those that were there?
static bool
is_told(const json_t *explanation)
{
    static const char *const lists[] = {"bids", "candidates", "refusals"};
    const json_t *slot;
    size_t i, found = 0;
    json_array_foreach(json_object_get(explanation, "slots"), i, slot)
    {
        for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
            found += json_array_size(json_object_get(slot, lists[l]));
    }
    return found > 0;
}

static int
tell(const struct verb_context *context, struct db *db, struct past *past,
     const struct record *record, const struct explanation_wish *wish, const char *bid)
{
    json_t *names = json_object();
    enum status status = load_names(db, past, names);
    if (status != STATUS_OK) {
        json_decref(names);
        return finance_refused(db, status, "reading the names of bids");
    }
    past->told.names = names;
    json_t *explanation = explanation_json(past, record, wish);
    int code = EXIT_DONE;
    if (wish->bid != 0 && !is_told(explanation)) {
        fprintf(stderr,
                past->how == PAST_RECORD
                    ? "slotctl explain: the record does not name bid '%s': it keeps the eligible "
                      "down to the eighth and the dearest refused ones\n"
                    : "slotctl explain: bid '%s' did not address it: it was put later, or is for "
                      "another slot\n",
                bid);
        code = EXIT_NO;
    }
    if (context->json) {
        CHECK(json_dumpf(explanation, stdout, JSON_INDENT(2)) == 0);
        putchar('\n');
    } else {
        explanation_print(explanation, wish, stdout);
    }
    json_decref(explanation);
    json_decref(names);
    return code;
}

static int
explain(const struct verb_context *context, const struct settings *settings, struct db *db,
        const struct record *record, char **argv)
{
    struct past past;
    struct explanation_wish wish = {0};
    char fault[PAST_FAULT] = "";
    int code = EXIT_DONE;
    if (argv[2] != NULL && argv[3] != NULL) code = find_bid(db, argv[3], &wish.bid);
    if (code != EXIT_DONE) return code;
    enum status status = past_open(settings, db, record, &past, fault);
    if (status != STATUS_OK) code = verb_cannot("%s", fault);
    else if (argv[2] != NULL && strcmp(argv[2], "-") != 0 &&
             !find_position(&past, argv[2], &wish.position))
        code = verb_usage(&verb_explain, "its container has no slot '%s'", argv[2]);
    else code = tell(context, db, &past, record, &wish, argv[2] != NULL ? argv[3] : NULL);
    past_close(&past);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *touchpoint = NULL;
    const struct verb_option options[] = {{"--touchpoint", &touchpoint, NULL}, {0}};
    struct settings settings;
    struct record record;
    int code = EXIT_DONE;
    argc = verb_options(&verb_explain, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc < 2 || argc > 4) return verb_usage(&verb_explain, "which contact?");
    if (!node_settings(context, &settings, &code)) return code;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    struct arena *arena = arena_open("explain");
    code = contact_find(&verb_explain, &settings, db, argv[1], touchpoint, arena, &record);
    if (code == EXIT_DONE) code = explain(context, &settings, db, &record, argv);
    arena_close(arena);
    db_close(db);
    return code;
}

const struct verb verb_explain = {
    .name = "explain",
    .arguments = "CONTACT [SLOT|- [BID]] [--touchpoint CODE]",
    .summary = "why a past contact was decided as it was: who won, who set it, why not the others",
    .help =
        "CONTACT is our id of the contact, the id of a placement in it, or the touchpoint's own\n"
        "id (the newest of that id, or of --touchpoint). SLOT is its tagid, its code or its\n"
        "number; - stands for all. BID is the seat's reference, SEAT/REFERENCE, or its id.\n"
        "\n"
        "Two sources, and the answer says which. The record in the ledger: winner, price and who\n"
        "set it, the eligible bids down to the eighth with score, learned rate and priority, the\n"
        "floor and its rule, the dearest refused bids, counts by reason, live bidders, the\n"
        "experiment's arm. And the round decided again, from the journal and what the contact\n"
        "brought (kept for explain.days): then every bid has the first thing that stopped it,\n"
        "with the clause and the value it met, the cap and its count, the budget and what was\n"
        "left. It must give the recorded facts byte for byte, or only the record is told. Values\n"
        "of transient attributes are never kept; bids whose rules speak of them are named so.\n"
        "\n"
        "exit codes: 0 told; 1 that bid did not address it; 2 no such contact, slot or bid; 3 not\n"
        "booked yet, or no database\n"
        "example: slotctl explain bill-0001 monthly_bill.insert grill_house/grill-1\n",
    .run = run,
};
