// A market whose shares are paid out in several ways, for the tests of payouts and of the bank.
#ifndef VENDUE_TEST_BANK_STORY_H
#define VENDUE_TEST_BANK_STORY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "books.h"
#include "life.h"
#include "payout.h"
#include "rate.h"
#include "settle.h"

#define HOST_IBAN "DE89370400440532013000"
#define ALPHA_IBAN "GB82WEST12345698765432"
#define DELTA_IBAN "FR1420041010050500013M02606"
#define BETA_IBAN "CH9300762011623852957"

static const char bank_market[] =
    "market:\n"
    "  code: pay\n"
    "  name: Paying market\n"
    "  currency: EUR\n"
    "  finance: {rate_age: 7d, party: {legal_name: 'Host & Sons', iban: " HOST_IBAN
    ", bic: COBADEFFXXX}}\n"
    "touchpoints: {crm: Contact centre}\n"
    "seats:\n"
    "  care: {kind: department}\n"
    "  roaster: {kind: partner, name: Roaster}\n"
    "  alpha: {kind: partner, name: Alpha, party: {legal_name: 'Alpha <Ltd>', iban: " ALPHA_IBAN
    "}}\n"
    "  beta: {kind: partner, name: Beta, party: {legal_name: Beta AG, iban: " BETA_IBAN
    ", bic: UBSWCHZH80A}}\n"
    "  gamma: {kind: partner, name: Gamma}\n"
    "  delta: {kind: partner, name: Delta, party: {legal_name: Delta SA, iban: " DELTA_IBAN "}}\n"
    "containers:\n"
    "  bill: {stage: use, channel: bill, owner: care, slots: {\n"
    "    footer: {floor: 0.05, rungs: [1-8], objectives: [cross_sell]}}}\n"
    "messages:\n"
    "  coffee: {seat: roaster, rung: affiliation, objectives: [cross_sell]}\n"
    "contracts:\n"
    "  roaster.2026:\n"
    "    seat: roaster\n"
    "    from: 2025-01-01\n"
    "    validation: 0d\n"
    "    gain_share:\n"
    "      rate: 10%\n"
    "      shares:\n"
    "        - {to: host, weight: 40}\n"
    "        - {to: alpha, weight: 25}\n"
    "        - {to: beta, weight: 20}\n"
    "        - {to: gamma, weight: 10}\n"
    "        - {to: delta, weight: 5}\n"
    "  alpha.2026: {seat: alpha, from: 2025-01-01}\n"
    "  beta.2026: {seat: beta, from: 2025-01-01, payout_currency: CHF}\n"
    "  gamma.2026: {seat: gamma, from: 2025-01-01}\n"
    "  delta.2026: {seat: delta, from: 2025-01-01, minimum_payout: 50}\n";

static struct books books;
static struct period november, december;

static inline uint32_t
story_seat(const char *code)
{
    for (uint32_t i = 0; i < books.market->seat_count; i++) {
        if (strcmp(books.market->seats[i].code, code) == 0) return books.market->seats[i].id;
    }
    fail();
    return 0;
}

// Debits positive; "" the house's.
static inline int64_t
story_balance(uint16_t code, const char *seat, const char *currency)
{
    char sql[300];
    struct account account = {.code = code, .seat = *seat ? story_seat(seat) : 0};
    snprintf(sql, sizeof sql,
             "select coalesce(sum(micros), 0)::text from entry where account = %lld"
             " and currency = '%s'",
             (long long)account_number(account), currency);
    return strtoll(books_text(&books, sql), NULL, 10);
}

static inline void
story_turn(void)
{
    struct life_report report;
    books_ship(&books);
    do {
        enum status status = life_turn(books.ledger_db, books.now, &report);
        if (status != STATUS_OK) print_message("%s\n", db_fault(books.ledger_db)->text);
        assert_int_equal(status, STATUS_OK);
    } while (report.more || report.locked || report.followed || report.facts);
}

static inline struct id
story_sell(int64_t micros, const char *order)
{
    struct id won = books_win(&books, "bill.footer", "coffee", 60000);
    books.now.us += USEC_SECOND;
    books_event(&books, won, FACT_DELIVERED, books.now);
    books.now.us += USEC_SECOND;
    books_revenue(&books, won, FACT_CONVERTED, micros, order, NULL, books.now);
    return won;
}

static inline void
story_close(const struct period *period, const char *at)
{
    struct settle_options options = {.directory = books.directory, .readers = ""};
    struct settle_report report;
    books_at(&books, at);
    options.now = books.now;
    enum status status = settle_close(books.console_db, period, &options, &report);
    if (status != STATUS_OK) print_message("close: %s\n", report.fault);
    assert_int_equal(status, STATUS_OK);
}

// 1,000.00001 sold in November under one order: a pool of 100.000001, closed on December 2nd.
static inline struct id
story_open(void)
{
    assert_int_equal(period_parse("2026-11", 7, &november), STATUS_OK);
    assert_int_equal(period_parse("2026-12", 7, &december), STATUS_OK);
    books_open(&books, bank_market, "2026-11-03T09:00:00Z");
    struct id won = story_sell(1000000010, "A-1");
    books_at(&books, "2026-11-20T09:00:00Z");
    story_turn();
    story_close(&november, "2026-12-02T08:00:00Z");
    return won;
}

static inline void
story_rate(const char *at, const char *text, uint32_t spread_ppm)
{
    struct rate rate = {.from = {"EUR"}, .to = {"CHF"}, .spread_ppm = spread_ppm, .source = "ECB"};
    assert_int_equal(clock_parse(at, strlen(at), &rate.at), STATUS_OK);
    assert_int_equal(rate_parse(text, strlen(text), &rate.num, &rate.den), STATUS_OK);
    assert_int_equal(rate_set(books.console_db, &rate, "ada", books.now), STATUS_OK);
}

static inline enum status
story_pay(const struct period *period, struct arena *arena, struct payout_run *run, char *fault)
{
    enum status status = payout_make(books.console_db, period, "ada", books.now, arena, run, fault);
    if (status != STATUS_OK && status != STATUS_EXISTS && !*fault)
        print_message("%s\n", db_fault(books.console_db)->text);
    return status;
}

// Every act and every account is what it was; debits and credits are the same.
static inline void
story_prove(void)
{
    char fault[ACT_FAULT];
    struct act_head head;
    enum status status = act_verify(books.console_db, &head, fault);
    if (status != STATUS_OK) print_message("%s\n", fault);
    assert_int_equal(status, STATUS_OK);
    assert_string_equal(books_text(&books, "select coalesce(sum(micros), 0)::text from entry"),
                        "0");
}

#endif
