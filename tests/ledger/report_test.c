// Reports against a count by hand over the facts themselves, on random books.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "period.h"
#include "report.h"
#include "seed.h"

static struct books books;
static struct report_span october, november, all, week;

// A placement's fate, by the rules: the first of delivered, cancelled, expired counts.
struct fate {
    const struct fact *won, *delivered;
};
static struct fate fates[BOOKS_PLACEMENTS];

static bool
within(const struct report_span *span, usec at)
{
    struct period period;
    period_of(at, (usec){0}, &period);
    if (span->period[0] != '\0') return strcmp(period.name, span->period) == 0;
    return at.us >= span->from.us && (span->until.us == 0 || at.us < span->until.us);
}

static void
follow_fates(void)
{
    for (uint32_t i = 0; i < books.count; i++) {
        struct fate *fate = &fates[i];
        fate->won = &books.placements[i];
        for (uint32_t k = 0; k < books.fact_count; k++) {
            const struct fact *fact = &books.facts[k];
            bool ends = fact->kind == FACT_DELIVERED || fact->kind == FACT_CANCELLED ||
                        fact->kind == FACT_EXPIRED;
            if (!ends || !id_same(fact_placement(fact), fact_placement(fate->won))) continue;
            if (fact->kind == FACT_DELIVERED) fate->delivered = fact;
            break;
        }
    }
}

static int
set_up(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    books_open(&books, books_market, "2026-10-15T09:00:00Z");
    books_random(&books, seed, 900, 80 * 60 * USEC_SECOND);
    books_contact(&books,
                  (struct books_outcome[]){{.slot = "bill.footer", .reason = REASON_NOT_REQUESTED},
                                           {.slot = "bill.insert", .reason = REASON_NO_BIDS}},
                  2, 0, NULL);
    books_ship(&books);
    follow_fates();
    october.period = "2026-10";
    november.period = "2026-11";
    all.period = week.period = "";
    const char *from = "2026-10-20", *until = "2026-10-27T12:00:00Z";
    return clock_parse(from, strlen(from), &week.from) == STATUS_OK &&
                   clock_parse(until, strlen(until), &week.until) == STATUS_OK
               ? 0
               : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    books_close(&books);
    return 0;
}

static const char *
cell(const struct report *report, size_t row, const char *key)
{
    for (size_t i = 0; i < report->column_count; i++)
        if (strcmp(report->columns[i].key, key) == 0)
            return report->cells[row * report->column_count + i];
    fail_msg("no column %s", key);
    return "";
}

static int64_t
number(const struct report *report, size_t row, const char *key)
{
    return strtoll(cell(report, row, key), NULL, 10);
}

static money
decimal(const struct report *report, size_t row, const char *key)
{
    money amount = money_of(0);
    const char *text = cell(report, row, key);
    assert_int_equal(money_parse(text, strlen(text), &amount), STATUS_OK);
    return amount;
}

static struct report
run(enum report_kind kind, const struct report_span *span)
{
    struct report report;
    enum status status = report_run(books.console_db, kind, span, books.arena, &report);
    if (status != STATUS_OK) fail_msg("%s", db_fault(books.console_db)->text);
    return report;
}

// An outcome's slot as the market declares it.
static const struct market_slot *
slot_of(const struct fact *outcome)
{
    uint32_t slot = outcome->kind == FACT_PLACEMENT ? outcome->placement.slot
                                                    : outcome->unfilled.slot;
    for (uint32_t i = 0; i < books.market->container_count; i++)
        for (uint32_t k = 0; k < books.market->containers[i].slot_count; k++)
            if (books.market->containers[i].slots[k].id == slot)
                return &books.market->containers[i].slots[k];
    fail_msg("no slot %u", slot);
    return NULL;
}

// A slot that the touchpoint did not ask for was not offered.
static bool
was_offered(const struct fact *fact)
{
    return fact->kind == FACT_PLACEMENT ||
           (fact->kind == FACT_UNFILLED && fact->unfilled.reason != REASON_NOT_REQUESTED);
}

static void
check_ladder(const struct report_span *span)
{
    struct report report = run(REPORT_LADDER, span);
    assert_int_equal(report.row_count, RUNG_COUNT + 1);
    int64_t sums[2] = {0}, slots = 0;
    money cents = money_of(0);
    for (size_t rung = 0; rung < RUNG_COUNT; rung++) {
        int64_t won = 0, delivered = 0, offered = 0;
        slots = 0;
        for (uint32_t i = 0; i < books.fact_count; i++) {
            const struct fact *fact = &books.facts[i];
            if (!was_offered(fact) || !within(span, fact->at)) continue;
            slots++;
            offered += slot_of(fact)->rungs >> rung & 1;
        }
        for (uint32_t i = 0; i < books.count; i++) {
            if (fates[i].won->placement.rung != rung) continue;
            won += within(span, fates[i].won->at);
            delivered += fates[i].delivered != NULL &&
                         within(span, fates[i].delivered->event.effective);
        }
        assert_string_equal(cell(&report, rung, "rung"), rung_name((enum rung)rung));
        assert_int_equal(number(&report, rung, "offered"), offered);
        assert_int_equal(number(&report, rung, "placements"), won);
        assert_int_equal(number(&report, rung, "delivered"), delivered);
        sums[0] += won;
        sums[1] += delivered;
        money total = decimal(&report, rung, "total");
        assert_int_equal(total.micros, decimal(&report, rung, "slot_income").micros +
                                           decimal(&report, rung, "gain_share").micros);
        cents.micros += total.micros;
    }
    assert_int_equal(number(&report, RUNG_COUNT, "offered"), slots);
    assert_int_equal(number(&report, RUNG_COUNT, "placements"), sums[0]);
    assert_int_equal(number(&report, RUNG_COUNT, "delivered"), sums[1]);
    assert_int_equal(decimal(&report, RUNG_COUNT, "total").micros, cents.micros);
}

// What the whole ledger earned, from facts: partners' prices when delivered (beans: when won),
// sales' transfer price; care pays itself nothing.
static void
check_income(void)
{
    struct report report = run(REPORT_LADDER, &all);
    int64_t income = 0;
    for (uint32_t i = 0; i < books.count; i++) {
        const struct fact *won = fates[i].won;
        bool due = won->placement.charge == CHARGE_WIN || fates[i].delivered != NULL;
        const char *seat = "";
        for (uint32_t k = 0; k < books.market->seat_count; k++)
            if (books.market->seats[k].id == won->placement.seat)
                seat = books.market->seats[k].code;
        if (due && strcmp(seat, "care") != 0) income += won->placement.price.micros;
    }
    assert_int_equal(number(&report, RUNG_COUNT, "slot_income_micros"), income);
    assert_string_equal(
        books_text(&books,
                   "select coalesce(sum(e.micros), 0)::bigint::text from entry e"
                   " join account a using (currency, account) where a.code in (1150, 5000)"),
        cell(&report, RUNG_COUNT, "gain_share_micros"));
}

static void
ladder_counts_right(void **state)
{
    (void)state;
    check_ladder(&all);
    check_ladder(&october);
    check_ladder(&november);
    check_ladder(&week);
    check_income();
}

static void
check_objectives(const struct report_span *span)
{
    struct report report = run(REPORT_OBJECTIVES, span);
    int64_t offered[OBJECTIVE_COUNT] = {0}, won[OBJECTIVE_COUNT] = {0},
            achieved[OBJECTIVE_COUNT] = {0};
    int64_t contacts = 0, sum = 0;
    for (uint32_t i = 0; i < books.fact_count; i++) {
        const struct fact *contact = &books.facts[i];
        if (contact->kind != FACT_CONTACT || !within(span, contact->at)) continue;
        uint16_t masks[3] = {0, 0, (uint16_t)(contact->opened.achieved & 3)};
        for (uint32_t k = i + 1; k <= i + contact->opened.slots; k++) {
            const struct fact *outcome = &books.facts[k];
            if (was_offered(outcome)) masks[0] |= slot_of(outcome)->objectives;
            if (outcome->kind != FACT_PLACEMENT) continue;
            masks[1] |= outcome->placement.objectives;
            for (uint32_t f = 0; f < books.count; f++)
                if (id_same(fact_placement(fates[f].won), fact_placement(outcome)) &&
                    fates[f].delivered)
                    masks[2] |= outcome->placement.objectives;
        }
        contacts++;
        for (int bit = 0; bit < OBJECTIVE_COUNT; bit++) {
            offered[bit] += masks[0] >> bit & 1;
            won[bit] += masks[1] >> bit & 1;
            achieved[bit] += masks[2] >> bit & 1;
            sum += masks[2] >> bit & 1;
        }
    }
    assert_int_equal(report.row_count, OBJECTIVE_COUNT);
    for (size_t bit = 0; bit < OBJECTIVE_COUNT; bit++) {
        assert_string_equal(cell(&report, bit, "objective"), objective_name((enum objective)bit));
        assert_int_equal(number(&report, bit, "offered"), offered[bit]);
        assert_int_equal(number(&report, bit, "won"), won[bit]);
        assert_int_equal(number(&report, bit, "achieved"), achieved[bit]);
        assert_int_equal(number(&report, bit, "contacts"), contacts);
    }
    char average[64];
    int64_t hundredths = contacts == 0 ? 0 : (sum * 200 + contacts) / (contacts * 2);
    snprintf(average, sizeof average, "per contact: %lld.%02lld of nine",
             (long long)(hundredths / 100), (long long)(hundredths % 100));
    assert_non_null(strstr(report.notes, average));
}

static void
objectives_count_right(void **state)
{
    (void)state;
    check_objectives(&all);
    check_objectives(&october);
    check_objectives(&week);
}

static void
check_fill(const struct report_span *span)
{
    struct report report = run(REPORT_FILL, span);
    int64_t offered = 0;
    for (size_t row = 0; row + 1 < report.row_count; row++) {
        int64_t filled = 0, empty[REASON_COUNT] = {0}, prices = 0, seen = 0;
        for (uint32_t i = 0; i < books.fact_count; i++) {
            const struct fact *fact = &books.facts[i];
            if (!was_offered(fact) || !within(span, fact->at)) continue;
            uint32_t slot = fact->kind == FACT_PLACEMENT ? fact->placement.slot
                                                         : fact->unfilled.slot;
            char sql[64];
            snprintf(sql, sizeof sql, "select tagid from slot where id = %u", slot);
            static char tagids[64][64];
            assert_true(slot < 64);
            if (tagids[slot][0] == '\0') snprintf(tagids[slot], 64, "%s", books_text(&books, sql));
            if (strcmp(tagids[slot], cell(&report, row, "slot")) != 0) continue;
            seen++;
            if (fact->kind == FACT_PLACEMENT) {
                filled++;
                prices += fact->placement.price.micros;
            } else {
                bool nearest = fact->unfilled.main_reason != REASON_NONE;
                empty[nearest ? fact->unfilled.main_reason : fact->unfilled.reason]++;
            }
        }
        assert_int_equal(number(&report, row, "contacts"), seen);
        assert_int_equal(number(&report, row, "filled"), filled);
        money average = money_of(0);
        if (filled > 0)
            assert_int_equal(money_ratio(money_of(prices), 1, (uint64_t)filled, &average),
                             STATUS_OK);
        assert_int_equal(number(&report, row, "average_price_micros"), average.micros);
        for (int reason = 0; reason < REASON_COUNT; reason++) {
            char text[96];
            snprintf(text, sizeof text, "%s %lld", reason_key((enum reason)reason),
                     (long long)empty[reason]);
            bool told = strstr(cell(&report, row, "unfilled"), text) != NULL;
            assert_int_equal(told, empty[reason] > 0);
        }
        offered += seen;
    }
    assert_int_equal(number(&report, report.row_count - 1, "contacts"), offered);
    assert_true(offered > 0);
}

static void
fill_counts_right(void **state)
{
    (void)state;
    check_fill(&all);
    check_fill(&october);
}

static void
the_matrix_adds_up_to_the_ladder(void **state)
{
    (void)state;
    const struct report_span *spans[] = {&all, &october, &november, &week};
    for (size_t i = 0; i < 4; i++) {
        struct report matrix = run(REPORT_MATRIX, spans[i]), ladder = run(REPORT_LADDER, spans[i]);
        size_t last = matrix.row_count - 1;
        assert_int_equal(number(&matrix, last, "value_micros"),
                         number(&ladder, RUNG_COUNT, "slot_income_micros") +
                             number(&ladder, RUNG_COUNT, "gain_share_micros"));
        int64_t contacts = 0;
        for (uint32_t k = 0; k < books.fact_count; k++)
            contacts += books.facts[k].kind == FACT_CONTACT && within(spans[i], books.facts[k].at);
        assert_int_equal(number(&matrix, last, "contacts"), contacts);
        money sum = money_of(0);
        for (size_t row = 0; row < last; row++) sum.micros += decimal(&matrix, row, "value").micros;
        assert_int_equal(sum.micros, decimal(&matrix, last, "value").micros);
        assert_int_equal(sum.micros, decimal(&ladder, RUNG_COUNT, "total").micros);
    }
    // In the order of the customer's life.
    struct report matrix = run(REPORT_MATRIX, &all);
    assert_string_equal(cell(&matrix, 0, "stage"), "use");
    assert_string_equal(cell(&matrix, 1, "stage"), "service");
}

static void
the_proof_is_zero_until_something_is_changed(void **state)
{
    (void)state;
    struct report_proof proof;
    assert_int_equal(report_proof(books.console_db, &proof), STATUS_OK);
    int64_t delivered = 0;
    for (uint32_t i = 0; i < books.count; i++) delivered += fates[i].delivered != NULL;
    assert_int_equal(proof.contacts, books.contacts);
    assert_int_equal(proof.placements, books.count);
    assert_int_equal(proof.delivered, delivered);
    assert_true(proof.posted.micros > 0);
    assert_int_equal(proof.unexplained.micros, 0);
    assert_int_equal(
        db_script(books.db,
                  "update transfer set amount_micros = amount_micros + 3"
                  " where transfer_id = (select min(transfer_id::text)::uuid from transfer"
                  "  where kind = 'charge')"),
        STATUS_OK);
    assert_int_equal(report_proof(books.console_db, &proof), STATUS_OK);
    assert_int_equal(proof.unexplained.micros, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ladder_counts_right),
        cmocka_unit_test(objectives_count_right),
        cmocka_unit_test(fill_counts_right),
        cmocka_unit_test(the_matrix_adds_up_to_the_ladder),
        cmocka_unit_test(the_proof_is_zero_until_something_is_changed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
