// slotctl split: an exact split as a pocket calculator, by the function that splits gain-share
// pools (money_split: largest remainder, ties to the first).
//
// The parts are whole multiples of the last decimal TOTAL is written with: "100" splits into units,
// "100.00" into hundredths. Weights are scaled to whole numbers, which changes no proportion.
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "money.h"
#include "verb.h"

#define MOST 1000000000000000000ULL  // of a weight, scaled

struct split {
    money total;        // in units of the last decimal
    unsigned decimals;  // of TOTAL
    size_t count;
    uint64_t *weights;
    money *parts;  // in units of the last decimal
};

static int64_t
scale_of(unsigned decimals)
{
    int64_t scale = 1;
    for (unsigned i = decimals; i < 6; i++) scale *= 10;
    return scale;
}

// A decimal of at least 0 as digits and how many of them are decimals; at most 18 that count.
static bool
parse_weight(const char *text, uint64_t *out_digits, unsigned *out_decimals)
{
    uint64_t digits = 0;
    unsigned decimals = 0, zeros = 0;  // zeros at the end of the decimals change nothing
    bool point = false, any = false;
    for (; *text; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9') return false;
        any = true;
        if (point && *text == '0') {
            zeros++;
            continue;
        }
        unsigned shift = point ? zeros + 1 : 1;
        if (shift > 18) return false;
        for (unsigned i = 0; i < shift; i++) {
            if (digits > MOST / 10) return false;
            digits *= 10;
        }
        digits += (uint64_t)(*text - '0');
        if (point) decimals += shift;
        zeros = 0;
    }
    *out_digits = digits;
    *out_decimals = digits == 0 ? 0 : decimals;
    return any && decimals <= 18;
}

// All weights in units of the smallest decimal that one of them has.
static int
read_weights(int count, char **argv, uint64_t *out)
{
    unsigned *decimals = calloc((size_t)count, sizeof *decimals), most = 0;
    int code = EXIT_DONE;
    CHECK(decimals != NULL);
    for (int i = 0; i < count && code == EXIT_DONE; i++) {
        if (!parse_weight(argv[i], &out[i], &decimals[i]))
            code = verb_usage(&verb_split,
                              "'%.60s' is not a weight; write 0 or more, as 2 or 33.3333333, with "
                              "at most 18 digits",
                              argv[i]);
        if (decimals[i] > most) most = decimals[i];
    }
    for (int i = 0; i < count && code == EXIT_DONE; i++) {
        for (unsigned k = decimals[i]; k < most && out[i] > 0 && code == EXIT_DONE; k++) {
            if (out[i] > MOST / 10)
                code = verb_usage(&verb_split,
                                  "the weights have too many digits beside each other");
            out[i] *= 10;
        }
    }
    free(decimals);
    return code;
}

// An EXIT code; EXIT_DONE: parts are there.
static int
split_arguments(int count, char **argv, struct split *split)
{
    money total;
    if (money_parse(argv[0], strlen(argv[0]), &total) != STATUS_OK)
        return verb_usage(&verb_split,
                          "'%s' is not an amount; write digits with at most six decimals, "
                          "up to 1000000000",
                          argv[0]);
    const char *point = strchr(argv[0], '.');
    split->decimals = point == NULL ? 0 : (unsigned)strlen(point + 1);
    split->total = money_of(total.micros / scale_of(split->decimals));
    split->count = (size_t)count - 1;
    int code = read_weights(count - 1, argv + 1, split->weights);
    if (code != EXIT_DONE) return code;
    enum status status = money_split(split->total, split->weights, split->count, split->parts);
    if (status == STATUS_INPUT)
        return verb_usage(&verb_split, "all weights are 0; at least one must be more");
    if (status != STATUS_OK) return verb_usage(&verb_split, "the weights add up to too much");
    return EXIT_DONE;
}

static void
print_parts(const struct split *split, const char *total, bool json)
{
    if (json) printf("{\"total\": \"%s\", \"parts\": [", total);
    for (size_t i = 0; i < split->count; i++) {
        char text[MONEY_TEXT];
        money_format(money_of(split->parts[i].micros * scale_of(split->decimals)), split->decimals,
                     text);
        printf(json ? "%s\"%s\"" : "%s%s", i == 0 ? "" : json ? ", " : " ", text);
    }
    printf(json ? "]}\n" : "\n");
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const struct verb_option none[] = {{0}};
    argc = verb_options(&verb_split, none, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc < 3) return verb_usage(&verb_split, "needs a total and at least one weight");
    if (argc > 65536) return verb_usage(&verb_split, "takes at most 65,534 weights");
    struct split split = {0};
    split.weights = calloc((size_t)argc, sizeof *split.weights);
    split.parts = calloc((size_t)argc, sizeof *split.parts);
    CHECK(split.weights != NULL && split.parts != NULL);
    int code = split_arguments(argc - 1, argv + 1, &split);
    if (code == EXIT_DONE) print_parts(&split, argv[1], context->json);
    free(split.weights);
    free(split.parts);
    return code;
}

const struct verb verb_split = {
    .name = "split",
    .arguments = "TOTAL WEIGHT ...",
    .summary = "split an amount exactly by weights",
    .help = "Splits TOTAL in proportion to the weights so that the parts add up to it exactly:\n"
            "every part is its exact share rounded down, and what is left goes one by one to the\n"
            "largest remainders, ties to the first. The parts have as many decimals as TOTAL is\n"
            "written with. This is how a gain-share pool is split. TOTAL may be negative; weights\n"
            "may have decimals.\n"
            "\n"
            "  $ slotctl split 100 1 1 1\n"
            "  34 33 33\n"
            "  $ slotctl split -10.00 0.5 0.25 0.25\n"
            "  -5.00 -2.50 -2.50\n"
            "\n"
            "Exit codes: 0 split; 2 an amount or a weight is wrong.\n",
    .run = run,
};
