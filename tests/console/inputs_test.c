// What a contact brought is found in a day's file, wherever its line stands, and else it is said
// why it is not.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../console/inputs.h"

#define DAY_US 1795372800000000LL  // 2026-11-22T18:40Z
#define LINES 40000                // a file of several pieces

static struct id
contact(uint32_t number)
{
    struct id id = {{0}};
    memcpy(id.bytes, &number, sizeof number);
    id.bytes[8] = 0xab;
    return id;
}

static void
lines_are_found_anywhere(void **state)
{
    (void)state;
    char folder[] = "/tmp/vendue-inputs-XXXXXX", path[128], why[INPUTS_TEXT] = "", text[ID_TEXT];
    json_t *line = NULL;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(inputs_find(folder, contact(1), (usec){DAY_US}, &line, why), STATUS_NOT_FOUND);
    assert_non_null(strstr(why, "explain.days"));
    snprintf(path, sizeof path, "%s/inputs", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/inputs/2026-11-22", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (uint32_t i = 0; i < LINES; i++) {
        id_format(contact(i), text);
        fprintf(file, "{\"contact\":\"%s\",\"at_us\":1,\"attr\":{\"n\":%u,\"t\":\"%.*s\"}}\n", text,
                i, (int)(i % 60), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    }
    id_format(contact(LINES), text);
    fprintf(file, "{\"contact\":\"%s\",\"at_us\":1,\"at", text);  // a crash cut it
    fclose(file);
    for (uint32_t i = 0; i < LINES; i += 997) {
        assert_int_equal(inputs_find(folder, contact(i), (usec){DAY_US}, &line, why), STATUS_OK);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(line, "attr"), "n")),
                         i);
        json_decref(line);
    }
    assert_int_equal(inputs_find(folder, contact(LINES), (usec){DAY_US}, &line, why),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(why, "cut off"));
    assert_int_equal(inputs_find(folder, contact(LINES + 1), (usec){DAY_US}, &line, why),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(why, "is not in"));
    snprintf(path, sizeof path, "rm -r %s", folder);
    assert_int_equal(system(path), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_found_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
