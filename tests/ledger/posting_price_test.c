// Tests of posting.c by kind of price: R11 (per response) and R12 (a share of the revenue), with
// the numbers of docs/ledger.md, and the property of R12: whatever series of conversions and
// refunds, what stands on the accounts is the share of what remains, and at the end nothing.
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
static struct market_share shares[] = {{.to = "host", .rung = -1, .weight = 3},
                                       {.to = "agency", .rung = -1, .weight = 1}};
static struct market_contract contracts[] = {
    {.id = 1,
     .seat = "grill",
     .has_gain_share = true,
     .tiers = {{.rate_ppm = 100000}},
     .tier_count = 1,
     .merchant = MERCHANT_PARTNER,
     .shares = shares,
     .share_count = 2},
    {.id = 2, .seat = "magazine", .billing = BILLING_PREPAID},
    {.id = 3, .seat = "sales", .transfer_price = TRANSFER_FLOOR},
};
static struct market market = {.containers = containers,
                               .container_count = 1,
                               .seats = seats,
                               .seat_count = 5,
                               .contracts = contracts,
                               .contract_count = 3};
static const struct posting_source source = {1, 40, 3};
#define ACCOUNT(seat, rung, code) (((int64_t)(seat)*10 + (rung)) * 10000 + (code))
static const int64_t external = 4000, grill = ACCOUNT(GRILL, 0, 1110),
                     magazine = ACCOUNT(MAGAZINE, 0, 2000), sales = ACCOUNT(SALES, 0, 5100),
                     billing = ACCOUNT(BILLING, 0, 4100);

static struct contract_terms *terms;

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

static struct fact
won(uint32_t seat, enum price_kind kind, int64_t price, enum charge charge)
{
    struct fact fact = {.kind = FACT_PLACEMENT, .position = 1, .at = {1000}, .contact = {{0xaa}}};
    fact.placement.slot = 30;
    fact.placement.message = 77;
    fact.placement.seat = seat;
    memcpy(fact.placement.currency.code, "EUR", 4);
    fact.placement.kind = (uint8_t)kind;
    fact.placement.price = money_of(price);
    fact.placement.floor = money_of(150000);
    fact.placement.rung = RUNG_AFFILIATION;
    fact.placement.charge = (uint8_t)charge;
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

static struct posting_win
win_of(const struct fact *fact)
{
    struct posting_win win;
    assert_int_equal(posting_win(terms, fact, &win), STATUS_OK);
    return win;
}

// The only transfer of a posting; kind TRANSFER_KIND_COUNT: none.
struct expected {
    enum transfer_kind kind;
    enum transfer_state state;
    int64_t debit, credit, micros;
};
#define NOTHING                         \
    {                                   \
        TRANSFER_KIND_COUNT, 0, 0, 0, 0 \
    }

static void
is(const struct posting *posting, struct expected expected)
{
    assert_int_equal(posting->count, expected.kind != TRANSFER_KIND_COUNT);
    if (posting->count == 0) return;
    const struct transfer *one = &posting->transfers[0];
    assert_int_equal(one->kind, expected.kind);
    assert_int_equal(one->state, expected.state);
    assert_int_equal(account_number(one->debit), expected.debit);
    assert_int_equal(account_number(one->credit), expected.credit);
    assert_int_equal(one->amount.micros, expected.micros);
}

static enum posting_state
event(struct posting_win *win, const struct fact *placement, enum fact_kind kind,
      struct posting *out)
{
    struct fact fact = {
        .kind = (uint8_t)kind, .position = 1, .at = {2000}, .contact = placement->contact};
    posting_event(win, &fact, source, out);
    return out->state;
}

// --- R11 -----------------------------------------------------------------------------------------

static void
r11_a_price_per_response(void **state)
{
    (void)state;
    static const enum charge charges[] = {CHARGE_DELIVERY, CHARGE_WIN};
    static const enum fact_kind releases[] = {FACT_CANCELLED, FACT_EXPIRED, FACT_DECLINED,
                                              FACT_LAPSED};
    for (int i = 0; i < 2; i++) {  // what a contract charges at the win is prices per placement
        struct posting posting;
        struct fact fact = won(GRILL, PRICE_RESPONSE, 2400000, charges[i]);
        struct posting_win win = win_of(&fact);
        posting_placement(&win, &fact, source, &posting);
        is(&posting, (struct expected){TRANSFER_HOLD, TRANSFER_PENDING, grill, external, 2400000});
        struct transfer hold = posting.transfers[0];
        assert_int_equal(event(&win, &fact, FACT_DELIVERED, &posting), POSTING_POSTED);
        is(&posting, (struct expected)NOTHING);
        assert_int_equal(event(&win, &fact, FACT_DELIVERED, &posting), POSTING_REPEAT);
        assert_int_equal(event(&win, &fact, FACT_COMPLAINED, &posting), POSTING_POSTED);
        is(&posting, (struct expected)NOTHING);
        assert_int_equal(event(&win, &fact, FACT_ACCEPTED, &posting), POSTING_POSTED);
        is(&posting, (struct expected){TRANSFER_CHARGE, TRANSFER_POSTED, grill, external, 2400000});
        struct transfer charge = posting.transfers[0];
        assert_true(id_same(charge.pending, hold.id));
        assert_int_equal(event(&win, &fact, FACT_ACCEPTED, &posting), POSTING_REPEAT);
        for (int k = 0; k < 4; k++) {
            assert_int_equal(event(&win, &fact, releases[k], &posting), POSTING_REPEAT);
            is(&posting, (struct expected)NOTHING);
            struct posting_win other = win_of(&fact);
            assert_int_equal(event(&other, &fact, releases[k], &posting), POSTING_POSTED);
            is(&posting,
               (struct expected){TRANSFER_RELEASE, TRANSFER_VOIDED, grill, external, 2400000});
            assert_true(id_same(posting.transfers[0].id, charge.id));
            assert_string_equal(posting.transfers[0].reason, fact_kind_name(releases[k]));
            assert_int_equal(event(&other, &fact, FACT_ACCEPTED, &posting), POSTING_REPEAT);
            is(&posting, (struct expected)NOTHING);
        }
    }
}

static void
r11_of_a_department(void **state)
{
    (void)state;
    static const struct {
        enum transfer_price price;
        uint32_t seat;
        int64_t micros;
    } cases[] = {{TRANSFER_SECOND_PRICE, SALES, 2400000},
                 {TRANSFER_FLOOR, SALES, 2400000},  // a floor is an expected value, not a price
                 {TRANSFER_ZERO, SALES, 0},
                 {TRANSFER_SECOND_PRICE, BILLING, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct posting posting;
        contracts[2].transfer_price = (uint8_t)cases[i].price;
        struct fact fact = won(cases[i].seat, PRICE_RESPONSE, 2400000, CHARGE_WIN);
        struct posting_win win = win_of(&fact);
        posting_placement(&win, &fact, source, &posting);
        is(&posting, (struct expected)NOTHING);
        event(&win, &fact, FACT_DELIVERED, &posting);
        is(&posting, (struct expected)NOTHING);
        event(&win, &fact, FACT_ACCEPTED, &posting);
        struct expected due = {TRANSFER_INTERNAL, TRANSFER_POSTED, sales, billing, cases[i].micros};
        is(&posting, due.micros ? due : (struct expected)NOTHING);
        struct posting_win other = win_of(&fact);
        event(&other, &fact, FACT_LAPSED, &posting);
        is(&posting, (struct expected)NOTHING);
    }
    contracts[2].transfer_price = TRANSFER_FLOOR;
}

// A lapse says nothing of a placement that is not priced per response.
static void
a_lapse_of_other_kinds_books_nothing(void **state)
{
    (void)state;
    static const enum price_kind kinds[] = {PRICE_PLACEMENT, PRICE_SHARE};
    for (int i = 0; i < 2; i++) {
        struct posting posting;
        struct fact fact = won(GRILL, kinds[i], 100000, CHARGE_DELIVERY);
        struct posting_win win = win_of(&fact);
        assert_int_equal(event(&win, &fact, FACT_LAPSED, &posting), POSTING_POSTED);
        is(&posting, (struct expected)NOTHING);
        assert_false(win.ended);
    }
}

// --- R12 -----------------------------------------------------------------------------------------

static enum posting_state
book(struct posting_win *win, struct posting_order *order, const struct fact *fact,
     struct posting *out)
{
    bool converted = fact->kind == FACT_CONVERTED;
    struct posting_order unused;
    assert_int_equal(posting_revenue(terms, win, converted ? NULL : order, false, NULL, money_of(0),
                                     fact, source, out, converted ? order : &unused),
                     STATUS_OK);
    return out->state;
}

static void
r12_a_share_of_the_revenue(void **state)
{
    (void)state;
    struct posting posting;
    struct posting_order order;
    struct fact fact = won(MAGAZINE, PRICE_SHARE, 42500, CHARGE_DELIVERY);  // 4.25 %
    struct posting_win win = win_of(&fact);
    posting_placement(&win, &fact, source, &posting);
    is(&posting, (struct expected)NOTHING);
    assert_int_equal(event(&win, &fact, FACT_DELIVERED, &posting), POSTING_POSTED);
    is(&posting, (struct expected)NOTHING);
    struct fact converted = revenue(&fact, FACT_CONVERTED, 19999900, "order-1");
    assert_int_equal(book(&win, &order, &converted, &posting), POSTING_NO_SHARE);
    // 849,995.75 rounded once
    is(&posting,
       (struct expected){TRANSFER_COMMISSION, TRANSFER_POSTED, magazine, external, 849996});
    assert_string_equal(posting.transfers[0].reference, "order-1");
    assert_true(id_same(posting.transfers[0].group, converted.revenue.order));
    assert_int_equal(posting.pool.micros, 0);
    struct fact refund = revenue(&fact, FACT_REFUNDED, 9999900, "refund-1");
    assert_int_equal(book(&win, &order, &refund, &posting), POSTING_NO_SHARE);
    is(&posting,
       (struct expected){TRANSFER_COMMISSION, TRANSFER_POSTED, external, magazine, 424996});
    refund = revenue(&fact, FACT_REFUNDED, 10000000, "refund-2");
    assert_int_equal(book(&win, &order, &refund, &posting), POSTING_NO_SHARE);
    is(&posting,
       (struct expected){TRANSFER_COMMISSION, TRANSFER_POSTED, external, magazine, 425000});
}

static void
r12_beside_a_gain_share(void **state)
{
    (void)state;
    struct posting posting;
    struct posting_order order;
    struct fact fact = won(GRILL, PRICE_SHARE, 50000, CHARGE_DELIVERY);
    struct posting_win win = win_of(&fact);
    struct fact converted = revenue(&fact, FACT_CONVERTED, 20000000, "order-1");
    assert_int_equal(book(&win, &order, &converted, &posting), POSTING_POSTED);
    assert_int_equal(posting.count, 3);
    assert_int_equal(posting.pool.micros, 2000000);
    const struct transfer *last = &posting.transfers[2];
    assert_int_equal(last->kind, TRANSFER_COMMISSION);
    assert_int_equal(account_number(last->debit), grill);
    assert_int_equal(last->amount.micros, 1000000);
    assert_true(last->leg > posting.transfers[1].leg);
    for (int i = 0; i < 2; i++) assert_int_equal(posting.transfers[i].kind, TRANSFER_SHARE);
}

static void
r12_of_a_department(void **state)
{
    (void)state;
    struct posting posting;
    struct posting_order order;
    struct fact fact = won(SALES, PRICE_SHARE, 50000, CHARGE_DELIVERY);
    struct posting_win win = win_of(&fact);
    struct fact converted = revenue(&fact, FACT_CONVERTED, 20000000, "order-1");
    book(&win, &order, &converted, &posting);
    is(&posting, (struct expected){TRANSFER_COMMISSION, TRANSFER_POSTED, sales, billing, 1000000});
    struct fact refund = revenue(&fact, FACT_REFUNDED, 20000000, "refund-1");
    book(&win, &order, &refund, &posting);
    is(&posting, (struct expected){TRANSFER_COMMISSION, TRANSFER_POSTED, billing, sales, 1000000});
    fact = won(BILLING, PRICE_SHARE, 50000, CHARGE_DELIVERY);  // in its own container
    win = win_of(&fact);
    book(&win, &order, &converted, &posting);
    is(&posting, (struct expected)NOTHING);
}

// --- Property ------------------------------------------------------------------------------------

static uint64_t seed_state;

static uint64_t
draw(uint64_t bound)
{
    seed_state += 0x9e3779b97f4a7c15u;
    return hash_mix(seed_state) % bound;
}

// One order in random pieces to the last micro: after each, the price's account holds the share of
// what remains; at the end nothing. Ids never repeat.
static void
random_series(uint32_t seat, int64_t price)
{
    struct posting posting;
    struct posting_order order;
    struct fact fact = won(seat, PRICE_SHARE, price, CHARGE_DELIVERY);
    struct posting_win win = win_of(&fact);
    int64_t amount = (int64_t)(1 + draw(draw(2) ? 2000 : 1000000000000)), left = amount, stands = 0;
    struct fact step = revenue(&fact, FACT_CONVERTED, amount, "order");
    struct id before = {{0}};
    for (unsigned refunds = 0;; refunds++) {
        char key[16];
        money due;
        book(&win, &order, &step, &posting);
        for (unsigned i = 0; i < posting.count; i++) {
            const struct transfer *one = &posting.transfers[i];
            if (one->kind != TRANSFER_COMMISSION) continue;
            assert_true(one->amount.micros > 0);
            bool back = one->credit.code == ACCOUNT_UNBILLED ||
                        one->credit.code == ACCOUNT_PREPAID ||
                        one->credit.code == ACCOUNT_EXPENSE_INTERNAL;
            stands += back ? -one->amount.micros : one->amount.micros;
            assert_false(id_same(one->id, before));
            before = one->id;
        }
        assert_int_equal(money_share(money_of(left), (uint64_t)price, &due), STATUS_OK);
        assert_int_equal(stands, due.micros);
        if (left == 0) break;
        int64_t part = refunds > 20 || draw(4) == 0 ? left : (int64_t)(1 + draw((uint64_t)left));
        snprintf(key, sizeof key, "r%u", refunds);
        step = revenue(&fact, FACT_REFUNDED, part, key);
        left -= part;
    }
    assert_int_equal(stands, 0);
}

static void
a_full_refund_leaves_nothing(void **state)
{
    (void)state;
    static const uint32_t buyers[] = {GRILL, MAGAZINE, SALES};
    seed_state = seed_fresh();
    for (int i = 0; i < 10000; i++) {
        random_series(buyers[draw(3)], (int64_t)(1 + draw(draw(4) ? 300000 : 1000000)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r11_a_price_per_response),
        cmocka_unit_test(r11_of_a_department),
        cmocka_unit_test(a_lapse_of_other_kinds_books_nothing),
        cmocka_unit_test(r12_a_share_of_the_revenue),
        cmocka_unit_test(r12_beside_a_gain_share),
        cmocka_unit_test(r12_of_a_department),
        cmocka_unit_test(a_full_refund_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, open_terms, close_terms);
}
