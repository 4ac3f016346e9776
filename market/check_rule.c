// Attributes, rules and declared values: names, types, ranges and words.
//
// The place of an error inside a rule: the rule's first character plus the error's column; in a
// rule of several lines, the line and column within it (a block scalar's lines share one
// indentation).
#include "check_rule.h"

#include <string.h>

#include "catalog.h"
#include "field.h"

static void
check_attribute(struct checker *checker, const struct market_attribute *attribute)
{
    checker->object = arena_printf(checker->arena, "attribute %s", attribute->code);
    bool taken = false;
    for (int i = 0; i < BUILTIN_COUNT && !taken; i++)
        taken = strcmp(catalog_builtins[i].name, attribute->code) == 0;
    if (taken)
        report_error(checker->report, attribute->place, checker->object,
                     "every market has this attribute already")
            ->mend = "remove it, or choose another name";
    else if (!expr_name_allowed(attribute->code, strlen(attribute->code)))
        report_error(checker->report, attribute->place, checker->object,
                     "rules cannot use this name")
            ->mend = "use lower-case letters, digits and '_', a letter first, and no word of SQL";
    bool declared = attribute->of == ATTRIBUTE_OF_SLOT || attribute->of == ATTRIBUTE_OF_MESSAGE;
    if (declared && attribute->consent >= 0)
        report_error(checker->report, attribute->place, checker->object,
                     "consent: an attribute of a %s says nothing about a person",
                     market_attribute_of_name((enum attribute_of)attribute->of))
            ->mend = "remove `consent`";
    if (declared && attribute->privacy == PRIVACY_TRANSIENT)
        report_error(checker->report, attribute->place, checker->object,
                     "privacy: an attribute of a %s is kept",
                     market_attribute_of_name((enum attribute_of)attribute->of))
            ->mend = "write open or host";
}

static void
check_rule(struct checker *checker, struct expr_schema *schema, unsigned admits, const char *rule,
           struct place place)
{
    struct expr expr;
    struct expr_error error;
    size_t len = strlen(rule);
    if (len == 0) return;
    schema->admits = (uint8_t)admits;
    if (expr_compile(rule, len, schema, checker->arena, &expr, &error) == STATUS_OK) return;
    size_t line = 0, at = error.column > 0 ? error.column - 1 : 0;
    if (at > len) at = len;
    for (size_t i = 0; i < at; i++)
        if (rule[i] == '\n') line = i + 1, place.line++;
    place.column += (uint32_t)(at - line);
    struct market_problem *problem = report_error(checker->report, place, checker->object,
                                                  "rule: %s", error.text);
    char show[EXPR_CARET];
    expr_caret(rule, len, &error, show, sizeof show);
    size_t shown = strlen(show);
    while (shown > 0 && show[shown - 1] == '\n') shown--;
    problem->show = arena_text(checker->arena, show, shown);
}

static bool
fits(const struct market_attribute *attribute, const struct market_value *value, const char *item)
{
    switch ((enum attribute_type)attribute->type) {
    case ATTRIBUTE_BOOLEAN:
        return value->count == 1 && (strcmp(item, "true") == 0 || strcmp(item, "false") == 0);
    case ATTRIBUTE_INTEGER: {
        int64_t number;
        return value->count == 1 && field_number(item, strlen(item), &number) &&
               number >= attribute->least && number <= attribute->most;
    }
    case ATTRIBUTE_TEXT:
    case ATTRIBUTE_LIST:
        if (attribute->type == ATTRIBUTE_TEXT && value->count != 1) return false;
        for (uint32_t i = 0; i < attribute->word_count; i++)
            if (strcmp(attribute->words[i], item) == 0) return true;
        return attribute->word_count == 0;
    case ATTRIBUTE_TYPE_COUNT: break;
    }
    return false;
}

static const char *
wanted(const struct checker *checker, const struct market_attribute *attribute, const char *item)
{
    switch ((enum attribute_type)attribute->type) {
    case ATTRIBUTE_BOOLEAN: return "write true or false";
    case ATTRIBUTE_INTEGER:
        if (attribute->least == INT64_MIN && attribute->most == INT64_MAX)
            return "write one whole number";
        return arena_printf(checker->arena, "write one whole number from %lld to %lld",
                            (long long)attribute->least, (long long)attribute->most);
    case ATTRIBUTE_TEXT:
    case ATTRIBUTE_LIST:
    case ATTRIBUTE_TYPE_COUNT: break;
    }
    if (attribute->word_count == 0) return "write one text";
    return report_mean(checker->report, item, attribute->words, attribute->word_count,
                       "use one of the words declared for it");
}

static void
check_values(struct checker *checker, enum attribute_of of, const struct market_value *values,
             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct market_value *value = &values[i];
        const struct market_attribute *attribute = index_find(checker->attributes,
                                                              value->attribute);
        if (attribute == NULL) {
            report_error(checker->report, value->place, checker->object,
                         "values: no attribute '%s'", value->attribute)
                ->mend = report_mean(checker->report, value->attribute, checker->attribute_codes,
                                     checker->market->attribute_count,
                                     "declare it under `attributes`");
            continue;
        }
        if (attribute->of != of) {
            report_error(checker->report, value->place, checker->object,
                         "values: '%s' describes a %s, not a %s", attribute->code,
                         market_attribute_of_name((enum attribute_of)attribute->of),
                         market_attribute_of_name(of))
                ->mend = "remove it here";
            continue;
        }
        for (uint32_t j = 0; j < value->count; j++) {
            if (fits(attribute, value, value->items[j])) continue;
            report_error(checker->report, value->place, checker->object,
                         "values: '%.80s' does not fit %s", value->items[j], attribute->code)
                ->mend = wanted(checker, attribute, value->items[j]);
            break;
        }
    }
}

void
check_rule_all(struct checker *checker)
{
    const struct market *market = checker->market;
    struct expr_schema schema;
    catalog_schema(market, checker->arena, &schema);
    if (market->attribute_count > BOUND_DECLARED)
        report_error(checker->report, market->attributes[0].place, "",
                     "%u attributes, more than %d", market->attribute_count, BOUND_DECLARED)
            ->mend = "join some, as words of one list attribute";
    for (uint32_t i = 0; i < market->attribute_count; i++)
        check_attribute(checker, &market->attributes[i]);
    for (uint32_t i = 0; i < market->seat_count; i++) {
        const struct market_seat *seat = &market->seats[i];
        checker->object = arena_printf(checker->arena, "seat %s", seat->code);
        check_rule(checker, &schema, CATALOG_SEAT_RULE_ADMITS, seat->rule, seat->rule_place);
    }
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        for (uint32_t j = 0; j < container->slot_count; j++) {
            const struct market_slot *slot = &container->slots[j];
            checker->object = arena_printf(checker->arena, "slot %s.%s", container->code,
                                           slot->code);
            check_rule(checker, &schema, CATALOG_SLOT_RULE_ADMITS, slot->rule, slot->rule_place);
            check_values(checker, ATTRIBUTE_OF_SLOT, slot->values, slot->value_count);
        }
    }
    for (uint32_t i = 0; i < market->floor_count; i++) {
        const struct market_rule_floor *floor = &market->floors[i];
        checker->object = arena_printf(checker->arena, "floor %s", floor->code);
        check_rule(checker, &schema, CATALOG_FLOOR_RULE_ADMITS, floor->when, floor->when_place);
    }
    for (uint32_t i = 0; i < market->message_count; i++) {
        const struct market_message *message = &market->messages[i];
        checker->object = arena_printf(checker->arena, "message %s", message->code);
        check_rule(checker, &schema, CATALOG_MESSAGE_RULE_ADMITS, message->rule,
                   message->rule_place);
        check_values(checker, ATTRIBUTE_OF_MESSAGE, message->values, message->value_count);
    }
}
