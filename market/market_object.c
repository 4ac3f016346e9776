// Objects to bodies and back. A body is canonical JSON (sorted keys, no blanks), so equal objects
// have equal bytes. Back: the bodies, each with its id put in front, are joined into one JSON
// document that the reader of the market file reads; there is one parser.
#include "market_file.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "form.h"
#include "report.h"

void
market_object_list(const struct market *market, struct arena *arena,
                   struct market_object **out_objects, uint32_t *out_count)
{
    struct form *forms;
    uint32_t count;
    form_list(market, FORM_FULL, arena, &forms, &count);
    struct market_object *objects = arena_take(arena, count, sizeof *objects);
    for (uint32_t i = 0; i < count; i++) {
        char *body = json_dumps(forms[i].value, JSON_SORT_KEYS | JSON_COMPACT);
        CHECK(body != NULL);
        objects[i] = (struct market_object){forms[i].kind, forms[i].id, forms[i].code,
                                            arena_text(arena, body, strlen(body))};
        free(body);
    }
    form_free(forms, count);
    *out_objects = objects;
    *out_count = count;
}

static const struct section {
    const char *kind, *key;
} sections[] = {
    {"market", "market"},      {"attribute", "attributes"}, {"touchpoint", "touchpoints"},
    {"seat", "seats"},         {"container", "containers"}, {"slot", "slots"},
    {"campaign", "campaigns"}, {"floor", "floors"},         {"message", "messages"},
    {"cap", "caps"},           {"deal", "deals"},           {"experiment", "experiments"},
    {"contract", "contracts"}};
#define SECTIONS (sizeof sections / sizeof *sections)

static size_t
section_of(const char *kind)
{
    size_t i = 0;
    while (i < SECTIONS && strcmp(sections[i].kind, kind) != 0) i++;
    return i;
}

static int
by_section_and_id(const void *a, const void *b)
{
    const struct market_object *x = *(const struct market_object *const *)a;
    const struct market_object *y = *(const struct market_object *const *)b;
    size_t i = section_of(x->kind), j = section_of(y->kind);
    if (i != j) return i < j ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

// "market":{"id":1,...},"seats":[{"id":1,...},...],...
static char *
join(const struct market_object **sorted, uint32_t count, struct arena *arena, size_t *out_len)
{
    size_t room = 64 * SECTIONS;
    for (uint32_t i = 0; i < count; i++) room += strlen(sorted[i]->body) + 24;
    char *text = arena_take(arena, room, 1), *end = text;
    *end++ = '{';
    size_t open = SECTIONS;
    for (uint32_t i = 0; i < count; i++) {
        size_t section = section_of(sorted[i]->kind);
        bool first = section != open;
        if (first && open != SECTIONS) end += sprintf(end, "%s,", open > 0 ? "]" : "");
        if (first) end += sprintf(end, "\"%s\":%s", sections[section].key, section > 0 ? "[" : "");
        else *end++ = ',';
        open = section;
        end += sprintf(end, "{\"id\":%u,%s\n", sorted[i]->id, sorted[i]->body + 1);
    }
    if (open != SECTIONS && open > 0) *end++ = ']';
    *end++ = '}';
    *out_len = (size_t)(end - text);
    CHECK(*out_len < room);
    return text;
}

enum status
market_object_load(const struct market_object *objects, uint32_t count, struct arena *arena,
                   struct market_report *report, struct market **out_market)
{
    const struct market_object **sorted = arena_take(arena, count + 1, sizeof *sorted);
    *out_market = NULL;
    if (report->arena == NULL) report->arena = arena;
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = &objects[i];
        if (section_of(objects[i].kind) < SECTIONS && objects[i].id > 0 &&
            objects[i].body[0] == '{')
            continue;
        struct market_problem *problem = report_error(report, (struct place){0, 0}, "",
                                                      "%s %s: its stored body cannot be read",
                                                      objects[i].kind, objects[i].code);
        problem->mend = "it was written by another version of this program";
        return STATUS_INPUT;
    }
    qsort(sorted, count, sizeof *sorted, by_section_and_id);
    size_t len;
    char *text = join(sorted, count, arena, &len);
    return market_file_load(text, len, arena, report, out_market);
}

void
market_object_number(struct market *market)
{
    uint32_t slots = 0;
    for (uint32_t i = 0; i < market->attribute_count; i++) market->attributes[i].id = i + 1;
    for (uint32_t i = 0; i < market->touchpoint_count; i++) market->touchpoints[i].id = i + 1;
    for (uint32_t i = 0; i < market->seat_count; i++) market->seats[i].id = i + 1;
    for (uint32_t i = 0; i < market->container_count; i++) {
        market->containers[i].id = i + 1;
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++)
            market->containers[i].slots[j].id = ++slots;
    }
    for (uint32_t i = 0; i < market->message_count; i++) market->messages[i].id = i + 1;
    for (uint32_t i = 0; i < market->contract_count; i++) market->contracts[i].id = i + 1;
    for (uint32_t i = 0; i < market->campaign_count; i++) market->campaigns[i].id = i + 1;
    for (uint32_t i = 0; i < market->floor_count; i++) market->floors[i].id = i + 1;
    for (uint32_t i = 0; i < market->cap_count; i++) market->caps[i].id = i + 1;
    for (uint32_t i = 0; i < market->deal_count; i++) market->deals[i].id = i + 1;
    for (uint32_t i = 0; i < market->experiment_count; i++) market->experiments[i].id = i + 1;
}
