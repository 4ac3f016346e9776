#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../engine/reasons.h"

#define DAY 20000  // days since 1970-01-01

static usec
on(unsigned day, int64_t seconds)
{
    return (usec){day * USEC_DAY + seconds * USEC_SECOND};
}

// A contact at a time: slot 1 is won by seat 3 with bid 10, slot 2 stays empty.
static void
apply_round(struct reasons *reasons, usec at)
{
    struct fact fact = {.kind = FACT_CONTACT, .at = at};
    reasons_apply(reasons, &fact, 1);
    fact = (struct fact){.kind = FACT_PLACEMENT, .at = at, .position = 1};
    fact.placement.bid = 10;
    fact.placement.seat = 3;
    reasons_apply(reasons, &fact, 1);
    fact = (struct fact){.kind = FACT_UNFILLED, .at = at, .position = 2};
    fact.unfilled.reason = REASON_NO_ELIGIBLE_BID;
    fact.unfilled.main_reason = REASON_QUOTA;
    reasons_apply(reasons, &fact, 1);
    fact = (struct fact){.kind = FACT_CANDIDATES, .at = at, .position = 1};
    fact.candidates.bid[0] = 10;
    fact.candidates.seat[0] = 3;
    fact.candidates.priority[0] = 2;
    fact.candidates.bid[1] = 11;
    fact.candidates.seat[1] = 3;
    fact.candidates.priority[1] = 2;
    reasons_apply(reasons, &fact, 1);
    fact.candidates.bid[0] = 12;
    fact.candidates.seat[0] = 4;
    fact.candidates.bid[1] = 13;
    fact.candidates.seat[1] = 5;
    fact.candidates.priority[1] = 1;
    reasons_apply(reasons, &fact, 1);
    fact.candidates.how[0] = CANDIDATE_MESSAGE_WON;
    fact.candidates.bid[1] = 0;
    reasons_apply(reasons, &fact, 1);
    fact = (struct fact){.kind = FACT_CANDIDATES, .at = at, .position = 2};
    fact.candidates.bid[0] = 14;
    fact.candidates.seat[0] = 6;
    reasons_apply(reasons, &fact, 1);
    fact = (struct fact){.kind = FACT_REFUSALS, .at = at, .position = 2};
    fact.refusals.bid[1] = 15;
    fact.refusals.seat[1] = 6;
    fact.refusals.reason[1] = REASON_CONSENT;
    reasons_apply(reasons, &fact, 1);
    fact = (struct fact){.kind = FACT_CALLOUTS, .at = at};
    fact.callouts.seat[0] = 7;
    fact.callouts.reason[0] = REASON_NO_ANSWER;
    fact.callouts.seat[1] = 8;  // bids were taken: they are counted where they stand
    reasons_apply(reasons, &fact, 1);
}

static void
each_side_of_a_round(void **state)
{
    (void)state;
    struct reasons *reasons = reasons_open();
    apply_round(reasons, on(DAY, 100));
    apply_round(reasons, on(DAY, 200));
    assert_int_equal(reasons_count(reasons, 3, DAY, REASON_NONE), 2);
    assert_int_equal(reasons_count(reasons, 3, DAY, REASON_OWN_SEAT), 2);
    assert_int_equal(reasons_count(reasons, 4, DAY, REASON_OUTBID), 2);
    assert_int_equal(reasons_count(reasons, 4, DAY, REASON_DUPLICATE), 2);
    assert_int_equal(reasons_count(reasons, 5, DAY, REASON_LOST_TO_PRIORITY), 2);
    assert_int_equal(reasons_count(reasons, 6, DAY, REASON_QUOTA), 2);
    assert_int_equal(reasons_count(reasons, 6, DAY, REASON_CONSENT), 2);
    assert_int_equal(reasons_count(reasons, 7, DAY, REASON_NO_ANSWER), 2);
    for (int i = 0; i < REASON_COUNT; i++)
        assert_int_equal(reasons_count(reasons, 8, DAY, (enum reason)i), 0);
    reasons_close(reasons);
}

static void
two_days_are_kept(void **state)
{
    (void)state;
    struct reasons *reasons = reasons_open();
    apply_round(reasons, on(DAY, 86399));
    apply_round(reasons, on(DAY + 1, 0));
    apply_round(reasons, on(DAY + 1, 1));
    apply_round(reasons, on(DAY, 86399));  // of the day before, in late
    assert_int_equal(reasons_count(reasons, 3, DAY, REASON_NONE), 2);
    assert_int_equal(reasons_count(reasons, 3, DAY + 1, REASON_NONE), 2);
    assert_int_equal(reasons_count(reasons, 3, DAY + 2, REASON_NONE), 0);
    apply_round(reasons, on(DAY + 2, 5));
    assert_int_equal(reasons_count(reasons, 3, DAY, REASON_NONE), 0);
    assert_int_equal(reasons_count(reasons, 3, DAY + 1, REASON_NONE), 2);
    assert_int_equal(reasons_count(reasons, 3, DAY + 2, REASON_NONE), 1);
    // A clock that jumps: older days change nothing, a far one leaves nothing behind.
    apply_round(reasons, on(DAY, 5));
    assert_int_equal(reasons_count(reasons, 3, DAY, REASON_NONE), 0);
    apply_round(reasons, on(DAY + 9, 5));
    assert_int_equal(reasons_count(reasons, 3, DAY + 8, REASON_NONE), 0);
    assert_int_equal(reasons_count(reasons, 3, DAY + 9, REASON_NONE), 1);
    assert_int_equal(reasons_day(reasons, on(DAY, 5)), DAY);
    reasons_close(reasons);
}

static void
nonsense_counts_nowhere(void **state)
{
    (void)state;
    struct reasons *reasons = reasons_open();
    struct fact fact = {.kind = FACT_REFUSALS, .at = on(DAY, 0), .position = 200};
    fact.refusals.bid[0] = 1;
    fact.refusals.seat[0] = 3;
    fact.refusals.reason[0] = REASON_CONSENT;
    reasons_apply(reasons, &fact, 1);
    fact.position = 1;
    fact.refusals.seat[0] = UINT16_MAX;
    reasons_apply(reasons, &fact, 1);
    fact.refusals.seat[0] = 3;
    fact.refusals.reason[0] = 255;
    reasons_apply(reasons, &fact, 1);
    for (int i = 0; i < REASON_COUNT; i++)
        assert_int_equal(reasons_count(reasons, 3, DAY, (enum reason)i), 0);
    assert_int_equal(reasons_count(reasons, UINT32_MAX, DAY, REASON_CONSENT), 0);
    reasons_close(reasons);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_side_of_a_round),
        cmocka_unit_test(two_days_are_kept),
        cmocka_unit_test(nonsense_counts_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
