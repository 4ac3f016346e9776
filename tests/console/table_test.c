// table.c: the three faces of one result.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../console/table.h"

static const struct table_column columns[] = {
    {"seat", "seat", TABLE_LEFT, TABLE_TEXT},
    {"price_micros", "price", TABLE_RIGHT, TABLE_NUMBER},
    {"setter", "set by", TABLE_LEFT, TABLE_TEXT},
};

static void
expect(const struct table *table, enum table_format format, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    table_print(table, format, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void
row(struct table *table, const char *seat, const char *price, const char *setter)
{
    table_cell(table, seat);
    table_cell(table, price);
    table_cell(table, setter);
}

static void
test_faces(void **state)
{
    (void)state;
    struct table *table = table_open(columns, 3);
    row(table, "grill", "1500000", "floor");
    row(table, "caf\xc3\xa9", "-7", NULL);
    expect(table, TABLE_AS_TEXT,
           "seat     price  set by\n"
           "grill  1500000  floor\n"
           "caf\xc3\xa9        -7  -\n");
    expect(table, TABLE_AS_CSV,
           "seat,price_micros,setter\n"
           "grill,1500000,floor\n"
           "caf\xc3\xa9,-7,\n");
    expect(table, TABLE_AS_JSON,
           "[\n"
           "  {\"seat\": \"grill\", \"price_micros\": 1500000, \"setter\": \"floor\"},\n"
           "  {\"seat\": \"caf\xc3\xa9\", \"price_micros\": -7, \"setter\": null}\n"
           "]\n");
    table_close(table);
}

static void
test_quoting(void **state)
{
    (void)state;
    struct table *table = table_open(columns, 3);
    row(table, "a,b", "0", "say \"no\"\nand \\ \t\x01");
    expect(table, TABLE_AS_CSV,
           "seat,price_micros,setter\n\"a,b\",0,\"say \"\"no\"\"\nand \\ \t\x01\"\n");
    expect(table, TABLE_AS_JSON,
           "[\n  {\"seat\": \"a,b\", \"price_micros\": 0, \"setter\": \"say \\\"no\\\"\\nand \\\\ "
           "\\u0009\\u0001\"}\n]\n");
    table_close(table);
}

static void
test_no_rows(void **state)
{
    (void)state;
    struct table *table = table_open(columns, 3);
    expect(table, TABLE_AS_TEXT, "seat  price  set by\n");
    expect(table, TABLE_AS_CSV, "seat,price_micros,setter\n");
    expect(table, TABLE_AS_JSON, "[]\n");
    table_close(table);
}

// Cells are copied and there may be many.
static void
test_many_rows(void **state)
{
    (void)state;
    struct table *table = table_open(columns, 3);
    char expected[64];
    for (int i = 0; i < 1000; i++) {
        table_cellf(table, "seat%d", i);
        table_cellf(table, "%d", i);
        table_cell(table, "floor");
    }
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    table_print(table, TABLE_AS_CSV, out);
    fclose(out);
    char *line = strchr(text, '\n') + 1;
    for (int i = 0; i < 1000; i++) {
        int wide = snprintf(expected, sizeof expected, "seat%d,%d,floor\n", i, i);
        assert_memory_equal(line, expected, (size_t)wide);
        line += wide;
    }
    assert_int_equal(*line, '\0');
    free(text);
    table_close(table);
}

static void
test_long_last_cells_are_broken(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    static const struct table_column two[] = {{"name", "name", TABLE_LEFT, TABLE_TEXT},
                                              {"why", "why", TABLE_LEFT, TABLE_TEXT}};
    struct table *table = table_open(two, 2);
    table_cell(table, "a");
    table_cell(table,
               "a first item of the list 1, a second item of the list 2, a third item of the "
               "list 3, a fourth 4");
    table_cell(table, "bb");
    table_cell(table, "short");
    FILE *out = open_memstream(&text, &len);
    table_print(table, TABLE_AS_TEXT, out);
    fputs("--\n", out);
    table_wrap("nothing but words and more words, as they stand in a sentence that goes on and on, "
               "until it is b\u00f6oken\n\n  and a line of its own",
               0, out);
    fclose(out);
    assert_string_equal(
        text, "name  why\n"
              "a     a first item of the list 1, a second item of the list 2, a third item of the "
              "list 3,\n"
              "      a fourth 4\n"
              "bb    short\n"
              "--\n"
              "nothing but words and more words, as they stand in a sentence that goes on and on, "
              "until it is\n"
              "b\u00f6oken\n\n  and a line of its own");
    free(text);
    table_close(table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_last_cells_are_broken),
        cmocka_unit_test(test_faces),
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
