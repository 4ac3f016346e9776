// What stopped a bid, with codes in the place of numbers, and in a sentence.
#include "judged.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "fail.h"

static void
set(json_t *object, const char *key, json_t *value)
{
    CHECK(value != NULL && json_object_set_new(object, key, value) == 0);
}

const struct catalog_bid *
judged_bid(const struct told *told, uint32_t index)
{
    const struct catalog *catalog = told->catalog;
    if (index < catalog->bid_count) return &catalog->bids[index];
    index -= catalog->bid_count;
    struct book_bids overlay = {0};
    if (told->book != NULL) overlay = book_overlay(told->book);
    if (index < overlay.count) return &overlay.bids[index];
    index -= overlay.count;
    CHECK(told->live != NULL && index < told->live->count);
    return &told->live->bids[index];
}

static json_t *
list_text(const struct told *told, const int32_t *items, int64_t span)
{
    char text[512];
    size_t at = (size_t)snprintf(text, sizeof text, "{");
    for (uint32_t i = 0; i < (uint32_t)span && at < sizeof text - 8; i++) {
        int32_t word = items[(uint32_t)(span >> 32) + i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.60s", i > 0 ? "," : "",
                               word < 0 ? "?" : told->catalog->words[word]);
        if (at >= sizeof text) at = sizeof text - 1;
    }
    snprintf(text + at, sizeof text - at, "}");
    return json_string(text);
}

// The value that a clause met: of the contact, else of the slot or message that it is judged with.
static json_t *
met(const struct told *told, const struct expr_node *leaf, uint32_t slot, uint32_t message)
{
    bool list = told->catalog->attributes[leaf->attribute].is.type == ATTRIBUTE_LIST;
    if (told->contact != NULL && (told->contact->values.known >> leaf->attribute & 1) != 0) {
        const struct values *values = &told->contact->values;
        int64_t value = values->value[leaf->attribute];
        return list ? list_text(told, values->list_items, value) : told_value(told, leaf, value);
    }
    const struct declared *declared[] = {&told->catalog->slots[slot].values,
                                         &told->catalog->messages[message].values};
    for (unsigned i = 0; i < 2; i++) {
        if ((declared[i]->known >> leaf->attribute & 1) == 0) continue;
        int64_t value = declared_value(declared[i], leaf->attribute);
        return list ? list_text(told, declared[i]->list_items, value)
                    : told_value(told, leaf, value);
    }
    return told_unknown(told, leaf);
}

// The part of a rule's text that was not true, as its author wrote it.
static json_t *
failed_part(const struct told *told, const struct why_bid *judged, const struct catalog_bid *bid,
            uint32_t slot)
{
    const struct market *market = told->market;
    const struct catalog_slot *at = &told->catalog->slots[slot];
    uint32_t id = told->catalog->containers[at->container].id;
    const char *rule = "";
    for (uint32_t i = 0; strcmp(judged->rule_of, "seat") == 0 && i < market->seat_count; i++)
        if (market->seats[i].id == told->catalog->seats[bid->seat].id) rule = market->seats[i].rule;
    for (uint32_t i = 0; strcmp(judged->rule_of, "message") == 0 && i < market->message_count; i++)
        if (market->messages[i].id == told->catalog->messages[bid->message].id)
            rule = market->messages[i].rule;
    for (uint32_t i = 0; strcmp(judged->rule_of, "slot") == 0 && i < market->container_count; i++)
        if (market->containers[i].id == id)
            rule = market->containers[i].slots[at->position - 1].rule;
    size_t from = judged->leaf->column - 1u, len = judged->leaf->length;
    if (judged->leaf->column == 0 || from + len > strlen(rule))
        return told_clause(told, judged->rule, judged->leaf);
    return json_stringn(rule + from, len);
}

const char *
judged_consent(enum rung rung)
{
    switch (rung) {
    case RUNG_DEMOGRAPHIC:
    case RUNG_BEHAVIORAL:
    case RUNG_PERSONALIZATION: return consent_name(CONSENT_PROFILING);
    case RUNG_PREDICTIVE: return consent_name(CONSENT_MODELLING);
    case RUNG_COMMERCIALIZATION:
    case RUNG_AFFILIATION:
    case RUNG_SYNDICATION: return consent_name(CONSENT_THIRD_PARTY);
    case RUNG_GEOGRAPHIC:
    case RUNG_COUNT: break;
    }
    return NULL;
}

// What this bid would have had to say, in its own kind of price, to rank above the winner; NULL
// where slots are sold together, and no one price would do.
static json_t *
needed(const struct told *told, const struct why_bid *judged, money score)
{
    uint32_t slot = told_slot_at(told, judged->position);
    if (slot == UINT32_MAX ||
        told->catalog->containers[told->catalog->slots[slot].container].pricing == PRICING_VCG)
        return NULL;
    return told_needed((enum price_kind)judged->kind, judged->multiplier, score);
}

static const struct why_bid *
winner_of(const struct told *told, unsigned position)
{
    for (uint32_t i = 0; i < told->why->count && i < told->why->room; i++)
        if (told->why->bids[i].position == position && told->why->bids[i].reason == REASON_NONE)
            return &told->why->bids[i];
    return NULL;
}

static void
set_why(const struct told *told, json_t *object, const struct why_bid *judged,
        const struct catalog_bid *bid, uint32_t slot)
{
    const struct why_bid *winner;
    const char *consent = judged_consent((enum rung)told->catalog->messages[bid->message].rung);
    json_t *part = NULL;
    enum reason reason = judged->reason;
    if (reason == REASON_BELOW_FLOOR || reason == REASON_BELOW_DEAL_FLOOR) {
        set(object, "short_by", told_amount(judged->short_by));
        if (judged->kind != PRICE_PLACEMENT && (part = needed(told, judged, judged->floor)) != NULL)
            set(object, "needed", part);
    } else if (reason == REASON_OUTBID) {
        set(object, "short_by", told_amount(judged->short_by));
        winner = winner_of(told, judged->position);
        if (winner != NULL &&
            (part = needed(told, judged, money_of(winner->score.micros + 1))) != NULL)
            set(object, "needed", part);
    } else if (reason == REASON_NOT_ELIGIBLE && judged->leaf != NULL && judged->rule_of != NULL) {
        set(object, "rule_of", json_string(judged->rule_of));
        set(object, "failed", failed_part(told, judged, bid, slot));
        set(object, "met", met(told, judged->leaf, slot, bid->message));
    } else if (reason == REASON_CONSENT && consent != NULL) {
        set(object, "consent", json_string(consent));
    } else if (reason == REASON_FREQUENCY_CAP || reason == REASON_PRESSURE_CAP) {
        if (judged->cap < told->catalog->cap_count)
            set(object, "cap", told_cap(&told->catalog->caps[judged->cap], judged->cap_count));
    } else if (reason == REASON_BUDGET || reason == REASON_PACING) {
        set(object, "budget",
            told_budget(told, judged->budget_of, judged->budget_daily, judged->budget_left,
                        bid->seat, bid));
    }
}

json_t *
judged_json(const struct told *told, const struct why_bid *judged)
{
    const struct catalog *catalog = told->catalog;
    const struct catalog_bid *bid = judged_bid(told, judged->bid);
    uint32_t slot = told_slot_at(told, judged->position);
    CHECK(slot != UINT32_MAX);
    enum price_kind kind = told_kind(bid->kind);
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:s, s:s, s:o, s:i, s:s}", "tagid", catalog->slots[slot].tagid, "seat",
        catalog->seats[bid->seat].code, "bid", told_bid_name(told, bid->id), "message",
        catalog->messages[bid->message].code, "kind", price_kind_name(kind), "price",
        told_amount(bid->price), "code", (int)reason_number(judged->reason), "reason",
        judged->reason == REASON_NONE ? "won" : reason_key(judged->reason));
    CHECK(object != NULL);
    bool floored = judged->reason == REASON_BELOW_FLOOR ||
                   judged->reason == REASON_BELOW_DEAL_FLOOR;
    if (judged->reason == REASON_NONE || judged->reason == REASON_OUTBID || floored ||
        judged->reason == REASON_OWN_SEAT || judged->reason == REASON_LOST_TO_PRIORITY) {
        set(object, "score", told_amount(judged->score));
        told_multiplier(object, kind, judged->multiplier);
        told_floor(told, object, slot, judged->floor, judged->floor_rule, judged->floor_id);
    }
    if (told->live != NULL && bid >= told->live->bids && bid < told->live->bids + told->live->count)
        set(object, "live", json_true());
    if (judged->priority > 0) set(object, "priority", json_integer(judged->priority));
    set_why(told, object, judged, bid, slot);
    return object;
}

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void __attribute__((format(printf, 2, 3))) say(char *out, const char *format, ...)
{
    va_list arguments;
    size_t at = strlen(out);
    va_start(arguments, format);
    vsnprintf(out + at, JUDGED_TEXT - at, format, arguments);
    va_end(arguments);
}

// The window of a cap: its word, or the span as the market file writes it.
static void
say_window(const json_t *cap, char out[JUDGED_TEXT])
{
    json_int_t minutes = json_integer_value(json_object_get(cap, "minutes"));
    if (minutes == 0) say(out, "%s", text_of(cap, "window"));
    else if (minutes % 1440 == 0) say(out, "the last %" JSON_INTEGER_FORMAT "d", minutes / 1440);
    else if (minutes % 60 == 0) say(out, "the last %" JSON_INTEGER_FORMAT "h", minutes / 60);
    else say(out, "the last %" JSON_INTEGER_FORMAT "m", minutes);
}

const char *
judged_sentence(const json_t *judgement, char out[JUDGED_TEXT])
{
    const json_t *cap = json_object_get(judgement, "cap");
    const json_t *budget = json_object_get(judgement, "budget");
    const char *reason = text_of(judgement, "reason");
    snprintf(out, JUDGED_TEXT, "%s", reason);
    if (json_object_get(judgement, "failed") != NULL)
        say(out, ": \"%s\" of the %s met %s", text_of(judgement, "failed"),
            text_of(judgement, "rule_of"), text_of(judgement, "met"));
    if (json_object_get(judgement, "consent") != NULL)
        say(out, ": %s is not agreed to", text_of(judgement, "consent"));
    if (cap != NULL && json_object_get(cap, "most") == NULL) {
        say(out, ": %" JSON_INTEGER_FORMAT " counted",
            json_integer_value(json_object_get(cap, "count")));
    } else if (cap != NULL) {
        const char *code = text_of(cap, "code");
        say(out, ": %s%s%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " per %s, ", code,
            code[0] != '\0' ? " counted " : "", json_integer_value(json_object_get(cap, "count")),
            json_integer_value(json_object_get(cap, "most")), text_of(cap, "per"));
        say_window(cap, out);
    }
    if (budget != NULL)
        say(out, ": %s budget of %s %s has %s left", text_of(budget, "span"), text_of(budget, "of"),
            text_of(budget, "code"), text_of(budget, "left"));
    if (strcmp(reason, "below_floor") == 0 || strcmp(reason, "below_deal_floor") == 0)
        say(out, " %s", text_of(judgement, "floor"));
    if (strcmp(reason, "below_floor") == 0 && json_object_get(judgement, "floor_rule") != NULL)
        say(out, " (%s)", text_of(judgement, "floor_rule"));
    if (json_object_get(judgement, "short_by") != NULL)
        say(out, ", %s short", text_of(judgement, "short_by"));
    if (json_object_get(judgement, "needed") != NULL)
        say(out, "; needed %s", text_of(judgement, "needed"));
    return out;
}
