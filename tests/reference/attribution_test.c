// Attribution of other projects' tests and of the literature (attribution_expected.csv names each
// source): the credits, removal effects and probabilities of the path tables beside it.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "market_contract.h"
#include "path.h"

#define ROWS 51  // of attribution_expected.csv

static const struct {
    const char *name;
    uint8_t model;
} models[] = {
    {"first_touch", ATTRIBUTION_FIRST},          {"last_touch", ATTRIBUTION_LAST},
    {"linear_each_touch", ATTRIBUTION_LINEAR},   {"linear", ATTRIBUTION_LINEAR},
    {"position_40_20_40", ATTRIBUTION_POSITION}, {"shapley_set", ATTRIBUTION_SHAPLEY},
    {"p_conversion", ATTRIBUTION_MARKOV},        {"markov", ATTRIBUTION_MARKOV},
};

static struct path_model *
open_model(uint8_t model, const char *only_case)
{
    struct path_options options = path_defaults();
    options.model = model;
    options.only_case = only_case;
    return path_open(&options);
}

static void
read_table(struct path_model *model)
{
    struct path_fault fault;
    int file = open(SOURCE_DIR "/tests/reference/attribution_paths.csv", O_RDONLY);
    assert_true(file >= 0);
    enum status status = path_read(model, file, &fault);
    if (status != STATUS_OK) fail_msg("line %d: %s", (int)fault.line, fault.text);
    close(file);
}

// "per_path MODEL: PATH": that row of the table alone.
static void
read_path(struct path_model *model, const char *path, double value)
{
    uint32_t touches[16];
    size_t count = 0;
    for (const char *at = path; *at;) {
        size_t len = strcspn(at, " ");
        assert_int_equal(path_touch(model, at, len, &touches[count++]), STATUS_OK);
        at += len + (at[len] ? 3 : 0);
    }
    const struct path_row row = {
        .touches = touches, .count = count, .conversions = 1, .value = value};
    assert_int_equal(path_take(model, &row), STATUS_OK);
}

static double
answer(const struct path_result *result, const char *model, const char *key)
{
    if (strcmp(model, "p_conversion") == 0) return result->converts;
    for (size_t i = 0; i < result->count; i++) {
        if (strcmp(result->credits[i].touch, key) != 0) continue;
        if (strstr(model, "removal_effect")) return result->credits[i].removal;
        // analyzecore's row weighs: of one conversion it is the same.
        bool value = strstr(model, "_value") || strstr(model, "per_path");
        return value ? result->credits[i].value : result->credits[i].conversions;
    }
    return NAN;
}

static void
check_total(const char *only_case, double expected)
{
    for (uint8_t model = 0; model < ATTRIBUTION_COUNT; model++) {
        if (model == ATTRIBUTION_TIME_DECAY) continue;  // touches without their days
        struct path_model *paths = open_model(model, only_case);
        read_table(paths);
        const struct path_result *result = path_solve(paths);
        double sum = 0;
        for (size_t i = 0; i < result->count; i++) sum += result->credits[i].value;
        assert_true(fabs(sum - expected) < 1e-9);
        path_close(paths);
    }
}

// case,model,key,expected,tolerance,...
static void
check_row(char *line)
{
    char *field[5], *rest = line;
    for (int i = 0; i < 5; i++) {
        field[i] = strsep(&rest, ",");
        assert_non_null(rest);
    }
    double expected = strtod(field[3], NULL), tolerance = strtod(field[4], NULL);
    if (strcmp(field[1], "total_each_model") == 0) {
        check_total(field[0], expected);
        return;
    }
    const char *name = strncmp(field[1], "per_path ", 9) == 0 ? field[1] + 9 : field[1];
    size_t m = 0;
    while (m < sizeof models / sizeof *models &&
           strncmp(models[m].name, name, strlen(models[m].name)) != 0)
        m++;
    assert_true(m < sizeof models / sizeof *models);
    struct path_model *paths = open_model(models[m].model, field[0]);
    if (name != field[1]) read_path(paths, strchr(name, ':') + 2, 3);
    else read_table(paths);
    double got = answer(path_solve(paths), field[1], field[2]);
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s %s %s: %.12f, expected %.12f", field[0], field[1], field[2], got, expected);
    path_close(paths);
}

static void
test_attribution(void **state)
{
    (void)state;
    FILE *file = fopen(SOURCE_DIR "/tests/reference/attribution_expected.csv", "r");
    assert_non_null(file);
    char line[1024];
    assert_non_null(fgets(line, sizeof line, file));
    assert_memory_equal(line, "case,model,key,expected,abs_tolerance,", 38);
    int rows = 0;
    for (; fgets(line, sizeof line, file) != NULL; rows++) check_row(line);
    assert_int_equal(rows, ROWS);
    fclose(file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_attribution)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
