// The worked examples of docs/ledger.md on terms: prices due at a response or a conversion, cost
// and a part more, tiers, caps and roundings, touches, refunds before their conversion, orders
// divided anew, what comes after a close expired it.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "posting.h"

enum { BILLING = 2, SALES = 3, AGENCY = 5, GRILL = 9 };
enum { OWN_COST = 30, PART_OF_COST = 31 };

static struct market_slot slots[] = {
    {.id = OWN_COST, .code = "top", .has_cost = true, .cost = {250000}},
    {.id = PART_OF_COST, .code = "foot"}};
static struct market_container containers[] = {{.id = 1,
                                                .code = "bill",
                                                .owner = "billing",
                                                .has_cost = true,
                                                .cost = {600001},
                                                .slots = slots,
                                                .slot_count = 2}};
static struct market_seat seats[] = {{.id = BILLING, .code = "billing", .kind = SEAT_DEPARTMENT},
                                     {.id = SALES, .code = "sales", .kind = SEAT_DEPARTMENT},
                                     {.id = AGENCY, .code = "agency", .kind = SEAT_PARTNER},
                                     {.id = GRILL, .code = "grill", .kind = SEAT_PARTNER}};
static struct market_share shares[] = {{.to = "host", .rung = -1, .weight = 40},
                                       {.to = "touches", .rung = -1, .weight = 60}};
static struct market_contract contracts[] = {
    {.id = 1,
     .seat = "grill",
     .has_gain_share = true,
     .tiers = {{.rate_ppm = 100000}, {.from = {10000000000}, .rate_ppm = 125000}},
     .tier_count = 2,
     .has_cap = true,
     .cap = {12000000000},
     .merchant = MERCHANT_PARTNER,
     .shares = shares,
     .share_count = 2},
    {.id = 2, .seat = "sales", .transfer_price = TRANSFER_COST_PLUS, .cost_plus_ppm = 100000}};
static struct market market = {.containers = containers,
                               .container_count = 1,
                               .seats = seats,
                               .seat_count = 4,
                               .contracts = contracts,
                               .contract_count = 2};
static const struct posting_source source = {1, 7, 3};
static const struct id none;
static struct contract_terms *terms;
static struct posting posting;

#define ACCOUNT(seat, rung, code) (((int64_t)(seat)*10 + (rung)) * 10000 + (code))

static struct posting_win
won(uint32_t seat, enum charge charge, uint32_t slot)
{
    struct posting_win win;
    struct fact fact = {.kind = FACT_PLACEMENT, .position = 1, .at = {1000}, .contact = {{0xaa}}};
    fact.customer = 77;
    fact.placement.slot = slot;
    fact.placement.seat = seat;
    memcpy(fact.placement.currency.code, "EUR", 4);
    fact.placement.price = money_of(420000);
    fact.placement.floor = money_of(150000);
    fact.placement.rung = RUNG_AFFILIATION;
    fact.placement.charge = (uint8_t)charge;
    fact.placement.cell = STAGE_USE * CHANNEL_COUNT + CHANNEL_BILL;
    assert_int_equal(posting_win(terms, &fact, &win), STATUS_OK);
    assert_int_equal(win.channel, CHANNEL_BILL);
    assert_int_equal(win.customer, 77);
    posting_placement(&win, &fact, source, &posting);
    return win;
}

static void
became(struct posting_win *win, enum fact_kind kind, int64_t at)
{
    struct fact fact = {.kind = (uint8_t)kind, .position = 1, .at = {at}, .contact = {{0xaa}}};
    fact.event.effective = (usec){at - 5};
    posting_event(win, &fact, source, &posting);
}

static void
order_of(enum fact_kind kind, int64_t amount, const char *key, struct fact *fact)
{
    *fact = (struct fact){.kind = (uint8_t)kind, .position = 1, .at = {5000}, .contact = {{0xaa}}};
    memcpy(fact->revenue.currency.code, "EUR", 4);
    fact->revenue.effective = (usec){4000};
    fact->revenue.amount = money_of(amount);
    fact->revenue.order = hash_id("order", "o", 1);
    snprintf(fact->revenue.key, sizeof fact->revenue.key, "%s", key);
}

static struct contract_part kept_parts[BOUND_PARTS];

static void
revenue(struct posting_win *win, struct posting_order *order, enum fact_kind kind, int64_t amount,
        const char *key, const struct credit *credit, int64_t base)
{
    struct fact fact;
    struct posting_order next;
    order_of(kind, amount, key, &fact);
    bool known = order->amount.micros > 0 || order->refunded.micros > 0;
    assert_int_equal(posting_revenue(terms, win, known ? order : NULL, false, credit,
                                     money_of(base), &fact, source, &posting, &next),
                     STATUS_OK);
    if (posting.state > POSTING_NO_SHARE && posting.state != POSTING_WAITING) return;
    memcpy(kept_parts, posting.parts, posting.part_count * sizeof *kept_parts);
    *order = next;
    order->parts = kept_parts;
}

// What was booked: debit, credit, micros.
static void
booked(unsigned count, const int64_t rows[][3])
{
    assert_int_equal(posting.count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct transfer *one = &posting.transfers[i];
        assert_int_equal(account_number(one->debit), rows[i][0]);
        assert_int_equal(account_number(one->credit), rows[i][1]);
        assert_int_equal(one->amount.micros, rows[i][2]);
        for (unsigned k = 0; k < i; k++) {
            assert_false(id_same(one->id, posting.transfers[k].id));
            assert_int_not_equal(one->leg, posting.transfers[k].leg);
        }
    }
}
#define BOOKED(...)                                     \
    do {                                                \
        static const int64_t rows[][3] = {__VA_ARGS__}; \
        booked(sizeof rows / sizeof *rows, rows);       \
    } while (0)

static const struct credit two_touches = {
    .count = 2,
    .parts = {{SALES, SEAT_DEPARTMENT, RUNG_PREDICTIVE, 250000},
              {AGENCY, SEAT_PARTNER, RUNG_AFFILIATION, 750000}}};

// --- R11 ---------------------------------------------------------------------------------------

static void
charged_at_the_response(void **state)
{
    (void)state;
    static const enum fact_kind released[] = {FACT_DECLINED, FACT_LAPSED, FACT_CANCELLED,
                                              FACT_EXPIRED};
    struct posting_win win = won(GRILL, CHARGE_RESPONSE, OWN_COST);
    struct id hold = posting.transfers[0].id;
    assert_int_equal(posting.transfers[0].kind, TRANSFER_HOLD);
    became(&win, FACT_DELIVERED, 2000);
    assert_int_equal(posting.count, 0);
    assert_true(win.delivered && !win.ended && win.delivered_at.us == 1995);
    became(&win, FACT_ACCEPTED, 3000);
    BOOKED({ACCOUNT(GRILL, 0, 1110), 4000, 420000});
    assert_int_equal(posting.transfers[0].kind, TRANSFER_CHARGE);
    assert_true(id_same(posting.transfers[0].pending, hold));
    assert_true(win.ended && !win.released && win.accepted_at.us == 2995);
    became(&win, FACT_ACCEPTED, 3100);
    assert_int_equal(posting.state, POSTING_REPEAT);
    for (unsigned i = 0; i < 4; i++) {
        win = won(GRILL, CHARGE_RESPONSE, OWN_COST);
        became(&win, released[i], 3000);
        BOOKED({ACCOUNT(GRILL, 0, 1110), 4000, 420000});
        assert_int_equal(posting.transfers[0].state, TRANSFER_VOIDED);
        assert_true(win.ended && win.released);
        became(&win, FACT_ACCEPTED, 3100);
        assert_int_equal(posting.state, POSTING_REPEAT);
    }
}

// The first order makes the price due; a second one, or a decline behind it, changes nothing.
static void
charged_at_the_conversion(void **state)
{
    (void)state;
    struct posting_order order = {0}, second = {0};
    struct posting_win win = won(GRILL, CHARGE_CONVERSION, OWN_COST);
    became(&win, FACT_DELIVERED, 2000);
    became(&win, FACT_ACCEPTED, 2500);
    assert_int_equal(posting.count, 0);
    assert_false(win.ended);
    revenue(&win, &order, FACT_CONVERTED, 10000000, "A", NULL, 0);
    BOOKED({ACCOUNT(GRILL, 0, 1150), 4200, 1000000}, {ACCOUNT(GRILL, 0, 1110), 4000, 420000});
    assert_int_equal(posting.transfers[1].kind, TRANSFER_CHARGE);
    assert_int_equal(posting.merchant, GRILL);
    assert_true(win.ended);
    revenue(&win, &second, FACT_CONVERTED, 10000000, "B", NULL, 10000000);
    assert_int_equal(posting.count, 1);
    became(&win, FACT_DECLINED, 6000);
    assert_int_equal(posting.state, POSTING_REPEAT);
    // Lapsed, then an order: its pool, but no price.
    win = won(GRILL, CHARGE_CONVERSION, OWN_COST);
    became(&win, FACT_DELIVERED, 2000);
    became(&win, FACT_LAPSED, 3000);
    assert_int_equal(posting.transfers[0].kind, TRANSFER_RELEASE);
    order = (struct posting_order){0};
    revenue(&win, &order, FACT_CONVERTED, 10000000, "A", NULL, 0);
    BOOKED({ACCOUNT(GRILL, 0, 1150), 4200, 1000000});
}

static void
late(void **state)
{
    (void)state;
    struct posting_win win = won(GRILL, CHARGE_DELIVERY, OWN_COST);
    win.ended = win.released = win.expired = true;
    became(&win, FACT_DELIVERED, 9000);
    assert_int_equal(posting.state, POSTING_LATE);
    assert_string_equal(posting_state_name(posting.state), "late");
    assert_int_equal(posting.count, 0);
    assert_false(win.delivered);
}

// --- R2 ----------------------------------------------------------------------------------------

// 10 % above the cost: of the slot, or of its half of the container's 0.600001.
static void
cost_and_a_part_more(void **state)
{
    (void)state;
    struct posting_win win = won(SALES, CHARGE_DELIVERY, OWN_COST);
    became(&win, FACT_DELIVERED, 2000);
    BOOKED({ACCOUNT(SALES, 0, 5100), ACCOUNT(BILLING, 0, 4100), 275000});
    win = won(SALES, CHARGE_DELIVERY, PART_OF_COST);
    became(&win, FACT_DELIVERED, 2000);
    BOOKED({ACCOUNT(SALES, 0, 5100), ACCOUNT(BILLING, 0, 4100), 330000});
    win = won(SALES, CHARGE_RESPONSE, OWN_COST);
    assert_int_equal(posting.count, 0);
    became(&win, FACT_ACCEPTED, 2000);
    BOOKED({ACCOUNT(SALES, 0, 5100), ACCOUNT(BILLING, 0, 4100), 275000});
}

// --- R13 ---------------------------------------------------------------------------------------

// 3,000 after 9,500 of the month: 500 at 10 %, 2,000 at 12.5 % up to the cap of 12,000, and 500
// beyond it at 12.5 % for the host alone.
static void
tiers_and_a_cap(void **state)
{
    (void)state;
    struct posting_win win = won(GRILL, CHARGE_DELIVERY, OWN_COST);
    struct posting_order order = {0};
    revenue(&win, &order, FACT_CONVERTED, 3000000000, "A", &two_touches, 9500000000);
    assert_int_equal(posting.pool.micros, 362500000);
    BOOKED({ACCOUNT(GRILL, 0, 1150), 4200, 120000000},
           {ACCOUNT(GRILL, 0, 1150), ACCOUNT(SALES, 5, 4210), 45000000},
           {ACCOUNT(GRILL, 0, 1150), ACCOUNT(AGENCY, 0, 2100), 135000000},
           {ACCOUNT(GRILL, 0, 1150), 4200, 62500000});
    assert_string_equal(posting.transfers[3].reason, "outside_terms");
    assert_string_equal(posting.transfers[0].reason, "");
    struct id agency = posting.transfers[2].id, outside = posting.transfers[3].id;
    // A refund of 600: first what lies beyond the cap, then 100 at 12.5 %.
    revenue(&win, &order, FACT_REFUNDED, 600000000, "R", NULL, 0);
    BOOKED({4200, ACCOUNT(GRILL, 0, 1150), 5000000},
           {ACCOUNT(SALES, 5, 4210), ACCOUNT(GRILL, 0, 1150), 1875000},
           {ACCOUNT(AGENCY, 0, 2100), ACCOUNT(GRILL, 0, 1150), 5625000},
           {4200, ACCOUNT(GRILL, 0, 1150), 62500000});
    assert_true(id_same(posting.transfers[2].origin, agency));
    assert_true(id_same(posting.transfers[3].origin, outside));
    assert_int_equal(posting.transfers[3].won_rung, RUNG_AFFILIATION);
}

// Retroactive tiers are booked at the first one's rate; what a month reached is known at its end.
static void
retroactive_tiers(void **state)
{
    (void)state;
    struct market_contract contract = contracts[0];
    struct contract_pool pool;
    contract.retroactive = true;
    contract.has_cap = false;
    assert_int_equal(contract_pool(&contract, money_of(9500000000), money_of(3000000000), 0, &pool),
                     STATUS_OK);
    assert_int_equal(pool.pool.micros, 300000000);
    uint32_t reached = contract_reached(&contract, money_of(12500000000));
    assert_int_equal(reached, 125000);
    assert_int_equal(contract_reached(&contract, money_of(9999999999)), 100000);
    assert_int_equal(contract_reached(&contract, money_of(10000000000)), 125000);
    assert_int_equal(
        contract_pool(&contract, money_of(9500000000), money_of(3000000000), reached, &pool),
        STATUS_OK);
    assert_int_equal(pool.pool.micros, 375000000);
    assert_true(contract_touches(&contract));
    assert_false(contract_needs_base(&contract));
    assert_true(contract_needs_base(&contracts[0]));
}

// 5 micros at 10 %, and at 30 %.
static void
roundings(void **state)
{
    (void)state;
    static const int64_t pools[ROUNDING_COUNT][2] = {
        [ROUNDING_HALF_EVEN] = {0, 2}, [ROUNDING_DOWN] = {0, 1}, [ROUNDING_UP] = {1, 2}};
    struct market_contract contract = contracts[0];
    struct contract_pool pool;
    for (uint8_t i = 0; i < ROUNDING_COUNT; i++) {
        contract.rounding = i;
        for (unsigned k = 0; k < 2; k++) {
            contract.tiers[0].rate_ppm = k ? 300000 : 100000;
            assert_int_equal(contract_pool(&contract, money_of(0), money_of(5), 0, &pool),
                             STATUS_OK);
            assert_int_equal(pool.pool.micros, pools[i][k]);
        }
    }
    assert_int_equal(contract_pool(&contract, money_of(1), money_of(INT64_MAX), 0, &pool),
                     STATUS_OVERFLOW);
}

// --- R5 ----------------------------------------------------------------------------------------

// Reported before its order: it waits, and the order books both.
static void
a_refund_that_waits(void **state)
{
    (void)state;
    struct posting_win win = won(GRILL, CHARGE_DELIVERY, OWN_COST);
    struct posting_order order = {0};
    revenue(&win, &order, FACT_REFUNDED, 2500000, "R1", NULL, 0);
    assert_int_equal(posting.state, POSTING_WAITING);
    assert_string_equal(posting_state_name(posting.state), "waiting");
    assert_int_equal(posting.count, 0);
    revenue(&win, &order, FACT_REFUNDED, 2500000, "R2", NULL, 0);
    assert_int_equal(order.refunded.micros, 5000000);
    revenue(&win, &order, FACT_CONVERTED, 10000000, "A", &two_touches, 0);
    assert_int_equal(posting.state, POSTING_POSTED);
    assert_int_equal(posting.pool.micros, 500000);
    BOOKED({ACCOUNT(GRILL, 0, 1150), 4200, 400000},
           {ACCOUNT(GRILL, 0, 1150), ACCOUNT(SALES, 5, 4210), 150000},
           {ACCOUNT(GRILL, 0, 1150), ACCOUNT(AGENCY, 0, 2100), 450000},
           {4200, ACCOUNT(GRILL, 0, 1150), 200000},
           {ACCOUNT(SALES, 5, 4210), ACCOUNT(GRILL, 0, 1150), 75000},
           {ACCOUNT(AGENCY, 0, 2100), ACCOUNT(GRILL, 0, 1150), 225000});
    assert_int_equal(posting.transfers[2].kind, TRANSFER_SHARE);
    assert_int_equal(posting.transfers[5].kind, TRANSFER_REFUND);
    assert_true(id_same(posting.transfers[5].origin, posting.transfers[2].id));
    assert_int_equal(order.refunded.micros, 5000000);
    // More than was converted: none of it counts, as behind the order.
    order = (struct posting_order){0};
    revenue(&win, &order, FACT_REFUNDED, 10000001, "R1", NULL, 0);
    revenue(&win, &order, FACT_CONVERTED, 10000000, "A", &two_touches, 0);
    assert_int_equal(posting.count, 3);
    assert_int_equal(order.refunded.micros, 0);
}

// An order of the host's is refunded where it was booked; of a partner's only there.
static void
a_refund_elsewhere(void **state)
{
    (void)state;
    struct posting_win win = won(GRILL, CHARGE_DELIVERY, OWN_COST), other = win;
    struct posting_order order = {0};
    other.placement.bytes[0] = 0xbb;
    revenue(&win, &order, FACT_CONVERTED, 10000000, "A", &two_touches, 0);
    revenue(&other, &order, FACT_REFUNDED, 5, "R1", NULL, 0);
    assert_int_equal(posting.state, POSTING_ORPHAN);
    revenue(&other, &order, FACT_CONVERTED, 10000000, "A", &two_touches, 0);
    assert_int_equal(posting.state, POSTING_REPEAT);
}

// --- R14 ---------------------------------------------------------------------------------------

// A touch of Agency was reported after the order; half was refunded by then.
static void
divided_anew(void **state)
{
    (void)state;
    struct credit sales = {
        .count = 1, .parts = {{SALES, SEAT_DEPARTMENT, RUNG_PREDICTIVE, 1000000}}, .model = 0};
    struct credit fitted = two_touches;
    struct posting_win win = won(GRILL, CHARGE_DELIVERY, OWN_COST);
    struct posting_order order = {0};
    struct fact touch = {.kind = FACT_DELIVERED, .position = 1, .at = {9000}, .contact = {{0xcc}}};
    revenue(&win, &order, FACT_CONVERTED, 10000000, "A", &sales, 0);
    BOOKED({ACCOUNT(GRILL, 0, 1150), 4200, 400000},
           {ACCOUNT(GRILL, 0, 1150), ACCOUNT(SALES, 5, 4210), 600000});
    struct id share = posting.transfers[1].id;
    revenue(&win, &order, FACT_REFUNDED, 5000000, "R1", NULL, 0);
    assert_int_equal(posting.count, 2);
    fitted.model = 4;
    posting.count = 0;
    assert_int_equal(posting_credit(terms, &win, &order, &fitted, &touch, source, &posting),
                     STATUS_OK);
    BOOKED({ACCOUNT(SALES, 5, 4210), ACCOUNT(GRILL, 0, 1150), 225000},
           {ACCOUNT(GRILL, 0, 1150), ACCOUNT(AGENCY, 0, 2100), 225000});
    assert_int_equal(posting.transfers[0].kind, TRANSFER_CREDIT);
    assert_int_equal(posting.transfers[0].effective.us, 4000);  // the order's
    assert_int_equal(posting.transfers[0].model, 4);
    assert_true(id_same(posting.transfers[0].origin, share));
    assert_true(id_same(posting.transfers[1].origin, none));
    assert_true(order.divided && order.model == 4 && order.part_count == 3);
    posting.count = 0;
    assert_int_equal(posting_credit(terms, &win, &order, &fitted, &touch, source, &posting),
                     STATUS_OK);
    assert_int_equal(posting.count, 0);  // nothing changes
    revenue(&win, &order, FACT_REFUNDED, 5000000, "R2", NULL, 0);
    BOOKED({4200, ACCOUNT(GRILL, 0, 1150), 200000},
           {ACCOUNT(SALES, 5, 4210), ACCOUNT(GRILL, 0, 1150), 75000},
           {ACCOUNT(AGENCY, 0, 2100), ACCOUNT(GRILL, 0, 1150), 225000});
    assert_true(id_same(posting.transfers[1].origin, none));
    assert_int_equal(posting.transfers[1].model, 4);
    // No room: nothing is booked, and the order stays as it is.
    order.refunded = money_of(0);
    posting.count = POSTING_TRANSFERS;
    assert_int_equal(posting_credit(terms, &win, &order, &sales, &touch, source, &posting),
                     STATUS_FULL);
    assert_int_equal(posting.count, POSTING_TRANSFERS);
    assert_int_equal(order.part_count, 3);
}

static int
open_terms(void **state)
{
    (void)state;
    terms = contract_terms_open(&market);
    return 0;
}

static int
close_terms(void **state)
{
    (void)state;
    contract_terms_close(terms);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charged_at_the_response),
        cmocka_unit_test(charged_at_the_conversion),
        cmocka_unit_test(late),
        cmocka_unit_test(cost_and_a_part_more),
        cmocka_unit_test(tiers_and_a_cap),
        cmocka_unit_test(retroactive_tiers),
        cmocka_unit_test(roundings),
        cmocka_unit_test(a_refund_that_waits),
        cmocka_unit_test(a_refund_elsewhere),
        cmocka_unit_test(divided_anew),
    };
    return cmocka_run_group_tests(tests, open_terms, close_terms);
}
