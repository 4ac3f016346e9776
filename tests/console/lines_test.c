// lines.c: files of JSON lines, good and bad.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../console/lines.h"

static enum status
read_text(const char *text, size_t len, json_t **out_lines, struct lines_fault *fault)
{
    char path[] = "/tmp/vendue_lines_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    enum status status = lines_read(path, out_lines, fault);
    unlink(path);
    return status;
}

static void
test_lines(void **state)
{
    (void)state;
    static const char text[] =
        "# a comment\n{\"id\": \"a\"}\n\n  {\"id\": \"b\", \"line\": 9}\r\n{\"id\": 3}";
    json_t *lines = NULL;
    struct lines_fault fault;
    assert_int_equal(read_text(text, sizeof text - 1, &lines, &fault), STATUS_OK);
    assert_int_equal(json_array_size(lines), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(lines, 0), "line")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(lines, 1), "line")), 9);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(lines, 2), "line")), 5);
    json_decref(lines);
    assert_int_equal(read_text("", 0, &lines, &fault), STATUS_OK);
    assert_int_equal(json_array_size(lines), 0);
    json_decref(lines);
}

static void
expect_refused(const char *text, size_t len, const char *place)
{
    json_t *lines = NULL;
    struct lines_fault fault;
    assert_int_equal(read_text(text, len, &lines, &fault), STATUS_INPUT);
    assert_non_null(strstr(fault.text, place));
}

static void
test_refused(void **state)
{
    (void)state;
    static const char cut[] = "{\"id\": 1}\n{\"id\":\n", list[] = "[1]",
                      twice[] = "{\"a\": 1, \"a\": 2}";
    static const char huge[] = "{\"n\": 99999999999999999999}", nul[] = "{\"a\": \"x\0y\"}";
    expect_refused(cut, sizeof cut - 1, ":2:");
    expect_refused(list, sizeof list - 1, ":1:1: expected an object");
    expect_refused(twice, sizeof twice - 1, ":1:");
    expect_refused(huge, sizeof huge - 1, ":1:");
    expect_refused(nul, sizeof nul - 1, ":1:");
    char *wide = malloc(1100000);
    assert_non_null(wide);
    memset(wide, 'x', 1100000);
    expect_refused(wide, 1100000, "a line is at most");
    free(wide);
}

static void
test_missing(void **state)
{
    (void)state;
    json_t *lines = NULL;
    struct lines_fault fault;
    assert_int_equal(lines_read("/nowhere/file", &lines, &fault), STATUS_NOT_FOUND);
    assert_string_equal(fault.text, "/nowhere/file: No such file or directory");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
