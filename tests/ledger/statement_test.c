// Statements: to the letter for a known month; for random months, whatever is printed adds up to
// what the accounts say; published files appear once and never change.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "books.h"
#include "deposit.h"
#include "seed.h"
#include "settle.h"
#include "statement.h"

static uint64_t seed;

static struct period
month(const char *name)
{
    struct period period;
    assert_int_equal(period_parse(name, strlen(name), &period), STATUS_OK);
    return period;
}

static const char *
statement(struct books *books, const char *seat, const struct period *period,
          enum statement_format format)
{
    const char *text = NULL;
    assert_int_equal(statement_get(books->console_db, seat, period, format, books->arena, &text),
                     STATUS_OK);
    return text;
}

static void
close_month(struct books *books, const struct period *period)
{
    struct settle_options options = {.directory = books->directory,
                                     .now = {period->until.us + USEC_DAY}};
    struct settle_report report;
    enum status status = settle_close(books->console_db, period, &options, &report);
    if (status != STATUS_OK) fail_msg("%s", report.fault);
}

// The example of docs/finance.md, word for word.
static void
reads_as_the_handbook_says(void **state)
{
    (void)state;
    struct books books;
    struct deposit deposit;
    struct period november = month("2026-11");
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    assert_int_equal(deposit_book(books.console_db, "mags", money_of(50000000), "BANK-1", "tester",
                                  books.now, &deposit),
                     STATUS_OK);
    for (int i = 0; i < 4; i++)
        books_event(&books, books_win(&books, "bill.footer", "barbecue", 152345), FACT_DELIVERED,
                    books.now);
    books_event(&books, books_win(&books, "bill.insert", "barbecue", 333333), FACT_EXPIRED,
                books.now);
    struct id insert = books_win(&books, "bill.insert", "barbecue", 1207655);
    books_event(&books, insert, FACT_DELIVERED, books.now);
    for (int i = 0; i < 3; i++)
        books_event(&books, books_win(&books, "bill.footer", "magazine", 100001), FACT_DELIVERED,
                    books.now);
    struct id cover = books_win(&books, "call.offer", "protection", 900000);
    books_event(&books, cover, FACT_DELIVERED, books.now);
    books_revenue(&books, cover, FACT_CONVERTED, 1666666683, "order-1", NULL, books.now);
    books_revenue(&books, cover, FACT_REFUNDED, 66666683, "order-1", "refund-1", books.now);
    books_ship(&books);
    static const char grill[] =
        "Statement of Grill House (grill), partner\n"
        "November 2026, draft: the period is open, amounts in EUR\n"
        "Contract grill.2026 (credit, charged on delivery)\n"
        "\n"
        "Placements\n"
        "  slot         message   rung               won  delivered  not shown  converted  amount\n"
        "  bill.footer  barbecue  commercialization    4          4          0          0    0.61\n"
        "  bill.insert  barbecue  commercialization    2          1          1          0    1.20\n"
        "  --------------------------------------------------------------------------------------\n"
        "  To pay                                      6          5          1          0    1.81\n"
        "  0.007035 EUR, less than a cent, is carried to the next statement\n"
        "\n"
        "Each amount opens to its transfers: slotctl export 2026-11 --format csv, accounts of "
        "grill.\n";
    assert_string_equal(statement(&books, "grill", &november, STATEMENT_TEXT), grill);
    FILE *in = fopen(SOURCE_DIR "/docs/finance.md", "r");
    static char handbook[65536];
    assert_non_null(in);
    handbook[fread(handbook, 1, sizeof handbook - 1, in)] = '\0';
    fclose(in);
    assert_non_null(strstr(handbook, grill));
    static const char shield[] =
        "Statement of Shield \"Cover\", Ltd (cover), partner\n"
        "November 2026, draft: the period is open, amounts in EUR\n"
        "Contract cover.2026 (credit, charged on delivery, 6% of revenue)\n"
        "\n"
        "Placements\n"
        "  slot        message     rung         won  delivered  not shown  converted  amount\n"
        "  call.offer  protection  affiliation    1          1          0          1    0.90\n"
        "  ---------------------------------------------------------------------------------\n"
        "  To pay                                 1          1          0          1    0.90\n"
        "\n"
        "Gain share owed, accrued until its validation period is over\n"
        "  slot        message     rung         converted  refunded   revenue  amount\n"
        "  call.offer  protection  affiliation          1         1  1,600.00   96.00\n"
        "  --------------------------------------------------------------------------\n"
        "  Accrued                                      1         1  1,600.00   96.00\n"
        "\n"
        "Each amount opens to its transfers: slotctl export 2026-11 --format csv, accounts of "
        "cover.\n";
    assert_string_equal(statement(&books, "cover", &november, STATEMENT_TEXT), shield);
    static const char mags[] = "period,seat,currency,section,what,container,slot,message,rung,won,"
                               "delivered,not_shown,converted,"
                               "refunded,revenue_micros,amount_micros,amount\n"
                               "2026-11,mags,EUR,prepaid,line,bill,footer,magazine,"
                               "commercialization,3,3,0,0,0,0,300003,0.30\n"
                               "2026-11,mags,EUR,prepaid,carried_in,,,,,,,,,,,0,0.00\n"
                               "2026-11,mags,EUR,prepaid,total,,,,,,,,,,,300000,0.30\n"
                               "2026-11,mags,EUR,prepaid,carried_out,,,,,,,,,,,3,\n"
                               "2026-11,mags,EUR,deposit,opening,,,,,,,,,,,0,\n"
                               "2026-11,mags,EUR,deposit,paid_in,,,,,,,,,,,50000000,\n"
                               "2026-11,mags,EUR,deposit,used,,,,,,,,,,,300003,\n"
                               "2026-11,mags,EUR,deposit,closing,,,,,,,,,,,49699997,\n";
    assert_string_equal(statement(&books, "mags", &november, STATEMENT_CSV), mags);
    assert_non_null(
        strstr(statement(&books, "care", &november, STATEMENT_TEXT), "Gain share earned"));
    assert_null(
        strstr(statement(&books, "care", &november, STATEMENT_TEXT), "protection"));  // another's
    const char *none = NULL;
    assert_int_equal(
        statement_get(books.console_db, "nobody", &november, STATEMENT_TEXT, books.arena, &none),
        STATUS_NOT_FOUND);
    assert_non_null(
        strstr(statement(&books, "sales", &november, STATEMENT_TEXT), "Nothing was won"));
    books_close(&books);
}

// --- Whatever happens, it adds up --------------------------------------------------------------

static int64_t
integer(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static int64_t
cents(const json_t *object)
{
    money amount;
    const char *text = json_string_value(json_object_get(object, "amount"));
    assert_non_null(text);
    assert_int_equal(money_parse(text, strlen(text), &amount), STATUS_OK);
    assert_int_equal(amount.micros % 10000, 0);
    return amount.micros;
}

// One section as printed: lines and what was carried in add up to the total, exactly and in cents.
static int64_t
check_section(const json_t *section)
{
    int64_t exact = 0, printed = 0;
    size_t i;
    const json_t *line;
    json_array_foreach(json_object_get(section, "lines"), i, line)
    {
        exact += integer(line, "amount_micros");
        printed += cents(line);
        int64_t off = cents(line) - integer(line, "amount_micros");
        assert_true(off > -10000 && off < 10000);
    }
    const json_t *carried = json_object_get(section, "carried_in");
    const json_t *total = json_object_get(section, "total");
    int64_t on = integer(json_object_get(section, "carried_out"), "amount_micros");
    assert_int_equal(printed + cents(carried), cents(total));
    assert_int_equal(integer(total, "amount_micros"), cents(total));
    assert_int_equal(exact + integer(carried, "amount_micros"), cents(total) + on);
    assert_true(on > -10000 && on < 10000);
    return exact;
}

static int64_t
account_sum(struct books *books, const char *seat, const char *period, const char *section)
{
    char sql[512];
    const char *codes = strcmp(section, "charged") == 0   ? "1110"
                        : strcmp(section, "prepaid") == 0 ? "2000"
                        : strcmp(section, "bought") == 0  ? "5100"
                        : strcmp(section, "sold") == 0    ? "4100"
                        : strcmp(section, "owed") == 0    ? "1150"
                                                          : "2100, 4210";
    bool credit = strcmp(section, "sold") == 0 || strcmp(section, "earned") == 0;
    snprintf(sql, sizeof sql,
             "select coalesce(%ssum(e.micros), 0)::bigint::text from entry e join account a using "
             "(currency,"
             " account) join seat s on s.id = a.seat where s.code = '%s' and e.period = '%s'"
             " and a.code in (%s) and e.kind not in ('bill', 'deposit')",
             credit ? "-" : "", seat, period, codes);
    return strtoll(books_text(books, sql), NULL, 10);
}

static void
check_seat(struct books *books, const char *seat, const struct period *period)
{
    static const char *const names[] = {"charged", "prepaid", "bought", "sold", "owed", "earned"};
    int64_t stated[6] = {0};
    json_t *root = json_loads(statement(books, seat, period, STATEMENT_JSON), 0, NULL);
    assert_non_null(root);
    size_t i;
    const json_t *section;
    json_array_foreach(json_object_get(root, "sections"), i, section)
    {
        const char *name = json_string_value(json_object_get(section, "section"));
        for (int k = 0; k < 6; k++)
            if (strcmp(name, names[k]) == 0) stated[k] = check_section(section);
    }
    for (int k = 0; k < 6; k++)
        assert_int_equal(stated[k], account_sum(books, seat, period->name, names[k]));
    json_decref(root);
}

static void
random_months_add_up(void **state)
{
    (void)state;
    static const char *const seats[] = {"care", "sales", "grill", "mags", "cover", "beans"};
    struct books books;
    books_open(&books, books_market, "2026-10-05T09:00:00Z");
    for (int i = 0; i < 3; i++) {
        struct period period;
        period_of(books.now, (usec){0}, &period);
        books_random(&books, seed + (uint64_t)i, 500, 50 * 60 * USEC_SECOND);
        books_ship(&books);
        for (size_t k = 0; k < 6; k++) check_seat(&books, seats[k], &period);
        close_month(&books, &period);
        for (size_t k = 0; k < 6; k++) check_seat(&books, seats[k], &period);
        if (books.now.us < period.until.us) books.now = period.until;
    }
    char detail[SETTLE_DETAIL];
    assert_int_equal(settle_verify(books.console_db, detail), STATUS_OK);
    books_close(&books);
}

// --- Files -------------------------------------------------------------------------------------

static char *
file(const struct books *books, const char *name)
{
    char path[256];
    static char text[65536];
    snprintf(path, sizeof path, "%s/published/statements/%s", books->directory, name);
    FILE *in = fopen(path, "r");
    if (in == NULL) return NULL;
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static void
closed_statements_become_files_once(void **state)
{
    (void)state;
    struct books books;
    struct period november = month("2026-11");
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    books_random(&books, seed, 200, 60 * USEC_SECOND);
    books_ship(&books);
    assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
    assert_null(file(&books, "grill/2026-11.txt"));  // open: no file
    close_month(&books, &november);
    assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
    for (int i = 0; i < STATEMENT_FORMAT_COUNT; i++) {
        char name[64];
        enum statement_format format = (enum statement_format)i;
        snprintf(name, sizeof name, "grill/2026-11.%s", statement_format_suffix(format));
        assert_string_equal(file(&books, name), statement(&books, "grill", &november, format));
    }
    // The digest on the text is the SHA-256 of the CSV file.
    const char *csv = file(&books, "grill/2026-11.csv");
    struct digest digest = hash_sha256(csv, strlen(csv));
    char hex[65];
    for (size_t i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest.bytes[i]);
    assert_non_null(strstr(file(&books, "grill/2026-11.txt"), hex));

    // A file that is there is never written again; a missing one is, once the mark is gone.
    char path[256];
    snprintf(path, sizeof path, "%s/published/statements/grill/2026-11.txt", books.directory);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/published/statements/grill/2026-11.csv", books.directory);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("kept", out);
    fclose(out);
    assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
    assert_null(file(&books, "grill/2026-11.txt"));
    snprintf(path, sizeof path, "%s/published/statements/.2026-11", books.directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
    assert_non_null(file(&books, "grill/2026-11.txt"));
    assert_string_equal(file(&books, "grill/2026-11.csv"), "kept");
    books_close(&books);
}

// A market whose codes are long, and its terms of one month.
#define TERMS_HEAD                                                                      \
    "market: {code: wide, currency: EUR}\n"                                             \
    "seats:\n"                                                                          \
    "  service: {kind: department}\n"                                                   \
    "  marketing: {kind: department}\n"                                                 \
    "  shield_cover: {kind: partner}\n"                                                 \
    "containers:\n"                                                                     \
    "  support_call: {stage: service, channel: call, owner: service, slots: {\n"        \
    "    billing_alert: {floor: 0.10}, protection: {floor: 0.10}}}\n"                   \
    "messages:\n"                                                                       \
    "  marketing.subscription_usual: {seat: marketing, rung: 4, objectives: upgrade}\n" \
    "  shield.payment: {seat: shield_cover, rung: 7, objectives: cross_sell}\n"         \
    "contracts:\n"                                                                      \
    "  service.transfer: {seat: service, from: 2025-01-01}\n"
#define SHARES "shares: [{to: host, weight: 2}, {to: marketing, rung: 5, weight: 1}]}}\n"
static const char before_edit[] = TERMS_HEAD
    "  marketing.transfer: {seat: marketing, from: 2025-01-01, transfer_price: floor}\n"
    "  shield.2026: {seat: shield_cover, from: 2025-01-01, billing: prepaid,"
    " gain_share: {rate: 6%, " SHARES;
static const char after_edit[] = TERMS_HEAD
    "  marketing.transfer: {seat: marketing, from: 2025-01-01}\n"
    "  shield.next: {seat: shield_cover, from: 2025-01-01, gain_share: {rate: 10%, " SHARES;

// Two placements won under the old terms and two under the new; all delivered and converted later.
static void
sell_under_two_contracts(struct books *books)
{
    struct id won[4];
    won[0] = books_win(books, "support_call.protection", "shield.payment", 300000);
    won[1] = books_win(books, "support_call.billing_alert", "marketing.subscription_usual", 250000);
    books_apply(books, after_edit);
    won[2] = books_win(books, "support_call.protection", "shield.payment", 500000);
    won[3] = books_win(books, "support_call.billing_alert", "marketing.subscription_usual", 450000);
    for (int i = 0; i < 4; i++) books_event(books, won[i], FACT_DELIVERED, books->now);
    books_revenue(books, won[0], FACT_CONVERTED, 100000000, "old", NULL, books->now);
    books_revenue(books, won[2], FACT_CONVERTED, 100000000, "new", NULL, books->now);
    books_revenue(books, won[0], FACT_REFUNDED, 50000000, "old", "back", books->now);
    books_ship(books);
}

static void
what_was_won_keeps_its_terms(void **state)
{
    (void)state;
    struct books books;
    struct period november = month("2026-11");
    books_open(&books, before_edit, "2026-11-03T09:00:00Z");
    sell_under_two_contracts(&books);
    static const char shield[] =
        "Statement of shield_cover (shield_cover), partner\n"
        "November 2026, draft: the period is open, amounts in EUR\n"
        "Contract shield.2026 (prepaid, charged on delivery, 6% of revenue)\n"
        "         shield.next (credit, charged on delivery, 10% of revenue)\n"
        "\n"
        "Placements\n"
        "  slot                     message         rung         won  delivered  not shown  "
        "converted  amount\n"
        "  support_call.protection  shield.payment  affiliation    1          1          0  "
        "        1    0.50\n";
    const char *text = statement(&books, "shield_cover", &november, STATEMENT_TEXT);
    assert_memory_equal(text, shield, sizeof shield - 1);
    assert_non_null(strstr(text, "  Used  "));
    assert_non_null(strstr(text, "1   150.00   13.00\n"));  // 3.00 of 50.00 and 10.00 of 100.00
    text = statement(&books, "shield_cover", &november, STATEMENT_JSON);
    assert_non_null(strstr(text, "\"contracts\": \"shield.2026 (prepaid, charged on delivery, "
                                 "6% of revenue), shield.next (credit, "));
    text = statement(&books, "marketing", &november, STATEMENT_TEXT);
    assert_non_null(strstr(text, "    0.55\n"));  // the floor, 0.10, and then the price, 0.45
    assert_string_equal(books_text(&books, "select count(*)::text from unexplained"), "0");
    books_close(&books);
}

static void
a_wide_statement_is_made_narrow(void **state)
{
    (void)state;
    struct books books;
    struct period november = month("2026-11");
    books_open(&books, before_edit, "2026-11-03T09:00:00Z");
    sell_under_two_contracts(&books);
    const char *text = statement(&books, "marketing", &november, STATEMENT_TEXT);
    assert_non_null(strstr(text, "  support_call.billing_alert  subscription_usual  4  "));
    assert_non_null(strstr(text, "\nRungs: 4 personalization, 5 predictive\n"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    // Shares of one conversion may stand on several lines: counts are not added up.
    assert_non_null(
        strstr(text, "  Accrued                                                        4.33\n"));
    assert_non_null(strstr(statement(&books, "marketing", &november, STATEMENT_CSV),
                           ",marketing.subscription_usual,personalization,"));
    books_close(&books);
}

int
main(void)
{
    seed = seed_fresh();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_the_handbook_says),
        cmocka_unit_test(random_months_add_up),
        cmocka_unit_test(closed_statements_become_files_once),
        cmocka_unit_test(what_was_won_keeps_its_terms),
        cmocka_unit_test(a_wide_statement_is_made_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
