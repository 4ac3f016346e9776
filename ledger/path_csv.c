// Reads a path table from CSV, a line at a time, in memory of one line.
//
//  1 A header names the columns; each row has as many fields. Fields may be quoted as in RFC 4180,
//    but stay on one line. Lines end in LF or CRLF, the last one may have no end; empty lines and a
//    byte order mark are passed over.
//  2 Numbers are plain decimals of at least 0, below 10^15; an empty null count or value is 0.
//  3 Touches are joined by " > "; blanks around a name do not count. With time decay each is
//    name@days-before.
//  4 What is wrong is told with its line, and ends the reading: a table is taken whole or not at
//    all.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "path_inside.h"

enum { COLUMN_PATH, COLUMN_CONVERSIONS, COLUMN_NULLS, COLUMN_VALUE, COLUMN_CASE, COLUMN_COUNT };
#define FIELDS 16
static const char *const column_names[COLUMN_COUNT] = {"path", "conversions", "nulls", "value",
                                                       "case"};

struct reader {
    struct path_model *model;
    struct path_fault *fault;
    int descriptor;
    char *buffer;  // PATH_LINE + 2 bytes
    size_t from, until;
    bool over;
    uint64_t line;
    int at[COLUMN_COUNT];  // field of each column; -1 none
    unsigned fields;
    uint32_t *touches;  // PATH_LENGTH
    double *days;
};
struct field {
    char *text;
    size_t len;
};

static enum status __attribute__((format(printf, 2, 3)))
wrong(struct reader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->fault->text, sizeof reader->fault->text, format, arguments);
    va_end(arguments);
    reader->fault->line = reader->line;
    return STATUS_INPUT;
}

// The next line without its end. STATUS_NOT_FOUND: there is none.
static enum status
next_line(struct reader *reader, char **out_line, size_t *out_len)
{
    size_t searched = 0;
    for (;;) {
        char *line = reader->buffer + reader->from;
        size_t held = reader->until - reader->from;
        char *end = held > searched ? memchr(line + searched, '\n', held - searched) : NULL;
        if (end == NULL && !reader->over) {
            searched = held;
            if (held > PATH_LINE) {
                reader->line++;
                return wrong(reader, "the line is longer than %d bytes", PATH_LINE);
            }
            memmove(reader->buffer, line, held);
            reader->from = 0;
            reader->until = held;
            ssize_t got = read(reader->descriptor, reader->buffer + held, PATH_LINE + 1 - held);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return STATUS_IO;
            if (got == 0) reader->over = true;
            reader->until += (size_t)got;
            continue;
        }
        if (end == NULL && held == 0) return STATUS_NOT_FOUND;
        size_t len = end ? (size_t)(end - line) : held;
        reader->from += len + (end != NULL);
        reader->line++;
        if (len > 0 && line[len - 1] == '\r') len--;
        if (memchr(line, '\0', len)) return wrong(reader, "a NUL byte; save the table as text");
        line[len] = '\0';  // where its end was, or behind all that was read
        *out_line = line;
        *out_len = len;
        return STATUS_OK;
    }
}

// Rule 1. Quotes are taken off in place.
static enum status
split_fields(struct reader *reader, char *line, struct field out[FIELDS], unsigned *out_count)
{
    unsigned count = 0;
    char *at = line;
    for (;;) {
        if (count == FIELDS) return wrong(reader, "more than %d fields", FIELDS);
        struct field *field = &out[count++];
        *field = (struct field){.text = at};
        if (*at == '"') {
            char *to = at++;
            for (; *at != '\0' && (*at != '"' || at[1] == '"'); at++) {
                if (*at == '"') at++;
                *to++ = *at;
            }
            if (*at == '\0') return wrong(reader, "a quote is opened and not closed on its line");
            at++;
            field->len = (size_t)(to - field->text);
            if (*at != ',' && *at != '\0')
                return wrong(reader, "a quoted field goes on behind its quote; double the quotes "
                                     "inside it");
        } else {
            size_t len = strcspn(at, ",");
            field->len = len;
            at += len;
        }
        char end = *at;
        field->text[field->len] = '\0';
        if (end == '\0') break;
        at++;
    }
    *out_count = count;
    return STATUS_OK;
}

static void
trim(char **text, size_t *len)
{
    while (*len > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t')) (*len)--;
}

static enum status
read_header(struct reader *reader, char *line)
{
    struct field fields[FIELDS];
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) line += 3;
    enum status status = split_fields(reader, line, fields, &reader->fields);
    if (status != STATUS_OK) return status;
    for (int c = 0; c < COLUMN_COUNT; c++) reader->at[c] = -1;
    for (unsigned i = 0; i < reader->fields; i++) {
        int column = 0;
        trim(&fields[i].text, &fields[i].len);
        fields[i].text[fields[i].len] = '\0';
        while (column < COLUMN_COUNT && strcmp(column_names[column], fields[i].text) != 0) column++;
        if (column == COLUMN_COUNT)
            return wrong(reader,
                         "there is no column '%.80s'; the columns of a path table are path, "
                         "conversions, nulls, value and case",
                         fields[i].text);
        if (reader->at[column] >= 0)
            return wrong(reader, "the column %s stands there twice", column_names[column]);
        reader->at[column] = (int)i;
    }
    for (int c = COLUMN_PATH; c <= COLUMN_CONVERSIONS; c++) {
        if (reader->at[c] < 0)
            return wrong(reader,
                         "the column %s is missing; begin the table with the line "
                         "path,conversions,nulls,value",
                         column_names[c]);
    }
    if (reader->model->options.only_case && reader->at[COLUMN_CASE] < 0)
        return wrong(reader, "a case is asked for, and the table has no column case");
    return STATUS_OK;
}

// Rule 2.
static bool
parse_number(const char *text, size_t len, double *out)
{
    char *end;
    if (len == 0 || len > 40 || strspn(text, "0123456789.") != len) return false;
    *out = strtod(text, &end);
    return end == text + len && *out < 1e15;
}

static enum status
read_number(struct reader *reader, const struct field *fields, int column, double *out)
{
    *out = 0;
    if (reader->at[column] < 0) return STATUS_OK;
    struct field field = fields[reader->at[column]];
    trim(&field.text, &field.len);
    field.text[field.len] = '\0';
    if (field.len == 0 && column != COLUMN_CONVERSIONS) return STATUS_OK;
    if (parse_number(field.text, field.len, out)) return STATUS_OK;
    return wrong(reader, "%s is '%.60s'; write a number of at least 0, as 12 or 0.5",
                 column_names[column], field.text);
}

// One touch of a path. Rule 3.
static enum status
read_touch(struct reader *reader, char *name, size_t len, size_t at)
{
    trim(&name, &len);
    if (reader->model->options.model == ATTRIBUTION_TIME_DECAY) {
        char *mark = len > 0 ? memrchr(name, '@', len) : NULL;
        char days[41] = "";
        size_t behind = mark ? (size_t)(name + len - mark - 1) : 0;
        if (behind > 0 && behind < sizeof days) memcpy(days, mark + 1, behind);
        if (mark == NULL || !parse_number(days, strlen(days), &reader->days[at]))
            return wrong(reader,
                         "touch %zu is '%.*s'; time decay needs its days before the conversion, "
                         "as email@3.5",
                         at + 1, (int)(len < 80 ? len : 80), name);
        len = (size_t)(mark - name);
        trim(&name, &len);
    }
    if (len == 0)
        return wrong(reader, "touch %zu has no name; touches are joined by ' > '", at + 1);
    if (len > PATH_NAME)
        return wrong(reader, "the name of touch %zu is longer than %d bytes", at + 1, PATH_NAME);
    if (memchr(name, '>', len))
        return wrong(reader,
                     "'%.*s' holds a '>' without blanks around it; touches are joined by "
                     "' > '",
                     (int)(len < 80 ? len : 80), name);
    enum status status = path_touch(reader->model, name, len, &reader->touches[at]);
    if (status == STATUS_FULL) {
        CHECK(wrong(reader, "more than %d different touches; group them, by channel or by rung",
                    reader->model->chain ? PATH_MARKOV : PATH_TOUCHES) == STATUS_INPUT);
    }
    return status;
}

static enum status
read_path(struct reader *reader, struct field path, size_t *out_count)
{
    size_t count = 0;
    char *at = path.text, *end = path.text + path.len;
    for (;;) {
        char *joint = memmem(at, (size_t)(end - at), " > ", 3);
        if (count == PATH_LENGTH)
            return wrong(reader, "the path has more than %d touches", PATH_LENGTH);
        enum status status = read_touch(reader, at, (size_t)((joint ? joint : end) - at), count);
        if (status != STATUS_OK) return status;
        count++;
        if (joint == NULL) break;
        at = joint + 3;
    }
    *out_count = count;
    return STATUS_OK;
}

static enum status
read_row(struct reader *reader, char *line)
{
    struct field fields[FIELDS];
    unsigned count;
    struct path_row row = {.touches = reader->touches, .days = reader->days};
    enum status status = split_fields(reader, line, fields, &count);
    if (status == STATUS_OK && count != reader->fields)
        status = wrong(reader, "%u fields, and the header has %u; quote a path that holds a comma",
                       count, reader->fields);
    if (status != STATUS_OK) return status;
    const char *only = reader->model->options.only_case;
    if (only && strcmp(fields[reader->at[COLUMN_CASE]].text, only) != 0) return STATUS_OK;
    status = read_number(reader, fields, COLUMN_CONVERSIONS, &row.conversions);
    if (status == STATUS_OK) status = read_number(reader, fields, COLUMN_NULLS, &row.nulls);
    if (status == STATUS_OK) status = read_number(reader, fields, COLUMN_VALUE, &row.value);
    if (status == STATUS_OK)
        status = read_path(reader, fields[reader->at[COLUMN_PATH]], &row.count);
    if (status != STATUS_OK) return status;
    status = path_take(reader->model, &row);
    if (status == STATUS_FULL) {
        CHECK(wrong(reader,
                    "more than %d different sets of touches; group the touches, or take "
                    "another model",
                    PATH_SETS) == STATUS_INPUT);
    }
    return status;
}

static enum status
read_table(struct reader *reader)
{
    bool header = false;
    for (;;) {
        char *line = NULL;
        size_t len = 0;
        enum status status = next_line(reader, &line, &len);
        if (status == STATUS_NOT_FOUND && !header)
            return wrong(reader, "the table is empty; begin it with the line "
                                 "path,conversions,nulls,value");
        if (status == STATUS_NOT_FOUND && reader->model->result.rows == 0)
            return wrong(reader, reader->model->options.only_case
                                     ? "the table has no row of this case"
                                     : "the table has no rows");
        if (status == STATUS_NOT_FOUND) return STATUS_OK;
        if (status == STATUS_OK && strspn(line, " \t") != len) {
            status = header ? read_row(reader, line) : read_header(reader, line);
            header = true;
        }
        if (status != STATUS_OK) return status;
    }
}

enum status
path_read(struct path_model *model, int descriptor, struct path_fault *out_fault)
{
    struct reader reader = {
        .model = model,
        .fault = out_fault,
        .descriptor = descriptor,
        .buffer = malloc(PATH_LINE + 2),
        .touches = calloc(PATH_LENGTH, sizeof *reader.touches),
        .days = calloc(PATH_LENGTH, sizeof *reader.days),
    };
    CHECK(reader.buffer && reader.touches && reader.days);
    *out_fault = (struct path_fault){0};
    enum status status = read_table(&reader);
    free(reader.buffer);
    free(reader.touches);
    free(reader.days);
    return status;
}
