// Exports: names, amounts, order, balances. With EXPORT_TO set it fills a folder with the exports
// of two months, for programs that nobody here wrote (tests/flow/export_tools_test.sh).
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

#include "../../ledger/export_check.h"
#include "books.h"
#include "deposit.h"
#include "export.h"
#include "folder.h"
#include "seed.h"
#include "settle.h"

static struct books books;
static struct period october, november;

static struct period
month(const char *name)
{
    struct period period;
    assert_int_equal(period_parse(name, strlen(name), &period), STATUS_OK);
    return period;
}

static uint64_t
write_export(const struct period *period, enum export_format format, const char *path)
{
    uint64_t transfers = 0;
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(export_period(books.console_db, period, format, out, &transfers), STATUS_OK);
    assert_int_equal(fclose(out), 0);
    return transfers;
}

static char *
text_of(const struct period *period, enum export_format format)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(export_period(books.console_db, period, format, out, NULL), STATUS_OK);
    fclose(out);
    return text;
}

static int
set_up(void **state)
{
    (void)state;
    uint64_t seed = seed_fixed(20261122);
    struct deposit deposit;
    struct settle_report report;
    october = month("2026-10");
    november = month("2026-11");
    books_open(&books, books_market, "2026-10-20T09:00:00Z");
    assert_int_equal(deposit_book(books.console_db, "mags", money_of(50000000), "BANK-1", "tester",
                                  books.now, &deposit),
                     STATUS_OK);
    books_random(&books, seed, 300, 50 * 60 * USEC_SECOND);
    books_ship(&books);
    struct settle_options options = {.directory = books.directory, .now = november.from};
    assert_int_equal(settle_close(books.console_db, &october, &options, &report), STATUS_OK);
    books.now = november.from;
    books_random(&books, seed + 1, 400, 100 * 60 * USEC_SECOND);
    books_ship(&books);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    books_close(&books);
    return 0;
}

static void
names_for_beancount_are_legal_and_differ(void **state)
{
    (void)state;
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"Assets:Bank", "Assets:Bank"},
        {"Assets:Receivable:Unbilled:grill_house", "Assets:Receivable:Unbilled:GrillHouse"},
        {"Income:GainShare:Rung:5-predictive:sales", "Income:GainShare:Rung:5-predictive:Sales"},
        {"Liabilities:Prepaid:a_1", "Liabilities:Prepaid:AZ-1"},
        {"Liabilities:Prepaid:a_z-b", "Liabilities:Prepaid:AZz-b"},
        {"Liabilities:Prepaid:a.b", "Liabilities:Prepaid:AZ2eb"},
        {"Liabilities:Prepaid:1st", "Liabilities:Prepaid:1st"},
        {"Memo:Lease:x", "Equity:Memo:Lease:X"},
    };
    char name[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(export_beancount_name(cases[i].name, name, sizeof name));
        assert_string_equal(name, cases[i].expected);
    }
    assert_false(export_beancount_name("Assets:Receivable", name, 10));
    // All codes of up to four of the bytes that could collide.
    static const char bytes[] = "az1-_";
    static char seen[800][24];
    size_t count = 0;
    for (int code = 0; code < 5 * 5 * 5 * 5; code++) {
        char from[24] = "P:", to[24];
        int rest = code;
        for (int i = 0; i < 4; i++, rest /= 5) from[2 + i] = bytes[rest % 5];
        if (from[2] == '_' || from[2] == '-') continue;  // no code begins so
        assert_true(export_beancount_name(from, to, sizeof to));
        for (size_t i = 0; i < count; i++) assert_string_not_equal(seen[i], to);
        strcpy(seen[count++], to);
    }
    assert_int_equal(count, 375);
}

static void
every_posted_transfer_is_in_it_once(void **state)
{
    (void)state;
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text("2026-11")};
    assert_int_equal(
        db_query(books.db, "select transfer_id, state = 'posted' from transfer where period = $1",
                 params, 1, &rows),
        STATUS_OK);
    assert_true(db_count(rows) > 100);
    for (int i = 0; i < EXPORT_FORMAT_COUNT; i++) {
        char *text = text_of(&november, (enum export_format)i);
        for (size_t k = 0; k < db_count(rows); k++) {
            char id[ID_TEXT];
            id_format(db_get_id(rows, k, 0), id);
            const char *first = strstr(text, id);
            if (!db_get_bool(rows, k, 1)) {
                assert_null(first);  // a hold is no money yet
                continue;
            }
            assert_non_null(first);
            if (i != EXPORT_CSV) assert_null(strstr(first + 1, id));
        }
        // Six decimals everywhere: a dot is followed by six digits.
        for (const char *at = text; i != EXPORT_CSV && (at = strstr(at, " EUR")) != NULL; at++)
            if (at[-1] >= '0' && at[-1] <= '9') assert_int_equal(at[-7], '.');
        free(text);
    }
    db_rows_free(rows);
}

// CSV, re-added here: opening balance and transfers give the closing balance of every account.
static void
the_csv_adds_up_to_the_balances(void **state)
{
    (void)state;
    char *text = text_of(&november, EXPORT_CSV), *rest = text;
    struct {
        char name[64];
        int64_t micros;
    } accounts[64];
    size_t count = 0, lines = 0;
    strsep(&rest, "\n");
    for (char *line = strsep(&rest, "\n"); line != NULL && line[0] != '\0';
         line = strsep(&rest, "\n")) {
        char *field[8];
        for (int i = 0; i < 8; i++) field[i] = strsep(&line, ",");
        int64_t amount = strtoll(field[7], NULL, 10);
        assert_true(amount > 0);
        lines++;
        for (int side = 0; side < 2; side++) {
            size_t k = 0;
            while (k < count && strcmp(accounts[k].name, field[5 + side]) != 0) k++;
            if (k == count) {
                assert_true(count < 64);
                snprintf(accounts[count].name, sizeof accounts[count].name, "%s", field[5 + side]);
                accounts[count++].micros = 0;
            }
            accounts[k].micros += side == 0 ? amount : -amount;
        }
    }
    assert_true(lines > 50);
    for (size_t k = 0; k < count; k++) {
        char sql[256], found[32];
        snprintf(sql, sizeof sql,
                 "select sum(e.micros)::text from entry e join account a using (currency, account)"
                 " where a.name = '%s' and e.period = '2026-11'",
                 accounts[k].name);
        snprintf(found, sizeof found, "%lld", (long long)accounts[k].micros);
        assert_string_equal(books_text(&books, sql), found);
    }
    free(text);
}

static void
opening_balances_and_order(void **state)
{
    (void)state;
    char *first = text_of(&october, EXPORT_HLEDGER), *second = text_of(&november, EXPORT_HLEDGER);
    assert_null(strstr(first, "opening balances"));
    assert_non_null(
        strstr(second, "2026-11-01 * opening balances\n    Assets:Bank   50.000000 EUR\n"));
    assert_non_null(strstr(second, "2026-11-30 * closing balances\n"));
    char last[11] = "";
    for (const char *at = second; at != NULL; at = strstr(at, "\n2026-")) {
        if (*at == '\n') at++;
        if (strncmp(at, "2026-", 5) != 0) continue;
        assert_true(strncmp(last, at, 10) <= 0);
        memcpy(last, at, 10);
    }
    free(first);
    free(second);
    // A month without anything is still a legal file.
    struct period later = month("2027-03");
    char *empty = text_of(&later, EXPORT_BEANCOUNT);
    assert_non_null(strstr(empty, "2027-04-01 balance Assets:Bank   50.000000 ~ 0.000000 EUR"));
    free(empty);
}

static void
a_full_disk_is_told(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL) skip();
    assert_int_equal(export_period(books.console_db, &november, EXPORT_HLEDGER, full, NULL),
                     STATUS_IO);
    fclose(full);
    // The connection is as good as before.
    char *text = text_of(&november, EXPORT_LEDGER);
    assert_non_null(text);
    free(text);
}

// Totals of days end in the same balances as the transfers, with far fewer transactions.
static void
totals_of_days(void **state)
{
    (void)state;
    for (int i = 0; i < EXPORT_CSV; i++) {
        char *text = text_of(&november, (enum export_format)i), *days = NULL;
        size_t len = 0;
        uint64_t totals = 0;
        FILE *out = open_memstream(&days, &len);
        assert_int_equal(
            export_days(books.console_db, &november, (enum export_format)i, out, &totals),
            STATUS_OK);
        assert_int_equal(fclose(out), 0);
        static const char *const closing[] = {"closing balances", "closing balances",
                                              "2026-12-01 balance"};
        assert_string_equal(strstr(text, closing[i]), strstr(days, closing[i]));
        char number[32];
        snprintf(number, sizeof number, "%llu", (unsigned long long)totals);
        assert_string_equal(
            books_text(&books, "select count(*)::text from (select distinct least(greatest("
                               "effective_us, 1793491200000000), 1796083199999999) / 86400000000, "
                               "currency, debit, credit from transfer where period = '2026-11' and "
                               "state = 'posted') d"),
            number);
        free(days);
        free(text);
    }
}

// Those of hledger, ledger, bean-check and sqlite3 that are installed agree; tests/flow asks for
// all.
static void
installed_programs_agree(void **state)
{
    (void)state;
    struct export_check check;
    enum status status = export_check(books.console_db, &november, NULL, &check);
    if (status != STATUS_OK) fail_msg("%s", check.fault);
    assert_non_null(strstr(check.text, "hledger"));
    assert_non_null(strstr(check.text, "beancount"));
    assert_non_null(strstr(check.text, "sqlite"));
}

static void
readers_are_those_that_are_named(void **state)
{
    (void)state;
    struct export_check check;
    assert_int_equal(export_check(books.console_db, &november, "ledger, excel", &check),
                     STATUS_INPUT);
    assert_non_null(strstr(check.fault, "readers are hledger, ledger, beancount and sqlite"));
    assert_true(export_check_readers("sqlite,hledger"));
    assert_false(export_check_readers("sql"));
    assert_false(export_check_readers("hledger;ledger"));
    assert_int_equal(export_check(books.console_db, &november, "sqlite", &check), STATUS_OK);
    assert_int_equal(check.agreed, 1);
    assert_int_equal(strncmp(check.text, "sqlite agrees (", 15), 0);
    assert_null(strstr(check.text, "ledger"));
    char *path = strdup(getenv("PATH"));
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    enum status missing = export_check(books.console_db, &november, "sqlite", &check);
    enum status none = export_check(books.console_db, &november, "", &(struct export_check){0});
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    assert_int_equal(missing, STATUS_NOT_FOUND);
    assert_non_null(strstr(check.fault, "apt-get install sqlite3"));
    assert_int_equal(none, STATUS_OK);
}

// What a program finds wrong ends the check: a transfer that is changed while the balances, which
// come from the same rows, are not.
static void
a_reader_that_disagrees_is_told(void **state)
{
    (void)state;
    struct export_check check;
    char folder[] = "/tmp/vendue-reader-XXXXXX", path[600], program[64];
    assert_non_null(mkdtemp(folder));
    snprintf(program, sizeof program, "%s/sqlite3", folder);
    FILE *out = fopen(program, "w");
    assert_non_null(out);
    // In the place of the real one: one transfer more is read than there is.
    fprintf(out, "#!/bin/sh\nsed -n 1p transfers >>transfers\nPATH=%s exec sqlite3 \"$@\"\n",
            getenv("PATH"));
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(program, 0700), 0);
    char *before = strdup(getenv("PATH"));
    snprintf(path, sizeof path, "%s:%.500s", folder, before);
    assert_int_equal(setenv("PATH", path, 1), 0);
    enum status status = export_check(books.console_db, &november, "sqlite", &check);
    assert_int_equal(setenv("PATH", before, 1), 0);
    free(before);
    assert_int_equal(status, STATUS_CONFLICT);
    assert_non_null(strstr(check.fault, "sqlite finds the export of 2026-11 wrong"));
    assert_non_null(strstr(check.fault, "2 balances wrong"));
    assert_int_equal(folder_remove(folder), 0);
}

static void
fills_the_folder_of_the_flow(void **state)
{
    (void)state;
    const char *folder = getenv("EXPORT_TO");
    if (folder == NULL) skip();
    static const char *const suffixes[EXPORT_FORMAT_COUNT] = {"journal", "ledger", "beancount",
                                                              "csv"};
    for (int i = 0; i < EXPORT_FORMAT_COUNT; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/2026-10.%s", folder, suffixes[i]);
        assert_true(write_export(&october, (enum export_format)i, path) > 10);
        snprintf(path, sizeof path, "%s/2026-11.%s", folder, suffixes[i]);
        assert_true(write_export(&november, (enum export_format)i, path) > 50);
    }
    // What the database says the accounts come to, for the fourth opinion.
    char path[512];
    snprintf(path, sizeof path, "%s/2026-11.balances", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(books_text(
              &books,
              "select string_agg(name || ',' || micros::text, E'\\n' order by name collate \"C\")"
              " || E'\\n' from (select a.name, sum(e.micros) as micros from entry e"
              " join account a using (currency, account) where e.period = '2026-11'"
              " group by a.name) b"),
          out);
    assert_int_equal(fclose(out), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_for_beancount_are_legal_and_differ),
        cmocka_unit_test(every_posted_transfer_is_in_it_once),
        cmocka_unit_test(the_csv_adds_up_to_the_balances),
        cmocka_unit_test(opening_balances_and_order),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(totals_of_days),
        cmocka_unit_test(installed_programs_agree),
        cmocka_unit_test(readers_are_those_that_are_named),
        cmocka_unit_test(a_reader_that_disagrees_is_told),
        cmocka_unit_test(fills_the_folder_of_the_flow),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
