// Fits: the ledger's own paths against the same paths written down by the test as it tells the
// story, the weights against the model on that table; versions, places in the journal, refits.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act.h"
#include "books.h"
#include "fit.h"
#include "path.h"
#include "seed.h"

#define CONTRACT(model)                                                                        \
    "contracts:\n"                                                                             \
    "  shop.2026: {seat: shop, from: 2025-01-01, gain_share: {rate: 10%, shares: [{to: host, " \
    "weight: 40}, {to: touches, weight: 60}], attribution: {model: " model                     \
    ", windows: {delivered: 30d}}}}\n"                                                         \
    "  mail.2026: {seat: mail, from: 2025-01-01}\n"                                            \
    "  care.2026: {seat: care, from: 2025-01-01}\n"
static const char market[] =
    "market: {code: tiny, currency: EUR}\n"
    "touchpoints: {crm: Desk}\n"
    "seats:\n"
    "  care: {kind: department}\n"
    "  shop: {kind: partner}\n"
    "  mail: {kind: partner}\n"
    "containers:\n"
    "  bill: {stage: use, channel: bill, owner: care, slots: {\n"
    "    footer: {floor: 0.05, rungs: [1-8], objectives: [cross_sell]}}}\n"
    "messages:\n"
    "  coffee: {seat: shop, rung: affiliation, objectives: [cross_sell]}\n"
    "  beans: {seat: shop, rung: syndication, objectives: [cross_sell]}\n"
    "  post: {seat: mail, rung: commercialization, objectives: [cross_sell]}\n"
    "  help: {seat: care, rung: personalization, objectives: [cross_sell]}\n";
static const struct {
    const char *message, *key;
} messages[] = {{"coffee", "shop/affiliation"},
                {"beans", "shop/syndication"},
                {"post", "mail/commercialization"},
                {"help", "care/personalization"}};

static struct books books;
static struct period november;
static char text[8192];

static void
open_books(const char *contracts)
{
    snprintf(text, sizeof text, "%s%s", market, contracts);
    books_open(&books, text, "2026-10-02T09:00:00Z");
    assert_int_equal(period_parse("2026-11", 7, &november), STATUS_OK);
}

// --- The story, and what the test itself knows of it ---------------------------------------------

#define CUSTOMERS 9
#define EVENTS 400
static struct event {
    uint64_t customer;
    usec at;
    int message;  // -1: a conversion
    int64_t amount;
} events[EVENTS];
static unsigned event_count;

static void
tell(uint64_t *seed, unsigned steps)
{
    static unsigned orders;
    for (unsigned i = 0; i < steps; i++) {
        uint64_t drawn = hash_mix(*seed += 0x9e3779b97f4a7c15u);
        int message = (int)(drawn % 4);
        books.customer = drawn / 16 % (CUSTOMERS + 1);  // 0: anonymous
        books.now.us += (int64_t)(drawn / 256 % (uint64_t)(USEC_DAY / 2)) + 1;
        struct id won = books_win(&books, "bill.footer", messages[message].message, 60000);
        if (drawn / 4096 % 5 == 0) continue;  // never shown
        books.now.us += USEC_SECOND;
        books_event(&books, won, FACT_DELIVERED, books.now);
        events[event_count++] = (struct event){books.customer, books.now, message, 0};
        if (drawn / 32768 % 3 != 0) continue;
        char key[24];
        int64_t amount = 1000000 + (int64_t)(drawn % 900) * 10000;
        snprintf(key, sizeof key, "order-%u", ++orders);
        books.now.us += USEC_SECOND;
        books_revenue(&books, won, FACT_CONVERTED, amount, key, NULL, books.now);
        events[event_count++] = (struct event){books.customer, books.now, -1, amount};
        assert_true(event_count + 2 < EVENTS);
    }
}

static int
lines_ascending(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

// The lines behind the header, sorted.
static void
sorted(char *table, char *out, size_t room)
{
    char *lines[EVENTS], *rest = table, *line;
    size_t count = 0, len = 0;
    assert_string_equal(strsep(&rest, "\n"), "path,conversions,nulls,value");
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (*line) lines[count++] = line;
    }
    qsort(lines, count, sizeof *lines, lines_ascending);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(out + len, room - len, "%s\n", lines[i]);
}

// What docs/attribution.md says, in a few lines.
static void
expected_table(FILE *out)
{
    fputs("path,conversions,nulls,value\n", out);
    for (uint64_t customer = 1; customer <= CUSTOMERS; customer++) {
        bool converted = false;
        for (unsigned i = 0; i <= event_count; i++) {
            bool end = i == event_count;
            bool order = !end && events[i].customer == customer && events[i].message < 0 &&
                         events[i].at.us >= november.from.us && events[i].at.us < november.until.us;
            if (!order && (!end || converted)) continue;
            converted = true;
            unsigned count = 0;
            for (unsigned k = 0; k < i; k++) {
                const struct event *touch = &events[k];
                usec from = end ? november.from : (usec){events[i].at.us - FIT_DAYS * USEC_DAY};
                if (touch->customer != customer || touch->message < 0 || touch->at.us < from.us ||
                    touch->at.us >= november.until.us)
                    continue;
                fprintf(out, "%s%s", count++ ? " > " : "", messages[touch->message].key);
            }
            char amount[MONEY_TEXT] = "0.00";
            if (!end) money_format(money_of(events[i].amount), 2, amount);
            if (count) fprintf(out, ",%d,%d,%s\n", !end, end, amount);
        }
    }
}

static char *
written(struct db *db, uint32_t version)
{
    char *table = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&table, &len);
    enum status status = STATUS_OK;
    assert_non_null(out);
    if (db) status = fit_paths(db, &november, version, out);
    else expected_table(out);
    fclose(out);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    return table;
}

static void
same_tables(char *got, char *expected)
{
    static char left[65536], right[65536];
    sorted(got, left, sizeof left);
    sorted(expected, right, sizeof right);
    assert_string_equal(left, right);
    free(got);
    free(expected);
}

// The model on the table, weight by weight, in the order of names.
static void
check_weights(const struct fit *fit)
{
    char *table = written(NULL, 0), sql[400];
    struct path_options options = path_defaults();
    struct path_fault fault;
    uint32_t ppm[8];
    options.model = fit->model;
    struct path_model *model = path_open(&options);
    int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, table, strlen(table)), (ssize_t)strlen(table));
    lseek(file, 0, SEEK_SET);
    assert_int_equal(path_read(model, file, &fault), STATUS_OK);
    const struct path_result *result = path_solve(model);
    assert_true(path_ppm(result, ppm));
    for (size_t i = 0; i < result->count; i++) {
        snprintf(sql, sizeof sql,
                 "select w.ppm::text from model_weight w join seat s on s.id = w.seat join"
                 " rung_name r on r.rung = w.rung where version = %u and s.code || '/' || r.name ="
                 " '%s'",
                 fit->version, result->credits[i].touch);
        int64_t kept = strtoll(books_text(&books, sql), NULL, 10);
        // Sums of doubles depend on their order in the last bits.
        assert_true(llabs(kept - ppm[i]) <= 1);
    }
    snprintf(sql, sizeof sql, "select sum(ppm)::text from model_weight where version = %u",
             fit->version);
    assert_string_equal(books_text(&books, sql), "1000000");
    path_close(model);
    close(file);
    free(table);
}

// --- Tests ---------------------------------------------------------------------------------------

static void
fits_the_ledgers_own_paths(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    struct fit fit;
    struct period april;
    event_count = 0;
    open_books(CONTRACT("markov"));
    tell(&seed, 170);
    books_ship(&books);
    same_tables(written(books.console_db, 0), written(NULL, 0));
    assert_int_equal(period_parse("2026-04", 7, &april), STATUS_OK);
    assert_int_equal(
        fit_model(books.console_db, &april, ATTRIBUTION_MARKOV, false, "ada", books.now, &fit),
        STATUS_NOT_FOUND);
    assert_int_equal(
        fit_model(books.console_db, &november, ATTRIBUTION_LINEAR, false, "ada", books.now, &fit),
        STATUS_INPUT);
    for (uint8_t model = ATTRIBUTION_MARKOV; model <= ATTRIBUTION_COUNTERFACTUAL; model++) {
        enum status status = fit_model(books.console_db, &november, model, false, "ada", books.now,
                                       &fit);
        if (status != STATUS_OK) print_message("%s\n", db_fault(books.console_db)->text);
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(fit.version, 1 + model - ATTRIBUTION_MARKOV);
        assert_false(fit.earlier);
        check_weights(&fit);
    }
    struct act_head head;
    char fault[ACT_FAULT];
    assert_int_equal(act_verify(books.console_db, &head, fault), STATUS_OK);
    assert_int_equal(head.number, 3);
    books_close(&books);
}

static void
a_fit_stays_and_a_refit_is_another(void **state)
{
    (void)state;
    uint64_t seed = seed_fixed(7);
    struct fit fit, again;
    struct fit_report report;
    event_count = 0;
    open_books(CONTRACT("markov"));
    tell(&seed, 130);
    books_ship(&books);
    assert_int_equal(fit_period(books.console_db, &november, "close", books.now, &report),
                     STATUS_OK);
    assert_int_equal(report.count, 1);
    fit = report.fits[0];
    assert_int_equal(fit.model, ATTRIBUTION_MARKOV);
    assert_string_equal(books_text(&books, "select (f.batch = w.batch and f.seen = w.batch)::text"
                                           " from model_fit f join watermark w on w.log = f.log"),
                        "true");
    char *before = written(books.console_db, 0);
    char *digest = strdup(books_text(&books, "select string_agg(seat || ' ' || rung || ' ' || ppm,"
                                             " ',' order by seat, rung) from model_weight"));
    // More is reported, of November too.
    books_at(&books, "2026-11-28T09:00:00Z");
    tell(&seed, 4);
    books_ship(&books);
    assert_int_equal(fit_period(books.console_db, &november, "close", books.now, &report),
                     STATUS_OK);
    assert_true(report.fits[0].earlier);
    assert_int_equal(report.fits[0].version, fit.version);
    assert_int_equal(report.fits[0].conversions, fit.conversions);
    assert_int_equal(report.fits[0].keys, fit.keys);
    same_tables(written(books.console_db, fit.version), before);
    assert_int_equal(
        fit_model(books.console_db, &november, ATTRIBUTION_MARKOV, true, "ada", books.now, &again),
        STATUS_OK);
    assert_int_equal(again.version, fit.version + 1);
    same_tables(written(books.console_db, again.version), written(books.console_db, 0));
    assert_string_equal(books_text(&books, "select string_agg(seat || ' ' || rung || ' ' || ppm,"
                                           " ',' order by seat, rung) from model_weight where"
                                           " version = 1"),
                        digest);
    free(digest);
    FILE *none = fopen("/dev/null", "w");
    assert_int_equal(fit_paths(books.console_db, &november, 9, none), STATUS_NOT_FOUND);
    fclose(none);
    books_close(&books);
}

static void
only_models_that_are_fitted_are(void **state)
{
    (void)state;
    uint64_t seed = seed_fixed(7);
    struct fit_report report;
    event_count = 0;
    open_books(CONTRACT("linear"));
    tell(&seed, 130);
    books_ship(&books);
    assert_int_equal(fit_period(books.console_db, &november, "close", books.now, &report),
                     STATUS_OK);
    assert_int_equal(report.count, 0);
    assert_string_equal(books_text(&books, "select count(*)::text from model_fit"), "0");
    books_close(&books);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_the_ledgers_own_paths),
        cmocka_unit_test(a_fit_stays_and_a_refit_is_another),
        cmocka_unit_test(only_models_that_are_fitted_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
