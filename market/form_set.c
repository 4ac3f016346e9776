// Values of objects: amounts, times and spans are texts, written so that the reader gives back the
// same number.
#include "form_set.h"

#include <string.h>

#include "fail.h"
#include "word.h"

void
form_set(json_t *object, const char *key, json_t *value)
{
    CHECK(value != NULL && json_object_set_new(object, key, value) == 0);
}

void
form_set_text(json_t *object, const char *key, const char *text)
{
    form_set(object, key, json_string(text));
}

void
form_set_money(json_t *object, const char *key, money amount)
{
    char text[MONEY_TEXT];
    money_format(amount, 2, text);
    form_set_text(object, key, text);
}

void
form_set_time(json_t *object, const char *key, usec at, enum form_detail detail)
{
    char text[CLOCK_TEXT];
    if (at.us == 0) return;
    clock_format(at, text);
    if (detail == FORM_BRIEF && at.us % USEC_DAY == 0) text[strlen("2026-01-01")] = '\0';
    form_set_text(object, key, text);
}

void
form_set_seconds(json_t *object, const char *key, uint32_t seconds)
{
    static const struct {
        uint32_t seconds;
        char unit;
    } units[] = {{604800, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds % units[i].seconds != 0) continue;
        form_set(object, key, json_sprintf("%u%c", seconds / units[i].seconds, units[i].unit));
        return;
    }
}

void
form_set_words(json_t *object, const char *key, uint16_t mask, const char *(*name)(int), int count)
{
    json_t *words = json_array();
    for (int i = 0; i < count; i++)
        if ((mask & 1u << i) != 0) CHECK(json_array_append_new(words, json_string(name(i))) == 0);
    form_set(object, key, words);
}

// Rungs for people: [1-5, 8].
void
form_set_rungs(json_t *object, const char *key, uint16_t mask)
{
    json_t *ranges = json_array();
    for (int i = 0; i < RUNG_COUNT; i++) {
        int last = i;
        if ((mask & 1u << i) == 0) continue;
        while (last + 1 < RUNG_COUNT && (mask & 1u << (last + 1)) != 0) last++;
        json_t *range = last == i ? json_integer(i + 1) : json_sprintf("%d-%d", i + 1, last + 1);
        CHECK(json_array_append_new(ranges, range) == 0);
        i = last;
    }
    form_set(object, key, ranges);
}

void
form_set_texts(json_t *object, const char *key, const char *const *texts, uint32_t count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        CHECK(json_array_append_new(list, json_string(texts[i])) == 0);
    form_set(object, key, list);
}

void
form_set_values(json_t *object, const struct market_value *values, uint32_t count)
{
    if (count == 0) return;
    json_t *map = json_object();
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].count == 1) form_set_text(map, values[i].attribute, values[i].items[0]);
        else form_set_texts(map, values[i].attribute, values[i].items, values[i].count);
    }
    form_set(object, "values", map);
}

// A named object: code, and its name unless it is the code again.
json_t *
form_set_named(const char *code, const char *name, enum form_detail detail)
{
    json_t *object = json_object();
    form_set_text(object, "code", code);
    if (detail == FORM_FULL || strcmp(code, name) != 0) form_set_text(object, "name", name);
    return object;
}

void
form_set_percent(json_t *object, const char *key, uint32_t ppm)
{
    char percent[MONEY_TEXT];
    money_format(money_of((int64_t)ppm * 100), 0, percent);
    form_set(object, key, json_sprintf("%s%%", percent));
}

void
form_set_budget(json_t *object, const struct market_budget *budget)
{
    if (!budget->has_total && !budget->has_daily) return;
    if (!budget->has_daily && budget->pacing == PACING_ASAP) {
        form_set_money(object, "budget", budget->total);
        return;
    }
    json_t *map = json_object();
    if (budget->has_total) form_set_money(map, "total", budget->total);
    if (budget->has_daily) form_set_money(map, "daily", budget->daily);
    if (budget->pacing != PACING_ASAP) form_set_text(map, "pacing", word_pacing(budget->pacing));
    form_set(object, "budget", map);
}
