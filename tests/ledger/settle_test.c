// Closing a period, on books that were filled through the journal and the shipper.
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

#include "books.h"
#include "deposit.h"
#include "seed.h"
#include "settle.h"
#include "statement.h"

static struct period november, december, january;

static struct period
month(const char *name)
{
    struct period period;
    assert_int_equal(period_parse(name, strlen(name), &period), STATUS_OK);
    return period;
}

// A month with every kind of line; always the same facts at the same times.
static void
fill(struct books *books)
{
    struct deposit deposit;
    books_open(books, books_market, "2026-11-03T09:00:00Z");
    assert_int_equal(deposit_book(books->console_db, "mags", money_of(50000000), "BANK-1", "tester",
                                  books->now, &deposit),
                     STATUS_OK);
    for (int i = 0; i < 4; i++) {
        books->now.us += USEC_DAY;
        struct id won = books_win(books, "bill.footer", "barbecue", 152345);
        books_event(books, won, FACT_DELIVERED, books->now);
    }
    struct id expired = books_win(books, "bill.insert", "barbecue", 333333);
    books_event(books, expired, FACT_EXPIRED, books->now);
    books_win(books, "bill.insert", "barbecue", 200000);  // still open at the close
    for (int i = 0; i < 3; i++) {
        struct id won = books_win(books, "bill.footer", "magazine", 100001);
        books_event(books, won, FACT_DELIVERED, books->now);
    }
    struct id internal = books_win(books, "call.offer", "plan_plus", 700000);
    books_event(books, internal, FACT_DELIVERED, books->now);
    struct id cover = books_win(books, "call.offer", "protection", 900000);
    books_event(books, cover, FACT_DELIVERED, books->now);
    books_revenue(books, cover, FACT_CONVERTED, 166666683, "order-1", NULL, books->now);
    books_revenue(books, cover, FACT_REFUNDED, 66666683, "order-1", "refund-1", books->now);
    struct id beans = books_win(books, "bill.insert", "beans_offer", 120000);
    books_event(books, beans, FACT_DELIVERED, books->now);
    books_revenue(books, beans, FACT_CONVERTED, 25000000, "order-2", NULL, books->now);
    books_ship(books);
}

static struct settle_options
options_at(const struct books *books, const char *at)
{
    struct settle_options options = {.directory = books->directory, .wait_us = 0};
    assert_int_equal(clock_parse(at, strlen(at), &options.now), STATUS_OK);
    return options;
}

static enum status
close_at(struct books *books, const struct period *period, const char *at, bool early,
         struct settle_report *report)
{
    struct settle_options options = options_at(books, at);
    options.early = early;
    return settle_close(books->console_db, period, &options, report);
}

// Everything the close of November leaves behind that must not depend on how it went.
static const char *
left_behind(struct books *books)
{
    return books_text(
        books,
        "select string_agg(x, E'\\n' order by x) from ("
        " select d.period, 'document ' || s.code || d.format || d.body as x"
        "  from statement_document d join seat s on s.id = d.seat"
        " union all select period, 'event ' || step::text || name || record from period_event"
        "  where step <> 8"
        " union all select period, 'bill ' || transfer_id::text || debit::text || credit::text"
        "  || amount_micros::text from transfer where log = 0) everything"
        " where period = '2026-11'");
}

static void
closes_in_nine_steps_once(void **state)
{
    (void)state;
    struct books books;
    struct settle_report report;
    fill(&books);
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_OK);
    assert_int_equal(report.done, SETTLE_STEPS);
    assert_false(report.was_closed);
    assert_int_equal(strlen(report.root), 64);
    const char *first = left_behind(&books);
    assert_non_null(strstr(first, report.root));  // on the statements

    // Bills: whole cents moved, less than a cent left.
    assert_string_equal(
        books_text(&books, "select string_agg(a.name || ' ' || b.micros::text, ', ' order by"
                           " a.name) from (select currency, account, sum(micros) as micros"
                           " from entry group by 1, 2) b join account a using (currency,"
                           " account) where a.code in (1110, 1120)"),
        "Assets:Receivable:Billed:beans 120000, Assets:Receivable:Billed:cover 6900000, "
        "Assets:Receivable:Billed:grill 600000, Assets:Receivable:Unbilled:beans 0, "
        "Assets:Receivable:Unbilled:cover 0, Assets:Receivable:Unbilled:grill 9380");

    // Again, later and with other options: nothing changes, to the byte.
    struct settle_report again;
    assert_int_equal(close_at(&books, &november, "2027-03-01T08:00:00Z", true, &again), STATUS_OK);
    assert_true(again.was_closed);
    assert_string_equal(again.root, report.root);
    assert_string_equal(left_behind(&books), first);
    char detail[SETTLE_DETAIL];
    assert_int_equal(settle_verify(books.console_db, books.directory, detail), STATUS_OK);
    assert_string_equal(detail, "6 statements of 1 closed periods, as published");
    books_close(&books);
}

static void
refuses_what_is_not_to_be_closed(void **state)
{
    (void)state;
    struct books books;
    struct settle_report report;
    fill(&books);
    assert_int_equal(close_at(&books, &december, "2026-11-20T08:00:00Z", true, &report),
                     STATUS_DENIED);
    assert_non_null(strstr(report.fault, "December 2026 has not begun"));
    assert_int_equal(close_at(&books, &november, "2026-11-20T08:00:00Z", false, &report),
                     STATUS_DENIED);
    assert_non_null(strstr(report.fault, "--early"));
    assert_int_equal(close_at(&books, &december, "2027-01-02T08:00:00Z", false, &report),
                     STATUS_DENIED);
    assert_non_null(strstr(report.fault, "2026-11 is still open"));
    assert_int_equal(report.done, 0);
    assert_string_equal(books_text(&books, "select count(*)::text from period_event"), "0");

    // A durable frame that is not booked yet.
    books_win(&books, "bill.footer", "barbecue", 70000);
    assert_int_equal(journal_sync(books.journal), STATUS_OK);
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_AGAIN);
    assert_non_null(strstr(report.fault, "has booked batch"));
    books_ship(&books);
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_OK);

    // An empty month before a closed one: each root names the one before, so none is put between.
    struct period october = month("2026-10");
    const char *before = books_text(&books, "select count(*)::text from period_event");
    assert_int_equal(close_at(&books, &october, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_DENIED);
    assert_non_null(strstr(report.fault, "2026-11 has been closed or fenced already"));
    assert_string_equal(books_text(&books, "select count(*)::text from period_event"), before);
    char detail[SETTLE_DETAIL];
    assert_int_equal(settle_verify(books.console_db, books.directory, detail), STATUS_OK);
    books_close(&books);
}

static void
later_facts_and_cents_go_to_the_next_period(void **state)
{
    (void)state;
    struct books books;
    struct settle_report report;
    const char *text = NULL;
    fill(&books);
    books_at(&books, "2026-11-19T10:00:00Z");
    struct id open = books_win(&books, "bill.footer", "barbecue", 80000);
    books_ship(&books);
    assert_int_equal(close_at(&books, &november, "2026-11-20T08:00:00Z", true, &report), STATUS_OK);
    const char *closed = left_behind(&books);
    books_at(&books, "2026-11-25T10:00:00Z");
    books_event(&books, open, FACT_DELIVERED, books.now);
    struct deposit deposit;
    assert_int_equal(deposit_book(books.console_db, "mags", money_of(1000000), "BANK-2", "tester",
                                  books.now, &deposit),
                     STATUS_OK);
    assert_string_equal(deposit.period, "2026-12");
    books_ship(&books);
    assert_string_equal(
        books_text(&books, "select string_agg(period || ' ' || late::text, ', ') from transfer"
                           " where kind = 'charge' and effective_us >= 1795564800000000"),
        "2026-12 true");
    // 0.009380 carried and 0.080000 charged: 0.08 to pay, 0.009380 carried on.
    assert_int_equal(
        statement_get(books.console_db, "grill", &december, STATEMENT_TEXT, books.arena, &text),
        STATUS_OK);
    assert_non_null(strstr(text, "draft"));
    assert_non_null(strstr(text, "carried from 2026-11"));
    assert_non_null(strstr(text, "0.009380 EUR, less than a cent, is carried"));
    struct id more = books_win(&books, "bill.insert", "barbecue", 100620);
    books_event(&books, more, FACT_DELIVERED, books.now);
    books_ship(&books);
    assert_int_equal(close_at(&books, &december, "2027-01-01T00:00:01Z", false, &report),
                     STATUS_OK);
    assert_string_equal(
        books_text(&books, "select string_agg(period || ' ' || sum_micros::text || ' ' ||"
                           " carried_in_micros::text || ' ' || total_micros::text || ' ' ||"
                           " carried_out_micros::text, ', ' order by period) from"
                           " statement_total t join seat s on s.id = t.seat and s.code = 'grill'"),
        "2026-11 609380 0 600000 9380, 2026-12 180620 9380 190000 0");
    assert_string_equal(left_behind(&books), closed);
    char detail[SETTLE_DETAIL];
    assert_int_equal(settle_verify(books.console_db, NULL, detail), STATUS_OK);
    // A month in which nothing happens can be closed as well.
    assert_int_equal(close_at(&books, &january, "2027-02-01T00:00:01Z", false, &report), STATUS_OK);
    books_close(&books);
}

// --- Killed in the middle ----------------------------------------------------------------------

static int last_step;  // after which the child kills itself

static void
die_after(void *context, const struct settle_step *step)
{
    (void)context;
    if (!step->earlier && step->number == last_step) kill(getpid(), SIGKILL);
}

// A close in a process of its own. `step`: dies after it; 0: dies after `us` microseconds.
static void
close_and_die(struct books *books, int step, unsigned us)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct db *db = NULL;
        struct settle_report report;
        struct settle_options options = options_at(books, "2026-12-02T08:00:00Z");
        options.told = die_after;
        last_step = step;
        options.wait_us = 10 * USEC_SECOND;
        enum status status = db_open(books->console, "close", &db, NULL);
        if (status == STATUS_OK) status = settle_close(db, &november, &options, &report);
        _exit(status == STATUS_OK ? 0 : 1);
    }
    if (step == 0) {
        usleep(us);
        kill(child, SIGKILL);
    }
    int code = 0;
    assert_int_equal(waitpid(child, &code, 0), child);
    if (step > 0) assert_true(WIFSIGNALED(code) && WTERMSIG(code) == SIGKILL);
}

static const char *
reference(struct books *books)
{
    struct settle_report report;
    fill(books);
    assert_int_equal(close_at(books, &november, "2026-12-02T08:00:00Z", false, &report), STATUS_OK);
    return left_behind(books);
}

static void
goes_on_after_a_kill_at_each_step(void **state)
{
    (void)state;
    struct books undisturbed, books;
    struct settle_report report;
    const char *expected = reference(&undisturbed);
    fill(&books);
    for (int step = 1; step <= SETTLE_STEPS; step++) {
        char count[8];
        close_and_die(&books, step, 0);
        snprintf(count, sizeof count, "%d", step);
        assert_string_equal(books_text(&books, "select count(*)::text from period_event"), count);
    }
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_OK);
    assert_true(report.was_closed);
    assert_string_equal(left_behind(&books), expected);
    books_close(&books);

    uint64_t seed = seed_fresh();
    fill(&books);
    for (int turn = 0; turn < 15; turn++)
        close_and_die(&books, 0, (unsigned)(hash_mix(seed + (uint64_t)turn) % 60000));
    while (close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report) == STATUS_AGAIN)
        usleep(10000);
    assert_string_equal(report.fault, "");
    assert_string_equal(left_behind(&books), expected);
    books_close(&books);
    books_close(&undisturbed);
}

static pid_t
start_close(struct books *books)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) return child;
    struct db *db = NULL;
    struct settle_report report;
    struct settle_options options = options_at(books, "2026-12-02T08:00:00Z");
    options.wait_us = 20 * USEC_SECOND;
    enum status status = db_open(books->console, "close", &db, NULL);
    if (status == STATUS_OK) status = settle_close(db, &november, &options, &report);
    _exit(status == STATUS_OK ? 0 : 1);
}

static void
wait_for(pid_t child)
{
    int code = 0;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
}

static void
two_closes_at_once_make_one(void **state)
{
    (void)state;
    struct books undisturbed, books;
    const char *expected = reference(&undisturbed);
    fill(&books);
    pid_t children[3];
    for (int i = 0; i < 3; i++) children[i] = start_close(&books);
    for (int i = 0; i < 3; i++) wait_for(children[i]);
    assert_string_equal(left_behind(&books), expected);
    books_close(&books);
    books_close(&undisturbed);
}

// --- In flight ---------------------------------------------------------------------------------

// Whoever is booking when the fence comes is waited for: a deposit, a shipper's transaction.
static void
the_fence_waits_for_what_is_in_flight(void **state)
{
    (void)state;
    static const char *const in_flight[] = {
        "select gate from period_gate where gate = 1 for share",
        "update watermark set at_us = at_us + 1",
    };
    for (int i = 0; i < 2; i++) {
        struct books books;
        fill(&books);
        assert_int_equal(db_begin(books.db), STATUS_OK);
        assert_int_equal(db_script(books.db, in_flight[i]), STATUS_OK);
        pid_t child = start_close(&books);
        usleep(400000);
        assert_string_equal(books_text(&books, "select count(*)::text from period_event"), "0");
        assert_int_equal(db_commit(books.db), STATUS_OK);
        wait_for(child);
        assert_string_equal(books_text(&books, "select count(*)::text from period_event"), "9");
        books_close(&books);
    }
}

// A deposit that meets a fence in the making waits, and is booked behind it.
static void
a_deposit_waits_for_the_fence(void **state)
{
    (void)state;
    struct books books;
    fill(&books);
    assert_int_equal(db_begin(books.db), STATUS_OK);
    assert_int_equal(db_script(books.db,
                               "update period_gate set fences = fences + 1 where gate = 1;"
                               "insert into period_event values ('2026-11', 1, 'fence', 0, "
                               "1796083200000000, 1, '', 'statements 2')"),
                     STATUS_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct db *db = NULL;
        struct deposit deposit;
        enum status status = db_open(books.console, "deposit", &db, NULL);
        if (status == STATUS_OK)
            status = deposit_book(db, "mags", money_of(5), "BANK-9", "tester", books.now, &deposit);
        _exit(status == STATUS_OK && strcmp(deposit.period, "2026-12") == 0 ? 0 : 1);
    }
    usleep(300000);
    assert_int_equal(db_commit(books.db), STATUS_OK);
    wait_for(child);
    books_close(&books);
}

// Two holds whose windows go beyond the close, one that is over.
static void
fill_holds(struct books *books, struct id *out_open)
{
    fill(books);
    books_at(books, "2026-11-30T10:00:00Z");
    *out_open = books_win(books, "bill.footer", "barbecue", 210000);
    books_win(books, "bill.footer", "barbecue", 220000);
    books_ship(books);
}

// What was open at the fence is listed as open, also when the list is made after it was shown.
static void
holds_are_those_at_the_fence(void **state)
{
    (void)state;
    // Not the root: the act that ends holds says up to where the journal was booked then.
    static const char found[] =
        "select string_agg(x, E'\\n' order by x) from (select step::text || detail || record as x"
        " from period_event where step in (2, 3, 4, 5) union all select currency || account::text"
        " || debit::text || credit::text from balance where period = '2026-11') e";
    struct books undisturbed, books;
    struct settle_report report;
    struct id open;
    fill_holds(&undisturbed, &open);
    assert_int_equal(close_at(&undisturbed, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_OK);
    const char *expected = books_text(&undisturbed, found);
    fill_holds(&books, &open);
    close_and_die(&books, 1, 0);
    books_at(&books, "2026-12-01T10:00:00Z");
    books_event(&books, open, FACT_DELIVERED, books.now);
    books_ship(&books);
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_OK);
    assert_string_equal(books_text(&books, found), expected);
    assert_string_equal(books_text(&books, "select record from period_event where step = 3"),
                        "open EUR 2 430000\nexpired 1\n");
    books_close(&books);
    books_close(&undisturbed);
}

// A hold whose window is over ends with the close; what is reported of it afterwards is late.
static void
holds_expire_with_the_close(void **state)
{
    (void)state;
    struct books books;
    struct settle_report report;
    struct id open;
    char detail[SETTLE_DETAIL];
    fill_holds(&books, &open);
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_OK);
    assert_string_equal(
        books_text(&books, "select string_agg(kind || ' ' || state || ' ' || reason || ' ' || "
                           "amount_micros::text || ' ' || period, ', ') from transfer"
                           " where log = 0 and kind = 'release'"),
        "release voided expired 200000 2026-11");
    books_at(&books, "2026-12-03T10:00:00Z");
    for (uint32_t i = 0; i < books.count; i++)
        if (books.placements[i].placement.price.micros == 200000)
            books_event(&books, fact_placement(&books.placements[i]), FACT_DELIVERED, books.now);
    books_event(&books, open, FACT_DELIVERED, books.now);
    books_ship(&books);
    assert_string_equal(books_text(&books, "select string_agg(state || ' ' || period, ', ' order by"
                                           " batch, idx) from event where period = '2026-12'"),
                        "late 2026-12, posted 2026-12");
    assert_string_equal(books_text(&books, "select count(*)::text from transfer where kind ="
                                           " 'charge' and amount_micros in (200000, 210000)"),
                        "1");
    assert_int_equal(settle_verify(books.console_db, books.directory, detail), STATUS_OK);
    books_close(&books);
}

// --- Several logs --------------------------------------------------------------------------------

static enum status
close_with_dead(struct books *books, uint32_t log, const char *at, struct settle_report *report)
{
    struct settle_options options = options_at(books, at);
    options.dead = (struct settle_dead){log, "controller", "its disk\nis lost"};
    return settle_close(books->console_db, &november, &options, report);
}

static void
a_log_that_does_not_report_stops_the_close(void **state)
{
    (void)state;
    struct books books;
    struct settle_report report;
    usec reported;
    fill(&books);
    assert_int_equal(db_script(books.db,
                               "insert into watermark (log, epoch, batch, digest, at_us) values"
                               " (2, 1, 7, sha256('two'), 1), (3, 1, 9, sha256('three'), 1)"),
                     STATUS_OK);
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_AGAIN);
    assert_int_equal(report.done, 0);
    if (strstr(report.fault, "log 2 has not reported") == NULL) fail_msg("%s", report.fault);
    assert_non_null(strstr(report.fault, "--dead 2 --by NAME --reason TEXT"));
    // Log 2 reports: too early, of another batch, then as it should.
    static const struct {
        const char *at, *fault;
        uint64_t batch;
    } reports[] = {{"2026-11-30T23:59:59Z", "log 2 has not", 7},
                   {"2026-12-01T00:00:01Z", "log 2 has not", 6},
                   {"2026-12-01T00:00:01Z", "log 3 has not", 7}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(clock_parse(reports[i].at, 20, &reported), STATUS_OK);
        assert_int_equal(settle_reports(books.ledger_db, 2, reports[i].batch, reported), STATUS_OK);
        assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                         STATUS_AGAIN);
        if (strstr(report.fault, reports[i].fault) == NULL) fail_msg("%zu %s", i, report.fault);
    }
    // Who is alive, unknown or our own is not declared dead.
    assert_int_equal(close_with_dead(&books, 2, "2026-12-01T00:00:30Z", &report), STATUS_DENIED);
    assert_non_null(strstr(report.fault, "reported 29 seconds ago"));
    assert_int_equal(close_with_dead(&books, 1, "2026-12-02T08:00:00Z", &report), STATUS_DENIED);
    assert_int_equal(close_with_dead(&books, 4, "2026-12-02T08:00:00Z", &report), STATUS_DENIED);
    assert_non_null(strstr(report.fault, "there is no log 4"));
    assert_string_equal(books_text(&books, "select count(*)::text from act where kind = 'dead'"),
                        "0");
    assert_int_equal(close_with_dead(&books, 3, "2026-12-02T08:00:00Z", &report), STATUS_OK);
    assert_string_equal(books_text(&books, "select kind || ' by ' || author || E'\\n' ||"
                                           " split_part(body, 'row ', 1) from act where kind"
                                           " = 'dead'"),
                        books_text(&books,
                                   "select E'dead by controller\\nlog 3\\nbatch 9\\ndigest ' ||"
                                   " encode(sha256('three'), 'hex') ||"
                                   " E'\\nperiod 2026-11\\nreason its disk is lost\\n'"));
    const char *fence = books_text(&books, "select record from period_event where step = 1");
    assert_non_null(strstr(fence, "log 2 epoch 1 batch 7"));
    assert_non_null(strstr(fence, " dead "));
    // It is dead for the next month too, until it is booked or reports again.
    assert_int_equal(clock_parse("2027-01-01T00:00:01Z", 20, &reported), STATUS_OK);
    assert_int_equal(settle_reports(books.ledger_db, 2, 7, reported), STATUS_OK);
    assert_int_equal(db_script(books.db, "update watermark set batch = 10 where log = 3"),
                     STATUS_OK);
    assert_int_equal(close_at(&books, &december, "2027-01-02T08:00:00Z", false, &report),
                     STATUS_AGAIN);
    assert_non_null(strstr(report.fault, "log 3 has not reported"));
    assert_int_equal(db_script(books.db, "update watermark set batch = 9 where log = 3"),
                     STATUS_OK);
    assert_int_equal(close_at(&books, &december, "2027-01-02T08:00:00Z", false, &report),
                     STATUS_OK);
    books_close(&books);
}

// A reader that the settings name must be there; with it the same close goes on.
static void
a_named_reader_must_be_there(void **state)
{
    (void)state;
    struct books books;
    struct settle_report report;
    fill(&books);
    struct settle_options options = options_at(&books, "2026-12-02T08:00:00Z");
    options.readers = "hledger, sqlite";
    char *path = strdup(getenv("PATH"));
    assert_non_null(path);
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    assert_int_equal(settle_close(books.console_db, &november, &options, &report),
                     STATUS_NOT_FOUND);
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    assert_int_equal(report.done, 7);
    assert_non_null(strstr(report.fault, "hledger"));
    assert_int_equal(settle_close(books.console_db, &november, &options, &report), STATUS_OK);
    const char *said = books_text(&books, "select detail from period_event where step = 8");
    assert_non_null(strstr(said, "hledger agrees"));
    assert_non_null(strstr(said, "sqlite agrees"));
    assert_null(strstr(said, "beancount"));
    books_close(&books);
}

// A close does not go on in a ledger that lost what was published.
static void
a_close_looks_at_what_was_published(void **state)
{
    (void)state;
    struct books books;
    struct settle_report report;
    fill(&books);
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_OK);
    assert_int_equal(db_script(books.db, "delete from period_event where step = 9"), STATUS_OK);
    assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                     STATUS_CONFLICT);
    assert_non_null(strstr(report.fault, "the ledger does not say so any more"));
    books_close(&books);
}

// --- Wrong books -------------------------------------------------------------------------------

static void
books_that_do_not_add_up_are_not_closed(void **state)
{
    (void)state;
    static const struct {
        const char *damage, *fault;
        int done;
    } cases[] = {
        {"update transfer set amount_micros = amount_micros + 1 where kind = 'charge' and "
         "amount_micros = 900000",
         "expected 0.900000, posted 0.900001 EUR", 2},
        {"delete from transfer where kind = 'internal'", "expected 0.700000, posted 0.000000 EUR",
         2},
        {"update transfer set amount_micros = amount_micros - 1 where kind = 'share' and "
         "amount_micros = 1400000",
         "order", 2},
        {"insert into event select log, batch, idx + 100, kind, state, placement_id, contact_id, "
         "position, at_us,"
         " effective_us, period, slot, message, seat, price_micros, role, party, key from event"
         " where price_micros = 900000 and kind = 'delivered'",
         "expected 1.800000, posted 0.900000 EUR", 2},
        {"insert into transfer select t.batch, t.debit, t.credit, t.amount_micros, t.effective_us,"
         " t.posted_us, t.log, t.idx, t.seat, t.contract, t.slot, t.message, t.objectives, t.model,"
         " t.leg + 1, t.rung, t.late, gen_random_uuid(), t.group_id, null, null, null, t.period,"
         " t.kind, t.state, t.currency, t.reason, t.reference from transfer t"
         " where kind = 'internal'",
         "first placement none: expected 0.000000, posted 0.700000 EUR", 2},
        {"update fold set micros = micros + 1 where kind = 'deposit'", "sums against transfers", 3},
        {"delete from fold where kind = 'internal'", "sums against transfers", 3},
        {"update transfer set message = message + 1 where kind = 'internal'",
         "sums against transfers", 3},
        {"update count_fold set won = won + 1", "counts of statement lines", 3},
        {"update transfer set credit = 4000 where kind = 'internal';"
         "update fold set credit = 4000 where kind = 'internal'",
         "internal placements", 3},
    };
    struct books books;
    struct settle_report report;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fill(&books);
        assert_int_equal(db_script(books.db, cases[i].damage), STATUS_OK);
        assert_int_equal(close_at(&books, &november, "2026-12-02T08:00:00Z", false, &report),
                         STATUS_CONFLICT);
        assert_int_equal(report.done, cases[i].done);
        if (strstr(report.fault, cases[i].fault) == NULL) fail_msg("case %zu: %s", i, report.fault);
        books_close(&books);
    }
}

// Renaming a seat and ending a contract afterwards changes nothing that was closed.
static void
names_and_terms_are_those_at_the_fence(void **state)
{
    (void)state;
    struct books books;
    char detail[SETTLE_DETAIL], yaml[8192];
    reference(&books);
    snprintf(yaml, sizeof yaml, "%s", books_market);
    memcpy(strstr(yaml, "Grill House"), "Grill Hotel", strlen("Grill Hotel"));
    memcpy(strstr(yaml, "6%"), "9%", strlen("9%"));
    books_apply(&books, yaml);
    if (settle_verify(books.console_db, NULL, detail) != STATUS_OK) fail_msg("%s", detail);
    assert_string_equal(books_text(&books, "select name from seat where code = 'grill'"),
                        "Grill Hotel");
    books_close(&books);
}

static void
the_database_refuses_changes(void **state)
{
    (void)state;
    struct books books;
    reference(&books);
    static const char *const forbidden[] = {
        "update period_event set detail = ''",
        "delete from period_event where step = 9",
        "update statement set lines = ''",
        "delete from statement_document",
        "update statement_total set total_micros = 0",
        "truncate deposit",
        "update deposit set amount_micros = 1",
        "update transfer set amount_micros = 1",
        "delete from transfer",
        "update period_gate set gate = 1",
        "update balance set debit = 0",
        "delete from hold_expiry",
        "delete from dead_log",
        "delete from proof",
        "update act set author = ''",
        "delete from act",
    };
    struct db *roles[2] = {books.console_db, books.ledger_db};
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        for (int role = 0; role < 2; role++)
            assert_int_equal(db_script(roles[role], forbidden[i]), STATUS_DENIED);
    books_close(&books);
}

int
main(void)
{
    november = month("2026-11");
    december = month("2026-12");
    january = month("2027-01");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_in_nine_steps_once),
        cmocka_unit_test(refuses_what_is_not_to_be_closed),
        cmocka_unit_test(later_facts_and_cents_go_to_the_next_period),
        cmocka_unit_test(goes_on_after_a_kill_at_each_step),
        cmocka_unit_test(two_closes_at_once_make_one),
        cmocka_unit_test(the_fence_waits_for_what_is_in_flight),
        cmocka_unit_test(a_deposit_waits_for_the_fence),
        cmocka_unit_test(holds_are_those_at_the_fence),
        cmocka_unit_test(holds_expire_with_the_close),
        cmocka_unit_test(a_log_that_does_not_report_stops_the_close),
        cmocka_unit_test(a_named_reader_must_be_there),
        cmocka_unit_test(a_close_looks_at_what_was_published),
        cmocka_unit_test(books_that_do_not_add_up_are_not_closed),
        cmocka_unit_test(names_and_terms_are_those_at_the_fence),
        cmocka_unit_test(the_database_refuses_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
