// One result, three faces.
//
//   Text   a line of titles, then the rows, columns two spaces apart, as wide as their widest cell
//          counted in UTF-8 characters; the last column of a row has no trailing blanks. An empty
//          cell is "-" (nothing; zero is a figure). No rows: the titles alone. A last column of
//          texts is broken between words where a line would get longer than TABLE_WIDE.
//   CSV    RFC 4180 with the keys as header, lines end in LF; a cell with comma, quote or line
//          break is quoted.
//   JSON   an array of objects under the keys, one row a line; an empty cell is null.
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"

#define LEAST_LAST 20  // the last column is broken when it has at least this room

struct table {
    struct arena *arena;  // the cells' texts
    const struct table_column *columns;
    size_t column_count;
    const char **cells;  // row by row
    size_t cell_count, cell_room;
};

struct table *
table_open(const struct table_column *columns, size_t count)
{
    CHECK(count > 0);
    struct table *table = calloc(1, sizeof *table);
    CHECK(table);
    table->arena = arena_open("table");
    table->columns = columns;
    table->column_count = count;
    return table;
}

void
table_close(struct table *table)
{
    if (!table) return;
    arena_close(table->arena);
    free(table->cells);
    free(table);
}

// A NUMBER is printed bare in JSON, so it must be one there: an integer without leading zeros. In a
// text face it may be dressed for people.
static bool
is_integer(const char *text)
{
    if (*text == '-') text++;
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && text[digits] == '\0' && (text[0] != '0' || digits == 1);
}

void
table_cell(struct table *table, const char *text)
{
    if (table->cell_count == table->cell_room) {
        table->cell_room = table->cell_room ? table->cell_room * 2 : 64;
        table->cells = reallocarray(table->cells, table->cell_room, sizeof *table->cells);
        CHECK(table->cells);
    }
    table->cells[table->cell_count++] = text ? arena_text(table->arena, text, strlen(text)) : NULL;
}

void
table_cellf(struct table *table, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    CHECK(len >= 0);
    table_cell(table, text);
    free(text);
}

// Characters of a UTF-8 text: bytes that are not continuations.
static size_t
width(const char *text)
{
    size_t count = 0;
    for (; *text; text++) count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void
blanks(size_t count, FILE *out)
{
    for (; count > 0; count--) fputc(' ', out);
}

void
table_wrap(const char *text, size_t indent, FILE *out)
{
    size_t column = indent;
    const char *ends = indent > 0 && strstr(text, ", ") != NULL ? ",\n" : " \n";
    while (*text != '\0') {
        // Blanks and the word (of a list in a table: the item) behind them go together, or the
        // blanks end the line.
        size_t gap = strspn(text, " "), len = strcspn(text + gap, ends), wide = gap;
        len += text[gap + len] == ',';
        for (size_t i = gap; i < gap + len; i++) wide += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (len > 0 && column > indent && column + wide > TABLE_WIDE) {
            fputc('\n', out);
            blanks(indent, out);
            column = indent;
            text += gap;
            wide -= gap;
            gap = 0;
        }
        fwrite(text, 1, gap + len, out);
        text += gap + len;
        column += wide;
        if (*text != '\n') continue;
        fputc('\n', out);
        blanks(indent, out);
        column = indent;
        text++;
    }
}

static void
text_cell(const struct table *table, size_t column, const char *text, size_t wide, size_t at,
          FILE *out)
{
    size_t pad = wide - width(text);
    if (column > 0) blanks(2, out);
    if (column + 1 == table->column_count && table->columns[column].align == TABLE_LEFT &&
        at + LEAST_LAST < TABLE_WIDE) {
        table_wrap(text, at, out);
        fputc('\n', out);
        return;
    }
    if (table->columns[column].align == TABLE_RIGHT) {
        blanks(pad, out);
        fputs(text, out);
    } else {
        fputs(text, out);
        if (column + 1 < table->column_count) blanks(pad, out);
    }
    if (column + 1 == table->column_count) fputc('\n', out);
}

static void
print_text(const struct table *table, FILE *out)
{
    size_t *wide = calloc(table->column_count, sizeof *wide);
    CHECK(wide);
    for (size_t i = 0; i < table->column_count; i++) wide[i] = width(table->columns[i].title);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t cell = width(table->cells[i] ? table->cells[i] : "-");
        if (cell > wide[i % table->column_count]) wide[i % table->column_count] = cell;
    }
    size_t last = 0;  // where the last column begins
    for (size_t i = 0; i + 1 < table->column_count; i++) last += wide[i] + 2;
    for (size_t i = 0; i < table->column_count; i++)
        text_cell(table, i, table->columns[i].title, wide[i], last, out);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count;
        text_cell(table, column, table->cells[i] ? table->cells[i] : "-", wide[column], last, out);
    }
    free(wide);
}

static void
csv_cell(const char *text, FILE *out)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void
print_csv(const struct table *table, FILE *out)
{
    for (size_t i = 0; i < table->column_count; i++) {
        csv_cell(table->columns[i].key, out);
        fputc(i + 1 < table->column_count ? ',' : '\n', out);
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        csv_cell(table->cells[i] ? table->cells[i] : "", out);
        fputc((i + 1) % table->column_count ? ',' : '\n', out);
    }
}

static void
json_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            fprintf(out, "\\%c", byte);
        } else if (byte == '\n') {
            fputs("\\n", out);
        } else if (byte < 0x20 || byte == 0x7f) {
            fprintf(out, "\\u%04x", byte);
        } else {
            fputc(byte, out);
        }
    }
    fputc('"', out);
}

static void
print_json(const struct table *table, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < table->cell_count; i++) {
        const struct table_column *column = &table->columns[i % table->column_count];
        if (i % table->column_count == 0) fputs(i == 0 ? "\n  {" : ",\n  {", out);
        json_text(column->key, out);
        fputs(": ", out);
        if (!table->cells[i]) {
            fputs("null", out);
        } else if (column->kind == TABLE_NUMBER) {
            CHECK(is_integer(table->cells[i]));
            fputs(table->cells[i], out);
        } else {
            json_text(table->cells[i], out);
        }
        fputs((i + 1) % table->column_count ? ", " : "}", out);
    }
    fputs(table->cell_count > 0 ? "\n]\n" : "]\n", out);
}

void
table_print(const struct table *table, enum table_format format, FILE *out)
{
    CHECK(table->cell_count % table->column_count == 0);
    switch (format) {
    case TABLE_AS_TEXT: print_text(table, out); break;
    case TABLE_AS_CSV: print_csv(table, out); break;
    case TABLE_AS_JSON: print_json(table, out); break;
    }
}

bool
table_format_parse(const char *text, enum table_format *out_format)
{
    static const char *const names[] = {"text", "csv", "json"};
    static const enum table_format formats[] = {TABLE_AS_TEXT, TABLE_AS_CSV, TABLE_AS_JSON};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out_format = formats[i];
        return true;
    }
    return false;
}
