#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../engine/bidder.h"

static struct bidders bidders;

static struct bidder_connection
connection(uint32_t index, bool live, bool notices, uint32_t tmax_ms)
{
    return (struct bidder_connection){{index, 1}, live, notices, tmax_ms};
}

static int
open_table(void **state)
{
    (void)state;
    bidder_open(&bidders);
    return 0;
}

static int
close_table(void **state)
{
    (void)state;
    bidder_close(&bidders);
    return 0;
}

// One notice a request, as a contact has it: both connections are asked, and both are told.
static void
notices_have_turns_of_their_own(void **state)
{
    (void)state;
    struct bidder *bidder = &bidders.of[8];
    enum reason reason;
    assert_null(bidder_told(bidder));
    for (uint32_t i = 0; i < 2; i++) {
        struct bidder_connection added = connection(i, true, true, 0);
        assert_int_equal(bidder_subscribe(&bidders, 8, &added), REASON_NONE);
    }
    unsigned asked[2] = {0}, told[2] = {0};
    for (unsigned i = 0; i < 100; i++) {
        asked[bidder_next(bidder, 50, &reason)->session.index]++;
        told[bidder_told(bidder)->session.index]++;
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(asked[i], 50);
        assert_int_equal(told[i], 50);
    }
    bidder_ended(&bidders, 8, (struct session_handle){0, 1});
    struct bidder_connection silent = connection(0, true, false, 0);
    assert_int_equal(bidder_subscribe(&bidders, 8, &silent), REASON_NONE);
    for (unsigned i = 0; i < 10; i++) assert_int_equal(bidder_told(bidder)->session.index, 1);
    bidder_ended(&bidders, 8, (struct session_handle){1, 1});
    assert_null(bidder_told(bidder));
    bidder_ended(&bidders, 8, (struct session_handle){0, 1});
}

static void
connections_take_turns(void **state)
{
    (void)state;
    struct bidder *bidder = &bidders.of[7];
    enum reason reason;
    assert_null(bidder_next(bidder, 50, &reason));
    assert_int_equal(reason, REASON_NOT_CONNECTED);
    for (uint32_t i = 0; i < 3; i++) {
        struct bidder_connection added = connection(i, i < 2, true, 0);
        assert_int_equal(bidder_subscribe(&bidders, 7, &added), REASON_NONE);
    }
    assert_int_equal(bidders.subscribed, 3);
    assert_int_equal(bidders.with_notices, 3);
    assert_int_equal(bidder->live_count, 2);
    unsigned asked[3] = {0};
    for (unsigned i = 0; i < 300; i++) asked[bidder_next(bidder, 50, &reason)->session.index]++;
    assert_true(asked[0] >= 100 && asked[1] >= 100 && asked[2] == 0);
    bidder_ended(&bidders, 7, (struct session_handle){0, 1});
    bidder_ended(&bidders, 7, (struct session_handle){0, 1});  // gone already
    bidder_ended(&bidders, 7, (struct session_handle){1, 2});  // another generation
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(bidder_next(bidder, 50, &reason)->session.index, 1);
    bidder_ended(&bidders, 7, (struct session_handle){1, 1});
    assert_null(bidder_next(bidder, 50, &reason));
    assert_int_equal(reason, REASON_NOT_CONNECTED);
    bidder_ended(&bidders, 7, (struct session_handle){2, 1});
    assert_int_equal(bidders.subscribed, 0);
    assert_int_equal(bidders.with_notices, 0);
}

static void
the_last_word_of_a_connection_counts(void **state)
{
    (void)state;
    struct bidder_connection one = connection(4, true, false, 30);
    enum reason reason;
    assert_int_equal(bidder_subscribe(&bidders, 9, &one), REASON_NONE);
    assert_null(bidder_next(&bidders.of[9], 29, &reason));
    assert_int_equal(reason, REASON_NONE);  // it wishes not to be asked with so little time
    assert_non_null(bidder_next(&bidders.of[9], 30, &reason));
    one = connection(4, false, true, 0);
    assert_int_equal(bidder_subscribe(&bidders, 9, &one), REASON_NONE);
    assert_int_equal(bidders.of[9].connection_count, 1);
    assert_int_equal(bidders.of[9].live_count, 0);
    assert_int_equal(bidders.of[9].notice_count, 1);
    one = connection(4, false, false, 0);
    assert_int_equal(bidder_subscribe(&bidders, 9, &one), REASON_NONE);
    assert_int_equal(bidders.of[9].connection_count, 0);
    for (uint32_t i = 0; i <= BIDDER_CONNECTIONS; i++) {
        one = connection(i, true, true, 0);
        assert_int_equal(bidder_subscribe(&bidders, 9, &one),
                         i < BIDDER_CONNECTIONS ? REASON_NONE : REASON_BUSY);
    }
    for (uint32_t i = 0; i < BIDDER_CONNECTIONS; i++)
        bidder_ended(&bidders, 9, (struct session_handle){i, 1});
    assert_int_equal(bidders.subscribed, 0);
}

static void
each_ending_is_counted_once(void **state)
{
    (void)state;
    struct bidder *bidder = &bidders.of[11];
    static const enum reason endings[] = {
        REASON_NONE,        REASON_NO_BID,     REASON_NO_ANSWER,     REASON_NO_ANSWER,
        REASON_INVALID_BID, REASON_OVER_LIMIT, REASON_AFTER_DEADLINE};
    bidder->in_flight = sizeof endings / sizeof *endings;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        bidder_answered(bidder, endings[i]);
    const struct bidder_counts *counts = &bidder->counts;
    assert_int_equal(bidder->in_flight, 0);
    assert_int_equal(counts->bids, 1);
    assert_int_equal(counts->no_bid, 1);
    assert_int_equal(counts->missing, 2);
    assert_int_equal(counts->malformed, 1);
    assert_int_equal(counts->over_limit, 1);
    assert_int_equal(counts->late, 1);
    // One of the two that were given up comes after all.
    assert_true(bidder_late(bidder));
    assert_int_equal(counts->missing, 1);
    assert_int_equal(counts->late, 2);
    assert_true(bidder_late(bidder));
    assert_false(bidder_late(bidder));
    // Let go by no fault of its own: the breaker does not hear of it.
    struct breaker before = bidder->breaker;
    bidder->in_flight = 1;
    bidder_released(bidder);
    assert_int_equal(bidder->breaker.outcomes, before.outcomes);
    assert_true(bidder_late(bidder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_take_turns),
        cmocka_unit_test(notices_have_turns_of_their_own),
        cmocka_unit_test(the_last_word_of_a_connection_counts),
        cmocka_unit_test(each_ending_is_counted_once),
    };
    return cmocka_run_group_tests(tests, open_table, close_table);
}
