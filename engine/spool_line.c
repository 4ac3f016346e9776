// Lines are put together by hand: the values of attributes are words, numbers and booleans, and
// names are letters. Formats: engine/spool.c.
#include "spool_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "fail.h"

void
spool_line_open(struct spool_line *line)
{
    *line = (struct spool_line){.room = 4096};
    line->text = malloc(line->room);
    CHECK(line->text != NULL);
}

void
spool_line_close(struct spool_line *line)
{
    free(line->text);
}

static void __attribute__((format(printf, 2, 3)))
add(struct spool_line *line, const char *format, ...)
{
    for (;;) {
        va_list arguments;
        size_t room = line->room - line->len;
        va_start(arguments, format);
        int len = vsnprintf(line->text + line->len, room, format, arguments);
        va_end(arguments);
        CHECK(len >= 0);
        if ((size_t)len < room) {
            line->len += (size_t)len;
            return;
        }
        line->room = 2 * line->room + (size_t)len;
        line->text = realloc(line->text, line->room);
        CHECK(line->text != NULL);
    }
}

// What comes several times a line: printf would cost ten times as much.
static void
add_bytes(struct spool_line *line, const void *bytes, size_t len)
{
    if (line->room - line->len <= len) {
        line->room = 2 * line->room + len;
        line->text = realloc(line->text, line->room);
        CHECK(line->text != NULL);
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
    line->text[line->len] = '\0';
}

static void
add_string(struct spool_line *line, const char *text)
{
    add_bytes(line, text, strlen(text));
}

static void
add_integer(struct spool_line *line, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) digits[--at] = '-';
    add_bytes(line, digits + at, sizeof digits - at);
}

static void
add_text(struct spool_line *line, const uint8_t *text, size_t len)
{
    add_string(line, "\"");
    for (size_t i = 0; i < len; i++) {
        size_t plain = i;
        while (plain < len && text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\')
            plain++;
        if (plain > i) add_bytes(line, text + i, plain - i);
        if (plain < len) add(line, "\\u%04x", text[plain]);
        i = plain;
    }
    add_string(line, "\"");
}

// Walks a record that the edge encoded: whole by construction.
struct walk {
    const uint8_t *at;
};
static void
take(struct walk *walk, void *out, size_t len)
{
    memcpy(out, walk->at, len);
    walk->at += len;
}

static void
add_word(struct spool_line *line, struct walk *walk)
{
    uint16_t len;
    take(walk, &len, sizeof len);
    if (len == SPOOL_OTHER) {
        add_string(line, "null");
        return;
    }
    add_text(line, walk->at, len);
    walk->at += len;
}

static void
add_attribute(struct spool_line *line, struct walk *walk)
{
    uint8_t head[2];
    int64_t value;
    take(walk, head, sizeof head);
    add_string(line, "\"");
    add_bytes(line, walk->at, head[1]);
    add_string(line, "\":");
    walk->at += head[1];
    switch ((enum attribute_type)head[0]) {
    case ATTRIBUTE_BOOLEAN:
        take(walk, &value, sizeof value);
        add_string(line, value != 0 ? "true" : "false");
        break;
    case ATTRIBUTE_INTEGER:
        take(walk, &value, sizeof value);
        add_integer(line, value);
        break;
    case ATTRIBUTE_TEXT: add_word(line, walk); break;
    case ATTRIBUTE_LIST: {
        uint16_t count;
        take(walk, &count, sizeof count);
        add_string(line, "[");
        for (uint16_t i = 0; i < count; i++) {
            if (i > 0) add_string(line, ",");
            add_word(line, walk);
        }
        add_string(line, "]");
        break;
    }
    case ATTRIBUTE_TYPE_COUNT: break;
    }
}

static void
add_attributes(struct spool_line *line, const struct spool_record *head, struct walk *walk)
{
    add_string(line, "\"attr\":{");
    for (uint16_t i = 0; i < head->attributes; i++) {
        if (i > 0) add_string(line, ",");
        add_attribute(line, walk);
    }
    add_string(line, "}");
}

static void
add_live(struct spool_line *line, const struct spool_record *head, struct walk *walk)
{
    for (uint16_t i = 0; i < head->live; i++) {
        struct spool_bid bid;
        take(walk, &bid, sizeof bid);
        add(line,
            "%s{\"bid\":\"%016llx\",\"seat\":%u,\"message\":%u,\"slot\":%u,\"kind\":\"%s\","
            "\"price\":%lld,\"group\":%u}",
            i == 0 ? ",\"live\":[" : ",", (unsigned long long)bid.bid, bid.seat, bid.message,
            bid.slot, price_kind_name((enum price_kind)bid.kind), (long long)bid.price, bid.group);
    }
    if (head->live > 0) add_string(line, "]");
}

void
spool_line_inputs(struct spool_line *line, const uint8_t *record)
{
    struct spool_record head;
    struct walk walk = {record};
    char id[ID_TEXT];
    take(&walk, &head, sizeof head);
    walk.at += head.container_len;
    id_format(head.id, id);
    line->len = 0;
    add_string(line, "{\"contact\":\"");
    add_string(line, id);
    add_string(line, "\",\"at_us\":");
    add_integer(line, head.at_us);
    add_string(line, ",");
    add_attributes(line, &head, &walk);
    add_live(line, &head, &walk);
    add_string(line, "}");
}

void
spool_line_sample(struct spool_line *line, const uint8_t *record, const char *hour)
{
    struct spool_record head;
    struct walk walk = {record};
    take(&walk, &head, sizeof head);
    line->len = 0;
    add(line,
        "{\"hour\":\"%s:00:00Z\",\"container\":\"%.*s\",\"identity\":\"%s\",\"tier\":\"%s\","
        "\"loyalty\":\"%s\",\"condition\":\"%s\",\"consent\":[",
        hour, head.container_len, (const char *)walk.at,
        identity_name((enum identity)head.identity), tier_name((enum tier)head.tier),
        loyalty_name((enum loyalty)head.loyalty), condition_name((enum condition)head.condition));
    walk.at += head.container_len;
    const char *comma = "";
    for (unsigned i = 0; i < CONSENT_COUNT; i++) {
        if ((head.consent >> i & 1) == 0) continue;
        add(line, "%s\"%s\"", comma, consent_name((enum consent)i));
        comma = ",";
    }
    add(line, "],");
    add_attributes(line, &head, &walk);
    add_string(line, "}");
}
