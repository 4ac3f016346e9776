// What facts and judgements say, with codes in the place of numbers.
//
// Amounts are decimal texts. A price stands in its own kind beside "kind": an amount a placement or
// response, or the fraction of the revenue ("0.125"). Fields that say nothing are left out.
#include "told.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "learn.h"

static void
set(json_t *object, const char *key, json_t *value)
{
    CHECK(value != NULL && json_object_set_new(object, key, value) == 0);
}

json_t *
told_amount(money value)
{
    char text[MONEY_TEXT];
    money_format(value, 2, text);
    return json_string(text);
}

const char *
told_price(enum price_kind kind, money price, char out[TOLD_PRICE])
{
    char text[MONEY_TEXT];
    switch (kind) {
    case PRICE_PLACEMENT:
    case PRICE_RESPONSE:
        money_format(price, 2, text);
        snprintf(out, TOLD_PRICE, "%s%s", text, kind == PRICE_RESPONSE ? " a response" : "");
        break;
    case PRICE_SHARE:
        money_format(money_of(price.micros * 100), 0, text);
        snprintf(out, TOLD_PRICE, "%s %% of revenue", text);
        break;
    case PRICE_KIND_COUNT: snprintf(out, TOLD_PRICE, "?"); break;
    }
    return out;
}

// A kind as it stands in a fact: one that this program does not know is told as what it knows.
enum price_kind
told_kind(uint8_t kind)
{
    return kind < PRICE_KIND_COUNT ? (enum price_kind)kind : PRICE_PLACEMENT;
}

void
told_multiplier(json_t *object, enum price_kind kind, uint64_t multiplier)
{
    if (kind == PRICE_RESPONSE)  // a fraction of LEARN_ONE, in millionths
        set(object, "rate",
            told_amount(
                money_of((int64_t)((unsigned __int128)multiplier * MONEY_PPM / LEARN_ONE))));
    if (kind == PRICE_SHARE) set(object, "revenue", told_amount(money_of((int64_t)multiplier)));
}

// --- Names ---------------------------------------------------------------------------------------

const struct catalog_bid *
told_bid(const struct told *told, uint64_t id)
{
    if (id == 0) return NULL;
    for (uint32_t i = 0; told->live != NULL && i < told->live->count; i++)
        if (told->live->bids[i].id == id) return &told->live->bids[i];
    struct book_bids overlay = {0};
    if (told->book != NULL) overlay = book_overlay(told->book);
    for (uint32_t i = 0; i < overlay.count; i++)
        if (overlay.bids[i].id == id) return &overlay.bids[i];
    uint32_t bid = catalog_bid_by_id(told->catalog, id);
    return bid == UINT32_MAX ? NULL : &told->catalog->bids[bid];
}

json_t *
told_bid_name(const struct told *told, uint64_t id)
{
    char hex[17] = "";
    const struct catalog_bid *bid = told_bid(told, id);
    if (bid != NULL && bid->key[0] != '\0')
        return json_stringn(bid->key, strnlen(bid->key, BOUND_KEY));
    hash_hex(id, hex);
    const char *name = json_string_value(json_object_get(told->names, hex));
    return json_string(name != NULL ? name : hex);
}

const char *
told_tagid(const struct told *told, uint32_t slot_id)
{
    uint32_t slot = catalog_slot_by_id(told->catalog, slot_id);
    return slot == UINT32_MAX ? "removed" : told->catalog->slots[slot].tagid;
}

static const char *
seat_code(const struct told *told, uint32_t id)
{
    uint32_t seat = catalog_seat_by_id(told->catalog, id);
    return seat == UINT32_MAX ? "removed" : told->catalog->seats[seat].code;
}

static const char *
message_code(const struct told *told, uint32_t id)
{
    uint32_t message = catalog_message_by_id(told->catalog, id);
    return message == UINT32_MAX ? "removed" : told->catalog->messages[message].code;
}

static const char *
deal_code(const struct told *told, uint32_t id)
{
    for (uint32_t i = 0; i < told->catalog->deal_count; i++)
        if (told->catalog->deals[i].id == id) return told->catalog->deals[i].code;
    return "removed";
}

// The slot (index) of a position of the told contact's container; UINT32_MAX none.
uint32_t
told_slot_at(const struct told *told, unsigned position)
{
    for (unsigned i = 1; i < told->count; i++) {
        const struct fact *fact = &told->facts[i];
        if (fact->position != position) continue;
        if (fact->kind == FACT_PLACEMENT)
            return catalog_slot_by_id(told->catalog, fact->placement.slot);
        if (fact->kind == FACT_UNFILLED)
            return catalog_slot_by_id(told->catalog, fact->unfilled.slot);
    }
    return UINT32_MAX;
}

void
told_floor(const struct told *told, json_t *object, uint32_t slot, money floor, uint8_t rule,
           uint32_t floor_id)
{
    set(object, "floor", told_amount(floor));
    if (rule == FACT_FLOOR_ID_RULE) {
        const char *code = NULL;
        for (uint32_t i = 0; i < told->market->floor_count; i++)
            if (told->market->floors[i].id == floor_id) code = told->market->floors[i].code;
        set(object, "floor_rule", code != NULL ? json_string(code) : json_integer(floor_id));
    } else if (rule > 0 && slot != UINT32_MAX) {
        set(object, "floor_rule",
            json_sprintf("%s %u", told->catalog->slots[slot].tagid, (unsigned)rule));
    }
}

json_t *
told_experiment(const struct told *told)
{
    uint32_t id = told->facts[0].opened.experiment;
    if (id == 0) return NULL;
    const char *code = "removed";
    for (uint32_t i = 0; i < told->market->experiment_count; i++)
        if (told->market->experiments[i].id == id) code = told->market->experiments[i].code;
    return json_pack("{s:s, s:s}", "code", code, "arm",
                     (told->facts[0].opened.flags & CONTACT_VARIANT) != 0 ? "variant" : "control");
}

// --- Outcomes ------------------------------------------------------------------------------------

// A place of a slot's record; places count from 0. False: the record ends before.
struct place_of {
    const struct fact *fact;
    unsigned half;
};
static bool
candidate_at(const struct told *told, unsigned position, unsigned place, struct place_of *out)
{
    for (unsigned i = 1; i < told->count; i++) {
        const struct fact *fact = &told->facts[i];
        if (fact->kind != FACT_CANDIDATES || fact->position != position) continue;
        for (unsigned half = 0; half < 2; half++) {
            if (fact->candidates.bid[half] == 0 || place-- > 0) continue;
            *out = (struct place_of){fact, half};
            return true;
        }
    }
    return false;
}

static bool
winner_of(const struct told *told, unsigned position, struct place_of *out)
{
    for (unsigned i = 1; i < told->count; i++) {
        const struct fact *fact = &told->facts[i];
        if (fact->kind != FACT_PLACEMENT || fact->position != position) continue;
        for (unsigned place = 0; candidate_at(told, position, place, out); place++)
            if (out->fact->candidates.bid[out->half] == fact->placement.bid) return true;
    }
    return false;
}

// How the winner's price came about when no single bid set it.
static const char *
set_without_bid(const struct told *told, const struct fact *fact)
{
    struct place_of winner = {0};
    uint64_t multiplier = 0;
    if (winner_of(told, fact->position, &winner)) {
        unsigned at = winner.fact->candidates.how[winner.half] >> CANDIDATE_AT_SHIFT & 3;
        if (at == DEAL_FIRST_PRICE) return "own_price";
        if (at == DEAL_FIXED) return "deal";
        multiplier = winner.fact->candidates.multiplier[winner.half];
    }
    enum price_kind kind = told_kind(fact->placement.kind);
    money least = price_reaching(kind, fact->placement.floor, multiplier);
    // Dearer than its floor, and no bid did it: the slots were sold together.
    return fact->placement.price.micros > least.micros ? "several_bids" : "floor";
}

static json_t *
set_by(const struct told *told, const struct fact *fact)
{
    uint64_t setter = fact->placement.setter;
    if (setter == 0) {
        const char *by = set_without_bid(told, fact);
        json_t *object = json_pack("{s:s}", "by", by);
        if (strcmp(by, "floor") == 0) set(object, "floor", told_amount(fact->placement.floor));
        return object;
    }
    const struct catalog_bid *bid = told_bid(told, setter);
    json_t *object = json_pack("{s:s, s:o}", "by", "bid", "bid", told_bid_name(told, setter));
    if (bid == NULL) return object;
    set(object, "seat", json_string(told->catalog->seats[bid->seat].code));
    set(object, "price", told_amount(bid->price));
    if (bid->kind != PRICE_PLACEMENT)
        set(object, "kind", json_string(price_kind_name(told_kind(bid->kind))));
    return object;
}

json_t *
told_placement(const struct told *told, const struct fact *fact)
{
    uint32_t slot = catalog_slot_by_id(told->catalog, fact->placement.slot);
    json_t *objectives = json_array();
    for (int i = 0; i < OBJECTIVE_COUNT; i++)
        if ((fact->placement.objectives & 1u << i) != 0)
            json_array_append_new(objectives, json_string(objective_name((enum objective)i)));
    enum price_kind kind = told_kind(fact->placement.kind);
    json_t *object = json_pack("{s:s, s:i, s:s, s:s, s:i, s:o, s:o, s:s, s:o, s:o}", "tagid",
                               told_tagid(told, fact->placement.slot), "position", fact->position,
                               "seat", seat_code(told, fact->placement.seat), "message",
                               message_code(told, fact->placement.message), "rung",
                               fact->placement.rung + 1, "objectives", objectives, "bid",
                               told_bid_name(told, fact->placement.bid), "kind",
                               price_kind_name(kind), "price", told_amount(fact->placement.price),
                               "bid_price", told_amount(fact->placement.bid_price));
    CHECK(object != NULL);
    told_floor(told, object, slot, fact->placement.floor, fact->placement.floor_rule,
               fact->placement.floor_id);
    set(object, "set", set_by(told, fact));
    if (fact->placement.deal != 0)
        set(object, "deal", json_string(deal_code(told, fact->placement.deal)));
    return object;
}

json_t *
told_unfilled(const struct told *told, const struct fact *fact)
{
    enum reason reason = fact->unfilled.reason, main_reason = fact->unfilled.main_reason;
    json_t *object = json_pack("{s:s, s:i, s:i, s:s, s:s}", "tagid",
                               told_tagid(told, fact->unfilled.slot), "position", fact->position,
                               "code", (int)reason_number(reason), "reason", reason_key(reason),
                               "text", reason_text(reason));
    if (main_reason != REASON_NONE)
        json_object_set_new(object, "main_reason", json_string(reason_key(main_reason)));
    return object;
}

// --- The record ----------------------------------------------------------------------------------

json_t *
told_needed(enum price_kind kind, uint64_t multiplier, money score)
{
    char text[TOLD_PRICE];
    money least = price_reaching(kind, score, multiplier);
    if (least.micros > BOUND_MICROS) return json_string("no price of its kind");
    return json_string(told_price(kind, least, text));
}

// How an eligible bid fared against the winner, where slots are sold one by one.
static void
set_beaten(json_t *object, const struct place_of *at, const struct place_of *winner)
{
    const struct fact *fact = at->fact, *best = winner->fact;
    unsigned i = at->half, w = winner->half;
    if (fact == best && i == w) {
        set(object, "reason", json_string("won"));
        return;
    }
    enum price_kind kind = told_kind(fact->candidates.how[i] & CANDIDATE_KIND);
    money score = price_score(kind, money_of(fact->candidates.price[i]),
                              fact->candidates.multiplier[i]);
    money high = price_score(told_kind(best->candidates.how[w] & CANDIDATE_KIND),
                             money_of(best->candidates.price[w]), best->candidates.multiplier[w]);
    enum reason reason = REASON_OUTBID;
    if (fact->candidates.seat[i] == best->candidates.seat[w]) reason = REASON_OWN_SEAT;
    else if (fact->candidates.priority[i] < best->candidates.priority[w])
        reason = REASON_LOST_TO_PRIORITY;
    set(object, "reason", json_string(reason_key(reason)));
    money short_by;
    if (reason != REASON_OUTBID || money_subtract(high, score, &short_by) != STATUS_OK) return;
    set(object, "short_by", told_amount(short_by));
    set(object, "needed",
        told_needed(kind, fact->candidates.multiplier[i], money_of(high.micros + 1)));
}

json_t *
told_candidates(const struct told *told, unsigned position)
{
    json_t *list = json_array();
    struct place_of at = {0}, winner = {0};
    bool sold = winner_of(told, position, &winner);
    bool together = (told->facts[0].opened.flags & CONTACT_TOGETHER) != 0;
    for (unsigned place = 0; candidate_at(told, position, place, &at); place++) {
        unsigned i = at.half, how = at.fact->candidates.how[i];
        enum price_kind kind = told_kind(how & CANDIDATE_KIND);
        money price = money_of(at.fact->candidates.price[i]);
        uint64_t multiplier = at.fact->candidates.multiplier[i];
        uint32_t floor_id = at.fact->candidates.floor_id[i];
        json_t *object = json_pack(
            "{s:i, s:s, s:s, s:o, s:s, s:o, s:o, s:i, s:o}", "place", (int)place + 1, "seat",
            seat_code(told, at.fact->candidates.seat[i]), "message",
            message_code(told, at.fact->candidates.message[i]), "bid",
            told_bid_name(told, at.fact->candidates.bid[i]), "kind", price_kind_name(kind), "price",
            told_amount(price), "score", told_amount(price_score(kind, price, multiplier)),
            "priority", at.fact->candidates.priority[i], "floor",
            told_amount(at.fact->candidates.floor[i]));
        CHECK(object != NULL);
        told_multiplier(object, kind, multiplier);
        if (floor_id != 0)
            told_floor(told, object, UINT32_MAX, at.fact->candidates.floor[i], FACT_FLOOR_ID_RULE,
                       floor_id);
        if (sold && !together) set_beaten(object, &at, &winner);
        if ((how & CANDIDATE_EXPLORED) != 0) set(object, "explored", json_true());
        if ((how & CANDIDATE_LIVE) != 0) set(object, "live", json_true());
        if ((how & CANDIDATE_MESSAGE_WON) != 0) set(object, "message_won", json_true());
        json_array_append_new(list, object);
    }
    return list;
}

json_t *
told_tally(const struct told *told, unsigned position)
{
    for (unsigned i = 1; i < told->count; i++) {
        const struct fact *fact = &told->facts[i];
        if (fact->kind != FACT_TALLY || fact->position != position) continue;
        json_t *reasons = json_object();
        for (unsigned r = 0; r < sizeof fact->tally.reason; r++)
            if (fact->tally.reason[r] != 0 && fact->tally.reason[r] < REASON_COUNT)
                set(reasons, reason_key((enum reason)fact->tally.reason[r]),
                    json_integer(fact->tally.count[r]));
        return json_pack("{s:i, s:o}", "considered", (int)fact->tally.considered, "reasons",
                         reasons);
    }
    return NULL;
}

// A value in the words of the catalog.
json_t *
told_value(const struct told *told, const struct expr_node *leaf, int64_t value)
{
    const struct expr_attribute *is = &told->catalog->attributes[leaf->attribute].is;
    switch ((enum attribute_type)is->type) {
    case ATTRIBUTE_BOOLEAN: return json_string(value != 0 ? "true" : "false");
    case ATTRIBUTE_INTEGER: return json_sprintf("%" PRId64, value);
    case ATTRIBUTE_TEXT:
        if (value < 0 || value >= told->catalog->word_count) return json_string("another word");
        return json_sprintf("'%s'", told->catalog->words[value]);
    case ATTRIBUTE_LIST: return json_string("a list");
    case ATTRIBUTE_TYPE_COUNT: break;
    }
    return json_string("?");
}

json_t *
told_unknown(const struct told *told, const struct expr_node *leaf)
{
    bool transient = told->catalog->attributes[leaf->attribute].privacy == PRIVACY_TRANSIENT;
    return json_string(transient && told->past ? "a value that is not kept (transient)"
                                               : "unknown");
}

json_t *
told_clause(const struct told *told, const struct expr *rule, const struct expr_node *node)
{
    char text[BOUND_RULE_BYTES + 1];
    catalog_rule_text(told->catalog, rule, node, text, sizeof text);
    return json_string(text);
}

static void
set_clause(const struct told *told, json_t *object, const struct fact *fact, unsigned i,
           uint32_t slot, const struct catalog_bid *bid)
{
    static const char *const words[] = {"slot", "seat", "message"};
    unsigned of = fact->refusals.rule_of[i], clause = fact->refusals.clause[i];
    int64_t value = fact->refusals.met[i];
    uint32_t seat = catalog_seat_by_id(told->catalog, fact->refusals.seat[i]);
    const struct expr *rule = NULL;
    if (of == 0 && slot != UINT32_MAX) rule = &told->catalog->slots[slot].rule;
    if (of == 1 && seat != UINT32_MAX) rule = &told->catalog->seats[seat].rule;
    if (of == 2 && bid != NULL) rule = &told->catalog->messages[bid->message].rule;
    if (of < 3) set(object, "rule_of", json_string(words[of]));
    if (rule == NULL || clause >= rule->node_count) return;
    const struct expr_node *node = &rule->nodes[clause];
    set(object, "failed", told_clause(told, rule, node));
    bool leaf = node->kind != EXPR_AND && node->kind != EXPR_OR && node->kind != EXPR_TRUE &&
                node->kind != EXPR_FALSE;
    if (leaf)
        set(object, "met",
            value != INT64_MIN ? told_value(told, node, value) : told_unknown(told, node));
}

json_t *
told_cap(const struct catalog_cap *cap, uint32_t count)
{
    json_t *object = json_pack("{s:s, s:s, s:i, s:i}", "per",
                               market_cap_per_name((enum cap_per)cap->per), "window",
                               market_cap_window_name((enum cap_window)cap->window), "count",
                               (int)count, "most", (int)cap->count);
    CHECK(object != NULL);
    if (cap->code != NULL && cap->code[0] != '\0') set(object, "code", json_string(cap->code));
    if (cap->window == CAP_MINUTES) set(object, "minutes", json_integer(cap->minutes));
    return object;
}

json_t *
told_budget(const struct told *told, enum budget_of of, bool daily, money left, uint32_t seat,
            const struct catalog_bid *bid)
{
    static const char *const words[] = {"seat", "campaign", "message"};
    const struct catalog *catalog = told->catalog;
    const char *code = of == BUDGET_SEAT && seat != UINT32_MAX ? catalog->seats[seat].code : "";
    if (bid != NULL && of == BUDGET_MESSAGE) code = catalog->messages[bid->message].code;
    if (bid != NULL && of == BUDGET_CAMPAIGN) {
        uint32_t campaign = catalog->messages[bid->message].campaign;
        if (campaign != UINT32_MAX) code = catalog->campaigns[campaign].code;
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "of", of < BUDGET_OF_COUNT ? words[of] : "?", "code",
                     code, "span", daily ? "daily" : "total", "left", told_amount(left));
}

// What the record keeps of why one bid was refused.
static void
set_refusal(const struct told *told, json_t *object, const struct fact *fact, unsigned i,
            uint32_t slot, const struct catalog_bid *bid)
{
    enum reason reason = (enum reason)fact->refusals.reason[i];
    int64_t value = fact->refusals.met[i];
    uint16_t clause = fact->refusals.clause[i];
    uint32_t seat = catalog_seat_by_id(told->catalog, fact->refusals.seat[i]);
    if (reason == REASON_NOT_ELIGIBLE) {
        set_clause(told, object, fact, i, slot, bid);
    } else if (reason == REASON_FREQUENCY_CAP || reason == REASON_PRESSURE_CAP) {
        const struct catalog_cap *found = NULL;
        for (uint32_t c = 0; value > 0 && c < told->catalog->cap_count; c++)
            if (told->catalog->caps[c].id == value) found = &told->catalog->caps[c];
        set(object, "cap",
            found != NULL ? told_cap(found, clause) : json_pack("{s:i}", "count", (int)clause));
    } else if (value == INT64_MIN) {
        return;
    } else if (reason == REASON_BUDGET || reason == REASON_PACING) {
        set(object, "budget",
            told_budget(told, (enum budget_of)fact->refusals.rule_of[i], clause == 1,
                        money_of(value), seat, bid));
    } else if (reason == REASON_BELOW_FLOOR || reason == REASON_BELOW_DEAL_FLOOR) {
        set(object, "floor", told_amount(money_of(value)));
    }
}

json_t *
told_refusals(const struct told *told, unsigned position)
{
    json_t *list = json_array();
    uint32_t slot = told_slot_at(told, position);
    for (unsigned f = 1; f < told->count; f++) {
        const struct fact *fact = &told->facts[f];
        if (fact->kind != FACT_REFUSALS || fact->position != position) continue;
        for (unsigned i = 0; i < 4 && fact->refusals.bid[i] != 0; i++) {
            enum reason reason = fact->refusals.reason[i] < REASON_COUNT
                                     ? (enum reason)fact->refusals.reason[i]
                                     : REASON_INTERNAL;
            const struct catalog_bid *bid = told_bid(told, fact->refusals.bid[i]);
            json_t *object = json_pack("{s:s, s:o, s:i, s:s}", "seat",
                                       seat_code(told, fact->refusals.seat[i]), "bid",
                                       told_bid_name(told, fact->refusals.bid[i]), "code",
                                       (int)reason_number(reason), "reason", reason_key(reason));
            CHECK(object != NULL);
            if (bid != NULL) {
                set(object, "kind", json_string(price_kind_name(told_kind(bid->kind))));
                set(object, "price", told_amount(bid->price));
            }
            set_refusal(told, object, fact, i, slot, bid);
            json_array_append_new(list, object);
        }
    }
    return list;
}

json_t *
told_callouts(const struct told *told)
{
    json_t *list = json_array();
    for (unsigned f = 1; f < told->count; f++) {
        const struct fact *fact = &told->facts[f];
        if (fact->kind != FACT_CALLOUTS) continue;
        for (unsigned i = 0; i < 11 && fact->callouts.seat[i] != 0; i++) {
            uint8_t reason = fact->callouts.reason[i];
            json_t *object = json_pack("{s:s, s:s, s:i}", "seat",
                                       seat_code(told, fact->callouts.seat[i]), "answer",
                                       reason == REASON_NONE   ? "bids"
                                       : reason < REASON_COUNT ? reason_key((enum reason)reason)
                                                               : "?",
                                       "bids", fact->callouts.bids[i]);
            CHECK(object != NULL);
            if (fact->callouts.answer_ms[i] != UINT16_MAX)
                set(object, "answer_ms", json_integer(fact->callouts.answer_ms[i]));
            json_array_append_new(list, object);
        }
    }
    return list;
}
