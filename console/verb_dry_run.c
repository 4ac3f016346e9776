// slotctl dry-run: the auction without any server. The market file is compiled into a catalog with
// the bids in it, as ledgerd would; contacts are decided one after the other against one book, as
// auctiond would; every bid is judged for its slot, so that each says why it did not win.
//
// Deterministic: the same files and --at give the same bytes. Ids are given in declared order;
// customer pseudonyms are made with a secret of zeros; nothing that is printed depends on the
// clock.
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bids_kept.h"
#include "book.h"
#include "contact_json.h"
#include "fail.h"
#include "judged.h"
#include "lines.h"
#include "market_input.h"
#include "market_zone.h"
#include "price_word.h"
#include "round.h"

#define WHY_ROOM 65536  // bids judged in one contact that can be printed

struct dry_run {
    struct arena *arena;
    struct market *market;
    const char *bids_path, *contacts_path;
    usec at;
    struct catalog *catalog;
    struct book *book;
    struct round *round;
    bool brief;        // without the bids that did not win
    bool experienced;  // all contacts are
    struct round_live live;
    json_t *placements;  // contact's id, line feed, tagid -> the placement's id
    struct why why;
};

static enum exit_code
fault_in_line(const char *path, const json_t *line, const struct contact_json_fault *fault)
{
    fprintf(stderr, "%s:%lld: %s: %s\n", path,
            (long long)json_integer_value(json_object_get(line, "line")),
            fault->reason != REASON_NONE ? reason_key(fault->reason) : "error", fault->text);
    return EXIT_USAGE;
}

// --- The catalog ---

static struct catalog *
compile(struct dry_run *dry, const struct market_bid *bids, uint32_t count)
{
    struct catalog_shift *shifts = arena_take(dry->arena, BOUND_ZONE_SHIFTS, sizeof *shifts);
    struct catalog_input input = {
        .market = dry->market,
        .bids = bids,
        .bid_count = count,
        .version = 1,
        .shifts = shifts,
        .shift_count = market_zone_shifts(dry->market->zone, dry->at, shifts)};
    struct expr_error error;
    const uint8_t *bytes;
    size_t len;
    struct catalog *catalog = NULL;
    uint32_t left_out = 0;
    CHECK(catalog_encode(&input, dry->arena, &bytes, &len, &error) == STATUS_OK);
    CHECK(catalog_decode(bytes, len, &catalog, &left_out) == STATUS_OK && left_out == 0);
    return catalog;
}

// Bids become facts, as at the node, and the facts the bids of the catalog that decides.
static enum exit_code
take_bids(struct dry_run *dry)
{
    struct lines_fault fault;
    struct contact_json_fault refused;
    json_t *lines = NULL, *line;
    struct bids_kept kept = {0};
    size_t i;
    struct catalog *empty = compile(dry, NULL, 0);
    enum exit_code code = EXIT_DONE;
    if (dry->bids_path == NULL) {
        dry->catalog = empty;
        return EXIT_DONE;
    }
    if (lines_read(dry->bids_path, &lines, &fault) != STATUS_OK) {
        fprintf(stderr, "%s\n", fault.text);
        catalog_close(empty);
        return EXIT_USAGE;
    }
    book_catalog(dry->book, empty);
    json_array_foreach(lines, i, line)
    {
        struct offer offer;
        struct fact fact;
        bool repeated;
        if (!contact_json_read_bid(empty, line, &offer, &refused)) {
            code = fault_in_line(dry->bids_path, line, &refused);
            break;
        }
        refused.reason = event_offer(empty, dry->book, &offer, dry->at, &fact, &repeated);
        if (refused.reason != REASON_NONE) {
            snprintf(refused.text, sizeof refused.text, "%s", reason_text(refused.reason));
            code = fault_in_line(dry->bids_path, line, &refused);
            break;
        }
        bids_kept_add(&kept, &fact);
    }
    json_decref(lines);
    catalog_close(empty);
    if (code == EXIT_DONE) {
        uint32_t count;  // of several lines under one reference the last counts
        const struct market_bid *bids = bids_kept_newest(&kept, dry->arena, &count);
        dry->catalog = compile(dry, bids, count);
    }
    bids_kept_end(&kept);
    return code;
}

// --- Live bids ---

// "SEAT:MESSAGE:SLOT:PRICE": what a live bidder would answer.
static bool
read_live_bid(const struct catalog *catalog, char *text, unsigned number, struct catalog_bid *bid)
{
    char *seat = strsep(&text, ":"), *message = strsep(&text, ":"), *slot = strsep(&text, ":");
    enum price_kind kind = PRICE_PLACEMENT;
    if (text == NULL || !price_word_parse(text, &kind, &bid->price)) return false;
    bid->kind = (uint8_t)kind;
    bid->message = catalog_message_by_code(catalog, message, strlen(message));
    bid->slot = catalog_slot_by_tagid(catalog, slot, strlen(slot));
    if (bid->message == UINT32_MAX || bid->slot == UINT32_MAX) return false;
    bid->seat = catalog->messages[bid->message].seat;
    if (strcmp(catalog->seats[bid->seat].code, seat) != 0) return false;
    snprintf(bid->key, sizeof bid->key, "live-%u", number);
    bid->id = event_bid_id((uint16_t)catalog->seats[bid->seat].id, bid->key);
    bid->state = BID_ACTIVE;
    return true;
}

static enum exit_code
take_live(struct dry_run *dry, const char *list)
{
    size_t room = 1;
    for (const char *at = list; *at != '\0'; at++) room += *at == ',';
    if (room > BOUND_LIVE_BIDS)
        return verb_usage(&verb_dry_run, "--live takes at most %d bids", BOUND_LIVE_BIDS);
    struct catalog_bid *bids = arena_take(dry->arena, room, sizeof *bids);
    char *copy = arena_take(dry->arena, strlen(list) + 1, 1), *item;
    strcpy(copy, list);
    while ((item = strsep(&copy, ",")) != NULL) {
        char said[256];
        snprintf(said, sizeof said, "%s", item);
        uint32_t number = dry->live.count++;
        if (!read_live_bid(dry->catalog, item, number + 1, &bids[number]))
            return verb_usage(&verb_dry_run,
                              "--live '%s': write SEAT:MESSAGE:SLOT:PRICE, with a message of that "
                              "seat, the slot as CONTAINER.SLOT, and a price as 1.20, "
                              "1.20/response or 12.5%%",
                              said);
    }
    dry->live.bids = bids;
    return EXIT_DONE;
}

// --- What is printed ---

static json_t *
key_of(const char key[BOUND_KEY])
{
    return json_stringn(key, strnlen(key, BOUND_KEY));
}

static void
print_decision(const struct dry_run *dry, const struct contact *contact, const struct fact *facts,
               unsigned count, bool repeated)
{
    const struct told told = {.catalog = dry->catalog,
                              .market = dry->market,
                              .book = dry->book,
                              .contact = contact,
                              .live = &dry->live,
                              .why = &dry->why,
                              .facts = facts,
                              .count = count};
    json_t *placements = json_array(), *empty = json_array(),
           *bids = dry->brief ? NULL : json_array();
    for (unsigned i = 1; i < count; i++) {
        if (facts[i].kind == FACT_PLACEMENT)
            json_array_append_new(placements, told_placement(&told, &facts[i]));
        else if (facts[i].kind == FACT_UNFILLED)
            json_array_append_new(empty, told_unfilled(&told, &facts[i]));
    }
    for (uint32_t i = 0; bids != NULL && !repeated && i < dry->why.count && i < dry->why.room; i++)
        json_array_append_new(bids, judged_json(&told, &dry->why.bids[i]));
    json_t *object = json_pack("{s:o, s:s, s:o, s:o, s:o*, s:o*, s:b}", "id", key_of(contact->key),
                               "container", dry->catalog->containers[contact->container].code,
                               "placements", placements, "unfilled", empty, "bids", bids,
                               "experiment", told_experiment(&told), "repeated", repeated);
    CHECK(object != NULL);
    char *text = json_dumps(object, JSON_COMPACT);
    CHECK(text != NULL);
    printf("%s\n", text);
    free(text);
    json_decref(object);
}

// --- Contacts ---

static void
apply(struct dry_run *dry, const struct fact *fact)
{
    CHECK(book_apply(dry->book, fact, (struct catalog_position){0}) == STATUS_OK);
}

static void
keep_placement(struct dry_run *dry, const struct contact *contact, const struct fact *fact)
{
    char key[BOUND_KEY + 2 * BOUND_CODE + 4], id[ID_TEXT];
    const struct catalog_container *container = &dry->catalog->containers[contact->container];
    id_format(fact_placement(fact), id);
    snprintf(key, sizeof key, "%.40s\n%.97s", contact->key,
             dry->catalog->slots[container->slot_first + fact->position - 1].tagid);
    CHECK(json_object_set_new(dry->placements, key, json_string(id)) == 0);
}

static enum exit_code
decide(struct dry_run *dry, const json_t *line, struct contact *contact)
{
    struct contact_json_fault fault;
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count = 0;
    bool repeated = false;
    if (!contact_json_read(dry->catalog, line, dry->at, contact, &fault))
        return fault_in_line(dry->contacts_path, line, &fault);
    contact->experienced |= dry->experienced;
    fault.reason = round_decide(dry->round, dry->catalog, dry->book, contact,
                                dry->live.count > 0 ? &dry->live : NULL, dry->at,
                                dry->brief ? NULL : &dry->why, facts, &count, &repeated);
    if (fault.reason != REASON_NONE) {
        snprintf(fault.text, sizeof fault.text, "%s", reason_text(fault.reason));
        return fault_in_line(dry->contacts_path, line, &fault);
    }
    for (unsigned i = 0; i < count && !repeated; i++) apply(dry, &facts[i]);
    for (unsigned i = 1; i < count && !repeated; i++)
        if (facts[i].kind == FACT_PLACEMENT) keep_placement(dry, contact, &facts[i]);
    print_decision(dry, contact, facts, count, repeated);
    return EXIT_DONE;
}

// {"contact", "tagid", "event", ...}: what became of a placement of an earlier line.
static enum exit_code
report(struct dry_run *dry, const json_t *line)
{
    struct contact_json_fault fault = {.reason = REASON_UNKNOWN_PLACEMENT};
    struct book_placement placement;
    struct event event;
    struct fact fact;
    struct id id;
    bool repeated = false;
    char key[BOUND_KEY + 2 * BOUND_CODE + 4];
    const char *contact = json_string_value(json_object_get(line, "contact"));
    const char *tagid = json_string_value(json_object_get(line, "tagid"));
    snprintf(key, sizeof key, "%.40s\n%.97s", contact ? contact : "", tagid ? tagid : "");
    const char *kept = json_string_value(json_object_get(dry->placements, key));
    if (kept == NULL || id_parse(kept, strlen(kept), &id) != STATUS_OK ||
        !book_find_placement(dry->book, id, &placement)) {
        snprintf(fault.text, sizeof fault.text, "no earlier line sold slot '%s' of contact '%s'",
                 tagid ? tagid : "", contact ? contact : "");
        return fault_in_line(dry->contacts_path, line, &fault);
    }
    if (!contact_json_read_event(dry->catalog, line, dry->at, placement.fact, &event, &fault))
        return fault_in_line(dry->contacts_path, line, &fault);
    fault.reason = event_decide(dry->catalog, dry->book, &event, dry->at, &fact, &repeated);
    if (fault.reason != REASON_NONE) {
        snprintf(fault.text, sizeof fault.text, "%s", reason_text(fault.reason));
        return fault_in_line(dry->contacts_path, line, &fault);
    }
    if (!repeated) apply(dry, &fact);
    return EXIT_DONE;
}

// {"at": "2026-11-03T10:00:00Z"}: the clock goes on, and what ends meanwhile ends.
static enum exit_code
go_on(struct dry_run *dry, const json_t *line)
{
    struct contact_json_fault fault = {.reason = REASON_OUT_OF_RANGE};
    struct id id;
    struct fact fact;
    usec at;
    const char *text = json_string_value(json_object_get(line, "at"));
    if (text == NULL || clock_parse(text, strlen(text), &at) != STATUS_OK || at.us < dry->at.us) {
        snprintf(fault.text, sizeof fault.text,
                 "at: write a time not before that of the lines above, as 2026-11-03T10:00:00Z");
        return fault_in_line(dry->contacts_path, line, &fault);
    }
    dry->at = at;
    while (book_next_expired(dry->book, at, &id)) {
        event_expire(dry->book, id, at, &fact);
        apply(dry, &fact);
    }
    return EXIT_DONE;
}

static enum exit_code
play(struct dry_run *dry)
{
    struct lines_fault fault;
    json_t *lines = NULL, *line;
    size_t i;
    enum exit_code code = EXIT_DONE;
    if (lines_read(dry->contacts_path, &lines, &fault) != STATUS_OK) {
        fprintf(stderr, "%s\n", fault.text);
        return EXIT_USAGE;
    }
    struct contact *contact = arena_take(dry->arena, 1, sizeof *contact);
    book_catalog(dry->book, dry->catalog);
    json_array_foreach(lines, i, line)
    {
        // A line that cannot be used spoils no other, as at the API; the exit code tells.
        enum exit_code done = json_object_get(line, "event") != NULL ? report(dry, line)
                              : json_object_get(line, "at") != NULL  ? go_on(dry, line)
                                                                     : decide(dry, line, contact);
        if (done != EXIT_DONE) code = done;
    }
    json_decref(lines);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *market = NULL, *at = NULL, *live = NULL;
    struct dry_run dry = {.at = clock_wall()};
    const struct verb_option options[] = {{.name = "--market", .value = &market},
                                          {.name = "--contacts", .value = &dry.contacts_path},
                                          {.name = "--bids", .value = &dry.bids_path},
                                          {.name = "--at", .value = &at},
                                          {.name = "--brief", .flag = &dry.brief},
                                          {.name = "--experienced", .flag = &dry.experienced},
                                          {.name = "--live", .value = &live},
                                          {0}};
    argc = verb_options(&verb_dry_run, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 1 || market == NULL || dry.contacts_path == NULL)
        return verb_usage(&verb_dry_run, "needs --market FILE and --contacts FILE");
    if (at != NULL && clock_parse(at, strlen(at), &dry.at) != STATUS_OK)
        return verb_usage(&verb_dry_run,
                          "'%s' is no time; write 2026-11-30 or 2026-11-30T18:00:00Z", at);
    dry.arena = arena_open("dry-run");
    int code = market_input_read(context, market, dry.arena, &dry.market);
    if (code == EXIT_DONE) {
        market_object_number(dry.market);
        dry.book = book_open(&book_limits_default);
        dry.round = round_open();
        dry.placements = json_object();
        dry.why = (struct why){.bids = arena_take(dry.arena, WHY_ROOM, sizeof *dry.why.bids),
                               .room = WHY_ROOM};
        code = take_bids(&dry);
        if (code == EXIT_DONE && live != NULL) code = take_live(&dry, live);
        if (code == EXIT_DONE) code = play(&dry);
        catalog_close(dry.catalog);
        round_close(dry.round);
        json_decref(dry.placements);
        book_close(dry.book);
    }
    arena_close(dry.arena);
    return code;
}

const struct verb verb_dry_run = {
    .name = "dry-run",
    .arguments = "--market FILE --contacts FILE [--bids FILE] [--at TIME] [--brief]"
                 " [--experienced] [--live BID,...]",
    .summary = "decide contacts without any server",
    .help =
        "Runs the auction on files: a market file, contacts and bids as JSON lines (the "
        "parameters\n"
        "of `contact` and `bid.put` in docs/protocol.md, with \"touchpoint\" or \"seat\" beside\n"
        "them; `-` is standard input). Prints one JSON line a contact: placements with price and\n"
        "who set it, empty slots with the reason, and for every bid why it did not win. Contacts\n"
        "are decided in order against one book, so budgets run out and caps count. Among the\n"
        "contacts may stand what became of a placement, {\"contact\": ID, \"tagid\": SLOT,\n"
        "\"event\": \"delivered\", ...}, and {\"at\": TIME}, from which time the lines below are.\n"
        "\n"
        "  --at TIME  when it all happens (default: now); the same files and time give the same\n"
        "             output, byte for byte\n"
        "  --brief    without the bids that did not win\n"
        "  --experienced  of every contact: what the customer came for has happened\n"
        "  --live SEAT:MESSAGE:SLOT:PRICE[,...]  live bidders answer every contact with these\n"
        "             bids; a price is 1.20, 1.20/response or 12.5% of the revenue\n"
        "\n"
        "  $ slotctl dry-run --market sample/market.yaml --bids sample/bids.jsonl \\\n"
        "        --contacts sample/contacts.jsonl --at 2026-11-02\n"
        "\n"
        "Exit codes: 0 all decided; 2 a file is wrong, or a contact was refused (the others are\n"
        "decided).\n",
    .run = run,
};
