// Tests of posting.c: one table of cases per rule of docs/ledger.md, then a property: whatever
// series of conversions and refunds, the parts add up to the pool and a full refund leaves zero on
// every account.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "posting.h"
#include "seed.h"

enum { BILLING = 2, SALES = 3, AGENCY = 5, GRILL = 9, MAGAZINE = 12 };

static struct market_slot slots[] = {{.id = 30, .code = "top"}};
static struct market_container containers[] = {
    {.id = 1, .code = "bill", .owner = "billing", .slots = slots, .slot_count = 1}};
static struct market_seat seats[] = {{.id = BILLING, .code = "billing", .kind = SEAT_DEPARTMENT},
                                     {.id = SALES, .code = "sales", .kind = SEAT_DEPARTMENT},
                                     {.id = AGENCY, .code = "agency", .kind = SEAT_PARTNER},
                                     {.id = GRILL, .code = "grill", .kind = SEAT_PARTNER},
                                     {.id = MAGAZINE, .code = "magazine", .kind = SEAT_PARTNER}};
static struct market_share shares[] = {
    {.to = "host", .rung = -1, .weight = 400000},
    {.to = "agency", .rung = -1, .weight = 250000},
    {.to = "sales", .rung = RUNG_PERSONALIZATION, .weight = 150000},
    {.to = "sales", .rung = RUNG_PREDICTIVE, .weight = 120000},
    {.to = "magazine", .rung = -1, .weight = 80000}};
static struct market_contract contracts[] = {
    {.id = 1,
     .seat = "grill",
     .has_gain_share = true,
     .tiers = {{.rate_ppm = 100000}},
     .tier_count = 1,
     .merchant = MERCHANT_PARTNER,
     .shares = shares,
     .share_count = 5},
    {.id = 2, .seat = "magazine", .billing = BILLING_PREPAID},
    {.id = 3, .seat = "sales", .transfer_price = TRANSFER_FLOOR},
    {.id = 4,
     .seat = "agency",
     .has_gain_share = true,
     .tiers = {{.rate_ppm = 50000}},
     .tier_count = 1,
     .merchant = MERCHANT_HOST,
     .shares = shares,
     .share_count = 5},
};
static struct market market = {.containers = containers,
                               .container_count = 1,
                               .seats = seats,
                               .seat_count = 5,
                               .contracts = contracts,
                               .contract_count = 4};

static const struct posting_source source = {1, 7, 3};

static struct fact
won(uint32_t seat, int64_t price, enum charge charge)
{
    struct fact fact = {.kind = FACT_PLACEMENT, .position = 1, .at = {1000}, .contact = {{0xaa}}};
    fact.contact.bytes[1] = (uint8_t)seat;
    fact.placement.slot = 30;
    fact.placement.message = 77;
    fact.placement.seat = seat;
    memcpy(fact.placement.currency.code, "EUR", 4);
    fact.placement.price = money_of(price);
    fact.placement.floor = money_of(150000);
    fact.placement.rung = RUNG_AFFILIATION;
    fact.placement.objectives = 1u << OBJECTIVE_CROSS_SELL;
    fact.placement.charge = (uint8_t)charge;
    return fact;
}

static struct fact
became(const struct fact *placement, enum fact_kind kind, int64_t at)
{
    struct fact fact = {
        .kind = (uint8_t)kind, .position = 1, .at = {at}, .contact = placement->contact};
    fact.event.effective = (usec){at - 5};
    return fact;
}

static struct fact
revenue(const struct fact *placement, enum fact_kind kind, int64_t amount, const char *key)
{
    struct fact fact = {
        .kind = (uint8_t)kind, .position = 1, .at = {5000}, .contact = placement->contact};
    memcpy(fact.revenue.currency.code, "EUR", 4);
    fact.revenue.effective = (usec){4000};
    fact.revenue.amount = money_of(amount);
    fact.revenue.order = hash_id("order", "o", 1);
    snprintf(fact.revenue.key, sizeof fact.revenue.key, "%s", key);
    return fact;
}

static void
is(const struct transfer *one, enum transfer_kind kind, enum transfer_state state, int64_t debit,
   int64_t credit, int64_t micros)
{
    assert_int_equal(one->kind, kind);
    assert_int_equal(one->state, state);
    assert_int_equal(account_number(one->debit), debit);
    assert_int_equal(account_number(one->credit), credit);
    assert_int_equal(one->amount.micros, micros);
    assert_int_equal(one->log, source.log);
    assert_int_equal(one->batch, source.batch);
    assert_int_equal(one->index, source.index);
    assert_true(account_known(one->debit) && account_known(one->credit));
}

// Numbers of accounts as stored: seat, rung, code.
#define ACCOUNT(seat, rung, code) (((int64_t)(seat)*10 + (rung)) * 10000 + (code))

static struct posting_win
win_of(const struct fact *fact)
{
    struct contract_terms *terms = contract_terms_open(&market);
    struct posting_win win;
    assert_int_equal(posting_win(terms, fact, &win), STATUS_OK);
    contract_terms_close(terms);
    return win;
}

static void
r1_a_partner_wins(void **state)
{
    (void)state;
    static const struct {
        uint32_t seat;
        int64_t debit;
    } cases[] = {{GRILL, ACCOUNT(GRILL, 0, 1110)}, {MAGAZINE, ACCOUNT(MAGAZINE, 0, 2000)}};
    for (int i = 0; i < 2; i++) {
        struct posting posting;
        struct fact fact = won(cases[i].seat, 420000, CHARGE_DELIVERY);
        struct posting_win win = win_of(&fact);
        posting_placement(&win, &fact, source, &posting);
        assert_int_equal(posting.count, 1);
        struct transfer hold = posting.transfers[0];
        is(&hold, TRANSFER_HOLD, TRANSFER_PENDING, cases[i].debit, 4000, 420000);
        assert_int_equal(hold.effective.us, 1000);
        assert_int_equal(hold.seat, cases[i].seat);
        assert_int_equal(hold.slot, 30);
        assert_int_equal(hold.message, 77);
        assert_int_equal(hold.rung, RUNG_AFFILIATION);
        assert_true(id_same(hold.group, win.placement));
        // Delivered: charge. A second delivery, a cancellation or an expiry behind it: nothing.
        struct fact delivered = became(&fact, FACT_DELIVERED, 2000);
        posting_event(&win, &delivered, source, &posting);
        assert_int_equal(posting.count, 1);
        struct transfer charge = posting.transfers[0];
        is(&charge, TRANSFER_CHARGE, TRANSFER_POSTED, cases[i].debit, 4000, 420000);
        assert_true(id_same(charge.pending, hold.id));
        assert_int_equal(charge.effective.us, 1995);
        assert_int_equal(charge.posted.us, 2000);
        static const enum fact_kind after[] = {FACT_DELIVERED, FACT_CANCELLED, FACT_EXPIRED};
        for (int k = 0; k < 3; k++) {
            struct fact again = became(&fact, after[k], 3000);
            posting_event(&win, &again, source, &posting);
            assert_int_equal(posting.count, 0);
            assert_int_equal(posting.state, POSTING_REPEAT);
        }
        // Cancelled or expired instead: release, under the same id as the charge would have had.
        for (int k = 1; k < 3; k++) {
            win = win_of(&fact);
            struct fact ended = became(&fact, after[k], 3000);
            posting_event(&win, &ended, source, &posting);
            assert_int_equal(posting.count, 1);
            is(&posting.transfers[0], TRANSFER_RELEASE, TRANSFER_VOIDED, cases[i].debit, 4000,
               420000);
            assert_true(id_same(posting.transfers[0].id, charge.id));
            assert_true(id_same(posting.transfers[0].pending, hold.id));
            assert_string_equal(posting.transfers[0].reason, k == 1 ? "cancelled" : "expired");
        }
    }
}

static void
r1_charged_at_the_win(void **state)
{
    (void)state;
    struct posting posting;
    struct fact fact = won(GRILL, 420000, CHARGE_WIN);
    struct posting_win win = win_of(&fact);
    posting_placement(&win, &fact, source, &posting);
    assert_int_equal(posting.count, 1);
    is(&posting.transfers[0], TRANSFER_CHARGE, TRANSFER_POSTED, ACCOUNT(GRILL, 0, 1110), 4000,
       420000);
    static const enum fact_kind kinds[] = {FACT_DELIVERED, FACT_CANCELLED, FACT_EXPIRED};
    for (int k = 0; k < 3; k++) {
        win.ended = false;
        struct fact event = became(&fact, kinds[k], 2000);
        posting_event(&win, &event, source, &posting);
        assert_int_equal(posting.count, 0);
        assert_int_equal(posting.state, POSTING_POSTED);
    }
}

static void
r2_a_department_wins(void **state)
{
    (void)state;
    static const struct {
        enum transfer_price price;
        enum charge charge;
        uint32_t seat;
        int64_t at_win, at_delivery;
    } cases[] = {{TRANSFER_FLOOR, CHARGE_DELIVERY, SALES, 0, 150000},
                 {TRANSFER_SECOND_PRICE, CHARGE_DELIVERY, SALES, 0, 420000},
                 {TRANSFER_ZERO, CHARGE_DELIVERY, SALES, 0, 0},
                 {TRANSFER_FLOOR, CHARGE_WIN, SALES, 150000, 0},
                 {TRANSFER_SECOND_PRICE, CHARGE_DELIVERY, BILLING, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct posting posting;
        contracts[2].transfer_price = (uint8_t)cases[i].price;
        struct fact fact = won(cases[i].seat, 420000, cases[i].charge);
        struct posting_win win = win_of(&fact);
        struct fact delivered = became(&fact, FACT_DELIVERED, 2000);
        posting_placement(&win, &fact, source, &posting);
        assert_int_equal(posting.count, cases[i].at_win != 0);
        if (cases[i].at_win) {
            is(&posting.transfers[0], TRANSFER_INTERNAL, TRANSFER_POSTED, ACCOUNT(SALES, 0, 5100),
               ACCOUNT(BILLING, 0, 4100), cases[i].at_win);
        }
        posting_event(&win, &delivered, source, &posting);
        assert_int_equal(posting.count, cases[i].at_delivery != 0);
        if (cases[i].at_delivery) {
            is(&posting.transfers[0], TRANSFER_INTERNAL, TRANSFER_POSTED, ACCOUNT(SALES, 0, 5100),
               ACCOUNT(BILLING, 0, 4100), cases[i].at_delivery);
        }
        // Not delivered: nothing was held, nothing is released.
        win = win_of(&fact);
        struct fact expired = became(&fact, FACT_EXPIRED, 2000);
        posting_event(&win, &expired, source, &posting);
        assert_int_equal(posting.count, 0);
    }
    contracts[2].transfer_price = TRANSFER_FLOOR;
}

static void
zero_and_unknown_book_nothing(void **state)
{
    (void)state;
    struct posting posting;
    struct fact fact = won(GRILL, 0, CHARGE_DELIVERY);
    struct posting_win win = win_of(&fact);
    posting_placement(&win, &fact, source, &posting);
    assert_int_equal(posting.count, 0);
    struct fact delivered = became(&fact, FACT_DELIVERED, 2000);
    posting_event(&win, &delivered, source, &posting);
    assert_int_equal(posting.count, 0);
    assert_int_equal(posting.state, POSTING_POSTED);
    posting_event(NULL, &delivered, source, &posting);
    assert_int_equal(posting.count, 0);
    assert_int_equal(posting.state, POSTING_ORPHAN);
    struct fact accepted = became(&fact, FACT_ACCEPTED, 2000);
    posting_event(&win, &accepted, source, &posting);
    assert_int_equal(posting.count, 0);
    assert_int_equal(posting.state, POSTING_POSTED);
    struct fact stranger = won(99, 5, CHARGE_DELIVERY);
    struct contract_terms *terms = contract_terms_open(&market);
    assert_int_equal(posting_win(terms, &stranger, &win), STATUS_NOT_FOUND);
    contract_terms_close(terms);
}

static void
effective_time_is_kept_in_bounds(void **state)
{
    (void)state;
    static const int64_t cases[][2] = {{1500, 1500}, {999, 1000},  {0, 2000},
                                       {-7, 2000},   {2001, 2000}, {2000, 2000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct posting posting;
        struct fact fact = won(GRILL, 420000, CHARGE_DELIVERY);
        struct posting_win win = win_of(&fact);
        struct fact delivered = became(&fact, FACT_DELIVERED, 2000);
        delivered.event.effective = (usec){cases[i][0]};
        posting_event(&win, &delivered, source, &posting);
        assert_int_equal(posting.effective.us, cases[i][1]);
        assert_int_equal(posting.transfers[0].effective.us, cases[i][1]);
    }
}

static void
r3_a_partner_is_the_merchant(void **state)
{
    (void)state;
    struct posting posting;
    struct posting_order order;
    struct contract_terms *terms = contract_terms_open(&market);
    struct fact fact = won(GRILL, 420000, CHARGE_DELIVERY);
    struct posting_win win = win_of(&fact);
    struct fact converted = revenue(&fact, FACT_CONVERTED, 100000010, "order-1");
    assert_int_equal(posting_revenue(terms, &win, NULL, false, NULL, money_of(0), &converted,
                                     source, &posting, &order),
                     STATUS_OK);
    assert_int_equal(posting.state, POSTING_POSTED);
    assert_int_equal(posting.pool.micros, 10000001);
    assert_int_equal(posting.contract, 1);
    assert_int_equal(posting.count, 5);
    static const int64_t expected[5][2] = {{4200, 4000001},
                                           {ACCOUNT(SALES, 4, 4210), 1500000},
                                           {ACCOUNT(SALES, 5, 4210), 1200000},
                                           {ACCOUNT(AGENCY, 0, 2100), 2500000},
                                           {ACCOUNT(MAGAZINE, 0, 2100), 800000}};
    for (unsigned i = 0; i < 5; i++) {
        is(&posting.transfers[i], TRANSFER_SHARE, TRANSFER_POSTED, ACCOUNT(GRILL, 0, 1150),
           expected[i][0], expected[i][1]);
        assert_int_equal(posting.transfers[i].leg, i);
        assert_true(id_same(posting.transfers[i].group, converted.revenue.order));
        assert_string_equal(posting.transfers[i].reference, "order-1");
        for (unsigned k = 0; k < i; k++) {
            assert_false(id_same(posting.transfers[i].id, posting.transfers[k].id));
        }
    }
    // The same order again, also through another placement, books nothing.
    struct posting_order fresh;
    assert_int_equal(posting_revenue(terms, &win, &order, false, NULL, money_of(0), &converted,
                                     source, &posting, &fresh),
                     STATUS_OK);
    assert_int_equal(posting.state, POSTING_REPEAT);
    assert_int_equal(posting.count, 0);
    contract_terms_close(terms);
}

static void
r3_the_host_is_the_merchant(void **state)
{
    (void)state;
    struct posting posting;
    struct posting_order order;
    struct contract_terms *terms = contract_terms_open(&market);
    struct fact fact = won(AGENCY, 420000, CHARGE_DELIVERY);
    struct posting_win win = win_of(&fact);
    struct fact converted = revenue(&fact, FACT_CONVERTED, 20000000, "order-1");
    assert_int_equal(posting_revenue(terms, &win, NULL, false, NULL, money_of(0), &converted,
                                     source, &posting, &order),
                     STATUS_OK);
    static const int64_t expected[5][3] = {
        {ACCOUNT(0, 7, 5000), 4200, 400000},
        {ACCOUNT(0, 4, 5000), ACCOUNT(SALES, 4, 4210), 150000},
        {ACCOUNT(0, 5, 5000), ACCOUNT(SALES, 5, 4210), 120000},
        {ACCOUNT(0, 7, 5000), ACCOUNT(AGENCY, 0, 2100), 250000},
        {ACCOUNT(0, 7, 5000), ACCOUNT(MAGAZINE, 0, 2100), 80000}};
    assert_int_equal(posting.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        is(&posting.transfers[i], TRANSFER_SHARE, TRANSFER_POSTED, expected[i][0], expected[i][1],
           expected[i][2]);
    }
    // No gain share in the contract: landed, not booked.
    fact = won(MAGAZINE, 420000, CHARGE_DELIVERY);
    win = win_of(&fact);
    assert_int_equal(posting_revenue(terms, &win, NULL, false, NULL, money_of(0), &converted,
                                     source, &posting, &order),
                     STATUS_OK);
    assert_int_equal(posting.state, POSTING_NO_SHARE);
    assert_int_equal(posting.count, 0);
    contract_terms_close(terms);
}

static void
r5_refund_in_two_parts(void **state)
{
    (void)state;
    struct posting posting;
    struct posting_order order, unused;
    struct contract_terms *terms = contract_terms_open(&market);
    struct fact fact = won(GRILL, 420000, CHARGE_DELIVERY);
    struct posting_win win = win_of(&fact);
    struct fact converted = revenue(&fact, FACT_CONVERTED, 100000010, "order-1");
    assert_int_equal(posting_revenue(terms, &win, NULL, false, NULL, money_of(0), &converted,
                                     source, &posting, &order),
                     STATUS_OK);
    struct fact refund = revenue(&fact, FACT_REFUNDED, 25000010, "refund-1");
    assert_int_equal(posting_revenue(terms, &win, &order, false, NULL, money_of(0), &refund, source,
                                     &posting, &unused),
                     STATUS_OK);
    // What remains is 75.000000: a pool of 7.500000 in place of 10.000001.
    assert_int_equal(posting.pool.micros, 7500000);
    static const int64_t expected[5][2] = {{4200, 1000001},
                                           {ACCOUNT(SALES, 4, 4210), 375000},
                                           {ACCOUNT(SALES, 5, 4210), 300000},
                                           {ACCOUNT(AGENCY, 0, 2100), 625000},
                                           {ACCOUNT(MAGAZINE, 0, 2100), 200000}};
    assert_int_equal(posting.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        is(&posting.transfers[i], TRANSFER_REFUND, TRANSFER_POSTED, expected[i][0],
           ACCOUNT(GRILL, 0, 1150), expected[i][1]);
    }
    // Again the same: nothing. Too much: nothing. Of an unknown order: nothing.
    assert_int_equal(posting_revenue(terms, &win, &order, true, NULL, money_of(0), &refund, source,
                                     &posting, &unused),
                     STATUS_OK);
    assert_int_equal(posting.state, POSTING_REPEAT);
    struct fact more = revenue(&fact, FACT_REFUNDED, 75000001, "refund-2");
    assert_int_equal(posting_revenue(terms, &win, &order, false, NULL, money_of(0), &more, source,
                                     &posting, &unused),
                     STATUS_OK);
    assert_int_equal(posting.state, POSTING_EXCEEDS);
    assert_int_equal(posting.count, 0);
    assert_int_equal(posting_revenue(terms, &win, NULL, false, NULL, money_of(0), &more, source,
                                     &posting, &unused),
                     STATUS_OK);
    assert_int_equal(posting.state, POSTING_WAITING);
    contract_terms_close(terms);
}

// --- Property ----------------------------------------------------------------------------------

static uint64_t seed_state;

static uint64_t
draw(uint64_t bound)
{
    seed_state += 0x9e3779b97f4a7c15u;
    return hash_mix(seed_state) % bound;
}

struct balance {
    int64_t account, micros;
};

static void
add(struct balance *balances, unsigned *count, int64_t account, int64_t micros)
{
    unsigned at = 0;
    while (at < *count && balances[at].account != account) at++;
    if (at == *count) balances[(*count)++] = (struct balance){account, 0};
    balances[at].micros += micros;
}

// One random order: converted, refunded in random pieces to the last micro. After each step the
// merchant owes exactly the pool; at the end every account is at zero.
static void
random_series(struct contract_terms *terms, struct market_contract *contract)
{
    static const char *const to[] = {"host", "agency", "sales", "magazine", "billing"};
    struct market_share random_shares[BOUND_SHARES];
    contract->shares = random_shares;
    contract->share_count = (uint32_t)(1 + draw(BOUND_SHARES));
    contract->tiers[0].rate_ppm = (uint32_t)(1 + draw(draw(4) ? 200000 : 1000000));
    for (uint32_t i = 0; i < contract->share_count; i++) {
        random_shares[i] = (struct market_share){.to = to[draw(5)],
                                                 .rung = (int8_t)((int)draw(9) - 1),
                                                 .weight = 1 + draw(draw(2) ? 10 : 1000000)};
    }
    struct balance balances[64];
    struct posting posting;
    struct posting_order order, unused;
    unsigned count = 0, refunds = 0;
    struct fact fact = won(GRILL, 420000, CHARGE_DELIVERY);
    struct posting_win win = win_of(&fact);
    int64_t amount = (int64_t)(1 + draw(draw(2) ? 1000 : 1000000000000)), left = amount;
    struct fact step = revenue(&fact, FACT_CONVERTED, amount, "order");
    for (;;) {
        char key[16];
        assert_int_equal(posting_revenue(terms, &win, step.kind == FACT_CONVERTED ? NULL : &order,
                                         false, NULL, money_of(0), &step, source, &posting,
                                         step.kind == FACT_CONVERTED ? &order : &unused),
                         STATUS_OK);
        assert_int_equal(posting.state, POSTING_POSTED);
        for (unsigned i = 0; i < posting.count; i++) {
            const struct transfer *one = &posting.transfers[i];
            assert_true(one->amount.micros > 0);
            add(balances, &count, account_number(one->debit), one->amount.micros);
            add(balances, &count, account_number(one->credit), -one->amount.micros);
        }
        money pool;
        assert_int_equal(money_share(money_of(left), contract->tiers[0].rate_ppm, &pool),
                         STATUS_OK);
        assert_int_equal(posting.pool.micros, pool.micros);
        add(balances, &count, ACCOUNT(GRILL, 0, 1150), 0);
        for (unsigned i = 0; i < count; i++) {
            if (balances[i].account == ACCOUNT(GRILL, 0, 1150)) {
                assert_int_equal(balances[i].micros, pool.micros);
            } else {
                assert_true(balances[i].micros <= 0);
            }
        }
        if (left == 0) break;
        int64_t part = refunds > 20 || draw(4) == 0 ? left : (int64_t)(1 + draw((uint64_t)left));
        snprintf(key, sizeof key, "r%u", refunds++);
        step = revenue(&fact, FACT_REFUNDED, part, key);
        left -= part;
    }
    for (unsigned i = 0; i < count; i++) assert_int_equal(balances[i].micros, 0);
}

static void
a_full_refund_leaves_nothing(void **state)
{
    (void)state;
    seed_state = seed_fresh();
    struct market_contract kept = contracts[0];
    struct contract_terms *terms = contract_terms_open(&market);
    for (int i = 0; i < 10000; i++) random_series(terms, &contracts[0]);
    contract_terms_close(terms);
    contracts[0] = kept;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r1_a_partner_wins),
        cmocka_unit_test(r1_charged_at_the_win),
        cmocka_unit_test(r2_a_department_wins),
        cmocka_unit_test(zero_and_unknown_book_nothing),
        cmocka_unit_test(effective_time_is_kept_in_bounds),
        cmocka_unit_test(r3_a_partner_is_the_merchant),
        cmocka_unit_test(r3_the_host_is_the_merchant),
        cmocka_unit_test(r5_refund_in_two_parts),
        cmocka_unit_test(a_full_refund_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
