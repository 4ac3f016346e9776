// The proof as it goes: it says of stretches what the view `unexplained` says of everything.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "proof.h"
#include "seed.h"

static int64_t
number(struct books *books, const char *sql)
{
    return strtoll(books_text(books, sql), NULL, 10);
}

static void
run_sql(struct books *books, const char *sql)
{
    if (db_script(books->db, sql) != STATUS_OK) fail_msg("%s: %s", sql, db_fault(books->db)->text);
}

static void
forget_proofs(struct books *books)
{
    run_sql(
        books,
        "delete from proof; delete from proof_count; delete from proof_sum; delete from open_hold");
}

static void
proves_whatever_is_booked(void **state)
{
    (void)state;
    struct books books;
    struct proof_report report;
    uint64_t behind = 0;
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    books_random(&books, seed_fresh(), 1500, 40 * 60 * USEC_SECOND);
    books_ship(&books);
    assert_int_equal(proof_behind(books.ledger_db, &behind), STATUS_OK);
    assert_true(behind > 0);
    enum status status = proof_rest(books.ledger_db, books.now, &report);
    if (status != STATUS_OK) fail_msg("%s %s", report.fault, db_fault(books.ledger_db)->text);
    assert_int_equal(proof_behind(books.ledger_db, &behind), STATUS_OK);
    assert_int_equal(behind, 0);
    assert_int_equal(number(&books, "select count(*)::text from unexplained"), 0);
    assert_int_equal(report.placements,
                     number(&books, "select count(distinct id)::text from booked_part"
                                    " where what = 'placement'"));
    // What comes with a proof is what the rows say.
    assert_int_equal(number(&books, "select count(*)::text from open_hold"),
                     number(&books, "select count(*)::text from hold"));
    assert_string_equal(
        books_text(&books, "select count(*)::text from open_hold o join hold h"
                           " on h.transfer_id = o.transfer_id and h.placement_id = o.placement_id"
                           " and h.amount_micros = o.micros and h.period = o.period"),
        books_text(&books, "select count(*)::text from hold"));
    assert_int_equal(
        number(&books, "select count(*)::text from (select period, seat, section, slot, message,"
                       " rung, sum(won) as a, sum(delivered) as b, sum(converted) as c, sum(ended)"
                       " as d, sum(refunded) as e, sum(revenue) as f from proof_count group by 1,"
                       " 2, 3, 4, 5, 6 except select period, seat, section, slot, message, rung,"
                       " sum(won), sum(delivered), sum(converted), sum(ended), sum(refunded),"
                       " sum(revenue) from count_fold group by 1, 2, 3, 4, 5, 6) x"),
        0);
    // Nothing is left to do, and doing it again changes nothing.
    assert_int_equal(proof_rest(books.console_db, books.now, &report), STATUS_OK);
    assert_int_equal(report.placements, 0);
    books_close(&books);
}

// Whatever is changed: the proof finds it when the view does.
static void
says_what_the_view_says(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "update transfer set amount_micros = amount_micros + 1 where (log, batch, idx, leg) = "
        "(select log, batch, idx, leg from transfer order by md5(transfer_id::text || '%llu') "
        "limit 1)",
        "delete from transfer where (log, batch, idx, leg) = (select log, batch, idx, leg from "
        "transfer order by md5(transfer_id::text || '%llu') limit 1)",
        "update event set state = case state when 'posted' then 'repeat' else 'posted' end where"
        " (log, batch, idx) = (select log, batch, idx from event order by md5(batch::text || "
        "idx::text || '%llu') limit 1)",
        "update revenue set amount_micros = amount_micros + 1000 where (log, batch, idx) = (select"
        " log, batch, idx from revenue order by md5(batch::text || idx::text || '%llu') limit 1)",
        "update revenue set pool_micros = pool_micros + 1 where (log, batch, idx) = (select log, "
        "batch, idx from revenue order by md5(batch::text || idx::text || '%llu') limit 1)",
        "update transfer set group_id = gen_random_uuid() where (log, batch, idx, leg) = (select "
        "log, batch, idx, leg from transfer where kind in ('share', 'refund') order by "
        "md5(transfer_id::text || '%llu') limit 1)",
        "update outcome set price_micros = price_micros + 1 where placement_id = (select "
        "placement_id from outcome where filled order by md5(placement_id::text || '%llu') limit "
        "1)",
    };
    struct books books;
    struct proof_report report;
    uint64_t seed = seed_fresh();
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    books_random(&books, seed, 300, 40 * 60 * USEC_SECOND);
    books_ship(&books);
    run_sql(&books, "create table kept_transfer as table transfer; create table kept_event as table"
                    " event; create table kept_revenue as table revenue; create table kept_outcome"
                    " as table outcome");
    unsigned found = 0;
    for (unsigned turn = 0; turn < 28; turn++) {
        char sql[1024];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(sql, sizeof sql, changes[turn % 7], (unsigned long long)(seed + turn));
#pragma GCC diagnostic pop
        run_sql(&books, sql);
        forget_proofs(&books);
        enum status status = proof_rest(books.ledger_db, books.now, &report);
        int64_t unexplained = number(&books, "select count(*)::text from unexplained");
        if ((status == STATUS_CONFLICT) != (unexplained > 0))
            fail_msg("%s: %d %s, the view says %lld", sql, status, report.fault,
                     (long long)unexplained);
        if (status == STATUS_CONFLICT) {
            found++;
            assert_non_null(strstr(report.fault, "slotctl verify"));
            assert_int_equal(number(&books, "select count(*)::text from proof"), 0);
        }
        run_sql(&books, "delete from transfer; insert into transfer select * from kept_transfer;"
                        "delete from event; insert into event select * from kept_event;"
                        "delete from revenue; insert into revenue select * from kept_revenue;"
                        "delete from outcome; insert into outcome select * from kept_outcome");
    }
    assert_true(found >= 4);
    books_close(&books);
}

// A turn proves what is enough or old, one stretch at a time, and stretches follow each other.
static void
a_turn_is_bounded(void **state)
{
    (void)state;
    struct books books;
    struct proof_report report;
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    books_win(&books, "bill.footer", "barbecue", 152345);
    books_ship(&books);
    assert_int_equal(proof_turn(books.ledger_db, books.now, &report), STATUS_OK);
    assert_false(report.more);
    assert_int_equal(number(&books, "select count(*)::text from proof"), 0);
    usec later = {books.now.us + 61 * USEC_SECOND};
    assert_int_equal(proof_turn(books.ledger_db, later, &report), STATUS_OK);
    assert_true(report.more);
    assert_int_equal(number(&books, "select count(*)::text from proof"), 1);
    assert_int_equal(proof_turn(books.ledger_db, later, &report), STATUS_OK);
    assert_false(report.more);

    books_random(&books, seed_fresh(), 12000, 60 * USEC_SECOND);
    books_ship(&books);
    unsigned turns = 0;
    do {
        assert_int_equal(proof_turn(books.ledger_db, (usec){books.now.us + USEC_DAY}, &report),
                         STATUS_OK);
        turns++;
    } while (report.more);
    assert_true(turns > 1);
    assert_int_equal(number(&books, "select count(*)::text from (select from_batch, lag(upto) over"
                                    " (order by from_batch) as ended from proof) p"
                                    " where from_batch <> coalesce(ended, 0)"),
                     0);
    assert_int_equal(number(&books, "select max(upto)::text from proof"),
                     number(&books, "select batch::text from watermark where log = 1"));
    // Ended holds are gone from the list, as no period is being closed.
    assert_int_equal(number(&books, "select count(*)::text from open_hold"),
                     number(&books, "select count(*)::text from hold"));
    books_close(&books);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(proves_whatever_is_booked),
                                       cmocka_unit_test(says_what_the_view_says),
                                       cmocka_unit_test(a_turn_is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
