// Market to YAML for people: brief forms (form.c), one blank line between objects, lists of words
// and small maps on one line. Reads back to the same market; a test says so.
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "form.h"

struct writer {
    char *text;
    size_t len, room;
    struct arena *arena;
};

static void
put(struct writer *writer, const char *text, size_t len)
{
    if (writer->len + len + 1 > writer->room) {
        size_t room = writer->room * 2 + len + 1;
        char *larger = arena_take(writer->arena, room, 1);
        if (writer->len > 0) memcpy(larger, writer->text, writer->len);
        writer->text = larger;
        writer->room = room;
    }
    memcpy(writer->text + writer->len, text, len);
    writer->len += len;
    writer->text[writer->len] = '\0';
}

static void
put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void
put_indent(struct writer *writer, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) put_text(writer, "  ");
}

// May stand without quotes: nothing in it that YAML or our reader takes for something else.
static bool
is_plain(const char *text, bool flow)
{
    static const char *const nulls[] = {"", "~", "null"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(text, nulls[i]) == 0) return false;
    size_t len = strlen(text);
    if (strchr("-?:,[]{}#&*!|>'\"%@` =<", text[0]) != NULL &&
        !(text[0] == '-' && text[1] >= '0' && text[1] <= '9'))
        return false;
    if (text[len - 1] == ' ' || text[len - 1] == ':') return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f || c >= 0x80) return false;
        if (c == ':' && text[i + 1] == ' ') return false;
        if (c == '#' && i > 0 && text[i - 1] == ' ') return false;
        if (flow && strchr(",[]{}:", c) != NULL) return false;
    }
    return strncmp(text, "---", 3) != 0 && strncmp(text, "...", 3) != 0;
}

static void
put_quoted(struct writer *writer, const char *text)
{
    put_text(writer, "\"");
    for (; *text != '\0'; text++) {
        char escape[8];
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') snprintf(escape, sizeof escape, "\\%c", c);
        else if (c == '\n') snprintf(escape, sizeof escape, "\\n");
        else if (c < 0x20 || c == 0x7f) snprintf(escape, sizeof escape, "\\x%02x", c);
        else snprintf(escape, sizeof escape, "%c", c);
        put_text(writer, escape);
    }
    put_text(writer, "\"");
}

// A text of several lines as a block, when its lines survive that.
static bool
is_block(const char *text)
{
    if (strchr(text, '\n') == NULL || strchr(" \n", text[0]) != NULL ||
        text[strlen(text) - 1] == '\n')
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if ((byte < 0x20 && byte != '\n') || byte >= 0x7f) return false;
    }
    return true;
}

static void
put_scalar(struct writer *writer, const json_t *value, unsigned depth, bool flow)
{
    char number[32];
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        put_text(writer, number);
        return;
    }
    const char *text = json_is_boolean(value) ? (json_is_true(value) ? "true" : "false")
                                              : json_string_value(value);
    CHECK(text != NULL);
    if (!flow && is_block(text)) {
        put_text(writer, "|-");
        while (*text != '\0') {
            size_t len = strcspn(text, "\n");
            put_text(writer, "\n");
            if (len > 0) put_indent(writer, depth);
            put(writer, text, len);
            text += len + (text[len] == '\n');
        }
    } else if (is_plain(text, flow)) {
        put_text(writer, text);
    } else {
        put_quoted(writer, text);
    }
}

static void
put_flow(struct writer *writer, const json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_array(value)) {
        put_text(writer, "[");
        json_array_foreach(value, i, item)
        {
            if (i > 0) put_text(writer, ", ");
            put_flow(writer, item);
        }
        put_text(writer, "]");
    } else if (json_is_object(value)) {
        bool first = true;
        put_text(writer, "{");
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            if (!first) put_text(writer, ", ");
            first = false;
            put_text(writer, key);
            put_text(writer, ": ");
            put_flow(writer, item);
        }
        put_text(writer, "}");
    } else {
        put_scalar(writer, value, 0, true);
    }
}

static void
put_map(struct writer *writer, const json_t *map, unsigned depth)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        put_indent(writer, depth);
        put_text(writer, key);
        put_text(writer, ":");
        if (json_is_object(value)) {
            put_text(writer, "\n");
            put_map(writer, value, depth + 1);
        } else if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
            size_t i;
            json_t *item;
            json_array_foreach(value, i, item)
            {
                put_text(writer, "\n");
                put_indent(writer, depth + 1);
                put_text(writer, "- ");
                put_flow(writer, item);
            }
            put_text(writer, "\n");
        } else {
            put_text(writer, " ");
            if (json_is_array(value)) put_flow(writer, value);
            else put_scalar(writer, value, depth + 1, false);
            put_text(writer, "\n");
        }
    }
}

static void
put_object(struct writer *writer, const struct form *form)
{
    put_indent(writer, 1);
    put_text(writer, form->code);
    put_text(writer, ":");
    json_object_del(form->value, "code");
    if (strcmp(form->kind, "touchpoint") == 0) {
        put_text(writer, " ");
        put_scalar(writer, json_object_get(form->value, "name"), 2, false);
        put_text(writer, "\n");
    } else if (strcmp(form->kind, "attribute") == 0) {
        put_text(writer, " ");
        put_flow(writer, form->value);
        put_text(writer, "\n");
    } else {
        put_text(writer, "\n");
        put_map(writer, form->value, 2);
    }
}

const char *
market_file_write(const struct market *market, struct arena *arena, size_t *out_len)
{
    struct writer writer = {.arena = arena};
    struct form *forms;
    uint32_t count;
    const char *kind = "";
    form_list(market, FORM_BRIEF, arena, &forms, &count);
    for (uint32_t i = 0; i < count; i++) {
        bool new = strcmp(forms[i].kind, kind) != 0;
        bool line = strcmp(forms[i].kind, "attribute") == 0 ||
                    strcmp(forms[i].kind, "touchpoint") == 0;
        if (i > 0 && (new || !line)) put_text(&writer, "\n");
        kind = forms[i].kind;
        if (new) {
            put_text(&writer, kind);
            put_text(&writer, i > 0 ? "s:\n" : ":\n");
        }
        if (i == 0) put_map(&writer, forms[i].value, 1);
        else put_object(&writer, &forms[i]);
    }
    form_free(forms, count);
    *out_len = writer.len;
    return writer.text;
}
