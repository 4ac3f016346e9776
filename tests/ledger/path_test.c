// Models of attribution: every one against its definition, computed anew in a few lines for small
// random tables; and tables that are wrong.
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

#include "hash.h"
#include "path.h"
#include "seed.h"

// --- A table in memory ---------------------------------------------------------------------------

#define TOUCHES 6
#define ROWS 24
#define LENGTH 7
struct table {
    unsigned touches, rows;
    struct {
        uint32_t path[LENGTH];
        double days[LENGTH];
        unsigned count;
        double conversions, nulls, value;
    } row[ROWS];
};

static uint64_t
draw(uint64_t *seed, uint64_t below)
{
    *seed += 0x9e3779b97f4a7c15u;
    return hash_mix(*seed) % below;
}

static void
random_table(uint64_t *seed, struct table *out)
{
    out->touches = 1 + (unsigned)draw(seed, TOUCHES);
    out->rows = 1 + (unsigned)draw(seed, ROWS);
    for (unsigned r = 0; r < out->rows; r++) {
        out->row[r].count = 1 + (unsigned)draw(seed, LENGTH);
        for (unsigned i = 0; i < out->row[r].count; i++) {
            out->row[r].path[i] = (uint32_t)draw(seed, out->touches);
            out->row[r].days[i] = (double)draw(seed, 60) / 2;
        }
        out->row[r].conversions = (double)draw(seed, 5);
        out->row[r].nulls = (double)draw(seed, 4);
        out->row[r].value = (double)draw(seed, 1000) / 4;
    }
    out->row[0].conversions += 1;
}

static struct path_model *
load(const struct table *table, struct path_options options)
{
    struct path_model *model = path_open(&options);
    for (uint32_t i = 0; i < table->touches; i++) {
        const char name[2] = {(char)('a' + i), 0};
        uint32_t touch;
        assert_int_equal(path_touch(model, name, 1, &touch), STATUS_OK);
        assert_int_equal(touch, i);
    }
    for (unsigned r = 0; r < table->rows; r++) {
        const struct path_row row = {.touches = table->row[r].path,
                                     .days = table->row[r].days,
                                     .count = table->row[r].count,
                                     .conversions = table->row[r].conversions,
                                     .nulls = table->row[r].nulls,
                                     .value = table->row[r].value};
        assert_int_equal(path_take(model, &row), STATUS_OK);
    }
    return model;
}

static uint32_t
set_of(const struct table *table, unsigned r)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < table->row[r].count; i++) set |= 1u << table->row[r].path[i];
    return set;
}

// --- Definitions ---------------------------------------------------------------------------------

// Probability of a conversion when every step to `gone` (-1: none) ends in nothing, by solving the
// chain's equations. Self-loops are left in, to show that they do not matter.
static double
chain(const struct table *table, int gone)
{
    double step[TOUCHES + 1][TOUCHES + 1] = {{0}}, sum[TOUCHES + 1] = {0}, wins[TOUCHES + 1] = {0};
    unsigned n = table->touches;  // state n: the start
    for (unsigned r = 0; r < table->rows; r++) {
        double weight = table->row[r].conversions + table->row[r].nulls;
        unsigned from = n;
        for (unsigned i = 0; i < table->row[r].count; i++) {
            step[from][table->row[r].path[i]] += weight;
            sum[from] += weight;
            from = table->row[r].path[i];
        }
        wins[from] += table->row[r].conversions;
        sum[from] += weight;
    }
    // x = wins + step x, by elimination with search for pivots.
    double a[TOUCHES + 1][TOUCHES + 2] = {{0}};
    for (unsigned i = 0; i <= n; i++) {
        a[i][i] = 1;
        bool dead = sum[i] == 0 || (int)i == gone;
        for (unsigned j = 0; j < n && !dead; j++) {
            if ((int)j != gone) a[i][j] -= step[i][j] / sum[i];
        }
        a[i][n + 1] = dead ? 0 : wins[i] / sum[i];
    }
    for (unsigned k = 0; k <= n; k++) {
        unsigned best = k;
        for (unsigned i = k; i <= n; i++) {
            if (fabs(a[i][k]) > fabs(a[best][k])) best = i;
        }
        for (unsigned j = 0; j <= n + 1; j++) {
            double kept = a[k][j];
            a[k][j] = a[best][j];
            a[best][j] = kept;
        }
        for (unsigned i = 0; i <= n; i++) {
            double factor = i == k ? 0 : a[i][k] / a[k][k];
            for (unsigned j = k; j <= n + 1; j++) a[i][j] -= factor * a[k][j];
        }
    }
    return a[n][n + 1] / a[n][n];
}

static double
within(const struct table *table, uint32_t set, bool value)
{
    double sum = 0;
    for (unsigned r = 0; r < table->rows; r++) {
        if (set_of(table, r) & ~set) continue;
        sum += value ? table->row[r].value : table->row[r].conversions;
    }
    return sum;
}

// By the formula: over all sets without j, |S|! (n - |S| - 1)! / n! (v(S + j) - v(S)).
static double
shapley(const struct table *table, unsigned j, bool value)
{
    double factorial[TOUCHES + 1] = {1}, sum = 0;
    unsigned n = table->touches;
    for (unsigned i = 1; i <= n; i++) factorial[i] = factorial[i - 1] * i;
    for (uint32_t set = 0; set < 1u << n; set++) {
        if (set & 1u << j) continue;
        unsigned size = (unsigned)__builtin_popcount(set);
        sum += factorial[size] * factorial[n - size - 1] / factorial[n] *
               (within(table, set | 1u << j, value) - within(table, set, value));
    }
    return sum;
}

// Conversions and all of the paths with exactly this set.
static void
outcome(const struct table *table, uint32_t set, double *conversions, double *all)
{
    for (unsigned r = 0; r < table->rows; r++) {
        if (set_of(table, r) != set) continue;
        *conversions += table->row[r].conversions;
        *all += table->row[r].conversions + table->row[r].nulls;
    }
}

static double
rate(const struct table *table, uint32_t set, bool back_off)
{
    double conversions = 0, all = 0;
    if (set) outcome(table, set, &conversions, &all);
    if (all == 0 && back_off) {
        for (unsigned k = 0; k < table->touches; k++) {
            if (set & 1u << k && set != 1u << k)
                outcome(table, set & ~(1u << k), &conversions, &all);
        }
    }
    return all > 0 ? conversions / all : 0;
}

static double
counterfactual(const struct table *table, unsigned j)
{
    double sum = 0;
    for (unsigned r = 0; r < table->rows; r++) {
        uint32_t set = set_of(table, r);
        double with = rate(table, set, false), needed = 0, mine = 0;
        if (!(set & 1u << j) || table->row[r].conversions == 0) continue;
        for (unsigned k = 0; k < table->touches; k++) {
            if (!(set & 1u << k)) continue;
            double lost = fmax(0, 1 - rate(table, set & ~(1u << k), true) / with);
            needed += lost;
            if (k == j) mine = lost;
        }
        sum += table->row[r].conversions *
               (needed > 0 ? mine / needed : 1.0 / __builtin_popcount(set));
    }
    return sum;
}

// Of one path, the touch at `i`'s part.
static double
part(const struct table *table, unsigned r, unsigned i, const struct path_options *options)
{
    unsigned count = table->row[r].count;
    double sum = 0;
    switch (options->model) {
    case ATTRIBUTION_FIRST: return i == 0;
    case ATTRIBUTION_LAST: return i == count - 1;
    case ATTRIBUTION_LINEAR: return 1.0 / count;
    case ATTRIBUTION_TIME_DECAY:
        for (unsigned k = 0; k < count; k++)
            sum += pow(0.5, table->row[r].days[k] / options->half_life);
        return pow(0.5, table->row[r].days[i] / options->half_life) / sum;
    default: break;
    }
    if (count < 3) return 1.0 / count;
    if (i == 0) return options->first;
    if (i == count - 1) return options->last;
    return (1 - options->first - options->last) / (count - 2);
}

static double
defined(const struct table *table, unsigned j, const struct path_options *options, bool value)
{
    double sum = 0, mine = 0, p = chain(table, -1);
    switch (options->model) {
    case ATTRIBUTION_SHAPLEY: return shapley(table, j, value);
    case ATTRIBUTION_COUNTERFACTUAL: return counterfactual(table, j);
    case ATTRIBUTION_MARKOV:
        for (unsigned k = 0; k < table->touches; k++) {
            double effect = 1 - chain(table, (int)k) / p;
            sum += effect;
            if (k == j) mine = effect;
        }
        return within(table, UINT32_MAX, value) * mine / sum;
    default: break;
    }
    for (unsigned r = 0; r < table->rows; r++) {
        for (unsigned i = 0; i < table->row[r].count; i++) {
            if (table->row[r].path[i] != j) continue;
            sum += part(table, r, i, options) *
                   (value ? table->row[r].value : table->row[r].conversions);
        }
    }
    return sum;
}

// --- Tests ---------------------------------------------------------------------------------------

static void
near(double got, double expected, const char *what, uint64_t seed)
{
    if (!(fabs(got - expected) <= 1e-9 * (1 + fabs(expected))))
        fail_msg("%s: %.12f, expected %.12f (VENDUE_SEED=%llu)", what, got, expected,
                 (unsigned long long)seed);
}

static void
every_model_is_its_definition(void **state)
{
    (void)state;
    uint64_t first = seed_fresh(), seed = first;
    for (int turn = 0; turn < 500; turn++) {
        struct table table;
        random_table(&seed, &table);
        struct path_options options = path_defaults();
        options.half_life = 0.5 + (double)draw(&seed, 40);
        options.first = (double)draw(&seed, 60) / 100;
        options.last = (double)draw(&seed, 40) / 100;
        for (options.model = 0; options.model < ATTRIBUTION_COUNT; options.model++) {
            struct path_model *model = load(&table, options);
            const struct path_result *result = path_solve(model);
            double sum = 0;
            for (unsigned j = 0; j < table.touches; j++) {
                const struct path_credit *credit = &result->credits[j];
                near(credit->conversions, defined(&table, j, &options, false), "conversions",
                     first);
                if (options.model != ATTRIBUTION_COUNTERFACTUAL)
                    near(credit->value, defined(&table, j, &options, true), "value", first);
                sum += credit->conversions;
            }
            near(sum, result->conversions, "all", first);
            if (options.model == ATTRIBUTION_MARKOV)
                near(result->converts, chain(&table, -1), "p", first);
            path_close(model);
        }
    }
}

// Rule 3 of the Markov model: ends a million million times rarer than steps.
static void
rare_ends_lose_no_figures(void **state)
{
    (void)state;
    struct table table = {.touches = 2, .rows = 2};
    for (unsigned i = 0; i < 6; i++) table.row[0].path[i] = i % 2;
    table.row[0].count = 6;
    table.row[0].nulls = 1e12;
    table.row[1].path[0] = 1;
    table.row[1].count = 1;
    table.row[1].conversions = 1;
    struct path_options options = path_defaults();
    options.model = ATTRIBUTION_MARKOV;
    struct path_model *model = load(&table, options);
    const struct path_result *result = path_solve(model);
    // From b: to a 2e12, to nothing 1e12, to a conversion 1. From a always to b.
    double x = 1 / (1e12 + 1);
    assert_true(fabs(result->converts / x - 1) < 1e-12);
    assert_true(fabs(result->credits[1].removal - 1) < 1e-12);
    path_close(model);
}

static void
parts_per_million_add_up(void **state)
{
    (void)state;
    uint64_t first = seed_fresh(), seed = first;
    for (int turn = 0; turn < 300; turn++) {
        struct table table;
        uint32_t ppm[TOUCHES], sum = 0;
        random_table(&seed, &table);
        struct path_options options = path_defaults();
        options.model = (uint8_t)draw(&seed, ATTRIBUTION_COUNT);
        struct path_model *model = load(&table, options);
        const struct path_result *result = path_solve(model);
        assert_true(path_ppm(result, ppm));
        for (unsigned j = 0; j < table.touches; j++) {
            sum += ppm[j];
            assert_true(fabs(ppm[j] - result->credits[j].conversions / result->conversions * 1e6) <
                        1.001);
        }
        assert_int_equal(sum, 1000000);
        path_close(model);
    }
    struct table table = {.touches = 1, .rows = 1};
    uint32_t ppm[1];
    table.row[0].count = 1;
    table.row[0].nulls = 3;
    struct path_model *model = load(&table, path_defaults());
    assert_false(path_ppm(path_solve(model), ppm));
    path_close(model);
}

// --- Tables as text ------------------------------------------------------------------------------

static enum status
read_text(struct path_model *model, const char *text, size_t len, struct path_fault *fault)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0);
    assert_int_equal(write(ends[1], text, len), (ssize_t)len);
    close(ends[1]);
    enum status status = path_read(model, ends[0], fault);
    close(ends[0]);
    return status;
}

static void
expect(struct path_options options, const char *text, const char *expected)
{
    struct path_fault fault;
    char got[512] = "";
    struct path_model *model = path_open(&options);
    enum status status = read_text(model, text, strlen(text), &fault);
    if (status != STATUS_OK) fail_msg("line %d: %s", (int)fault.line, fault.text);
    const struct path_result *result = path_solve(model);
    for (size_t i = 0; i < result->count; i++) {
        size_t len = strlen(got);
        snprintf(got + len, sizeof got - len, "%s=%.4g/%.4g ", result->credits[i].touch,
                 result->credits[i].conversions, result->credits[i].value);
    }
    assert_string_equal(got, expected);
    path_close(model);
}

static void
reads_tables_as_people_write_them(void **state)
{
    (void)state;
    struct path_options options = path_defaults();
    options.model = ATTRIBUTION_LINEAR;
    expect(options, "path,conversions\na > b,1\n", "a=0.5/0 b=0.5/0 ");
    expect(options, "\xef\xbb\xbfvalue , nulls,path,conversions\r\n10,2,\"a > b\",1\r\n\r\n",
           "a=0.5/5 b=0.5/5 ");
    expect(options, "path,conversions,nulls,value\n\"x, \"\"y\"\" > b\",2,,\nb,1,1,",
           "b=2/0 "
           "x, \"y\"=1/0 ");
    expect(options, "case,path,conversions\none,  a  > b c ,1\ntwo,d,1\n",
           "a=0.5/0 b c=0.5/0 d=1/0 ");
    options.only_case = "two";
    expect(options, "case,path,conversions\none,a,1\ntwo,d,1\n", "d=1/0 ");
    options.only_case = NULL;
    options.model = ATTRIBUTION_TIME_DECAY;
    // One half-life apart: two to one. An address may hold an @.
    expect(options, "path,conversions\nm@x@7 > shop@0,3\n", "m@x=1/0 shop=2/0 ");
    options.half_life = 3.5;
    expect(options, "path,conversions\nm@7 > shop@0,5\n", "m=1/0 shop=4/0 ");
    expect(options, "path,conversions\nm@900000 > shop@900000,5\n", "m=2.5/0 shop=2.5/0 ");
}

static void
refuse(uint8_t of, const char *text, int line, const char *words)
{
    struct path_options options = path_defaults();
    struct path_fault fault;
    options.model = of;
    struct path_model *model = path_open(&options);
    enum status status = read_text(model, text, strlen(text), &fault);
    if (status == STATUS_OK || strstr(fault.text, words) == NULL || (int)fault.line != line)
        fail_msg("'%s' answered %d, line %d: %s", text, (int)status, (int)fault.line, fault.text);
    path_close(model);
}

static void
tells_line_and_mend(void **state)
{
    (void)state;
    refuse(ATTRIBUTION_LAST, "", 0, "the table is empty");
    refuse(ATTRIBUTION_LAST, "path,conversions\n", 1, "no rows");
    refuse(ATTRIBUTION_LAST, "path,conversion\na,1\n", 1, "no column 'conversion'");
    refuse(ATTRIBUTION_LAST, "path,nulls\na,1\n", 1, "conversions is missing");
    refuse(ATTRIBUTION_LAST, "path,path,conversions\na,a,1\n", 1, "twice");
    refuse(ATTRIBUTION_LAST, "path,conversions\na,1\nb,-1\n", 3, "conversions is '-1'");
    refuse(ATTRIBUTION_LAST, "path,conversions\na,\n", 2, "conversions is ''");
    refuse(ATTRIBUTION_LAST, "path,conversions\na,nan\n", 2, "'nan'");
    refuse(ATTRIBUTION_LAST, "path,conversions\na,1e9\n", 2, "'1e9'");
    refuse(ATTRIBUTION_LAST, "path,conversions\na,1.2.3\n", 2, "'1.2.3'");
    refuse(ATTRIBUTION_LAST, "path,conversions\na,.\n", 2, "'.'");
    refuse(ATTRIBUTION_LAST, "path,conversions\na,9999999999999999999\n", 2,
           "number of at least 0");
    refuse(ATTRIBUTION_LAST, "path,conversions\na,1,2\n", 2, "3 fields, and the header has 2");
    refuse(ATTRIBUTION_LAST, "path,conversions\n\na\n", 3, "1 fields");
    refuse(ATTRIBUTION_LAST, "path,conversions\n,1\n", 2, "touch 1 has no name");
    refuse(ATTRIBUTION_LAST, "path,conversions\na >  > b,1\n", 2, "touch 2 has no name");
    refuse(ATTRIBUTION_LAST, "path,conversions\na>b,1\n", 2, "'a>b' holds a '>'");
    refuse(ATTRIBUTION_LAST, "path,conversions\n\"a,1\n", 2, "not closed");
    refuse(ATTRIBUTION_LAST, "path,conversions\n\"a\"b,1\n", 2, "behind its quote");
    refuse(ATTRIBUTION_TIME_DECAY, "path,conversions\na@1 > b,1\n", 2, "touch 2 is 'b'");
    refuse(ATTRIBUTION_TIME_DECAY, "path,conversions\na@-1,1\n", 2, "days before");
    refuse(ATTRIBUTION_TIME_DECAY, "path,conversions\na@,1\n", 2, "days before");
    refuse(ATTRIBUTION_TIME_DECAY, "path,conversions\n@3,1\n", 2, "touch 1 has no name");
    struct path_options options = path_defaults();
    struct path_fault fault;
    struct path_model *model = path_open(&options);
    assert_int_equal(read_text(model, "path,conversions\na\0b,1\n", 23, &fault), STATUS_INPUT);
    assert_non_null(strstr(fault.text, "NUL"));
    path_close(model);
}

// Bounded memory is a named end, not a swollen process.
static void
knows_its_bounds(void **state)
{
    (void)state;
    struct path_options options = path_defaults();
    options.model = ATTRIBUTION_MARKOV;
    struct path_model *model = path_open(&options);
    uint32_t touch;
    for (int i = 0; i <= PATH_MARKOV; i++) {
        char name[16];
        int len = snprintf(name, sizeof name, "t%d", i);
        assert_int_equal(path_touch(model, name, (size_t)len, &touch),
                         i < PATH_MARKOV ? STATUS_OK : STATUS_FULL);
    }
    path_close(model);
    size_t len = PATH_LINE + 100;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'x', len);
    memcpy(text, "path,conversions\n", 17);
    int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, len), (ssize_t)len);
    lseek(file, 0, SEEK_SET);
    struct path_fault fault;
    options.model = ATTRIBUTION_LINEAR;
    model = path_open(&options);
    assert_int_equal(path_read(model, file, &fault), STATUS_INPUT);
    assert_int_equal(fault.line, 2);
    assert_non_null(strstr(fault.text, "longer"));
    path_close(model);
    close(file);
    free(text);
}

// Whatever stands in a file: an answer, and no crash.
static void
takes_any_bytes(void **state)
{
    (void)state;
    static const char *const pieces[] = {"path", ",",   "conversions", "\n",  "a > b",
                                         "\"",   "1",   "\r\n",        " > ", "@3",
                                         "\xff", "0.5", " ",           "\"\""};
    uint64_t first = seed_fresh(), seed = first;
    for (int turn = 0; turn < 3000; turn++) {
        char text[512] = "path,conversions\n";
        size_t len = turn % 3 ? strlen(text) : 0;
        while (len < 400 && draw(&seed, 40)) {
            const char *piece = pieces[draw(&seed, sizeof pieces / sizeof *pieces)];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        struct path_options options = path_defaults();
        options.model = (uint8_t)draw(&seed, ATTRIBUTION_COUNT);
        struct path_fault fault;
        struct path_model *model = path_open(&options);
        if (read_text(model, text, len, &fault) == STATUS_OK) path_solve(model);
        else assert_true(fault.text[0] != '\0');
        path_close(model);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_is_its_definition),
        cmocka_unit_test(rare_ends_lose_no_figures),
        cmocka_unit_test(parts_per_million_add_up),
        cmocka_unit_test(reads_tables_as_people_write_them),
        cmocka_unit_test(tells_line_and_mend),
        cmocka_unit_test(knows_its_bounds),
        cmocka_unit_test(takes_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
