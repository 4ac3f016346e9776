// Invoices by EN 16931: a thousand random statements, each checked by rules that are written down a
// second time, in another language (invoice_rules.py); and that these rules catch what is wrong.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../ledger/invoice.h"
#include "books.h"
#include "deposit.h"
#include "folder.h"
#include "seed.h"
#include "settle.h"

#define FILES 250

static uint64_t seed;

static uint64_t
draw(uint64_t below)
{
    return hash_mix(seed += 0x9e3779b97f4a7c15u) % below;
}

static const struct market_party host = {.legal_name = "Beispiel Versand GmbH",
                                         .street = "Hafenstra\xc3\x9f"
                                                   "e 4",
                                         .city = "Bremen",
                                         .postal_code = "28195",
                                         .country = "DE",
                                         .tax_id = "DE123456789",
                                         .registration = "HRB 1234",
                                         .email = "finance@example.org",
                                         .iban = "DE02120300000000202051",
                                         .bic = "BYLADEM1001"};
static const struct market_party guest = {.legal_name = "Grill & <Rost> S.A.",
                                          .street = "Rue du Four 1",
                                          .city = "Lyon",
                                          .postal_code = "69001",
                                          .country = "FR",
                                          .tax_id = "FR40303265045",
                                          .registration = "",
                                          .email = "",
                                          .iban = "",
                                          .bic = ""};

static struct statement
blank(void)
{
    struct statement one = {.version = 2,
                            .seat = 7,
                            .code = "grill",
                            .name = "Grill",
                            .kind = "partner",
                            .contracts = "",
                            .currency = {"EUR"},
                            .closed = true,
                            .party = &guest,
                            .host = &host,
                            .host_name = "Example",
                            .digest = "d",
                            .root = "r"};
    assert_int_equal(period_parse("2026-11", 7, &one.period), STATUS_OK);
    one.issued = one.period.until;
    for (int i = 0; i < SECTION_COUNT; i++) one.sections[i].carried_from = "2026-10";
    return one;
}

static void
fill(struct section *section, struct arena *arena, size_t count, const char *categories, bool minus)
{
    static const uint32_t rates[] = {190000, 70000, 55000, 81000};
    section->lines = arena_take(arena, count + 1, sizeof *section->lines);
    section->count = count;
    for (size_t i = 0; i < count; i++) {
        char category = categories[draw(strlen(categories))];
        int64_t amount = (int64_t)draw(90000000) - (minus ? 60000000 : draw(3) == 0 ? 45000000 : 0);
        section->lines[i] = (struct line){.slot_id = 1,
                                          .tax_category = category,
                                          .tax_ppm = category == 'S' ? rates[draw(4)] : 0,
                                          .container = "bill",
                                          .slot = "footer",
                                          .message = draw(2) ? "grill.rost" : "",
                                          .rung = "affiliation",
                                          .adjusted = draw(5) == 0,
                                          .amount = money_of(amount)};
    }
    section->carried_in = money_of((int64_t)draw(19999) - 9999);
}

static struct statement
random_statement(struct arena *arena)
{
    static const char *const mixes[] = {"O", "S", "SZ", "SZE", "K", "G", "S"};
    struct statement one = blank();
    const char *mix = mixes[draw(7)];
    bool minus = draw(3) == 0;
    if (draw(4) == 0) one.currency = (struct currency){"JPY"};  // without cents
    fill(&one.sections[SECTION_CHARGED], arena, draw(6), mix, minus);
    fill(&one.sections[SECTION_PREPAID], arena, draw(3), mix, minus);
    fill(&one.sections[SECTION_DUE], arena, draw(3), mix, minus);
    fill(&one.sections[SECTION_CORRECTIONS], arena, draw(2), mix, minus);
    fill(&one.sections[SECTION_PAYABLE], arena, draw(4), mix, minus);
    assert_int_equal(statement_round(&one, arena), STATUS_OK);
    return one;
}

static void
write_file(const char *path, const char *bytes, size_t len)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static int
rules(const char *folder)
{
    char command[512];
    snprintf(command, sizeof command,
             "python3 " SOURCE_DIR "/tests/ledger/invoice_rules.py %s/*.xml >%s/found 2>&1", folder,
             folder);
    int status = system(command);
    return status;
}

static void
random_statements_pass_the_rules(void **state)
{
    (void)state;
    char folder[] = "/tmp/vendue-invoice-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    struct arena *arena = arena_open("invoices");
    int files = 0, kinds[2][2] = {{0}};
    while (files < FILES) {
        struct statement one = random_statement(arena);
        for (int side = 0; side < 2; side++) {
            size_t len = 0, again = 0;
            if (!invoice_has(&one, (enum invoice_side)side)) continue;
            const char *bytes = invoice_print(&one, (enum invoice_side)side, arena, &len);
            const char *same = invoice_print(&one, (enum invoice_side)side, arena, &again);
            assert_int_equal(len, again);
            assert_memory_equal(bytes, same, len);
            kinds[side][strstr(bytes, "<CreditNote ") != NULL]++;
            snprintf(path, sizeof path, "%s/%d.xml", folder, files++);
            write_file(path, bytes, len);
        }
    }
    if (rules(folder) != 0) fail_msg("see %s/found", folder);
    for (int i = 0; i < 4; i++) assert_true(kinds[i / 2][i % 2] > 0);
    const char *keep = getenv("VENDUE_KEEP_INVOICES");  // a folder's files for other checkers
    if (keep == NULL) assert_int_equal(folder_remove(folder), 0);
    arena_close(arena);
}

// Each of these changes, made in a right invoice, is found.
static void
the_rules_find_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *rule;
    } cases[] = {
        {"<cbc:TaxAmount currencyID=\"EUR\">1.90", "<cbc:TaxAmount currencyID=\"EUR\">1.91",
         "BR-CO-14"},
        {"<cbc:PayableAmount currencyID=\"EUR\">11.90",
         "<cbc:PayableAmount currencyID=\"EUR\">11.91", "BR-CO-16"},
        {"<cbc:LineExtensionAmount currencyID=\"EUR\">10.00",
         "<cbc:LineExtensionAmount currencyID=\"EUR\">10.01", "BR-CO-10"},
        {"<cbc:TaxInclusiveAmount currencyID=\"EUR\">11.90",
         "<cbc:TaxInclusiveAmount currencyID=\"EUR\">11.9001", "BR-DEC"},
        {"<cbc:IdentificationCode>FR", "<cbc:IdentificationCode>", "BR-11"},
        {">380<", ">381<", "BR-04"},
    };
    struct arena *arena = arena_open("invoice");
    struct statement one = blank();
    fill(&one.sections[SECTION_CHARGED], arena, 1, "S", false);
    one.sections[SECTION_CHARGED].carried_in = money_of(0);
    one.sections[SECTION_CHARGED].lines[0].tax_ppm = 190000;
    one.sections[SECTION_CHARGED].lines[0].amount = money_of(10000000);
    assert_int_equal(statement_round(&one, arena), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char folder[] = "/tmp/vendue-invoice-XXXXXX", path[128], found[4096] = "";
        assert_non_null(mkdtemp(folder));
        size_t len = 0;
        const char *bytes = invoice_print(&one, INVOICE_OWED, arena, &len);
        const char *at = strstr(bytes, cases[i].from);
        if (at == NULL) fail_msg("no %s in %s", cases[i].from, bytes);
        char *wrong = arena_printf(arena, "%.*s%s%s", (int)(at - bytes), bytes, cases[i].to,
                                   at + strlen(cases[i].from));
        snprintf(path, sizeof path, "%s/wrong.xml", folder);
        write_file(path, wrong, strlen(wrong));
        assert_int_not_equal(rules(folder), 0);
        snprintf(path, sizeof path, "%s/found", folder);
        FILE *in = fopen(path, "r");
        assert_non_null(in);
        found[fread(found, 1, sizeof found - 1, in)] = '\0';
        fclose(in);
        if (strstr(found, cases[i].rule) == NULL) fail_msg("%s: %s", cases[i].rule, found);
        assert_int_equal(folder_remove(folder), 0);
    }
    arena_close(arena);
}

// What cannot be an invoice is none.
static void
what_cannot_be_invoiced_is_not(void **state)
{
    (void)state;
    struct arena *arena = arena_open("invoice");
    struct statement one = blank(), none = blank();
    struct market_party nowhere = guest;
    nowhere.country = "";
    assert_false(invoice_has(&none, INVOICE_OWED));
    fill(&one.sections[SECTION_CHARGED], arena, 3, "S", false);
    for (int i = 0; i < 3; i++) one.sections[SECTION_CHARGED].lines[i].amount = money_of(1230000);
    assert_int_equal(statement_round(&one, arena), STATUS_OK);
    assert_true(invoice_has(&one, INVOICE_OWED));
    assert_false(invoice_has(&one, INVOICE_SELF_BILLED));
    one.party = &nowhere;
    assert_false(invoice_has(&one, INVOICE_OWED));
    one.party = &guest;
    one.kind = "department";
    assert_false(invoice_has(&one, INVOICE_OWED));
    one.kind = "partner";
    one.sections[SECTION_CHARGED].lines[1].tax_category = 'O';
    assert_false(invoice_has(&one, INVOICE_OWED));
    arena_close(arena);
}

// A market whose parties and taxes are known, with names that no Western font has.
static const char taxed_market[] =
    "market: {code: taxed, name: Handel, currency: EUR, finance: {party: {legal_name: 'Handel "
    "GmbH',\n"
    "  country: DE, city: Bremen, tax_id: DE123456789}}}\n"
    "seats:\n"
    "  care: {kind: department}\n"
    "  grill: {name: '\xc5\xbb"
    "ar \xce\xa9 \xe2\x82\xac', kind: partner, party: {legal_name: Zar, country: PL, tax_id: "
    "PL1234567890}}\n"
    "  mags: {kind: partner, party: {legal_name: Mags, country: DE, "
    "tax_id: DE999999999}}\n"
    "  shop: {kind: partner, party: {legal_name: Shop, country: DE, "
    "tax_id: DE111111111}}\n"
    "containers:\n"
    "  bill: {stage: use, channel: bill, owner: care, slots: {footer: {floor: 0.05, rungs: [1-8],\n"
    "    objectives: [cross_sell, expand, upgrade]}}}\n"
    "messages:\n"
    "  grill.rost: {seat: grill, rung: commercialization, objectives: [cross_sell], content: a}\n"
    "  mags.weekly: {seat: mags, rung: commercialization, objectives: [expand], content: b}\n"
    "  shop.sale: {seat: shop, rung: affiliation, objectives: [cross_sell], content: c}\n"
    "contracts:\n"
    "  grill.1: {seat: grill, from: 2025-01-01, tax: {category: K}}\n"
    "  mags.1: {seat: mags, from: 2025-01-01, billing: prepaid, tax: {category: S, rate: 7%}}\n"
    "  shop.1: {seat: shop, from: 2025-01-01, tax: {category: S, rate: 19%},\n"
    "    validation: 0d, gain_share: {\n"
    "    merchant: partner, rate: 10%,\n"
    "    shares: [{to: host, weight: 50}, {to: mags, weight: 50}]}}\n";

static void
sell_a_month(struct books *books, int month)
{
    static const char *const messages[] = {"grill.rost", "mags.weekly", "shop.sale"};
    for (int i = 0; i < 30; i++) {
        struct id won = books_win(books, "bill.footer", messages[i % 3],
                                  (int64_t)draw(2000000) + 50000);
        books_event(books, won, draw(4) > 0 ? FACT_DELIVERED : FACT_EXPIRED, books->now);
        char order[32], refund[32];
        snprintf(order, sizeof order, "order-%d-%d", month, i);
        snprintf(refund, sizeof refund, "refund-%d-%d", month, i);
        if (i % 3 != 2 || draw(3) == 0) continue;
        books_revenue(books, won, FACT_CONVERTED, 20000000 + (int64_t)draw(90000000), order, NULL,
                      books->now);
        if (draw(2) == 0)
            books_revenue(books, won, FACT_REFUNDED, (int64_t)draw(20000000) + 1, order, refund,
                          books->now);
    }
    books_ship(books);
}

// The whole way: from facts through a close to files, each of which passes the rules.
static void
closed_months_are_invoiced(void **state)
{
    (void)state;
    static const char *const seats[] = {"grill", "mags", "shop"};
    char folder[] = "/tmp/vendue-invoice-XXXXXX", path[256], detail[SETTLE_DETAIL];
    struct books books;
    struct deposit deposit;
    int invoices = 0, self_billed = 0, files = 0;
    assert_non_null(mkdtemp(folder));
    books_open(&books, taxed_market, "2026-11-03T09:00:00Z");
    assert_int_equal(deposit_book(books.console_db, "mags", money_of(50000000), "BANK-1", "tester",
                                  books.now, &deposit),
                     STATUS_OK);
    for (int month = 0; month < 3; month++) {
        struct period period;
        struct settle_report report;
        period_of(books.now, (usec){0}, &period);
        sell_a_month(&books, month);
        struct settle_options options = {.directory = books.directory,
                                         .now = {period.until.us + USEC_DAY}};
        if (settle_close(books.console_db, &period, &options, &report) != STATUS_OK)
            fail_msg("%s", report.fault);
        assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
        for (int i = 0; i < 9; i++) {
            const char *seat = seats[i / 3], *bytes = NULL;
            enum statement_format format = (enum statement_format)(STATEMENT_PDF + i % 3);
            size_t len = 0;
            assert_int_equal(
                statement_read(books.console_db, seat, &period, format, books.arena, &bytes, &len),
                STATUS_OK);
            if (bytes == NULL) continue;
            snprintf(path, sizeof path, "%s/published/statements/%s/%s.%s", books.directory, seat,
                     period.name, statement_format_suffix(format));
            FILE *in = fopen(path, "r");
            assert_non_null(in);
            char *file = arena_take(books.arena, len + 2, 1);
            assert_int_equal(fread(file, 1, len + 1, in), len);
            assert_memory_equal(file, bytes, len);
            fclose(in);
            if (format == STATEMENT_PDF) {
                assert_memory_equal(bytes, "%PDF-1.", 7);
                assert_null(memmem(bytes, len, "CreationDate", 12));
                if (i == 0) assert_non_null(memmem(bytes, len, "Zar ? \\200", 10));
                continue;
            }
            *(format == STATEMENT_INVOICE ? &invoices : &self_billed) += 1;
            snprintf(path, sizeof path, "%s/%d.xml", folder, files++);
            write_file(path, bytes, len);
        }
        books.now = period.until;
    }
    if (rules(folder) != 0) fail_msg("see %s/found", folder);
    assert_true(invoices >= 6 && self_billed >= 2);
    if (settle_verify(books.console_db, books.directory, detail) != STATUS_OK)
        fail_msg("%s", detail);
    assert_int_equal(folder_remove(folder), 0);
    books_close(&books);
}

int
main(void)
{
    seed = seed_fresh();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_statements_pass_the_rules),
        cmocka_unit_test(the_rules_find_what_is_wrong),
        cmocka_unit_test(what_cannot_be_invoiced_is_not),
        cmocka_unit_test(closed_months_are_invoiced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
