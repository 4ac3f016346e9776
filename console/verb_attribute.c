// slotctl attribute: which touches earned what. Runs any model of attribution on a path table, and
// fits the models that contracts name to the ledger's own paths.
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "finance.h"
#include "fit.h"
#include "market.h"
#include "market_db.h"
#include "path.h"

struct asked {
    const char *model, *paths, *half_life, *first, *last, *only_case;
    const char *fit, *ledger, *weights;
    bool fits;
};

// --- A path table --------------------------------------------------------------------------------

// "40", "40%", "7d": a decimal, with the unit that may follow it.
static bool
number(const char *text, char unit, double most, double *out)
{
    char *end;
    size_t len = strlen(text);
    size_t digits = strspn(text, "0123456789.");
    if (digits == 0 || len > 30) return false;
    *out = strtod(text, &end);
    if (*end == unit) end++;
    return *end == '\0' && *out >= 0 && *out <= most;
}

static int
read_options(const struct asked *asked, struct path_options *out)
{
    const struct verb *verb = &verb_attribute;
    *out = path_defaults();
    out->only_case = asked->only_case;
    if (asked->model == NULL ||
        path_model_parse(asked->model, strlen(asked->model), &out->model) != STATUS_OK)
        return verb_usage(verb,
                          "needs --model: first, last, linear, time_decay, position, markov, "
                          "shapley or counterfactual%s%.40s%s",
                          asked->model ? ", not '" : "", asked->model ? asked->model : "",
                          asked->model ? "'" : "");
    if (asked->half_life &&
        (!number(asked->half_life, 'd', 36525, &out->half_life) || out->half_life < 1e-6))
        return verb_usage(verb, "--half-life is days, as 7 or 0.5, not '%.40s'", asked->half_life);
    if (asked->first && !number(asked->first, '%', 100, &out->first))
        return verb_usage(verb, "--first is percent, as 40, not '%.40s'", asked->first);
    if (asked->last && !number(asked->last, '%', 100, &out->last))
        return verb_usage(verb, "--last is percent, as 40, not '%.40s'", asked->last);
    if (asked->first) out->first /= 100;
    if (asked->last) out->last /= 100;
    if (out->first + out->last > 1.0000001)
        return verb_usage(verb, "--first and --last are more than 100 percent together");
    return EXIT_DONE;
}

// Twelve decimals, without zeros at the end.
static const char *
decimal(double value, char out[64])
{
    int len = snprintf(out, 64, "%.12f", value);
    while (len > 0 && out[len - 1] == '0') out[--len] = '\0';
    if (len > 0 && out[len - 1] == '.') out[--len] = '\0';
    return strcmp(out, "-0") == 0 ? "0" : out;
}

static void
print_name(const char *name)
{
    if (name[strcspn(name, ",\"")] == '\0') {
        fputs(name, stdout);
        return;
    }
    putchar('"');
    for (; *name; name++) {
        if (*name == '"') putchar('"');
        putchar(*name);
    }
    putchar('"');
}

static void
print_csv(const struct path_result *result)
{
    char conversions[64], value[64];
    puts("touch,conversions,value");
    for (size_t i = 0; i < result->count; i++) {
        print_name(result->credits[i].touch);
        printf(",%s,%s\n", decimal(result->credits[i].conversions, conversions),
               decimal(result->credits[i].value, value));
    }
}

static void
print_json(const struct path_result *result, uint8_t model)
{
    json_t *touches = json_array();
    bool markov = model == ATTRIBUTION_MARKOV;
    for (size_t i = 0; i < result->count; i++) {
        const struct path_credit *credit = &result->credits[i];
        json_t *one = json_pack("{s:s%, s:f, s:f}", "touch", credit->touch, strlen(credit->touch),
                                "conversions", credit->conversions, "value", credit->value);
        CHECK(one == NULL || !markov ||
              json_object_set_new(one, "removal_effect", json_real(credit->removal)) == 0);
        // A name that is no UTF-8 cannot be said in JSON.
        if (one == NULL)
            one = json_pack("{s:s, s:f, s:f}", "touch", "(not UTF-8)", "conversions",
                            credit->conversions, "value", credit->value);
        CHECK(json_array_append_new(touches, one) == 0);
    }
    json_t *object = json_pack("{s:s, s:I, s:f, s:f, s:f, s:o}", "model",
                               market_attribution_name(model), "rows", (json_int_t)result->rows,
                               "conversions", result->conversions, "nulls", result->nulls, "value",
                               result->value, "touches", touches);
    CHECK(object != NULL);
    if (markov)
        CHECK(json_object_set_new(object, "p_conversion", json_real(result->converts)) == 0);
    CHECK(json_dumpf(object, stdout, JSON_REAL_PRECISION(15)) == 0);
    putchar('\n');
    json_decref(object);
}

static int
attribute_paths(const struct asked *asked, bool json)
{
    struct path_options options;
    struct path_fault fault;
    int code = read_options(asked, &options);
    if (code != EXIT_DONE) return code;
    bool standard = strcmp(asked->paths, "-") == 0;
    int file = standard ? STDIN_FILENO : open(asked->paths, O_RDONLY | O_CLOEXEC);
    if (file < 0) return verb_usage(&verb_attribute, "cannot open %s: %m", asked->paths);
    struct path_model *model = path_open(&options);
    enum status status = path_read(model, file, &fault);
    int why = errno;
    if (!standard) close(file);
    if (status == STATUS_OK) {
        const struct path_result *result = path_solve(model);
        if (options.model == ATTRIBUTION_SHAPLEY)
            fprintf(stderr,
                    "slotctl attribute: Shapley of %zu touches, computed exactly: "
                    "standard error 0\n",
                    result->count);
        if (json) print_json(result, options.model);
        else print_csv(result);
    } else if (status == STATUS_IO) {
        errno = why;
        code = verb_usage(&verb_attribute, "cannot read %s: %m", asked->paths);
    } else {
        fprintf(stderr, "slotctl attribute: %s:%llu: %s\n", asked->paths,
                (unsigned long long)fault.line, fault.text);
        code = EXIT_USAGE;
    }
    path_close(model);
    return code;
}

// --- Fits ----------------------------------------------------------------------------------------

static void
print_fit(const struct fit *fit, bool json)
{
    if (json) {
        printf("{\"version\": %u, \"model\": \"%s\", \"period\": \"%s\", \"conversions\": %llu, "
               "\"nulls\": %llu, \"touches\": %zu, \"made_before\": %s}\n",
               fit->version, market_attribution_name(fit->model), fit->period,
               (unsigned long long)fit->conversions, (unsigned long long)fit->nulls, fit->keys,
               fit->earlier ? "true" : "false");
        return;
    }
    printf("Fit %u (%s of %s) %s of %llu paths to a conversion and %llu to nothing; %zu touches "
           "have a weight.\n",
           fit->version, market_attribution_name(fit->model), fit->period,
           fit->earlier ? "was made before," : "is made", (unsigned long long)fit->conversions,
           (unsigned long long)fit->nulls, fit->keys);
}

static int
nothing_to_fit(const struct period *period)
{
    fprintf(stderr,
            "slotctl attribute: in %s nobody known converted after a message; there is nothing to "
            "fit yet\n",
            period->name);
    return EXIT_NO;
}

static int
fit(struct db *db, const struct asked *asked, const struct period *period, bool again, bool json)
{
    struct fit_report report = {0};
    enum status status;
    if (asked->model) {
        uint8_t model = ATTRIBUTION_LAST;
        bool known = path_model_parse(asked->model, strlen(asked->model), &model) == STATUS_OK;
        status = known
                     ? fit_model(db, period, model, again, "slotctl", clock_wall(), &report.fits[0])
                     : STATUS_INPUT;
        if (status == STATUS_INPUT)
            return verb_usage(&verb_attribute,
                              "'%.40s' is not fitted; markov, shapley and "
                              "counterfactual are",
                              asked->model);
        report.count = status == STATUS_OK;
        if (status == STATUS_NOT_FOUND) return nothing_to_fit(period);
    } else {
        status = fit_period(db, period, "slotctl", clock_wall(), &report);
    }
    if (status != STATUS_OK) return finance_refused(db, status, "fitting the model");
    for (unsigned i = 0; i < report.count; i++) print_fit(&report.fits[i], json);
    if (report.count > 0) return EXIT_DONE;
    fprintf(stderr,
            "slotctl attribute: no contract of %s divides by a fitted model, or nobody "
            "known converted; name one: --model markov\n",
            period->name);
    return EXIT_NO;
}

static int
list_fits(struct db *db, bool json)
{
    static const char sql[] =
        "select f.version, f.model, f.period, min(f.paths), min(f.nulls), min(f.act),"
        " (select count(*) from model_weight w where w.version = f.version and w.ppm > 0),"
        " (select count(distinct (t.period, t.group_id)) from transfer t"
        "  where t.model = f.version)"
        " from model_fit f group by f.version, f.model, f.period order by f.version";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status != STATUS_OK) return finance_refused(db, status, "listing the fits");
    if (!json) puts("version,model,period,conversions,nulls,act,touches,orders");
    for (size_t i = 0; i < db_count(rows); i++) {
        printf(json ? "{\"version\": %lld, \"model\": \"%s\", \"period\": \"%s\", \"conversions\": "
                      "%lld, \"nulls\": %lld, \"act\": %lld, \"touches\": %lld, \"orders\": %lld}\n"
                    : "%lld,%s,%s,%lld,%lld,%lld,%lld,%lld\n",
               (long long)db_get_int(rows, i, 0), db_get_text(rows, i, 1), db_get_text(rows, i, 2),
               (long long)db_get_int(rows, i, 3), (long long)db_get_int(rows, i, 4),
               (long long)db_get_int(rows, i, 5), (long long)db_get_int(rows, i, 6),
               (long long)db_get_int(rows, i, 7));
    }
    db_rows_free(rows);
    return EXIT_DONE;
}

static int
list_weights(struct db *db, const char *text, bool json)
{
    char *end;
    long version = strtol(text, &end, 10);
    if (*text < '1' || *text > '9' || *end != '\0' || version > INT32_MAX)
        return verb_usage(&verb_attribute, "--weights takes the version of a fit, as 3");
    const struct db_param param = db_int4((int32_t)version);
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select coalesce(s.code, w.seat::text), r.name, w.ppm from model_weight w"
        " left join seat s on s.id = w.seat join rung_name r on r.rung = w.rung"
        " where w.version = $1 order by 1, w.rung",
        &param, 1, &rows);
    if (status != STATUS_OK) return finance_refused(db, status, "reading the weights");
    size_t count = db_count(rows);
    if (count > 0 && !json) puts("seat,rung,ppm");
    for (size_t i = 0; i < count; i++) {
        printf(json ? "{\"seat\": \"%s\", \"rung\": \"%s\", \"ppm\": %lld}\n" : "%s,%s,%lld\n",
               db_get_text(rows, i, 0), db_get_text(rows, i, 1), (long long)db_get_int(rows, i, 2));
    }
    db_rows_free(rows);
    if (count > 0) return EXIT_DONE;
    fprintf(stderr, "slotctl attribute: there is no fit %ld; slotctl attribute --fits lists them\n",
            version);
    return EXIT_NO;
}

// "2026-11", or "2026-11:3": as fit 3 saw it.
static int
write_ledger(struct db *db, const char *text)
{
    struct period period;
    unsigned long version = 0;
    char name[PERIOD_TEXT] = "";
    size_t len = strcspn(text, ":");
    if (text[len] == ':') {
        char *end;
        version = strtoul(text + len + 1, &end, 10);
        if (version == 0 || version > INT32_MAX || *end != '\0')
            return verb_usage(&verb_attribute, "'%.40s' is not a period and a fit, as 2026-11:3",
                              text);
    }
    if (len < sizeof name) memcpy(name, text, len);
    int code = finance_period(&verb_attribute, name, &period);
    if (code != EXIT_DONE) return code;
    enum status status = fit_paths(db, &period, (uint32_t)version, stdout);
    if (status == STATUS_NOT_FOUND)
        return verb_usage(&verb_attribute, "there is no fit %lu", version);
    return status == STATUS_OK ? EXIT_DONE : finance_refused(db, status, "reading the paths");
}

static int
from_ledger(const struct verb_context *context, const struct asked *asked, bool again)
{
    struct period period = {.from = {0}};
    if (asked->fit) {
        int code = finance_period(&verb_attribute, asked->fit, &period);
        if (code != EXIT_DONE) return code;
    }
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    int code = asked->fit       ? fit(db, asked, &period, again, context->json)
               : asked->weights ? list_weights(db, asked->weights, context->json)
               : asked->ledger  ? write_ledger(db, asked->ledger)
                                : list_fits(db, context->json);
    db_close(db);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct asked asked = {0};
    bool again = false;
    const struct verb_option options[] = {
        {"--model", &asked.model, NULL},
        {"--paths", &asked.paths, NULL},
        {"--half-life", &asked.half_life, NULL},
        {"--first", &asked.first, NULL},
        {"--last", &asked.last, NULL},
        {"--case", &asked.only_case, NULL},
        {"--fit", &asked.fit, NULL},
        {"--ledger", &asked.ledger, NULL},
        {"--weights", &asked.weights, NULL},
        {"--fits", NULL, &asked.fits},
        {"--again", NULL, &again},
        {0},
    };
    argc = verb_options(&verb_attribute, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 1) return verb_usage(&verb_attribute, "does not know what '%s' is for", argv[1]);
    int ways = (asked.paths != NULL) + (asked.fit != NULL) + (asked.ledger != NULL) +
               (asked.weights != NULL) + asked.fits;
    if (ways != 1)
        return verb_usage(&verb_attribute,
                          "needs one of --paths FILE, --fit PERIOD, --fits, --weights VERSION and "
                          "--ledger PERIOD");
    return asked.paths ? attribute_paths(&asked, context->json)
                       : from_ledger(context, &asked, again);
}

const struct verb verb_attribute = {
    .name = "attribute",
    .arguments = "--model MODEL --paths FILE.csv | --fit PERIOD | --fits | --weights VERSION | "
                 "--ledger PERIOD",
    .summary = "divide conversions among touches; fit the models of contracts",
    .help =
        "Divides the conversions of a path table among the touches and prints CSV\n"
        "touch,conversions,value. The table is CSV with the columns path, conversions and, if\n"
        "need be, nulls, value and case, in any order; touches are joined by ' > '. FILE '-' is\n"
        "standard input. Needs no market.\n"
        "\n"
        "  --model MODEL     first, last, linear, time_decay, position, markov, shapley,\n"
        "                    counterfactual\n"
        "  --half-life DAYS  of time_decay, whose touches are name@days-before; 7 unless given\n"
        "  --first PERCENT, --last PERCENT   of position; 40 and 40 unless given\n"
        "  --case CASE       only the rows of this case\n"
        "\n"
        "  $ printf 'path,conversions,nulls\\nmail > shop,3,1\\nshop,1,5\\n' |\n"
        "        slotctl attribute --model linear --paths -\n"
        "  touch,conversions,value\n"
        "  mail,1.5,0\n"
        "  shop,2.5,0\n"
        "\n"
        "From the ledger's own paths:\n"
        "  --fit PERIOD      fits the models that contracts of the period divide by, or --model;\n"
        "                    what was fitted before stays, unless --again makes a new version\n"
        "  --fits            lists all fits, and how many orders each divided\n"
        "  --weights VERSION the weights of a fit\n"
        "  --ledger PERIOD   the period's paths as such a table; PERIOD:VERSION as the fit saw\n"
        "                    them\n"
        "\n"
        "Exit codes: 0 done; 1 there is nothing to fit, or no such fit; 2 the command or the\n"
        "table is wrong, with the line; 3 no database.\n",
    .run = run,
};
