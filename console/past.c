// Deciding a past contact again.
//
//   1 The catalog that decided: its market version from the database, and the bids that it held:
//     of each the newest fact up to the catalog's position in the journal, but for withdrawn ones
//     and those that had ended when it was published. (ledger/publish.c, step 3.) What other nodes
//     had taken by then comes from the database; a journal with a higher number has the later word.
//   2 The book: all facts of the journal before the contact's. Bid facts up to the catalog's
//     position are passed over by the book itself, later ones are its overlay, as at the node.
//   3 The contact: all that FACT_CONTACT says; slots asked for, from the outcomes; attributes and
//     live bids from the spool's file; answers of live bidders from FACT_CALLOUTS.
//   4 The round, at the time of the fact. Its facts must be those of the journal, byte for byte.
//
// Transient attributes are kept nowhere. Where the market has some, other facts than the recorded
// ones may come out; when the outcomes are the same nevertheless, bids are told but for those whose
// rules speak of such an attribute.
#include "past.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bids_kept.h"
#include "contact_json.h"
#include "fail.h"
#include "inputs.h"
#include "journal.h"
#include "judged.h"
#include "publish.h"

#define WHY_MOST (1u << 20)  // judgements that are kept: 100 MiB, taken as they are written
#define PATH_BYTES 600

// What one reading of the journal up to the contact finds.
struct found {
    struct journal_position position;  // of the frame that holds the contact
    uint32_t index;                    // of its first fact there
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count;
    uint32_t later_bids;  // bid facts behind the catalog's position
};

static enum status __attribute__((format(printf, 3, 4)))
because(struct past *past, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(past->why, sizeof past->why, format, arguments);
    va_end(arguments);
    return status;
}

// --- The journal ---------------------------------------------------------------------------------

// Calls `take` with each fact before the contact's; STATUS_EXISTS from it ends the reading well.
typedef enum status take_fact(void *context, const struct journal_frame *frame, uint32_t index);

static enum status
read_journal(const struct settings *settings, take_fact *take, void *context,
             struct journal_fault *fault)
{
    char path[PATH_BYTES];
    struct journal_reader *reader = NULL;
    struct journal_frame frame;
    snprintf(path, sizeof path, "%s/journal", settings->directory);
    enum status status = journal_reader_open(path, NULL, &reader, fault);
    if (status != STATUS_OK) return status;
    while ((status = journal_read(reader, &frame, fault)) == STATUS_OK) {
        for (uint32_t i = 0; i < frame.count && status == STATUS_OK; i++)
            status = take(context, &frame, i);
        if (status != STATUS_OK) break;
    }
    journal_reader_close(reader);
    return status;
}

struct first_pass {
    struct id contact;
    uint64_t catalog_batch;
    struct bids_kept bids;
    struct found *found;
};

static enum status
take_first(void *context, const struct journal_frame *frame, uint32_t index)
{
    struct first_pass *pass = context;
    const struct fact *fact = &frame->facts[index];
    if (fact->kind == FACT_BID) {
        if (frame->position.batch <= pass->catalog_batch) bids_kept_add(&pass->bids, fact);
        else pass->found->later_bids++;
    }
    if (fact->kind != FACT_CONTACT || !id_same(fact->contact, pass->contact)) return STATUS_OK;
    unsigned count = 1u + fact->opened.slots + fact->opened.records;
    if (count > BOUND_CONTACT_FACTS || count > frame->count - index) return STATUS_DAMAGED;
    pass->found->position = frame->position;
    pass->found->index = index;
    pass->found->count = count;
    memcpy(pass->found->facts, fact, count * sizeof *fact);
    return STATUS_EXISTS;
}

struct second_pass {
    struct book *book;
    const struct found *found;
    uint64_t batch;
};

static enum status
take_second(void *context, const struct journal_frame *frame, uint32_t index)
{
    struct second_pass *pass = context;
    if (frame->position.batch == pass->found->position.batch && index == pass->found->index)
        return STATUS_EXISTS;
    struct catalog_position position = {frame->position.log, frame->position.epoch,
                                        frame->position.batch};
    pass->batch = position.batch;
    return book_apply(pass->book, &frame->facts[index], position);
}

// --- The catalog ---------------------------------------------------------------------------------

// A catalog of `bids`; what is wrong is in `out_text`.
static enum status
compile(struct past *past, struct catalog_input *input, const struct market_bid *bids,
        uint32_t count, char *out_text, size_t size)
{
    struct expr_error error = {0};
    const uint8_t *bytes = NULL;
    size_t len = 0;
    input->bids = bids;
    input->bid_count = count;
    enum status status = catalog_encode(input, past->arena, &bytes, &len, &error);
    past->catalog = NULL;
    if (status == STATUS_OK) status = catalog_decode(bytes, len, &past->catalog, NULL);
    if (status != STATUS_OK)
        snprintf(out_text, size, "the market of that time does not compile: %s",
                 error.text[0] != '\0' ? error.text : status_text(status));
    return status;
}

// Those of the bids that ledgerd put into the catalog that it published at `at`.
static uint32_t
published_bids(const struct market_bid *all, uint32_t count, usec at, struct market_bid *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (all[i].state != BID_WITHDRAWN && (all[i].until.us == 0 || all[i].until.us > at.us))
            out[kept++] = all[i];
    return kept;
}

// --- The contact ---------------------------------------------------------------------------------

static enum status
take_live(struct past *past, const json_t *list, const struct found *found)
{
    size_t i, count = json_array_size(list);
    const json_t *item;
    if (count > BOUND_LIVE_BIDS) return because(past, STATUS_DAMAGED, "too many live bids kept");
    struct catalog_bid *bids = arena_take(past->arena, count + 1, sizeof *bids);
    uint8_t *groups = arena_take(past->arena, count + 1, 1);
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *hex = json_string_value(json_object_get(item, "bid"));
        const char *kind = json_string_value(json_object_get(item, "kind"));
        enum price_kind is = PRICE_PLACEMENT;
        if (kind == NULL || hex == NULL || price_kind_parse(kind, strlen(kind), &is) != STATUS_OK)
            return because(past, STATUS_DAMAGED, "a live bid that was kept cannot be read");
        struct catalog_bid *bid = &bids[i];
        bid->id = strtoull(hex, NULL, 16);
        bid->kind = (uint8_t)is;
        bid->price = money_of(json_integer_value(json_object_get(item, "price")));
        bid->message = catalog_message_by_id(
            past->catalog, (uint32_t)json_integer_value(json_object_get(item, "message")));
        bid->slot = catalog_slot_by_id(past->catalog,
                                       (uint32_t)json_integer_value(json_object_get(item, "slot")));
        if (bid->message == UINT32_MAX || bid->slot == UINT32_MAX || bid->price.micros <= 0)
            return because(past, STATUS_DAMAGED, "a live bid that was kept cannot be read");
        bid->seat = past->catalog->messages[bid->message].seat;
        bid->state = BID_ACTIVE;
        groups[i] = (uint8_t)json_integer_value(json_object_get(item, "group"));
    }
    struct round_callout *callouts = arena_take(past->arena, BOUND_CALLOUTS + 11, sizeof *callouts);
    uint32_t asked = 0;
    for (unsigned f = 1; f < found->count; f++) {
        const struct fact *fact = &found->facts[f];
        for (unsigned c = 0; fact->kind == FACT_CALLOUTS && c < 11; c++)
            if (fact->callouts.seat[c] != 0 && asked < BOUND_CALLOUTS + 11)
                callouts[asked++] = (struct round_callout){
                    fact->callouts.seat[c], fact->callouts.answer_ms[c], fact->callouts.reason[c],
                    fact->callouts.bids[c]};
    }
    past->live = (struct round_live){.bids = bids,
                                     .groups = groups,
                                     .count = (uint32_t)count,
                                     .callouts = callouts,
                                     .callout_count = asked};
    return STATUS_OK;
}

static enum status
take_contact(struct past *past, const struct settings *settings, const struct found *found)
{
    const struct fact *fact = &found->facts[0];
    const struct catalog *catalog = past->catalog;
    struct contact_json_fault fault = {0};
    json_t *inputs = NULL;
    struct contact *contact = past->contact = arena_take(past->arena, 1, sizeof *contact);
    uint32_t container = 0;
    while (container < catalog->container_count &&
           catalog->containers[container].id != fact->opened.container)
        container++;
    if (container == catalog->container_count)
        return because(past, STATUS_NOT_FOUND, "its container is not in the market of that time");
    *contact = (struct contact){
        .request_key = contact_request_key(fact->party, fact->opened.key),
        .request = fact->opened.request,
        .customer = fact->customer,
        .began = fact->opened.began,
        .container = container,
        .touchpoint = fact->party,
        .shard = fact->shard,
        .identity = fact->opened.identity,
        .tier = fact->opened.tier,
        .loyalty = fact->opened.loyalty,
        .condition = fact->opened.condition,
        .consent = fact->opened.consent,
        .achieved = fact->opened.achieved,
        .experienced = (fact->opened.flags & CONTACT_EXPERIENCED) != 0,
    };
    memcpy(contact->key, fact->opened.key, sizeof contact->key);
    for (unsigned i = 1; i < found->count; i++) {
        const struct fact *outcome = &found->facts[i];
        bool outcome_of = outcome->kind == FACT_PLACEMENT || outcome->kind == FACT_UNFILLED;
        if (!outcome_of || outcome->position == 0) continue;
        if (outcome->kind == FACT_PLACEMENT || outcome->unfilled.reason != REASON_NOT_REQUESTED)
            contact->slots_wanted |= (uint16_t)(1u << (outcome->position - 1));
    }
    enum status status = inputs_find(settings->directory, fact->contact, fact->at, &inputs,
                                     past->why);
    if (status != STATUS_OK) return status;
    if (contact_json_attributes(catalog, json_object_get(inputs, "attr"), true, contact, &fault))
        status = take_live(past, json_object_get(inputs, "live"), found);
    else status = because(past, STATUS_DAMAGED, "what it brought does not fit: %s", fault.text);
    json_decref(inputs);
    return status;
}

// --- The round -----------------------------------------------------------------------------------

static const char *
transient_name(const struct catalog *catalog)
{
    for (uint32_t i = BUILTIN_COUNT; i < catalog->attribute_count; i++)
        if (catalog->attributes[i].privacy == PRIVACY_TRANSIENT)
            return catalog->attributes[i].is.name;
    return NULL;
}

// The number of slots, from the first on, whose winners, prices and empty places are the same.
static unsigned
same_outcomes(const struct fact *a, const struct fact *b, unsigned slots)
{
    for (unsigned i = 1; i <= slots; i++) {
        if (a[i].kind != b[i].kind) return i - 1;
        if (a[i].kind != FACT_PLACEMENT) continue;
        if (a[i].placement.bid != b[i].placement.bid ||
            a[i].placement.price.micros != b[i].placement.price.micros ||
            a[i].placement.setter != b[i].placement.setter ||
            a[i].placement.floor.micros != b[i].placement.floor.micros)
            return i - 1;
    }
    return slots;
}

static enum status
decide(struct past *past, const struct found *found)
{
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count = 0, slots = found->facts[0].opened.slots;
    bool repeated = false;
    const struct round_live *live = past->live.callout_count > 0 ? &past->live : NULL;
    past->round = round_open();
    enum reason reason = round_decide(past->round, past->catalog, past->book, past->contact, live,
                                      found->facts[0].at, &past->judged, facts, &count, &repeated);
    if (reason != REASON_NONE || repeated)
        return because(past, STATUS_CONFLICT, "decided again it is refused: %s",
                       repeated ? "known already" : reason_text(reason));
    past->how = PAST_EXACT;
    past->slots = slots;
    if (count == found->count && memcmp(facts, found->facts, count * sizeof *facts) == 0)
        return STATUS_OK;
    const char *transient = transient_name(past->catalog);
    past->slots = same_outcomes(facts, found->facts, slots);
    bool together = (found->facts[0].opened.flags & CONTACT_TOGETHER) != 0;
    if (transient == NULL && past->others)
        return because(past, STATUS_CONFLICT,
                       "decided again it comes out otherwise: its catalog held bids that another "
                       "node took, and when they came is not known to the moment");
    if (transient == NULL)
        return because(
            past, STATUS_CONFLICT,
            "decided again it comes out otherwise: another version of the program decided "
            "it, or this is a fault that should be reported");
    if (past->slots == 0 || (together && past->slots < slots))
        return because(past, STATUS_CONFLICT,
                       "decided again it comes out otherwise: it depended on a transient attribute "
                       "('%s' is one), which is never kept",
                       transient);
    past->how = PAST_PARTLY;
    return because(past, STATUS_OK,
                   "bids whose rules speak of a transient attribute ('%s' is one), which is never "
                   "kept, are not judged again%s",
                   transient,
                   past->slots < slots ? ", nor are slots behind the first that such a rule decided"
                                       : "");
}

static struct book *
open_book(const struct settings *settings, uint32_t overlay)
{
    const struct book_limits limits = {
        .contacts = settings->book.contacts,
        .retries = settings->book.retries,
        .placements = settings->book.placements,
        .customers = settings->book.customers,
        .rates = settings->book.rates,
        .orders = settings->book.orders,
        .overlay = overlay > settings->book.overlay ? overlay : settings->book.overlay,
    };
    return book_open(&limits);
}

// Bids that other nodes took until the catalog was published: of the journals with a number above
// this one's, or below.
static enum status
take_others(struct past *past, struct db *db, const struct catalog_input *input, usec at,
            bool above, struct bids_kept *kept)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_int4((int32_t)input->position.log), db_time(at), db_int4(above)};
    enum status status = db_query(
        db,
        "select b.bid, b.seat, b.message, b.slot, b.price_micros, b.from_us, b.until_us,"
        " (case b.state when 'active' then 0 when 'paused' then 1 else 2 end), b.kind, b.key"
        " from watermark w join bid_change b on b.log = w.log"
        " where (case $3 when 1 then w.log > $1 else w.log < $1 end) and b.at_us <= $2"
        " order by b.log, b.batch, b.idx",
        params, 3, &rows);
    if (status != STATUS_OK) return because(past, status, "%s", db_fault(db)->text);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct fact fact = {.kind = FACT_BID,
                            .bid = {.bid = (uint64_t)db_get_int(rows, i, 0),
                                    .seat = (uint16_t)db_get_int(rows, i, 1),
                                    .message = (uint32_t)db_get_int(rows, i, 2),
                                    .slot = (uint32_t)db_get_int(rows, i, 3),
                                    .price = db_get_money(rows, i, 4),
                                    .from = db_get_time(rows, i, 5),
                                    .until = db_get_time(rows, i, 6),
                                    .state = (uint8_t)db_get_int(rows, i, 7),
                                    .kind = (uint8_t)db_get_int(rows, i, 8)}};
        const char *key = db_get_text(rows, i, 9);
        memcpy(fact.bid.key, key, strnlen(key, BOUND_KEY));
        bids_kept_add(kept, &fact);
        past->others = true;
    }
    db_rows_free(rows);
    return STATUS_OK;
}

// Steps 1 to 4. Anything but STATUS_OK: only the record can be told, and past->why says why.
static enum status
replay(struct past *past, const struct settings *settings, struct db *db,
       struct catalog_input *input, usec at)
{
    struct journal_fault fault = {""};
    struct found *found = arena_take(past->arena, 1, sizeof *found);
    struct first_pass first = {.contact = past->told.facts[0].contact,
                               .catalog_batch = input->position.batch,
                               .found = found};
    uint32_t count;
    enum status others = take_others(past, db, input, at, false, &first.bids);
    enum status status = read_journal(settings, take_first, &first, &fault);
    if (others == STATUS_OK) others = take_others(past, db, input, at, true, &first.bids);
    const struct market_bid *newest = bids_kept_newest(&first.bids, past->arena, &count);
    bids_kept_end(&first.bids);
    if (others != STATUS_OK) return others;
    if (status == STATUS_AGAIN)
        return because(past, STATUS_NOT_FOUND, "the journal here does not hold it");
    if (status != STATUS_EXISTS)
        return because(past, status, "the journal cannot be read: %s",
                       fault.text[0] != '\0' ? fault.text : status_text(status));
    struct market_bid *bids = arena_take(past->arena, count + 1, sizeof *bids);
    count = published_bids(newest, count, at, bids);
    catalog_close(past->catalog);
    status = compile(past, input, bids, count, past->why, sizeof past->why);
    if (status != STATUS_OK) return status;
    past->told.catalog = past->catalog;
    past->told.facts = found->facts;
    past->told.count = found->count;

    past->book = open_book(settings, found->later_bids);
    book_catalog(past->book, past->catalog);
    struct second_pass second = {.book = past->book, .found = found};
    status = read_journal(settings, take_second, &second, &fault);
    if (status != STATUS_EXISTS)
        return because(past, status, "the journal cannot be folded: batch %" PRIu64 ": %s",
                       second.batch, fault.text[0] != '\0' ? fault.text : status_text(status));
    past->told.book = past->book;
    status = take_contact(past, settings, found);
    if (status != STATUS_OK) return status;
    uint64_t most = ((uint64_t)count + book_overlay(past->book).count + past->live.count) *
                    found->facts[0].opened.slots;
    past->judged.room = (uint32_t)(most < WHY_MOST ? most : WHY_MOST);
    past->judged.bids = calloc(past->judged.room + 1u, sizeof *past->judged.bids);
    CHECK(past->judged.bids != NULL);
    return decide(past, found);
}

enum status
past_open(const struct settings *settings, struct db *db, const struct record *record,
          struct past *out_past, char out_fault[PAST_FAULT])
{
    struct past *past = out_past;
    struct catalog_input input = {0};
    usec at = {0};
    *past = (struct past){.how = PAST_RECORD, .arena = arena_open("past")};
    past->told = (struct told){.past = true, .facts = record->facts, .count = record->decided};
    uint64_t version = record->facts[0].opened.catalog;
    enum status status = publish_catalog_input(db, version, past->arena, &input, &at);
    if (status != STATUS_OK) {
        snprintf(
            out_fault, PAST_FAULT, "catalog %" PRIu64 ", which decided this contact: %s", version,
            status == STATUS_NOT_FOUND ? "the database does not know it"
            : status == STATUS_DAMAGED ? "its market was written by another version of this program"
                                       : db_fault(db)->text);
        return status;
    }
    status = compile(past, &input, NULL, 0, out_fault, PAST_FAULT);
    if (status != STATUS_OK) return status;
    past->told.market = past->market = input.market;
    past->told.catalog = past->catalog;
    status = replay(past, settings, db, &input, at);
    if (past->catalog == NULL) {  // with the bids it did not compile; without them it did
        status = compile(past, &input, NULL, 0, out_fault, PAST_FAULT);
        if (status != STATUS_OK) return status;
        past->told.catalog = past->catalog;
    }
    if (status != STATUS_OK) past->how = PAST_RECORD;
    if (past->how != PAST_RECORD) {
        past->told.why = &past->judged;
        past->told.contact = past->contact;
        past->told.live = &past->live;
    }
    return STATUS_OK;
}

void
past_close(struct past *past)
{
    free(past->judged.bids);
    round_close(past->round);
    book_close(past->book);
    catalog_close(past->catalog);
    arena_close(past->arena);
}

// --- What cannot be told again -------------------------------------------------------------------

static const char *
transient_of(const struct catalog *catalog, const struct expr *rule)
{
    for (uint32_t i = 0; i < rule->node_count; i++) {
        uint8_t kind = rule->nodes[i].kind;
        if (kind == EXPR_AND || kind == EXPR_OR || kind == EXPR_TRUE || kind == EXPR_FALSE)
            continue;
        const struct catalog_attribute *attribute = &catalog->attributes[rule->nodes[i].attribute];
        if (attribute->privacy == PRIVACY_TRANSIENT) return attribute->is.name;
    }
    return NULL;
}

// Judged before any rule is asked?
static bool
before_rules(enum reason reason)
{
    return reason == REASON_WITHDRAWN || reason == REASON_PAUSED ||
           reason == REASON_NOT_VALID_NOW || reason == REASON_CONTRACT ||
           reason == REASON_SEAT_KIND || reason == REASON_RUNG || reason == REASON_OBJECTIVE ||
           reason == REASON_FORMAT || reason == REASON_CONDITION || reason == REASON_CONSENT ||
           reason == REASON_IDENTITY || reason == REASON_NONE;
}

const char *
past_untold(const struct past *past, const struct why_bid *judged)
{
    const struct catalog *catalog = past->catalog;
    if (past->how != PAST_PARTLY || before_rules(judged->reason)) return NULL;
    const struct catalog_bid *bid = judged_bid(&past->told, judged->bid);
    const char *name = transient_of(
        catalog, &catalog->slots[told_slot_at(&past->told, judged->position)].rule);
    if (name == NULL) name = transient_of(catalog, &catalog->seats[bid->seat].rule);
    if (name == NULL) name = transient_of(catalog, &catalog->messages[bid->message].rule);
    return name;
}
