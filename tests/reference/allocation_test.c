// Splits of other projects' tests and of the literature (allocation.csv names each source): the
// same parts come out of money_split; the case negated gives the parts negated.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "money.h"

#define PARTS 16
#define CASES 34  // rows of allocation.csv

static money
amount(const char *text)
{
    money value;
    assert_int_equal(money_parse(text, strlen(text), &value), STATUS_OK);
    return value;
}

// "1 2.5 3": how many, each as micros.
static size_t
numbers(char *text, int64_t out[PARTS])
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < PARTS);
        out[count++] = amount(word).micros;
    }
    return count;
}

static void
check_case(char *line)
{
    char *field[4], *rest = line;
    for (int i = 0; i < 4; i++) {
        field[i] = strsep(&rest, ",");
        assert_non_null(rest);
    }
    int64_t weight[PARTS], expected[PARTS];
    size_t count = numbers(field[2], weight);
    assert_int_equal(numbers(field[3], expected), count);
    // Reference totals are whole units; weights may have decimals, which scaling keeps in
    // proportion.
    int64_t total = amount(field[1]).micros / 1000000;
    uint64_t weights[PARTS];
    for (size_t i = 0; i < count; i++) weights[i] = (uint64_t)weight[i];
    for (int sign = 1; sign >= -1; sign -= 2) {
        money parts[PARTS];
        assert_int_equal(money_split(money_of(sign * total), weights, count, parts), STATUS_OK);
        for (size_t i = 0; i < count; i++) {
            if (parts[i].micros != sign * expected[i] / 1000000)
                fail_msg("%s: part %zu is %lld, expected %lld", field[0], i + 1,
                         (long long)parts[i].micros, (long long)(sign * expected[i] / 1000000));
        }
    }
}

static void
test_allocation(void **state)
{
    (void)state;
    FILE *file = fopen(SOURCE_DIR "/tests/reference/allocation.csv", "r");
    assert_non_null(file);
    char line[1024];
    assert_non_null(fgets(line, sizeof line, file));
    assert_memory_equal(line, "id,total,weights,expected,", 26);
    int cases = 0;
    for (; fgets(line, sizeof line, file) != NULL; cases++) check_case(line);
    assert_int_equal(cases, CASES);
    fclose(file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
