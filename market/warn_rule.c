// Rules that can never be true, or are true of every contact: allowed, hardly meant.
//
// A rule is a tree of AND and OR over leaves (expr.h), each a test of one attribute.
//   never   FALSE; an OR of which no part can be true; an AND with a part that cannot, or whose
//           tests of one attribute leave it no value: what is in all of its ranges and sets, in
//           none of those that are negated, and within its declared range or words. IS NULL beside
//           a test that wants the attribute known leaves none either.
//   always  TRUE; an AND of such; an OR with such a part, or with an attribute's IS NULL beside its
//           IS NOT NULL.
//   here    channel, stage, container and slot are always known, and are what the market's slots
//           say: a rule that can be true in none of them is never true; one that is true in all,
//           and would be in a slot of other names, whatever else is known, always.
//   known   a test that every value the attribute may have passes: it says no more than IS NOT
//           NULL.
// What is found is certain; a rule that is never true for a deeper reason is not found.
#include "warn_rule.h"

#include <string.h>

#include "catalog.h"

// The words of a slot's place, by attribute; -1: of no slot of the market.
struct where {
    int64_t channel, stage, container, slot;
};
struct judged {
    struct checker *checker;
    const struct expr_schema *schema;
    struct arena *arena;
    struct where *places;  // of all slots
    uint32_t place_count;
    uint32_t first, count;  // where the rule at hand is asked
};

// --- The values that the tests of one attribute leave --------------------------------------------

static bool
in_set(const struct expr *expr, const struct expr_node *leaf, int64_t value)
{
    for (uint32_t i = 0; i < leaf->count; i++)
        if (expr->sets[leaf->set + i] == value) return true;
    return false;
}

static bool
passes(const struct expr *expr, const struct expr_node *leaf, int64_t value)
{
    bool inside = leaf->kind == EXPR_RANGE ? value >= leaf->least && value <= leaf->most
                                           : in_set(expr, leaf, value);
    return inside != (leaf->negated != 0);
}

// Of the children of an AND: those that test `attribute` by value.
static bool
tests_value(const struct expr_node *leaf, uint32_t attribute)
{
    return (leaf->kind == EXPR_RANGE || leaf->kind == EXPR_IN) && leaf->attribute == attribute;
}

static bool
all_pass(const struct expr *expr, const struct expr_node *first, uint32_t count, uint32_t attribute,
         int64_t value)
{
    const struct expr_node *child = first;
    for (uint32_t i = 0; i < count; i++, child += child->size)
        if (tests_value(child, attribute) && !passes(expr, child, value)) return false;
    return true;
}

static int64_t
least_of(const struct expr_attribute *attribute)
{
    return attribute->type == ATTRIBUTE_BOOLEAN ? 0 : attribute->least;
}

static int64_t
most_of(const struct expr_attribute *attribute)
{
    return attribute->type == ATTRIBUTE_BOOLEAN ? 1 : attribute->most;
}

// Is there a value left? With a set that must hold it, each of its entries is tried; else the ends
// of ranges and the values beside those excluded: if any value is left, one of these is.
static bool
leaves_a_value(const struct judged *judged, const struct expr *expr, const struct expr_node *first,
               uint32_t count, uint32_t attribute)
{
    const struct expr_attribute *is = &judged->schema->attributes[attribute];
    const struct expr_node *child = first;
    bool text = is->type == ATTRIBUTE_TEXT;
    for (uint32_t i = 0; i < count; i++, child += child->size) {
        if (!tests_value(child, attribute) || child->kind != EXPR_IN || child->negated) continue;
        for (uint32_t j = 0; j < child->count; j++) {
            int64_t value = expr->sets[child->set + j];
            bool allowed = text || (value >= is->least && value <= is->most);
            if (allowed && all_pass(expr, first, count, attribute, value)) return true;
        }
        return false;
    }
    if (text) return true;  // any other word
    int64_t least = least_of(is), most = most_of(is);
    if (all_pass(expr, first, count, attribute, least)) return true;
    child = first;
    for (uint32_t i = 0; i < count; i++, child += child->size) {
        if (!tests_value(child, attribute)) continue;
        for (uint32_t j = 0; j < (child->kind == EXPR_RANGE ? 2 : child->count); j++) {
            int64_t edge = child->kind == EXPR_IN ? expr->sets[child->set + j]
                           : j == 0               ? child->least
                                                  : child->most;
            for (int64_t step = -1; step <= 1; step++) {
                int64_t value;
                if (__builtin_add_overflow(edge, step, &value) || value < least || value > most)
                    continue;
                if (all_pass(expr, first, count, attribute, value)) return true;
            }
        }
    }
    return false;
}

static bool
contradicts(const struct judged *judged, const struct expr *expr, const struct expr_node *first,
            uint32_t count)
{
    const struct expr_node *child = first;
    for (uint32_t i = 0; i < count; i++, child += child->size) {
        if (tests_value(child, child->attribute) &&
            !leaves_a_value(judged, expr, first, count, child->attribute))
            return true;
        if (child->kind != EXPR_KNOWN || !child->negated) continue;
        const struct expr_node *other = first;
        for (uint32_t j = 0; j < count; j++, other += other->size)
            if (other->kind >= EXPR_RANGE && other->attribute == child->attribute &&
                !(other->kind == EXPR_KNOWN && other->negated))
                return true;
    }
    return false;
}

// --- The whole rule ------------------------------------------------------------------------------

static bool
never(const struct judged *judged, const struct expr *expr, const struct expr_node *node)
{
    const struct expr_node *child = node + 1;
    switch ((enum expr_kind)node->kind) {
    case EXPR_TRUE: return false;
    case EXPR_FALSE: return true;
    case EXPR_OR:
        for (uint32_t i = 0; i < node->count; i++, child += child->size)
            if (!never(judged, expr, child)) return false;
        return true;
    case EXPR_AND:
        for (uint32_t i = 0; i < node->count; i++, child += child->size)
            if (never(judged, expr, child)) return true;
        return contradicts(judged, expr, node + 1, node->count);
    case EXPR_RANGE:
    case EXPR_IN:
    case EXPR_ANY:
    case EXPR_ALL:
    case EXPR_KNOWN: return contradicts(judged, expr, node, 1);
    }
    return false;
}

static bool
always(const struct expr_node *node)
{
    const struct expr_node *child = node + 1;
    if (node->kind == EXPR_TRUE) return true;
    if (node->kind != EXPR_AND && node->kind != EXPR_OR) return false;
    bool is_or = node->kind == EXPR_OR;
    for (uint32_t i = 0; i < node->count; i++, child += child->size) {
        if (always(child) == is_or) return is_or;
        const struct expr_node *other = node + 1;
        for (uint32_t j = 0; is_or && child->kind == EXPR_KNOWN && j < node->count;
             j++, other += other->size)
            if (other->kind == EXPR_KNOWN && other->attribute == child->attribute &&
                other->negated != child->negated)
                return true;
    }
    return !is_or;
}

// --- In the slots of the market ------------------------------------------------------------------

static bool
is_place(const struct expr_node *leaf, const struct where *where, int64_t *out_word)
{
    if (leaf->kind == EXPR_AND || leaf->kind == EXPR_OR) return false;
    switch (leaf->attribute) {
    case BUILTIN_CHANNEL: *out_word = where->channel; return true;
    case BUILTIN_STAGE: *out_word = where->stage; return true;
    case BUILTIN_CONTAINER: *out_word = where->container; return true;
    case BUILTIN_SLOT: *out_word = where->slot; return true;
    default: return false;
    }
}

// Is the rule true there, everything else being `otherwise`?
static bool
true_there(const struct expr *expr, const struct expr_node *node, const struct where *where,
           bool otherwise)
{
    int64_t word;
    if (node->kind == EXPR_TRUE || node->kind == EXPR_FALSE) return node->kind == EXPR_TRUE;
    if (node->kind == EXPR_AND || node->kind == EXPR_OR) {
        const struct expr_node *child = node + 1;
        for (uint32_t i = 0; i < node->count; i++, child += child->size)
            if (true_there(expr, child, where, otherwise) == (node->kind == EXPR_OR))
                return node->kind == EXPR_OR;
        return node->kind == EXPR_AND;
    }
    if (!is_place(node, where, &word)) return otherwise;
    return node->kind == EXPR_KNOWN ? node->negated == 0 : passes(expr, node, word);
}

static int64_t
word_of(const struct judged *judged, const char *text)
{
    return judged->schema->word(judged->schema->words, text, strlen(text));
}

// Those of all slots, container by container.
static void
list_places(struct judged *judged)
{
    const struct market *market = judged->checker->market;
    uint32_t count = 0;
    for (uint32_t i = 0; i < market->container_count; i++)
        count += market->containers[i].slot_count;
    judged->places = arena_take(judged->arena, count + 1u, sizeof *judged->places);
    judged->place_count = 0;
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        for (uint32_t j = 0; j < container->slot_count; j++)
            judged->places[judged->place_count++] = (struct where){
                .channel = word_of(judged, channel_name((enum channel)container->channel)),
                .stage = word_of(judged, stage_name((enum stage)container->stage)),
                .container = word_of(judged, container->code),
                .slot = word_of(judged, arena_printf(judged->arena, "%s.%s", container->code,
                                                     container->slots[j].code))};
    }
}

// Can the rule be true in none of the slots where it is asked? Is it true in all of them and would
// be in any other?
static bool
never_here(const struct judged *judged, const struct expr *expr, bool *out_always)
{
    const struct where elsewhere = {-1, -1, -1, -1};
    bool never = judged->count > 0;
    *out_always = true_there(expr, expr->nodes, &elsewhere, false);
    for (uint32_t i = 0; i < judged->count && (never || *out_always); i++) {
        const struct where *where = &judged->places[judged->first + i];
        never = never && !true_there(expr, expr->nodes, where, true);
        *out_always = *out_always && true_there(expr, expr->nodes, where, false);
    }
    return never;
}

// A leaf that is true of every value: the first, in text order.
static const struct expr_node *
says_nothing(const struct judged *judged, const struct expr *expr)
{
    for (uint32_t i = 0; i < expr->node_count; i++) {
        const struct expr_node *leaf = &expr->nodes[i];
        if (leaf->kind != EXPR_RANGE) continue;
        const struct expr_attribute *is = &judged->schema->attributes[leaf->attribute];
        int64_t least = least_of(is), most = most_of(is);
        bool covered = leaf->negated ? leaf->most < least || leaf->least > most
                                     : leaf->least <= least && leaf->most >= most;
        if (covered) return leaf;
    }
    return NULL;
}

static void
warn_rule(struct judged *judged, unsigned admits, const char *rule, struct place place,
          const char *kind, const char *code, const char *effect)
{
    struct expr expr;
    struct expr_error error;
    struct expr_schema schema = *judged->schema;
    schema.admits = (uint8_t)admits;
    if (rule[0] == '\0') return;
    if (expr_compile(rule, strlen(rule), &schema, judged->arena, &expr, &error) != STATUS_OK)
        return;  // told as an error
    struct checker *checker = judged->checker;
    checker->object = arena_printf(checker->arena, "%s %s", kind, code);
    const struct expr_node *leaf = says_nothing(judged, &expr);
    bool everywhere = false;
    bool nowhere = never_here(judged, &expr, &everywhere);
    if (never(judged, &expr, expr.nodes))
        report_warning(checker->report, place, checker->object, "rule: can never be true")->mend =
            effect;
    else if (nowhere)
        report_warning(checker->report, place, checker->object,
                       "rule: is true in no slot of this market")
            ->mend = effect;
    else if (everywhere || always(expr.nodes))
        report_warning(checker->report, place, checker->object, "rule: is true of every contact")
            ->mend = "remove it, or say what was meant";
    else if (leaf != NULL)
        report_warning(checker->report, place, checker->object,
                       "rule: '%.*s' is true of every value that %s may have", leaf->length,
                       rule + (leaf->column > 0 ? leaf->column - 1 : 0),
                       judged->schema->attributes[leaf->attribute].name)
            ->mend = "it only asks that the value is known: write `is not null`, or what was meant";
}

void
warn_rule_all(struct checker *checker)
{
    const struct market *market = checker->market;
    struct expr_schema schema;
    struct judged judged = {
        .checker = checker, .schema = &schema, .arena = arena_open("rules looked at")};
    catalog_schema(market, judged.arena, &schema);
    list_places(&judged);
    judged.count = judged.place_count;
    for (uint32_t i = 0; i < market->seat_count; i++)
        warn_rule(&judged, CATALOG_SEAT_RULE_ADMITS, market->seats[i].rule,
                  market->seats[i].rule_place, "seat", market->seats[i].code,
                  "its messages can never win as it stands");
    judged.count = 1;
    for (uint32_t i = 0; i < market->container_count; i++)
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++, judged.first++) {
            const struct market_slot *slot = &market->containers[i].slots[j];
            warn_rule(&judged, CATALOG_SLOT_RULE_ADMITS, slot->rule, slot->rule_place, "slot",
                      arena_printf(checker->arena, "%s.%s", market->containers[i].code, slot->code),
                      "it stays empty as it stands");
        }
    judged.first = 0;
    judged.count = judged.place_count;
    for (uint32_t i = 0; i < market->message_count; i++)
        warn_rule(&judged, CATALOG_MESSAGE_RULE_ADMITS, market->messages[i].rule,
                  market->messages[i].rule_place, "message", market->messages[i].code,
                  "it can never win as it stands");
    for (uint32_t i = 0; i < market->floor_count; i++)
        warn_rule(&judged, CATALOG_FLOOR_RULE_ADMITS, market->floors[i].when,
                  market->floors[i].when_place, "floor", market->floors[i].code,
                  "this floor never counts as it stands");
    arena_close(judged.arena);
}
