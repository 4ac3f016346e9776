// Tests of the reports on how placements came about: each against a plain count of the facts that
// were told, on random stories of all kinds of price, over days and the change of the host's clock.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "pace.h"
#include "report.h"

#define DEEP_MARKET                                                                         \
    "market: {code: tiny, currency: EUR, zone: Europe/Berlin, expect: {deliveries: 100, "   \
    "responses: 7, conversions: 2, revenue: 55.50}}\n"                                      \
    "touchpoints: {crm: Desk}\n"                                                            \
    "seats:\n"                                                                              \
    "  billing: {kind: department}\n"                                                       \
    "  sales: {kind: department, budget: {daily: 90.00, pacing: front}}\n"                  \
    "  grill: {kind: partner, budget: {daily: 20.00, total: 900.00, pacing: even}}\n"       \
    "  paper: {kind: partner, budget: {daily: 70.00}}\n"                                    \
    "  agency: {kind: partner}\n"                                                           \
    "contracts:\n"                                                                          \
    "  billing.one: {seat: billing, from: 2025-01-01}\n"                                    \
    "  sales.one: {seat: sales, from: 2025-01-01, transfer_price: floor}\n"                 \
    "  paper.one: {seat: paper, from: 2025-01-01, billing: prepaid, charge: win}\n"         \
    "  grill.one: {seat: grill, from: 2025-01-01, validation: 0d, "                         \
    "gain_share: {merchant: partner, "                                                      \
    "rate: 10%, shares: [{to: host, weight: 1}]}}\n"                                        \
    "  agency.one: {seat: agency, from: 2025-01-01, validation: 0d, "                       \
    "gain_share: {merchant: host, "                                                         \
    "rate: 3%, shares: [{to: agency, weight: 1}]}}\n"                                       \
    "campaigns:\n"                                                                          \
    "  summer: {seat: grill, from: 2026-10-01, until: 2026-11-15, budget: {total: 500.00, " \
    "pacing: even}}\n"                                                                      \
    "containers:\n"                                                                         \
    "  bill:\n"                                                                             \
    "    stage: use\n"                                                                      \
    "    channel: bill\n"                                                                   \
    "    owner: billing\n"                                                                  \
    "    slots: {header: {floor: 0.10}, footer: {floor: 0.12}, insert: {floor: 0.20}}\n"    \
    "messages:\n"                                                                           \
    "  billing.tip: {seat: billing, rung: 1, objectives: educate}\n"                        \
    "  sales.plan: {seat: sales, rung: 4, objectives: upgrade}\n"                           \
    "  grill.summer: {seat: grill, rung: 7, objectives: cross_sell, campaign: summer}\n"    \
    "  paper.trial: {seat: paper, rung: 6, objectives: cross_sell}\n"                       \
    "  agency.refer: {seat: agency, rung: 7, objectives: refer}\n"                          \
    "deals:\n"                                                                              \
    "  best: {messages: [grill.summer], floor: 0.30, guarantee: 40 per day}\n"              \
    "  idle: {messages: [paper.trial], floor: 0.30, guarantee: 5 per day, "                 \
    "from: 2026-10-22, until: 2026-10-24}\n"                                                \
    "experiments:\n"                                                                        \
    "  high: {share: 50%, change: +20%, from: 2026-10-01, until: 2026-12-01}\n"

static struct fixture fixture;
static struct story story;
static struct arena *arena;

static int
set_up(void **state)
{
    (void)state;
    fixture_open(&fixture);
    fixture_market(&fixture, DEEP_MARKET);
    story_open(&story, &fixture, seed_fresh());
    for (int day = 0; day < 9; day++) {
        story_tell(&story, 70);
        story.now.us += 17 * 3600 * USEC_SECOND;
    }
    fixture_ship_all(&fixture);
    fixture_prove(&story);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    story_close(&story);
    fixture_close(&fixture);
    return 0;
}

static void
ask(enum report_kind kind, struct report_span span, struct report *out)
{
    struct db *db = database_open(fixture.console);
    enum status status = report_run(db, kind, &span, arena, out);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    assert_true(out->heading[0] != 0);
    db_close(db);
}
static const struct report_span all = {.period = ""};

static const char *
cell(const struct report *report, size_t row, const char *key)
{
    for (size_t i = 0; i < report->column_count; i++) {
        if (strcmp(report->columns[i].key, key) == 0) {
            return report->cells[row * report->column_count + i];
        }
    }
    fail_msg("no column %s", key);
    return "";
}

static int64_t
number(const struct report *report, size_t row, const char *key)
{
    return strtoll(cell(report, row, key), NULL, 10);
}

static const char *
seat_code(uint32_t id)
{
    for (uint32_t i = 0; i < fixture.market->seat_count; i++) {
        if (fixture.market->seats[i].id == id) return fixture.market->seats[i].code;
    }
    return "?";
}

static const char *
message_code(uint32_t id)
{
    for (uint32_t i = 0; i < fixture.market->message_count; i++) {
        if (fixture.market->messages[i].id == id) return fixture.market->messages[i].code;
    }
    return "?";
}

static void
day_text(int64_t day, char out[11])
{
    char text[CLOCK_TEXT];
    clock_format((usec){day * USEC_DAY}, text);
    snprintf(out, 11, "%.10s", text);
}

static const struct fact *
placement_of(const struct fact *event)
{
    for (size_t i = 0; i < story.facts; i++) {
        const struct fact *one = &story.all[i];
        if (one->kind == FACT_PLACEMENT && one->position == event->position &&
            id_same(one->contact, event->contact)) {
            return one;
        }
    }
    return NULL;
}

// --- Reasons -------------------------------------------------------------------------------------

struct counted {
    char key[160];  // day|seat|slot|reason
    int64_t count;
};
static struct counted counts[4096];
static size_t count_used;

static void
count_more(int64_t day, uint32_t seat, unsigned position, enum reason reason, int64_t more)
{
    char key[160], date[11];
    static const char *const slots[] = {"", "bill.header", "bill.footer", "bill.insert"};
    day_text(day, date);
    snprintf(key, sizeof key, "%s|%s|%s|%s", date, seat ? seat_code(seat) : "", slots[position],
             reason_key(reason));
    size_t at = 0;
    while (at < count_used && strcmp(counts[at].key, key) != 0) at++;
    assert_true(at < sizeof counts / sizeof *counts);
    if (at == count_used) snprintf(counts[count_used++].key, sizeof key, "%s", key);
    counts[at].count += more;
}

static enum reason
lost_because(const struct fact *outcome, const struct fact *winner, const struct fact *fact,
             unsigned at)
{
    if (outcome->placement.seat == fact->candidates.seat[at]) return REASON_OWN_SEAT;
    if (fact->candidates.priority[at] >= winner->candidates.priority[0]) return REASON_OUTBID;
    // Exact expected values, times 2^32 and a million.
    __int128 scores[2];
    for (int k = 0; k < 2; k++) {
        const struct fact *of = k ? fact : winner;
        unsigned i = k ? at : 0, kind = of->candidates.how[i] & CANDIDATE_KIND;
        __int128 price = of->candidates.price[i], rate = (__int128)of->candidates.multiplier[i];
        scores[k] = kind == PRICE_PLACEMENT  ? price * 1000000 * 4096
                    : kind == PRICE_RESPONSE ? price * rate * 1000000 / 1048576
                                             : price * rate * 4096;
    }
    return scores[1] > scores[0] ? REASON_LOST_TO_PRIORITY : REASON_OUTBID;
}

static void
count_record(const struct fact *fact, const struct fact *contact)
{
    int64_t day = story_day(fact->at);
    if (fact->kind == FACT_TALLY) {
        for (int i = 0; i < 2; i++) {
            count_more(day, 0, fact->position, (enum reason)fact->tally.reason[i],
                       fact->tally.count[i]);
        }
    } else if (fact->kind == FACT_REFUSALS) {
        for (int i = 0; i < 4; i++) {
            if (fact->refusals.bid[i] == 0) continue;
            count_more(day, fact->refusals.seat[i], fact->position,
                       (enum reason)fact->refusals.reason[i], 1);
        }
    } else if (fact->kind == FACT_CALLOUTS) {
        for (int i = 0; i < 11; i++) {
            if (fact->callouts.seat[i] == 0 || fact->callouts.reason[i] == REASON_NONE) continue;
            count_more(day, fact->callouts.seat[i], 0, (enum reason)fact->callouts.reason[i], 1);
        }
    } else if (fact->kind == FACT_CANDIDATES) {
        const struct fact *outcome = contact + fact->position, *winner = fact;
        while (winner[-1].kind == FACT_CANDIDATES && winner[-1].position == fact->position) {
            winner--;
        }
        for (unsigned i = 0; i < 2; i++) {
            uint64_t bid = fact->candidates.bid[i];
            if (bid == 0 || bid == outcome->placement.bid) continue;
            count_more(day, fact->candidates.seat[i], fact->position,
                       lost_because(outcome, winner, fact, i), 1);
        }
    }
}

static void
reasons_are_those_of_the_records(void **state)
{
    (void)state;
    struct report report;
    const struct fact *contact = NULL;
    count_used = 0;
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < story.facts; i++) {
        if (story.all[i].kind == FACT_CONTACT) contact = &story.all[i];
        if (story.all[i].kind >= FACT_CANDIDATES) count_record(&story.all[i], contact);
    }
    ask(REPORT_REASONS, all, &report);
    assert_int_equal(report.row_count, count_used);
    assert_true(count_used > 100);
    for (size_t row = 0; row < report.row_count; row++) {
        char key[160];
        snprintf(key, sizeof key, "%s|%s|%s|%s", cell(&report, row, "day"),
                 cell(&report, row, "seat"), cell(&report, row, "slot"),
                 cell(&report, row, "reason"));
        size_t at = 0;
        while (at < count_used && strcmp(counts[at].key, key) != 0) at++;
        if (at == count_used) print_message("unexpected: %s\n", key);
        assert_true(at < count_used);
        assert_int_equal(number(&report, row, "count"), counts[at].count);
    }
}

static void
reasons_of_a_span(void **state)
{
    (void)state;
    struct report whole, october, none;
    struct report_span span = {.period = "2026-10"};
    ask(REPORT_REASONS, all, &whole);
    ask(REPORT_REASONS, span, &october);
    assert_int_equal(october.row_count, whole.row_count);  // the story ends before November
    span.period = "2026-12";
    ask(REPORT_REASONS, span, &none);
    assert_int_equal(none.row_count, 0);
}

// --- Rates ---------------------------------------------------------------------------------------

static void
rates_are_those_learned_from_the_facts(void **state)
{
    (void)state;
    struct report report;
    int64_t delivered = 0, responded = 0, revenue = 0;
    ask(REPORT_RATES, all, &report);
    assert_true(report.row_count > 0);
    for (size_t row = 0; row < report.row_count; row++) {
        const char *code = cell(&report, row, "message");
        struct learn learn = {{0}, {0}, {100, 7, 2, money_of(55500000)}};
        uint8_t rung = 0;
        for (uint32_t i = 0; i < fixture.market->message_count; i++) {
            if (strcmp(fixture.market->messages[i].code, code) == 0) {
                rung = fixture.market->messages[i].rung;
            }
        }
        for (size_t i = 0; i < story.facts; i++) {
            const struct fact *fact = &story.all[i], *won = NULL;
            bool revenue_fact = fact->kind == FACT_CONVERTED || fact->kind == FACT_REFUNDED;
            if (!revenue_fact && fact->kind != FACT_DELIVERED && fact->kind != FACT_ACCEPTED)
                continue;
            won = placement_of(fact);
            if (won->placement.rung != rung) continue;
            struct learn_counts *own = strcmp(message_code(won->placement.message), code) == 0
                                           ? &learn.own
                                           : NULL;
            struct learn_counts *into[] = {own, &learn.cell, &learn.rung};
            for (int k = 0; k < 3; k++) {
                if (!into[k]) continue;
                into[k]->delivered += fact->kind == FACT_DELIVERED;
                into[k]->responded += fact->kind == FACT_ACCEPTED;
                into[k]->converted += fact->kind == FACT_CONVERTED;
                if (revenue_fact) {
                    into[k]->revenue.micros += fact->kind == FACT_CONVERTED
                                                   ? fact->revenue.amount.micros
                                                   : -fact->revenue.amount.micros;
                }
            }
        }
        assert_int_equal(number(&report, row, "delivered"), learn.own.delivered);
        assert_int_equal(number(&report, row, "responded"), learn.own.responded);
        assert_int_equal(number(&report, row, "converted"), learn.own.converted);
        assert_int_equal(number(&report, row, "revenue_micros"), learn.own.revenue.micros);
        assert_int_equal(number(&report, row, "value_micros"), learn_revenue(&learn, false, 0));
        uint64_t rate = learn_response_rate(&learn, false, 0);
        assert_int_equal(number(&report, row, "response_ppm"),
                         (rate * 1000000 + LEARN_ONE / 2) / LEARN_ONE);
        assert_string_equal(cell(&report, row, "stage"), "use");
        assert_string_equal(cell(&report, row, "channel"), "bill");
        delivered += number(&report, row, "delivered");
        responded += number(&report, row, "responded");
        revenue += number(&report, row, "revenue_micros");
    }
    assert_true(delivered > 50 && responded > 10 && revenue != 0);
}

static struct learn_counts
counts_of(const struct report *report, size_t row)
{
    return (struct learn_counts){(uint64_t)number(report, row, "delivered"),
                                 (uint64_t)number(report, row, "responded"),
                                 (uint64_t)number(report, row, "converted"),
                                 money_of(number(report, row, "revenue_micros"))};
}

static int64_t
newest_spent(const char *budget)
{
    struct report report;
    int64_t spent = -1;
    ask(REPORT_PACING, all, &report);
    for (size_t row = 0; row < report.row_count; row++) {
        const char *known = cell(&report, row, "actual_micros");  // NULL: of an hour to come
        if (known != NULL && known[0] != '\0' && strcmp(cell(&report, row, "budget"), budget) == 0)
            spent = number(&report, row, "actual_micros");
    }
    return spent;
}

// As the engine: what the version before won counts in its rung and in the totals, in no cell and
// on no day. The last test: it makes the placements of one message such ones.
static void
what_the_version_before_won(void **state)
{
    (void)state;
    struct report report;
    int64_t spent = newest_spent("campaign summer");
    struct learn summer = {{0}, {0}, {100, 7, 2, money_of(55500000)}}, refer = {0};
    size_t summer_row = SIZE_MAX, refer_row = SIZE_MAX;
    fixture_sql(&fixture, "update vendue.outcome set day = 0, cell = 0 where message ="
                          " (select id from vendue.message where code = 'grill.summer')");
    ask(REPORT_RATES, all, &report);
    for (size_t row = 0; row < report.row_count; row++) {
        if (strcmp(cell(&report, row, "message"), "grill.summer") == 0) summer_row = row;
        if (strcmp(cell(&report, row, "message"), "agency.refer") == 0) refer_row = row;
    }
    assert_true(summer_row != SIZE_MAX && refer_row != SIZE_MAX);
    refer.own = counts_of(&report, refer_row);
    refer.cell = refer.own;
    struct learn_counts before = counts_of(&report, summer_row);
    learn_add(&summer.rung, &before);
    learn_add(&summer.rung, &refer.own);
    refer.rung = summer.rung;
    assert_string_equal(cell(&report, summer_row, "stage"), "");
    assert_string_equal(cell(&report, summer_row, "channel"), "");
    assert_int_equal(number(&report, summer_row, "value_micros"), learn_revenue(&summer, false, 0));
    assert_true(spent > 0 && newest_spent("campaign summer") == spent);
    ask(REPORT_RATES, all, &report);
    assert_string_equal(cell(&report, refer_row, "stage"), "use");
    assert_int_equal(number(&report, refer_row, "value_micros"), learn_revenue(&refer, false, 0));
}

// --- Deals ---------------------------------------------------------------------------------------

static void
deals_by_the_day_they_were_won(void **state)
{
    (void)state;
    struct report report;
    int64_t won = 0, idle = 0;
    ask(REPORT_DEALS, all, &report);
    assert_true(report.row_count >= 5);
    for (size_t row = 0; row < report.row_count; row++) {
        int64_t on_day = 0, delivered = 0, ended = 0;
        for (size_t i = 0; i < story.facts; i++) {
            const struct fact *fact = &story.all[i], *of = fact;
            bool event = fact->kind == FACT_DELIVERED || fact->kind == FACT_CANCELLED ||
                         fact->kind == FACT_EXPIRED;
            char date[11];
            if (event) of = placement_of(fact);
            if (of->kind != FACT_PLACEMENT || of->placement.deal == 0) continue;
            day_text(of->placement.day, date);
            if (strcmp(date, cell(&report, row, "day")) != 0) continue;
            on_day += fact->kind == FACT_PLACEMENT;
            delivered += fact->kind == FACT_DELIVERED;
            ended += event && fact->kind != FACT_DELIVERED;
        }
        int64_t pending = on_day - delivered - ended, met = delivered + pending;
        if (strcmp(cell(&report, row, "deal"), "idle") == 0) {
            assert_int_equal(number(&report, row, "won"), 0);
            assert_int_equal(number(&report, row, "short"), 5);
            idle++;
            continue;
        }
        assert_string_equal(cell(&report, row, "deal"), "best");
        assert_int_equal(number(&report, row, "guarantee"), 40);
        assert_int_equal(number(&report, row, "won"), on_day);
        assert_int_equal(number(&report, row, "delivered"), delivered);
        assert_int_equal(number(&report, row, "pending"), pending);
        assert_int_equal(number(&report, row, "short"), met < 40 ? 40 - met : 0);
        won += on_day;
    }
    assert_true(won > 20);
    assert_in_range(idle, 1, 3);
}

// --- Pacing --------------------------------------------------------------------------------------

// Whether the answer, the story's fact `at`, ends the hold of a placement: it is priced per
// response, or due at the response, or at a conversion that had not come before.
static bool
released_by_answer(size_t at, const struct fact *of)
{
    uint8_t charge = of->placement.charge;
    if (of->placement.kind == PRICE_RESPONSE || charge == CHARGE_RESPONSE) return true;
    if (charge != CHARGE_CONVERSION) return false;
    for (size_t i = 0; i < at; i++)
        if (story.all[i].kind == FACT_CONVERTED &&
            id_same(fact_placement(&story.all[i]), fact_placement(of)))
            return false;
    return true;
}

// What a budget had spent before `end`: all of it, or of what was won on `day`.
static int64_t
spent(const char *budget, int64_t day, usec end)
{
    int64_t sum = 0;
    for (size_t i = 0; i < story.facts; i++) {
        const struct fact *fact = &story.all[i];
        bool ends = fact->kind == FACT_CANCELLED || fact->kind == FACT_EXPIRED;
        bool answers = fact->kind == FACT_DECLINED || fact->kind == FACT_LAPSED;
        if (fact->at.us >= end.us) continue;
        if (fact->kind != FACT_PLACEMENT && !ends && !answers) continue;
        const struct fact *of = fact->kind == FACT_PLACEMENT ? fact : placement_of(fact);
        bool at_win = of->placement.kind == PRICE_PLACEMENT && of->placement.charge == CHARGE_WIN;
        if (of->placement.kind == PRICE_SHARE || (ends && at_win) ||
            (answers && !released_by_answer(i, of)) || (day && of->placement.day != day)) {
            continue;
        }
        bool seat = strncmp(budget, "seat ", 5) == 0;
        if (seat ? strcmp(seat_code(of->placement.seat), budget + 5) != 0
                 : of->placement.campaigns[0] != 1) {
            continue;
        }
        sum += fact->kind == FACT_PLACEMENT ? of->placement.price.micros
                                            : -of->placement.price.micros;
    }
    return sum;
}

static void
pacing_by_hour_of_the_hosts_day(void **state)
{
    (void)state;
    struct report report, newest;
    struct report_span span = {.period = "2026-10"};
    usec october, november;
    bool long_day = false;
    unsigned future = 0, unpaced = 0;
    char unpaced_day[16] = "";
    usec told_last = story.all[story.facts - 1].at;
    assert_int_equal(clock_parse("2026-10-01", 10, &october), STATUS_OK);
    assert_int_equal(clock_parse("2026-11-15", 10, &november), STATUS_OK);
    ask(REPORT_PACING, span, &report);
    assert_true(report.row_count > 24 * 10);
    for (size_t row = 0; row < report.row_count; row++) {
        const char *budget = cell(&report, row, "budget"), *date = cell(&report, row, "day");
        usec midnight;
        assert_int_equal(clock_parse(date, 10, &midnight), STATUS_OK);
        int64_t day = midnight.us / USEC_DAY, hour = number(&report, row, "hour");
        int64_t offset = strcmp(date, "2026-10-25") <= 0 ? 2 : 1;
        int64_t hours = strcmp(date, "2026-10-25") == 0 ? 25 : 24;
        usec begins = {midnight.us - offset * 3600 * USEC_SECOND};
        usec ends = {begins.us + hours * 3600 * USEC_SECOND};
        usec end = {begins.us + hour * 3600 * USEC_SECOND};
        money expected;
        long_day = long_day || hour == 25;
        assert_true(hour >= 1 && hour <= hours);
        if (strcmp(budget, "seat grill") == 0) {
            expected = pace_allowance(PACING_EVEN, money_of(20000000), begins, ends, end);
        } else if (strcmp(budget, "seat sales") == 0) {
            expected = pace_allowance(PACING_FRONT, money_of(90000000), begins, ends, end);
        } else if (strcmp(budget, "seat paper") ==
                   0) {  // not paced: one row a day, its newest hour
            expected = money_of(70000000);
            assert_string_not_equal(date, unpaced_day);
            snprintf(unpaced_day, sizeof unpaced_day, "%s", date);
            assert_true(hour == hours || end.us > told_last.us);
            unpaced++;
        } else {
            assert_string_equal(budget, "campaign summer");
            expected = pace_allowance(PACING_EVEN, money_of(500000000), october, november, end);
            day = 0;
        }
        assert_int_equal(number(&report, row, "expected_micros"), expected.micros);
        // What has not begun when the newest fact was told is not known yet.
        bool known = end.us - 3600 * USEC_SECOND <= told_last.us;
        future += !known;
        if (known) {
            assert_int_equal(number(&report, row, "actual_micros"), spent(budget, day, end));
        } else {
            assert_null(cell(&report, row, "actual_micros"));
            assert_null(cell(&report, row, "actual"));
        }
    }
    assert_true(long_day && future > 0 && unpaced > 1);
    // Without a span: the newest day alone.
    ask(REPORT_PACING, all, &newest);
    assert_true(newest.row_count >= 24 && newest.row_count <= 3 * 25);
    assert_string_equal(cell(&newest, 0, "day"), cell(&report, report.row_count - 1, "day"));
}

// --- Experiments ---------------------------------------------------------------------------------

struct arm {
    long double n, sum, squares;
};

// Revenue of a contact as it was posted, not as the facts say it is due.
static void
read_arms(struct arm arms[2])
{
    static const char sql[] =
        "select (c.flags & 2) <> 0, coalesce((select sum(case when "
        "t.debit % 10000 in (1110, 2000, 5100, 1150, 5000) then t.amount_micros "
        "else -t.amount_micros end) from transfer t join outcome o "
        "on o.placement_id = t.placement_id where o.contact_id = c.contact_id "
        "and t.state = 'posted'), 0)::bigint from contact c where c.experiment = 1";
    struct db *db = database_open(fixture.console);
    struct db_rows *rows = NULL;
    assert_int_equal(db_query(db, sql, NULL, 0, &rows), STATUS_OK);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct arm *arm = &arms[db_get_bool(rows, i, 0)];
        long double micros = (long double)db_get_int(rows, i, 1);
        arm->n += 1;
        arm->sum += micros;
        arm->squares += micros * micros;
    }
    db_rows_free(rows);
    db_close(db);
}

static long double
variance(const struct arm *arm)
{
    return (arm->squares - arm->sum * arm->sum / arm->n) / (arm->n - 1) / arm->n;
}

static void
experiments_with_their_errors(void **state)
{
    (void)state;
    struct report report;
    struct arm arms[2] = {{0, 0, 0}, {0, 0, 0}};
    read_arms(arms);
    ask(REPORT_EXPERIMENTS, all, &report);
    assert_int_equal(report.row_count, 4);  // experiment 2 is not in the market any more
    for (size_t row = 0; row < 4; row++) {
        bool variant = strcmp(cell(&report, row, "arm"), "variant") == 0;
        assert_int_equal(variant, row % 2);
        if (strcmp(cell(&report, row, "experiment"), "high") != 0) continue;
        const struct arm *arm = &arms[variant];
        assert_int_equal(number(&report, row, "contacts"), (int64_t)arm->n);
        assert_int_equal(number(&report, row, "revenue_micros"), (int64_t)arm->sum);
        if (!variant) continue;
        long double difference = arms[1].sum / arms[1].n - arms[0].sum / arms[0].n;
        long double squared = variance(&arms[0]) + variance(&arms[1]);
        long double shown = (long double)number(&report, row, "difference_micros") - difference;
        long double error = (long double)number(&report, row, "error_micros");
        assert_true(shown >= -0.51L && shown <= 0.51L);
        assert_true((error - 1) * (error - 1) <= squared && squared <= (error + 1) * (error + 1));
        assert_true(error > 0);
        bool clear = difference * difference > 3.8416L * squared;
        assert_string_equal(cell(&report, row, "decision"), !clear ? "no difference shown"
                                                            : difference > 0
                                                                ? "variant earns more"
                                                                : "variant earns less");
    }
}

static int
begin(void **state)
{
    (void)state;
    arena = arena_open("report");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(reasons_are_those_of_the_records),
        TEST(reasons_of_a_span),
        TEST(rates_are_those_learned_from_the_facts),
        TEST(deals_by_the_day_they_were_won),
        TEST(pacing_by_hour_of_the_hosts_day),
        TEST(experiments_with_their_errors),
        TEST(what_the_version_before_won),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
