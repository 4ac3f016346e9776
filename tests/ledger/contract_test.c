// Tests of contract.c: look-ups by id and time, parts in their order, splits.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "contract.h"

static struct market_slot slots[] = {{.id = 30, .code = "top"}, {.id = 10, .code = "bottom"}};
static struct market_container containers[] = {
    {.id = 1, .code = "bill", .owner = "billing", .slots = slots, .slot_count = 2}};
static struct market_seat seats[] = {{.id = 9, .code = "grill", .kind = SEAT_PARTNER},
                                     {.id = 2, .code = "billing", .kind = SEAT_DEPARTMENT},
                                     {.id = 5, .code = "agency", .kind = SEAT_PARTNER}};
static struct market_share shares[] = {
    {.to = "grill", .rung = -1, .weight = 80000},
    {.to = "host", .rung = RUNG_GEOGRAPHIC, .weight = 400000},
    {.to = "billing", .rung = RUNG_PREDICTIVE, .weight = 120000},
    {.to = "agency", .rung = -1, .weight = 250000},
    {.to = "billing", .rung = RUNG_PERSONALIZATION, .weight = 100000},
    {.to = "billing", .rung = RUNG_PERSONALIZATION, .weight = 50000},
    {.to = "agency", .rung = RUNG_GEOGRAPHIC, .weight = 0},
};
static struct market_contract contracts[] = {
    {.id = 4, .seat = "grill", .from = {1000}, .until = {2000}},
    {.id = 3,
     .seat = "grill",
     .from = {1500},
     .has_gain_share = true,
     .tiers = {{.rate_ppm = 100000}},
     .tier_count = 1,
     .merchant = MERCHANT_PARTNER,
     .shares = shares,
     .share_count = 7},
    {.id = 8,
     .seat = "agency",
     .from = {0},
     .has_gain_share = true,
     .tiers = {{.rate_ppm = 1}},
     .tier_count = 1,
     .merchant = MERCHANT_HOST},
};
static const struct market market = {.containers = containers,
                                     .container_count = 1,
                                     .seats = seats,
                                     .seat_count = 3,
                                     .contracts = contracts,
                                     .contract_count = 3};

static void
look_ups(void **state)
{
    (void)state;
    struct contract_terms *terms = contract_terms_open(&market);
    assert_string_equal(contract_seat(terms, 9)->code, "grill");
    assert_string_equal(contract_seat(terms, 2)->code, "billing");
    assert_null(contract_seat(terms, 3));
    assert_int_equal(contract_owner(terms, 10), 2);
    assert_int_equal(contract_owner(terms, 30), 2);
    assert_int_equal(contract_owner(terms, 20), 0);
    assert_int_equal(contract_by_id(terms, 8)->id, 8);
    assert_null(contract_by_id(terms, 5));
    contract_terms_close(terms);
    const struct market empty = {0};
    terms = contract_terms_open(&empty);
    assert_null(contract_seat(terms, 1));
    assert_null(contract_in_force(terms, 1, (usec){5}));
    contract_terms_close(terms);
}

static void
in_force_at_a_time(void **state)
{
    (void)state;
    static const struct {
        uint32_t seat;
        int64_t at;
        uint32_t contract;
    } cases[] = {{9, 999, 0},  {9, 1000, 4}, {9, 1499, 4}, {9, 1500, 3}, {9, 1999, 3},
                 {9, 9999, 3}, {5, 0, 8},    {2, 1500, 0}, {7, 1500, 0}};
    struct contract_terms *terms = contract_terms_open(&market);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct market_contract *found = contract_in_force(terms, cases[i].seat,
                                                                (usec){cases[i].at});
        assert_int_equal(found ? found->id : 0, cases[i].contract);
    }
    contract_terms_close(terms);
}

// The worked example of docs/ledger.md.
static void
parts_and_split(void **state)
{
    (void)state;
    struct contract_terms *terms = contract_terms_open(&market);
    const struct market_contract *contract = contract_by_id(terms, 3);
    struct contract_part parts[BOUND_PARTS];
    struct contract_pool pool;
    money amounts[BOUND_PARTS], outside;
    unsigned count = contract_parts(terms, contract, RUNG_AFFILIATION, NULL, 0, parts);
    static const struct contract_part expected[] = {
        {0, SEAT_DEPARTMENT, RUNG_GEOGRAPHIC, 400000},
        {2, SEAT_DEPARTMENT, RUNG_PERSONALIZATION, 150000},
        {2, SEAT_DEPARTMENT, RUNG_PREDICTIVE, 120000},
        {5, SEAT_PARTNER, RUNG_AFFILIATION, 250000},
        {9, SEAT_PARTNER, RUNG_AFFILIATION, 80000}};
    static const int64_t micros[] = {4000001, 1500000, 1200000, 2500000, 800000};
    assert_int_equal(count, 5);
    assert_int_equal(contract_pool(contract, money_of(0), money_of(100000010), 0, &pool),
                     STATUS_OK);
    assert_int_equal(pool.pool.micros, 10000001);
    assert_int_equal(contract_split(&pool, parts, count, amounts, &outside), STATUS_OK);
    assert_int_equal(outside.micros, 0);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(parts[i].seat, expected[i].seat);
        assert_int_equal(parts[i].kind, expected[i].kind);
        assert_int_equal(parts[i].rung, expected[i].rung);
        assert_int_equal(parts[i].weight, expected[i].weight);
        assert_int_equal(amounts[i].micros, micros[i]);
    }
    // Nobody named: all to the host, unless the host would pay itself.
    struct market_contract bare = *contract;
    bare.share_count = 0;
    assert_int_equal(contract_parts(terms, &bare, RUNG_SYNDICATION, NULL, 0, parts), 1);
    assert_int_equal(parts[0].seat, 0);
    assert_int_equal(parts[0].rung, RUNG_SYNDICATION);
    contract = contract_by_id(terms, 8);
    assert_int_equal(contract_parts(terms, contract, RUNG_SYNDICATION, NULL, 0, parts), 0);
    assert_int_equal(contract_split(&pool, parts, 0, amounts, &outside), STATUS_OK);
    assert_int_equal(pool.pool.micros, 0);
    contract_terms_close(terms);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look_ups),
        cmocka_unit_test(in_force_at_a_time),
        cmocka_unit_test(parts_and_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
