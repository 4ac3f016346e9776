// One result, three faces: aligned text, CSV (RFC 4180), JSON (an array of objects).
// Amounts are handed over as exact decimal text, never as floating point.
#ifndef VENDUE_TABLE_H
#define VENDUE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };
enum table_kind { TABLE_TEXT, TABLE_NUMBER };  // NUMBER: JSON prints it bare; it must be an integer
enum table_format { TABLE_AS_TEXT, TABLE_AS_CSV, TABLE_AS_JSON };

struct table_column {
    const char *key;    // JSON and CSV name: "price_micros"
    const char *title;  // heading for people: "price"
    enum table_align align;
    enum table_kind kind;
};
struct table;
struct table *table_open(const struct table_column *columns, size_t count);
void table_close(struct table *table);
void
table_cell(struct table *table, const char *text);  // copies; NULL is an empty cell; row by row
void
table_cellf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
// "text", "csv" or "json"; false: none of them.
bool table_format_parse(const char *text, enum table_format *out_format);
// Words of a text in lines of at most TABLE_WIDE characters; the first begins at `indent`, where
// the caller stands, the others are moved in as far. The last column of a table is broken likewise.
#define TABLE_WIDE 100
void table_wrap(const char *text, size_t indent, FILE *out);
void table_print(const struct table *table, enum table_format format, FILE *out);

#endif
