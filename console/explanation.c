// How a past contact was decided, slot by slot.
//
// {"contact", "key", "touchpoint", "at", "container", "identity", ..., "catalog", "experiment",
//  "told_from": {"record": true, "replay": "exact"|"partly"|"none", "why"},
//  "slots": [{"tagid", "placement" or "unfilled", "candidates", "tally", "refusals", "bids"}],
//  "callouts": [...], "since": [...]}
//
// `candidates`, `tally` and `refusals` are the record's; `bids` are of the round decided again.
#include "explanation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "judged.h"
#include "table.h"

static void
set(json_t *object, const char *key, json_t *value)
{
    CHECK(value != NULL && json_object_set_new(object, key, value) == 0);
}

static json_t *
time_text(usec at)
{
    char text[CLOCK_TEXT];
    clock_format(at, text);
    return json_string(text);
}

static json_t *
id_text(struct id id)
{
    char text[ID_TEXT];
    id_format(id, text);
    return json_string(text);
}

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

// --- As JSON -------------------------------------------------------------------------------------

static const char *
touchpoint_code(const struct past *past, uint16_t id)
{
    for (uint32_t i = 0; i < past->catalog->touchpoint_count; i++)
        if (past->catalog->touchpoints[i].id == id) return past->catalog->touchpoints[i].code;
    return "removed";
}

static const char *
container_code(const struct past *past, uint32_t id)
{
    for (uint32_t i = 0; i < past->catalog->container_count; i++)
        if (past->catalog->containers[i].id == id) return past->catalog->containers[i].code;
    return "removed";
}

static json_t *
head_json(const struct past *past)
{
    const struct fact *fact = &past->told.facts[0];
    json_t *consent = json_array();
    for (unsigned i = 0; i < CONSENT_COUNT; i++)
        if ((fact->opened.consent >> i & 1) != 0)
            json_array_append_new(consent, json_string(consent_name((enum consent)i)));
    bool known = fact->opened.identity < IDENTITY_COUNT && fact->opened.tier < TIER_COUNT &&
                 fact->opened.loyalty < LOYALTY_COUNT && fact->opened.condition < CONDITION_COUNT;
    json_t *object = json_pack(
        "{s:o, s:o, s:s, s:o, s:s, s:o, s:I}", "contact", id_text(fact->contact), "key",
        json_stringn(fact->opened.key, strnlen(fact->opened.key, BOUND_KEY)), "touchpoint",
        touchpoint_code(past, fact->party), "at", time_text(fact->at), "container",
        container_code(past, fact->opened.container), "consent", consent, "catalog",
        (json_int_t)fact->opened.catalog);
    CHECK(object != NULL);
    if (known) {
        set(object, "identity", json_string(identity_name((enum identity)fact->opened.identity)));
        set(object, "tier", json_string(tier_name((enum tier)fact->opened.tier)));
        set(object, "loyalty", json_string(loyalty_name((enum loyalty)fact->opened.loyalty)));
        set(object, "condition",
            json_string(condition_name((enum condition)fact->opened.condition)));
    }
    set(object, "experienced", json_boolean((fact->opened.flags & CONTACT_EXPERIENCED) != 0));
    json_t *experiment = told_experiment(&past->told);
    if (experiment != NULL) set(object, "experiment", experiment);
    return object;
}

static json_t *
source_json(const struct past *past)
{
    static const char *const words[] = {"exact", "partly", "none"};
    json_t *object = json_pack("{s:b, s:s}", "record", 1, "replay", words[past->how]);
    if (past->how != PAST_EXACT) set(object, "why", json_string(past->why));
    return object;
}

static json_t *
bids_json(const struct past *past, unsigned position, const struct explanation_wish *wish)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < past->judged.count && i < past->judged.room; i++) {
        const struct why_bid *judged = &past->judged.bids[i];
        const struct catalog_bid *bid = judged_bid(&past->told, judged->bid);
        if (judged->position != position || (wish->bid != 0 && bid->id != wish->bid)) continue;
        json_t *object = judged_json(&past->told, judged);
        const char *untold = past_untold(past, judged);
        if (untold != NULL) {
            static const char *const guesses[] = {
                "code",   "score",  "rate", "revenue", "floor", "floor_rule", "short_by",
                "needed", "failed", "met",  "rule_of", "cap",   "budget"};
            for (size_t g = 0; g < sizeof guesses / sizeof *guesses; g++)
                json_object_del(object, guesses[g]);
            set(object, "reason", json_string("untold"));
            set(object, "attribute", json_string(untold));
        }
        json_array_append_new(list, object);
    }
    return list;
}

// Of the record's list only what is about that bid.
static json_t *
of_bid(const struct past *past, json_t *list, uint64_t bid)
{
    if (bid == 0) return list;
    json_t *name = told_bid_name(&past->told, bid);
    const struct catalog_bid *found = told_bid(&past->told, bid);
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *item = json_array_get(list, i);
        bool same = strcmp(text_of(item, "bid"), json_string_value(name)) == 0;
        if (found != NULL)
            same &= strcmp(text_of(item, "seat"), past->catalog->seats[found->seat].code) == 0;
        if (!same) json_array_remove(list, i);
    }
    json_decref(name);
    return list;
}

// What its rung let the sale know of the customer, and what there was.
static json_t *
data_json(const struct past *past, const struct fact *sale)
{
    enum rung rung = sale->placement.rung < RUNG_COUNT ? (enum rung)sale->placement.rung
                                                       : RUNG_GEOGRAPHIC;
    uint8_t identity = past->told.facts[0].opened.identity;
    const char *consent = judged_consent(rung);
    bool recognized = rung == RUNG_BEHAVIORAL;
    bool identified = rung == RUNG_PERSONALIZATION || rung == RUNG_PREDICTIVE;
    json_t *object = json_pack("{s:i, s:s}", "rung", (int)rung + 1, "name", rung_name(rung));
    CHECK(object != NULL);
    if (consent != NULL) set(object, "consent", json_string(consent));
    if (recognized || identified) {
        set(object, "customer", json_string(recognized ? "recognized" : "identified"));
        set(object, "met",
            json_string(identity < IDENTITY_COUNT ? identity_name((enum identity)identity) : "?"));
    }
    return object;
}

static json_t *
slot_json(const struct past *past, const struct fact *outcome, const struct explanation_wish *wish)
{
    unsigned position = outcome->position;
    bool sold = outcome->kind == FACT_PLACEMENT;
    json_t *object = json_pack(
        "{s:i, s:s}", "position", (int)position, "tagid",
        told_tagid(&past->told, sold ? outcome->placement.slot : outcome->unfilled.slot));
    CHECK(object != NULL);
    json_t *outcome_json = sold ? told_placement(&past->told, outcome)
                                : told_unfilled(&past->told, outcome);
    if (sold) {
        set(outcome_json, "placement", id_text(fact_placement(outcome)));
        set(outcome_json, "data", data_json(past, outcome));
    }
    set(object, sold ? "placement" : "unfilled", outcome_json);
    set(object, "candidates", of_bid(past, told_candidates(&past->told, position), wish->bid));
    json_t *tally = told_tally(&past->told, position);
    if (tally != NULL) set(object, "tally", tally);
    set(object, "refusals", of_bid(past, told_refusals(&past->told, position), wish->bid));
    if (past->how != PAST_RECORD && position <= past->slots)
        set(object, "bids", bids_json(past, position, wish));
    return object;
}

// What became of its placements, as far as it is booked.
static json_t *
since_json(const struct past *past, const struct record *record)
{
    json_t *list = json_array();
    for (unsigned i = record->decided; i < record->count; i++) {
        const struct fact *fact = &record->facts[i];
        uint32_t slot = told_slot_at(&past->told, fact->position);
        json_t *object = json_pack(
            "{s:o, s:s, s:s}", "at", time_text(fact->at), "event",
            fact->kind < FACT_KIND_COUNT ? fact_kind_name((enum fact_kind)fact->kind) : "?",
            "tagid", slot == UINT32_MAX ? "" : past->catalog->slots[slot].tagid);
        CHECK(object != NULL);
        if (fact->kind == FACT_CONVERTED || fact->kind == FACT_REFUNDED)
            set(object, "amount", told_amount(fact->revenue.amount));
        json_array_append_new(list, object);
    }
    return list;
}

json_t *
explanation_json(const struct past *past, const struct record *record,
                 const struct explanation_wish *wish)
{
    json_t *object = head_json(past), *slots = json_array();
    char currency[4];
    memcpy(currency, past->catalog->currency.code, sizeof currency);
    set(object, "cur", json_string(currency));
    set(object, "told_from", source_json(past));
    for (unsigned i = 1; i < past->told.count; i++) {
        const struct fact *fact = &past->told.facts[i];
        bool outcome = fact->kind == FACT_PLACEMENT || fact->kind == FACT_UNFILLED;
        if (outcome && (wish->position == 0 || wish->position == fact->position))
            json_array_append_new(slots, slot_json(past, fact, wish));
    }
    set(object, "slots", slots);
    set(object, "callouts", told_callouts(&past->told));
    set(object, "since", since_json(past, record));
    return object;
}

// --- For people ----------------------------------------------------------------------------------

static void
print_head(const json_t *of, FILE *out)
{
    const json_t *from = json_object_get(of, "told_from"), *word, *experiment;
    const char *replay = text_of(from, "replay");
    size_t i;
    fprintf(out, "contact %s: %s of %s, %s\n", text_of(of, "contact"), text_of(of, "key"),
            text_of(of, "touchpoint"), text_of(of, "at"));
    fprintf(out, "  container %s, %s, tier %s, %s%s; agreed to", text_of(of, "container"),
            text_of(of, "identity"), text_of(of, "tier"), text_of(of, "condition"),
            json_is_true(json_object_get(of, "experienced")) ? ", experienced" : "");
    json_array_foreach(json_object_get(of, "consent"), i, word)
        fprintf(out, "%s %s", i > 0 ? "," : "", json_string_value(word));
    fprintf(out, "%s\n  catalog %" JSON_INTEGER_FORMAT, i == 0 ? " nothing" : "",
            json_integer_value(json_object_get(of, "catalog")));
    experiment = json_object_get(of, "experiment");
    if (experiment != NULL)
        fprintf(out, "; floor experiment %s, arm %s", text_of(experiment, "code"),
                text_of(experiment, "arm"));
    if (strcmp(replay, "exact") == 0)
        fprintf(out, "\n  told from the record in the ledger, and from the round decided again: "
                     "byte for byte the same\n");
    else if (strcmp(replay, "partly") == 0)
        fprintf(
            out,
            "\n  told from the record in the ledger, and from the round decided again in part:\n"
            "  %s\n",
            text_of(from, "why"));
    else
        fprintf(out, "\n  told from the record in the ledger alone:\n  %s\n", text_of(from, "why"));
}

static void
print_price(const json_t *of, const char *key, char out[TOLD_PRICE])
{
    enum price_kind kind = PRICE_PLACEMENT;
    money price = money_of(0);
    const char *word = text_of(of, "kind"), *text = text_of(of, key);
    if (price_kind_parse(word, strlen(word), &kind) != STATUS_OK ||
        money_parse(text, strlen(text), &price) != STATUS_OK) {
        snprintf(out, TOLD_PRICE, "%s", text);
        return;
    }
    told_price(kind, price, out);
}

static void
print_set(const json_t *sale, FILE *out)
{
    const json_t *by = json_object_get(sale, "set");
    const char *word = text_of(by, "by"), *rule = text_of(sale, "floor_rule");
    char price[TOLD_PRICE];
    if (strcmp(word, "bid") == 0) {
        print_price(by, "price", price);
        if (json_object_get(by, "kind") == NULL)
            snprintf(price, sizeof price, "%s", text_of(by, "price"));
        fprintf(out, "set by %s's bid %s (%s)", text_of(by, "seat"), text_of(by, "bid"), price);
    } else if (strcmp(word, "several_bids") == 0) {
        fprintf(out, "set by what it displaced: the slots are sold together");
    } else if (strcmp(word, "own_price") == 0) {
        fprintf(out, "its own price: the deal is at first price");
    } else if (strcmp(word, "deal") == 0) {
        fprintf(out, "the fixed price of the deal");
    } else {
        fprintf(out, "set by its floor");
    }
    fprintf(out, "; floor %s%s%s", text_of(sale, "floor"), rule[0] != '\0' ? ", rule " : "", rule);
    if (json_object_get(sale, "deal") != NULL) fprintf(out, "; deal %s", text_of(sale, "deal"));
    fputc('\n', out);
}

static void
print_data(const json_t *data, FILE *out)
{
    bool consent = json_object_get(data, "consent") != NULL;
    bool customer = json_object_get(data, "customer") != NULL;
    fprintf(out, "  rung %" JSON_INTEGER_FORMAT " %s: used ",
            json_integer_value(json_object_get(data, "rung")), text_of(data, "name"));
    if (consent) fprintf(out, "%s (agreed)", text_of(data, "consent"));
    if (customer)
        fprintf(out, ", %s %s customer (%s)",
                strcmp(text_of(data, "customer"), "recognized") == 0 ? "a" : "an",
                text_of(data, "customer"), text_of(data, "met"));
    if (!consent && !customer) fprintf(out, "nothing about the person");
    fputc('\n', out);
}

static void
print_outcome(const json_t *slot, const char *currency, FILE *out)
{
    const json_t *sale = json_object_get(slot, "placement");
    const json_t *empty = json_object_get(slot, "unfilled");
    char price[TOLD_PRICE], bid[TOLD_PRICE];
    if (sale != NULL) {
        print_price(sale, "price", price);
        print_price(sale, "bid_price", bid);
        fprintf(out, "\n%s: %s of %s won at %s (%s), bidding %s with %s\n  ",
                text_of(slot, "tagid"), text_of(sale, "message"), text_of(sale, "seat"), price,
                currency, bid, text_of(sale, "bid"));
        print_set(sale, out);
        print_data(json_object_get(sale, "data"), out);
        return;
    }
    fprintf(out, "\n%s: empty, %s", text_of(slot, "tagid"), text_of(empty, "reason"));
    if (json_object_get(empty, "main_reason") != NULL)
        fprintf(out, "; the dearest bid: %s", text_of(empty, "main_reason"));
    fputc('\n', out);
}

static void
print_candidates(const json_t *list, FILE *out)
{
    static const struct table_column columns[] = {
        {"place", "place", TABLE_RIGHT, TABLE_TEXT},
        {"seat", "seat", TABLE_LEFT, TABLE_TEXT},
        {"bid", "bid", TABLE_LEFT, TABLE_TEXT},
        {"price", "price", TABLE_RIGHT, TABLE_TEXT},
        {"learned", "learned", TABLE_RIGHT, TABLE_TEXT},
        {"score", "score", TABLE_RIGHT, TABLE_TEXT},
        {"priority", "priority", TABLE_RIGHT, TABLE_TEXT},
        {"floor", "floor", TABLE_RIGHT, TABLE_TEXT},
        {"rule", "rule", TABLE_LEFT, TABLE_TEXT},
    };
    const json_t *item;
    size_t i;
    if (json_array_size(list) == 0) return;
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        char price[TOLD_PRICE];
        const char *rate = text_of(item, "rate"), *revenue = text_of(item, "revenue");
        print_price(item, "price", price);
        table_cellf(table, "%" JSON_INTEGER_FORMAT,
                    json_integer_value(json_object_get(item, "place")));
        table_cell(table, text_of(item, "seat"));
        table_cellf(table, "%s%s", text_of(item, "bid"),
                    json_object_get(item, "live") != NULL ? " (live)" : "");
        table_cell(table, price);
        table_cellf(table, "%s%s",
                    rate[0] != '\0'      ? rate
                    : revenue[0] != '\0' ? revenue
                                         : "-",
                    json_object_get(item, "explored") != NULL ? " drawn" : "");
        table_cell(table, text_of(item, "score"));
        table_cellf(table, "%" JSON_INTEGER_FORMAT,
                    json_integer_value(json_object_get(item, "priority")));
        table_cell(table, text_of(item, "floor"));
        table_cell(table,
                   json_object_get(item, "floor_rule") != NULL ? text_of(item, "floor_rule") : "-");
    }
    fprintf(out, "  eligible, as recorded, best first\n");
    table_print(table, TABLE_AS_TEXT, out);
    table_close(table);
}

static void
print_tally(const json_t *tally, FILE *out)
{
    const char *reason;
    json_t *count;
    if (tally == NULL) return;
    fprintf(out, "  %" JSON_INTEGER_FORMAT " judged before the search stopped",
            json_integer_value(json_object_get(tally, "considered")));
    json_object_foreach(json_object_get(tally, "reasons"), reason, count)
        fprintf(out, "; %s %" JSON_INTEGER_FORMAT, reason, json_integer_value(count));
    fputc('\n', out);
}

static void
print_stopped(const char *title, const json_t *list, FILE *out)
{
    const json_t *item;
    size_t i, told = 0;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        char price[TOLD_PRICE], why[JUDGED_TEXT];
        const char *reason = text_of(item, "reason");
        if (reason[0] == '\0' || strcmp(reason, "won") == 0) continue;
        if (told++ == 0) fprintf(out, "  %s\n", title);
        print_price(item, "price", price);
        if (strcmp(reason, "untold") == 0)
            snprintf(why, sizeof why, "not judged again: a rule speaks of '%s', which is not kept",
                     text_of(item, "attribute"));
        else judged_sentence(item, why);
        fprintf(out, "    %s%s of %s, %s: %s\n", text_of(item, "bid"),
                json_object_get(item, "live") != NULL ? " (live)" : "", text_of(item, "seat"),
                price, why);
    }
}

static void
print_callouts(const json_t *list, FILE *out)
{
    const json_t *item, *waited;
    size_t i;
    if (json_array_size(list) > 0) fprintf(out, "\nlive bidders\n");
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        fprintf(out, "  %s: %s, %" JSON_INTEGER_FORMAT " taken", text_of(item, "seat"),
                text_of(item, "answer"), json_integer_value(json_object_get(item, "bids")));
        waited = json_object_get(item, "answer_ms");
        if (waited != NULL)
            fprintf(out, ", after %" JSON_INTEGER_FORMAT " ms", json_integer_value(waited));
        fputc('\n', out);
    }
}

static void
print_since(const json_t *list, FILE *out)
{
    const json_t *item;
    size_t i;
    if (json_array_size(list) > 0) fprintf(out, "\nsince\n");
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
        fprintf(out, "  %s  %s %s%s%s\n", text_of(item, "at"), text_of(item, "tagid"),
                text_of(item, "event"), json_object_get(item, "amount") != NULL ? " " : "",
                text_of(item, "amount"));
}

void
explanation_print(const json_t *explanation, const struct explanation_wish *wish, FILE *out)
{
    const json_t *slot;
    size_t i;
    print_head(explanation, out);
    json_array_foreach(json_object_get(explanation, "slots"), i, slot)
    {
        const json_t *bids = json_object_get(slot, "bids");
        print_outcome(slot, text_of(explanation, "cur"), out);
        print_candidates(json_object_get(slot, "candidates"), out);
        print_tally(json_object_get(slot, "tally"), out);
        if (bids != NULL) print_stopped("the others, by what stopped them first", bids, out);
        else {
            print_stopped("eligible, but beaten, as recorded", json_object_get(slot, "candidates"),
                          out);
            print_stopped("the dearest of the refused, as recorded",
                          json_object_get(slot, "refusals"), out);
        }
    }
    if (wish->bid != 0) return;
    print_callouts(json_object_get(explanation, "callouts"), out);
    print_since(json_object_get(explanation, "since"), out);
}
