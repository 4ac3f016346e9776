// slotctl rate: exchange rates, written down with their date and source, and read back.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "finance.h"
#include "market.h"
#include "market_db.h"
#include "rate.h"

static int
list(struct db *db, bool json)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select from_currency, to_currency, num, den, spread_ppm, at_us, source, act"
        " from rate order by from_currency, to_currency, at_us",
        NULL, 0, &rows);
    if (status != STATUS_OK) return finance_refused(db, status, "listing the rates");
    if (db_count(rows) == 0 && !json)
        puts("No rates yet. Write one down: slotctl rate EUR USD 1.0875 --source ECB");
    for (size_t i = 0; i < db_count(rows); i++) {
        struct rate rate = {.num = (uint64_t)db_get_int(rows, i, 2),
                            .den = (uint64_t)db_get_int(rows, i, 3)};
        char text[RATE_TEXT], at[CLOCK_TEXT];
        rate_format(&rate, text);
        clock_format(db_get_time(rows, i, 5), at);
        if (!json) {
            printf("%s  1 %s = %s %s  spread %lld ppm  %s  act %lld\n", at, db_get_text(rows, i, 0),
                   text, db_get_text(rows, i, 1), (long long)db_get_int(rows, i, 4),
                   db_get_text(rows, i, 6), (long long)db_get_int(rows, i, 7));
            continue;
        }
        json_t *object = json_pack(
            "{s:s, s:s, s:s, s:I, s:s, s:s, s:I}", "from", db_get_text(rows, i, 0), "to",
            db_get_text(rows, i, 1), "rate", text, "spread_ppm", (json_int_t)db_get_int(rows, i, 4),
            "at", at, "source", db_get_text(rows, i, 6), "act", (json_int_t)db_get_int(rows, i, 7));
        CHECK(object != NULL && json_dumpf(object, stdout, 0) == 0);
        putchar('\n');
        json_decref(object);
    }
    db_rows_free(rows);
    return EXIT_DONE;
}

// The one in force, however old.
static int
show(struct db *db, struct currency from, struct currency to)
{
    struct rate rate;
    char fault[RATE_FAULT], text[RATE_TEXT], at[CLOCK_TEXT];
    enum status status = rate_find(db, from, to, clock_wall(), INT64_MAX, &rate, fault);
    if (status == STATUS_NOT_FOUND) {
        fprintf(stderr, "slotctl rate: %s\n", fault);
        return EXIT_NO;
    }
    if (status != STATUS_OK) return finance_refused(db, status, "reading the rate");
    rate_format(&rate, text);
    clock_format(rate.at, at);
    printf("1 %s = %s %s since %s, spread %u ppm, source %s%s\n", from.code, text, to.code, at,
           rate.spread_ppm, rate.source, rate.inverse ? " (written for the other way)" : "");
    return EXIT_DONE;
}

static int
set(struct db *db, const struct rate *rate, const char *author)
{
    char text[RATE_TEXT], at[CLOCK_TEXT];
    enum status status = rate_set(db, rate, author, clock_wall());
    rate_format(rate, text);
    clock_format(rate->at, at);
    if (status == STATUS_OK || status == STATUS_EXISTS) {
        printf("1 %s = %s %s from %s on %s.\n", rate->from.code, text, rate->to.code, at,
               status == STATUS_OK ? "is written down" : "was written down before");
        return EXIT_DONE;
    }
    if (status == STATUS_CONFLICT) {
        fprintf(stderr,
                "slotctl rate: another rate from %s to %s is written down for %s and stays; a "
                "correction has its own time: --at\n",
                rate->from.code, rate->to.code, at);
        return EXIT_NO;
    }
    if (status == STATUS_INPUT)
        return verb_usage(&verb_rate, "the two currencies are the same, the time lies in the "
                                      "future, or --by is longer than a name");
    return finance_refused(db, status, "writing the rate down");
}

// "0.5%", in millionths; less than a whole.
static bool
parse_spread(const char *text, uint32_t *out_ppm)
{
    money percent;
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '%') len--;
    if (money_parse(text, len, &percent) != STATUS_OK || percent.micros < 0 ||
        percent.micros % 100 != 0 || percent.micros >= 100 * (int64_t)MONEY_PPM)
        return false;
    *out_ppm = (uint32_t)(percent.micros / 100);
    return true;
}

static int
parse(int argc, char **argv, const char *at, const char *source, const char *spread,
      struct rate *out)
{
    memset(out, 0, sizeof *out);
    for (int i = 1; i <= 2; i++) {
        if (currency_parse(argv[i], strlen(argv[i]), i == 1 ? &out->from : &out->to) != STATUS_OK ||
            !market_currency_known(argv[i]))
            return verb_usage(&verb_rate,
                              "'%.20s' is not a currency; write three capitals (ISO 4217), as EUR",
                              argv[i]);
    }
    if (argc == 3) return EXIT_DONE;
    if (rate_parse(argv[3], strlen(argv[3]), &out->num, &out->den) != STATUS_OK)
        return verb_usage(&verb_rate,
                          "'%.40s' is not a rate; write it as 1.0875 or 87/80, above 0 and with at "
                          "most twelve digits",
                          argv[3]);
    out->at = clock_wall();
    if (at && (clock_parse(at, strlen(at), &out->at) != STATUS_OK || out->at.us < 0))
        return verb_usage(&verb_rate,
                          "'%.40s' is not a time; write it as 2026-11-22 or "
                          "2026-11-22T16:00:00Z",
                          at);
    if (spread && !parse_spread(spread, &out->spread_ppm))
        return verb_usage(&verb_rate, "'%.40s' is not a spread; write percent, as 0.5%%", spread);
    if (source == NULL || *source == '\0' || strlen(source) > RATE_SOURCE)
        return verb_usage(&verb_rate, "needs --source: where the rate is from, 1 to %d bytes",
                          RATE_SOURCE);
    snprintf(out->source, sizeof out->source, "%s", source);
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *at = NULL, *source = NULL, *spread = NULL, *by = NULL;
    const struct verb_option options[] = {{"--at", &at, NULL},
                                          {"--source", &source, NULL},
                                          {"--spread", &spread, NULL},
                                          {"--by", &by, NULL},
                                          {0}};
    struct rate rate;
    argc = verb_options(&verb_rate, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 1 && argc != 3 && argc != 4)
        return verb_usage(&verb_rate,
                          "needs two currencies and a rate, two currencies, or nothing");
    if (argc > 1) {
        int code = parse(argc, argv, at, source, spread, &rate);
        if (code != EXIT_DONE) return code;
    }
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    int code = argc == 1   ? list(db, context->json)
               : argc == 3 ? show(db, rate.from, rate.to)
                           : set(db, &rate, finance_author(by));
    db_close(db);
    return code;
}

const struct verb verb_rate = {
    .name = "rate",
    .arguments = "[FROM TO [RATE --source SOURCE [--at TIME] [--spread PERCENT] [--by NAME]]]",
    .summary = "write down an exchange rate, or read them",
    .help =
        "Writes down what one unit of FROM is in units of TO, from a time on (now unless --at\n"
        "says otherwise), with its source. Payouts in another currency use the newest rate of\n"
        "the pair, in either direction, unless it is older than the market's finance.rate_age\n"
        "allows. --spread is what the host keeps of what is exchanged, in percent. Rates are\n"
        "never changed: a correction is a newer one.\n"
        "\n"
        "  slotctl rate EUR USD 1.0875 --source ECB --at 2026-11-20T15:00:00Z\n"
        "  slotctl rate EUR USD       the one in force\n"
        "  slotctl rate               all of them\n"
        "\n"
        "Exit codes: 0 done; 1 another rate is written down for that time, or there is none; 2\n"
        "the command is wrong; 3 no database.\n",
    .run = run,
};
