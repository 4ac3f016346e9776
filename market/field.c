// Typed values out of tree nodes. Amounts and percents are read from the text as it was written; no
// floating point anywhere.
#include "field.h"

#include <stdlib.h>
#include <string.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

static void
misfit(struct reader *reader, const struct tree *node, const char *wanted, const char *example)
{
    const char *key = node->key != NULL ? node->key->text : "value";
    const char *kind = node->kind == TREE_MAP ? "a map" : "a list";
    if (node->kind == TREE_SCALAR)
        report_error(reader->report, node->place, reader->object, "%s: '%.80s' is not %s", key,
                     node->text, wanted)
            ->mend = example;
    else
        report_error(reader->report, node->place, reader->object,
                     "%s: %s stands here instead of %s", key, kind, wanted)
            ->mend = example;
}

static bool
is_null(const struct tree *node)
{
    return node->kind == TREE_SCALAR && node->plain &&
           (node->len == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

bool
field_map(struct reader *reader, const struct tree *node, const char *const *keys)
{
    if (node->kind != TREE_MAP) {
        misfit(reader, node, "a map of `key: value` lines", "");
        return false;
    }
    size_t count = 0;
    while (keys[count] != NULL) count++;
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        size_t i = 0;
        while (i < count && strcmp(keys[i], child->key->text) != 0) i++;
        if (i < count || (reader->stored && strcmp(child->key->text, "id") == 0)) continue;
        struct market_problem *problem = report_error(reader->report, child->key->place,
                                                      reader->object, "unknown key '%.80s'",
                                                      child->key->text);
        const char *nearest = report_nearest(child->key->text, keys, count);
        if (nearest != NULL) {
            problem->mend = arena_printf(reader->arena, "did you mean '%s'?", nearest);
            continue;
        }
        char known[512] = "";
        size_t used = 0;
        for (i = 0; i < count && used + strlen(keys[i]) + 3 < sizeof known; i++)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                                     keys[i]);
        problem->mend = arena_printf(reader->arena, "known here: %s", known);
    }
    return true;
}

const struct tree *
field_get(const struct tree *map, const char *key)
{
    for (const struct tree *child = map->first; child != NULL; child = child->next)
        if (child->key != NULL && strcmp(child->key->text, key) == 0)
            return is_null(child) ? NULL : child;
    return NULL;
}

const struct tree *
field_need(struct reader *reader, const struct tree *map, const char *key, const char *mend)
{
    const struct tree *node = field_get(map, key);
    if (node == NULL) {
        struct place place = map->key != NULL ? map->key->place : map->place;
        report_error(reader->report, place, reader->object, "'%s' is missing", key)->mend = mend;
    }
    return node;
}

// Codes of what seats bring and agree on may hold dots ("grill_house.summer"); "container.slot"
// keeps its own.
static bool
is_code(const char *text, size_t len, bool dots)
{
    if (len == 0 || len > BOUND_CODE) return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool inner = c == '_' || c == '-' || (dots && c == '.');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (inner && i > 0))) return false;
    }
    return true;
}

struct place
field_place(const struct tree *node, struct place fallback)
{
    return node != NULL ? node->place : fallback;
}

static const char code_mend[] =
    "a code is 1 to 48 lower-case letters, digits, '_' and '-', and begins with a letter or digit";

static void
take_item(struct reader *reader, const struct tree *code, const struct tree *body, const char *kind,
          struct index *seen, struct field_items *items)
{
    static const char *const dotted[] = {"message", "contract", "campaign",  "deal",
                                         "cap",     "floor",    "experiment"};
    bool dots = false;
    for (size_t i = 0; i < ARRAY_LENGTH(dotted); i++) dots = dots || strcmp(kind, dotted[i]) == 0;
    if (code->kind != TREE_SCALAR || !is_code(code->text, code->len, dots)) {
        report_error(reader->report, code->place, reader->object, "%s: '%.80s' is not a code", kind,
                     code->kind == TREE_SCALAR ? code->text : "")
            ->mend = code_mend;
        return;
    }
    const struct tree *other = index_put(seen, code->text, code);
    if (other != NULL) {
        report_error(reader->report, code->place, reader->object,
                     "a second %s '%s'; the first is in line %u", kind, code->text,
                     other->place.line)
            ->mend = "give each its own code";
        return;
    }
    items->codes[items->count] = code->text;
    items->bodies[items->count] = body;
    items->places[items->count++] = code->place;
}

struct field_items
field_items(struct reader *reader, const struct tree *map, const char *key, const char *kind,
            uint32_t most)
{
    struct field_items items = {0};
    const struct tree *node = field_get(map, key);
    if (node == NULL) return items;
    if (node->kind == TREE_SCALAR) {
        misfit(reader, node, "a map of codes", "write one `code:` with its lines below it");
        return items;
    }
    if (node->count > most) {
        report_error(reader->report, node->place, reader->object, "%u in '%s', more than %u",
                     node->count, key, most)
            ->mend = "split the market, or remove what is not used";
        return items;
    }
    items.codes = arena_take(reader->arena, node->count + 1, sizeof *items.codes);
    items.bodies = arena_take(reader->arena, node->count + 1, sizeof *items.bodies);
    items.places = arena_take(reader->arena, node->count + 1, sizeof *items.places);
    struct index *seen = index_open(reader->arena);
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        if (node->kind == TREE_MAP) {
            take_item(reader, child->key, child, kind, seen, &items);
            continue;
        }
        const struct tree *code = child->kind == TREE_MAP ? field_get(child, "code") : NULL;
        if (code != NULL) take_item(reader, code, child, kind, seen, &items);
        else
            report_error(reader->report, child->place, reader->object, "a %s without 'code'", kind)
                ->mend = "each entry of this list begins with `code: ...`";
    }
    return items;
}

// A character that no text needs and that YAML, JSON or a terminal would not give back as it was:
// controls but tab and newline, the other line ends of Unicode, byte order marks, non-characters.
static bool
has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char *c = (const unsigned char *)text +
                                 i;  // ends in NUL: c[1], c[2] are there
        if ((c[0] < 0x20 && c[0] != '\t' && c[0] != '\n') || c[0] == 0x7f) return true;
        if (c[0] == 0xc2 && c[1] < 0xa0) return true;
        if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) return true;
        if (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf) return true;
        if (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe) return true;
    }
    return false;
}

const char *
field_text(struct reader *reader, const struct tree *node, size_t most, const char *fallback)
{
    if (node == NULL) return fallback;
    if (node->kind != TREE_SCALAR) {
        misfit(reader, node, "a text", "");
        return fallback;
    }
    if (node->len > most) {
        report_error(reader->report, node->place, reader->object, "%s: %zu bytes, more than %zu",
                     node->key != NULL ? node->key->text : "text", node->len, most)
            ->mend = "shorten it";
        return fallback;
    }
    if (has_control(node->text, node->len)) {
        report_error(reader->report, node->place, reader->object, "%s: a control character in it",
                     node->key != NULL ? node->key->text : "text")
            ->mend = "write letters, digits, signs and blanks only";
        return fallback;
    }
    return node->text;
}

const char *
field_code(struct reader *reader, const struct tree *node)
{
    if (node == NULL) return "";
    if (node->kind == TREE_SCALAR && is_code(node->text, node->len, false)) return node->text;
    misfit(reader, node, "a code", code_mend);
    return "";
}

bool
field_flag(struct reader *reader, const struct tree *node, bool fallback)
{
    if (node == NULL) return fallback;
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
    for (size_t i = 0; node->kind == TREE_SCALAR && i < ARRAY_LENGTH(yes); i++) {
        if (strcmp(node->text, yes[i]) == 0) return true;
        if (strcmp(node->text, no[i]) == 0) return false;
    }
    misfit(reader, node, "yes or no", "write true or false");
    return fallback;
}

bool
field_money(struct reader *reader, const struct tree *node, money *out_amount)
{
    *out_amount = money_of(0);
    if (node == NULL) return false;
    money amount = money_of(0);
    enum status status = node->kind == TREE_SCALAR ? money_parse(node->text, node->len, &amount)
                                                   : STATUS_INPUT;
    if (status == STATUS_OVERFLOW) {
        misfit(reader, node, "an amount that fits", "the largest single amount is 1000000000");
        return false;
    }
    if (status != STATUS_OK) {
        misfit(reader, node, "an amount",
               "write digits with a point and at most six decimals, as 0.125");
        return false;
    }
    if (amount.micros < 0) {
        misfit(reader, node, "an amount of zero or more", "remove the minus sign");
        return false;
    }
    *out_amount = amount;
    return true;
}

bool
field_number(const char *text, size_t len, int64_t *out_value)
{
    size_t i = len > 0 && text[0] == '-' ? 1 : 0;
    bool negative = i == 1;
    if (i == len) return false;
    int64_t value = 0;  // kept negative, so that the least number fits too
    for (; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text[i] - '0', &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value)) return false;
    *out_value = value;
    return true;
}

int64_t
field_integer(struct reader *reader, const struct tree *node, int64_t least, int64_t most,
              int64_t fallback)
{
    if (node == NULL) return fallback;
    int64_t value = 0;
    if (node->kind != TREE_SCALAR || !field_number(node->text, node->len, &value)) {
        misfit(reader, node, "a whole number", "write digits only");
        return fallback;
    }
    if (value < least || value > most) {
        misfit(reader, node, "in range",
               arena_printf(reader->arena, "use %lld to %lld", (long long)least, (long long)most));
        return fallback;
    }
    return value;
}

uint32_t
field_seconds(struct reader *reader, const struct tree *node, uint32_t fallback)
{
    if (node == NULL) return fallback;
    static const char units[] = "smhdw";
    static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};
    int64_t value = 0;
    if (node->kind == TREE_SCALAR && node->len >= 2 &&
        field_number(node->text, node->len - 1, &value)) {
        const char *unit = strchr(units, node->text[node->len - 1]);
        if (unit != NULL && value > 0 && value <= INT64_C(63072000) / seconds[unit - units])
            return (uint32_t)value * seconds[unit - units];
    }
    misfit(reader, node, "a time span", "write 30s, 20m, 2h, 10d or 4w; at most two years");
    return fallback;
}

usec
field_time(struct reader *reader, const struct tree *node)
{
    usec at = {0};
    if (node == NULL) return at;
    if (node->kind == TREE_SCALAR && clock_parse(node->text, node->len, &at) == STATUS_OK &&
        at.us > 0)
        return at;
    misfit(reader, node, "a date or time", "write 2026-11-30 or 2026-11-30T18:00:00Z");
    return (usec){0};
}

uint32_t
field_percent(struct reader *reader, const struct tree *node)
{
    if (node == NULL) return 0;
    money number;
    // A percent with at most four decimals is a whole number of parts per million: micros / 100.
    if (node->kind == TREE_SCALAR && node->len >= 2 && node->text[node->len - 1] == '%' &&
        money_parse(node->text, node->len - 1, &number) == STATUS_OK && number.micros > 0 &&
        number.micros <= 100 * (int64_t)MONEY_PPM && number.micros % 100 == 0)
        return (uint32_t)(number.micros / 100);
    misfit(reader, node, "a percentage",
           "write 12.5%, above 0% and up to 100%, with at most four decimals");
    return 0;
}
