// The life of shares in the books: the worked examples of docs/life.md to the micro, and random
// stories of conversions, refunds, turns, payouts and disputes against a model in a few lines.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "books.h"
#include "life.h"
#include "money.h"
#include "seed.h"

static const char market[] =
    "market: {code: tiny, name: A tiny market, currency: EUR}\n"
    "touchpoints: {crm: Contact centre}\n"
    "seats:\n"
    "  care: {name: Customer care, kind: department}\n"
    "  sales: {name: Sales, kind: department}\n"
    "  roaster: {name: Roaster, kind: partner}\n"
    "  alpha: {name: Alpha, kind: partner}\n"
    "  beta: {name: Beta, kind: partner}\n"
    "  tea: {name: Tea, kind: partner}\n"
    "containers:\n"
    "  bill: {name: Monthly bill, stage: use, channel: bill, owner: care, slots: {\n"
    "    footer: {floor: 0.05, rungs: [1-8], objectives: [cross_sell, expand]}}}\n"
    "messages:\n"
    "  coffee: {seat: roaster, rung: affiliation, objectives: [cross_sell]}\n"
    "  plan: {seat: beta, rung: affiliation, objectives: [expand]}\n"
    "  leaves: {seat: tea, rung: affiliation, objectives: [expand]}\n"
    "  book: {seat: alpha, rung: affiliation, objectives: [expand]}\n"
    "contracts:\n"
    "  roaster.2026:\n"
    "    seat: roaster\n"
    "    from: 2025-01-01\n"
    "    validation: 30d\n"
    "    gain_share:\n"
    "      rate: 10%\n"
    "      shares:\n"
    "        - {to: host, weight: 400000}\n"
    "        - {to: alpha, weight: 250000}\n"
    "        - {to: sales, rung: personalization, weight: 150000}\n"
    "        - {to: sales, rung: predictive, weight: 120000}\n"
    "        - {to: beta, weight: 80000}\n"
    "  beta.2026:\n"
    "    seat: beta\n"
    "    from: 2025-01-01\n"
    "    validation: 10d\n"
    "    gain_share:\n"
    "      merchant: host\n"
    "      tiers: [{from: 0, rate: 5%}, {from: 1000, rate: 8%}]\n"
    "      retroactive: true\n"
    "      shares:\n"
    "        - {to: beta, weight: 70}\n"
    "        - {to: sales, rung: predictive, weight: 30}\n"
    "  tea.2026:\n"
    "    seat: tea\n"
    "    from: 2025-01-01\n"
    "    validation: 0d\n"
    "    gain_share:\n"
    "      tiers: [{from: 0, rate: 5%}, {from: 1000, rate: 8%}]\n"
    "      retroactive: true\n"
    "      shares: [{to: host, weight: 1}, {to: alpha, weight: 1}]\n"
    "  alpha.2026:\n"
    "    seat: alpha\n"
    "    from: 2025-01-01\n"
    "    validation: 0d\n"
    "    gain_share:\n"
    "      rate: 10%\n"
    "      shares: [{to: host, weight: 40}, {to: touches, weight: 60}]\n"
    "      attribution: {model: linear}\n";

static struct books books;

static int
set_up(void **state)
{
    (void)state;
    books_open(&books, market, "2026-11-03T09:00:00Z");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    books_close(&books);
    return 0;
}

static uint32_t
seat(const char *code)
{
    for (uint32_t i = 0; i < books.market->seat_count; i++) {
        if (strcmp(books.market->seats[i].code, code) == 0) return books.market->seats[i].id;
    }
    fail();
    return 0;
}

// Balance of an account, debits positive; `order` NULL: of all orders.
static int64_t
balance(uint16_t code, const char *of, const char *order)
{
    char sql[400], group[ID_TEXT] = "";
    struct account account = {.code = code, .seat = *of ? seat(of) : 0};
    if (order) id_format(hash_id("order", order, strlen(order)), group);
    snprintf(sql, sizeof sql,
             "select coalesce(sum(micros), 0)::text from entry where account = %lld"
             " and ('%s' = '' or replace(group_id::text, '-', '') = '%s')",
             (long long)account_number(account), group, group);
    return strtoll(books_text(&books, sql), NULL, 10);
}

static struct life_report
turn_once(const char *at)
{
    struct life_report report = {0};
    if (at) books_at(&books, at);
    enum status status = life_turn(books.ledger_db, books.now, &report);
    if (status != STATUS_OK) print_message("%s\n", db_fault(books.ledger_db)->text);
    assert_int_equal(status, STATUS_OK);
    return report;
}

static void
turn(const char *at)
{
    struct life_report report;
    books_ship(&books);
    do {
        report = turn_once(at);
    } while (report.more || report.locked || report.followed || report.facts);
    assert_string_equal(books_text(&books, "select count(*)::text from life_unexplained"), "0");
}

static struct id
sell(const char *message, int64_t micros, const char *order)
{
    struct id won = books_win(&books, "bill.footer", message, 60000);
    books.now.us += USEC_SECOND;
    books_event(&books, won, FACT_DELIVERED, books.now);
    books.now.us += USEC_SECOND;
    books_revenue(&books, won, FACT_CONVERTED, micros, order, NULL, books.now);
    return won;
}

static void
refund(struct id won, int64_t micros, const char *order, const char *reference)
{
    books.now.us += USEC_SECOND;
    books_revenue(&books, won, FACT_REFUNDED, micros, order, reference, books.now);
}

static uint64_t
pay_out(const char *code)
{
    struct act *act = NULL;
    struct currency eur = {"EUR"};
    int64_t payable = -balance(ACCOUNT_GAIN_PAYABLE, code, NULL);
    assert_int_equal(db_begin(books.console_db), STATUS_OK);
    assert_int_equal(act_begin(books.console_db, "payout", "ada", "", books.now, &act), STATUS_OK);
    uint64_t number = act_number(act);
    struct transfer one = {.id = hash_id("payout", &number, sizeof number),
                           .kind = TRANSFER_PAYOUT,
                           .state = TRANSFER_POSTED,
                           .debit = {.code = ACCOUNT_GAIN_PAYABLE, .seat = seat(code)},
                           .credit = {.code = ACCOUNT_IN_TRANSIT, .seat = seat(code)},
                           .currency = eur,
                           .amount = money_of(payable),
                           .effective = books.now,
                           .seat = seat(code),
                           .rung = -1,
                           .won_rung = -1};
    one.group = one.id;
    if (payable > 0) act_transfer(act, &one);
    assert_int_equal(life_paid_out(books.console_db, act, seat(code), eur), STATUS_OK);
    assert_int_equal(act_end(act), STATUS_OK);
    assert_int_equal(db_commit(books.console_db), STATUS_OK);
    return number;
}

// docs/life.md, "An order from sale to refund".
static void
as_the_handbook_says(void **state)
{
    (void)state;
    // 100.00001 at 10 %: a pool of 10.000001.
    struct id won = sell("coffee", 100000010, "A-1");
    turn(NULL);
    assert_int_equal(balance(1150, "roaster", "A-1"), 10000001);
    assert_int_equal(balance(4200, "", "A-1"), -4000001);
    assert_int_equal(balance(2100, "alpha", "A-1"), -2500000);
    assert_int_equal(balance(2100, "beta", "A-1"), -800000);
    assert_string_equal(books_text(&books, "select count(*)::text from gain_due"), "0");
    // A day before the validation is over, and when it is.
    turn("2026-12-02T09:00:00Z");
    assert_int_equal(balance(2110, "alpha", "A-1"), 0);
    turn("2026-12-03T09:00:03Z");
    assert_int_equal(balance(2100, "alpha", "A-1"), 0);
    assert_int_equal(balance(2110, "alpha", "A-1"), -2500000);
    assert_int_equal(balance(2110, "beta", "A-1"), -800000);
    assert_string_equal(books_text(&books, "select period || ' ' || seat || ' ' || micros from"
                                           " gain_due"),
                        "2026-12 3 10000001");
    // A tenth is refunded before anything is paid.
    refund(won, 10000001, "A-1", "R-1");
    turn(NULL);
    assert_int_equal(balance(2110, "alpha", "A-1"), -2250000);
    assert_int_equal(balance(2100, "alpha", "A-1"), 0);
    assert_int_equal(balance(1150, "roaster", "A-1"), 9000001);
    // Alpha is paid, then the rest is refunded: what alpha got is to come back, beta's is gone.
    pay_out("alpha");
    refund(won, 90000009, "A-1", "R-2");
    turn(NULL);
    assert_int_equal(balance(1160, "alpha", "A-1"), 2250000);
    assert_int_equal(balance(2110, "alpha", "A-1"), -2250000);  // the payout took it
    assert_int_equal(balance(2110, "alpha", NULL), 0);
    assert_int_equal(balance(2110, "beta", "A-1"), 0);
    assert_int_equal(balance(1150, "roaster", "A-1"), 0);
    assert_int_equal(balance(4200, "", "A-1"), 0);
    assert_string_equal(books_text(&books, "select sum(micros)::text from gain_due"), "0");
    assert_string_equal(books_text(&books, "select clawback_micros || ' ' || payable_micros || ' '"
                                           " || in_transit_micros from gain_state where seat = 4"),
                        "2250000 0 2250000");
    assert_string_equal(books_text(&books, "select string_agg(code || ' ' || period || ' ' ||"
                                           " micros, ', ' order by code) from aging"),
                        "1160 2026-12 2250000");
    // Nothing more to do, and nothing is done.
    struct life_report report = turn_once(NULL);
    assert_int_equal(report.locked + report.followed + report.facts, 0);
}

static void
a_payout_that_comes_back(void **state)
{
    (void)state;
    struct id won = sell("coffee", 40000000, "B-1");
    turn("2027-01-20T09:00:00Z");
    assert_int_equal(balance(2110, "alpha", "B-1"), -1000000);
    uint64_t payout = pay_out("alpha");
    refund(won, 20000000, "B-1", "R-3");
    turn(NULL);
    assert_int_equal(balance(1160, "alpha", "B-1"), 500000);
    struct act *act = NULL;
    assert_int_equal(db_begin(books.console_db), STATUS_OK);
    assert_int_equal(act_begin(books.console_db, "bank", "ada", "", books.now, &act), STATUS_OK);
    assert_int_equal(
        life_paid_back(books.console_db, act, seat("alpha"), (struct currency){"EUR"}, payout),
        STATUS_OK);
    assert_int_equal(act_end(act), STATUS_OK);
    assert_int_equal(db_commit(books.console_db), STATUS_OK);
    turn(NULL);
    assert_int_equal(balance(1160, "alpha", "B-1"), 0);
    assert_int_equal(balance(2110, "alpha", "B-1"), -500000);
}

static void
extended_once(void **state)
{
    (void)state;
    struct life_order order;
    books_at(&books, "2027-02-01T09:00:00Z");
    sell("coffee", 10000000, "C-1");
    sell("plan", 10000000, "C-2");
    assert_int_equal(life_find(books.console_db, "C-1", NULL, &order), STATUS_NOT_FOUND);
    turn(NULL);
    assert_int_equal(life_find(books.console_db, "C-1", "alpha", &order), STATUS_NOT_FOUND);
    assert_int_equal(life_find(books.console_db, "C-1", "roaster", &order), STATUS_OK);
    assert_false(order.locked || order.extended);
    assert_int_equal(life_extend(books.console_db, &order, 0, "why", "ada", books.now),
                     STATUS_INPUT);
    assert_int_equal(life_extend(books.console_db, &order, 15, "", "ada", books.now), STATUS_INPUT);
    assert_int_equal(
        life_extend(books.console_db, &order, 15, "goods on their way", "ada", books.now),
        STATUS_OK);
    assert_true(order.extended);
    assert_int_equal(life_extend(books.console_db, &order, 15, "again", "ada", books.now),
                     STATUS_EXISTS);
    turn("2027-03-04T09:00:00Z");
    assert_int_equal(balance(2110, "alpha", "C-1"), 0);
    turn("2027-03-20T09:00:00Z");
    assert_int_equal(balance(2110, "alpha", "C-1"), -250000);
    assert_int_equal(life_find(books.console_db, "C-2", NULL, &order), STATUS_OK);
    assert_true(order.locked);
    assert_int_equal(life_extend(books.console_db, &order, 15, "late", "ada", books.now),
                     STATUS_DENIED);
    char text[ID_TEXT];
    id_format(order.order, text);
    assert_int_equal(life_find(books.console_db, text, NULL, &order), STATUS_OK);
    assert_string_equal(order.reference, "C-2");
}

// docs/life.md, "Retroactive tiers".
static void
trued_up_at_the_close(void **state)
{
    (void)state;
    char text[LIFE_FAULT];
    struct period period;
    books_at(&books, "2027-05-02T09:00:00Z");
    struct id first = sell("plan", 600000000, "D-1");  // 600.00 at 5 %: 30.00, beta 21.00
    sell("plan", 500000000, "D-2");                    // 1,100.00: all of May at 8 %
    turn("2027-05-25T09:00:00Z");
    assert_int_equal(balance(2110, "beta", "D-1"), -21000000);
    assert_int_equal(period_parse("2027-05", 7, &period), STATUS_OK);
    books_at(&books, "2027-06-01T09:00:00Z");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(db_begin(books.console_db), STATUS_OK);
        enum status status = life_true_up(books.console_db, &period, books.now, text);
        if (status != STATUS_OK) print_message("%s\n", text);
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(db_commit(books.console_db), STATUS_OK);
        assert_string_equal(text, again ? "0 contracts with retroactive tiers, 0 true-ups"
                                        : "1 contracts with retroactive tiers, 4 true-ups");
    }
    assert_string_equal(books_text(&books, "select string_agg(distinct period, ' ') || ' ' ||"
                                           " sum(amount_micros) from transfer where kind ="
                                           " 'true_up'"),
                        "2027-05 33000000");  // 3 % of 1,100.00
    assert_int_equal(balance(2100, "beta", "D-1"), -12600000);
    turn(NULL);
    assert_int_equal(balance(2100, "beta", "D-1"), 0);
    assert_int_equal(balance(2110, "beta", "D-1"), -33600000);  // 70 % of 48.00
    // A refund afterwards takes the true-up with it.
    refund(first, 300000000, "D-1", "R-5");
    turn(NULL);
    assert_int_equal(balance(2110, "beta", "D-1"), -16800000);
    refund(first, 300000000, "D-1", "R-6");
    turn(NULL);
    assert_int_equal(balance(2110, "beta", "D-1"), 0);
    assert_string_equal(
        books_text(&books, "select count(*)::text from (select e.account from entry e where"
                           " e.kind <> 'commission' and replace(e.group_id::text, '-', '') ="
                           " (select replace(order_id::text, '-', '') from revenue where key ="
                           " 'D-1') group by e.account having sum(e.micros) <> 0) x"),
        "0");
}

// A partner that is the merchant owes its true-ups, and less of them after a refund.
static void
trued_up_for_a_merchant(void **state)
{
    (void)state;
    char text[LIFE_FAULT];
    struct period period;
    static const char due[] = "select coalesce(sum(micros), 0)::text from gain_due where seat = 6";
    books_at(&books, "2027-06-02T09:00:00Z");
    struct id won = sell("leaves", 2000000000, "F-1");
    turn(NULL);
    assert_string_equal(books_text(&books, due), "100000000");
    assert_int_equal(period_parse("2027-06", 7, &period), STATUS_OK);
    books_at(&books, "2027-07-01T01:00:00Z");
    assert_int_equal(db_begin(books.console_db), STATUS_OK);
    assert_int_equal(life_true_up(books.console_db, &period, books.now, text), STATUS_OK);
    assert_int_equal(db_commit(books.console_db), STATUS_OK);
    turn(NULL);
    assert_int_equal(balance(1150, "tea", "F-1"), 160000000);
    assert_int_equal(balance(2110, "alpha", "F-1"), -80000000);
    assert_string_equal(books_text(&books, due), "160000000");
    refund(won, 500000000, "F-1", "R-7");
    turn(NULL);
    assert_int_equal(balance(2110, "alpha", "F-1"), -60000000);
    assert_string_equal(books_text(&books, due), "120000000");
    refund(won, 1500000000, "F-1", "R-8");
    turn(NULL);
    assert_int_equal(balance(1150, "tea", "F-1"), 0);
    assert_int_equal(balance(2110, "alpha", "F-1"), 0);
    assert_string_equal(books_text(&books, due), "0");
}

// A touch that is reported after the order locked: the division changes, and what is payable
// follows.
static void
divided_anew_after_the_lock(void **state)
{
    (void)state;
    books_at(&books, "2027-07-01T09:00:00Z");
    struct id early = books_win(&books, "bill.footer", "coffee", 60000);
    books_ship(&books);
    usec shown = {books.now.us + USEC_SECOND};
    books.now.us += 60 * USEC_SECOND;
    struct id won = sell("book", 100000000, "E-1");
    turn(NULL);
    // Alpha's own placement is the merchant's: its part of the touches is the container's owner's.
    assert_int_equal(balance(2110, "roaster", "E-1"), 0);
    books_event(&books, early, FACT_DELIVERED, shown);  // half of the touches' 6.00
    turn(NULL);
    assert_int_equal(balance(2100, "roaster", "E-1"), 0);
    assert_int_equal(balance(2110, "roaster", "E-1"), -3000000);
    refund(won, 100000000, "E-1", "R-9");
    turn(NULL);
    assert_int_equal(balance(2110, "roaster", "E-1"), 0);
    assert_int_equal(balance(1150, "alpha", "E-1"), 0);
}

// Four programs at once, killed in the middle now and then: every order is locked once.
static void
many_at_once(void **state)
{
    (void)state;
    int64_t before = balance(ACCOUNT_GAIN_PAYABLE, "alpha", NULL);
    books_at(&books, "2027-07-10T09:00:00Z");
    for (int i = 0; i < 1200; i++) {
        char key[16];
        snprintf(key, sizeof key, "M-%d", i);
        sell("coffee", 40000000, key);  // 1.00 for alpha
    }
    books_ship(&books);
    books_at(&books, "2027-08-20T09:00:00Z");
    for (int round = 0; round < 3; round++) {
        pid_t children[4];
        for (int i = 0; i < 4; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] > 0) continue;
            struct db *db = NULL;
            struct life_report report = {.more = true};
            enum status status = db_open(i % 2 ? books.console : books.ledger, "life", &db, NULL);
            while (status == STATUS_OK && (report.more || report.facts || report.locked)) {
                status = life_turn(db, books.now, &report);
                if (status == STATUS_AGAIN) status = STATUS_OK;
            }
            _exit(status == STATUS_OK ? 0 : 1);
        }
        if (round < 2) usleep(120000);
        for (int i = 0; i < 4; i++) {
            int code = 0;
            if (round < 2) kill(children[i], SIGKILL);
            assert_int_equal(waitpid(children[i], &code, 0), children[i]);
            if (round == 2) assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
        }
    }
    turn(NULL);
    assert_int_equal(balance(ACCOUNT_GAIN_PAYABLE, "alpha", NULL) - before, -1200 * 1000000LL);
    struct act_head head;
    char fault[ACT_FAULT];
    assert_int_equal(act_verify(books.console_db, &head, fault), STATUS_OK);
}

// --- Random stories ------------------------------------------------------------------------------

static uint64_t random_seed;

static uint64_t
draw(uint64_t bound)
{
    random_seed += 0x9e3779b97f4a7c15u;
    return hash_mix(random_seed) % bound;
}

#define ORDERS 60
struct told {
    struct id won;
    char key[16];
    int64_t amount, refunded, paid[2];  // paid: to alpha and beta
    bool locked, paid_out;
    usec due;
    unsigned refunds;
};

// A part of what remains, by the contract of the roaster; parts by seat, then rung.
enum { ALPHA = 3, BETA = 4 };
static int64_t
part_of(const struct told *one, unsigned part)
{
    static const uint64_t weights[] = {400000, 150000, 120000, 250000, 80000};
    money amounts[5], pool;
    assert_int_equal(money_share(money_of(one->amount - one->refunded), 100000, &pool), STATUS_OK);
    assert_int_equal(money_split(pool, weights, 5, amounts), STATUS_OK);
    return amounts[part].micros;
}

static int64_t
above_zero(int64_t micros)
{
    return micros > 0 ? micros : 0;
}

static void
compare(const struct told *one)
{
    static const char *const codes[2] = {"alpha", "beta"};
    int64_t pool = 0;
    for (unsigned i = 0; i < 2; i++) {
        int64_t worth = part_of(one, i == 0 ? ALPHA : BETA), paid = one->paid[i];
        assert_int_equal(balance(2100, codes[i], one->key), one->locked ? 0 : -worth);
        assert_int_equal(balance(2110, codes[i], one->key),
                         one->locked ? -(paid + above_zero(worth - paid)) : 0);
        assert_int_equal(balance(1160, codes[i], one->key), above_zero(paid - worth));
    }
    for (unsigned i = 0; i < 5; i++) pool += part_of(one, i);
    assert_int_equal(balance(1150, "roaster", one->key), pool);
}

static void
random_stories(void **state)
{
    (void)state;
    random_seed = seed_fresh();
    static struct told told[ORDERS];
    unsigned count = 0;
    int64_t due_before = strtoll(
        books_text(&books, "select coalesce(sum(micros), 0)::text from gain_due where seat = 3"),
        NULL, 10);
    books_at(&books, "2027-08-01T00:00:00Z");
    for (unsigned step = 0; step < 6 * ORDERS; step++) {
        struct told *one = count ? &told[draw(count)] : NULL;
        books.now.us += (int64_t)draw((uint64_t)USEC_DAY);
        uint64_t what = draw(12);
        if (count < ORDERS && (what < 4 || !one)) {
            one = &told[count];
            *one = (struct told){.amount = 1 + (int64_t)draw(500000000)};
            snprintf(one->key, sizeof one->key, "S-%u", count++);
            one->won = sell("coffee", one->amount, one->key);
            one->due = (usec){books.now.us + 30 * USEC_DAY};
        } else if (what < 8 && one && one->refunded < one->amount) {
            int64_t left = one->amount - one->refunded;
            int64_t part = draw(3) ? left : 1 + (int64_t)draw((uint64_t)left);
            char reference[32];
            snprintf(reference, sizeof reference, "%s-%u", one->key, one->refunds++);
            refund(one->won, part, one->key, reference);
            one->refunded += part;
        } else if (what < 10) {
            turn(NULL);
            for (unsigned i = 0; i < count; i++) told[i].locked |= told[i].due.us <= books.now.us;
        } else if (what == 10 && draw(2)) {
            turn(NULL);
            pay_out("alpha");
            for (unsigned i = 0; i < count; i++) {
                told[i].locked |= told[i].due.us <= books.now.us;
                if (told[i].locked)
                    told[i].paid[0] += above_zero(part_of(&told[i], ALPHA) - told[i].paid[0]);
            }
        }
    }
    turn("2027-12-31T00:00:00Z");
    int64_t pools = 0;
    for (unsigned i = 0; i < count; i++) {
        told[i].locked = true;
        compare(&told[i]);
        pools += balance(1150, "roaster", told[i].key);
    }
    // What is due of the merchant is what its locked orders' pools came to.
    int64_t due = strtoll(
        books_text(&books, "select sum(micros)::text from gain_due where seat = 3"), NULL, 10);
    assert_int_equal(due - due_before, pools);
    struct act_head head;
    char fault[ACT_FAULT];
    assert_int_equal(act_verify(books.console_db, &head, fault), STATUS_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_handbook_says),
        cmocka_unit_test(a_payout_that_comes_back),
        cmocka_unit_test(extended_once),
        cmocka_unit_test(trued_up_at_the_close),
        cmocka_unit_test(trued_up_for_a_merchant),
        cmocka_unit_test(divided_anew_after_the_lock),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(random_stories),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
