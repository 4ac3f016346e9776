// Of each bid the newest state is kept, whatever the order in which bids came.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../console/bids_kept.h"
#include "scratch.h"

static void
the_newest_state_of_each_is_kept(void **state)
{
    (void)state;
    struct bids_kept kept = {0};
    enum { BIDS = 700, TURNS = 4 };  // more than the first room
    for (int turn = 0; turn < TURNS; turn++)
        for (int i = 0; i < BIDS; i++) {
            if (turn > 0 && i % (turn + 1) != 0) continue;
            struct fact fact = {.kind = FACT_BID};
            fact.bid.bid = (uint64_t)(i * 7919 % BIDS) + 1;
            fact.bid.price = money_of(turn + 1);
            fact.bid.kind = (uint8_t)(turn % PRICE_KIND_COUNT);
            fact.bid.state = turn == 3 ? BID_WITHDRAWN : BID_ACTIVE;
            memset(fact.bid.key, 'k', sizeof fact.bid.key);  // as long as a key can be
            bids_kept_add(&kept, &fact);
        }
    uint32_t count = 0;
    const struct market_bid *bids = bids_kept_newest(&kept, arena, &count);
    assert_int_equal(count, BIDS);
    for (int i = 0; i < BIDS; i++) {
        int turn = i % 4 == 0 ? 3 : i % 3 == 0 ? 2 : i % 2 == 0 ? 1 : 0;
        const struct market_bid *bid = NULL;
        for (uint32_t b = 0; b < count; b++)
            if (bids[b].id == (uint64_t)(i * 7919 % BIDS) + 1) bid = &bids[b];
        assert_non_null(bid);
        assert_int_equal(bid->price.micros, turn + 1);
        assert_int_equal(bid->kind, turn % PRICE_KIND_COUNT);
        assert_int_equal(bid->state, turn == 3 ? BID_WITHDRAWN : BID_ACTIVE);
        assert_int_equal(strlen(bid->key), BOUND_KEY);
    }
    bids_kept_end(&kept);
    bids = bids_kept_newest(&kept, arena, &count);
    assert_int_equal(count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_state_of_each_is_kept, scratch_open,
                                        scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
