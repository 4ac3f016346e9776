// slotctl reprice: winner and price of each slot worked out again from the record alone, which must
// agree to the micro. One contact out of the ledger, or all of the journal.
#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "contact_find.h"
#include "fail.h"
#include "finance.h"
#include "journal.h"
#include "market_db.h"
#include "node.h"
#include "round.h"

#define PATH_BYTES 600
#define TOLD_MOST 20  // contacts that disagree and are named

struct totals {
    uint64_t contacts, slots, sold, without_record, wrong;
};

// --- One contact ---------------------------------------------------------------------------------

static json_t *
slot_json(struct db *db, const struct fact *fact, unsigned wrong, const struct price_sale *sale)
{
    bool sold = fact->kind == FACT_PLACEMENT;
    char price[MONEY_TEXT], tagid[2 * BOUND_CODE + 2] = "";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {
        db_int4((int32_t)(sold ? fact->placement.slot : fact->unfilled.slot))};
    if (db_query(db, "select tagid from slot where id = $1", params, 1, &rows) == STATUS_OK &&
        db_count(rows) > 0)
        snprintf(tagid, sizeof tagid, "%s", db_get_text(rows, 0, 0));
    db_rows_free(rows);
    json_t *slot = json_pack("{s:i, s:s, s:b}", "position", fact->position, "tagid", tagid,
                             "agrees", wrong != fact->position);
    CHECK(slot != NULL);
    char hex[17] = "";
    if (sold) {
        hash_hex(fact->placement.bid, hex);
        money_format(fact->placement.price, 2, price);
        json_object_set_new(slot, "bid", json_string(hex));
        json_object_set_new(slot, "kind",
                            json_string(price_kind_name(
                                (enum price_kind)(fact->placement.kind % PRICE_KIND_COUNT))));
        json_object_set_new(slot, "price", json_string(price));
    }
    if (wrong != fact->position) return slot;
    hash_hex(sale->winner, hex);
    money_format(sale->price, 2, price);
    json_object_set_new(slot, "should",
                        sale->winner == 0 ? json_pack("{s:s}", "bid", "none")
                                          : json_pack("{s:s, s:s}", "bid", hex, "price", price));
    return slot;
}

static void
print_slot(const json_t *slot)
{
    const char *bid = json_string_value(json_object_get(slot, "bid"));
    const json_t *should = json_object_get(slot, "should");
    printf("%-28s ", json_string_value(json_object_get(slot, "tagid")));
    if (bid == NULL) printf("empty");
    else
        printf("bid %s at %s (per %s)", bid, json_string_value(json_object_get(slot, "price")),
               json_string_value(json_object_get(slot, "kind")));
    if (should == NULL) {
        puts(", agrees");
        return;
    }
    const char *price = json_string_value(json_object_get(should, "price"));
    printf(", but the record gives bid %s%s%s\n", json_string_value(json_object_get(should, "bid")),
           price != NULL ? " at " : "", price != NULL ? price : "");
}

static int
reprice_one(const struct verb_context *context, struct db *db, const struct record *record)
{
    struct price_sale sale = {0};
    unsigned wrong = 0;
    if (record->facts[0].opened.records == 0)
        return verb_cannot("this contact was decided by a version that kept no records of rounds");
    bool agrees = round_reprice(record->facts, record->decided, &wrong, &sale);
    if (agrees) wrong = 0;
    json_t *slots = json_array(), *slot;
    size_t index;
    for (unsigned i = 1; i < record->decided; i++) {
        const struct fact *fact = &record->facts[i];
        if (fact->kind == FACT_PLACEMENT || fact->kind == FACT_UNFILLED)
            json_array_append_new(slots, slot_json(db, fact, wrong, &sale));
    }
    if (context->json) {
        json_t *object = json_pack("{s:b, s:O}", "agrees", agrees, "slots", slots);
        CHECK(object != NULL && json_dumpf(object, stdout, JSON_INDENT(2)) == 0);
        putchar('\n');
        json_decref(object);
    } else {
        json_array_foreach(slots, index, slot) print_slot(slot);
        printf("reprice: %s\n", agrees ? "ok" : "failed");
    }
    json_decref(slots);
    return agrees ? EXIT_DONE : EXIT_NO;
}

static int
reprice_named(const struct verb_context *context, const struct settings *settings, const char *name,
              const char *touchpoint)
{
    struct record record;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    struct arena *arena = arena_open("reprice");
    int code = contact_find(&verb_reprice, settings, db, name, touchpoint, arena, &record);
    if (code == EXIT_DONE) code = reprice_one(context, db, &record);
    arena_close(arena);
    db_close(db);
    return code;
}

// --- All -----------------------------------------------------------------------------------------

static void
reprice_frame(const struct journal_frame *frame, struct totals *totals)
{
    for (uint32_t i = 0; i < frame->count; i++) {
        const struct fact *fact = &frame->facts[i];
        if (fact->kind != FACT_CONTACT) continue;
        unsigned count = 1u + fact->opened.slots + fact->opened.records, wrong = 0;
        struct price_sale sale;
        totals->contacts++;
        if (fact->opened.records == 0) {
            totals->without_record++;
            continue;
        }
        totals->slots += fact->opened.slots;
        for (unsigned slot = 1; slot <= fact->opened.slots && i + slot < frame->count; slot++)
            totals->sold += fact[slot].kind == FACT_PLACEMENT;
        if (count <= frame->count - i && round_reprice(fact, count, &wrong, &sale)) continue;
        char id[ID_TEXT];
        id_format(fact->contact, id);
        if (totals->wrong++ < TOLD_MOST)
            fprintf(stderr, "slotctl reprice: contact %s, slot %u: the record gives another sale\n",
                    id, wrong);
    }
}

static int
reprice_all(const struct verb_context *context, const struct settings *settings)
{
    char path[PATH_BYTES];
    struct journal_fault fault = {""};
    struct journal_reader *reader = NULL;
    struct journal_frame frame;
    struct totals totals = {0};
    snprintf(path, sizeof path, "%s/journal", settings->directory);
    enum status status = journal_reader_open(path, NULL, &reader, &fault);
    if (status == STATUS_OK) {
        while ((status = journal_read(reader, &frame, &fault)) == STATUS_OK)
            reprice_frame(&frame, &totals);
        journal_reader_close(reader);
    }
    if (status != STATUS_AGAIN)
        return verb_cannot("the journal cannot be read: %s",
                           fault.text[0] != '\0' ? fault.text : status_text(status));
    printf(context->json ? "{\"ok\": %s, \"contacts\": %" PRIu64 ", \"slots\": %" PRIu64
                           ", \"sold\": %" PRIu64 ", \"without_record\": %" PRIu64
                           ", \"wrong\": %" PRIu64 "}\n"
                         : "reprice: %s contacts=%" PRIu64 " slots=%" PRIu64 " sold=%" PRIu64
                           " without_record=%" PRIu64 " wrong=%" PRIu64 "\n",
           context->json ? (totals.wrong == 0 ? "true" : "false")
                         : (totals.wrong == 0 ? "ok" : "failed"),
           totals.contacts, totals.slots, totals.sold, totals.without_record, totals.wrong);
    return totals.wrong == 0 ? EXIT_DONE : EXIT_NO;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    bool all = false;
    const char *touchpoint = NULL;
    const struct verb_option options[] = {
        {"--all", NULL, &all}, {"--touchpoint", &touchpoint, NULL}, {0}};
    struct settings settings;
    int code = EXIT_DONE;
    argc = verb_options(&verb_reprice, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != (all ? 1 : 2)) return verb_usage(&verb_reprice, "one contact, or --all");
    if (!node_settings(context, &settings, &code)) return code;
    return all ? reprice_all(context, &settings)
               : reprice_named(context, &settings, argv[1], touchpoint);
}

const struct verb verb_reprice = {
    .name = "reprice",
    .arguments = "CONTACT [--touchpoint CODE] | --all",
    .summary = "work out winner and price again from the record of a round",
    .help =
        "Works out winner and clearing price of each slot from the round's record alone, by the\n"
        "rules of ranking and pricing; both must agree with what was sold, to the micro.\n"
        "CONTACT as for slotctl explain. --all takes every contact of the journal and prints\n"
        "one line:\n"
        "\n"
        "  reprice: ok contacts=N slots=N sold=N without_record=N wrong=0\n"
        "\n"
        "Contacts without a record were decided by a version that kept none.\n"
        "\n"
        "exit codes: 0 all agree; 1 something does not; 2 no such contact; 3 not booked yet, or\n"
        "no database or journal\n"
        "example: slotctl reprice --all\n",
    .run = run,
};
