// Random orders against a model in a few lines: whatever the rates, tiers, caps, roundings,
// weights, touches, partial refunds and new divisions, every account of an order stands where the
// definition says, parts are within a micro of their exact share, a full refund leaves zero
// everywhere, and the order of refunds changes nothing. Then every order of reported and repeated
// events of one order ends the same, with a model beside it.
//
// VENDUE_ROUNDS says how many random orders (20,000 when not said), VENDUE_SEED which.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "posting.h"
#include "seed.h"

__extension__ typedef __int128 wide;

enum { BILLING = 2, SALES = 3, AGENCY = 5, GRILL = 9, MAGAZINE = 12 };

static struct market_slot slots[] = {{.id = 30, .code = "top"}};
static struct market_container containers[] = {
    {.id = 1, .code = "bill", .owner = "billing", .slots = slots, .slot_count = 1}};
static struct market_seat seats[] = {{.id = BILLING, .code = "billing", .kind = SEAT_DEPARTMENT},
                                     {.id = SALES, .code = "sales", .kind = SEAT_DEPARTMENT},
                                     {.id = AGENCY, .code = "agency", .kind = SEAT_PARTNER},
                                     {.id = GRILL, .code = "grill", .kind = SEAT_PARTNER},
                                     {.id = MAGAZINE, .code = "magazine", .kind = SEAT_PARTNER}};
static struct market_share shares[BOUND_SHARES];
static struct market_contract contract;
static struct market market = {.containers = containers,
                               .container_count = 1,
                               .seats = seats,
                               .seat_count = 5,
                               .contracts = &contract,
                               .contract_count = 1};
static struct contract_terms *terms;
static const struct posting_source source = {1, 7, 3};

static uint64_t seed_state;

static uint64_t
draw(uint64_t bound)
{
    seed_state += 0x9e3779b97f4a7c15u;
    return hash_mix(seed_state) % bound;
}

// --- Accounts ----------------------------------------------------------------------------------

#define ACCOUNT(seat, rung, code) (((int64_t)(seat)*10 + (rung)) * 10000 + (code))
#define ACCOUNTS 400

struct balances {
    struct {
        int64_t account, micros;
    } of[ACCOUNTS];
    unsigned count;
};

static void
add(struct balances *balances, int64_t account, int64_t micros)
{
    unsigned i = 0;
    while (i < balances->count && balances->of[i].account != account) i++;
    assert_true(i < ACCOUNTS);
    if (i == balances->count) {
        balances->of[i].account = account;
        balances->of[balances->count++].micros = 0;
    }
    balances->of[i].micros += micros;
}

static int64_t
balance(const struct balances *balances, int64_t account)
{
    for (unsigned i = 0; i < balances->count; i++)
        if (balances->of[i].account == account) return balances->of[i].micros;
    return 0;
}

// Posted transfers; holds and their releases come to nothing.
static void
take(struct balances *balances, const struct posting *posting, unsigned from)
{
    for (unsigned i = from; i < posting->count; i++) {
        const struct transfer *one = &posting->transfers[i];
        assert_true(one->amount.micros > 0);
        assert_true(account_known(one->debit) && account_known(one->credit));
        if (one->state != TRANSFER_POSTED) continue;
        add(balances, account_number(one->debit), one->amount.micros);
        add(balances, account_number(one->credit), -one->amount.micros);
    }
}

static void
assert_same(const struct balances *a, const struct balances *b)
{
    for (unsigned i = 0; i < a->count; i++)
        assert_int_equal(a->of[i].micros, balance(b, a->of[i].account));
    for (unsigned i = 0; i < b->count; i++)
        assert_int_equal(b->of[i].micros, balance(a, b->of[i].account));
}

// --- The model ---------------------------------------------------------------------------------

// Revenue [0, end) by the tiers in force, in micros times a million.
static wide
below(int64_t end)
{
    wide sum = 0;
    for (uint32_t i = 0; i < contract.tier_count; i++) {
        int64_t from = contract.tiers[i].from.micros;
        int64_t to = i + 1 < contract.tier_count ? contract.tiers[i + 1].from.micros : INT64_MAX;
        if (contract.retroactive) from = i == 0 ? 0 : INT64_MAX, to = INT64_MAX;
        if (to > end) to = end;
        if (to > from) sum += (wide)(to - from) * contract.tiers[i].rate_ppm;
    }
    return sum;
}

static int64_t
rounded(wide exact)
{
    wide whole = exact / 1000000, rest = exact % 1000000;
    if (contract.rounding == ROUNDING_UP) whole += rest > 0;
    if (contract.rounding == ROUNDING_HALF_EVEN)
        whole += rest > 500000 || (rest == 500000 && whole % 2 == 1);
    return (int64_t)whole;
}

static int64_t
pool_of(int64_t base, int64_t remaining)
{
    return rounded(below(base + remaining) - below(base));
}

// What lies below the cap.
static int64_t
inside_of(int64_t base, int64_t remaining)
{
    int64_t end = base + remaining;
    if (!contract.has_cap || end <= contract.cap.micros) return pool_of(base, remaining);
    return base >= contract.cap.micros ? 0 : pool_of(base, contract.cap.micros - base);
}

struct pair {
    uint32_t seat;
    uint8_t rung;
    wide weight;
};

static const struct market_seat *
named(const char *code)
{
    for (unsigned i = 0; i < 5; i++)
        if (strcmp(seats[i].code, code) == 0) return &seats[i];
    return NULL;
}

static unsigned
add_pair(struct pair *pairs, unsigned count, uint32_t seat, uint8_t rung, wide weight)
{
    unsigned at = 0;
    while (at < count &&
           (pairs[at].seat < seat || (pairs[at].seat == seat && pairs[at].rung < rung)))
        at++;
    if (at == count || pairs[at].seat != seat || pairs[at].rung != rung) {
        memmove(&pairs[at + 1], &pairs[at], (count - at) * sizeof *pairs);
        pairs[at] = (struct pair){seat, rung, 0};
        count++;
    }
    pairs[at].weight += weight;
    return count;
}

// Who shares: in thousandths of thousandths of each weight, so that touches are whole.
static unsigned
pairs_of(const struct credit *credit, struct pair *pairs)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < contract.share_count; i++) {
        const struct market_share *share = &contract.shares[i];
        uint8_t rung = share->rung < 0 ? RUNG_AFFILIATION : (uint8_t)share->rung;
        if (strcmp(share->to, "touches") != 0) {
            const struct market_seat *seat = named(share->to);
            count = add_pair(pairs, count, seat ? seat->id : 0, rung,
                             (wide)share->weight * 1000000);
            continue;
        }
        for (unsigned k = 0; k < credit->count; k++)
            if (credit->parts[k].weight > 0)
                count = add_pair(pairs, count, credit->parts[k].seat, credit->parts[k].rung,
                                 (wide)share->weight * (wide)credit->parts[k].weight);
    }
    if (count == 0 && contract.merchant == MERCHANT_PARTNER)
        count = add_pair(pairs, 0, 0, RUNG_AFFILIATION, 1);
    return count;
}

// Where everything stands when `remaining` of an order is left: rounded down, then one micro each
// to the largest remainders.
static void
expect(struct balances *out, const struct credit *credit, int64_t base, int64_t remaining)
{
    struct pair pairs[BOUND_PARTS + BOUND_SHARES];
    unsigned count = pairs_of(credit, pairs);
    int64_t inside = inside_of(base, remaining), outside = pool_of(base, remaining) - inside;
    wide whole = 0, rest[BOUND_PARTS];
    int64_t part[BOUND_PARTS], left = inside;
    out->count = 0;
    if (count == 0) return;
    assert_true(count <= BOUND_PARTS);
    for (unsigned i = 0; i < count; i++) whole += pairs[i].weight;
    for (unsigned i = 0; i < count; i++) {
        part[i] = (int64_t)(pairs[i].weight * inside / whole);
        rest[i] = pairs[i].weight * inside % whole;
        left -= part[i];
    }
    assert_true(left >= 0 && left < count);
    for (unsigned i = 0; i < count; i++) {
        unsigned before = 0;
        for (unsigned k = 0; k < count; k++)
            before += rest[k] > rest[i] || (rest[k] == rest[i] && k < i);
        part[i] += before < left;
        int64_t from = contract.merchant == MERCHANT_PARTNER ? ACCOUNT(GRILL, 0, 1150)
                                                             : ACCOUNT(0, pairs[i].rung + 1, 5000);
        uint32_t seat = pairs[i].seat;
        int64_t to = seat == 0                          ? 4200
                     : seat == BILLING || seat == SALES ? ACCOUNT(seat, pairs[i].rung + 1, 4210)
                                                        : ACCOUNT(seat, 0, 2100);
        add(out, from, part[i]);
        add(out, to, -part[i]);
    }
    if (contract.merchant == MERCHANT_HOST) return;
    add(out, ACCOUNT(GRILL, 0, 1150), outside);
    add(out, 4200, -outside);
}

// --- Random terms ------------------------------------------------------------------------------

static void
random_terms(void)
{
    static const char *const to[] = {"host", "agency", "sales", "magazine", "billing", "touches"};
    contract = (struct market_contract){.id = 1,
                                        .seat = "grill",
                                        .has_gain_share = true,
                                        .merchant = (uint8_t)draw(MERCHANT_COUNT),
                                        .rounding = (uint8_t)draw(ROUNDING_COUNT),
                                        .tier_count = 1 +
                                                      (uint32_t)draw(draw(2) ? 1 : MARKET_TIERS),
                                        .shares = shares,
                                        .share_count = 1 + (uint32_t)draw(BOUND_SHARES)};
    int64_t from = 0;
    for (uint32_t i = 0; i < contract.tier_count; i++) {
        contract.tiers[i].from = money_of(from);
        contract.tiers[i].rate_ppm = (uint32_t)draw(draw(4) ? 200000 : 1000001);
        from += 1 + (int64_t)draw(draw(2) ? 1000 : 1000000000000);
    }
    contract.retroactive = contract.tier_count > 1 && draw(4) == 0;
    contract.has_cap = !contract.retroactive && draw(3) == 0;
    contract.cap = money_of(1 + (int64_t)draw(draw(2) ? 2000 : 2000000000000));
    bool touches = false;
    for (uint32_t i = 0; i < contract.share_count; i++) {
        const char *who = to[draw(6)];
        while (touches && strcmp(who, "touches") == 0) who = to[draw(6)];
        touches = touches || strcmp(who, "touches") == 0;
        shares[i] = (struct market_share){.to = who,
                                          .rung = (int8_t)((int)draw(9) - 1),
                                          .weight = 1 + draw(draw(2) ? 10 : 1000000000)};
    }
}

// A division among touches: pairs in order, and ppm that add up.
static void
random_credit(struct credit *credit)
{
    *credit = (struct credit){.model = (uint32_t)draw(3)};
    uint64_t left = 1000000;
    for (unsigned i = 1; i < 5 && draw(3) > 0; i++) {
        for (uint8_t rung = 0; rung < RUNG_COUNT; rung++) {
            if (draw(4) > 0) continue;
            uint64_t weight = draw(left + 1);
            left -= weight;
            credit->parts[credit->count++] = (struct contract_part){
                .seat = seats[i - 1].id, .kind = seats[i - 1].kind, .rung = rung, .weight = weight};
        }
    }
    if (credit->count > 0) credit->parts[credit->count - 1].weight += left;
}

// --- Facts -------------------------------------------------------------------------------------

static struct fact
won(enum charge charge, enum price_kind kind, int64_t price)
{
    struct fact fact = {.kind = FACT_PLACEMENT, .position = 1, .at = {1000}, .contact = {{0xaa}}};
    fact.placement.slot = 30;
    fact.placement.seat = GRILL;
    memcpy(fact.placement.currency.code, "EUR", 4);
    fact.placement.price = money_of(price);
    fact.placement.rung = RUNG_AFFILIATION;
    fact.placement.charge = (uint8_t)charge;
    fact.placement.kind = (uint8_t)kind;
    return fact;
}

static struct fact
revenue(enum fact_kind kind, int64_t amount, const char *key)
{
    struct fact fact = {.kind = (uint8_t)kind, .position = 1, .at = {5000}, .contact = {{0xaa}}};
    memcpy(fact.revenue.currency.code, "EUR", 4);
    fact.revenue.effective = (usec){4000};
    fact.revenue.amount = money_of(amount);
    fact.revenue.order = hash_id("order", "o", 1);
    snprintf(fact.revenue.key, sizeof fact.revenue.key, "%s", key);
    return fact;
}

static struct fact
event(enum fact_kind kind)
{
    return (struct fact){.kind = (uint8_t)kind,
                         .position = 1,
                         .at = {2000},
                         .contact = {{0xaa}},
                         .event.effective = {1500}};
}

// --- What keeps the past, as replay does ---------------------------------------------------------

struct keeper {
    struct posting_win win;
    struct posting_order order;
    struct contract_part parts[BOUND_PARTS];
    bool known;
    struct id refunds[64];
    unsigned refund_count;
    struct balances balances;
};

static enum posting_state
book_revenue(struct keeper *keeper, const struct fact *fact, const struct credit *credit,
             int64_t base, struct posting *out)
{
    struct posting_order next;
    bool repeated = false;
    struct id id = posting_refund_id(fact);
    for (unsigned i = 0; i < keeper->refund_count; i++)
        repeated = repeated || id_same(keeper->refunds[i], id);
    assert_int_equal(posting_revenue(terms, &keeper->win, keeper->known ? &keeper->order : NULL,
                                     fact->kind == FACT_REFUNDED && repeated, credit,
                                     money_of(base), fact, source, out, &next),
                     STATUS_OK);
    take(&keeper->balances, out, 0);
    if (out->state != POSTING_POSTED && out->state != POSTING_NO_SHARE &&
        out->state != POSTING_WAITING)
        return out->state;
    if (fact->kind == FACT_REFUNDED) {
        assert_true(keeper->refund_count < 64);
        keeper->refunds[keeper->refund_count++] = id;
    }
    memmove(keeper->parts, out->parts, next.part_count * sizeof *keeper->parts);
    keeper->order = next;
    keeper->order.parts = keeper->parts;
    keeper->known = true;
    return out->state;
}

static void
open_keeper(struct keeper *keeper, const struct fact *placement, struct posting *out)
{
    memset(keeper, 0, sizeof *keeper);
    assert_int_equal(posting_win(terms, placement, &keeper->win), STATUS_OK);
    posting_placement(&keeper->win, placement, source, out);
    take(&keeper->balances, out, 0);
}

// --- Orders ------------------------------------------------------------------------------------

static struct posting posting;

// Origins of refunds and new divisions are transfers that exist; ids are all different.
struct ids {
    struct id of[8192];
    unsigned count;
};
static struct ids ids;

static bool
seen(struct id id)
{
    for (unsigned i = 0; i < ids.count; i++)
        if (id_same(ids.of[i], id)) return true;
    return false;
}

static void
note_ids(const struct posting *out, bool checked)
{
    static const struct id none;
    for (unsigned i = 0; i < out->count; i++) {
        const struct transfer *one = &out->transfers[i];
        for (unsigned k = 0; k < i; k++) assert_true(out->transfers[k].leg != one->leg);
        if (!checked) continue;
        assert_false(seen(one->id));
        assert_true(id_same(one->origin, none) || seen(one->origin));
        assert_true(ids.count < 8192);
        ids.of[ids.count++] = one->id;
    }
}

// With the price, when it is 42 % of what remains, half to even.
static void
expect_with(struct balances *out, const struct credit *credit, int64_t base, int64_t remaining,
            bool share)
{
    money price;
    expect(out, credit, base, remaining);
    if (!share) return;
    assert_int_equal(money_share(money_of(remaining), 420000, &price), STATUS_OK);
    add(out, ACCOUNT(GRILL, 0, 1110), price.micros);
    add(out, 4000, -price.micros);
}

// One order: converted, then refunds in pieces and new divisions between them, to the last micro.
static void
random_order(bool checked)
{
    static struct keeper keeper, other;
    struct balances expected;
    struct credit credit;
    int64_t base = draw(2) ? 0 : (int64_t)draw(draw(2) ? 3000 : 3000000000000);
    int64_t amount = (int64_t)(1 + draw(draw(2) ? 2000 : 1000000000000)), left = amount;
    int64_t pieces[24];
    unsigned count = 0, order[24];
    bool share = draw(3) == 0;  // of the revenue is the price
    struct fact placement = won(CHARGE_DELIVERY, share ? PRICE_SHARE : PRICE_PLACEMENT, 420000);
    random_terms();
    random_credit(&credit);
    ids.count = 0;
    while (left > 0 && count < 24) {
        pieces[count] = count == 23 || draw(4) == 0 ? left : (int64_t)(1 + draw((uint64_t)left));
        left -= pieces[count++];
    }
    open_keeper(&keeper, &placement, &posting);
    struct fact fact = revenue(FACT_CONVERTED, amount, "order");
    assert_int_equal(book_revenue(&keeper, &fact, &credit, base, &posting), POSTING_POSTED);
    note_ids(&posting, checked);
    expect_with(&expected, &credit, base, amount, share);
    assert_same(&keeper.balances, &expected);
    left = amount;
    for (unsigned i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "r%u", i);
        if (draw(4) == 0) {
            struct fact touch = event(FACT_DELIVERED);
            random_credit(&credit);
            struct posting_source later = {1, 8, i};
            posting.count = 0;
            assert_int_equal(
                posting_credit(terms, &keeper.win, &keeper.order, &credit, &touch, later, &posting),
                STATUS_OK);
            take(&keeper.balances, &posting, 0);
            note_ids(&posting, checked);
            expect_with(&expected, &credit, base, left, share);
            assert_same(&keeper.balances, &expected);
        }
        fact = revenue(FACT_REFUNDED, pieces[i], key);
        assert_int_equal(book_revenue(&keeper, &fact, NULL, base, &posting), POSTING_POSTED);
        note_ids(&posting, checked);
        left -= pieces[i];
        expect_with(&expected, &credit, base, left, share);
        assert_same(&keeper.balances, &expected);
        order[i] = i;
    }
    for (unsigned i = 0; i < keeper.balances.count; i++)
        assert_int_equal(keeper.balances.of[i].micros, 0);
    if (count < 2) return;
    // All but one of the refunds, in another order, and before the conversion as often as not: the
    // same as the model says of what is left.
    for (unsigned i = count - 1; i > 0; i--) {
        unsigned k = (unsigned)draw(i + 1), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    open_keeper(&other, &placement, &posting);
    unsigned when = draw(2) ? 0 : (unsigned)draw(count);
    for (unsigned i = 0; i < count; i++) {
        char key[16];
        if (i == when) {
            fact = revenue(FACT_CONVERTED, amount, "order");
            assert_int_equal(book_revenue(&other, &fact, &credit, base, &posting), POSTING_POSTED);
        }
        if (i + 1 == count) break;
        snprintf(key, sizeof key, "r%u", order[i]);
        fact = revenue(FACT_REFUNDED, pieces[order[i]], key);
        assert_int_equal(book_revenue(&other, &fact, NULL, base, &posting),
                         i < when ? POSTING_WAITING : POSTING_POSTED);
    }
    expect_with(&expected, &credit, base, pieces[order[count - 1]], share);
    assert_same(&other.balances, &expected);
}

static void
random_orders(void **state)
{
    (void)state;
    const char *rounds = getenv("VENDUE_ROUNDS");
    unsigned long count = rounds ? strtoul(rounds, NULL, 10) : 20000;
    seed_state = seed_fresh();
    terms = contract_terms_open(&market);
    for (unsigned long i = 0; i < count; i++) random_order(i % 64 == 0);
    contract_terms_close(terms);
}

// --- Every order of events -----------------------------------------------------------------------

// The touches known by now: this placement's own, once it is known to be shown.
static struct credit
credit_of(const struct posting_win *win)
{
    struct credit credit = {0};
    if (!win->delivered) return credit;
    credit.count = 2;
    credit.parts[0] = (struct contract_part){
        .seat = BILLING, .kind = SEAT_DEPARTMENT, .rung = RUNG_AFFILIATION, .weight = 333333};
    credit.parts[1] = (struct contract_part){
        .seat = AGENCY, .kind = SEAT_PARTNER, .rung = RUNG_AFFILIATION, .weight = 666667};
    return credit;
}

// Each reported once or twice; in the model each counts once.
enum { DELIVERED, ACCEPTED, CONVERTED, REFUNDED, REFUNDED_MORE, REFUNDED_TOO_MUCH, REPORTS };

static void
report(struct keeper *keeper, unsigned what)
{
    if (what == DELIVERED || what == ACCEPTED) {
        struct fact fact = event(what == DELIVERED ? FACT_DELIVERED : FACT_ACCEPTED);
        posting_event(&keeper->win, &fact, source, &posting);
        if (posting.state == POSTING_POSTED && keeper->known && keeper->order.amount.micros > 0) {
            struct credit credit = credit_of(&keeper->win);
            assert_int_equal(posting_credit(terms, &keeper->win, &keeper->order, &credit, &fact,
                                            source, &posting),
                             STATUS_OK);
        }
        take(&keeper->balances, &posting, 0);
        return;
    }
    struct credit credit = credit_of(&keeper->win);
    struct fact fact = what == CONVERTED       ? revenue(FACT_CONVERTED, 999999937, "o")
                       : what == REFUNDED      ? revenue(FACT_REFUNDED, 333333331, "r1")
                       : what == REFUNDED_MORE ? revenue(FACT_REFUNDED, 1234567, "r2")
                                               : revenue(FACT_REFUNDED, 999999938, "r3");
    (void)book_revenue(keeper, &fact, what == CONVERTED ? &credit : NULL, 1000000, &posting);
}

// The next permutation of a multiset in lexical order; false behind the last.
static bool
permute(unsigned *items, unsigned count)
{
    unsigned i = count - 1, k = count - 1;
    while (i > 0 && items[i - 1] >= items[i]) i--;
    if (i == 0) return false;
    while (items[k] <= items[i - 1]) k--;
    unsigned kept = items[i - 1];
    items[i - 1] = items[k];
    items[k] = kept;
    for (k = count - 1; i < k; i++, k--) {
        kept = items[i];
        items[i] = items[k];
        items[k] = kept;
    }
    return true;
}

static void
every_order_of(enum charge charge, enum price_kind kind, const unsigned *reports, unsigned count,
               int64_t refunded)
{
    static struct keeper keeper;
    unsigned items[12];
    struct balances expected;
    int64_t price = 420000;
    bool share = kind == PRICE_SHARE;
    struct fact placement = won(charge, kind, price);
    struct posting_win shown = {.delivered = true};
    struct credit credit = credit_of(&shown);
    expect_with(&expected, &credit, 1000000, 999999937 - refunded, share);
    add(&expected, ACCOUNT(GRILL, 0, 1110), share ? 0 : price);
    add(&expected, 4000, share ? 0 : -price);
    memcpy(items, reports, count * sizeof *items);
    do {
        open_keeper(&keeper, &placement, &posting);
        for (unsigned i = 0; i < count; i++) report(&keeper, items[i]);
        assert_same(&keeper.balances, &expected);
        assert_true(keeper.win.delivered && keeper.win.accepted_at.us == 1500);
        assert_int_equal(keeper.order.amount.micros, 999999937);
        assert_int_equal(keeper.order.refunded.micros, refunded);
        assert_int_equal(keeper.win.ended, !share);
        assert_false(keeper.win.released);
    } while (permute(items, count));
}

static void
every_order_of_events(void **state)
{
    (void)state;
    static const unsigned twice[] = {DELIVERED, DELIVERED, ACCEPTED, ACCEPTED,
                                     CONVERTED, CONVERTED, REFUNDED, REFUNDED},
                          refunds[] = {DELIVERED, ACCEPTED, CONVERTED,    CONVERTED,
                                       REFUNDED,  REFUNDED, REFUNDED_MORE},
                          too_much[] = {DELIVERED, ACCEPTED,          CONVERTED,
                                        CONVERTED, REFUNDED_TOO_MUCH, REFUNDED_TOO_MUCH};
    terms = contract_terms_open(&market);
    for (unsigned merchant = 0; merchant < MERCHANT_COUNT; merchant++) {
        shares[0] = (struct market_share){.to = "host", .rung = -1, .weight = 4};
        shares[1] = (struct market_share){.to = "touches", .rung = -1, .weight = 6};
        contract = (struct market_contract){
            .id = 1,
            .seat = "grill",
            .has_gain_share = true,
            .merchant = (uint8_t)merchant,
            .tiers = {{.rate_ppm = 70001}, {.from = {500000000}, .rate_ppm = 120003}},
            .tier_count = 2,
            .has_cap = true,
            .cap = {800000000},
            .shares = merchant == MERCHANT_HOST ? shares + 1 : shares,
            .share_count = merchant == MERCHANT_HOST ? 1 : 2};
        for (unsigned charge = 0; charge < CHARGE_COUNT; charge++) {
            every_order_of((enum charge)charge, PRICE_PLACEMENT, twice, 8, 333333331);
            every_order_of((enum charge)charge, PRICE_PLACEMENT, refunds, 7, 334567898);
            every_order_of((enum charge)charge, PRICE_PLACEMENT, too_much, 6, 0);
        }
        every_order_of(CHARGE_DELIVERY, PRICE_RESPONSE, twice, 8, 333333331);
        every_order_of(CHARGE_DELIVERY, PRICE_SHARE, twice, 8, 333333331);
        every_order_of(CHARGE_DELIVERY, PRICE_SHARE, refunds, 7, 334567898);
    }
    contract_terms_close(terms);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_orders),
        cmocka_unit_test(every_order_of_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
