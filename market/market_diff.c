// Two markets compared object by object, field by field, on their full form (form.c).
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "form.h"
#include "index.h"

struct difference {
    struct arena *arena;
    struct market_change *changes;
    uint32_t count, room;
};

static struct market_change *
add(struct difference *difference, char sign, const struct form *form, const char *text)
{
    if (difference->count == difference->room) {
        uint32_t room = difference->room == 0 ? 64 : difference->room * 2;
        struct market_change *changes = arena_take(difference->arena, room, sizeof *changes);
        if (difference->count > 0)
            memcpy(changes, difference->changes, difference->count * sizeof *changes);
        difference->changes = changes;
        difference->room = room;
    }
    struct market_change *change = &difference->changes[difference->count++];
    *change = (struct market_change){.sign = sign, .text = text};
    change->object = strcmp(form->kind, "market") == 0
                         ? "market"
                         : arena_printf(difference->arena, "%s %s", form->kind, form->code);
    return change;
}

// A value as people read it: "0.12", "[upgrade, expand]", "{rung: affiliation, price: 0.25}",
// "none".
static size_t
render(const json_t *value, char *out, size_t size)
{
    size_t used = 0, index;
    const char *key;
    json_t *item;
#define PUT(...)                                                                           \
    do {                                                                                   \
        int len = snprintf(used < size ? out + used : NULL, used < size ? size - used : 0, \
                           __VA_ARGS__);                                                   \
        CHECK(len >= 0);                                                                   \
        used += (size_t)len;                                                               \
    } while (0)
#define PUT_VALUE(inner) \
    used += render(inner, used < size ? out + used : NULL, used < size ? size - used : 0)
    if (value == NULL) PUT("none");
    else if (json_is_string(value))
        PUT("%s", json_string_length(value) > 0 ? json_string_value(value) : "none");
    else if (json_is_integer(value)) PUT("%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value)) PUT("%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value)) {
        PUT("[");
        json_array_foreach(value, index, item)
        {
            if (index > 0) PUT(", ");
            PUT_VALUE(item);
        }
        PUT("]");
    } else if (json_is_object(value)) {
        PUT("{");
        bool first = true;
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            PUT("%s%s: ", first ? "" : ", ", key);
            PUT_VALUE(item);
            first = false;
        }
        PUT("}");
    }
#undef PUT
#undef PUT_VALUE
    return used;
}

static const char *
rendered(struct arena *arena, const json_t *value)
{
    size_t len = render(value, NULL, 0);
    char *text = arena_take(arena, len + 1, 1);
    render(value, text, len + 1);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\n') text[i] = ' ';
    return text;
}

// Why a change must not be applied; NULL when it may.
static const char *
refusal(const struct form *form, const char *key)
{
    if (strcmp(form->kind, "market") == 0 && strcmp(key, "currency") == 0)
        return "a market keeps its currency: its books are kept in it";
    if (strcmp(form->kind, "seat") == 0 && strcmp(key, "kind") == 0)
        return "a seat stays what it is: its accounts were opened as such; declare a new seat";
    if (strcmp(form->kind, "message") == 0 && strcmp(key, "seat") == 0)
        return "a message stays with its seat: its bids are that seat's; declare a new message";
    if (strcmp(form->kind, "campaign") == 0 && strcmp(key, "seat") == 0)
        return "a campaign stays with its seat: what it spent is that seat's; declare a new one";
    if (strcmp(form->kind, "experiment") == 0 &&
        (strcmp(key, "where") == 0 || strcmp(key, "share") == 0 || strcmp(key, "change") == 0))
        return "an experiment is judged by what it tried all along; declare a new one";
    return NULL;
}

static void
compare_field(struct difference *difference, const struct form *form, const char *key,
              const json_t *before, const json_t *after)
{
    const char *why = refusal(form, key);
    const char *text = arena_printf(
        difference->arena, "%s %s -> %s%s%s", key, rendered(difference->arena, before),
        rendered(difference->arena, after), why != NULL ? "; " : "", why != NULL ? why : "");
    add(difference, '~', form, text)->refused = why != NULL;
}

static void
compare_object(struct difference *difference, const struct form *before, const struct form *after)
{
    const char *key;
    json_t *value;
    json_object_foreach(after->value, key, value)
    {
        const json_t *old = json_object_get(before->value, key);
        if (old == NULL || !json_equal(old, value))
            compare_field(difference, after, key, old, value);
    }
    json_object_foreach(before->value, key, value) if (json_object_get(after->value, key) == NULL)
        compare_field(difference, after, key, value, NULL);
}

static const char *
name_of(struct arena *arena, const struct form *form)
{
    if (strcmp(form->kind, "market") == 0) return "market";
    return arena_printf(arena, "%s %s", form->kind, form->code);
}

void
market_diff(const struct market *before, const struct market *after, struct arena *arena,
            struct market_change **out_changes, uint32_t *out_count)
{
    struct difference difference = {.arena = arena};
    struct form *old = NULL, *new;
    uint32_t old_count = 0, new_count;
    if (before != NULL) form_list(before, FORM_FULL, arena, &old, &old_count);
    form_list(after, FORM_FULL, arena, &new, &new_count);
    struct index *known = index_open(arena), *kept = index_open(arena);
    for (uint32_t i = 0; i < old_count; i++) index_put(known, name_of(arena, &old[i]), &old[i]);
    for (uint32_t i = 0; i < new_count; i++) {
        const char *name = name_of(arena, &new[i]);
        const struct form *was = index_find(known, name);
        index_put(kept, name, &new[i]);
        if (was == NULL) add(&difference, '+', &new[i], "new");
        else compare_object(&difference, was, &new[i]);
    }
    for (uint32_t i = 0; i < old_count; i++)
        if (index_find(kept, name_of(arena, &old[i])) == NULL)
            add(&difference, '-', &old[i], "removed");
    if (before != NULL && strcmp(before->code, after->code) != 0)
        add(&difference, '~', &new[0], "this is another market; its code never changes")->refused =
            true;
    form_free(old, old_count);
    form_free(new, new_count);
    *out_changes = difference.changes;
    *out_count = difference.count;
}
